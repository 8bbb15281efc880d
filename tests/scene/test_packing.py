"""Modules in zones: never outside, never overlapping, the hand-computed optimum, close to slow searches."""

from __future__ import annotations

import itertools
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely
from shapely import affinity
from shapely.geometry import MultiPolygon, Polygon, box

import reference_packing as reference
from roof_shapes import nine_roofs, random_zone
from rooftop.config import FlatSystem
from rooftop.core.roof_rules import load_roof_rules
from rooftop.scene.array import row_pitch_m, shadow_ratio
from rooftop.scene.packing import Packed, PackOptions, flat_options, flush_options, pack, tilt_table
from rooftop.solar.energy import ModulePlane
from rooftop.solar.pvsystem import Module, list_modules, load_module

LATITUDE = 34.6
FLUSH = PackOptions("flush")
RACK = PackOptions("rack", (15.0,))
EAST_WEST = PackOptions("east_west", (10.0,), azimuth_deg=90.0, orientations=("landscape",))


@pytest.fixture(scope="module")
def module() -> Module:
    return load_module()


def packed(zone: Any, module: Module, options: PackOptions, tilt: float = 0.0, azimuth: float = 180.0) -> Packed:
    return pack(zone, tilt, azimuth, module, options, latitude_deg=LATITUDE)


def assert_sound(found: Packed, zone: Any, module: Module, gap: float, tilt: float = 0.0) -> None:
    """Inside the zone, apart by the clamp gap (seen from above), of the right size, areas in order."""
    cosine = math.cos(math.radians(tilt))
    assert found.count == len(found.modules) == len(found.second_half)
    shapes = shapely.polygons(found.modules)
    if found.count:
        around = shapely.buffer(shapely.make_valid(zone), 3e-6)
        shapely.prepare(around)
        assert shapely.covers(around, shapes).all()
        left, right = shapely.STRtree(shapes).query(shapes, predicate="dwithin", distance=gap * cosine - 1e-5)
        assert (left == right).all()
        leaning = cosine if found.mounting == "flush" else math.cos(math.radians(found.tilt_deg))
        np.testing.assert_allclose(shapely.area(shapes), module.area_m2 * leaning, rtol=1e-6)
    plan = shapely.area(shapes).sum() / cosine if found.count else 0.0
    assert found.module_area_m2 == pytest.approx(plan, rel=1e-6, abs=1e-9)
    assert found.module_face_area_m2 == pytest.approx(found.count * module.area_m2)
    order = (found.module_area_m2, found.array_area_m2, found.used_area_m2, found.zone_area_m2)
    assert all(smaller <= larger + 1e-4 for smaller, larger in itertools.pairwise(order)), order
    assert found.zone_area_m2 == pytest.approx(shapely.area(shapely.make_valid(zone)) / cosine)


def row_coordinates(found: Packed, facing_deg: float) -> np.ndarray:
    """Corners along the rows and across them, shape (n, 4, 2)."""
    facing = math.radians(facing_deg)
    up = np.array([-math.sin(facing), -math.cos(facing)])
    return found.modules @ np.column_stack([[up[1], -up[0]], up])


# Never outside, never overlapping --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "tilt"),
    [(FLUSH, 0.0), (FLUSH, 32.0), (RACK, 0.0), (RACK, 3.0), (EAST_WEST, 0.0)],
    ids=["flush level", "flush pitched", "rack", "rack on a drained roof", "east-west"],
)
def test_modules_lie_inside_and_apart_on_random_zones(module: Module, options: PackOptions, tilt: float) -> None:
    rng = np.random.default_rng(7)
    total = 0
    for _ in range(420):
        zone, azimuth = random_zone(rng), rng.uniform(0, 360)
        found = packed(zone, module, options, tilt, azimuth)
        assert_sound(found, zone, module, options.gap_m, tilt)
        total += found.count
    assert total > 14_000


def test_racks_keep_their_pitch_wherever_one_stands_behind_another(module: Module) -> None:
    rng = np.random.default_rng(11)
    for _ in range(150):
        zone, facing = random_zone(rng), rng.uniform(120, 240)
        found = packed(zone, module, PackOptions("rack", (15.0,), facing))
        if found.count < 2:
            continue
        corner = row_coordinates(found, facing)
        low, high = corner[:, :, 0].min(axis=1), corner[:, :, 0].max(axis=1)
        v = corner[:, :, 1].min(axis=1)
        part = shapely.STRtree(shapely.get_parts(zone)).query(
            shapely.centroid(shapely.polygons(found.modules)), "within"
        )
        of = np.zeros(found.count, dtype=int)
        of[part[0]] = part[1]
        behind = (low[:, None] < high - 1e-6) & (low < high[:, None] - 1e-6) & (of[:, None] == of)
        apart = np.abs(v[:, None] - v)
        assert (apart[behind & (apart > 1e-6)] >= found.pitch_m - 1e-5).all()


@pytest.mark.parametrize("name", list_modules())
def test_every_shipped_module_packs(name: str) -> None:
    found = packed(box(0, 0, 30, 20), load_module(name), FLUSH)
    assert found.capacity_kwp == pytest.approx(found.count * load_module(name).pdc0_w / 1000)
    assert found.module_area_m2 > 0.8 * 600


@pytest.mark.parametrize("zone", [Polygon(), MultiPolygon(), box(0, 0, 1, 1), box(0, 0, 1e-9, 50)], ids=str)
@pytest.mark.parametrize("options", [FLUSH, RACK, EAST_WEST], ids=lambda o: o.mounting)
def test_a_zone_without_room_is_empty(module: Module, options: PackOptions, zone: Any) -> None:
    found = packed(zone, module, options)
    assert found.count == 0 and found.modules.shape == (0, 4, 2)
    assert found.array_area_m2 == found.used_area_m2 == found.module_area_m2 == 0.0


def test_parts_nearer_than_the_clamp_gap_keep_it(module: Module) -> None:
    """Parts 5 mm apart which would each be filled to the millimetre."""
    for side in (module.width_m, module.length_m):
        wall = 7 * (side + 0.02) - 0.02
        for options in (FLUSH, RACK, EAST_WEST):
            zone = MultiPolygon([box(0, 0, wall, 12), box(wall + 0.005, 0.4, 2 * wall + 0.005, 12)])
            if options is EAST_WEST:
                zone = affinity.rotate(zone, 90, origin=(0, 0))
            found = packed(zone, module, options)
            assert_sound(found, zone, module, options.gap_m)
            assert found.used_area_m2 == pytest.approx(shapely.area(zone))


# The optimum by hand ---------------------------------------------------------------------------------------------


def grid(room: float, side: float, gap: float, pitch: float | None = None) -> int:
    """Sides of a given length, `gap` (or pitch - side) apart, within a room."""
    return max(math.floor((room - side) / (pitch or side + gap) + 1e-9) + 1, 0) if room > side - 1e-9 else 0


def test_rectangles_hold_the_hand_computed_optimum(module: Module) -> None:
    """Also those that fit to the millimetre, turned anywhere, far from the origin."""
    rng = np.random.default_rng(3)
    length, width, gap = module.length_m, module.width_m, 0.02
    for k in range(400):
        along, up = rng.uniform(2, 60, 2)
        if k % 2:  # whole modules exactly
            along, up = rng.integers(1, 20) * (width + gap) - gap, rng.integers(1, 9) * (length + gap) - gap
        turn, tilt = rng.uniform(0, 360), rng.choice([0.0, 8.0, 25.0])
        plan = box(0, 0, along, up * math.cos(math.radians(tilt)))
        zone = affinity.translate(affinity.rotate(plan, turn, origin=(0, 0)), 5.1e5, 3.8e6)
        facing = (180.0 - turn) % 360.0
        by_hand = max(grid(along, width, gap) * grid(up, length, gap), grid(along, length, gap) * grid(up, width, gap))
        assert packed(zone, module, FLUSH, tilt, facing).count == by_hand, (along, up, turn, tilt)
        if tilt:
            continue
        pitch = {side: row_pitch_m(side, 15.0, shadow_ratio(LATITUDE, facing)) for side in (length, width)}
        depth = {side: side * math.cos(math.radians(15.0)) for side in (length, width)}
        if 100 < facing < 260:
            by_hand = max(
                grid(along, width, gap) * grid(up, depth[length], 0.0, pitch[length]),
                grid(along, length, gap) * grid(up, depth[width], 0.0, pitch[width]),
            )
            assert packed(zone, module, PackOptions("rack", (15.0,), facing)).count == by_hand
        pair = 2 * width * math.cos(math.radians(10.0))
        by_hand = 2 * grid(along, length, gap) * grid(up, pair + 0.02, 0.0, pair + 0.35)
        pairs = PackOptions("east_west", (10.0,), facing, orientations=("landscape",))
        assert packed(zone, module, pairs).count == by_hand


def test_areas_of_a_rectangle_by_hand(module: Module) -> None:
    """44 x 20 m, one tilt: 4 rows of portrait modules, three row gaps between them."""
    found = packed(box(0, 0, 44, 20), module, PackOptions("rack", (25.0,), orientations=("portrait",)))
    depth = 2.278 * math.cos(math.radians(25))
    pitch = depth + 2.278 * math.sin(math.radians(25)) * shadow_ratio(LATITUDE)
    in_row = 38  # 38 x 1.134 + 37 x 0.02 = 43.83
    rows = 5  # 4 x 4.24 + 2.06 = 19.02
    assert (found.count, found.orientation) == (rows * in_row, "portrait")
    assert found.pitch_m == pytest.approx(pitch) and found.slope_length_m == 2.278
    run = in_row * 1.154 - 0.02
    assert found.array_area_m2 == pytest.approx(run * ((rows - 1) * pitch + depth), rel=1e-9)
    assert found.module_area_m2 == pytest.approx(rows * in_row * module.area_m2 * math.cos(math.radians(25)))
    assert found.used_area_m2 == pytest.approx(880.0) == found.zone_area_m2
    assert found.offset_m == pytest.approx(((44 - run) / 2, 0.0), abs=1e-6)


def test_of_two_parts_only_those_with_modules_are_used(module: Module) -> None:
    zone = MultiPolygon([box(0, 0, 20, 10), box(20.5, 0, 21.5, 10), box(90, 0, 91, 3)])
    for options in (FLUSH, RACK):
        assert packed(zone, module, options).used_area_m2 == pytest.approx(200.0)


def test_flush_rows_follow_the_eaves_whatever_the_walls_do(module: Module) -> None:
    """A plane that falls to 200°: modules' lower sides run at right angles to it."""
    zone = affinity.rotate(box(0, 0, 20, 12), 30)
    found = pack(zone, 20.0, 200.0, module, FLUSH, latitude_deg=LATITUDE, grid_north_deg=1.5)
    side = found.modules[0, 1] - found.modules[0, 0]
    towards = math.degrees(math.atan2(side[0], side[1]))
    assert towards % 180.0 == pytest.approx((200.0 - 1.5 - 90.0) % 180.0, abs=1e-6)
    falls = found.modules[0, 0] - found.modules[0, 3]
    assert math.degrees(math.atan2(falls[0], falls[1])) % 360.0 == pytest.approx(198.5, abs=1e-6)


def test_a_parallelogram_is_filled_by_rows_that_shift(module: Module) -> None:
    """Each row holds what a rectangle of the same base holds less what the lean takes: floor by hand."""
    lean, base, up = 1.0, 20.0, 4 * 2.298 - 0.02
    zone = Polygon([(0, 0), (base, 0), (base + lean * up, up), (lean * up, up)])
    found = packed(zone, module, PackOptions("flush", orientations=("portrait",)), 1e-3, 180.0)
    in_row = math.floor((base - lean * 2.278 + 0.02) / 1.154)
    assert found.count == 4 * in_row


# Direction, tilt, choice -----------------------------------------------------------------------------------------


def leaning_yield(plane: ModulePlane) -> float:
    """More with tilt up to 30°, less away from south; rows close together lose a little."""
    off = abs((plane.surface_azimuth - 180.0 + 180.0) % 360.0 - 180.0)
    return 1000.0 + 9.0 * plane.surface_tilt - 0.15 * plane.surface_tilt**2 - 0.5 * off


def test_rows_along_the_building_look_as_near_south_as_walls_allow(module: Module) -> None:
    zone = affinity.rotate(box(0, 0, 40, 18), 30)  # walls run 30° anticlockwise from east: one looks to 150°
    tilts = (10.0, 25.0)
    building = PackOptions("rack", tilts, rows="building")
    found = pack(zone, 0, 180, module, building, latitude_deg=LATITUDE, specific_yield=leaning_yield)
    assert found.azimuth_deg == pytest.approx(150.0, abs=1e-6)
    turned = pack(
        zone, 0, 180, module, building, latitude_deg=LATITUDE, grid_north_deg=2.0, specific_yield=leaning_yield
    )
    assert turned.azimuth_deg == pytest.approx(152.0, abs=1e-6)
    assert found.pitch_m == pytest.approx(
        row_pitch_m(found.slope_length_m, found.tilt_deg, shadow_ratio(LATITUDE, 150.0)), rel=1e-9
    )
    both = pack(zone, 0, 180, module, PackOptions("rack", tilts, rows="best"), latitude_deg=LATITUDE,
                specific_yield=leaning_yield)  # fmt: skip
    south = pack(zone, 0, 180, module, PackOptions("rack", tilts), latitude_deg=LATITUDE, specific_yield=leaning_yield)
    energies = [max(trial.energy for trial in each.trials) for each in (found, south)]
    assert max(trial.energy for trial in both.trials) == pytest.approx(max(energies))
    assert both.count == (found, south)[int(np.argmax(energies))].count


def test_tilt_gives_most_per_roof_or_per_module(module: Module) -> None:
    tilts = (10.0, 15.0, 20.0, 25.0, 30.0)
    zone = box(0, 0, 50, 24)
    alone = [
        pack(zone, 0, 180, module, PackOptions("rack", (tilt,)), latitude_deg=LATITUDE, specific_yield=leaning_yield)
        for tilt in tilts
    ]
    energy = [each.capacity_kwp * each.trials[0].specific_yield for each in alone]
    roof = pack(zone, 0, 180, module, PackOptions("rack", tilts), latitude_deg=LATITUDE, specific_yield=leaning_yield)
    assert roof.tilt_deg == tilts[int(np.argmax(energy))] == 10.0
    per_module = PackOptions("rack", tilts, tilt_for="module")
    each = pack(zone, 0, 180, module, per_module, latitude_deg=LATITUDE, specific_yield=leaning_yield)
    assert each.tilt_deg == 30.0 and each.count == alone[-1].count < roof.count
    assert len(roof.trials) == 2 * len(tilts)
    with pytest.raises(ValueError, match="specific_yield"):
        packed(zone, module, PackOptions("rack", tilts))


def test_tilt_table_shows_density_against_yield(module: Module) -> None:
    table = tilt_table(module, PackOptions("rack", (10.0, 15.0, 25.0), orientations=("portrait",)),
                       latitude_deg=LATITUDE, specific_yield=leaning_yield)  # fmt: skip
    # domain.md: ground cover ratio at Lianyungang, less the clamp gap along the row
    assert table["face_per_array"].to_numpy() * 1.154 / 1.134 == pytest.approx([0.73, 0.65, 0.54], abs=0.006)
    assert table["kwh_per_m2"].to_numpy() == pytest.approx(table["kwp_per_m2"] * table["kwh_kwp"])


def test_both_halves_of_a_pair_are_asked_for_their_yield(module: Module) -> None:
    asked: list[float] = []

    def ask(plane: ModulePlane) -> float:
        asked.append(plane.surface_azimuth)
        return plane.surface_azimuth

    found = pack(box(0, 0, 20, 20), 0, 180, module, EAST_WEST, latitude_deg=LATITUDE, specific_yield=ask)
    assert asked == [90.0, 270.0] and found.trials[0].specific_yield == 180.0
    corner = row_coordinates(found, 90.0)[:, :, 1].min(axis=1)
    assert (corner[found.second_half] > corner[~found.second_half]).all()
    assert found.second_half.sum() * 2 == found.count


def test_options_come_from_the_configuration() -> None:
    rules = load_roof_rules()
    rack = flat_options(FlatSystem(), rules, LATITUDE)
    assert rack.tilts_deg == tuple(rules.auto_tilt_deg.candidates) and min(rack.tilts_deg) >= 10.0
    assert (rack.azimuth_deg, flat_options(FlatSystem(), rules, -LATITUDE).azimuth_deg) == (180.0, 0.0)
    system = FlatSystem(tilt_deg=22.0, azimuth_deg=170.0, rows="building", tilt_for="module")
    fixed = flat_options(system, rules, -LATITUDE)
    assert (fixed.tilts_deg, fixed.azimuth_deg, fixed.rows, fixed.tilt_for) == ((22.0,), 170.0, "building", "module")
    pair = flat_options(FlatSystem(mounting="east_west"), rules, LATITUDE)
    assert (pair.tilts_deg, pair.azimuth_deg, pair.orientations) == ((10.0,), 90.0, ("landscape",))
    assert flush_options(rules).mounting == "flush"


# Known densities -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("tilt", "share"), [(25.0, 0.32), (10.0, 0.44)])
def test_lianyungang_flat_concrete_roofs(module: Module, tilt: float, share: float) -> None:
    """Domain facts: usable share 0.6, rows facing south; module (face) over gross roof."""
    face, gross = 0.0, 0.0
    for along in (40.0, 52.0, 64.0, 75.0, 90.0):
        for across in (14.0, 18.0, 24.0, 33.0):
            k = math.sqrt(0.6)
            found = packed(box(0, 0, along * k, across * k), module, PackOptions("rack", (tilt,)))
            face, gross = face + found.module_face_area_m2, gross + along * across
    assert face / gross == pytest.approx(share, abs=0.03)


def test_clear_steel_sheds_carry_more_than_six_tenths(module: Module) -> None:
    for along, across in ((60.0, 24.0), (90.0, 36.0), (120.0, 48.0)):
        face = 0.0
        for azimuth, low in ((180.0, 0.0), (0.0, across / 2)):
            zone = box(0.8, low + 0.8, along - 0.8, low + across / 2 - 0.4)
            face += packed(zone, module, FLUSH, 5.0, azimuth).module_face_area_m2
        assert face / (along * across / math.cos(math.radians(5.0))) > 0.6


def test_nine_roofs_of_the_picture_are_sound(module: Module) -> None:
    by_name = {"rack": RACK, "flush": FLUSH, "east_west": EAST_WEST}
    for roof in nine_roofs():
        for zone, tilt, azimuth in roof.planes:
            found = packed(zone, module, by_name[roof.mounting], tilt, azimuth)
            assert found.count > 4, roof.name
            assert_sound(found, zone, module, 0.02, tilt)


# Close to slow searches ------------------------------------------------------------------------------------------


def share_of_search(zone: Any, module: Module, options: PackOptions, steps: int) -> tuple[int, int]:
    """Modules found, and the best of a slow search; flush zones are turned to all walls, or every 5 degrees too."""
    found = packed(zone, module, options)
    every = 5.0 if options.rows == "best" else None
    turns = reference.wall_directions(zone, every) if options.mounting == "flush" else [0.0]
    designs = {trial.design.orientation: trial.design for trial in found.trials}
    best = 0
    for turned in reference.turned(zone, turns):
        for design in designs.values():
            size = reference.Size(design.depth_m, design.pitch_m, design.width_m, design.gap_m)
            best = max(best, reference.best_shifted_rows(turned, size, steps))
            if len(turns) == 1:
                best = max(best, reference.best_grid(turned, size, 6))
    return found.count, best


def test_concave_and_holed_zones_come_close_to_a_slow_search(module: Module) -> None:
    rng = np.random.default_rng(5)
    found = np.array([share_of_search(random_zone(rng), module, RACK, 24) for _ in range(25)])
    assert found[:, 0].sum() >= 0.99 * found[:, 1].sum()
    assert (found[:, 0] >= np.floor(0.97 * found[:, 1])).all()


@pytest.mark.real
def test_real_footprints_come_within_3_percent_of_a_slow_search(module: Module, shared_data: Path) -> None:
    import geopandas as gpd

    path = shared_data / "buildings_suzhou" / "suzhou_oldtown_3076.geojson"
    zones = shapely.buffer(gpd.read_file(path).to_crs(4549).geometry.values, -0.8, join_style="mitre")
    chosen = np.random.default_rng(1).choice(zones[shapely.area(zones) > 10], 24, replace=False)
    for options, some, steps in (
        (RACK, chosen, 32),
        (FLUSH, chosen[:12], 12),
        (PackOptions("flush", rows="best"), chosen[:8], 6),
    ):
        found = np.array([share_of_search(zone, module, options, steps) for zone in some])
        assert found[:, 0].sum() >= 0.99 * found[:, 1].sum()
        assert (found[:, 0] >= np.floor(0.97 * found[:, 1])).all()
