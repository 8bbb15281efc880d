"""What takes room on roofs before any module is placed: declared exclusions and existing PV."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import shapely

from rooftop.core.lang import Text
from rooftop.core.notices import Notice
from rooftop.core.types import F8, Geometries
from rooftop.inputs.roof_uses import RoofAreas, roof_use_rules


@dataclass(frozen=True)
class OccupiedAreas:
    """Room that is taken, by row of the building.

    Parameters
    ----------
    excluded : dict of int to geometry
        Declared exclusions with their clearance, in plan.
    existing_pv : dict of int to geometry
        Outlines of existing PV, in plan.
    clearance_m : float
        Between existing PV and new modules.
    unplaced_m2 : ndarray, shape (n_roofs,)
        Module area of existing PV that is declared without an outline: where on the roof it lies is not known.
    """

    excluded: dict[int, shapely.Geometry] = field(default_factory=dict)
    existing_pv: dict[int, shapely.Geometry] = field(default_factory=dict)
    clearance_m: float = 0.0
    unplaced_m2: F8 = field(default_factory=lambda: np.zeros(0))

    def without_exclusions(self, roof: int, zone: shapely.Geometry) -> shapely.Geometry:
        """Return what exclusions on a roof leave of a zone."""
        excluded = self.excluded.get(roof)
        return zone if excluded is None else shapely.difference(zone, excluded)

    def without_existing_pv(self, roof: int, net: shapely.Geometry) -> shapely.Geometry:
        """Return what existing PV on a roof leaves of a zone, by the clearance."""
        standing = self.existing_pv.get(roof)
        if standing is None:
            return net
        return shapely.difference(net, shapely.buffer(standing, self.clearance_m, join_style="mitre"))

    def existing_pv_m2(self, roof: int, plan: shapely.Geometry) -> float:
        """Return the area in plan that existing PV on a roof takes of a plane."""
        standing = self.existing_pv.get(roof)
        return 0.0 if standing is None else float(shapely.intersection(plan, standing).area)


@dataclass(frozen=True)
class StandingPv:
    """Existing PV of every roof after outlines and declarations are brought together.

    Parameters
    ----------
    kwp : ndarray, shape (n_roofs,)
        The declared capacity, else that of the outlines; NaN where neither says anything.
    year : Series of Int64, length n_roofs
        The declared year, else the latest of the outlines.
    """

    kwp: F8
    year: pd.Series


def occupied_areas(
    exclusions: RoofAreas | None,
    existing_pv: RoofAreas | None,
    buildings: pd.DataFrame,
    visible: Geometries,
    *,
    w_per_m2: float,
    clearance_m: float,
) -> tuple[OccupiedAreas, StandingPv, tuple[Notice, ...]]:
    """Lay declared polygons on roofs.

    A polygon belongs to every roof with which it shares ``min_overlap_m2`` of `configs/roof_uses.yaml`; capacity is
    divided by the shared areas. Where a roof declares a capacity, that holds, and a disagreement with its outlines is
    counted.

    Parameters
    ----------
    buildings : DataFrame
        ``existing_pv_kwp existing_pv_year``, one row per roof.
    visible : (n_roofs,) geometries
        In plan; empty for what is no roof.
    w_per_m2 : float
        Capacity of existing PV per module area: outlines without a capacity count as module area, and declared
        capacity without an outline becomes module area by it.
    clearance_m : float
        Between existing PV and new modules.
    """
    tree = shapely.STRtree(visible)
    excluded, notices = _exclusions(exclusions, tree, visible)
    kwp = pd.to_numeric(buildings["existing_pv_kwp"], errors="coerce").to_numpy(dtype=float, na_value=np.nan)
    year = buildings["existing_pv_year"].astype("Int64").reset_index(drop=True)
    placed: dict[int, shapely.Geometry] = {}
    if existing_pv is not None:
        pairs = _pairs(existing_pv.table.geometry.to_numpy(), tree, visible)
        placed = _by_roof(pairs, existing_pv.table.geometry.to_numpy())
        kwp, year, capacity_notices = _capacities(existing_pv, pairs, kwp, year, w_per_m2)
        notices = (*notices, *capacity_notices)
    unplaced_m2 = np.maximum(np.nan_to_num(kwp), 0.0) * 1000.0 / w_per_m2
    unplaced_m2[list(placed)] = 0.0
    if (unplaced_m2 > 0.0).any():
        n = int((unplaced_m2 > 0.0).sum())
        text = Text(
            f"{n} roofs have existing PV whose place is not known: its area is taken evenly from the roof's planes",
            f"{n} 个屋顶已装光伏的位置未知，其面积按各坡面组件数量均匀扣除",
        )
        notices = (*notices, Notice("existing_pv_unplaced", text, n, "info", "footprints"))
    return OccupiedAreas(excluded, placed, clearance_m, unplaced_m2), StandingPv(kwp, year), notices


def _pairs(shapes: Geometries, tree: shapely.STRtree, visible: Geometries) -> pd.DataFrame:
    """Return which shape shares how much area with which roof: ``shape roof area_m2``, by roof."""
    shape, roof = tree.query(shapes, predicate="intersects")
    area = shapely.area(shapely.intersection(shapes[shape], visible[roof]))
    pairs = pd.DataFrame({"shape": shape, "roof": roof, "area_m2": area})
    enough = area >= np.minimum(roof_use_rules().min_overlap_m2.value, 0.5 * shapely.area(shapes[shape]))
    return pairs[enough].sort_values(["roof", "shape"], ignore_index=True)


def _by_roof(pairs: pd.DataFrame, shapes: Geometries) -> dict[int, shapely.Geometry]:
    row, roof = pairs["shape"].to_numpy(), pairs["roof"].to_numpy()
    groups = pairs.groupby("roof", sort=True).indices.values()
    return {int(roof[at[0]]): shapely.union_all(shapes[row[at]]) for at in groups}


def _exclusions(
    exclusions: RoofAreas | None, tree: shapely.STRtree, visible: Geometries
) -> tuple[dict[int, shapely.Geometry], tuple[Notice, ...]]:
    if exclusions is None:
        return {}, ()
    away = exclusions.table["clearance_m"].to_numpy(dtype=float)
    shapes = exclusions.table.geometry.to_numpy().copy()
    shapes[away > 0] = shapely.buffer(shapes[away > 0], away[away > 0], join_style="mitre")
    pairs = _pairs(shapes, tree, visible)
    excluded, where = _by_roof(pairs, shapes), exclusions.provenance.path
    notices = list(_off_roof_notices("exclusion_off_roof", exclusions, pairs, "declared exclusions", "个不可安装区"))
    if excluded:
        n, roofs = int(pairs["shape"].nunique()), len(excluded)
        text = Text(
            f"{n} declared exclusions are taken out of {roofs} roofs", f"{n} 个不可安装区已从 {roofs} 个屋顶中扣除"
        )
        notices.append(Notice("exclusion_taken", text, n, "info", where))
    return excluded, tuple(notices)


def _off_roof_notices(code: str, areas: RoofAreas, pairs: pd.DataFrame, en: str, zh: str) -> Iterator[Notice]:
    """Count the polygons that touch no roof."""
    nowhere = areas.table.loc[~areas.table.index.isin(pairs["shape"]), "source_row"].tolist()
    text = Text(f"{{n}} {en} lie on no roof and change nothing", f"{{n}} {zh}不在任何屋顶上，未产生影响")
    yield from Notice.counted(code, nowhere, text, source=areas.provenance.path)


def _capacities(
    areas: RoofAreas, pairs: pd.DataFrame, declared: F8, year: pd.Series, w_per_m2: float
) -> tuple[F8, pd.Series, list[Notice]]:
    """Bring the outlines' capacity and year to roofs that declare none; count what must be known."""
    table, where = areas.table, areas.provenance.path
    notices = list(_off_roof_notices("existing_pv_off_roof", areas, pairs, "outlines of existing PV", "个已建光伏图斑"))
    stated = table["kwp"].to_numpy(dtype=float)
    from_area = np.isnan(stated) & table.index.isin(pairs["shape"])
    if from_area.any():
        n = int(from_area.sum())
        text = Text(
            f"{n} outlines of existing PV state no capacity: {w_per_m2:g} W per m² of outline are assumed",
            f"{n} 个已建光伏图斑未给出容量，按图斑面积 {w_per_m2:g} W/㎡ 推算",
        )
        notices.append(Notice("existing_pv_from_area", text, n, "warning", where))
    whole = np.where(np.isnan(stated), shapely.area(table.geometry.to_numpy()) * w_per_m2 / 1000.0, stated)
    shape, roof = pairs["shape"].to_numpy(), pairs["roof"].to_numpy()
    # What of an outline without capacity hangs over the roof's edge stays with the roof, as stated capacity does.
    on_roofs = np.bincount(shape, pairs["area_m2"], len(table))
    drawn = np.bincount(roof, whole[shape] * pairs["area_m2"] / on_roofs[shape], len(declared))
    has = np.isin(np.arange(len(declared)), roof)
    both = has & ~np.isnan(declared)
    apart = both & (np.abs(drawn - declared) > roof_use_rules().kwp_disagreement.value * np.abs(declared))
    if apart.any():
        n, share = int(apart.sum()), roof_use_rules().kwp_disagreement.value
        text = Text(
            f"on {n} roofs the declared existing PV and its outlines differ by more than {share:.0%}: the declared "
            f"capacity counts ({declared[apart].sum():,.0f} kWp; outlines {drawn[apart].sum():,.0f} kWp)",
            f"{n} 个屋顶的申报已装容量与图斑相差超过 {share:.0%}，以申报容量为准"
            f"（申报 {declared[apart].sum():,.0f} kWp，图斑 {drawn[apart].sum():,.0f} kWp）",
        )
        notices.append(Notice("existing_pv_disagrees", text, n, "warning", where))
    latest = table["year"].astype("Int64").iloc[shape].reset_index(drop=True).groupby(roof).max()
    since = year.where(year.notna(), latest.reindex(range(len(declared))).astype("Int64"))
    if has.any():
        n, filled = int(pairs["shape"].nunique()), int((has & np.isnan(declared)).sum())
        text = Text(
            f"{n} outlines of existing PV lie on {int(has.sum())} roofs; {filled} of these declared no capacity",
            f"{n} 个已建光伏图斑落在 {int(has.sum())} 个屋顶上，其中 {filled} 个屋顶原未申报容量",
        )
        notices.append(Notice("existing_pv_placed", text, n, "info", where))
    return np.where(has & np.isnan(declared), drawn, declared), since, notices


def occupied_shares(planes: pd.DataFrame, visible: Geometries, taken: OccupiedAreas) -> pd.DataFrame:
    """Return shares for the layout by density, which knows no zones: one row per plane.

    Parameters
    ----------
    planes : DataFrame
        From :func:`rooftop.scene.roofs.open_planes`.

    Returns
    -------
    DataFrame
        ``excluded_share``: of the plane, what exclusions take behind the setback; ``left_share``: of what then is left
        behind the setback, what existing PV leaves; ``existing_pv_share``: of the plane, what lies under existing PV.
    """
    out = np.tile([0.0, 1.0, 0.0], (len(planes), 1))
    touched = planes["roof"].isin([*taken.excluded, *taken.existing_pv]).to_numpy()
    for k in np.flatnonzero(touched):
        roof, plan = int(planes["roof"].iloc[k]), planes["geometry"].iloc[k]
        whole = shapely.area(plan)
        if whole <= 0.0:
            continue
        outline = plan if planes["known"].iloc[k] >= 0 else visible[roof]
        setback_m = float(planes["setback_m"].iloc[k])
        inner = shapely.intersection(shapely.buffer(outline, -setback_m, join_style="mitre"), plan)
        net = taken.without_exclusions(roof, inner)
        room, behind = shapely.area(taken.without_existing_pv(roof, net)), shapely.area(net)
        under = taken.existing_pv_m2(roof, plan)
        out[k] = (shapely.area(inner) - behind) / whole, room / behind if behind > 0 else 1.0, under / whole
    return pd.DataFrame(out, columns=["excluded_share", "left_share", "existing_pv_share"], index=planes.index)
