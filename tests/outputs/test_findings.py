"""The facts of the first page: verdict, gap, certainty, definitions that disagree, what next."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pandas as pd
import pytest

from campaign_data import default_pack, make_tables, shared, shared_data
from rooftop.core.rounding import Interval
from rooftop.outputs.bundle import ReportData, report_data
from rooftop.outputs.report.findings import DefinitionResult, Finding, findings
from rooftop.outputs.report.sections import key_numbers, plan_text, plans_of, verdict_facts, where
from rooftop.targets.packs import load_pack

NAN = float("nan")
NOTHING = Interval(NAN, NAN, NAN)


def _finding(unit_id: str = "320703", level: str = "district") -> Finding:
    return next(f for f in shared_data().findings if f.level == level and f.unit_id == unit_id)


def test_one_finding_per_unit_in_the_front_definition() -> None:
    found = shared_data().findings
    assert len({(f.level, f.unit_id, f.target_id) for f in found}) == len(found)
    assert {f.group_id for f in found} == {"all_in_scope"}
    assert {(f.numerator, f.denominator, f.aggregation, f.cohort) for f in found} == {
        ("module", "installable", "pooled", "2021-2025")
    }
    assert [f.unit_id for f in of_level(found, "district")] == ["320703", "320706", "320707"]


def test_numbers_come_from_the_coverage_table() -> None:
    rows = shared()[0].coverage
    mine = rows[rows["is_default"].fillna(False) & (rows["unit_id"] == "320703")].set_index("kind")
    finding = _finding()
    assert finding.installed.central == mine.loc["installed", "coverage"]
    assert finding.installed.low == mine.loc["installed", "coverage_low"]
    assert finding.potential.central == mine.loc["potential", "coverage"]
    assert finding.gap_kwp == mine.loc["installed", "gap_kwp"]
    assert finding.gap_roofs == mine.loc["installed", "gap_roofs"]
    assert len(finding.definitions) == 9 and sum(d.is_default for d in finding.definitions) == 1


def test_verdicts_in_words() -> None:
    met = replace(_finding(), attained="yes", installed=Interval(0.51, 0.52, 0.53), gap_m2=0.0, gap_kwp=0.0)
    assert (met.verdict.text.zh, met.verdict.tone) == ("达标", "good")
    assert "缺" not in met.by_how_much.zh
    missed = _finding()
    assert (missed.verdict.text.en, missed.verdict.tone) == ("not met", "bad")
    assert "尚缺" in missed.by_how_much.zh and "栋同类典型屋顶" in missed.by_how_much.zh
    undecided = replace(_finding(), attained="unknown", n_unknown=3)
    assert (undecided.verdict.text.zh, undecided.verdict.tone, undecided.certainty) == ("不能判定", "open", "open")
    assert "足以改变结论" in undecided.how_sure.zh and "先核实" in undecided.next_step.zh
    no_target = replace(_finding(), target=NAN)
    assert (no_target.verdict.text.zh, no_target.verdict.tone) == ("规划未设目标值", "")


def test_why_there_is_no_coverage() -> None:
    empty = _finding("320707")
    assert (empty.verdict.text.zh, empty.certainty) == ("范围内无建筑", "nothing")
    no_inventory = replace(_finding(), installed=NOTHING)
    assert no_inventory.verdict.text.zh == "已装光伏不明" and "台账" in no_inventory.next_step.zh
    only_maybe = replace(_finding(), installed=NOTHING, n_buildings=0, n_unknown=4, attained="unknown")
    assert only_maybe.verdict.text.zh == "不能判定" and "4 栋可能属于范围" in only_maybe.by_how_much.zh


def test_a_near_miss_is_not_rounded_into_a_success() -> None:
    near = replace(_finding(), installed=Interval(0.4961, 0.4962, 0.4963))
    assert "49.6%" in near.by_how_much.en and "installed coverage 50%" not in near.by_how_much.en


def test_definitions_that_disagree_are_counted() -> None:
    finding = _finding()
    other = DefinitionResult("used", "installable", Interval(0.6, 0.6, 0.6), "yes", False)
    flipped = replace(finding, definitions=(*finding.definitions[:-1], other))
    assert [d.numerator for d in flipped.flips] == ["used"]
    assert "9 种口径中有 1 种结论不同" in flipped.how_sure.zh
    assert "all 9 definitions agree" in finding.how_sure.en


def test_out_of_reach_is_said_with_its_number() -> None:
    far = replace(_finding(), attainable="no", potential=Interval(0.31, 0.32, 0.33))
    assert "32%" in far.next_step.zh and "无法达标" in far.next_step.zh


def test_where_names_the_largest_gaps_first() -> None:
    data = shared_data()
    text = where(_finding("city", "city"), data)
    assert text.zh.index("甲区") < text.zh.index("乙/区")
    towns = where(_finding(), data).zh
    assert "一街道" in towns and "三街道" not in towns


def test_the_page_answers_every_question() -> None:
    names = [fact.name.zh for fact in verdict_facts(_finding(), shared_data())]
    assert names == ["是否达标", "差多少", "在哪里", "有多确定", "依据口径", "下一步"]


def test_the_plan_states_cost_and_distance_to_the_cheapest() -> None:
    data = shared_data()
    plans = plans_of(_finding("320706"), data)
    text = plan_text(plans)
    assert "万元" in text.zh and "为最低成本组合" in text.zh and len(plans) == 1
    loose = replace(plans[0], selection=replace(plans[0].selection, bound_yuan=plans[0].selection.cost_yuan / 1.05))
    assert "比最低成本至多高 5" in plan_text([loose]).zh
    short = plan_text(plans_of(_finding("320703"), data))
    assert "未通过筛选" in short.zh
    assert len(plans_of(_finding("city", "city"), data)) == 2


def test_key_numbers_add_up_and_carry_the_factor_year() -> None:
    data = shared_data()
    facts = {fact.name.zh: fact.value.zh for fact in key_numbers(data, None)}
    roofs = shared()[0].roofs
    assert f"{len(roofs)} 栋" in facts["建筑"]
    assert "2022" in facts["年减排潜力"] and "–" in facts["可新增容量"]


def of_level(found: Iterable[Finding], level: str) -> list[Finding]:
    return [finding for finding in found if finding.level == level]


def _data_of(name: str) -> ReportData:
    pack = load_pack(name)
    tables, campaign = make_tables(pack)
    return replace(report_data(tables, campaign), title="t")


def test_a_pack_that_asks_for_potential_is_judged_by_potential() -> None:
    data = _data_of("whole_county")
    coverage = data.tables.coverage
    rows = coverage[coverage["is_default"].fillna(False) & (coverage["level"] == "city")].set_index("target_id")
    city = of_level(data.findings, "city")
    assert len(city) == 4 and {f.kind for f in city} == {"potential"}
    for finding in city:
        row = rows.loc[finding.target_id]
        assert finding.coverage.central == row["coverage"] and finding.attained == row["attained"]
        assert finding.verdict.text.zh in ("可达标", "不可达标", "不能判定")
        assert "已装" not in finding.by_how_much.zh
        # With a single definition there is nothing to agree with.
        assert "口径" not in finding.how_sure.zh
    assert where(city[0], data).zh.startswith("不能判定：")


def test_without_a_target_value_nothing_is_missing_or_decided() -> None:
    data = _data_of("national")
    facts = verdict_facts(of_level(data.findings, "city")[0], data)
    assert [fact.name.zh for fact in facts] == ["是否达标", "差多少", "依据口径", "下一步"]
    assert facts[0].tone == "" and data.campaign.plans == ()


def test_roofs_for_a_later_target_come_on_top() -> None:
    data = _data_of("pinghu")
    nearer, later = ("".join(fact.value.zh for fact in verdict_facts(f, data)) for f in of_level(data.findings, "city"))
    assert "已选" in nearer and "另选" in later


def test_no_pack_no_findings() -> None:
    assert findings(shared()[0].coverage, None) == ()
    assert findings(pd.DataFrame(), default_pack()) == ()


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_every_sentence_exists_in_both_languages(lang: str) -> None:
    for finding in shared_data().findings:
        for fact in verdict_facts(finding, shared_data()):
            assert fact.name.pick(lang) and fact.value.pick(lang)  # type: ignore[arg-type]
