"""Attainment by year: five buildings worked out by hand, in every year, with unknown years, a schedule and a plan."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from rooftop.targets import Stock, coverage_table
from rooftop.targets.models import Pack
from rooftop.targets.timeline import DAYS_PER_YEAR, BuildPlan, timeline_notices, timeline_table
from targets_example import five_buildings, in_one_district, members, one, pack_copy, units

TODAY = datetime.date(2026, 7, 1)


@pytest.fixture()
def pack(tmp_path: Path) -> Pack:
    return pack_copy(tmp_path)


@pytest.fixture()
def pinghu(tmp_path: Path) -> Pack:
    return pack_copy(tmp_path, "pinghu")


def dated(**years: object) -> pd.DataFrame:
    """The five buildings, without the two of unknown class or date (C, D), and with years of their PV."""
    roofs = five_buildings()
    roofs = roofs[roofs["building_id"].isin(["A", "B", "E"])].reset_index(drop=True)
    roofs["existing_pv_year"] = roofs["building_id"].map(lambda b: years.get(str(b))).astype("Int64")
    return roofs


def table(roofs: pd.DataFrame, pack: Pack, **options: Any) -> pd.DataFrame:
    options = {"reference_date": TODAY} | options
    return timeline_table(in_one_district(roofs, pack), **options)


def row(frame: pd.DataFrame, year: int, kind: str = "installed", unit: str = "d1") -> pd.Series:
    found = frame[(frame["year"] == year) & (frame["kind"] == kind) & (frame["unit_id"] == unit)]
    assert len(found) == 1, found
    return found.iloc[0]


def schedule(*rows: tuple[object, ...]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["building_id", "unit_id", "year", "kwp", "module_m2"])
    return frame.astype(
        {"building_id": "string", "unit_id": "string", "year": "Int64", "kwp": float, "module_m2": float}
    )


def test_years_of_one_target(pack: Pack) -> None:
    """School A (2022, installable 800) has 40 kW = 200 m² since 2024, factory B (2023, 1 500) 500 m² since 2023.

    2021: nothing is completed. 2022: A without PV, 0/800. 2023: A and B, B's PV: 500/2 300. 2024 on: 700/2 300.
    The target is 50 % of 2 300 = 1 150 m²: 450 m² short, at 0.2 kW/m² 90 kWp. E is a home: not in scope.
    """
    frame = table(dated(A=2024, B=2023, E=2022), pack)
    installed = frame[frame["unit_id"] == "d1"]
    assert installed["year"].tolist() == [2021, 2022, 2023, 2024, 2025, 2026]
    assert installed["state"].tolist() == ["past"] * 5 + ["now"]
    assert np.isnan(row(frame, 2021)["coverage"]) and row(frame, 2021)["denominator_m2"] == 0.0
    assert (row(frame, 2022)["numerator_m2"], row(frame, 2022)["denominator_m2"]) == (0.0, 800.0)
    assert (row(frame, 2023)["numerator_m2"], row(frame, 2023)["denominator_m2"]) == (500.0, 2300.0)
    last = row(frame, 2025)
    assert (last["numerator_m2"], last["denominator_m2"]) == (700.0, 2300.0)
    assert last["coverage"] == last["coverage_low"] == last["coverage_high"] == pytest.approx(700 / 2300)
    assert last["attained"] == "no" and last["target"] == 0.5 and last["cohort"] == "2021-2025"
    assert last["gap_m2"] == pytest.approx(450.0)
    # As on the group's whole roofs: A 80 kW, B 240 kW on 400 + 1 200 m² of module.
    assert last["gap_kwp"] == pytest.approx(450.0 * 320 / 1600)


def test_a_past_year_has_no_rate(pack: Pack) -> None:
    frame = table(dated(A=2024, B=2023), pack)
    rates = ["years_left", "needed_kwp_per_year", "needed_m2_per_year", "needed_roofs_per_year"]
    assert frame[rates].isna().all(axis=None)
    assert row(frame, 2026)["gap_m2"] == pytest.approx(450.0)


def test_the_last_year_agrees_with_the_coverage_table(pack: Pack) -> None:
    """With all PV standing, the timeline's end is the coverage table's default row, unknown buildings included."""
    roofs = five_buildings()
    frame = table(roofs, pack)
    front = one(coverage_table(in_one_district(roofs, pack)))
    last = row(frame, 2026)
    for column in ("n_buildings", "n_unknown", "numerator_m2", "denominator_m2", "coverage", "coverage_low",
                   "coverage_high", "gap_m2", "gap_kwp", "attained"):  # fmt: skip
        assert last[column] == front[column], column


def test_two_targets_make_a_step(pinghu: Pack) -> None:
    """30 % to 2025, 50 % from 2026 to 2030; 700/2 300 attains the first and misses the second by 450 m² (90 kWp).

    From 2026-07-01 to 2030-12-31 there are 1 644 days, 4.501 years: 90/4.501 = 19.995 kWp, 99.98 m² a year; the typical
    roof has room for the median of 40 and 140 kW, 90 kW.
    """
    frame = table(dated(A=2024, B=2023), pinghu)
    mine = frame[frame["unit_id"] == "d1"]
    assert dict(zip(mine["year"], mine["target"], strict=True)) == {
        y: 0.3 if y <= 2025 else 0.5 for y in range(2021, 2031)
    }
    assert mine.loc[mine["year"] == 2025, "target_id"].tolist() == ["pv_coverage_2025"]
    assert row(frame, 2025)["attained"] == "yes" and row(frame, 2025)["gap_m2"] == 0.0
    assert row(frame, 2026)["attained"] == "no" and row(frame, 2026)["state"] == "now"
    due = row(frame, 2030)
    left = 1644 / DAYS_PER_YEAR
    assert due["state"] == "ahead" and due["years_left"] == pytest.approx(left)
    assert due["needed_kwp_per_year"] == pytest.approx(90.0 / left)
    assert due["needed_m2_per_year"] == pytest.approx(450.0 / left)
    assert due["needed_roofs_per_year"] == pytest.approx(90.0 / left / 90.0)
    assert np.isnan(row(frame, 2029)["needed_kwp_per_year"])


def test_pv_of_unknown_year_opens_the_bounds_until_today(pack: Pack) -> None:
    """B's 500 m² of unknown year: in 2025 200/2 300 at least, 700/2 300 at most; since 2026 it stands."""
    frame = table(dated(A=2024), pack)
    before, now = row(frame, 2025), row(frame, 2026)
    assert before["coverage_low"] == pytest.approx(200 / 2300)
    assert before["coverage"] == before["coverage_high"] == pytest.approx(700 / 2300)
    assert now["coverage_low"] == now["coverage"] == now["coverage_high"] == pytest.approx(700 / 2300)


def test_bounds_meet_every_world(pack: Pack) -> None:
    """C (factory of unknown year, no PV stated) in or out, B's undated PV there or not: enumerated for 2025."""
    roofs = five_buildings()
    roofs = roofs[roofs["building_id"].isin(["A", "B", "C"])].reset_index(drop=True)
    roofs["existing_pv_year"] = pd.array([2022, None, None], dtype="Int64")
    found = row(table(roofs, pack), 2025)
    worlds = [(200 + b + 0) / (2300 + c) for b in (0, 500) for c in (0, 400)]
    assert found["coverage_low"] == pytest.approx(min(worlds))
    assert found["coverage_high"] == pytest.approx(max(worlds))


def test_a_survey_may_find_nothing_installable(pinghu: Pack) -> None:
    """B needs a survey: if it fails, only the 500 m² of used zone that its PV has proved count (used = module there).

    B's used zone over module is 1 500/1 200: 500 m² of module prove 625 m²; A stays 800: (200+500)/(800+625).
    """
    roofs = dated(A=2024, B=2023)
    roofs.loc[roofs["building_id"] == "B", "status"] = "needs_survey"
    found = row(table(roofs, pinghu), 2026)
    assert found["coverage"] == pytest.approx(700 / 2300)
    assert found["coverage_high"] == pytest.approx(700 / 1425)
    assert found["coverage_low"] == pytest.approx(700 / 2300)


def test_a_schedule_dates_and_adds(pinghu: Pack) -> None:
    """A's 40 kW: 10 kW in 2022, the rest undated. B gets 60 kW (300 m²) in 2028, the unit 100 m² in 2029."""
    plans = schedule(
        ("A", None, 2022, 10.0, None), ("B", None, 2028, 60.0, None), (None, "d1 name", 2029, None, 100.0),
        (None, "d1", 2020, 999.0, None), ("nobody", None, 2027, 5.0, None), ("B", None, None, 5.0, None),
    )  # fmt: skip
    frame = table(dated(B=2023), pinghu, schedule=plans)
    # 2022: A's dated 50 m² at least, all 200 m² at most.
    first = row(frame, 2022)
    assert (first["coverage_low"], first["coverage"]) == (pytest.approx(50 / 800), pytest.approx(200 / 800))
    assert row(frame, 2027)["numerator_m2"] == 700.0
    assert row(frame, 2028)["numerator_m2"] == 1000.0
    last = row(frame, 2029)
    assert last["numerator_m2"] == 1100.0
    # The unit's 100 m² lie on no known roof: not in the lower bound. B's 25 m² of unknown year: only in the upper one.
    assert last["coverage_low"] == pytest.approx(1000 / 2300)
    assert last["coverage_high"] == pytest.approx(1125 / 2300)
    assert row(frame, 2029, unit="city")["numerator_m2"] == 1100.0
    codes = {
        n.code: n.count
        for n in timeline_notices(
            Stock.from_tables(dated(B=2023, E=2022), members(dated(B=2023, E=2022)), units(("d1", "district")), pinghu),
            TODAY,
            plans,
        )
    }
    assert codes == {"schedule_building_unknown": 1, "schedule_unit_past": 1}
    undated = {
        n.code
        for n in timeline_notices(
            Stock.from_tables(dated(), members(dated()), units(("d1", "district")), pinghu), TODAY, None
        )
    }
    assert undated == {"pv_year_unknown"}


def test_a_scheduled_unit_counts_where_it_lies(pinghu: Pack) -> None:
    """d1 holds A and B, d2 holds E; the town t lies in d1, the zone z over both districts."""
    roofs = dated(A=2022, B=2023, E=2023)
    names = units(("d2", "district"), ("d1", "district"), ("t", "town"), ("z", "zone"))
    place = pd.concat(
        [members(roofs.iloc[:2]), members(roofs.iloc[2:], "d2"), members(roofs.iloc[1:2], "t", "town"),
         members(roofs, "z", "zone", 0.5)]
    )  # fmt: skip

    def added(unit: str) -> dict[str, float]:
        found, none = (
            timeline_table(Stock.from_tables(roofs, place, names, pinghu), reference_date=TODAY, schedule=plans)
            for plans in (schedule((None, unit, 2027, None, 100.0)), None)
        )
        due = found[found["year"] == 2027].set_index("unit_id")["numerator_m2"]
        more = due - none[none["year"] == 2027].set_index("unit_id")["numerator_m2"]
        return {str(key): value for key, value in more.items() if value}

    assert added("d1") == {"city": 100.0, "d1": 100.0}
    assert added("t") == added("t name") == {"city": 100.0, "d1": 100.0, "t": 100.0}
    assert added("z") == {"z": 100.0}
    assert added("city") == added("全部县区") == {"city": 100.0}
    assert added("nowhere") == {}

    def codes(unit: str) -> set[str]:
        plans = schedule((None, unit, 2027, None, 100.0))
        return {n.code for n in timeline_notices(Stock.from_tables(roofs, members(roofs), names, pinghu), TODAY, plans)}

    assert codes("t") == codes("city") == codes("全部县区") == set()
    assert codes("z") == {"schedule_unit_zone"} and codes("nowhere") == {"schedule_unit_unknown"}


def test_more_in_the_schedule_than_in_the_inventory(pack: Pack) -> None:
    """A declares 40 kW but its schedule 60 kW by 2023: 300 m² stand; with 30 kW of it the rest of the 40 is undated."""
    more = table(dated(A=2022, B=2023), pack, schedule=schedule(("A", None, 2023, 60.0, None)))
    assert row(more, 2025)["numerator_m2"] == 500.0 + 300.0
    less = table(dated(B=2023), pack, schedule=schedule(("A", None, 2023, 30.0, None)))
    assert row(less, 2025)["numerator_m2"] == 700.0
    assert row(less, 2025)["coverage_low"] == pytest.approx(650 / 2300)


def test_a_plan_is_built_at_its_rate(pinghu: Pack) -> None:
    """B's missing 140 kW, then A's 40 kW, at 61 kW a year from 2026-07-01.

    2028-12-31: 2.502 years, 153 kW: B (from January 2026 it would be 183 kW). 2029-12-31: 3.50 years, 214 kW: both.
    B's full layout is 1 200 m², A's 400 m².
    """
    plan = BuildPlan(("B", "A"), (140.0, 40.0), ("d1", "d1"), 61.0)
    frame = table(dated(A=2024, B=2023), pinghu, plan=plan)
    planned = frame[(frame["kind"] == "planned") & (frame["unit_id"] == "d1")]
    assert planned["year"].tolist() == [2026, 2027, 2028, 2029, 2030]
    assert planned["numerator_m2"].tolist() == [700.0, 700.0, 1400.0, 1600.0, 1600.0]
    assert row(frame, 2028, "planned")["attained"] == "yes" and row(frame, 2028)["attained"] == "no"
    by_district = BuildPlan(("B", "A"), (140.0, 40.0), ("d1", "d2"), {"d2": 40.0})
    assert by_district.built_by(1.0) == {"A"} and by_district.built_by(0.9) == set()


def test_nothing_is_known_without_an_inventory(pinghu: Pack) -> None:
    roofs = dated().assign(existing_pv_kwp=None)
    frame = table(roofs, pinghu)
    mine = frame[frame["unit_id"] == "d1"]
    assert mine[["coverage", "numerator_m2", "gap_m2", "needed_kwp_per_year"]].isna().all(axis=None)
    some = mine[mine["denominator_m2"] > 0]
    assert (some["coverage_low"] == 0.0).all() and some["coverage_high"].between(0.1, 1.0).all()
    surveyed = table(roofs.assign(status="needs_survey"), pinghu)
    assert surveyed["coverage_high"].dropna().between(0.0, 1.0).all()
    assert set(some["attained"]) == {"unknown"}


def test_a_pack_without_values_has_no_timeline(tmp_path: Path) -> None:
    for name in ("shanxi", "whole_county"):
        frame = table(dated(), pack_copy(tmp_path, name))
        assert frame.empty and "needed_kwp_per_year" in frame.columns


def test_december_31st_leaves_no_time(pack: Pack) -> None:
    for day, left in ((datetime.date(2025, 12, 31), 0), (datetime.date(2025, 12, 30), 1)):
        due = row(table(dated(A=2024, B=2023), pack, reference_date=day), 2025)
        assert np.isnan(due["needed_kwp_per_year"]) == (left == 0)
        if left:
            assert due["needed_kwp_per_year"] == pytest.approx(90.0 * DAYS_PER_YEAR)


def test_years_left_are_years(pack: Pack, pinghu: Pack) -> None:
    # 2026-07-01 to 2030-12-31 are 1 644 days.
    due = row(table(dated(A=2024, B=2023), pinghu), 2030)
    assert due["years_left"] == pytest.approx(1644 / 365.25, rel=1e-12)
    assert due["needed_kwp_per_year"] == pytest.approx(due["gap_kwp"] * 365.25 / 1644, rel=1e-12)


def test_a_schedule_of_this_year_dates_what_stands(pinghu: Pack) -> None:
    """A's 40 kW are commissioned in the reference year: they date the inventory, a unit's are in it already."""
    plans = schedule(("A", None, TODAY.year, 40.0, None), (None, "d1", TODAY.year, None, 100.0))
    frame = table(dated(B=2023), pinghu, schedule=plans)
    assert [row(frame, year)["numerator_m2"] for year in (2025, 2026, 2027)] == [500.0, 700.0, 700.0]
    assert row(frame, 2026)["coverage_low"] == row(frame, 2026)["coverage_high"] == pytest.approx(700 / 2300)
