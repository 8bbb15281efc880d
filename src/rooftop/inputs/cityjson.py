"""Roof surfaces of LoD2 city models: CityJSON 1.x and 2.0, in metres of the working CRS."""

from __future__ import annotations

import gzip
import json
import logging
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely
from pyproj import CRS

from rooftop.config import RoofsInput
from rooftop.errors import InputError
from rooftop.inputs.attributes import written
from rooftop.inputs.datums import locate, parse_crs
from rooftop.inputs.vertical import height_unit_m
from rooftop.lang import Text
from rooftop.notices import Notice, Provenance, file_sha256

log = logging.getLogger(__name__)

ROLE = "inputs.roofs"
Rings = tuple[npt.NDArray[np.float64], ...]

_LOWEST_LOD = 2.0
_DEPTH = {"MultiSurface": 0, "CompositeSurface": 0, "Solid": 1, "MultiSolid": 2, "CompositeSolid": 2}
_HELD = ("Building", "BuildingPart")
_GZIP = b"\x1f\x8b"


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
class _Found:
    """What reading collects."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    rings: list[Rings] = field(default_factory=list)
    lods: Counter[str] = field(default_factory=Counter)
    counts: Counter[str] = field(default_factory=Counter)


def read_roofs(config: RoofsInput, crs: CRS) -> RoofModel:
    """Read the roof surfaces of a city model.

    Of each building and part the highest level of detail from 2 on is taken; the surfaces are those that its semantics
    call ``RoofSurface``. Of solids the outer shell counts. A surface that a building repeats is read once.

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
        Missing file, no CityJSON 1.x or 2.0, no CRS stated, a unit of heights that nothing states, no roof surface.
    """
    where = f"{ROLE}: {config.path}"
    documents = _documents(config.path, where)
    source = _source_crs(config, documents[0], where)
    scale = height_unit_m(config.vertical_unit, source, where, "inputs.roofs.vertical_unit")
    found = _Found()
    for document in documents:
        _read_objects(document, config, found, where)
    _require_roofs(found, where)
    rings = _located(found.rings, config, source, crs, scale, where)
    table = pd.DataFrame(found.rows)
    table["ground_z_m"] = table["ground_z_m"].astype(float) * scale + config.vertical_offset_m
    table["key"] = table["key"].astype("string")
    details = {
        "crs": source.name, "datum": config.datum, "height_unit_m": repr(scale),
        "version": str(documents[0]["version"]),
        "lods": ", ".join(f"{lod}: {n}" for lod, n in sorted(found.lods.items())),
    }  # fmt: skip
    log.info("%s: %d roof surfaces of %d buildings", config.path, len(table), table["model_id"].nunique())
    return RoofModel(
        table, rings, crs, _notices(found, where), Provenance(ROLE, str(config.path), file_sha256(config.path), details)
    )


# --- the file --------------------------------------------------------------------------------------------------------


def _documents(path: Path, where: str) -> list[dict[str, Any]]:
    """Return the parsed file; a text sequence (CityJSONSeq) as its header and features, which share the transform."""
    if not path.is_file():
        raise InputError(
            Text("the file is missing", "文件不存在"), where=where, mend=Text("check the path", "请检查路径")
        )
    data = path.read_bytes()
    try:
        text = (gzip.decompress(data) if data[:2] == _GZIP else data).decode("utf-8-sig")
        lines = text.splitlines()
        first = json.loads(lines[0]) if len(lines) > 1 and lines[0].rstrip().endswith("}") else None
        parsed = [json.loads(text)] if first is None else [first, *(json.loads(line) for line in lines[1:] if line)]
    except (OSError, EOFError, ValueError) as error:
        raise _no_city_json(where, str(error)) from error
    head = parsed[0]
    if not isinstance(head, dict) or head.get("type") != "CityJSON":
        raise _no_city_json(where, str(head.get("type")) if isinstance(head, dict) else type(head).__name__)
    version = str(head.get("version", ""))
    if not re.match(r"^(1\.\d|2\.0)", version):
        raise _no_city_json(where, f"version {version or '-'}")
    for feature in parsed[1:]:
        feature.setdefault("transform", head.get("transform"))
    return parsed


def _no_city_json(where: str, found: str) -> InputError:
    return InputError(
        Text("the roof model cannot be read", "屋顶模型无法读取"),
        where=where,
        found=found[:120],
        expected=Text("CityJSON 1.x or 2.0 (.json, .json.gz)", "CityJSON 1.x 或 2.0（.json、.json.gz）"),
        mend=Text("convert CityGML with citygml-tools", "CityGML 请先用 citygml-tools 转换"),
    )


def _source_crs(config: RoofsInput, head: dict[str, Any], where: str) -> CRS:
    stated = config.crs or (head.get("metadata") or {}).get("referenceSystem")
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


# --- objects ---------------------------------------------------------------------------------------------------------


def _read_objects(document: dict[str, Any], config: RoofsInput, found: _Found, where: str) -> None:
    objects: dict[str, Any] = document.get("CityObjects") or {}
    if not objects:
        return
    vertices = _vertices(document, where)
    root = {name: _root(name, objects) for name in objects}
    ground: dict[str, float] = {}
    seen: set[tuple[str, tuple[tuple[float, ...], ...]]] = set()
    first = len(found.rows)
    for name, item in objects.items():
        if item.get("type") not in _HELD:
            continue
        geometry = _best(item, found)
        own = (item.get("attributes") or {}).get(config.id_field) if config.id_field else None
        whole = objects.get(root[name], item)
        key = own if own is not None else (whole.get("attributes") or {}).get(config.id_field)
        for surface, rings, kind in _surfaces(geometry, where) if geometry is not None else ():
            points = [_ring(vertices, ring, where) for ring in rings]
            low = min((float(p[:, 2].min()) for p in points if len(p)), default=np.inf)
            if kind != "RoofSurface":
                ground[root[name]] = min(ground.get(root[name], np.inf), low)
                found.counts["no_semantics"] += kind is None
                continue
            if not points or len(points[0]) < 3:
                found.counts["degenerate"] += 1
                continue
            same = root[name], tuple(sorted(map(tuple, points[0])))
            if same in seen:
                found.counts["repeated"] += 1
                continue
            seen.add(same)
            lod = str((geometry or {}).get("lod"))
            found.lods[lod] += 1
            found.rings.append(tuple(p for p in points if len(p) >= 3))
            found.rows.append(
                {"object_id": name, "model_id": root[name], "key": written(key),
                 "lod": lod, "surface": surface}
            )  # fmt: skip
    for row in found.rows[first:]:
        row["ground_z_m"] = ground.get(row["model_id"], np.nan)


def _vertices(document: dict[str, Any], where: str) -> npt.NDArray[np.float64]:
    try:
        stored = np.asarray(document.get("vertices") or np.empty((0, 3)), dtype=float).reshape(-1, 3)
        transform = document.get("transform")
        if transform:
            stored = stored * np.asarray(transform["scale"], dtype=float) + np.asarray(
                transform["translate"], dtype=float
            )
    except (KeyError, ValueError, TypeError) as error:
        raise _no_city_json(where, f"vertices, transform: {error}") from error
    return stored


def _root(name: str, objects: dict[str, Any]) -> str:
    """Return the topmost parent of an object that stands in the file."""
    passed = {name}
    while True:
        parents = [p for p in objects.get(name, {}).get("parents") or () if p not in passed]
        if not parents:
            return name
        name = parents[0]
        passed.add(name)


def _best(item: dict[str, Any], found: _Found) -> dict[str, Any] | None:
    """Return the geometry of the highest level of detail from 2 on."""
    best, level = None, 0.0
    for geometry in item.get("geometry") or ():
        try:
            lod = float(geometry.get("lod", 0.0))
        except (TypeError, ValueError):
            lod = 0.0
        if lod < _LOWEST_LOD:
            found.counts["low_lod"] += 1
        elif geometry.get("type") not in _DEPTH:
            found.counts["unknown_type"] += 1
        elif lod > level:
            best, level = geometry, lod
    return best


def _surfaces(geometry: dict[str, Any], where: str) -> Iterator[tuple[int, list[list[int]], str | None]]:
    """Yield number, rings and semantic type of each surface of the outer shells; -1 and None without semantics."""
    semantics = geometry.get("semantics") or {}
    kinds = semantics.get("surfaces") or []
    depth = _DEPTH[geometry["type"]]
    try:
        for rings, value in _pairs(geometry.get("boundaries") or [], semantics.get("values"), depth):
            yield (-1, rings, None) if value is None else (int(value), rings, str(kinds[value]["type"]))
    except (IndexError, KeyError, TypeError) as error:
        raise _no_city_json(where, f"{geometry.get('type')}: {error!r}") from error


def _pairs(boundaries: list[Any], values: list[Any] | None, depth: int) -> Iterator[tuple[Any, Any]]:
    """Walk boundaries and semantic values side by side; values may stop at any level."""
    within = values if values is not None else [None] * len(boundaries)
    if depth == 0:
        yield from zip(boundaries, within, strict=True)
        return
    pairs = list(zip(boundaries, within, strict=True))
    for inner, value in pairs[:1] if depth == 1 else pairs:  # the first shell of a solid is its outside
        yield from _pairs(inner, value, depth - 1)


def _ring(vertices: npt.NDArray[np.float64], ring: list[int], where: str) -> npt.NDArray[np.float64]:
    """Return the points of a ring, repeated neighbours once, not closed."""
    index = np.asarray(ring, dtype=np.int64)
    if index.size and (index.min() < 0 or index.max() >= len(vertices)):
        raise _no_city_json(where, f"vertex {int(index.max())} of {len(vertices)}")
    points = vertices[index]
    if len(points):
        points = points[np.any(points != np.roll(points, 1, axis=0), axis=1)]
    return points


# --- coordinates, what is said ---------------------------------------------------------------------------------------


def _located(
    rings: list[Rings], config: RoofsInput, source: CRS, crs: CRS, scale: float, where: str
) -> tuple[Rings, ...]:
    flat = np.concatenate([ring for surface in rings for ring in surface])
    plan = source.to_2d() if not source.sub_crs_list else source.sub_crs_list[0]
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


def _require_roofs(found: _Found, where: str) -> None:
    if found.rows:
        return
    seen = ", ".join(f"{name}: {n}" for name, n in sorted(found.counts.items())) or "-"
    raise InputError(
        Text("the model holds no roof surface", "模型中没有屋顶面"),
        where=where,
        found=seen,
        expected=Text(
            "buildings of LoD 2 or higher with RoofSurface semantics", "LoD2 及以上、带 RoofSurface 语义的建筑"
        ),
        mend=Text("export the model with semantic surfaces", "请导出带语义面的模型"),
    )


def _notices(found: _Found, where: str) -> tuple[Notice, ...]:
    said = {
        "degenerate": ("roof surfaces have fewer than three corners", "个屋顶面不足三个角点"),
        "repeated": ("roof surfaces stand twice in their building; read once", "个屋顶面在同一建筑中重复，仅读一次"),
        "no_semantics": ("surfaces have no semantics and are not roofs", "个面无语义，不作屋顶"),
        "unknown_type": ("geometries are of a type that holds no surfaces", "个几何类型不含面，未读取"),
    }
    return tuple(
        Notice(f"roof_model_{code}", Text(f"{found.counts[code]} {en}", f"{found.counts[code]} {zh}"),
               found.counts[code], source=where)
        for code, (en, zh) in said.items() if found.counts[code]
    )  # fmt: skip
