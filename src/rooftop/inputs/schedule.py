"""A commissioning schedule: which PV stands, or will stand, from which year."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from rooftop.config import ScheduleInput
from rooftop.core.errors import InputError
from rooftop.core.lang import Text
from rooftop.core.notices import Notice, Provenance, file_sha256
from rooftop.inputs.attributes import half_width, is_null_word, text_or_none
from rooftop.inputs.capacities import field_unit
from rooftop.inputs.dates import parse_date
from rooftop.inputs.files import did_you_mean, suggest
from rooftop.inputs.identifiers import codes, join_ids
from rooftop.inputs.quantities import fold_header, quantity
from rooftop.inputs.tabular import header_row, read_rows

ROLE = "inputs.schedule"
_QUANTITIES = {"kwp": "capacity", "module_m2": "area"}


@dataclass(frozen=True)
class Schedule:
    """A commissioning schedule as read.

    Parameters
    ----------
    table : DataFrame
        One row per row of the file that can be used: ``source_row building_id unit_id`` (strings, one of the two null)
        ``year`` (Int64, null where unknown) ``kwp module_m2`` (float, at least one known).
    notices : tuple of Notice
    provenance : Provenance
    """

    table: pd.DataFrame
    notices: tuple[Notice, ...]
    provenance: Provenance


def read_schedule(config: ScheduleInput) -> Schedule:
    """Read a commissioning schedule.

    Raises
    ------
    InputError
        Missing file or column; no column of a building or a unit, or of a capacity or an area.
    """
    where = str(config.path)
    sheets, encoding = read_rows(config.path, config.encoding, config.sheet, ROLE)
    fields = {key: name for key, name in config.fields.model_dump().items() if name is not None}
    for one_of in (("building_id", "unit_id"), ("kwp", "module_m2")):
        if not any(key in fields for key in one_of):
            raise InputError(
                Text("the schedule lacks a column", "建设时序表缺少列"),
                where=f"{ROLE}.fields",
                found=", ".join(fields),
                expected=Text(" or ".join(one_of), " 或 ".join(one_of)),
                mend=Text("name the column of the file that holds it", "请填写文件中对应的列名"),
            )
    named = list(fields.values())
    rows = next((r for r in sheets.values() if header_row(r, named) is not None), next(iter(sheets.values()), []))
    head = _header_index(rows, fields, where)
    header = rows[head]
    at = {key: [fold_header(cell) for cell in header].index(fold_header(name)) for key, name in fields.items()}
    units = {key: _unit(key, header[at[key]], where, config.capacity_unit) for key in _QUANTITIES if key in at}
    body = [(head + 2 + k, row) for k, row in enumerate(rows[head + 1 :]) if any(cell.strip() for cell in row)]
    table = pd.DataFrame([_row(line, row, at, units) for line, row in body], columns=list(_COLUMNS)).astype(_COLUMNS)
    notices: list[Notice] = []
    for key in ("building_id", "unit_id"):
        read = codes(table[key].rename(fields.get(key, key)), where)
        table[key], notices = read.values, [*notices, *read.notices]
    table["unit_id"] = table["unit_id"].where(table["building_id"].isna())
    usable = (table["building_id"].notna() | table["unit_id"].notna()) & (
        (table["kwp"] > 0) | (table["module_m2"] > 0)
    ).to_numpy()
    notices += [
        *_lost_notices(table[~usable], where),
        *_unread_notices(table[usable], where),
        *_undated_notices(table[usable], where),
    ]
    details = {"encoding": encoding or "xlsx", "rows": str(len(body)), "used": str(int(usable.sum()))}
    provenance = Provenance(ROLE, where, file_sha256(config.path), details)
    return Schedule(table[usable].drop(columns="unread").reset_index(drop=True), tuple(notices), provenance)


def join_schedule(schedule: Schedule, building_ids: Iterable[str], units: Iterable[str]) -> Schedule:
    """Give the rows of a schedule the ids of the buildings and units that they mean.

    Parameters
    ----------
    schedule : Schedule
    building_ids : iterable of str
    units : iterable of str
        Ids and names of units.

    Returns
    -------
    Schedule
        Joined by the rules of `rooftop.inputs.identifiers.join_ids`; ids that mean none stay as they are.
    """
    table, where = schedule.table, schedule.provenance.path
    what = Text("the schedule", "建设时序表")
    buildings, building_notices = join_ids(table["building_id"], building_ids, what, where)
    places, unit_notices = join_ids(table["unit_id"], units, what, where)
    joined = table.assign(building_id=buildings, unit_id=places)
    return replace(schedule, table=joined, notices=(*schedule.notices, *building_notices, *unit_notices))


_COLUMNS = {
    "source_row": "Int64",
    "building_id": "string",
    "unit_id": "string",
    "year": "Int64",
    "kwp": "float64",
    "module_m2": "float64",
    "unread": "string",
}


def _header_index(rows: list[list[str]], fields: dict[str, str], where: str) -> int:
    head = header_row(rows, fields.values())
    if head is not None:
        return head
    header = next((row for row in rows if any(row)), [])
    have = {fold_header(cell) for cell in header}
    key, name = next((item for item in fields.items() if fold_header(item[1]) not in have), next(iter(fields.items())))
    raise InputError(
        Text("the file has no such column", "文件中没有该列"),
        where=Text(f"{ROLE}.fields.{key} ({where})", f"{ROLE}.fields.{key}（{where}）"),
        found=name,
        expected=", ".join(cell for cell in header if cell) or Text("(no header)", "（没有表头）"),
        mend=suggest(did_you_mean(name, header), Text("name one of these", "请填写其中一列")),
    )


def _unit(key: str, header: str, where: str, given: str | None) -> tuple[str, str]:
    """Return the kind of a quantity and the unit its column is in."""
    kind = _QUANTITIES[key]
    return kind, field_unit(header, kind, f"{ROLE}.fields.{key}", where, given if kind == "capacity" else None).unit


def _row(line: int, row: list[str], at: dict[str, int], units: dict[str, tuple[str, str]]) -> dict[str, object]:
    def text(key: str) -> str | None:
        if key not in at or at[key] >= len(row):
            return None
        cell = text_or_none(row[at[key]])
        return None if cell is None else half_width(cell)

    def code(key: str) -> str | None:
        return row[at[key]] if key in at and at[key] < len(row) else None

    date = parse_date(text("year"))
    building = code("building_id")
    values: dict[str, object] = {"source_row": line, "unit_id": code("unit_id")}
    values["building_id"] = None if building is None or is_null_word(building) else building
    values["year"] = pd.NA if date is None else date[0]
    values["unread"] = ""
    for key in _QUANTITIES:
        written = text(key)
        value = None if written is None else quantity(written, *units[key])
        values[key] = np.nan if value is None or value <= 0 else value
        if written is not None and value is None:
            values["unread"] = written
    return values


def _lost_notices(rows: pd.DataFrame, where: str) -> tuple[Notice, ...]:
    text = Text(
        "{n} rows of the schedule name no place, or no positive capacity or area: they do not count",
        "建设时序表有 {n} 行没有建筑或单元，或没有为正的容量、面积：不计入",
    )
    return Notice.counted("schedule_rows_lost", rows["source_row"].tolist(), text, source=where)


def _unread_notices(rows: pd.DataFrame, where: str) -> tuple[Notice, ...]:
    """Rows of which one of two quantities is read and the other is no number."""
    half = rows[rows["unread"] != ""]
    text = Text(
        "{n} rows of the schedule hold a capacity or area that is no number: the other one counts",
        "建设时序表有 {n} 行的容量或面积不是数值：以另一项为准",
    )
    named = [f"{row}: {value}" for row, value in zip(half["source_row"], half["unread"], strict=True)]
    return Notice.counted("schedule_unread", named, text, source=where)


def _undated_notices(rows: pd.DataFrame, where: str) -> tuple[Notice, ...]:
    undated = rows[rows["year"].isna()]
    text = Text(
        "{n} rows of the schedule have no readable year: they enter the upper bound only",
        "建设时序表有 {n} 行没有可识别的年份：只计入上限",
    )
    return Notice.counted("schedule_year_unknown", undated["source_row"].tolist(), text, source=where)
