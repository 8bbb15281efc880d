"""What stands on the planes of a roof model, as a surface model shows it."""

from __future__ import annotations

import geopandas as gpd
import numpy as np

from rooftop.core.grid import Grid
from rooftop.core.types import F4, F8, I8, Geometries
from rooftop.scene.burn import burn
from rooftop.scene.obstacles import TO_SIGMA, find_obstacles
from rooftop.scene.plane_rules import load_plane_rules
from rooftop.scene.relief import Relief
from rooftop.scene.segment import Segmentation

PlaneObstacles = dict[int, tuple[Geometries, F8]]


def obstacles_on(planes: gpd.GeoDataFrame, dsm: F4, grid: Grid, convergence_deg: F8) -> tuple[PlaneObstacles, I8]:
    """Return the obstacles on known planes of the roofs in one window, and the roofs that the surface model belies.

    The heights of the two models may differ by a constant for each roof (another vertical datum, no terrain model):
    the median difference is taken out. Where too few cells of a roof then lie on their planes, model and surface do
    not show the same roof, and nothing is said about its obstacles.

    Parameters
    ----------
    planes : GeoDataFrame
        Of :mod:`rooftop.scene.planes`.
    dsm : ndarray, shape ``grid.shape``
        Elevation [m], NaN where unknown.
    grid : Grid
    convergence_deg : (n_roofs,)
        True azimuth of grid north at each building.

    Returns
    -------
    standing : dict
        By roof: polygons in plan and heights above the plane [m]; empty ones where nothing stands.
    mismatched : (k,) int64
        Roofs whose cells do not lie on their planes, or are mostly unknown.
    """
    rules = load_plane_rules()
    limit = rules.obstacles.min_height_m.value
    relief = Relief.from_planes(planes, convergence_deg, limit)
    label = burn(list(relief.geometry), list(range(len(planes))), grid)
    row, col = np.nonzero(label >= 0)
    plane = label[row, col].astype(np.int64)
    off = dsm[row, col] - relief.elevation_m(plane, *grid.centres(row, col))
    roofs, owner = np.unique(relief.roof, return_inverse=True)
    of = owner[plane]
    noise, mismatched = np.zeros(len(planes)), np.ones(len(roofs), dtype=bool)
    for k in range(len(roofs)):
        cells = np.flatnonzero(of == k)
        known = cells[np.isfinite(off[cells])]
        if not len(known) or len(known) < rules.segmentation.seen_from_share.value * len(cells):
            continue
        off[cells] -= np.median(off[known])
        mismatched[k] = float(np.mean(np.abs(off[known]) <= limit)) < rules.obstacles.agree_from_share.value
    for k in np.unique(plane):
        deviation = off[plane == k]
        deviation = deviation[np.isfinite(deviation)]
        spread = float(np.median(np.abs(deviation - np.median(deviation)))) * TO_SIGMA if len(deviation) else 0.0
        noise[k] = max(spread, rules.segmentation.min_noise_m.value)
    good = ~mismatched[of]
    seen = np.full(grid.shape, -1, dtype=np.int32)
    seen[row[good], col[good]] = plane[good]
    residual = np.full(grid.shape, np.nan, dtype=np.float32)
    residual[row, col] = off
    table = gpd.GeoDataFrame({"roof": relief.roof, "noise_m": noise}, geometry=relief.geometry)
    none = np.zeros(0, dtype=np.int64)
    segmentation = Segmentation(table, seen, residual, np.abs(residual) <= limit, none, none)
    return by_roof(find_obstacles(segmentation, grid, rules.obstacles), roofs[~mismatched]), roofs[mismatched]


def by_roof(standing: gpd.GeoDataFrame, roofs: I8) -> PlaneObstacles:
    """Return obstacles from :func:`rooftop.scene.obstacles.find_obstacles` by roof, empty where nothing stands."""
    shapes, heights = standing.geometry.to_numpy(), standing["height_m"].to_numpy(dtype=float)
    groups = standing.groupby("roof", sort=True).indices
    none = np.empty(0, dtype=object), np.zeros(0)
    return {int(k): (shapes[groups[k]], heights[groups[k]]) if k in groups else none for k in roofs}
