"""Rasters: files of several variables, NetCDF without a CRS, files that end too early, in threads too."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from pyproj import CRS
from rasterio.transform import from_origin
from scipy.io import netcdf_file

from rasters import write_raster
from rooftop.config import ElevationInput, IrradianceInput
from rooftop.core.errors import InputError
from rooftop.inputs.elevation import open_elevation
from rooftop.inputs.irradiance import read_irradiance

CRS_M = CRS("EPSG:4549")
X, Y = 500_000.0, 3_830_000.0
LON, LAT = np.array([120.0, 120.1]), np.array([34.6, 34.65])


def netcdf(
    path: Path, names: dict[str, float], *, units: bool = True, axes: tuple[str, str] = ("lat", "lon"), months: int = 0,
    ascending: bool = False,
) -> Path:  # fmt: skip
    """Write variables of constant value on a grid of 0.25°, as CF Conventions want it or without units."""
    file = netcdf_file(str(path), "w")
    lat = np.arange(33.5, 36.0, 0.25) if ascending else np.arange(35.75, 33.25, -0.25)
    for name, values, unit in (
        (axes[0], lat, b"degrees_north"),
        (axes[1], np.arange(118.0, 122.0, 0.25), b"degrees_east"),
    ):
        file.createDimension(name, len(values))
        axis = file.createVariable(name, "d", (name,))
        axis[:] = values
        if units:
            axis.units = unit
    if months:
        file.createDimension("time", months)
    for name, value in names.items():
        variable = file.createVariable(name, "f", (*(("time",) if months else ()), *axes))
        variable[:] = value
        variable.units = b"kWh m-2 day-1"
    file.Conventions = b"CF-1.6"
    file.close()
    return path


def ghi(path: Path, **keys: object) -> np.ndarray:
    config = IrradianceInput.model_validate({"ghi": {"path": str(path), "unit": "kWh/m2/day", **keys}})
    return read_irradiance(config).sample(LON, LAT).ghi_annual_kwh_m2


@pytest.mark.parametrize("name", ["two.nc", "两个 变量!.nc", "a:b.nc", "%20#?.nc"])
def test_of_several_variables_one_is_named(name: str, tmp_path: Path) -> None:
    path = netcdf(tmp_path / name, {"ghi": 3.8, "dni": 4.5})
    with pytest.raises(InputError, match="holds 2 variables: ghi, dni; name one") as caught:
        ghi(path)
    assert caught.value.details["mend"] is not None and "variable: ghi" in str(caught.value)
    assert ghi(path, variable="ghi") == pytest.approx([3.8 * 365] * 2)
    assert ghi(path, variable="dni") == pytest.approx([4.5 * 365] * 2)
    with pytest.raises(InputError, match="did you mean ghi"):
        ghi(path, variable="gih")
    with pytest.raises(InputError, match="ghi, dni"):
        ghi(path, variable="temperature")


def test_a_path_that_no_connection_can_hold_is_refused_with_a_reason(tmp_path: Path) -> None:
    path = netcdf(tmp_path / 'q"uote.nc', {"ghi": 3.8, "dni": 4.5})
    with pytest.raises(InputError, match="quotation mark"):
        ghi(path, variable="ghi")


@pytest.mark.parametrize("ascending", [False, True])
def test_a_netcdf_of_longitudes_and_latitudes_needs_no_crs(ascending: bool, tmp_path: Path) -> None:
    path = netcdf(tmp_path / "one.nc", {"ghi": 3.8}, ascending=ascending)
    found = read_irradiance(IrradianceInput.model_validate({"ghi": {"path": str(path), "unit": "kWh/m2/day"}}))
    assert [n.code for n in found.notices] == ["raster_crs_assumed"]
    assert found.sample(LON, LAT).ghi_annual_kwh_m2 == pytest.approx([3.8 * 365] * 2)
    assert ghi(path, variable="ghi") == pytest.approx([3.8 * 365] * 2)


def test_axes_that_are_no_degrees_are_not_taken_for_such(tmp_path: Path) -> None:
    named = netcdf(tmp_path / "named.nc", {"ghi": 3.8}, units=False, axes=("latitude", "longitude"))
    with pytest.raises(InputError, match=r"gdal_translate -a_srs EPSG:4326 named\.nc"):
        ghi(named)
    other = netcdf(tmp_path / "other.nc", {"ghi": 3.8}, units=False, axes=("y", "x"))
    with pytest.raises(InputError, match="where it lies"):
        ghi(other)


def test_months_of_a_variable(tmp_path: Path) -> None:
    path = netcdf(tmp_path / "months.nc", {"ghi": 3.8, "dni": 4.5}, months=12)
    assert ghi(path, variable="ghi", period="monthly") == pytest.approx([3.8 * 365] * 2)
    with pytest.raises(InputError, match="monthly"):
        ghi(path, variable="ghi")


def tif(path: Path, *values: float, names: tuple[str, ...] = (), size: int = 400) -> Path:
    noise = [np.random.default_rng(band).normal(value, 0.01, (size, size)) for band, value in enumerate(values, 1)]
    options: dict[str, Any] = {"tiled": True, "blockxsize": 64, "blockysize": 64, "descriptions": names or None}
    return write_raster(path, noise, X - 100, Y + 300, 1.0, crs="EPSG:4549", nodata=-9999.0, **options)


def test_bands_that_have_names_are_variables(tmp_path: Path) -> None:
    path = tif(tmp_path / "both.tif", 20.0, 35.0, names=("terrain", "surface"))
    for name, value in (("terrain", 20.0), ("surface", 35.0)):
        found = open_elevation(ElevationInput(path=[path], variable=name), CRS_M, "inputs.dtm")
        assert found.window(X, Y, 1.0, 3, 3) == pytest.approx(np.full((3, 3), value), abs=0.1)
    with pytest.raises(InputError, match="holds 2 variables: surface, terrain; name one"):
        open_elevation(ElevationInput(path=[path]), CRS_M, "inputs.dtm")
    plain = tif(tmp_path / "plain.tif", 20.0, 35.0)
    with pytest.raises(InputError, match="one band"):
        open_elevation(ElevationInput(path=[plain]), CRS_M, "inputs.dtm")
    with pytest.raises(InputError, match="delete variable"):
        open_elevation(ElevationInput(path=[tif(tmp_path / "one.tif", 20.0)], variable="x"), CRS_M, "inputs.dtm")


def test_tables_of_a_geopackage_are_variables(tmp_path: Path) -> None:
    path = tmp_path / "relief!.gpkg"
    for k, name in enumerate(("dtm", "dsm")):
        with rasterio.open(
            path, "w", driver="GPKG", width=64, height=64, count=1, dtype="float32", crs="EPSG:4549",
            transform=from_origin(X, Y, 1.0, 1.0), RASTER_TABLE=name, APPEND_SUBDATASET="YES" if k else "NO",
        ) as out:  # fmt: skip
            out.write(np.full((1, 64, 64), 20.0 + k, dtype="float32"))
    with pytest.raises(InputError, match="holds 2 variables: dtm, dsm; name one"):
        open_elevation(ElevationInput(path=[path]), CRS_M, "inputs.dtm")
    found = open_elevation(ElevationInput(path=[path], variable="dsm"), CRS_M, "inputs.dtm")
    assert found.window(X + 5, Y - 5, 1.0, 2, 2).tolist() == [[21.0, 21.0], [21.0, 21.0]]


def test_a_raster_that_ends_too_early_is_named_wherever_it_is_read(tmp_path: Path) -> None:
    path = tif(tmp_path / "地形.tif", 20.0)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    try:
        found = open_elevation(ElevationInput(path=[path]), CRS_M, "inputs.dtm")
    except InputError as error:  # the glance may have met the end
        assert "地形.tif" in str(error)
        return
    with ThreadPoolExecutor(2) as pool, pytest.raises(InputError, match=r"地形\.tif"):
        list(pool.map(lambda k: found.window(X - 100, Y + 300 - 50 * k, 1.0, 50, 400), range(8)))


def test_irradiance_that_ends_too_early_is_named(tmp_path: Path) -> None:
    path = write_raster(tmp_path / "ghi.tif", np.full((200, 200), 3.9), 119.0, 36.0, 0.01, nodata=None)
    path.write_bytes(path.read_bytes()[:20_000])
    with pytest.raises(InputError, match=r"ghi\.tif"):
        ghi(path)


@pytest.mark.parametrize(
    "content", [b"", b"II*\0", b"MM\0*" + b"\xff" * 100, b"\x89HDF\r\n\x1a\n", b"CDF\x01", b"<html>", b"{}"]
)
def test_what_is_no_raster_is_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "x.tif"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"x\.tif"):
        open_elevation(ElevationInput(path=[path]), CRS_M, "inputs.dtm")
    with pytest.raises(InputError, match=r"x\.tif"):
        ghi(path)
