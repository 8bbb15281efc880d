"""What a sweep works on: a turned raster, the events of the near field, the lines of the far field, the results."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from rooftop.core.types import B1, F4, I4, I8, U2, U8


class SweepView(NamedTuple):
    """A canonical view.

    Parameters
    ----------
    height, eye : (nx + ..., ny + ...) float32
        Heights and eye heights; cell y is at position ``pad + y``.
    lowest : (nx + ..., n_block) float32
        Lowest eye of every :data:`rooftop.kernels.rays.BLOCK` positions.
    spans : (m, 2) int32
        First position and end of groups of asked cells, more than :data:`rooftop.kernels.rays.STEP` apart.
    first : (nx + 1,) int64
        First group of each x.
    nx, ny, pad : int
    """

    height: F4
    eye: F4
    lowest: F4
    spans: I4
    first: I8
    nx: int
    ny: int
    pad: int


class Stencil(NamedTuple):
    """Events of the near field, by distance, a multiple of :data:`rooftop.kernels.rays.EVENTS`: the last is repeated.

    Parameters
    ----------
    offset_a, offset_b : (n,) uint64
        SweepView of each event relative to the eye's, in the flattened view.
    weight_b : (n,) float32
        Share of the second cell, ignored for prisms.
    inverse : (n,) float32
        One over the distance of the event [1/x].
    """

    offset_a: U8
    offset_b: U8
    weight_b: F4
    inverse: F4


class Lines(NamedTuple):
    """The lines of the far field: `spacing` cells apart in y, each serving as many cells, those closest to it.

    Parameters
    ----------
    linear : bool
        Surface.
    spacing : int
    first : int
        Number of the first line; line m passes through ``y = spacing * m`` at x = 0.
    odd : int
        0 or 1: x of the nearer row of each pair, modulo 2.
    sight : float32
        Rise of a usual sight line [m per x].
    row : (nx,) int64
        First y that line 0 serves at x.
    eye_x : (nx,) float32
        Foot of the first served cell on its line [x].
    shift : (spacing + 1,) float32
        Foot of each served cell, relative to that of the first [x]; the last is the first's of the next line.
    share : (nx,) float32
        How far the first served cell is from line 0 towards line 1.
    row_1, x_1, weight_1 : (nx,)
        First point of line 0 at x: between cells (x, y) and (x, y + 1), position on the line.
    second, row_2, x_2, weight_2 : (nx,)
        Second point: for prisms cell (x, y + 1), for linear surfaces between cells (x - 1, y) and (x, y).
    """

    linear: bool
    spacing: int
    first: int
    odd: int
    sight: np.float32
    row: I8
    eye_x: F4
    shift: F4
    share: F4
    row_1: I8
    x_1: F4
    weight_1: F4
    second: B1
    row_2: I8
    x_2: F4
    weight_2: F4


class HorizonUse(NamedTuple):
    """What becomes of the horizons.

    Parameters
    ----------
    per_length : float32
        One over the length of a unit of x along the ray [1/m].
    start, along_x, along_y : int
        Where the cell (0, 0) of the view is in the flattened raster, and how far its neighbours are.
    number : (n_row * n_col,) int32
        Place of each cell of the raster in the results; of a single value, that of the raster itself.
    n_value : int
        Values per cell; 0 for the angle itself.
    table : (n_kind * (STEPS + 1) * n_value,) float32
        Values at equal steps of u.
    kind : (n,) uint16
        Table of each place; of a single value, the first is every cell's.
    beyond : (m,) float32
        Tangents of horizons beyond the raster.
    observer : (n,) int32
        Which of them each place sees; of a single value, there is nothing beyond.
    """

    per_length: np.float32
    start: int
    along_x: int
    along_y: int
    number: I4
    n_value: int
    table: F4
    kind: U2
    beyond: F4
    observer: I4


class Stacks(NamedTuple):
    """What lines have met, by depth, side by side; each point as every cell sees it that its line serves.

    Parameters
    ----------
    x, z : (n_depth * lanes,) float32
    top_z, near_x : (n_depth,) float32
        Highest and nearest point of each depth, or beyond.
    size : (n_line,) uint64
        Points on each stack.
    """

    x: F4
    z: F4
    top_z: F4
    near_x: F4
    size: U8


class Points(NamedTuple):
    """Points that lines meet in two rows."""

    z: F4
    x: F4


class Piece(NamedTuple):
    """Cells of a strip that ask its lines: from `begin` to `end` of those at `base`, whose first is on `lane`.

    Parameters
    ----------
    base, begin, end, lane, spacing : uint64
    low : float32
        Lowest eye.
    foot, up_foot : float32
        Foot of the first cell on its line, and on the next.
    share : float32
        How far the first cell is from its line towards the next.
    """

    base: np.uint64
    begin: np.uint64
    end: np.uint64
    lane: np.uint64
    spacing: np.uint64
    low: np.float32
    foot: np.float32
    up_foot: np.float32
    share: np.float32


class Scratch(NamedTuple):
    """Memory of a row of a strip: slopes on the lines below and above, one value, shares of the line above."""

    lower: F4
    upper: F4
    both: F4
    shares: F4
