"""Units of irradiance and temperature rasters (`configs/irradiance_units.yaml`): one table for all who read them."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from pydantic import BeforeValidator, Field, PositiveFloat
from pydantic_core import PydanticKnownError

from rooftop.core.datamodel import Model
from rooftop.core.errors import InputError
from rooftop.core.lang import Text
from rooftop.core.resources import load_shipped
from rooftop.core.types import F8

RasterPeriod = Literal["annual", "monthly"]


class _Unit(Model):
    usual: dict[RasterPeriod, int] = Field({})


class Energy(_Unit):
    """Irradiation over a span of time."""

    measures: Literal["energy"]
    per_kwh: PositiveFloat
    span: Literal["day", "month", "year"]

    def kwh(self, days: F8) -> F8:
        """Return what turns a stored value into kWh/m2 over `days` days.

        A rate per month or per year is spread evenly over its days, except that a month of a monthly series is that
        month, whatever its length.
        """
        energy = 1.0 / self.per_kwh
        if self.span == "day":
            return energy * days
        if self.span == "month":
            return energy * (np.ones_like(days) if len(days) == 12 else days * 12.0 / 365.0)
        return energy * days / 365.0


class Power(_Unit):
    """Mean irradiance."""

    measures: Literal["power"]
    per_kw: PositiveFloat

    def kwh(self, days: F8) -> F8:
        """Return what turns a stored value into kWh/m2 over `days` days."""
        return 24.0 * days / self.per_kw


class Temperature(_Unit):
    """Temperature in degrees as long as those of Celsius."""

    measures: Literal["temperature"]
    zero_degc: float

    def degc(self, stored: F8) -> F8:
        """Return stored values in degC."""
        return stored + self.zero_degc


class IrradianceUnits(Model):
    """Typed view of `configs/irradiance_units.yaml`."""

    date: object
    source: str
    units: dict[str, Annotated[Energy | Power | Temperature, Field(discriminator="measures")]]

    @property
    def of_irradiance(self) -> dict[str, Energy | Power]:
        """Units of GHI, DNI and DHI, by name."""
        return {name: unit for name, unit in self.units.items() if not isinstance(unit, Temperature)}

    @property
    def of_temperature(self) -> dict[str, Temperature]:
        """Units of air temperature, by name."""
        return {name: unit for name, unit in self.units.items() if isinstance(unit, Temperature)}

    def usual(self, period: RasterPeriod) -> tuple[str, ...]:
        """Return the units that a GHI raster of a period may have, the likeliest first."""
        ranks = {name: unit.usual[period] for name, unit in self.units.items() if period in unit.usual}
        return tuple(sorted(ranks, key=ranks.__getitem__))


def irradiance_units() -> IrradianceUnits:
    """Return the table of units."""
    return load_shipped(IrradianceUnits, "irradiance_units.yaml")


def unit_factor(unit: str, days: F8, where: str | None = None) -> F8:
    """Return what turns a stored value of irradiance into kWh/m2 over `days` days.

    Parameters
    ----------
    unit : str
        Its name in the table.
    days : numpy.ndarray
        The lengths of twelve months, or (1,) 365.
    where : str, optional
        Key or file that names the unit, for the error.

    Raises
    ------
    InputError
        No unit of irradiance.
    """
    units = irradiance_units().of_irradiance
    if unit not in units:
        raise no_such_unit(unit, list(units), where)
    return units[unit].kwh(days)


def to_degc(stored: F8, unit: str, where: str | None = None) -> F8:
    """Return stored temperatures in degC.

    Parameters
    ----------
    stored : numpy.ndarray
    unit : str
        Its name in the table.
    where : str, optional
        Key or file that names the unit, for the error.

    Raises
    ------
    InputError
        No unit of temperature.
    """
    units = irradiance_units().of_temperature
    if unit not in units:
        raise no_such_unit(unit, list(units), where)
    return units[unit].degc(stored)


def no_such_unit(unit: str, known: list[str], where: str | None = None) -> InputError:
    """Return the error about a unit that is none of the quantity's."""
    return InputError(
        Text("the unit does not fit the quantity", "单位与物理量不符"),
        where=where,
        found=unit,
        expected=", ".join(known),
    )


def _check_unit_name(unit: object) -> object:
    known = [repr(name) for name in irradiance_units().units]
    if repr(unit) in known:
        return unit
    raise PydanticKnownError("literal_error", {"expected": " or ".join([", ".join(known[:-1]), known[-1]])})


IrradianceUnit = Annotated[str, BeforeValidator(_check_unit_name)]
"""Name of a unit of the table, in a model."""
