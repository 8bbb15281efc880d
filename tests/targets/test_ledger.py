"""Buildings that fall short, capacity and quotas, and what a reader must know."""

import numpy as np
import pandas as pd
import pytest

from rooftop.targets import Stock, capacity_ledger, coverage_notices, load_pack, quota_table, shortfalls
from rooftop.targets.floors import floor_areas
from rooftop.targets.quotas import best_filling
from targets_example import five_buildings, in_one_district, members, pack_copy, roof, table, units

ONE_DISTRICT = units(("d1", "district"))


@pytest.fixture(scope="module")
def lianyungang(tmp_path_factory):
    return pack_copy(tmp_path_factory.mktemp("pack"))


def test_shortfalls_by_hand(lianyungang):
    # Half of the installable area, less what stands:  A 400 − 200, B 750 − 500, C 200 − 0; D has 100 of 100 it needs.
    roofs = five_buildings()
    found = shortfalls(in_one_district(roofs, lianyungang)).set_index("building_id")
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
    found = shortfalls(Stock.from_tables(roofs, members(roofs.iloc[:4]), ONE_DISTRICT, lianyungang)).set_index(
        "building_id"
    )
    assert found["attainable"].to_dict() == {"low": "no", "survey": "unknown", "coded": "yes"}
    assert found["membership"].to_dict() == {"low": "certain", "survey": "certain", "coded": "presumed"}


def test_shortfalls_without_an_inventory(lianyungang):
    roofs = five_buildings().assign(existing_pv_kwp=np.nan)
    found = shortfalls(in_one_district(roofs, lianyungang))
    assert found.empty and list(found.columns) == list(
        shortfalls(Stock.from_tables(five_buildings(), members(roofs), ONE_DISTRICT, lianyungang)).columns
    )


def test_a_building_with_a_refused_declaration_is_not_said_to_fall_short(lianyungang):
    roofs = five_buildings()
    named = set(shortfalls(in_one_district(roofs, lianyungang))["building_id"])
    assert "A" in named
    roofs.loc[0, "existing_pv_kwp"] = np.nan
    roofs.at[0, "reasons"] = ["existing_pv_impossible"]
    assert set(shortfalls(in_one_district(roofs, lianyungang))["building_id"]) == named - {"A"}


def test_shortfalls_per_target_and_none_without_one():
    roofs = five_buildings()
    found = shortfalls(in_one_district(roofs, load_pack("pinghu")))
    assert set(found["target_id"]) == {"pv_coverage_2025", "pv_coverage_2030"}
    assert shortfalls(in_one_district(roofs, load_pack("national"))).empty


def test_capacity_against_the_national_target():
    roofs = five_buildings()
    roofs.loc[1, "status"] = "needs_survey"
    found = capacity_ledger(in_one_district(roofs, load_pack("national")))
    rows = found[found["unit_id"] == "d1"].set_index("kind")
    # Layouts of 0.2 kWp/m²: 80, 240, 40, 16, 60; D and E hold more than that already: 20 and 60.
    assert rows.loc["installed", "capacity_kwp"] == 220
    assert rows.loc["potential", "capacity_kwp"] == pytest.approx(80 + 240 + 40 + 20 + 60)
    assert rows.loc["potential", "capacity_low_kwp"] == pytest.approx(80 + 100 + 40 + 20 + 60)
    assert rows.loc["installed", "share_of_target"] == pytest.approx(220 / 50e6)
    assert capacity_ledger(in_one_district(roofs, load_pack("shanxi"))).empty


def test_a_quota_district_excludes_its_zones():
    roofs = five_buildings()
    place = pd.concat([members(roofs, "320706"), members(roofs.iloc[[1]], "z", "zone", 0.5)])
    names = pd.DataFrame(
        [("320706", "海州区", "district"), ("z", "徐圩新区", "zone")], columns=["unit_id", "unit_name", "level"]
    )
    found = quota_table(Stock.from_tables(roofs, place, names, load_pack("lianyungang")))
    retrofit = found[found["target_id"] == "retrofit_area"].set_index("name")
    assert retrofit.loc["海州", "value"] == 38
    # All five roofs are 4900 m²; half of B (2000) lies in the zone.
    assert retrofit.loc["海州", "gross_area_m2"] == 4900 - 1000
    assert retrofit.loc["徐圩新区", "gross_area_m2"] == 1000
    assert retrofit.loc["海州", "n_existing"] == 0
    assert retrofit.loc["海州", "n_year_unknown"] == 1
    assert pd.isna(retrofit["gross_area_m2"].loc["东海"])


def test_notices(lianyungang):
    roofs = five_buildings()
    roofs.loc[0, "existing_pv_kwp"] = 600.0
    found = coverage_notices(
        Stock.from_tables(roofs, members(roofs), units(("d1", "district"), ("d2", "district")), lianyungang)
    )
    counts = {notice.code: notice.count for notice in found}
    assert counts == {"membership_open": 2, "installed_exceeds_roof": 1, "district_empty": 1}
    bare = roofs.assign(existing_pv_kwp=np.nan)
    codes = [n.code for n in coverage_notices(in_one_district(bare, lianyungang))]
    assert codes == ["no_pv_inventory", "membership_open"]
    lost = table([*roofs.to_dict("records"), roof("lost", status="excluded", reasons=["no_irradiance"])])
    notice = coverage_notices(in_one_district(lost, lianyungang))[-1]
    assert (notice.code, notice.examples) == ("coverage_not_computed", ("lost",))


# --- retrofit overlay, by hand ---------------------------------------------------------------------------------------


def stock():
    """Four buildings of a district with a quota; floor area = footprint × floors; capacity 0.2 kWp per m² of module."""
    return table(
        [
            # 1000 m², 2 floors: 2000 m² of floor; 80 kWp of which 30 stand: 50 to add, 25 W per m² of floor.
            roof("low", (1000, 800, 700, 600, 500, 400), building_use="office", year_built=2005, floors_above=2,
                 roof_type="flat_concrete", existing_pv_kwp=30.0, annual_kwh=88_000.0),
            # 500 m², 10 floors: 5000 m²; 20 kWp: 4 W per m².
            roof("tower", (500, 400, 300, 200, 150, 100), building_use="residential", year_built=1999, floors_above=10,
                 roof_type="flat_concrete", existing_pv_kwp=0.0, annual_kwh=20_000.0),
            # No floors, 16 m high factory: 16 / 8 = 2 floors, 4000 m²; 120 kWp: 30 W per m², to survey.
            roof("hall", (2000, 1600, 1500, 1200, 900, 600), building_use="factory", year_built=2010, height_m=16.0,
                 roof_type="flat_concrete", status="needs_survey", annual_kwh=120_000.0),
            # Year unknown, 1 floor: 1000 m², 100 kWp: 100 W per m².
            roof("undated", (1000, 900, 800, 700, 600, 500), building_use="school", floors_above=1,
                 roof_type="flat_concrete", annual_kwh=110_000.0),
        ]
    )  # fmt: skip


def quota_pack(folder, value=0.5):
    """A quota of `value` 万m² for 海州 and one other unit."""

    def change(data):
        for target in data["targets"]:
            if target["id"] == "retrofit_area":
                target["value"] = value + 1
                target["districts"] = [
                    {"name": "海州", "unit_id": "320706", "level": "district", "value": value},
                    {"name": "东海", "unit_id": "320722", "level": "district", "value": 1},
                ]

    return pack_copy(folder, change=change)


def haizhou(roofs, pack):
    names = pd.DataFrame([("320706", "海州区", "district")], columns=["unit_id", "unit_name", "level"])
    found = quota_table(Stock.from_tables(roofs, members(roofs, "320706"), names, pack))
    return found[(found["target_id"] == "retrofit_area") & (found["name"] == "海州")].iloc[0]


def test_the_best_roofs_fill_a_quota(tmp_path):
    # Quota 5000 m². Stock: 2000 + 5000 + 4000 = 11 000, with the undated one 12 000.
    row = haizhou(stock(), quota_pack(tmp_path))
    assert (row["quota_m2"], row["n_stock"], row["n_year_unknown"], row["n_floors_assumed"]) == (5000, 3, 1, 1)
    assert (row["stock_area_m2"], row["stock_area_high_m2"]) == (11_000, 12_000)
    assert row["quota_share"] == 5000 / 11_000
    # Best first: hall (4000 m², 120 kWp), then half of low (1000 of 2000 m²: 25 of 50 kWp).
    assert row["n_filled"] == 2
    assert row["added_kwp"] == pytest.approx(120 + 25, rel=1e-12)
    assert row["filled_roof_m2"] == pytest.approx(2000 + 500, rel=1e-12)
    # Energy by each roof's own yield: hall 1000 h, low 1100 h.
    assert row["added_kwh"] == pytest.approx(120 * 1000 + 25 * 1100, rel=1e-12)
    # Low: the hall fails its survey: low whole (50), then 3000 of 5000 m² of the tower (12).
    assert row["added_low_kwp"] == pytest.approx(50 + 12, rel=1e-12)
    # High: the undated one is existing after all: 100 for 1000 m², then the hall whole.
    assert row["added_high_kwp"] == pytest.approx(100 + 120, rel=1e-12)
    # Without looking at roofs: 5/11 of 190 kWp.
    assert row["added_mean_kwp"] == pytest.approx(190 * 5 / 11, rel=1e-12)


@pytest.mark.parametrize(
    ("meant", "inside"), [("existing", [True, False, False, False]), ("new", [False, True, True, False])]
)
def test_the_stock_of_a_quota_ends_where_the_period_begins(tmp_path, meant, inside):
    def change(data):
        target = next(t for t in data["targets"] if t["id"] == "retrofit_area")
        target |= {"stock": meant, "unit": "亿m²", "value": 0.0001}
        target["districts"] = [{"name": "海州", "unit_id": "320706", "level": "district", "value": 0.0001}]

    # 2021-2025: floor areas of 1000, 2000, 4000 and 8000 m² tell which years count.
    years = [2020, 2021, 2025, 2026]
    roofs = table(
        [roof(str(y), (1000 * 2**k, 0, 0, 0, 0, 0), year_built=y, floors_above=1) for k, y in enumerate(years)]
    )
    row = haizhou(roofs, pack_copy(tmp_path, change=change))
    assert row["quota_m2"] == 10_000
    assert row["stock_area_m2"] == sum(1000 * 2**k for k, counts in enumerate(inside) if counts)
    assert (row["n_stock"], row["n_existing"]) == (sum(inside), 1)


def test_a_quota_larger_than_the_stock_takes_everything_once(tmp_path):
    row = haizhou(stock(), quota_pack(tmp_path, value=2))
    assert row["quota_share"] > 1
    assert row["added_kwp"] == row["added_mean_kwp"] == pytest.approx(190, rel=1e-12)


def test_the_filling_is_the_best_of_all_choices():
    rng = np.random.default_rng(3)
    for _ in range(20):
        area, kwp = rng.uniform(1, 10, 8), rng.uniform(0, 5, 8)
        quota = rng.uniform(0, area.sum())
        whole = [(np.array(list(np.binary_repr(k, 8)), dtype=int) == 1) for k in range(256)]
        best = max(kwp[w].sum() for w in whole if area[w].sum() <= quota)
        share = best_filling(area, kwp, quota).share
        assert (share * area).sum() <= quota * (1 + 1e-12)
        assert (share * kwp).sum() >= best - 1e-12
        assert ((share > 0) & (share < 1)).sum() <= 1


def test_storeys_follow_from_height_and_use_and_pitch_from_the_roof():
    rows = table(
        [
            roof("flat", (100, 0, 0, 0, 0, 0), building_use="residential", height_m=17.4, roof_type="flat_concrete"),
            roof("tiled", (100, 0, 0, 0, 0, 0), building_use="rural_house", height_m=6.4, roof_type="tile_pitched"),
            roof("hut", (100, 0, 0, 0, 0, 0), building_use="factory", height_m=3.0),
            roof("bare", (100, 0, 0, 0, 0, 0)),
            roof("stated", (100, 0, 0, 0, 0, 0), height_m=60.0, floors_above=3),
        ]
    )
    found = floor_areas(rows)
    # 17.4/2.9 = 6; 6.4/3.2 = 2 on a footprint of 100·cos 25°; at least one storey; nothing known; the count wins.
    expected = [600, 200 * np.cos(np.deg2rad(25)), 100, np.nan, 300]
    np.testing.assert_allclose(found.area_m2, expected, rtol=1e-12)
    assert found.assumed.tolist() == [True, True, True, True, False]
    # A measured roof covers what its planes cover, whatever pitch its type usually has.
    known = floor_areas(rows.assign(footprint_area_m2=[70.0, 99.0, 50.0, 80.0, 60.0]))
    np.testing.assert_allclose(known.area_m2, [420, 198, 50, np.nan, 180], rtol=1e-12)


def test_whole_county_shares_as_capacity():
    roofs = five_buildings()
    roofs["annual_kwh"] = roofs["capacity_kwp"] * 1000.0
    found = capacity_ledger(in_one_district(roofs, load_pack("whole_county")))
    rows = found[(found["unit_id"] == "d1") & (found["target_id"] == "business_share")].set_index("kind")
    # B and C: gross 2400, installable 1900, 280 kWp. 30 % of 2400 is 720 m² at 280/1900 kWp per m².
    asked = 0.3 * 2400 * 280 / 1900
    assert rows.loc["potential", "target_kwp"] == pytest.approx(asked, rel=1e-12)
    assert rows.loc["potential", "capacity_kwp"] == pytest.approx(280)
    assert rows.loc["potential", "share_of_target"] == pytest.approx((1900 / 2400) / 0.3, rel=1e-12)
    assert rows.loc["installed", "capacity_kwp"] == 100
    assert rows.loc["installed", "annual_kwh"] == pytest.approx(100 * 1000)
    assert (rows["n_buildings"] == 2).all()
    assert (rows["n_unknown"] == 1).all()  # D may be a private office
    bare = capacity_ledger(
        Stock.from_tables(roofs.assign(existing_pv_kwp=np.nan), members(roofs), ONE_DISTRICT, load_pack("whole_county"))
    )
    assert bare.loc[bare["kind"] == "installed", ["capacity_kwp", "share_of_target", "annual_kwh"]].isna().all().all()


def test_a_presumed_class_counts_in_the_capacity_but_not_in_its_lower_bound():
    roofs = five_buildings()
    sure, presumed = (
        capacity_ledger(Stock.from_tables(changed, members(roofs), ONE_DISTRICT, load_pack("whole_county")))
        .query("unit_id == 'd1' and target_id == 'public_building_share' and kind == 'potential'")
        .iloc[0]
        for changed in (roofs, roofs.assign(use_source=["code:GHYT", None, None, None, None]))
    )
    # A's 80 kWp; code 40 may be a school, a hospital or an office.
    assert sure["capacity_kwp"] == sure["capacity_low_kwp"] == presumed["capacity_kwp"] == pytest.approx(80)
    assert presumed["capacity_low_kwp"] == 0
