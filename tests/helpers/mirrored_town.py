"""A made-up town, and its mirror image on the other side of the equator under the mirrored sun."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pyproj import Transformer
from shapely.affinity import rotate, translate

import rooftop.job.prepare
from rasters import write_raster
from rooftop.config import Config
from rooftop.job.batch import BatchResult
from rooftop.job.prepare import Prepared
from rooftop.job.sources import Sources
from rooftop.job.tables import build_tables
from rooftop.job.tile import compute_tile
from rooftop.outputs.store import RunTables
from rooftop.solar.sky import SkyYear
from rooftop.weather import clear_sky_bound

LON = 18.6  # off the central meridian: grid north is not north
CLEARNESS = 0.6  # GHI over that of a clean cloudless sky

Shape = tuple[shapely.Geometry, float, str, str | None]


def _shapes() -> dict[str, Shape]:
    """Roofs in metres from the centre, height, use and roof type."""

    def block(x: float, y: float, along: float, across: float, turn: float = 0.0) -> shapely.Polygon:
        return translate(rotate(shapely.box(-along / 2, -across / 2, along / 2, across / 2), turn), x, y)

    wing = shapely.union(block(90, -60, 40, 14), block(77, -44, 14, 40))
    return {
        "level": (block(0, 0, 40, 18), 9.0, "office", "flat_concrete"),
        "turned": (block(60, 10, 36, 20, 17.0), 12.0, "office", "flat_concrete"),
        "steep turn": (block(-60, 5, 44, 16, -38.0), 7.0, "school", "flat_concrete"),
        "wing": (wing, 10.0, "hospital", "flat_concrete"),
        "tower": (block(2, -30, 22, 15, 5.0), 45.0, "residential", "flat_concrete"),
        "shed": (block(-70, -60, 50, 24, 9.0), 8.0, "factory", "steel_sheet"),
        "gable": (block(0, 60, 26, 12), 6.0, "rural_house", "tile_pitched"),
        "turned gable": (block(45, 62, 24, 11, 31.0), 6.0, "rural_house", "tile_pitched"),
        "cross gable": (block(-45, 60, 11, 25, 4.0), 6.0, "rural_house", "tile_pitched"),
    }


@dataclass(frozen=True)
class Town:
    """Where a town was written, and how it may be read."""

    folder: Path
    latitude: float

    def config(self, **flat: Any) -> Config:
        """Return its configuration with the keys of `system.flat`; `layout` is the system's own."""
        layout = flat.pop("layout", "packed")
        fields = {"id": "id", "height_m": "height", "building_use": "use", "roof_type": "roof"}
        ghi = {"path": str(self.folder / "ghi.tif"), "unit": "kWh/m2/month", "period": "monthly"}
        return Config.model_validate(
            {
                "name": "mirror",
                "inputs": {
                    "footprints": {"path": str(self.folder / "town.gpkg"), "fields": fields},
                    "irradiance": {"ghi": ghi},
                },
                "scene": {"azimuths": 36, "halo_m": 120.0},
                "system": {"layout": layout, "flat": flat},
                "outputs": {"lang": "en"},
            }
        )


def monthly_ghi(latitude: float) -> np.ndarray:
    """Return the GHI of each month [kWh/m2], (12,): in the south that of the north, half a year later."""
    north = CLEARNESS * np.asarray(clear_sky_bound(abs(latitude), 0.0))
    return north if latitude >= 0.0 else np.roll(north, 6)


def write_town(folder: Path, latitude: float) -> Town:
    """Write the town at a northern latitude; at a southern one its mirror image, half a year later."""
    folder.mkdir(parents=True, exist_ok=True)
    here = f"+proj=aeqd +lat_0={abs(latitude)} +lon_0={LON} +datum=WGS84"
    to_lonlat = Transformer.from_crs(here, "EPSG:4326", always_xy=True)
    sign = -1.0 if latitude < 0.0 else 1.0

    def placed(shape: shapely.Geometry) -> shapely.Geometry:
        def move(xy: np.ndarray) -> np.ndarray:
            x, y = to_lonlat.transform(xy[:, 0], xy[:, 1])
            return np.column_stack([x, sign * np.asarray(y)])

        return shapely.transform(shape, move)

    rows = [(name, placed(shape), *rest) for name, (shape, *rest) in _shapes().items()]
    table = pd.DataFrame(rows, columns=["id", "geometry", "height", "use", "roof"])
    gpd.GeoDataFrame(table, geometry="geometry", crs="EPSG:4326").to_file(folder / "town.gpkg")
    months = monthly_ghi(latitude).astype("float32")
    cells = np.broadcast_to(months[:, None, None], (12, 8, 8))
    write_raster(folder / "ghi.tif", cells, LON - 1.0, latitude + 1.0, 0.25)
    return Town(folder, latitude)


def computed(config: Config, sources: Sources) -> tuple[Prepared, RunTables]:
    """Return what a run prepares, and its tables."""
    everything = np.ones(len(sources.buildings), dtype=bool)
    prepared = rooftop.job.prepare.prepare(config, sources, everything, None)
    results = {tile: compute_tile(prepared.scene, prepared.book, tile) for tile in prepared.scene.tile_members}
    tables, _ = build_tables(prepared, BatchResult(results, (), 0), None, everything)
    return prepared, tables


def mirrored(sky: SkyYear) -> SkyYear:
    """Return the year of the same suns seen in a mirror: north is south, months stay."""
    east, north, up = sky.direction
    azimuth = (180.0 - sky.azimuth_deg) % 360.0
    return replace(sky, latitude=-sky.latitude, azimuth_deg=azimuth, direction=np.stack([east, -north, up]))
