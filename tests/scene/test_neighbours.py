"""Which roofs share a wall, and what a row of houses gains by it."""

from __future__ import annotations

import numpy as np
import pytest
import shapely

from rooftop.scene.neighbours import shared_walls
from rooftop.scene.plane_rules import load_plane_rules

RULES = load_plane_rules().zones
TOUCH, LEVEL = RULES.touch_m.value, RULES.level_m.value


def row(*gaps: float) -> np.ndarray:
    """Return houses of 5 × 10 m side by side, the gaps between them given."""
    west = np.concatenate([[0.0], np.cumsum(5.0 + np.array(gaps))])
    return np.array([shapely.box(x, 0, x + 5, 10) for x in west], dtype=object)


def test_a_row_shares_its_inner_walls_only() -> None:
    houses = row(0.0, 0.0)
    shared = shared_walls(houses, np.full(3, 8.0), RULES, 0.8)
    assert sorted(shared) == [0, 1, 2]
    of_outline = [shapely.intersection(houses[k].exterior, shared[k]).length for k in range(3)]
    assert of_outline == pytest.approx([10.0 + 2 * TOUCH, 20.0 + 4 * TOUCH, 10.0 + 2 * TOUCH])
    assert shapely.intersection(houses[0].exterior, shared[0]).bounds[0] == pytest.approx(5.0 - TOUCH)


@pytest.mark.parametrize(("step", "found"), [(0.0, [0, 1]), (0.99 * LEVEL, [0, 1]), (1.01 * LEVEL, []), (np.nan, [])])
def test_only_level_roofs_count(step: float, found: list[int]) -> None:
    for up in (step, -step):
        assert sorted(shared_walls(row(0.0), np.array([8.0, 8.0 + up]), RULES, 0.8)) == found


@pytest.mark.parametrize(("gap", "found"), [(0.9 * TOUCH, [0, 1]), (1.1 * TOUCH, [])])
def test_joints_count_and_alleys_do_not(gap: float, found: list[int]) -> None:
    assert sorted(shared_walls(row(gap), np.full(2, 8.0), RULES, 0.8)) == found


def test_empty_and_lonely_roofs_have_none() -> None:
    houses = np.array([shapely.box(0, 0, 5, 10), shapely.Polygon(), shapely.box(50, 0, 55, 10)], dtype=object)
    assert shared_walls(houses, np.full(3, 8.0), RULES, 0.8) == {}
    assert shared_walls(houses[:0], np.zeros(0), RULES, 0.8) == {}


def test_a_strip_narrower_than_the_setback_is_an_edge() -> None:
    house = shapely.box(0.0, 0.0, 10.0, 10.0)
    for width, shares in ((0.4, False), (0.79, False), (0.9, True), (8.0, True)):
        strip = shapely.difference(shapely.box(0.0, 0.0, 10.0 + width, 10.0), house)
        assert (0 in shared_walls(np.array([house, strip]), np.full(2, 8.0), RULES, 0.8)) == shares
    ring = shapely.difference(shapely.buffer(house, 0.4, join_style="mitre"), house)
    assert 0 not in shared_walls(np.array([house, ring]), np.full(2, 8.0), RULES, 0.8)
