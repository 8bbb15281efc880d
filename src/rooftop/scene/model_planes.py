"""Planes of a roof model: tilt, azimuth and area of its surfaces, and coplanar neighbours merged."""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import shapely
from pyproj import Proj

from rooftop.core.lang import Text
from rooftop.core.notices import Notice
from rooftop.core.roof_rules import ModelledRoofs
from rooftop.core.types import B1, F8, I8, Geometries
from rooftop.inputs.cityjson import Rings, RoofModel

LEVEL_DEG = 0.5
"""Below this tilt an azimuth says nothing: 180 is written."""
LEAST_PLAN_M2 = 0.01
"""Surfaces and pieces of planes with less in plan are none."""
UPRIGHT_DEG = 89.99
"""Surfaces that are steeper are walls, whatever area their outline, which may cross itself, has in plan."""
_TOUCH_M = 0.1


# --- one surface -----------------------------------------------------------------------------------------------------


def area_vector(rings: Rings) -> F8:
    """Return the area vector of a surface by Newell's sums: its normal, as long as its area [m²], looking up.

    Parameters
    ----------
    rings : tuple of (n, 3) ndarray
        Outer ring and holes; either winding, not closed.

    Returns
    -------
    (3,) float64
        For a surface that is not flat, that of its mean plane; the vertical component is the plan area exactly.
    """
    total = np.zeros(3)
    for k, ring in enumerate(rings):
        at = ring - ring[0]
        vector = 0.5 * np.cross(at, np.roll(at, -1, axis=0)).sum(axis=0)
        total = vector if k == 0 else total - vector * np.sign(vector @ total)
    return -total if total[2] < 0.0 else total


def fitted_normal(points: F8) -> F8:
    """Return the unit normal of the plane closest to points in the least-squares sense, looking up."""
    _, _, directions = np.linalg.svd(points - points.mean(axis=0), full_matrices=False)
    normal = directions[-1]
    return np.asarray(-normal if normal[2] < 0.0 else normal)


def deviation_m(points: F8, normal: F8) -> float:
    """Return the largest distance of points from the plane through their mean."""
    return float(np.abs((points - points.mean(axis=0)) @ (normal / np.linalg.norm(normal))).max())


def tilt_azimuth_deg(normal: F8) -> tuple[F8, F8]:
    """Return tilt and grid azimuth of normals, shape (..., 3); azimuth 180 where the tilt is below 0.5°."""
    across = np.hypot(normal[..., 0], normal[..., 1])
    tilt = np.degrees(np.arctan2(across, normal[..., 2]))
    azimuth = np.degrees(np.arctan2(normal[..., 0], normal[..., 1])) % 360.0
    return tilt, np.where(tilt < LEVEL_DEG, 180.0, azimuth)


def surface_planes(model: RoofModel, rules: ModelledRoofs) -> tuple[gpd.GeoDataFrame, tuple[Notice, ...]]:
    """Return plane and plan of every surface of a roof model.

    Angles are those on the ground: the scale of the map projection, 0.9996 in the middle of a UTM zone, is taken out of
    them (it would turn a roof of 45° by 0.01°); areas are those of the working CRS.
    Surfaces that bend by more than ``rules.planar_within_m`` get the least-squares plane of their corners, others that
    of their area vector. Upright surfaces (from `UPRIGHT_DEG` on) have no plan and are left out, counted.

    Returns
    -------
    GeoDataFrame
        Columns of ``model.table``, ``nx ny nz`` (area vector [m²]), ``surface_tilt_deg``, ``grid_azimuth_deg``,
        ``area_m2``, ``deviation_m``, ``z_m`` (elevation of the plane at the centroid of the plan), ``geometry``.
    """
    normals, deviations, bent = np.zeros((len(model.rings), 3)), np.zeros(len(model.rings)), []
    plans = np.empty(len(model.rings), dtype=object)
    middle = np.zeros((len(model.rings), 3))
    scale = np.array([1.0, 1.0, _map_scale(model)])
    for k, rings in enumerate(model.rings):
        vector = area_vector(tuple(ring * scale for ring in rings))
        points = np.concatenate(rings)
        deviations[k] = deviation_m(points, vector) if vector.any() else 0.0
        if deviations[k] > rules.planar_within_m:
            bent.append(k)
            fitted = fitted_normal(points * scale)
            vector = fitted * (vector[2] / fitted[2]) if fitted[2] > 1e-6 else vector
        normals[k], middle[k] = vector, points.mean(axis=0)
        plans[k] = _polygon(rings)
    tilt, azimuth = tilt_azimuth_deg(normals)
    frame = gpd.GeoDataFrame(model.table.copy(), geometry=plans, crs=model.crs)
    frame[["nx", "ny", "nz"]] = normals
    frame["surface_tilt_deg"], frame["grid_azimuth_deg"] = tilt, azimuth
    frame["area_m2"], frame["deviation_m"] = np.linalg.norm(normals, axis=1), deviations
    upright = ~(shapely.area(plans) > LEAST_PLAN_M2) | (normals[:, 2] <= 0.0) | ~(tilt < UPRIGHT_DEG)
    frame["z_m"] = _z_at_centroid(frame, middle)
    worst = f"{deviations.max(initial=0.0):.2f} m"
    notices = tuple(
        notice
        for code, n, text in (
            ("roof_surface_bent", len(bent), _BENT.format(n=len(bent), worst=worst)),
            ("roof_surface_upright", int(upright.sum()), _UPRIGHT),
        )
        for notice in Notice.counted(code, n, text, severity="info", source="inputs.roofs")
    )
    return frame[~upright].reset_index(drop=True), notices


_BENT = Text(
    "{n} roof surfaces are not flat: fitted by least squares, off by up to {worst}",
    "{n} 个屋顶面不平整，按最小二乘拟合，最大偏差 {worst}",
)
_UPRIGHT = Text(
    "{n} roof surfaces are upright or under 0.01 m² in plan: left out",
    "{n} 个屋顶面近于竖直或平面投影不足 0.01 ㎡，未采用",
)


def _map_scale(model: RoofModel) -> float:
    """Return how much longer the working CRS makes lengths in plan, in the middle of the model."""
    x, y = np.mean([ring.mean(axis=0)[:2] for ring, *_ in model.rings], axis=0)
    to_lonlat = Proj(model.crs)
    lon, lat = to_lonlat(x, y, inverse=True)
    return float(np.sqrt(to_lonlat.get_factors(lon, lat).areal_scale))


def _polygon(rings: Rings) -> shapely.Geometry:
    """Return the plan of a surface, valid, polygons only."""
    plan = shapely.Polygon(rings[0][:, :2], [hole[:, :2] for hole in rings[1:]])
    return plan if plan.is_valid else polygonal(shapely.make_valid(plan, method="structure", keep_collapsed=False))


def polygonal(geometry: shapely.Geometry) -> shapely.Geometry:
    """Return the polygons of a geometry."""
    parts = shapely.get_parts(geometry)
    parts = np.concatenate([shapely.get_parts(part) for part in parts]) if len(parts) else parts
    return shapely.union_all([p for p in parts if p.geom_type == "Polygon" and p.area > 0.0])


def _z_at_centroid(frame: gpd.GeoDataFrame, through: F8) -> F8:
    """Return the elevation of each plane at the centroid of its plan; `through` is a point of the plane, (n, 3)."""
    centre = centres(frame.geometry.to_numpy())
    with np.errstate(divide="ignore", invalid="ignore"):
        drop = (frame["nx"] * (centre[:, 0] - through[:, 0]) + frame["ny"] * (centre[:, 1] - through[:, 1])) / frame[
            "nz"
        ]
    return np.asarray(through[:, 2] - drop, dtype=float)


def centres(plans: Geometries) -> F8:
    """Return the centroids of plans, (n, 2); NaN for empty ones."""
    point = shapely.centroid(plans)
    some = ~shapely.is_empty(point)
    out = np.full((len(plans), 2), np.nan)
    out[some] = shapely.get_coordinates(point[some])
    return out


# --- coplanar neighbours ---------------------------------------------------------------------------------------------


def merged_planes(surfaces: gpd.GeoDataFrame, rules: ModelledRoofs) -> gpd.GeoDataFrame:
    """Merge neighbours of one building that lie in one plane, largest first.

    A surface joins a plane when it touches it in plan, when their normals differ by at most
    ``rules.coplanar_within_deg``, and when its centroid is at most ``rules.coplanar_within_m`` off the plane.
    It is compared with the whole plane as grown so far, so that a vault of many small bends does not become one plane.
    Area vectors add, hence area, tilt and azimuth of the whole are exact.

    Parameters
    ----------
    surfaces : GeoDataFrame
        From :func:`surface_planes`.

    Returns
    -------
    GeoDataFrame
        The same columns, with ``n_surfaces``; the first surface of each plane gives the ids.
    """
    group = np.full(len(surfaces), -1, dtype=np.int64)
    normals = surfaces[["nx", "ny", "nz"]].to_numpy(dtype=float)
    plans = surfaces.geometry.to_numpy()
    positions = _SurfacePositions(normals=normals, centre=centres(plans), z_m=surfaces["z_m"].to_numpy(dtype=float))
    for rows in surfaces.groupby("model_id", sort=False).indices.values():
        near = _adjacency(plans[rows])
        for seed in rows[np.argsort(-surfaces["area_m2"].to_numpy()[rows], kind="stable")]:
            if group[seed] < 0:
                _grow(int(seed), rows, near, group, positions, rules)
    return _merged_surfaces(surfaces, group, normals)


def _adjacency(plans: Geometries) -> B1:
    """Return which plans share more than a corner, shape (n, n)."""
    near = np.zeros((len(plans), len(plans)), dtype=bool)
    query_index, tree_index = shapely.STRtree(plans).query(plans, predicate="dwithin", distance=1e-3)
    edge = shapely.length(
        shapely.intersection(shapely.buffer(plans[query_index], 1e-3, quad_segs=1), plans[tree_index])
    )
    near[query_index[edge > 2.0 * _TOUCH_M], tree_index[edge > 2.0 * _TOUCH_M]] = True
    np.fill_diagonal(near, False)
    return near


@dataclass(frozen=True, kw_only=True)
class _SurfacePositions:
    """How surfaces lie: area vectors (n, 3), centroids (n, 2) and their heights (n,) [m]."""

    normals: F8
    centre: F8
    z_m: F8


def _grow(
    seed: int,
    rows: I8,
    near: B1,
    group: I8,
    positions: _SurfacePositions,
    rules: ModelledRoofs,
) -> None:
    """Give `seed`, and all that lies in its plane around it, one group."""
    normals, centre, z_m = positions.normals, positions.centre, positions.z_m
    group[seed] = seed
    vector = normals[seed].copy()
    position = {int(row): k for k, row in enumerate(rows)}
    queue = [seed]
    least = np.cos(np.radians(rules.coplanar_within_deg))
    while queue:
        for other in rows[near[position[queue.pop(0)]]]:
            if group[other] >= 0:
                continue
            cosine = vector @ normals[other] / (np.linalg.norm(vector) * np.linalg.norm(normals[other]))
            away = vector @ np.array([*(centre[other] - centre[seed]), z_m[other] - z_m[seed]]) / np.linalg.norm(vector)
            if cosine >= least and abs(away) <= rules.coplanar_within_m:
                group[other] = seed
                vector = vector + normals[other]
                queue.append(int(other))


def _merged_surfaces(surfaces: gpd.GeoDataFrame, group: I8, normals: F8) -> gpd.GeoDataFrame:
    seeds, member = np.unique(group, return_inverse=True)
    out = surfaces.iloc[seeds].reset_index(drop=True)
    total = np.zeros((len(seeds), 3))
    np.add.at(total, member, normals)
    out[["nx", "ny", "nz"]] = total
    out["n_surfaces"] = np.bincount(member, minlength=len(seeds))
    plans = surfaces.geometry.to_numpy()
    many = np.flatnonzero(out["n_surfaces"].to_numpy() > 1)
    whole, z_m = out.geometry.to_numpy().copy(), out["z_m"].to_numpy(dtype=float).copy()
    weight = surfaces["area_m2"].to_numpy(dtype=float)
    for k in many:
        rows = np.flatnonzero(member == k)
        # a hair of growth closes the gaps that rounding leaves between neighbours
        whole[k] = shapely.buffer(
            shapely.union_all(shapely.buffer(plans[rows], 2e-3, join_style="mitre")), -2e-3, join_style="mitre"
        )
        at = shapely.get_coordinates(shapely.centroid(plans[rows]))
        mean = np.average(np.column_stack([at, surfaces["z_m"].to_numpy()[rows]]), axis=0, weights=weight[rows])
        centre = shapely.get_coordinates(shapely.centroid(whole[k]))[0]
        z_m[k] = mean[2] - (total[k, :2] @ (centre - mean[:2])) / total[k, 2]
    out = out.set_geometry(gpd.GeoSeries(whole, crs=surfaces.crs))
    out["z_m"] = z_m
    out["surface_tilt_deg"], out["grid_azimuth_deg"] = tilt_azimuth_deg(total)
    out["area_m2"] = np.linalg.norm(total, axis=1)
    return out
