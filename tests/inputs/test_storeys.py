"""Floors and heights as people write them, read by stated rules, and both held against each other."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rooftop.core.errors import InputError
from rooftop.inputs.attributes import half_width, read_numbers
from rooftop.inputs.numerals import arabic, digits
from rooftop.inputs.storeys import compare, floors, heights, read_length_m, read_storeys, stated_heights

PLAIN = {
    "6": 6, "６": 6, "6.0": 6, "6F": 6, "６层": 6, "6 层": 6, "6层楼": 6, "6 floors": 6, "6 storeys": 6, "-1": -1,
    "0": 0,
}  # fmt: skip
BY_RULE = {
    "6+1": 6, "2+1": 2, "18+1": 18, "6+阁楼": 6, "6带阁楼": 6, "6层(含阁楼)": 6, "6+1跃": 6,
    "6/-1": 6, "33/-2": 33, "6(-1)": 6, "6层/地下1层": 6, "地上6层地下1层": 6, "地下1层地上6层": 6, "6F/B1": 6,
    "B1/6F": 6,
    "-1-6": 6, "-1~6层": 6, "负1至6层": 6, "6层,地下2层": 6, "6层+地下1层": 6, "6-1": 6, "6/1": 6, "3/6": 6,
    "三层": 3, "六": 6, "十二层": 12, "二十三": 23, "廿三层": 23, "一百零二层": 102, "两层": 2, "单层": 1, "平房": 1,
    "F6": 6, "L6": 6, "地上6层": 6, "共6层": 6, "约6层": 6, "6层左右": 6, "6（局部7）": 6, "12层（局部13层）": 12,
    "(6)": 6,
    "5-6": 5, "5~6层": 5, "5—6层": 5, "5至6层": 5, "5或6": 5, "5、6": 5, "6,7": 6, "2;3": 2, "2;3;4": 2, "1-2层": 1,
    "1-6层": 6, "1F-3F": 3, "6层半": 6.5, "六层半": 6.5, "6+": 6, "6层以上": 6, "6层及以上": 6, ">=6": 6, "≥6": 6,
}  # fmt: skip
BELOW = ["地下1层", "B1", "地下室", "半地下", "负一层", "地下二层", "basement"]
UNREAD = ["多层", "高层", "小高层", "<4", "6层以下", "不足3层", "主楼12层裙楼3层", "six", "6#", "6号楼", "A6", "6\\7"]


@pytest.mark.parametrize(("text", "value"), PLAIN.items())
def test_floors_that_simply_stand_there(text: str, value: float) -> None:
    found = read_storeys(half_width(text))
    assert found is not None and found.value == value and not found.by_rule


@pytest.mark.parametrize(("text", "value"), BY_RULE.items())
def test_floors_read_by_rule(text: str, value: float) -> None:
    found = read_storeys(half_width(text))
    assert found is not None and found.value == value and found.by_rule


@pytest.mark.parametrize("text", UNREAD)
def test_floors_that_cannot_be_told(text: str) -> None:
    assert read_storeys(half_width(text)) is None


@given(st.integers(1, 130), st.integers(1, 6))
def test_floors_above_do_not_depend_on_how_basements_are_written(above: int, below: int) -> None:
    ways = [f"{above}/-{below}", f"-{below}/{above}", f"地上{above}层地下{below}层", f"{above}F/B{below}",
            f"{above}(-{below})", f"-{below}~{above}", f"地下{below}层/{above}层",
            f"{above}层，地下{below}层"]  # fmt: skip
    assert {read_storeys(half_width(way)).value for way in ways} == {float(above)}


def chinese(n: int) -> str:
    """The usual numeral of 1..199, made another way than it is read."""
    ones = "零一二三四五六七八九"
    if n >= 100:
        rest = n - 100
        return "一百" + (
            "" if not rest else f"零{chinese(rest)}" if rest < 10 else ("一" if rest < 20 else "") + chinese(rest)
        )
    tens, unit = divmod(n, 10)
    head = "" if not tens else "十" if tens == 1 else f"{ones[tens]}十"
    return head + (ones[unit] if unit or not tens else "")


@given(st.integers(1, 199))
def test_chinese_numerals(n: int) -> None:
    assert arabic(chinese(n)) == str(n)
    assert arabic(f"地上{chinese(n)}层") == f"地上{n}层"
    assert digits("一九九八") == "1998"


@pytest.mark.parametrize(
    ("text", "metres"),
    [
        ("12.5", 12.5), ("12.5m", 12.5), ("12.5 M", 12.5), ("１２．５米", 12.5), ("约12米", 12.0), ("12m左右", 12.0),
        ("≈12", 12.0),
        ("1250cm", 12.5), ("12500mm", 12.5), ("40 ft", 12.192), ("40'", 12.192), ("40'6\"", 12.3444),
        ("40′6″", 12.3444),
        ("39.4英尺", 12.00912), ("h=12", 12.0), ("H: 12 m", 12.0), ("高度：12.5米", 12.5), ("檐高9.6m", 9.6),
        ("12.5米（檐口）", 12.5), ("12.5/3", 12.5), ("12.5m/3F", 12.5), ("12.5/3层", 12.5), ("9.6/12.5", 9.6),
        ("15/12.5", 12.5), ("9-12", 9.0), ("9~12米", 9.0), ("24米以上", 24.0), (">24", 24.0),
        ("1e1", 10.0), (".5", 0.5), ("-3", -3.0),
    ],
)  # fmt: skip
def test_heights_as_people_write_them(text: str, metres: float) -> None:
    found = read_length_m(half_width(text))
    assert found is not None and found.value == pytest.approx(metres)


@pytest.mark.parametrize("text", ["6层", "<24", "24米以下", "1.2.3", "高", "12x", "3层/4层"])
def test_heights_that_cannot_be_told(text: str) -> None:
    assert read_length_m(half_width(text)) is None


def column(values: list[Any], name: str = "c") -> pd.Series:
    return pd.Series(values, name=name, dtype=object)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["1,200", "12"], [1200.0, 12.0]),
        (["12,5", "7,25", "1,200"], [12.5, 7.25, 1.2]),
        (["1.200,5", "12,5"], [1200.5, 12.5]),
        (["1,234,567.5", "1"], [1234567.5, 1.0]),
        (["12,5 m", "9"], [12.5, 9.0]),
    ],
)
def test_commas_are_decimal_where_one_can_be_nothing_else(values: list[str], expected: list[float]) -> None:
    assert heights(column(values), "fields.height_m", "").values.tolist() == expected
    if "m" not in values[0]:
        assert read_numbers(column(values), "k", "").values.tolist() == expected


@pytest.mark.parametrize("words", [["—", "无", "/", "不详", "N/A", "none", " ", None]])
def test_words_for_nothing_are_missing_numbers(words: list[str | None]) -> None:
    for read in (heights(column([*words, "3"]), "k", ""), floors(column([*words, "3"]), "k", "")):
        assert read.values.notna().sum() == 1 and read.notices == ()


def test_what_can_be_read_is_kept_and_the_rest_said() -> None:
    values = ["6", "6+1", "三层", "6/-1", "5-6", "多层", "高层", "多层", "地下1层", None]
    read = floors(column(values, "fl"), "fields.floors", "b.gpkg")
    assert read.values.fillna(-9).tolist() == [6, 6, 3, 6, 5, -9, -9, -9, -9, -9]
    assert read.underground.tolist() == [k == 8 for k in range(10)]
    said = {n.code: n for n in read.notices}
    assert said["not_a_number"].count == 3 and "3 of 9 values of fl" in said["not_a_number"].text.en
    assert said["not_a_number"].examples == ("多层 (2)", "高层 (1)")
    assert said["read_by_rule"].count == 5 and "6+1 → 6 (1)" in said["read_by_rule"].examples


def test_a_field_of_hardly_any_number_is_refused() -> None:
    with pytest.raises(InputError, match="holds text, not numbers"):
        floors(column(["多层"] * 10 + ["6"]), "fields.floors", "b.gpkg")
    assert floors(column(["多层"] * 8 + ["6"]), "fields.floors", "b.gpkg").values.notna().sum() == 1


# --- both -------------------------------------------------------------------------------------------------------------


COUNTS = pd.Series([1.0, 2, 3, 4, 5, 6] * 4)


@pytest.mark.parametrize(
    ("factor", "word"),
    [(3.0 / 0.3048, "feet"), (30.0, "decimetres"), (300.0, "centimetres"), (3000.0, "millimetres"),
     (1.0, "holds floors"), (0.3, "swapped"), (0.1, "check the unit")],
)  # fmt: skip
def test_the_median_storey_says_what_heights_are(factor: float, word: str) -> None:
    scatter = np.random.default_rng(1).uniform(0.97, 1.03, len(COUNTS))
    found = compare(COUNTS * factor * scatter, COUNTS, "b.gpkg")
    assert [n.code for n in found] == ["storey_height"] and word in found[0].text.en
    assert found[0].count == int((COUNTS >= 2).sum())


@pytest.mark.parametrize("storey", [2.3, 2.8, 3.0, 3.5, 4.5, 5.9])
def test_believable_storeys_are_not_remarked_on(storey: float) -> None:
    assert compare(COUNTS * storey, COUNTS, "") == ()


def test_halls_and_churches_of_one_floor_are_believable() -> None:
    height = pd.Series([9.0, 14.0, 40.0, 8.0])
    assert compare(height, pd.Series([1.0] * 4), "") == ()


def test_single_rows_that_contradict_themselves_are_counted() -> None:
    height, count = COUNTS * 3.0, COUNTS.copy()
    height[4], count[4] = 10.0, 100.0
    height[7] = 90.0
    found = compare(height, count, "")
    assert [(n.code, n.count, n.examples) for n in found] == [("storey_row", 2, ("4: 10 m, 100", "7: 90 m, 2"))]
    assert compare(height.where(height != 10.0), count.where(count != 2.0), "") == ()


def test_what_a_file_states(tmp_path: Path) -> None:
    table = pd.DataFrame({"h": [9.0, np.nan, np.nan, 700.0], "fl": ["3", "地下1层", None, "十"]})
    stated = stated_heights(table, "h", "fl", pd.Series([5.0, np.nan, 4.0, np.nan]), "b.gpkg")
    assert stated.height_m.fillna(-1).tolist() == [9.0, 0.0, -1.0, -1.0]
    assert stated.floors.fillna(-1).tolist() == [3.0, 0.0, 4.0, 10.0]  # a label counts where the field says nothing
    assert stated.underground.tolist() == [False, True, False, False]
    assert stated.absurd.tolist() == [False, False, False, True]
    assert {n.code for n in stated.notices} == {"read_by_rule", "floors_from_structure", "height_absurd", "underground"}
