"""Weather: the type every room uses, a year made without a file, and anchoring to irradiance rasters."""

from rooftop.weather.anchor import Anchor, anchor_weather, monthly_factors
from rooftop.weather.clear_sky import clear_sky_bound, place_altitude
from rooftop.weather.climate import default_temperature, mean_of_known
from rooftop.weather.synthetic import synthetic_weather
from rooftop.weather.year import Weather, checked_weather

__all__ = [
    "Anchor",
    "Weather",
    "anchor_weather",
    "checked_weather",
    "clear_sky_bound",
    "default_temperature",
    "mean_of_known",
    "monthly_factors",
    "place_altitude",
    "synthetic_weather",
]
