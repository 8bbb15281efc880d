"""Tables for spreadsheets: ids stay text in ``tables.xlsx``, nothing is a formula, CSV files read back as they were."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import openpyxl
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaign_data import default_pack, shared, shared_data
from rooftop.outputs.bundle import ReportData, campaign_of, report_data
from rooftop.outputs.guard import FORMULA_STARTS, guard, guard_columns, unguard, unguard_columns
from rooftop.outputs.store import RunTables, read_tables, write_tables
from rooftop.outputs.workbook import table_book
from rooftop.outputs.workbook.table_book import write_table_book

IDS = (
    "00123",
    "1E10",
    "2021-01",
    "3-4",
    "MAR1",
    "1/2",
    "=1+1",
    "+86",
    "-1",
    "@x",
    "'=1",
    "NA",
    "null",
    "320706199901011234",
)


@given(st.text(alphabet=st.sampled_from([*FORMULA_STARTS, "'", "1", "a", " ", "Ａ"]), max_size=6))
def test_a_guarded_text_is_no_formula_and_comes_back(text: str) -> None:
    assert unguard(guard(text)) == text
    assert not guard(text).startswith(FORMULA_STARTS)
    assert guard(text) == text or text.lstrip("'").startswith(FORMULA_STARTS)


def test_columns_are_guarded_and_numbers_are_not() -> None:
    frame = pd.DataFrame(
        {"id": ["=1", None, "a"], "x": [-1.5, None, 2.0], "b": pd.array([True, None, False], dtype="boolean")}
    )
    out = guard_columns(frame)
    assert out["id"].tolist()[::2] == ["'=1", "a"] and out["id"].isna()[1]
    pd.testing.assert_frame_equal(out[["x", "b"]], frame[["x", "b"]])
    pd.testing.assert_frame_equal(unguard_columns(out), frame)


def renamed() -> RunTables:
    """The tables of the made-up run, its units and buildings called as spreadsheets misread them."""
    tables = shared()[0]
    units = dict(zip(tables.districts["unit_id"].astype(str), IDS, strict=False))
    buildings = dict(zip(tables.roofs["building_id"].astype(str), IDS, strict=False))

    def of(frame: pd.DataFrame, **maps: dict[str, str]) -> pd.DataFrame:
        new = {n: frame[n].astype(str).map(lambda v, m=m: m.get(v, v)).astype("string") for n, m in maps.items()}
        return frame.assign(**new)

    districts = of(tables.districts, unit_id=units)
    coverage = of(tables.coverage[tables.coverage["is_default"].astype(bool)], unit_id=units)
    return replace(
        tables,
        roofs=of(tables.roofs, building_id=buildings, district_id=units, town_id=units),
        memberships=of(tables.memberships, building_id=buildings, unit_id=units),
        districts=districts.assign(unit_name=districts["unit_id"]),
        coverage=coverage.assign(unit_name=coverage["unit_id"]),
    )


@pytest.fixture(scope="module")
def data() -> ReportData:
    return replace(report_data(renamed(), campaign_of(renamed(), default_pack())), title="=HYPERLINK(1)")


def test_every_text_is_a_text_cell_and_every_number_a_number(data: ReportData, tmp_path: Path) -> None:
    book = openpyxl.load_workbook(write_table_book(tmp_path, data))
    assert book.sheetnames[0] == "说明" and {"districts", "coverage", "pv_or_thermal"} <= set(book.sheetnames)
    frame = data.tables.districts
    sheet = book["districts"]
    assert [cell.value for cell in sheet["A"]][1:] == frame["unit_id"].tolist()
    for name in book.sheetnames[1:]:
        for row in book[name].iter_rows(min_row=2):
            assert all(cell.data_type in ("s", "n", "b") for cell in row)
    names = [str(cell.value).split("\n")[-1] for cell in sheet[1]]
    row = dict(zip(names, sheet[2], strict=True))
    assert row["unit_id"].data_type == "s" and row["unit_id"].number_format == "@"
    assert row["capacity_kwp"].value == pytest.approx(frame["capacity_kwp"].iloc[0], rel=1e-9)
    formula = next(cell for cell in sheet["A"] if cell.value == "=1+1")
    assert formula.quotePrefix and formula.data_type == "s"
    assert any("00123" in str(cell.value) for cell in book["说明"]["A"])


def test_the_csv_files_hold_no_formula_and_read_back_the_same(data: ReportData, tmp_path: Path) -> None:
    tables = data.tables.conformed()
    write_tables(tmp_path, tables)
    for name in ("districts.csv", "coverage.csv"):
        rows = list(csv.DictReader((tmp_path / name).read_text(encoding="utf-8-sig").splitlines()))
        assert not [row for row in rows if row["unit_id"].startswith(FORMULA_STARTS)]
        assert not [row for row in rows if row["unit_name"].startswith(FORMULA_STARTS)]
        assert {"00123", "1E10", "'=1+1", "'+86"} <= {row["unit_id"] for row in rows}
    again = read_tables(tmp_path)
    for name in ("unit_id", "unit_name"):
        assert again.coverage[name].tolist() == tables.coverage[name].tolist()


def test_the_same_tables_give_the_same_bytes_and_an_english_book(data: ReportData, tmp_path: Path) -> None:
    first, second = (write_table_book(tmp_path / name, data).read_bytes() for name in "ab")
    assert first == second
    book = openpyxl.load_workbook(write_table_book(tmp_path, data, "en"))
    assert book.sheetnames[0] == "About" and "double click" in str([c.value for c in book["About"]["A"]])


def test_a_table_that_is_too_long_is_shown_in_part_and_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    own = int(shared_data().tables.coverage["is_default"].sum())  # of some thousand rows
    monkeypatch.setattr(table_book, "MAX_ROWS", own)
    book = openpyxl.load_workbook(write_table_book(tmp_path, shared_data()))
    about = {row[0]: row for row in book["说明"].iter_rows(min_row=2, values_only=True)}
    assert about["coverage"][2] == own and "默认口径" in about["coverage"][4]
    assert book["coverage"].max_row == own + 1
    monkeypatch.setattr(table_book, "MAX_ROWS", 3)
    book = openpyxl.load_workbook(write_table_book(tmp_path, shared_data()))
    assert "coverage" not in book.sheetnames and "districts" not in book.sheetnames
    assert "见 CSV" in {row[0]: row for row in book["说明"].iter_rows(values_only=True)}["districts"][4]
