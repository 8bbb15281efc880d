"""Columns of tables as arrays of numbers."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Floats = NDArray[np.float64]
PV_IMPOSSIBLE = "existing_pv_impossible"
"""Reason code of roofs whose declared existing PV is refused, see `rooftop.targets.inventory`."""


def column(frame: pd.DataFrame, name: str) -> Floats:
    """Return a column of n numbers, shape (n,); NaN where one is missing or unreadable, or the column is not there."""
    if name not in frame.columns:
        return np.full(len(frame), np.nan)
    values = pd.to_numeric(frame[name], errors="coerce").astype("Float64")
    return np.asarray(values.to_numpy(dtype=float, na_value=np.nan), dtype=np.float64)


def known_or_zero(frame: pd.DataFrame, name: str) -> Floats:
    """Return a column of n numbers, shape (n,); 0 where `column` has none."""
    return np.nan_to_num(column(frame, name))
