"""Without any inventory of existing PV nothing is zero, nobody is named as falling short, and every product says so."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import openpyxl
import pandas as pd
import pytest
from rich.cells import cell_len

from campaign_data import default_pack, shared
from rooftop.cli.summary import summary_lines
from rooftop.job.aggregate import unit_table
from rooftop.job.products import with_coverage
from rooftop.outputs.bundle import ReportData, report_data
from rooftop.outputs.map.payload import unit_payload
from rooftop.outputs.report.page import render_report
from rooftop.outputs.workbook.book import write_workbook
from rooftop.outputs.workbook.rows import candidate_rows
from rooftop.outputs.workbook.table_book import write_table_book


@pytest.fixture(scope="module")
def data() -> ReportData:
    """The made-up run, of which nobody states existing PV."""
    tables, _ = shared()
    roofs = tables.roofs.assign(existing_pv_kwp=np.nan)
    units = pd.DataFrame(tables.districts[["unit_id", "unit_name", "level"]])
    summed = pd.DataFrame(roofs.drop(columns="geometry")).assign(capacity_low_kwp=1.0, capacity_high_kwp=2.0)
    districts = unit_table(summed, tables.memberships, units)
    shown = tables.districts.assign(**{name: districts[name].to_numpy() for name in districts})  # type: ignore[arg-type]
    pack = default_pack()
    tables, campaign, _ = with_coverage(replace(tables, roofs=roofs, districts=shown), pack)
    return replace(report_data(tables, campaign), title="示例市")


def test_no_unit_has_none(data: ReportData) -> None:
    assert not data.inventory and data.tables.districts["existing_pv_kwp"].isna().all()
    assert set(unit_payload(data.tables.districts, "zh")["existing"]) == {None}
    own = data.tables.coverage
    for kind in ("installed", "planned"):
        rows = own[(own["kind"] == kind) & (own["denominator_m2"] > 0)]
        assert len(rows) and rows["coverage"].isna().all() and rows["numerator_m2"].isna().all()
        assert (rows["coverage_low"] <= rows["coverage_high"]).all() and (rows["coverage_high"] > 0).all()


def test_nobody_is_named(data: ReportData) -> None:
    assert data.campaign.short.empty and not data.campaign.planned.any()
    assert not (data.campaign.candidates["tier"] == 1).any()
    why = [row["recommendation"] for row in candidate_rows(data, "320703", "zh")]
    assert any("已装光伏不明" in text for text in why) and not any("未达标" in text for text in why)


@pytest.mark.parametrize(
    ("lang", "known", "short"),
    [("zh", "不明", "无法判断哪些建筑未达标"), ("en", "not known", "no building can be said to fall short")],
)
def test_report_and_workbook_say_so(data: ReportData, tmp_path: Path, lang: Any, known: str, short: str) -> None:
    page = render_report(data, lang)
    assert short in page and known in page
    book = openpyxl.load_workbook(write_workbook(tmp_path / "a.xlsx", data, "320703", lang))
    districts, shortfalls = book.worksheets[1], book.worksheets[3]
    head = [cell.value for cell in districts[1]]
    at = next(k for k, name in enumerate(head) if str(name).startswith(("已装容量", "Existing PV")))
    assert {row[at] for row in districts.iter_rows(min_row=2, max_row=5, values_only=True)} == {known}
    assert short in str(shortfalls["A2"].value)
    tables = openpyxl.load_workbook(write_table_book(tmp_path, data, lang))["districts"]
    column = next(k for k, cell in enumerate(tables[1]) if str(cell.value).endswith("existing_pv_kwp"))
    assert {row[column] for row in tables.iter_rows(min_row=2, values_only=True)} == {None}


@pytest.mark.parametrize(("lang", "known", "undecided"), [("zh", "不明", "不能判定"), ("en", "not known", "undecided")])
def test_the_terminal_says_so(data: ReportData, lang: Any, known: str, undecided: str) -> None:
    config = SimpleNamespace(title="t", name="t", synthetic=False)
    products = SimpleNamespace(map=None, report=None, candidates=())
    record = SimpleNamespace(notices=())
    result: Any = SimpleNamespace(tables=data.tables, config=config, products=products, record=record, out=Path("out"))
    lines = summary_lines(result, lang)
    total = next(line for line in lines if line.startswith(("合计", "all")))
    ruler = next(line for line in lines if set(line) == {"-"})
    assert cell_len(total) == len(ruler)  # columns line up, Chinese or not
    assert known in total and undecided in total
    assert not any(" 0.0 % " in line for line in lines if line.startswith(("甲区", "合计", "all")))
