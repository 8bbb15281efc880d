"""The surface model: LoD1 blocks on terrain, or a given DSM, cut into windows; and one coarse far surface."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
import shapely
from exactextract import exact_extract
from exactextract.raster import NumPyRasterSource
from shapely.geometry import mapping

from rooftop.core.grid import Bounds, Grid, tile_of
from rooftop.core.types import B1, F4, F8, I4, I8, Geometries
from rooftop.scene.burn import burn
from rooftop.scene.relief import Relief

FAR_CELL_M = 12.5
"""Cell of the far surface [m], doubled until the data set takes no more than `FAR_MOST_CELLS`."""
FAR_MOST_CELLS = 16_000_000
_FAR_SAMPLE_M = 6.25
BASE_CELL_M = 5.0
"""Cells in which terrain is read under buildings [m]: it is smooth."""
_BASE_BLOCK_CELLS = 512


class ElevationSource(Protocol):
    """Anything that gives elevations on a window (``rooftop.inputs.elevation.Elevation`` does)."""

    def window(self, x_min: float, y_max: float, cell_size_m: float, n_rows: int, n_cols: int) -> F4:
        """Return metres, shape ``(n_rows, n_cols)``, NaN where nothing is known."""
        ...


@dataclass(frozen=True)
class DsmCoverage:
    """What a given surface model shows of each building.

    Parameters
    ----------
    in_model : ndarray of bool, shape (n,)
        False: the model does not reach there, or shows no building; a block stands in its place.
    lowest_roof_m : ndarray, shape (n,)
        Elevation from which on a cell of the model is roof, not the foot of a wall.
    """

    in_model: B1
    lowest_roof_m: F8


@dataclass(frozen=True)
class Blocks:
    """Buildings as the surface model sees them; arrays are aligned with the footprint table.

    Parameters
    ----------
    geometry : ndarray of shapely geometries, shape (n,)
        Footprints in the working CRS; empty ones cast nothing.
    height_m, base_m : ndarray, shape (n,)
        Height above ground, and median terrain under the footprint.
    known : ndarray of bool, shape (n,), optional
        Heights that somebody stated or measured; the others are assumed. All, when left out.
    dsm_coverage : DsmCoverage, optional
        What a given surface model shows of each building. All of it, when left out.
    """

    geometry: Geometries
    height_m: F8
    base_m: F8
    known: B1 | None = None
    dsm_coverage: DsmCoverage | None = None

    @property
    def top_m(self) -> F8:
        """Elevation of the flat LoD1 roof."""
        return self.base_m + self.height_m

    @cached_property
    def point_m(self) -> F8:
        """A point on each roof (working CRS), shape (n, 2); NaN for empty outlines."""
        point = np.full((len(self.geometry), 2), np.nan)
        present = ~shapely.is_empty(self.geometry)
        point[present] = shapely.get_coordinates(shapely.point_on_surface(self.geometry[present]))
        return point

    @cached_property
    def rank(self) -> I8:
        """Who owns the area that outlines share: the higher rank.

        A known height goes before an assumed one, then the higher top, then the larger outline; the order of rows
        decides nothing.
        """
        bounds = np.nan_to_num(shapely.bounds(self.geometry).reshape(-1, 4))
        known = np.ones(len(self.geometry), dtype=bool) if self.known is None else self.known
        order = np.lexsort((*bounds.T, shapely.area(self.geometry), self.top_m, known))
        rank = np.empty(len(order), dtype=np.int64)
        rank[order] = np.arange(len(order))
        return rank

    @property
    def bounds(self) -> Bounds:
        """Bounds of everything that stands."""
        x_min, y_min, x_max, y_max = shapely.total_bounds(self.geometry)
        return float(x_min), float(y_min), float(x_max), float(y_max)


@dataclass(frozen=True)
class SurfaceWindow:
    """A window of the surface model.

    Parameters
    ----------
    grid : Grid
    dsm : ndarray of float32, shape ``grid.shape``
        Elevation of what the sky sees first, metres, NaN where unknown.
    owner : ndarray of int32, shape ``grid.shape``
        Row of the building whose roof the cell is, -1 for ground.
    plane : ndarray of int32, shape ``grid.shape``
        Row of the known roof plane that the cell lies on, -1 for none.
    """

    grid: Grid
    dsm: F4
    owner: I4
    plane: I4


def ground_window(ground: ElevationSource | None, grid: Grid) -> F4:
    """Return the terrain on `grid`; flat zero without a terrain model."""
    if ground is None:
        return np.zeros(grid.shape, dtype=np.float32)
    return ground.window(grid.x_min, grid.y_max, grid.cell_size_m, grid.n_rows, grid.n_cols)


def with_gaps_filled(base_m: F8) -> F8:
    """Return levels of the ground, the median of the others where nothing is known."""
    known = np.isfinite(base_m)
    return np.where(known, base_m, float(np.median(base_m[known])) if known.any() else 0.0)


def median_under_m(geometry: Geometries, model: ElevationSource, cell_size_m: float) -> tuple[F8, F8]:
    """Return the area-weighted median elevation under each footprint, and the share of it that the model knows.

    The median is the lowest value that is there of which, or less, half of the known area has: no mean of two values.

    Returns
    -------
    median_m, known_share : ndarray, shape (n,)
        NaN and 0 where nothing is known, and for empty footprints.
    """
    median, share = np.full(len(geometry), np.nan), np.zeros(len(geometry))
    present = np.flatnonzero(~shapely.is_empty(geometry))
    centre = shapely.point_on_surface(geometry[present])
    tile_i, tile_j = tile_of(shapely.get_x(centre), shapely.get_y(centre), cell_size_m, _BASE_BLOCK_CELLS)
    keys = np.stack([tile_i, tile_j], axis=1)
    blocks, inverse = np.unique(keys, axis=0, return_inverse=True)
    for k in range(len(blocks)):
        rows = present[inverse.ravel() == k]
        grid = Grid.covering(tuple(shapely.total_bounds(geometry[rows])), cell_size_m, cell_size_m)
        x_min, y_min, x_max, y_max = grid.bounds
        source = NumPyRasterSource(
            ground_window(model, grid).astype(np.float64),
            xmin=x_min,
            ymin=y_min,
            xmax=x_max,
            ymax=y_max,
            nodata=np.nan,
        )
        features = [{"type": "Feature", "geometry": mapping(shape), "properties": {}} for shape in geometry[rows]]
        extracted = exact_extract(source, features, ["values", "coverage"], output="pandas")
        area = shapely.area(geometry[rows]) / cell_size_m**2
        for row, values, weight, cells in zip(rows, extracted["values"], extracted["coverage"], area, strict=True):
            known = np.isfinite(values)
            median[row] = weighted_median(np.asarray(values)[known], np.asarray(weight)[known])
            share[row] = min(float(weight[known].sum() / cells), 1.0) if cells > 0.0 else 0.0
    return median, share


def weighted_median(values: F8, weight: F8) -> float:
    """Return the lowest of the values up to which half of the weight lies; NaN of none."""
    if not weight.sum() > 0.0:
        return float("nan")
    order = np.argsort(values, kind="stable")
    reached = np.cumsum(weight[order])
    return float(values[order][np.searchsorted(reached, 0.5 * reached[-1] * (1.0 - 1e-9))])


def lod1_surface(
    grid: Grid,
    blocks: Blocks,
    tree: shapely.STRtree,
    ground: ElevationSource | None,
    dsm: ElevationSource | None,
    relief: Relief | None = None,
) -> SurfaceWindow:
    """Build one window of the surface.

    The building of the highest rank wins a cell. A building that covers no cell centre takes the cell of its
    representative point. With a given DSM the elevations are the DSM's, and the footprints only say whose roof a cell
    is; buildings that it does not show stand as blocks on the terrain. Roofs of known planes have their shape
    (:meth:`rooftop.scene.relief.Relief.shape`) instead of a flat top.
    """
    rows = np.sort(tree.query(shapely.box(*grid.bounds)))
    rows = rows[np.argsort(blocks.rank[rows], kind="stable")]
    owner = burn(list(blocks.geometry[rows]), list(rows), grid)
    surface = ground_window(ground if dsm is None else dsm, grid)
    seen = np.zeros(len(blocks.geometry), dtype=bool)
    seen[owner[owner >= 0]] = True
    _claim_small(grid, blocks, rows[~seen[rows]], owner)
    on_building = owner >= 0
    if dsm is None:
        surface[on_building] = blocks.top_m[owner[on_building]].astype(np.float32)
        in_model = None
    else:
        in_model = (
            np.ones(len(blocks.geometry), dtype=bool) if blocks.dsm_coverage is None else blocks.dsm_coverage.in_model
        )
        _lay_on_model(surface, owner, blocks, in_model)
        beyond = ~on_building & ~np.isfinite(surface)
        if ground is not None and beyond.any():
            surface[beyond] = ground_window(ground, grid)[beyond]
    if relief is None:
        return SurfaceWindow(grid, surface, owner, np.full(grid.shape, -1, dtype=np.int32))
    surface = np.ascontiguousarray(surface)
    return SurfaceWindow(grid, surface, owner, relief.shape(grid, surface, owner, in_model))


def _lay_on_model(surface: F4, owner: I4, blocks: Blocks, in_model: B1) -> None:
    """Set blocks where a surface model shows no building, and give up cells that are the foot of a wall, in place.

    At a roof's edge a model's cell lies half way down the wall: no module stands there.
    """
    on_building = owner >= 0
    of = owner[on_building]
    lowest_roof_m = (
        blocks.base_m + 0.5 * blocks.height_m if blocks.dsm_coverage is None else blocks.dsm_coverage.lowest_roof_m
    )
    at, as_block = surface[on_building], ~in_model[of]
    surface[on_building] = np.where(as_block, blocks.top_m[of].astype(np.float32), at)
    owner[on_building] = np.where(~as_block & (at < lowest_roof_m[of]), -1, of)


def _claim_small(grid: Grid, blocks: Blocks, rows: I8, owner: I4) -> None:
    x, y = blocks.point_m[rows].T
    x_min, y_min, x_max, y_max = grid.bounds
    inside = (x >= x_min) & (x < x_max) & (y > y_min) & (y <= y_max)
    r, c = grid.cell_of(x[inside], y[inside])
    free = owner[r, c] < 0
    owner[r[free], c[free]] = rows[inside][free]


@dataclass(frozen=True)
class FarSurface:
    """Buildings as maxima and terrain on one coarse grid of the whole data set."""

    grid: Grid
    elevation_m: F4


def far_surface(
    blocks: Blocks,
    ground: ElevationSource | None,
    dsm: ElevationSource | None,
    terrain_far: ElevationSource | None,
    margin_m: float,
) -> FarSurface:
    """Build the coarse surface that stands in for everything beyond a tile's halo.

    Parameters
    ----------
    margin_m : float
        How far beyond the footprints terrain is taken in (0 without a far terrain model).
    """
    grid = _far_grid(blocks.bounds, margin_m)
    elevation = ground_window(ground, grid).copy()
    if terrain_far is not None:
        elevation = np.fmax(elevation, ground_window(terrain_far, grid))
    stands = ~shapely.is_empty(blocks.geometry)
    if dsm is not None:
        elevation = np.fmax(elevation, _pooled_maximum(dsm, grid, round(grid.cell_size_m / _FAR_SAMPLE_M)))
        stands &= False if blocks.dsm_coverage is None else ~blocks.dsm_coverage.in_model
    present = np.flatnonzero(stands)
    if len(present):
        rows = present[np.argsort(blocks.top_m[present], kind="stable")]
        owner = burn(list(blocks.geometry[rows]), list(rows), grid, all_touched=True)
        on_building = owner >= 0
        elevation[on_building] = np.fmax(elevation[on_building], blocks.top_m[owner[on_building]].astype(np.float32))
    return FarSurface(grid, elevation)


def _far_grid(bounds: Bounds, margin_m: float) -> Grid:
    cell_size_m = FAR_CELL_M
    while True:
        grid = Grid.covering(bounds, cell_size_m, margin_m)
        if grid.n_rows * grid.n_cols <= FAR_MOST_CELLS:
            return grid
        cell_size_m *= 2.0


def _pooled_maximum(dsm: ElevationSource, grid: Grid, factor: int) -> F4:
    fine = dsm.window(grid.x_min, grid.y_max, grid.cell_size_m / factor, grid.n_rows * factor, grid.n_cols * factor)
    filled = np.where(np.isfinite(fine), fine, -np.inf)
    pooled = filled.reshape(grid.n_rows, factor, grid.n_cols, factor).max(axis=(1, 3))
    return np.where(np.isfinite(pooled), pooled, np.nan).astype(np.float32)


def window_for(roofs: Geometries, cell_size_m: float, halo_m: float) -> Grid:
    """Return the grid of a tile: the bounds of all roofs that belong to it, and the halo around them."""
    x_min, y_min, x_max, y_max = (float(v) for v in shapely.total_bounds(roofs))
    return Grid.covering((x_min, y_min, x_max, y_max), cell_size_m, halo_m)
