"""Map, report and candidate lists: one call each, for a fresh run and for a finished one."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from rooftop.config import Config
from rooftop.lang import Lang
from rooftop.notices import Notice
from rooftop.outputs.store import RunTables, read_tables
from rooftop.runrecord import RunRecord, read_record
from rooftop.targets import Pack, load_pack

PARTS = ("map", "report", "candidates")


@dataclass(frozen=True)
class Products:
    """Paths of what people open.

    Parameters
    ----------
    map, report : Path or None
    candidates : tuple of Path
        Workbook, CSV and GeoPackage of each district.
    notices : tuple of Notice
        What was noticed while writing.
    """

    map: Path | None = None
    report: Path | None = None
    candidates: tuple[Path, ...] = ()
    notices: tuple[Notice, ...] = ()

    @property
    def paths(self) -> list[Path]:
        """All paths, map first."""
        return [path for path in (self.map, self.report, *self.candidates) if path is not None]
