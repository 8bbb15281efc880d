"""Cloud-optimised GeoTIFFs of what each roof cell receives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import rasterio
import rasterio.shutil
from affine import Affine
from numpy.typing import NDArray
from pyproj import CRS
from rasterio.windows import Window

from rooftop.outputs.store import write_at_once

UNITS = {"poa_annual": "kWh/m2", "svf": "1", "shading_loss": "1"}
_FIELDS = {"poa_annual": "poa_annual_kwh_m2", "svf": "svf", "shading_loss": "shading_loss"}
_BLOCK = 256
NODATA = -9999.0


@dataclass(frozen=True)
class CellValues:
    """Cells of one tile: lattice positions from the CRS origin, and one value each."""

    lattice_row: NDArray[np.int64]
    lattice_col: NDArray[np.int64]
    value: NDArray[np.float32]


def write_raster(
    path: Path, name: str, parts: Sequence[CellValues], cell_size_m: float, crs: CRS, surface: str
) -> Path | None:
    """Write one raster from the cells of all tiles; None when there are no cells.

    Parameters
    ----------
    name : {"poa_annual", "svf", "shading_loss"}
    surface : str
        Which surface the horizons saw (``prism`` or ``linear``): kept in the metadata, results differ by it.
    """
    parts = [part for part in parts if len(part.value)]
    if not parts:
        return None
    row0 = min(int(part.lattice_row.min()) for part in parts)
    col0 = min(int(part.lattice_col.min()) for part in parts)
    n_rows = max(int(part.lattice_row.max()) for part in parts) - row0 + 1
    n_cols = max(int(part.lattice_col.max()) for part in parts) - col0 + 1
    transform = Affine(cell_size_m, 0.0, col0 * cell_size_m, 0.0, -cell_size_m, -row0 * cell_size_m)
    profile = {
        "driver": "GTiff", "width": n_cols, "height": n_rows, "count": 1, "dtype": "float32", "nodata": NODATA,
        "crs": crs.to_wkt(), "transform": transform, "tiled": True, "blockxsize": _BLOCK, "blockysize": _BLOCK,
        "compress": "deflate", "predictor": 3, "SPARSE_OK": True, "BIGTIFF": "IF_SAFER",
    }  # fmt: skip

    def write(target: Path) -> None:
        plain = target.with_suffix(".plain.tif")
        with rasterio.open(plain, "w+", **profile) as raster:
            for part in parts:
                _paint(raster, part, row0, col0)
            raster.update_tags(surface=surface, software="rooftop", quantity=name)
            raster.set_band_description(1, name)
            raster.units = (UNITS[name],)
        rasterio.shutil.copy(
            plain,
            target,
            driver="COG",
            compress="deflate",
            predictor=3,
            blocksize=_BLOCK,
            overview_resampling="average",
        )
        plain.unlink()

    return write_at_once(path, write)


def _paint(raster: rasterio.io.DatasetWriter, part: CellValues, row0: int, col0: int) -> None:
    rows, cols = part.lattice_row - row0, part.lattice_col - col0
    top, left = int(rows.min()), int(cols.min())
    window = Window(left, top, int(cols.max()) - left + 1, int(rows.max()) - top + 1)
    block = raster.read(1, window=window)
    block[rows - top, cols - left] = part.value
    raster.write(block, 1, window=window)


def raster_field(name: str) -> str:
    """Return the field of ``rooftop.potential.TileCells`` that a raster shows."""
    return _FIELDS[name]
