"""What the substitution rate rests on besides roofs: `configs/energy_demand.yaml`, or a changed copy of it."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from pydantic import AfterValidator, Field, PositiveFloat, ValidationInfo, field_validator, model_validator

from rooftop.config import ImpossibleError
from rooftop.configfile import validate
from rooftop.core.datamodel import Model, Note
from rooftop.core.lang import Text
from rooftop.core.resources import load_shipped
from rooftop.core.types import F8
from rooftop.core.vocabularies import building_uses
from rooftop.core.yamlfile import load_yaml
from rooftop.targets.coverage_rules import coverage_rules
from rooftop.targets.models import Identifier

Grade = Literal["A", "B", "C"]
NonNegative = Annotated[float, Field(ge=0.0)]


class Positive(Model):
    """A positive number with grade and source."""

    value: PositiveFloat
    grade: Grade
    source: Note


class Part(Positive):
    """A share with grade and source."""

    value: Annotated[float, Field(gt=0.0, le=1.0)]


class Spread(Positive):
    """A positive number between bounds."""

    low: PositiveFloat
    high: PositiveFloat

    @model_validator(mode="after")
    def _check_order(self) -> Spread:
        if not self.low <= self.value <= self.high:
            raise ImpossibleError(Text("low, value and high are out of order", "low、value、high 次序颠倒"))
        return self


class Equivalent(Model):
    """What one kWh of electricity stands for, kgce/kWh."""

    kgce_kwh: PositiveFloat
    year: str
    grade: Grade
    label: Note
    source: Note


class Equivalents(Model):
    """The equivalents evaluated, and the one of the front row."""

    options: Annotated[dict[Identifier, Equivalent], Field(min_length=1)]
    default: str

    @field_validator("default")
    @classmethod
    def _check_default(cls, value: str, info: ValidationInfo) -> str:
        options = info.data.get("options", {})
        if options and value not in options:
            names = ", ".join(options)
            raise ImpossibleError(
                Text(f"the default is none of the options: {names}", f"default 不在 options 之中：{names}")
            )
        return value


class Intensity(Model):
    """Annual demand per m² of floor in one zone: electricity, and heating and fuels."""

    electricity_kwh_m2: NonNegative
    heat_kgce_m2: NonNegative
    grade: Grade


class Unknown(Model):
    """Bounds of the number of floors where nothing is known."""

    low: Annotated[int, Field(ge=1)]
    high: Annotated[int, Field(ge=1)]
    grade: Grade
    source: Note


class FloorEstimates(Model):
    """How floors are estimated where they are not stated."""

    storey_spread: Spread
    unknown: Unknown


class HotWater(Model):
    """Average-day hot water of one class."""

    litres_day: PositiveFloat
    days: Annotated[int, Field(ge=1, le=366)]
    m2_each: PositiveFloat
    grade: Grade


class HotWaterNeeds(Model):
    """Hot-water need of the classes; a class that is not listed has none."""

    temperature_rise_k: Positive
    kwh_l_k: Positive
    source: Note
    classes: dict[str, HotWater]


class ZoneShare(Model):
    """Collector area per m² of zone: in the slope of the roof, and in rows on roofs flatter than `rows_below_deg`."""

    flush: Part
    rows: Part
    rows_below_deg: Positive

    def of(self, plane_tilt_deg: F8) -> F8:
        """Return the share on planes of a tilt."""
        return np.where(plane_tilt_deg < self.rows_below_deg.value, self.rows.value, self.flush.value)


class Collector(Model):
    """Solar collectors: how many fit, and what of the irradiation on them becomes useful heat."""

    efficiency: Part
    loss: Part
    max_share_of_need: Part
    replaces: Literal["electric", "gas", "coal"]
    zone_share: ZoneShare


class Rule(Model):
    """A plan's own rule: kgce replaced per m² of building served."""

    kgce_m2: PositiveFloat
    grade: Grade
    source: Note


class SolarRule(Rule):
    """The rule of solar hot water, and how much collector goes with a building."""

    collector_m2_per_100_m2: PositiveFloat

    @property
    def kgce_per_collector_m2(self) -> float:
        """What a m² of collector replaces a year, kgce."""
        return self.kgce_m2 * 100.0 / self.collector_m2_per_100_m2


class Rules(Model):
    """The plans' rules."""

    solar_thermal: SolarRule
    ground_source: Rule


def _check_uses(intensity: dict[str, dict[str, Note | Intensity]]) -> dict[str, dict[str, Note | Intensity]]:
    uses = [use for use in building_uses().uses if use not in coverage_rules().withheld_uses]
    missing = [use for use in uses if use not in intensity]
    odd = [use for use in intensity if use not in uses]
    if missing or odd:
        listed = ", ".join([*missing, *odd])
        raise ImpossibleError(Text(f"missing or unknown classes: {listed}", f"建筑类别缺失或未知：{listed}"))
    return intensity


class EnergySettings(Model):
    """`configs/energy_demand.yaml`, or a changed copy of it."""

    date: object
    q_mj_kgce: Positive
    k_e: Equivalents
    zones: dict[Identifier, Note]
    intensity_note: Note
    intensity: Annotated[dict[str, dict[str, Note | Intensity]], AfterValidator(_check_uses)]
    floors: FloorEstimates
    hot_water: HotWaterNeeds
    collector: Collector
    eta_conv: dict[Literal["electric", "gas", "coal"], Part]
    rules: Rules
    labels: dict[str, dict[str, Note]]

    @field_validator("intensity")
    @classmethod
    def _check_zones(
        cls, value: dict[str, dict[str, Note | Intensity]], info: ValidationInfo
    ) -> dict[str, dict[str, Note | Intensity]]:
        keys = {"source", *info.data.get("zones", {})}
        for use, entry in value.items():
            if set(entry) != keys:
                listed = ", ".join(sorted(keys.symmetric_difference(entry)))
                raise ImpossibleError(
                    Text(
                        f"{use}: zones or source missing or unknown: {listed}", f"{use}：分区或来源缺失或未知：{listed}"
                    )
                )
        return value

    def of(self, use: str, zone: str) -> Intensity:
        """Return the intensity of a class in a zone."""
        entry = self.intensity[use][zone]
        assert isinstance(entry, Intensity)
        return entry

    def need_kwh_m2(self, use: str) -> float:
        """Return the heat for hot water, kWh per m² of floor and year; 0 for a class without."""
        entry = self.hot_water.classes.get(use)
        if entry is None:
            return 0.0
        litres = entry.litres_day * entry.days / entry.m2_each
        return litres * self.hot_water.kwh_l_k.value * self.hot_water.temperature_rise_k.value

    def kgce_of_heat(self, kwh: float, replaces: str) -> float:
        """Return Q/(q·η_conv): kgce of the conventional heat that `kwh` of useful heat replaces."""
        eta = {str(name): part.value for name, part in self.eta_conv.items()}[replaces]
        return kwh * 3.6 / (self.q_mj_kgce.value * eta)


@cache
def energy_settings(path: Path | None = None) -> EnergySettings:
    """Load the shipped settings, or a user's copy.

    Raises
    ------
    ConfigError
        The file is missing or does not hold together: with its line.
    """
    if path is None:
        return load_shipped(EnergySettings, "energy_demand.yaml")
    return validate(EnergySettings, load_yaml(path))
