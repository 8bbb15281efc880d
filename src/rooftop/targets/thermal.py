"""Renewable heat: what declared installations replace, and whether a roof serves better for PV or for hot water."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rooftop.config import Installation, SubstitutionOptions
from rooftop.core.types import F8
from rooftop.tables import PV_OR_THERMAL, conform
from rooftop.targets.basis import Links
from rooftop.targets.columns import numeric_column
from rooftop.targets.demand import floor_area
from rooftop.targets.energy_settings import EnergySettings, energy_settings
from rooftop.targets.models import YearSpan
from rooftop.targets.scope import NO, PRESUMED
from rooftop.targets.stock import Stock


@dataclass(frozen=True)
class DeclaredHeat:
    """What declared installations replace a year, kgce.

    Parameters
    ----------
    thermal, heat_pump : ndarray (n_units, q)
        Fixed amounts: of the unit itself, and of its districts for the city.
    thermal_m2, heat_pump_m2 : ndarray (n,)
        Of installations declared as a share of floor area, per m² of each building's floor.
    open : ndarray (n_units, q)
        Amounts whose year is not known where the year matters: in no central value, in the upper bound.
    """

    thermal: F8
    heat_pump: F8
    thermal_m2: F8
    heat_pump_m2: F8
    open: F8


def declared_heat(
    installations: Sequence[Installation],
    links: Links,
    n_buildings: int,
    window: YearSpan | None,
    settings: EnergySettings,
    k_e: F8,
) -> DeclaredHeat:
    """Turn declared installations into kgce.

    Parameters
    ----------
    window : YearSpan or None
        Only installations completed within it count; None: all. A share of floor area of unknown year is one of the
        buildings that count.
    k_e : ndarray (q,)
        kgce/kWh.

    Notes
    -----
    Areas of building served count by the plans' rules. Heat counts as Q/(q·η_conv); a heat pump's electricity
    W = Q/COP is taken off as W·k_e, so that never its whole output counts and a bad one counts against the rate. An
    amount belongs to its district and to the city, never to towns and zones.
    """
    shape = (len(links.units), k_e.size)
    amounts = {"thermal": np.zeros(shape), "heat_pump": np.zeros(shape), "open": np.zeros(shape)}
    per_m2 = {"thermal": np.zeros(n_buildings), "heat_pump": np.zeros(n_buildings)}
    units, levels = links.units["unit_id"].to_numpy(), links.units["level"].to_numpy()
    for entry in installations:
        name = "thermal" if entry.kind == "solar_thermal" else "heat_pump"
        rows = (units == entry.unit_id) & (levels == "district") if entry.unit_id is not None else levels == "city"
        if window is not None and entry.completed is not None and not window.start <= entry.completed <= window.end:
            continue
        if entry.floor_area_share is not None:
            rule = settings.rules.solar_thermal if name == "thermal" else settings.rules.ground_source
            in_rows = np.flatnonzero(rows[links.unit])
            np.add.at(per_m2[name], links.row[in_rows], links.weight[in_rows] * entry.floor_area_share * rule.kgce_m2)
            continue
        into = "open" if window is not None and entry.completed is None else name
        amounts[into][rows | (levels == "city")] += installation_kgce(entry, settings, k_e)
    return DeclaredHeat(
        amounts["thermal"], amounts["heat_pump"], per_m2["thermal"], per_m2["heat_pump"], amounts["open"]
    )


def installation_kgce(entry: Installation, settings: EnergySettings, k_e: F8) -> F8:
    """Return what one installation replaces a year under each equivalent, kgce, shape (q,)."""
    rules = settings.rules
    same = np.ones_like(k_e)
    if entry.heat_kwh is not None:
        electricity = entry.heat_kwh / entry.cop if entry.cop is not None else 0.0
        return settings.kgce_of_heat(entry.heat_kwh, entry.replaces) - electricity * k_e
    if entry.collector_area_m2 is not None:
        return same * (entry.collector_area_m2 * rules.solar_thermal.kgce_per_collector_m2)
    rule = rules.solar_thermal if entry.kind == "solar_thermal" else rules.ground_source
    return same * ((entry.building_area_m2 or 0.0) * rule.kgce_m2)


def collector_kwh(poa_kwh_m2: F8, settings: EnergySettings) -> F8:
    """Return useful heat of a square metre of collector from the irradiation on it, kWh."""
    return poa_kwh_m2 * (settings.collector.efficiency.value * (1.0 - settings.collector.loss.value))


def collectors(planes: pd.DataFrame, building_ids: pd.Series, settings: EnergySettings) -> tuple[F8, F8]:
    """Return what the zones of roofs give when collectors stand in the modules' place.

    Parameters
    ----------
    planes : DataFrame
        `tables.PLANES`.
    building_ids : Series (n,)
        The roofs, in the order of the result.
    settings : EnergySettings

    Returns
    -------
    area_m2, heat_kwh : ndarray (n,)
        Collector area that fits, and useful heat of a year if all of it could be used. Irradiation is that of the
        modules on the same plane, shade included.
    """
    used, tilt, poa = (numeric_column(planes, name) for name in ("used_area_m2", "plane_tilt_deg", "poa_kwh_m2"))
    area = np.where(np.isnan(poa), 0.0, np.nan_to_num(used)) * settings.collector.zone_share.of(tilt)
    heat = area * collector_kwh(np.nan_to_num(poa), settings)
    owner = planes["building_id"].astype("string").to_numpy(dtype=object)
    sums = pd.DataFrame({"area": area, "heat": heat}).groupby(owner).sum()
    sums = sums.reindex(building_ids.astype("string").to_numpy(dtype=object)).fillna(0.0)
    return sums["area"].to_numpy(dtype=float), sums["heat"].to_numpy(dtype=float)


def mandate_answers(stock: Stock) -> tuple[NDArray[np.object_], NDArray[np.object_]]:
    """Say for every roof that counts whether a mandate demands renewable hot water, and which part of it says so.

    Returns
    -------
    answer : ndarray of str
        yes | unknown (a fact it depends on is not known) | no.
    part : ndarray of str or None
        Id of the part that speaks most surely.
    """
    answer = np.zeros(len(stock.basis.roofs), dtype=int)
    part = np.full(len(stock.basis.roofs), None, dtype=object)
    for mandate in stock.pack.mandates:
        for entry in mandate.parts:
            membership = stock.answers(entry.scope, entry.window)
            sure = (membership >= PRESUMED) & (entry.condition is None)
            value = np.where(sure, 2, np.where(membership != NO, 1, 0))
            part = np.where(value > answer, entry.id, part)
            answer = np.maximum(answer, value)
    return np.array(["no", "unknown", "yes"], dtype=object)[answer], part


def _hot_water_kwh(roofs: pd.DataFrame, use: NDArray[np.object_], settings: EnergySettings) -> F8:
    """Return the heat each building needs for hot water in a year."""
    per_m2 = {name: settings.need_kwh_m2(name) for name in dict.fromkeys(use.tolist())}
    return floor_area(roofs, settings).central * np.array([per_m2[name] for name in use.tolist()], dtype=float)


def pv_or_thermal(stock: Stock, planes: pd.DataFrame, options: SubstitutionOptions | None = None) -> pd.DataFrame:
    """Compare PV and solar hot water on every roof under every k_e (宜电则电、宜热则热).

    Parameters
    ----------
    stock : Stock
        The mandates of its pack decide where they speak.
    planes : DataFrame
        `tables.PLANES`.
    options : SubstitutionOptions, optional
        As for `substitution_table`.

    Returns
    -------
    DataFrame
        `tables.PV_OR_THERMAL`, one row per roof that carries modules, and for each equivalent ``choice_<id>`` (pv |
        thermal | both) and ``decided_by_<id>`` (energy | no_need | mandate).

    Notes
    -----
    Collectors are thought in the modules' place: in the same zone, as many as fit there, under the same irradiation. A
    square metre of the zone gives kWh·k_e by PV, and Q/(q·η_conv) by collectors; they are equal at ``k_e_equal``, below
    which hot water replaces more. Collectors serve at most ``max_share_of_need`` of the building's hot water: beyond it
    the zone is PV's in any case, and ``heat_kwh`` counts no more.
    """
    options = options or SubstitutionOptions()
    settings = energy_settings(options.energy_demand)
    kept, used = stock.basis.roofs, stock.basis.layout["used"]
    annual = numeric_column(kept, "annual_kwh")
    area, all_heat = collectors(planes, kept["building_id"], settings)
    use = kept["building_use"].astype("string").fillna("unknown").to_numpy(dtype=object)
    need = _hot_water_kwh(kept, use, settings)
    carries = (used > 0) & (np.nan_to_num(annual) > 0) & (area > 0)
    size = np.where(carries, used, 1.0)
    pv = annual / size
    heat = all_heat / size
    kgce = np.array([settings.kgce_of_heat(1.0, settings.collector.replaces)]) * heat
    most_heat = settings.collector.max_share_of_need.value * need
    share = np.minimum(most_heat / np.where(carries, all_heat, 1.0), 1.0)
    rule = settings.rules.solar_thermal.kgce_per_collector_m2
    by_rule = rule * area / np.where(pv > 0, annual, np.nan)
    mandate, part = mandate_answers(stock)
    table = pd.DataFrame(
        {
            "building_id": kept["building_id"],
            "district_id": kept["district_id"],
            "building_use": use,
            "used_area_m2": used,
            "pv_kwh_m2": pv,
            "collector_kwh_m2": heat,
            "collector_kgce_m2": kgce,
            "k_e_equal": kgce / np.where(pv > 0, pv, np.nan),
            "k_e_equal_rule": by_rule,
            "hot_water_kwh": need,
            "collector_share": share,
            "collector_zone_m2": share * used,
            "pv_kwh": annual,
            "collector_area_m2": area,
            "heat_kwh_m2": all_heat / np.where(carries, area, 1.0),
            "heat_kwh": share * all_heat,
            "mandate": mandate,
            "mandate_part": part,
        }
    )
    for name, option in settings.k_e.options.items():
        warm = (share > 0) & ((mandate == "yes") | (kgce > pv * option.kgce_kwh))
        table[f"choice_{name}"] = np.where(~warm, "pv", np.where(share >= 1.0, "thermal", "both"))
        by = np.where(share > 0, "energy", "no_need")
        table[f"decided_by_{name}"] = np.where((mandate == "yes") & (share > 0), "mandate", by)
    return conform(table[carries].reset_index(drop=True), PV_OR_THERMAL)
