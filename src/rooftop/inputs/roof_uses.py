"""What stands on roofs already: polygons of declared exclusions and of existing PV."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pyproj import CRS

from rooftop.config import AreasInput, ExclusionsInput, ExistingPvInput
from rooftop.core.datamodel import Label, Model, Sourced
from rooftop.core.errors import InputError
from rooftop.core.lang import Text
from rooftop.core.notices import Notice, Provenance, file_sha256
from rooftop.core.resources import load_shipped
from rooftop.core.types import Geometries
from rooftop.inputs import attributes
from rooftop.inputs.capacities import read_capacities
from rooftop.inputs.dates import dates
from rooftop.inputs.datums import far_from, locate
from rooftop.inputs.vectors import Vector, read_vector

EXCLUSIONS, EXISTING_PV = "inputs.exclusions", "inputs.existing_pv"


@dataclass(frozen=True)
class RoofAreas:
    """Polygons that lie on roofs.

    Parameters
    ----------
    table : GeoDataFrame
        Working CRS, in the order of the file, polygonal and valid: ``source_row``, and of exclusions ``kind
        clearance_m`` (m), of existing PV ``kwp`` (NaN: not stated) and ``year`` (Int64).
    notices : tuple of Notice
    provenance : Provenance
    """

    table: gpd.GeoDataFrame
    notices: tuple[Notice, ...]
    provenance: Provenance


class ExclusionKind(Label):
    """One kind of exclusion: its words, and what is kept clear around it in plan."""

    clearance_m: float
    words: tuple[str, ...]


class RoofUseRules(Model):
    """Typed view of `configs/roof_uses.yaml`."""

    date: object
    source: str
    default_kind: str
    kinds: dict[str, ExclusionKind]
    min_overlap_m2: Sourced
    kwp_disagreement: Sourced


def roof_use_rules() -> RoofUseRules:
    """Return the shipped rules."""
    return load_shipped(RoofUseRules, "roof_uses.yaml")


def read_exclusions(config: ExclusionsInput, crs: CRS) -> RoofAreas:
    """Read roof gardens, heliports, equipment and whatever else keeps modules off a roof.

    Parameters
    ----------
    config : ExclusionsInput
    crs : pyproj.CRS
        Working CRS.

    Raises
    ------
    InputError
        As `rooftop.inputs.vectors.read_vector`: no such file, layer or field, no polygons, no CRS.
    """
    fields = {} if config.kind_field is None else {"kind_field": config.kind_field}
    vector = _read_areas(config, fields, EXCLUSIONS)
    table, notices = _project_areas(config, vector, crs)
    rows, rules = table["source_row"].to_numpy(), roof_use_rules()
    kinds = [rules.default_kind] * len(table)
    if config.kind_field is not None:
        words = attributes.texts(vector.table[config.kind_field]).iloc[rows]
        stated_kinds = [_kind(None if pd.isna(word) else str(word)) for word in words]
        kinds = [rules.default_kind if kind is None else kind for kind in stated_kinds]
        notices += _unknown_kinds([str(w) for w, k in zip(words, stated_kinds, strict=True) if k is None], config)
    clearance = [rules.kinds[kind].clearance_m for kind in kinds]
    table = table.assign(kind=pd.array(kinds, dtype="string"), clearance_m=np.asarray(clearance, dtype=float))
    return RoofAreas(table, tuple(notices), _provenance(config, vector, EXCLUSIONS, len(table)))


def read_existing_pv(config: ExistingPvInput, crs: CRS) -> RoofAreas:
    """Read the outlines of PV that stands already.

    Raises
    ------
    InputError
        As `rooftop.inputs.vectors.read_vector`; the capacities are no numbers.
    """
    fields = {"kwp_field": config.kwp_field, "year_field": config.year_field}
    vector = _read_areas(config, {key: name for key, name in fields.items() if name is not None}, EXISTING_PV)
    table, notices = _project_areas(config, vector, crs)
    rows, where = table["source_row"].to_numpy(), str(config.path)
    kwp = np.full(len(table), np.nan)
    year = pd.Series(pd.NA, index=table.index, dtype="Int64")
    if config.kwp_field is not None:
        key = f"{EXISTING_PV}.kwp_field"
        stated = read_capacities(vector.table[config.kwp_field], key, where, config.capacity_unit, zero=False)
        notices += stated.notices
        kwp = stated.values.to_numpy(dtype=float)[rows]
    if config.year_field is not None:
        since = dates(vector.table[config.year_field], where)
        notices += since.notices
        year[:] = since.years.iloc[rows].array
    table = table.assign(kwp=kwp, year=year)
    return RoofAreas(table, tuple(notices), _provenance(config, vector, EXISTING_PV, len(table)))


def _read_areas(config: AreasInput, fields: dict[str, str], role: str) -> Vector:
    return read_vector(config.path, fields, layer=config.layer, encoding=config.encoding, crs=config.crs, role=role)


def _project_areas(config: AreasInput, vector: Vector, crs: CRS) -> tuple[gpd.GeoDataFrame, list[Notice]]:
    """Bring the polygons to the working CRS, repaired; rows without a polygon are left out and counted."""
    where = str(config.path)
    place = locate(vector.geometry, vector.crs, config.datum, crs, where)
    shapes: Geometries = place.projected.copy()
    present = ~(shapely.is_missing(shapes) | shapely.is_empty(shapes))
    far = present & (~np.isfinite(shapely.bounds(shapes)).all(axis=1) | far_from(place.crs, place.lonlat))
    invalid = present & ~far & ~shapely.is_valid(shapes)
    shapes[invalid] = shapely.make_valid(shapes[invalid], method="structure", keep_collapsed=False)
    kept = np.flatnonzero(present & ~far & (shapely.area(shapes) > 0.0))
    notices = [*vector.notices, *place.notices]
    for code, mask, text in (
        ("area_repaired", invalid, Text("{n} polygons were repaired", "{n} 个图形已修复")),
        ("area_empty", ~present, Text("{n} rows have no polygon and are left out", "{n} 行没有图形，已略去")),
        ("area_far", far, Text("{n} polygons are too far away to be projected", "{n} 个图形距离过远，无法投影")),
    ):
        notices += Notice.counted(code, mask, text, source=where)
    return gpd.GeoDataFrame({"source_row": kept}, geometry=shapes[kept], crs=crs), notices


@cache
def _kind_of_words() -> dict[str, str]:
    kinds = roof_use_rules().kinds
    words = {attributes.fold_text(w): k for k, entry in kinds.items() for w in (*entry.words, *entry.spellings)}
    return words | {attributes.fold_text(kind): kind for kind in kinds}


def _kind(word: str | None) -> str | None:
    """Return the kind a word names; the default where nothing is written, None where it is not known."""
    return roof_use_rules().default_kind if word is None else _kind_of_words().get(attributes.fold_text(word))


def _unknown_kinds(words: list[str], config: ExclusionsInput) -> list[Notice]:
    if not words:
        return []
    n, kind = len(words), roof_use_rules().kinds[roof_use_rules().default_kind]
    text = Text(
        "{n} exclusions are of a kind that is not known: they are taken out without a clearance ({kind})",
        "{n} 个不可安装区的类型无法识别，按“{kind}”扣除，不另留间距",
    ).format(n=n, kind=kind.text)
    counts = pd.Series(words).value_counts(sort=False).head(5)
    examples = tuple(f"{word} ({k})" for word, k in counts.items())
    return [Notice("exclusion_kind_unknown", text, n, "info", str(config.path), examples)]


def _provenance(config: AreasInput, vector: Vector, role: str, used: int) -> Provenance:
    details = {
        "layer": vector.layer.layer or "",
        "crs": vector.crs.name,
        "datum": f"{config.datum}: declared",
        "encoding": vector.layer.encoding or "utf-8",
        "rows": str(len(vector.table)),
        "used": str(used),
    }
    return Provenance(role, str(config.path), file_sha256(config.path), details)


def require_overlap(areas: RoofAreas, footprints: Geometries) -> None:
    """Raise an `InputError` naming both extents where all polygons lie outside the extent of the footprints."""
    if not len(areas.table):
        return
    west, south, east, north = (float(v) for v in areas.table.total_bounds)
    x_min, y_min, x_max, y_max = (float(v) for v in shapely.total_bounds(footprints))
    if x_min < east and x_max > west and y_min < north and y_max > south:
        return
    raise InputError(
        Text("the polygons lie elsewhere", "图形范围与建筑轮廓不重叠"),
        where=f"{areas.provenance.role}: {areas.provenance.path}",
        found=Text(
            f"x {west:.0f}..{east:.0f}, y {south:.0f}..{north:.0f} m",
            f"x {west:.0f}..{east:.0f}，y {south:.0f}..{north:.0f} m",
        ),
        expected=Text(
            f"on roofs within x {x_min:.0f}..{x_max:.0f}, y {y_min:.0f}..{y_max:.0f} m",
            f"位于 x {x_min:.0f}..{x_max:.0f}，y {y_min:.0f}..{y_max:.0f} m 内的屋顶上",
        ),
        mend=Text("check the file, its CRS and its datum", "请检查该文件、其坐标系与坐标基准"),
    )
