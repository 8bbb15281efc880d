"""Buildings that fall short, capacity and quotas, and what a reader must know."""

import numpy as np
import pandas as pd
import pytest

from rooftop.targets import capacity_ledger, coverage_notices, load_pack, quota_table, shortfalls
from targets_example import five_buildings, members, pack_copy, roof, table, units

ONE_DISTRICT = units(("d1", "district"))


@pytest.fixture(scope="module")
def lianyungang(tmp_path_factory):
    return pack_copy(tmp_path_factory.mktemp("pack"))


def test_shortfalls_by_hand(lianyungang):
    # Half of the installable area, less what stands:  A 400 − 200, B 750 − 500, C 200 − 0; D has 100 of 100 it needs.
    roofs = five_buildings()
    found = shortfalls(roofs, members(roofs), lianyungang).set_index("building_id")
    assert found.index.tolist() == ["B", "A", "C"]
    assert found["gap_m2"].to_dict() == {"B": 250, "A": 200, "C": 200}
    assert found["coverage"].to_dict() == {"B": 500 / 1500, "A": 0.25, "C": 0.0}
    assert found["gap_kwp"].tolist() == pytest.approx([50, 40, 40], rel=1e-12)
    assert found["membership"].to_dict() == {"B": "certain", "A": "certain", "C": "possible"}
    assert found["building_group"].to_dict() == {"B": "factory", "A": "public_institution", "C": "factory"}
    # A full layout: B 1200/1500, A 400/800, C 200/400.
    assert found["coverage_potential"].to_dict() == {"B": 0.8, "A": 0.5, "C": 0.5}
    assert set(found["attainable"]) == {"yes"}


def test_shortfalls_of_roofs_that_cannot_or_are_not_known(lianyungang):
    roofs = table(
        [
            roof("low", (100, 80, 50, 20, 15, 10), building_use="factory", year_built=2023, existing_pv_kwp=0.0),
            roof("survey", (100, 80, 50, 50, 40, 30), building_use="factory", year_built=2023, status="needs_survey"),
            roof("coded", (100, 80, 50, 50, 40, 30), building_use="factory", year_built=2023, use_source="code:GHYT"),
            roof("bare", (100, 80, 0, 0, 0, 0), building_use="factory", year_built=2023, status="excluded"),
            roof("away", (100, 80, 50, 50, 40, 30), building_use="factory", year_built=2023),
        ]
    )
    found = shortfalls(roofs, members(roofs.iloc[:4]), lianyungang).set_index("building_id")
    assert found["attainable"].to_dict() == {"low": "no", "survey": "unknown", "coded": "yes"}
    assert found["membership"].to_dict() == {"low": "certain", "survey": "certain", "coded": "presumed"}


def test_shortfalls_without_an_inventory(lianyungang):
    roofs = five_buildings().assign(existing_pv_kwp=np.nan)
    found = shortfalls(roofs, members(roofs), lianyungang)
    assert found["coverage"].isna().all()
    assert found.set_index("building_id").loc["A", "gap_m2"] == 400


def test_shortfalls_per_target_and_none_without_one():
    roofs = five_buildings()
    found = shortfalls(roofs, members(roofs), load_pack("pinghu"))
    assert set(found["target_id"]) == {"pv_coverage_2025", "pv_coverage_2030"}
    assert shortfalls(roofs, members(roofs), load_pack("national")).empty


def test_capacity_against_the_national_target():
    roofs = five_buildings()
    roofs.loc[1, "status"] = "needs_survey"
    found = capacity_ledger(roofs, members(roofs), ONE_DISTRICT, load_pack("national"))
    rows = found[found["unit_id"] == "d1"].set_index("kind")
    # Layouts of 0.2 kWp/m²: 80, 240, 40, 16, 60; D and E hold more than that already: 20 and 60.
    assert rows.loc["installed", "capacity_kwp"] == 220
    assert rows.loc["potential", "capacity_kwp"] == pytest.approx(80 + 240 + 40 + 20 + 60)
    assert rows.loc["potential", "capacity_low_kwp"] == pytest.approx(80 + 100 + 40 + 20 + 60)
    assert rows.loc["installed", "share_of_target"] == pytest.approx(220 / 50e6)
    assert capacity_ledger(roofs, members(roofs), ONE_DISTRICT, load_pack("shanxi")).empty


def test_a_quota_district_excludes_its_zones():
    roofs = five_buildings()
    place = pd.concat([members(roofs, "320706"), members(roofs.iloc[[1]], "z", "zone", 0.5)])
    names = pd.DataFrame(
        [("320706", "海州区", "district"), ("z", "徐圩新区", "zone")], columns=["unit_id", "unit_name", "level"]
    )
    found = quota_table(roofs, place, names, load_pack("lianyungang"))
    retrofit = found[found["target_id"] == "retrofit_area"].set_index("name")
    assert retrofit.loc["海州", "value"] == 38
    # All five roofs are 4900 m²; half of B (2000) lies in the zone.
    assert retrofit.loc["海州", "gross_area_m2"] == 4900 - 1000
    assert retrofit.loc["徐圩新区", "gross_area_m2"] == 1000
    assert retrofit.loc["海州", "n_existing"] == 0
    assert retrofit.loc["海州", "n_year_unknown"] == 1
    assert pd.isna(retrofit.loc["东海", "gross_area_m2"])


def test_notices(lianyungang):
    roofs = five_buildings()
    roofs.loc[0, "existing_pv_kwp"] = 600.0
    found = coverage_notices(roofs, members(roofs), units(("d1", "district"), ("d2", "district")), lianyungang)
    counts = {notice.code: notice.count for notice in found}
    assert counts == {"membership_open": 2, "installed_exceeds_roof": 1, "district_empty": 1}
    bare = roofs.assign(existing_pv_kwp=np.nan)
    codes = [n.code for n in coverage_notices(bare, members(bare), ONE_DISTRICT, lianyungang)]
    assert codes == ["no_pv_inventory", "membership_open"]
    lost = table([*roofs.to_dict("records"), roof("lost", status="excluded", reasons=["no_irradiance"])])
    notice = coverage_notices(lost, members(lost), ONE_DISTRICT, lianyungang)[-1]
    assert (notice.code, notice.examples) == ("coverage_not_computed", ("lost",))
