"""Uses read from names of buildings (区人民医院, 第二小学, 3号厂房), where attributes say nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Literal

import pandas as pd
from pydantic import Field

from rooftop.core.datamodel import Label, Model
from rooftop.core.resources import load_shipped
from rooftop.inputs.attributes import fold_text

Confidence = Literal["high", "medium", "low"]
"""How sure the first use is."""


@dataclass(frozen=True)
class Inference:
    """What something other than an attribute says of a use.

    Parameters
    ----------
    uses : tuple of str
        The first is taken, the others remain possible; empty where it says nothing.
    confidence : str
        ``high``, ``medium`` or ``low``.
    source : str
        ``rule:<id>`` or ``land_use:<standard>:<code>``, as written to ``use_source``.
    """

    uses: tuple[str, ...]
    confidence: str
    source: str


class NameRule(Model):
    """Words of a building's name, what they say of its use, and words that forbid it."""

    id: str
    uses: Annotated[tuple[str, ...], Field(min_length=1)]
    confidence: Confidence
    contains: tuple[str, ...]
    unless: tuple[str, ...] = ()


class UseRules(Model):
    """Typed view of `configs/use_rules.yaml`: rules in the order in which they are tried."""

    date: object
    source: Label
    street: tuple[str, ...]
    rules: tuple[NameRule, ...]


def use_rules() -> UseRules:
    """Return the shipped rules."""
    return load_shipped(UseRules, "use_rules.yaml")


@dataclass(frozen=True)
class _Rule:
    inference: Inference
    contains: tuple[str, ...]
    unless: tuple[str, ...]


@cache
def _rules() -> tuple[tuple[_Rule, ...], tuple[str, ...]]:
    shipped = use_rules()
    rules = tuple(
        _Rule(
            Inference(entry.uses, entry.confidence, f"rule:{entry.id}"),
            tuple(fold_text(word) for word in entry.contains),
            tuple(fold_text(word) for word in entry.unless),
        )
        for entry in shipped.rules
    )
    return rules, tuple(fold_text(word) for word in shipped.street)


def use_of_name(name: str) -> Inference | None:
    """Return what a building's name says of its use; None where no rule of `configs/use_rules.yaml` fits.

    Parameters
    ----------
    name : str
        学院路3号 and 医院小区 name a road and a neighbourhood, no school and no hospital.
    """
    rules, street = _rules()
    text = fold_text(name)
    for rule in rules:
        if not any(word in text for word in rule.unless) and any(
            _contains_word(text, word, street) for word in rule.contains
        ):
            return rule.inference
    return None


def _contains_word(text: str, word: str, street: Sequence[str]) -> bool:
    """Whether a word stands in a name other than as part of the name of a road or neighbourhood."""
    at = text.find(word)
    while at >= 0:
        if not text.startswith(tuple(street), at + len(word)):
            return True
        at = text.find(word, at + 1)
    return False


def uses_of_names(names: pd.Series) -> list[Inference | None]:
    """Return what each name says, computed once per distinct name; None for a missing one."""
    known: dict[str, Inference | None] = {}
    out: list[Inference | None] = []
    for name in names:
        if not isinstance(name, str):
            out.append(None)
            continue
        if name not in known:
            known[name] = use_of_name(name)
        out.append(known[name])
    return out
