"""Results of tiles → the tables and rasters of a run."""

from __future__ import annotations

from functools import partial
from importlib.metadata import version
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from rooftop.config import Config
from rooftop.core.notices import Notice
from rooftop.core.types import B1
from rooftop.job.aggregate import check_conservation, plane_table, roof_table, unit_table, with_geometry
from rooftop.job.batch import BatchResult
from rooftop.job.module_table import module_table
from rooftop.job.prepare import Prepared
from rooftop.job.sources import Sources
from rooftop.job.status import settle_status, status_notices
from rooftop.job.tile import MODULE_COUNTS, PLANE_YEAR_COLUMNS
from rooftop.outputs.rasters import CellValues, raster_field, write_raster
from rooftop.outputs.store import CRS_OUT, RunTables
from rooftop.scene.inverters import inverter_table
from rooftop.scene.layout import Layout
from rooftop.tables import COVERAGE
from rooftop.targets import Pack, mark_new
from rooftop.targets.withheld import withheld


def build_tables(
    prepared: Prepared, batch: BatchResult, pack: Pack | None, selected: B1, *, modules: bool = False
) -> tuple[RunTables, tuple[Notice, ...]]:
    """Turn tile results into the contract's tables but for coverage; with `modules`, those of a packed layout too."""
    sources = prepared.sources
    layout = prepared.layout.moved([result.moved for result in batch.results.values() if result.moved is not None])
    year = _year_of_planes(batch, len(layout.planes))
    planes = plane_table(layout, year, prepared.system.module, prepared.taken.unplaced_m2)
    roofs = roof_table(pd.DataFrame(sources.buildings.drop(columns="geometry")), planes)
    roofs = _with_units(_with_yield(roofs, prepared), sources)
    roofs["is_new"] = mark_new(roofs, pack).to_numpy() if pack is not None else "unknown"
    roofs = settle_status(roofs, layout, year, prepared.types, prepared.min_roof_height_m)
    visible = selected & ~withheld(roofs)
    notices = status_notices(roofs, selected, batch)
    memberships = sources.memberships[sources.memberships["building_id"].isin(roofs["building_id"][visible])]
    unit_frame = pd.concat([unit.table for unit in sources.units], ignore_index=True)
    ids = roofs["building_id"].astype(str).to_numpy()
    planes = planes.assign(building_id=ids[planes["roof"].to_numpy()]).drop(columns="roof")
    visible_roofs = roofs[visible].reset_index(drop=True)
    units = unit_table(visible_roofs, memberships, unit_frame)
    district_ids = unit_frame.loc[unit_frame["level"] == "district", "unit_id"]
    inside = visible_roofs["district_id"].isin(district_ids).to_numpy()
    check_conservation(planes, visible_roofs, units, inside)
    attach = partial(_with_lonlat_geometry, crs=sources.buildings.crs)
    tables = RunTables(
        roofs=attach(visible_roofs, prepared.outlines[visible]),
        planes=attach(planes, layout.planes["geometry"]),
        memberships=memberships.reset_index(drop=True),
        districts=attach(units, unit_frame["geometry"]),
        coverage=pd.DataFrame(columns=COVERAGE.names),
        modules=_modules(prepared, layout, batch, planes) if modules and layout.corners else None,
    )
    return tables.conformed(), notices


def _year_of_planes(batch: BatchResult, n_planes: int) -> pd.DataFrame:
    """Return the year of every plane; NaN where its tile failed."""
    frames = [result.planes for result in batch.results.values()]
    columns = [*PLANE_YEAR_COLUMNS, *MODULE_COUNTS]
    year = pd.concat(frames) if frames else pd.DataFrame(columns=columns, dtype=float)
    return year.reindex(range(n_planes))


def _modules(prepared: Prepared, layout: Layout, batch: BatchResult, planes: pd.DataFrame) -> gpd.GeoDataFrame:
    """Return every module that was placed, with its year."""
    kwp, crs = prepared.system.module.pdc0_w / 1000.0, prepared.sources.buildings.crs
    layer = module_table(layout, planes, batch.results.values(), kwp, crs)
    return _with_lonlat_geometry(layer.drop(columns="geometry"), layer.geometry, crs)


def _with_lonlat_geometry(frame: pd.DataFrame, shapes: ArrayLike, crs: object) -> gpd.GeoDataFrame:
    """Attach shapes in the working CRS, row by row, in longitude and latitude: nothing else is written."""
    return with_geometry(frame, gpd.GeoSeries(np.asarray(shapes, dtype=object), crs=crs).to_crs(CRS_OUT))


def _with_units(roofs: pd.DataFrame, sources: Sources) -> pd.DataFrame:
    """Add the district and the town of each roof."""
    out = roofs.copy()
    names = pd.concat([unit.table for unit in sources.units]).drop_duplicates("unit_id")
    names = names.set_index("unit_id")["unit_name"]
    for level in ("district", "town"):
        of_level = sources.memberships[sources.memberships["level"] == level].drop_duplicates("building_id")
        unit_id = out["building_id"].map(of_level.set_index("building_id")["unit_id"])
        out[f"{level}_id"], out[f"{level}_name"] = unit_id, unit_id.map(names)
    return out


def _with_yield(roofs: pd.DataFrame, prepared: Prepared) -> pd.DataFrame:
    """Add roof type, irradiation and inverters."""
    out = roofs.copy()
    out["roof_type"] = prepared.types.name
    out["ghi_kwh_m2"] = prepared.sources.irradiance.ghi_annual_kwh_m2
    out["poa_kwh_m2"] = out["poa_kwh_m2"].where(np.isfinite(out["ghi_kwh_m2"]))
    inverters = inverter_table(out["capacity_kwp"], prepared.system.dc_ac_ratio)
    out[inverters.columns] = inverters.set_axis(out.index)
    return out


def write_rasters(settings: Config, prepared: Prepared, batch: BatchResult, folder: Path) -> list[Path]:
    """Write the rasters that are asked for, from the cells of all tiles; return those that have any."""
    written = []
    about = {
        "azimuths": str(settings.scene.azimuths),
        "sky_model": settings.scene.diffuse,
        "weather": prepared.sources.weather.source,
        "software": f"rooftop {version('rooftop')}",
    }
    for name in dict.fromkeys(settings.outputs.rasters):
        cells = [result.cells for result in batch.results.values() if result.cells is not None]
        parts = [CellValues(c.lattice_row, c.lattice_col, getattr(c, raster_field(name))) for c in cells]
        path = write_raster(
            folder / "rasters" / f"{name}.tif",
            name,
            parts,
            settings.scene.cell_size_m,
            prepared.sources.buildings.crs,
            settings.scene.surface,
            about,
        )
        if path is not None:
            written.append(path)
    return written
