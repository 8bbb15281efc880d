"""Where a weather file lies against the buildings, and whose seasons it has: said with distances, or refused."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from rooftop.core.errors import InputError
from rooftop.core.lang import Text
from rooftop.inputs.weather import read_weather
from rooftop.inputs.weather_place import GeoPoint, check_weather_place, compare_with_weather, median_place
from rooftop.inputs.weather_season import compare_months, require_season, season_correlation
from rooftop.weather import Weather, clear_sky_bound, synthetic_weather
from weather_files import write_year

HERE = GeoPoint(34.6, 119.2, 5.0)
LON, LAT = np.full(9, 119.2), np.full(9, 34.6)


@pytest.fixture(scope="module")
def north() -> Weather:
    return synthetic_weather(34.6, 119.2, 5.0, 0.6 * clear_sky_bound(34.6, 5.0), np.full(12, 15.0))


def moved(weather: Weather, latitude: float, longitude: float, altitude: float = 5.0) -> Weather:
    return replace(weather, latitude=latitude, longitude=longitude, altitude=altitude, source="w.epw")


def both(error: InputError) -> str:
    zh = error.render("zh")
    assert any("\u4e00" <= c <= "\u9fff" for c in zh) and "w.epw" in zh
    return error.render("en")


# ---------------------------------------------------------------------------------------------------------- distance


@pytest.mark.parametrize(
    ("latitude", "longitude", "km"),
    [
        (34.6, 119.2, 0),
        (34.9, 119.2, 33),
        (35.1, 119.2, 55),
        (31.2, 121.4, 430),
        (39.9, 116.4, 639),
        (22.3, 114.2, 1442),
    ],
)
def test_distance_is_said_from_some_tens_of_kilometres(latitude, longitude, km):
    found = compare_with_weather(GeoPoint(latitude, longitude, 5.0), HERE, "w.epw")
    assert bool(found) == (km > 50)
    if found:
        (notice,) = found
        assert notice.code == "weather_elsewhere" and notice.severity == "warning"
        said = [int(x.replace(",", "")) for x in notice.text.en.split() if x.replace(",", "").isdigit()]
        assert said[0] == pytest.approx(km, rel=0.03)
        assert "km" in notice.text.zh and "34.60° N" in notice.text.en


@pytest.mark.parametrize(
    ("weather", "buildings", "refused"),
    [
        ((-33.9, 151.2), (34.6, 119.2), True),
        ((34.6, 119.2), (-33.9, 151.2), True),
        ((-12.0, 119.0), (5.0, 119.0), True),
        ((-6.2, 106.8), (1.4, 103.8), False),
        ((0.5, 101.5), (-0.9, 100.4), False),
        ((-4.0, 39.7), (9.9, 39.7), False),
        ((11.0, 39.7), (-1.3, 36.8), True),
    ],
)
def test_across_the_equator_is_refused_where_seasons_are_opposite(weather, buildings, refused):
    there, here = GeoPoint(*weather, 5.0), GeoPoint(*buildings, 5.0)  # type: ignore[call-arg]
    if refused:
        with pytest.raises(InputError) as caught:
            compare_with_weather(there, here, "w.epw")
        said = both(caught.value)
        assert "across the equator" in said and "km away" in said and "° S" in said and "° N" in said
    else:
        assert all(n.code == "weather_elsewhere" for n in compare_with_weather(there, here, "w.epw"))


@pytest.mark.parametrize("place", [(40.4, -3.7), (51.5, -0.1), (37.8, -122.4), (55.8, 37.6)])
def test_another_part_of_the_world_is_refused(place):
    with pytest.raises(InputError, match="another part of the world") as caught:
        compare_with_weather(GeoPoint(*place, 5.0), HERE, "w.epw")  # type: ignore[call-arg]
    assert "km away" in both(caught.value)


@pytest.mark.parametrize(
    ("weather", "buildings", "slip"),
    [
        ((40.4, 122.4), (40.4, -122.4), "the longitude's sign"),
        ((33.9, 151.2), (-33.9, 151.2), "the latitude's sign"),
        ((23.5, 46.6), (-23.5, -46.6), "both signs"),
        ((24.7, 46.7), (46.7, 24.7), "latitude and longitude may be swapped"),
        ((-122.4 + 90, 37.8), (37.8, -32.4), "latitude and longitude may be swapped"),
    ],
)
def test_a_slip_of_the_pen_is_named(weather, buildings, slip):
    there, here = GeoPoint(*weather, 5.0), GeoPoint(*buildings, 5.0)  # type: ignore[call-arg]
    try:
        said = " ".join(n.text.en for n in compare_with_weather(there, here, "w.epw"))
    except InputError as error:
        said = both(error)
        assert "correct the header" in said
    assert slip in said and "would be 0 km from the buildings" in said


def test_far_places_without_a_slip_name_none():
    (notice,) = compare_with_weather(GeoPoint(31.2, 121.4, 5.0), HERE, "w.epw")
    assert "sign" not in notice.text.en and "nearer one" in notice.text.en


def test_altitude_is_compared_in_kelvin_and_yield():
    found = compare_with_weather(GeoPoint(29.7, 91.1, 100.0), GeoPoint(29.65, 91.1, 3650.0), "w.epw")
    (notice,) = found
    assert notice.code == "weather_altitude" and "3,650 m" in notice.text.en and "-18 K" in notice.text.en
    assert "+5.3 %" in notice.text.en and "3,650" in notice.text.zh
    assert not compare_with_weather(GeoPoint(29.7, 91.1, 3300.0), GeoPoint(29.65, 91.1, 3650.0), "w.epw")


# ------------------------------------------------------------------------------------------------------ where roofs are


def test_the_place_of_the_buildings_is_where_most_are():
    lon, lat = np.append(LON, [0.0, np.nan]), np.append(LAT, [0.0, np.nan])
    found = median_place(lon, lat)
    assert (found.latitude, found.longitude) == pytest.approx((34.6, 119.2))
    assert median_place(np.array([np.nan]), np.array([np.nan])) is None
    dateline = median_place(np.array([179.9, -179.9, -179.8]), np.array([-17.0, -17.0, -17.0]))
    assert abs(dateline.longitude) > 179.0


def test_buildings_without_a_place_compare_nothing(north):
    assert check_weather_place(north, np.array([np.nan]), np.array([np.nan])) == ()


# ------------------------------------------------------------------------------------------------------------ seasons


@pytest.mark.parametrize(
    ("months", "latitude", "opposite"),
    [
        ("north", 34.6, False), ("south", 34.6, True), ("north", -33.9, True), ("south", -33.9, False),
        ("north", -20.0, False), ("north", 5.0, False), ("south", 62.0, True), ("monsoon", 25.6, False),
    ],
)  # fmt: skip
def test_months_against_the_seasons_are_refused_whatever_the_header_says(months, latitude, opposite):
    north = np.array([78.0, 84, 118, 143, 160, 148, 143, 138, 120, 106, 82, 76])
    course = {
        "north": north, "south": np.roll(north, 6),
        # Shillong: clear before the rains, dark in them.
        "monsoon": np.array([125.0, 130, 160, 160, 145, 120, 120, 125, 115, 130, 125, 120]),
    }[months]  # fmt: skip
    assert (season_correlation(course, latitude) < -0.5) == opposite
    if opposite:
        with pytest.raises(InputError, match="opposite to the seasons"):
            require_season(course, latitude, "w.epw", Text("here", "此处"))
    else:
        require_season(course, latitude, "w.epw", Text("here", "此处"))


def test_a_lost_sign_of_the_latitude_is_refused_while_reading(tmp_path, north):
    path = write_year(tmp_path / "w.epw", replace(north, latitude=-34.6))
    with pytest.raises(InputError, match="opposite to the seasons") as caught:
        read_weather(path)
    assert "sign of the latitude" in both(caught.value)


def test_a_year_of_the_other_half_under_the_right_header_is_refused(north):
    data = north.data.copy()
    data[["ghi", "dni", "dhi"]] = np.roll(data[["ghi", "dni", "dhi"]].to_numpy(), 4380, axis=0)
    turned = replace(north, data=data, source="w.epw")
    with pytest.raises(InputError, match="opposite to the seasons"):
        check_weather_place(turned, LON, LAT)


def test_the_place_itself_is_silent(north):
    assert check_weather_place(north, LON, LAT) == ()
    assert check_weather_place(north, LON, LAT, np.tile(north.monthly_ghi_kwh_m2() * 1.1, (9, 1))) == ()


# ------------------------------------------------------------------------------------------------- months of a raster


def test_months_of_raster_and_weather_are_compared(north):
    months = north.monthly_ghi_kwh_m2()
    assert compare_months(months, months * np.linspace(0.95, 1.05, 12), 34.6, "w.epw") == ()
    dark = months.copy()
    dark[0] *= 0.5
    (notice,) = compare_months(months, dark, 34.6, "w.epw")
    assert notice.code == "raster_weather_months" and "month 1 has" in notice.text.en and "%" in notice.text.zh
    with pytest.raises(InputError, match="opposite to those of the weather"):
        compare_months(months, np.roll(months, 6), 34.6, "w.epw")
    assert all(n.severity == "warning" for n in compare_months(months, np.roll(months, 6), 10.0, "w.epw"))
    assert compare_months(months, np.full(12, np.nan), 34.6, "w.epw") == ()


def test_a_raster_known_at_some_roofs_only_is_enough(north):
    raster = np.tile(north.monthly_ghi_kwh_m2(), (9, 1))
    raster[:8] = np.nan
    raster[8, 5] *= 2.0
    (notice,) = check_weather_place(north, LON, LAT, raster)
    assert "month 6" in notice.text.en
