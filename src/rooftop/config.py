"""Strict models of the YAML configuration: unknown keys fail, relative paths are relative to the file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PositiveFloat, PositiveInt, model_validator

Datum = Literal["wgs84", "cgcs2000", "gcj02", "bd09"]
IrradianceUnit = Literal[
    "kWh/m2/day", "kWh/m2/month", "kWh/m2/year", "MJ/m2/day", "MJ/m2/month", "MJ/m2/year", "W/m2", "degC", "K"
]
Share = Annotated[float, Field(ge=0.0, le=1.0)]


def _as_list(value: Any) -> Any:
    return value if isinstance(value, list) else [value]


PathList = Annotated[list[Path], BeforeValidator(_as_list), Field(min_length=1)]


class Model(BaseModel):
    """Base of all configuration models: frozen, unknown keys fail."""

    model_config = ConfigDict(extra="forbid", frozen=True)


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


class FootprintsInput(Model):
    """Building footprints and how to read their attributes."""

    path: Path
    layer: str | None = None
    encoding: str | None = None
    crs: str | None = Field(None, description="CRS of a file that states none, e.g. EPSG:4490")
    datum: Datum = "wgs84"
    fields: FieldMap = FieldMap()
    use_map: dict[str, str] = {}
    public_map: dict[str, Literal["yes", "no", "unknown"]] = {}
    roof_type_map: dict[str, str] = {}
    storey_height_m: PositiveFloat = 3.0
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


class RasterInput(Model):
    """One irradiance or temperature raster: one annual file, 12 bands, or 12 monthly files."""

    path: PathList
    unit: IrradianceUnit
    period: Literal["annual", "monthly"] = "annual"


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
    format: Literal["epw", "tmy3", "pvgis", "nasa_power"] | None = None


class ElevationInput(Model):
    """An elevation raster in metres."""

    path: Path
    vertical_offset_m: float = 0.0


class Inputs(Model):
    """Everything that is read."""

    footprints: FootprintsInput
    districts: BoundaryInput | None = None
    towns: BoundaryInput | None = None
    zones: BoundaryInput | None = None
    irradiance: IrradianceInput
    weather: WeatherInput | None = None
    dsm: ElevationInput | None = None
    dtm: ElevationInput | None = None
    terrain_far: ElevationInput | None = None


class SceneOptions(Model):
    """How the surface model is built and seen."""

    cell_size_m: Annotated[float, Field(ge=0.25, le=10.0)] = 1.0
    surface: Literal["prism", "linear"] = "prism"
    azimuths: Annotated[int, Field(ge=8, le=360)] = 72
    diffuse: Literal["perez", "haydavies", "isotropic"] = "perez"
    albedo: Share = 0.2
    halo_m: PositiveFloat = 300.0
    tile_cells: Annotated[int, Field(ge=64)] = 1024


class FlatSystem(Model):
    """PV on flat roofs: tilted rows (rack), flush, or east-west racks."""

    mounting: Literal["rack", "flush", "east_west"] = "rack"
    tilt_deg: Literal["auto"] | Annotated[float, Field(ge=0.0, le=60.0)] = "auto"
    azimuth_deg: Annotated[float, Field(ge=0.0, lt=360.0)] = 180.0


class PitchedSystem(Model):
    """PV on pitched roofs."""

    mounting: Literal["flush"] = "flush"


class Losses(Model):
    """Named DC and AC losses, each a share; they multiply."""

    soiling: Share = 0.02
    mismatch: Share = 0.02
    wiring: Share = 0.02
    availability: Share = 0.01


class System(Model):
    """The PV system put on every roof."""

    module: str = "default"
    flat: FlatSystem = FlatSystem()
    pitched: PitchedSystem = PitchedSystem()
    losses: Losses = Losses()


class Outputs(Model):
    """What is written, and in which language."""

    lang: Literal["zh", "en"] = "zh"
    rasters: list[Literal["poa_annual", "svf", "shading_loss"]] = []
    basemap: Literal["none", "osm", "tianditu"] = "none"
    personal_names: bool = Field(False, description="show owners' names on the map")


class Config(Model):
    """The whole configuration of one run."""

    name: str
    title: str = ""
    crs: str | None = None
    inputs: Inputs
    scene: SceneOptions = SceneOptions()
    system: System = System()
    policy: str | None = None
    outputs: Outputs = Outputs()
    seed: int = 0
    synthetic: bool = Field(False, description="the input is made up; every output says so")
