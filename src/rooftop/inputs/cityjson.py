"""Roof surfaces of LoD2 city models: CityJSON 1.x and 2.0, in metres of the working CRS.

What is wrong with one object costs that object: it is counted and named, and its roofs are assumed.
"""

from __future__ import annotations

import json
import logging
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import shapely
from pyproj import CRS

from rooftop.config import RoofsInput
from rooftop.core.errors import InputError
from rooftop.core.lang import Text
from rooftop.core.notices import Notice, Provenance, file_sha256
from rooftop.core.types import F8
from rooftop.inputs.access import read_bounded
from rooftop.inputs.attributes import value_text
from rooftop.inputs.coordinate_checks import in_authority_order, misplaced_rows
from rooftop.inputs.datums import locate, parse_crs
from rooftop.inputs.vertical import height_unit_m

log = logging.getLogger(__name__)

ROLE = "inputs.roofs"
Rings = tuple[F8, ...]

_LOWEST_LOD = 2.0
_DEPTH = {"MultiSurface": 0, "CompositeSurface": 0, "Solid": 1, "MultiSolid": 2, "CompositeSolid": 2}
_HELD = ("Building", "BuildingPart")
_DAMAGED = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
_HIGHEST = 30_000.0  # no roof stands above, in metres or feet


@dataclass(frozen=True)
class RoofModel:
    """Roof surfaces as the model gives them, nothing merged or cut.

    Parameters
    ----------
    table : DataFrame
        One row per surface, in file order: ``object_id`` (building or part), ``model_id`` (the building that it belongs
        to), ``key`` (value of `id_field`, NA without), ``lod``, ``surface`` (number of its semantic surface),
        ``ground_z_m`` (lowest point of the building; NaN where the model holds nothing but roofs).
    rings : tuple of tuple of (n, 3) ndarray
        Outer ring and holes of each surface, x, y in `crs` and height, metres; not closed.
    crs : pyproj.CRS
    """

    table: pd.DataFrame
    rings: tuple[Rings, ...]
    crs: CRS
    notices: tuple[Notice, ...]
    provenance: Provenance


@dataclass
class _ModelContent:
    """What reading collects."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    rings: list[Rings] = field(default_factory=list)
    lods: Counter[str] = field(default_factory=Counter)
    counts: Counter[str] = field(default_factory=Counter)
    damaged: dict[str, str] = field(default_factory=dict)


@dataclass
class _Object:
    """What one object holds, until it is known to be whole."""

    surfaces: list[tuple[int, Rings]] = field(default_factory=list)
    ground: float = np.inf
    lod: str = ""
    counts: Counter[str] = field(default_factory=Counter)


def read_roofs(config: RoofsInput, crs: CRS) -> RoofModel:
    """Read the roof surfaces of a city model.

    Of each building and part the highest level of detail from 2 on is taken; the surfaces are those that its semantics
    call ``RoofSurface``. Of solids the outer shell counts. A surface that a building repeats is read once. An object
    that is not valid is left out.

    Parameters
    ----------
    config : RoofsInput
    crs : pyproj.CRS
        Working CRS.

    Returns
    -------
    RoofModel

    Raises
    ------
    InputError
        Missing file, no CityJSON 1.x or 2.0, no CRS stated, no transform, a unit of heights that nothing states, no
        roof surface.
    """
    where = f"{ROLE}: {config.path}"
    content = _ModelContent()
    documents = _documents(config.path, where, content)
    source = _source_crs(config, documents[0], where)
    scale = height_unit_m(config.vertical_unit, source, where, "inputs.roofs.vertical_unit")
    for number, document in enumerate(documents):
        try:
            _read_objects(document, config, content, where)
        except InputError as error:
            if number == 0:
                raise
            content.damaged[str(document.get("id", f"feature {number}"))] = str(error.details["found"])
    plan = source.to_2d() if not source.sub_crs_list else source.sub_crs_list[0]
    turned = _turn_northing_first(content, plan)
    _leave_out_misplaced(content, plan)
    _require_roofs(content, where)
    rings = _rings_in_working_crs(content.rings, config, plan, crs, scale, where)
    table = pd.DataFrame(content.rows)
    table["ground_z_m"] = table["ground_z_m"].astype(float) * scale + config.vertical_offset_m
    table["key"] = table["key"].astype("string")
    details = {
        "crs": source.name,
        "datum": config.datum,
        "height_unit_m": repr(scale),
        "axis_order": "north, east" if turned else "east, north",
        "version": str(documents[0]["version"]),
        "lods": ", ".join(f"{lod}: {n}" for lod, n in sorted(content.lods.items())),
    }
    log.info("%s: %d roof surfaces of %d buildings", config.path, len(table), table["model_id"].nunique())
    return RoofModel(
        table,
        rings,
        crs,
        _notices(content, plan, where, turned=turned),
        Provenance(ROLE, str(config.path), file_sha256(config.path), details),
    )


# --- the file --------------------------------------------------------------------------------------------------------


def _documents(path: Path, where: str, content: _ModelContent) -> list[dict[str, Any]]:
    """Return the parsed file; a text sequence (CityJSONSeq) as its header and features, which share the transform."""
    text = read_bounded(path, ROLE).decode("utf-8-sig", errors="replace")
    lines = text.splitlines()
    try:
        first = json.loads(lines[0]) if len(lines) > 1 and lines[0].rstrip().endswith("}") else None
        parsed = [json.loads(text)] if first is None else [first]
    except (ValueError, RecursionError) as error:
        raise _no_city_json_error(where, str(error)) from error
    head = parsed[0]
    if not isinstance(head, dict) or head.get("type") != "CityJSON":
        raise _no_city_json_error(where, str(head.get("type")) if isinstance(head, dict) else type(head).__name__)
    version = str(head.get("version", ""))
    if not re.match(r"^(1\.\d|2\.0)", version):
        raise _no_city_json_error(where, f"version {version or '-'}")
    for number, line in enumerate(lines[1:] if first is not None else (), 2):
        if not line.strip():
            continue
        try:
            feature = json.loads(line)
            feature.setdefault("transform", head.get("transform"))
        except (ValueError, RecursionError, AttributeError) as error:
            content.damaged[f"line {number}"] = str(error)
        else:
            parsed.append(feature)
    return parsed


def _no_city_json_error(where: str, found: str) -> InputError:
    return InputError(
        Text("the roof model cannot be read", "屋顶模型无法读取"),
        where=where,
        found=found[:120],
        expected=Text("CityJSON 1.x or 2.0 (.json, .json.gz)", "CityJSON 1.x 或 2.0（.json、.json.gz）"),
        mend=Text("convert CityGML with citygml-tools", "CityGML 请先用 citygml-tools 转换"),
    )


def _source_crs(config: RoofsInput, head: dict[str, Any], where: str) -> CRS:
    metadata = head.get("metadata")
    stated = config.crs or (metadata.get("referenceSystem") if isinstance(metadata, dict) else None)
    if not stated:
        raise InputError(
            Text("the roof model states no coordinate reference system", "屋顶模型未注明坐标参考系"),
            where=where,
            found=Text("no metadata.referenceSystem", "缺少 metadata.referenceSystem"),
            expected=Text("a CRS", "坐标参考系"),
            mend=Text("set inputs.roofs.crs, e.g. EPSG:4549", "请设置 inputs.roofs.crs，例如 EPSG:4549"),
        )
    codes = re.findall(r"(?:/crs/|:crs:)EPSG[/:][^/:]*[/:](\d+)", str(stated))
    return parse_crs("+".join([f"EPSG:{codes[0]}", *codes[1:]]) if codes else str(stated), where)


def _vertices(document: dict[str, Any], where: str) -> F8:
    """Return the vertices, NaN where one is no point."""
    listed = document.get("vertices") or []
    if not isinstance(listed, list):
        raise _no_city_json_error(where, f"vertices: {type(listed).__name__}")
    try:
        stored = np.asarray(listed, dtype=float).reshape(len(listed), 3)
    except _DAMAGED:
        stored = np.array([_vertex(item) for item in listed], dtype=float).reshape(-1, 3)
    transform = document.get("transform")
    if transform is None:
        _require_metres(document, stored, where)
        return stored
    try:
        scale, translate = (np.asarray(transform[key], dtype=float).reshape(3) for key in ("scale", "translate"))
        if not (np.isfinite(scale) & (scale != 0.0) & np.isfinite(translate)).all():
            raise ValueError(f"{transform}")
    except _DAMAGED as error:
        raise _no_city_json_error(where, f"transform: {error}") from error
    with np.errstate(all="ignore"):
        return np.asarray(stored * scale + translate)


def _vertex(item: Any) -> list[float]:
    try:
        x, y, z = (float(v) for v in item)
        return [x, y, z]
    except _DAMAGED:
        return [np.nan] * 3


def _require_metres(document: dict[str, Any], stored: F8, where: str) -> None:
    """Refuse whole numbers without the transform that CityJSON 1.1 and 2.0 ask for: they are counts, not metres."""
    old = str(document.get("version", "")).startswith("1.0")
    known = stored[np.isfinite(stored)]
    if old or not known.size or (known != np.round(known)).any():
        return
    raise InputError(
        Text(
            "the roof model has no transform: what its whole numbers count is unknown",
            "屋顶模型缺少 transform，整数坐标的含义不明",
        ),
        where=where,
        found=Text("vertices of whole numbers, no transform", "顶点为整数，且无 transform"),
        expected='"transform": {"scale": [...], "translate": [...]}',
        mend=Text("export the model again", "请重新导出模型"),
    )


# --- objects ---------------------------------------------------------------------------------------------------------


def _read_objects(document: dict[str, Any], config: RoofsInput, content: _ModelContent, where: str) -> None:
    objects = document.get("CityObjects") or {}
    if not isinstance(objects, dict):
        raise _no_city_json_error(where, f"CityObjects: {type(objects).__name__}")
    if not objects:
        return
    vertices = _vertices(document, where)
    ground: dict[str, float] = {}
    seen: set[tuple[str, tuple[tuple[float, ...], ...]]] = set()
    first = len(content.rows)
    for name, item in objects.items():
        try:
            if item.get("type") not in _HELD:
                continue
            root = _root(name, objects)
            held = _object(item, vertices)
            key = _key(item, objects.get(root), config.id_field)
        except _DAMAGED as error:
            content.damaged[str(name)] = (
                f"{type(error).__name__}: {error}" if isinstance(error, KeyError) else str(error)
            )
            continue
        ground[root] = min(ground.get(root, np.inf), held.ground)
        content.counts += held.counts
        for surface, rings in held.surfaces:
            same = root, tuple(sorted(map(tuple, rings[0])))
            if same in seen:
                content.counts["repeated"] += 1
                continue
            seen.add(same)
            content.lods[held.lod] += 1
            content.rings.append(rings)
            content.rows.append({"object_id": name, "model_id": root, "key": key, "lod": held.lod, "surface": surface})
    for row in content.rows[first:]:
        low = ground[row["model_id"]]
        row["ground_z_m"] = low if np.isfinite(low) else np.nan


def _object(item: dict[str, Any], vertices: F8) -> _Object:
    """Return what an object holds; whatever is wrong with it is raised."""
    held = _Object()
    geometry = _best_lod(item, held)
    if geometry is None:
        return held
    held.lod = str(geometry.get("lod"))
    for surface, rings, kind in _surfaces(geometry):
        points = [_ring(vertices, ring) for ring in rings]
        if kind != "RoofSurface":
            held.ground = min([held.ground, *(float(p[:, 2].min()) for p in points if len(p))])
            held.counts["no_semantics"] += kind is None
        elif not points or len(points[0]) < 3:
            held.counts["degenerate"] += 1
        else:
            held.surfaces.append((surface, tuple(p for p in points if len(p) >= 3)))
    return held


def _key(item: dict[str, Any], whole: dict[str, Any] | None, id_field: str | None) -> str | None:
    """Return what an object says its footprint is, else its building."""
    if id_field is None:
        return None
    value = (item.get("attributes") or {}).get(id_field)
    if value is None and whole is not None:
        value = (whole.get("attributes") or {}).get(id_field)
    return value_text(value)


def _root(name: str, objects: dict[str, Any]) -> str:
    """Return the topmost parent of an object that stands in the file; of objects that are each other's, itself."""
    first, passed = name, {name}
    while True:
        item = objects.get(name)
        parents = item.get("parents") if isinstance(item, dict) else None
        above = [p for p in parents or () if isinstance(p, str) and p in objects]
        if not above:
            return name
        name = above[0]
        if name in passed:
            return first
        passed.add(name)


def _best_lod(item: dict[str, Any], held: _Object) -> dict[str, Any] | None:
    """Return the geometry of the highest level of detail from 2 on."""
    best, level = None, 0.0
    for geometry in item.get("geometry") or ():
        try:
            lod = float(geometry.get("lod", 0.0))
        except (TypeError, ValueError):
            lod = 0.0
        if not lod >= _LOWEST_LOD:
            held.counts["low_lod"] += 1
        elif geometry.get("type") not in _DEPTH:
            held.counts["unknown_type"] += 1
        elif lod > level:
            best, level = geometry, lod
    return best


def _surfaces(geometry: dict[str, Any]) -> Iterator[tuple[int, list[list[int]], str | None]]:
    """Yield number, rings and semantic type of each surface of the outer shells; -1 and None without semantics."""
    semantics = geometry.get("semantics") or {}
    kinds = semantics.get("surfaces") or []
    for rings, value in _pairs(geometry.get("boundaries") or [], semantics.get("values"), _DEPTH[geometry["type"]]):
        if value is None:
            yield -1, rings, None
            continue
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < len(kinds):
            raise ValueError(f"semantic surface {value!r} of {len(kinds)}")
        yield value, rings, str(kinds[value]["type"])


def _pairs(boundaries: list[Any], values: list[Any] | None, depth: int) -> Iterator[tuple[Any, Any]]:
    """Walk boundaries and semantic values side by side; values may stop at any level."""
    within = values if values is not None else [None] * len(boundaries)
    if len(within) != len(boundaries):
        raise ValueError(f"{len(within)} semantic values for {len(boundaries)} surfaces")
    pairs = list(zip(boundaries, within, strict=True))
    if depth == 0:
        yield from pairs
        return
    for inner, value in pairs[:1] if depth == 1 else pairs:  # the first shell of a solid is its outside
        yield from _pairs(inner, value, depth - 1)


def _ring(vertices: F8, ring: list[int]) -> F8:
    """Return the points of a ring, repeated neighbours once, not closed."""
    index = np.asarray(ring)
    if index.size and (index.ndim != 1 or index.dtype.kind != "i" or index.min() < 0 or index.max() >= len(vertices)):
        raise ValueError(f"a ring names vertices that are not among the {len(vertices)}: {str(ring)[:60]}")
    points = vertices[index.astype(np.int64)]
    if not (np.isfinite(points).all() and (np.abs(points[:, 2]) < _HIGHEST).all()):
        raise ValueError("a vertex that is no point on the earth")
    if len(points):
        points = points[np.any(points != np.roll(points, 1, axis=0), axis=1)]
    return points


def _turn_northing_first(content: _ModelContent, plan: CRS) -> bool:
    """Put east before north where the model follows the order of axes that the authority defines; tell whether it did.

    The middle of all corners decides: it must fit that order and no other.
    """
    if not content.rings:
        return False
    x, y = (
        float(v) for v in np.median(np.concatenate([ring for rings in content.rings for ring in rings]), axis=0)[:2]
    )
    if not in_authority_order((x, y, x, y), plan):
        return False
    content.rings = [tuple(ring[:, [1, 0, 2]] for ring in rings) for rings in content.rings]
    return True


def _leave_out_misplaced(content: _ModelContent, plan: CRS) -> None:
    """Leave out objects with coordinates that the CRS cannot hold, where most of the others fit."""
    names = [row["object_id"] for row in content.rows]
    points = np.array([shapely.multipoints(rings[0][:, :2]) for rings in content.rings], dtype=object)
    if not len(points):
        return
    lost = {names[k] for k in np.flatnonzero(misplaced_rows(points, plan))}
    content.damaged.update(dict.fromkeys(lost, f"coordinates outside {plan.name}"))
    kept = [k for k, name in enumerate(names) if name not in lost]
    content.rows, content.rings = [content.rows[k] for k in kept], [content.rings[k] for k in kept]


# --- coordinates, what is said ---------------------------------------------------------------------------------------


def _rings_in_working_crs(
    rings: list[Rings], config: RoofsInput, plan: CRS, crs: CRS, scale: float, where: str
) -> tuple[Rings, ...]:
    flat = np.concatenate([ring for surface in rings for ring in surface])
    points = np.array([shapely.multipoints(flat[:, :2])], dtype=object)
    xy = shapely.get_coordinates(locate(points, plan, config.datum, crs, where).projected)
    moved = np.column_stack([xy, flat[:, 2] * scale + config.vertical_offset_m])
    out, at = [], 0
    for surface in rings:
        parts = []
        for ring in surface:
            parts.append(moved[at : at + len(ring)])
            at += len(ring)
        out.append(tuple(parts))
    return tuple(out)


def _require_roofs(content: _ModelContent, where: str) -> None:
    if content.rows:
        return
    counts = {**content.counts, "damaged": len(content.damaged)}
    seen = ", ".join(f"{name}: {n}" for name, n in sorted(counts.items()) if n) or "-"
    if content.damaged:
        name, why = next(iter(content.damaged.items()))
        seen += f"; {name}: {why}"[:120]
    raise InputError(
        Text("the model holds no roof surface", "模型中没有屋顶面"),
        where=where,
        found=seen,
        expected=Text(
            "buildings of LoD 2 or higher with RoofSurface semantics", "LoD2 及以上、带 RoofSurface 语义的建筑"
        ),
        mend=Text("export the model with semantic surfaces", "请导出带语义面的模型"),
    )


def _notices(content: _ModelContent, plan: CRS, where: str, *, turned: bool) -> tuple[Notice, ...]:
    wordings = {
        "degenerate": ("roof surfaces have fewer than three corners", "个屋顶面不足三个角点"),
        "repeated": ("roof surfaces stand twice in their building; read once", "个屋顶面在同一建筑中重复，仅读一次"),
        "no_semantics": ("surfaces have no semantics and are not roofs", "个面无语义，不作屋顶"),
        "unknown_type": ("geometries are of a type that holds no surfaces", "个几何类型不含面，未读取"),
    }
    notices = [
        Notice(
            f"roof_model_{code}",
            Text(f"{content.counts[code]} {en}", f"{content.counts[code]} {zh}"),
            content.counts[code],
            source=where,
        )
        for code, (en, zh) in wordings.items()
        if content.counts[code]
    ]
    if turned:
        text = Text(
            f"the roof model gives north before east, as {plan.name} defines it: read in that order",
            f"屋顶模型按 {plan.name} 的轴序书写（北在前、东在后），已按此读取",
        )
        notices.append(Notice("roof_model_northing_first", text, 1, severity="info", source=where))
    if content.damaged:
        n, examples = len(content.damaged), tuple(f"{k}: {v}"[:120] for k, v in list(content.damaged.items())[:5])
        names = ", ".join(list(content.damaged)[:3]) + (", ..." if n > 3 else "")
        text = Text(
            f"{n} objects of the roof model are not valid and left out ({names}): their roofs are assumed",
            f"屋顶模型中 {n} 个对象无效，已排除（{names}）：其屋顶按类型假定",
        )
        notices.append(Notice("roof_model_damaged", text, n, source=where, examples=examples))
    return tuple(notices)
