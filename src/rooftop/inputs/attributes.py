"""Attributes of buildings as people write them, turned into numbers, dates and vocabulary; nothing is guessed silently.

Every function takes one column and returns it parsed together with counted notices. What cannot be read becomes
missing, is counted, and its values are shown.
"""

from __future__ import annotations

import contextlib
import datetime
import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import pandas as pd

from rooftop.errors import ConfigError, InputError
from rooftop.inputs.files import did_you_mean, suggest
from rooftop.lang import Text
from rooftop.notices import Notice
from rooftop.resources import load_shipped_yaml

_NUMBER = re.compile(
    r"^([+-]?(?:\d+(?:,\d{3})+|\d+)?(?:\.\d+)?(?:[eE][+-]?\d+)?)\s*(?:m|米|层|f|kw|kwp|千瓦)?$", re.IGNORECASE
)
_EXCEL_EPOCH = datetime.date(1899, 12, 30)
_EXCEL_SERIALS = (18264, 54788)  # 1950-01-01 .. 2049-12-31


@dataclass(frozen=True)
class Parsed:
    """One column, parsed.

    Parameters
    ----------
    values : pandas.Series
    notices : tuple of Notice
    """

    values: pd.Series
    notices: tuple[Notice, ...] = ()


@cache
def words() -> dict[str, Any]:
    """Return the words of source data (`configs/source_words.yaml`)."""
    return load_shipped_yaml("source_words.yaml")


@cache
def limits() -> dict[str, Any]:
    """Return the limits of believable values (`configs/input_limits.yaml`)."""
    return load_shipped_yaml("input_limits.yaml")


@cache
def uses() -> dict[str, Any]:
    """Return the vocabulary of building uses (`configs/building_uses.yaml`)."""
    return load_shipped_yaml("building_uses.yaml")


@cache
def roof_types() -> dict[str, Any]:
    """Return the roof types (`configs/roof_types.yaml`)."""
    return load_shipped_yaml("roof_types.yaml")


# --- text ------------------------------------------------------------------------------------------------------------


def clean(value: Any) -> str | None:
    """Return a value as trimmed text, whole floats without their ``.0``; None for what people write for nothing."""
    if value is None or value is pd.NA or (isinstance(value, float) and not np.isfinite(value)) or value is pd.NaT:
        return None
    if isinstance(value, float | np.floating) and float(value).is_integer():
        value = int(value)
    text = str(value).strip()
    if re.fullmatch(r"-?\d+\.0+", text):
        text = text.split(".")[0]
    return None if fold(text) in _nulls() else text


@cache
def _nulls() -> frozenset[str]:
    return frozenset(fold(str(word)) for word in words()["nulls"])


def fold(text: str) -> str:
    """Return `text` for comparing: full-width forms, case, accents and double-encoded UTF-8 do not matter."""
    for codec in ("cp1252", "iso-8859-1"):
        with contextlib.suppress(UnicodeError):
            text = text.encode(codec).decode("utf-8")
            break
    decomposed = unicodedata.normalize("NFKD", text.strip())
    return "".join(c for c in decomposed if not unicodedata.combining(c)).casefold()


def texts(column: pd.Series) -> pd.Series:
    """Return a text column: trimmed, nothing-words missing."""
    return pd.Series(_each(column, clean), index=column.index, dtype="string", name=column.name)


def _each(column: pd.Series, function: Callable[[Any], Any], missing: Any = None) -> list[Any]:
    """Apply a function to each value of a column, computing it once per distinct value."""
    known: dict[Any, Any] = {}
    absent = column.isna().to_numpy(dtype=bool)
    out = []
    for value, gone in zip(column.to_numpy(dtype=object), absent, strict=True):
        if gone:
            out.append(missing)
            continue
        if value not in known:
            known[value] = function(value)
        out.append(known[value])
    return out


def _examples(values: Iterable[Any]) -> tuple[str, ...]:
    """Return up to five distinct values with their counts, the most frequent first."""
    counts = pd.Series([str(v) for v in values], dtype=object).value_counts(sort=False)
    ranked = sorted(counts.items(), key=lambda item: (-item[1], str(item[0])))
    return tuple(f"{value} ({count})" for value, count in ranked[:5])


# --- numbers ---------------------------------------------------------------------------------------------------------


def numbers(column: pd.Series, key: str, where: str) -> Parsed:
    """Read a numeric column, also when it is written as text ("12.5", "12.5米", "１２").

    Parameters
    ----------
    column : pandas.Series
    key : str
        Configuration key (``fields.height_m``), for messages.
    where : str
        File.

    Returns
    -------
    Parsed
        float64, NaN where missing.

    Raises
    ------
    InputError
        More than a few values are text (`text_share` of `configs/input_limits.yaml`).
    """
    if pd.api.types.is_bool_dtype(column) or not pd.api.types.is_numeric_dtype(column):
        return _numbers_of_text(column, key, where)
    values = pd.to_numeric(column, errors="coerce").astype("float64")
    return Parsed(values.where(np.isfinite(values)))


def _numbers_of_text(column: pd.Series, key: str, where: str) -> Parsed:
    cleaned = texts(column)
    values = pd.Series(_each(cleaned, _number, np.nan), index=column.index, dtype="float64")
    bad = cleaned[cleaned.notna() & values.isna()]
    if bad.empty:
        return Parsed(values)
    if len(bad) > limits()["text_share"]["max"] * int(cleaned.notna().sum()):
        raise InputError(
            Text(f"the field {column.name} holds text, not numbers", f"字段 {column.name} 是文本，不是数值"),
            where=Text(f"{key} ({where})", f"{key}（{where}）"),
            found=", ".join(_examples(bad)),
            expected=Text("numbers, such as 12.5", "数值，如 12.5"),
            mend=Text(
                f"map {key} to the field with the numbers, or to null", f"请将 {key} 映射到数值字段，或设为 null"
            ),
        )
    text = Text(
        f"{len(bad)} values of {column.name} are not numbers and count as missing",
        f"字段 {column.name} 有 {len(bad)} 个值不是数值，按缺失处理",
    )
    return Parsed(values, (Notice("not_a_number", text, len(bad), source=where, examples=_examples(bad)),))


def _number(text: str) -> float:
    match = _NUMBER.match(unicodedata.normalize("NFKC", text).strip())
    if match is None or not match.group(1).strip("+-"):
        return float("nan")
    return float(match.group(1).replace(",", ""))


def bounded(values: pd.Series, low: float, high: float, code: str, what: Text, where: str) -> tuple[pd.Series, Parsed]:
    """Blank values outside ``low < value <= high``.

    Returns
    -------
    tuple of Series and Parsed
        Mask of the blanked rows, and the values kept.
    """
    absurd = values.notna() & ~((values > low) & (values <= high))
    if not absurd.any():
        return absurd, Parsed(values)
    count = int(absurd.sum())
    text = Text(
        f"{count} {what.en} outside {low:g}..{high:g} count as missing",
        f"{count} 个{what.zh}超出 {low:g}~{high:g}，按缺失处理",
    )
    notice = Notice(code, text, count, source=where, examples=_examples(f"{v:g}" for v in values[absurd]))
    return absurd, Parsed(values.where(~absurd), (notice,))


# --- dates -----------------------------------------------------------------------------------------------------------


def parse_date(value: Any) -> tuple[int, str] | None:
    """Read one year or date as people write it.

    Parameters
    ----------
    value : Any
        2021, 2021.0, "2021", "2021-06-30", "2021/6", "20210630", "2021年6月", an Excel serial number, ...

    Returns
    -------
    tuple of int and str, or None
        The year, and the date as far as it is known (``2021``, ``2021-06``, ``2021-06-30``); None when unreadable.
    """
    text = clean(value)
    if text is None:
        return None
    text = unicodedata.normalize("NFKC", text).strip()
    if isinstance(value, float | np.floating) and "." in text:
        text = text.split(".")[0]
    if match := re.fullmatch(r"(\d{4})年?", text):
        return _date(match.group(1))
    if match := re.fullmatch(r"(\d{4})\s*[-/.年]\s*(\d{1,2})\s*月?", text):
        return _date(match.group(1), match.group(2))
    if match := re.match(r"(\d{4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})\s*日?(?=$|[ T])", text):
        return _date(*match.groups())
    if match := re.fullmatch(r"(\d{4})(\d{2})(\d{2})(?:\d{6})?", text):
        return _date(*match.groups())
    if match := re.fullmatch(r"(\d{4})(\d{2})", text):
        return _date(*match.groups())
    if re.fullmatch(r"\d{5}", text) and _EXCEL_SERIALS[0] <= int(text) <= _EXCEL_SERIALS[1]:
        day = _EXCEL_EPOCH + datetime.timedelta(days=int(text))
        return day.year, day.isoformat()
    if match := re.fullmatch(r"(\d{1,2})[-/.](\d{1,2})[-/.](\d{4})(?: .*)?", text):
        return _day_month(int(match.group(1)), int(match.group(2)), match.group(3))
    if match := re.search(r"(?<!\d)(\d{4})年(?!代)", text):
        return _date(match.group(1))
    return None


def _date(year: str, month: str | None = None, day: str | None = None) -> tuple[int, str] | None:
    try:
        datetime.date(int(year), int(month or 1), int(day or 1))
    except ValueError:
        return None
    parts = [year, *(f"{int(p):02d}" for p in (month, day) if p is not None)]
    return int(year), "-".join(parts)


def _day_month(first: int, second: int, year: str) -> tuple[int, str] | None:
    """Read 30/06/2021 and 06/30/2021; where day and month cannot be told apart, only the year."""
    if first > 12:
        return _date(year, str(second), str(first))
    if second > 12:
        return _date(year, str(first), str(second))
    return _date(year)


def dates(column: pd.Series, where: str) -> tuple[Parsed, Parsed]:
    """Read a column of years or dates.

    Returns
    -------
    tuple of Parsed
        Years (Int64) and ISO dates as far as known (string); missing where unreadable or outside the limits. The
        notices are on the first.
    """
    bounds = limits()["year_built"]
    read = _each(column, parse_date)
    absurd = [r is not None and not bounds["min"] <= r[0] <= bounds["max"] for r in read]
    years = [None if r is None or a else r[0] for r, a in zip(read, absurd, strict=True)]
    days = [None if r is None or a else r[1] for r, a in zip(read, absurd, strict=True)]
    lost = [clean(v) for v, year in zip(column, years, strict=True) if year is None and clean(v) is not None]
    notices: tuple[Notice, ...] = ()
    if lost:
        text = Text(
            f"{len(lost)} values of {column.name} are no believable year or date and count as missing",
            f"字段 {column.name} 有 {len(lost)} 个值不是可信的年份或日期，按缺失处理",
        )
        notices = (Notice("year_absurd", text, len(lost), source=where, examples=_examples(lost)),)
    return (
        Parsed(pd.Series(years, index=column.index, dtype="Int64"), notices),
        Parsed(pd.Series(days, index=column.index, dtype="string")),
    )


# --- vocabulary ------------------------------------------------------------------------------------------------------


def check_map(mapping: Mapping[str, str], known: Iterable[str], key: str) -> None:
    """Refuse a map that leads outside the vocabulary.

    Raises
    ------
    ConfigError
        Names the entry and the likeliest word.
    """
    vocabulary = list(known)
    for source, target in mapping.items():
        if target in vocabulary:
            continue
        near = did_you_mean(target, vocabulary)
        raise ConfigError(
            Text("the map leads to a word that is not in the vocabulary", "映射的目标值不在词表中"),
            where=f"{key}.{source}",
            found=target,
            expected=", ".join(vocabulary),
            mend=suggest(near, Text("choose one", "请从中选择")),
        )


def _lookup(mapping: Mapping[str, str]) -> dict[str, str]:
    return {fold(clean(key) or key): value for key, value in mapping.items()}


def building_uses(column: pd.Series | None, use_map: Mapping[str, str], index: pd.Index, where: str) -> pd.DataFrame:
    """Return the building use of every row and where it comes from.

    Parameters
    ----------
    column : pandas.Series or None
        Source values; None when the source has no such field.
    use_map : mapping of str to str
        Configured: source value -> use; tried first.
    index : pandas.Index
        Rows wanted.
    where : str
        File.

    Returns
    -------
    DataFrame
        ``building_use``, ``use_source`` (``mapped``, ``code:<system>``, ``none``) and ``raw``.
    """
    vocabulary = uses()["uses"]
    check_map(use_map, vocabulary, "inputs.footprints.use_map")
    tables: list[tuple[str, dict[str, str]]] = [("mapped", _lookup(use_map))]
    for label in ("key", "zh", "en"):
        tables.append(("mapped", {fold(k if label == "key" else v[label]): k for k, v in vocabulary.items()}))
    tables += [(f"code:{name}", _lookup(system["map"])) for name, system in uses()["codes"].items()]
    raw = texts(column) if column is not None else pd.Series(pd.NA, index=index, dtype="string")
    pairs = _each(raw, lambda value: _first(value, tables), ("unknown", "none"))
    return pd.DataFrame(pairs, columns=["building_use", "use_source"], index=index).assign(raw=raw)


def _first(value: str, tables: list[tuple[str, dict[str, str]]]) -> tuple[str, str]:
    for source, table in tables:
        if fold(value) in table:
            use = table[fold(value)]
            return use, "none" if use == "unknown" else source
    return "unknown", "none"


def use_notices(frame: pd.DataFrame, where: str) -> tuple[Notice, ...]:
    """Count what `building_uses` could not tell, and what a code left open."""
    notices = []
    unread = frame.loc[(frame["building_use"] == "unknown") & frame["raw"].notna(), "raw"]
    if len(unread):
        text = Text(
            f"{len(unread)} buildings have a use that is not mapped ({unread.nunique()} values): set use_map",
            f"{len(unread)} 栋建筑的用途未映射（{unread.nunique()} 种取值）：请设置 use_map",
        )
        notices.append(Notice("use_unmapped", text, len(unread), source=where, examples=_examples(unread)))
    unknown = int((frame["building_use"] == "unknown").sum())
    if unknown:
        text = Text(f"{unknown} buildings have no known use", f"{unknown} 栋建筑用途不明")
        notices.append(Notice("use_unknown", text, unknown, source=where))
    for name, system in uses()["codes"].items():
        coded = frame.loc[frame["use_source"] == f"code:{name}", "raw"]
        if len(coded):
            text = Text(
                f"the use of {len(coded)} buildings is read as {name} codes",
                f"{len(coded)} 栋建筑的用途按 {name} 代码识别",
            )
            notices.append(
                Notice("use_by_code", text, len(coded), severity="info", source=where, examples=_examples(coded))
            )
        open_codes = coded[coded.isin(list(system.get("ambiguous", {})))]
        if len(open_codes):
            text = Text(
                f"{len(open_codes)} buildings have a {name} code that covers several uses; the first is taken",
                f"{len(open_codes)} 栋建筑的 {name} 代码对应多种用途，取首项",
            )
            notices.append(Notice("use_ambiguous", text, len(open_codes), source=where, examples=_examples(open_codes)))
    return tuple(notices)


def public_institutions(
    column: pd.Series | None, public_map: Mapping[str, str], use: pd.Series, where: str
) -> tuple[pd.DataFrame, tuple[Notice, ...]]:
    """Return whether each building belongs to a public institution.

    Parameters
    ----------
    column : pandas.Series or None
        Source values: yes/no words, or anything `public_map` knows.
    public_map : mapping of str to str
        Source value -> yes | no | unknown; tried first.
    use : pandas.Series
        ``building_use``; where nothing else is known, its hint decides.

    Returns
    -------
    DataFrame and tuple of Notice
        ``is_public_institution`` (yes | no | unknown) and ``public_source`` (field | inferred | none).
    """
    table = {fold(str(word)): answer for answer in ("yes", "no", "unknown") for word in words()[answer]}
    table |= _lookup(public_map)
    raw = texts(column) if column is not None else pd.Series(pd.NA, index=use.index, dtype="string")
    answer = pd.Series(_each(raw, lambda v: table.get(fold(v))), index=use.index, dtype="string")
    notices = []
    unread = raw[raw.notna() & answer.isna()]
    if len(unread):
        text = Text(
            f"{len(unread)} values of {raw.name} are neither yes nor no: set public_map",
            f"字段 {raw.name} 有 {len(unread)} 个值无法判断是否公共机构：请设置 public_map",
        )
        notices.append(Notice("public_unmapped", text, len(unread), source=where, examples=_examples(unread)))
    said = answer.isin(["yes", "no"])
    hints = {name: entry["public_hint"] for name, entry in uses()["uses"].items()}
    hint = use.map(hints).astype("string")
    inferred = ~said & answer.isna() & hint.isin(["yes", "no"])
    result = answer.where(said, hint.where(inferred, "unknown"))
    source = pd.Series("none", index=use.index, dtype="string").where(~said, "field").where(~inferred, "inferred")
    if inferred.any():
        count = int(inferred.sum())
        text = Text(
            f"whether {count} buildings belong to a public institution is inferred from their use",
            f"{count} 栋建筑是否公共机构由用途推断",
        )
        notices.append(Notice("public_inferred", text, count, severity="info", source=where))
    frame = pd.DataFrame({"is_public_institution": result, "public_source": source})
    return frame, tuple(notices)


def roof_types_of(column: pd.Series, roof_type_map: Mapping[str, str], where: str) -> Parsed:
    """Return roof types: configured map, then the vocabulary, then known words; missing where nothing is said."""
    known = roof_types()["types"]
    check_map(roof_type_map, known, "inputs.footprints.roof_type_map")
    table = {fold(k): k for k in known} | {fold(v["zh"]): k for k, v in known.items()}
    table |= {fold(v["en"]): k for k, v in known.items()} | _lookup(roof_type_map)
    raw = texts(column)
    found = _each(raw, lambda v: table.get(fold(v)) or _roof_word(v))
    values = pd.Series(found, index=column.index, dtype="string")
    unread = raw[raw.notna() & values.isna()]
    values = values.where(values != "unknown")
    if unread.empty:
        return Parsed(values)
    text = Text(
        f"{len(unread)} roof types of {column.name} are not known: set roof_type_map",
        f"字段 {column.name} 有 {len(unread)} 个屋面类型无法识别：请设置 roof_type_map",
    )
    return Parsed(values, (Notice("roof_type_unmapped", text, len(unread), source=where, examples=_examples(unread)),))


def _roof_word(value: str) -> str | None:
    for entry in words()["roof_types"]:
        if any(part in value for part in entry["contains"]):
            return str(entry["type"])
    return None


def structures(column: pd.Series) -> pd.Series:
    """Return structures: house codes (FWJG 1-6) as words, other text as it is."""
    codes = words()["structures"]["codes"]
    return texts(column).map(lambda v: codes.get(v, v), na_action="ignore").astype("string")
