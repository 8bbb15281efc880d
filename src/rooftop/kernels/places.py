"""Modules on the cells of a tile: which cells they stand on, which of them have light everywhere."""

from __future__ import annotations

import math
from typing import NamedTuple

from rooftop.core.types import B1, F8, I4, I8
from rooftop.kernels import jit, jit_inline

_INSIDE = 0.98  # points stay this share of a half side from the middle: the edge itself is no cell's


class Rectangles(NamedTuple):
    """Rectangles in plan, those of a plane alike.

    Parameters
    ----------
    plane : (m,) int64
        Plane of each rectangle.
    middle : (m, 2) float64
    along, up : (n_planes, 2) float64
        Half sides.
    """

    plane: I8
    middle: F8
    along: F8
    up: F8


class Slots(NamedTuple):
    """The cells of a tile and their slots: a cell of a roof has one for each plane that sees it.

    Parameters
    ----------
    number : (n_rows, n_cols) int32
        Number of each cell among those of roofs; -1 elsewhere.
    x_min, y_max, cell : float
        West edge, north edge, cell size.
    roof_cells : (n_planes, 3) int64
        First cell of the plane's roof, how many, and the slot of the first.
    in_plane : (n_slots,) bool
        Slots that belong to their plane.
    """

    number: I4
    x_min: float
    y_max: float
    cell: float
    roof_cells: I8
    in_plane: B1


@jit
def mark_under(rectangles: Rectangles, slots: Slots, under: B1) -> None:
    """Mark in `under`, (n_slots,) bool, the slots of cells whose middle lies in a rectangle."""
    plane, middle, along, up = rectangles
    number, x_min, y_max, cell, roof_cells, in_plane = slots
    for m in range(plane.size):
        p = plane[m]
        ax, ay, ux, uy = along[p, 0], along[p, 1], up[p, 0], up[p, 1]
        det = ax * uy - ay * ux
        if det == 0.0:
            continue
        wide, high = abs(ax) + abs(ux), abs(ay) + abs(uy)
        col0 = max(math.floor((middle[m, 0] - wide - x_min) / cell), 0)
        col1 = min(math.floor((middle[m, 0] + wide - x_min) / cell), number.shape[1] - 1)
        row0 = max(math.floor((y_max - middle[m, 1] - high) / cell), 0)
        row1 = min(math.floor((y_max - middle[m, 1] + high) / cell), number.shape[0] - 1)
        for row in range(row0, row1 + 1):
            dy = y_max - (row + 0.5) * cell - middle[m, 1]
            for col in range(col0, col1 + 1):
                dx = x_min + (col + 0.5) * cell - middle[m, 0]
                if abs(dx * uy - dy * ux) <= abs(det) and abs(ax * dy - ay * dx) <= abs(det):
                    slot = _slot(number[row, col], roof_cells[p], in_plane)
                    if slot >= 0:
                        under[slot] = True


@jit
def all_bright(rectangles: Rectangles, slots: Slots, bright: B1, otherwise: B1, out: B1) -> None:
    """Say of each rectangle whether every cell under it is bright.

    Points of a rectangle are no further apart than a cell. Cells of other planes do not matter; where none is the
    plane's own, the answer is that of the plane.

    Parameters
    ----------
    rectangles : Rectangles
    slots : Slots
    bright : (n_slots,) bool
    otherwise : (n_planes,) bool
    out : (m,) bool
    """
    plane, middle, along, up = rectangles
    number, x_min, y_max, cell, roof_cells, in_plane = slots
    for m in range(plane.size):
        p = plane[m]
        n_along = math.ceil(2.0 * math.hypot(along[p, 0], along[p, 1]) / cell)
        n_up = math.ceil(2.0 * math.hypot(up[p, 0], up[p, 1]) / cell)
        known, dark = False, False
        for i in range(n_along + 1):
            s = _INSIDE * (2.0 * i / max(n_along, 1) - 1.0)
            for j in range(n_up + 1):
                t = _INSIDE * (2.0 * j / max(n_up, 1) - 1.0)
                x = middle[m, 0] + s * along[p, 0] + t * up[p, 0]
                y = middle[m, 1] + s * along[p, 1] + t * up[p, 1]
                row, col = math.floor((y_max - y) / cell), math.floor((x - x_min) / cell)
                if 0 <= row < number.shape[0] and 0 <= col < number.shape[1]:
                    slot = _slot(number[row, col], roof_cells[p], in_plane)
                    if slot >= 0:
                        known = True
                        dark |= not bright[slot]
        out[m] = not dark if known else otherwise[p]


@jit_inline
def _slot(cell: int, roof_cells: I8, in_plane: B1) -> int:
    """Return the slot of a cell for a plane, -1 where it is not the plane's."""
    local = cell - roof_cells[0]
    if cell < 0 or local < 0 or local >= roof_cells[1]:
        return -1
    slot = local + roof_cells[2]
    return slot if in_plane[slot] else -1
