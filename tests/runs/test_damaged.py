"""Damage that only a whole run meets: a city model with one bad house, a raster that ends where a tile needs it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import rasterio

import rooftop
from fuzz_seeds import configuration, make_town
from rooftop.config import Config
from rooftop.core.errors import InputError


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Path:
    names = ("town.gpkg", "ghi.tif", "city.json", "dtm.tif", "dsm.tif")
    return make_town(tmp_path_factory.mktemp("town"), names)


def settings(kind: str, town: Path, **files: Path) -> Config:
    """Return the configuration of a kind with absolute paths, some of them replaced."""

    def absolute(node: Any) -> Any:
        if isinstance(node, dict):
            return {k: str(files.get(Path(v).stem, town / v)) if k == "path" else absolute(v) for k, v in node.items()}
        return node

    return Config.model_validate(absolute(configuration(kind)))


def test_one_bad_house_of_a_city_model_is_assumed_and_named(town: Path, tmp_path: Path) -> None:
    model = json.loads((town / "city.json").read_text())
    bad = model["CityObjects"]["b00"]["geometry"][0]
    bad["semantics"]["values"] = bad["semantics"]["values"][:3]
    steep = model["CityObjects"]["b02"]["geometry"][0]  # a face that crosses itself, upright, nearly 6 m²
    first = len(model["vertices"])
    corners = np.array(model["vertices"][steep["boundaries"][0][0][0]])
    model["vertices"] += [(corners + 1000 * np.array(d)).tolist() for d in ((0, 0, 0), (2, 2, 3), (2, 0, 0), (0, 2, 3))]
    steep["boundaries"].append([[first, first + 1, first + 2, first + 3]])
    steep["semantics"]["values"].append(0)
    path = tmp_path / "model.json"
    path.write_text(json.dumps(model))
    result = rooftop.run(settings("cityjson", town, city=path), tmp_path / "out", workers=1)
    source = (
        pd.read_parquet(tmp_path / "out" / "planes.parquet").drop_duplicates("building_id").set_index("building_id")
    )
    modelled = source.index[source["roof_source"] == "lod2"]
    assert sorted(modelled) == ["b01", "b02", "b03", "b04", "b05"]
    notice = next(n for n in result.record.notices if n.code == "roof_model_damaged")
    assert notice.count == 1 and "b00" in notice.text.en
    assert len(result.tables.roofs) == 12


def test_a_raster_that_ends_where_a_tile_needs_it_stops_the_run_with_its_name(town: Path, tmp_path: Path) -> None:
    path = tmp_path / "surface.tif"
    with rasterio.open(town / "dsm.tif") as whole:
        cells, profile = whole.read(), whole.profile
    noise = np.random.default_rng(0).normal(0.0, 0.01, cells.shape).astype("float32")
    with rasterio.open(path, "w", **profile) as out:
        out.write(cells + noise)
    path.write_bytes(path.read_bytes()[:-9_000])
    with pytest.raises(InputError, match=r"surface\.tif"):
        rooftop.run(settings("dsm", town, dsm=path), tmp_path / "out", workers=2)
