"""Turning and indexing of the raster that the rays run through."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rooftop.kernels import jit
from rooftop.kernels.rays import BLOCK, NOTHING, UNASKED

F4 = NDArray[np.float32]
F8 = NDArray[np.float64]
I4 = NDArray[np.int32]
I8 = NDArray[np.int64]
B1 = NDArray[np.bool_]

STRIP = 512
"""Cells of y that the stencil treats before it goes to the next strip: what it reads stays in the cache."""

STEP = 32
"""Lengths of runs are multiples of it: the vectorised loops have no remainder."""


@jit
def number_cells(asked: B1) -> tuple[I4, int]:
    """Return the rank of each asked cell in row-major order, and how many there are."""
    rank = np.empty(asked.shape, np.int32)
    n = 0
    for i in range(asked.shape[0]):
        for j in range(asked.shape[1]):
            rank[i, j] = n
            if asked[i, j]:
                n += 1
    return rank, n


@jit
def fill_view(
    dsm: F8 | F4,
    asked: B1,
    level: float,
    above: float,
    transpose: bool,
    flip_x: bool,
    flip_y: bool,
    pad: int,
    begin: int,
    end: int,
    height: F4,
    eye: F4,
    slope: F4,
    lowest: F4,
) -> None:
    """Copy the raster to ``height[x, pad + y]`` and eye heights to `eye`, for x from `begin` to `end`.

    x runs along rows unless `transpose`. `lowest` gets the lowest eye of every :data:`rays.BLOCK` cells of y. All
    slopes are those of cells that are not asked for.
    """
    nx, ny = dsm.shape
    if transpose:
        nx, ny = ny, nx
    height[begin:end] = NOTHING
    eye[begin:end] = UNASKED
    slope[begin:end] = UNASKED
    tile = 32
    for x_tile in range(begin, min(end, nx), tile):
        for y_tile in range(0, ny, tile):
            for x in range(x_tile, min(x_tile + tile, end, nx)):
                source_x = nx - 1 - x if flip_x else x
                for y in range(y_tile, min(y_tile + tile, ny)):
                    source_y = ny - 1 - y if flip_y else y
                    i, j = (source_y, source_x) if transpose else (source_x, source_y)
                    z = dsm[i, j]
                    if z == z:
                        height[x, pad + y] = z - level
                        if asked[i, j]:
                            eye[x, pad + y] = height[x, pad + y] + np.float32(above)
    for x in range(begin, end):
        for block in range(lowest.shape[1]):
            low = UNASKED
            for y in range(block * BLOCK, min((block + 1) * BLOCK, eye.shape[1])):
                low = min(low, eye[x, y])
            lowest[x, block] = low


@jit
def find_runs(eye: F4, nx: int, ny: int) -> tuple[I4, I8, I8]:
    """Cover the asked cells among the first `ny` positions, a multiple of :data:`STEP`, with runs along y.

    Returns
    -------
    runs : (m, 4) int32
        x, first position, length, position from which cells belong to this run and not to the one before. A run stays
        within its strip.
    rows : (r + 1,) int64
        First run of each row of x within a strip: runs of one row may overlap, those of different rows do not.
    before : (m + 1,) int64
        Asked cells before each run.
    """
    runs = np.empty((1024, 4), np.int32)
    rows, before = np.zeros(1024, np.int64), np.zeros(1025, np.int64)
    n = n_row = 0
    for strip in range(0, ny, STRIP):
        strip_end = min(strip + STRIP, ny)
        for x in range(nx):
            y = own = strip
            row_begin = n
            while True:
                while y < strip_end and eye[x, y] >= UNASKED:
                    y += 1
                if y == strip_end:
                    break
                begin, count = y, 0
                last = y
                while y < strip_end and y - last <= STEP:
                    if eye[x, y] < UNASKED:
                        last = y
                        count += 1
                    y += 1
                length = (last - begin) // STEP * STEP + STEP
                if n == runs.shape[0]:
                    runs, before = _longer_runs(runs), _longer(before)
                start = min(begin, strip_end - length)
                runs[n, 0], runs[n, 1], runs[n, 2], runs[n, 3] = x, start, length, max(own, start)
                own = start + length
                before[n + 1] = before[n] + count
                n += 1
                y = min(max(y, own), strip_end)
            if n > row_begin:
                n_row += 1
                if n_row == rows.size:
                    rows = _longer(rows)
                rows[n_row] = n
    return runs[:n].copy(), rows[: n_row + 1].copy(), before[: n + 1].copy()


@jit
def _longer(values: I8) -> I8:
    out = np.zeros(2 * values.size, np.int64)
    out[: values.size] = values
    return out


@jit
def _longer_runs(runs: I4) -> I4:
    out = np.empty((2 * runs.shape[0], 4), np.int32)
    out[: runs.shape[0]] = runs
    return out


@jit
def order_cells(
    runs: I4, eye: F4, rank: I4, transpose: bool, flip_x: bool, flip_y: bool, nx: int, ny: int, pad: int, order: I4
) -> None:
    """List the rank of each asked cell in the order of the runs."""
    n = 0
    for k in range(runs.shape[0]):
        x = runs[k, 0]
        source_x = nx - 1 - x if flip_x else x
        for y in range(runs[k, 3], runs[k, 1] + runs[k, 2]):
            if eye[x, y] < UNASKED:
                source_y = ny - 1 - (y - pad) if flip_y else y - pad
                order[n] = rank[source_y, source_x] if transpose else rank[source_x, source_y]
                n += 1


@jit
def scatter(columns: F4, order: I4, azimuths: I8, degrees: F4) -> None:
    """Write ``columns[i]``, in the order of the runs, to column ``azimuths[i]`` of `degrees`, in rank order."""
    for n in range(order.size):
        target = order[n]
        for i in range(azimuths.size):
            degrees[target, azimuths[i]] = columns[i, n]
