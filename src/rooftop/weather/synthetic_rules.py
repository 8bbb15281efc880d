"""How a weather year is made without a weather file (`configs/synthetic_weather.yaml`)."""

from __future__ import annotations

from typing import Literal

from rooftop.core.datamodel import Model, Sourced, SourcedCount
from rooftop.core.resources import load_shipped


class ClearSkyModel(Model):
    """The model of the cloudless sky."""

    value: Literal["ineichen"]
    source: str


class Turbidity(Model):
    """The turbidity of its air."""

    value: Literal["climatology"]
    source: str


class ClearSkyRules(Model):
    """The cloudless sky: as it usually is, and as clean and dry as it can be."""

    model: ClearSkyModel
    turbidity: Turbidity
    sub_steps: SourcedCount
    bound_turbidity: Sourced


class DailyClearness(Model):
    """Daily GHI over that of a cloudless sky: a beta distribution within each month."""

    low: Sourced
    high: Sourced
    high_mean_ratio: Sourced
    shape_sum: Sourced
    lag1: Sourced


class HourlyClearness(Model):
    """How hours scatter around their day."""

    peak_sigma: Sourced
    lag1: Sourced
    floor: Sourced


class Decomposition(Model):
    """What splits GHI into beam and diffuse light."""

    value: Literal["erbs"]
    source: str


class DiurnalAmplitude(Model):
    """The daily range of temperature, linear in the clearness index."""

    slope_k: float
    offset_k: float
    source: str


class DiurnalTerms(Model):
    """The daily course of temperature as a sum of cosines."""

    amplitude: tuple[float, ...]
    phase: tuple[float, ...]
    source: str


class TemperatureCourse(Model):
    """The daily course of temperature around its mean."""

    diurnal_amplitude: DiurnalAmplitude
    diurnal_terms: DiurnalTerms


class Anchoring(Model):
    """How far a raster and a weather file may be apart without a warning."""

    notable_disagreement: Sourced


class SyntheticRules(Model):
    """Typed view of `configs/synthetic_weather.yaml`."""

    date: object
    nominal_year: int
    clear_sky: ClearSkyRules
    daily_clearness: DailyClearness
    hourly_clearness: HourlyClearness
    decomposition: Decomposition
    temperature: TemperatureCourse
    wind_speed_m_s: Sourced
    anchoring: Anchoring


def synthetic_rules() -> SyntheticRules:
    """Return the shipped parameters."""
    return load_shipped(SyntheticRules, "synthetic_weather.yaml")
