"""PV or hot water on a roof, by hand: where the answer turns, where there is no need, where a mandate decides."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from rooftop.config import SubstitutionOptions
from rooftop.core.resources import configs_dir
from rooftop.targets import load_pack
from rooftop.targets.energy_settings import energy_settings
from rooftop.targets.thermal import pv_or_thermal
from targets_example import in_one_district, pack_copy, roof, table


def one(**columns):
    """A roof of 100 m² of module in a zone of 200 m²: 24 100 kWh of PV, 241 per m² of module; 1430 kWh/m² fall."""
    columns = {"building_use": "hotel", "floors_above": 20, "height_m": 60.0, "annual_kwh": 24100.0,
               "poa_kwh_m2": 1430.0, "year_built": 2015} | columns  # fmt: skip
    return table([roof("A", (1000, 800, 400, 200, 150, 100), **columns)])


def plane(building_id, used, poa, tilt=0.0):
    return {"building_id": building_id, "used_area_m2": used, "poa_kwh_m2": poa, "plane_tilt_deg": tilt}


def level(roofs):
    """One level plane per roof: its collectors stand in rows, 0.5 m² of them per m² of zone."""
    rows = zip(roofs["building_id"], roofs["used_area_m2"], roofs["poa_kwh_m2"], strict=True)
    return pd.DataFrame([plane(*row) for row in rows])


def first(roofs, pack="liaocheng", planes=None, **options):
    pack = load_pack(pack) if isinstance(pack, str) else pack
    planes = level(roofs) if planes is None else planes
    return pv_or_thermal(in_one_district(roofs, pack), planes, SubstitutionOptions(**options)).iloc[0]


def test_domain_figures():
    # 241 kWh of PV are 83 kgce at 0.345 and 30 at 0.1229; the plans' rule gives 62 kgce per m² of collector:
    # between them lies the equivalent at which both are equal, 62.15 / 241 = 0.258.
    settings = energy_settings()
    options = settings.k_e.options
    per_collector = settings.rules.solar_thermal.kgce_m2 * 100 / settings.rules.solar_thermal.collector_m2_per_100_m2
    assert round(241 * options["jiangsu_2018"].kgce_kwh) == 83
    assert round(241 * options["calorific"].kgce_kwh) == 30
    assert round(per_collector) == 62
    assert 0.1229 < per_collector / 241 < 0.305


def test_where_the_answer_turns():
    # Per m² of zone: PV 24 100 / 200 = 120.5 kWh. Collectors: 1430 × 0.45 × 0.8 = 514.8 kWh per m² of collector; rows
    # give half of that per m² of zone, 257.4 kWh = 257.4 × 3.6 / (29.307 × 0.84) = 37.64 kgce. Equal at
    # 37.64 / 120.5 = 0.3124.
    row = first(one())
    assert row["pv_kwh_m2"] == pytest.approx(120.5)
    assert row["collector_kwh_m2"] == pytest.approx(257.4)
    assert row["collector_kgce_m2"] == pytest.approx(257.4 * 3.6 / (29.307 * 0.84))
    assert row["k_e_equal"] == pytest.approx(0.312373, abs=1e-6)
    # Hotel: 20 floors × 1000 m², 110 L × 219 d / 40 m² × 0.001163 × 45 = 31.52 kWh/m²: more than the zone can serve.
    assert row["hot_water_kwh"] == pytest.approx(20000 * 110 * 219 / 40 * 0.001163 * 45)
    assert row["collector_share"] == 1.0
    choices = {name: row[f"choice_{name}"] for name in ("jiangsu_2018", "national_recent", "calorific")}
    assert choices == {"jiangsu_2018": "pv", "national_recent": "thermal", "calorific": "thermal"}
    assert row["decided_by_calorific"] == "energy"


def test_the_need_limits_the_collectors():
    # One floor: 0.6 × 1000 × 31.52 kWh against 200 m² × 257.4 kWh.
    row = first(one(floors_above=1))
    need = 1000 * 110 * 219 / 40 * 0.001163 * 45
    assert row["collector_share"] == pytest.approx(0.6 * need / (200 * 257.4))
    assert row["collector_zone_m2"] == pytest.approx(200 * row["collector_share"])
    assert (row["choice_calorific"], row["choice_jiangsu_2018"]) == ("both", "pv")
    none = first(one(building_use="warehouse"))
    assert (none["hot_water_kwh"], none["choice_calorific"], none["decided_by_calorific"]) == (0, "pv", "no_need")


def test_collectors_stand_where_modules_would_by_hand():
    # A level plane, 120 m² of zone under 1400 kWh/m²: 60 m² in rows. A roof of 25°, 50 m² under 1500: 45 m² in its
    # slope. 0.36 of 60 × 1400 + 45 × 1500 = 151 500 kWh becomes useful heat: 54 540 kWh, 519.43 per m² of collector.
    planes = pd.DataFrame(
        [plane("A", 120.0, 1400.0), plane("A", 50.0, 1500.0, 25.0), plane("A", 0.0, None), plane("B", 99.0, 1000.0)]
    )
    row = first(one(used_area_m2=170.0), planes=planes)
    assert row["collector_area_m2"] == pytest.approx(105.0)
    assert row["heat_kwh_m2"] == pytest.approx(54540 / 105)
    assert row["heat_kwh"] == pytest.approx(54540)  # of the hotel's 630 000 kWh
    assert row["collector_kwh_m2"] == pytest.approx(54540 / 170)
    assert (row["pv_kwh"], row["pv_kwh_m2"]) == (24100.0, pytest.approx(24100 / 170))
    # The plans' rule, 62.15 kgce per m² of collector, against the PV of the same zone.
    assert row["k_e_equal_rule"] == pytest.approx(1.243 * 50 * 105 / 24100)


def test_heat_that_nobody_needs_does_not_count():
    need = 1000 * 110 * 219 / 40 * 0.001163 * 45
    row = first(one(floors_above=1))
    assert row["heat_kwh"] == pytest.approx(0.6 * need) == pytest.approx(row["collector_share"] * 200 * 257.4)
    assert row["heat_kwh"] < row["collector_area_m2"] * row["heat_kwh_m2"]
    none = first(one(building_use="warehouse"))
    assert (none["heat_kwh"], none["collector_area_m2"]) == (0.0, 100.0)
    assert none["heat_kwh_m2"] == pytest.approx(514.8)


def test_the_tilt_that_needs_rows():
    share = energy_settings().collector.zone_share
    assert share.of(np.array([0.0, 14.9, 15.0, 40.0])).tolist() == [0.5, 0.5, 0.9, 0.9]


def test_a_mandate_decides_where_it_speaks():
    new = first(one(building_use="residential", year_built=2024))
    assert (new["mandate"], new["mandate_part"]) == ("yes", "new_urban_housing")
    # PV would replace more at 0.345; the plan demands hot water all the same.
    assert (new["choice_jiangsu_2018"], new["decided_by_jiangsu_2018"]) == ("thermal", "mandate")
    old = first(one(building_use="residential", year_built=2010))
    assert (old["mandate"], old["choice_jiangsu_2018"], old["decided_by_jiangsu_2018"]) == ("no", "pv", "energy")
    # Whether hot water is central is not known: never certain, so it does not decide.
    hotel = first(one(year_built=2024))
    assert (hotel["mandate"], hotel["mandate_part"]) == ("unknown", "public_central_hot_water")
    assert hotel["choice_jiangsu_2018"] == "pv"
    assert first(one(year_built=None, building_use="residential"))["mandate"] == "unknown"
    assert first(one(building_use="residential", year_built=2024), "lianyungang")["mandate"] == "no"


def test_a_mandate_changed_in_the_pack_changes_the_answer(tmp_path):
    def change(data):
        data["mandates"][0]["parts"][2].pop("condition")

    row = first(one(year_built=2024), pack_copy(tmp_path, "liaocheng", change))
    assert (row["mandate"], row["decided_by_jiangsu_2018"]) == ("yes", "mandate")


def test_more_equivalent_never_turns_to_hot_water(tmp_path):
    text = (configs_dir() / "energy_demand.yaml").read_text(encoding="utf-8")
    own = tmp_path / "energy.yaml"
    own.write_text(text.replace("kgce_kwh: 0.305", "kgce_kwh: 0.32"), "utf-8")
    assert first(one(), energy_demand=own)["choice_national_recent"] == "pv"
    for poa in (900.0, 1300.0, 1500.0):
        row = first(one(poa_kwh_m2=poa))
        warm = [row[f"choice_{n}"] != "pv" for n in ("calorific", "national_recent", "jiangsu_2018")]
        assert warm == sorted(warm, reverse=True)


def test_roofs_without_modules_are_not_compared():
    bare = table([roof("A", (100, 50, 0, 0, 0, 0))])
    assert pv_or_thermal(in_one_district(bare, load_pack("liaocheng")), level(bare)).empty
    assert pv_or_thermal(in_one_district(one(), load_pack("liaocheng")), level(one()).iloc[:0]).empty
