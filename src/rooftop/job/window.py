"""What the roofs of a tile see: the surface around them, their cells, and the horizons of these."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import shapely

from rooftop.core.grid import Grid, Tile
from rooftop.core.surfaces import HAS_WALLS
from rooftop.core.types import F4, F8, I8
from rooftop.job.light import TableBook, TileLight
from rooftop.job.scene import Scene
from rooftop.scene.far import FarObservers, merge_far_field, ring_surfaces
from rooftop.scene.places import ModulePoints
from rooftop.scene.relief import Relief
from rooftop.scene.surface import FarSurface, SurfaceWindow, lod1_surface, window_for
from rooftop.solar.horizons import Sweep, skylines
from rooftop.solar.skylines import Skylines

_LEVEL = 1e-3  # slope below which a plane has no steps worth the name
_STEP_DEG = 0.1


@dataclass(frozen=True, kw_only=True)
class Window:
    """The surface of a tile and of what surrounds it.

    Parameters
    ----------
    scene : Scene
    surface : SurfaceWindow
        The tile with its halo.
    rings : tuple of FarSurface
        What lies around it, from the inside out.
    north_deg : float
        True azimuth of grid north.
    """

    scene: Scene
    surface: SurfaceWindow
    rings: tuple[FarSurface, ...]
    north_deg: float

    @classmethod
    def of_tile(cls, scene: Scene, tile: Tile) -> Window:
        """Build the surface of a tile."""
        members = scene.tile_members[tile]
        grid = window_for(scene.blocks.geometry[members], scene.options.cell_size_m, scene.options.halo_m)
        surroundings = scene.blocks, shapely.STRtree(scene.blocks.geometry), scene.ground, scene.dsm, scene.relief
        return cls(
            scene=scene,
            surface=lod1_surface(grid, *surroundings),
            rings=ring_surfaces(grid, *surroundings),
            north_deg=float(np.mean(scene.convergence_deg[members])),
        )

    @property
    def grid(self) -> Grid:
        """Where the surface lies."""
        return self.surface.grid


@dataclass(frozen=True, kw_only=True)
class RoofCells:
    """Cells of roofs, roof after roof.

    Parameters
    ----------
    row, col, roof : ndarray, shape (n_cells,)
    known : ndarray
        Row of the relief, -1 for none.
    of_plane : list of ndarray
        Cells of each plane, ascending.
    """

    row: I8
    col: I8
    roof: I8
    known: I8
    of_plane: list[I8]

    @classmethod
    def in_window(cls, window: Window, plane_rows: I8) -> RoofCells:
        """Find the cells of the roofs that some planes lie on, and those of each plane."""
        scene, surface = window.scene, window.surface
        in_tile = np.zeros(len(scene.blocks.geometry) + 1, dtype=bool)  # the last entry stands for ground, owner -1
        in_tile[scene.planes["roof"].to_numpy()[plane_rows]] = True
        row, col = np.nonzero(in_tile[surface.owner] & np.isfinite(surface.dsm))
        roof = surface.owner[row, col].astype(np.int64)
        order = np.argsort(roof, kind="stable")
        row, col, roof = row[order], col[order], roof[order]
        known = surface.plane[row, col].astype(np.int64)
        cells = cls(row=row, col=col, roof=roof, known=known, of_plane=[])
        return replace(cells, of_plane=_cells_by_plane(scene, window.grid, cells, plane_rows))

    def of_planes(self, planes: I8) -> RoofCells:
        """Return the same cells, and those of some planes alone."""
        return replace(self, of_plane=[self.of_plane[k] for k in planes])


def look(window: Window, book: TableBook, plane_rows: I8, cells: RoofCells, points: ModulePoints | None) -> TileLight:
    """Return what planes see: from as high above each cell as a module stands there, or would in its middle."""
    return TileLight(
        scene=window.scene,
        book=book,
        horizon=_horizons(window, _eyes_m(window.scene, plane_rows, cells, points), cells),
        north_deg=window.north_deg,
        plane_rows=plane_rows,
        usual_factor=window.scene.factor.mean(axis=0),
    )


def _horizons(window: Window, eyes_m: F8, cells: RoofCells) -> Skylines:
    """Return the horizons of cells, seen from so high above each."""
    scene, surface, row, col = window.scene, window.surface, cells.row, cells.col
    options, north = scene.options, window.north_deg
    above = np.zeros(surface.grid.shape, dtype=np.float32)
    above[row, col] = eyes_m
    origin = -surface.grid.row0, surface.grid.col0
    sweep = Sweep(n_azimuth=options.azimuths, surface=options.surface, grid_north_deg=north, origin=origin)
    near = skylines(surface.dsm, options.cell_size_m, row, col, sweep, eyes_m=above)
    if scene.relief is not None and HAS_WALLS[options.surface]:
        near = _smooth_own_steps(near, scene.relief, surface, cells, above, north)
    if len(cells.roof):
        z_m = surface.dsm[row, col].astype(np.float64) + eyes_m
        observers = FarObservers(row=row, col=col, roof=cells.roof, z_m=z_m)
        near = merge_far_field(near, surface.grid, (*window.rings, scene.far), observers, north)
    return near


def _eyes_m(scene: Scene, plane_rows: I8, cells: RoofCells, points: ModulePoints | None) -> F8:
    eyes = np.zeros(len(cells.row))
    for own, middle in zip(cells.of_plane, scene.planes["module_middle_m"].to_numpy()[plane_rows], strict=True):
        eyes[own] = middle
    return eyes if points is None else points.eyes_m(eyes)


def _smooth_own_steps(
    near: Skylines, relief: Relief, surface: SurfaceWindow, cells: RoofCells, above_m: F4, north: float
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


def _cells_by_plane(scene: Scene, grid: Grid, cells: RoofCells, plane_rows: I8) -> list[I8]:
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
