"""What the map looks like and says: colours, class breaks, labels in both languages."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from rooftop.core.lang import Lang, Text
from rooftop.core.roof_rules import roof_type_labels
from rooftop.core.types import F8
from rooftop.core.vocabularies import reasons, use_labels
from rooftop.tables import COVERAGE, ROOFS
from rooftop.targets.coverage_rules import coverage_rules
from rooftop.targets.models import Pack

# Two of ColorBrewer's colour-blind safe sequences (https://colorbrewer2.org), in hues that stay apart when overlaid.
YIELD_COLOURS = ("#fee391", "#fec44f", "#fe9929", "#ec7014", "#cc4c02", "#8c2d04")
COVERAGE_COLOURS = ("#f7fbff", "#deebf7", "#c6dbef", "#9ecae1", "#6baed6", "#4292c6", "#2171b5")
COVERAGE_BREAKS = (0.2, 0.3, 0.4, 0.5, 0.6, 0.8)  # the targets of the plans (20, 30, 40, 50 %) are all among them
NO_DATA_COLOUR = "#d4d4d4"
STATUS_STYLES: dict[str, dict[str, Any]] = {
    "ok": {"weight": 0.6, "color": "#5a3a1a", "opacity": 0.75, "fillOpacity": 0.92},
    "needs_survey": {"weight": 1.3, "color": "#5b2a86", "opacity": 1.0, "fillOpacity": 0.55, "dashArray": "4 3"},
    "excluded": {"weight": 0.6, "color": "#8b9096", "opacity": 0.9, "fillColor": "#c3c7cb", "fillOpacity": 0.8},
}
# Planes by source: hues that stand on the yellow and brown of the roofs, and dashes where nothing was measured.
PLANE_STYLES: dict[str, dict[str, Any]] = {
    "lod2": {"color": "#08306b", "weight": 2, "opacity": 1.0},
    "dsm": {"color": "#00695c", "weight": 2, "opacity": 1.0},
    "assumed": {"color": "#37474f", "weight": 1.6, "opacity": 1.0, "dashArray": "6 4"},
}
ROOF_SOURCES = {
    "lod2": Text("roof model (LoD2)", "LoD2 屋顶模型"),
    "dsm": Text("measured by a surface model", "地表模型（DSM）识别"),
    "assumed": Text("assumed from roof type", "按屋面类型推定"),
}
STATUS_LABELS = {
    "ok": Text("usable", "可用"),
    "needs_survey": Text("needs survey", "待核实"),
    "excluded": Text("excluded", "已排除"),
}

# For the buttons of the definition switch; the full names stand beside them.
SHORT_LABELS: dict[str, Text] = {
    "numerator:module": Text("modules", "组件"),
    "numerator:array": Text("array", "方阵"),
    "numerator:used": Text("used zone", "布置区"),
    "numerator:installable": Text("installable", "可安装"),
    "denominator:gross": Text("gross", "总面积"),
    "denominator:net": Text("net", "净面积"),
    "denominator:installable": Text("installable", "可安装"),
}
ANSWERS = {"yes": Text("yes", "是"), "no": Text("no", "否"), "unknown": Text("unknown", "未知")}

NO_TARGET = "none"  # stands for a null target_id: coverage shown for comparison, without a value to reach

UI: dict[str, Text] = {
    "subtitle": Text("Rooftop PV potential and coverage", "屋顶光伏潜力与覆盖率"),
    "synthetic": Text("synthetic example", "合成示例数据"),
    "synthetic_long": Text("All buildings on this map are made up.", "图中建筑均为虚构，不代表任何真实地点。"),
    "noscript": Text("This map needs JavaScript.", "本地图需要启用 JavaScript。"),
    "panel": Text("Figures and legend", "指标与图例"),
    "search": Text("Search building id or name", "按建筑编号或名称查找"),
    "no_hits": Text("nothing found", "没有找到"),
    "roofs_unit": Text("roofs", "栋屋顶"),
    "all_roofs": Text("All roofs of the unit", "单元内全部屋顶"),
    "roof_count": Text("roofs", "屋顶数"),
    "capacity": Text("new PV capacity", "可新增容量"),
    "energy": Text("energy a year", "年发电量"),
    "coverage": Text("Rooftop PV coverage", "屋顶光伏覆盖率"),
    "target": Text("target", "目标"),
    "default_definition": Text("the plan's own definition", "方案默认口径"),
    "other_definition": Text("not the plan's own definition", "非方案默认口径"),
    "definition_decides": Text(
        "The definition decides: in {n} of {m} units the verdict changes with numerator or denominator.",
        "口径决定结论：{m} 个统计单元中有 {n} 个，换用其他分子或分母时结论不同。",
    ),
    "definitions_agree": Text(
        "All definitions give the same verdict in every unit.", "各统计单元在所有口径下结论一致。"
    ),
    "by_definition": Text("by definition", "各口径结论"),
    "n_definitions": Text("definitions: ", "种口径："),
    "back_to_default": Text("back to it", "恢复默认"),
    "numerator": Text("numerator", "分子"),
    "denominator": Text("denominator", "分母"),
    "no_buildings": Text("no buildings", "无建筑"),
    "no_data": Text("no data", "无数据"),
    "no_value": Text("no value", "无数值"),
    "more_choices": Text("More choices", "更多选项"),
    "yield_legend": Text("Roofs: specific yield (kWh/kWp a year)", "屋顶：年等效利用小时数（h，即 kWh/kWp）"),
    "coverage_legend": Text("Units: coverage", "统计单元：覆盖率"),
    "target_year": Text("in", "年"),
    "survey_note": Text("dashed: structure or facts to be checked", "虚线：结构或资料待核实"),
    "roofs_layer": Text("Roofs: usable", "屋顶：可用"),
    "survey_layer": Text("Roofs: to survey", "屋顶：待核实"),
    "excluded_layer": Text("Roofs: excluded", "屋顶：已排除"),
    "units_layer": Text("Coverage of units", "统计单元覆盖率"),
    "labels_layer": Text("Names of units", "统计单元名称"),
    "planes_layer": Text("Roof planes", "屋顶坡面"),
    "modules_layer": Text("Modules", "光伏组件"),
    "planes_legend": Text(
        "Roof planes: source (arrow: downhill, none: level)", "屋顶坡面来源（箭头为坡向，无箭头为水平）"
    ),
    "module_counted": Text("module", "光伏组件"),
    "module_left_out": Text(
        "not counted: in shade, or taken off for obstacles and existing PV",
        "不计入：位于遮挡处，或为障碍物、已装光伏扣除",
    ),
    "zoom_to_planes": Text("Zoom in to see roof planes", "放大地图以显示屋顶坡面"),
    "zoom_to_modules": Text("Zoom in to see modules", "放大地图以显示光伏组件"),
    "planes": Text("roof planes", "屋顶坡面"),
    "module_count": Text("modules", "组件数量"),
    "module_unit": Text("modules", "块"),
    "inverters": Text("inverters (usual)", "逆变器(参考)"),
    "flat": Text("level", "水平"),
    "racks": Text("racks", "支架"),
    "and_more": Text("and {n} more", "等，另有 {n} 个"),
    "no_basemap": Text("no base map", "无底图"),
    "zoom_to_roofs": Text("Zoom in to see the roofs", "放大地图以显示屋顶"),
    "not_drawn": Text("roofs without a shape, found by search only", "栋无图形，仅可查找"),
    "no_roofs": Text("too many roofs for one file: not drawn", "屋顶数量超出单文件上限，未绘制"),
    "zoom_in": Text("zoom in", "放大"),
    "zoom_out": Text("zoom out", "缩小"),
    "close": Text("close", "关闭"),
    "shading_loss": Text("shading loss", "遮挡损失"),
    "annual": Text("annual energy", "年发电量"),
    "annual_unit": Text("MWh", "万kWh"),
    "hours_unit": Text("kWh/kWp", "h"),
    "yield_short": Text("specific yield", "年等效利用小时数"),
    "roof_area": Text("roof area", "屋顶面积"),
    "installable": Text("installable area", "可安装面积"),
    "capacity_short": Text("capacity", "拟装容量"),
    "existing": Text("existing PV", "已装容量"),
    "not_known": Text("not known", "不明"),
    "why": Text("reasons", "原因"),
    "notes": Text("data notes", "数据说明"),
    "owner_withheld": Text("not shown (person)", "不显示（自然人）"),
    "owner_unknown": Text("not shown (may be a person)", "不显示（可能为自然人）"),
    "range": Text("range", "区间"),
    "gap": Text("gap", "缺口"),
    "n_buildings": Text("buildings", "建筑数"),
    "n_unknown": Text("of unknown class or year", "归属不明"),
    "no_rows": Text("no figures for this choice", "此口径无数据"),
    "sources": Text("Sources", "数据来源"),
    "made_with": Text("Computed with rooftop {version}", "由 rooftop {version} 计算"),
    "caveat": Text(
        "Estimates for planning; structure, fire safety and grid connection are checked before building.",
        "规划估算值；实施前须核实结构安全、消防与并网条件。",
    ),
    "personal": Text("Contains owners' personal names: not for publication.", "含产权人姓名，不得公开。"),
}


def interface_texts(lang: Lang) -> dict[str, str]:
    """Return every sentence of the page in one language, table labels included."""
    texts = {key: text.pick(lang) for key, text in UI.items()}
    for name in ("building_id", "owner_name", "building_use", "is_public_institution", "roof_type", "address"):
        texts[name] = ROOFS.label(name).pick(lang)
    for name in ("completion_date", "year_built", "status", "use_source", "height_m", "is_new"):
        texts[name] = ROOFS.label(name).pick(lang)
    for name in ("kind", "scope_reading", "cohort", "aggregation", "building_group", "target_id", "level"):
        texts[name] = COVERAGE.label(name).pick(lang)
    return texts


def vocabulary(lang: Lang) -> dict[str, str]:
    """Return the labels of coded values, keyed ``group:code``: uses, roof types, reasons, statuses, answers."""
    labels = {f"answer:{code}": text.pick(lang) for code, text in ANSWERS.items()}
    labels |= {f"status:{code}": text.pick(lang) for code, text in STATUS_LABELS.items()}
    labels |= {f"use:{code}": text.pick(lang) for code, text in use_labels().items()}
    labels |= {f"roof:{code}": text.pick(lang) for code, text in roof_type_labels().items()}
    labels |= {f"reason:{code}": text.pick(lang) for code, text in reasons().items()}
    levels = coverage_rules().labels["level"]
    return labels | {f"level:{code}": entry.text.pick(lang) for code, entry in levels.items()}


def coverage_labels(pack: Pack) -> dict[str, Text]:
    """Return what a policy pack calls its targets, readings and building groups.

    Returns
    -------
    dict
        Keyed ``column:value`` of `tables.COVERAGE`, for `build_map`.
    """
    labels = {f"target_id:{target.id}": target.label.text for target in pack.targets}
    for rule in pack.coverage:
        labels |= {f"building_group:{group.id}": group.label.text for group in rule.groups}
        labels |= {f"scope_reading:{reading.id}": reading.label.text for reading in rule.readings}
    return labels


def choice_label(column: str, value: str, lang: Lang, labels: Mapping[str, Text]) -> str:
    """Name one value of a choice in full.

    Parameters
    ----------
    column, value : str
        Column of `tables.COVERAGE` and one of its values.
    labels : mapping
        See `coverage_labels`; comes before the shipped names.
    """
    if f"{column}:{value}" in labels:
        return labels[f"{column}:{value}"].pick(lang)
    if (column, value) == ("target_id", NO_TARGET):
        return Text("no value set", "未设目标值").pick(lang)
    shipped = coverage_rules().labels.get(column, {})
    if value in shipped:
        return shipped[value].text.pick(lang)
    if column == "cohort" and re.fullmatch(r"\d{4}(-\d{4})?", value):
        return Text(f"completed {value}", f"{value}年竣工").pick(lang)
    return value


def yield_breaks(values: F8) -> list[float]:
    """Return round class limits between the 3rd and 97th percentile of the specific yields.

    Parameters
    ----------
    values : (n,) float
        kWh/kWp; NaN is left out.

    Returns
    -------
    list of float
        Ascending inner limits, at most one fewer than `YIELD_COLOURS`; empty when nothing can be told apart.
    """
    known = values[np.isfinite(values)]
    if known.size == 0:
        return []
    low, high = np.percentile(known, [3, 97])
    for step in (10, 20, 25, 40, 50, 100, 200, 250, 500, 1000):
        first, last = np.ceil(low / step) * step, np.floor(high / step) * step
        n_limits = round((last - first) / step) + 1
        if n_limits < len(YIELD_COLOURS):
            return [float(first + step * k) for k in range(max(n_limits, 0))]
    return []


def class_colours(n_classes: int) -> list[str]:
    """Return `n_classes` colours of the yield scale, spread over its whole range."""
    if n_classes == 1:
        return [YIELD_COLOURS[2]]
    picks = np.linspace(0, len(YIELD_COLOURS) - 1, n_classes).round().astype(int)
    return [YIELD_COLOURS[k] for k in picks]
