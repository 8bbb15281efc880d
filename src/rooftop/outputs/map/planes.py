"""Roof planes and modules for the map, coded so that a district of modules stays a small file.

A plane's modules are one parallelogram set down many times: it is written once, and of each module only the step from
the one before. All integers of a plane stand in one text: zigzag, seven bits a byte, low ones first, base64.
"""

from __future__ import annotations

import base64
from itertools import pairwise
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from rooftop.core.errors import ComputeError
from rooftop.core.lang import Text
from rooftop.core.types import F8, I8
from rooftop.outputs.map.payload import SCALE, SIMPLIFY_ABOVE, SIMPLIFY_DEG, encode_shapes
from rooftop.targets.columns import known_or_zero

FINE = 10  # modules are coded in steps of 1e-7 degrees, about a centimetre
MAX_PLANES = 300_000  # in one file; above, none
MAX_MODULES = 1_500_000  # in one file, about 7 MB; above, none
LEVEL_DEG = 1.0  # planes flatter than this have no direction worth an arrow
SOURCES = ("lod2", "dsm", "assumed")


def plane_payload(
    planes: gpd.GeoDataFrame,
    modules: gpd.GeoDataFrame | None,
    building_ids: list[str],
    footprints: list[Any],
    origin: tuple[int, int],
) -> dict[str, Any]:
    """Return outlines of planes, and their modules where there are any.

    Parameters
    ----------
    planes, modules : GeoDataFrame
        `tables.PLANES` and `tables.MODULES`, longitude and latitude. Those of buildings that are not in `building_ids`
        are left out.
    building_ids : list of str
        The roofs on the map, in their order.
    footprints : list
        Their shapes as coded by `map_data.encode_shapes`, relative to `origin`.
    origin : (int, int)

    Returns
    -------
    dict
        One entry per outline: ``roof`` (ascending), ``shape`` (as `encode_shapes`; 1 where it is the footprint),
        ``point`` (a point within, relative to `origin`), ``tilt azimuth area source n`` (modules), ``looks``
        (``[tilt, azimuth]`` of the modules that do not lie flush), ``module`` (coded, or 0). The two directions of an
        east-west rack share one outline. ``counts``: outlines of each source; ``counted uncounted``: modules.
    """
    row_of = {building_id: row for row, building_id in reversed(list(enumerate(building_ids)))}
    roof = planes["building_id"].map(row_of)
    on_map = planes[roof.notna().to_numpy() & ~(planes.geometry.isna() | planes.geometry.is_empty).to_numpy()]
    on_map = on_map.assign(roof=roof[on_map.index].astype("int64")).sort_values("roof", kind="stable")
    keys = pd.MultiIndex.from_arrays([on_map["roof"], on_map.geometry.to_wkb()])
    outline, first = _first_of(keys)
    one = on_map.iloc[first]
    plans = one.geometry.to_numpy()
    if len(building_ids) > SIMPLIFY_ABOVE:  # as the footprints are, so that equal ones stay equal
        plans = shapely.simplify(plans, SIMPLIFY_DEG, preserve_topology=True)
    shapes = encode_shapes(plans, origin)
    roofs = one["roof"].tolist()
    inside = shapely.get_coordinates(shapely.point_on_surface(one.geometry.to_numpy()))
    tilt = np.rint(known_or_zero(one, "plane_tilt_deg")).astype(int)
    azimuth = np.rint(known_or_zero(one, "plane_azimuth_deg") % 360.0).astype(int) % 360
    source = [SOURCES.index(name) if name in SOURCES else len(SOURCES) - 1 for name in one["roof_source"]]
    drawn = {} if modules is None else _modules(modules, on_map, outline, origin)
    counted = 0 if modules is None else int(drawn["counted"])
    return {
        "roof": roofs,
        "shape": [1 if shape == footprints[at] else shape for shape, at in zip(shapes, roofs, strict=True)],
        "point": (np.rint(inside * SCALE).astype(np.int64) - origin).tolist(),
        "tilt": tilt.tolist(),
        "azimuth": np.where(known_or_zero(one, "plane_tilt_deg") < LEVEL_DEG, -1, azimuth).tolist(),
        "area": [round(value, 1) for value in _sums_by_outline(on_map, "area_m2", outline)],
        "n": [int(value) for value in _sums_by_outline(on_map, "module_count", outline)],
        "source": source,
        "counts": [source.count(k) for k in range(len(SOURCES))],
        "looks": _looks(on_map, outline, len(first)),
        "module": drawn.get("text", 0),
        "counted": counted,
        "uncounted": 0 if modules is None else int(drawn["n"]) - counted,
    }


def direction_names() -> tuple[Text, ...]:
    """Return the eight directions, clockwise from north."""
    return (
        Text("N", "北"),
        Text("NE", "东北"),
        Text("E", "东"),
        Text("SE", "东南"),
        Text("S", "南"),
        Text("SW", "西南"),
        Text("W", "西"),
        Text("NW", "西北"),
    )


def _first_of(keys: pd.MultiIndex) -> tuple[I8, I8]:
    """Return for each row the number of its key, in order of appearance, and the first row of each key."""
    number, _ = pd.factorize(keys)
    first = np.flatnonzero(np.diff(np.maximum.accumulate(number), prepend=-1)) if len(number) else number
    return number.astype(np.int64), first.astype(np.int64)


def _sums_by_outline(frame: pd.DataFrame, name: str, outline: I8) -> list[float]:
    values: list[float] = np.bincount(outline, weights=known_or_zero(frame, name)).tolist()
    return values


def _looks(planes: pd.DataFrame, outline: I8, n: int) -> list[Any]:
    """Return where modules look that are set up on their plane; 0 where they lie in it or where there are none."""
    looks: list[Any] = [0] * n
    counts, tilts, azimuths = (
        known_or_zero(planes, name) for name in ("module_count", "surface_tilt_deg", "surface_azimuth_deg")
    )
    table = zip(outline.tolist(), counts, planes["mounting"], tilts, azimuths, strict=True)
    for at, count, mounting, tilt, azimuth in table:
        if count > 0 and mounting != "flush":
            looks[at] = [*(looks[at] or []), [round(tilt), round(azimuth) % 360]]
    return looks


def _modules(modules: gpd.GeoDataFrame, planes: pd.DataFrame, outline: I8, origin: tuple[int, int]) -> dict[str, Any]:
    """Return the modules of each outline as text, how many there are and how many are counted."""
    plane = pd.Series(np.arange(len(planes)), index=pd.Index(planes["plane_id"].astype(str)))
    at = plane.reindex(modules["plane_id"].astype(str)).to_numpy(dtype=float)
    on_planes = modules[np.isfinite(at)]
    row = at[np.isfinite(at)].astype(np.int64)
    corners = _corners(on_planes)
    counted = on_planes["counted"].to_numpy(dtype=bool)
    # By outline first: the directions of a rack may lie apart.
    group = (outline[row] * len(planes) + row) * 2 + ~counted
    order = np.argsort(group, kind="stable")
    values, owner = _integers(corners[order], group[order], origin)
    text = _texts(values, owner // (2 * len(planes)), int(outline.max(initial=-1)) + 1)
    return {"text": text, "n": len(on_planes), "counted": int(counted.sum())}


def _corners(modules: gpd.GeoDataFrame) -> F8:
    """Return the corners of rectangles, (n, 4, 2)."""
    shapes = modules.geometry.to_numpy()
    if not (shapely.get_num_coordinates(shapes) == 5).all():
        raise ComputeError(
            Text("modules are not rectangles", "组件不是矩形"), where="modules.parquet", expected="4 corners"
        )
    return shapely.get_coordinates(shapes).reshape(-1, 5, 2)[:, :4]


def _integers(corners: F8, group: I8, origin: tuple[int, int]) -> tuple[I8, I8]:
    """Return the numbers of all groups in a row, and the group of each number.

    A group is ``uncounted n ax ay bx by`` and ``dx dy`` of each module: a and b are its edges at the first corner, d
    the step of that corner from the module before, of the first one from the origin.
    """
    names, start, size = np.unique(group, return_index=True, return_counts=True)
    whole = np.rint(corners[:, 0] * SCALE * FINE).astype(np.int64) - np.asarray(origin, dtype=np.int64) * FINE
    steps = np.diff(whole, axis=0, prepend=0)
    steps[start] = whole[start]
    edges = np.concatenate([corners[:, 1] - corners[:, 0], corners[:, 3] - corners[:, 0]], axis=1) * SCALE * FINE
    mean = np.add.reduceat(edges, start) / size[:, None] if len(start) else np.zeros((0, 4))
    head = np.column_stack([names % 2, size, np.rint(mean).astype(np.int64)])
    length = 6 + 2 * size
    begin = np.cumsum(length) - length
    values = np.zeros(int(length.sum()), dtype=np.int64)
    is_head = np.zeros(len(values), dtype=bool)
    is_head[(begin[:, None] + np.arange(6)).ravel()] = True
    values[is_head], values[~is_head] = head.ravel(), steps.ravel()
    return values, np.repeat(names, length)


def _texts(values: I8, owner: I8, n: int) -> list[Any]:
    """Return base64 of the numbers of each owner, 0 for one without; owners ascend."""
    coded, length = _varints(values)
    ends = np.concatenate([[0], np.cumsum(length)])
    bounds = ends[np.searchsorted(owner, np.arange(n + 1))].tolist()
    raw = coded.tobytes()
    return [base64.b64encode(raw[a:b]).decode("ascii") if b > a else 0 for a, b in pairwise(bounds)]


def _varints(values: I8) -> tuple[npt.NDArray[np.uint8], I8]:
    """Code integers: zigzag, seven bits a byte, low ones first, the high bit set where more follow."""
    zigzag = ((values << 1) ^ (values >> 63)).astype(np.uint64)
    length = 1 + np.sum([zigzag >= np.uint64(1 << 7 * k) for k in range(1, 9)], axis=0).astype(np.int64)
    begin = np.cumsum(length) - length
    out = np.zeros(int(length.sum()), dtype=np.uint8)
    for k in range(int(length.max(initial=0))):
        at = np.flatnonzero(length > k)
        bits = ((zigzag[at] >> np.uint64(7 * k)) & np.uint64(127)).astype(np.uint8)
        out[begin[at] + k] = bits | np.where(length[at] > k + 1, 128, 0).astype(np.uint8)
    return out, length
