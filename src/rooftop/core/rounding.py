"""Numbers for people: rounded to what the data deserve, with units, bounds rounded outwards."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Literal, SupportsFloat

from rooftop.core.lang import Lang, Text

RoundingWay = Literal["nearest", "down", "up"]
NONE = "—"
_ROUNDING = {"down": ROUND_FLOOR, "up": ROUND_CEILING}


@dataclass(frozen=True)
class Interval:
    """A quantity that is only known between two bounds.

    Parameters
    ----------
    low, central, high : float
        Any of them may be NaN (not known); ``low <= central <= high`` otherwise.
    """

    low: float
    central: float
    high: float

    @property
    def known(self) -> bool:
        """Whether there is a central value."""
        return not math.isnan(self.central)

    @property
    def exact(self) -> bool:
        """Whether the bounds coincide with the central value or are missing."""
        return all(math.isnan(bound) or bound == self.central for bound in (self.low, self.high))


def is_missing(value: object) -> bool:
    """Return whether `value` is null in any of its disguises (None, NaN, pandas.NA)."""
    if value is None:
        return True
    if isinstance(value, float):
        return value != value
    return type(value).__name__ in ("NAType", "NaTType")


def real(value: object) -> float:
    """Return a cell of a table as a number.

    Parameters
    ----------
    value : float, int, bool, numpy scalar, Decimal or text of a number

    Raises
    ------
    TypeError, ValueError
        It is none.
    """
    if isinstance(value, float | int | str | SupportsFloat):
        return float(value)
    raise TypeError(f"{type(value).__name__} is no number")


def _finite(value: object) -> float | None:
    if is_missing(value):
        return None
    amount = real(value)
    return amount if math.isfinite(amount) else None


def significant(value: float, digits: int = 3, way: RoundingWay = "nearest") -> Decimal:
    """Round `value` to `digits` significant digits.

    Parameters
    ----------
    value : float
        Finite.
    digits : int
        At least one.
    way : {"nearest", "down", "up"}
        ``down`` for lower bounds, ``up`` for upper bounds and for what is still needed.

    Returns
    -------
    Decimal
        Without exponent; ``1234`` at two digits is ``1200``.
    """
    if way == "nearest":
        rounded = Decimal(f"{float(value):.{digits - 1}e}")
        step = Decimal(1).scaleb(rounded.adjusted() - digits + 1)
        return rounded.quantize(min(step, Decimal(1))) if rounded else Decimal(0)
    number = Decimal(repr(float(value)))
    if number == 0:
        return Decimal(0)
    step = Decimal(1).scaleb(number.adjusted() - digits + 1)
    # A binary tail (0.1 + 0.2) must not push a bound one step outwards.
    steps = (number / step).quantize(Decimal("1e-9"))
    rounded = steps.quantize(Decimal(1), rounding=_ROUNDING[way]) * step
    if rounded.adjusted() > number.adjusted() and rounded != 0:
        step *= 10
    return rounded.quantize(step) if step < 1 else rounded.quantize(Decimal(1))


def number(value: object, digits: int = 3, way: RoundingWay = "nearest") -> str:
    """Return `value` with `digits` significant digits and thousands separators; ``—`` when it is null."""
    amount = _finite(value)
    if amount is None:
        return NONE
    if way != "nearest" or amount == 0:
        return f"{significant(amount, digits, way):,f}"
    # The same as `significant`, ten times faster: lists of candidates hold many numbers.
    mantissa = f"{amount:.{digits - 1}e}"
    decimals = max(digits - 1 - int(mantissa[mantissa.index("e") + 1 :]), 0)
    return f"{float(mantissa):,.{decimals}f}"


def count(value: object) -> str:
    """Return an exact count with thousands separators."""
    return NONE if is_missing(value) else f"{int(real(value)):,d}"


def percent(share: object, way: RoundingWay = "nearest", against: float | None = None) -> str:
    """Return a share as a percentage of two significant digits.

    Parameters
    ----------
    share : float
        0.473 gives ``47%``.
    against : float, optional
        A target. Digits are added until the printed value stands on the same side of it as the real one, so that
        49.8 % never reads as a fulfilled 50 %.
    """
    amount = _finite(share)
    if amount is None:
        return NONE
    value = amount * 100.0
    whole = max(len(str(int(abs(value)))), 2)
    rounded = significant(value, whole, way)
    for digits in range(whole, 9):
        rounded = significant(value, digits, way)
        if against is None or _side(rounded, against * 100.0) == _side(value, against * 100.0):
            break
    return f"{rounded:,f}%"


def _side(value: Decimal | float, target: float) -> int:
    difference = float(value) - target
    return 0 if abs(difference) < 1e-9 else int(math.copysign(1, difference))


def percent_range(values: Interval, against: float | None = None) -> str:
    """Return ``47% (41%–52%)``; the bounds are left out where they say nothing new."""
    return _with_bounds(values, lambda value, way: percent(value, way, against))


def _with_bounds(values: Interval, show: Callable[[float, RoundingWay], str]) -> str:
    central = show(values.central, "nearest")
    if values.exact or not values.known:
        return central
    return f"{central} ({show(values.low, 'down')}–{show(values.high, 'up')})"


def _with_unit(
    value: object, steps: dict[Lang, tuple[tuple[float, str], ...]], lang: Lang, digits: int, way: RoundingWay
) -> str:
    amount = _finite(value)
    if amount is None:
        return NONE
    chosen = steps[lang][0]
    for limit, unit in steps[lang][1:]:
        if abs(amount) >= limit:
            chosen = (limit, unit)
    scale, unit = chosen
    return f"{number(amount / scale, digits, way)} {unit}"


_CAPACITY: dict[Lang, tuple[tuple[float, str], ...]] = {
    "en": ((1.0, "kWp"), (1e3, "MWp"), (1e6, "GWp")),
    "zh": ((1.0, "kWp"), (1e3, "MWp"), (1e6, "GWp")),
}
_ENERGY: dict[Lang, tuple[tuple[float, str], ...]] = {
    "en": ((1.0, "kWh"), (1e3, "MWh"), (1e6, "GWh"), (1e9, "TWh")),
    "zh": ((1.0, "kWh"), (1e4, "万kWh"), (1e8, "亿kWh")),
}
_AREA: dict[Lang, tuple[tuple[float, str], ...]] = {
    "en": ((1.0, "m²"), (1e6, "km²")),
    "zh": ((1.0, "㎡"), (1e4, "万㎡")),
}
_MONEY: dict[Lang, tuple[tuple[float, str], ...]] = {
    "en": ((1.0, "yuan"), (1e6, "million yuan"), (1e9, "billion yuan")),
    "zh": ((1.0, "元"), (1e4, "万元"), (1e8, "亿元")),
}
_CARBON: dict[Lang, tuple[tuple[float, str], ...]] = {
    "en": ((1.0, "kg CO₂"), (1e3, "t CO₂"), (1e6, "kt CO₂")),
    "zh": ((1.0, "kg CO₂"), (1e3, "t CO₂"), (1e7, "万t CO₂")),
}
_COAL: dict[Lang, tuple[tuple[float, str], ...]] = {
    "en": ((1.0, "kgce"), (1e3, "tce"), (1e6, "ktce")),
    "zh": ((1.0, "kgce"), (1e3, "tce"), (1e7, "万tce")),
}


def capacity(kwp: object, lang: Lang = "zh", digits: int = 3, way: RoundingWay = "nearest") -> str:
    """Return a capacity given in kWp, e.g. ``210 kWp`` or ``3.41 MWp``."""
    return _with_unit(kwp, _CAPACITY, lang, digits, way)


def energy(kwh: object, lang: Lang = "zh", digits: int = 3, way: RoundingWay = "nearest") -> str:
    """Return an energy given in kWh, e.g. ``23.1 万kWh`` or ``231 MWh``."""
    return _with_unit(kwh, _ENERGY, lang, digits, way)


def area(m2: object, lang: Lang = "zh", digits: int = 3, way: RoundingWay = "nearest") -> str:
    """Return an area given in square metres, e.g. ``4.2 万㎡`` or ``42,000 m²``."""
    return _with_unit(m2, _AREA, lang, digits, way)


def money(yuan: object, lang: Lang = "zh", digits: int = 2, way: RoundingWay = "nearest") -> str:
    """Return an amount given in yuan, e.g. ``52 万元`` or ``520,000 yuan``."""
    return _with_unit(yuan, _MONEY, lang, digits, way)


def carbon(kg: object, lang: Lang = "zh", digits: int = 2, way: RoundingWay = "nearest") -> str:
    """Return a mass of CO2 given in kg, e.g. ``130 t CO₂``."""
    return _with_unit(kg, _CARBON, lang, digits, way)


def coal(kgce: object, lang: Lang = "zh", digits: int = 3, way: RoundingWay = "nearest") -> str:
    """Return an amount of standard coal given in kgce, e.g. ``62 kgce``, ``130 tce`` or ``1.2 万tce``."""
    return _with_unit(kgce, _COAL, lang, digits, way)


def span(low: str, high: str) -> str:
    """Join two printed bounds; the unit is written once when both carry the same."""
    if low == high:
        return low
    low_value, _, low_unit = low.partition(" ")
    _, _, high_unit = high.partition(" ")
    return f"{low_value}–{high}" if low_unit == high_unit else f"{low}–{high}"


def money_span(values: Interval, lang: Lang = "zh") -> str:
    """Return an amount of money as its range only: a single number would claim too much."""
    return span(money(values.low, lang, way="down"), money(values.high, lang, way="up"))


def years_span(values: Interval, life_years: float) -> Text:
    """Return a payback as a range of years, ``not within 25 years`` where it never pays.

    Parameters
    ----------
    values : Interval
        Years; ``inf`` or NaN where the income never covers the cost within `life_years`.
    """
    limit = f"{life_years:g}"
    if not math.isfinite(values.low):
        return Text(f"not within {limit} years", f"{limit} 年内不能收回")
    low = number(values.low, 2, "down")
    if not math.isfinite(values.high):
        return Text(f"from {low} years to more than {limit}", f"{low} 年至超过 {limit} 年")
    both = span(low, number(values.high, 2, "up"))
    return Text(f"{both} years", f"{both} 年")
