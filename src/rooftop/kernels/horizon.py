"""Horizon of many cells at once: exact near-field stencil, and beyond it a convex-hull sweep along parallel lines.

All work is done in a *canonical view* of the raster: flipped and transposed so that the viewing direction runs towards
increasing columns (the contiguous axis) and non-decreasing rows, ``row = t * column`` with 0 <= t <= 1. A raster turned by
90 degrees or mirrored gives the same canonical view, so that symmetry holds to the last bit.

Per azimuth, the events of a ray (the columns of the elevation model that it enters, or the grid lines that it crosses)
repeat on all parallel lines that are a whole number of rows apart; they are computed once (:class:`Pattern`).
Distances are in columns until the last step, where they are multiplied by ``cell_size * sqrt(1 + t**2)``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rooftop.kernels import jit

F4 = NDArray[np.float32]
F8 = NDArray[np.float64]
I8 = NDArray[np.int64]

NEAR_COLUMNS = 16
"""Columns ahead of a cell that the exact stencil covers; the hull begins behind them."""

NOTHING = np.float32(-1e30)
"""Height of a cell without data: no wall, and nobody looks out of it."""

UNASKED = np.float32(1e30)
"""Eye height of a cell whose horizon is not asked for."""

_EDGE = 1e-9  # a ray that touches a cell for less than this share of a column does not enter it


@dataclass(frozen=True)
class Pattern:
    """What a ray from the centre of cell (0, 0) meets, sorted by distance; columns and rows relative to that cell.

    Parameters
    ----------
    distance : (m,) float64
        Distance along the column axis at which the ray meets the event [columns].
    column : (m,) int64
        The event is within the stencil when its column is at most :data:`NEAR_COLUMNS`, otherwise within the hull.
    row_a, column_a, row_b, column_b : (m,) int64
        The two cells whose heights are mixed; equal for ``prism``.
    weight_b : (m,) float64
        Share of the second cell.
    """

    distance: F8
    column: I8
    row_a: I8
    column_a: I8
    row_b: I8
    column_b: I8
    weight_b: F8


def prism_pattern(t: float, n_columns: int) -> Pattern:
    """Entries of the ray ``row = t * column`` into the cells of columns 1 to `n_columns` (cells are vertical prisms)."""
    column = np.arange(1, n_columns + 1, dtype=np.int64)
    row_near = np.floor(t * (column - 0.5) + 0.5 + _EDGE).astype(np.int64)
    row_far = np.ceil(t * (column + 0.5) + 0.5 - _EDGE).astype(np.int64) - 1
    side = row_far > row_near
    side_column = column[side]
    side_row = row_far[side]
    side_distance = (side_row - 0.5) / t if t > 0.0 else np.empty(0)
    distance = np.concatenate([column - 0.5, side_distance])
    order = np.argsort(distance, kind="stable")
    columns = np.concatenate([column, side_column])[order]
    rows = np.concatenate([row_near, side_row])[order]
    return Pattern(distance[order], columns, rows, columns, rows, columns, np.zeros(distance.size))


def linear_pattern(t: float, n_columns: int) -> Pattern:
    """Crossings of the ray ``row = t * column`` with the grid lines through cell centres, up to column `n_columns`."""
    column = np.arange(1, n_columns + 1, dtype=np.int64)
    row = t * column
    row_a = np.floor(row + _EDGE).astype(np.int64)
    weight = np.clip(row - row_a, 0.0, 1.0)
    weight[weight < _EDGE] = 0.0
    row_b = row_a + (weight > 0.0)
    if t > 0.0:
        cross_row = np.arange(1, math.floor(t * n_columns + _EDGE) + 1, dtype=np.int64)
        cross = cross_row / t
        inside = np.abs(cross - np.round(cross)) > _EDGE  # on a grid point the first set has it
        cross, cross_row = cross[inside], cross_row[inside]
    else:
        cross, cross_row = np.empty(0), np.empty(0, dtype=np.int64)
    cross_column = np.floor(cross).astype(np.int64)
    distance = np.concatenate([column.astype(np.float64), cross])
    order = np.argsort(distance, kind="stable")
    return Pattern(
        distance[order],
        np.concatenate([column, cross_column + 1])[order],
        np.concatenate([row_a, cross_row])[order],
        np.concatenate([column, cross_column])[order],
        np.concatenate([row_b, cross_row])[order],
        np.concatenate([column, cross_column + 1])[order],
        np.concatenate([weight, cross - cross_column])[order],
    )


@dataclass(frozen=True)
class Direction:
    """A viewing direction as an octant and a slope.

    Parameters
    ----------
    octant : (bool, bool, bool)
        Transpose, reverse rows, reverse columns (in this order) to get the canonical view.
    t : float
        Rows per column in the canonical view, 0 to 1.
    """

    octant: tuple[bool, bool, bool]
    t: float


def direction(azimuth_deg: float) -> Direction:
    """Return octant and slope of a grid azimuth [degrees clockwise from the top of the raster]."""
    azimuth = azimuth_deg % 360.0
    quadrant = int(azimuth // 90.0) % 4
    rest = azimuth - 90.0 * quadrant
    if rest < _EDGE:
        rest = 0.0
    steep = rest <= 45.0  # closer to the axis at which the quadrant begins
    t = 1.0 if abs(rest - 45.0) < _EDGE else math.tan(math.radians(rest if steep else 90.0 - rest))
    northward = quadrant in (0, 3)
    eastward = quadrant in (0, 1)
    along_rows = steep == (quadrant in (0, 2))
    if along_rows:
        return Direction((True, not eastward, northward), t)
    return Direction((False, northward, not eastward), t)


@dataclass(frozen=True)
class View:
    """Canonical view of an elevation model and of the cells that are asked for, padded with nothing.

    Parameters
    ----------
    height : (ny + p + 1, nx + p) float32
        Heights [m] relative to an arbitrary level; one empty row before, p empty rows and columns behind.
    wall : same shape, float32
        As `height`, but :data:`NOTHING` where the cell cannot be the highest thing in any direction of the octant.
    eye : same shape, float32
        Eye heights [m], :data:`UNASKED` elsewhere.
    cell : (n,) int64
        Position of each asked cell in the flattened view.
    runs : (m, 2) int64
        Begin and end of each run of asked cells in the flattened view.
    ny, nx : int
        Size without padding.
    """

    height: F4
    wall: F4
    eye: F4
    cell: I8
    runs: I8
    ny: int
    nx: int


def canonical_view(height: F4, eye: F4, rows: I8, cols: I8, octant: tuple[bool, bool, bool], *, prism: bool) -> View:
    """Build the view of one octant.

    Parameters
    ----------
    height, eye : (ny, nx) float32
        Heights with :data:`NOTHING` where there are no data, eye heights with :data:`UNASKED` where nothing is asked.
    rows, cols : (n,) int64
        Asked cells.
    octant : (bool, bool, bool)
        See :class:`Direction`.
    prism : bool
        Whether cells are prisms (walls may then be thinned out).
    """
    transpose, flip_rows, flip_cols = octant
    if transpose:
        height, eye, rows, cols = height.T, eye.T, cols, rows
    ny, nx = height.shape
    pad = NEAR_COLUMNS + 2
    step_row, step_col = (-1 if flip_rows else 1), (-1 if flip_cols else 1)
    rows = ny - 1 - rows if flip_rows else rows
    cols = nx - 1 - cols if flip_cols else cols
    shape = (ny + pad + 1, nx + pad)
    padded_height = np.full(shape, NOTHING, dtype=np.float32)
    padded_height[1 : ny + 1, :nx] = height[::step_row, ::step_col]
    padded_eye = np.full(shape, UNASKED, dtype=np.float32)
    padded_eye[1 : ny + 1, :nx] = eye[::step_row, ::step_col]
    wall = padded_height
    if prism:
        wall = np.empty_like(padded_height)
        _thin_walls(padded_height, padded_eye, wall)
    cell = (rows + 1) * shape[1] + cols
    asked = np.unique(cell)
    breaks = np.flatnonzero(np.diff(asked) != 1)
    begin = np.concatenate([asked[:1], asked[breaks + 1]])
    end = np.concatenate([asked[breaks], asked[-1:]]) + 1
    return View(padded_height, wall, padded_eye, cell, np.column_stack([begin, end]), ny, nx)


@jit
def _thin_walls(height: F4, eye: F4, wall: F4) -> None:
    """Drop cells hidden by their neighbours towards the eye, or not above any eye behind them."""
    ny, nx = height.shape
    lowest = np.full(nx, UNASKED, dtype=np.float32)  # lowest eye in the quadrant behind
    wall[0, :] = NOTHING
    for i in range(1, ny):
        low = UNASKED
        wall[i, 0] = NOTHING  # nobody is behind the first column
        lowest[0] = min(lowest[0], eye[i, 0])
        low = lowest[0]
        for j in range(1, nx):
            z = height[i, j]
            low = min(low, eye[i, j])
            low = min(low, lowest[j])
            lowest[j] = low
            hidden = height[i, j - 1] >= z and height[i - 1, j] >= z and height[i - 1, j - 1] >= z
            wall[i, j] = NOTHING if hidden or z <= low else z


@jit
def _first_asked(cell: I8, stride: int, row_of_column: I8, first: I8, offset: int) -> None:
    """Lower ``first[line]`` to the first asked column of each line."""
    for k in range(cell.size):
        row = cell[k] // stride
        col = cell[k] - row * stride
        line = row - row_of_column[col] + offset
        if col < first[line]:
            first[line] = col


@jit
def _push(s_stack: F8, z_stack: F8, n: int, s: float, z: float) -> int:
    """Add a point nearer to the eye than all before, keep the upper hull; return its new size."""
    while n > 1:
        d1 = s_stack[n - 1] - s
        d2 = s_stack[n - 2] - s
        if (z_stack[n - 2] - z) * d1 < (z_stack[n - 1] - z) * d2:
            break
        n -= 1
    s_stack[n] = s
    z_stack[n] = z
    return n + 1


@jit
def _sweep(
    wall: F4,
    eye: F4,
    far: F4,
    first: I8,
    line_offset: int,
    row_of_column: I8,
    ny: int,
    nx: int,
    near: int,
    linear: bool,
    distance: F8,
    column: I8,
    offset_a: I8,
    offset_b: I8,
    weight_b: F8,
    row_a: I8,
    inv_length: float,
) -> None:
    """Write to `far` the slope of the highest thing more than `near` columns ahead, 0 when it is below the eye.

    One line after the other, from its far end towards the eye. The hull holds, from the sentinel at infinity to the
    top, points that come nearer and get lower; slopes from an eye to them rise, then fall.
    """
    stride = wall.shape[1]
    flat_wall = wall.ravel()
    flat_eye = eye.ravel()
    flat_far = far.ravel()
    n_events = distance.size
    s_stack = np.empty(n_events + 2)
    z_stack = np.empty(n_events + 2)
    s_stack[0] = 1e30
    z_stack[0] = -1.0
    for k in range(first.size):
        stop = first[k]
        if stop >= nx:
            continue
        line = k - line_offset  # row (in the padded view) of this line at column 0
        base = line * stride
        # the last event within the padded rows, the last column within the rows
        e = n_events - 1
        if line + row_a[e] > ny:
            low, high = 0, e
            while low < high:
                middle = (low + high + 1) // 2
                if line + row_a[middle] <= ny:
                    low = middle
                else:
                    high = middle - 1
            e = low
        last = min(column[e], nx - 1)
        while last > 0 and line + row_of_column[last] > ny:
            last -= 1
        n = 1
        for j in range(last, stop - 1, -1):
            while e >= 0 and column[e] > j + near:
                a = base + offset_a[e]
                z = flat_wall[a]
                if linear and weight_b[e] > 0.0:
                    other = flat_wall[base + offset_b[e]]
                    if other <= NOTHING * np.float32(0.5):
                        z = NOTHING
                    elif z > NOTHING * np.float32(0.5):
                        z = np.float32(z + weight_b[e] * (other - z))
                if z > NOTHING * np.float32(0.5):
                    n = _push(s_stack, z_stack, n, distance[e], float(z))
                e -= 1
            at = base + row_of_column[j] * stride + j
            height = flat_eye[at]
            if height < UNASKED:
                best = 0.0
                if n > 1 and z_stack[1] > height:
                    p = n - 1
                    best = (z_stack[p] - height) / (s_stack[p] - j)
                    while p > 1:
                        slope = (z_stack[p - 1] - height) / (s_stack[p - 1] - j)
                        if slope < best:
                            break
                        best = slope
                        p -= 1
                    best = max(best, 0.0)
                flat_far[at] = np.float32(best * inv_length)


@jit
def _near(height: F4, eye: F4, slope: F4, runs: I8, offset_a: I8, offset_b: I8, weight_b: F4, inv_distance: F4) -> None:
    """Raise `slope` of the asked cells to the steepest of the stencil's events."""
    flat_height = height.ravel()
    flat_eye = eye.ravel()
    flat_slope = slope.ravel()
    for r in range(runs.shape[0]):
        begin, end = runs[r, 0], runs[r, 1]
        eyes = flat_eye[begin:end]
        out = flat_slope[begin:end]
        for e in range(inv_distance.size):
            inverse = inv_distance[e]
            za = flat_height[begin + offset_a[e] : end + offset_a[e]]
            weight = weight_b[e]
            if weight > 0.0:
                zb = flat_height[begin + offset_b[e] : end + offset_b[e]]
                for i in range(out.size):
                    a, b = za[i], zb[i]
                    mixed = a + weight * (b - a)
                    least = a if a < b else b
                    mixed = mixed if least > NOTHING * np.float32(0.5) else NOTHING
                    s = (mixed - eyes[i]) * inverse
                    out[i] = s if s > out[i] else out[i]
            else:
                for i in range(out.size):
                    s = (za[i] - eyes[i]) * inverse
                    out[i] = s if s > out[i] else out[i]


@jit
def _collect(slope: F4, cell: I8, degrees: F4, k: int) -> None:
    """Write the angle of each asked cell to column `k`."""
    flat = slope.ravel()
    scale = np.float32(180.0 / math.pi)
    for i in range(cell.size):
        degrees[i, k] = math.atan(flat[cell[i]]) * scale


def slopes(view: View, t: float, cell_size_m: float, *, prism: bool) -> F4:
    """Return the tangent of the horizon of the asked cells of a view in direction `t`, on the padded view.

    Parameters
    ----------
    view : View
    t : float
        Rows per column, 0 to 1.
    cell_size_m : float
        Cell size [m].
    prism : bool
        Surface: prisms, or linear between cell centres.

    Returns
    -------
    (ny + p + 1, nx + p) float32
        Valid at ``view.cell``.
    """
    pattern = (prism_pattern if prism else linear_pattern)(t, max(view.nx - 1, NEAR_COLUMNS))
    stride = view.height.shape[1]
    offset_a = pattern.row_a * stride + pattern.column_a
    offset_b = pattern.row_b * stride + pattern.column_b
    length = cell_size_m * math.sqrt(1.0 + t * t)
    row_of_column = np.floor(t * np.arange(view.nx) + 0.5).astype(np.int64)
    offset = int(row_of_column[-1])
    first = np.full(view.ny + 1 + offset, np.iinfo(np.int64).max, dtype=np.int64)
    _first_asked(view.cell, stride, row_of_column, first, offset)
    slope = np.zeros_like(view.height)
    inside = pattern.column < view.nx
    if view.nx > NEAR_COLUMNS + 1:
        _sweep(
            view.wall,
            view.eye,
            slope,
            first,
            offset,
            row_of_column,
            view.ny,
            view.nx,
            NEAR_COLUMNS,
            not prism,
            pattern.distance[inside],
            pattern.column[inside],
            offset_a[inside],
            offset_b[inside],
            pattern.weight_b[inside],
            pattern.row_a[inside],
            1.0 / length,
        )
    close = pattern.column <= NEAR_COLUMNS
    _near(
        view.height,
        view.eye,
        slope,
        view.runs,
        offset_a[close],
        offset_b[close],
        pattern.weight_b[close].astype(np.float32),
        (1.0 / (pattern.distance[close] * length)).astype(np.float32),
    )
    return slope


def horizon_degrees(view: View, t: float, cell_size_m: float, degrees: F4, k: int, *, prism: bool) -> None:
    """Write the horizon [degrees] of the asked cells of a view in direction `t` to column `k` of `degrees`.

    Parameters
    ----------
    view : View
    t : float
        Rows per column in the view, 0 to 1.
    cell_size_m : float
        Cell size [m].
    degrees : (n, n_azimuth) float32
        Result, rows in the order of ``view.cell``.
    k : int
        Column to write.
    prism : bool
        Surface: prisms, or linear between cell centres.
    """
    _collect(slopes(view, t, cell_size_m, prism=prism), view.cell, degrees, k)
