"""EnergyPlus weather files (EPW), through `pvlib.iotools`, with the liberties that real files take."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pvlib

from rooftop.core.errors import InputError
from rooftop.core.lang import Text
from rooftop.core.notices import Notice
from rooftop.core.types import B1
from rooftop.inputs.weather_rows import RawWeather, as_columns
from rooftop.inputs.weather_stamps import Stamp, StampedRows, stamped_rows
from rooftop.inputs.weather_units import per_interval_factor
from rooftop.weather.clear_sky import fixed_offset, utc_offset_hours

_MISSING = {"ghi": 9999.0, "dni": 9999.0, "dhi": 9999.0, "temp_air": 99.9, "wind_speed": 999.0}
_COLUMNS, _NEEDED = 35, 22
_ROW = re.compile(r"\s*\d{1,4}\s*,\s*\d+\s*,\s*\d+\s*,")
_OFFSET = re.compile(r"Irradiance Time Offset \(h\):\s*(-?[\d.]+)")
_NOMINAL_YEAR = 2001


@dataclass(frozen=True)
class Location:
    """Line LOCATION of an EPW.

    Parameters
    ----------
    latitude, longitude, altitude : float
        [deg], [m].
    utc_offset_h : float
        [h].
    notices : tuple of Notice
        What it does not say.
    """

    latitude: float
    longitude: float
    altitude: float
    utc_offset_h: float
    notices: tuple[Notice, ...]


def parse_epw(text: str, source: str) -> RawWeather:
    """Read an EPW: hours 1-24 end at their label; hours 0-23 begin there if the file does so with hour 0."""
    lines = text.split("\n")
    start = next((k for k, line in enumerate(lines) if _ROW.match(line)), len(lines))
    place = _location(lines[0], source)
    rows = stamped_rows(lines[start:], start + 1, _stamp, source)
    leap = (rows.stamps[:, 1] == 2) & (rows.stamps[:, 2] == 29)
    frame = _frame(rows, leap, place)
    notices = (*place.notices, *rows.notices)
    factor = per_interval_factor(frame["ghi"].to_numpy(), place.latitude, rows.per_hour)
    if factor != 1.0:
        frame[["ghi", "dni", "dhi"]] *= factor
        notices = (*notices, _interval_notice(rows, source))
    if rows.from_zero:
        notices = (*notices, _from_zero_notice(rows, source))
    offset = _OFFSET.search("\n".join(lines[:start]))
    label = _label(rows)
    if offset is not None:
        # PVGIS writes rows in UTC below a header that states a local zone; its offset counts from the label (1-24).
        naive = pd.DatetimeIndex(frame.index).tz_localize(None) + pd.Timedelta(minutes=30)
        frame.index = (naive + pd.Timedelta(seconds=round(float(offset[1]) * 3600))).tz_localize("UTC")
        label = Text("PVGIS: rows are UTC, moved by the stated offset", "PVGIS：时标为世界时，并按文件给出的偏移量修正")
        notices = (*notices, _utc_notice(place.utc_offset_h, source))
    return RawWeather(frame, place.latitude, place.longitude, place.altitude, source, label, int(leap.sum()), notices)


def _stamp(line: str) -> Stamp | None:
    fields = line.split(",")
    if len(fields) < _NEEDED:
        return None
    try:
        year, month, day, hour, minute = (int(float(field)) for field in fields[:5])
    except (ValueError, OverflowError):
        return None
    return year, month, day, hour, minute


def _location(line: str, source: str) -> Location:
    """Read latitude, longitude, time zone and altitude: fields 7 to 10, or the last four where names hold commas."""
    fields = [field.strip() for field in line.split(",")]
    notices: list[Notice] = []
    numbers = [_number(field) for field in [*fields[6:10], *[""] * 4][:4]]
    tail = [_number(field) for field in fields[6:]]
    if len(tail) == 5 and all(np.isfinite(tail)) and fields[9] in ("5", "50", "25", "75"):
        # A zone of half an hour written with a decimal comma: 5,5.
        numbers = [*tail[:2], _number(f"{fields[8]}.{fields[9]}"), tail[4]]
        text = Text(
            f"the time zone {fields[8]},{fields[9]} in line LOCATION was read as UTC{numbers[2]:+g}",
            f"LOCATION 行的时区 {fields[8]},{fields[9]} 按 UTC{numbers[2]:+g} 读取",
        )
        notices.append(Notice("decimal_comma", text, severity="info", source=source))
    elif not all(np.isfinite(numbers[:3])) and len(fields) > 10:
        numbers = [_number(field) for field in fields[-4:]]
    latitude, longitude, zone, altitude = numbers
    if not (np.isfinite(latitude) and np.isfinite(longitude)):
        raise InputError(
            Text("the weather file does not say where it lies", "气象文件未给出位置"),
            where=Text(f"{source}, line 1", f"{source}，第 1 行"),
            found=line[:120],
            expected="LOCATION,city,state,country,source,WMO,latitude,longitude,time zone,elevation",
            mend=Text("write latitude and longitude into the line LOCATION", "请在 LOCATION 行写入纬度与经度"),
        )
    if not abs(zone) <= 14.0:
        zone = float(utc_offset_hours(latitude, longitude))
        text = Text(
            f"line LOCATION gives no time zone that exists: UTC{zone:+g} was taken from the longitude",
            f"LOCATION 行的时区不存在：按经度取 UTC{zone:+g}",
        )
        notices.append(Notice("weather_zone_assumed", text, source=source))
    return Location(latitude, longitude, altitude, zone, tuple(notices))


def _number(field: str) -> float:
    try:
        return float(field)
    except ValueError:
        return float("nan")


def _frame(rows: StampedRows, leap: B1, place: Location) -> pd.DataFrame:
    """Give the rows without leap days to pvlib; the index is the middle of each interval, in the header's zone."""
    kept = np.flatnonzero(~leap)
    texts = []
    for k in kept:
        year, month, day = (int(x) for x in rows.stamps[k, :3])
        year = year if 1900 <= year <= 2200 else _NOMINAL_YEAR
        values = rows.lines[k].split(",")[5:_COLUMNS]
        # The hour is told by `middles`: pvlib knows 1-24 only.
        texts.append(",".join([f"{year:04d},{month},{day},1,60", *values]))
    header = f"LOCATION,-,-,-,-,-,{place.latitude},{place.longitude},0,{place.altitude}"
    data, _ = pvlib.iotools.read_epw(io.StringIO("\n".join([header, *["-,"] * 7, *texts]) + "\n"))
    frame = as_columns(data)
    for name, code in _MISSING.items():
        frame.loc[frame[name] >= code, name] = np.nan
    days = pd.DatetimeIndex(data.index).tz_localize(None).normalize()
    middle = days + pd.to_timedelta(rows.middles()[kept], unit="min")
    frame.index = pd.DatetimeIndex(middle).tz_localize(fixed_offset(place.utc_offset_h))
    return frame


def _label(rows: StampedRows) -> Text:
    if not rows.from_zero:
        return Text("hours end at their label, local time of the header", "时标为小时末，采用文件头时区")
    if rows.begins_at_label:
        return Text("hours 0-23 begin at their label, local time of the header", "0~23 时标为小时初，采用文件头时区")
    return Text("hours 0-23 end at their label, local time of the header", "0~23 时标为小时末，采用文件头时区")


def _from_zero_notice(rows: StampedRows, source: str) -> Notice:
    way = Text("begin", "小时初") if rows.begins_at_label else Text("end", "小时末")
    text = Text(
        "hours are numbered 0-23, not 1-24 as EPW has it: they were taken to {way} at their label, as the first row "
        "says; clear days and closure check it",
        "小时编号为 0~23，而非 EPW 规定的 1~24：按首行推断时标为{way}，并由晴天与闭合检验",
    ).format(way=way)
    return Notice("hours_from_zero", text, len(rows.lines), source=source)


def _interval_notice(rows: StampedRows, source: str) -> Notice:
    minutes = 60 // rows.per_hour
    text = Text(
        f"irradiance is the energy of each interval of {minutes} min (Wh/m2): multiplied by {rows.per_hour} to W/m2",
        f"辐照数据为每 {minutes} 分钟的能量（Wh/m2）：已乘以 {rows.per_hour} 换算为 W/m2",
    )
    return Notice("interval_energy", text, len(rows.lines), "info", source)


def _utc_notice(offset_h: float, source: str) -> Notice:
    text = Text(
        f"EPW made by PVGIS: its rows are UTC although the header states UTC{offset_h:+g}",
        f"PVGIS 生成的 EPW：文件头为 UTC{offset_h:+g}，实际时标为世界时",
    )
    return Notice("pvgis_epw_is_utc", text, severity="info", source=source)
