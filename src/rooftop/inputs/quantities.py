"""Areas, capacities and energies as people write them: numbers with units, in headers or beside the number."""

from __future__ import annotations

import re
import unicodedata
from functools import cache

from rooftop.core.lang import Text
from rooftop.inputs.audit_limits import audit_limits

BASE_UNIT = {"area": Text("m²", "㎡"), "capacity": Text("kW", "kW"), "energy": Text("kWh", "kWh")}
"""Kind of unit -> the unit that numbers are returned in."""
_NUMBER = re.compile(r"([+-]?(?:\d{1,3}(?:[, ]\d{3})+|\d+)?(?:\.\d+)?(?:e[+-]?\d+)?)\s*(.*)", re.DOTALL)
_BRACKETS = re.compile(r"^(.*?)\s*[(\[{<【]\s*([^()\[\]{}<>【】]*)\s*[)\]}>】]\s*$")


def fold_header(text: str) -> str:
    """Return `text` for comparing: full-width and squared forms folded, no case, no outer blanks."""
    return unicodedata.normalize("NFKC", text).strip().casefold()


@cache
def _units(kind: str) -> dict[str, float]:
    return {fold_header(name): factor for name, factor in audit_limits().units[kind].items()}


def split_unit(header: str) -> tuple[str, str | None, str | None]:
    """Take the unit off a column name.

    Returns
    -------
    tuple of (str, str or None, str or None)
        The name without it, the unit as folded text, its kind (``area capacity energy``); None where there is none.
    """
    text = fold_header(header)
    match = _BRACKETS.match(text)
    if match is not None:
        unit = unit_of(match.group(2))
        if unit is not None:
            return match.group(1), *unit
    for cut in range(1, len(text) + 1):
        # The longest ending that is a unit; a Latin one must not be the tail of a word ("flow" is no watt).
        tail = text[-(len(text) - cut + 1) :]
        before = text[: len(text) - len(tail)]
        if tail[0].isascii() and tail[0].isalpha() and before and before[-1].isascii() and before[-1].isalpha():
            continue
        unit = unit_of(tail)
        if unit is not None:
            return before.rstrip("_ /:：-·,，"), *unit
    return text, None, None


def unit_of(text: str) -> tuple[str, str] | None:
    """Return a unit and its kind, ``per year`` taken off; None when it is none."""
    bare = fold_header(text).strip("_ /:：-()")
    for ending in sorted((fold_header(ending) for ending in audit_limits().per_year), key=len, reverse=True):
        if bare.endswith(ending) and unit_of(bare.removesuffix(ending)):
            bare = bare.removesuffix(ending).strip()
            break
    bare = bare.replace(" ", "").removeprefix("单位:").removeprefix("单位")
    for kind in ("energy", "capacity", "area"):
        if bare in _units(kind):
            return bare, kind
    return None


def quantity_factor(kind: str, unit: str) -> float:
    """Return what one of a folded unit is in m², kW or kWh."""
    return _units(kind)[unit]


def written_unit(unit: str) -> str:
    """Return a folded unit as people write it: ``万kWh`` for ``万kwh``."""
    for part in ("kWh", "MWh", "GWh", "kWp", "MWp", "GWp", "kW", "MW", "GW", "Wp", "m²"):
        if fold_header(part) in unit:
            return unit.replace(fold_header(part), part)
    return unit


# --- rows ------------------------------------------------------------------------------------------------------------


def quantity(text: str, kind: str, unit: str) -> float | None:
    """Read a number with or without its own unit, in m², kW or kWh.

    Parameters
    ----------
    text : str
        ``600``, ``1,234.5``, ``约 600 kW``, ``14.6万kWh``.
    kind : {"area", "capacity", "energy"}
    unit : str
        Used where the text states none.

    Returns
    -------
    float or None
        None where it is no number, its unit is not of the kind, or a 万 may only repeat that of `unit`.
    """
    bare = fold_header(text)
    for word in sorted((fold_header(word) for word in audit_limits().about), key=len, reverse=True):
        bare = bare.removeprefix(word).strip()
    match = _NUMBER.fullmatch(bare)
    if match is None or not match.group(1).strip("+-"):
        return None
    suffix = match.group(2).strip()
    stated_unit = unit_of(suffix) if suffix else None
    if not suffix:
        factor = _units(kind)[unit]
    elif suffix == "万" and not unit.startswith(("万", "亿")):
        factor = 1e4 * _units(kind)[unit]
    elif stated_unit is not None and stated_unit[1] == kind:
        factor = _units(kind)[stated_unit[0]]
    else:
        return None
    return float(match.group(1).replace(",", "").replace(" ", "")) * factor
