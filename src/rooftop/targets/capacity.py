"""Capacity against the plans' quantities: the national 0.5亿kW, and what the whole-county shares ask for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from rooftop.core.types import B1, F8
from rooftop.tables import CAPACITY, conform
from rooftop.targets.basis import Basis, Links
from rooftop.targets.columns import known_or_zero
from rooftop.targets.models import CoverageKind, Pack
from rooftop.targets.scope import PRESUMED, UNKNOWN, YES
from rooftop.targets.stock import Stock

_ALL = "all"


@dataclass(frozen=True)
class _Capacities:
    """Capacity and energy per roof, central and low."""

    central_kwp: F8
    low_kwp: F8
    annual_kwh: F8
    known: bool


def capacity_ledger(stock: Stock) -> pd.DataFrame:
    """Capacity of every unit against the capacity that a target of the pack asks for.

    Parameters
    ----------
    stock : Stock
        Targets in 亿kW take part as they are, for all buildings (``share_of_target`` of a national total). A share of
        the total roof that PV can be put on (whole-county pilot) asks for that share of the group's gross roof, at the
        mean kWp per m² of its installable area. Without either the table is empty.

    Returns
    -------
    DataFrame
        `tables.CAPACITY`. ``installed`` is the declared inventory, whenever it was built (null without one), its energy
        estimated at each roof's yield; ``potential`` the inventory and the new modules beside it.
        The low value leaves out roofs that need a survey and buildings whose class is presumed.
    """
    values = _capacities(stock.basis)
    parts = [*_totals(stock.links, stock.pack, values), *_shares(stock, values)]
    frame = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=CAPACITY.names)
    return conform(frame.reindex(columns=CAPACITY.names), CAPACITY)


def _capacities(basis: Basis) -> dict[CoverageKind, _Capacities]:
    declared = np.maximum(known_or_zero(basis.roofs, "existing_pv_kwp"), 0.0)
    whole = basis.capacity_kwp + declared
    annual = known_or_zero(basis.roofs, "annual_kwh")
    total = float(basis.capacity_kwp.sum())
    mean = float(annual.sum()) / total if total > 0 else np.nan
    hours = np.divide(annual, basis.capacity_kwp, out=np.full(annual.size, mean), where=basis.capacity_kwp > 0)
    return {
        "installed": _Capacities(declared, declared, np.nan_to_num(declared * hours), basis.inventory),
        "potential": _Capacities(
            whole, np.where(basis.needs_survey, declared, whole), np.nan_to_num(whole * hours), True
        ),
    }


def _totals(links: Links, pack: Pack, values: dict[CoverageKind, _Capacities]) -> Iterator[pd.DataFrame]:
    everything = np.ones(len(next(iter(values.values())).central_kwp), dtype=bool)
    for target in pack.targets:
        if target.unit == "亿kW":
            target_kwp = np.full(len(links.units), target.value * 1e8)
            yield from _rows(
                links, target.id, target.year, _ALL, target_kwp, values, (everything, everything, everything)
            )


def _shares(stock: Stock, values: dict[CoverageKind, _Capacities]) -> Iterator[pd.DataFrame]:
    basis, links = stock.basis, stock.links
    for coverage in stock.pack.coverage:
        if coverage.kinds != ("potential",):
            continue
        for entry, target in stock.pack.targets_of(coverage):
            for group in coverage.plain_groups:
                answers = stock.answers(coverage.default_reading.scope(group), entry.window)
                inside = answers >= PRESUMED
                gross = links.sums(basis.roof["gross"] * inside)
                room = links.sums(basis.roof["installable"] * inside)
                density = links.sums(values["potential"].central_kwp * inside) / np.where(room > 0, room, np.nan)
                masks = (inside, answers == YES, answers == UNKNOWN)
                yield from _rows(links, target.id, target.year, group.id, target.value * gross * density, values, masks)


def _rows(
    links: Links,
    target_id: str,
    year: int | None,
    group: str,
    asked_kwp: F8,
    values: dict[CoverageKind, _Capacities],
    masks: tuple[B1, B1, B1],
) -> Iterator[pd.DataFrame]:
    inside, sure, open_ = masks
    n_unknown = links.sums(open_.astype(float), whole=True) if group != _ALL else np.zeros(len(links.units))
    for kind, value in values.items():
        nothing = np.full(len(links.units), np.nan)
        central = links.sums(value.central_kwp * inside) if value.known else nothing
        share = np.divide(central, asked_kwp, out=nothing.copy(), where=asked_kwp > 0)
        yield links.units.assign(
            target_id=target_id,
            year=year,
            building_group=group,
            kind=kind,
            n_buildings=links.sums(inside.astype(float), whole=True),
            n_unknown=n_unknown,
            target_kwp=asked_kwp,
            capacity_kwp=central,
            capacity_low_kwp=links.sums(value.low_kwp * sure) if value.known else nothing,
            share_of_target=share,
            annual_kwh=links.sums(value.annual_kwh * inside) if value.known else nothing,
        )
