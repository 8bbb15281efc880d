"""The weather year made without a file, its clear sky, and anchoring to raster totals."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pvlib
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from rooftop.core.errors import ArgumentError, InputError
from rooftop.inputs.weather import read_weather
from rooftop.weather import (
    Weather,
    anchor_weather,
    clear_sky_bound,
    default_temperature,
    monthly_factors,
    synthetic_weather,
)
from rooftop.weather.clear_sky import (
    clear_sky_hours,
    fill_to_total,
    fixed_offset,
    nominal_index,
    sum_by_month,
    sun_elevation,
    utc_offset_hours,
)

LAT, LON, ALT = 34.6, 119.16, 5.0
MONTHS = np.array([78.0, 84, 118, 143, 160, 148, 143, 138, 120, 106, 82, 76])  # kWh/m2, about Lianyungang
TEMPS = np.array([1.0, 3, 8, 14, 19, 24, 27, 27, 22, 17, 10, 3])


@pytest.fixture(scope="module")
def made() -> Weather:
    return synthetic_weather(LAT, LON, ALT, MONTHS, TEMPS, seed=0)


def codes(notices) -> dict[str, int]:
    return {n.code: n.count for n in notices}


def monthly_mean(weather: Weather, column: str):
    return weather.data[column].groupby(pd.DatetimeIndex(weather.data.index).month).mean().to_numpy()


# --------------------------------------------------------------------------------------------------- synthetic year


def test_a_synthetic_year_has_the_contract_s_shape(made):
    assert list(made.data.columns) == ["ghi", "dni", "dhi", "temp_air", "wind_speed"]
    assert len(made.data) == 8760 and made.data.notna().all().all()
    assert made.data.index[0].isoformat() == "2001-01-01T00:30:00+08:00"
    assert made.interval_s == 3600.0 and made.source == "synthetic"
    assert (made.data[["ghi", "dni", "dhi"]] >= 0).all().all()
    assert "synthetic_weather" in codes(made.notices)


def test_monthly_totals_are_hit(made):
    np.testing.assert_allclose(made.monthly_ghi_kwh_m2(), MONTHS, rtol=1e-10)


def test_months_of_temperature_are_hit(made):
    np.testing.assert_allclose(monthly_mean(made, "temp_air"), TEMPS, atol=0.05)
    hourly = made.data["temp_air"].groupby(made.data.index.hour).mean()
    assert 13 <= hourly.idxmax() <= 16 and 2 <= hourly.idxmin() <= 6


def test_components_close_and_stay_under_the_clear_sky(made):
    index = made.data.index
    sin_h = np.maximum(np.sin(np.radians(sun_elevation(index, LAT, LON, ALT))), 0.0)
    np.testing.assert_allclose(made.data["ghi"], made.data["dni"] * sin_h + made.data["dhi"], atol=1e-6)
    clear = clear_sky_hours(index, LAT, LON, ALT)
    assert (made.data["ghi"].to_numpy() <= clear.ghi + 1e-6).all()
    bound = clear_sky_hours(index, LAT, LON, ALT, 2.0)
    assert (made.data["dni"].to_numpy() <= bound.dni + 1e-6).all()


def test_days_differ_as_days_do(made):
    """Overcast and clear days both exist, a sunny day is likelier after a sunny one, and hours differ within a day."""
    index = made.data.index
    clear = clear_sky_hours(index, LAT, LON, ALT).ghi.reshape(365, 24)
    ghi = made.data["ghi"].to_numpy().reshape(365, 24)
    k = ghi.sum(axis=1) / clear.sum(axis=1)
    assert 0.22 < k.std() < 0.33
    assert (k < 0.25).mean() > 0.05 and (k > 0.9).mean() > 0.1
    month = index.month.to_numpy()[::24]
    anomaly = k - np.bincount(month, k)[month] / np.bincount(month)[month]
    assert 0.1 < np.corrcoef(anomaly[1:], anomaly[:-1])[0, 1] < 0.45
    hourly = ghi[:, 8:16] / clear[:, 8:16]
    within = hourly.std(axis=1)
    mixed, overcast = (k > 0.4) & (k < 0.7), k < 0.15
    assert within[mixed].mean() > 0.1 and within[mixed].mean() > 1.5 * within[overcast].mean()


def test_same_seed_same_year_other_seed_other_year(made):
    again = synthetic_weather(LAT, LON, ALT, MONTHS, TEMPS, seed=0)
    pd.testing.assert_frame_equal(made.data, again.data, check_exact=True)
    other = synthetic_weather(LAT, LON, ALT, MONTHS, TEMPS, seed=1)
    assert not np.allclose(made.data["ghi"], other.data["ghi"])
    np.testing.assert_allclose(other.monthly_ghi_kwh_m2(), MONTHS, rtol=1e-10)


def test_without_temperature_a_default_is_taken_and_said():
    weather = synthetic_weather(LAT, LON, ALT, MONTHS)
    assert "default_temperature" in codes(weather.notices)
    np.testing.assert_allclose(monthly_mean(weather, "temp_air"), default_temperature(LAT, LON, ALT).months, atol=0.05)


def test_an_annual_total_is_spread_and_said():
    weather = synthetic_weather(LAT, LON, None, None, TEMPS, annual_ghi_kwh_m2=1400.0)
    assert "annual_total_spread" in codes(weather.notices)
    months = weather.monthly_ghi_kwh_m2()
    assert months.sum() == pytest.approx(1400.0)
    assert months[5] > 1.8 * months[11]


def test_totals_near_the_clear_sky_take_a_cleaner_one():
    clear = sum_by_month(clear_sky_hours(nominal_index(8), LAT, LON, ALT).ghi, nominal_index(8))
    weather = synthetic_weather(LAT, LON, ALT, clear * 1.02, TEMPS)
    assert codes(weather.notices)["clear_sky_raised"] == 12
    np.testing.assert_allclose(weather.monthly_ghi_kwh_m2(), clear * 1.02, rtol=1e-10)


@pytest.mark.parametrize("fault", ["too_much", "eleven", "nan", "negative", "none"])
def test_impossible_totals_are_refused(fault):
    months = {
        "too_much": clear_sky_bound(LAT, ALT) * 1.05, "eleven": MONTHS[:11], "negative": -MONTHS, "none": None,
        "nan": np.where(MONTHS > 150, np.nan, MONTHS),
    }[fault]  # fmt: skip
    with pytest.raises(InputError) as caught:
        synthetic_weather(LAT, LON, ALT, months, TEMPS)
    assert caught.value.render("zh") != caught.value.render("en")


def test_the_southern_hemisphere_and_the_arctic():
    south = synthetic_weather(-33.9, 151.2, 20.0, np.roll(MONTHS, 6))
    assert pd.DatetimeIndex(south.data.index).tz.utcoffset(None).total_seconds() == 36000
    temperature = monthly_mean(south, "temp_air")
    assert temperature[0] > temperature[6] + 5
    bound = clear_sky_bound(70.0, 0.0)
    assert bound[11] < 0.1
    arctic = synthetic_weather(70.0, 25.0, 0.0, 0.5 * bound)
    np.testing.assert_allclose(arctic.monthly_ghi_kwh_m2(), 0.5 * bound, atol=0.1)


@pytest.mark.parametrize("latitude", [-60.0, -45.0, -23.0, 0.0, 23.0, 58.5, 65.0, 70.0, 78.0])
@pytest.mark.parametrize("annual", [False, True])
def test_a_year_can_be_made_at_every_latitude(latitude, annual):
    """Finite, closed, dark in the polar night, with the season of its hemisphere."""
    bound = clear_sky_bound(latitude, 0.0)
    if annual:
        weather = synthetic_weather(latitude, 25.0, 0.0, None, annual_ghi_kwh_m2=0.5 * bound.sum())
    else:
        weather = synthetic_weather(latitude, 25.0, 0.0, 0.5 * bound)
    months = weather.monthly_ghi_kwh_m2()
    assert weather.data.notna().all().all() and (weather.data[["ghi", "dni", "dhi"]] >= 0).all().all()
    assert months.sum() == pytest.approx(0.5 * bound.sum(), rel=1e-3)
    elevation = sun_elevation(pd.DatetimeIndex(weather.data.index), latitude, 25.0)
    assert weather.data["ghi"].to_numpy()[elevation < -8.5].sum() == 0.0
    sin_h = np.maximum(np.sin(np.radians(elevation)), 0.0)
    np.testing.assert_allclose(weather.data["ghi"], weather.data["dni"] * sin_h + weather.data["dhi"], atol=1e-6)
    temperature = monthly_mean(weather, "temp_air")
    if abs(latitude) > 23.0:
        assert (months[5] > months[11]) == (temperature[6] > temperature[0]) == (latitude > 0.0)
    if latitude > 67.0:
        assert months[11] < 0.1 and months[5] > 80.0


# -------------------------------------------------------------------------------------------------------- clear sky


def test_clear_sky_is_that_of_the_seed_cities():
    """Clear sky without clouds gives 2030-2165 kWh/m2 at the seed cities (domain facts)."""
    index = nominal_index(8)
    for lat, lon, alt in ((34.6, 119.16, 5), (30.68, 121.02, 5), (36.45, 115.98, 30), (37.87, 112.55, 780)):
        total = clear_sky_hours(index, lat, lon, alt).ghi.sum() / 1000
        assert 2000 < total < 2220
        assert total < clear_sky_bound(lat, alt).sum()


def test_bound_by_fifth_days_is_the_bound_of_all_days():
    index = nominal_index(0)
    full = sum_by_month(clear_sky_hours(index, 34.5, 0.0, 0.0, 2.0).ghi, index)
    np.testing.assert_allclose(clear_sky_bound(34.5, 0.0), full, rtol=2e-3)


@pytest.mark.parametrize(("hours", "name"), [(8, "UTC+08:00"), (-3.5, "UTC-03:30"), (0, "UTC+00:00")])
def test_fixed_offsets(hours, name):
    assert fixed_offset(hours) == name
    assert nominal_index(hours)[0].utcoffset().total_seconds() == hours * 3600


def test_china_keeps_beijing_time():
    assert [
        utc_offset_hours(43.8, 87.6),
        utc_offset_hours(31, 121),
        utc_offset_hours(45, 8),
        utc_offset_hours(36, -80),
    ] == [8, 8, 1, -5]


@settings(max_examples=100, deadline=None)
@given(
    arrays(float, 24, elements=st.just(0.0) | st.floats(0.1, 500.0)),
    arrays(float, 24, elements=st.floats(1.0, 800.0)),
    st.floats(0.01, 1.0),
)
def test_filling_to_a_total_conserves_and_respects_the_cap(values, cap, share):
    total = share * cap[values > 0].sum()
    filled, moved = fill_to_total(values, cap, total)
    if not values.any():
        return
    assert filled.sum() == pytest.approx(total, rel=1e-9)
    assert (filled <= cap * (1 + 1e-12)).all() and (filled[values == 0] == 0).all()
    assert moved >= 0.0
    if (values * total / values.sum() <= cap).all():
        np.testing.assert_allclose(filled, values * total / values.sum())


# -------------------------------------------------------------------------------------------------------- anchoring


def test_monthly_factors_give_the_raster_at_every_roof(made):
    target = np.stack([MONTHS * 1.1, MONTHS * np.linspace(0.8, 1.2, 12), np.full(12, np.nan)])
    anchor = monthly_factors(made, target)
    assert anchor.factor.shape == (3, 12)
    np.testing.assert_allclose(anchor.factor * anchor.weather_total, target, rtol=1e-9)
    np.testing.assert_allclose(anchor.raster_total[:2], target[:2], rtol=1e-9)
    month = made.data.index.month - 1
    scaled = made.data["ghi"].to_numpy() * anchor.factor[1][month]
    np.testing.assert_allclose(np.bincount(month, scaled) / 1000, target[1], rtol=1e-9)


def test_an_annual_raster_gives_every_month_the_same_factor(made):
    anchor = monthly_factors(made, np.array([MONTHS.sum() * 1.07, np.nan]))
    np.testing.assert_allclose(anchor.factor[0], 1.07, rtol=1e-9)
    assert np.isnan(anchor.factor[1]).all()


def test_the_disagreement_is_said_with_both_totals(made):
    (notice,) = [
        n for n in monthly_factors(made, MONTHS[None] * 0.9).notices if n.code == "raster_weather_disagreement"
    ]
    assert notice.severity == "warning" and "-10.0%" in notice.text.en and "the raster is used" in notice.text.en
    assert f"{MONTHS.sum():.0f}" in notice.text.en and f"{MONTHS.sum() * 0.9:.0f}" in notice.text.zh
    (quiet,) = [
        n for n in monthly_factors(made, MONTHS[None] * 1.01).notices if n.code == "raster_weather_disagreement"
    ]
    assert quiet.severity == "info"


def test_what_exceeds_the_clear_sky_is_said(made):
    assert "above_clear_sky" not in codes(monthly_factors(made, MONTHS[None]).notices)
    assert codes(monthly_factors(made, MONTHS[None] * 1.35).notices)["above_clear_sky"] > 100


def test_months_without_sun_get_factor_one():
    bound = clear_sky_bound(70.0, 0.0)
    arctic = synthetic_weather(70.0, 25.0, 0.0, 0.5 * bound)
    anchor = monthly_factors(arctic, 0.4 * bound[None])
    assert anchor.factor[0, 11] == 1.0 and anchor.factor[0, 5] == pytest.approx(0.8)


def test_wrong_shapes_are_refused(made):
    with pytest.raises(ArgumentError):
        monthly_factors(made, np.ones((3, 11)))


def test_anchored_weather_has_the_total_and_stays_under_the_sky(made):
    target = MONTHS * 1.3
    anchored = anchor_weather(made, target)
    np.testing.assert_allclose(anchored.monthly_ghi_kwh_m2(), target, rtol=1e-9)
    bound = clear_sky_hours(made.data.index, LAT, LON, ALT, 2.0)
    assert (anchored.data["ghi"].to_numpy() <= np.maximum(bound.ghi, made.data["ghi"].to_numpy()) + 1e-6).all()
    sin_h = np.maximum(np.sin(np.radians(sun_elevation(made.data.index, LAT, LON))), 0.0)
    np.testing.assert_allclose(anchored.data["ghi"], anchored.data["dni"] * sin_h + anchored.data["dhi"], atol=0.05)
    assert "clear_sky_cap" in codes(anchored.notices)
    assert anchor_weather(made, 1200.0).data["ghi"].sum() == pytest.approx(1.2e6)
    with pytest.raises(InputError, match="cloudless"):
        anchor_weather(made, MONTHS * 2.0)


def test_a_weather_without_time_zone_is_refused(made):
    naive = Weather(made.data.tz_localize(None), LAT, LON, ALT, 3600.0, "x")
    with pytest.raises(ArgumentError, match="time-zone"):
        naive.monthly_ghi_kwh_m2()


# --------------------------------------------------------------------------------------------------------- real data


def south_20(data: pd.DataFrame, latitude: float, longitude: float) -> pd.Series:
    """Plane of array 20° south, Perez, as pvlib computes it."""
    sun = pvlib.solarposition.get_solarposition(data.index, latitude, longitude)
    poa = pvlib.irradiance.get_total_irradiance(
        20, 180, sun["apparent_zenith"], sun["azimuth"], data["dni"], data["ghi"], data["dhi"],
        dni_extra=pvlib.irradiance.get_extra_radiation(pd.DatetimeIndex(data.index).day_of_year),
        airmass=pvlib.atmosphere.get_relative_airmass(sun["apparent_zenith"]), model="perez", albedo=0.2,
    )  # fmt: skip
    return poa["poa_global"].fillna(0.0)


@pytest.mark.real
@pytest.mark.parametrize("seed", [0, 1])
def test_a_synthetic_shanghai_is_like_the_measured_one(shared_data, seed):
    """From the monthly GHI and temperature of the IWEC year alone."""
    real = read_weather(shared_data / "weather" / "CHN_Shanghai.Shanghai.583670_IWEC.epw")
    place = (real.latitude, real.longitude)
    made = synthetic_weather(*place, real.altitude, real.monthly_ghi_kwh_m2(), monthly_mean(real, "temp_air"), seed)
    np.testing.assert_allclose(made.monthly_ghi_kwh_m2(), real.monthly_ghi_kwh_m2(), rtol=1e-4)
    share = [w.data["dhi"].sum() / w.data["ghi"].sum() for w in (made, real)]
    assert share[0] == pytest.approx(share[1], abs=0.06)
    assert made.data["dni"].sum() == pytest.approx(real.data["dni"].sum(), rel=0.09)
    poa = [south_20(w.data, *place) for w in (made, real)]
    assert poa[0].sum() == pytest.approx(poa[1].sum(), rel=0.01)
    yields = [
        (p / 1000 * (1 - 0.0035 * (pvlib.temperature.faiman(p, w.data["temp_air"], 1.0) - 25))).sum()
        for p, w in zip(poa, (made, real), strict=True)
    ]
    assert yields[0] == pytest.approx(yields[1], rel=0.015)
    days = [w.data["ghi"].to_numpy().reshape(365, 24).sum(axis=1) for w in (made, real)]
    for q in (0.05, 0.25, 0.5, 0.75, 0.95):
        assert np.quantile(days[0], q) == pytest.approx(np.quantile(days[1], q), abs=500.0)
    high = [p[p > 600].sum() / p.sum() for p in poa]
    assert high[0] == pytest.approx(high[1], abs=0.08)
