"""Typical years of NREL (TMY3), through `pvlib.iotools`."""

from __future__ import annotations

import io
import re

import numpy as np
import pandas as pd
import pvlib

from rooftop.core.lang import Text
from rooftop.inputs.weather_rows import RawWeather, as_columns
from rooftop.inputs.weather_stamps import Stamp, stamped_rows
from rooftop.weather.clear_sky import fixed_offset

_ROW = re.compile(r"\s*(\d{1,2})/(\d{1,2})/(\d{4}),\s*(\d{1,2}):(\d\d)")


def parse_tmy3(text: str, source: str) -> RawWeather:
    """Read a TMY3: hours end at their label, local standard time; 00:00 is midnight as 24:00 is."""
    lines = text.split("\n")
    n_commas = lines[1].count(",")
    rows = stamped_rows(lines[2:], 3, lambda line: _stamp(line, n_commas), source)
    kept = np.flatnonzero(~((rows.stamps[:, 1] == 2) & (rows.stamps[:, 2] == 29)))
    # The hour is told by `middles`; pvlib gets a day it can read.
    texts = []
    for k in kept:
        year, month, day = (int(x) for x in rows.stamps[k, :3])
        texts.append(f"{month:02d}/{day:02d}/{year},01:00," + rows.lines[k].split(",", 2)[2])
    data, meta = pvlib.iotools.read_tmy3(io.StringIO("\n".join([*lines[:2], *texts]) + "\n"), map_variables=True)
    frame = as_columns(data)
    frame = frame.mask(frame <= -9900.0)
    days = pd.DatetimeIndex(data.index).tz_localize(None).normalize()
    middle = days + pd.to_timedelta(rows.middles(clock=True)[kept], unit="min")
    frame.index = pd.DatetimeIndex(middle).tz_localize(fixed_offset(float(meta["TZ"])))
    label = (
        Text("hours begin at their label, local standard time", "时标为小时初，采用当地标准时")
        if rows.begins_at_label
        else Text("hours end at their label, local standard time", "时标为小时末，采用当地标准时")
    )
    n_leap = len(rows.lines) - len(kept)
    return RawWeather(frame, meta["latitude"], meta["longitude"], meta["altitude"], source, label, n_leap, rows.notices)


def _stamp(line: str, n_commas: int) -> Stamp | None:
    match = _ROW.match(line)
    if match is None or line.count(",") != n_commas:
        return None
    month, day, year, hour, minute = (int(part) for part in match.groups())
    return year, month, day, hour, minute
