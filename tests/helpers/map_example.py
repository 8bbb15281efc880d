"""A made-up city of three districts near Lianyungang, as the tables that the map is given."""

from __future__ import annotations

import itertools

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from rooftop.tables import COVERAGE, DISTRICTS, ROOFS, Column, Table

LON, LAT = 119.16, 34.60
LON_PER_M, LAT_PER_M = 1 / 91_700.0, 1 / 110_950.0
DISTRICT_NAMES = ("海州区", "连云区", "赣榆区")
USES = ("factory", "residential", "school", "government_office", "rural_house", "commercial", "hospital", "warehouse")
INJECTIONS = (
    '<img src=x onerror="window.hacked=1">',
    "</script><script>window.hacked=2</script>",
    "{{7*7}} {% raw %} {# x #}",
    "\"quoted\" 'single' & <b>bold</b>",
    "javascript:window.hacked=3//\u2028\u2029",
)


def _empty(column: Column, n: int) -> object:
    blank = {"str": None, "float": np.nan, "int": pd.NA, "bool": pd.NA, "list": None}[column.kind]
    return [blank] * n if column.kind != "list" else [[] for _ in range(n)]


def blank(table: Table, n: int) -> pd.DataFrame:
    return pd.DataFrame({column.name: _empty(column, n) for column in table.columns})


def _footprints(n: int, rng: np.random.Generator) -> tuple[list[shapely.Polygon], np.ndarray]:
    """Rectangles, L-shapes and courtyards on a street grid; returned with the district of each."""
    side = int(np.ceil(np.sqrt(n / 3)))
    pitch = 70.0
    shapes, district = [], []
    for which in range(3):
        east0, north0 = (-1.6 + which * 1.0) * side * pitch * 1.06, (which % 2) * 300.0
        for k, (i, j) in enumerate(itertools.product(range(side), range(side))):
            if k >= n // 3 + (which < n % 3):
                break
            width, depth = rng.uniform(12, 52), rng.uniform(10, 30)
            x, y = east0 + i * pitch + rng.uniform(0, 10), north0 + j * pitch + rng.uniform(0, 10)
            shape = shapely.box(0, 0, width, depth)
            if k % 9 == 0:
                shape = shape.union(shapely.box(0, 0, width / 3, depth * 1.8))
            elif k % 17 == 0:
                shape = shape.difference(shapely.box(width * 0.3, depth * 0.3, width * 0.7, depth * 0.7))
            turned = shapely.affinity.rotate(shape, rng.choice([0.0, 8.0, -12.0]), origin=(0, 0))
            shapes.append(
                shapely.transform(
                    turned,
                    lambda c, x=x, y=y: np.column_stack(
                        [LON + (c[:, 0] + x) * LON_PER_M, LAT + (c[:, 1] + y) * LAT_PER_M]
                    ),
                )
            )
            district.append(which)
    return shapes, np.asarray(district)


def example_roofs(n: int = 1500, seed: int = 1) -> gpd.GeoDataFrame:
    rng = np.random.default_rng(seed)
    shapes, district = _footprints(n, rng)
    roofs = blank(ROOFS, n)
    area = shapely.area(np.asarray(shapes)) / (LON_PER_M * LAT_PER_M)
    roofs["building_id"] = [f"LYG{k:06d}" for k in range(n)]
    roofs["source_id"] = roofs["building_id"]
    roofs["district_id"] = [f"32070{d}" for d in district]
    roofs["district_name"] = [DISTRICT_NAMES[d] for d in district]
    roofs["town_name"] = [f"{DISTRICT_NAMES[d][:2]}街道" for d in district]
    roofs["building_use"] = rng.choice(USES, n, p=[0.14, 0.38, 0.05, 0.04, 0.22, 0.1, 0.03, 0.04])
    roofs["building_name"] = [f"示例{k}号楼" if k % 3 == 0 else None for k in range(n)]
    roofs["owner_type"] = np.where(roofs["building_use"] == "rural_house", "自然人", "国有")
    roofs["owner_name"] = np.where(roofs["building_use"] == "rural_house", "张三丰", "示例市资产公司")
    roofs["is_public_institution"] = np.where(
        roofs["building_use"].isin(["school", "government_office", "hospital"]), "yes", "no"
    )
    roofs["is_new"] = rng.choice(["yes", "no", "unknown"], n, p=[0.25, 0.65, 0.1])
    roofs["year_built"] = rng.integers(1985, 2026, n)
    roofs["height_m"] = rng.uniform(4, 60, n)
    roofs["roof_type"] = np.where(roofs["building_use"] == "factory", "steel_sheet", "flat_concrete")
    roofs["gross_area_m2"] = area
    roofs["net_area_m2"] = area * 0.8
    roofs["installable_area_m2"] = area * 0.65
    roofs["module_area_m2"] = area * 0.35
    roofs["capacity_kwp"] = area * 0.35 * 0.21
    loss = np.clip(rng.gamma(1.2, 0.03, n), 0, 0.3)
    roofs["shading_loss"] = loss
    roofs["specific_yield_kwh_kwp"] = 1180 * (1 - loss) * rng.normal(1, 0.015, n)
    roofs["annual_kwh"] = roofs["capacity_kwp"] * roofs["specific_yield_kwh_kwp"]
    roofs["existing_pv_kwp"] = np.where(rng.random(n) < 0.02, 40.0, np.nan)
    roofs["status"] = rng.choice(["ok", "needs_survey", "excluded"], n, p=[0.86, 0.09, 0.05])
    excluded = roofs["status"] == "excluded"
    roofs.loc[excluded, ["installable_area_m2", "capacity_kwp", "annual_kwh"]] = 0.0
    roofs.loc[excluded, ["specific_yield_kwh_kwp", "shading_loss"]] = np.nan
    roofs["reasons"] = [
        {
            "ok": ["height_from_floors"] if k % 5 == 0 else [],
            "needs_survey": ["structure_unknown"],
            "excluded": ["too_low"],
        }[s]
        for k, s in enumerate(roofs["status"])
    ]
    points = shapely.point_on_surface(np.asarray(shapes))
    roofs["lon"], roofs["lat"] = shapely.get_x(points), shapely.get_y(points)
    return gpd.GeoDataFrame(roofs, geometry=shapes, crs="OGC:CRS84")


def example_districts(roofs: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """The hull of each district's roofs, and one functional zone across two of them."""
    parts = [roofs[roofs["district_id"] == f"32070{k}"] for k in range(3)]
    hulls = [shapely.buffer(shapely.convex_hull(shapely.union_all(part.geometry.to_numpy())), 0.0004) for part in parts]
    zone = shapely.box(*shapely.bounds(hulls[1])).buffer(-0.004).union(shapely.Point(LON, LAT + 0.004).buffer(0.003))
    out = blank(DISTRICTS, 4)
    out["unit_id"] = ["320700", "320701", "320702", "zone1"]
    out["unit_name"] = [*DISTRICT_NAMES, "徐圩新区"]
    out["level"] = ["district"] * 3 + ["zone"]
    out["n_buildings"] = [len(part) for part in parts] + [0]
    for name in ("capacity_kwp", "annual_kwh", "existing_pv_kwp"):
        out[name] = [float(part[name].sum()) for part in parts] + [0.0]
    return gpd.GeoDataFrame(out, geometry=[*hulls, zone], crs="EPSG:4326")


SHARES = {"module": 0.66, "array": 0.84, "used": 1.0}
PARTS = {"gross": 0.55, "net": 0.8, "installable": 1.0}


def example_coverage() -> pd.DataFrame:
    """Three kinds, two groups, nine definitions; the zone has no buildings in scope."""
    rows = []
    units = [("city", "全部县区", "city"), ("320700", "海州区", "district"), ("320701", "连云区", "district"),
             ("320702", "赣榆区", "district"), ("zone1", "徐圩新区", "zone")]  # fmt: skip
    for (unit, name, level), kind, group in itertools.product(
        units, ("installed", "planned", "potential"), ("all_in_scope", "factory")
    ):
        factor = {"city": 0.8, "320700": 1.0, "320701": 0.755, "320702": 0.62, "zone1": np.nan}[unit]
        factor *= {"installed": 0.1, "planned": 0.6, "potential": 1.0}[kind] * (1.1 if group == "factory" else 1.0)
        for numerator, denominator in itertools.product(SHARES, PARTS):
            share = SHARES[numerator] * PARTS[denominator] * factor
            default = numerator == "module" and denominator == "installable"
            rows.append(
                {
                    "unit_id": unit,
                    "unit_name": name,
                    "level": level,
                    "target_id": "pv_coverage_2025",
                    "year": 2025,
                    "target": 0.5,
                    "target_nature": "unstated",
                    "kind": kind,
                    "scope_reading": "as_worded",
                    "cohort": "2021-2025",
                    "aggregation": "pooled",
                    "n_needs_survey": 4,
                    "gap_roofs": 3,
                    "building_group": group,
                    "numerator": numerator,
                    "denominator": denominator,
                    "n_buildings": 0 if np.isnan(share) else 120,
                    "n_unknown": 0 if np.isnan(share) else 9,
                    "numerator_m2": share * 9e4,
                    "denominator_m2": 0.0 if np.isnan(share) else 9e4,
                    "coverage": share,
                    "coverage_low": share * 0.9,
                    "coverage_high": share * 1.06,
                    "gap_m2": max(0.0, 0.5 - share) * 9e4,
                    "gap_kwp": max(0.0, 0.5 - share) * 9e4 * 0.21,
                    "attained": None if np.isnan(share) else "yes" if share >= 0.5 else "no",
                    "is_default": default,
                }
            )
    return pd.DataFrame(rows)[COVERAGE.names]
