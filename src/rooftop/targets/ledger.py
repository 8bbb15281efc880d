"""The ledger beside the coverage table: buildings that fall short, what a reader must know."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rooftop.core.lang import Text
from rooftop.core.notices import Notice
from rooftop.core.types import B1, F8
from rooftop.targets.basis import denominator, excluded_for, existing_pv, numerator
from rooftop.targets.coverage_rules import coverage_rules
from rooftop.targets.models import BuildingGroup, Coverage, CoverageTarget, Definition, Scope, Target, YearSpan
from rooftop.targets.scope import NO, PRESUMED, UNKNOWN, YES
from rooftop.targets.stock import Stock

MEMBERSHIP = {YES: "certain", PRESUMED: "presumed", UNKNOWN: "possible"}
SHORTFALL_COLUMNS = {
    "target_id": "string",
    "building_id": "string",
    "building_group": "string",
    "membership": "string",
    "numerator": "string",
    "denominator": "string",
    "target": "float64",
    "numerator_m2": "float64",
    "denominator_m2": "float64",
    "coverage": "float64",
    "gap_m2": "float64",
    "gap_kwp": "float64",
    "coverage_potential": "float64",
    "attainable": "string",
}


def shortfalls(stock: Stock) -> pd.DataFrame:
    """List the buildings in scope whose own installed coverage is below the target.

    Every target of the pack is taken with the pack's default reading, cohort and definition. A building that may be in
    scope is listed as such; one without any denominator area cannot fall short and is not.

    Parameters
    ----------
    stock : Stock
        Only buildings of a district are listed, where there are districts.

    Returns
    -------
    DataFrame
        ``target_id building_id building_group membership`` (certain; presumed, by a use code that covers several
        uses; possible) ``numerator denominator target numerator_m2 denominator_m2 coverage gap_m2 gap_kwp``, and
        ``coverage_potential``, ``attainable`` (yes | no | unknown: to survey): whether the building's own roof can
        close the gap. Ordered by target, membership, gap (largest first), id. Nobody is listed of whom it is not known
        what stands on the roof: the list is empty where no roof states its existing PV.
    """
    in_city = np.zeros(len(stock.basis.roofs), dtype=bool)
    in_city[stock.links.row[stock.links.unit == 0]] = True
    parts = [
        _short_of(stock, in_city, coverage, entry, target)
        for coverage in stock.pack.coverage
        if "installed" in coverage.kinds
        for entry, target in stock.pack.targets_of(coverage)
    ]
    if not parts:
        return pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in SHORTFALL_COLUMNS.items()})
    return pd.concat(parts, ignore_index=True).astype(SHORTFALL_COLUMNS)


def _short_of(stock: Stock, in_city: B1, coverage: Coverage, entry: CoverageTarget, target: Target) -> pd.DataFrame:
    answers, surest = _first_group(stock, coverage, entry.window)
    parts = []
    for group in coverage.plain_groups:
        rows = np.flatnonzero(in_city & (answers != NO) & (surest == group.id))
        parts.append(_short_rows(stock, target, group, rows, answers))
    out = pd.concat(parts, ignore_index=True)
    order = {name: k for k, name in enumerate(MEMBERSHIP.values())}
    keys = pd.DataFrame(
        {"membership": out["membership"].map(order), "gap": -out["gap_m2"], "id": out["building_id"].astype(str)}
    )
    return out.loc[keys.sort_values(["membership", "gap", "id"], kind="stable").index]


def _first_group(
    stock: Stock, coverage: Coverage, window: YearSpan | None
) -> tuple[NDArray[np.int8], NDArray[np.object_]]:
    """Answer for the union of all groups, and the group each building belongs to most surely (the first of equals)."""
    scopes = [coverage.default_reading.scope(group) for group in coverage.plain_groups]
    each = np.stack([stock.answers(scope, window) for scope in scopes])
    whole = stock.answers(Scope(any=tuple(scopes)), window)
    return whole, np.array([group.id for group in coverage.plain_groups], dtype=object)[np.argmax(each, axis=0)]


def _short_rows(
    stock: Stock, target: Target, group: BuildingGroup, rows: NDArray[np.intp], answers: NDArray[np.int8]
) -> pd.DataFrame:
    basis, definition = stock.basis, group.default
    area = denominator(basis, definition.denominator)[0]
    standing = numerator(basis, definition.numerator, "installed", None)[0]
    possible = numerator(basis, definition.numerator, "potential", None)[0]
    gap = target.value * area - standing
    rows = rows[(area[rows] > 0) & (gap[rows] > 1e-9 * area[rows]) & ~basis.pv_unknown[rows]]
    best = possible[rows] / area[rows]
    attainable = np.where(best >= target.value - 1e-9, "yes", "no")
    return pd.DataFrame(
        {
            "target_id": target.id,
            "building_id": basis.roofs["building_id"].to_numpy()[rows],
            "building_group": group.id,
            "membership": [MEMBERSHIP[int(answer)] for answer in answers[rows]],
            "numerator": definition.numerator,
            "denominator": definition.denominator,
            "target": target.value,
            "numerator_m2": standing[rows],
            "denominator_m2": area[rows],
            "coverage": standing[rows] / area[rows],
            "gap_m2": gap[rows],
            "gap_kwp": gap[rows] * _kwp_per_m2(stock, definition, rows),
            "coverage_potential": best,
            "attainable": np.where(basis.needs_survey[rows], "unknown", attainable),
        }
    )


def _kwp_per_m2(stock: Stock, definition: Definition, rows: NDArray[np.intp]) -> F8:
    """Capacity per m² of numerator on each roof; the mean of the rows where a roof has no layout."""
    basis, name = stock.basis, definition.numerator
    area = (basis.roof["installable"] if name == "installable" else basis.layout[name])[rows]
    capacity = basis.capacity_kwp[rows]
    total = float(area.sum())
    mean = float(capacity.sum()) / total if total > 0 else existing_pv(stock.pack).w_per_m2 / 1000.0
    return np.divide(capacity, area, out=np.full(area.size, mean), where=area > 0)


def coverage_notices(stock: Stock) -> tuple[Notice, ...]:
    """Say what a reader of the coverage table must know: what is unknown, empty, assumed or implausible."""
    roofs, basis, links, pack = stock.roofs, stock.basis, stock.links, stock.pack
    if not pack.coverage:
        return ()
    ids = basis.roofs["building_id"].astype(str).to_numpy()
    membership_open = np.zeros(len(ids), dtype=bool)
    for coverage in pack.coverage:
        for entry in coverage.targets:
            answers = _first_group(stock, coverage, entry.window)[0]
            membership_open |= (answers == UNKNOWN) | (answers == PRESUMED)
    exceeds_roof = basis.installed["module"] > np.maximum(basis.roof["gross"], 0.0) * (1 + 1e-9)
    skipped = excluded_for(roofs, coverage_rules().not_computed)
    occupied = np.bincount(links.unit, minlength=len(links.units)) > 0
    empty = links.units[~occupied & (links.units["level"] == "district").to_numpy(dtype=bool)]
    stated = bool(roofs["existing_pv_kwp"].notna().any())
    texts = _NOTICES | ({"no_pv_inventory": _NONE_COMPUTED} if stated else {})
    rows_by_code: dict[str, list[str] | int] = {
        "no_pv_inventory": 0 if basis.inventory else len(ids),
        "membership_open": ids[membership_open].tolist(),
        "installed_exceeds_roof": ids[exceeds_roof].tolist(),
        "coverage_not_computed": roofs["building_id"].astype(str).to_numpy()[skipped].tolist(),
        "district_empty": empty["unit_name"].fillna(empty["unit_id"]).astype(str).tolist(),
    }
    return tuple(
        notice
        for code, which in rows_by_code.items()
        for notice in Notice.counted(code, which, texts[code], source="targets")
    )


_NONE_COMPUTED = Text(
    "the roofs that state existing PV were not computed: installed coverage is not known",
    "给出已装光伏的屋顶均未能计算：已建覆盖率未知",
)
_NOTICES = {
    "no_pv_inventory": Text(
        "no roof states its existing PV: installed coverage is not known", "没有任何屋顶给出已装光伏：已建覆盖率未知"
    ),
    "membership_open": Text(
        "{n} buildings may or may not be in scope: their class or date is not known; the bounds count them in and out",
        "{n} 栋建筑因类别或竣工时间不明而归属不定，上下限已按计入与不计入分别计算",
    ),
    "installed_exceeds_roof": Text(
        "{n} roofs state more existing PV than their whole area could carry; nothing is clipped",
        "{n} 个屋顶的已装容量超出整个屋顶所能容纳，按原值保留",
    ),
    "coverage_not_computed": Text(
        "{n} roofs were not computed and are in no coverage number", "{n} 个屋顶未能计算，不进入任何覆盖率"
    ),
    "district_empty": Text(
        "{n} districts hold no building: their coverage is null", "{n} 个县区内没有建筑：覆盖率为空"
    ),
}
