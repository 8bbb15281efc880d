"""Coordinates that their stated CRS cannot hold: degrees as metres, axes swapped, zone prefixes, another continent."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from pyproj import CRS

from rooftop.errors import InputError
from rooftop.lang import Text

_AREA_MARGIN_DEG = 6.0
_MEND_SWAPPED = Text("longitude and latitude are swapped: put longitude first", "经纬度顺序颠倒：请把经度放在前面")
_MEND_METRES = Text(
    "state the CRS the coordinates are in, e.g. crs: EPSG:4549", "请声明坐标实际所用的坐标系，如 crs: EPSG:4549"
)
_MEND_DEGREES = Text(
    "state a geographic CRS, e.g. crs: EPSG:4490 (or EPSG:4326)",
    "请声明地理坐标系，如 crs: EPSG:4490（或 EPSG:4326）",
)


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
        swapped = max(abs(x0), abs(x1)) <= 90.0 and max(abs(y0), abs(y1)) <= 360.0
        expected = Text("longitudes within ±180°, latitudes within ±90°", "经度在±180°内，纬度在±90°内")
        raise InputError(
            what, where=where, found=found, expected=expected, mend=_MEND_SWAPPED if swapped else _MEND_METRES
        )
    if crs.is_projected and degrees_like:
        expected = Text("metres; these numbers look like degrees", "应为米；这些数值看起来是度")
        raise InputError(what, where=where, found=found, expected=expected, mend=_MEND_DEGREES)
    _check_zone_prefix(x0, x1, crs, found, where)


def _check_zone_prefix(x0: float, x1: float, crs: CRS, found: Text, where: str) -> None:
    """Refuse Gauss-Krüger eastings whose zone prefix is not the CRS's (40 500 000 m read as 500 000 m)."""
    operation = crs.coordinate_operation
    if operation is None or "transverse mercator" not in operation.method_name.lower():
        return
    false_easting = next((float(p.value) for p in operation.params if p.name == "False easting"), 500_000.0)
    middle = (x0 + x1) / 2.0
    if abs(middle - false_easting) < 2_000_000.0:
        return
    zone = int(middle // 1_000_000)
    fits = 25 <= zone <= 45
    mend = (
        Text(
            f"the eastings carry the zone prefix {zone}: state crs: EPSG:{4488 + zone}",
            f"横坐标带有带号 {zone}：请声明 crs: EPSG:{4488 + zone}",
        )
        if fits
        else Text("check the zone and its prefix", "请检查分带及带号")
    )
    raise InputError(
        Text("the eastings lie outside the stated zone", "横坐标超出所声明的分带"),
        where=where,
        found=found,
        expected=Text(f"eastings around {false_easting:.0f} m", f"横坐标应在 {false_easting:.0f} m 附近"),
        mend=mend,
    )


def check_area_of_use(bounds: npt.ArrayLike, crs: CRS, where: str) -> None:
    """Refuse data that lie far from where the CRS is used, or that cannot be unprojected.

    Parameters
    ----------
    bounds : array_like
        West, south, east, north [°] on the datum of the CRS; NaN when there is no geometry at all (accepted).
    crs : pyproj.CRS
    where : str
        File, for messages.

    Raises
    ------
    InputError
    """
    x0, y0, x1, y1 = (float(v) for v in np.asarray(bounds, dtype=float))
    if np.isnan([x0, y0, x1, y1]).all():
        return
    area = crs.area_of_use
    finite = bool(np.isfinite([x0, y0, x1, y1]).all())
    west, south, east, north = area.bounds if area else (-180.0, -90.0, 180.0, 90.0)
    if west > east:
        west, east = -180.0, 180.0
    margin = _AREA_MARGIN_DEG
    fits = x1 >= west - margin and x0 <= east + margin and y1 >= south - margin and y0 <= north + margin
    if finite and (fits or crs.is_geographic):
        return
    raise InputError(
        Text("the data lie outside the area of the stated CRS", "数据位于所声明坐标系的适用范围之外"),
        where=where,
        found=Text(
            f"lon {x0:.3f}..{x1:.3f}, lat {y0:.3f}..{y1:.3f}", f"经度 {x0:.3f}..{x1:.3f}，纬度 {y0:.3f}..{y1:.3f}"
        ),
        expected=Text(
            f"lon {west:g}..{east:g}, lat {south:g}..{north:g} for {crs.name}",
            f"{crs.name}：经度 {west:g}..{east:g}，纬度 {south:g}..{north:g}",
        ),
        mend=Text("state the CRS the coordinates are really in", "请声明坐标实际所用的坐标系"),
    )
