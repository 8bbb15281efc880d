"""Points to cells: exact on planes, chunks change nothing, walls stay, terrain goes on smoothly under buildings."""

from __future__ import annotations

import numpy as np
import pytest

from rooftop.core.types import F4
from rooftop.inputs.gridding import LayerMean, TopTwo, by_blocks, fill_cell_gaps, fill_smooth

EAST, SOUTH = 0.6, -0.35  # metres up per metre


def plane(shape: tuple[int, int], cell: float = 0.5) -> F4:
    row, col = np.mgrid[: shape[0], : shape[1]]
    return (5.0 + EAST * (col + 0.5) * cell + SOUTH * (row + 0.5) * cell).astype(np.float32)


def test_top_two_of_chunks_are_those_of_all_points() -> None:
    rng = np.random.default_rng(0)
    cell, z = rng.integers(0, 40, 500), rng.normal(0.0, 3.0, 500)
    top = TopTwo((6, 7))
    for part in np.array_split(rng.permutation(500), 7):
        top.add(cell[part], z[part])
    for k in range(42):
        high = np.append(np.sort(z[cell == k])[::-1], [-np.inf, -np.inf])
        assert (top.first[k], top.second[k]) == (high[0], high[1])


def test_a_bird_is_passed_over_and_a_mast_of_two_points_or_an_edge_is_not() -> None:
    top = TopTwo((5, 5))
    every = np.arange(25)
    top.add(every, np.where(every % 5 < 3, 10.0, 2.0))  # a wall between columns 2 and 3
    top.add(np.array([6]), np.array([14.0]))  # a bird over the roof
    top.add(np.array([18, 18]), np.array([9.0, 8.5]))  # a mast beside it, lower than the roof
    high, n = top.without_spikes(2.0)
    assert n == 1
    assert high[6] == 10.0
    assert high[18] == 9.0
    assert (high.reshape(5, 5)[:, 2] == 10.0).all()  # higher than the ground next to it, not than the roof


def test_a_mast_higher_than_all_around_it_stays_where_two_points_say_so() -> None:
    top = TopTwo((3, 3))
    top.add(np.array([0, 1, 2, 3, 4, 4, 4, 5, 6, 7, 8]), np.array([2.0, 2, 2, 2, 2.0, 8.5, 9.0, 2, 2, 2, 2]))
    high, n = top.without_spikes(2.0)
    assert (high[4], n) == (9.0, 0)


def test_a_lone_point_far_from_all_others_stays() -> None:
    top = TopTwo((5, 5))
    top.add(np.array([12]), np.array([30.0]))
    high, n = top.without_spikes(2.0)
    assert (high[12], n) == (30.0, 0)


def test_points_anywhere_in_their_cells_give_the_plane_at_the_centres() -> None:
    """The cell's height is that of its centre, not that of where its points lie; at the rim of what is known too."""
    shape, cell, rng = (20, 24), 0.5, np.random.default_rng(1)
    index = np.repeat(np.arange(480), 3)
    east, south = rng.uniform(-0.25, 0.25, (2, len(index)))
    row, col = np.divmod(index, 24)
    z = 5.0 + EAST * ((col + 0.5) * cell + east) + SOUTH * ((row + 0.5) * cell + south)
    mean = LayerMean(np.full(480, -np.inf), np.full(480, np.inf))
    mean.add(index[:700], z[:700], east[:700], south[:700])
    mean.add(index[700:], z[700:], east[700:], south[700:])
    np.testing.assert_allclose(mean.at_centres(shape, cell), plane(shape), atol=1e-5)


def test_no_slope_is_taken_across_a_wall() -> None:
    """Two levels: whatever is beside the wall, the cells along it keep their level."""
    rng = np.random.default_rng(4)
    index = np.repeat(np.arange(400), 3)
    east, south = rng.uniform(-0.25, 0.25, (2, len(index)))
    mean = LayerMean(np.full(400, -np.inf), np.full(400, np.inf))
    mean.add(index, np.where(index % 20 < 8, 9.0, 3.0), east, south)
    got = mean.at_centres((20, 20), 0.5)
    np.testing.assert_allclose(got, np.where(np.arange(20) < 8, 9.0, 3.0)[None, :].repeat(20, axis=0), atol=1e-5)


def test_only_the_top_layer_counts() -> None:
    mean = LayerMean(np.array([9.5]), np.array([10.0]))
    mean.add(np.zeros(4, dtype=np.int64), np.array([10.0, 9.6, 9.4, 12.0]), np.zeros(4), np.zeros(4))
    assert mean.at_centres((1, 1), 0.5)[0, 0] == pytest.approx(9.8)


def test_small_gaps_in_a_slope_are_filled_exactly_and_large_ones_stay() -> None:
    true = plane((20, 20))
    seen = true.copy()
    seen[4:6, 4:12] = seen[10:15, 10:15] = np.nan
    seen[:, 0] = np.nan
    got = fill_cell_gaps(seen, 2)
    np.testing.assert_allclose(got[4:6, 4:12], true[4:6, 4:12], atol=1e-5)
    assert np.isnan(got[12, 12])
    assert np.isnan(got[:, 0]).all()  # nothing on the other side
    known = np.isfinite(seen)
    np.testing.assert_array_equal(got[known], seen[known])


def test_a_wall_stays_where_it_is() -> None:
    seen = np.where(np.arange(10) < 5, 10.0, 2.0).astype(np.float32)[None, :].repeat(9, axis=0)
    seen[4, 3:7] = np.nan  # a hole across it: the rows above and below know where it is
    got = fill_cell_gaps(seen, 2)
    np.testing.assert_array_equal(got[4], got[3])
    alone = np.where(np.arange(10) < 5, 10.0, 2.0).astype(np.float32)[None, :]
    alone[0, 5] = np.nan
    assert fill_cell_gaps(alone, 2)[0, 5] in (10.0, 2.0)  # never half way


def test_terrain_under_a_building_is_the_plane_around_it() -> None:
    true = plane((60, 70))
    seen = true.copy()
    seen[15:45, 20:50] = np.nan
    got = fill_smooth(seen, 100)
    np.testing.assert_allclose(got, true, atol=2e-3)


def test_terrain_is_not_continued_for_ever() -> None:
    seen = np.full((10, 80), np.nan, dtype=np.float32)
    seen[:, :5] = 3.0
    got = fill_smooth(seen, 20)
    np.testing.assert_allclose(got[:, :24], 3.0, atol=1e-4)
    assert np.isnan(got[:, 26:]).all()


def test_blocks_change_nothing() -> None:
    rng = np.random.default_rng(2)
    seen = plane((50, 64)) + rng.normal(0.0, 0.1, (50, 64)).astype(np.float32)
    seen[rng.uniform(size=seen.shape) < 0.3] = np.nan
    whole = fill_cell_gaps(seen, 2)
    np.testing.assert_array_equal(by_blocks(seen, 17, 3, lambda cells: fill_cell_gaps(cells, 2)), whole)
