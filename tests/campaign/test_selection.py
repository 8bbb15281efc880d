"""The cheapest set: it covers, it is near the optimum, and the stated bound is a bound."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rooftop.campaign import selection
from rooftop.campaign.selection import cheapest_cover

roofs = st.lists(st.tuples(st.floats(1.0, 1000.0), st.floats(1.0, 1000.0)), min_size=1, max_size=9)  # (cost, area)


def _optimum(cost: np.ndarray, area: np.ndarray, need: float) -> float:
    """Cheapest cover by trying every subset: another algorithm."""
    best = np.inf
    for picks in product([False, True], repeat=len(cost)):
        chosen = np.array(picks)
        if area[chosen].sum() >= need:
            best = min(best, float(cost[chosen].sum()))
    return best


@settings(max_examples=120, deadline=None)
@given(roofs, st.floats(0.01, 0.99))
def test_against_every_subset(pairs: list[tuple[float, float]], share: float) -> None:
    cost, area = (np.array(column) for column in zip(*pairs, strict=True))
    need = share * float(area.sum())
    found = cheapest_cover(cost, area, need)
    best = _optimum(cost, area, need)
    assert found.reached and found.covered_m2 >= need
    assert found.bound_yuan <= best * (1 + 1e-9) <= found.cost_yuan * (1 + 1e-9)
    nearly = _optimum(cost, area, need * (1 + len(cost) / 5_000))
    assert found.cost_yuan <= (nearly if np.isfinite(nearly) else float(cost.sum())) * (1 + 2e-3)


@settings(max_examples=60, deadline=None)
@given(roofs, st.floats(0.01, 0.99))
def test_the_greedy_set_is_one_roof_from_the_linear_bound(pairs: list[tuple[float, float]], share: float) -> None:
    cost, area = (np.array(column) for column in zip(*pairs, strict=True))
    need = share * float(area.sum())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(selection, "MAX_EXACT", 0)
        found = cheapest_cover(cost, area, need)
    assert found.bound_yuan <= _optimum(cost, area, need) * (1 + 1e-9)
    assert found.cost_yuan <= found.bound_yuan + cost.max() + 1e-6


@settings(max_examples=60, deadline=None)
@given(roofs, st.integers(1, 511))
def test_dynamic_programming_finds_the_optimum_from_the_worst_start(
    pairs: list[tuple[float, float]], members: int
) -> None:
    cost, area = (np.array(column) for column in zip(*pairs, strict=True))
    picked = np.array([bool(members >> k & 1) for k in range(len(cost))])
    # A need that a subset meets exactly leaves no room for sloppy rounding.
    need = float(area[picked].sum()) if picked.any() else float(area.sum())
    everything = np.ones(len(cost), dtype=bool)
    chosen, bound = selection._improve(everything, 0.0, np.arange(len(cost)), cost, area, need)
    best = _optimum(cost, area, need)
    assert area[chosen].sum() >= need
    assert bound <= best * (1 + 1e-9) <= cost[chosen].sum() * (1 + 2e-9)
    # What half a step per roof can hide is at most one roof that just reaches.
    nearly = _optimum(cost, area, need * (1 + len(cost) / 5_000))
    assert cost[chosen].sum() <= (nearly if np.isfinite(nearly) else cost.sum()) * (1 + 1e-9)


@settings(max_examples=60, deadline=None)
@given(roofs, st.floats(0.01, 0.99))
def test_nothing_chosen_is_superfluous(pairs: list[tuple[float, float]], share: float) -> None:
    cost, area = (np.array(column) for column in zip(*pairs, strict=True))
    need = share * float(area.sum())
    found = cheapest_cover(cost, area, need)
    for row in np.flatnonzero(found.chosen):
        assert found.covered_m2 - area[row] < need + 1e-6


def test_by_hand() -> None:
    cost, area = np.array([100.0, 30.0, 45.0]), np.array([100.0, 20.0, 40.0])
    found = cheapest_cover(cost, area, 110.0)
    # By cost per m²: the first (1.00), the third (1.125), the second (1.5). Ten m² remain after the first; the second
    # closes them for 30 yuan, the third for 45. The linear bound takes a quarter of the third; branch and bound proves
    # that 130 is the cheapest.
    assert found.chosen.tolist() == [True, True, False]
    assert found.cost_yuan == 130.0
    assert found.gap == pytest.approx(0.0, abs=1e-4)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(selection, "MAX_EXACT", 0)
        greedy = cheapest_cover(cost, area, 110.0)
    assert greedy.bound_yuan == pytest.approx(100.0 + 10.0 * 45.0 / 40.0)
    assert greedy.gap == pytest.approx(130.0 / 111.25 - 1.0)


def test_a_need_beyond_all_roofs_takes_all_and_says_what_is_missing() -> None:
    found = cheapest_cover(np.array([1.0, 2.0, np.nan]), np.array([5.0, 5.0, 100.0]), 12.0)
    assert not found.reached and found.missing_m2 == pytest.approx(2.0)
    assert found.chosen.tolist() == [True, True, False]


@pytest.mark.parametrize("need", [0.0, -3.0])
def test_no_need_no_roof(need: float) -> None:
    found = cheapest_cover(np.array([1.0]), np.array([5.0]), need)
    assert found.reached and not found.chosen.any() and found.gap == 0.0


def test_ties_go_to_the_earlier_row() -> None:
    found = cheapest_cover(np.ones(4), np.ones(4), 2.0)
    assert found.chosen.tolist() == [True, True, False, False]


def test_large_case_is_close_to_the_bound() -> None:
    rng = np.random.default_rng(3)
    area = rng.uniform(50, 5000, 20_000)
    cost = area * rng.uniform(300, 600, area.size)
    found = cheapest_cover(cost, area, 0.4 * float(area.sum()))
    assert found.reached and found.gap < 1e-4
