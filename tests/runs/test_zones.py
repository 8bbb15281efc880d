"""Usable zones through a whole run: shade of a tall neighbour, exclusions in GBK and GCJ-02, existing PV, resume."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import rasterio
import shapely
import yaml
from pyproj import Transformer

import rooftop
from rasters import write_monthly
from rooftop.config import Config
from rooftop.inputs.gcj02 import wgs84_to_gcj02
from rooftop.job.batch import fingerprint, run_tiles
from rooftop.job.light import TableBook
from rooftop.job.module_years import COUNTS, SHADE
from rooftop.job.prepare import Prepared, prepare
from rooftop.job.scene import Scene
from rooftop.job.sources import read_sources
from rooftop.job.tilestore import TileStore

CRS = "EPSG:4549"
X, Y = 500_000.0, 3_830_000.0
LON, LAT = 120.0, 34.6
TO_LONLAT = Transformer.from_crs(CRS, "EPSG:4326", always_xy=True)


def box(x0: float, y0: float, x1: float, y1: float) -> shapely.Polygon:
    return shapely.box(X + x0, Y + y0, X + x1, Y + y1)


LOW = box(0, 0, 60, 40)
SHED = box(200, 0, 240, 20)
OFFICE = box(300, 0, 340, 20)
SHAPES = {
    "low": (LOW, 8.0, "office", np.nan),
    "slab": (box(-60, -25, 120, -5), 35.0, "residential", np.nan),  # in front of `low`, to its south
    "shed": (SHED, 9.0, "office", np.nan),
    "office": (OFFICE, 9.0, "office", np.nan),
    "solar": (box(400, 0, 440, 20), 9.0, "office", 50.0),
}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("zones")
    rows = [(name, *values) for name, (_, *values) in SHAPES.items()]
    table = pd.DataFrame(rows, columns=["id", "height", "use", "pv"])
    gpd.GeoDataFrame(table, geometry=[v[0] for v in SHAPES.values()], crs=CRS).to_file(folder / "town.gpkg")
    write_monthly(folder / "ghi.tif", LON - 1.0, LAT + 1.0, 0.05, (40, 40))
    return folder


def settings(folder: Path, **changes: object) -> dict[str, object]:
    fields = {"id": "id", "height_m": "height", "building_use": "use", "existing_pv_kwp": "pv"}
    values: dict[str, object] = {
        "name": "zones",
        "crs": CRS,
        "inputs": {
            "footprints": {"path": str(folder / "town.gpkg"), "fields": fields},
            "irradiance": {"ghi": {"path": str(folder / "ghi.tif"), "unit": "kWh/m2/month", "period": "monthly"}},
        },
        "scene": {"azimuths": 36, "halo_m": 150.0, "max_shading_loss": 0.30},
        "system": {"flat": {"mounting": "rack", "tilt_deg": 10}},
        "outputs": {"lang": "en", "rasters": ["shading_loss", "poa_annual"], "modules": True},
    }
    return {**values, **changes}


def run(folder: Path, out: str, **changes: object) -> rooftop.RunResult:
    return rooftop.run(Config.model_validate(settings(folder, **changes)), folder / out, workers=1)


def cells(out: Path, name: str) -> tuple[np.ndarray, rasterio.Affine]:
    with rasterio.open(out / "rasters" / f"{name}.tif") as raster:
        return raster.read(1, masked=True).filled(np.nan).astype(float), raster.transform


def mean_under(modules: gpd.GeoDataFrame, values: np.ndarray, transform: rasterio.Affine) -> np.ndarray:
    """Mean of a raster under each module, by area."""
    row, col = np.nonzero(np.isfinite(values))
    x, y = transform.c + col, transform.f - row
    squares = shapely.box(x, y - 1.0, x + 1.0, y)
    which, cell = shapely.STRtree(squares).query(modules.geometry.to_numpy(), predicate="intersects")
    area = shapely.area(shapely.intersection(modules.geometry.to_numpy()[which], squares[cell]))
    found = values[row, col][cell]
    return np.bincount(which, area * found, len(modules)) / np.bincount(which, area, len(modules))


@pytest.fixture(scope="module")
def shaded(project: Path) -> rooftop.RunResult:
    return run(project, "shaded")


def modules_of(result: rooftop.RunResult, building: str) -> gpd.GeoDataFrame:
    modules = gpd.read_parquet(result.out / "modules.parquet").to_crs(CRS)
    return modules[modules["plane_id"].str.startswith(f"{building}-")].reset_index(drop=True)


def test_a_tall_neighbour_takes_the_modules_in_its_shade_and_no_others(shaded: rooftop.RunResult) -> None:
    """Each module by its own year: those along the slab, and what the raster says of the cells under them."""
    loss, transform = cells(shaded.out, "shading_loss")
    modules = modules_of(shaded, "low")
    dark = (modules["left_out"] == "shade").fillna(False).to_numpy(dtype=bool)
    assert 0.4 < dark.mean() < 0.6
    own = modules["shading_loss"].to_numpy(dtype=float)
    assert own[dark].min() > 0.30 >= own[~dark].max()
    # the raster's rows are endless, and its cells a metre wide
    assert np.abs(own - mean_under(modules, loss, transform)).max() < 0.035
    north = shapely.get_y(shapely.centroid(modules.geometry.to_numpy())) - Y
    assert north[dark].max() < north[~dark].min() + 0.01


def test_a_share_for_obstacles_takes_whole_rows_from_the_back(shaded: rooftop.RunResult) -> None:
    """Nobody measured them: a quarter of the modules in the light leaves, row after row, and is named as assumed."""
    for building in ("low", "shed"):
        modules = modules_of(shaded, building)
        assumed = (modules["left_out"] == "assumed_obstacles").fillna(False).to_numpy(dtype=bool)
        counted = modules["counted"].to_numpy(dtype=bool)
        assert counted.sum() == int(0.75 * (counted | assumed).sum()) > 0
        assert modules["left_out"].isna().tolist() == counted.tolist()
        north = np.round(shapely.get_y(shapely.centroid(modules.geometry.to_numpy())) - Y, 2)
        split = [
            row for row in np.unique(north) if (assumed & (north == row)).any() and (counted & (north == row)).any()
        ]
        assert len(split) <= 1
        assert north[assumed].min() >= north[counted].max() - 0.01
        roof = shaded.tables.roofs.set_index("building_id").loc[building]
        assert roof["module_count"] == counted.sum()
    chain = ["module_area_m2", "array_area_m2", "used_area_m2", "installable_area_m2", "net_area_m2", "gross_area_m2"]
    assert (shaded.tables.roofs[chain].diff(axis=1).iloc[:, 1:] >= -1e-9).all(axis=None)


def test_energy_is_that_of_the_modules_that_count(shaded: rooftop.RunResult) -> None:
    """Sums over modules equal planes, roofs and districts, in every month; the others take no part."""
    modules, tables = gpd.read_parquet(shaded.out / "modules.parquet"), shaded.tables
    months = ["annual_kwh", *(f"kwh_{m:02d}" for m in range(1, 13))]
    counted = modules[modules["counted"]]
    by_plane = counted.groupby("plane_id")[months].sum()
    planes = tables.planes.set_index("plane_id")
    np.testing.assert_allclose(by_plane, planes.loc[by_plane.index, months], rtol=1e-6)
    total = counted[months].sum().to_numpy()
    np.testing.assert_allclose(total, tables.roofs[months].sum(), rtol=1e-6)
    assert planes.loc[~planes.index.isin(by_plane.index), "annual_kwh"].sum() == 0.0
    mine = counted[counted["plane_id"].str.startswith("low-")]
    low = tables.roofs.set_index("building_id").loc["low"]
    assert mine["poa_kwh_m2"].mean() == pytest.approx(low["poa_kwh_m2"], rel=1e-6)
    every = modules[modules["plane_id"].str.startswith("low-")]
    assert mine["poa_kwh_m2"].mean() > every["poa_kwh_m2"].mean() * 1.05


def test_modules_are_ordered_by_what_they_yield(shaded: rooftop.RunResult) -> None:
    modules = gpd.read_parquet(shaded.out / "modules.parquet")
    for _, roof in modules.groupby(modules["plane_id"].str.rsplit("-", n=1).str[0]):
        counted = roof[roof["counted"]].sort_values("yield_order")
        assert counted["yield_order"].tolist() == list(range(1, len(counted) + 1))
        assert (counted["annual_kwh"].diff().dropna() <= 0.0).all()
        assert roof.loc[~roof["counted"], "yield_order"].isna().all()


@pytest.fixture(scope="module")
def ready(project: Path) -> Prepared:
    config = Config.model_validate(settings(project))
    return prepare(config, read_sources(config), np.ones(len(SHAPES), dtype=bool), None)


def lit_of(scene: Scene, book: TableBook, workers: int = 1) -> tuple[pd.DataFrame, list[np.ndarray]]:
    """Return the year of every plane, and which of its modules have light."""
    batch = run_tiles(scene, book, list(scene.tile_members), workers=workers)
    assert not batch.failures
    year = pd.concat([result.planes for result in batch.results.values()]).sort_index()
    assert scene.module_layout is not None
    count = scene.module_layout.counts(np.arange(len(scene.planes)))
    lit = [np.zeros(0, dtype=bool)] * len(count)
    for result in batch.results.values():
        assert result.modules is not None
        rows = result.planes.index.to_numpy()
        for row, part in zip(rows, np.split(result.modules.left_out, np.cumsum(count[rows])[:-1]), strict=True):
            lit[row] = part != SHADE
    return year, lit


def test_a_limit_in_kwh_is_the_same_cut_as_its_share(shaded: rooftop.RunResult, ready: Prepared) -> None:
    modules = modules_of(shaded, "low")
    free = float((modules["poa_kwh_m2"] / (1.0 - modules["shading_loss"])).median())
    scene = ready.scene
    year, lit = lit_of(scene, ready.book)
    low = int(np.flatnonzero(scene.planes["plane_id"] == "low-1")[0])
    assert 0 < year["n_lit"].iloc[low] < len(lit[low])
    assert year["n_lit"].tolist() == [float(flags.sum()) for flags in lit]
    energy = replace(scene, max_shading_loss=1.0, min_poa_kwh_m2=free * 0.70)
    same, flags = lit_of(energy, ready.book)
    assert same["n_lit"].tolist() == year["n_lit"].tolist()
    assert all((a == b).all() for a, b in zip(lit, flags, strict=True))
    every, _ = lit_of(replace(scene, max_shading_loss=1.0), ready.book)
    assert every["n_lit"].tolist() == [len(some) for some in lit]
    none, _ = lit_of(replace(scene, min_poa_kwh_m2=5000.0), ready.book)
    assert none["n_lit"].sum() == 0.0 and (none["ok_share"] == 0.0).all()


def test_what_tiles_depend_on_is_in_their_fingerprint(ready: Prepared) -> None:
    scene, places = ready.scene, ready.scene.module_layout
    assert places is not None
    moved = replace(places, origin=places.origin + 0.01)
    fewer = replace(places, number=np.maximum(places.number - 1, 1))
    changed = [
        scene, replace(scene, max_shading_loss=0.2), replace(scene, min_poa_kwh_m2=900.0),
        replace(scene, module_layout=None), replace(scene, module_layout=moved), replace(scene, module_layout=fewer),
        replace(scene, keep_modules=False), replace(scene, n_unplaced=scene.n_unplaced + 1.0),
    ]  # fmt: skip
    keys = [fingerprint(some, ready.book) for some in changed]
    assert len(set(keys)) == len(keys)
    assert fingerprint(scene, ready.book) == keys[0]


def test_finished_tiles_come_back_with_their_modules(ready: Prepared, tmp_path: Path) -> None:
    tiles = list(ready.scene.tile_members)
    first = run_tiles(ready.scene, ready.book, tiles, workers=1, store=TileStore(tmp_path, "k"))
    again = run_tiles(ready.scene, ready.book, tiles, workers=1, store=TileStore(tmp_path, "k"))
    assert again.n_resumed == len(tiles)
    for tile in tiles:
        pd.testing.assert_frame_equal(first.results[tile].planes, again.results[tile].planes)
        one, two = first.results[tile].modules, again.results[tile].modules
        assert one is not None and two is not None and (one.left_out == COUNTS).any()
        np.testing.assert_array_equal(one.left_out, two.left_out)
        np.testing.assert_array_equal(one.ac_kwh_kwp, two.ac_kwh_kwp)


def write_inputs(folder: Path) -> None:
    """A garden on the shed and a yard beside it, in GCJ-02 and GBK; existing PV on the office, in CGCS2000."""
    moved = [
        shapely.transform(
            shape, lambda p: np.column_stack(wgs84_to_gcj02(*TO_LONLAT.transform(p[:, 0], p[:, 1]))), include_z=False
        )
        for shape in (box(195, -5, 212.5, 25), box(245, 0, 255, 20))
    ]
    gpd.GeoDataFrame({"类型": ["屋顶花园", "停机坪"]}, geometry=moved, crs=4326).to_file(
        folder / "禁装.shp", encoding="GBK"
    )
    (folder / "禁装.cpg").unlink(missing_ok=True)
    gpd.GeoDataFrame({"kw": [30.0], "since": ["2020-05"]}, geometry=[box(300, 0, 312.67, 20)], crs=CRS).to_file(
        folder / "pv.gpkg"
    )


def with_areas(folder: Path) -> dict[str, object]:
    values = settings(folder)
    inputs = dict(values["inputs"])  # type: ignore[call-overload]
    inputs["exclusions"] = {"path": str(folder / "禁装.shp"), "datum": "gcj02", "kind_field": "类型"}
    inputs["existing_pv"] = {"path": str(folder / "pv.gpkg"), "kwp_field": "kw", "year_field": "since"}
    return {**values, "inputs": inputs}


def test_a_run_from_the_command_line_takes_them_out(project: Path, shaded: rooftop.RunResult) -> None:
    write_inputs(project)
    config = project / "zones.yaml"
    config.write_text(yaml.safe_dump(with_areas(project), allow_unicode=True), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "rooftop", "run", str(config), "-o", str(project / "cli"), "--lang", "en"],
        env={**os.environ, "NUMBA_NUM_THREADS": "1"}, capture_output=True, text=True, encoding="utf-8", timeout=600,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    roofs = gpd.read_parquet(project / "cli" / "roofs.parquet").set_index("building_id")
    before = shaded.tables.roofs.set_index("building_id")
    assert roofs.loc["shed", "excluded_area_m2"] == pytest.approx(11.7 * 18.4, rel=2e-3)  # the datum's way back: 1 mm
    assert roofs.loc["shed", "net_area_m2"] == pytest.approx(0.75 * 26.7 * 18.4, rel=2e-3)
    assert 0 < roofs.loc["shed", "module_count"] < before.loc["shed", "module_count"]
    assert "declared_exclusion" in roofs.loc["shed", "reasons"]
    assert roofs.loc["office", "existing_pv_kwp"] == 30.0 and roofs.loc["office", "existing_pv_year"] == 2020
    assert roofs.loc["office", "existing_pv_area_m2"] == pytest.approx(12.67 * 20, rel=1e-3)
    assert roofs.loc["office", "installable_area_m2"] == pytest.approx(before.loc["office", "installable_area_m2"])
    assert "existing_pv" in roofs.loc["office", "reasons"]
    modules = gpd.read_parquet(project / "cli" / "modules.parquet").to_crs(CRS)
    mine = modules[modules["plane_id"].str.startswith("office-")]
    assert mine.distance(box(300, 0, 312.67, 20)).min() >= 0.02 - 1e-6
    # 50 kWp declared without an outline: 90.4 of its own modules go.
    placed = len(modules_of(shaded, "solar"))
    assert roofs.loc["solar", "module_count"] == int(int(0.75 * placed) - 90.446) > 0
    assert roofs.loc["low", "module_count"] == before.loc["low", "module_count"]
    record = json.loads((project / "cli" / "run.json").read_text(encoding="utf-8"))
    notices = {n["code"]: n["count"] for n in record["notices"]}
    assert notices["exclusion_taken"] == notices["exclusion_off_roof"] == notices["existing_pv_placed"] == 1
    assert notices["existing_pv_unplaced"] == 1
    assert "exclusion_kind_unknown" not in notices  # the words were read as GBK
    assert {"inputs.exclusions", "inputs.existing_pv"} <= {p["role"] for p in record["provenance"]}


def test_threads_and_tiles_do_not_matter(project: Path, ready: Prepared) -> None:
    config = Config.model_validate(settings(project))
    config = config.model_copy(update={"scene": config.scene.model_copy(update={"tile_cells": 64})})
    small = prepare(config, read_sources(config), np.ones(len(SHAPES), dtype=bool), None)
    assert len(small.scene.tile_members) > 3
    (one, lit), (two, same) = (lit_of(small.scene, ready.book, workers) for workers in (1, 2))
    pd.testing.assert_frame_equal(one, two, check_exact=True)
    assert all((a == b).all() for a, b in zip(lit, same, strict=True))
    whole, _ = lit_of(ready.scene, ready.book)
    assert one["n_lit"].tolist() == whole["n_lit"].tolist()


def test_by_density_they_go_too(project: Path) -> None:
    write_inputs(project)
    values = with_areas(project) | {"system": {"layout": "density", "flat": {"mounting": "rack", "tilt_deg": 10}}}
    config = Config.model_validate(values)
    prepared = prepare(config, read_sources(config), np.ones(len(SHAPES), dtype=bool), None)
    planes = prepared.layout.planes.set_index("plane_id")
    assert planes.loc["shed-1", "excluded_area_m2"] == pytest.approx(11.7 * 18.4, rel=2e-3)
    assert planes.loc["office-1", "existing_pv_area_m2"] == pytest.approx(12.67 * 20, rel=1e-3)
    assert planes.loc["office-1", "left_share"] == pytest.approx((39.2 - 12.69) / 38.4, rel=1e-3)
    assert prepared.scene.module_layout is None
    assert np.isnan(prepared.taken.unplaced_m2).sum() == 0 and (prepared.taken.unplaced_m2 > 0).tolist()[-1]
