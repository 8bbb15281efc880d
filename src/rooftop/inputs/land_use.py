"""Uses inferred where attributes do not say: from names of buildings, then from land-use polygons of a named standard.

Whatever is inferred is a presumption: it counts in central values, and in the bounds both ways (`targets.scope`).
"""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pyproj import CRS

from rooftop.config import LandUseInput
from rooftop.core.lang import Text
from rooftop.core.notices import Notice, Provenance, Severity, file_sha256
from rooftop.core.vocabularies import building_uses
from rooftop.inputs import attributes
from rooftop.inputs.boundaries import overlap_pairs
from rooftop.inputs.datums import locate
from rooftop.inputs.identifiers import codes as codes_of
from rooftop.inputs.land_use_codes import entry_of, inference, land_use_rules, standard_name
from rooftop.inputs.land_use_fit import check_names, check_standard
from rooftop.inputs.place_pairs import Pair, compare_points_with_polygons
from rooftop.inputs.use_rules import Inference, uses_of_names
from rooftop.inputs.vectors import read_vector

log = logging.getLogger(__name__)

ROLE = "inputs.land_use"


@dataclass(frozen=True)
class InferredUses:
    """Buildings with what could be inferred of their use.

    Parameters
    ----------
    table : GeoDataFrame
        As given, with ``building_use``, ``use_source``, ``is_public_institution``, ``public_source`` and ``reasons``
        completed, and ``use_confidence`` (high | medium | low, missing where an attribute states the use),
        ``land_use_code``, ``land_use_share`` (of the footprint, on land of that code).
    notices : tuple of Notice
    provenance : Provenance or None
        Of the land-use file.
    """

    table: gpd.GeoDataFrame
    notices: tuple[Notice, ...]
    provenance: Provenance | None


@dataclass(frozen=True)
class LandUse:
    """Land under each building.

    Parameters
    ----------
    table : DataFrame
        ``land_use_code`` and ``land_use_share`` by row of the buildings; missing where no polygon lies.
    """

    table: pd.DataFrame
    notices: tuple[Notice, ...]
    provenance: Provenance


def normal_codes(column: pd.Series, where: str) -> tuple[pd.Series, tuple[Notice, ...]]:
    """Return codes as text, with the leading zero that a column of numbers lost (801 is 0801)."""
    read = codes_of(column, where)
    raw = read.values.map(attributes.half_width, na_action="ignore").astype("string").str.upper()
    lost = raw.str.fullmatch(r"\d+").fillna(False).to_numpy(dtype=bool) & (raw.str.len() % 2 == 1).fillna(False)
    if not lost.any():
        return raw, read.notices
    count = int(lost.sum())
    text = Text(
        f"{count} land-use codes had lost their leading zero, as numbers do; it is put back",
        f"{count} 个地类代码丢失首位零（数值字段所致），已补回",
    )
    examples = tuple(f"{code} → 0{code}" for code in raw[lost].drop_duplicates().head(5))
    notice = Notice("land_use_code_padded", text, count, "info", where, examples)
    return raw.where(~lost, "0" + raw), (*read.notices, notice)


def read_land_use(config: LandUseInput, buildings: gpd.GeoDataFrame) -> LandUse:
    """Find the land under each building: the code with which its footprint shares most area.

    Parameters
    ----------
    config : LandUseInput
    buildings : GeoDataFrame
        In the working CRS.

    Raises
    ------
    InputError
        As `rooftop.inputs.vectors.read_vector`; the codes, or the names beside them, are those of another standard.
    """
    where = str(config.path)
    fields = {"code_field": config.code_field} | ({"name_field": config.name_field} if config.name_field else {})
    vector = read_vector(config.path, fields, layer=config.layer, encoding=config.encoding, crs=config.crs, role=ROLE)
    place = locate(vector.geometry, vector.crs, config.datum, buildings.crs, where)
    codes, padded = normal_codes(vector.table[config.code_field], where)
    notices = [*vector.notices, *place.notices, *padded]
    if config.name_field:
        notices += check_names(codes, attributes.texts(vector.table[config.name_field]), config.standard, where)
    shapes = place.projected.copy()
    shapes[codes.isna().to_numpy() | shapely.is_missing(shapes)] = None
    invalid = ~(shapely.is_missing(shapes) | shapely.is_valid(shapes))
    shapes[invalid] = shapely.make_valid(shapes[invalid], method="structure", keep_collapsed=False)
    footprints = np.asarray(buildings.geometry, dtype=object)
    present = ~shapely.is_empty(footprints)
    none = Text("no building lies on any land-use polygon", "没有建筑位于任何用地图斑内")
    pair = Pair(of="inputs.footprints", on=ROLE, none=none, where=where)
    notices += compare_points_with_polygons(
        shapely.point_on_surface(footprints[present]), shapes, CRS(buildings.crs), pair
    )
    table = _land_under(footprints, shapes, codes, buildings.index)
    notices += check_standard(table["land_use_code"].dropna(), config.standard, where)
    notices += _unknown_codes(codes, table["land_use_code"], config.standard, where)
    details = {
        "standard": f"{standard_name(config.standard).pick('zh')} ({config.standard})",
        "code_field": config.code_field,
        "crs": vector.crs.name,
        "datum": f"{config.datum}: declared",
        "encoding": vector.layer.encoding or "utf-8",
        "rows": str(len(vector.table)),
    }
    return LandUse(table, tuple(notices), Provenance(ROLE, where, file_sha256(config.path), details))


def _land_under(
    footprints: np.ndarray[Any, Any], land: np.ndarray[Any, Any], codes: pd.Series, index: pd.Index
) -> pd.DataFrame:
    """Sum the shares of equal codes under each footprint and keep the largest; the smaller code on a tie."""
    pairs = overlap_pairs(footprints, land)
    pairs["code"] = codes.to_numpy(dtype=object)[pairs["unit"]]
    shares = pairs.groupby(["row", "code"], sort=True)["share"].sum().clip(upper=1.0).reset_index()
    largest = shares.sort_values(["row", "share", "code"], ascending=[True, False, True]).drop_duplicates("row")
    out = pd.DataFrame({"land_use_code": pd.Series(pd.NA, index=index, dtype="string"), "land_use_share": np.nan})
    rows = largest["row"].to_numpy()
    out.iloc[rows, 0] = largest["code"].to_numpy()
    out.iloc[rows, 1] = largest["share"].to_numpy()
    return out


def _unknown_codes(codes: pd.Series, under: pd.Series, standard: str, where: str) -> list[Notice]:
    stated = codes.dropna()
    unknown = stated[[entry_of(standard, str(code)) is None for code in stated]]
    if unknown.empty:
        return []
    n = int(under.isin(set(unknown)).sum())
    name = standard_name(standard)
    text = Text(
        "{unknown} land-use polygons have a code that {name} does not know; {n} buildings stand on them",
        "{unknown} 个图斑的地类代码不在“{name}”中，其上有 {n} 栋建筑",
    ).format(unknown=len(unknown), name=name, n=n)
    examples = tuple(f"{code} ({count})" for code, count in unknown.value_counts().head(5).items())
    return [Notice("land_use_code_unknown", text, len(unknown), source=where, examples=examples)]


# --- the inference ---------------------------------------------------------------------------------------------------


def infer_uses(buildings: gpd.GeoDataFrame, config: LandUseInput | None, *, name_rules: bool = True) -> InferredUses:
    """Infer the use of buildings of unknown use: from the name, else from the land.

    Parameters
    ----------
    buildings : GeoDataFrame
        `rooftop.inputs.footprints.FootprintTable.table`, working CRS.
    config : LandUseInput or None
    name_rules : bool
        Whether names are read.

    Returns
    -------
    InferredUses
        Attributes that state a use are never overruled; where they contradict the land, that is counted. Whether the
        building belongs to a public institution follows from the inferred use only where the use alone decides.
    """
    land = read_land_use(config, buildings) if config is not None else None
    silent: list[Inference | None] = [None] * len(buildings)
    by_name = uses_of_names(buildings["building_name"]) if name_rules else silent
    by_land, notices = silent, list(land.notices if land is not None else ())
    if land is not None and config is not None:
        least = land_use_rules().min_share.value
        enough = (land.table["land_use_share"] >= least).to_numpy()
        by_land = [
            inference(config.standard, str(code)) if ok else None
            for code, ok in zip(land.table["land_use_code"], enough, strict=True)
        ]
        notices += _land_notices(buildings, land, enough, by_name, by_land)
    unknown = (buildings["building_use"] == "unknown").to_numpy()
    chosen = [_first(a, b) if ask else None for a, b, ask in zip(by_name, by_land, unknown, strict=True)]
    table = _with_uses(buildings, chosen)
    if land is not None:
        table = table.assign(
            land_use_code=land.table["land_use_code"].array, land_use_share=land.table["land_use_share"].to_numpy()
        )
    notices += _inference_notices(table, chosen)
    log.info("uses inferred for %d of %d buildings", sum(c is not None for c in chosen), int(unknown.sum()))
    return InferredUses(table, tuple(notices), None if land is None else land.provenance)


def _first(*candidates: Inference | None) -> Inference | None:
    return next((c for c in candidates if c is not None and c.uses), None)


def _with_uses(buildings: gpd.GeoDataFrame, chosen: Sequence[Inference | None]) -> gpd.GeoDataFrame:
    columns = {
        name: buildings[name].astype(object).to_numpy(copy=True)
        for name in ("building_use", "use_source", "is_public_institution", "public_source")
    }
    confidence = np.full(len(buildings), pd.NA, dtype=object)
    reasons = [list(codes) for codes in buildings["reasons"]]
    hints = {use: entry.public_hint for use, entry in building_uses().uses.items()}
    for row, inferred in enumerate(chosen):
        if inferred is None:
            continue
        use = inferred.uses[0]
        columns["building_use"][row], columns["use_source"][row] = use, inferred.source
        confidence[row] = inferred.confidence
        reasons[row] = [code for code in reasons[row] if code != "use_unknown"]
        if columns["public_source"][row] == "none" and hints[use] in ("yes", "no"):
            columns["is_public_institution"][row] = hints[use]
            columns["public_source"][row] = inferred.source.partition(":")[0]
    strings = {name: pd.array(values, dtype="string") for name, values in columns.items()}
    return buildings.assign(**strings, use_confidence=pd.array(confidence, dtype="string"), reasons=reasons)


def _land_notices(
    buildings: gpd.GeoDataFrame,
    land: LandUse,
    enough: np.ndarray[Any, Any],
    by_name: Sequence[Inference | None],
    by_land: Sequence[Inference | None],
) -> list[Notice]:
    """Count buildings without land, on several lands, and those whose attributes or names contradict a sure land."""
    ids = buildings["building_id"].astype(str).to_numpy()
    uses = buildings["building_use"].astype(str).to_numpy()
    unknown = uses == "unknown"
    bare = unknown & land.table["land_use_code"].isna().to_numpy()
    partly = unknown & ~bare & ~enough
    sure = np.array([inferred is not None and inferred.confidence == "high" for inferred in by_land], dtype=bool)
    stated = [a.uses[0] if u and a is not None else use for use, u, a in zip(uses, unknown, by_name, strict=True)]
    others = [
        use != "unknown" and inferred is not None and use not in inferred.uses
        for use, inferred in zip(stated, by_land, strict=True)
    ]
    against = sure & np.array(others, dtype=bool)
    where, out = land.provenance.path, list[Notice]()
    for code, mask in (("land_use_missing", bare), ("land_use_divided", partly), ("land_use_contradicts", against)):
        severity: Severity = "warning" if mask is against else "info"
        out += Notice.counted(code, mask, _LAND_TEXTS[code], names=ids, severity=severity, source=where)
    return out


_LAND_TEXTS = {
    "land_use_missing": Text(
        "{n} buildings of unknown use stand on no land-use polygon", "{n} 栋用途不明的建筑不在任何地类图斑上"
    ),
    "land_use_divided": Text(
        "{n} buildings of unknown use stand on several land uses, none with most of the footprint: nothing is inferred",
        "{n} 栋用途不明的建筑跨多种地类且均不过半，不作推断",
    ),
    "land_use_contradicts": Text(
        "{n} buildings have a stated use (or a name) that their land does not allow for; the land is not believed",
        "{n} 栋建筑的用途（或名称）与所在地类不符，以建筑属性（名称）为准",
    ),
}


def _inference_notices(table: gpd.GeoDataFrame, chosen: Sequence[Inference | None]) -> list[Notice]:
    """Count what was inferred, by source and confidence, and what is still unknown."""
    names = {key: label.text for key, label in land_use_rules().confidence.items()}
    out = []
    for kind, what in (("rule", Text("their name", "名称")), ("land_use", Text("the land use", "用地性质"))):
        of_kind = [c for c in chosen if c is not None and c.source.startswith(f"{kind}:")]
        if not of_kind:
            continue
        split = {key: sum(c.confidence == key for c in of_kind) for key in names}
        text = Text(
            "the use of {n} buildings is inferred from {what} (confidence: {parts}); presumed in the bounds",
            "{n} 栋建筑的用途按{what}推断（置信度：{parts}），上下限按推定处理",
        ).format(n=len(of_kind), what=what, parts=Text.join(names[key] + f" {n}" for key, n in split.items() if n))
        counts = pd.Series([f"{re.sub('^[^:]*:', '', c.source)}: {c.uses[0]}" for c in of_kind]).value_counts()
        examples = tuple(f"{name} ({n})" for name, n in sorted(counts.items(), key=lambda i: (-i[1], str(i[0])))[:5])
        out.append(Notice(f"use_by_{'name' if kind == 'rule' else kind}", text, len(of_kind), "info", ROLE, examples))
    unknown = int((table["building_use"] == "unknown").sum())
    text = Text("{n} buildings have no known use", "{n} 栋建筑用途不明")
    return [*out, *Notice.counted("use_unknown", unknown, text, source="inputs.footprints")]
