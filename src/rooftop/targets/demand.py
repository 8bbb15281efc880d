"""Energy demand of buildings: class and zone intensities times floor area, or what was metered."""

from __future__ import annotations

import difflib
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rooftop.config import Demand, SubstitutionOptions
from rooftop.core.errors import ConfigError
from rooftop.core.lang import Text
from rooftop.core.types import B1, F8
from rooftop.targets.columns import carries_reason, known_or_zero, numeric_column
from rooftop.targets.energy_settings import EnergySettings, Intensity
from rooftop.targets.floors import floor_areas, storey_heights
from rooftop.targets.models import Pack, Scope
from rooftop.targets.scope import NO, Facts, membership, possible_uses
from rooftop.targets.stock import Stock

MEASURED = ("measured_energy_kwh", "measured_fuel_kgce")


def chosen_equivalent(settings: EnergySettings, options: SubstitutionOptions, pack_equivalent: str | None) -> str:
    """Return the id of the front row's k_e: of the configuration, else of the pack, else the default.

    Raises
    ------
    ConfigError
        The configuration or the pack names none of the options.
    """
    equivalent = options.k_e or pack_equivalent or settings.k_e.default
    if equivalent not in settings.k_e.options:
        raise ConfigError(
            Text("unknown equivalent of electricity", "未知的电力折标系数"),
            where="substitution.k_e",
            found=equivalent,
            expected=", ".join(settings.k_e.options),
            mend=Text(
                "write one of these, or add your own to a copy of energy_demand.yaml",
                "请填写其中之一，或在 energy_demand.yaml 的副本中补充",
            ),
        )
    return equivalent


def check_options(settings: EnergySettings, options: SubstitutionOptions, district_ids: list[str]) -> None:
    """Refuse a configuration that names a zone, class, equivalent or district that there is not.

    Raises
    ------
    ConfigError
    """
    chosen_equivalent(settings, options, None)
    checks = [("climate_zone", options.climate_zone, list(settings.zones))]
    checks += [(f"demand.{use}", use, list(settings.intensity)) for use in options.demand]
    checks += [(f"installations[{i}].unit_id", e.unit_id, district_ids) for i, e in enumerate(options.installations)]
    for key, value, known in checks:
        if value is not None and value not in known:
            near = difflib.get_close_matches(value, known, n=1)
            raise ConfigError(
                Text(f"{value} is not known", f"未知的取值 {value}"),
                where=f"substitution.{key}",
                found=value,
                expected=", ".join(known[:20]) + (" ..." if len(known) > 20 else ""),
                mend=Text(f"did you mean {near[0]}?", f"是否为 {near[0]}？")
                if near
                else Text("write one of these", "请填写其中之一"),
            )


@dataclass(frozen=True)
class FloorArea:
    """Floor area above ground of n buildings, m².

    Parameters
    ----------
    low, central, high : ndarray (n,)
        The same where floors are stated.
    estimated : ndarray of bool (n,)
        Floors come from the height, or from nothing.
    """

    low: F8
    central: F8
    high: F8
    estimated: B1


def floor_area(roofs: pd.DataFrame, settings: EnergySettings) -> FloorArea:
    """Return footprint × floors above ground, with bounds where floors are not stated.

    The central value is that of `floors.floor_areas`. A known height gives bounds by how storey heights spread; where
    the height is assumed too, the bounds are those of ``floors.unknown``; without any height the central value is its
    low one.
    """
    areas = floor_areas(roofs)
    height = known_or_zero(roofs, "height_m")
    storey, spread, unknown = storey_heights(roofs), settings.floors.storey_spread, settings.floors.unknown
    guessed = carries_reason(roofs, ["height_missing", "height_absurd"]) | (height <= 0.0)
    low = np.where(guessed, unknown.low, np.maximum(np.floor(height / (storey * spread.high)), 1.0))
    high = np.where(guessed, unknown.high, np.floor(height / (storey * spread.low)))
    footprint = np.nan_to_num(areas.footprint_m2)
    central = np.where(np.isnan(areas.area_m2), low * footprint, areas.area_m2)
    low, high = np.fmin(low * footprint, central), np.fmax(high * footprint, central)
    return FloorArea(
        np.where(areas.assumed, low, central), central, np.where(areas.assumed, high, central), areas.assumed
    )


@dataclass(frozen=True)
class EnergyDemand:
    """Demand of n buildings per m² of floor, kgce, one column per equivalent (q).

    Parameters
    ----------
    low, central, high : ndarray (n, q)
        Over every class and zone that the building may have; central is NaN where the zone is not known.
    measured_kgce : ndarray (n, q)
        Metered annual demand of the whole building; NaN where its electricity is not metered.
    """

    low: F8
    central: F8
    high: F8
    measured_kgce: F8


def zones_of(roofs: pd.DataFrame, pack: Pack, options: SubstitutionOptions) -> NDArray[np.object_]:
    """Return the climate zone of every roof, None where it is not known; the configuration overrides the pack."""
    if options.climate_zone is not None:
        return np.full(len(roofs), options.climate_zone, dtype=object)
    if pack.climate is None:
        return np.full(len(roofs), None, dtype=object)
    ids = roofs["district_id"].astype("string").fillna("")
    by_id = {unit: pack.climate.of(str(unit)) for unit in ids.unique()}
    return np.array([by_id[unit] for unit in ids], dtype=object)


def energy_demand(stock: Stock, scope: Scope, settings: EnergySettings, options: SubstitutionOptions) -> EnergyDemand:
    """Return what the buildings that count need by class and zone, and what was metered.

    Parameters
    ----------
    stock : Stock
        The columns ``measured_energy_kwh`` (electricity, or all energy as electricity) and ``measured_fuel_kgce`` of
        its roofs are taken where they are there. Fuel alone is not what a building needs: without metered electricity
        the intensities stay.
    scope : Scope
        Classes outside it do not enter the bounds.
    """
    roofs, known = stock.basis.roofs, stock.basis.facts
    zones = zones_of(roofs, stock.pack, options)
    k_e = np.array([entry.kgce_kwh for entry in settings.k_e.options.values()])
    uses = _uses_in_scope(scope, known)
    cases: dict[tuple[int, str | None], int] = {}
    rows = np.array([cases.setdefault(pair, len(cases)) for pair in zip(known.kind.tolist(), zones, strict=True)], int)
    table = np.empty((len(cases), 3, k_e.size))
    for (kind, zone), row in cases.items():
        recorded = known.kinds[kind][0]
        table[row] = _intensities(recorded, uses[kind], zone, settings, options, k_e)
    low, central, high = (table[rows, k] for k in range(3))
    return EnergyDemand(low, central, high, _measured_kgce(roofs, k_e))


def _intensities(
    recorded: str,
    uses: tuple[str, ...],
    zone: str | None,
    settings: EnergySettings,
    options: SubstitutionOptions,
    k_e: F8,
) -> F8:
    """Low, central and high kgce per m² for each equivalent, array (3, q)."""

    def kgce(use: str, where: str) -> F8:
        entry: Demand | Intensity = options.demand.get(use) or settings.of(use, where)
        return entry.electricity_kwh_m2 * k_e + entry.heat_kgce_m2

    recorded = recorded if recorded in settings.intensity else "unknown"
    zones = list(settings.zones) if zone is None else [zone]
    every = np.array([kgce(use, where) for use in uses or (recorded,) for where in zones])
    of_class = np.array([kgce(recorded, where) for where in zones])
    central = of_class[0] if np.ptp(of_class, axis=0).max() == 0.0 else np.full(k_e.size, np.nan)
    # The middle value of an unknown class need not be one of the classes' own.
    low, high = np.fmin(every.min(axis=0), central), np.fmax(every.max(axis=0), central)
    return np.stack([low, central, high])


def _uses_in_scope(scope: Scope, known: Facts) -> list[tuple[str, ...]]:
    """Uses that buildings of each kind may have and satisfy the scope with, whatever their year."""
    possible = possible_uses(known)
    pairs = [(kind, use) for kind, uses in enumerate(possible) for use in uses]
    tried = Facts(
        tuple((use, "", *known.kinds[kind][2:]) for kind, use in pairs),
        np.arange(len(pairs), dtype=np.intp),
        np.full(len(pairs), np.nan),
    )
    inside = membership(scope, tried, None) != NO
    out: list[list[str]] = [[] for _ in possible]
    for (kind, use), kept in zip(pairs, inside, strict=True):
        if kept:
            out[kind].append(use)
    return [tuple(uses) for uses in out]


def metered_energy(roofs: pd.DataFrame) -> tuple[F8, F8]:
    """Return metered electricity [kWh/a] and fuel [kgce/a] of n buildings; NaN where there is none."""
    energy, fuel = (numeric_column(roofs, name) for name in MEASURED)
    return energy, fuel


def _measured_kgce(roofs: pd.DataFrame, k_e: F8) -> F8:
    """Metered demand in kgce, (n, q); NaN where no electricity was metered."""
    energy, fuel = metered_energy(roofs)
    return energy[:, None] * k_e + np.nan_to_num(fuel)[:, None]
