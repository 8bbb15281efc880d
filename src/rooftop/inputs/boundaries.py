"""Districts, towns and zones, and which building belongs to which.

Districts partition the area and towns nest in them: a building belongs to the one with which its footprint shares most
area. Zones overlap: a building belongs to every one it touches, with its share.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pyproj import CRS

from rooftop.config import BoundaryInput
from rooftop.core.errors import InputError
from rooftop.core.lang import Text
from rooftop.core.notices import Notice, Provenance, file_sha256
from rooftop.core.types import I8, Geometries
from rooftop.inputs.attributes import is_null_word
from rooftop.inputs.attributes import names as names_of
from rooftop.inputs.datums import LocatedGeometries, far_from, locate
from rooftop.inputs.identifiers import codes as codes_of
from rooftop.inputs.vectors import read_vector
from rooftop.tables import MEMBERSHIPS, conform

log = logging.getLogger(__name__)

Level = Literal["district", "town", "zone"]
_ROLES: dict[Level, str] = {"district": "inputs.districts", "town": "inputs.towns", "zone": "inputs.zones"}
_OVERLAP_SHARE = 0.001
_LEAST_SHARE = 1e-6  # less is rounding of a shared border


@dataclass(frozen=True)
class Units:
    """Administrative units or zones of one level.

    Parameters
    ----------
    table : GeoDataFrame
        ``unit_id unit_name level geometry``, one row per code in the order of the file, in the working CRS.
    notices : tuple of Notice
    provenance : Provenance or None
        None when the unit was made up of the buildings.
    uncoded : ndarray of geometries
        Of rows without a code, which are left out.
    """

    table: gpd.GeoDataFrame
    notices: tuple[Notice, ...] = ()
    provenance: Provenance | None = None
    uncoded: Geometries = field(default_factory=lambda: np.empty(0, dtype=object))


def read_units(config: BoundaryInput, level: Level, crs: CRS) -> Units:
    """Read the polygons of districts, towns or zones.

    Parameters
    ----------
    config : BoundaryInput
    level : {"district", "town", "zone"}
    crs : pyproj.CRS
        Working CRS of the buildings.

    Returns
    -------
    Units
        Rows of one code become one unit. Codes are text (``320706``, also from 320706.0); a missing name is the code.

    Raises
    ------
    InputError
        As `rooftop.inputs.vectors.read_vector`; no row has a code.
    """
    where, role = str(config.path), _ROLES[level]
    fields = {"id_field": config.id_field} | ({"name_field": config.name_field} if config.name_field else {})
    vector = read_vector(config.path, fields, layer=config.layer, encoding=config.encoding, crs=config.crs, role=role)
    place = locate(vector.geometry, vector.crs, config.datum, crs, where)
    read = codes_of(vector.table[config.id_field], where)
    notices = [*vector.notices, *place.notices, *read.notices]
    codes = read.values
    names = names_of(vector.table[config.name_field], keep="all") if config.name_field else codes.copy()
    geometry = _repair_geometries(place, codes, where, notices)
    _count_missing_codes(codes, config, where, role, notices)
    notices += _strange_codes(codes, where)
    table = _units_by_code(codes, names.fillna(codes), geometry, level, crs, where, notices)
    if level != "zone":
        notices += _overlap_notices(table, level, where)
    details = {
        "layer": vector.layer.layer or "",
        "crs": vector.crs.name,
        "datum": f"{config.datum}: declared",
        "encoding": vector.layer.encoding or "utf-8",
        "rows": str(len(vector.table)),
        "units": str(len(table)),
    }
    uncoded = geometry[codes.isna().to_numpy() & ~shapely.is_missing(geometry)]
    return Units(table, tuple(notices), Provenance(role, where, file_sha256(config.path), details), uncoded)


def single_district(buildings: gpd.GeoDataFrame, name: str, unit_id: str = "all") -> Units:
    """Return one district that holds all buildings, for a run without boundaries.

    Parameters
    ----------
    buildings : GeoDataFrame
        In the working CRS.
    name : str
    unit_id : str
    """
    west, south, east, north = (float(v) for v in buildings.total_bounds)
    frame = shapely.box(west - 1.0, south - 1.0, east + 1.0, north + 1.0)
    table = gpd.GeoDataFrame(
        {
            "unit_id": pd.Series([unit_id], dtype="string"),
            "unit_name": pd.Series([name], dtype="string"),
            "level": pd.Series(["district"], dtype="string"),
        },
        geometry=[frame],
        crs=buildings.crs,
    )
    text = Text(f"no districts are configured: all buildings form one, {name}", f"未配置县区边界：所有建筑合为“{name}”")
    return Units(table, (Notice("single_district", text, severity="info", source="inputs.districts"),))


def _repair_geometries(place: LocatedGeometries, codes: pd.Series, where: str, notices: list[Notice]) -> Geometries:
    """Repair geometries; those too far away to be projected become None."""
    out = place.projected.copy()
    present = ~(shapely.is_missing(out) | shapely.is_empty(out))
    far = present & (~np.isfinite(shapely.bounds(out)).all(axis=1) | far_from(place.crs, place.lonlat))
    out[far | ~present] = None
    invalid = present & ~far & ~shapely.is_valid(out)
    if invalid.any():
        out[invalid] = shapely.make_valid(out[invalid], method="structure", keep_collapsed=False)
    for code, mask, text in (
        ("unit_geometry_repaired", invalid, Text("{n} boundaries were repaired", "{n} 个边界图形已修复")),
        ("unit_empty", ~present, Text("{n} units have no geometry", "{n} 个单元没有图形")),
        ("unit_far", far, Text("{n} units are too far away to be projected", "{n} 个单元距离过远，无法投影")),
    ):
        notices += Notice.counted(code, mask, text, names=codes, source=where)
    return out


def _count_missing_codes(codes: pd.Series, config: BoundaryInput, where: str, role: str, notices: list[Notice]) -> None:
    missing = int(codes.isna().sum())
    if missing == len(codes):
        raise InputError(
            Text("no unit has a code", "所有单元都没有代码"),
            where=Text(f"{role}.id_field ({where})", f"{role}.id_field（{where}）"),
            found=Text(f"{config.id_field} is empty in all {missing} rows", f"{config.id_field} 的 {missing} 行全为空"),
            expected=Text("a code such as 320706", "代码，如 320706"),
            mend=Text("map id_field to the field with the codes", "请将 id_field 映射到代码字段"),
        )
    text = Text(
        "{n} units have no code and are left out; buildings in them belong to none",
        "{n} 个单元没有代码，未采用；其中的建筑不属于任何单元",
    )
    notices += Notice.counted("unit_without_code", missing, text, source=where)


def _strange_codes(codes: pd.Series, where: str) -> tuple[Notice, ...]:
    """Name the codes that often stand for nothing, and are kept."""
    strange = [code for code in codes.dropna().unique() if is_null_word(code)]
    text = Text(
        "{n} codes of units often stand for nothing; they are kept as codes",
        "{n} 个单元代码常用于表示空值，此处按代码保留",
    )
    return Notice.counted("unit_code_word", strange, text, severity="info", source=where)


def _units_by_code(
    codes: pd.Series, names: pd.Series, geometry: Geometries, level: Level, crs: CRS, where: str, notices: list[Notice]
) -> gpd.GeoDataFrame:
    """Return one row per code, in the order of first appearance."""
    order = codes.dropna().drop_duplicates()
    rows: dict[str, list[int]] = {str(code): [] for code in order}
    for position, code in enumerate(codes):
        if isinstance(code, str):
            rows[code].append(position)
    shapes = np.empty(len(rows), dtype=object)
    for i, positions in enumerate(rows.values()):
        shapes[i] = geometry[positions[0]] if len(positions) == 1 else shapely.union_all(geometry[positions])
    repeated = [code for code, positions in rows.items() if len(positions) > 1]
    text = Text("{n} codes have several rows, joined", "{n} 个代码有多行，已合并")
    notices += Notice.counted("unit_joined", repeated, text, source=where)
    named = [code for code in repeated if names.iloc[rows[code]].nunique() > 1]
    text = Text("{n} codes have several names; first used", "{n} 个代码有多个名称，取首个")
    notices += Notice.counted("unit_names_differ", named, text, source=where)
    table = {
        "unit_id": pd.Series(list(rows), dtype="string"),
        "unit_name": pd.Series([names.iloc[p[0]] for p in rows.values()], dtype="string"),
        "level": pd.Series([level] * len(rows), dtype="string"),
    }
    return gpd.GeoDataFrame(table, geometry=shapes, crs=crs)


def _overlap_notices(table: gpd.GeoDataFrame, level: Level, where: str) -> tuple[Notice, ...]:
    """Warn of units that overlap by more than slivers: they should partition the area."""
    shapes = np.asarray(table.geometry, dtype=object)
    query_index, tree_index = shapely.STRtree(shapes).query(shapes, predicate="overlaps")
    inside = shapely.STRtree(shapes).query(shapes, predicate="contains_properly")
    query_index, tree_index = np.concatenate([query_index, inside[0]]), np.concatenate([tree_index, inside[1]])
    pairs = sorted(
        {(min(a, b), max(a, b)) for a, b in zip(query_index.tolist(), tree_index.tolist(), strict=True) if a != b}
    )
    overlaps = []
    for a, b in pairs:
        shared = shapely.area(shapely.intersection(shapes[a], shapes[b]))
        if shared > _OVERLAP_SHARE * min(shapes[a].area, shapes[b].area):
            overlaps.append((f"{table.unit_name[a]}-{table.unit_name[b]}", float(shared)))
    total = sum(area for _, area in overlaps) / 1e6
    text = Text(
        f"{{n}} pairs of {level}s overlap, by {total:.2f} km² in all; a building belongs to the one that holds "
        "most of it, to the lower code where both hold all of it",
        f"{{n}} 对单元相互重叠，共 {total:.2f} km²；建筑归属重叠面积最大者，均完全包含时归代码较小者",
    )
    return Notice.counted("units_overlap", [name for name, _ in overlaps], text, source=where)


# --- memberships -----------------------------------------------------------------------------------------------------


def assign(buildings: gpd.GeoDataFrame, units: Sequence[Units]) -> pd.DataFrame:
    """Say which units each building belongs to.

    Parameters
    ----------
    buildings : GeoDataFrame
        ``building_id`` and geometry, in the working CRS.
    units : sequence of Units
        Of any levels, same CRS.

    Returns
    -------
    DataFrame
        `rooftop.tables.MEMBERSHIPS`: at most one district and one town per building, every zone it shares area with.
        A district and a town take the whole building: ``share`` is 1 there, and the part of the footprint inside the
        unit for zones. A building outside everything has no row. Towns are chosen within the building's district
        where they nest in it, so that their sums agree.
    """
    shapes = np.asarray(buildings.geometry, dtype=object)
    parts: list[pd.DataFrame] = []
    district: pd.DataFrame | None = None
    districts: gpd.GeoDataFrame | None = None
    for group in sorted(units, key=lambda u: ["district", "town", "zone"].index(_level_of(u))):
        pairs = overlap_pairs(shapes, np.asarray(group.table.geometry, dtype=object))
        level = _level_of(group)
        if level == "town" and district is not None and districts is not None:
            pairs = _drop_foreign_towns(pairs, district, _parents(group.table, districts))
        if level != "zone":
            pairs = largest_overlap(pairs, group.table["unit_id"])
        if level == "district":
            district, districts = pairs, group.table
        parts.append(
            pd.DataFrame(
                {
                    "building_id": buildings["building_id"].to_numpy()[pairs["row"]],
                    "unit_id": group.table["unit_id"].to_numpy()[pairs["unit"]],
                    "level": level,
                    "share": pairs["share"].to_numpy() if level == "zone" else 1.0,
                }
            )
        )
    columns = list(MEMBERSHIPS.names)
    return conform(pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns), MEMBERSHIPS)


def _level_of(units: Units) -> str:
    return str(units.table["level"].iloc[0]) if len(units.table) else "zone"


def overlap_pairs(shapes: Geometries, zones: Geometries) -> pd.DataFrame:
    """Return row, unit and share of every building and unit that share area, by row then unit."""
    tree = shapely.STRtree(shapes)
    shapely.prepare(zones)
    unit, row = tree.query(zones, predicate="intersects")
    inside_unit, inside_row = tree.query(zones, predicate="covers")
    inside = np.isin(row.astype(np.int64) * len(zones) + unit, inside_row.astype(np.int64) * len(zones) + inside_unit)
    share = np.ones(len(row))
    cut = np.flatnonzero(~inside)
    area = shapely.area(shapes[row[cut]])
    shared = shapely.area(shapely.intersection(shapes[row[cut]], zones[unit[cut]]))
    share[cut] = np.divide(shared, area, out=np.zeros(len(cut)), where=area > 0.0)
    frame = pd.DataFrame({"row": row, "unit": unit, "share": np.clip(share, 0.0, 1.0)})
    return frame[frame["share"] > _LEAST_SHARE].sort_values(["row", "unit"], ignore_index=True)


def largest_overlap(pairs: pd.DataFrame, codes: pd.Series) -> pd.DataFrame:
    """Keep the unit with the largest share of each building; that of the lowest code on a tie.

    Parameters
    ----------
    pairs : DataFrame
        Of :func:`overlap_pairs`.
    codes : Series
        Of the units: the order of rows in a file decides nothing.
    """
    ranks = codes.astype(str).rank(method="first").to_numpy()
    ranked = (
        pairs.assign(rank=ranks[pairs["unit"]])
        .sort_values(["row", "share", "rank"], ascending=[True, False, True])
        .drop(columns="rank")
    )
    return ranked.drop_duplicates("row").reset_index(drop=True)


def _parents(towns: gpd.GeoDataFrame, districts: gpd.GeoDataFrame) -> I8:
    """Return the district that holds most of each town, -1 where none does."""
    pairs = overlap_pairs(np.asarray(towns.geometry, dtype=object), np.asarray(districts.geometry, dtype=object))
    pairs = largest_overlap(pairs, districts["unit_id"])
    parents = np.full(len(towns), -1, dtype=np.int64)
    parents[pairs["row"]] = pairs["unit"]
    return parents


def _drop_foreign_towns(pairs: pd.DataFrame, district: pd.DataFrame, parents: I8) -> pd.DataFrame:
    """Drop towns of another district where the building also touches one of its own."""
    in_district = pairs["row"].map(district.set_index("row")["unit"]).to_numpy() == parents[pairs["unit"]]
    has_town_in_district = (
        pd.Series(in_district, index=pairs.index).groupby(pairs["row"]).transform("any").to_numpy(dtype=bool)
    )
    return pairs[in_district | ~has_town_in_district].reset_index(drop=True)
