"""What stands on roof planes: cells off their plane, as polygons with a height."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from rooftop.core.grid import Grid
from rooftop.core.types import B1, F8, I4, I8, Geometries
from rooftop.kernels.labels import outlines, split
from rooftop.scene.plane_rules import ObstacleRules
from rooftop.scene.segment import Segmentation

_HEIGHT_PERCENTILE = 90.0
TO_SIGMA = 1.4826
"""Standard deviation of normal noise over its median absolute deviation."""


def cells_polygons(piece: I4, grid: Grid) -> Geometries:
    """Return the outline of each numbered piece of cells, in the CRS of `grid`.

    Parameters
    ----------
    piece : ndarray of int32, shape ``grid.shape``
        1 to n, each connected along cell edges; 0 and less for no piece.
    grid : Grid

    Returns
    -------
    ndarray of shapely Polygons, shape (n,)
        A piece that touches itself at a corner may be a MultiPolygon.
    """
    n = int(piece.max(initial=0))
    if n <= 0:
        return np.empty(0, dtype=object)
    corner, first, of = outlines(piece, n)
    at = np.stack([grid.col0 + corner[:, 1], grid.row0 - corner[:, 0]], axis=1) * grid.cell_size_m
    length = np.diff(first)
    rings = shapely.linearrings(at, indices=np.repeat(np.arange(len(length)), length))
    order = np.argsort(of, kind="stable")
    shapes = shapely.polygons(rings[order], indices=of[order].astype(np.int64) - 1)
    touching = ~shapely.is_valid(shapes)
    shapes[touching] = shapely.make_valid(shapes[touching])
    return shapes


def cell_pieces(kind: NDArray[np.integer], cell_size_m: float, least_m2: float) -> tuple[I4, int]:
    """Number the pieces of cells of one kind (above 0) that are connected along edges, without those below `least_m2`.

    Returns
    -------
    piece : ndarray of int32, same shape
        From 1; 0 for no piece.
    n : int
    """
    piece = np.ascontiguousarray(kind, dtype=np.int32)
    n, _ = split(piece, np.zeros((int(piece.max(initial=0)) + 1, 3)), least_m2, cell_size_m, 0.0)
    return piece, int(n)


def noise_about_planes(segmentation: Segmentation) -> F8:
    """Return the standard deviation of each plane's cells about it, (n_planes,) [m]: robust, and no more than assumed.

    What a roof is segmented with is one number for all of it, or one for its rougher part: on a smooth plane beside it
    steps of two feet would pass for noise.
    """
    assumed = segmentation.planes["noise_m"].to_numpy(dtype=float)
    at = segmentation.on_plane & np.isfinite(segmentation.residual_m)
    away = pd.Series(np.abs(segmentation.residual_m[at]), dtype=float).groupby(segmentation.label[at]).median()
    found = TO_SIGMA * away.reindex(range(len(assumed))).to_numpy(dtype=float)
    return np.fmin(assumed, found)


def find_obstacles(segmentation: Segmentation, grid: Grid, rules: ObstacleRules) -> gpd.GeoDataFrame:
    """Return what stands on the planes, or lies below them, as polygons in plan.

    Higher above its plane than ``min_height_m`` and than ``noise_factor`` times the noise of the roof: parapets, stair
    heads, lift rooms, skylights, tanks, raised collectors, dormers too small to be planes. As far below: shafts,
    light wells, terraces too small to be planes; but not the cells at the roof's edge, which a surface model lets
    down along the wall. Collectors lying in the plane are not seen: they are declared. Where the surface model knows
    nothing (water, felt that swallows the laser) nobody knows what stands there: such parts are obstacles of height 0.

    Parameters
    ----------
    segmentation : Segmentation
    grid : Grid
        Its grid.
    rules : ObstacleRules

    Returns
    -------
    GeoDataFrame
        ``roof`` (row of the building), ``plane`` (row of ``segmentation.planes`` with most of its cells), ``height_m``
        (90th percentile of its cells above the plane, negative below, 0 where unknown), ``area_m2`` (in plan),
        ``geometry``; by roof.
    """
    on_plane = segmentation.label >= 0
    row = np.where(on_plane, segmentation.label, 0)
    noise = noise_about_planes(segmentation)
    roof = segmentation.planes["roof"].to_numpy(dtype=np.int64)
    if not len(roof):
        return _table(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64), np.zeros(0), np.empty(0, dtype=object))
    limit = np.maximum(rules.min_height_m.value, rules.noise_factor.value * noise)[row]
    residual = np.where(on_plane, segmentation.residual_m, 0.0)
    _, number = np.unique(roof, return_inverse=True)
    owner = np.where(on_plane, number[row], -1)
    above = cell_pieces(np.where(residual > limit, owner + 1, 0), grid.cell_size_m, rules.min_area_m2.value)
    below = cell_pieces(
        np.where((residual < -limit) & _inner(owner), owner + 1, 0), grid.cell_size_m, rules.min_area_m2.value
    )
    unseen = cell_pieces(np.where(np.isnan(residual), owner + 1, 0), grid.cell_size_m, rules.min_area_m2.value)
    residual = np.where(np.isnan(residual), 0.0, residual)
    plane, height, shapes = [], [], []
    for (piece, n), percentile in ((above, _HEIGHT_PERCENTILE), (below, 100.0 - _HEIGHT_PERCENTILE), (unseen, 50.0)):
        shapes.append(cells_polygons(piece, grid))
        at = piece > 0
        order = np.argsort(piece[at], kind="stable")
        first = np.searchsorted(piece[at][order], np.arange(1, n + 1))
        for rows, off in zip(
            np.split(row[at][order], first[1:]), np.split(residual[at][order], first[1:]), strict=True
        ):
            if len(rows):
                plane.append(int(np.bincount(rows).argmax()))
                height.append(float(np.percentile(off, percentile)))
    planes = np.array(plane, dtype=np.int64)
    return _table(roof[planes], planes, np.array(height, dtype=float), np.concatenate(shapes))


def _table(roof: I8, plane: I8, height: F8, shapes: Geometries) -> gpd.GeoDataFrame:
    order = np.argsort(roof, kind="stable")
    values = {"roof": roof, "plane": plane, "height_m": height, "area_m2": shapely.area(shapes)}
    return gpd.GeoDataFrame({name: column[order] for name, column in values.items()}, geometry=shapes[order])


def _inner(owner: NDArray[np.integer]) -> B1:
    """Return the cells whose eight neighbours belong to the same roof."""
    around = np.pad(owner, 1, constant_values=-1)
    h, w = owner.shape
    same = owner >= 0
    for i in range(3):
        for j in range(3):
            same &= around[i : i + h, j : j + w] == owner
    return same
