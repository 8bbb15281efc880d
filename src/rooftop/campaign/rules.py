"""Typed views of `gates.yaml`, `economics.yaml` and `emission_factors.yaml`."""

from __future__ import annotations

from pydantic import ConfigDict, Field

from rooftop.core.datamodel import Label, Model
from rooftop.core.resources import load_shipped

Triple = tuple[float, float, float]
"""Low, central and high value."""


class Cited(Model):
    """Something with its source, in both languages."""

    source: Label


class Cases(Cited):
    """A source, and what it says of each case; the cases are the file's own keys."""

    model_config = ConfigDict(extra="allow")


class Minimum(Cited):
    """A least value."""

    value: float


class ShadingGate(Cited):
    """Shading losses from which on a roof is surveyed, and left out."""

    survey: float
    fail: float


class ShareGate(Cited):
    """A share from which on a roof is left out."""

    fail: float


class FireGate(Cited):
    """Uses and heights that ask for the fire authority's view."""

    survey_uses: frozenset[str]
    survey_above_height_m: float


class HeritageGate(Cited):
    """Uses and years that ask for the heritage authority's consent."""

    survey_uses: frozenset[str]
    survey_before_year: int


class OldStructureGate(Cited):
    """Years of building that ask for a safety appraisal."""

    before_year: int


class SizeClasses(Cited):
    """Lower limits of the size classes, largest first."""

    value: tuple[float, ...]


class Ranking(Model):
    """Order of candidates."""

    size_classes_kwp: SizeClasses
    factory_uses: frozenset[str]
    home_uses: frozenset[str]
    tiers: dict[int, Label]


class SurveyFields(Model):
    """What is surveyed in every building."""

    source: str
    fields: dict[str, Label]


class CampaignRules(Model):
    """`configs/gates.yaml`."""

    date: object
    min_added_kwp: Minimum
    shading_loss: ShadingGate
    existing_pv_share: ShareGate
    fire: FireGate
    heritage: HeritageGate
    old_structure: OldStructureGate
    ranking: Ranking
    survey_fields: SurveyFields


class Ranges(Cases):
    """Ranges by segment, use or province."""

    __pydantic_extra__: dict[str, Triple] = Field(init=False)

    @property
    def cases(self) -> dict[str, Triple]:
        """The ranges by their keys."""
        return self.__pydantic_extra__


class Shares(Cases):
    """One share by province."""

    __pydantic_extra__: dict[str, float] = Field(init=False)

    @property
    def cases(self) -> dict[str, float]:
        """The shares by their keys."""
        return self.__pydantic_extra__


class Classes(Cases):
    """What each class of plants may do."""

    __pydantic_extra__: dict[str, Label] = Field(init=False)

    @property
    def cases(self) -> dict[str, Label]:
        """The classes by their keys."""
        return self.__pydantic_extra__


class LifeYears(Cited):
    """Years that modules serve."""

    value: int


class Degradation(Cited):
    """Loss of yield in the first year, and in each later one."""

    first_year: float
    later: float


class ConnectionStep(Model):
    """Voltage up to a capacity; null has no limit."""

    up_to_kwp: float | None
    voltage: str


class Connection(Cited):
    """Usual voltages of the connection."""

    steps: list[ConnectionStep]


class Prices(Model):
    """`configs/economics.yaml`."""

    date: object
    currency: str
    life_years: LifeYears
    degradation: Degradation
    capex_yuan_w: Ranges
    opex_yuan_w_a: Ranges
    segments: dict[str, list[str]]
    self_use: Ranges
    retail_yuan_kwh: Ranges
    feed_in_yuan_kwh: Ranges
    min_self_use: Shares
    classes: Classes
    connection: Connection


class Province(Label):
    """Factors of a province by year [kgCO2/kWh]."""

    adcode: str | None = None
    factors: dict[int, float]


class EmissionFactors(Model):
    """`configs/emission_factors.yaml`."""

    date: object
    unit: str
    source: Label
    note: Label
    provinces: dict[str, Province]


def campaign_rules() -> CampaignRules:
    """Return gates, order of candidates and surveyed fields."""
    return load_shipped(CampaignRules, "gates.yaml")


def prices() -> Prices:
    """Return what a roof costs and what its electricity is worth."""
    return load_shipped(Prices, "economics.yaml")


def emission_factors() -> EmissionFactors:
    """Return the average CO2 factors of electricity."""
    return load_shipped(EmissionFactors, "emission_factors.yaml")
