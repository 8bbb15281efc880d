"""When a weather file is: shifts of any kind are found and said, right files are left alone, doubt has its price."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pvlib
import pytest

from rooftop.inputs.weather import read_weather
from rooftop.inputs.weather_clock import find_change, set_back
from rooftop.inputs.weather_noon import SunTime, find_noon
from rooftop.inputs.weather_slopes import clock_cost
from rooftop.inputs.weather_time import decide_time
from rooftop.weather import Weather, clear_sky_bound, place_altitude, synthetic_weather
from rooftop.weather.clear_sky import split_ghi, sun_elevation
from weather_files import write_year

PLACES = {
    "Lianyungang": (34.6, 119.2),
    "Delft": (52.0, 4.4),
    "Sydney": (-33.9, 151.2),
    "Singapore": (1.35, 103.8),
    "Delhi": (28.6, 77.2),
    "Reykjavik": (64.1, -21.9),
    "Quito": (-0.2, -78.5),
    "Tromso": (69.6, 19.0),
}
GHI_ONLY = {"dni": np.nan, "dhi": np.nan}


def year_at(name: str, clearness: float = 0.6) -> Weather:
    latitude, longitude = PLACES[name]
    altitude = place_altitude(latitude, longitude)
    return synthetic_weather(
        latitude, longitude, altitude, clearness * clear_sky_bound(latitude, altitude), np.full(12, 15.0)
    )


@pytest.fixture(scope="module")
def years() -> dict[str, Weather]:
    return {name: year_at(name) for name in PLACES}


def declared(weather: Weather, late_min: float = 0.0) -> tuple[np.ndarray, SunTime]:
    """GHI whose declared times are `late_min` later than they were."""
    offset = weather.data.index[0].utcoffset().total_seconds() / 60.0
    middle = np.arange(8760.0) * 60.0 + 30.0 - offset + late_min
    return weather.data["ghi"].to_numpy(), SunTime(middle, weather.latitude, weather.longitude)


def found(weather) -> dict:
    return {n.code: n for n in weather.notices}


def with_data(weather: Weather, **columns) -> Weather:
    return Weather(
        weather.data.assign(**columns), weather.latitude, weather.longitude, weather.altitude, 3600.0, weather.source
    )


# --------------------------------------------------------------------------------------------------- the light alone


@pytest.mark.parametrize(
    ("name", "late"),
    [("Lianyungang", late) for late in (0, 30, -30, 60, -60, 120, -120, 345, 480, -330, 660)]
    + [(name, late) for name in PLACES if name != "Lianyungang" for late in (0, -30, 60)],
)
def test_clear_days_show_every_shift_at_every_latitude(years, name, late):
    ghi, sun = declared(years[name], late)
    noon, _ = find_noon(ghi, sun)
    assert noon.clear
    assert noon.late_min == pytest.approx(late, abs=3.0)
    assert noon.edges_min == pytest.approx(late, abs=15.0)
    fit = decide_time(noon, None)
    assert fit.shift_min == (-late if abs(late) >= 15 else 0) and not fit.doubt_min
    assert fit.basis == ("clear days" if late else "declared")


def test_ten_minutes_are_left_and_doubted(years):
    ghi, sun = declared(years["Delft"], 10.0)
    fit = decide_time(find_noon(ghi, sun)[0], None)
    assert fit.shift_min == 0.0 and fit.doubt_min == pytest.approx(-10.0, abs=3.0)


def cloudy_mornings(weather: Weather, factor: float) -> np.ndarray:
    """Every morning's light lowered; noon and after as they were."""
    _, sun = declared(weather)
    morning = np.clip(-sun.hour_angle(0.0) / 60.0, 0.0, 1.0)
    return weather.data["ghi"].to_numpy() * (1.0 - (1.0 - factor) * morning)


@pytest.mark.parametrize("factor", [0.2, 0.6, 0.9])
@pytest.mark.parametrize("name", ["Lianyungang", "Quito", "Reykjavik"])
def test_cloudy_mornings_are_weather_not_time(years, name, factor):
    _, sun = declared(years[name])
    noon, _ = find_noon(cloudy_mornings(years[name], factor), sun)
    assert noon.all_days_min > 3.0
    assert decide_time(noon, None).shift_min == 0.0


@pytest.mark.parametrize(("tilt", "azimuth"), [(8, 270), (12, 270), (12, 90), (20, 270)])
def test_light_of_a_tilted_plane_is_not_taken_for_another_time(years, tilt, azimuth):
    """Its clear days lean to the west as one; sunrise and sunset stay: kept, doubted, with the price."""
    weather = years["Lianyungang"]
    sun = pvlib.solarposition.get_solarposition(weather.data.index, weather.latitude, weather.longitude)
    plane = pvlib.irradiance.get_total_irradiance(
        tilt, azimuth, sun["zenith"], sun["azimuth"], weather.data["dni"], weather.data["ghi"], weather.data["dhi"]
    )["poa_global"].to_numpy()
    noon, _ = find_noon(plane, declared(weather)[1])
    fit = decide_time(noon, None)
    assert fit.shift_min == 0.0 and (not noon.steady or np.sign(fit.doubt_min) == (-1 if azimuth == 270 else 1))
    if tilt == 12:
        assert noon.steady and abs(fit.doubt_min) > 15.0


@pytest.mark.parametrize("late", [-60.0, 60.0, 120.0])
def test_sunrise_and_sunset_decide_where_no_day_is_clear(years, late):
    weather = years["Delft"]
    rng = np.random.default_rng(3)
    ghi, sun = declared(weather, late)
    overcast = 0.35 * ghi * rng.uniform(0.3, 1.0, 8760)
    noon, _ = find_noon(overcast, sun)
    assert not noon.clear and noon.plain_edges
    fit = decide_time(noon, None)
    assert fit.basis == "sunrise" and fit.shift_min == -late


@pytest.mark.parametrize(
    ("name", "first", "last", "hours"),
    [
        ("Delft", 84, 299, 1),
        ("Sydney", 278, 95, 1),
        ("Lianyungang", 104, 256, 1),
        ("Delft", 84, 299, -1),
        ("Delhi", 180, 269, 1),
    ],
)
def test_summer_time_of_part_of_the_year_is_found_and_set_back(years, name, first, last, hours):
    """The European, the southern, the Chinese one of 1986-91, a clock the wrong way, and a quarter."""
    weather = years[name]
    ghi, sun = declared(weather)
    days = (np.arange(first, first + (last - first) % 365 + 1)) % 365
    on = np.isin(np.arange(8760) // 24, days)
    kept = np.where(on, np.roll(ghi, hours), ghi)
    change = find_change(find_noon(kept, sun)[1])
    assert change is not None and change.hours == hours
    for ours, true in ((change.first, first), (change.last, last)):
        assert abs((ours - true + 182) % 365 - 182) <= 12
    back = set_back(pd.DataFrame({"ghi": kept}), change)["ghi"].to_numpy()
    assert np.nansum(np.abs(back - ghi)) < 0.12 * ghi.sum()
    noon, _ = find_noon(back, sun)
    assert noon.clear and abs(noon.late_min) < 3.0


@pytest.mark.parametrize("name", list(PLACES))
def test_a_steady_clock_has_no_summer_time(years, name):
    assert find_change(find_noon(*declared(years[name], 60.0))[1]) is None


def test_the_price_of_a_clock_is_that_of_the_planes(years):
    """An hour late, an east roof loses a tenth where beam and diffuse are the file's; GHI alone doubles it."""
    weather = years["Lianyungang"]
    place = (weather.latitude, weather.longitude, weather.altitude)
    east, west = clock_cost(weather.data, place, (60.0, 0.0), components=True)
    assert -0.13 < east < -0.08 and 0.08 < west < 0.15
    only = clock_cost(weather.data, place, (60.0, 0.0), components=False)
    assert only[0] < east and only[1] > west
    assert clock_cost(weather.data, place, (0.0, 0.0), components=True) == (0.0, 0.0)
    early = clock_cost(weather.data, place, (-60.0, 0.0), components=True)
    assert early == pytest.approx((west, east), abs=0.03)


# -------------------------------------------------------------------------------------------------------- whole files


@pytest.mark.parametrize(("name", "late"), [("Lianyungang", 1), ("Delft", -1), ("Sydney", 2), ("Singapore", 1)])
def test_a_file_without_components_is_moved_by_its_clear_days(tmp_path, years, name, late):
    weather = years[name]
    read = read_weather(write_year(tmp_path / "w.epw", with_data(weather, **GHI_ONLY), late))
    notice = found(read)["weather_time_shifted"]
    assert notice.severity == "warning" and f"moved by {-60 * late:+d} min" in notice.text.en
    assert "clear days" in notice.text.en and "晴天" in notice.text.zh
    # What it would have cost: east and west, opposite in sign.
    assert "facing east would get" in notice.text.en and "朝东" in notice.text.zh
    np.testing.assert_allclose(read.data["ghi"].to_numpy(), weather.data["ghi"].to_numpy(), atol=1e-3)


def test_right_files_are_left_as_they_are(tmp_path, years):
    for name in ("Lianyungang", "Sydney", "Quito"):
        weather = years[name]
        read = read_weather(write_year(tmp_path / "w.epw", with_data(weather, **GHI_ONLY)))
        notice = found(read)["weather_time_unverified"]
        assert notice.severity == "info" and "clear days the light is centred" in notice.text.en
        assert {"weather_time_shifted", "weather_time_doubtful", "summer_time"}.isdisjoint(found(read))
        np.testing.assert_allclose(read.data["ghi"].to_numpy(), weather.data["ghi"].to_numpy(), atol=1e-3)


@pytest.mark.parametrize("late", [1, -1])
def test_components_made_at_the_wrong_sun_do_not_hide_it(tmp_path, years, late):
    """Closure is perfect at the declared time, which is wrong: the clear days of GHI decide."""
    weather = years["Lianyungang"]
    ghi = np.roll(weather.data["ghi"].to_numpy(), late)
    place = (weather.latitude, weather.longitude, weather.altitude)
    index = pd.DatetimeIndex(weather.data.index)
    dni, dhi = split_ghi(ghi, index, place, sun_elevation(index, *place))
    read = read_weather(write_year(tmp_path / "w.epw", with_data(weather, ghi=ghi, dni=dni, dhi=dhi)))
    assert f"moved by {-60 * late:+d} min" in found(read)["weather_time_shifted"].text.en
    assert "computed anew from GHI" in found(read)["components_recomputed"].text.en
    np.testing.assert_allclose(read.data["ghi"].to_numpy(), weather.data["ghi"].to_numpy(), atol=1e-3)
    for name in ("dni", "dhi"):
        assert read.data[name].sum() == pytest.approx(weather.data[name].sum(), rel=0.05)
    sin_h = np.maximum(np.sin(np.radians(sun_elevation(pd.DatetimeIndex(read.data.index), *place))), 0.0)
    np.testing.assert_allclose(read.data["dni"] * sin_h + read.data["dhi"], read.data["ghi"], atol=0.5)


def test_right_light_with_components_of_an_hour_later_is_not_moved(tmp_path, years):
    weather = years["Delft"]
    late = {name: np.roll(weather.data[name].to_numpy(), 1) for name in ("dni", "dhi")}
    read = read_weather(write_year(tmp_path / "w.epw", with_data(weather, **late)))
    assert "weather_time_shifted" not in found(read) and "components_recomputed" in found(read)
    np.testing.assert_allclose(read.data["ghi"].to_numpy(), weather.data["ghi"].to_numpy(), atol=1e-3)


@pytest.mark.parametrize(("name", "tz"), [("Delhi", -5.5), ("Delhi", 5.0), ("Lianyungang", -8.0), ("Lianyungang", 0.0)])
def test_a_zone_that_is_wrong_in_the_header_is_found(tmp_path, years, name, tz):
    """The sign lost, half an hour cut off, UTC stated over local rows."""
    weather = years[name]
    path = write_year(tmp_path / "w.epw", with_data(weather, **GHI_ONLY), tz=tz)
    read = read_weather(path)
    offset = weather.data.index[0].utcoffset().total_seconds() / 3600.0
    moved = found(read)["weather_time_shifted"].text.en
    hours = (tz - offset + 12.0) % 24.0 - 12.0
    assert f"moved by {60 * hours:+.0f} min" in moved
    sun = sun_elevation(pd.DatetimeIndex(read.data.index), weather.latitude, weather.longitude)
    assert np.corrcoef(np.maximum(np.sin(np.radians(sun)), 0.0), read.data["ghi"])[0, 1] > 0.85


def test_a_half_hour_zone_is_right_as_it_is(tmp_path, years):
    """Hours of Indian time: each row's middle is on the hour of UTC."""
    weather = years["Delhi"]
    utc = pd.date_range("2001-01-01", periods=8760, freq="h", tz="UTC+05:30") + pd.Timedelta(minutes=30)
    ghi = np.interp(utc.asi8, weather.data.index.asi8, weather.data["ghi"], period=365 * 86400 * 10**9)
    shifted = with_data(weather, ghi=ghi, **GHI_ONLY)
    read = read_weather(write_year(tmp_path / "w.epw", shifted, tz=5.5))
    assert "weather_time_unverified" in found(read)
    assert read.data.index[0].isoformat() == "2001-01-01T00:30:00+05:30"
    comma = read_weather(write_year(tmp_path / "c.epw", shifted, tz="5,5"))
    assert "decimal_comma" in found(comma)
    pd.testing.assert_frame_equal(comma.data, read.data)


@pytest.mark.parametrize("components", [True, False])
def test_summer_time_in_a_file_is_set_back_and_said(tmp_path, years, components):
    weather = years["Delft"]
    columns = {}
    on = np.isin(np.arange(8760) // 24, np.arange(84, 300))
    for name in ("ghi", "dni", "dhi", "temp_air"):
        values = weather.data[name].to_numpy()
        columns[name] = np.where(on, np.roll(values, 1), values)
    if not components:
        columns |= GHI_ONLY
    read = read_weather(write_year(tmp_path / "w.epw", with_data(weather, **columns)))
    notice = found(read)["summer_time"]
    assert "March" in notice.text.en and "set back by 1 h" in notice.text.en and "夏令时" in notice.text.zh
    assert "weather_time_shifted" not in found(read)
    apart = np.abs(read.data["ghi"].to_numpy() - weather.data["ghi"].to_numpy()).sum()
    assert apart < 0.05 * weather.data["ghi"].sum()


def test_doubt_says_what_it_costs(tmp_path, years):
    weather = years["Lianyungang"]
    lowered = cloudy_mornings(weather, 0.75)
    read = read_weather(write_year(tmp_path / "w.epw", with_data(weather, ghi=lowered, **GHI_ONLY)))
    notice = found(read)["weather_time_doubtful"]
    assert notice.severity == "warning" and "if so, as they are, roofs of 30° facing east would get -" in notice.text.en
    np.testing.assert_allclose(read.data["ghi"].to_numpy(), lowered, atol=1e-3)


def test_the_order_of_rows_changes_nothing(tmp_path, years):
    weather = years["Lianyungang"]
    forward = read_weather(write_year(tmp_path / "f.epw", weather))
    backward = read_weather(write_year(tmp_path / "b.epw", weather, change=lambda rows: rows[::-1]))
    pd.testing.assert_frame_equal(forward.data, backward.data)
