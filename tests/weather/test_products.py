"""Files beside hourly weather, and steps, hours and values that cannot be: named with the mend that helps, or read."""

from __future__ import annotations

import json
import re

import numpy as np
import pandas as pd
import pytest

from rooftop.core.errors import InputError
from rooftop.core.lang import Text
from rooftop.inputs.weather import read_weather
from rooftop.inputs.weather_rows import RawWeather
from rooftop.inputs.weather_year import nominal_year
from rooftop.weather import Weather, clear_sky_bound, synthetic_weather
from rooftop.weather.clear_sky import nominal_index
from weather_files import SHANGHAI, epw_header, epw_rows, write_epw

LAT, LON, ALT = SHANGHAI
PARSERS_WORDS = r"Error\b|Traceback|nan\b|b'|doesn't match|could not convert|substring|out of range"


@pytest.fixture(scope="module")
def year() -> Weather:
    months = 0.6 * clear_sky_bound(LAT, ALT)
    temperature = np.array([5.0, 6, 10, 15, 20, 24, 28, 28, 24, 19, 13, 7])
    return synthetic_weather(LAT, LON, ALT, months, temperature)


@pytest.fixture(scope="module")
def rows(year) -> list[str]:
    return epw_rows(year.data.round(3))


def refused(path) -> InputError:
    with pytest.raises(InputError) as caught:
        read_weather(path)
    error = caught.value
    for lang in ("en", "zh"):
        said = error.render(lang)
        # Never the parser's own words.
        assert not re.search(r"Error\b|Traceback|nan\b|b'|doesn't match|could not convert|KeyError|substring", said), (
            said
        )
        assert path.name in said
    assert error.details["mend"] is not None
    assert any("\u4e00" <= c <= "\u9fff" for c in error.render("zh"))
    return error


def codes(weather) -> dict:
    return {n.code: n for n in weather.notices}


def days(n: int) -> list[pd.Timestamp]:
    return list(pd.date_range("2020-01-01", periods=n, freq="D"))


POWER_HEAD = (
    "-BEGIN HEADER-\nNASA/POWER Source Native Resolution {what} Data \n"
    "Location: Latitude  34.6   Longitude 119.2 \n-END HEADER-\n"
)
POWER_DAILY = POWER_HEAD.format(what="Daily") + "YEAR,MO,DY,ALLSKY_SFC_SW_DWN,T2M\n"
POWER_DAILY += "\n".join(f"{d.year},{d.month},{d.day},4.1,15" for d in days(366))
PVGIS_HEAD = (
    "Latitude (decimal degrees):\t34.600\nLongitude (decimal degrees):\t119.200\nRadiation database:\tPVGIS-ERA5\n\n"
)

OTHERS = {
    "NASA POWER daily CSV": (POWER_DAILY, "daily values: hourly ones are needed", "Hourly"),
    "NASA POWER daily without its words": (
        "-BEGIN HEADER-\nNASA/POWER\nlatitude 34.6 longitude 119.2\n-END HEADER-\n"
        "YEAR,DOY,ALLSKY_SFC_SW_DWN\n2020,1,4.1\n",
        "daily values", "Hourly",
    ),
    "NASA POWER daily JSON": (
        json.dumps({"type": "Feature", "geometry": {"coordinates": [119.2, 34.6, 5]}, "properties": {"parameter": {
            "ALLSKY_SFC_SW_DWN": {f"{d:%Y%m%d}": 4.1 for d in days(366)}}}, "header": {}}),
        "daily values", "Hourly",
    ),
    "NASA POWER monthly CSV": (
        POWER_HEAD.format(what="Monthly") + "PARAMETER,YEAR,JAN,FEB,MAR,APR,MAY,JUN,JUL,AUG,SEP,OCT,NOV,DEC,ANN\n",
        "monthly values", "Hourly",
    ),
    "NASA POWER monthly JSON": (
        json.dumps({"properties": {"parameter": {"ALLSKY_SFC_SW_DWN": {"202001": 3.1, "202013": 4.0}}}, "header": {}}),
        "monthly values", "Hourly",
    ),
    "NASA POWER climatology": (
        POWER_HEAD.format(what="Climatology") + "PARAMETER,JAN,FEB,MAR\nALLSKY_SFC_SW_DWN,2.5,3.1,4.0\n",
        "climatology", "Hourly",
    ),
    "PVGIS monthly": (PVGIS_HEAD + "year\t\tmonth\t\tH(h)_m\n2005\t\tJan\t\t85.3\n", "monthly values", "TMY"),
    "PVGIS monthly JSON": (
        json.dumps({"inputs": {}, "outputs": {"monthly": [{"year": 2005, "month": 1, "H(h)_m": 85.3}]}}),
        "monthly values", "TMY",
    ),
    "PVGIS yield": (
        PVGIS_HEAD + "Fixed slope of modules (deg.) (optimum):\t35\nMonth\tE_d\tE_m\tH(i)_d\n1\t2.1\t65.3\t2.6\n",
        "PV system", "TMY",
    ),
    "PVGIS yield JSON": (
        json.dumps({"inputs": {}, "outputs": {"monthly": {"fixed": [{"month": 1, "E_d": 2.1, "E_m": 65.3}]}}}),
        "PV system", "TMY",
    ),
    "PVGIS average day": (PVGIS_HEAD + "time(UTC)\tG(i)\tGb(i)\n00:45\t0.0\t0.0\n", "average day", "TMY"),
    "PVGIS average day JSON": (
        json.dumps({"inputs": {}, "outputs": {"daily_profile": [{"month": 1, "time": "00:45", "G(i)": 0.0}]}}),
        "average day", "TMY",
    ),
    "PVGIS basic": (
        "time(UTC),T2m,RH,G(h),Gb(n),Gd(h)\n20090101:0000,2.3,92,0,0,0\n", "where it lies", "CSV, JSON or EPW",
    ),
    "PVGIS horizon": (PVGIS_HEAD + "A\tH_hor\n-180.0\t3.4\n", "horizon profile", "TMY"),
    "service error": ('{"message":"Location over the sea.","status":400}', "error message", "request"),
    "web page": ("<!DOCTYPE html>\n<html><body>Not Found</body></html>", "web page", "browser"),
    "statistics": ("Statistics for CHN_Shanghai\n Location -- Shanghai\n", ".stat", ".epw"),
    "design days": ("! The following Location and design day data\nSite:Location,\n Shanghai;\n", ".ddy", ".epw"),
    "TMY2": (" 12839 MIAMI                  FL  -5 N 25 48 W  80 16     2\n 62010101\n", "TMY2", "EPW"),
    "NSRDB": (
        "Source,Location ID,City,State,Country,Latitude,Longitude,Time Zone\nNSRDB,1,-,-,-,34,119,8\n", "NSRDB", "EPW",
    ),
    "CAMS": ("# Coding: utf-8\n# File format version: 2\n", "CAMS", "EPW"),
}  # fmt: skip


@pytest.mark.parametrize("name", list(OTHERS))
def test_each_other_product_is_named_with_what_to_take_instead(tmp_path, name):
    text, what, mend = OTHERS[name]
    path = tmp_path / "w.txt"
    path.write_text(text, encoding="utf-8")
    error = refused(path)
    assert what in str(error.what) and mend in str(error.details["mend"])
    assert "download it again" not in str(error.details["mend"]) or name == "service error"


@pytest.mark.parametrize(
    ("head", "what"),
    [
        (b"PK\x03\x04", "ZIP"),
        (b"\x1f\x8b\x08", "gzip"),
        (b"\x89HDF\r\n", "NetCDF"),
        (b"CDF\x01", "NetCDF"),
        (b"%PDF-1.7", "PDF"),
    ],
)
def test_archives_and_grids_are_named(tmp_path, head, what):
    path = tmp_path / "w.epw"
    path.write_bytes(head + bytes(range(256)) * 8)
    assert what in str(refused(path).what)


# ------------------------------------------------------------------------------------------------------------- hours


def from_zero(rows: list[str]) -> list[str]:
    """Hours 0-23 for 1-24."""
    return [re.sub(r"^(\d+,\d+,\d+),(\d+)", lambda m: f"{m[1]},{int(m[2]) - 1}", row) for row in rows]


def midnight_of_the_next_day(rows: list[str]) -> list[str]:
    """Hour 24 written as hour 0 of the day after."""
    out = []
    for row in rows:
        year, month, day, hour, rest = row.split(",", 4)
        if hour == "24":
            then = pd.Timestamp(int(year), int(month), int(day)) + pd.Timedelta(days=1)
            year, month, day, hour = str(then.year), str(then.month), str(then.day), "0"
        out.append(",".join([year, month, day, hour, rest]))
    return out


@pytest.mark.parametrize(
    ("change", "way"), [(from_zero, "begin at their label"), (midnight_of_the_next_day, "end at their label")]
)
def test_hours_0_to_23_are_read_at_the_right_time_and_said(tmp_path, year, change, way):
    weather = read_weather(write_epw(tmp_path / "w.epw", year.data.round(3), change=change))
    assert "hours_from_zero" in codes(weather) and way in codes(weather)["weather_closure"].text.en
    assert "weather_time_shifted" not in codes(weather)
    np.testing.assert_allclose(weather.data["ghi"].to_numpy(), year.data["ghi"].to_numpy(), atol=1e-2)


def altered(rows: list[str], at: range, old: str, new: str) -> list[str]:
    out = list(rows)
    for k in at:
        fields = out[k].split(",", 5)
        column = {"month": 1, "day": 2, "hour": 3, "minute": 4}[old]
        fields[column] = new
        out[k] = ",".join(fields)
    return out


@pytest.mark.parametrize(
    ("column", "value", "said"),
    [("hour", "25", "hour 25"), ("minute", "75", "minute 75"), ("month", "13", "month 13"), ("day", "32", "day 32"),
     ("hour", "-3", "hour -3"), ("hour", "0", "hour 0"), ("day", "x", "not a row of data")],
)  # fmt: skip
def test_a_few_hours_that_cannot_be_cost_those_rows(tmp_path, year, column, value, said):
    at = range(5000, 5000 + 24 * 20, 24)
    weather = read_weather(
        write_epw(tmp_path / "w.epw", year.data.round(3), change=lambda rows: altered(rows, at, column, value))
    )
    notice = codes(weather)["impossible_times"]
    assert notice.count == 20 and said in notice.text.en and "line 5009" in notice.text.en and len(notice.examples) == 5
    assert codes(weather)["missing_weather_hours"].count == 20
    assert weather.data["ghi"].sum() == pytest.approx(year.data["ghi"].sum(), rel=0.01)


@pytest.mark.parametrize(("column", "value", "said"), [("hour", "25", "hour 25"), ("month", "13", "month 13")])
def test_many_hours_that_cannot_be_are_refused_with_their_line(tmp_path, year, column, value, said):
    path = write_epw(
        tmp_path / "w.epw", year.data.round(3), change=lambda rows: altered(rows, range(0, 8760, 10), column, value)
    )
    error = refused(path)
    assert "times that do not exist" in str(error.what) and said in str(error.details["found"])
    assert "line 9" in str(error.details["where"])


def test_repeated_hours_are_counted_and_the_first_kept(tmp_path, year):
    def twice(rows: list[str]) -> list[str]:
        other = rows[2000].split(",")
        other[13] = "1"
        return [*rows[:2001], ",".join(other), *rows[2001:4000], rows[3999], *rows[4000:]]

    weather = read_weather(write_epw(tmp_path / "w.epw", year.data.round(3), change=twice))
    notice = codes(weather)["repeated_hours"]
    assert notice.count == 2 and "1 of them with other values" in notice.text.en and notice.severity == "warning"
    np.testing.assert_allclose(weather.data["ghi"].to_numpy(), year.data["ghi"].to_numpy(), atol=1e-2)


def test_a_file_written_twice_is_one_year(tmp_path, year):
    weather = read_weather(write_epw(tmp_path / "w.epw", year.data.round(3), change=lambda rows: rows + rows))
    notice = codes(weather)["repeated_hours"]
    assert notice.count == 8760 and notice.severity == "info"
    np.testing.assert_allclose(weather.data["ghi"].to_numpy(), year.data["ghi"].to_numpy(), atol=1e-2)


# ------------------------------------------------------------------------------------------------------------- steps


def stepped(year: Weather, hours: str) -> RawWeather:
    """Rows of another step, as a parser would give them."""
    data = year.data.resample(hours, origin="start_day").mean()
    return RawWeather(data, LAT, LON, ALT, "w.csv", Text("made up", "虚构"))


@pytest.mark.parametrize(
    ("step", "said", "zh"),
    [("3h", "values every 3 hours", "每 3 小时"), ("6h", "values every 6 hours", "每 6 小时"),
     ("D", "daily values", "逐日数据"), ("MS", "monthly values", "逐月数据")],
)  # fmt: skip
def test_other_steps_are_named(year, step, said, zh):
    with pytest.raises(InputError) as caught:
        nominal_year(stepped(year, step))
    assert said in str(caught.value.what) and zh in caught.value.render("zh")
    assert "hourly product" in str(caught.value.details["mend"])


def test_an_epw_of_every_third_hour_is_named(tmp_path, year):
    path = write_epw(tmp_path / "w.epw", year.data.round(3), change=lambda rows: rows[::3])
    assert "values every 3 hours" in str(refused(path).what)


@pytest.mark.parametrize("per_hour", [2, 4])
@pytest.mark.parametrize("energy", [False, True])
def test_halves_and_quarters_are_averaged_as_power_or_energy(tmp_path, year, per_hour, energy):
    fine = year.data.loc[year.data.index.repeat(per_hour)].copy()
    if energy:
        fine[["ghi", "dni", "dhi"]] /= per_hour
    weather = read_weather(write_epw(tmp_path / "w.epw", fine.round(3), per_hour=per_hour))
    assert codes(weather)["sub_hourly_averaged"].count == 8760 * per_hour
    assert ("interval_energy" in codes(weather)) == energy
    np.testing.assert_allclose(weather.data["ghi"].to_numpy(), year.data["ghi"].to_numpy(), atol=0.05)


@pytest.mark.parametrize(("first", "last", "named"), [(0, 4344, "7, 8, 9, 10, 11, 12"), (2160, 8760, "1, 2, 3")])
def test_part_of_a_year_is_refused_with_the_months_it_lacks(tmp_path, year, first, last, named):
    error = refused(write_epw(tmp_path / "w.epw", year.data.round(3), change=lambda rows: rows[first:last]))
    assert "less than a year" in str(error.what) and named in str(error.details["mend"])


def test_two_years_are_typical_months_and_a_leap_day_is_left_out(tmp_path, year):
    leap = pd.date_range("2020-01-01 00:30", periods=8784, freq="h", tz="UTC+08:00")
    at = np.r_[0 : 59 * 24, 58 * 24 : 59 * 24, 59 * 24 : 8760]
    second = epw_rows(year.data.round(3).iloc[at], np.full(8784, 2020), dates=leap)
    path = write_epw(tmp_path / "w.epw", year.data.round(3), np.full(8760, 2019), change=lambda rows: rows + second)
    weather = read_weather(path)
    assert {"typical_months", "leap_day_dropped"} <= set(codes(weather))
    np.testing.assert_allclose(weather.data["ghi"].to_numpy(), year.data["ghi"].to_numpy(), atol=1e-2)


def test_months_of_many_years_stay_a_typical_year(tmp_path, year):
    years = np.array([2013, 2011, 2004, 2007, 2006, 1993, 1957, 1987, 2000, 1996, 2007, 1978])
    weather = read_weather(write_epw(tmp_path / "w.epw", year.data.round(3), years[nominal_index(8.0).month - 1]))
    assert "typical_months" not in codes(weather)
    np.testing.assert_allclose(weather.data["ghi"].to_numpy(), year.data["ghi"].to_numpy(), atol=1e-2)


# ------------------------------------------------------------------------------------------------------------- units


@pytest.mark.parametrize(
    ("unit", "factor"),
    [("kJ/m2", 3.6), ("MJ/m2", 0.0036), ("kWh/m2", 0.001), ("J/cm2", 0.36), ("cal/cm2", 0.086), ("Btu/ft2", 0.317)],
)
def test_irradiance_of_another_unit_is_refused_by_name(tmp_path, year, unit, factor):
    data = year.data.copy()
    data[["ghi", "dni", "dhi"]] *= factor
    error = refused(write_epw(tmp_path / "w.epw", data))
    assert "another unit" in str(error.what) and unit in str(error.details["found"])
    assert "divide GHI, DNI and DHI by" in str(error.details["mend"])


@pytest.mark.parametrize(("unit", "scale", "offset"), [("K", 1.0, 273.15), ("degF", 1.8, 32.0)])
@pytest.mark.parametrize("latitude", [31.2, 52.0, -33.9])
def test_temperature_in_kelvin_or_fahrenheit_is_converted_and_said(tmp_path, unit, scale, offset, latitude):
    longitude = {31.2: 121.4, 52.0: 4.4, -33.9: 151.2}[latitude]
    weather = synthetic_weather(latitude, longitude, 5.0, 0.6 * clear_sky_bound(latitude, 5.0))
    data = weather.data.assign(temp_air=weather.data["temp_air"] * scale + offset)
    tz = data.index[0].utcoffset().total_seconds() / 3600.0
    path = write_epw(tmp_path / "w.epw", data.round(3), tz=tz, place=(latitude, longitude, 5.0))
    if unit == "K":
        # EPW's own code of a missing temperature is 99.9.
        path = tmp_path / "w.json"
        path.write_text(json.dumps(power_json(data, latitude, longitude)))
    read = read_weather(path)
    notice = codes(read)["temperature_unit"]
    assert f"like {unit}" in notice.text.en and notice.severity == "warning"
    np.testing.assert_allclose(read.data["temp_air"].mean(), weather.data["temp_air"].mean(), atol=0.1)


def power_json(data: pd.DataFrame, latitude: float, longitude: float) -> dict:
    names = {
        "ALLSKY_SFC_SW_DWN": "ghi",
        "ALLSKY_SFC_SW_DNI": "dni",
        "ALLSKY_SFC_SW_DIFF": "dhi",
        "T2M": "temp_air",
        "WS10M": "wind_speed",
    }
    utc = (data.index - pd.Timedelta(minutes=30)).tz_convert("UTC")
    stamps = [f"2021{t:%m%d%H}" for t in utc]
    return {
        "geometry": {"coordinates": [longitude, latitude, 5.0]},
        "properties": {"parameter": {n: dict(zip(stamps, data[c].tolist(), strict=True)) for n, c in names.items()}},
        "header": {"fill_value": -999.0, "time_standard": "UTC"},
        "parameters": {n: {"units": "Wh/m^2" if c in ("ghi", "dni", "dhi") else "C"} for n, c in names.items()},
    }  # fmt: skip


@pytest.mark.parametrize("mean", [-8.0, 10.0, 27.0, 33.0])
def test_degrees_of_any_climate_are_not_taken_for_others(tmp_path, year, mean):
    """A year unlike its place is named, and kept."""
    data = year.data.assign(temp_air=year.data["temp_air"] - year.data["temp_air"].mean() + mean)
    read = read_weather(write_epw(tmp_path / "w.epw", data.round(3)))
    assert read.data["temp_air"].mean() == pytest.approx(mean, abs=0.01)
    assert ("temperature_unlike_climate" in codes(read)) == (abs(mean - 17.0) > 12.0)


@pytest.mark.parametrize("code", [-999.0, 9999.0, -9999.0, 99999.0])
def test_codes_of_missing_values_are_missing(tmp_path, year, code):
    data = year.data.round(3).copy()
    at = np.arange(3011, 3011 + 24 * 10, 24)
    data.iloc[at, 0] = code
    read = read_weather(write_epw(tmp_path / "w.epw", data))
    assert codes(read)["missing_weather_hours"].count == 10
    if code < 9999.0:
        assert f"10 of them {code:g}" in codes(read)["absurd_weather_value"].text.en
    assert read.data["ghi"].sum() == pytest.approx(year.data["ghi"].sum(), rel=0.01)


def test_too_many_codes_are_refused(tmp_path, year):
    data = year.data.round(3).copy()
    data.iloc[::3, 0] = -999.0
    assert "too much is missing" in str(refused(write_epw(tmp_path / "w.epw", data)).what)


def test_a_month_written_as_zero_is_refused(tmp_path, year):
    data = year.data.round(3).copy()
    data.loc[data.index.month == 3, ["ghi", "dni", "dhi"]] = 0.0
    error = refused(write_epw(tmp_path / "w.epw", data))
    assert "months without light" in str(error.what) and "month 3" in str(error.details["where"])


# ------------------------------------------------------------------------------------------------------------ places


def test_a_header_without_a_place(tmp_path, rows):
    for fields in ("LOCATION,Test,-,CHN,SRC,1,,,8,5", "LOCATION,Test", "LOCATION,Test,-,CHN,SRC,1,0,0,0,0"):
        path = tmp_path / "w.epw"
        path.write_text("\n".join([fields, *epw_header(SHANGHAI)[1:], *rows]))
        error = refused(path)
        assert "does not say where it lies" in str(error.what)


def test_liberties_of_the_header_are_read(tmp_path, rows, year):
    """Names with commas, no altitude, no zone, longitude to 360, fewer lines: said where something was assumed."""
    heads = {
        "weather_altitude_assumed": ["LOCATION,Test,-,CHN,SRC,1,31.2,121.4,8,-9999"],
        "weather_zone_assumed": ["LOCATION,Test,-,CHN,SRC,1,31.2,121.4,,5"],
        "weather_closure": ["LOCATION,Shanghai, Pudong, New Area,-,CHN,SRC,1,31.2,121.4,8,5", "DATA PERIODS,1,1"],
    }
    for code, head in heads.items():
        path = tmp_path / f"{code}.epw"
        path.write_text("\n".join([*head, *rows]))
        read = read_weather(path)
        assert code in codes(read)
        np.testing.assert_allclose(read.data["ghi"].to_numpy(), year.data["ghi"].to_numpy(), atol=1e-2)


def test_longitudes_to_360_are_read(tmp_path, rows):
    path = tmp_path / "w.epw"
    path.write_text("\n".join(["LOCATION,Test,-,USA,SRC,1,31.2,238.6,8,5", *rows]))
    read = read_weather(path)
    assert read.longitude == pytest.approx(-121.4) and "longitude_wrapped" in codes(read)


@pytest.mark.parametrize("cut", [100, 3000, 400_000, 900_000])
def test_a_cut_file_ends_in_a_sentence(tmp_path, rows, cut):
    path = tmp_path / "w.epw"
    path.write_text("\n".join([*epw_header(SHANGHAI), *rows])[:cut])
    refused(path)


def test_a_cut_json_says_where(tmp_path, year):
    path = tmp_path / "w.json"
    path.write_text(json.dumps(power_json(year.data, LAT, LON))[:100_000])
    error = refused(path)
    assert "cut or damaged" in str(error.what) and "download it again" in str(error.details["mend"])


def test_missing_columns_of_nasa_power_are_named(tmp_path):
    head = "-BEGIN HEADER-\nNASA/POWER Hourly\nlatitude 34.6 longitude 119.2\n-END HEADER-\n"
    path = tmp_path / "w.csv"
    path.write_text(head + "YEAR,MO,DY,HR,T2M\n2020,1,1,0,5.0\n")
    assert "ALLSKY_SFC_SW_DWN" in str(refused(path).details["found"])
    path.write_text("YEAR,MO,DY,HR,ALLSKY_SFC_SW_DWN\n2020,1,1,0,0.0\n")
    assert "does not say where it lies" in str(refused(path).what)
