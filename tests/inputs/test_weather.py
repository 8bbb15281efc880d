"""Weather files: every format lands on the same year at the right time, and every repair is counted."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pvlib
import pytest

from rooftop.core.errors import InputError
from rooftop.inputs.weather import read_weather
from rooftop.weather.clear_sky import nominal_index, sun_elevation
from weather_files import write_epw

LAT, LON, ALT = 31.2, 121.4, 5.0
COLUMNS = ["ghi", "dni", "dhi", "temp_air", "wind_speed"]
PVLIB_DATA = Path(pvlib.__file__).parent / "data"


def made_year(minute: float = 30.0, offset_h: float = 8.0) -> pd.DataFrame:
    """Return a year that closes exactly with the sun at `minute` of each hour; every day of its own cloudiness."""
    index = nominal_index(offset_h, minute)
    sin_h = np.maximum(np.sin(np.radians(sun_elevation(index, LAT, LON, ALT))), 0.0)
    day = np.asarray(index.day_of_year) - 1
    rng = np.random.default_rng(7)
    clear = np.where(rng.random(365) < 0.4, 0.95, rng.uniform(0.0, 0.8, 365))[day]
    dni = np.where(sin_h > 0.02, clear * 900.0 * np.exp(-0.12 / np.maximum(sin_h, 0.02)), 0.0)
    dhi = (90.0 + 260.0 * (1.0 - clear)) * sin_h
    temp = (
        16.0 - 12.0 * np.cos(2 * np.pi * (day - 15) / 365) + 3.0 * np.sin(2 * np.pi * (np.asarray(index.hour) - 9) / 24)
    )
    wind = 2.0 + rng.random(8760)
    return pd.DataFrame(dict(zip(COLUMNS, [dni * sin_h + dhi, dni, dhi, temp, wind], strict=True)), index=index).round(
        4
    )


@pytest.fixture(scope="module")
def year() -> pd.DataFrame:
    return made_year()


@pytest.fixture(scope="module")
def epw(tmp_path_factory, year) -> Path:
    return write_epw(tmp_path_factory.mktemp("epw") / "站点.epw", year)


def codes(weather) -> dict[str, int]:
    return {n.code: n.count for n in weather.notices}


def test_epw_is_read_at_mid_interval(epw, year):
    weather = read_weather(epw)
    assert (weather.latitude, weather.longitude, weather.altitude) == (LAT, LON, ALT)
    assert weather.data.index[0].isoformat() == "2001-01-01T00:30:00+08:00"
    assert weather.interval_s == 3600.0 and list(weather.data.columns) == COLUMNS
    np.testing.assert_allclose(weather.data.to_numpy(), year.to_numpy(), atol=1e-3)
    (closure,) = weather.notices
    assert closure.code == "weather_closure" and closure.severity == "info"
    assert weather.provenance.details["format"] == "epw" and len(weather.provenance.sha256) == 64


@pytest.mark.parametrize(("minute", "shift"), [(0.0, -30), (45.0, 15)])
def test_a_file_of_another_convention_is_moved_and_said(tmp_path, minute, shift):
    data = made_year(minute)
    weather = read_weather(write_epw(tmp_path / "w.epw", data))
    (notice,) = [n for n in weather.notices if n.code == "weather_time_shifted"]
    assert f"moved by {shift:+d} min" in notice.text.en and f"移动 {shift:+d} 分钟" in notice.text.zh
    assert notice.severity == "warning"
    assert weather.data.index[0].minute == int(minute)
    np.testing.assert_allclose(weather.data["ghi"], data["ghi"], atol=1e-3)


def test_rows_in_utc_under_a_local_header_are_found(tmp_path, year):
    weather = read_weather(write_epw(tmp_path / "w.epw", year.iloc[np.r_[8:8760, 0:8]]))
    assert "+480 min" in next(n.text.en for n in weather.notices if n.code == "weather_time_shifted")
    np.testing.assert_allclose(weather.data["ghi"], year["ghi"], atol=1e-3)


def test_noise_does_not_move_a_file(tmp_path, year):
    noisy = year.copy()
    noisy["ghi"] *= np.random.default_rng(1).normal(1.0, 0.08, 8760)
    weather = read_weather(write_epw(tmp_path / "w.epw", noisy))
    assert weather.data.index[0].minute == 30
    assert "weather_closure" in codes(weather)


def test_leap_year_loses_its_leap_day(tmp_path, year):
    leap = pd.date_range("2020-01-01 00:30", periods=8784, freq="h", tz="UTC+08:00")
    rows = np.r_[0 : 59 * 24, 58 * 24 : 59 * 24, 59 * 24 : 8760]
    weather = read_weather(write_epw(tmp_path / "w.epw", year.iloc[rows], np.full(8784, 2020), dates=leap))
    assert codes(weather)["leap_day_dropped"] == 24
    np.testing.assert_allclose(weather.data.to_numpy(), year.to_numpy(), atol=1e-3)


def test_months_of_many_years_make_one_nominal_year(tmp_path, year):
    years = np.array([2013, 2011, 2004, 2007, 2006, 1993, 1957, 1987, 2000, 1996, 2007, 1978])[year.index.month - 1]
    weather = read_weather(write_epw(tmp_path / "w.epw", year, years))
    assert set(pd.DatetimeIndex(weather.data.index).year) == {2001} and len(weather.data) == 8760
    assert weather.data.index.is_monotonic_increasing
    np.testing.assert_allclose(weather.data.to_numpy(), year.to_numpy(), atol=1e-3)


def test_sub_hourly_rows_are_averaged(tmp_path, year):
    halves = year.loc[year.index.repeat(2)].copy()
    halves.iloc[::2, 0:3] *= 0.9
    halves.iloc[1::2, 0:3] *= 1.1
    weather = read_weather(write_epw(tmp_path / "w.epw", halves, per_hour=2))
    assert codes(weather)["sub_hourly_averaged"] == 17520
    np.testing.assert_allclose(weather.data["ghi"], year["ghi"], atol=1e-3)


def test_short_gaps_are_interpolated_long_ones_taken_from_neighbours(tmp_path, year):
    data = year.copy()
    noon = 150 * 24 + 11
    data.iloc[noon : noon + 3] = np.nan
    data.iloc[200 * 24 : 202 * 24] = np.nan
    weather = read_weather(write_epw(tmp_path / "w.epw", data))
    found = {n.text.en for n in weather.notices if n.code == "missing_weather_hours"}
    assert any("51 missing hours of temp_air: 3 interpolated, 48 taken" in text for text in found)
    assert weather.data.notna().all().all()
    short = weather.data.iloc[noon : noon + 3]
    np.testing.assert_allclose(short["ghi"], year["ghi"].iloc[noon : noon + 3], rtol=0.08)
    sin_h = np.sin(np.radians(sun_elevation(pd.DatetimeIndex(short.index), LAT, LON, ALT)))
    np.testing.assert_allclose(short["ghi"], short["dni"] * sin_h + short["dhi"], atol=0.1)
    filled, before, after = (weather.data["ghi"].iloc[d * 24 : (d + 1) * 24].to_numpy() for d in (200, 199, 202))
    np.testing.assert_allclose(filled, (before + after) / 2, atol=1e-3)


def test_too_much_missing_is_refused(tmp_path, year):
    data = year.copy()
    data.iloc[90 * 24 : 115 * 24, 0:3] = np.nan
    with pytest.raises(InputError, match="too much is missing"):
        read_weather(write_epw(tmp_path / "w.epw", data))


def test_night_negative_and_absurd_values_are_repaired_and_counted(tmp_path, year):
    data = year.copy()
    data.iloc[0:3, 2] = 7.0
    data.iloc[0:3, 0] = 7.0
    data.iloc[10, 0] = -4.0
    data.iloc[3000, 0] = 5000.0
    data.iloc[4000, 3] = 88.0
    weather = read_weather(write_epw(tmp_path / "w.epw", data))
    found = codes(weather)
    assert found["night_irradiance"] == 3 and found["negative_irradiance"] == 1
    assert "0.02 kWh/m2" in next(n.text.en for n in weather.notices if n.code == "night_irradiance")
    assert sum(n.count for n in weather.notices if n.code == "absurd_weather_value") == 2
    assert weather.data["ghi"].iloc[:3].eq(0).all() and weather.data["ghi"].max() < 1200


def test_absent_components_are_derived_by_erbs(tmp_path, year):
    weather = read_weather(write_epw(tmp_path / "w.epw", year.assign(dni=np.nan, dhi=np.nan)))
    assert "Erbs" in next(n.text.en for n in weather.notices if n.code == "irradiance_derived")
    sin_h = np.maximum(np.sin(np.radians(sun_elevation(pd.DatetimeIndex(weather.data.index), LAT, LON, ALT))), 0)
    closed = weather.data["dni"] * sin_h + weather.data["dhi"]
    np.testing.assert_allclose(closed, weather.data["ghi"], atol=0.01)
    assert 0.3 < weather.data["dhi"].sum() / weather.data["ghi"].sum() < 0.7


@pytest.mark.parametrize("absent", ["dni", "ghi"])
def test_one_absent_component_is_closed(tmp_path, year, absent):
    weather = read_weather(write_epw(tmp_path / "w.epw", year.assign(**{absent: np.nan})))
    assert "irradiance_derived" in codes(weather)
    assert weather.data[absent].sum() == pytest.approx(year[absent].sum(), rel=0.01)


def test_absent_temperature_and_wind_are_assumed_and_said(tmp_path, year):
    weather = read_weather(write_epw(tmp_path / "w.epw", year.assign(temp_air=np.nan, wind_speed=np.nan)))
    assert {"default_temperature", "default_wind"} <= set(codes(weather))
    assert weather.data["wind_speed"].eq(1.0).all()
    assert 12 < weather.data["temp_air"].mean() < 22
    monthly = weather.data["temp_air"].groupby(pd.DatetimeIndex(weather.data.index).month).mean()
    assert monthly[7] - monthly[1] > 15


def test_components_that_do_not_add_up_are_closed_on_ghi(tmp_path, year):
    weather = read_weather(write_epw(tmp_path / "w.epw", year.assign(ghi=year["ghi"] * 1.03)))
    assert "components_closed" in codes(weather)
    sin_h = np.maximum(np.sin(np.radians(sun_elevation(pd.DatetimeIndex(weather.data.index), LAT, LON, ALT))), 0)
    flat = (weather.data["dni"] * sin_h + weather.data["dhi"]).sum()
    assert flat == pytest.approx(1.03 * year["ghi"].sum(), rel=1e-3)


# ----------------------------------------------------------------------------------------------------- other formats


def write_tmy3(path: Path, data: pd.DataFrame, year: int = 1996) -> Path:
    names = "GHI (W/m^2),DNI (W/m^2),DHI (W/m^2),Dry-bulb (C),Wspd (m/s)"
    lines = [f'583670,"TEST",CN,8.0,{LAT},{LON},{ALT:.0f}', f"Date (MM/DD/YYYY),Time (HH:MM),{names}"]
    for when, row in zip(data.index, data.itertuples(index=False), strict=True):
        lines.append(
            f"{when:%m/%d}/{year},{when.hour + 1:02d}:00,{row.ghi},{row.dni},{row.dhi},{row.temp_air},{row.wind_speed}"
        )
    path.write_text("\n".join(lines) + "\n")
    return path


def in_utc(data: pd.DataFrame) -> pd.DataFrame:
    """Rows of the year in UTC order, January 1 00:00 UTC first (the year is a circle)."""
    return data.iloc[np.r_[8:8760, 0:8]].set_axis(nominal_index(0.0), axis=0)


def pvgis_rows(data: pd.DataFrame) -> list[dict]:
    names = {"temp_air": "T2m", "ghi": "G(h)", "dni": "Gb(n)", "dhi": "Gd(h)", "wind_speed": "WS10m"}
    years = {m: 2005 + m for m in range(1, 13)}
    return [
        {"time(UTC)": f"{years[t.month]}{t:%m%d:%H}00", **{names[c]: float(row[c]) for c in names}}
        for t, row in zip(data.index, data.to_dict("records"), strict=True)
    ]


def write_pvgis_json(path: Path, data: pd.DataFrame, offset: float | None) -> Path:
    place = {"latitude": LAT, "longitude": LON, "elevation": ALT}
    if offset is not None:
        place["irradiance_time_offset"] = offset
    content = {
        "inputs": {"location": place},
        "outputs": {
            "months_selected": [{"month": m, "year": 2005 + m} for m in range(1, 13)],
            "tmy_hourly": pvgis_rows(data),
        },
        "meta": {"inputs": {}},
    }
    path.write_text(json.dumps(content))
    return path


def write_pvgis_csv(path: Path, data: pd.DataFrame, offset: float | None, place=(LAT, LON, ALT)) -> Path:
    rows = pvgis_rows(data)
    lines = [
        f"{k}: {v}"
        for k, v in zip(
            ["Latitude (decimal degrees)", "Longitude (decimal degrees)", "Elevation (m)"], place, strict=True
        )
    ]
    lines += [f"Irradiance Time Offset (h): {offset}"] if offset is not None else []
    lines += ["month,year", *(f"{m},{2005 + m}" for m in range(1, 13)), ",".join(rows[0])]
    lines += [",".join(str(v) for v in row.values()) for row in rows]
    lines += ["", "T2m: 2-m air temperature (degree Celsius)", "PVGIS (c) European Union"]
    path.write_text("\r\n".join(lines))
    return path


def test_tmy3(tmp_path, year):
    weather = read_weather(write_tmy3(tmp_path / "w.csv", year))
    assert weather.provenance.details["format"] == "tmy3"
    np.testing.assert_allclose(weather.data.to_numpy(), year.to_numpy(), atol=1e-3)
    assert "leap_day_dropped" not in codes(weather) and "missing_weather_hours" not in codes(weather)


@pytest.mark.parametrize("name", ["703165TY.csv", "723170TYA.CSV"])
def test_tmy3_of_nrel_closes_and_keeps_its_totals(name):
    """Two real files that pvlib ships."""
    weather = read_weather(PVLIB_DATA / name)
    raw, _ = pvlib.iotools.read_tmy3(PVLIB_DATA / name, map_variables=True)
    for column in ("ghi", "dni", "dhi"):
        assert weather.data[column].sum() == pytest.approx(raw[column].sum(), rel=1e-4)
    assert weather.data["temp_air"].mean() == pytest.approx(raw["temp_air"].mean(), abs=0.01)
    assert set(codes(weather)) <= {"weather_closure", "night_irradiance"}
    assert weather.data.index[0].minute == 30


@pytest.mark.parametrize("kind", ["json", "csv"])
def test_pvgis_belongs_to_the_stated_minute_in_utc(tmp_path, kind):
    """Rows are UTC and belong to HH:10; the year is given in Beijing time."""
    data = made_year(0.1761 * 60)
    write = write_pvgis_json if kind == "json" else write_pvgis_csv
    weather = read_weather(write(tmp_path / f"w.{kind}", in_utc(data), 0.1761))
    assert weather.data.index[0].isoformat() == "2001-01-01T00:10:34+08:00"
    np.testing.assert_allclose(weather.data.to_numpy(), data.to_numpy(), atol=1e-3)
    assert set(codes(weather)) == {"weather_closure"}


def test_pvgis_without_stated_offset_is_found_out(tmp_path):
    data = made_year(10.0)
    weather = read_weather(write_pvgis_csv(tmp_path / "w.csv", in_utc(data), None))
    assert "moved by +10 min" in next(n.text.en for n in weather.notices if n.code == "weather_time_shifted")
    np.testing.assert_allclose(weather.data["ghi"], data["ghi"], atol=1e-3)


def test_pvgis_epw_is_utc_whatever_its_header_says(tmp_path):
    data = made_year(0.1761 * 60)
    path = write_epw(tmp_path / "w.epw", in_utc(data), comments="Irradiance Time Offset (h):-0.8239")
    weather = read_weather(path)
    assert "pvgis_epw_is_utc" in codes(weather)
    np.testing.assert_allclose(weather.data["ghi"], data["ghi"], atol=1e-3)
    assert weather.data.index[0].minute == 10


def write_pvgis_hourly(path: Path, data: pd.DataFrame, slope: float = 0.0) -> Path:
    sin_h = np.maximum(np.sin(np.radians(sun_elevation(pd.DatetimeIndex(data.index), LAT, LON, ALT))), 0.0)
    lines = [
        f"Latitude (decimal degrees):\t{LAT}", f"Longitude (decimal degrees):\t{LON}", f"Elevation (m):\t{ALT}",
        "Radiation database:\tPVGIS-SARAH3", "", f"Slope: {slope} deg.", "Azimuth: 0 deg.",
        "time,Gb(i),Gd(i),Gr(i),H_sun,T2m,WS10m,Int",
    ]  # fmt: skip
    for t, beam, row in zip(data.index, data["dni"].to_numpy() * sin_h, data.itertuples(index=False), strict=True):
        lines.append(f"{t:%Y%m%d:%H}10,{beam:.3f},{row.dhi},0.0,0.0,{row.temp_air},{row.wind_speed},0.0")
    path.write_text("\n".join([*lines, "", "Gb(i): Beam", "PVGIS (c) European Union"]))
    return path


def test_pvgis_hourly_series_of_a_horizontal_plane(tmp_path):
    data = in_utc(made_year(10.0)).set_axis(nominal_index(0.0, 10.0), axis=0)
    weather = read_weather(write_pvgis_hourly(tmp_path / "w.csv", data))
    assert weather.data["dni"].sum() == pytest.approx(data["dni"].sum(), rel=2e-3)
    assert weather.data["ghi"].sum() == pytest.approx(data["ghi"].sum(), rel=1e-3)
    assert weather.data.index[0].minute == 10
    with pytest.raises(InputError, match="tilted plane"):
        read_weather(write_pvgis_hourly(tmp_path / "tilted.csv", data, slope=30.0))


POWER = {
    "ALLSKY_SFC_SW_DWN": "ghi",
    "ALLSKY_SFC_SW_DNI": "dni",
    "ALLSKY_SFC_SW_DIFF": "dhi",
    "T2M": "temp_air",
    "WS10M": "wind_speed",
}


def power_json(data: pd.DataFrame, standard="UTC", unit="Wh/m^2", scale=1.0, year=2021) -> dict:
    stamps = [f"{year}{t:%m%d%H}" for t in data.index]
    values = {n: data[c].to_numpy() * (scale if c in ("ghi", "dni", "dhi") else 1.0) for n, c in POWER.items()}
    return {
        "geometry": {"coordinates": [LON, LAT, ALT]},
        "properties": {"parameter": {n: dict(zip(stamps, v.tolist(), strict=True)) for n, v in values.items()}},
        "header": {"fill_value": -999.0, "time_standard": standard},
        "parameters": {n: {"units": unit if c in ("ghi", "dni", "dhi") else "C"} for n, c in POWER.items()},
        "times": {},
    }


def test_nasa_power_json(tmp_path, year):
    path = tmp_path / "w.json"
    path.write_text(json.dumps(power_json(in_utc(year), "UTC", "MJ/hr", 0.0036)))
    weather = read_weather(path)
    np.testing.assert_allclose(weather.data.to_numpy(), year.to_numpy(), atol=1e-3)
    assert weather.data.index[0].isoformat() == "2001-01-01T00:30:00+08:00"


@pytest.mark.parametrize("standard", ["UTC", "LST"])
def test_nasa_power_csv(tmp_path, year, standard):
    data = in_utc(year) if standard == "UTC" else year
    header = f"""-BEGIN HEADER-
NASA/POWER Source Native Resolution Hourly Data
Dates (month/day/year): 01/01/2021 through 12/31/2021 in {standard}
Location: latitude  {LAT}   longitude {LON}
elevation from MERRA-2: Average for 0.5 x 0.625 degree lat/lon region = {ALT} meters
The value for missing source data that cannot be computed or is outside of the sources availability range: -999
parameter(s):
ALLSKY_SFC_SW_DWN     CERES SYN1deg All Sky Surface Shortwave Downward Irradiance (Wh/m^2)
-END HEADER-
YEAR,MO,DY,HR,{",".join(POWER)}"""
    lines = [header]
    data = data.copy()
    data.iloc[4000, 3] = -999.0
    for t, row in zip(data.index, data.to_dict("records"), strict=True):
        lines.append(f"2021,{t.month},{t.day},{t.hour}," + ",".join(str(row[c]) for c in POWER.values()))
    (tmp_path / "w.csv").write_text("\n".join(lines))
    weather = read_weather(tmp_path / "w.csv")
    np.testing.assert_allclose(weather.data["ghi"], year["ghi"], atol=1e-3)
    assert codes(weather)["missing_weather_hours"] == 1
    assert weather.altitude == ALT


def test_the_leap_day_of_a_real_year_is_left_out(tmp_path, year):
    content = power_json(in_utc(year), year=2020)
    for series in content["properties"]["parameter"].values():
        series |= {f"20200229{hour:02d}": 3.0 for hour in range(24)}
        ordered = dict(sorted(series.items()))
        series.clear()
        series |= ordered
    (tmp_path / "w.json").write_text(json.dumps(content))
    weather = read_weather(tmp_path / "w.json")
    assert codes(weather)["leap_day_dropped"] == 24
    np.testing.assert_allclose(weather.data.to_numpy(), year.to_numpy(), atol=1e-3)


def test_several_years_become_typical_months(tmp_path, year):
    content = power_json(in_utc(year), year=2019)
    for y, factor in ((2021, 0.8), (2022, 1.16)):
        other = power_json(in_utc(year).mul([factor, factor, factor, 1, 1]), year=y)
        for name in POWER:
            content["properties"]["parameter"][name] |= other["properties"]["parameter"][name]
    (tmp_path / "w.json").write_text(json.dumps(content))
    weather = read_weather(tmp_path / "w.json")
    assert codes(weather)["typical_months"] == 3
    np.testing.assert_allclose(weather.data["ghi"], year["ghi"], atol=1e-3)


# ------------------------------------------------------------------------------------------------------------ faults


def test_declared_format_that_is_another(epw):
    with pytest.raises(InputError, match="not of the declared format"):
        read_weather(epw, "tmy3")


@pytest.mark.parametrize("fault", ["missing", "empty", "binary", "unknown", "half", "place", "kilo", "json"])
def test_each_fault_is_one_readable_error(tmp_path, epw, year, fault):
    path = tmp_path / "w.epw"
    if fault == "empty":
        path.write_text("\n")
    elif fault == "binary":
        path.write_bytes(bytes(range(256)) * 10)
    elif fault == "unknown":
        path.write_text("date;ghi\n2001-01-01;0\n")
    elif fault == "half":
        write_epw(path, year.iloc[:4000])
    elif fault == "place":
        path.write_text(epw.read_text().replace(f",{LAT},", ",131.2,", 1))
    elif fault == "kilo":
        write_epw(path, year.assign(ghi=year.ghi / 1000, dni=year.dni / 1000, dhi=year.dhi / 1000))
    elif fault == "json":
        path.write_text('{"outputs": {"tmy_hourly": []}, "inputs": ')
    with pytest.raises(InputError) as caught:
        read_weather(path)
    assert "w.epw" in caught.value.render("en")
    assert any("\u4e00" <= c <= "\u9fff" for c in caught.value.render("zh"))


def test_gbk_header_and_bom(tmp_path, epw):
    path = tmp_path / "w.epw"
    text = epw.read_text().replace("Test", "上海")
    path.write_bytes(text.encode("gb18030"))
    assert len(read_weather(path).data) == 8760
    path.write_bytes(b"\xef\xbb\xbf" + text.encode("utf-8"))
    assert len(read_weather(path, "epw").data) == 8760


# --------------------------------------------------------------------------------------------------------- real data


@pytest.mark.real
def test_shanghai_iwec_is_consistent(shared_data):
    weather = read_weather(shared_data / "weather" / "CHN_Shanghai.Shanghai.583670_IWEC.epw")
    assert weather.data["ghi"].sum() / 1000 == pytest.approx(1242.0, abs=0.5)
    assert weather.data.index[0].isoformat() == "2001-01-01T00:30:00+08:00"
    (closure,) = weather.notices
    assert closure.code == "weather_closure" and "closes to 0.7 W/m2" in closure.text.en


@pytest.mark.real
def test_hongqiao_is_half_an_hour_off_and_moved(shared_data):
    weather = read_weather(shared_data / "weather" / "Shanghai-Hongqiao_1956_2023_TMYx.epw")
    (moved,) = [n for n in weather.notices if n.code == "weather_time_shifted"]
    assert "26.4 W/m2 rms at that time and to 11.8" in moved.text.en and "moved by -30 min" in moved.text.en
    assert weather.data.index[0].isoformat() == "2001-01-01T00:00:00+08:00"
    assert weather.data["ghi"].sum() / 1000 == pytest.approx(1470.6, abs=0.5)
    assert "components_closed" in codes(weather)


@pytest.mark.real
@pytest.mark.parametrize(
    ("name", "shift"),
    [("CHN_Shanghai.Shanghai.583670_IWEC.epw", 0), ("Shanghai-Hongqiao_1956_2023_TMYx.epw", -30)],
)
@pytest.mark.parametrize("late_h", [0, 1, -1])
def test_the_light_of_real_files_alone_shows_their_time(tmp_path, shared_data, name, shift, late_h):
    """DNI and DHI marked missing, the rows an hour later or earlier."""
    lines = (shared_data / "weather" / name).read_text(encoding="latin-1").splitlines()
    rows = [line.split(",") for line in lines[8:]]
    light = [row[13] for row in rows]
    for k, row in enumerate(rows):
        row[13:16] = [light[(k - late_h) % len(rows)], "9999", "9999"]
    path = tmp_path / "w.epw"
    path.write_text("\n".join([*lines[:8], *(",".join(row) for row in rows)]), encoding="latin-1")
    found = {n.code: n.text.en for n in read_weather(path).notices}
    if shift == 60 * late_h:
        assert "weather_time_shifted" not in found
    elif (shift, late_h) == (-30, -1):
        # Hongqiao's evenings reach into the night: sunset does not agree, which is said with its price.
        assert "moved by +31 min" in found["weather_time_doubtful"] and "facing east" in found["weather_time_doubtful"]
    else:
        assert f"moved by {shift - 60 * late_h:+d} min" in found["weather_time_shifted"]


@pytest.mark.real
@pytest.mark.parametrize("stated", [True, False])
def test_pvgis_typical_year_belongs_to_ten_past(tmp_path, shared_truth, stated):
    """45 N 8 E: rows are UTC and belong to HH:10."""
    pair = pd.read_csv(shared_truth / "published" / "pvgis_user_horizon_pair.csv.gz")
    rows = pair.assign(temp_air=10.0, wind_speed=2.0)[COLUMNS].set_axis(nominal_index(0.0), axis=0)
    weather = read_weather(write_pvgis_csv(tmp_path / "w.csv", rows, 0.1761 if stated else None, (45.0, 8.0, 250.0)))
    expected = {"ghi": 1435.86, "dni": 1591.57, "dhi": 570.95}
    for name, total in expected.items():
        assert weather.data[name].sum() / 1000 == pytest.approx(total, rel=2e-3)
    assert weather.data.index[0].minute == 10
    assert ("weather_time_shifted" in codes(weather)) != stated
    closure = next(n.text.en for n in weather.notices if n.code in ("weather_closure", "weather_time_shifted"))
    assert float(re.findall(r"([\d.]+) W/m2 rms \(bias", closure)[0]) < 1.1
