"""Ids and codes through every reader: text from the first byte; joins by stated rules only, counted, one to one."""

from __future__ import annotations

import datetime
import decimal
import json
import sqlite3
import struct
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pytest
import shapely
import xlsxwriter
from hypothesis import given
from hypothesis import strategies as st
from pyproj import CRS

from rooftop.config import BoundaryInput, FieldMap, FootprintsInput, ScheduleFields, ScheduleInput
from rooftop.core.lang import Text
from rooftop.inputs.attributes import names
from rooftop.inputs.boundaries import read_units
from rooftop.inputs.footprints import FootprintTable, read_buildings
from rooftop.inputs.identifiers import codes, join_ids
from rooftop.inputs.land_use import normal_codes
from rooftop.inputs.measured import read_measured
from rooftop.inputs.schedule import join_schedule, read_schedule

LON, LAT = 119.2, 34.6
LONG = [320706001001001001, 320706001001001002, None, 320706001001001004]
SUFFIXES = [".gpkg", ".shp", ".geojson", ".fgb", ".sqlite", ".gdb", ".gml", ".parquet"]


def squares(n: int) -> list[shapely.Polygon]:
    return [shapely.box(LON + i * 0.001, LAT, LON + i * 0.001 + 0.0002, LAT + 0.0002) for i in range(n)]


def write(path: Path, values: Any, name: str = "bid", **more: Any) -> Path:
    """A vector file of any format with one column of ids, heights, and squares from west to east."""
    frame = gpd.GeoDataFrame({name: values}, geometry=squares(len(values)), crs=4326)
    frame["h"] = 6.0
    if path.suffix == ".parquet":
        frame.to_parquet(path)
        return path
    if path.suffix == ".gdb":
        more = {"driver": "OpenFileGDB", "TARGET_ARCGIS_VERSION": "ARCGIS_PRO_3_2_OR_LATER"}
    pyogrio.write_dataframe(frame, path, **more)
    return path


def read(path: Path, name: str = "bid") -> FootprintTable:
    return read_buildings(FootprintsInput(path=path, fields=FieldMap(id=name, height_m="h")))


def ids(result: FootprintTable) -> list[str | None]:
    """Source ids from west to east: FlatGeobuf has its own order."""
    table = result.table.assign(x=result.table.geometry.centroid.x).sort_values("x")
    return [None if pd.isna(v) else str(v) for v in table["source_id"]]


# --- integers ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_long_integers_with_a_null_keep_every_digit(tmp_path: Path, suffix: str) -> None:
    result = read(write(tmp_path / f"b{suffix}", pd.array(LONG, dtype="Int64")))
    assert ids(result) == [None if v is None else str(v) for v in LONG]
    table = result.table.dropna(subset=["source_id"])
    assert (table["building_id"] == table["source_id"]).all()
    assert "id_digits_lost" not in [n.code for n in result.notices]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_districts_that_differ_in_the_last_digit_stay_apart(tmp_path: Path, suffix: str) -> None:
    path = write(tmp_path / f"d{suffix}", pd.array(LONG, dtype="Int64"), "code")
    units = read_units(BoundaryInput(path=path, id_field="code"), "district", CRS.from_epsg(4549))
    assert sorted(units.table["unit_id"]) == sorted(str(v) for v in LONG if v is not None)
    assert [n.count for n in units.notices if n.code == "unit_without_code"] == [1]


@pytest.mark.parametrize("value", [2**63 - 1, -(2**63), 2**53 + 1, -(2**53) - 1, 0, -5])
@pytest.mark.parametrize("suffix", [".gpkg", ".fgb", ".shp", ".parquet"])
def test_integers_at_the_edges(tmp_path: Path, suffix: str, value: int) -> None:
    if suffix == ".shp" and value == -(2**63):
        pytest.skip("twenty characters do not fit the driver's widest integer")
    result = read(write(tmp_path / f"b{suffix}", pd.array([value, None, 7], dtype="Int64")))
    assert ids(result) == [str(value), None, "7"]


@pytest.mark.parametrize("width", [10, 18, 19, 20, 25])
def test_numeric_fields_of_a_shapefile_of_any_width(tmp_path: Path, width: int) -> None:
    path = write(tmp_path / "b.shp", pd.array([1, 2, 3], dtype="Int64"))
    cells = ["320706001001001001"[: min(width, 18)], "320706001001001002"[-min(width, 18) :], ""]
    field = bytearray(32)
    field[:4], field[11:12], field[16] = b"bid\0", b"N", width
    height = bytearray(32)
    height[:2], height[11:12], height[16] = b"h\0", b"N", 3
    head = bytearray(32)
    head[0] = 3
    struct.pack_into("<IHH", head, 4, 3, 32 + 64 + 1, 1 + width + 3)
    rows = b"".join(b" " + cell.rjust(width).encode() + b"  6" for cell in cells)
    path.with_suffix(".dbf").write_bytes(bytes(head) + bytes(field) + bytes(height) + b"\r" + rows + b"\x1a")
    assert ids(read(path)) == [cells[0], cells[1], None]


@pytest.mark.parametrize("kind", ["INTEGER", "BIGINT", "NUMERIC(20,0)", "TEXT", "UNSIGNED BIG INT", ""])
def test_whatever_sqlite_calls_an_integer(tmp_path: Path, kind: str) -> None:
    path = write(tmp_path / "b.sqlite", ["a", "b", "c", "d"])
    with closing(sqlite3.connect(path)) as base, base:
        base.execute(f'alter table b add column "code 2" {kind}')
        base.executemany('update b set "code 2" = ? where ogc_fid = ?', [(v, k + 1) for k, v in enumerate(LONG)])
    assert ids(read(path, "code 2")) == [None if v is None else str(v) for v in LONG]


def test_integers_in_a_geojson_of_gbk(tmp_path: Path) -> None:
    path = write(tmp_path / "b.geojson", pd.array(LONG, dtype="Int64"), "编号")
    path.write_bytes(path.read_text(encoding="utf-8").encode("gbk"))
    assert ids(read(path, "编号")) == [None if v is None else str(v) for v in LONG]


def test_parquet_of_unsigned_decimal_and_coded_columns_and_of_an_index(tmp_path: Path) -> None:
    kinds: dict[str, Any] = {
        "u": pd.array([2**64 - 1, None, 1], dtype="UInt64"),
        "d": [decimal.Decimal("320706001001001001"), None, decimal.Decimal("3")],
        "p": [decimal.Decimal("12.50"), None, decimal.Decimal("3.00")],
        "c": pd.Categorical(["00123", "NA", "00123"]),
        "b": pd.array([True, None, False], dtype="boolean"),
    }
    frame = gpd.GeoDataFrame({**kinds, "h": 6.0}, geometry=squares(3), crs=4326, index=pd.Index([7, 8, 9], name="key"))
    frame.to_parquet(tmp_path / "b.parquet")
    expected = {
        "u": [str(2**64 - 1), None, "1"],
        "d": ["320706001001001001", None, "3"],
        "p": ["12.5", None, "3"],
        "c": ["00123", "NA", "00123"],
        "b": ["True", None, "False"],
        "key": ["7", "8", "9"],
    }
    for name, values in expected.items():
        assert ids(read(tmp_path / "b.parquet", name)) == values


# --- numbers that have lost digits ------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", [".gpkg", ".geojson", ".fgb", ".parquet"])
def test_ids_of_a_decimal_column_are_whole_and_what_it_cannot_hold_is_said(tmp_path: Path, suffix: str) -> None:
    result = read(write(tmp_path / f"b{suffix}", [320706.0, np.nan, 3.2070600100100102e17, 2.0**53]))
    found = ids(result)
    assert found[0] == "320706" and found[1] is None and found[3] == "9007199254740992"
    lost = [n for n in result.notices if n.code == "id_digits_lost"]
    assert [n.count for n in lost] == [1] and lost[0].examples == (f"{found[2]} (1)",)
    assert lost[0].text.en != lost[0].text.zh


def test_single_precision_holds_seven_digits() -> None:
    assert [n.code for n in codes(pd.Series(np.array([16777218.0], dtype="f4")), "").notices] == ["id_digits_lost"]
    assert codes(pd.Series(np.array([16777216.0], dtype="f4")), "").notices == ()


def test_what_a_spreadsheet_has_shortened_is_kept_and_said() -> None:
    read = codes(pd.Series(["3.20706E+17", "3.20706E+17", "00123"], name="id"), "t.csv")
    assert read.values.tolist() == ["3.20706E+17", "3.20706E+17", "00123"]
    assert [(n.code, n.count) for n in read.notices] == [("id_digits_lost", 2)]


# --- text -------------------------------------------------------------------------------------------------------------


AS_WRITTEN = ["00123", "123", "1E10", "1e5", "2021-01", "2021/01/05", "3-4", "NA", "nan", "None", "True",
              "{3F2504E0-4F89-11D3}", "abc", "ABC", "１２３", "A 1", "=1+1", "1.10", "-7", "0"]  # fmt: skip


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_text_stays_as_it_is_written(tmp_path: Path, suffix: str) -> None:
    path = write(tmp_path / f"b{suffix}", AS_WRITTEN)
    path.with_suffix(".xsd").unlink(missing_ok=True)  # without a schema types are guessed
    assert ids(read(path)) == AS_WRITTEN


def test_dates_as_ids_stay_as_a_geojson_writes_them(tmp_path: Path) -> None:
    assert ids(read(write(tmp_path / "b.geojson", ["2021/01/05", "2021/01/06"]))) == ["2021/01/05", "2021/01/06"]


def test_blanks_around_ids_invisible_characters_and_guards_go() -> None:
    raw = [
        " 7 ",
        "\ufeff00123",
        "\u3000甲1\u200b",
        '="00045"',
        "",
        " ",
        "-",
        "无",
        "<NULL>",
        None,
        5,
        datetime.date(2021, 1, 5),
    ]
    expected = ["7", "00123", "甲1", "00045", None, None, None, None, None, None, "5", "2021-01-05"]
    read = codes(pd.Series(raw, dtype=object), "").values
    assert [None if pd.isna(v) else v for v in read] == expected


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (["320706.0", "320707.00"], ["320706", "320707"]),
        (["1.0", "1.1", "1.10"], ["1.0", "1.1", "1.10"]),  # numbers of chapters, not of units
        (["320706.0", "甲"], ["320706", "甲"]),
        ([320706.0, "甲"], ["320706", "甲"]),
    ],
)
def test_a_decimal_point_goes_only_where_it_says_nothing(raw: list[Any], expected: list[str]) -> None:
    assert codes(pd.Series(raw, dtype=object), "").values.tolist() == expected


@given(st.lists(st.integers(-(2**63), 2**63 - 1) | st.none(), min_size=1))
def test_integers_read_back(values: list[int | None]) -> None:
    read = codes(pd.Series(pd.array(values, dtype="Int64")), "")
    assert [None if pd.isna(v) else int(v) for v in read.values] == values
    assert read.notices == ()


@given(st.text(st.characters(categories=("L", "N")), min_size=1, max_size=20))
def test_text_reads_back(value: str) -> None:
    read = codes(pd.Series([value, value], dtype=object), "").values[0]
    assert value in {"无", "空"} or read == value


def test_units_called_na_are_units(tmp_path: Path) -> None:
    path = tmp_path / "d.gpkg"
    frame = gpd.GeoDataFrame(
        {"code": ["NA", "ZA", "NA"], "name": ["Nan", "None", "Nan"]}, geometry=squares(3), crs=4326
    )
    pyogrio.write_dataframe(frame, path)
    config = BoundaryInput(path=path, id_field="code", name_field="name")
    units = read_units(config, "district", CRS.from_epsg(4549))
    assert units.table["unit_id"].tolist() == ["NA", "ZA"]
    assert units.table["unit_name"].tolist() == ["Nan", "None"]
    assert [n.examples for n in units.notices if n.code == "unit_code_word"] == [("NA",)]


def test_a_word_that_stands_once_is_a_name_and_many_times_nothing() -> None:
    column = pd.Series(["None", "甲楼", "nan", "nan", "无", "/", None, "乙楼"])
    assert [None if pd.isna(v) else v for v in names(column)] == ["None", "甲楼", None, None, None, None, None, "乙楼"]


def test_land_use_codes_of_any_column() -> None:
    for column in (
        pd.Series(["801", "１００１", " 0701 "]),
        pd.Series(pd.array([801, None, 1001], dtype="Int64")),
        pd.Series([801.0, np.nan, 1001.0]),
    ):
        read, notices = normal_codes(column, "")
        assert set(read.dropna()) <= {"0801", "1001", "0701"}
        assert [n.code for n in notices] == ["land_use_code_padded"]


# --- joins ------------------------------------------------------------------------------------------------------------


WHAT = Text("the table", "该表")


def joined(asked: list[str | None], known: list[str]) -> tuple[list[str | None], list[str]]:
    values, notices = join_ids(pd.Series(asked, dtype="string"), known, WHAT, "t.xlsx")
    return [None if pd.isna(v) else str(v) for v in values], [n.code for n in notices]


@pytest.mark.parametrize(
    ("asked", "known", "expected", "notice"),
    [
        (["0", "7", "12"], ["00000", "00007", "00012"], ["00000", "00007", "00012"], ["ids_joined_zeros"]),
        (["00007", "00012"], ["7", "12"], ["7", "12"], ["ids_joined_zeros"]),
        (["７", "1 2"], ["7", "12"], ["7", "12"], ["ids_joined_characters"]),
        (["'00123", "\ufeff00124"], ["00123", "00124"], ["00123", "00124"], ["ids_joined_characters"]),
        (["7.0", "12.0", "x"], ["7", "12", "x"], ["7", "12", "x"], ["ids_joined_point"]),
        (["AB-1", "ab-2"], ["ab-1", "ab-2"], ["ab-1", "ab-2"], ["ids_joined_case"]),
        (["{3F2504E04F8911D39A0C0305E82C3301}"], ["3f2504e04f8911d39a0c0305e82c3301"],
         ["3f2504e04f8911d39a0c0305e82c3301"], ["ids_joined_case"]),
        (["1-2"], ["1—2"], ["1—2"], ["ids_joined_characters"]),
        # Different ids: a number that lost nothing, two candidates, one that is taken.
        (["123", "00123"], ["00123"], ["123", "00123"], ["ids_prefixed"]),
        (["123", "00124"], ["00123", "00124"], ["123", "00124"], ["ids_prefixed"]),
        (["7"], ["07", "007"], ["7"], ["ids_ambiguous"]),
        (["a", "A"], ["Ａ"], ["a", "Ａ"], ["ids_joined_characters", "ids_ambiguous"]),
        (["7", "07"], ["007"], ["7", "07"], []),
        # A prefix is said, not joined.
        (["001", "002"], ["JZ-001", "JZ-002", "JZ-003"], ["001", "002"], ["ids_prefixed"]),
        (["JZ-001", "JZ-002"], ["001", "002"], ["JZ-001", "JZ-002"], ["ids_prefixed"]),
        (["zz", None], ["a"], ["zz", None], []),
        ([], ["a"], [], []),
    ],
)  # fmt: skip
def test_ids_are_joined_by_stated_rules_only(
    asked: list[str | None], known: list[str], expected: list[str | None], notice: list[str]
) -> None:
    assert joined(asked, known) == (expected, notice)


@given(st.lists(st.integers(0, 10**6), min_size=2, unique=True), st.integers(7, 12))
def test_zeros_lost_by_numbers_come_back(numbers: list[int], width: int) -> None:
    known = [f"{n:0{width}d}" for n in numbers]
    found, codes_ = joined([str(n) for n in numbers], known)
    assert found == known and set(codes_) <= {"ids_joined_zeros"}


@given(
    st.lists(st.text("01aA ", min_size=1, max_size=3), min_size=1), st.lists(st.text("01aA ", min_size=1, max_size=3))
)
def test_no_two_ids_become_one(asked: list[str], known: list[str]) -> None:
    found, _ = joined(list(asked), list(known))
    means = dict(zip(asked, found, strict=True))
    hits = [b for b in means.values() if b in known]
    assert len(set(hits)) == len(hits)
    assert all(means[a] == a for a in asked if a in known)


def workbook(path: Path, rows: Sequence[Sequence[Any]]) -> Path:
    with xlsxwriter.Workbook(str(path)) as book:
        sheet = book.add_worksheet("表")
        for r, row in enumerate(rows):
            sheet.write_row(r, 0, row)
    return path


@pytest.mark.parametrize("suffix", [".xlsx", ".csv"])
def test_a_schedule_whose_ids_a_spreadsheet_made_into_numbers(tmp_path: Path, suffix: str) -> None:
    known = [f"{k:05d}" for k in range(12)]
    rows: list[list[Any]] = [["building", "year", "kwp"], *([k, 2024, 10.0] for k in range(12))]
    path = tmp_path / f"s{suffix}"
    if suffix == ".xlsx":
        workbook(path, rows)
    else:
        path.write_text("\n".join(",".join(map(str, row)) for row in rows), "utf-8")
    read = read_schedule(
        ScheduleInput(path=path, fields=ScheduleFields(building_id="building", year="year", kwp="kwp"))
    )
    assert read.table["building_id"].tolist() == [str(k) for k in range(12)]
    found = join_schedule(read, known, ["320706", "海州区"])
    assert found.table["building_id"].tolist() == known
    notice = next(n for n in found.notices if n.code == "ids_joined_zeros")
    assert notice.count == 12 and notice.severity == "warning"
    assert "0 of 12 ids of the schedule match as they are written" in notice.text.en
    assert notice.examples[0] == "0 → 00000"


def test_a_schedule_of_units_by_code_and_name(tmp_path: Path) -> None:
    text = "单元,年,容量\n320706.0,2024,1\n 320707 ,2024,1\n海州区　,2024,1\nNA,2024,1\n无,2024,1\n"
    path = tmp_path / "s.csv"
    path.write_text(text, "utf-8")
    read = read_schedule(ScheduleInput(path=path, fields=ScheduleFields(unit_id="单元", year="年", kwp="容量")))
    assert read.table["unit_id"].tolist() == ["320706", "320707", "海州区", "NA"]
    assert [n.code for n in read.notices] == ["schedule_rows_lost"]


def test_long_ids_of_a_workbook_as_text_and_as_numbers(tmp_path: Path) -> None:
    rows: list[list[Any]] = [
        ["building", "kwp"],
        ["320706001001001001", 1.0],
        [320706001001001002, 1.0],
        ["1E10", 1.0],
        ["2021-01", 1.0],
    ]
    path = workbook(tmp_path / "s.xlsx", rows)
    read = read_schedule(ScheduleInput(path=path, fields=ScheduleFields(building_id="building", year="kwp", kwp="kwp")))
    assert read.table["building_id"].tolist() == ["320706001001001001", "3.20706001001001E+17", "1E10", "2021-01"]
    assert [(n.code, n.count) for n in read.notices if n.code == "id_digits_lost"] == [("id_digits_lost", 1)]


def test_metered_energy_finds_its_buildings(tmp_path: Path) -> None:
    path = workbook(tmp_path / "m.xlsx", [["building_id", "measured_energy_kwh"], [7, 70.0], [12, 120.0], [99, 1.0]])
    known = pd.Series(["00007", "00012", "00013"])
    found, notices, source = read_measured(path, known)
    assert found["measured_energy_kwh"].fillna(-1.0).tolist() == [70.0, 120.0, -1.0]
    assert [(n.code, n.count) for n in notices] == [("ids_joined_zeros", 2), ("measured_unmatched", 1)]
    assert source.details["matched"] == "2"


def test_ids_of_a_city_model(tmp_path: Path) -> None:
    from rooftop.config import RoofsInput
    from rooftop.inputs.cityjson import read_roofs

    square = [[0, 0, 3000], [9000, 0, 3000], [9000, 9000, 3000], [0, 9000, 3000]]
    values = [320706001001001001, 320706.0, "00123", None]
    objects = {
        f"o{k}": {
            "type": "Building", "attributes": {"bid": value},
            "geometry": [{"type": "MultiSurface", "lod": "2", "boundaries": [[[0, 1, 2, 3]]],
                          "semantics": {"surfaces": [{"type": "RoofSurface"}], "values": [0]}}],
        }
        for k, value in enumerate(values)
    }  # fmt: skip
    model = {
        "type": "CityJSON", "version": "2.0", "CityObjects": objects, "vertices": square,
        "transform": {"scale": [0.001] * 3, "translate": [520000.0, 3830000.0, 0.0]},
        "metadata": {"referenceSystem": "https://www.opengis.net/def/crs/EPSG/0/4549"},
    }  # fmt: skip
    path = tmp_path / "m.json"
    path.write_text(json.dumps(model), "utf-8")
    keys = read_roofs(RoofsInput(path=path, id_field="bid"), CRS.from_epsg(4549)).table["key"]
    assert [None if pd.isna(k) else k for k in keys] == ["320706001001001001", "320706", "00123", None]
