"""Codes of the land-use standards: what land of a code says of the buildings on it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from pydantic import Field

from rooftop.core.datamodel import Label, Model
from rooftop.core.lang import Text
from rooftop.core.resources import load_shipped
from rooftop.inputs.use_rules import Confidence, Inference


class MinShare(Model):
    """How much of a footprint must lie on the land."""

    value: float
    source: Label


class StandardFit(Model):
    """When another standard explains buildings, or names, better than the one named; shares."""

    warn_gain: float
    refuse_below: float
    refuse_other: float
    name_warn: float
    name_refuse: float
    source: Label


class LandClass(Model):
    """What land of a code may carry, the likeliest use first; nothing where it says nothing of buildings."""

    name: str = Field(alias="zh", description="as the standard writes it")
    uses: tuple[str, ...]
    confidence: Confidence | None = None
    open: bool = Field(False, description="takes codes below it that are not listed, though others are")


class LandStandard(Model):
    """One standard and its codes."""

    name: Label
    document: str
    date: object
    source: Label
    codes: dict[str, LandClass]


class LandUseRules(Model):
    """Typed view of `configs/land_use.yaml`."""

    date: object
    min_share: MinShare
    fit: StandardFit
    confidence: dict[Confidence, Label]
    standards: dict[str, LandStandard]


def land_use_rules() -> LandUseRules:
    """Return the shipped standards."""
    return load_shipped(LandUseRules, "land_use.yaml")


def standard_name(standard: str) -> Text:
    """Return what people call a standard."""
    return land_use_rules().standards[standard].name.text


@cache
def entry_of(standard: str, code: str) -> str | None:
    """Return the code of the table that a code of a file falls under; None where the standard has no such code.

    Longer codes fall under their first six, five or four characters; a class that the table does not divide, or
    that says so, takes all codes that begin with it.
    """
    codes = land_use_rules().standards[standard].codes
    for length in (len(code), 6, 5, 4):
        if length <= len(code) and code[:length] in codes:
            return code[:length]
    head = code[:2]
    return head if head in codes and takes_unlisted(head, codes) else None


def takes_unlisted(head: str, codes: Mapping[str, LandClass]) -> bool:
    """Whether a class of two digits stands for codes below it that are not listed."""
    divided = any(len(known) > 2 and known.startswith(head) for known in codes)
    return not divided or codes[head].open


def inference(standard: str, code: str) -> Inference | None:
    """Return what land of a code says of the buildings on it; None for an unknown code."""
    listed_code = entry_of(standard, code)
    if listed_code is None:
        return None
    entry = land_use_rules().standards[standard].codes[listed_code]
    return Inference(entry.uses, entry.confidence or "", f"land_use:{standard}:{listed_code}")
