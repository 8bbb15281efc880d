"""Files of PVGIS: typical years and hourly series, CSV and JSON, through `pvlib.iotools`."""

from __future__ import annotations

import io
import json
import re
from typing import Any

import numpy as np
import pandas as pd
import pvlib

from rooftop.core.errors import InputError
from rooftop.core.lang import Text
from rooftop.core.notices import Notice
from rooftop.inputs.weather_rows import RawWeather, as_columns
from rooftop.inputs.weather_stamps import Stamp, real_stamp, stamped_rows

_HORIZONTAL = {"poa_global": "ghi", "poa_sky_diffuse": "dhi"}
_ROW = re.compile(r"(\d{4})(\d\d)(\d\d):(\d\d)(\d\d),")


def parse_pvgis(text: str, source: str) -> RawWeather:
    """Read a typical year, or a series of a horizontal plane."""
    if text.lstrip().startswith("{"):
        hourly = "hourly" in json.loads(text)["outputs"]
        return _read_hourly(text, "json", source, ()) if hourly else _read_typical(text, "json", source, ())
    text, notices = _drop_impossible_rows(text, source)
    hourly = re.search(r"^time,", text, re.MULTILINE) is not None
    return _read_hourly(text, "csv", source, notices) if hourly else _read_typical(text, "csv", source, notices)


def _drop_impossible_rows(text: str, source: str) -> tuple[str, tuple[Notice, ...]]:
    """Leave out rows of data whose time does not exist."""
    lines = text.split("\n")
    data = [k for k, line in enumerate(lines) if _ROW.match(line)]
    if not data:
        return text, ()
    first, last = data[0], data[-1] + 1
    n_commas = lines[first - 1].count(",")
    rows = stamped_rows(lines[first:last], first + 1, lambda line: _stamp(line, n_commas), source)
    return "\n".join([*lines[:first], *rows.lines, *lines[last:]]), rows.notices


def _stamp(line: str, n_commas: int) -> Stamp | None:
    match = _ROW.match(line)
    if match is None or line.count(",") != n_commas:
        return None
    year, month, day, hour, minute = (int(part) for part in match.groups())
    return real_stamp(year, month, day, hour, minute)


def _read_typical(text: str, kind: str, source: str, notices: tuple[Notice, ...]) -> RawWeather:
    buffer = io.StringIO(text) if kind == "json" else io.BytesIO(text.encode())
    data, meta = pvlib.iotools.read_pvgis_tmy(buffer, pvgis_format=kind, map_variables=True)
    inputs = meta["inputs"]
    place = inputs.get("location", inputs)
    offset = place.get("irradiance_time_offset", inputs.get("irradiance time offset"))
    frame = as_columns(data)
    frame.index = pd.DatetimeIndex(data.index) + pd.Timedelta(seconds=round(float(offset or 0.0) * 3600))
    label = (
        Text(
            "PVGIS: rows are UTC; the file states no irradiance time offset",
            "PVGIS：时标为世界时，文件未给出辐照时间偏移",
        )
        if offset is None
        else Text(f"PVGIS: rows are UTC + {float(offset):.4f} h", f"PVGIS：时标为世界时 + {float(offset):.4f} 小时")
    )
    latitude, longitude, altitude = _place(place)
    return RawWeather(frame, latitude, longitude, altitude, source, label, notices=notices)


def _place(place: dict[str, Any]) -> tuple[float, float, float]:
    return float(place["latitude"]), float(place["longitude"]), float(place["elevation"])


def _read_hourly(text: str, kind: str, source: str, notices: tuple[Notice, ...]) -> RawWeather:
    data, meta = pvlib.iotools.read_pvgis_hourly(io.StringIO(text), pvgis_format=kind, map_variables=True)
    inputs = meta["inputs"]
    latitude, longitude, altitude = _place(inputs.get("location", inputs))
    _require_horizontal(inputs, source)
    data = data.rename(columns=_HORIZONTAL)
    if "poa_direct" in data:
        data["ghi"] = data["poa_direct"] + data["dhi"]
        sun = pvlib.solarposition.get_solarposition(data.index, latitude, longitude)
        sin_h = np.sin(np.radians(sun["elevation"].to_numpy(dtype=float)))
        data["dni"] = np.where(sin_h > 0.0349, data["poa_direct"] / np.maximum(sin_h, 0.0349), 0.0)
    label = Text("PVGIS: rows are UTC at the stated minute", "PVGIS：时标为世界时（含分钟）")
    return RawWeather(as_columns(data), latitude, longitude, altitude, source, label, notices=notices)


def _require_horizontal(inputs: dict[str, Any], source: str) -> None:
    """Raise where a series is for a plane that is tilted or follows the sun."""
    if "mounting_system" in inputs:
        name, system = next(iter(inputs["mounting_system"].items()))
        tilt = "-" if name != "fixed" else str(system["slope"]["value"])
    else:
        tilt = str(inputs.get("Slope", "-")).split()[0]
    try:
        if float(tilt) == 0.0:
            return
        found = Text(f"slope {float(tilt):g}°", f"倾角 {float(tilt):g}°")
    except ValueError:
        found = Text("a plane that follows the sun", "跟踪式平面")
    raise InputError(
        Text("the PVGIS series is for a tilted plane", "PVGIS 序列为倾斜面数据"),
        where=source,
        found=found,
        expected=Text("slope 0° with components, or a TMY file", "倾角 0° 且含辐照分量，或 TMY 文件"),
        mend=Text("download it again with slope 0", "请以倾角 0 重新下载"),
    )
