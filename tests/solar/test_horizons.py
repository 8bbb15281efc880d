"""Horizons and sky view: closed forms, an independent brute force, symmetries, nodata, true north."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

import reference_horizon as reference
from rooftop.core.errors import InputError
from rooftop.solar.horizons import horizons, sky_view

F8 = NDArray[np.float64]
AZIMUTHS = np.arange(72) * 5.0


def city(n: int = 160, seed: int = 1, noise_m: float = 0.0) -> tuple[F8, NDArray[np.bool_]]:
    """Boxes with parapets and stair heads on a slope; not symmetric in any way."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:n, 0:n]
    dsm = 5.0 + 0.02 * x + 0.01 * (n - y)
    roof = np.zeros((n, n), dtype=bool)
    for _ in range(28):
        h, w = int(rng.integers(8, 26)), int(rng.integers(8, 34))
        r, c = int(rng.integers(0, n - h)), int(rng.integers(0, n - w))
        if roof[r : r + h, c : c + w].any():
            continue
        top = 5.0 + float(rng.uniform(5, 45))
        dsm[r : r + h, c : c + w] = top + float(rng.choice([0.0, 0.9]))
        dsm[r + 1 : r + h - 1, c + 1 : c + w - 1] = top
        dsm[r + 3 : r + 5, c + 3 : c + 6] = top + 2.6
        roof[r : r + h, c : c + w] = True
    return dsm + noise_m * rng.standard_normal((n, n)), roof


def brute(dsm: F8, rows: NDArray[np.int64], cols: NDArray[np.int64], surface: str) -> F8:
    one = reference.horizon_prism if surface == "prism" else reference.horizon_linear
    return np.array([[one(dsm, 1.0, r, c, a) for a in AZIMUTHS] for r, c in zip(rows, cols, strict=True)])


# Closed forms ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cell", [0.5, 1.0, 2.0])
def test_infinite_wall(cell: float) -> None:
    """Exact where the wall is within the stencil; beyond it a ray may pass half a cell beside the eye."""
    dsm = np.zeros((2001, 41))
    dsm[:, 30:] = 12.0
    found = horizons(dsm, cell, [1000], [20], n_azimuth=72)[0]
    distance = 9.5 * cell
    for k, azimuth in enumerate(AZIMUTHS):
        across = np.sin(np.radians(azimuth))
        if across > 0.05:
            half_cell = 0.5 * cell / distance if across < 0.25 else 1e-4
            expected = np.degrees(np.arctan(12.0 * across / distance * np.array([1.0 - half_cell, 1.0 + half_cell])))
            assert expected[0] - 0.001 <= found[k] <= expected[1] + 0.001
        elif across < -1e-9:
            assert found[k] == 0.0


def test_infinite_wall_halves_the_sky_as_view_factors_say() -> None:
    dsm = np.zeros((4001, 41))
    dsm[:, 30:] = 12.0
    found = sky_view(horizons(dsm, 1.0, [2000], [20], n_azimuth=360))[0]
    assert found == pytest.approx(0.5 * (1.0 + 9.5 / np.hypot(9.5, 12.0)), abs=1e-3)


def test_street_canyon() -> None:
    dsm = np.zeros((4001, 41))
    dsm[:, :10], dsm[:, 31:] = 15.0, 15.0  # 21 m wide, eye in the middle
    found = sky_view(horizons(dsm, 1.0, [2000], [20], n_azimuth=360))[0]
    assert found == pytest.approx(10.5 / np.hypot(10.5, 15.0), abs=1e-3)


def test_square_courtyard_seen_from_its_centre() -> None:
    dsm = np.full((61, 61), 8.0)
    dsm[20:41, 20:41] = 0.0
    found = horizons(dsm, 1.0, [30], [30], n_azimuth=72)[0]
    half = 10.5
    to_wall = half / np.maximum(np.abs(np.sin(np.radians(AZIMUTHS))), np.abs(np.cos(np.radians(AZIMUTHS))))
    assert found == pytest.approx(np.degrees(np.arctan(8.0 / to_wall)), abs=0.05)


def test_parapet_next_to_the_eye() -> None:
    dsm = np.zeros((31, 31))
    dsm[:, 16] = 1.0  # the parapet's face is half a cell away
    assert horizons(dsm, 1.0, [15], [15], n_azimuth=4)[0, 1] == pytest.approx(np.degrees(np.arctan(2.0)), abs=0.01)


@pytest.mark.parametrize("surface", ["prism", "linear"])
def test_bowl_has_the_horizon_of_its_rim(surface: str) -> None:
    y, x = np.mgrid[-150:151, -150:151].astype(float)
    distance = np.hypot(x, y)
    dsm = np.where(distance < 140.0, distance**2 / 280.0, np.nan)  # rises to 70 m at the rim: slope 1/2
    found = horizons(dsm, 1.0, [150], [150], n_azimuth=72, surface=surface)[0]  # type: ignore[arg-type]
    assert found == pytest.approx(np.full(72, np.degrees(np.arctan(0.5))), abs=0.25)


@pytest.mark.parametrize("tilt", [0.0, 10.0, 35.0, 90.0])
@pytest.mark.parametrize("azimuth", [0.0, 77.0, 180.0])
def test_free_tilted_plane(tilt: float, azimuth: float) -> None:
    found = sky_view(np.zeros((1, 72), dtype=np.float32), tilt, azimuth)[0]
    assert found == pytest.approx(0.5 * (1.0 + np.cos(np.radians(tilt))), abs=1e-4)


def test_linear_slope_hides_itself_as_its_tilt_says() -> None:
    y, _ = np.mgrid[0:401, 0:401].astype(float)
    dsm = 0.3 * (400 - y)  # rises to the north
    horizon = horizons(dsm, 1.0, [200], [200], n_azimuth=72, surface="linear")
    rise = 0.3 * np.maximum(np.cos(np.radians(AZIMUTHS)), 0.0)
    expected = np.degrees(np.arctan(rise))
    assert np.abs(horizon[0] - expected).mean() < 0.05
    assert horizon[0] == pytest.approx(expected, abs=0.3)  # half a cell aside the slope is 0.15 m higher
    tilt = np.degrees(np.arctan(0.3))
    assert sky_view(horizon, tilt, 180.0)[0] == pytest.approx(0.5 * (1 + np.cos(np.radians(tilt))), abs=1e-3)


# Brute force -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("surface", ["prism", "linear"])
@pytest.mark.parametrize("noise_m", [0.0, 0.05])
def test_equals_brute_force(surface: str, noise_m: float) -> None:
    dsm, roof = city(noise_m=noise_m)
    rng = np.random.default_rng(2)
    inside = np.argwhere(roof)
    rows, cols = inside[rng.choice(len(inside), 150, replace=False)].T
    straight = AZIMUTHS % 90.0 != 45.0  # along diagonals prisms are seen from both sides
    expected = brute(dsm, rows, cols, surface)[:, straight]
    found = horizons(dsm, 1.0, rows, cols, surface=surface)[:, straight]  # type: ignore[arg-type]
    error = np.abs(found - expected)
    assert expected.max() > 40.0
    assert error.mean() <= 0.1
    assert abs((found - expected).mean()) <= 0.02
    assert np.median(error) <= 0.001
    assert np.quantile(error, 0.99) <= 2.0  # rays that graze a corner beyond the stencil, half a cell aside


# Symmetries ------------------------------------------------------------------------------------------------------


def test_turning_the_city_turns_the_horizon() -> None:
    dsm, _ = city(90)
    rows, cols = np.array([20, 45, 70]), np.array([33, 10, 60])
    straight = horizons(dsm, 1.0, rows, cols)
    turned = horizons(np.rot90(dsm, -1), 1.0, cols, 89 - rows)  # a quarter clockwise
    assert turned == pytest.approx(np.roll(straight, 18, axis=1), abs=1e-3)


def test_mirroring_the_city_mirrors_the_horizon() -> None:
    dsm, _ = city(90)
    rows, cols = np.array([20, 45, 70]), np.array([33, 10, 60])
    straight = horizons(dsm, 1.0, rows, cols)
    mirrored = horizons(dsm[:, ::-1], 1.0, rows, 89 - cols)
    assert mirrored == pytest.approx(straight[:, (-np.arange(72)) % 72], abs=1e-3)


def test_grid_north_turns_azimuths_by_its_angle() -> None:
    dsm, _ = city(90)
    straight = horizons(dsm, 1.0, [45], [10])
    assert horizons(dsm, 1.0, [45], [10], grid_north_deg=10.0) == pytest.approx(np.roll(straight, 2, axis=1))


def test_higher_obstacles_never_lower_the_horizon() -> None:
    dsm, roof = city(90)
    rows, cols = np.array([2, 45, 70]), np.array([2, 10, 60])
    before = horizons(dsm, 1.0, rows, cols)
    grown = dsm.copy()
    others = roof.copy()
    others[rows, cols] = False
    grown[others] += 3.0
    assert (horizons(grown, 1.0, rows, cols) >= before - 1e-4).all()


def test_threads_change_no_bit() -> None:
    dsm, roof = city(120)
    rows, cols = np.nonzero(roof)
    assert np.array_equal(horizons(dsm, 1.0, rows, cols), horizons(dsm, 1.0, rows, cols, threads=2))


# Data that are not there -----------------------------------------------------------------------------------------


def test_nodata_is_neither_wall_nor_hole() -> None:
    dsm, _ = city(90)
    framed = np.full((130, 130), np.nan)
    framed[20:110, 20:110] = dsm
    rows, cols = np.array([5, 45, 84]), np.array([5, 45, 84])
    inside, alone = horizons(framed, 1.0, rows + 20, cols + 20), horizons(dsm, 1.0, rows, cols)
    assert np.median(np.abs(inside - alone)) < 1e-3  # lines beyond the stencil may fall half a cell aside
    assert np.abs(inside - alone).mean() < 0.3
    assert np.isnan(horizons(framed, 1.0, [0], [0])).all()


def test_no_cells_and_other_types() -> None:
    dsm, _ = city(60)
    assert horizons(dsm, 1.0, [], []).shape == (0, 72)
    whole = np.round(dsm).astype(np.int16)
    assert horizons(whole, 1.0, [30], [30]) == pytest.approx(horizons(whole.astype(float), 1.0, [30], [30]))
    doubled = np.repeat(np.repeat(dsm, 2, axis=0), 2, axis=1)[::2, ::2]
    assert not doubled.flags.c_contiguous
    assert np.array_equal(horizons(doubled, 1.0, [30], [30]), horizons(dsm, 1.0, [30], [30]))


@pytest.mark.parametrize(
    "bad", [{"cell_size_m": 0.0}, {"surface": "cubist"}, {"above_m": -1.0}, {"n_azimuth": 0}, {"rows": [99]}]
)
def test_bad_arguments_are_named(bad: dict[str, object]) -> None:
    arguments: dict[str, object] = {"dsm": np.zeros((5, 5)), "cell_size_m": 1.0, "rows": [2], "cols": [2], **bad}
    with pytest.raises(InputError) as caught:
        horizons(**arguments)  # type: ignore[arg-type]
    assert next(iter(bad)) in str(caught.value)


@pytest.mark.parametrize("surface", ["prism", "linear"])
def test_windows_of_one_lattice_agree(surface: str) -> None:
    """Another window has other corners, but the same lines far away."""
    inner, roof = city(260)
    dsm = np.pad(inner, 40, constant_values=float(inner.min()))
    rows, cols = np.argwhere(roof)[::97].T + 40
    whole = horizons(dsm, 1.0, rows, cols, n_azimuth=36, surface=surface, origin=(-11, 5))  # type: ignore[arg-type]
    window = dsm[31:-8, 17:-25]
    part = horizons(window, 1.0, rows - 31, cols - 17, n_azimuth=36, surface=surface, origin=(20, 22))  # type: ignore[arg-type]
    np.testing.assert_allclose(part, whole, atol=2e-3)
    elsewhere = horizons(window, 1.0, rows - 31, cols - 17, n_azimuth=36, surface=surface, origin=(21, 22))  # type: ignore[arg-type]
    assert np.abs(elsewhere - whole).max() > 0.1
