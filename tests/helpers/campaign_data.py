"""A made-up district pair of 64 roofs with every status, for the tests of campaign and outputs."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from rooftop.campaign.candidates import Campaign
from rooftop.core.lang import Text
from rooftop.core.notices import Notice, Provenance
from rooftop.inputs.datums import wgs84_to_gcj02
from rooftop.job.aggregate import unit_table
from rooftop.job.products import with_coverage
from rooftop.outputs.bundle import ReportData, report_data
from rooftop.outputs.store import CRS_OUT, RunTables
from rooftop.scene.inverters import inverter_table
from rooftop.tables import COVERAGE, PLANES, ROOFS
from rooftop.targets.models import Pack
from rooftop.targets.packs import load_pack
from rooftop.targets.scope import mark_new

N = 64
DISTRICTS = [("320703", "甲区"), ("320706", "乙/区"), ("320707", "空区")]
TOWNS = [("320703001", "一街道"), ("320703002", "二镇"), ("320706001", "三街道"), ("320706002", "四镇")]
_USES = ["factory", "school", "government_office", "residential", "rural_house", "commercial", "warehouse", "hospital"]
_TYPES = {"factory": "steel_sheet", "warehouse": "steel_sheet", "rural_house": "tile_pitched"}
NASTY = ["=1+1", "+86", "-2", "@SUM(A1)", "\tTab", "<script>alert(1)</script>", "a\x00b\x0bc", "$x_1$ & <b>"]


def _row(k: int, rng: np.random.Generator) -> dict[str, object]:
    use = _USES[k % len(_USES)]
    gross = float(rng.uniform(80, 6000)) if use in ("factory", "warehouse") else float(rng.uniform(60, 1800))
    district = k % 2
    town = TOWNS[district * 2 + (k // 2) % 2]
    public = {"school": "yes", "government_office": "yes", "hospital": "unknown"}.get(use, "no")
    year = [2023, 2015, 1985, None, 2022, 2024][k % 6]
    kwp = round(gross * 0.6 * 0.14, 2)
    specific = float(rng.uniform(950, 1180))
    shading = float(rng.uniform(0.0, 0.2)) if k % 9 else 0.34
    lon, lat = 119.15 + 0.004 * (k % 8), 34.58 + 0.004 * (k // 8)
    row: dict[str, object] = {
        "building_id": f"{k + 1:06d}",
        "source_id": f"{k + 1:06d}",
        "source_file": "fixture.gpkg",
        "source_row": k,
        "building_name": f"{['甲', '乙'][district]}{use} {k}" if k % 5 else None,
        "address": f"人民路 {k} 号" if k % 3 else None,
        "owner_name": f"某单位 {k}" if use != "rural_house" else "张三",
        "owner_type": "自然人" if use == "rural_house" else ("国有" if k % 4 else None),
        "district_id": DISTRICTS[district][0],
        "district_name": DISTRICTS[district][1],
        "town_id": town[0],
        "town_name": town[1],
        "building_use": use,
        "is_public_institution": public,
        "use_source": "declared",
        "year_built": year,
        "completion_date": f"{year}-06-30" if year and k % 4 == 0 else None,
        "height_m": float(rng.uniform(5, 40)),
        "height_source": "declared",
        "floors_above": 3,
        "structure": "钢" if k % 3 else None,
        "roof_type": _TYPES.get(use, "flat_concrete"),
        "roof_source": "assumed",
        "gross_area_m2": gross,
        "net_area_m2": gross * 0.75,
        "installable_area_m2": gross * 0.7,
        "used_area_m2": gross * 0.65,
        "array_area_m2": gross * 0.6,
        "module_area_m2": gross * 0.45,
        "module_face_area_m2": gross * 0.46,
        "module_count": int(gross * 0.2),
        "capacity_kwp": kwp,
        "existing_pv_area_m2": 0.0,
        "excluded_area_m2": 0.0,
        "existing_pv_kwp": [0.0, kwp * 0.4, kwp, 0.0, 0.0][k % 5] if k % 7 == 0 else 0.0,
        "surface_tilt_deg": 10.0,
        "surface_azimuth_deg": 180.0,
        "svf": 0.93,
        "shading_loss": shading,
        "ghi_kwh_m2": 1405.0,
        "poa_kwh_m2": 1450.0,
        "annual_kwh": kwp * specific,
        "specific_yield_kwh_kwp": specific,
        "performance_ratio": 0.82,
        "lon": lon,
        "lat": lat,
        "status": "ok" if k % 3 else "needs_survey",
        "reasons": [] if k % 3 else ["structure_unknown"],
    }
    shape = np.array([0.05, 0.06, 0.08, 0.10, 0.11, 0.11, 0.11, 0.10, 0.09, 0.08, 0.06, 0.05])
    for month in range(12):
        row[f"kwh_{month + 1:02d}"] = row["annual_kwh"] * shape[month]
    if k % 16 == 5:
        row |= {"status": "excluded", "reasons": ["no_room"], "capacity_kwp": 0.0, "annual_kwh": 0.0}
        row |= {name: 0.0 for name in ("used_area_m2", "array_area_m2", "module_area_m2", "module_face_area_m2")}
        row |= {"specific_yield_kwh_kwp": np.nan, "module_count": 0, **{f"kwh_{m:02d}": 0.0 for m in range(1, 13)}}
    if k % 4 == 0:
        row["reasons"] = [*row["reasons"], "roof_type_assumed"]  # type: ignore[misc]
    if k % 16 == 11:
        row["reasons"] = [*row["reasons"], "height_from_floors", "edge_of_data"]  # type: ignore[misc]
    return row


def _planes(roofs: pd.DataFrame) -> pd.DataFrame:
    """One level plane per roof, without its plan."""
    names = ["building_id", "used_area_m2", "poa_kwh_m2"]
    known = pd.DataFrame(roofs[names]).assign(plane_id=roofs["building_id"] + "-1", plane_tilt_deg=0.0)
    return known.reindex(columns=PLANES.names)


def make_tables(pack: Pack | None, *, nasty: bool = True) -> tuple[RunTables, Campaign]:
    """Return the tables of a made-up run, its planned coverage included, and its campaign."""
    rng = np.random.default_rng(7)
    roofs = pd.DataFrame([_row(k, rng) for k in range(N)])
    roofs.loc[roofs["building_use"] == "hospital", "building_use"] = ["hospital", "unknown"] * 4
    if nasty:
        roofs.loc[: len(NASTY) - 1, "building_name"] = NASTY
        roofs.loc[: len(NASTY) - 1, "address"] = NASTY[::-1]
    roofs["lon_gcj02"], roofs["lat_gcj02"] = wgs84_to_gcj02(roofs["lon"].to_numpy(), roofs["lat"].to_numpy())
    roofs["is_new"] = mark_new(roofs, pack).to_numpy() if pack is not None else "unknown"
    inverters = inverter_table(roofs["capacity_kwp"], 1.2)
    roofs[inverters.columns] = inverters
    half = 0.0006
    shapes = [shapely.box(x - half, y - half, x + half, y + half) for x, y in zip(roofs.lon, roofs.lat, strict=True)]
    frame = gpd.GeoDataFrame(roofs[ROOFS.names], geometry=shapes, crs=CRS_OUT)
    memberships = pd.concat(
        [
            roofs[["building_id"]].assign(unit_id=roofs["district_id"], level="district", share=1.0),
            roofs[["building_id"]].assign(unit_id=roofs["town_id"], level="town", share=1.0),
            roofs[["building_id"]].iloc[:10].assign(unit_id="Z1", level="zone", share=0.5),
        ],
        ignore_index=True,
    )
    units = pd.DataFrame(
        [(*d, "district") for d in DISTRICTS] + [(*t, "town") for t in TOWNS] + [("Z1", "开发区", "zone")],
        columns=["unit_id", "unit_name", "level"],
    )
    summed = frame.drop(columns="geometry").assign(
        capacity_low_kwp=frame["capacity_kwp"] * 0.8, capacity_high_kwp=frame["capacity_kwp"] * 1.15
    )
    districts = unit_table(pd.DataFrame(summed), memberships, units)
    boxes = [shapely.box(119.14 + 0.02 * k, 34.57, 119.16 + 0.02 * k, 34.62) for k in range(len(units))]
    districts = gpd.GeoDataFrame(districts, geometry=boxes, crs=CRS_OUT)
    bare = RunTables(
        roofs=frame,
        planes=_planes(frame),
        memberships=memberships,
        districts=districts,
        coverage=pd.DataFrame(columns=COVERAGE.names),
    )
    tables, campaign, _ = with_coverage(bare, pack)
    return tables, campaign


def default_pack() -> Pack:
    """The pack the fixture is made for."""
    return load_pack("lianyungang")


NOTICES = (
    Notice(
        "height_missing", Text("3 buildings have no height", "3 栋建筑缺少高度"), 3, "warning", "footprints", ("1",)
    ),
    Notice("roof_type_assumed", Text("16 roof types assumed", "16 个屋面类型由用途推定"), 16, "info", "roofs"),
)
PROVENANCE = (
    Provenance("inputs.footprints", "足迹/footprints.gpkg", "ab" * 32, {"crs": "EPSG:4490", "rows": "64"}),
    Provenance("inputs.irradiance.ghi", '=HYPERLINK("http://x")', "cd" * 32, {"unit": "kWh/m2/month"}),
)


@cache
def shared() -> tuple[RunTables, Campaign]:
    """The tables and campaign with the default pack, made once; nobody may change them."""
    return make_tables(default_pack())


@cache
def shared_data() -> ReportData:
    """What people read of it."""
    tables, campaign = shared()
    data = report_data(tables, campaign, notices=NOTICES, provenance=PROVENANCE, version="0.0")
    return replace(data, title="示例市", synthetic=True)
