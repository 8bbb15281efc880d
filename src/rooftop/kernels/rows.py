"""Rows of tilted modules in front of others: the horizons that they make, as many and as long as they are."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from rooftop.core.types import F4, F8, I4, I8
from rooftop.kernels import jit, jit_inline
from rooftop.kernels.places import PointLattice, Rectangles

_GRAZING = 0.05  # cosine below which a direction runs along the rows: what stands there looks no higher than a degree
_DEGREES = 180.0 / math.pi
_TOUCHING = 1e-6  # m


class Stretches(NamedTuple):
    """Upper edges of rows: of each plane from the front to the back of where it looks.

    Parameters
    ----------
    first : (n_planes + 1,) int64
        Where each plane begins.
    forward : (n,) float64
        Place of the edge in the direction in which the modules look.
    begin, end : (n,) float64
        Along the row.
    """

    first: I8
    forward: F8
    begin: F8
    end: F8


class CellHorizons(NamedTuple):
    """Horizons that are raised.

    Parameters
    ----------
    degrees : (n_cells, n_column) float32
        Horizons of the cells that the points lie on.
    azimuth : (n_column,) int64
    n_azimuth : int
    grid_north_deg : float
    """

    degrees: F4
    azimuth: I8
    n_azimuth: int
    grid_north_deg: float


@jit
def behind_rows(
    modules: Rectangles, rise_m: F8, cells: I4, points: PointLattice, rows: Stretches, sight: CellHorizons, out: F4
) -> None:
    """Write the horizon of each point of each module: that of its cell, or of the row in front where that is higher.

    Of several rows ahead the nearest one counts that reaches into a direction; their upper edges are level.

    Parameters
    ----------
    modules : Rectangles
        Those of a plane follow each other.
    rise_m : (n_planes,) float64
        From the lower to the upper edge of a module.
    cells : (m, up * along) int32
    points : PointLattice
    rows : Stretches
    sight : CellHorizons
    out : (m * up * along, n_column) float32
        Degrees.
    """
    plane, middle, along, up = modules
    n_point = cells.shape[1]
    n = sight.n_azimuth
    ahead = Ahead(np.zeros(n), np.zeros(n), np.zeros(n), np.zeros(n, np.int64))
    inverse = np.zeros(n)
    facing = np.zeros(4)
    last, n_ahead = -1, 0
    for m in range(plane.size):
        p = plane[m]
        if p != last:
            n_ahead = _look_ahead(along[p], up[p], sight, facing, ahead)
            inverse[:] = 0.0
            last = p
        for k in range(n_point):
            s = (2.0 * (k % points.along[p]) + 1.0) / points.along[p] - 1.0
            share = (k // points.along[p] + 0.5) / points.up[p]
            t = 2.0 * share - 1.0
            x = middle[m, 0] + s * along[p, 0] + t * up[p, 0]
            y = middle[m, 1] + s * along[p, 1] + t * up[p, 1]
            place = x * facing[0] + y * facing[1], x * facing[2] + y * facing[3]
            _find_rows((rows.first[p], rows.first[p + 1]), rows, place, n_ahead, ahead)
            for d in range(n_ahead):
                inverse[ahead.number[d]] = ahead.found[d]
            row = out[m * n_point + k]
            row[:] = sight.degrees[cells[m, k]]
            above = rise_m[p] * (1.0 - share)
            for column in range(row.size):
                tangent = above * inverse[sight.azimuth[column]]
                if tangent > 0.0:
                    row[column] = max(row[column], np.float32(math.atan(tangent) * _DEGREES))


class Ahead(NamedTuple):
    """Directions that lead ahead of a plane's modules.

    Parameters
    ----------
    aside : float64
        How far along the row each leads for a metre forward.
    cosine : float64
        How far forward it leads for a metre.
    found : float64
        One over the distance to the nearest row there, 0 where none is [1/m].
    number : int64
        Which azimuth it is.
    """

    aside: F8
    cosine: F8
    found: F8
    number: I8


@jit_inline
def _look_ahead(along: F8, up: F8, sight: CellHorizons, facing: F8, ahead: Ahead) -> int:
    """Write where a plane's modules look and run, and the directions ahead of them; return how many there are."""
    deep, wide = math.hypot(up[0], up[1]), math.hypot(along[0], along[1])
    facing[0], facing[1] = -up[0] / deep, -up[1] / deep
    facing[2], facing[3] = along[0] / wide, along[1] / wide
    n = 0
    for k in range(sight.n_azimuth):
        azimuth = math.radians(k * 360.0 / sight.n_azimuth - sight.grid_north_deg)
        east, north = math.sin(azimuth), math.cos(azimuth)
        cosine = east * facing[0] + north * facing[1]
        if cosine > _GRAZING:
            ahead.number[n], ahead.cosine[n] = k, cosine
            ahead.aside[n] = (east * facing[2] + north * facing[3]) / cosine
            n += 1
    return n


@jit_inline
def _find_rows(
    of_plane: tuple[int, int], rows: Stretches, place: tuple[float, float], n_ahead: int, ahead: Ahead
) -> None:
    """Find the nearest row in each direction ahead of a place (forward, along)."""
    forward, side = place
    for d in range(n_ahead):
        ahead.found[d] = 0.0
    missing = n_ahead
    for r in range(of_plane[0], of_plane[1]):
        distance = rows.forward[r] - forward
        if distance < _TOUCHING:
            continue
        if missing == 0:
            break
        for d in range(n_ahead):
            at = side + distance * ahead.aside[d]
            if ahead.found[d] == 0.0 and rows.begin[r] <= at <= rows.end[r]:
                ahead.found[d] = ahead.cosine[d] / distance
                missing -= 1
