"""Weather files made for tests: EPW with the liberties that real files take."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from rooftop.weather import Weather
from rooftop.weather.clear_sky import nominal_index

Place = tuple[float, float, float]
COLUMNS = ["ghi", "dni", "dhi", "temp_air", "wind_speed"]
CODES = {"ghi": 9999, "dni": 9999, "dhi": 9999, "temp_air": 99.9, "wind_speed": 999}
SHANGHAI: Place = (31.2, 121.4, 5.0)


def epw_header(place: Place, tz: float | str = 8, per_hour: int = 1, comments: str = "") -> list[str]:
    """Eight lines, LOCATION first."""
    latitude, longitude, altitude = place
    return [
        f"LOCATION,Test,-,CHN,SRC,583670,{latitude},{longitude},{tz},{altitude}", "DESIGN CONDITIONS,0",
        "TYPICAL/EXTREME PERIODS,0", "GROUND TEMPERATURES,0", "HOLIDAYS/DAYLIGHT SAVINGS,No,0,0,0",
        f"COMMENTS 1,{comments}", "COMMENTS 2,", f"DATA PERIODS,1,{per_hour},Data,Sunday,1/1,12/31",
    ]  # fmt: skip


def epw_row(when: Sequence[int], values: dict[Any, Any]) -> str:
    """One row of data; `when` is year, month, day, hour, minute."""
    v = values
    return (
        f"{','.join(str(x) for x in when)},?,{v['temp_air']},5,66,101300,0,0,0,{v['ghi']},{v['dni']},{v['dhi']},"
        f"0,0,0,0,180,{v['wind_speed']},0,0,9999,99999,9,999999999,0,0.1,0,88,0.2,0,0"
    )


def epw_rows(data: pd.DataFrame, years=None, per_hour: int = 1, dates=None) -> list[str]:
    """Rows in order under the hours 1-24 of each day; NaN becomes the missing code."""
    dates = nominal_index(8.0) if dates is None else dates
    dates = list(zip(dates.month, dates.day, dates.hour, strict=True))
    years = np.full(len(dates), 2001) if years is None else years
    filled = data.fillna(CODES).astype(str)
    rows = []
    for k, values in enumerate(filled.to_dict("records")):
        month, day, hour = dates[k // per_hour]
        rows.append(epw_row((years[k // per_hour], month, day, hour + 1, 60 * (k % per_hour + 1) // per_hour), values))
    return rows


def write_epw(
    path: Path, data: pd.DataFrame, years=None, tz: float | str = 8, per_hour: int = 1, dates=None, comments: str = "",
    place: Place = SHANGHAI, change: Callable[[list[str]], list[str]] | None = None,
) -> Path:  # fmt: skip
    """Write an EPW; `change` may alter its rows of data."""
    rows = epw_rows(data, years, per_hour, dates)
    rows = rows if change is None else change(rows)
    path.write_text("\n".join([*epw_header(place, tz, per_hour, comments), *rows]) + "\n", encoding="utf-8")
    return path


def write_year(path: Path, weather: Weather, late_h: int = 0, tz: float | str | None = None, **options) -> Path:
    """Write a year as an EPW of its own zone, its light `late_h` hours later than it was."""
    offset = weather.data.index[0].utcoffset().total_seconds() / 3600.0
    rows = weather.data.iloc[np.roll(np.arange(8760), late_h)]
    place = (weather.latitude, weather.longitude, weather.altitude)
    return write_epw(path, rows, tz=offset if tz is None else tz, place=place, **options)
