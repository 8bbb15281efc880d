"""The commissioning schedule: rows, units, lost rows."""

from __future__ import annotations

from pathlib import Path

import pytest

from rooftop.config import ScheduleFields, ScheduleInput
from rooftop.errors import InputError
from rooftop.inputs.schedule import Schedule, read_schedule


def read(tmp_path: Path, text: str, encoding: str = "gbk", **fields: str) -> Schedule:
    path = tmp_path / "时序.csv"
    path.write_bytes(text.encode(encoding))
    names = {"building_id": "建筑编号", "unit_id": "县区", "year": "并网时间", "kwp": "容量(MW)"} | fields
    return read_schedule(ScheduleInput(path=path, fields=ScheduleFields(**names)))


def test_rows_units_and_what_is_lost(tmp_path: Path) -> None:
    text = (
        "建设时序表,,,\n建筑编号,县区,并网时间,容量(MW)\nb1,海州区,2023年5月,0.06\n,海州区,2027,1.5\n"
        "b2,,待定,20kW\nb3,,2028,\n,,2028,1\nb4,,2028,-2\n"
    )
    found = read(tmp_path, text)
    rows = found.table.astype(object).where(found.table.notna(), None).to_numpy().tolist()
    assert rows == [
        [3, "b1", None, 2023, 60.0, None],
        [4, None, "海州区", 2027, 1500.0, None],
        [5, "b2", None, None, 20.0, None],
    ]
    assert {n.code: n.count for n in found.notices} == {"schedule_rows_lost": 3, "schedule_year_unknown": 1}
    assert found.provenance.details["rows"] == "6" and found.provenance.details["encoding"] == "gb18030"


def test_area_of_modules(tmp_path: Path) -> None:
    text = "县区,并网时间,组件\n甲,2027,0.2万㎡\n"
    found = read(tmp_path, text, building_id="县区", unit_id="县区", kwp="组件")
    assert found.table.empty  # an area is no capacity
    found = read_schedule(
        ScheduleInput(
            path=tmp_path / "时序.csv", fields=ScheduleFields(unit_id="县区", year="并网时间", module_m2="组件")
        )
    )
    assert found.table["module_m2"].tolist() == [2000.0]


def test_a_column_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="并网时间"):
        read(tmp_path, "建筑编号,县区,并网时问,容量(MW)\nb1,,2023,1\n")
    with pytest.raises(InputError, match="kwp or module_m2"):
        read_schedule(ScheduleInput(path=tmp_path / "时序.csv", fields=ScheduleFields(unit_id="县区", year="年")))


def test_a_unit_that_does_not_fit_is_refused_and_none_is_kilowatts(tmp_path: Path) -> None:
    assert read(tmp_path, "建筑编号,县区,并网时间,容量\nb1,,2023,1.5\n", kwp="容量").table["kwp"].tolist() == [1.5]
    with pytest.raises(InputError) as caught:
        read(tmp_path, "建筑编号,县区,并网时间,规模(MWh)\nb1,,2023,1\n", kwp="规模(MWh)")
    assert "inputs.schedule.fields.kwp" in str(caught.value.details["where"])
    assert caught.value.details["found"] == "MWh" and caught.value.details["mend"] is not None


def test_one_of_two_quantities_that_is_no_number_is_said(tmp_path: Path) -> None:
    text = "建筑编号,县区,并网时间,容量(MW),组件(㎡)\nb1,,2023,0.1,约略\nb2,,2023,0.1,400\nb3,,2023,0.1,\n"
    found = read(tmp_path, text, module_m2="组件(㎡)")
    assert found.table["module_m2"].isna().tolist() == [True, False, True]
    assert [(n.code, n.count, n.examples) for n in found.notices] == [("schedule_unread", 1, ("2: 约略",))]
