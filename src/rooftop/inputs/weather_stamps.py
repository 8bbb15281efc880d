"""Times as rows of a weather file write them: which cannot be, and which hours they number."""

from __future__ import annotations

import calendar
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from rooftop.core.errors import InputError
from rooftop.core.lang import Text
from rooftop.core.notices import Notice
from rooftop.core.types import F8, I8
from rooftop.weather.checks import weather_checks

Stamp = tuple[int, int, int, int, int]


@dataclass(frozen=True)
class StampedRows:
    """Rows whose times can be.

    Parameters
    ----------
    lines : tuple of str
        (n,) as written.
    stamps : numpy.ndarray
        (n, 5) year, month, day, hour, minute.
    notices : tuple of Notice
        What was left out.
    """

    lines: tuple[str, ...]
    stamps: I8
    notices: tuple[Notice, ...]

    @property
    def from_zero(self) -> bool:
        """Say whether hours are numbered 0-23 rather than 1-24."""
        hours = self.stamps[:, 3]
        return bool((hours == 0).any() and not (hours == 24).any())

    @property
    def per_hour(self) -> int:
        """Return how many rows an hour has."""
        hours = len(np.unique(self.stamps[:, :4], axis=0))
        return max(1, round(len(self.stamps) / max(hours, 1))) if self._minutes_differ else 1

    @property
    def begins_at_label(self) -> bool:
        """Say whether intervals begin at their label: the first one is at 0:00, or quarters are 0-45, not 15-60."""
        minutes = self.stamps[:, 4]
        if self.from_zero:
            return bool(self.stamps[0, 3] == 0 and (self.per_hour == 1 or minutes[0] in (0, 60)))
        return self.per_hour > 1 and bool((minutes == 0).any() and not (minutes == 60).any())

    @property
    def _minutes_differ(self) -> bool:
        return len(np.unique(self.stamps[:, 4])) > 1

    def middles(self, clock: bool = False) -> F8:
        """Return the middle of each interval in minutes since the beginning of the row's day, (n,).

        Parameters
        ----------
        clock : bool
            Hour and minute are the clock's; else minutes count within the hour that ends at its number (EPW).
        """
        hour, minute = self.stamps[:, 3].astype(float), self.stamps[:, 4].astype(float)
        half = 30.0 / self.per_hour
        if self.from_zero or clock:
            within = np.mod(minute, 60.0) if self.per_hour > 1 else 0.0
            return np.asarray(hour * 60.0 + within + (half if self.begins_at_label else -half))
        if self.per_hour == 1:
            return np.asarray(hour * 60.0 - half)
        return np.asarray((hour - 1.0) * 60.0 + minute + (half if self.begins_at_label else -half))


def stamped_rows(
    lines: Sequence[str], first_number: int, read: Callable[[str], Stamp | None], source: str
) -> StampedRows:
    """Read the times of rows and leave out rows whose time does not exist.

    Parameters
    ----------
    lines : sequence of str
        Rows of data.
    first_number : int
        Line number of the first of them, from 1.
    read : callable
        Returns year, month, day, hour and minute of a row, or None where it is none.
    source : str
        The file.

    Returns
    -------
    StampedRows
        Where hours are numbered 1-24, hour 0 does not exist either; 24 and 0-23 do not go together.

    Raises
    ------
    InputError
        More rows are impossible than may be missing.
    """
    kept: list[str] = []
    stamps: list[Stamp] = []
    numbers: list[int] = []
    wrong: list[tuple[int, str, Text]] = []
    for number, line in enumerate(lines, start=first_number):
        if not line.strip():
            continue
        stamp = read(line)
        fault = Text("not a row of data", "不是数据行") if stamp is None else _fault(stamp)
        if stamp is None or fault is not None:
            wrong.append((number, line[:40], fault or Text("", "")))
            continue
        kept.append(line)
        stamps.append(stamp)
        numbers.append(number)
    if not kept and not wrong:
        raise InputError(
            Text("the weather file has no rows of data", "气象文件没有数据行"),
            where=Text(f"{source}, from line {first_number}", f"{source}，第 {first_number} 行起"),
            mend=Text("the file was cut: take it again from its source", "文件不完整：请重新获取"),
        )
    table = np.array(stamps, dtype=np.int64).reshape(-1, 5)
    midnight = table[:, 3] == 0
    # A file of hours 1-24 may hold a stray hour 0; one of hours 0-23 has one a day.
    stray = midnight & (table[:, 3] == 24).any() & (midnight.sum() * 48 < max(len(table), 1))
    if stray.any():
        wrong += [(numbers[k], kept[k][:40], Text("hour 0", "0 时")) for k in np.flatnonzero(stray)]
        kept = [line for line, drop in zip(kept, stray, strict=True) if not drop]
        table = table[~stray]
    return StampedRows(tuple(kept), table, _fault_notices(sorted(wrong, key=lambda w: w[0]), len(kept), source))


def real_stamp(year: int, month: int, day: int, hour: int, minute: int) -> Stamp | None:
    """Return a time of a real year by a clock of 00:00-23:59; None for a year out of reach.

    What no clock shows (24:00, minute 60, 29 February of a common year) becomes a number that does not exist.
    """
    if not 1900 <= year <= 2200:
        return None
    if 1 <= month <= 12 and day > calendar.monthrange(year, month)[1]:
        day = 99
    return year, month, day, 99 if hour == 24 else hour, 99 if minute == 60 else minute


def _fault(stamp: Stamp) -> Text | None:
    """Return what cannot be about a time, None where nothing."""
    _, month, day, hour, minute = stamp
    if not 1 <= month <= 12:
        return Text(f"month {month}", f"{month} 月")
    # Every year may have its leap day: typical years are made of many.
    if not 1 <= day <= calendar.monthrange(2000, month)[1]:
        return Text(f"day {day} of month {month}", f"{month} 月 {day} 日")
    if not 0 <= hour <= 24:
        return Text(f"hour {hour}", f"{hour} 时")
    if not 0 <= minute <= 60:
        return Text(f"minute {minute}", f"{minute} 分")
    return None


def _fault_notices(wrong: list[tuple[int, str, Text]], n_kept: int, source: str) -> tuple[Notice, ...]:
    if not wrong:
        return ()
    number, line, fault = wrong[0]
    share = len(wrong) / (len(wrong) + n_kept)
    if share > weather_checks().gaps.max_missing_share.value:
        raise InputError(
            Text("rows of the weather file have times that do not exist", "气象文件中有不存在的时刻"),
            where=Text(f"{source}, line {number}: {line}", f"{source}，第 {number} 行：{line}"),
            found=Text("{fault}, and {n} such rows of {total}", "{fault}；此类行共 {n} 行，总行数 {total}").format(
                fault=fault, n=len(wrong), total=len(wrong) + n_kept
            ),
            expected=Text(
                "months 1-12, days of the month, hours 1-24 or 0-23, minutes 0-60",
                "月 1~12，日不超过当月天数，时 1~24 或 0~23，分 0~60",
            ),
            mend=Text(
                "correct the columns of the date and time, or take the file as its source published it",
                "请更正日期与时间列，或改用来源发布的原始文件",
            ),
        )
    text = Text(
        "{n} rows are left out: their time does not exist, or they are not data (line {number}: {fault})",
        "有 {n} 行时刻不存在或不是数据，已去除（第 {number} 行：{fault}）",
    ).format(n=len(wrong), number=number, fault=fault)
    examples = tuple(f"{number}: {line}" for number, line, _ in wrong[:5])
    return (Notice("impossible_times", text, len(wrong), source=source, examples=examples),)
