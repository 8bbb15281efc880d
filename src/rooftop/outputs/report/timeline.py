"""Attainment by year in words: what stands, what a target still needs, and how fast it must be built."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from rooftop.core.lang import Text
from rooftop.core.rounding import Interval, area, capacity, is_missing, number, percent, percent_range
from rooftop.outputs.bundle import ReportData
from rooftop.outputs.unit_names import unit_label
from rooftop.outputs.verdicts import Verdict, verdict_of

LEAST_ROOFS = 0.1  # less is said to be that


@dataclass(frozen=True)
class Step:
    """One unit and target at the end of the target's year.

    Parameters
    ----------
    unit_name : Text
    level : str
    target : Text
        Value and year.
    coverage : Text
        Standing, and scheduled where the year is ahead, with bounds.
    verdict : Verdict or None
    needed : Text
        Year past: short by how much; ahead: what must be built every year.
    """

    unit_name: Text
    level: str
    target: Text
    coverage: Text
    verdict: Verdict | None
    needed: Text


def steps(data: ReportData) -> list[Step]:
    """Return the installed rows of every target year of city, districts and zones, in the order of the table."""
    table = data.tables.timeline
    if table is None:
        return []
    is_listed = table["level"].isin(["city", "district", "zone"]) & (table["kind"] == "installed")
    due = table[is_listed.to_numpy(dtype=bool) & (table["year"] == table["target_year"]).to_numpy(dtype=bool)]
    now = table[is_listed.to_numpy(dtype=bool) & (table["state"] == "now").to_numpy(dtype=bool)]
    today = {(row["unit_id"], row["level"], row["target_id"]): row for row in now.to_dict("records")}
    return [_step(row, today.get((row["unit_id"], row["level"], row["target_id"]))) for row in due.to_dict("records")]


def _step(row: Mapping[Any, Any], today: Mapping[Any, Any] | None) -> Step:
    values = Interval(row["coverage_low"], row["coverage"], row["coverage_high"])
    coverage = percent_range(values, row["target"])
    return Step(
        unit_name=unit_label(row),
        level=str(row["level"]),
        target=Text(f"{percent(row['target'])} by {row['year']}", f"{row['year']} 年 {percent(row['target'])}"),
        coverage=Text(coverage, coverage),
        verdict=None if is_missing(row["attained"]) else verdict_of(str(row["attained"])),
        needed=needed_text(row, today),
    )


def needed_text(row: Mapping[Any, Any], today: Mapping[Any, Any] | None = None) -> Text:
    """Say what a target still needs: a past year has a shortfall and no rate.

    Parameters
    ----------
    row : mapping
        Row of `tables.TIMELINE` at its target year.
    today : mapping, optional
        The same unit and target in the reference year, where it has a row.
    """
    if is_missing(row["gap_kwp"]):
        return Text(
            "not known: no inventory of existing PV, or nothing in scope", "无法判断：缺少已装光伏数据或无范围内建筑"
        )
    if row["state"] == "past":
        return _past(row, today)
    if not row["gap_kwp"] > 0:
        if str(row["attained"]) == "yes":
            return Text("nothing more is needed", "无需再建")
        return Text(
            "nothing more by the central value, but the lower bound misses the target", "按中值无需再建，但下限未达目标"
        )
    if is_missing(row["needed_kwp_per_year"]):
        return _short_of(row)
    rate = row["needed_kwp_per_year"]
    roofs = row["needed_roofs_per_year"]
    few = "" if is_missing(roofs) else number(max(float(roofs), LEAST_ROOFS), 2, "up")
    many = Text(f", about {few} typical roofs", f"，约 {few} 个典型屋顶") if few else Text("", "")
    m2, year, years = row["needed_m2_per_year"], int(row["year"]), number(row["years_left"], 2)
    return Text(
        "{kwp} a year ({m2}{many}) for {left} years, to the end of {year}",
        "至 {year} 年底（{left} 年）每年需建 {kwp}（{m2}{many}）",
    ).format(
        kwp=Text.both(lambda lang: capacity(rate, lang, 2, "up")),
        m2=Text.both(lambda lang: area(m2, lang, 2, "up")),
        many=many,
        left=years,
        year=year,
    )


def _short_of(row: Mapping[Any, Any]) -> Text:
    kwp, m2 = row["gap_kwp"], row["gap_m2"]
    return Text(
        f"short by {capacity(kwp, 'en', 2, 'up')} ({area(m2, 'en', 2, 'up')})",
        f"尚缺 {capacity(kwp, 'zh', 2, 'up')}（{area(m2, 'zh', 2, 'up')}）",
    )


def _past(row: Mapping[Any, Any], today: Mapping[Any, Any] | None) -> Text:
    if not row["gap_kwp"] > 0:
        open_ = "" if str(row["attained"]) == "yes" else ", within what is known"
        return Text(f"year past: reached{open_}", f"年份已过：{'已达到' if not open_ else '按现有数据已达到'}")
    short = _short_of(row)
    text = Text("year past: {short}", "年份已过：{short}").format(short=short)
    if today is None or is_missing(today["gap_kwp"]) or today["gap_kwp"] >= row["gap_kwp"] * 0.995:
        return text
    later = _short_of(today) if today["gap_kwp"] > 0 else Text("reached since", "其后已补足")
    return text + Text(f"; by {today['year']} ", f"；至 {today['year']} 年") + later


def charted_years(data: ReportData) -> pd.DataFrame:
    """Return the rows of the city that the chart draws; empty where there is no timeline."""
    table = data.tables.timeline
    if table is None or table.empty:
        return pd.DataFrame()
    city = table[(table["level"] == "city").to_numpy(dtype=bool)]
    if city.empty:
        return city
    return city[(city["building_group"] == city["building_group"].iloc[0]).to_numpy(dtype=bool)]
