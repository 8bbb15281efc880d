"""Modules must lie on their plane: first returns that lie off it show roof windows, edges and small dormers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely

from rooftop.core.types import B1, F8, I8
from rooftop.scene.relief import Relief


@dataclass(frozen=True, kw_only=True)
class ReturnsOnPlane:
    """What a laser met on a plane.

    Parameters
    ----------
    xy : ndarray, shape (n, 2)
        In plan.
    off : ndarray of bool, shape (n,)
        Higher or lower than the plane by more than what racks pass over.
    """

    xy: F8
    off: B1

    def on_plane(self, corners: F8, most_off: float) -> B1:
        """Return which modules, (m, 4, 2), have no more than a share `most_off` of their returns off the plane."""
        points = shapely.points(self.xy)
        module, point = shapely.STRtree(points).query(shapely.polygons(corners), predicate="contains")
        n = np.bincount(module, minlength=len(corners))
        n_off = np.bincount(module, self.off[point], len(corners))
        return np.asarray(n_off <= most_off * n, dtype=bool)

    def around_off(self, radius_m: float) -> shapely.Geometry:
        """Return what lies within a distance of the returns that are off the plane."""
        return shapely.union_all(shapely.buffer(shapely.points(self.xy[self.off]), radius_m, quad_segs=2))


def returns_on_planes(relief: Relief, plane: I8, places: tuple[F8, F8, F8], off_m: float) -> dict[int, ReturnsOnPlane]:
    """Hold returns against the planes on which they lie.

    Parameters
    ----------
    relief : Relief
    plane : ndarray, shape (n,)
        Row of the relief of each return, ascending.
    places : tuple of ndarray
        x, y and elevation of each [m]; the median of a plane's may be off as a whole.
    off_m : float
        Returns further from their plane are off it.

    Returns
    -------
    dict of int to ReturnsOnPlane
        By row of the relief.
    """
    x, y, z = places
    away = z - relief.elevation_m(plane, x, y)
    if not len(plane):
        return {}
    rows, first = np.unique(plane, return_index=True)
    out = {}
    for row, some in zip(rows.tolist(), np.split(np.arange(len(plane)), first[1:]), strict=True):
        own = away[some] - np.median(away[some])
        out[row] = ReturnsOnPlane(xy=np.stack([x[some], y[some]], axis=1), off=np.abs(own) > off_m)
    return out
