"""What a run knows of its targets is computed once and handed on."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import rooftop.campaign.candidates
import rooftop.targets.coverage
import rooftop.targets.packs
import rooftop.targets.stock
import small_town
from campaign_data import default_pack, shared
from rooftop.campaign.candidates import plan_campaign
from rooftop.outputs.bundle import stock_of
from rooftop.targets import CoverageBook, coverage_table


def counted(monkeypatch: pytest.MonkeyPatch, module: Any, name: str, calls: Counter[str]) -> None:
    """Count the calls of a function of a module."""
    function = getattr(module, name)

    def once_more(*given: Any, **options: Any) -> Any:
        calls[name] += 1
        return function(*given, **options)

    monkeypatch.setattr(module, name, once_more)


def test_a_run_loads_joins_and_plans_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: Counter[str] = Counter()
    counted(monkeypatch, rooftop.targets.packs, "check_pack", calls)
    counted(monkeypatch, rooftop.targets.stock, "gather", calls)
    counted(monkeypatch, rooftop.targets.stock, "link", calls)
    counted(monkeypatch, rooftop.campaign.candidates, "shortfalls", calls)
    path = small_town.write(small_town.buildings(), tmp_path / "b.gpkg")
    config = small_town.config(tmp_path, path)
    options = config.timeline.model_copy(update={"build_rate_kwp_per_year": 100.0})
    config = config.model_copy(update={"policy": "lianyungang", "timeline": options})
    result = rooftop.run(config, tmp_path / "out")
    assert result.tables.timeline is not None and len(result.tables.coverage)
    assert calls == {"check_pack": 1, "gather": 1, "link": 1, "shortfalls": 1}


def test_each_kind_of_coverage_is_computed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    tables, campaign = shared()
    calls: Counter[str] = Counter()
    counted(monkeypatch, rooftop.targets.coverage, "_block", calls)
    stock = stock_of(tables, default_pack())
    book = CoverageBook(stock)
    before = book.table()
    n_installed_and_potential = calls["_block"]
    after = book.table(campaign.planned)
    assert calls["_block"] * 2 == n_installed_and_potential * 3
    pd.testing.assert_frame_equal(before, coverage_table(stock))
    pd.testing.assert_frame_equal(after, coverage_table(stock, planned=campaign.planned))
    other = book.table(~campaign.planned)
    pd.testing.assert_frame_equal(other, coverage_table(stock, planned=~campaign.planned))
    assert not other.equals(after)


def test_a_plan_made_again_from_the_files_is_the_same(tmp_path: Path) -> None:
    tables, campaign = shared()
    tables.coverage.to_csv(tmp_path / "coverage.csv", index=False, float_format="%.10g")
    read = pd.read_csv(tmp_path / "coverage.csv")
    assert (read["gap_m2"].dropna().to_numpy() != tables.coverage["gap_m2"].dropna().to_numpy()).any()
    again = plan_campaign(tables.roofs, read, campaign.stock)
    assert [plan.selection.need_m2 for plan in again.plans] == [plan.selection.need_m2 for plan in campaign.plans]
    pd.testing.assert_frame_equal(again.candidates, campaign.candidates)
