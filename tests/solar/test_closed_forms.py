"""Closed forms from the elevation model to the energy, and what no turning, cutting or mirroring may change."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from numpy.typing import NDArray

import accuracy
from rooftop.core.surfaces import SurfaceKind
from rooftop.solar.energy import irradiation
from rooftop.solar.horizons import horizons
from rooftop.solar.raster import irradiation_raster
from rooftop.solar.sky import SkyYear

F8 = NDArray[np.float64]
I8 = NDArray[np.int64]
N = 360


@pytest.fixture(scope="module")
def perez() -> SkyYear:
    return accuracy.skies(32.07, 118.8)[0]


@pytest.fixture(scope="module")
def overcast() -> SkyYear:
    """Isotropic light alone."""
    sky = accuracy.skies(32.07, 118.8)[1]
    return dataclasses.replace(sky, beam=np.zeros_like(sky.beam))


def seen(sky: SkyYear, dsm: F8, at: tuple[int, int], surface: SurfaceKind = "prism", tilt: float = 0.0) -> float:
    """Diffuse light of the year that reaches a cell's plane (facing south), over that of a free level plane."""
    around = horizons(dsm, 1.0, [at[0]], [at[1]], n_azimuth=N, surface=surface)
    total = irradiation(sky, around, tilt, 180.0)["poa_sky_diffuse"].sum()
    return float(total / irradiation(sky, np.zeros((1, N)), 0.0)["poa_sky_diffuse"].sum())


def opening(half_m: float, height_m: float) -> float:
    """Sky of a level element under the middle of a square opening."""
    x = half_m / height_m
    return 4.0 / np.pi * x / np.hypot(1.0, x) * np.arctan(x / np.hypot(1.0, x))


def upright(distance_m: float, half_width_m: float, height_m: float) -> float:
    """Share of a level element's hemisphere behind an upright rectangle in front of it."""
    slant = np.hypot(distance_m, height_m)
    return float(np.arctan(half_width_m / distance_m) - distance_m / slant * np.arctan(half_width_m / slant)) / np.pi


def test_wall_street_and_unequal_rows(overcast: SkyYear) -> None:
    dsm = np.zeros((2401, 61))
    dsm[:, 40:] = 12.0
    east = 9.5 / np.hypot(9.5, 12.0)
    assert seen(overcast, dsm, (1200, 30)) == pytest.approx(0.5 * (1.0 + east), abs=1e-3)
    dsm[:, :18] = 20.0
    west = 12.5 / np.hypot(12.5, 20.0)
    assert seen(overcast, dsm, (1200, 30)) == pytest.approx(0.5 * (west + east), abs=1.5e-3)


def test_parallel_rows(overcast: SkyYear) -> None:
    dsm = np.zeros((121, 2401))
    dsm[::10, :] = 4.0  # rows 1 m wide every 10 m, running east-west
    north, south = 2.5 / np.hypot(2.5, 4.0), 6.5 / np.hypot(6.5, 4.0)
    assert seen(overcast, dsm, (63, 1200)) == pytest.approx(0.5 * (north + south), abs=1.5e-3)


def test_courtyard_and_parapet(overcast: SkyYear) -> None:
    for half, height in ((10, 8.0), (10, 1.0), (6, 20.0)):
        dsm = np.full((61, 61), height)
        dsm[30 - half : 31 + half, 30 - half : 31 + half] = 0.0
        assert seen(overcast, dsm, (30, 30)) == pytest.approx(opening(half + 0.5, height), abs=1e-3)


@pytest.mark.parametrize("turn", range(4))
def test_box(overcast: SkyYear, turn: int) -> None:
    dsm = np.zeros((81, 81))
    dsm[50:70, 30:51] = 15.0  # its face is 9.5 m away and 21 m wide
    found = seen(overcast, np.ascontiguousarray(np.rot90(dsm, turn)), (40, 40))
    assert found == pytest.approx(1.0 - upright(9.5, 10.5, 15.0), abs=1.5e-3)


def test_bowl_and_tilted_plane(overcast: SkyYear) -> None:
    y, x = np.mgrid[-150:151, -150:151].astype(float)
    distance = np.hypot(x, y)
    bowl = np.where(distance < 140.0, distance**2 / 280.0, np.nan)
    assert seen(overcast, bowl, (150, 150), "linear") == pytest.approx(0.8, abs=4e-3)  # cos² of a slope of 1/2
    for tilt in (10.0, 30.0):
        slope = np.tan(np.radians(tilt)) * -y
        expected = 0.5 * (1.0 + np.cos(np.radians(tilt)))
        assert seen(overcast, slope, (150, 150), "linear", tilt) == pytest.approx(expected, abs=2e-3)


# What may not change ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def city() -> accuracy.Site:
    return accuracy.seeded_city(200)


def year_of(sky: SkyYear, dsm: F8, rows: I8, cols: I8, tilt: float = 20.0, azimuth: float = 180.0) -> F8:
    around = horizons(dsm, 1.0, rows, cols)
    total: F8 = irradiation(sky, around, tilt, azimuth)["poa_global"].to_numpy().reshape(-1, 12)
    return total


def test_mirrored_city_under_mirrored_suns(city: accuracy.Site, perez: SkyYear) -> None:
    rows, cols = city.cells(40)
    east, north, up = perez.direction
    mirrored = dataclasses.replace(
        perez, azimuth_deg=(360.0 - perez.azimuth_deg) % 360.0, direction=np.stack([-east, north, up])
    )
    straight = year_of(perez, city.dsm, rows, cols, 20.0, 150.0)
    flipped = year_of(mirrored, np.ascontiguousarray(city.dsm[:, ::-1]), rows, 199 - cols, 20.0, 210.0)
    np.testing.assert_allclose(flipped, straight, rtol=1e-9)
    assert np.abs(flipped / year_of(perez, city.dsm, rows, cols, 20.0, 210.0) - 1.0).max() > 0.01


def test_turned_city_under_turned_suns(city: accuracy.Site, perez: SkyYear) -> None:
    rows, cols = city.cells(40)
    east, north, up = perez.direction
    turned = dataclasses.replace(
        perez, azimuth_deg=(perez.azimuth_deg + 90.0) % 360.0, direction=np.stack([north, -east, up])
    )
    straight = year_of(perez, city.dsm, rows, cols)
    clockwise = year_of(turned, np.ascontiguousarray(np.rot90(city.dsm, -1)), cols, 199 - rows, 20.0, 270.0)
    np.testing.assert_allclose(clockwise, straight, rtol=1e-9)


def test_higher_obstacles_never_give_more_in_any_month(city: accuracy.Site, perez: SkyYear) -> None:
    rows, cols = city.cells(60)
    before = year_of(perez, city.dsm, rows, cols)
    grown = city.dsm + np.random.default_rng(6).uniform(0.0, 5.0, city.dsm.shape)
    grown[rows, cols] = city.dsm[rows, cols]
    after = year_of(perez, grown, rows, cols)
    assert (after <= before * (1.0 + 1e-4)).all()
    assert after.sum() < 0.9 * before.sum()


def test_border_without_data_is_neither_wall_nor_hole(city: accuracy.Site, perez: SkyYear) -> None:
    rows, cols = city.cells(40)
    alone = year_of(perez, city.dsm, rows, cols)
    framed = np.full((260, 271), np.nan)
    framed[30:230, 41:241] = city.dsm
    np.testing.assert_allclose(year_of(perez, framed, rows + 30, cols + 41), alone, rtol=1e-9)
    mask = np.zeros(framed.shape, dtype=bool)
    mask[rows + 30, cols + 41] = mask[0, 0] = True
    raster = irradiation_raster(perez, framed, 1.0, mask, 20.0, 180.0)
    np.testing.assert_allclose(raster[rows + 30, cols + 41], alone.sum(axis=1), rtol=2e-3)
    assert np.isnan(raster[0, 0])
