"""Verdicts have one word in each language, and keep their colours in every product when a word is changed."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from campaign_data import shared_data
from map_example import example_coverage, example_districts, example_roofs
from rooftop.core.datamodel import Label
from rooftop.core.lang import Text
from rooftop.outputs.map.page import MapPage, build_map, render_offline
from rooftop.outputs.report.page import render_report
from rooftop.outputs.verdicts import ANSWERS, Verdict, verdict_of
from rooftop.outputs.workbook.book import write_workbook
from rooftop.targets.coverage_rules import coverage_rules

GREEN, RED, AMBER = "FFE3F1E4", "FFF9E3E0", "FFFBF1D5"
FILLS = {"good": GREEN, "bad": RED, "open": AMBER}


@pytest.fixture
def reworded(monkeypatch: pytest.MonkeyPatch) -> dict[Verdict, Text]:
    """Other words for every verdict; one holds a quotation mark, which formulas double."""
    words = {verdict: Text(f'{verdict} "reworded"', f"改“{verdict}”") for verdict in Verdict}
    shipped = {verdict.value: Label(en=text.en, zh=text.zh) for verdict, text in words.items()}
    monkeypatch.setitem(coverage_rules().labels, "verdict", shipped)
    assert Verdict.MET.text == words[Verdict.MET]
    return words


def test_each_verdict_has_words_of_its_own() -> None:
    assert set(coverage_rules().labels["verdict"]) == {verdict.value for verdict in Verdict}
    assert (
        len({verdict.text.zh for verdict in Verdict}) == len({verdict.text.en for verdict in Verdict}) == len(Verdict)
    )
    assert {verdict_of(answer).tone for answer in ANSWERS} == {"good", "bad", "open"}
    assert [verdict_of(a, "potential").tone for a in ANSWERS] == [verdict_of(a).tone for a in ANSWERS]


def test_no_product_has_words_of_its_own_for_a_verdict(repo: Path) -> None:
    words = [verdict.text for verdict in Verdict]
    literals = {f'"{each.zh}"' for each in words} | {f'Text("{each.en}"' for each in words}
    for path in (repo / "src").rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        assert not [literal for literal in literals if literal in text], path
        assert not re.search(r"无法判定|暂不能判定|待定|潜力不足", text), path


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_workbook_colours_reworded_verdicts(tmp_path: Path, reworded: dict[Verdict, Text], lang: Any) -> None:
    sheet = openpyxl.load_workbook(write_workbook(tmp_path / "a.xlsx", shared_data(), "320703", lang)).worksheets[1]
    column = next(cell.column_letter for cell in sheet[1] if cell.value in ("Met?", "是否达标"))
    rules = [r for area in sheet.conditional_formatting if f"{column}2" in area.cells for r in area.rules]
    fills = {r.formula[0][1:-1].replace('""', '"'): r.dxf.fill.bgColor.rgb for r in rules}
    assert fills == {text.pick(lang): FILLS[verdict.tone] for verdict, text in reworded.items() if verdict.tone}
    shown = {cell.value for cell in sheet[column][1:] if cell.value}
    assert shown and shown & set(fills)
    assert shown <= {text.pick(lang) for text in reworded.values()}


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_report_colours_reworded_verdicts(reworded: dict[Verdict, Text], lang: Any) -> None:
    page = render_report(shared_data(), lang)
    for finding in shared_data().findings:
        word = reworded[finding.verdict].pick(lang).replace('"', "&#34;")
        if finding.level == "city":
            assert f'<dd class="verdict {finding.verdict.tone}">{word[:1].upper()}{word[1:]}</dd>' in page
        if finding.level == "district":
            assert f'<td class="{finding.verdict.tone}">{word}</td>' in page


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_map_colours_reworded_verdicts(reworded: dict[Verdict, Text], lang: Any) -> None:
    roofs = example_roofs(20)
    page = render_offline(build_map(roofs, example_districts(roofs), example_coverage(), MapPage(title="t", lang=lang)))
    found = re.search(r'id="rooftop-data" type="application/json">(.*?)</script>', page, re.S)
    assert found is not None
    for kind, answers in json.loads(found.group(1))["verdicts"].items():
        for answer, shown in answers.items():
            verdict = verdict_of(answer, kind)
            assert shown == {"text": reworded[verdict].pick(lang), "tone": verdict.tone}
            assert f".rt-tag.rt-{verdict.tone} {{ color: var(--rt-{verdict.tone})" in page
    assert "`rt-tag rt-${verdict.tone}`, verdict.text" in page
