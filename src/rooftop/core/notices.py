"""Counted warnings and provenance: what the run saw, as data that `run.json`, reports and workbooks repeat."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from rooftop.core.contents import file_sha256
from rooftop.core.lang import Text, without_controls

__all__ = ["Notice", "Provenance", "file_sha256"]

Severity = Literal["info", "warning"]
MOST_EXAMPLES = 5


@dataclass(frozen=True)
class Notice:
    """Something a reader of the results must know, with its count.

    Parameters
    ----------
    code : str
        Stable machine name, snake_case (``missing_height``).
    text : Text
        One sentence, both languages, numbers included.
    count : int
        How many rows, cells or hours it concerns.
    severity : {"info", "warning"}
    source : str
        File or room it comes from.
    examples : tuple of str
        Up to five ids or values.
    """

    code: str
    text: Text
    count: int = 1
    severity: Severity = "warning"
    source: str = ""
    examples: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Take control characters out: what is said may quote files and other libraries."""
        text = Text.both(lambda lang: without_controls(self.text.pick(lang)))
        object.__setattr__(self, "text", text)
        object.__setattr__(self, "examples", tuple(without_controls(str(example)) for example in self.examples))

    @classmethod
    def counted(
        cls,
        code: str,
        which: Sequence[Any] | Any,
        text: Text,
        *,
        names: Sequence[Any] | Any = None,
        severity: Severity = "warning",
        source: str = "",
    ) -> tuple[Notice, ...]:
        """Return the notice about rows or things, with their number and the first five; none where there are none.

        Parameters
        ----------
        code : str
        which : array_like of bool, sequence or int
            The rows (a mask over all of them), the things themselves (their ids or values), or only how many.
        text : Text
            ``{n}`` in it is the number.
        names : sequence, optional
            Of a mask: what all rows are called; their positions when left out.
        severity : {"info", "warning"}
        source : str

        Returns
        -------
        tuple of Notice
            One, or none.
        """
        n, examples = _count_and_examples(which, names)
        if not n:
            return ()
        sentence = Text.both(lambda lang: text.pick(lang).replace("{n}", str(n)))
        return (cls(code, sentence, n, severity, source, examples),)


@dataclass(frozen=True)
class Provenance:
    """Where an input came from.

    Parameters
    ----------
    role : str
        Configuration key it fills (``inputs.footprints``).
    path : str
        File as configured.
    sha256 : str
        Hash of everything that reading it reads (:func:`rooftop.core.contents.file_sha256`).
    details : dict of str to str
        CRS, datum, encoding, layer, rows, units, licence: whatever was read or declared.
    """

    role: str
    path: str
    sha256: str
    details: dict[str, str] = field(default_factory=dict)


def _count_and_examples(which: Any, names: Any) -> tuple[int, tuple[str, ...]]:
    """Return how many there are, and what the first five are called."""
    if isinstance(which, int | np.integer):
        return int(which), ()
    if "bool" not in str(getattr(which, "dtype", "")):
        return len(which), tuple(str(each) for each in which[:MOST_EXAMPLES])
    rows = np.flatnonzero(np.asarray(which, dtype=bool))
    first = rows[:MOST_EXAMPLES]
    return len(rows), tuple(str(each) for each in (first if names is None else np.asarray(names, dtype=object)[first]))
