"""Irradiance rasters: placed, converted, never zero where they say nothing, refused where no sky is like that."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import rasterio
from pyproj import Transformer
from rasterio.transform import from_origin

from rasters import write_raster
from rooftop.config import IrradianceInput
from rooftop.core.errors import InputError
from rooftop.inputs.irradiance import check_against_clear_sky, read_irradiance
from rooftop.weather.clear_sky import DAYS_IN_MONTH

pytestmark = pytest.mark.filterwarnings("ignore:Use `@` matmul:PendingDeprecationWarning")  # rasterio 1.4 with affine 3

WEST, NORTH, STEP = 119.0, 35.0, 0.25
MONTHS = np.array([78.0, 84, 118, 143, 160, 148, 143, 138, 120, 106, 82, 76])  # kWh/m2, about Lianyungang


def write(path: Path, cells, transform=None, crs="EPSG:4326", **options) -> Path:
    cells = np.asarray(cells)
    options = {"nodata": None, "dtype": cells.dtype, **options}
    return write_raster(path, cells, WEST, NORTH, STEP, transform=transform, crs=crs, **options)


def ramp(n_rows=5, n_cols=7):
    """1300 at the north-west centre, +10 a column eastwards, -4 a row southwards."""
    row, col = np.mgrid[:n_rows, :n_cols]
    return (1300.0 + 10.0 * col - 4.0 * row).astype(np.float64)


def raster(path: Path | list[Path], unit="kWh/m2/year", period="annual", **more):
    return read_irradiance(IrradianceInput(ghi={"path": path, "unit": unit, "period": period}, **more))


def centre(col, row):
    return WEST + (col + 0.5) * STEP, NORTH - (row + 0.5) * STEP


def annual(read, lon, lat):
    return read.sample(np.atleast_1d(np.array(lon, float)), np.atleast_1d(np.array(lat, float))).ghi_annual_kwh_m2


def test_bilinear_between_cell_centres(tmp_path):
    read = raster(write(tmp_path / "g.tif", ramp()))
    assert annual(read, *centre(2, 1))[0] == pytest.approx(1316.0)
    assert annual(read, *centre(2.25, 1.5))[0] == pytest.approx(1300.0 + 22.5 - 6.0)
    west_edge = annual(read, WEST + 0.01, centre(0, 2)[1])[0]
    assert west_edge == pytest.approx(1292.0)


def test_nodata_is_never_zero_and_the_other_cells_rule(tmp_path):
    cells = ramp()
    cells[1, 2] = -9999.0
    read = raster(write(tmp_path / "g.tif", cells, nodata=-9999.0))
    lon, lat = centre(1.75, 1.0)
    beside = read.sample(np.array([lon]), np.array([lat]))
    assert beside.ghi_annual_kwh_m2[0] == pytest.approx(cells[1, 1])
    cells[0:3, 1:4] = -9999.0
    read = raster(write(tmp_path / "h.tif", cells, nodata=-9999.0))
    lon, lat = zip(centre(2, 1), centre(5, 3), strict=True)
    at = read.sample(np.array(lon), np.array(lat))
    assert np.isnan(at.ghi_annual_kwh_m2[0]) and at.nodata[0] and not at.outside[0]
    assert np.isfinite(at.ghi_annual_kwh_m2[1]) and not at.nodata[1]
    assert [(n.code, n.count) for n in at.notices] == [("irradiance_nodata", 1)]


@pytest.mark.parametrize("hole", [0.0, -9999.0, np.nan, -3.4e38])
def test_undeclared_holes_are_found_and_said(tmp_path, hole):
    cells = ramp()
    cells[1, 2] = hole
    read = raster(write(tmp_path / "g.tif", cells))
    lon, lat = centre(2.25, 1.0)
    at = read.sample(np.array([lon]), np.array([lat]))
    assert at.ghi_annual_kwh_m2[0] == pytest.approx(cells[1, 3])
    assert ("undeclared_nodata" in {n.code for n in at.notices}) == np.isfinite(hole)


def test_outside_and_roofs_without_place(tmp_path):
    read = raster(write(tmp_path / "g.tif", ramp()))
    inside, outside = centre(3, 3), (WEST - 0.01, 34.5)
    at = read.sample(np.array([inside[0], outside[0], np.nan]), np.array([inside[1], outside[1], np.nan]))
    assert at.outside.tolist() == [False, True, False]
    assert np.isnan(at.ghi_annual_kwh_m2[1:]).all()
    assert {n.code: n.count for n in at.notices} == {"irradiance_outside": 1}


@pytest.mark.parametrize(
    ("unit", "value"),
    [
        ("kWh/m2/day", 1400 / 365), ("kWh/m2/month", 1400 / 12), ("kWh/m2/year", 1400.0),
        ("MJ/m2/day", 1400 * 3.6 / 365), ("MJ/m2/month", 1400 * 0.3), ("MJ/m2/year", 5040.0), ("W/m2", 1400 / 8.76),
    ],
)  # fmt: skip
def test_annual_units(tmp_path, unit, value):
    read = raster(write(tmp_path / "g.tif", np.full((5, 7), value)), unit)
    at = read.sample(np.array([119.6]), np.array([34.5]))
    assert at.ghi_annual_kwh_m2[0] == pytest.approx(1400.0)
    assert at.ghi_kwh_m2 is None


@pytest.mark.parametrize(
    ("unit", "scale"),
    [
        ("kWh/m2/day", 1 / DAYS_IN_MONTH), ("kWh/m2/month", np.ones(12)), ("kWh/m2/year", 365 / DAYS_IN_MONTH),
        ("MJ/m2/day", 3.6 / DAYS_IN_MONTH), ("MJ/m2/month", np.full(12, 3.6)), ("W/m2", 1000 / 24 / DAYS_IN_MONTH),
    ],
)  # fmt: skip
@pytest.mark.parametrize("bands", [True, False])
def test_monthly_units_of_365_days(tmp_path, unit, scale, bands):
    cells = (MONTHS * scale)[:, None, None] * np.ones((12, 5, 7))
    path: Path | list[Path]
    if bands:
        path = write(tmp_path / "g.tif", cells)
    else:
        path = [write(tmp_path / f"g_{k + 1:02d}.tif", cells[k]) for k in range(12)]
    at = raster(path, unit, "monthly").sample(np.array([119.6, 120.0]), np.array([34.5, 34.2]))
    np.testing.assert_allclose(at.ghi_kwh_m2, np.tile(MONTHS, (2, 1)))
    np.testing.assert_allclose(at.ghi_annual_kwh_m2, MONTHS.sum())
    assert not at.notices


def test_scale_and_offset_of_the_file(tmp_path):
    stored = np.full((5, 7), 300, dtype=np.int16)
    stored[0, 0] = -1
    read = raster(write(tmp_path / "g.tif", stored, nodata=-1, scales=(0.01,), offsets=(0.8,)), "kWh/m2/day")
    assert annual(read, 119.9, 34.5)[0] == pytest.approx(3.8 * 365)
    assert np.isfinite(annual(read, *centre(0.3, 0.3))[0])


def test_projected_raster_is_placed_right(tmp_path):
    """A raster in UTM whose value is 1000 + 100 (longitude - 119): x and y are not mixed up."""
    transform = from_origin(300_000.0, 3_870_000.0, 5_000.0, 5_000.0)
    row, col = np.mgrid[:20, :30]
    back = Transformer.from_crs("EPSG:32651", "EPSG:4326", always_xy=True)
    lon, lat = back.transform(300_000.0 + (col + 0.5) * 5e3, 3_870_000.0 - (row + 0.5) * 5e3)
    read = raster(write(tmp_path / "g.tif", 1000.0 + 100.0 * (lon - 119.0) + 10.0 * lat, transform, "EPSG:32651"))
    at = np.array([121.3, 121.9]), np.array([34.6, 34.3])
    np.testing.assert_allclose(annual(read, *at), 1000.0 + 100.0 * (at[0] - 119.0) + 10.0 * at[1], atol=0.05)


def test_a_raster_around_the_globe_has_no_seam(tmp_path):
    """Centres at -180, -179.75, ...: bounds reach beyond -180, and 179.9 lies between the last column and the first."""
    cells = 1200.0 + np.minimum(np.arange(1440), 1440 - np.arange(1440))[None, :] * np.ones((721, 1))
    read = raster(write(tmp_path / "g.tif", cells, from_origin(-180.125, 90.125, 0.25, 0.25)))
    found = annual(read, [179.9, -180.0, 180.0, -179.95, 119.0], [10.0] * 5)
    np.testing.assert_allclose(found, [1200.4, 1200.0, 1200.0, 1200.2, 1200 + 244.0], atol=1e-6)


def test_longitudes_from_0_to_360(tmp_path):
    cells = 1200.0 + np.arange(360)[None, :] * np.ones((20, 1))
    read = raster(write(tmp_path / "g.tif", cells, from_origin(0.0, 40.0, 1.0, 1.0)))
    np.testing.assert_allclose(annual(read, [-70.5, 119.5], [30.5, 30.5]), [1200 + 289.0, 1200 + 119.0])


def test_many_scattered_points_read_in_parts(tmp_path, monkeypatch):
    monkeypatch.setattr("rooftop.inputs.raster_sample._MAX_WINDOW_CELLS", 12)
    read = raster(write(tmp_path / "g.tif", ramp(40, 60)))
    rng = np.random.default_rng(3)
    col, row = rng.uniform(0, 59, 200), rng.uniform(0, 39, 200)
    lon, lat = WEST + (col + 0.5) * STEP, NORTH - (row + 0.5) * STEP
    np.testing.assert_allclose(annual(read, lon, lat), 1300.0 + 10.0 * col - 4.0 * row)


def test_temperature_in_kelvin_and_months(tmp_path):
    ghi = write(tmp_path / "g.tif", np.full((5, 7), 1400.0))
    means = np.array([1.0, 3, 8, 14, 19, 24, 27, 27, 22, 17, 10, 3])
    temp = write(tmp_path / "t.tif", (means + 273.15)[:, None, None] * np.ones((12, 5, 7)))
    read = raster(ghi, temp_air={"path": temp, "unit": "K", "period": "monthly"})
    at = read.sample(np.array([119.6]), np.array([34.5]))
    np.testing.assert_allclose(at.temp_air_degc, [means])
    check_against_clear_sky(at, read)
    wrong = raster(ghi, temp_air={"path": temp, "unit": "degC", "period": "monthly"})
    with pytest.raises(InputError, match="unit is K"):
        check_against_clear_sky(wrong.sample(np.array([119.6]), np.array([34.5])), wrong)


def test_month_order(tmp_path):
    cells = MONTHS[:, None, None] * np.ones((12, 5, 7))
    names = sorted(f"g{k + 1}" for k in range(12))  # g1, g10, g11, g12, g2 ...
    paths = [write(tmp_path / f"{name}.tif", cells[int(name[1:]) - 1]) for name in names]
    read = raster(paths, "kWh/m2/month", "monthly")
    assert [n.code for n in read.notices] == ["month_order"]
    shifted = write(tmp_path / "southern.tif", np.roll(cells, 6, axis=0))
    at = raster(shifted, "kWh/m2/month", "monthly").sample(np.array([119.6]), np.array([34.5]))
    assert [n.code for n in at.notices] == ["month_order"]


@pytest.mark.parametrize(
    ("declared", "truth", "value"),
    [
        ("kWh/m2/day", "kWh/m2/year", 1400.0),
        ("kWh/m2/year", "kWh/m2/day", 1400 / 365),
        ("kWh/m2/year", "MJ/m2/year", 5040.0),
        ("MJ/m2/year", "kWh/m2/year", 1400.0),
        ("kWh/m2/month", "W/m2", 220.0),
    ],
)
def test_what_no_sky_gives_is_refused_with_the_unit_that_fits(tmp_path, declared, truth, value):
    read = raster(write(tmp_path / "g.tif", np.full((5, 7), value)), declared)
    at = read.sample(np.array([119.6]), np.array([34.5]))
    with pytest.raises(InputError) as caught:
        check_against_clear_sky(at, read)
    message = caught.value.render("en")
    assert "g.tif" in message and f"declared as {declared}" in message
    assert truth in message.split("looks like")[1]
    assert f"{at.ghi_annual_kwh_m2[0]:,.4g}" in message
    assert "像是" in caught.value.render("zh")


def test_a_single_impossible_month_is_refused(tmp_path):
    months = MONTHS.copy()
    months[11] = 118.0  # more than a cloudless December at 34.5 N gives
    path = write(tmp_path / "g.tif", months[:, None, None] * np.ones((12, 5, 7)))
    read = raster(path, "kWh/m2/month", "monthly")
    with pytest.raises(InputError, match="month 12"):
        check_against_clear_sky(read.sample(np.array([119.6]), np.array([34.5])), read)


def test_plausible_totals_pass_and_are_said(tmp_path):
    read = raster(write(tmp_path / "g.tif", np.full((5, 7), 1400.0)))
    notices = check_against_clear_sky(read.sample(np.array([119.6]), np.array([34.5])), read)
    assert [n.code for n in notices] == ["clear_sky_share"]


def test_dni_and_dhi_are_compared_and_said(tmp_path):
    ghi = write(tmp_path / "g.tif", np.full((5, 7), 1400.0))
    other = {
        name: {"path": write(tmp_path / f"{name}.tif", np.full((5, 7), value)), "unit": "kWh/m2/year"}
        for name, value in (("dni", 3000.0), ("dhi", 700.0))
    }
    at = raster(ghi, **other).sample(np.array([119.6]), np.array([34.5]))
    assert [(n.code, n.severity) for n in at.notices] == [("dni_raster", "warning"), ("dhi_raster", "info")]
    assert at.dni_annual_kwh_m2[0] == pytest.approx(3000.0)


def test_raster_elsewhere_names_both_extents(tmp_path):
    read = raster(write(tmp_path / "g.tif", ramp()))
    with pytest.raises(InputError) as caught:
        read.sample(np.array([8.5, 8.6]), np.array([47.3, 47.4]))
    message = caught.value.render("en")
    assert "119.000..120.750" in message and "8.500..8.600" in message and "g.tif" in message


def test_raster_without_any_value_at_the_roofs(tmp_path):
    read = raster(write(tmp_path / "g.tif", np.full((5, 7), np.nan)))
    with pytest.raises(InputError, match="no value at any roof"):
        read.sample(np.array([119.6]), np.array([34.5]))


@pytest.mark.parametrize(
    "fault", ["missing", "text", "no_crs", "bands", "eleven", "months_undeclared", "twice", "unit", "temp_unit"]
)
def test_each_fault_is_one_readable_error(tmp_path, fault):
    path = tmp_path / "g.tif"
    config = {"path": path, "unit": "kWh/m2/year"}
    more = {}
    if fault == "text":
        path.write_text("no raster")
    elif fault == "no_crs":
        write(path, ramp(), crs=None)
    elif fault == "bands":
        write(path, np.stack([ramp()] * 3))
    elif fault == "months_undeclared":
        write(path, np.stack([ramp()] * 12))
    elif fault == "eleven":
        write(path, ramp())
        config |= {"path": [path] * 11, "period": "monthly"}
    elif fault == "twice":
        write(path, ramp())
        config |= {"path": [path] * 12, "period": "monthly"}
    elif fault == "unit":
        write(path, ramp())
        config |= {"unit": "degC"}
    elif fault == "temp_unit":
        write(path, ramp())
        more = {"temp_air": {"path": path, "unit": "W/m2"}}
    with pytest.raises(InputError) as caught:
        read_irradiance(IrradianceInput(ghi=config, **more))
    message = caught.value.render("en")
    assert "inputs.irradiance" in message
    if fault == "months_undeclared":
        assert "period: monthly" in message


def test_provenance_says_what_was_declared(tmp_path):
    path = write(tmp_path / "g.tif", ramp())
    read = raster(path, terrain_included=True)
    (only,) = read.provenance
    assert only.role == "inputs.irradiance.ghi" and only.details["terrain_included"] == "true"
    assert only.details["unit"] == "kWh/m2/year" and len(only.sha256) == 64
    assert read.terrain_included


# --------------------------------------------------------------------------------------------------------- real data


@pytest.fixture(scope="module")
def atlas(shared_data):
    folder = shared_data / "irradiance"
    return read_irradiance(
        IrradianceInput(
            ghi={"path": folder / "GSA_GHI_mean_ERA5_pixel.tif", "unit": "kWh/m2/day"},
            dni={"path": folder / "GSA_DNI_mean_ERA5_pixel.tif", "unit": "kWh/m2/day"},
        )
    )


@pytest.mark.real
def test_global_solar_atlas_at_the_seed_cities(atlas):
    """Reference totals of the data's README, read there at the nearest cell: bilinear stays within 1 %."""
    places = {
        "Haizhou": (119.16, 34.60, 1396), "Pinghu": (121.02, 30.68, 1348), "Liaocheng": (115.98, 36.45, 1395),
        "Taiyuan": (112.55, 37.87, 1547), "Datong": (113.30, 40.08, 1606), "Shanghai": (121.47, 31.23, 1326),
        "Beijing": (116.40, 39.90, 1413),
    }  # fmt: skip
    lon, lat, expected = (np.array(x, dtype=float) for x in zip(*places.values(), strict=True))
    at = atlas.sample(lon, lat)
    np.testing.assert_allclose(at.ghi_annual_kwh_m2, expected, rtol=0.01)
    ratio = at.dni_annual_kwh_m2 / at.ghi_annual_kwh_m2
    assert (ratio > 0.5).all() and (ratio < 1.3).all()
    assert check_against_clear_sky(at, atlas)[0].code == "clear_sky_share"


@pytest.mark.real
def test_no_place_on_earth_is_refused(atlas):
    """The sunniest, the darkest and some other places of the atlas pass the clear-sky check."""
    with rasterio.open(atlas.layers[0].bands[0].path) as source:
        cells = source.read(1)
    known = np.argwhere(np.isfinite(cells))
    value = cells[np.isfinite(cells)]
    order = np.argsort(value)
    chosen = known[np.concatenate([order[:4], order[-8:], order[:: len(order) // 8]])]
    at = atlas.sample(-180.0 + 0.25 * chosen[:, 1], 90.0 - 0.25 * chosen[:, 0])
    (notice,) = check_against_clear_sky(at, atlas)
    assert notice.count == len(chosen)


@pytest.mark.real
def test_the_atlas_has_no_seam_at_the_date_line(atlas):
    """Fiji lies on it."""
    at = atlas.sample(np.array([179.9, -180.0, 180.0, -179.95]), np.full(4, -16.6))
    assert np.isfinite(at.ghi_annual_kwh_m2).all()
    assert at.ghi_annual_kwh_m2[1] == pytest.approx(at.ghi_annual_kwh_m2[2])
