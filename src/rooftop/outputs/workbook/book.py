"""The workbook of a district: conclusion, units, shortfalls, candidates, what to verify, definitions, sources."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import xlsxwriter
from xlsxwriter.worksheet import Worksheet

from rooftop.campaign.survey import load_survey_rules
from rooftop.core.lang import Lang, Text
from rooftop.core.rounding import is_missing
from rooftop.outputs.bundle import ReportData
from rooftop.outputs.report.ledgers import capacity_rows, quota_rows, uncomputed_rows
from rooftop.outputs.report.sections import Fact, key_numbers, target_title, verdict_facts
from rooftop.outputs.verdicts import Verdict
from rooftop.outputs.workbook.lists import (
    assumption_rows,
    nobody_short,
    notice_rows,
    policy_rows,
    result_rows,
    short_rows,
    source_rows,
    survey_rows,
    unit_rows,
)
from rooftop.outputs.workbook.rows import (
    CANDIDATE_COLUMNS,
    ENERGY,
    ENERGY_SCALE,
    NOT_KNOWN,
    TOWN_AND_OWNER,
    WHICH_BUILDING,
    candidate_rows,
)
from rooftop.outputs.workbook.sheet import SheetColumn, WorkbookSheets
from rooftop.targets.columns import text_column
from rooftop.targets.listing import value_label

SHEETS = {
    "conclusion": Text("Conclusion", "结论"),
    "districts": Text("Districts", "县区"),
    "towns": Text("Towns", "街道(镇)"),
    "short": Text("New buildings short", "未达标新建建筑"),
    "candidates": Text("Candidates", "候选屋顶"),
    "verify": Text("To verify", "待核实"),
    "ledger": Text("Quotas and capacity", "任务量与容量"),
    "definitions": Text("Definitions", "口径说明"),
    "sources": Text("Sources", "数据来源"),
}
# A fixed date: the same run gives the same bytes.
_CREATED = dt.datetime(2000, 1, 1)
_TONES = {
    "good": {"bg_color": "#E3F1E4", "font_color": "#1E5B24"},
    "bad": {"bg_color": "#F9E3E0", "font_color": "#8C2318"},
    "open": {"bg_color": "#FBF1D5", "font_color": "#7A5600"},
    "flip": {"bg_color": "#FBF1D5"},
    "": {},
}
_UNIT = (
    SheetColumn(Text("Unit", "名称"), "unit_name"),
    SheetColumn(Text("Level", "层级"), "level_label"),
    SheetColumn(Text("Code", "代码"), "unit_id"),
    SheetColumn(Text("Buildings", "建筑数"), "n_buildings", "count"),
    SheetColumn(Text("Usable roofs", "可用屋顶数"), "n_ok", "count"),
    SheetColumn(Text("Roofs to survey", "待核实屋顶数"), "n_needs_survey", "count"),
    SheetColumn(Text("Excluded roofs", "排除屋顶数"), "n_excluded", "count"),
    SheetColumn(Text("Roof area (m²)", "屋顶面积(㎡)"), "gross_area_m2", "quantity"),
    SheetColumn(Text("Installable area (m²)", "可安装面积(㎡)"), "installable_area_m2", "quantity"),
    SheetColumn(Text("New capacity (kWp)", "可新增容量(kWp)"), "capacity_kwp", "quantity"),
    SheetColumn(ENERGY, "energy", "quantity"),
    SheetColumn(Text("Specific yield (kWh/kWp)", "年等效利用小时数(h)"), "specific_yield_kwh_kwp", "quantity"),
    SheetColumn(Text("Existing PV (kWp)", "已装容量(kWp)"), "existing_pv_kwp", "quantity"),
    SheetColumn(Text("Target", "指标"), "target_text", "wrap", 26),
    SheetColumn(Text("Buildings in scope", "范围内建筑数"), "n_scope", "count"),
    SheetColumn(Text("Of unknown membership", "归属不明建筑数"), "n_unknown", "count"),
    SheetColumn(Text("Installed coverage", "已装覆盖率"), "coverage", "percent", against="target"),
    SheetColumn(Text("Low bound", "下限"), "coverage_low", "percent", against="target"),
    SheetColumn(Text("High bound", "上限"), "coverage_high", "percent", against="target"),
    SheetColumn(Text("Target value", "目标值"), "target", "percent"),
    SheetColumn(Text("Met?", "是否达标"), "verdict_text"),
    SheetColumn(Text("Gap (m²)", "缺口面积(㎡)"), "gap_m2", "quantity"),
    SheetColumn(Text("Gap (kWp)", "缺口容量(kWp)"), "gap_kwp", "quantity"),
    SheetColumn(
        Text("Coverage with the selected roofs", "实施所选屋顶后覆盖率"), "planned", "percent", against="target"
    ),
    SheetColumn(Text("Potential coverage", "潜力覆盖率"), "potential", "percent", against="target"),
)
_FACTS_OF_UNITS = next(k for k, column in enumerate(_UNIT) if column.key == "target_text")
_SHORT = (
    *WHICH_BUILDING,
    *TOWN_AND_OWNER,
    SheetColumn(Text("Use", "建筑用途"), "use"),
    SheetColumn(Text("Public institution", "是否公共机构"), "public"),
    SheetColumn(Text("Completed", "竣工日期"), "completed"),
    SheetColumn(Text("Group", "指标类别"), "group"),
    SheetColumn(Text("In scope?", "是否属范围"), "membership_label"),
    SheetColumn(Text("Installable area (m²)", "可安装面积(㎡)"), "installable_area_m2", "quantity"),
    SheetColumn(Text("Existing PV (kWp)", "已装容量(kWp)"), "existing_pv_kwp", "quantity"),
    SheetColumn(Text("Installed coverage", "已装覆盖率"), "coverage", "percent", against="target"),
    SheetColumn(Text("Target value", "目标值"), "target", "percent"),
    SheetColumn(Text("Gap (m²)", "缺口面积(㎡)"), "gap_m2", "quantity"),
    SheetColumn(Text("Gap (kWp)", "缺口容量(kWp)"), "gap_kwp", "quantity"),
    SheetColumn(Text("New capacity of the roof (kWp)", "屋顶可新增容量(kWp)"), "capacity_kwp", "quantity"),
    SheetColumn(Text("Potential coverage", "潜力覆盖率"), "coverage_potential", "percent", against="target"),
    SheetColumn(Text("Own roof can close it?", "自身屋顶能否补足"), "attainable_label"),
)
_QUOTAS = (
    SheetColumn(Text("Target", "指标"), "target_label", "wrap", 22),
    SheetColumn(Text("Unit", "单元"), "name"),
    SheetColumn(Text("Level", "层级"), "level_label"),
    SheetColumn(Text("Quota as written", "任务量（原文）"), "value", "exact"),
    SheetColumn(Text("Unit of the quota", "任务量单位"), "unit_label", "wrap", 14),
    SheetColumn(Text("Buildings meant", "对应建筑"), "stock_label", "wrap", 18),
    SheetColumn(Text("Number", "对应建筑数"), "n_stock", "count"),
    SheetColumn(Text("Year unknown", "竣工时间不明数"), "n_year_unknown", "count"),
    SheetColumn(Text("Floor area (m²)", "对应建筑面积(㎡)"), "stock_area_m2", "quantity"),
    SheetColumn(Text("Quota ÷ floor area", "任务量占比"), "quota_share", "percent"),
    SheetColumn(Text("Roofs that fill it best", "优选改造屋顶数"), "n_filled", "count"),
    SheetColumn(Text("PV that fits (kWp)", "可新增容量(kWp)"), "added_kwp", "quantity"),
    SheetColumn(Text("Low (kWp)", "下限(kWp)"), "added_low_kwp", "quantity"),
    SheetColumn(Text("High (kWp)", "上限(kWp)"), "added_high_kwp", "quantity"),
    SheetColumn(Text("Not chosen by roof (kWp)", "不择优时(kWp)"), "added_mean_kwp", "quantity"),
    SheetColumn(Text("CO₂ avoided (t/a)", "年减排(t)"), "avoided_t", "quantity"),
    SheetColumn(Text("Note", "说明"), "state", "wrap", 26),
)
_CAPACITY = (
    SheetColumn(Text("Target", "指标"), "target_label", "wrap", 22),
    SheetColumn(Text("Unit", "单元"), "unit_name"),
    SheetColumn(Text("Level", "层级"), "level_label"),
    SheetColumn(Text("Capacity asked for (kWp)", "目标容量(kWp)"), "target_kwp", "quantity"),
    SheetColumn(Text("Buildings", "建筑数"), "n_buildings", "count"),
    SheetColumn(Text("Of unknown membership", "归属不明建筑数"), "n_unknown", "count"),
    SheetColumn(Text("Installed (kWp)", "已装(kWp)"), "installed_capacity_kwp", "quantity"),
    SheetColumn(Text("Installed ÷ target", "已装占目标"), "installed_share_of_target", "percent", against=0.0),
    SheetColumn(Text("Potential (kWp)", "潜力(kWp)"), "potential_capacity_kwp", "quantity"),
    SheetColumn(Text("Low bound (kWp)", "潜力下限(kWp)"), "potential_capacity_low_kwp", "quantity"),
    SheetColumn(Text("Potential ÷ target", "潜力占目标"), "potential_share_of_target", "percent", against=0.0),
    SheetColumn(ENERGY, "energy", "quantity"),
    SheetColumn(Text("CO₂ avoided (t/a)", "年减排(t)"), "avoided_t", "quantity"),
)
_UNCOMPUTED = (
    Text("Not computed", "未（完全）计算的指标"),
    Text("Value", "数值"),
    Text("State", "状态"),
    Text("Why", "原因"),
)
_DEFINITIONS = (
    SheetColumn(Text("Topic", "类别"), "topic", "wrap", 22),
    SheetColumn(Text("Item", "条目"), "item", "wrap", 46),
    SheetColumn(Text("Content", "内容"), "content", "wrap", 60),
    SheetColumn(Text("Source", "依据"), "source", "wrap", 60),
)
_SOURCES = (
    SheetColumn(Text("Input", "数据"), "role", "wrap", 24),
    SheetColumn(Text("File", "文件"), "path", "wrap", 40),
    SheetColumn(Text("As read", "读取情况"), "details", "wrap", 70),
    SheetColumn(Text("SHA-256", "SHA-256"), "sha256", "wrap", 44),
)
_NOTICES = (
    SheetColumn(Text("Severity", "级别"), "severity", "wrap", 24),
    SheetColumn(Text("Count", "数量"), "count_text", "wrap", 40),
    SheetColumn(Text("Notice", "提示"), "text", "wrap", 70),
    SheetColumn(Text("Examples", "示例"), "examples", "wrap", 44),
)


def write_workbook(
    path: Path,
    data: ReportData,
    district_id: str,
    lang: Lang = "zh",
    rows: Sequence[Mapping[str, Any]] | None = None,
) -> Path:
    """Write the workbook of one district.

    Parameters
    ----------
    path : Path
        Written as it is; the caller renames.
    data : ReportData
    district_id : str
        Unit id of a district; one without buildings gives a workbook that says so.
    lang : {"zh", "en"}
    rows : sequence of mapping, optional
        From `rows.candidate_rows` where they are at hand.

    Returns
    -------
    Path
        `path`. The same data give the same bytes.
    """
    options = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False, "in_memory": True}
    workbook = xlsxwriter.Workbook(str(path), options)
    name = _district_name(data, district_id)
    workbook.set_properties(
        {"title": f"{data.title} {name}".strip(), "created": _CREATED, "comments": _mark(data, lang)}
    )
    workbook.set_size(2400, 1400)
    book = WorkbookSheets(workbook, lang, " ".join(part for part in (data.title, name, _mark(data, lang)) if part))
    _conclusion(book, data, district_id, name)
    _units(book, data, district_id)
    _short_buildings(book, data, district_id)
    _candidates(book, candidate_rows(data, district_id, lang) if rows is None else rows)
    _verify(book, data, district_id)
    _ledger(book, data)
    sheet = book.add_sheet(SHEETS["definitions"])
    book.table(
        sheet,
        _DEFINITIONS,
        [*policy_rows(data, lang), *result_rows(data, "district", district_id, lang), *assumption_rows(data, lang)],
    )
    _sources(book, data)
    workbook.close()
    return path


def _mark(data: ReportData, lang: Lang) -> str:
    return Text("SYNTHETIC DATA", "虚构数据").pick(lang) if data.synthetic else ""


def _district_name(data: ReportData, district_id: str) -> str:
    districts = data.units("district")
    names = districts.loc[(districts["unit_id"] == district_id).to_numpy(), "unit_name"]
    return district_id if names.empty or is_missing(names.iloc[0]) else str(names.iloc[0])


def _conclusion(book: WorkbookSheets, data: ReportData, district_id: str, name: str) -> None:
    lang = book.lang
    sheet = book.add_sheet(SHEETS["conclusion"])
    sheet.set_column(0, 0, 20)
    sheet.set_column(1, 1, 112)
    sheet.set_row(0, 32)
    heading = Text(f"{name}: rooftop PV coverage and candidates", f"{name}屋顶光伏覆盖率与候选屋顶").pick(lang)
    book.plain(sheet, 0, 0, heading, bold=True, font_size=16)
    row = 1
    subtitle = " · ".join(
        part for part in (data.title, "" if data.pack is None else data.pack.name.text.pick(lang)) if part
    )
    book.plain(sheet, row, 0, subtitle, font_color="#555555")
    row += 1
    if data.synthetic:
        text = Text("SYNTHETIC DATA: nothing here exists", "虚构数据：仅供演示，不代表任何真实地区")
        book.plain(sheet, row, 0, text.pick(lang), bold=True, font_color="#B00020")
        row += 1
    findings = data.of("district", district_id)
    if not findings:
        text = Text(
            "No policy pack, or none with a coverage target: potential only.",
            "未选择含覆盖率指标的政策包：仅给出潜力。",
        )
        book.plain(sheet, row + 1, 0, text.pick(lang))
        row += 2
    for finding in findings:
        row = _block(
            book, sheet, row + 1, target_title(finding, data).capitalised().pick(lang), verdict_facts(finding, data)
        )
    title = Text("Key numbers", "关键数字").pick(lang)
    row = _block(book, sheet, row + 1, title, key_numbers(data, district_id))
    note = Text(
        "Numbers are rounded to what the data deserve; ranges are bounds, not errors. Every candidate needs a check of "
        "roof load and grid connection before money is spent.",
        "数字按数据精度取整，括号内为上下限。任何候选屋顶在投资前均须核实屋面荷载与并网条件。",
    )
    book.write(sheet, row + 1, 1, note.pick(lang), "wrap", border=0, font_color="#555555", italic=True)
    sheet.set_row(row + 1, 30)
    sheet.print_area(0, 0, row + 1, 1)


def _block(book: WorkbookSheets, sheet: Worksheet, row: int, title: str, facts: Sequence[Fact]) -> int:
    """Write a titled block of name and value; return the first free row."""
    for column, text in enumerate((title, "")):
        book.plain(sheet, row, column, text, bold=True, font_color="#FFFFFF", bg_color="#1F4E79")
    sheet.set_row(row, 20)
    for fact in facts:
        row += 1
        value = fact.value.capitalised().pick(book.lang)
        colour = _TONES[fact.tone]
        strong = {"bold": True, "font_size": 12} if fact.tone not in ("", "flip") else {}
        book.write(sheet, row, 0, fact.name.pick(book.lang), "wrap", bold=True, bg_color="#EEF2F6")
        book.write(sheet, row, 1, value, "wrap", **colour, **strong)
        sheet.set_row(row, 18 * book.lines(value, 116))
    return row + 1


def _unit_cells(rows: Sequence[Mapping[str, Any]], lang: Lang) -> list[dict[str, Any]]:
    out = []
    for row in rows:
        cells = dict(row)
        cells["level_label"] = value_label("level", str(row["level"])).pick(lang)
        if is_missing(row["existing_pv_kwp"]):
            cells["existing_pv_kwp"] = NOT_KNOWN.pick(lang)
        cells["energy"] = None if is_missing(row["annual_kwh"]) else row["annual_kwh"] * ENERGY_SCALE[lang]
        if "verdict" in row:
            cells["target_text"] = row["target_title"].pick(lang)
            cells["verdict_text"] = row["verdict"].text.pick(lang)
        out.append(cells)
    return out


def _unit_columns(data: ReportData) -> Sequence[SheetColumn]:
    """Columns of a table of units; where a pack judges potential, its coverage is not called installed."""
    if not data.findings:
        return _UNIT[:_FACTS_OF_UNITS]
    if all(finding.kind == "installed" for finding in data.findings):
        return _UNIT
    judged = Text("Coverage judged", "考核覆盖率")
    return tuple(replace(column, label=judged) if column.key == "coverage" else column for column in _UNIT)


def _units(book: WorkbookSheets, data: ReportData, district_id: str) -> None:
    sheet = book.add_sheet(SHEETS["districts"])
    rows = _unit_cells(unit_rows(data, ("district", "city", "zone")), book.lang)
    bold = [k for k, row in enumerate(rows) if row["unit_id"] == district_id]
    columns = _unit_columns(data)
    row = book.table(sheet, columns, rows, bold=bold)
    _colour_verdicts(book, sheet, columns, len(rows))
    note = Text("Functional zones overlap districts and are in no total.", "功能区与县区重叠，不计入任何合计。")
    book.plain(sheet, row, 0, note.pick(book.lang), italic=True, font_color="#555555")
    roofs = data.tables.roofs
    towns = set(text_column(roofs, "town_id", "")[(text_column(roofs, "district_id", "") == district_id).to_numpy()])
    sheet = book.add_sheet(SHEETS["towns"])
    rows = _unit_cells(unit_rows(data, ("town",), towns), book.lang)
    book.table(sheet, columns, rows, empty=Text("No boundaries of towns were given.", "未提供街道（镇）边界。"))
    _colour_verdicts(book, sheet, columns, len(rows))


def _colour_verdicts(book: WorkbookSheets, sheet: Worksheet, columns: Sequence[SheetColumn], n: int) -> None:
    """Colour the verdict cells, so that a changed cell changes colour too."""
    for k, column in enumerate(columns):
        if column.key == "verdict_text" and n:
            for verdict in (each for each in Verdict if each.tone):
                word = verdict.text.pick(book.lang).replace('"', '""')
                rule = {
                    "type": "cell",
                    "criteria": "==",
                    "value": f'"{word}"',
                    "format": book.workbook.add_format(_TONES[verdict.tone]),
                }
                sheet.conditional_format(1, k, n, k, rule)


def _short_buildings(book: WorkbookSheets, data: ReportData, district_id: str) -> None:
    sheet = book.add_sheet(SHEETS["short"])
    rows = short_rows(data, district_id, book.lang)
    book.table(sheet, _SHORT, rows, empty=nobody_short(data))


def _candidates(book: WorkbookSheets, rows: Sequence[Mapping[str, Any]]) -> None:
    sheet = book.add_sheet(SHEETS["candidates"])
    book.table(sheet, CANDIDATE_COLUMNS, rows, empty=Text("No roof passes the gates.", "没有屋顶通过筛选。"))
    column = next(k for k, c in enumerate(CANDIDATE_COLUMNS) if c.key == "shading_percent")
    if rows:
        rule = {"type": "cell", "criteria": ">", "value": 10, "format": book.workbook.add_format(_TONES["open"])}
        sheet.conditional_format(1, column, len(rows), column, rule)


def _verify(book: WorkbookSheets, data: ReportData, district_id: str) -> None:
    sheet = book.add_sheet(SHEETS["verify"])
    fields = load_survey_rules().fields
    columns = (
        *WHICH_BUILDING,
        *TOWN_AND_OWNER,
        SheetColumn(Text("Why", "为何核实"), "why", "wrap", 20),
        SheetColumn(Text("To verify", "待核实事项"), "verify", "wrap", 52),
        SheetColumn(Text("Seen in the data", "数据提示"), "known", "wrap", 26),
        *(
            SheetColumn(Text("Found: {label}", "核实：{label}").format(label=label), f"field_{key}", "blank", 16)
            for key, label in fields.items()
        ),
        SheetColumn(Text("Surveyor, date", "核实人、日期"), "field_who", "blank", 16),
    )
    rows = survey_rows(data, district_id, book.lang)
    book.table(sheet, columns, rows, empty=Text("Nothing to verify.", "无待核实事项。"))


def _ledger(book: WorkbookSheets, data: ReportData) -> None:
    """Quotas over the stock, capacity against targets, and what the pack cannot compute; one below the other."""
    lang = book.lang
    quotas = quota_rows(data, lang)
    capacities = capacity_rows(data, lang, ("city", "district", "zone"))
    missing = uncomputed_rows(data, lang)
    sheet = book.add_sheet(SHEETS["ledger"])
    if not (quotas or capacities or missing):
        text = Text("No policy pack with quotas or capacity targets.", "未选择含任务量或容量指标的政策包。")
        book.plain(sheet, 0, 0, text.pick(lang), italic=True, font_color="#666666")
        return
    for rows, name in ((quotas, "avoided_kg"), (capacities, "potential_avoided_kg")):
        for row in rows:
            row["avoided_t"] = None if is_missing(row[name]) else row[name] / 1000.0
    for row in capacities:
        kwh = row["potential_annual_kwh"]
        row["energy"] = None if is_missing(kwh) else kwh * ENERGY_SCALE[lang]
    away = dict.fromkeys(str(row["name"]) for row in quotas if is_missing(row["unit_id"]))
    within = [row for row in quotas if not is_missing(row["unit_id"])]
    top, follows = 0, False
    for columns, rows in ((_QUOTAS, within), (_CAPACITY, capacities)):
        if rows:
            top = book.table(sheet, columns, rows, top=top, follows=follows, repeat=False) + 1
            follows = True
    if missing:
        top = _write_uncomputed(book, sheet, missing, top)
    factor = data.campaign.factor.label
    notes = [
        Text("CO₂: {factor}. A district excludes its zones.", "碳减排：{factor}。县区数不含其中的功能区。").format(
            factor=factor
        )
    ]
    if away:
        gone = Text(
            f"Not among the boundaries of this run: {', '.join(away)}.", f"本次数据边界中没有：{'、'.join(away)}。"
        )
        notes.append(gone)
    for k, note in enumerate(notes, start=top):
        book.plain(sheet, k, 0, note.pick(lang), italic=True, font_color="#555555")


def _write_uncomputed(book: WorkbookSheets, sheet: Worksheet, rows: Sequence[Mapping[str, str]], top: int) -> int:
    """Write what is not computed and why, the reason over several columns; return the first free row."""
    last = len(_QUOTAS) - 4
    for column, label in enumerate(_UNCOMPUTED[:-1]):
        sheet.write_string(top, column, label.pick(book.lang), book.header)
    sheet.merge_range(top, len(_UNCOMPUTED) - 1, top, last, _UNCOMPUTED[-1].pick(book.lang), book.header)
    for row, entry in enumerate(rows, start=top + 1):
        for column, key in enumerate(("target", "value", "state")):
            book.write(sheet, row, column, entry[key], "wrap")
        sheet.merge_range(row, len(_UNCOMPUTED) - 1, row, last, entry["reason"], book.cell("wrap"))
        sheet.set_row(row, 15.0 * max(book.lines(entry["reason"], 100), book.lines(entry["target"], 20)) + 4)
    return top + len(rows) + 2


def _sources(book: WorkbookSheets, data: ReportData) -> None:
    sheet = book.add_sheet(SHEETS["sources"])
    row = book.table(
        sheet, _SOURCES, source_rows(data, book.lang), empty=Text("Not recorded.", "未记录。"), repeat=False
    )
    book.plain(sheet, row + 1, 0, Text("Notices of the run", "运行提示").pick(book.lang), bold=True, font_size=12)
    none = Text("None.", "无。")
    row = book.table(sheet, _NOTICES, notice_rows(data, book.lang), top=row + 2, empty=none, follows=True)
    version = Text(f"Made by rooftop {data.version}", f"由 rooftop {data.version} 生成").pick(book.lang)
    book.plain(sheet, row + 1, 0, version, font_color="#555555")
