"""Limits, places, words and units of the plausibility audit, from `configs/audit.yaml` or a copy of it."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Annotated

from pydantic import Field, PositiveFloat, model_validator

from rooftop.config import ImpossibleError
from rooftop.configfile import validate
from rooftop.core.datamodel import DateText, Label, Model, Note
from rooftop.core.lang import Text
from rooftop.core.resources import load_shipped
from rooftop.core.yamlfile import load_yaml


class Limit(Model):
    """A limit and who says so."""

    value: PositiveFloat
    source: Note


class ModuleLimits(Model):
    """Module efficiencies, as shares of sunlight."""

    efficiency_max: Limit
    efficiency_high: Limit
    efficiency_low: Limit


class Dense(Model):
    """W per m² of declared roof that nobody installs, by roof type."""

    source: Note
    default: PositiveFloat
    steel_sheet: PositiveFloat
    flat_concrete: PositiveFloat
    tile_pitched: PositiveFloat

    def of(self, roof_type: str | None) -> float:
        """Return the limit of a roof type."""
        limit = getattr(self, roof_type, None) if roof_type in type(self).model_fields else None
        return float(limit) if isinstance(limit, float) else self.default


class SunlightShare(Model):
    """Annual energy per m² of roof over all sunlight on a horizontal m²."""

    max: Limit
    high: Limit


class HoursPerGhi(Model):
    """Full-load hours over GHI in kWh/m²."""

    max: Limit
    high: Limit
    typical: Limit
    low: Limit


class UnitSlip(Model):
    """When a column of capacities is in another unit than it is taken for."""

    min_values: Limit
    low_w_per_m2: Limit


class Years(Model):
    """Years before which there was no PV."""

    first_cell: Limit
    first_roofs: Limit


class AuditPlace(Label):
    """A place and its sunlight: low, central, high, kWh/m² a year; central null where it is not known well enough."""

    id: str
    ghi: tuple[PositiveFloat, PositiveFloat | None, PositiveFloat]
    packs: tuple[str, ...] = ()
    names: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _check_order(self) -> AuditPlace:
        low, central, high = self.ghi
        if not low <= (low if central is None else central) <= high:
            raise ImpossibleError(Text("ghi: low, central and high are out of order", "ghi：低、中、高次序颠倒"))
        return self


class AuditPlaces(Model):
    """Known places; the last stands for everywhere else."""

    source: Note
    list: Annotated[tuple[AuditPlace, ...], Field(min_length=1)]


class AuditLimits(Model):
    """Typed view of `configs/audit.yaml`; columns and units are read by the words of the shipped file."""

    date: DateText
    sunlight_w_m2: Limit
    module: ModuleLimits
    face_per_roof_max: Limit
    dense_w_per_m2: Dense
    sunlight_share: SunlightShare
    hours_per_ghi: HoursPerGhi
    unit_slip: UnitSlip
    years: Years
    places: AuditPlaces
    columns: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    columns_both: dict[str, tuple[tuple[str, ...], ...]] = Field(default_factory=dict)
    never: tuple[str, ...] = ()
    per_year: tuple[str, ...] = ()
    units: dict[str, dict[str, float]] = Field(default_factory=dict)
    about: tuple[str, ...] = ()

    @property
    def roof_w_per_m2_max(self) -> float:
        """Power no m² of roof can have."""
        return self.sunlight_w_m2.value * self.module.efficiency_max.value * self.face_per_roof_max.value

    @property
    def module_w_per_m2_high(self) -> float:
        """Power per m² of the best modules on sale."""
        return self.sunlight_w_m2.value * self.module.efficiency_high.value


@cache
def audit_limits(path: Path | None = None) -> AuditLimits:
    """Load the limits: `configs/audit.yaml`, or a copy of it.

    Raises
    ------
    ConfigError
        Names the wrong key, with its line.
    """
    return load_shipped(AuditLimits, "audit.yaml") if path is None else validate(AuditLimits, load_yaml(path))
