"""Rows of a weather file: what they hold, checked, hourly, one nominal year of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd

from rooftop.core.errors import InputError
from rooftop.core.lang import Text
from rooftop.core.notices import Notice
from rooftop.core.types import F8
from rooftop.inputs.weather_units import in_degc, require_irradiance_unit
from rooftop.weather.checks import weather_checks
from rooftop.weather.clear_sky import DAYS_IN_MONTH, HOURS

IRRADIANCE = ("ghi", "dni", "dhi")


@dataclass(frozen=True)
class RawWeather:
    """Rows of a weather file under its own convention of time.

    Parameters
    ----------
    data : pandas.DataFrame
        Columns ``ghi dni dhi temp_air wind_speed`` in W/m2, degC, m/s; NaN where missing. Index: the middle of each
        interval as the format defines it, fixed UTC offset.
    latitude, longitude, altitude : float
        [deg], [m].
    source : str
        The file.
    label : Text
        The convention of its times.
    leap_rows : int
        Rows of 29 February already left out.
    notices : tuple of Notice
        What the parser noticed.
    """

    data: pd.DataFrame
    latitude: float
    longitude: float
    altitude: float
    source: str
    label: Text
    leap_rows: int = 0
    notices: tuple[Notice, ...] = ()


COLUMNS = ("ghi", "dni", "dhi", "temp_air", "wind_speed")


def as_columns(data: pd.DataFrame) -> pd.DataFrame:
    """Keep our columns as floats; what is absent or no number is NaN."""
    out = pd.DataFrame(index=data.index)
    for name in COLUMNS:
        values = pd.to_numeric(data[name], errors="coerce") if name in data else np.nan
        out[name] = np.asarray(values, dtype=float)
    return out


def hourly_slots(raw: RawWeather) -> tuple[pd.DataFrame, float, tuple[Notice, ...]]:
    """Put the rows of a file into the hours of one nominal year.

    Parameters
    ----------
    raw : RawWeather
        As parsed.

    Returns
    -------
    slots : pandas.DataFrame
        8760 hours by month, day and hour of the file's own times; NaN where missing or impossible.
    minute : float
        Minute of the hour that is the middle of each interval.
    notices : tuple of Notice
        What was changed.

    Raises
    ------
    InputError
        The rows are not hourly or finer, of another unit, or of less than a year.
    """
    raw = _drop_undated_rows(raw)
    _require_hours(raw)
    data, notices = _clean(raw)
    data, year_notices = _one_year(data, raw)
    index = pd.DatetimeIndex(data.index)
    first_day = np.concatenate([[0], np.cumsum(DAYS_IN_MONTH)[:-1]])
    slot = (first_day[np.asarray(index.month) - 1] + np.asarray(index.day) - 1) * 24 + np.asarray(index.hour)
    minute = float(np.median(np.asarray(index.minute) + np.asarray(index.second) / 60.0))
    rows = data.set_axis(slot, axis=0)
    slots = rows[~rows.index.duplicated(keep="first")].reindex(np.arange(HOURS))
    return slots, minute, (*raw.notices, *notices, *year_notices)


def _drop_undated_rows(raw: RawWeather) -> RawWeather:
    """Leave out rows whose time the parser could not read, and say so."""
    none = np.asarray(pd.DatetimeIndex(raw.data.index).isna())
    if not none.any():
        return raw
    if none.mean() > weather_checks().gaps.max_missing_share.value:
        raise InputError(
            Text("rows of the weather file have times that do not exist", "气象文件中有不存在的时刻"),
            where=raw.source,
            found=Text(f"{int(none.sum())} of {len(none)} rows", f"{len(none)} 行中有 {int(none.sum())} 行"),
            mend=Text("take the file as its source published it", "请使用来源发布的原始文件"),
        )
    text = Text(
        f"{int(none.sum())} rows are left out: their time does not exist",
        f"有 {int(none.sum())} 行时刻不存在，已去除",
    )
    notice = Notice("impossible_times", text, int(none.sum()), source=raw.source)
    return replace(raw, data=raw.data[~none], notices=(*raw.notices, notice))


# ------------------------------------------------------------------------------------------------------------ steps


def _require_hours(raw: RawWeather) -> None:
    """Raise where rows are further apart than an hour, or cover less than a year."""
    index = pd.DatetimeIndex(raw.data.index)
    instants = np.unique(index.as_unit("ns").asi8)
    if len(instants) < 2:
        raise _too_short_error(raw, "1", "1")
    step_h = float(np.median(np.diff(instants))) / 3.6e12
    if step_h > 1.5:
        name = _step_name(step_h)
        raise InputError(
            Text("the weather file has {name}: hourly ones are needed", "气象文件为{name}，需要逐时数据").format(
                name=name
            ),
            where=raw.source,
            found=Text(
                f"{len(instants)} rows, usually {step_h:.0f} h apart",
                f"{len(instants)} 行，间隔通常为 {step_h:.0f} 小时",
            ),
            expected=Text("values every hour or more often", "逐时或更密的数据"),
            mend=Text(
                "take the hourly product of the same source, or leave inputs.weather out: then the hours are made from "
                "the irradiance raster",
                "请改用同一来源的逐时产品，或不设置 inputs.weather（届时由辐照栅格生成逐时数据）",
            ),
        )
    months = np.unique(np.asarray(index.month))
    if len(months) < 12:
        raise _too_short_error(raw, _month_list(months), _month_list(np.setdiff1d(np.arange(1, 13), months)))


def _step_name(step_h: float) -> Text:
    if step_h >= 24.0 * 25.0:
        return Text("monthly values", "逐月数据")
    if step_h >= 23.0:
        return Text("daily values", "逐日数据")
    return Text(f"values every {step_h:g} hours", f"每 {step_h:g} 小时一值的数据")


def _month_list(months: F8) -> str:
    return ", ".join(str(int(m)) for m in months)


def _too_short_error(raw: RawWeather, found: str, missing: str) -> InputError:
    return InputError(
        Text("the weather file covers less than a year", "气象文件不足一年"),
        where=raw.source,
        found=Text(f"rows of the months {found}", f"仅有 {found} 月的数据"),
        expected=Text("all twelve months", "全部十二个月"),
        mend=Text(
            f"give a file, or a longer period, with the months {missing} as well",
            f"请提供同时包含 {missing} 月的文件或更长时段",
        ),
    )


# ------------------------------------------------------------------------------------------------------------- rows
def _clean(raw: RawWeather) -> tuple[pd.DataFrame, tuple[Notice, ...]]:
    """Negative irradiance becomes 0, values that cannot be true become missing; both are counted."""
    limits = weather_checks().values
    data = raw.data.copy()
    require_irradiance_unit(data["ghi"].to_numpy(dtype=float), raw.latitude, raw.source)
    place = (raw.latitude, raw.longitude, raw.altitude)
    temperature, converted = in_degc(
        data["temp_air"].to_numpy(dtype=float), pd.DatetimeIndex(data.index), place, raw.source
    )
    data["temp_air"] = temperature
    notices: list[Notice] = [*converted]
    for name in data.columns:
        low, high = limits.of(str(name)).low, limits.of(str(name)).high
        values = data[name].to_numpy(dtype=float).copy()
        absurd = (values < low) | (values > high)
        if absurd.any():
            notices.append(_absurd_notice(name, values[absurd], low, high, raw.source))
            values[absurd] = np.nan
        negative = values < 0.0
        if name in IRRADIANCE and negative.any():
            notices.append(
                Notice(
                    "negative_irradiance",
                    Text(
                        f"{int(negative.sum())} negative values of {name} (down to {values[negative].min():.1f} W/m2) "
                        "were set to 0",
                        f"{name} 有 {int(negative.sum())} 个负值（最低 {values[negative].min():.1f} W/m2），已置为 0",
                    ),
                    count=int(negative.sum()),
                    severity="info",
                    source=raw.source,
                )
            )
            values[negative] = 0.0
        data[name] = values
    return data, tuple(notices)


def _absurd_notice(name: str, values: F8, low: float, high: float, source: str) -> Notice:
    distinct, counts = np.unique(values, return_counts=True)
    commonest, times = float(distinct[counts.argmax()]), int(counts.max())
    code = times >= 0.9 * len(values) and abs(commonest) >= 90.0
    mostly = Text(f", {times} of them {commonest:g}", f"，其中 {times} 个为 {commonest:g}")
    remark = mostly if code and len(values) > 1 else Text("", "")
    return Notice(
        "absurd_weather_value",
        Text(
            "{n} values of {name} outside {low:g} to {high:g}{remark} were treated as missing",
            "{name} 有 {n} 个值超出 {low:g}~{high:g}{remark}，按缺测处理",
        ).format(n=len(values), name=name, low=low, high=high, remark=remark),
        count=len(values),
        source=source,
        examples=tuple(f"{v:g}" for v in values[:5]),
    )


def _without_repeats(data: pd.DataFrame, source: str) -> tuple[pd.DataFrame, tuple[Notice, ...]]:
    """Keep the first of rows with the same time; say how many there were, and whether they differ."""
    again = np.asarray(data.index.duplicated(keep="first"))
    if not again.any():
        return data, ()
    first = data[~again]
    others, same = data[again].to_numpy(dtype=float), first.loc[data.index[again]].to_numpy(dtype=float)
    differ = int((~np.isclose(others, same, equal_nan=True)).any(axis=1).sum())
    times = tuple(f"{t:%m-%d %H:%M}" for t in data.index[again][:5])
    text = Text(
        f"{int(again.sum())} rows repeat the time of another, {differ} of them with other values: the first of each "
        "was kept",
        f"有 {int(again.sum())} 行与其他行时刻重复，其中 {differ} 行数值不同：各取第一行",
    )
    severity: Literal["info", "warning"] = "warning" if differ else "info"
    return first, (Notice("repeated_hours", text, int(again.sum()), severity, source, times),)


def _one_year(data: pd.DataFrame, raw: RawWeather) -> tuple[pd.DataFrame, tuple[Notice, ...]]:
    """Hourly rows of one nominal year: sub-hourly averaged, leap days out, one calendar year for each month."""
    data, repeated = _without_repeats(data, raw.source)
    notices: list[Notice] = [*repeated]
    hour = pd.DatetimeIndex(data.index).floor("h")
    per_hour = len(data) / max(hour.nunique(), 1)
    if per_hour >= 1.5:
        data = data.groupby(hour).mean()
        data.index = pd.DatetimeIndex(data.index) + pd.Timedelta(minutes=30)
        notices.append(
            Notice(
                "sub_hourly_averaged",
                Text(
                    f"{per_hour:.0f} values an hour were averaged to hours",
                    f"每小时 {per_hour:.0f} 个值，已平均为逐时数据",
                ),
                count=len(hour),
                severity="info",
                source=raw.source,
            )
        )
    index = pd.DatetimeIndex(data.index)
    leap = np.asarray((index.month == 2) & (index.day == 29))
    leap_rows = int(leap.sum()) + raw.leap_rows
    if leap_rows:
        data = data[~leap]
        notices.append(
            Notice(
                "leap_day_dropped",
                Text(
                    f"{leap_rows} hours of 29 February were left out: results are for 365 days",
                    f"已去除 2 月 29 日的 {leap_rows} 个小时：结果按 365 天计",
                ),
                count=leap_rows,
                severity="info",
                source=raw.source,
            )
        )
    data, years_notice = _typical_months(data, raw.source)
    return data, (*notices, *years_notice)


def _typical_months(data: pd.DataFrame, source: str) -> tuple[pd.DataFrame, tuple[Notice, ...]]:
    """Choose, of several years, for each month the year whose GHI is closest to the mean; say which."""
    index = pd.DatetimeIndex(data.index)
    year, month = np.asarray(index.year), np.asarray(index.month)
    value = "ghi" if data["ghi"].notna().any() else "dhi"
    table = pd.DataFrame({"year": year, "month": month, "ghi": data[value].to_numpy(), "n": 1})
    sums = table.groupby(["month", "year"]).sum().reset_index()
    whole = sums[sums["n"] >= 0.9 * 24.0 * DAYS_IN_MONTH[sums["month"].to_numpy() - 1]]
    if whole.groupby("month").size().max() <= 1 or whole.empty:
        return data, ()
    chosen: dict[int, int] = {}
    for m, rows in whole.groupby("month"):
        distance = (rows["ghi"] - rows["ghi"].mean()).abs().to_numpy()
        chosen[int(str(m))] = int(rows["year"].to_numpy()[int(distance.argmin())])
    keep = np.array([chosen.get(int(m), int(y)) == y for m, y in zip(month, year, strict=True)])
    mean_kwh = whole.groupby("month")["ghi"].mean().sum() / 1000.0
    picked_kwh = float(np.nansum(data[value].to_numpy()[keep])) / 1000.0
    names = ", ".join(f"{m}:{y}" for m, y in sorted(chosen.items()))
    notice = Notice(
        "typical_months",
        Text(
            f"several years in the file: each month is taken from its most average year ({names}); the result has "
            f"{picked_kwh:.0f} kWh/m2, the long-term mean {mean_kwh:.0f} kWh/m2",
            f"文件含多年数据：逐月选取最接近多年平均的年份（{names}）；所得 {picked_kwh:.0f} kWh/m2，"
            f"多年平均 {mean_kwh:.0f} kWh/m2",
        ),
        count=int(whole["year"].nunique()),
        severity="info",
        source=source,
    )
    return data[keep], (notice,)
