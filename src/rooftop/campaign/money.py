"""Money of a roof: cost, yearly income and simple payback, each as a range and never as a single false number."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from rooftop.campaign.rules import Ranges, prices
from rooftop.core.lang import Text
from rooftop.core.rounding import Interval
from rooftop.core.types import F8

Bound = Literal["low", "central", "high"]
BOUNDS: tuple[Bound, ...] = ("low", "central", "high")
_W_PER_KW = 1000.0


@dataclass(frozen=True)
class Economics:
    """Dated prices of one province, from ``economics.yaml``.

    Parameters
    ----------
    province : str
        Key of the feed-in price; ``national`` when it is not listed.
    date : str
        Date of the prices.
    life_years : int
    degradation_first, degradation_later : float
        Share of the energy lost in the first year and in each later one.
    capex_yuan_w, opex_yuan_w_a, retail_yuan_kwh : dict of str to Interval
        By segment (``household``, ``commercial``).
    self_use : dict of str to Interval
        By building use, and ``default``.
    feed_in_yuan_kwh : Interval
    min_self_use : float
        Smallest share that must be used on site.
    segment_of_use : dict of str to str
    classes : dict of str to Text
        What each class of 国能发新能规〔2025〕7号 may feed in.
    connection : tuple of (float, str)
        Upper capacity [kWp] and usual voltage.
    """

    province: str
    date: str
    life_years: int
    degradation_first: float
    degradation_later: float
    capex_yuan_w: dict[str, Interval]
    opex_yuan_w_a: dict[str, Interval]
    retail_yuan_kwh: dict[str, Interval]
    self_use: dict[str, Interval]
    feed_in_yuan_kwh: Interval
    min_self_use: float
    segment_of_use: dict[str, str]
    classes: dict[str, Text]
    connection: tuple[tuple[float, str], ...]

    def segment(self, building_use: str) -> str:
        """Return the segment of a use, ``commercial`` when it is not named."""
        return self.segment_of_use.get(building_use, "commercial")

    def voltage(self, capacity_kwp: float) -> str:
        """Return the usual voltage of the connection."""
        return next(voltage for limit, voltage in self.connection if capacity_kwp <= limit)


def _ranges(section: Ranges) -> dict[str, Interval]:
    return {key: Interval(*value) for key, value in section.cases.items()}


def load_economics(province: str = "national") -> Economics:
    """Load ``economics.yaml`` for a province.

    Parameters
    ----------
    province : str
        Key as in ``emission_factors.yaml``; one without its own feed-in price gets the national one.
    """
    table = prices()
    feed_in = _ranges(table.feed_in_yuan_kwh)
    return Economics(
        province=province if province in feed_in else "national",
        date=str(table.date),
        life_years=table.life_years.value,
        degradation_first=table.degradation.first_year,
        degradation_later=table.degradation.later,
        capex_yuan_w=_ranges(table.capex_yuan_w),
        opex_yuan_w_a=_ranges(table.opex_yuan_w_a),
        retail_yuan_kwh=_ranges(table.retail_yuan_kwh),
        self_use=_ranges(table.self_use),
        feed_in_yuan_kwh=feed_in.get(province, feed_in["national"]),
        min_self_use=table.min_self_use.cases.get(province, 0.0),
        segment_of_use={use: segment for segment, uses in table.segments.items() for use in uses},
        classes={key: label.text for key, label in table.classes.cases.items()},
        connection=tuple(
            (float("inf") if step.up_to_kwp is None else step.up_to_kwp, step.voltage)
            for step in table.connection.steps
        ),
    )


def _pick(table: dict[str, Interval], keys: pd.Series, fallback: str, bound: Bound) -> F8:
    values = {key: getattr(value, bound) for key, value in table.items()}
    return keys.map(lambda key: values.get(key, values[fallback])).to_numpy(dtype=float)


def payback_years(capex_yuan: F8, gross_income_yuan_a: F8, opex_yuan_a: F8, economics: Economics) -> F8:
    """Return the simple payback: years until the summed net income covers the cost.

    Not discounted, no tax, no loan, no subsidy, no replaced inverter; energy degrades as in `economics`.

    Parameters
    ----------
    capex_yuan, gross_income_yuan_a, opex_yuan_a : array (n,)
        Cost [yuan]; value of the first year's energy before degradation, and upkeep [yuan per year].

    Returns
    -------
    array (n,)
        Years, linear within a year; ``inf`` when the life of the modules is not enough.
    """
    years = np.arange(1, economics.life_years + 1)
    # Each year counts by its middle: half of the first year's loss in the first, half a step more in every later one.
    kept = 1.0 - economics.degradation_first - economics.degradation_later * (years - 1.5)
    kept[0] = 1.0 - 0.5 * economics.degradation_first
    net = gross_income_yuan_a[:, None] * kept - opex_yuan_a[:, None]
    total = np.cumsum(net, axis=1)
    covered = total >= capex_yuan[:, None]
    ever = covered.any(axis=1)
    year = covered.argmax(axis=1)
    row = np.arange(len(year))
    before = np.where(year > 0, total[row, np.maximum(year - 1, 0)], 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        within = (capex_yuan - before) / net[row, year]
    return np.where(ever, year + within, np.inf)


def roof_money(
    capacity_kwp: pd.Series, annual_kwh: pd.Series, building_use: pd.Series, economics: Economics
) -> pd.DataFrame:
    """Return cost, income and simple payback of every roof, low, central and high.

    ``low`` of a cost or a payback is the favourable end: the cheapest system, most energy used on site, best prices.
    Ends combine every favourable (unfavourable) assumption at once, so the truth lies well within.

    Parameters
    ----------
    capacity_kwp, annual_kwh, building_use : Series (n,)
        Capacity to be installed [kWp], its energy in year one [kWh], and the use; same index.
    economics : Economics

    Returns
    -------
    DataFrame (n,)
        ``capex_yuan_*``, ``opex_yuan_a_*``, ``income_yuan_a_*`` (year one, upkeep deducted), ``payback_years_*`` with
        suffixes ``low central high``; same index. Null capacity gives null.
    """
    uses = building_use.astype("object").where(building_use.notna(), "unknown").astype(str)
    segments = uses.map(economics.segment)
    watts = capacity_kwp.to_numpy(dtype=float, na_value=np.nan) * _W_PER_KW
    energy = annual_kwh.to_numpy(dtype=float, na_value=np.nan)
    out: dict[str, F8] = {}
    opposite: dict[Bound, Bound] = {"low": "high", "central": "central", "high": "low"}
    for bound in BOUNDS:
        value_bound = opposite[bound]
        capex = watts * _pick(economics.capex_yuan_w, segments, "commercial", bound)
        opex = watts * _pick(economics.opex_yuan_w_a, segments, "commercial", bound)
        self_use = np.maximum(_pick(economics.self_use, uses, "default", value_bound), economics.min_self_use)
        retail = _pick(economics.retail_yuan_kwh, segments, "commercial", value_bound)
        fed = getattr(economics.feed_in_yuan_kwh, value_bound)
        gross = energy * (self_use * retail + (1.0 - self_use) * fed)
        out[f"capex_yuan_{bound}"] = capex
        out[f"opex_yuan_a_{bound}"] = opex
        out[f"income_yuan_a_{value_bound}"] = gross - opex
        payback = payback_years(np.nan_to_num(capex), np.nan_to_num(gross), np.nan_to_num(opex), economics)
        out[f"payback_years_{bound}"] = np.where(watts > 0, payback, np.nan)
    names = [
        f"{name}_{bound}"
        for name in ("capex_yuan", "opex_yuan_a", "income_yuan_a", "payback_years")
        for bound in BOUNDS
    ]
    return pd.DataFrame(out, index=capacity_kwp.index)[names]
