"""Quotas, capacity and what is not computed, as the report, the workbook and the CSV files show them."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pytest

from campaign_data import shared_data
from rooftop.core.lang import Lang
from rooftop.core.rounding import Interval
from rooftop.outputs.bundle import ReportData
from rooftop.outputs.report.findings import DefinitionResult
from rooftop.outputs.report.indicators import FILES, write_indicators
from rooftop.outputs.report.ledgers import capacity_rows, ledger_blocks, quota_rows, uncomputed_rows
from rooftop.outputs.report.page import render_report
from rooftop.outputs.report.sections import verdict_facts
from rooftop.outputs.workbook.book import write_workbook
from rooftop.targets import Stock, capacity_ledger, list_packs, load_pack, quota_table
from rooftop.targets.indicators import INDICATORS


@cache
def data(name: str) -> ReportData:
    """The shared example under another pack; campaign and coverage stay, the ledgers are the pack's."""
    shared, pack = shared_data(), load_pack(name)
    tables = shared.tables
    units = pd.DataFrame(tables.districts[["unit_id", "unit_name", "level"]])
    return replace(
        shared,
        pack=pack,
        indicators={
            "quotas": quota_table(Stock.from_tables(tables.roofs, tables.memberships, units, pack)),
            "capacity": capacity_ledger(Stock.from_tables(tables.roofs, tables.memberships, units, pack)),
        },
    )


def printed(name: str, lang: Lang) -> str:
    """Return everything the section of the report prints."""
    parts = []
    for block in ledger_blocks(data(name), lang):
        grid = block.grid
        cells = [cell.text for row in grid.rows for cell in row.cells]
        parts += [block.title, block.lead, grid.note, *(head.text for head in grid.heads), *cells]
    return "|".join(parts)


@pytest.mark.parametrize("name", list_packs())
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_every_number_that_is_not_computed_is_listed_with_its_reason(name: str, lang: Lang) -> None:
    text = printed(name, lang)
    for target in load_pack(name).targets:
        if target.computable.answer != "yes":
            assert target.computable.reason is not None
            assert target.value_text in text
            assert target.computable.reason.text.pick(lang) in text
    expected = {t.value_text for t in load_pack(name).targets if t.computable.answer != "yes"}
    assert {row["value"] for row in uncomputed_rows(data(name), lang)} == expected


def test_the_section_stands_in_the_report() -> None:
    html = render_report(shared_data(), "zh")
    section = html.partition("<h2>任务量与容量台账</h2>")[2].partition("</section>")[0]
    assert "规划任务量与存量建筑对照" in section
    assert "需绿色建筑标识台账" in section
    assert "本次数据边界中没有：东海、灌云、灌南、市开发区、徐圩新区。" in section
    # A district cannot exclude a zone that no boundary shows.
    assert "没有边界的功能区，其建筑仍计入所在县区。" in section


def test_quotas_of_units_in_the_data_and_names_of_the_others() -> None:
    rows = quota_rows(data("lianyungang"), "zh")
    retrofit = {row["name"]: row for row in rows if row["target_id"] == "retrofit_area"}
    # 320703, 320706 and 320707 are in the data, the zones of the plan are not.
    assert [name for name, row in retrofit.items() if isinstance(row["unit_id"], str)] == [
        "赣榆", "海州", "连云", "江苏省连云港市",
    ]  # fmt: skip
    assert retrofit["东海"]["state"] == "本次数据边界中没有该单元"
    assert retrofit["江苏省连云港市"]["state"] == "本数据含规划 8 个单元中的 3 个"
    assert retrofit["海州"]["stock_label"] == "既有建筑（规划期前竣工）"
    green = next(row for row in rows if row["target_id"] == "high_quality_green" and row["name"] == "海州")
    assert "未注明单位" in green["state"]


def test_a_quota_of_new_buildings_or_without_a_stock_says_so() -> None:
    table = data("lianyungang").indicators["quotas"]
    row = (table["target_id"] == "retrofit_area") & (table["name"] == "海州")

    def state(**changes: Any) -> str:
        changed = table[row].assign(**changes)
        return str(quota_rows(replace(data("lianyungang"), indicators={"quotas": changed}), "zh")[0]["state"])

    nothing = {"n_stock": 0, "stock_area_m2": 0.0, "quota_share": float("nan")}
    assert state(**nothing) == "没有已知 2021 年以前竣工的建筑"
    assert state(stock="new", **nothing) == "没有已知 2021–2025 年竣工的建筑"
    assert state(stock=pd.NA, n_stock=pd.NA, quota_share=float("nan")) == "政策包未指明对应存量，不作比较"
    assert state(n_stock=5, quota_share=1.2) == "任务量超过本数据中的存量"


def test_a_tiny_share_of_a_national_total_is_no_power_of_ten() -> None:
    found = data("national")
    changed = replace(found, indicators={"capacity": found.indicators["capacity"].assign(share_of_target=1.04e-7)})
    cells = {c.text for block in ledger_blocks(changed, "zh") for row in block.grid.rows for c in row.cells}
    assert "0.000010%" in cells and not any("e-" in text for text in cells)


def test_english_names_all_districts_in_english() -> None:
    text = printed("national", "en")
    assert "all districts" in text and "全部县区" not in text


def test_csv_files_carry_the_factor_with_its_year(tmp_path: Path) -> None:
    assert [path.name for path in write_indicators(tmp_path, data("lianyungang"))] == ["quotas.csv"]
    assert not (tmp_path / "capacity.csv").exists()  # this pack has none
    found = pd.read_csv(tmp_path / "quotas.csv", encoding="utf-8-sig")
    assert (tmp_path / "quotas.csv").read_bytes().startswith(b"\xef\xbb\xbf")
    factor = data("lianyungang").campaign.factor
    assert set(found["factor_year"]) == {factor.year}
    known = found[found["added_kwh"].notna()]
    assert known["avoided_kg"].tolist() == pytest.approx((known["added_kwh"] * factor.kg_kwh).tolist(), rel=1e-9)
    first = (tmp_path / "quotas.csv").read_bytes()
    write_indicators(tmp_path, data("lianyungang"))
    assert (tmp_path / "quotas.csv").read_bytes() == first
    assert [path.name for path in write_indicators(tmp_path, data("whole_county"))] == ["capacity.csv"]


def test_capacity_rows_put_installed_and_potential_side_by_side() -> None:
    rows = capacity_rows(data("national"), "en", ("city", "district"))
    assert rows[0]["unit_name"] == "all districts"
    assert rows[0]["target_kwp"] == 0.5e8
    assert rows[0]["potential_capacity_kwp"] == pytest.approx(
        sum(row["potential_capacity_kwp"] for row in rows if row["level"] == "district"), rel=1e-9
    )
    assert "全国总量未分解到地方" in printed("national", "zh")


def test_the_workbook_shows_the_same(tmp_path: Path) -> None:
    for name, words in (
        ("lianyungang", ("既有建筑绿色节能改造面积", "需绿色建筑标识台账")),
        ("national", ("0.5亿kW",)),
    ):
        path = write_workbook(tmp_path / f"{name}.xlsx", data(name), "320703")
        sheet = openpyxl.load_workbook(path)["任务量与容量"]
        text = [str(cell.value) for row in sheet.iter_rows() for cell in row if cell.value is not None]
        for word in words:
            assert word in text
        assert any("碳减排" in cell for cell in text)


def test_the_first_page_says_where_the_definition_decides() -> None:
    finding = next(f for f in shared_data().findings if f.level == "district" and f.unit_id == "320703")
    assert finding.deciding is None  # all nine agree
    turned = tuple(
        DefinitionResult(d.numerator, d.denominator, Interval(0.5, 0.6, 0.7), "yes", False)
        if d.numerator == "used"
        else d
        for d in finding.definitions
    )
    other = replace(finding, definitions=turned)
    assert other.deciding is not None
    assert other.deciding.zh == (
        "9 种口径中，达标 3 种（布置区÷总面积、布置区÷净面积、布置区÷可安装）；未达标 6 种（组件÷总面积、组件÷净面积、"
        "组件÷可安装、方阵÷总面积、方阵÷净面积、方阵÷可安装）"
    )
    facts = {fact.name.zh: fact for fact in verdict_facts(other, shared_data())}
    assert facts["口径决定结论"].tone == "flip"
    assert "口径决定结论" not in {fact.name.zh for fact in verdict_facts(finding, shared_data())}


def test_what_is_computed_is_written_and_nothing_else_is() -> None:
    assert {file.table.name for file in FILES} == {indicator.table.name for indicator in INDICATORS}
