"""The year of every cell, summed while horizons are swept, against horizons that are kept and read one by one."""

from __future__ import annotations

import dataclasses
import tracemalloc

import numpy as np
import pytest
from numpy.typing import NDArray

from rooftop.core.errors import InputError
from rooftop.solar.energy import irradiation
from rooftop.solar.horizons import horizons, sky_view
from rooftop.solar.raster import FarField, irradiation_raster, monthly_irradiation, sky_view_raster
from rooftop.solar.sky import SkyYear, sky_year
from rooftop.weather import Weather, synthetic_weather

F8 = NDArray[np.float64]
NO_DIAGONAL = {"n_azimuth": 60}
"""Directions of which none is close to a diagonal of the raster, where raster and horizons differ on purpose."""


@pytest.fixture(scope="module")
def weather() -> Weather:
    return synthetic_weather(32.0, 118.8, 10.0, None, np.full(12, 16.0), annual_ghi_kwh_m2=1350.0)


@pytest.fixture(scope="module")
def sky(weather: Weather) -> SkyYear:
    return sky_year(weather, "perez", factors=(1.0,))


def town(ny: int, nx: int, seed: int) -> F8:
    rng = np.random.default_rng(seed)
    dsm = rng.normal(0.0, 0.05, (ny, nx))
    for _ in range(ny * nx // 500):
        row, col = rng.integers(0, ny - 8), rng.integers(0, nx - 8)
        dsm[row : row + rng.integers(4, 14), col : col + rng.integers(4, 14)] += rng.uniform(3.0, 20.0)
    dsm[ny // 2, nx // 3] = np.nan
    dsm[:, -2:] = np.nan
    return dsm


def kept(sky: SkyYear, dsm: F8, mask: NDArray[np.bool_], tilt: float, azimuth: float, surface: str = "prism") -> F8:
    """Months (n, 12) of the masked cells with data."""
    rows, cols = np.nonzero(mask & np.isfinite(dsm))
    around = horizons(dsm, 2.0, rows, cols, surface=surface, **NO_DIAGONAL)  # type: ignore[arg-type]
    return irradiation(sky, around, tilt, azimuth, albedo=0.2)["poa_global"].to_numpy().reshape(-1, 12)


@pytest.mark.parametrize("surface", ["prism", "linear"])
def test_sums_are_those_of_kept_horizons(sky: SkyYear, surface: str) -> None:
    dsm = town(150, 190, 1)
    mask = np.random.default_rng(2).random(dsm.shape) < 0.05
    expected = kept(sky, dsm, mask, 15.0, 200.0, surface)
    options = {"albedo": 0.2, "surface": surface, **NO_DIAGONAL}
    annual = irradiation_raster(sky, dsm, 2.0, mask, 15.0, 200.0, **options)  # type: ignore[arg-type]
    months = monthly_irradiation(sky, dsm, 2.0, mask, 15.0, 200.0, **options)  # type: ignore[arg-type]
    known = mask & np.isfinite(dsm)
    # float32 sums, and tables over another variable of the horizon
    np.testing.assert_allclose(annual[known], expected.sum(axis=1), rtol=5e-5)
    np.testing.assert_allclose(annual[known].mean(), expected.sum(axis=1).mean(), rtol=1e-6)
    np.testing.assert_allclose(months[known[mask]], expected, rtol=5e-4)
    assert np.isnan(annual[~known]).all() and np.isnan(months[~known[mask]]).all()
    np.testing.assert_allclose(np.nansum(months), np.nansum(annual), rtol=1e-6)


def test_each_cell_has_its_own_plane_and_weather(weather: Weather, sky: SkyYear) -> None:
    dsm = town(90, 80, 3)
    brighter = dataclasses.replace(weather, data=weather.data.assign(dhi=weather.data["dhi"] * 1.5))
    mask = np.random.default_rng(4).random(dsm.shape) < 0.3
    tilt, azimuth = np.full(dsm.shape, 10.0), np.full(dsm.shape, 180.0)
    tilt[:, 40:], azimuth[:, 40:] = 30.0, 90.0
    zone = np.zeros(dsm.shape, dtype=np.int64)
    zone[45:] = 1
    skies = [sky, sky_year(brighter, "perez", factors=(1.0,))]
    found = irradiation_raster(skies, dsm, 2.0, mask, tilt, azimuth, zone=zone)
    months = monthly_irradiation(skies, dsm, 2.0, mask, tilt, azimuth, zone=zone)
    for number, part in ((0, np.s_[:45, :40]), (0, np.s_[:45, 40:]), (1, np.s_[45:, :40]), (1, np.s_[45:, 40:])):
        here = np.zeros_like(mask)
        here[part] = mask[part]
        alone = irradiation_raster(skies[number], dsm, 2.0, here, float(tilt[part][0, 0]), float(azimuth[part][0, 0]))
        np.testing.assert_array_equal(found[part][mask[part]], alone[part][mask[part]])
    np.testing.assert_allclose(months.sum(axis=1), found[mask], rtol=1e-5)


def test_sky_view_is_that_of_kept_horizons() -> None:
    dsm = town(100, 120, 5)
    mask = np.isfinite(dsm) & (np.random.default_rng(6).random(dsm.shape) < 0.1)
    rows, cols = np.nonzero(mask)
    for tilt, azimuth in ((0.0, 180.0), (40.0, 70.0)):
        found = sky_view_raster(dsm, 2.0, mask, tilt, azimuth, **NO_DIAGONAL)[mask]  # type: ignore[arg-type]
        expected = sky_view(horizons(dsm, 2.0, rows, cols, **NO_DIAGONAL), tilt, azimuth)  # type: ignore[arg-type]
        # between two azimuths: shared by nearness, against linear in the angle
        assert np.abs(found - expected).max() < 0.02
        assert -0.003 < float((found - expected).mean()) < 0.0  # cos² is concave: sharing leaves a little less sky
    level = np.zeros((80, 80))
    open_plane = sky_view_raster(level, 1.0, np.ones_like(level, dtype=bool), 40.0, 70.0)
    np.testing.assert_allclose(open_plane, 0.5 * (1.0 + np.cos(np.radians(40.0))), rtol=1e-6)


def test_both_sides_of_a_diagonal_count_half(sky: SkyYear) -> None:
    """A lone wall cell touches the diagonal of the eye with its corner: seen on one side, missed on the other."""
    dsm = np.zeros((21, 21))
    dsm[9, 10] = 3.0  # north of the eye: east of its corner lies the diagonal towards the north-east
    mask = np.zeros(dsm.shape, dtype=bool)
    mask[10, 10] = True
    once = horizons(dsm, 1.0, [10], [10], n_azimuth=8)[0]
    beside = np.degrees(np.arctan(3.0 / (0.5 * np.sqrt(2.0))))
    assert once[1] == pytest.approx(
        np.degrees(np.arccos(np.sqrt(0.5 + 0.5 * np.cos(np.radians(beside)) ** 2))), abs=0.01
    )
    one, other = np.zeros((2, 1, 8), np.float32)
    one[0, [0, 1, 7]] = np.degrees(np.arctan(6.0)), beside, beside
    other[0, 0] = one[0, 0]
    expected = [irradiation(sky, h)["poa_global"].sum() for h in (one, other)]
    found = irradiation_raster(sky, dsm, 1.0, mask, 20.0, 180.0, n_azimuth=8)[10, 10]
    assert found == pytest.approx(np.mean(expected), rel=1e-5)


def test_what_stands_beyond_hides_as_well(sky: SkyYear) -> None:
    dsm = town(60, 70, 10)
    mask = np.isfinite(dsm) & (np.random.default_rng(11).random(dsm.shape) < 0.3)
    far = np.random.default_rng(12).uniform(0.0, 30.0, (3, 60)).astype(np.float32)
    observer = np.random.default_rng(13).integers(0, 3, dsm.shape)
    rows, cols = np.nonzero(mask)
    around = np.maximum(horizons(dsm, 2.0, rows, cols, **NO_DIAGONAL), far[observer[mask]])  # type: ignore[arg-type]
    expected = irradiation(sky, around, 15.0, 200.0)["poa_global"].to_numpy().reshape(-1, 12)
    given = (sky, dsm, 2.0, mask, 15.0, 200.0)
    field = FarField(far, observer)
    annual = irradiation_raster(*given, far=field, **NO_DIAGONAL)[mask]  # type: ignore[arg-type]
    months = monthly_irradiation(*given, far=field, **NO_DIAGONAL)  # type: ignore[arg-type]
    np.testing.assert_allclose(annual, expected.sum(axis=1), rtol=5e-5)
    np.testing.assert_allclose(months, expected, rtol=5e-4)
    seen = sky_view_raster(dsm, 2.0, mask, far=field, **NO_DIAGONAL)[mask]  # type: ignore[arg-type]
    assert (seen < sky_view_raster(dsm, 2.0, mask, **NO_DIAGONAL)[mask]).all()  # type: ignore[arg-type]


def test_threads_change_no_bit(sky: SkyYear) -> None:
    dsm = town(160, 210, 7)
    mask = np.random.default_rng(8).random(dsm.shape) < 0.4
    one, three = (irradiation_raster(sky, dsm, 1.0, mask, threads=n) for n in (1, 3))
    np.testing.assert_array_equal(one, three)


def test_memory_is_a_few_bytes_per_cell(sky: SkyYear) -> None:
    dsm = np.nan_to_num(town(900, 900, 9)).astype(np.float32)
    mask = np.ones(dsm.shape, dtype=bool)
    small = np.zeros((80, 80), np.float32)
    irradiation_raster(sky, small, 1.0, np.ones(small.shape, dtype=bool), n_azimuth=8)
    tracemalloc.start()
    irradiation_raster(sky, small, 1.0, np.ones(small.shape, dtype=bool), n_azimuth=8)
    fixed = tracemalloc.get_traced_memory()[1]
    tracemalloc.reset_peak()
    irradiation_raster(sky, dsm, 1.0, mask, n_azimuth=8)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    margins = (970 * 1010 / dsm.size - 1.0) * 12.0  # 70 and up to 110 cells around the view, nothing to a large raster
    assert (peak - fixed) / dsm.size < 20.0 + margins


@pytest.mark.parametrize(
    "change,where",
    [
        ({"mask": np.ones((3, 3), dtype=bool)}, "mask"),
        ({"mask": np.ones((9, 9))}, "mask"),
        ({"surface_tilt": 91.0}, "surface_tilt"),
        ({"surface_tilt": np.zeros((2, 2))}, "surface_tilt"),
        ({"surface_azimuth": np.full((9, 9), np.nan)}, "surface_azimuth"),
        ({"surface_azimuth": np.arange(81.0).reshape(9, 9) / 7, "surface_tilt": np.arange(81.0).reshape(9, 9).T}, None),
        ({"zone": np.ones((9, 9), dtype=int)}, "zone"),
        ({"cell_size_m": 0.0}, "cell_size_m"),
        ({"threads": 0}, "threads"),
        ({"far": FarField(np.zeros((1, 71), np.float32), np.zeros((9, 9), np.int64))}, "far.horizon_deg"),
        ({"far": FarField(np.zeros((1, 72), np.float32), np.ones((9, 9), np.int64))}, "far.observer"),
    ],
)
def test_bad_arguments_are_named(sky: SkyYear, change: dict[str, object], where: str | None) -> None:
    given = {"dsm": np.zeros((9, 9)), "cell_size_m": 1.0, "mask": np.ones((9, 9), dtype=bool), **change}
    if where is None:
        assert np.isfinite(irradiation_raster(sky, **given)).all()  # type: ignore[arg-type]
        return
    with pytest.raises(InputError) as caught:
        irradiation_raster(sky, **given)  # type: ignore[arg-type]
    assert caught.value.details["where"] == where


def test_too_many_planes_are_refused(sky: SkyYear) -> None:
    dsm = np.zeros((60, 60))
    tilt = np.linspace(0.0, 60.0, dsm.size).reshape(dsm.shape)
    with pytest.raises(InputError, match="planes"):
        irradiation_raster(sky, dsm, 1.0, np.ones(dsm.shape, dtype=bool), tilt)
