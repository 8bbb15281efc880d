"""First returns of a point cloud on roof planes: what the laser met there, window panes and edges too."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from pyproj import CRS

from rooftop.config import ElevationInput
from rooftop.core.types import F8, I8, Geometries
from rooftop.inputs.las_files import PointFile, open_points, point_files
from rooftop.inputs.lidar import unused_points
from rooftop.inputs.lidar_rules import LidarRules, lidar_rules

_FIRST = 1


@dataclass(frozen=True, kw_only=True)
class FirstReturns:
    """Points, each on one plane.

    Parameters
    ----------
    plane : ndarray, shape (n,)
        Place of the plane among those asked for; ascending.
    x, y, z : ndarray
        Working CRS [m], and elevation [m].
    """

    plane: I8
    x: F8
    y: F8
    z: F8


def first_returns(config: ElevationInput, crs: CRS, role: str, plans: Geometries) -> FirstReturns:
    """Read the first returns within plans.

    Parameters
    ----------
    config : ElevationInput
        Point clouds, as :func:`rooftop.inputs.lidar.grid_points` reads them.
    crs : pyproj.CRS
        The working CRS.
    role : str
        Configuration key.
    plans : ndarray of polygons
        In the working CRS; they do not overlap.

    Raises
    ------
    InputError
        A file cannot be read.
    """
    tree, rules = shapely.STRtree(plans), lidar_rules()
    parts = [
        _within(points, file, tree, rules)
        for file in (open_points(path, config, crs, role) for path in point_files(config, role))
        for points in file.chunks()
    ]
    plane = np.concatenate([np.zeros(0, dtype=np.int64), *(part[0] for part in parts)])
    places = np.concatenate([np.zeros((3, 0)), *(part[1] for part in parts)], axis=1)
    order = np.argsort(plane, kind="stable")
    x, y, z = places[:, order]
    return FirstReturns(plane=plane[order], x=x, y=y, z=z + config.vertical_offset_m)


def _within(points: Any, file: PointFile, tree: shapely.STRtree, rules: LidarRules) -> tuple[I8, F8]:
    """Return plane and place of the first returns of a chunk that lie within plans; noise and the like are none."""
    z = np.asarray(points.z, dtype=np.float64) * file.unit_m
    used = np.asarray(points.return_number) == _FIRST
    for unused in unused_points(points, z, file.legacy, rules).values():
        used &= ~unused
    x, y = file.place(np.asarray(points.x, dtype=np.float64)[used], np.asarray(points.y, dtype=np.float64)[used])
    which, plane = tree.query(shapely.points(x, y), predicate="within")
    return plane.astype(np.int64), np.stack([x[which], y[which], z[used][which]])
