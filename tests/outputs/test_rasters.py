"""Rasters: cloud-optimised as the format is defined, and saying what they are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import rasterio
from pyproj import CRS

from rooftop.outputs.rasters import NODATA, CellValues, write_raster

CELL_M = 0.5
ABOUT = {"azimuths": "72", "sky_model": "perez", "weather": "EPW 58358"}


def cells(row0: int, col0: int, n_rows: int, n_cols: int, bands: int = 1) -> CellValues:
    """A block with holes; the value tells row, column and band."""
    row, col = np.mgrid[row0 : row0 + n_rows, col0 : col0 + n_cols].reshape(2, -1)
    keep = (row + col) % 7 > 0
    row, col = row[keep], col[keep]
    value = ((row - row0) + 0.001 * (col - col0))[:, None] + 1000.0 * np.arange(bands)
    return CellValues(row, col, (value[:, 0] if bands == 1 else value).astype(np.float32))


@pytest.fixture(scope="module")
def monthly(tmp_path_factory: pytest.TempPathFactory) -> Path:
    parts = [cells(-900, 400, 300, 700, 12), cells(-300, 1500, 400, 50, 12), cells(0, 0, 0, 0, 12)]
    path = tmp_path_factory.mktemp("rasters") / "poa_monthly.tif"
    found = write_raster(path, "poa_monthly", parts, CELL_M, CRS.from_epsg(4549), "linear", ABOUT)
    assert found == path
    return path


def offsets(raster: rasterio.DatasetReader) -> tuple[list[int], list[int]]:
    """Where the directories of image and overviews stand in the file, and the first tile that each wrote."""
    directories, tiles = [], []
    for level in range(-1, len(raster.overviews(1))):
        ovr = None if level < 0 else level
        directories.append(int(raster.get_tag_item("IFD_OFFSET", "TIFF", bidx=1, ovr=ovr)))
        shape = raster.shape if level < 0 else [-(-n // raster.overviews(1)[level]) for n in raster.shape]
        names = [f"BLOCK_OFFSET_{x}_{y}" for x in range(-(-shape[1] // 256)) for y in range(-(-shape[0] // 256))]
        found = [raster.get_tag_item(name, "TIFF", bidx=1, ovr=ovr) for name in names]
        tiles.append(min(int(f) for f in found if f))
    return directories, tiles


def test_monthly_raster_is_cloud_optimised(monthly: Path) -> None:
    """As GDAL's validator asks: tiled, overviews, directories first in order, then data from coarse to fine."""
    with rasterio.open(monthly) as raster:
        assert raster.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
        assert raster.profile["tiled"] and raster.block_shapes == [(256, 256)] * 12
        assert raster.overviews(1) == [2, 4, 8]
        assert -(-max(raster.shape) // raster.overviews(1)[-1]) <= 256
        directories, tiles = offsets(raster)
    assert directories == sorted(directories) and directories[-1] < min(tiles)
    assert tiles == sorted(tiles, reverse=True)


def test_monthly_raster_says_what_it_is(monthly: Path) -> None:
    with rasterio.open(monthly) as raster:
        assert raster.count == 12 and raster.dtypes[0] == "float32" and raster.nodata == NODATA
        assert raster.descriptions == tuple(f"poa_monthly_{m:02d}" for m in range(1, 13))
        assert raster.units == ("kWh/m2",) * 12
        assert raster.tags(7)["month"] == "7"
        assert raster.crs.to_epsg() == 4549
        tags = raster.tags()
    assert tags.items() >= {**ABOUT, "surface": "linear", "quantity": "poa_monthly", "unit": "kWh/m2"}.items()
    assert "month" in tags["TIFFTAG_IMAGEDESCRIPTION"]


def test_every_cell_is_in_its_place_and_nothing_else_is(monthly: Path) -> None:
    with rasterio.open(monthly) as raster:
        assert raster.transform.c == 400 * CELL_M and raster.transform.f == 900 * CELL_M
        found = raster.read(masked=True)
    expected = np.full((12, 1000, 1150), np.nan, dtype=np.float32)
    for part in (cells(-900, 400, 300, 700, 12), cells(-300, 1500, 400, 50, 12)):
        expected[:, part.lattice_row + 900, part.lattice_col - 400] = part.value.T
    np.testing.assert_array_equal(found.filled(np.nan), expected)


@pytest.mark.parametrize("name,unit", [("poa_annual", "kWh/m2"), ("svf", "1"), ("shading_loss", "1")])
def test_single_band(tmp_path: Path, name: str, unit: str) -> None:
    path = tmp_path / f"{name}.tif"
    write_raster(path, name, [cells(5, 7, 20, 30)], 1.0, CRS.from_epsg(4549), "prism", ABOUT)
    with rasterio.open(path) as raster:
        assert raster.descriptions == (name,) and raster.units == (unit,)
        assert raster.tags()["surface"] == "prism" and raster.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
        if name == "svf":
            assert "level" in raster.tags()["TIFFTAG_IMAGEDESCRIPTION"]
    assert list(tmp_path.iterdir()) == [path]


def test_overviews_leave_what_is_no_roof_out(tmp_path: Path) -> None:
    path = tmp_path / "svf.tif"
    part = cells(0, 0, 600, 600)
    ones = CellValues(part.lattice_row, part.lattice_col, np.full(len(part.value), 0.5, dtype=np.float32))
    write_raster(path, "svf", [ones], 1.0, CRS.from_epsg(4549), "prism", ABOUT)
    with rasterio.open(path, overview_level=0) as coarse:
        assert np.unique(coarse.read(1, masked=True).compressed()).tolist() == [0.5]


def test_no_cells_no_raster(tmp_path: Path) -> None:
    assert write_raster(tmp_path / "svf.tif", "svf", [], 1.0, CRS.from_epsg(4549), "prism") is None
