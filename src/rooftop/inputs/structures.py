"""Structures of buildings: house survey codes, words, and the labels of topographic maps with floors in them (混3)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np
import pandas as pd

from rooftop.core.lang import Text
from rooftop.core.notices import Notice
from rooftop.core.types import B1
from rooftop.inputs.attributes import each, examples_of, fold_text, half_width, texts
from rooftop.inputs.input_limits import input_limits
from rooftop.inputs.source_words import StructureKind, source_words
from rooftop.inputs.storeys import read_storeys

_BRACKETS = re.compile(r"[(\[【][^()\[\]【】]*[)\]】]")
_LABEL = re.compile(r"([^\d]*?[^\d\s+/~-])[\s+/~-]*(\d.*)?")


@dataclass(frozen=True)
class Structures:
    """A column of structures.

    Parameters
    ----------
    values : pandas.Series
        Kinds of `configs/source_words.yaml` (``steel mixed shed`` ...); text that none is, as it stands; missing where
        nothing is said.
    floors : pandas.Series
        Floors above ground that labels hold, float64, NaN where they hold none.
    reasons : dict of str to ndarray of bool
        Reason code -> rows whose structure says so (``structure_shed structure_ruin under_construction``).
    notices : tuple of Notice
    """

    values: pd.Series
    floors: pd.Series
    reasons: dict[str, B1]
    notices: tuple[Notice, ...]


def known_structures() -> frozenset[str]:
    """Return the kinds that tell the structure of a building; all other values need a survey."""
    return frozenset(name for name, kind in _kinds().items() if kind.known)


def structure_reasons() -> dict[str, str]:
    """Return the reason of each kind that has one of its own: of sheds, ruins and sites."""
    return {name: kind.reason for name, kind in _kinds().items() if kind.reason is not None}


def structures(column: pd.Series, where: str) -> Structures:
    """Read structures.

    Parameters
    ----------
    column : pandas.Series
        FWJG 1-6, words (钢筋混凝土, 框架, steel), labels (混3, 砼12-1, 简, 棚, 破, 建).
    where : str
        File.
    """
    raw = texts(column)
    read = each(raw, read_structure, (None, None))
    kinds = pd.Series([kind for kind, _ in read], index=column.index, dtype="string")
    silent = np.array(each(raw, lambda text: fold_text(text) in _silent_words(), True), dtype=bool)
    unread = raw[kinds.isna() & ~silent]
    floors = pd.Series([np.nan if n is None else n for _, n in read], index=column.index, dtype="float64")
    reasons = {code: (kinds == name).fillna(False).to_numpy(dtype=bool) for name, code in structure_reasons().items()}
    notices = tuple(_notices(str(column.name), kinds, raw, unread, where))
    return Structures(kinds.where(kinds.notna() | silent, raw), floors, reasons, notices)


def read_structure(text: str) -> tuple[str | None, float | None]:
    """Return the kind of a structure and the floors that its label holds; None where there is none.

    Examples
    --------
    >>> [read_structure(text) for text in ("混3", "砼12-1", "钢结构", "5")]
    [('mixed', 3.0), ('reinforced_concrete', 12.0), ('steel', None), ('brick_wood', None)]
    >>> [read_structure(text) for text in ("棚", "建6", "特种")]
    [('shed', None), ('site', 6.0), (None, None)]
    """
    bare = re.sub(r"[(\[【](\d{1,3}(?:[+-]\d+)?)(?:层|f)?[)\]】]$", r"\1", half_width(text).casefold())
    bare = _BRACKETS.sub("", bare).strip() or bare.strip("()[]【】")
    code = source_words().structures.codes.get(re.sub(r"^0*(\d)(?:\.0+)?$", r"\1", bare))
    if code is not None:
        return str(code), None
    label, storeys = _split(bare)
    kind = _kind(label)
    reading = None if kind is None or storeys is None else read_storeys(storeys)
    believable = reading is not None and 0.0 < reading.value <= input_limits().floors.max
    return kind, reading.value if reading is not None and believable else None


def _split(text: str) -> tuple[str, str | None]:
    """Part a label from the floors before or behind it: 混3, 3混."""
    if match := re.fullmatch(r"(\d+)(?:层|f)?\s*(\D+)", text):
        return match.group(2), match.group(1)
    if (match := _LABEL.fullmatch(text)) and match.group(2):
        return match.group(1), match.group(2)
    match = re.fullmatch(r"(\D+?)([一二三四五六七八九十]+)层?", text)
    return (match.group(1), match.group(2)) if match and match.group(1) in _labels() else (text, None)


def _kind(label: str) -> str | None:
    vocabulary = source_words().structures
    if (kind := _labels().get(label.strip())) is not None:
        return kind
    bare = label
    for noise in sorted((word.casefold() for word in vocabulary.noise), key=len, reverse=True):
        bare = bare.replace(noise, " ")
    bare = re.sub(r"\s+", " ", bare).strip()
    if (kind := _labels().get(bare)) is not None:
        return kind
    parts = next((part.structure for part in vocabulary.parts if any(word in label for word in part.contains)), None)
    denied = any(label.startswith(word) or f" {word}" in label for word in vocabulary.negations)
    return None if denied and parts not in ("site",) else parts


@cache
def _kinds() -> dict[str, StructureKind]:
    return source_words().structures.kinds


@cache
def _labels() -> dict[str, str]:
    named = {half_width(label).casefold(): name for name, kind in _kinds().items() for label in kind.labels}
    spellings = {half_width(label).casefold(): name for name, kind in _kinds().items() for label in kind.spellings}
    return spellings | named | {name: name for name in _kinds()}


@cache
def _silent_words() -> frozenset[str]:
    return frozenset(fold_text(word) for word in source_words().unknown)


def _notices(name: str, kinds: pd.Series, raw: pd.Series, unread: pd.Series, where: str) -> Iterator[Notice]:
    if len(unread):
        text = Text(
            f"{len(unread)} structures of {name} are not recognised: they count as unknown, the roofs need a survey",
            f"字段 {name} 有 {len(unread)} 个结构类型无法识别，按结构未知处理，屋顶须现场核实",
        )
        yield Notice("structure_unread", text, len(unread), source=where, examples=examples_of(unread))
    for kind, code in structure_reasons().items():
        rows, label = raw[(kinds == kind).fillna(False)], _kinds()[kind]
        if len(rows):
            text = Text(
                "the structure of {n} buildings says: {label}; their roofs need a survey",
                "{n} 栋建筑的结构为“{label}”，屋顶须现场核实",
            ).format(n=len(rows), label=label.text)
            yield Notice(code, text, len(rows), source=where, examples=examples_of(rows))
