"""One tile: surface → horizons → a year on every plane of its roofs."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import shapely

from rooftop.config import SceneOptions
from rooftop.core.grid import Grid, Tile
from rooftop.core.surfaces import HAS_WALLS
from rooftop.core.types import B1, F4, F8, I8
from rooftop.scene.far import FarObservers, merge_far_field, ring_surfaces
from rooftop.scene.places import ModuleCells, ModuleLayout
from rooftop.scene.relief import Relief
from rooftop.scene.surface import Blocks, ElevationSource, FarSurface, SurfaceWindow, lod1_surface, window_for
from rooftop.solar.energy import ModulePlane, PlaneTables, cell_months, free_year, plane_tables, usable_year
from rooftop.solar.horizons import Sweep, sky_view, skylines
from rooftop.solar.pvsystem import PvSystem
from rooftop.solar.reflection import Facades, facades, with_reflection
from rooftop.solar.sky import SkyYear
from rooftop.solar.skylines import Skylines

_LEVEL = 1e-3  # slope below which a plane has no steps worth the name
_STEP_DEG = 0.1
_BLOCK = 65_536  # cells whose months are held as float64 at a time


@dataclass
class TableBook:
    """Cumulative-sky tables per orientation, computed once and shared by all tiles of a process."""

    sky: SkyYear
    system: PvSystem
    scene: SceneOptions
    _tables: dict[ModulePlane, PlaneTables] = field(default_factory=dict)
    _facades: Facades | None = None
    _lock: Any = field(default_factory=threading.Lock)

    def __getstate__(self) -> dict[str, Any]:
        return {"sky": self.sky, "system": self.system, "scene": self.scene, "_tables": {}, "_facades": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._lock = threading.Lock()

    def tables(self, plane: ModulePlane) -> PlaneTables:
        """Return the tables of one orientation."""
        with self._lock:
            if plane not in self._tables:
                self._tables[plane] = plane_tables(
                    self.sky, plane, self.system, n_azimuth=self.scene.azimuths, albedo=self.scene.albedo
                )
            return self._tables[plane]

    def facades(self, factor: F8) -> Facades:
        """Return what the facades around receive, at the data set's mean irradiance factor."""
        scene = self.scene
        with self._lock:
            if self._facades is None:
                self._facades = facades(
                    self.sky, factor, scene.obstacle_reflectance, n_azimuth=scene.azimuths, albedo=scene.albedo
                )
            return self._facades


@dataclass(frozen=True, kw_only=True)
class Scene:
    """Everything a tile needs, picklable for workers.

    Parameters
    ----------
    blocks : Blocks
    planes : DataFrame
        One row per plane: ``roof side axis_grid_deg``, and ``known``, the row of `relief`, -1 for assumed planes.
    variants : DataFrame
        Orientations that stand for each plane: ``plane`` (row of `planes`), ``orientation`` (row of `orientations`)
        and ``weight``; the weights of a plane sum to one. An azimuth between two tables takes part in both.
    orientations : tuple of ModulePlane
    factor : ndarray, shape (n_roofs, 12)
        Monthly factor that brings the weather to the irradiance at each roof.
    convergence_deg : ndarray, shape (n_roofs,)
        True azimuth of grid north.
    tile_members : dict of Tile to ndarray
        All roofs of each tile, whether selected or not: they define its window.
    max_shading_loss, min_poa_kwh_m2 : float
        Cells that lose a larger share of the year's irradiation, or receive less, are dark: no module counts there.
    relief : Relief or None
        Roof planes whose geometry is known.
    module_layout : ModuleLayout or None
        Modules of each plane, where they have places.
    keep_lit : bool
        Return for each module whether it counts.
    """

    blocks: Blocks
    planes: pd.DataFrame
    variants: pd.DataFrame
    orientations: tuple[ModulePlane, ...]
    factor: F8
    convergence_deg: F8
    tile_members: dict[Tile, I8]
    ground: ElevationSource | None
    dsm: ElevationSource | None
    far: FarSurface
    options: SceneOptions
    max_shading_loss: float
    keep_cells: bool
    keep_months: bool = False
    relief: Relief | None = None
    min_poa_kwh_m2: float = 0.0
    module_layout: ModuleLayout | None = None
    keep_lit: bool = False


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
        Indexed like ``Scene.planes``: ``n_cells``, ``n_lit`` (modules on bright cells only; NaN where modules have no
        places), ``ok_share`` (of its cells, the bright ones), ``svf shading_loss poa_free_kwh_m2``, and per month
        ``poa_01…`` (kWh/m²) and ``ac_01…`` (kWh/kWp), means over the bright cells under modules, or over all bright
        cells of a plane without modules.
    cells : TileCells or None
    lit : ndarray of bool or None
        Which modules lie on bright cells only, plane after plane.
    """

    planes: pd.DataFrame
    cells: TileCells | None
    lit: B1 | None = None


PLANE_YEAR_COLUMNS = (
    ["ok_share", "svf", "shading_loss", "poa_free_kwh_m2"]
    + [f"poa_{m:02d}" for m in range(1, 13)]
    + [f"ac_{m:02d}" for m in range(1, 13)]
)


@dataclass(frozen=True)
class _RoofCells:
    row: I8
    col: I8
    roof: I8  # ascending
    known: I8  # row of the relief, -1 for none
    horizon: Skylines


def compute_tile(scene: Scene, book: TableBook, tile: Tile) -> TileResult:
    """Compute the year of every plane whose roof belongs to `tile`."""
    members, roof = scene.tile_members[tile], scene.planes["roof"].to_numpy()
    grid = window_for(scene.blocks.geometry[members], scene.options.cell_size_m, scene.options.halo_m)
    surroundings = scene.blocks, shapely.STRtree(scene.blocks.geometry), scene.ground, scene.dsm, scene.relief
    surface, rings = lod1_surface(grid, *surroundings), ring_surfaces(grid, *surroundings)
    plane_rows = np.flatnonzero(np.isin(roof, members))
    north = float(np.mean(scene.convergence_deg[members]))
    cells = _roof_cells(scene, surface, rings, np.unique(roof[plane_rows]), north)
    cells_of = _cells_by_plane(scene, grid, cells, plane_rows)
    modules = ModuleCells.in_window(scene.module_layout, plane_rows, grid, (cells.row, cells.col), cells_of)
    raster = _CellSums(len(cells.row), scene.keep_months) if scene.keep_cells else None
    years, excess = _years(scene, book, cells, modules, plane_rows, raster)
    bright = excess <= 0.0
    is_lit = modules.on_bright_cells(bright)
    out = pd.DataFrame(years, index=scene.planes.index[plane_rows], columns=PLANE_YEAR_COLUMNS)
    out["ok_share"] = [float(bright[slots].mean()) if len(slots) else np.nan for slots in modules.slot_of]
    out["n_cells"] = [len(c) for c in cells_of]
    out["n_lit"] = np.bincount(modules.plane, is_lit, len(plane_rows)) if scene.module_layout is not None else np.nan
    out.loc[out["n_cells"] == 0, PLANE_YEAR_COLUMNS] = np.nan
    return TileResult(
        planes=out,
        cells=raster.finish(grid, cells) if raster is not None else None,
        lit=is_lit if scene.keep_lit else None,
    )


def _years(
    scene: Scene,
    book: TableBook,
    cells: _RoofCells,
    modules: ModuleCells,
    plane_rows: I8,
    raster: _CellSums | None,
) -> tuple[F8, F8]:
    """Return ``PLANE_YEAR_COLUMNS`` of each plane, over the orientations that stand for it.

    And by how much the loss of each slot of `modules` exceeds what is allowed.
    """
    inside, outside = modules.split()
    excess = np.zeros(len(modules.under))
    years = np.zeros((len(plane_rows), len(PLANE_YEAR_COLUMNS)))
    variants = scene.variants[scene.variants["plane"].isin(plane_rows)]
    for orientation in np.unique(variants["orientation"].to_numpy()):
        rows = variants[variants["orientation"] == orientation]
        tables = book.tables(scene.orientations[orientation])
        local = np.searchsorted(plane_rows, rows["plane"].to_numpy())
        weight = rows["weight"].to_numpy()
        groups = _Groups([inside[k] for k in local], [outside[k] for k in local], plane_rows[local], weight)
        year, excess_of_year = _orientation_year(scene, book, tables, cells, groups, raster)
        years[local] += weight[:, None] * year
        slot = np.concatenate([modules.slot_of[k] for k in local])
        excess[slot] += np.repeat(weight, [len(modules.slot_of[k]) for k in local]) * excess_of_year
    return years, excess


def lit_modules(results: Iterable[TileResult], count: I8) -> list[B1]:
    """Return by plane which modules lie on bright cells only; none of planes whose tile failed.

    Parameters
    ----------
    results : iterable of TileResult
        With ``lit``.
    count : ndarray, shape (n_planes,)
        Modules of each plane, before any are taken off.
    """
    by_plane = [np.zeros(n, dtype=bool) for n in count]
    for result in results:
        if result.lit is not None:
            rows = result.planes.index.to_numpy()
            for row, flags in zip(rows, np.split(result.lit, np.cumsum(count[rows])[:-1]), strict=True):
                by_plane[row] = flags
    return by_plane


def _roof_cells(
    scene: Scene, surface: SurfaceWindow, rings: tuple[FarSurface, ...], roofs: I8, north: float
) -> _RoofCells:
    in_tile = np.zeros(len(scene.blocks.geometry) + 1, dtype=bool)  # the last entry stands for ground, owner -1
    in_tile[roofs] = True
    row, col = np.nonzero(in_tile[surface.owner] & np.isfinite(surface.dsm))
    roof = surface.owner[row, col].astype(np.int64)
    order = np.argsort(roof, kind="stable")
    row, col, roof = row[order], col[order], roof[order]
    known = surface.plane[row, col].astype(np.int64)
    options = scene.options
    origin = -surface.grid.row0, surface.grid.col0
    sweep = Sweep(n_azimuth=options.azimuths, surface=options.surface, grid_north_deg=north, origin=origin)
    near = skylines(surface.dsm, options.cell_size_m, row, col, sweep)
    if scene.relief is not None and HAS_WALLS[options.surface]:
        near = _smooth_own_steps(near, scene.relief, surface, row, col, known, north)
    if len(roof):
        observers = FarObservers(row=row, col=col, roof=roof, z_m=surface.dsm[row, col].astype(np.float64))
        near = merge_far_field(near, surface.grid, (*rings, scene.far), observers, north)
    return _RoofCells(row, col, roof, known, near)


def _smooth_own_steps(
    near: Skylines,
    relief: Relief,
    surface: SurfaceWindow,
    row: I8,
    col: I8,
    known: I8,
    north: float,
) -> Skylines:
    """Return the horizons of cells without the steps that prisms make of their own sloping plane.

    What looks no higher than these steps is seen on the linear surface, where the plane is a plane and its own slope is
    what the sky tables merge anyway; what looks higher stands above the plane and stays as it is.
    """
    planes, which = np.unique(known, return_inverse=True)
    sloping = (planes >= 0) & (np.hypot(relief.slope_east[planes], relief.slope_north[planes]) > _LEVEL)
    index = np.flatnonzero(sloping[which])
    if not len(index):
        return near
    n_azimuth, column = near.n_azimuth, near.azimuth
    origin = -surface.grid.row0, surface.grid.col0
    sweep = Sweep(n_azimuth=n_azimuth, surface="linear", grid_north_deg=north, origin=origin)
    linear = skylines(surface.dsm, surface.grid.cell_size_m, row[index], col[index], sweep, joined=True)
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


@dataclass(frozen=True)
class _Groups:
    """Cells under the modules of planes and their other cells, with the row and the weight of each plane."""

    inside: list[I8]
    outside: list[I8]
    plane_rows: I8
    weight: F8


def _orientation_year(
    scene: Scene, book: TableBook, tables: PlaneTables, cells: _RoofCells, groups: _Groups, raster: _CellSums | None
) -> tuple[F8, F8]:
    """Return ``PLANE_YEAR_COLUMNS`` of each plane under one orientation, dark cells left out.

    And by how much the shading loss of each cell, plane after plane in ascending order, exceeds what is allowed.
    """
    n = len(groups.inside)
    with_outside = np.flatnonzero([len(some) > 0 for some in groups.outside])
    cells_of = [*groups.inside, *(groups.outside[k] for k in with_outside)]
    plane_of = np.concatenate([np.arange(n), with_outside])
    factor = scene.factor[scene.planes["roof"].to_numpy()[groups.plane_rows[plane_of]]]
    size = np.array([len(u) for u in cells_of])
    index = np.concatenate(cells_of)
    mean_factor = scene.factor.mean(axis=0)  # of the whole data set: which cells are used depends on no selection
    free = float(free_year(tables, mean_factor).sum())
    max_loss = min(scene.max_shading_loss, 1.0 - scene.min_poa_kwh_m2 / free)
    start = np.concatenate([[0], np.cumsum(size)])
    usable = usable_year(tables, cells.horizon, index, start, factor, mean_factor, max_loss)
    excess = (usable.shading_loss - max_loss)[np.lexsort((index, np.repeat(plane_of, size)))]
    reflected = None
    if scene.options.obstacle_reflectance > 0.0:
        around = book.facades(mean_factor)
        usable, reflected = with_reflection(usable, around)
    if raster is not None:
        weight = np.repeat(groups.weight[plane_of], size)
        raster.add(index, usable.annual_kwh_m2, usable.shading_loss, weight)
        raster.add_months(tables, cells.horizon, index, mean_factor, weight, reflected)
    year = [
        usable.ok_share,
        usable.year.svf,
        usable.year.shading_loss,
        usable.year.poa_free_kwh_m2.sum(axis=1),
        usable.year.poa_kwh_m2,
        usable.year.ac_kwh_kwp,
    ]
    return np.column_stack([values[:n] for values in year]), excess


class _CellSums:
    """Weighted sums per cell over the orientations of its planes."""

    def __init__(self, n: int, months: bool) -> None:
        self.poa = np.zeros(n)
        self.loss = np.zeros(n)
        self.weight = np.zeros(n)
        self.months = np.zeros((n, 12), dtype=np.float32) if months else None

    def add(
        self,
        index: I8,
        annual: F8,
        loss: F8,
        weight: F8,
    ) -> None:
        np.add.at(self.poa, index, annual * weight)
        np.add.at(self.loss, index, loss * weight)
        np.add.at(self.weight, index, weight)

    def add_months(
        self,
        tables: PlaneTables,
        horizon: Skylines,
        index: I8,
        factor: F8,
        weight: F8,
        reflected: F8 | None,
    ) -> None:
        """Add each cell's months where they are asked for, a block at a time: they stay float32."""
        if self.months is None:
            return
        for first in range(0, len(index), _BLOCK):
            block = slice(first, first + _BLOCK)
            months = cell_months(tables, horizon.rows(index[block]), factor)
            if reflected is not None:
                months += reflected[block]
            np.add.at(self.months, index[block], (months * weight[block, None]).astype(np.float32))

    def finish(self, grid: Grid, cells: _RoofCells) -> TileCells:
        seen = self.weight > 0
        weight = self.weight[seen]
        months = None if self.months is None else (self.months[seen] / weight[:, None]).astype(np.float32)
        return TileCells(
            lattice_row=cells.row[seen] - grid.row0,
            lattice_col=cells.col[seen] + grid.col0,
            poa_annual_kwh_m2=(self.poa[seen] / weight).astype(np.float32),
            svf=np.asarray(sky_view(cells.horizon.joined[seen]), dtype=np.float32),
            shading_loss=(self.loss[seen] / weight).astype(np.float32),
            poa_monthly_kwh_m2=months,
        )
