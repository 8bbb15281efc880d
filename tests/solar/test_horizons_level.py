"""The exact formula for level planes equals fine quadrature."""

from __future__ import annotations

import numpy as np

from rooftop.solar.horizons import sky_view


def test_level_plane_equals_quadrature_of_the_linear_horizon() -> None:
    rng = np.random.default_rng(3)
    horizon = rng.uniform(0.0, 80.0, (50, 36)).astype(np.float32)
    horizon[0] = 30.0
    azimuth = (np.arange(36 * 400) + 0.5) / 400
    wrapped = np.concatenate([horizon, horizon[:, :1]], axis=1)
    fine = np.stack([np.interp(azimuth, np.arange(37), row) for row in wrapped])
    assert np.abs(sky_view(horizon) - (np.cos(np.radians(fine)) ** 2).mean(axis=1)).max() < 1e-6


def test_level_plane_is_the_limit_of_a_hardly_tilted_one() -> None:
    horizon = np.random.default_rng(4).uniform(0.0, 60.0, (20, 72)).astype(np.float32)
    assert np.abs(sky_view(horizon) - sky_view(horizon, 0.001)).max() < 1e-4
