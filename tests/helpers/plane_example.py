"""Planes and modules on made-up roofs: gables and flat roofs with racks, turned as the roofs are."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from map_example import blank
from rooftop.tables import MODULES, PLANES

METRIC = "EPSG:4549"
LENGTH, WIDTH = 2.278, 1.134


def _frame(shape: shapely.Geometry) -> tuple[np.ndarray, np.ndarray, float, float]:
    """Corner, unit vectors along the longer and the shorter side, and their lengths, of the rectangle around a roof."""
    corners = shapely.get_coordinates(shapely.minimum_rotated_rectangle(shape))
    sides = np.diff(corners[:3], axis=0)
    lengths = np.hypot(*sides.T)
    if lengths[0] < lengths[1]:
        corners, sides, lengths = corners[1:], np.array([sides[1], -sides[0]]), lengths[::-1]
    return corners[0], sides / lengths[:, None], float(lengths[0]), float(lengths[1])


def _boxes(corner: np.ndarray, axes: np.ndarray, boxes: list[tuple[float, float, float, float]]) -> np.ndarray:
    local = np.array([[(x0, y0), (x1, y0), (x1, y1), (x0, y1)] for x0, y0, x1, y1 in boxes])
    return shapely.polygons(corner + local @ axes)


def example_planes(roofs: gpd.GeoDataFrame) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame]:
    """Every third roof a gable in two halves (lod2), the next flat with an east-west rack (dsm), the next flat."""
    planes, shapes, modules, corners = [], [], [], []
    metric = roofs.geometry.to_crs(METRIC)
    for k, (building, footprint) in enumerate(zip(roofs["building_id"], metric, strict=True)):
        corner, axes, length, depth = _frame(footprint)
        away = float(np.degrees(np.arctan2(-axes[1, 0], -axes[1, 1])))  # the first half falls away from the other
        if k % 3 == 0:
            rows = [(f"{building}-1", 25.0, away, "flush"), (f"{building}-2", 25.0, away + 180.0, "flush")]
            halves = [(0.0, 0.0, length, depth / 2), (0.0, depth / 2, length, depth)]
            plans = [shapely.intersection(half, footprint) for half in _boxes(corner, axes, halves)]
        elif k % 3 == 1:
            rows = [(f"{building}-1e", 0.0, 0.0, "east_west"), (f"{building}-1w", 0.0, 0.0, "east_west")]
            plans = [footprint, footprint]
        else:
            rows, plans = [(f"{building}-1", 0.0, 0.0, "rack")], [footprint]
        for number, ((plane_id, tilt, azimuth, mounting), plan) in enumerate(zip(rows, plans, strict=True)):
            looks = {"flush": (tilt, azimuth), "rack": (15.0, 180.0), "east_west": (10.0, 90.0 + 180.0 * number)}
            size = (LENGTH, WIDTH * np.cos(np.radians(tilt)))
            grid = [
                (x, y, x + size[0], y + size[1])
                for y in np.arange(1.0 + number * size[1] * (k % 3 == 1), depth - 1.0, size[1] * (2 if k % 3 else 1.02))
                for x in np.arange(1.0, length - 1.0, LENGTH + 0.02)
            ]
            found = _boxes(corner, axes, grid) if grid else np.zeros(0, dtype=object)
            inside = found[shapely.within(found, plan)] if len(found) else found
            counted = np.arange(len(inside)) % 7 != 3
            planes.append(
                {
                    "plane_id": plane_id, "building_id": building, "plane_tilt_deg": tilt,
                    "plane_azimuth_deg": azimuth % 360.0, "surface_tilt_deg": looks[mounting][0],
                    "surface_azimuth_deg": looks[mounting][1] % 360.0, "mounting": mounting,
                    "area_m2": plan.area / np.cos(np.radians(tilt)) / (2 if mounting == "east_west" else 1),
                    "roof_source": ("lod2", "dsm", "assumed")[k % 3], "module_count": int(counted.sum()),
                }
            )  # fmt: skip
            shapes.append(plan)
            modules.append(
                pd.DataFrame({"plane_id": plane_id, "module": range(1, len(inside) + 1), "counted": counted})
            )
            corners.append(inside)
    frame = blank(PLANES, len(planes)).assign(**pd.DataFrame(planes))
    placed = pd.concat(modules, ignore_index=True)
    placed = blank(MODULES, len(placed)).assign(**placed)
    return (
        gpd.GeoDataFrame(frame, geometry=shapes, crs=METRIC).to_crs("OGC:CRS84"),
        gpd.GeoDataFrame(placed, geometry=np.concatenate(corners), crs=METRIC).to_crs("OGC:CRS84"),
    )
