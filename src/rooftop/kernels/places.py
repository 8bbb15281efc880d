"""Modules on the cells of a tile: which cell each point of a module lies on, and how high it stands above it."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from rooftop.core.types import B1, F4, F8, I4, I8
from rooftop.kernels import jit, jit_inline


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
    row, col : (n_cells,) int64
        Places of the cells.
    x_min, y_max, cell : float
        West edge, north edge, cell size.
    roof_cells : (n_planes, 3) int64
        First cell of the plane's roof, how many, and the slot of the first.
    in_plane : (n_slots,) bool
        Slots that belong to their plane.
    """

    number: I4
    row: I8
    col: I8
    x_min: float
    y_max: float
    cell: float
    roof_cells: I8
    in_plane: B1


class PointLattice(NamedTuple):
    """Points of rectangles: the middles of equal parts, so many along those of each plane, and up them; as many in all.

    Parameters
    ----------
    along, up : (n_planes,) int64
    """

    along: I8
    up: I8


@jit
def cells_under(rectangles: Rectangles, slots: Slots, points: PointLattice, out: I4) -> None:
    """Find the cell of each point of each rectangle.

    A point on no cell of its plane takes that of the rectangle's nearest point that has one; a rectangle without any
    takes the plane's cell nearest to its middle.

    Parameters
    ----------
    rectangles : Rectangles
    slots : Slots
    points : PointLattice
    out : (m, up * along) int32
        Numbers of cells, upwards and then along; -1 where the plane has no cell.
    """
    plane, middle, along, up = rectangles
    number, x_min, y_max, cell = slots.number, slots.x_min, slots.y_max, slots.cell
    for m in range(plane.size):
        p = plane[m]
        n_along, n_up = points.along[p], points.up[p]
        missing = 0
        for j in range(n_up):
            t = (2.0 * j + 1.0) / n_up - 1.0
            for i in range(n_along):
                s = (2.0 * i + 1.0) / n_along - 1.0
                x = middle[m, 0] + s * along[p, 0] + t * up[p, 0]
                y = middle[m, 1] + s * along[p, 1] + t * up[p, 1]
                row, col = math.floor((y_max - y) / cell), math.floor((x - x_min) / cell)
                found = -1
                if 0 <= row < number.shape[0] and 0 <= col < number.shape[1]:
                    found = _own_cell(number[row, col], slots.roof_cells[p], slots.in_plane)
                out[m, j * n_along + i] = found
                missing += found < 0
        if missing == n_up * n_along:
            out[m] = _nearest_cell(middle[m], slots, p)
        elif missing > 0:
            _fill_missing(out[m], n_along, n_up)


@jit_inline
def _own_cell(cell: int, roof_cells: I8, in_plane: B1) -> int:
    """Return the number of a cell where it is the plane's, else -1."""
    local = cell - roof_cells[0]
    if cell < 0 or local < 0 or local >= roof_cells[1]:
        return -1
    return cell if in_plane[local + roof_cells[2]] else -1


@jit_inline
def _nearest_cell(middle: F8, slots: Slots, p: int) -> int:
    """Return the cell of a plane that is nearest to a place; -1 without any."""
    best, least = -1, np.inf
    first, count, slot = slots.roof_cells[p]
    for k in range(count):
        if slots.in_plane[slot + k]:
            dx = slots.x_min + (slots.col[first + k] + 0.5) * slots.cell - middle[0]
            dy = slots.y_max - (slots.row[first + k] + 0.5) * slots.cell - middle[1]
            if dx * dx + dy * dy < least:
                best, least = first + k, dx * dx + dy * dy
    return best


@jit_inline
def _fill_missing(cells: I4, n_along: int, n_up: int) -> None:
    """Give points without a cell that of the nearest point that has one; of equals, the first."""
    known = cells.copy()
    for a in range(cells.size):
        if known[a] >= 0:
            continue
        least = np.inf
        for b in range(cells.size):
            if known[b] >= 0:
                side, rise = a % n_along - b % n_along, a // n_along - b // n_along
                away = (side / n_along) ** 2 + (rise / n_up) ** 2
                if away < least:
                    cells[a], least = known[b], away


@jit
def add_heights(plane: I8, lower_m: F8, rise_m: F8, cells: I4, points: PointLattice, total: F8, count: F4) -> None:
    """Add up, by cell, how high points of modules stand above the roof.

    Parameters
    ----------
    plane : (m,) int64
    lower_m, rise_m : (n_planes,) float64
        Height of the modules' lower edge, and from there to the upper edge.
    cells : (m, up * along) int32
        From :func:`cells_under`.
    points : PointLattice
    total, count : (n_cells,)
        Sums of heights, and how many.
    """
    for m in range(plane.size):
        p = plane[m]
        for k in range(cells.shape[1]):
            if cells[m, k] >= 0:
                share = (k // points.along[p] + 0.5) / points.up[p]
                total[cells[m, k]] += lower_m[p] + share * rise_m[p]
                count[cells[m, k]] += 1.0
