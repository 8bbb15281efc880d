"""The commissioning schedule: rows, units, lost rows."""

from __future__ import annotations

from pathlib import Path

import pytest

from rooftop.config import ScheduleFields, ScheduleInput
from rooftop.core.errors import InputError
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


DAMAGED = {
    "stray returns": b"bid,year,kWp\rb1,2023,5\r\nb2,2024,6\r",
    "zero bytes": b"bid,year,kWp\nb1,20\x0023,5\nb2,2024,6\n\x00\x00",
    "a byte order mark": b"\xef\xbb\xbfbid,year,kWp\nb1,2023,5\nb2,2024,6\n",
    "empty rows": b"bid,year,kWp\nb1,2023,5\nb2,2024,6\n" + b",,\n" * 1000,
    "ragged rows": b"bid,year,kWp\nb1,2023,5,9,9\nb2,2024,6\n",
}


@pytest.mark.parametrize("kind", DAMAGED)
def test_damage_that_does_not_matter(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(DAMAGED[kind])
    fields = ScheduleFields(building_id="bid", year="year", kwp="kWp")
    found = read_schedule(ScheduleInput(path=path, fields=fields)).table
    assert found["building_id"].tolist() == ["b1", "b2"] and found["year"].tolist() == [2023, 2024]


REFUSED = {
    "an open quote": (b'bid,year,kWp\nb1,2023,"5\nb2,2024,6\nb3,2025,7\n', "line 2"),
    "a quote closed far below": (b'bid,year,kWp\n"b1,2023,5\n' + b"b2,2024,6\n" * 90 + b'"b9",2025,7\n', "line 2"),
    "a field without end": (b"bid,year,kWp\nb1,2023," + b"5" * 200_000 + b"\n", "line 2"),
    "rows without end": (b"bid,year,kWp\n" + b"b1,2023,5\n" * 200_001, "200,001"),
    "nothing": (b"", "a.csv"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_damage_that_loses_rows_is_refused(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    data, named = REFUSED[kind]
    path.write_bytes(data)
    with pytest.raises(InputError) as caught:
        read_schedule(ScheduleInput(path=path, fields=ScheduleFields(building_id="bid", year="year", kwp="kWp")))
    assert named in str(caught.value) and "a.csv" in str(caught.value)


@pytest.mark.parametrize(
    "data", [b"", b"PK\x03\x04", b"no workbook", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600]
)
def test_what_is_no_workbook_is_refused(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    path.write_bytes(data)
    with pytest.raises(InputError, match=r"a\.xlsx"):
        read_schedule(ScheduleInput(path=path, fields=ScheduleFields(building_id="bid", year="year", kwp="kWp")))
