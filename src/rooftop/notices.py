"""Counted warnings and provenance: what the run saw, as data that `run.json`, reports and workbooks repeat."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from rooftop.contents import file_sha256
from rooftop.lang import Text, without_controls

__all__ = ["Notice", "Provenance", "file_sha256"]


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
    severity: Literal["info", "warning"] = "warning"
    source: str = ""
    examples: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Take control characters out: what is said may quote files and other libraries."""
        object.__setattr__(self, "text", Text(without_controls(self.text.en), without_controls(self.text.zh)))
        object.__setattr__(self, "examples", tuple(without_controls(str(example)) for example in self.examples))


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
        Hash of everything that reading it reads (:func:`rooftop.contents.file_sha256`).
    details : dict of str to str
        CRS, datum, encoding, layer, rows, units, licence: whatever was read or declared.
    """

    role: str
    path: str
    sha256: str
    details: dict[str, str] = field(default_factory=dict)
