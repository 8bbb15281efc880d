"""Roof planes, areas, arrays and the surface model, against cases a person can check."""

from __future__ import annotations

import math

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from rooftop.config import FlatSystem
from rooftop.core.grid import Grid
from rooftop.core.roof_rules import load_roof_rules
from rooftop.scene.array import east_west_design, flush_design, rack_design, row_pitch_m, shadow_ratio
from rooftop.scene.layout import density_shares, flat_design, lay_out
from rooftop.scene.plane_columns import DENSITY_PLANES
from rooftop.scene.roofs import (
    assumed_planes,
    inner_shares,
    open_planes,
    ridge_axis_deg,
    roof_types,
    stays_empty,
    visible_footprints,
)
from rooftop.scene.surface import Blocks, far_surface, lod1_surface, median_under_m, with_gaps_filled
from rooftop.scene.taken import OccupiedAreas
from rooftop.solar.pvsystem import load_module

RULES = load_roof_rules()


def footprints(*shapes: shapely.Polygon, use: str = "office", roof_type: str | None = None) -> gpd.GeoDataFrame:
    n = len(shapes)
    return gpd.GeoDataFrame(
        {
            "building_id": [f"b{k}" for k in range(n)],
            "building_use": use,
            "roof_type": [roof_type] * n,
            "height_m": 12.0,
            "floors_above": 3,
        },
        geometry=list(shapes),
    )


def blocks(table: gpd.GeoDataFrame, heights: list[float]) -> Blocks:
    return Blocks(table.geometry.to_numpy(), np.array(heights), np.zeros(len(heights)))


# Row pitch -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("latitude", "ratio"), [(30.68, 1.90), (34.60, 2.26), (36.45, 2.47), (37.87, 2.66), (40.08, 3.01)]
)
def test_shadow_ratio_of_the_five_places(latitude: float, ratio: float) -> None:
    assert shadow_ratio(latitude) == pytest.approx(ratio, abs=0.005)


@pytest.mark.parametrize("latitude", [20.0, 34.6, 45.0])
def test_shadow_ratio_equals_the_gb50797_closed_form(latitude: float) -> None:
    tangent = math.tan(math.radians(latitude))
    closed = (0.707 * tangent + 0.4338) / (0.707 - 0.4338 * tangent)
    assert shadow_ratio(latitude) == pytest.approx(closed, rel=5e-4)


def test_shadow_ratio_is_symmetric_about_south() -> None:
    assert shadow_ratio(34.6, 150.0) == pytest.approx(shadow_ratio(34.6, 210.0), rel=1e-9)
    assert shadow_ratio(34.6, 150.0) != pytest.approx(shadow_ratio(34.6, 180.0), rel=1e-3)


def test_ground_cover_of_lianyungang() -> None:
    ratio = shadow_ratio(34.6)
    assert 1.0 / row_pitch_m(1.0, 10.0, ratio) == pytest.approx(0.73, abs=0.005)
    assert 1.0 / row_pitch_m(1.0, 25.0, ratio) == pytest.approx(0.54, abs=0.005)


def test_density_orders_flush_above_east_west_above_south_rows() -> None:
    length, width, gap = 2.278, 1.134, 0.02
    flush = flush_design(length, width, gap)
    tents = east_west_design(length, width, gap, 10.0, 0.35)
    rows = rack_design(length, width, gap, 25.0, 180.0, 34.6)
    shares = [design.module_area_m2 / design.unit_area_m2 for design in (flush, tents, rows)]
    assert shares[0] > shares[1] > shares[2]
    assert shares[2] == pytest.approx(math.cos(math.radians(25)) * width / (width + gap) / (rows.row_pitch_m / length))


# Planes and areas ------------------------------------------------------------------------------------------------


def test_roof_type_is_declared_or_assumed_from_use() -> None:
    box = shapely.box(0, 0, 10, 10)
    assert roof_types(footprints(box, use="factory"), RULES).name.tolist() == ["steel_sheet"]
    declared = roof_types(footprints(box, use="factory", roof_type="flat_concrete"), RULES)
    assert declared.name.tolist() == ["flat_concrete"]
    assert not declared.assumed[0]
    assert roof_types(footprints(box, use="unknown"), RULES).name.tolist() == ["unknown"]


def test_tall_flats_get_the_highrise_roof() -> None:
    table = footprints(shapely.box(0, 0, 20, 20), shapely.box(30, 0, 50, 20), use="residential").assign(
        height_m=[60.0, 18.0]
    )
    assert roof_types(table, RULES).name.tolist() == ["flat_concrete_highrise", "flat_concrete"]


def test_higher_footprint_takes_area_from_the_lower() -> None:
    table = footprints(shapely.box(0, 0, 10, 10), shapely.box(5, 0, 15, 10), shapely.box(100, 0, 110, 10))
    visible, covered = visible_footprints(blocks(table, [5.0, 20.0, 5.0]), np.ones(3, dtype=bool))
    assert covered.tolist() == [50.0, 0.0, 0.0]
    assert shapely.area(visible).tolist() == [50.0, 100.0, 100.0]


def test_touching_footprints_lose_nothing() -> None:
    table = footprints(shapely.box(0, 0, 10, 10), shapely.box(10, 0, 20, 10))
    _, covered = visible_footprints(blocks(table, [5.0, 20.0]), np.ones(2, dtype=bool))
    assert covered.tolist() == [0.0, 0.0]


def test_axis_is_that_of_the_longer_side_clockwise_from_north() -> None:
    east_west = shapely.box(0, 0, 30, 10)
    turned = shapely.affinity.rotate(east_west, 30.0)  # counter-clockwise: the axis moves from 90° to 60°
    assert ridge_axis_deg(np.array([east_west, turned])).tolist() == pytest.approx([90.0, 60.0])


def test_gable_of_an_east_west_house_has_a_south_and_a_north_plane() -> None:
    table = footprints(shapely.box(0, 0, 30, 10), use="rural_house")
    types = roof_types(table, RULES)
    planes = assumed_planes(table, types, table.geometry.to_numpy(), np.zeros(1), RULES)
    assert sorted(planes["plane_azimuth_deg"]) == [0.0, 180.0]
    assert planes["area_m2"].sum() == pytest.approx(300.0 / math.cos(math.radians(25.0)))
    for latitude, empty in ((34.6, 0.0), (-34.6, 180.0)):
        found = stays_empty(planes, np.full(2, latitude), RULES, 60.0)
        assert found.tolist() == (planes["plane_azimuth_deg"] == empty).tolist()


def test_poleward_and_steep_planes_stay_empty() -> None:
    azimuth = np.array([0.0, 67.0, 68.0, 180.0, 292.0, 293.0])
    planes = pd.DataFrame({"plane_azimuth_deg": azimuth, "plane_tilt_deg": 30.0})
    north, south = np.full(6, 34.6), np.full(6, -34.6)
    assert stays_empty(planes, north, RULES, 60.0).tolist() == [True, True, False, False, False, True]
    mirrored = planes.assign(plane_azimuth_deg=(180.0 - azimuth) % 360.0)
    assert stays_empty(mirrored, south, RULES, 60.0).tolist() == [True, True, False, False, False, True]
    tilts = pd.DataFrame({"plane_azimuth_deg": [0.0, 300.0, 180.0, 180.0], "plane_tilt_deg": [11.9, 12.0, 60.0, 61.0]})
    assert stays_empty(tilts, north[:4], RULES, 60.0).tolist() == [False, True, False, True]


def test_convergence_turns_plane_azimuths_to_true_north() -> None:
    table = footprints(shapely.box(0, 0, 30, 10), use="rural_house")
    planes = assumed_planes(table, roof_types(table, RULES), table.geometry.to_numpy(), np.array([1.5]), RULES)
    assert sorted(planes["plane_azimuth_deg"]) == [1.5, 181.5]


def test_setback_share_of_a_square() -> None:
    table = footprints(shapely.box(0, 0, 20, 20))
    types, shapes = roof_types(table, RULES), table.geometry.to_numpy()
    assert inner_shares(shapes, 0.8).tolist() == pytest.approx([(20 - 1.6) ** 2 / 400])
    assert inner_shares(np.array([shapely.Polygon()]), 0.8).tolist() == [0.0]
    planes = assumed_planes(table, types, shapes, np.zeros(1), RULES)
    kind = RULES.types["flat_concrete"]
    row = open_planes(planes, np.array([True]), types, RULES).iloc[0]
    assert row["free_share"] == 1.0 - kind.obstacle_share
    assert row["free_share_low"] == 1.0 - kind.obstacle_share_high < row["free_share"]
    assert row["free_share_high"] == 1.0 - kind.obstacle_share_low > row["free_share"]


@pytest.mark.parametrize(
    ("tilt_deg", "height_m", "small"),
    [(30.0, 8.0, True), (30.0, 30.0, False), (30.0, np.nan, False), (5.0, 8.0, False), (0.0, 8.0, False)],
)
def test_slopes_of_low_houses_keep_less_distance(tilt_deg: float, height_m: float, small: bool) -> None:
    table = footprints(shapely.box(0, 0, 12, 8))
    types, shapes, house = roof_types(table, RULES), table.geometry.to_numpy(), RULES.house_slopes
    planes = assumed_planes(table, types, shapes, np.zeros(1), RULES)
    planes = planes.assign(plane_tilt_deg=tilt_deg, pitched=tilt_deg > 0.0)
    row = open_planes(planes, np.array([True]), types, RULES, height_m=np.array([height_m])).iloc[0]
    rule = house if small else RULES
    assert row["setback_m"] == rule.setback_m.value
    assert row["min_patch_m2"] == rule.min_patch_m2.value
    assert house.setback_m.value < RULES.setback_m.value
    inner = density_shares(planes.assign(setback_m=row["setback_m"]), types, shapes, OccupiedAreas(), RULES)
    assert inner["inner_share"].iloc[0] == pytest.approx(
        (12.0 - 2.0 * rule.setback_m.value) * (8.0 - 2.0 * rule.setback_m.value) / 96.0
    )


def test_every_plane_has_weights_that_sum_to_one_and_east_west_has_two_planes() -> None:
    table = footprints(shapely.box(0, 0, 30, 10), shapely.affinity.rotate(shapely.box(50, 0, 80, 10), 17.0))
    table["building_use"] = ["office", "factory"]
    types = roof_types(table, RULES)
    shapes = table.geometry.to_numpy()
    planes = assumed_planes(table, types, shapes, np.zeros(2), RULES)
    planes = open_planes(planes, np.ones(len(planes), dtype=bool), types, RULES)
    shares = density_shares(planes, types, shapes, OccupiedAreas(), RULES)
    module = load_module()
    flush = flush_design(module.length_m, module.width_m, 0.02)
    for mounting, n_flat in (("rack", 1), ("east_west", 2), ("flush", 1)):
        system = FlatSystem(mounting=mounting, tilt_deg=12.0)
        on_flat = [flat_design(system, module, RULES, 34.6, 12.0)]
        layout = lay_out(planes, shares, on_flat, flush, rules=RULES)
        assert layout.planes.columns.tolist() == DENSITY_PLANES.names
        assert len(layout.planes) == n_flat + 2
        assert layout.variants.groupby("plane")["weight"].sum().tolist() == pytest.approx([1.0] * len(layout.planes))
        assert layout.planes.groupby("roof")["area_m2"].sum()[0] == pytest.approx(300.0)
        assert layout.planes["plane_id"].is_unique


# Surface ---------------------------------------------------------------------------------------------------------


class Slope:
    """Terrain that rises one metre per ten metres to the east."""

    def window(self, x_min: float, y_max: float, cell_size_m: float, n_rows: int, n_cols: int) -> np.ndarray:
        x = x_min + (np.arange(n_cols) + 0.5) * cell_size_m
        return np.broadcast_to((x / 10.0).astype(np.float32), (n_rows, n_cols)).copy()


def test_highest_building_wins_the_cell_and_ground_stays_ground() -> None:
    table = footprints(shapely.box(2, 2, 8, 8), shapely.box(5, 2, 11, 8))
    scene = blocks(table, [5.0, 9.0])
    surface = lod1_surface(Grid.covering((0, 0, 14, 10), 1.0), scene, shapely.STRtree(scene.geometry), None, None)
    assert surface.dsm[5, 3] == 5.0
    assert surface.dsm[5, 6] == 9.0
    assert surface.owner[5, 6] == 1
    assert surface.dsm[0, 0] == 0.0
    assert surface.owner[0, 0] == -1
    assert (surface.owner == 0).sum() == 18


def test_a_building_smaller_than_a_cell_keeps_its_cell() -> None:
    table = footprints(shapely.box(3.1, 3.1, 3.3, 3.3))
    scene = blocks(table, [5.0])
    surface = lod1_surface(Grid.covering((0, 0, 6, 6), 1.0), scene, shapely.STRtree(scene.geometry), None, None)
    assert (surface.owner == 0).sum() == 1
    assert surface.dsm[2, 3] == 5.0


def test_base_is_the_median_terrain_below_the_footprint() -> None:
    shapes = np.array([shapely.box(100, 100, 140, 120), shapely.box(900, 100, 910, 110), shapely.Polygon()])
    base = with_gaps_filled(median_under_m(shapes, Slope(), 5.0)[0])
    assert base[0] == pytest.approx(12.0, abs=0.3)
    assert base[1] == pytest.approx(90.5, abs=0.3)
    assert base[2] == pytest.approx(np.median(base[:2]))


def test_far_surface_holds_the_highest_top_of_each_cell() -> None:
    table = footprints(shapely.box(10, 10, 12, 12), shapely.box(4, 4, 6, 6), shapely.box(200, 10, 210, 20))
    scene = blocks(table, [30.0, 50.0, 7.0])
    far = far_surface(scene, None, None, None, 0.0)
    assert far.elevation_m.max() == 50.0
    rows, cols = far.grid.cell_of(np.array([11.0, 205.0]), np.array([11.0, 15.0]))
    assert far.elevation_m[rows, cols].tolist() == [50.0, 7.0]
