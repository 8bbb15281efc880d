"""Declared PV projects as people keep them: CSV in any encoding or XLSX, columns and units found out and shown."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from rooftop.core.errors import InputError, UsageError
from rooftop.core.lang import Text
from rooftop.core.notices import Notice
from rooftop.inputs.attributes import is_blank, roof_types_of, text_or_none
from rooftop.inputs.audit_limits import audit_limits
from rooftop.inputs.dates import parse_date
from rooftop.inputs.files import did_you_mean, suggest
from rooftop.inputs.quantities import BASE_UNIT, fold_header, quantity, split_unit, unit_of, written_unit
from rooftop.inputs.tabular import HEADER_ROWS, read_rows

QUANTITIES = {"area": "area", "capacity": "capacity", "energy": "energy", "module_area": "area"}
"""Column that holds a quantity -> kind of unit."""
_SAMPLES = 3


@dataclass(frozen=True)
class Project:
    """One project as declared; None where nothing usable is said.

    Parameters
    ----------
    row : int
        Line of the file, from 1; place in the pack for a claim.
    name, district, roof_type : str or None
        `roof_type` is a key of `configs/roof_types.yaml`.
    area_m2, capacity_kw, annual_kwh, module_area_m2 : float or None
    year : int or None
    unread : tuple of (str, str)
        Column and text of values that could not be read.
    """

    row: int
    name: str | None = None
    district: str | None = None
    area_m2: float | None = None
    capacity_kw: float | None = None
    annual_kwh: float | None = None
    module_area_m2: float | None = None
    year: int | None = None
    roof_type: str | None = None
    unread: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class SourceColumn:
    """A column that was taken, for people to check.

    Parameters
    ----------
    key : str
        ``area capacity energy module_area name district year roof_type``.
    header : str
        As it stands in the file.
    unit : str
        Unit its numbers are read in, as people write it; empty where it has none.
    assumed : bool
        The unit stands nowhere in the file.
    samples : tuple of str
    """

    key: str
    header: str
    unit: str
    assumed: bool
    samples: tuple[str, ...]


@dataclass(frozen=True)
class Declared:
    """A file of declared projects.

    Parameters
    ----------
    projects : tuple of Project
        One per row that is not blank, in file order.
    columns : tuple of SourceColumn
    unused : tuple of str
        Headers of columns that were not taken.
    encoding : str
        Empty for XLSX.
    notices : tuple of Notice
    """

    projects: tuple[Project, ...]
    columns: tuple[SourceColumn, ...]
    unused: tuple[str, ...]
    encoding: str
    notices: tuple[Notice, ...]


@dataclass
class _Plan:
    """Where each key stands: its column, and the factor to the base unit."""

    at: dict[str, int] = field(default_factory=dict)
    unit: dict[str, str] = field(default_factory=dict)
    assumed: set[str] = field(default_factory=set)


def read_declared(
    path: Path,
    *,
    columns: Mapping[str, str] | None = None,
    units: Mapping[str, str] | None = None,
    encoding: str | None = None,
    sheet: str | None = None,
) -> Declared:
    """Read a file of declared projects.

    Parameters
    ----------
    path : Path
        ``.csv`` ``.txt`` ``.tsv`` in any usual encoding, or ``.xlsx``.
    columns : mapping of str to str, optional
        Key -> header, where the guess is wrong; an empty header means none.
    units : mapping of str to str, optional
        ``area capacity energy module_area`` -> unit, where the header states none or a wrong one.
    encoding : str, optional
        Of a CSV; found out when left out.
    sheet : str, optional
        Of a workbook; the first with a column of numbers that is recognised when left out.

    Returns
    -------
    Declared
        Every row that is not blank; a value that cannot be read is named in `Project.unread`.

    Raises
    ------
    InputError, UsageError
        No such file, column, sheet or unit; no column that can be audited.
    """
    sheets, codec = read_rows(path, encoding, sheet, "FILE")
    names, given = dict(columns or {}), dict(units or {})
    _known_keys(names, audit_limits().columns, "--column")
    _known_keys(given, QUANTITIES, "--unit")
    best = max(sheets, key=lambda name: _header(sheets[name], names)[1])
    rows = sheets[best]
    head, n_quantities = _header(rows, names)
    if not n_quantities:
        raise _no_column_error(path, rows[head] if rows else [])
    return _declared_of_rows(path, rows, head, names, given, codec)


def _known_keys(given: Mapping[str, str], known: Mapping[str, Any], option: str) -> None:
    for key in given:
        if key not in known:
            raise UsageError(
                Text("there is no such key", "没有这个键"),
                where=option,
                found=key,
                expected=", ".join(known),
                mend=suggest(did_you_mean(key, list(known)), Text("choose one of these", "请从中选择")),
            )


def _no_column_error(path: Path, header: Sequence[str]) -> InputError:
    return InputError(
        Text("no column of area, capacity or energy was recognised", "未能识别面积、容量或发电量列"),
        where=str(path),
        found=", ".join(h for h in header if h) or Text("no header", "没有表头"),
        expected=Text(
            "e.g. 屋顶面积(㎡), 装机容量(kW), 年发电量(万kWh)", "如 屋顶面积(㎡)、装机容量(kW)、年发电量(万kWh)"
        ),
        mend=Text(
            "name the columns: --column area=... --column capacity=... --column energy=...",
            "请指定列名：--column area=… --column capacity=… --column energy=…",
        ),
    )


# --- columns ---------------------------------------------------------------------------------------------------------


def _without_punctuation(text: str) -> str:
    return re.sub(r"[\s_\-:：、，,。.]+", "", fold_header(text))


def _header(rows: Sequence[Sequence[str]], names: Mapping[str, str]) -> tuple[int, int]:
    """Return the row of the header (a title may stand above it), and how many quantities it names."""
    scores = [sum(key in QUANTITIES for key in _plan(row, names).at) for row in rows[:HEADER_ROWS]]
    best = max(scores, default=0)
    return (scores.index(best) if best else 0), best


def _plan(header: Sequence[str], names: Mapping[str, str]) -> _Plan:
    """Choose a column for each key: as told, else the best word of `configs/audit.yaml`."""
    plan, known = _Plan(), audit_limits().columns
    never = [_without_punctuation(part) for part in audit_limits().never]
    split = [split_unit(cell) for cell in header]
    for key, name in names.items():
        hits = [k for k, cell in enumerate(header) if fold_header(cell) == fold_header(name)]
        if hits:
            plan.at[key] = hits[0]
    for exact in (True, False):
        for key, listed in known.items():
            if key in plan.at or key in names:
                continue
            for word in listed:
                hits = [
                    k
                    for k, (name, _, kind) in enumerate(split)
                    if k not in plan.at.values()
                    and not any(part in _without_punctuation(header[k]) for part in never)
                    and (kind is None or QUANTITIES.get(key) == kind)
                    and (
                        _without_punctuation(name) == _without_punctuation(word)
                        if exact
                        else _without_punctuation(word) in _without_punctuation(name)
                    )
                ]
                if hits:
                    plan.at[key] = hits[0]
                    break
    for key, both in audit_limits().columns_both.items():
        hits = [
            k
            for k, (name, _, kind) in enumerate(split)
            if kind is None and k not in plan.at.values() and _holds_all(name, both)
        ]
        if key not in plan.at and key not in names and hits:
            plan.at[key] = hits[0]
    for key in ("area", "capacity", "energy"):
        # A header that is nothing but a unit.
        hits = [k for k, (name, _, kind) in enumerate(split) if not name and kind == key]
        if key not in plan.at and key not in names and hits:
            plan.at[key] = hits[0]
    return plan


def _holds_all(name: str, groups: Sequence[Sequence[str]]) -> bool:
    """Whether a name holds a word of each group."""
    bare = _without_punctuation(name)
    return all(any(_without_punctuation(word) in bare for word in group) for group in groups)


def _settle_units(plan: _Plan, header: Sequence[str], given: Mapping[str, str], path: Path) -> None:
    for key, kind in QUANTITIES.items():
        if key not in plan.at:
            continue
        _, unit, unit_kind = split_unit(header[plan.at[key]])
        if key in given:
            stated_unit = unit_of(given[key])
            if stated_unit is None or stated_unit[1] != kind:
                raise UsageError(
                    Text("this is no unit of the quantity", "该量没有这种单位"),
                    where=f"--unit {key}",
                    found=given[key],
                    expected=", ".join(audit_limits().units[kind]),
                )
            unit, unit_kind = stated_unit
        if unit is not None and unit_kind != kind:
            raise InputError(
                Text("the unit of the column does not fit what it holds", "列的单位与内容不符"),
                where=Text(f"{header[plan.at[key]]} ({path})", f"{header[plan.at[key]]}（{path}）"),
                found=unit,
                expected=", ".join(audit_limits().units[kind]),
                mend=Text(f"state it: --unit {key}=...", f"请指定：--unit {key}=…"),
            )
        if unit is None:
            plan.assumed.add(key)
        plan.unit[key] = unit or fold_header(BASE_UNIT[kind].pick("en"))


def _declared_of_rows(
    path: Path,
    rows: Sequence[Sequence[str]],
    head: int,
    names: Mapping[str, str],
    given: Mapping[str, str],
    encoding: str,
) -> Declared:
    header = [str(cell).replace("\n", "") for cell in rows[head]]
    for key, name in names.items():
        if name and fold_header(name) not in [fold_header(cell) for cell in header]:
            raise UsageError(
                Text("the file has no such column", "文件中没有该列"),
                where=f"--column {key}",
                found=name,
                expected=", ".join(cell for cell in header if cell),
                mend=suggest(did_you_mean(name, header), Text("choose one of these", "请从中选择")),
            )
    plan = _plan(header, names)
    _settle_units(plan, header, given, path)
    body = [(head + 2 + k, row) for k, row in enumerate(rows[head + 1 :]) if any(cell.strip() for cell in row)]
    kinds, notices = _roof_kinds(body, plan, path)
    projects = tuple(_project(line, row, plan, kind) for (line, row), kind in zip(body, kinds, strict=True))
    taken = tuple(
        SourceColumn(
            key,
            header[at],
            written_unit(plan.unit.get(key, "")),
            key in plan.assumed,
            tuple(row[at] for _, row in body[:_SAMPLES] if at < len(row)),
        )
        for key, at in sorted(plan.at.items(), key=lambda item: item[1])
    )
    unused = tuple(cell for k, cell in enumerate(header) if cell and k not in plan.at.values())
    return Declared(projects, taken, unused, encoding, (*notices, *_unread_notices(projects, path)))


def _roof_kinds(
    body: Sequence[tuple[int, Sequence[str]]], plan: _Plan, path: Path
) -> tuple[list[str | None], tuple[Notice, ...]]:
    at = plan.at.get("roof_type")
    if at is None:
        return [None] * len(body), ()
    column = pd.Series([row[at] if at < len(row) else None for _, row in body], dtype=object, name="roof_type")
    parsed = roof_types_of(column, {}, str(path))
    return [None if pd.isna(value) else str(value) for value in parsed.values], parsed.notices


def _project(line: int, row: Sequence[str], plan: _Plan, roof_type: str | None) -> Project:
    def text(key: str) -> str | None:
        at = plan.at.get(key)
        return text_or_none(row[at]) if at is not None and at < len(row) else None

    def name(key: str) -> str | None:
        at = plan.at.get(key)
        return None if at is None or at >= len(row) or is_blank(row[at]) else row[at]

    unread: list[tuple[str, str]] = []
    values: dict[str, float | None] = {}
    for key, kind in QUANTITIES.items():
        written = text(key)
        value = None if written is None else quantity(written, kind, plan.unit[key])
        if written is not None and (value is None or not value > 0):
            unread.append((key, written))
            value = None
        values[key] = value
    written = text("year")
    date = None if written is None else parse_date(written)
    if written is not None and date is None:
        unread.append(("year", written))
    return Project(
        row=line,
        name=name("name"),
        district=name("district"),
        area_m2=values["area"],
        capacity_kw=values["capacity"],
        annual_kwh=values["energy"],
        module_area_m2=values["module_area"],
        year=None if date is None else date[0],
        roof_type=roof_type,
        unread=tuple(unread),
    )


def _unread_notices(projects: Sequence[Project], path: Path) -> tuple[Notice, ...]:
    bad = [(project.row, value) for project in projects for _, value in project.unread]
    if not bad:
        return ()
    n, rows = len(bad), len({row for row, _ in bad})
    text = Text(
        f"{n} values in {rows} rows are no positive number or year; they count as missing",
        f"{rows} 行中有 {n} 个值不是正数或年份，按缺失处理",
    )
    examples = tuple(f"{row}: {value}" for row, value in bad[:5])
    return (Notice("declared_unread", text, len(bad), source=str(path), examples=examples),)
