"""Where rows lie: far ones named, the working CRS from where the roofs are, areas right at every one of them."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import CRS, Geod, Transformer

from rooftop.core.errors import InputError
from rooftop.inputs.extent import area_error, crs_label, far_rows, working_crs

GEOD = Geod(ellps="WGS84")


def squares(lon: np.ndarray, lat: np.ndarray) -> np.ndarray:
    return shapely.box(lon, lat, lon + 1e-4, lat + 1e-4)


def town(n: int, lon: float = 119.2, lat: float = 34.6, spread_deg: float = 0.05, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return squares(lon + rng.uniform(-1, 1, n) * spread_deg, lat + rng.uniform(-1, 1, n) * spread_deg)


@pytest.mark.parametrize(
    ("lon", "lat"),
    [(0.0, 0.0), (-74.0, 40.7), (119.2, 36.6), (122.2, 34.6), (34.6, 89.0), (-119.2, 34.6), (119.2, -34.6)],
)
@pytest.mark.parametrize("n", [3, 12, 500])
def test_one_row_elsewhere_is_far(n: int, lon: float, lat: float) -> None:
    shapes = np.append(town(n), squares(np.array([lon]), np.array([lat])))
    assert far_rows(shapes).tolist() == [False] * n + [True]


def test_no_row_of_a_city_a_prefecture_or_a_province_is_far() -> None:
    assert not far_rows(town(300)).any()
    assert not far_rows(town(300, spread_deg=1.0)).any()
    assert not far_rows(town(300, spread_deg=3.0)).any()


def test_two_parts_of_one_data_set_are_not_far() -> None:
    """A harbour zone of a third of the buildings, 60 km from the town, and a county of a third, 200 km away."""
    assert not far_rows(np.concatenate([town(200), town(100, lon=119.85)])).any()
    assert not far_rows(np.concatenate([town(200), town(100, lon=121.4)])).any()


def test_many_rows_beyond_a_thousand_kilometres_are_far() -> None:
    shapes = np.concatenate([town(70), town(30, lon=0.0, lat=0.0)])
    assert far_rows(shapes).tolist() == [False] * 70 + [True] * 30


def test_rows_on_both_sides_of_the_antimeridian_lie_together() -> None:
    lon = (179.98 + np.linspace(0.0, 0.04, 20) + 180.0) % 360.0 - 180.0
    assert not far_rows(squares(lon, np.full(20, -17.0))).any()
    assert np.abs(area_error(working_crs(lon, np.full(20, -17.0)), lon, np.full(20, -17.0))).max() < 1e-3


def test_two_rows_and_none_are_never_far() -> None:
    assert far_rows(np.array([], dtype=object)).shape == (0,)
    assert not far_rows(squares(np.array([0.0, 119.0]), np.array([0.0, 34.0]))).any()


@pytest.mark.parametrize(
    ("west", "east", "lat", "label"),
    [
        (119.1, 119.4, 34.6, "EPSG:4549"),
        (118.5, 118.7, 34.6, "EPSG:4549"),
        (110.2, 114.6, 37.0, "CGCS2000 / TM 112.4E k 1"),
        (116.3, 121.9, 33.0, "CGCS2000 / TM 119.1E k 0.9995"),
        (3.1, 3.3, 1.0, "EPSG:32631"),
        (2.9, 5.99, 1.0, "WGS 84 / TM 4.4E k 1"),
        (18.4, 18.8, -33.9, "EPSG:32734"),
    ],
)
def test_areas_are_right_at_every_roof(west: float, east: float, lat: float, label: str) -> None:
    lon, lat_at = np.linspace(west, east, 60), np.full(60, lat)
    crs = working_crs(lon, lat_at)
    assert crs_label(crs) == label
    to_crs = Transformer.from_crs("EPSG:4326", crs, always_xy=True)
    shapes = squares(lon, lat_at)
    planar = shapely.area(shapely.transform(shapes, lambda p: np.column_stack(to_crs.transform(p[:, 0], p[:, 1]))))
    true = np.array([abs(GEOD.geometry_area_perimeter(s)[0]) for s in shapes])
    assert np.abs(planar / true - 1.0).max() <= 1.0005e-3
    np.testing.assert_allclose(planar / true - 1.0, area_error(crs, lon, lat_at), atol=2e-6)


def test_area_error_of_a_wrong_zone_and_of_no_answer() -> None:
    zone = CRS.from_epsg(4549)
    assert area_error(zone, 120.0, 34.6)[0] == pytest.approx(0.0, abs=1e-6)
    assert area_error(zone, 114.0, 34.6)[0] == pytest.approx(0.0074, abs=3e-4)
    assert area_error(zone, [0.0, 119.0], [0.0, 34.0]).shape == (2,)
    assert area_error(zone, [], []).shape == (0,)


def test_no_place_no_crs() -> None:
    with pytest.raises(InputError):
        working_crs([np.nan], [np.nan])


@settings(max_examples=60, deadline=None)
@given(lon=st.floats(-179.0, 179.0), lat=st.floats(-80.0, 80.0), width=st.floats(0.001, 4.0), seed=st.integers(0, 9))
def test_areas_are_right_wherever_a_data_set_lies(lon: float, lat: float, width: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    at = (lon + width * rng.uniform(-0.5, 0.5, 20) + 180.0) % 360.0 - 180.0
    lats = np.full(20, lat)
    assert np.abs(area_error(working_crs(at, lats), at, lats)).max() <= 1e-3
