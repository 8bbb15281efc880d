"""`run.json`: what a run read, counted, warned of and took; enough to rebuild its products."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from rooftop.errors import InputError
from rooftop.lang import Text
from rooftop.notices import Notice, Provenance
from rooftop.scene.design_sun import DesignSun
from rooftop.scene.equator import SideRules


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
    """

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
    files: tuple[str, ...] = ()
    sides: tuple[SideRules, ...] = ()

    def finished(self, seconds: dict[str, float], peak_memory_mb: float | None, files: Sequence[str]) -> RunRecord:
        """Return the record with what is only known at the end."""
        return replace(self, seconds=dict(seconds), peak_memory_mb=peak_memory_mb, files=tuple(files))


def write_record(path: Path, record: RunRecord) -> None:
    """Write `run.json`, UTF-8, keys in a fixed order."""
    text = json.dumps(asdict(record), ensure_ascii=False, indent=1, allow_nan=False, default=str)
    temporary = path.with_suffix(".part")
    temporary.write_text(text + "\n", encoding="utf-8")
    temporary.replace(path)


def read_record(path: Path) -> RunRecord:
    """Read `run.json` back.

    Raises
    ------
    InputError
        There is none, or it is not one of ours.
    """
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
        raw["notices"] = tuple(
            Notice(**{**n, "text": Text(**n["text"]), "examples": tuple(n["examples"])}) for n in raw["notices"]
        )
        raw["provenance"] = tuple(Provenance(**p) for p in raw["provenance"])
        raw["tilt_trials"] = tuple(TiltTrial(**t) for t in raw["tilt_trials"])
        raw["sides"] = tuple(SideRules(**{**s, "sun": DesignSun(**s["sun"])}) for s in raw.get("sides", ()))
        for name in ("districts", "failed_tiles", "files"):
            raw[name] = tuple(raw[name])
        return RunRecord(**raw)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(
            Text("cannot read the record of the run", "无法读取运行记录"),
            where=str(path),
            found=f"{type(error).__name__}: {error}",
            mend=Text("name the output folder of `rooftop run`", "请指定 rooftop run 的输出目录"),
        ) from error
