"""Metered annual energy of buildings, from a table that names buildings by their id."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from rooftop.core.errors import InputError
from rooftop.core.lang import Text
from rooftop.core.notices import Notice, Provenance, file_sha256
from rooftop.inputs.attributes import is_null_word, number_text, text_or_none
from rooftop.inputs.files import did_you_mean, suggest
from rooftop.inputs.identifiers import codes, join_ids
from rooftop.inputs.quantities import fold_header
from rooftop.inputs.tabular import header_row, read_rows

ROLE = "substitution.measured"
ID = "building_id"
COLUMNS = ("measured_energy_kwh", "measured_fuel_kgce")


def read_measured(path: Path, building_ids: pd.Series) -> tuple[pd.DataFrame, tuple[Notice, ...], Provenance]:
    """Read metered energy and align it with the buildings.

    Parameters
    ----------
    path : Path
        CSV or XLSX with ``building_id`` and at least one of ``measured_energy_kwh`` (electricity, or all energy as
        electricity, kWh a year) and ``measured_fuel_kgce`` (heating and fuels, kgce a year).
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
    sheets, encoding = read_rows(path, None, None, ROLE)
    rows = next((r for r in sheets.values() if header_row(r, [ID]) is not None), next(iter(sheets.values()), []))
    head = header_row(rows, [ID])
    header = [fold_header(cell) for cell in rows[head]] if head is not None else []
    columns = [name for name in COLUMNS if name in header]
    if head is None or not columns:
        raise _missing_column_error(path, next((row for row in rows if any(row)), []))
    body = [(head + 2 + k, row) for k, row in enumerate(rows[head + 1 :]) if any(cell.strip() for cell in row)]
    written = [
        row[at] if (at := header.index(ID)) < len(row) and not is_null_word(row[at]) else None for _, row in body
    ]
    read = codes(pd.Series(written, dtype="string", name=ID), str(path))
    lines = [line for line, _ in body]
    _refuse_repeated(read.values, lines, path)
    what = Text("metered energy", "计量能耗")
    ids, joined = join_ids(read.values, building_ids.astype(str), what, str(path))
    values = {
        name: _amounts([_cell(row, header.index(name)) for _, row in body], name, lines, path) for name in columns
    }
    known_ids = building_ids.astype("string")
    frame = pd.DataFrame(values, index=pd.Index(ids), dtype=float)[ids.notna().to_numpy()]
    aligned = frame.reindex(index=known_ids, columns=list(COLUMNS)).set_axis(building_ids.index)
    strange = ~ids.isin(known_ids).to_numpy(dtype=bool)
    notices = [*read.notices, *joined]
    if strange.any():
        n = int(strange.sum())
        text = Text(
            f"{n} rows of metered energy name a building that there is not", f"计量能耗中 {n} 行的建筑编号不存在"
        )
        examples = ids[strange].fillna("—").head(5).astype(str)
        notices.append(Notice("measured_unmatched", text, n, source=str(path), examples=tuple(examples)))
    details = {"encoding": encoding or "xlsx", "rows": str(len(body)), "matched": str(len(body) - int(strange.sum()))}
    return aligned, tuple(notices), Provenance(ROLE, str(path), file_sha256(path), details)


def _cell(row: list[str], at: int) -> str | None:
    return text_or_none(row[at]) if at < len(row) else None


def _missing_column_error(path: Path, header: list[str]) -> InputError:
    missing = ID if fold_header(ID) not in [fold_header(cell) for cell in header] else COLUMNS[0]
    return InputError(
        Text("the file of metered energy lacks its columns", "计量能耗文件缺少必需的列"),
        where=Text(f"{ROLE} ({path})", f"{ROLE}（{path}）"),
        found=", ".join(cell for cell in header if cell) or Text("(no header)", "（没有表头）"),
        expected=Text(f"{ID}, and {' or '.join(COLUMNS)}", f"{ID}，以及 {' 或 '.join(COLUMNS)}"),
        mend=suggest(did_you_mean(missing, header), Text("rename the columns of the file", "请按上述名称修改列名")),
    )


def _refuse_repeated(ids: pd.Series, lines: list[int], path: Path) -> None:
    again = (ids.duplicated() & ids.notna()).to_numpy(dtype=bool)
    if not again.any():
        return
    at = int(np.argmax(again))
    first = lines[ids.tolist().index(ids[at])]
    raise InputError(
        Text("a building stands twice in the file of metered energy", "计量能耗文件中建筑编号重复"),
        where=Text(f"{ROLE} ({path}, row {lines[at]})", f"{ROLE}（{path} 第 {lines[at]} 行）"),
        found=Text(f"{ids[at]}, also in row {first}", f"{ids[at]}，另见第 {first} 行"),
        expected=Text("one row per building", "每栋建筑一行"),
        mend=Text("add the meters of a building up", "请将同一建筑的各表计合并为一行"),
    )


def _amounts(texts: list[str | None], name: str, lines: list[int], path: Path) -> list[float]:
    normalise = number_text(pd.Series(texts, dtype="string"))
    return [_amount(text, normalise, name, line, path) for text, line in zip(texts, lines, strict=True)]


def _amount(text: str | None, normalise: Callable[[str], str], name: str, line: int, path: Path) -> float:
    if text is None:
        return float("nan")
    try:
        value = float(normalise(text))
    except ValueError:
        value = -1.0
    if not (np.isfinite(value) and value >= 0.0):
        raise InputError(
            Text("metered energy must be a number that is not negative", "计量能耗须为非负数值"),
            where=Text(f"{name} ({path}, row {line})", f"{name}（{path} 第 {line} 行）"),
            found=text,
            expected=Text("a number, such as 125000", "数值，如 125000"),
            mend=Text("correct the value, or leave the cell empty", "请更正该值，或将单元格留空"),
        )
    return value
