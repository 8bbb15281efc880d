"""Candidate lists: for each district one set of rows as workbook, CSV and GeoPackage."""

from __future__ import annotations

import csv
import io
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import pyogrio
import shapely

from rooftop.core.lang import Lang
from rooftop.core.rounding import is_missing
from rooftop.outputs.bundle import ReportData
from rooftop.outputs.files import write_at_once
from rooftop.outputs.guard import guard
from rooftop.outputs.store import CRS_OUT, RunTables
from rooftop.outputs.workbook.book import write_workbook
from rooftop.outputs.workbook.rows import CANDIDATE_COLUMNS, candidate_frame, candidate_inverters, candidate_rows
from rooftop.outputs.workbook.sheet import SheetColumn, cell_text, file_name, shown_number
from rooftop.targets.columns import numeric_column

# A GeoPackage holds the time of writing; a fixed one gives the same bytes for the same run.
_GPKG_TIME = "2000-01-01T00:00:00.000Z"
_GDAL_OPTION = threading.Lock()


def write_candidates(folder: Path, data: ReportData, lang: Lang = "zh") -> tuple[Path, ...]:
    """Write ``<district>.xlsx``, ``.csv`` and ``.gpkg`` of every district, also of one without candidates.

    Parameters
    ----------
    folder : Path
        ``DIR/candidates``; made when missing.
    data : ReportData
    lang : {"zh", "en"}

    Returns
    -------
    tuple of Path
        In the order of the districts; each file is whole or absent.
    """
    units = data.units("district")
    names: list[str] = []
    out: list[Path] = []
    for unit_id, unit_name in zip(units["unit_id"].astype(str), units["unit_name"], strict=True):
        name = file_name("" if is_missing(unit_name) else unit_name, unit_id, names)
        names.append(name)
        rows = candidate_rows(data, unit_id, lang)
        writers = {
            "xlsx": partial(write_workbook, data=data, district_id=unit_id, lang=lang, rows=rows),
            "csv": partial(write_csv, columns=CANDIDATE_COLUMNS, rows=rows, lang=lang),
            "gpkg": partial(write_gpkg, data=data, district_id=unit_id, rows=rows),
        }
        out += [write_at_once(folder / f"{name}.{suffix}", write) for suffix, write in writers.items()]
    return tuple(out)


def csv_cell(value: object, column: SheetColumn) -> str:
    """Return a cell as text: numbers as in the workbook, text that looks like a formula led by an apostrophe."""
    if is_missing(value):
        return ""
    if column.style in ("text", "wrap"):
        return guard(cell_text(value))
    return f"{shown_number(value, column.style):.10g}"


def write_csv(path: Path, columns: Sequence[SheetColumn], rows: Sequence[Mapping[str, Any]], lang: Lang) -> Path:
    """Write a table as CSV, UTF-8 with byte order mark, for spreadsheets."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow([column.label.pick(lang) for column in columns])
    for row in rows:
        writer.writerow([csv_cell(row.get(column.key), column) for column in columns])
    path.write_bytes(buffer.getvalue().encode("utf-8-sig"))
    return path


def write_gpkg(path: Path, data: ReportData, district_id: str, rows: Sequence[Mapping[str, Any]]) -> Path:
    """Write the rows with their footprints, WGS 84; fields have the names of the contract, units included.

    Beside the layer ``candidates`` stand ``planes``, the roof planes of the same buildings, and ``modules`` where the
    run has them: fields as in ``planes.parquet`` and ``modules.parquet``.

    Parameters
    ----------
    path : Path
        Replaced when it exists.
    data : ReportData
    district_id : str
    rows : sequence of mapping
        From `candidate_rows` of the same district.
    """
    frame = candidate_frame(data, district_id)
    added = ["added_kwp", "added_annual_kwh", "payback_years_low", "payback_years_high", "avoided_kg_a"]
    inverters = candidate_inverters(frame)
    attributes = {
        "number": [int(row["number"]) for row in rows],
        **{
            key: [cell_text(row.get(key)) or None for row in rows]
            for key in ("building_id", "building_name", "address", "district_name", "town_name", "owner", "use")
        },
        **{key: [cell_text(row.get(key)) or None for row in rows] for key in ("public", "completed", "roof_type")},
        **{
            key: numeric_column(frame, key)
            for key in (
                "gross_area_m2",
                "installable_area_m2",
                "existing_pv_kwp",
                *added,
                "specific_yield_kwh_kwp",
                "shading_loss",
                "lon_gcj02",
                "lat_gcj02",
            )
        },
        "inverter_count": [each.count for each in inverters],
        "inverter_unit_kw": [each.unit_kw for each in inverters],
        "inverter_ac_kw": [each.ac_kw for each in inverters],
        "dc_ac_ratio": [each.dc_ac_ratio for each in inverters],
        "connection_voltage": [each.voltage for each in inverters],
        "tier": frame["tier"].to_numpy(),
        "planned": frame["planned"].to_numpy(dtype=bool),
        "recommendation": [row["recommendation"] for row in rows],
        "verify": [row["verify"] for row in rows],
    }
    shapes = _multi(data.tables.roofs, frame.index)
    layer = gpd.GeoDataFrame(pd.DataFrame(attributes), geometry=shapes, crs=data.tables.roofs.crs or CRS_OUT)
    layers = {"candidates": (layer, "MultiPolygon"), **_roof_layers(data.tables, frame["building_id"])}
    path.unlink(missing_ok=True)
    with _fixed_time():
        for name, (frame_of_layer, kind) in layers.items():
            pyogrio.write_dataframe(
                frame_of_layer.to_crs("EPSG:4326"), path, layer=name, driver="GPKG", geometry_type=kind
            )
    return path


def _roof_layers(tables: RunTables, building_ids: pd.Series) -> dict[str, tuple[gpd.GeoDataFrame, str]]:
    """Return planes and modules of the buildings; planes of runs of earlier versions may have no plan."""
    planes, modules = tables.planes, tables.modules
    if not isinstance(planes, gpd.GeoDataFrame):
        return {}
    of_buildings = planes[planes["building_id"].isin(building_ids).to_numpy()]
    layers = {"planes": (_as_multi(of_buildings), "MultiPolygon")}
    if modules is not None:
        layers["modules"] = (modules[modules["plane_id"].isin(of_buildings["plane_id"]).to_numpy()], "Polygon")
    return layers


def _as_multi(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    return frame.set_geometry(_multi(frame, frame.index), crs=frame.crs)


def _multi(frame: gpd.GeoDataFrame, index: pd.Index) -> list[Any]:
    shapes = frame.geometry.loc[index].to_numpy()
    return [
        shapely.MultiPolygon([shape]) if shape is not None and shape.geom_type == "Polygon" else shape
        for shape in shapes
    ]


@contextmanager
def _fixed_time() -> Iterator[None]:
    with _GDAL_OPTION:
        before = pyogrio.get_gdal_config_option("OGR_CURRENT_DATE")
        pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": _GPKG_TIME})
        try:
            yield
        finally:
            pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": before})
