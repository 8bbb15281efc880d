"""GeoTIFFs for tests, written by one function."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from numpy.typing import ArrayLike
from rasterio.transform import from_origin

MONTHS_KWH_M2 = np.array([85, 95, 122, 140, 158, 150, 150, 143, 120, 105, 85, 78], dtype="float32")


def write_raster(
    path: Path,
    cells: ArrayLike,
    west: float,
    north: float,
    cell: float,
    *,
    crs: str | None = "EPSG:4326",
    nodata: float | None = -9.0,
    dtype: str = "float32",
    tags: Mapping[str, str] | None = None,
    **profile: Any,
) -> Path:
    """Write cells ([band,] row, column), the first row in the north, and return the path."""
    bands = np.asarray(cells)
    bands = bands[None] if bands.ndim == 2 else bands
    count, height, width = bands.shape
    profile |= {"driver": "GTiff", "count": count, "height": height, "width": width, "dtype": dtype, "crs": crs}
    with rasterio.open(path, "w", transform=from_origin(west, north, cell, cell), nodata=nodata, **profile) as out:
        out.write(bands.astype(dtype))
        out.update_tags(**(tags or {}))
    return path
