"""Coverage of every unit under every definition, with exact bounds over what is not known.

A row is one unit × target × kind × reading × cohort × aggregation × building group × numerator × denominator. The
central value counts the buildings known to belong; the bounds are the smallest and the largest value over every
assignment of the buildings that may or may not belong and of the roofs that may or may not be installable.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rooftop.core.types import B1, F8, I8
from rooftop.tables import COVERAGE, conform
from rooftop.targets.basis import Basis, Links, denominator, existing_pv, numerator, standing_at_most
from rooftop.targets.bounds import TOLERANCE, attainment, ratio_bounds
from rooftop.targets.models import (
    Aggregation,
    BuildingGroup,
    Coverage,
    CoverageKind,
    CoverageTarget,
    Pack,
    ScopeReading,
    Target,
    YearSpan,
)
from rooftop.targets.scope import NO, PRESUMED, UNKNOWN, YES
from rooftop.targets.stock import Stock

ALL_AGES = "all"
Answers = NDArray[np.int8]


@dataclass(frozen=True)
class Ratios:
    """Results of one combination, arrays (n_units, n_definitions); NaN where there is none."""

    numerator_m2: F8
    denominator_m2: F8
    central: F8
    low: F8
    high: F8


@dataclass(frozen=True)
class _Choice:
    """One combination of everything but unit and definition."""

    coverage: Coverage
    entry: CoverageTarget
    target: Target | None
    kind: CoverageKind
    reading: ScopeReading
    window: YearSpan | None
    aggregation: Aggregation
    group: BuildingGroup


@dataclass(frozen=True)
class _Block:
    """Rows of one combination: what they share, and arrays (n_units × definitions) beside the unit of each."""

    unit: NDArray[np.intp]
    same: dict[str, object]
    values: dict[str, NDArray[Any]]


@dataclass
class _Run:
    """What stays the same over all combinations, and what was computed already."""

    stock: Stock
    planned: B1 | None
    answers: dict[tuple[str, str, str, str], Answers] = field(default_factory=dict)
    ratios: dict[tuple[object, ...], Ratios] = field(default_factory=dict)

    @property
    def basis(self) -> Basis:
        return self.stock.basis

    @property
    def links(self) -> Links:
        return self.stock.links


class CoverageBook:
    """Coverage of a stock, where a selection of roofs follows from installed coverage: each kind is computed once.

    Parameters
    ----------
    stock : Stock
    """

    def __init__(self, stock: Stock) -> None:
        self._stock = stock
        self._answers: dict[tuple[str, str, str, str], Answers] = {}
        self._blocks: dict[int, _Block] = {}

    def table(self, planned: pd.Series | None = None) -> pd.DataFrame:
        """Return the table as `coverage_table` does; rows that no selection changes are those of the first time."""
        run = _Run(self._stock, self._stock.planned_rows(planned), self._answers)
        blocks = []
        for k, choice in enumerate(_choices(self._stock.pack)):
            if choice.kind == "planned":
                blocks += [] if planned is None else [_block(run, choice)]
                continue
            if k not in self._blocks:
                self._blocks[k] = _block(run, choice)
            blocks.append(self._blocks[k])
        columns = [*COVERAGE.names, "n_needs_survey", "gap_roofs"]
        table = _assemble(run.links.units, blocks) if blocks else pd.DataFrame(columns=columns)
        return conform(table, COVERAGE).astype({"n_needs_survey": "Int64", "gap_roofs": "Int64"})


def coverage_table(stock: Stock, *, planned: pd.Series | None = None) -> pd.DataFrame:
    """Compute coverage of every unit under every definition of a pack.

    Parameters
    ----------
    stock : Stock
    planned : Series of bool, optional
        Selected roofs, index of the stock's `roofs`; without it there are no planned rows.

    Returns
    -------
    DataFrame
        `tables.COVERAGE`, and ``n_needs_survey`` and ``gap_roofs``: the gap in typical roofs of the group.
        ``coverage`` counts the buildings known (or by their code presumed) to belong; ``n_unknown`` those whose
        membership is open either way. ``attained`` follows the bounds, for potential it says whether the target is
        attainable; ``unknown`` where no building is known to belong, null where the pack sets no value or none could.
        Where no roof states its existing PV, installed and planned coverage are null, their bounds nothing and all that
        fits.

    Raises
    ------
    ComputeError
        `planned` does not have the index of the roofs.
    """
    return CoverageBook(stock).table(planned)


def _assemble(units: pd.DataFrame, blocks: list[_Block]) -> pd.DataFrame:
    """Put blocks under each other, ordered by unit; column by column, a frame per block would take seconds."""
    sizes = [block.unit.size for block in blocks]
    unit = np.concatenate([block.unit for block in blocks])
    order = np.argsort(unit, kind="stable")
    out: dict[str, object] = {name: units[name].take(unit[order]).array for name in units.columns}
    for name in blocks[0].same:
        values = np.array([block.same[name] for block in blocks], dtype=object)
        out[name] = np.repeat(values, sizes)[order]
    for name in blocks[0].values:
        out[name] = np.concatenate([block.values[name].ravel() for block in blocks])[order]
    return pd.DataFrame(out)


def _choices(pack: Pack) -> Iterator[_Choice]:
    for coverage in pack.coverage:
        for entry in coverage.targets:
            target = None if entry.id is None else pack.target(entry.id)
            aggregations: list[Aggregation] = [
                a for a in coverage.aggregation.evaluated if a == "pooled" or target is not None
            ]
            for kind in coverage.kinds:
                for reading in coverage.readings:
                    for window in entry.windows():
                        for aggregation in aggregations:
                            for group in coverage.groups:
                                yield _Choice(coverage, entry, target, kind, reading, window, aggregation, group)


def _answers(run: _Run, choice: _Choice) -> Answers:
    """Membership of every roof in a group; a union takes the surest answer, no building twice."""
    cohort = ALL_AGES if choice.window is None else choice.window.id
    key = (choice.coverage.id, choice.reading.id, cohort, choice.group.id)
    if key not in run.answers:
        run.answers[key] = run.stock.answers(choice.reading.scope(choice.group), choice.window)
    return run.answers[key]


def _block(run: _Run, choice: _Choice) -> _Block:
    """Rows of one combination: units × numerators × denominators."""
    answers = _answers(run, choice)
    ratios = _ratios(run, choice, answers)
    coverage, links, target = choice.coverage, run.links, choice.target
    pairs = [(n, d) for n in coverage.numerators for d in coverage.denominators]
    n_units, q = len(links.units), len(pairs)
    certain = answers >= PRESUMED
    counts = {
        "n_buildings": _count(links, certain),
        "n_unknown": _count(links, (answers == UNKNOWN) | (answers == PRESUMED)),
        "n_needs_survey": _count(links, certain & run.basis.needs_survey),
    }
    gap_m2, gap_kwp = _gaps(run, choice, answers, ratios)
    is_default = choice.group.front and choice.reading.default and choice.window == choice.entry.window
    is_default = is_default and choice.aggregation == coverage.aggregation.default
    default = [
        is_default and pair == (choice.group.default.numerator, choice.group.default.denominator) for pair in pairs
    ]
    return _Block(
        unit=np.repeat(np.arange(n_units), q),
        same={
            "target_id": None if target is None else target.id,
            "year": None if target is None else target.year,
            "target": None if target is None else target.value,
            "target_nature": None if target is None else target.nature,
            "kind": choice.kind,
            "scope_reading": choice.reading.id,
            "cohort": ALL_AGES if choice.window is None else choice.window.id,
            "aggregation": choice.aggregation,
            "building_group": choice.group.id,
        },
        values={
            "numerator": np.tile(np.array([n for n, _ in pairs], dtype=object), n_units),
            "denominator": np.tile(np.array([d for _, d in pairs], dtype=object), n_units),
            **{name: np.repeat(values, q) for name, values in counts.items()},
            "numerator_m2": ratios.numerator_m2,
            "denominator_m2": ratios.denominator_m2,
            "coverage": ratios.central,
            "coverage_low": ratios.low,
            "coverage_high": ratios.high,
            "gap_m2": gap_m2,
            "gap_kwp": gap_kwp,
            "gap_roofs": typical_roofs(run.basis, answers, gap_kwp),
            # Where only open buildings may be in scope there may be nothing to attain: no verdict.
            "attained": attainment(ratios.low, ratios.high, _required_value(choice), ~np.isnan(ratios.central)),
            "is_default": np.tile(default, n_units),
        },
    )


def _required_value(choice: _Choice) -> float:
    """Value that the ratio of this aggregation must reach."""
    if choice.target is None:
        return np.nan
    return choice.target.value if choice.aggregation == "pooled" else choice.coverage.aggregation.required_share


def _count(links: Links, rows: B1) -> I8:
    inside = rows[links.row] & (links.weight > 0)
    return np.bincount(links.unit[inside], minlength=len(links.units))


def _ratios(run: _Run, choice: _Choice, answers: Answers) -> Ratios:
    value = choice.target.value if choice.target is not None and choice.aggregation != "pooled" else None
    pairs = (choice.coverage.numerators, choice.coverage.denominators)
    key = (pairs, choice.kind, choice.aggregation, value, answers.tobytes())
    if key not in run.ratios:
        run.ratios[key] = _compute(run, choice, answers, value)
    return run.ratios[key]


def _compute(run: _Run, choice: _Choice, answers: Answers, value: float | None) -> Ratios:
    """Central ratio and its bounds; `value` given: shares of buildings that reach it."""
    links = run.links
    link_rows = np.flatnonzero((answers[links.row] != NO) & (links.weight > 0))
    unit, row, weight = links.unit[link_rows], links.row[link_rows], links.weight[link_rows]
    ways = _ways(run, choice, row, weight, value)
    answer = answers[row]
    n_units = len(links.units)
    central = answer >= PRESUMED
    top = _sum(unit[central], ways.n_yes[central], n_units)
    bottom = _sum(unit[central], ways.d_yes[central], n_units)
    standing = choice.kind != "potential"
    survey, open_pv = run.basis.needs_survey[row], run.basis.pv_unknown[row] & standing
    fixed = (answer == YES) & ~survey & ~open_pv
    out = (answer != YES)[:, None]
    # Option 0: in and installable. 1: in, nothing more to install. 2: out, where it may be out. 3: as much PV as fits.
    n = np.stack([ways.n_yes, ways.n_no, np.where(out, 0.0, ways.n_yes), ways.n_most], axis=1)[~fixed]
    d = np.stack([ways.d_yes, ways.d_no, np.where(out, 0.0, ways.d_yes), ways.d_yes], axis=1)[~fixed]
    base_n = _sum(unit[fixed], ways.n_yes[fixed], n_units)
    base_d = _sum(unit[fixed], ways.d_yes[fixed], n_units)
    low, high = ratio_bounds(unit[~fixed], n, d, base_n, base_d)
    if standing and not run.basis.inventory:
        top = np.full_like(top, np.nan)
    ratio = np.divide(top, bottom, out=np.full_like(top, np.nan), where=bottom > 0)
    # The central value is one of the assignments: where sums round differently it must not lie outside.
    low, high = np.fmin(low, ratio), np.fmax(high, ratio)
    if value is not None:
        top = bottom = np.full_like(ratio, np.nan)
    return Ratios(top, bottom, ratio, low, high)


@dataclass(frozen=True)
class _Ways:
    """What each link adds, arrays (m, n_definitions): installable (yes), or nothing more to install (no).

    ``n_most`` is ``n_yes`` with all that fits on roofs of which nobody knows what stands there.
    """

    n_yes: F8
    d_yes: F8
    n_no: F8
    d_no: F8
    n_most: F8


def _ways(run: _Run, choice: _Choice, row: NDArray[np.intp], weight: F8, value: float | None) -> _Ways:
    names, unknown = choice.coverage.numerators, run.basis.pv_unknown & (choice.kind != "potential")
    tops = [numerator(run.basis, name, choice.kind, run.planned) for name in names]
    most = [
        top[0] if name == "installable" else standing_at_most(run.basis, name, top[0], unknown)
        for name, top in zip(names, tops, strict=True)
    ]
    bottoms = [denominator(run.basis, name) for name in choice.coverage.denominators]

    def spread(top: list[F8], survey: int) -> tuple[F8, F8]:
        n = np.repeat(np.stack([values[row] for values in top], axis=1), len(bottoms), axis=1)
        d = np.tile(np.stack([bottom[survey][row] for bottom in bottoms], axis=1), (1, len(tops)))
        if value is not None:
            n, d = ((n >= value * d * (1.0 - TOLERANCE)) & (d > 0)).astype(float), (d > 0).astype(float)
        return n * weight[:, None], d * weight[:, None]

    (n_yes, d_yes), (n_no, d_no) = spread([top[0] for top in tops], 0), spread([top[1] for top in tops], 1)
    return _Ways(n_yes, d_yes, n_no, d_no, spread(most, 0)[0])


def _sum(unit: NDArray[np.intp], values: F8, n_units: int) -> F8:
    q = values.shape[1]
    index = (unit[:, None] * q + np.arange(q)).ravel()
    sums = np.bincount(index, values.ravel(), minlength=n_units * q)
    return np.asarray(sums, dtype=np.float64).reshape(n_units, q)


def _gaps(run: _Run, choice: _Choice, answers: Answers, ratios: Ratios) -> tuple[F8, F8]:
    """Numerator area missing for the target, and the capacity of that area; NaN without value or coverage."""
    if choice.target is None:
        nothing = np.full(ratios.central.shape, np.nan)
        return nothing, nothing
    if choice.aggregation == "pooled":
        gap = np.maximum(choice.target.value * ratios.denominator_m2 - ratios.numerator_m2, 0.0)
    else:
        gap = _gap_by_building(run, choice, answers)
    gap[np.isnan(ratios.central)] = np.nan
    per_m2 = np.stack([kwp_per_m2(run.stock, answers, name) for name in choice.coverage.numerators], axis=1)
    return gap, gap * np.repeat(per_m2, len(choice.coverage.denominators), axis=1)


def _gap_by_building(run: _Run, choice: _Choice, answers: Answers) -> F8:
    """Area missing on the buildings nearest to the value, until the required share of them reaches it."""
    assert choice.target is not None
    links, value = run.links, choice.target.value
    use = np.flatnonzero((answers[links.row] >= PRESUMED) & (links.weight > 0))
    unit, weight = links.unit[use], links.weight[use]
    ways = _ways(run, choice, links.row[use], weight, None)
    n_units, q = len(links.units), ways.n_yes.shape[1]
    out = np.zeros((n_units, q))
    for k in range(q):
        n, d = ways.n_yes[:, k], ways.d_yes[:, k]
        short = np.where(d > 0, np.maximum(value * d - n, 0.0), 0.0)
        short[n >= value * d * (1.0 - TOLERANCE)] = 0.0
        required_weight = np.bincount(unit, weight * (d > 0), n_units) * choice.coverage.aggregation.required_share
        order = np.lexsort((short, unit))
        order = order[d[order] > 0]
        before = np.cumsum(weight[order]) - weight[order]
        start = np.zeros(n_units)
        first_unit, first = np.unique(unit[order], return_index=True)
        start[first_unit] = before[first]
        needed = before - start[unit[order]] < required_weight[unit[order]] - TOLERANCE
        out[:, k] = np.bincount(unit[order][needed], short[order][needed], n_units)
    return out


def kwp_per_m2(stock: Stock, answers: Answers, name: str) -> F8:
    """Mean kWp per m² of numerator in each unit's layouts of the group (n_units,); of all units where one has none."""
    basis, links = stock.basis, stock.links
    area = basis.roof["installable"] if name == "installable" else basis.layout[name]
    use = (answers[links.row] != NO) & (links.weight > 0)
    unit, row, weight = links.unit[use], links.row[use], links.weight[use]
    n_units = len(links.units)
    top = np.bincount(unit, basis.capacity_kwp[row] * weight, n_units)
    bottom = np.bincount(unit, area[row] * weight, n_units)
    member = answers != NO
    whole = float(area[member].sum())
    fallback = float(basis.capacity_kwp[member].sum()) / whole if whole > 0 else np.nan
    if whole <= 0 and name == "module":
        fallback = existing_pv(stock.pack).w_per_m2 / 1000.0
    return np.divide(top, bottom, out=np.full(n_units, fallback), where=bottom > 0)


def typical_roofs(basis: Basis, answers: Answers, gap_kwp: F8) -> NDArray[np.object_]:
    """Gap in roofs of the group's median capacity, rounded up; null where no roof of the group carries any."""
    typical = typical_roof_kwp(basis, answers)
    out = np.full(gap_kwp.shape, pd.NA, dtype=object)
    if np.isfinite(typical):
        known = ~np.isnan(gap_kwp)
        roofs = np.ceil(gap_kwp[known] / typical - TOLERANCE)
        out[known] = roofs.astype(int)
    return out


def typical_roof_kwp(basis: Basis, answers: Answers) -> float:
    """Median capacity of the group's roofs that carry any [kWp]; NaN where none does."""
    capacity = basis.capacity_kwp[(answers != NO) & (basis.capacity_kwp > 0)]
    return float(np.median(capacity)) if capacity.size else np.nan
