"""How far the energy of a given capacity may be off: cited parts, added in quadrature."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

from rooftop.core.datamodel import Label, Model
from rooftop.core.lang import Text
from rooftop.core.resources import load_shipped


@dataclass(frozen=True)
class Component:
    """One independent part, relative to annual energy."""

    name: Text
    value: float
    source: str


class _Entry(Model):
    value: float
    name: Label
    source: str


class Uncertainty(Model):
    """Typed view of `configs/uncertainty.yaml`."""

    date: object
    components: dict[str, _Entry]


@lru_cache(maxsize=1)
def components() -> tuple[Component, ...]:
    """Return the parts of ``configs/uncertainty.yaml``."""
    entries = load_shipped(Uncertainty, "uncertainty.yaml").components.values()
    return tuple(Component(entry.name.text, entry.value, entry.source) for entry in entries)


def energy_uncertainty() -> float:
    """Return the relative uncertainty of annual energy at a given capacity (about 90 % of cases)."""
    return math.sqrt(sum(component.value**2 for component in components()))
