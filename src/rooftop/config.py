"""Strict models of the YAML configuration: unknown keys fail, relative paths are relative to the file."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, PositiveFloat, field_validator, model_validator

from rooftop.core.choices import Basemap, CellTemperature, Diffuse, RoofMounting, VerticalUnit, WeatherFormat
from rooftop.core.datamodel import Model
from rooftop.core.filenames import why_no_name
from rooftop.core.irradiance_units import IrradianceUnit, RasterPeriod
from rooftop.core.lang import Lang, Text
from rooftop.core.surfaces import SurfaceKind

Datum = Literal["wgs84", "cgcs2000", "gcj02", "bd09"]
CapacityUnit = Literal["W", "kW", "MW"]
Share = Annotated[float, Field(ge=0.0, le=1.0)]


def _as_list(value: Any) -> Any:
    return value if isinstance(value, list) else [value]


def _as_text_map(value: Any) -> Any:
    """Accept ``20: factory``, ``是: yes`` (true in YAML 1.1) and an empty block in maps of words."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        return value
    words = {True: "yes", False: "no"}
    return {str(k): words[v] if isinstance(v, bool) else v for k, v in value.items()}


TextMap = Annotated[dict[str, str], BeforeValidator(_as_text_map)]
PathList = Annotated[list[Path], BeforeValidator(_as_list), Field(min_length=1)]


class FieldMap(Model):
    """Source field of each building attribute; null where the source has none."""

    id: str | None = None
    height_m: str | None = None
    floors: str | None = None
    building_use: str | None = None
    is_public_institution: str | None = None
    year_built: str | None = None
    completion_date: str | None = None
    building_name: str | None = None
    address: str | None = None
    owner_name: str | None = None
    owner_type: str | None = None
    structure: str | None = None
    roof_type: str | None = None
    existing_pv_kwp: str | None = None
    existing_pv_year: str | None = Field(None, description="year or date in which the existing PV was commissioned")


class FootprintsInput(Model):
    """Building footprints and how to read their attributes."""

    path: Path
    layer: str | None = None
    encoding: str | None = None
    crs: str | None = Field(None, description="CRS of a file that states none, e.g. EPSG:4490")
    datum: Datum = "wgs84"
    fields: FieldMap = FieldMap()
    use_map: TextMap = Field({})
    public_map: Annotated[dict[str, Literal["yes", "no", "unknown"]], BeforeValidator(_as_text_map)] = Field({})
    roof_type_map: TextMap = Field({})
    name_rules: bool = Field(True, description="infer the use from the name where no attribute states it")
    capacity_unit: CapacityUnit | None = Field(
        None, description="unit of existing PV where the field's name states none, or a wrong one"
    )
    storey_height_m: float = Field(3.0, ge=2.0, le=10.0, description="of floors without a height")
    default_height_m: PositiveFloat | None = Field(
        None, description="height of buildings that have none; null takes the median of their use, and says so"
    )


class BoundaryInput(Model):
    """Polygons of districts, towns or zones."""

    path: Path
    layer: str | None = None
    encoding: str | None = None
    crs: str | None = None
    datum: Datum = "wgs84"
    id_field: str
    name_field: str | None = None


class LandUseInput(Model):
    """Land-use polygons: what stands where attributes of buildings do not say."""

    path: Path
    standard: Literal["ydyh_2023", "gbt21010_2017", "sandiao"] = Field(
        description="用地用海 2023, GB/T 21010-2017 or 三调: the same code means different things"
    )
    code_field: str
    name_field: str | None = Field(None, description="names of the classes; compared with the standard's")
    layer: str | None = None
    encoding: str | None = None
    crs: str | None = None
    datum: Datum = "wgs84"


class RasterInput(Model):
    """One irradiance or temperature raster: one annual file, 12 bands, or 12 monthly files."""

    path: PathList
    unit: IrradianceUnit
    period: RasterPeriod = "annual"
    variable: str | None = Field(None, description="of a file of several (NetCDF, HDF, GRIB): the one to read")


class IrradianceInput(Model):
    """Irradiance rasters; `ghi` is required, the rest takes part where closure holds."""

    ghi: RasterInput
    dni: RasterInput | None = None
    dhi: RasterInput | None = None
    temp_air: RasterInput | None = None
    terrain_included: bool = False


class WeatherInput(Model):
    """An hourly weather file; the format is recognised when null."""

    path: Path
    format: WeatherFormat | None = None


class ElevationInput(Model):
    """An elevation raster, or lidar point clouds (LAS, LAZ; a list of files or a folder) that are gridded."""

    path: PathList
    variable: str | None = Field(None, description="of a raster file of several (NetCDF, HDF): the one to read")
    crs: str | None = Field(None, description="CRS of a file that states none, e.g. EPSG:4549")
    cell_size_m: Annotated[float, Field(ge=0.1, le=10.0)] | None = Field(
        None, description="cells that point clouds are gridded to; null: from their density"
    )
    vertical_unit: VerticalUnit | None = Field(None, description="unit of heights where the file does not say it")
    vertical_offset_m: float = 0.0


class RoofsInput(Model):
    """An LoD2 model of roofs: CityJSON 1.x or 2.0, gzip or not."""

    path: Path
    crs: str | None = Field(None, description="CRS of a file that states none, or the wrong one, e.g. EPSG:4549")
    datum: Datum = "wgs84"
    id_field: str | None = Field(
        None, description="attribute that holds the id of the footprint; null: object ids, then overlap in plan"
    )
    vertical_unit: VerticalUnit | None = Field(None, description="unit of heights where the CRS does not say it")
    vertical_offset_m: float = 0.0


class AreasInput(Model):
    """Polygons that lie on roofs."""

    path: Path
    layer: str | None = None
    encoding: str | None = None
    crs: str | None = Field(None, description="CRS of a file that states none, e.g. EPSG:4490")
    datum: Datum = "wgs84"


class ExclusionsInput(AreasInput):
    """Parts of roofs that modules may not cover: roof gardens, heliports, heritage, equipment."""

    kind_field: str | None = Field(
        None, description="field that says what it is; some kinds ask for a clearance (configs/roof_uses.yaml)"
    )


class ExistingPvInput(AreasInput):
    """Outlines of PV that stands on roofs already."""

    kwp_field: str | None = Field(None, description="field of the capacity; null: from the area")
    capacity_unit: CapacityUnit | None = Field(
        None, description="unit of existing PV where the field's name states none, or a wrong one"
    )
    year_field: str | None = Field(None, description="year or date in which it was commissioned")


class ScheduleFields(Model):
    """Columns of a commissioning schedule; each row names a building or a unit, a year, and kWp or m² of module."""

    building_id: str | None = None
    unit_id: str | None = Field(None, description="district, town or zone by id or name, where no building is named")
    year: str
    kwp: str | None = None
    module_m2: str | None = None


class ScheduleInput(Model):
    """When PV was or will be commissioned: CSV or XLSX."""

    path: Path
    encoding: str | None = None
    sheet: str | None = None
    fields: ScheduleFields
    capacity_unit: CapacityUnit | None = Field(
        None, description="unit of existing PV where the field's name states none, or a wrong one"
    )


class Inputs(Model):
    """Everything that is read."""

    footprints: FootprintsInput
    districts: BoundaryInput | None = None
    towns: BoundaryInput | None = None
    zones: BoundaryInput | None = None
    land_use: LandUseInput | None = None
    irradiance: IrradianceInput
    weather: WeatherInput | None = None
    dsm: ElevationInput | None = None
    dtm: ElevationInput | None = None
    terrain_far: ElevationInput | None = None
    roofs: RoofsInput | None = None
    exclusions: ExclusionsInput | None = None
    existing_pv: ExistingPvInput | None = None
    schedule: ScheduleInput | None = None
    allow_remote: bool = Field(
        False, description="files may name others outside their own folder, on the network too (a VRT its sources)"
    )
    max_unpacked_mb: PositiveFloat | None = Field(
        None, description="what packed and text files may hold; null: configs/input_files.yaml"
    )


_Points = Annotated[int, Field(ge=1, le=16)]


class SceneOptions(Model):
    """How the surface model is built and seen."""

    cell_size_m: Annotated[float, Field(ge=0.25, le=10.0)] = 1.0
    surface: SurfaceKind = "prism"
    roof_planes: Literal["known", "assumed"] = Field(
        "known", description="known: from a roof model or a surface model, assumed for the rest; assumed: for all"
    )
    azimuths: Annotated[int, Field(ge=8, le=360)] = 72
    diffuse: Diffuse = "perez"
    albedo: Share = 0.2
    obstacle_reflectance: Share = Field(0.0, description="share of light that facades throw back onto roofs; 0: none")
    max_shading_loss: Share | None = Field(
        None,
        description="modules that lose a larger share of their year's irradiation do not count; "
        "null: configs/roof_types.yaml",
    )
    min_poa_kwh_m2: PositiveFloat | None = Field(
        None, description="modules that receive less a year do not count; null: no such limit"
    )
    module_points: tuple[_Points, _Points] | None = Field(
        None,
        description="points at which each module sees the sky, along its longer and its shorter side; "
        "null: no further apart than cells",
    )
    halo_m: Annotated[float, Field(gt=0.0, le=5000.0)] = 200.0
    tile_cells: Annotated[int, Field(ge=64, le=8192)] = 1024


class FlatSystem(Model):
    """PV on flat roofs: tilted rows (rack), flush, or east-west racks."""

    mounting: RoofMounting = "rack"
    tilt_deg: Literal["auto"] | Annotated[float, Field(ge=0.0, le=60.0)] = "auto"
    azimuth_deg: Literal["auto"] | Annotated[float, Field(ge=0.0, lt=360.0)] = Field(
        "auto", description="where racks look, from true north; auto: to the equator, 180 north of it, 0 south of it"
    )
    rows: Literal["azimuth", "building", "best"] = Field(
        "azimuth", description="rows face azimuth_deg; or run along the building, facing as near to it; or the better"
    )
    tilt_for: Literal["roof", "module"] = Field(
        "roof", description="auto tilt and best rows: most energy on the roof, or most per module"
    )


class PitchedSystem(Model):
    """PV on pitched roofs."""

    mounting: Literal["flush"] = "flush"


class Losses(Model):
    """Named DC and AC losses, each a share; they multiply."""

    soiling: Share = 0.02
    mismatch: Share = 0.02
    wiring: Share = 0.02
    light_induced: Share = Field(0.01, description="first-year light-induced loss; results are for year one")
    low_irradiance: Share = Field(0.01, description="lower efficiency in weak light; IEC 61853-1 data, 0.5-1 % a year")
    ac_side: Share = Field(0.01, description="AC cable, transformer and own use up to the meter")
    availability: Share = 0.01


class System(Model):
    """The PV system put on every roof."""

    module: str = "default"
    layout: Literal["packed", "density"] = Field(
        "packed",
        description="packed: real modules in rows on every plane; density: usable area over the area of a module",
    )
    flat: FlatSystem = FlatSystem()
    pitched: PitchedSystem = PitchedSystem()
    losses: Losses = Losses()
    cell_temperature: CellTemperature = Field(
        "ross", description="ross: by light alone, from monitored roofs; sapm: Sandia's model, by light and wind"
    )


class ImpossibleError(ValueError):
    """A value, or a combination of keys, that cannot be meant, said in both languages."""

    def __init__(self, text: Text, expected: Text | None = None) -> None:
        super().__init__(str(text))
        self.text = text
        self.expected = expected or Text("see docs/targets.md", "见 docs/targets.md")


_AMOUNTS = ("building_area_m2", "collector_area_m2", "floor_area_share", "heat_kwh")


class Installation(Model):
    """Renewable heat that stands in a district: its size in exactly one way."""

    kind: Literal["solar_thermal", "ground_source", "air_source"]
    unit_id: str | None = Field(None, description="a district; null: the whole city, not divided among districts")
    building_area_m2: PositiveFloat | None = Field(None, description="floor area served (光热、地源热泵应用面积)")
    collector_area_m2: PositiveFloat | None = None
    floor_area_share: Share | None = Field(None, description="share of the floor area in scope that is served")
    heat_kwh: PositiveFloat | None = Field(None, description="useful heat a year")
    cop: Annotated[float, Field(gt=1.0)] | None = Field(None, description="annual; heat over electricity")
    replaces: Literal["electric", "gas", "coal"] = "gas"
    completed: Annotated[int, Field(ge=1900, le=2100)] | None = None
    source: str = ""

    @model_validator(mode="after")
    def _one_amount(self) -> Installation:
        given = [name for name in _AMOUNTS if getattr(self, name) is not None]
        if len(given) != 1:
            listed = ", ".join(_AMOUNTS)
            raise ImpossibleError(Text(f"exactly one of {listed} must be given", f"{listed} 须且只能给出一项"))
        allowed: dict[str, tuple[str, ...]] = {"solar_thermal": _AMOUNTS, "air_source": ("heat_kwh",)}
        allowed["ground_source"] = ("building_area_m2", "floor_area_share", "heat_kwh")
        if given[0] not in allowed[self.kind]:
            names = ", ".join(allowed[self.kind])
            raise ImpossibleError(Text(f"{self.kind} is declared by {names}", f"{self.kind} 须以 {names} 申报"))
        if self.heat_kwh is not None and self.kind != "solar_thermal" and self.cop is None:
            raise ImpossibleError(
                Text(
                    "a heat pump declared by its heat needs its cop: its electricity counts against it",
                    "以供热量申报的热泵须给出 cop：其耗电量须扣除",
                )
            )
        return self


class Demand(Model):
    """Annual energy of a building class per m² of floor."""

    electricity_kwh_m2: Annotated[float, Field(ge=0.0)]
    heat_kgce_m2: Annotated[float, Field(ge=0.0)] = 0.0
    source: str = ""


class SubstitutionOptions(Model):
    """What the renewable substitution rate rests on beside roofs."""

    climate_zone: str | None = Field(None, description="overrides the pack: hot_summer_cold_winter, cold, severe_cold")
    energy_demand: Path | None = Field(None, description="a changed copy of configs/energy_demand.yaml")
    k_e: str | None = Field(None, description="the equivalent of the front row, by its id in energy_demand.yaml")
    demand: dict[str, Demand] = Field({}, description="by building use, instead of the class intensities")
    measured: Path | None = Field(None, description="CSV or XLSX: building_id, measured_energy_kwh, measured_fuel_kgce")
    installations: list[Installation] = Field([])


class Outputs(Model):
    """What is written, and in which language."""

    lang: Lang = "zh"
    rasters: list[Literal["poa_annual", "poa_monthly", "svf", "shading_loss"]] = Field(
        [], description="GeoTIFFs of roof cells; poa_monthly has 12 bands"
    )
    basemap: Basemap = "none"
    modules: bool = Field(
        False, description="every module as a polygon: modules.parquet, GeoPackages, map (packed layout only)"
    )
    personal_names: bool = Field(False, description="name natural persons in map, report and lists")


class TimelineOptions(Model):
    """Attainment by year."""

    reference_date: datetime.date | None = Field(
        None, description="today of the timeline; the day of the run when null"
    )
    build_rate_kwp_per_year: PositiveFloat | dict[str, PositiveFloat] | None = Field(
        None, description="how fast the selected roofs are built: one number for all, or one per district id"
    )


class Config(Model):
    """The whole configuration of one run."""

    name: str = Field(description="what the run's folder is called")
    title: str = ""
    crs: str | None = None
    inputs: Inputs
    scene: SceneOptions = SceneOptions()
    system: System = System()
    policy: str | None = None
    substitution: SubstitutionOptions = SubstitutionOptions()
    timeline: TimelineOptions = TimelineOptions()
    outputs: Outputs = Outputs()
    seed: int = 0
    synthetic: bool = Field(False, description="the input is made up; every output says so")

    @field_validator("name")
    @classmethod
    def _names_a_folder(cls, name: str) -> str:
        wrong = why_no_name(name)
        if wrong is None:
            return name
        raise ImpossibleError(
            Text("name is not a name: {wrong}", "name 不是可用的名称：{wrong}").format(wrong=wrong),
            Text(
                "letters, digits, spaces: the run's folder is called so (what reads nicer goes to title)",
                "文字、数字、空格：结果文件夹以此命名（更完整的标题请写入 title）",
            ),
        )
