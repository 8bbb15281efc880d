"""Reason codes of rows while a file is read."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from rooftop.core.types import B1


class ReasonMasks:
    """Reason codes of every row, in the order in which they were found, those named at the start before the others."""

    def __init__(self, rows: int, first: tuple[str, ...] = ()) -> None:
        self._rows = rows
        self._masks: dict[str, B1] = {code: np.zeros(rows, dtype=bool) for code in first}

    def mark(self, code: str, mask: npt.ArrayLike) -> int:
        """Give a code to rows; return how many."""
        rows = np.asarray(mask, dtype=bool)
        self._masks[code] = self.has(code) | rows
        return int(rows.sum())

    def keep(self, code: str, mask: npt.ArrayLike) -> None:
        """Take a code back from all but the rows of `mask`."""
        if code in self._masks:
            self._masks[code] = self._masks[code] & np.asarray(mask, dtype=bool)

    def has(self, code: str) -> B1:
        """Tell which rows have a code."""
        return self._masks.get(code, np.zeros(self._rows, dtype=bool))

    def lists(self) -> pd.Series:
        """Return the codes of every row."""
        rows: list[list[str]] = [[] for _ in range(self._rows)]
        for code, mask in self._masks.items():
            for row in np.flatnonzero(mask):
                rows[row].append(code)
        return pd.Series(rows, dtype=object)
