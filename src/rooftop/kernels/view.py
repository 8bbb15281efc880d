"""Turning, thinning and indexing of the raster that the rays run through."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rooftop.kernels import jit
from rooftop.kernels.rays import NOTHING, UNASKED

F4 = NDArray[np.float32]
F8 = NDArray[np.float64]
I4 = NDArray[np.int32]
I8 = NDArray[np.int64]
B1 = NDArray[np.bool_]

STRIP = 512
"""Cells of y that the stencil treats before it goes to the next strip: what it reads stays in the cache."""

STEP = 32
"""Lengths of blocks are multiples of it: the vectorised loops have no remainder."""


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
    height: F4,
    eye: F4,
) -> None:
    """Copy the raster to ``height[x, pad + y]`` and eye heights to `eye`, x along rows unless `transpose`."""
    nx, ny = dsm.shape
    if transpose:
        nx, ny = ny, nx
    height[:] = NOTHING
    eye[:] = UNASKED
    tile = 32
    for x_tile in range(0, nx, tile):
        for y_tile in range(0, ny, tile):
            for x in range(x_tile, min(x_tile + tile, nx)):
                source_x = nx - 1 - x if flip_x else x
                for y in range(y_tile, min(y_tile + tile, ny)):
                    source_y = ny - 1 - y if flip_y else y
                    i, j = (source_y, source_x) if transpose else (source_x, source_y)
                    z = dsm[i, j]
                    if z == z:
                        height[x, pad + y] = z - level
                        if asked[i, j]:
                            eye[x, pad + y] = height[x, pad + y] + np.float32(above)


@jit
def thin_walls(height: F4, eye: F4, reach: int, wall: F4) -> None:
    """Copy `height` to `wall` without prisms that are not above any eye that could have them ahead.

    A line runs up to `reach` cells of y below the eyes that it stands for.
    """
    nx, ny = height.shape
    lowest = np.full(ny, UNASKED, dtype=np.float32)  # lowest eye at smaller or equal x and y
    for x in range(nx):
        low = UNASKED
        for y in range(ny):
            low = min(low, eye[x, y])
            low = min(low, lowest[y])
            lowest[y] = low
        for y in range(ny):
            wall[x, y] = NOTHING if height[x, y] <= lowest[min(y + reach, ny - 1)] else height[x, y]


@jit
def find_blocks(eye: F4, nx: int, ny: int, pad: int) -> I8:
    """Cover the asked cells with blocks along y: x, first position, length, position where the strip ends."""
    blocks = np.empty((1024, 4), np.int64)
    n = 0
    for strip in range(pad, pad + ny, STRIP):
        strip_end = min(strip + STRIP, pad + ny)
        for x in range(nx):
            y = strip
            while y < strip_end:
                asked = 0
                for k in range(y, min(y + STEP, strip_end)):
                    asked += eye[x, k] < UNASKED
                if asked == 0:
                    y += STEP
                    continue
                while eye[x, y] >= UNASKED:
                    y += 1
                begin = y
                more = True
                while more:
                    y += STEP
                    more = False
                    for k in range(y, min(y + STEP, strip_end)):
                        more = more or eye[x, k] < UNASKED
                if n == blocks.shape[0]:
                    larger = np.empty((2 * n, 4), np.int64)
                    larger[:n] = blocks
                    blocks = larger
                blocks[n, 0] = x
                blocks[n, 1] = begin
                blocks[n, 2] = y - begin
                blocks[n, 3] = strip_end
                n += 1
    return blocks[:n].copy()


@jit
def order_cells(
    blocks: I8, eye: F4, rank: I4, transpose: bool, flip_x: bool, flip_y: bool, nx: int, ny: int, pad: int, order: I4
) -> None:
    """List the rank of each asked cell in the order of the blocks."""
    n = 0
    for block in range(blocks.shape[0]):
        x = blocks[block, 0]
        source_x = nx - 1 - x if flip_x else x
        for y in range(blocks[block, 1], min(blocks[block, 1] + blocks[block, 2], blocks[block, 3])):
            if eye[x, y] < UNASKED:
                source_y = ny - 1 - (y - pad) if flip_y else y - pad
                order[n] = rank[source_y, source_x] if transpose else rank[source_x, source_y]
                n += 1


@jit
def first_asked(blocks: I8, row: I8, spacing: int, first_line: int, lines: int, pad: int, first: I8) -> None:
    """Lower ``first[strip of lines]`` to the smallest x of any block in it."""
    for block in range(blocks.shape[0]):
        x = blocks[block, 0]
        y = blocks[block, 1] - pad
        y_last = min(y + blocks[block, 2], blocks[block, 3] - pad) - 1
        begin = ((y - row[x]) // spacing - first_line) // lines
        end = ((y_last - row[x]) // spacing - first_line) // lines
        for strip in range(begin, end + 1):
            first[strip] = min(first[strip], x)


@jit
def scatter(columns: F4, order: I4, azimuths: I8, degrees: F4) -> None:
    """Write ``columns[i]``, in block order, to column ``azimuths[i]`` of `degrees`, in rank order."""
    for n in range(order.size):
        target = order[n]
        for i in range(azimuths.size):
            degrees[target, azimuths[i]] = columns[i, n]
