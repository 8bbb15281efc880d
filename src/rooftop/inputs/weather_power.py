"""Hourly files of NASA POWER, CSV and JSON."""

from __future__ import annotations

import io
import json
import re
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from rooftop.core.errors import InputError
from rooftop.core.lang import Text
from rooftop.core.notices import Notice
from rooftop.inputs.weather_rows import RawWeather, as_columns
from rooftop.inputs.weather_stamps import Stamp, real_stamp, stamped_rows
from rooftop.weather import place_altitude
from rooftop.weather.clear_sky import fixed_offset

_NAMES = {
    "ALLSKY_SFC_SW_DWN": "ghi",
    "ALLSKY_SFC_SW_DNI": "dni",
    "ALLSKY_SFC_SW_DIFF": "dhi",
    "T2M": "temp_air",
    "WS10M": "wind_speed",
}
_SCALE = {"wh": 1.0, "kw-hr": 1000.0, "kwh": 1000.0, "mj": 1e6 / 3600.0, "w/m": 1.0, "w m": 1.0}
_TIME = ("YEAR", "MO", "DY", "HR")
_PLACE = re.compile(r"latitude\s*:?\s*(-?[\d.]+)\s*,?\s+longitude\s*:?\s*(-?[\d.]+)", re.IGNORECASE)


class _Stated(NamedTuple):
    """What a file says of its values: units, the code of gaps, local solar time, latitude, longitude and altitude."""

    units: dict[str, str]
    fill: float
    local: bool
    place: tuple[float, float, float]


def parse_power(text: str, source: str) -> RawWeather:
    """Read a file of NASA POWER: hours begin at their label, UTC or local solar time (whole hours of longitude)."""
    if text.lstrip().startswith("{"):
        return _json(json.loads(text), source)
    header, _, body = text.partition("-END HEADER-")
    if not body:
        header, body = "", text
    lines = body.split("\n")
    start = next((k for k, line in enumerate(lines) if line.strip().upper().startswith("YEAR,")), len(lines) - 1)
    names = [name.strip() for name in lines[start].split(",")]
    _require_columns(names, (*_TIME, "ALLSKY_SFC_SW_DWN"), source)
    place = _PLACE.search(header)
    if place is None:
        raise InputError(
            Text("the weather file does not say where it lies", "气象文件未给出位置"),
            where=Text(f"{source}, header", f"{source}，文件头"),
            expected="Location: Latitude 34.6 Longitude 119.2",
            mend=Text(
                "keep the header of the file as NASA POWER wrote it", "请保留 NASA POWER 原始文件头（含 Location 行）"
            ),
        )
    latitude, longitude = float(place[1]), float(place[2])
    at = [names.index(name) for name in _TIME]
    number = header.count("\n") + start + 2
    rows = stamped_rows(lines[start + 1 :], number, lambda line: _stamp(line, at, len(names)), source)
    data = pd.read_csv(io.StringIO("\n".join([",".join(names), *rows.lines])))
    parts = pd.DataFrame(rows.stamps[:, :4], columns=["year", "month", "day", "hour"])
    data.index = pd.DatetimeIndex(pd.to_datetime(parts))
    height = re.search(r"=\s*(-?[\d.]+)\s*meters", header)
    altitude = float(height[1]) if height else place_altitude(latitude, longitude)
    units = {name: line for name in _NAMES for line in header.splitlines() if line.split()[:1] == [name]}
    fill = re.search(r"missing.*?:\s*(-?\d+(?:\.\d+)?)", header)
    local = re.search(r"\bin\s+LST\b", header) is not None
    stated = _Stated(units, float(fill[1]) if fill else -999.0, local, (latitude, longitude, altitude))
    return _hours(data, stated, source, rows.notices)


def _stamp(line: str, at: list[int], n_columns: int) -> Stamp | None:
    fields = line.split(",")
    if len(fields) != n_columns:
        return None
    try:
        year, month, day, hour = (int(float(fields[k])) for k in at)
    except (ValueError, OverflowError):
        return None
    return real_stamp(year, month, day, hour, 0)


def _require_columns(names: list[str], required: tuple[str, ...], source: str) -> None:
    missing = [name for name in required if name not in names]
    if missing:
        raise InputError(
            Text("the NASA POWER file lacks what a year of hours needs", "NASA POWER 文件缺少必要的列"),
            where=source,
            found=Text(f"no {', '.join(missing)}", f"缺少 {', '.join(missing)}"),
            expected=", ".join((*_TIME, *_NAMES)),
            mend=Text(
                "choose the temporal level Hourly and these parameters when downloading",
                "下载时请选择时间分辨率 Hourly 及上述参数",
            ),
        )


def _json(content: dict[str, Any], source: str) -> RawWeather:
    parameters = content["properties"]["parameter"]
    _require_columns([*_TIME, *parameters], ("ALLSKY_SFC_SW_DWN",), source)
    data = pd.DataFrame(parameters)
    data.index = pd.to_datetime(data.index, format="%Y%m%d%H", errors="coerce")
    wrong = np.asarray(data.index.isna())
    notices: tuple[Notice, ...] = ()
    if wrong.any():
        text = Text(
            f"{int(wrong.sum())} values are left out: their time does not exist",
            f"有 {int(wrong.sum())} 个时刻不存在，已去除",
        )
        notices = (Notice("impossible_times", text, int(wrong.sum()), source=source),)
        data = data[~wrong]
    longitude, latitude, *height = (float(x) for x in content["geometry"]["coordinates"])
    units = {name: str(about.get("units", "")) for name, about in content.get("parameters", {}).items()}
    local = str(content["header"].get("time_standard", "UTC")).upper() == "LST"
    fill = float(content["header"].get("fill_value", -999.0))
    altitude = height[0] if height else place_altitude(latitude, longitude)
    stated = _Stated(units, fill, local, (latitude, longitude, altitude))
    return _hours(data, stated, source, notices)


def _hours(data: pd.DataFrame, stated: _Stated, source: str, notices: tuple[Notice, ...]) -> RawWeather:
    frame = as_columns(data.rename(columns=_NAMES))
    frame = frame.mask(frame == stated.fill)
    for name, column in _NAMES.items():
        if column in ("ghi", "dni", "dhi"):
            frame[column] *= _scale(stated.units.get(name, ""), name, source)
    zone = fixed_offset(np.floor(stated.place[1] / 15.0 + 0.5)) if stated.local else "UTC"
    frame.index = pd.DatetimeIndex(frame.index).tz_localize(zone) + pd.Timedelta(minutes=30)
    label = (
        Text("NASA POWER: hours begin at their label, local solar time", "NASA POWER：时标为小时初，地方太阳时")
        if stated.local
        else Text("NASA POWER: hours begin at their label, UTC", "NASA POWER：时标为小时初，世界时")
    )
    return RawWeather(frame, *stated.place, source, label, notices=notices)


def _scale(unit: str, name: str, source: str) -> float:
    text = unit.lower().replace("^", "")
    if not text:
        return 1.0
    inside = re.findall(r"\(([^()]*)\)", text)
    text = inside[-1] if inside else text
    if "/day" in text or "dimensionless" in text:
        raise InputError(
            Text("the NASA POWER file is not hourly irradiance", "NASA POWER 文件不是逐时辐照数据"),
            where=Text(f"{source}, {name}", f"{source}，{name}"),
            found=unit,
            expected="Wh/m^2",
            mend=Text("choose the temporal level Hourly when downloading", "下载时请选择时间分辨率 Hourly"),
        )
    for key, scale in _SCALE.items():
        if text.startswith(key):
            return scale
    raise InputError(
        Text("unknown unit of irradiance", "未知的辐照单位"),
        where=Text(f"{source}, {name}", f"{source}，{name}"),
        found=unit,
        expected="Wh/m^2, kW-hr/m^2, MJ/hr",
        mend=Text("download it in one of these units", "请以上述单位之一下载"),
    )
