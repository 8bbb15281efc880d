"""The horizon kernel in depth: its reference, exactness near the eye, the far field, invariances, real surfaces."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numba
import numpy as np
import pytest
from numpy.typing import NDArray

import reference_horizon as reference
import rooftop.kernels
from rooftop.core.errors import InputError
from rooftop.core.surfaces import HAS_WALLS, SurfaceKind
from rooftop.kernels import horizon as kernel
from rooftop.kernels import rays
from rooftop.solar.horizons import far_horizons, horizons, sky_view

F8 = NDArray[np.float64]
SURFACES = tuple(HAS_WALLS)
AZIMUTHS = np.arange(72) * 5.0
both_surfaces = pytest.mark.parametrize("surface", SURFACES)


def blocks(n_row: int, n_col: int, seed: int, noise_m: float = 0.0) -> F8:
    """Houses with parapets and stair heads, two towers, a street grid, sloping ground; no symmetry."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:n_row, 0:n_col]
    dsm = 300.0 + 0.013 * x - 0.021 * y
    for top in range(4, n_row - 18, 26):
        for left in range(5, n_col - 20, 31):
            h, w = int(rng.integers(9, 19)), int(rng.integers(9, 24))
            z = 306.0 + float(rng.uniform(0, 18)) + (45.0 if rng.random() < 0.06 else 0.0)
            dsm[top : top + h, left : left + w] = z + float(rng.choice([0.0, 0.9, 1.2]))
            dsm[top + 1 : top + h - 1, left + 1 : left + w - 1] = z
            dsm[top + 3 : top + 6, left + 3 : left + 7] = z + 2.6
    return dsm + noise_m * rng.standard_normal(dsm.shape)


def some_cells(shape: tuple[int, int], n: int, seed: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    chosen = np.random.default_rng(seed).choice(shape[0] * shape[1], n, replace=False)
    return chosen // shape[1], chosen % shape[1]


# The reference itself --------------------------------------------------------------------------------------------


def test_reference_sees_a_wall_at_the_angle_of_its_distance() -> None:
    dsm = np.zeros((401, 41))
    dsm[:, 30:] = 12.0
    for azimuth in (20.0, 45.0, 90.0, 133.0):
        across = np.sin(np.radians(azimuth))
        assert reference.horizon_prism(dsm, 2.0, 200, 20, azimuth) == pytest.approx(
            np.degrees(np.arctan(12.0 * across / 19.0)), abs=1e-9
        )
        # linear: the ramp from column 29 to column 30 is steepest at its top
        assert reference.horizon_linear(dsm, 2.0, 200, 20, azimuth) == pytest.approx(
            np.degrees(np.arctan(12.0 * across / 20.0)), abs=1e-9
        )
    assert reference.horizon_prism(dsm, 2.0, 200, 20, 270.0) == 0.0


def test_reference_sees_a_plane_at_its_slope_in_every_direction() -> None:
    y, x = np.mgrid[0:61, 0:61]
    dsm = 0.2 * x - 0.1 * y
    for azimuth in np.arange(0.0, 360.0, 7.0):
        slope = 0.2 * np.sin(np.radians(azimuth)) + 0.1 * np.cos(np.radians(azimuth))
        expected = np.degrees(np.arctan(max(slope, 0.0)))
        assert reference.horizon_linear(dsm, 1.0, 30, 30, azimuth) == pytest.approx(expected, abs=1e-6)


def test_reference_sky_view_of_a_constant_horizon() -> None:
    assert reference.sky_view(np.full((1, 8), 30.0), 0.0, 180.0)[0] == pytest.approx(0.75, abs=1e-4)
    assert reference.sky_view(np.zeros((1, 8)), 40.0, 70.0)[0] == pytest.approx(
        0.5 + 0.5 * np.cos(np.radians(40.0)), abs=1e-4
    )


# Near the eye: exact ---------------------------------------------------------------------------------------------


@both_surfaces
@pytest.mark.parametrize("noise_m", [0.0, 1.0])
def test_near_field_is_exact(surface: SurfaceKind, noise_m: float) -> None:
    dsm = blocks(rays.NEAR - 7, rays.NEAR, seed=3, noise_m=noise_m)
    rows, cols = some_cells(dsm.shape, 60, seed=4)
    for above in (0.0, 0.7):
        found = horizons(dsm, 0.5, rows, cols, surface=surface, above_m=above)
        expected = reference.horizons(dsm, 0.5, rows, cols, 72, surface, above)
        assert expected.max() > 30.0
        assert np.abs(found - expected).max() < 2e-3


@both_surfaces
def test_numbers_of_azimuths_that_share_no_symmetry(surface: SurfaceKind) -> None:
    dsm = blocks(rays.NEAR, rays.NEAR - 5, seed=5, noise_m=0.3)
    rows, cols = some_cells(dsm.shape, 30, seed=6)
    for n_azimuth in (1, 7, 90):
        expected = reference.horizons(dsm, 1.0, rows, cols, n_azimuth, surface)
        found = horizons(dsm, 1.0, rows, cols, n_azimuth=n_azimuth, surface=surface)
        azimuth = np.arange(n_azimuth) * 360.0 / n_azimuth
        beside = np.abs(azimuth % 90.0 - 45.0) < min(180.0 / n_azimuth, 5.0)  # both sides of a diagonal of prisms count
        alone = ~beside | (surface == "linear")
        assert alone.sum() >= n_azimuth - 4
        assert np.abs(found - expected)[:, alone].max() < 2e-3


def test_own_cell_does_not_obstruct_and_its_neighbour_does_from_its_edge() -> None:
    dsm = np.zeros((9, 9))
    dsm[4, 4] = 50.0
    assert horizons(dsm, 1.0, [4], [4]).max() == 0.0
    dsm[4, 4] = 0.0
    dsm[4, 5] = 0.5
    assert horizons(dsm, 1.0, [4], [4], n_azimuth=4)[0] == pytest.approx([0.0, 45.0, 0.0, 0.0], abs=1e-4)


# Far from the eye: unbiased --------------------------------------------------------------------------------------


@both_surfaces
@pytest.mark.parametrize("noise_m", [0.0, 0.05])
def test_far_field_equals_exact_rays_on_average(surface: SurfaceKind, noise_m: float) -> None:
    dsm = blocks(330, 300, seed=1, noise_m=noise_m)
    rows, cols = some_cells(dsm.shape, 320, seed=2)
    expected = reference.horizons(dsm, 1.0, rows, cols, 72, surface)
    error = horizons(dsm, 1.0, rows, cols, surface=surface) - expected
    assert np.abs(error).mean() <= 0.08
    assert abs(error.mean()) <= 0.02
    assert np.sqrt((error**2).mean()) <= 0.8
    svf = sky_view(expected + error) - sky_view(expected)
    assert np.abs(svf).mean() <= 6e-4
    assert abs(svf.mean()) <= 3e-4


@pytest.mark.parametrize("azimuth", [0, 1, 2, 3])
def test_far_walls_across_the_view_are_exact(azimuth: int) -> None:
    dsm = np.zeros((301, 301))
    dsm[:, 250:] = 30.0
    dsm = np.rot90(dsm, 1 - azimuth)  # the wall turns from east to north, east, south, west
    cells = np.arange(140, 161)
    found = horizons(dsm, 2.0, cells, np.full(21, 150), n_azimuth=4)[:, azimuth]
    away = np.array([cells, np.full(21, 150), 300 - cells, np.full(21, 150)])[azimuth]
    expected = np.degrees(np.arctan(30.0 / (2.0 * (away - 50.5 if azimuth in (0, 2) else 99.5))))
    assert found == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("azimuth", [15.0, 30.0, 60.0, 75.0, 195.0, 300.0])
def test_distance_to_an_oblique_dam_is_measured_along_the_ray(azimuth: float) -> None:
    y, x = np.mgrid[0:321, 0:321]
    along = (x - 160) * np.sin(np.radians(azimuth)) - (y - 160) * np.cos(np.radians(azimuth))
    dsm = np.clip(4.0 * (along - 100.0), 0.0, 40.0)  # its crest is 110 cells ahead of the middle
    rows, cols = (part.ravel() for part in np.mgrid[155:166, 155:166])
    found = horizons(dsm, 1.0, rows, cols, n_azimuth=24, surface="linear")[:, round(azimuth / 15.0)]
    exact = np.array([reference.horizon_linear(dsm, 1.0, r, c, azimuth) for r, c in zip(rows, cols, strict=True)])
    distance, expected = 40.0 / np.tan(np.radians(found)), 40.0 / np.tan(np.radians(exact))
    assert np.abs(distance - expected).max() < 1.0  # the crest is met somewhere between two grid lines
    assert (distance - expected).mean() == pytest.approx(0.0, abs=0.1)


def test_far_wall_seen_at_a_glancing_angle() -> None:
    dsm = np.zeros((1601, 41))
    dsm[:, 30:] = 12.0
    cols = np.arange(14, 27)
    for k in (1, 2, 3):
        found = horizons(dsm, 1.0, np.full(cols.size, 800), cols, n_azimuth=72)[:, k]
        across = np.sin(np.radians(5.0 * k))
        expected = np.degrees(np.arctan(12.0 * across / (29.5 - cols)))
        # the mean of two lines `SPACING` apart is not the tangent between them: second order in spacing / distance
        assert found == pytest.approx(expected, rel=(kernel.SPACING / 2.0 / 3.0) ** 2)
        assert found[:8] == pytest.approx(expected[:8], rel=0.03)


def test_terrain_plane_is_seen_at_its_slope_to_the_bound() -> None:
    y, x = np.mgrid[0:301, 0:301]
    dsm = 0.1 * x - 0.05 * y
    slope = 0.1 * np.sin(np.radians(AZIMUTHS)) + 0.05 * np.cos(np.radians(AZIMUTHS))
    expected = np.degrees(np.arctan(np.maximum(slope, 0.0)))
    error = horizons(dsm, 1.0, [150, 151, 152], [150, 160, 171], surface="linear") - expected
    assert error.min() > -1e-3
    # halfway between two lines, the upper one is higher by half the spacing where the far field begins
    bound = np.degrees(0.25 * kernel.SPACING * np.hypot(0.1, 0.05) / rays.NEAR)
    assert error.max() < bound
    assert error.mean() < 0.25 * bound


def test_lone_blocks_far_away_are_neither_lost_nor_doubled() -> None:
    rng = np.random.default_rng(31)
    dsm = np.zeros((401, 401))
    for azimuth in np.arange(0.0, 360.0, 15.0):  # 24 of them, 1 to 4 cells wide, 130 to 190 cells from the middle
        away, width = rng.uniform(130.0, 190.0), int(rng.integers(1, 5))
        row = round(200 - away * np.cos(np.radians(azimuth)))
        col = round(200 + away * np.sin(np.radians(azimuth)))
        dsm[row : row + width, col : col + width] = 40.0
    rows, cols = rng.integers(180, 221, 50), rng.integers(180, 221, 50)
    expected = reference.horizons(dsm, 1.0, rows, cols, 360)
    found = horizons(dsm, 1.0, rows, cols, n_azimuth=360)
    assert found.max() <= expected.max() * 1.03
    assert found.sum() == pytest.approx(expected.sum(), rel=0.05)  # some 2 000 hits: two standard deviations


# Invariances -----------------------------------------------------------------------------------------------------


@both_surfaces
def test_quarter_turns_and_mirrors_change_no_bit(surface: SurfaceKind) -> None:
    dsm = blocks(150, 131, seed=7, noise_m=0.05)
    n_row, n_col = dsm.shape
    rows, cols = some_cells(dsm.shape, 50, seed=8)
    straight = horizons(dsm, 1.0, rows, cols, surface=surface)
    clockwise = horizons(np.rot90(dsm, -1), 1.0, cols, n_row - 1 - rows, surface=surface)
    assert np.array_equal(clockwise, np.roll(straight, 18, axis=1))
    around = horizons(np.rot90(dsm, 2), 1.0, n_row - 1 - rows, n_col - 1 - cols, surface=surface)
    assert np.array_equal(around, np.roll(straight, 36, axis=1))
    mirrored = horizons(dsm[:, ::-1], 1.0, rows, n_col - 1 - cols, surface=surface)
    assert np.array_equal(mirrored, straight[:, (-np.arange(72)) % 72])
    transposed = horizons(dsm.T, 1.0, cols, rows, surface=surface)
    assert np.array_equal(transposed, straight[:, (54 - np.arange(72)) % 72])
    assert straight.max() > 30.0


@both_surfaces
def test_asking_for_other_cells_changes_no_bit(surface: SurfaceKind) -> None:
    dsm = blocks(140, 150, seed=9)
    every_row, every_col = np.nonzero(dsm > 0.0)
    everywhere = horizons(dsm, 1.0, every_row, every_col, surface=surface).reshape(140, 150, 72)
    rows, cols = some_cells(dsm.shape, 40, seed=10)
    rows, cols = np.append(rows, rows[:3]), np.append(cols, cols[:3])  # in no order, some twice
    assert np.array_equal(horizons(dsm, 1.0, rows, cols, surface=surface), everywhere[rows, cols])
    assert np.array_equal(horizons(dsm, 1.0, rows, cols, surface=surface, threads=3), everywhere[rows, cols])


@both_surfaces
def test_asking_for_one_cell_changes_no_bit(surface: SurfaceKind) -> None:
    dsm = np.zeros((150, 160))
    dsm[:, 150:] = 20.0
    dsm[130:] = 30.0
    rows, cols = np.nonzero(dsm == 0.0)
    everywhere = horizons(dsm, 1.0, rows, cols, n_azimuth=24, surface=surface)
    for k in np.random.default_rng(32).choice(rows.size, 12, replace=False):
        alone = horizons(dsm, 1.0, rows[[k]], cols[[k]], n_azimuth=24, surface=surface)
        assert np.array_equal(alone[0], everywhere[k])


def test_unit_of_length_does_not_matter() -> None:
    dsm = blocks(120, 110, seed=11)
    rows, cols = some_cells(dsm.shape, 30, seed=12)
    metres = horizons(dsm, 1.0, rows, cols)
    assert horizons(dsm * 0.5, 0.5, rows, cols) == pytest.approx(metres, abs=1e-3)


def test_height_above_sea_does_not_matter_in_float64() -> None:
    dsm = blocks(120, 110, seed=13)
    rows, cols = some_cells(dsm.shape, 30, seed=14)
    assert horizons(dsm + 4_096.0, 1.0, rows, cols) == pytest.approx(horizons(dsm, 1.0, rows, cols), abs=1e-3)


@both_surfaces
def test_raising_anything_but_the_eye_lowers_no_horizon(surface: SurfaceKind) -> None:
    dsm = blocks(170, 160, seed=15)
    rows, cols = some_cells(dsm.shape, 60, seed=16)
    before = horizons(dsm, 1.0, rows, cols, surface=surface)
    rise = np.random.default_rng(17).uniform(0.0, 4.0, dsm.shape)
    rise[rows, cols] = 0.0
    after = horizons(dsm + rise, 1.0, rows, cols, surface=surface)
    assert (after - before).min() >= -2e-3
    assert (after - before).mean() > 1.0


def test_a_higher_eye_sees_a_lower_horizon() -> None:
    dsm = blocks(120, 110, seed=18)
    rows, cols = some_cells(dsm.shape, 30, seed=19)
    before = horizons(dsm, 1.0, rows, cols)
    for above in (0.5, 3.0, 100.0):
        after = horizons(dsm, 1.0, rows, cols, above_m=above)
        assert (after <= before + 1e-3).all()
        before = after
    assert before.max() == 0.0


# True north ------------------------------------------------------------------------------------------------------


def test_grid_north_is_the_true_azimuth_of_the_rasters_upward_direction() -> None:
    dsm = np.zeros((81, 81))
    dsm[20, 40] = 30.0  # straight up in the raster: true azimuth = grid_north_deg
    for grid_north in (0.0, 15.0, 350.0, -10.0, 375.0):
        found = horizons(dsm, 1.0, [40], [40], n_azimuth=72, grid_north_deg=grid_north)[0]
        assert np.flatnonzero(found > 50.0).tolist() == [round(grid_north / 5.0) % 72]
    small = horizons(dsm, 1.0, [40], [40], n_azimuth=3600, grid_north_deg=1.9)[0]
    assert np.argmax(small) == pytest.approx(19, abs=15)  # the block is 2.9 degrees wide
    assert np.flatnonzero(small > 50.0).mean() == pytest.approx(19.0, abs=0.5)


def test_full_turns_of_grid_north_change_nothing() -> None:
    dsm = blocks(90, 80, seed=20)
    rows, cols = some_cells(dsm.shape, 20, seed=21)
    assert np.array_equal(horizons(dsm, 1.0, rows, cols), horizons(dsm, 1.0, rows, cols, grid_north_deg=360.0))
    assert np.array_equal(horizons(dsm, 1.0, rows, cols), horizons(dsm, 1.0, rows, cols, grid_north_deg=-720.0))


def test_direction_covers_the_circle_once() -> None:
    seen = set()
    for azimuth in np.arange(0.5, 360.0, 1.0):
        (transpose, flip_x, flip_y), t = kernel.direction(float(azimuth))
        along, across = (-1.0 if flip_x else 1.0), (-t if flip_y else t)
        # in the view x is the dominant axis: rows of the raster, or its columns when transposed
        down, right = (across, along) if transpose else (along, across)
        assert np.degrees(np.arctan2(right, -down)) % 360.0 == pytest.approx(azimuth)
        seen.add((transpose, flip_x, flip_y))
    assert len(seen) == 8


# Data that are not there -----------------------------------------------------------------------------------------


@both_surfaces
def test_width_of_an_empty_margin_changes_no_bit(surface: SurfaceKind) -> None:
    dsm = blocks(120, 100, seed=22)
    rows, cols = some_cells(dsm.shape, 30, seed=23)
    framed = np.full((170, 171), np.nan)
    framed[11:131, 29:129] = dsm
    expected = horizons(dsm, 1.0, rows, cols, surface=surface)
    assert np.array_equal(horizons(framed, 1.0, rows + 11, cols + 29, surface=surface), expected)


@both_surfaces
def test_holes_are_neither_walls_nor_pits(surface: SurfaceKind) -> None:
    flat = np.full((160, 160), 7.0)
    flat[40:60, 100:140] = np.nan
    flat[80, 81] = np.nan
    flat[::13, ::17] = np.nan
    rows, cols = np.nonzero(np.isfinite(flat))
    assert horizons(flat, 1.0, rows, cols, surface=surface).max() < 1e-3
    wall = flat.copy()
    wall[:, 150:] = 30.0
    wall[:, 120:130] = np.nan  # the wall is seen across the gap
    found = horizons(wall, 1.0, [81], [80], surface=surface, n_azimuth=4)[0, 1]
    step = 69.5 if surface == "prism" else 70.0
    assert found == pytest.approx(np.degrees(np.arctan(23.0 / step)), abs=0.01)


@both_surfaces
def test_noisy_surface_with_holes_equals_exact_rays(surface: SurfaceKind) -> None:
    dsm = blocks(rays.NEAR, rays.NEAR, seed=24, noise_m=0.2)
    dsm[np.random.default_rng(25).random(dsm.shape) < 0.15] = np.nan
    rows, cols = np.nonzero(np.isfinite(dsm))
    rows, cols = rows[::37], cols[::37]
    expected = reference.horizons(dsm, 1.0, rows, cols, 72, surface)
    assert np.abs(horizons(dsm, 1.0, rows, cols, surface=surface) - expected).max() < 2e-3


def test_cells_without_data_have_no_horizon() -> None:
    dsm = np.zeros((30, 30))
    dsm[10, 10] = np.nan
    dsm[:, :3] = np.nan
    found = horizons(dsm, 1.0, [10, 11, 0], [10, 10, 0], n_azimuth=8)
    assert np.isnan(found).all(axis=1).tolist() == [True, False, True]
    assert np.isnan(horizons(np.full((5, 5), np.nan), 1.0, [2], [2])).all()
    masked = np.ma.masked_invalid(dsm)
    assert np.array_equal(horizons(masked, 1.0, [10, 11], [10, 10], n_azimuth=8), found[:2], equal_nan=True)


@pytest.mark.parametrize("shape", [(1, 1), (1, 200), (200, 1), (2, 130), (49, 50), (50, 49), (51, 60)])
@both_surfaces
def test_rasters_of_every_shape(shape: tuple[int, int], surface: SurfaceKind) -> None:
    dsm = np.random.default_rng(26).uniform(0.0, 9.0, shape)
    rows, cols = np.nonzero(dsm >= 0.0)
    found = horizons(dsm, 1.0, rows, cols, surface=surface, n_azimuth=8)
    expected = reference.horizons(dsm, 1.0, rows, cols, 8, surface)
    assert found.shape == (rows.size, 8)
    error = np.abs(found - expected)
    assert error.mean() < 0.05
    if max(shape) <= rays.NEAR + 1:
        assert error.max() < 2e-3


# Sky view --------------------------------------------------------------------------------------------------------


def test_sky_view_equals_counting_directions() -> None:
    rng = np.random.default_rng(27)
    horizon = np.concatenate([rng.uniform(0.0, 85.0, (4, 36)), np.zeros((1, 36)), np.full((1, 36), 90.0)])
    horizon[3, 20:] = 0.0
    for tilt, azimuth in ((0.0, 180.0), (15.0, 180.0), (40.0, 77.0), (90.0, 301.0)):
        expected = reference.sky_view(horizon, tilt, azimuth)
        assert sky_view(horizon, tilt, azimuth) == pytest.approx(expected, abs=3e-4)


def test_sky_view_wraps_around_north() -> None:
    horizon = np.zeros((1, 36))
    horizon[0, 35] = 60.0  # azimuth 350: spills over to 0 as well as to 340
    turned = np.roll(horizon, 9, axis=1)
    assert sky_view(horizon, 30.0, 350.0) == pytest.approx(sky_view(turned, 30.0, 80.0), abs=1e-12)
    assert sky_view(horizon)[0] == pytest.approx(sky_view(turned)[0], abs=1e-12)


def test_sky_view_of_few_azimuths_and_of_each_cells_own_plane() -> None:
    tilts, azimuths = np.array([0.0, 20.0, 65.0]), np.array([10.0, 200.0, 300.0])
    free = 0.5 + 0.5 * np.cos(np.radians(tilts))
    for n_azimuth in (1, 3, 8, 36, 500):
        found = sky_view(np.zeros((3, n_azimuth)), tilts, azimuths)
        assert found == pytest.approx(free, abs=1e-5)
        # a horizon just below the plane's own hides nothing more
    own = np.degrees(np.arctan(-np.tan(np.radians(65.0)) * np.cos(np.radians(AZIMUTHS - 300.0))))
    assert sky_view(np.maximum(own, 0.0)[None, :], 65.0, 300.0)[0] == pytest.approx(free[2], abs=1e-3)
    assert np.isnan(sky_view(np.full((1, 8), np.nan), 10.0)).all()
    assert sky_view(np.zeros((0, 8))).shape == (0,)


@pytest.mark.parametrize(
    ("horizon", "more", "name"),
    [
        (np.zeros(8), {}, "horizon"),
        (np.full((1, 8), -1.0), {}, "horizon"),
        (np.full((1, 8), 91.0), {}, "horizon"),
        (np.zeros((2, 8)), {"surface_tilt": [10.0]}, "surface_tilt"),
        (np.zeros((2, 8)), {"surface_tilt": 95.0}, "surface_tilt"),
        (np.zeros((2, 8)), {"surface_azimuth": np.nan}, "surface_azimuth"),
    ],
)
def test_sky_view_refuses(horizon: F8, more: dict[str, object], name: str) -> None:
    with pytest.raises(InputError) as caught:
        sky_view(horizon, **more)  # type: ignore[arg-type]
    assert name in caught.value.render("en")
    assert name in caught.value.render("zh")


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"dsm": np.zeros(5)}, "dsm"),
        ({"dsm": np.zeros((0, 5))}, "dsm"),
        ({"dsm": np.full((5, 5), -3.4e38)}, "dsm"),
        ({"dsm": np.full((5, 5), np.inf)}, "dsm"),
        ({"dsm": np.array([["a"]])}, "dsm"),
        ({"cell_size_m": np.nan}, "cell_size_m"),
        ({"rows": [1.5]}, "rows"),
        ({"rows": [-1]}, "rows"),
        ({"cols": [5]}, "cols"),
        ({"cols": [1, 2]}, "cols"),
        ({"n_azimuth": 7.5}, "n_azimuth"),
        ({"threads": 0}, "threads"),
        ({"above_m": np.inf}, "above_m"),
        ({"grid_north_deg": None}, "grid_north_deg"),
    ],
)
def test_horizons_refuse(change: dict[str, object], name: str) -> None:
    arguments: dict[str, object] = {"dsm": np.zeros((5, 5)), "cell_size_m": 1.0, "rows": [2], "cols": [2], **change}
    with pytest.raises(InputError) as caught:
        horizons(**arguments)  # type: ignore[arg-type]
    assert name in caught.value.render("en")
    assert name in caught.value.render("zh")


# Far horizons ----------------------------------------------------------------------------------------------------


def test_far_horizons_without_curvature_and_without_observers() -> None:
    coarse = np.zeros((3, 2001))
    coarse[1, -1] = 500.0
    arguments = (coarse, 25.0, [1.0, np.nan], [0.0, 0.0], [0.0, 0.0], 300.0)
    flat = far_horizons(*arguments, n_azimuth=4, curvature=False)
    assert flat[0, 1] == pytest.approx(np.degrees(np.arctan(500.0 / 50_000.0)), abs=1e-3)
    assert far_horizons(*arguments, n_azimuth=4)[0, 1] < flat[0, 1] - 0.15
    assert np.isnan(flat[1]).all()
    assert far_horizons(coarse, 25.0, [], [], [], 300.0).shape == (0, 72)
    with pytest.raises(InputError):
        far_horizons(coarse, 25.0, [1.0], [1.0, 2.0], [0.0], 300.0)


# Compiled code ---------------------------------------------------------------------------------------------------


def test_kernels_compile_without_a_place_for_the_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **options: Any) -> object:
        if options.get("cache"):
            raise RuntimeError("cannot cache function: no locator available")
        return njit(**options)

    njit = numba.njit
    monkeypatch.setattr(numba, "njit", refuse)
    assert rooftop.kernels.jit(lambda x: x + 1.0)(2.0) == 3.0
    assert rooftop.kernels.jit_no_nan(lambda x: x + 1.0)(2.0) == 3.0


def test_kernels_run_where_nothing_can_be_written() -> None:
    program = """
import numba.core.caching as caching

def refuse(*_, **__):
    raise PermissionError("read-only file system")

caching.tempfile.TemporaryFile = refuse
import numpy as np
from rooftop.kernels.sky_view import sky_view

assert type(sky_view._cache).__name__ == "NullCache"
print(sky_view(np.zeros((1, 4), np.float32), np.zeros(1), np.zeros(1))[0])
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "1.0"


# Real surfaces ---------------------------------------------------------------------------------------------------


def raster(path: Path) -> F8:
    rasterio = pytest.importorskip("rasterio")
    with rasterio.open(path) as source:
        values = source.read(1, masked=True).astype(np.float64).filled(np.nan)
    return np.where(values < -1e4, np.nan, values)


def compare(dsm: F8, cell: float, rows: NDArray[np.int64], cols: NDArray[np.int64], surface: SurfaceKind) -> None:
    expected = reference.horizons(dsm, cell, rows, cols, 72, surface)
    found = horizons(dsm, cell, rows, cols, surface=surface)
    error = found - expected
    assert expected.mean() > 5.0
    assert np.abs(error).mean() <= 0.1
    assert abs(error.mean()) <= 0.02
    svf = sky_view(found, 20.0) - sky_view(expected, 20.0)
    assert abs(svf.mean()) <= 2e-4


@pytest.mark.real
@both_surfaces
@pytest.mark.parametrize(
    ("name", "cell"), [("goteborg/DSM_KRbig.tif", 1.0), ("delft_ahn3/ahn3_delft_dsm_0p5m.tif", 0.5)]
)
def test_real_surface(shared_data: Path, name: str, cell: float, surface: SurfaceKind) -> None:
    dsm = raster(shared_data / name)
    rows, cols = np.nonzero(np.isfinite(dsm))
    chosen = np.random.default_rng(28).choice(rows.size, 300, replace=False)
    compare(dsm, cell, rows[chosen], cols[chosen], surface)


@pytest.fixture(scope="session")
def benchmark_city(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[F8, NDArray[np.bool_]]:
    folder = tmp_path_factory.mktemp("city")
    program = shared_data.parent / "bench" / "make_dsm.py"
    subprocess.run([sys.executable, str(program), str(folder), "1000"], check=True, capture_output=True)
    return raster(folder / "dsm_1000.tif"), raster(folder / "roof_1000.tif") > 0


@pytest.mark.real
@both_surfaces
@pytest.mark.parametrize("noise_m", [0.0, 0.05])
def test_roofs_of_the_benchmark_city(
    benchmark_city: tuple[F8, NDArray[np.bool_]], surface: SurfaceKind, noise_m: float
) -> None:
    dsm, roof = benchmark_city
    dsm = dsm + noise_m * np.random.default_rng(29).standard_normal(dsm.shape)
    rows, cols = np.nonzero(roof)
    chosen = np.random.default_rng(30).choice(rows.size, 300, replace=False)
    compare(dsm, 1.0, rows[chosen], cols[chosen], surface)
