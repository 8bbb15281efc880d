"""What the scene assumes where data say nothing: the rules of roofs, and the roof type of a building use."""

from __future__ import annotations

from rooftop.core.roof_rules import ModelledRoofs, Poleward, RoofRules, RoofType, load_roof_rules
from rooftop.core.vocabularies import building_uses

__all__ = ["ModelledRoofs", "Poleward", "RoofRules", "RoofType", "default_roof_types", "load_roof_rules"]


def default_roof_types() -> dict[str, str]:
    """Return the roof type assumed for each building use."""
    return {use: entry.default_roof_type for use, entry in building_uses().uses.items()}
