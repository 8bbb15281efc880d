"""A weather year made without a weather file."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pvlib
from numpy.typing import ArrayLike
from scipy.special import betaincinv

from rooftop.core.arguments import limits_of, require_number, require_numbers, unusable, whole
from rooftop.core.lang import Text
from rooftop.core.notices import Notice
from rooftop.core.types import F8
from rooftop.weather.clear_sky import (
    DAYS_IN_MONTH,
    HOURS,
    ClearSky,
    clear_skies,
    fill_to_total,
    nominal_index,
    place_altitude,
    split_ghi,
    sum_by_month,
    sun_elevation,
    utc_offset_hours,
)
from rooftop.weather.climate import monthly_temperature
from rooftop.weather.synthetic_rules import synthetic_rules
from rooftop.weather.year import MIN_MONTH_KWH_M2, Weather, moved_notice, require_possible


def synthetic_weather(
    latitude: float,
    longitude: float,
    altitude: float | None,
    monthly_ghi_kwh_m2: ArrayLike | None,
    monthly_temp_air: ArrayLike | None = None,
    seed: int = 0,
    *,
    annual_ghi_kwh_m2: float | None = None,
    annual_temp_air: float | None = None,
) -> Weather:
    """Make a weather year from monthly totals: clear sky, days of realistically different clearness.

    Parameters
    ----------
    latitude, longitude : float
        [deg], -90 to 90 and -180 to 180.
    altitude : float, optional
        [m]; from pvlib's coarse world map when None.
    monthly_ghi_kwh_m2 : array_like, optional
        (12,) GHI of each month [kWh/m2]; hit exactly.
    monthly_temp_air : array_like, optional
        (12,) mean air temperature [degC]; where it is NaN, or altogether when None, the normals of the places around
        are taken, with a warning.
    seed : int
        Same seed, same year; at least 0.
    annual_ghi_kwh_m2 : float, optional
        Used where no monthly totals are given: months get the share they have of the clear-sky year, with a notice.
    annual_temp_air : float, optional
        Mean air temperature of the year [degC], used where no monthly means are given: months follow the normals of the
        places around.

    Returns
    -------
    Weather
        ``source`` is ``synthetic``.

    Raises
    ------
    ArgumentError
        Where a total exceeds what a clean clear sky gives or is too small for a year, an argument is out of its limits,
        or there are not twelve months.

    Notes
    -----
    Method and sources of every coefficient: ``configs/synthetic_weather.yaml``.

    Examples
    --------
    >>> import numpy as np
    >>> import rooftop
    >>> weather = rooftop.synthetic_weather(32.0, 118.8, 10.0, None, np.full(12, 16.0), annual_ghi_kwh_m2=1350.0)
    >>> weather.data.shape, round(float(weather.monthly_ghi_kwh_m2().sum()), 3)
    ((8760, 5), 1350.0)
    """
    rules = synthetic_rules()
    latitude, longitude, seed = (
        require_number("latitude", latitude),
        require_number("longitude", longitude),
        whole("seed", seed),
    )
    altitude = None if altitude is None else require_number("altitude", altitude)
    monthly, annual = _checked_totals(monthly_ghi_kwh_m2, annual_ghi_kwh_m2)
    temperatures = _checked_temperatures(monthly_temp_air, annual_temp_air)
    means, temperature_notices = monthly_temperature((latitude, longitude, altitude), *temperatures, "synthetic")
    if altitude is None:
        altitude = place_altitude(latitude, longitude)
    index = nominal_index(utc_offset_hours(latitude, longitude))
    bound_turbidity = rules.clear_sky.bound_turbidity.value
    clear, bound = clear_skies(index, latitude, longitude, altitude, (None, bound_turbidity))
    totals, notices = (monthly, ()) if monthly is not None else _split_by_month(annual, sum_by_month(clear.ghi, index))
    given = "annual_ghi_kwh_m2" if monthly is None else "monthly_ghi_kwh_m2"
    ghi, hourly_notices = _hourly_ghi(index, totals, clear, bound, seed, given)
    notices = (*notices, *hourly_notices)
    elevation = sun_elevation(index, latitude, longitude, altitude)
    dni, dhi = split_ghi(ghi, index, (latitude, longitude, altitude), elevation)
    clearness = totals / np.maximum(extraterrestrial_months(index, elevation), MIN_MONTH_KWH_M2)
    notices = (*notices, *temperature_notices)
    wind = rules.wind_speed_m_s.value
    data = pd.DataFrame(
        {
            "ghi": ghi,
            "dni": dni,
            "dhi": dhi,
            "temp_air": temperature_hours(index, longitude, means, clearness),
            "wind_speed": np.full(HOURS, wind),
        },
        index=index,
    )
    notices = (_synthetic_notice(data, wind), *notices)
    return Weather(data, latitude, longitude, altitude, 3600.0, "synthetic", notices)


def _checked_totals(monthly: ArrayLike | None, annual: float | None) -> tuple[F8 | None, float]:
    """Return (12,) totals, or None and one of the year; monthly ones are preferred."""
    what = Text("a synthetic year needs twelve monthly totals of GHI", "生成气象年需要十二个月的水平面总辐照量")
    year = float("nan") if annual is None else require_number("annual_ghi_kwh_m2", annual)
    if monthly is None:
        if annual is None:
            expected = Text("12 numbers, or annual_ghi_kwh_m2", "12 个数值，或 annual_ghi_kwh_m2")
            raise unusable("monthly_ghi_kwh_m2", "None", expected, what=what)
        return None, year
    totals = require_numbers("monthly_ghi_kwh_m2", monthly, (12,), what=what).astype(np.float64)
    least = limits_of("annual_ghi_kwh_m2")
    if totals.sum() < least.low:
        found = Text(f"{totals.sum():g} in the whole year", f"全年 {totals.sum():g}")
        raise unusable("monthly_ghi_kwh_m2", found, f"{least}", limits_of("monthly_ghi_kwh_m2").mend)
    return totals, year


def _checked_temperatures(monthly: ArrayLike | None, annual: float | None) -> tuple[F8 | None, float | None]:
    """Return (12,) mean air temperatures, NaN where unknown, and one of the year; None what was not given."""
    if monthly is not None:
        monthly = require_numbers("monthly_temp_air", monthly, (12,), missing=True).astype(np.float64)
    return monthly, None if annual is None else require_number("annual_temp_air", annual, "monthly_temp_air")


def _split_by_month(annual: float, clear_months: F8) -> tuple[F8, tuple[Notice, ...]]:
    """Return (12,) totals that share a year's as the clear sky does, which is said."""
    notice = Notice(
        "annual_total_spread",
        Text(
            f"only an annual GHI is known ({annual:.0f} kWh/m2): months get their share of the clear-sky year, "
            "so monthly results are rough; monthly rasters or a weather file give the real course",
            f"仅有年总辐照量（{annual:.0f} kWh/m2）：各月按晴空年比例分配，月结果较粗略；"
            "提供逐月栅格或气象文件可得到真实的年内分布",
        ),
        source="synthetic",
    )
    return annual * clear_months / clear_months.sum(), (notice,)


def _hourly_ghi(
    index: pd.DatetimeIndex, totals: F8, clear: ClearSky, bound: ClearSky, seed: int, given: str
) -> tuple[F8, tuple[Notice, ...]]:
    """Return (8760,) GHI whose months sum to `totals`, and notices."""
    rules = synthetic_rules()
    rng = np.random.default_rng(seed)
    day_noise = _autoregressive(rng.standard_normal(365), rules.daily_clearness.lag1.value)
    hour_noise = _autoregressive(rng.standard_normal(HOURS), rules.hourly_clearness.lag1.value)
    hourly = rules.hourly_clearness
    most_ratio = rules.daily_clearness.high_mean_ratio.value
    month = np.asarray(index.month) - 1
    ghi = np.zeros(HOURS)
    moved, raised = 0.0, []
    day0 = 0
    for m, n_days in enumerate(DAYS_IN_MONTH):
        rows = month == m
        shape, top = clear.ghi[rows], bound.ghi[rows]
        if shape.sum() / 1000.0 >= MIN_MONTH_KWH_M2:
            require_possible(totals[m], top.sum() / 1000.0, m, given)
            mean = totals[m] * 1000.0 / shape.sum()
            high = min(max(1.0, mean / most_ratio), top.sum() / shape.sum())
            if high > 1.0:
                raised.append(m + 1)
            days = _daily_clearness(mean, high, day_noise[day0 : day0 + n_days])
            k = np.repeat(days, 24)
            sigma = hourly.peak_sigma.value * np.sin(np.pi * np.clip(k / high, 0.0, 1.0))
            k = np.clip(k + sigma * hour_noise[rows], hourly.floor.value, None)
            cap = np.minimum(shape * high, np.maximum(top, shape))
            cap = np.maximum(top, shape) if cap.sum() < totals[m] * 1000.0 else cap
            ghi[rows], excess = fill_to_total(k * shape, cap, totals[m] * 1000.0)
            moved += excess / 1000.0
        day0 += int(n_days)
    notices: tuple[Notice, ...] = ()
    if moved > 0.0005 * totals.sum():
        notices += (moved_notice(moved, float(totals.sum()), "synthetic"),)
    if raised:
        notices += (_raised_notice(raised),)
    return ghi, notices


def _autoregressive(noise: F8, lag1: float) -> F8:
    out = noise.copy()
    innovation = np.sqrt(1.0 - lag1**2)
    for i in range(1, len(noise)):
        out[i] = lag1 * out[i - 1] + innovation * noise[i]
    return out


def _daily_clearness(mean: float, high: float, noise: F8) -> F8:
    """Return clear-sky indices of a month's days: quantiles of a beta distribution in the order of `noise`."""
    rules = synthetic_rules().daily_clearness
    low = min(rules.low.value, 0.5 * mean)
    centre = float(np.clip((mean - low) / (high - low), 0.02, 0.98))
    total = rules.shape_sum.value
    rank = np.argsort(np.argsort(noise, kind="stable"), kind="stable")
    quantile = (rank + 0.5) / len(noise)
    return np.asarray(low + (high - low) * betaincinv(total * centre, total * (1.0 - centre), quantile), dtype=float)


def extraterrestrial_months(index: pd.DatetimeIndex, elevation: F8) -> F8:
    """Return the months' horizontal irradiation above the atmosphere [kWh/m2], (12,)."""
    extra = np.asarray(pvlib.irradiance.get_extra_radiation(index.day_of_year), dtype=float)
    return sum_by_month(extra * np.maximum(np.sin(np.radians(elevation)), 0.0), index)


def temperature_hours(index: pd.DatetimeIndex, longitude: float, means: F8, clearness: F8) -> F8:
    """Make hourly air temperature: a smooth year through the monthly means plus Erbs' diurnal course.

    Parameters
    ----------
    index : pandas.DatetimeIndex
        (8760,) middles of hours of the nominal year.
    longitude : float
        [deg].
    means : numpy.ndarray
        (12,) monthly means [degC]; hit exactly.
    clearness : numpy.ndarray
        (12,) monthly GHI over extraterrestrial; clear months have the larger daily range.

    Returns
    -------
    numpy.ndarray
        (8760,) [degC].
    """
    rules = synthetic_rules().temperature
    middle = np.cumsum(DAYS_IN_MONTH) - DAYS_IN_MONTH / 2.0
    day = np.arange(365) + 0.5
    month_of_day = np.repeat(np.arange(12), DAYS_IN_MONTH)
    nodes = means.copy()
    for _ in range(8):
        smooth = np.interp(day, middle, nodes, period=365.0)
        nodes += means - np.bincount(month_of_day, weights=smooth) / DAYS_IN_MONTH
    smooth = np.interp(day, middle, nodes, period=365.0)
    offset = index[0].utcoffset()
    utc_h = 0.0 if offset is None else offset.total_seconds() / 3600.0
    solar_hour = np.asarray(index.hour + index.minute / 60.0, dtype=float) + longitude / 15.0 - utc_h
    # Erbs numbers hours by their end, and this is their middle: t - 1 = solar_hour - 0.5.
    angle = 2.0 * np.pi * (solar_hour - 0.5) / 24.0
    terms = rules.diurnal_terms
    course = np.zeros(HOURS)
    for n, (amplitude, phase) in enumerate(zip(terms.amplitude, terms.phase, strict=True), start=1):
        course += amplitude * np.cos(n * angle - phase)
    diurnal = rules.diurnal_amplitude
    swing = np.maximum(diurnal.slope_k * clearness + diurnal.offset_k, 0.0)
    return np.asarray(np.repeat(smooth, 24) + swing[np.asarray(index.month) - 1] * course, dtype=float)


def _synthetic_notice(data: pd.DataFrame, wind: float) -> Notice:
    ghi, dni, dhi = (float(data[c].sum()) / 1000.0 for c in ("ghi", "dni", "dhi"))
    return Notice(
        "synthetic_weather",
        Text(
            f"no weather file: a synthetic year was made from monthly GHI ({ghi:.0f} kWh/m2 a year, diffuse share "
            f"{dhi / ghi:.0%}, DNI {dni:.0f} kWh/m2), wind {wind:g} m/s throughout",
            f"未提供气象文件：已由逐月总辐照量生成气象年（年 {ghi:.0f} kWh/m2，散射占 {dhi / ghi:.0%}，"
            f"法向直射 {dni:.0f} kWh/m2），风速统一取 {wind:g} m/s",
        ),
        source="synthetic",
    )


def _raised_notice(months: list[int]) -> Notice:
    names = ", ".join(str(m) for m in months)
    return Notice(
        "clear_sky_raised",
        Text(
            f"in {len(months)} months ({names}) the raster is close to or above the clear sky of the turbidity "
            "climatology; a cleaner sky was assumed there",
            f"有 {len(months)} 个月（{names} 月）栅格总量接近或超过浑浊度气候值下的晴空总量，已按更清洁的大气计算",
        ),
        count=len(months),
        severity="info",
        source="synthetic",
        examples=tuple(str(m) for m in months[:5]),
    )
