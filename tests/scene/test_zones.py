"""Usable zones by areas computed by hand, in plan and on slopes."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import shapely
from shapely.affinity import rotate

from rooftop.core.roof_rules import load_roof_rules
from rooftop.scene.plane_rules import load_plane_rules
from rooftop.scene.zones import Slope, ZoneDistances, large_pieces, net_zone, zone_distances

RULES = ZoneDistances(
    edge_setback_m=1.0,
    ridge_setback_m=0.4,
    clearance_m=0.5,
    clearance_per_height=0.0,
    walkway_m=1.0,
    walkway_every_m=40.0,
    min_patch_m2=10.0,
)
FLAT = Slope(0.0, 180.0)
ROOF = shapely.box(0, 0, 20, 12)


def usable_zone(plane: shapely.Geometry, slope: Slope, rules: ZoneDistances, **more: Any) -> shapely.Geometry:
    """What may carry modules: the net zone's pieces that are large enough, measured in the plane."""
    zone = net_zone(plane, slope, rules, **more)
    return large_pieces(zone, rules.min_patch_m2 * math.cos(math.radians(slope.tilt_deg)))


def boxes(*corners: tuple[float, float, float, float]) -> np.ndarray:
    return np.array([shapely.box(*corner) for corner in corners], dtype=object)


def test_setback_on_every_side() -> None:
    assert usable_zone(ROOF, FLAT, RULES).area == pytest.approx(18.0 * 10.0)
    assert usable_zone(ROOF, FLAT, RULES, footprint=ROOF).area == pytest.approx(180.0)


def test_ridge_keeps_another_distance_than_the_edge() -> None:
    """The south half of a flat-lying gable: three edges and a ridge."""
    zone = usable_zone(shapely.box(0, 0, 20, 6), FLAT, RULES, footprint=ROOF)
    assert zone.bounds == pytest.approx((1.0, 1.0, 19.0, 5.6))
    assert zone.area == pytest.approx(18.0 * 4.6)


def test_distances_lie_in_the_plane() -> None:
    """On a slope of 60° to the south a metre up the slope is half a metre in plan; along the eaves it is a metre."""
    zone = usable_zone(shapely.box(0, 0, 20, 6), Slope(60.0, 180.0), RULES, footprint=ROOF)
    assert zone.bounds == pytest.approx((1.0, 0.5, 19.0, 6.0 - 0.2))
    east = usable_zone(shapely.box(0, 0, 20, 6), Slope(60.0, 90.0), RULES)
    assert east.bounds == pytest.approx((0.5, 1.0, 19.5, 5.0))


def test_a_shared_wall_keeps_the_distance_of_a_ridge() -> None:
    """West of the roof stands another as high: 19 - 0.4 m are left of its length, not 18 m."""
    wall = shapely.box(-10, 0, 0.3, 12)
    zone = usable_zone(ROOF, FLAT, RULES, footprint=ROOF, shared=wall)
    assert zone.bounds == pytest.approx((0.4, 1.0, 19.0, 11.0))
    assert zone.area == pytest.approx(18.6 * 10.0, abs=1e-6)
    steep = usable_zone(shapely.box(0, 0, 20, 6), Slope(60.0, 180.0), RULES, footprint=ROOF, shared=wall)
    assert steep.bounds == pytest.approx((0.4, 0.5, 19.0, 5.8))
    roof, beside = rotate(ROOF, 31.0, (0, 0)), rotate(wall, 31.0, (0, 0))
    turned = usable_zone(roof, FLAT, RULES, footprint=roof, shared=beside)
    assert turned.area == pytest.approx(zone.area, abs=1e-6)


def test_only_the_shared_part_of_a_side_does() -> None:
    """The neighbour ends half way: round its end the edge's metre is kept."""
    zone = usable_zone(ROOF, FLAT, RULES, footprint=ROOF, shared=shapely.box(-10, 6, 0.3, 12))
    assert zone.contains(shapely.box(0.41, 7.01, 1.1, 10.99))
    assert not zone.intersects(shapely.box(0, 0, 0.99, 6))
    assert shapely.distance(zone, shapely.Point(0, 6)) == pytest.approx(1.0, abs=0.01)


def test_a_shared_wall_where_ridges_keep_more_than_edges() -> None:
    rules = replace(RULES, edge_setback_m=0.4, ridge_setback_m=1.0)
    zone = usable_zone(ROOF, FLAT, rules, footprint=ROOF, shared=shapely.box(-10, 0, 0.3, 12))
    assert zone.bounds == pytest.approx((1.0, 0.4, 19.6, 11.6))


def test_turned_planes_give_turned_zones() -> None:
    plane = shapely.box(0, 0, 20, 6)
    straight = usable_zone(plane, Slope(50.0, 180.0), RULES, footprint=ROOF)
    for turn in (20.0, 137.0):
        zone = usable_zone(
            rotate(plane, turn, (0, 0)), Slope(50.0, 180.0 - turn), RULES, footprint=rotate(ROOF, turn, (0, 0)),
        )  # fmt: skip
        assert shapely.symmetric_difference(zone, rotate(straight, turn, (0, 0))).area < 0.3
        assert zone.area == pytest.approx(straight.area, abs=0.2)


def test_obstacles_take_their_clearance() -> None:
    zone = usable_zone(ROOF, FLAT, RULES, obstacles=boxes((5, 5, 6, 7)))
    assert zone.area == pytest.approx(180.0 - 2.0 * 3.0)
    # at the setback only what lies inside it is lost
    beside = usable_zone(ROOF, FLAT, RULES, obstacles=boxes((8, 0, 10, 2)))
    assert beside.area == pytest.approx(180.0 - 3.0 * 1.5)
    # one that stands beside the plane reaches into it, one further away does not
    other = usable_zone(
        ROOF, FLAT, replace(RULES, edge_setback_m=0.0), obstacles=boxes((20.2, 5, 21, 6), (30, 5, 31, 6))
    )
    assert other.area == pytest.approx(240.0 - 0.3 * 2.0)
    high = replace(RULES, clearance_per_height=0.5)
    taller = usable_zone(ROOF, FLAT, high, obstacles=boxes((5, 5, 6, 7)), obstacle_heights_m=np.array([-2.0]))
    assert taller.area == pytest.approx(180.0 - 4.0 * 5.0)
    # on a slope the clearance up the slope is shorter in plan
    steep = usable_zone(ROOF, Slope(60.0, 180.0), RULES, obstacles=boxes((5, 5, 6, 7)))
    assert steep.area == pytest.approx(18.0 * 11.0 - 2.0 * 2.5)


def test_walkways_cut_long_zones_into_blocks() -> None:
    long = shapely.box(0, 0, 102, 12)  # 100 m inside: 3 blocks of at most 40 m, two walkways
    zone = net_zone(long, FLAT, RULES)
    assert zone.area == pytest.approx(98.0 * 10.0)
    assert len(shapely.get_parts(zone)) == 3
    assert all(piece.bounds[2] - piece.bounds[0] <= 40.0 for piece in shapely.get_parts(zone))
    fits = shapely.box(0, 0, 83, 12)  # 81 m: two blocks of 40 m and a walkway of 1 m
    assert [round(piece.area, 6) for piece in shapely.get_parts(net_zone(fits, FLAT, RULES))] == [400.0, 400.0]
    square = net_zone(shapely.box(0, 0, 52, 52), FLAT, RULES)
    assert square.area == pytest.approx(49.0 * 49.0)
    turned = net_zone(rotate(long, 33.0, (0, 0)), FLAT, RULES)
    assert turned.area == pytest.approx(980.0)


def test_small_patches_go() -> None:
    """A wall of obstacles leaves 4 x 10 m and 12.5 x 10 m; a narrower roof a patch below the minimum."""
    wall = boxes((5.5, 0, 6.0, 12))
    zone = usable_zone(ROOF, FLAT, RULES, obstacles=wall)
    assert sorted(round(piece.area, 6) for piece in shapely.get_parts(zone)) == [40.0, 125.0]
    less = usable_zone(shapely.box(3.1, 0, 20, 12), FLAT, RULES, obstacles=wall)
    assert less.area == pytest.approx(125.0)
    kept = usable_zone(shapely.box(2.9, 0, 20, 12), FLAT, RULES, obstacles=wall)
    assert kept.area == pytest.approx(125.0 + 1.1 * 10.0)
    assert large_pieces(shapely.box(0, 0, 3, 3), 10.0).is_empty
    # the minimum is measured in the plane: 3 x 2 m in plan are 12 m² on 60°
    steep = usable_zone(shapely.box(0, 0, 5, 3), Slope(60.0, 180.0), RULES)
    assert steep.area == pytest.approx(3.0 * 2.0)


def test_nothing_left() -> None:
    assert usable_zone(shapely.box(0, 0, 1.9, 50), FLAT, RULES).is_empty
    assert usable_zone(shapely.Polygon(), FLAT, RULES).is_empty
    assert usable_zone(ROOF, FLAT, RULES, obstacles=boxes((0, 0, 20, 12))).is_empty


def test_holes_are_edges() -> None:
    court = shapely.difference(ROOF, shapely.box(8, 5, 12, 7))
    zone = usable_zone(court, FLAT, RULES, footprint=court)
    corners = 4.0 * (1.0 - math.pi / 4.0)  # the setback runs round the corners of the hole
    assert zone.area == pytest.approx(180.0 - 6.0 * 4.0 + corners, abs=0.05)


def test_the_edge_setback_counts_from_a_drop() -> None:
    """A strip of a metre within the outline lies low; on a slope distances are shorter in plan."""
    strip = shapely.box(0, 0, 20, 1)
    zone = usable_zone(ROOF, FLAT, RULES, footprint=ROOF, drop=strip)
    assert zone.bounds == pytest.approx((1.0, 2.0, 19.0, 11.0))
    border = shapely.LineString([(0, 1), (20, 1)])  # a line is enough where the plane ends there
    beside = usable_zone(shapely.box(0, 1, 20, 12), FLAT, RULES, footprint=ROOF, drop=border)
    assert beside.bounds == pytest.approx(zone.bounds)
    slope = usable_zone(ROOF, Slope(60.0, 180.0), RULES, footprint=ROOF, drop=strip)
    assert slope.bounds == pytest.approx((1.0, 1.5, 19.0, 11.5))


def test_shipped_values() -> None:
    rules = zone_distances(load_roof_rules(), load_plane_rules())
    assert rules.edge_setback_m == load_roof_rules().setback_m.value
    assert rules.min_patch_m2 == load_roof_rules().min_patch_m2.value
    assert 0.0 < rules.clearance_m <= 1.0
    assert usable_zone(ROOF, FLAT, rules).area == pytest.approx((20 - 1.6) * (12 - 1.6))
