"""GeoTIFFs for tests, written by one function."""

from __future__ import annotations

from collections.abc import Sequence
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
    crs: Any = "EPSG:4326",
    nodata: float | None = -9.0,
    dtype: Any = "float32",
    transform: rasterio.Affine | None = None,
    units: Sequence[str] | None = None,
    scales: Sequence[float] | None = None,
    offsets: Sequence[float] | None = None,
    descriptions: Sequence[str] | None = None,
    **profile: Any,
) -> Path:
    """Write cells ([band,] row, column), the first row in the north, and return the path.

    `transform` replaces `west`, `north` and `cell`; units, scales, offsets and descriptions are those of the bands.
    """
    bands = np.asarray(cells)
    bands = bands[None] if bands.ndim == 2 else bands
    count, height, width = bands.shape
    profile |= {"driver": "GTiff", "count": count, "height": height, "width": width, "dtype": dtype, "crs": crs}
    place = transform or from_origin(west, north, cell, cell)
    with rasterio.open(path, "w", transform=place, nodata=nodata, **profile) as out:
        out.write(bands.astype(dtype))
        of_bands = {"units": units, "scales": scales, "offsets": offsets, "descriptions": descriptions}
        for name, values in of_bands.items():
            if values is not None:
                setattr(out, name, values)
    return path


def write_monthly(path: Path, west: float, north: float, cell: float, shape: tuple[int, int]) -> Path:
    """Write twelve bands of GHI, about 1 430 kWh/m2 a year, the same everywhere."""
    return write_raster(path, np.broadcast_to(MONTHS_KWH_M2[:, None, None], (12, *shape)), west, north, cell)
