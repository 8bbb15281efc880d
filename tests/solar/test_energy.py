"""Irradiation and yield of cells: against pvlib, against a sun-by-sun simulation, and laws that any yield obeys."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pandas as pd
import pvlib
import pytest

from reference_energy import pvlib_hourly, pvlib_yield, simulate
from rooftop.core.choices import CellTemperature, Mounting
from rooftop.core.errors import ArgumentError
from rooftop.solar.energy import (
    ModulePlane,
    PlaneTables,
    Rows,
    cell_months,
    cell_year,
    free_year,
    irradiation,
    plane_tables,
    plane_year,
    pv_energy,
    usable_year,
)
from rooftop.solar.pvsystem import PvSystem, load_system
from rooftop.solar.sky import SkyYear, sky_year
from rooftop.weather import Weather

N = 72
AROUND = np.arange(N) * 2 * np.pi / N
FREE = np.zeros((1, N), np.float32)
ONES = np.ones((1, 12))


@pytest.fixture(scope="module")
def skies(weather: Weather, sky: SkyYear) -> dict[str, SkyYear]:
    return {"perez": sky} | {m: sky_year(weather, m) for m in ("haydavies", "isotropic")}


@pytest.fixture(scope="module")
def south(sky: SkyYear, system: PvSystem) -> PlaneTables:
    return plane_tables(sky, ModulePlane(20.0, 180.0, "rack"), system)


def city_horizons(seed: int = 3) -> np.ndarray:
    """Smooth ridges, street canyons and blocks of buildings, up to a sky view of 0.6."""
    rng = np.random.default_rng(seed)
    rows = [np.zeros(N), np.full(N, 39.0)]
    for top in (12.0, 30.0, 50.0):
        rows.append(top / 2 * (1 + np.sin(AROUND * rng.integers(1, 4) + rng.uniform(0, 6))))
        rows.append(np.degrees(np.arctan(np.tan(np.radians(top)) * np.abs(np.cos(AROUND - rng.uniform(0, 6))))))
        rows.append(np.repeat(rng.uniform(0, top, N // 6) * (rng.random(N // 6) < 0.7), 6))
    return np.array(rows, dtype=np.float32)


def annual_ac(tables: PlaneTables, horizon: np.ndarray) -> np.ndarray:
    n = len(horizon)
    return plane_year(tables, horizon, np.arange(n), n, np.ones((n, 12))).ac_kwh_kwp.sum(axis=1)


# --- a free plane is pvlib's -------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", ["perez", "haydavies", "isotropic"])
def test_free_plane_receives_what_pvlib_says(weather: Weather, skies: dict[str, SkyYear], model: str) -> None:
    sky = skies[model]
    for tilt, azimuth in ((0, 180), (20, 180), (35, 110), (60, 200), (25, 10)):
        expected = pvlib_hourly(weather, tilt, azimuth, model).sum() / 1000
        found = irradiation(sky, FREE, tilt, azimuth, albedo=0.2).sum()
        assert found["poa_global"] == pytest.approx(expected["poa_global"], rel=0.003)
        assert found["poa_direct"] == pytest.approx(expected["poa_direct"], rel=0.004)
        assert found["poa_sky_diffuse"] == pytest.approx(expected["poa_sky_diffuse"], rel=0.004)
        assert found["poa_ground_diffuse"] == pytest.approx(expected["poa_ground_diffuse"], rel=0.002, abs=1e-9)


@pytest.mark.parametrize("tilt,azimuth", [(0, 180), (10, 180), (25, 180), (15, 90), (30, 240)])
@pytest.mark.parametrize("mounting,model", [("rack", "ross"), ("flush", "ross"), ("rack", "sapm"), ("flush", "sapm")])
def test_free_plane_yields_what_pvlib_says(
    weather: Weather, sky: SkyYear, tilt: float, azimuth: float, mounting: Mounting, model: CellTemperature
) -> None:
    system = load_system(cell_temperature=model)
    found = pv_energy(sky, None, tilt, azimuth, system=system, mounting=mounting)
    power = pvlib_yield(weather, tilt, azimuth, system, mounting)
    expected = power.groupby(pd.DatetimeIndex(power.index).month).sum().to_numpy()
    assert found.sum() == pytest.approx(expected.sum(), rel=0.005)
    np.testing.assert_allclose(found, expected, rtol=0.01)


def test_level_plane_receives_ghi(weather: Weather, skies: dict[str, SkyYear]) -> None:
    found = irradiation(skies["isotropic"], FREE, 0.0)
    assert found["poa_global"].sum() == pytest.approx(weather.data["ghi"].sum() / 1000, rel=1e-3)
    assert list(found.index.names) == ["point", "month"]
    assert found.index[0] == (0, 1) and found.index[-1] == (0, 12)


# --- shaded cells are a sun-by-sun simulation's ------------------------------------------------------------------


@pytest.mark.parametrize(
    "ratio,tilt,azimuth,factor", [(1.3, 20.0, 180.0, 1.0), (1.2, 10.0, 100.0, 1.12), (1.6, 35.0, 215.0, 0.9)]
)
def test_shaded_yield_is_the_simulations(
    weather: Weather, sky: SkyYear, system: PvSystem, ratio: float, tilt: float, azimuth: float, factor: float
) -> None:
    clipping = dataclasses.replace(system, dc_ac_ratio=ratio)
    around = city_horizons()
    tables = plane_tables(sky, ModulePlane(tilt, azimuth, "rack"), clipping)
    n = len(around)
    found = plane_year(tables, around, np.arange(n), n, np.full((n, 12), factor))
    truth = simulate(weather, tilt, azimuth, around, clipping, factor=np.full(12, factor))
    free = truth[0]
    assert found.svf.min() < 0.61
    poa_error = (found.poa_kwh_m2.sum(1) - [one.poa.sum() for one in truth]) / free.poa.sum()
    ac_error = (found.ac_kwh_kwp.sum(1) - [one.ac.sum() for one in truth]) / free.ac.sum()
    assert np.abs(poa_error).max() < 0.0005
    assert np.abs(ac_error).max() < 0.001
    month_error = (found.ac_kwh_kwp - [one.ac for one in truth]) / free.ac
    assert np.abs(month_error).max() < 0.006


def test_shaded_yield_behind_a_horizon_linear_in_between(
    weather: Weather, system: PvSystem, south: PlaneTables
) -> None:
    """Where the horizon runs smoothly, sharing a sun between samples equals a straight line between them."""
    around = city_horizons()[[2, 3, 5, 6, 8, 9]]
    truth = simulate(weather, 20.0, 180.0, around, system, between="linear")
    free = simulate(weather, 20.0, 180.0, FREE, system)[0].ac.sum()
    error = (annual_ac(south, around) - [one.ac.sum() for one in truth]) / free
    assert np.abs(error).max() < 0.002


def test_one_inverter_for_all_cells_yields_more_than_one_for_each(weather: Weather, system: PvSystem) -> None:
    around = city_horizons()[:4]
    tight = dataclasses.replace(system, dc_ac_ratio=1.5)
    truth = simulate(weather, 20.0, 180.0, around, tight)
    apart = np.mean([one.ac.sum() for one in truth])
    tables = plane_tables(weather, ModulePlane(20.0, 180.0, "rack"), tight, n_azimuth=N)
    together = plane_year(tables, around, np.zeros(4, int), 1, ONES).ac_kwh_kwp[0].sum()
    gain = truth[0].pooled.sum() - apart
    assert gain > 0.001 * apart
    assert together - truth[0].pooled.sum() == pytest.approx(0.0, abs=0.4 * gain)


def test_cells_that_see_the_same_gain_nothing_together(south: PlaneTables) -> None:
    around = np.repeat(np.round(city_horizons()[1:2] * 2.0) / 2.0, 5, axis=0).astype(
        np.float32
    )  # whole steps: no bin is cut
    one = plane_year(south, around[:1], [0], 1, ONES).ac_kwh_kwp
    np.testing.assert_allclose(plane_year(south, around, np.zeros(5, int), 1, ONES).ac_kwh_kwp, one, rtol=1e-9)


# --- laws --------------------------------------------------------------------------------------------------------


def test_higher_horizon_never_gives_more(south: PlaneTables) -> None:
    rng = np.random.default_rng(5)
    low = city_horizons()
    high = low + (rng.random(low.shape) * 8 * (rng.random(low.shape) < 0.3)).astype(np.float32)
    n = len(low)
    before, after = (plane_year(south, h, np.arange(n), n, np.ones((n, 12))) for h in (low, high))
    assert np.all(after.poa_kwh_m2 <= before.poa_kwh_m2 + 1e-9)
    assert np.all(after.ac_kwh_kwp <= before.ac_kwh_kwp + 1e-4)
    assert np.all(after.svf <= before.svf + 1e-12)
    assert np.all(after.shading_loss >= before.shading_loss - 1e-12)
    assert np.all(before.poa_kwh_m2 <= before.poa_free_kwh_m2 + 1e-6)


def test_raising_one_horizon_alone_never_gives_more(south: PlaneTables) -> None:
    steps = np.repeat(FREE, 20, axis=0)
    steps[:, 36] = np.linspace(0, 80, 20)
    ac = annual_ac(south, steps)
    assert np.all(np.diff(ac) <= 1e-6)
    assert np.ptp(ac) > 5.0
    assert np.all(np.diff(cell_year(south, steps, np.ones(12))) <= 0)


def test_south_beats_north_and_a_tilt_to_the_south_beats_none(sky: SkyYear, system: PvSystem) -> None:
    year_of = {a: pv_energy(sky, None, 20.0, a, system=system).sum() for a in (0.0, 90.0, 180.0, 270.0)}
    assert year_of[180.0] > year_of[90.0] > year_of[0.0]
    assert year_of[180.0] > year_of[270.0] > year_of[0.0]
    flat = pv_energy(sky, None, 0.0, 180.0, system=system).sum()
    assert all(pv_energy(sky, None, tilt, 180.0, system=system).sum() > flat for tilt in (10.0, 20.0, 30.0))


def test_no_month_yields_more_than_falls_on_the_plane(south: PlaneTables) -> None:
    one = plane_year(south, FREE, [0], 1, ONES)
    assert one.svf[0] == pytest.approx((1 + np.cos(np.radians(20))) / 2)
    assert np.all(one.ac_kwh_kwp > 0)
    assert np.all(one.ac_kwh_kwp <= one.poa_kwh_m2 * 1.1)
    assert 0.7 < one.ac_kwh_kwp.sum() / one.poa_kwh_m2.sum() < 0.92
    assert 900 < one.poa_kwh_m2.sum() < 2200


def test_shade_from_the_south_costs_more_than_from_the_north(south: PlaneTables) -> None:
    wall = np.zeros((2, N), np.float32)
    wall[0, 28:45] = 40
    wall[1, :9] = wall[1, 64:] = 40
    from_south, from_north = annual_ac(south, wall)
    assert from_south < 0.85 * from_north


def test_morning_shade_takes_from_the_east_plane(sky: SkyYear, system: PvSystem) -> None:
    east_wall = np.zeros(N, np.float32)
    east_wall[9:28] = 45
    loss = [
        1 - pv_energy(sky, east_wall, 30.0, a, system=system).sum() / pv_energy(sky, None, 30.0, a, system=system).sum()
        for a in (90.0, 270.0)
    ]
    assert loss[0] > 2 * loss[1]


def test_closed_horizon_leaves_only_the_ground(south: PlaneTables) -> None:
    dark = plane_year(south, FREE + 90, [0], 1, ONES)
    assert dark.svf[0] == pytest.approx(0.0, abs=1e-9)
    assert dark.poa_kwh_m2.sum() == pytest.approx(south.poa_ground[1].sum(), rel=1e-6)
    assert dark.ac_kwh_kwp.sum() < 12.0


def test_hotter_mounting_yields_less(sky: SkyYear, system: PvSystem) -> None:
    rack, flush = (pv_energy(sky, None, 20.0, 180.0, system=system, mounting=m).sum() for m in ("rack", "flush"))
    assert 0.97 * rack < flush < 0.995 * rack


def test_losses_multiply(sky: SkyYear, system: PvSystem) -> None:
    half = dataclasses.replace(system, losses_ac=(("availability", 0.5),))
    full = dataclasses.replace(system, losses_ac=())
    ratio = pv_energy(sky, None, 20.0, 180.0, system=half) / pv_energy(sky, None, 20.0, 180.0, system=full)
    np.testing.assert_allclose(ratio, 0.5, rtol=1e-6)


# --- groups, factors, reading ------------------------------------------------------------------------------------


def test_a_group_is_the_mean_of_its_cells(south: PlaneTables) -> None:
    around = city_horizons()
    n = len(around)
    group = np.array([2, 0, 2, -1, 0, 2, 0, 0, -1, 2, 2])[:n]
    factor = np.linspace(0.9, 1.1, 36).reshape(3, 12)
    apart = dataclasses.replace(south, ac_pooled=np.zeros_like(south.ac_pooled))  # an inverter for each cell
    found = plane_year(apart, around, group, 3, factor)
    for g in (0, 2):
        cells = plane_year(south, around[group == g], np.arange((group == g).sum()), (group == g).sum(),
                           np.repeat(factor[g][None], (group == g).sum(), axis=0))  # fmt: skip
        np.testing.assert_allclose(found.ac_kwh_kwp[g], cells.ac_kwh_kwp.mean(axis=0), rtol=1e-9)
        np.testing.assert_allclose(found.poa_kwh_m2[g], cells.poa_kwh_m2.mean(axis=0), rtol=1e-9)
        assert found.svf[g] == pytest.approx(cells.svf.mean())
        annual = cell_year(south, around[group == g], factor[g])
        assert annual.mean() == pytest.approx(found.poa_kwh_m2[g].sum(), rel=1e-6)
    assert np.isnan(found.ac_kwh_kwp[1]).all() and np.isnan(found.shading_loss[1]) and np.isnan(found.svf[1])


def test_too_shaded_cells_take_no_part_unless_all_are(south: PlaneTables) -> None:
    around = city_horizons()
    cells = np.array([0, 1, 4, 8, 1, 1, 2, 7, 10])  # the second group is too shaded throughout, the third is empty
    start, factor = np.array([0, 4, 6, 6, 9]), np.linspace(0.9, 1.1, 48).reshape(4, 12)
    usual = np.linspace(0.95, 1.05, 12)
    found = usable_year(south, around, cells, start, factor, usual, max_shading_loss=0.1)
    np.testing.assert_allclose(found.annual_kwh_m2, cell_year(south, around[cells], usual), rtol=1e-12)
    loss = 1 - found.annual_kwh_m2 / free_year(south, usual).sum()
    np.testing.assert_allclose(found.shading_loss, loss, atol=1e-12)
    group = np.array([0, 0, 0, 0, 1, 1, 3, 3, 3])
    ok = loss <= 0.1
    assert 0 < ok[:4].sum() < 4 and not ok[4:6].any() and 0 < ok[6:].sum() < 3
    np.testing.assert_allclose(found.ok_share, [ok[:4].mean(), 0, 0, ok[6:].mean()])
    for limit, expected_ok in ((loss[2] + 1e-6, 1), (loss[2] - 1e-6, 0)):
        alone = usable_year(south, around, cells[2:3], np.array([0, 1]), factor[:1], usual, limit)
        assert alone.ok_share[0] == expected_ok
    takes = np.where(ok | (group == 1), group, -1)
    expected = plane_year(south, around[cells], takes, 4, factor)
    for field in dataclasses.fields(expected):
        np.testing.assert_allclose(getattr(found.year, field.name), getattr(expected, field.name), rtol=1e-12)


def test_months_of_a_cell_are_those_of_its_group_and_make_its_year(south: PlaneTables) -> None:
    around, factor = city_horizons(), np.linspace(0.9, 1.1, 12)
    months, n = cell_months(south, around, factor), len(around)
    np.testing.assert_allclose(months.sum(axis=1), cell_year(south, around, factor), rtol=1e-9)
    groups = plane_year(south, around, np.arange(n), n, np.repeat(factor[None], n, axis=0))
    np.testing.assert_allclose(months, groups.poa_kwh_m2, rtol=1e-7)


def test_a_mean_of_weights_is_a_mean_of_tables(south: PlaneTables) -> None:
    """The kernel gathers weights of all cells first; here the polynomial is evaluated cell by cell, edge by edge."""
    around = np.vstack([city_horizons(), np.full((1, N), 90), np.full((1, N), -3), np.full((1, N), 89.75)])
    around = around.astype(np.float32)
    place = np.clip(around.astype(float) * 2, 0, 180)
    j = np.minimum(place.astype(int), 179)
    t, k = place - j, np.arange(N)

    def read(table: np.ndarray) -> np.ndarray:
        low, high = table[k, j].astype(float), table[k, j + 1].astype(float)
        weight = t.reshape(*t.shape, *[1] * (table.ndim - 2))
        return ((1 - weight) * low + weight * high).sum(axis=1)

    s, b = read(south.shares).T
    w = np.stack([np.ones_like(s), 1 - s, (1 - s) ** 2, b - s], axis=1)
    ac = np.einsum("iq,iqc->c", w, south.ac_base + read(south.ac_beam)).reshape(3, 12)[1] / len(around)
    poa = read(south.poa_beam) + np.outer(s, south.poa_isotropic) + np.outer(b, south.poa_band)
    poa = poa.mean(axis=0).reshape(3, 12)[1] + south.poa_ground[1]
    apart = dataclasses.replace(south, ac_pooled=np.zeros_like(south.ac_pooled))
    found = plane_year(apart, around, np.zeros(len(around), int), 1, ONES)
    np.testing.assert_allclose(found.ac_kwh_kwp[0], ac, rtol=1e-9)
    np.testing.assert_allclose(found.poa_kwh_m2[0], poa, rtol=1e-9)


def test_order_of_cells_and_a_second_run_change_no_bit(south: PlaneTables) -> None:
    around = city_horizons()
    group = np.arange(len(around)) % 3
    first = plane_year(south, around, group, 3, np.ones((3, 12)))
    again = plane_year(south, around.copy(), group, 3, np.ones((3, 12)))
    np.testing.assert_array_equal(first.ac_kwh_kwp, again.ac_kwh_kwp)
    by_group = np.argsort(group, kind="stable")
    sorted_ = plane_year(south, around[by_group], group[by_group], 3, np.ones((3, 12)))
    np.testing.assert_array_equal(first.ac_kwh_kwp, sorted_.ac_kwh_kwp)


def test_factor_scales_the_weather(weather: Weather, south: PlaneTables, system: PvSystem) -> None:
    around = city_horizons()[[0, 6]]
    factor = np.linspace(0.87, 1.13, 12)
    found = plane_year(south, around, [0, 1], 2, np.repeat(factor[None], 2, axis=0))
    data = weather.data.copy()
    for name in ("ghi", "dni", "dhi"):
        data[name] *= factor[pd.DatetimeIndex(data.index).month - 1]
    scaled = sky_year(dataclasses.replace(weather, data=data), factors=(0.9, 1.0, 1.1))
    tables = plane_tables(scaled, ModulePlane(20.0, 180.0, "rack"), system)
    alone = plane_year(tables, around, [0, 1], 2, np.ones((2, 12)))
    np.testing.assert_allclose(found.ac_kwh_kwp, alone.ac_kwh_kwp, rtol=1e-3)
    np.testing.assert_allclose(found.poa_kwh_m2, alone.poa_kwh_m2, rtol=2e-4)
    assert free_year(south, factor).sum() == pytest.approx(found.poa_free_kwh_m2[0].sum())


def test_factor_outside_the_nodes_is_refused(south: PlaneTables) -> None:
    with pytest.raises(ArgumentError, match=r"factor_nodes"):
        plane_year(south, FREE, [0], 1, ONES * 1.4)


def test_what_does_not_fit_is_refused(south: PlaneTables) -> None:
    with pytest.raises(ArgumentError, match="horizons do not fit"):
        cell_year(south, np.zeros((1, 36), np.float32), np.ones(12))
    with pytest.raises(ArgumentError, match="not a number"):
        cell_year(south, FREE + np.nan, np.ones(12))
    with pytest.raises(ArgumentError, match="not a number"):
        plane_year(south, np.where(np.arange(N) == 71, np.nan, FREE), [0], 1, ONES)
    for group in ([1], [0, 0]):
        with pytest.raises(ArgumentError, match="groups do not fit"):
            plane_year(south, FREE, group, 1, ONES)
    with pytest.raises(ArgumentError, match="factors do not fit"):
        plane_year(south, FREE, [0], 1, np.ones((1, 11)))
    with pytest.raises(ArgumentError, match="factors do not fit"):
        plane_year(south, FREE, [0], 1, ONES * np.nan)


def test_sectors_may_be_many_or_few(sky: SkyYear) -> None:
    totals = [irradiation(sky, np.full((1, n), 20.0), 20.0)["poa_global"].sum() for n in (24, 72, 360)]
    assert np.ptp(totals) / totals[0] < 2e-3


# --- rows --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("tilt,azimuth,length,pitch", [(20, 180, 2.3, 3.5), (30, 180, 2.3, 3.0), (15, 230, 2.3, 3.0)])
def test_rows_agree_with_infinite_sheds(
    weather: Weather, skies: dict[str, SkyYear], system: PvSystem, tilt: float, azimuth: float, length: float,
    pitch: float,
) -> None:  # fmt: skip
    data = weather.data
    sun = pvlib.solarposition.get_solarposition(data.index, weather.latitude, weather.longitude, weather.altitude)
    expected = pvlib.bifacial.infinite_sheds.get_irradiance_poa(
        tilt, azimuth, sun["apparent_zenith"], sun["azimuth"], length / pitch,
        length * np.sin(np.radians(tilt)) / 2, pitch, data["ghi"], data["dhi"], data["dni"], 0.2, model="isotropic",
    ).sum() / 1000  # fmt: skip
    tables = plane_tables(skies["isotropic"], ModulePlane(tilt, azimuth, "rack", Rows(length, pitch)), system)
    found = plane_year(tables, FREE, [0], 1, ONES)
    assert found.poa_kwh_m2.sum() == pytest.approx(expected["poa_global"], rel=0.002)
    # pvlib's integral over the row strays up to 4 % from its own view factor averaged up the slant, which is exact
    sheds, up = pvlib.bifacial.utils, (np.arange(2000) + 0.5) / 2000
    exact = sheds.vf_row_ground_2d(tilt, length / pitch, up).mean()
    ratio = exact / sheds.vf_row_ground_2d_integ(tilt, length / pitch)
    assert tables.poa_ground[1].sum() == pytest.approx(ratio * expected["poa_ground_diffuse"], rel=0.01)
    assert found.shading_loss[0] > 0.01


def test_rows_are_the_mean_of_positions_behind_their_own_horizon(
    weather: Weather, sky: SkyYear, system: PvSystem, south: PlaneTables
) -> None:
    length, pitch, tilt = 2.3, 3.0, np.radians(20)
    above = length * (1 - (np.arange(16) + 0.5) / 16)
    rise = above * np.sin(tilt) / (pitch - above * np.cos(tilt))
    ahead = np.degrees(np.arctan(np.outer(rise, np.maximum(np.cos(AROUND - np.pi), 0))))
    for terrain in (FREE, city_horizons()[[5]]):
        each = plane_year(south, np.maximum(ahead, terrain), np.zeros(16, int), 1, ONES)
        rows = plane_tables(sky, ModulePlane(20.0, 180.0, "rack", Rows(length, pitch)), system)
        found = plane_year(rows, terrain, [0], 1, ONES)
        # the reflecting ground is darker between rows, the rest is the same
        ground = (south.poa_ground - rows.poa_ground)[1]
        np.testing.assert_allclose(found.poa_kwh_m2[0] + ground, each.poa_kwh_m2[0], rtol=2e-3)
        assert found.ac_kwh_kwp.sum() == pytest.approx(each.ac_kwh_kwp.sum() - 0.7 * ground.sum(), rel=3e-3)
        np.testing.assert_allclose(found.poa_free_kwh_m2, each.poa_free_kwh_m2)


def test_wide_rows_shade_nothing_and_narrow_rows_more(sky: SkyYear, system: PvSystem) -> None:
    loss = [
        plane_year(plane_tables(sky, ModulePlane(20.0, 180.0, "rack", Rows(2.3, p)), system), FREE, [0], 1, ONES)
        for p in (500.0, 4.0, 3.0, 2.3)
    ]
    losses = [float(one.shading_loss[0]) for one in loss]
    assert abs(losses[0]) < 1e-3
    assert losses == sorted(losses)
    assert np.all(np.diff([one.ac_kwh_kwp.sum() for one in loss]) < 0)


def test_overlapping_rows_are_refused() -> None:
    with pytest.raises(ArgumentError, match="overlap"):
        ModulePlane(20.0, 180.0, "rack", Rows(2.3, 2.0))
    with pytest.raises(ArgumentError, match="tilt"):
        ModulePlane(120.0, 180.0)


def test_a_roof_falling_north_shades_the_rack_on_it(sky: SkyYear, system: PvSystem) -> None:
    level = plane_tables(sky, ModulePlane(10.0, 180.0, "rack"), system)
    falling = plane_tables(sky, ModulePlane(10.0, 180.0, "rack", base_tilt=30.0, base_azimuth=0.0), system)
    a, b = (plane_year(t, FREE, [0], 1, ONES) for t in (level, falling))
    assert b.poa_kwh_m2.sum() < 0.95 * a.poa_kwh_m2.sum()
    np.testing.assert_allclose(a.poa_free_kwh_m2, b.poa_free_kwh_m2)


# --- published truth ---------------------------------------------------------------------------------------------


@pytest.mark.real
def test_shanghai_agrees_with_pvlib(shared_data: Path, system: PvSystem) -> None:
    path = shared_data / "weather" / "CHN_Shanghai.Shanghai.583670_IWEC.epw"
    data, meta = pvlib.iotools.read_epw(path, coerce_year=2021)
    data.index = data.index + pd.Timedelta("30min")
    weather = Weather(data, meta["latitude"], meta["longitude"], meta["altitude"], 3600.0, str(path))
    tables = plane_tables(weather, ModulePlane(20.0, 180.0, "rack"), system)
    found = plane_year(tables, FREE, [0], 1, ONES)
    assert found.poa_kwh_m2.sum() == pytest.approx(pvlib_hourly(weather, 20, 180)["poa_global"].sum() / 1000, rel=0.003)
    power = pvlib_yield(weather, 20, 180, system)
    assert found.ac_kwh_kwp.sum() == pytest.approx(power.sum(), rel=0.005)
    np.testing.assert_allclose(found.ac_kwh_kwp[0], power.groupby(pd.DatetimeIndex(power.index).month).sum(), rtol=0.01)
