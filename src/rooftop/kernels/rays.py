"""The sweep of one direction: every horizon that looks there, and what becomes of it.

All of it works on a canonical view ``[x, y]`` (see :mod:`rooftop.kernels.horizon`): the ray runs towards increasing x
and non-decreasing y, y is contiguous. Neighbouring rays meet neighbouring cells of the same x, so that the inner loops
run along y and become vector instructions. Slopes are in metres of height per unit of x.

A strip of parallel lines is swept from the far end towards the eye. Each line keeps the upper convex hull of what it
has met; at every row of eyes the exact rays through the nearest rows come first, then the hull is asked where it can be
steeper, and the slopes are read out: they live for one row of one strip, in the cache.
"""

from __future__ import annotations

import math

import numpy as np

from rooftop.core.types import F4, U8
from rooftop.kernels import jit_fused, jit_no_nan, jit_part, wide_vectors
from rooftop.kernels.scenery import HorizonUse, Lines, Piece, Points, Scratch, Stacks, Stencil, SweepView

NOTHING = np.float32(-1e30)
"""Height of a cell without data: no wall, and nobody looks out of it."""

UNASKED = np.float32(1e30)
"""Eye height of a cell whose horizon is not asked for; its slope too, so that nothing is above it."""

NEAR = 64
"""Rows of x ahead of a cell that are exact."""

GAPS = 96
"""Gaps between the lines that are swept together; neighbouring strips share a line."""

BLOCK = 32
"""Cells of y of which the lowest eye is known."""

STEP = 32
"""Cells of y that the loops treat at least: vectorised, they have no remainder."""

EVENTS = 8
"""Events that are tried together; stencils hold multiples of it."""

STEPS = 2048
"""Intervals of a table over u = s / (1 + s), s the tangent of the horizon: 0.03-0.06 degrees each."""

_LINES = GAPS + 1
_UNASKED_BITS = np.int32(UNASKED.view(np.int32))
_REFRESH = 16  # steps after which the bounds of the stacks are computed anew

_FAR = np.float32(1e9)
_RIGHT_ANGLE = np.float32(0.5 * math.pi)
_DEGREES = np.float32(180.0 / math.pi)

# Indices of the inner loops are unsigned: numba then needs no test for negative ones, and the loops become vectors.
U = np.uint64
_0, _1, _2, _3, _4, _5, _6, _7 = U(0), U(1), U(2), U(3), U(4), U(5), U(6), U(7)


@jit_no_nan
def sweep(cells: SweepView, stencil: Stencil, lines: Lines, reading: HorizonUse, begin: int, end: int, out: F4) -> None:
    """Sweep strips `begin` to `end` of lines, each of :data:`GAPS` + 1.

    Stacks of neighbouring lines lie side by side (``[depth, cell]``, repeated for the cells that a line serves), so
    that all cells of a strip try one depth at a time, and only a depth that holds something above the lowest sight
    line. What lies above the top of a stack are points that were popped from it: real, only no longer the steepest. Of
    two rows of x one point is pushed: the one that is higher on a sight line that rises by `sight`.

    Parameters
    ----------
    cells, stencil, lines, reading
    begin, end : int
    out : (n * n_value,) float32
        Sums to which each asked cell's values are added; or (n,), the angles [degrees].
    """
    wide_vectors()
    nx, ny, pad, spacing = cells.nx, cells.ny, cells.pad, lines.spacing
    width, lanes = cells.height.shape[1], _LINES * spacing
    walls, eyes = cells.height.ravel(), cells.eye.ravel()
    slopes, pieces = np.empty(lanes + 2 * STEP, np.float32), np.empty((lanes // STEP + 2, 2), np.uint64)
    low, floor = np.empty(nx, np.float32), np.empty(nx, np.float32)
    points = Points(np.empty(_LINES, np.float32), np.empty(_LINES, np.float32))
    stacks, scratch = _empty_stacks(nx, lanes), _scratch(lanes, spacing)
    for strip in range(begin, end):
        y_strip = spacing * (lines.first + strip * GAPS)
        stop = _lowest_eyes(cells, lines, y_strip, low, floor)
        used = touched = _0  # depths in use, depths ever used
        stacks.size[:] = _0
        for x in range(nx + NEAR - (nx + NEAR - lines.odd) % 2, stop + NEAR - 1, -2):
            if x < nx:
                # lines up to `spacing` cells beside the raster take part
                y = y_strip + lines.row_1[x]
                first = max(0, -(y // spacing) - 1)
                n = max(min(_LINES, (ny - 1 - y) // spacing + 2) - first, 0)
                if n > 0:
                    _meet(walls, width, lines, x, pad + y_strip + first * spacing, U(n), points)
                    on = U(first), U(first + n), U(spacing)
                    used, touched = _push(on, floor[x - NEAR], points, lines.shift, stacks, used, touched)
                if x % _REFRESH < 2:
                    used = _refresh(stacks, U(lanes))
            for x_eye in range(min(x - NEAR, nx - 1), max(x - NEAR - 2, -1), -1):
                if low[x_eye] >= UNASKED:
                    continue
                y = y_strip + lines.row[x_eye]
                lane = max(0, -y)
                position = pad + y + lane
                n_piece = _pieces(cells, x_eye, position, min(GAPS * spacing, ny - y) - lane, pieces)
                if n_piece == 0:
                    continue
                base = U(x_eye * width + position)
                from_lane, to_lane = pieces[0, 0], pieces[n_piece - 1, 1]
                for k in range(from_lane, to_lane):
                    slopes[k] = UNASKED
                for piece in range(n_piece):
                    _near(walls, eyes, slopes, (base, pieces[piece, 0], pieces[piece, 1]), lines.linear, stencil)
                if used > _0:
                    foot = lines.eye_x[x_eye]
                    up_foot, share = foot - lines.shift[spacing], lines.share[x_eye]
                    strip_cells = Piece(base, from_lane, to_lane, U(lane), U(spacing), low[x_eye], foot, up_foot, share)
                    _far(eyes, slopes, strip_cells, stacks, used, scratch)
                cell = reading.start + reading.along_x * x_eye + reading.along_y * (y + lane)
                for piece in range(n_piece):
                    part = base, pieces[piece, 0], pieces[piece, 1]
                    if reading.n_value == 0:
                        _angles(slopes, eyes, part, cell, reading, scratch.lower, out)
                    else:
                        _add(slopes, eyes, part, cell, reading, scratch.lower, out)


@jit_part
def _empty_stacks(nx: int, lanes: int) -> Stacks:
    """Memory for the stacks of a strip's lines."""
    x, z = np.empty((nx + 2) * lanes, np.float32), np.empty((nx + 2) * lanes, np.float32)
    top_z, near_x = np.empty(nx + 2, np.float32), np.empty(nx + 2, np.float32)
    return Stacks(x, z, top_z, near_x, np.empty(_LINES, np.uint64))


@jit_part
def _scratch(lanes: int, spacing: int) -> Scratch:
    """Memory for the slopes of a strip's cells, and how far each lies above its line."""
    shares = np.empty(lanes, np.float32)
    for k in range(lanes):
        shares[k] = np.float32((k % spacing) / spacing)
    lower, upper = np.empty(lanes + 2 * STEP, np.float32), np.empty(lanes + 2 * STEP, np.float32)
    return Scratch(lower, upper, np.empty(1, np.float32), shares)


@jit_part
def _pieces(cells: SweepView, x: int, position: int, n: int, pieces: U8) -> int:
    """List the groups of asked cells among the `n` from `position` on, relative to it; return how many there are."""
    group, last = cells.first[x], cells.first[x + 1]
    while last - group > 4:
        middle = (group + last) // 2
        if cells.spans[middle, 1] <= position:
            group = middle + 1
        else:
            last = middle
    last = cells.first[x + 1]
    n_piece = 0
    while group < last and cells.spans[group, 0] < position + n:
        if cells.spans[group, 1] > position:
            pieces[n_piece, 0] = U(max(cells.spans[group, 0] - position, 0))
            pieces[n_piece, 1] = U(min(cells.spans[group, 1] - position, n))
            n_piece += 1
        group += 1
    return n_piece


@jit_no_nan
def _near(
    z: F4, eyes: F4, slopes: F4, part: tuple[np.uint64, np.uint64, np.uint64], linear: bool, stencil: Stencil
) -> None:
    """Set `slopes` of a piece to the steepest event of the stencil, at least 0; nothing is above an unasked cell's."""
    wide_vectors()
    base, begin, end = part
    length = (end - begin + U(STEP - 1)) // U(STEP) * U(STEP)
    for k in range(begin, begin + length):
        slopes[k] = np.float32(0.0) if eyes[base + k] < UNASKED else UNASKED
    if linear:
        _try_mixed(z, eyes, slopes, base, begin, length, stencil)
    else:
        _try_cells(z, eyes, slopes, base, begin, length, stencil)


@jit_part
def _try_mixed(
    z: F4, eyes: F4, slopes: F4, base: np.uint64, begin: np.uint64, length: np.uint64, stencil: Stencil
) -> None:
    """Try heights mixed from two cells, two events at a time."""
    wide_vectors()
    offset_a, offset_b, weight_b, inverse = stencil
    first = base + begin
    n_event = U(inverse.size)
    e = _0
    while e < n_event:
        i0, a0, b0, wb0 = inverse[e], first + offset_a[e], first + offset_b[e], weight_b[e]
        e += _1
        i1, a1, b1, wb1 = inverse[e], first + offset_a[e], first + offset_b[e], weight_b[e]
        e += _1
        wa0, wa1 = np.float32(1.0) - wb0, np.float32(1.0) - wb1
        for k in range(length):
            h = eyes[first + k]
            s0 = (wa0 * z[a0 + k] + wb0 * z[b0 + k] - h) * i0
            s1 = (wa1 * z[a1 + k] + wb1 * z[b1 + k] - h) * i1
            s0 = s0 if s0 > s1 else s1
            slopes[begin + k] = s0 if s0 > slopes[begin + k] else slopes[begin + k]


@jit_part
def _try_cells(
    z: F4, eyes: F4, slopes: F4, base: np.uint64, begin: np.uint64, length: np.uint64, stencil: Stencil
) -> None:
    """Try heights of single cells, eight events at a time."""
    wide_vectors()
    offset_a, inverse = stencil.offset_a, stencil.inverse
    first = base + begin
    n_event = U(inverse.size)
    e = _0
    while e < n_event:
        i0, a0 = inverse[e], first + offset_a[e]
        i1, a1 = inverse[e + _1], first + offset_a[e + _1]
        i2, a2 = inverse[e + _2], first + offset_a[e + _2]
        i3, a3 = inverse[e + _3], first + offset_a[e + _3]
        i4, a4 = inverse[e + _4], first + offset_a[e + _4]
        i5, a5 = inverse[e + _5], first + offset_a[e + _5]
        i6, a6 = inverse[e + _6], first + offset_a[e + _6]
        i7, a7 = inverse[e + _7], first + offset_a[e + _7]
        e += _7 + _1
        for k in range(length):
            h = eyes[first + k]
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


@jit_part
def _lowest_eyes(cells: SweepView, lines: Lines, y_strip: int, low: F4, floor: F4) -> int:
    """Write how low the eyes of a strip are at least at each x, and up to there; return the first x with any."""
    first, least = cells.nx, UNASKED
    for x in range(cells.nx):
        y = y_strip + lines.row[x]
        begin, end = cells.pad + max(0, y), cells.pad + min(y + GAPS * lines.spacing, cells.ny)
        lowest = UNASKED
        if end > begin:
            for block in range(begin // BLOCK, (end - 1) // BLOCK + 1):
                lowest = min(lowest, cells.lowest[x, block])
        least = min(least, lowest)
        low[x], floor[x] = lowest, least
        if lowest < UNASKED and first == cells.nx:
            first = x
    return first


@jit_part
def _meet(walls: F4, width: int, lines: Lines, x: int, base: int, n: np.uint64, points: Points) -> None:
    """Take, of the points that `n` lines meet in two rows, those that are highest on a usual sight line.

    The first of the lines passes the position `base` as line 0 passes y = 0.
    """
    spacing = U(lines.spacing)
    z, z_x = points
    nx = lines.row.size
    for k in range(n):
        z[k] = NOTHING
        z_x[k] = lines.x_1[x]
    for row in (x + 1, x):
        if row >= nx:
            continue
        first, other = U(row * width + base + lines.row_1[row]), U((row - 1) * width + base + lines.row_2[row])
        w_1, w_2, x_1, x_2 = lines.weight_1[row], lines.weight_2[row], lines.x_1[row], lines.x_2[row]
        if lines.second[row]:
            for k in range(n):
                if lines.linear:
                    high = (np.float32(1.0) - w_2) * walls[other + k * spacing]
                    high += w_2 * walls[other + k * spacing + U(width)]
                else:
                    high = walls[first + k * spacing + _1]
                above = high - z[k] >= lines.sight * (x_2 - z_x[k])
                z_x[k] = x_2 if above else z_x[k]
                z[k] = high if above else z[k]
        for k in range(n):
            high = walls[first + k * spacing]
            if lines.linear:
                high = (np.float32(1.0) - w_1) * high + w_1 * walls[first + k * spacing + _1]
            above = high - z[k] >= lines.sight * (x_1 - z_x[k])
            z_x[k] = x_1 if above else z_x[k]
            z[k] = high if above else z[k]


@jit_part
def _push(
    on: tuple[np.uint64, np.uint64, np.uint64],
    floor: np.float32,
    points: Points,
    shift: F4,
    stacks: Stacks,
    used: np.uint64,
    touched: np.uint64,
) -> tuple[np.uint64, np.uint64]:
    """Push points above `floor` on the stacks of some lines; return the depths in use and touched.

    `on`: the first of the lines, their end, and how many cells each serves.
    """
    begin, end, spacing = on
    point_z, point_x = points
    stack_x, stack_z, top_z, near_x, size = stacks
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
def _refresh(stacks: Stacks, lanes: np.uint64) -> np.uint64:
    """Bound each depth anew, by its highest and its nearest point; return the depths in use."""
    wide_vectors()
    stack_x, stack_z, top_z, near_x, size = stacks
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


@jit_no_nan
def _far(eyes: F4, slopes: F4, piece: Piece, stacks: Stacks, used: np.uint64, scratch: Scratch) -> None:
    """Raise `slopes` to the steepest of the stacks, between those of the lines below and above each cell."""
    wide_vectors()
    base, begin, end, lane, spacing, low, foot, up_foot, share = piece
    stack_x, stack_z, top_z, near_x, _ = stacks
    lower, upper, both, shares = scratch
    lanes = U(_LINES) * spacing
    slope_bits, one = slopes.view(np.int32), both.view(np.int32)
    least_bits = _UNASKED_BITS
    for k in range(begin, end):
        least_bits = min(least_bits, slope_bits[k])
    one[0] = least_bits  # of positive numbers, whose bits are in the same order: integers are compared as vectors
    least = both[0]
    any_above = False
    for d in range(used):
        if top_z[d] - low <= least * (near_x[d] - foot):
            continue
        if not any_above:
            any_above = True
            for k in range(begin, end):
                lower[k] = slopes[k]
                upper[k] = slopes[k]
        a = d * lanes + lane
        b = a + spacing
        if spacing == _1:  # every cell lies on a line
            for k in range(begin, end):
                s = (stack_z[a + k] - eyes[base + k]) / (stack_x[a + k] - foot)
                lower[k] = s if s > lower[k] else lower[k]
            continue
        for k in range(begin, end):
            h = eyes[base + k]
            s = (stack_z[a + k] - h) / (stack_x[a + k] - foot)
            lower[k] = s if s > lower[k] else lower[k]
            s = (stack_z[b + k] - h) / (stack_x[b + k] - up_foot)
            upper[k] = s if s > upper[k] else upper[k]
    if any_above:
        for k in range(begin, end):
            weight = shares[lane + k] + share
            slopes[k] = lower[k] + weight * (upper[k] - lower[k])


@jit_fused
def _angles(
    slopes: F4,
    eyes: F4,
    part: tuple[np.uint64, np.uint64, np.uint64],
    cell: int,
    reading: HorizonUse,
    angle: F4,
    out: F4,
) -> None:
    """Write the angles of a piece [degrees]."""
    wide_vectors()
    base, begin, end = part
    one, per, number = np.float32(1.0), reading.per_length, reading.number
    # arc tangent of a number >= 0: Abramowitz and Stegun (1964), 4.4.49, error below 2e-8 rad
    for k in range(begin, begin + (end - begin + U(STEP - 1)) // U(STEP) * U(STEP)):
        tangent = slopes[k] * per
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
    numbered = number.size > 1
    for k in range(begin, end):
        if eyes[base + k] < UNASKED:
            at = U(cell + np.int64(k) * reading.along_y)
            out[U(number[at]) if numbered else at] = angle[k]


@jit_no_nan
def _add(
    slopes: F4,
    eyes: F4,
    part: tuple[np.uint64, np.uint64, np.uint64],
    cell: int,
    reading: HorizonUse,
    place: F4,
    out: F4,
) -> None:
    """Add to the cells of a piece what their tables hold for their horizons."""
    wide_vectors()
    base, begin, end = part
    one, per, steps, last = np.float32(1.0), reading.per_length, np.float32(STEPS), np.float32(STEPS - 1)
    table, kind, beyond, observer = reading.table, reading.kind, reading.beyond, reading.observer
    n_value = U(reading.n_value)
    numbered, many, far = reading.number.size > 1, kind.size > 1, observer.size > 1
    for k in range(begin, begin + (end - begin + U(STEP - 1)) // U(STEP) * U(STEP)):
        tangent = slopes[k] * per
        place[k] = steps * tangent / (one + tangent)
    for k in range(begin, end):
        if eyes[base + k] < UNASKED:
            at = U(cell + np.int64(k) * reading.along_y)
            if numbered:
                at = U(reading.number[at])
            u = place[k]
            if far:
                tangent = beyond[U(observer[at])]
                further = steps * tangent / (one + tangent)
                u = further if further > u else u
            edge = U(min(u, last))
            share = u - np.float32(edge)
            if many:
                edge += U(kind[at]) * U(STEPS + 1)
            if n_value == _1:
                out[at] += table[edge] + share * (table[edge + _1] - table[edge])
                continue
            below, target = edge * n_value, at * n_value
            for c in range(n_value):
                out[target + c] += table[below + c] + share * (table[below + n_value + c] - table[below + c])
