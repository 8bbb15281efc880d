"""What to look at on site: the Pinghu plan's five fields and whatever the data left open, roof by roof."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import pandas as pd

from rooftop.campaign.gates import SURVEY, GateRules, added_kwp, load_gate_rules
from rooftop.campaign.money import Economics
from rooftop.campaign.rules import campaign_rules
from rooftop.core.lang import Lang, Text
from rooftop.core.roof_rules import load_roof_rules, roof_type_labels
from rooftop.core.rounding import capacity, number, percent
from rooftop.targets.columns import PV_IMPOSSIBLE, numeric_column, reason_codes, text_column
from rooftop.targets.scope import INFERRED

_HEIGHT_CODES = {"height_missing", "height_absurd", "height_from_floors"}


@dataclass(frozen=True)
class Item:
    """One thing to verify.

    Parameters
    ----------
    code : str
        Stable name (``roof_load``).
    text : Text
        What to verify and why, with the number that matters.
    """

    code: str
    text: Text


@dataclass(frozen=True)
class SurveyRules:
    """Labels of the surveyed fields, and the load each roof type adds.

    Parameters
    ----------
    fields : dict of str to Text
        The fields every building is surveyed for, in their order (PH 9).
    added_load_kn_m2 : dict of str to tuple of float
        Lower and upper added load by roof type [kN/m²].
    roof_types : dict of str to Text
    gates : GateRules
    """

    fields: dict[str, Text]
    added_load_kn_m2: dict[str, tuple[float, float]]
    roof_types: dict[str, Text]
    gates: GateRules


@cache
def load_survey_rules() -> SurveyRules:
    """Load the labels from ``gates.yaml`` and ``roof_types.yaml``."""
    types = load_roof_rules().types
    return SurveyRules(
        fields={key: label.text for key, label in campaign_rules().survey_fields.fields.items()},
        added_load_kn_m2={key: kind.added_load_kn_m2 for key, kind in types.items()},
        roof_types=roof_type_labels(),
        gates=load_gate_rules(),
    )


def verify_items(roofs: pd.DataFrame, gate: pd.DataFrame, economics: Economics, rules: SurveyRules) -> list[list[Item]]:
    """Return what to verify for every roof, what decides most first.

    Parameters
    ----------
    roofs : DataFrame (n,)
        ``tables.ROOFS``.
    gate : DataFrame (n,)
        From `gates.gates`, same index.
    economics : Economics
    rules : SurveyRules

    Returns
    -------
    list of list of Item, length n
        ``roof_load`` is there unless a structural check was made, ``grid`` always.
    """
    columns: dict[str, Iterable[Any]] = {
        "use": text_column(roofs, "building_use"),
        "use_source": text_column(roofs, "use_source", ""),
        "public": text_column(roofs, "is_public_institution"),
        "is_new": text_column(roofs, "is_new"),
        "owner_type": text_column(roofs, "owner_type"),
        "roof_type": text_column(roofs, "roof_type"),
        "year": numeric_column(roofs, "year_built"),
        "loss": numeric_column(roofs, "shading_loss"),
        "existing": numeric_column(roofs, "existing_pv_kwp"),
        "added": added_kwp(roofs),
        "codes": [frozenset(reason_codes(value)) for value in roofs["reasons"]],
        **{name: gate[f"gate_{name}"] for name in ("structure", "shading", "fire", "heritage", "existing_pv")},
    }
    names = list(columns)
    rows = zip(*columns.values(), strict=True)
    return [_items(dict(zip(names, row, strict=True)), economics, rules) for row in rows]


def _items(roof: Mapping[str, Any], economics: Economics, rules: SurveyRules) -> list[Item]:
    items = [*_class_items(roof), *_structure_items(roof, rules), *_site_items(roof, rules)]
    added = float(roof["added"])
    voltage = economics.voltage(added)
    items.append(
        Item(
            "grid",
            Text(
                f"grid connection ({capacity(added, 'en')}, usually {voltage})",
                f"并网条件（{capacity(added, 'zh')}，通常 {voltage} 接入）",
            ),
        )
    )
    return items


def _class_items(roof: Mapping[str, Any]) -> list[Item]:
    """Facts that decide whether the roof counts for the target."""
    items = []
    if roof["is_new"] == "unknown":
        items.append(Item("completion", Text("completion date (unknown)", "竣工时间（不明）")))
    if roof["public"] == "unknown" and roof["use"] not in ("residential", "rural_house"):
        items.append(Item("class", Text("whether a public institution (unknown)", "是否公共机构（不明）")))
    if roof["use"] == "unknown":
        items.append(Item("use", Text("use of the building (unknown)", "建筑用途（不明）")))
    elif str(roof["use_source"]).startswith(INFERRED):
        items.append(Item("use", Text("use of the building (inferred)", "建筑用途（推断）")))
    if roof["use"] in ("residential", "rural_house"):
        items.append(
            Item("households", Text("number of households (persons / companies)", "产权及自然人/非自然人户数"))
        )
    elif roof["owner_type"] == "unknown":
        items.append(Item("owner", Text("owner (unknown)", "产权单位（不明）")))
    return items


def _structure_items(roof: Mapping[str, Any], rules: SurveyRules) -> list[Item]:
    """Load, roof type, safety appraisal: never inferred from geometry."""
    items = []
    if roof["structure"] == SURVEY:
        low, high = rules.added_load_kn_m2.get(roof["roof_type"], rules.added_load_kn_m2["unknown"])
        items.append(
            Item(
                "roof_load",
                Text(
                    f"roof load (reserve unknown; the system adds about {low:.2f}–{high:.2f} kN/m²)",
                    f"屋面荷载（裕量不明，系统约增加 {low:.2f}–{high:.2f} kN/㎡）",
                ),
            )
        )
    if "roof_type_assumed" in roof["codes"] or roof["roof_type"] == "unknown":
        label = rules.roof_types.get(roof["roof_type"], rules.roof_types["unknown"])
        items.append(
            Item("roof_type", Text("roof type (assumed: {label})", "屋面类型（推定为{label}）").format(label=label))
            if roof["roof_type"] != "unknown"
            else Item("roof_type", Text("roof type (unknown)", "屋面类型（不明）"))
        )
    if roof["year"] < rules.gates.old_before:
        items.append(
            Item(
                "appraisal",
                Text(f"safety appraisal (built {roof['year']:.0f})", f"房屋安全鉴定（{roof['year']:.0f} 年建成）"),
            )
        )
    return items


def _site_items(roof: Mapping[str, Any], rules: SurveyRules) -> list[Item]:
    """Shading, heights, existing PV, fire, heritage."""
    items = []
    if roof["shading"] == SURVEY and roof["loss"] > rules.gates.shading_survey:
        loss = percent(roof["loss"])
        items.append(Item("shading", Text(f"shading (computed loss {loss})", f"遮挡情况（计算遮挡损失 {loss}）")))
    if roof["codes"] & _HEIGHT_CODES:
        items.append(Item("height", Text("height of the building (not measured)", "建筑高度（非实测）")))
    if "edge_of_data" in roof["codes"]:
        items.append(
            Item(
                "edge",
                Text("obstacles beyond the edge of the data", "数据边界外的遮挡情况"),
            )
        )
    if PV_IMPOSSIBLE in roof["codes"]:
        text = Text(
            "existing PV (the declared capacity cannot be): size and place", "已有光伏的容量与位置（申报容量不可能）"
        )
        items.append(Item("existing_pv", text))
    elif roof["existing_pv"] == SURVEY:
        kwp = number(roof["existing"])
        items.append(
            Item("existing_pv", Text(f"existing PV ({kwp} kWp): room left", f"已有光伏 {kwp} kWp 后的剩余可用面积"))
        )
    if roof["fire"] == SURVEY:
        items.append(Item("fire", Text("fire hazard class and fire safety", "火灾危险性类别与消防要求")))
    if roof["heritage"] == SURVEY:
        items.append(Item("heritage", Text("heritage protection", "是否文物或历史建筑")))
    return items


def items_text(items: list[Item], lang: Lang) -> str:
    """Return the items as one cell of text."""
    return ("；" if lang == "zh" else "; ").join(item.text.pick(lang) for item in items)
