"""A town of a dozen rectangles in degrees, with a raster of irradiance: what strangers' files are made from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import shapely
from pyproj import Transformer

import rooftop
from rasters import write_raster
from rooftop.config import Config

LON, LAT = 119.2, 34.6
METRIC = "EPSG:4549"
X0, Y0 = Transformer.from_crs("EPSG:4326", METRIC, always_xy=True).transform(LON, LAT)
USES = ("office", "factory", "school", "residential")


def rectangle(k: int, x: float = X0, y: float = Y0) -> shapely.Polygon:
    """The k-th of rows of four, 30 m x 20 m, 40 m apart."""
    column, row = k % 4, k // 4
    return shapely.box(x + 70.0 * column, y + 60.0 * row, x + 70.0 * column + 30.0, y + 60.0 * row + 20.0)


def degrees(shapes: Sequence[shapely.Geometry], crs: str = METRIC) -> list[shapely.Geometry]:
    """Bring shapes of a metric CRS to WGS84."""
    to_lonlat = Transformer.from_crs(crs, "EPSG:4326", always_xy=True)
    return list(
        shapely.transform(
            np.array(shapes, dtype=object), lambda p: np.column_stack(to_lonlat.transform(p[:, 0], p[:, 1]))
        )
    )


def buildings(n: int = 12) -> gpd.GeoDataFrame:
    """Rectangles with ids, heights, floors and uses."""
    table = pd.DataFrame(
        {
            "bid": [f"T{k:04d}" for k in range(n)],
            "h": [6.0 + 1.5 * (k % 5) for k in range(n)],
            "use": [USES[k % 4] for k in range(n)],
        }
    )
    return gpd.GeoDataFrame(table, geometry=degrees([rectangle(k) for k in range(n)]), crs="EPSG:4326")


def irradiance(path: Path, lon: float = LON, lat: float = LAT, kwh_m2_day: float = 3.8) -> Path:
    """One band of GHI over a degree around a place."""
    return write_raster(path, np.full((20, 20), kwh_m2_day), lon - 0.5, lat + 0.5, 0.05)


def elevation(path: Path, height_at: Callable[[np.ndarray, np.ndarray], np.ndarray], cell_m: float = 1.0) -> Path:
    """A raster over the town and 60 m around it; `height_at` gets x and y [m] from the town's corner."""
    west, north, n_cols, n_rows = X0 - 60.0, Y0 + 260.0, int(400 / cell_m), int(320 / cell_m)
    x = west + (np.arange(n_cols) + 0.5) * cell_m - X0
    y = north - (np.arange(n_rows) + 0.5) * cell_m - Y0
    return write_raster(path, height_at(*np.meshgrid(x, y)), west, north, cell_m, crs=METRIC, nodata=-9999.0)


def surface(x: np.ndarray, y: np.ndarray, heights: Sequence[float], ground: float = 50.0) -> np.ndarray:
    """The town as a surface model without noise."""
    out = np.full(x.shape, ground)
    for k, height in enumerate(heights):
        x0, y0, x1, y1 = rectangle(k, 0.0, 0.0).bounds
        out[(x > x0) & (x < x1) & (y > y0) & (y < y1)] = ground + height
    return out


def write(table: gpd.GeoDataFrame, path: Path, **options: Any) -> Path:
    """Write a vector file."""
    pyogrio.write_dataframe(table, path, **options)
    return path


def config(folder: Path, footprints: Path, *, fields: dict[str, str] | None = None, **inputs: Any) -> Config:
    """A configuration of the town; rasters of 36 directions, so that a run takes a second."""
    ghi = folder / "ghi.tif"
    if not ghi.exists():
        irradiance(ghi)
    known = {"id": "bid", "height_m": "h", "building_use": "use"} if fields is None else fields
    extra = inputs.pop("footprints", {})
    return Config.model_validate(
        {
            "name": "town",
            "inputs": {
                "footprints": {"path": footprints, "fields": known, **extra},
                "irradiance": {"ghi": {"path": ghi, "unit": "kWh/m2/day"}},
                **inputs,
            },
            "scene": {"azimuths": 36},
            "outputs": {"lang": "en"},
        }
    )


def run(folder: Path, table: gpd.GeoDataFrame, name: str = "b.gpkg", **inputs: Any) -> rooftop.RunResult:
    """Run the whole job on a table of footprints."""
    path = write(table, folder / name)
    return rooftop.run(config(folder, path, **inputs), folder / f"out_{Path(name).stem}")


def codes(result: rooftop.RunResult) -> dict[str, int]:
    """Counts of a run's notices by code."""
    return {notice.code: notice.count for notice in result.record.notices}
