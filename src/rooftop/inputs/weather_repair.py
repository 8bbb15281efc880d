"""Gaps of a weather year: short ones interpolated, longer ones taken from neighbouring days, too much refused."""

from __future__ import annotations

import numpy as np

from rooftop.core.errors import InputError
from rooftop.core.lang import Text
from rooftop.core.notices import Notice
from rooftop.core.types import B1, F8, I8
from rooftop.weather.checks import weather_checks
from rooftop.weather.clear_sky import HOURS

GapCounts = dict[str, tuple[int, int]]


def fill_hour_gaps(
    columns: dict[str, F8], present: dict[str, bool], sin_h: F8, day: B1, source: str
) -> tuple[dict[str, F8], GapCounts]:
    """Fill the gaps of a year.

    Parameters
    ----------
    columns : dict of numpy.ndarray
        (8760,) each; NaN where missing. Irradiance at night must be 0 already.
    present : dict of bool
        Absent columns are passed over.
    sin_h : numpy.ndarray
        (8760,) sine of the sun's elevation at mid-interval, 0 below the horizon.
    day : numpy.ndarray of bool
        (8760,) hours with any sun.
    source : str
        The file.

    Returns
    -------
    filled : dict of numpy.ndarray
        GHI and DHI follow the sun's elevation through a gap, DNI closes GHI = DNI·cos z + DHI.
    counts : dict
        Column: (hours interpolated, hours taken from neighbouring days).

    Raises
    ------
    InputError
        More is missing than the limit, or a gap has no neighbouring day.
    """
    limit = weather_checks().gaps.max_missing_share.value
    filled = {name: values.copy() for name, values in columns.items()}
    counts: GapCounts = {}
    sky = np.maximum(sin_h, 0.05)
    for name, values in filled.items():
        if not present[name]:
            continue
        gap = np.isnan(values)
        hours = day if name in ("ghi", "dni", "dhi") else np.ones(HOURS, dtype=bool)
        share = gap.sum() / hours.sum()
        if share > limit:
            raise InputError(
                Text("too much is missing in the weather file", "气象文件缺测过多"),
                where=Text(f"{source}, {name}", f"{source}，{name}"),
                found=Text(f"{int(gap.sum())} hours ({share:.1%})", f"{int(gap.sum())} 小时（{share:.1%}）"),
                expected=Text(f"at most {limit:.0%}", f"不超过 {limit:.0%}"),
                mend=Text("give a complete year", "请提供完整的一年"),
            )
        if gap.any():
            scale = sky if name in ("ghi", "dhi") else np.ones(HOURS)
            filled[name], counts[name] = _fill_gaps(values, gap, scale, name, source)
    _close_beam(columns, filled, present, sin_h)
    return filled, counts


def _fill_gaps(values: F8, gap: B1, scale: F8, name: str, source: str) -> tuple[F8, tuple[int, int]]:
    checks = weather_checks().gaps
    short = gap & (_run_length(gap) <= checks.interpolate_hours.value)
    known = np.flatnonzero(~gap)
    ratio = values / scale
    out = values.copy()
    at = np.flatnonzero(short)
    out[at] = np.interp(at, known, ratio[known], period=HOURS) * scale[at]
    long = np.flatnonzero(gap & ~short)
    reach = checks.neighbour_days.value
    for hour in long:
        neighbours = [
            values[neighbour] for sign in (-1, 1) if (neighbour := _nearest(gap, int(hour), sign, reach)) is not None
        ]
        if not neighbours:
            raise InputError(
                Text("a gap of the weather file is too long", "气象文件缺测时段过长"),
                where=Text(f"{source}, {name}", f"{source}，{name}"),
                found=Text(f"nothing within {reach} days of hour {hour}", f"第 {hour} 小时前后 {reach} 天内均无数据"),
                mend=Text("give a complete year", "请提供完整的一年"),
            )
        out[hour] = float(np.mean(neighbours))
    return out, (len(at), len(long))


def _nearest(gap: B1, hour: int, sign: int, reach: int) -> int | None:
    """Return the nearest day's same hour that is known, within `reach` days, around the year."""
    for days in range(1, reach + 1):
        other = (hour + sign * 24 * days) % HOURS
        if not gap[other]:
            return other
    return None


def _run_length(gap: B1) -> I8:
    """Return, at each true cell, the length of the run of true cells it belongs to."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], gap, [False]]).astype(np.int8)))
    lengths = np.zeros(len(gap), dtype=np.int64)
    for start, stop in zip(edges[::2], edges[1::2], strict=True):
        lengths[start:stop] = stop - start
    return lengths


def _close_beam(before: dict[str, F8], filled: dict[str, F8], present: dict[str, bool], sin_h: F8) -> None:
    """Where GHI or DHI was filled and DNI was missing too, DNI is what closes the sum."""
    if not all(present[n] for n in ("ghi", "dni", "dhi")):
        return
    rows = np.isnan(before["dni"]) & (sin_h > 0.0523)
    high = weather_checks().values.dni.high
    beam = (filled["ghi"][rows] - filled["dhi"][rows]) / sin_h[rows]
    filled["dni"][rows] = np.clip(beam, 0.0, high)


def missing_notice(counts: GapCounts, source: str) -> tuple[Notice, ...]:
    """Say what was filled and how."""
    notices = []
    for name, (short, long) in counts.items():
        text = Text(
            f"{short + long} missing hours of {name}: {short} interpolated, {long} taken from the same hours of "
            "neighbouring days",
            f"{name} 缺测 {short + long} 小时：{short} 小时内插，{long} 小时取自相邻日同一时刻",
        )
        n = short + long
        notices.append(Notice("missing_weather_hours", text, n, "warning" if long else "info", source))
    return tuple(notices)
