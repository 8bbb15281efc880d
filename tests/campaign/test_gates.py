"""Gates: pass, fail, survey; nothing about structure is ever inferred."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from rooftop.campaign.gates import FAIL, GATES, PASS, SURVEY, added_kwp, gates
from rooftop.campaign.money import load_economics
from rooftop.campaign.survey import items_text, load_survey_rules, verify_items

GOOD: dict[str, Any] = {
    "building_id": "1",
    "building_use": "school",
    "is_public_institution": "yes",
    "is_new": "yes",
    "owner_type": "国有",
    "status": "ok",
    "reasons": [],
    "capacity_kwp": 100.0,
    "existing_pv_kwp": 0.0,
    "shading_loss": 0.03,
    "height_m": 15.0,
    "year_built": 2015,
    "roof_type": "flat_concrete",
    "roof_source": "declared",
}


def _gate(**changes: Any) -> pd.Series:
    return gates(pd.DataFrame([GOOD | changes])).iloc[0]


def _items(**changes: Any) -> dict[str, str]:
    roofs = pd.DataFrame([GOOD | changes])
    found = verify_items(roofs, gates(roofs), load_economics("jiangsu"), load_survey_rules())[0]
    return {item.code: item.text.zh for item in found}


def test_structure_is_surveyed_unless_checked() -> None:
    assert _gate()["gate_structure"] == SURVEY
    assert _gate(structure="钢筋混凝土", roof_type="steel_sheet")["gate_structure"] == SURVEY
    assert _gate(roof_load_ok="unknown")["gate"] == SURVEY
    assert _gate(roof_load_ok="yes")["gate"] == PASS
    assert _gate(roof_load_ok="no")["gate"] == FAIL


@pytest.mark.parametrize(
    ("changes", "name", "verdict"),
    [
        ({"status": "excluded"}, "usable", FAIL),
        ({"status": "needs_survey"}, "usable", SURVEY),
        ({"capacity_kwp": 2.9}, "size", FAIL),
        ({"capacity_kwp": 3.0}, "size", PASS),
        ({"capacity_kwp": None}, "size", FAIL),
        ({"shading_loss": 0.10}, "shading", PASS),
        ({"shading_loss": 0.11}, "shading", SURVEY),
        ({"shading_loss": 0.31}, "shading", FAIL),
        ({"shading_loss": None}, "shading", SURVEY),
        ({"existing_pv_kwp": 399.0}, "existing_pv", SURVEY),
        ({"existing_pv_kwp": 400.0}, "existing_pv", FAIL),
        ({"existing_pv_kwp": None}, "existing_pv", PASS),
        ({"building_use": "warehouse"}, "fire", SURVEY),
        ({"building_use": "warehouse", "fire_ok": "yes"}, "fire", PASS),
        ({"fire_ok": "no"}, "fire", FAIL),
        ({"height_m": 120.0}, "fire", SURVEY),
        ({"building_use": "religious"}, "heritage", SURVEY),
        ({"year_built": 1936}, "heritage", SURVEY),
        ({"year_built": 1936, "is_heritage": "no"}, "heritage", PASS),
        ({"is_heritage": "yes"}, "heritage", FAIL),
    ],
)
def test_each_gate(changes: dict[str, Any], name: str, verdict: str) -> None:
    row = _gate(roof_load_ok="yes", **changes)
    assert row[f"gate_{name}"] == verdict
    others = {row[f"gate_{gate}"] for gate in GATES if gate != name}
    # The overall verdict is the worst of all gates.
    assert row["gate"] == (FAIL if FAIL in {verdict, *others} else SURVEY if SURVEY in {verdict, *others} else PASS)


def test_a_fully_equipped_roof_fails_once_not_as_too_small_too() -> None:
    row = _gate(existing_pv_kwp=100.0, capacity_kwp=0.0)
    assert row["gate_existing_pv"] == FAIL and row["gate_size"] == PASS


def test_capacity_is_new_whatever_stands_beside_it() -> None:
    roofs = pd.DataFrame([GOOD | {"existing_pv_kwp": v} for v in (None, 0.0, 30.0, 130.0)])
    assert added_kwp(roofs).tolist() == [100.0, 100.0, 100.0, 100.0]


def test_load_and_grid_are_always_verified() -> None:
    assert set(_items()) == {"roof_load", "grid"}
    assert "0.35–0.60" in _items()["roof_load"] and "380 V" in _items()["grid"]
    assert set(_items(roof_load_ok="yes")) == {"grid"}


def test_an_assumed_shape_of_the_roof_does_not_make_its_type_assumed() -> None:
    assert "roof_type" not in _items(roof_source="assumed")


@pytest.mark.parametrize(
    ("changes", "code", "number"),
    [
        ({"is_new": "unknown"}, "completion", "不明"),
        ({"is_public_institution": "unknown"}, "class", "不明"),
        ({"building_use": "unknown"}, "use", "不明"),
        ({"building_use": "rural_house"}, "households", "自然人"),
        ({"owner_type": None}, "owner", "不明"),
        ({"reasons": ["roof_type_assumed"]}, "roof_type", "混凝土"),
        ({"roof_type": "unknown"}, "roof_type", "不明"),
        ({"year_built": 1984}, "appraisal", "1984"),
        ({"shading_loss": 0.17}, "shading", "17%"),
        ({"reasons": ["height_from_floors"]}, "height", "非实测"),
        ({"reasons": ["edge_of_data"]}, "edge", "边界"),
        ({"existing_pv_kwp": 12.0}, "existing_pv", "12.0 kWp"),
        ({"building_use": "factory"}, "fire", "火灾"),
        ({"building_use": "religious"}, "heritage", "文物"),
    ],
)
def test_each_open_fact_is_verified_with_its_number(changes: dict[str, Any], code: str, number: str) -> None:
    assert number in _items(**changes)[code]


def test_heavier_systems_say_so() -> None:
    assert "0.12–0.20" in _items(roof_type="steel_sheet")["roof_load"]


def test_items_are_joined_in_the_language() -> None:
    roofs = pd.DataFrame([GOOD])
    found = verify_items(roofs, gates(roofs), load_economics(), load_survey_rules())[0]
    assert "；" in items_text(found, "zh") and items_text(found, "en").startswith("roof load")


def test_the_five_fields_of_the_plan() -> None:
    fields = [label.zh for label in load_survey_rules().fields.values()]
    assert fields == ["自然人/非自然人户数", "屋面类型", "屋面荷载", "遮挡情况", "并网条件"]
