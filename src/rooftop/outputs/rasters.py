"""Cloud-optimised GeoTIFFs of what each roof cell receives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import rasterio
import rasterio.shutil
from affine import Affine
from pyproj import CRS
from rasterio.windows import Window

from rooftop.core.types import F4, I8
from rooftop.outputs.files import write_at_once

UNITS = {"poa_annual": "kWh/m2", "poa_monthly": "kWh/m2", "svf": "1", "shading_loss": "1"}
_FIELDS = {
    "poa_annual": "poa_annual_kwh_m2",
    "poa_monthly": "poa_monthly_kwh_m2",
    "svf": "svf",
    "shading_loss": "shading_loss",
}
_WHAT = {
    "poa_annual": "annual irradiation on the array plane, behind obstacles, terrain and the row in front, "
    "at the area's mean irradiance",
    "poa_monthly": "irradiation on the array plane in each month, behind obstacles, terrain and the row in front, "
    "at the area's mean irradiance; the bands sum to poa_annual",
    "svf": "sky view factor of the level cell: cosine-weighted share of the sky above its horizons, without rows",
    "shading_loss": "one minus irradiation on the array plane over that of the same plane alone",
}
NODATA = -9999.0
_BLOCK = 256
_PROFILE = {
    "driver": "GTiff",
    "dtype": "float32",
    "nodata": NODATA,
    "tiled": True,
    "blockxsize": _BLOCK,
    "blockysize": _BLOCK,
    "compress": "deflate",
    "predictor": 3,
    "SPARSE_OK": True,
    "BIGTIFF": "IF_SAFER",
    "interleave": "band",
}


@dataclass(frozen=True)
class CellValues:
    """Cells of one tile: lattice positions from the CRS origin, and values (n,), or (n, bands)."""

    lattice_row: I8
    lattice_col: I8
    value: F4


def write_raster(
    path: Path,
    name: str,
    parts: Sequence[CellValues],
    cell_size_m: float,
    crs: CRS,
    surface: str,
    about: Mapping[str, str] | None = None,
) -> Path | None:
    """Write one raster from the cells of all tiles; None when there are no cells.

    Parameters
    ----------
    name : {"poa_annual", "poa_monthly", "svf", "shading_loss"}
    parts : sequence of CellValues
        ``poa_monthly`` has 12 values per cell, the rest one.
    surface : str
        Which surface the horizons saw (``prism`` or ``linear``): kept in the metadata, results differ by it.
    about : mapping, optional
        More tags: number of azimuths, sky model, weather.
    """
    parts = [part for part in parts if len(part.value)]
    if not parts:
        return None
    row0 = min(int(part.lattice_row.min()) for part in parts)
    col0 = min(int(part.lattice_col.min()) for part in parts)
    n_rows = max(int(part.lattice_row.max()) for part in parts) - row0 + 1
    n_cols = max(int(part.lattice_col.max()) for part in parts) - col0 + 1
    transform = Affine(cell_size_m, 0.0, col0 * cell_size_m, 0.0, -cell_size_m, -row0 * cell_size_m)
    bands = [f"{name}_{m:02d}" for m in range(1, 13)] if name == "poa_monthly" else [name]
    size = {"width": n_cols, "height": n_rows, "count": len(bands)}
    profile = {**_PROFILE, **size, "crs": crs.to_wkt(), "transform": transform}

    def write(target: Path) -> None:
        plain = target.with_suffix(".plain.tif")
        with rasterio.open(plain, "w+", **profile) as raster:
            for part in parts:
                _paint(raster, part, row0, col0)
            tags = {"software": "rooftop", **(about or {}), "surface": surface, "quantity": name, "unit": UNITS[name]}
            raster.update_tags(TIFFTAG_IMAGEDESCRIPTION=_WHAT[name], **tags)
            raster.descriptions = tuple(bands)
            raster.units = (UNITS[name],) * len(bands)
            if len(bands) == 12:
                for month in range(1, 13):
                    raster.update_tags(month, month=str(month))
        rasterio.shutil.copy(
            plain,
            target,
            driver="COG",
            compress="deflate",
            predictor=3,
            blocksize=_BLOCK,
            overview_resampling="average",
            bigtiff="if_safer",
        )
        plain.unlink()

    return write_at_once(path, write)


def _paint(raster: rasterio.io.DatasetWriter, part: CellValues, row0: int, col0: int) -> None:
    rows, cols = part.lattice_row - row0, part.lattice_col - col0
    top, left = int(rows.min()), int(cols.min())
    window = Window(left, top, int(cols.max()) - left + 1, int(rows.max()) - top + 1)
    values = part.value.reshape(len(rows), -1).T
    for band, value in enumerate(values, start=1):
        block = raster.read(band, window=window)
        block[rows - top, cols - left] = value
        raster.write(block, band, window=window)


def raster_field(name: str) -> str:
    """Return the field of ``rooftop.job.tile.TileCells`` that a raster shows."""
    return _FIELDS[name]
