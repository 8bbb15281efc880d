"""Grid arithmetic: lattice, positions, tiles."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rooftop.core.grid import Grid, tile_of


def test_covering_is_the_smallest_lattice_grid_around_bounds() -> None:
    grid = Grid.covering((10.2, 20.7, 12.9, 23.1), 0.5)
    assert grid.bounds == (10.0, 20.5, 13.0, 23.5)
    assert grid.shape == (6, 6)


def test_row_zero_is_north_and_centres_round_trip() -> None:
    grid = Grid.covering((0.0, 0.0, 3.0, 2.0), 1.0)
    x, y = grid.centres(np.array([0, 1]), np.array([0, 2]))
    assert x.tolist() == [0.5, 2.5]
    assert y.tolist() == [1.5, 0.5]
    rows, cols = grid.cell_of(x, y)
    assert rows.tolist() == [0, 1]
    assert cols.tolist() == [0, 2]


@given(
    x=st.floats(-1e6, 1e6), y=st.floats(-1e6, 1e6), w=st.floats(0.1, 500.0), h=st.floats(0.1, 500.0),
    cell=st.sampled_from([0.5, 1.0, 2.0, 25.0]), margin=st.floats(0.0, 300.0),
)  # fmt: skip
def test_covering_holds_bounds_and_margin(x: float, y: float, w: float, h: float, cell: float, margin: float) -> None:
    grid = Grid.covering((x, y, x + w, y + h), cell, margin)
    x_min, y_min, x_max, y_max = grid.bounds
    assert x_min <= x - margin + 1e-6
    assert y_min <= y - margin + 1e-6
    assert x_max >= x + w + margin - 1e-6
    assert y_max >= y + h + margin - 1e-6
    assert x_min > x - margin - cell - 1e-6


def test_tiles_are_anchored_at_the_crs_origin() -> None:
    i, j = tile_of(np.array([-0.1, 0.0, 99.9, 100.0]), np.array([0.0, -0.1, 250.0, 100.0]), 1.0, 100)
    assert i.tolist() == [-1, 0, 0, 1]
    assert j.tolist() == [0, -1, 2, 1]


def test_transform_maps_pixels_to_coordinates() -> None:
    a, _, c, _, e, f = Grid(10, 20, 5, 5, 2.0).transform
    assert (c, f) == (20.0, 40.0)
    assert (a, e) == (2.0, -2.0)
    assert pytest.approx(40.0 - 2.0 * 5) == Grid(10, 20, 5, 5, 2.0).bounds[1]
