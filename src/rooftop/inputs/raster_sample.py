"""Values of a raster at points: any CRS, bilinear, missing cells never zero, only the needed window read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pyproj import CRS, Transformer
from rasterio.io import DatasetReader
from rasterio.windows import Window

from rooftop.core.types import B1, F8, I8
from rooftop.inputs.rasters import open_raster, stated_crs

_MAX_WINDOW_CELLS = 16_000_000


@dataclass(frozen=True)
class Band:
    """One band of a raster file.

    Parameters
    ----------
    path : Path
        The file.
    index : int
        Band number, from 1.
    low, high : float
        Stored values (after scale and offset) outside are missing although the file does not say so.
    zero_is_missing : bool
        0 counts as missing too: no place has no sunlight, but in the polar night.
    variable : str or None
        Of a file of several, the one that the bands belong to.
    role : str
        Configuration key, for messages.
    """

    path: Path
    index: int
    low: float
    high: float
    zero_is_missing: bool
    variable: str | None = None
    role: str = ""

    @property
    def where(self) -> str:
        """Configuration key and file, for messages."""
        return f"{self.role}: {self.path}" if self.role else str(self.path)


@dataclass(frozen=True)
class BandSample:
    """Values at points.

    Parameters
    ----------
    value : numpy.ndarray
        (n,) scaled values in the file's unit, NaN where missing.
    outside : numpy.ndarray of bool
        (n,) beyond the raster.
    nodata : numpy.ndarray of bool
        (n,) inside, but none of the four surrounding cells has a value.
    undeclared : int
        Cells read that were taken for missing although the file does not declare them so.
    """

    value: F8
    outside: B1
    nodata: B1
    undeclared: int


def sample_band(band: Band, lon: F8, lat: F8) -> BandSample:
    """Interpolate one band bilinearly between cell centres.

    Parameters
    ----------
    band : Band
        Where to read.
    lon, lat : numpy.ndarray
        (n,) WGS84 [deg]; NaN gives NaN and counts neither as outside nor as nodata.

    Returns
    -------
    BandSample
        Cells without value take no part, and the weights of the others are renormalised; the outermost half cell
        takes the nearest cells. Longitudes are wrapped to the raster's range; a raster around the whole globe has no
        seam.
    """
    value = np.full(len(lon), np.nan)
    outside = np.zeros(len(lon), dtype=bool)
    known = np.flatnonzero(np.isfinite(lon) & np.isfinite(lat))
    with open_raster(band.path, band.where, variable=band.variable) as source:
        x, y = _to_raster_crs(source, lon[known], lat[known])
        back = ~source.transform
        column, row = back.a * x + back.b * y + back.c, back.d * x + back.e * y + back.f
        inside = (column >= 0) & (column <= source.width) & (row >= 0) & (row <= source.height)
        outside[known] = ~inside
        taken = known[inside]
        undeclared = 0
        for part in _parts(column[inside], row[inside], np.arange(len(taken))):
            value[taken[part]], missed = _interpolate(source, band, column[inside][part], row[inside][part])
            undeclared += missed
    nodata = np.zeros(len(lon), dtype=bool)
    nodata[taken] = np.isnan(value[taken])
    return BandSample(value, outside, nodata, undeclared)


def _crs(source: DatasetReader) -> CRS:
    crs = stated_crs(source)
    return CRS.from_epsg(4326) if crs is None else crs  # opening has refused those that state none


def _is_global(source: DatasetReader) -> bool:
    """Say whether the raster goes once around the globe."""
    return bool(_crs(source).is_geographic and abs(abs(source.transform.a) * source.width - 360.0) < 1e-6)


def _to_raster_crs(source: DatasetReader, lon: F8, lat: F8) -> tuple[F8, F8]:
    crs = _crs(source)
    x, y = Transformer.from_crs("EPSG:4326", crs, always_xy=True).transform(lon, lat)
    x, y = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    if crs.is_geographic:
        left = min(source.bounds.left, source.bounds.right)
        x = left + np.mod(x - left, 360.0)
    return x, y


def _parts(column: F8, row: F8, members: I8) -> list[I8]:
    """Split points until the window of each part is small enough to read."""
    if not len(members):
        return []
    spans = [np.ptp(axis[members]) + 2.0 for axis in (column, row)]
    if spans[0] * spans[1] <= _MAX_WINDOW_CELLS or len(members) == 1:
        return [members]
    axis = column if spans[0] >= spans[1] else row
    order = members[np.argsort(axis[members], kind="stable")]
    half = len(order) // 2
    return [*_parts(column, row, order[:half]), *_parts(column, row, order[half:])]


def _interpolate(source: DatasetReader, band: Band, column: F8, row: F8) -> tuple[F8, int]:
    around = _is_global(source)
    c0, r0 = np.floor(column - 0.5).astype(np.int64), np.floor(row - 0.5).astype(np.int64)
    wc, wr = column - 0.5 - c0, row - 0.5 - r0
    columns = np.stack([c0, c0 + 1, c0, c0 + 1])
    rows = np.stack([r0, r0, r0 + 1, r0 + 1])
    weights = np.stack([(1 - wr) * (1 - wc), (1 - wr) * wc, wr * (1 - wc), wr * wc])
    if around:
        columns = np.mod(columns, source.width)
    exists = (columns >= 0) & (columns < source.width) & (rows >= 0) & (rows < source.height)
    columns, rows = np.clip(columns, 0, source.width - 1), np.clip(rows, 0, source.height - 1)
    left, top = int(columns.min()), int(rows.min())
    window = Window(left, top, int(columns.max()) - left + 1, int(rows.max()) - top + 1)
    cells, undeclared = _read_window(source, band, window)
    values = cells[rows - top, columns - left]
    weights = np.where(exists & np.isfinite(values), weights, 0.0)
    total = weights.sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = (weights * np.nan_to_num(values)).sum(axis=0) / total
    return np.where(total > 1e-9, mean, np.nan), undeclared


def _read_window(source: DatasetReader, band: Band, window: Window) -> tuple[F8, int]:
    masked = source.read(band.index, window=window, masked=True)
    cells = np.ma.filled(masked.astype(np.float64), np.nan)
    cells = cells * source.scales[band.index - 1] + source.offsets[band.index - 1]
    cells[~np.isfinite(cells)] = np.nan
    with np.errstate(invalid="ignore"):
        bad = (cells < band.low) | (cells > band.high)
        if band.zero_is_missing:
            bad |= cells == 0.0
    cells[bad] = np.nan
    return cells, int(bad.sum())
