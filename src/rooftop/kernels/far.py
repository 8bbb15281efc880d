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
    first: NDArray[np.float64],
    azimuth_rad: NDArray[np.float64],
    drop_per_m2: float,
    highest: float,
    out: NDArray[np.float32],
) -> None:
    """March each ray from cell to cell and keep the steepest slope; NaN cells are passed over.

    A cell is a prism: it counts from where the ray enters it, or from `first` where that lies inside it.

    Parameters
    ----------
    surface : (ny, nx)
        Elevations [m].
    rows, cols : (n,)
        Fractional positions of the observers; (0, 0) is the centre of the first cell.
    z : (n,)
        Elevations of the observers [m].
    first : (n, n_azimuth)
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
    for k in range(azimuth_rad.shape[0]):
        d_row, d_col = -math.cos(azimuth_rad[k]), math.sin(azimuth_rad[k])
        step_row, step_col = (1 if d_row > 0.0 else -1), (1 if d_col > 0.0 else -1)
        per_row = cell / max(abs(d_row), 1e-12)
        per_col = cell / max(abs(d_col), 1e-12)
        for i in range(rows.shape[0]):
            distance = max(first[i, k], _reaches(rows[i], d_row, ny, cell), _reaches(cols[i], d_col, nx, cell))
            at_row = rows[i] + 0.5 + d_row * distance / cell
            at_col = cols[i] + 0.5 + d_col * distance / cell
            row, col = math.floor(at_row), math.floor(at_col)
            next_row = distance + per_row * (row + 1 - at_row if step_row > 0 else at_row - row)
            next_col = distance + per_col * (col + 1 - at_col if step_col > 0 else at_col - col)
            best = 0.0
            while 0 <= row < ny and 0 <= col < nx:
                fall = drop_per_m2 * distance * distance
                if highest - z[i] - fall <= best * distance:
                    break
                height = surface[row, col]
                if height - z[i] - fall > best * distance:
                    best = (height - z[i] - fall) / distance
                if next_row < next_col:
                    distance = next_row
                    next_row += per_row
                    row += step_row
                else:
                    distance = next_col
                    next_col += per_col
                    col += step_col
            out[i, k] = best


@jit
def _reaches(position: float, direction: float, n: int, cell: float) -> float:
    """Distance at which a coordinate comes into the grid (and a hair more), 0 where it is in or never does."""
    if position < -0.5 and direction > 1e-12:
        return (-0.5 - position) * cell / direction * (1.0 + 1e-12) + 1e-9
    if position > n - 0.5 and direction < -1e-12:
        return (n - 0.5 - position) * cell / direction * (1.0 + 1e-12) + 1e-9
    return 0.0
