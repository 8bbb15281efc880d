"""Coordinates: any CRS and datum to WGS84, CRS checks, the metric working CRS, meridian convergence.

CGCS2000 is taken as WGS84: they differ by centimetres to decimetres, less than any footprint's own accuracy.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely
from pyproj import CRS, Geod, Transformer
from pyproj.aoi import AreaOfInterest
from pyproj.exceptions import CRSError, ProjError
from pyproj.transformer import TransformerGroup

from rooftop.config import Datum
from rooftop.core.errors import ConfigError, InputError
from rooftop.core.lang import Text
from rooftop.core.notices import Notice
from rooftop.core.types import B1, F8, Geometries
from rooftop.inputs.coordinate_checks import check_area_of_use, check_coordinates
from rooftop.inputs.extent import far_rows, middles, working_crs
from rooftop.inputs.gcj02 import GCJ02_BOX, bd09_to_wgs84, gcj02_to_wgs84, in_gcj02_box, wgs84_to_bd09, wgs84_to_gcj02

__all__ = [
    "GCJ02_BOX",
    "Geometries",
    "LocatedGeometries",
    "bd09_to_wgs84",
    "check_coordinates",
    "far_from",
    "gcj02_to_wgs84",
    "in_gcj02_box",
    "is_wgs84_like",
    "locate",
    "meridian_convergence_deg",
    "old_chinese_datum",
    "parse_crs",
    "parse_working_crs",
    "project",
    "to_wgs84_geometry",
    "wgs84_to_bd09",
    "wgs84_to_gcj02",
    "working_crs",
]


WGS84 = CRS.from_epsg(4326)
_SAME_AS_WGS84 = ("world geodetic system 1984", "wgs 84", "wgs_1984", "china 2000", "cgcs2000", "china geodetic")
_OLD_CHINESE = {
    "beijing 1954": Text("Beijing 1954", "1954年北京坐标系"),
    "beijing_1954": Text("Beijing 1954", "1954年北京坐标系"),
    "xian 1980": Text("Xi'an 1980", "1980西安坐标系"),
    "xian_1980": Text("Xi'an 1980", "1980西安坐标系"),
}
_GOOD_ACCURACY_M = 2.0
_FAR_DEG = 60.0


# --- coordinate reference systems ------------------------------------------------------------------------------------


def parse_crs(text: str, where: str) -> CRS:
    """Return the CRS that `text` names.

    Raises
    ------
    InputError
        PROJ knows no such CRS.
    """
    try:
        return CRS.from_user_input(text)
    except CRSError as error:
        raise InputError(
            Text("the coordinate reference system is not known", "无法识别坐标参考系"),
            where=where,
            found=str(text),
            expected=Text("an EPSG code such as EPSG:4490, or WKT", "EPSG 代码（如 EPSG:4490）或 WKT"),
            mend=Text("correct the crs in the configuration", "请在配置中更正 crs"),
        ) from error


def parse_working_crs(text: str) -> CRS:
    """Return the configured working CRS after checking that areas and metres mean what they say in it.

    Raises
    ------
    ConfigError
        It is not projected, not in metres, web Mercator, or on a datum with no known way to WGS84.
    """
    crs = parse_crs(text, "crs")
    units = {axis.unit_name for axis in crs.axis_info}
    method = _method(crs)
    mercator = "mercator" in method and "transverse" not in method
    if not crs.is_projected or not units <= {"metre", "meter"} or mercator or old_chinese_datum(crs):
        raise ConfigError(
            Text("the working CRS cannot be measured in", "工作坐标系不能用于量算面积"),
            where="crs",
            found=f"{text} ({crs.name}, {', '.join(sorted(units))})",
            expected=Text(
                "a projected CRS in metres, not Mercator, on CGCS2000 or WGS84 (EPSG:4549 for 118.5-121.5°E)",
                "以米为单位的投影坐标系（非墨卡托），基于CGCS2000或WGS84（118.5-121.5°E 用 EPSG:4549）",
            ),
            mend=Text("leave crs out: the fitting zone is chosen", "删去 crs，将自动选择合适的分带"),
        )
    return crs


def meridian_convergence_deg(crs: CRS, lon: npt.ArrayLike, lat: npt.ArrayLike) -> F8:
    """Return the true azimuth of grid north [deg], clockwise positive.

    ``true_azimuth = grid_azimuth + meridian_convergence_deg``. In a Gauss-Krüger or UTM zone of the northern
    hemisphere it is positive east of the central meridian (PROJ's ``meridian_convergence`` has the same sign).
    Measured on the ellipsoid along 100 m of grid north, so that it holds for every projected CRS and axis order.

    Parameters
    ----------
    crs : pyproj.CRS
        Projected, in metres.
    lon, lat : array_like
        WGS84 degrees, any shape.

    Returns
    -------
    ndarray
        Degrees in (-180, 180], same shape.
    """
    x, y = np.broadcast_arrays(np.asarray(lon, dtype=float), np.asarray(lat, dtype=float))
    transformer = _transformer(WGS84, crs)
    east, north = transformer.transform(x.ravel(), y.ravel())
    lon_n, lat_n = transformer.transform(east, np.asarray(north) + 50.0, direction="INVERSE")
    lon_s, lat_s = transformer.transform(east, np.asarray(north) - 50.0, direction="INVERSE")
    forward, back, _ = Geod(ellps="WGS84").inv(lon_s, lat_s, lon_n, lat_n)
    gap = (np.asarray(back) + 180.0 - np.asarray(forward) + 180.0) % 360.0 - 180.0
    angle = np.asarray(forward) + gap / 2.0
    return np.asarray((angle + 180.0) % 360.0 - 180.0, dtype=float).reshape(x.shape)


def to_lonlat(x: npt.ArrayLike, y: npt.ArrayLike, crs: CRS) -> tuple[F8, F8]:
    """Return longitude and latitude (WGS84) of points in a working CRS."""
    lon, lat = _transformer(crs, WGS84).transform(np.asarray(x, dtype=float), np.asarray(y, dtype=float))
    return np.asarray(lon, dtype=float), np.asarray(lat, dtype=float)


def from_lonlat(lon: npt.ArrayLike, lat: npt.ArrayLike, crs: CRS) -> tuple[F8, F8]:
    """Return points in a working CRS, the inverse of :func:`to_lonlat`; not finite where there is none."""
    at = np.asarray(lon, dtype=float), np.asarray(lat, dtype=float)
    x, y = _transformer(crs, WGS84).transform(*at, direction="INVERSE")
    return np.asarray(x, dtype=float), np.asarray(y, dtype=float)


@lru_cache(maxsize=32)
def _transformer(source: CRS, target: CRS) -> Transformer:
    """Return a transformer, x before y; making one costs more than moving a district."""
    return Transformer.from_crs(source, target, always_xy=True)


def _base_crs(crs: CRS) -> CRS:
    """Return the geographic CRS under a CRS (itself when there is none)."""
    return crs.geodetic_crs or crs


def _method(crs: CRS) -> str:
    return crs.coordinate_operation.method_name.lower() if crs.coordinate_operation else ""


def _datum_names(crs: CRS) -> str:
    base = _base_crs(crs)
    return f"{base.name} {base.datum.name if base.datum else ''}".lower()


def old_chinese_datum(crs: CRS) -> Text | None:
    """Return the name of the datum when it is Beijing 1954 or Xi'an 1980, else None."""
    return next((label for key, label in _OLD_CHINESE.items() if key in _datum_names(crs)), None)


def is_wgs84_like(crs: CRS) -> bool:
    """Tell whether the CRS stands on WGS84 or CGCS2000, which are taken as one."""
    return any(key in _datum_names(crs) for key in _SAME_AS_WGS84)


# --- geometries ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class LocatedGeometries:
    """Geometries brought to WGS84 and to the working CRS.

    Parameters
    ----------
    lonlat : ndarray of shapely geometries
        WGS84 degrees, 2-D.
    projected : ndarray of shapely geometries
        Working CRS, metres, 2-D.
    crs : pyproj.CRS
        The working CRS.
    notices : tuple of Notice
        What was declared and not verified, what accuracy the transformation has.
    """

    lonlat: Geometries
    projected: Geometries
    crs: CRS
    notices: tuple[Notice, ...]


def locate(geometry: Geometries, source: CRS, datum: Datum, crs: CRS | None, where: str) -> LocatedGeometries:
    """Bring geometries of a file to WGS84 and to the working CRS.

    Parameters
    ----------
    geometry : ndarray of shapely geometries
        In `source`, x before y; may hold None and empty geometries.
    source : pyproj.CRS
        CRS the file states.
    datum : {"wgs84", "cgcs2000", "gcj02", "bd09"}
        What the coordinates really are, as declared.
    crs : pyproj.CRS or None
        Working CRS; None chooses the one fitting the data, rows far from all others left aside.
    where : str
        File, for messages.

    Raises
    ------
    InputError
        Coordinates impossible in `source`, or a datum without a known way to WGS84.
    """
    flat = shapely.force_2d(geometry)
    lonlat, notices = to_wgs84_geometry(flat, source, datum, where)
    if crs is None:
        crs = working_crs(*middles(lonlat[~far_rows(lonlat)]))
    same = datum in ("wgs84", "cgcs2000") and source == crs
    return LocatedGeometries(lonlat, flat if same else project(lonlat, crs), crs, notices)


def to_wgs84_geometry(
    geometry: Geometries, source: CRS, datum: Datum, where: str
) -> tuple[Geometries, tuple[Notice, ...]]:
    """Return the geometries in WGS84 degrees, with notices; arguments and errors as in `locate`."""
    check_coordinates(_extent(geometry), source, where)
    if source.is_bound and datum in ("wgs84", "cgcs2000"):
        return _apply(geometry, _transformer(source, WGS84).transform), ()
    base = _unproject(geometry, source)
    extent = _extent(base[~far_rows(base)])
    check_area_of_use(extent, source, where, _extent_if_swapped(geometry, source))
    if datum in ("gcj02", "bd09"):
        inverse = gcj02_to_wgs84 if datum == "gcj02" else bd09_to_wgs84
        return _apply(base, inverse), _datum_notices(extent, source, datum, where)
    if is_wgs84_like(source):
        return base, _datum_notices(extent, source, datum, where)
    transformer, notices = _best_transformer(source, extent, where)
    return _apply(base, transformer.transform), notices


def _extent(geometry: Geometries) -> F8:
    """Return x_min, y_min, x_max, y_max of the rows that are finite; of all where none is."""
    finite = np.isfinite(shapely.bounds(geometry)).all(axis=1)
    return np.asarray(shapely.total_bounds(geometry[finite] if finite.any() else geometry), dtype=float)


def _extent_if_swapped(geometry: Geometries, source: CRS) -> F8:
    """Return the extent on the CRS's own datum, had x and y been written in the other order."""
    x0, y0, x1, y1 = _extent(geometry)
    corners = np.array([shapely.Point(y0, x0), shapely.Point(y1, x1)], dtype=object)
    return np.asarray(shapely.total_bounds(_unproject(corners, source)), dtype=float)


def project(lonlat: Geometries, crs: CRS) -> Geometries:
    """Project WGS84 geometries; coordinates too far from the projection come out as inf."""
    return _apply(lonlat, _transformer(WGS84, crs).transform)


def far_from(crs: CRS, lonlat: Geometries) -> B1:
    """Tell which geometries lie too far east or west of a projection's meridian to mean anything in it."""
    operation = crs.coordinate_operation
    names = ("Longitude of natural origin", "Longitude of false origin", "Longitude of projection centre")
    origin = [float(p.value) for p in operation.params if p.name in names] if operation is not None else []
    bounds = shapely.bounds(lonlat)
    if not origin:
        return np.zeros(len(bounds), dtype=bool)
    gap = np.abs((bounds[:, [0, 2]] - origin[0] + 180.0) % 360.0 - 180.0)
    return np.asarray(np.nan_to_num(gap, nan=0.0).max(axis=1) > _FAR_DEG)


def _apply(geometry: Geometries, function: Any) -> Geometries:
    def on_points(points: F8) -> F8:
        x, y = function(points[:, 0], points[:, 1])
        return np.column_stack([x, y])

    return np.asarray(shapely.transform(geometry, on_points), dtype=object)


def _unproject(geometry: Geometries, source: CRS) -> Geometries:
    """Return degrees on the CRS's own datum, without any datum shift."""
    if source.is_geographic:
        return geometry
    transformer = _transformer(source, _base_crs(source))
    return _apply(geometry, transformer.transform)


def _best_transformer(source: CRS, bounds: npt.ArrayLike, where: str) -> tuple[Transformer, tuple[Notice, ...]]:
    """Return the most accurate way from the CRS's own datum to WGS84 at this place."""
    x0, y0, x1, y1 = (float(v) for v in np.asarray(bounds, dtype=float))
    base = _base_crs(source)
    area: Any = AreaOfInterest(x0, y0, x1, y1)
    group = TransformerGroup(base, WGS84, always_xy=True, area_of_interest=area)
    try:
        best = group.transformers[0]
    except (IndexError, ProjError) as error:
        raise InputError(
            Text("there is no way from this CRS to WGS84", "该坐标系无法转换到WGS84"),
            where=where,
            found=source.name,
            expected=Text("a CRS whose datum is known, e.g. EPSG:4490", "基准已知的坐标系，如 EPSG:4490"),
            mend=Text("convert the file to CGCS2000 (EPSG:4490) first", "请先将数据转换为CGCS2000（EPSG:4490）"),
        ) from error
    old = old_chinese_datum(source)
    good = 0.0 <= best.accuracy <= _GOOD_ACCURACY_M
    if old is not None and not (good and _covers(best, x0, y0, x1, y1)):
        raise InputError(
            Text(
                "{old} has no published transformation here: positions would be off by 50-130 m",
                "{old}在此处没有公开的转换参数：位置会偏差50-130米",
            ).format(old=old),
            where=where,
            found=source.name,
            expected=Text("CGCS2000 (EPSG:4490 or a 3-degree zone)", "CGCS2000（EPSG:4490 或 3度分带）"),
            mend=Text(
                "have the file converted to CGCS2000 with local parameters by the surveying office",
                "请测绘部门用本地参数将数据转换为CGCS2000",
            ),
        )
    if good and old is None:
        return best, ()
    text = Text(
        f"{base.name} to WGS84 is known to {best.accuracy:g} m", f"{base.name} 到WGS84的转换精度为 {best.accuracy:g} 米"
    )
    if best.accuracy < 0.0:
        text = Text(
            f"how {base.name} lies to WGS84 is not known to PROJ; no shift is applied",
            f"PROJ 没有 {base.name} 到WGS84的转换参数，未作偏移",
        )
    return best, (Notice("datum_accuracy", text, source=where, examples=(best.description,)),)


def _covers(transformer: Transformer, x0: float, y0: float, x1: float, y1: float) -> bool:
    """Tell whether a published transformation is meant for the whole extent (offshore ones reach over the coast)."""
    area = transformer.area_of_use
    return area.west <= x0 and area.south <= y0 and area.east >= x1 and area.north >= y1


_DATUM_LABELS: dict[str, Text] = {
    "wgs84": Text("WGS84", "WGS84"),
    "cgcs2000": Text("CGCS2000", "CGCS2000"),
    "gcj02": Text("GCJ-02 (Amap, Tencent)", "GCJ-02（高德、腾讯）"),
    "bd09": Text("BD-09 (Baidu)", "BD-09（百度）"),
}


def _datum_notices(bounds: F8, source: CRS, datum: Datum, where: str) -> tuple[Notice, ...]:
    """Say what nobody can verify: in China, a file's WGS84 may be GCJ-02."""
    if np.isnan(bounds).any():
        return ()
    corners = in_gcj02_box(bounds[[0, 0, 2, 2]], bounds[[1, 3, 1, 3]])
    label = _DATUM_LABELS[datum]
    if datum in ("gcj02", "bd09") and not corners.all():
        return (
            Notice(
                "datum_outside_china",
                Text(
                    "{label} is declared, but data lie outside China, where nothing is shifted",
                    "声明为{label}，但数据位于中国范围之外，未作偏移",
                ).format(label=label),
                source=where,
            ),
        )
    verified = source.is_projected and datum in ("wgs84", "cgcs2000") and "pseudo" not in source.name.lower()
    if verified or not corners.any():
        return ()
    return (
        Notice(
            "datum_unverified",
            Text(
                "datum {label}: declared, unverified (GCJ-02 lies about 0.5 km off, BD-09 1.3 km)",
                "坐标基准{label}：按声明采用，未经核实（GCJ-02与之相差约0.5千米，BD-09约1.3千米）",
            ).format(label=label),
            severity="info",
            source=where,
            examples=(datum,),
        ),
    )
