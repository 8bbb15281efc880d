"""Declared projects: encodings, headers, units and numbers as people write them; no row is lost."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import xlsxwriter

from rooftop.core.errors import InputError, UsageError
from rooftop.inputs.declared import Declared, read_declared
from rooftop.inputs.quantities import quantity, split_unit

HEADER = "项目名称,县区,屋顶面积（㎡）,装机容量(MW),年发电量（万千瓦时）,并网时间"
ROWS = "甲厂,赣榆区,12000,1.8,190.5,2023年5月\n乙校,海州区,800,0.1,10.8,2022-06-30\n"


def declared(tmp_path: Path, text: str, encoding: str = "utf-8", **options: Any) -> Declared:
    path = tmp_path / "申报.csv"
    path.write_bytes(text.encode(encoding))
    return read_declared(path, **options)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "gb18030", "utf-16"])
def test_the_same_table_in_every_encoding(tmp_path: Path, encoding: str) -> None:
    found = declared(tmp_path, f"{HEADER}\n{ROWS}", encoding)
    first, second = found.projects
    assert (first.name, first.district, first.year, first.row) == ("甲厂", "赣榆区", 2023, 2)
    # 1.8 MW, 190.5 x 10 000 kWh
    assert (first.area_m2, first.capacity_kw) == (12000.0, 1800.0)
    assert first.annual_kwh == pytest.approx(1_905_000.0)
    assert (second.capacity_kw, second.year, second.row) == (100.0, 2022, 3)
    assert [c.key for c in found.columns] == ["name", "district", "area", "capacity", "energy", "year"]
    assert not any(c.assumed for c in found.columns) and not found.notices


@pytest.mark.parametrize("header", ["屋顶面积㎡", "屋面"])
def test_a_short_gbk_file_is_not_taken_for_latin(tmp_path: Path, header: str) -> None:
    found = declared(tmp_path, f"{header},装机kW\n150,600\n", "gbk", columns={"area": header})
    assert found.encoding == "gb18030" and found.projects[0].area_m2 == 150.0


@pytest.mark.parametrize(
    ("header", "name", "unit", "kind"),
    [
        ("年发电量（万kWh/年）", "年发电量", "万kwh", "energy"),
        ("装机容量/MW", "装机容量", "mw", "capacity"),
        ("area_m2", "area", "m2", "area"),
        ("屋顶面积 (万㎡)", "屋顶面积", "万m2", "area"),
        ("annual_mwh", "annual", "mwh", "energy"),
        ("Capacity kWp", "capacity", "kwp", "capacity"),
        ("年发电量（度）", "年发电量", "度", "energy"),
        ("kWh per year", "", "kwh", "energy"),
        ("规模（单位：千瓦）", "规模", "千瓦", "capacity"),
    ],
)
def test_units_of_headers(header: str, name: str, unit: str, kind: str) -> None:
    assert split_unit(header) == (name, unit, kind)


@pytest.mark.parametrize("header", ["flow", "装机容量（设计）", "name", "show"])
def test_words_that_end_in_a_letter_are_no_units(header: str) -> None:
    assert split_unit(header)[1] is None


@pytest.mark.parametrize(
    ("text", "kind", "unit", "value"),
    [
        ("600", "capacity", "kw", 600.0),
        ("0.6MW", "capacity", "kw", 600.0),
        ("1,234.5", "area", "m2", 1234.5),
        ("２８００", "area", "m2", 2800.0),
        ("约1.2万", "area", "m2", 12000.0),
        ("1.2万", "energy", "mwh", 12_000_000.0),
        ("190.5万", "energy", "万kwh", None),  # 190.5 万kWh, or ten thousand times as much
        ("14.6万kWh", "energy", "kwh", 146_000.0),
        ("1.5", "area", "万m2", 15000.0),
        ("146 MWh/a", "energy", "kwh", 146_000.0),
        ("100-200", "capacity", "kw", None),
        ("12,5", "area", "m2", None),
        ("600 kWh", "capacity", "kw", None),
        ("若干", "area", "m2", None),
    ],
)
def test_numbers_with_their_own_units(text: str, kind: str, unit: str, value: float | None) -> None:
    found = quantity(text, kind, unit)
    assert found is None if value is None else found == pytest.approx(value)


def test_floor_area_and_totals_are_never_taken(tmp_path: Path) -> None:
    text = "名称,建筑面积(㎡),25年总发电量(kWh),装机容量(kW)\n甲,9000,99,10\n"
    found = declared(tmp_path, text)
    assert [c.key for c in found.columns] == ["name", "capacity"]
    assert found.unused == ("建筑面积(㎡)", "25年总发电量(kWh)")
    assert found.projects[0].area_m2 is None


def test_a_unit_that_stands_nowhere_is_assumed_and_said(tmp_path: Path) -> None:
    text = "名称,屋顶面积,年发电量\n甲,100,15\n"
    found = declared(tmp_path, text)
    assert {c.key: c.assumed for c in found.columns} == {"name": False, "area": True, "energy": True}
    told = declared(tmp_path, text, units={"energy": "万kWh"})
    assert told.projects[0].annual_kwh == 150_000.0
    assert {c.key: c.assumed for c in told.columns}["energy"] is False


def test_bad_rows_are_kept_and_counted(tmp_path: Path) -> None:
    text = f"{HEADER}\n{ROWS}丙,海州区,不详,0.5\n\n丁,,-5,abc,0,昨天\n"
    found = declared(tmp_path, text)
    assert [p.row for p in found.projects] == [2, 3, 4, 6]
    third, last = found.projects[2:]
    assert third.area_m2 is None and third.annual_kwh is None and third.unread == ()
    assert last.unread == (("area", "-5"), ("capacity", "abc"), ("energy", "0"), ("year", "昨天"))
    (notice,) = found.notices
    assert notice.count == 4


def test_a_workbook_with_a_title_and_several_sheets(tmp_path: Path) -> None:
    path = tmp_path / "申报.xlsx"
    with xlsxwriter.Workbook(str(path)) as book:
        book.add_worksheet("说明").write(0, 0, "填报说明")
        sheet = book.add_worksheet("项目")
        sheet.merge_range(0, 0, 0, 5, "某市屋顶光伏项目汇总表")
        sheet.write_row(1, 0, HEADER.split(","))
        sheet.write_row(2, 0, ["甲厂", "赣榆区", 12000, 1.8, 190.5, 2023])
        sheet.write_row(4, 0, ["乙校", "海州区", 800, 0.1, 10.8, 2022])
    found = read_declared(path)
    assert [(p.row, p.name, p.capacity_kw, p.year) for p in found.projects] == [
        (3, "甲厂", 1800.0, 2023),
        (5, "乙校", 100.0, 2022),
    ]
    with pytest.raises(UsageError) as refused:
        read_declared(path, sheet="项木")
    assert "项目" in refused.value.render("en")


def test_what_cannot_be_used_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="甲列"):
        declared(tmp_path, "甲列,乙列\n1,2\n")
    with pytest.raises(InputError, match="unit"):
        declared(tmp_path, "装机(kWh)\n1\n", columns={"capacity": "装机(kWh)"})
    with pytest.raises(UsageError, match="屋顶面积"):
        declared(tmp_path, f"{HEADER}\n{ROWS}", columns={"area": "屋顶面枳"})
    with pytest.raises(UsageError, match="parsec"):
        declared(tmp_path, f"{HEADER}\n{ROWS}", units={"area": "parsec"})
    with pytest.raises(UsageError, match="colour"):
        declared(tmp_path, f"{HEADER}\n{ROWS}", columns={"colour": "x"})
    with pytest.raises(InputError, match="does not exist"):
        read_declared(tmp_path / "nowhere.csv")
    (tmp_path / "old.xls").write_bytes(b"\xd0\xcf")
    with pytest.raises(InputError, match="xlsx"):
        read_declared(tmp_path / "old.xls")
    (tmp_path / "broken.xlsx").write_bytes(b"no zip")
    with pytest.raises(InputError, match="workbook"):
        read_declared(tmp_path / "broken.xlsx")


@pytest.mark.parametrize(
    ("header", "taken"),
    [
        *[
            (h, True)
            for h in ("并网年份", "并网时间", "投运日期", "光伏建成年份", "光伏项目竣工时间", "电站并网日期", "PV year")
        ],
        *[
            (h, True)
            for h in ("commissioning year", "Commissioned", "grid connection date", "solar_date", "in operation since")
        ],
        *[
            (h, False)
            for h in ("竣工年份", "建成年份", "竣工时间", "建筑竣工日期", "年份", "年度", "year", "date", "year built")
        ],
        *[(h, False) for h in ("是否并网", "并网方式", "并网电压", "发电年限")],
    ],
)
def test_only_a_column_that_says_so_is_the_year_of_the_pv(tmp_path: Path, header: str, taken: bool) -> None:
    found = declared(tmp_path, f"名称,屋顶面积(㎡),装机容量(kW),{header}\n甲,1000,100,1998\n")
    assert found.projects[0].year == (1998 if taken else None)
    assert (header in found.unused) is not taken
    told = declared(tmp_path, f"名称,屋顶面积(㎡),装机容量(kW),{header}\n甲,1000,100,1998\n", columns={"year": header})
    assert told.projects[0].year == 1998
