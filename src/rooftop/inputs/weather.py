"""Hourly weather files: EPW, TMY3, PVGIS and NASA POWER, recognised by content."""

from __future__ import annotations

import json
import re
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from rooftop.core.arguments import local_path, require_numbers, word
from rooftop.core.choices import WeatherFormat
from rooftop.core.errors import InputError
from rooftop.core.lang import Text
from rooftop.core.notices import Notice, Provenance, file_sha256
from rooftop.inputs.files import check_file
from rooftop.inputs.weather_epw import parse_epw
from rooftop.inputs.weather_power import parse_power
from rooftop.inputs.weather_products import KINDS, refuse_other_product
from rooftop.inputs.weather_pvgis import parse_pvgis
from rooftop.inputs.weather_rows import RawWeather
from rooftop.inputs.weather_tmy3 import parse_tmy3
from rooftop.inputs.weather_year import nominal_year
from rooftop.weather import Weather, place_altitude
from rooftop.weather.checks import weather_checks


def read_weather(
    path: Path | str, format: WeatherFormat | None = None, *, monthly_temp_air: ArrayLike | None = None
) -> Weather:
    r"""Read a weather file as one nominal year of hours.

    Parameters
    ----------
    path : Path or str
        The file.
    format : {"epw", "tmy3", "pvgis", "nasa_power"}, optional
        Recognised from the content when None.
    monthly_temp_air : array_like, optional
        (12,) mean air temperature of the place [degC], used where the file has none; the normals of the places around
        where it is NaN, and altogether when None.

    Returns
    -------
    Weather
        8760 rows whose index is the middle of each interval in a fixed UTC offset; everything repaired, derived or
        doubted is in ``notices``.

    Raises
    ------
    ArgumentError
        `path` is no path, `format` no known word, or a temperature none.
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
    file = local_path("path", path)
    if format is not None:
        word("format", format, WeatherFormat)
    if monthly_temp_air is not None:
        monthly_temp_air = require_numbers("monthly_temp_air", monthly_temp_air, (12,), missing=True).astype(np.float64)
    raw_bytes = _read_bytes(file)
    text = _decode(raw_bytes)
    detected = _recognise(text)
    if detected not in ("epw", "tmy3"):
        refuse_other_product(raw_bytes, text, str(file))
    kind = format or detected
    if kind is None:
        raise InputError(
            Text("this is not a weather file of a known kind", "无法识别的气象文件格式"),
            where=str(file),
            found=next((line for line in text.splitlines() if line.strip()), "")[:80],
            expected=KINDS,
            mend=Text(
                "download one of these, or leave inputs.weather out", "请改用上述格式之一，或不设置 inputs.weather"
            ),
        )
    if detected is not None and detected != kind:
        raise InputError(
            Text("the weather file is not of the declared format", "气象文件与声明的格式不符"),
            where=str(file),
            found=detected,
            expected=kind,
            mend=Text("set inputs.weather.format to null", "将 inputs.weather.format 设为 null"),
        )
    raw = _check_place(_parse(kind, text, str(file)))
    details = {
        "format": kind,
        "latitude": f"{raw.latitude:g}",
        "longitude": f"{raw.longitude:g}",
        "rows": str(len(raw.data)),
    }
    provenance = Provenance("inputs.weather", str(file), file_sha256(file), details)
    return nominal_year(raw, provenance, monthly_temp_air)


def _parse(kind: WeatherFormat, text: str, source: str) -> RawWeather:
    try:
        with warnings.catch_warnings():
            # Columns that are no numbers throughout: `as_columns` makes them so.
            warnings.simplefilter("ignore", pd.errors.DtypeWarning)
            # pvlib gives pandas rows of unequal length where a header is damaged.
            warnings.filterwarnings("ignore", message="Constructing a DataFrame from a list of sequences")
            return _PARSERS[kind](text, source)
    except json.JSONDecodeError as error:
        raise InputError(
            Text("the weather file is cut or damaged", "气象文件不完整或已损坏"),
            where=Text(f"{source}, line {error.lineno}", f"{source}，第 {error.lineno} 行"),
            found=Text(
                f"its JSON breaks off at character {error.pos} of {len(text)}",
                f"JSON 在第 {error.pos} 个字符处中断（共 {len(text)} 个）",
            ),
            mend=Text("download it again", "请重新下载"),
        ) from error
    # pvlib takes what it cannot read for a path: OSError.
    except (ValueError, KeyError, IndexError, TypeError, AttributeError, OverflowError, OSError) as error:
        field = Text(f"no field {error}", f"缺少字段 {error}") if isinstance(error, KeyError) else None
        raise InputError(
            Text(
                f"the file begins like one of {_NAMES[kind]} but is not laid out as these are",
                f"文件开头像 {_NAMES[kind]}，但内容结构不符",
            ),
            where=source,
            found=field,
            expected=Text(f"a file as {_NAMES[kind]} has it, all lines and columns", f"完整的 {_NAMES[kind]} 文件"),
            mend=Text(
                "take the file as its source published it: an editor or a spreadsheet may have changed its lines, or "
                "the download was cut",
                "请使用来源发布的原始文件：编辑器或表格软件可能改动了内容，或下载中断",
            ),
        ) from error


def _read_bytes(file: Path) -> bytes:
    check_file(file, f"inputs.weather.path: {file}", a_file=True)
    limit = weather_checks().file.most_mb.value
    size = file.stat().st_size / 1e6
    if size > limit:
        raise InputError(
            Text("the weather file is too large to be one place's hours", "气象文件过大，不可能是单点逐时数据"),
            where=str(file),
            found=f"{size:.0f} MB",
            expected=Text(f"at most {limit:.0f} MB", f"不超过 {limit:.0f} MB"),
            mend=Text("take the time series of one point", "请改用单点时间序列"),
        )
    raw = file.read_bytes()
    if not raw.strip():
        raise InputError(Text("the weather file is empty", "气象文件为空"), where=str(file))
    return raw


def _decode(raw: bytes) -> str:
    encodings = ("utf-16",) if raw[:2] in (b"\xff\xfe", b"\xfe\xff") else ("utf-8-sig", "gb18030")
    for encoding in encodings:
        try:
            return raw.decode(encoding).replace("\r\n", "\n").replace("\r", "\n")
        except UnicodeDecodeError:
            continue
    return raw.decode("latin-1").replace("\r\n", "\n").replace("\r", "\n")


def _recognise(text: str) -> WeatherFormat | None:
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


def _check_place(raw: RawWeather) -> RawWeather:
    """Return the rows with a place that exists, longitude in -180..180; raise where there is none."""
    notices: list[Notice] = []
    longitude, altitude = raw.longitude, raw.altitude
    if 180.0 < longitude <= 360.0:
        longitude -= 360.0
        text = Text(
            f"longitude {raw.longitude:g} counts eastward to 360: {longitude:g}",
            f"经度 {raw.longitude:g} 按 0~360 计：即 {longitude:g}",
        )
        notices.append(Notice("longitude_wrapped", text, severity="info", source=raw.source))
    if not (-90.0 <= raw.latitude <= 90.0 and -180.0 <= longitude <= 180.0):
        raise InputError(
            Text("the weather file names an impossible place", "气象文件中的位置不可能"),
            where=raw.source,
            found=Text(
                f"latitude {raw.latitude:g}, longitude {longitude:g}", f"纬度 {raw.latitude:g}，经度 {longitude:g}"
            ),
            expected=Text("latitude -90 to 90, longitude -180 to 180", "纬度 -90~90，经度 -180~180"),
            mend=Text(
                "correct latitude and longitude in its header; they may have been swapped",
                "请更正文件头中的纬度与经度，二者可能颠倒",
            ),
        )
    if raw.latitude == 0.0 and longitude == 0.0:
        raise InputError(
            Text("the weather file does not say where it lies", "气象文件未给出位置"),
            where=raw.source,
            found=Text("latitude 0, longitude 0: in the Atlantic", "纬度 0，经度 0：位于大西洋"),
            mend=Text("write latitude and longitude into its header", "请在文件头写入纬度与经度"),
        )
    if not -500.0 <= altitude <= 9000.0:
        altitude = place_altitude(raw.latitude, longitude)
        text = Text(
            f"the altitude {raw.altitude:g} m does not exist: {altitude:.0f} m was taken from a coarse map",
            f"海拔 {raw.altitude:g} m 不存在：按粗略地图取 {altitude:.0f} m",
        )
        notices.append(Notice("weather_altitude_assumed", text, source=raw.source))
    return replace(raw, longitude=longitude, altitude=altitude, notices=(*raw.notices, *notices))


_NAMES: dict[WeatherFormat, str] = {"epw": "EPW", "tmy3": "TMY3", "pvgis": "PVGIS", "nasa_power": "NASA POWER"}
_PARSERS: dict[WeatherFormat, Callable[[str, str], RawWeather]] = {
    "epw": parse_epw,
    "tmy3": parse_tmy3,
    "pvgis": parse_pvgis,
    "nasa_power": parse_power,
}
