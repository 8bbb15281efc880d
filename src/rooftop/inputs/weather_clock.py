"""A file kept by a clock with summer time: one part of its year is an hour off the other."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from rooftop.core.lang import Text
from rooftop.core.notices import Notice
from rooftop.inputs.weather_noon import ClearDays, spread_min
from rooftop.weather.checks import weather_checks
from rooftop.weather.clear_sky import HOURS

_HOUR_MIN = 60.0


@dataclass(frozen=True)
class ClockChange:
    """Days whose clock is ahead of the rest of the year, or behind.

    Parameters
    ----------
    first, last : int
        First and last day, 0..364, in that order around the year.
    hours : int
        By how much their clock is ahead; negative behind.
    """

    first: int
    last: int
    hours: int


def find_change(days: ClearDays) -> ClockChange | None:
    """Find the part of the year whose clear days are an hour later than the others.

    Parameters
    ----------
    days : ClearDays
        One by one.

    Returns
    -------
    ClockChange or None
        The part whose light is further from the sun's noon; its ends lie midway between the clear days on both sides.
        None where the clear days do not fall into two such parts.
    """
    limits = weather_checks().summer_time
    order = np.argsort(days.day, kind="stable")
    day, late = days.day[order], days.late_min[order]
    n, least = len(day), limits.min_days.value
    if n < 2 * least:
        return None
    total = np.concatenate([[0.0], np.cumsum(late)])
    start, stop = np.triu_indices(n + 1, least)
    count = stop - start
    inner = total[stop] - total[start]
    possible = (n - count >= least) & (count >= least)
    if not possible.any():
        return None
    # Two parts of constant lateness: the largest sum of squares between them.
    between = np.where(possible, inner**2 / count + (total[-1] - inner) ** 2 / np.maximum(n - count, 1), -np.inf)
    best = int(between.argmax())
    inside = np.zeros(n, dtype=bool)
    inside[start[best] : stop[best]] = True
    parts = [late[inside], late[~inside]]
    middle = [float(np.median(part)) for part in parts]
    apart = abs(middle[0] - middle[1])
    steady = max(spread_min(part) for part in parts) <= weather_checks().noon.max_spread_min.value
    if not (steady and limits.step_min.low <= apart <= limits.step_min.high):
        return None
    i, j = int(start[best]), int(stop[best])
    opening, closing = _day_between(int(day[i - 1]), int(day[i])), _day_between(int(day[j - 1]), int(day[j % n]))
    hours = round((middle[0] - middle[1]) / _HOUR_MIN)
    if abs(middle[0]) >= abs(middle[1]):
        return ClockChange(opening, (closing - 1) % 365, hours)
    return ClockChange(closing, (opening - 1) % 365, -hours)


def _day_between(before: int, after: int) -> int:
    """Return the day midway from one day to the next clear one, around the year."""
    return (before + 1 + ((after - before - 1) % 365) // 2) % 365


def set_back(slots: pd.DataFrame, change: ClockChange) -> pd.DataFrame:
    """Put the days of another clock onto the clock of the rest of the year.

    Parameters
    ----------
    slots : pandas.DataFrame
        8760 hours.
    change : ClockChange
        Which days, and how far their clock is ahead.

    Returns
    -------
    pandas.DataFrame
        The same rows; the hours that open up at one end are missing, those overrun at the other are gone. Both are at
        night.
    """
    n_days = (change.last - change.first) % 365 + 1
    moved = (change.first * 24 + np.arange(n_days * 24)) % HOURS
    source = np.arange(HOURS)
    source[moved] = -1
    source[(moved - change.hours) % HOURS] = moved
    values = slots.to_numpy(dtype=float)
    out = np.where(source[:, None] >= 0, values[np.maximum(source, 0)], np.nan)
    return pd.DataFrame(out, index=slots.index, columns=slots.columns)


def change_notice(change: ClockChange, source: str) -> Notice:
    """Say which days were moved."""
    first, last = (pd.Timestamp("2001-01-01") + pd.Timedelta(days=d) for d in (change.first, change.last))
    hours, n_days = abs(change.hours), (change.last - change.first) % 365 + 1
    than, way = (
        (Text("later", "晚"), Text("back", "提前"))
        if change.hours > 0
        else (Text("earlier", "早"), Text("forward", "推后"))
    )
    text = Text(
        "from about {first:%d %B} to {last:%d %B} the light of clear days is {hours} h {than} than in the rest of "
        "the year: that part was kept by another clock, as with summer time, and was set {way} by {hours} h",
        "约 {month} 月 {day} 日至 {last_month} 月 {last_day} 日，晴天日照比其余时段{than} {hours} 小时：该时段采用了"
        "另一时钟（如夏令时），已{way} {hours} 小时",
    ).format(
        first=first,
        last=last,
        hours=hours,
        than=than,
        way=way,
        month=first.month,
        day=first.day,
        last_month=last.month,
        last_day=last.day,
    )
    return Notice("summer_time", text, n_days, source=source)
