"""The one door to raster files: what may be opened, which bands a variable has, and errors that name the file."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

import rasterio
from pyproj import CRS
from pyproj.exceptions import CRSError
from rasterio._err import CPLE_BaseError
from rasterio.errors import NotGeoreferencedWarning, RasterioError
from rasterio.io import DatasetReader

from rooftop.core.errors import InputError
from rooftop.core.lang import Text
from rooftop.core.notices import Notice
from rooftop.inputs.access import Access, access
from rooftop.inputs.files import check_file, did_you_mean, suggest
from rooftop.inputs.input_files import input_files
from rooftop.inputs.references import is_vrt, vrt_sources

RASTER_ERRORS = (RasterioError, CPLE_BaseError)
"""What reading and warping a raster raises; GDAL's own errors come through rasterio unchanged here and there."""
_DEGREES_EAST = ("degrees_east", "degree_east", "degrees_e", "degree_e", "degreese", "degreee")
_DEGREES_NORTH = ("degrees_north", "degree_north", "degrees_n", "degree_n", "degreesn", "degreen")
_AXES = {"east": ("lon", "longitude"), "north": ("lat", "latitude")}


@contextmanager
def open_raster(
    path: Path, where: str, *, variable: str | None = None, allowed: Access | None = None
) -> Iterator[DatasetReader]:
    """Open a raster file of this machine; whatever goes wrong while it is open names it.

    Parameters
    ----------
    path : Path
    where : str
        Configuration key and file, for messages.
    variable : str, optional
        Of a file of several, the one that is opened.
    allowed : Access, optional
        What was allowed when the file was first opened, for other threads; None: what is allowed here.

    Yields
    ------
    rasterio.io.DatasetReader
        Not shared with other threads.

    Raises
    ------
    InputError
        No such file, none of the formats of `configs/input_files.yaml`, what `vrt_sources` refuses, several variables
        and none named, another variable named; the file cannot be read to where it is read.
    """
    allowed = access() if allowed is None else allowed
    check_file(path, where, a_file=True)
    _admit(path, where, allowed)
    drivers = ["VRT"] if is_vrt(path) else None if allowed.allow_remote else list(input_files().raster_drivers)
    with rasterio.Env(**allowed.walls), warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        try:
            source = DatasetReader(path, driver=drivers, sharing=False)
        except RASTER_ERRORS as error:
            raise _no_raster_error(where, error) from error
        try:
            with source:
                if not allowed.allow_remote and source.tags(ns="OVERVIEWS").get("OVERVIEW_FILE"):
                    raise _no_raster_error(where, "OVERVIEW_FILE")
                if source.count or variable is not None:
                    _require_variable(source, variable, where)
                if source.count:
                    yield source
                    return
                with _part(source, path, variable, where) as part:
                    yield part
        except RASTER_ERRORS as error:
            raise _unreadable_error(where, error) from error


def _admit(path: Path, where: str, allowed: Access) -> None:
    """Look into a VRT, once for every state of it."""
    if is_vrt(path):
        state = path.stat()
        _sources(path, where, state.st_mtime_ns, state.st_size, allowed)


@lru_cache(maxsize=256)
def _sources(path: Path, where: str, _mtime_ns: int, _size: int, _allowed: Access) -> tuple[Path, ...]:
    return vrt_sources(path, where)


def raster_files(path: Path, where: str) -> tuple[Path, ...]:
    """Return the files that a raster's values come from: itself, and what a VRT is made of."""
    return (path, *vrt_sources(path, where)) if is_vrt(path) else (path,)


def source_details(path: Path, where: str) -> dict[str, str]:
    """Return what provenance says about the sources of a VRT; nothing of other rasters."""
    sources = raster_files(path, where)[1:]
    if not sources:
        return {}
    folder = path.resolve().parent
    names = [str(s.relative_to(folder)) if s.is_relative_to(folder) else str(s) for s in sources]
    listing = ", ".join(names[:20]) + (", ..." if len(names) > 20 else "")
    return {"sources": f"{len(names)}: {listing}"}


# --- several variables in one file -----------------------------------------------------------------------------------


def variables(source: DatasetReader, path: Path) -> dict[str, str]:
    """Return the variables of a container by name, each with what GDAL calls it."""
    bare = str(path).replace('"', "")
    by_name: dict[str, str] = {}
    for name in source.subdatasets:
        prefix, _, path_part = name.partition(":")
        tail = path_part.replace('"', "").removeprefix(bare)
        by_name[tail.lstrip(":/")] = f'{prefix}:"{path}"{tail}'
    return by_name


@contextmanager
def _part(source: DatasetReader, path: Path, variable: str | None, where: str) -> Iterator[DatasetReader]:
    known = variables(source, path)
    if not known:
        raise _no_raster_error(where, Text("no band", "无波段"))
    if variable is None and len(known) == 1:
        variable = next(iter(known))
    if variable not in known:
        raise _variable_error(where, variable, list(known))
    if '"' in str(path):
        raise InputError(
            Text(
                "a file of several variables may not have a quotation mark in its path", "多变量文件的路径中不能含引号"
            ),
            where=where,
            found=str(path),
            mend=Text("rename the file or its folder", "请重命名文件或文件夹"),
        )
    with DatasetReader(known[variable], driver=[source.driver], sharing=False) as part:
        yield part


def bands_of(source: DatasetReader, variable: str | None) -> tuple[int, ...]:
    """Return the bands, from 1, that hold a variable; all of them where none is named or the file holds one only."""
    every = tuple(int(k) for k in source.indexes)
    names = _band_names(source)
    of_variable = tuple(k for k in every if variable in names[k - 1])
    return of_variable if variable is not None and of_variable else every


def _band_names(source: DatasetReader) -> list[set[str]]:
    """Return the names that each band goes by: description, NetCDF variable, GRIB element."""
    keys = ("NETCDF_VARNAME", "GRIB_ELEMENT", "GRIB_SHORT_NAME")
    tagged = [source.tags(k) for k in source.indexes]
    return [
        {name for name in (text, *(tags.get(key) for key in keys)) if name}
        for text, tags in zip(source.descriptions, tagged, strict=True)
    ]


def _require_variable(source: DatasetReader, variable: str | None, where: str) -> None:
    """Refuse a name that no band of a file with bands goes by."""
    if variable is None or not source.count:
        return
    known = sorted(set().union(*_band_names(source)))
    if variable not in known:
        raise _variable_error(where, variable, known)


def require_one_variable(path: Path, variable: str | None, where: str) -> None:
    """Refuse a file whose bands go by several names, none of which is named.

    Raises
    ------
    InputError
        Lists the names.
    """
    if variable is not None:
        return
    with open_raster(path, where) as source:
        known = sorted(set().union(*_band_names(source)))
    if len(known) > 1:
        raise _variable_error(where, None, known)


def _variable_error(where: str, variable: str | None, known: list[str]) -> InputError:
    listed = ", ".join(known[:20]) + (", ..." if len(known) > 20 else "")
    one = Text(f"name one: variable: {known[0]}", f"请指定其一：variable: {known[0]}") if known else None
    if variable is None:
        return InputError(
            Text(
                f"the file holds {len(known)} variables: {listed}; name one",
                f"文件含 {len(known)} 个变量：{listed}；请指定其一",
            ),
            where=where,
            found=listed,
            expected=Text("the key variable beside path", "在 path 旁设置 variable"),
            mend=one,
        )
    near = did_you_mean(variable, known)
    nothing = Text("delete variable: nothing in the file is named", "请删去 variable：文件中没有命名的变量")
    return InputError(
        Text("the file has no such variable", "文件中没有该变量"),
        where=where,
        found=variable,
        expected=listed or Text("no name at all", "无任何名称"),
        mend=suggest(near, one or nothing),
    )


# --- where it lies ---------------------------------------------------------------------------------------------------


def stated_crs(source: DatasetReader) -> CRS | None:
    """Return the CRS of a raster; WGS84 where a NetCDF file states none but longitudes and latitudes.

    CF Conventions 1.11, 4.1 and 4.2: such coordinates are known by their units, ``degrees_east`` and ``degrees_north``.
    """
    if source.crs is not None:
        try:
            return CRS(source.crs)
        except CRSError:
            return None
    return CRS.from_epsg(4326) if assumes_wgs84(source) else None


def assumes_wgs84(source: DatasetReader) -> bool:
    """Tell whether a raster states no CRS, but that its axes are longitude and latitude."""
    if source.crs is not None or source.driver.lower() != "netcdf":
        return False
    west, south, east, north = source.bounds
    if not (-360.5 <= west < east <= 540.5 and min(south, north) >= -90.5 and max(south, north) <= 90.5):
        return False
    units = {
        key.rpartition("#")[0].lower(): str(v).lower() for key, v in source.tags().items() if key.endswith("#units")
    }
    axes = {key.partition("#")[0].lower() for key in source.tags()}
    known = {"east": _DEGREES_EAST, "north": _DEGREES_NORTH}
    return all(
        any(unit in known[side] for unit in units.values()) or any(name in axes for name in _AXES[side])
        for side in known
    )


def crs_assumed_notice(role: str, path: Path) -> Notice:
    """Return what is said where `assumes_wgs84` holds."""
    text = Text(
        "the raster states no CRS; its axes are longitude and latitude, and WGS84 is taken",
        "栅格未注明坐标系；其坐标轴为经纬度，按WGS84处理",
    )
    return Notice("raster_crs_assumed", text, 1, "info", f"{role}: {path}")


# --- what is said ----------------------------------------------------------------------------------------------------


def _no_raster_error(where: str, error: object) -> InputError:
    found = error if isinstance(error, Text) else str(error)[:200]
    return InputError(
        Text("the file is not a raster that can be read", "该文件不是可读取的栅格"),
        where=where,
        found=found,
        expected=Text("GeoTIFF, or another raster format that holds its own data", "GeoTIFF，或其他自带数据的栅格格式"),
        mend=Text(
            "open it in QGIS; save it as GeoTIFF if it opens there", "请在QGIS中打开检查；若能打开，另存为GeoTIFF"
        ),
    )


def _unreadable_error(where: str, error: object) -> InputError:
    return InputError(
        Text("the raster is damaged: it cannot be read to its end", "栅格已损坏，无法完整读取"),
        where=where,
        found=str(error)[:200],
        expected=Text("a complete file", "完整的文件"),
        mend=Text("copy or download it again", "请重新复制或下载"),
    )
