"""Structures: codes, words and map labels; what tells none is surveyed, never ok."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import pandas as pd
import pyogrio
import pytest
import shapely

from rooftop.config import FieldMap, FootprintsInput
from rooftop.inputs.footprints import read_buildings
from rooftop.inputs.structures import known_structures, read_structure, structures

KNOWN = {
    "steel": ["1", "1.0", "钢", "钢1", "钢结构", "轻钢结构", "门式刚架", "steel", "Steel frame", "钢（厂房）"],
    "steel_concrete": ["2", "钢混", "钢、钢筋混凝土", "钢、钢筋混凝土结构", "型钢混凝土"],
    "reinforced_concrete": ["3", "03", "砼", "砼4", "砼12-1", "钢筋混凝土", "钢筋混凝土结构", "框架", "框架结构",
                            "剪力墙", "框剪", "框架-核心筒", "现浇钢筋混凝土框架结构", "RC", "reinforced concrete"],
    "mixed": ["4", "混", "混3", "混 3", "混三", "3混", "砖混", "砖混结构", "砖混6层", "混合结构", "mixed"],
    "brick_wood": ["5", "砖木", "砖木结构"],
    "brick": ["砖", "砖2", "brick"],
    "wood": ["木", "木结构", "wood", "timber frame"],
    "stone": ["石", "石1"],
    "earth": ["土", "土木", "土坯"],
}  # fmt: skip
UNTOLD = {
    "shed": ["简", "简1", "简易房", "简易结构", "棚", "棚房", "彩钢棚", "活动板房", "临时建筑", "shed"],
    "ruin": ["破", "破2", "破坏房屋", "危房", "废弃", "已拆", "ruin"],
    "site": ["建", "建6", "在建", "建筑中房屋", "施工中", "未竣工", "under construction"],
    "other": ["6", "其他", "其他结构", "other"],
}
UNREAD = ["9", "0", "12", "特", "特种", "非钢", "住宅", "A", "建筑"]


@pytest.mark.parametrize(("kind", "text"), [(kind, text) for kind, texts in (KNOWN | UNTOLD).items() for text in texts])
def test_codes_words_and_labels(kind: str, text: str) -> None:
    assert read_structure(text)[0] == kind
    assert (kind in known_structures()) == (kind in KNOWN)


@pytest.mark.parametrize("text", UNREAD)
def test_what_is_not_recognised(text: str) -> None:
    assert read_structure(text) == (None, None)


@pytest.mark.parametrize(
    ("text", "floors"),
    [("混3", 3), ("砼4", 4), ("砖2", 2), ("砼12-1", 12), ("混6+1", 6), ("3混", 3), ("混三", 3), ("砼(3)", 3),
     ("砖混6层", 6), ("建6", 6), ("简1", 1), ("混", None), ("钢（2010）", None), ("3", None)],
)  # fmt: skip
def test_labels_hold_floors(text: str, floors: float | None) -> None:
    assert read_structure(text)[1] == floors


def test_a_column_and_what_is_said_of_it() -> None:
    column = pd.Series(["混3", "棚", "破", "建", "特种", "特种", "不详", "待定", "/", None, "3"], name="结构")
    read = structures(column, "b.shp")
    assert [None if pd.isna(v) else v for v in read.values] == [
        "mixed", "shed", "ruin", "site", "特种", "特种", None, None, None, None, "reinforced_concrete"]  # fmt: skip
    assert read.floors.fillna(0).tolist() == [3, *[0] * 10]
    assert {code: mask.nonzero()[0].tolist() for code, mask in read.reasons.items()} == {
        "structure_shed": [1], "structure_ruin": [2], "under_construction": [3]}  # fmt: skip
    assert {n.code: n.count for n in read.notices} == {
        "structure_unread": 2, "structure_shed": 1, "structure_ruin": 1, "under_construction": 1}  # fmt: skip
    assert next(n for n in read.notices if n.code == "structure_unread").examples == ("特种 (2)",)


def test_floors_of_labels_fill_a_field_that_says_none(tmp_path: Path) -> None:
    shapes = [shapely.box(119.2 + i * 0.001, 34.6, 119.2002 + i * 0.001, 34.6002) for i in range(4)]
    columns = {"s": ["混3", "砼4", "棚", "混2"], "fl": [None, "9", None, None], "y": [None, None, None, "2019"]}
    pyogrio.write_dataframe(gpd.GeoDataFrame(columns, geometry=shapes, crs=4326), tmp_path / "b.gpkg")
    fields = FieldMap(structure="s", floors="fl", year_built="y")
    result = read_buildings(FootprintsInput(path=tmp_path / "b.gpkg", fields=fields))
    assert result.table["floors_above"].fillna(0).tolist() == [3, 9, 0, 2]
    assert result.table["height_m"].tolist() == [9.0, 27.0, 9.0, 6.0]  # the shed gets the median
    assert result.table["height_source"].tolist() == ["floors", "floors", "assumed", "floors"]
    assert [n.count for n in result.notices if n.code == "floors_from_structure"] == [2]
    only = read_buildings(
        FootprintsInput(path=tmp_path / "b.gpkg", fields=FieldMap(structure="s"), default_height_m=5.0)
    )
    assert only.table["height_m"].tolist() == [9.0, 12.0, 5.0, 6.0]
