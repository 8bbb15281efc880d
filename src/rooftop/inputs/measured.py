"""Metered annual energy of buildings, from a CSV that names buildings by their id."""

from __future__ import annotations

import io
from pathlib import Path

import pandas as pd

from rooftop.errors import InputError
from rooftop.inputs.encodings import BYTES, detect_encoding
from rooftop.lang import Text
from rooftop.notices import Notice, Provenance, file_sha256

COLUMNS = ("measured_energy_kwh", "measured_fuel_kgce")


def read_measured(path: Path, building_ids: pd.Series) -> tuple[pd.DataFrame, tuple[Notice, ...], Provenance]:
    """Read metered energy and align it with the buildings.

    Parameters
    ----------
    path : Path
        CSV with ``building_id`` and at least one of ``measured_energy_kwh`` (electricity, or all energy as electricity,
        a year) and ``measured_fuel_kgce`` (heating and fuels, a year).
    building_ids : Series of str

    Returns
    -------
    DataFrame
        Both columns, index of `building_ids`; NaN where nothing is metered.
    tuple of Notice
        Rows of buildings that there are not.
    Provenance

    Raises
    ------
    InputError
        The file cannot be read, a column or value is wrong, or a building stands twice.
    """
    frame = _read(path)
    found = [name for name in COLUMNS if name in frame]
    if "building_id" not in frame or not found:
        raise InputError(
            Text("the file of metered energy lacks its columns", "计量能耗文件缺少必需的列"),
            where=str(path),
            found=", ".join(map(str, frame.columns)),
            expected=f"building_id, {', '.join(COLUMNS)}",
        )
    ids = frame["building_id"].astype("string").str.strip()
    if ids.duplicated().any():
        raise InputError(
            Text("a building stands twice in the file of metered energy", "计量能耗文件中建筑编号重复"),
            where=str(path),
            found=str(ids[ids.duplicated()].iloc[0]),
        )
    values = pd.DataFrame({name: _numbers(frame, name, path) for name in found}).set_axis(ids, axis=0)
    aligned = values.reindex(index=building_ids.astype("string"), columns=list(COLUMNS)).set_axis(building_ids.index)
    strange = ids[~ids.isin(building_ids.astype("string"))]
    notices = []
    if len(strange):
        text = Text(
            f"{len(strange)} rows of metered energy name a building that there is not",
            f"计量能耗中 {len(strange)} 行的建筑编号不存在",
        )
        notices.append(
            Notice("measured_unmatched", text, len(strange), "warning", str(path), tuple(strange.head(5).astype(str)))
        )
    details = {"rows": str(len(frame)), "matched": str(len(frame) - len(strange))}
    return aligned, tuple(notices), Provenance("substitution.measured", str(path), file_sha256(path), details)


def _read(path: Path) -> pd.DataFrame:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(
            Text("the file of metered energy cannot be read", "无法读取计量能耗文件"), where=str(path), found=str(error)
        ) from error
    encoding, _ = detect_encoding([data], path)
    text = data.decode(encoding or BYTES, errors="replace").lstrip("\ufeff")
    try:
        return pd.read_csv(io.StringIO(text), dtype=str, keep_default_na=False).rename(columns=str.strip)
    except (pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise InputError(
            Text("this is no CSV table", "该文件不是 CSV 表格"), where=str(path), found=str(error)
        ) from error


def _numbers(frame: pd.DataFrame, name: str, path: Path) -> pd.Series:
    text = frame[name].str.strip().str.replace(",", "", regex=False)
    values = pd.to_numeric(text, errors="coerce")
    wrong = ((text != "") & values.isna()) | (values < 0)
    if wrong.any():
        raise InputError(
            Text("metered energy must be a number that is not negative", "计量能耗须为非负数值"),
            where=f"{path}: {name}, {int(wrong.to_numpy().argmax()) + 2}",
            found=str(frame.loc[wrong, name].iloc[0]),
        )
    return values
