"""`run.json`: what a run read, counted, warned of and took; enough to rebuild its products."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Any, ClassVar, Literal

from pydantic import ConfigDict, TypeAdapter, ValidationError

from rooftop.configfile import written_key
from rooftop.core.errors import InputError
from rooftop.core.lang import Text, one_line
from rooftop.core.notices import Notice, Provenance
from rooftop.outputs.files import recorded_in, write_at_once
from rooftop.scene.equator import SideRules

UNFINISHED = "writing"


@dataclass(frozen=True)
class TiltTrial:
    """What one rack tilt would give per square metre of array: density against yield."""

    tilt_deg: float
    kwp_per_m2: float
    specific_yield_kwh_kwp: float

    @property
    def kwh_per_m2(self) -> float:
        """Annual energy per square metre of array."""
        return self.kwp_per_m2 * self.specific_yield_kwh_kwp


@dataclass(frozen=True)
class RunRecord:
    """Everything that `run.json` holds.

    Parameters
    ----------
    config : dict
        The configuration as used.
    districts : tuple of str
        Selected districts; empty for all.
    crs : str
        Working CRS.
    counts : dict of str to int
        Rows in and out, statuses, tiles: every roof accounted for.
    totals : dict of str to float
        kWp and kWh.
    tilt_trials : tuple of TiltTrial
        Density against yield of the rack tilts tried.
    notices : tuple of Notice
    provenance : tuple of Provenance
    failed_tiles : tuple of str
    seconds : dict of str to float
        Wall time of each stage.
    sides : tuple of SideRules
        What holds for modules on each side of the equator on which roofs lie.
    files : dict of str to str
        Every product, by its path inside the folder, and its hash (:func:`rooftop.outputs.files.product_sha256`).
    missing : tuple of str
        Products that could not be written, because another program had them open.
    earlier : dict of str to tuple of str
        Files of earlier runs that could not be removed yet, and their hashes.
    state : str
        ``finished``; while products are being written the file holds no more than what lies in the folder, under
        another state (:func:`write_unfinished`).
    """

    __pydantic_config__: ClassVar = ConfigDict(extra="forbid")

    config: dict[str, Any]
    districts: tuple[str, ...]
    crs: str
    version: str
    python: str
    counts: dict[str, int]
    totals: dict[str, float]
    tilt_trials: tuple[TiltTrial, ...]
    notices: tuple[Notice, ...]
    provenance: tuple[Provenance, ...]
    failed_tiles: tuple[str, ...]
    seconds: dict[str, float] = field(default_factory=dict)
    peak_memory_mb: float | None = None
    sides: tuple[SideRules, ...] = ()
    files: dict[str, str] = field(default_factory=dict)
    missing: tuple[str, ...] = ()
    earlier: dict[str, tuple[str, ...]] = field(default_factory=dict)
    state: Literal["finished"] = "finished"

    def finished(
        self, seconds: Mapping[str, float], peak_memory_mb: float | None, notices: Sequence[Notice]
    ) -> RunRecord:
        """Return the record with what is only known at the end; `notices` are more of them."""
        return replace(self, seconds=dict(seconds), peak_memory_mb=peak_memory_mb, notices=(*self.notices, *notices))


_RECORD = TypeAdapter(RunRecord)


@dataclass(frozen=True)
class Ledger:
    """What runs have written into a folder, as far as is recorded.

    Parameters
    ----------
    known : dict of str to set of str
        Hashes that each file may have, by its path inside the folder.
    by_name : bool
        The record does not say: whatever has a product's name is taken for one.
    """

    known: dict[str, set[str]]
    by_name: bool


def read_ledger(path: Path) -> Ledger:
    """Return what the record of a run, finished or not, says of the files in its folder."""
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Ledger({}, by_name=False)
    except (OSError, ValueError):
        return Ledger({}, by_name=True)
    files, earlier = (raw.get(name) if isinstance(raw, dict) else None for name in ("files", "earlier"))
    if not isinstance(files, dict):
        return Ledger({}, by_name=True)
    known: dict[str, set[str]] = {}
    for name, sums in (*files.items(), *(earlier.items() if isinstance(earlier, dict) else ())):
        if _lies_inside(name):
            known.setdefault(name, set()).update([sums] if isinstance(sums, str) else map(str, sums))
    return Ledger(known, by_name=False)


def _lies_inside(name: str) -> bool:
    parts = PurePosixPath(name).parts
    return bool(parts) and ".." not in parts and not parts[0].startswith((".", "/")) and not set(name) & {"\\", ":"}


def write_unfinished(path: Path, files: Mapping[str, str], earlier: Mapping[str, Sequence[str]], version: str) -> None:
    """Write a `run.json` that says: products are being written; these lie here, those may."""
    _write(path, {"state": UNFINISHED, "version": version, "files": files, "earlier": earlier})


def write_record(path: Path, record: RunRecord) -> None:
    """Write `run.json`, UTF-8, keys in a fixed order."""
    _write(path, asdict(record))


def _write(path: Path, contents: Mapping[str, Any]) -> None:
    text = json.dumps(contents, ensure_ascii=False, indent=1, allow_nan=False, default=str) + "\n"
    with recorded_in(None):
        # a name of a file that is no text becomes an escape
        write_at_once(path, lambda p: p.write_bytes(text.encode("utf-8", "backslashreplace")))


def read_record(path: Path) -> RunRecord:
    """Read `run.json` back.

    Raises
    ------
    InputError
        There is none, it is not one of ours, or the run was interrupted while it wrote its products.
    """
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(raw, dict):
            if raw.get("state") == UNFINISHED:
                raise _unfinished_error(path)
            if not isinstance(raw.get("files", {}), dict):
                raw["files"] = {}  # of an earlier version
        return _RECORD.validate_python(raw)
    except (OSError, ValueError) as error:
        raise InputError(
            Text("cannot read the record of the run", "无法读取运行记录"),
            where=str(path),
            found=one_line(_first_fault(error)),
            mend=Text("name the output folder of `rooftop run`", "请指定 rooftop run 的输出目录"),
        ) from error


def _first_fault(error: Exception) -> str:
    if isinstance(error, ValidationError):
        first = error.errors(include_url=False, include_input=False)[0]
        return f"{written_key(first['loc'])}: {first['msg']}"
    return f"{type(error).__name__}: {error}"


def _unfinished_error(path: Path) -> InputError:
    return InputError(
        Text("the run in this folder is not finished", "该目录中的运行尚未完成"),
        where=str(path.parent),
        found=Text(
            "it was interrupted while it wrote its products: they may be of two runs",
            "写出成果时被中断：其中文件可能分属两次运行",
        ),
        kept=Text("its tiles", "已完成的分块"),
        mend=Text(
            "run it again into the same folder: finished tiles are not computed twice",
            "请重新运行并输出到同一目录：已完成的分块不会重复计算",
        ),
    )
