"""Capacities of PV that stands: numbers in the unit that the field's name, the cell or the configuration states."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from rooftop.core.errors import InputError
from rooftop.core.lang import Text
from rooftop.core.notices import Notice
from rooftop.inputs import attributes
from rooftop.inputs.audit_limits import audit_limits
from rooftop.inputs.quantities import fold_header, quantity, quantity_factor, split_unit, written_unit

_BASE: Mapping[str, str] = {"capacity": "kw", "area": "m2"}


@dataclass(frozen=True)
class FieldUnit:
    """Unit of a column.

    Parameters
    ----------
    unit : str
        Folded, as in `configs/audit.yaml`.
    stated : bool
        By the column's name or by the configuration; kW or m² were assumed otherwise.
    """

    unit: str
    stated: bool


def field_unit(name: str, kind: str, key: str, where: str, given: str | None = None) -> FieldUnit:
    """Return the unit of a column.

    Parameters
    ----------
    name : str
        Of the column: ``装机容量(MW)``, ``pv_kw``, ``容量（兆瓦）``.
    kind : {"capacity", "area"}
    key, where : str
        Configuration key of the column and the file, for messages.
    given : str, optional
        What the configuration says; goes before the name.

    Raises
    ------
    InputError
        The name states a unit of another kind.
    """
    if given is not None:
        return FieldUnit(fold_header(given), stated=True)
    _, unit, unit_kind = split_unit(name)
    if unit is None:
        return FieldUnit(_BASE[kind], stated=False)
    if unit_kind != kind:
        raise InputError(
            Text("the unit of the column does not fit what it holds", "列的单位与内容不符"),
            where=Text(f"{key}: {name} ({where})", f"{key}：{name}（{where}）"),
            found=written_unit(unit),
            expected=", ".join(audit_limits().units[kind]),
            mend=Text("name another column, or correct the header", "请改填其他列，或更正表头单位"),
        )
    return FieldUnit(unit, stated=True)


def read_capacities(
    column: pd.Series, key: str, where: str, given: str | None = None, *, zero: bool = True
) -> attributes.ParsedColumn:
    """Read capacities of existing PV.

    Parameters
    ----------
    column : Series
        Numbers, or text with or without a unit of its own (``0.6 MW``, ``约 600 kW``); its name may state the unit.
    key : str
        Configuration key, for messages (``inputs.footprints.fields.existing_pv_kwp``).
    where : str
        File.
    given : str, optional
        Unit that the configuration states.
    zero : bool
        Whether nothing is an answer; else it counts as not stated.

    Returns
    -------
    ParsedColumn
        kWp, NaN where missing; values that are negative or no number are counted.

    Raises
    ------
    InputError
        The column is in a unit of another kind, or holds text.
    """
    unit = field_unit(str(column.name), "capacity", key, where, given)
    if pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column):
        read = attributes.read_numbers(column, key, where)
        kwp = read.values * quantity_factor("capacity", unit.unit)
    else:
        cells = attributes.texts(column)
        readings = {cell: quantity(cell, "capacity", unit.unit) for cell in cells.dropna().unique()}
        known = cells.map(lambda cell: cell if readings[cell] is None else readings[cell], na_action="ignore")
        read = attributes.read_numbers(known.astype(object), key, where)
        kwp = read.values
    bad = kwp < 0.0 if zero else kwp <= 0.0
    return attributes.ParsedColumn(
        kwp.where(~bad),
        (*read.notices, *_not_positive_notices(column[bad], where), *_unit_notices(column, unit, where)),
    )


def _not_positive_notices(values: pd.Series, where: str) -> tuple[Notice, ...]:
    text = Text(
        "{n} capacities of existing PV are below or at zero and count as missing",
        "{n} 个已装光伏容量值不是正数，按缺失处理",
    )
    return Notice.counted("existing_pv_absurd", values.tolist(), text, source=where)


def _unit_notices(column: pd.Series, unit: FieldUnit, where: str) -> tuple[Notice, ...]:
    """Say what the numbers were taken for, unless the field's name says just that."""
    unit_name = written_unit(unit.unit)
    if unit.stated and np.isclose(quantity_factor("capacity", unit.unit), 1.0):
        return ()
    how = Text("as stated", "按所声明") if unit.stated else Text("no unit is stated anywhere", "未声明单位")
    text = Text("existing PV of {name} is read in {unit}: {how}", "已装光伏（{name}）按 {unit} 读取：{how}").format(
        name=str(column.name), unit=unit_name, how=how
    )
    return (Notice("existing_pv_unit", text, int(column.notna().sum()), "info", where),)
