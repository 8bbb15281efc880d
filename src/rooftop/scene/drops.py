"""Where a roof ends inside its footprint: ground, terraces and lower planes that one falls to from a plane."""

from __future__ import annotations

import numpy as np
import shapely

from rooftop.core.grid import Grid
from rooftop.core.types import F4, Geometries
from rooftop.scene.borders import ASTRAY_M, Borders
from rooftop.scene.burn import burn
from rooftop.scene.obstacles import cell_pieces, cells_polygons, noise_about_planes
from rooftop.scene.plane_rules import PlaneRules
from rooftop.scene.segment import Segmentation

_NOWHERE = shapely.Polygon()


def low_cells(segmentation: Segmentation, dsm: F4, grid: Grid, rules: PlaneRules) -> Geometries:
    """Return, for each plane, the cells of its outline from which one would fall to reach what the surface shows there.

    Cells deeper below the plane than ``level_m`` and than the noise of the roof, at the footprint's edge or not, in
    pieces of ``min_area_m2`` or more. Cells of another plane that smoothed outlines gave to this one are looked at by
    how far the two differ: beside a ridge they do not differ by a step.

    Parameters
    ----------
    segmentation : Segmentation
    dsm : ndarray, shape ``grid.shape``
        Elevation [m], NaN where unknown.
    grid : Grid
        Its grid.
    rules : PlaneRules

    Returns
    -------
    ndarray of geometries, shape (n_planes,)
        In plan; empty where nothing lies low.
    """
    planes = segmentation.planes
    out = np.full(len(planes), _NOWHERE, dtype=object)
    if not len(planes):
        return out
    plan = planes.geometry.to_numpy()
    drawn = burn(list(plan), list(range(len(plan))), grid)
    row, col = np.nonzero(drawn >= 0)
    k, own = drawn[row, col].astype(np.int64), segmentation.label[row, col].astype(np.int64)
    slope = planes[["slope_east", "slope_north"]].to_numpy(dtype=float)
    centre = shapely.get_coordinates(shapely.centroid(plan))
    x, y = grid.centres(row, col)
    rise = slope[k, 0] * (x - centre[k, 0]) + slope[k, 1] * (y - centre[k, 1])
    depth = planes["z_m"].to_numpy(dtype=float)[k] + rise - dsm[row, col]
    noise = rules.obstacles.noise_factor.value * noise_about_planes(segmentation)[k]
    apart = np.hypot(*(slope[k] - slope[np.maximum(own, 0)]).T)
    least = np.maximum(rules.zones.level_m.value, noise) + np.where(own == k, 0.0, ASTRAY_M * apart)
    low = np.zeros(grid.shape, dtype=np.int32)
    _, number = np.unique(planes["roof"].to_numpy(dtype=np.int64), return_inverse=True)
    low[row, col] = np.where(depth > least, number[k] + 1, 0)
    piece, _ = cell_pieces(low, grid.cell_size_m, rules.obstacles.min_area_m2.value)
    beneath, n = cell_pieces(np.where(piece > 0, drawn + 1, 0), grid.cell_size_m, 0.0)
    if n:
        of = np.zeros(n + 1, dtype=np.int64)
        of[beneath] = drawn
        shapes = cells_polygons(beneath, grid)
        for plane in np.unique(of[1:]):
            out[plane] = shapely.union_all(shapes[of[1:] == plane])
    return out


def drops_of(borders: Borders, low: Geometries, level_m: float) -> dict[int, shapely.Geometry]:
    """Return where each plane ends above something lower of its own roof, by row of the planes.

    Parameters
    ----------
    borders : Borders
    low : ndarray of geometries, shape (n_planes,)
        From :func:`low_cells`; empty where no surface model tells.
    level_m : float
        A plane this much lower is no drop.

    Returns
    -------
    dict of int to geometry
        In plan: low cells, and the borders to planes that begin lower. Planes without any are left out.
    """
    falls = np.flatnonzero(borders.down_m > level_m + borders.doubt_m)
    falls = falls[np.argsort(borders.plane[falls], kind="stable")]
    rows, first = np.unique(borders.plane[falls], return_index=True)
    lines = np.split(shapely.linestrings(borders.ends[falls]), first[1:])
    out = {int(row): shapely.union_all(of_row) for row, of_row in zip(rows, lines, strict=False)}
    for row in np.flatnonzero(~shapely.is_empty(low)).tolist():
        out[row] = shapely.union(low[row], out[row]) if row in out else low[row]
    return out
