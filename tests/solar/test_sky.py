"""Suns and sky: what an hour's irradiance becomes, against pvlib's own transposition and conservation laws."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pandas as pd
import pvlib
import pytest

from reference_energy import pvlib_hourly
from rooftop.core.choices import Diffuse
from rooftop.kernels import year
from rooftop.solar.cumulative import ModulePlane, plane_light
from rooftop.solar.sky import _positions, factor_nodes, sky_year
from rooftop.solar.skylines import Skylines
from rooftop.weather import Weather


def per_hour(sky, power: np.ndarray, weather: Weather) -> np.ndarray:
    """Sum a power of every sun [W/m2] to the energy of its hour [Wh/m2], found through the hour's temperature."""
    hour = pd.Series(np.arange(8760), index=weather.data["temp_air"])[sky.temp_air].to_numpy()
    return np.bincount(hour, weights=power * sky.duration_h, minlength=8760)


@pytest.fixture(scope="module")
def marked(weather: Weather) -> Weather:
    """The same weather with a temperature that names the hour."""
    return dataclasses.replace(weather, data=weather.data.assign(temp_air=np.arange(8760) * 1e-6))


@pytest.mark.parametrize("model", ["perez", "haydavies", "isotropic"])
@pytest.mark.parametrize("tilt,azimuth", [(0, 180), (25, 180), (40, 75), (90, 250)])
def test_one_sun_per_hour_is_pvlib_hour_by_hour(marked: Weather, model: Diffuse, tilt: float, azimuth: float) -> None:
    sky = sky_year(marked, model, factors=(1.0,), suns_per_interval=1)
    light = plane_light(sky, ModulePlane(tilt, azimuth), 0.2)
    poa = light.direct + light.circumsolar + light.isotropic + light.band + light.ground
    expected = pvlib_hourly(marked, tilt, azimuth, model)["poa_global"].to_numpy()
    found = per_hour(sky, poa[0], marked)
    sun = pvlib.solarposition.get_solarposition(
        marked.data.index, marked.latitude, marked.longitude, altitude=marked.altitude
    )["apparent_elevation"].to_numpy()
    day = sun > 0.5
    # pvlib's refraction uses 12 degC, ours the year's mean: a few thousandths of a degree
    assert np.abs(found - expected)[day].max() < 0.15


def test_ten_minute_suns_keep_each_hours_energy(marked: Weather) -> None:
    sky = sky_year(marked, "isotropic", factors=(1.0,))
    data = marked.data
    assert sky.duration_h == pytest.approx(1 / 6)
    np.testing.assert_allclose(per_hour(sky, sky.isotropic[0], marked), data["dhi"], atol=1e-9)
    sun = pvlib.solarposition.get_solarposition(
        data.index, marked.latitude, marked.longitude, altitude=marked.altitude, temperature=data["temp_air"].mean()
    )["apparent_elevation"].to_numpy()
    wanted = (data["dni"] * np.sin(np.radians(sun))).to_numpy()
    found = per_hour(sky, sky.beam[0] * sky.direction[2], marked)
    np.testing.assert_allclose(found[sun > 0], wanted[sun > 0], rtol=1e-9, atol=1e-9)
    assert np.all(sky.beam[0][sky.elevation_deg <= 0] == 0)
    assert np.all(found[sun <= 0] <= np.maximum(data["ghi"] - data["dhi"], 0)[sun <= 0] + 1e-9)


def test_beam_is_never_much_stronger_than_dni(marked: Weather) -> None:
    sky = sky_year(marked, factors=(1.0,))
    hour = (sky.temp_air * 1e6).round().astype(int)
    assert np.all(sky.beam[0] <= marked.data["dni"].to_numpy()[hour] * 1.02)


def test_suns_stand_around_the_middle_of_the_hour(weather: Weather) -> None:
    sky = sky_year(weather, factors=(1.0,))
    noon = sky.elevation_deg > np.quantile(sky.elevation_deg, 0.995)
    assert abs(np.median(sky.azimuth_deg[noon]) - 180) < 12
    june = sky.month == 5
    assert sky.elevation_deg[june].max() == pytest.approx(90 - weather.latitude + 23.44, abs=0.3)
    np.testing.assert_allclose(np.linalg.norm(sky.direction, axis=0), 1)
    east = (sky.azimuth_deg > 80) & (sky.azimuth_deg < 100)
    assert np.all(sky.direction[0][east] > 0.0)


def test_each_factor_is_the_sky_of_that_weather(weather: Weather) -> None:
    sky = sky_year(weather, factors=(0.8, 1.0, 1.2))
    brighter = weather.data.copy()
    brighter[["ghi", "dni", "dhi"]] *= 1.2
    alone = sky_year(dataclasses.replace(weather, data=brighter), factors=(1.0,))
    for name in ("beam", "circumsolar", "isotropic", "band", "ghi"):
        np.testing.assert_allclose(getattr(sky, name)[2], getattr(alone, name)[0], rtol=1e-9, atol=1e-9)


def test_factors_may_differ_by_month(weather: Weather) -> None:
    nodes = np.ones((1, 12))
    nodes[0, 6] = 1.5
    sky = sky_year(weather, factors=nodes)
    plain = sky_year(weather, factors=(1.0,))
    july = plain.month == 6
    np.testing.assert_allclose(sky.beam[0][july], 1.5 * plain.beam[0][july])
    np.testing.assert_array_equal(sky.beam[0][~july], plain.beam[0][~july])


def test_months_are_those_of_the_weathers_own_clock(weather: Weather) -> None:
    data = weather.data.copy()
    data.loc[pd.DatetimeIndex(data.index).month != 7, ["ghi", "dni", "dhi"]] = 0.0
    sky = sky_year(dataclasses.replace(weather, data=data), "isotropic", factors=(1.0,))
    july = np.bincount(sky.month, weights=sky.isotropic[0], minlength=12) * sky.duration_h
    assert july[6] == pytest.approx(data["dhi"].sum())
    assert july.sum() == pytest.approx(july[6])


def test_factor_nodes_span_the_factors() -> None:
    factor = np.full((3, 12), 1.1)
    factor[:, 0] = [0.8, 1.0, np.nan]
    factor[:, 1] = np.nan
    nodes = factor_nodes(factor)
    np.testing.assert_allclose(nodes[:, 0], [0.8, 0.9, 1.0])
    np.testing.assert_allclose(nodes[:, 1], [0.95, 1.0, 1.05])
    np.testing.assert_allclose(nodes[1], [0.9, 1.0, *[1.1] * 10])
    assert np.all(np.diff(nodes, axis=0) > 0.04)


def test_twilight_diffuse_is_kept(weather: Weather) -> None:
    data = weather.data.copy()
    data.loc[data.index[3], ["ghi", "dhi"]] = 6.0  # 03:30 in January: no sun anywhere in the hour
    sky = sky_year(dataclasses.replace(weather, data=data), factors=(1.0,))
    total = sky.isotropic[0][sky.elevation_deg <= 0].sum() * sky.duration_h
    assert total == pytest.approx(6.0)


def test_fill_shares_a_sun_between_neighbours_and_wraps() -> None:
    table = year.fill(np.array([350.0]), np.array([10.2]), np.array([4]), np.array([[3.0]]), 8)
    assert table[7, 0, 0, 4] == pytest.approx(3.0 * (360 - 350) / 45)
    assert table[0, 0, 0, 4] == pytest.approx(3.0 * (350 - 315) / 45)
    assert table.sum(axis=1)[1:7].sum() == 0
    edge = int(10.2 * year.EDGES_PER_DEG)
    assert np.all(table[0, : edge + 1, 0, 4] > 0)
    assert np.all(table[0, edge + 1 :, 0, 4] == 0)


def test_fill_ignores_the_sun_below_the_horizon() -> None:
    assert year.fill(np.array([180.0]), np.array([-0.1]), np.array([0]), np.array([[1.0]]), 36).sum() == 0


def test_sky_shares_closed_forms() -> None:
    for tilt in (0.0, 20.0, 60.0, 90.0):
        shares = year.sky_shares(72, 8, np.radians(tilt), np.radians(200.0), np.zeros(2), np.radians(6.5))
        assert shares[:, 0, 0].sum() == pytest.approx((1 + np.cos(np.radians(tilt))) / 2, abs=2e-5)
        assert np.all(np.diff(shares, axis=1) <= 1e-15)
    flat = year.sky_shares(72, 8, 0.0, 0.0, np.zeros(2), np.radians(6.5))
    for h in (10.0, 35.0, 70.0):
        edge = int(h * year.EDGES_PER_DEG)
        assert flat[:, edge, 0].sum() == pytest.approx(np.cos(np.radians(h)) ** 2, abs=1e-9)
    assert flat[:, 13, 1].sum() == pytest.approx(0.0, abs=1e-12)
    assert flat[:, 0, 1].sum() == pytest.approx(np.sin(np.radians(6.5)) ** 2, abs=1e-9)


def test_sky_share_before_an_endless_wall() -> None:
    """A wall whose top stands `w` degrees above a level plane leaves (1 + cos w) / 2 of the sky."""
    n, w = 360, 40.0
    shares = year.sky_shares(n, 8, 0.0, 0.0, np.zeros(2), np.radians(6.5))
    horizon = np.degrees(np.arctan(np.tan(np.radians(w)) * np.maximum(np.cos(np.radians(np.arange(n))), 0)))
    out = np.empty((1, 2))
    year.read_cells(shares, *Skylines.from_degrees(horizon[None].astype(np.float32)).columns, out)
    assert out[0, 0] == pytest.approx((1 + np.cos(np.radians(w))) / 2, abs=2e-4)


def test_base_slope_hides_what_lies_behind_it() -> None:
    """A level plane on a roof falling south at 30 degrees loses the sky below the roof to the north."""
    fall = np.tan(np.radians(30.0))
    shares = year.sky_shares(72, 16, 0.0, 0.0, np.array([0.0, fall]), np.radians(6.5))
    assert shares[:, 0, 0].sum() == pytest.approx((1 + np.cos(np.radians(30.0))) / 2, abs=1e-3)
    assert shares[36, 0, 0] > shares[0, 0, 0]


def test_sun_of_the_spa_report() -> None:
    """The worked example of Reda and Andreas (2008), NREL/TP-560-34302: 2003-10-17 12:30:30 in Golden."""
    index = pd.DatetimeIndex(["2003-10-17 12:30:30"], tz="Etc/GMT+7")
    data = pd.DataFrame({"ghi": 1.0, "dni": 0.0, "dhi": 1.0, "temp_air": 11.0, "wind_speed": 1.0}, index=index)
    golden = Weather(data, 39.742476, -105.1786, 1830.14, 3600.0, "report")
    elevation, azimuth = _positions(golden, index.tz_convert("UTC"))
    assert 90.0 - elevation[0] == pytest.approx(50.11162, abs=0.0003)
    assert azimuth[0] == pytest.approx(194.34024, abs=0.0003)


@pytest.mark.real
def test_suns_stand_where_the_published_grid_says(shared_truth: Path) -> None:
    """NREL's algorithm at 960 places and hours, through the weather's own clock."""
    grid = pd.read_csv(shared_truth / "published" / "solar_position_spa_grid.csv")
    worst = []
    for (latitude, longitude), rows in grid.groupby(["lat", "lon"]):
        index = pd.DatetimeIndex(pd.to_datetime(rows["utc"])).tz_convert("Etc/GMT-8")
        data = pd.DataFrame({"ghi": 1.0, "dni": 0.0, "dhi": 1.0, "temp_air": 12.0, "wind_speed": 1.0}, index=index)
        there = Weather(data, float(str(latitude)), float(str(longitude)), 0.0, 3600.0, "grid")
        elevation, azimuth = _positions(there, index.tz_convert("UTC"))
        up = rows["apparent_zenith"].to_numpy() < 89.5
        turn = (azimuth - rows["azimuth"].to_numpy() + 180.0) % 360.0 - 180.0
        aside = np.abs(turn) * np.sin(np.radians(rows["zenith"].to_numpy()))
        worst.append([np.abs(90.0 - elevation - rows["apparent_zenith"].to_numpy())[up].max(), aside.max()])
    assert len(grid) == 960
    assert np.max(worst, axis=0).tolist() == pytest.approx([0.0, 0.0], abs=0.0005)


@pytest.mark.real
def test_pvgis_user_horizon(shared_truth: Path) -> None:
    """PVGIS's own DNI behind its 8-point horizon, suns at HH:10 UTC: 1013.8 kWh/m2."""
    data = pd.read_csv(shared_truth / "published" / "pvgis_user_horizon_pair.csv.gz")
    times = pd.to_datetime(data["utc_label"], format="%Y%m%d:%H%M").dt.tz_localize("UTC") + pd.Timedelta("10min")
    index = pd.DatetimeIndex(times)
    sun = pvlib.solarposition.get_solarposition(index, 45.0, 8.0, altitude=250)
    points = np.array([0, 10, 20, 30, 40, 15, 25, 5, 0.0])
    horizon = np.interp(np.arange(72) * 5, np.arange(9) * 45, points).astype(np.float32)
    month = index.month.to_numpy().astype(np.int64) - 1
    dni = data["dni"].to_numpy(dtype=float)[:, None]
    table = year.fill(sun["azimuth"].to_numpy(), sun["elevation"].to_numpy(), month, dni, 72)
    out = np.empty((1, 12))
    year.read_cells(table.reshape(72, year.N_EDGE, 12), *Skylines.from_degrees(horizon[None]).columns, out)
    assert out.sum() / 1000 == pytest.approx(data["dni_masked"].sum() / 1000, rel=1e-3)
    assert data["dni"].sum() / 1000 == pytest.approx(1591.57, abs=0.01)
