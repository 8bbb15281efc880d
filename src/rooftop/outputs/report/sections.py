"""Lines of the first page that workbook and report share: verdicts, key numbers, the selection."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from rooftop.campaign.candidates import Plan, total_range
from rooftop.campaign.selection import GOOD_ENOUGH
from rooftop.campaign.uncertainty import energy_uncertainty
from rooftop.core.lang import Lang, Text
from rooftop.core.rounding import Interval, area, capacity, carbon, count, energy, money_span, number, percent, span
from rooftop.outputs.bundle import ReportData
from rooftop.outputs.report.findings import Finding
from rooftop.outputs.verdicts import Verdict
from rooftop.outputs.workbook.rows import candidate_frame
from rooftop.targets.columns import numeric_column, text_column
from rooftop.targets.listing import value_label

MAX_PLACES = 5


@dataclass(frozen=True)
class Fact:
    """One line of the first page.

    Parameters
    ----------
    name, value : Text
    tone : str
        ``good``, ``bad``, ``open`` or empty: how a verdict is coloured; ``flip``: another definition turns it.
    """

    name: Text
    value: Text
    tone: str = ""


def target_title(finding: Finding, data: ReportData) -> Text:
    """Return the target in words, with value and year."""
    name = value_label("target_id", finding.target_id, data.pack) if finding.target_id else finding.group
    if not finding.has_target:
        return name
    return named_goal(name, finding.target, finding.year)


def named_goal(name: Text, target: float, year: int | None) -> Text:
    """Return a name with the value and the year of its target."""
    when = Text("", "") if year is None else Text(f" by {year}", f"{year} 年 ")
    return Text("{name}: {goal}{when}", "{name}：{when}{goal}").format(name=name, goal=percent(target), when=when)


def where(finding: Finding, data: ReportData) -> Text:
    """Return the sub-units that miss most, largest gap first: towns of a district, districts of the city."""
    if finding.level == "city":
        inner = [f for f in data.findings if f.level == "district" and f.target_id == finding.target_id]
    else:
        roofs = data.tables.roofs
        in_district = (text_column(roofs, "district_id", "") == finding.unit_id).to_numpy()
        towns = set(text_column(roofs[in_district], "town_id", ""))
        inner = [
            f for f in data.findings if f.level == "town" and f.target_id == finding.target_id and f.unit_id in towns
        ]
    undecided = [f.unit_name for f in inner if f.attained == "unknown" and f.certainty == "open"]
    inner = sorted((f for f in inner if f.gap_kwp > 0), key=lambda f: (-f.gap_kwp, f.unit_id))
    if not inner and undecided:
        return Verdict.UNDECIDED.text + Text(": ", "：") + Text.join(undecided[:MAX_PLACES])
    if not inner:
        return Text("no part of it misses anything", "各组成单元均无缺口")
    listed = inner[:MAX_PLACES]
    more = len(inner) - len(listed)
    # A pooled unit may miss less than its parts together: surplus elsewhere counts for it.
    pooled = sum(f.gap_kwp for f in inner) > 1.01 * finding.gap_kwp
    note = Text("; surplus elsewhere offsets a part", "；其他单元的盈余抵去一部分") if pooled else ""
    unlisted = Text(f" and {more} more", f" 等 {len(inner)} 处") if more else ""
    return Text.join(_unit_with_gap(f) for f in listed) + unlisted + note


def _unit_with_gap(finding: Finding) -> Text:
    en, zh = capacity(finding.gap_kwp, "en", 2, "up"), capacity(finding.gap_kwp, "zh", 2, "up")
    return Text(f"{finding.unit_name} ({en})", f"{finding.unit_name}（缺 {zh}）")


def definition_text(finding: Finding, data: ReportData) -> Text:
    """Return the definition a verdict rests on."""
    default = next((d for d in finding.definitions if d.is_default), None)
    if default is None:
        return Text("—", "—")
    cohort = value_label("cohort", finding.cohort)
    reading = value_label("scope_reading", finding.reading, data.pack)
    how = value_label("aggregation", finding.aggregation)
    return Text("{label}; {reading}; {cohort}; {how}", "{label}；范围：{reading}；统计期：{cohort}；{how}").format(
        label=default.label, reading=reading, cohort=cohort, how=how
    )


def verdict_facts(finding: Finding, data: ReportData) -> list[Fact]:
    """Return the lines of one target: met or not, by how much, where, how sure, which definition, what next."""
    facts = [
        Fact(Text("Met?", "是否达标"), finding.verdict.text, finding.verdict.tone),
        Fact(Text("By how much", "差多少"), finding.by_how_much),
    ]
    if not finding.coverage.known:
        return [*facts, Fact(Text("What next", "下一步"), finding.next_step)]
    if not finding.has_target:
        definition = Fact(Text("Which definition", "依据口径"), definition_text(finding, data))
        return [*facts, definition, Fact(Text("What next", "下一步"), finding.next_step)]
    if finding.attained != "yes":
        facts.append(Fact(Text("Where", "在哪里"), where(finding, data)))
    facts += [
        Fact(Text("How sure", "有多确定"), finding.how_sure),
        Fact(Text("Which definition", "依据口径"), definition_text(finding, data)),
    ]
    deciding = finding.deciding
    if deciding is not None:
        facts.append(Fact(Text("The definition decides", "口径决定结论"), deciding, "flip"))
    return [*facts, Fact(Text("What next", "下一步"), _next(finding, data))]


def _next(finding: Finding, data: ReportData) -> Text:
    plans = plans_of(finding, data)
    step = finding.next_step
    if not plans or not any(plan.n_roofs for plan in plans):
        return step
    units = {plan.unit_id for plan in plans}
    first = {unit: next(p.target_id for p in data.campaign.plans if p.unit_id == unit) for unit in units}
    text = plan_text(plans, further=any(target != finding.target_id for target in first.values()))
    return Text("{step}; {text}", "{step}；{text}").format(step=step, text=text)


def plans_of(finding: Finding, data: ReportData) -> list[Plan]:
    """Return the plans of a unit and target: its own, or those of all districts for the city."""
    return [
        plan
        for plan in data.campaign.plans
        if plan.target_id == finding.target_id and (finding.level == "city" or plan.unit_id == finding.unit_id)
    ]


def plan_text(plans: Iterable[Plan], *, further: bool = False) -> Text:
    """Say what the selected roofs give and cost, and how near the cheapest set they are.

    Parameters
    ----------
    plans : iterable of Plan
    further : bool
        Other roofs were selected for an earlier target already.
    """
    chosen = list(plans)
    roofs = sum(plan.n_roofs for plan in chosen)
    kwp = sum(plan.added_kwp for plan in chosen)
    capex = Interval(
        sum(p.capex_yuan.low for p in chosen),
        sum(p.capex_yuan.central for p in chosen),
        sum(p.capex_yuan.high for p in chosen),
    )
    missing = sum(plan.selection.missing_m2 for plan in chosen)
    cost, bound = (sum(getattr(p.selection, name) for p in chosen) for name in ("cost_yuan", "bound_yuan"))
    excess = percent(cost / bound - 1.0, "up") if bound > 0 else "0%"
    chosen_roofs = Text("{n} {more}roof{s} selected: {kwp}, {cost}", "{more}选 {n} 个屋顶：{kwp}，投资 {cost}").format(
        n=count(roofs),
        more=Text("more ", "另") if further else Text("", "已"),
        s="" if roofs == 1 else "s",
        kwp=Text.both(lambda lang: capacity(kwp, lang)),
        cost=Text.both(lambda lang: money_span(capex, lang)),
    )
    if missing > 0:
        return chosen_roofs + Text(
            f"; they still leave {area(missing, 'en', 2, 'up')} open: other roofs fail a gate",
            f"；仍缺 {area(missing, 'zh', 2, 'up')}：其余屋顶未通过筛选",
        )
    if cost <= bound * (1.0 + GOOD_ENOUGH):
        return chosen_roofs + Text(", the cheapest set there is", "，为最低成本组合")
    return chosen_roofs + Text(f", at most {excess} above the cheapest set", f"，比最低成本至多高 {excess}")


def key_numbers(data: ReportData, unit_id: str | None) -> list[Fact]:
    """Return counts, potential, energy, existing PV, candidates and money of a district, or of all (None)."""
    districts = data.units("district")
    units = districts if unit_id is None else districts[(districts["unit_id"] == unit_id).to_numpy()]
    numeric = [name for name in units.columns if pd.api.types.is_numeric_dtype(units[name])]
    sums = {name: float(np.nansum(numeric_column(units, name))) for name in numeric}
    candidates = data.campaign.candidates if unit_id is None else candidate_frame(data, unit_id)
    planned = candidates[candidates["planned"].to_numpy(dtype=bool)]
    kwp = Interval(
        sums.get("capacity_low_kwp", np.nan), sums.get("capacity_kwp", 0.0), sums.get("capacity_high_kwp", np.nan)
    )
    annual = sums.get("annual_kwh", 0.0)
    factor = data.campaign.factor
    per_kwp = annual / kwp.central if kwp.central > 0 else np.nan
    facts = [
        Fact(Text("Buildings", "建筑"), _counts(sums)),
        Fact(Text("Room for new PV", "可新增容量"), Text.both(lambda lang: _capacity_range(kwp, lang))),
        Fact(
            Text("Energy of year one", "首年发电量"),
            Text(
                f"{energy(annual, 'en')} ({number(per_kwp)} kWh/kWp, ±{energy_uncertainty():.0%})",
                f"{energy(annual, 'zh')}（年等效利用 {number(per_kwp)} h，±{energy_uncertainty():.0%}）",
            ),
        ),
        Fact(Text("Existing PV", "已装光伏"), _existing_pv_text(data, sums)),
        Fact(
            Text("Avoided CO₂", "年减排潜力"),
            Text("{avoided} a year ({factor})", "{avoided}（{factor}）").format(
                avoided=Text.both(lambda lang: carbon(factor.avoided_kg(annual), lang)), factor=factor.label
            ),
        ),
        Fact(Text("Candidate roofs", "候选屋顶"), _candidates(candidates)),
    ]
    if len(planned):
        capex = total_range(planned, "capex_yuan")
        kwp_planned = float(planned["added_kwp"].sum())
        facts.append(
            Fact(
                Text("Selected to close the gap", "补足缺口的组合"),
                Text(
                    f"{count(len(planned))} roofs, {capacity(kwp_planned, 'en')}, {money_span(capex, 'en')}",
                    f"{count(len(planned))} 个，{capacity(kwp_planned, 'zh')}，投资 {money_span(capex, 'zh')}",
                ),
            )
        )
    return facts


def _capacity_range(kwp: Interval, lang: Lang) -> str:
    central = capacity(kwp.central, lang)
    if np.isnan(kwp.low) or np.isnan(kwp.high) or kwp.exact:
        return central
    bounds = span(capacity(kwp.low, lang, 2, "down"), capacity(kwp.high, lang, 2, "up"))
    return f"{central}（{bounds}）" if lang == "zh" else f"{central} ({bounds})"


def _counts(sums: dict[str, float]) -> Text:
    n, ok, survey, out = (int(sums.get(k, 0)) for k in ("n_buildings", "n_ok", "n_needs_survey", "n_excluded"))
    return Text(
        f"{count(n)}: {count(ok)} usable, {count(survey)} to survey, {count(out)} excluded",
        f"{count(n)} 栋：可用 {count(ok)}，待核实 {count(survey)}，排除 {count(out)}",
    )


def _existing_pv_text(data: ReportData, sums: dict[str, float]) -> Text:
    if not data.inventory:
        return Text("not stated by any source", "无任何数据")
    kwp = sums.get("existing_pv_kwp", 0.0)
    return Text.both(lambda lang: capacity(kwp, lang))


def _candidates(candidates: pd.DataFrame) -> Text:
    kwp = float(np.nansum(candidates["added_kwp"])) if len(candidates) else 0.0
    n = count(len(candidates))
    return Text(f"{n} roofs, {capacity(kwp, 'en')} to add", f"{n} 个，可新增 {capacity(kwp, 'zh')}")
