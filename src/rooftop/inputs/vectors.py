"""Shared reading of any vector file: layer, encoding, fields and CRS are settled here.

Shapefile text is read byte for byte and decoded by us, because neither the .cpg nor the language byte of the .dbf can
be trusted: a value cut in the middle of a character, or a wrong .cpg, must not stop a run.
"""

from __future__ import annotations

import difflib
import json
import logging
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow
import pyarrow.parquet
import pyogrio
import shapely
from pyogrio.errors import DataLayerError, DataSourceError
from pyproj import CRS

from rooftop.errors import InputError
from rooftop.inputs.datums import Geometries, parse_crs
from rooftop.inputs.encodings import BYTES, decode, detect_encoding, sibling
from rooftop.lang import Text
from rooftop.notices import Notice

log = logging.getLogger(__name__)

_PARQUET = (".parquet", ".geoparquet", ".pq")
_BYTE_FORMATS = (".shp", ".dbf", ".zip")
_ARROW = (".gpkg", ".fgb")
_SAMPLE_ROWS = 2000


@dataclass(frozen=True)
class Layer:
    """What a vector file says about itself, before any row is read.

    Parameters
    ----------
    path : Path
    layer : str or None
        Chosen layer; None for GeoParquet.
    fields : tuple of str
        Attribute names, decoded.
    encoding : str or None
        Encoding of the text, None where the format fixes it (UTF-8).
    crs : pyproj.CRS or None
    features : int
        -1 when the driver does not count.
    geometry_type : str
    raw_fields : tuple of str
        Names as the driver wants them asked for.
    notices : tuple of Notice
    """

    path: Path
    layer: str | None
    fields: tuple[str, ...]
    encoding: str | None
    crs: CRS | None
    features: int
    geometry_type: str
    raw_fields: tuple[str, ...] = ()
    notices: tuple[Notice, ...] = ()


@dataclass(frozen=True)
class Vector:
    """Rows of a vector file in its own CRS.

    Parameters
    ----------
    table : pandas.DataFrame
        The asked attribute columns, decoded; RangeIndex in file order.
    geometry : ndarray of shapely geometries
        2-D; None where the row has none.
    crs : pyproj.CRS
    layer : Layer
    notices : tuple of Notice
    """

    table: pd.DataFrame
    geometry: Geometries
    crs: CRS
    layer: Layer
    notices: tuple[Notice, ...] = ()


def did_you_mean(name: str, known: Sequence[str]) -> str | None:
    """Return the known name closest to `name`, or None."""
    lowered = {k.lower(): k for k in reversed(known)}
    if name.lower() in lowered:
        return lowered[name.lower()]
    close = difflib.get_close_matches(name.lower(), list(lowered), n=1, cutoff=0.6)
    return lowered[close[0]] if close else None


def suggest(near: str | None, otherwise: Text) -> Text:
    """Return "did you mean", or another mend where nothing is close."""
    return otherwise if near is None else Text(f"did you mean {near}?", f"是否为 {near}？")


# --- opening ---------------------------------------------------------------------------------------------------------


def open_layer(path: Path, *, layer: str | None = None, encoding: str | None = None, role: str = "") -> Layer:
    """Look into a vector file.

    Parameters
    ----------
    path : Path
        Anything GDAL reads, or GeoParquet.
    layer : str, optional
        Needed when the file has several.
    encoding : str, optional
        Of a format that does not fix it; found out when None.
    role : str
        Configuration key the file fills, for messages.

    Raises
    ------
    InputError
        Missing or unreadable file, unknown or unchosen layer, unknown encoding.
    """
    check_file(path, role)
    if encoding is not None:
        check_encoding(encoding, role)
    if path.suffix.lower() in _PARQUET:
        return _open_parquet(path)
    layer, notices = _choose_layer(path, layer, role)
    raw_bytes = path.suffix.lower() in _BYTE_FORMATS
    try:
        info = _info(path, layer, BYTES if raw_bytes else None)
    except UnicodeDecodeError:
        info, raw_bytes = _info(path, layer, BYTES), True
    fields = raw_fields = tuple(str(name) for name in np.asarray(info["fields"]))
    if raw_bytes:
        samples = [name.encode(BYTES) for name in raw_fields] + _sample_bytes(path, layer)
        encoding, how = (encoding, Text("configured", "配置指定")) if encoding else detect_encoding(samples, path)
        fields = tuple(decode(name, encoding)[0] for name in raw_fields)
        notices += _encoding_notice(path, encoding, how, samples)
    return Layer(
        path=path,
        layer=layer,
        fields=fields,
        encoding=encoding if raw_bytes else None,
        crs=parse_crs(str(info["crs"]), str(path)) if info["crs"] else None,
        features=int(str(info["features"])),
        geometry_type=str(info["geometry_type"]),
        raw_fields=raw_fields,
        notices=notices,
    )


def _sample_bytes(path: Path, layer: str | None) -> list[bytes]:
    """Return the text values of the first rows, undecoded."""
    frame = _read_frame(path, layer, None, BYTES, geometry=False, max_features=_SAMPLE_ROWS)
    columns = [frame[c].dropna() for c in frame.columns if not pd.api.types.is_numeric_dtype(frame[c])]
    return [str(v).encode(BYTES, errors="replace") for column in columns for v in column.unique()]


def _encoding_notice(path: Path, encoding: str, how: Text, samples: Sequence[bytes]) -> tuple[Notice, ...]:
    if all(sample.isascii() for sample in samples):
        return ()
    text = Text(f"text encoding {encoding}: {how.en}", f"文本编码 {encoding}：{how.zh}")
    return (Notice("encoding", text, severity="info", source=str(path), examples=(encoding,)),)


def check_file(path: Path, role: str) -> None:
    """Refuse a file that is not there, naming its likely neighbours."""
    if path.exists():
        return
    siblings = sorted(p.name for p in path.parent.iterdir()) if path.parent.is_dir() else []
    near = did_you_mean(path.name, siblings)
    if near is not None:
        mend = Text(f"did you mean {near}?", f"是否为 {near}？")
    elif not path.parent.is_dir():
        mend = Text(
            f"the folder {path.parent} does not exist; relative paths start at the configuration file",
            f"文件夹 {path.parent} 不存在；相对路径以配置文件所在位置为准",
        )
    else:
        mend = Text("relative paths start at the configuration file", "相对路径以配置文件所在位置为准")
    raise InputError(
        Text("the file does not exist", "文件不存在"),
        where=role or None,
        found=str(path),
        expected=Text("an existing file", "存在的文件"),
        mend=mend,
    )


def check_encoding(encoding: str, role: str) -> None:
    """Refuse an encoding Python does not know."""
    try:
        "a".encode(encoding)
    except LookupError as error:
        raise InputError(
            Text("the text encoding is not known", "无法识别文本编码"),
            where=f"{role}.encoding",
            found=encoding,
            expected="gbk, gb18030, utf-8, big5",
            mend=Text("leave it out: it is found out", "删去该项，将自动识别"),
        ) from error


def _info(path: Path, layer: str | None, encoding: str | None) -> dict[str, object]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return dict(pyogrio.read_info(path, layer=layer, encoding=encoding, force_feature_count=False))
    except (DataSourceError, DataLayerError) as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: Exception) -> InputError:
    missing = [s for s in (".shx", ".dbf") if path.suffix.lower() == ".shp" and not sibling(path, s)]
    if missing:
        parts = ", ".join(path.stem + suffix for suffix in missing)
        mend = Text(f"copy the whole shapefile: {parts} is missing", f"请复制完整的Shapefile：缺少 {parts}")
    else:
        mend = Text(
            "open it in QGIS; save it as GeoPackage if it opens there", "请在QGIS中打开检查；若能打开，另存为GeoPackage"
        )
    return InputError(
        Text("the file cannot be read as vector data", "无法作为矢量数据读取"),
        where=str(path),
        found=str(error).split(";")[0],
        expected="GeoPackage, Shapefile, GeoJSON, FlatGeobuf, GeoParquet",
        mend=mend,
    )


def _choose_layer(path: Path, layer: str | None, role: str) -> tuple[str | None, tuple[Notice, ...]]:
    """Return the layer to read: the asked one, the only one, or the only one with polygons."""
    try:
        listed = pyogrio.list_layers(path)
    except (DataSourceError, DataLayerError) as error:
        raise _unreadable(path, error) from error
    names = [str(row[0]) for row in listed]
    if not names:
        raise InputError(
            Text("the file has no layer", "文件中没有图层"),
            where=str(path),
            found="0",
            expected=Text("a layer of polygons", "面图层"),
            mend=Text("check the export", "请检查导出过程"),
        )
    if layer is not None:
        if layer in names:
            return layer, ()
        near = did_you_mean(layer, names)
        raise InputError(
            Text("the file has no such layer", "文件中没有该图层"),
            where=f"{role}.layer",
            found=layer,
            expected=", ".join(names),
            mend=suggest(near, Text("choose one of these", "请从中选择")),
        )
    if len(names) == 1:
        return names[0], ()
    polygons = [str(row[0]) for row in listed if "Polygon" in str(row[1]) or str(row[1]) in ("Unknown", "Surface")]
    if len(polygons) != 1:
        raise InputError(
            Text("the file has several layers", "文件中有多个图层"),
            where=f"{role}.layer",
            found=", ".join(names),
            expected=Text("the name of one of them", "其中一个图层名"),
            mend=Text("set layer in the configuration", "请在配置中设置 layer"),
        )
    notice = Notice(
        "layer_chosen",
        Text(
            f"of {len(names)} layers, {polygons[0]} is read: the only one with polygons",
            f"共{len(names)}个图层，读取唯一的面图层 {polygons[0]}",
        ),
        severity="info",
        source=str(path),
    )
    return polygons[0], (notice,)


def _open_parquet(path: Path) -> Layer:
    try:
        schema = pyarrow.parquet.read_schema(path)
        rows = pyarrow.parquet.read_metadata(path).num_rows
    except (pyarrow.ArrowInvalid, OSError) as error:
        raise _unreadable(path, error) from error
    if b"geo" not in (schema.metadata or {}):
        raise InputError(
            Text("the Parquet file has no geometry", "Parquet文件没有几何信息"),
            where=str(path),
            found=", ".join(schema.names[:8]),
            expected="GeoParquet",
            mend=Text("write it with GeoPandas or GDAL as GeoParquet", "请用GeoPandas或GDAL另存为GeoParquet"),
        )
    geo = json.loads(schema.metadata[b"geo"])
    column = geo["columns"][geo["primary_column"]]
    crs = CRS.from_json_dict(column["crs"]) if column.get("crs") else CRS.from_user_input("OGC:CRS84")
    fields = tuple(c for c in schema.names if c not in geo["columns"] and c != "bbox" and not c.startswith("__"))
    types = ", ".join(column.get("geometry_types") or []) or "Unknown"
    return Layer(path, None, fields, None, crs if "crs" not in column or column["crs"] else None, rows, types, fields)


# --- reading ---------------------------------------------------------------------------------------------------------


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
        As in `open_layer`.
    crs : str, optional
        CRS of a file that states none. When the file states another one, the configured one is used, with a warning.
    role : str
        Configuration key the file fills (``inputs.footprints``), for messages.

    Raises
    ------
    InputError
        As `open_layer`; a field is not in the file; no CRS; no rows; no polygons.
    """
    opened = open_layer(path, layer=layer, encoding=encoding, role=role)
    require_fields(opened, columns, role)
    source_crs, notices = _settle_crs(opened, crs, role)
    wanted = list(dict.fromkeys(columns.values()))
    if path.suffix.lower() in _PARQUET:
        table, geometry = _rows_of_parquet(path, wanted)
    else:
        table, geometry, damaged = _rows_of_gdal(opened, wanted)
        notices += damaged
    if len(table) == 0:
        raise InputError(
            Text("the layer is empty", "图层为空"),
            where=str(path),
            found=Text("0 features", "0 个要素"),
            expected=Text("at least one polygon", "至少一个面要素"),
            mend=Text("check the export, or choose another layer", "请检查导出过程，或选择其他图层"),
        )
    geometry, dropped = _polygons_only(geometry, path)
    return Vector(table, geometry, source_crs, opened, opened.notices + notices + dropped)


def require_fields(layer: Layer, columns: dict[str, str], role: str) -> None:
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


def _settle_crs(layer: Layer, declared: str | None, role: str) -> tuple[CRS, tuple[Notice, ...]]:
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


def _rows_of_parquet(path: Path, wanted: list[str]) -> tuple[pd.DataFrame, Geometries]:
    schema = pyarrow.parquet.read_schema(path)
    primary = json.loads(schema.metadata[b"geo"])["primary_column"]
    frame = gpd.read_parquet(path, columns=[*wanted, primary]).reset_index(drop=True)
    table = pd.DataFrame(frame[wanted])
    for name in table.columns[[pd.api.types.is_datetime64_any_dtype(t) for t in table.dtypes]]:
        table[name] = table[name].dt.strftime("%Y-%m-%d")
    return table, shapely.force_2d(np.asarray(frame.geometry, dtype=object))


def _rows_of_gdal(layer: Layer, wanted: list[str]) -> tuple[pd.DataFrame, Geometries, tuple[Notice, ...]]:
    raw_of = dict(zip(layer.fields, layer.raw_fields, strict=True))
    raw = [raw_of[name] for name in wanted]
    codec = layer.encoding
    try:
        frame = _read_frame(layer.path, layer.layer, raw, BYTES if codec else None)
    except UnicodeDecodeError:
        frame = _read_frame(layer.path, layer.layer, raw, BYTES)
        samples = [v.encode(BYTES) for c in raw for v in frame[c].dropna().unique() if isinstance(v, str)]
        codec = detect_encoding(samples, layer.path)[0]
    geometry = np.asarray(frame["geometry"], dtype=object) if "geometry" in frame else np.full(len(frame), None)
    table, broken = {}, []
    for name in wanted:
        table[name] = frame[raw_of[name]]
        if codec and not pd.api.types.is_numeric_dtype(table[name]):
            table[name], bad = _decode_column(table[name], codec)
            broken += bad
    notices: tuple[Notice, ...] = ()
    if broken:
        text = Text(f"{len(broken)} texts have damaged characters", f"{len(broken)} 处文本含损坏字符")
        examples = tuple(dict.fromkeys(broken))[:5]
        notices = (Notice("text_damaged", text, len(broken), source=str(layer.path), examples=examples),)
    return pd.DataFrame(table, index=pd.RangeIndex(len(frame))), shapely.force_2d(geometry), notices


def _decode_column(column: pd.Series, codec: str) -> tuple[pd.Series, list[str]]:
    """Decode a byte-for-byte column; return it and its damaged values."""
    decoded = {v: decode(v, codec) for v in column.dropna().unique() if isinstance(v, str)}
    damaged = column.map(lambda v: isinstance(v, str) and decoded[v][1])
    text = column.map(lambda v: decoded[v][0] if isinstance(v, str) else v)
    return text, [str(v) for v in text[damaged.astype(bool)]]


def _read_frame(
    path: Path,
    layer: str | None,
    columns: list[str] | None,
    encoding: str | None,
    *,
    geometry: bool = True,
    max_features: int | None = None,
) -> pd.DataFrame:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return pd.DataFrame(
                pyogrio.read_dataframe(
                    path,
                    layer=layer,
                    columns=columns,
                    encoding=encoding,
                    read_geometry=geometry,
                    max_features=max_features,
                    datetime_as_string=True,
                    use_arrow=encoding is None and path.suffix.lower() in _ARROW,
                    **({"on_invalid": "fix"} if geometry else {}),
                )
            )
    except (DataSourceError, DataLayerError) as error:
        raise _unreadable(path, error) from error


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
    count = int(other.sum())
    text = Text(f"{count} rows are points or lines, not polygons", f"{count} 行是点或线而非面")
    rows = tuple(str(i) for i in np.flatnonzero(other)[:5])
    return out, (Notice("not_polygon", text, count, source=str(path), examples=rows),)
