"""Places of the plausibility audit: the one that is stated, of a pack, of a district."""

from __future__ import annotations

from rooftop.core.errors import UsageError
from rooftop.core.lang import Text
from rooftop.inputs.audit_limits import AuditLimits, AuditPlace
from rooftop.targets.models import Pack


def given_place(ghi_kwh_m2: float, limits: AuditLimits) -> AuditPlace:
    """Return a place of stated annual irradiation, taken at its word.

    Raises
    ------
    UsageError
        No place of the country has that.
    """
    everywhere = limits.places.list[-1]
    low, _, high = everywhere.ghi
    if not low <= ghi_kwh_m2 <= high:
        raise UsageError(
            Text("no place has that much sunlight a year", "没有任何地点的年辐照量为此值"),
            where="--ghi",
            found=f"{ghi_kwh_m2:g}",
            expected=f"{low:g}–{high:g} kWh/m²",
            mend=Text("state the annual sum on a horizontal m²", "请给出水平面年总辐照量（kWh/㎡）"),
        )
    return AuditPlace(id="given", zh="给定值", en="as given", ghi=(ghi_kwh_m2, ghi_kwh_m2, ghi_kwh_m2))


def place_of_pack(pack: Pack, limits: AuditLimits) -> AuditPlace:
    """Return the place of a pack: by its id, else by the name of its region, else the whole country."""
    for place in limits.places.list:
        if pack.id in place.packs:
            return place
    return place_named(pack.region.text.pick("zh"), limits)


def place_named(name: str | None, limits: AuditLimits) -> AuditPlace:
    """Return the place a district lies in; the whole country where it is not known."""
    text = (name or "").casefold()
    hits = [place for place in limits.places.list if any(known.casefold() in text for known in place.names)]
    return hits[0] if hits else limits.places.list[-1]
