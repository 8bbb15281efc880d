"""Candidates of a campaign: which roofs, in which order, why, what to verify, and which close the gap."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from rooftop.campaign.carbon import EmissionFactor, emission_factor, province_of
from rooftop.campaign.gates import FAIL, GATES, added_kwp, gates, load_gate_rules
from rooftop.campaign.money import BOUNDS, Economics, load_economics, roof_money
from rooftop.campaign.ranking import RankingRules, load_ranking_rules, order, size_class, tiers
from rooftop.campaign.selection import Selection, cheapest_cover
from rooftop.core.privacy import WITHHELD
from rooftop.core.rounding import Interval
from rooftop.core.types import B1, F8
from rooftop.targets.basis import numerator
from rooftop.targets.columns import numeric_column, text_column
from rooftop.targets.ledger import shortfalls
from rooftop.targets.models import Pack
from rooftop.targets.scope import PRESUMED, UNKNOWN
from rooftop.targets.stock import Stock
from rooftop.targets.withheld import withheld

COPIED = (
    "building_id",
    "building_name",
    "address",
    "district_id",
    "district_name",
    "town_id",
    "town_name",
    "owner_name",
    "owner_type",
    "building_use",
    "is_public_institution",
    "use_source",
    "year_built",
    "completion_date",
    "is_new",
    "height_m",
    "roof_type",
    "roof_source",
    "gross_area_m2",
    "installable_area_m2",
    "capacity_kwp",
    "existing_pv_kwp",
    "specific_yield_kwh_kwp",
    "shading_loss",
    "status",
    "reasons",
    "lon",
    "lat",
    "lon_gcj02",
    "lat_gcj02",
)


@dataclass(frozen=True)
class Plan:
    """The selection that closes one district's gap to one target.

    Parameters
    ----------
    unit_id : str
    target_id : str
    selection : Selection
        Over the roofs of the scope; `Selection.need_m2` is what earlier targets left.
    n_roofs : int
    added_kwp, annual_kwh : float
    capex_yuan : Interval
    """

    unit_id: str
    target_id: str
    selection: Selection
    n_roofs: int
    added_kwp: float
    annual_kwh: float
    capex_yuan: Interval


@dataclass(frozen=True)
class Campaign:
    """What to do about a shortfall.

    Parameters
    ----------
    stock : Stock or None
        What it was planned for; None without a pack.
    candidates : DataFrame
        One row per roof worth building on, in order of priority; see `plan_campaign`.
    short : DataFrame
        `targets.ledger.shortfalls`.
    plans : tuple of Plan
    planned : Series of bool
        Whether a roof is in a plan; index of the roofs given. For ``coverage_table(planned=...)``.
    gates : DataFrame
        Verdict of every gate for every roof; index of the roofs given.
    economics : Economics
    factor : EmissionFactor
    """

    stock: Stock | None
    candidates: pd.DataFrame
    short: pd.DataFrame
    plans: tuple[Plan, ...]
    planned: pd.Series
    gates: pd.DataFrame
    economics: Economics
    factor: EmissionFactor

    @property
    def pack(self) -> Pack | None:
        """The plan whose targets it answers."""
        return None if self.stock is None else self.stock.pack


def _mandate(roofs: pd.DataFrame, stock: Stock | None, short: pd.DataFrame) -> pd.DataFrame:
    """Say for each roof whether it is short, attained, maybe or no part of a target, with its worst numbers.

    ``unstated`` is a roof in scope of which nobody knows what PV stands on it.
    """
    out = pd.DataFrame(
        {"state": "no", "mandate_target": np.nan, "mandate_coverage": np.nan, "mandate_group": ""}, index=roofs.index
    )
    if stock is None:
        return out
    unknown = stock.basis.over_all(stock.basis.pv_unknown)
    for coverage in stock.pack.coverage:
        for entry, _ in stock.pack.targets_of(coverage):
            answer = stock.basis.over_all(stock.front_answers(coverage, entry))
            out.loc[(answer == UNKNOWN) & (out["state"] == "no").to_numpy(), "state"] = "maybe"
            out.loc[(answer >= PRESUMED) & out["state"].isin(["no", "maybe"]).to_numpy(), "state"] = "attained"
            out.loc[(answer >= PRESUMED) & unknown, "state"] = "unstated"
    # The highest target a building misses is the one to name; `short` is sorted within a target, not across.
    worst = short.sort_values(["target", "building_id"], ascending=[False, True], kind="stable")
    worst = worst.drop_duplicates("building_id").set_index("building_id")
    ids = text_column(roofs, "building_id", "")
    hit = ids.isin(worst.index.astype(str)).to_numpy()
    worst.index = worst.index.astype(str)
    worst_rows = worst.reindex(ids[hit])
    out.loc[hit, "mandate_target"] = worst_rows["target"].to_numpy(dtype=float)
    out.loc[hit, "mandate_coverage"] = worst_rows["coverage"].to_numpy(dtype=float)
    out.loc[hit, "mandate_group"] = worst_rows["building_group"].astype(str).to_numpy()
    sure = hit & ids.map(worst["membership"]).isin(["certain", "presumed"]).to_numpy()
    out.loc[sure, "state"] = "short"
    return out


def _increments(stock: Stock, name: str) -> F8:
    """Numerator area that a full layout adds to what stands on each roof [m²], zero for rows that do not count."""
    basis = stock.basis
    nothing = np.zeros(len(basis.roofs), dtype=bool)
    gain = numerator(basis, name, "potential", None)[0] - numerator(basis, name, "planned", nothing)[0]
    return basis.over_all(gain)


def _gap_m2(coverage: pd.DataFrame, unit_id: str, target_id: str) -> float:
    """Gap of a district by the pack's own definition; NaN where there is none.

    With the ten digits that ``coverage.csv`` holds, so that a plan made again from the files is the same.
    """
    rows = coverage[
        (coverage["level"] == "district")
        & (coverage["unit_id"] == unit_id)
        & (coverage["target_id"] == target_id)
        & (coverage["kind"] == "installed")
        & coverage["is_default"].fillna(False).astype(bool)
    ]
    return float(f"{float(rows['gap_m2'].iloc[0]):.10g}") if len(rows) else math.nan


def _plans(stock: Stock, coverage: pd.DataFrame, eligible: B1, costs: pd.DataFrame) -> tuple[tuple[Plan, ...], B1]:
    """Choose roofs district by district and target by target; a roof chosen for one target counts for the next."""
    planned = np.zeros(len(stock.roofs), dtype=bool)
    district = text_column(stock.roofs, "district_id", "").to_numpy()
    central = costs["capex_yuan_central"].to_numpy(dtype=float)
    out: list[Plan] = []
    for indicator in stock.pack.coverage:
        if indicator.aggregation.default != "pooled":
            continue
        gain = _increments(stock, indicator.front.default.numerator)
        for entry, target in stock.pack.targets_of(indicator):
            in_scope = stock.basis.over_all(stock.front_answers(indicator, entry) >= PRESUMED)
            for unit_id in sorted(set(district[in_scope])):
                gap = _gap_m2(coverage, unit_id, target.id)
                if not gap > 0:
                    continue
                in_unit = in_scope & (district == unit_id)
                need = gap - float(gain[in_unit & planned].sum())
                rows = np.flatnonzero(in_unit & eligible & ~planned)
                selection = cheapest_cover(central[rows], gain[rows], need)
                chosen = rows[selection.chosen]
                planned[chosen] = True
                out.append(_plan(unit_id, target.id, selection, costs.iloc[chosen]))
    return tuple(out), planned


def _plan(unit_id: str, target_id: str, selection: Selection, costs: pd.DataFrame) -> Plan:
    capex = [float(costs[f"capex_yuan_{bound}"].sum()) for bound in BOUNDS]
    return Plan(
        unit_id=unit_id,
        target_id=target_id,
        selection=selection,
        n_roofs=len(costs),
        added_kwp=float(costs["added_kwp"].sum()),
        annual_kwh=float(costs["added_annual_kwh"].sum()),
        capex_yuan=Interval(*capex),
    )


def plan_campaign(
    roofs: pd.DataFrame,
    coverage: pd.DataFrame,
    stock: Stock | None,
    *,
    economics: Economics | None = None,
    factor: EmissionFactor | None = None,
    ranking: RankingRules | None = None,
) -> Campaign:
    """Judge, price, order and select the roofs of a run.

    A candidate is a roof that fails no gate. Roofs are ordered by tier (mandated new buildings that fall short first),
    size class, specific yield and id. For every district whose installed coverage is below a target, the cheapest set
    of roofs of the target's scope that closes the gap is marked ``planned``; its distance to the cheapest conceivable
    set is stated in `Plan.selection`.

    Parameters
    ----------
    roofs : DataFrame (n,)
        `tables.ROOFS`; index without repetition.
    coverage : DataFrame
        `tables.COVERAGE` of the stock (installed rows are enough).
    stock : Stock or None
        Made of the same roofs; without one nothing is mandated or planned.
    economics, factor, ranking : optional
        Shipped ones for the province that the district codes name.

    Returns
    -------
    Campaign
        ``candidates`` holds `COPIED` and ``rank`` (from 1), ``tier``, ``size_class``, ``added_kwp`` (what fits beside
        existing PV), ``added_annual_kwh``, ``planned``, ``avoided_kg_a``, ``mandate_target``, ``mandate_coverage``,
        ``mandate_group``, ``capex_yuan_*``, ``opex_yuan_a_*``, ``income_yuan_a_*``, ``payback_years_*`` with suffixes
        ``low central high``, and ``gate_*``; its index is that of `roofs`.
    """
    province = province_of(
        text_column(roofs, "district_id", "").unique(), "" if stock is None else stock.pack.region.text.pick("zh")
    )
    economics = economics or load_economics(province)
    factor = factor or emission_factor(province)
    ranking = ranking or load_ranking_rules()
    short = shortfalls(stock) if stock is not None else pd.DataFrame()
    gate = gates(roofs, load_gate_rules())
    added = added_kwp(roofs)
    energy = pd.Series(added.to_numpy() * numeric_column(roofs, "specific_yield_kwh_kwp"), index=roofs.index)
    costs = roof_money(added, energy, text_column(roofs, "building_use"), economics)
    costs.insert(0, "added_kwp", added)
    costs.insert(1, "added_annual_kwh", energy)
    usable = (gate["gate"] != FAIL).to_numpy() & ~withheld(roofs)
    mandate = _mandate(roofs, stock, short)
    plans, planned = _plans(stock, coverage, usable, costs) if stock is not None else ((), ~usable & False)
    copied = [*COPIED, *(name for name in (WITHHELD,) if name in roofs)]
    frame = pd.concat([roofs[copied].copy(), costs, mandate], axis=1)
    frame = pd.DataFrame(frame)
    frame["tier"] = tiers(roofs, mandate["state"], ranking)
    frame["size_class"] = size_class(added, ranking)
    frame["planned"] = planned
    frame["avoided_kg_a"] = energy * factor.kg_kwh
    frame[[f"gate_{name}" for name in GATES]] = gate[[f"gate_{name}" for name in GATES]]
    frame["gate"] = gate["gate"]
    ordered = order(frame, frame["tier"], frame["size_class"])
    candidates = frame.loc[ordered[pd.Series(usable, index=roofs.index).loc[ordered].to_numpy()]]
    candidates.insert(0, "rank", np.arange(1, len(candidates) + 1))
    return Campaign(stock, candidates, short, plans, pd.Series(planned, index=roofs.index), gate, economics, factor)


def total_range(frame: pd.DataFrame, name: str) -> Interval:
    """Sum the three bounds of a money column."""
    return Interval(*(float(np.nansum(frame[f"{name}_{bound}"])) if len(frame) else math.nan for bound in BOUNDS))
