"""The report: self-contained, escaped, the same twice; and seen by a real browser."""

from __future__ import annotations

import base64
import re
from dataclasses import replace
from functools import cache
from html.parser import HTMLParser
from pathlib import Path

import pytest

from campaign_data import NASTY, default_pack, make_tables, shared_data
from rooftop.core.lang import Lang
from rooftop.outputs.bundle import ReportData, campaign_of, report_data
from rooftop.outputs.report import charts
from rooftop.outputs.report.page import render_report, write_report


@cache
def _html(lang: Lang = "zh") -> str:
    return render_report(shared_data(), lang)


class _Tags(HTMLParser):
    """Collects tags and their balance."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.open: list[str] = []
        self.wrong: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in ("meta", "img", "br", "link"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.wrong.append(tag)


def _svgs(html: str) -> list[str]:
    return [base64.b64decode(found).decode() for found in re.findall(r"data:image/svg\+xml;base64,([^\"]+)", html)]


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_well_formed_and_without_outside_references(lang: Lang) -> None:
    parser = _Tags()
    parser.feed(_html(lang))
    assert not parser.wrong and not parser.open
    assert not {"script", "link", "iframe", "object", "form"} & set(parser.tags)
    for name, value in parser.attributes:
        if name in ("src", "href"):
            assert value is not None and value.startswith("data:image/svg+xml;base64,")
        assert not name.startswith("on")
    assert "default-src 'none'" in _html(lang)


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_attributes_are_text_never_markup(lang: Lang) -> None:
    html = _html(lang)
    assert "<script" not in html
    nasty = render_report(_with_nasty_names(), lang)
    assert "<script" not in nasty and "&lt;script&gt;" in nasty
    for svg in _svgs(nasty):
        assert "<script" not in svg and "onload" not in svg


@cache
def _with_nasty_names() -> ReportData:
    """Units, title and candidates with names that are markup."""
    data = shared_data()
    tables = data.tables
    districts = tables.districts.copy()
    districts["unit_name"] = [
        "<script>alert(1)</script>",
        '"><img onerror=x>',
        "$x_1$ & <b>",
        *districts["unit_name"].iloc[3:],
    ]
    roofs = tables.roofs.copy()
    roofs["building_name"] = NASTY[5]
    coverage = tables.coverage.copy()
    coverage["unit_name"] = coverage["unit_name"].replace({"甲区": "<script>alert(1)</script>"})
    changed = replace(tables, roofs=roofs, districts=districts, coverage=coverage, timeline=None, modules=None)
    data = report_data(changed, campaign_of(changed, default_pack()), notices=data.notices)
    return replace(data, title="</title><script>")


def test_the_first_page_has_verdict_gap_place_certainty_definition_and_next_step() -> None:
    first = _html().split("<section>")[0]
    for part in ("未达标", "差多少", "在哪里", "有多确定", "依据口径", "下一步", "虚构数据", "2025 年 50%"):
        assert part in first
    english = _html("en").split("<section>")[0]
    for part in ("Not met", "By how much", "How sure", "What next", "SYNTHETIC DATA"):
        assert part in english


def test_every_section_is_there() -> None:
    heads = re.findall(r"<h2>([^<]+)</h2>", _html())
    wanted = ["县区", "街道（镇）", "未达标新建建筑", "从哪里开始", "可再生能源替代率", "任务量与容量台账"]
    assert heads[1:] == [*wanted, "发电量、利用小时与口径", "方法与假定", "指标与口径", "数据来源"]
    assert _html().count("默认口径") >= 1
    assert len(re.findall(r'<td class="(?:good|bad|open)(?: own)?">\d', _html())) == 9
    assert "ab" * 32 in _html() and "3 栋建筑缺少高度" in _html()


def test_english_report_has_no_chinese_sentences() -> None:
    text = re.sub(r"<style>.*?</style>|<[^>]+>", " ", _html("en"), flags=re.S)
    left = re.findall(r"[一-鿿]{12,}", text)
    # What the plan itself says is quoted as published.
    quoted = "".join(target.wording for target in default_pack().targets)
    assert all(part in quoted for part in left), left


def test_no_badge_without_synthetic_data() -> None:
    real = ReportData(**{**shared_data().__dict__, "synthetic": False})
    assert "虚构数据" not in render_report(real, "zh")


def test_the_same_twice(tmp_path: Path) -> None:
    path = write_report(tmp_path / "report.html", shared_data(), "zh")
    assert path.read_text(encoding="utf-8") == _html()
    assert [p.name for p in tmp_path.iterdir()] == ["report.html"]


def test_without_a_pack() -> None:
    tables, campaign = make_tables(None)
    html = render_report(replace(report_data(tables, campaign), title="t"), "en")
    assert "states the potential only" in html and "Met?" not in html


def test_names_of_persons_are_withheld() -> None:
    assert "张三" not in _html()


def test_chart_text_stays_text_and_bytes_stay_the_same() -> None:
    data = shared_data()
    svg = charts.coverage_bars([f for f in data.findings if f.level == "district"], "zh")
    assert svg == charts.coverage_bars([f for f in data.findings if f.level == "district"], "zh")
    assert "甲区" in svg and "目标 50%" in svg and "<dc:date>" not in svg
    assert "$" not in charts.monthly_energy(data, "zh").split("<style")[0]


def test_monthly_chart_has_the_months_of_the_table() -> None:
    svg = charts.monthly_energy(shared_data(), "en")
    heights = [
        abs(float(m[1]) - float(m[0]))
        for m in re.findall(r'<path d="M [\d.]+ ([\d.]+) \nL [\d.]+ [\d.]+ \nL [\d.]+ ([\d.]+) ', svg)
    ]
    bars = [h for h in heights if h > 0][-12:] if len(heights) > 12 else [h for h in heights if h > 0]
    sums = [float(shared_data().tables.roofs[f"kwh_{m:02d}"].sum()) for m in range(1, 13)]
    assert len(bars) == 12
    for bar, total in zip(bars, sums, strict=True):
        assert bar / max(bars) == pytest.approx(total / max(sums), rel=2e-3)


def test_dollar_signs_in_names_are_dollar_signs() -> None:
    data = _with_nasty_names()
    assert re.search(r">\$x_1\$ &amp; &lt;b&gt;</text>", charts.static_map(data, "zh"))


def test_no_chinese_font_is_said_and_does_not_break(monkeypatch: pytest.MonkeyPatch) -> None:
    _html()
    monkeypatch.setattr(charts, "cjk_font", lambda: None)
    notice = charts.font_notice()
    assert notice is not None and notice.code == "no_cjk_font"
    assert "未找到中文字体" in render_report(shared_data(), "zh") and "未找到中文字体" not in _html()
    assert "1月" in charts.monthly_energy(shared_data(), "zh")
    monkeypatch.setattr(charts, "cjk_font", lambda: "Noto Sans CJK SC")
    assert charts.font_notice() is None


@pytest.mark.browser
def test_in_a_browser_without_network(tmp_path: Path, chromium: str) -> None:
    sync_api = pytest.importorskip("playwright.sync_api")
    path = write_report(tmp_path / "report.html", shared_data(), "zh")
    with sync_api.sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        context = browser.new_context(offline=True, viewport={"width": 1100, "height": 1400})
        page = context.new_page()
        problems: list[str] = []
        page.on("console", lambda message: problems.append(message.text))
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("request", lambda r: problems.append(r.url) if r.url.startswith("http") else None)
        page.goto(path.as_uri())
        assert page.inner_text("h1").startswith("示例市")
        sizes = page.evaluate("[...document.images].map(i => [i.complete, i.naturalWidth])")
        assert len(sizes) == 4 and all(done and width > 100 for done, width in sizes)
        overflow = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert overflow <= 0
        # The first page prints on one sheet.
        page.emulate_media(media="print")
        page.set_viewport_size({"width": 695, "height": 1013})
        bottom = page.evaluate("document.querySelector('.page-one').getBoundingClientRect().bottom")
        assert bottom <= 1013
        pdf = page.pdf(prefer_css_page_size=True)
        assert 3 <= len(re.findall(rb"/Type\s*/Page[^s]", pdf)) <= 12
        assert not problems
        browser.close()
