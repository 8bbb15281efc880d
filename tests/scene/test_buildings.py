"""What stands where models are given: heights that are there, blocks where they do not reach, contradictions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from rooftop.core.errors import InputError
from rooftop.core.grid import Grid
from rooftop.job.prepare import Prepared, prepare
from rooftop.job.sources import read_sources
from rooftop.scene.surface import Blocks, DsmCoverage, far_surface, lod1_surface, weighted_median
from small_town import buildings, codes, config, elevation, run, surface, write

HEIGHTS = [3.2 * (1 + k % 6) for k in range(12)]
Floats = NDArray[np.float64]
Surface = Callable[[Floats, Floats], Floats]


def ground(x: Floats, y: Floats) -> Floats:
    return np.full(x.shape, 50.0)


def dsm_of(heights: Sequence[float]) -> Surface:
    return lambda x, y: surface(x, y, heights)


def models(folder: Path, dsm: Surface, dtm: Surface | None = ground) -> dict[str, Any]:
    given = {"dsm": {"path": elevation(folder / "dsm.tif", dsm)}}
    return given if dtm is None else given | {"dtm": {"path": elevation(folder / "dtm.tif", dtm)}}


def prepared(folder: Path, table: gpd.GeoDataFrame, fields: dict[str, str], **inputs: Any) -> Prepared:
    settings = config(folder, write(table, folder / "b.gpkg"), fields=fields, **inputs)
    sources = read_sources(settings)
    return prepare(settings, sources, np.ones(len(sources.buildings), dtype=bool), None)


def told(found: Prepared) -> dict[str, Any]:
    return {notice.code: notice for notice in found.notices}


NO_HEIGHTS, WITH_HEIGHTS = {"id": "bid"}, {"id": "bid", "height_m": "h"}


# --- the median is a value that is there -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "weight", "expected"),
    [
        ([0.0, 0.0, 0.0, 10.0], [1, 1, 1, 1], 0.0),
        ([0.0, 10.0], [1, 3], 10.0),
        ([0.0, 10.0], [1, 1], 0.0),
        ([5.0], [0.2], 5.0),
        ([3.0, 1.0, 2.0], [1, 1, 1], 2.0),
        ([], [], np.nan),
        ([1.0], [0.0], np.nan),
    ],
)
def test_weighted_median_by_hand(values: list[float], weight: list[float], expected: float) -> None:
    found = weighted_median(np.array(values, dtype=float), np.array(weight, dtype=float))
    assert found == expected or (np.isnan(found) and np.isnan(expected))


@given(st.lists(st.tuples(st.integers(-5, 5), st.integers(1, 9)), min_size=1, max_size=30))
def test_weighted_median_is_the_median_of_repeated_values(pairs: list[tuple[int, int]]) -> None:
    values, weight = np.array(pairs, dtype=float).T
    repeated = np.sort(np.repeat(values, weight.astype(int)))
    assert weighted_median(values, weight) == repeated[(len(repeated) - 1) // 2]


def test_heights_of_noise_free_roofs_are_those_of_the_model(tmp_path: Path) -> None:
    found = prepared(tmp_path, buildings(), NO_HEIGHTS, **models(tmp_path, dsm_of(HEIGHTS)))
    table = found.sources.buildings
    np.testing.assert_allclose(table["height_m"], HEIGHTS, atol=1e-4)
    assert set(table["height_source"]) == {"dsm"}
    assert told(found)["height_from_dsm"].count == 12


@pytest.mark.parametrize("step", [0.1, 1.0])
def test_rounded_models_give_rounded_heights(step: float, tmp_path: Path) -> None:
    dsm = lambda x, y: np.round(surface(x, y, HEIGHTS) / step) * step  # noqa: E731
    table = prepared(tmp_path, buildings(), NO_HEIGHTS, **models(tmp_path, dsm)).sources.buildings
    assert np.abs(table["height_m"] - HEIGHTS).max() <= step / 2 + 1e-4


def test_terrain_of_whole_metres_keeps_a_value_that_is_there(tmp_path: Path) -> None:
    stepped = lambda x, y: np.where(x < 9.0, 50.0, 51.0)  # noqa: E731
    inputs = {"dtm": {"path": elevation(tmp_path / "dtm.tif", stepped)}}
    base = prepared(tmp_path, buildings(), WITH_HEIGHTS, **inputs).scene.blocks.base_m
    assert set(np.round(base, 3)) <= {50.0, 51.0}


# --- where the surface model does not reach --------------------------------------------------------------------------


def west_half(x: Floats, y: Floats) -> Floats:
    return np.where(x < 120.0, surface(x, y, HEIGHTS), -9999.0)


def test_outside_a_surface_model_buildings_stand_as_without_it(tmp_path: Path) -> None:
    table = buildings().assign(h=HEIGHTS)
    without = run(tmp_path, table, "without.gpkg", dtm={"path": elevation(tmp_path / "dtm.tif", ground)})
    result = run(tmp_path, table, "half.gpkg", **models(tmp_path, west_half))
    assert codes(result)["outside_dsm"] == 6
    roofs, same = (r.tables.roofs.set_index("building_id") for r in (result, without))
    east = [name for k, name in enumerate(table["bid"]) if k % 4 >= 2]
    assert sorted(roofs.index[["outside_dsm" in r for r in roofs["reasons"]]]) == sorted(east)
    np.testing.assert_allclose(roofs["capacity_kwp"][east], same["capacity_kwp"][east])
    np.testing.assert_allclose(roofs["annual_kwh"][east], same["annual_kwh"][east], rtol=5e-3)
    assert (roofs["capacity_kwp"] > 0.0).all()


def test_outside_a_surface_model_without_terrain_no_cliff_appears(tmp_path: Path) -> None:
    table = buildings().assign(h=HEIGHTS)
    result = run(tmp_path, table, "half.gpkg", **models(tmp_path, west_half, None))
    without = run(tmp_path, table, "without.gpkg")
    roofs, same = (r.tables.roofs.set_index("building_id") for r in (result, without))
    east = [name for k, name in enumerate(table["bid"]) if k % 4 >= 2]
    np.testing.assert_allclose(roofs["capacity_kwp"][east], same["capacity_kwp"][east])
    np.testing.assert_allclose(roofs["annual_kwh"][east], same["annual_kwh"][east], rtol=5e-3)


def test_buildings_newer_than_the_surface_model_stand_as_blocks(tmp_path: Path) -> None:
    old = [h if k not in (2, 5) else 0.0 for k, h in enumerate(HEIGHTS)]
    found = prepared(tmp_path, buildings().assign(h=HEIGHTS), WITH_HEIGHTS, **models(tmp_path, dsm_of(old)))
    assert told(found)["not_in_dsm"].examples == ("T0002", "T0005")
    shown = found.scene.blocks.dsm_coverage
    assert shown is not None and np.flatnonzero(~shown.in_model).tolist() == [2, 5]
    roofs = run(tmp_path, buildings().assign(h=HEIGHTS), "run.gpkg", **models(tmp_path, dsm_of(old))).tables.roofs
    assert (roofs["capacity_kwp"] > 0.0).all()


def test_where_the_surface_model_shows_bare_ground_a_building_has_one_storey(tmp_path: Path) -> None:
    old = [h if k not in (2, 5) else 0.0 for k, h in enumerate(HEIGHTS)]
    result = run(tmp_path, buildings(), fields=NO_HEIGHTS, **models(tmp_path, dsm_of(old)))
    roofs = result.tables.roofs.set_index("building_id")
    for name in ("T0002", "T0005"):
        assert roofs["height_m"][name] == 3.0 and roofs["height_source"][name] == "assumed"
        assert {"height_missing", "not_in_dsm"} <= set(roofs["reasons"][name])
    assert (codes(result)["not_in_dsm"], codes(result)["height_from_dsm"]) == (2, len(HEIGHTS) - 2)
    assert (roofs["capacity_kwp"] > 0.0).all()


def test_a_measured_height_of_a_yard_wall_is_said_to_be_too_low(tmp_path: Path) -> None:
    low = [h if k not in (2, 5) else 1.5 for k, h in enumerate(HEIGHTS)]
    result = run(tmp_path, buildings(), fields=NO_HEIGHTS, **models(tmp_path, dsm_of(low)))
    roofs = result.tables.roofs.set_index("building_id")
    for name in ("T0002", "T0005"):
        assert roofs["height_m"][name] == pytest.approx(1.5) and "too_low" in roofs["reasons"][name]
    assert codes(result)["too_low"] == 2


def test_stated_heights_of_three_times_the_truth_lose_no_roof(tmp_path: Path) -> None:
    """Feet beside a surface model in metres: its roofs lie below half of the stated height."""
    table = buildings().assign(h=[h * 3.28 for h in HEIGHTS])
    result = run(tmp_path, table, **models(tmp_path, dsm_of(HEIGHTS)))
    assert (result.tables.roofs["capacity_kwp"] > 0.0).all()
    said = next(n for n in result.record.notices if n.code == "heights_disagree")
    assert "3.28 times" in said.text.en and "feet" in said.text.en


def test_buildings_beyond_the_terrain_stand_on_the_others_ground(tmp_path: Path) -> None:
    dtm = lambda x, y: np.where(x < 120.0, 50.0, -9999.0)  # noqa: E731
    found = prepared(tmp_path, buildings(), WITH_HEIGHTS, dtm={"path": elevation(tmp_path / "dtm.tif", dtm)})
    assert told(found)["outside_dtm"].count == 6
    assert set(found.scene.blocks.base_m) == {50.0}


def test_a_model_without_a_value_under_any_building_is_refused(tmp_path: Path) -> None:
    empty = lambda x, y: np.where((x < -30.0) & (y < -30.0), 50.0, -9999.0)  # noqa: E731
    for role in ("dsm", "dtm"):
        with pytest.raises(InputError, match="no value under any building"):
            prepared(
                tmp_path, buildings(), WITH_HEIGHTS, **{role: {"path": elevation(tmp_path / f"{role}.tif", empty)}}
            )


# --- models that contradict each other -------------------------------------------------------------------------------


@pytest.mark.parametrize("fields", [NO_HEIGHTS, WITH_HEIGHTS])
def test_swapped_models_are_refused(fields: dict[str, str], tmp_path: Path) -> None:
    with pytest.raises(InputError, match="are they swapped"):
        prepared(tmp_path, buildings(), fields, **models(tmp_path, ground, dsm_of(HEIGHTS)))


@pytest.mark.parametrize("offset", [9.5, 30.0, -12.0, -40.0])
def test_another_vertical_datum_is_refused_with_the_offset(offset: float, tmp_path: Path) -> None:
    dsm = lambda x, y: surface(x, y, HEIGHTS) + offset  # noqa: E731
    with pytest.raises(InputError, match="do not fit each other") as caught:
        prepared(tmp_path, buildings(), NO_HEIGHTS, **models(tmp_path, dsm))
    assert f"vertical_offset_m: {-offset:.1f}" in str(caught.value)
    inputs = models(tmp_path, dsm)
    inputs["dsm"]["vertical_offset_m"] = -offset
    table = prepared(tmp_path, buildings(), NO_HEIGHTS, **inputs).sources.buildings
    np.testing.assert_allclose(table["height_m"], HEIGHTS, atol=1e-3)


@pytest.mark.parametrize(("dsm_in", "dtm_in", "key"), [(3.2808, 1.0, "dsm"), (1.0, 3.2808, "dtm")])
def test_feet_in_one_of_two_models_are_named(dsm_in: float, dtm_in: float, key: str, tmp_path: Path) -> None:
    dsm = lambda x, y: surface(x, y, HEIGHTS) * dsm_in  # noqa: E731
    dtm = lambda x, y: ground(x, y) * dtm_in  # noqa: E731
    with pytest.raises(InputError, match=f"inputs.{key} seems to be in feet"):
        prepared(tmp_path, buildings(), NO_HEIGHTS, **models(tmp_path, dsm, dtm))


def test_crops_between_buildings_are_warned_of(tmp_path: Path) -> None:
    dsm = lambda x, y: np.maximum(surface(x, y, HEIGHTS), 52.0)  # noqa: E731
    found = prepared(tmp_path, buildings(), NO_HEIGHTS, **models(tmp_path, dsm))
    assert "+2.0 m" in told(found)["models_offset"].text.en


def test_trees_and_cars_are_not(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    trees = lambda x, y: np.where(rng.random(x.shape) < 0.6, 56.0, 50.1)  # noqa: E731
    dsm = lambda x, y: np.maximum(surface(x, y, HEIGHTS), trees(x, y))  # noqa: E731
    assert "models_offset" not in told(prepared(tmp_path, buildings(), NO_HEIGHTS, **models(tmp_path, dsm)))


def test_a_terrain_model_in_the_place_of_the_surface_is_refused(tmp_path: Path) -> None:
    for table, fields in ((buildings(), NO_HEIGHTS), (buildings().assign(h=HEIGHTS), WITH_HEIGHTS)):
        with pytest.raises(InputError, match="shows no buildings"):
            prepared(tmp_path, table, fields, **models(tmp_path, ground))


def test_far_terrain_of_another_place_is_refused_and_a_coarse_one_warned_of(tmp_path: Path) -> None:
    dtm = {"path": elevation(tmp_path / "dtm.tif", ground)}
    for level, refused in ((1200.0, True), (110.0, False), (60.0, None)):
        far = {"path": elevation(tmp_path / f"far{level}.tif", lambda x, y, at=level: np.full(x.shape, at), 20.0)}  # type: ignore[misc]
        if refused:
            with pytest.raises(InputError, match="near and far terrain"):
                prepared(tmp_path, buildings(), WITH_HEIGHTS, dtm=dtm, terrain_far=far)
            continue
        found = told(prepared(tmp_path, buildings(), WITH_HEIGHTS, dtm=dtm, terrain_far=far))
        assert ("far_terrain_offset" in found) == (refused is False)


class _Plain:
    """An elevation source made of a function of x and y."""

    def __init__(self, height_at: Surface) -> None:
        self.height_at = height_at

    def window(self, x_min: float, y_max: float, cell_size_m: float, n_rows: int, n_cols: int) -> NDArray[np.float32]:
        x = x_min + (np.arange(n_cols) + 0.5) * cell_size_m
        y = y_max - (np.arange(n_rows) + 0.5) * cell_size_m
        return self.height_at(*np.meshgrid(x, y)).astype(np.float32)


def half_shown() -> tuple[Blocks, _Plain, _Plain]:
    """Two blocks on sloping ground; the surface model knows the west only, and has a hole on its roof there."""
    outlines = np.array([shapely.box(10, 10, 20, 20), shapely.box(40, 10, 50, 20)])
    terrain = _Plain(lambda x, y: 100.0 + 0.1 * x)
    hole = lambda x, y: (x > 12) & (x < 14) & (y > 12) & (y < 14)  # noqa: E731
    dsm = _Plain(
        lambda x, y: (
            np.where(x > 30.0, np.nan, np.where((x > 10) & (x < 20) & (y > 10) & (y < 20), 110.0, 100.0 + 0.1 * x))
            + np.where(hole(x, y), np.nan, 0.0)
        )
    )
    shown = DsmCoverage(np.array([True, False]), np.array([105.0, 110.0]))
    blocks = Blocks(outlines, np.array([8.5, 12.0]), np.array([101.5, 104.5]), np.ones(2, dtype=bool), shown)
    return blocks, terrain, dsm


def test_window_holds_model_terrain_blocks_and_holes_each_in_its_place() -> None:
    blocks, terrain, dsm = half_shown()
    found = lod1_surface(Grid.covering((0, 0, 60, 30), 1.0), blocks, shapely.STRtree(blocks.geometry), terrain, dsm)
    at = lambda x, y: found.dsm[29 - y, x]  # noqa: E731
    assert at(15, 15) == 110.0 and at(5, 5) == np.float32(100.55)
    assert at(45, 15) == 116.5  # a block where the model does not reach
    assert at(55, 5) == np.float32(105.55)  # terrain where it does not
    assert np.isnan(at(13, 13)) and found.owner[29 - 13, 13] == 0  # a hole in a roof stays unknown, and roof
    assert found.owner[29 - 15, 45] == 1 and found.owner[29 - 5, 5] == -1


def test_far_surface_holds_the_blocks_that_the_model_does_not_show() -> None:
    blocks, terrain, dsm = half_shown()
    far = far_surface(blocks, terrain, dsm, None, 0.0)
    top = float(np.nanmax(far.elevation_m[:, -1]))
    assert top == 116.5
    assert np.isfinite(far.elevation_m).all()
