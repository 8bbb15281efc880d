"""Quotas and capacity beside coverage: rows for report and workbook, CSV files, what a pack cannot compute."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from rooftop.campaign.carbon import EmissionFactor
from rooftop.core.lang import Lang, Text
from rooftop.core.rounding import (
    NONE,
    Interval,
    area,
    capacity,
    carbon,
    count,
    energy,
    is_missing,
    number,
    percent,
    span,
)
from rooftop.outputs.bundle import ReportData
from rooftop.outputs.report.grids import Block, Cell, PrintedTable, Row, heads, number_column, text_column
from rooftop.outputs.unit_names import unit_label, zones_note
from rooftop.tables import CAPACITY, QUOTAS
from rooftop.targets.listing import target_rows, value_label
from rooftop.targets.models import Pack


def with_carbon(frame: pd.DataFrame, energy_column: str, factor: EmissionFactor) -> pd.DataFrame:
    """Add the CO2 that a year's energy avoids, and the factor with its year and province.

    Parameters
    ----------
    frame : DataFrame
    energy_column : str
        kWh a year.
    factor : EmissionFactor
    """
    return frame.assign(
        avoided_kg=frame[energy_column] * factor.kg_kwh,
        factor_kg_kwh=factor.kg_kwh,
        factor_year=factor.year,
        factor_province=factor.province,
    )


# --- rows ------------------------------------------------------------------------------------------------------------


def quota_rows(data: ReportData, lang: Lang) -> list[dict[str, Any]]:
    """Return the quotas with their names in words and the CO2 they avoid, in the plan's order."""
    if data.pack is None or data.indicator(QUOTAS).empty:
        return []
    rows = with_carbon(data.indicator(QUOTAS), "added_kwh", data.campaign.factor).to_dict("records")
    parts = data.indicator(QUOTAS)[(data.indicator(QUOTAS)["level"] != "city").to_numpy(dtype=bool)]
    given = parts.groupby("target_id")["unit_id"].agg(["count", "size"])
    return [
        {str(key): value for key, value in row.items()}
        | {
            "target_label": value_label("target_id", str(row["target_id"]), data.pack).pick(lang),
            "level_label": value_label("level", str(row["level"])).pick(lang),
            "unit_label": value_label("unit", str(row["unit"])).pick(lang),
            "stock_label": "" if is_missing(row["stock"]) else value_label("stock", str(row["stock"])).pick(lang),
            "state": _state(row, data.pack, given).pick(lang),
        }
        for row in rows
    ]


def _state(row: Mapping[Any, Any], pack: Pack, given: pd.DataFrame) -> Text:
    """Say why a quota is not compared, or how it stands against the stock."""
    if row["level"] == "city" and row["target_id"] in given.index:
        k, n = (int(v) for v in given.loc[row["target_id"]])
        if k < n:
            return Text(f"{k} of the plan's {n} units are in these data", f"本数据含规划 {n} 个单元中的 {k} 个")
    if is_missing(row["unit_id"]):
        return Text("the unit is not among the boundaries of this run", "本次数据边界中没有该单元")
    if is_missing(row["quota_m2"]):
        meant = value_label("stock", str(row["stock"])) if not is_missing(row["stock"]) else None
        what = Text("", "") if meant is None else Text("{meant}; ", "{meant}；").format(meant=meant)
        return Text("{what}the excerpt states no unit: not compared", "{what}文本摘录未注明单位，不作比较").format(
            what=what
        )
    if is_missing(row["n_stock"]):
        return Text("the pack names no stock to compare with", "政策包未指明对应存量，不作比较")
    if not row["n_stock"]:
        return _no_stock(pack, new=row["stock"] == "new")
    if row["quota_share"] > 1.0:
        return Text("the quota exceeds the stock in these data", "任务量超过本数据中的存量")
    return Text("", "")


def _no_stock(pack: Pack, *, new: bool) -> Text:
    start, end = pack.period.start, pack.period.end
    if not new:
        return Text(f"no building is known to be completed before {start}", f"没有已知 {start} 年以前竣工的建筑")
    years = f"{start}–" if end is None else f"{start}–{end}"
    return Text(f"no building is known to be completed in {years}", f"没有已知 {years} 年竣工的建筑")


def capacity_rows(data: ReportData, lang: Lang, levels: tuple[str, ...]) -> list[dict[str, Any]]:
    """Return the capacity ledger of the levels wanted, names in words, installed and potential beside each other."""
    if data.pack is None or data.indicator(CAPACITY).empty:
        return []
    frame = data.indicator(CAPACITY)[data.indicator(CAPACITY)["level"].isin(levels).to_numpy(dtype=bool)]
    rows: dict[tuple[str, ...], dict[str, Any]] = {}
    for row in with_carbon(frame, "annual_kwh", data.campaign.factor).to_dict("records"):
        key = tuple(str(row[name]) for name in ("target_id", "level", "unit_id", "building_group"))
        entry = rows.setdefault(
            key,
            {str(k): row[k] for k in ("unit_id", "unit_name", "level", "target_id", "target_kwp", "n_buildings")}
            | {
                "target_label": value_label("target_id", str(row["target_id"]), data.pack).pick(lang),
                "level_label": value_label("level", str(row["level"])).pick(lang),
                "n_unknown": row["n_unknown"],
                "unit_label": unit_label(row).pick(lang),
            }
            | ({"unit_name": unit_label(row).pick(lang)} if row["level"] == "city" else {}),
        )
        for name in ("capacity_kwp", "capacity_low_kwp", "share_of_target", "annual_kwh", "avoided_kg"):
            entry[f"{row['kind']}_{name}"] = row[name]
    order = {level: k for k, level in enumerate(levels)}
    return sorted(rows.values(), key=lambda row: order[row["level"]])


def uncomputed_rows(data: ReportData, lang: Lang) -> list[dict[str, str]]:
    """Return the targets of the pack that are not, or not wholly, computed: what, the plan's number, why not."""
    if data.pack is None:
        return []
    return [
        {
            "target": row.label.pick(lang),
            "value": row.value_text,
            "state": row.computable.pick(lang),
            "reason": row.reason.pick(lang),
        }
        for row in target_rows(data.pack)
        if row.reason is not None
    ]


# --- the section of the report ---------------------------------------------------------------------------------------


def ledger_blocks(data: ReportData, lang: Lang) -> list[Block]:
    """Return the tables of the report's section, each with title and lead; none without a pack."""
    blocks = []
    factor = data.campaign.factor.label
    quotas, capacities = quota_rows(data, lang), capacity_rows(data, lang, ("city", "district", "zone"))
    if quotas:
        title = Text("Quotas of the plan over the stock", "规划任务量与存量建筑对照")
        lead = Text(
            "What stands in each unit against its quota of floor area, and the PV that fits, beside existing PV, "
            "when the roofs carrying most fill the quota; the last roof counts in part, so no choice within the "
            "quota gives more. Brackets: without roofs to survey, and with buildings of unknown year. Floor area is "
            "an estimate (footprint × floors). A district excludes its zones. CO₂: {factor}.",
            "各单元存量建筑面积与任务量对照；“可新增容量”为优先改造单位建筑面积可装容量最大的屋顶、直至用满任务量时，"
            "在已装之外可再安装的容量（最后一栋按比例计，故为任务量内的最大值）。括号内下限不含待核实屋顶，上限含竣工"
            "时间不明的建筑。建筑面积按轮廓面积×层数估算。县区数不含其中的功能区。碳减排：{factor}。",
        ).format(factor=factor)
        blocks.append(Block(title.pick(lang), lead.pick(lang), _quota_grid(quotas, lang)))
    if capacities:
        title = Text("Capacity ledger", "装机容量台账")
        lead = Text(
            "Local capacity against what the plan asks for. A national total is not broken down to places: the share "
            "tells how much of it these roofs hold; what is installed counts whenever it was built. A share of the "
            "total roof becomes capacity at the group's mean kWp per m² of installable area. Brackets: without roofs "
            "to survey. CO₂ of the potential: {factor}.",
            "本地容量与规划目标对照。全国总量未分解到地方：占比仅说明本地屋顶占全国目标的份额；已装为全部存量，不论并网时间。"
            "屋顶总面积比例类目标按该类建筑单位可安装面积的平均容量折算。括号内下限不含待核实屋顶。潜力碳减排：{factor}。",
        ).format(factor=factor)
        blocks.append(Block(title.pick(lang), lead.pick(lang), _capacity_grid(capacities, lang)))
    missing = uncomputed_rows(data, lang)
    if missing:
        title = Text("Not computed, and why", "未计算或仅部分计算的指标及原因")
        lead = Text(
            "Targets of the plan that roofs alone do not answer.", "规划中仅凭屋顶数据不能（或不能完全）回答的指标。"
        )
        blocks.append(Block(title.pick(lang), lead.pick(lang), _missing_grid(missing, lang)))
    return blocks


_QUOTA_COLUMNS = (
    text_column("Target", "指标"),
    text_column("Unit", "单元"),
    number_column("Quota", "任务量"),
    number_column("Buildings (year unknown)", "对应建筑数（时间不明）"),
    number_column("Their floor area", "对应建筑面积"),
    number_column("Quota ÷ floor area", "任务量占比"),
    number_column("Roofs taken", "优选屋顶数"),
    number_column("PV that fits", "可新增容量"),
    number_column("not chosen by roof", "不择优时"),
    number_column("CO₂ a year", "年减排"),
    text_column("Note", "说明"),
)


def _quota_grid(rows: list[dict[str, Any]], lang: Lang) -> PrintedTable:
    body = []
    away = [row for row in rows if is_missing(row["unit_id"])]
    for row in rows:
        if is_missing(row["unit_id"]):
            continue
        fits = Interval(row["added_low_kwp"], row["added_kwp"], row["added_high_kwp"])
        counted = not is_missing(row["n_stock"])
        body.append(
            Row(
                [
                    Cell(row["target_label"]),
                    Cell(str(row["name"])),
                    Cell(f"{row['value']:g} {'' if is_missing(row['quota_m2']) else row['unit']}".strip(), True),
                    Cell(_with_unknown(row) if counted else NONE, True),
                    Cell(area(row["stock_area_m2"], lang) if counted else NONE, True),
                    Cell(percent(row["quota_share"]) if not is_missing(row["quota_share"]) else NONE, True),
                    Cell(count(row["n_filled"]) if not is_missing(row["n_filled"]) else NONE, True),
                    Cell(_capacity_with_bounds(fits, lang), True),
                    Cell(_text_or_dash(row["added_mean_kwp"], lambda v: capacity(v, lang)), True),
                    Cell(_text_or_dash(row["avoided_kg"], lambda v: carbon(v, lang)), True),
                    Cell(row["state"]),
                ],
                row["level"] == "city",
            )
        )
    return PrintedTable(heads(_QUOTA_COLUMNS, lang), body, note=away_note(away).pick(lang), style="ledger")


def away_note(rows: Iterable[Mapping[str, Any]]) -> Text:
    """Name the plan's units that no boundary of the run covers, once; their buildings stay where they are counted."""
    levels = {str(row["name"]): str(row["level"]) for row in rows}
    if not levels:
        return Text("", "")
    text = Text(
        f"Not among the boundaries of this run: {', '.join(levels)}.", f"本次数据边界中没有：{'、'.join(levels)}。"
    )
    if "zone" not in levels.values():
        return text
    return Text(
        "{text} Buildings of a zone without a boundary are still in their district's figures.",
        "{text}没有边界的功能区，其建筑仍计入所在县区。",
    ).format(text=text)


def _with_unknown(row: Mapping[str, Any]) -> str:
    unknown = int(row["n_year_unknown"])
    return count(row["n_stock"]) + (f" ({count(unknown)})" if unknown else "")


def _text_or_dash(value: object, show: Any) -> str:
    return NONE if is_missing(value) else str(show(value))


def _capacity_with_bounds(values: Interval, lang: Lang) -> str:
    if is_missing(values.central):
        return NONE
    central = capacity(values.central, lang)
    if values.exact or np.isnan(values.low) or np.isnan(values.high):
        return central
    bounds = span(capacity(values.low, lang, 2, "down"), capacity(values.high, lang, 2, "up"))
    return f"{central}（{bounds}）" if lang == "zh" else f"{central} ({bounds})"


_CAPACITY_COLUMNS = (
    text_column("Target", "指标"),
    text_column("Unit", "单元"),
    number_column("Buildings (unknown)", "建筑数（不明）"),
    number_column("Asked for", "目标容量"),
    number_column("Installed", "已装"),
    number_column("of target", "占目标"),
    number_column("Potential (low)", "潜力（下限）"),
    number_column("of target", "占目标"),
    number_column("Energy a year", "潜力年发电量"),
    number_column("CO₂ a year", "潜力年减排"),
)


def _capacity_grid(rows: list[dict[str, Any]], lang: Lang) -> PrintedTable:
    body = []
    for row in rows:
        unknown = f" ({count(row['n_unknown'])})" if row["n_unknown"] else ""
        low = ""
        if row["potential_capacity_low_kwp"] < row["potential_capacity_kwp"]:
            low = f" ({capacity(row['potential_capacity_low_kwp'], lang, 2, 'down')})"
        body.append(
            Row(
                [
                    Cell(row["target_label"]),
                    Cell(row["unit_label"]),
                    Cell(f"{count(row['n_buildings'])}{unknown}", True),
                    Cell(_text_or_dash(row["target_kwp"], lambda v: capacity(v, lang)), True),
                    Cell(_text_or_dash(row["installed_capacity_kwp"], lambda v: capacity(v, lang)), True),
                    Cell(_share(row["installed_share_of_target"]), True),
                    Cell(f"{capacity(row['potential_capacity_kwp'], lang)}{low}", True),
                    Cell(_share(row["potential_share_of_target"]), True),
                    Cell(energy(row["potential_annual_kwh"], lang), True),
                    Cell(carbon(row["potential_avoided_kg"], lang), True),
                ],
                row["level"] == "city",
            )
        )
    note = zones_note(row["level"] for row in rows).pick(lang)
    return PrintedTable(heads(_CAPACITY_COLUMNS, lang), body, note=note, style="ledger")


def _share(value: object) -> str:
    """A share of a national total may be tiny: never 0 % where something stands."""
    if is_missing(value):
        return NONE
    share = float(str(value))
    return f"{number(share * 100.0, 2)}%" if 0.0 < share < 0.001 else percent(share)


_MISSING_COLUMNS = (
    text_column("Target", "指标"),
    text_column("Value", "数值"),
    text_column("State", "状态"),
    text_column("Why", "原因"),
)


def _missing_grid(rows: list[dict[str, str]], lang: Lang) -> PrintedTable:
    body = [Row([Cell(row[key]) for key in ("target", "value", "state", "reason")]) for row in rows]
    return PrintedTable(heads(_MISSING_COLUMNS, lang), body, style="missing")
