"""The two halves of the horizon: exact rays through the nearest rows, a convex hull along parallel lines beyond them.

Both work on a canonical view ``[x, y]`` (see :mod:`rooftop.kernels.horizon`): the ray runs towards increasing x and
non-decreasing y, y is contiguous. Neighbouring rays meet neighbouring cells of the same x, so that the inner loops run
along y and become vector instructions. Slopes are in metres of height per unit of x.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from rooftop.kernels import jit_no_nan, jit_part

F4 = NDArray[np.float32]
I8 = NDArray[np.int64]
U8 = NDArray[np.uint64]
B1 = NDArray[np.bool_]

NOTHING = np.float32(-1e30)
"""Height of a cell without data: no wall, and nobody looks out of it."""

UNASKED = np.float32(1e30)
"""Eye height of a cell whose horizon is not asked for."""

GAPS = 32
"""Gaps between the lines that are swept together; neighbouring strips share a line."""

_LINES = GAPS + 1

_UNASKED_BITS = int(UNASKED.view(np.int32))
_LOW = np.float32(-1e15)  # below: nothing, or mixed with nothing
_FAR = np.float32(1e9)
_RIGHT_ANGLE = np.float32(0.5 * math.pi)
_DEGREES = np.float32(180.0 / math.pi)

# Indices of the inner loops are unsigned: numba then needs no test for negative ones, and the loops become vectors.
U = np.uint64
_0, _1, _2, _3, _4, _5, _6, _7 = U(0), U(1), U(2), U(3), U(4), U(5), U(6), U(7)


@jit_no_nan
def far_slopes(
    wall: F4,
    eye: F4,
    slope: F4,
    ny: int,
    nx: int,
    pad: int,
    near: int,
    spacing: int,
    linear: bool,
    first_line: int,
    first_asked: I8,
    row: I8,
    eye_x: F4,
    shift: F4,
    up_shift: np.float32,
    share_0: F4,
    row_1: I8,
    x_1: F4,
    weight_1: F4,
    second: B1,
    row_2: I8,
    x_2: F4,
    weight_2: F4,
) -> None:
    """Raise `slope` to the steepest of what lies more than `near` rows of x ahead.

    Lines lie `spacing` cells apart in y; each serves the `spacing` cells whose centres are closest to it. Strips of
    :data:`GAPS` + 1 lines advance together, from the far end towards the eye. Every line keeps the upper convex hull of
    what it has met: a stack whose top is nearest and lowest. Stacks of neighbouring lines lie side by side
    (``[depth, cell]``, repeated for the cells that a line serves), so that all cells of a strip try one depth at a
    time. What lies above the top of a stack are points that were popped from it: real, only no longer the steepest.

    Parameters
    ----------
    wall, eye, slope : (nx + ..., ny + ...) float32
        Heights, eye heights and result; cell y is at position ``pad + y``.
    first_line : int
        Number of the first line; line m passes through ``y = spacing * m`` at x = 0.
    first_asked : (n_strip,) int64
        Smallest x at which anything in the strip is asked for.
    row : (nx,) int64
        First y that line 0 serves at x.
    eye_x : (nx,) float32
        Foot of the first served cell on its line [x].
    shift : (spacing,) float32
        Foot of each served cell, relative to that of the first [x].
    row_1, x_1, weight_1 : (nx,)
        First point of line 0 at x: between cells (x, y) and (x, y + 1), position on the line.
    second, row_2, x_2, weight_2 : (nx,)
        Second point: for prisms cell (x, y + 1), for linear surfaces between cells (x - 1, y) and (x, y).
    """
    width = wall.shape[1]
    walls, eyes, slopes = wall.ravel(), eye.ravel(), slope.ravel()
    eye_bits = eyes.view(np.int32)
    lanes = _LINES * spacing
    stack_x = np.empty((nx + 2) * lanes, np.float32)
    stack_z = np.empty((nx + 2) * lanes, np.float32)
    stack_bits = stack_z.view(np.int32)
    size = np.empty(_LINES, np.uint64)
    lower, upper, shares = np.empty(lanes, np.float32), np.empty(lanes, np.float32), np.empty(lanes, np.float32)
    for k in range(lanes):
        shares[k] = np.float32((k % spacing) / spacing)
    for strip in range(first_asked.size):
        stop = first_asked[strip]
        if stop + near + 1 >= nx:
            continue
        y_strip = spacing * (first_line + strip * GAPS)
        last = np.searchsorted(row, ny - y_strip) - 1  # beyond, all lines of the strip have left the raster
        depth = _0
        size[:] = _0
        for x in range(last, stop + near, -1):
            # lines up to `spacing` cells beside the raster take part
            y = y_strip + row_1[x]
            begin = max(0, -(y // spacing) - 1)
            end = min(_LINES, (ny - 1 - y) // spacing + 2)
            at = x * width + pad + y + begin * spacing
            at_2 = (x - 1) * width + pad + y_strip + row_2[x] + begin * spacing
            where = (U(begin), U(end), U(at), U(at_2), U(width), U(spacing))
            met = (x_1[x], weight_1[x], x_2[x], weight_2[x])
            depth = _push(walls, linear, second[x], met, where, shift, stack_x, stack_z, size, depth)
            x_eye = x - near - 1
            y = y_strip + row[x_eye]
            begin = max(0, -y)
            n_lane = min(GAPS * spacing, ny - y) - begin
            if n_lane > 0:
                here = (U(x_eye * width + pad + y + begin), U(begin), U(n_lane), U(spacing))
                foot, share = eye_x[x_eye], share_0[x_eye]
                if _look(eyes, eye_bits, here, foot, foot - up_shift, stack_x, stack_z, stack_bits, size, lower, upper):
                    for k in range(U(n_lane)):
                        weight = shares[U(begin) + k] + share
                        slopes[here[0] + k] = lower[k] + weight * (upper[k] - lower[k])


@jit_part
def _push(
    walls: F4,
    linear: bool,
    two: bool,
    met: tuple[np.float32, np.float32, np.float32, np.float32],
    where: tuple[np.uint64, np.uint64, np.uint64, np.uint64, np.uint64, np.uint64],
    shift: F4,
    stack_x: F4,
    stack_z: F4,
    size: U8,
    depth: np.uint64,
) -> np.uint64:
    """Push on each line's stack the higher of the points that it meets at x; return the depth of the deepest."""
    begin, end, at, at_2, width, spacing = where
    z_x_1, w_1, z_x_2, w_2 = met
    lanes = U(_LINES) * spacing
    shift_1, shift_2 = shift[min(_1, spacing - _1)], shift[min(_2, spacing - _1)]
    for line in range(begin, end):
        z = walls[at]
        z_x = z_x_1
        if linear:
            z = (np.float32(1.0) - w_1) * z + w_1 * walls[at + _1]
            if two:
                z_2 = (np.float32(1.0) - w_2) * walls[at_2] + w_2 * walls[at_2 + width]
                if z_2 >= z:
                    z = z_2
                    z_x = z_x_2
        elif two:
            z_2 = walls[at + _1]
            if z_2 > z:
                z = z_2
                z_x = z_x_2
        at += spacing
        at_2 += spacing
        if z > _LOW:
            n = size[line]
            top = n * lanes + line * spacing - lanes
            while n > _1:
                under = top - lanes
                if (stack_z[under] - z) * (stack_x[top] - z_x) < (stack_z[top] - z) * (stack_x[under] - z_x):
                    break
                n -= _1
                top = under
            if n == _1 and stack_z[top] <= z:
                n = _0
                top -= lanes
            top += lanes
            if n == depth:
                for k in range(depth * lanes, (depth + _1) * lanes):
                    stack_x[k] = _FAR
                    stack_z[k] = NOTHING
                depth += _1
            stack_x[top] = z_x
            stack_z[top] = z
            if spacing == _3:  # written out: it is the innermost store of the sweep
                stack_x[top + _1] = z_x - shift_1
                stack_x[top + _2] = z_x - shift_2
                stack_z[top + _1] = z
                stack_z[top + _2] = z
            else:
                for k in range(_1, spacing):
                    stack_x[top + k] = z_x - shift[k]
                    stack_z[top + k] = z
            size[line] = n + _1
    return depth


@jit_part
def _look(
    eyes: F4,
    eye_bits: NDArray[np.int32],
    here: tuple[np.uint64, np.uint64, np.uint64, np.uint64],
    foot: np.float32,
    up_foot: np.float32,
    stack_x: F4,
    stack_z: F4,
    stack_bits: NDArray[np.int32],
    size: U8,
    lower: F4,
    upper: F4,
) -> bool:
    """Write the steepest slopes along the line below and the line above each cell; False when none is asked for."""
    begin, lane, n_lane, spacing = here
    lanes = U(_LINES) * spacing
    lowest_bits = np.int32(0x7FFFFFFF)  # heights are positive: their bits are in the same order
    for k in range(n_lane):
        lowest_bits = min(lowest_bits, eye_bits[begin + k])
    if lowest_bits >= _UNASKED_BITS:
        return False
    deepest = _0  # points that are not above the lowest eye need no look
    for line in range(lane // spacing, (lane + n_lane - _1) // spacing + _2):
        n = size[line]
        while n > deepest and stack_bits[(n - _1) * lanes + line * spacing] <= lowest_bits:
            n -= _1
        deepest = max(deepest, n)
    lower[:] = 0.0
    upper[:] = 0.0
    for d in range(deepest):
        a = d * lanes + lane
        b = a + spacing
        for k in range(n_lane):
            h = eyes[begin + k]
            s = (stack_z[a + k] - h) / (stack_x[a + k] - foot)
            lower[k] = s if s > lower[k] else lower[k]
            s = (stack_z[b + k] - h) / (stack_x[b + k] - up_foot)
            upper[k] = s if s > upper[k] else upper[k]
    return True


@jit_no_nan
def near_slopes(
    height: F4,
    eye: F4,
    slope: F4,
    blocks: I8,
    linear: bool,
    offset_a: U8,
    offset_b: U8,
    weight_b: F4,
    inverse: F4,
) -> None:
    """Raise `slope` to the steepest event of the stencil.

    Parameters
    ----------
    height, eye, slope : (nx + ..., ny + ...) float32
        Heights, eye heights, slopes of the far field.
    blocks : (m, 4) int64
        x, first position in y, length, and the position before which cells belong to this block.
    offset_a, offset_b : (n_event,) uint64
        Cells of each event relative to the eye's, in the flattened view.
    weight_b : (n_event,) float32
        Share of the second cell, ignored unless `linear`.
    inverse : (n_event,) float32
        One over the distance of the event [1/x].
    """
    width = height.shape[1]
    z, eyes, slopes = height.ravel(), eye.ravel(), slope.ravel()
    for block in range(blocks.shape[0]):
        begin = U(blocks[block, 0] * width + blocks[block, 1])
        length = U(blocks[block, 2])
        if linear:
            _try_mixed(z, eyes, slopes, begin, length, offset_a, offset_b, weight_b, inverse)
        else:
            _try_cells(z, eyes, slopes, begin, length, offset_a, inverse)


@jit_no_nan
def _try_mixed(
    z: F4,
    eyes: F4,
    slopes: F4,
    begin: np.uint64,
    length: np.uint64,
    offset_a: U8,
    offset_b: U8,
    weight_b: F4,
    inverse: F4,
) -> None:
    """Try heights mixed from two cells, two events at a time."""
    n_event = U(inverse.size)
    e = _0
    while e + _1 < n_event:
        i0, a0, b0, wb0 = inverse[e], begin + offset_a[e], begin + offset_b[e], weight_b[e]
        e += _1
        i1, a1, b1, wb1 = inverse[e], begin + offset_a[e], begin + offset_b[e], weight_b[e]
        e += _1
        wa0, wa1 = np.float32(1.0) - wb0, np.float32(1.0) - wb1
        for k in range(length):
            h = eyes[begin + k]
            s0 = (wa0 * z[a0 + k] + wb0 * z[b0 + k] - h) * i0
            s1 = (wa1 * z[a1 + k] + wb1 * z[b1 + k] - h) * i1
            s0 = s0 if s0 > s1 else s1
            slopes[begin + k] = s0 if s0 > slopes[begin + k] else slopes[begin + k]
    while e < n_event:
        i0, a0, b0, wb0 = inverse[e], begin + offset_a[e], begin + offset_b[e], weight_b[e]
        e += _1
        wa0 = np.float32(1.0) - wb0
        for k in range(length):
            s0 = (wa0 * z[a0 + k] + wb0 * z[b0 + k] - eyes[begin + k]) * i0
            slopes[begin + k] = s0 if s0 > slopes[begin + k] else slopes[begin + k]


@jit_no_nan
def _try_cells(z: F4, eyes: F4, slopes: F4, begin: np.uint64, length: np.uint64, offset_a: U8, inverse: F4) -> None:
    """Try heights of single cells, eight events at a time."""
    n_event = U(inverse.size)
    e = _0
    while e + _7 < n_event:
        i0, a0 = inverse[e], begin + offset_a[e]
        i1, a1 = inverse[e + _1], begin + offset_a[e + _1]
        i2, a2 = inverse[e + _2], begin + offset_a[e + _2]
        i3, a3 = inverse[e + _3], begin + offset_a[e + _3]
        i4, a4 = inverse[e + _4], begin + offset_a[e + _4]
        i5, a5 = inverse[e + _5], begin + offset_a[e + _5]
        i6, a6 = inverse[e + _6], begin + offset_a[e + _6]
        i7, a7 = inverse[e + _7], begin + offset_a[e + _7]
        e += _7 + _1
        for k in range(length):
            h = eyes[begin + k]
            s0 = (z[a0 + k] - h) * i0
            s1 = (z[a1 + k] - h) * i1
            s2 = (z[a2 + k] - h) * i2
            s3 = (z[a3 + k] - h) * i3
            s4 = (z[a4 + k] - h) * i4
            s5 = (z[a5 + k] - h) * i5
            s6 = (z[a6 + k] - h) * i6
            s7 = (z[a7 + k] - h) * i7
            s0 = s0 if s0 > s1 else s1
            s2 = s2 if s2 > s3 else s3
            s4 = s4 if s4 > s5 else s5
            s6 = s6 if s6 > s7 else s7
            s0 = s0 if s0 > s2 else s2
            s4 = s4 if s4 > s6 else s6
            s0 = s0 if s0 > s4 else s4
            slopes[begin + k] = s0 if s0 > slopes[begin + k] else slopes[begin + k]
    while e < n_event:
        i0, a0 = inverse[e], begin + offset_a[e]
        e += _1
        for k in range(length):
            s0 = (z[a0 + k] - eyes[begin + k]) * i0
            slopes[begin + k] = s0 if s0 > slopes[begin + k] else slopes[begin + k]


@jit_no_nan
def angles(slope: F4, eye: F4, blocks: I8, per_length: float, degrees: F4) -> None:
    """List the angles of the asked cells block by block.

    Parameters
    ----------
    slope, eye, blocks
        As in :func:`near_slopes`.
    per_length : float
        One over the length of a unit of x along the ray [1/m].
    degrees : (n,) float32
        Result, in the order of the blocks.
    """
    width = slope.shape[1]
    slopes, eyes = slope.ravel(), eye.ravel()
    one, per = np.float32(1.0), np.float32(per_length)
    angle = np.empty(width, np.float32)
    n = _0
    for block in range(blocks.shape[0]):
        begin = U(blocks[block, 0] * width + blocks[block, 1])
        # arc tangent of a number >= 0: Abramowitz and Stegun (1964), 4.4.49, error below 2e-8 rad
        for k in range(U(blocks[block, 2])):
            tangent = slopes[begin + k] * per
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
        length = U(min(blocks[block, 2], blocks[block, 3] - blocks[block, 1]))
        asked = np.int32(0)
        for k in range(length):
            asked += np.int32(eyes[begin + k] < UNASKED)
        if U(asked) == length:
            for k in range(length):
                degrees[n + k] = angle[k]
            n += length
        else:
            for k in range(length):
                if eyes[begin + k] < UNASKED:
                    degrees[n] = angle[k]
                    n += _1
