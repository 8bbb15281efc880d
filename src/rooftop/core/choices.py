"""Choices that configuration and library share, each written once."""

from __future__ import annotations

from typing import Literal

WeatherFormat = Literal["epw", "tmy3", "pvgis", "nasa_power"]
VerticalUnit = Literal["m", "ft", "us-ft"]
Diffuse = Literal["perez", "haydavies", "isotropic"]
Mounting = Literal["rack", "flush"]
"""How a module is cooled."""
RoofMounting = Literal["rack", "flush", "east_west"]
"""How modules stand on a roof."""
CellTemperature = Literal["ross", "sapm"]
Basemap = Literal["none", "osm", "tianditu"]
LeftOut = Literal["shade", "assumed_obstacles", "existing_pv"]
"""Why a module that has a place does not count."""
