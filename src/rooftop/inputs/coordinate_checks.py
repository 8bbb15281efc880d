"""Coordinates that their stated CRS cannot hold: degrees as metres, axes swapped, zone prefixes, another continent."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import shapely
from pyproj import CRS, Transformer

from rooftop.core.errors import InputError
from rooftop.core.lang import Text
from rooftop.core.notices import Notice
from rooftop.core.types import B1, F8, Geometries

_AREA_MARGIN_DEG = 6.0
_ZONE_REACH_M = 2_000_000.0
_ZONES = (13, 45)  # prefixes of Chinese zones: 13-23 of 6 degrees, 25-45 of 3
_NARROW_M = 400_000.0  # half the width of what is usually mapped in one zone
_POLE_M = 10_100_000.0
_M_PER_DEG = 111_200.0
_EARTH_M = 45_000_000.0  # more than any projected coordinate, zone prefixes included
_LONGITUDE_FIRST = Text("longitudes within ±180°, latitudes within ±90°", "经度在±180°内，纬度在±90°内")
_MEND_SWAPPED = Text(
    'longitude and latitude are swapped: put longitude first (in QGIS, Processing > "Swap X and Y coordinates")',
    "经纬度顺序颠倒：请把经度放在前面（QGIS：处理 > 交换 X 和 Y 坐标）",
)
_MEND_METRES = Text(
    "state the CRS the coordinates are in, e.g. crs: EPSG:4549", "请声明坐标实际所用的坐标系，如 crs: EPSG:4549"
)
_MEND_NORTHING_FIRST = Text(
    'swap them: in QGIS, Processing > "Swap X and Y coordinates", and save the result',
    "请交换两者：在 QGIS 中用“处理 > 交换 X 和 Y 坐标”，另存后使用",
)
_MEND_DEGREES = Text(
    "state a geographic CRS, e.g. crs: EPSG:4490 (or EPSG:4326)",
    "请声明地理坐标系，如 crs: EPSG:4490（或 EPSG:4326）",
)


def misplaced_rows(geometry: Geometries, crs: CRS) -> B1:
    """Tell which rows have coordinates that the CRS cannot hold, where most of the others fit.

    A vertex that is no finite number always counts. Where most rows do not fit, the CRS is wrong and not the rows: none
    of the finite ones is returned, and :func:`check_coordinates` says what is the matter.
    """
    bounds = shapely.bounds(geometry)
    at, of = shapely.get_coordinates(geometry, return_index=True)
    wild = np.zeros(len(geometry), dtype=bool)
    wild[of[~np.isfinite(at).all(axis=1)]] = True
    present = np.isfinite(bounds).all(axis=1) & ~wild
    fits = present & _rows_in_crs_range(bounds, crs)
    odd = present & ~fits
    return wild | odd if fits.sum() > odd.sum() else wild


def _rows_in_crs_range(bounds: F8, crs: CRS) -> B1:
    """Tell which rows lie where coordinates of the CRS can lie."""
    x, y = np.abs(bounds[:, [0, 2]]).max(axis=1), np.abs(bounds[:, [1, 3]]).max(axis=1)
    degrees_like = (x <= 360.0) & (y <= 90.0)
    if crs.is_geographic:
        return np.asarray(degrees_like)
    false_easting = _false_easting_m(crs)
    fits = ~degrees_like & (x < _EARTH_M) & (y < _EARTH_M)
    if false_easting is not None:
        fits &= np.abs(bounds[:, [0, 2]] - false_easting).max(axis=1) < _ZONE_REACH_M
    return np.asarray(fits)


def misplaced_notice(geometry: Geometries, rows: B1, crs: CRS, where: str) -> Notice:
    """Name the rows of :func:`misplaced_rows`."""
    count, at = int(rows.sum()), np.flatnonzero(rows)[:5]
    corner = shapely.bounds(geometry[at])
    examples = tuple(f"{row} (x {b[2]:.6g}, y {b[3]:.6g})" for row, b in zip(at, corner, strict=True))
    text = Text(
        f"{count} rows have coordinates that {crs.name} cannot hold: they are left out",
        f"{count} 行的坐标超出 {crs.name} 的范围，已排除",
    )
    return Notice("impossible_coordinates", text, count, source=where, examples=examples)


def check_coordinates(bounds: npt.ArrayLike, crs: CRS, where: str) -> None:
    """Refuse coordinates that the stated CRS cannot hold.

    Parameters
    ----------
    bounds : array_like
        x_min, y_min, x_max, y_max; NaN when there is no geometry at all (accepted).

    Raises
    ------
    InputError
        Degrees labelled as metres, metres labelled as degrees, swapped axes, eastings with a zone prefix, a local
        (engineering) coordinate system.
    """
    x0, y0, x1, y1 = (float(v) for v in np.asarray(bounds, dtype=float))
    found = Text(
        f"x {x0:.6g}..{x1:.6g}, y {y0:.6g}..{y1:.6g} in {crs.name}",
        f"{crs.name} 下 x {x0:.6g}..{x1:.6g}，y {y0:.6g}..{y1:.6g}",
    )
    what = Text("the coordinates do not belong to the stated CRS", "坐标值与所声明的坐标系不符")
    if not (crs.is_geographic or crs.is_projected):
        raise InputError(
            Text("a local coordinate system cannot be placed on the Earth", "地方（工程）坐标系无法定位"),
            where=where,
            found=crs.name,
            expected=Text("a geographic or projected CRS", "地理坐标系或投影坐标系"),
            mend=Text("convert the file to CGCS2000 (EPSG:4490) first", "请先将数据转换为CGCS2000（EPSG:4490）"),
        )
    if np.isnan([x0, y0, x1, y1]).all():
        return
    degrees_like = max(abs(x0), abs(x1)) <= 360.0 and max(abs(y0), abs(y1)) <= 90.0
    if crs.is_geographic and not degrees_like:
        if max(abs(x0), abs(x1)) <= 90.0 and max(abs(y0), abs(y1)) <= 360.0:
            raise _swapped_axes_error(crs, found, where)
        raise InputError(what, where=where, found=found, expected=_LONGITUDE_FIRST, mend=_MEND_METRES)
    if crs.is_projected and degrees_like:
        expected = Text("metres; these numbers look like degrees", "应为米；这些数值看起来是度")
        raise InputError(what, where=where, found=found, expected=expected, mend=_MEND_DEGREES)
    _check_eastings(x0, x1, y0, y1, crs, found, where)


def _false_easting_m(crs: CRS) -> float | None:
    """Return the false easting of a transverse Mercator CRS; None of any other."""
    operation = crs.coordinate_operation
    if operation is None or "transverse mercator" not in operation.method_name.lower():
        return None
    return next((float(p.value) for p in operation.params if p.name == "False easting"), 500_000.0)


def _is_northing(value_m: float, crs: CRS) -> bool:
    """Tell whether a number may be a northing where a CRS is used."""
    area = crs.area_of_use
    if area is None:
        return abs(value_m) < _POLE_M
    latitudes = (value_m / _M_PER_DEG, (value_m - _POLE_M) / _M_PER_DEG)  # the false northing of the south
    return any(area.south - 1.0 <= latitude <= area.north + 1.0 for latitude in latitudes)


def _check_eastings(x0: float, x1: float, y0: float, y1: float, crs: CRS, found: Text, where: str) -> None:
    """Refuse Gauss-Krüger eastings that are northings, or whose zone prefix is not the CRS's (40 500 000, 500 000)."""
    false_easting = _false_easting_m(crs)
    if false_easting is None:
        return
    x, y = (x0 + x1) / 2.0, (y0 + y1) / 2.0
    if _in_zone(y, false_easting) and _is_northing(x, crs) and abs(x - false_easting) > _NARROW_M:
        raise _swapped_axes_error(crs, found, where)
    if abs(x - false_easting) < _ZONE_REACH_M:
        return
    raise InputError(
        Text("the eastings lie outside the stated zone", "横坐标超出所声明的分带"),
        where=where,
        found=found,
        expected=Text(f"eastings around {false_easting:.0f} m", f"横坐标应在 {false_easting:.0f} m 附近"),
        mend=_zone_mend(x, false_easting),
    )


def _in_zone(easting_m: float, false_easting_m: float) -> bool:
    """Tell whether a coordinate is an easting of the zone, or of a numbered zone where a northing cannot lie."""
    in_this_zone = abs(easting_m - false_easting_m) < _NARROW_M
    return in_this_zone or (_ZONES[0] * 1e6 <= easting_m < (_ZONES[1] + 1) * 1e6)


def _zone_mend(easting_m: float, false_easting_m: float) -> Text:
    """Return the CGCS2000 zone that eastings with a prefix, or without the expected one, belong to."""
    zone, stated = int(easting_m // 1_000_000), int(false_easting_m // 1_000_000)
    if _ZONES[0] <= zone <= _ZONES[1]:
        epsg = zone + (4488 if zone >= 25 else 4478)  # 25-45: zones of 3 degrees, 13-23: of 6
        return Text(
            f"the eastings carry the zone prefix {zone}: state crs: EPSG:{epsg}",
            f"横坐标带有带号 {zone}：请声明 crs: EPSG:{epsg}",
        )
    if zone == 0 and _ZONES[0] <= stated <= _ZONES[1]:
        epsg = stated + (4509 if stated >= 25 else 4489)
        return Text(
            f"the eastings carry no zone prefix: state crs: EPSG:{epsg}",
            f"横坐标不带带号：请声明 crs: EPSG:{epsg}",
        )
    return Text("check the zone and its prefix", "请检查分带及带号")


def _swapped_axes_error(crs: CRS, found: Text, where: str) -> InputError:
    if crs.is_geographic:
        return InputError(
            Text("the coordinates do not belong to the stated CRS", "坐标值与所声明的坐标系不符"),
            where=where,
            found=found,
            expected=_LONGITUDE_FIRST,
            mend=_MEND_SWAPPED,
        )
    return InputError(
        Text("x and y are swapped: the northing stands first", "x、y 顺序颠倒：北坐标写在了前面"),
        where=where,
        found=found,
        expected=Text("x: eastings; y: northings", "x 为东坐标，y 为北坐标"),
        mend=_MEND_NORTHING_FIRST,
    )


def in_authority_order(bounds: npt.ArrayLike, crs: CRS) -> bool:
    """Tell whether coordinates follow the order of axes that the authority defines, north before east, and no other.

    Parameters
    ----------
    bounds : array_like
        x_min, y_min, x_max, y_max as written.
    crs : pyproj.CRS
        In two dimensions.
    """
    if not crs.axis_info or crs.axis_info[0].direction.lower() != "north":
        return False
    x0, y0, x1, y1 = (float(v) for v in np.asarray(bounds, dtype=float))
    return _can_hold((y0, x0, y1, x1), crs) and not _can_hold((x0, y0, x1, y1), crs)


def _can_hold(bounds: tuple[float, float, float, float], crs: CRS) -> bool:
    """Tell whether an extent, east before north, lies where coordinates of a CRS lie."""
    if not np.isfinite(bounds).all() or not bool(_rows_in_crs_range(np.array([bounds]), crs)[0]):
        return False
    if crs.is_geographic:
        return _within(bounds, crs)
    easting = _false_easting_m(crs)
    if easting is not None and abs((bounds[0] + bounds[2]) / 2.0 - easting) > _NARROW_M:
        return False
    to_degrees = Transformer.from_crs(crs, crs.geodetic_crs, always_xy=True)
    lon, lat = to_degrees.transform([bounds[0], bounds[2]], [bounds[1], bounds[3]])
    return bool(np.isfinite([*lon, *lat]).all()) and _within((min(lon), min(lat), max(lon), max(lat)), crs)


def check_area_of_use(bounds: npt.ArrayLike, crs: CRS, where: str, swapped: npt.ArrayLike | None = None) -> None:
    """Refuse data that lie far from where the CRS is used, or that cannot be unprojected.

    Parameters
    ----------
    bounds : array_like
        West, south, east, north [°] on the datum of the CRS; NaN when there is no geometry at all (accepted).
    crs : pyproj.CRS
    where : str
        File, for messages.
    swapped : array_like, optional
        The same, with the coordinates taken in the other order: where only these fit, the axes are swapped.

    Raises
    ------
    InputError
    """
    x0, y0, x1, y1 = (float(v) for v in np.asarray(bounds, dtype=float))
    if np.isnan([x0, y0, x1, y1]).all():
        return
    west, south, east, north = _area(crs)
    finite = bool(np.isfinite([x0, y0, x1, y1]).all())
    if finite and _within((x0, y0, x1, y1), crs):
        return
    found = Text(f"lon {x0:.3f}..{x1:.3f}, lat {y0:.3f}..{y1:.3f}", f"经度 {x0:.3f}..{x1:.3f}，纬度 {y0:.3f}..{y1:.3f}")
    if swapped is not None and _within(tuple(float(v) for v in np.asarray(swapped, dtype=float)), crs):
        raise _swapped_axes_error(crs, found, where)
    if finite and crs.is_geographic:
        return
    raise InputError(
        Text("the data lie outside the area of the stated CRS", "数据位于所声明坐标系的适用范围之外"),
        where=where,
        found=found,
        expected=Text(
            f"lon {west:g}..{east:g}, lat {south:g}..{north:g} for {crs.name}",
            f"{crs.name}：经度 {west:g}..{east:g}，纬度 {south:g}..{north:g}",
        ),
        mend=Text("state the CRS the coordinates are really in", "请声明坐标实际所用的坐标系"),
    )


def _area(crs: CRS) -> tuple[float, float, float, float]:
    """Return west, south, east and north [°] of where a CRS is used; all the Earth where it does not say."""
    west, south, east, north = crs.area_of_use.bounds if crs.area_of_use else (-180.0, -90.0, 180.0, 90.0)
    return (-180.0, south, 180.0, north) if west > east else (west, south, east, north)


def _within(bounds: tuple[float, ...], crs: CRS) -> bool:
    """Tell whether an extent reaches into the area of a CRS or close to it."""
    x0, y0, x1, y1 = bounds
    west, south, east, north = _area(crs)
    margin = _AREA_MARGIN_DEG
    return x1 >= west - margin and x0 <= east + margin and y1 >= south - margin and y0 <= north + margin
