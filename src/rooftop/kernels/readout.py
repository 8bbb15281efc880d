"""What becomes of the slopes of one direction: angles, or a table's entry added to each cell."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from rooftop.kernels import jit_no_nan
from rooftop.kernels.rays import UNASKED, U
from rooftop.kernels.view import STRIP

F4 = NDArray[np.float32]
I4 = NDArray[np.int32]
I8 = NDArray[np.int64]
U2 = NDArray[np.uint16]

STEPS = 2048
"""Intervals of a table over u = s / (1 + s), s the tangent of the horizon: 0.03-0.06 degrees each."""

_RIGHT_ANGLE = np.float32(0.5 * math.pi)
_DEGREES = np.float32(180.0 / math.pi)


@jit_no_nan
def angles(slope: F4, eye: F4, runs: I4, before: I8, begin: int, end: int, per_length: float, degrees: F4) -> None:
    """List the angles of the asked cells of runs `begin` to `end`.

    Parameters
    ----------
    slope, eye, runs
        As in :func:`rooftop.kernels.rays.near_slopes`.
    before : (m + 1,) int64
        Asked cells before each run.
    per_length : float
        One over the length of a unit of x along the ray [1/m].
    degrees : (n,) float32
        Result, in the order of the runs.
    """
    width = slope.shape[1]
    slopes, eyes = slope.ravel(), eye.ravel()
    one, per = np.float32(1.0), np.float32(per_length)
    angle = np.empty(STRIP, np.float32)
    for run in range(begin, end):
        here, length = U(runs[run, 0] * width + runs[run, 1]), U(runs[run, 2])
        # arc tangent of a number >= 0: Abramowitz and Stegun (1964), 4.4.49, error below 2e-8 rad
        for k in range(length):
            tangent = slopes[here + k] * per
            large = tangent > one
            small = one / tangent if large else tangent
            u = small * small
            p = np.float32(0.0028662257)
            p = p * u - np.float32(0.0161657367)
            p = p * u + np.float32(0.0429096138)
            p = p * u - np.float32(0.0752896400)
            p = p * u + np.float32(0.1065626393)
            p = p * u - np.float32(0.1420889944)
            p = p * u + np.float32(0.1999355085)
            p = p * u - np.float32(0.3333314528)
            p = (p * u + one) * small
            angle[k] = (_RIGHT_ANGLE - p if large else p) * _DEGREES
        n = U(before[run])
        for k in range(U(runs[run, 3] - runs[run, 1]), length):
            if eyes[here + k] < UNASKED:
                degrees[n] = angle[k]
                n += U(1)


@jit_no_nan
def add_to_raster(
    slope: F4,
    eye: F4,
    runs: I4,
    begin: int,
    end: int,
    per_length: float,
    transpose: bool,
    flip_x: bool,
    flip_y: bool,
    nx: int,
    ny: int,
    pad: int,
    table: F4,
    kind: U2,
    beyond: F4,
    observer: I4,
    out: F4,
) -> None:
    """Add to each asked cell what its table holds for its horizon in this direction.

    Parameters
    ----------
    slope, eye, runs, begin, end, per_length
        As in :func:`angles`.
    transpose, flip_x, flip_y, nx, ny, pad
        The view, as in :func:`rooftop.kernels.view.fill_view`.
    table : (n_kind, STEPS + 1) float32
        Values at equal steps of u.
    kind : (n_row, n_col) uint16, or (1, 1)
        Table of each cell of the raster.
    beyond : (m,) float32
        Tangents of horizons beyond the raster; a single 0 where there are none.
    observer : (n_row, n_col) int32, or (1, 1)
        Which of them each cell sees.
    out : (n_row, n_col) float32
        Sums; contiguous.
    """
    width, n_col = slope.shape[1], out.shape[1]
    slopes, eyes, values = slope.ravel(), eye.ravel(), table.ravel()
    sums, kinds = out.ravel(), kind.ravel()
    one, per, steps = np.float32(1.0), np.float32(per_length), np.float32(STEPS)
    last = np.float32(STEPS - 1)
    place = np.empty(STRIP, np.float32)
    many = kind.size > 1
    far, observers = observer.size > 1, observer.ravel()
    along_x, along_y = (1, n_col) if transpose else (n_col, 1)
    for run in range(begin, end):
        x, first = runs[run, 0], runs[run, 1]
        here, length = U(x * width + first), U(runs[run, 2])
        for k in range(length):
            tangent = slopes[here + k] * per
            place[k] = steps * tangent / (one + tangent)
        y = first - pad
        step = -along_y if flip_y else along_y
        target = along_x * (nx - 1 - x if flip_x else x) + along_y * (ny - 1 - y if flip_y else y)
        for k in range(U(runs[run, 3] - first), length):
            if eyes[here + k] < UNASKED:
                cell = U(target + np.int64(k) * step)
                u = place[k]
                if far:
                    tangent = beyond[U(observers[cell])]
                    further = steps * tangent / (one + tangent)
                    u = further if further > u else u
                edge = U(min(u, last))
                share = u - np.float32(edge)
                if many:
                    edge += U(kinds[cell]) * U(STEPS + 1)
                sums[cell] += values[edge] + share * (values[edge + U(1)] - values[edge])


@jit_no_nan
def add_to_cells(
    slope: F4,
    eye: F4,
    runs: I4,
    before: I8,
    begin: int,
    end: int,
    per_length: float,
    order: I4,
    table: F4,
    kind: U2,
    beyond: F4,
    observer: I4,
    out: F4,
) -> None:
    """As :func:`add_to_raster`, for several values per cell.

    Parameters
    ----------
    order : (n,) int32
        Number of each asked cell, in the order of the runs.
    table : (n_kind, STEPS + 1, c) float32
    kind : (n,) uint16, or (1,)
        Table of each asked cell, by number.
    beyond : (m,) float32
        As in :func:`add_to_raster`.
    observer : (n,) int32, or (1,)
        Which of them each asked cell sees, by number.
    out : (n, c) float32
        Sums.
    """
    width = slope.shape[1]
    slopes, eyes = slope.ravel(), eye.ravel()
    one, per, steps = np.float32(1.0), np.float32(per_length), np.float32(STEPS)
    last, n_value, values, sums = np.float32(STEPS - 1), U(out.shape[1]), table.ravel(), out.ravel()
    many, far = kind.size > 1, observer.size > 1
    for run in range(begin, end):
        here, length = U(runs[run, 0] * width + runs[run, 1]), U(runs[run, 2])
        n = before[run]
        for k in range(U(runs[run, 3] - runs[run, 1]), length):
            if eyes[here + k] < UNASKED:
                cell = U(order[n])
                n += 1
                tangent = slopes[here + k] * per
                if far:
                    tangent = max(tangent, beyond[U(observer[cell])])
                u = steps * tangent / (one + tangent)
                edge = U(min(u, last))
                share = u - np.float32(edge)
                if many:
                    edge += U(kind[cell]) * U(STEPS + 1)
                low, target = edge * n_value, cell * n_value
                for c in range(n_value):
                    sums[target + c] += values[low + c] + share * (values[low + n_value + c] - values[low + c])
