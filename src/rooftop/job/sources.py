"""All inputs read and joined: what a run starts from."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pyproj import CRS

from rooftop.config import Config
from rooftop.core.errors import ArgumentError, did_you_mean, suggest
from rooftop.core.lang import Text
from rooftop.core.notices import Notice, Provenance
from rooftop.core.surfaces import HAS_WALLS
from rooftop.core.types import B1, Geometries
from rooftop.inputs.access import grant_access
from rooftop.inputs.boundaries import Units, assign, read_units, single_district
from rooftop.inputs.cityjson import RoofModel, read_roofs
from rooftop.inputs.datums import parse_working_crs, to_lonlat, wgs84_to_gcj02
from rooftop.inputs.elevation import Elevation, open_elevation
from rooftop.inputs.footprints import read_buildings
from rooftop.inputs.input_limits import input_limits
from rooftop.inputs.irradiance import IrradianceAt, check_against_clear_sky, read_irradiance
from rooftop.inputs.land_use import infer_uses
from rooftop.inputs.measured import read_measured
from rooftop.inputs.place_pairs import Pair, compare_points_with_polygons, outside_notices
from rooftop.inputs.roof_uses import RoofAreas, read_exclusions, read_existing_pv, require_overlap
from rooftop.inputs.schedule import Schedule, join_schedule
from rooftop.inputs.weather import read_weather
from rooftop.inputs.weather_place import check_weather_place
from rooftop.targets.demand import check_options
from rooftop.targets.energy_settings import energy_settings
from rooftop.targets.timeline import check_build_rates
from rooftop.targets.withheld import withheld
from rooftop.weather import Anchor, Weather, anchor_weather, mean_of_known, monthly_factors, synthetic_weather


@dataclass(frozen=True, kw_only=True)
class Sources:
    """Inputs as read and joined, before anything is computed.

    Parameters
    ----------
    buildings : GeoDataFrame
        Working CRS, one row per source feature, with ``lon lat`` (WGS84) of a point on the roof.
    points : ndarray of points
        Those points in the working CRS, empty where there is no outline.
    units : tuple of Units
    memberships : DataFrame
    irradiance : IrradianceAt
        At the buildings.
    weather : Weather
    anchor : Anchor
        Monthly factors that bring the weather to the rasters at each building.
    ground, dsm, terrain_far : Elevation or None
    roofs : RoofModel or None
        LoD2 surfaces.
    exclusions, existing_pv : RoofAreas or None
        Polygons on roofs.
    """

    buildings: gpd.GeoDataFrame
    points: Geometries
    units: tuple[Units, ...]
    memberships: pd.DataFrame
    irradiance: IrradianceAt
    weather: Weather
    anchor: Anchor
    ground: Elevation | None
    dsm: Elevation | None
    terrain_far: Elevation | None
    notices: tuple[Notice, ...]
    provenance: tuple[Provenance, ...]
    roofs: RoofModel | None = None
    exclusions: RoofAreas | None = None
    existing_pv: RoofAreas | None = None


def read_sources(config: Config) -> Sources:
    """Read and join all inputs."""
    with grant_access(config.inputs):
        return _read_sources(config)


@dataclass(frozen=True)
class _Ledger:
    """What inputs say of themselves, and where they come from, in the order of reading."""

    notices: list[Notice] = field(default_factory=list)
    provenance: list[Provenance] = field(default_factory=list)

    def enter(self, notices: Iterable[Notice], *provenance: Provenance | None) -> None:
        self.notices.extend(notices)
        self.provenance.extend(each for each in provenance if each is not None)


def _read_sources(config: Config) -> Sources:
    inputs, ledger = config.inputs, _Ledger()
    buildings = _read_buildings(config, ledger)
    points = shapely.point_on_surface(buildings.geometry.to_numpy())
    buildings, crs = _with_lonlat(buildings, points), CRS(buildings.crs)
    units = _read_all_units(config, buildings, crs)
    district_ids = units[0].table["unit_id"].astype(str).tolist()
    check_options(energy_settings(config.substitution.energy_demand), config.substitution, district_ids)
    check_build_rates(config.timeline.build_rate_kwp_per_year, district_ids)
    if config.substitution.measured is not None:
        measured, meter_notices, source = read_measured(config.substitution.measured, buildings["building_id"])
        buildings = buildings.assign(**{str(name): measured[name] for name in measured})
        ledger.enter(meter_notices, source)
    for unit in units:
        ledger.enter(unit.notices, unit.provenance)
    memberships = assign(buildings, list(units))
    ledger.enter(_place_notices(buildings, points, units, memberships))
    raster = read_irradiance(inputs.irradiance)
    at = raster.sample(buildings["lon"].to_numpy(), buildings["lat"].to_numpy())
    ledger.enter([*raster.notices, *at.notices, *check_against_clear_sky(at, raster)], *raster.provenance)
    weather = _weather(config, buildings, at)
    if weather.provenance is not None:
        ledger.enter(check_weather_place(weather, at.lon, at.lat, at.ghi_kwh_m2), weather.provenance)
    weather, anchor, anchor_notices = _weather_and_anchor(weather, at)
    ledger.enter([*weather.notices, *anchor_notices])
    ground, dsm, terrain_far = _read_elevations(config, buildings, ledger)
    roofs = read_roofs(inputs.roofs, crs) if inputs.roofs is not None else None
    if roofs is not None:
        ledger.enter(roofs.notices, roofs.provenance)
    exclusions, existing_pv = _roof_areas(config, buildings)
    for areas in (exclusions, existing_pv):
        if areas is not None:
            ledger.enter([*areas.notices, *_areas_in_place(buildings, areas)], areas.provenance)
    return Sources(
        buildings=buildings,
        points=points,
        units=units,
        memberships=memberships,
        irradiance=at,
        weather=weather,
        anchor=anchor,
        ground=ground,
        dsm=dsm,
        terrain_far=None if inputs.irradiance.terrain_included else terrain_far,
        roofs=roofs,
        exclusions=exclusions,
        existing_pv=existing_pv,
        notices=tuple(ledger.notices),
        provenance=tuple(ledger.provenance),
    )


def _read_buildings(config: Config, ledger: _Ledger) -> gpd.GeoDataFrame:
    """Read the footprints, with the uses that names and land tell."""
    inputs = config.inputs
    footprints = read_buildings(
        inputs.footprints,
        parse_working_crs(config.crs) if config.crs is not None else None,
        measurable=inputs.dsm is not None and inputs.dtm is not None,
    )
    inferred = infer_uses(footprints.table, inputs.land_use, name_rules=inputs.footprints.name_rules)
    # How many uses are unknown is known only now.
    ledger.enter([n for n in footprints.notices if n.code != "use_unknown"], footprints.provenance)
    ledger.enter(inferred.notices, inferred.provenance)
    return inferred.table


def _read_elevations(
    config: Config, buildings: gpd.GeoDataFrame, ledger: _Ledger
) -> tuple[Elevation | None, Elevation | None, Elevation | None]:
    """Open terrain, surface model and far terrain, where they are given; they must reach the buildings."""
    inputs, crs = config.inputs, CRS(buildings.crs)
    ground, dsm, terrain_far = (
        open_elevation(source, crs, f"inputs.{role}") if source is not None else None
        for role, source in (("dtm", inputs.dtm), ("dsm", inputs.dsm), ("terrain_far", inputs.terrain_far))
    )
    if dsm is not None:
        dsm = replace(dsm, sharp=HAS_WALLS[config.scene.surface])
    for elevation in (ground, dsm, terrain_far):
        if elevation is not None:
            elevation.require_overlap(*(float(v) for v in buildings.total_bounds))
            ledger.enter(elevation.notices, elevation.provenance)
    return ground, dsm, terrain_far


def match_schedule(schedule: Schedule, sources: Sources) -> Schedule:
    """Give the rows of a schedule the ids of the buildings and units that they mean."""
    units = pd.concat([unit.table for unit in sources.units])
    places = [*units["unit_id"].astype(str), *units["unit_name"].dropna().astype(str)]
    return join_schedule(schedule, sources.buildings["building_id"].astype(str), places)


def _roof_areas(config: Config, buildings: gpd.GeoDataFrame) -> tuple[RoofAreas | None, RoofAreas | None]:
    """Read exclusions and existing PV, where they are configured; both must lie among the buildings."""
    inputs, crs = config.inputs, CRS(buildings.crs)
    excluded = read_exclusions(inputs.exclusions, crs) if inputs.exclusions is not None else None
    standing = read_existing_pv(inputs.existing_pv, crs) if inputs.existing_pv is not None else None
    for areas in (excluded, standing):
        if areas is not None:
            require_overlap(areas, buildings.geometry.to_numpy())
    return excluded, standing


def _areas_in_place(buildings: gpd.GeoDataFrame, areas: RoofAreas) -> list[Notice]:
    """Hold the place of polygons on roofs against that of the roofs."""
    none = Text("none of the polygons lies on a roof", "没有图形位于屋顶上")
    share = input_limits().place_pairs.least_share
    pair = Pair(
        of=areas.provenance.role,
        on="inputs.footprints",
        none=none,
        where=areas.provenance.path,
        least_share=share,
        fatal=False,
    )
    points = shapely.point_on_surface(areas.table.geometry.to_numpy())
    return list(compare_points_with_polygons(points, buildings.geometry.to_numpy(), CRS(buildings.crs), pair))


def _place_notices(
    buildings: gpd.GeoDataFrame, points: Geometries, units: tuple[Units, ...], memberships: pd.DataFrame
) -> list[Notice]:
    """Hold the place of the buildings against that of every layer of units."""
    is_visible = ~(buildings.geometry.is_empty | withheld(buildings)).to_numpy(dtype=bool)
    visible, points, crs = buildings[is_visible], points[is_visible], CRS(buildings.crs)
    inside = visible["building_id"].isin(memberships.loc[memberships["level"] == "district", "building_id"])
    share = input_limits().place_pairs.least_share
    rules = {
        "district": (Text("no building lies in any district", "没有建筑位于任何县区内"), share, True),
        "town": (Text("no building lies in any town", "没有建筑位于任何街道（镇）内"), share, False),
        "zone": (Text("no building lies in any zone", "没有建筑位于任何功能区内"), 0.0, False),
    }
    notices: list[Notice] = []
    for unit in units:
        if unit.provenance is None or not len(unit.table):
            continue
        none, least, fatal = rules[str(unit.table["level"].iloc[0])]
        role, path = unit.provenance.role, unit.provenance.path
        polygons = unit.table.geometry.to_numpy()
        pair = Pair(
            of="inputs.footprints",
            on=role,
            none=none,
            where=path,
            least_share=least,
            fatal=fatal,
            left_out=unit.uncoded,
            why_left_out=Text(f"rows of {role} have no code, give them one", f"{role} 有的行没有代码，请补充"),
        )
        notices += compare_points_with_polygons(points, polygons, crs, pair)
        if fatal:
            notices += outside_notices(visible, points, inside.to_numpy(dtype=bool), polygons, pair)
    return notices


def _with_lonlat(table: gpd.GeoDataFrame, points: Geometries) -> gpd.GeoDataFrame:
    """Add ``lon lat`` and the GCJ-02 pair of a point on each roof; NaN for empty points."""
    known = ~shapely.is_empty(points)
    lon, lat, lon_gcj, lat_gcj = (np.full(len(points), np.nan) for _ in range(4))
    lon[known], lat[known] = to_lonlat(shapely.get_x(points[known]), shapely.get_y(points[known]), CRS(table.crs))
    lon_gcj[known], lat_gcj[known] = wgs84_to_gcj02(lon[known], lat[known])
    return table.assign(lon=lon, lat=lat, lon_gcj02=lon_gcj, lat_gcj02=lat_gcj)


def _read_all_units(config: Config, buildings: gpd.GeoDataFrame, crs: CRS) -> tuple[Units, ...]:
    inputs = config.inputs
    districts = (
        read_units(inputs.districts, "district", crs)
        if inputs.districts is not None
        else single_district(buildings, config.title or config.name)
    )
    units = [districts]
    if inputs.towns is not None:
        units.append(read_units(inputs.towns, "town", crs))
    if inputs.zones is not None:
        units.append(read_units(inputs.zones, "zone", crs))
    return tuple(units)


def _weather(config: Config, buildings: gpd.GeoDataFrame, at: IrradianceAt) -> Weather:
    months = None if at.temp_air_degc is None else mean_of_known(at.temp_air_degc)
    if config.inputs.weather is not None:
        return read_weather(config.inputs.weather.path, config.inputs.weather.format, monthly_temp_air=months)
    year = np.nan if at.temp_air_annual_degc is None else float(mean_of_known(at.temp_air_annual_degc))
    known = np.isfinite(at.ghi_annual_kwh_m2)
    latitude, longitude = float(buildings["lat"].mean()), float(buildings["lon"].mean())
    monthly = at.ghi_kwh_m2[known].mean(axis=0) if at.ghi_kwh_m2 is not None else None
    return synthetic_weather(
        latitude,
        longitude,
        None,
        monthly_ghi_kwh_m2=monthly,
        annual_ghi_kwh_m2=float(at.ghi_annual_kwh_m2[known].mean()),
        monthly_temp_air=months,
        annual_temp_air=year if np.isfinite(year) else None,
        seed=config.seed,
    )


def _weather_and_anchor(weather: Weather, at: IrradianceAt) -> tuple[Weather, Anchor, tuple[Notice, ...]]:
    """Bring the weather to the area's mean, capped at the clear sky, and each roof from there to its own total."""
    target = at.ghi_kwh_m2 if at.ghi_kwh_m2 is not None else at.ghi_annual_kwh_m2
    compared = [n for n in monthly_factors(weather, target).notices if n.code == "raster_weather_disagreement"]
    mean = np.nanmean(target, axis=0)
    capped = anchor_weather(weather, float(mean) if target.ndim == 1 else mean)
    anchor = monthly_factors(capped, target)
    remaining = [n for n in anchor.notices if n.code != "raster_weather_disagreement"]
    return capped, anchor, (*compared, *remaining)


def select_districts(sources: Sources, districts: tuple[str, ...]) -> B1:
    """Return the buildings of the named districts; of all districts and none when nothing is named.

    Raises
    ------
    ArgumentError
        A district is unknown.
    """
    buildings = sources.buildings
    if not districts:
        return np.ones(len(buildings), dtype=bool)
    known = sources.units[0].table["unit_id"].astype(str).tolist()
    unknown = [w for w in districts if w not in known]
    if unknown:
        raise ArgumentError(
            Text("no such district", "没有该县区"),
            where="districts (--district)",
            found=", ".join(unknown),
            expected=", ".join(known),
            mend=suggest(did_you_mean(unknown[0], known), Text("choose from these", "请从中选择")),
        )
    member = sources.memberships
    inside = member.loc[(member["level"] == "district") & member["unit_id"].isin(districts), "building_id"]
    return buildings["building_id"].isin(inside).to_numpy()


def restrict_to_districts(sources: Sources, districts: tuple[str, ...]) -> Sources:
    """Return the sources with only the named districts among the units."""
    if not districts:
        return sources
    first = sources.units[0]
    kept = replace(first, table=first.table[first.table["unit_id"].isin(districts)].reset_index(drop=True))
    return replace(sources, units=(kept, *sources.units[1:]))
