"""Text that a spreadsheet would take for a formula: led by an apostrophe in a CSV, and given back on reading."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_MARK = "'"


def guard(text: str) -> str:
    """Return a text as it should stand in a CSV that people open: no spreadsheet evaluates it."""
    return f"{_MARK}{text}" if text.lstrip(_MARK).startswith(FORMULA_STARTS) else text


def unguard(text: str) -> str:
    """Return what `guard` was given."""
    bare = text.removeprefix(_MARK)
    return bare if bare != text and bare.lstrip(_MARK).startswith(FORMULA_STARTS) else text


def guard_columns(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a table with all its texts guarded; numbers stay numbers."""
    return _map_texts(frame, guard)


def unguard_columns(frame: pd.DataFrame) -> pd.DataFrame:
    """Return what `guard_columns` was given."""
    return _map_texts(frame, unguard)


def _map_texts(frame: pd.DataFrame, change: Callable[[str], str]) -> pd.DataFrame:
    out = {}
    for name in frame.columns:
        column = frame[name]
        if pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column):
            continue
        words = {word: change(word) for word in column.dropna().unique() if isinstance(word, str)}
        if any(word != changed for word, changed in words.items()):
            out[name] = column.map(lambda v, words=words: words.get(v, v), na_action="ignore")
    return frame.assign(**out) if out else frame
