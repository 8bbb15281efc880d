"""GeoParquet: what the file says about itself, and its rows."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow
import pyarrow.parquet
import shapely
from pyproj import CRS
from pyproj.exceptions import CRSError

from rooftop.core.errors import InputError
from rooftop.core.lang import Text
from rooftop.inputs.access import access, damaged_file_error
from rooftop.inputs.exact_rows import pandas_type
from rooftop.inputs.geometries import Shapes, shapes_of
from rooftop.inputs.vector_files import require_plausible, unreadable_file_error


@dataclass(frozen=True)
class GeoParquet:
    """What the file says about itself.

    Parameters
    ----------
    fields : tuple of str
        Columns that are no geometry.
    geometry : str
        Column of the geometries that are read, the primary one.
    encoding : str
        Of the geometries: ``WKB``, or a native one of GeoArrow.
    crs : pyproj.CRS or None
    types : str
        Geometry types, as stated.
    rows : int
    """

    fields: tuple[str, ...]
    geometry: str
    encoding: str
    crs: CRS | None
    types: str
    rows: int


@contextmanager
def _refuse_damaged(path: Path) -> Iterator[None]:
    try:
        yield
    except (pyarrow.ArrowException, OSError, MemoryError, UnicodeDecodeError) as error:
        raise unreadable_file_error(path, str(error).splitlines()[0] if str(error) else error) from error


def parquet_header(path: Path) -> GeoParquet:
    """Read the header of a GeoParquet file.

    Raises
    ------
    InputError
        It is damaged, too large to unpack, or has no geometry.
    """
    with _refuse_damaged(path):
        schema, meta = pyarrow.parquet.read_schema(path), pyarrow.parquet.read_metadata(path)
        unpacked = sum(meta.row_group(k).total_byte_size for k in range(meta.num_row_groups))
    if b"geo" not in (schema.metadata or {}):
        raise InputError(
            Text("the Parquet file has no geometry", "Parquet文件没有几何信息"),
            where=str(path),
            found=", ".join(schema.names[:8]),
            expected="GeoParquet",
            mend=Text("write it with GeoPandas or GDAL as GeoParquet", "请用GeoPandas或GDAL另存为GeoParquet"),
        )
    require_plausible(path, "Parquet", meta.num_rows)
    if unpacked > access().largest_bytes:
        raise damaged_file_error(path, "", f"{unpacked / 1e6:,.0f} MB")
    try:
        geo = json.loads(schema.metadata[b"geo"])
        column = geo["columns"][geo["primary_column"]]
        if geo["primary_column"] not in schema.names:
            raise KeyError(geo["primary_column"])
        crs = _crs(column)
        types = ", ".join(column.get("geometry_types") or []) or "Unknown"
        names = [c for c in schema.names if c not in geo["columns"] and c != "bbox" and not c.startswith("__")]
        return GeoParquet(
            tuple(names), str(geo["primary_column"]), str(column.get("encoding", "WKB")), crs, types, meta.num_rows
        )
    except (ValueError, KeyError, TypeError, AttributeError, CRSError) as error:
        raise unreadable_file_error(path, f"geo: {error!r}") from error


def _crs(column: dict[str, object]) -> CRS | None:
    """Return the CRS of a column: WGS84 where nothing is said, none where it is said to be unknown."""
    if "crs" not in column:
        return CRS.from_user_input("OGC:CRS84")
    stated = column["crs"]
    return CRS.from_json_dict(stated) if isinstance(stated, dict) and stated else None


def parquet_rows(path: Path, columns: list[str]) -> tuple[pd.DataFrame, Shapes]:
    """Read columns and geometries, instants as text.

    Raises
    ------
    InputError
        It is damaged.
    """
    header = parquet_header(path)
    with _refuse_damaged(path):
        table = pyarrow.parquet.ParquetFile(path).read(columns=[*columns, header.geometry])
        frame = table.select(columns).to_pandas(ignore_metadata=True, types_mapper=pandas_type)
        frame.index = pd.RangeIndex(table.num_rows)
        if header.encoding == "WKB":
            shapes = shapes_of(table.column(header.geometry).to_pylist())
        else:
            geometry = gpd.read_parquet(path, columns=[header.geometry]).geometry
            shapes = Shapes(shapely.force_2d(np.asarray(geometry, dtype=object)), np.array([], dtype=np.int64))
    for name in frame.columns[[pd.api.types.is_datetime64_any_dtype(t) for t in frame.dtypes]]:
        frame[name] = frame[name].dt.strftime("%Y-%m-%dT%H:%M:%S%z")
    return frame, shapes
