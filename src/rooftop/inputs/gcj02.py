"""GCJ-02 (Amap, Tencent) and BD-09 (Baidu) to WGS84 and back, on numpy arrays.

GCJ-02 is defined only inside China; as in the services that use it, "inside" is the box `GCJ02_BOX`, which also
holds neighbouring countries. Outside the box nothing is shifted. The formulas are the ones every open implementation
shares: no official text of GCJ-02 is public.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from rooftop.core.types import B1, F8

GCJ02_BOX = (72.004, 0.8293, 137.8347, 55.8271)
"""lon_min, lat_min, lon_max, lat_max of the area where GCJ-02 differs from WGS84."""

_KRASOVSKY_A = 6378245.0
_KRASOVSKY_E2 = 0.00669342162296594323
_BD09_ANGLE = np.pi * 3000.0 / 180.0
_ITERATIONS = 8  # 4 suffice but for the square root at 105 degrees east


def in_gcj02_box(lon: npt.ArrayLike, lat: npt.ArrayLike) -> B1:
    """Tell which points lie in the box where GCJ-02 is defined."""
    x, y = np.asarray(lon, dtype=float), np.asarray(lat, dtype=float)
    west, south, east, north = GCJ02_BOX
    return (x >= west) & (x <= east) & (y >= south) & (y <= north)


def _gcj02_offset(lon: F8, lat: F8) -> tuple[F8, F8]:
    """Return GCJ-02 minus WGS84 [deg], whatever the place."""
    x, y = lon - 105.0, lat - 35.0
    root = np.sqrt(np.abs(x))
    wave = 20.0 * np.sin(6.0 * np.pi * x) + 20.0 * np.sin(2.0 * np.pi * x)
    north = -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * root
    north += (wave + 20.0 * np.sin(np.pi * y) + 40.0 * np.sin(np.pi * y / 3.0)) * 2.0 / 3.0
    north += (160.0 * np.sin(np.pi * y / 12.0) + 320.0 * np.sin(np.pi * y / 30.0)) * 2.0 / 3.0
    east = 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * root
    east += (wave + 20.0 * np.sin(np.pi * x) + 40.0 * np.sin(np.pi * x / 3.0)) * 2.0 / 3.0
    east += (150.0 * np.sin(np.pi * x / 12.0) + 300.0 * np.sin(np.pi * x / 30.0)) * 2.0 / 3.0
    phi = np.deg2rad(lat)
    flat = 1.0 - _KRASOVSKY_E2 * np.sin(phi) ** 2
    meridian = _KRASOVSKY_A * (1.0 - _KRASOVSKY_E2) / flat**1.5
    parallel = _KRASOVSKY_A / np.sqrt(flat) * np.cos(phi)
    return np.rad2deg(east / parallel), np.rad2deg(north / meridian)


def _pair(lon: npt.ArrayLike, lat: npt.ArrayLike) -> tuple[F8, F8]:
    x, y = np.broadcast_arrays(np.asarray(lon, dtype=float), np.asarray(lat, dtype=float))
    return x, y


def wgs84_to_gcj02(lon: npt.ArrayLike, lat: npt.ArrayLike) -> tuple[F8, F8]:
    """Shift WGS84 to GCJ-02 (Amap, Tencent).

    Parameters
    ----------
    lon, lat : array_like
        Degrees, any shape.

    Returns
    -------
    tuple of ndarray
        Degrees; unchanged outside `GCJ02_BOX`.
    """
    x, y = _pair(lon, lat)
    inside = in_gcj02_box(x, y)
    dx, dy = _gcj02_offset(x, y)
    return np.where(inside, x + dx, x), np.where(inside, y + dy, y)


def gcj02_to_wgs84(lon: npt.ArrayLike, lat: npt.ArrayLike) -> tuple[F8, F8]:
    """Shift GCJ-02 back to WGS84 by fixed-point iteration (residual far under a millimetre).

    Parameters
    ----------
    lon, lat : array_like
        Degrees in GCJ-02, any shape.

    Returns
    -------
    tuple of ndarray
        Degrees; unchanged outside `GCJ02_BOX`.
    """
    x, y = _pair(lon, lat)
    inside = in_gcj02_box(x, y)
    u, v = x.copy(), y.copy()
    for _ in range(_ITERATIONS):
        dx, dy = _gcj02_offset(u, v)
        u, v = x - dx, y - dy
    return np.where(inside, u, x), np.where(inside, v, y)


def _gcj02_to_bd09(lon: F8, lat: F8) -> tuple[F8, F8]:
    radius = np.hypot(lon, lat) + 0.00002 * np.sin(lat * _BD09_ANGLE)
    angle = np.arctan2(lat, lon) + 0.000003 * np.cos(lon * _BD09_ANGLE)
    return radius * np.cos(angle) + 0.0065, radius * np.sin(angle) + 0.006


def wgs84_to_bd09(lon: npt.ArrayLike, lat: npt.ArrayLike) -> tuple[F8, F8]:
    """Shift WGS84 to BD-09 (Baidu); arguments and result as in `wgs84_to_gcj02`."""
    x, y = _pair(lon, lat)
    inside = in_gcj02_box(x, y)
    u, v = _gcj02_to_bd09(*wgs84_to_gcj02(x, y))
    return np.where(inside, u, x), np.where(inside, v, y)


def bd09_to_wgs84(lon: npt.ArrayLike, lat: npt.ArrayLike) -> tuple[F8, F8]:
    """Shift BD-09 (Baidu) back to WGS84 by iteration; arguments and result as in `gcj02_to_wgs84`."""
    x, y = _pair(lon, lat)
    inside = in_gcj02_box(x, y)
    u, v = x - 0.0065, y - 0.006
    for _ in range(_ITERATIONS):
        bx, by = _gcj02_to_bd09(u, v)
        u, v = u + (x - bx), v + (y - by)
    wx, wy = gcj02_to_wgs84(u, v)
    return np.where(inside, wx, x), np.where(inside, wy, y)
