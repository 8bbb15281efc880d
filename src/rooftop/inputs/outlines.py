"""Outlines of buildings: placed and repaired, each with a digest that tells the same ones."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
import shapely
from pyproj import CRS
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from rooftop.config import Datum
from rooftop.core.errors import InputError
from rooftop.core.lang import Text
from rooftop.core.notices import Notice
from rooftop.core.types import B1, F8, Geometries
from rooftop.inputs.datums import LocatedGeometries, locate
from rooftop.inputs.extent import NO_SHAPE, area_error, crs_label, far_rows, middles
from rooftop.inputs.input_limits import input_limits
from rooftop.inputs.vectors import Vector

_HASH_DECIMALS = 7  # of a degree: 1 cm


@dataclass(frozen=True)
class Outlines:
    """Outlines of all rows of a file.

    Parameters
    ----------
    geometry : ndarray of shapely geometries
        Working CRS, valid and polygonal; empty on rows that have no outline, or none that can be used.
    digests : list of bytes or None
        The same for the same outline, whatever its ring order, start point and last digits.
    shared_digests : list of bytes or None
        Digests, one for all outlines that are the same but for a shift or a vertex (a delivery twice).
    crs : pyproj.CRS
        Working CRS.
    misplaced, far, empty, repaired : ndarray of bool
        Rows whose coordinates are impossible, that lie far from all others, that have no polygon, that were mended.
    notices : tuple of Notice
    """

    geometry: Geometries
    digests: list[bytes | None]
    shared_digests: list[bytes | None]
    crs: CRS
    misplaced: B1
    far: B1
    empty: B1
    repaired: B1
    notices: tuple[Notice, ...]


def read_outlines(vector: Vector, datum: Datum, crs: CRS | None, where: str) -> Outlines:
    """Bring the outlines of a file to the working CRS.

    Parameters
    ----------
    crs : pyproj.CRS, optional
        Working CRS; None chooses the one fitting the data.

    Raises
    ------
    InputError
        No row has a geometry; coordinates do not belong to the CRS; the working CRS does not fit the data.
    """
    place = locate(_single_polygons(vector.geometry, where), vector.crs, datum, crs, where)
    far = far_rows(place.lonlat)
    lost, lost_notices = _unmeasurable_rows(place, far, where)
    notices = [*place.notices, *lost_notices, *_far_notice(place, far | lost, where)]
    geometry, repaired, changed = _repair(np.where(far | lost, NO_SHAPE, place.projected))
    notices += _area_notice(changed, where)
    gone = shapely.is_empty(geometry)
    digests = _digests(place.lonlat, gone)
    return Outlines(
        geometry=geometry,
        digests=digests,
        shared_digests=_shared_digests(geometry, digests),
        crs=place.crs,
        misplaced=vector.misplaced,
        far=far | lost,
        empty=gone & ~vector.misplaced & ~far & ~lost,
        repaired=repaired & ~gone,
        notices=tuple(notices),
    )


def _single_polygons(geometry: Geometries, where: str) -> Geometries:
    """Return the geometries, missing ones as empty polygons, single-part multis as polygons; all empty is an error."""
    out = np.where(shapely.is_missing(geometry) | shapely.is_empty(geometry), NO_SHAPE, geometry)
    single = (shapely.get_type_id(out) == 6) & (shapely.get_num_geometries(out) == 1)
    out[single] = shapely.get_geometry(out[single], 0)  # so that one building has one id in every format
    if shapely.is_empty(out).all():
        raise InputError(
            Text("no building has a geometry", "所有建筑都没有几何图形"),
            where=where,
            found=Text(f"{len(out)} empty geometries", f"{len(out)} 个空图形"),
            expected=Text("polygons", "面要素"),
            mend=Text("check the export", "请检查导出过程"),
        )
    return out


# --- places ----------------------------------------------------------------------------------------------------------


def _unmeasurable_rows(place: LocatedGeometries, far: B1, where: str) -> tuple[B1, list[Notice]]:
    """Tell which rows the working CRS cannot measure, and warn of areas that are off; all of them is an error."""
    lon, lat = middles(place.lonlat)
    near = np.isfinite(lon) & np.isfinite(lat) & ~far
    limit = input_limits().working_crs_area_error
    error = np.zeros(len(lon))
    error[near] = np.abs(area_error(place.crs, lon[near], lat[near]))
    error[near & ~np.isfinite(shapely.bounds(place.projected)).all(axis=1)] = np.inf
    lost = near & (error > limit.refuse)
    if lost.sum() > 0.5 * near.sum():
        centre = float(np.median(lon[near])), float(np.median(lat[near]))
        worst = float(np.median(error[lost]))
        raise InputError(
            Text("the working CRS does not fit the data", "工作坐标系与数据位置不符"),
            where="crs",
            found=Text(f"areas {worst:.0%} off in {place.crs.name}", f"{place.crs.name} 下面积偏差 {worst:.0%}"),
            expected=Text(
                f"a zone around lon {centre[0]:.2f}, lat {centre[1]:.2f}",
                f"覆盖经度 {centre[0]:.2f}、纬度 {centre[1]:.2f} 的分带",
            ),
            mend=Text("leave crs out: the fitting zone is chosen", "删去 crs，将自动选择合适的分带"),
        )
    off = near & ~lost & (error > limit.warn)
    if not off.any():
        return lost, []
    n, worst = int(off.sum()), float(error[off].max())
    label = crs_label(place.crs)
    text = Text(
        f"areas of {n} buildings in {label} are up to {worst:.2%} off: compute regions so wide in parts",
        f"{label} 下 {n} 栋建筑的面积偏差最大 {worst:.2%}：范围过宽，请分片计算",
    )
    return lost, [Notice("working_crs_distorts", text, n, source=where)]


def _far_notice(place: LocatedGeometries, far: B1, where: str) -> list[Notice]:
    if not far.any():
        return []
    lon, lat = middles(place.lonlat)
    near = np.isfinite(lon) & ~far
    centre = Text(
        f"around {np.median(lon[near]):.3f}, {np.median(lat[near]):.3f}",
        f"（{np.median(lon[near]):.3f}, {np.median(lat[near]):.3f} 附近）",
    )
    count = int(far.sum())
    text = Text(
        "{count} rows lie far from all other buildings {centre}: they are left out",
        "{count} 行远离其他建筑{centre}，已排除",
    ).format(count=count, centre=centre)
    rows = np.flatnonzero(far)[:5]
    examples = tuple(f"{row} (lon {lon[row]:.4f}, lat {lat[row]:.4f})" for row in rows)
    return [Notice("far_from_others", text, count, source=where, examples=examples)]


# --- shapes ----------------------------------------------------------------------------------------------------------


def _repair(geometry: Geometries) -> tuple[Geometries, B1, F8]:
    """Return valid polygonal geometries (empty where nothing is left), which were changed, and their areas as drawn.

    Returns
    -------
    geometry, repaired, areas
        `areas` is (n, 2): before and after [m²].
    """
    out = geometry.copy()
    present = ~shapely.is_empty(out)
    before = shapely.area(out)
    invalid = present & ~shapely.is_valid(out)
    if invalid.any():
        own_holes = np.array([_without_foreign_holes(g) for g in out[invalid]], dtype=object)
        out[invalid] = shapely.make_valid(own_holes, method="structure", keep_collapsed=False)
    for row in np.flatnonzero(shapely.get_type_id(out) == 7):
        parts = [p for p in _parts(out[row]) if shapely.get_type_id(p) == 3]
        out[row] = shapely.union_all(parts) if parts else NO_SHAPE
        invalid[row] = True
    gone = present & (shapely.is_empty(out) | ~(shapely.area(out) > 0.0))
    out[gone] = NO_SHAPE
    after = shapely.area(out)
    return out, invalid, np.column_stack([before, np.where(invalid & ~gone, after, before)])


def _without_foreign_holes(geometry: shapely.Geometry) -> shapely.Geometry:
    """Drop holes that lie outside their shell: a repair would take them for land of their own."""
    if geometry.geom_type == "MultiPolygon":
        return shapely.multipolygons([_without_foreign_holes(part) for part in geometry.geoms])
    if geometry.geom_type != "Polygon" or not len(geometry.interiors):
        return geometry
    shell = shapely.make_valid(shapely.Polygon(geometry.exterior), method="structure", keep_collapsed=False)
    holes = [ring for ring in geometry.interiors if _takes_area(ring, shell)]
    return shapely.Polygon(geometry.exterior, holes)


def _takes_area(ring: shapely.Geometry, shell: shapely.Geometry) -> bool:
    hole = shapely.make_valid(shapely.Polygon(ring), method="structure", keep_collapsed=False)
    return bool(shapely.area(shapely.intersection(hole, shell)) > 0.0)


def _parts(geometry: shapely.Geometry) -> list[shapely.Geometry]:
    """Return the simple parts of a geometry, however deep."""
    if not hasattr(geometry, "geoms"):
        return [geometry]
    return [part for child in geometry.geoms for part in _parts(child)]


def _area_notice(areas: F8, where: str) -> list[Notice]:
    """Say by how much repairs changed areas, where it is more than rounding."""
    rule = input_limits().repair_area
    change = areas[:, 1] - areas[:, 0]
    rows = np.flatnonzero(np.abs(change) > np.maximum(rule.min_m2, rule.share * areas[:, 0]))
    if not len(rows):
        return []
    more, less = float(change[rows].clip(min=0.0).sum()), float(np.abs(change[rows].clip(max=0.0)).sum())
    text = Text(
        f"{len(rows)} repairs changed the area of an outline, by +{more:.1f} and -{less:.1f} m² in all: look at them",
        f"{len(rows)} 个图形修复后面积改变，合计 +{more:.1f} ㎡、-{less:.1f} ㎡，请核对",
    )
    largest = rows[np.argsort(-np.abs(change[rows]), kind="stable")][:5]
    examples = tuple(f"{row}: {areas[row, 0]:.1f} -> {areas[row, 1]:.1f} m²" for row in largest)
    return [Notice("repair_changed_area", text, len(rows), source=where, examples=examples)]


def _digests(lonlat: Geometries, gone: B1) -> list[bytes | None]:
    """Hash each geometry that is not gone, independent of ring order, start point and the last digits."""
    shapes = np.where(gone, NO_SHAPE, lonlat)
    rounded = shapely.transform(shapes, lambda xy: np.round(xy, _HASH_DECIMALS) + 0.0)
    wkb = shapely.to_wkb(shapely.normalize(rounded), byte_order=1)
    return [None if no else hashlib.blake2b(data, digest_size=16).digest() for data, no in zip(wkb, gone, strict=True)]


def _shared_digests(geometry: Geometries, digests: list[bytes | None]) -> list[bytes | None]:
    """Give outlines that share nearly all of their area one digest, the lowest of theirs."""
    rule = input_limits().same_outline
    rows = np.flatnonzero([d is not None for d in digests])
    middle = shapely.get_coordinates(shapely.centroid(geometry[rows]))
    if len(middle) != len(rows) or not len(rows):
        return digests
    pairs = rows[cKDTree(middle).query_pairs(rule.middles_m, output_type="ndarray").reshape(-1, 2)]
    first, second = geometry[pairs[:, 0]], geometry[pairs[:, 1]]
    areas = np.stack([shapely.area(first), shapely.area(second)])
    alike = areas.min(axis=0) >= rule.share * areas.max(axis=0)
    pairs, first, second, areas = pairs[alike], first[alike], second[alike], areas[:, alike]
    shared = shapely.area(shapely.intersection(first, second))
    pairs = pairs[shared >= rule.share * (areas.sum(axis=0) - shared)]
    if not len(pairs):
        return digests
    n = len(digests)
    links = coo_array((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(n, n))
    group = connected_components(links, directed=False)[1]
    lowest: dict[int, bytes] = {}
    for row in np.unique(pairs):
        digest = digests[row] or b""
        lowest[int(group[row])] = min(digest, lowest.get(int(group[row]), digest))
    return [lowest.get(int(g), d) if d is not None else None for g, d in zip(group, digests, strict=True)]
