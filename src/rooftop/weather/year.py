"""The type every room uses: one nominal year of hourly weather."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from rooftop.core.argument_limits import argument_limits
from rooftop.core.arguments import instance, limits_of, require_number, unusable
from rooftop.core.errors import ArgumentError
from rooftop.core.lang import Text
from rooftop.core.notices import Notice, Provenance
from rooftop.core.types import F8
from rooftop.weather.checks import weather_checks
from rooftop.weather.clear_sky import DAYS_IN_MONTH, sum_by_month

MIN_MONTH_KWH_M2 = 0.1
_COLUMNS = ("ghi", "dni", "dhi", "temp_air", "wind_speed")


@dataclass(frozen=True)
class Weather:
    """One nominal year (8760 hours) of weather at one place.

    What is here is not checked; every function that uses it checks it (`checked_weather`).

    Parameters
    ----------
    data : pandas.DataFrame
        8760 rows, one after the other, without 29 February; columns ``ghi dni dhi`` [W/m2], ``temp_air`` [degC],
        ``wind_speed`` [m/s]. The index is the middle of each interval in a fixed UTC offset (never a zone name:
        Asia/Shanghai had summer time 1986-91).
    latitude, longitude : float
        [deg], north and east positive, WGS84; longitude -180 to 180.
    altitude : float
        [m] above sea level.
    interval_s : float
        Length of each interval [s]: 3600, or an equal part of it with as many more rows.
    source : str
        File path, or ``synthetic``.
    notices : tuple of Notice
        What was repaired, derived, assumed.
    provenance : Provenance, optional
        The file it was read from; None for a synthetic year.
    """

    data: pd.DataFrame
    latitude: float
    longitude: float
    altitude: float
    interval_s: float
    source: str
    notices: tuple[Notice, ...] = ()
    provenance: Provenance | None = None

    def monthly_ghi_kwh_m2(self) -> F8:
        """Return GHI by month [kWh/m2], (12,); an `ArgumentError` where the year is none (`checked_weather`)."""
        checked = checked_weather(self)
        return sum_by_month(checked.data["ghi"].to_numpy(dtype=float), time_index(self)) * checked.interval_s / 3600.0


def time_index(weather: Weather) -> pd.DatetimeIndex:
    """Return the middles of the intervals; an `ArgumentError` where they have no fixed UTC offset."""
    index = weather.data.index
    where = "weather.data.index"
    mend = Text('state it: data.tz_localize("UTC+08:00")', '请注明时区：data.tz_localize("UTC+08:00")')
    if not isinstance(index, pd.DatetimeIndex) or index.tz is None:
        raise unusable(
            where,
            Text(f"{type(index).__name__} without time zone", f"{type(index).__name__}，无时区"),
            Text("a DatetimeIndex with a fixed UTC offset", "带固定 UTC 偏移的 DatetimeIndex"),
            mend,
            Text("weather needs a time-zone aware index", "气象数据的时间索引必须带时区"),
        )
    if index.hasnans:
        raise unusable(where, "NaT", Text("times", "时间"))
    offsets = index.tz_localize(None) - index.tz_convert("UTC").tz_localize(None)
    if len(index) and (offsets != offsets[0]).any():
        raise unusable(
            where,
            Text(f"{index.tz}, a zone with summer time", f"{index.tz}，含夏令时"),
            Text("one UTC offset throughout", "全年同一 UTC 偏移"),
            Text('convert it: data.tz_convert("UTC+01:00")', '请转换：data.tz_convert("UTC+01:00")'),
        )
    return index


def checked_weather(weather: object) -> Weather:
    """Return a weather that is one whole year: complete, and nothing in it impossible.

    Raises
    ------
    ArgumentError
        No `Weather`; hours or columns missing, doubled or out of order; values that are missing or cannot be; a place
        that is none.
    """
    given = instance("weather", weather, Weather, "rooftop.read_weather(path)")
    instance("weather.data", given.data, pd.DataFrame, "pandas.DataFrame")
    latitude, longitude, altitude, interval_s = (
        require_number(f"weather.{name}", getattr(given, name), name)
        for name in ("latitude", "longitude", "altitude", "interval_s")
    )
    # plain numbers: floats of 16 bits overflow in what is computed with them
    given = replace(given, latitude=latitude, longitude=longitude, altitude=altitude, interval_s=interval_s)
    _require_whole_year(given)
    for name in _COLUMNS:
        _require_values(given, name)
    _require_watts(given)
    return given


def _require_whole_year(weather: Weather) -> None:
    """Raise unless every interval of a year of 365 days is there once, in order."""
    index, step_s = time_index(weather), float(weather.interval_s)
    where = "weather.data.index"
    if not (3600.0 / step_s).is_integer():
        raise unusable(
            "weather.interval_s", f"{step_s:g} s", Text("an hour, or an equal part of it", "一小时，或其等分")
        )
    n, leap = round(365 * 86400 / step_s), (index.month == 2) & (index.day == 29)
    rows = Text(f"{n} rows of {step_s:g} s, one year", f"全年 {n} 行，每行 {step_s:g} 秒")
    if leap.any():
        raise unusable(
            where,
            Text(
                f"{len(index)} rows, {leap.sum()} of them on 29 February",
                f"{len(index)} 行，其中 2 月 29 日 {leap.sum()} 行",
            ),
            rows,
            Text(
                "leave the day out: data[~((data.index.month == 2) & (data.index.day == 29))]",
                "请剔除该日：data[~((data.index.month == 2) & (data.index.day == 29))]",
            ),
        )
    if len(index) != n:
        mend = Text("give the whole year, and the interval that its rows have", "请给出全年数据及其实际时段长度")
        raise unusable(where, Text(f"{len(index)} rows", f"{len(index)} 行"), rows, mend)
    seconds = np.diff(index.as_unit("ns").asi8) / 1e9
    over_leap_day = (index.month[1:] == 3) & (index.month[:-1] == 2) & (seconds == step_s + 86400.0)
    odd = np.flatnonzero((seconds != step_s) & ~over_leap_day)
    per_month = np.bincount(index.month - 1, minlength=12)
    if odd.size or (per_month != DAYS_IN_MONTH * n / 365).any():
        at = f"{index[odd[0]]}, {index[odd[0] + 1]}" if odd.size else ", ".join(str(m) for m in per_month)
        raise unusable(
            where,
            at,
            Text(f"times that rise by {step_s:g} s, whole months", f"逐行增加 {step_s:g} 秒且各月完整的时间"),
            Text(
                "bring all rows to one year, sort them, fill gaps, drop doubles",
                "请将各行归入同一年，排序，补全缺口并剔除重复",
            ),
        )


def _require_values(weather: Weather, name: str) -> None:
    """Raise unless a column is there with numbers that can be."""
    data, where, limits = weather.data, f"weather.data['{name}']", limits_of(name)
    if list(data.columns).count(name) != 1:
        found = ", ".join(str(column) for column in data.columns)[:80]
        expected = Text(f"one column {name}", f"一列 {name}")
        raise unusable("weather.data", found, expected, Text("name the columns as pvlib does", "请采用 pvlib 的列名"))
    column = data[name]
    if not pd.api.types.is_numeric_dtype(column) or column.dtype.kind not in "fiu":
        raise unusable(where, str(column.dtype), Text(f"numbers, {limits}", f"数值，{limits}"))
    values = column.to_numpy(dtype=np.float64, na_value=np.nan)
    missing = int(np.isnan(values).sum())
    if missing:
        at = data.index[np.isnan(values)][0]
        raise unusable(
            where,
            Text(
                f"{missing} of {values.size} are missing (NaN), the first at {at}",
                f"{values.size} 个中有 {missing} 个缺失（NaN），首个在 {at}",
            ),
            Text(f"a number in every interval, {limits}", f"每个时段一个数值，{limits}"),
            Text(
                "fill the gaps, or read the file with rooftop.read_weather",
                "请补全缺口，或用 rooftop.read_weather 读取文件",
            ),
        )
    if not limits.holds(values):
        raise unusable(where, f"{values.min():g} … {values.max():g}", str(limits), limits.mend)


def _require_watts(weather: Weather) -> None:
    """Raise where the brightest hour is too dark for W/m2."""
    peak, least = float(weather.data["ghi"].max()), argument_limits().year.least_peak_w_m2.value
    if peak < least:
        raise unusable(
            "weather.data['ghi']",
            Text(f"at most {peak:g}", f"最大 {peak:g}"),
            Text(f"W/m2; every place has hours above {least:g}", f"W/m2；任何地点均有高于 {least:g} 的时段"),
            Text(
                "kW/m2 (kWh/m2 per hour) times 1000, MJ/m2 per hour times 277.8",
                "kW/m2（每小时 kWh/m2）乘以 1000，每小时 MJ/m2 乘以 277.8",
            ),
        )


def require_possible(wanted_kwh_m2: float, most_kwh_m2: float, month: int, name: str) -> None:
    """Raise an `ArgumentError` where a month (0-11) of the argument `name` is to give more than its hours can.

    Months at the edge of the polar night are not judged: half a degree of latitude decides what they can give.
    """
    floor = weather_checks().clear_sky_bound.monthly_floor_kwh_m2.value
    if wanted_kwh_m2 > most_kwh_m2 >= floor:
        raise ArgumentError(
            Text(
                "the irradiance total of a month is more than a cloudless sky gives",
                "某月辐照总量超过晴空所能提供的总量",
            ),
            where=Text(f"{name}, month {month + 1}", f"{name}，{month + 1} 月"),
            found=f"{wanted_kwh_m2:.1f} kWh/m2",
            expected=Text(f"at most {most_kwh_m2:.1f} kWh/m2", f"不超过 {most_kwh_m2:.1f} kWh/m2"),
            mend=Text("check unit and period of the irradiance raster", "请检查辐照栅格的单位（unit）与时段（period）"),
        )


def moved_notice(moved_kwh_m2: float, total_kwh_m2: float, source: str) -> Notice:
    """Say how much energy the clear-sky cap moved to other hours."""
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
