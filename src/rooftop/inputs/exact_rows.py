"""Rows of vector files as they are stored: integers keep every digit beside nulls, text is neither date nor number."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow
import pyogrio

BYTE_FORMATS = (".shp", ".dbf", ".zip")
"""Formats whose text is read byte for byte."""
_GEOJSON = (".geojson", ".json", ".geojsonl", ".geojsons")
_SQLITE = (".gpkg", ".sqlite", ".db")
_INT32 = (-(2**31), 2**31 - 1)


def read_exactly(source: Path | str | bytes, suffix: str, options: dict[str, Any]) -> pd.DataFrame:
    """Read rows by Arrow, which knows null integers; as rows where it cannot carry the text, its encoding, or curves.

    Parameters
    ----------
    source : Path, str or bytes
        Name as GDAL wants it, or content.
    suffix : str
        Of the file, in lower case.
    options : dict
        Of `pyogrio.read_dataframe`; ``layer columns encoding`` among them.

    Returns
    -------
    DataFrame
        RangeIndex. Integer columns are nullable.

    Raises
    ------
    UnicodeDecodeError
        Text is not in the encoding.
    """
    options = options | _driver_options(suffix)
    frame = _by_arrow(source, suffix, options)
    if frame is None:
        rows = pd.DataFrame(pyogrio.read_dataframe(source, use_arrow=False, fid_as_index=True, **options))
        frame = _integers(source, rows, options).reset_index(drop=True)
    return _restore_large_integers(source, options["layer"], frame) if suffix in _SQLITE else frame


def _driver_options(suffix: str) -> dict[str, str]:
    """Return what keeps a driver from guessing types: integers of 19 digits are no floats, ids no dates, lists text."""
    if suffix in BYTE_FORMATS:
        return {"ADJUST_TYPE": "YES"}
    return {"DATE_AS_STRING": "YES", "ARRAY_AS_STRING": "YES"} if suffix in _GEOJSON else {}


def _by_arrow(source: Path | str | bytes, suffix: str, options: dict[str, Any]) -> pd.DataFrame | None:
    if options["encoding"] is not None and suffix not in BYTE_FORMATS:
        return None
    kinds = {"arrow_to_pandas_kwargs": {"types_mapper": pandas_type}}
    try:
        return pd.DataFrame(pyogrio.read_dataframe(source, use_arrow=True, **kinds, **options))
    except (pyarrow.ArrowException, ValueError, NotImplementedError):
        return None


def pandas_type(kind: pyarrow.DataType) -> Any:
    """Return the pandas type that holds a column of an Arrow type without loss; None for pandas' own choice."""
    types = pyarrow.types
    if types.is_unsigned_integer(kind):
        return pd.UInt64Dtype()
    if types.is_integer(kind):
        return pd.Int64Dtype()
    if types.is_boolean(kind):
        return pd.BooleanDtype()
    if types.is_string(kind) or types.is_large_string(kind):
        return pd.StringDtype("python", na_value=np.nan)
    return None


def _integers(source: Path | str | bytes, frame: pd.DataFrame, options: dict[str, Any]) -> pd.DataFrame:
    """Read again, without the rows where they are null, the integer columns that nulls have turned into floats."""
    info = pyogrio.read_info(source, layer=options["layer"], encoding=options["encoding"])
    kinds = dict(zip(map(str, info["fields"]), map(str, info["dtypes"]), strict=True))
    for name in frame.columns:
        if not kinds.get(str(name), "").startswith("int") or not pd.api.types.is_float_dtype(frame[name]):
            continue
        filled = frame.index[frame[name].notna()]
        only = {"layer": options["layer"], "columns": [name], "encoding": options["encoding"], "read_geometry": False}
        again = pyogrio.read_dataframe(source, use_arrow=False, fids=filled.to_numpy(), fid_as_index=True, **only)
        frame[name] = again[name].astype("Int64").reindex(frame.index)
    return frame


def _restore_large_integers(source: Path | str | bytes, layer: str | None, frame: pd.DataFrame) -> pd.DataFrame:
    """Read again as text the columns that SQLite calls INTEGER and GDAL cuts at 32 bits."""
    for name in frame.columns:
        if name == "geometry" or not pd.api.types.is_integer_dtype(frame[name]):
            continue
        if not frame[name].isin(_INT32).any() or not frame[name].between(*_INT32).fillna(True).all():
            continue
        column, table = (part.replace('"', '""') for part in (str(name), str(layer)))
        sql = f'SELECT CAST("{column}" AS TEXT) AS whole FROM "{table}"'
        whole = pyogrio.read_dataframe(source, sql=sql, read_geometry=False, max_features=len(frame))["whole"]
        if len(whole) == len(frame):
            frame[name] = pd.array([pd.NA if pd.isna(v) else int(v) for v in whole], dtype="Int64")
    return frame
