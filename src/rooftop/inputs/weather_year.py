"""From the rows of a weather file to one nominal year: repaired, put at the right time, and each repair counted."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from rooftop.core.errors import InputError
from rooftop.core.lang import Text
from rooftop.core.notices import Notice, Provenance
from rooftop.core.types import B1, F8
from rooftop.inputs.weather_clock import change_notice, find_change, set_back
from rooftop.inputs.weather_noon import SunTime, find_noon, light_of
from rooftop.inputs.weather_repair import fill_hour_gaps, missing_notice
from rooftop.inputs.weather_rows import IRRADIANCE, RawWeather, hourly_slots
from rooftop.inputs.weather_season import require_season
from rooftop.inputs.weather_slopes import clock_cost
from rooftop.inputs.weather_time import TimeFit, decide_time, fit_closure
from rooftop.inputs.weather_time_words import time_notices
from rooftop.weather import Weather, clear_sky_bound
from rooftop.weather.checks import weather_checks
from rooftop.weather.clear_sky import HOURS, nominal_index, split_ghi, sum_by_month, sun_elevation, utc_offset_hours
from rooftop.weather.climate import monthly_temperature
from rooftop.weather.synthetic import extraterrestrial_months, temperature_hours
from rooftop.weather.synthetic_rules import synthetic_rules


def nominal_year(raw: RawWeather, provenance: Provenance | None = None, monthly_temp_air: F8 | None = None) -> Weather:
    """Turn the rows of a file into one nominal year.

    Parameters
    ----------
    raw : RawWeather
        As parsed.
    provenance : Provenance, optional
        Passed on.
    monthly_temp_air : numpy.ndarray, optional
        (12,) used where the rows have no temperature [degC]; the normals of the places around when None.

    Returns
    -------
    Weather
        8760 hours; every repair is a notice.

    Raises
    ------
    InputError
        Too much is missing, or the totals cannot be true.
    """
    slots, minute, notices = hourly_slots(raw)
    offset = pd.DatetimeIndex(raw.data.index).dropna()[0].utcoffset()
    offset_h = 0.0 if offset is None else offset.total_seconds() / 3600.0
    present = _present_columns(slots, raw.source)
    mid_utc = np.arange(HOURS, dtype=np.float64) * 60.0 + (minute - offset_h * 60.0)
    slots, fit, clock_notices = _fit_times(slots, present, SunTime(mid_utc, raw.latitude, raw.longitude), raw.source)
    if fit.components_elsewhere:
        present = present | {"dni": False, "dhi": False}
    local_h = offset_h if abs(offset_h - raw.longitude / 15.0) <= 3.0 else utc_offset_hours(raw.latitude, raw.longitude)
    rolled = _roll(slots, mid_utc + fit.shift_min + local_h * 60.0, local_h)
    elevation = sun_elevation(pd.DatetimeIndex(rolled.index), raw.latitude, raw.longitude, raw.altitude)
    finished, derived_notices, missing_notices = _complete(rolled, present, raw, elevation, monthly_temp_air)
    if fit.components_elsewhere:
        derived_notices = tuple(n for n in derived_notices if n.code != "irradiance_derived")
    times = time_notices(_with_closure(finished, fit, elevation), raw.label, raw.source, _cost(finished, fit, raw))
    finished, closed_notices = _close_components(finished, elevation, raw.source)
    notices = (*notices, *clock_notices, *missing_notices, *derived_notices, *times, *closed_notices)
    return Weather(finished, raw.latitude, raw.longitude, raw.altitude, 3600.0, raw.source, notices, provenance)


# ------------------------------------------------------------------------------------------------------------- time


def _fit_times(
    slots: pd.DataFrame, present: dict[str, bool], sun: SunTime, source: str
) -> tuple[pd.DataFrame, TimeFit, tuple[Notice, ...]]:
    """Return the slots on one clock all year, and what their times are taken for."""
    noon, days = find_noon(light_of(slots, present), sun)
    change = find_change(days)
    notices: tuple[Notice, ...] = ()
    if change is not None:
        slots = set_back(slots, change)
        noon, _ = find_noon(light_of(slots, present), sun)
        notices = (change_notice(change, source),)
    return slots, decide_time(noon, fit_closure(slots, present, sun)), notices


def _cost(data: pd.DataFrame, fit: TimeFit, raw: RawWeather) -> tuple[float, float] | None:
    """Say what planes east and west get too much if a moved file had not been moved, or a doubtful one should be."""
    if not (fit.shift_min or fit.doubt_min):
        return None
    clocks = (-fit.shift_min, 0.0) if fit.shift_min else (0.0, fit.doubt_min)
    components = fit.closure is not None and not fit.components_elsewhere
    return clock_cost(data, (raw.latitude, raw.longitude, raw.altitude), clocks, components)


# ------------------------------------------------------------------------------------------------------------- year


def _present_columns(slots: pd.DataFrame, source: str) -> dict[str, bool]:
    """Say which columns exist.

    Raises
    ------
    InputError
        Where GHI can be neither read nor derived, or less than a year was given.
    """
    share = weather_checks().gaps.column_absent_share.value
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


def _roll(slots: pd.DataFrame, local_minutes: F8, offset_h: float) -> pd.DataFrame:
    """Order rows by local time within the nominal year, which is taken as a circle."""
    wrapped = np.mod(local_minutes, HOURS * 60.0)
    order = np.argsort(wrapped, kind="stable")
    minute = float(np.mod(wrapped[order[0]], 60.0))
    return slots.iloc[order].set_axis(nominal_index(offset_h, minute), axis=0)


# ------------------------------------------------------------------------------------------------ completed columns


def _complete(
    data: pd.DataFrame, present: dict[str, bool], raw: RawWeather, middle: F8, monthly_temp_air: F8 | None
) -> tuple[pd.DataFrame, tuple[Notice, ...], tuple[Notice, ...]]:
    """Zero the night, fill gaps, derive what is absent. Return data, notices of derivations, notices of repairs.

    `middle` is the sun's elevation [deg] at mid-interval.
    """
    index = pd.DatetimeIndex(data.index)
    starts = sun_elevation(index - pd.Timedelta(minutes=30), raw.latitude, raw.longitude, raw.altitude)
    highest = np.maximum.reduce([middle, starts, np.roll(starts, -1)])
    night = highest < weather_checks().night.sun_elevation_deg.value
    columns = {str(n): data[n].to_numpy(dtype=float).copy() for n in data.columns}
    repairs = [*_zero_night(columns, present, night, raw.source)]
    sin_h = _sine(middle)
    filled, counts = fill_hour_gaps(columns, present, sin_h, ~night, raw.source)
    repairs.extend(missing_notice(counts, raw.source))
    derived = [*_derive_irradiance(filled, present, middle, index, raw)]
    _require_plausible(filled["ghi"], index, raw)
    derived.extend(_derive_weather(filled, present, middle, index, raw, monthly_temp_air))
    order = ["ghi", "dni", "dhi", "temp_air", "wind_speed"]
    return pd.DataFrame({n: filled[n] for n in order}, index=index), tuple(derived), tuple(repairs)


def _zero_night(columns: dict[str, F8], present: dict[str, bool], night: B1, source: str) -> tuple[Notice, ...]:
    affected = np.zeros(len(night), dtype=bool)
    energy = 0.0
    for name in IRRADIANCE:
        if present[name]:
            nonzero = night & (np.nan_to_num(columns[name]) > 0.0)
            affected |= nonzero
            energy += float(columns["ghi"][nonzero].sum()) / 1000.0 if name == "ghi" else 0.0
            columns[name][night] = 0.0
    if not affected.any():
        return ()
    return (
        Notice(
            "night_irradiance",
            Text(
                f"{int(affected.sum())} hours have irradiance while the sun is down all hour: set to 0, "
                f"{energy:.2f} kWh/m2 of GHI a year",
                f"有 {int(affected.sum())} 小时太阳全程位于地平线下却有辐照：已置为 0，共 {energy:.2f} kWh/m2",
            ),
            count=int(affected.sum()),
            severity="info",
            source=source,
        ),
    )


def _derive_irradiance(
    columns: dict[str, F8], present: dict[str, bool], elevation: F8, index: pd.DatetimeIndex, raw: RawWeather
) -> tuple[Notice, ...]:
    ghi, dni, dhi = (columns[n] for n in IRRADIANCE)
    sin_h = _sine(elevation)
    if all(present[n] for n in IRRADIANCE):
        return ()
    if not present["ghi"]:
        columns["ghi"] = dni * sin_h + dhi
        how = Text("GHI was derived as DNI·cos z + DHI", "GHI 由 DNI·cos z + DHI 推算")
    elif not present["dni"] and not present["dhi"]:
        place = (raw.latitude, raw.longitude, raw.altitude)
        columns["dni"], columns["dhi"] = split_ghi(ghi, index, place, elevation)
        how = Text("DNI and DHI were derived from GHI (Erbs et al. 1982)", "DNI 与 DHI 由 GHI 推算（Erbs 等，1982）")
    elif not present["dni"]:
        highest = weather_checks().values.dni.high
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
        Text("the file does not have all of GHI, DNI and DHI: {how}", "文件未同时给出 GHI、DNI、DHI：{how}").format(
            how=how
        ),
        count=HOURS,
        source=raw.source,
    )
    return (notice,)


def _derive_weather(
    columns: dict[str, F8],
    present: dict[str, bool],
    elevation: F8,
    index: pd.DatetimeIndex,
    raw: RawWeather,
    monthly_temp_air: F8 | None,
) -> tuple[Notice, ...]:
    notices: list[Notice] = []
    if not present["temp_air"]:
        place = (raw.latitude, raw.longitude, raw.altitude)
        means, temperature_notices = monthly_temperature(place, monthly_temp_air, None, raw.source)
        extraterrestrial = np.maximum(extraterrestrial_months(index, elevation), 0.1)
        columns["temp_air"] = temperature_hours(
            index, raw.longitude, means, sum_by_month(columns["ghi"], index) / extraterrestrial
        )
        notices.extend(temperature_notices)
    if not present["wind_speed"]:
        wind = synthetic_rules().wind_speed_m_s.value
        columns["wind_speed"] = np.full(HOURS, wind)
        text = Text(f"no wind in the file: {wind:g} m/s throughout", f"文件无风速：统一取 {wind:g} m/s")
        notices.append(Notice("default_wind", text, count=HOURS, source=raw.source))
    return tuple(notices)


def _require_plausible(ghi: F8, index: pd.DatetimeIndex, raw: RawWeather) -> None:
    """Raise where the year, or a month of it, has GHI that no sky gives, or runs against the seasons."""
    checks = weather_checks().clear_sky_bound
    clear, months = clear_sky_bound(raw.latitude, raw.altitude), sum_by_month(ghi, index)
    high = clear.sum() * checks.tolerance.value
    low = clear.sum() * checks.annual_low_share.value
    if not low <= months.sum() <= high:
        raise InputError(
            Text("the annual GHI of the weather file cannot be true", "气象文件的年总辐照量不可能"),
            where=raw.source,
            found=f"{months.sum():.0f} kWh/m2",
            expected=Text(
                f"{low:.0f} to {high:.0f} kWh/m2 at latitude {raw.latitude:.2f} (clear sky {clear.sum():.0f})",
                f"纬度 {raw.latitude:.2f} 处应为 {low:.0f}~{high:.0f} kWh/m2（晴空 {clear.sum():.0f}）",
            ),
            mend=Text(
                "irradiance must be in W/m2 (hourly Wh/m2); are latitude and longitude in the header right?",
                "辐照度单位应为 W/m2（逐时 Wh/m2）；文件头中的经纬度是否正确？",
            ),
        )
    require_season(months, raw.latitude, raw.source, Text("its own latitude", "文件所载位置"))
    least = clear * checks.monthly_low_share.value
    dark = np.flatnonzero((months < least) & (clear >= checks.monthly_floor_kwh_m2.value))
    if len(dark):
        m = int(dark[0])
        names = ", ".join(str(k + 1) for k in dark)
        raise InputError(
            Text("the weather file has months without light", "气象文件中有月份几乎没有日照"),
            where=Text(f"{raw.source}, month {names}", f"{raw.source}，{names} 月"),
            found=f"GHI {months[m]:.1f} kWh/m2",
            expected=Text(
                f"at least {least[m]:.0f} kWh/m2 (clear sky {clear[m]:.0f})",
                f"不低于 {least[m]:.0f} kWh/m2（晴空 {clear[m]:.0f}）",
            ),
            mend=Text(
                "missing values may have been written as 0: mark them as missing, or give a complete year",
                "缺测值可能被写成 0：请标为缺测，或提供完整的一年",
            ),
        )


def _residual(data: pd.DataFrame, sin_h: F8) -> F8:
    """Return GHI - DNI·cos z - DHI."""
    ghi, dni, dhi = (data[n].to_numpy(dtype=float) for n in IRRADIANCE)
    return np.asarray(ghi - dni * sin_h - dhi, dtype=float)


def _with_closure(data: pd.DataFrame, fit: TimeFit, elevation: F8) -> TimeFit:
    residual = _residual(data, _sine(elevation))[data["ghi"].to_numpy() > 0.0]
    return replace(fit, rms_final=float(np.sqrt((residual**2).mean())), bias_final=float(residual.mean()))


def _sine(elevation: F8) -> F8:
    return np.maximum(np.sin(np.radians(elevation)), 0.0)


def _close_components(data: pd.DataFrame, elevation: F8, source: str) -> tuple[pd.DataFrame, tuple[Notice, ...]]:
    """Let GHI rule where the year's sums disagree: planes are lit by DNI and DHI, rasters are matched by GHI."""
    sin_h = _sine(elevation)
    residual = _residual(data, sin_h)
    ghi, dni, dhi = (data[n].to_numpy(dtype=float) for n in IRRADIANCE)
    share = float(residual.sum() / ghi.sum())
    if abs(share) <= weather_checks().closure.close_share.value:
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
