"""Existing PV against the roofs it stands on: what cannot be counts as unknown, what hardly can be is said.

The limits are those of `rooftop audit` (`configs/audit.yaml`). A roof whose declared capacity is refused has the reason
``existing_pv_impossible`` and is to be surveyed: something stands there, nobody knows how much.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from rooftop.config import CapacityUnit, Inputs
from rooftop.core.errors import InputError
from rooftop.core.lang import Text
from rooftop.core.notices import Notice
from rooftop.core.rounding import number
from rooftop.core.types import B1, F8
from rooftop.inputs.audit_limits import AuditLimits, audit_limits
from rooftop.inputs.capacities import field_unit
from rooftop.inputs.roof_uses import RoofAreas
from rooftop.inputs.schedule import Schedule
from rooftop.targets.basis import excluded_for
from rooftop.targets.columns import PV_IMPOSSIBLE, numeric_column
from rooftop.targets.coverage_rules import coverage_rules

_ROWS = Text("capacities of existing PV", "已装光伏容量")


@dataclass(frozen=True)
class Declaration:
    """Where capacities come from.

    Parameters
    ----------
    role : str
        Block of the configuration (``inputs.footprints``).
    path : str
        File.
    column : str
        Its column.
    stated : bool
        The unit is stated, by the column's name or by ``capacity_unit``.
    """

    role: str
    path: str
    column: str
    stated: bool

    @classmethod
    def of_column(cls, role: str, path: object, column: str | None, given: CapacityUnit | None) -> Declaration:
        """Describe a column as the configuration names it."""
        name = "" if column is None else column
        return cls(role, str(path), name, field_unit(name, "capacity", role, str(path), given).stated)


def credible(
    kwp: F8,
    area_m2: F8,
    dense_w_per_m2: F8 | float,
    names: Sequence[object],
    source: Declaration,
    limits: AuditLimits | None = None,
) -> tuple[B1, tuple[Notice, ...]]:
    """Judge capacities by the area they stand on.

    Parameters
    ----------
    kwp, area_m2 : ndarray, shape (n,)
        Where either is not known or not positive, nothing is judged.
    dense_w_per_m2 : ndarray, shape (n,), or float
        More is improbable.
    names : sequence of length n
        How people find each row.
    source : Declaration
    limits : AuditLimits, optional

    Returns
    -------
    tuple of ndarray of bool, and tuple of Notice
        What is impossible; counted, with examples.

    Raises
    ------
    InputError
        The unit is stated nowhere and all the values together fit another one than kWp.
    """
    limits = limits or audit_limits()
    judged = (kwp > 0.0) & (area_m2 > 0.0)
    density = np.divide(kwp * 1000.0, area_m2, out=np.zeros(len(kwp)), where=judged)
    likely = _likely_unit(density[judged], limits)
    if likely is not None and not source.stated:
        raise _unclear_unit_error(likely, density[judged], source)
    impossible = density > limits.roof_w_per_m2_max
    improbable = ~impossible & (density > dense_w_per_m2)

    def examples_of(rows: B1) -> tuple[str, ...]:
        worst = np.flatnonzero(rows)[np.argsort(-density[rows], kind="stable")][:5]
        return tuple(f"{names[k]} ({kwp[k]:,.10g} kWp / {area_m2[k]:,.0f} m²)" for k in worst)

    notices = []
    if impossible.any():
        n, most = int(impossible.sum()), number(limits.roof_w_per_m2_max)
        watts = np.median(density[impossible]) >= 1000.0 * limits.unit_slip.low_w_per_m2.value
        unit = Text("; they would fit as W", "；若单位为 W 则合理") if watts else Text("", "")
        text = Text(
            "{n} {rows} are impossible, above {most} W per m² of roof: they count as unknown, the roofs are to be "
            "surveyed{unit}",
            "{n} 个{rows}不可能（每㎡屋顶超过 {most} W），按不明处理，相应屋顶待核实{unit}",
        ).format(n=n, rows=_ROWS, most=most, unit=unit)
        notices.append(Notice(PV_IMPOSSIBLE, text, n, source=source.path, examples=examples_of(impossible)))
    if improbable.any():
        n = int(improbable.sum())
        text = Text(
            "{n} {rows} are improbable, above what a wholly covered roof of the type carries; they count as declared",
            "{n} 个{rows}存疑：超过同类屋面铺满时的容量，仍按申报值计入",
        ).format(n=n, rows=_ROWS)
        notices.append(Notice("existing_pv_improbable", text, n, source=source.path, examples=examples_of(improbable)))
    if likely == "MW":
        text = Text(
            "{rows} of {column} are so small for their roofs that they may be in MW: see capacity_unit",
            "{column} 的{rows}相对屋顶过小，单位可能为 MW：见 capacity_unit",
        ).format(rows=_ROWS, column=source.column)
        notices.append(Notice("existing_pv_small", text, int(judged.sum()), source=source.path))
    return impossible, tuple(notices)


def _likely_unit(density_w_m2: F8, limits: AuditLimits) -> str | None:
    """Return the unit that fits where kW does not; None where kW may be right, or too little is known."""
    slip = limits.unit_slip
    if len(density_w_m2) < slip.min_values.value:
        return None
    median, low, most = float(np.median(density_w_m2)), slip.low_w_per_m2.value, limits.roof_w_per_m2_max
    if median > most and low <= median / 1000.0 <= most:
        return "W"
    return "MW" if median < low and low <= median * 1000.0 <= most else None


def _unclear_unit_error(likely: str, density_w_m2: F8, source: Declaration) -> InputError:
    median = float(np.median(density_w_m2))
    other = median * (1000.0 if likely == "MW" else 0.001)
    return InputError(
        Text("the unit of existing PV is stated nowhere, and kWp does not fit", "已装光伏未声明单位，且不可能为 kWp"),
        where=f"{source.role}.capacity_unit",
        found=Text(
            f"{source.column} ({source.path}): {number(median)} W per m² of roof, the median, if it is kWp",
            f"{source.column}（{source.path}）：若为 kWp，则每㎡屋顶 {number(median)} W（中位数）",
        ),
        expected=Text(f"{number(other)} W per m² if it is {likely}", f"若为 {likely}，则每㎡ {number(other)} W"),
        mend=Text(
            f"set capacity_unit: {likely}, or name the unit in the field; capacity_unit: kW if the numbers are right",
            f"请设置 capacity_unit: {likely}，或在字段名中写明单位；数值确为 kWp 时设为 kW",
        ),
    )


def credible_inventory(
    inputs: Inputs, buildings: gpd.GeoDataFrame, outlines: RoofAreas | None, roof_type: Sequence[str]
) -> tuple[gpd.GeoDataFrame, RoofAreas | None, tuple[Notice, ...]]:
    """Take impossible capacities off buildings and outlines.

    Parameters
    ----------
    inputs : Inputs
    buildings : GeoDataFrame
        ``building_id existing_pv_kwp status reasons`` and footprints, metres.
    outlines : RoofAreas or None
        An outline without capacity counts by its area.
    roof_type : sequence of str
        Of each building.

    Returns
    -------
    tuple of GeoDataFrame, RoofAreas or None, tuple of Notice

    Raises
    ------
    InputError
        As `credible`.
    """
    limits = audit_limits()
    notices: list[Notice] = []
    kwp = numeric_column(buildings, "existing_pv_kwp")
    doubtful = doubtful_outlines = np.zeros(len(buildings), dtype=bool)
    if inputs.footprints.fields.existing_pv_kwp is not None:
        given = inputs.footprints
        source = Declaration.of_column(
            "inputs.footprints", given.path, given.fields.existing_pv_kwp, given.capacity_unit
        )
        dense = np.array([limits.dense_w_per_m2.of(str(kind)) for kind in roof_type])
        # A repeated outline is no roof of its own.
        area = shapely.area(buildings.geometry.to_numpy())
        area[excluded_for(buildings, coverage_rules().not_a_roof)] = 0.0
        doubtful, doubts = credible(kwp, area, dense, buildings["building_id"].tolist(), source, limits)
        notices += doubts
    if outlines is not None and inputs.existing_pv is not None and inputs.existing_pv.kwp_field is not None:
        outlines, doubtful_outlines, doubts = _credible_outlines(inputs, buildings, outlines, limits)
        notices += doubts
    marked = doubtful | doubtful_outlines
    if not marked.any():
        return buildings, outlines, tuple(notices)
    status = buildings["status"].to_numpy(dtype=object).copy()
    status[marked & (status == "ok")] = "needs_survey"
    reasons = [
        [*codes, PV_IMPOSSIBLE] if doubt else codes for codes, doubt in zip(buildings["reasons"], marked, strict=True)
    ]
    kept = buildings.assign(existing_pv_kwp=np.where(doubtful, np.nan, kwp), status=status, reasons=reasons)
    return kept, outlines, tuple(notices)


def _credible_outlines(
    inputs: Inputs, buildings: gpd.GeoDataFrame, outlines: RoofAreas, limits: AuditLimits
) -> tuple[RoofAreas, B1, tuple[Notice, ...]]:
    """Take impossible capacities off outlines; say which buildings these stand on."""
    assert inputs.existing_pv is not None
    given, table = inputs.existing_pv, outlines.table
    source = Declaration.of_column("inputs.existing_pv", given.path, given.kwp_field, given.capacity_unit)
    shapes = table.geometry.to_numpy()
    impossible, notices = credible(
        table["kwp"].to_numpy(dtype=float),
        shapely.area(shapes),
        limits.module_w_per_m2_high,
        [f"#{row}" for row in table["source_row"]],
        source,
        limits,
    )
    on = np.zeros(len(buildings), dtype=bool)
    tree = shapely.STRtree(buildings.geometry.to_numpy())
    on[tree.query(shapely.point_on_surface(shapes[impossible]), predicate="within")[1]] = True
    kept = table.assign(kwp=np.where(impossible, np.nan, table["kwp"].to_numpy(dtype=float)))
    return replace(outlines, table=kept), on, notices


def credible_schedule(
    inputs: Inputs, schedule: Schedule, buildings: gpd.GeoDataFrame, memberships: pd.DataFrame
) -> Schedule:
    """Take rows off a commissioning schedule that no roof can carry, alone or with the other rows of their building.

    Parameters
    ----------
    inputs : Inputs
    schedule : Schedule
    buildings : GeoDataFrame
        ``building_id`` and footprints, metres.
    memberships : DataFrame
        `tables.MEMBERSHIPS`: the roofs of a unit together.

    Raises
    ------
    InputError
        As `credible`.
    """
    given = inputs.schedule
    if given is None or schedule.table.empty:
        return schedule
    limits, table = audit_limits(), schedule.table
    area = pd.Series(shapely.area(buildings.geometry.to_numpy()), index=buildings["building_id"].astype(str))
    area = area[~area.index.duplicated()]
    shares = memberships.assign(area=memberships["building_id"].astype(str).map(area) * memberships["share"])
    of_unit = shares.groupby(shares["unit_id"].astype(str))["area"].sum()
    roof = table["building_id"].map(area).fillna(table["unit_id"].map(of_unit)).to_numpy(dtype=float, na_value=0.0)
    kwp = table["kwp"].to_numpy(dtype=float)
    # Where only modules are stated: as much as the best of them could have.
    by_area = np.isnan(kwp)
    best = limits.sunlight_w_m2.value * limits.module.efficiency_max.value
    kwp = np.where(by_area, table["module_m2"].to_numpy(dtype=float) * best / 1000.0, kwp)
    dense = np.where(by_area, best, limits.dense_w_per_m2.default)
    names = [
        f"{b if pd.notna(b) else u} @{row}"
        for b, u, row in zip(table["building_id"], table["unit_id"], table["source_row"], strict=True)
    ]
    source = Declaration.of_column("inputs.schedule", given.path, given.fields.kwp, given.capacity_unit)
    source = replace(source, stated=source.stated or given.fields.kwp is None)
    impossible, notices = credible(kwp, roof, dense, names, source, limits)
    whole = pd.Series(np.where(impossible, 0.0, np.nan_to_num(kwp))).groupby(table["building_id"].to_numpy()).sum()
    together = table["building_id"].map(whole).to_numpy(dtype=float, na_value=0.0)
    exceeding = ~impossible & (roof > 0.0) & (together * 1000.0 > limits.roof_w_per_m2_max * roof)
    if exceeding.any():
        text = Text(
            "{n} rows of the schedule add up to more PV than their buildings can carry: they do not count",
            "建设时序表有 {n} 行的容量合计超出所在建筑所能容纳，不计入",
        )
        notices = (*notices, *Notice.counted("schedule_exceeds_roof", exceeding, text, names=names, source=source.path))
    kept = table[~(impossible | exceeding)].reset_index(drop=True)
    return replace(schedule, table=kept, notices=(*schedule.notices, *notices))
