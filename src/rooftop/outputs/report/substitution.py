"""Renewable substitution and PV or hot water in the report, and their files."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from rooftop.core.lang import Lang, Text
from rooftop.core.rounding import NONE, Interval, area, coal, count, is_missing, number, percent, percent_range
from rooftop.outputs.bundle import ReportData
from rooftop.outputs.report.grids import Block, Cell, Heading, PrintedTable, Row, heads, number_column, text_column
from rooftop.outputs.report.sections import named_goal
from rooftop.outputs.unit_names import unit_label
from rooftop.outputs.verdicts import verdict_of
from rooftop.tables import PV_OR_THERMAL, SUBSTITUTION
from rooftop.targets.energy_settings import EnergySettings, energy_settings
from rooftop.targets.models import SubstitutionTarget

_CHOICES = ("pv", "both", "thermal")
_ORDER = {"city": 0, "district": 1, "zone": 2}


def substitution_blocks(data: ReportData, lang: Lang) -> list[Block]:
    """Return the tables of the report's section, each with title and lead; none where the pack sets no rate."""
    if data.pack is None or data.indicator(SUBSTITUTION).empty:
        return []
    settings = energy_settings(data.options.energy_demand)
    blocks = [_target_block(data, entry, settings, lang) for entry in data.pack.substitution]
    blocks.append(_equivalents_block(data, settings, lang))
    if not data.indicator(PV_OR_THERMAL).empty:
        blocks.append(_choice_block(data, settings, lang))
    return blocks


def _block(title: Text, lead: Text, grid: PrintedTable, lang: Lang) -> Block:
    return Block(title.capitalised().pick(lang), lead.pick(lang), grid)


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(key): value for key, value in row.items()} for row in frame.to_dict("records")]


def _by_kind(frame: pd.DataFrame) -> dict[str, dict[str, Any]]:
    return {str(row["kind"]): row for row in _records(frame)}


def _title(data: ReportData, target_id: str) -> Text:
    assert data.pack is not None
    target = data.pack.target(target_id)
    return named_goal(target.label.text, target.value, target.year)


_TARGET_COLUMNS = (
    text_column("Unit", "名称"),
    number_column("Buildings (unknown)", "建筑数（不明）"),
    number_column("Floor area", "建筑面积"),
    number_column("Energy demand", "建筑能耗"),
    number_column("Rate today", "现状替代率"),
    text_column("Met?", "是否达标"),
    number_column("Missing today", "现状缺口"),
    number_column("With the selected roofs", "拟建后替代率"),
    number_column("All roofs", "可建潜力替代率"),
    number_column("Of the target, roofs alone can carry", "仅屋顶光伏可完成目标"),
    number_column("Must come from elsewhere", "须由其他方式补足"),
)


def _target_block(data: ReportData, entry: SubstitutionTarget, settings: EnergySettings, lang: Lang) -> Block:
    """One target under its own equivalent: what is met, what roofs can carry, what must come from elsewhere."""
    frame = data.indicator(SUBSTITUTION)
    of_target = frame[
        (frame["target_id"] == entry.target).to_numpy(dtype=bool) & frame["is_default"].to_numpy(dtype=bool)
    ]
    city = _by_kind(of_target[(of_target["level"] == "city").to_numpy(dtype=bool)])
    rows, seen = [], of_target[of_target["level"].isin(_ORDER).to_numpy(dtype=bool)]
    keys = seen.drop_duplicates(["level", "unit_id"])[["level", "unit_id"]].itertuples(index=False)
    for level, unit_id in sorted(keys, key=lambda key: _ORDER[str(key[0])]):
        in_unit = (seen["unit_id"] == unit_id).to_numpy(dtype=bool) & (seen["level"] == level).to_numpy(dtype=bool)
        rows.append(Row(_unit_cells(_by_kind(seen[in_unit]), lang), level == "city"))
    notes = Text("{source}. {note}.", "{source}。{note}。").format(
        source=entry.source.text.capitalised(), note=settings.intensity_note.text.capitalised()
    )
    lead = _lead(city, lang)
    return _block(
        _title(data, entry.target),
        lead,
        PrintedTable(heads(_TARGET_COLUMNS, lang), rows, note=notes.pick(lang), style="ledger"),
        lang,
    )


def _unit_cells(kinds: dict[str, dict[str, Any]], lang: Lang) -> list[Cell]:
    best = kinds["potential"]
    today, planned = kinds.get("installed"), kinds.get("planned")
    unknown = f" ({count(best['n_unknown'])})" if best["n_unknown"] else ""
    verdict = None if today is None or is_missing(today["attained"]) else verdict_of(str(today["attained"]))
    return [
        Cell(unit_label(best).pick(lang)),
        Cell(f"{count(best['n_buildings'])}{unknown}", True),
        Cell(area(best["floor_area_m2"], lang), True),
        Cell(coal(best["demand_kgce"], lang), True),
        Cell(_rate(today), True),
        Cell(NONE) if verdict is None else Cell(verdict.text.pick(lang), tone=verdict.tone),
        Cell(_missing(today, lang), True),
        Cell(_rate(planned), True),
        Cell(_rate(best), True),
        Cell(percent(best["roof_share_of_target"], against=1.0), True),
        Cell(coal(best["elsewhere_kgce"], lang, 2, "up") if best["elsewhere_kgce"] > 0 else NONE, True),
    ]


def _missing(row: Mapping[str, Any] | None, lang: Lang) -> str:
    return NONE if row is None or not row["gap_kgce"] > 0 else coal(row["gap_kgce"], lang, 2, "up")


def _rate(row: Mapping[str, Any] | None) -> str:
    """A rate with its bounds; the bounds alone where the climate zone is not known."""
    if row is None or is_missing(row["rate_low"]):
        return NONE
    if is_missing(row["rate"]):
        return f"{percent(row['rate_low'], 'down')}–{percent(row['rate_high'], 'up')}"
    return percent_range(Interval(row["rate_low"], row["rate"], row["rate_high"]), row["target"])


def _lead(city: dict[str, dict[str, Any]], lang: Lang) -> Text:
    """What a mayor asks: is it met, can roofs do it, and if not, how much of what else."""
    best, today = city["potential"], city.get("installed")
    parts: list[Text] = []
    if today is not None and not is_missing(today["rate"]):
        gap = _missing(today, lang)
        short = Text("", "") if gap == NONE else Text(f", {gap} a year short of the target", f"，距目标每年缺 {gap}")
        parts.append(
            Text(
                f"today's PV and declared heat replace {_rate(today)} of the energy",
                f"现有光伏与已申报热利用替代建筑能耗的 {_rate(today)}",
            )
            + short
        )
    parts.append(
        Text(
            f"with PV on every roof in scope it would be {_rate(best)}",
            f"范围内屋顶全部建成后可达 {_rate(best)}",
        )
    )
    if not is_missing(best["gap_kgce"]):
        parts.append(_gap_text(best, lang))
    else:
        parts.append(
            Text(
                "the climate zone is not known, so these are bounds only: set substitution.climate_zone",
                "气候分区不明，仅给出上下限：请设置 substitution.climate_zone",
            )
        )
    option = Text(
        f"1 kWh counts as {best['k_e_kgce_kwh']:g} kgce here; the table below shows what changes with it",
        f"此处 1 kWh 折 {best['k_e_kgce_kwh']:g} kgce，其他折标口径见下表",
    )
    parts.append(option)
    return (Text.join(parts, "; ", "；") + Text(".", "。")).capitalised()


def _gap_text(best: Mapping[str, Any], lang: Lang) -> Text:
    if best["attained"] == "unknown":
        return Text(
            "whether that reaches the target is open: the bounds lie on both sides of it",
            "能否达到目标尚不能判定：上下限分居目标值两侧",
        )
    if not best["gap_kgce"] > 0:
        return Text("the target is within reach with roofs and what is declared", "仅靠屋顶与已申报热利用即可达到目标")
    thermal, ground = (
        area(best["gap_solar_thermal_m2"], lang, 2, "up"),
        area(best["gap_ground_source_m2"], lang, 2, "up"),
    )
    gap = coal(best["gap_kgce"], lang, 2, "up")
    return Text(
        f"{gap} a year would still be missing: solar hot water for {thermal} of building, or ground-source heat pumps "
        f"for {ground}",
        f"每年仍缺 {gap}，相当于太阳能光热应用建筑面积 {thermal}，或地源热泵应用建筑面积 {ground}",
    )


_TARGET_COLUMN = text_column("Target", "指标")
_EQUIVALENT_COLUMNS = (
    text_column("1 kWh of electricity counts as", "电力折标口径"),
    number_column("Energy demand", "建筑能耗"),
    number_column("Rate today", "现状替代率"),
    number_column("All roofs", "可建潜力替代率"),
    number_column("PV", "光伏"),
    number_column("Solar hot water", "太阳能光热"),
    number_column("Heat pumps, net", "热泵（净）"),
    number_column("Of the target, roofs alone can carry", "仅屋顶光伏可完成目标"),
    number_column("Missing with all roofs", "屋顶全部建成后仍缺"),
)


def _equivalents_block(data: ReportData, settings: EnergySettings, lang: Lang) -> Block:
    """The city's rates under every equivalent of electricity."""
    assert data.pack is not None
    several = len(data.pack.substitution) > 1
    columns = (*([_TARGET_COLUMN] if several else []), *_EQUIVALENT_COLUMNS)
    frame = data.indicator(SUBSTITUTION)[(data.indicator(SUBSTITUTION)["level"] == "city").to_numpy(dtype=bool)]
    rows = []
    for entry in data.pack.substitution:
        for name, option in settings.k_e.options.items():
            of_option = frame[((frame["target_id"] == entry.target) & (frame["k_e"] == name)).to_numpy(dtype=bool)]
            kinds = _by_kind(of_option)
            best = kinds["potential"]
            remark = Text(" — used above", "（上表采用）").pick(lang) if best["is_default"] else ""
            label = Text("{kgce_kwh:g} kgce, {label} ({grade})", "{kgce_kwh:g} kgce，{label}（{grade}）").format(
                kgce_kwh=option.kgce_kwh, label=option.label.text, grade=option.grade
            )
            rows.append(
                Row(
                    [
                        *([Cell(_title(data, entry.target).capitalised().pick(lang))] if several else []),
                        Cell(label.pick(lang) + remark),
                        Cell(coal(best["demand_kgce"], lang), True),
                        Cell(_rate(kinds.get("installed")), True),
                        Cell(_rate(best), True),
                        Cell(coal(best["pv_kgce"], lang), True),
                        Cell(coal(best["thermal_kgce"], lang) if best["thermal_kgce"] else NONE, True),
                        Cell(coal(best["heat_pump_kgce"], lang) if best["heat_pump_kgce"] else NONE, True),
                        Cell(percent(best["roof_share_of_target"], against=1.0), True),
                        Cell(_missing(best, lang), True),
                    ],
                    bool(best["is_default"]),
                )
            )
    lead = Text(
        "No plan says how many kgce a kWh of PV replaces. Electricity demand is converted alike, heating and fuels are "
        "not, so the rate changes with it. Heat pumps count net of their own electricity.",
        "各方案均未规定光伏电量如何折标。用电按同一系数折算，供暖与燃料不随之变化，替代率因此不同。热泵已扣除自身用电。",
    )
    return _block(
        Text("Under each equivalent of electricity", "不同电力折标口径下的替代率"),
        lead,
        PrintedTable(heads(columns, lang), rows, style="ledger"),
        lang,
    )


def _choice_block(data: ReportData, settings: EnergySettings, lang: Lang) -> Block:
    """PV or hot water: how many roofs under each equivalent, where it turns, what a mandate decides."""
    table = data.indicator(PV_OR_THERMAL)
    labels = settings.labels["choice"]
    columns = (
        text_column("1 kWh of electricity counts as", "电力折标口径"),
        *(Heading(labels[name].text, number=True) for name in _CHOICES),
        number_column("Zone for collectors", "宜布置集热器面积"),
        number_column("No need of hot water", "无稳定热水需求"),
        number_column("Decided by a mandate", "按强制要求"),
    )
    rows = []
    for name, option in settings.k_e.options.items():
        choice, by = table[f"choice_{name}"].to_numpy(dtype=object), table[f"decided_by_{name}"].to_numpy(dtype=object)
        warm = choice != "pv"
        rows.append(
            Row(
                [
                    Cell(f"{option.kgce_kwh:g} kgce{'，' if lang == 'zh' else ', '}{option.label.text.pick(lang)}"),
                    *(Cell(count(int((choice == kind).sum())), True) for kind in _CHOICES),
                    Cell(area(float(table["collector_zone_m2"].to_numpy(dtype=float)[warm].sum()), lang), True),
                    Cell(count(int((by == "no_need").sum())), True),
                    Cell(count(int((by == "mandate").sum())), True),
                ]
            )
        )
    physics, rule = (_median(table, column) for column in ("k_e_equal", "k_e_equal_rule"))
    lead = Text(
        f"Roofs with modules. A square metre of roof replaces as much by hot water as by PV where 1 kWh counts as "
        f"{number(physics)} kgce (by irradiation and collector efficiency) or {number(rule)} kgce (by the plans' rule "
        "for collectors), the median of all roofs; below that hot water replaces more, as far as it is needed.",
        f"统计可布置组件的屋顶。1 kWh 折 {number(physics)} kgce（按辐照量与集热效率）或 {number(rule)} kgce"
        "（按规划折算规则）时，同样的屋面用于光热与光伏替代量相当（各屋顶中位数）；低于该值时宜热，但以建筑热水需求为限。",
    )
    title = Text("PV or hot water per roof (宜电则电、宜热则热)", "宜电则电、宜热则热")
    return _block(
        title, lead, PrintedTable(heads(columns, lang), rows, note=_mandate_note(data, lang), style="ledger"), lang
    )


def _median(table: pd.DataFrame, column: str) -> float:
    values = table[column].to_numpy(dtype=float)
    return float(np.nanmedian(values)) if np.isfinite(values).any() else float("nan")


def _mandate_note(data: ReportData, lang: Lang) -> str:
    """Say which mandate decides, for how many roofs, and for how many a fact is missing."""
    assert data.pack is not None
    notes = []
    for mandate in data.pack.mandates:
        target = data.pack.target(mandate.target)
        notes.append(
            Text("Mandate: “{wording}”. {source}.", "强制要求：“{wording}”。{source}。").format(
                wording=target.wording, source=mandate.source.text.capitalised()
            )
        )
        for part in mandate.parts:
            of_part = data.indicator(PV_OR_THERMAL)[
                (data.indicator(PV_OR_THERMAL)["mandate_part"] == part.id).fillna(False).to_numpy(dtype=bool)
            ]
            sure = int((of_part["mandate"] == "yes").sum())
            maybe = len(of_part) - sure
            why = (
                Text(" ({condition})", "（{condition}）").format(condition=part.condition.text)
                if part.condition
                else Text("", "")
            )
            notes.append(
                Text(
                    "{part}: {sure} roofs, possibly {maybe} more{why}.",
                    "{part}：{sure} 个屋顶，另有 {maybe} 个可能属于{why}。",
                ).format(part=part.label.text.capitalised(), sure=count(sure), maybe=count(maybe), why=why)
            )
    return (" " if lang == "en" else "").join(note.pick(lang) for note in notes)
