"""Building footprints: one row per feature of the source, in the working CRS, attributes in the project's terms."""

from __future__ import annotations

import hashlib
import logging
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely
from pyproj import CRS, Proj

from rooftop.config import FootprintsInput
from rooftop.errors import InputError
from rooftop.inputs import attributes
from rooftop.inputs.datums import Geometries, Located, locate
from rooftop.inputs.vectors import Vector, read_vector
from rooftop.lang import Text
from rooftop.notices import Notice, Provenance, file_sha256

log = logging.getLogger(__name__)

ROLE = "inputs.footprints"
_HASH_DECIMALS = 7  # of a degree: 1 cm
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Buildings:
    """Building footprints as read.

    Parameters
    ----------
    table : GeoDataFrame
        One row per source feature, RangeIndex in file order, in `crs`. Columns: ``building_id source_id source_file
        source_row building_name address owner_name owner_type building_use is_public_institution use_source
        public_source year_built completion_date height_m height_source floors_above structure roof_type
        existing_pv_kwp existing_pv_year status reasons geometry``. Geometry is polygonal and valid, or None on rows
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


def read_buildings(config: FootprintsInput, crs: CRS | None = None, *, measurable: bool = False) -> Buildings:
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
    Buildings
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
    asked = {f"fields.{key}": name for key, name in config.fields.model_dump().items() if name is not None}
    vector = read_vector(config.path, asked, layer=config.layer, encoding=config.encoding, crs=config.crs, role=ROLE)
    place = locate(_simplest(vector.geometry, where), vector.crs, config.datum, crs, where)
    notices = [*vector.notices, *place.notices, *_measurable(place, where)]
    reasons = _Reasons(len(vector.table))
    geometry, digests = _geometry(place, reasons, notices, where)
    table = pd.DataFrame(index=vector.table.index)
    _identity(table, vector, config, digests, notices)
    _describe(table, vector, config, reasons, notices)
    excluded = reasons.has("empty_geometry") | reasons.has("duplicate_geometry") | reasons.has("tiny_footprint")
    _heights(table, vector, config, ~excluded, reasons, notices, measurable)
    table["status"] = np.where(excluded, "excluded", np.where(reasons.has("huge_footprint"), "needs_survey", "ok"))
    table["reasons"] = reasons.lists()
    notices += _overlaps(geometry, ~(reasons.has("empty_geometry") | reasons.has("duplicate_geometry")), where)
    frame = gpd.GeoDataFrame(table, geometry=geometry, crs=place.crs)
    log.info("%s: %d footprints, %d excluded", where, len(frame), int(excluded.sum()))
    return Buildings(frame, place.crs, tuple(notices), _provenance(config, vector, place))


class _Reasons:
    """Reason codes of every row, kept in the order in which they were found."""

    def __init__(self, rows: int) -> None:
        self._masks: dict[str, Mask] = {}
        self._rows = rows

    def mark(self, code: str, mask: npt.ArrayLike) -> int:
        found = np.asarray(mask, dtype=bool)
        self._masks[code] = self.has(code) | found
        return int(found.sum())

    def has(self, code: str) -> Mask:
        return self._masks.get(code, np.zeros(self._rows, dtype=bool))

    def lists(self) -> pd.Series:
        rows: list[list[str]] = [[] for _ in range(self._rows)]
        for code, mask in self._masks.items():
            for row in np.flatnonzero(mask):
                rows[row].append(code)
        return pd.Series(rows, dtype=object)


# --- geometry --------------------------------------------------------------------------------------------------------


def _simplest(geometry: Geometries, where: str) -> Geometries:
    """Return the geometries, empty ones as None, single-part multis as polygons; all empty is an error."""
    out = geometry.copy()
    out[shapely.is_empty(geometry)] = None
    single = (shapely.get_type_id(out) == 6) & (shapely.get_num_geometries(out) == 1)
    out[single] = shapely.get_geometry(out[single], 0)  # so that one building has one id in every format
    if all(g is None for g in out):
        raise InputError(
            Text("no building has a geometry", "所有建筑都没有几何图形"),
            where=where,
            found=Text(f"{len(out)} empty geometries", f"{len(out)} 个空图形"),
            expected=Text("polygons", "面要素"),
            mend=Text("check the export", "请检查导出过程"),
        )
    return out


def _geometry(
    place: Located, reasons: _Reasons, notices: list[Notice], where: str
) -> tuple[Geometries, list[bytes | None]]:
    """Repair, find duplicates, judge sizes; return geometries in the working CRS and a digest of each."""
    geometry, repaired = _repair(place.projected)
    empty = np.array([g is None for g in geometry], dtype=bool)
    lonlat = place.lonlat.copy()
    lonlat[empty] = None
    digests = _digests(lonlat)
    duplicate = pd.Series(digests, dtype=object).duplicated().to_numpy() & ~empty
    area = shapely.area(geometry)
    smallest = float(attributes.roof_types()["min_footprint_m2"]["value"])
    largest = float(attributes.limits()["footprint_m2"]["max"])
    tiny, huge = ~empty & ~duplicate & (area < smallest), ~empty & ~duplicate & (area > largest)
    for code, mask, text in (
        ("invalid_geometry_repaired", repaired & ~empty, Text("invalid geometries were repaired", "个无效图形已修复")),
        ("empty_geometry", empty, Text("rows have no polygon and are excluded", "行没有面图形，已排除")),
        (
            "duplicate_geometry",
            duplicate,
            Text("exact duplicates are excluded, the first kept", "个重复图形已排除，保留首个"),
        ),
        (
            "tiny_footprint",
            tiny,
            Text(f"footprints under {smallest:g} m² are excluded", f"个轮廓小于 {smallest:g} ㎡，已排除"),
        ),
        (
            "huge_footprint",
            huge,
            Text(f"footprints over {largest:g} m² need a survey", f"个轮廓大于 {largest:g} ㎡，需核实"),
        ),
    ):
        count = reasons.mark(code, mask)
        if count:
            rows = tuple(str(r) for r in np.flatnonzero(mask)[:5])
            notices.append(
                Notice(code, Text(f"{count} {text.en}", f"{count} {text.zh}"), count, source=where, examples=rows)
            )
    return geometry, digests


def _repair(geometry: Geometries) -> tuple[Geometries, Mask]:
    """Return valid polygonal geometries (None where nothing is left) and which were changed."""
    out = geometry.copy()
    present = np.array([g is not None for g in out], dtype=bool)
    invalid = present & ~shapely.is_valid(out)
    if invalid.any():
        out[invalid] = shapely.make_valid(out[invalid], method="structure", keep_collapsed=False)
    for row in np.flatnonzero(shapely.get_type_id(out) == 7):
        parts = [p for p in _parts(out[row]) if shapely.get_type_id(p) == 3]
        out[row] = shapely.union_all(parts) if parts else None
        invalid[row] = True
    gone = present & (shapely.is_empty(out) | ~(shapely.area(out) > 0.0))
    out[gone] = None
    return out, invalid


def _parts(geometry: shapely.Geometry) -> list[shapely.Geometry]:
    """Return the simple parts of a geometry, however deep."""
    if not hasattr(geometry, "geoms"):
        return [geometry]
    return [part for child in geometry.geoms for part in _parts(child)]


def _digests(lonlat: Geometries) -> list[bytes | None]:
    """Hash each geometry, independent of ring order, start point and the last digits."""
    rounded = shapely.transform(lonlat, lambda xy: np.round(xy, _HASH_DECIMALS) + 0.0)
    wkb = shapely.to_wkb(shapely.normalize(rounded), byte_order=1)
    return [None if data is None else hashlib.blake2b(data, digest_size=16).digest() for data in wkb]


def _measurable(place: Located, where: str) -> list[Notice]:
    """Warn when areas in the working CRS are off by more than a little; refuse when by much."""
    bounds = shapely.total_bounds(place.lonlat)
    lon, lat = float(bounds[0] + bounds[2]) / 2.0, float(bounds[1] + bounds[3]) / 2.0
    error = abs(float(Proj(place.crs).get_factors(lon, lat).areal_scale) - 1.0)
    limit = attributes.limits()["working_crs_area_error"]
    finite = bool(np.isfinite(shapely.total_bounds(place.projected)).all()) and np.isfinite(error)
    if not finite or error > limit["refuse"]:
        raise InputError(
            Text("the working CRS does not fit the data", "工作坐标系与数据位置不符"),
            where="crs",
            found=Text(f"areas {error:.0%} off in {place.crs.name}", f"{place.crs.name} 下面积偏差 {error:.0%}"),
            expected=Text(f"a zone around lon {lon:.2f}, lat {lat:.2f}", f"覆盖经度 {lon:.2f}、纬度 {lat:.2f} 的分带"),
            mend=Text("leave crs out: the fitting zone is chosen", "删去 crs，将自动选择合适的分带"),
        )
    if error <= limit["warn"]:
        return []
    text = Text(f"areas in {place.crs.name} are {error:.1%} off here", f"{place.crs.name} 在此处面积偏差 {error:.1%}")
    return [Notice("working_crs_distorts", text, source=where)]


def _overlaps(geometry: Geometries, kept: Mask, where: str) -> list[Notice]:
    """Count the pairs of kept footprints that overlap, how many by more than rounding, and the area they share."""
    rows = np.flatnonzero(kept)
    shapes = geometry[rows]
    left, right = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    once = left < right
    left, right = left[once], right[once]
    area = shapely.area(shapely.intersection(shapes[left], shapes[right]))
    real = area > 0.0
    count, total = int(real.sum()), float(area.sum())
    if not count:
        return []
    largest = np.argsort(-area, kind="stable")[: min(count, 5)]
    pairs = tuple(f"{rows[left[k]]}-{rows[right[k]]} ({area[k]:.2f} m²)" for k in largest)
    least = float(attributes.limits()["overlap_m2"]["min"])
    more = int((area > least).sum())
    text = Text(
        f"{count} pairs of footprints overlap, {more} by more than {least:g} m², {total:.1f} m² in all; "
        "the higher one keeps the area",
        f"{count} 对轮廓重叠，其中 {more} 对超过 {least:g} ㎡，共 {total:.1f} ㎡；重叠部分归较高的建筑",
    )
    return [Notice("overlaps", text, count, source=where, examples=pairs)]


# --- identity --------------------------------------------------------------------------------------------------------


def _identity(
    table: pd.DataFrame, vector: Vector, config: FootprintsInput, digests: list[bytes | None], notices: list[Notice]
) -> None:
    """Fill ids and source columns: the source id where it is unique, else a hash of the geometry."""
    name = config.fields.id
    source = attributes.texts(vector.table[name]) if name else pd.Series(pd.NA, index=table.index, dtype="string")
    usable = source.notna() & ~source.duplicated(keep=False)
    hashed = pd.Series(
        ["b" + d.hex()[:12] if d is not None else f"row{i}" for i, d in enumerate(digests)], index=table.index
    )
    ids = source.where(usable, hashed)
    repeat = ids.groupby(ids).cumcount()
    table["building_id"] = ids.where(repeat == 0, ids + "-" + (repeat + 1).astype("string")).astype("string")
    table["source_id"] = source
    table["source_file"] = pd.Series(config.path.name, index=table.index, dtype="string")
    table["source_row"] = np.arange(len(table), dtype=np.int64)
    lost = int((~usable).sum())
    if name and lost:
        missing = int(source.isna().sum())
        text = Text(
            f"{lost} buildings get an id made from their geometry: {lost - missing} ids of {name} are repeated, "
            f"{missing} missing",
            f"{lost} 栋建筑按图形生成编号：字段 {name} 有 {lost - missing} 个重复、{missing} 个缺失",
        )
        examples = tuple(source[source.duplicated(keep=False)].dropna().unique()[:5])
        notices.append(Notice("id_from_geometry", text, lost, source=str(config.path), examples=examples))


# --- attributes ------------------------------------------------------------------------------------------------------


def _describe(
    table: pd.DataFrame, vector: Vector, config: FootprintsInput, reasons: _Reasons, notices: list[Notice]
) -> None:
    """Fill names, use, ownership, dates, structure, roof type and existing PV."""
    where, fields, source = str(config.path), config.fields, vector.table
    for key in ("building_name", "address", "owner_name", "owner_type"):
        name = getattr(fields, key)
        table[key] = attributes.texts(source[name]) if name else pd.Series(pd.NA, index=table.index, dtype="string")
    raw_use = source[fields.building_use] if fields.building_use else None
    use = attributes.building_uses(raw_use, config.use_map, table.index, where)
    table["building_use"], table["use_source"] = use["building_use"], use["use_source"]
    notices += attributes.use_notices(use, where)
    reasons.mark("use_unknown", use["building_use"] == "unknown")
    raw_public = source[fields.is_public_institution] if fields.is_public_institution else None
    public, found = attributes.public_institutions(raw_public, config.public_map, table["building_use"], where)
    table["is_public_institution"], table["public_source"] = public["is_public_institution"], public["public_source"]
    notices += found
    _dates(table, vector, config, reasons, notices)
    missing = pd.Series(pd.NA, index=table.index, dtype="string")
    table["structure"] = attributes.structures(source[fields.structure]) if fields.structure else missing
    table["roof_type"] = missing
    if fields.roof_type:
        roof = attributes.roof_types_of(source[fields.roof_type], config.roof_type_map, where)
        table["roof_type"] = roof.values
        notices += roof.notices
    table["existing_pv_kwp"] = np.nan
    if fields.existing_pv_kwp:
        pv = attributes.numbers(source[fields.existing_pv_kwp], "fields.existing_pv_kwp", where)
        most = float(attributes.limits()["existing_pv_kwp"]["max"])
        what = Text("capacities of existing PV", "已装容量值")
        _, kept = attributes.bounded(pv.values, -1e-9, most, "existing_pv_absurd", what, where)
        table["existing_pv_kwp"] = kept.values
        notices += [*pv.notices, *kept.notices]
    table["existing_pv_year"] = pd.Series(pd.NA, index=table.index, dtype="Int64")
    if fields.existing_pv_year:
        since, _ = attributes.dates(source[fields.existing_pv_year], where)
        table["existing_pv_year"] = since.values
        notices += since.notices


def _dates(
    table: pd.DataFrame, vector: Vector, config: FootprintsInput, reasons: _Reasons, notices: list[Notice]
) -> None:
    """Fill year and completion date; each completes the other."""
    where = str(config.path)
    year = pd.Series(pd.NA, index=table.index, dtype="Int64")
    day = pd.Series(pd.NA, index=table.index, dtype="string")
    for name in dict.fromkeys([config.fields.completion_date, config.fields.year_built]):
        if name is None:
            continue
        years, days = attributes.dates(vector.table[name], where)
        notices += years.notices
        differ = int((year.notna() & years.values.notna() & (year != years.values)).sum())
        if differ:
            text = Text(
                f"{differ} buildings have a year that is not that of their completion date; the date is used",
                f"{differ} 栋建筑的建成年份与竣工日期不一致，以竣工日期为准",
            )
            notices.append(Notice("year_disagrees", text, differ, source=where))
        year, day = year.fillna(years.values), day.fillna(days.values)
    table["year_built"], table["completion_date"] = year, day
    count = reasons.mark("year_unknown", year.isna())
    if count:
        text = Text(f"{count} buildings have no known year", f"{count} 栋建筑竣工时间不明")
        notices.append(Notice("year_unknown", text, count, source=where))


def _heights(
    table: pd.DataFrame,
    vector: Vector,
    config: FootprintsInput,
    kept: Mask,
    reasons: _Reasons,
    notices: list[Notice],
    measurable: bool,
) -> None:
    """Fill heights: the field, else floors times storey height, else the configured height or the median of the use."""
    where, fields, limits = str(config.path), config.fields, attributes.limits()
    blank = pd.Series(np.nan, index=table.index, dtype="float64")
    floors, height = blank, blank
    if fields.floors:
        parsed = attributes.numbers(vector.table[fields.floors], "fields.floors", where)
        what = Text("floor counts", "层数值")
        _, bounded = attributes.bounded(parsed.values, 0.0, limits["floors"]["max"], "floors_absurd", what, where)
        floors = bounded.values
        notices += [*parsed.notices, *bounded.notices]
    if fields.height_m:
        parsed = attributes.numbers(vector.table[fields.height_m], "fields.height_m", where)
        what = Text("heights in metres", "高度值（米）")
        absurd, bounded = attributes.bounded(
            parsed.values, 0.0, limits["height_m"]["max"], "height_absurd", what, where
        )
        reasons.mark("height_absurd", absurd)
        height = bounded.values
        notices += [*parsed.notices, *bounded.notices]
    notices += _not_measured(height, floors, where)
    source = pd.Series("field", index=table.index, dtype="string")
    by_floors = height.isna() & floors.notna()
    height, source = height.where(~by_floors, floors * config.storey_height_m), source.where(~by_floors, "floors")
    missing = height.isna()
    fill, label, filled = _fill(height.where(kept), table["building_use"], config, where, measurable)
    table["height_m"] = height.where(~missing, fill)
    table["height_source"] = source.where(~missing, label)
    table["floors_above"] = np.floor(floors).astype("Int64")
    _height_notices(reasons, notices, by_floors, missing, config.storey_height_m, filled, where)


def _not_measured(height: pd.Series, floors: pd.Series, where: str) -> list[Notice]:
    """Say so when the heights of the file are nothing but its floors times a constant."""
    both = height.notna() & floors.notna()
    ratio = height[both] / floors[both]
    if floors[both].nunique() < 3 or ratio.max() - ratio.min() > 1e-6:
        return []
    count, storey = int(both.sum()), float(ratio.iloc[0])
    text = Text(
        f"{count} heights in the file are exactly floors × {storey:g} m: they were not measured",
        f"文件中 {count} 个高度恰为层数 × {storey:g} 米：并非实测",
    )
    return [Notice("height_not_measured", text, count, severity="info", source=where)]


def _fill(
    height: pd.Series, use: pd.Series, config: FootprintsInput, where: str, measurable: bool
) -> tuple[pd.Series, str, Text]:
    """Return the height of buildings that have none, its source, and what it is in words."""
    default, storey = config.default_height_m, config.storey_height_m
    if default is not None:
        words = Text(f"{default:g} m as configured", f"配置的 {default:g} 米")
        return pd.Series(default, index=height.index, dtype="float64"), "default", words
    if height.notna().sum() == 0 and measurable:
        words = Text(f"one storey of {storey:g} m where none is measured", f"未能量得时按一层 {storey:g} 米")
        return pd.Series(storey, index=height.index, dtype="float64"), "assumed", words
    if height.notna().sum() == 0:
        raise InputError(
            Text("no building has a height", "所有建筑都没有高度"),
            where=Text(f"{ROLE}.fields ({where})", f"{ROLE}.fields（{where}）"),
            found=Text("no usable height and no floors", "没有可用的高度和层数"),
            expected=Text("fields.height_m or fields.floors", "fields.height_m 或 fields.floors"),
            mend=Text(
                "map one of them, give inputs.dsm and inputs.dtm, or set default_height_m for all buildings",
                "请映射其一，或给出 inputs.dsm 与 inputs.dtm，或为所有建筑设置 default_height_m",
            ),
        )
    words = Text("the median of their use", "同类用途的中位数")
    return height.groupby(use).transform("median").fillna(height.median()), "assumed", words


def _height_notices(
    reasons: _Reasons,
    notices: list[Notice],
    by_floors: pd.Series,
    missing: pd.Series,
    storey: float,
    filled: Text,
    where: str,
) -> None:
    for code, mask, text, severity in (
        (
            "height_from_floors",
            by_floors,
            Text(f"heights are floors × {storey:g} m", f"栋建筑的高度按层数 × {storey:g} 米推算"),
            "info",
        ),
        (
            "height_missing",
            missing,
            Text(f"buildings have no height and get {filled.en}", f"栋建筑没有高度，取{filled.zh}"),
            "warning",
        ),
    ):
        count = reasons.mark(code, mask)
        if count:
            rows = tuple(str(r) for r in np.flatnonzero(mask)[:5])
            text = Text(f"{count} {text.en}", f"{count} {text.zh}")
            notices.append(
                Notice(
                    code, text, count, severity="info" if severity == "info" else "warning", source=where, examples=rows
                )
            )


def _provenance(config: FootprintsInput, vector: Vector, place: Located) -> Provenance:
    fields = {key: name for key, name in config.fields.model_dump().items() if name is not None}
    details = {
        "layer": vector.layer.layer or "",
        "crs": vector.crs.name,
        "datum": f"{config.datum}: declared",
        "working_crs": ":".join(place.crs.to_authority() or (place.crs.name,)),
        "encoding": vector.layer.encoding or "utf-8",
        "rows": str(len(vector.table)),
        "fields": ", ".join(f"{key}={name}" for key, name in fields.items()),
    }
    return Provenance(ROLE, str(config.path), file_sha256(config.path), details)
