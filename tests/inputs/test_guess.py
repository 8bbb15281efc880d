"""`rooftop init`: the guess names the right fields, and the starter configuration loads and runs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import geopandas as gpd
import pyogrio
import pytest
import shapely
import yaml

from rooftop.configfile import load_config
from rooftop.core.errors import InputError
from rooftop.core.lang import Text
from rooftop.inputs.footprints import read_buildings
from rooftop.inputs.guess import Guess, guess
from rooftop.inputs.guess_irradiance import RasterGuess
from rooftop.inputs.starter import scalar, starter_config


def write(
    path: Path, columns: Mapping[str, Any], crs: Any = 4326, x: float = 119.2, y: float = 34.6, **kw: Any
) -> Path:
    rows = len(next(iter(columns.values())))
    step = 0.001 if abs(x) <= 180.0 else 100.0
    shapes = [shapely.box(x + i * step, y, x + i * step + step / 5, y + step / 5) for i in range(rows)]
    path.parent.mkdir(parents=True, exist_ok=True)
    pyogrio.write_dataframe(gpd.GeoDataFrame(columns, geometry=shapes, crs=crs), path, **kw)
    return path


def chosen(found: Guess) -> dict[str, str]:
    return {f.key: f.field for f in found.fields}


SURVEY: dict[str, list[Any]] = {
    "OBJECTID": [1, 2, 3, 4],
    "DSCS": [6, 5, 1, 2],
    "ZCS": [8, 6, 1, 2],
    "高度": [18.5, 16.0, 9.0, 6.6],
    "GHYT": ["10", "10", "20", "99"],
    "FWJG": ["3", "3", "1", "4"],
    "JGRQ": ["2019-05-01", "2021年6月", None, "1998"],
    "产权人": ["张三", "李四", "某厂", None],
    "SFGGJG": ["否", "否", "否", "是"],
    "SHAPE_AREA": [1.0, 2.0, 3.0, 4.0],
}


def test_pinyin_and_chinese_names(tmp_path: Path) -> None:
    found = guess(write(tmp_path / "房屋.shp", SURVEY, encoding="GBK"))
    assert chosen(found) == {
        "id": "OBJECTID",
        "height_m": "高度",
        "floors": "DSCS",
        "building_use": "GHYT",
        "is_public_institution": "SFGGJG",
        "year_built": "JGRQ",
        "owner_name": "产权人",
        "structure": "FWJG",
    }
    assert found.encoding == "gb18030"
    assert found.crs is not None
    assert found.crs.startswith("EPSG:4326")
    assert found.features == 4
    assert set(found.unused) == {"ZCS", "SHAPE_AREA"}
    assert any("ZCS" in remark.en for remark in found.remarks)
    height = next(f for f in found.fields if f.key == "height_m")
    assert height.samples == ("18.5", "16", "9")
    assert height.filled == 4
    owner = next(f for f in found.fields if f.key == "owner_name")
    assert owner.samples == ("＊＊",) * 3  # in doubt, too
    assert [(u.value, u.count, u.use) for u in found.uses] == [
        ("10", 2, "residential"), ("20", 1, "factory"), ("99", 1, "unknown")]  # fmt: skip


@pytest.mark.parametrize("name", ["ZCS", "总层数"])
def test_total_storeys_are_never_floors(tmp_path: Path, name: str) -> None:
    found = guess(write(tmp_path / "b.gpkg", {name: [8, 6], "h0": ["a", "b"]}))
    assert found.field("floors") is None
    assert any(name in remark.en and "basements" in remark.en for remark in found.remarks)


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_starter_loads_and_reads_the_file(tmp_path: Path, lang: Any) -> None:
    path = write(tmp_path / "数据 2024" / "房屋.shp", SURVEY, encoding="GBK")
    target = tmp_path / "config" / "海州.yaml"
    target.parent.mkdir()
    why = Text("guessed", "推断")
    rasters = RasterGuess((tmp_path / "GHI.tif",), "monthly", "kWh/m2/month", why, why)
    text = starter_config("lianyungang", path, guess(path), rasters, lang=lang, base=target.parent)
    target.write_text(text, encoding="utf-8")
    config = load_config(target)
    assert config.policy == "lianyungang"
    assert config.outputs.lang == lang
    assert config.inputs.irradiance.ghi.path[0].resolve() == tmp_path / "GHI.tif"
    assert config.inputs.irradiance.ghi.period == "monthly" and config.inputs.irradiance.ghi.unit == "kWh/m2/month"
    table = read_buildings(config.inputs.footprints).table
    assert table["building_use"].tolist() == ["residential", "residential", "factory", "unknown"]
    assert table["year_built"].fillna(0).tolist() == [2019, 2021, 0, 1998]
    assert table["floors_above"].tolist() == [6, 5, 1, 2]
    assert '# "99": other  # 1' in text


def test_suggestions_can_be_uncommented(tmp_path: Path) -> None:
    values = ["工业厂房（标准）", "某某中学", "Résidentiel", "乱码\u2028#: {x}", "a: b # c", "'\"", "住宅楼"]
    path = write(tmp_path / "b.gpkg", {"height": [5.0] * 14, "用途": values * 2})
    text = starter_config("lianyungang", path, guess(path), base=tmp_path)
    lines = [line.replace("# ", "", 1) if line.strip().startswith('# "') else line for line in text.splitlines()]
    target = tmp_path / "c.yaml"
    target.write_text("\n".join(lines), encoding="utf-8")
    use_map = load_config(target).inputs.footprints.use_map
    assert set(use_map) == set(values)
    assert [use_map[v] for v in (*values[:3], "住宅楼")] == ["factory", "school", "residential", "residential"]


def test_hostile_values_stay_in_their_comments(tmp_path: Path) -> None:
    evil = "x\ninputs: {}\u2028policy: evil\x85name: evil\x07"
    path = write(tmp_path / "b.gpkg", {"height": [5.0, 6.0], "name": [evil, "b"], "evil\nfield": ["a", "b"]})
    for found in (guess(path),):
        text = starter_config("lianyungang", path, found, base=tmp_path)
        data = yaml.safe_load(text)
        assert data["policy"] == "lianyungang"
        assert data["name"] == "b"
        assert data["inputs"]["footprints"]["fields"]["building_name"] == "name"


def test_a_file_without_heights_still_gives_a_configuration_that_reads(tmp_path: Path) -> None:
    path = write(tmp_path / "b.gpkg", {"a": ["x", "y"]})
    found = guess(path)
    assert any("no field of heights" in remark.en for remark in found.remarks)
    target = tmp_path / "c.yaml"
    target.write_text(starter_config("lianyungang", path, found, base=tmp_path), encoding="utf-8")
    table = read_buildings(load_config(target).inputs.footprints).table
    assert set(table["height_source"]) == {"default"}


def test_unbelievable_candidates_are_passed_over(tmp_path: Path) -> None:
    columns = {
        "height": ["high", "low", "low"],
        "HAUTEUR": [5.0, 6.0, 7.0],
        "year": [3, 4, 5],
        "date_app": [1999, 2001, 2021],
    }
    found = guess(write(tmp_path / "b.gpkg", columns))
    assert chosen(found) == {"height_m": "HAUTEUR", "year_built": "date_app"}


@pytest.mark.parametrize(
    ("x", "y", "crs", "expected"),
    [
        (119.2, 34.6, 4326, "EPSG:4490"),
        (2.3, 48.8, 4326, "EPSG:4326"),
        (40_430_000.0, 3_830_000.0, 4528, "EPSG:4528"),
        (430_000.0, 3_830_000.0, 4549, None),
    ],
)
def test_crs_of_a_file_that_states_none(tmp_path: Path, x: float, y: float, crs: int, expected: str | None) -> None:
    path = write(tmp_path / "b.shp", {"height": [5.0, 6.0]}, crs, x, y)
    path.with_suffix(".prj").unlink()
    found = guess(path)
    assert found.crs is None
    assert found.crs_guess == expected
    target = tmp_path / "c.yaml"
    target.write_text(starter_config("lianyungang", path, found, base=tmp_path), encoding="utf-8")
    config = load_config(target)
    assert config.inputs.footprints.crs == expected
    if expected is not None:
        assert len(read_buildings(config.inputs.footprints).table) == 2


@pytest.mark.parametrize(
    ("name", "crs", "datum"),
    [
        ("b.gpkg", 4326, "wgs84"),
        ("b.gpkg", 4490, "cgcs2000"),
        ("b.gpkg", 4549, "cgcs2000"),
        ("高德建筑.gpkg", 4326, "gcj02"),
        ("buildings_baidu.gpkg", 4326, "bd09"),
        ("seed_amap_wgs84.gpkg", 4326, "wgs84"),
    ],
)
def test_datum(tmp_path: Path, name: str, crs: int, datum: str) -> None:
    x, y = (430_000.0, 3_830_000.0) if crs == 4549 else (119.2, 34.6)
    found = guess(write(tmp_path / name, {"height": [5.0, 6.0]}, crs, x, y))
    assert found.datum == datum
    if name == "b.gpkg" and crs == 4326:
        assert "cannot be told" in found.datum_remark.en


def test_without_a_file_the_starter_loads(tmp_path: Path) -> None:
    target = tmp_path / "c.yaml"
    target.write_text(starter_config("lianyungang", None, None), encoding="utf-8")
    config = load_config(target)
    assert config.inputs.footprints.path == tmp_path / "footprints.gpkg"


def test_missing_file() -> None:
    with pytest.raises(InputError, match="does not exist"):
        guess(Path("/nowhere/b.gpkg"))


@pytest.mark.parametrize(
    "text",
    ["yes", "null", "12", "2021-01-01", "a: b", "- a", "#x", "it's", "海州区", "a/b.tif", "", " a", "x\ny", "é", "~"],
)
def test_scalars_read_back(text: str) -> None:
    assert yaml.safe_load(f"key: {scalar(text)}") == {"key": text}


@pytest.mark.real
def test_suzhou_and_bdtopo(shared_data: Path) -> None:
    suzhou = guess(shared_data / "buildings_suzhou" / "suzhou_oldtown_3076.geojson")
    assert chosen(suzhou) == {"id": "Id", "height_m": "height", "floors": "Floor"}
    remark = next(f.remark for f in suzhou.fields if f.key == "id")
    assert remark is not None
    assert "1 distinct values in 3076 rows" in remark.en
    bdtopo = guess(shared_data / "bdtopo_12174" / "BATIMENT.shp")
    assert chosen(bdtopo) == {
        "id": "ID", "height_m": "HAUTEUR", "floors": "NB_ETAGES", "building_use": "USAGE1",
        "year_built": "DATE_APP"}  # fmt: skip
    assert bdtopo.encoding == "utf-8"
    suggestions = {u.value: u.suggestion for u in bdtopo.uses}
    assert suggestions["Résidentiel"] == "residential"
    assert suggestions["Commercial et services"] == "commercial"
