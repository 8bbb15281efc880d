"""Horizons of the far surface: closed forms, curvature, true north, and agreement with the fine surface."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import reference_horizon as reference
from rooftop.core.errors import InputError
from rooftop.solar.horizons import far_horizons, horizons

N = 8  # azimuths every 45°: index 2 is east


def one(coarse: np.ndarray, cell: float = 25.0, z: float = 0.0, first: float = 300.0, **more: Any) -> np.ndarray:
    middle = (coarse.shape[0] - 1) / 2
    return far_horizons(coarse, cell, [middle], [middle], [z], first, n_azimuth=N, **more)[0]


def field(n: int = 201) -> np.ndarray:
    return np.zeros((n, n), dtype=np.float32)


def test_block_in_the_east_is_seen_in_the_east_at_its_angle() -> None:
    coarse = field()
    coarse[100, 140] = 80.0  # 1 000 m east; its western face stands at 987.5 m
    found = one(coarse)
    assert found[2] == pytest.approx(np.degrees(np.arctan(80.0 / 987.5)), abs=0.01)
    assert np.delete(found, 2).max() == 0.0


def test_what_is_nearer_than_the_first_distance_does_not_count() -> None:
    coarse = field()
    coarse[100, 110] = 80.0  # 250 m east
    assert one(coarse).max() == 0.0
    assert one(coarse, first=200.0)[2] > 10.0


def test_first_distance_may_differ_by_observer_and_azimuth() -> None:
    coarse = field()
    coarse[100, 110] = 80.0  # from 237.5 to 262.5 m east
    coarse[100, 90] = 80.0  # and west
    first = np.full((2, N), 300.0)
    first[0, 2] = first[1, 6] = 200.0
    found = far_horizons(coarse, 25.0, [100.0] * 2, [100.0] * 2, [0.0] * 2, first, n_azimuth=N)
    expected = np.degrees(np.arctan(80.0 / 237.5))
    assert np.argwhere(found > 0.0).tolist() == [[0, 2], [1, 6]]
    assert found.max() == pytest.approx(expected, abs=2e-3)
    within = far_horizons(coarse, 25.0, [100.0], [100.0], [0.0], [250.0], n_azimuth=N)[0]
    assert within[2] == pytest.approx(np.degrees(np.arctan(80.0 / 250.0)), abs=2e-3)  # begins inside the block
    with pytest.raises(InputError, match="min_distance_m"):
        far_horizons(coarse, 25.0, [100.0], [100.0], [0.0], [[200.0, 200.0]], n_azimuth=N)
    with pytest.raises(InputError, match="min_distance_m"):
        far_horizons(coarse, 25.0, [100.0], [100.0], [0.0], -1.0, n_azimuth=N)


def test_equals_exact_rays_from_the_first_distance_on() -> None:
    rng = np.random.default_rng(5)
    coarse = rng.uniform(0.0, 30.0, (70, 60)) * (rng.random((70, 60)) < 0.2)
    rows, cols = rng.integers(10, 60, 20), rng.integers(10, 50, 20)
    coarse[rows, cols] = 1.0
    found = far_horizons(coarse, 25.0, rows, cols, np.ones(20), 1e-6, n_azimuth=36, curvature=False)
    for azimuth in range(36):
        exact = [reference.horizon_prism(coarse, 25.0, r, c, azimuth * 10.0) for r, c in zip(rows, cols, strict=True)]
        np.testing.assert_allclose(found[:, azimuth], exact, atol=2e-4)


def test_eye_above_everything_sees_no_horizon_and_nodata_is_no_wall() -> None:
    coarse = field()
    coarse[100, 140] = 80.0
    assert one(coarse, z=90.0).max() == 0.0
    coarse[:] = np.nan
    assert one(coarse).max() == 0.0


def test_earth_falls_away() -> None:
    coarse = np.zeros((3, 2001), dtype=np.float32)
    coarse[1, -1] = 500.0
    found = far_horizons(coarse, 25.0, [1.0], [0.0], [0.0], 300.0, n_azimuth=4)[0, 1]
    distance = 50_000.0
    fall = (1 - 0.13) * distance**2 / (2 * 6_371_000.0)
    assert found == pytest.approx(np.degrees(np.arctan((500.0 - fall) / distance)), abs=0.001)
    assert found < np.degrees(np.arctan(500.0 / distance)) - 0.1


def test_true_north_and_grid_north() -> None:
    coarse = field()
    coarse[60, 100] = 200.0  # grid north
    assert one(coarse)[0] > 0.0
    turned = one(coarse, grid_north_deg=45.0)
    assert turned[1] == pytest.approx(one(coarse)[0])
    assert turned[0] == 0.0


def test_observer_outside_looks_in() -> None:
    coarse = field(41)
    coarse[20, 20] = 100.0
    found = far_horizons(coarse, 25.0, [20.0], [-30.0], [0.0], 300.0, n_azimuth=N)[0]
    assert found[2] == pytest.approx(np.degrees(np.arctan(100.0 / 1237.5)), abs=0.01)
    assert far_horizons(coarse, 25.0, [20.0], [-30.0], [0.0], 300.0, n_azimuth=N)[0, 6] == 0.0


def test_agrees_with_the_fine_surface_on_a_distant_ridge() -> None:
    fine = np.zeros((9, 1400))
    fine[:, 1000:1010] = 60.0
    near = horizons(fine, 1.0, [4], [100], n_azimuth=4)[0, 1]
    coarse = np.zeros((1, 56), dtype=np.float32)
    coarse[0, 40] = 60.0
    far = far_horizons(coarse, 25.0, [0.0], [100 / 25 - 0.5], [0.0], 300.0, n_azimuth=4)[0, 1]
    assert far == pytest.approx(near, abs=0.1)


def test_a_known_horizon_is_raised_and_changes_nothing_else() -> None:
    rng = np.random.default_rng(5)
    coarse = rng.uniform(0.0, 12.0, (150, 140)).astype(np.float32)
    coarse[rng.random(coarse.shape) < 0.02] = 60.0
    coarse[40:45, 60:70] = np.nan
    rows, cols = rng.uniform(-10, 160, (2, 60))
    z = rng.uniform(0.0, 20.0, 60)
    known = rng.uniform(0.0, 6.0, (60, 36)).astype(np.float32)
    free = far_horizons(coarse, 25.0, rows, cols, z, 200.0, n_azimuth=36)
    found = far_horizons(coarse, 25.0, rows, cols, z, 200.0, n_azimuth=36, known_deg=known)
    assert 0.2 < (free > known).mean() < 0.9
    np.testing.assert_allclose(found, np.maximum(free, known), atol=1e-5)
    assert np.array_equal(found[free < known - 1e-4], known[free < known - 1e-4])
