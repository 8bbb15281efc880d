"""Workbook, CSV and GeoPackage: exact names, safe text, true numbers, the same bytes."""

from __future__ import annotations

import csv
import io
import re
import warnings
import zipfile
from dataclasses import replace
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import geopandas as gpd
import numpy as np
import openpyxl
import pyogrio
import pytest
import xlsxwriter

from campaign_data import NASTY, NOTICES, default_pack, make_tables, shared, shared_data
from rooftop.config import Config
from rooftop.core.lang import Text
from rooftop.outputs.bundle import ReportData, campaign_of, report_data
from rooftop.outputs.workbook import sheet as sheet_module
from rooftop.outputs.workbook.book import write_workbook
from rooftop.outputs.workbook.candidates import csv_cell, write_candidates
from rooftop.outputs.workbook.lists import notice_rows
from rooftop.outputs.workbook.rows import CANDIDATE_COLUMNS, candidate_rows
from rooftop.outputs.workbook.sheet import (
    SheetColumn,
    WorkbookSheets,
    cell_text,
    display_width,
    file_name,
    share_beside,
    sheet_name,
    shown_number,
)
from rooftop.scene.inverters import size_inverters

SHEETS_ZH = ["结论", "县区", "街道(镇)", "未达标新建建筑", "候选屋顶", "待核实", "任务量与容量", "口径说明", "数据来源"]
SHEETS_EN = [
    "Conclusion",
    "Districts",
    "Towns",
    "New buildings short",
    "Candidates",
    "To verify",
    "Quotas and capacity",
    "Definitions",
    "Sources",
]
CANDIDATES_ZH = [
    "序号",
    "建筑编号",
    "建筑名称",
    "坐落",
    "县区",
    "街道(镇)",
    "产权单位",
    "建筑用途",
    "是否公共机构",
    "竣工日期",
    "屋面类型",
    "屋顶面积(㎡)",
    "可安装面积(㎡)",
    "拟装容量(kWp)",
    "年发电量(万kWh)",
    "年等效利用小时数(h)",
    "遮挡损失(%)",
    "已装容量(kWp)",
    "推荐理由",
    "待核实事项",
    "高德经度",
    "高德纬度",
    "逆变器(参考)",
    "接入电压(参考)",
]


@cache
def _folder(lang: str) -> Path:
    folder = Path(mkdtemp())
    write_candidates(folder, shared_data(), lang)  # type: ignore[arg-type]
    return folder


def _book(lang: str = "zh", name: str = "甲区") -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return openpyxl.load_workbook(_folder(lang) / f"{name}.xlsx")


def _all_text(book: Any) -> list[str]:
    return [c.value for sheet in book for row in sheet.iter_rows() for c in row if isinstance(c.value, str)]


@pytest.mark.parametrize(("lang", "names"), [("zh", SHEETS_ZH), ("en", SHEETS_EN)])
def test_sheets(lang: str, names: list[str]) -> None:
    assert _book(lang).sheetnames == names


def test_candidate_columns_are_the_contract() -> None:
    sheet = _book()["候选屋顶"]
    assert [cell.value for cell in sheet[1]] == CANDIDATES_ZH
    assert sheet.max_row - 1 == len(candidate_rows(shared_data(), "320703", "zh"))


def test_inverters_are_those_of_what_is_proposed() -> None:
    proposed = shared_data().campaign.candidates.set_index("building_id")["added_kwp"]
    sizes = {"220 V": 8.0, "380 V": 400.0, "10 kV": 6000.0}
    for row in _book()["候选屋顶"].iter_rows(min_row=2, values_only=True):
        count, unit = re.fullmatch(r"(\d+) × ([\d.]+) kW", row[22]).groups()
        kwp = proposed[row[1]]
        assert row[23] == next(voltage for voltage, limit in sizes.items() if kwp <= limit)
        found = size_inverters(kwp, 1.2)
        assert (int(count), float(unit)) == (found.count, found.unit_kw)
    layer = pyogrio.read_dataframe(_folder("zh") / "甲区.gpkg").set_index("building_id")
    assert (layer["added_kwp"] / layer["inverter_ac_kw"]).tolist() == pytest.approx(layer["dc_ac_ratio"].tolist())
    assert layer["dc_ac_ratio"].max() <= 1.2 + 1e-9
    assert (layer["existing_pv_kwp"] > 0).any()  # inverters are for what is still to be built
    assert (layer["inverter_ac_kw"] == layer["inverter_count"] * layer["inverter_unit_kw"]).all()


def test_english_sheet_has_no_chinese_headers() -> None:
    heads = [cell.value for cell in _book("en")["Candidates"][1]]
    assert len(heads) == len(CANDIDATES_ZH) and not any(re.search(r"[一-鿿]", head) for head in heads)


def test_numbers_are_numbers_and_ids_are_text() -> None:
    sheet = _book()["候选屋顶"]
    rows = list(sheet.iter_rows(min_row=2))
    assert [row[0].value for row in rows] == list(range(1, len(rows) + 1))
    for row in rows:
        assert isinstance(row[1].value, str) and len(row[1].value) == 6
        assert row[1].number_format == "@"
        for column in (11, 12, 13, 14, 15, 16, 17, 20, 21):
            assert isinstance(row[column].value, int | float), CANDIDATES_ZH[column]


def test_numbers_match_the_candidates_and_their_units() -> None:
    campaign = shared_data().campaign
    by_id = campaign.candidates.set_index("building_id")
    for row in _book()["候选屋顶"].iter_rows(min_row=2, values_only=True):
        truth = by_id.loc[row[1]]
        assert row[13] == pytest.approx(truth["added_kwp"], rel=5e-3)
        assert row[14] == pytest.approx(truth["added_annual_kwh"] / 1e4, rel=5e-3)
        assert row[15] == pytest.approx(truth["specific_yield_kwh_kwp"], rel=5e-3)
        assert row[16] == pytest.approx(truth["shading_loss"] * 100, rel=5e-3)
        assert row[14] == pytest.approx(row[13] * row[15] / 1e4, rel=2e-2)
        assert (row[20], row[21]) == (
            pytest.approx(truth["lon_gcj02"], abs=1e-6),
            pytest.approx(truth["lat_gcj02"], abs=1e-6),
        )


def test_english_energy_is_in_mwh() -> None:
    zh, en = (list(_book(lang).worksheets[4].iter_rows(min_row=2, values_only=True)) for lang in ("zh", "en"))
    assert en[0][14] == pytest.approx(zh[0][14] * 10, rel=1e-2)


def test_no_formula_no_link_and_nasty_text_survives() -> None:
    for name in ("甲区", "乙_区"):
        with zipfile.ZipFile(_folder("zh") / f"{name}.xlsx") as archive:
            sheets = [archive.read(n).decode() for n in archive.namelist() if n.startswith("xl/worksheets/sheet")]
            assert not any("<f>" in text or "<hyperlink" in text for text in sheets)
            assert not any("externalLink" in n or "vbaProject" in n for n in archive.namelist())
    texts = {text for name in ("甲区", "乙_区") for text in _all_text(_book("zh", name))}
    for nasty in NASTY:
        assert cell_text(nasty) in texts, repr(nasty)
    assert '=HYPERLINK("http://x")' in texts
    assert cell_text("a\x00b\x0bc") == "abc"


def test_text_that_looks_like_a_formula_is_marked_as_text() -> None:
    seen = 0
    for name in ("甲区", "乙_区"):
        for sheet in _book("zh", name):
            for cell in (c for row in sheet.iter_rows() for c in row):
                if isinstance(cell.value, str) and cell.value.startswith(("=", "+", "-", "@", "\t")):
                    assert cell.data_type == "s" and cell.quotePrefix
                    seen += 1
    assert seen >= 8


def test_panes_filters_and_print_setup() -> None:
    book = _book()
    for name in (*SHEETS_ZH[1:6], "口径说明"):  # the ledger holds several tables
        sheet = book[name]
        assert sheet.freeze_panes is not None and sheet.auto_filter.ref, name
        assert sheet.print_title_rows == "$1:$1", name
    for sheet in book:
        setup = sheet.page_setup
        # One page wide is the default that is left out of the file.
        assert (setup.orientation, int(setup.paperSize), setup.fitToHeight) == ("landscape", 9, 0)
        assert setup.fitToWidth in (None, 1)
        assert sheet.sheet_properties.pageSetUpPr.fitToPage


def test_columns_fit_chinese() -> None:
    sheet = _book()["候选屋顶"]
    for column, head in zip(sheet.columns, CANDIDATES_ZH, strict=True):
        letter = column[0].column_letter
        width = sheet.column_dimensions[letter].width
        longest = max(display_width(part) for part in head.replace("(", " (").split())
        assert width >= longest / 2 + 1, head
        for cell in column[1:]:
            if isinstance(cell.value, str):
                lines = -(-display_width(cell.value) // int(width * 1.04))
                height = sheet.row_dimensions[cell.row].height
                assert height >= min(lines * 15.0, 400), (head, cell.value)


@pytest.mark.parametrize(
    ("text", "width"),
    [
        ("", 0),
        ("kWh", 3),
        ("光伏", 4),
        ("ｍ²", 3),
        ("（㎡）", 6),
        ("𠮷野家", 6),
        ("e\u0301", 1),
        ("🏠", 2),
        ("光\nkWh", 3),
    ],
)
def test_width_is_that_of_what_is_seen(text: str, width: int) -> None:
    assert display_width(text) == width


def test_conclusion_answers_the_five_questions() -> None:
    text = "\n".join(_all_text(_book())[:60])
    for part in (
        "未达标",
        "差多少",
        "在哪里",
        "有多确定",
        "依据口径",
        "下一步",
        "组件投影面积 ÷ 可安装屋顶面积",
        "虚构数据",
    ):
        assert part in text
    english = "\n".join(_all_text(_book("en"))[:60])
    for part in ("Not met", "By how much", "Where", "How sure", "Which definition", "What next", "SYNTHETIC"):
        assert part in english


def test_the_open_buildings_come_first_in_the_survey_and_have_the_five_fields() -> None:
    sheet = _book("zh", "乙_区")["待核实"]
    heads = [cell.value for cell in sheet[1]]
    for field in ("自然人/非自然人户数", "屋面类型", "屋面荷载", "遮挡情况", "并网条件"):
        assert f"核实：{field}" in heads
    why = [row[6] for row in sheet.iter_rows(min_row=2, values_only=True)]
    assert why[0] == "决定是否计入指标" and why == sorted(
        why, key=["决定是否计入指标", "已列入补足缺口的组合", "安装前核实"].index
    )


def test_definitions_and_sources_are_complete() -> None:
    book = _book()
    text = "\n".join(_all_text(book))
    assert "新建公共机构建筑、新建厂房屋顶光伏覆盖率力争达到" in text and "专栏四-3" in text
    definitions = [row[1] for row in book["口径说明"].iter_rows(min_row=2, values_only=True)]
    assert sum(" ÷ " in str(item) and "：" not in str(item) for item in definitions) == 9
    assert "江苏 2022 年电力平均排放因子" in text
    assert "ab" * 32 in text and "3 栋建筑缺少高度" in text


def test_the_same_notice_of_several_inputs_stands_once() -> None:
    twice = ReportData(**{**shared_data().__dict__, "notices": (*NOTICES, NOTICES[1], NOTICES[0])})
    rows = notice_rows(twice, "zh")
    assert [(row["severity"], row["count"], row["examples"]) for row in rows] == [("注意", 6, "1"), ("说明", 32, "")]


def test_names_of_persons_are_withheld() -> None:
    texts = _all_text(_book())
    assert not any("张三" in text for text in texts) and any("自然人，未列出" in text for text in texts)
    assert "张三" not in (_folder("zh") / "甲区.csv").read_text(encoding="utf-8-sig")
    inputs = {"footprints": {"path": "b.gpkg"}, "irradiance": {"ghi": {"path": "g.tif", "unit": "kWh/m2/day"}}}
    asked = Config.model_validate({"name": "t", "inputs": inputs, "outputs": {"personal_names": True}})
    open_data = report_data(*shared(), config=asked)
    assert any("张三" in str(row["owner"]) for row in candidate_rows(open_data, "320703", "zh"))


def test_a_district_without_buildings_has_its_files() -> None:
    book = _book("zh", "空区")
    assert book.sheetnames == SHEETS_ZH
    assert "范围内无建筑" in _all_text(book) and book["候选屋顶"]["A2"].value == "没有屋顶通过筛选。"
    assert len(pyogrio.read_dataframe(_folder("zh") / "空区.gpkg")) == 0


def test_the_same_run_gives_the_same_bytes(tmp_path: Path) -> None:
    paths = write_candidates(tmp_path, shared_data(), "zh")
    assert [path.name for path in paths] == [
        f"{name}.{suffix}" for name in ("甲区", "乙_区", "空区") for suffix in ("xlsx", "csv", "gpkg")
    ]
    for path in paths:
        assert path.read_bytes() == (_folder("zh") / path.name).read_bytes(), path.name
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(p.name for p in paths)


def test_a_run_read_back_from_its_files_gives_the_same_list(tmp_path: Path) -> None:
    data = shared_data()
    roofs = data.tables.roofs
    roofs.to_parquet(tmp_path / "roofs.parquet", index=False)
    read = gpd.read_parquet(tmp_path / "roofs.parquet")
    tables = replace(data.tables, roofs=read)
    again = replace(report_data(tables, campaign_of(tables, default_pack())), title=data.title)
    for district in ("320703", "320706"):
        lists = [
            [[csv_cell(row.get(column.key), column) for column in CANDIDATE_COLUMNS] for row in rows]
            for rows in (candidate_rows(again, district, "zh"), candidate_rows(data, district, "zh"))
        ]
        assert lists[0] == lists[1]
        # Codes come back as arrays; what they say must not get lost.
        assert any("建筑高度（非实测）" in line[19] for line in lists[0]) or district == "320703"


def test_more_rows_than_a_sheet_holds_are_pointed_to(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sheet_module, "MAX_ROWS", 5)
    book = openpyxl.load_workbook(write_workbook(tmp_path / "a.xlsx", shared_data(), "320703"))
    rows = [row[0].value for row in book["候选屋顶"].iter_rows(min_row=2)]
    left = len(candidate_rows(shared_data(), "320703", "zh")) - 5
    assert rows == [1, 2, 3, 4, 5, f"其余 {left} 行见 CSV 文件。"]


def test_csv_is_the_same_rows_and_safe() -> None:
    raw = (_folder("zh") / "甲区.csv").read_bytes()
    assert raw.startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(io.StringIO(raw.decode("utf-8-sig"))))
    assert rows[0] == CANDIDATES_ZH
    sheet = list(_book()["候选屋顶"].iter_rows(min_row=2, values_only=True))
    assert len(rows) - 1 == len(sheet)
    for line, row in zip(rows[1:], sheet, strict=True):
        assert line[1] == row[1] and float(line[13]) == row[13]
        assert not any(cell.startswith(("=", "+", "@", "\t")) for cell in line)


def test_csv_cell_leaves_numbers_alone() -> None:
    number, text = SheetColumn(Text("n", "n"), "n", "quantity"), SheetColumn(Text("t", "t"), "t")
    assert csv_cell(-3.25, number) == "-3.25"
    assert csv_cell("-3.25", text) == "'-3.25"
    assert csv_cell("\t=1", text) == "'\t=1" and csv_cell("＝1+1", text) == "'＝1+1"
    assert csv_cell(None, text) == csv_cell(np.nan, number) == ""


def test_gpkg_has_the_same_rows_with_footprints() -> None:
    data = shared_data()
    frame = pyogrio.read_dataframe(_folder("zh") / "甲区.gpkg")
    rows = candidate_rows(data, "320703", "zh")
    assert frame["building_id"].tolist() == [row["building_id"] for row in rows]
    assert frame["number"].tolist() == [row["number"] for row in rows]
    assert frame.crs.to_epsg() == 4326
    roofs = data.tables.roofs.set_index("building_id")
    for building_id, shape in zip(frame["building_id"], frame.geometry, strict=True):
        assert shape.equals_exact(roofs.geometry[building_id], 1e-9) or shape.equals(roofs.geometry[building_id])
    assert not frame["owner"].astype(str).str.contains("张三").any()


def test_without_a_pack_the_workbook_still_has_its_sheets(tmp_path: Path) -> None:
    tables, campaign = make_tables(None)
    data = replace(report_data(tables, campaign), title="t")
    book = openpyxl.load_workbook(write_workbook(tmp_path / "a.xlsx", data, "320703"))
    assert book.sheetnames == SHEETS_ZH
    assert any("仅给出潜力" in text for text in _all_text(book))


@pytest.mark.parametrize(
    ("name", "fallback", "taken", "expected"),
    [
        ("海州区", "1", [], "海州区"),
        ("a/b:c*?", "1", [], "a_b_c__"),
        ("con", "1", [], "_con"),
        ("nul.txt", "1", [], "_nul.txt"),
        (" .. ", "7", [], "7"),
        (None, "7", [], "7"),
        ("A", "7", ["a"], "A_7"),
        ("A", "7", ["a", "a_7"], "A_2"),
        ("x\x00y\n", "7", [], "xy_"),
        ("../../etc/passwd", "7", [], "_.._etc_passwd"),
    ],
)
def test_file_names(name: str | None, fallback: str, taken: list[str], expected: str) -> None:
    assert file_name(name, fallback, taken) == expected


def test_long_file_names_stay_within_the_limit_of_file_systems() -> None:
    assert len(file_name("区" * 300, "1").encode()) <= 120


def test_sheet_names() -> None:
    assert sheet_name("街道(镇)") == "街道(镇)"
    assert sheet_name("a[1]:b/c\\d*?") == "a_1__b_c_d__"
    assert len(sheet_name("x" * 50)) == 31
    assert sheet_name("A", ["a"]) == "A_2"


def test_a_cell_holds_what_excel_can_hold() -> None:
    assert len(cell_text("x" * 40_000)) == 32_767 and cell_text("x" * 40_000).endswith("…")


def test_shown_numbers_claim_three_digits() -> None:
    assert shown_number(1234.56, "quantity") == 1230.0
    assert shown_number(0.012345, "quantity") == 0.0123
    assert shown_number(0.49876, "percent") == 0.499
    assert shown_number(119.1234567, "degree") == 119.123457


def test_default_pack_is_the_one_of_the_fixture() -> None:
    assert default_pack().id == "lianyungang"


@pytest.mark.parametrize(
    ("share", "target", "shown"),
    [
        (0.4996, 0.5, (0.4996, 2)),
        (0.50001, 0.5, (0.50001, 3)),
        (0.5, 0.5, (0.5, 1)),
        (0.47, 0.5, (0.47, 1)),
        (0.5 + 1e-12, 0.5, (0.5, 1)),
        (4.4e-6, 0.0, (4e-6, 4)),
        (0.0, 0.0, (0.0, 1)),
    ],
)
def test_a_share_stands_on_its_side_of_the_target(share: float, target: float, shown: tuple[float, int]) -> None:
    assert share_beside(share, target) == pytest.approx(shown, rel=1e-12)


def test_a_missed_target_never_reads_as_met_in_a_cell(tmp_path: Path) -> None:
    columns = (
        SheetColumn(Text("rate", "率"), "rate", "percent", against="goal"),
        SheetColumn(Text("goal", "目标"), "goal", "percent"),
        SheetColumn(Text("part", "占比"), "part", "percent", against=0.0),
    )
    rows = [{"rate": 0.4996, "goal": 0.5, "part": 4.4e-6}, {"rate": 0.4996, "goal": None, "part": None}]
    with xlsxwriter.Workbook(str(tmp_path / "b.xlsx")) as workbook:
        book = WorkbookSheets(workbook, "zh", "")
        book.table(book.add_sheet(Text("s", "s")), columns, rows)  # type: ignore[arg-type]
    cells = list(openpyxl.load_workbook(tmp_path / "b.xlsx")["s"].iter_rows(min_row=2))
    assert [(cell.value, cell.number_format) for cell in cells[0]] == [
        (0.4996, "0.00%"), (0.5, "0.0%"), (4e-6, "0.0000%"),
    ]  # fmt: skip
    assert [cell.value for cell in cells[1]] == [0.5, None, None] and cells[1][0].number_format == "0.0%"
