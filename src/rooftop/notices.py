"""Counted warnings and provenance: what the run saw, as data that `run.json`, reports and workbooks repeat."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from rooftop.lang import Text


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
        Hash of the file (for a shapefile: of all its parts, by name order).
    details : dict of str to str
        CRS, datum, encoding, layer, rows, units, licence: whatever was read or declared.
    """

    role: str
    path: str
    sha256: str
    details: dict[str, str] = field(default_factory=dict)


def file_sha256(path: Path) -> str:
    """Hash a file; for a shapefile, all files that share its stem; for a folder (FileGDB), all files but locks."""
    if path.is_dir():
        parts = sorted(p for p in path.rglob("*") if p.is_file() and p.suffix != ".lock")
    else:
        parts = sorted(path.parent.glob(path.stem + ".*")) if path.suffix.lower() == ".shp" else [path]
    digest = hashlib.sha256()
    for part in parts:
        with part.open("rb") as handle:
            while chunk := handle.read(1 << 20):
                digest.update(chunk)
    return digest.hexdigest()
