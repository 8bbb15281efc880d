"""Rows of the lists behind the first page: units, buildings that fall short, what to verify, definitions, sources."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from rooftop.campaign.ranking import MAYBE_MANDATED
from rooftop.campaign.survey import items_text, load_survey_rules, verify_items
from rooftop.core.lang import Lang, Text, pick
from rooftop.core.notices import Notice
from rooftop.core.rounding import percent, percent_range
from rooftop.core.types import F8
from rooftop.outputs.bundle import ReportData
from rooftop.outputs.report.findings import DefinitionResult, Finding
from rooftop.outputs.report.sections import target_title
from rooftop.outputs.workbook.rows import candidate_frame, reason_label, roof_rows
from rooftop.targets.columns import numeric_column, reason_codes, text_column
from rooftop.targets.listing import definition_rows, target_rows, value_label

WHY = {
    0: Text("decides whether the building counts", "决定是否计入指标"),
    1: Text("selected to close the gap", "已列入补足缺口的组合"),
    2: Text("before installation", "安装前核实"),
}
ATTAINABLE = {
    "yes": Text("yes", "能"),
    "no": Text("no", "不能"),
    "unknown": Text("after survey", "核实后定"),
}
ROLES = {
    "inputs.footprints": Text("building footprints", "建筑轮廓"),
    "inputs.districts": Text("districts", "县区边界"),
    "inputs.towns": Text("towns", "街道（镇）边界"),
    "inputs.zones": Text("functional zones", "功能区边界"),
    "inputs.land_use": Text("land use", "用地图斑"),
    "inputs.irradiance.ghi": Text("global horizontal irradiation", "水平面总辐照"),
    "inputs.irradiance.dni": Text("direct normal irradiation", "法向直接辐照"),
    "inputs.irradiance.dhi": Text("diffuse horizontal irradiation", "水平面散射辐照"),
    "inputs.irradiance.temp_air": Text("air temperature", "气温"),
    "inputs.weather": Text("weather file", "气象文件"),
    "inputs.dsm": Text("surface model", "地表模型"),
    "inputs.dtm": Text("terrain model", "地形模型"),
    "inputs.terrain_far": Text("far terrain", "远处地形"),
    "inputs.roofs": Text("roof model (LoD2)", "LoD2 屋顶模型"),
    "inputs.schedule": Text("commissioning schedule", "建设时序"),
    "policy": Text("policy pack", "政策包"),
}


def unit_rows(data: ReportData, levels: tuple[str, ...], keep: set[str] | None = None) -> list[dict[str, Any]]:
    """Return units with their sums and, for each target, their finding.

    Parameters
    ----------
    data : ReportData
    levels : tuple of str
        ``city`` gives the sum over districts.
    keep : set of str, optional
        Ids of the units wanted.
    """
    rows: list[dict[str, Any]] = []
    for level in levels:
        frame = _city(data) if level == "city" else data.units(level)
        for record in frame.to_dict("records"):
            if keep is not None and record["unit_id"] not in keep:
                continue
            unit_findings: list[Finding | None] = list(data.of(level, str(record["unit_id"])))
            if level == "city":
                unit_findings = [f for f in data.findings if f.level == "city"]
            for finding in unit_findings or [None]:
                rows.append({str(k): v for k, v in record.items()} | _finding_cells(finding, data))
    return rows


def _city(data: ReportData) -> pd.DataFrame:
    districts = data.units("district")
    numeric = [name for name in districts.columns if pd.api.types.is_numeric_dtype(districts[name])]
    total = {name: _total(numeric_column(districts, name)) for name in numeric}
    total["specific_yield_kwh_kwp"] = (
        total["annual_kwh"] / total["capacity_kwp"] if total.get("capacity_kwp", 0.0) > 0 else np.nan
    )
    name = next((f.unit_name for f in data.findings if f.level == "city"), "合计 Total")
    return pd.DataFrame([{"unit_id": "city", "unit_name": name, "level": "city", **total}])


def _total(values: F8) -> float:
    """Sum what is known; nothing known of anything is not zero."""
    return float("nan") if len(values) and np.isnan(values).all() else float(np.nansum(values))


def _finding_cells(finding: Finding | None, data: ReportData) -> dict[str, Any]:
    if finding is None:
        return {}
    return {
        "target_title": target_title(finding, data),
        "n_scope": finding.n_buildings,
        "n_unknown": finding.n_unknown,
        "coverage": finding.coverage.central,
        "coverage_low": finding.coverage.low,
        "coverage_high": finding.coverage.high,
        "target": finding.target,
        "verdict": finding.verdict,
        "gap_m2": finding.gap_m2 if finding.coverage.known else None,
        "gap_kwp": finding.gap_kwp if finding.coverage.known else None,
        "planned": finding.planned.central,
        "potential": finding.potential.central,
        "finding": finding,
    }


def short_rows(data: ReportData, district_id: str | None, lang: Lang, *, possible: bool = True) -> list[dict[str, Any]]:
    """Return the new buildings below the target, largest gap first within certain, presumed and possible members."""
    short = data.campaign.short
    if short.empty:
        return []
    roofs = data.tables.roofs.drop(columns="geometry", errors="ignore")
    if district_id is not None:
        roofs = roofs[(text_column(roofs, "district_id", "") == district_id).to_numpy()]
    short = short[short["building_id"].isin(roofs["building_id"])]
    if not possible:
        short = short[short["membership"] != "possible"]
    by_id = pd.DataFrame(roofs).drop_duplicates("building_id").set_index("building_id", drop=False)
    rows = roof_rows(by_id.loc[short["building_id"]], lang)
    for number_, (row, record) in enumerate(zip(rows, short.to_dict("records"), strict=True), start=1):
        row |= {str(key): value for key, value in record.items() if key != "building_id"}
        row["number"] = number_
        row["group"] = value_label("building_group", str(record["building_group"]), data.pack).pick(lang)
        row["membership_label"] = value_label("membership", str(record["membership"])).pick(lang)
        row["attainable_label"] = ATTAINABLE[str(record["attainable"])].pick(lang)
    return rows


def nobody_short(data: ReportData) -> Text:
    """Return what stands in place of an empty list of buildings that fall short."""
    if data.findings and not data.inventory:
        return Text(
            "Unknown: no source states existing PV, so no building can be said to fall short.",
            "不明：没有任何已装光伏数据，无法判断哪些建筑未达标。",
        )
    return Text("No new building of the scope is known to fall short.", "范围内没有已知未达标的新建建筑。")


def survey_rows(data: ReportData, district_id: str, lang: Lang) -> list[dict[str, Any]]:
    """Return what is to be verified on site: what decides the verdict first, then candidates in their order."""
    roofs = pd.DataFrame(data.tables.roofs.drop(columns="geometry", errors="ignore"))
    roofs = roofs[(text_column(roofs, "district_id", "") == district_id).to_numpy()]
    short = data.campaign.short
    open_ids = set() if short.empty else set(short.loc[short["membership"] != "certain", "building_id"])
    candidates = candidate_frame(data, district_id)
    rank = dict(zip(candidates["building_id"], candidates["rank"], strict=True))
    maybe = set(candidates.loc[candidates["tier"] == MAYBE_MANDATED, "building_id"]) | open_ids
    planned = set(candidates.loc[candidates["planned"].to_numpy(dtype=bool), "building_id"])
    to_verify = roofs[roofs["building_id"].isin(maybe | set(rank)).to_numpy()]
    order = to_verify["building_id"].map(lambda i: (_urgency(i, maybe, planned), rank.get(i, len(roofs) + 1), str(i)))
    to_verify = to_verify.loc[order.sort_values(kind="stable").index]
    gate = data.campaign.gates.loc[to_verify.index]
    texts = _verify_texts(to_verify, gate, data, lang)
    rows = roof_rows(to_verify, lang)
    reasons = map(reason_codes, to_verify["reasons"])
    for number_, (row, text, codes) in enumerate(zip(rows, texts, reasons, strict=True), start=1):
        row["number"] = number_
        row["why"] = WHY[_urgency(row["building_id"], maybe, planned)].pick(lang)
        row["verify"] = text
        row["known"] = ("；" if lang == "zh" else "; ").join(reason_label(code, lang) for code in codes)
    return rows


def _urgency(building_id: object, maybe: set[object], planned: set[object]) -> int:
    return 0 if building_id in maybe else 1 if building_id in planned else 2


def _verify_texts(roofs: pd.DataFrame, gate: pd.DataFrame, data: ReportData, lang: Lang) -> list[str]:
    items = verify_items(roofs, gate, data.campaign.economics, load_survey_rules())
    return [items_text(entry, lang) for entry in items]


def definition_result(result: DefinitionResult, target: float) -> Text:
    """Return coverage and verdict of one definition."""
    value = percent_range(result.coverage, None if np.isnan(target) else target)
    return Text(value, value) if np.isnan(target) else _value_and_verdict(value, result.verdict.text)


def _value_and_verdict(value: str, verdict: Text) -> Text:
    return Text("{value}, {verdict}", "{value}，{verdict}").format(value=value, verdict=verdict)


def _line(lang: Lang, *cells: Text | str) -> dict[str, str]:
    return dict(zip(("topic", "item", "content", "source"), (pick(cell, lang) for cell in cells), strict=False))


def policy_rows(data: ReportData, lang: Lang) -> list[dict[str, str]]:
    """Return targets and definitions of the pack: topic, item, content, source."""
    if data.pack is None:
        return []
    rows = []
    for target in target_rows(data.pack):
        reason = (
            Text("", "") if target.reason is None else Text(" ({reason})", "（{reason}）").format(reason=target.reason)
        )
        content = Text(
            "“{wording}” {value}{year}; nature: {nature}; {computable}{reason}",
            "“{wording}” {value}{year}；性质：{nature}；{computable}{reason}",
        ).format(
            wording=target.wording,
            value=target.value_text,
            year=Text("", "") if target.year is None else Text(f", {target.year}", f"，{target.year}"),
            nature=target.nature,
            computable=target.computable,
            reason=reason,
        )
        source = f"{target.document} {target.section} {target.date}"
        rows.append(_line(lang, Text("targets of the plan", "规划指标"), target.label, content, source))
    for row in definition_rows(data.pack):
        state = Text("default", "默认") if row.is_default else Text("shown beside it", "并列给出")
        rows.append(_line(lang, row.topic, row.choice, state, row.source))
    nesting = Text(
        "gross roof − obstacles, setbacks, walkways = net; net − too steep, too shaded, structure, heritage = "
        "installable; within it the used zone, the array (modules and row gaps), modules projected on the roof",
        "屋顶总面积 − 障碍物、退距、通道 = 净屋顶面积；再扣除过陡、遮挡过重、结构、文物等 = 可安装面积；"
        "其内依次为布置区、方阵（含排间距）、组件投影面积",
    )
    return [*rows, _line(lang, Text("areas", "面积"), Text("how they nest", "包含关系"), nesting, "")]


def results_title(finding: Finding) -> Text:
    """Return the heading of coverage under every definition."""
    what = finding.kind_label
    return Text("{what} under every definition", "各口径下的{what}").format(what=what)


def result_rows(data: ReportData, level: str, unit_id: str, lang: Lang) -> list[dict[str, str]]:
    """Return coverage of a unit under every definition: topic, item, content, source."""
    default = Text("default", "默认")
    return [
        _line(
            lang,
            results_title(finding),
            result.label,
            definition_result(result, finding.target),
            default if result.is_default else "",
        )
        for finding in data.of(level, unit_id)
        for result in finding.definitions
    ]


def assumption_rows(data: ReportData, lang: Lang) -> list[dict[str, str]]:
    """Return the assumptions of the run: topic, item, content, source."""
    return [_line(lang, entry.topic, entry.name, entry.value, entry.source) for entry in data.assumptions]


def source_rows(data: ReportData, lang: Lang) -> list[dict[str, Any]]:
    """Return the inputs: role, file, what was read of it, hash."""
    return [
        {
            "role": ROLES[item.role].pick(lang) if item.role in ROLES else item.role,
            "path": item.path,
            "details": "; ".join(f"{key}: {value}" for key, value in item.details.items()),
            "sha256": item.sha256,
        }
        for item in data.provenance
    ]


def notice_rows(data: ReportData, lang: Lang) -> list[dict[str, Any]]:
    """Return the notices, warnings first, largest count first; one that several inputs gave stands once."""
    severity = {"warning": Text("warning", "注意"), "info": Text("information", "说明")}
    merged: dict[tuple[str, str], list[Notice]] = {}
    for notice in data.notices:
        merged.setdefault((notice.severity, notice.text.pick(lang)), []).append(notice)
    rows = []
    for (level, text), same in merged.items():
        count = sum(notice.count for notice in same)
        examples = dict.fromkeys(example for notice in same for example in notice.examples)
        rows.append(
            {
                "severity": severity["warning" if level == "warning" else "info"].pick(lang),
                "text": text,
                "count": count,
                "count_text": f"{count:,d}",
                "examples": ", ".join(list(examples)[:5]),
                "is_warning": level == "warning",
            }
        )
    return sorted(rows, key=lambda row: (not row["is_warning"], -int(row["count"]), str(row["text"])))


def verdict_percent(value: float, target: float) -> str:
    """Return a coverage as printed beside its target."""
    return percent(value, against=None if np.isnan(target) else target)
