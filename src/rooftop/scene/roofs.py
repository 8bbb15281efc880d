"""Roof planes and areas of every building: assumed from roof type where no geometry of the roof is known."""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from shapely.affinity import rotate, translate

from rooftop.core.roof_rules import RoofRules, RoofType
from rooftop.core.types import B1, F8, I8, Geometries
from rooftop.core.vocabularies import building_uses
from rooftop.scene.equator import from_pole_deg, poleward_min_tilt_deg
from rooftop.scene.surface import Blocks


@dataclass(frozen=True)
class RoofTypes:
    """Roof type of each building, and whether it was assumed."""

    name: NDArray[np.object_]
    assumed: B1


def roof_types(buildings: pd.DataFrame, rules: RoofRules) -> RoofTypes:
    """Return the declared roof type, else the one its use suggests; blocks of flats above 27 m become high-rise."""
    declared = buildings["roof_type"].astype("string")
    known = declared.isin(list(rules.types)) & (declared != "unknown")
    usual = {use: entry.default_roof_type for use, entry in building_uses().uses.items()}
    by_use = buildings["building_use"].map(usual).fillna("unknown")
    no_use = buildings["building_use"].fillna("unknown") == "unknown"
    guess = by_use.mask(no_use, "unknown")
    name = declared.where(known, guess).astype(object)
    floors = pd.to_numeric(buildings["floors_above"], errors="coerce")
    tall = (buildings["height_m"] > rules.highrise.min_height_m) | (floors >= rules.highrise.min_floors).fillna(False)
    flats = (buildings["building_use"] == "residential") & tall & (name == "flat_concrete")
    name = name.mask(flats, "flat_concrete_highrise")
    return RoofTypes(name.to_numpy(dtype=object), (~known).to_numpy())


def visible_footprints(blocks: Blocks, candidates: B1) -> tuple[Geometries, F8]:
    """Cut from each footprint what another of a higher rank (:attr:`Blocks.rank`) covers.

    Parameters
    ----------
    blocks : Blocks
    candidates : ndarray of bool, shape (n,)
        Rows that take part; the others keep their geometry and cover nothing.

    Returns
    -------
    geometry : ndarray of shapely geometries, shape (n,)
    covered_m2 : ndarray, shape (n,)
        Area lost.
    """
    visible = blocks.geometry.copy()
    covered = np.zeros(len(visible))
    rows = np.flatnonzero(candidates & ~shapely.is_empty(blocks.geometry))
    tree = shapely.STRtree(blocks.geometry[rows])
    query_index, tree_index = tree.query(blocks.geometry[rows], predicate="intersects")
    low, high = rows[query_index], rows[tree_index]
    above = blocks.rank[high] > blocks.rank[low]
    low, high = low[above], high[above]
    overlap = shapely.area(shapely.intersection(blocks.geometry[low], blocks.geometry[high]))
    low, high = low[overlap > 0.01], high[overlap > 0.01]
    for row in np.unique(low):
        cover = shapely.union_all(blocks.geometry[high[low == row]])
        visible[row] = shapely.difference(blocks.geometry[row], cover)
        covered[row] = shapely.area(blocks.geometry[row]) - shapely.area(visible[row])
    return visible, covered


def ridge_axis_deg(geometry: Geometries) -> F8:
    """Return the grid azimuth of each footprint's longer axis, in [0, 180) degrees from grid north."""
    boxes = shapely.oriented_envelope(geometry)
    axis = np.zeros(len(geometry))
    for k, box in enumerate(boxes):
        if box.is_empty or box.geom_type != "Polygon":
            continue
        corner = shapely.get_coordinates(box)
        sides = np.diff(corner[:3], axis=0)
        dx, dy = sides[np.argmax(np.hypot(sides[:, 0], sides[:, 1]).round(3))]
        axis[k] = np.degrees(np.arctan2(dx, dy)) % 180.0
    return axis


def assumed_planes(
    buildings: gpd.GeoDataFrame,
    types: RoofTypes,
    visible: Geometries,
    convergence_deg: F8,
    rules: RoofRules,
) -> pd.DataFrame:
    """Return one row per assumed roof plane.

    Flat roofs are one plane; gables two, on both sides of the longer axis through the centroid.

    Parameters
    ----------
    convergence_deg : ndarray, shape (n,)
        True azimuth of grid north at each building.

    Returns
    -------
    DataFrame
        ``roof`` (row of the building), ``plane_id``, ``side`` (0 whole, +1 right of the axis, -1 left of it),
        ``axis_grid_deg``, ``plane_tilt_deg``, ``plane_azimuth_deg`` (true), ``area_m2`` (in the plane), ``pitched``
        (False: a flat roof, which carries racks), ``roof_source``, ``known`` (-1), ``geometry`` (plan).
    """
    n = len(buildings)
    kinds: list[RoofType] = [rules.types[str(name)] for name in types.name]
    gable = np.array([kind.plane == "gable" for kind in kinds], dtype=bool)
    tilt = np.array([kind.tilt_deg for kind in kinds])
    axis = np.zeros(n)
    axis[gable] = ridge_axis_deg(visible[gable])
    ids = buildings["building_id"].astype(str).to_numpy()
    one = pd.DataFrame({"roof": np.flatnonzero(~gable), "side": 0})
    both = pd.DataFrame({"roof": np.repeat(np.flatnonzero(gable), 2), "side": np.tile([1, -1], int(gable.sum()))})
    planes = pd.concat([one, both], ignore_index=True).sort_values(["roof", "side"], ascending=[True, False])
    planes = planes.reset_index(drop=True)
    roof, side = planes["roof"].to_numpy(), planes["side"].to_numpy()
    planes["axis_grid_deg"] = axis[roof]
    planes["plane_tilt_deg"] = np.where(side == 0, 0.0, tilt[roof])
    facing = (axis[roof] + 90.0 * side + convergence_deg[roof]) % 360.0
    planes["plane_azimuth_deg"] = np.where(side == 0, 180.0, facing)
    planes["geometry"] = _halves(visible[roof], side, axis[roof])
    planes["area_m2"] = shapely.area(planes["geometry"]) / np.cos(np.radians(planes["plane_tilt_deg"]))
    planes["roof_source"], planes["pitched"], planes["known"] = "assumed", side != 0, -1
    number = planes.groupby("roof").cumcount() + 1
    planes["plane_id"] = pd.Series(ids[roof]) + "-" + number.astype(str)
    return planes


def _halves(plans: Geometries, side: I8, axis_grid_deg: F8) -> Geometries:
    """Return the part of each plan on one side of the axis through its centroid: +1 right, -1 left, 0 all of it."""
    out = plans.copy()
    for k in np.flatnonzero(side != 0):
        centre = shapely.centroid(plans[k])
        if centre.is_empty:
            continue
        x0, y0, x1, y1 = plans[k].bounds
        far = 2.0 * max(x1 - x0, y1 - y0, 1.0)
        east, west = sorted((0.0, far * side[k]), reverse=True)
        half = rotate(shapely.box(west, -far, east, far), -axis_grid_deg[k], origin=(0.0, 0.0))
        out[k] = shapely.intersection(plans[k], translate(half, centre.x, centre.y))
    return out


def roof_planes(assumed: pd.DataFrame, known: pd.DataFrame | None, types: RoofTypes, rules: RoofRules) -> pd.DataFrame:
    """Put known planes in the place of assumed ones, for the roofs that have them.

    Known planes below ``rules.flat_below_deg`` count as flat, except on roof types that are never level (metal sheet
    and tile carry modules flush).

    Parameters
    ----------
    known : DataFrame or None
        ``roof plane_id surface_tilt_deg surface_azimuth_deg area_m2 roof_source geometry``, see
        :mod:`rooftop.scene.planes`.

    Returns
    -------
    DataFrame
        Columns of :func:`assumed_planes`, ordered by roof; ``known`` is the row of `known`.
    """
    if known is None or not len(known):
        return assumed
    tilt, roof = known["surface_tilt_deg"].to_numpy(dtype=float), known["roof"].to_numpy(dtype=np.int64)
    flush = np.array([rules.types[str(name)].plane == "gable" for name in types.name[roof]], dtype=bool)
    pitched = flush | (tilt >= rules.flat_below_deg.value)
    from_known = pd.DataFrame(
        {
            "roof": roof,
            "side": 0,
            "plane_id": known["plane_id"].astype(str),
            "axis_grid_deg": 0.0,
            "plane_tilt_deg": tilt,
            "plane_azimuth_deg": known["surface_azimuth_deg"].to_numpy(dtype=float),
            "area_m2": known["area_m2"].to_numpy(dtype=float),
            "roof_source": known["roof_source"].astype(str),
            "pitched": pitched,
            "known": np.arange(len(known)),
            "geometry": np.asarray(known["geometry"], dtype=object),
        }
    )
    still_assumed = assumed[~assumed["roof"].isin(roof)]
    return pd.concat([still_assumed, from_known]).sort_values("roof", kind="stable").reset_index(drop=True)


def corrected_types(types: RoofTypes, known: pd.DataFrame | None, rules: RoofRules) -> RoofTypes:
    """Let the known shape of a roof overrule a type that was only assumed: pitched is tiled, level is concrete.

    The shape with most plan area decides; metal sheet, which may be either, stays.
    """
    if known is None or not len(known):
        return types
    name, plan = types.name.copy(), shapely.area(np.asarray(known["geometry"], dtype=object))
    tilt, roof = known["surface_tilt_deg"].to_numpy(dtype=float), known["roof"].to_numpy(dtype=np.int64)
    steep = tilt >= rules.flat_below_deg.value
    pitched, level = (np.bincount(roof[m], plan[m], minlength=len(name)) for m in (steep, ~steep))
    flat_type = np.array([rules.types[str(n)].plane == "flat" for n in name], dtype=bool)
    name[types.assumed & flat_type & (pitched > level)] = "tile_pitched"
    name[types.assumed & (types.name == "tile_pitched") & (level > pitched)] = "flat_concrete"
    return RoofTypes(name, types.assumed)


def inner_shares(shapes: Geometries, setback_m: F8 | float) -> F8:
    """Return the area of each shape set back from its edge over its area; 0 of an empty one."""
    area = shapely.area(shapes)
    inner = shapely.area(shapely.buffer(shapes, -setback_m, join_style="mitre"))
    return np.divide(inner, area, out=np.zeros_like(area), where=area > 0)


def open_planes(
    planes: pd.DataFrame, usable: B1, types: RoofTypes, rules: RoofRules, *, height_m: F8 | None = None
) -> pd.DataFrame:
    """Add which planes may carry modules, how far these keep away, and what unmeasured obstacles leave, by roof type.

    Parameters
    ----------
    planes : DataFrame
        From :func:`roof_planes`.
    usable : ndarray of bool, shape (n_planes,)
    height_m : ndarray, shape (n_roofs,), optional
        Of the buildings. Unknown ones, and all when left out, are no low houses.

    Returns
    -------
    DataFrame
        With ``usable``; ``setback_m``, ``min_patch_m2``: distance from edges and least patch, smaller on slopes of low
        houses; ``free_share``, and ``free_share_low free_share_high`` of the most and the least obstructed
        roof of the type.
    """
    kinds = [rules.types[str(name)] for name in types.name]
    roof, house = planes["roof"].to_numpy(), rules.house_slopes
    low = np.zeros(len(kinds), dtype=bool) if height_m is None else height_m <= house.up_to_height_m.value
    slope = planes["pitched"].to_numpy(dtype=bool) & (planes["plane_tilt_deg"].to_numpy() >= house.from_deg.value)
    on_house = slope & low[roof]
    return planes.assign(
        usable=usable,
        setback_m=np.where(on_house, house.setback_m.value, rules.setback_m.value),
        min_patch_m2=np.where(on_house, house.min_patch_m2.value, rules.min_patch_m2.value),
        free_share=np.array([1.0 - kind.obstacle_share for kind in kinds])[roof],
        free_share_low=np.array([1.0 - kind.obstacle_share_high for kind in kinds])[roof],
        free_share_high=np.array([1.0 - kind.obstacle_share_low for kind in kinds])[roof],
    )


def stays_empty(planes: pd.DataFrame, latitude_deg: F8, rules: RoofRules, max_tilt_deg: float) -> B1:
    """Return which planes face the (true) pole too steeply, or are too steep, to carry modules.

    Parameters
    ----------
    planes : DataFrame
        ``plane_tilt_deg plane_azimuth_deg``.
    latitude_deg : ndarray, shape (n_planes,)
        Of each plane's roof.
    rules : RoofRules
    max_tilt_deg : float
    """
    tilt = planes["plane_tilt_deg"].to_numpy(dtype=float)
    off = from_pole_deg(planes["plane_azimuth_deg"].to_numpy(dtype=float), latitude_deg)
    steep = tilt >= poleward_min_tilt_deg(latitude_deg, rules.poleward)
    poleward = steep & (off < rules.poleward.within_deg)
    return np.asarray(poleward | (tilt > max_tilt_deg), dtype=bool)
