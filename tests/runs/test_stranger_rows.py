"""One row that cannot be a roof costs that row and is named; what stands twice stands once; order changes nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

import rooftop
from rooftop.cli.checkup import check_lines
from rooftop.core.errors import InputError
from rooftop.job.prepare import prepare
from rooftop.job.sources import read_sources
from small_town import METRIC, X0, Y0, buildings, codes, config, degrees, rectangle, run, write

FAR = shapely.box(0.0, 0.0, 0.0003, 0.0002)
HERE = degrees([rectangle(3)])[0]


def with_shape(shape: Any, row: int = 3) -> gpd.GeoDataFrame:
    table = buildings()
    shapes = list(table.geometry)
    shapes[row] = shape
    return table.set_geometry(gpd.GeoSeries(shapes, crs=table.crs))


def swapped_rings() -> shapely.Polygon:
    inner = shapely.affinity.scale(HERE, 0.5, 0.5)
    return shapely.Polygon(inner.exterior, [HERE.exterior])


def with_vertex(x: float, y: float) -> shapely.Polygon:
    ring = shapely.get_coordinates(HERE)
    ring[2] = x, y
    with np.errstate(invalid="ignore"):
        return shapely.polygons(shapely.linearrings(ring))


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> rooftop.RunResult:
    """The town without its row 3."""
    return run(tmp_path_factory.mktemp("clean"), buildings().drop(index=3).reset_index(drop=True))


BAD_SHAPES = {
    "null": (None, "empty_geometry"),
    "point": (shapely.centroid(HERE), "empty_geometry"),
    "line": (HERE.exterior, "empty_geometry"),
    "empty polygon": (shapely.Polygon(), "empty_geometry"),
    "empty collection": (shapely.GeometryCollection(), "empty_geometry"),
    "no area": (shapely.Polygon([(119.2, 34.6), (119.21, 34.6), (119.2, 34.6)]), "empty_geometry"),
    "swapped rings": (swapped_rings(), "empty_geometry"),
    "vertex at infinity": (with_vertex(np.inf, 34.6), "impossible_coordinates"),
    "vertex is no number": (with_vertex(np.nan, np.nan), "impossible_coordinates"),
    "a million degrees": (shapely.box(1e6, 1e6, 1e6 + 1, 1e6 + 1), "impossible_coordinates"),
    "metres among degrees": (shapely.box(426_615.0, 3_830_500.0, 426_645.0, 3_830_520.0), "impossible_coordinates"),
    "null island": (FAR, "far_from_others"),
    "another continent": (shapely.box(-74.0, 40.7, -73.9997, 40.7002), "far_from_others"),
    "a degree too far": (shapely.affinity.translate(HERE, 3.0, 0.0), "far_from_others"),
    "latitude first": (shapely.box(34.6, 89.0, 34.6003, 89.0002), "far_from_others"),
    "smaller than a roof": (shapely.affinity.scale(HERE, 0.05, 0.05), "tiny_footprint"),
}


@pytest.mark.parametrize("what", list(BAD_SHAPES))
def test_one_bad_row_is_no_roof_and_changes_no_other(what: str, tmp_path: Path) -> None:
    shape, code = BAD_SHAPES[what]
    settings = config(tmp_path, write(with_shape(shape), tmp_path / "b.gpkg"))
    alone = config(tmp_path, write(buildings().drop(index=3), tmp_path / "alone.gpkg"))
    found, same = (
        prepare(c, s, np.ones(len(s.buildings), bool), None) for c in (settings, alone) for s in [read_sources(c)]
    )
    table = found.sources.buildings
    assert len(table) == 12 and str(table.crs) == str(same.sources.buildings.crs) == "EPSG:4549"
    assert table["status"].tolist() == ["excluded" if k == 3 else "ok" for k in range(12)]
    assert code in table["reasons"][3]
    planes = found.layout.planes
    of_row = planes["roof"].to_numpy() == 3
    assert not planes["usable"].to_numpy()[of_row].any()
    assert code == "tiny_footprint" or not of_row.any()  # what is too small for a roof still stands there
    left, right = table.geometry.drop(index=3).to_numpy(), same.sources.buildings.geometry.to_numpy()
    assert shapely.equals_exact(left, right, 1e-6).all()
    assert found.sources.anchor.factor[4] == pytest.approx(same.sources.anchor.factor[3], rel=1e-9)
    count = {n.code: n.count for n in found.sources.notices}
    assert count[code] == 1


@pytest.mark.parametrize("what", ["null", "vertex at infinity", "null island", "swapped rings"])
def test_one_bad_row_costs_that_row(what: str, clean: rooftop.RunResult, tmp_path: Path) -> None:
    shape, code = BAD_SHAPES[what]
    path = write(with_shape(shape), tmp_path / "b.gpkg")
    settings = config(tmp_path, path)
    result = rooftop.run(settings, tmp_path / "out")
    roofs = result.tables.roofs
    assert len(roofs) == 12
    bad = roofs[roofs["building_id"] == "T0003"].iloc[0]
    assert bad["status"] == "excluded" and code in bad["reasons"] and bad["capacity_kwp"] == 0.0
    assert codes(result)[code] == 1
    assert result.record.crs == "EPSG:4549"
    rest = roofs[roofs["building_id"] != "T0003"].reset_index(drop=True)
    same = clean.tables.roofs
    for name in ("gross_area_m2", "capacity_kwp", "annual_kwh", "height_m", "shading_loss"):
        np.testing.assert_allclose(rest[name], same[name], rtol=1e-6, err_msg=name)


def test_check_goes_as_far_as_a_run(tmp_path: Path) -> None:
    write(with_shape(None), tmp_path / "b.gpkg")
    config(tmp_path, tmp_path / "b.gpkg")
    text = """
name: t
inputs:
  footprints: {path: b.gpkg, fields: {id: bid, height_m: h, building_use: use}}
  irradiance: {ghi: {path: ghi.tif, unit: kWh/m2/day}}
system: {module: MODULE}
"""
    good, bad = tmp_path / "good.yaml", tmp_path / "bad.yaml"
    good.write_text(text.replace("MODULE", "default"), encoding="utf-8")
    bad.write_text(text.replace("MODULE", "580W"), encoding="utf-8")
    lines = check_lines(good, "en")
    assert any("rows have no polygon" in line for line in lines)
    with pytest.raises(rooftop.core.errors.RooftopError, match="580W"):
        check_lines(bad, "en")


def test_rows_of_another_unit_are_not_taken_for_roofs(tmp_path: Path) -> None:
    table = buildings(4)
    table = table.set_geometry(table.geometry.map(lambda g: shapely.affinity.scale(g, 0.05, 0.05)))
    with pytest.raises(InputError, match="no footprint can be a roof") as caught:
        run(tmp_path, table)
    assert "4 under 10 m²" in str(caught.value) and "unit" in str(caught.value)


def test_a_hole_outside_its_shell_adds_no_roof(tmp_path: Path) -> None:
    away = shapely.affinity.translate(rectangle(3), 170.0, 0.0)
    shape = degrees([shapely.Polygon(rectangle(3).exterior, [shapely.affinity.scale(away, 0.3, 0.3).exterior])])[0]
    result = run(tmp_path, with_shape(shape))
    roofs = result.tables.roofs.set_index("building_id")
    assert roofs["footprint_area_m2"]["T0003"] == pytest.approx(600.0, rel=1e-3)
    said = next(n for n in result.record.notices if n.code == "repair_changed_area")
    assert said.examples[0].startswith("3: 5") and said.examples[0].endswith("-> 600.0 m²")


def test_a_bow_tie_says_what_its_repair_made_of_it(tmp_path: Path) -> None:
    corners = shapely.get_coordinates(rectangle(3))[[0, 1, 3, 2, 0]]
    result = run(tmp_path, with_shape(degrees([shapely.Polygon(corners)])[0]))
    said = next(n for n in result.record.notices if n.code == "repair_changed_area")
    assert said.examples == ("3: 0.0 -> 300.0 m²",)


# --- the same outline more than once ---------------------------------------------------------------------------------


def doubled(higher_by: float, *, first: bool, suffix: str = "x") -> gpd.GeoDataFrame:
    table = buildings()
    again = table.assign(h=table["h"] + higher_by, bid=table["bid"] + suffix)
    both = [table, again] if first else [again, table]
    return gpd.GeoDataFrame(pd.concat(both, ignore_index=True), crs=table.crs)


@pytest.mark.parametrize("higher_by", [0.0, 1.0, -1.0])
def test_a_delivery_twice_is_the_town_once(higher_by: float, tmp_path: Path) -> None:
    tall = buildings().assign(h=lambda t: t["h"] + max(higher_by, 0.0))
    alone = run(tmp_path, tall, "once.gpkg").tables.roofs
    for first in (True, False):
        result = run(tmp_path, doubled(higher_by, first=first), f"twice{first}.gpkg")
        roofs = result.tables.roofs
        assert codes(result)["duplicate_geometry"] == 12
        assert roofs["building_id"].is_unique and len(roofs) == 24
        stands = roofs[roofs["status"] != "excluded"]
        assert sorted(stands["building_id"]) == sorted(tall["bid"] + ("x" if higher_by > 0.0 else ""))
        assert stands["capacity_kwp"].sum() == pytest.approx(alone["capacity_kwp"].sum(), rel=1e-9)
        assert stands["annual_kwh"].sum() == pytest.approx(alone["annual_kwh"].sum(), rel=1e-6)
        assert result.tables.districts["gross_area_m2"].iloc[0] == pytest.approx(alone["gross_area_m2"].sum())


def test_records_of_storeys_are_one_building_of_their_tallest_height(tmp_path: Path) -> None:
    """Three records of one outline: the id of one, the use of another, the height of the third."""
    one = buildings(4)
    parts = [
        one.assign(h=3.0, use=None),
        one.assign(h=np.nan, bid=None),
        one.assign(h=9.0, bid=None, use=None),
    ]
    for order in ([0, 1, 2], [2, 1, 0], [1, 2, 0]):
        table = gpd.GeoDataFrame(pd.concat([parts[k] for k in order], ignore_index=True), crs=one.crs)
        result = run(tmp_path, table, f"s{order}.gpkg".replace(" ", ""))
        roofs = result.tables.roofs
        stands = roofs[roofs["status"] != "excluded"].sort_values("building_id")
        assert stands["building_id"].tolist() == one["bid"].tolist()
        assert stands["height_m"].tolist() == [9.0] * 4
        assert stands["building_use"].tolist() == one["use"].tolist()
        assert codes(result)["attributes_of_duplicates"] == 4


def test_the_id_survives_an_exact_copy(tmp_path: Path) -> None:
    table = gpd.GeoDataFrame(pd.concat([buildings(), buildings()], ignore_index=True), crs=4326)
    roofs = run(tmp_path, table).tables.roofs
    assert roofs.loc[roofs["status"] != "excluded", "building_id"].tolist() == buildings()["bid"].tolist()


# --- overlaps --------------------------------------------------------------------------------------------------------


def wider(table: gpd.GeoDataFrame, by_m: float) -> gpd.GeoDataFrame:
    shapes = [shapely.buffer(rectangle(k), by_m, join_style="mitre") for k in range(len(table))]
    return table.set_geometry(gpd.GeoSeries(degrees(shapes), crs=table.crs))


def test_a_known_height_goes_before_an_assumed_one(tmp_path: Path) -> None:
    known = buildings(4)
    assumed = wider(known, 0.4).assign(h=np.nan, bid=known["bid"] + "o")
    tall = buildings(8).iloc[4:].assign(h=30.0, use="office")
    table = gpd.GeoDataFrame(pd.concat([known, assumed, tall], ignore_index=True), crs=known.crs)
    alone = run(tmp_path, gpd.GeoDataFrame(pd.concat([known, tall], ignore_index=True), crs=4326), "alone.gpkg")
    result = run(tmp_path, table)
    roofs, same = (r.tables.roofs.set_index("building_id") for r in (result, alone))
    for name in known["bid"]:
        assert roofs["footprint_area_m2"][name] == pytest.approx(600.0, rel=1e-3)
        assert roofs["height_m"][f"{name}o"] == roofs["height_m"][name]  # no wall around the building
        assert same["capacity_kwp"][name] <= roofs["capacity_kwp"][name] <= 1.05 * same["capacity_kwp"][name]
        assert roofs["annual_kwh"][name] == pytest.approx(same["annual_kwh"][name], rel=0.05)
    assert codes(result)["height_of_overlap"] == 4


def test_what_lies_wholly_below_others_leaves_the_scene(tmp_path: Path) -> None:
    table = buildings(4)
    parts = wider(table, -4.0).assign(h=2.5, bid=table["bid"] + "p")
    both = gpd.GeoDataFrame(pd.concat([table, parts], ignore_index=True), crs=table.crs)
    result = run(tmp_path, both)
    roofs = result.tables.roofs.set_index("building_id")
    for name in table["bid"]:
        assert roofs["footprint_area_m2"][name] == pytest.approx(600.0, rel=1e-3)
        assert roofs["gross_area_m2"][f"{name}p"] == 0.0 and "hidden" in roofs["reasons"][f"{name}p"]
    assert codes(result)["hidden"] == 4


# --- order -----------------------------------------------------------------------------------------------------------


def stranger_town(seed: int) -> gpd.GeoDataFrame:
    """A town with what makes order matter: copies, equal heights that overlap, rows without height, bad rows."""
    rng = np.random.default_rng(seed)
    table = buildings(12)
    copies = table.sample(4, random_state=seed).assign(h=lambda t: t["h"] + rng.integers(0, 2, len(t)))
    copies["bid"] = copies["bid"] + "c"
    shifted = table.sample(4, random_state=seed + 1).copy()
    shapes = [shapely.affinity.translate(rectangle(int(b[1:])), 9.0, 7.0) for b in shifted["bid"]]
    shifted = shifted.set_geometry(gpd.GeoSeries(degrees(shapes), crs=table.crs, index=shifted.index))
    shifted["bid"] = shifted["bid"] + "s"
    shifted.iloc[:2, shifted.columns.get_loc("h")] = np.nan
    bad = buildings(2).assign(bid=["bad1", "bad2"]).set_geometry(gpd.GeoSeries([None, FAR], crs=table.crs))
    return gpd.GeoDataFrame(pd.concat([table, copies, shifted, bad], ignore_index=True), crs=table.crs)


@pytest.mark.parametrize("seed", [0, 1])
def test_the_order_of_rows_changes_nothing(seed: int, tmp_path: Path) -> None:
    table = stranger_town(seed)
    first = run(tmp_path, table, "a.gpkg").tables.roofs.set_index("building_id").sort_index()
    for k in range(2):
        mixed = table.sample(frac=1.0, random_state=10 * seed + k).reset_index(drop=True)
        again = run(tmp_path, mixed, f"b{k}.gpkg").tables.roofs.set_index("building_id").sort_index()
        assert again.index.tolist() == first.index.tolist()
        for name in first.columns.difference(["source_row", "source_file", "geometry", "reasons"]):
            left, right = first[name], again[name]
            if pd.api.types.is_float_dtype(left):
                np.testing.assert_allclose(left, right, rtol=1e-9, atol=1e-9, err_msg=name)
            else:
                assert left.astype("string").fillna("").tolist() == right.astype("string").fillna("").tolist(), name
        assert [sorted(r) for r in first["reasons"]] == [sorted(r) for r in again["reasons"]]


def test_the_corner_of_the_town_is_where_it_says() -> None:
    """The builder's own place, so that the cases above mean what they say."""
    bounds = buildings().to_crs(METRIC).total_bounds
    np.testing.assert_allclose(bounds[:2], [X0, Y0], atol=1e-3)
