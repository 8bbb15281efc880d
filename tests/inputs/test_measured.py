"""Metered energy: aligned by building, refused with row and mend where it cannot be used."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xlsxwriter

from rooftop.core.errors import InputError
from rooftop.inputs.measured import read_measured

IDS = pd.Series(["A", "B", "C"], index=[5, 6, 7])


def test_metered_energy_is_aligned_by_id(tmp_path: Path) -> None:
    path = tmp_path / "能耗.csv"
    path.write_bytes('building_id,measured_energy_kwh,名称\nB,"1,200",办公楼\nX,5,无此楼\nA,,学校\n'.encode("gbk"))
    found, notices, source = read_measured(path, IDS)
    assert found.index.tolist() == [5, 6, 7]
    np.testing.assert_array_equal(found["measured_energy_kwh"], [np.nan, 1200.0, np.nan])
    assert found["measured_fuel_kgce"].isna().all()
    assert [(n.code, n.count, n.examples) for n in notices] == [("measured_unmatched", 1, ("X",))]
    assert source.details == {"encoding": "gb18030", "rows": "3", "matched": "2"}


def test_a_workbook_with_a_title_and_a_row_without_a_building(tmp_path: Path) -> None:
    path = tmp_path / "能耗.xlsx"
    with xlsxwriter.Workbook(str(path)) as book:
        book.add_worksheet("说明").write_string(0, 0, "2023 年")
        sheet = book.add_worksheet("能耗")
        title, heads = ["公共机构能耗"], ["Measured_Fuel_kgce", "BUILDING_ID"]
        rows: list[list[Any]] = [title, [], heads, [12.5, "C"], [], [3, ""], [0, "A"]]
        for r, row in enumerate(rows):
            for c, value in enumerate(row):
                sheet.write(r, c, value)
    found, notices, source = read_measured(path, IDS)
    np.testing.assert_array_equal(found["measured_fuel_kgce"], [0.0, np.nan, 12.5])
    assert [(n.code, n.count, n.examples) for n in notices] == [("measured_unmatched", 1, ("—",))]
    assert source.details == {"encoding": "xlsx", "rows": "3", "matched": "2"}


@pytest.mark.parametrize(
    ("text", "where", "message"),
    [
        ("id,measured_energy_kwh\nA,1\n", "m.csv", "building_id"),
        ("building_id,kwh\nA,1\n", "m.csv", "measured_energy_kwh"),
        ("building_id,measured_energy_kwh\nA,1\nB,3\nA,2\n", "第 4 行", "另见第 2 行"),
        ("building_id,measured_energy_kwh\nB,1\nA,-1\n", "第 3 行", "-1"),
        ("building_id,measured_energy_kwh\nA,viel\n", "第 2 行", "viel"),
        ("building_id,measured_energy_kwh\nA,inf\n", "第 2 行", "inf"),
        ("", "m.csv", "没有表头"),
    ],
)
def test_metered_energy_that_cannot_be_used_is_refused(tmp_path: Path, text: str, where: str, message: str) -> None:
    path = tmp_path / "m.csv"
    path.write_text(text, "utf-8")
    with pytest.raises(InputError) as caught:
        read_measured(path, IDS)
    shown = caught.value.render("zh")
    assert message in shown and where in shown and "m.csv" in shown
    assert all(caught.value.details[part] for part in ("where", "found", "expected", "mend"))


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not exist"):
        read_measured(tmp_path / "none.csv", IDS)


@pytest.mark.parametrize(
    ("cells", "kwh"), [(["1,200", "30"], 1200.0), (["1,2", "30"], 1.2), (["1.200,5", "7,25"], 1200.5)]
)
def test_commas_in_metered_energy(tmp_path: Path, cells: list[str], kwh: float) -> None:
    path = tmp_path / "m.csv"
    path.write_text(f'building_id;measured_energy_kwh\nA;"{cells[0]}"\nB;"{cells[1]}"\n', "utf-8")
    assert read_measured(path, IDS)[0]["measured_energy_kwh"].iloc[0] == kwh
