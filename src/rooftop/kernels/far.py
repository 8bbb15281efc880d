"""Horizons over a coarse surface, beyond the reach of the fine one."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from rooftop.kernels import jit

EARTH_RADIUS_M = 6_371_000.0


@jit
def far_slopes(
    surface: NDArray[np.float32],
    cell: float,
    rows: NDArray[np.float64],
    cols: NDArray[np.float64],
    z: NDArray[np.float64],
    first: float,
    azimuth_rad: NDArray[np.float64],
    drop_per_m2: float,
    highest: float,
    out: NDArray[np.float32],
) -> None:
    """March each ray over the cells it passes and keep the steepest slope; NaN cells are passed over.

    Parameters
    ----------
    surface : (ny, nx)
        Elevations [m].
    rows, cols : (n,)
        Fractional positions of the observers; (0, 0) is the centre of the first cell.
    z : (n,)
        Elevations of the observers [m].
    first : float
        Distance at which the march begins [m].
    azimuth_rad : (n_azimuth,)
        Grid azimuths.
    drop_per_m2 : float
        Fall of the earth below the horizontal per squared distance, refraction included [1/m].
    highest : float
        Highest elevation there is [m]: nothing steeper can follow once it would not do.
    out : (n, n_azimuth)
        Slope, at least 0.
    """
    ny, nx = surface.shape
    for i in range(rows.shape[0]):
        for k in range(azimuth_rad.shape[0]):
            d_row, d_col = -math.cos(azimuth_rad[k]) / cell, math.sin(azimuth_rad[k]) / cell
            best = 0.0
            distance = first
            while True:
                r, c = rows[i] + d_row * distance, cols[i] + d_col * distance
                inside = -0.5 <= r < ny - 0.5 and -0.5 <= c < nx - 0.5
                if not inside and _leaves(r, c, d_row, d_col, ny, nx):
                    break
                fall = drop_per_m2 * distance * distance
                if (highest - z[i] - fall) <= best * distance:
                    break
                if inside:
                    height = surface[int(r + 0.5), int(c + 0.5)]
                    if height == height:
                        best = max(best, (height - z[i] - fall) / distance)
                distance += cell
            out[i, k] = best


@jit
def _leaves(r: float, c: float, d_row: float, d_col: float, ny: int, nx: int) -> bool:
    """Say whether a ray outside the grid moves further away from it."""
    if r < -0.5 and d_row <= 0.0:
        return True
    if r >= ny - 0.5 and d_row >= 0.0:
        return True
    if c < -0.5 and d_col <= 0.0:
        return True
    return c >= nx - 0.5 and d_col >= 0.0
