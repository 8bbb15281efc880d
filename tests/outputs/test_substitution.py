"""The report's section on substitution, and its files."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache
from pathlib import Path

import pandas as pd
import pytest

from campaign_data import make_tables, shared_data
from rooftop.outputs.bundle import ReportData, report_data
from rooftop.outputs.report.grids import Block
from rooftop.outputs.report.indicators import write_indicators
from rooftop.outputs.report.substitution import substitution_blocks
from rooftop.tables import PV_OR_THERMAL, SUBSTITUTION
from rooftop.targets import load_pack


@cache
def data_of(pack: str) -> ReportData:
    loaded = load_pack(pack)
    tables, campaign = make_tables(loaded)
    return report_data(tables, campaign)


def words(blocks: list[Block]) -> str:
    cells = [c.text for b in blocks for row in b.grid.rows for c in row.cells]
    heads = [h.text for b in blocks for h in b.grid.heads]
    return "\n".join([b.title + b.lead + b.grid.note for b in blocks] + heads + cells)


@pytest.mark.parametrize("pack", ["lianyungang", "pinghu", "liaocheng", "shanxi"])
def test_every_pack_with_a_rate_has_its_section_in_both_languages(pack: str) -> None:
    data = data_of(pack)
    chinese, english = (words(substitution_blocks(data, lang)) for lang in ("zh", "en"))
    assert data.pack is not None
    for entry in data.pack.substitution:
        assert data.pack.target(entry.target).label.zh in chinese
    for name in ("宜电则电、宜热则热", "现状替代率", "可建潜力替代率", "仅屋顶光伏可完成目标", "限额而非平均能耗"):
        assert name in chinese
    assert "nan" not in chinese.lower() and "nan" not in english.lower().replace("finan", "")
    left = "".join(t.wording for t in data.pack.targets) + "宜电则电、宜热则热"
    assert all(part in left for part in re.findall(r"[一-鿿]{6,}", english)), english


def test_pinghu_claims_no_compliance_and_liaocheng_names_its_mandate() -> None:
    assert "不代表符合该标准" in words(substitution_blocks(data_of("pinghu"), "zh"))
    text = words(substitution_blocks(data_of("liaocheng"), "zh"))
    assert "强制要求：“新建城镇居住建筑、农村社区、集中供应热水的公共建筑全面安装使用可再生能源热水系统”" in text
    assert "是否集中供应热水未知" in text


def test_the_front_row_repeats_the_table() -> None:
    data = data_of("lianyungang")
    first = substitution_blocks(data, "zh")[0].grid.rows[0]
    assert first.strong and first.cells[0].text == "全部县区"
    table = data.indicator(SUBSTITUTION)
    own = table[(table["level"] == "city") & table["is_default"] & (table["kind"] == "potential")].iloc[0]
    assert first.cells[1].text.split()[0] == f"{int(own['n_buildings']):,d}"
    assert first.cells[8].text.startswith(f"{own['rate'] * 100:.2g}"[:2])


def test_the_lead_says_what_stands_what_is_missing_and_how_much_building_that_is() -> None:
    data = data_of("lianyungang")
    city = {"installed": 0.0123, "planned": 0.0456, "potential": 0.0678}
    changed = data.indicator(SUBSTITUTION).assign(
        rate=data.indicator(SUBSTITUTION)["kind"].map(city), rate_low=data.indicator(SUBSTITUTION)["kind"].map(city),
        rate_high=data.indicator(SUBSTITUTION)["kind"].map(city), attained="no",
        gap_kgce=data.indicator(SUBSTITUTION)["kind"].map({"installed": 5e6, "planned": 3e6, "potential": 2e6}),
        gap_solar_thermal_m2=1.61e6, gap_ground_source_m2=0.39e6,
    )  # fmt: skip
    lead = substitution_blocks(replace(data, indicators={**data.indicators, "substitution": changed}), "en")[0].lead
    assert lead.startswith(
        "Today's PV and declared heat replace 1.2% of the energy, 5.0 ktce a year short of the target;"
    )
    assert "with PV on every roof in scope it would be 6.8%" in lead
    assert "2.0 ktce a year would still be missing: solar hot water for 1.7 km² of building" in lead
    assert "ground-source heat pumps for 390,000 m²" in lead


def test_an_unknown_zone_shows_bounds_only() -> None:
    row = substitution_blocks(data_of("national"), "zh")[0].grid.rows[0]
    assert re.fullmatch(r"[\d.]+%–[\d.]+%", row.cells[8].text)
    assert row.cells[3].text == "—"
    assert "气候分区不明" in substitution_blocks(data_of("national"), "zh")[0].lead


def test_no_rate_no_section_and_no_file(tmp_path: Path) -> None:
    data = data_of("whole_county")
    assert substitution_blocks(data, "zh") == []
    assert [path.name for path in write_indicators(tmp_path, data)] == ["capacity.csv"]


def test_files_have_the_columns_and_are_the_same_twice(tmp_path: Path) -> None:
    data = shared_data()
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        write_indicators(tmp_path / folder, data_of.__wrapped__("liaocheng"))
    for table in (SUBSTITUTION, PV_OR_THERMAL):
        name = f"{table.name}.csv"
        raw = (tmp_path / "a" / name).read_bytes()
        assert raw.startswith(b"\xef\xbb\xbf") and raw == (tmp_path / "b" / name).read_bytes()
        frame = pd.read_csv(tmp_path / "a" / name, encoding="utf-8-sig", dtype={"building_id": str})
        assert frame.columns[: len(table.names)].tolist() == table.names
    assert {"choice_calorific", "decided_by_calorific"} <= set(frame.columns)
    assert frame["building_id"].isin(data.tables.roofs["building_id"].astype(str)).all()
