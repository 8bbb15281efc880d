"""Bounds of a ratio against enumeration of every assignment."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rooftop.targets.bounds import attainment, ratio_bounds

AREA = st.sampled_from([0.0, 0.0, 1.0, 2.0, 3.0, 5.0, 8.0, 40.0])


@st.composite
def _buildings(draw):
    """Up to six buildings with the ways each may count; option 0 has the largest denominator."""
    rows = []
    for _ in range(draw(st.integers(0, 6))):
        d = draw(AREA)
        options = [(draw(AREA), d)]
        options.append(draw(st.sampled_from([options[0], (draw(AREA), 0.0), (0.0, d)])))
        options.append(draw(st.sampled_from([options[0], (0.0, 0.0)])))
        rows.append(options)
    return rows


def _enumerate(rows, base):
    ratios = []
    for choice in product(*rows):
        n = base[0] + sum(o[0] for o in choice)
        d = base[1] + sum(o[1] for o in choice)
        if d > 0:
            ratios.append(n / d)
    return (min(ratios), max(ratios)) if ratios else (np.nan, np.nan)


@settings(max_examples=200, deadline=None)
@given(_buildings(), _buildings(), st.tuples(AREA, AREA), st.tuples(AREA, AREA))
def test_bounds_equal_enumeration(rows_a, rows_b, base_a, base_b):
    rows = rows_a + rows_b
    unit = np.array([0] * len(rows_a) + [1] * len(rows_b), dtype=np.intp)
    options = np.array(rows, dtype=float).reshape(len(rows), 3, 2)
    base = np.array([base_a, base_b])
    low, high = ratio_bounds(unit, options[:, :, :1], options[:, :, 1:], base[:, :1], base[:, 1:])
    for i, (own, start) in enumerate(((rows_a, base_a), (rows_b, base_b))):
        np.testing.assert_allclose((low[i, 0], high[i, 0]), _enumerate(own, start), rtol=1e-12)


def test_several_ratios_side_by_side_do_not_mix():
    # Two buildings that may or may not count, beside a certain one of 1 over 4.
    # Ratio A: options 3/4 and 0/4; ratio B: options 0/1 and 5/1.
    n = np.array([[[3.0, 0.0], [0.0, 0.0]], [[0.0, 5.0], [0.0, 0.0]]])
    d = np.array([[[4.0, 1.0], [0.0, 0.0]], [[4.0, 1.0], [0.0, 0.0]]])
    base_n, base_d = np.array([[1.0, 1.0]]), np.array([[4.0, 4.0]])
    low, high = ratio_bounds(np.array([0, 0]), n, d, base_n, base_d)
    # A: highest with the first in, (1+3)/(4+4); lowest with the second in, 1/8.
    # B: highest with the second in, (1+5)/(4+1); lowest with the first in, 1/5.
    assert low.tolist() == [[1 / 8, 1 / 5]]
    assert high.tolist() == [[4 / 8, 6 / 5]]


def test_empty_unit_has_no_bounds():
    nothing = np.empty((0, 3, 1))
    low, high = ratio_bounds(np.empty(0, dtype=np.intp), nothing, nothing, np.zeros((1, 1)), np.zeros((1, 1)))
    assert np.isnan(low).all()
    assert np.isnan(high).all()


@pytest.mark.parametrize("seed", range(3))
def test_many_buildings_agree_with_sorting_by_own_ratio(seed):
    # Independent method for buildings in or out: sort by own ratio, the best prefix is the maximum.
    rng = np.random.default_rng(seed)
    n, d = rng.uniform(0, 50, 5000), rng.uniform(1, 100, 5000)
    base = (300.0, 2000.0)
    options_n = np.stack([n, np.zeros_like(n)], axis=1)[:, :, None]
    options_d = np.stack([d, np.zeros_like(d)], axis=1)[:, :, None]
    low, high = ratio_bounds(
        np.zeros(5000, dtype=np.intp), options_n, options_d, np.array([[base[0]]]), np.array([[base[1]]])
    )
    for order, extreme, found in ((np.argsort(-n / d), np.max, high), (np.argsort(n / d), np.min, low)):
        cut_n = base[0] + np.concatenate([[0.0], np.cumsum(n[order])])
        cut_d = base[1] + np.concatenate([[0.0], np.cumsum(d[order])])
        assert found[0, 0] == pytest.approx(extreme(cut_n / cut_d), rel=1e-12)


def test_verdict_follows_the_bounds():
    low = np.array([0.3, 0.5, 0.5 - 1e-12, 0.1, 0.5, 0.1, np.nan])
    high = np.array([0.6, 0.7, 0.5, 0.4, 0.7, 0.4, np.nan])
    known = np.array([True, True, True, True, False, False, True])
    assert attainment(low, high, 0.5, known).tolist() == ["unknown", "yes", "yes", "no", "unknown", "unknown", None]
    assert attainment(low, high, np.nan, known).tolist() == [None] * 7
