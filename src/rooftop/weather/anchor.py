"""Anchoring: what scales a weather year to the totals of irradiance rasters."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from rooftop.core.arguments import axes, require_number, require_numbers, unusable
from rooftop.core.lang import Text
from rooftop.core.notices import Notice
from rooftop.core.types import F8
from rooftop.weather.clear_sky import clear_sky_hours, fill_to_total, sun_elevation
from rooftop.weather.synthetic_rules import synthetic_rules
from rooftop.weather.year import (
    MIN_MONTH_KWH_M2,
    Weather,
    checked_weather,
    moved_notice,
    require_possible,
    time_index,
)


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

    factor: F8
    weather_total: F8
    raster_total: F8
    notices: tuple[Notice, ...] = ()


def monthly_factors(weather: Weather, target_ghi_kwh_m2: F8) -> Anchor:
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
    ArgumentError
        Where the shape is neither (n,) nor (n, 12), a total is negative, or the weather is no whole year.
    """
    weather = checked_weather(weather)
    months = weather.monthly_ghi_kwh_m2()
    shape = ("n",) if axes("target_ghi_kwh_m2", target_ghi_kwh_m2) == 1 else ("n", 12)
    what = Text("raster totals must be (n,) or (n, 12)", "栅格总量的形状必须为 (n,) 或 (n, 12)")
    target = require_numbers(
        "target_ghi_kwh_m2", target_ghi_kwh_m2, shape, "total_ghi_kwh_m2", missing=True, what=what
    ).astype(np.float64)
    if target.ndim == 1:
        factor = np.repeat((target / months.sum())[:, None], 12, axis=1)
    else:
        dark = months < MIN_MONTH_KWH_M2
        factor = np.where(dark[None, :], np.where(np.isnan(target), np.nan, 1.0), target / np.where(dark, 1.0, months))
    notices = (*_disagreement(weather, months, target), *_clear_sky_excess(weather, factor))
    return Anchor(factor=factor, weather_total=months, raster_total=factor * months[None, :], notices=notices)


def anchor_weather(weather: Weather, ghi_kwh_m2: F8 | float) -> Weather:
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
    ArgumentError
        Where a month's total is more than its hours can give, the totals are neither 12 nor one, one is missing or
        negative, or the weather is no whole year of hours.
    """
    weather = checked_weather(weather)
    months = weather.monthly_ghi_kwh_m2()
    if weather.interval_s != 3600.0:
        raise unusable("weather.interval_s", f"{weather.interval_s:g} s", "3600 s")
    totals = _monthly_totals(ghi_kwh_m2, months)
    index = time_index(weather)
    month = np.asarray(index.month) - 1
    ghi = weather.data["ghi"].to_numpy(dtype=float)
    bound = synthetic_rules().clear_sky.bound_turbidity.value
    clear = clear_sky_hours(index, weather.latitude, weather.longitude, weather.altitude, bound)
    cap = np.maximum(clear.ghi, ghi)
    scale = np.ones(len(ghi))
    moved = 0.0
    for m in range(12):
        rows = (month == m) & (ghi > 0.0)
        if not rows.any() or months[m] < MIN_MONTH_KWH_M2:
            continue
        require_possible(totals[m], cap[rows].sum() / 1000.0, m, f"ghi_kwh_m2 ({weather.source})")
        filled, excess = fill_to_total(ghi[rows], cap[rows], totals[m] * 1000.0)
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
    extra = (moved_notice(moved, totals.sum(), weather.source),) if moved > 0.0005 * totals.sum() else ()
    return replace(weather, data=data, notices=(*weather.notices, *extra))


def _monthly_totals(ghi_kwh_m2: F8 | float, months: F8) -> F8:
    """Return 12 totals; an annual one is shared out as the months of the weather."""
    if axes("ghi_kwh_m2", ghi_kwh_m2) == 0:
        return months * (require_number("ghi_kwh_m2", ghi_kwh_m2, "total_ghi_kwh_m2") / months.sum())
    return require_numbers("ghi_kwh_m2", ghi_kwh_m2, (12,), "total_ghi_kwh_m2").astype(np.float64)


def _disagreement(weather: Weather, months: F8, target: F8) -> tuple[Notice, ...]:
    annual = target if target.ndim == 1 else target.sum(axis=1)
    known = annual[np.isfinite(annual)]
    if not len(known):
        return ()
    raster_total, weather_total = float(known.mean()), float(months.sum())
    percent = raster_total / weather_total - 1.0
    limit = synthetic_rules().anchoring.notable_disagreement.value
    worst_en = worst_zh = ""
    if target.ndim == 2:
        mean = np.nanmean(target, axis=0)
        bright = months > 10.0 * MIN_MONTH_KWH_M2
        ratio = np.where(bright, mean / np.where(bright, months, 1.0) - 1.0, 0.0)
        worst = int(np.abs(ratio).argmax())
        worst_en = f"; the largest monthly difference is {ratio[worst]:+.1%} in month {worst + 1}"
        worst_zh = f"；月差异最大为 {worst + 1} 月 {ratio[worst]:+.1%}"
    return (
        Notice(
            "raster_weather_disagreement",
            Text(
                f"annual GHI: irradiance raster {raster_total:.0f} kWh/m2, weather {weather_total:.0f} kWh/m2 "
                f"({percent:+.1%}){worst_en}; the raster is used, the weather gives the hourly shape",
                f"年水平面总辐照量：辐照栅格 {raster_total:.0f} kWh/m2，气象数据 {weather_total:.0f} kWh/m2"
                f"（{percent:+.1%}）{worst_zh}；以栅格为准，气象数据只提供逐时分布",
            ),
            count=len(known),
            severity="warning" if abs(percent) > limit else "info",
            source=weather.source,
        ),
    )


def _clear_sky_excess(weather: Weather, factor: F8) -> tuple[Notice, ...]:
    known = factor[np.isfinite(factor).all(axis=1)]
    if not len(known) or known.max() <= 1.0:
        return ()
    index = time_index(weather)
    ghi = weather.data["ghi"].to_numpy(dtype=float)
    bound = synthetic_rules().clear_sky.bound_turbidity.value
    clear = clear_sky_hours(index, weather.latitude, weather.longitude, weather.altitude, bound)
    scaled = ghi * np.median(known, axis=0)[np.asarray(index.month) - 1]
    excess = np.maximum(scaled - np.maximum(clear.ghi, ghi), 0.0)
    share, hours = excess.sum() / scaled.sum(), int((excess > 0.0).sum())
    if share < 0.0005:
        return ()
    return (
        Notice(
            "above_clear_sky",
            Text(
                f"scaled to the raster, {hours} hours exceed the clear sky, by {share:.1%} of the year's GHI in all",
                f"按栅格缩放后，有 {hours} 小时超过晴空上限，超出部分占全年总辐照量的 {share:.1%}",
            ),
            count=hours,
            source=weather.source,
        ),
    )
