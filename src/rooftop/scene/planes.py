"""Planes of the roofs that a roof model knows: tied to footprints, seen from above, checked against the terrain."""

from __future__ import annotations

from dataclasses import dataclass, field

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from rooftop.core.errors import InputError
from rooftop.core.lang import Text
from rooftop.core.notices import Notice
from rooftop.core.roof_rules import ModelledRoofs
from rooftop.core.types import F8, I8, Geometries
from rooftop.inputs.cityjson import RoofModel
from rooftop.scene.model_planes import LEAST_PLAN_M2, LEVEL_DEG, centres, merged_planes, polygonal, surface_planes

_OVERLAP_M2 = 0.05
PLANE_COLUMNS = ("roof", "plane_id", "surface_tilt_deg", "surface_azimuth_deg", "area_m2", "roof_source", "z_m")


@dataclass(frozen=True)
class RoofPlanes:
    """Planes of roofs that are known, in the working CRS.

    Parameters
    ----------
    table : GeoDataFrame
        ``roof`` (row of the building), ``plane_id``, ``surface_tilt_deg``, ``surface_azimuth_deg`` (true north),
        ``area_m2`` (in the plane), ``roof_source`` (lod2 | dsm), ``z_m`` (elevation at the centroid of the plan) and
        the plan as ``geometry``. The planes of a roof do not overlap in plan.
    notices : tuple of Notice
    obstacles : dict
        By roof: polygons in plan and heights above the plane [m] of what stands on it, where that was measured.
    drops : dict
        By row of `table`: where the plane ends above something lower, from :func:`rooftop.scene.drops.drops_of`.
    raised : ndarray of int64
        Rows of `table` that are the tops of stair heads and lift rooms, from :mod:`rooftop.scene.raised`.
    """

    table: gpd.GeoDataFrame
    notices: tuple[Notice, ...] = ()
    obstacles: dict[int, tuple[Geometries, F8]] = field(default_factory=dict)
    drops: dict[int, shapely.Geometry] = field(default_factory=dict)
    raised: I8 = field(default_factory=lambda: np.zeros(0, dtype=np.int64))


def lod2_planes(
    model: RoofModel,
    buildings: gpd.GeoDataFrame,
    visible: Geometries,
    base_m: F8,
    convergence_deg: F8,
    rules: ModelledRoofs,
    *,
    terrain_known: bool,
) -> RoofPlanes:
    """Return the planes of the roofs that a model knows.

    A plane belongs to the footprint whose id its building carries (`id_field`, else the ids of the objects); else to
    the one that holds most of its plan, wholly from ``rules.whole_from_share`` on, else cut along footprints. What
    another footprint or a higher plane of the same roof covers is cut off.

    Parameters
    ----------
    buildings : GeoDataFrame
        Working CRS, with ``building_id source_id``.
    visible : (n,) ndarray of geometries
        Footprints without what a higher one covers; empty ones take no planes.
    base_m : (n,)
        Terrain under each footprint [m].
    convergence_deg : (n,)
        True azimuth of grid north at each building.
    terrain_known : bool
        False where no terrain model is given: heights then count from the lowest point of each modelled building.

    Raises
    ------
    InputError
        The model lies elsewhere, or its heights do not fit the terrain.
    """
    surfaces, model_notices = surface_planes(model, rules)
    planes = merged_planes(surfaces, rules)
    matched = _plane_roof_pairs(planes, buildings, visible, rules)
    _require_overlap(planes, matched, buildings)
    n_unmatched = len(planes) - matched["plane"].nunique()
    if not terrain_known:
        matched["z_m"] = matched["z_m"] - matched["ground_z_m"] + base_m[matched["roof"].to_numpy()]
    notices = list(model_notices)
    matched = _plausible_planes(matched, base_m, rules, notices)
    matched = _without_covered_parts(matched)
    matched = _well_modelled(matched, visible, rules, notices)
    if n_unmatched:
        text = Text(
            f"{n_unmatched} planes of the roof model belong to no footprint",
            f"屋顶模型中 {n_unmatched} 个坡面不属于任何建筑轮廓",
        )
        notices.append(Notice("roof_plane_without_footprint", text, n_unmatched, "info", "inputs.roofs"))
    return RoofPlanes(_plane_table(matched, buildings, convergence_deg), tuple(notices))


def _plane_roof_pairs(
    planes: gpd.GeoDataFrame, buildings: gpd.GeoDataFrame, visible: Geometries, rules: ModelledRoofs
) -> gpd.GeoDataFrame:
    """Return one row per plane and footprint, with ``roof`` and the row of the ``plane``."""
    by_id = _roof_by_id(planes, buildings)
    plans = planes.geometry.to_numpy()
    rows = np.flatnonzero(~shapely.is_empty(visible))
    plane_row, roof_row = shapely.STRtree(visible[rows]).query(plans, predicate="intersects")
    roof_row = rows[roof_row]
    shared = shapely.intersection(plans[plane_row], visible[roof_row])
    pairs = pd.DataFrame(
        {"plane": plane_row, "roof": roof_row, "share": shapely.area(shared) / shapely.area(plans[plane_row])}
    )
    pairs["cut"] = shared
    pairs = pairs[pairs["share"] > 0.0]
    named = by_id[pairs["plane"].to_numpy()]
    pairs = pairs[(named < 0) | (named == pairs["roof"].to_numpy())].sort_values(
        ["plane", "share"], ascending=[True, False]
    )
    first = ~pairs["plane"].duplicated()
    most = pairs["plane"].map(pairs[first].set_index("plane")["share"])
    whole = (by_id[pairs["plane"].to_numpy()] >= 0) | (most >= rules.whole_from_share)
    kept = pairs[first | ~whole].reset_index(drop=True)
    whole = whole[first | ~whole].to_numpy(dtype=bool)
    geometry = np.where(whole, plans[kept["plane"].to_numpy()], kept["cut"].to_numpy())
    neighbours = _without_others(geometry, kept["roof"].to_numpy(), visible, rows)
    return _with_smaller_plans(
        planes.iloc[kept["plane"].to_numpy()].assign(roof=kept["roof"].to_numpy(), plane=kept["plane"].to_numpy()),
        neighbours,
    )


def _roof_by_id(planes: gpd.GeoDataFrame, buildings: gpd.GeoDataFrame) -> I8:
    """Return the building whose id each plane carries, -1 where it carries none."""
    row: dict[str, int] = {}
    for column in ("source_id", "building_id"):
        ids = buildings[column].astype("string")
        once = ids.notna() & ~ids.duplicated(keep=False)
        row |= {str(name): int(k) for k, name in enumerate(ids) if once.iloc[k]}
    roof_row = np.full(len(planes), -1, dtype=np.int64)
    for column in ("model_id", "object_id", "key"):  # the last wins
        ids = planes[column].astype("string")
        hit = ids.map(row).to_numpy(dtype=float, na_value=-1.0)
        roof_row = np.where(hit >= 0, hit.astype(np.int64), roof_row)
    return roof_row


def _without_others(geometry: Geometries, roof: I8, visible: Geometries, rows: I8) -> Geometries:
    """Cut from each plan what stands on other footprints: eaves end where the neighbour begins."""
    out = geometry.copy()
    plan_row, footprint_row = shapely.STRtree(visible[rows]).query(geometry, predicate="intersects")
    footprint_row = rows[footprint_row]
    other = footprint_row != roof[plan_row]
    plan_row, footprint_row = plan_row[other], footprint_row[other]
    real = shapely.area(shapely.intersection(geometry[plan_row], visible[footprint_row])) > _OVERLAP_M2
    for k in np.unique(plan_row[real]):
        out[k] = shapely.difference(out[k], shapely.union_all(visible[footprint_row[real & (plan_row == k)]]))
    return out


def _with_smaller_plans(planes: gpd.GeoDataFrame, geometry: Geometries) -> gpd.GeoDataFrame:
    """Give planes a smaller plan: area and elevation of the centroid follow; empty ones go."""
    plans = np.array(
        [g if g.geom_type in ("Polygon", "MultiPolygon") else polygonal(g) for g in geometry], dtype=object
    )
    kept = shapely.area(plans) > LEAST_PLAN_M2
    before, plans, out = planes.geometry.to_numpy()[kept], plans[kept], planes[kept].reset_index(drop=True)
    moved = centres(plans) - centres(before)
    out = out.set_geometry(gpd.GeoSeries(plans, crs=planes.crs))
    out["z_m"] = out["z_m"] - (out["nx"] * moved[:, 0] + out["ny"] * moved[:, 1]) / out["nz"]
    out["area_m2"] = out["area_m2"] * (shapely.area(plans) / shapely.area(before))
    return out


def _require_overlap(planes: gpd.GeoDataFrame, matched: gpd.GeoDataFrame, buildings: gpd.GeoDataFrame) -> None:
    if len(matched):
        return
    model_box, building_box = ([f"{v:.0f}" for v in frame.total_bounds] for frame in (planes, buildings))
    raise InputError(
        Text("no roof of the model stands on a footprint", "屋顶模型与建筑轮廓没有重叠"),
        where="inputs.roofs",
        found=f"x {model_box[0]}..{model_box[2]}, y {model_box[1]}..{model_box[3]} m"
        if len(planes)
        else Text("no plane", "无坡面"),
        expected=f"x {building_box[0]}..{building_box[2]}, y {building_box[1]}..{building_box[3]} m",
        mend=Text("check inputs.roofs.crs and datum", "请检查 inputs.roofs.crs 与 datum"),
    )


def _plausible_planes(
    matched: gpd.GeoDataFrame, base_m: F8, rules: ModelledRoofs, notices: list[Notice]
) -> gpd.GeoDataFrame:
    """Leave out planes that lie below the ground or far above; most of them doing so is a datum mistaken."""
    above = matched["z_m"].to_numpy() - base_m[matched["roof"].to_numpy()]
    good = (above >= rules.height_m[0]) & (above <= rules.height_m[1])
    if 2 * int(good.sum()) < len(matched):
        raise InputError(
            Text("heights of the roof model do not fit the terrain", "屋顶模型高程与地形不符"),
            where="inputs.roofs",
            found=Text(
                f"median {np.nanmedian(above):.1f} m above ground", f"中位数高出地面 {np.nanmedian(above):.1f} m"
            )
            if np.isfinite(above).any()
            else Text("no ground: the model holds roofs only", "无地面：模型仅含屋顶"),
            expected=f"{rules.height_m[0]:g} … {rules.height_m[1]:g} m",
            mend=Text(
                "set vertical_unit or vertical_offset_m of inputs.roofs, or give inputs.dtm",
                "请设置 inputs.roofs 的 vertical_unit 或 vertical_offset_m，或提供 inputs.dtm",
            ),
        )
    if not good.all():
        n = int((~good).sum())
        text = Text(
            f"{n} planes of the roof model lie below ground or far above: left out", f"{n} 个坡面低于地面或过高，未采用"
        )
        notices.append(Notice("roof_plane_height", text, n, "warning", "inputs.roofs"))
    return matched[good].reset_index(drop=True)


def _without_covered_parts(matched: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Cut from each plane what a higher plane of the same roof covers."""
    plans, z_m = matched.geometry.to_numpy().copy(), matched["z_m"].to_numpy()
    slope = (-matched[["nx", "ny"]].to_numpy() / matched[["nz"]].to_numpy()).astype(float)
    centre = centres(plans)
    query_index, tree_index = shapely.STRtree(plans).query(plans, predicate="intersects")
    roof = matched["roof"].to_numpy()
    pair = (query_index < tree_index) & (roof[query_index] == roof[tree_index])
    query_index, tree_index = query_index[pair], tree_index[pair]
    shared = shapely.intersection(plans[query_index], plans[tree_index])
    real = shapely.area(shared) > _OVERLAP_M2
    covers: dict[int, list[int]] = {}
    for a, b, both in zip(query_index[real], tree_index[real], shared[real], strict=True):
        at = shapely.get_coordinates(shapely.centroid(both))[0]
        high_a, high_b = (z_m[k] + slope[k] @ (at - centre[k]) for k in (a, b))
        low, high = (b, a) if high_a >= high_b else (a, b)
        covers.setdefault(int(low), []).append(int(high))
    whole = matched.geometry.to_numpy()
    for low, above in sorted(covers.items()):
        plans[low] = shapely.difference(plans[low], shapely.union_all(whole[above]))
    return _with_smaller_plans(matched, plans)


def _well_modelled(
    matched: gpd.GeoDataFrame, visible: Geometries, rules: ModelledRoofs, notices: list[Notice]
) -> gpd.GeoDataFrame:
    """Keep roofs of which the model covers enough, and planes that are more than slivers."""
    roof = matched["roof"].to_numpy()
    plan = np.bincount(roof, shapely.area(matched.geometry.to_numpy()), minlength=len(visible))
    foot = shapely.area(visible)
    partly = (plan > 0.0) & (plan < rules.modelled_from_share * foot)
    if partly.any():
        n = int(partly.sum())
        text = Text(
            f"{n} roofs are modelled by less than {rules.modelled_from_share:.0%} of their footprint: assumed instead",
            f"{n} 个屋顶的模型覆盖不足轮廓的 {rules.modelled_from_share:.0%}，坡面按假定",
        )
        notices.append(Notice("roof_partly_modelled", text, n, "warning", "inputs.roofs"))
    sliver = matched["area_m2"].to_numpy() < rules.min_area_m2
    n, area = int((sliver & ~partly[roof]).sum()), float(matched["area_m2"].to_numpy()[sliver & ~partly[roof]].sum())
    if n:
        text = Text(
            f"{n} planes under {rules.min_area_m2:g} m² are left out ({area:.1f} m² in all)",
            f"{n} 个坡面小于 {rules.min_area_m2:g} ㎡，未采用（共 {area:.1f} ㎡）",
        )
        notices.append(Notice("roof_plane_sliver", text, n, "info", "inputs.roofs"))
    return matched[~sliver & ~partly[roof]].reset_index(drop=True)


def _plane_table(matched: gpd.GeoDataFrame, buildings: gpd.GeoDataFrame, convergence_deg: F8) -> gpd.GeoDataFrame:
    out = matched.sort_values(["roof", "area_m2"], ascending=[True, False], kind="stable").reset_index(drop=True)
    roof = out["roof"].to_numpy()
    turned = (out["grid_azimuth_deg"] + convergence_deg[roof]) % 360.0
    out["surface_azimuth_deg"] = turned.where(out["surface_tilt_deg"] >= LEVEL_DEG, 180.0)
    ids = buildings["building_id"].astype(str).to_numpy()
    out["plane_id"] = pd.Series(ids[roof]) + "-" + (out.groupby("roof").cumcount() + 1).astype(str)
    out["roof_source"] = "lod2"
    return out[[*PLANE_COLUMNS, "geometry"]]
