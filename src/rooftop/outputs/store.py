"""The contract's tables on disk: written at once, read back by the commands that rebuild one product."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import pandas as pd
from pyarrow import parquet

from rooftop.errors import InputError
from rooftop.lang import Text
from rooftop.tables import COVERAGE, DISTRICTS, MEMBERSHIPS, PLANES, ROOFS, TIMELINE, conform

CRS_OUT = "OGC:CRS84"


@dataclass(frozen=True)
class RunTables:
    """The tables of one run.

    Parameters
    ----------
    roofs : GeoDataFrame
        ``tables.ROOFS`` and footprints in OGC:CRS84.
    planes : DataFrame
        ``tables.PLANES``, and the plan of each plane in OGC:CRS84.
    memberships, coverage : DataFrame
        ``tables.MEMBERSHIPS``, ``tables.COVERAGE``.
    districts : GeoDataFrame
        ``tables.DISTRICTS`` of districts, towns and zones, with their polygons.
    timeline : DataFrame or None
        ``tables.TIMELINE``; None where the pack sets no dated coverage target.
    """

    roofs: gpd.GeoDataFrame
    planes: pd.DataFrame
    memberships: pd.DataFrame
    districts: gpd.GeoDataFrame
    coverage: pd.DataFrame
    timeline: pd.DataFrame | None = None

    def conformed(self) -> RunTables:
        """Return the same with columns ordered and typed as the contract says."""
        return RunTables(
            gpd.GeoDataFrame(conform(self.roofs, ROOFS), geometry="geometry", crs=self.roofs.crs),
            _with_plans(conform(self.planes, PLANES), getattr(self.planes, "crs", None)),
            conform(self.memberships, MEMBERSHIPS),
            gpd.GeoDataFrame(conform(self.districts, DISTRICTS), geometry="geometry", crs=self.districts.crs),
            conform(self.coverage, COVERAGE),
            None if self.timeline is None else conform(self.timeline, TIMELINE),
        )


def write_at_once(path: Path, write: Callable[[Path], object]) -> Path:
    """Write beside `path` and rename, so that the file is whole or absent."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.stem}.part{path.suffix}")
    write(temporary)
    os.replace(temporary, path)
    return path


def write_tables(folder: Path, tables: RunTables) -> list[Path]:
    """Write the tables; districts, coverage and timeline as CSV (UTF-8 with BOM, for spreadsheets)."""
    coverage, timeline = tables.coverage, tables.timeline
    plain = pd.DataFrame(tables.districts.drop(columns="geometry"))
    return [
        write_at_once(folder / "roofs.parquet", lambda p: tables.roofs.to_parquet(p, index=False)),
        write_at_once(folder / "planes.parquet", lambda p: tables.planes.to_parquet(p, index=False)),
        write_at_once(folder / "memberships.parquet", lambda p: tables.memberships.to_parquet(p, index=False)),
        write_at_once(folder / "districts.parquet", lambda p: tables.districts.to_parquet(p, index=False)),
        write_at_once(folder / "districts.csv", lambda p: _csv(plain, p)),
        write_at_once(folder / "coverage.csv", lambda p: _csv(coverage, p)),
        *([] if timeline is None else [write_at_once(folder / "timeline.csv", lambda p: _csv(timeline, p))]),
    ]


def write_modules(folder: Path, modules: gpd.GeoDataFrame) -> Path:
    """Write the polygons of modules, ``modules.parquet``, in OGC:CRS84."""
    out = modules.to_crs(CRS_OUT)
    return write_at_once(folder / "modules.parquet", lambda p: out.to_parquet(p, index=False))


def _csv(frame: pd.DataFrame, path: Path) -> None:
    frame.to_csv(path, index=False, encoding="utf-8-sig", lineterminator="\n", float_format="%.10g")


def _with_plans(planes: pd.DataFrame, crs: object) -> pd.DataFrame:
    """Keep planes a GeoDataFrame where they have their plan; runs of earlier versions have none."""
    return gpd.GeoDataFrame(planes, geometry="geometry", crs=crs) if "geometry" in planes else planes


def _read_planes(path: Path) -> pd.DataFrame:
    with_plans = b"geo" in (parquet.read_schema(path).metadata or {})
    return gpd.read_parquet(path) if with_plans else pd.read_parquet(path)


def read_tables(folder: Path) -> RunTables:
    """Read the tables of a finished run.

    Raises
    ------
    InputError
        `folder` holds no finished run.
    """
    for name in ("roofs.parquet", "planes.parquet", "memberships.parquet", "districts.parquet", "coverage.csv"):
        if not (folder / name).exists():
            raise InputError(
                Text("this folder holds no finished run", "该目录中没有已完成的运行结果"),
                where=str(folder / name),
                mend=Text("name the output folder of `rooftop run`", "请指定 rooftop run 的输出目录"),
            )
    ids = {name: str for name in ("unit_id", "unit_name")}
    timeline = folder / "timeline.csv"
    return RunTables(
        gpd.read_parquet(folder / "roofs.parquet"),
        _read_planes(folder / "planes.parquet"),
        pd.read_parquet(folder / "memberships.parquet"),
        gpd.read_parquet(folder / "districts.parquet"),
        pd.read_csv(folder / "coverage.csv", encoding="utf-8-sig", dtype=ids),
        pd.read_csv(timeline, encoding="utf-8-sig", dtype=ids) if timeline.exists() else None,
    ).conformed()
