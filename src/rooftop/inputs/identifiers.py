"""Ids and codes: text from the first byte, and joined to those of another table by stated rules only."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from rooftop.core.lang import Text
from rooftop.core.notices import Notice
from rooftop.inputs.attributes import ParsedColumn, each, examples_of, is_blank, value_text

_SHORTENED = re.compile(r"[+-]?\d(?:\.\d+)?[eE]\+\d{2,}")
_POINT = re.compile(r"([+-]?\d+)\.(\d+)")
_IGNORED = re.compile(r"[\s\u200b-\u200d\u2060\ufeff\u00ad'\"`]")
_DASHES = re.compile("[\u2010-\u2015\u2212]")
_PREFIX_SHARE = 0.9


# --- reading ---------------------------------------------------------------------------------------------------------


def codes(column: pd.Series, where: str) -> ParsedColumn:
    """Return ids or codes as text.

    Integers keep every digit, text every character (``00123``, ``1E10``, ``2021-01``, ``NA``). A decimal point with
    nothing but zeros behind it goes where all numbers of the column have nothing else there (``320706.0``).

    Parameters
    ----------
    column : pandas.Series
        Of any type.
    where : str
        File, for messages.

    Returns
    -------
    ParsedColumn
        Strings, missing where nothing is written. Numbers whose last digits a decimal column or a spreadsheet has lost
        stay as they are, counted.
    """
    values = without_points(pd.Series(each(column, _code), index=column.index, dtype="string", name=column.name))
    exact = _largest_exact(column.dtype)
    lost = [text for raw, text in zip(column.to_numpy(dtype=object), values, strict=True) if _is_rounded(raw, exact)]
    if not lost:
        return ParsedColumn(values)
    message = Text(
        f"{len(lost)} ids of {column.name} are decimal numbers with more digits than these hold: their last digits are "
        "lost, ids that differ may read the same; write the field as text or integer where it comes from",
        f"字段 {column.name} 有 {len(lost)} 个编号以浮点数存储，超出其有效位数，末位数字已丢失，不同编号可能变为相同；"
        "请在数据源头改存为文本或整数",
    )
    return ParsedColumn(
        values, (Notice("id_digits_lost", message, len(lost), source=where, examples=examples_of(lost)),)
    )


def _code(value: Any) -> str | None:
    text = value_text(value)
    return None if text is None or is_blank(text) else text


def without_points(texts: pd.Series) -> pd.Series:
    """Take ``.0`` off the numbers of a text column, where no number of it has other decimals."""
    point = texts.str.fullmatch(_POINT).fillna(False).to_numpy(dtype=bool)
    if not point.any() or texts[point].str.contains(r"\.0*[1-9]", regex=True).any():
        return texts
    return texts.where(~point, texts.str.replace(r"\.0+$", "", regex=True))


def _largest_exact(kind: Any) -> float:
    """Return the largest integer up to which a column of decimal numbers holds all."""
    single = isinstance(kind, np.dtype) and kind.kind == "f"
    return float(2 ** (np.finfo(kind).nmant + 1 if single else 53))


def _is_rounded(raw: Any, exact: float) -> bool:
    """Whether a number had more digits than its type holds, or a spreadsheet has written it as 3.2E+17."""
    if isinstance(raw, float | np.floating):
        return exact < abs(float(raw)) < np.inf
    return isinstance(raw, str) and _SHORTENED.fullmatch(raw.strip()) is not None


# --- joining ---------------------------------------------------------------------------------------------------------


def _same_characters(text: str) -> str:
    """Full-width forms, blanks, invisible characters, quotes and the braces of a GUID do not matter."""
    bare = _DASHES.sub("-", _IGNORED.sub("", unicodedata.normalize("NFKC", text)))
    return bare[1:-1] if re.fullmatch(r"\{[0-9A-Fa-f-]{32,}\}", bare) else bare


def _no_point(text: str) -> str:
    return re.sub(r"^([+-]?\d+)\.0+$", r"\1", _same_characters(text))


def _no_case(text: str) -> str:
    return _no_point(text).casefold()


def _no_zeros(text: str) -> str:
    bare = _no_case(text)
    return bare.lstrip("0") or "0" if bare.isdigit() else bare


_FORMS: tuple[tuple[str, Text, Callable[[str], str]], ...] = (
    ("characters", Text("without blanks, full-width forms and quotes", "忽略空格、全角字符与引号后"), _same_characters),
    ("point", Text("without .0", "去掉 .0 后"), _no_point),
    ("case", Text("in whichever case", "忽略大小写后"), _no_case),
    ("zeros", Text("with leading zeros put back", "补回前导零后"), _no_zeros),
)


def join_ids(
    foreign_ids: pd.Series, known: Iterable[str], what: Text, where: str
) -> tuple[pd.Series, tuple[Notice, ...]]:
    """Find the known id that each id of another table means.

    An id that is known as it is written means itself. One that is not means the only known id of the same form, where
    it is also the only id of the table with that form, and no id of the table is that known one already; forms are
    tried in this order, each with all before it: blanks, full-width characters and quotes left out; ``.0`` left out;
    case ignored; leading zeros ignored, where one of both sides has lost all of its own, as numbers do.

    Parameters
    ----------
    foreign_ids : pandas.Series
        Ids as `codes` returns them.
    known : iterable of str
    what : Text
        The table, for messages.
    where : str
        File.

    Returns
    -------
    tuple of pandas.Series and tuple of Notice
        Known ids; an id that means none stays as it is. Every form that was needed is counted, and so is what would
        match but is not joined: several candidates, or a common prefix.
    """
    ids = list(dict.fromkeys(known))
    distinct = [str(v) for v in foreign_ids.dropna().unique()]
    exact = set(ids)
    unmatched = [a for a in distinct if a not in exact]
    taken = exact & set(distinct)
    mapping: dict[str, str] = {}
    notices: list[Notice] = []
    ambiguous: dict[str, list[str]] = {}
    for form, how, key in _FORMS:
        if not unmatched:
            break
        if form == "zeros" and not _zeros_lost(distinct, ids):
            continue
        by_key: dict[str, list[str]] = {}
        for one in ids:
            by_key.setdefault(key(one), []).append(one)
        n_with_key = Counter(key(a) for a in unmatched)
        matches = {}
        for a in unmatched:
            hits = by_key.get(key(a), [])
            if len(hits) == 1 and n_with_key[key(a)] == 1 and hits[0] not in taken:
                matches[a] = hits[0]
            elif hits:
                ambiguous[a] = hits
        if matches:
            notices.append(_joined_notice(foreign_ids, exact, matches, form, how, what, where))
        mapping |= matches
        taken |= set(matches.values())
        unmatched = [a for a in unmatched if a not in matches]
    notices += _near_miss_notices(foreign_ids, unmatched, ambiguous, ids, what, where)
    return foreign_ids.map(lambda a: mapping.get(a, a), na_action="ignore").astype("string"), tuple(notices)


def _zeros_lost(foreign_ids: Sequence[str], known: Sequence[str]) -> bool:
    """Whether the numbers of one side have no leading zero at all, and those of the other side have."""
    sides = [[bare for bare in map(_no_case, side) if bare.isdigit()] for side in (foreign_ids, known)]
    padded = [any(len(bare) > 1 and bare.startswith("0") for bare in side) for side in sides]
    return all(sides) and padded[0] != padded[1]


def _joined_notice(
    foreign_ids: pd.Series, exact: set[str], matches: dict[str, str], form: str, how: Text, what: Text, where: str
) -> Notice:
    rows, whole = int(foreign_ids.isin(list(matches)).sum()), int(foreign_ids.notna().sum())
    as_written = int(foreign_ids.isin(exact).sum())
    text = Text(
        "{as_written} of {whole} ids of {what} match as they are written; {how}, {rows} more match, and are joined so",
        "{what}的 {whole} 个编号中有 {as_written} 个按原样匹配；{how}，另有 {rows} 个匹配，并据此关联",
    ).format(as_written=as_written, whole=whole, what=what, how=how, rows=rows)
    examples = tuple(f"{a} → {b}" for a, b in list(matches.items())[:5])
    return Notice(f"ids_joined_{form}", text, rows, "warning" if form == "zeros" else "info", where, examples)


def _near_miss_notices(
    foreign_ids: pd.Series,
    unmatched: Sequence[str],
    ambiguous: dict[str, list[str]],
    ids: Sequence[str],
    what: Text,
    where: str,
) -> list[Notice]:
    """Say what ids that are not joined come close to."""
    notices = []
    several = {a: hits for a, hits in ambiguous.items() if a in set(unmatched)}
    if several:
        rows = int(foreign_ids.isin(list(several)).sum())
        text = Text(
            "{rows} ids of {what} are like known ones, but not surely one of them: they are not joined",
            "{what}有 {rows} 个编号与已有编号相近，但不能唯一确定，未关联",
        ).format(rows=rows, what=what)
        examples = tuple(f"{a} → {', '.join(hits[:3])}?" for a, hits in list(several.items())[:5])
        notices.append(Notice("ids_ambiguous", text, rows, source=where, examples=examples))
    no_candidate = [a for a in unmatched if a not in several]
    for without, with_prefix, how in (
        (
            no_candidate,
            ids,
            Text("the known ids have the prefix {prefix} before them", "已有编号在其前另有前缀 {prefix}"),
        ),
        (ids, no_candidate, Text("they have the prefix {prefix} before the known ids", "其前带有前缀 {prefix}")),
    ):
        prefix, count = _prefix(without, with_prefix)
        if count and count >= _PREFIX_SHARE * len(no_candidate):
            text = Text(
                "{n} ids of {what} match none; {how}: with the prefix settled {count} would match; they are not joined",
                "{what}有 {n} 个编号无法匹配：{how}，统一前缀后有 {count} 个可匹配；未关联",
            ).format(n=len(no_candidate), what=what, how=how.format(prefix=prefix), count=count)
            notices.append(
                Notice("ids_prefixed", text, len(no_candidate), source=where, examples=tuple(no_candidate[:5]))
            )
            break
    return notices


def _prefix(short: Sequence[str], long: Sequence[str]) -> tuple[str, int]:
    """Return the prefix by which most ids of `long` exceed one of `short`, and how many do."""
    ends = set(short)
    prefixes = Counter(
        whole[: len(whole) - size]
        for size in {len(s) for s in ends if s}
        for whole in long
        if len(whole) > size and whole[-size:] in ends
    )
    return prefixes.most_common(1)[0] if prefixes else ("", 0)
