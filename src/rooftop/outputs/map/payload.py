"""What the map knows, as compact JSON: shapes as delta-coded integers, attributes column by column, coverage by key.

Nothing here is HTML. The page turns every value into text nodes, so that an attribute is never markup.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from rooftop.core.errors import ComputeError
from rooftop.core.lang import Lang, Text
from rooftop.core.privacy import WITHHELD
from rooftop.core.rounding import is_missing
from rooftop.core.types import F8, Geometries
from rooftop.outputs.map.style import NO_TARGET, SHORT_LABELS, STATUS_LABELS, choice_label
from rooftop.outputs.use_sources import use_source_label
from rooftop.targets.columns import carries_reason, numeric_column, reason_codes
from rooftop.targets.withheld import withheld, withheld_uses

SCALE = 1_000_000  # coordinates are integers of 1e-6 degrees, about 0.1 m
SIMPLIFY_ABOVE = 10_000  # roofs; below, shapes are embedded as they are
SIMPLIFY_DEG = 2e-6  # about 0.2 m: below the accuracy of any footprint
_OWNER_CODES = {"person": 1, "maybe": 2}

Json = Any
Ring = list[int]


def without_withheld(roofs: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return the roofs that may be shown: those of a withheld use, or with such a reason, appear in no output."""
    return roofs[~(withheld(roofs) | carries_reason(roofs, withheld_uses()))]


def frame_in_lonlat(frame: gpd.GeoDataFrame, role: str) -> gpd.GeoDataFrame:
    """Return `frame` in WGS 84 longitude and latitude.

    Raises
    ------
    ComputeError
        The frame states no CRS.
    """
    if frame.crs is None:
        raise ComputeError(
            Text(f"the {role} of the map have no CRS", f"地图数据 {role} 缺少坐标系"), expected="OGC:CRS84 / EPSG:4326"
        )
    return frame if frame.crs in ("EPSG:4326", "OGC:CRS84") else frame.to_crs("OGC:CRS84")


def encode_shapes(geometry: Geometries, origin: tuple[int, int]) -> list[Json]:
    """Code polygons as integers of 1e-6 degrees.

    Parameters
    ----------
    geometry : (n,) of shapely geometries
        Longitude, latitude. Anything but polygons is left out.
    origin : (int, int)
        What the first vertex of each ring is relative to.

    Returns
    -------
    list
        Per geometry: null; or one ring ``[x, y, dx, dy, …]``; or ``[[ring, hole, …], …]``. Rings are open.
    """
    parts, owner = shapely.get_parts(geometry, return_index=True)
    polygons = shapely.get_type_id(parts) == 3
    parts, owner = parts[polygons], owner[polygons]
    rings, polygon_of_ring = shapely.get_rings(parts, return_index=True)
    coordinates, ring_of_vertex = shapely.get_coordinates(rings, return_index=True)
    whole = np.rint(coordinates * SCALE).astype(np.int64) - np.asarray(origin, dtype=np.int64)
    starts = np.flatnonzero(np.diff(ring_of_vertex, prepend=-1))
    steps = np.diff(whole, axis=0, prepend=0)
    steps[starts] = whole[starts]
    flat = steps.ravel().tolist()
    ends = np.append(starts, len(whole))[1:] - 1  # without the closing vertex
    coded: list[list[list[Ring]]] = [[] for _ in range(len(geometry))]
    last_polygon = -1
    for start, end, polygon in zip(starts.tolist(), ends.tolist(), polygon_of_ring.tolist(), strict=True):
        owned = coded[int(owner[polygon])]
        if polygon != last_polygon:
            owned.append([])
            last_polygon = polygon
        owned[-1].append(flat[2 * start : 2 * end])
    return [_shortest(polygons_of) for polygons_of in coded]


def _shortest(polygons: list[list[Ring]]) -> Json:
    if not polygons:
        return None
    return polygons[0][0] if len(polygons) == 1 and len(polygons[0]) == 1 else polygons


def _encode_texts(values: Iterable[object]) -> dict[str, Json]:
    """Code a column of few distinct texts: the texts once, an index per row (−1: null)."""
    texts: dict[str, int] = {}
    index = [-1 if text is None else texts.setdefault(text, len(texts)) for text in _texts(values)]
    return {"values": list(texts), "index": index}


def _texts(values: Iterable[object]) -> list[str | None]:
    return [None if is_missing(value) or str(value) == "" else str(value) for value in values]


def _numbers(values: pd.Series, digits: int = 3, scale: float = 1.0) -> list[float | int | None]:
    """Round to `digits` significant digits; null stays null."""
    raw = pd.to_numeric(values, errors="coerce").to_numpy(dtype=float, na_value=np.nan) * scale
    return _json_numbers(_significant(raw, digits))


def _significant(raw: F8, digits: int) -> F8:
    magnitude = np.floor(np.log10(np.where((raw == 0) | ~np.isfinite(raw), 1.0, np.abs(raw))))
    factor = 10.0 ** (digits - 1 - magnitude)
    return np.rint(raw * factor) / factor


def _json_numbers(values: F8) -> list[float | int | None]:
    out: list[float | int | None] = []
    for value in values.tolist():
        if not np.isfinite(value):
            out.append(None)
        else:
            short = float(f"{value:.10g}")
            out.append(int(short) if short == int(short) else short)
    return out


def roof_payload(roofs: gpd.GeoDataFrame, lang: Lang) -> dict[str, Json]:
    """Return the roofs as columns.

    Parameters
    ----------
    roofs : GeoDataFrame
        `tables.ROOFS` and geometry, longitude and latitude, without withheld uses; names as they may be shown.
    lang : {"zh", "en"}
        Energy is in 万kWh or MWh.
    """
    geometry = roofs.geometry.to_numpy()
    if len(roofs) > SIMPLIFY_ABOVE:
        geometry = shapely.simplify(geometry, SIMPLIFY_DEG, preserve_topology=True)
    origin = _origin(roofs)
    codes = [reason_codes(value) for value in roofs["reasons"]]
    reasons = _encode_texts(itertools.chain.from_iterable(codes))
    lengths = [len(row) for row in codes]
    offsets = np.concatenate([[0], np.cumsum(lengths)]).tolist() if lengths else [0]
    status_names = list(STATUS_LABELS)
    points = np.column_stack([numeric_column(roofs, "lon"), numeric_column(roofs, "lat")])
    return {
        "n": len(roofs),
        "origin": list(origin),
        "shape": encode_shapes(geometry, origin),
        "point": [None if np.isnan(x + y) else [round(x, 6), round(y, 6)] for x, y in points.tolist()],
        "id": [str(value) for value in roofs["building_id"]],
        "name": _texts(roofs["building_name"]),
        "owner": _owners(roofs),
        "address": _texts(roofs["address"]),
        "status": [status_names.index(s) if s in status_names else 0 for s in roofs["status"]],
        "reasons": {
            "values": reasons["values"],
            "index": [reasons["index"][a:b] or 0 for a, b in itertools.pairwise(offsets)],
        },
        **{name: _encode_texts(roofs[name]) for name in _CODED_COLUMNS},
        "use_source": _encode_texts(roofs["use_source"].map(lambda value: _use_source_text(value, lang))),
        "completion": _texts(roofs["completion_date"]),
        "year": _json_numbers(numeric_column(roofs, "year_built")),
        "height": _numbers(roofs["height_m"], 2),
        "gross": _numbers(roofs["gross_area_m2"]),
        "installable": _numbers(roofs["installable_area_m2"]),
        "kwp": _numbers(roofs["capacity_kwp"]),
        "existing": _numbers(roofs["existing_pv_kwp"]),
        "modules": _json_numbers(numeric_column(roofs, "module_count")),
        "inverters": _encode_texts(_inverters(roofs)),
        "energy": _numbers(roofs["annual_kwh"], scale=1e-4 if lang == "zh" else 1e-3),
        "yield": _json_numbers(np.rint(numeric_column(roofs, "specific_yield_kwh_kwp") / 10) * 10),
        "loss": _json_numbers(np.round(numeric_column(roofs, "shading_loss") * 100, 1)),
    }


_CODED_COLUMNS = (
    "building_use",
    "is_public_institution",
    "is_new",
    "roof_type",
    "district_name",
    "town_name",
    "height_source",
    "roof_source",
)


def _inverters(roofs: pd.DataFrame) -> list[str | None]:
    """Return number, size and connection of the inverters, the same in both languages; null without any."""
    table = zip(
        numeric_column(roofs, "inverter_count"),
        numeric_column(roofs, "inverter_unit_kw"),
        _texts(roofs["connection_voltage"]),
        strict=True,
    )
    return [f"{n:.0f} × {unit:g} kW · {voltage}" if n > 0 and voltage else None for n, unit, voltage in table]


def _use_source_text(source: object, lang: Lang) -> str | None:
    """Return where a use comes from, when that is more or less than an attribute that states it."""
    needs_label = not is_missing(source) and str(source) not in ("mapped", "none")
    return use_source_label(str(source)).pick(lang) if needs_label else None


def _origin(frame: gpd.GeoDataFrame) -> tuple[int, int]:
    if frame.empty or np.isnan(frame.total_bounds).any():
        return 0, 0
    west, south, _, _ = frame.total_bounds
    return int(np.floor(west * SCALE)), int(np.floor(south * SCALE))


def _owners(roofs: gpd.GeoDataFrame) -> list[Json]:
    """Return the owners; one that is withheld is 1 (a natural person) or 2 (may be one)."""
    owners: list[Json] = _texts(roofs["owner_name"])
    if WITHHELD not in roofs:
        return owners
    return [
        owner if is_missing(why) else _OWNER_CODES[str(why)] for owner, why in zip(owners, roofs[WITHHELD], strict=True)
    ]


def unit_payload(districts: gpd.GeoDataFrame, lang: Lang) -> dict[str, Json]:
    """Return the units (districts, towns, zones) with their shapes and sums.

    Parameters
    ----------
    districts : GeoDataFrame
        `tables.DISTRICTS` and geometry, longitude and latitude.
    lang : {"zh", "en"}
    """
    origin = _origin(districts)
    geometry = shapely.simplify(districts.geometry.to_numpy(), SIMPLIFY_DEG, preserve_topology=True)
    drawable = ~(shapely.is_missing(geometry) | shapely.is_empty(geometry))
    inside = np.full((len(districts), 2), np.nan)
    inside[drawable] = shapely.get_coordinates(shapely.point_on_surface(geometry[drawable]))
    return {
        "origin": list(origin),
        "shape": encode_shapes(geometry, origin),
        "label": [None if np.isnan(x) else [round(x, 6), round(y, 6)] for x, y in inside.tolist()],
        "id": [str(value) for value in districts["unit_id"]],
        "name": _texts(districts["unit_name"]),
        "level": [str(value) for value in districts["level"]],
        "n": _json_numbers(numeric_column(districts, "n_buildings")),
        "kwp": _numbers(districts["capacity_kwp"]),
        "existing": _numbers(districts["existing_pv_kwp"]),
        "energy": _numbers(districts["annual_kwh"], scale=1e-4 if lang == "zh" else 1e-3),
    }


# What a reader may choose, in the order of the controls.
CHOICES = ("target_id", "kind", "building_group", "scope_reading", "cohort", "aggregation", "numerator", "denominator")


def coverage_payload(coverage: pd.DataFrame, lang: Lang, labels: Mapping[str, Text]) -> dict[str, Json]:
    """Return coverage as rows keyed by unit and choice.

    Parameters
    ----------
    coverage : DataFrame
        `tables.COVERAGE`.
    lang : {"zh", "en"}
    labels : mapping
        Names of values, see `map_style.coverage_labels`.

    Returns
    -------
    dict
        ``choices`` (name, values and their labels), ``default`` (value index per choice: the pack's own definition and
        potential), ``units`` (``[unit_id, unit_name, level]``), ``rows`` (``[unit, choice …, coverage, low, high,
        n_buildings, n_unknown, gap_m2, gap_kwp, attained, target, year, is_default]``).
    """
    table = coverage.assign(target_id=coverage["target_id"].fillna(NO_TARGET))
    coded = {name: _encode_texts(table[name]) for name in CHOICES}
    unit_of: dict[tuple[str, ...], int] = {}
    keys = table[["unit_id", "unit_name", "level"]].astype(str).itertuples(index=False, name=None)
    unit_index = [unit_of.setdefault(key, len(unit_of)) for key in keys]
    columns: Sequence[list[Json]] = (
        unit_index,
        *(coded[name]["index"] for name in CHOICES),
        *(
            _json_numbers(np.round(numeric_column(table, name), 5))
            for name in ("coverage", "coverage_low", "coverage_high")
        ),
        *(_json_numbers(numeric_column(table, name)) for name in ("n_buildings", "n_unknown")),
        *(_json_numbers(_significant(numeric_column(table, name), 3)) for name in ("gap_m2", "gap_kwp")),
        _texts(table["attained"]),
        _json_numbers(numeric_column(table, "target")),
        _json_numbers(numeric_column(table, "year")),
        [int(bool(value)) if not is_missing(value) else 0 for value in table["is_default"]],
    )
    return {
        "choices": [_choice(name, coded[name]["values"], lang, labels) for name in CHOICES],
        "default": _default_choice(table, coded),
        "units": [list(unit) for unit in unit_of],
        "rows": [list(row) for row in zip(*columns, strict=True)],
    }


def _choice(name: str, values: list[str], lang: Lang, labels: Mapping[str, Text]) -> dict[str, Json]:
    full = [choice_label(name, value, lang, labels) for value in values]
    keys = [f"{name}:{value}" for value in values]
    short = [
        SHORT_LABELS[key].pick(lang) if key in SHORT_LABELS else text for key, text in zip(keys, full, strict=True)
    ]
    return {"name": name, "values": values, "labels": full, "short": short}


def _default_choice(table: pd.DataFrame, coded: dict[str, dict[str, Json]]) -> list[int]:
    if table.empty:
        return [-1] * len(CHOICES)
    is_default = table["is_default"].fillna(False).to_numpy(dtype=bool)
    potential = (table["kind"] == "potential").to_numpy(dtype=bool, na_value=False)
    choice = next(
        mask for mask in (is_default & potential, is_default, potential, np.ones(len(table), dtype=bool)) if mask.any()
    )
    first = int(np.flatnonzero(choice)[0])
    return [coded[name]["index"][first] for name in CHOICES]
