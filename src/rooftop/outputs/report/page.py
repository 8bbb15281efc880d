"""The report: one self-contained page that opens with what an official needs, then everything behind it."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from rooftop.campaign.wording import wording
from rooftop.core.lang import Lang, Text
from rooftop.core.rounding import NONE, area, capacity, count, energy, is_missing, number, percent, percent_range
from rooftop.outputs.bundle import ReportData
from rooftop.outputs.files import write_at_once
from rooftop.outputs.report.charts import (
    coverage_bars,
    coverage_by_year,
    font_notice,
    monthly_energy,
    static_map,
    yield_histogram,
)
from rooftop.outputs.report.findings import Finding
from rooftop.outputs.report.grids import Cell, Head, PrintedTable, Row, heads, number_column, text_column
from rooftop.outputs.report.indicators import SECTIONS
from rooftop.outputs.report.sections import key_numbers, target_title, verdict_facts
from rooftop.outputs.report.timeline import charted_years, steps
from rooftop.outputs.unit_names import unit_label, zones_note
from rooftop.outputs.workbook.lists import (
    assumption_rows,
    nobody_short,
    notice_rows,
    policy_rows,
    results_title,
    short_rows,
    source_rows,
    unit_rows,
    verdict_percent,
)
from rooftop.outputs.workbook.rows import NOT_KNOWN, roof_rows
from rooftop.targets.listing import value_label

MAX_SHORT = 40
MAX_CANDIDATES = 15
MAX_TILES = 6
MAX_STEPS = 60
_TEMPLATES = files("rooftop.outputs") / "templates" / "report"

WORDS = {
    "synthetic": Text("SYNTHETIC DATA — nothing here exists", "虚构数据：仅供演示，不代表任何真实地区"),
    "coverage_alt": Text("Installed and potential coverage by district", "各县区已装与潜力覆盖率"),
    "coverage_caption": Text(
        "Installed coverage under the pack's own definition; the whisker is every unknown counted for, then against.",
        "按政策包默认口径的已装覆盖率；误差线为不明建筑分别按有利与不利计入的上下限。",
    ),
    "rounding": Text(
        "Numbers are rounded to what the data deserve; brackets give bounds. Roof load and grid connection must be "
        "checked before any money is spent.",
        "数字按数据精度取整，括号内为上下限。投资前必须核实屋面荷载与并网条件。",
    ),
    "districts": Text("Districts", "县区"),
    "towns": Text("Towns", "街道（镇）"),
    "timeline": Text("Attainment by year, and how fast to build", "历年进度与所需建设速度"),
    "timeline_alt": Text("Coverage by year against the target in force", "历年覆盖率与当年目标值"),
    "timeline_caption": Text(
        "All districts. Buildings count from the year of their completion, PV from its commissioning; existing PV of "
        "unknown year stands in the bar and leaves the lower bound until today. Buildings not built yet are not in it: "
        "every further one raises what is needed.",
        "全部县区合计。建筑自竣工年份起计入，光伏自并网年份起计入；并网年份不明的已装光伏计入柱形，在当前年份以前不计入下限。"
        "尚未建成的建筑不在其中：今后新增建筑会增加所需建设量。",
    ),
    "short": Text("New buildings that fall short", "未达标新建建筑"),
    "candidates": Text("Where to begin", "从哪里开始"),
    "candidates_lead": Text(
        "The first candidate roofs in order of priority; all of them, with coordinates and what to verify, are in the "
        "workbook of each district.",
        "按优先次序列出前若干候选屋顶；全部候选屋顶及坐标、待核实事项见各县区工作簿。",
    ),
    "charts": Text("Energy, yield, definitions", "发电量、利用小时与口径"),
    "monthly_alt": Text("Energy by month", "逐月发电量"),
    "yield_alt": Text("Distribution of specific yield", "年等效利用小时数分布"),
    "map_alt": Text("Map of districts and roofs", "县区与屋顶分布图"),
    "map_caption": Text(
        "Roofs by specific yield; grey: no capacity. The interactive map is maps/index.html.",
        "屋顶按年等效利用小时数着色，灰色为不可用屋顶。可交互地图见 maps/index.html。",
    ),
    "matrix_corner": Text("numerator ÷ denominator", "分子 ÷ 分母"),
    "matrix_note": Text(
        "No document fixes numerator and denominator of rooftop PV coverage: all definitions are shown, the pack's own "
        "is framed. Colours say whether the target would be met.",
        "“屋顶光伏覆盖率”的分子与分母没有统一规定：各口径全部列出，加框者为政策包默认口径；颜色表示按该口径是否达标。",
    ),
    "own": Text("own definition", "默认口径"),
    "method": Text("Method and assumptions", "方法与假定"),
    "method_lead": Text(
        "Every building stands in a surface model; for each roof cell the horizon is swept in all directions, what the "
        "sky gives above it is integrated over the year month by month, and turned into alternating current with the "
        "losses below. (B) marks professional judgement that no standard backs.",
        "建筑以高度构成地表模型，逐屋面单元扫描各方位遮挡视线，按月积分全年天空辐射，并计入下列损失换算为交流电量。"
        "标（B）者为经验取值，无标准依据。",
    ),
    "definitions": Text("Targets and definitions", "指标与口径"),
    "sources": Text("Sources", "数据来源"),
    "notices": Text("Quality of the data", "数据质量提示"),
}


def render_report(data: ReportData, lang: Lang = "zh") -> str:
    """Return the report as one HTML page without any outside reference.

    Parameters
    ----------
    data : ReportData
    lang : {"zh", "en"}

    Returns
    -------
    str
        The same data give the same text. Every value is escaped; the page may load nothing and run nothing.
    """
    missing_font = font_notice()
    if missing_font is not None:
        data = replace(data, notices=(*data.notices, missing_font))
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    template = environment.from_string((_TEMPLATES / "report.html.j2").read_text(encoding="utf-8"))
    front = _front(data)
    district_findings = [f for f in data.findings if f.level == "district"]
    first_target = front[0].target_id if front else None
    charted = [f for f in district_findings if f.target_id == first_target]
    words = {key: text.pick(lang) for key, text in WORDS.items()}
    words["made_by"] = Text(f"Made by rooftop {data.version}", f"由 rooftop {data.version} 生成").pick(lang)
    title = Text("Rooftop PV: potential and coverage", "屋顶光伏潜力与覆盖率报告").pick(lang)
    return template.render(
        lang=lang,
        css=Markup((_TEMPLATES / "report.css").read_text(encoding="utf-8")),
        heading=f"{data.title} · {title}" if data.title else title,
        subtitle=_subtitle(data, lang),
        synthetic=WORDS["synthetic"].pick(lang) if data.synthetic else "",
        verdicts=[_verdict(finding, data, lang) for finding in front],
        no_target=Text(
            "No policy pack with a coverage target was chosen: this report states the potential only.",
            "未选择含覆盖率指标的政策包：本报告仅给出潜力。",
        ).pick(lang),
        tiles=_tiles(data, lang),
        coverage_chart=_picture(coverage_bars(charted + front[:1], lang)) if charted else "",
        map_picture=_picture(static_map(data, lang)),
        monthly_chart=_picture(monthly_energy(data, lang)),
        yield_chart=_picture(yield_histogram(data, lang)),
        districts=_units(data, ("district", "city", "zone"), lang),
        towns=_units(data, ("town",), lang),
        timeline=_timeline(data, lang),
        timeline_chart=_picture(coverage_by_year(years, lang)) if len(years := charted_years(data)) else "",
        short=_short_buildings(data, lang),
        candidates=_candidates(data, lang),
        matrices=[_matrix(finding, data, lang) for finding in front if len(finding.definitions) > 1],
        indicators=[
            {"heading": section.heading.pick(lang), "blocks": blocks, "lead_style": section.lead_style}
            for section in SECTIONS
            if (blocks := section.blocks(data, lang))
        ],
        method=_plain(assumption_rows(data, lang), ("topic", "item", "content", "source"), lang, "narrow"),
        definitions=_plain(policy_rows(data, lang), ("topic", "item", "content", "source"), lang, "narrow"),
        sources=_plain(source_rows(data, lang), ("role", "path", "details", "sha256"), lang, "sources"),
        notices=_plain(notice_rows(data, lang), ("severity", "text", "count", "examples"), lang, "notices"),
        words=words,
    )


def write_report(path: Path, data: ReportData, lang: Lang = "zh") -> Path:
    """Write ``report.html``, whole or not at all."""
    html = render_report(data, lang)
    return write_at_once(path, lambda part: part.write_text(html, encoding="utf-8", newline="\n"))


def _picture(svg: str) -> str:
    """An SVG as a data URI: what is in it cannot reach the page."""
    return "data:image/svg+xml;base64," + base64.b64encode(svg.encode("utf-8")).decode("ascii")


def _front(data: ReportData) -> list[Finding]:
    """Findings of the city, those with a target value first; of the only district where there is one."""
    city = [f for f in data.findings if f.level == "city"]
    return sorted(city, key=lambda f: not f.has_target)


def _subtitle(data: ReportData, lang: Lang) -> str:
    parts = []
    if data.pack is not None:
        parts = [data.pack.name.text.pick(lang), data.pack.region.text.pick(lang)]
    districts = data.units("district")
    names = [str(name) for name in districts["unit_name"].dropna()]
    if names:
        listed = ("、" if lang == "zh" else ", ").join(names[:8])
        parts.append(listed + (" …" if len(names) > 8 else ""))
    return " · ".join(parts)


def _verdict(finding: Finding, data: ReportData, lang: Lang) -> dict[str, Any]:
    facts = [
        {"name": fact.name.pick(lang), "value": fact.value.capitalised().pick(lang), "tone": fact.tone}
        for fact in verdict_facts(finding, data)
    ]
    return {"title": target_title(finding, data).capitalised().pick(lang), "tone": finding.verdict.tone, "facts": facts}


def _tiles(data: ReportData, lang: Lang) -> list[dict[str, str]]:
    """Key numbers: the number large, what is in brackets or after a colon small."""
    out = []
    # What is selected stands in the panel above.
    for fact in key_numbers(data, None)[:MAX_TILES]:
        value, more = fact.value.pick(lang), ""
        for mark in ("：", "（", ": ", " (", "，", ", "):
            head, separator, tail = value.partition(mark)
            if separator:
                value, more = head, tail.rstrip("）)")
                break
        out.append({"name": fact.name.pick(lang), "value": value, "more": more})
    return out


_UNIT_COLUMNS = (
    text_column("Unit", "名称"),
    number_column("Buildings", "建筑数"),
    number_column("New capacity", "可新增容量"),
    number_column("Energy a year", "年发电量"),
    number_column("Existing PV", "已装"),
)
_VERDICT_COLUMNS = (
    number_column("Target", "目标"),
    text_column("Met?", "是否达标"),
    number_column("Gap", "缺口"),
    number_column("Potential", "潜力"),
)


def _units(data: ReportData, levels: tuple[str, ...], lang: Lang) -> PrintedTable:
    rows = unit_rows(data, levels)
    with_target = any("finding" in row for row in rows)
    mixed = any(row["finding"].kind != "installed" for row in rows if "finding" in row)
    several = len({row["target_title"] for row in rows if "finding" in row}) > 1
    columns = list(_UNIT_COLUMNS)
    if with_target:
        columns += [
            *([text_column("Target", "指标")] if several else []),
            number_column("In scope (unknown)", "范围内（不明）"),
            number_column("Coverage", "覆盖率") if mixed else number_column("Installed coverage", "已装覆盖率"),
            *_VERDICT_COLUMNS,
        ]
    body = [
        Row([*_sums(row, lang), *(_verdict_cells(row, several, lang) if with_target else [])], row["level"] == "city")
        for row in rows
    ]
    note = zones_note(row["level"] for row in rows).pick(lang)
    return PrintedTable(heads(columns, lang), body, note=note, style="units")


def _sums(row: Mapping[str, Any], lang: Lang) -> list[Cell]:
    kwp = row["existing_pv_kwp"]
    return [
        Cell(unit_label(row).pick(lang)),
        Cell(count(row["n_buildings"]), True),
        Cell(capacity(row["capacity_kwp"], lang), True),
        Cell(energy(row["annual_kwh"], lang), True),
        Cell(NOT_KNOWN.pick(lang) if is_missing(kwp) else capacity(kwp, lang), True),
    ]


def _verdict_cells(row: Mapping[str, Any], several: bool, lang: Lang) -> list[Cell]:
    finding: Finding | None = row.get("finding")
    if finding is None:
        return [Cell(NONE)] * (7 if several else 6)
    unknown = f" ({count(finding.n_unknown)})" if finding.n_unknown else ""
    against = finding.target if finding.has_target else None
    gap = capacity(finding.gap_kwp, lang, 2, "up") if finding.gap_kwp > 0 else NONE
    return [
        *([Cell(row["target_title"].pick(lang))] if several else []),
        Cell(f"{count(finding.n_buildings)}{unknown}", True),
        Cell(percent_range(finding.coverage, against), True),
        Cell(percent(finding.target), True),
        Cell(finding.verdict.text.pick(lang), tone=finding.verdict.tone),
        Cell(gap, True),
        Cell(percent(finding.potential.central, against=against), True),
    ]


_TIMELINE_COLUMNS = (
    text_column("Unit", "名称"),
    text_column("Target", "目标"),
    number_column("Coverage by then", "届时覆盖率"),
    text_column("Met?", "是否达标"),
    text_column("Still needed", "尚需"),
)


def _timeline(data: ReportData, lang: Lang) -> PrintedTable:
    due = steps(data)
    rows = [
        Row(
            [
                Cell(step.unit_name.pick(lang)),
                Cell(step.target.pick(lang)),
                Cell(step.coverage.pick(lang), True),
                Cell(NONE) if step.verdict is None else Cell(step.verdict.text.pick(lang), tone=step.verdict.tone),
                Cell(step.needed.pick(lang)),
            ],
            step.level == "city",
        )
        for step in due[:MAX_STEPS]
    ]
    note = Text("Every year and unit is in timeline.csv.", "各年份、各单元见 timeline.csv。")
    if len(due) > MAX_STEPS:
        remaining = count(len(due) - MAX_STEPS)
        note = Text("{rest} more rows are not shown. {note}", "另有 {rest} 行未列出。{note}").format(
            rest=remaining, note=note
        )
    return PrintedTable(heads(_TIMELINE_COLUMNS, lang), rows, note=note.pick(lang))


_SHORT_COLUMNS = (
    text_column("Building", "建筑"),
    text_column("District", "县区"),
    text_column("Use", "用途"),
    text_column("Completed", "竣工"),
    number_column("Installable", "可安装面积"),
    number_column("Coverage", "覆盖率"),
    number_column("Target", "目标"),
    number_column("Gap", "缺口"),
    text_column("Own roof can close it?", "自身能否补足"),
)


def _short_buildings(data: ReportData, lang: Lang) -> PrintedTable:
    sure = short_rows(data, None, lang, possible=False)
    possible = len(short_rows(data, None, lang)) - len(sure)
    sure.sort(key=lambda row: (-float(row["gap_kwp"]), str(row["building_id"])))
    rows = [
        Row(
            [
                Cell(_building_label(row)),
                Cell(_text(row["district_name"])),
                Cell(row["use"]),
                Cell(row["completed"]),
                Cell(area(row["installable_area_m2"], lang), True),
                Cell(verdict_percent(row["coverage"], row["target"]), True),
                Cell(percent(row["target"]), True),
                Cell(capacity(row["gap_kwp"], lang, 2, "up"), True),
                Cell(row["attainable_label"]),
            ]
        )
        for row in sure[:MAX_SHORT]
    ]
    notes = []
    if len(sure) > MAX_SHORT:
        remaining = count(len(sure) - MAX_SHORT)
        notes.append(Text(f"{remaining} more are in the workbooks.", f"其余 {remaining} 栋见各县区工作簿。").pick(lang))
    if possible:
        more = count(possible)
        notes.append(
            Text(
                f"{more} more buildings may be in scope: their class or date is not known (sheet To verify).",
                f"另有 {more} 栋建筑因类别或竣工时间不明而可能属于范围（见“待核实”）。",
            ).pick(lang)
        )
    empty = nobody_short(data).pick(lang)
    headings = heads(_SHORT_COLUMNS, lang)
    return PrintedTable(headings, rows, " ".join([empty, *notes]) if not rows else empty, " ".join(notes))


def _building_label(row: Mapping[str, Any]) -> str:
    name = _text(row["building_name"])
    return f"{name} ({row['building_id']})" if name else str(row["building_id"])


def _text(value: object) -> str:
    return "" if value is None or value != value or str(value) == "<NA>" else str(value)


_CANDIDATE_COLUMNS = (
    number_column("#", "#"),
    text_column("Building", "建筑"),
    text_column("District", "县区"),
    number_column("To add", "可新增"),
    number_column("Yield", "利用小时"),
    text_column("Why", "推荐理由"),
    text_column("To verify", "待核实事项"),
)


def _candidates(data: ReportData, lang: Lang) -> PrintedTable:
    frame = data.campaign.candidates.head(MAX_CANDIDATES)
    texts = wording(frame, data.campaign, data.pack, lang)
    rows = []
    named = zip(roof_rows(frame, lang), frame.to_dict("records"), texts.to_dict("records"), strict=True)
    for row, record, text in named:
        rows.append(
            Row(
                [
                    Cell(count(record["rank"]), True),
                    Cell(_building_label(row)),
                    Cell(_text(row["district_name"])),
                    Cell(capacity(record["added_kwp"], lang), True),
                    Cell(
                        f"{number(record['specific_yield_kwh_kwp'])} h"
                        if lang == "zh"
                        else number(record["specific_yield_kwh_kwp"]),
                        True,
                    ),
                    Cell(text["recommendation"]),
                    Cell(text["verify"]),
                ]
            )
        )
    empty = Text("No roof passes the gates.", "没有屋顶通过筛选。").pick(lang)
    return PrintedTable(heads(_CANDIDATE_COLUMNS, lang), rows, empty, style="candidates")


def _matrix(finding: Finding, data: ReportData, lang: Lang) -> dict[str, Any]:
    numerators = list(dict.fromkeys(d.numerator for d in finding.definitions))
    denominators = list(dict.fromkeys(d.denominator for d in finding.definitions))
    results = {(d.numerator, d.denominator): d for d in finding.definitions}
    against = finding.target if finding.has_target else None
    rows = []
    for top in numerators:
        cells = []
        for bottom in denominators:
            result = results.get((top, bottom))
            if result is None:
                cells.append(Cell(NONE))
                continue
            colour = result.verdict.tone if finding.has_target else ""
            cells.append(Cell(percent_range(result.coverage, against), tone=colour, is_default=result.is_default))
        rows.append(Row(cells, head=value_label("numerator", top).pick(lang)))
    title = results_title(finding).capitalised().pick(lang)
    sep = "——" if lang == "zh" else " — "
    return {
        "title": f"{title}{sep}{target_title(finding, data).pick(lang)}",
        "heads": [value_label("denominator", name).pick(lang) for name in denominators],
        "rows": rows,
    }


_HEADS = {
    "topic": Text("Topic", "类别"),
    "item": Text("Item", "条目"),
    "content": Text("Content", "内容"),
    "source": Text("Source", "依据"),
    "role": Text("Input", "数据"),
    "path": Text("File", "文件"),
    "details": Text("As read", "读取情况"),
    "sha256": Text("SHA-256", "SHA-256"),
    "severity": Text("Severity", "级别"),
    "text": Text("Notice", "提示"),
    "count": Text("Count", "数量"),
    "examples": Text("Examples", "示例"),
}


def _plain(rows: Sequence[Mapping[str, Any]], keys: Sequence[str], lang: Lang, style: str) -> PrintedTable:
    headings = [Head(_HEADS[key].pick(lang), key == "count") for key in keys]
    body = [
        Row([Cell(count(row[key]), True) if key == "count" else Cell(str(row.get(key, ""))) for key in keys])
        for row in rows
    ]
    return PrintedTable(headings, body, Text("None.", "无。").pick(lang), style=style)
