"""Results of tiles → the tables of a run."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rooftop.aggregate import check_conservation, plane_table, roof_table, unit_table, with_geometry
from rooftop.batch import BatchResult
from rooftop.campaign.candidates import plan_campaign
from rooftop.notices import Notice
from rooftop.outputs.store import CRS_OUT, RunTables
from rooftop.potential import PLANE_YEAR_COLUMNS, lit_modules
from rooftop.prepare import Prepared
from rooftop.scene.fill import module_layer
from rooftop.scene.inverters import inverter_table
from rooftop.status import settle_status, status_notices
from rooftop.tables import COVERAGE
from rooftop.targets import Pack, coverage_notices, coverage_table, mark_new

_WORKING_COLUMNS = (
    "roof", "side", "axis_grid_deg", "design", "known", "pitched", "inner_share", "usable", "geometry",
    "excluded_share", "left_share",
)  # fmt: skip


def build_tables(
    prepared: Prepared, batch: BatchResult, pack: Pack | None, selected: NDArray[np.bool_], *, modules: bool = False
) -> tuple[RunTables, tuple[Notice, ...]]:
    """Turn tile results into the contract's tables; with `modules`, those of a packed layout are a table too."""
    sources = prepared.sources
    columns = [*PLANE_YEAR_COLUMNS, "n_cells", "n_lit"]
    frames = [result.planes for result in batch.results.values()]
    year = pd.concat(frames) if frames else pd.DataFrame(columns=columns, dtype=float)
    year = year.reindex(range(len(prepared.layout.planes)))
    module = prepared.system.module
    planes = plane_table(
        prepared.layout.planes, year, prepared.layout.designs, prepared.types, prepared.inner_share,
        prepared.free_share, prepared.usable, prepared.rules, module.area_m2, module.pdc0_w / 1000.0,
        prepared.taken.unplaced_m2,
    )  # fmt: skip
    roofs = roof_table(pd.DataFrame(sources.buildings.drop(columns="geometry")), planes)
    roofs = _with_facts(roofs, prepared, pack, year)
    shown = selected & (roofs["building_use"] != "military").to_numpy()
    notices = status_notices(roofs, selected, batch)
    memberships = sources.memberships[sources.memberships["building_id"].isin(roofs["building_id"][shown])]
    unit_frame = pd.concat([unit.table for unit in sources.units], ignore_index=True)
    ids = roofs["building_id"].astype(str).to_numpy()
    planes = planes.assign(building_id=ids[planes["roof"].to_numpy()])
    visible_roofs = roofs[shown].reset_index(drop=True)
    units = unit_table(visible_roofs, memberships, unit_frame)
    district_ids = unit_frame.loc[unit_frame["level"] == "district", "unit_id"]
    inside = visible_roofs["district_id"].isin(district_ids).to_numpy()
    check_conservation(planes, visible_roofs, units, inside)
    coverage = _coverage(visible_roofs, memberships, unit_frame, pack)
    if pack is not None:
        notices = (*notices, *coverage_notices(visible_roofs, memberships, unit_frame, pack))
    crs = sources.buildings.crs
    footprints = gpd.GeoSeries(prepared.outlines[shown], crs=crs).to_crs(CRS_OUT)
    polygons = gpd.GeoSeries(
        pd.concat([unit.table.geometry for unit in sources.units], ignore_index=True), crs=crs
    ).to_crs(CRS_OUT)
    plans = gpd.GeoSeries(planes["geometry"].to_numpy(), crs=crs).to_crs(CRS_OUT)
    inner = [c for c in planes if c in _WORKING_COLUMNS or str(c).startswith(("packed_", "zone_"))]
    tables = RunTables(
        with_geometry(visible_roofs, footprints),
        with_geometry(planes.drop(columns=inner), plans),
        memberships.reset_index(drop=True),
        with_geometry(units, polygons),
        coverage,
        modules=(
            module_layer(
                prepared.layout,
                planes["plane_id"],
                planes["module_count"],
                crs,
                lit_modules(batch.results.values(), prepared.layout.planes["packed_count"]),
            ).to_crs(CRS_OUT)
            if modules and prepared.layout.modules
            else None
        ),
    )
    return tables.conformed(), notices


def _with_facts(roofs: pd.DataFrame, prepared: Prepared, pack: Pack | None, year: pd.DataFrame) -> pd.DataFrame:
    """Add units, irradiation, novelty, roof type, status and reasons."""
    sources, out = prepared.sources, roofs.copy()
    for level in ("district", "town"):
        mine = sources.memberships[sources.memberships["level"] == level].drop_duplicates("building_id")
        names = pd.concat([unit.table for unit in sources.units]).drop_duplicates("unit_id")
        names = names.set_index("unit_id")["unit_name"]
        unit_id = out["building_id"].map(mine.set_index("building_id")["unit_id"])
        out[f"{level}_id"], out[f"{level}_name"] = unit_id, unit_id.map(names)
    out["roof_type"] = prepared.types.name
    out["ghi_kwh_m2"] = sources.irradiance.ghi_annual_kwh_m2
    out["poa_kwh_m2"] = out["poa_kwh_m2"].where(np.isfinite(out["ghi_kwh_m2"]))
    inverters = inverter_table(out["capacity_kwp"], prepared.system.dc_ac_ratio)
    out[inverters.columns] = inverters.set_axis(out.index)
    out["is_new"] = mark_new(out, pack).to_numpy() if pack is not None else "unknown"
    return settle_status(out, prepared, year)


def _coverage(roofs: pd.DataFrame, memberships: pd.DataFrame, units: pd.DataFrame, pack: Pack | None) -> pd.DataFrame:
    """Return coverage as it stands, as the campaign would make it, and at its potential."""
    if pack is None:
        return pd.DataFrame(columns=COVERAGE.names)
    named = units[["unit_id", "unit_name", "level"]]
    today = coverage_table(roofs, memberships, named, pack)
    campaign = plan_campaign(roofs, memberships, today, pack)
    return coverage_table(roofs, memberships, named, pack, planned=campaign.planned)
