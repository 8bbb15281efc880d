"""Building footprints: one row per feature of the source, in the working CRS, attributes in the project's terms."""

from __future__ import annotations

import logging
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pyproj import CRS, Proj

from rooftop.config import FootprintsInput
from rooftop.core.errors import InputError
from rooftop.core.lang import Text
from rooftop.core.notices import Notice, Provenance, file_sha256
from rooftop.core.roof_rules import load_roof_rules
from rooftop.core.types import B1, I8
from rooftop.inputs import attributes
from rooftop.inputs.capacities import read_capacities
from rooftop.inputs.dates import civil_offset_h, dates
from rooftop.inputs.extent import crs_label
from rooftop.inputs.heights import fill_heights, known_heights
from rooftop.inputs.identifiers import codes
from rooftop.inputs.input_limits import input_limits
from rooftop.inputs.outlines import Outlines, read_outlines
from rooftop.inputs.overlaps import overlap_notices, overlapping_pairs
from rooftop.inputs.reasons import ReasonMasks
from rooftop.inputs.same_outline import count_pv_once, standing_rows, take_what_others_know
from rooftop.inputs.structures import Structures, structures
from rooftop.inputs.vectors import Vector, read_vector

log = logging.getLogger(__name__)

ROLE = "inputs.footprints"
EXCLUDING = ("empty_geometry", "impossible_coordinates", "far_from_others", "duplicate_geometry", "tiny_footprint")
"""Reasons that keep a row from being a roof, whatever else is known of it."""


@dataclass(frozen=True)
class FootprintTable:
    """Building footprints as read.

    Parameters
    ----------
    table : GeoDataFrame
        One row per source feature, RangeIndex in file order, in `crs`. Columns: ``building_id source_id source_file
        source_row building_name address owner_name owner_type building_use is_public_institution use_source
        public_source year_built completion_date height_m height_source floors_above structure roof_type
        existing_pv_kwp existing_pv_year status reasons geometry``. Geometry is polygonal and valid, empty on rows
        excluded as ``empty_geometry``. ``source_row`` counts from 0. ``height_source`` is field | floors | default (the
        configured height) | assumed (median of the same use).
    crs : pyproj.CRS
        Working CRS, metres.
    notices : tuple of Notice
    provenance : Provenance
    """

    table: gpd.GeoDataFrame
    crs: CRS
    notices: tuple[Notice, ...]
    provenance: Provenance


def read_buildings(config: FootprintsInput, crs: CRS | None = None, *, measurable: bool = False) -> FootprintTable:
    """Read building footprints.

    Parameters
    ----------
    config : FootprintsInput
        File, layer, encoding, datum, field mapping.
    crs : pyproj.CRS, optional
        Working CRS; None chooses the zone fitting the data.
    measurable : bool
        Heights can be measured in elevation models: a file without any is read, each building one storey high.

    Returns
    -------
    FootprintTable
        As many rows as the source has features.

    Raises
    ------
    InputError
        Missing file or field, empty layer, no CRS or an impossible one, no polygons, text where numbers belong, no
        height anywhere.
    ConfigError
        A map leads outside the vocabulary.
    """
    where = str(config.path)
    fields = {f"fields.{key}": name for key, name in config.fields.model_dump().items() if name is not None}
    vector = read_vector(config.path, fields, layer=config.layer, encoding=config.encoding, crs=config.crs, role=ROLE)
    outlines = read_outlines(vector, config.datum, crs, where)
    notices = [*vector.notices, *outlines.notices]
    reasons = ReasonMasks(len(vector.table), ("invalid_geometry_repaired", *EXCLUDING, "huge_footprint"))
    table = pd.DataFrame(index=vector.table.index)
    _fill_source(table, vector, config, notices)
    structure = _fill_structures(table, vector, config, reasons, notices)
    _fill_attributes(table, vector, config, reasons, notices, _utc_offset_h(outlines))
    known = known_heights(table, vector, config, reasons, notices, structure.floors)
    stands = standing_rows(outlines.shared_digests, table, known.height_m)
    notices += take_what_others_know(table, stands, where)
    count_pv_once(table, stands)
    _fill_ids(table, config, outlines, stands, notices)
    _judge_outlines(outlines, stands, reasons, notices, where)
    excluded = np.any([reasons.has(code) for code in EXCLUDING], axis=0)
    _require_some_left(excluded, reasons, where)
    present = ~shapely.is_empty(outlines.geometry)
    overlaps = overlapping_pairs(outlines.geometry, present & ~reasons.has("duplicate_geometry"))
    notices += overlap_notices(overlaps, where)
    fill_heights(table, known, overlaps, ~excluded, config, reasons, notices, measurable=measurable)
    survey = reasons.has("huge_footprint") | reasons.has("under_construction")
    table["status"] = np.where(excluded, "excluded", np.where(survey, "needs_survey", "ok"))
    table["reasons"] = reasons.lists()
    frame = gpd.GeoDataFrame(table, geometry=outlines.geometry, crs=outlines.crs)
    log.info("%s: %d footprints, %d excluded", where, len(frame), int(excluded.sum()))
    return FootprintTable(frame, outlines.crs, tuple(notices), _provenance(config, vector, outlines.crs))


# --- geometry --------------------------------------------------------------------------------------------------------


def _judge_outlines(outlines: Outlines, stands: I8, reasons: ReasonMasks, notices: list[Notice], where: str) -> None:
    """Give rows that cannot be roofs their reason, and count them."""
    present = ~shapely.is_empty(outlines.geometry)
    duplicate = stands != np.arange(len(stands))
    area = shapely.area(outlines.geometry)
    smallest = load_roof_rules().min_footprint_m2.value
    largest = input_limits().footprint_m2.max
    reasons.mark("impossible_coordinates", outlines.misplaced)
    reasons.mark("far_from_others", outlines.far)
    for code, mask, text in (
        (
            "invalid_geometry_repaired",
            outlines.repaired,
            Text("{n} invalid geometries were repaired", "{n} 个无效图形已修复"),
        ),
        (
            "empty_geometry",
            outlines.empty,
            Text("{n} rows have no polygon and are excluded", "{n} 行没有面图形，已排除"),
        ),
        (
            "duplicate_geometry",
            duplicate,
            Text(
                "{n} records repeat the outline of another and are excluded; the tallest known height stands",
                "{n} 条记录与其他记录轮廓相同，已排除；保留已知高度最高者",
            ),
        ),
        (
            "tiny_footprint",
            present & ~duplicate & (area < smallest),
            Text(f"{{n}} footprints under {smallest:g} m² are excluded", f"{{n}} 个轮廓小于 {smallest:g} ㎡，已排除"),
        ),
        (
            "huge_footprint",
            present & ~duplicate & (area > largest),
            Text(f"{{n}} footprints over {largest:g} m² need a survey", f"{{n}} 个轮廓大于 {largest:g} ㎡，需核实"),
        ),
    ):
        reasons.mark(code, mask)
        notices += Notice.counted(code, mask, text, source=where)


def _require_some_left(excluded: B1, reasons: ReasonMasks, where: str) -> None:
    """Refuse a file of which every row is excluded, saying why."""
    if not excluded.all():
        return
    smallest = load_roof_rules().min_footprint_m2.value
    why = {
        "tiny_footprint": Text(f"under {smallest:g} m²", f"小于 {smallest:g} ㎡"),
        "empty_geometry": Text("without a polygon", "没有面图形"),
        "duplicate_geometry": Text("a repeated outline", "轮廓重复"),
        "impossible_coordinates": Text("impossible coordinates", "坐标不可能"),
        "far_from_others": Text("far from all others", "远离其他建筑"),
    }
    counts = {code: int(reasons.has(code).sum()) for code in why}
    causes = [(why[code], n) for code, n in counts.items() if n]
    tiny = counts["tiny_footprint"] > 0.5 * len(excluded)
    raise InputError(
        Text("no footprint can be a roof", "没有可作为屋顶的轮廓"),
        where=where,
        found=Text.join((Text(f"{n} ", f"{n} 个") + text for text, n in causes), "; ", "；"),
        expected=Text(f"footprints of {smallest:g} m² or more", f"面积不小于 {smallest:g} ㎡ 的轮廓"),
        mend=Text(
            "check the unit and CRS of the coordinates: the outlines may be in another unit",
            "请检查坐标单位与坐标系：轮廓可能使用了其他单位",
        )
        if tiny
        else Text("check the export", "请检查导出过程"),
    )


# --- identity --------------------------------------------------------------------------------------------------------


def _fill_source(table: pd.DataFrame, vector: Vector, config: FootprintsInput, notices: list[Notice]) -> None:
    """Fill where each row comes from."""
    name = config.fields.id
    table["source_id"] = pd.Series(pd.NA, index=table.index, dtype="string")
    if name:
        read = codes(vector.table[name], str(config.path))
        table["source_id"] = read.values
        notices += read.notices
    table["source_file"] = pd.Series(config.path.name, index=table.index, dtype="string")
    table["source_row"] = np.arange(len(table), dtype=np.int64)


def _fill_ids(
    table: pd.DataFrame,
    config: FootprintsInput,
    outlines: Outlines,
    stands: I8,
    notices: list[Notice],
) -> None:
    """Give every row an id: the source id where it names one outline, else a hash of the geometry.

    Of the records of one outline the standing one carries the id, also where only another of them states it.
    """
    name, source, row = config.fields.id, table["source_id"], np.arange(len(table))
    official = source.copy()
    lends = source.notna().to_numpy() & source.iloc[stands].isna().to_numpy()
    for k in sorted(np.flatnonzero(lends), key=lambda k: str(source.iloc[k]), reverse=True):
        official.iloc[stands[k]] = source.iloc[k]
    official[lends] = pd.NA
    first = official.where(stands == row)
    once = official.notna() & ~official.duplicated(keep=False)
    usable = once | (first.notna() & ~first.duplicated(keep=False))
    hashed = pd.Series(
        ["b" + d.hex()[:12] if d is not None else f"row{i}" for i, d in enumerate(outlines.digests)], index=table.index
    )
    ids = official.where(usable, hashed)
    order = np.lexsort((source.fillna("").to_numpy(dtype=str), stands != row))
    repeat = ids.iloc[order].groupby(ids.iloc[order]).cumcount().reindex(ids.index)
    building_id = ids.where(repeat == 0, ids + "-" + (repeat + 1).astype("string")).astype("string")
    table.insert(0, "building_id", building_id)
    lost = ~usable & (stands == row)
    count = int(lost.sum())
    if name and count:
        missing = int((official.isna() & lost).sum())
        text = Text(
            f"{count} buildings get an id made from their geometry: {count - missing} ids of {name} are repeated, "
            f"{missing} missing",
            f"{count} 栋建筑按图形生成编号：字段 {name} 有 {count - missing} 个重复、{missing} 个缺失",
        )
        examples = tuple(source[source.duplicated(keep=False) & lost].dropna().unique()[:5])
        notices.append(Notice("id_from_geometry", text, count, source=str(config.path), examples=examples))


# --- attributes ------------------------------------------------------------------------------------------------------


def _utc_offset_h(outlines: Outlines) -> float:
    """Return the offset from UTC of most outlines."""
    x, y = np.nanmedian(shapely.get_coordinates(shapely.centroid(outlines.geometry)), axis=0)
    return civil_offset_h(*Proj(outlines.crs)(x, y, inverse=True))


def _fill_structures(
    table: pd.DataFrame, vector: Vector, config: FootprintsInput, reasons: ReasonMasks, notices: list[Notice]
) -> Structures:
    """Fill structures; sheds, ruins and sites have their reason."""
    name = config.fields.structure
    column = vector.table[name] if name else pd.Series(pd.NA, index=table.index, dtype="string")
    read = structures(column, str(config.path))
    table["structure"] = read.values
    for code, mask in read.reasons.items():
        if mask.any():
            reasons.mark(code, mask)
    notices += read.notices
    return read


def _fill_attributes(
    table: pd.DataFrame,
    vector: Vector,
    config: FootprintsInput,
    reasons: ReasonMasks,
    notices: list[Notice],
    utc_offset_h: float,
) -> None:
    """Fill names, use, ownership, dates, roof type and existing PV."""
    where, fields, source = str(config.path), config.fields, vector.table
    for key in ("building_name", "address", "owner_name", "owner_type"):
        name = getattr(fields, key)
        table[key] = attributes.names(source[name]) if name else pd.Series(pd.NA, index=table.index, dtype="string")
    raw_use = source[fields.building_use] if fields.building_use else None
    use = attributes.read_building_uses(raw_use, config.use_map, table.index, where)
    table["building_use"], table["use_source"] = use["building_use"], use["use_source"]
    notices += attributes.use_notices(use, where)
    reasons.mark("use_unknown", use["building_use"] == "unknown")
    raw_public = source[fields.is_public_institution] if fields.is_public_institution else None
    public, public_notices = attributes.public_institutions(raw_public, config.public_map, table["building_use"], where)
    table["is_public_institution"], table["public_source"] = public["is_public_institution"], public["public_source"]
    notices += public_notices
    _fill_dates(table, vector, config, reasons, notices, utc_offset_h)
    table["roof_type"] = pd.Series(pd.NA, index=table.index, dtype="string")
    if fields.roof_type:
        roof = attributes.roof_types_of(source[fields.roof_type], config.roof_type_map, where)
        table["roof_type"] = roof.values
        notices += roof.notices
    table["existing_pv_kwp"] = np.nan
    if fields.existing_pv_kwp:
        key = f"{ROLE}.fields.existing_pv_kwp"
        pv = read_capacities(source[fields.existing_pv_kwp], key, where, config.capacity_unit)
        table["existing_pv_kwp"] = pv.values
        notices += pv.notices
    table["existing_pv_year"] = pd.Series(pd.NA, index=table.index, dtype="Int64")
    if fields.existing_pv_year:
        since = dates(source[fields.existing_pv_year], where, utc_offset_h)
        table["existing_pv_year"] = since.years
        notices += since.notices


def _fill_dates(
    table: pd.DataFrame,
    vector: Vector,
    config: FootprintsInput,
    reasons: ReasonMasks,
    notices: list[Notice],
    utc_offset_h: float,
) -> None:
    """Fill year and completion date, each completes the other; without both, the building may be under construction."""
    where = str(config.path)
    year = pd.Series(pd.NA, index=table.index, dtype="Int64")
    day = pd.Series(pd.NA, index=table.index, dtype="string")
    for name in dict.fromkeys([config.fields.completion_date, config.fields.year_built]):
        if name is None:
            continue
        read = dates(vector.table[name], where, utc_offset_h)
        notices += read.notices
        reasons.mark("under_construction", read.unfinished)
        differ = int((year.notna() & read.years.notna() & (year != read.years)).sum())
        if differ:
            text = Text(
                f"{differ} buildings have a year that is not that of their completion date; the date is used",
                f"{differ} 栋建筑的建成年份与竣工日期不一致，以竣工日期为准",
            )
            notices.append(Notice("year_disagrees", text, differ, source=where))
        year, day = year.fillna(read.years), day.fillna(read.days)
    table["year_built"], table["completion_date"] = year, day
    reasons.keep("under_construction", year.isna())
    count = reasons.mark("year_unknown", year.isna().to_numpy() & ~reasons.has("under_construction"))
    if count:
        text = Text(f"{count} buildings have no known year", f"{count} 栋建筑竣工时间不明")
        notices.append(Notice("year_unknown", text, count, source=where))


def _provenance(config: FootprintsInput, vector: Vector, crs: CRS) -> Provenance:
    fields = {key: name for key, name in config.fields.model_dump().items() if name is not None}
    details = {
        "layer": vector.layer.layer or "",
        "crs": vector.crs.name,
        "datum": f"{config.datum}: declared",
        "working_crs": crs_label(crs),
        "encoding": vector.layer.encoding or "utf-8",
        "rows": str(len(vector.table)),
        "fields": ", ".join(f"{key}={name}" for key, name in fields.items()),
    }
    return Provenance(ROLE, str(config.path), file_sha256(config.path), details)
