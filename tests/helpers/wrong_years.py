"""Years of weather that are none, and what the error says of each."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pandas as pd

import rooftop
from rooftop.weather import Weather

NAN, INF = float("nan"), float("inf")
LIGHT = ["ghi", "dni", "dhi"]


@cache
def weather() -> Weather:
    """A year that is one."""
    return rooftop.synthetic_weather(32.0, 118.8, 10.0, None, np.full(12, 16.0), annual_ghi_kwh_m2=1350.0)


def of(change: Callable[[pd.DataFrame], Any]) -> Weather:
    """The year with other data."""
    return dataclasses.replace(weather(), data=change(weather().data.copy()))


def put(column: str, value: float, n: int = 240) -> Weather:
    """The year with one value in hours from the middle of June on."""

    def change(data: pd.DataFrame) -> pd.DataFrame:
        values = data[column].to_numpy(copy=True)
        values[4000 : 4000 + n] = value
        return data.assign(**{column: values})

    return of(change)


def at(change: Callable[[pd.DatetimeIndex], Any]) -> Weather:
    """The year at other times."""
    return of(lambda data: data.set_axis(change(pd.DatetimeIndex(data.index)), axis=0))


def late(hours: int) -> Weather:
    """The year with its rows moved along its times."""
    return of(lambda data: pd.DataFrame(np.roll(data, hours, axis=0), data.index, data.columns))


def scaled(factor: float) -> Weather:
    """The year in other units of light."""
    return of(lambda data: data.assign(**data[LIGHT] * factor))


def there(**place: Any) -> Weather:
    """The year at another place, or of other intervals."""
    return dataclasses.replace(weather(), **place)


def leap(data: pd.DataFrame) -> pd.DataFrame:
    """A year of 366 days."""
    index = pd.date_range("2020-01-01 00:30", periods=8784, freq="h", tz="UTC+08:00")
    return data.iloc[np.r_[:8760, :24]].set_axis(index)


def mixed(index: pd.DatetimeIndex) -> Any:
    """Months of different years, as in a typical year."""
    return index.map(lambda time: time.replace(year=2001 + (time.month * 7) % 5))


NO_YEARS: dict[str, tuple[Callable[[], Weather], str]] = {
    "ten days without light": (lambda: put("ghi", NAN), "240 of 8760 are missing"),
    "one hour of DNI missing": (lambda: put("dni", NAN, 1), "1 of 8760"),
    "DHI missing": (lambda: put("dhi", NAN), "missing"),
    "temperature missing": (lambda: put("temp_air", NAN), "missing"),
    "wind missing": (lambda: put("wind_speed", NAN), "missing"),
    "missing in the way of pandas": (lambda: of(lambda d: d.astype("Float64").where(d["ghi"] < 500, pd.NA)), "missing"),  # type: ignore[arg-type]
    "infinite": (lambda: put("ghi", INF), "inf"),
    "negative": (lambda: put("ghi", -5.0), "set what a sensor reads below 0"),
    "negative beam": (lambda: put("dni", -5.0), "dni"),
    "above the solar constant": (lambda: put("dni", 1500.0), "1500"),
    "above everything": (lambda: put("ghi", 1600.0), "1600"),
    "above the atmosphere": (lambda: of(lambda d: d.assign(ghi=(3.0 * d["ghi"]).clip(upper=1490))), "above the atm"),
    "kelvin": (lambda: of(lambda d: d.assign(temp_air=d["temp_air"] + 273.15)), "subtract 273.15"),
    "a storm on Jupiter": (lambda: put("wind_speed", 200.0), "200"),
    "kWh": (lambda: scaled(0.001), "times 1000"),
    "MJ": (lambda: scaled(0.0036), "277.8"),
    "dark": (lambda: scaled(0.0), "every place has hours"),
    "half a year": (lambda: of(lambda d: d.iloc[:4000]), "4000 rows"),
    "no hours": (lambda: of(lambda d: d.iloc[:0]), "0 rows"),
    "a day too long": (lambda: of(lambda d: pd.concat([d, d.iloc[:24]])), "8784 rows"),
    "a leap year": (lambda: of(leap), "29 February"),
    "a leap year cut at its end": (lambda: of(lambda d: leap(d).iloc[:8760]), "leave the day out"),
    "an hour twice": (lambda: of(lambda d: d.iloc[np.r_[:100, 99, 101:8760]]), "drop doubles"),
    "an hour left out": (lambda: at(lambda i: i.where(np.arange(8760) < 5000, i + pd.Timedelta("1h"))), "by 3600 s"),
    "backwards": (lambda: of(lambda d: d.iloc[::-1]), "sort"),
    "shuffled": (lambda: of(lambda d: d.sample(frac=1.0, random_state=1)), "sort"),
    "months of other years": (lambda: at(mixed), "bring all rows to one year"),
    "no zone": (lambda: at(lambda i: i.tz_localize(None)), "tz_localize"),
    "numbers for times": (lambda: at(lambda i: np.arange(8760)), "time zone"),
    "summer time": (lambda: at(lambda i: i.tz_convert("Europe/Berlin")), "summer time"),
    "an hour without time": (lambda: at(lambda i: i.where(np.arange(8760) != 17)), "NaT"),
    "GHI for DHI": (lambda: of(lambda d: d.assign(dhi=d["ghi"])), "dhi on the horizontal"),
    "GHI and DHI swapped": (lambda: of(lambda d: d.assign(dhi=d["ghi"], ghi=d["dhi"])), "check the columns"),
    "beam on the horizontal": (
        lambda: of(lambda d: d.assign(dni=0.2 * d["dni"], dhi=0.3 * d["dhi"])),
        "facing the sun",
    ),
    "UTC for local time": (lambda: late(8), "sun is down"),
    "local time for UTC": (lambda: at(lambda i: i.tz_localize(None).tz_localize("UTC")), "UTC offset"),
    "two hours late": (lambda: late(2), "sun is down"),
    "no DHI": (lambda: of(lambda d: d.drop(columns="dhi")), "one column dhi"),
    "two columns of GHI": (lambda: of(lambda d: pd.concat([d, d[["ghi"]]], axis=1)), "one column ghi"),
    "other names": (lambda: of(lambda d: d.rename(columns={"ghi": "GHI"})), "pvlib"),
    "text": (lambda: of(lambda d: d.assign(ghi=d["ghi"].astype(str))), "numbers"),
    "truth values": (lambda: of(lambda d: d.assign(ghi=d["ghi"] > 0.0)), "bool"),
    "a series": (lambda: of(lambda d: d["ghi"]), "DataFrame"),
    "an array": (lambda: of(lambda d: d.to_numpy()), "DataFrame"),
    "beyond the pole": (lambda: there(latitude=-90.5), "latitude"),
    "swapped": (lambda: there(latitude=118.8, longitude=32.0), "latitude comes before"),
    "longitude from 0 to 360": (lambda: there(longitude=241.0), "subtract 360"),
    "place unknown": (lambda: there(latitude=NAN), "nan"),
    "place as text": (lambda: there(longitude="118.8"), "'118.8'"),
    "feet": (lambda: there(altitude=29000.0), "metres"),
    "no altitude": (lambda: there(altitude=None), "None"),
    "steps of two hours": (lambda: there(data=weather().data.iloc[::2], interval_s=7200.0), "interval_s"),
    "an interval that its rows have not": (lambda: there(interval_s=900.0), "35040 rows"),
    "an interval that divides no hour": (lambda: there(interval_s=1000.0), "equal part"),
    "no interval": (lambda: there(interval_s=0.0), "interval_s"),
}
BY_THE_SUN = {
    "above the atmosphere", "GHI for DHI", "GHI and DHI swapped", "beam on the horizontal", "UTC for local time",
    "local time for UTC", "two hours late",
}  # fmt: skip
"""Seen only where it is asked where the sun stands."""
