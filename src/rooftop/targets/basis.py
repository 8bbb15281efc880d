"""Areas that enter coverage: what each roof adds to numerators and denominators, and to which units."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rooftop.core.errors import ComputeError
from rooftop.core.lang import Text
from rooftop.core.types import B1, F8
from rooftop.targets.columns import PV_IMPOSSIBLE, carries_reason, known_or_zero, numeric_column
from rooftop.targets.coverage_rules import coverage_rules
from rooftop.targets.models import CoverageKind, ExistingPv, Pack
from rooftop.targets.scope import Facts, facts
from rooftop.targets.withheld import withheld

_T = TypeVar("_T", bound=np.generic)
LAYOUT = ("module", "array", "used")
ROOF = ("gross", "net", "installable")
CITY = "city"


@dataclass(frozen=True)
class Basis:
    """Roofs as arrays of length n; areas in m².

    Parameters
    ----------
    roofs : DataFrame
        The rows that count, in their order, index 0 … n-1: no withheld use, no duplicate or empty geometry.
    counted : ndarray of bool
        Which rows of the whole table they are.
    facts : Facts
    layout, installed, per_face : dict of str to ndarray
        ``module array used``: area of new modules on all room that is left, area of the existing PV, and the latter's
        for each m² of its modules.
    roof : dict of str to ndarray
        ``gross net installable``.
    capacity_kwp : ndarray
        Of the new modules; existing PV stands beside them.
    needs_survey : ndarray of bool
        Whether the roof is installable is not known; the areas are those if it is.
    inventory : bool
        Whether any roof states its existing PV, be it zero; without an inventory, installed coverage is not known.
    refused : ndarray of bool
        The roof's declared PV is impossible: something stands there, between nothing and all that fits.
    """

    roofs: pd.DataFrame
    counted: B1
    facts: Facts
    layout: dict[str, F8]
    installed: dict[str, F8]
    per_face: dict[str, F8]
    roof: dict[str, F8]
    capacity_kwp: F8
    needs_survey: B1
    inventory: bool
    refused: B1

    @property
    def pv_unknown(self) -> B1:
        """Roofs of which nobody knows what stands on them."""
        return self.refused | (not self.inventory)

    def over_all(self, values: NDArray[_T]) -> NDArray[_T]:
        """Return values of the rows that count for every row of the whole table; zero, or false, where one does not."""
        out = np.zeros(self.counted.size, dtype=values.dtype)
        out[self.counted] = values
        return out


@dataclass(frozen=True)
class Links:
    """Which roof lies in which unit, arrays of length m.

    Parameters
    ----------
    units : DataFrame
        ``unit_id unit_name level``, the city first, then in the order given.
    unit, row : ndarray of int
        Row of `units` and of `Basis.roofs`.
    weight : ndarray of float
        Share of the building in the unit.
    """

    units: pd.DataFrame
    unit: NDArray[np.intp]
    row: NDArray[np.intp]
    weight: F8

    def sums(self, values: F8, *, whole: bool = False) -> F8:
        """Sum values of buildings to units by their share; `whole` counts each building once wherever it lies."""
        weight = (self.weight > 0).astype(float) if whole else self.weight
        return np.asarray(np.bincount(self.unit, values[self.row] * weight, len(self.units)), dtype=np.float64)


def existing_pv(pack: Pack | None) -> ExistingPv:
    """Return what converts declared capacity to module area: the pack's own, else `configs/coverage.yaml`."""
    return (None if pack is None else pack.existing_pv) or coverage_rules().existing_pv


def counted(roofs: pd.DataFrame) -> pd.Series:
    """Return True for the rows of `roofs` that may enter a ratio.

    Left out are withheld uses, excluded rows that are no roof of their own, and those that were not computed.
    """
    rules = coverage_rules()
    codes = (*rules.not_a_roof, *rules.not_computed)
    return pd.Series(~withheld(roofs) & ~excluded_for(roofs, codes), index=roofs.index)


def excluded_for(roofs: pd.DataFrame, codes: Collection[str]) -> B1:
    """Return True for excluded rows that carry one of the reason codes."""
    return carries_reason(roofs, codes) & (roofs["status"] == "excluded").to_numpy(dtype=bool, na_value=False)


def gather(roofs: pd.DataFrame, pack: Pack) -> Basis:
    """Turn a table of roofs (`tables.ROOFS`) into arrays.

    Raises
    ------
    ComputeError
        A building_id occurs twice among the rows that count.
    """
    rows = counted(roofs).to_numpy()
    kept = roofs.loc[rows].reset_index(drop=True)
    twice = kept["building_id"].duplicated()
    if twice.any():
        raise ComputeError(
            Text("a building_id occurs twice in the table of roofs", "屋顶表中建筑编号重复"),
            found=str(kept.loc[twice, "building_id"].iloc[0]),
        )
    layout = {name: known_or_zero(kept, f"{name}_area_m2") for name in LAYOUT}
    roof = {name: known_or_zero(kept, f"{name}_area_m2") for name in ROOF}
    declared = numeric_column(kept, "existing_pv_kwp")
    face = np.maximum(np.nan_to_num(declared), 0.0) * 1000.0 / existing_pv(pack).w_per_m2
    per_face = _per_face(kept, layout, face)
    return Basis(
        roofs=kept,
        counted=rows,
        facts=facts(kept),
        layout=layout,
        installed={name: face * per_face[name] for name in LAYOUT},
        per_face=per_face,
        roof=roof,
        capacity_kwp=known_or_zero(kept, "capacity_kwp"),
        needs_survey=(kept["status"] == "needs_survey").to_numpy(dtype=bool, na_value=False),
        inventory=not bool(np.isnan(declared).all()) or declared.size == 0,
        refused=carries_reason(kept, [PV_IMPOSSIBLE]) & np.isnan(declared),
    )


def _per_face(roofs: pd.DataFrame, layout: dict[str, F8], face_m2: F8) -> dict[str, F8]:
    """Return projected, array and used area of existing PV for each m² of its modules.

    A roof's new modules say how far modules are tilted out of the roof and how far rows stand apart; where the area
    under its existing PV is known, that is its array.
    """
    module = _ratio(layout["module"], known_or_zero(roofs, "module_face_area_m2"))
    array = module * _ratio(layout["array"], layout["module"])
    if "existing_pv_area_m2" in roofs:
        under = known_or_zero(roofs, "existing_pv_area_m2")
        known = (under > 0) & (face_m2 > 0)
        array = np.where(known, np.maximum(np.divide(under, face_m2, out=array.copy(), where=known), module), array)
    return {"module": module, "array": array, "used": array * _ratio(layout["used"], layout["array"])}


def planned_rows(roofs: pd.DataFrame, basis: Basis, planned: pd.Series | None) -> B1 | None:
    """Return which roofs of a basis are selected, shape (n,); None without a selection.

    Parameters
    ----------
    roofs : DataFrame
        The table that `basis` was gathered from.
    planned : Series of bool or None
        Index of `roofs`.

    Raises
    ------
    ComputeError
        `planned` does not have the index of `roofs`.
    """
    if planned is None:
        return None
    if not planned.index.equals(roofs.index):
        raise ComputeError(Text("the selection is not aligned with the roofs", "所选屋顶与屋顶表的索引不一致"))
    chosen = planned.astype("boolean").fillna(False).to_numpy(dtype=bool)
    ids = roofs["building_id"].astype("string")[chosen]
    return basis.roofs["building_id"].astype("string").isin(ids).to_numpy(dtype=bool)


def link(basis: Basis, memberships: pd.DataFrame, units: pd.DataFrame) -> Links:
    """Join roofs to units; the city is all that lies in a district, each building once.

    Parameters
    ----------
    memberships : DataFrame
        `tables.MEMBERSHIPS`; rows of buildings or units that are not in the tables are passed over.
    units : DataFrame
        ``unit_id unit_name level``; a row of level ``city`` names the city, which otherwise is called all districts.
        Without any district the city is every building.
    """
    table = units[["unit_id", "unit_name", "level"]].astype("string")
    own_city = table[table["level"] == CITY]
    name = coverage_rules().units[CITY].text.pick("zh")
    default = pd.DataFrame([[CITY, name, CITY]], columns=table.columns, dtype="string")
    city = own_city.iloc[:1] if len(own_city) else default
    table = pd.concat([city, table[table["level"] != CITY]], ignore_index=True)
    row_of = pd.Series(np.arange(len(basis.roofs)), index=basis.roofs["building_id"].astype("string"))
    unit_of = pd.Series(np.arange(len(table)), index=pd.MultiIndex.from_frame(table[["level", "unit_id"]]))
    joined = pd.DataFrame(
        {
            "row": row_of.reindex(memberships["building_id"].astype("string")).to_numpy(),
            "unit": unit_of.reindex(
                pd.MultiIndex.from_frame(memberships[["level", "unit_id"]].astype("string"))
            ).to_numpy(),
            "weight": memberships["share"].to_numpy(dtype=float),
            "district": (memberships["level"] == "district").to_numpy(dtype=bool),
        }
    ).dropna()
    joined = joined[joined["unit"] > 0]
    rows = np.arange(len(basis.roofs))
    if (table["level"] == "district").any():
        rows = np.unique(joined.loc[joined["district"], "row"].to_numpy(dtype=np.intp))
    return Links(
        units=table,
        unit=np.concatenate([np.zeros(rows.size, dtype=np.intp), joined["unit"].to_numpy(dtype=np.intp)]),
        row=np.concatenate([rows, joined["row"].to_numpy(dtype=np.intp)]),
        weight=np.concatenate([np.ones(rows.size), joined["weight"].to_numpy(dtype=float)]),
    )


def numerator(basis: Basis, name: str, kind: CoverageKind, planned: B1 | None) -> tuple[F8, F8]:
    """Return a numerator per roof: if the roof is installable, and if a survey finds that no more can be installed.

    Installed is what stands, never clipped. Planned is a full layout on the selected roofs and what stands on the
    others; potential a full layout everywhere: the new modules beside what stands, see `filled_area`. What stands
    beyond the installable area is installed coverage only, which keeps planned and potential within the roof.
    """
    if name == "installable":
        return denominator(basis, name)
    standing = basis.installed[name]
    if kind == "installed":
        return standing, standing
    within = np.minimum(standing, basis.roof["installable"])
    full = filled_area(basis, name, within)
    value = full if kind == "potential" or planned is None else np.where(planned, full, within)
    return value, np.where(basis.needs_survey, within, value)


def filled_area(basis: Basis, name: str, within: F8) -> F8:
    """Return module, array or used area of a roof whose room is filled: new modules beside what stands.

    New modules were laid out on what existing PV leaves (`tables.ROOFS`), so that the two add up; together they stay
    within the installable area, and never below what stands.

    Parameters
    ----------
    name : {"module", "array", "used"}
    within : ndarray
        That area of what stands, at most the installable area.
    """
    room = np.maximum(basis.roof["installable"] - basis.layout["used"], 0.0)
    return np.maximum(basis.layout[name] + np.minimum(within, room), within)


def standing_at_most(basis: Basis, name: str, standing: F8, unknown: B1) -> F8:
    """Return what may stand on each roof: where that is not known, all that fits."""
    fits = filled_area(basis, name, np.minimum(standing, basis.roof["installable"]))
    return np.where(unknown, np.maximum(standing, fits), standing)


def denominator(basis: Basis, name: str) -> tuple[F8, F8]:
    """Return a denominator per roof: if the roof is installable, and if a survey finds that no more can be installed.

    The area that existing PV uses has proved itself: it stays installable whatever the survey says.
    """
    value = basis.roof[name]
    if name != "installable":
        return value, value
    proved = np.minimum(basis.installed["used"], value)
    return value, np.where(basis.needs_survey, proved, value)


def _ratio(top: F8, bottom: F8) -> F8:
    """Quotient; 1 where a roof has no layout of its own."""
    return np.divide(top, bottom, out=np.ones_like(top), where=bottom > 0)
