"""The timeline on disk and in the report: words for past and coming years, a chart, the same bytes twice."""

from __future__ import annotations

import base64
import datetime
import re
from dataclasses import replace
from functools import cache
from pathlib import Path

import pandas as pd
import pytest

from campaign_data import make_tables
from rooftop.campaign.candidates import Campaign
from rooftop.config import Config, TimelineOptions
from rooftop.core.lang import Lang
from rooftop.job.products import build_plan, with_timeline
from rooftop.outputs.bundle import campaign_of, report_data
from rooftop.outputs.report.page import render_report
from rooftop.outputs.report.timeline import needed_text, steps
from rooftop.outputs.store import RunTables, read_tables, write_tables
from rooftop.tables import PLANES, TIMELINE, conform
from rooftop.targets import Pack, Stock, load_pack
from rooftop.targets.timeline import timeline_table

TODAY = datetime.date(2026, 7, 1)


@cache
def made() -> tuple[RunTables, Campaign, Pack]:
    """Tables of the made-up districts with a timeline, half of the PV dated 2023."""
    pack = load_pack("pinghu")
    tables, campaign = make_tables(pack)
    years = pd.array([2023 if k % 2 else None for k in range(len(tables.roofs))], dtype="Int64")
    roofs = tables.roofs.assign(existing_pv_year=years)
    units = tables.districts[["unit_id", "unit_name", "level"]]
    plan = build_plan(campaign, 400.0)
    table = timeline_table(Stock.from_tables(roofs, tables.memberships, units, pack), reference_date=TODAY, plan=plan)
    return replace(tables, roofs=roofs, timeline=table), campaign, pack


def row(**changes: object) -> dict[str, object]:
    """A unit that misses 50 % by 90 kWp and 450 m² at the end of 2030."""
    base = {
        "state": "ahead", "year": 2030, "attained": "no", "gap_kwp": 90.0, "gap_m2": 450.0, "years_left": 4.5,
        "needed_kwp_per_year": 20.0, "needed_m2_per_year": 100.0, "needed_roofs_per_year": 0.125,
    }  # fmt: skip
    return base | changes


def test_words_of_a_coming_year() -> None:
    text = needed_text(row())
    assert text.en == "20 kWp a year (100 m², about 0.13 typical roofs) for 4.5 years, to the end of 2030"
    assert text.zh == "至 2030 年底（4.5 年）每年需建 20 kWp（100 ㎡，约 0.13 个典型屋顶）"
    assert needed_text(row(gap_kwp=0.0, attained="yes")).zh == "无需再建"
    assert "下限未达目标" in needed_text(row(gap_kwp=0.0, attained="unknown")).zh


def test_words_of_a_past_year_hold_no_rate() -> None:
    past = row(state="past", year=2025, needed_kwp_per_year=None, needed_m2_per_year=None)
    assert needed_text(past).en == "year past: short by 90 kWp (450 m²)"
    assert needed_text(past).zh == "年份已过：尚缺 90 kWp（450 ㎡）"
    later = needed_text(past, row(state="now", year=2026, gap_kwp=30.0, gap_m2=150.0))
    assert later.zh == "年份已过：尚缺 90 kWp（450 ㎡）；至 2026 年尚缺 30 kWp（150 ㎡）"
    assert needed_text(past | {"gap_kwp": 0.0, "attained": "yes"}).en == "year past: reached"
    assert "known" in needed_text(past | {"gap_kwp": 0.0, "attained": "unknown"}).en
    assert "无法判断" in needed_text(past | {"gap_kwp": float("nan")}).zh


def test_the_table_survives_the_disk_byte_for_byte(tmp_path: Path) -> None:
    tables = made()[0]
    planes = pd.DataFrame(columns=["plane_id", "building_id"])
    first, second = tmp_path / "a", tmp_path / "b"
    for folder in (first, second):
        write_tables(folder, replace(tables, planes=planes))
    content = (first / "timeline.csv").read_bytes()
    assert content == (second / "timeline.csv").read_bytes() and content.startswith(b"\xef\xbb\xbf")
    head = content.decode("utf-8-sig").splitlines()[0].split(",")
    assert head[:6] == ["unit_id", "unit_name", "level", "target_id", "target_year", "year"]
    read = pd.read_csv(first / "timeline.csv", encoding="utf-8-sig")
    assert tables.timeline is not None
    assert len(read) == len(tables.timeline) and "gap_kwp" in read


def test_rows_beyond_the_page_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    tables, campaign, _ = made()
    data = report_data(tables, campaign)
    assert "另有" not in render_report(data, "zh").partition("<h2>历年进度")[2].partition("</section>")[0]
    monkeypatch.setattr("rooftop.outputs.report.page.MAX_STEPS", 4)
    section = render_report(data, "en").partition("<h2>Attainment by year")[2].partition("</section>")[0]
    assert "6 more rows are not shown" in section
    assert "all districts" in section and "全部县区" not in section


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_report_shows_it(lang: Lang) -> None:
    tables, campaign, _ = made()
    html = render_report(report_data(tables, campaign), lang)
    title, past, ahead, target = {
        "zh": ("历年进度与所需建设速度", "年份已过：尚缺", "每年需建", "当年目标值"),
        "en": ("Attainment by year, and how fast to build", "year past: short by", "kWp a year", "target in force"),
    }[lang]
    assert title in html and past in html and ahead in html
    svgs = [base64.b64decode(s).decode() for s in re.findall(r"data:image/svg\+xml;base64,([^\"]+)", html)]
    chart = next(svg for svg in svgs if target in svg)
    assert "2021" in chart and "2030" in chart
    assert len(steps(report_data(tables, campaign))) == 2 * 5  # city, three districts, a zone
    without = render_report(report_data(replace(tables, timeline=None), campaign), lang)
    assert title not in without


def test_a_run_takes_date_and_rate_from_its_configuration() -> None:
    tables, _, pack = made()
    config = Config.model_validate(
        {
            "name": "x",
            "inputs": {"footprints": {"path": "f"}, "irradiance": {"ghi": {"path": "g", "unit": "kWh/m2/day"}}},
            "timeline": {"reference_date": "2026-07-01", "build_rate_kwp_per_year": 400},
        }
    )
    bare = replace(tables, timeline=None)
    found, notices = with_timeline(config, bare, campaign_of(bare, pack), None)
    assert found.timeline is not None and tables.timeline is not None
    pd.testing.assert_frame_equal(found.timeline, tables.timeline)
    assert [n.code for n in notices] == ["pv_year_unknown"]
    assert with_timeline(config, tables, campaign_of(tables, None), None)[1] == ()
    assert Config.model_validate(config.model_dump(mode="json")).timeline == config.timeline
    assert TimelineOptions(build_rate_kwp_per_year={"320703": 100.0}).build_rate_kwp_per_year == {"320703": 100.0}


def test_runs_with_and_without_a_timeline_are_read_back(tmp_path: Path) -> None:
    tables = replace(made()[0], planes=pd.DataFrame(columns=PLANES.names))
    write_tables(tmp_path, tables)
    read = read_tables(tmp_path).timeline
    assert read is not None and tables.timeline is not None
    pd.testing.assert_frame_equal(read, conform(tables.timeline, TIMELINE), rtol=1e-9)
    (tmp_path / "timeline.csv").unlink()  # a run of an earlier version
    assert read_tables(tmp_path).timeline is None
