"""Make the bundled example: a synthetic city of three districts. Everything in it is invented.

    python data/demo/generate.py [-o DIR]

writes the data files beside this script (or to DIR). The same seed gives the same content everywhere; the bytes
of the GeoPackages also depend on the versions of GDAL and SQLite.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import rasterio
import shapely
from attributes import describe, spoil
from city import DISTRICTS, RIVER, TOWNS, ZONES, build_city
from pyproj import Transformer
from rasterio.transform import from_origin
from shapely.geometry import LineString, Polygon

SEED = 20260101
EAST_M, NORTH_M = 424_900.0, 3_829_200.0  # EPSG:4549 position of the city's local origin, near 119.2 E 34.6 N
METRIC, DEGREES = "EPSG:4549", "EPSG:4490"
MARGIN_M, DTM_CELL_M = 600.0, 10.0

# Monthly global horizontal irradiation, kWh/m², and mean air temperature, °C: rounded to what is usual on this coast.
GHI_KWH_M2 = [75, 86, 124, 148, 166, 152, 145, 140, 118, 103, 77, 69]
TEMP_AIR_DEGC = [1.0, 3.2, 8.1, 14.3, 19.8, 24.0, 27.2, 26.8, 22.6, 16.8, 9.8, 3.3]


def terrain(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return the ground's height in metres at local coordinates: a plain, a river bed, a wooded hill."""
    plain = 4.0 + 0.0011 * x + 0.7 * np.sin(x / 410.0 + 0.6) * np.cos(y / 360.0)
    hill = 92.0 * np.exp(-(((x - 3400.0) / 185.0) ** 2) - ((y - 240.0) / 165.0) ** 2)
    spur = 34.0 * np.exp(-(((x - 3620.0) / 230.0) ** 2) - ((y - 560.0) / 120.0) ** 2)
    points = shapely.points(x.ravel(), y.ravel())
    distance = shapely.distance(points, LineString([(1170.0, -700.0), *RIVER, (1195.0, 1900.0)])).reshape(x.shape)
    return plain + hill + spur - 3.0 * np.exp(-((distance / 16.0) ** 2))


def to_degrees(shape: Any) -> Any:
    """Move a local shape (rounded to 1 cm) to EPSG:4490, rounded to 1e-8 degrees (1 mm)."""
    transformer = Transformer.from_crs(METRIC, DEGREES, always_xy=True)

    def move(xy: np.ndarray) -> np.ndarray:
        xy = np.round(xy, 2)
        lon, lat = transformer.transform(xy[:, 0] + EAST_M, xy[:, 1] + NORTH_M)
        return np.round(np.column_stack([lon, lat]), 8)

    return shapely.transform(shape, move)


def write_footprints(folder: Path) -> None:
    rows = spoil(describe(build_city(SEED), SEED + 1), SEED + 2)
    frame = gpd.GeoDataFrame(rows, crs=DEGREES)
    for name in ("地上层数", "建成年份"):
        frame[name] = frame[name].astype("Int32")
    frame["已装光伏kW"] = frame["已装光伏kW"].astype("float64")
    frame["geometry"] = frame.geometry.map(to_degrees)
    _write(frame, folder / "footprints.gpkg", "建筑物")


def _units(units: dict[str, tuple[str, list[tuple[float, float]]]], crs: str) -> gpd.GeoDataFrame:
    table = pd.DataFrame({"代码": list(units), "名称": [name for name, _ in units.values()]})
    return gpd.GeoDataFrame(table, geometry=[to_degrees(Polygon(ring)) for _, ring in units.values()], crs=crs)


def write_boundaries(folder: Path) -> None:
    _write(_units(DISTRICTS, DEGREES), folder / "districts.gpkg", "县区")
    _write(_units(TOWNS, DEGREES), folder / "towns.gpkg", "街道镇")
    # GeoJSON is WGS 84 by its standard; on a city's scale the two datums agree to a few decimetres.
    _write(_units(ZONES, "OGC:CRS84"), folder / "zones.geojson", "zones")


def _write(frame: gpd.GeoDataFrame, path: Path, layer: str) -> None:
    path.unlink(missing_ok=True)
    pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": "2026-01-01T00:00:00.000Z"})
    frame.to_file(path, layer=layer, engine="pyogrio")


def _write_raster(path: Path, data: np.ndarray, transform: Any, crs: str, names: list[str], predictor: int) -> None:
    profile = {
        "driver": "GTiff", "count": data.shape[0], "height": data.shape[1], "width": data.shape[2],
        "dtype": "float32", "crs": crs, "transform": transform, "nodata": -9999.0,
        "compress": "deflate", "zlevel": 9, "predictor": predictor,
    }  # fmt: skip
    with rasterio.open(path, "w", **profile) as target:
        target.write(data.astype("float32"))
        for band, name in enumerate(names, start=1):
            target.set_band_description(band, name)


def write_terrain(folder: Path) -> None:
    west, north = EAST_M - MARGIN_M, NORTH_M + 1200.0 + MARGIN_M
    n_col, n_row = int((3600 + 2 * MARGIN_M) / DTM_CELL_M), int((1200 + 2 * MARGIN_M) / DTM_CELL_M)
    x = west - EAST_M + (np.arange(n_col) + 0.5) * DTM_CELL_M
    y = north - NORTH_M - (np.arange(n_row) + 0.5) * DTM_CELL_M
    height = np.round(terrain(*np.meshgrid(x, y)), 1)
    transform = from_origin(west, north, DTM_CELL_M, DTM_CELL_M)
    _write_raster(folder / "dtm.tif", height[np.newaxis], transform, METRIC, ["terrain height (m), synthetic"], 3)


def write_climate(folder: Path) -> None:
    step, west, north = 0.0025, 119.165, 34.63
    n_col, n_row = 40, 22
    lon = west + (np.arange(n_col) + 0.5) * step
    lat = north - (np.arange(n_row) + 0.5) * step
    u, v = np.meshgrid((lon - 119.2) / 0.05, (lat - 34.6) / 0.03)
    months = [f"{m:02d}" for m in range(1, 13)]
    ghi = np.stack([np.round(g * (1 + 0.006 * u - 0.004 * v), 2) for g in GHI_KWH_M2])
    temp = np.stack([np.round(t + 0.15 * u - 0.20 * v, 2) for t in TEMP_AIR_DEGC])
    transform = from_origin(west, north, step, step)
    _write_raster(
        folder / "ghi_monthly.tif", ghi, transform, "EPSG:4326", [f"GHI kWh/m2 month {m}, synthetic" for m in months], 3
    )
    _write_raster(
        folder / "temp_monthly.tif", temp, transform, "EPSG:4326", [f"air degC month {m}, synthetic" for m in months], 3
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-o", "--out", type=Path, default=Path(__file__).resolve().parent)
    folder = parser.parse_args().out
    folder.mkdir(parents=True, exist_ok=True)
    write_footprints(folder)
    write_boundaries(folder)
    write_terrain(folder)
    write_climate(folder)


if __name__ == "__main__":
    main()
