"""Units of a weather file's values, told from the values: irradiance refused, temperature converted, both said."""

from __future__ import annotations

import numpy as np
import pandas as pd

from rooftop.core.errors import InputError
from rooftop.core.lang import Text
from rooftop.core.notices import Notice
from rooftop.core.types import F8
from rooftop.weather import default_temperature
from rooftop.weather.checks import weather_checks

_KELVIN = 273.15
_CODES = (999.0, 9999.0, 99999.0, 999999.0)


def peak_share(values: F8, latitude: float) -> float:
    """Return the highest hours of GHI over what clear noons of the latitude have in W/m2; NaN without light."""
    # Codes of missing values stand far above any noon.
    daylight = values[np.isfinite(values) & (values > 0.0) & ~np.isin(values, _CODES)]
    return float(np.quantile(daylight, 0.99)) / _clear_noon(latitude) if len(daylight) else float("nan")


def _clear_noon(latitude: float) -> float:
    highest_sun = min(90.0, 90.0 - abs(latitude) + 23.44)
    return weather_checks().units.peak_w_m2.value * float(np.sin(np.radians(max(highest_sun, 5.0))))


def per_interval_factor(values: F8, latitude: float, per_hour: int) -> float:
    """Return what turns GHI into W/m2 where rows finer than an hour may hold the energy of their interval.

    Parameters
    ----------
    values : numpy.ndarray
        (n,) GHI as read, NaN where missing.
    latitude : float
        [deg].
    per_hour : int
        Rows an hour.

    Returns
    -------
    float
        `per_hour` where the highest values are those of Wh/m2 an interval, else 1.
    """
    limits = weather_checks().units.peak_share
    share = peak_share(values, latitude)
    as_power = limits.low <= share <= limits.high
    as_energy = limits.low <= share * per_hour <= limits.high
    return float(per_hour) if as_energy and not as_power else 1.0


def require_irradiance_unit(values: F8, latitude: float, source: str) -> None:
    """Raise where the highest hours of GHI are those of another unit.

    Parameters
    ----------
    values : numpy.ndarray
        (n,) GHI as read, NaN where missing.
    latitude : float
        [deg].
    source : str
        The file.

    Raises
    ------
    InputError
        With the unit that fits.
    """
    limits = weather_checks().units
    share = peak_share(values, latitude)
    low, high = limits.peak_share.low, limits.peak_share.high
    if not np.isfinite(share) or low <= share <= high:
        return
    fits = [unit for unit, factor in limits.irradiance.items() if low <= share / factor <= high]
    if not fits:
        return
    names = " / ".join(fits)
    factor = limits.irradiance[fits[0]]
    usual = _clear_noon(latitude)
    highest = share * usual
    raise InputError(
        Text("the irradiance of the weather file is of another unit", "气象文件的辐照数据单位不符"),
        where=source,
        found=Text(
            f"highest hours of GHI about {highest:.4g}: like {names}", f"总辐照度最高时段约 {highest:.4g}，像是 {names}"
        ),
        expected=Text(
            f"W/m2 (hourly Wh/m2), here about {usual:.0f} on clear noons",
            f"W/m2（逐时 Wh/m2），此处晴天正午约 {usual:.0f}",
        ),
        mend=Text(
            f"divide GHI, DNI and DHI by {factor:g}, or write the file anew in W/m2",
            f"请将 GHI、DNI、DHI 除以 {factor:g}，或以 W/m2 重新输出文件",
        ),
    )


def in_degc(
    values: F8, index: pd.DatetimeIndex, place: tuple[float, float, float], source: str
) -> tuple[F8, tuple[Notice, ...]]:
    """Return air temperature in degC, whatever unit it was written in.

    Parameters
    ----------
    values : numpy.ndarray
        (n,) as read, NaN where missing.
    index : pandas.DatetimeIndex
        (n,) their times.
    place : tuple of float
        Latitude, longitude [deg], altitude [m].
    source : str
        The file.

    Returns
    -------
    values : numpy.ndarray
        (n,) [degC].
    notices : tuple of Notice
        A conversion, or a year unlike the climate of the place.
    """
    limits = weather_checks().units
    known = np.isfinite(values) & (np.abs(values) < 900.0)
    if not known.any():
        return values, ()
    if float(np.median(values[known])) > limits.kelvin_above.value:
        return values - _KELVIN, (_conversion_notice("K", values[known], values[known] - _KELVIN, source),)
    expected = default_temperature(*place).months[np.asarray(index.month)[known] - 1]
    fahrenheit = (values[known] - 32.0) / 1.8
    off, off_if_f = (abs(float((v - expected).mean())) for v in (values[known], fahrenheit))
    # Only together: as degF the year fits the place, as degC it does not.
    if off > limits.unlike_climate_k.value and off - off_if_f > limits.fahrenheit_better_k.value:
        return (values - 32.0) / 1.8, (_conversion_notice("degF", values[known], fahrenheit, source),)
    if off <= limits.unlike_climate_k.value:
        return values, ()
    text = Text(
        f"the mean air temperature of the file is {values[known].mean():.1f} degC, the normals of places around give "
        f"{expected.mean():.1f} degC: is it another place's, or another unit?",
        f"文件年均气温为 {values[known].mean():.1f} ℃，周边城市气候平均值为 {expected.mean():.1f} ℃："
        "是否为其他地点的数据或单位有误？",
    )
    return values, (Notice("temperature_unlike_climate", text, int(known.sum()), source=source),)


def _conversion_notice(unit: str, before: F8, after: F8, source: str) -> Notice:
    text = Text(
        f"air temperature reads like {unit} (mean {before.mean():.1f}): converted to degC (mean {after.mean():.1f})",
        f"气温数值像是 {unit}（均值 {before.mean():.1f}）：已换算为 ℃（均值 {after.mean():.1f}）",
    )
    return Notice("temperature_unit", text, len(before), source=source)
