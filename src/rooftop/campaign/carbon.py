"""Avoided CO2, always with the year and the province of the factor."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from rooftop.campaign.rules import emission_factors
from rooftop.core.lang import Text

NATIONAL = "national"


@dataclass(frozen=True)
class EmissionFactor:
    """An average CO2 factor of electricity.

    Parameters
    ----------
    kg_kwh : float
        kgCO2 per kWh.
    year : int
        Year the factor describes, not the year it is used in.
    province : str
        Key in ``emission_factors.yaml``; ``national`` when the province is not known or not listed.
    name : Text
        The province's name.
    source : Text
    note : Text
        What the factor does not say.
    """

    kg_kwh: float
    year: int
    province: str
    name: Text
    source: Text
    note: Text

    @property
    def label(self) -> Text:
        """The factor in one phrase, year and province included."""
        return Text(
            "{name} average of {year}, {kg_kwh:.4f} kgCO₂/kWh",
            "{name} {year} 年电力平均排放因子 {kg_kwh:.4f} kgCO₂/kWh",
        ).format(name=self.name, year=self.year, kg_kwh=self.kg_kwh)

    def avoided_kg(self, annual_kwh: float) -> float:
        """Return kgCO2 avoided in one year by `annual_kwh`."""
        return annual_kwh * self.kg_kwh


def province_of(unit_ids: Iterable[object], region: str = "") -> str:
    """Return the province that six-digit administrative codes lie in, or else the one that a region's name begins with.

    Parameters
    ----------
    unit_ids : iterable
        Codes of districts (``320706``); anything else says nothing.
    region : str
        Chinese name of the region a policy pack is made for (江苏省连云港市).

    Returns
    -------
    str
        Key of the province, ``national`` when neither names one that is listed, or the codes name several.
    """
    provinces = emission_factors().provinces
    by_code = {entry.adcode: name for name, entry in provinces.items() if entry.adcode is not None}
    codes = [str(unit_id) for unit_id in unit_ids]
    known = {code[:2] for code in codes if len(code) >= 6 and code[:6].isdigit() and "11" <= code[:2] <= "82"}
    if known:
        return by_code.get(known.pop(), NATIONAL) if len(known) == 1 else NATIONAL
    named = (name for name, entry in provinces.items() if name != NATIONAL and region.startswith(entry.text.pick("zh")))
    return next(named, NATIONAL)


def province_name(province: str) -> Text:
    """Return what people call a province key; the key itself where it is not listed."""
    entry = emission_factors().provinces.get(province)
    return Text(province, province) if entry is None else entry.text


def emission_factor(province: str = NATIONAL) -> EmissionFactor:
    """Return the latest factor of a province.

    Parameters
    ----------
    province : str
        Key in ``emission_factors.yaml``; one that is not listed gets the national factor.
    """
    table = emission_factors()
    key = province if province in table.provinces else NATIONAL
    entry = table.provinces[key]
    year = max(entry.factors)
    return EmissionFactor(
        kg_kwh=entry.factors[year],
        year=year,
        province=key,
        name=entry.text,
        source=table.source.text,
        note=table.note.text,
    )
