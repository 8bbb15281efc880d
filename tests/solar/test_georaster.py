"""DataArrays: cell size, origin and grid north come from coordinates and CRS; results carry the same coordinates."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from pyproj import CRS, Transformer

import rooftop
from rooftop.core.errors import ArgumentError
from rooftop.inputs.datums import meridian_convergence_deg
from wrong_arguments import sky

xarray = pytest.importorskip("xarray")

N = 24
UTM = CRS.from_epsg(32650)  # central meridian 117° E
CELL = 2.0
EAST, NORTH = 700_000.0, 3_600_000.0  # corner of the raster, more than 2° east of the central meridian


def model(crs: CRS | None = UTM, cell: float = CELL, **change: Any) -> Any:
    """An elevation model with a house, as rioxarray holds it."""
    heights = np.zeros((30, 40), np.float32)
    heights[8:16, 20:30] = 15.0
    place = {"y": NORTH - cell * (np.arange(30) + 0.5), "x": EAST + cell * (np.arange(40) + 0.5), **change}
    if crs is not None:
        place["spatial_ref"] = ((), 0, {"crs_wkt": crs.to_wkt()})
    return xarray.DataArray(heights, place, ("y", "x"))


def convergence() -> float:
    lon, lat = Transformer.from_crs(UTM, 4326, always_xy=True).transform(EAST + 20 * CELL, NORTH - 15 * CELL)
    return float(meridian_convergence_deg(UTM, lon, lat))


def plain() -> dict[str, Any]:
    """What the coordinates of the model say."""
    return {"grid_north_deg": convergence(), "origin": (-round(NORTH / CELL), round(EAST / CELL)), "n_azimuth": N}


def mask() -> np.ndarray:
    asked = np.zeros((30, 40), dtype=bool)
    asked[2:28:5, 3:38:4] = True
    return asked


def test_the_convergence_of_the_example_is_no_trifle() -> None:
    assert 1.0 < convergence() < 1.3


def test_horizons_take_size_origin_and_north_from_coordinates() -> None:
    rows, cols = np.nonzero(mask())
    found = rooftop.horizons(model(), None, rows, cols, n_azimuth=N)
    expected = rooftop.horizons(model().to_numpy(), CELL, rows, cols, **plain())
    np.testing.assert_array_equal(found, expected)
    assert (found != rooftop.horizons(model().to_numpy(), CELL, rows, cols, n_azimuth=N)).any()


def test_what_is_given_wins() -> None:
    rows, cols = np.nonzero(mask())
    found = rooftop.horizons(model(), CELL, rows, cols, grid_north_deg=0.0, origin=None, n_azimuth=N)
    np.testing.assert_array_equal(found, rooftop.horizons(model().to_numpy(), CELL, rows, cols, n_azimuth=N))
    assert np.array_equal(
        rooftop.horizons(model(None), None, rows, cols, origin=None, n_azimuth=N),
        rooftop.horizons(model().to_numpy(), CELL, rows, cols, n_azimuth=N),
    )


def test_rasters_come_out_with_the_coordinates_that_went_in() -> None:
    dsm, asked = model(), mask()
    dsm.encoding["grid_mapping"] = "spatial_ref"
    on_cells = dsm.copy(data=asked)
    annual = rooftop.irradiation_raster(sky(), dsm, mask=on_cells, n_azimuth=N)
    months = rooftop.monthly_irradiation(sky(), dsm, mask=asked, n_azimuth=N)
    svf = rooftop.sky_view_raster(dsm, mask=on_cells, n_azimuth=N)
    for found, name in ((annual, "poa_global"), (months, "poa_global"), (svf, "svf")):
        assert type(found) is xarray.DataArray and found.name == name and found.attrs["units"]
        assert (
            found["spatial_ref"].attrs == dsm["spatial_ref"].attrs and found.encoding["grid_mapping"] == "spatial_ref"
        )
        for axis in ("y", "x"):
            np.testing.assert_array_equal(found[axis], dsm[axis])
    bare = model().to_numpy()
    np.testing.assert_array_equal(annual, rooftop.irradiation_raster(sky(), bare, CELL, asked, **plain()))
    np.testing.assert_array_equal(svf, rooftop.sky_view_raster(bare, CELL, asked, **plain()))
    by_cell = rooftop.monthly_irradiation(sky(), bare, CELL, asked, **plain())
    assert months.dims == ("month", "y", "x") and months["month"].to_numpy().tolist() == list(range(1, 13))
    np.testing.assert_array_equal(months.to_numpy()[:, asked].T, by_cell)
    assert np.isnan(months.to_numpy()[:, ~asked]).all()
    assert type(rooftop.sky_view_raster(bare, CELL, asked, n_azimuth=N)) is np.ndarray


def test_without_a_mask_every_cell_is_computed() -> None:
    everywhere = rooftop.sky_view_raster(model(), n_azimuth=N)
    asked = np.ones((30, 40), dtype=bool)
    np.testing.assert_array_equal(everywhere, rooftop.sky_view_raster(model(), mask=asked, n_azimuth=N))
    bare = model().to_numpy()
    np.testing.assert_array_equal(
        rooftop.sky_view_raster(bare, CELL, n_azimuth=N), rooftop.sky_view_raster(bare, CELL, asked, n_azimuth=N)
    )
    assert np.isfinite(everywhere).all()


def test_missing_heights_are_nan_or_the_fill_value() -> None:
    dsm = model()
    holes, filled = dsm.copy(deep=True), dsm.copy(deep=True)
    holes[3, 4] = np.nan
    filled[3, 4] = -9999.0
    filled.attrs["_FillValue"] = -9999.0
    found = [rooftop.sky_view_raster(one, n_azimuth=N) for one in (holes, filled)]
    np.testing.assert_array_equal(*found)
    assert int(np.isnan(found[0]).sum()) == 1


def test_the_crs_is_where_grid_mapping_says() -> None:
    dsm = model().rename({"spatial_ref": "crs"})
    dsm.attrs["grid_mapping"] = "crs"
    found, expected = (rooftop.sky_view_raster(one, n_azimuth=N) for one in (dsm, model()))
    np.testing.assert_array_equal(found, expected)
    assert found.attrs["grid_mapping"] == "crs"
    said = model(None).assign_coords(spatial_ref=((), 0, UTM.to_cf()))
    np.testing.assert_array_equal(rooftop.sky_view_raster(said, n_azimuth=N), expected)


def test_two_windows_of_one_raster_agree() -> None:
    dsm = model()
    rows, cols = np.nonzero(mask())
    inner = dsm[1:, 2:]
    known = (rows >= 1) & (cols >= 2)
    whole = rooftop.horizons(dsm, None, rows[known], cols[known], n_azimuth=N, grid_north_deg=1.0)
    part = rooftop.horizons(inner, None, rows[known] - 1, cols[known] - 2, n_azimuth=N, grid_north_deg=1.0)
    np.testing.assert_array_equal(whole, part)


FEET = CRS.from_epsg(2263)
NO_CRS = {"crs_wkt": "UTM 50"}
WRONG: dict[str, tuple[Any, str, str]] = {
    "band": (lambda: model().expand_dims("band"), "dsm.dims", "isel(band=0)"),
    "turned": (lambda: model().transpose("x", "y"), "dsm.dims", "transpose"),
    "names": (lambda: model().rename(x="lon", y="lat"), "dsm.dims", "rename"),
    "no coordinates": (lambda: model(None).drop_vars(["x", "y"]), "dsm.coords", "x, y"),
    "south up": (lambda: model().isel(y=slice(None, None, -1)), "dsm.coords['y']", "slice(None, None, -1)"),
    "west up": (lambda: model().isel(x=slice(None, None, -1)), "dsm.coords['x']", "isel(x="),
    "uneven": (lambda: model(x=EAST + np.cumsum(np.linspace(2.0, 2.1, 40))), "dsm.coords['x']", "square"),
    "oblong": (lambda: model(x=EAST + 3.0 * np.arange(40)), "dsm.coords", "3 × 2"),
    "text": (lambda: model(x=[f"c{k:02d}" for k in range(40)]), "dsm.coords['x']", "numbers"),
    "degrees": (lambda: model(CRS.from_epsg(4326), 1e-5), "cell_size_m", "0.01"),
    "large degrees": (lambda: model(CRS.from_epsg(4326), 0.25), "dsm.rio.crs", "degree"),
    "feet": (lambda: model(FEET), "dsm.rio.crs", "foot"),
    "one cell": (lambda: model()[:1, :1], "dsm", "two cells"),
    "crs": (lambda: model(None).assign_coords(spatial_ref=((), 0, NO_CRS)), "dsm.coords['spatial_ref']", "WKT"),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
def test_other_rasters_are_refused(case: str) -> None:
    made, where, word = WRONG[case]
    dsm = made()
    with pytest.raises(ArgumentError) as caught:
        rooftop.sky_view_raster(dsm, n_azimuth=N)
    assert str(caught.value.details["where"]) == where and word in caught.value.render("en")
    assert caught.value.render("zh") != caught.value.render("en")


@pytest.mark.parametrize("name", ["mask", "surface_tilt", "surface_azimuth", "zone"])
def test_other_rasters_of_a_call_lie_on_the_same_cells(name: str) -> None:
    dsm = model()
    values = {"mask": mask(), "zone": np.zeros((30, 40), int)}.get(name, np.zeros((30, 40)))
    fits = dsm.copy(data=values)
    rooftop.irradiation_raster(sky(), dsm, n_azimuth=N, **{name: fits})
    for moved, axis in ((fits.assign_coords(x=fits["x"] + 1.0), "x"), (fits[:-1], "y"), (fits.T, "dims")):
        with pytest.raises(ArgumentError) as caught:
            rooftop.irradiation_raster(sky(), dsm, n_azimuth=N, **{name: moved})
        assert str(caught.value.details["where"]).startswith(name) and axis in str(caught.value.details["where"])


def test_a_size_that_contradicts_the_coordinates_is_refused() -> None:
    with pytest.raises(ArgumentError, match="as the coordinates say"):
        rooftop.sky_view_raster(model(), 1.0, n_azimuth=N)
    with pytest.raises(ArgumentError, match="cell_size_m"):
        rooftop.sky_view_raster(model().to_numpy(), n_azimuth=N)
