"""A usable zone in row coordinates: its edges, how many modules a design sets in it, and where they lie in plan."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from rooftop.core.groups import places_in_groups
from rooftop.core.types import F8, I8, Geometries
from rooftop.kernels import packing as kernel
from rooftop.scene.rows import RowDesign

_STEPS = 16
_FINE_STEPS = 64  # of the design that was chosen
_LEVELS = 24
_DIRECTIONS = 4
_SHORTEST_WALL_M = 3.0
_POLYGON = 3


def polygons_of(zone: Any) -> Geometries:
    """Return the valid polygons of a zone, exteriors counter-clockwise."""
    if not shapely.is_valid(zone):
        zone = shapely.make_valid(zone)
    parts = shapely.get_parts(zone)
    while (shapely.get_type_id(parts) > _POLYGON).any():
        parts = shapely.get_parts(parts)
    parts = parts[(shapely.get_type_id(parts) == _POLYGON) & (shapely.area(parts) > 0.0)]
    oriented: Geometries = np.atleast_1d(shapely.orient_polygons(parts))
    return oriented


@dataclass(frozen=True)
class PolygonGroup:
    """Polygons that are packed together, and their edges seen from the origin."""

    parts: Geometries
    origin: F8
    edges: F8


def neighbours(parts: Geometries, distance_m: float) -> list[PolygonGroup]:
    """Return the polygons, those nearer to each other than the distance (chained) in one group; all of one origin."""
    if not len(parts):
        return []
    origin = shapely.get_coordinates(parts[0])[0]
    if len(parts) == 1:
        return [PolygonGroup(parts, origin, edges_of(parts, origin))]
    query_index, tree_index = shapely.STRtree(parts).query(parts, predicate="dwithin", distance=distance_m)
    n, label = connected_components(
        coo_matrix((np.ones(len(query_index)), (query_index, tree_index)), shape=(len(parts),) * 2)
    )
    chosen = [parts[label == k] for k in range(n)]
    return [PolygonGroup(some, origin, edges_of(some, origin)) for some in chosen]


def edges_of(parts: Geometries, origin: F8) -> F8:
    """Return the edges (x0, y0, x1, y1) of all rings seen from the origin, shape (m, 4); none of zero length."""
    points, ring = shapely.get_coordinates(shapely.get_rings(parts), return_index=True)
    points -= origin
    edges = np.hstack([points[:-1], points[1:]])[ring[:-1] == ring[1:]]
    return edges[(edges[:, 0] != edges[:, 2]) | (edges[:, 1] != edges[:, 3])]


def wall_azimuths_deg(groups: list[PolygonGroup], wanted_deg: float, grid_north_deg: float) -> list[float]:
    """Return the true azimuths at right angles to the walls: of all that run alike, the one nearest to the wanted one.

    Ordered by the length of the walls, at most four; the wanted azimuth alone where there is no wall.
    """
    if not groups:
        return [wanted_deg]
    edges = np.concatenate([group.edges for group in groups])
    walls = np.degrees(kernel.wall_directions(edges, _DIRECTIONS, _SHORTEST_WALL_M))
    off = (90.0 - walls + grid_north_deg - wanted_deg + 45.0) % 90.0 - 45.0
    azimuths: list[float] = ((wanted_deg + off) % 360.0).tolist()
    return azimuths


@dataclass(frozen=True)
class PlacedModules:
    """Modules of a zone.

    Parameters
    ----------
    modules : ndarray, shape (n, 4, 2)
        Corners in plan; both halves of an east-west pair one after the other.
    array_area_m2 : float
        Rows with the gaps between them, in row coordinates.
    used_plan_m2 : float
        Plan area of the polygons that carry modules.
    offset_m : tuple of float
        First module of the lowest row, from the lower left corner of the zone's box, in row coordinates.
    """

    modules: F8
    array_area_m2: float
    used_plan_m2: float
    offset_m: tuple[float, float]


@dataclass(frozen=True)
class Frame:
    """A zone in row coordinates: u along the rows, v across them, up the slope or away from where modules look.

    Parameters
    ----------
    groups : list of PolygonGroup
    along, up : ndarray, shape (2,)
        What u and v are of a plan vector; `up` is longer than 1 where plan distances up the slope are shortened.
    """

    groups: list[PolygonGroup]
    along: F8
    up: F8

    @classmethod
    def from_groups(cls, groups: list[PolygonGroup], facing_grid_deg: float, stretch: float) -> Frame:
        """Turn the groups so that modules look towards -v; `stretch` makes plan distances up the slope true."""
        facing = math.radians(facing_grid_deg)
        up = np.array([-math.sin(facing), -math.cos(facing)])
        return cls(groups, np.array([up[1], -up[0]]), up * stretch)

    def counts(self, designs: list[RowDesign]) -> I8:
        """Return how many modules of each design fit, at least: rows' starts are searched coarsely."""
        sizes = np.array([(d.depth_m, d.pitch_m, d.width_m, d.gap_m) for d in designs])
        places = np.zeros(len(designs), dtype=np.int64)
        for group in self.groups:
            places += kernel.most_places(group.edges, self.along, self.up, sizes, _STEPS, _LEVELS)
        return places * np.array([design.per_place for design in designs])

    def lay(self, design: RowDesign) -> PlacedModules:
        """Return the modules of a design and the areas they take; rows' starts are searched finely."""
        size = kernel.RowSize(design.depth_m, design.pitch_m, design.width_m, design.gap_m)
        modules, used, array, first = [np.zeros((0, 4, 2))], 0.0, 0.0, (math.inf, math.inf)
        for group in self.groups:
            edges = kernel.turned_edges(group.edges, self.along, self.up)
            rows = kernel.rows_of(edges, size, _FINE_STEPS, _LEVELS)
            if not len(rows):
                continue
            runs = kernel.fill_rows(edges, rows, size)
            array += kernel.array_area(edges, rows, runs, size)
            row, start, number = runs
            run = np.repeat(np.arange(len(row)), number)
            place = places_in_groups(number)
            u, v = start[run] + place * (size.width + size.gap), rows[row[run]]
            first = min(first, (float(v[0]), float(u[0])))
            modules.append(group.origin + self._rectangles(u, v, design))
            used += _used_area(group.parts, group.origin + self._plan(u + 0.5 * size.width, v + 0.5 * size.depth))
        return PlacedModules(np.concatenate(modules), array, used, self._offset(first))

    def _plan(self, u: F8, v: F8) -> F8:
        """Return plan vectors from the origin, shape (..., 2)."""
        return u[..., None] * self.along + v[..., None] * (self.up / (self.up @ self.up))

    def _rectangles(self, u: F8, v: F8, design: RowDesign) -> F8:
        """Return the corners in plan of the modules at places (u, v), each from its own lower left one."""
        depth = design.depth_m
        if design.per_place == 2:
            depth = 0.5 * (depth - design.gap_m)
            u, v = np.repeat(u, 2), np.repeat(v, 2)
            v[1::2] += depth + design.gap_m
        across = np.stack([v, v, v + depth, v + depth], axis=-1)
        right = u + design.width_m
        corners = self._plan(np.stack([u, right, right, u], axis=-1), across)
        if design.per_place == 2:
            corners[1::2] = corners[1::2, [2, 3, 0, 1]]  # the second half rises towards the first
        return corners

    def _offset(self, first: tuple[float, float]) -> tuple[float, float]:
        if not math.isfinite(first[0]):
            return 0.0, 0.0
        ends = np.concatenate([group.edges for group in self.groups]).reshape(-1, 2)
        return first[1] - float((ends @ self.along).min()), first[0] - float((ends @ self.up).min())


def _used_area(parts: Geometries, middles: F8) -> float:
    """Plan area of the polygons that hold a module's middle."""
    if len(parts) == 1:
        return float(shapely.area(parts[0]))
    holds = [bool(shapely.contains_xy(part, middles[:, 0], middles[:, 1]).any()) for part in parts]
    return float(shapely.area(parts)[holds].sum())
