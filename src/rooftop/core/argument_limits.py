"""What arguments of the library may be (`configs/argument_limits.yaml`), by the name of the quantity."""

from __future__ import annotations

from rooftop.core.datamodel import Label, Model, Sourced
from rooftop.core.resources import load_shipped


class QuantityLimits(Model):
    """Both ends of what a quantity may be, its unit, and what is likely meant by a value outside."""

    low: float
    high: float
    unit: str = ""
    source: str | None = None
    mend: Label | None = None


class PartsOfGhi(Model):
    """How the year's diffuse and direct light may sum to the global."""

    low: float
    high: float
    swapped_better: float
    source: str


class YearLimits(Model):
    """What a year of weather must look like."""

    least_peak_w_m2: Sourced
    most_at_night: Sourced
    parts_of_ghi: PartsOfGhi
    polar_night_share: Sourced
    most_of_extraterrestrial: Sourced


class ArgumentLimits(Model):
    """Typed view of `configs/argument_limits.yaml`."""

    source: str
    date: object
    ranges: dict[str, QuantityLimits]
    year: YearLimits


def argument_limits() -> ArgumentLimits:
    """Return the shipped limits."""
    return load_shipped(ArgumentLimits, "argument_limits.yaml")
