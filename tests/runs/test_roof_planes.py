"""Known roof planes in a run: cells on their plane, no plane shades itself, sources and plans in the tables."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from itertools import pairwise
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from pyproj import Transformer

import rooftop
from city_models import Model, flat, gable
from rasters import write_monthly
from rooftop.config import Config
from rooftop.job.prepare import Prepared, prepare
from rooftop.job.sources import read_sources
from rooftop.job.tile import TileResult, compute_tile
from rooftop.outputs.store import read_tables

CRS = "EPSG:4549"
X, Y = 520_000.0, 3_830_000.0
SLOPE = float(np.hypot(5.0, 3.0))


Boxes = Sequence[tuple[float, float, float, float]]


def _project(folder: Path, boxes: Boxes, heights: Sequence[float], model: Model) -> Config:
    """Footprints (x, y, length, width from the origin), their heights, GHI around them, and a roof model."""
    shapes = [shapely.box(X + x, Y + y, X + x + a, Y + y + b) for x, y, a, b in boxes]
    ids = [f"f{k}" for k in range(len(shapes))]
    uses = ["rural_house", "office", "rural_house", "office"][: len(shapes)]
    frame = gpd.GeoDataFrame({"id": ids, "height": heights, "use": uses}, geometry=shapes, crs=CRS)
    frame.to_file(folder / "houses.gpkg", driver="GPKG")
    lon, lat = Transformer.from_crs(CRS, 4326, always_xy=True).transform(X, Y)
    write_monthly(folder / "ghi.tif", lon - 1.0, lat + 1.0, 0.5, (4, 4))
    return Config.model_validate(
        {
            "name": "houses",
            "crs": CRS,
            "inputs": {
                "footprints": {
                    "path": folder / "houses.gpkg",
                    "fields": {"id": "id", "height_m": "height", "building_use": "use"},
                },
                "irradiance": {"ghi": {"path": folder / "ghi.tif", "unit": "kWh/m2/month", "period": "monthly"}},
                "roofs": {"path": model.write(folder / "city.json.gz")},
            },
            "scene": {"cell_size_m": 0.5, "halo_m": 60.0, "azimuths": 36},
            "outputs": {"lang": "en"},
        }
    )


def _computed(config: Config) -> tuple[Prepared, pd.DataFrame, list[TileResult]]:
    return _once(config.model_dump_json())


@cache
def _once(text: str) -> tuple[Prepared, pd.DataFrame, list[TileResult]]:
    config = Config.model_validate_json(text)
    sources = read_sources(config)
    prepared = prepare(config, sources, np.ones(len(sources.buildings), dtype=bool), None)
    tiles = [compute_tile(prepared.scene, prepared.book, tile) for tile in prepared.scene.tile_members]
    year = pd.concat([tile.planes for tile in tiles]).sort_index()
    return prepared, prepared.layout.planes.join(year), tiles


def _changed(config: Config, **scene: object) -> Config:
    return config.model_copy(update={"scene": config.scene.model_copy(update=scene)})


@pytest.fixture(scope="module")
def lone(tmp_path_factory: pytest.TempPathFactory) -> Config:
    model = Model(origin=(X, Y, 0.0))
    model.add("house", gable(X, Y, ground=400.0))
    return _project(tmp_path_factory.mktemp("lone"), [(0, 0, 20, 10)], [7.5], model)


@pytest.fixture(scope="module")
def street(tmp_path_factory: pytest.TempPathFactory) -> Config:
    """A gable, a flat office 20 m high south of its east half, a house without a model, a flat modelled roof."""
    model = Model(origin=(X, Y, 0.0))
    model.add("house", gable(X, Y))
    model.add("low", flat(X + 60, Y, length=30, width=20, top=8.0))
    boxes = [(0, 0, 20, 10), (10, -18, 14, 12), (0, 30, 20, 10), (60, 0, 30, 20)]
    return _project(tmp_path_factory.mktemp("street"), boxes, [7.5, 20.0, 6.0, 8.0], model)


@pytest.mark.parametrize("surface", ["prism", "linear"])
@pytest.mark.parametrize("cell", [0.5, 1.0])
def test_a_lone_gable_does_not_shade_itself(lone: Config, surface: str, cell: float) -> None:
    _, planes, _ = _computed(_changed(lone, surface=surface, cell_size_m=cell))
    assert planes["n_cells"].tolist() == [100 / cell**2] * 2
    assert planes["ok_share"].tolist() == [1.0, 1.0]
    assert planes["shading_loss"].abs().max() < 5e-4  # the next tabulated tilt is up to 2.5° off the plane's own
    assert planes["svf"].to_numpy() == pytest.approx((1.0 + 5.0 / SLOPE) / 2.0, abs=2e-3)


def test_cells_lie_on_their_plane(street: Config) -> None:
    prepared, _, _ = _computed(street)
    relief = prepared.scene.relief
    assert relief is not None
    x, y = np.array([X + 3.0, X + 3.0, X + 70.0]), np.array([Y + 1.0, Y + 9.0, Y + 5.0])
    of = np.array([np.argmax(shapely.contains_xy(relief.geometry, a, b)) for a, b in zip(x, y, strict=True)])
    assert relief.elevation_m(of, x, y) == pytest.approx([6.6, 6.6, 8.0], abs=1e-3)
    assert relief.eaves_m == pytest.approx([6.0, np.nan, np.nan, 8.0], abs=1e-3, nan_ok=True)
    assert relief.ridge_m() == pytest.approx([9.0, np.nan, np.nan, 8.0], abs=1e-3, nan_ok=True)


def test_obstacles_still_shade_a_pitched_plane(street: Config) -> None:
    loss = {}
    for surface in ("prism", "linear"):
        _, planes, _ = _computed(_changed(street, surface=surface))
        south = planes[(planes["roof"] == 0) & (np.abs(planes["surface_azimuth_deg"] - 180.0) < 5.0)]
        loss[surface] = float(south["shading_loss"].iloc[0])
        north = planes[(planes["roof"] == 0) & (np.abs(planes["surface_azimuth_deg"] - 180.0) > 175.0)]
        assert float(north["shading_loss"].iloc[0]) < loss[surface]
    assert 0.08 < loss["prism"] < 0.4
    assert loss["linear"] == pytest.approx(loss["prism"], abs=0.03)


def test_steps_of_prisms_by_hand(lone: Config) -> None:
    prepared, _, _ = _computed(lone)
    relief = prepared.scene.relief
    assert relief is not None
    south = int(np.argmax(relief.slope_north))
    steps = relief.steps_deg(np.array([south]), 8, float(prepared.scene.convergence_deg[0]) * 0.0)
    # straight uphill the next column begins half a cell away and is 0.6 cells higher
    assert steps[0, 0] == pytest.approx(np.degrees(np.arctan(1.2)), abs=0.05)
    assert steps[0, 4] == 0.0
    assert steps[0, 1] == pytest.approx(np.degrees(np.arctan(0.6 / np.hypot(0.5, 0.5))), abs=0.05)


def test_the_run_says_where_planes_come_from(street: Config, tmp_path: Path) -> None:
    result = rooftop.run(street, tmp_path / "out")
    roofs, planes = result.tables.roofs, result.tables.planes
    assert roofs["roof_source"].tolist() == ["lod2", "assumed", "assumed", "lod2"]
    assert isinstance(planes, gpd.GeoDataFrame)
    assert planes.crs.to_string() == "OGC:CRS84"
    assert planes.groupby("building_id")["roof_source"].first().tolist() == roofs["roof_source"].tolist()
    house = planes[planes["building_id"] == "f0"]
    assert sorted(house["area_m2"]) == pytest.approx([20.0 * SLOPE] * 2, rel=1e-4)
    assert roofs["gross_area_m2"].tolist() == pytest.approx(
        [40.0 * SLOPE, 168.0, 200.0 / np.cos(np.radians(25.0)), 600.0], rel=1e-4
    )
    assert roofs["surface_tilt_deg"].iloc[0] == pytest.approx(np.degrees(np.arctan(0.6)), abs=0.01)
    turned = prepare(street, read_sources(street), np.ones(4, dtype=bool), None).scene.convergence_deg[0]
    assert abs(turned) > 0.1
    assert roofs["surface_azimuth_deg"].iloc[0] == pytest.approx(180.0 + turned, abs=0.01)
    metric = planes.to_crs(CRS)
    assert metric.area.to_numpy() == pytest.approx(
        (planes["area_m2"] * np.cos(np.radians(planes["plane_tilt_deg"]))).to_numpy(dtype=float), rel=1e-4
    )
    chain = ["module_area_m2", "array_area_m2", "used_area_m2", "installable_area_m2", "net_area_m2", "gross_area_m2"]
    for small, large in pairwise(chain):
        assert (roofs[small] <= roofs[large] + 1e-9).all()
    assert "roof_sources" in [n.code for n in result.record.notices]
    again = read_tables(tmp_path / "out")
    assert isinstance(again.planes, gpd.GeoDataFrame)
    assert again.planes["plane_id"].tolist() == planes["plane_id"].tolist()
    assert json_roles(result) >= {"inputs.roofs"}


def json_roles(result: rooftop.RunResult) -> set[str]:
    return {item.role for item in result.record.provenance}


def test_a_changed_roof_model_is_computed_afresh(lone: Config, tmp_path: Path) -> None:
    from rooftop.job.batch import fingerprint

    prepared, _, _ = _computed(lone)
    key = fingerprint(prepared.scene, prepared.book)
    model = Model(origin=(X, Y, 0.0))
    model.add("house", gable(X, Y, rise=3.2))
    other, _, _ = _computed(_project(tmp_path, [(0, 0, 20, 10)], [7.5], model))
    assert fingerprint(other.scene, other.book) != key


def test_a_known_shape_overrules_an_assumed_type(street: Config) -> None:
    prepared, planes, _ = _computed(street)
    assert prepared.types.name.tolist() == ["tile_pitched", "flat_concrete", "tile_pitched", "flat_concrete"]
    assert planes.loc[planes["roof"] == 3, "mounting"].tolist() == ["rack"]
    assert planes.loc[planes["roof"] == 0, "mounting"].tolist() == ["flush", "flush"]
    assumed, _, _ = _computed(_changed(street, roof_planes="assumed"))
    assert assumed.scene.relief is None
    assert set(assumed.layout.planes["roof_source"]) == {"assumed"}
