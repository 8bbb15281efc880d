"""Geometries of files, row by row: what GDAL hands over as bytes becomes shapes; one bad row costs that row."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
import pyogrio
import pyogrio.raw
import shapely
from shapely.errors import ShapelyError

from rooftop.core.lang import Text
from rooftop.core.notices import Notice
from rooftop.core.types import I8, Geometries
from rooftop.inputs.vector_files import gdal, settings

_POLYGON, _MULTIPOLYGON = 3, 6
_CURVES = range(8, 15)  # CircularString .. Surface: shapely has no arcs
_SURFACE, _TIN, _TRIANGLE = 15, 16, 17
_EWKB_FLAGS, _HAS_SRID = 0xE0000000, 0x20000000  # of PostGIS: Z, M, SRID


@dataclass(frozen=True)
class Shapes:
    """Geometries of the rows of a file.

    Parameters
    ----------
    geometry : ndarray of shapely geometries
        2-D; None where a row has none, or none that can be read.
    damaged : ndarray of int
        Rows whose geometry cannot be read.
    """

    geometry: Geometries
    damaged: I8


def read_shapes(path: Path, layer: str | None, encoding: str | None) -> Shapes:
    """Read the geometries of a layer by GDAL.

    Parameters
    ----------
    path : Path
    layer, encoding : str or None
        As in `rooftop.inputs.layers.open_vector_layer`.

    Raises
    ------
    InputError
        The file cannot be read.
    """
    with gdal(path) as name:
        if encoding is not None:  # Arrow is for UTF-8, in the names of fields too
            wkb = pyogrio.raw.read(name, layer=layer, columns=[], encoding=encoding)[2]
            return shapes_of([] if wkb is None else wkb)
        meta, table = pyogrio.read_arrow(name, layer=layer, columns=[])
    column = meta["geometry_name"] or "wkb_geometry"
    return shapes_of(table.column(column).to_pylist() if column in table.column_names else [None] * table.num_rows)


def shapes_of(wkb: Sequence[bytes | None]) -> Shapes:
    """Turn well-known binary into geometries.

    Arcs become lines. Surfaces of faces (PolyhedralSurface, TIN, Triangle) become the area they cover in plan.

    Parameters
    ----------
    wkb : sequence of bytes or None
        As OGC 06-103r4 (ISO) or PostGIS write it.
    """
    data = np.empty(len(wkb), dtype=object)
    data[:] = wkb
    try:
        with np.errstate(invalid="ignore"):  # a vertex that is no number is looked for later
            geometry = shapely.force_2d(shapely.from_wkb(data, on_invalid="fix"))
    except (ShapelyError, NotImplementedError, ValueError, TypeError):
        geometry = np.full(len(data), None, dtype=object)  # one of them cannot be read, and stops all others
    geometry = np.atleast_1d(np.asarray(geometry, dtype=object))
    damaged, curved = [], []
    for row in np.flatnonzero(shapely.is_missing(geometry)):
        if data[row] is None:
            continue
        try:
            with np.errstate(invalid="ignore"):
                geometry[row] = _shape(bytes(data[row]))
        except (ShapelyError, ValueError, TypeError, struct.error):
            damaged.append(int(row))
            continue
        if geometry[row] is None:
            curved.append(int(row))
    if curved:
        geometry[curved] = _lines_of_arcs([bytes(data[row]) for row in curved])
        damaged += [row for row in curved if geometry[row] is None]
    return Shapes(geometry, np.array(sorted(damaged), dtype=np.int64))


# --- arcs ------------------------------------------------------------------------------------------------------------


def _lines_of_arcs(wkb: list[bytes]) -> Geometries:
    """Return geometries with arcs as lines; None where there is no way.

    GDAL makes lines of arcs, in collections too, when it writes a format that knows none.
    """
    buffer = BytesIO()
    try:
        with settings(), np.errstate(invalid="ignore"):
            pyogrio.raw.write(
                buffer,
                geometry=np.array([*wkb, None], dtype=object)[:-1],
                field_data=[],
                fields=[],
                layer="arcs",
                geometry_type="Unknown",
                driver="GeoJSON",
                COORDINATE_PRECISION="17",
            )
            lines = pyogrio.raw.read(buffer.getvalue())[2]
            straight = shapely.force_2d(shapely.from_wkb(lines, on_invalid="fix"))
    except (RuntimeError, ShapelyError, ValueError):
        return np.full(len(wkb), None, dtype=object)
    return np.asarray(straight, dtype=object)


# --- faces -----------------------------------------------------------------------------------------------------------


def _wkb_header(wkb: bytes, at: int = 0) -> tuple[int, int, str, int]:
    """Return code, type, byte order and coordinates per point of the geometry that begins at a byte."""
    order = "<" if wkb[at : at + 1] == b"\x01" else ">"
    (code,) = struct.unpack_from(order + "I", wkb, at + 1)
    iso, kind = divmod(code & ~_EWKB_FLAGS, 1000)
    has_z, has_m = iso in (1, 3) or bool(code & 0x80000000), iso in (2, 3) or bool(code & 0x40000000)
    return code, kind, order, 2 + has_z + has_m


def _shape(wkb: bytes) -> shapely.Geometry | None:
    """Return the geometry of a row that could not be read with all others; None where it has arcs."""
    _, kind, _, _ = _wkb_header(wkb)
    if kind in _CURVES:
        return None
    if kind in (_SURFACE, _TIN, _TRIANGLE):
        return _plan_view(shapely.from_wkb(_as_polygons(wkb), on_invalid="raise"))
    return shapely.force_2d(shapely.from_wkb(wkb, on_invalid="raise"))


def _as_polygons(wkb: bytes) -> bytes:
    """Call faces polygons: the bytes are the same but for the types in them."""
    out = bytearray(wkb)
    code, kind, order, n_axes = _wkb_header(wkb)
    struct.pack_into(order + "I", out, 1, code - kind + (_POLYGON if kind == _TRIANGLE else _MULTIPOLYGON))
    if kind != _TIN:
        return bytes(out)
    at = 9 if code & _HAS_SRID else 5
    (faces,) = struct.unpack_from(order + "I", wkb, at)
    at += 4
    for _ in range(faces):
        code, kind, order, _ = _wkb_header(wkb, at)
        struct.pack_into(order + "I", out, at + 1, code - kind + _POLYGON)
        (rings,) = struct.unpack_from(order + "I", wkb, at + 5)
        at += 9
        for _ in range(rings):
            (points,) = struct.unpack_from(order + "I", wkb, at)
            at += 4 + 8 * n_axes * points
    return bytes(out)


def _plan_view(faces: shapely.Geometry) -> shapely.Geometry:
    """Return what faces cover seen from above; upright ones cover nothing."""
    flat = shapely.make_valid(shapely.get_parts(shapely.force_2d(faces)))
    parts = shapely.get_parts(flat)
    parts = parts[(shapely.get_type_id(parts) == _POLYGON) & (shapely.area(parts) > 0.0)]
    return shapely.union_all(parts) if len(parts) else shapely.Polygon()


def damaged_notice(rows: I8, where: str) -> tuple[Notice, ...]:
    """Count the rows whose geometry cannot be read."""
    text = Text(
        "{n} rows have a geometry that cannot be read; they stay without one", "{n} 行的图形无法读取，按无图形处理"
    )
    return Notice.counted("geometry_unreadable", rows, text, source=where)
