"""What every coverage computation shares (`configs/coverage.yaml`), typed for all who compute, name or map coverage."""

from __future__ import annotations

from rooftop.core.datamodel import Label, Model
from rooftop.core.resources import load_shipped
from rooftop.targets.models import ExistingPv


class StoreyHeights(Model):
    """Usual storey heights [m]: of some uses, and of all others."""

    value: float
    by_use: dict[str, float]


class FloorArea(Model):
    """Floors where none are stated."""

    storey_height_m: StoreyHeights
    source: Label
    date: object


class MayBe(Model):
    """What a recorded use may turn out to be."""

    uses: tuple[str, ...]
    source: str


class CoverageRules(Model):
    """Typed view of `configs/coverage.yaml`."""

    date: object
    existing_pv: ExistingPv
    not_a_roof: tuple[str, ...]
    not_computed: tuple[str, ...]
    floor_area: FloorArea
    withheld_uses: tuple[str, ...]
    may_be: dict[str, MayBe]
    units: dict[str, Label]
    labels: dict[str, dict[str, Label]]


def coverage_rules() -> CoverageRules:
    """Return the shipped rules."""
    return load_shipped(CoverageRules, "coverage.yaml")
