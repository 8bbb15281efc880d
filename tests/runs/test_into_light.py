"""Rows that move into the light: never at a loss, inside their zone, and the tables say where they are."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import shapely

from rooftop.job.aggregate import plane_table
from rooftop.job.module_table import module_table
from rooftop.job.module_years import SHADE
from rooftop.job.prepare import Prepared
from rooftop.job.tilestore import TileStore
from shaded_roof import CRS, computed, prepared, tiles_of

MONTHS = [f"ac_{m:02d}" for m in range(1, 13)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("rows")


def energy(ready: Prepared) -> np.ndarray:
    """Energy of each plane's modules, of 1 kWp each."""
    year, _ = computed(ready)
    return (year[MONTHS].sum(axis=1) * year["n_counted"]).to_numpy()


@pytest.mark.parametrize(("mounting", "height"), [("rack", 16.0), ("rack", 30.0), ("flush", 22.0), ("east_west", 30.0)])
def test_no_roof_loses_by_it(folder: Path, mounting: str, height: float) -> None:
    ready = prepared(folder, height, mounting, moving=True)
    staying = replace(ready, scene=replace(ready.scene, zones=None))
    roof = ready.scene.planes["roof"].to_numpy()
    moved, stayed = (np.bincount(roof, energy(each)) for each in (ready, staying))
    assert (moved >= stayed).all()
    planes, _ = computed(ready)
    assert (planes["n_counted"] <= planes["n_lit"]).all()


def test_rows_begin_where_the_light_does(folder: Path) -> None:
    """Somewhere between these heights the shade ends inside a row; then rows that start beyond it hold more."""
    gains = []
    for height in (14.0, 16.0, 18.0, 20.0, 22.0, 26.0, 30.0):
        ready = prepared(folder, height, moving=True)
        staying = replace(ready, scene=replace(ready.scene, zones=None))
        gains.append(energy(ready).sum() / energy(staying).sum() - 1.0)
    assert max(gains) > 0.005 and min(gains) >= 0.0


def moved(folder: Path) -> tuple[Prepared, list]:
    for height in (14.0, 16.0, 18.0, 20.0, 22.0, 26.0, 30.0):
        ready = prepared(folder, height, moving=True)
        results = tiles_of(ready)
        if any(result.moved is not None for result in results):
            return ready, results
    raise AssertionError("nothing moves at any height")


def test_tables_and_modules_are_those_of_the_new_places(folder: Path, tmp_path: Path) -> None:
    ready, results = moved(folder)
    layout = ready.layout.moved([result.moved for result in results if result.moved is not None])
    result = next(one for one in results if one.moved is not None)
    plane = int(result.moved.planes[0])
    corners = layout.corners[plane]
    assert len(corners) == layout.placed[plane] == result.moved.count[0]
    before = shapely.union_all(shapely.polygons(ready.layout.corners[plane]))
    assert before.symmetric_difference(shapely.union_all(shapely.polygons(corners))).area > 10.0
    assert len(result.modules.left_out) == layout.placed.sum()
    shapes = shapely.polygons(corners)
    zones = ready.scene.zones
    assert zones is not None
    assert shapely.within(shapes, shapely.buffer(zones.zone[plane], 1e-3)).all()
    for k in range(len(shapes)):
        assert shapely.area(shapely.intersection(shapes[k], shapes[k + 1 :])).sum() < 1e-6
    year = result.planes.sort_index()
    table = plane_table(layout, year, ready.system.module, ready.taken.unplaced_m2)
    assert (table["module_count"] == year["n_counted"]).all()
    assert (table["module_area_m2"] <= table["array_area_m2"] + 1e-9).all()
    assert (table["array_area_m2"] <= table["used_area_m2"] + 1e-9).all()
    named = table.assign(building_id="roof")
    modules = module_table(layout, named, results, ready.system.module.pdc0_w / 1000.0, CRS)
    counted = modules[modules["counted"]]
    np.testing.assert_allclose(
        counted.groupby("plane_id")["annual_kwh"].sum().sum(), table["annual_kwh"].sum(), rtol=1e-6
    )
    store = TileStore(tmp_path, "0" * 16)
    tile = next(iter(ready.scene.tile_members))
    store.save(tile, result)
    again = store.load(tile)
    assert again is not None and again.moved is not None
    np.testing.assert_array_equal(again.moved.corners, result.moved.corners)
    np.testing.assert_array_equal(again.moved.planes, result.moved.planes)


def test_every_module_left_is_still_too_dark(folder: Path) -> None:
    ready, results = moved(folder)
    loss = np.concatenate([one.modules.shading_loss for one in results])
    left_out = np.concatenate([one.modules.left_out for one in results])
    limit = ready.scene.max_shading_loss
    assert (loss[left_out != SHADE] <= limit + 1e-6).all() and (loss[left_out == SHADE] > limit - 1e-6).all()
