"""The audit of declared projects as CSV or workbook."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import xlsxwriter

from rooftop.core.errors import UsageError
from rooftop.core.lang import Lang, Text
from rooftop.outputs.files import write_at_once
from rooftop.outputs.workbook.candidates import write_csv
from rooftop.outputs.workbook.sheet import SheetColumn, WorkbookSheets
from rooftop.targets.audit import VERDICTS, AuditResult, modules_needed_m2

_DECLARED = {
    "area_m2": Text("roof area declared (m²)", "申报屋顶面积(㎡)"),
    "capacity_kw": Text("capacity declared (kW)", "申报装机容量(kW)"),
    "annual_kwh": Text("annual energy declared (kWh)", "申报年发电量(kWh)"),
    "module_area_m2": Text("module area declared (m²)", "申报组件面积(㎡)"),
    "year": Text("year declared", "申报年份"),
}
_PROJECT = {"name": Text("project", "项目"), "district": Text("district", "县区"), "verdict": Text("verdict", "结论")}
COLUMNS = (
    SheetColumn(Text("row", "行号"), "row", "count"),
    *(SheetColumn(label, key) for key, label in _PROJECT.items()),
    SheetColumn(Text("why", "物理依据"), "why", "wrap", 70),
    *(SheetColumn(label, key, "exact") for key, label in _DECLARED.items()),
    SheetColumn(Text("module area the capacity needs (m²)", "装机约需组件面积(㎡)"), "needed_m2", "quantity"),
    SheetColumn(Text("sunlight taken from", "辐照取值地"), "place"),
    SheetColumn(Text("not declared or not readable", "未申报或无法识别"), "missing", "wrap", 24),
)


def audit_rows(audited: Sequence[AuditResult], lang: Lang) -> list[dict[str, Any]]:
    """Return a row for each project: what was declared, unchanged, and what was found."""
    join = "；" if lang == "zh" else "; "
    return [
        {
            "row": item.project.row,
            "name": item.project.name,
            "district": item.project.district,
            "verdict": VERDICTS[item.verdict].pick(lang),
            "why": join.join(check.text.pick(lang) for check in item.checks),
            **{key: getattr(item.project, key) for key in _DECLARED},
            "needed_m2": None if item.project.capacity_kw is None else modules_needed_m2(item.project.capacity_kw),
            "place": item.place.text.pick(lang),
            "missing": None if item.missing is None else item.missing.pick(lang),
        }
        for item in audited
    ]


def check_audit_path(path: Path) -> None:
    """Refuse a file that cannot be written, before anything is read.

    Raises
    ------
    UsageError
        Neither ``.csv`` nor ``.xlsx``.
    """
    if path.suffix.lower() not in (".csv", ".xlsx"):
        raise UsageError(
            Text("the result cannot be written in this format", "结果不支持写为这种格式"),
            where="-o",
            found=str(path),
            expected=".csv, .xlsx",
            mend=Text("give the file one of these endings", "请改用上述扩展名"),
        )


def write_audit(path: Path, audited: Sequence[AuditResult], lang: Lang = "zh") -> Path:
    """Write the audit, whole or not at all; text that looks like a formula stays text.

    Raises
    ------
    UsageError
        `path` ends in neither ``.csv`` nor ``.xlsx``.
    """
    check_audit_path(path)
    rows = audit_rows(audited, lang)
    if path.suffix.lower() == ".csv":
        return write_at_once(path, lambda part: write_csv(part, COLUMNS, rows, lang))
    return write_at_once(path, lambda part: _workbook(part, rows, lang))


def _workbook(path: Path, rows: Sequence[dict[str, Any]], lang: Lang) -> None:
    options = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False, "in_memory": True}
    with xlsxwriter.Workbook(str(path), options) as workbook:
        title = Text("Audit of declared projects", "申报项目合理性核查")
        book = WorkbookSheets(workbook, lang, title.pick(lang))
        empty = Text("No project is declared.", "没有申报项目。")
        book.table(book.add_sheet(title), COLUMNS, rows, empty=empty)
