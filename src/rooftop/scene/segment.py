"""Roof planes found in a surface model: the cells inside each footprint, segmented."""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from rooftop.core.grid import Grid
from rooftop.core.types import B1, F4, F8, I4, I8, Geometries
from rooftop.kernels.labels import outlines, spread
from rooftop.kernels.segment import segment_roof
from rooftop.scene.plane_rules import SegmentationRules

_MARGIN = 3  # cells around a roof's window, for outlines that reach beyond the footprint
_BEYOND = 2
_RIDGE_CELLS, _RIDGE_SHARE = 2.0, 0.8
_LEAST_KEPT = 0.7
_RIDGE_SLOPE = 0.2  # metres per metre: planes that differ less meet nowhere in particular
_LEAST_PIECE_M2 = 0.01
_COLUMNS = (
    "roof",
    "plane_id",
    "surface_tilt_deg",
    "surface_azimuth_deg",
    "area_m2",
    "roof_source",
    "z_m",
    "slope_east",
    "slope_north",
    "noise_m",
    "geometry",
)


@dataclass(frozen=True)
class Segmentation:
    """Planes of the roofs of one window, and what every roof cell is.

    Parameters
    ----------
    planes : GeoDataFrame
        One row per plane, ordered by roof: ``roof`` (row of the building), ``plane_id`` (number within the roof, from
        1), ``surface_tilt_deg``, ``surface_azimuth_deg`` (true north), ``area_m2`` (in the plane), ``roof_source``
        ("dsm"), ``z_m`` (elevation at the polygon's centroid), ``slope_east``, ``slope_north`` (metres up per metre),
        ``noise_m`` (standard deviation of the cells about their planes), ``geometry`` (Polygon in plan). The planes of
        a roof do not overlap; together they fill its footprint, obstacles included, but for parts that touch no plane.
    label : ndarray of int32, shape ``grid.shape``
        Row of `planes` that a cell belongs to; -1 where the cell is on no roof, or on a roof without any plane.
    residual_m : ndarray of float32, shape ``grid.shape``
        Elevation above that plane [m]; NaN where `label` is -1 and where the surface model knows nothing.
    on_plane : ndarray of bool, shape ``grid.shape``
        The cell lies on its plane; else it is an obstacle, an edge, or part of a face smaller than a plane.
    without : ndarray of int64
        Roofs in which no plane was found.
    unseen : ndarray of int64
        Those of them of which the surface model knows too little to say.
    """

    planes: gpd.GeoDataFrame
    label: I4
    residual_m: F4
    on_plane: B1
    without: I8
    unseen: I8


@dataclass(frozen=True)
class _Roof:
    """One roof's result in its own window: planes ``a b c`` about (x, y, z) of its first cell, and rings of corners."""

    plane: F8
    noise_m: F8
    origin: tuple[float, float, float]
    corner: F8
    first: I4
    of: I4


def segment(
    dsm: F4,
    owner: I4,
    grid: Grid,
    footprints: Geometries,
    convergence_deg: F8,
    rules: SegmentationRules,
) -> Segmentation:
    """Segment the surface model inside each footprint into planes.

    Each roof is worked on alone, from the cells that `owner` gives it: what the window holds beside it changes nothing.
    Cells without elevation belong to the nearest plane, so that the roof keeps its area; a roof of which less than
    ``seen_from_share`` has an elevation gets no plane.

    Parameters
    ----------
    dsm : ndarray, shape ``grid.shape``
        Elevation [m], NaN where unknown.
    owner : ndarray of int32, shape ``grid.shape``
        Row of the building whose roof a cell is, -1 for none.
    grid : Grid
        Cells of half a metre to a metre.
    footprints : ndarray of shapely geometries, shape (n,)
        Visible part of each building's footprint, working CRS.
    convergence_deg : ndarray, shape (n,)
        True azimuth of grid north at each building.
    rules : SegmentationRules

    Returns
    -------
    Segmentation
    """
    windows = _windows(owner)
    layers = _Layers.empty(grid.shape)
    numbers: list[int] = []
    unseen: list[int] = []
    segmented: list[_Roof] = []
    n_plane = 0
    for roof, (r0, r1, c0, c1) in windows:
        z, whole, inside, origin_z = _cells(dsm, owner, roof, (r0, r1, c0, c1))
        if inside.sum() < rules.seen_from_share.value * whole.sum():
            unseen.append(roof)
            continue
        fitted_label, plane, noise = segment_roof(
            z,
            inside,
            grid.cell_size_m,
            least_m2=rules.min_plane_m2.value,
            least_sigma=rules.min_noise_m.value,
            angle=np.radians(rules.max_normal_deg.value),
            apart=rules.apart_m.value,
        )
        if len(plane) < 2:
            continue
        host = spread(fitted_label, whole, _BEYOND)
        corner, first, of = outlines(host, len(plane) - 1)
        seen = np.where(inside, z, np.nan)
        cells = _RoofCells(z=seen, inside=whole, fitted=fitted_label, host=host)
        layers.enter((r0, c0), cells, plane, grid.cell_size_m, n_plane)
        n_plane += len(plane) - 1
        row0, col0 = r0 - _MARGIN, c0 - _MARGIN
        x, y = grid.centres(np.array([row0]), np.array([col0]))
        side = grid.cell_size_m
        at = np.stack([(grid.col0 + col0 + corner[:, 1]) * side, (grid.row0 - row0 - corner[:, 0]) * side], axis=1)
        numbers.append(roof)
        segmented.append(_Roof(plane[1:], noise[1:], (float(x[0]), float(y[0]), origin_z), at, first, of))
    planes, row_of = _table(np.array(numbers, dtype=np.int64), segmented, footprints, convergence_deg, rules, grid)
    label = layers.label
    on_plane = label >= 0
    label[on_plane] = row_of[label[on_plane]]
    missed = np.setdiff1d(np.array([roof for roof, _ in windows], dtype=np.int64), planes["roof"].to_numpy())
    lost = label < 0
    layers.residual[lost] = np.nan
    layers.on_plane[lost] = False
    return Segmentation(planes, label, layers.residual, layers.on_plane, missed, np.array(unseen, dtype=np.int64))


def _windows(owner: I4) -> list[tuple[int, tuple[int, int, int, int]]]:
    """Return each roof with the first and last-but-one rows and columns of its cells, by rising number."""
    rows, cols = np.nonzero(owner >= 0)
    names, which = np.unique(owner[rows, cols], return_inverse=True)
    low = np.full((len(names), 2), np.iinfo(np.int64).max)
    high = np.zeros((len(names), 2), dtype=np.int64)
    for axis, at in enumerate((rows, cols)):
        np.minimum.at(low[:, axis], which, at)
        np.maximum.at(high[:, axis], which, at + 1)
    boxes = np.stack([low[:, 0], high[:, 0], low[:, 1], high[:, 1]], axis=1).tolist()
    return [(int(name), tuple(box)) for name, box in zip(names, boxes, strict=True)]


def _cells(dsm: F4, owner: I4, roof: int, box: tuple[int, int, int, int]) -> tuple[F8, B1, B1, float]:
    """Return a roof's elevations less their median, which cells it has and which are known, with a margin around."""
    r0, r1, c0, c1 = box
    high = dsm[r0:r1, c0:c1].astype(np.float64)
    whole = owner[r0:r1, c0:c1] == roof
    known = whole & np.isfinite(high)
    zero = float(np.median(high[known])) if known.any() else 0.0
    z = np.pad(np.where(known, high - zero, 0.0), _MARGIN)
    return z, np.pad(whole, _MARGIN), np.pad(known, _MARGIN), zero


@dataclass(frozen=True, kw_only=True)
class _RoofCells:
    """A roof's cells in its own window: elevation, whether its own, number of their plane as fitted and as spread."""

    z: F8
    inside: B1
    fitted: I4
    host: I4


@dataclass(frozen=True, kw_only=True)
class _Layers:
    """What a segmentation says of each cell of the window."""

    label: I4
    residual: F4
    on_plane: B1

    @classmethod
    def empty(cls, shape: tuple[int, int]) -> _Layers:
        """Return layers without any plane."""
        return cls(
            label=np.full(shape, -1, dtype=np.int32),
            residual=np.full(shape, np.nan, dtype=np.float32),
            on_plane=np.zeros(shape, dtype=bool),
        )

    def enter(self, corner: tuple[int, int], cells: _RoofCells, plane: F8, cell: float, before: int) -> None:
        """Enter one roof's cells; its labels follow the `before` ones of earlier roofs."""
        rows, cols = np.nonzero(cells.inside & (cells.host > 0))
        k = cells.host[rows, cols]
        off = cells.z[rows, cols] - plane[k, 0] * cols * cell + plane[k, 1] * rows * cell - plane[k, 2]
        to = rows + corner[0] - _MARGIN, cols + corner[1] - _MARGIN
        self.label[to] = k - 1 + before
        self.residual[to] = off
        self.on_plane[to] = cells.fitted[rows, cols] > 0


def _rings(segmented: list[_Roof], cell_size_m: float) -> tuple[Geometries, I8]:
    """Return the outline of every plane with at least one cell, and the number of its roof in `segmented`."""
    corner = np.concatenate([roof.corner for roof in segmented])
    length = np.concatenate([np.diff(one.first) for one in segmented])
    ring = np.repeat(np.arange(len(length)), length)
    count = [len(one.plane) for one in segmented]
    before = np.cumsum([0, *count[:-1]])
    plane = np.concatenate([one.of - 1 + start for one, start in zip(segmented, before, strict=True)])
    roof = np.repeat(np.arange(len(segmented)), count)
    order = np.argsort(plane, kind="stable")
    drawn, moved = (
        shapely.polygons(shapely.linearrings(at, indices=ring)[order], indices=plane[order])
        for at in (corner, _on_ridges(corner, plane[ring], roof, segmented, cell_size_m))
    )
    touching = ~shapely.is_valid(drawn)  # at a corner of cells
    drawn[touching] = shapely.make_valid(drawn[touching])
    for k in range(len(segmented)):
        of_roof = roof == k
        if not shapely.equals_exact(moved[of_roof], drawn[of_roof]).all():
            drawn[of_roof] = _without_folds(moved[of_roof], drawn[of_roof])
    return drawn, roof


def _without_folds(moved: Geometries, drawn: Geometries) -> Geometries:
    """Return planes with moved borders as a coverage: a border that came back on itself is laid flat.

    The faces that the borders make are given to the planes that they lie in; where that does not succeed the planes
    stay as they were drawn.
    """
    if shapely.coverage_is_valid(moved) and shapely.is_valid(moved).all():
        return moved
    faces = shapely.get_parts(shapely.polygonize([shapely.union_all(shapely.boundary(moved))]))
    whole = shapely.make_valid(moved, method="structure", keep_collapsed=False)
    inside, plane = shapely.STRtree(whole).query(shapely.point_on_surface(faces), predicate="within")
    owner = np.full(len(faces), -1, dtype=np.int64)
    owner[inside[::-1]] = plane[::-1]  # where two claim a face, the first
    lost = np.flatnonzero(owner < 0)  # between borders that parted; a courtyard was nobody's before
    inside, plane = shapely.STRtree(drawn).query(shapely.point_on_surface(faces[lost]), predicate="within")
    owner[lost[inside]] = plane
    out = np.array([shapely.coverage_union_all(faces[owner == k]) for k in range(len(moved))], dtype=object)
    parts = np.array([shapely.get_type_id(shape) in (3, 6) for shape in out])
    kept = _LEAST_KEPT * shapely.area(drawn) <= shapely.area(out)
    return out if (parts & kept).all() and shapely.coverage_is_valid(out) else drawn


def _on_ridges(
    corner: F8,
    of: I8,
    roof: I8,
    segmented: list[_Roof],
    cell_size_m: float,
) -> F8:
    """Move the corners between two planes onto the line where these meet, where most of their border is near to it.

    Cells draw a ridge that runs across the grid as stairs, ragged where tiles or noise decide. A corner of three planes
    goes to their common point, if all three meet; any other stays.
    """
    keys = np.column_stack([roof[of], np.round(corner / cell_size_m).astype(np.int64)])
    order = np.lexsort(keys.T)
    first = np.flatnonzero(np.append(True, np.any(np.diff(keys[order], axis=0) != 0, axis=1)))
    size = np.diff(np.append(first, len(order)))
    plane = np.concatenate([one.plane for one in segmented])
    origin = np.array([one.origin[:2] for one in segmented])[roof]
    two = order[first[size == 2][:, None] + np.arange(2)]
    two = two[of[two[:, 0]] != of[two[:, 1]]]
    plane_1, plane_2 = of[two[:, 0]], of[two[:, 1]]
    apart = plane[plane_1] - plane[plane_2]
    steep = np.maximum(np.hypot(apart[:, 0], apart[:, 1]), 1e-9)
    at = corner[two[:, 0]] - origin[plane_1]
    away = (apart[:, 0] * at[:, 0] + apart[:, 1] * at[:, 1] + apart[:, 2]) / steep
    near = (np.abs(away) <= _RIDGE_CELLS * cell_size_m) & (steep > _RIDGE_SLOPE)
    border, number = np.unique(_pair(plane_1, plane_2), return_inverse=True)
    meets = np.bincount(number, near) >= _RIDGE_SHARE * np.bincount(number)
    moves = meets[number] & (np.abs(away) <= 1.5 * _RIDGE_CELLS * cell_size_m)
    out = corner.copy()
    goal = corner[two[:, 0]] - (away / steep)[:, None] * apart[:, :2]
    out[two[moves]] = goal[moves][:, None]
    three = order[first[size == 3][:, None] + np.arange(3)]
    a, b, c = of[three].T
    all_meet = np.logical_and.reduce([np.isin(_pair(i, j), border[meets]) for i, j in ((a, b), (b, c), (a, c))])
    three, a, b, c = three[all_meet], a[all_meet], b[all_meet], c[all_meet]
    sides = np.stack([plane[a] - plane[b], plane[a] - plane[c]], axis=1)
    sharp = np.abs(np.linalg.det(sides[:, :, :2])) > _RIDGE_SLOPE**2
    three, a, sides = three[sharp], a[sharp], sides[sharp]
    goal = np.linalg.solve(sides[:, :, :2], -sides[:, :, 2:])[:, :, 0] + origin[a]
    near = np.hypot(*(goal - corner[three[:, 0]]).T) <= 1.5 * _RIDGE_CELLS * cell_size_m
    out[three[near]] = goal[near][:, None]
    return out


def _pair(a: I8, b: I8) -> I8:
    """Number pairs of planes, whichever comes first."""
    return np.minimum(a, b) * (1 << 31) + np.maximum(a, b)


def _smooth_outlines(shapes: Geometries, roof: I8, footprints: Geometries, tolerance_m: float) -> Geometries:
    """Smooth the outlines of each roof's planes together, so that they still share edges, and cut them at its edge."""
    for k in range(len(footprints)):
        of_roof = roof == k
        shapes[of_roof] = shapely.coverage_simplify(shapes[of_roof], tolerance_m)
    cut = shapely.intersection(shapes, footprints[roof])
    return cut


def _table(
    numbers: I8,
    segmented: list[_Roof],
    footprints: Geometries,
    convergence_deg: F8,
    rules: SegmentationRules,
    grid: Grid,
) -> tuple[gpd.GeoDataFrame, I4]:
    """Return the table of planes, and the row of the largest piece of every plane found (-1 where nothing is left)."""
    if not segmented:
        return gpd.GeoDataFrame({name: [] for name in _COLUMNS}, geometry="geometry"), np.zeros(0, dtype=np.int32)
    shapes, roof = _rings(segmented, grid.cell_size_m)
    shapes = _smooth_outlines(shapes, roof, footprints[numbers], rules.simplify_m.value * grid.cell_size_m)
    pieces, source = shapely.get_parts(shapes, return_index=True)
    keep = (shapely.get_type_id(pieces) == 3) & (shapely.area(pieces) > _LEAST_PIECE_M2)
    pieces, source = pieces[keep], source[keep]
    order = np.lexsort((-shapely.area(pieces), source))
    pieces, source = pieces[order], source[order]
    row_of = np.full(len(shapes), -1, dtype=np.int32)
    kept, first = np.unique(source, return_index=True)
    row_of[kept] = first
    plane = np.concatenate([one.plane for one in segmented])[source]
    origin = np.array([one.origin for one in segmented])[roof[source]]
    owner = numbers[roof[source]]
    east, north = plane[:, 0], plane[:, 1]
    centre = shapely.get_coordinates(shapely.centroid(pieces))
    z = plane[:, 2] + east * (centre[:, 0] - origin[:, 0]) + north * (centre[:, 1] - origin[:, 1]) + origin[:, 2]
    rise = np.hypot(east, north)
    table = pd.DataFrame({"roof": owner})
    table["plane_id"] = table.groupby("roof").cumcount() + 1
    table["surface_tilt_deg"] = np.degrees(np.arctan(rise))
    table["surface_azimuth_deg"] = (np.degrees(np.arctan2(-east, -north)) + convergence_deg[owner]) % 360.0
    table["area_m2"] = shapely.area(pieces) * np.hypot(1.0, rise)
    table["roof_source"] = "dsm"
    table["z_m"] = z
    table["slope_east"], table["slope_north"] = east, north
    table["noise_m"] = np.concatenate([one.noise_m for one in segmented])[source]
    return gpd.GeoDataFrame(table, geometry=pieces), row_of
