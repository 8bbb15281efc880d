"""Models of a policy pack: what a plan says, and how the tool computes it. Unknown keys fail."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, PositiveFloat, model_validator

from rooftop.config import ImpossibleError
from rooftop.core.datamodel import DateText, Model, Note, Written
from rooftop.core.lang import Text

Year = Annotated[int, Field(ge=1900, le=2100)]
Identifier = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
Numerator = Literal["module", "array", "used", "installable"]
Denominator = Literal["gross", "net", "installable"]
CoverageKind = Literal["installed", "planned", "potential"]
Aggregation = Literal["pooled", "share_of_buildings"]
Nature = Literal["anticipated", "binding", "mandate", "unstated"]
Unit = Literal["share", "change", "亿kW", "万m²", "亿m²", "unstated"]


def _none_if_unstated(value: Any) -> Any:
    return None if value == "unstated" else value


YesNo = Literal["yes", "no"]
OptionalYear = Annotated[Year | None, BeforeValidator(_none_if_unstated)]


class Document(Model):
    """A document that numbers are quoted from."""

    title: Written = Field(description="title as published, in Chinese")
    title_en: Written
    number: Written = Field(description="文号, or unstated")
    date: DateText


class YearSpan(Model):
    """Calendar years, both ends included."""

    start: Year
    end: Year

    @property
    def id(self) -> str:
        """``2021-2025``, or ``2025`` for a single year."""
        return str(self.start) if self.start == self.end else f"{self.start}-{self.end}"


class PlanPeriod(Model):
    """The plan's period: what was completed within it is new."""

    start: Year
    end: OptionalYear = Field(description="unstated: open")
    source: Note

    def contains(self, year: int) -> bool:
        """Whether `year` lies in the period."""
        return year >= self.start and (self.end is None or year <= self.end)


class Scope(Model):
    """An expression over the facts of a building; several keys in one mapping must all hold."""

    all: tuple[Scope, ...] | None = None
    any: tuple[Scope, ...] | None = None
    none: tuple[Scope, ...] | None = None
    building_use: tuple[str, ...] | None = None
    is_public_institution: YesNo | None = None
    owner_type: tuple[str, ...] | None = None
    completed: Literal["cohort"] | YearSpan | None = Field(
        None, description="cohort: within the cohort evaluated; or fixed years"
    )

    @model_validator(mode="after")
    def _check_not_empty(self) -> Scope:
        if not self.model_fields_set:
            raise ImpossibleError(Text("an empty scope would hold every building", "范围为空：会包括全部建筑"))
        return self


class Computable(Model):
    """Whether the tool answers a target, and why not."""

    answer: Literal["yes", "part", "no"]
    reason: Note | None = None

    @model_validator(mode="after")
    def _check_reason(self) -> Computable:
        if self.answer != "yes" and self.reason is None:
            raise ImpossibleError(
                Text("a target that is not computed needs its reason", "不计算（或部分计算）的指标须说明原因 reason")
            )
        return self


class DistrictShare(Model):
    """A unit's part of a target."""

    name: Written
    unit_id: str | None = None
    level: Literal["district", "zone"]
    value: Annotated[float, Field(ge=0.0)]


class Target(Model):
    """One number of a plan, with everything needed to find it again."""

    id: Identifier
    indicator: Identifier
    label: Note
    wording: Written = Field(description="the plan's own words, in Chinese")
    value: float
    unit: Unit
    value_text: Written = Field(description="the number as the plan writes it")
    year: OptionalYear
    baseline_year: Year | None = None
    scope: Note
    nature: Nature
    document: Written
    section: Written
    date: DateText
    source: Note
    computable: Computable
    stock: Literal["existing", "new"] | None = Field(
        None, description="buildings a quota of floor area speaks of: completed before the period, or within it"
    )
    districts: tuple[DistrictShare, ...] = ()
    districts_note: Note | None = None


class Definition(Model):
    """Numerator and denominator of one coverage ratio."""

    numerator: Numerator
    denominator: Denominator


class BuildingGroup(Model):
    """A building group with its default definition; `union` joins other groups, no building twice."""

    id: Identifier
    label: Note
    default: Definition
    source: Note
    union: tuple[Identifier, ...] = ()
    front: bool = Field(False, description="the group of the front row")

    @property
    def members(self) -> tuple[str, ...]:
        """Ids of the groups joined; of a plain group its own."""
        return self.union or (self.id,)


class ScopeReading(Model):
    """One way to read the plan's scope."""

    id: Identifier
    label: Note
    source: Note
    default: bool = False
    scopes: dict[Identifier, Scope]

    def scope(self, group: BuildingGroup) -> Scope:
        """Return the buildings of a group: for a union those of any of its members."""
        return Scope(any=tuple(self.scopes[member] for member in group.members))


class CoverageTarget(Model):
    """A target answered by a coverage definition, and the cohorts it is evaluated for."""

    id: Identifier | None = Field(None, description="null: the plan sets no value, coverage is shown for comparison")
    cohort: YearSpan | Literal["all"] = Field(description="the default cohort")
    cohorts: tuple[YearSpan, ...] = ()
    single_years: tuple[Year, ...] = ()
    source: Note

    @property
    def window(self) -> YearSpan | None:
        """The default cohort; None stands for all buildings whatever their age."""
        return None if self.cohort == "all" else self.cohort

    def windows(self) -> list[YearSpan | None]:
        """Every cohort, the default first; None stands for all buildings whatever their age."""
        first = self.window
        others = [*self.cohorts, *(YearSpan(start=y, end=y) for y in self.single_years)]
        out: list[YearSpan | None] = [first]
        out += [w for i, w in enumerate(others) if w != first and w not in others[:i]]
        return out


class Aggregations(Model):
    """How buildings are put together."""

    default: Aggregation
    evaluated: tuple[Aggregation, ...]
    required_share: Annotated[float, Field(gt=0.0, le=1.0)] = Field(
        description="share_of_buildings: share of the buildings that must reach the value for the target to be met"
    )
    source: Note


class Coverage(Model):
    """How one coverage indicator is computed."""

    id: Identifier
    label: Note
    targets: Annotated[tuple[CoverageTarget, ...], Field(min_length=1)]
    kinds: Annotated[tuple[CoverageKind, ...], Field(min_length=1)] = ("installed", "planned", "potential")
    numerators: Annotated[tuple[Numerator, ...], Field(min_length=1)] = ("module", "array", "used")
    denominators: Annotated[tuple[Denominator, ...], Field(min_length=1)] = ("gross", "net", "installable")
    groups: Annotated[tuple[BuildingGroup, ...], Field(min_length=1)]
    readings: Annotated[tuple[ScopeReading, ...], Field(min_length=1)]
    aggregation: Aggregations

    @property
    def front(self) -> BuildingGroup:
        """The group of the front row."""
        return next(group for group in self.groups if group.front)

    @property
    def plain_groups(self) -> tuple[BuildingGroup, ...]:
        """The groups that are no union of others."""
        return tuple(group for group in self.groups if not group.union)

    @property
    def default_reading(self) -> ScopeReading:
        """The reading that holds where none is asked for."""
        return next(reading for reading in self.readings if reading.default)


class Climate(Model):
    """Climate zone of the plan's area, which energy demand depends on."""

    zone: str | None = Field(description="a zone of configs/energy_demand.yaml; null: not one for the whole area")
    units: dict[str, str] = Field({}, description="zone of the districts whose id begins like this")
    source: Note

    def of(self, unit_id: str | None) -> str | None:
        """Return the zone of a district: of the longest beginning of its id that is listed, else of the whole."""
        fits = [start for start in self.units if unit_id is not None and unit_id.startswith(start)]
        return self.units[max(fits, key=len)] if fits else self.zone


class SubstitutionTarget(Model):
    """A substitution rate of the plan: whose demand and whose renewables it speaks of."""

    target: Identifier
    scope: Scope
    cohort: YearSpan | Literal["all"]
    k_e: Identifier | None = Field(None, description="the plan's own equivalent of electricity; null: the default")
    source: Note

    @property
    def window(self) -> YearSpan | None:
        """The cohort; None stands for all buildings whatever their age."""
        return None if self.cohort == "all" else self.cohort


class MandatePart(Model):
    """One class of buildings that a mandate names."""

    id: Identifier
    label: Note
    scope: Scope
    cohort: YearSpan | Literal["all"]
    condition: Note | None = Field(None, description="a fact it also depends on and no input states: never certain")

    @property
    def window(self) -> YearSpan | None:
        """The cohort; None stands for all buildings whatever their age."""
        return None if self.cohort == "all" else self.cohort


class Mandate(Model):
    """Buildings that must have renewable hot water, whatever PV would replace on their roof."""

    target: Identifier
    parts: Annotated[tuple[MandatePart, ...], Field(min_length=1)]
    source: Note


class ExistingPv(Model):
    """Converts declared capacity to module area."""

    w_per_m2: PositiveFloat
    source: Note
    date: DateText


class Claim(Model):
    """A project that a plan declares, kept as written for the plausibility check."""

    name: Written
    roof_area_m2: float | None = None
    capacity_kw: float | None = None
    annual_mwh: float | None = None
    document: Written
    section: Written
    note: Note


class Pack(Model):
    """A policy pack: one plan, its numbers, and the definitions the tool computes them with."""

    id: Identifier
    name: Note
    region: Note
    documents: dict[str, Document]
    period: PlanPeriod
    targets: tuple[Target, ...]
    coverage: tuple[Coverage, ...] = ()
    climate: Climate | None = None
    substitution: tuple[SubstitutionTarget, ...] = ()
    mandates: tuple[Mandate, ...] = ()
    existing_pv: ExistingPv | None = Field(None, description="overrides configs/coverage.yaml")
    claims: tuple[Claim, ...] = ()
    remarks: tuple[Note, ...] = ()

    def target(self, target_id: str) -> Target:
        """Return one target by its id."""
        return next(target for target in self.targets if target.id == target_id)

    def targets_of(self, coverage: Coverage) -> list[tuple[CoverageTarget, Target]]:
        """Return the entries of a coverage indicator that the plan sets a value for, each with its target."""
        return [(entry, self.target(entry.id)) for entry in coverage.targets if entry.id is not None]
