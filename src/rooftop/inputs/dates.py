"""Years and dates as people write them; instants as the calendar day of the place."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from rooftop.core.lang import Text
from rooftop.core.notices import Notice
from rooftop.core.types import B1
from rooftop.inputs.attributes import each, examples_of, half_width, text_or_none
from rooftop.inputs.datums import in_gcj02_box
from rooftop.inputs.input_limits import input_limits
from rooftop.inputs.numerals import digits
from rooftop.inputs.source_words import source_words

_EXCEL_EPOCH = datetime.date(1899, 12, 30)
_EXCEL_SERIALS = (18264, 54788)  # 1950-01-01 .. 2049-12-31
_UNIX_EPOCH = datetime.datetime(1970, 1, 1)
_YEARS = (1900, 2100)  # of dates written without separators
_INSTANT = re.compile(
    r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})[ T](\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d+)?)? ?(?:Z|UTC|GMT|\+00(?::?00)?)"
)
_DAY = re.compile(r"(\d{4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})\s*[日号]?(?=$|[ T])")


@dataclass(frozen=True)
class DateReading:
    """One value as read.

    Parameters
    ----------
    year : int or None
    date : str or None
        As far as it is known: ``2021``, ``2021-06``, ``2021-06-30``.
    span : bool
        It names a span of years (a decade, before or after a year), not a year.
    unfinished : bool
        It says that the building is not completed.
    moved : bool
        It is an instant that falls on another day where the building stands than in UTC.
    serial : bool
        It is the number of a day in a spreadsheet.
    """

    year: int | None = None
    date: str | None = None
    span: bool = False
    unfinished: bool = False
    moved: bool = False
    serial: bool = False


@dataclass(frozen=True)
class Dates:
    """A column of years or dates.

    Parameters
    ----------
    years : pandas.Series
        Int64, missing where unreadable or outside the limits.
    days : pandas.Series
        ISO dates as far as known (string).
    unfinished : ndarray of bool
        Rows that say that their building is not completed.
    notices : tuple of Notice
    """

    years: pd.Series
    days: pd.Series
    unfinished: B1
    notices: tuple[Notice, ...]


def civil_offset_h(lon: npt.ArrayLike, lat: npt.ArrayLike) -> float:
    """Return the offset from UTC of most places, hours: China's, elsewhere by longitude to the hour."""
    x, y = np.asarray(lon, dtype=float), np.asarray(lat, dtype=float)
    known = np.isfinite(x) & np.isfinite(y)
    if not known.any():
        return input_limits().utc_offset_h.china
    middle = float(np.median(x[known])), float(np.median(y[known]))
    if bool(np.all(in_gcj02_box(*middle))):
        return input_limits().utc_offset_h.china
    return float(round(middle[0] / 15.0))


def parse_date(value: Any, utc_offset_h: float | None = None) -> tuple[int, str] | None:
    """Read one year or date as people write it.

    Parameters
    ----------
    value : Any
        2021, 2021.0, "2021", "2021-06-30", "2021/6", "20210630", "2021年6月", "98年", an Excel serial number,
        milliseconds since 1970, ...
    utc_offset_h : float, optional
        As for `read_date`.

    Returns
    -------
    tuple of int and str, or None
        The year, and the date as far as it is known (``2021``, ``2021-06``, ``2021-06-30``); None when unreadable.
    """
    reading = read_date(value, utc_offset_h)
    return None if reading is None or reading.year is None or reading.date is None else (reading.year, reading.date)


def read_date(value: Any, utc_offset_h: float | None = None) -> DateReading | None:
    """Read one value of a column of years or dates; None where nothing or nothing readable is written.

    Parameters
    ----------
    value : Any
    utc_offset_h : float, optional
        Offset of the place from UTC, hours; China's when left out. An instant in UTC, or in milliseconds since 1970, is
        the day that it is there; one at 00:00:00 UTC is a day without a time, and stays. An instant with another
        offset is the day that is written.
    """
    text = text_or_none(value)
    if text is None:
        return None
    offset = input_limits().utc_offset_h.china if utc_offset_h is None else utc_offset_h
    text = half_width(text)
    if text.casefold() in _unfinished_words():
        return DateReading(unfinished=True)
    if isinstance(value, float | np.floating) and "." in text:
        text = text.split(".")[0]
    return _instant(text, offset) or _date_of_text(text) or _date_of_words(text)


def _instant(text: str, offset_h: float) -> DateReading | None:
    """Read an instant in UTC, or a number of milliseconds since 1970."""
    if match := _INSTANT.fullmatch(text):
        year, month, day, hour, minute, second = (int(part or 0) for part in match.groups())
        try:
            at = datetime.datetime(year, month, day, hour, minute, min(second, 59))
        except ValueError:
            return None
    elif re.fullmatch(r"-?\d{10,13}", text) and _compact(text) is None:
        epoch = input_limits().epoch_ms
        at_ms = int(text) if len(text.lstrip("-")) > 10 else 1000 * int(text)
        if not epoch.min <= at_ms <= epoch.max:
            return None
        at = _UNIX_EPOCH + datetime.timedelta(milliseconds=at_ms)
    else:
        return None
    if at.time() == datetime.time():
        return DateReading(at.year, at.date().isoformat())
    local_date = (at + datetime.timedelta(hours=offset_h)).date()
    return DateReading(local_date.year, local_date.isoformat(), moved=local_date != at.date())


def _date_of_text(text: str) -> DateReading | None:
    """Read a year or date."""
    if match := re.fullmatch(r"(\d{4})年?", text):
        return _date(match.group(1))
    if match := re.fullmatch(r"(\d{4})\s*[-/.年]\s*(\d{1,2})\s*月?", text):
        return _date(match.group(1), match.group(2))
    if match := _DAY.match(text):
        return _date(*match.groups())
    if (compact := _compact(text)) is not None:
        return compact
    if match := re.fullmatch(r"(\d{5})(?:\.\d+)?", text):
        serial = int(match.group(1))
        if _EXCEL_SERIALS[0] <= serial <= _EXCEL_SERIALS[1]:
            day = _EXCEL_EPOCH + datetime.timedelta(days=serial)
            return DateReading(day.year, day.isoformat(), serial=True)
    if match := re.fullmatch(r"(\d{1,2})[-/.](\d{1,2})[-/.](\d{4})(?: .*)?", text):
        return _day_month(int(match.group(1)), int(match.group(2)), match.group(3))
    return None


def _compact(text: str) -> DateReading | None:
    """Read a date without separators: 202106, 20210630, and with the time behind it."""
    if match := re.fullmatch(r"(\d{4})(\d{2})(\d{2})(?:\d{2}|\d{4}|\d{6})?", text):
        return _date(*match.groups()) if len(text) == 8 or _YEARS[0] <= int(text[:4]) < _YEARS[1] else None
    match = re.fullmatch(r"(\d{4})(\d{2})", text)
    return None if match is None else _date(*match.groups())


def _date_of_words(text: str) -> DateReading | None:
    """Read what words say: about a year, before one, a decade, a year of two digits, Chinese numerals."""
    data = source_words()
    bare = text.casefold()
    for word in _longest_first((*data.dates.eras, *data.about)):
        bare = bare.removeprefix(word).removesuffix(word).strip()
    if bare != text.casefold() and (reading := _date_of_text(bare)) is not None:
        return reading
    if _is_span(bare):
        return DateReading(span=True)
    spelled = digits(bare)
    if spelled != bare and (reading := _date_of_text(spelled)) is not None:
        return reading
    if match := re.fullmatch(r"(\d{2})年(?!代).*", spelled):
        short = int(match.group(1))
        return _date(str(short + (2000 if short <= input_limits().two_digit_year.last else 1900)))
    match = re.search(r"(?<!\d)(\d{4})年(?!代)", spelled)
    return None if match is None else _date(match.group(1))


def _is_span(text: str) -> bool:
    """Whether a text names a span of years: 1990年代, 九十年代, 1990s, 1980-1989, before 1980, 1980年以前."""
    vocabulary = source_words().dates
    decades = "|".join(re.escape(word) for word in vocabulary.decades)
    if re.search(rf"\d0\s*(?:{decades})", text) or re.search(r"\d{4}年?\s*(?:[-~–—至到]|to)\s*\d{4}", text):
        return True
    if any(name in text for name in vocabulary.decade_names):
        return True
    year = re.search(r"\d{4}", text)
    if year is None:
        return False
    head, tail = text[: year.start()].strip(), text[year.end() :]
    marks = (*vocabulary.before, *vocabulary.after)
    return any(head.endswith(word) or word in tail for word in marks)


def _longest_first(given: Sequence[str]) -> list[str]:
    return sorted((word.casefold() for word in given), key=len, reverse=True)


@cache
def _unfinished_words() -> frozenset[str]:
    return frozenset(half_width(word).casefold() for word in source_words().dates.not_completed)


def _date(year: str, month: str | None = None, day: str | None = None) -> DateReading | None:
    """Return a date; month and day of 0 are not known."""
    months, days = int(month or 0), int(day or 0)
    try:
        datetime.date(int(year), months or 1, days or 1)
    except ValueError:
        return None
    known = [months, days] if months and days else [months] if months else []
    return DateReading(int(year), "-".join([year, *(f"{part:02d}" for part in known)]))


def _day_month(first: int, second: int, year: str) -> DateReading | None:
    """Read 30/06/2021 and 06/30/2021; where day and month cannot be told apart, only the year."""
    if first > 12:
        return _date(year, str(second), str(first))
    if second > 12:
        return _date(year, str(first), str(second))
    return _date(year)


# --- a column --------------------------------------------------------------------------------------------------------


def dates(column: pd.Series, where: str, utc_offset_h: float | None = None) -> Dates:
    """Read a column of years or dates.

    Parameters
    ----------
    column : pandas.Series
    where : str
        File.
    utc_offset_h : float, optional
        As for `read_date`.
    """
    bounds = input_limits().year_built
    read = _without_odd_serials(each(column, lambda value: read_date(value, utc_offset_h)))
    fine = [r is not None and r.year is not None and bounds.min <= r.year <= bounds.max for r in read]
    years = [r.year if ok and r is not None else None for r, ok in zip(read, fine, strict=True)]
    days = [r.date if ok and r is not None else None for r, ok in zip(read, fine, strict=True)]
    raw = [text_or_none(value) for value in column]
    return Dates(
        pd.Series(years, index=column.index, dtype="Int64"),
        pd.Series(days, index=column.index, dtype="string"),
        np.array([r is not None and r.unfinished for r in read], dtype=bool),
        tuple(_date_notices(str(column.name), raw, read, fine, where)),
    )


def _without_odd_serials(read: Sequence[DateReading | None]) -> list[DateReading | None]:
    """Leave numbers of days unread in a column of years: 20220 is a slip of 2022 there, not a day of 1955."""
    serials = sum(r is not None and r.serial for r in read)
    years = sum(r is not None and r.date is not None and len(r.date) == 4 for r in read)
    return [None if r is not None and r.serial and years > serials else r for r in read]


def _date_notices(
    name: str, raw: Sequence[str | None], read: Sequence[DateReading | None], fine: Sequence[bool], where: str
) -> Iterator[Notice]:
    rows = list(zip(raw, read, fine, strict=True))
    spans = [text for text, r, _ in rows if r is not None and r.span]
    explained = [r is not None and (r.span or r.unfinished) for r in read]
    lost = [
        text
        for (text, _, ok), is_explained in zip(rows, explained, strict=True)
        if text is not None and not ok and not is_explained
    ]
    moved = [f"{text} → {r.date}" for text, r, ok in rows if ok and r is not None and r.moved]
    serials = [f"{text} → {r.date}" for text, r, ok in rows if ok and r is not None and r.serial]
    unfinished = sum(r is not None and r.unfinished for r in read)
    if serials and len(serials) < sum(fine):
        text = Text(
            f"{len(serials)} values of {name} are numbers of days of a spreadsheet, among dates as text",
            f"字段 {name} 有 {len(serials)} 个值为电子表格的日期序号，其余为文本日期",
        )
        yield Notice("date_serial", text, len(serials), "info", where, examples_of(serials))
    if lost:
        text = Text(
            f"{len(lost)} values of {name} are no believable year or date and count as missing",
            f"字段 {name} 有 {len(lost)} 个值不是可信的年份或日期，按缺失处理",
        )
        yield Notice("year_absurd", text, len(lost), source=where, examples=examples_of(lost))
    if spans:
        text = Text(
            f"{len(spans)} values of {name} name a decade or a span of years: which year it was stays unknown",
            f"字段 {name} 有 {len(spans)} 个值为年代或时段，具体年份按不明处理",
        )
        yield Notice("year_span", text, len(spans), source=where, examples=examples_of(spans))
    if moved:
        text = Text(
            f"{len(moved)} instants of {name} are in UTC and fall on another day where the buildings stand",
            f"字段 {name} 有 {len(moved)} 个时刻为世界时，换算为当地时间后日期不同，以当地日期为准",
        )
        yield Notice("date_local", text, len(moved), "info", where, examples_of(moved))
    if unfinished:
        text = Text(
            f"{unfinished} values of {name} say that the building is not completed",
            f"字段 {name} 有 {unfinished} 个值表明建筑尚未竣工",
        )
        yield Notice("date_unfinished", text, unfinished, "info", where)
