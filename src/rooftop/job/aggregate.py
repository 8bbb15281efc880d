"""Planes → roofs → districts, with conservation checked on the way."""

from __future__ import annotations

from itertools import pairwise

import geopandas as gpd
import numpy as np
import pandas as pd

from rooftop.core.errors import ComputeError
from rooftop.core.lang import Text
from rooftop.core.types import B1, F8, I8
from rooftop.scene.layout import Layout, PlaneModules, beside_unplaced
from rooftop.solar.pvsystem import Module

MONTHS = [f"{m:02d}" for m in range(1, 13)]
_AREAS = ("gross", "net", "installable", "used", "array", "module", "module_face")
SUMMED = [
    *(f"{name}_area_m2" for name in _AREAS),
    "module_count",
    "capacity_kwp",
    "capacity_low_kwp",
    "capacity_high_kwp",
    "annual_kwh",
    *(f"kwh_{m}" for m in MONTHS),
]
TAKEN = ["excluded_area_m2", "existing_pv_area_m2"]
_LAID_OUT = [
    "plane_id",
    "roof_source",
    "plane_tilt_deg",
    "plane_azimuth_deg",
    "area_m2",
    "mounting",
    "surface_tilt_deg",
    "surface_azimuth_deg",
]


def plane_table(layout: Layout, year: pd.DataFrame, module: Module, unplaced_pv_m2: F8) -> pd.DataFrame:
    """Return areas, modules and energy of every plane.

    Gross, net and installable area hold existing PV; what is used, and the modules, are new and stand beside it.

    Parameters
    ----------
    layout : Layout
    year : DataFrame
        ``rooftop.job.tile.PLANE_YEAR_COLUMNS`` and ``MODULE_COUNTS`` of every plane, in the layout's order.
    module : Module
    unplaced_pv_m2 : ndarray, shape (n_roofs,)
        Module area of existing PV that stands nobody knows where on the roof: each plane gives up modules in proportion
        to those it has, so that what is left has the roof's own mix of tilts and directions.

    Returns
    -------
    DataFrame
        `tables.PLANES` but for the id of the building, whose row is ``roof``; `SUMMED` and `TAKEN`; what the kind of
        layout knows besides (:attr:`Layout.written`).
    """
    planes = layout.planes
    modules, under_unplaced_m2 = _reduce_for_unplaced(
        planes["roof"].to_numpy(), layout.modules(year), year["n_counted"], unplaced_pv_m2, module.area_m2
    )
    out = planes[["roof", *_LAID_OUT, *TAKEN, *layout.written]].copy()
    out["existing_pv_area_m2"] += under_unplaced_m2
    out["gross_area_m2"], out["net_area_m2"] = planes["area_m2"], modules.net_m2
    out["installable_area_m2"], out["used_area_m2"] = modules.installable_m2, modules.used_m2
    out["module_count"], out["array_area_m2"] = modules.count, modules.array_m2
    out["module_area_m2"] = modules.module_m2
    out["module_face_area_m2"] = out["module_count"] * module.area_m2
    out["capacity_kwp"] = out["module_count"] * (module.pdc0_w / 1000.0)
    for bound in ("low", "high"):
        factor = planes[f"free_share_{bound}"] / planes["free_share"]
        out[f"capacity_{bound}_kwp"] = out["capacity_kwp"] * factor.mask(planes["obstacles_known"], 1.0)
    out["svf"], out["shading_loss"] = year["svf"], year["shading_loss"]
    for m in MONTHS:
        out[f"kwh_{m}"] = (year[f"ac_{m}"] * out["capacity_kwp"]).fillna(0.0)
    out["annual_kwh"] = out[[f"kwh_{m}" for m in MONTHS]].sum(axis=1)
    out["poa_kwh_m2"] = year[[f"poa_{m}" for m in MONTHS]].sum(axis=1, min_count=12)
    out["poa_free_kwh_m2"] = year["poa_free_kwh_m2"]
    out["ok_share"], out["n_cells"] = year["ok_share"], year["n_cells"]
    out["status"] = np.where(out["module_count"] > 0, "ok", "excluded")
    return out


def _reduce_for_unplaced(
    roof: I8, modules: PlaneModules, n_counted: pd.Series, unplaced_pv_m2: F8, module_area_m2: float
) -> tuple[PlaneModules, F8]:
    """Take modules off roofs whose existing PV has no known place, in proportion; return also the area it stands on.

    Where modules have places it was settled which of them count. The area is that of as many modules in the planes' own
    rows; on a roof without any, the modules' own area.
    """
    n_unplaced = unplaced_pv_m2 / module_area_m2
    n_planes = np.bincount(roof, minlength=len(n_unplaced))
    count = modules.count.astype(np.float64)
    whole = np.bincount(roof, count, len(n_unplaced))
    rows_m2 = np.bincount(roof, modules.array_m2, len(n_unplaced))
    per_module = np.divide(rows_m2, whole, out=np.full(len(n_unplaced), module_area_m2), where=whole > 0)
    part = np.divide(count, whole[roof], out=1.0 / n_planes[roof], where=whole[roof] > 0)
    under_m2 = n_unplaced[roof] * per_module[roof] * part
    settled = n_counted.to_numpy(dtype=float)
    new = np.where(np.isfinite(settled), settled, beside_unplaced(roof, count, n_unplaced))
    return modules.reduced_to(new), under_m2


def roof_table(buildings: pd.DataFrame, planes: pd.DataFrame) -> pd.DataFrame:
    """Sum planes to roofs; one row per building, in its order.

    A roof's tilt and azimuth are those of its plane with most kWp (most area where none has any); irradiation,
    sky view and shading are means weighted by module area (plane area where there are no modules). The footprint is
    what the planes cover in plan.
    """
    out = buildings.copy()
    level = planes["area_m2"] * np.cos(np.deg2rad(planes["plane_tilt_deg"].to_numpy(dtype=float)))
    planes = planes.assign(footprint_area_m2=level)
    summed = [*SUMMED, *TAKEN, "footprint_area_m2"]
    sums = planes.groupby("roof")[summed].sum().reindex(range(len(buildings)))
    for name in summed:
        out[name] = sums[name].fillna(0.0).to_numpy()
    weight = planes["module_face_area_m2"].where(
        planes.groupby("roof")["module_face_area_m2"].transform("sum") > 0, planes["area_m2"]
    )
    known = planes["poa_kwh_m2"].notna()
    for name in ("svf", "shading_loss", "poa_kwh_m2"):
        top = (planes[name] * weight)[known].groupby(planes["roof"][known]).sum()
        bottom = weight[known].groupby(planes["roof"][known]).sum()
        out[name] = (top / bottom).reindex(range(len(buildings))).to_numpy()
    order = planes.sort_values(["roof", "capacity_kwp", "area_m2"], ascending=[True, False, False], kind="stable")
    main = order.drop_duplicates("roof").set_index("roof").reindex(range(len(buildings)))
    out["surface_tilt_deg"] = main["surface_tilt_deg"].to_numpy()
    out["surface_azimuth_deg"] = main["surface_azimuth_deg"].to_numpy()
    out["roof_source"] = main["roof_source"].fillna("assumed").to_numpy()
    capacity = out["capacity_kwp"].to_numpy(dtype=float)
    some = capacity > 0
    nan = np.full(len(out), np.nan)
    out["specific_yield_kwh_kwp"] = np.divide(out["annual_kwh"], capacity, out=nan.copy(), where=some)
    falls = capacity * out["poa_kwh_m2"].to_numpy(dtype=float)
    out["performance_ratio"] = np.divide(out["annual_kwh"], falls, out=nan.copy(), where=some)
    return out


def unit_table(roofs: pd.DataFrame, memberships: pd.DataFrame, units: pd.DataFrame) -> pd.DataFrame:
    """Sum roofs to units by their share; a unit without buildings is a row of zeros.

    Existing PV is null where no roof of the table states it: not known is not none.

    Parameters
    ----------
    units : DataFrame
        ``unit_id unit_name level`` of districts, towns and zones.
    """
    joined = memberships.merge(roofs, on="building_id", how="inner", validate="many_to_one")
    sums = [name for name in [*SUMMED, "existing_pv_kwp"] if name not in ("module_count", "module_face_area_m2")]
    values = joined[sums].fillna(0.0).mul(joined["share"], axis=0)
    values["n_buildings"] = 1
    for status in ("ok", "needs_survey", "excluded"):
        values[f"n_{status}"] = (joined["status"] == status).astype(int)
    keys = ["level", "unit_id"]
    totals = pd.concat([joined[keys], values], axis=1).groupby(keys, sort=True).sum().reset_index()
    out = units[["unit_id", "unit_name", "level"]].merge(totals, on=keys, how="left")
    counts = ["n_buildings", "n_ok", "n_needs_survey", "n_excluded"]
    out[sums + counts] = out[sums + counts].fillna(0)
    if roofs["existing_pv_kwp"].isna().all() and len(roofs):
        out["existing_pv_kwp"] = np.nan
    capacity = out["capacity_kwp"].to_numpy(dtype=float)
    nan = np.full(len(out), np.nan)
    out["specific_yield_kwh_kwp"] = np.divide(out["annual_kwh"], capacity, out=nan, where=capacity > 0)
    return out


def check_conservation(planes: pd.DataFrame, roofs: pd.DataFrame, units: pd.DataFrame, inside: B1) -> None:
    """Check that nothing appeared or vanished between planes, roofs and districts.

    Parameters
    ----------
    inside : ndarray of bool, shape (n_roofs,)
        Roofs that belong to a district.

    Raises
    ------
    ComputeError
        Sums differ, or the order module ≤ array ≤ used ≤ installable ≤ net ≤ gross is broken.
    """
    district = units[units["level"] == "district"]
    for name in ("capacity_kwp", "annual_kwh", "gross_area_m2", "module_area_m2"):
        whole, parts = float(roofs[name].sum()), float(planes[name].sum())
        _require_same(name, "planes", whole, parts)
        _require_same(name, "districts", float(roofs[name].to_numpy()[inside].sum()), float(district[name].sum()))
    chain = ["module_area_m2", "array_area_m2", "used_area_m2", "installable_area_m2", "net_area_m2", "gross_area_m2"]
    for small, large in pairwise(chain):
        broken = roofs[small] > roofs[large] * (1 + 1e-9) + 1e-6
        if broken.any():
            raise ComputeError(
                Text(f"{small} exceeds {large}", f"{small} 大于 {large}"),
                found=", ".join(roofs.loc[broken, "building_id"].astype(str).head(5)),
            )


def _require_same(name: str, level: str, expected: float, found: float) -> None:
    if abs(expected - found) > 1e-9 * max(abs(expected), 1.0):
        raise ComputeError(
            Text(f"{name} of {level} and roofs differ", f"{level} 与屋顶的 {name} 合计不符"),
            found=repr(found),
            expected=repr(expected),
        )


def with_geometry(frame: pd.DataFrame, geometry: gpd.GeoSeries) -> gpd.GeoDataFrame:
    """Attach geometry, aligned by position."""
    return gpd.GeoDataFrame(frame.reset_index(drop=True), geometry=geometry.reset_index(drop=True), crs=geometry.crs)
