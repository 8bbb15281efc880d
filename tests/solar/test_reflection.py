"""Reflection by obstacles: closed forms under an even sky, a street counted strip by strip, bounds."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from rooftop.solar.energy import ModulePlane, PlaneTables, Rows, irradiation, plane_tables, usable_year
from rooftop.solar.horizons import sky_view
from rooftop.solar.pvsystem import PvSystem
from rooftop.solar.reflection import Facades, facades, marginal_ac, reflected_irradiation, with_reflection
from rooftop.solar.sky import SkyYear, sky_year
from rooftop.weather import Weather

N = 72
AROUND = np.arange(N) * 2 * np.pi / N
ONE = np.array([0])
ONES = np.ones(12)
NORTH, SOUTH = 0.0, np.pi


@pytest.fixture(scope="module")
def overcast(weather: Weather) -> SkyYear:
    """The same sky in every direction."""
    data = weather.data.assign(dni=0.0, ghi=weather.data["dhi"])
    return sky_year(dataclasses.replace(weather, data=data), "isotropic", factors=(0.85, 1.0, 1.15))


@pytest.fixture(scope="module")
def sunny(weather: Weather) -> SkyYear:
    return sky_year(weather, factors=(0.85, 1.0, 1.15))


@pytest.fixture(scope="module")
def even(overcast: SkyYear) -> Facades:
    return facades(overcast, ONES, 1.0, albedo=0.0)


@pytest.fixture(scope="module")
def level(overcast: SkyYear, system: PvSystem) -> PlaneTables:
    return plane_tables(overcast, ModulePlane(0.0, 180.0), system)


@pytest.fixture(scope="module")
def south(sunny: SkyYear, system: PvSystem) -> PlaneTables:
    return plane_tables(sunny, ModulePlane(20.0, 180.0, "rack"), system)


@pytest.fixture(scope="module")
def lit(sunny: SkyYear) -> Facades:
    return facades(sunny, ONES, 0.3)


def wall(towards: float, steepness: float) -> np.ndarray:
    """Horizon [deg] of an endless wall, `steepness` = its height over its distance."""
    return np.degrees(np.arctan(steepness * np.maximum(np.cos(AROUND - towards), 0)))[None].astype(np.float32)


def total(around: Facades, tables: PlaneTables, horizon: np.ndarray) -> float:
    return float(reflected_irradiation(around, tables, horizon.astype(np.float32), ONE).sum())


# --- closed forms ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("steepness", [0.1, 0.3])
def test_before_an_endless_wall(
    overcast: SkyYear, even: Facades, level: PlaneTables, weather: Weather, steepness: float
) -> None:
    """View factor of a wall, (1 - cos h) / 2, times half the sky; seen obliquely it is taken as facing the cell."""
    expected = 0.5 * (1 - np.cos(np.arctan(steepness))) * 0.5 * weather.data["dhi"].sum() / 1000
    assert total(even, level, wall(NORTH, steepness)) == pytest.approx(expected, rel=0.02)


@pytest.mark.parametrize("deg", [10.0, 35.0, 60.0])
@pytest.mark.parametrize("reflectance", [0.2, 1.0])
def test_in_a_round_court(
    overcast: SkyYear, level: PlaneTables, weather: Weather, deg: float, reflectance: float
) -> None:
    """View factor sin^2 h; a facade behind an even horizon e sees 1/2 - (e + sin(2e)/2)/pi of the sky."""
    e = np.arctan(0.25 * np.tan(np.radians(deg)))
    facade = 0.5 - (e + 0.5 * np.sin(2 * e)) / np.pi
    expected = reflectance * np.sin(np.radians(deg)) ** 2 * facade * weather.data["dhi"].sum() / 1000
    found = total(facades(overcast, ONES, reflectance, albedo=0.0), level, np.full((1, N), deg))
    assert found == pytest.approx(expected, rel=1e-3)


def test_a_steep_plane_in_a_round_court(overcast: SkyYear, even: Facades, weather: Weather, system: PvSystem) -> None:
    """All facades are equally bright, so that only the share of the plane's own hemisphere that they fill counts."""
    tables, deg = plane_tables(overcast, ModulePlane(50.0, 120.0), system), 30.0
    hidden = sky_view(np.array([[0.0] * N, [deg] * N]), 50.0, 120.0)
    e = np.arctan(0.25 * np.tan(np.radians(deg)))
    expected = (hidden[0] - hidden[1]) * (0.5 - (e + 0.5 * np.sin(2 * e)) / np.pi) * weather.data["dhi"].sum() / 1000
    assert total(even, tables, np.full((1, N), deg)) == pytest.approx(expected, rel=2e-3)


@pytest.mark.parametrize("height", [0.3, 1.0, 2.0])
@pytest.mark.parametrize("place", [0.5, 0.2])
@pytest.mark.parametrize("eye", [0.0, 0.5])
def test_in_a_street(
    even: Facades, level: PlaneTables, weather: Weather, height: float, place: float, eye: float
) -> None:
    """Between two endless facades one unit apart, each lit over the other: counted strip by strip."""
    rise = height * (1 - eye)
    horizon = np.maximum(wall(NORTH, rise / place), wall(SOUTH, rise / (1 - place)))
    above = (np.arange(2000) + 0.5) / 2000 * rise
    expected = 0.0
    for distance in (place, 1 - place):
        lit_by_sky = 0.5 * (1 - np.sin(np.arctan(rise - above)))
        seen = 0.5 * above * distance / (above**2 + distance**2) ** 1.5 * rise / 2000
        expected += float((lit_by_sky * seen).sum())
    found = total(even, level, horizon) / (weather.data["dhi"].sum() / 1000)
    assert found == pytest.approx(expected, rel=0.14 if rise <= 1.0 else 0.55)


def test_a_facade_receives_what_its_plane_does(sunny: SkyYear, lit: Facades) -> None:
    """With nothing opposite, the tables of the facades are vertical planes."""
    for f, azimuth in ((0, 0.0), (6, 180.0), (9, 270.0)):
        expected = irradiation(sunny, np.zeros((1, N)), 90.0, azimuth, albedo=0.2)["poa_global"].to_numpy()
        np.testing.assert_allclose(lit.table[f, :, 0].sum(axis=0), expected, rtol=1e-5)


# --- where it comes from and how much it is ----------------------------------------------------------------------


def test_the_sunlit_wall_gives_more(lit: Facades, south: PlaneTables, sunny: SkyYear, system: PvSystem) -> None:
    flat = plane_tables(sunny, ModulePlane(0.0, 180.0), system)
    from_north, from_south = (total(lit, flat, wall(w, 1.0)) for w in (NORTH, SOUTH))
    assert from_north > 1.5 * from_south
    from_east, from_west = (total(lit, flat, wall(w, 1.0)) for w in (np.pi / 2, 3 * np.pi / 2))
    assert from_south < min(from_east, from_west) and max(from_east, from_west) < from_north
    assert total(lit, south, np.zeros((1, N))) == 0.0
    tilted = plane_tables(sunny, ModulePlane(40.0, 180.0), system)
    assert total(lit, tilted, wall(NORTH, 0.5)) < 0.2 * total(lit, flat, wall(NORTH, 0.5))


def test_never_more_than_facades_fully_lit(lit: Facades, south: PlaneTables) -> None:
    rng = np.random.default_rng(2)
    edges = np.repeat(rng.uniform(0, 60, (20, N // 6)), 6, axis=1)
    horizon = np.vstack([rng.uniform(0, 80, (20, N)), edges]).astype(np.float32)
    cells = np.arange(len(horizon))
    found = usable_year(south, horizon, cells, np.arange(len(cells) + 1), np.ones((len(cells), 12)), ONES)
    hidden = south.svf_free - found.year.svf
    brightest = lit.table[:, :, 0].sum(axis=1).max(axis=0)
    months = reflected_irradiation(lit, south, horizon, cells)
    assert np.all(months > 0)
    assert np.all(months <= 0.3 * hidden[:, None] * brightest * (1 + 1e-6))


def test_rows_in_front_hide_facades(lit: Facades, south: PlaneTables, sunny: SkyYear, system: PvSystem) -> None:
    rows = plane_tables(sunny, ModulePlane(20.0, 180.0, "rack", Rows(2.3, 3.0)), system)
    assert total(lit, rows, wall(SOUTH, 0.4)) < 0.95 * total(lit, south, wall(SOUTH, 0.4))


# --- a year with it ----------------------------------------------------------------------------------------------


def test_a_year_gets_its_cells_mean(lit: Facades, south: PlaneTables) -> None:
    horizon = np.vstack([wall(NORTH, 0.3), wall(SOUTH, 3.0), wall(NORTH, 1.5), wall(SOUTH, 3.0)])
    cells, start, factor = np.array([0, 1, 2, 3]), np.array([0, 3, 4, 4]), np.full((3, 12), [[0.9], [1.0], [1.1]])
    plain = usable_year(south, horizon, cells, start, factor, ONES, 0.3)
    assert np.all((plain.shading_loss > 0.3) == [False, True, False, True])
    found, months = with_reflection(plain, lit)
    np.testing.assert_allclose(found.annual_kwh_m2, plain.annual_kwh_m2 + months.sum(axis=1))
    added = found.year.poa_kwh_m2 - plain.year.poa_kwh_m2
    np.testing.assert_allclose(added[0], 0.9 * months[[0, 2]].mean(axis=0), rtol=1e-9)
    np.testing.assert_allclose(added[1], months[3], rtol=1e-9)
    assert np.isnan(added[2]).all() and np.isnan(found.year.shading_loss[2])
    assert np.all(found.year.shading_loss[:2] < plain.year.shading_loss[:2])
    assert np.all(found.shading_loss < plain.shading_loss)
    np.testing.assert_array_equal(found.ok_share, plain.ok_share)
    gain = (found.year.ac_kwh_kwp - plain.year.ac_kwh_kwp)[:2] / added[:2]
    assert np.all((gain > 0.6) & (gain < 0.95))


def test_marginal_ac_is_what_a_brighter_sky_brings(weather: Weather, system: PvSystem) -> None:
    """Slope of the polynomial against tables of a year whose diffuse light is brighter, every hour simulated anew."""
    plane, skies = ModulePlane(40.0, 180.0, "rack"), []
    for more in (0.0, 0.05):
        data = weather.data.assign(ghi=weather.data["ghi"] + more * weather.data["dhi"])
        data["dhi"] *= 1.0 + more
        skies.append(sky_year(dataclasses.replace(weather, data=data), "isotropic", factors=(0.85, 1.0, 1.15)))
    dark, bright = (plane_tables(sky, plane, system, albedo=0.0) for sky in skies)
    free, start = np.zeros((1, N), np.float32), np.array([0, 1])
    a, b = (usable_year(t, free, ONE, start, np.ones((1, 12))).year for t in (dark, bright))
    expected = (b.ac_kwh_kwp - a.ac_kwh_kwp) / (b.poa_kwh_m2 - a.poa_kwh_m2)
    np.testing.assert_allclose(marginal_ac(dark, [1.0], ONES), expected, rtol=0.015)
