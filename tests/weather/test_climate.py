"""Default air temperature: the normals of places that the shipped table does not know, on all continents."""

from __future__ import annotations

import numpy as np
import pytest

from rooftop.weather import default_temperature, mean_of_known, synthetic_weather
from rooftop.weather.clear_sky import DAYS_IN_MONTH
from rooftop.weather.climate import annual_mean, normals
from rooftop.weather.temperature_rules import air_temperature_rules

# Name, latitude, longitude, altitude, normals of the national services in whole degrees; none is in the table.
ELSEWHERE = """
Tianjin 39.1 117.2 4 -3 0 7 15 21 25 27 26 22 14 6 -1
Datong 40.1 113.3 1070 -11 -7 0 9 16 20 22 20 15 8 -1 -8
Lianyungang 34.6 119.2 5 1 3 8 14 19 24 27 27 22 17 10 3
Pinghu 30.7 121.0 5 5 6 10 15 21 24 28 28 24 18 13 7
Liaocheng 36.5 116.0 30 -1 2 8 15 21 26 27 26 21 15 7 1
Suzhou 31.3 120.6 5 4 6 9 15 21 24 28 28 24 18 12 6
Xiamen 24.5 118.1 140 13 13 15 19 23 26 28 28 27 23 19 15
Shantou 23.4 116.7 5 14 15 17 21 25 28 29 29 28 24 20 16
Xining 36.6 101.8 2290 -8 -4 2 8 12 15 17 17 12 7 0 -6
Busan 35.2 129.1 70 4 5 9 14 18 21 24 26 23 18 12 6
Osaka 34.7 135.5 20 6 6 10 15 20 24 28 29 25 19 13 9
Phnom_Penh 11.6 104.9 10 27 28 29 30 30 29 29 29 28 27 27 26
Chiang_Mai 18.8 99.0 310 21 24 27 29 28 28 27 27 27 26 24 21
Surabaya -7.3 112.8 5 27 27 27 27 27 27 26 26 27 28 28 27
Jaipur 26.8 75.8 390 15 18 24 30 33 32 29 28 28 26 21 17
Nagpur 21.1 79.1 310 21 23 28 33 35 31 28 27 27 26 23 20
Bishkek 42.9 74.6 770 -3 -1 5 12 17 22 25 24 18 11 5 -1
Tabriz 38.1 46.3 1360 -2 0 6 12 17 22 26 26 21 14 7 1
Manama 26.2 50.6 5 17 18 21 25 30 33 34 34 32 29 24 19
Tel_Aviv 32.1 34.8 10 13 13 16 19 22 25 27 28 26 23 18 14
Gothenburg 57.7 12.0 20 0 0 2 7 12 15 18 17 13 9 5 2
Tallinn 59.4 24.8 35 -3 -4 -1 5 10 14 18 16 12 6 2 -1
Vilnius 54.7 25.3 160 -4 -3 1 8 13 16 19 18 13 7 2 -2
Krakow 50.1 19.9 230 -1 0 4 10 15 18 20 19 14 9 4 0
Prague 50.1 14.4 300 -1 0 4 9 14 17 19 18 14 9 3 0
Zagreb 45.8 16.0 130 1 3 7 12 17 20 22 21 16 11 6 2
Nicosia 35.2 33.4 150 11 11 13 17 22 27 30 29 26 22 16 12
Valletta 35.9 14.5 50 13 13 14 16 20 24 26 27 24 21 17 14
Geneva 46.2 6.1 410 2 2 6 10 14 18 20 20 15 11 6 3
Bordeaux 44.8 -0.6 50 7 8 10 12 16 19 21 21 18 15 10 7
De_Bilt 52.1 5.2 5 4 4 6 10 14 16 18 18 15 11 7 4
Delft 52.0 4.4 0 4 4 7 10 13 16 18 18 15 12 8 5
Manchester 53.4 -2.3 70 4 5 6 9 12 14 16 16 14 11 7 5
Porto 41.2 -8.6 90 10 11 13 15 17 19 21 21 19 17 13 11
Valencia 39.5 -0.4 15 12 13 15 17 20 23 26 26 24 20 16 13
Tunis 36.8 10.2 5 12 12 13 16 19 23 26 27 24 20 16 12
Ouagadougou 12.4 -1.5 300 25 28 31 33 32 29 27 26 27 29 28 25
Accra 5.6 -0.2 60 27 28 28 28 27 26 24 24 25 26 27 27
Douala 4.1 9.8 10 28 28 28 28 27 26 25 25 26 26 27 27
Asmara 15.3 38.9 2330 14 15 16 17 18 18 16 16 16 15 14 13
Bujumbura -3.4 29.4 780 24 24 24 24 24 23 23 24 25 25 23 24
Dodoma -6.2 35.7 1120 24 23 24 23 22 21 20 20 22 24 25 25
Johannesburg -26.2 28.0 1700 20 19 18 15 13 10 10 12 16 17 18 19
Seattle 47.6 -122.3 50 5 6 8 10 13 16 19 19 16 11 7 5
San_Diego 32.7 -117.2 10 14 15 16 17 18 19 21 22 22 20 17 14
Tucson 32.2 -111.0 780 12 13 16 20 25 30 31 30 28 22 16 11
Edmonton 53.5 -113.5 670 -10 -8 -3 5 12 16 18 17 12 5 -4 -9
Detroit 42.3 -83.0 190 -3 -2 3 9 16 21 23 22 18 12 5 0
St_Louis 38.6 -90.2 160 0 2 8 14 19 24 27 26 21 15 8 2
Tampa 28.0 -82.5 5 16 17 20 22 26 28 28 28 28 24 21 17
Guatemala_City 14.6 -90.5 1500 18 19 20 22 22 21 20 20 20 20 19 18
Medellin 6.2 -75.6 1490 22 23 23 22 23 23 23 23 22 22 22 22
Sucre -19.0 -65.3 2800 16 16 16 16 15 14 14 15 16 17 17 17
Salvador -13.0 -38.5 50 26 26 27 26 25 24 24 24 24 25 26 26
Goiania -16.7 -49.3 750 24 24 24 24 22 21 21 23 24 25 24 24
Rosario -32.9 -60.6 25 25 23 21 17 14 11 10 12 14 18 21 23
San_Juan_(AR) -31.5 -68.5 600 27 26 23 17 12 8 8 11 14 20 23 26
Punta_Arenas -53.2 -70.9 20 11 10 8 6 4 2 1 2 4 6 8 10
Newcastle_(AU) -32.9 151.8 10 23 23 22 19 16 14 13 14 17 19 20 22
Wellington -41.3 174.8 60 17 17 16 14 12 10 9 9 11 12 14 15
"""
OTHERS = {row.split()[0]: np.array(row.split()[1:], dtype=float) for row in ELSEWHERE.strip().splitlines()}
# Well known places of the table, each predicted here from all others.
KNOWN = (
    "Amsterdam", "Shanghai", "Harbin", "Lhasa", "Cape Town", "Sydney", "Singapore", "Reykjavik", "Helsinki", "Moscow",
    "Denver", "San Francisco", "Santiago", "Nairobi", "Delhi", "Riyadh", "Taiyuan", "Urumqi", "Tokyo", "London",
    "Cairo", "Mexico City", "Sao Paulo", "Buenos Aires", "Perth", "Auckland", "Lagos", "Chicago",
)  # fmt: skip


def rms(errors) -> float:
    return float(np.sqrt(np.mean(np.square(errors))))


def by_latitude_alone(latitude: float, altitude: float) -> np.ndarray:
    """The former default: a year of eastern Asia's range at every latitude."""
    middle = np.cumsum(DAYS_IN_MONTH) - DAYS_IN_MONTH / 2.0
    warmest = 201.0 if latitude >= 0.0 else 383.5
    annual = 28.97 - 42.0 * np.sin(np.radians(latitude)) ** 2 - 6.5 * altitude / 1000.0
    return annual + 0.38 * abs(latitude) * np.cos(2.0 * np.pi * (middle - warmest) / 365.0)


def test_places_the_table_does_not_know_are_met_within_the_stated_error():
    errors = {n: default_temperature(*row[:3]).months - row[3:] for n, row in OTHERS.items()}
    assert len(errors) == 60
    assert rms(list(errors.values())) < 1.4
    former = [by_latitude_alone(row[0], row[2]) - row[3:] for row in OTHERS.values()]
    assert rms(former) > 6.0
    stated = [default_temperature(*row[:3]).error_k for row in OTHERS.values()]
    assert np.mean([rms(e) <= 1.5 * s for e, s in zip(errors.values(), stated, strict=True)]) > 0.95


@pytest.mark.parametrize("name", ["Delft", "De_Bilt", "Lianyungang", "Pinghu", "Liaocheng", "Suzhou", "Gothenburg"])
def test_where_the_examples_lie_it_is_within_a_degree(name):
    latitude, longitude, altitude, *months = OTHERS[name]
    for height in (altitude, None):
        error = rms(default_temperature(latitude, longitude, height).months - months)
        assert error < (2.1 if height is None else 1.1)
        assert error < rms(by_latitude_alone(latitude, altitude) - months)


@pytest.mark.parametrize("height_known", [True, False])
def test_each_known_place_is_predicted_from_the_others(height_known):
    places = normals()
    errors, former, stated = [], [], []
    for name in KNOWN:
        k = places.name.index(name)
        height = float(places.altitude[k]) if height_known else None
        found = default_temperature(places.latitude[k], places.longitude[k], height, places.without(k))
        errors.append(rms(found.months - places.months[k]))
        former.append(rms(by_latitude_alone(places.latitude[k], places.altitude[k]) - places.months[k]))
        stated.append(found.error_k)
    assert rms(errors) < (2.0 if height_known else 2.2) and rms(former) > 5.5
    assert np.mean(np.array(errors) <= 2.0 * np.array(stated)) > 0.95
    # San Francisco's summer and Nairobi's steady year belong to them alone.
    worse = {n for n, e, f in zip(KNOWN, errors, former, strict=True) if e > f + 1.0}
    assert worse <= {"Nairobi"}


def test_a_place_of_the_table_is_itself():
    places = normals()
    for name in ("Taiyuan", "Lhasa", "Santiago"):
        k = places.name.index(name)
        found = default_temperature(places.latitude[k], places.longitude[k])
        np.testing.assert_allclose(found.months, places.months[k], atol=0.5)
        assert found.nearest == name and found.nearest_km < 1.0 and found.error_k == 1.0


def test_january_in_delft_is_not_siberia():
    january = default_temperature(52.01, 4.36).months[0]
    assert 2.0 < january < 6.0


def test_the_table_is_what_it_says():
    places = normals()
    assert places.months.shape == (len(places.name), 12) and len(set(places.name)) == len(places.name)
    assert (np.abs(places.latitude) <= 90).all() and (np.abs(places.longitude) <= 180).all()
    assert places.altitude.min() >= -10 and places.altitude.max() < 4500
    north, south = places.latitude > 24.0, places.latitude < -24.0
    assert (places.months[north, 6] > places.months[north, 0]).all()
    assert (places.months[south, 6] < places.months[south, 0]).all()
    assert air_temperature_rules().date and air_temperature_rules().source


@pytest.mark.parametrize("latitude", [-60.0, -33.0, -10.0, 0.0, 10.0, 35.0, 60.0, 78.0])
def test_anywhere_it_is_finite_and_has_its_season(latitude):
    for longitude in (-179.5, -75.0, 0.0, 75.0, 180.0):
        found = default_temperature(latitude, longitude)
        assert np.isfinite(found.months).all() and found.months.min() > -50.0 and found.months.max() < 45.0
        if abs(latitude) > 30.0:
            assert (found.months[6] > found.months[0]) == (latitude > 0.0)
        text = found.text()
        assert f"{found.error_k:.1f} K" in text.en and f"{found.error_k:.1f} K" in text.zh


def test_higher_is_colder_and_a_seam_of_longitude_is_none():
    low, high = (default_temperature(46.0, 8.0, h).months for h in (0.0, 1000.0))
    np.testing.assert_allclose(low - high, 5.0)
    np.testing.assert_allclose(default_temperature(52.0, 180.0).months, default_temperature(52.0, -180.0).months)


# ------------------------------------------------------------------------------------------------- what a raster gives

MONTHS = np.array([20.0, 35, 75, 120, 160, 165, 160, 140, 95, 55, 25, 15])


def monthly_mean(weather) -> np.ndarray:
    return weather.data["temp_air"].groupby(weather.data.index.month).mean().to_numpy()


def notices(weather) -> dict:
    return {n.code: n for n in weather.notices}


def test_months_a_raster_does_not_know_are_filled_and_said():
    given = np.array([6.0, np.nan, 8, 11, 15, 18, 20, np.nan, np.nan, 13, 9, 6])
    weather = synthetic_weather(52.0, 4.4, 0.0, MONTHS, given)
    found = monthly_mean(weather)
    known = np.isfinite(given)
    np.testing.assert_allclose(found[known], given[known], atol=0.05)
    assert 5.0 < found[1] < 8.0 and 18.0 < found[7] < 22.0
    notice = notices(weather)["temperature_filled"]
    assert notice.count == 3 and "2, 8, 9" in notice.text.en and "2, 8, 9 月" in notice.text.zh
    assert "default_temperature" not in notices(weather)


def test_a_mean_of_the_year_keeps_the_place_s_course():
    weather = synthetic_weather(52.0, 4.4, 0.0, MONTHS, None, annual_temp_air=14.0)
    found = monthly_mean(weather)
    assert annual_mean(found) == pytest.approx(14.0, abs=0.05)
    np.testing.assert_allclose(np.diff(found), np.diff(default_temperature(52.0, 4.4, 0.0).months), atol=0.1)
    assert "14.0 degC" in notices(weather)["annual_temperature_spread"].text.en


@pytest.mark.parametrize("given", [None, np.full(12, np.nan)])
def test_nothing_known_is_a_warning_with_its_error(given):
    notice = notices(synthetic_weather(52.0, 4.4, None, MONTHS, given))["default_temperature"]
    assert notice.severity == "warning" and "Amsterdam" in notice.text.en and "1.0 K, 0.3 %" in notice.text.en


def test_all_months_known_is_no_notice():
    weather = synthetic_weather(52.0, 4.4, 0.0, MONTHS, np.full(12, 10.0), annual_temp_air=3.0)
    assert not {"default_temperature", "temperature_filled", "annual_temperature_spread"} & set(notices(weather))
    np.testing.assert_allclose(monthly_mean(weather), 10.0, atol=0.05)


def test_the_mean_of_what_is_known():
    values = np.array([[1.0, np.nan, 3.0], [3.0, np.nan, np.nan]])
    np.testing.assert_allclose(mean_of_known(values), [2.0, np.nan, 3.0])
