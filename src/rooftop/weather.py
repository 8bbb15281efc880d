"""One nominal year of hourly weather: the type every room uses, a year made without a file, and anchoring to rasters."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import pvlib
from scipy.special import betaincinv

from rooftop.clear_sky import (
    DAYS_IN_MONTH,
    HOURS,
    Array,
    ClearSky,
    clear_sky_bound,
    clear_sky_hours,
    fill_to_total,
    nominal_index,
    sum_by_month,
    sun_elevation,
    synthetic_settings,
    utc_offset_hours,
)
from rooftop.errors import ComputeError, InputError
from rooftop.lang import Text
from rooftop.notices import Notice

_MIN_MONTH_KWH_M2 = 0.1


@dataclass(frozen=True)
class Weather:
    """One nominal year (8760 hours) of weather at one place.

    Parameters
    ----------
    data : pandas.DataFrame
        8760 rows; columns ``ghi dni dhi`` [W/m2], ``temp_air`` [degC], ``wind_speed`` [m/s]. The index is the middle
        of each interval in a fixed UTC offset (never a zone name: Asia/Shanghai had summer time 1986-91).
    latitude, longitude : float
        [deg], north and east positive, WGS84.
    altitude : float
        [m] above sea level.
    interval_s : float
        Length of each interval [s]; 3600.
    source : str
        File path, or ``synthetic``.
    notices : tuple of Notice
        What was repaired, derived, assumed.
    """

    data: pd.DataFrame
    latitude: float
    longitude: float
    altitude: float
    interval_s: float
    source: str
    notices: tuple[Notice, ...] = ()

    def monthly_ghi_kwh_m2(self) -> Array:
        """Return GHI by month [kWh/m2], (12,)."""
        return sum_by_month(self.data["ghi"].to_numpy(dtype=float), _index(self.data)) * self.interval_s / 3600.0


@dataclass(frozen=True)
class Anchor:
    """What makes a weather year give the raster's total at every roof.

    Parameters
    ----------
    factor : numpy.ndarray
        (n, 12), multiplies GHI, DNI and DHI of each month; NaN where the raster has no value.
    weather_total : numpy.ndarray
        (12,) GHI of the weather year [kWh/m2].
    raster_total : numpy.ndarray
        (n, 12) GHI after anchoring [kWh/m2].
    notices : tuple of Notice
        The disagreement of raster and weather, and what lies above the clear sky.
    """

    factor: Array
    weather_total: Array
    raster_total: Array
    notices: tuple[Notice, ...] = ()


def _index(data: pd.DataFrame) -> pd.DatetimeIndex:
    index = data.index
    if not isinstance(index, pd.DatetimeIndex) or index.tz is None:
        raise ComputeError(Text("weather needs a time-zone aware index", "气象数据的时间索引必须带时区"))
    return index


# --------------------------------------------------------------------------------------------------------- anchoring


def monthly_factors(weather: Weather, target_ghi_kwh_m2: Array) -> Anchor:
    """Find the factors that scale a weather year to raster totals.

    Parameters
    ----------
    weather : Weather
        The hourly shape.
    target_ghi_kwh_m2 : numpy.ndarray
        (n, 12) monthly or (n,) annual GHI at each roof [kWh/m2]; NaN where unknown. An annual total gives every
        month the same factor.

    Returns
    -------
    Anchor
        Factors with the disagreement reported. The raster's total always wins; energy that the factors lift above
        the clean clear sky is reported (`anchor_weather` moves it within its month).

    Raises
    ------
    ComputeError
        Where the shape is neither (n,) nor (n, 12).
    """
    target = np.asarray(target_ghi_kwh_m2, dtype=float)
    if target.ndim not in (1, 2) or (target.ndim == 2 and target.shape[1] != 12):
        raise ComputeError(
            Text("raster totals must be (n,) or (n, 12)", "栅格总量的形状必须为 (n,) 或 (n, 12)"), found=str(target.shape)
        )
    months = weather.monthly_ghi_kwh_m2()
    if target.ndim == 1:
        factor = np.repeat((target / months.sum())[:, None], 12, axis=1)
    else:
        dark = months < _MIN_MONTH_KWH_M2
        factor = np.where(dark[None, :], np.where(np.isnan(target), np.nan, 1.0), target / np.where(dark, 1.0, months))
    notices = (*_disagreement(weather, months, target), *_above_clear_sky(weather, factor))
    return Anchor(factor=factor, weather_total=months, raster_total=factor * months[None, :], notices=notices)


def anchor_weather(weather: Weather, ghi_kwh_m2: Array | float) -> Weather:
    """Scale a weather year to one place's totals, hours capped at the clear sky.

    Parameters
    ----------
    weather : Weather
        The hourly shape.
    ghi_kwh_m2 : numpy.ndarray or float
        (12,) monthly or one annual total [kWh/m2]; an annual total keeps the weather's share of each month.

    Returns
    -------
    Weather
        GHI sums to the totals; each hour's DNI and DHI are scaled as its GHI. Hours never exceed the clean clear
        sky (or the weather's own value where that is higher); what is cut off goes to other hours of the month.

    Raises
    ------
    InputError
        Where a month's total is more than its hours can give.
    """
    months = weather.monthly_ghi_kwh_m2()
    given = np.asarray(ghi_kwh_m2, dtype=float)
    wanted = months * (float(given) / months.sum()) if given.ndim == 0 else given
    index = _index(weather.data)
    month = np.asarray(index.month) - 1
    ghi = weather.data["ghi"].to_numpy(dtype=float)
    bound = float(synthetic_settings()["clear_sky"]["bound_turbidity"]["value"])
    clear = clear_sky_hours(index, weather.latitude, weather.longitude, weather.altitude, bound)
    cap = np.maximum(clear.ghi, ghi)
    scale = np.ones(len(ghi))
    moved = 0.0
    for m in range(12):
        rows = (month == m) & (ghi > 0.0)
        if not rows.any() or months[m] < _MIN_MONTH_KWH_M2:
            continue
        _require_possible(wanted[m], cap[rows].sum() / 1000.0, m, weather.source)
        filled, excess = fill_to_total(ghi[rows], cap[rows], wanted[m] * 1000.0)
        scale[rows] = filled / ghi[rows]
        moved += excess / 1000.0
    data = weather.data.copy()
    data[["ghi", "dni", "dhi"]] = data[["ghi", "dni", "dhi"]].mul(scale, axis=0)
    # Beam above the clear sky's stays diffuse, so that closure holds.
    sin_h = np.maximum(np.sin(np.radians(sun_elevation(index, weather.latitude, weather.longitude))), 0.0)
    limit = np.maximum(clear.dni, weather.data["dni"].to_numpy(dtype=float))
    cut = np.maximum(data["dni"].to_numpy(dtype=float) - limit, 0.0)
    data["dni"] -= cut
    data["dhi"] += cut * sin_h
    extra = (_moved_notice(moved, wanted.sum(), weather.source),) if moved > 0.0005 * wanted.sum() else ()
    return replace(weather, data=data, notices=(*weather.notices, *extra))


def _require_possible(wanted_kwh_m2: float, most_kwh_m2: float, month: int, source: str) -> None:
    if wanted_kwh_m2 > most_kwh_m2:
        raise InputError(
            Text(
                "the irradiance total of a month is more than a cloudless sky gives",
                "某月辐照总量超过晴空所能提供的总量",
            ),
            where=Text(f"{source}, month {month + 1}", f"{source}，{month + 1} 月"),
            found=f"{wanted_kwh_m2:.1f} kWh/m2",
            expected=Text(f"at most {most_kwh_m2:.1f} kWh/m2", f"不超过 {most_kwh_m2:.1f} kWh/m2"),
            mend=Text("check unit and period of the irradiance raster", "请检查辐照栅格的单位（unit）与时段（period）"),
        )


def _moved_notice(moved_kwh_m2: float, total_kwh_m2: float, source: str) -> Notice:
    share = moved_kwh_m2 / total_kwh_m2
    return Notice(
        "clear_sky_cap",
        Text(
            f"{moved_kwh_m2:.1f} kWh/m2 a year ({share:.1%}) would have exceeded the clear sky and was moved to other "
            "hours of the same month",
            f"每年有 {moved_kwh_m2:.1f} kWh/m2（{share:.1%}）超过晴空上限，已移至同月其他时段",
        ),
        severity="info",
        source=source,
    )


def _disagreement(weather: Weather, months: Array, target: Array) -> tuple[Notice, ...]:
    annual = target if target.ndim == 1 else target.sum(axis=1)
    known = annual[np.isfinite(annual)]
    if not len(known):
        return ()
    raster, own = float(known.mean()), float(months.sum())
    percent = raster / own - 1.0
    limit = float(synthetic_settings()["anchoring"]["notable_disagreement"]["value"])
    worst_en = worst_zh = ""
    if target.ndim == 2:
        mean = np.nanmean(target, axis=0)
        lit = months > 10.0 * _MIN_MONTH_KWH_M2
        ratio = np.where(lit, mean / np.where(lit, months, 1.0) - 1.0, 0.0)
        worst = int(np.abs(ratio).argmax())
        worst_en = f"; the largest monthly difference is {ratio[worst]:+.1%} in month {worst + 1}"
        worst_zh = f"；月差异最大为 {worst + 1} 月 {ratio[worst]:+.1%}"
    return (
        Notice(
            "raster_weather_disagreement",
            Text(
                f"annual GHI: irradiance raster {raster:.0f} kWh/m2, weather {own:.0f} kWh/m2 ({percent:+.1%})"
                f"{worst_en}; the raster is used, the weather gives the hourly shape",
                f"年水平面总辐照量：辐照栅格 {raster:.0f} kWh/m2，气象数据 {own:.0f} kWh/m2（{percent:+.1%}）"
                f"{worst_zh}；以栅格为准，气象数据只提供逐时分布",
            ),
            count=len(known),
            severity="warning" if abs(percent) > limit else "info",
            source=weather.source,
        ),
    )


def _above_clear_sky(weather: Weather, factor: Array) -> tuple[Notice, ...]:
    known = factor[np.isfinite(factor).all(axis=1)]
    if not len(known) or known.max() <= 1.0:
        return ()
    index = _index(weather.data)
    ghi = weather.data["ghi"].to_numpy(dtype=float)
    bound = float(synthetic_settings()["clear_sky"]["bound_turbidity"]["value"])
    clear = clear_sky_hours(index, weather.latitude, weather.longitude, weather.altitude, bound)
    scaled = ghi * np.median(known, axis=0)[np.asarray(index.month) - 1]
    over = np.maximum(scaled - np.maximum(clear.ghi, ghi), 0.0)
    share = over.sum() / scaled.sum()
    if share < 0.0005:
        return ()
    return (
        Notice(
            "above_clear_sky",
            Text(
                f"scaled to the raster, {int((over > 0).sum())} hours exceed the clear sky by {share:.1%} of the year's GHI",
                f"按栅格缩放后，有 {int((over > 0).sum())} 小时超过晴空上限，占全年总辐照量的 {share:.1%}",
            ),
            count=int((over > 0).sum()),
            source=weather.source,
        ),
    )


# ---------------------------------------------------------------------------------------------------- synthetic year


def synthetic_weather(
    latitude: float,
    longitude: float,
    altitude: float,
    monthly_ghi_kwh_m2: Array,
    monthly_temp_air: Array | None = None,
    seed: int = 0,
) -> Weather:
    """Make a weather year from monthly totals: clear sky, days of realistically different clearness.

    Parameters
    ----------
    latitude, longitude : float
        [deg].
    altitude : float
        [m].
    monthly_ghi_kwh_m2 : numpy.ndarray
        (12,) GHI of each month [kWh/m2]; hit exactly.
    monthly_temp_air : numpy.ndarray, optional
        (12,) mean air temperature [degC]; a latitude and altitude default, with a warning, when None.
    seed : int
        Same seed, same year.

    Returns
    -------
    Weather
        ``source`` is ``synthetic``.

    Raises
    ------
    InputError
        Where a total exceeds what a clean clear sky gives, or is not a positive number.

    Notes
    -----
    Method and sources of every coefficient: ``configs/synthetic_weather.yaml``.
    """
    settings = synthetic_settings()
    wanted = np.asarray(monthly_ghi_kwh_m2, dtype=float)
    _require_months(wanted)
    index = nominal_index(utc_offset_hours(latitude, longitude))
    clear = clear_sky_hours(index, latitude, longitude, altitude)
    bound = clear_sky_hours(index, latitude, longitude, altitude, settings["clear_sky"]["bound_turbidity"]["value"])
    ghi, notices = _hourly_ghi(index, wanted, clear, bound, seed)
    elevation = sun_elevation(index, latitude, longitude, altitude)
    parts = pvlib.irradiance.erbs(ghi, 90.0 - elevation, np.asarray(index.day_of_year))
    sin_h = np.maximum(np.sin(np.radians(elevation)), 0.0)
    dni = np.minimum(np.nan_to_num(np.asarray(parts["dni"], dtype=float)), bound.dni)
    dhi = np.maximum(ghi - dni * sin_h, 0.0)
    clearness = wanted / np.maximum(_extraterrestrial_months(index, elevation), _MIN_MONTH_KWH_M2)
    if monthly_temp_air is None:
        means = default_temperature(latitude, altitude)
        notices = (*notices, _default_temperature_notice(means))
    else:
        means = np.asarray(monthly_temp_air, dtype=float)
    wind = float(settings["wind_speed_m_s"]["value"])
    data = pd.DataFrame(
        {
            "ghi": ghi,
            "dni": dni,
            "dhi": dhi,
            "temp_air": _hourly_temperature(index, longitude, means, clearness),
            "wind_speed": np.full(HOURS, wind),
        },
        index=index,
    )
    notices = (_synthetic_notice(data, wind), *notices)
    return Weather(data, latitude, longitude, altitude, 3600.0, "synthetic", notices)


def _require_months(wanted: Array) -> None:
    if wanted.shape != (12,) or not np.isfinite(wanted).all() or (wanted < 0).any() or wanted.sum() <= 0:
        raise InputError(
            Text("a synthetic year needs twelve monthly totals of GHI", "生成气象年需要十二个月的水平面总辐照量"),
            found=np.array2string(wanted, precision=1),
            expected=Text("12 numbers >= 0, kWh/m2", "12 个非负数，单位 kWh/m2"),
        )


def _hourly_ghi(
    index: pd.DatetimeIndex, wanted: Array, clear: ClearSky, bound: ClearSky, seed: int
) -> tuple[Array, tuple[Notice, ...]]:
    """Return (8760,) GHI whose months sum to `wanted`, and notices."""
    settings = synthetic_settings()
    rng = np.random.default_rng(seed)
    day_noise = _autoregressive(rng.standard_normal(365), float(settings["daily_clearness"]["lag1"]["value"]))
    hour_noise = _autoregressive(rng.standard_normal(HOURS), float(settings["hourly_clearness"]["lag1"]["value"]))
    hourly = settings["hourly_clearness"]
    most_ratio = float(settings["daily_clearness"]["high_mean_ratio"]["value"])
    month = np.asarray(index.month) - 1
    ghi = np.zeros(HOURS)
    moved, raised = 0.0, []
    day0 = 0
    for m, n_days in enumerate(DAYS_IN_MONTH):
        rows = month == m
        shape, top = clear.ghi[rows], bound.ghi[rows]
        if shape.sum() / 1000.0 >= _MIN_MONTH_KWH_M2:
            _require_possible(wanted[m], top.sum() / 1000.0, m, "synthetic")
            mean = wanted[m] * 1000.0 / shape.sum()
            high = min(max(1.0, mean / most_ratio), top.sum() / shape.sum())
            if high > 1.0:
                raised.append(m + 1)
            days = _daily_clearness(mean, high, day_noise[day0 : day0 + n_days])
            k = np.repeat(days, 24)
            sigma = float(hourly["peak_sigma"]["value"]) * np.sin(np.pi * np.clip(k / high, 0.0, 1.0))
            k = np.clip(k + sigma * hour_noise[rows], float(hourly["floor"]["value"]), None)
            cap = np.minimum(shape * high, np.maximum(top, shape))
            cap = np.maximum(top, shape) if cap.sum() < wanted[m] * 1000.0 else cap
            ghi[rows], excess = fill_to_total(k * shape, cap, wanted[m] * 1000.0)
            moved += excess / 1000.0
        day0 += int(n_days)
    notices: tuple[Notice, ...] = ()
    if moved > 0.0005 * wanted.sum():
        notices += (_moved_notice(moved, float(wanted.sum()), "synthetic"),)
    if raised:
        notices += (_raised_notice(raised),)
    return ghi, notices


def _autoregressive(noise: Array, lag1: float) -> Array:
    out = noise.copy()
    innovation = np.sqrt(1.0 - lag1**2)
    for i in range(1, len(noise)):
        out[i] = lag1 * out[i - 1] + innovation * noise[i]
    return out


def _daily_clearness(mean: float, high: float, noise: Array) -> Array:
    """Return clear-sky indices of a month's days: quantiles of a beta distribution in the order of `noise`."""
    settings = synthetic_settings()["daily_clearness"]
    low = min(float(settings["low"]["value"]), 0.5 * mean)
    centre = float(np.clip((mean - low) / (high - low), 0.02, 0.98))
    total = float(settings["shape_sum"]["value"])
    rank = np.argsort(np.argsort(noise, kind="stable"), kind="stable")
    quantile = (rank + 0.5) / len(noise)
    return np.asarray(low + (high - low) * betaincinv(total * centre, total * (1.0 - centre), quantile), dtype=float)


def _extraterrestrial_months(index: pd.DatetimeIndex, elevation: Array) -> Array:
    extra = np.asarray(pvlib.irradiance.get_extra_radiation(index), dtype=float)
    return sum_by_month(extra * np.maximum(np.sin(np.radians(elevation)), 0.0), index)


def default_temperature(latitude: float, altitude: float) -> Array:
    """Return mean monthly air temperatures [degC] by latitude and altitude alone, (12,).

    Parameters
    ----------
    latitude : float
        [deg].
    altitude : float
        [m].
    """
    settings = synthetic_settings()["temperature"]
    annual = settings["equator_degc"]["value"] - settings["pole_drop_k"]["value"] * np.sin(np.radians(latitude)) ** 2
    annual -= settings["lapse_k_per_km"]["value"] * altitude / 1000.0
    warmest = settings["warmest_day"]["value"] + (0.0 if latitude >= 0.0 else 182.5)
    middle = np.cumsum(DAYS_IN_MONTH) - DAYS_IN_MONTH / 2.0
    half_range = settings["seasonal_half_range_k_per_deg"]["value"] * abs(latitude)
    return np.asarray(annual + half_range * np.cos(2.0 * np.pi * (middle - warmest) / 365.0), dtype=float)


def _hourly_temperature(index: pd.DatetimeIndex, longitude: float, means: Array, clearness: Array) -> Array:
    """Return (8760,) air temperature: a smooth year through the monthly means plus Erbs' diurnal course."""
    settings = synthetic_settings()["temperature"]
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
    terms = settings["diurnal_terms"]
    course = np.zeros(HOURS)
    for n, (amplitude, phase) in enumerate(zip(terms["amplitude"], terms["phase"], strict=True), start=1):
        course += amplitude * np.cos(n * angle - phase)
    diurnal = settings["diurnal_amplitude"]
    swing = np.maximum(diurnal["slope_k"] * clearness + diurnal["offset_k"], 0.0)
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


def _default_temperature_notice(means: Array) -> Notice:
    return Notice(
        "default_temperature",
        Text(
            f"no air temperature given: {means.mean():.1f} degC mean, {means.min():.1f} to {means.max():.1f} by month, "
            "were taken from latitude and altitude",
            f"未提供气温：按纬度与海拔取年均 {means.mean():.1f} ℃，各月 {means.min():.1f}~{means.max():.1f} ℃",
        ),
        source="synthetic",
    )


def _raised_notice(months: list[int]) -> Notice:
    names = ", ".join(str(m) for m in months)
    return Notice(
        "clear_sky_raised",
        Text(
            f"in {len(months)} months (month {names}) the raster is close to or above the turbidity climatology's clear "
            "sky; a cleaner sky was assumed there",
            f"有 {len(months)} 个月（{names} 月）栅格总量接近或超过浑浊度气候值下的晴空总量，已按更清洁的大气计算",
        ),
        count=len(months),
        severity="info",
        source="synthetic",
        examples=tuple(str(m) for m in months[:5]),
    )


__all__ = [
    "Anchor",
    "Weather",
    "anchor_weather",
    "clear_sky_bound",
    "default_temperature",
    "monthly_factors",
    "synthetic_weather",
]
