"""Roofs whose planes are known: from a roof model, else from a surface model; what that changes in the scene."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Protocol

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from rooftop.core.grid import Bounds, Grid, tile_of
from rooftop.core.lang import Text
from rooftop.core.notices import Notice
from rooftop.core.roof_rules import RoofRules
from rooftop.core.types import B1, F8, I8, Geometries
from rooftop.inputs.cityjson import RoofModel
from rooftop.scene.borders import borders_of
from rooftop.scene.burn import burn
from rooftop.scene.drops import drops_of, low_cells
from rooftop.scene.obstacles import find_obstacles
from rooftop.scene.plane_rules import load_plane_rules
from rooftop.scene.planes import PLANE_COLUMNS, RoofPlanes, lod2_planes
from rooftop.scene.raised import raised_blocks
from rooftop.scene.relief import Relief
from rooftop.scene.segment import segment
from rooftop.scene.standing import PlaneObstacles, by_roof, obstacles_on
from rooftop.scene.surface import Blocks, ElevationSource, ground_window

_COARSEST_M, _FINEST_M = 1.0, 0.25
_BLOCK_CELLS = 1024


class SurfaceModel(ElevationSource, Protocol):
    """A surface model that knows how fine it is."""

    @property
    def native_cell_m(self) -> float:
        """Edge of its own cells [m]."""
        ...


def known_planes(
    model: RoofModel | None,
    dsm: SurfaceModel | None,
    buildings: gpd.GeoDataFrame,
    visible: Geometries,
    base_m: F8,
    convergence_deg: F8,
    rules: RoofRules,
    *,
    terrain_known: bool,
    in_model: B1 | None = None,
) -> RoofPlanes:
    """Return the planes of all roofs that a roof model or, where it knows nothing, a surface model gives.

    Parameters
    ----------
    visible : (n,) ndarray of geometries
        Footprints without what higher ones cover; empty for roofs that are not wanted.
    base_m, convergence_deg, terrain_known
        See :func:`rooftop.scene.planes.lod2_planes`.
    in_model : (n,) ndarray of bool, optional
        Roofs that the surface model shows; all, when left out.
    """
    empty = gpd.GeoDataFrame(
        pd.DataFrame(columns=list(PLANE_COLUMNS), dtype=float), geometry=gpd.GeoSeries([], crs=buildings.crs)
    )
    from_model = RoofPlanes(empty)
    if model is not None:
        from_model = lod2_planes(
            model, buildings, visible, base_m, convergence_deg, rules.lod2, terrain_known=terrain_known
        )
    if dsm is None:
        return _with_borders(from_model, convergence_deg)
    not_modelled = visible.copy()
    modelled = from_model.table
    not_modelled[modelled["roof"].to_numpy(dtype=np.int64)] = shapely.Polygon()
    if in_model is not None:
        not_modelled[~in_model] = shapely.Polygon()
        modelled = modelled[in_model[modelled["roof"].to_numpy(dtype=np.int64)]].reset_index(drop=True)
    standing, model_notices = modelled_obstacles(modelled, dsm, convergence_deg)
    from_dsm = dsm_planes(dsm, buildings, not_modelled, convergence_deg)
    tables = [t for t in (from_model.table, from_dsm.table) if len(t)]
    table = gpd.GeoDataFrame(pd.concat(tables), geometry="geometry", crs=buildings.crs) if tables else empty
    table = table.sort_values("roof", kind="stable").reset_index(drop=True)
    notices = (*from_model.notices, *model_notices, *from_dsm.notices)
    return _with_borders(RoofPlanes(table, notices, standing | from_dsm.obstacles), convergence_deg)


def _with_borders(planes: RoofPlanes, convergence_deg: F8) -> RoofPlanes:
    """Add what the borders between planes say: where one falls from a plane, and which planes are tops of rooms."""
    table, rules = planes.table, load_plane_rules()
    relief = relief_of(planes, convergence_deg)
    if relief is None:
        return planes
    level_m = rules.zones.level_m.value
    borders = borders_of(relief, min(level_m, rules.raised_blocks.min_rise_m.value))
    low = np.full(len(table), shapely.Polygon(), dtype=object)
    if "low" in table:
        seen = table["low"].notna().to_numpy()
        low[seen] = table["low"].to_numpy(dtype=object)[seen]
    return replace(
        planes,
        table=table.drop(columns="low", errors="ignore"),
        drops=drops_of(borders, low, level_m),
        raised=np.flatnonzero(raised_blocks(relief, borders, rules.raised_blocks)),
    )


def modelled_obstacles(
    planes: gpd.GeoDataFrame, dsm: SurfaceModel, convergence_deg: F8
) -> tuple[PlaneObstacles, tuple[Notice, ...]]:
    """Return what a surface model shows on the planes of a roof model, by roof; nothing where it is too coarse."""
    cell = dsm.native_cell_m
    if not len(planes) or cell > _COARSEST_M + 1e-6:
        return {}, ()
    cell = max(cell, _FINEST_M)
    roof = planes["roof"].to_numpy(dtype=np.int64)
    roofs, first = np.unique(roof, return_index=True)
    standing: PlaneObstacles = {}
    n_mismatched = 0
    for rows in _windows(planes.geometry.to_numpy()[first], roofs, cell):
        window_planes = planes[np.isin(roof, rows)]
        grid = Grid.covering(_bounds(window_planes.geometry.to_numpy()), cell, 4.0 * cell)
        obstacles, mismatched = obstacles_on(window_planes, ground_window(dsm, grid), grid, convergence_deg)
        standing |= obstacles
        n_mismatched += len(mismatched)
    if not n_mismatched:
        return standing, ()
    text = Text(
        f"{n_mismatched} roofs of the roof model look different in the surface model: their obstacles are assumed",
        f"{n_mismatched} 个屋顶的模型与地表模型不一致，其障碍物按假定比例",
    )
    return standing, (Notice("roof_models_disagree", text, n_mismatched, "warning", "inputs.roofs"),)


def dsm_planes(dsm: SurfaceModel, buildings: gpd.GeoDataFrame, visible: Geometries, convergence_deg: F8) -> RoofPlanes:
    """Return the planes that segmentation finds in a surface model, window by window.

    Models of cells above 1 m show no roof planes and give none. The table has another column, ``low``: from
    :func:`rooftop.scene.drops.low_cells`.
    """
    cell = dsm.native_cell_m
    present = np.flatnonzero(~shapely.is_empty(visible))
    nothing = gpd.GeoDataFrame(geometry=gpd.GeoSeries([], crs=buildings.crs))
    if cell > _COARSEST_M + 1e-6:
        text = Text(
            f"the surface model has cells of {cell:.3g} m: too coarse for roof planes, which are assumed",
            f"地表模型像元为 {cell:.3g} m，过粗而不能识别坡面，坡面按假定",
        )
        return RoofPlanes(nothing, (Notice("dsm_too_coarse", text, 1, "info", "inputs.dsm"),))
    cell = max(cell, _FINEST_M)
    windows = list(_windows(visible[present], present, cell))
    by_window = [_window_planes(dsm, cell, rows, visible, convergence_deg) for rows in windows]
    notices = _unseen_notices(sum(n for _, _, n in by_window))
    parts = [planes for planes, _, _ in by_window if len(planes)]
    if not parts:
        return RoofPlanes(nothing, notices)
    table = gpd.GeoDataFrame(pd.concat(parts), geometry="geometry", crs=buildings.crs)
    table = table.sort_values("roof", kind="stable").reset_index(drop=True)
    ids = buildings["building_id"].astype(str).to_numpy()
    number = (table.groupby("roof").cumcount() + 1).astype(str)
    table["plane_id"] = pd.Series(ids[table["roof"].to_numpy(dtype=np.int64)]) + "-" + number
    standing = {k: v for _, part, _ in by_window for k, v in part.items()}
    return RoofPlanes(table[[*PLANE_COLUMNS, "low", "geometry"]], notices, standing)


def _unseen_notices(n: int) -> tuple[Notice, ...]:
    if not n:
        return ()
    share = load_plane_rules().segmentation.seen_from_share.value
    text = Text(
        f"of {n} roofs the surface model knows less than {share:.0%} (no return, water, outside): planes are assumed",
        f"{n} 个屋顶在地表模型中有高程的部分不足 {share:.0%}（无回波、水面或范围外），坡面按假定",
    )
    return (Notice("roof_not_seen", text, n, "warning", "inputs.dsm"),)


def _windows(shapes: Geometries, rows: I8, cell_size_m: float) -> Iterator[I8]:
    """Yield the rows whose shapes lie in one block of cells, block by block."""
    if not len(rows):
        return
    centre = shapely.point_on_surface(shapes)
    i, j = tile_of(shapely.get_x(centre), shapely.get_y(centre), cell_size_m, _BLOCK_CELLS)
    keys, inverse = np.unique(np.stack([i, j], axis=1), axis=0, return_inverse=True)
    for k in range(len(keys)):
        yield rows[inverse.ravel() == k]


def _bounds(shapes: Geometries) -> Bounds:
    x_min, y_min, x_max, y_max = (float(v) for v in shapely.total_bounds(shapes))
    return x_min, y_min, x_max, y_max


def _window_planes(
    dsm: SurfaceModel, cell: float, rows: I8, visible: Geometries, convergence_deg: F8
) -> tuple[gpd.GeoDataFrame, PlaneObstacles, int]:
    """Return the planes of one window, what stands on them, and how many roofs are mostly unknown."""
    grid = Grid.covering(_bounds(visible[rows]), cell, 4.0 * cell)
    owner = burn(list(visible[rows]), list(rows), grid)
    heights, rules = ground_window(dsm, grid), load_plane_rules()
    segmentation = segment(heights, owner, grid, visible, convergence_deg, rules.segmentation)
    obstacles = find_obstacles(segmentation, grid, rules.obstacles)
    planes = segmentation.planes.assign(low=low_cells(segmentation, heights, grid, rules))
    return planes, by_roof(obstacles, planes["roof"].unique()), len(segmentation.unseen)


def relief_of(planes: RoofPlanes, convergence_deg: F8) -> Relief | None:
    """Return known planes as the surface model sees them; None without any."""
    if not len(planes.table):
        return None
    return Relief.from_planes(planes.table, convergence_deg, load_plane_rules().obstacles.min_height_m.value)


def with_ridges(blocks: Blocks, planes: RoofPlanes, relief: Relief | None) -> Blocks:
    """Give the blocks of modelled roofs the height of their ridge, which the coarse far surface is made of."""
    if relief is None:
        return blocks
    lod2 = np.zeros(len(blocks.height_m), dtype=bool)
    lod2[planes.table.loc[planes.table["roof_source"] == "lod2", "roof"].to_numpy(dtype=np.int64)] = True
    return replace(blocks, height_m=np.where(lod2, relief.ridge_m() - blocks.base_m, blocks.height_m))
