"""Air temperature where nothing gives it (`configs/air_temperature.yaml`): normals of places, interpolated."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, model_validator

from rooftop.core.datamodel import Model, Sourced, SourcedCount
from rooftop.core.resources import load_shipped


class PlaceNormals(Model):
    """A place and its mean air temperatures, January to December."""

    name: str
    latitude: float
    longitude: float
    altitude_m: float
    months_degc: Annotated[tuple[float, ...], Field(min_length=12, max_length=12)]

    @model_validator(mode="before")
    @classmethod
    def _of_row(cls, row: Any) -> Any:
        """Name the columns of a row of the file."""
        name, latitude, longitude, altitude, *months = row
        return {
            "name": name,
            "latitude": latitude,
            "longitude": longitude,
            "altitude_m": altitude,
            "months_degc": months,
        }


class TemperatureError(Model):
    """RMS error of monthly means, by distance to the nearest place: one more value than distances."""

    up_to_km: tuple[float, ...]
    rms_k: tuple[float, ...]
    source: str


class AirTemperatureRules(Model):
    """Typed view of `configs/air_temperature.yaml`."""

    date: object
    source: str
    neighbours: SourcedCount
    distance_power: Sourced
    softening_km: Sourced
    lapse_k_per_km: Sourced
    map_error_reach_km: Sourced
    equator_degc: Sourced
    pole_drop_k: Sourced
    seasonal_half_range_k_per_deg: Sourced
    warmest_day: Sourced
    error: TemperatureError
    yield_percent_per_k: Sourced
    places: Annotated[tuple[PlaceNormals, ...], Field(min_length=1)]


def air_temperature_rules() -> AirTemperatureRules:
    """Return the shipped normals and coefficients."""
    return load_shipped(AirTemperatureRules, "air_temperature.yaml")
