"""Attribute values that are no single number, word or date: written out as text, and counted."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd

from rooftop.core.lang import Text
from rooftop.core.notices import Notice

_NESTED = (list, tuple, dict, set, frozenset, np.ndarray, bytes, bytearray, memoryview)


def plain_values(table: pd.DataFrame, where: str) -> tuple[pd.DataFrame, tuple[Notice, ...]]:
    """Write lists, blocks and bytes out as text: JSON, or hexadecimal where bytes are no text.

    A list of one value is that value, an empty one is null.

    Parameters
    ----------
    table : DataFrame
        Columns as a file holds them.
    where : str
        File.

    Returns
    -------
    tuple of DataFrame and tuple of Notice
        One notice for each field that held such values.
    """
    notices, changed = [], {}
    for name in table.columns:
        column = table[name]
        if isinstance(column.dtype, pd.CategoricalDtype):
            column = changed[name] = column.astype(object)
        if column.dtype != object:
            continue
        nested = np.array([isinstance(value, _NESTED) for value in column], dtype=bool)
        if not nested.any():
            continue
        texts = [_text(value) if hit else value for value, hit in zip(column, nested, strict=True)]
        changed[name] = pd.Series(texts, index=column.index, dtype=object, name=name)
        count = int(nested.sum())
        text = Text(
            f"{count} values of the field {name} are lists or blocks; they are read as text",
            f"字段 {name} 有 {count} 个值为列表或嵌套结构，按文本读取",
        )
        examples = tuple(
            dict.fromkeys(str(t)[:80] for t, hit in zip(texts, nested, strict=True) if hit and t is not None)
        )[:5]
        notices.append(Notice("field_not_plain", text, count, source=where, examples=examples))
    return table.assign(**changed), tuple(notices)


def _text(value: Any) -> str | None:
    if isinstance(value, bytes | bytearray | memoryview):
        data = bytes(value)
        try:
            text = data.decode("utf-8")
        except UnicodeDecodeError:
            return data.hex()
        return text if text.isprintable() else data.hex()
    plain = _as_json(value)
    if isinstance(plain, list) and not plain:
        return None
    if isinstance(plain, list) and len(plain) == 1 and isinstance(plain[0], str | int | float):
        return str(plain[0])
    return json.dumps(plain, ensure_ascii=False, default=str)


def _as_json(value: Any) -> Any:
    """Return nested values as JSON knows them: lists, and blocks whose keys are text."""
    if isinstance(value, dict):
        return {str(key): _as_json(inner) for key, inner in value.items()}
    if isinstance(value, np.ndarray):
        return [_as_json(inner) for inner in value.tolist()]
    if isinstance(value, list | tuple | set | frozenset):
        return [_as_json(inner) for inner in value]
    if isinstance(value, bytes | bytearray | memoryview):
        return _text(value)
    return value
