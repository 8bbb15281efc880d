"""Roof planes in the surface model: which plane a cell lies on, how high it is, and what a plane is to itself."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from rooftop.core.grid import Bounds, Grid
from rooftop.core.types import B1, F4, F8, I4, I8, Geometries
from rooftop.scene.burn import burn

_DIAGONAL_DEG = 5.0  # directions this close to a diagonal of the raster may be seen from both its sides
_REACH = 4  # cells; further ones of the same plane look less steep


@dataclass(frozen=True)
class Relief:
    """Known roof planes; arrays are aligned with each other.

    Parameters
    ----------
    geometry : ndarray of polygons, shape (m,)
        Plans in the working CRS.
    roof : (m,) int64
        Row of the building.
    x_m, y_m, z_m : (m,)
        A point of each plane.
    slope_east, slope_north : (m,)
        Metres up per metre.
    eaves_m : (n_roofs,)
        Lowest point of the planes of each roof; NaN for roofs without known planes.
    on_plane_m : float
        Cells of a surface model this close to their plane lie on it; what is higher or lower is an obstacle.
    """

    geometry: Geometries
    roof: I8
    x_m: F8
    y_m: F8
    z_m: F8
    slope_east: F8
    slope_north: F8
    eaves_m: F8
    on_plane_m: float

    @classmethod
    def from_planes(cls, planes: pd.DataFrame, convergence_deg: F8, on_plane_m: float) -> Relief:
        """Make the relief of planes from :mod:`rooftop.scene.planes`.

        Parameters
        ----------
        convergence_deg : (n_roofs,)
            True azimuth of grid north at each building.
        """
        geometry = np.asarray(planes["geometry"], dtype=object)
        roof = planes["roof"].to_numpy(dtype=np.int64)
        azimuth = np.radians(planes["surface_azimuth_deg"].to_numpy(dtype=float) - convergence_deg[roof])
        steep = np.tan(np.radians(planes["surface_tilt_deg"].to_numpy(dtype=float)))
        at = shapely.get_coordinates(shapely.centroid(geometry)).reshape(-1, 2)
        z_m, east, north = planes["z_m"].to_numpy(dtype=float), -steep * np.sin(azimuth), -steep * np.cos(azimuth)
        eaves = np.full(len(convergence_deg), np.inf)
        corner, of = shapely.get_coordinates(geometry, return_index=True)
        moved = corner - at[of]
        np.minimum.at(eaves, roof[of], z_m[of] + east[of] * moved[:, 0] + north[of] * moved[:, 1])
        eaves[~np.isfinite(eaves)] = np.nan
        return cls(geometry, roof, at[:, 0], at[:, 1], z_m, east, north, eaves, on_plane_m)

    def elevation_m(self, plane: I8, x: NDArray[np.floating], y: NDArray[np.floating]) -> F8:
        """Return the elevation of planes at points, (n,)."""
        east, north = x - self.x_m[plane], y - self.y_m[plane]
        return np.asarray(self.z_m[plane] + self.slope_east[plane] * east + self.slope_north[plane] * north)

    def ridge_m(self) -> F8:
        """Return the highest point of each roof, (n_roofs,); NaN without known planes."""
        out = np.full(len(self.eaves_m), -np.inf)
        corner, of = shapely.get_coordinates(self.geometry, return_index=True)
        np.maximum.at(out, self.roof[of], self.elevation_m(of, corner[:, 0], corner[:, 1]))
        out[~np.isfinite(out)] = np.nan
        return out

    def rows_within(self, bounds: Bounds) -> I8:
        """Return the planes whose plan reaches into a rectangle, lowest first."""
        x0, y0, x1, y1 = shapely.bounds(self.geometry).reshape(-1, 4).T
        x_min, y_min, x_max, y_max = bounds
        rows = np.flatnonzero((x0 < x_max) & (x1 > x_min) & (y0 < y_max) & (y1 > y_min))
        return rows[np.argsort(self.z_m[rows], kind="stable")]

    def shape(self, grid: Grid, surface: F4, owner: I4, in_model: B1 | None) -> I4:
        """Lay the planes into a window of the surface, in place, and return the plane of each cell, -1 for none.

        Without a surface model the cells take the height of their plane, eaves beyond the footprint included; cells of
        a modelled roof that no plane covers take that of its eaves. With one, of the roofs that it shows (`in_model`,
        by roof) only cells within ``on_plane_m`` of their plane are put on it: noise goes, chimneys stay.
        """
        plane = np.full(grid.shape, -1, dtype=np.int32)
        rows = self.rows_within(grid.bounds)
        if len(rows):
            plane = burn(list(self.geometry[rows]), list(rows), grid)
        row, col = np.nonzero(plane >= 0)
        k = plane[row, col].astype(np.int64)
        given = np.zeros(len(self.eaves_m), dtype=bool) if in_model is None else in_model
        of_roof = (owner[row, col] == self.roof[k]) | ((owner[row, col] < 0) & ~given[self.roof[k]])
        plane[row[~of_roof], col[~of_roof]] = -1
        row, col, k = row[of_roof], col[of_roof], k[of_roof]
        x, y = grid.centres(row, col)
        z = self.elevation_m(k, x, y)
        near = ~given[self.roof[k]] | (np.abs(surface[row, col] - z) <= self.on_plane_m)
        row, col, k, z = row[near], col[near], k[near], z[near]
        surface[row, col] = z.astype(np.float32)
        owner[row, col] = self.roof[k].astype(np.int32)
        uncovered = np.nonzero((owner >= 0) & (plane < 0))
        eaves = self.eaves_m[owner[uncovered]]
        known = np.isfinite(eaves) & ~given[owner[uncovered]]
        surface[uncovered[0][known], uncovered[1][known]] = eaves[known].astype(np.float32)
        return plane

    def steps_deg(self, planes: I8, n_azimuth: int, grid_north_deg: float = 0.0) -> F4:
        """Return the horizon that the steps of a sloping plane make for its own cells where every cell is a prism.

        Seen from the centre of a cell, columns of the same plane uphill begin half a cell away and end a whole cell
        higher: a roof of 30° seems to rise by 49°. Whatever looks lower than this may be the roof itself.

        Returns
        -------
        (len(planes), n_azimuth) float32
            [deg].
        """
        step = 360.0 / n_azimuth
        azimuth: F8 = np.arange(n_azimuth, dtype=np.float64) * step - grid_north_deg
        off = azimuth % 90.0 - 45.0
        across = np.where(
            np.abs(off) < min(0.5 * step, _DIAGONAL_DEG), azimuth - off - np.where(off < 0.0, -1e-3, 1e-3), azimuth
        )
        # close to a diagonal horizons are those of both its sides: neither side's steps look higher than the steeper's
        return np.maximum(self._steps_towards(planes, azimuth), self._steps_towards(planes, across))

    def _steps_towards(self, planes: I8, azimuth_deg: F8) -> F4:
        azimuth = np.radians(azimuth_deg)
        towards = np.stack([np.sin(azimuth), np.cos(azimuth)])
        side = np.arange(-_REACH, _REACH + 1)
        cell = np.stack([v.ravel() for v in np.meshgrid(side, side)])
        cell = cell[:, np.any(cell != 0, axis=0)]
        with np.errstate(divide="ignore"):
            one, two = ((cell[:, :, None] + edge) / towards[:, None, :] for edge in (-0.5, 0.5))
        enters, leaves = np.minimum(one, two).max(axis=0), np.maximum(one, two).min(axis=0)
        seen = (enters < leaves + 1e-9) & (leaves > 0.0)
        rise = self.slope_east[planes, None] * cell[0] + self.slope_north[planes, None] * cell[1]
        out = np.zeros((len(planes), azimuth.size), dtype=np.float32)
        for k in range(azimuth.size):
            near = seen[:, k]
            steepest = (rise[:, near] / enters[near, k]).max(axis=1)
            out[:, k] = np.degrees(np.arctan(np.maximum(steepest, 0.0)))
        return out
