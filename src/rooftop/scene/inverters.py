"""Inverters of a roof, simply: voltage by capacity, and the fewest equal units that are large enough."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated

import pandas as pd
from numpy.typing import ArrayLike
from pydantic import Field, PositiveFloat, model_validator

from rooftop.core.datamodel import Model
from rooftop.core.resources import load_shipped
from rooftop.solar.pvsystem import load_system_rules


class VoltageClass(Model):
    """Connections up to a capacity, and the inverters used there."""

    voltage: str
    up_to_kwp: PositiveFloat | None
    unit_kw: Annotated[list[PositiveFloat], Field(min_length=1)]
    source: str


class InverterRules(Model):
    """Typed view of `configs/inverters.yaml`; classes by rising capacity, the last without a limit."""

    date: object
    source: str
    classes: Annotated[list[VoltageClass], Field(min_length=1)]

    @model_validator(mode="after")
    def _rising(self) -> InverterRules:
        limits = [math.inf if each.up_to_kwp is None else each.up_to_kwp for each in self.classes]
        if limits != sorted(set(limits)) or limits[-1] != math.inf:
            raise ValueError("classes: up_to_kwp must rise, and the last must be null")
        return self

    def of(self, capacity_kwp: float) -> VoltageClass:
        """Return the class of a capacity."""
        return next(each for each in self.classes if each.up_to_kwp is None or capacity_kwp <= each.up_to_kwp)


@dataclass(frozen=True)
class Inverters:
    """The inverters of one roof.

    Parameters
    ----------
    count : int
        Zero without modules.
    unit_kw : float
        AC rating of each.
    voltage : str
        Usual voltage of the connection; empty without modules.
    dc_ac_ratio : float
        As built: at most the wanted one, because ratings come in steps; NaN without modules.
    """

    count: int
    unit_kw: float
    voltage: str
    dc_ac_ratio: float

    @property
    def ac_kw(self) -> float:
        """AC rating of all."""
        return self.count * self.unit_kw


def load_inverter_rules() -> InverterRules:
    """Load and check the shipped rules."""
    return load_shipped(InverterRules, "inverters.yaml")


def usual_dc_ac_ratio() -> float:
    """Return the ratio of DC to AC rating of `configs/system.yaml`."""
    return load_system_rules().dc_ac_ratio.value


def size_inverters(capacity_kwp: float, dc_ac_ratio: float) -> Inverters:
    """Return the fewest equal inverters whose AC rating is at least the capacity over the wanted ratio.

    Parameters
    ----------
    capacity_kwp : float
        DC rating of the roof.
    dc_ac_ratio : float
        Wanted, see `configs/system.yaml`.
    """
    if not capacity_kwp > 0.0:
        return Inverters(0, 0.0, "", math.nan)
    kind = load_inverter_rules().of(capacity_kwp)
    least_ac_kw = capacity_kwp / dc_ac_ratio
    count = math.ceil(least_ac_kw / max(kind.unit_kw) - 1e-9)
    unit = min(size for size in kind.unit_kw if size * count >= least_ac_kw - 1e-9)
    return Inverters(count, unit, kind.voltage, capacity_kwp / (count * unit))


def inverter_table(capacity_kwp: ArrayLike, dc_ac_ratio: float) -> pd.DataFrame:
    """Return the inverters of each roof, in its order.

    Returns
    -------
    DataFrame
        ``inverter_count inverter_unit_kw inverter_ac_kw dc_ac_ratio connection_voltage``; a roof without modules has
        none, a ratio of NaN and no voltage.
    """
    inverters = [size_inverters(float(each), dc_ac_ratio) for each in pd.Series(capacity_kwp, dtype=float)]
    return pd.DataFrame(
        {
            "inverter_count": pd.array([each.count for each in inverters], dtype="int64"),
            "inverter_unit_kw": pd.array([each.unit_kw for each in inverters], dtype="float64"),
            "inverter_ac_kw": pd.array([each.ac_kw for each in inverters], dtype="float64"),
            "dc_ac_ratio": pd.array([each.dc_ac_ratio for each in inverters], dtype="float64"),
            "connection_voltage": pd.array([each.voltage or None for each in inverters], dtype="string"),
        }
    )
