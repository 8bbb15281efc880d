"""The short table at the end of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
from rich.cells import cell_len

from rooftop.core.lang import Lang, Text
from rooftop.outputs.verdicts import verdict_of

if TYPE_CHECKING:
    from rooftop.job.pipeline import RunResult

_HEADS = (
    Text("district", "县区"),
    Text("roofs", "屋顶数"),
    Text("new kWp", "可新增容量(kWp)"),
    Text("MWh/a", "年发电量(MWh)"),
    Text("coverage: installed", "已装覆盖率"),
    Text("potential (range)", "潜力覆盖率(区间)"),
    Text("target", "目标"),
    Text("met / attainable", "达标 / 可达"),
)
_NOT_IN_TOTALS = ("outside_district", "no_irradiance", "tile_failed")


def _pad(text: str, width: int, *, left: bool) -> str:
    gap = " " * (width - cell_len(text))
    return text + gap if left else gap + text


def _percent(value: float) -> str:
    return f"{max(0.0, 100.0 * value):.1f} %" if value == value else "-"  # NaN is not itself


def summary_lines(result: RunResult, lang: Lang) -> list[str]:
    """Return the table, the paths, and the count of warnings."""
    rows = [[head.pick(lang) for head in _HEADS], *_unit_rows(result, lang)]
    widths = [max(cell_len(row[k]) for row in rows) for k in range(len(_HEADS))]
    lines = ["  ".join(_pad(cell, widths[k], left=k == 0) for k, cell in enumerate(row)) for row in rows]
    lines.insert(1, "-" * cell_len(lines[0]))
    title = result.config.title or result.config.name
    if result.config.synthetic:
        title += Text(" — SYNTHETIC example, not a real place", " —— 合成示例数据，非真实地点").pick(lang)
    missing = [n.text.pick(lang) for n in result.record.notices if n.code in _NOT_IN_TOTALS]
    lines = [title, *lines, *(f"! {line}" for line in missing), ""]
    names = (
        (Text("map", "地图"), result.products.map),
        (Text("report", "报告"), result.products.report),
        (Text("lists", "候选清单"), result.out / "candidates" if result.products.candidates else None),
        (Text("tables", "数据表"), result.out),
    )
    lines += [f"{name.pick(lang)}: {path}" for name, path in names if path is not None]
    warnings = [n for n in result.record.notices if n.severity == "warning"]
    if warnings:
        lines.append(
            Text(
                f"{len(warnings)} warnings, see the report or run.json", f"{len(warnings)} 条提示，详见报告或 run.json"
            ).pick(lang)
        )
    return lines


def _unit_rows(result: RunResult, lang: Lang) -> list[list[str]]:
    coverage = result.tables.coverage
    front = coverage[coverage["is_default"].fillna(False).astype(bool)]
    units = result.tables.districts
    districts = units[units["level"] == "district"]
    rows = [
        _row(d.unit_name or d.unit_id, d, front[front["unit_id"] == d.unit_id], lang) for d in districts.itertuples()
    ]
    total = districts[["n_buildings", "capacity_kwp", "annual_kwh"]].sum()
    city = front[front["level"] == "city"]
    rows.append(_row(Text("all", "合计").pick(lang), total, city, lang))
    return rows


def _row(name: str, unit: Any, front: pd.DataFrame, lang: Lang) -> list[str]:
    installed, potential = front[front["kind"] == "installed"].head(1), front[front["kind"] == "potential"].head(1)
    cells = ["-", "-", "-", "-"]
    if len(installed) and len(potential):
        i, p = installed.iloc[0], potential.iloc[0]
        span = f" ({_percent(p.coverage_low)} - {_percent(p.coverage_high)})" if pd.notna(p.coverage_low) else ""
        verdicts = [
            "-" if pd.isna(row.attained) else verdict_of(row.attained, row.kind).text.pick(lang) for row in (i, p)
        ]
        unknown = pd.isna(i.coverage) and i.n_buildings > 0
        now = Text("not known", "不明").pick(lang) if unknown else _percent(i.coverage)
        cells = [now, _percent(p.coverage) + span, _percent(i.target), " / ".join(verdicts)]
    numbers = [f"{int(unit.n_buildings):,}", f"{unit.capacity_kwp:,.0f}", f"{unit.annual_kwh / 1000.0:,.0f}"]
    return [str(name), *numbers, *cells]
