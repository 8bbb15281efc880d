"""Borders between the planes of a roof: how far one falls from each to the next."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import shapely

from rooftop.core.types import F8, I8, Geometries
from rooftop.scene.relief import Relief

_ASIDE_M = 0.1  # how far beyond its border a plane's neighbour is looked for
_AT_ONCE = 4096  # planes whose outlines are held in pieces
_PIECE_M = 0.5  # borders are looked at in pieces no longer than this
ASTRAY_M = 0.5
"""Outlines of planes found in cells may lie this far from where the planes meet [m]."""


@dataclass(frozen=True)
class Borders:
    """Short pieces of the outlines of planes that have another, lower plane of the same roof beyond.

    Parameters
    ----------
    ends : (n, 2, 2) ndarray
        In plan [m].
    plane, beyond : (n,) ndarray of int64
        Whose outline it is, and what lies beyond it: rows of the relief.
    down_m : (n,) ndarray
        Height of the plane above the one beyond, in the middle of the piece [m].
    doubt_m : (n,) ndarray
        Of that, what a border drawn a little beside the line where the two planes meet makes [m].
    length_m : (n,) ndarray
    """

    ends: F8
    plane: I8
    beyond: I8
    down_m: F8
    doubt_m: F8
    length_m: F8


def borders_of(relief: Relief, least_m: float) -> Borders:
    """Return the borders beyond which another plane of the same roof lies more than `least_m` lower."""
    tree = shapely.STRtree(relief.geometry)
    n = len(relief.geometry)
    parts = [_borders(relief, tree, np.arange(k, min(k + _AT_ONCE, n)), least_m) for k in range(0, n, _AT_ONCE)]
    return Borders(*(np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(Borders)))


def _borders(relief: Relief, tree: shapely.STRtree, rows: I8, least_m: float) -> Borders:
    """Return those of some of the planes."""
    ends, of = _outline_pieces(relief.geometry[rows])
    of = rows[of]
    along = ends[:, 1] - ends[:, 0]
    length = np.hypot(*along.T)
    middle = ends.mean(axis=1)
    aside = _ASIDE_M * np.stack([along[:, 1], -along[:, 0]], axis=1) / np.maximum(length, 1e-9)[:, None]
    pairs = [tree.query(shapely.points(middle + turn * aside), predicate="within") for turn in (1.0, -1.0)]
    piece, beyond = np.concatenate(pairs, axis=1)
    other = (beyond != of[piece]) & (relief.roof[beyond] == relief.roof[of[piece]])
    piece, beyond = piece[other], beyond[other]
    plane, (x, y) = of[piece], middle[piece].T
    down = relief.elevation_m(plane, x, y) - relief.elevation_m(beyond, x, y)
    steps = down > least_m
    piece, beyond, plane, down = piece[steps], beyond[steps], plane[steps], down[steps]
    turn = relief.slope_east[plane] - relief.slope_east[beyond], relief.slope_north[plane] - relief.slope_north[beyond]
    return Borders(ends[piece], plane, beyond, down, ASTRAY_M * np.hypot(*turn), length[piece])


def _outline_pieces(plans: Geometries) -> tuple[F8, I8]:
    """Return short pieces of the outlines of planes by their ends, (n, 2, 2), and whose they are."""
    rings, plane = shapely.get_rings(shapely.segmentize(plans, _PIECE_M), return_index=True)
    corner, ring = shapely.get_coordinates(rings, return_index=True)
    same = ring[1:] == ring[:-1]
    return np.stack([corner[:-1][same], corner[1:][same]], axis=1), plane[ring[1:][same]]
