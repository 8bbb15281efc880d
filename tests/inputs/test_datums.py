"""Datums and CRS: what a coordinate means, checked against published points, PROJ and the ellipsoid."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import CRS, Geod, Proj, Transformer

from rooftop.core.errors import ConfigError, InputError
from rooftop.inputs import datums
from rooftop.inputs.coordinate_checks import in_authority_order

GEOD = Geod(ellps="WGS84")
MICROMETRE_DEG = 1e-6 / 111_000.0
CITIES = {
    "lianyungang": (119.22, 34.60, 4549),
    "pinghu": (121.02, 30.68, 4549),
    "liaocheng": (115.98, 36.45, 4548),
    "taiyuan": (112.55, 37.87, 4547),
    "datong": (113.30, 40.08, 4547),
    "linfen": (111.52, 36.09, 4546),
}


def boxes(lon: float, lat: float, size: float = 0.001) -> np.ndarray:
    return np.array([shapely.box(lon, lat, lon + size, lat + size)], dtype=object)


# --- GCJ-02, BD-09 ---------------------------------------------------------------------------------------------------


def test_gcj02_and_bd09_of_published_point() -> None:
    """The point every implementation documents: Tiananmen 116.404, 39.915."""
    assert datums.wgs84_to_gcj02(116.404, 39.915) == pytest.approx((116.41024449916938, 39.91640428150164), abs=1e-11)
    wgs = datums.gcj02_to_wgs84(116.404, 39.915)
    lon, lat = datums.wgs84_to_bd09(*wgs)  # GCJ-02 116.404, 39.915 in BD-09
    assert (lon, lat) == pytest.approx((116.41036949371029, 39.92133699351021), abs=1e-9)


@settings(max_examples=200, deadline=None)
@given(lon=st.floats(73.0, 136.9), lat=st.floats(3.0, 54.0))
def test_inverse_is_exact_to_a_micrometre(lon: float, lat: float) -> None:
    for forth, back in (
        (datums.wgs84_to_gcj02, datums.gcj02_to_wgs84),
        (datums.wgs84_to_bd09, datums.bd09_to_wgs84),
    ):
        x, y = back(*forth(lon, lat))
        assert abs(x - lon) < MICROMETRE_DEG
        assert abs(y - lat) < MICROMETRE_DEG


@pytest.mark.parametrize(("lon", "lat"), [(c[0], c[1]) for c in CITIES.values()])
def test_shift_is_half_a_kilometre(lon: float, lat: float) -> None:
    gcj = datums.wgs84_to_gcj02(lon, lat)
    assert 450.0 < GEOD.inv(lon, lat, float(gcj[0]), float(gcj[1]))[2] < 650.0
    bd = datums.wgs84_to_bd09(lon, lat)
    assert 900.0 < GEOD.inv(lon, lat, float(bd[0]), float(bd[1]))[2] < 1700.0


@pytest.mark.parametrize(("lon", "lat"), [(2.35, 48.86), (72.0, 30.0), (137.9, 35.0), (110.0, 0.8), (110.0, 55.9)])
def test_outside_the_box_nothing_moves(lon: float, lat: float) -> None:
    for function in (datums.wgs84_to_gcj02, datums.gcj02_to_wgs84, datums.wgs84_to_bd09, datums.bd09_to_wgs84):
        assert tuple(map(float, function(lon, lat))) == (lon, lat)


def test_arrays_keep_their_shape_and_mix_inside_with_outside() -> None:
    lon, lat = np.array([[119.2, 2.0], [120.0, 121.0]]), np.array([[34.6, 48.0], [31.0, 30.0]])
    x, y = datums.gcj02_to_wgs84(lon, lat)
    assert x.shape == y.shape == (2, 2)
    assert (x[0, 1], y[0, 1]) == (2.0, 48.0)
    assert (np.abs(x - lon) > 1e-3).sum() == 3


# --- working CRS and convergence -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", CITIES)
def test_working_crs_is_the_zone_of_the_city(name: str) -> None:
    lon, lat, epsg = CITIES[name]
    crs = datums.working_crs([lon - 0.1, lon + 0.1], [lat - 0.1, lat + 0.1])
    assert crs.to_epsg() == epsg
    east, _ = Transformer.from_crs(4326, crs, always_xy=True).transform(lon, lat)
    assert abs(east - 500_000.0) < 150_000.0


@pytest.mark.parametrize(("lon", "meridian"), [(74.0, 75), (118.49, 117), (118.51, 120), (121.49, 120), (134.9, 135)])
def test_zone_borders(lon: float, meridian: int) -> None:
    crs = datums.working_crs(lon, 40.0)
    parameters = {p.name: p.value for p in crs.coordinate_operation.params}
    assert parameters["Longitude of natural origin"] == meridian
    assert parameters["False easting"] == 500_000.0


@pytest.mark.parametrize(("lon", "lat", "epsg"), [(2.57, 44.35, 32631), (-70.6, -33.4, 32719), (151.2, -33.9, 32756)])
def test_utm_elsewhere(lon: float, lat: float, epsg: int) -> None:
    assert datums.working_crs(lon, lat).to_epsg() == epsg


def test_no_working_crs_at_the_pole() -> None:
    with pytest.raises(InputError, match="no metric working CRS"):
        datums.working_crs([0.0, 1.0], [88.0, 89.0])


@pytest.mark.parametrize(
    ("epsg", "lon", "lat"), [(4549, 121.3, 31.0), (4549, 118.6, 34.6), (32651, 121.3, 31.0), (2154, 2.57, 44.35)]
)
def test_convergence_is_true_minus_grid_azimuth(epsg: int, lon: float, lat: float) -> None:
    crs = CRS.from_epsg(epsg)
    convergence = float(datums.meridian_convergence_deg(crs, lon, lat))
    assert convergence == pytest.approx(Proj(crs).get_factors(lon, lat).meridian_convergence, abs=1e-6)
    to_grid = Transformer.from_crs(4326, crs, always_xy=True)
    lon2, lat2, _ = GEOD.fwd(lon, lat, 60.0, 10.0)  # a step towards true azimuth 60 degrees
    (x1, x2), (y1, y2) = to_grid.transform([lon, lon2], [lat, lat2])
    grid = np.rad2deg(np.arctan2(x2 - x1, y2 - y1))
    assert grid + convergence == pytest.approx(60.0, abs=1e-3)


def test_convergence_is_positive_east_of_the_meridian() -> None:
    crs = CRS.from_epsg(4549)
    east, west = datums.meridian_convergence_deg(crs, [121.3, 118.7], [31.0, 31.0])
    assert east == pytest.approx(0.67, abs=0.01)
    assert west == pytest.approx(-east, abs=1e-6)


@pytest.mark.parametrize("text", ["EPSG:4326", "EPSG:3857", "EPSG:2437", "EPSG:2263", "EPSG:3395"])
def test_working_crs_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="cannot be measured"):
        datums.parse_working_crs(text)


def test_working_crs_accepted() -> None:
    assert datums.parse_working_crs("EPSG:4549").to_epsg() == 4549
    with pytest.raises(InputError, match="not known"):
        datums.parse_working_crs("EPSG:99999999")


# --- placing geometries ----------------------------------------------------------------------------------------------


def test_gcj02_geometry_comes_back_to_where_it_was() -> None:
    true = boxes(119.2, 34.6)
    shifted = shapely.transform(true, lambda xy: np.column_stack(datums.wgs84_to_gcj02(xy[:, 0], xy[:, 1])))
    placed = datums.locate(shifted, CRS.from_epsg(4326), "gcj02", None, "x")
    direct = datums.locate(true, CRS.from_epsg(4326), "wgs84", None, "x")
    assert placed.crs.to_epsg() == 4549
    gap = shapely.hausdorff_distance(placed.projected[0], direct.projected[0])
    assert gap < 1e-4
    assert [n.code for n in placed.notices] == ["datum_unverified"]
    assert "declared, unverified" in placed.notices[0].text.en


def test_gcj02_in_web_mercator_is_unprojected_first() -> None:
    true = boxes(119.2, 34.6)
    to_mercator = Transformer.from_crs(4326, 3857, always_xy=True)

    def distort(xy: np.ndarray) -> np.ndarray:
        return np.column_stack(to_mercator.transform(*datums.wgs84_to_gcj02(xy[:, 0], xy[:, 1])))

    back, _ = datums.to_wgs84_geometry(shapely.transform(true, distort), CRS.from_epsg(3857), "gcj02", "x")
    assert shapely.hausdorff_distance(back[0], true[0]) < 1e-9


def test_gcj02_outside_china_is_reported() -> None:
    _, notices = datums.to_wgs84_geometry(boxes(2.3, 48.8), CRS.from_epsg(4326), "gcj02", "x")
    assert [n.code for n in notices] == ["datum_outside_china"]


@pytest.mark.parametrize("epsg", [4490, 4549, 4528])
def test_cgcs2000_is_wgs84(epsg: int) -> None:
    crs = CRS.from_epsg(epsg)
    forth = Transformer.from_crs(4326, crs, always_xy=True)
    there = shapely.transform(boxes(119.2, 34.6), lambda xy: np.column_stack(forth.transform(xy[:, 0], xy[:, 1])))
    back, _ = datums.to_wgs84_geometry(there, crs, "cgcs2000", "x")
    assert shapely.hausdorff_distance(back[0], boxes(119.2, 34.6)[0]) < 1e-8


def test_esri_wkt_of_a_cgcs2000_zone_is_recognised() -> None:
    crs = CRS.from_wkt(CRS.from_epsg(4549).to_wkt("WKT1_ESRI"))
    assert datums.is_wgs84_like(crs)
    placed, _ = datums.to_wgs84_geometry(
        np.array([shapely.box(430_000, 3_830_000, 430_100, 3_830_100)], dtype=object), crs, "wgs84", "x"
    )
    assert shapely.get_x(shapely.centroid(placed[0])) == pytest.approx(119.237, abs=0.01)


@pytest.mark.parametrize(("epsg", "name"), [(4610, "Xi'an 1980"), (2385, "Xi'an 1980"), (4214, "Beijing 1954")])
def test_old_chinese_datums_without_a_transformation_are_refused(epsg: int, name: str) -> None:
    crs = CRS.from_epsg(epsg)
    shapes = boxes(120.5, 30.5) if crs.is_geographic else np.array([shapely.box(5e5, 3.4e6, 5.001e5, 3.4001e6)])
    with pytest.raises(InputError, match="no published transformation") as caught:
        datums.to_wgs84_geometry(shapes, crs, "wgs84", "x")
    assert name in str(caught.value)
    assert "CGCS2000" in str(caught.value)


def test_beijing_1954_where_a_transformation_is_published_is_moved_and_reported() -> None:
    """In the Ordos basin EPSG holds one of 1 m; the shift itself is about 100 m."""
    back, notices = datums.to_wgs84_geometry(boxes(108.0, 37.0), CRS.from_epsg(4214), "wgs84", "x")
    a, b = shapely.centroid(back[0]), shapely.centroid(boxes(108.0, 37.0)[0])
    assert 30.0 < GEOD.inv(a.x, a.y, b.x, b.y)[2] < 200.0
    assert [n.code for n in notices] == ["datum_accuracy"]
    assert "1 m" in notices[0].text.en


def test_offshore_transformation_is_not_used_on_land() -> None:
    """EPSG's Yellow Sea parameters (15 m, meant for rigs) reach over Lianyungang's coast."""
    with pytest.raises(InputError, match="no published transformation"):
        datums.to_wgs84_geometry(boxes(119.4, 34.7), CRS.from_epsg(4214), "wgs84", "x")


@pytest.mark.parametrize(
    ("epsg", "bounds", "part"),
    [
        (4549, (119.2, 34.6, 119.3, 34.7), "look like degrees"),
        (4326, (430_000, 3_830_000, 430_100, 3_830_100), "do not belong"),
        (4326, (34.6, 119.2, 34.7, 119.3), "swapped"),
        (4549, (40_430_000, 3_830_000, 40_430_100, 3_830_100), "EPSG:4528"),
        (4528, (430_000, 3_830_000, 430_100, 3_830_100), "outside the stated zone"),
        (2154, (652_000, 862_000, 652_100, 862_100), "outside the area"),
    ],
)
def test_impossible_coordinates_are_refused(epsg: int, bounds: tuple[float, ...], part: str) -> None:
    with pytest.raises(InputError) as caught:
        datums.to_wgs84_geometry(np.array([shapely.box(*bounds)]), CRS.from_epsg(epsg), "wgs84", "file.shp")
    assert part in str(caught.value)
    assert "file.shp" in str(caught.value)
    assert caught.value.details["mend"] is not None


def test_local_coordinate_system_is_refused() -> None:
    crs = CRS.from_wkt('LOCAL_CS["Suzhou local",UNIT["metre",1]]')
    with pytest.raises(InputError, match="local coordinate system"):
        datums.to_wgs84_geometry(np.array([shapely.box(0, 0, 500, 500)]), crs, "wgs84", "x")


def test_towgs84_of_the_file_is_applied() -> None:
    crs = CRS.from_proj4("+proj=longlat +ellps=krass +towgs84=15.8,-154.4,-82.3,0,0,0,0 +type=crs")
    back, _ = datums.to_wgs84_geometry(boxes(119.0, 34.5), crs, "wgs84", "x")
    a, b = shapely.centroid(back[0]), shapely.centroid(boxes(119.0, 34.5)[0])
    assert 30.0 < GEOD.inv(a.x, a.y, b.x, b.y)[2] < 200.0


def test_z_is_dropped_and_empty_rows_pass() -> None:
    shapes = np.array([shapely.from_wkt("POLYGON Z ((119 34 5, 119.01 34 5, 119.01 34.01 5, 119 34 5))"), None])
    placed = datums.locate(shapes, CRS.from_epsg(4326), "wgs84", None, "x")
    assert not shapely.has_z(placed.projected[0])
    assert placed.projected[1] is None


def test_already_in_the_working_crs_keeps_every_digit() -> None:
    shape = np.array([shapely.box(430_000.123456789, 3_830_000.1, 430_100.0, 3_830_100.0)])
    placed = datums.locate(shape, CRS.from_epsg(4549), "cgcs2000", CRS.from_epsg(4549), "x")
    assert placed.projected[0].equals_exact(shape[0], 0.0)


# --- axes in the other order -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("epsg", "bounds", "part"),
    [
        (4549, (3_830_500, 426_615, 3_830_620, 426_813), "x and y are swapped"),
        (4528, (3_830_500, 40_426_615, 3_830_620, 40_426_813), "x and y are swapped"),
        (4549, (3_830_500, 40_426_615, 3_830_620, 40_426_813), "x and y are swapped"),
        (32650, (3_830_500, 626_615, 3_830_620, 626_813), "x and y are swapped"),
        (2154, (6_862_000, 652_000, 6_862_100, 652_100), "x and y are swapped"),
        (4490, (43.8, 87.6, 43.9, 87.7), "swapped"),
        (4326, (34.6, 119.2, 34.7, 119.3), "swapped"),
        (4549, (20_430_000, 3_830_000, 20_430_100, 3_830_100), "EPSG:4498"),
        (4528, (430_000, 3_830_000, 430_100, 3_830_100), "EPSG:4549"),
    ],
)
def test_the_order_of_axes_and_zone_prefixes_are_named(epsg: int, bounds: tuple[float, ...], part: str) -> None:
    with pytest.raises(InputError) as caught:
        datums.to_wgs84_geometry(np.array([shapely.box(*bounds)]), CRS.from_epsg(epsg), "wgs84", "file.shp")
    assert part in str(caught.value)


@pytest.mark.parametrize(
    ("epsg", "bounds"),
    [
        (4549, (426_615, 3_830_500, 426_813, 3_830_620)),
        (32650, (300_000, 500_000, 300_100, 500_100)),  # 4.5° N: eastings and northings of one size
        (32648, (371_000, 143_000, 371_100, 143_100)),
        (2154, (652_000, 6_862_000, 652_100, 6_862_100)),
        (4490, (87.6, 43.8, 87.7, 43.9)),
        (4326, (4.37, 52.0, 4.38, 52.01)),
    ],
)
def test_the_right_order_is_not_suspected(epsg: int, bounds: tuple[float, ...]) -> None:
    datums.to_wgs84_geometry(np.array([shapely.box(*bounds)]), CRS.from_epsg(epsg), "wgs84", "file.shp")


@pytest.mark.parametrize(
    ("epsg", "bounds", "expected"),
    [
        (6697, (34.6, 119.2, 34.6006, 119.202), True),  # JGD2011: latitude first
        (4326, (34.6, 119.2, 34.7, 119.3), True),
        (4326, (52.0, 4.3, 52.1, 4.4), False),  # both orders are places
        (4326, (119.2, 34.6, 119.3, 34.7), False),
        (6668, (35.6, 139.7, 35.7, 139.8), True),
        (4549, (3_830_500, 426_615, 3_830_620, 426_813), True),
        (4549, (426_615, 3_830_500, 426_813, 3_830_620), False),
        (2056, (1_248_000, 2_683_000, 1_248_100, 2_683_100), False),  # its axes are east, north: simply wrong
    ],
)
def test_authority_order_is_seen_where_only_it_fits(epsg: int, bounds: tuple[float, ...], expected: bool) -> None:
    crs = CRS.from_epsg(epsg)
    assert in_authority_order(bounds, crs.to_2d()) is expected
