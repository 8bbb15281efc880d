"""Elevation rasters and gridded point clouds in the working CRS: bilinear or sharp, missing cells stay missing."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pyproj import CRS
from rasterio.enums import Resampling
from rasterio.io import DatasetReader
from rasterio.transform import from_origin
from rasterio.vrt import WarpedVRT
from rasterio.warp import transform_bounds

from rooftop.config import ElevationInput
from rooftop.core.errors import InputError
from rooftop.core.lang import Text
from rooftop.core.notices import Notice, Provenance, file_sha256
from rooftop.core.types import F4
from rooftop.inputs.access import STRICT, Access, access
from rooftop.inputs.datums import parse_crs
from rooftop.inputs.las_files import is_point_cloud
from rooftop.inputs.lidar import ElevationKind, PointGrid, grid_points
from rooftop.inputs.rasters import (
    RASTER_ERRORS,
    assumes_wgs84,
    bands_of,
    crs_assumed_notice,
    open_raster,
    require_one_variable,
    source_details,
    stated_crs,
)

_LOWEST_M, _HIGHEST_M = -500.0, 9000.0
_FEET = {"ft": 0.3048, "foot": 0.3048, "feet": 0.3048, "us-ft": 0.3048006096, "us survey foot": 0.3048006096}
_METRES = ("", "m", "metre", "meter", "metres", "meters")
_GLANCE_CELLS = 512


@dataclass(frozen=True, kw_only=True)
class Elevation:
    """An elevation raster, seen in the working CRS; reading is thread-safe (each call opens the file).

    Parameters
    ----------
    path : Path
        The file.
    crs : pyproj.CRS
        The working CRS.
    bounds : tuple of float
        x_min, y_min, x_max, y_max of the raster in the working CRS [m].
    scale, offset : float
        What turns stored values into metres, ``vertical_offset_m`` included.
    missing : float or None
        Stored value that means missing.
    provenance : Provenance
        The file.
    notices : tuple of Notice
        What opening found.
    sharp : bool
        Take the nearest cell instead of blending: walls of a surface model stay walls.
    points : PointGrid or None
        The gridded point cloud that is read instead of the file.
    source_crs : pyproj.CRS or None
        CRS of the file where the configuration says it.
    variable : str or None
        Of a file of several, the one that is read.
    band : int
        Its band, from 1.
    allowed : Access
        What the file may refer to, as it was when the file was opened.
    """

    path: Path
    crs: CRS
    bounds: tuple[float, float, float, float]
    scale: float
    offset: float
    missing: float | None
    provenance: Provenance
    notices: tuple[Notice, ...] = ()
    sharp: bool = False
    points: PointGrid | None = None
    source_crs: CRS | None = None
    variable: str | None = None
    band: int = 1
    allowed: Access = STRICT

    def _open(self) -> AbstractContextManager[DatasetReader]:
        where = f"{self.provenance.role}.path: {self.path}"
        return open_raster(self.path, where, variable=self.variable, allowed=self.allowed)

    def window(self, x_min: float, y_max: float, cell_size_m: float, n_rows: int, n_cols: int) -> F4:
        """Read a north-up window, resampled bilinearly between cell centres (nearest when `sharp`).

        Parameters
        ----------
        x_min, y_max : float
            North-west corner of the window in the working CRS [m].
        cell_size_m : float
            Cell size [m].
        n_rows, n_cols : int
            Shape.

        Returns
        -------
        numpy.ndarray
            (n_rows, n_cols) float32 [m]; NaN outside the raster and where it has no value.
        """
        target = from_origin(x_min, y_max, cell_size_m, cell_size_m)
        if self.points is not None:
            return self.points.window(target, (n_rows, n_cols), sharp=self.sharp)
        options = {
            "crs": self.crs.to_wkt(),
            "transform": target,
            "width": n_cols,
            "height": n_rows,
            "resampling": Resampling.nearest if self.sharp else Resampling.bilinear,
            "dtype": "float64",
            "nodata": np.nan,
            "src_nodata": self.missing,
        }
        if self.source_crs is not None:
            options["src_crs"] = self.source_crs.to_wkt()
        with self._open() as source, WarpedVRT(source, **options) as view:
            cells = np.ma.filled(view.read(self.band, masked=True).astype(np.float64), np.nan)
        metres = cells * self.scale + self.offset
        with np.errstate(invalid="ignore"):
            metres[(metres < _LOWEST_M) | (metres > _HIGHEST_M)] = np.nan
        return metres.astype(np.float32)

    @property
    def native_cell_m(self) -> float:
        """Edge of the raster's own cells, in the working CRS [m]."""
        if self.points is not None:
            return self.points.grid.cell_size_m
        west, south, east, north = self.bounds
        with self._open() as source:
            return float(np.sqrt((east - west) * (north - south) / (source.width * source.height)))

    def require_overlap(self, x_min: float, y_min: float, x_max: float, y_max: float) -> None:
        """Raise an `InputError` naming both extents where the raster covers nothing of a rectangle [m]."""
        west, south, east, north = self.bounds
        if x_min < east and x_max > west and y_min < north and y_max > south:
            return
        raise InputError(
            Text("the elevation raster lies elsewhere", "高程栅格范围不覆盖研究区"),
            where=f"{self.provenance.role}: {self.path}",
            found=Text(
                f"raster x {west:.0f}..{east:.0f}, y {south:.0f}..{north:.0f} m",
                f"栅格范围 x {west:.0f}..{east:.0f}，y {south:.0f}..{north:.0f} m",
            ),
            expected=Text(
                f"covering x {x_min:.0f}..{x_max:.0f}, y {y_min:.0f}..{y_max:.0f} m ({self.crs.name})",
                f"覆盖 x {x_min:.0f}..{x_max:.0f}，y {y_min:.0f}..{y_max:.0f} m（{self.crs.name}）",
            ),
            mend=Text("check the file and its CRS", "请检查该文件及其坐标系"),
        )


def open_elevation(config: ElevationInput, crs: CRS, role: str = "inputs.elevation") -> Elevation:
    """Open an elevation raster and check it, or read point clouds and grid them.

    Parameters
    ----------
    config : ElevationInput
        One raster, or point clouds; CRS, unit and vertical offset [m].
    crs : pyproj.CRS
        The working CRS, metric.
    role : str
        Configuration key, for messages and provenance; of point clouds ``inputs.dsm`` takes the surface, others take
        the terrain.

    Returns
    -------
    Elevation
        Of a raster the header and a coarse glance have been read, of point clouds everything.

    Raises
    ------
    InputError
        The file is missing, no raster, without CRS, has several bands, or its values are not elevations in metres; what
        :func:`rooftop.inputs.lidar.grid_points` raises.
    """
    path = config.path[0]
    if any(is_point_cloud(p) for p in config.path):
        return _from_points(config, crs, role)
    _require_one_raster(config, role)
    with open_raster(path, f"{role}.path: {path}", variable=config.variable) as source:
        return _elevation_of_raster(source, config, crs, role)


def _require_one_raster(config: ElevationInput, role: str) -> None:
    if len(config.path) > 1:
        raise InputError(
            Text("an elevation raster is one file", "高程栅格只能是一个文件"),
            where=f"{role}.path",
            found=str(len(config.path)),
            expected=Text("one raster, or point clouds (.las, .laz)", "一个栅格，或点云（.las、.laz）"),
            mend="gdalbuildvrt all.vrt *.tif",
        )
    if config.cell_size_m is not None:
        raise InputError(
            Text("a raster has cells of its own", "栅格自有像元大小"),
            where=f"{role}.cell_size_m",
            found=f"{config.cell_size_m:g}",
            expected=Text("nothing: the key is for point clouds", "不填：该键仅用于点云"),
            mend=Text("delete cell_size_m", "请删去 cell_size_m"),
        )


def _from_points(config: ElevationInput, crs: CRS, role: str) -> Elevation:
    kind: ElevationKind = "surface" if role == "inputs.dsm" else "terrain"
    point_grid = grid_points(config, crs, role, kind)
    return Elevation(
        path=config.path[0],
        crs=crs,
        bounds=point_grid.grid.bounds,
        scale=1.0,
        offset=0.0,
        missing=None,
        provenance=point_grid.provenance,
        notices=point_grid.notices,
        points=point_grid,
    )


def _elevation_of_raster(source: DatasetReader, config: ElevationInput, crs: CRS, role: str) -> Elevation:
    path = config.path[0]
    where = f"{role}.path: {path}"
    given, stated = _crs_of(source, config, where)
    band = _band_of(source, config, where)
    unit = config.vertical_unit or (source.units[band - 1] or "").strip().lower()
    if unit not in _METRES and unit not in _FEET:
        raise InputError(Text("unknown unit of elevation", "未知的高程单位"), where=where, found=unit, expected="m, ft")
    to_metre = _FEET.get(unit, 1.0)
    scale = float(source.scales[band - 1]) * to_metre
    offset = float(source.offsets[band - 1]) * to_metre + config.vertical_offset_m
    missing, glance_notices = _glance(source, band, scale, offset, where)
    bounds = _bounds_of(source, stated, crs, where)
    details = {
        "crs": stated.to_string(),
        "size": f"{source.width} x {source.height}",
        "cell": f"{abs(source.transform.a):g} x {abs(source.transform.e):g}",
        "nodata": str(source.nodata),
        "bounds": ", ".join(f"{b:.6g}" for b in source.bounds),
        "unit": unit or "m (assumed)",
        "vertical_offset_m": f"{config.vertical_offset_m:g}",
        **({"variable": config.variable} if config.variable is not None else {}),
        **source_details(path, where),
    }
    notices = (*_unit_notice(unit, where), *glance_notices)
    if config.crs is None and given is not None:
        notices = (*notices, crs_assumed_notice(role, path))
    return Elevation(
        path=path,
        crs=crs,
        bounds=bounds,
        scale=scale,
        offset=offset,
        missing=missing,
        provenance=Provenance(role, str(path), file_sha256(path), details),
        notices=notices,
        source_crs=given,
        variable=config.variable,
        band=band,
        allowed=access(),
    )


def _crs_of(source: DatasetReader, config: ElevationInput, where: str) -> tuple[CRS | None, CRS]:
    """Return the CRS that is given beside the file, or assumed; and the one that counts."""
    given = parse_crs(config.crs, where) if config.crs is not None else None
    if given is None and assumes_wgs84(source):
        given = stated_crs(source)
    stated = given if given is not None else stated_crs(source)
    if stated is None or source.transform.is_identity:
        raise InputError(
            Text("the elevation raster does not say where it lies", "高程栅格缺少坐标系或定位信息"),
            where=where,
            expected=Text("a CRS and a transform in the file", "文件内含坐标系与仿射变换"),
            mend=Text(
                "set crs beside path, e.g. crs: EPSG:4549; without a transform georeference it first",
                "请在 path 旁设置 crs，例如 crs: EPSG:4549；缺少仿射变换的须先配准",
            ),
        )
    return given, stated


def _band_of(source: DatasetReader, config: ElevationInput, where: str) -> int:
    """Return the one band of the file or of its variable, from 1."""
    bands = bands_of(source, config.variable)
    if len(bands) != 1:
        require_one_variable(config.path[0], config.variable, where)
        raise InputError(
            Text("an elevation raster has one band", "高程栅格应只有一个波段"),
            where=where,
            found=str(len(bands)),
            expected="1",
        )
    return bands[0]


def _bounds_of(source: DatasetReader, stated: CRS, crs: CRS, where: str) -> tuple[float, float, float, float]:
    """Return what the file covers in the working CRS."""
    west, south, east, north = source.bounds  # rows that run south to north turn them round
    try:
        bounds = transform_bounds(
            stated.to_wkt(), crs.to_wkt(), min(west, east), min(south, north), max(west, east), max(south, north)
        )
    except RASTER_ERRORS:
        bounds = (np.nan,) * 4
    if not np.isfinite(bounds).all():
        raise InputError(
            Text("the elevation raster cannot be brought into the working CRS", "高程栅格无法转换到工作坐标系"),
            where=where,
            found=f"{stated.name} -> {crs.name}; {', '.join(f'{b:.6g}' for b in source.bounds)}",
            expected=Text("a place on the earth", "地球上的位置"),
            mend=Text("check the raster's CRS and transform", "请检查栅格的坐标系与仿射变换"),
        )
    return float(bounds[0]), float(bounds[1]), float(bounds[2]), float(bounds[3])


def _unit_notice(unit: str, where: str) -> tuple[Notice, ...]:
    if unit not in _FEET:
        return ()
    text = Text("elevations are in feet; they were converted to metres", "高程单位为英尺，已换算为米")
    return (Notice("elevation_in_feet", text, severity="info", source=where),)


def _glance(
    source: DatasetReader, band: int, scale: float, offset: float, where: str
) -> tuple[float | None, tuple[Notice, ...]]:
    """Look at a coarse copy for elevations, and for a value that stands for missing without being declared so.

    Returns
    -------
    missing : float or None
        Stored value to leave out of interpolation.
    notices : tuple of Notice
        Undeclared missing values.
    """
    step = max(max(source.width, source.height) / _GLANCE_CELLS, 1.0)
    shape = (max(1, round(source.height / step)), max(1, round(source.width / step)))
    masked = source.read(band, out_shape=shape, masked=True, resampling=Resampling.nearest)
    stored = np.ma.filled(masked.astype(np.float64), np.nan)
    stored = stored[np.isfinite(stored)]
    metres = stored * scale + offset
    impossible = (metres < _LOWEST_M) | (metres > _HIGHEST_M)
    if impossible.all():
        found = f"{metres.min():g} .. {metres.max():g}" if len(metres) else Text("nodata only", "全部为无数据")
        raise InputError(
            Text("the elevation raster holds no elevations", "高程栅格中没有有效高程"),
            where=where,
            found=found,
            expected=f"{_LOWEST_M:g} .. {_HIGHEST_M:g} m",
        )
    nodata = source.nodatavals[band - 1]
    declared = float("nan") if nodata is None and np.dtype(source.dtypes[band - 1]).kind == "f" else nodata
    if not impossible.any():
        return declared, ()
    values = np.unique(stored[impossible])
    share = impossible.sum() / masked.size
    text = Text(
        f"about {share:.1%} of the elevation raster is {values[0]:g}, no elevation and not declared as nodata: taken "
        "as missing",
        f"高程栅格约 {share:.1%} 的值为 {values[0]:g}，不是高程且未声明为无数据：按缺测处理",
    )
    examples = tuple(f"{v:g}" for v in values[:5])
    notice = Notice("undeclared_nodata", text, int(impossible.sum()), source=where, examples=examples)
    return float(values[0]), (notice,)
