"""Every pack on the bundled example gives a full ledger; its footprints and units, with layouts as shares of them."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd
import pytest
import shapely

from rooftop.configfile import load_config
from rooftop.core.resources import demo_dir
from rooftop.core.vocabularies import building_uses
from rooftop.inputs.boundaries import assign, read_units
from rooftop.inputs.footprints import read_buildings
from rooftop.inputs.land_use import infer_uses
from rooftop.job.aggregate import unit_table
from rooftop.tables import ROOFS, conform
from rooftop.targets import (
    Stock,
    capacity_ledger,
    coverage_notices,
    coverage_table,
    list_packs,
    load_pack,
    mark_new,
    quota_table,
    shortfalls,
)
from targets_example import five_buildings, in_one_district, members, one, pack_copy, pick, roof, table, units

NUMERATORS, DENOMINATORS = ("module", "array", "used"), ("gross", "net", "installable")
SHARES = {"net": 0.8, "installable": 0.7, "used": 0.6, "array": 0.5, "module": 0.4}


@cache
def example():
    """Roofs, memberships and units of the bundled example; areas are shares of the footprint, varied by row."""
    inputs = load_config(demo_dir() / "rooftop.yaml").inputs
    buildings = read_buildings(inputs.footprints)
    found = infer_uses(buildings.table, None).table
    parts = [
        read_units(config, level, buildings.crs)  # type: ignore[arg-type]
        for config, level in ((inputs.districts, "district"), (inputs.zones, "zone"))
    ]
    memberships = assign(found, parts)
    n = len(found)
    vary = 1.0 - 0.2 * (np.arange(n) % 7) / 7.0
    gross = np.nan_to_num(shapely.area(found.geometry.to_numpy()))
    blank = {name: pd.Series([None] * n) for name in ROOFS.names if name not in found}
    roofs = pd.DataFrame(found.drop(columns="geometry")).assign(**blank)
    roofs["gross_area_m2"] = gross
    for name, share in SHARES.items():
        roofs[f"{name}_area_m2"] = gross * share * vary
    roofs["module_face_area_m2"] = roofs["module_area_m2"] * 1.05
    roofs["capacity_kwp"] = roofs["module_face_area_m2"] * 0.21
    roofs["annual_kwh"] = roofs["capacity_kwp"] * 1100.0
    roofs = conform(roofs[roofs["building_use"] != "military"].reset_index(drop=True), ROOFS)
    unit_frame = pd.concat([part.table for part in parts], ignore_index=True)
    return roofs, memberships, pd.DataFrame(unit_frame[["unit_id", "unit_name", "level"]])


@cache
def ledger(name):
    roofs, memberships, names = example()
    chosen = pd.Series(np.arange(len(roofs)) % 3 == 0, index=roofs.index)
    return coverage_table(Stock.from_tables(roofs, memberships, names, load_pack(name)), planned=chosen)


@pytest.mark.parametrize("name", list_packs())
def test_the_ledger_of_a_pack_is_full(name):
    roofs, memberships, names = example()
    pack = load_pack(name)
    coverage = ledger(name)
    capacity = capacity_ledger(Stock.from_tables(roofs, memberships, names, pack))
    quotas = quota_table(Stock.from_tables(roofs, memberships, names, pack))
    answered = set(coverage["target_id"].dropna()) | set(capacity["target_id"]) | set(quotas["target_id"])
    for target in pack.targets:
        # Every number of the plan is in a table, or says why it is not.
        assert target.id in answered or target.computable.reason is not None, target.id
        if target.computable.answer == "yes" and target.unit == "share" and target.indicator.startswith("pv_"):
            assert target.id in answered
    every_unit = {"city", *names["unit_id"]}
    assert set(coverage["unit_id"]) == every_unit
    for rule in pack.coverage:
        for entry in rule.targets:
            rows = coverage[coverage["target_id"].isna() if entry.id is None else coverage["target_id"] == entry.id]
            for column, expected in (
                ("kind", set(rule.kinds)),
                ("numerator", set(rule.numerators)),
                ("denominator", set(rule.denominators)),
                ("building_group", {group.id for group in rule.groups}),
                ("scope_reading", {reading.id for reading in rule.readings}),
                ("aggregation", set(rule.aggregation.evaluated)),
            ):
                assert set(rows[column]) == expected, column
    city = coverage[coverage["is_default"] & (coverage["level"] == "city")]
    assert city["coverage"].notna().all()
    inside = city["coverage_low"].le(city["coverage"] + 1e-12) & city["coverage"].le(city["coverage_high"] + 1e-12)
    assert inside.all()
    assert (city["attained"].notna() == city["target"].notna()).all()
    assert set(mark_new(roofs, pack)) == {"yes", "no", "unknown"} - ({"no"} if pack.period.start < 1950 else set())
    short = shortfalls(Stock.from_tables(roofs, memberships, names, pack))
    assert short["building_id"].isin(roofs["building_id"]).all()
    assert {notice.code for notice in coverage_notices(Stock.from_tables(roofs, memberships, names, pack))} >= {
        "membership_open"
    }


@pytest.mark.parametrize("name", list_packs())
def test_the_nine_numbers_are_monotone_and_the_city_is_the_sum_of_its_districts(name):
    coverage = ledger(name)
    pooled = coverage[coverage["aggregation"] == "pooled"]
    keys = ["unit_id", "level", "target_id", "kind", "scope_reading", "cohort", "building_group"]
    for sign, column, order, other in (
        (1, "numerator", NUMERATORS, "denominator"),
        (-1, "denominator", DENOMINATORS, "numerator"),
    ):
        wide = pooled.pivot_table(f"{column}_m2", [*keys, other], column, dropna=False, observed=True)
        chain = wide[[c for c in order if c in wide]].dropna().to_numpy()
        assert len(chain)
        assert (np.diff(chain, axis=1) * sign >= -1e-6).all(), column
    potential = coverage[(coverage["kind"] == "potential") & coverage["coverage"].notna()]
    assert (potential["coverage"] <= 1 + 1e-9).all()
    same = [*keys[2:], "numerator", "denominator"]
    for column in ("numerator_m2", "denominator_m2", "n_buildings", "n_unknown"):
        levels = pooled.groupby(["level", *same], dropna=False)[column].sum(min_count=1)
        # Zones overlap districts and stay out.
        np.testing.assert_allclose(levels["city"], levels["district"], rtol=1e-9, equal_nan=True)


def test_sums_over_uses_equal_the_district(tmp_path):
    roofs, memberships, names = example()
    roofs = roofs.assign(building_use=roofs["building_use"].where(roofs["building_use"] != "unknown", "other"))
    uses = [use for use in building_uses().uses if use not in ("military", "unknown")]

    def change(data):
        (rule,) = data["coverage"]
        plain = {"default": {"numerator": "module", "denominator": "gross"}, "source": {"zh": "测试", "en": "test"}}
        rule["groups"] = [{"id": use, "label": {"zh": use, "en": use}, **plain} for use in uses]
        rule["groups"].append(
            {"id": "everything", "label": {"zh": "全部", "en": "all"}, "union": uses, "front": True, **plain}
        )
        rule["targets"] = [{"id": "pv_coverage_2025", "cohort": "all", "source": {"zh": "测试", "en": "test"}}]
        rule["readings"][0]["scopes"] = {use: {"building_use": [use]} for use in uses}
        rule["aggregation"]["evaluated"] = ["pooled"]

    found = coverage_table(Stock.from_tables(roofs, memberships, names, pack_copy(tmp_path, change=change)))
    roofs = roofs.assign(capacity_low_kwp=0.0, capacity_high_kwp=0.0)
    gone = roofs["reasons"].map(lambda codes: bool({"duplicate_geometry", "empty_geometry"} & set(codes)))
    district = unit_table(roofs[~gone], memberships, names).set_index("unit_id")
    for kind, top, bottom in (
        ("potential", "module", "gross"),
        ("potential", "used", "net"),
        ("installed", "array", "net"),
    ):
        rows = found[(found.kind == kind) & (found.numerator == top) & (found.denominator == bottom)]
        together = rows[rows.building_group == "everything"].set_index("unit_id")
        apart = rows[rows.building_group != "everything"].groupby("unit_id")[["numerator_m2", "denominator_m2"]].sum()
        assert len(together) == len(names) + 1
        for column in ("numerator_m2", "denominator_m2"):
            np.testing.assert_allclose(apart.loc[together.index, column], together[column], rtol=1e-9)
        known = [unit for unit in together.index if unit != "city"]
        expected = district.loc[known, f"{bottom}_area_m2"]
        np.testing.assert_allclose(together.loc[known, "denominator_m2"], expected, rtol=1e-9)


def test_a_zone_over_two_districts_inflates_nothing_and_its_quota_leaves_them():
    roofs, memberships, names = example()
    plain = memberships[memberships["level"] != "zone"]
    zone = memberships[memberships["level"] == "zone"]
    doubled = pd.concat([memberships, zone.assign(unit_id="Z2")])
    more = pd.concat([names, pd.DataFrame([["Z2", "另一功能区", "zone"]], columns=names.columns)])
    pack = load_pack("national")
    with_zones = coverage_table(Stock.from_tables(roofs, doubled, more, pack))
    without = coverage_table(Stock.from_tables(roofs, plain, names[names["level"] != "zone"], pack))
    kept = with_zones[with_zones["level"] != "zone"].reset_index(drop=True)
    pd.testing.assert_frame_equal(kept, without.reset_index(drop=True))
    totals = [
        capacity_ledger(Stock.from_tables(roofs, m, u, pack)).query("level == 'city'")["capacity_kwp"].tolist()
        for m, u in ((doubled, more), (plain, names))
    ]
    assert totals[0] == totals[1]


def test_units_of_the_quota_table_add_up_to_the_city():
    roofs, memberships, names = example()
    plan = names.assign(unit_name=names["unit_name"].replace({"甲区": "海州区", "乙区": "连云区", "丙区": "赣榆区"}))
    plan["unit_name"] = plan["unit_name"].mask(plan["level"] == "zone", "徐圩新区")
    quotas = quota_table(Stock.from_tables(roofs, memberships, plan, load_pack("lianyungang")))
    retrofit = quotas[(quotas["target_id"] == "retrofit_area") & quotas["unit_id"].notna()]
    parts, city = retrofit[retrofit["level"] != "city"], retrofit[retrofit["level"] == "city"].iloc[0]
    assert parts["name"].tolist() == ["赣榆", "海州", "连云", "徐圩新区"]
    for column in ("gross_area_m2", "capacity_kwp", "stock_area_m2", "stock_area_high_m2"):
        assert parts[column].sum() == pytest.approx(city[column], rel=1e-9)
    assert (parts["added_low_kwp"] <= parts["added_kwp"] + 1e-9).all()
    assert (parts["added_kwp"] <= parts["added_high_kwp"] + 1e-9).all()
    assert (parts["added_mean_kwp"] <= parts["added_kwp"] + 1e-9).all()
    new = quotas[(quotas["target_id"] == "ultra_low_energy") & quotas["unit_id"].notna()]
    assert new["quota_m2"].isna().all()
    assert (new["n_stock"] < new["n_buildings"]).all()


# --- both readings, nine definitions and bounds, by hand -------------------------------------------------------------

# Liaocheng, second reading (factories of any age): A, B and C are certain, D (class unknown, 2024) is open; E is out.
# Installed, without and with D. module 200+500+0 = 700, 800; array 250+500 = 750, 875; used 300+625 = 925, 1050.
#   gross 1000+2000+400 = 3400, 3900; net 800+1600+400 = 2800, 3200; installable 800+1500+400 = 2700, 2900.
# Potential: module 400+1200+200 = 1800, 1900; array 500+1200+300 = 2000, 2125; used 600+1500+400 = 2500, 2625.
SECOND_READING = {
    ("installed", "module"): (700, 800),
    ("installed", "array"): (750, 875),
    ("installed", "used"): (925, 1050),
    ("potential", "module"): (1800, 1900),
    ("potential", "array"): (2000, 2125),
    ("potential", "used"): (2500, 2625),
}
BELOW = {"gross": (3400, 3900), "net": (2800, 3200), "installable": (2700, 2900)}


def test_the_second_reading_under_all_nine_definitions(tmp_path):
    roofs = five_buildings()
    found = coverage_table(in_one_district(roofs, pack_copy(tmp_path, "liaocheng")))
    for (kind, top), tops in SECOND_READING.items():
        for bottom, bottoms in BELOW.items():
            row = one(
                found, scope_reading="new_governs_public_only", kind=kind, numerator=top, denominator=bottom
            )  # fmt: skip
            without, with_d = tops[0] / bottoms[0], tops[1] / bottoms[1]
            assert row["coverage"] == without, (kind, top, bottom)
            assert (row["coverage_low"], row["coverage_high"]) == (min(without, with_d), max(without, with_d))
            assert (row["n_buildings"], row["n_unknown"]) == (3, 1)


def test_installed_above_one_is_shown_under_every_definition(tmp_path):
    # 600 kW on 150 m² are 3000 m² of module: 20 times the roof.
    roofs = table(
        [roof("H", (150, 120, 100, 80, 60, 50), building_use="hospital", is_public_institution="yes", year_built=2024,
              existing_pv_kwp=600.0)]
    )  # fmt: skip
    found = coverage_table(in_one_district(roofs, pack_copy(tmp_path)))
    rows = pick(found, numerator=None, denominator=None)
    values = {(r.numerator, r.denominator): r.coverage for r in rows.itertuples()}
    assert len(values) == 9
    assert values["module", "gross"] == 20.0
    assert values["used", "installable"] == pytest.approx(36.0)  # 3000 · 60/50 over 100
    assert min(values.values()) > 1


def test_a_building_in_a_zone_but_in_no_district_is_not_in_the_city(tmp_path):
    # A lies in the district, B (the larger) only in two zones that overlap: 200 of 800 in the city.
    roofs = five_buildings().iloc[:2]
    zones = [members(roofs, zone, "zone") for zone in ("z1", "z2")]
    place = pd.concat([members(roofs.iloc[:1], "d1"), *zones])
    names = units(("d1", "district"), ("z1", "zone"), ("z2", "zone"))
    found = coverage_table(Stock.from_tables(roofs, place, names, pack_copy(tmp_path)))
    for unit, expected in (("city", (200, 800)), ("d1", (200, 800)), ("z1", (700, 2300)), ("z2", (700, 2300))):
        row = one(found, unit_id=unit)
        assert (row["numerator_m2"], row["denominator_m2"]) == expected, unit
    city = capacity_ledger(Stock.from_tables(roofs, place, names, load_pack("national"))).query("level == 'city'")
    assert set(city["capacity_kwp"]) == {40.0, 80.0}
