"""A flat roof beside a block of some height, computed to its single modules."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from rasters import write_monthly
from rooftop.config import Config
from rooftop.job.module_years import TileModules
from rooftop.job.prepare import Prepared, prepare
from rooftop.job.sources import read_sources
from rooftop.job.tile import TileResult, compute_tile

CRS = "EPSG:4549"
X, Y = 500_000.0, 3_830_000.0
ROOF = shapely.box(X, Y, X + 60, Y + 30)


def prepared(
    folder: Path, obstacle_m: float, mounting: str = "rack", *, moving: bool = False, **scene: object
) -> Prepared:
    """Return a flat roof 8 m high with a building of some height along its western half, 6 m to the south.

    Its rows stay where they are, unless `moving`.
    """
    path = folder / f"town_{obstacle_m:g}.gpkg"
    write_monthly(folder / "ghi.tif", 119.0, 35.6, 0.05, (40, 40))
    shapes = [ROOF, shapely.box(X - 10, Y - 26, X + 25, Y - 6)]
    frame = gpd.GeoDataFrame({"id": ["roof", "block"], "height": [8.0, obstacle_m]}, geometry=shapes, crs=CRS)
    frame.assign(use="office").to_file(path)
    fields = {"id": "id", "height_m": "height", "building_use": "use"}
    config = Config.model_validate(
        {
            "name": "suns", "crs": CRS,
            "inputs": {
                "footprints": {"path": path, "fields": fields},
                "irradiance": {"ghi": {"path": folder / "ghi.tif", "unit": "kWh/m2/month", "period": "monthly"}},
            },
            "scene": {"azimuths": 72, "halo_m": 60.0, **scene},
            "system": {"flat": {"mounting": mounting, "tilt_deg": 15 if mounting == "rack" else 10}},
            "outputs": {"modules": True},
        }
    )  # fmt: skip
    sources = read_sources(config)
    ready = prepare(config, sources, np.ones(len(sources.buildings), dtype=bool), None)
    return ready if moving else replace(ready, scene=replace(ready.scene, zones=None))


def tiles_of(ready: Prepared) -> list[TileResult]:
    """Compute all tiles."""
    return [compute_tile(ready.scene, ready.book, tile) for tile in ready.scene.tile_members]


def computed(ready: Prepared) -> tuple[pd.DataFrame, dict[str, TileModules]]:
    """Return the year of every plane, and the modules of each."""
    results = tiles_of(ready)
    count = ready.layout.moved([result.moved for result in results if result.moved is not None]).placed
    years, modules = [], {}
    for result in results:
        assert result.modules is not None
        years.append(result.planes)
        rows = result.planes.index.to_numpy()
        ends = np.cumsum(count[rows])
        for row, begin, end in zip(rows, ends - count[rows], ends, strict=True):
            found = result.modules
            modules[str(ready.scene.planes["plane_id"].iloc[row])] = TileModules(
                left_out=found.left_out[begin:end], poa_kwh_m2=found.poa_kwh_m2[begin:end],
                shading_loss=found.shading_loss[begin:end], ac_kwh_kwp=found.ac_kwh_kwp[begin:end],
            )  # fmt: skip
    return pd.concat(years).sort_index(), modules
