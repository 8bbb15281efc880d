"""Hourly weather files: EPW, TMY3, PVGIS and NASA POWER, recognised by content, through `pvlib.iotools`."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
import pvlib

from rooftop.errors import InputError
from rooftop.inputs.weather_year import RawWeather, nominal_year
from rooftop.lang import Text
from rooftop.notices import Notice, Provenance, file_sha256
from rooftop.weather import Weather, place_altitude
from rooftop.weather.clear_sky import fixed_offset

Format = Literal["epw", "tmy3", "pvgis", "nasa_power"]

_COLUMNS = ("ghi", "dni", "dhi", "temp_air", "wind_speed")
_POWER_NAMES = {
    "ALLSKY_SFC_SW_DWN": "ghi",
    "ALLSKY_SFC_SW_DNI": "dni",
    "ALLSKY_SFC_SW_DIFF": "dhi",
    "T2M": "temp_air",
    "WS10M": "wind_speed",
}
_POWER_SCALE = {"wh": 1.0, "kw-hr": 1000.0, "kwh": 1000.0, "mj": 1e6 / 3600.0, "w/m": 1.0, "w m": 1.0}
_MISSING = {"ghi": 9999.0, "dni": 9999.0, "dhi": 9999.0, "temp_air": 99.9, "wind_speed": 999.0}
_PVGIS_HORIZONTAL = {"poa_global": "ghi", "poa_sky_diffuse": "dhi"}


def read_weather(path: Path | str, format: Format | None = None) -> Weather:
    r"""Read a weather file as one nominal year of hours.

    Parameters
    ----------
    path : Path or str
        The file.
    format : {"epw", "tmy3", "pvgis", "nasa_power"}, optional
        Recognised from the content when None.

    Returns
    -------
    Weather
        8760 rows whose index is the middle of each interval in a fixed UTC offset; everything repaired, derived or
        doubted is in ``notices``.

    Raises
    ------
    InputError
        The file is missing, of another kind, incomplete, or says what cannot be true.

    Examples
    --------
    A file of made-up hours in the form of NASA POWER:

    >>> from pathlib import Path
    >>> from tempfile import mkdtemp
    >>> import numpy as np
    >>> import rooftop
    >>> made = rooftop.synthetic_weather(32.0, 118.8, 10.0, None, np.full(12, 16.0), annual_ghi_kwh_m2=1350.0)
    >>> head = "-BEGIN HEADER-\nNASA/POWER, hours in LST\nlatitude 32.0 longitude 118.8\n-END HEADER-\n"
    >>> light = ["ALLSKY_SFC_SW_DWN", "ALLSKY_SFC_SW_DNI", "ALLSKY_SFC_SW_DIFF"]
    >>> hours = made.data.set_axis([*light, "T2M", "WS10M"], axis=1)
    >>> for name, part in {"HR": "hour", "DY": "day", "MO": "month", "YEAR": "year"}.items():
    ...     hours.insert(0, name, getattr(made.data.index, part))
    >>> path = Path(mkdtemp()) / "station.csv"
    >>> _ = path.write_text(head + hours.to_csv(index=False))
    >>> weather = rooftop.read_weather(path)
    >>> weather.data.shape, weather.latitude, bool(abs(weather.monthly_ghi_kwh_m2().sum() - 1350.0) < 0.1)
    ((8760, 5), 32.0, True)
    """
    file = Path(path)
    text = _read_text(file)
    found = _recognise(text)
    kind = format or found
    if kind is None:
        raise InputError(
            Text("this is not a weather file of a known kind", "无法识别的气象文件格式"),
            where=str(file),
            found=text.splitlines()[0][:80],
            expected="EPW, TMY3, PVGIS (CSV, JSON), NASA POWER (CSV, JSON)",
            mend=Text(
                "download one of these, or leave inputs.weather out", "请改用上述格式之一，或不设置 inputs.weather"
            ),
        )
    if found is not None and found != kind:
        raise InputError(
            Text("the weather file is not of the declared format", "气象文件与声明的格式不符"),
            where=str(file),
            found=found,
            expected=kind,
            mend=Text("set inputs.weather.format to null", "将 inputs.weather.format 设为 null"),
        )
    try:
        raw = _PARSERS[kind](text, str(file))
    except (ValueError, KeyError, IndexError, TypeError, AttributeError, pd.errors.ParserError) as error:
        raise InputError(
            Text("the weather file cannot be parsed", "气象文件无法解析"),
            where=str(file),
            found=f"{type(error).__name__}: {str(error)[:200]}",
            expected=Text(f"a complete {kind} file", f"完整的 {kind} 文件"),
            mend=Text("download it again", "请重新下载"),
        ) from error
    _require_place(raw)
    details = {
        "format": kind,
        "latitude": f"{raw.latitude:g}",
        "longitude": f"{raw.longitude:g}",
        "rows": str(len(raw.data)),
    }
    return nominal_year(raw, Provenance("inputs.weather", str(file), file_sha256(file), details))


def _read_text(file: Path) -> str:
    if not file.is_file():
        raise InputError(
            Text("the weather file does not exist", "气象文件不存在"),
            where=Text(f"inputs.weather.path: {file}", f"inputs.weather.path：{file}"),
            mend=Text("check the path; it is relative to the configuration", "请检查路径（相对于配置文件）"),
        )
    raw = file.read_bytes()
    if not raw.strip():
        raise InputError(Text("the weather file is empty", "气象文件为空"), where=str(file))
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return raw.decode(encoding).replace("\r\n", "\n").replace("\r", "\n")
        except UnicodeDecodeError:
            continue
    return raw.decode("latin-1").replace("\r\n", "\n").replace("\r", "\n")


def _recognise(text: str) -> Format | None:
    head = text[:4000]
    if head.startswith("LOCATION,"):
        return "epw"
    if "Date (MM/DD/YYYY)" in head:
        return "tmy3"
    if ("-BEGIN HEADER-" in head and "NASA" in head.upper()) or re.search(r"^YEAR,MO,DY,HR,", head, re.MULTILINE):
        return "nasa_power"
    if head.startswith("Latitude (decimal degrees)"):
        return "pvgis"
    if head.lstrip().startswith("{"):
        if '"ALLSKY_SFC_SW_DWN"' in text:
            return "nasa_power"
        if '"outputs"' in text and ('"tmy_hourly"' in text or '"hourly"' in text):
            return "pvgis"
    return None


def _require_place(raw: RawWeather) -> None:
    if not (-90.0 <= raw.latitude <= 90.0 and -180.0 <= raw.longitude <= 180.0 and -500.0 <= raw.altitude <= 9000.0):
        raise InputError(
            Text("the weather file names an impossible place", "气象文件中的位置不可能"),
            where=raw.source,
            found=f"latitude {raw.latitude:g}, longitude {raw.longitude:g}, altitude {raw.altitude:g} m",
        )


def _frame(data: pd.DataFrame) -> pd.DataFrame:
    """Keep our columns as floats, missing codes as NaN; absent columns are NaN."""
    out = pd.DataFrame(index=data.index)
    for name in _COLUMNS:
        values = pd.to_numeric(data[name], errors="coerce") if name in data else np.nan
        out[name] = np.asarray(values, dtype=float)
    return out


def _parse_epw(text: str, source: str) -> RawWeather:
    text, dropped = _drop_lines(text, r"^\d{4},\s*0?2,\s*29,")
    data, meta = pvlib.iotools.read_epw(io.StringIO(text))
    frame = _frame(data)
    for name, code in _MISSING.items():
        frame.loc[frame[name] >= code, name] = np.nan
    offset = re.search(r"Irradiance Time Offset \(h\):\s*(-?[\d.]+)", text[:4000])
    if offset is None:
        label = Text("hours end at their label, local time of the header", "时标为小时末，采用文件头时区")
        frame.index = frame.index + pd.Timedelta(minutes=30)
        return RawWeather(frame, meta["latitude"], meta["longitude"], meta["altitude"], source, label, dropped)
    # PVGIS writes rows in UTC below a header that states a local zone; its offset counts from the label (1-24).
    naive = pd.DatetimeIndex(frame.index).tz_localize(None)
    frame.index = (naive + pd.Timedelta(seconds=round((1.0 + float(offset[1])) * 3600))).tz_localize("UTC")
    label = Text("PVGIS: rows are UTC, moved by the stated offset", "PVGIS：时标为世界时，并按文件给出的偏移量修正")
    notice = Notice(
        "pvgis_epw_is_utc",
        Text(
            f"EPW made by PVGIS: its rows are UTC although the header states UTC{meta['TZ']:+g}",
            f"PVGIS 生成的 EPW：文件头为 UTC{meta['TZ']:+g}，实际时标为世界时",
        ),
        severity="info",
        source=source,
    )
    return RawWeather(frame, meta["latitude"], meta["longitude"], meta["altitude"], source, label, dropped, (notice,))


def _drop_lines(text: str, pattern: str) -> tuple[str, int]:
    """Drop the rows of leap days, which pvlib would fold into 1 March."""
    kept, dropped = re.subn(pattern + r".*\n?", "", text, flags=re.MULTILINE)
    return kept, dropped


def _parse_tmy3(text: str, source: str) -> RawWeather:
    text, dropped = _drop_lines(text, r"^0?2/29/\d{4},")
    data, meta = pvlib.iotools.read_tmy3(io.StringIO(text), map_variables=True)
    frame = _frame(data)
    frame = frame.mask(frame <= -9900.0)
    middle = pd.DatetimeIndex(frame.index) - pd.Timedelta(minutes=30)
    # pvlib takes 24:00 of 28 February of a leap year for 29 February.
    late = np.asarray((middle.month == 2) & (middle.day == 29))
    frame.index = middle.where(~late, middle - pd.Timedelta(days=1))
    label = Text("hours end at their label, local standard time", "时标为小时末，采用当地标准时")
    return RawWeather(frame, meta["latitude"], meta["longitude"], meta["altitude"], source, label, dropped)


def _parse_pvgis(text: str, source: str) -> RawWeather:
    kind = "json" if text.lstrip().startswith("{") else "csv"
    hourly = ('"hourly"' in text) if kind == "json" else bool(re.search(r"^time,", text, re.MULTILINE))
    if hourly:
        return _pvgis_hourly(text, kind, source)
    buffer = io.StringIO(text) if kind == "json" else io.BytesIO(text.encode())
    data, meta = pvlib.iotools.read_pvgis_tmy(buffer, pvgis_format=kind, map_variables=True)
    inputs = meta["inputs"]
    place = inputs.get("location", inputs)
    offset = place.get("irradiance_time_offset", inputs.get("irradiance time offset"))
    frame = _frame(data)
    frame.index = frame.index + pd.Timedelta(seconds=round(float(offset or 0.0) * 3600))
    label = (
        Text(
            "PVGIS: rows are UTC; the file states no irradiance time offset",
            "PVGIS：时标为世界时，文件未给出辐照时间偏移",
        )
        if offset is None
        else Text(f"PVGIS: rows are UTC + {float(offset):.4f} h", f"PVGIS：时标为世界时 + {float(offset):.4f} 小时")
    )
    return RawWeather(
        frame, float(place["latitude"]), float(place["longitude"]), float(place["elevation"]), source, label
    )


def _pvgis_hourly(text: str, kind: str, source: str) -> RawWeather:
    data, meta = pvlib.iotools.read_pvgis_hourly(io.StringIO(text), pvgis_format=kind, map_variables=True)
    inputs = meta["inputs"]
    place = inputs.get("location", inputs)
    slope = _pvgis_slope(inputs)
    if slope != 0.0:
        raise InputError(
            Text("the PVGIS series is for a tilted plane", "PVGIS 序列为倾斜面数据"),
            where=source,
            found=Text(f"slope {slope:g}°", f"倾角 {slope:g}°"),
            expected=Text("slope 0° with components, or a TMY file", "倾角 0° 且含辐照分量，或 TMY 文件"),
            mend=Text("download it again with slope 0", "请以倾角 0 重新下载"),
        )
    data = data.rename(columns=_PVGIS_HORIZONTAL)
    latitude, longitude = float(place["latitude"]), float(place["longitude"])
    if "poa_direct" in data:
        data["ghi"] = data["poa_direct"] + data["dhi"]
        sun = pvlib.solarposition.get_solarposition(data.index, latitude, longitude)
        sin_h = np.sin(np.radians(sun["elevation"].to_numpy(dtype=float)))
        data["dni"] = np.where(sin_h > 0.0349, data["poa_direct"] / np.maximum(sin_h, 0.0349), 0.0)
    label = Text("PVGIS: rows are UTC at the stated minute", "PVGIS：时标为世界时（含分钟）")
    return RawWeather(_frame(data), latitude, longitude, float(place["elevation"]), source, label)


def _pvgis_slope(inputs: dict[str, Any]) -> float:
    if "mounting_system" in inputs:
        system = next(iter(inputs["mounting_system"].values()))
        return float(system["slope"]["value"])
    return float(str(inputs["Slope"]).split()[0])


def _parse_nasa_power(text: str, source: str) -> RawWeather:
    if text.lstrip().startswith("{"):
        return _power_json(json.loads(text), source)
    header, _, body = text.partition("-END HEADER-")
    data = pd.read_csv(io.StringIO((body or header).strip()))
    data.columns = data.columns.str.strip()
    place = re.search(r"[Ll]atitude\s*(-?[\d.]+)\s+[Ll]ongitude\s*(-?[\d.]+)", header)
    if place is None:
        raise ValueError("no 'Location: Latitude ... Longitude ...' line in the header")
    latitude, longitude = float(place[1]), float(place[2])
    height = re.search(r"=\s*(-?[\d.]+)\s*meters", header)
    units = {name: line for name in _POWER_NAMES for line in header.splitlines() if line.split()[:1] == [name]}
    local = re.search(r"\bin\s+LST\b", header) is not None
    fill = re.search(r"missing.*?:\s*(-?\d+(?:\.\d+)?)", header)
    stamps = pd.to_datetime(
        {"year": data["YEAR"], "month": data["MO"], "day": data["DY"], "hour": data["HR"]}, errors="raise"
    )
    data.index = pd.DatetimeIndex(stamps)
    altitude = float(height[1]) if height else place_altitude(latitude, longitude)
    return _power(data, units, float(fill[1]) if fill else -999.0, local, (latitude, longitude, altitude), source)


def _power_json(content: dict[str, Any], source: str) -> RawWeather:
    data = pd.DataFrame(content["properties"]["parameter"])
    data.index = pd.to_datetime(data.index, format="%Y%m%d%H")
    longitude, latitude, *height = (float(x) for x in content["geometry"]["coordinates"])
    units = {name: str(about.get("units", "")) for name, about in content.get("parameters", {}).items()}
    local = str(content["header"].get("time_standard", "UTC")).upper() == "LST"
    fill = float(content["header"].get("fill_value", -999.0))
    altitude = height[0] if height else place_altitude(latitude, longitude)
    return _power(data, units, fill, local, (latitude, longitude, altitude), source)


def _power(
    data: pd.DataFrame,
    units: dict[str, str],
    fill: float,
    local: bool,
    place: tuple[float, float, float],
    source: str,
) -> RawWeather:
    """Hours begin at their label, UTC or local solar time (whole hours of longitude)."""
    frame = _frame(data.rename(columns=_POWER_NAMES))
    frame = frame.mask(frame == fill)
    for name, column in _POWER_NAMES.items():
        if column in ("ghi", "dni", "dhi"):
            frame[column] *= _power_scale(units.get(name, ""), name, source)
    zone = fixed_offset(np.floor(place[1] / 15.0 + 0.5)) if local else "UTC"
    frame.index = pd.DatetimeIndex(frame.index).tz_localize(zone) + pd.Timedelta(minutes=30)
    label = (
        Text("NASA POWER: hours begin at their label, local solar time", "NASA POWER：时标为小时初，地方太阳时")
        if local
        else Text("NASA POWER: hours begin at their label, UTC", "NASA POWER：时标为小时初，世界时")
    )
    return RawWeather(frame, *place, source, label)


def _power_scale(unit: str, name: str, source: str) -> float:
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
        )
    for key, scale in _POWER_SCALE.items():
        if text.startswith(key):
            return scale
    raise InputError(
        Text("unknown unit of irradiance", "未知的辐照单位"),
        where=Text(f"{source}, {name}", f"{source}，{name}"),
        found=unit,
        expected="Wh/m^2, kW-hr/m^2, MJ/hr",
    )


_PARSERS: dict[Format, Callable[[str, str], RawWeather]] = {
    "epw": _parse_epw,
    "tmy3": _parse_tmy3,
    "pvgis": _parse_pvgis,
    "nasa_power": _parse_nasa_power,
}
