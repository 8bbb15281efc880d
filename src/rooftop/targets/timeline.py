"""Attainment by year: what stood, what a schedule adds, what a target still needs, and how fast it must be built."""

from __future__ import annotations

import datetime
import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rooftop.core.errors import ConfigError
from rooftop.core.lang import Text
from rooftop.core.notices import Notice
from rooftop.core.types import F8
from rooftop.tables import TIMELINE, conform
from rooftop.targets.basis import CITY, Links, denominator, existing_pv, filled_area, standing_at_most
from rooftop.targets.bounds import TOLERANCE, attainment, ratio_bounds
from rooftop.targets.columns import numeric_column
from rooftop.targets.coverage import ALL_AGES, kwp_per_m2, typical_roof_kwp
from rooftop.targets.coverage_rules import coverage_rules
from rooftop.targets.models import BuildingGroup, Coverage, CoverageKind, CoverageTarget, Pack, Target, YearSpan
from rooftop.targets.scope import NO, PRESUMED, UNKNOWN, YES
from rooftop.targets.stock import Stock

DAYS_PER_YEAR = 365.25
_NEVER, _ALWAYS = 9999, -9999
SCHEDULE_COLUMNS = ("building_id", "unit_id", "year", "kwp", "module_m2")


@dataclass(frozen=True)
class BuildPlan:
    """Selected roofs and how fast they are built.

    Parameters
    ----------
    order : tuple of str
        ``building_id`` of the selected roofs, first built first.
    added_kwp : tuple of float
        What each adds.
    district : tuple of str
        District of each.
    rate_kwp_per_year : float or mapping of str to float
        One rate for all in the order given, or one per district; a district without one builds nothing.
    """

    order: tuple[str, ...]
    added_kwp: tuple[float, ...]
    district: tuple[str, ...]
    rate_kwp_per_year: float | Mapping[str, float]

    def built_by(self, years: float) -> set[str]:
        """Return the roofs that are finished `years` after the start."""
        done: dict[str, float] = {}
        out = set()
        for roof, kwp, district in zip(self.order, self.added_kwp, self.district, strict=True):
            crew, rate = self._crew(district)
            done[crew] = done.get(crew, 0.0) + kwp
            if done[crew] <= rate * max(years, 0.0) * (1.0 + TOLERANCE):
                out.add(roof)
        return out

    def _crew(self, district: str) -> tuple[str, float]:
        """Who builds in a district, and at which rate: one crew for all, or the district's own."""
        rate = self.rate_kwp_per_year
        return (district, float(rate.get(district, 0.0))) if isinstance(rate, Mapping) else ("", float(rate))


@dataclass(frozen=True)
class _Pieces:
    """PV with the first year in which it surely, by presumption, and possibly stands; arrays of length p.

    `at` is a row of `Basis.roofs`, or of `Links.units` for PV on no named building; `face_m2` is module area.
    """

    at: NDArray[np.intp]
    face_m2: F8
    sure: NDArray[np.intp]
    presumed: NDArray[np.intp]
    possible: NDArray[np.intp]

    def standing(self, year: int, since: str, size: int) -> F8:
        """Module area that stands at the end of `year`, summed to `size` places."""
        there = getattr(self, since) <= year
        return np.bincount(self.at[there], self.face_m2[there], size).astype(np.float64)


@dataclass(frozen=True)
class _StandingPv:
    """All PV of a timeline: on roofs, and in units without a named building."""

    roofs: _Pieces
    units: _Pieces
    known: bool


@dataclass(frozen=True)
class _Setting:
    """What stays the same over all rows."""

    stock: Stock
    pv: _StandingPv
    plan: BuildPlan | None
    today: datetime.date


def timeline_table(
    stock: Stock,
    *,
    reference_date: datetime.date,
    schedule: pd.DataFrame | None = None,
    plan: BuildPlan | None = None,
) -> pd.DataFrame:
    """Attainment of every unit by year, against the target in force in that year.

    Rows run from the first year of the cohort to the last target year (or the year of the reference date, if later).
    The target in force is the next one due: 30 % to 2025 and 50 % from 2026 on where a plan sets both. Buildings count
    from the year of their completion; buildings that do not stand yet are in no denominator.

    Parameters
    ----------
    stock : Stock
        ``existing_pv_year`` of its roofs, where there is one, dates the existing PV. Of its pack the default group,
        reading and definition of every pooled coverage with a target value are taken.
    reference_date : date
        Today: earlier years are past, and build rates run from here to the end of the target year.
    schedule : DataFrame, optional
        ``building_id unit_id year kwp module_m2``. On a building, years up to the reference year date its existing PV
        (what they hold beyond it counts too), later ones add to it. In a unit (by id or name), later years add; earlier
        ones are left to the inventory. A unit's rows count in the central value and in the upper bound: those of a town
        in its district and the city too, those of a functional zone in the zone only.
    plan : BuildPlan, optional
        Gives rows of kind ``planned`` for the reference year and later.

    Returns
    -------
    DataFrame
        `tables.TIMELINE`. PV of unknown year stands in the central value from the beginning, in the lower bound from
        the reference year. Build rates stand on the installed row of a target year that is not over; null otherwise,
        never negative.
    """
    setting = _Setting(stock, _standing_pv(stock, schedule, reference_date.year), plan, reference_date)
    parts = [
        _rows(setting, coverage, entry, kind, year)
        for coverage in stock.pack.coverage
        if _has_timeline(coverage)
        for entry, year in _years(coverage, stock.pack, reference_date.year)
        for kind in _kinds(setting, year)
    ]
    if not parts:
        return conform(pd.DataFrame(columns=TIMELINE.names), TIMELINE)
    table = pd.concat(parts, ignore_index=True)
    keys = table.sort_values(["unit_row", "kind", "year"], kind="stable")
    return conform(table.loc[keys.index].drop(columns="unit_row").reset_index(drop=True), TIMELINE)


def _has_timeline(coverage: Coverage) -> bool:
    """Whether PV by year says something about a coverage: pooled, and with PV in its numerator."""
    pooled = coverage.aggregation.default == "pooled"
    return pooled and "installed" in coverage.kinds and coverage.front.default.numerator != "installable"


def _kinds(setting: _Setting, year: int) -> tuple[CoverageKind, ...]:
    return ("installed", "planned") if setting.plan is not None and year >= setting.today.year else ("installed",)


def _years(coverage: Coverage, pack: Pack, this_year: int) -> Iterator[tuple[CoverageTarget, int]]:
    """Each year with the target in force: the next one due, after the last the last."""
    entries = [(entry, target.year) for entry, target in pack.targets_of(coverage)]
    due = sorted(((e, y) for e, y in entries if y is not None), key=lambda item: item[1])
    if not due:
        return
    starts = [e.cohort.start for e, _ in due if e.cohort != "all"]
    first = min([*starts, due[0][1]] if starts else [pack.period.start, due[0][1]])
    for year in range(first, max(due[-1][1], this_year) + 1):
        yield next((e for e, y in due if y >= year), due[-1][0]), year


# --- PV by year ------------------------------------------------------------------------------------------------------


def _standing_pv(stock: Stock, schedule: pd.DataFrame | None, this_year: int) -> _StandingPv:
    """Gather all PV with its years; a schedule dates the inventory and adds to it."""
    basis = stock.basis
    per_kwp = 1000.0 / existing_pv(stock.pack).w_per_m2
    rows = _schedule_rows(schedule, per_kwp)
    row_of = {str(b): k for k, b in enumerate(basis.roofs["building_id"])}
    declared = numeric_column(basis.roofs, "existing_pv_kwp")
    years = numeric_column(basis.roofs, "existing_pv_year")
    remaining = np.maximum(np.nan_to_num(declared), 0.0) * per_kwp
    pieces: list[tuple[int, float, int, int, int]] = []
    for building, _, year, face in rows:
        if building is None or building not in row_of:
            continue
        at = row_of[building]
        if year is None:
            pieces.append((at, face, _NEVER, _NEVER, this_year))
            continue
        pieces.append((at, face, year, year, year))
        if year <= this_year:
            remaining[at] = max(remaining[at] - face, 0.0)
    for at in map(int, np.flatnonzero(remaining > 0)):
        if np.isfinite(years[at]):
            year = int(years[at])
            pieces.append((at, float(remaining[at]), year, year, year))
        else:
            pieces.append((at, float(remaining[at]), this_year, _ALWAYS, _ALWAYS))
    loose = []
    for _, unit, year, face in rows:
        if unit is None or (year is not None and year <= this_year):
            continue
        hits = _unit_rows(stock.links, unit)
        for at in hits:
            since = this_year if year is None else year
            loose.append((at, face, _NEVER, _NEVER if year is None else year, since))
    known = basis.inventory or any(building in row_of for building, *_ in rows) or bool(loose)
    return _StandingPv(_pieces(pieces), _pieces(loose), known)


def _pieces(rows: list[tuple[int, float, int, int, int]]) -> _Pieces:
    at, sure, presumed, possible = (np.array([row[k] for row in rows], dtype=np.intp) for k in (0, 2, 3, 4))
    return _Pieces(at, np.array([row[1] for row in rows], dtype=np.float64), sure, presumed, possible)


def _schedule_rows(
    schedule: pd.DataFrame | None, per_kwp: float
) -> list[tuple[str | None, str | None, int | None, float]]:
    """Return building, unit, year and module area of every row of a schedule."""
    if schedule is None:
        return []
    out: list[tuple[str | None, str | None, int | None, float]] = []
    for building, unit, year, kwp, face in schedule[list(SCHEDULE_COLUMNS)].itertuples(index=False):
        area = float(face) if pd.notna(face) else float(kwp) * per_kwp
        out.append(
            (
                str(building) if pd.notna(building) else None,
                str(unit) if pd.notna(unit) else None,
                int(year) if pd.notna(year) else None,
                area,
            )
        )
    return out


def _unit_rows(links: Links, unit: str) -> list[int]:
    """Rows of `Links.units` that PV in a unit belongs to: the unit, the district around a town, and the city."""
    units = links.units
    same = ((units["unit_id"] == unit) | (units["unit_name"] == unit)).fillna(False)
    hits = np.flatnonzero(same.to_numpy(dtype=bool))
    if not hits.size:
        return []
    at, level = int(hits[0]), units["level"].iloc[hits[0]]
    if level in (CITY, "zone"):
        return [at]
    around = [] if level == "district" else _district_of(links, at)
    return [0, *around, at]


def _district_of(links: Links, town: int) -> list[int]:
    """Row of the district that holds most of a town's buildings; none where there are no districts."""
    in_town = np.isin(links.row, links.row[links.unit == town])
    district = (links.units["level"] == "district").to_numpy(dtype=bool)
    held = np.bincount(links.unit[in_town], links.weight[in_town], len(links.units)) * district
    return [int(held.argmax())] if held.any() else []


# --- rows ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Sums:
    """Results of one year, arrays of length n_units; NaN where there is none."""

    top: F8
    bottom: F8
    ratio: F8
    low: F8
    high: F8
    n_buildings: NDArray[np.intp]
    n_unknown: NDArray[np.intp]


def _rows(setting: _Setting, coverage: Coverage, entry: CoverageTarget, kind: CoverageKind, year: int) -> pd.DataFrame:
    """Rows of one year: all units."""
    assert entry.id is not None
    stock, links = setting.stock, setting.stock.links
    target = stock.pack.target(entry.id)
    group, window = coverage.front, _window(entry.window, year)
    answers = stock.answers(coverage.default_reading.scope(group), window)
    sums = _sums(setting, group, answers, kind, year)
    gap = np.where(np.isnan(sums.ratio), np.nan, np.maximum(target.value * sums.bottom - sums.top, 0.0))
    gap[gap <= TOLERANCE * sums.bottom] = 0.0
    frame = pd.DataFrame(
        {
            **{column: links.units[column].array for column in links.units.columns},
            "unit_row": np.arange(len(links.units)),
            "target_id": entry.id,
            "target_year": target.year,
            "year": year,
            "state": _state(year, setting.today.year),
            "kind": kind,
            "cohort": ALL_AGES if window is None else window.id,
            "building_group": group.id,
            "numerator": group.default.numerator,
            "denominator": group.default.denominator,
            "n_buildings": sums.n_buildings,
            "n_unknown": sums.n_unknown,
            "numerator_m2": sums.top,
            "denominator_m2": sums.bottom,
            "coverage": sums.ratio,
            "coverage_low": sums.low,
            "coverage_high": sums.high,
            "target": target.value,
            "attained": attainment(sums.low, sums.high, target.value, ~np.isnan(sums.ratio)),
            "gap_m2": gap,
            "gap_kwp": gap * kwp_per_m2(stock, answers, group.default.numerator),
        }
    )
    return frame.assign(**_rates(frame, target, setting, typical_roof_kwp(stock.basis, answers)))


def _sums(setting: _Setting, group: BuildingGroup, answers: NDArray[np.int8], kind: CoverageKind, year: int) -> _Sums:
    """Central sums of every unit at the end of a year, and the extremes of their ratio."""
    basis, links, pv = setting.stock.basis, setting.stock.links, setting.pv
    n_units = len(links.units)
    use = np.flatnonzero((answers[links.row] != NO) & (links.weight > 0))
    unit, row, weight = links.unit[use], links.row[use], links.weight[use]
    d_yes, d_no = (d[row] * weight for d in denominator(basis, group.default.denominator))
    n, n_no = {}, {}
    name = group.default.numerator
    unknown = basis.refused | (not pv.known)
    for since in ("sure", "presumed", "possible"):
        value, otherwise = _numerator(setting, kind, name, year, since)
        if since == "possible":
            value = standing_at_most(basis, name, value, unknown)
        n[since], n_no[since] = value[row] * weight, otherwise[row] * weight
    central = answers[row] >= PRESUMED
    loose = {s: pv.units.standing(year, s, n_units) for s in ("sure", "presumed", "possible")}
    top = np.bincount(unit[central], n["presumed"][central], n_units) + loose["presumed"]
    bottom = np.asarray(np.bincount(unit[central], d_yes[central], n_units), dtype=np.float64)
    # In and installable with all PV that may stand; with what surely stands; either with nothing more to install; out.
    survey = basis.needs_survey[row]
    d_other = np.where(survey, d_no, d_yes)
    n_other = {since: np.where(survey, n_no[since], n[since]) for since in n}
    out = answers[row] != YES
    options_n = [n["possible"], n["sure"], n_other["possible"], n_other["sure"], np.where(out, 0.0, n["possible"])]
    options_d = [d_yes, d_yes, d_other, d_other, np.where(out, 0.0, d_yes)]
    options = (np.stack(options_n, axis=1)[:, :, None], np.stack(options_d, axis=1)[:, :, None])
    nothing = np.zeros((n_units, 1))
    low = ratio_bounds(unit, *options, loose["sure"][:, None], nothing)[0][:, 0]
    high = ratio_bounds(unit, *options, loose["possible"][:, None], nothing)[1][:, 0]
    ratio = np.divide(top, bottom, out=np.full(n_units, np.nan), where=bottom > 0)
    if not pv.known:
        top, ratio = (np.full(n_units, np.nan) for _ in range(2))
    low, high = np.fmin(low, ratio) + 0.0, np.fmax(high, ratio) + 0.0  # no -0.0
    open_ = (answers[row] == UNKNOWN) | (answers[row] == PRESUMED)
    n_buildings, n_unknown = (np.bincount(unit[rows], minlength=n_units) for rows in (central, open_))
    return _Sums(top, bottom, ratio, low, high, n_buildings, n_unknown)


def _state(year: int, this_year: int) -> str:
    return "past" if year < this_year else "now" if year == this_year else "ahead"


def _window(window: YearSpan | None, year: int) -> YearSpan | None:
    """Cut a cohort at the end of a year; before its first year it is that year, in which nothing is completed yet."""
    if window is None:
        return None
    return YearSpan(start=window.start, end=min(max(year, window.start), window.end))


def _numerator(setting: _Setting, kind: CoverageKind, name: str, year: int, since: str) -> tuple[F8, F8]:
    """Numerator of every roof at the end of a year: if the roof is installable, and if nothing more can be installed.

    As `basis.numerator`: what stands; for planned a full layout on what is built by then, within the roof.
    """
    basis = setting.stock.basis
    standing = setting.pv.roofs.standing(year, since, len(basis.roofs)) * basis.per_face[name]
    if kind == "installed" or setting.plan is None:
        return standing, standing
    within = np.minimum(standing, basis.roof["installable"])
    elapsed = (datetime.date(year, 12, 31) - setting.today).days / DAYS_PER_YEAR
    built = basis.roofs["building_id"].astype(str).isin(setting.plan.built_by(elapsed)).to_numpy(dtype=bool)
    return np.where(built, filled_area(basis, name, within), within), within


def _rates(frame: pd.DataFrame, target: Target, setting: _Setting, typical_kwp: float) -> dict[str, F8]:
    """Build rates on rows of a target year that is not over."""
    nan = np.full(len(frame), np.nan)
    year = int(frame["year"].iloc[0])
    years_left = (datetime.date(year, 12, 31) - setting.today).days / DAYS_PER_YEAR
    if year != target.year or years_left <= 0 or frame["kind"].iloc[0] != "installed":
        empty = ("years_left", "needed_kwp_per_year", "needed_m2_per_year", "needed_roofs_per_year")
        return dict.fromkeys(empty, nan)
    kwp = frame["gap_kwp"].to_numpy(dtype=float) / years_left
    return {
        "years_left": np.full(len(frame), years_left),
        "needed_kwp_per_year": kwp,
        "needed_m2_per_year": frame["gap_m2"].to_numpy(dtype=float) / years_left,
        "needed_roofs_per_year": kwp / typical_kwp,
    }


def check_build_rates(rate: float | Mapping[str, float] | None, district_ids: list[str]) -> None:
    """Refuse a build rate of a district that there is not: nothing would be built at it.

    Raises
    ------
    ConfigError
    """
    for name in rate if isinstance(rate, Mapping) else ():
        if name not in district_ids:
            near = difflib.get_close_matches(name, district_ids, n=1)
            raise ConfigError(
                Text(f"there is no district {name}", f"没有县区 {name}"),
                where=f"timeline.build_rate_kwp_per_year.{name}",
                found=name,
                expected=", ".join(district_ids[:20]) + (" ..." if len(district_ids) > 20 else ""),
                mend=Text(f"did you mean {near[0]}?", f"是否为 {near[0]}？")
                if near
                else Text("write the district's id", "请填写县区代码"),
            )


def timeline_notices(stock: Stock, reference_date: datetime.date, schedule: pd.DataFrame | None) -> tuple[Notice, ...]:
    """Say what a reader of the timeline must know: PV without a year, rows of the schedule that do not count."""
    roofs, units = stock.roofs, stock.links.units
    if not any(_has_timeline(coverage) for coverage in stock.pack.coverage):
        return ()
    rows_by_code: dict[str, list[str]] = {code: [] for code in _NOTICES}
    ids = roofs["building_id"].astype(str).tolist()
    known, zones = set(ids), _names(units[(units["level"] == "zone").to_numpy(dtype=bool)])
    names = _names(units) | {CITY, coverage_rules().units[CITY].text.pick("zh")}
    dated = set()
    for building, unit, year, _ in _schedule_rows(schedule, 1.0):
        past = year is not None and year <= reference_date.year
        if building is not None:
            dated |= {building} if past else set()
            rows_by_code["schedule_building_unknown"] += [building] if building not in known else []
        elif unit is not None:
            rows_by_code["schedule_unit_unknown"] += [unit] if unit not in names else []
            rows_by_code["schedule_unit_past"] += [unit] if past and unit in names else []
            rows_by_code["schedule_unit_zone"] += [unit] if not past and unit in zones else []
    kwp, years = numeric_column(roofs, "existing_pv_kwp"), numeric_column(roofs, "existing_pv_year")
    undated = (kwp > 0) & np.isnan(years)
    rows_by_code["pv_year_unknown"] = [i for i, open_ in zip(ids, undated, strict=True) if open_ and i not in dated]
    return tuple(
        notice
        for code, rows in rows_by_code.items()
        for notice in Notice.counted(code, rows, _NOTICES[code], source="timeline")
    )


def _names(units: pd.DataFrame) -> set[str]:
    """Ids and names by which a schedule may name units."""
    return set(units["unit_id"].astype(str)) | set(units["unit_name"].dropna().astype(str))


_NOTICES = {
    "pv_year_unknown": Text(
        "{n} roofs have existing PV of unknown year: in earlier years the bounds of the timeline count it in and out",
        "{n} 个屋顶的已装光伏并网年份不明：历年进度的上下限分别按已有与未有计算",
    ),
    "schedule_building_unknown": Text(
        "{n} rows of the schedule name a building that is not there: they do not count",
        "{n} 行建设时序所列建筑不在数据中，不计入",
    ),
    "schedule_unit_unknown": Text(
        "{n} rows of the schedule name a unit that is not there: they do not count",
        "{n} 行建设时序所列单元不在数据中，不计入",
    ),
    "schedule_unit_zone": Text(
        "{n} rows of the schedule name a functional zone: they count in the zone, in no district and not in the city",
        "{n} 行建设时序以功能区为单元：只计入该功能区，不计入县区与全市",
    ),
    "schedule_unit_past": Text(
        "{n} rows of the schedule are past and name no building: the inventory holds what stands, they do not count "
        "again",
        "{n} 行建设时序属已过年份且未指明建筑：已建部分以存量数据为准，不重复计入",
    ),
}
