"""The one door to vector files: what may be opened, by which name GDAL gets it, and errors that name the file."""

from __future__ import annotations

import glob
import re
import sqlite3
import warnings
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import lru_cache
from pathlib import Path
from urllib.parse import quote

import pyogrio
from pyogrio.util import vsi_path

from rooftop.core.errors import InputError
from rooftop.core.lang import Text
from rooftop.inputs.access import access, check_zip, damaged_file_error, zip_heads
from rooftop.inputs.encodings import sibling
from rooftop.inputs.files import check_file
from rooftop.inputs.input_files import input_files
from rooftop.inputs.references import HEAD_BYTES, refuse_references

_ARCHIVE = ".zip"
_ARCHIVES = (_ARCHIVE, ".kmz", ".xlsx", ".ods")
_NOT_OPENED = (
    "upper(geometry_type_name) IN ('POLYHEDRALSURFACE', 'TIN', 'TRIANGLE')"
    " OR (upper(geometry_type_name) = 'GEOMETRY' AND (z = 1 OR m = 1))"
)
_TYPE_NAMES = {"15": "PolyhedralSurface", "16": "TIN", "17": "Triangle"}
_TYPE = re.compile(r"Geometry type is not supported: (\d+)")
_ARC_STEP_DEG = "1"  # a circle in 360 parts loses 0.005 % of its area


def admit(path: Path, role: str) -> None:
    """Look at a vector file before GDAL does.

    Raises
    ------
    InputError
        It is not there, may not be read, refers to other files or services, or unpacks to too much.
    """
    check_file(path, role)
    where = f"{role}: {path}" if role else str(path)
    refuse_references(path, where)
    if path.is_file() and path.suffix.lower() in _ARCHIVES:
        for name, start in zip_heads(path, role, HEAD_BYTES):
            refuse_references(path, f"{where} > {name}", start)


@contextmanager
def settings() -> Iterator[None]:
    """Have GDAL's way to the network closed, arcs followed closely, codes kept as text, and its warnings quiet."""
    options = {**access().walls, "OGR_ARC_STEPSIZE": _ARC_STEP_DEG, "GML_FIELDTYPES": "ALWAYS_STRING"}
    before = {name: pyogrio.get_gdal_config_option(name) for name in options}
    pyogrio.set_gdal_config_options(options)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        pyogrio.set_gdal_config_options(before)


@contextmanager
def gdal(path: Path) -> Iterator[str | bytes]:
    """Yield the name by which GDAL is given a file, or its content; what GDAL raises names the file.

    Names are never read as connections: pyogrio takes what stands before ``!`` for an archive and drops what follows
    ``;``, so such a path goes through ``/vsicached``, whose parameter may hold any character.
    """
    try:
        with settings():
            yield _generic_geopackage(path) or gdal_name(path)
    except NotImplementedError:  # shapely about arcs: a matter of a row, not of the file
        raise
    except (RuntimeError, OSError, MemoryError, UnicodeEncodeError) as error:
        raise unreadable_file_error(path, error) from error


def gdal_name(path: Path) -> str:
    """Return the name by which GDAL is given a file."""
    full = str(path.absolute())
    if path.suffix.lower() == _ARCHIVE and path.is_file():
        return f"/vsizip/{full}"
    return full if vsi_path(full) == full else f"/vsicached?file={quote(full, safe='/!;:,()[] ')}"


def _generic_geopackage(path: Path) -> bytes | None:
    """Return a GeoPackage whose layers may hold any geometry, where one is declared that pyogrio does not open."""
    if path.suffix.lower() != ".gpkg" or not path.is_file():
        return None
    state = path.stat()
    return _generic_geopackage_once(path, state.st_mtime_ns, state.st_size)


@lru_cache(maxsize=1)
def _generic_geopackage_once(path: Path, _mtime_ns: int, size: int) -> bytes | None:
    address = f"file:{quote(str(path.absolute()))}?mode=ro"
    try:
        with closing(sqlite3.connect(address, uri=True)) as stored, closing(sqlite3.connect(":memory:")) as memory:
            if not stored.execute(f"SELECT 1 FROM gpkg_geometry_columns WHERE {_NOT_OPENED}").fetchone():
                return None
            if size > access().largest_bytes:
                return None
            stored.backup(memory)
            memory.execute(
                f"UPDATE gpkg_geometry_columns SET geometry_type_name = 'GEOMETRY', z = 2, m = 2 WHERE {_NOT_OPENED}"
            )
            memory.commit()
            return memory.serialize()
    except sqlite3.Error:
        return None  # GDAL says what is wrong with it


def require_plausible(path: Path, driver: str, features: int) -> None:
    """Refuse a format that is none of ours, and a file that claims more rows than it can hold.

    Raises
    ------
    InputError
    """
    if driver not in input_files().vector_drivers and not access().allow_remote:
        raise unreadable_file_error(path, driver)
    most = _size(path) * input_files().rows_per_byte.max
    if features > most or features < -1:  # pyogrio counts in 32 bits
        raise damaged_file_error(path, "", f"{features:,} rows in {_size(path):,} bytes")


def _size(path: Path) -> int:
    if path.suffix.lower() == _ARCHIVE and path.is_file():
        return sum(member.file_size for member in check_zip(path, ""))
    if path.is_dir():
        return sum(p.stat().st_size for p in path.rglob("*") if p.is_file())
    if path.suffix.lower() == ".shp":
        return sum(p.stat().st_size for p in path.parent.glob(glob.escape(path.stem) + ".*"))
    return path.stat().st_size


def unreadable_file_error(path: Path, error: object) -> InputError:
    """Return the error about a file that cannot be read as vector data."""
    if kind := _TYPE.search(str(error)):
        return _no_such_type_error(path, kind.group(1))
    missing = [s for s in (".shx", ".dbf") if path.suffix.lower() == ".shp" and not sibling(path, s)]
    if missing:
        parts = ", ".join(path.stem + suffix for suffix in missing)
        mend = Text(f"copy the whole shapefile: {parts} is missing", f"请复制完整的Shapefile：缺少 {parts}")
    else:
        mend = Text(
            "copy or download it again if it is damaged; open it in QGIS, and save it as GeoPackage if it opens there",
            "若文件损坏请重新复制或下载；请在QGIS中打开检查，若能打开，另存为GeoPackage",
        )
    return InputError(
        Text("the file cannot be read as vector data", "无法作为矢量数据读取"),
        where=str(path),
        found=str(error).split(";")[0][:200] or type(error).__name__,
        expected="GeoPackage, Shapefile, GeoJSON, FlatGeobuf, GeoParquet",
        mend=mend,
    )


def _no_such_type_error(path: Path, code: str) -> InputError:
    named = _TYPE_NAMES.get(str(int(code) % 1000 if int(code) < 0x80000000 else int(code) - 0x80000000))
    return InputError(
        Text("the layer holds geometries of a type that is not read", "图层的几何类型不受支持"),
        where=str(path),
        found=named or Text("geometries of several types with heights", "带高程的混合几何类型"),
        expected="POLYGON, MULTIPOLYGON",
        mend="ogr2ogr -nlt MULTIPOLYGON -dim XY out.gpkg " + path.name,
    )
