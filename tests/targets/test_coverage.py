"""Coverage against numbers worked out by hand, and against every world that the unknowns allow."""

from itertools import product

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rooftop.core.errors import ComputeError
from rooftop.tables import COVERAGE
from rooftop.targets import Stock, coverage_table, list_packs, load_pack
from targets_example import AREAS, five_buildings, in_one_district, members, one, pack_copy, pick, roof, table, units

ONE_DISTRICT = units(("d1", "district"))

# Five buildings (areas in m²: gross net installable | used array module of the whole roof, existing PV):
#   A school of a public institution, 2022:  1000  800  800 |  600  500  400,  40 kWp
#   B factory, 2023:                         2000 1600 1500 | 1500 1200 1200, 100 kWp
#   C factory, year unknown:                  400  400  400 |  400  300  200
#   D office, public or not unknown, 2024:    500  400  200 |  160  100   80,  20 kWp
#   E residential, 2023: never in scope
# Known members: A, B. May belong: C (year), D (class).
# Existing PV at 200 W/m² is 5 m² per kWp of module; array and used by each roof's own ratios:
#   A 200, ·500/400 = 250, ·600/400 = 300;  B 500, ·1200/1200 = 500, ·1500/1200 = 625;
#   C 0;  D 100, ·100/80 = 125; D has no room for new modules that would say how much more its zone takes: 125.
# Installed, sums of A and B:  module 700, array 750, used 925;  gross 3000, net 2400, installable 2300.
# With C: +0 over +400 each.  With D: +100, +125, +125 over +500, +400, +200.
INSTALLED = {
    # (numerator, denominator): central, low, high; the four worlds are {}, {D}, {C}, {C, D}
    ("module", "gross"): (700 / 3000, 800 / 3900, 700 / 3000),  # .2333 .2286 .2059 .2051
    ("module", "net"): (700 / 2400, 700 / 2800, 700 / 2400),  # .2917 .2857 .2500 .2500
    ("module", "installable"): (700 / 2300, 700 / 2700, 800 / 2500),  # .3043 .3200 .2593 .2759
    ("array", "gross"): (750 / 3000, 750 / 3400, 750 / 3000),  # .2500 .2500 .2206 .2244
    ("array", "net"): (750 / 2400, 750 / 2800, 750 / 2400),  # .3125 .3125 .2679 .2734
    ("array", "installable"): (750 / 2300, 750 / 2700, 875 / 2500),  # .3261 .3500 .2778 .3017
    ("used", "gross"): (925 / 3000, 1050 / 3900, 925 / 3000),  # .3083 .3000 .2721 .2692
    ("used", "net"): (925 / 2400, 1050 / 3200, 925 / 2400),  # .3854 .3750 .3304 .3281
    ("used", "installable"): (925 / 2300, 925 / 2700, 1050 / 2500),  # .4022 .4200 .3426 .3621
}
# Potential: what stands and the new modules beside it, together the whole roof's (D: what stands, 100, 125, 125).
# A and B: module 400+1200, array 500+1200, used 600+1500.  C adds 200, 300, 400;  D adds 100, 125, 125.
POTENTIAL = {
    ("module", "gross"): (1600 / 3000, 1700 / 3500, 1600 / 3000),  # .5333 .4857 .5294 .4872
    ("module", "net"): (1600 / 2400, 1900 / 3200, 1600 / 2400),  # .6667 .6071 .6429 .5938
    ("module", "installable"): (1600 / 2300, 1900 / 2900, 1600 / 2300),  # .6957 .6800 .6667 .6552
    ("array", "gross"): (1700 / 3000, 1825 / 3500, 2000 / 3400),  # .5667 .5214 .5882 .5449
    ("array", "net"): (1700 / 2400, 1825 / 2800, 2000 / 2800),  # .7083 .6518 .7143 .6641
    ("array", "installable"): (1700 / 2300, 1825 / 2500, 2000 / 2700),  # .7391 .7300 .7407 .7328
    ("used", "gross"): (2100 / 3000, 2225 / 3500, 2500 / 3400),  # .7000 .6357 .7353 .6731
    ("used", "net"): (2100 / 2400, 2225 / 2800, 2500 / 2800),  # .8750 .7946 .8929 .8203
    ("used", "installable"): (2100 / 2300, 2225 / 2500, 2500 / 2700),  # .9130 .8900 .9259 .9052
}


@pytest.fixture(scope="module")
def lianyungang(tmp_path_factory):
    return pack_copy(tmp_path_factory.mktemp("pack"))


@pytest.fixture(scope="module")
def result(lianyungang):
    roofs = five_buildings()
    return coverage_table(in_one_district(roofs, lianyungang))


@pytest.mark.parametrize(("kind", "expected"), [("installed", INSTALLED), ("potential", POTENTIAL)])
def test_nine_definitions_to_the_last_digit(result, kind, expected):
    for (top, bottom), values in expected.items():
        row = one(result, kind=kind, numerator=top, denominator=bottom)
        assert (row["coverage"], row["coverage_low"], row["coverage_high"]) == values, (top, bottom)
        assert row["n_buildings"] == 2
        assert row["n_unknown"] == 2
        assert row["n_needs_survey"] == 0


def test_groups_are_counted_apart_and_once_together(result):
    # Public institutions: A, perhaps D: 200/800 = .25, with D 300/1000 = .3. Factories: B, perhaps C.
    public = one(result, building_group="public_institution")
    factory = one(result, building_group="factory")
    assert (public["coverage"], public["coverage_low"], public["coverage_high"]) == (0.25, 0.25, 0.3)
    assert (factory["coverage"], factory["coverage_low"], factory["coverage_high"]) == (
        500 / 1500,
        500 / 1900,
        500 / 1500,
    )
    both = one(result)
    assert both["numerator_m2"] == public["numerator_m2"] + factory["numerator_m2"] == 700
    assert both["denominator_m2"] == public["denominator_m2"] + factory["denominator_m2"] == 2300


def test_a_building_of_both_groups_counts_once(lianyungang):
    roofs = five_buildings()
    roofs.loc[1, "is_public_institution"] = "yes"
    result = coverage_table(in_one_district(roofs, lianyungang))
    assert one(result, building_group="public_institution")["n_buildings"] == 2
    assert one(result, building_group="factory")["n_buildings"] == 1
    assert one(result)["n_buildings"] == 2
    assert one(result)["denominator_m2"] == 2300


def test_gap_in_area_capacity_and_roofs(result):
    # 50 % of 2300 m² is 1150 m²; 700 stand: 450 m² are missing. All layouts carry 0.2 kWp/m²: 90 kWp.
    # Roofs that are or may be in scope have room for 40, 140, 40, 0 kWp more, median 40: three roofs.
    row = one(result)
    assert row["gap_m2"] == 450
    assert row["gap_kwp"] == pytest.approx(90, rel=1e-12)
    assert row["gap_roofs"] == 3
    # Array: 1150 − 750 = 400 m². New: (40+140+40) kWp over (250+700+300) m² of array.
    assert one(result, numerator="array")["gap_kwp"] == pytest.approx(400 * 220 / 1250, rel=1e-12)
    assert one(result, kind="potential")["gap_m2"] == 0


def test_attained_follows_the_bounds(tmp_path):
    roofs = five_buildings()
    outcome = {}
    for value in (0.25, 0.30, 0.33):

        def change(data, value=value):
            data["targets"][0]["value"] = value

        pack = pack_copy(tmp_path, change=change)
        outcome[value] = one(coverage_table(in_one_district(roofs, pack)))["attained"]
    # Bounds of the front row: .2593 … .32
    assert outcome == {0.25: "yes", 0.30: "unknown", 0.33: "no"}


def test_planned_counts_the_selection_and_what_stands(lianyungang):
    roofs = five_buildings()
    chosen = pd.Series([True, False, False, False, True], index=roofs.index)
    result = coverage_table(in_one_district(roofs, lianyungang), planned=chosen)
    # A is selected: 400 instead of 200; B keeps its 500.
    assert one(result, kind="planned")["numerator_m2"] == 900
    with pytest.raises(ComputeError, match="aligned"):
        coverage_table(in_one_district(roofs, lianyungang), planned=chosen.iloc[:3])


def test_no_planned_rows_without_a_selection(result):
    assert set(result["kind"]) == {"installed", "potential"}


def test_share_of_buildings(result):
    # Installed module over installable: A 200/800 = .25, B 500/1500 = .33, C 0, D 100/200 = .5 reaches 50 %.
    # Known: none of two. With D in: one of three. Every building must reach it.
    row = one(result, aggregation="share_of_buildings")
    assert (row["coverage"], row["coverage_low"], row["coverage_high"]) == (0.0, 0.0, 1 / 3)
    assert row["attained"] == "no"
    assert row["gap_m2"] == (400 - 200) + (750 - 500)
    assert pd.isna(row["numerator_m2"])
    # Potential: A .5 and B .8 reach it, C .5, D .5 (what stands): all in every world.
    potential = one(result, aggregation="share_of_buildings", kind="potential")
    assert (potential["coverage_low"], potential["coverage"], potential["attained"]) == (1.0, 1.0, "yes")


def test_share_of_buildings_with_a_required_share(tmp_path):
    def change(data):
        data["coverage"][0]["aggregation"]["required_share"] = 0.5

    roofs = five_buildings()
    result = coverage_table(in_one_district(roofs, pack_copy(tmp_path, change=change)))
    # One of A (200 m² short) and B (250 m² short) is enough: the nearer one.
    assert one(result, aggregation="share_of_buildings")["gap_m2"] == 200


def test_both_readings_of_liaocheng(tmp_path):
    roofs = five_buildings()
    result = coverage_table(in_one_district(roofs, pack_copy(tmp_path, "liaocheng")))
    both = one(result, scope_reading="new_governs_both")
    assert both["is_default"]
    assert both["coverage"] == 700 / 2300
    # Factories of any age: C is certain, D alone is open: 700/2700, with D 800/2900.
    other = one(result, scope_reading="new_governs_public_only")
    assert not other["is_default"]
    assert other["n_buildings"] == 3
    assert other["n_unknown"] == 1
    assert (other["coverage"], other["coverage_low"], other["coverage_high"]) == (700 / 2700, 700 / 2700, 800 / 2900)


def test_single_years(result):
    # 2022: A; C may be of 2022. 2023: B, perhaps C. 2024: perhaps C, D.
    assert one(result, cohort="2022")["coverage"] == 200 / 800
    assert one(result, cohort="2023")["coverage"] == 500 / 1500
    row = one(result, cohort="2024")
    assert row["n_buildings"] == 0
    assert row["n_unknown"] == 2
    assert pd.isna(row["coverage"])
    assert (row["coverage_low"], row["coverage_high"], row["attained"]) == (0.0, 0.5, "unknown")
    # Potential: C .5, D 100/200 = .5 in every world that has one of them, but there may be none: no verdict.
    row = one(result, cohort="2024", kind="potential")
    assert (row["coverage_low"], row["coverage_high"], row["attained"]) == (0.5, 0.5, "unknown")
    assert not result.loc[result["cohort"] == "2022", "is_default"].any()


def test_needs_survey_counts_centrally_and_not_in_the_bound(lianyungang):
    roofs = five_buildings().iloc[:2].copy()
    roofs.loc[1, "status"] = "needs_survey"
    result = coverage_table(in_one_district(roofs, lianyungang))
    # If no more can be installed on B, its existing 500 m² of module stay, on the 625 m² that they use.
    # Potential module over gross: 1600/3000 or (400+500)/3000.
    row = one(result, kind="potential", denominator="gross")
    assert (row["coverage"], row["coverage_low"], row["coverage_high"]) == (1600 / 3000, 900 / 3000, 1600 / 3000)
    # Over installable: 1600/2300 = .696 or 900/(800+625) = .632. Installed: 700/2300 or 700/1425.
    row = one(result, kind="potential")
    assert (row["coverage_low"], row["coverage_high"]) == (900 / 1425, 1600 / 2300)
    row = one(result)
    assert (row["coverage_low"], row["coverage_high"], row["n_needs_survey"]) == (700 / 2300, 700 / 1425, 1)


def test_needs_survey_without_pv_counts_for_nothing_in_the_low_bound(lianyungang):
    roofs = five_buildings(pv=(40.0, 0.0, None, 20.0, 60.0)).iloc[:2].copy()
    roofs.loc[1, "status"] = "needs_survey"
    result = coverage_table(in_one_district(roofs, lianyungang))
    assert one(result, kind="potential", denominator="gross")["coverage_low"] == 400 / 3000
    assert one(result, kind="potential")["coverage_low"] == 400 / 800


def test_a_plan_never_lowers_what_stands(lianyungang):
    roofs = five_buildings().assign(status="needs_survey")
    nothing = pd.Series(False, index=roofs.index)
    result = coverage_table(in_one_district(roofs, lianyungang), planned=nothing)
    columns = ["coverage", "coverage_low", "coverage_high"]
    installed = pick(result, numerator=None, denominator=None)[columns].to_numpy(dtype=float)
    planned = pick(result, kind="planned", numerator=None, denominator=None)[columns].to_numpy(dtype=float)
    np.testing.assert_array_equal(installed, planned)


def test_a_presumed_use_decides_the_central_value_not_the_bounds(lianyungang):
    roofs = five_buildings().iloc[:2].copy()
    roofs.loc[1, "use_source"] = "code:GHYT"  # 20: factory, warehouse or transport
    row = one(coverage_table(in_one_district(roofs, lianyungang)))
    # With B 700/2300, without it 200/800.
    assert (row["coverage"], row["coverage_low"], row["coverage_high"]) == (700 / 2300, 200 / 800, 700 / 2300)
    assert (row["n_buildings"], row["n_unknown"]) == (2, 1)


def test_installed_above_one_is_shown_and_stays_out_of_potential(lianyungang):
    # 600 kW on 150 m², as a plan declares: 3000 m² of module.
    roofs = table([roof("H", (150, 120, 100, 80, 60, 50), building_use="hospital", is_public_institution="yes",
                        year_built=2024, existing_pv_kwp=600.0)])  # fmt: skip
    result = coverage_table(in_one_district(roofs, lianyungang))
    assert one(result)["coverage"] == 30.0
    assert one(result)["gap_m2"] == 0
    potential = pick(result, kind="potential", numerator=None, denominator=None)
    assert (potential["coverage"] <= 1.0).all()


def test_existing_pv_is_not_counted_twice(lianyungang):
    # B holds 1200 m² whether 500 m² of it stand already or all is new.
    roofs = five_buildings().iloc[[1]]
    without = five_buildings(pv=(0.0,) * 5).iloc[[1]]
    assert [float(frame["module_area_m2"].sum()) for frame in (roofs, without)] == pytest.approx([700.0, 1200.0])
    for frame in (roofs, without):
        result = coverage_table(in_one_district(frame, lianyungang))
        assert one(result, kind="potential")["numerator_m2"] == pytest.approx(1200)


def test_without_inventory_installed_is_not_known(lianyungang):
    roofs = five_buildings(pv=(None,) * 5)
    result = coverage_table(in_one_district(roofs, lianyungang))
    row, potential = one(result), one(result, kind="potential")
    assert pd.isna(row["coverage"]) and pd.isna(row["numerator_m2"]) and pd.isna(row["gap_m2"])
    assert row["attained"] == "unknown"
    # Anything between nothing and all that fits may stand: the denominator is known.
    assert row["coverage_low"] == 0.0 and row["coverage_high"] == pytest.approx(potential["coverage_high"])
    assert row["denominator_m2"] == potential["denominator_m2"]
    assert row["n_buildings"] == 2
    assert potential["attained"] == "yes"
    chosen = pd.Series([True, *[False] * 4], index=roofs.index)
    planned = one(coverage_table(in_one_district(roofs, lianyungang), planned=chosen), kind="planned")
    assert pd.isna(planned["coverage"]) and 0.0 < planned["coverage_low"] < planned["coverage_high"]


def test_a_refused_declaration_opens_the_bounds_and_nothing_else(lianyungang):
    known = five_buildings(pv=(0.0, 100.0, 0.0, 0.0, 0.0))
    refused = known.copy()
    refused.loc[0, "existing_pv_kwp"] = np.nan
    refused.at[0, "reasons"] = ["existing_pv_impossible"]
    before, after = (one(coverage_table(in_one_district(r, lianyungang))) for r in (known, refused))
    assert after["coverage"] == before["coverage"] and after["coverage_low"] <= before["coverage_low"]
    assert after["coverage_high"] > before["coverage_high"]
    full = one(coverage_table(in_one_district(refused, lianyungang)), kind="potential")
    assert after["coverage_high"] <= full["coverage_high"] + 1e-12


def test_district_without_buildings_is_a_row_of_nulls(lianyungang):
    roofs = five_buildings()
    both = units(("d1", "district"), ("d2", "district"))
    row = one(coverage_table(Stock.from_tables(roofs, members(roofs), both, lianyungang)), unit_id="d2")
    assert (row["n_buildings"], row["denominator_m2"]) == (0, 0)
    assert row[["coverage", "coverage_low", "coverage_high", "gap_m2", "gap_kwp", "attained"]].isna().all()


def test_no_roofs_at_all(lianyungang):
    roofs = five_buildings().iloc[:0]
    result = coverage_table(in_one_district(roofs, lianyungang))
    assert set(result["unit_id"]) == {"city", "d1"}
    assert result["coverage"].isna().all()


def test_excluded_rows(lianyungang):
    base = five_buildings().iloc[[1]]
    spare = roof("X", (800, 600, 0, 0, 0, 0), building_use="factory", year_built=2023, status="excluded")
    with_low = pd.concat([base, table([spare | {"reasons": ["too_low"]}])], ignore_index=True)
    twice = pd.concat([base, table([spare | {"reasons": ["duplicate_geometry"]}])], ignore_index=True)
    failed = pd.concat([base, table([spare | {"reasons": ["tile_failed", "no_room"]}])], ignore_index=True)
    barracks = pd.concat([base, table([spare | {"status": "ok", "building_use": "military"}])], ignore_index=True)
    gross = [
        one(coverage_table(in_one_district(r, lianyungang)), denominator="gross")["denominator_m2"]
        for r in (with_low, twice, failed, barracks)
    ]
    assert gross == [2800, 2000, 2000, 2000]


def test_zones_never_add_into_the_city(lianyungang):
    roofs = five_buildings()
    inside = members(roofs)
    half = members(roofs.iloc[:2], "z1", "zone", 0.5)
    everything = coverage_table(
        Stock.from_tables(roofs, pd.concat([inside, half]), units(("d1", "district"), ("z1", "zone")), lianyungang)
    )
    plain = coverage_table(Stock.from_tables(roofs, inside, ONE_DISTRICT, lianyungang))
    for unit in ("city", "d1"):
        pd.testing.assert_frame_equal(
            everything[everything["unit_id"] == unit].reset_index(drop=True),
            plain[plain["unit_id"] == unit].reset_index(drop=True),
        )
    zone = one(everything, unit_id="z1")
    assert (zone["numerator_m2"], zone["denominator_m2"], zone["n_buildings"]) == (350, 1150, 2)


def test_the_city_is_its_districts(lianyungang):
    roofs = five_buildings()
    split = pd.concat([members(roofs.iloc[:1], "d1"), members(roofs.iloc[1:3], "d2")])  # D and E lie in no district
    result = coverage_table(
        Stock.from_tables(roofs, split, units(("c", "city"), ("d1", "district"), ("d2", "district")), lianyungang)
    )
    parts = [one(result, unit_id=unit)["numerator_m2"] for unit in ("d1", "d2")]
    city = one(result, unit_id="c")
    assert city["unit_name"] == "c name"
    assert city["numerator_m2"] == sum(parts) == 700
    assert city["n_unknown"] == 1


def test_one_front_row_per_unit_target_and_kind(result, tmp_path):
    roofs = five_buildings()
    others = [coverage_table(in_one_district(roofs, pack_copy(tmp_path, name))) for name in list_packs()]
    for frame in (result, *others):
        front = frame[frame["is_default"]]
        keys = ["unit_id", "target_id", "kind"]
        expected = frame[keys].drop_duplicates()
        assert len(front) == len(front[keys].drop_duplicates()) == len(expected) > 0


def test_every_combination_is_there_once(result):
    keys = ["unit_id", "level", "target_id", "kind", "scope_reading", "cohort", "aggregation", "building_group",
            "numerator", "denominator"]  # fmt: skip
    # 2 units × 2 kinds × 1 reading × 6 cohorts × 2 aggregations × 3 groups × 9 definitions
    assert len(result) == 2 * 2 * 6 * 2 * 3 * 9
    assert not result.duplicated(keys).any()
    assert list(result.columns[: len(COVERAGE.names)]) == COVERAGE.names
    assert result["unit_id"].drop_duplicates().tolist() == ["city", "d1"]
    first = result[result["unit_id"] == "city"].iloc[0]
    assert (first["kind"], first["cohort"], first["aggregation"]) == ("installed", "2021-2025", "pooled")


def test_a_changed_definition_changes_the_front_row(tmp_path):
    def change(data):
        data["coverage"][0]["groups"][2]["default"] = {"numerator": "array", "denominator": "gross"}
        data["coverage"][0]["targets"][0]["cohort"] = {"start": 2023, "end": 2025}

    roofs = five_buildings()
    result = coverage_table(in_one_district(roofs, pack_copy(tmp_path, change=change)))
    front = result[result["is_default"] & (result["unit_id"] == "d1") & (result["kind"] == "installed")]
    # From 2023 on only B is known to belong: array 500 over gross 2000.
    assert front["coverage"].tolist() == [0.25]
    assert front["cohort"].tolist() == ["2023-2025"]


def test_packs_without_a_coverage_target_show_it_without_a_verdict():
    roofs = five_buildings()
    for name in ("shanxi", "national"):
        result = coverage_table(in_one_district(roofs, load_pack(name)))
        assert result["target_id"].isna().all()
        assert result[["target", "year", "gap_m2", "attained"]].isna().all().all()
        # 900 m² new beside 140 kWp at the shipped 214 W/m².
        expected = (900 + 140_000 / 214) / 2300
        assert one(result, kind="potential")["coverage"] == pytest.approx(expected, rel=1e-12)


def test_whole_county_pilot_is_installable_over_gross():
    roofs = five_buildings()
    result = coverage_table(in_one_district(roofs, load_pack("whole_county")))
    assert set(result["kind"]) == {"potential"}
    row = one(result, kind=None, cohort="all", building_group="business", numerator=None, denominator=None)
    # B and C are factories, whatever their age: 1900 of 2400 m². D may be a private office: with it 2100 of 2900.
    assert (row["coverage"], row["coverage_low"], row["coverage_high"]) == (1900 / 2400, 2100 / 2900, 1900 / 2400)
    assert row["attained"] == "yes"


# --- every world that the unknowns allow ---------------------------------------------------------------------------

USES = ("factory", "school", "residential", "unknown", "mixed")
NUMBERS = st.sampled_from([0.0, 1.0, 4.0, 10.0, 30.0])


@st.composite
def _small_district(draw):
    rows = []
    for k in range(draw(st.integers(1, 4))):
        parts = sorted((draw(NUMBERS) for _ in range(6)), reverse=True)
        rows.append(
            roof(f"b{k}", parts, building_use=draw(st.sampled_from(USES)),
                 is_public_institution=draw(st.sampled_from(["yes", "no", "unknown"])),
                 year_built=draw(st.sampled_from([2023, 2010, None])),
                 status=draw(st.sampled_from(["ok", "ok", "needs_survey"])),
                 existing_pv_kwp=draw(st.sampled_from([0.0, 0.4, 2.0])))
        )  # fmt: skip
    return table(rows)


def _worlds_of(row):
    """What one building may be: (in scope, installable), from first principles."""
    use, public = row["building_use"], row["is_public_institution"]
    uses = {"unknown": ("factory", "school", "residential"), "mixed": ("mixed", "factory")}.get(use, (use,))
    never = ("factory", "residential")
    inside = set()
    for u, p, new in product(uses, ("yes", "no"), (True, False)):
        stated = public != "unknown"
        if stated and p != public:
            continue
        if not stated and p == "yes" and u in never:
            continue
        if stated and p == "yes" and u in never and u != use:
            continue
        if not pd.isna(row["year_built"]) and new != (row["year_built"] >= 2021):
            continue
        inside.add(new and (p == "yes" or u == "factory"))
    return list(product(inside, (True, False) if row["status"] == "needs_survey" else (True,)))


def _adds(row, kind, top, bottom, installable):
    face, array = row["existing_pv_kwp"] * 5.0, row["existing_pv_area_m2"]
    more = row["used_area_m2"] / row["array_area_m2"] if row["array_area_m2"] else 1.0
    standing = {"module": face, "array": array, "used": array * more}
    roof_area = row["installable_area_m2"]
    within = min(standing[top], roof_area)
    d = row[f"{bottom}_area_m2"]
    if bottom == "installable" and not installable:
        d = min(standing["used"], roof_area)
    if kind == "installed":
        return standing[top], d
    room = max(roof_area - row["used_area_m2"], 0.0)
    return (max(row[f"{top}_area_m2"] + min(within, room), within) if installable else within), d


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(roofs=_small_district())
def test_bounds_are_those_of_every_possible_world(roofs, small_pack):
    nine = _front_nine(roofs, small_pack)
    rows = [row for _, row in roofs.iterrows()]
    worlds = list(product(*(_worlds_of(row) for row in rows)))
    for kind, top, bottom in product(("installed", "potential"), ("module", "used"), ("gross", "installable")):
        adds = [{ok: _adds(row, kind, top, bottom, ok) for ok in (True, False)} for row in rows]
        ratios = []
        for world in worlds:
            parts = [add[ok] for add, (inside, ok) in zip(adds, world, strict=True) if inside]
            n, d = sum(p[0] for p in parts), sum(p[1] for p in parts)
            if d > 0:
                ratios.append(n / d)
        found = nine[kind, top, bottom]
        expected = (min(ratios), max(ratios)) if ratios else (np.nan, np.nan)
        np.testing.assert_allclose((found.coverage_low, found.coverage_high), expected, rtol=1e-12)
        if not pd.isna(found.coverage):
            assert found.coverage_low <= found.coverage <= found.coverage_high


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(roofs=_small_district())
def test_nine_numbers_are_monotone(roofs, small_pack):
    nine = _front_nine(roofs, small_pack)
    for kind in ("installed", "potential"):
        tops = [nine[kind, name, "gross"].numerator_m2 for name in ("module", "array", "used")]
        bottoms = [nine[kind, "module", name].denominator_m2 for name in ("gross", "net", "installable")]
        assert tops[0] <= tops[1] + 1e-9
        assert tops[1] <= tops[2] + 1e-9
        assert bottoms == sorted(bottoms, reverse=True)
    potential = [row.coverage for key, row in nine.items() if key[0] == "potential" and not pd.isna(row.coverage)]
    assert all(share <= 1.0 + 1e-12 for share in potential)


def _front_nine(roofs, pack):
    result = coverage_table(in_one_district(roofs, pack))
    rows = pick(result, kind=None, numerator=None, denominator=None).itertuples()
    return {(row.kind, row.numerator, row.denominator): row for row in rows}


@pytest.fixture(scope="module")
def small_pack(tmp_path_factory):
    """The Lianyungang pack with one cohort and one aggregation."""

    def change(data):
        data["coverage"][0]["targets"][0]["single_years"] = []
        data["coverage"][0]["aggregation"]["evaluated"] = ["pooled"]

    return pack_copy(tmp_path_factory.mktemp("small"), change=change)


def test_order_of_rows_does_not_matter(lianyungang):
    roofs = five_buildings()
    first = coverage_table(in_one_district(roofs, lianyungang))
    turned = roofs.iloc[::-1]
    second = coverage_table(in_one_district(turned, lianyungang))
    pd.testing.assert_frame_equal(first, second)


def test_many_roofs_of_unknown_class(lianyungang):
    rng = np.random.default_rng(1)
    n = 3000
    parts = np.sort(rng.uniform(0, 1000, (n, 6)), axis=1)[:, ::-1]
    roofs = pd.DataFrame({name: [value] * n for name, value in roof("x").items()})
    for k, name in enumerate(AREAS):
        roofs[f"{name}_area_m2"] = parts[:, k]
    roofs = roofs.assign(building_id=[f"b{k}" for k in range(n)], existing_pv_kwp=rng.uniform(0, 50, n))
    result = coverage_table(in_one_district(roofs, lianyungang))
    # Nothing is known to belong; the extremes are those of the single best and the single worst roof.
    row = one(result, denominator="gross")
    own = roofs["existing_pv_kwp"] * 5.0 / roofs["gross_area_m2"]
    assert row["n_unknown"] == n
    assert pd.isna(row["coverage"])
    assert (row["coverage_low"], row["coverage_high"]) == pytest.approx((own.min(), own.max()), rel=1e-12)
