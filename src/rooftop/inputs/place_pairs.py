"""Two inputs that should lie in the same place: how much of one lies on the other, and what explains that none does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial

import geopandas as gpd
import numpy as np
import shapely
from pyproj import CRS, Geod

from rooftop.core.errors import InputError
from rooftop.core.lang import Text
from rooftop.core.notices import Notice
from rooftop.core.types import B1, F8, Geometries
from rooftop.inputs.datums import from_lonlat, to_lonlat
from rooftop.inputs.gcj02 import bd09_to_wgs84, gcj02_to_wgs84, wgs84_to_bd09, wgs84_to_gcj02
from rooftop.inputs.input_limits import input_limits

Shift = Callable[[F8, F8], tuple[F8, F8]]

_ZONE_DEG = 3.0
_PLANE_KM = 500.0  # beyond, distances in the working CRS mean nothing


def share_on(points: Geometries, polygons: Geometries) -> float:
    """Return the share of points that lie on any of the polygons; NaN without points. Both in one CRS."""
    if not len(points):
        return float("nan")
    tree = shapely.STRtree(polygons[~shapely.is_missing(polygons)])
    return len(np.unique(tree.query(points, predicate="intersects")[0])) / len(points)


@dataclass(frozen=True, kw_only=True)
class Pair:
    """Two inputs of which one should lie on the other.

    Parameters
    ----------
    of, on : str
        Configuration keys of the points and of the polygons, for the mend.
    none : Text
        What is said where no point lies on any polygon: "no building lies in any district".
    where : str
        File of the polygons.
    least_share : float
        Where less of the points lies on polygons, this is worth a warning.
    fatal : bool
        That none does cannot be meant.
    left_out : ndarray of geometries
        Polygons that were read but cannot be used, in the CRS of the others.
    why_left_out : Text or None
        What they lack: "no code".
    """

    of: str
    on: str
    none: Text
    where: str
    least_share: float = 0.0
    fatal: bool = True
    left_out: Geometries = field(default_factory=lambda: np.empty(0, dtype=object))
    why_left_out: Text | None = None


def compare_points_with_polygons(points: Geometries, polygons: Geometries, crs: CRS, pair: Pair) -> Iterator[Notice]:
    """Refuse points of which none lies on any polygon, and warn where only a few do.

    Parameters
    ----------
    points, polygons : ndarray of geometries
        In `crs`; missing polygons hold nothing.
    crs : pyproj.CRS
        Working CRS.

    Raises
    ------
    InputError
        With the distance, and with a cause that would explain it, where one does.
    """
    share = share_on(points, polygons)
    if not len(points) or (share > 0.0 and share >= pair.least_share):
        return
    cause = _left_out_text(points, pair) or likely_cause(points, polygons, crs, pair)
    if share == 0.0 and pair.fatal:
        raise InputError(
            pair.none,
            where=f"{pair.on}: {pair.where}",
            found=_distance_text(points, polygons, crs, pair),
            expected=Text("both in the same place", "两者位置一致"),
            mend=cause
            or Text(
                f"check CRS and datum of {pair.of} and {pair.on}", f"请检查 {pair.of} 与 {pair.on} 的坐标系与坐标基准"
            ),
        )
    text = Text(f"only {share:.0%} of {pair.of} lies on {pair.on}", f"{pair.of} 仅有 {share:.0%} 位于 {pair.on} 内")
    if share == 0.0:
        apart = _distance_text(points, polygons, crs, pair)
        text = Text("{none}: {apart}", "{none}：{apart}").format(none=pair.none, apart=apart)
    if cause is not None:
        text = Text(
            "{text}; {cause}, unless they really lie apart", "{text}；{cause}（若两者确实不在一处，则无须处理）"
        ).format(text=text, cause=cause)
    yield Notice("few_in_place", text, round((1.0 - share) * len(points)), "warning", pair.where)


def outside_notices(
    buildings: gpd.GeoDataFrame, points: Geometries, inside: B1, districts: Geometries, pair: Pair
) -> tuple[Notice, ...]:
    """Count the buildings that lie in no district: no total of a district holds them.

    Parameters
    ----------
    buildings : GeoDataFrame
        Those with an outline, in the working CRS.
    points : ndarray of points
        One on each.
    inside : ndarray of bool
        Which of them belong to a district.
    districts : ndarray of geometries
    pair : Pair
        Of the two.
    """
    if inside.all() or not inside.any():
        return ()
    rule = input_limits().place_pairs
    cause = _left_out_text(points[~inside], pair)
    if cause is None and (~inside).mean() >= rule.many_outside:
        explained = rule.all_explained
        cause = likely_cause(points, districts, CRS(buildings.crs), pair, explained=explained)
    area = buildings.area.to_numpy()
    share = area[~inside].sum() / area.sum()
    text = Text(
        f"{{n}} of {len(inside)} buildings ({share:.0%} of the footprint area) lie in no district, and in no total",
        f"{len(inside)} 栋建筑中有 {{n}} 栋（占轮廓面积 {share:.0%}）不在任何县区内，不计入县区合计",
    )
    if cause is not None:
        text += Text(
            "; {cause}, unless the districts do not reach there", "；{cause}（若县区边界本不覆盖该处，则无须处理）"
        ).format(cause=cause)
    return Notice.counted("outside_district", ~inside, text, names=buildings["building_id"], source=pair.where)


def _left_out_text(points: Geometries, pair: Pair) -> Text | None:
    """Return what polygons lack that were left out, where points lie on them."""
    share = share_on(points, pair.left_out)
    if pair.why_left_out is None or not share > 0.0:
        return None
    return Text("{why}: {n} of {of} lie there", "{why}：{of} 个中有 {n} 个位于其中").format(
        why=pair.why_left_out, n=round(share * len(points)), of=len(points)
    )


def _distance_text(points: Geometries, polygons: Geometries, crs: CRS, pair: Pair) -> Text:
    """Say where the two lie and how far apart."""
    x, y = (float(np.median(v)) for v in (shapely.get_x(points), shapely.get_y(points)))
    x0, y0, x1, y1 = (float(v) for v in shapely.total_bounds(polygons))
    lon, lat = to_lonlat([x, (x0 + x1) / 2.0], [y, (y0 + y1) / 2.0], crs)
    away = shapely.distance(shapely.Point(x, y), polygons)
    km = float(np.nanmin(away)) / 1000.0 if np.isfinite(away).any() else float("nan")
    if not km < _PLANE_KM:
        km = float(Geod(ellps="WGS84").inv(lon[0], lat[0], lon[1], lat[1])[2]) / 1000.0
    of, on = pair.of, pair.on
    return Text(
        f"{of} around {lon[0]:.3f}, {lat[0]:.3f}; {on} around {lon[1]:.3f}, {lat[1]:.3f}; {km:,.1f} km apart",
        f"{of} 位于 {lon[0]:.3f}, {lat[0]:.3f} 附近，{on} 位于 {lon[1]:.3f}, {lat[1]:.3f} 附近，相距 {km:,.1f} km",
    )


def likely_cause(
    points: Geometries, polygons: Geometries, crs: CRS, pair: Pair, explained: float | None = None
) -> Text | None:
    """Return what would bring most of the points onto the polygons; None where nothing usual does.

    Parameters
    ----------
    explained : float, optional
        Share of the points that must lie on polygons then; most, and many more than now, when left out.
    """
    rule = input_limits().place_pairs
    every = max(1, len(points) // rule.sample)
    sample = points[::every]
    lon, lat = to_lonlat(shapely.get_x(sample), shapely.get_y(sample), crs)
    now = share_on(sample, polygons)
    best: tuple[float, Text] | None = None
    for shift, text in _usual_shifts(pair.of, pair.on):
        with np.errstate(all="ignore"):
            x, y = from_lonlat(*shift(lon, lat), crs)
        moved = np.isfinite(x) & np.isfinite(y)
        share = share_on(shapely.points(x[moved], y[moved]), polygons) if moved.any() else 0.0
        least = max(rule.explained_share, now + rule.explained_more) if explained is None else explained
        if share > least and (best is None or share > best[0]):
            best = share, text
    return best[1] if best is not None else None


def _usual_shifts(of: str, on: str) -> Iterator[tuple[Shift, Text]]:
    """Yield the usual mistakes in the place of either input."""
    yield (
        lambda lon, lat: (lat, lon),
        Text(f"x and y of {of} or {on} seem to be swapped", f"{of} 或 {on} 的 x、y 似乎颠倒"),
    )
    for datum, undo, do in (("gcj02", gcj02_to_wgs84, wgs84_to_gcj02), ("bd09", bd09_to_wgs84, wgs84_to_bd09)):
        for key, shift in ((of, undo), (on, do)):
            yield (
                shift,
                Text(
                    f"{key} seems to be in {datum}: set its datum: {datum}",
                    f"{key} 似为 {datum} 坐标：请设置其 datum: {datum}",
                ),
            )
    for zones in (-2, -1, 1, 2):
        off = abs(zones) * _ZONE_DEG
        yield (
            partial(_shift_east, by=zones * _ZONE_DEG),
            Text(
                f"{of} or {on} states a zone that is {off:g}° of longitude off: check the CRS of both",
                f"{of} 或 {on} 声明的分带相差经度 {off:g}°：请检查两者的坐标系",
            ),
        )


def _shift_east(lon: F8, lat: F8, by: float) -> tuple[F8, F8]:
    return lon + by, lat
