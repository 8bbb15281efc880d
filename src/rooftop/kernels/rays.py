"""The two halves of the horizon: exact rays through the nearest rows, a convex hull along parallel lines beyond them.

Both work on a canonical view ``[x, y]`` (see :mod:`rooftop.kernels.horizon`): the ray runs towards increasing x and
non-decreasing y, y is contiguous. Neighbouring rays meet neighbouring cells of the same x, so that the inner loops run
along y and become vector instructions. Slopes are in metres of height per unit of x. The near half runs first: what
is not steeper than the slope that is already known is passed over, whole groups at a time.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rooftop.kernels import jit_no_nan, jit_part

F4 = NDArray[np.float32]
I4 = NDArray[np.int32]
I8 = NDArray[np.int64]
U8 = NDArray[np.uint64]
B1 = NDArray[np.bool_]

NOTHING = np.float32(-1e30)
"""Height of a cell without data: no wall, and nobody looks out of it."""

UNASKED = np.float32(1e30)
"""Eye height of a cell whose horizon is not asked for; its slope too, so that nothing is above it."""

GAPS = 96
"""Gaps between the lines that are swept together; neighbouring strips share a line."""

BLOCK = 32
"""Cells of y of which the lowest eye is known."""

_LINES = GAPS + 1
_UNASKED_BITS = np.int32(UNASKED.view(np.int32))
_REFRESH = 16  # steps after which the bounds of the stacks are computed anew

_FAR = np.float32(1e9)

# Indices of the inner loops are unsigned: numba then needs no test for negative ones, and the loops become vectors.
U = np.uint64
_0, _1, _2, _3, _4, _5, _6, _7 = U(0), U(1), U(2), U(3), U(4), U(5), U(6), U(7)


@jit_no_nan
def near_slopes(
    height: F4,
    eye: F4,
    slope: F4,
    runs: I4,
    begin: int,
    end: int,
    linear: bool,
    offset_a: U8,
    offset_b: U8,
    weight_b: F4,
    inverse: F4,
) -> None:
    """Set `slope` to the steepest event of the stencil, at least 0; to :data:`UNASKED` where nothing is asked.

    Parameters
    ----------
    height, eye, slope : (nx + ..., ny + ...) float32
        Heights, eye heights, result.
    runs : (m, 4) int32
        x, first position in y, length, position from which cells belong to this run; those from `begin` to `end` are
        treated.
    offset_a, offset_b : (n_event,) uint64
        Cells of each event relative to the eye's, in the flattened view.
    weight_b : (n_event,) float32
        Share of the second cell, ignored unless `linear`.
    inverse : (n_event,) float32
        One over the distance of the event [1/x].
    """
    width = height.shape[1]
    z, eyes, slopes = height.ravel(), eye.ravel(), slope.ravel()
    for run in range(begin, end):
        here, length = U(runs[run, 0] * width + runs[run, 1]), U(runs[run, 2])
        for k in range(length):
            slopes[here + k] = np.float32(0.0) if eyes[here + k] < UNASKED else UNASKED
        if linear:
            _try_mixed(z, eyes, slopes, here, length, offset_a, offset_b, weight_b, inverse)
        else:
            _try_cells(z, eyes, slopes, here, length, offset_a, inverse)


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
def far_slopes(
    height: F4,
    eye: F4,
    slope: F4,
    lowest: F4,
    ny: int,
    nx: int,
    pad: int,
    near: int,
    spacing: int,
    linear: bool,
    odd: int,
    sight: np.float32,
    first_line: int,
    begin_strip: int,
    end_strip: int,
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
    """Raise `slope` by what lies more than `near` rows of x ahead.

    Lines lie `spacing` cells apart in y; each serves the `spacing` cells whose centres are closest to it. Strips of
    :data:`GAPS` + 1 lines advance together, from the far end towards the eye. Every line keeps the upper convex hull of
    what it has met: a stack whose top is nearest and lowest. Stacks of neighbouring lines lie side by side
    (``[depth, cell]``, repeated for the cells that a line serves), so that all cells of a strip try one depth at a
    time, and only a depth that holds something above the lowest sight line. What lies above the top of a stack are
    points that were popped from it: real, only no longer the steepest. Of two rows of x one point is pushed: the one
    that is higher on a sight line that rises by `sight`.

    Parameters
    ----------
    height, eye, slope : (nx + ..., ny + ...) float32
        Heights, eye heights and slopes; cell y is at position ``pad + y``.
    odd : int
        0 or 1: x of the nearer row of each pair, modulo 2.
    sight : float32
        Rise of a usual sight line [m per x].
    lowest : (nx + ..., n_block) float32
        Lowest eye of every :data:`BLOCK` cells of y.
    first_line : int
        Number of the first line; line m passes through ``y = spacing * m`` at x = 0.
    begin_strip, end_strip : int
        Strips of lines to treat.
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
    width = height.shape[1]
    walls, eyes, slopes = height.ravel(), eye.ravel(), slope.ravel()
    slope_bits = slopes.view(np.int32)
    both = np.empty(1, np.float32)
    bits = both.view(np.int32)
    low, floor = np.empty(nx, np.float32), np.empty(nx, np.float32)
    lanes = _LINES * spacing
    stack_x = np.empty((nx + 2) * lanes, np.float32)
    stack_z = np.empty((nx + 2) * lanes, np.float32)
    top_z, near_x = np.empty(nx + 2, np.float32), np.empty(nx + 2, np.float32)
    size = np.empty(_LINES, np.uint64)
    point_z, point_x = np.empty(_LINES, np.float32), np.empty(_LINES, np.float32)
    lower, upper, shares = np.empty(lanes, np.float32), np.empty(lanes, np.float32), np.empty(lanes, np.float32)
    for k in range(lanes):
        shares[k] = np.float32((k % spacing) / spacing)
    for strip in range(begin_strip, end_strip):
        y_strip = spacing * (first_line + strip * GAPS)
        stop = _lowest_eyes(lowest, y_strip, spacing, ny, nx, pad, row, low, floor)
        if stop + near + 1 >= nx:
            continue
        last = np.searchsorted(row, ny - y_strip) - 1  # beyond, all lines of the strip have left the raster
        used = touched = _0  # depths in use, depths ever used
        size[:] = _0
        for x in range(last - (last - odd) % 2, stop + near - 1, -2):
            # lines up to `spacing` cells beside the raster take part
            y = y_strip + row_1[x]
            begin = max(0, -(y // spacing) - 1)
            end = min(_LINES, (ny - 1 - y) // spacing + 2)
            base = pad + y_strip + begin * spacing
            n = U(max(end - begin, 0))
            for k in range(n):
                point_z[k] = NOTHING
                point_x[k] = x_1[x]
            for at in (x + 1, x):
                if at < nx:
                    met = (second[at], x_1[at], weight_1[at], x_2[at], weight_2[at])
                    first, other = U(at * width + base + row_1[at]), U((at - 1) * width + base + row_2[at])
                    _meet(walls, linear, first, other, U(width), U(spacing), n, met, sight, point_z, point_x)
            used, touched = _push(
                U(begin), U(begin) + n, U(spacing), floor[x - near], point_z, point_x, shift, stack_x, stack_z, top_z,
                near_x, size, used, touched,
            )  # fmt: skip
            if x % _REFRESH < 2:
                used = _refresh(stack_x, stack_z, top_z, near_x, size, used, U(lanes))
            for x_eye in range(x - near, max(x - near - 2, -1), -1):
                y = y_strip + row[x_eye]
                begin = max(0, -y)
                n_lane = min(GAPS * spacing, ny - y) - begin
                if n_lane <= 0 or low[x_eye] >= UNASKED:
                    continue
                here = (U(x_eye * width + pad + y + begin), U(begin), U(n_lane), U(spacing))
                foot, share = eye_x[x_eye], share_0[x_eye]
                look = (foot, foot - up_shift)
                if _look(
                    eyes, slopes, slope_bits, low[x_eye], here, look, stack_x, stack_z, top_z, near_x, used,
                    lower, upper, both, bits,
                ):  # fmt: skip
                    for k in range(U(n_lane)):
                        weight = shares[U(begin) + k] + share
                        slopes[here[0] + k] = lower[k] + weight * (upper[k] - lower[k])


@jit_part
def _lowest_eyes(
    lowest: F4,
    y_strip: int,
    spacing: int,
    ny: int,
    nx: int,
    pad: int,
    row: I8,
    low: F4,
    floor: F4,
) -> int:
    """Write how low the eyes of a strip are at least at each x, and up to there; return the first x with any."""
    first, least = nx, UNASKED
    for x in range(nx):
        y = y_strip + row[x]
        begin, end = pad + max(0, y), pad + min(y + GAPS * spacing, ny)
        here = UNASKED
        if end > begin:
            for block in range(begin // BLOCK, (end - 1) // BLOCK + 1):
                here = min(here, lowest[x, block])
        least = min(least, here)
        low[x], floor[x] = here, least
        if here < UNASKED and first == nx:
            first = x
    return first


@jit_part
def _meet(
    walls: F4,
    linear: bool,
    at: np.uint64,
    at_2: np.uint64,
    width: np.uint64,
    spacing: np.uint64,
    n: np.uint64,
    met: tuple[bool, np.float32, np.float32, np.float32, np.float32],
    sight: np.float32,
    z: F4,
    z_x: F4,
) -> None:
    """Take the points that `n` lines meet at one x where they are above a sight line through the others."""
    two, x_1, w_1, x_2, w_2 = met
    if two:
        for k in range(n):
            if linear:
                high = (np.float32(1.0) - w_2) * walls[at_2 + k * spacing] + w_2 * walls[at_2 + k * spacing + width]
            else:
                high = walls[at + k * spacing + _1]
            above = high - z[k] >= sight * (x_2 - z_x[k])
            z_x[k] = x_2 if above else z_x[k]
            z[k] = high if above else z[k]
    for k in range(n):
        high = walls[at + k * spacing]
        if linear:
            high = (np.float32(1.0) - w_1) * high + w_1 * walls[at + k * spacing + _1]
        above = high - z[k] >= sight * (x_1 - z_x[k])
        z_x[k] = x_1 if above else z_x[k]
        z[k] = high if above else z[k]


@jit_part
def _push(
    begin: np.uint64,
    end: np.uint64,
    spacing: np.uint64,
    floor: np.float32,
    point_z: F4,
    point_x: F4,
    shift: F4,
    stack_x: F4,
    stack_z: F4,
    top_z: F4,
    near_x: F4,
    size: U8,
    used: np.uint64,
    touched: np.uint64,
) -> tuple[np.uint64, np.uint64]:
    """Push points above `floor` on the stacks of lines `begin` to `end`; return the depths in use and touched."""
    lanes = U(_LINES) * spacing
    shift_1, shift_2, shift_last = shift[min(_1, spacing - _1)], shift[min(_2, spacing - _1)], shift[spacing - _1]
    for line in range(begin, end):
        z, z_x = point_z[line - begin], point_x[line - begin]
        if z > floor:
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
            if n == touched:
                for k in range(touched * lanes, (touched + _1) * lanes):
                    stack_x[k] = _FAR
                    stack_z[k] = NOTHING
                touched += _1
            if n == used:
                used += _1
                top_z[n] = NOTHING
                near_x[n] = _FAR
            top_z[n] = max(top_z[n], z)
            near_x[n] = min(near_x[n], z_x - shift_last)
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
    return used, touched


@jit_part
def _refresh(stack_x: F4, stack_z: F4, top_z: F4, near_x: F4, size: U8, used: np.uint64, lanes: np.uint64) -> np.uint64:
    """Bound each depth anew, by its highest and its nearest point; return the depths in use."""
    x_bits, z_bits = stack_x.view(np.int32), stack_z.view(np.int32)
    near_bits, top_bits = near_x.view(np.int32), top_z.view(np.int32)
    deepest = _0
    for line in range(U(_LINES)):
        deepest = max(deepest, size[line])
    for d in range(deepest):
        high, close = z_bits[d * lanes], x_bits[d * lanes]
        for k in range(d * lanes, (d + _1) * lanes):
            high = max(high, z_bits[k])
        for k in range(d * lanes, (d + _1) * lanes):
            close = min(close, x_bits[k])
        top_bits[d], near_bits[d] = high, close
    return deepest


@jit_part
def _look(
    eyes: F4,
    slopes: F4,
    slope_bits: I4,
    low: np.float32,
    here: tuple[np.uint64, np.uint64, np.uint64, np.uint64],
    feet: tuple[np.float32, np.float32],
    stack_x: F4,
    stack_z: F4,
    top_z: F4,
    near_x: F4,
    used: np.uint64,
    lower: F4,
    upper: F4,
    both: F4,
    bits: I4,
) -> bool:
    """Write the steepest slopes along the line below and the line above each cell; False when nothing is steeper."""
    begin, lane, n_lane, spacing = here
    foot, up_foot = feet
    lanes = U(_LINES) * spacing
    least_bits = _UNASKED_BITS
    for k in range(n_lane):
        least_bits = min(least_bits, slope_bits[begin + k])
    bits[0] = least_bits  # of positive numbers, whose bits are in the same order: integers are compared as vectors
    least = both[0]
    found = False
    for d in range(used):
        if top_z[d] - low <= least * (near_x[d] - foot):
            continue
        if not found:
            found = True
            for k in range(n_lane):
                lower[k] = slopes[begin + k]
                upper[k] = slopes[begin + k]
        a = d * lanes + lane
        b = a + spacing
        if spacing == _1:  # every cell lies on a line
            for k in range(n_lane):
                s = (stack_z[a + k] - eyes[begin + k]) / (stack_x[a + k] - foot)
                lower[k] = s if s > lower[k] else lower[k]
            continue
        for k in range(n_lane):
            h = eyes[begin + k]
            s = (stack_z[a + k] - h) / (stack_x[a + k] - foot)
            lower[k] = s if s > lower[k] else lower[k]
            s = (stack_z[b + k] - h) / (stack_x[b + k] - up_foot)
            upper[k] = s if s > upper[k] else upper[k]
    return found
