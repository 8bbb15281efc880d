"""Footprints: every row of the source comes back once, in metres and our terms, with what was wrong counted."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pytest
import shapely
import shapely.affinity

from rooftop.config import FieldMap, FootprintsInput
from rooftop.core.errors import ConfigError, InputError
from rooftop.inputs.datums import wgs84_to_bd09, wgs84_to_gcj02
from rooftop.inputs.encodings import detect_encoding
from rooftop.inputs.footprints import FootprintTable, read_buildings

LON, LAT = 119.2, 34.6


def square(i: int, side_deg: float = 0.0002, gap_deg: float = 0.001) -> shapely.Polygon:
    """The i-th of a row of separate squares, about 18 m x 22 m."""
    return shapely.box(LON + i * gap_deg, LAT, LON + i * gap_deg + side_deg, LAT + side_deg)


def write(path: Path, columns: Mapping[str, Any], shapes: list[Any] | None = None, crs: Any = 4326, **kw: Any) -> Path:
    rows = len(next(iter(columns.values())))
    frame = gpd.GeoDataFrame(columns, geometry=shapes or [square(i) for i in range(rows)], crs=crs)
    path.parent.mkdir(parents=True, exist_ok=True)
    pyogrio.write_dataframe(frame, path, **kw)
    return path


def read(path: Path, fields: dict[str, str] | None = None, **kw: Any) -> FootprintTable:
    return read_buildings(FootprintsInput(path=path, fields=FieldMap(**(fields or {"height_m": "h"})), **kw))


def notice(result: FootprintTable, code: str) -> Any:
    found = [n for n in result.notices if n.code == code]
    assert len(found) == 1, f"{code}: {[n.code for n in result.notices]}"
    return found[0]


def column(values: list[Any], name: str = "c") -> pd.Series:
    return pd.Series(values, name=name)


# --- formats, encodings, paths ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", [".gpkg", ".geojson", ".fgb", ".shp", ".parquet"])
def test_every_format_gives_the_same_buildings(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"b{suffix}"
    columns = {"编号": ["甲1", "乙2"], "h": [6.5, 9.0], "用途": ["住宅", "厂房"]}
    if suffix == ".parquet":
        gpd.GeoDataFrame(columns, geometry=[square(0), square(1)], crs=4326).to_parquet(path)
    else:
        write(path, columns)
    table = read(path, {"id": "编号", "height_m": "h", "building_use": "用途"}).table
    order = table["building_id"].tolist().index("甲1")  # FlatGeobuf reorders
    assert table["building_id"].iloc[order] == "甲1"
    assert table["height_m"].iloc[order] == 6.5
    assert sorted(table["building_use"]) == ["factory", "residential"]
    assert table.crs.to_epsg() == 4549
    lon_m = 18.3  # 0.0002 degrees of longitude at 34.6 N
    assert table.geometry.iloc[order].area == pytest.approx(lon_m * 22.2, rel=0.01)


@pytest.mark.parametrize("cpg", ["GBK", None, "UTF-8", "nonsense"])
def test_gbk_shapefile_at_a_chinese_path_whatever_the_cpg_says(tmp_path: Path, cpg: str | None) -> None:
    path = tmp_path / "海州区 数据" / "建筑轮廓.shp"
    write(path, {"房屋用途": ["城镇住宅", "厂房"], "高度": [12.5, 8.0], "ID": ["a", "b"]}, encoding="GBK")
    path.with_suffix(".cpg").unlink()
    if cpg is not None:
        path.with_suffix(".cpg").write_text(cpg)
    result = read(path, {"id": "ID", "height_m": "高度", "building_use": "房屋用途"})
    assert result.table["building_use"].tolist() == ["residential", "factory"]
    assert result.table["height_m"].tolist() == [12.5, 8.0]
    assert result.provenance.details["encoding"] == "gb18030"
    assert result.table["source_file"].tolist() == ["建筑轮廓.shp"] * 2


def test_utf8_shapefile_without_cpg(tmp_path: Path) -> None:
    path = write(tmp_path / "b.shp", {"用途": ["厂房", "Résidentiel"], "h": [8.0, 3.0]}, encoding="UTF-8")
    path.with_suffix(".cpg").unlink()
    result = read(path, {"height_m": "h", "building_use": "用途"}, use_map={"Residentiel": "residential"})
    assert result.table["building_use"].tolist() == ["factory", "residential"]


def test_configured_encoding_decides_and_an_unknown_one_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "b.shp", {"h": [8.0], "name": ["é"]}, encoding="ISO-8859-1")
    fields = {"height_m": "h", "building_name": "name"}
    assert read(path, fields, encoding="latin-1").table["building_name"][0] == "é"
    with pytest.raises(InputError, match="encoding is not known"):
        read(path, fields, encoding="gkb")


def test_text_cut_in_the_middle_of_a_character_is_kept_and_counted(tmp_path: Path) -> None:
    path = write(tmp_path / "b.shp", {"h": [8.0, 9.0], "name": ["连云港市海州区", "中国"]}, encoding="GBK")
    data = path.with_suffix(".dbf").read_bytes()
    whole = "连云港市海州区".encode("gbk")
    assert data.count(whole) == 1
    path.with_suffix(".dbf").write_bytes(data.replace(whole, whole[:-1] + b" "))
    result = read(path, {"height_m": "h", "building_name": "name"})
    assert result.table["building_name"].tolist()[1] == "中国"
    assert result.table["building_name"].tolist()[0].startswith("连云港市海州")
    assert notice(result, "text_damaged").count == 1


def test_geojson_in_gbk_is_read(tmp_path: Path) -> None:
    path = write(tmp_path / "b.geojson", {"用途": ["厂房", "学校"], "h": [8.0, 9.0]})
    path.write_bytes(path.read_text(encoding="utf-8").encode("gbk"))
    table = read(path, {"height_m": "h", "building_use": "用途"}).table
    assert table["building_use"].tolist() == ["factory", "school"]


def test_zipped_gbk_shapefile_and_file_geodatabase(tmp_path: Path) -> None:
    columns = {"用途": ["厂房", "学校"], "h": [8.0, 9.0]}
    path = write(tmp_path / "房屋.shp", columns, encoding="GBK")
    path.with_suffix(".cpg").unlink()
    with zipfile.ZipFile(tmp_path / "房屋.zip", "w") as archive:
        for part in tmp_path.glob("房屋.[!z]*"):
            archive.write(part, part.name)
    folder = write(tmp_path / "b.gdb", columns, driver="OpenFileGDB")
    assert folder.is_dir()
    for source in (tmp_path / "房屋.zip", folder):
        result = read(source, {"height_m": "h", "building_use": "用途"})
        assert result.table["building_use"].tolist() == ["factory", "school"]
        assert len(result.provenance.sha256) == 64


@pytest.mark.parametrize(
    ("text", "codec", "expected"),
    [
        ("连云港市海州区新浦街道", "gbk", "gb18030"),
        ("连云港市海州区新浦街道", "utf-8", "utf-8"),
        ("Indifférencié", "utf-8", "utf-8"),
        ("Indifférencié Résidentiel", "latin-1", "iso-8859-1"),
        ("Gebäude Größe", "latin-1", "iso-8859-1"),
    ],
)
def test_encoding_is_told_from_the_bytes(text: str, codec: str, expected: str) -> None:
    assert detect_encoding([text.encode(codec)], Path("x.geojson"))[0] == expected


def test_one_polygon_layer_among_others_is_chosen_and_several_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "b.gpkg", {"h": [5.0]}, layer="建筑")
    points = gpd.GeoDataFrame({"a": [1]}, geometry=[shapely.Point(LON, LAT)], crs=4326)
    pyogrio.write_dataframe(points, path, layer="points", append=True)
    result = read(path)
    assert notice(result, "layer_chosen").severity == "info"
    pyogrio.write_dataframe(
        gpd.GeoDataFrame({"h": [7.0]}, geometry=[square(5)], crs=4326), path, layer="b2", append=True
    )
    with pytest.raises(InputError, match="several layers") as caught:
        read(path)
    assert "建筑" in str(caught.value)
    assert read(path, layer="b2").table["height_m"].tolist() == [7.0]
    with pytest.raises(InputError, match="did you mean b2"):
        read(path, layer="b22")


# --- refusals --------------------------------------------------------------------------------------------------------


def refused(path: Path, part: str, fields: dict[str, str] | None = None, **kw: Any) -> str:
    with pytest.raises(InputError) as caught:
        read(path, fields, **kw)
    text = caught.value.render("en")
    assert part in text
    assert caught.value.exit_code == 2
    assert caught.value.render("zh") != text
    return text


def test_missing_file_names_its_neighbour(tmp_path: Path) -> None:
    write(tmp_path / "footprints.gpkg", {"h": [5.0]})
    assert "did you mean footprints.gpkg" in refused(tmp_path / "footprint.gpkg", "does not exist")
    refused(tmp_path / "nowhere" / "b.gpkg", "folder")


def test_empty_layer(tmp_path: Path) -> None:
    frame = gpd.GeoDataFrame({"h": pd.Series([], dtype=float)}, geometry=gpd.GeoSeries([], crs=4326))
    pyogrio.write_dataframe(frame, tmp_path / "b.gpkg", geometry_type="Polygon")
    refused(tmp_path / "b.gpkg", "the layer is empty")


def test_unknown_field_lists_the_fields(tmp_path: Path) -> None:
    path = write(tmp_path / "b.gpkg", {"height": [5.0], "floors": [2]})
    text = refused(path, "no such field", {"height_m": "hieght"})
    assert "did you mean height" in text
    assert "height, floors" in text
    assert "inputs.footprints.fields.height_m" in text


def test_no_crs(tmp_path: Path) -> None:
    path = write(tmp_path / "b.shp", {"h": [5.0]})
    path.with_suffix(".prj").unlink()
    assert "inputs.footprints.crs" in refused(path, "states no CRS")
    result = read(path, crs="EPSG:4490")
    assert result.crs.to_epsg() == 4549


def test_wrong_crs_is_refused_and_can_be_overridden(tmp_path: Path) -> None:
    path = write(tmp_path / "b.shp", {"h": [5.0]})
    path.with_suffix(".prj").write_text('PROJCS["x",GEOGCS["GCS_China_Geodetic_Coordinate_System_2000",'
        'DATUM["D_China_2000",SPHEROID["CGCS2000",6378137.0,298.257222101]],PRIMEM["Greenwich",0.0],'
        'UNIT["Degree",0.0174532925199433]],PROJECTION["Gauss_Kruger"],PARAMETER["False_Easting",500000.0],'
        'PARAMETER["False_Northing",0.0],PARAMETER["Central_Meridian",120.0],PARAMETER["Scale_Factor",1.0],'
        'PARAMETER["Latitude_Of_Origin",0.0],UNIT["Meter",1.0]]')  # fmt: skip
    refused(path, "look like degrees")
    assert notice(read(path, crs="EPSG:4490"), "crs_overridden").severity == "warning"


def test_points_are_refused_and_mixed_rows_are_kept(tmp_path: Path) -> None:
    path = write(tmp_path / "p.geojson", {"h": [5.0]}, [shapely.Point(LON, LAT)])
    refused(path, "no polygons")
    path = write(tmp_path / "m.geojson", {"h": [5.0, 6.0]}, [shapely.Point(LON, LAT), square(1)])
    result = read(path)
    assert notice(result, "not_polygon").count == 1
    assert result.table["status"].tolist() == ["excluded", "ok"]


def test_not_a_vector_file(tmp_path: Path) -> None:
    (tmp_path / "b.gpkg").write_text("hello")
    refused(tmp_path / "b.gpkg", "cannot be read as vector data")
    pd.DataFrame({"h": [1.0]}).to_parquet(tmp_path / "b.parquet")
    refused(tmp_path / "b.parquet", "no geometry")


def test_shapefile_without_its_index_names_the_missing_part(tmp_path: Path) -> None:
    path = write(tmp_path / "b.shp", {"h": [5.0]})
    path.with_suffix(".shx").unlink()
    assert "b.shx" in refused(path, "cannot be read")


def test_all_geometries_empty(tmp_path: Path) -> None:
    path = write(tmp_path / "b.gpkg", {"h": [5.0, 6.0]}, [None, shapely.Polygon()], geometry_type="Polygon")
    refused(path, "no building has a geometry")


def test_working_crs_elsewhere_is_refused(tmp_path: Path) -> None:
    from pyproj import CRS

    path = write(tmp_path / "b.gpkg", {"h": [5.0]})
    config = FootprintsInput(path=path, fields=FieldMap(height_m="h"))
    with pytest.raises(InputError, match="does not fit the data"):
        read_buildings(config, CRS.from_epsg(32610))
    neighbour = read_buildings(config, CRS.from_epsg(4548))
    assert neighbour.table.geometry[0].area == pytest.approx(read(path).table.geometry[0].area, rel=2e-3)


# --- datum -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("datum", "shift"), [("gcj02", wgs84_to_gcj02), ("bd09", wgs84_to_bd09)])
def test_shifted_geojson_round_trip(tmp_path: Path, datum: str, shift: Any) -> None:
    shapes = [square(i) for i in range(5)]
    moved = shapely.transform(np.array(shapes), lambda xy: np.column_stack(shift(xy[:, 0], xy[:, 1])))
    columns = {"h": [3.0] * 5}
    true = read(write(tmp_path / "t.geojson", columns, shapes, COORDINATE_PRECISION=12))
    back = read(write(tmp_path / "s.geojson", columns, list(moved), COORDINATE_PRECISION=12), datum=datum)
    gap = shapely.hausdorff_distance(true.table.geometry.to_numpy(), back.table.geometry.to_numpy())
    assert gap.max() < 0.01
    assert back.table["building_id"].tolist() == true.table["building_id"].tolist()
    undeclared = read(tmp_path / "s.geojson")
    assert shapely.distance(undeclared.table.geometry[0], true.table.geometry[0]) > 400.0
    assert notice(undeclared, "datum_unverified").text.en.startswith("datum WGS84: declared, unverified")


# --- ids -------------------------------------------------------------------------------------------------------------


def test_ids_repeated_and_missing(tmp_path: Path) -> None:
    path = write(tmp_path / "b.gpkg", {"id": ["a", "a", None, " ", "e"], "h": [5.0] * 5})
    result = read(path, {"id": "id", "height_m": "h"})
    ids = result.table["building_id"]
    assert ids.is_unique
    assert ids[4] == "e"
    assert all(i.startswith("b") and len(i) == 13 for i in ids[:4])
    assert result.table["source_id"].isna().tolist() == [False, False, True, True, False]
    found = notice(result, "id_from_geometry")
    assert found.count == 4
    assert "2 ids of id are repeated, 2 missing" in found.text.en


def test_hashed_ids_do_not_depend_on_row_order_ring_direction_or_start(tmp_path: Path) -> None:
    shapes = [square(i) for i in range(4)]
    a = read(write(tmp_path / "a.gpkg", {"h": [5.0] * 4}, shapes)).table
    turned = [shapely.Polygon(list(s.exterior.coords)[2:-1] + list(s.exterior.coords)[:2]).reverse() for s in shapes]
    b = read(write(tmp_path / "b.gpkg", {"h": [5.0] * 4}, turned[::-1])).table
    assert a["building_id"].tolist() == b["building_id"].tolist()[::-1]
    assert a["building_id"].is_unique


def test_hashed_ids_are_the_same_in_every_format(tmp_path: Path) -> None:
    multi = [shapely.MultiPolygon([square(0)])]
    a = read(write(tmp_path / "a.gpkg", {"h": [5.0]}, multi)).table
    b = read(write(tmp_path / "b.geojson", {"h": [5.0]}, [square(0)], COORDINATE_PRECISION=12)).table
    assert a["building_id"].tolist() == b["building_id"].tolist()
    assert a.geometry[0].geom_type == "Polygon"


def test_float_ids_are_whole(tmp_path: Path) -> None:
    path = write(tmp_path / "b.gpkg", {"id": [12.0, 13.0, np.nan], "h": [5.0] * 3})
    assert read(path, {"id": "id", "height_m": "h"}).table["building_id"].tolist()[:2] == ["12", "13"]


# --- geometry --------------------------------------------------------------------------------------------------------


def test_no_row_disappears_and_every_trouble_is_named(tmp_path: Path) -> None:
    bow_tie = shapely.Polygon([(LON, LAT), (LON + 0.0004, LAT + 0.0004), (LON + 0.0004, LAT), (LON, LAT + 0.0004)])
    tiny = shapely.box(LON + 0.01, LAT, LON + 0.01002, LAT + 0.00002)  # about 2 m x 2 m
    huge = shapely.box(LON + 0.02, LAT, LON + 0.04, LAT + 0.02)
    two = shapely.MultiPolygon([square(50), square(51)])
    ring = shapely.Polygon(
        square(55, 0.0004).exterior.coords, [shapely.affinity.scale(square(55), 0.5, 0.5).exterior.coords]
    )
    shapes = [bow_tie, tiny, huge, two, ring, None, square(60), square(60), square(61)]
    path = write(tmp_path / "b.gpkg", {"h": [5.0] * 9}, shapes, geometry_type="Unknown")
    result = read(path)
    table = result.table
    assert len(table) == 9
    assert table.index.tolist() == table["source_row"].tolist() == list(range(9))
    status = ["ok", "excluded", "needs_survey", "ok", "ok", "excluded", "ok", "excluded", "ok"]
    assert table["status"].tolist() == status
    for row, code in {0: "invalid_geometry_repaired", 1: "tiny_footprint", 2: "huge_footprint", 5: "empty_geometry",
                      7: "duplicate_geometry"}.items():  # fmt: skip
        assert code in table["reasons"][row]
        assert notice(result, code).count == 1
    assert "duplicate_geometry" not in table["reasons"][6]
    assert table["building_id"].is_unique
    assert table.geometry[5] == shapely.Polygon()
    present = table.geometry[~table.geometry.is_empty]
    assert present.is_valid.all()
    assert set(present.geom_type) <= {"Polygon", "MultiPolygon"}
    assert table.geometry[3].geom_type == "MultiPolygon"
    assert len(table.geometry[4].interiors) == 1
    half = 0.5 * read(write(tmp_path / "s.gpkg", {"h": [1.0]}, [bow_tie.envelope])).table.geometry[0].area
    assert table.geometry[0].area == pytest.approx(half, rel=1e-3)


def test_overlaps_are_counted_with_their_area(tmp_path: Path) -> None:
    a, b, c = (shapely.box(5e5 + x, 3.83e6, 5e5 + x + 20, 3.83e6 + 20) for x in (0, 15, 35))
    result = read(write(tmp_path / "b.gpkg", {"h": [5.0] * 3}, [a, b, c], crs=4549))
    found = notice(result, "overlaps")
    assert found.count == 1
    assert "100.0 m² in all" in found.text.en
    assert found.examples == ("0-1 (100.00 m²)",)


def test_z_and_m_are_dropped(tmp_path: Path) -> None:
    solid = shapely.force_3d(square(0), 30.0)
    table = read(write(tmp_path / "b.gpkg", {"h": [5.0]}, [solid])).table
    assert not table.geometry.has_z.any()


# --- heights ---------------------------------------------------------------------------------------------------------


def test_heights_from_field_floors_and_median_of_the_use(tmp_path: Path) -> None:
    columns = {
        "h": [10.0, 30.0, np.nan, np.nan, -1.0, 700.0, 8.0, np.nan],
        "floors": [3.0, 10.0, 5.0, 0.0, np.nan, 20.0, np.nan, 500.0],
        "use": ["住宅", "住宅", "住宅", "住宅", "住宅", "住宅", "厂房", "厂房"],
    }
    path = write(tmp_path / "b.gpkg", columns)
    fields = {"height_m": "h", "floors": "floors", "building_use": "use"}
    result = read(path, fields, storey_height_m=3.5, use_map={"住宅": "residential"})
    table = result.table
    median = np.median([10.0, 30.0, 17.5, 70.0])
    assert table["height_m"].tolist() == [10.0, 30.0, 17.5, median, median, 70.0, 8.0, 8.0]
    assert table["height_source"].tolist() == [
        "field", "field", "floors", "assumed", "assumed", "floors", "field", "assumed"]  # fmt: skip
    assert [("height_absurd" in r, "height_missing" in r, "height_from_floors" in r) for r in table["reasons"]] == [
        (False, False, False), (False, False, False), (False, False, True), (False, True, False), (True, True, False),
        (True, False, True), (False, False, False), (False, True, False)]  # fmt: skip
    assert notice(result, "height_absurd").examples == ("-1 (1)", "700 (1)")
    assert notice(result, "height_missing").count == 3
    assert notice(result, "floors_absurd").count == 2
    assert table["floors_above"].isna().tolist() == [False, False, False, True, True, False, True, True]


def test_default_height(tmp_path: Path) -> None:
    path = write(tmp_path / "b.gpkg", {"h": [10.0, np.nan]})
    table = read(path, default_height_m=4.5).table
    assert table["height_m"].tolist() == [10.0, 4.5]
    assert table["height_source"].tolist() == ["field", "default"]


def test_no_height_at_all_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "b.gpkg", {"h": [0.0, np.nan], "id": ["a", "b"]})
    refused(path, "default_height_m", {"id": "id"})
    refused(path, "no building has a height")


def test_no_height_at_all_is_one_storey_where_models_can_measure_it(tmp_path: Path) -> None:
    path = write(tmp_path / "b.gpkg", {"h": [np.nan, np.nan]})
    result = read_buildings(FootprintsInput(path=path, storey_height_m=3.2), measurable=True)
    assert result.table["height_m"].tolist() == [3.2, 3.2]
    assert result.table["height_source"].tolist() == ["assumed", "assumed"]
    assert "one storey of 3.2 m" in notice(result, "height_missing").text.en
    assert all("height_missing" in reasons for reasons in result.table["reasons"])


def test_height_of_text_is_refused_where_hardly_any_parses(tmp_path: Path) -> None:
    path = write(tmp_path / "b.gpkg", {"h": ["高", "低", *["中"] * 18, "12"]})
    text = refused(path, "holds text, not numbers")
    assert "高 (1)" in text
    assert "fields.height_m" in text
    table = read(write(tmp_path / "c.gpkg", {"h": ["12.5", "１２米", " 8 m ", "1e1"]})).table
    assert table["height_m"].tolist() == [12.5, 12.0, 8.0, 10.0]
    mostly = read(write(tmp_path / "d.gpkg", {"h": ["9"] * 3 + ["?", "abc", "高"]}))
    assert notice(mostly, "not_a_number").examples == ("abc (1)", "高 (1)")
    assert "2 of 5 values" in notice(mostly, "not_a_number").text.en
    assert mostly.table["height_source"].tolist()[-3:] == ["assumed"] * 3


# --- attributes ------------------------------------------------------------------------------------------------------


def test_absurd_years_are_counted(tmp_path: Path) -> None:
    columns = {"h": [5.0] * 5, "y": [2021, 0, 20300, 1899, 9999]}
    result = read(write(tmp_path / "b.gpkg", columns), {"height_m": "h", "year_built": "y"})
    assert result.table["year_built"].isna().tolist() == [False, True, True, False, True]
    assert result.table["year_built"].dropna().tolist() == [2021, 1899]
    assert notice(result, "year_absurd").count == 3
    assert ["year_unknown" in r for r in result.table["reasons"]] == [False, True, True, False, True]


def test_date_columns_and_disagreement(tmp_path: Path) -> None:
    columns = {
        "h": [5.0] * 3,
        "done": pd.to_datetime(["2021-06-30", "2023-01-02", None]),  # type: ignore[arg-type]
        "y": [2021, 2020, 1999],
    }
    result = read(write(tmp_path / "b.gpkg", columns), {"height_m": "h", "completion_date": "done", "year_built": "y"})
    assert result.table["year_built"].tolist() == [2021, 2023, 1999]
    assert result.table["completion_date"].tolist() == ["2021-06-30", "2023-01-02", "1999"]
    assert notice(result, "year_disagrees").count == 1


def test_use_from_map_code_and_vocabulary(tmp_path: Path) -> None:
    values = ["20", "10.0", "factory", "机关办公", "X", None, "70", "公寓", "40"]
    columns = {"h": [5.0] * 9, "use": values}
    result = read(
        write(tmp_path / "b.gpkg", columns), {"height_m": "h", "building_use": "use"}, use_map={"20": "warehouse"}
    )
    table = result.table
    assert table["building_use"].tolist() == [
        "warehouse", "residential", "factory", "government_office", "unknown", "unknown", "military", "residential",
        "school"]  # fmt: skip
    assert table["use_source"].tolist() == [
        "mapped", "code:GHYT", "mapped", "mapped", "none", "none", "code:GHYT", "code:words_zh",
        "code:GHYT"]  # fmt: skip
    assert notice(result, "use_unmapped").examples == ("X (1)",)
    assert notice(result, "use_unknown").count == 2
    assert notice(result, "use_ambiguous").examples == ("40 (1)",)
    assert ["use_unknown" in r for r in table["reasons"]] == [False] * 4 + [True, True] + [False] * 3
    assert table["is_public_institution"].tolist() == [
        "no", "no", "no", "yes", "unknown", "unknown", "unknown", "no", "unknown"]  # fmt: skip
    assert table["public_source"].tolist() == [
        "inferred", "inferred", "inferred", "inferred", "none", "none", "none", "inferred", "none"]  # fmt: skip


def test_integer_codes_of_a_numeric_field(tmp_path: Path) -> None:
    path = write(tmp_path / "b.gpkg", {"h": [5.0, 5.0, 5.0], "use": [20.0, 42.0, np.nan]})
    table = read(path, {"height_m": "h", "building_use": "use"}).table
    assert table["building_use"].tolist() == ["factory", "hospital", "unknown"]


def test_map_outside_the_vocabulary_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "b.gpkg", {"h": [5.0], "use": ["a"]})
    with pytest.raises(ConfigError, match="did you mean factory"):
        read(path, {"height_m": "h", "building_use": "use"}, use_map={"a": "factoy"})
    with pytest.raises(ConfigError, match="vocabulary"):
        read(path, {"height_m": "h", "roof_type": "use"}, roof_type_map={"a": "gold"})


def test_public_institutions_by_word_map_and_hint(tmp_path: Path) -> None:
    columns = {
        "h": [5.0] * 8,
        "pub": ["是", "否", "Y", "1", "机关", "某公司", None, "待定"],
        "use": ["学校", "学校", "厂房", "学校", "学校", "学校", "厂房", "厂房"],
    }
    result = read(
        write(tmp_path / "b.gpkg", columns),
        {"height_m": "h", "is_public_institution": "pub", "building_use": "use"},
        public_map={"机关": "yes"},
    )
    table = result.table
    assert table["is_public_institution"].tolist() == ["yes", "no", "yes", "yes", "yes", "unknown", "no", "unknown"]
    assert table["public_source"].tolist() == ["field"] * 5 + ["none", "inferred", "none"]
    assert notice(result, "public_unmapped").examples == ("某公司 (1)",)
    assert notice(result, "public_inferred").count == 1


def test_public_institution_as_a_boolean_field(tmp_path: Path) -> None:
    path = write(tmp_path / "b.gpkg", {"h": [5.0, 5.0], "pub": [True, False]})
    assert read(path, {"height_m": "h", "is_public_institution": "pub"}).table["is_public_institution"].tolist() == [
        "yes", "no"]  # fmt: skip


def test_roof_types_structures_and_existing_pv(tmp_path: Path) -> None:
    columns = {
        "h": [5.0] * 6,
        "roof": ["彩钢瓦", "钢筋混凝土平屋面", "坡屋面", "steel_sheet", "茅草", None],
        "fwjg": [1, 3, 5, 6, 9, 2],
        "pv": ["120.5", "0", None, "-3", "80kW", None],
    }
    result = read(
        write(tmp_path / "b.gpkg", columns),
        {"height_m": "h", "roof_type": "roof", "structure": "fwjg", "existing_pv_kwp": "pv"},
        roof_type_map={"钢筋混凝土平屋面": "flat_concrete_highrise"},
    )
    table = result.table
    assert table["roof_type"].fillna("-").tolist() == [
        "steel_sheet", "flat_concrete_highrise", "tile_pitched", "steel_sheet", "-", "-"]  # fmt: skip
    assert table["structure"].tolist() == ["steel", "reinforced_concrete", "brick_wood", "other", "9", "steel_concrete"]
    assert notice(result, "roof_type_unmapped").examples == ("茅草 (1)",)
    assert table["existing_pv_kwp"].fillna(-1.0).tolist() == [120.5, 0.0, -1.0, -1.0, 80.0, -1.0]
    assert notice(result, "existing_pv_absurd").count == 1


def test_columns_of_the_contract_and_determinism(tmp_path: Path) -> None:
    path = write(tmp_path / "b.gpkg", {"h": [5.0, 6.0]})
    first, second = read(path), read(path)
    expected = (
        "building_id source_id source_file source_row building_name address owner_name owner_type building_use "
        "is_public_institution use_source year_built completion_date height_m height_source floors_above structure "
        "roof_type existing_pv_kwp existing_pv_year status reasons geometry"
    )
    assert set(expected.split()) <= set(first.table.columns)
    pd.testing.assert_frame_equal(pd.DataFrame(first.table), pd.DataFrame(second.table))
    assert first.notices == second.notices
    assert first.provenance == second.provenance
    assert first.provenance.details["working_crs"] == "EPSG:4549"


def test_every_notice_speaks_both_languages(tmp_path: Path) -> None:
    columns = {"h": [5.0, 0.0, np.nan], "u": ["x", "y", None], "y": [0, 1, 2021]}
    fields = {"height_m": "h", "building_use": "u", "year_built": "y"}
    result = read(write(tmp_path / "b.gpkg", columns, [square(0), square(0), None], geometry_type="Polygon"), fields)
    assert len(result.notices) >= 7
    for n in result.notices:
        assert n.text.en != n.text.zh
        assert any("一" <= c <= "鿿" for c in n.text.zh)
        assert n.source == str(tmp_path / "b.gpkg")


# --- real data -------------------------------------------------------------------------------------------------------


@pytest.mark.real
def test_suzhou(shared_data: Path) -> None:
    path = shared_data / "buildings_suzhou" / "suzhou_oldtown_3076.geojson"
    result = read(path, {"id": "Id", "height_m": "height", "floors": "Floor"})
    table = result.table
    assert len(table) == 3076
    assert table["building_id"].is_unique
    assert set(table["source_id"]) == {"0"}
    assert table.crs.to_epsg() == 4549
    assert notice(result, "id_from_geometry").count == 3076
    assert notice(result, "overlaps").count == 18
    assert notice(result, "height_not_measured").count == 3076
    assert int((table.geometry.area < 20.0).sum()) == 95
    assert table["status"].value_counts().to_dict() == {"ok": 3046, "excluded": 30}
    assert (table["building_use"] == "unknown").all()
    assert (table["height_m"] == 3.0 * table["floors_above"].astype(float)).all()
    assert table.geometry.area.sum() == pytest.approx(
        gpd.read_file(path).to_crs(32651).area.sum() / 0.9996**2, rel=2e-3
    )


@pytest.mark.real
def test_bdtopo(shared_data: Path) -> None:
    path = shared_data / "bdtopo_12174" / "BATIMENT.shp"
    fields = {"id": "ID", "height_m": "HAUTEUR", "floors": "NB_ETAGES", "building_use": "USAGE1",
              "year_built": "DATE_APP"}  # fmt: skip
    result = read(path, fields, use_map={"Résidentiel": "residential", "Industriel": "factory"})
    table = result.table
    assert len(table) == 2273
    assert table["building_id"].tolist()[0] == "BATIMENT0000000257021501"
    assert table["building_use"].value_counts().to_dict() == {"unknown": 1162, "residential": 1090, "factory": 21}
    assert int(table["year_built"].notna().sum()) == 2273 - 1059
    assert table["completion_date"].dropna().str.fullmatch(r"\d{4}-\d\d-\d\d").all()
    assert notice(result, "height_absurd").count == 15
    assert notice(result, "height_missing").count == 246
    assert table["height_m"].between(0.0, 650.0, inclusive="neither").all()
    assert result.provenance.details["encoding"] == "utf-8"
    assert table.crs.to_epsg() == 32631
