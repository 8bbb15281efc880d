"""From the rows of a weather file to one nominal year: repaired, put at the right time, and each repair counted."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import pvlib
from numpy.typing import NDArray

from rooftop.errors import InputError
from rooftop.inputs.weather_repair import fill_gaps, missing_notice
from rooftop.inputs.weather_time import SunTime, TimeFit, fit_time, time_notice
from rooftop.lang import Text
from rooftop.notices import Notice, Provenance
from rooftop.weather import Weather, clear_sky_bound, default_temperature
from rooftop.weather.clear_sky import (
    DAYS_IN_MONTH,
    HOURS,
    Array,
    nominal_index,
    sum_by_month,
    sun_elevation,
    synthetic_settings,
    utc_offset_hours,
    weather_checks,
)
from rooftop.weather.climate import default_temperature_notice
from rooftop.weather.synthetic import extraterrestrial_months, temperature_hours

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


def nominal_year(raw: RawWeather, provenance: Provenance | None = None) -> Weather:
    """Turn the rows of a file into one nominal year.

    Parameters
    ----------
    raw : RawWeather
        As parsed.
    provenance : Provenance, optional
        Passed on.

    Returns
    -------
    Weather
        8760 hours; every repair is a notice.

    Raises
    ------
    InputError
        Too much is missing, or the totals cannot be true.
    """
    data, notices = _cleaned(raw)
    data, one_year_notices = _one_year(data, raw)
    slots, minute = _slots(data)
    offset = pd.DatetimeIndex(data.index)[0].utcoffset()
    offset_h = 0.0 if offset is None else offset.total_seconds() / 3600.0
    present = _present(slots, raw.source)
    mid_utc = np.arange(HOURS, dtype=np.float64) * 60.0 + (minute - offset_h * 60.0)
    fit = fit_time(slots, present, SunTime(mid_utc, raw.latitude, raw.longitude))
    shift = fit.shift_min if fit.adopted else 0.0
    local_h = offset_h if abs(offset_h - raw.longitude / 15.0) <= 3.0 else utc_offset_hours(raw.latitude, raw.longitude)
    rolled = _roll(slots, mid_utc + shift + local_h * 60.0, local_h)
    elevation = sun_elevation(pd.DatetimeIndex(rolled.index), raw.latitude, raw.longitude, raw.altitude)
    finished, derived_notices, missing_notices = _complete(rolled, present, raw, elevation)
    closure = time_notice(_with_closure(finished, fit, elevation), raw.label, raw.source)
    finished, closed_notices = _closed(finished, elevation, raw.source)
    notices = (
        *raw.notices, *notices, *one_year_notices, *missing_notices, *derived_notices, *closure, *closed_notices
    )  # fmt: skip
    return Weather(finished, raw.latitude, raw.longitude, raw.altitude, 3600.0, raw.source, notices, provenance)


# ------------------------------------------------------------------------------------------------------------- rows


def _cleaned(raw: RawWeather) -> tuple[pd.DataFrame, tuple[Notice, ...]]:
    """Negative irradiance becomes 0, values that cannot be true become missing; both are counted."""
    limits = weather_checks()["values"]
    data = raw.data.copy()
    notices: list[Notice] = []
    for name in data.columns:
        low, high = limits[name]["low"], limits[name]["high"]
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


def _absurd_notice(name: str, values: Array, low: float, high: float, source: str) -> Notice:
    return Notice(
        "absurd_weather_value",
        Text(
            f"{len(values)} values of {name} outside {low:g} to {high:g} were treated as missing",
            f"{name} 有 {len(values)} 个值超出 {low:g}~{high:g}，按缺测处理",
        ),
        count=len(values),
        source=source,
        examples=tuple(f"{v:g}" for v in values[:5]),
    )


def _one_year(data: pd.DataFrame, raw: RawWeather) -> tuple[pd.DataFrame, tuple[Notice, ...]]:
    """Hourly rows of one nominal year: sub-hourly averaged, leap days out, one calendar year for each month."""
    notices: list[Notice] = []
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


def _slots(data: pd.DataFrame) -> tuple[pd.DataFrame, float]:
    """Put rows into the 8760 hours of the nominal year (first of duplicates); return them and the middle's minute."""
    index = pd.DatetimeIndex(data.index)
    first_day = np.concatenate([[0], np.cumsum(DAYS_IN_MONTH)[:-1]])
    slot = (first_day[np.asarray(index.month) - 1] + np.asarray(index.day) - 1) * 24 + np.asarray(index.hour)
    minute = float(np.median(np.asarray(index.minute) + np.asarray(index.second) / 60.0))
    rows = data.set_axis(slot, axis=0)
    return rows[~rows.index.duplicated(keep="first")].reindex(np.arange(HOURS)), minute


def _present(slots: pd.DataFrame, source: str) -> dict[str, bool]:
    """Say which columns exist.

    Raises
    ------
    InputError
        Where GHI can be neither read nor derived, or less than a year was given.
    """
    share = float(weather_checks()["gaps"]["column_absent_share"]["value"])
    present = {str(name): bool(slots[name].isna().mean() <= share) for name in slots.columns}
    if not present["ghi"] and not (present["dni"] and present["dhi"]):
        n_rows = int(slots.notna().any(axis=1).sum())
        raise InputError(
            Text("the weather file does not give a year of GHI", "气象文件未给出全年的水平面总辐照度"),
            where=source,
            found=Text(
                f"{n_rows} hours with data, {int(slots['ghi'].notna().sum())} with GHI",
                f"有数据的小时数 {n_rows}，其中有总辐照度的 {int(slots['ghi'].notna().sum())}",
            ),
            expected=Text("8760 hours of GHI (or of DNI and DHI)", "8760 小时的 GHI（或 DNI 与 DHI）"),
            mend=Text("give a complete year", "请提供完整的一年"),
        )
    return present


def _roll(slots: pd.DataFrame, local_minutes: Array, offset_h: float) -> pd.DataFrame:
    """Order rows by local time within the nominal year, which is taken as a circle."""
    wrapped = np.mod(local_minutes, HOURS * 60.0)
    order = np.argsort(wrapped, kind="stable")
    minute = float(np.mod(wrapped[order[0]], 60.0))
    return slots.iloc[order].set_axis(nominal_index(offset_h, minute), axis=0)


# ------------------------------------------------------------------------------------------------ completed columns


def _complete(
    data: pd.DataFrame, present: dict[str, bool], raw: RawWeather, middle: Array
) -> tuple[pd.DataFrame, tuple[Notice, ...], tuple[Notice, ...]]:
    """Zero the night, fill gaps, derive what is absent. Return data, notices of derivations, notices of repairs.

    `middle` is the sun's elevation [deg] at mid-interval.
    """
    index = pd.DatetimeIndex(data.index)
    starts = sun_elevation(index - pd.Timedelta(minutes=30), raw.latitude, raw.longitude, raw.altitude)
    highest = np.maximum.reduce([middle, starts, np.roll(starts, -1)])
    night = highest < float(weather_checks()["night"]["sun_elevation_deg"]["value"])
    columns = {str(n): data[n].to_numpy(dtype=float).copy() for n in data.columns}
    repairs = [*_zero_night(columns, present, night, raw.source)]
    sin_h = _sine(middle)
    filled, counts = fill_gaps(columns, present, sin_h, ~night, raw.source)
    repairs.extend(missing_notice(counts, raw.source))
    derived = [*_derive_irradiance(filled, present, sin_h, index, raw.source)]
    _require_plausible(filled["ghi"], index, raw)
    derived.extend(_derive_weather(filled, present, middle, index, raw))
    order = ["ghi", "dni", "dhi", "temp_air", "wind_speed"]
    return pd.DataFrame({n: filled[n] for n in order}, index=index), tuple(derived), tuple(repairs)


def _zero_night(
    columns: dict[str, Array], present: dict[str, bool], night: NDArray[np.bool_], source: str
) -> tuple[Notice, ...]:
    lit = np.zeros(len(night), dtype=bool)
    energy = 0.0
    for name in IRRADIANCE:
        if present[name]:
            found = night & (np.nan_to_num(columns[name]) > 0.0)
            lit |= found
            energy += float(columns["ghi"][found].sum()) / 1000.0 if name == "ghi" else 0.0
            columns[name][night] = 0.0
    if not lit.any():
        return ()
    return (
        Notice(
            "night_irradiance",
            Text(
                f"{int(lit.sum())} hours have irradiance while the sun is down all hour: set to 0, "
                f"{energy:.2f} kWh/m2 of GHI a year",
                f"有 {int(lit.sum())} 小时太阳全程位于地平线下却有辐照：已置为 0，共 {energy:.2f} kWh/m2",
            ),
            count=int(lit.sum()),
            severity="info",
            source=source,
        ),
    )


def _derive_irradiance(
    columns: dict[str, Array], present: dict[str, bool], sin_h: Array, index: pd.DatetimeIndex, source: str
) -> tuple[Notice, ...]:
    ghi, dni, dhi = (columns[n] for n in IRRADIANCE)
    if all(present[n] for n in IRRADIANCE):
        return ()
    if not present["ghi"]:
        columns["ghi"] = dni * sin_h + dhi
        how = Text("GHI was derived as DNI·cos z + DHI", "GHI 由 DNI·cos z + DHI 推算")
    elif not present["dni"] and not present["dhi"]:
        zenith = 90.0 - np.degrees(np.arcsin(sin_h))
        parts = pvlib.irradiance.erbs(ghi, zenith, np.asarray(index.day_of_year))
        columns["dni"] = np.nan_to_num(np.asarray(parts["dni"], dtype=float))
        columns["dhi"] = np.maximum(ghi - columns["dni"] * sin_h, 0.0)
        how = Text("DNI and DHI were derived from GHI (Erbs et al. 1982)", "DNI 与 DHI 由 GHI 推算（Erbs 等，1982）")
    elif not present["dni"]:
        highest = float(weather_checks()["values"]["dni"]["high"])
        # Near the horizon the quotient explodes: below 3 degrees all light counts as diffuse.
        beam = np.where(sin_h > 0.0523, (ghi - dhi) / np.maximum(sin_h, 0.0523), 0.0)
        columns["dni"] = np.clip(beam, 0.0, highest)
        columns["dhi"] = np.where(sin_h > 0.0523, dhi, ghi)
        how = Text("DNI was derived as (GHI - DHI) / cos z", "DNI 由 (GHI - DHI) / cos z 推算")
    else:
        columns["dhi"] = np.clip(ghi - dni * sin_h, 0.0, ghi)
        how = Text("DHI was derived as GHI - DNI·cos z", "DHI 由 GHI - DNI·cos z 推算")
    notice = Notice(
        "irradiance_derived",
        Text(f"the file does not have all of GHI, DNI and DHI: {how.en}", f"文件未同时给出 GHI、DNI、DHI：{how.zh}"),
        count=HOURS,
        source=source,
    )
    return (notice,)


def _derive_weather(
    columns: dict[str, Array], present: dict[str, bool], elevation: Array, index: pd.DatetimeIndex, raw: RawWeather
) -> tuple[Notice, ...]:
    notices: list[Notice] = []
    if not present["temp_air"]:
        estimate = default_temperature(raw.latitude, raw.longitude, raw.altitude)
        means = estimate.months
        lit = np.maximum(extraterrestrial_months(index, elevation), 0.1)
        columns["temp_air"] = temperature_hours(index, raw.longitude, means, sum_by_month(columns["ghi"], index) / lit)
        notices.append(default_temperature_notice(estimate, raw.source, HOURS))
    if not present["wind_speed"]:
        wind = float(synthetic_settings()["wind_speed_m_s"]["value"])
        columns["wind_speed"] = np.full(HOURS, wind)
        text = Text(f"no wind in the file: {wind:g} m/s throughout", f"文件无风速：统一取 {wind:g} m/s")
        notices.append(Notice("default_wind", text, count=HOURS, source=raw.source))
    return tuple(notices)


def _require_plausible(ghi: Array, index: pd.DatetimeIndex, raw: RawWeather) -> None:
    checks = weather_checks()["clear_sky_bound"]
    clear = float(clear_sky_bound(raw.latitude, raw.altitude).sum())
    high = clear * float(checks["tolerance"]["value"])
    low = clear * float(checks["annual_low_share"]["value"])
    total = float(sum_by_month(ghi, index).sum())
    if not low <= total <= high:
        raise InputError(
            Text("the annual GHI of the weather file cannot be true", "气象文件的年总辐照量不可能"),
            where=raw.source,
            found=f"{total:.0f} kWh/m2",
            expected=Text(
                f"{low:.0f} to {high:.0f} kWh/m2 at latitude {raw.latitude:.2f} (clear sky {clear:.0f})",
                f"纬度 {raw.latitude:.2f} 处应为 {low:.0f}~{high:.0f} kWh/m2（晴空 {clear:.0f}）",
            ),
            mend=Text("irradiance must be in W/m2 (hourly Wh/m2)", "辐照度单位应为 W/m2（逐时 Wh/m2）"),
        )


def _residual(data: pd.DataFrame, sin_h: Array) -> Array:
    """Return GHI - DNI·cos z - DHI."""
    ghi, dni, dhi = (data[n].to_numpy(dtype=float) for n in IRRADIANCE)
    return np.asarray(ghi - dni * sin_h - dhi, dtype=float)


def _with_closure(data: pd.DataFrame, fit: TimeFit, elevation: Array) -> TimeFit:
    residual = _residual(data, _sine(elevation))[data["ghi"].to_numpy() > 0.0]
    return replace(fit, rms_final=float(np.sqrt((residual**2).mean())), bias_final=float(residual.mean()))


def _sine(elevation: Array) -> Array:
    return np.maximum(np.sin(np.radians(elevation)), 0.0)


def _closed(data: pd.DataFrame, elevation: Array, source: str) -> tuple[pd.DataFrame, tuple[Notice, ...]]:
    """Let GHI rule where the year's sums disagree: planes are lit by DNI and DHI, rasters are matched by GHI."""
    sin_h = _sine(elevation)
    residual = _residual(data, sin_h)
    ghi, dni, dhi = (data[n].to_numpy(dtype=float) for n in IRRADIANCE)
    share = float(residual.sum() / ghi.sum())
    if abs(share) <= float(weather_checks()["closure"]["close_share"]["value"]):
        return data, ()
    new_dhi = np.clip(dhi + residual, 0.0, ghi)
    beam = np.where(sin_h > 0.0, np.minimum(dni, (ghi - new_dhi) / np.maximum(sin_h, 0.01)), 0.0)
    notice = Notice(
        "components_closed",
        Text(
            f"over the year GHI is {share:+.1%} from DNI·cos z + DHI: GHI was kept and DHI changed from "
            f"{dhi.sum() / 1000.0:.0f} to {new_dhi.sum() / 1000.0:.0f} kWh/m2 so that they agree",
            f"全年 GHI 与 DNI·cos z + DHI 相差 {share:+.1%}：以 GHI 为准，DHI 由 {dhi.sum() / 1000.0:.0f} 调整为 "
            f"{new_dhi.sum() / 1000.0:.0f} kWh/m2，使二者一致",
        ),
        count=int((np.abs(residual) > 0.5).sum()),
        source=source,
    )
    return data.assign(dni=beam, dhi=new_dhi), (notice,)
