"""Attributes of buildings as people write them, turned into numbers, dates and vocabulary; nothing is guessed silently.

Every function takes one column and returns it parsed together with counted notices. What cannot be read becomes
missing, is counted, and its values are shown.
"""

from __future__ import annotations

import contextlib
import decimal
import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd

from rooftop.core.errors import ConfigError, InputError
from rooftop.core.lang import Lang, Text
from rooftop.core.notices import Notice
from rooftop.core.roof_rules import load_roof_rules
from rooftop.core.vocabularies import building_uses as shipped_uses
from rooftop.inputs.files import did_you_mean, suggest
from rooftop.inputs.input_limits import input_limits
from rooftop.inputs.source_words import source_words

_NUMBER = re.compile(r"^([+-]?\d*(?:\.\d+)?(?:[eE][+-]?\d+)?)\s*(?:kw|kwp|千瓦)?$", re.IGNORECASE)
_INVISIBLE = "\ufeff\u200b\u200c\u200d\u2060\u00ad"
_GUARDED = re.compile(r'="(.*)"')


@dataclass(frozen=True)
class ParsedColumn:
    """One column, parsed.

    Parameters
    ----------
    values : pandas.Series
    notices : tuple of Notice
    """

    values: pd.Series
    notices: tuple[Notice, ...] = ()


# --- text ------------------------------------------------------------------------------------------------------------


def value_text(value: Any) -> str | None:
    """Return a value as the text that stands for it, trimmed; None for null.

    Whole numbers have no decimal point, however they are stored; text keeps every character but blanks and invisible
    ones around it, and the guard ``="…"`` by which tables for spreadsheets keep text from becoming a number.
    """
    if value is None or value is pd.NA or value is pd.NaT:
        return None
    if isinstance(value, decimal.Decimal):
        whole = value.is_finite() and value == value.to_integral_value()
        return f"{int(value)}" if whole else f"{value.normalize():f}" if value.is_finite() else None
    if isinstance(value, float | np.floating):
        number = float(value)
        whole = number.is_integer() and abs(number) < 1e21
        return f"{int(number)}" if whole else str(value) if np.isfinite(number) else None
    text = str(value).strip().strip(_INVISIBLE).strip()
    guarded = _GUARDED.fullmatch(text)
    return text if guarded is None else guarded.group(1).strip()


def text_or_none(value: Any) -> str | None:
    """Return a value as trimmed text, whole numbers without their ``.0``; None for what people write for nothing."""
    text = value_text(value)
    if text is None:
        return None
    if re.fullmatch(r"-?\d+\.0+", text):
        text = text.split(".")[0]
    return None if fold_text(text) in _nulls() | _null_words() else text


@cache
def _nulls() -> frozenset[str]:
    return frozenset(fold_text(word) for word in source_words().nulls.blank)


@cache
def _null_words() -> frozenset[str]:
    return frozenset(fold_text(word) for word in source_words().nulls.words)


def is_blank(text: str) -> bool:
    """Whether a text says nothing, in whatever column: empty, dashes, 无, 不详."""
    return fold_text(text) in _nulls()


def is_null_word(text: str) -> bool:
    """Whether a text says nothing among numbers, dates and classes, and may be true among codes and names: NA, None."""
    return fold_text(text) in _null_words()


def fold_text(text: str) -> str:
    """Return `text` for comparing: full-width forms, case, accents and double-encoded UTF-8 do not matter."""
    for codec in ("cp1252", "iso-8859-1"):
        with contextlib.suppress(UnicodeError):
            text = text.encode(codec).decode("utf-8")
            break
    decomposed = unicodedata.normalize("NFKD", text.strip())
    return "".join(c for c in decomposed if not unicodedata.combining(c)).casefold()


def texts(column: pd.Series) -> pd.Series:
    """Return a text column: trimmed, nothing-words missing."""
    return pd.Series(each(column, text_or_none), index=column.index, dtype="string", name=column.name)


def names(column: pd.Series, keep: Literal["once", "all"] = "once") -> pd.Series:
    """Return a column of names: trimmed; words such as NA or None are names, if need be only where they stand once.

    Parameters
    ----------
    column : pandas.Series
    keep : {"once", "all"}
        ``once``: a word that stands again and again was written by a program for nothing.
    """
    values = pd.Series(each(column, value_text), index=column.index, dtype="string", name=column.name)
    values = values.where(~np.array(each(values, is_blank, True), dtype=bool))
    if keep == "all":
        return values
    word = np.array(each(values, is_null_word, False), dtype=bool)
    return values.where(~(word & values.duplicated(keep=False)))


def each(column: pd.Series, function: Callable[[Any], Any], missing: Any = None) -> list[Any]:
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


def examples_of(values: Iterable[Any]) -> tuple[str, ...]:
    """Return up to five distinct values with their counts, the most frequent first."""
    counts = pd.Series([str(v) for v in values], dtype=object).value_counts(sort=False)
    ranked = sorted(counts.items(), key=lambda item: (-item[1], str(item[0])))
    return tuple(f"{value} ({count})" for value, count in ranked[:5])


# --- numbers ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class NumberReading:
    """One number as read.

    Parameters
    ----------
    value : float
    by_rule : bool
        It does not simply stand there: words were read (三层, 6/-1), or a rule chose among what the text may mean
        (5-6, 6+1, 12以上).
    """

    value: float
    by_rule: bool = False


def plain(text: str) -> NumberReading | None:
    """Read a number, or a capacity with its unit kW."""
    match = _NUMBER.match(text)
    return None if match is None or not match.group(1).strip("+-") else NumberReading(float(match.group(1)))


def read_numbers(
    column: pd.Series,
    key: str,
    where: str,
    read: Callable[[str], NumberReading | None] = plain,
    rule: Text | None = None,
    *,
    comma_lists: bool = False,
) -> ParsedColumn:
    """Read a numeric column, also when it is written as text ("12.5", "1,234", "12,5", "１２").

    Parameters
    ----------
    column : pandas.Series
    key : str
        Configuration key (``fields.height_m``), for messages.
    where : str
        File.
    read : callable
        Reads one text, in half-width characters, with a decimal point.
    rule : Text, optional
        What decides where a text leaves its number open, for messages.
    comma_lists : bool
        Commas stand between numbers, not in them.

    Returns
    -------
    ParsedColumn
        float64, NaN where missing.

    Raises
    ------
    InputError
        Hardly a value can be read (`readable_share` of `configs/input_limits.yaml`): the field is the wrong one.
    """
    if pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column):
        values = pd.Series(column.to_numpy(dtype=float, na_value=np.nan), index=column.index)
        return ParsedColumn(values.where(np.isfinite(values)))
    cleaned = texts(column)
    normalise = half_width if comma_lists else number_text(cleaned)
    readings = each(cleaned, lambda text: read(normalise(text)))
    values = pd.Series([np.nan if r is None else r.value for r in readings], index=column.index, dtype="float64")
    notices = _unread_numbers(cleaned[cleaned.notna() & values.isna()], cleaned, key, where)
    ruled = np.array([r is not None and r.by_rule for r in readings], dtype=bool)
    if rule is not None and ruled.any():
        count = int(ruled.sum())
        text = Text("{n} values of {name} are read by rule: {rule}", "字段 {name} 有 {n} 个值按规则读取：{rule}")
        text = text.format(n=count, name=str(column.name), rule=rule)
        conversions = [f"{raw} → {value:g}" for raw, value in zip(cleaned[ruled], values[ruled], strict=True)]
        notices = (*notices, Notice("read_by_rule", text, count, "info", where, examples_of(conversions)))
    return ParsedColumn(values, notices)


def _unread_numbers(bad: pd.Series, column: pd.Series, key: str, where: str) -> tuple[Notice, ...]:
    """Count the texts that are no numbers; refuse a column of hardly any numbers."""
    if bad.empty:
        return ()
    filled = int(column.notna().sum())
    if filled - len(bad) < input_limits().readable_share.min * filled:
        raise InputError(
            Text(f"the field {column.name} holds text, not numbers", f"字段 {column.name} 是文本，不是数值"),
            where=Text(f"{key} ({where})", f"{key}（{where}）"),
            found=", ".join(examples_of(bad)),
            expected=Text("numbers, such as 12.5", "数值，如 12.5"),
            mend=Text(
                f"map {key} to the field with the numbers, or to null", f"请将 {key} 映射到数值字段，或设为 null"
            ),
        )
    text = Text(
        f"{len(bad)} of {filled} values of {column.name} are not numbers and count as missing",
        f"字段 {column.name} 的 {filled} 个值中有 {len(bad)} 个不是数值，按缺失处理",
    )
    return (Notice("not_a_number", text, len(bad), source=where, examples=examples_of(bad)),)


def half_width(text: str) -> str:
    """Return a text with full-width forms as usual ones, trimmed."""
    return unicodedata.normalize("NFKC", text).strip()


def number_text(column: pd.Series) -> Callable[[str], str]:
    """Return what brings the numbers of a text column to half-width characters and a decimal point.

    A comma with any but three digits behind it (12,5) is a decimal one, and then all of the column are.
    """
    half = column.dropna().map(half_width).astype("string")
    decimal_comma = bool(half.str.contains(r"^\D*\d+,(?:\d{1,2}|\d{4,})(?:\D|$)", regex=True).any())

    def normalise(text: str) -> str:
        text = half_width(text)
        if decimal_comma:
            text = re.sub(r"(?<=\d)\.(?=\d{3}(?:\D|$))", "", text) if "," in text else text
            return re.sub(r"(?<=\d),(?=\d)", ".", text)
        return re.sub(r"(?<=\d),(?=\d{3}(?!\d))", "", text)

    return normalise


def blank_outside(
    values: pd.Series, low: float, high: float, code: str, what: Text, where: str
) -> tuple[pd.Series, ParsedColumn]:
    """Blank values outside ``low < value <= high``.

    Returns
    -------
    tuple of Series and ParsedColumn
        Mask of the blanked rows, and the values kept.
    """
    absurd = values.notna() & ~((values > low) & (values <= high))
    if not absurd.any():
        return absurd, ParsedColumn(values)
    count = int(absurd.sum())
    text = Text(
        "{count} {what} outside {low:g}..{high:g} count as missing", "{count} 个{what}超出 {low:g}~{high:g}，按缺失处理"
    ).format(count=count, what=what, low=low, high=high)
    notice = Notice(code, text, count, source=where, examples=examples_of(f"{v:g}" for v in values[absurd]))
    return absurd, ParsedColumn(values.where(~absurd), (notice,))


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
    return {fold_text(text_or_none(key) or key): value for key, value in mapping.items()}


def read_building_uses(
    column: pd.Series | None, use_map: Mapping[str, str], index: pd.Index, where: str
) -> pd.DataFrame:
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
    vocabulary, codes = shipped_uses().uses, shipped_uses().codes
    check_map(use_map, vocabulary, "inputs.footprints.use_map")
    tables: list[tuple[str, dict[str, str]]] = [("mapped", _lookup(use_map))]
    for label in ("key", "zh", "en"):
        tables.append(
            ("mapped", {fold_text(k if label == "key" else getattr(v, label)): k for k, v in vocabulary.items()})
        )
    tables += [(f"code:{name}", _lookup(system.map)) for name, system in codes.items()]
    raw = texts(column) if column is not None else pd.Series(pd.NA, index=index, dtype="string")
    pairs = each(raw, lambda value: _first_match(value, tables), ("unknown", "none"))
    return pd.DataFrame(pairs, columns=["building_use", "use_source"], index=index).assign(raw=raw)


def _first_match(value: str, tables: list[tuple[str, dict[str, str]]]) -> tuple[str, str]:
    for source, table in tables:
        if fold_text(value) in table:
            use = table[fold_text(value)]
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
        notices.append(Notice("use_unmapped", text, len(unread), source=where, examples=examples_of(unread)))
    unknown = int((frame["building_use"] == "unknown").sum())
    if unknown:
        text = Text(f"{unknown} buildings have no known use", f"{unknown} 栋建筑用途不明")
        notices.append(Notice("use_unknown", text, unknown, source=where))
    for name, system in shipped_uses().codes.items():
        coded = frame.loc[frame["use_source"] == f"code:{name}", "raw"]
        if len(coded):
            text = Text(
                f"the use of {len(coded)} buildings is read as {name} codes",
                f"{len(coded)} 栋建筑的用途按 {name} 代码识别",
            )
            notices.append(
                Notice("use_by_code", text, len(coded), severity="info", source=where, examples=examples_of(coded))
            )
        open_codes = coded[coded.isin(list(system.ambiguous))]
        if len(open_codes):
            text = Text(
                f"{len(open_codes)} buildings have a {name} code that covers several uses; the first is taken",
                f"{len(open_codes)} 栋建筑的 {name} 代码对应多种用途，取首项",
            )
            notices.append(
                Notice("use_ambiguous", text, len(open_codes), source=where, examples=examples_of(open_codes))
            )
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
    known = source_words()
    words_by_answer = {"yes": known.yes, "no": known.no, "unknown": known.unknown}
    table = {fold_text(word): answer for answer, words in words_by_answer.items() for word in words}
    table |= _lookup(public_map)
    raw = texts(column) if column is not None else pd.Series(pd.NA, index=use.index, dtype="string")
    answer = pd.Series(each(raw, lambda v: table.get(fold_text(v))), index=use.index, dtype="string")
    notices = []
    unread = raw[raw.notna() & answer.isna()]
    if len(unread):
        text = Text(
            f"{len(unread)} values of {raw.name} are neither yes nor no: set public_map",
            f"字段 {raw.name} 有 {len(unread)} 个值无法判断是否公共机构：请设置 public_map",
        )
        notices.append(Notice("public_unmapped", text, len(unread), source=where, examples=examples_of(unread)))
    is_stated = answer.isin(["yes", "no"])
    hints = {name: entry.public_hint for name, entry in shipped_uses().uses.items()}
    hint = use.map(hints).astype("string")
    inferred = ~is_stated & answer.isna() & hint.isin(["yes", "no"])
    result = answer.where(is_stated, hint.where(inferred, "unknown"))
    source = pd.Series("none", index=use.index, dtype="string").where(~is_stated, "field").where(~inferred, "inferred")
    if inferred.any():
        count = int(inferred.sum())
        text = Text(
            f"whether {count} buildings belong to a public institution is inferred from their use",
            f"{count} 栋建筑是否公共机构由用途推断",
        )
        notices.append(Notice("public_inferred", text, count, severity="info", source=where))
    frame = pd.DataFrame({"is_public_institution": result, "public_source": source})
    return frame, tuple(notices)


def roof_types_of(column: pd.Series, roof_type_map: Mapping[str, str], where: str) -> ParsedColumn:
    """Return roof types: configured map, then the vocabulary, then known words; missing where nothing is said."""
    known = load_roof_rules().types
    check_map(roof_type_map, known, "inputs.footprints.roof_type_map")
    table = {fold_text(k): k for k in known}
    for lang in get_args(Lang):
        table |= {fold_text(v.text.pick(lang)): k for k, v in known.items()}
    table |= _lookup(roof_type_map)
    raw = texts(column)
    types = each(raw, lambda v: table.get(fold_text(v)) or _roof_word(v))
    values = pd.Series(types, index=column.index, dtype="string")
    unread = raw[raw.notna() & values.isna()]
    values = values.where(values != "unknown")
    if unread.empty:
        return ParsedColumn(values)
    text = Text(
        f"{len(unread)} roof types of {column.name} are not known: set roof_type_map",
        f"字段 {column.name} 有 {len(unread)} 个屋面类型无法识别：请设置 roof_type_map",
    )
    return ParsedColumn(
        values, (Notice("roof_type_unmapped", text, len(unread), source=where, examples=examples_of(unread)),)
    )


def _roof_word(value: str) -> str | None:
    for entry in source_words().roof_types:
        if any(part in value for part in entry.contains):
            return entry.type
    return None
