"""Vocabularies that several rooms read: building uses (`building_uses.yaml`) and reason codes (`reasons.yaml`)."""

from __future__ import annotations

from functools import cache
from typing import Literal

from pydantic import Field, RootModel

from rooftop.core.datamodel import Label, Model
from rooftop.core.lang import Text
from rooftop.core.resources import load_shipped


class BuildingUse(Label):
    """One use: what it says about ownership, and the roof that it has where data say nothing."""

    public_hint: Literal["yes", "no", "unknown"]
    default_roof_type: str


class CodeSystem(Model):
    """Codes or words of a source, with the use of each, and all uses of those that stand for several."""

    source: str
    map: dict[str, str]
    ambiguous: dict[str, list[str]] = Field({})


class BuildingUses(Model):
    """Typed view of `configs/building_uses.yaml`."""

    source: str
    date: object
    uses: dict[str, BuildingUse]
    codes: dict[str, CodeSystem]


class ReasonLabels(RootModel[dict[str, Label]]):
    """Typed view of `configs/reasons.yaml`."""


def building_uses() -> BuildingUses:
    """Return the uses of buildings and the codes that stand for them."""
    return load_shipped(BuildingUses, "building_uses.yaml")


@cache
def use_labels() -> dict[str, Text]:
    """Return what the uses of buildings are called."""
    return {use: entry.text for use, entry in building_uses().uses.items()}


@cache
def reasons() -> dict[str, Text]:
    """Return what the reason codes of roofs are called."""
    return {code: label.text for code, label in load_shipped(ReasonLabels, "reasons.yaml").root.items()}
