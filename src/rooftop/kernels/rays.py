"""The two halves of the horizon: exact rays through the nearest rows, a convex hull along parallel lines beyond them.

Both work on a canonical view ``[x, y]`` (see :mod:`rooftop.kernels.horizon`): the ray runs towards increasing x and
non-decreasing y, y is contiguous. Neighbouring rays meet neighbouring cells of the same x, so that the inner loops run
along y and become vector instructions. Slopes are in metres of height per unit of x.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from rooftop.kernels import jit_no_nan

F4 = NDArray[np.float32]
I8 = NDArray[np.int64]
B1 = NDArray[np.bool_]

NOTHING = np.float32(-1e30)
"""Height of a cell without data: no wall, and nobody looks out of it."""

UNASKED = np.float32(1e30)
"""Eye height of a cell whose horizon is not asked for."""

GAPS = 32
"""Gaps between the lines that are swept together; neighbouring strips share a line."""

_LINES = GAPS + 1

UNASKED_BITS = int(UNASKED.view(np.int32))
_LOW = np.float32(-1e15)  # below: nothing, or mixed with nothing
_FAR = np.float32(1e9)
_RIGHT_ANGLE = np.float32(0.5 * math.pi)
_DEGREES = np.float32(180.0 / math.pi)


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
    size = np.empty(_LINES, np.int64)
    lower = np.empty(lanes, np.float32)
    upper = np.empty(lanes, np.float32)
    shares = np.empty(lanes, np.float32)
    for k in range(lanes):
        shares[k] = np.float32((k % spacing) / spacing)
    for strip in range(first_asked.size):
        stop = first_asked[strip]
        if stop + near + 1 >= nx:
            continue
        y_strip = spacing * (first_line + strip * GAPS)
        last = nx - 1
        if y_strip + row[last] >= ny:
            low, high = 0, last
            while low < high:
                middle = (low + high + 1) // 2
                if y_strip + row[middle] < ny:
                    low = middle
                else:
                    high = middle - 1
            last = low
        depth = 0
        size[:] = 0
        for x in range(last, stop + near, -1):
            # --- push what each line meets at x; those up to `spacing` cells beside the raster take part
            y = y_strip + row_1[x]
            begin = max(0, -(y // spacing) - 1)
            end = min(_LINES, (ny - 1 - y) // spacing + 2)
            at = x * width + pad + y + begin * spacing
            at_2 = (x - 1) * width + pad + y_strip + row_2[x] + begin * spacing
            one_x = x_1[x]
            two = second[x]
            for line in range(begin, end):
                z = walls[at]
                z_x = one_x
                if linear:
                    z = (np.float32(1.0) - weight_1[x]) * z + weight_1[x] * walls[at + 1]
                    if two:
                        z_2 = (np.float32(1.0) - weight_2[x]) * walls[at_2] + weight_2[x] * walls[at_2 + width]
                        if z_2 >= z:
                            z = z_2
                            z_x = x_2[x]
                elif two:
                    z_2 = walls[at + 1]
                    if z_2 > z:
                        z = z_2
                        z_x = x_2[x]
                at += spacing
                at_2 += spacing
                if z > _LOW:
                    n = size[line]
                    top = (n - 1) * lanes + line * spacing
                    while n > 1:
                        under = top - lanes
                        if (stack_z[under] - z) * (stack_x[top] - z_x) < (stack_z[top] - z) * (stack_x[under] - z_x):
                            break
                        n -= 1
                        top = under
                    if n == 1 and stack_z[top] <= z:
                        n = 0
                        top -= lanes
                    top += lanes
                    if n == depth:
                        for k in range(depth * lanes, (depth + 1) * lanes):
                            stack_x[k] = _FAR
                            stack_z[k] = NOTHING
                        depth += 1
                    for k in range(spacing):
                        stack_x[top + k] = z_x - shift[k]
                        stack_z[top + k] = z
                    size[line] = n + 1
            # --- let the cells look that lie `near + 1` rows of x behind
            x_eye = x - near - 1
            y = y_strip + row[x_eye]
            begin = max(0, -y)
            end = min(GAPS * spacing, ny - y)
            if begin >= end:
                continue
            at = x_eye * width + pad + y
            h = eyes[at + begin : at + end]
            bits = eye_bits[at + begin : at + end]
            lowest_bits = np.int32(0x7FFFFFFF)
            for k in range(bits.size):
                lowest_bits = min(lowest_bits, bits[k])
            if lowest_bits >= UNASKED_BITS:
                continue
            lowest = UNASKED
            for k in range(bits.size):
                if bits[k] == lowest_bits:
                    lowest = h[k]
                    break
            deepest = 0
            for line in range(begin // spacing, (end - 1) // spacing + 2):
                n = size[line]
                while n > deepest and stack_z[(n - 1) * lanes + line * spacing] <= lowest:
                    n -= 1
                deepest = max(deepest, n)
            low_slope = lower[: end - begin]
            up_slope = upper[: end - begin]
            share = shares[begin:end]
            low_slope[:] = 0.0
            up_slope[:] = 0.0
            foot = eye_x[x_eye]
            up_foot = foot - up_shift
            for d in range(deepest):
                a = d * lanes + begin
                b = d * lanes + end
                zs, xs = stack_z[a:b], stack_x[a:b]
                up_zs, up_xs = stack_z[a + spacing : b + spacing], stack_x[a + spacing : b + spacing]
                for k in range(h.size):
                    s = (zs[k] - h[k]) / (xs[k] - foot)
                    low_slope[k] = s if s > low_slope[k] else low_slope[k]
                    s = (up_zs[k] - h[k]) / (up_xs[k] - up_foot)
                    up_slope[k] = s if s > up_slope[k] else up_slope[k]
            out = slopes[at + begin : at + end]
            offset = share_0[x_eye]
            for k in range(h.size):
                w = share[k] + offset
                out[k] = low_slope[k] + w * (up_slope[k] - low_slope[k])


@jit_no_nan
def near_degrees(
    height: F4,
    eye: F4,
    slope: F4,
    blocks: I8,
    linear: bool,
    offset_a: I8,
    offset_b: I8,
    weight_b: F4,
    inverse: F4,
    per_length: float,
    degrees: F4,
) -> None:
    """Raise `slope` to the steepest event of the stencil, then list the angles of the asked cells block by block.

    Parameters
    ----------
    height, eye, slope : (nx + ..., ny + ...) float32
        Heights, eye heights, slopes of the far field.
    blocks : (m, 4) int64
        x, first position in y, length, and the position before which cells belong to this block.
    offset_a, offset_b : (n_event,) int64
        Cells of each event relative to the eye's, in the flattened view.
    weight_b : (n_event,) float32
        Share of the second cell, ignored unless `linear`.
    inverse : (n_event,) float32
        One over the distance of the event [1/x].
    per_length : float
        One over the length of a unit of x along the ray [1/m].
    degrees : (n,) float32
        Result, in the order of the blocks.
    """
    width = height.shape[1]
    heights, eyes, slopes = height.ravel(), eye.ravel(), slope.ravel()
    n_event = inverse.size
    one = np.float32(1.0)
    per = np.float32(per_length)
    angle = np.empty(eye.shape[1], np.float32)
    n = 0
    for block in range(blocks.shape[0]):
        begin = blocks[block, 0] * width + blocks[block, 1]
        end = begin + blocks[block, 2]
        h = eyes[begin:end]
        out = slopes[begin:end]
        e = 0
        if linear:
            while e + 1 < n_event:
                i0, i1 = inverse[e], inverse[e + 1]
                wb0, wb1 = weight_b[e], weight_b[e + 1]
                wa0, wa1 = one - wb0, one - wb1
                a0 = heights[begin + offset_a[e] : end + offset_a[e]]
                b0 = heights[begin + offset_b[e] : end + offset_b[e]]
                a1 = heights[begin + offset_a[e + 1] : end + offset_a[e + 1]]
                b1 = heights[begin + offset_b[e + 1] : end + offset_b[e + 1]]
                for k in range(out.size):
                    eye_z = h[k]
                    s0 = (wa0 * a0[k] + wb0 * b0[k] - eye_z) * i0
                    s1 = (wa1 * a1[k] + wb1 * b1[k] - eye_z) * i1
                    s0 = s0 if s0 > s1 else s1
                    out[k] = s0 if s0 > out[k] else out[k]
                e += 2
            while e < n_event:
                i0, wb0, wa0 = inverse[e], weight_b[e], one - weight_b[e]
                a0 = heights[begin + offset_a[e] : end + offset_a[e]]
                b0 = heights[begin + offset_b[e] : end + offset_b[e]]
                for k in range(out.size):
                    s0 = (wa0 * a0[k] + wb0 * b0[k] - h[k]) * i0
                    out[k] = s0 if s0 > out[k] else out[k]
                e += 1
        else:
            while e + 3 < n_event:
                i0, i1, i2, i3 = inverse[e], inverse[e + 1], inverse[e + 2], inverse[e + 3]
                a0 = heights[begin + offset_a[e] : end + offset_a[e]]
                a1 = heights[begin + offset_a[e + 1] : end + offset_a[e + 1]]
                a2 = heights[begin + offset_a[e + 2] : end + offset_a[e + 2]]
                a3 = heights[begin + offset_a[e + 3] : end + offset_a[e + 3]]
                for k in range(out.size):
                    eye_z = h[k]
                    s0 = (a0[k] - eye_z) * i0
                    s1 = (a1[k] - eye_z) * i1
                    s2 = (a2[k] - eye_z) * i2
                    s3 = (a3[k] - eye_z) * i3
                    s0 = s0 if s0 > s1 else s1
                    s2 = s2 if s2 > s3 else s3
                    s0 = s0 if s0 > s2 else s2
                    out[k] = s0 if s0 > out[k] else out[k]
                e += 4
            while e < n_event:
                i0 = inverse[e]
                a0 = heights[begin + offset_a[e] : end + offset_a[e]]
                for k in range(out.size):
                    s0 = (a0[k] - h[k]) * i0
                    out[k] = s0 if s0 > out[k] else out[k]
                e += 1
        # arc tangent of a number >= 0: Abramowitz and Stegun (1964), 4.4.49, error below 2e-8 rad
        for k in range(out.size):
            tangent = out[k] * per
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
        for k in range(min(blocks[block, 2], blocks[block, 3] - blocks[block, 1])):
            if h[k] < UNASKED:
                degrees[n] = angle[k]
                n += 1
