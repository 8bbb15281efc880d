"""``tables.xlsx``: the CSV tables of a run in one workbook, ids as text, for people who open tables in a spreadsheet.

A spreadsheet that opens a CSV makes 123 of 00123, 1.00E+10 of 1E10 and a date of 2-3; nothing in a CSV can tell it not
to.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pandas as pd
import xlsxwriter
from xlsxwriter.worksheet import Worksheet

from rooftop.core.lang import Lang, Text
from rooftop.core.rounding import is_missing
from rooftop.outputs.bundle import ReportData
from rooftop.outputs.files import write_at_once
from rooftop.outputs.guard import FORMULA_STARTS
from rooftop.outputs.report.indicators import FILES
from rooftop.outputs.workbook.sheet import SheetColumn, WorkbookSheets, cell_text, display_width
from rooftop.tables import COVERAGE, DISTRICTS, TIMELINE, Table

NAME = "tables.xlsx"
MAX_ROWS = 50_000
"""A sheet beyond this is slow to open: the CSV holds the whole table."""
_CREATED = dt.datetime(2000, 1, 1)  # a fixed date: the same run gives the same bytes
_SAMPLE = 200
_ABOUT = (
    SheetColumn(Text("Sheet", "工作表"), "sheet"),
    SheetColumn(Text("What it holds", "内容"), "what", "wrap", 52),
    SheetColumn(Text("Rows here", "本表行数"), "rows", "count"),
    SheetColumn(Text("Whole table", "完整数据"), "file"),
    SheetColumn(Text("Note", "说明"), "note", "wrap", 46),
)
_WHY = Text(
    "The same tables as the CSV files beside it. Codes and ids are text here. A spreadsheet that opens a CSV by a "
    "double click turns 00123 into 123, 1E10 into a number and 2-3 into a date; import a CSV with those columns as "
    "text (Data, From Text/CSV), or use this workbook.",
    "内容与同目录下的 CSV 文件相同，代码与编号在此均为文本。用 Excel 或 WPS 直接双击打开 CSV，会把 00123 变成 123、"
    "1E10 变成数值、2-3 变成日期；请使用本工作簿，或通过“数据→自文本/CSV”导入并将这些列设为文本。",
)

_CONTENTS = (
    (DISTRICTS, Text("sums of districts, towns and zones", "县区、街道（镇）、功能区汇总")),
    (COVERAGE, Text("coverage of every unit under every definition", "各单元各口径覆盖率")),
    (TIMELINE, Text("coverage by year, and what is still needed", "历年覆盖率与尚需建设量")),
    *((file.table, file.label) for file in FILES),
)


@dataclass(frozen=True)
class _Sheet:
    """One table of the workbook."""

    name: str
    table: Table
    what: Text
    frame: pd.DataFrame
    note: Text


def write_table_book(folder: Path, data: ReportData, lang: Lang = "zh") -> Path:
    """Write ``tables.xlsx``, whole or not at all; the same data give the same bytes.

    A table of more than `MAX_ROWS` rows is shown in part: coverage by the pack's own definition, others not at all.
    """
    return write_at_once(folder / NAME, partial(_write, data=data, lang=lang))


def _sheets(data: ReportData) -> Iterator[_Sheet]:
    tables = data.tables
    frames = {
        "districts": pd.DataFrame(tables.districts.drop(columns="geometry", errors="ignore")),
        "coverage": tables.coverage,
        "timeline": tables.timeline,
        **{file.table.name: data.indicator(file.table) for file in FILES},
    }
    for table, what in _CONTENTS:
        frame = frames[table.name]
        if frame is not None and not frame.empty:
            yield _Sheet(table.name, table, what, *_rows_that_fit(table.name, frame))


def _rows_that_fit(name: str, frame: pd.DataFrame) -> tuple[pd.DataFrame, Text]:
    """Return the rows that a sheet shows, and what is left out."""
    if len(frame) <= MAX_ROWS:
        return frame, Text("", "")
    kept = frame[frame["is_default"].fillna(False).astype(bool)] if name == "coverage" else frame.iloc[:0]
    if len(kept) > MAX_ROWS:
        kept = kept.iloc[:0]
    if kept.empty:
        return kept, Text(
            f"{len(frame):,} rows are too many for a sheet: see the CSV",
            f"共 {len(frame):,} 行，超出工作表容量，见 CSV",
        )
    return kept, Text("the pack's own definition only: all others are in the CSV", "仅列政策包默认口径，其余见 CSV")


def _write(path: Path, *, data: ReportData, lang: Lang) -> None:
    options = {
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
        "constant_memory": True,
    }
    sheets = list(_sheets(data))
    with xlsxwriter.Workbook(str(path), options) as workbook:
        workbook.set_properties({"title": cell_text(data.title), "created": _CREATED})
        book = WorkbookSheets(workbook, lang, data.title)
        _about(book, data, sheets)
        for sheet in sheets:
            if len(sheet.frame):
                _fill(book, workbook.add_worksheet(sheet.name), sheet, lang)


def _about(book: WorkbookSheets, data: ReportData, sheets: list[_Sheet]) -> None:
    sheet = book.add_sheet(Text("About", "说明"))
    rows = [
        {
            "sheet": s.name,
            "what": s.what.pick(book.lang),
            "rows": len(s.frame),
            "file": f"{s.name}.csv",
            "note": s.note.pick(book.lang),
        }
        for s in sheets
    ]
    row = book.table(sheet, _ABOUT, rows, repeat=False)
    synthetic = (
        Text("SYNTHETIC DATA: nothing here exists. ", "虚构数据，仅供演示。") if data.synthetic else Text("", "")
    )
    book.plain(sheet, row + 1, 0, synthetic.pick(book.lang) + _WHY.pick(book.lang), font_color="#555555")


def _fill(book: WorkbookSheets, sheet: Worksheet, content: _Sheet, lang: Lang) -> None:
    """Write a table as it is: texts as text cells, numbers as numbers, nothing for null."""
    text, quoted = book.format(num_format="@"), book.format(num_format="@", quote_prefix=True)
    frame = content.frame
    known = {column.name: column.label for column in content.table.columns}
    heads = [f"{known[n].pick(lang)}\n{n}" if n in known else n for n in map(str, frame.columns)]
    for k, (name, head) in enumerate(zip(frame.columns, heads, strict=True)):
        widest = max([display_width(cell_text(v)) for v in frame[name].head(_SAMPLE).astype(object)], default=0)
        sheet.set_column(k, k, min(max(widest, display_width(head) / 1.5, 8), 32) + 1.5)
        sheet.write_string(0, k, head, book.header)
    sheet.set_row(0, 46)
    sheet.freeze_panes(1, 2)
    sheet.autofilter(0, 0, len(frame), len(heads) - 1)
    for r, row in enumerate(frame.astype(object).itertuples(index=False), start=1):
        for k, value in enumerate(row):
            if is_missing(value):
                continue
            if isinstance(value, str):
                word = cell_text(value)
                sheet.write_string(r, k, word, quoted if word.startswith(FORMULA_STARTS) else text)
            elif isinstance(value, bool):
                sheet.write_boolean(r, k, value)
            else:
                sheet.write_number(r, k, float(f"{float(value):.10g}"))
