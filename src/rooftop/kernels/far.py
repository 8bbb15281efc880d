"""Horizons over a coarse surface, beyond the reach of the fine one."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from rooftop.core.types import F4, F8, I8
from rooftop.kernels import jit

EARTH_RADIUS_M = 6_371_000.0
BITS = 5
BLOCK = 1 << BITS
"""Edge of the blocks whose maxima let a ray pass over them [cells]."""


class Terrain(NamedTuple):
    """A coarse surface that rays march over.

    Parameters
    ----------
    surface : (ny, nx) float32
        Elevations [m].
    maxima : (ceil(ny / BLOCK), ceil(nx / BLOCK)) float32
        Of its blocks, see `block_maxima`.
    highest : float
        Highest elevation there is [m]: nothing steeper can follow once it would not do.
    cell : float
        [m].
    drop_per_m2 : float
        Fall of the earth below the horizontal per squared distance, refraction included [1/m].
    """

    surface: F4
    maxima: F4
    highest: float
    cell: float
    drop_per_m2: float


class Observers(NamedTuple):
    """Who looks: fractional rows and columns, (0, 0) is the centre of the first cell, and elevations [m], all (n,)."""

    row: F8
    col: F8
    z: F8


def block_maxima(surface: F4) -> F4:
    """Highest known cell of every `BLOCK` x `BLOCK` cells, counted from the first; -inf where none is known."""
    starts = [np.arange(0, n, BLOCK) for n in surface.shape]
    highest = np.fmax.reduceat(np.fmax.reduceat(surface, starts[0], axis=0), starts[1], axis=1)
    known: F4 = np.where(np.isnan(highest), np.float32(-np.inf), highest)
    return known


class Ray(NamedTuple):
    """A direction over the grid.

    Parameters
    ----------
    d_row, d_col : float
        Of one cell's length along the ray, in cells.
    step_row, step_col : int
        Which way rows and columns are passed.
    per_row, per_col : float
        Length of the ray from one to the next [m].
    """

    d_row: float
    d_col: float
    step_row: int
    step_col: int
    per_row: float
    per_col: float


@jit
def far_slopes(terrain: Terrain, observers: Observers, azimuth_rad: F8, first: F8, out: F4) -> None:
    """March each ray from cell to cell and keep the steepest slope; NaN cells and blocks too low are passed over.

    A cell is a prism: it counts from where the ray enters it, or from `first` where that lies inside it.

    Parameters
    ----------
    terrain : Terrain
    observers : Observers
    azimuth_rad : (n_azimuth,)
        Grid azimuths.
    first : (n, n_azimuth)
        Distance at which the march begins [m].
    out : (n, n_azimuth)
        Slope known so far, at least 0; raised to what is found.
    """
    surface, _, highest, cell, _ = terrain
    rows, cols, z = observers
    ny, nx = surface.shape
    for k in range(azimuth_rad.shape[0]):
        ray = _ray(azimuth_rad[k], cell)
        for i in range(rows.shape[0]):
            reached_row, reached_col = _reaches(rows[i], ray.d_row, ny, cell), _reaches(cols[i], ray.d_col, nx, cell)
            distance = max(first[i, k], reached_row, reached_col)
            if highest - z[i] > out[i, k] * distance:
                out[i, k] = _steepest(terrain, ray, rows[i], cols[i], z[i], distance, out[i, k])


@jit
def _ray(azimuth_rad: float, cell: float) -> Ray:
    """Return the direction of a grid azimuth."""
    d_row, d_col = -math.cos(azimuth_rad), math.sin(azimuth_rad)
    per_row = cell / max(abs(d_row), 1e-12)
    per_col = cell / max(abs(d_col), 1e-12)
    step_row, step_col = (1 if d_row > 0.0 else -1), (1 if d_col > 0.0 else -1)
    return Ray(d_row, d_col, step_row, step_col, per_row, per_col)


@jit
def _steepest(
    terrain: Terrain, ray: Ray, row_from: float, col_from: float, eye: float, distance: float, best: float
) -> float:
    """March one ray from `distance` on and return its steepest slope, at least `best`."""
    surface, maxima, highest, cell, drop_per_m2 = terrain
    d_row, d_col, step_row, step_col, per_row, per_col = ray
    inv_row, inv_col = 1.0 / per_row, 1.0 / per_col
    ny, nx = surface.shape
    at_row = row_from + 0.5 + d_row * distance / cell
    at_col = col_from + 0.5 + d_col * distance / cell
    row, col = math.floor(at_row), math.floor(at_col)
    next_row = distance + per_row * (row + 1 - at_row if step_row > 0 else at_row - row)
    next_col = distance + per_col * (col + 1 - at_col if step_col > 0 else at_col - col)
    while 0 <= row < ny and 0 <= col < nx:
        fall = drop_per_m2 * distance * distance
        low = best * distance + eye + fall
        if highest <= low:
            break
        to_row = BLOCK - 1 - (row & (BLOCK - 1)) if step_row > 0 else (row & (BLOCK - 1))
        to_col = BLOCK - 1 - (col & (BLOCK - 1)) if step_col > 0 else (col & (BLOCK - 1))
        if maxima[row >> BITS, col >> BITS] <= low:  # nothing in this block can matter: pass over it
            out_row, out_col = next_row + to_row * per_row, next_col + to_col * per_col
            if out_row < out_col:
                skipped = 0 if next_col > out_row else min(int((out_row - next_col) * inv_col) + 1, to_col)
                distance, row, col = out_row, row + step_row * (to_row + 1), col + step_col * skipped
                next_row, next_col = out_row + per_row, next_col + skipped * per_col
            else:
                skipped = 0 if next_row >= out_col else min(int((out_col - next_row) * inv_row) + 1, to_row)
                distance, col, row = out_col, col + step_col * (to_col + 1), row + step_row * skipped
                next_col, next_row = out_col + per_col, next_row + skipped * per_row
            continue
        last_row, last_col = row + step_row * to_row, col + step_col * to_col
        while True:
            if 0 <= row < ny and 0 <= col < nx:
                above = surface[row, col] - eye - drop_per_m2 * distance * distance
                if above > best * distance:
                    best = above / distance
            if next_row < next_col:
                distance = next_row
                next_row += per_row
                row += step_row
                if row == last_row + step_row:
                    break
            else:
                distance = next_col
                next_col += per_col
                col += step_col
                if col == last_col + step_col:
                    break
    return best


@jit
def _reaches(position: float, direction: float, n: int, cell: float) -> float:
    """Distance at which a coordinate comes into the grid (and a hair more), 0 where it is in or never does."""
    if position < -0.5 and direction > 1e-12:
        return (-0.5 - position) * cell / direction * (1.0 + 1e-12) + 1e-9
    if position > n - 0.5 and direction < -1e-12:
        return (n - 0.5 - position) * cell / direction * (1.0 + 1e-12) + 1e-9
    return 0.0


@jit
def lowest_of_groups(horizon: F4, group: I8, lowest: F4) -> None:
    """Lower `lowest` (n_group, n_azimuth) to the least of each group's rows of `horizon` (n, n_azimuth)."""
    for i in range(horizon.shape[0]):
        group_row = lowest[group[i]]
        for k in range(horizon.shape[1]):
            group_row[k] = min(group_row[k], horizon[i, k])


@jit
def raise_to_groups(horizon: F4, group: I8, least: F4) -> None:
    """Raise each row of `horizon` (n, n_azimuth) to its group's row of `least` (n_group, n_azimuth)."""
    for i in range(horizon.shape[0]):
        group_row = least[group[i]]
        for k in range(horizon.shape[1]):
            horizon[i, k] = max(horizon[i, k], group_row[k])
