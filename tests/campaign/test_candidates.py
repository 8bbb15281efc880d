"""Candidates: order, reasons, plans; the same whatever the order of the rows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from campaign_data import default_pack, make_tables, shared
from rooftop.campaign.gates import FAIL
from rooftop.campaign.ranking import load_ranking_rules, order, size_class, tiers
from rooftop.campaign.wording import wording
from rooftop.core.lang import Lang
from rooftop.outputs.bundle import campaign_of
from rooftop.targets.packs import load_pack


def test_order_is_tier_size_yield_id() -> None:
    frame = shared()[1].candidates
    keys = list(
        zip(frame["tier"], frame["size_class"], -frame["specific_yield_kwh_kwp"], frame["building_id"], strict=True)
    )
    assert keys == sorted(keys)
    assert frame["rank"].tolist() == list(range(1, len(frame) + 1))


def test_tiers_by_hand() -> None:
    roofs = pd.DataFrame(
        {
            "building_use": [
                "factory",
                "school",
                "school",
                "warehouse",
                "hotel",
                "rural_house",
                "residential",
                "school",
            ],
            "is_public_institution": ["no", "unknown", "yes", "no", "no", "no", "yes", "no"],
        }
    )
    mandate = pd.Series(["short", "maybe", "attained", "no", "no", "no", "no", "no"])
    assert tiers(roofs, mandate, load_ranking_rules()).tolist() == [1, 2, 3, 4, 5, 6, 3, 5]


def test_size_classes_include_their_lower_limit() -> None:
    added = pd.Series([400.0, 399.9, 100.0, 30.0, 29.9, 0.0])
    assert size_class(added, load_ranking_rules()).tolist() == [0, 1, 1, 2, 3, 3]


def test_a_null_yield_comes_last_in_its_class() -> None:
    roofs = pd.DataFrame({"building_id": ["a", "b"], "specific_yield_kwh_kwp": [np.nan, 900.0]})
    same = pd.Series([1, 1])
    assert order(roofs, same, same).tolist() == [1, 0]


def test_candidates_fail_no_gate_and_no_roof_is_listed_twice() -> None:
    tables, campaign = shared()
    frame = campaign.candidates
    assert frame["building_id"].is_unique
    assert not (frame["gate"] == FAIL).any()
    left_out = tables.roofs.index.difference(frame.index)
    assert (campaign.gates.loc[left_out, "gate"] == FAIL).all()


def test_mandated_new_buildings_that_fall_short_come_first() -> None:
    _, campaign = shared()
    sure = set(campaign.short.loc[campaign.short["membership"] != "possible", "building_id"])
    first = campaign.candidates[campaign.candidates["tier"] == 1]
    assert set(first["building_id"]) <= sure and len(first)
    assert first["rank"].tolist() == list(range(1, len(first) + 1))


def test_the_order_of_the_input_does_not_matter() -> None:
    tables, campaign = shared()
    shuffled = tables.roofs.sample(frac=1.0, random_state=5).reset_index(drop=True)
    again = campaign_of(replace(tables, roofs=shuffled), default_pack())
    assert again.candidates["building_id"].tolist() == campaign.candidates["building_id"].tolist()
    planned = set(shuffled.loc[again.planned.to_numpy(), "building_id"])
    assert planned == set(tables.roofs.loc[campaign.planned.to_numpy(), "building_id"])


def test_plans_close_the_gap_in_the_coverage_table() -> None:
    tables, campaign = shared()
    assert {plan.unit_id for plan in campaign.plans} == {"320703", "320706"}
    rows = tables.coverage[tables.coverage["is_default"].fillna(False)]
    for plan in campaign.plans:
        mine = rows[(rows["level"] == "district") & (rows["unit_id"] == plan.unit_id)].set_index("kind")
        gap = float(mine["gap_m2"].loc["installed"])
        assert plan.selection.need_m2 == pytest.approx(gap)
        left = float(mine["gap_m2"].loc["planned"])
        assert left == pytest.approx(max(gap - plan.selection.covered_m2, 0.0), abs=1e-6)
        assert (left == 0.0) == plan.selection.reached
        assert plan.capex_yuan.low < plan.capex_yuan.central < plan.capex_yuan.high


def test_only_roofs_of_the_scope_are_planned() -> None:
    tables, campaign = shared()
    chosen = tables.roofs[campaign.planned.to_numpy()]
    assert (chosen["is_new"] == "yes").all()
    assert ((chosen["is_public_institution"] == "yes") | (chosen["building_use"] == "factory")).all()


def test_a_roof_planned_for_one_target_counts_for_the_next() -> None:
    pack = load_pack("pinghu")
    tables, campaign = make_tables(pack)
    first, second = (plan for plan in campaign.plans if plan.unit_id == "320703")
    rows = tables.coverage[tables.coverage["is_default"].fillna(False) & (tables.coverage["kind"] == "installed")]
    gap = rows[(rows["unit_id"] == "320703") & (rows["level"] == "district")].set_index("target_id")["gap_m2"]
    assert first.selection.need_m2 == pytest.approx(gap[first.target_id])
    assert second.selection.need_m2 == pytest.approx(gap[second.target_id] - first.selection.covered_m2)
    assert campaign.planned.sum() == sum(plan.n_roofs for plan in campaign.plans)


def test_without_a_pack_there_is_a_list_and_no_mandate() -> None:
    tables, campaign = make_tables(None)
    assert len(campaign.candidates) and not campaign.planned.any() and campaign.plans == ()
    assert (campaign.candidates["tier"] >= 3).all()
    assert len(tables.coverage) == 0


def test_military_roofs_are_no_candidates() -> None:
    tables, _ = shared()
    roofs = tables.roofs.copy()
    roofs.loc[roofs.index[:3], "building_use"] = "military"
    campaign = campaign_of(replace(tables, roofs=roofs), default_pack())
    assert not set(roofs["building_id"].iloc[:3]) & set(campaign.candidates["building_id"])


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_words_carry_the_numbers_of_the_row(lang: Lang) -> None:
    _, campaign = shared()
    frame = campaign.candidates
    texts = wording(frame, campaign, default_pack(), lang)
    first = texts["recommendation"].iloc[0]
    assert "50%" in first and "490 kWp" in first and "2022" in first
    assert ("回收期" if lang == "zh" else "payback") in first
    assert texts["verify"].str.contains("屋面荷载" if lang == "zh" else "roof load").all()
    assert texts["verify"].str.contains("并网条件" if lang == "zh" else "grid connection").all()
    planned = texts["recommendation"].str.contains("最低成本组合" if lang == "zh" else "lowest-cost set")
    assert planned.tolist() == frame["planned"].tolist()
    maybe = texts.loc[(frame["tier"] == 2).to_numpy(), "recommendation"]
    assert maybe.str.contains("可能" if lang == "zh" else "may fall").all()


def test_the_last_possible_capacity_is_counted_once() -> None:
    _, campaign = shared()
    frame = campaign.candidates
    assert (frame["existing_pv_kwp"] > 0).any()
    assert frame["added_kwp"].to_numpy() == pytest.approx(frame["capacity_kwp"].to_numpy())
    energy = frame["added_kwp"] * frame["specific_yield_kwh_kwp"]
    assert frame["added_annual_kwh"].to_numpy() == pytest.approx(energy.to_numpy())
