"""Where the rows of a file lie: those far from all others, and the metric CRS in which all the rest can be measured."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import shapely
from pyproj import CRS, Proj
from pyproj.crs import ProjectedCRS
from pyproj.crs.coordinate_operation import TransverseMercatorConversion

from rooftop.core.errors import InputError
from rooftop.core.lang import Text
from rooftop.core.types import B1, F8, Geometries
from rooftop.inputs.gcj02 import in_gcj02_box
from rooftop.inputs.input_limits import input_limits

_KM_PER_DEG = 111.2
_MERIDIAN_STEP_DEG = 0.1
_REDUCTION = 0.9995  # scale on the central meridian that spreads the error of a wide extent over both signs


NO_SHAPE = shapely.Polygon()
"""What stands for no geometry, once rows of a file are buildings."""


def blank_rows(geometry: Geometries, rows: B1) -> Geometries:
    """Return the geometries of a file with None, as files have it, on some rows."""
    out = geometry.copy()
    out[rows] = None
    return out


def middles(lonlat: Geometries) -> tuple[F8, F8]:
    """Return longitude and latitude [°] of the middle of each row's bounds; NaN for rows without a finite one."""
    bounds = shapely.bounds(lonlat).reshape(-1, 4)
    bounds[~np.isfinite(bounds).all(axis=1)] = np.nan
    return (bounds[:, 0] + bounds[:, 2]) / 2.0, (bounds[:, 1] + bounds[:, 3]) / 2.0


def far_rows(lonlat: Geometries) -> B1:
    """Tell which rows lie so far from the others that they cannot belong to them.

    Distances count from the median position. A row is far beyond ``sure_km`` or, as one of a few, beyond ``few_km``
    (`far_rows` of `configs/input_limits.yaml`), and always several times farther out than half of the rows are.

    Parameters
    ----------
    lonlat : (n,) ndarray of geometries
        WGS84 degrees.
    """
    rule = input_limits().far_rows
    lon, lat = middles(lonlat)
    finite = np.isfinite(lon) & np.isfinite(lat)
    far = np.zeros(len(lon), dtype=bool)
    if finite.sum() < 3:
        return far
    lon0, lat0 = _median_lon(lon[finite]), float(np.median(lat[finite]))
    east = (lon - lon0 + 180.0) % 360.0 - 180.0
    km = np.hypot(east * np.cos(np.radians(lat0)), lat - lat0) * _KM_PER_DEG
    km[~finite] = 0.0
    out = km > rule.times_the_median * np.median(km[finite])
    sure, few = out & (km > rule.sure_km), out & (km > rule.few_km)
    is_few = few.sum() <= max(1.0, rule.few_share * finite.sum())
    return np.asarray(few if is_few else sure, dtype=bool)


def _median_lon(lon: F8) -> float:
    """Return the median longitude, also where the data lie on both sides of the antimeridian."""
    around = float(np.degrees(np.angle(np.exp(1j * np.radians(lon)).mean())))
    return around + float(np.median((lon - around + 180.0) % 360.0 - 180.0))


def area_error(crs: CRS, lon: npt.ArrayLike, lat: npt.ArrayLike) -> F8:
    """Return by how much areas in a projected CRS are off at points, as a share; inf where it has no answer.

    Parameters
    ----------
    lon, lat : array_like, shape (n,)
        WGS84 degrees.
    """
    x, y = np.atleast_1d(np.asarray(lon, dtype=float)), np.atleast_1d(np.asarray(lat, dtype=float))
    if not x.size:
        return np.zeros(0)
    factors = Proj(crs).get_factors(x, y, errcheck=False)
    error = np.asarray(factors.areal_scale, dtype=float) - 1.0
    return np.where(np.isfinite(error), error, np.inf)


def working_crs(lon: npt.ArrayLike, lat: npt.ArrayLike) -> CRS:
    """Choose the metric CRS that fits points: CGCS2000 3-degree Gauss-Krüger in China, UTM elsewhere.

    Where areas would be off by more than ``working_crs_area_error.warn`` at any point, a transverse Mercator around the
    middle of the data takes its place.

    Parameters
    ----------
    lon, lat : array_like, shape (n,)
        WGS84 degrees; the middle of their extent decides the zone. "In China" is the box `GCJ02_BOX`.

    Returns
    -------
    pyproj.CRS
        One of EPSG:4534 ... 4554 (central meridians 75-135°E, eastings without zone prefix), UTM on WGS84, or a
        transverse Mercator of the data set's own.

    Raises
    ------
    InputError
        No point is finite, or the middle lies beyond 84° of latitude.
    """
    x, y = np.atleast_1d(np.asarray(lon, dtype=float)), np.atleast_1d(np.asarray(lat, dtype=float))
    known = np.isfinite(x) & np.isfinite(y)
    x, y = x[known], y[known]
    if not x.size or abs(_middle(y)) > 84.0 or np.abs(x).max() > 360.0:
        raise InputError(
            Text("no metric working CRS fits the data", "没有适合该数据范围的投影坐标系"),
            found=f"lon {x.min():.4f}..{x.max():.4f}, lat {y.min():.4f}..{y.max():.4f}" if x.size else "NaN",
            expected=Text("an extent between 84°S and 84°N", "范围应在南北纬84°之间"),
            mend=Text("check the CRS of the footprints", "请检查建筑轮廓数据的坐标系"),
        )
    around = _median_lon(x)
    x = around + (x - around + 180.0) % 360.0 - 180.0
    middle, china = _middle(x), bool(in_gcj02_box(_middle(x), _middle(y)))
    zone = _zone(middle, _middle(y), china=china)
    centred = [_centred_crs(middle, china=china, south=_middle(y) < 0.0, scale=scale) for scale in (1.0, _REDUCTION)]
    worst = [float(np.abs(area_error(crs, x, y)).max()) for crs in (zone, *centred)]
    good = [k for k, error in enumerate(worst) if error <= input_limits().working_crs_area_error.warn]
    return (zone, *centred)[good[0] if good else int(np.argmin(worst))]


def _middle(values: F8) -> float:
    return float((values.min() + values.max()) / 2.0)


def _zone(lon: float, lat: float, *, china: bool) -> CRS:
    if china:
        meridian = int(np.clip(np.floor(lon / 3.0 + 0.5) * 3, 75, 135))
        return CRS.from_epsg(4534 + (meridian - 75) // 3)
    zone = int(np.floor(((lon + 180.0) % 360.0) / 6.0)) + 1
    return CRS.from_epsg((32600 if lat >= 0.0 else 32700) + zone)


def _centred_crs(lon: float, *, china: bool, south: bool, scale: float) -> CRS:
    meridian = round(round(((lon + 180.0) % 360.0 - 180.0) / _MERIDIAN_STEP_DEG) * _MERIDIAN_STEP_DEG, 1)
    base = CRS.from_epsg(4490 if china else 4326)
    conversion = TransverseMercatorConversion(
        longitude_natural_origin=meridian,
        false_easting=500_000.0,
        false_northing=10_000_000.0 if south else 0.0,
        scale_factor_natural_origin=scale,
    )
    label = f"{'CGCS2000' if china else 'WGS 84'} / TM {abs(meridian):g}{'W' if meridian < 0.0 else 'E'} k {scale:g}"
    return ProjectedCRS(conversion, name=label, geodetic_crs=base)


def crs_label(crs: CRS) -> str:
    """Return the code of a CRS (``EPSG:4549``), or its name where no authority knows it."""
    authority = crs.to_authority(min_confidence=100)
    return ":".join(authority) if authority else crs.name
