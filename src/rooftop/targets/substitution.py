"""Renewable substitution rate (可再生能源替代率): what renewables on buildings replace of what buildings need.

R = Σ(E_PV·k_e + Q_th/(q·η_conv) + ΔE_HP) / E_building, all in kgce, for the buildings a plan's target speaks of. A row
is one unit × target × kind × k_e; the bounds are the smallest and the largest rate over every assignment of buildings
that may belong, classes and floors they may have, and roofs that a survey may find unfit.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rooftop.config import Installation, SubstitutionOptions
from rooftop.core.lang import Text
from rooftop.core.notices import Notice
from rooftop.core.types import B1, F8
from rooftop.tables import SUBSTITUTION, conform
from rooftop.targets.basis import Basis, Links
from rooftop.targets.bounds import attainment, ratio_bounds
from rooftop.targets.columns import known_or_zero
from rooftop.targets.demand import (
    EnergyDemand,
    FloorArea,
    chosen_equivalent,
    energy_demand,
    floor_area,
    metered_energy,
    zones_of,
)
from rooftop.targets.energy_settings import EnergySettings, energy_settings
from rooftop.targets.models import CoverageKind, Pack, SubstitutionTarget, Target, YearSpan
from rooftop.targets.scope import NO, PRESUMED, UNKNOWN, YES
from rooftop.targets.stock import Stock
from rooftop.targets.thermal import DeclaredHeat, declared_heat, installation_kgce

KINDS: tuple[CoverageKind, ...] = ("installed", "planned", "potential")


@dataclass(frozen=True)
class PvEnergy:
    """Annual PV energy of n roofs, kWh: as counted, and if a survey finds that no more can be installed."""

    counted: F8
    surveyed: F8


@dataclass
class _Run:
    stock: Stock
    settings: EnergySettings
    options: SubstitutionOptions
    floors: FloorArea
    planned: B1 | None


def substitution_table(
    stock: Stock, options: SubstitutionOptions | None = None, *, planned: pd.Series | None = None
) -> pd.DataFrame:
    """Compute the substitution rate of every unit for every target of a pack, under every k_e.

    Parameters
    ----------
    stock : Stock
        Its roofs may hold ``measured_energy_kwh`` and ``measured_fuel_kgce``. Of its pack the ``substitution`` entries
        say whose demand counts, the ``climate`` in which zone.
    options : SubstitutionOptions, optional
        Of the configuration: zone, own intensities, declared installations.
    planned : Series of bool, optional
        Selected roofs, index of the stock's `roofs`; without it there are no planned rows.

    Returns
    -------
    DataFrame
        `tables.SUBSTITUTION`. ``rate`` counts the buildings known or presumed to belong; it is null where they need no
        energy, where the climate zone is not known, and for installed where no roof states its existing PV.

    Raises
    ------
    ComputeError
        `planned` does not have the index of the roofs.
    """
    options = options or SubstitutionOptions()
    settings = energy_settings(options.energy_demand)
    floors = floor_area(stock.basis.roofs, settings)
    run = _Run(stock, settings, options, floors, stock.planned_rows(planned))
    parts = [_rows(run, entry, kind) for entry in stock.pack.substitution for kind in _kinds(run)]
    if not parts:
        return conform(pd.DataFrame(columns=SUBSTITUTION.names), SUBSTITUTION)
    table = pd.concat(parts, ignore_index=True)
    order = table.sort_values("unit", kind="stable").index
    return conform(table.loc[order].drop(columns="unit").reset_index(drop=True), SUBSTITUTION)


def _kinds(run: _Run) -> Iterator[CoverageKind]:
    return (kind for kind in KINDS if kind != "planned" or run.planned is not None)


def pv_energy_of(basis: Basis, kind: CoverageKind, planned: B1 | None) -> PvEnergy:
    """Return what PV on every roof yields a year.

    Existing PV yields its kWp times the roof's own specific yield, or the mean of all where a roof has none. New
    modules stand beside it and add up; existing PV beyond the installable area is part of ``installed`` only, as in
    coverage.
    """
    roofs = basis.roofs
    annual = known_or_zero(roofs, "annual_kwh")
    declared = known_or_zero(roofs, "existing_pv_kwp")
    capacity = basis.capacity_kwp
    whole = float(capacity.sum())
    mean = float(annual.sum()) / whole if whole > 0 else 0.0
    standing = declared * np.divide(annual, capacity, out=np.full_like(annual, mean), where=capacity > 0)
    if kind == "installed":
        return PvEnergy(standing, standing)
    used = basis.installed["used"]
    fits = np.divide(basis.roof["installable"], used, out=np.ones_like(used), where=used > 0)
    within = standing * np.minimum(fits, 1.0)
    full = annual + within
    counted = full if kind == "potential" or planned is None else np.where(planned, full, within)
    return PvEnergy(counted, np.where(basis.needs_survey, within, counted))


@dataclass(frozen=True)
class _Sums:
    """Arrays (n_units, q) in kgce, and the bounds of the rate."""

    demand: F8
    pv: F8
    thermal: F8
    heat_pump: F8
    low: F8
    high: F8


def _rows(run: _Run, entry: SubstitutionTarget, kind: CoverageKind) -> pd.DataFrame:
    """Rows of one target and kind, with the row of the unit in ``unit``."""
    basis, links, settings = run.stock.basis, run.stock.links, run.settings
    target = run.stock.pack.target(entry.target)
    answers = run.stock.answers(entry.scope, entry.window)
    demand = energy_demand(run.stock, entry.scope, settings, run.options)
    k_e = np.array([option.kgce_kwh for option in settings.k_e.options.values()])
    heat = declared_heat(run.options.installations, links, len(basis.roofs), entry.window, settings, k_e)
    energy = pv_energy_of(basis, kind, run.planned)
    sums = _sums(run, answers, demand, energy, heat, k_e)
    if kind != "potential" and basis.pv_unknown.any():
        sums = _widen_for_open_pv(
            sums, _sums(run, answers, demand, _all_that_fits(basis), heat, k_e), known=basis.inventory
        )
    front = chosen_equivalent(settings, run.options, entry.k_e)
    q, n_units = k_e.size, len(links.units)
    central = answers >= PRESUMED
    measured = ~np.isnan(demand.measured_kgce[:, 0])
    counts = {
        "n_buildings": central,
        "n_unknown": (answers == UNKNOWN) | (answers == PRESUMED),
        "n_measured": central & measured,
        "n_floors_estimated": central & run.floors.estimated & ~measured,
    }
    table: dict[str, object] = {name: np.repeat(links.units[name].to_numpy(), q) for name in links.units.columns}
    table |= {"unit": np.repeat(np.arange(n_units), q), "kind": kind, **_target_columns(entry, target)}
    table |= {"k_e": np.tile(list(settings.k_e.options), n_units), "k_e_kgce_kwh": np.tile(k_e, n_units)}
    table |= {name: np.repeat(links.sums(rows.astype(float), whole=True), q) for name, rows in counts.items()}
    table["floor_area_m2"] = np.repeat(links.sums(np.where(central, run.floors.central, 0.0)), q)
    results = _results(sums, target, settings)
    table |= {name: values.ravel() for name, values in results.items()}
    # Without a central value the bounds still decide where it is the demand that is not known.
    decided = ~np.isnan(results["rate"]) | np.isnan(sums.demand)
    table["attained"] = attainment(sums.low, sums.high, target.value, decided).ravel()
    table["is_default"] = np.tile([name == front for name in settings.k_e.options], n_units)
    return pd.DataFrame(table)


def _all_that_fits(basis: Basis) -> PvEnergy:
    """What stands, and a full layout on roofs of which nobody knows what stands there."""
    standing = pv_energy_of(basis, "installed", None).counted
    full = pv_energy_of(basis, "potential", None).counted
    most = np.where(basis.pv_unknown, np.maximum(full, standing), standing)
    return PvEnergy(most, most)


def _widen_for_open_pv(sums: _Sums, most: _Sums, *, known: bool) -> _Sums:
    """Widen the bounds to what may stand; without any inventory there is no central value."""
    pv = sums.pv if known else np.full_like(sums.pv, np.nan)
    return replace(sums, pv=pv, high=np.fmax(sums.high, most.high))


def _target_columns(entry: SubstitutionTarget, target: Target) -> dict[str, object]:
    return {
        "target_id": target.id,
        "year": target.year,
        "target": target.value,
        "target_nature": target.nature,
        "cohort": "all" if entry.window is None else entry.window.id,
    }


def _each_unit(links: Links, values: F8) -> F8:
    """Sum (n, q) over units, by share: (n_units, q)."""
    return np.stack([links.sums(values[:, k]) for k in range(values.shape[1])], axis=1)


def _sums(
    run: _Run, answers: NDArray[np.int8], demand: EnergyDemand, energy: PvEnergy, heat: DeclaredHeat, k_e: F8
) -> _Sums:
    """Central sums, and the extremes of the rate over every way the buildings may count."""
    links, floors = run.stock.links, run.floors
    measured = ~np.isnan(demand.measured_kgce)
    inside = (answers >= PRESUMED)[:, None]

    def needs(area: F8, per_m2: F8) -> F8:
        return np.where(measured, demand.measured_kgce, area[:, None] * per_m2)

    def saves(pv_kwh: F8, area: F8) -> F8:
        return pv_kwh[:, None] * k_e + area[:, None] * (heat.thermal_m2 + heat.heat_pump_m2)[:, None]

    total = _each_unit(links, np.where(inside, needs(floors.central, demand.central), 0.0))
    pv = _each_unit(links, np.where(inside, energy.counted[:, None] * k_e, 0.0))
    per_area = np.where(inside[:, 0], floors.central, 0.0)
    thermal = heat.thermal + links.sums(per_area * heat.thermal_m2)[:, None]
    heat_pump = heat.heat_pump + links.sums(per_area * heat.heat_pump_m2)[:, None]
    options = [
        (saves(kwh, area), needs(area, per_m2))
        for per_m2 in (demand.high, demand.low)
        for area in (floors.high, floors.low)
        for kwh in (energy.counted, energy.surveyed)
    ]
    low, high = _bounds(links, answers, options, heat)
    rate = _rate(pv + thermal + heat_pump, total)
    return _Sums(total, pv, thermal, heat_pump, np.fmin(low, rate), np.fmax(high, rate))


def _bounds(links: Links, answers: NDArray[np.int8], options: list[tuple[F8, F8]], heat: DeclaredHeat) -> tuple[F8, F8]:
    keep = np.flatnonzero((answers[links.row] != NO) & (links.weight > 0))
    row, unit, weight = links.row[keep], links.unit[keep], links.weight[keep, None]
    n_all = np.stack([n[row] * weight for n, _ in options], axis=1)
    d_all = np.stack([d[row] * weight for _, d in options], axis=1)
    spread = (np.ptp(n_all, axis=1) > 0).any(axis=1) | (np.ptp(d_all, axis=1) > 0).any(axis=1)
    fixed = (answers[row] == YES) & ~spread
    # The last way: out, where the building may be out; otherwise the first once more.
    out = (answers[row] != YES)[:, None]
    n = np.concatenate([n_all, np.where(out, 0.0, n_all[:, 0])[:, None]], axis=1)[~fixed]
    d = np.concatenate([d_all, np.where(out, 0.0, d_all[:, 0])[:, None]], axis=1)[~fixed]
    n_units, q = heat.thermal.shape
    base_n, base_d = np.zeros((n_units, q)), np.zeros((n_units, q))
    np.add.at(base_n, unit[fixed], n_all[fixed, 0])
    np.add.at(base_d, unit[fixed], d_all[fixed, 0])
    sure, maybe = heat.thermal + heat.heat_pump, heat.open
    low, high = ratio_bounds(unit[~fixed], n, d, base_n + sure + np.minimum(maybe, 0.0), base_d)
    if (maybe > 0).any():
        high = ratio_bounds(unit[~fixed], n, d, base_n + sure + np.maximum(maybe, 0.0), base_d)[1]
    return low, high


def _rate(top: F8, bottom: F8) -> F8:
    return np.divide(top, bottom, out=np.full_like(top, np.nan), where=bottom > 0)


def _results(sums: _Sums, target: Target, settings: EnergySettings) -> dict[str, F8]:
    """Rate, what roofs carry of the target, and what is missing."""
    target_kgce = target.value * sums.demand
    renewable_kgce = sums.pv + sums.thermal + sums.heat_pump
    gap = np.maximum(target_kgce - renewable_kgce, 0.0)
    return {
        "demand_kgce": sums.demand,
        "pv_kgce": sums.pv,
        "thermal_kgce": sums.thermal,
        "heat_pump_kgce": sums.heat_pump,
        "rate": _rate(renewable_kgce, sums.demand),
        "rate_low": sums.low,
        "rate_high": sums.high,
        "roof_share_of_target": _rate(sums.pv, target_kgce),
        "elsewhere_kgce": np.maximum(target_kgce - sums.pv, 0.0),
        "gap_kgce": gap,
        "gap_solar_thermal_m2": gap / settings.rules.solar_thermal.kgce_m2,
        "gap_ground_source_m2": gap / settings.rules.ground_source.kgce_m2,
    }


def substitution_notices(stock: Stock, options: SubstitutionOptions | None = None) -> tuple[Notice, ...]:
    """Say what the substitution rate rests on: limits instead of meters, estimated floors, unknown zones, heat."""
    basis, pack = stock.basis, stock.pack
    if not pack.substitution:
        return ()
    options = options or SubstitutionOptions()
    settings = energy_settings(options.energy_demand)
    answers = np.stack([stock.answers(e.scope, e.window) for e in pack.substitution]).max(axis=0)
    inside = answers >= PRESUMED
    ids = basis.roofs["building_id"].astype(str).to_numpy()
    floors = floor_area(basis.roofs, settings)
    energy, fuel = metered_energy(basis.roofs)
    known = ~np.isnan(energy)
    no_zone = np.array([zone is None for zone in zones_of(basis.roofs, pack, options)], dtype=bool)
    notices = [
        notice
        for code, rows in (
            ("demand_from_limits", inside & ~known),
            ("fuel_without_electricity", ~known & ~np.isnan(fuel)),
            ("floors_estimated", inside & ~known & floors.estimated),
            ("climate_zone_unknown", inside & no_zone),
        )
        for notice in Notice.counted(code, rows, _NOTICES[code], names=ids, source="targets")
    ]
    return (*notices, *_heat_notices(pack, settings, options))


def _heat_notices(pack: Pack, settings: EnergySettings, options: SubstitutionOptions) -> Iterator[Notice]:
    """Declared heat that counts against the rate, not at all, or in the upper bound only."""
    front = settings.k_e.options[chosen_equivalent(settings, options, pack.substitution[0].k_e)].kgce_kwh
    names = {id(e): f"{e.kind} {e.unit_id or ''}".strip() for e in options.installations}
    bad = [
        names[id(entry)]
        for entry in options.installations
        if entry.floor_area_share is None and installation_kgce(entry, settings, np.array([front]))[0] < 0
    ]
    text = Text(
        f"{{n}} heat pumps use more than they replace at {front:g} kgce/kWh: they count against the rate",
        f"{{n}} 项热泵按 {front:g} kgce/kWh 折算时耗电大于替代量：计入后替代率降低",
    )
    yield from Notice.counted("heat_pump_negative", bad, text, source="targets")
    windows = [entry.window for entry in pack.substitution if entry.window is not None]
    for code, rows in (
        ("installation_outside_cohort", [e for e in options.installations if _outside_any(e, windows)]),
        (
            "installation_year_unknown",
            [e for e in options.installations if windows and e.completed is None and e.floor_area_share is None],
        ),
    ):
        yield from Notice.counted(code, [names[id(entry)] for entry in rows], _NOTICES[code], source="targets")


def _outside_any(entry: Installation, windows: list[YearSpan]) -> bool:
    year = entry.completed
    return year is not None and any(not window.start <= year <= window.end for window in windows)


_NOTICES = {
    "demand_from_limits": Text(
        "{n} buildings have no metered energy: their demand is that of limits by class and climate zone, not an "
        "average",
        "{n} 栋建筑无计量能耗：能耗按建筑类别与气候分区的限额推算，并非平均能耗",
    ),
    "fuel_without_electricity": Text(
        "{n} buildings have metered fuel but no metered electricity: the limits by class stay",
        "{n} 栋建筑只有计量燃料、没有计量用电：仍按限额推算能耗，计量燃料不计入",
    ),
    "floors_estimated": Text(
        "{n} buildings state no floors: floor area is estimated from the height, with bounds",
        "{n} 栋建筑无地上层数：建筑面积按高度估算，并给出上下限",
    ),
    "climate_zone_unknown": Text(
        "{n} buildings lie in no known climate zone: only bounds of the substitution rate; set "
        "substitution.climate_zone",
        "{n} 栋建筑气候分区不明：替代率仅给出上下限；请设置 substitution.climate_zone",
    ),
    "installation_outside_cohort": Text(
        "{n} declared installations were completed outside the years of a target for new buildings and do not "
        "count there",
        "{n} 项申报的热利用设施竣工年份不在新建建筑指标的统计期内：该指标不计入",
    ),
    "installation_year_unknown": Text(
        "{n} declared installations state no year: for targets of new buildings they enter the upper bound only",
        "{n} 项申报的热利用设施未注明竣工年份：新建建筑指标只计入上限",
    ),
}
