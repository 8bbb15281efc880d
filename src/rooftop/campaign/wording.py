"""Why a roof is on the list and what to verify there, in words with numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from rooftop.campaign.candidates import Campaign
from rooftop.campaign.ranking import MANDATED, MAYBE_MANDATED, load_ranking_rules
from rooftop.campaign.survey import items_text, load_survey_rules, verify_items
from rooftop.core.lang import Lang, Text
from rooftop.core.rounding import NONE, Interval, capacity, carbon, energy, is_missing, number, percent, years_span
from rooftop.targets.listing import value_label
from rooftop.targets.models import Pack


def wording(rows: pd.DataFrame, campaign: Campaign, pack: Pack | None, lang: Lang) -> pd.DataFrame:
    """Word the reasons for some candidates and what is to be verified there.

    Parameters
    ----------
    rows : DataFrame (n,)
        Rows of `Campaign.candidates`.
    campaign : Campaign
    pack : Pack or None
        Names the building groups.
    lang : {"zh", "en"}

    Returns
    -------
    DataFrame (n,)
        ``recommendation`` (推荐理由) and ``verify`` (待核实事项), same index.
    """
    labels = {int(tier): label for tier, label in load_ranking_rules().tiers.items()}
    names = [
        "tier",
        "state",
        "mandate_group",
        "mandate_coverage",
        "mandate_target",
        "is_new",
        "is_public_institution",
        "added_kwp",
        "added_annual_kwh",
        "specific_yield_kwh_kwp",
        "payback_years_low",
        "payback_years_central",
        "payback_years_high",
        "avoided_kg_a",
        "planned",
    ]
    records = rows[names].to_dict("records")
    reasons = [_reason(record, labels, campaign, pack, lang) for record in records]
    items = verify_items(rows, rows, campaign.economics, load_survey_rules())
    return pd.DataFrame(
        {"recommendation": reasons, "verify": [items_text(entry, lang) for entry in items]}, index=rows.index
    )


def _reason(
    row: Mapping[Any, Any], labels: Mapping[int, Text], campaign: Campaign, pack: Pack | None, lang: Lang
) -> str:
    parts = [_why(row, labels, pack), _size(row), *_worth(row, campaign)]
    if row["planned"]:
        parts.append(Text("in the lowest-cost set that closes the gap", "列入补足缺口的最低成本组合"))
    return ("；" if lang == "zh" else "; ").join(part.pick(lang) for part in parts)


def _why(row: Mapping[Any, Any], labels: Mapping[int, Text], pack: Pack | None) -> Text:
    tier = int(row["tier"])
    if row["state"] == "unstated":
        return Text(
            "new building in the scope of the target; what PV stands on it is not known",
            "属目标范围的新建建筑，已装光伏不明",
        )
    if tier not in (MANDATED, MAYBE_MANDATED) or is_missing(row["mandate_target"]):
        return labels[tier]
    group = value_label("building_group", str(row["mandate_group"]), pack)
    goal = percent(row["mandate_target"])
    now = percent(row["mandate_coverage"], against=float(row["mandate_target"]))
    known = now != NONE
    if tier == MANDATED:
        have = Text(f", installed coverage {now}" if known else "", f"，已装覆盖率 {now}" if known else "")
        return Text(
            "new building under the target ({group}){have}, target {goal}", "新建{group}{have}，目标 {goal}"
        ).format(group=group, have=have, goal=goal)
    open_facts = []
    if row["is_new"] == "unknown":
        open_facts.append(Text("completion date", "竣工时间"))
    if row["is_public_institution"] == "unknown":
        open_facts.append(Text("class", "是否公共机构"))
    facts = Text.join(open_facts or [Text("use", "用途")], " and ")
    return Text(
        "may fall under the target of {goal} ({facts} unknown)", "可能属 {goal} 目标范围（{facts}不明）"
    ).format(goal=goal, facts=facts)


def _size(row: Mapping[Any, Any]) -> Text:
    hours = number(row["specific_yield_kwh_kwp"])
    kwp, kwh = row["added_kwp"], row["added_annual_kwh"]
    return Text(
        f"room for {capacity(kwp, 'en')}, {energy(kwh, 'en')} a year ({hours} kWh/kWp)",
        f"可新增 {capacity(kwp, 'zh')}，年发电 {energy(kwh, 'zh')}（等效 {hours} h）",
    )


def _worth(row: Mapping[Any, Any], campaign: Campaign) -> list[Text]:
    out = []
    years = Interval(*(float(row[f"payback_years_{bound}"]) for bound in ("low", "central", "high")))
    if not np.isnan(years.central):
        text = years_span(years, campaign.economics.life_years)
        out.append(Text("simple payback {text}", "静态回收期 {text}").format(text=text))
    avoided = row["avoided_kg_a"]
    if not is_missing(avoided) and avoided > 0:
        factor = campaign.factor
        out.append(
            Text("avoids {avoided} a year ({name} {year} factor)", "年减排 {avoided}（{name} {year} 年因子）").format(
                avoided=Text.both(lambda lang: carbon(avoided, lang)),
                name=factor.name,
                year=factor.year,
            )
        )
    return out
