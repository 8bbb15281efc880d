"""A usable zone in row coordinates: its edges, how many modules a design sets in it, and where they lie in plan."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from rooftop.kernels import packing as kernel
from rooftop.scene.rows import RowDesign

F8 = NDArray[np.float64]
I8 = NDArray[np.int64]
Polygons = NDArray[np.object_]

_STEPS = 32
_MAX_LEVELS = 24
_POLYGON = 3


def polygons_of(zone: Any) -> Polygons:
    """Return the valid polygons of a zone, exteriors counter-clockwise."""
    if not shapely.is_valid(zone):
        zone = shapely.make_valid(zone)
    parts = shapely.get_parts(zone)
    while (shapely.get_type_id(parts) > _POLYGON).any():
        parts = shapely.get_parts(parts)
    parts = parts[(shapely.get_type_id(parts) == _POLYGON) & (shapely.area(parts) > 0.0)]
    oriented: Polygons = np.atleast_1d(shapely.orient_polygons(parts))
    return oriented


def neighbours(parts: Polygons, distance_m: float) -> list[Polygons]:
    """Return the parts, those nearer to each other than the distance (chained) together."""
    if len(parts) < 2:
        return [parts] if len(parts) else []
    left, right = shapely.STRtree(parts).query(parts, predicate="dwithin", distance=distance_m)
    n, label = connected_components(coo_matrix((np.ones(len(left)), (left, right)), shape=(len(parts),) * 2))
    return [parts[label == k] for k in range(n)]


def edges_of(parts: Polygons) -> F8:
    """Return the edges (x0, y0, x1, y1) of all rings, shape (m, 4); none of zero length."""
    points, ring = shapely.get_coordinates(shapely.get_rings(parts), return_index=True)
    edges = np.hstack([points[:-1], points[1:]])[ring[:-1] == ring[1:]]
    return edges[(edges[:, 0] != edges[:, 2]) | (edges[:, 1] != edges[:, 3])]


def wall_azimuth_deg(parts: Polygons, wanted_deg: float, grid_north_deg: float) -> float:
    """Return the true azimuth at right angles to most walls that is nearest to the wanted one."""
    if not len(parts):
        return wanted_deg
    walls = math.degrees(kernel.main_direction(edges_of(parts)))
    off = (90.0 - walls + grid_north_deg - wanted_deg + 45.0) % 90.0 - 45.0
    return (wanted_deg + off) % 360.0


@dataclass(frozen=True)
class Laid:
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
class _Group:
    """Polygons that are packed together, with their edges and the levels rows should be able to start from."""

    parts: Polygons
    edges: F8
    levels: F8


@dataclass(frozen=True)
class Frame:
    """A zone in row coordinates: u along the rows, v across them, up the slope or away from where modules look."""

    along: F8
    up: F8
    origin: F8
    stretch: float
    groups: tuple[_Group, ...]

    @classmethod
    def of(cls, groups: list[Polygons], facing_grid_deg: float, stretch: float) -> Frame:
        """Turn the groups so that modules look towards -v; `stretch` makes plan distances up the slope true."""
        facing = math.radians(facing_grid_deg)
        up = np.array([-math.sin(facing), -math.cos(facing)])
        along = np.array([up[1], -up[0]])
        origin = shapely.get_coordinates(groups[0][0])[0] if groups else np.zeros(2)
        turn = np.column_stack([along, up * stretch])
        made = []
        for parts in groups:
            flat = edges_of(parts).reshape(-1, 2) - origin
            edges = kernel.sorted_edges((flat @ turn).reshape(-1, 4))
            made.append(_Group(parts, edges, kernel.main_levels(edges, _MAX_LEVELS)))
        return cls(along, up, origin, stretch, tuple(made))

    def counts(self, designs: list[RowDesign]) -> I8:
        """Return how many modules of each design fit."""
        sizes = np.array([(d.depth_m, d.pitch_m, d.width_m, d.gap_m) for d in designs])
        places = np.zeros(len(designs), dtype=np.int64)
        for group in self.groups:
            places += kernel.most_places(group.edges, group.levels, sizes, _STEPS)
        return places * np.array([design.per_place for design in designs])

    def lay(self, design: RowDesign) -> Laid:
        """Return the modules of a design and the areas they take."""
        depth, pitch, width, gap = design.depth_m, design.pitch_m, design.width_m, design.gap_m
        modules, used, array, first = [np.zeros((0, 4, 2))], 0.0, 0.0, (math.inf, math.inf)
        for group in self.groups:
            rows = kernel.rows_of(group.edges, group.levels, depth, pitch, width, gap, _STEPS)
            if not len(rows):
                continue
            row, start, number = kernel.fill_rows(group.edges, rows, depth, width, gap)
            array += kernel.array_area(group.edges, rows, row, start, number, depth, pitch, width, gap)
            run = np.repeat(np.arange(len(row)), number)
            place = np.arange(len(run)) - np.repeat(np.cumsum(number) - number, number)
            u, v = start[run] + place * (width + gap), rows[row[run]]
            first = min(first, (float(v[0]), float(u[0])))
            modules.append(self._rectangles(u, v, design))
            used += _used_area(group.parts, self._plan(u + 0.5 * width, v + 0.5 * depth))
        return Laid(np.concatenate(modules), array, used, self._offset(first))

    def _plan(self, u: F8, v: F8) -> F8:
        """Return plan coordinates, shape (..., 2)."""
        return self.origin + u[..., None] * self.along + (v / self.stretch)[..., None] * self.up

    def _rectangles(self, u: F8, v: F8, design: RowDesign) -> F8:
        """Return the corners in plan of the modules at places (u, v)."""
        depth = design.depth_m
        if design.per_place == 2:
            depth = 0.5 * (depth - design.gap_m)
            u, v = np.repeat(u, 2), np.repeat(v, 2)
            v[1::2] += depth + design.gap_m
        across = np.stack([v, v, v + depth, v + depth], axis=-1)
        right = u + design.width_m
        return self._plan(np.stack([u, right, right, u], axis=-1), across)

    def _offset(self, first: tuple[float, float]) -> tuple[float, float]:
        if not math.isfinite(first[0]):
            return 0.0, 0.0
        edges = np.concatenate([group.edges for group in self.groups])
        low = np.minimum(edges[:, :2], edges[:, 2:]).min(axis=0)
        return first[1] - float(low[0]), first[0] - float(low[1])


def _used_area(parts: Polygons, middles: F8) -> float:
    """Plan area of the polygons that hold a module's middle."""
    if len(parts) == 1:
        return float(shapely.area(parts[0]))
    holds = [bool(shapely.contains_xy(part, middles[:, 0], middles[:, 1]).any()) for part in parts]
    return float(shapely.area(parts)[holds].sum())
