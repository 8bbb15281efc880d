"""Kinds of targets beside coverage, and what is computed for each: a new kind is a file of its own and a line here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd

from rooftop.config import SubstitutionOptions
from rooftop.core.notices import Notice
from rooftop.tables import CAPACITY, PV_OR_THERMAL, QUOTAS, SUBSTITUTION, Table
from rooftop.targets.capacity import capacity_ledger
from rooftop.targets.quotas import quota_table
from rooftop.targets.stock import Stock
from rooftop.targets.substitution import substitution_notices, substitution_table
from rooftop.targets.thermal import pv_or_thermal


@dataclass(frozen=True, kw_only=True)
class Finished:
    """What is known at the end of a run.

    Parameters
    ----------
    stock : Stock
    planes : DataFrame
        ``tables.PLANES``.
    planned : Series of bool
        Whether a roof is in a plan, see `campaign.Campaign`.
    options : SubstitutionOptions
    """

    stock: Stock
    planes: pd.DataFrame
    planned: pd.Series
    options: SubstitutionOptions


@dataclass(frozen=True, kw_only=True)
class Indicator:
    """One table of a kind of targets.

    Parameters
    ----------
    table : Table
        Its columns, and the name of its file.
    compute : callable
        Makes it; empty where the pack has no such target.
    notices : callable
        What a reader must know of it.
    """

    table: Table
    compute: Callable[[Finished], pd.DataFrame]
    notices: Callable[[Finished], tuple[Notice, ...]] = lambda finished: ()


def _choices(finished: Finished) -> pd.DataFrame:
    if not finished.stock.pack.substitution:
        return pd.DataFrame(columns=PV_OR_THERMAL.names)
    return pv_or_thermal(finished.stock, finished.planes, finished.options)


INDICATORS = (
    Indicator(table=QUOTAS, compute=lambda finished: quota_table(finished.stock)),
    Indicator(table=CAPACITY, compute=lambda finished: capacity_ledger(finished.stock)),
    Indicator(
        table=SUBSTITUTION,
        compute=lambda finished: substitution_table(finished.stock, finished.options, planned=finished.planned),
        notices=lambda finished: substitution_notices(finished.stock, finished.options),
    ),
    Indicator(table=PV_OR_THERMAL, compute=_choices),
)


def indicator_tables(finished: Finished) -> dict[str, pd.DataFrame]:
    """Return the table of every indicator, by name."""
    return {indicator.table.name: indicator.compute(finished) for indicator in INDICATORS}


def indicator_notices(finished: Finished) -> tuple[Notice, ...]:
    """Return what a reader must know of the indicators."""
    return tuple(notice for indicator in INDICATORS for notice in indicator.notices(finished))
