"""What must hold of single modules: light only goes, pairs stand or fall together, a free roof keeps its year."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from rooftop.job.aggregate import plane_table
from rooftop.job.light import TableBook
from rooftop.job.module_years import ASSUMED, COUNTS, EXISTING_PV, SHADE, TileModules
from rooftop.job.prepare import Prepared
from rooftop.solar.energy import usable_year
from shaded_roof import computed, prepared

HEIGHTS = (5.0, 9.0, 14.0, 22.0, 40.0)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("suns")


@cache
def at_height(folder: Path, obstacle_m: float, mounting: str) -> tuple[pd.DataFrame, dict[str, TileModules]]:
    return computed(prepared(folder, obstacle_m, mounting))


@pytest.mark.parametrize("mounting", ["rack", "flush", "east_west"])
def test_higher_obstacles_never_bring_energy(folder: Path, mounting: str) -> None:
    """Neither to any module while the same rows stand, nor to the roof; and none is brighter than a free plane."""
    energy, before = [], None
    for height in HEIGHTS:
        year, modules = at_height(folder, height, mounting)
        planes = [name for name in modules if name.startswith("roof-")]
        loss = np.concatenate([modules[name].shading_loss for name in planes])
        left_out = np.concatenate([modules[name].left_out for name in planes])
        assert loss.min() > -1e-5
        if before is not None and not (left_out == SHADE).any():
            assert (loss >= before - 1e-5).all()
        before = loss
        of_roof = year.index[[str(name).startswith("roof-") for name in modules]]
        ac = year.loc[of_roof, [f"ac_{m:02d}" for m in range(1, 13)]].sum(axis=1)
        energy.append(float((ac * year.loc[of_roof, "n_counted"]).sum()))
        poa = year.loc[of_roof, [f"poa_{m:02d}" for m in range(1, 13)]].sum(axis=1)
        assert (poa <= year.loc[of_roof, "poa_free_kwh_m2"]).all()
    assert all(later <= earlier * (1 + 1e-9) for earlier, later in pairwise(energy))
    assert energy[-1] < 0.9 * energy[0]


def test_halves_of_a_pair_stand_or_fall_together(folder: Path) -> None:
    _, modules = at_height(folder, 40.0, "east_west")
    east, west = modules["roof-1e"], modules["roof-1w"]
    np.testing.assert_array_equal(east.left_out, west.left_out)
    assert (east.left_out == SHADE).any() and (east.left_out == COUNTS).any() and (east.left_out == ASSUMED).any()
    limit = 0.35
    lit = east.left_out != SHADE
    both = 0.5 * (east.shading_loss + west.shading_loss)
    assert both[lit].max() <= limit < both[~lit].min()
    apart = (east.shading_loss > limit) != (west.shading_loss > limit)
    assert apart.any()  # alone, one half of some pair would have gone


def test_a_row_loses_its_shaded_end(folder: Path) -> None:
    ready = prepared(folder, 40.0)
    _, modules = computed(ready)
    dark = modules["roof-1"].left_out == SHADE
    corners = ready.layout.corners[[*ready.scene.planes["plane_id"]].index("roof-1")]
    x, y = corners.mean(axis=1).T
    front = y < y.min() + 0.1
    assert 0 < dark[front].sum() < front.sum()
    assert x[front & dark].max() < x[front & ~dark].min() + 25.0
    runs = np.diff(dark[front][np.argsort(x[front])].astype(int))
    assert (runs != 0).sum() <= 2


def endless(ready: Prepared, book: TableBook) -> float:
    """Return the irradiation of the roof's orientation behind endless rows and nothing else [kWh/m2]."""
    row = [*ready.scene.planes["plane_id"]].index("roof-1")
    variants = ready.scene.variants
    total = 0.0
    for orientation, weight in variants.loc[variants["plane"] == row, ["orientation", "weight"]].to_numpy():
        tables = book.tables(ready.scene.orientations[int(orientation)])
        free = np.zeros((1, tables.n_azimuth), dtype=np.float32)
        one = np.array([0]), np.array([0, 1])
        factor = ready.scene.factor[:1]
        total += weight * usable_year(tables, free, *one, factor).year.poa_kwh_m2.sum()
    return total


@pytest.mark.parametrize(("mounting", "most"), [("flush", 2e-5), ("rack", 2e-3)])
def test_a_roof_without_obstacles_keeps_its_year(folder: Path, mounting: str, most: float) -> None:
    """But for the first row, which has none before it, and the ends of the others: endless rows are the limit."""
    ready = prepared(folder, 5.0, mounting)
    _, modules = computed(ready)
    found = modules["roof-1"].poa_kwh_m2.astype(float)
    expected = endless(ready, ready.book)
    corners = ready.layout.corners[[*ready.scene.planes["plane_id"]].index("roof-1")]
    x, y = corners.mean(axis=1).T
    inner = (y > y.min() + 0.1) & (np.abs(x - x.mean()) < 15.0)
    assert found[inner].mean() == pytest.approx(expected, rel=most)
    assert found.min() > expected * (1.0 - most)
    if mounting == "rack":
        assert found[~inner].mean() > expected * 1.002


def test_more_points_change_little(folder: Path) -> None:
    coarse, fine = (computed(prepared(folder, 22.0, module_points=points))[1]["roof-1"] for points in ((2, 2), (6, 6)))
    apart = coarse.poa_kwh_m2 / fine.poa_kwh_m2 - 1.0
    assert abs(float(apart.mean())) < 1e-3 and float(np.abs(apart).max()) < 0.03


def test_rows_behind_modules_that_are_gone_see_more(folder: Path) -> None:
    """With a lower limit the front rows leave, and what stands behind them is no darker than before."""
    ready = prepared(folder, 14.0)
    all_stand = replace(ready.scene, max_shading_loss=1.0)
    few_stand = replace(ready.scene, max_shading_loss=0.10)
    (_, every), (_, few) = (computed(replace(ready, scene=scene)) for scene in (all_stand, few_stand))
    stay = few["roof-1"].left_out != SHADE
    assert 0.2 < stay.mean() < 0.98
    gain = few["roof-1"].shading_loss[stay] - every["roof-1"].shading_loss[stay]
    assert gain.max() < 1e-5 and gain.min() < -0.002


@pytest.mark.parametrize("n_unplaced", [1.0, 5.5, 30.0])
def test_existing_pv_of_unknown_place_splits_no_pair(folder: Path, n_unplaced: float) -> None:
    ready = prepared(folder, 5.0, "east_west")
    scene = replace(ready.scene, n_unplaced=np.full_like(ready.scene.n_unplaced, n_unplaced))
    year, modules = computed(replace(ready, scene=scene))
    east, west = modules["roof-1e"].left_out, modules["roof-1w"].left_out
    np.testing.assert_array_equal(east, west)
    gone = 2 * (east == EXISTING_PV).sum()
    assert n_unplaced <= gone <= n_unplaced + 2
    table = plane_table(ready.layout, year, ready.system.module, n_unplaced * ready.system.module.area_m2 * np.ones(2))
    assert table["module_count"].tolist() == year["n_counted"].tolist()


@pytest.mark.parametrize("limit", [0.01, 0.03, 0.10])
def test_what_is_left_out_for_shade_loses_more_than_the_limit(folder: Path, limit: float) -> None:
    """As it was judged: behind all rows, those too that leave with it."""
    ready = prepared(folder, 14.0)
    _, modules = computed(replace(ready, scene=replace(ready.scene, max_shading_loss=limit)))
    found = modules["roof-1"]
    dark = found.left_out == SHADE
    assert dark.any() and found.shading_loss[dark].min() > limit - 1e-6
    assert found.shading_loss[~dark].max() <= limit + 1e-6
