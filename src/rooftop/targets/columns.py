"""Columns of tables, whatever a file made of them: numbers, words and reason codes, null where there is nothing."""

from __future__ import annotations

from collections.abc import Collection, Iterable

import numpy as np
import pandas as pd

from rooftop.core.types import B1, F8

PV_IMPOSSIBLE = "existing_pv_impossible"
"""Reason code of roofs whose declared existing PV is refused, see `rooftop.targets.inventory`."""


def numeric_column(frame: pd.DataFrame, name: str) -> F8:
    """Return a column of n numbers, shape (n,); NaN where one is missing or unreadable, or the column is not there."""
    if name not in frame.columns:
        return np.full(len(frame), np.nan)
    values = pd.to_numeric(frame[name], errors="coerce").astype("Float64")
    return np.asarray(values.to_numpy(dtype=float, na_value=np.nan), dtype=np.float64)


def known_or_zero(frame: pd.DataFrame, name: str) -> F8:
    """Return a column of n numbers, shape (n,); 0 where `numbers` has none."""
    return np.nan_to_num(numeric_column(frame, name))


def text_column(frame: pd.DataFrame, name: str, missing: str = "unknown") -> pd.Series:
    """Return a column as strings, `missing` where it is null or empty, or the column is not there."""
    if name not in frame.columns:
        return pd.Series(missing, index=frame.index, dtype=object)
    column = frame[name].astype(object)
    return column.where(column.notna(), missing).astype(str).replace("", missing)


def reason_codes(value: object) -> tuple[str, ...]:
    """Return the reason codes of a row: a list in memory, an array when read back from Parquet, nothing when null."""
    if isinstance(value, str) or not isinstance(value, Iterable):
        return ()
    return tuple(str(code) for code in value)


def carries_reason(frame: pd.DataFrame, codes: Collection[str]) -> B1:
    """Return True for rows that carry one of the reason codes, shape (n,); none does where there are no ``reasons``."""
    if "reasons" not in frame.columns:
        return np.zeros(len(frame), dtype=bool)
    code_set = set(codes)
    return np.array([not code_set.isdisjoint(reason_codes(value)) for value in frame["reasons"]], dtype=bool)
