"""A block of 5 × 5 turned buildings on the border of two zones, in two districts and an empty one."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import shapely
from pyproj import Transformer

from rasters import write_monthly
from rooftop.config import Config

LON, LAT = 118.5, 34.6  # the border between the zones of 117°E and 120°E


def raster(path: Path) -> Path:
    """Twelve bands of GHI, about 1 400 kWh/m2 a year."""
    return write_monthly(path, LON - 1.0, LAT + 1.0, 0.05, (40, 40))


def town(path: Path, *, n: int = 5, lon: float = LON, lat: float = LAT, turned_deg: float = 8.0) -> gpd.GeoDataFrame:
    """A block of n × n buildings of different heights, turned a little."""
    to_lonlat = Transformer.from_crs("EPSG:4548", "EPSG:4326", always_xy=True)
    x0, y0 = Transformer.from_crs("EPSG:4326", "EPSG:4548", always_xy=True).transform(lon, lat)
    rng = np.random.default_rng(5)
    rows = []
    for i in range(n):
        for j in range(n):
            shape = shapely.box(60 * i, 45 * j, 60 * i + 40, 45 * j + 22)
            shape = shapely.affinity.rotate(shape, turned_deg, origin=(0, 0))
            shape = shapely.affinity.translate(shape, x0, y0)
            use = ["factory", "office", "rural_house", "school"][(i + j) % 4]
            rows.append((f"b{i}{j}", float(rng.uniform(5, 30)), use, 2015 + (i + 2 * j) % 10, shape))
    table = gpd.GeoDataFrame(rows, columns=["id", "height", "use", "year", "geometry"], crs="EPSG:4548")
    lonlat = shapely.transform(
        table.geometry.to_numpy(), lambda p: np.column_stack(to_lonlat.transform(p[:, 0], p[:, 1]))
    )
    table = gpd.GeoDataFrame(table.drop(columns="geometry"), geometry=lonlat, crs="EPSG:4326")
    table.to_file(path, driver="GPKG")
    return table


def halves(path: Path, table: gpd.GeoDataFrame) -> None:
    """Two districts side by side over the town, and a third one where nothing stands."""
    west, south, east, north = table.total_bounds
    middle, pad = (west + east) / 2, 0.001
    shapes = [
        shapely.box(west - pad, south - pad, middle, north + pad),
        shapely.box(middle, south - pad, east + pad, north + pad),
        shapely.box(east + pad, south - pad, east + 2 * pad, north + pad),
    ]
    frame = gpd.GeoDataFrame({"code": ["1", "2", "3"], "name": ["西区", "东区", "空区"]}, geometry=shapes, crs=4326)
    frame.to_file(path, driver="GPKG")


def write_project(folder: Path) -> Path:
    """Write all files that `settings` names."""
    halves(folder / "districts.gpkg", town(folder / "town.gpkg"))
    raster(folder / "ghi.tif")
    return folder


def settings(folder: Path, **changes: object) -> Config:
    """A configuration of the town; keys of the first level may be replaced."""
    values = {
        "name": "town",
        "inputs": {
            "footprints": {
                "path": folder / "town.gpkg",
                "fields": {"id": "id", "height_m": "height", "building_use": "use", "year_built": "year"},
            },
            "districts": {"path": folder / "districts.gpkg", "id_field": "code", "name_field": "name"},
            "irradiance": {"ghi": {"path": folder / "ghi.tif", "unit": "kWh/m2/month", "period": "monthly"}},
        },
        "scene": {"azimuths": 36, "halo_m": 150.0},
        "policy": "lianyungang",
        "outputs": {"lang": "en", "rasters": ["poa_annual", "poa_monthly", "svf"]},
    }
    return Config.model_validate({**values, **changes})
