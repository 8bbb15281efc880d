"""Hourly yield behind horizons: against a sun-by-sun simulation, against the tables of the year, and closed forms."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pvlib
import pytest

import rooftop
from reference_energy import made_weather, simulate
from rooftop.core.errors import ArgumentError
from rooftop.solar.cumulative import ModulePlane, Rows
from rooftop.solar.energy import plane_tables, plane_year
from rooftop.solar.hourly import (
    HourlyTables,
    HourlyYield,
    _inverter,
    hourly_series,
    hourly_tables,
    hourly_yield,
    self_use,
)
from rooftop.solar.pvsystem import PvSystem, load_system
from rooftop.solar.sky import SkyYear, sky_year
from rooftop.weather import Weather

N = 72
FREE = np.zeros((1, N), np.float32)


@pytest.fixture(scope="module")
def south(sky: SkyYear, system: PvSystem) -> HourlyTables:
    return hourly_tables(sky, ModulePlane(20.0, 180.0, "rack"), system=system)


def city_horizons(n: int = 8, seed: int = 3) -> np.ndarray:
    """A free roof, then ridges, canyons and blocks of buildings of different heights."""
    rng = np.random.default_rng(seed)
    around = np.arange(N) * 2 * np.pi / N
    rows = [np.zeros(N), np.full(N, 33.0)]
    for i in range(n - 2):
        top = (12.0, 30.0, 50.0)[i % 3]
        ridge = top / 2 * (1 + np.sin(around * rng.integers(1, 4) + rng.uniform(0, 6)))
        blocks = np.repeat(rng.uniform(0, top, N // 6) * (rng.random(N // 6) < 0.7), 6)
        rows.append(ridge if i % 2 else blocks)
    return np.array(rows, dtype=np.float32)


def monthly_of_tables(sky: SkyYear, plane: ModulePlane, system: PvSystem, horizon: np.ndarray) -> np.ndarray:
    n = len(horizon)
    return plane_year(plane_tables(sky, plane, system), horizon, np.arange(n), n, np.ones((n, 12))).ac_kwh_kwp


# --- against the simulation of every sun -------------------------------------------------------------------------


@pytest.mark.parametrize("ratio,tilt,azimuth,factor", [(1.2, 20.0, 180.0, 1.0), (1.6, 35.0, 215.0, 0.9)])
def test_every_hour_is_the_simulations(
    weather: Weather, sky: SkyYear, system: PvSystem, ratio: float, tilt: float, azimuth: float, factor: float
) -> None:
    clipping = dataclasses.replace(system, dc_ac_ratio=ratio)
    tables = hourly_tables(sky, ModulePlane(tilt, azimuth, "rack"), system=clipping)
    around = city_horizons(5)[2:]
    scale = None if factor == 1.0 else np.full((3, 12), factor)
    found = hourly_series(tables, around, factor=scale).ac_w_per_kwp
    for one, horizon in zip(found, around, strict=True):
        truth = simulate(weather, tilt, azimuth, horizon[None], clipping, factor=np.full(12, factor))[0].pooled_w
        # sharing out the sky is counted on patches in the simulation, and power is parabolic in the factor here
        assert np.abs(one - truth).max() < (0.6 if factor == 1.0 else 1.5)
        assert one.sum() == pytest.approx(truth.sum(), rel=2e-4 if factor == 1.0 else 5e-4)
        assert np.corrcoef(one, truth)[0, 1] > 0.999999


def test_a_group_is_the_simulations_roof(weather: Weather, south: HourlyTables, system: PvSystem) -> None:
    """Cells share one inverter; horizons on the edges of the tables, so that nothing is interpolated."""
    clipping = dataclasses.replace(system, dc_ac_ratio=1.6)
    tables = hourly_tables(sky_year(weather, factors=(1.0,)), ModulePlane(20.0, 180.0, "rack"), system=clipping)
    around = np.round(city_horizons(5) * 2) / 2
    truth = simulate(weather, 20.0, 180.0, around, clipping)[0].pooled_w
    found = hourly_series(tables, around, group=np.zeros(5, int)).ac_w_per_kwp[0]
    at_edge = np.abs(found - truth) > 0.6
    assert at_edge.sum() < 40  # suns that stand within a table's half degree of such an edge
    assert found.sum() == pytest.approx(truth.sum(), rel=5e-4)
    alone = hourly_series(tables, around).ac_w_per_kwp.mean(axis=0)
    assert alone.sum() < found.sum()  # five inverters limit more than one


# --- against the year's tables -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "plane",
    [
        ModulePlane(20.0, 180.0, "rack"),
        ModulePlane(35.0, 100.0, "flush"),
        ModulePlane(15.0, 180.0, "rack", Rows(2.3, 3.2)),
        ModulePlane(25.0, 200.0, "flush", None, 25.0, 200.0),
    ],
)
def test_sums_are_those_of_the_tables(sky: SkyYear, system: PvSystem, plane: ModulePlane) -> None:
    mild = dataclasses.replace(system, dc_ac_ratio=0.9)  # no inverter limits anything
    around = city_horizons()
    found = hourly_series(hourly_tables(sky, plane, system=mild), around).monthly_kwh_kwp()
    expected = monthly_of_tables(sky, plane, mild, around)
    free = expected[0]
    assert np.abs(found.sum(axis=1) - expected.sum(axis=1)).max() < 5e-4 * free.sum()
    # the tables blur a horizon over half a degree, which a month of similar suns shows; groups are read as tables are
    assert np.abs(found - expected).max() < 4e-3 * free.min()
    tables = hourly_tables(sky, plane, system=mild)
    grouped = hourly_series(tables, around, group=np.arange(len(around))).monthly_kwh_kwp()
    assert np.abs(grouped - expected).max() < 1e-3 * free.min()


def test_wind_cools_cells_hour_by_hour(weather: Weather) -> None:
    """Sandia's cell temperature: against the simulation, in a year whose wind changes every hour."""
    system = load_system(cell_temperature="sapm")
    windy = weather.data.assign(wind_speed=np.random.default_rng(4).uniform(0.0, 12.0, len(weather.data)))
    there = dataclasses.replace(weather, data=windy)
    around = city_horizons(5)[2:4]
    found = hourly_series(hourly_tables(there, ModulePlane(20.0, 180.0), system=system), around).ac_w_per_kwp
    for one, horizon in zip(found, around, strict=True):
        truth = simulate(there, 20.0, 180.0, horizon[None], system, mounting="flush")[0]
        assert np.abs(one - truth.pooled_w).max() < 0.6
    yearly = monthly_of_tables(sky_year(there), ModulePlane(20.0, 180.0), system, around).sum(axis=1)
    assert yearly[-1] == pytest.approx(truth.ac.sum(), rel=1e-3)


# --- closed forms ------------------------------------------------------------------------------------------------


def test_walls_all_around_leave_the_ground(sky: SkyYear, south: HourlyTables, system: PvSystem) -> None:
    dark = hourly_series(south, FREE + 90.0).ac_w_per_kwp
    level = hourly_series(hourly_tables(sky, ModulePlane(0.0, 180.0), system=system), FREE + 90.0).ac_w_per_kwp
    assert level.max() < 1e-3
    assert 0.0 < dark.sum() / 1000 < 12.0
    without = hourly_tables(sky, ModulePlane(20.0, 180.0, "rack"), system=system, albedo=0.0)
    assert hourly_series(without, FREE + 90.0).ac_w_per_kwp.max() < 1e-3


def test_a_horizon_takes_the_sun_in_its_hours_only(south: HourlyTables) -> None:
    """A wall in the east, 40 degrees high: afternoons lose diffuse light alone, mornings the sun."""
    wall = FREE.copy()
    wall[0, 9:28] = 40.0  # 45 to 135 degrees
    free, behind = (hourly_series(south, h).ac_w_per_kwp[0] for h in (FREE, wall))
    hour = south.times.hour.to_numpy()
    lost = [1 - behind[hour == h].sum() / free[hour == h].sum() for h in (8, 15)]
    assert lost[0] > 0.4
    assert 0.0 < lost[1] < 0.1
    assert (behind <= free + 1e-3).all()


def test_the_limit_is_the_inverters(sky: SkyYear, system: PvSystem) -> None:
    small = dataclasses.replace(system, dc_ac_ratio=2.0, losses_ac=())
    power = hourly_series(hourly_tables(sky, ModulePlane(30.0, 180.0), system=small), FREE).ac_w_per_kwp
    assert power.max() == pytest.approx(500.0, rel=1e-5)
    assert (power > 499.9).sum() > 300
    assert power.min() == 0.0


@pytest.mark.parametrize(
    ("ratio", "nominal", "reference"), [(1.2, 0.96, 0.9637), (0.9, 0.985, 0.9637), (1.6, 0.9, 0.95)]
)
def test_the_inverter_is_pvlibs(system: PvSystem, ratio: float, nominal: float, reference: float) -> None:
    other = dataclasses.replace(system, dc_ac_ratio=ratio, eta_inv_nom=nominal, eta_inv_ref=reference)
    p, q, w, least, limit = _inverter(other)
    dc = np.concatenate([[0.0, least / 2, least], np.linspace(0.01, 1.5, 150)])
    given = np.maximum(dc, least)
    found = np.minimum((p * given + q) * given + w, 1.0) * limit
    full = 1000.0 * other.inverter_pdc0
    expected = pvlib.inverter.pvwatts(dc * full, full, nominal, reference) * other.ac_share
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-4)  # [W]: what the least DC of the kernel gives
    assert (found > 0.0).all() and (expected[:2] == 0.0).all() and expected.max() == pytest.approx(limit)


def test_nights_are_dark_and_noons_are_not(south: HourlyTables) -> None:
    series = hourly_series(south, FREE)
    assert series.index.equals(made_weather().data.index)
    hour = series.index.hour
    assert not series.ac_w_per_kwp[:, (hour < 4) | (hour > 20)].any()
    assert series.ac_w_per_kwp[:, hour == 12].mean() > 250
    monthly = pd.Series(series.ac_w_per_kwp[0].astype(float), series.index).groupby(series.index.month).sum() / 1000
    np.testing.assert_allclose(series.monthly_kwh_kwp()[0], monthly, rtol=1e-9)


# --- laws of the kernel ------------------------------------------------------------------------------------------


def test_neighbours_and_a_second_run_change_no_bit(south: HourlyTables) -> None:
    around = np.repeat(city_horizons(), 40, axis=0)[np.random.default_rng(0).permutation(320)]
    together = hourly_series(south, around).ac_w_per_kwp
    np.testing.assert_array_equal(together, hourly_series(south, around).ac_w_per_kwp)
    np.testing.assert_array_equal(together[200:], hourly_series(south, around[200:]).ac_w_per_kwp)
    cells = np.arange(320) % 20
    groups = hourly_series(south, around, group=cells).ac_w_per_kwp
    alone = hourly_series(south, around[cells == 17], group=np.zeros(16, int)).ac_w_per_kwp
    np.testing.assert_array_equal(groups[17:18], alone)


def test_groups_may_be_empty_and_cells_in_none(south: HourlyTables) -> None:
    around = city_horizons(5)
    found = hourly_series(south, around, group=[0, -1, 2, 2, 0], n_group=4).ac_w_per_kwp
    assert np.isnan(found[[1, 3]]).all() and np.isfinite(found[[0, 2]]).all()
    np.testing.assert_array_equal(found[[0]], hourly_series(south, around[[0, 4]], group=[0, 0]).ac_w_per_kwp)


def test_factors_scale_each_roof_by_itself(weather: Weather, south: HourlyTables, system: PvSystem) -> None:
    around = city_horizons(3)
    factor = np.linspace(0.9, 1.1, 36).reshape(3, 12)
    found = hourly_series(south, around, factor=factor)
    for one, horizon, scale in zip(found.ac_w_per_kwp, around, factor, strict=True):
        data = weather.data.copy()
        data[["ghi", "dni", "dhi"]] = data[["ghi", "dni", "dhi"]].mul(scale[data.index.month - 1], axis=0)  # type: ignore[attr-defined,list-item]
        scaled = dataclasses.replace(weather, data=data)
        alone = hourly_yield(scaled, horizon[None], south.plane, system=system).ac_w_per_kwp[0]
        assert one.sum() == pytest.approx(alone.sum(), rel=1e-3)
    whole = hourly_series(south, around, factor=factor, group=[0, 1, 2]).ac_w_per_kwp
    np.testing.assert_allclose(whole.sum(axis=1), found.ac_w_per_kwp.sum(axis=1), rtol=5e-4)
    ones = hourly_series(south, around, factor=np.ones((3, 12))).ac_w_per_kwp
    np.testing.assert_allclose(ones, hourly_series(south, around).ac_w_per_kwp, atol=1e-3)


def test_the_result_may_be_given(south: HourlyTables) -> None:
    out = np.full((2, 8760), -1.0, np.float32)
    series = hourly_series(south, city_horizons(2), out=out)
    assert series.ac_w_per_kwp is out and out.min() == 0.0


def test_public_call_takes_weather_alone(weather: Weather, south: HourlyTables) -> None:
    around = city_horizons(2)
    found = rooftop.hourly_yield(weather, around, south.plane)
    assert isinstance(found, HourlyYield) and found.interval_h == 1.0
    np.testing.assert_allclose(found.ac_w_per_kwp, hourly_series(south, around).ac_w_per_kwp, atol=1e-3)
    factors = np.full((2, 12), 1.1)
    more = rooftop.hourly_yield(weather, around, south.plane, factor=factors).monthly_kwh_kwp()
    assert np.all(more > found.monthly_kwh_kwp())


def test_what_does_not_fit_is_refused(south: HourlyTables) -> None:
    with pytest.raises(ArgumentError, match="horizons do not fit"):
        hourly_series(south, np.zeros((1, 36)))
    with pytest.raises(ArgumentError, match="not a number"):
        hourly_series(south, FREE + np.nan)
    with pytest.raises(ArgumentError, match="groups do not fit"):
        hourly_series(south, FREE, group=[0, 0])
    with pytest.raises(ArgumentError, match="groups do not fit"):
        hourly_series(south, FREE, group=[3], n_group=2)
    with pytest.raises(ArgumentError, match="factors do not fit"):
        hourly_series(south, FREE, factor=np.ones((2, 12)))
    with pytest.raises(ArgumentError, match="factor_nodes"):
        hourly_series(south, FREE, factor=np.full((1, 12), 2.0))
    for bad in (np.empty((1, 8760)), np.empty((8760, 1), np.float32).T[:, ::2], np.empty((2, 8760), np.float32)):
        with pytest.raises(ArgumentError, match="does not fit"):
            hourly_series(south, FREE, out=bad)  # type: ignore[arg-type]


# --- loads -------------------------------------------------------------------------------------------------------


def test_self_use_is_the_smaller_of_the_two() -> None:
    match = self_use([[0.0, 3.0, 1.0], [0.0, 0.0, 0.0]], [[1.0, 1.0, 1.0], [0.0, 0.0, 0.0]])
    np.testing.assert_allclose(match.used_kwh, [2.0, 0.0])
    np.testing.assert_allclose(match.self_use_share, [0.5, np.nan])
    np.testing.assert_allclose(match.load_share, [2 / 3, np.nan])
    same = self_use([[0.0, 3.0, 1.0]], [1.0, 1.0, 1.0])
    assert same.used_kwh == pytest.approx(2.0)
    with pytest.raises(ArgumentError, match="do not fit"):
        self_use([[1.0, 2.0]], [1.0])
    with pytest.raises(ArgumentError, match="negative"):
        self_use([[1.0, -2.0]], [1.0, 1.0])
    with pytest.raises(ArgumentError, match="negative"):
        self_use([[1.0, 2.0]], [1.0, np.nan])
