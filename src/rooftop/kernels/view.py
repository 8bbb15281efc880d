"""Turning and indexing of the raster that the rays run through."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from rooftop.core.types import B1, F4, F8, I4, I8
from rooftop.kernels import jit, jit_inline
from rooftop.kernels.rays import BLOCK, NOTHING, STEP, UNASKED

_TILE = 32


@jit
def number_cells(mask: B1) -> tuple[I4, int]:
    """Return the rank of each cell of the mask in row-major order, and how many there are."""
    rank = np.empty(mask.shape, np.int32)
    n = 0
    for i in range(mask.shape[0]):
        for j in range(mask.shape[1]):
            rank[i, j] = n
            if mask[i, j]:
                n += 1
    return rank, n


class Turn(NamedTuple):
    """Where the cells of a view are in the flattened raster.

    Parameters
    ----------
    start : int
        Cell (0, 0) of the view.
    along_x, along_y : int
        How much further its neighbours are.
    nx, ny : int
        Cells of the view.
    pad : int
        Empty cells before y = 0.
    """

    start: int
    along_x: int
    along_y: int
    nx: int
    ny: int
    pad: int


class Levels(NamedTuple):
    """Height that becomes 0, and how high eyes stand above their cells [m]: of each cell, or one of all."""

    zero: float
    above: F4


class Sight(NamedTuple):
    """What is filled: ``height[x, pad + y]``, ``eye`` likewise, and the lowest eye of every `BLOCK` positions."""

    height: F4
    eye: F4
    lowest: F4


@jit
def fill_view(dsm: F8 | F4, mask: B1, turn: Turn, levels: Levels, begin: int, end: int, sight: Sight) -> None:
    """Copy the raster to a view and its eyes, for x from `begin` to `end`."""
    start, along_x, along_y, nx, ny, pad = turn
    level, above = levels[0], levels[1].ravel()
    height, eye, lowest = sight
    source, in_mask, width = dsm.ravel(), mask.ravel(), height.shape[1]
    heights, eyes = height.ravel(), eye.ravel()
    each = np.uint64(above.size > 1)
    heights[begin * width : end * width] = NOTHING
    eyes[begin * width : end * width] = UNASKED
    for x_tile in range(begin, min(end, nx), _TILE):
        for y_tile in range(0, ny, _TILE):
            n = np.uint64(min(_TILE, ny - y_tile))
            for x in range(x_tile, min(x_tile + _TILE, end, nx)):
                to, at = np.uint64(x * width + pad + y_tile), start + x * along_x + y_tile * along_y
                for k in range(n):
                    cell = np.uint64(at + np.int64(k) * along_y)
                    z = source[cell]
                    low = np.float32(z - level) if z == z else NOTHING
                    heights[to + k] = low
                    eyes[to + k] = low + above[cell * each] if in_mask[cell] else UNASKED
    for x in range(begin, end):
        for block in range(lowest.shape[1]):
            low = UNASKED
            for k in range(
                np.uint64(x * width + block * BLOCK), np.uint64(x * width + min((block + 1) * BLOCK, width))
            ):
                low = min(low, eyes[k])
            lowest[x, block] = low


@jit
def find_spans(eye: F4, nx: int) -> tuple[I4, I8]:
    """Group the asked cells of each x.

    Returns
    -------
    spans : (m, 2) int32
        First position and end of each group; groups of one x are more than :data:`rays.STEP` apart.
    first : (nx + 1,) int64
        First group of each x.
    """
    spans, first = np.empty((1024, 2), np.int32), np.zeros(nx + 1, np.int64)
    n = 0
    for x in range(nx):
        row = eye[x]
        y = _next(row, 0)
        while y < row.size:
            end = y + 1
            after = _next(row, end)
            while after < row.size and after - end < STEP:
                end = after + 1
                after = _next(row, end)
            if n == spans.shape[0]:
                spans = _longer(spans)
            spans[n, 0], spans[n, 1] = y, end
            n += 1
            y = after
        first[x + 1] = n
    return spans[:n].copy(), first


@jit_inline
def _next(row: F4, y: int) -> int:
    """First asked cell from `y` on."""
    while y < row.size and row[np.uint64(y)] >= UNASKED:
        y += 1
    return y


@jit
def _longer(spans: I4) -> I4:
    out = np.empty((2 * spans.shape[0], 2), np.int32)
    out[: spans.shape[0]] = spans
    return out


@jit
def transpose(columns: F4, azimuths: I8, degrees: F4) -> None:
    """Write ``columns[i]`` to column ``azimuths[i]`` of `degrees`."""
    block = 64
    for begin in range(0, columns.shape[1], block):
        for n in range(begin, min(begin + block, columns.shape[1])):
            for i in range(azimuths.size):
                degrees[n, azimuths[i]] = columns[i, n]
