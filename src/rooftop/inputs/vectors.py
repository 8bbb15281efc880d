"""Rows of any vector file: the asked attributes, decoded, and polygons in the file's CRS."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import shapely
from pyproj import CRS

from rooftop.core.errors import InputError
from rooftop.core.lang import Text
from rooftop.core.notices import Notice
from rooftop.core.types import B1, Geometries
from rooftop.inputs.coordinate_checks import misplaced_notice, misplaced_rows
from rooftop.inputs.datums import parse_crs
from rooftop.inputs.encodings import BYTES, decode, detect_encoding
from rooftop.inputs.extent import blank_rows
from rooftop.inputs.files import did_you_mean, suggest
from rooftop.inputs.geometries import Shapes, damaged_notice, read_shapes, shapes_of
from rooftop.inputs.geoparquet import parquet_rows
from rooftop.inputs.layers import PARQUET, VectorLayer, open_vector_layer, read_frame
from rooftop.inputs.plain_values import plain_values
from rooftop.inputs.vector_files import unreadable_file_error


@dataclass(frozen=True)
class Vector:
    """Rows of a vector file in its own CRS.

    Parameters
    ----------
    table : pandas.DataFrame
        The asked attribute columns, decoded; RangeIndex in file order.
    geometry : ndarray of shapely geometries
        2-D; None where the row has none, and on `misplaced` rows.
    crs : pyproj.CRS
    layer : VectorLayer
    misplaced : ndarray of bool
        Rows with coordinates that the CRS cannot hold.
    notices : tuple of Notice
    """

    table: pd.DataFrame
    geometry: Geometries
    crs: CRS
    layer: VectorLayer
    misplaced: B1
    notices: tuple[Notice, ...] = ()


def read_vector(
    path: Path,
    columns: dict[str, str],
    *,
    layer: str | None = None,
    encoding: str | None = None,
    crs: str | None = None,
    role: str = "",
) -> Vector:
    """Read polygons and some attributes of a vector file.

    Parameters
    ----------
    path : Path
    columns : dict of str to str
        Configuration key (``fields.height_m``) -> field of the file; only these fields are read.
    layer, encoding : str, optional
        As in `open_vector_layer`.
    crs : str, optional
        CRS of a file that states none. When the file states another one, the configured one is used, with a warning.
    role : str
        Configuration key the file fills (``inputs.footprints``), for messages.

    Raises
    ------
    InputError
        As `open_vector_layer`; a field is not in the file; no CRS; no rows; no polygons.
    """
    opened = open_vector_layer(path, layer=layer, encoding=encoding, role=role)
    require_fields(opened, columns, role)
    source_crs, notices = _settle_crs(opened, crs, role)
    names = list(dict.fromkeys(columns.values()))
    if path.suffix.lower() in PARQUET:
        table, shapes = parquet_rows(path, names)
    else:
        table, shapes, gdal_notices = _rows_of_gdal(opened, names)
        notices += gdal_notices
    table, written_out = plain_values(table, str(path))
    notices += (*damaged_notice(shapes.damaged, str(path)), *written_out)
    geometry = shapes.geometry
    if len(table) == 0:
        raise InputError(
            Text("the layer is empty", "图层为空"),
            where=str(path),
            found=Text("0 features", "0 个要素"),
            expected=Text("at least one polygon", "至少一个面要素"),
            mend=Text("check the export, or choose another layer", "请检查导出过程，或选择其他图层"),
        )
    geometry, dropped = _polygons_only(geometry, path)
    notices = opened.notices + notices + dropped
    misplaced = misplaced_rows(geometry, source_crs)
    if misplaced.any():
        notices += (misplaced_notice(geometry, misplaced, source_crs, str(path)),)
        geometry = blank_rows(geometry, misplaced)
    return Vector(table, geometry, source_crs, opened, misplaced, notices)


def require_fields(layer: VectorLayer, columns: dict[str, str], role: str) -> None:
    """Refuse a mapped field the file does not have, listing those it has.

    Raises
    ------
    InputError
        Names the configuration key, the fields of the file and the likeliest one.
    """
    for key, name in columns.items():
        if name in layer.fields:
            continue
        near = did_you_mean(name, layer.fields)
        raise InputError(
            Text("the file has no such field", "文件中没有该字段"),
            where=Text(f"{role}.{key} ({layer.path})", f"{role}.{key}（{layer.path}）"),
            found=name,
            expected=", ".join(layer.fields) or Text("(the file has no attributes)", "（文件没有属性表）"),
            mend=suggest(near, Text("map the key to one of these, or to null", "请映射到其中一个字段，或设为 null")),
        )


def _settle_crs(layer: VectorLayer, declared: str | None, role: str) -> tuple[CRS, tuple[Notice, ...]]:
    if declared is None:
        if layer.crs is not None:
            return layer.crs, ()
        raise InputError(
            Text("the file states no CRS", "文件没有坐标系信息"),
            where=str(layer.path),
            found=Text("no .prj, no CRS", "无 .prj，无坐标系"),
            expected=Text("a CRS in the file or in the configuration", "文件自带或在配置中声明的坐标系"),
            mend=Text(f"set {role}.crs, e.g. EPSG:4490", f"请设置 {role}.crs，如 EPSG:4490"),
        )
    crs = parse_crs(declared, f"{role}.crs")
    if layer.crs is None or layer.crs == crs:
        return crs, ()
    notice = Notice(
        "crs_overridden",
        Text(
            f"the file states {layer.crs.name}; the configured {crs.name} is used instead",
            f"文件声明的坐标系为 {layer.crs.name}，按配置改用 {crs.name}",
        ),
        source=str(layer.path),
    )
    return crs, (notice,)


def _rows_of_gdal(layer: VectorLayer, names: list[str]) -> tuple[pd.DataFrame, Shapes, tuple[Notice, ...]]:
    raw_of = dict(zip(layer.fields, layer.raw_fields, strict=True))
    raw = [raw_of[name] for name in names]
    codec = layer.encoding
    try:
        frame = read_frame(layer.path, layer.layer, raw, BYTES if codec else None)
    except UnicodeDecodeError:
        frame = read_frame(layer.path, layer.layer, raw, BYTES)
        samples = [v.encode(BYTES) for c in raw for v in frame[c].dropna().unique() if isinstance(v, str)]
        codec = detect_encoding(samples, layer.path)[0]
    shapes = read_shapes(layer.path, layer.layer, BYTES if codec else None)
    if not len(shapes.geometry):  # a table without geometries
        shapes = shapes_of([None] * len(frame))
    if raw and len(shapes.geometry) != len(frame):
        raise unreadable_file_error(layer.path, f"{len(frame)} rows, {len(shapes.geometry)} geometries")
    table, broken = {}, []
    for name in names:
        table[name] = frame[raw_of[name]]
        if codec and not pd.api.types.is_numeric_dtype(table[name]):
            table[name], bad = _decode_column(table[name], codec)
            broken += bad
    notices: tuple[Notice, ...] = ()
    if broken:
        text = Text(f"{len(broken)} texts have damaged characters", f"{len(broken)} 处文本含损坏字符")
        examples = tuple(dict.fromkeys(broken))[:5]
        notices = (Notice("text_damaged", text, len(broken), source=str(layer.path), examples=examples),)
    return pd.DataFrame(table, index=pd.RangeIndex(len(shapes.geometry))), shapes, notices


def _decode_column(column: pd.Series, codec: str) -> tuple[pd.Series, list[str]]:
    """Decode a byte-for-byte column; return it and its damaged values."""
    decoded = {v: decode(v, codec) for v in column.dropna().unique() if isinstance(v, str)}
    damaged = column.map(lambda v: isinstance(v, str) and decoded[v][1])
    text = column.map(lambda v: decoded[v][0] if isinstance(v, str) else v)
    return text, [str(v) for v in text[damaged.astype(bool)]]


def _polygons_only(geometry: Geometries, path: Path) -> tuple[Geometries, tuple[Notice, ...]]:
    """Keep polygons and collections; anything else becomes None, counted; no polygon at all is an error."""
    types = shapely.get_type_id(geometry)
    known = np.isin(types, (3, 6, 7))
    other = (types >= 0) & ~known
    if other.any() and not known.any():
        names = sorted({str(shapely.GeometryType(t).name) for t in types[other]})
        raise InputError(
            Text("the layer has no polygons", "图层中没有面要素"),
            where=str(path),
            found=", ".join(names),
            expected="POLYGON, MULTIPOLYGON",
            mend=Text(
                "choose the polygon layer, or turn closed lines into polygons", "请选择面图层，或将闭合线转换为面"
            ),
        )
    if not other.any():
        return geometry, ()
    out = geometry.copy()
    out[other] = None
    text = Text("{n} rows are points or lines, not polygons", "{n} 行是点或线而非面")
    return out, Notice.counted("not_polygon", other, text, source=str(path))
