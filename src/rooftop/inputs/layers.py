"""What a vector file says about itself before its rows are read: layer, encoding, fields and CRS are settled here.

Shapefile text is read byte for byte and decoded by us, because neither the .cpg nor the language byte of the .dbf can
be trusted: a value cut in the middle of a character, or a wrong .cpg, must not stop a run.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyogrio
from pyproj import CRS

from rooftop.core.errors import InputError
from rooftop.core.lang import Text
from rooftop.core.notices import Notice
from rooftop.inputs.datums import parse_crs
from rooftop.inputs.encodings import BYTES, decode, detect_encoding
from rooftop.inputs.exact_rows import BYTE_FORMATS, read_exactly
from rooftop.inputs.file_kinds import bare_table_error, refuse_other_kinds
from rooftop.inputs.files import check_encoding, did_you_mean, suggest
from rooftop.inputs.geoparquet import parquet_header
from rooftop.inputs.vector_files import admit, gdal, require_plausible, unreadable_file_error

PARQUET = (".parquet", ".geoparquet", ".pq")
_WITH_POLYGONS = ("Polygon", "Surface", "Unknown", "TIN", "Triangle")
_SAMPLE_ROWS = 2000


@dataclass(frozen=True)
class VectorLayer:
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


def open_vector_layer(
    path: Path, *, layer: str | None = None, encoding: str | None = None, role: str = ""
) -> VectorLayer:
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
    admit(path, role)
    refuse_other_kinds(path, role)
    if encoding is not None:
        check_encoding(encoding, role)
    if path.suffix.lower() in PARQUET:
        about = parquet_header(path)
        return VectorLayer(path, None, about.fields, None, about.crs, about.rows, about.types, about.fields)
    layer, notices = _choose_layer(path, layer, role)
    raw_bytes = path.suffix.lower() in BYTE_FORMATS
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
    return VectorLayer(
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
    frame = read_frame(path, layer, None, BYTES, max_features=_SAMPLE_ROWS)
    columns = [frame[c].dropna() for c in frame.columns if not pd.api.types.is_numeric_dtype(frame[c])]
    return [str(v).encode(BYTES, errors="replace") for column in columns for v in column.unique()]


def _encoding_notice(path: Path, encoding: str, how: Text, samples: Sequence[bytes]) -> tuple[Notice, ...]:
    if all(sample.isascii() for sample in samples):
        return ()
    text = Text("text encoding {encoding}: {how}", "文本编码 {encoding}：{how}").format(encoding=encoding, how=how)
    return (Notice("encoding", text, severity="info", source=str(path), examples=(encoding,)),)


def _info(path: Path, layer: str | None, encoding: str | None) -> dict[str, object]:
    with gdal(path) as name:
        info = dict(pyogrio.read_info(name, layer=layer, encoding=encoding, force_feature_count=False))
    require_plausible(path, str(info["driver"]), int(str(info["features"])))
    return info


def _choose_layer(path: Path, layer: str | None, role: str) -> tuple[str | None, tuple[Notice, ...]]:
    """Return the layer to read: the asked one, the only one, or the only one with polygons."""
    with gdal(path) as name:
        listed = pyogrio.list_layers(name)
    names = [str(row[0]) for row in listed]
    if not names:
        raise InputError(
            Text("the file has no layer", "文件中没有图层"),
            where=str(path),
            found="0",
            expected=Text("a layer of polygons", "面图层"),
            mend=Text("check the export", "请检查导出过程"),
        )
    if all(row[1] is None for row in listed):
        raise bare_table_error(path, role)
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
    polygons = [str(row[0]) for row in listed if any(word in str(row[1]) for word in _WITH_POLYGONS)]
    if len(polygons) != 1:
        raise InputError(
            Text("the file has several layers", "文件中有多个图层"),
            where=f"{role}.layer",
            found=", ".join(names),
            expected=Text("the name of one of them", "其中一个图层名"),
            mend=Text("name it with --layer", "请用 --layer 指定")
            if role.startswith("--")
            else Text("set layer in the configuration", "请在配置中设置 layer"),
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


def read_frame(
    path: Path, layer: str | None, columns: list[str] | None, encoding: str | None, *, max_features: int | None = None
) -> pd.DataFrame:
    """Read attributes by GDAL: dates and lists as text, whole numbers as integers also where some are null.

    Parameters
    ----------
    columns : list of str or None
        As the driver wants them asked for; None: all. Where none is asked for, there are no rows either.
    encoding : str or None
        None: the driver's own.
    max_features : int or None

    Raises
    ------
    InputError
        The file cannot be read, or a field in it.
    UnicodeDecodeError
        Text is not in the encoding.
    """
    if columns == []:
        return pd.DataFrame()
    try:
        return _read_columns(path, layer, columns, encoding, max_features)
    except UnicodeDecodeError:
        raise
    except (ValueError, TypeError, OverflowError) as error:
        raise _unreadable_field_error(path, layer, columns, encoding, error) from error


def _read_columns(
    path: Path, layer: str | None, columns: list[str] | None, encoding: str | None, max_features: int | None = None
) -> pd.DataFrame:
    options: dict[str, Any] = {
        "layer": layer,
        "columns": columns,
        "encoding": encoding,
        "read_geometry": False,
        "max_features": max_features,
        "datetime_as_string": True,
    }
    with gdal(path) as name:
        return read_exactly(name, path.suffix.lower(), options)


def _unreadable_field_error(
    path: Path, layer: str | None, columns: list[str] | None, encoding: str | None, error: Exception
) -> InputError:
    """Return the error about the first field that cannot be read."""
    for column in columns or []:
        try:
            _read_columns(path, layer, [column], encoding)
        except (ValueError, TypeError, OverflowError) as why:
            return InputError(
                Text("a field holds values that cannot be read", "字段含无法读取的值"),
                where=f"{path}: {column}",
                found=str(why)[:200],
                expected=Text("numbers or text", "数值或文本"),
                mend=Text("map the key to another field, or to null", "请映射到其他字段，或设为 null"),
            )
    return unreadable_file_error(path, error)
