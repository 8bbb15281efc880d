"""One tile: surface → horizons → a year on every plane of its roofs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from rooftop.core.grid import Grid, Tile
from rooftop.core.types import F4, F8, I8
from rooftop.job.into_light import move_into_light
from rooftop.job.light import YEAR_COLUMNS, OrientedPlanes, TableBook, TileLight, year_columns
from rooftop.job.module_years import ModuleYears, TileModules, module_years
from rooftop.job.scene import Scene
from rooftop.job.window import RoofCells, Window, look
from rooftop.scene.places import ModulePoints
from rooftop.scene.relaid import MovedPlanes
from rooftop.solar.energy import cell_months, cell_year, usable_year
from rooftop.solar.horizons import sky_view
from rooftop.solar.reflection import reflected_irradiation
from rooftop.solar.skylines import Skylines

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
    moved : MovedPlanes or None
        Planes whose modules lie elsewhere than in the scene.
    """

    planes: pd.DataFrame
    cells: TileCells | None
    modules: TileModules | None = None
    moved: MovedPlanes | None = None


PLANE_YEAR_COLUMNS = ["ok_share", *YEAR_COLUMNS]
MODULE_COUNTS = ("n_cells", "n_lit", "n_counted")


def compute_tile(scene: Scene, book: TableBook, tile: Tile) -> TileResult:
    """Compute the year of every plane whose roof belongs to `tile`."""
    window = Window.of_tile(scene, tile)
    plane_rows = np.flatnonzero(np.isin(scene.planes["roof"].to_numpy(), scene.tile_members[tile]))
    cells = RoofCells.in_window(window, plane_rows)
    points = None
    if scene.module_layout is not None:
        at = cells.row, cells.col
        points = ModulePoints.in_window(scene.module_layout, plane_rows, window.grid, at, cells.of_plane)
    light = look(window, book, plane_rows, cells, points)
    raster = _CellSums(len(cells.row), scene.keep_months) if scene.keep_cells else None
    excess = _excess_of_cells(light, cells.of_plane, raster)
    built, moved = None, None
    if points is not None:
        built = module_years(light, points)
        built, moved = move_into_light(window, cells, light, points, built, excess)
    return TileResult(
        planes=_plane_table(light, cells.of_plane, built, excess),
        cells=raster.finish(window.grid, cells, light.horizon) if raster is not None else None,
        modules=None if built is None else built.modules,
        moved=moved,
    )


def _plane_table(light: TileLight, cells_of: list[I8], built: ModuleYears | None, excess: list[F8]) -> pd.DataFrame:
    """Return the table of the tile's planes: of modules where there are any, else of the planes' cells."""
    n_cells = np.array([len(cells) for cells in cells_of], dtype=np.int64)
    years = np.full((len(n_cells), len(YEAR_COLUMNS)), np.nan) if built is None else built.years.copy()
    bare = np.flatnonzero((n_cells > 0) & np.isnan(years).all(axis=1))
    years[bare] = _bare_years(light, cells_of, bare)
    table = pd.DataFrame(years, index=light.scene.planes.index[light.plane_rows], columns=YEAR_COLUMNS)
    table.insert(0, "ok_share", [float((of <= 0.0).mean()) if len(of) else np.nan for of in excess])
    table["n_cells"] = n_cells
    table["n_lit"] = np.nan if built is None else built.n_lit.astype(np.float64)
    table["n_counted"] = np.nan if built is None else built.n_counted.astype(np.float64)
    return table


def _bare_years(light: TileLight, cells_of: list[I8], planes: I8) -> F8:
    """Return the mean year of the bright cells of planes without modules; of all cells, where all are dark."""
    years = np.zeros((len(planes), len(YEAR_COLUMNS)))
    for orientation in light.orientations(planes):
        tables = light.tables(orientation.plane, rows=True)
        groups = [cells_of[k] for k in orientation.planes]
        start = np.concatenate([[0], np.cumsum([len(cells) for cells in groups])])
        factor, (_, most) = light.factor(orientation.planes), light.most_loss(tables)
        usable = light.reflected(
            usable_year(tables, light.horizon, np.concatenate(groups), start, factor, light.usual_factor, most)
        )
        years[orientation.at] += orientation.weight[:, None] * year_columns(usable.year)
    return years


def _excess_of_cells(light: TileLight, cells_of: list[I8], raster: _CellSums | None) -> list[F8]:
    """Return by plane how far the loss of a module on each cell exceeds what is allowed, behind endless rows.

    And fill the raster, if there is one.
    """
    size = np.array([len(cells) for cells in cells_of], dtype=np.int64)
    first = np.cumsum(size) - size
    excess = np.zeros(int(size.sum()))
    for orientation in light.orientations(np.flatnonzero(size > 0)):
        tables = light.tables(orientation.plane, rows=True)
        free, most = light.most_loss(tables)
        index = np.concatenate([cells_of[k] for k in orientation.planes])
        annual = cell_year(tables, light.horizon, light.usual_factor, index)
        weight = np.repeat(orientation.weight, size[orientation.planes])
        place = np.concatenate([np.arange(first[k], first[k] + size[k]) for k in orientation.planes])
        excess[place] += weight * (1.0 - annual / free - most)
        if raster is not None:
            raster.add(light, orientation, index, annual, weight)
    return np.split(excess, first[1:])


class _CellSums:
    """Weighted sums per cell over the orientations of its planes."""

    def __init__(self, n: int, months: bool) -> None:
        self.poa = np.zeros(n)
        self.loss = np.zeros(n)
        self.weight = np.zeros(n)
        self.months = np.zeros((n, 12), dtype=np.float32) if months else None

    def add(self, light: TileLight, orientation: OrientedPlanes, index: I8, annual: F8, weight: F8) -> None:
        """Add the annual irradiation of cells under one orientation, and their months where these are asked for."""
        tables, reflected = light.tables(orientation.plane, rows=True), None
        if light.around is not None:
            reflected = reflected_irradiation(light.around, tables, light.horizon.joined, index)
            annual = annual + reflected.sum(axis=1)
        np.add.at(self.poa, index, annual * weight)
        np.add.at(self.loss, index, (1.0 - annual / light.most_loss(tables)[0]) * weight)
        np.add.at(self.weight, index, weight)
        if self.months is None:
            return
        for first in range(0, len(index), _BLOCK):
            block = slice(first, first + _BLOCK)
            months = cell_months(tables, light.horizon.rows(index[block]), light.usual_factor)
            if reflected is not None:
                months += reflected[block]
            np.add.at(self.months, index[block], (months * weight[block, None]).astype(np.float32))

    def finish(self, grid: Grid, cells: RoofCells, horizon: Skylines) -> TileCells:
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
