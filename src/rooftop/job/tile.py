"""One tile: surface → horizons → a year on every plane of its roofs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import shapely

from rooftop.core.grid import Grid, Tile
from rooftop.core.surfaces import HAS_WALLS
from rooftop.core.types import F4, F8, I8
from rooftop.job.light import YEAR_COLUMNS, Orientation, TableBook, TileLight, year_columns
from rooftop.job.module_years import ModuleYears, TileModules, module_years
from rooftop.job.scene import Scene
from rooftop.scene.far import FarObservers, merge_far_field, ring_surfaces
from rooftop.scene.places import ModulePoints
from rooftop.scene.relief import Relief
from rooftop.scene.surface import FarSurface, SurfaceWindow, lod1_surface, window_for
from rooftop.solar.energy import annual_irradiation, cell_months, usable_year
from rooftop.solar.horizons import Sweep, sky_view, skylines
from rooftop.solar.reflection import reflected_irradiation
from rooftop.solar.skylines import Skylines

_LEVEL = 1e-3  # slope below which a plane has no steps worth the name
_STEP_DEG = 0.1
_BLOCK = 65_536  # cells whose months are held as float64 at a time


@dataclass(frozen=True, kw_only=True)
class TileCells:
    """Per-cell results of a tile, for rasters; lattice positions count from the CRS origin.

    Irradiation and shading loss are those of the array plane, at the data set's mean irradiance; `svf` is the level
    cell's, behind its horizons alone. `poa_monthly_kwh_m2` is (n, 12), only where asked for.
    """

    lattice_row: I8
    lattice_col: I8
    poa_annual_kwh_m2: F4
    svf: F4
    shading_loss: F4
    poa_monthly_kwh_m2: F4 | None = None


@dataclass(frozen=True, kw_only=True)
class TileResult:
    """Results of a tile.

    Parameters
    ----------
    planes : DataFrame
        Indexed like ``Scene.planes``: ``n_cells``, ``n_lit`` (modules that have light) and ``n_counted`` (those of them
        that count), NaN where modules have no places; ``ok_share`` (of its cells, the bright ones), and
        :data:`rooftop.job.light.YEAR_COLUMNS`: ``svf shading_loss poa_free_kwh_m2``, and per month ``poa_01…`` (kWh/m²)
        and ``ac_01…`` (kWh/kWp), means over the modules that count, or over the bright cells of a plane without any.
    cells : TileCells or None
    modules : TileModules or None
    """

    planes: pd.DataFrame
    cells: TileCells | None
    modules: TileModules | None = None


PLANE_YEAR_COLUMNS = ["ok_share", *YEAR_COLUMNS]
MODULE_COUNTS = ("n_cells", "n_lit", "n_counted")


@dataclass(frozen=True)
class _RoofCells:
    row: I8
    col: I8
    roof: I8  # ascending
    known: I8  # row of the relief, -1 for none


def compute_tile(scene: Scene, book: TableBook, tile: Tile) -> TileResult:
    """Compute the year of every plane whose roof belongs to `tile`."""
    members, roof = scene.tile_members[tile], scene.planes["roof"].to_numpy()
    grid = window_for(scene.blocks.geometry[members], scene.options.cell_size_m, scene.options.halo_m)
    surroundings = scene.blocks, shapely.STRtree(scene.blocks.geometry), scene.ground, scene.dsm, scene.relief
    surface, rings = lod1_surface(grid, *surroundings), ring_surfaces(grid, *surroundings)
    plane_rows = np.flatnonzero(np.isin(roof, members))
    north = float(np.mean(scene.convergence_deg[members]))
    cells = _roof_cells(scene, surface, np.unique(roof[plane_rows]))
    cells_of = _cells_by_plane(scene, grid, cells, plane_rows)
    points = None
    if scene.module_layout is not None:
        points = ModulePoints.in_window(scene.module_layout, plane_rows, grid, (cells.row, cells.col), cells_of)
    eyes = _eyes_m(scene, plane_rows, cells_of, len(cells.row), points)
    light = TileLight(
        scene=scene,
        book=book,
        horizon=_horizons(scene, surface, rings, cells, eyes, north),
        north_deg=north,
        plane_rows=plane_rows,
        usual_factor=scene.factor.mean(axis=0),
    )
    built = None if points is None else module_years(light, points)
    raster = _CellSums(len(cells.row), scene.keep_months) if scene.keep_cells else None
    return TileResult(
        planes=_plane_table(light, cells_of, built, raster),
        cells=raster.finish(grid, cells, light.horizon) if raster is not None else None,
        modules=None if built is None else built.modules,
    )


def _plane_table(
    light: TileLight, cells_of: list[I8], built: ModuleYears | None, raster: _CellSums | None
) -> pd.DataFrame:
    """Return the table of the tile's planes: of modules where there are any, else of the planes' cells."""
    n_planes = len(light.plane_rows)
    with_modules = np.zeros(n_planes, dtype=bool)
    years = np.full((n_planes, len(YEAR_COLUMNS)), np.nan)
    if built is not None:
        with_modules[built.planes] = True
        years[built.planes] = built.years
    bare = np.array([len(cells) > 0 for cells in cells_of], dtype=bool) & ~with_modules
    years[bare] = _bare_years(light, cells_of, np.flatnonzero(bare))
    table = pd.DataFrame(years, index=light.scene.planes.index[light.plane_rows], columns=YEAR_COLUMNS)
    table.insert(0, "ok_share", _bright_share(light, cells_of, raster))
    table["n_cells"] = [len(cells) for cells in cells_of]
    table["n_lit"] = np.nan if built is None else built.n_lit
    table["n_counted"] = np.nan if built is None else built.n_counted
    return table


def _bare_years(light: TileLight, cells_of: list[I8], planes: I8) -> F8:
    """Return the mean year of the bright cells of planes without modules; of all cells, where all are dark."""
    years = np.zeros((len(planes), len(YEAR_COLUMNS)))
    for orientation in light.orientations(planes):
        tables = light.tables(orientation.plane, rows=True)
        groups = [cells_of[k] for k in orientation.planes]
        start = np.concatenate([[0], np.cumsum([len(cells) for cells in groups])])
        factor, (_, most) = light.factor(orientation.planes), light.most_loss(tables)
        usable, _ = light.reflected(
            usable_year(tables, light.horizon, np.concatenate(groups), start, factor, light.usual_factor, most)
        )
        years[orientation.at] += orientation.weight[:, None] * year_columns(usable.year)
    return years


def _bright_share(light: TileLight, cells_of: list[I8], raster: _CellSums | None) -> F8:
    """Return the share of each plane's cells that are bright, NaN without cells; and fill the raster, if there is one.

    A cell is what a module would get there behind endless rows.
    """
    size = np.array([len(cells) for cells in cells_of])
    first = np.cumsum(size) - size
    excess = np.zeros(int(size.sum()))
    for orientation in light.orientations(np.flatnonzero(size > 0)):
        tables = light.tables(orientation.plane, rows=True)
        free, most = light.most_loss(tables)
        index = np.concatenate([cells_of[k] for k in orientation.planes])
        annual = annual_irradiation(tables, light.horizon, index, light.usual_factor)
        weight = np.repeat(orientation.weight, size[orientation.planes])
        place = np.concatenate([np.arange(first[k], first[k] + size[k]) for k in orientation.planes])
        excess[place] += weight * (1.0 - annual / free - most)
        if raster is not None:
            raster.add(light, orientation, index, annual, weight)
    bright = np.add.reduceat((excess <= 0.0).astype(np.float64), first[size > 0]) if size.any() else np.zeros(0)
    share = np.full(len(size), np.nan)
    share[size > 0] = bright / size[size > 0]
    return share


def _eyes_m(scene: Scene, plane_rows: I8, cells_of: list[I8], n_cells: int, points: ModulePoints | None) -> F8:
    """Return how high above each cell a module is: one that stands there, else the middle of one that might."""
    eyes = np.zeros(n_cells)
    for cells, middle in zip(cells_of, scene.planes["module_middle_m"].to_numpy()[plane_rows], strict=True):
        eyes[cells] = middle
    return eyes if points is None else points.eyes_m(eyes)


def _roof_cells(scene: Scene, surface: SurfaceWindow, roofs: I8) -> _RoofCells:
    """Return the cells of some roofs, roof after roof."""
    in_tile = np.zeros(len(scene.blocks.geometry) + 1, dtype=bool)  # the last entry stands for ground, owner -1
    in_tile[roofs] = True
    row, col = np.nonzero(in_tile[surface.owner] & np.isfinite(surface.dsm))
    roof = surface.owner[row, col].astype(np.int64)
    order = np.argsort(roof, kind="stable")
    row, col, roof = row[order], col[order], roof[order]
    return _RoofCells(row, col, roof, surface.plane[row, col].astype(np.int64))


def _horizons(
    scene: Scene, surface: SurfaceWindow, rings: tuple[FarSurface, ...], cells: _RoofCells, eyes_m: F8, north: float
) -> Skylines:
    """Return the horizons of cells, seen from so high above each."""
    options, row, col = scene.options, cells.row, cells.col
    origin = -surface.grid.row0, surface.grid.col0
    above = np.zeros(surface.grid.shape, dtype=np.float32)
    above[row, col] = eyes_m
    sweep = Sweep(n_azimuth=options.azimuths, surface=options.surface, grid_north_deg=north, origin=origin)
    near = skylines(surface.dsm, options.cell_size_m, row, col, sweep, eyes_m=above)
    if scene.relief is not None and HAS_WALLS[options.surface]:
        near = _smooth_own_steps(near, scene.relief, surface, cells, above, north)
    if len(cells.roof):
        z_m = surface.dsm[row, col].astype(np.float64) + eyes_m
        observers = FarObservers(row=row, col=col, roof=cells.roof, z_m=z_m)
        near = merge_far_field(near, surface.grid, (*rings, scene.far), observers, north)
    return near


def _smooth_own_steps(
    near: Skylines, relief: Relief, surface: SurfaceWindow, cells: _RoofCells, above_m: F4, north: float
) -> Skylines:
    """Return the horizons of cells without the steps that prisms make of their own sloping plane.

    What looks no higher than these steps is seen on the linear surface, where the plane is a plane and its own slope is
    what the sky tables merge anyway; what looks higher stands above the plane and stays as it is.
    """
    planes, which = np.unique(cells.known, return_inverse=True)
    sloping = (planes >= 0) & (np.hypot(relief.slope_east[planes], relief.slope_north[planes]) > _LEVEL)
    index = np.flatnonzero(sloping[which])
    if not len(index):
        return near
    n_azimuth, column = near.n_azimuth, near.azimuth
    origin = -surface.grid.row0, surface.grid.col0
    sweep = Sweep(n_azimuth=n_azimuth, surface="linear", grid_north_deg=north, origin=origin)
    at = surface.dsm, surface.grid.cell_size_m, cells.row[index], cells.col[index]
    linear = skylines(*at, sweep, joined=True, eyes_m=above_m)
    smooth = linear.degrees[:, column]
    steps = relief.steps_deg(planes[sloping], n_azimuth, north)[(np.cumsum(sloping) - 1)[which[index]]][:, column]
    prism = near.degrees[index]
    degrees = near.degrees.copy()
    degrees[index] = np.where(prism <= steps + _STEP_DEG, np.minimum(prism, smooth), prism)
    return near.with_degrees(degrees)


def _cells_by_plane(scene: Scene, grid: Grid, cells: _RoofCells, plane_rows: I8) -> list[I8]:
    """Return the cells of each plane: those in its plan, or of an assumed gable on its side of the axis.

    A known plane without any cell takes the one nearest to it on its roof.
    """
    planes = scene.planes.iloc[plane_rows]
    start = np.searchsorted(cells.roof, planes["roof"].to_numpy(), side="left")
    stop = np.searchsorted(cells.roof, planes["roof"].to_numpy(), side="right")
    centre = shapely.centroid(scene.blocks.geometry[planes["roof"].to_numpy()])
    x, y = grid.centres(cells.row, cells.col)
    by_plane = []
    table = zip(planes["side"], np.radians(planes["axis_grid_deg"]), planes["known"], strict=True)
    for k, (side, axis, known) in enumerate(table):
        index = np.arange(start[k], stop[k])
        if known >= 0 and scene.relief is not None and len(index):
            inside = index[cells.known[index] == known]
            away = np.hypot(x[index] - scene.relief.x_m[known], y[index] - scene.relief.y_m[known])
            index = inside if len(inside) else index[[np.argmin(away)]]
        elif side != 0 and len(index) > 1:
            dx, dy = x[index] - centre[k].x, y[index] - centre[k].y
            right = dx * np.cos(axis) - dy * np.sin(axis) >= 0.0
            half = index[right if side > 0 else ~right]
            index = half if len(half) else index
        by_plane.append(index)
    return by_plane


class _CellSums:
    """Weighted sums per cell over the orientations of its planes."""

    def __init__(self, n: int, months: bool) -> None:
        self.poa = np.zeros(n)
        self.loss = np.zeros(n)
        self.weight = np.zeros(n)
        self.months = np.zeros((n, 12), dtype=np.float32) if months else None

    def add(self, light: TileLight, orientation: Orientation, index: I8, annual: F8, weight: F8) -> None:
        """Add the annual irradiation of cells under one orientation, and their months where these are asked for."""
        tables, factor, scene = light.tables(orientation.plane, rows=True), light.usual_factor, light.scene
        reflected = None
        if scene.options.obstacle_reflectance > 0.0:
            around = light.book.facades(factor)
            reflected = reflected_irradiation(around, tables, light.horizon.joined, index)
            annual = annual + reflected.sum(axis=1)
        np.add.at(self.poa, index, annual * weight)
        np.add.at(self.loss, index, (1.0 - annual / light.most_loss(tables)[0]) * weight)
        np.add.at(self.weight, index, weight)
        if self.months is None:
            return
        for first in range(0, len(index), _BLOCK):
            block = slice(first, first + _BLOCK)
            months = cell_months(tables, light.horizon.rows(index[block]), factor)
            if reflected is not None:
                months += reflected[block]
            np.add.at(self.months, index[block], (months * weight[block, None]).astype(np.float32))

    def finish(self, grid: Grid, cells: _RoofCells, horizon: Skylines) -> TileCells:
        """Return the means over orientations of all cells seen."""
        seen = self.weight > 0
        weight = self.weight[seen]
        months = None if self.months is None else (self.months[seen] / weight[:, None]).astype(np.float32)
        return TileCells(
            lattice_row=cells.row[seen] - grid.row0,
            lattice_col=cells.col[seen] + grid.col0,
            poa_annual_kwh_m2=(self.poa[seen] / weight).astype(np.float32),
            svf=np.asarray(sky_view(horizon.joined[seen]), dtype=np.float32),
            shading_loss=(self.loss[seen] / weight).astype(np.float32),
            poa_monthly_kwh_m2=months,
        )
