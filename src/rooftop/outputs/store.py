"""The contract's tables on disk: written at once, read back by the commands that rebuild one product."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
from pyarrow import parquet

from rooftop.core.errors import ComputeError, InputError
from rooftop.core.lang import Text
from rooftop.outputs.files import write_at_once
from rooftop.outputs.guard import guard_columns, unguard_columns
from rooftop.tables import COVERAGE, DISTRICTS, MEMBERSHIPS, MODULES, PLANES, ROOFS, TIMELINE, Table, conform

CRS_OUT = "OGC:CRS84"


@dataclass(frozen=True, kw_only=True)
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
    modules : GeoDataFrame or None
        ``tables.MODULES`` and their polygons in OGC:CRS84; None where they were not asked for.
    """

    roofs: gpd.GeoDataFrame
    planes: pd.DataFrame
    memberships: pd.DataFrame
    districts: gpd.GeoDataFrame
    coverage: pd.DataFrame
    timeline: pd.DataFrame | None = None
    modules: gpd.GeoDataFrame | None = None

    def conformed(self) -> RunTables:
        """Return the same with columns ordered and typed as the contract says."""
        return RunTables(
            roofs=gpd.GeoDataFrame(conform(self.roofs, ROOFS), geometry="geometry", crs=self.roofs.crs),
            planes=_with_plans(conform(self.planes, PLANES), getattr(self.planes, "crs", None)),
            memberships=conform(self.memberships, MEMBERSHIPS),
            districts=gpd.GeoDataFrame(conform(self.districts, DISTRICTS), geometry="geometry", crs=self.districts.crs),
            coverage=conform(self.coverage, COVERAGE),
            timeline=None if self.timeline is None else conform(self.timeline, TIMELINE),
            modules=None if self.modules is None else _with_plans(conform(self.modules, MODULES), self.modules.crs),
        )


def write_csv_table(path: Path, frame: pd.DataFrame) -> Path:
    """Write a table as CSV (UTF-8 with BOM, for spreadsheets), whole or not at all.

    Text that a spreadsheet would take for a formula is led by an apostrophe (`rooftop.outputs.guard`).
    """
    return write_at_once(path, partial(_csv, frame))


def write_tables(folder: Path, tables: RunTables) -> list[Path]:
    """Write the tables; districts, coverage and timeline as CSV (UTF-8 with BOM, for spreadsheets)."""
    frames: dict[str, pd.DataFrame | None] = {
        "roofs.parquet": tables.roofs,
        "planes.parquet": tables.planes,
        "modules.parquet": tables.modules,
        "memberships.parquet": tables.memberships,
        "districts.parquet": tables.districts,
        "districts.csv": pd.DataFrame(tables.districts.drop(columns="geometry")),
        "coverage.csv": tables.coverage,
        "timeline.csv": tables.timeline,
    }
    return [write_at_once(folder / name, partial(_write, frame)) for name, frame in frames.items() if frame is not None]


def _write(frame: pd.DataFrame, path: Path) -> None:
    if path.suffix == ".csv":
        _csv(frame, path)
    else:
        frame.to_parquet(path, index=False)


def _csv(frame: pd.DataFrame, path: Path) -> None:
    frame = guard_columns(frame)
    frame.to_csv(path, index=False, encoding="utf-8-sig", lineterminator="\n", float_format="%.10g")


def _with_plans(planes: pd.DataFrame, crs: object) -> Any:
    """Keep planes a GeoDataFrame where they have their plan; runs of earlier versions have none."""
    return gpd.GeoDataFrame(planes, geometry="geometry", crs=crs) if "geometry" in planes else planes


def _read_planes(path: Path) -> pd.DataFrame:
    with_plans = b"geo" in (parquet.read_schema(path).metadata or {})
    return gpd.read_parquet(path) if with_plans else pd.read_parquet(path)


def _read_csv(path: Path, table: Table) -> pd.DataFrame:
    """Read a table back: text as it was written (00123, NA), nothing but empty cells null."""
    texts = {column.name: str for column in table.columns if column.kind == "str"}
    read = pd.read_csv(path, encoding="utf-8-sig", dtype=texts, keep_default_na=False, na_values=[""])
    return unguard_columns(read)


NEEDED = ("roofs.parquet", "planes.parquet", "memberships.parquet", "districts.parquet", "coverage.csv")
OPTIONAL = ("timeline.csv", "modules.parquet")


def read_tables(folder: Path, files: Collection[str] | None = None) -> RunTables:
    """Read the tables of a finished run.

    Parameters
    ----------
    folder : Path
    files : collection of str, optional
        Files of the run: of `OPTIONAL` tables none but these are read; when left out, those that are there.

    Raises
    ------
    InputError
        `folder` holds no finished run, or one of another version, whose tables have other columns.
    """
    for name in NEEDED:
        if not (folder / name).exists():
            raise InputError(
                Text("this folder holds no finished run", "该目录中没有已完成的运行结果"),
                where=str(folder / name),
                mend=Text("name the output folder of `rooftop run`", "请指定 rooftop run 的输出目录"),
            )
    timeline, modules = (
        folder / name if (name in files if files is not None else (folder / name).exists()) else None
        for name in OPTIONAL
    )
    tables = RunTables(
        roofs=gpd.read_parquet(folder / "roofs.parquet"),
        planes=_read_planes(folder / "planes.parquet"),
        memberships=pd.read_parquet(folder / "memberships.parquet"),
        districts=gpd.read_parquet(folder / "districts.parquet"),
        coverage=_read_csv(folder / "coverage.csv", COVERAGE),
        timeline=_read_csv(timeline, TIMELINE) if timeline else None,
        modules=gpd.read_parquet(modules) if modules else None,
    )
    try:
        return tables.conformed()
    except ComputeError as error:
        missing = error.details["found"]
        raise InputError(
            Text("another version of rooftop made this run", "该结果由其他版本的 rooftop 生成"),
            where=str(folder),
            found=Text(f"columns that are missing: {missing}", f"缺少列：{missing}"),
            mend=Text("compute it again into the same folder: `rooftop run`", "请重新运行 rooftop run，输出到同一目录"),
        ) from error
