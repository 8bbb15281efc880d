"""Years and dates as people write them, and instants as the day of the place."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from rooftop.config import FieldMap, FootprintsInput
from rooftop.inputs.dates import civil_offset_h, dates, parse_date, read_date
from rooftop.inputs.footprints import FootprintTable, read_buildings


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (2021, (2021, "2021")),
        (2021.0, (2021, "2021")),
        ("2021", (2021, "2021")),
        ("2021.0", (2021, "2021")),
        ("2021-06-30", (2021, "2021-06-30")),
        (datetime.date(2021, 6, 30), (2021, "2021-06-30")),
        ("2021/6", (2021, "2021-06")),
        ("2021/6/3 0:00:00", (2021, "2021-06-03")),
        ("2021-06-30T00:00:00", (2021, "2021-06-30")),
        ("20210630", (2021, "2021-06-30")),
        (20210630.0, (2021, "2021-06-30")),
        (20210630, (2021, "2021-06-30")),
        ("202106", (2021, "2021-06")),
        ("20010719000000", (2001, "2001-07-19")),
        ("2021063017", (2021, "2021-06-30")),
        ("202106301730", (2021, "2021-06-30")),
        ("2021年6月", (2021, "2021-06")),
        ("2021年6月30日", (2021, "2021-06-30")),
        ("2021年6月30号", (2021, "2021-06-30")),
        ("2021年", (2021, "2021")),
        ("２０２１年", (2021, "2021")),
        ("2021.06", (2021, "2021-06")),
        (2021.06, (2021, "2021")),
        ("2021-00-00", (2021, "2021")),
        ("2021-06-00", (2021, "2021-06")),
        ("竣工于2019年底", (2019, "2019")),
        ("44377", (2021, "2021-06-30")),
        (44377, (2021, "2021-06-30")),
        (44377.71, (2021, "2021-06-30")),
        ("44377.70833", (2021, "2021-06-30")),
        ("30/06/2021", (2021, "2021-06-30")),
        ("06/30/2021", (2021, "2021-06-30")),
        ("05/06/2021", (2021, "2021")),
        ("98年", (1998, "1998")),
        ("05年", (2005, "2005")),
        ("98年12月", (1998, "1998")),
        ("公元1998年", (1998, "1998")),
        ("约1998年", (1998, "1998")),
        ("1998年左右", (1998, "1998")),
        ("c. 1990", (1990, "1990")),
        ("一九九八年", (1998, "1998")),
        ("二〇二一年", (2021, "2021")),
        ("二零二一", (2021, "2021")),
        ("1980年代", None),
        ("八十年代", None),
        ("90年代末", None),
        ("1990s", None),
        ("1980-1989", None),
        ("1980年至1989年", None),
        ("before 1980", None),
        ("1980年以前", None),
        ("1980年前", None),
        ("2000年后", None),
        ("<1980", None),
        ("在建", None),
        ("2021-13-40", None),
        ("0", None),
        ("", None),
        ("不详", None),
        ("nan", None),
        (None, None),
        (float("nan"), None),
        (pd.NA, None),
    ],
)
def test_dates_as_people_write_them(value: Any, expected: tuple[int, str] | None) -> None:
    assert parse_date(value) == expected


@pytest.mark.parametrize(
    ("value", "offset_h", "expected"),
    [
        ("2021-12-31T17:00:00Z", 8.0, "2022-01-01"),
        ("2021-12-31T15:59:59Z", 8.0, "2021-12-31"),
        ("2021-12-31 17:00:00+00:00", 8.0, "2022-01-01"),
        ("2021/12/31 17:00:00+00", 8.0, "2022-01-01"),
        ("2021-12-31T17:00:00.000Z", 8.0, "2022-01-01"),
        ("2021-12-31T17:00:00Z", None, "2022-01-01"),  # China where the place is not known
        ("2021-12-31T17:00:00Z", 0.0, "2021-12-31"),
        ("2022-01-01T03:00:00Z", -5.0, "2021-12-31"),
        ("2021-12-31T23:00:00+08:00", 8.0, "2021-12-31"),  # the day is written
        ("2021-12-31T17:00:00", 8.0, "2021-12-31"),
        ("2021-12-31T17:00:00+01:00", 8.0, "2021-12-31"),
        ("2022-01-01T00:00:00Z", -5.0, "2022-01-01"),  # a day without a time
        (1640969999000, 8.0, "2022-01-01"),  # 2021-12-31T16:59:59Z
        (1640966399000, 8.0, "2021-12-31"),
        (1640995200000, -5.0, "2022-01-01"),
        (946684800000, 8.0, "2000-01-01"),
        (-315619200000, 8.0, "1960-01-01"),
        ("1640969999", 8.0, "2022-01-01"),
    ],
)
def test_instants_are_days_of_the_place(value: Any, offset_h: float | None, expected: str) -> None:
    found = read_date(value, offset_h)
    assert found is not None and found.date == expected


@given(st.dates())
def test_iso_dates_read_back(day: datetime.date) -> None:
    assert parse_date(day.isoformat()) == (day.year, day.isoformat())


@given(st.datetimes(datetime.datetime(1971, 1, 1), datetime.datetime(2049, 1, 1)), st.integers(-11, 12))
def test_milliseconds_and_utc_texts_agree(at: datetime.datetime, offset_h: int) -> None:
    at = at.replace(microsecond=0)
    there = at if at.time() == datetime.time() else at + datetime.timedelta(hours=offset_h)
    expected = (there.year, there.date().isoformat())
    since = int((at - datetime.datetime(1970, 1, 1)).total_seconds() * 1000)
    assert parse_date(at.isoformat() + "Z", offset_h) == expected
    if since >= 10**11:
        assert parse_date(since, offset_h) == expected


def test_a_column_says_what_it_could_not_tell() -> None:
    column = pd.Series(
        ["2021", "九十年代", "1990s", "在建", "未竣工", "很久", "2021-12-31T17:00:00Z", None, "0", "不详"], name="jgrq"
    )
    read = dates(column, "b.gpkg", 8.0)
    assert read.years.fillna(-1).tolist() == [2021, -1, -1, -1, -1, -1, 2022, -1, -1, -1]
    assert read.unfinished.tolist() == [k in (3, 4) for k in range(10)]
    assert {n.code: n.count for n in read.notices} == {
        "year_absurd": 2, "year_span": 2, "date_local": 1, "date_unfinished": 2}  # fmt: skip
    assert next(n for n in read.notices if n.code == "year_span").examples == ("1990s (1)", "九十年代 (1)")
    assert all(n.text.en != n.text.zh for n in read.notices)


def test_offsets_of_places() -> None:
    assert civil_offset_h(119.2, 34.6) == 8.0
    assert civil_offset_h(87.6, 43.8) == 8.0  # Urumqi
    assert civil_offset_h(4.36, 52.0) == 0.0
    assert civil_offset_h([-74.0, 0.0, -74.1], [40.7, 0.0, 40.8]) == -5.0
    assert civil_offset_h([np.nan], [np.nan]) == 8.0


# --- through files ----------------------------------------------------------------------------------------------------


def town(path: Path, done: Any) -> FootprintTable:
    shapes = [shapely.box(119.2 + i * 0.001, 34.6, 119.2002 + i * 0.001, 34.6002) for i in range(len(done))]
    frame = gpd.GeoDataFrame({"id": range(len(done)), "done": done, "h": 6.0}, geometry=shapes, crs=4326)
    if path.suffix == ".parquet":
        frame.to_parquet(path)
    else:
        pyogrio.write_dataframe(frame, path)
    return read_buildings(FootprintsInput(path=path, fields=FieldMap(id="id", completion_date="done", height_m="h")))


@pytest.mark.parametrize("suffix", [".gpkg", ".geojson", ".fgb", ".parquet"])
@pytest.mark.parametrize("zone", ["UTC", "Asia/Shanghai"])
def test_instants_with_a_zone_in_every_format(tmp_path: Path, suffix: str, zone: str) -> None:
    at = pd.to_datetime(pd.Series(["2021-12-31T17:00Z", "2021-12-31T15:00Z", None])).dt.tz_convert(zone)
    found = town(tmp_path / f"b{suffix}", at).table.set_index("source_id")
    assert found["completion_date"].reindex(["0", "1", "2"]).fillna("-").tolist() == ["2022-01-01", "2021-12-31", "-"]
    assert found["year_built"].reindex(["0", "1"]).tolist() == [2022, 2021]


@pytest.mark.parametrize("suffix", [".gpkg", ".geojson", ".fgb", ".parquet", ".shp"])
def test_days_stay_days_in_every_format(tmp_path: Path, suffix: str) -> None:
    days = [datetime.date(2021, 12, 31), datetime.date(2022, 1, 1), None]
    found = town(tmp_path / f"b{suffix}", days).table.set_index("source_id")
    assert found["completion_date"].reindex(["0", "1", "2"]).fillna("-").tolist() == ["2021-12-31", "2022-01-01", "-"]


def test_a_building_under_construction_has_no_unknown_year(tmp_path: Path) -> None:
    result = town(tmp_path / "b.gpkg", ["在建", "2021-06", None, "九十年代"])
    codes = [set(reasons) for reasons in result.table["reasons"]]
    assert ["under_construction" in c for c in codes] == [True, False, False, False]
    assert ["year_unknown" in c for c in codes] == [False, False, True, True]
