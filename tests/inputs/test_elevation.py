"""Elevation rasters: placed, interpolated, never inventing land where there is none."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import rasterio
from pyproj import CRS, Transformer
from rasterio.transform import from_origin

from rasters import write_raster
from rooftop.config import ElevationInput
from rooftop.core.errors import InputError
from rooftop.inputs.elevation import open_elevation

pytestmark = pytest.mark.filterwarnings("ignore:Use `@` matmul:PendingDeprecationWarning")  # rasterio 1.4 with affine 3

CRS_M = CRS("EPSG:4549")
X0, Y1 = 500_000.0, 3_800_000.0


def write(path: Path, cells, transform=None, crs="EPSG:4549", **options) -> Path:
    cells = np.asarray(cells)
    options = {"nodata": None, "dtype": cells.dtype, **options}
    return write_raster(path, cells, X0, Y1, 2.0, transform=transform, crs=crs, **options)


def plane(n_rows=8, n_cols=11, cell=2.0):
    """z = 3 + 0.5 x - 0.25 y in metres east of X0 and south of Y1: not symmetric in anything."""
    row, col = np.mgrid[:n_rows, :n_cols]
    return (3.0 + 0.5 * (col + 0.5) * cell - 0.25 * (row + 0.5) * cell).astype(np.float32)


def test_window_on_the_raster_s_own_grid_is_the_raster(tmp_path):
    cells = plane()
    ground = open_elevation(ElevationInput(path=write(tmp_path / "dtm.tif", cells)), CRS_M)
    np.testing.assert_allclose(ground.window(X0, Y1, 2.0, 8, 11), cells, atol=1e-5)


def test_window_is_bilinear_between_cell_centres_and_north_is_up(tmp_path):
    ground = open_elevation(ElevationInput(path=write(tmp_path / "dtm.tif", plane())), CRS_M)
    seen = ground.window(X0 + 4.0, Y1 - 3.0, 0.5, 8, 10)
    row, col = np.mgrid[:8, :10]
    expected = 3.0 + 0.5 * (4.0 + (col + 0.5) * 0.5) - 0.25 * (3.0 + (row + 0.5) * 0.5)
    assert seen.dtype == np.float32
    np.testing.assert_allclose(seen, expected, atol=1e-4)


def test_outside_is_nan_and_partial_cover_keeps_the_rest(tmp_path):
    ground = open_elevation(ElevationInput(path=write(tmp_path / "dtm.tif", plane())), CRS_M)
    seen = ground.window(X0 - 8.0, Y1, 2.0, 8, 11)
    assert np.isnan(seen[:, :4]).all()
    np.testing.assert_allclose(seen[:, 4:], plane()[:, :7], atol=1e-5)
    assert np.isnan(ground.window(X0 + 1e5, Y1, 2.0, 4, 5)).all()


@pytest.mark.parametrize("declared", [True, False])
def test_missing_cells_take_no_part(tmp_path, declared):
    cells = plane()
    cells[3, 5] = -9999.0
    path = write(tmp_path / "dtm.tif", cells, nodata=-9999.0 if declared else None)
    ground = open_elevation(ElevationInput(path=path), CRS_M)
    seen = ground.window(X0, Y1, 2.0, 8, 11)
    assert np.isnan(seen[3, 5])
    finer = ground.window(X0, Y1, 0.25, 64, 88)
    known = finer[np.isfinite(finer)]
    assert known.min() >= plane().min() - 1e-3
    assert [n.code for n in ground.notices] == ([] if declared else ["undeclared_nodata"])


def test_another_crs_lands_on_the_same_place(tmp_path):
    """A geographic raster whose value is its own latitude gives, at each cell, the latitude of that cell."""
    lat_top, lon_left, step = 34.35, 119.98, 0.0005
    row, _ = np.mgrid[:100, :100]
    latitude = lat_top - (row + 0.5) * step
    path = write(tmp_path / "far.tif", latitude, from_origin(lon_left, lat_top, step, step), "EPSG:4490")
    ground = open_elevation(ElevationInput(path=path), CRS_M)
    back = Transformer.from_crs(CRS_M, "EPSG:4490", always_xy=True)
    x, y = Transformer.from_crs("EPSG:4490", CRS_M, always_xy=True).transform(120.0, 34.33)
    seen = ground.window(x, y, 10.0, 20, 30)
    r, c = np.mgrid[:20, :30]
    expected = back.transform(x + (c + 0.5) * 10.0, y - (r + 0.5) * 10.0)[1]
    np.testing.assert_allclose(seen, expected, atol=2e-5)
    ground.require_overlap(x, y - 100, x + 100, y)


def test_scale_offset_feet_and_vertical_offset(tmp_path):
    stored = np.full((4, 4), 1000, dtype=np.int16)
    path = write(tmp_path / "dtm.tif", stored, scales=(0.1,), offsets=(5.0,), units=("ft",))
    ground = open_elevation(ElevationInput(path=path, vertical_offset_m=-2.0), CRS_M)
    assert ground.window(X0, Y1, 2.0, 4, 4)[1, 1] == pytest.approx(105.0 * 0.3048 - 2.0)
    assert [n.code for n in ground.notices] == ["elevation_in_feet"]


def test_threads_read_the_same(tmp_path):
    ground = open_elevation(ElevationInput(path=write(tmp_path / "dtm.tif", plane())), CRS_M)
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(lambda _: ground.window(X0, Y1, 1.0, 16, 22), range(16)))
    assert all(np.array_equal(results[0], other, equal_nan=True) for other in results)


def test_provenance_and_extent(tmp_path):
    ground = open_elevation(ElevationInput(path=write(tmp_path / "地形.tif", plane())), CRS_M, "inputs.dtm")
    assert ground.provenance.role == "inputs.dtm"
    assert len(ground.provenance.sha256) == 64
    np.testing.assert_allclose(ground.bounds, (X0, Y1 - 16.0, X0 + 22.0, Y1))
    with pytest.raises(InputError, match="elsewhere") as caught:
        ground.require_overlap(0.0, 0.0, 10.0, 10.0)
    assert "500000" in caught.value.render("zh")


@pytest.mark.parametrize("fault", ["missing", "text", "no_crs", "bands", "nonsense", "unit"])
def test_each_fault_is_one_readable_error(tmp_path, fault):
    path = tmp_path / "dtm.tif"
    if fault == "text":
        path.write_text("not a raster")
    elif fault == "no_crs":
        write(path, plane(), crs=None)
    elif fault == "bands":
        write(path, np.stack([plane()] * 3))
    elif fault == "nonsense":
        write(path, np.full((3, 3), 1e6))
    elif fault == "unit":
        write(path, plane(), units=("fathom",))
    with pytest.raises(InputError) as caught:
        open_elevation(ElevationInput(path=path), CRS_M, "inputs.dtm")
    assert "dtm.tif" in caught.value.render("en")
    assert caught.value.render("zh") != caught.value.render("en")


@pytest.mark.real
@pytest.mark.parametrize("folder", ["goteborg", "delft_ahn3"])
def test_real_surface_models(shared_data, folder):
    files = sorted((shared_data / folder).rglob("*.tif"))
    assert files
    for path in files:
        with rasterio.open(path) as source:
            crs, cell, bounds = CRS(source.crs), abs(source.transform.a), source.bounds
            own = source.read(1, masked=True)
        ground = open_elevation(ElevationInput(path=path), crs)
        seen = ground.window(bounds.left, bounds.top, cell, *own.shape)
        both = ~np.ma.getmaskarray(own) & np.isfinite(np.ma.filled(own.astype(float), np.nan))
        np.testing.assert_allclose(seen[both], own.data[both], atol=1e-3)
        assert np.isnan(seen[~both]).all()
