"""The part of a roof plane that modules may stand on."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import shapely

from rooftop.core.roof_rules import RoofRules
from rooftop.core.types import F8, Geometries
from rooftop.scene.plane_rules import PlaneRules

_ON_EDGE_M = 0.02  # outlines of planes are cut at the footprint: they lie on it but for rounding
_FLAT_DEG = 3.0  # below it the direction of a slope says nothing about where the eaves are


@dataclass(frozen=True)
class ZoneDistances:
    """What modules keep away from, metres in the plane; and which planes stay empty.

    Parameters
    ----------
    edge_setback_m, ridge_setback_m : float
        From the footprint's edge and from drops within it; and from ridges, hips, valleys, walls that rise from the
        plane, and shared walls.
    clearance_m, clearance_per_height : float
        Around obstacles; the second is multiplied by the obstacle's height.
    walkway_m, walkway_every_m : float
        Walkways cut a zone longer or wider than the second into blocks.
    min_patch_m2 : float
        Smaller pieces are dropped.
    """

    edge_setback_m: float
    ridge_setback_m: float
    clearance_m: float
    clearance_per_height: float
    walkway_m: float
    walkway_every_m: float
    min_patch_m2: float


def zone_distances(roof: RoofRules, plane: PlaneRules) -> ZoneDistances:
    """Return the shipped values of `configs/roof_types.yaml` and `configs/roof_planes.yaml`."""
    return ZoneDistances(
        edge_setback_m=roof.setback_m.value,
        ridge_setback_m=plane.zones.ridge_setback_m.value,
        clearance_m=plane.obstacles.clearance_m.value,
        clearance_per_height=plane.obstacles.clearance_per_height.value,
        walkway_m=plane.zones.walkway_m.value,
        walkway_every_m=plane.zones.walkway_every_m.value,
        min_patch_m2=roof.min_patch_m2.value,
    )


@dataclass(frozen=True)
class Slope:
    """How a plane lies: degrees; the azimuth is clockwise from the *grid's* north (true azimuth less convergence)."""

    tilt_deg: float
    grid_azimuth_deg: float


def net_zone(
    plane: shapely.Geometry,
    slope: Slope,
    rules: ZoneDistances,
    *,
    footprint: shapely.Geometry | None = None,
    shared: shapely.Geometry | None = None,
    drop: shapely.Geometry | None = None,
    obstacles: Geometries | None = None,
    obstacle_heights_m: F8 | None = None,
) -> shapely.Geometry:
    """Return what setbacks, obstacles and walkways leave of a plane.

    Distances are measured in the plane: on a slope they are shorter in plan.

    Parameters
    ----------
    plane : Polygon or MultiPolygon
        In plan, working CRS.
    slope : Slope
    rules : ZoneDistances
    footprint : Polygon or MultiPolygon, optional
        Of the roof: outlines on its boundary get the edge setback, the others the ridge setback. Without it all get the
        edge setback.
    shared : geometry, optional
        Where the footprint's edge is a wall shared with a level roof, from
        :func:`rooftop.scene.neighbours.shared_walls`: it gets the ridge setback.
    drop : geometry, optional
        In plan: where the plane ends above something lower, from :func:`rooftop.scene.drops.drops_of`. The edge
        setback counts from there.
    obstacles : ndarray of shapely geometries, optional
        In plan.
    obstacle_heights_m : ndarray, optional
        Same length.

    Returns
    -------
    Polygon or MultiPolygon
        In plan; pieces of any size.
    """
    if plane.is_empty:
        return shapely.Polygon()
    to_plane, to_plan = _frames(plane, slope)
    sloped = _transform(plane, to_plane)
    outline, shared_walls = (None if shape is None else _transform(shape, to_plane) for shape in (footprint, shared))
    room = _inside_setbacks(sloped, rules, sloped if outline is None else outline, shared_walls)
    if drop is not None:
        room = shapely.difference(room, shapely.buffer(_transform(drop, to_plane), rules.edge_setback_m, quad_segs=8))
    if obstacles is not None and len(obstacles):
        heights = np.zeros(len(obstacles)) if obstacle_heights_m is None else np.abs(obstacle_heights_m)
        away = rules.clearance_m + rules.clearance_per_height * heights
        near = np.flatnonzero(shapely.distance(obstacles, plane) <= away)
        taken = [
            shapely.buffer(_transform(obstacles[k], to_plane), away[k], join_style="mitre", mitre_limit=2.0)
            for k in near
        ]
        room = shapely.difference(room, shapely.union_all(taken)) if taken else room
    return _areal(_transform(_in_blocks(room, rules), to_plan))


def large_pieces(zone: shapely.Geometry, least_m2: float) -> shapely.Geometry:
    """Return the pieces of a zone that are at least `least_m2` in plan."""
    pieces = shapely.get_parts(_areal(zone))
    pieces = pieces[shapely.area(pieces) >= least_m2]
    if len(pieces) == 0:
        return shapely.Polygon()
    return pieces[0] if len(pieces) == 1 else shapely.MultiPolygon(list(pieces))


def _frames(plane: shapely.Geometry, slope: Slope) -> tuple[list[float], list[float]]:
    """Return the affine coefficients from plan to the plane (u along the eaves, v up the slope) and back.

    Where the plane is flat u runs along its longer side.
    """
    tilt, facing = slope.tilt_deg, math.radians(slope.grid_azimuth_deg)
    if tilt < _FLAT_DEG:
        box = shapely.get_coordinates(shapely.oriented_envelope(plane))
        sides = np.diff(box[:3], axis=0)
        if len(sides) == 2:
            east, north = sides[int(np.argmax(np.hypot(sides[:, 0], sides[:, 1]).round(3)))]
            facing = math.atan2(east, north) + math.pi / 2.0
    stretch = 1.0 / math.cos(math.radians(tilt))
    along = (-math.cos(facing), math.sin(facing))
    up = (-math.sin(facing), -math.cos(facing))
    x0, y0, _, _ = plane.bounds
    a, b, c, d = along[0], along[1], up[0] * stretch, up[1] * stretch
    to_plane = [a, b, c, d, -a * x0 - b * y0, -c * x0 - d * y0]
    to_plan = [along[0], up[0] / stretch, along[1], up[1] / stretch, x0, y0]
    return to_plane, to_plan


def _transform(shape: shapely.Geometry, by: list[float]) -> shapely.Geometry:
    turn, shift = np.array(by[:4]).reshape(2, 2).T, np.array(by[4:])
    return shapely.transform(shape, lambda xy: xy @ turn + shift)


def _inside_setbacks(
    plane: shapely.Geometry, rules: ZoneDistances, footprint: shapely.Geometry, shared: shapely.Geometry | None
) -> shapely.Geometry:
    """Return a plane without what lies too near to its outline, in its own coordinates."""
    corners, ring = shapely.get_coordinates(shapely.get_rings(shapely.get_parts(plane)), return_index=True)
    same = ring[1:] == ring[:-1]
    sides = np.stack([corners[:-1][same], corners[1:][same]], axis=1)
    points = shapely.points(np.concatenate([sides[:, 0], sides[:, 1], sides.mean(axis=1)]))
    boundary = footprint.boundary
    shapely.prepare(boundary)
    on_edge = shapely.dwithin(boundary, points, _ON_EDGE_M).reshape(3, -1).all(axis=0)
    if shared is None and on_edge.all():
        return shapely.buffer(plane, -rules.edge_setback_m, quad_segs=8)
    edges, inner = (shapely.multilinestrings(shapely.linestrings(sides[on])) for on in (on_edge, ~on_edge))
    if shared is not None:
        inner = shapely.union(inner, shapely.intersection(edges, shared))
        edges = shapely.difference(edges, shared)
    near, far, lines = rules.ridge_setback_m, rules.edge_setback_m, edges
    if near > far:
        near, far, lines = far, near, inner
    kept = shapely.buffer(plane, -near, quad_segs=8)
    if lines.is_empty:
        return kept
    return shapely.difference(kept, shapely.buffer(shapely.line_merge(lines), far, quad_segs=8))


def _in_blocks(zone: shapely.Geometry, rules: ZoneDistances) -> shapely.Geometry:
    """Cut each piece that is longer or wider than a block by evenly spaced walkways, in the plane's own coordinates."""
    if zone.is_empty:
        return zone
    blocks, half = [], 0.5 * rules.walkway_m
    for piece in shapely.get_parts(zone):
        u0, v0, u1, v1 = piece.bounds
        strips = [shapely.box(u - half, v0 - 1.0, u + half, v1 + 1.0) for u in _cuts(u0, u1, rules)]
        strips += [shapely.box(u0 - 1.0, v - half, u1 + 1.0, v + half) for v in _cuts(v0, v1, rules)]
        blocks.append(shapely.difference(piece, shapely.union_all(strips)) if strips else piece)
    return shapely.union_all(blocks) if len(blocks) != 1 else blocks[0]


def _cuts(low: float, high: float, rules: ZoneDistances) -> list[float]:
    blocks = math.ceil((high - low + rules.walkway_m) / (rules.walkway_every_m + rules.walkway_m) - 1e-9)
    return [low + (high - low) * k / blocks for k in range(1, blocks)]


def _areal(shape: shapely.Geometry) -> shapely.Geometry:
    """Return the polygons of a geometry."""
    if shape.geom_type in ("Polygon", "MultiPolygon"):
        return shape
    parts = [part for part in shapely.get_parts(shape) if part.geom_type in ("Polygon", "MultiPolygon")]
    return shapely.union_all(parts) if parts else shapely.Polygon()
