"""Renewable substitution, worked out by hand for a district of five buildings; what bounds it; what is refused."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest
import yaml

from rooftop.config import Installation, SubstitutionOptions
from rooftop.configfile import load_config
from rooftop.core.errors import ConfigError
from rooftop.core.resources import configs_dir, demo_dir
from rooftop.targets import Stock, load_pack
from rooftop.targets.demand import check_options, floor_area
from rooftop.targets.energy_settings import energy_settings
from rooftop.targets.substitution import substitution_notices, substitution_table
from targets_example import five_buildings, in_one_district, members, pack_copy, refused_pack, units

ONE = units(("d1", "district"))
K_E = {"jiangsu_2018": 0.345, "national_recent": 0.305, "calorific": 0.1229}


def five():
    """The five buildings with floors, heights and yield.

    A school       4 floors × 1000 m² = 4000 m²                        layout  80 kWp ->  80 000 kWh, stands  40 kWp
    B factory      not an urban civil building
    C factory      not an urban civil building
    D office       floors unknown, 12 m high, 500 m²:
                   round(12 / 3.6) = 3 floors, 1500 m²; 12 / (3.6 × 1.35) -> 2, 1000 m²; 12 / (3.6 × 0.85) -> 3
                                                                       layout  16 kWp ->  16 000 kWh, stands  20 kWp
    E residential  6 floors × 1000 m² = 6000 m²                        layout  60 kWp ->  60 000 kWh, stands  60 kWp
    """
    roofs = five_buildings()
    roofs["floors_above"] = [4, 1, 1, None, 6]
    roofs["height_m"] = [14.0, 8.0, 8.0, 12.0, 18.0]
    roofs["annual_kwh"] = roofs["capacity_kwp"] * 1000.0
    return roofs


def rate(roofs, pack, options=None, unit="d1", kind="potential", target="renewable_substitution_2025", **more):
    """One row for each k_e."""
    table = substitution_table(in_one_district(roofs, pack), options, **more)
    rows = table[(table["unit_id"] == unit) & (table["kind"] == kind) & (table["target_id"] == target)]
    return rows.set_index("k_e")


def test_five_buildings_under_each_equivalent(tmp_path):
    # Lianyungang, cold zone, kgce/m²: school 35·k + 11.8, office 65·k + 11.8, residential 27·k + 10.7.
    #   k = 0.345:  4000 × 23.875 + 1500 × 34.225 + 6000 × 20.015 = 95 500 + 51 337.5 + 120 090 = 266 927.5 kgce
    #   k = 0.305:  4000 × 22.475 + 1500 × 31.625 + 6000 × 18.935 = 89 900 + 47 437.5 + 113 610 = 250 947.5
    #   k = 0.1229: 4000 × 16.1015 + 1500 × 19.7885 + 6000 × 14.0183 = 64 406 + 29 682.75 + 84 109.8 = 178 198.55
    # Potential: 80 000 + max(16 000, 20 × 1000) + 60 000 = 160 000 kWh -> 55 200, 48 800, 19 664 kgce.
    # Installed: (40 + 20 + 60) × 1000 = 120 000 kWh -> 41 400, 36 600, 14 748.
    demand = {"jiangsu_2018": 266927.5, "national_recent": 250947.5, "calorific": 178198.55}
    for kind, kwh in (("potential", 160000.0), ("installed", 120000.0)):
        found = rate(five(), pack_copy(tmp_path), kind=kind)
        for name, k in K_E.items():
            row = found.loc[name]
            assert row["k_e_kgce_kwh"] == k
            assert row["floor_area_m2"] == 11500.0
            assert row["demand_kgce"] == pytest.approx(demand[name], rel=1e-12)
            assert row["pv_kgce"] == pytest.approx(kwh * k, rel=1e-12)
            assert row["rate"] == pytest.approx(kwh * k / demand[name], rel=1e-12)
            # What 8 % asks, what PV carries of it, and the rest as building area: 1.243 and 5.175 kgce/m².
            asked = 0.08 * demand[name]
            assert row["roof_share_of_target"] == pytest.approx(kwh * k / asked, rel=1e-12)
            rest = max(asked - kwh * k, 0.0)
            assert row["gap_kgce"] == row["elsewhere_kgce"] == pytest.approx(rest, abs=1e-9)
            assert row["gap_solar_thermal_m2"] == pytest.approx(rest / 1.243, abs=1e-9)
            assert row["gap_ground_source_m2"] == pytest.approx(rest / 5.175, abs=1e-9)
    assert found["is_default"].to_dict() == {"jiangsu_2018": True, "national_recent": False, "calorific": False}


def test_bounds_are_those_of_unknown_floors(tmp_path):
    # D at 1000 m² instead of 1500: 266 927.5 − 17 112.5 = 249 815 kgce; the central value has the most floors already.
    row = rate(five(), pack_copy(tmp_path)).loc["jiangsu_2018"]
    assert row["rate_low"] == pytest.approx(55200 / 266927.5, rel=1e-12)
    assert row["rate_high"] == pytest.approx(55200 / 249815, rel=1e-12)
    assert (row["n_buildings"], row["n_unknown"], row["n_floors_estimated"]) == (3, 0, 1)
    assert row["attained"] == "yes"
    stated = five().assign(floors_above=[4, 1, 1, 4, 6])
    row = rate(stated, pack_copy(tmp_path)).loc["jiangsu_2018"]
    assert row["rate_low"] == row["rate"] == row["rate_high"]


def test_bounds_of_floors_by_height_and_without_any(tmp_path):
    # 15.5 m of office: round(4.31) = 4 floors; 15.5 / (3.6 × 1.35) -> 3, 15.5 / (3.6 × 0.85) -> 5; 500 m² each.
    settings = energy_settings()
    roofs = five().assign(height_m=[14.0, 8.0, 8.0, 15.5, 18.0])
    found = floor_area(roofs, settings)
    assert (found.low[3], found.central[3], found.high[3]) == (1500, 2000, 2500)
    row = rate(roofs, pack_copy(tmp_path)).loc["jiangsu_2018"]
    demand = {n: 95500 + 500 * n * 34.225 + 120090 for n in (3, 4, 5)}
    assert row["rate"] == pytest.approx(55200 / demand[4], rel=1e-12)
    assert row["rate_low"] == pytest.approx(55200 / demand[5], rel=1e-12)
    assert row["rate_high"] == pytest.approx(55200 / demand[3], rel=1e-12)
    # Neither floors nor height: one floor at least, 18 at most; so too where the height itself is assumed.
    for height, reasons in ((0.0, []), (None, []), (15.5, ["height_missing"])):
        bare = roofs.assign(height_m=[14.0, 8.0, 8.0, height, 18.0])
        bare["reasons"] = [[], [], [], reasons, []]
        found = floor_area(bare, settings)
        assert (found.low[3], found.central[3], found.high[3]) == (500, 2000 if reasons else 500, 9000)
        assert found.estimated.tolist() == [False, False, False, True, False]


def test_unknown_year_class_and_structure_are_counted_for_then_against(tmp_path):
    roofs = five().assign(floors_above=[4, 1, 1, 4, 6])
    roofs.loc[3, ["year_built", "building_use", "status"]] = [None, "unknown", "needs_survey"]
    pack = pack_copy(tmp_path, "pinghu")
    row = rate(roofs, pack).loc["calorific"]
    # Hot summer, cold winter: A 4000 × 45·k, E 6000 × (31·k + 2.9). D may be out, or in with any urban civil class,
    # 2000 m²; the survey leaves it what stands: 20 000 kWh either way.
    k = 0.1229
    known_n, known_d = 140000 * k, 4000 * 45 * k + 6000 * (31 * k + 2.9)
    settings = energy_settings()
    outside = {"rural_house", "agriculture", "factory", "warehouse", "utility", "unknown"}
    rates = [known_n / known_d]
    for use in settings.intensity:
        if use not in outside:
            entry = settings.of(use, "hot_summer_cold_winter")
            d = 2000 * (entry.electricity_kwh_m2 * k + entry.heat_kgce_m2)
            rates.append((known_n + 20000 * k) / (known_d + d))
    assert row["rate"] == pytest.approx(known_n / known_d, rel=1e-12)
    assert row["rate_low"] == pytest.approx(min(rates), rel=1e-12)
    assert row["rate_high"] == pytest.approx(max(rates), rel=1e-12)
    assert (row["n_buildings"], row["n_unknown"]) == (2, 1)


def test_a_roof_to_survey_lowers_only_the_lower_bound(tmp_path):
    roofs = five().assign(floors_above=[4, 1, 1, 4, 6])
    roofs.loc[0, "status"] = "needs_survey"
    row = rate(roofs, pack_copy(tmp_path)).loc["jiangsu_2018"]
    # A keeps the 40 kWp that stand: 160 000 − 80 000 + 40 000 kWh.
    assert row["rate"] == pytest.approx(160000 * 0.345 / 284040)
    assert row["rate_high"] == pytest.approx(row["rate"], rel=1e-12)
    assert row["rate_low"] == pytest.approx(120000 * 0.345 / 284040)


def test_bounds_hold_every_world(tmp_path):
    """Enumerate every assignment of a small case."""
    pack = pack_copy(tmp_path, "pinghu")
    roofs = five()
    roofs.loc[[0, 4], "year_built"] = None
    roofs.loc[0, "completion_date"] = None
    roofs.loc[3, "status"] = "needs_survey"
    row = rate(roofs, pack).loc["national_recent"]
    k, worlds = 0.305, []
    for a, e, floors, fit in itertools.product((0, 1), (0, 1), (2, 3), (0, 1)):
        n = a * 80000 + e * 60000 + 20000 + 0 * fit
        d = a * 4000 * 45 * k + e * 6000 * (31 * k + 2.9) + 500 * floors * 85 * k
        # A code does not stand behind D's use: an office is an office.
        worlds.append(n * k / d)
    assert row["rate_low"] == pytest.approx(min(worlds), rel=1e-12)
    assert row["rate_high"] == pytest.approx(max(worlds), rel=1e-12)


def test_declared_heat_by_each_rule(tmp_path):
    pack = pack_copy(tmp_path)

    def with_(**entry):
        options = SubstitutionOptions(installations=[Installation(unit_id="d1", **entry)])
        return rate(five(), pack, options).loc["jiangsu_2018"]

    base = rate(five(), pack).loc["jiangsu_2018"]
    # 12.43 tce per 万m²: 1000 m² of building are 1243 kgce; 20 m² of collector serve 1000 m².
    assert with_(kind="solar_thermal", building_area_m2=1000)["thermal_kgce"] == pytest.approx(1243.0)
    assert with_(kind="solar_thermal", collector_area_m2=20)["thermal_kgce"] == pytest.approx(1243.0)
    # Half of the 11 500 m² in scope.
    assert with_(kind="solar_thermal", floor_area_share=0.5)["thermal_kgce"] == pytest.approx(5750 * 1.243)
    # 10 000 kWh of heat replace 36 000 MJ / (29.307 × 0.84) = 1462.35 kgce of gas.
    heat = 36000 / (29.307 * 0.84)
    assert with_(kind="solar_thermal", heat_kwh=10000)["thermal_kgce"] == pytest.approx(heat)
    # 51.75 tce per 万m².
    assert with_(kind="ground_source", building_area_m2=1000)["heat_pump_kgce"] == pytest.approx(5175.0)
    # COP 3: its 3333 kWh of electricity are taken off at k_e.
    pump = with_(kind="air_source", heat_kwh=10000, cop=3.0)
    assert pump["heat_pump_kgce"] == pytest.approx(heat - 10000 / 3 * 0.345)
    assert pump["rate"] == pytest.approx((55200 + heat - 1150) / 266927.5)
    assert pump["elsewhere_kgce"] == base["elsewhere_kgce"]
    # A bad one counts against the rate, never for it.
    bad = with_(kind="air_source", heat_kwh=10000, cop=2.0)
    assert bad["heat_pump_kgce"] == pytest.approx(heat - 1725) and bad["rate"] < base["rate"]
    entries = [Installation(kind="air_source", unit_id="d1", heat_kwh=10000, cop=cop) for cop in (3.0, 2.0)]
    notices = substitution_notices(in_one_district(five(), pack), SubstitutionOptions(installations=entries))
    assert [n.count for n in notices if n.code == "heat_pump_negative"] == [1]
    assert with_(kind="air_source", heat_kwh=10000, cop=3.0, replaces="coal")["heat_pump_kgce"] == pytest.approx(
        36000 / (29.307 * 0.70) - 1150
    )


def test_an_installation_of_unknown_year_is_in_the_upper_bound_of_new_buildings_only(tmp_path):
    pack, roofs = pack_copy(tmp_path, "pinghu"), five().assign(floors_above=[4, 1, 1, 4, 6])
    found = {}
    for year in (None, 2019, 2023):
        entry = Installation(kind="ground_source", unit_id="d1", building_area_m2=1000, completed=year)
        found[year] = rate(roofs, pack, SubstitutionOptions(installations=[entry])).loc["national_recent"]
    none = rate(roofs, pack).loc["national_recent"]
    more = 5175 / none["demand_kgce"]
    assert found[2019]["rate"] == none["rate"] == found[None]["rate"] == found[None]["rate_low"]
    assert found[None]["rate_high"] == pytest.approx(none["rate"] + more)
    assert found[2023]["rate"] == found[2023]["rate_low"] == pytest.approx(none["rate"] + more)


def test_a_share_of_floor_area_completed_outside_the_cohort_does_not_count(tmp_path):
    pack, roofs = pack_copy(tmp_path, "pinghu"), five().assign(floors_above=[4, 1, 1, 4, 6])

    def of(year):
        entry = Installation(kind="ground_source", unit_id="d1", floor_area_share=0.1, completed=year)
        return SubstitutionOptions(installations=[entry])

    pumps = {
        year: rate(roofs, pack, of(year)).loc["national_recent", "heat_pump_kgce"] for year in (None, 2020, 2021, 2026)
    }
    # A tenth of A 4000, D 2000 and E 6000 m².
    share = 1200 * 5.175
    assert pumps == pytest.approx({None: share, 2020: 0.0, 2021: share, 2026: 0.0})


def test_heat_that_does_not_count_is_said(tmp_path):
    def codes(pack, *years):
        entries = [Installation(kind="ground_source", building_area_m2=1000, completed=year) for year in years]
        found = substitution_notices(in_one_district(five(), pack), SubstitutionOptions(installations=entries))
        return {n.code: n.count for n in found if n.code.startswith("installation_")}

    new = pack_copy(tmp_path, "pinghu")
    assert codes(new, None, 2019, 2020, 2023) == {"installation_outside_cohort": 2, "installation_year_unknown": 1}
    # 2026-2030 counts for 2030 but not for 2025.
    assert codes(new, 2027) == {"installation_outside_cohort": 1}
    assert codes(load_pack("lianyungang"), None, 1999) == {}


def test_a_district_amount_reaches_the_city_once_and_no_zone():
    roofs, pack = five(), load_pack("lianyungang")
    names = units(("d1", "district"), ("d2", "district"), ("z", "zone"))
    place = pd.concat([members(roofs.iloc[:3]), members(roofs.iloc[3:], "d2"), members(roofs, "z", "zone", 0.5)])
    entry = Installation(kind="ground_source", unit_id="d2", building_area_m2=1000)
    table = substitution_table(Stock.from_tables(roofs, place, names, pack), SubstitutionOptions(installations=[entry]))
    rows = table[(table["kind"] == "potential") & (table["k_e"] == "jiangsu_2018")].set_index("unit_id")
    assert rows["heat_pump_kgce"].to_dict() == {"city": 5175.0, "d1": 0.0, "d2": 5175.0, "z": 0.0}
    city = rows.loc["city"]
    for name in ("demand_kgce", "pv_kgce", "floor_area_m2"):
        assert city[name] == pytest.approx(rows.loc["d1", name] + rows.loc["d2", name])
        assert rows.loc["z", name] == pytest.approx(0.5 * city[name])


def test_pv_and_demand_in_kwh_alone_do_not_depend_on_the_equivalent(tmp_path):
    # Where everything is electricity, k_e falls out of the ratio.
    demand = {"school": {"electricity_kwh_m2": 50}, "residential": {"electricity_kwh_m2": 30}}
    options = SubstitutionOptions(demand=demand | {"office": {"electricity_kwh_m2": 80}})
    found = rate(five(), pack_copy(tmp_path), options)
    assert found["rate"].to_numpy() == pytest.approx(np.full(3, 160000 / (4000 * 50 + 1500 * 80 + 6000 * 30)))


def test_metered_energy_takes_the_place_of_limits(tmp_path):
    roofs = five()
    roofs["measured_energy_kwh"] = [None, None, None, 100000.0, None]
    row = rate(roofs, pack_copy(tmp_path)).loc["jiangsu_2018"]
    assert row["demand_kgce"] == pytest.approx(95500 + 34500 + 120090)
    assert (row["n_measured"], row["n_floors_estimated"]) == (1, 0)
    assert row["rate_low"] == row["rate_high"] == row["rate"]
    roofs["measured_fuel_kgce"] = [None, None, None, 500.0, None]
    assert rate(roofs, pack_copy(tmp_path)).loc["jiangsu_2018", "demand_kgce"] == pytest.approx(250590)


def test_metered_fuel_alone_is_not_what_a_building_needs(tmp_path):
    roofs = five().assign(measured_energy_kwh=np.nan, measured_fuel_kgce=[np.nan, np.nan, np.nan, 500.0, np.nan])
    row = rate(roofs, pack_copy(tmp_path)).loc["jiangsu_2018"]
    assert row["demand_kgce"] == pytest.approx(266927.5) and row["n_measured"] == 0
    notices = {n.code: n for n in substitution_notices(in_one_district(roofs, pack_copy(tmp_path)))}
    assert notices["fuel_without_electricity"].examples == (roofs["building_id"][3],)
    assert notices["demand_from_limits"].count == 3


def test_more_pv_more_rate_and_more_floors_less(tmp_path):
    pack, roofs = pack_copy(tmp_path), five()
    base = rate(roofs, pack)
    more = rate(roofs.assign(annual_kwh=roofs["annual_kwh"] * 1.3), pack)
    tall = rate(roofs.assign(floors_above=[8, 1, 1, None, 6]), pack)
    for name in ("rate", "rate_low", "rate_high"):
        assert (more[name] > base[name]).all()
        assert (tall[name] < base[name]).all()
    assert ((base["rate_low"] <= base["rate"]) & (base["rate"] <= base["rate_high"])).all()
    installed = rate(roofs, pack, kind="installed")
    assert (installed["rate"] <= base["rate"]).all()


def test_planned_lies_between_installed_and_potential(tmp_path):
    roofs, pack = five(), pack_copy(tmp_path)
    chosen = pd.Series([True, False, False, False, False], index=roofs.index)
    found = {
        kind: rate(roofs, pack, kind=kind, planned=chosen).loc["jiangsu_2018", "pv_kgce"]
        for kind in ("installed", "planned", "potential")
    }
    assert found["planned"] == pytest.approx((80000 + 20000 + 60000) * 0.345)
    assert found["installed"] < found["planned"] <= found["potential"]


def test_nothing_in_scope_is_null_and_no_inventory_is_not_zero(tmp_path):
    factories = five().iloc[[1, 2]].reset_index(drop=True)
    row = rate(factories, pack_copy(tmp_path)).loc["jiangsu_2018"]
    assert row["demand_kgce"] == 0 and pd.isna(row["rate"]) and pd.isna(row["rate_low"]) and pd.isna(row["attained"])
    bare = five().assign(existing_pv_kwp=np.nan)
    row = rate(bare, pack_copy(tmp_path), kind="installed").loc["jiangsu_2018"]
    assert pd.isna(row["rate"]) and pd.isna(row["pv_kgce"]) and row["demand_kgce"] == pytest.approx(266927.5)
    full = rate(bare, pack_copy(tmp_path), kind="potential").loc["jiangsu_2018"]
    assert row["rate_low"] == 0.0 and row["rate_high"] == pytest.approx(full["rate_high"])
    assert row["attained"] == "unknown"


def test_an_unknown_zone_gives_bounds_only_and_the_configuration_settles_it():
    pack, roofs = load_pack("national"), five().assign(floors_above=[4, 1, 1, 4, 6])
    row = rate(roofs, pack).loc["national_recent"]
    assert pd.isna(row["rate"]) and row["rate_low"] < row["rate_high"]
    single = [
        rate(roofs, pack, SubstitutionOptions(climate_zone=zone)).loc["national_recent"]
        for zone in energy_settings().zones
    ]
    assert row["rate_low"] == pytest.approx(min(s["rate"] for s in single))
    assert row["rate_high"] == pytest.approx(max(s["rate"] for s in single))
    assert "climate_zone_unknown" in [n.code for n in substitution_notices(in_one_district(roofs, pack))]


def test_a_zone_by_the_beginning_of_the_district_id():
    climate = load_pack("shanxi").climate
    assert [climate.of(unit) for unit in ("140100", "140202", None)] == ["cold", "severe_cold", "cold"]
    nested = climate.model_copy(update={"units": {"14": "severe_cold", "1401": "cold", "140105": "severe_cold"}})
    assert [nested.of(u) for u in ("140200", "140100", "140105")] == ["severe_cold", "cold", "severe_cold"]


def test_elsewhere_is_what_pv_leaves_and_the_gap_what_heat_leaves_of_that(tmp_path):
    def half(data):
        next(t for t in data["targets"] if t["id"] == "renewable_substitution_2025")["value"] = 0.5

    entry = Installation(kind="ground_source", unit_id="d1", building_area_m2=1000)
    pack = pack_copy(tmp_path, change=half)
    row = rate(five(), pack, SubstitutionOptions(installations=[entry])).loc["jiangsu_2018"]
    assert row["elsewhere_kgce"] == pytest.approx(0.5 * 266927.5 - 55200)
    assert row["gap_kgce"] == pytest.approx(0.5 * 266927.5 - 55200 - 5175)
    assert row["roof_share_of_target"] == pytest.approx(55200 / (0.5 * 266927.5))


def test_new_urban_buildings_only_in_pinghu():
    roofs = five().assign(floors_above=[4, 1, 1, 4, 6])
    roofs.loc[4, "year_built"] = 2018
    row = rate(roofs, load_pack("pinghu"), target="renewable_substitution_2030").loc["national_recent"]
    assert (row["n_buildings"], row["target"], row["cohort"]) == (2, 0.12, "2021-2030")
    assert row["demand_kgce"] == pytest.approx(4000 * 45 * 0.305 + 2000 * 85 * 0.305)


def test_no_claim_of_compliance_with_an_unseen_standard():
    for entry in load_pack("pinghu").substitution:
        assert "不代表符合该标准" in entry.source.zh and "claims no compliance" in entry.source.en


def test_a_factor_in_a_file_changes_the_result(tmp_path):
    text = (configs_dir() / "energy_demand.yaml").read_text(encoding="utf-8")
    own = tmp_path / "energy.yaml"
    own.write_text(text.replace("kgce_kwh: 0.345", "kgce_kwh: 0.3").replace("kgce_m2: 5.175", "kgce_m2: 6"), "utf-8")
    entry = Installation(kind="ground_source", unit_id="d1", building_area_m2=1000)
    row = rate(five(), pack_copy(tmp_path), SubstitutionOptions(energy_demand=own, installations=[entry]))
    row = row.loc["jiangsu_2018"]
    assert row["pv_kgce"] == pytest.approx(160000 * 0.3)
    assert row["demand_kgce"] == pytest.approx(4000 * 22.3 + 1500 * 31.3 + 6000 * 18.8)
    assert row["heat_pump_kgce"] == 6000


def test_a_year_a_value_and_a_scope_in_a_pack_change_the_result(tmp_path):
    def change(data):
        data["substitution"][0]["cohort"] = {"start": 2022, "end": 2022}
        data["substitution"][0]["scope"]["completed"] = "cohort"
        target = next(t for t in data["targets"] if t["id"] == "renewable_substitution_2025")
        target["value"] = 0.5
        data["climate"]["zone"] = "severe_cold"

    row = rate(five(), pack_copy(tmp_path, change=change)).loc["jiangsu_2018"]
    assert (row["n_buildings"], row["target"], row["cohort"]) == (1, 0.5, "2022")
    assert row["demand_kgce"] == pytest.approx(4000 * (35 * 0.345 + 15))
    assert row["gap_kgce"] == pytest.approx(0.5 * 108300 - 27600)


REFUSED_PACKS = [
    ("lianyungang", "  zone: cold\n", "  zone: warm\n", "climate.zone", "unknown climate zone"),
    ("shanxi", "severe_cold, ", "arctic, ", "climate.units.1402", "unknown climate zone"),
    ("lianyungang", "    k_e: jiangsu_2018\n", "    k_e: jiangsu\n", "substitution[0].k_e", "unknown equivalent"),
    ("lianyungang", "  - target: renewable_substitution_2025\n", "  - target: pv_coverage_2025\n",
     "substitution[0].target", "unknown substitution target"),
    ("pinghu", "    cohort: {start: 2021, end: 2030}\n", "    cohort: {start: 2021, end: 2035}\n",
     "substitution[1].cohort", "outside the plan's period"),
    ("pinghu", "[rural_house, agriculture", "[village, agriculture", "building_use[0]", "unknown class"),
    ("liaocheng", "    source: {zh: 方案原文：全面", "    sauce: {zh: 方案原文：全面", "mandates[0]", ""),
    ("liaocheng", "  - target: renewable_hot_water\n", "  - target: hot_water\n",
     "mandates[0].target", "unknown target"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "old", "new", "key", "message"), REFUSED_PACKS)
def test_an_inconsistent_pack_is_refused_with_its_line(tmp_path, name, old, new, key, message):
    error = refused_pack(tmp_path, name, old, new)
    assert key in str(error.details["where"]) and "line " in str(error.details["where"]) and message in str(error)


def test_a_computed_target_needs_an_entry(tmp_path):
    with pytest.raises(ConfigError, match="no substitution entry"):
        pack_copy(tmp_path, change=lambda data: data.pop("substitution"))


REFUSED_SETTINGS = [
    ("value: 0.84", "value: 1.4", "eta_conv.gas.value"),
    ("default: national_recent", "default: national", "k_e.default"),
    ("  office:\n    source", "  offices:\n    source", "intensity"),
    ("low: 0.85", "low: 1.85", "floors.storey_spread"),
    ("kgce_kwh: 0.345", "kgce_kwh: -0.345", "k_e.options.jiangsu_2018.kgce_kwh"),
]


@pytest.mark.parametrize(("old", "new", "key"), REFUSED_SETTINGS)
def test_settings_that_do_not_hold_together_are_refused_with_their_line(tmp_path, old, new, key):
    text = (configs_dir() / "energy_demand.yaml").read_text(encoding="utf-8")
    assert old in text
    path = tmp_path / "energy.yaml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        energy_settings(path)
    assert key in str(caught.value.details["where"]) and "line " in str(caught.value.details["where"])


REFUSED_CONFIGS = [
    ({"kind": "solar_thermal", "building_area_m2": 10, "collector_area_m2": 5}, "须且只能给出一项"),
    ({"kind": "air_source", "building_area_m2": 10}, "须以 heat_kwh 申报"),
    ({"kind": "air_source", "heat_kwh": 10}, "须给出 cop"),
    ({"kind": "ground_source", "floor_area_share": 1.2}, "<= 1.0"),
]


@pytest.mark.parametrize(("entry", "message"), REFUSED_CONFIGS)
def test_an_impossible_installation_is_refused_with_its_line(tmp_path, entry, message):
    data = yaml.safe_load((demo_dir() / "rooftop.yaml").read_text(encoding="utf-8"))
    data["substitution"] = {"installations": [entry]}
    path = tmp_path / "own.yaml"
    path.write_text(yaml.safe_dump(data, allow_unicode=True), encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_config(path)
    shown = caught.value.render("zh")
    assert message in shown and "行" in shown and "installations" in shown


def test_names_that_do_not_exist_are_refused():
    settings = energy_settings()
    unit = Installation(kind="ground_source", unit_id="d9", building_area_m2=1)
    for options in (
        SubstitutionOptions(climate_zone="warm"),
        SubstitutionOptions(k_e="jiangsu"),
        SubstitutionOptions(demand={"fabrik": {"electricity_kwh_m2": 1}}),
        SubstitutionOptions(installations=[unit]),
    ):
        with pytest.raises(ConfigError) as caught:
            check_options(settings, options, ["d1"])
        assert all(caught.value.details[part] for part in ("where", "found", "expected", "mend"))


def test_every_shipped_pack_with_a_rate_answers_it(tmp_path):
    for name in ("lianyungang", "pinghu", "liaocheng", "shanxi", "national"):
        pack = load_pack(name)
        rates = [t.id for t in pack.targets if t.indicator == "renewable_substitution"]
        table = substitution_table(in_one_district(five(), pack))
        assert sorted(set(table["target_id"])) == sorted(rates)
        assert table.groupby(["unit_id", "target_id", "kind"])["is_default"].sum().eq(1).all()
    assert substitution_table(in_one_district(five(), load_pack("whole_county"))).empty
