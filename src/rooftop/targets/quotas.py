"""Quotas of a plan (连云港 附表2) laid over the roofs: the stock of each unit, and the PV its retrofit could carry."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from rooftop.core.types import B1, F8
from rooftop.tables import QUOTAS, conform
from rooftop.targets.basis import CITY, Basis, Links
from rooftop.targets.columns import known_or_zero
from rooftop.targets.floors import FloorAreas, floor_areas
from rooftop.targets.models import Pack, Target
from rooftop.targets.scope import completion_year
from rooftop.targets.stock import Stock

_M2 = {"万m²": 1e4, "亿m²": 1e8}
_LEAST_SHARE = 1e-9


@dataclass(frozen=True)
class _QuotaBuildings:
    """The buildings that a quota speaks of, arrays of length n: surely, perhaps, and what they hold."""

    sure: B1
    maybe: B1
    floors: FloorAreas
    added_kwp: F8
    annual_kwh: F8


@dataclass(frozen=True)
class QuotaFill:
    """The buildings that fill a quota of floor area with most PV.

    Parameters
    ----------
    share : ndarray, shape (n,)
        Part of each building that is taken: 1, 0, and in between for the last one.
    """

    share: F8


def best_filling(floor_m2: F8, added_kwp: F8, quota_m2: float) -> QuotaFill:
    """Take the buildings with most PV per m² of floor until the quota is full.

    With the last building taken in part this is the exact maximum of the relaxed knapsack (Dantzig, Operations Research
    5(2), 1957): no choice of whole buildings within the quota carries more.

    Parameters
    ----------
    floor_m2, added_kwp : ndarray, shape (n,)
    quota_m2 : float
    """
    share = np.zeros(floor_m2.size)
    useful = np.flatnonzero((floor_m2 > 0) & (added_kwp > 0))
    order = useful[np.argsort(-added_kwp[useful] / floor_m2[useful], kind="stable")]
    before = np.concatenate([[0.0], np.cumsum(floor_m2[order])[:-1]]) if order.size else np.empty(0)
    share[order] = np.clip((quota_m2 - before) / floor_m2[order], 0.0, 1.0)
    return QuotaFill(share)


def quota_table(stock: Stock) -> pd.DataFrame:
    """Lay the quotas of a pack over the roofs: what stands in each unit that has one, and what PV fits there.

    A unit is found by its id, else by a name that contains the plan's; a district excludes the buildings of the zones
    that have a quota of their own (附表2). A target that names its `stock` has a row for all districts together too.

    Parameters
    ----------
    stock : Stock

    Returns
    -------
    DataFrame
        `tables.QUOTAS`. ``gross_area_m2`` and ``capacity_kwp`` are those of all roofs of the unit. ``stock_area_m2`` is
        floor area of the buildings the quota speaks of (existing: completed before the plan's period; new: within it),
        ``stock_area_high_m2`` counts those of unknown year too. ``added_kwp`` is what fits, beside existing PV, on the
        roofs that fill the quota best: ``_low`` leaves out roofs to survey, ``_high`` takes buildings of unknown year
        too, ``_mean`` is a choice that does not look at roofs. Null where the unit is not among `units`, and the
        comparison null where the plan's excerpt states no unit of area.
    """
    basis, links, pack = stock.basis, stock.links, stock.pack
    floors = floor_areas(basis.roofs)
    rows = []
    for target in pack.targets:
        quota_buildings = _quota_buildings(basis, floors, pack, target)
        for place in _places(links, len(basis.roofs), pack, target):
            quota_m2 = place.value * _M2[target.unit] if target.unit in _M2 else np.nan
            entry: dict[str, object] = {
                "target_id": target.id,
                "year": target.year,
                "unit_id": pd.NA,
                "name": place.name,
                "level": place.level,
                "value": place.value,
                "unit": target.unit,
                "stock": target.stock,
                "quota_m2": quota_m2,
            }
            if place.unit is not None:
                entry["unit_id"] = links.units["unit_id"].iloc[place.unit]
                entry |= _contents(basis, pack, place.share)
                if quota_buildings is not None:
                    entry |= _overlay(quota_buildings, basis, place.share, quota_m2)
            rows.append(entry)
    frame = pd.DataFrame(rows).reindex(columns=QUOTAS.names) if rows else pd.DataFrame(columns=QUOTAS.names)
    return conform(frame, QUOTAS)


@dataclass(frozen=True)
class _Place:
    """One row of a target: what the plan says, the unit's row in `Links.units`, and the share of every building in it.

    Parameters
    ----------
    name, level : str
    value : float
        As written.
    unit : int or None
        None where the unit is not among the boundaries.
    share : ndarray, shape (n,)
    """

    name: str
    level: str
    value: float
    unit: int | None
    share: F8


def _places(links: Links, n: int, pack: Pack, target: Target) -> list[_Place]:
    """Return the rows of a target; a district loses the buildings of the zones that have a row of their own."""
    units = [_unit_of(links.units, row.name, row.unit_id, row.level) for row in target.districts]
    zoned = np.zeros(n)
    for row, unit in zip(target.districts, units, strict=True):
        if row.level == "zone" and unit is not None:
            zoned += _shares(links, unit, n)
    out = []
    for row, unit in zip(target.districts, units, strict=True):
        share = np.zeros(n) if unit is None else _shares(links, unit, n)
        if row.level == "district":
            share = np.maximum(share - zoned, 0.0)
        out.append(_Place(row.name, row.level, row.value, unit, np.where(share > _LEAST_SHARE, share, 0.0)))
    if target.stock is not None:
        out.append(_Place(pack.region.text.pick("zh"), CITY, target.value, 0, _shares(links, 0, n)))
    return out


def _shares(links: Links, unit: int, n: int) -> F8:
    in_unit = links.unit == unit
    return np.asarray(np.bincount(links.row[in_unit], links.weight[in_unit], n), dtype=np.float64)


def _unit_of(units: pd.DataFrame, name: str, unit_id: str | None, level: str) -> int | None:
    same = units["level"] == level
    hits = np.flatnonzero(same & (units["unit_id"] == unit_id)) if unit_id else np.empty(0, dtype=int)
    if not hits.size:
        hits = np.flatnonzero((same & units["unit_name"].str.contains(name, regex=False)).fillna(False))
    return int(hits[0]) if hits.size == 1 else None


def _quota_buildings(basis: Basis, floors: FloorAreas, pack: Pack, target: Target) -> _QuotaBuildings | None:
    if target.stock is None:
        return None
    year = completion_year(basis.roofs).to_numpy()
    last = np.inf if pack.period.end is None else pack.period.end
    new = (year >= pack.period.start) & (year <= last)
    sure = year < pack.period.start if target.stock == "existing" else new
    annual = known_or_zero(basis.roofs, "annual_kwh")
    return _QuotaBuildings(sure, np.isnan(year), floors, basis.capacity_kwp, annual)


def _contents(basis: Basis, pack: Pack, share: F8) -> dict[str, object]:
    """Count what stands in a unit, whatever the quota speaks of."""
    year = completion_year(basis.roofs).to_numpy()
    in_unit = share > 0
    return {
        "n_buildings": int(in_unit.sum()),
        "n_existing": int((in_unit & (year < pack.period.start)).sum()),
        "n_year_unknown": int((in_unit & np.isnan(year)).sum()),
        "gross_area_m2": float((basis.roof["gross"] * share).sum()),
        "capacity_kwp": float((basis.capacity_kwp * share).sum()),
    }


def _overlay(quota_buildings: _QuotaBuildings, basis: Basis, share: F8, quota_m2: float) -> dict[str, object]:
    area = np.nan_to_num(quota_buildings.floors.area_m2) * share
    sure = quota_buildings.sure & (share > 0)
    either = (quota_buildings.sure | quota_buildings.maybe) & (share > 0)
    total = float(area[sure].sum())
    out: dict[str, object] = {
        "n_stock": int(sure.sum()),
        "n_floors_assumed": int((sure & quota_buildings.floors.assumed).sum()),
        "stock_area_m2": total,
        "stock_area_high_m2": float(area[either].sum()),
    }
    if np.isnan(quota_m2):
        return out
    added = quota_buildings.added_kwp * share
    filling = best_filling(np.where(sure, area, 0.0), added, quota_m2)
    firm = np.where(basis.needs_survey, 0.0, added)
    low = best_filling(np.where(sure, area, 0.0), firm, quota_m2)
    high = best_filling(np.where(either, area, 0.0), added, quota_m2)
    mean = min(quota_m2 / total, 1.0) if total > 0 else np.nan
    return out | {
        "quota_share": quota_m2 / total if total > 0 else np.nan,
        "n_filled": int((filling.share > 0).sum()),
        "filled_roof_m2": float((filling.share * basis.roof["gross"] * share).sum()),
        "added_kwp": float((filling.share * added).sum()),
        "added_low_kwp": float((low.share * firm).sum()),
        "added_high_kwp": float((high.share * added).sum()),
        "added_mean_kwp": float(added[sure].sum()) * mean,
        "added_kwh": float((filling.share * quota_buildings.annual_kwh * share).sum()),
    }
