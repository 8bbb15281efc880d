"""Boundaries: units joined by code, buildings assigned by largest overlap, nothing lost in silence."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import CRS, Transformer

from rooftop.config import BoundaryInput
from rooftop.core.errors import InputError
from rooftop.inputs.boundaries import Units, assign, read_units, single_district
from rooftop.inputs.datums import wgs84_to_gcj02
from rooftop.tables import MEMBERSHIPS

CRS_4549 = CRS.from_epsg(4549)
X, Y = 430_000.0, 3_830_000.0


def box(x: float, y: float, width: float, height: float) -> shapely.Polygon:
    return shapely.box(X + x, Y + y, X + x + width, Y + y + height)


def write(path: Path, columns: dict[str, list[Any]], shapes: list[Any], crs: Any = 4549) -> Path:
    pyogrio.write_dataframe(gpd.GeoDataFrame(columns, geometry=shapes, crs=crs), path, geometry_type="Unknown")
    return path


def units(level: str, shapes: dict[str, Any]) -> Units:
    table = {"unit_id": list(shapes), "unit_name": list(shapes), "level": [level] * len(shapes)}
    return Units(gpd.GeoDataFrame(table, geometry=list(shapes.values()), crs=CRS_4549))


def buildings(*shapes: Any) -> gpd.GeoDataFrame:
    ids = [f"b{i}" for i in range(len(shapes))]
    return gpd.GeoDataFrame({"building_id": ids}, geometry=list(shapes), crs=CRS_4549)


def rows(memberships: pd.DataFrame) -> list[tuple[str, str, float]]:
    return [(r.building_id, r.unit_id, round(float(r.share), 6)) for r in memberships.itertuples()]  # type: ignore[misc,arg-type]


# --- reading ---------------------------------------------------------------------------------------------------------


def test_codes_are_text_and_names_may_be_missing(tmp_path: Path) -> None:
    shapes = [box(0, 0, 100, 100), box(100, 0, 100, 100), box(200, 0, 100, 100)]
    path = write(
        tmp_path / "d.gpkg", {"code": [320706.0, 320707.0, 320703.0], "名称": ["海州区", None, "连云区"]}, shapes
    )
    config = BoundaryInput(path=path, id_field="code", name_field="名称")
    table = read_units(config, "district", CRS_4549).table
    assert table["unit_id"].tolist() == ["320706", "320707", "320703"]
    assert table["unit_name"].tolist() == ["海州区", "320707", "连云区"]
    assert table["level"].tolist() == ["district"] * 3
    unnamed = read_units(BoundaryInput(path=path, id_field="code"), "district", CRS_4549).table
    assert unnamed["unit_name"].tolist() == unnamed["unit_id"].tolist()


def test_rows_of_one_code_are_joined_and_codeless_rows_are_counted(tmp_path: Path) -> None:
    shapes = [box(0, 0, 100, 100), box(300, 0, 50, 50), box(100, 0, 100, 100), box(0, 500, 10, 10)]
    path = write(tmp_path / "d.gpkg", {"code": ["1", "1", "2", None], "name": ["甲", "甲岛", "乙", "海"]}, shapes)
    result = read_units(BoundaryInput(path=path, id_field="code", name_field="name"), "district", CRS_4549)
    assert result.table["unit_id"].tolist() == ["1", "2"]
    assert result.table["unit_name"].tolist() == ["甲", "乙"]
    assert result.table.geometry[0].area == pytest.approx(12_500.0)
    assert [n.code for n in result.notices] == ["unit_without_code", "unit_joined", "unit_names_differ"]


def test_overlapping_districts_are_warned_of_and_zones_are_not(tmp_path: Path) -> None:
    shapes = [box(0, 0, 1000, 1000), box(500, 0, 1000, 1000), box(100, 100, 50, 50), box(2000, 0, 10, 10)]
    path = write(tmp_path / "d.gpkg", {"code": ["1", "2", "3", "4"]}, shapes)
    config = BoundaryInput(path=path, id_field="code")
    found = [n for n in read_units(config, "district", CRS_4549).notices if n.code == "units_overlap"]
    assert [n.count for n in found] == [2]
    assert found[0].examples == ("1-2", "1-3")
    assert not [n for n in read_units(config, "zone", CRS_4549).notices if n.code == "units_overlap"]


def test_gcj02_boundaries_are_put_back(tmp_path: Path) -> None:
    true = np.array([shapely.box(119.2, 34.6, 119.3, 34.7)], dtype=object)
    moved = shapely.transform(true, lambda xy: np.column_stack(wgs84_to_gcj02(xy[:, 0], xy[:, 1])))
    path = write(tmp_path / "d.gpkg", {"code": ["1"]}, list(moved), crs=4326)
    to_grid = Transformer.from_crs(4326, 4549, always_xy=True)
    wanted = shapely.transform(true, lambda xy: np.column_stack(to_grid.transform(xy[:, 0], xy[:, 1])))[0]
    declared = read_units(BoundaryInput(path=path, id_field="code", datum="gcj02"), "district", CRS_4549)
    assert shapely.hausdorff_distance(declared.table.geometry[0], wanted) < 0.01
    assert declared.notices[0].code == "datum_unverified"
    silent = read_units(BoundaryInput(path=path, id_field="code"), "district", CRS_4549)
    assert shapely.hausdorff_distance(silent.table.geometry[0], wanted) > 400.0


def test_units_on_the_other_side_of_the_earth_are_kept_empty_and_counted(tmp_path: Path) -> None:
    path = write(
        tmp_path / "d.gpkg",
        {"code": ["1", "2"]},
        [shapely.box(119.2, 34.6, 119.3, 34.7), shapely.box(-70.0, -34.0, -69.0, -33.0)],
        crs=4326,
    )
    result = read_units(BoundaryInput(path=path, id_field="code"), "district", CRS_4549)
    assert len(result.table) == 2
    assert "unit_far" in [n.code for n in result.notices]
    memberships = assign(buildings(result.table.geometry[0].centroid.buffer(5.0)), [result])
    assert memberships["unit_id"].tolist() == ["1"]


def test_refusals(tmp_path: Path) -> None:
    path = write(tmp_path / "d.gpkg", {"adcode": ["1"], "empty": [None]}, [box(0, 0, 10, 10)])
    with pytest.raises(InputError, match="did you mean adcode") as caught:
        read_units(BoundaryInput(path=path, id_field="adcod"), "district", CRS_4549)
    assert "inputs.districts.id_field" in str(caught.value)
    with pytest.raises(InputError, match="no unit has a code"):
        read_units(BoundaryInput(path=path, id_field="empty"), "town", CRS_4549)
    lines = write(tmp_path / "l.gpkg", {"code": ["1"]}, [shapely.LineString([(X, Y), (X + 1, Y)])])
    with pytest.raises(InputError, match="no polygons"):
        read_units(BoundaryInput(path=lines, id_field="code"), "zone", CRS_4549)


# --- assigning -------------------------------------------------------------------------------------------------------


def test_districts_by_largest_overlap_zones_by_every_overlap() -> None:
    district = units("district", {"west": box(0, 0, 100, 100), "east": box(100, 0, 100, 100)})
    zone = units("zone", {"z1": box(90, 0, 20, 100), "z2": box(0, 0, 200, 5)})
    built = buildings(
        box(10, 50, 10, 10),  # west
        box(97, 50, 10, 10),  # 3 m in the west, 7 m in the east; all in z1
        box(95, 0, 10, 10),  # half and half: the lower code, whatever the order; half in z2
        box(195, 50, 10, 10),  # half outside
        box(300, 50, 10, 10),  # outside
    )
    memberships = assign(built, [zone, district])
    assert list(memberships.columns) == MEMBERSHIPS.names
    assert rows(memberships[memberships["level"] == "district"]) == [
        ("b0", "west", 1.0), ("b1", "east", 1.0), ("b2", "east", 1.0), ("b3", "east", 1.0)]  # fmt: skip
    assert rows(memberships[memberships["level"] == "zone"]) == [
        ("b1", "z1", 1.0), ("b2", "z1", 1.0), ("b2", "z2", 0.5)]  # fmt: skip


def test_touching_is_not_belonging() -> None:
    district = units("district", {"west": box(0, 0, 100, 100), "east": box(100, 0, 100, 100)})
    zone = units("zone", {"z": box(0, 0, 100, 100)})
    memberships = assign(buildings(box(100, 10, 10, 10), box(100 - 1e-9, 30, 10, 10)), [district, zone])
    assert rows(memberships) == [("b0", "east", 1.0), ("b1", "east", 1.0)]


def test_towns_nest_in_the_district_of_the_building() -> None:
    """The building lies 60 % in the west, but its largest single town (40 %) is in the east."""
    district = units("district", {"west": box(0, 0, 100, 100), "east": box(100, 0, 100, 100)})
    town = units("town", {"e": box(100, 0, 100, 100), "w1": box(0, 0, 100, 15), "w2": box(0, 15, 100, 85)})
    built = buildings(box(94, 10, 10, 10))
    assert rows(assign(built, [town])) == [("b0", "e", 1.0)]
    memberships = assign(built, [town, district])
    assert rows(memberships) == [("b0", "west", 1.0), ("b0", "w1", 1.0)]


def test_rows_without_geometry_have_no_membership() -> None:
    built = buildings(box(0, 0, 10, 10), None, shapely.Polygon())
    memberships = assign(built, [units("district", {"d": box(0, 0, 100, 100)})])
    assert rows(memberships) == [("b0", "d", 1.0)]


def test_single_district_holds_everything() -> None:
    built = buildings(box(0, 0, 10, 10), box(5000, 900, 10, 10), None)
    unit = single_district(built, "海州区")
    assert unit.provenance is None
    memberships = assign(built, [unit])
    assert rows(memberships) == [("b0", "all", 1.0), ("b1", "all", 1.0)]


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**31 - 1))
def test_shares_over_a_partition_sum_to_one_and_match_brute_force(seed: int) -> None:
    rng = np.random.default_rng(seed)
    cuts = np.sort(rng.uniform(0, 1000, 3))
    edges = [0.0, *cuts, 1000.0]
    strips = {f"s{i}": box(edges[i], 0, edges[i + 1] - edges[i], 1000) for i in range(4)}
    xy = rng.uniform(0, 900, (20, 2))
    size = rng.uniform(5, 100, (20, 2))
    built = buildings(*(box(*p, *s) for p, s in zip(xy, size, strict=True)))
    zones = assign(built, [units("zone", strips)])
    assert zones.groupby("building_id")["share"].sum().to_numpy() == pytest.approx(np.ones(20), abs=1e-9)
    district = assign(built, [units("district", strips)]).set_index("building_id")["unit_id"]
    for b in built.itertuples():
        areas = {k: s.intersection(b.geometry).area for k, s in strips.items()}
        assert district[b.building_id] == max(areas, key=lambda k: areas[k])


def test_ten_thousand_buildings_in_a_second() -> None:
    rng = np.random.default_rng(0)
    angle = np.linspace(0, 2 * np.pi, 5000, endpoint=False)
    radius = 5000 + 300 * np.sin(40 * angle)
    ring = shapely.Polygon(np.column_stack([X + 5000 + radius * np.cos(angle), Y + 5000 + radius * np.sin(angle)]))
    half = box(-1000, -1000, 6000, 12000)
    district = units("district", {"west": ring.intersection(half), "east": ring.difference(half)})
    x, y = rng.uniform(0, 10_000, (2, 10_000))
    built = buildings(*shapely.box(X + x, Y + y, X + x + 30, Y + y + 20))
    start = time.process_time()
    memberships = assign(built, [district])
    assert time.process_time() - start < 1.0
    assert 7000 < len(memberships) < 9000
    assert memberships["building_id"].is_unique


# --- real data -------------------------------------------------------------------------------------------------------


@pytest.mark.real
@pytest.mark.parametrize("source", ["amap", "tianditu"])
def test_county_boundaries(shared_data: Path, source: str) -> None:
    path = shared_data / "admin" / f"seed_districts_{source}_wgs84.gpkg"
    config = BoundaryInput(path=path, id_field="district_adcode", name_field="district_name")
    result = read_units(config, "district", CRS_4549)
    table = result.table.set_index("unit_id")
    assert len(table) == 132
    assert table.loc["320706", "unit_name"] == "海州区"
    assert table.loc["320706"].geometry.area / 1e6 == pytest.approx(700.0, rel=0.1)
    to_grid = Transformer.from_crs(4326, 4549, always_xy=True)
    x, y = to_grid.transform(119.16, 34.58)  # Haizhou
    built = gpd.GeoDataFrame({"building_id": ["b"]}, geometry=[shapely.box(x, y, x + 20, y + 20)], crs=CRS_4549)
    assert rows(assign(built, [result])) == [("b", "320706", 1.0)]
