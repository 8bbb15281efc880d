"""Rooftop PV potential of a city, and whether it meets what the city has promised.

The public library; everything is imported on first use, so that ``import rooftop`` is quick.
"""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rooftop.core.errors import ArgumentError
    from rooftop.inputs.weather import read_weather
    from rooftop.job.pipeline import RunResult, run
    from rooftop.solar.cumulative import ModulePlane, Rows
    from rooftop.solar.energy import irradiation, pv_energy
    from rooftop.solar.horizons import horizons, sky_view
    from rooftop.solar.hourly import HourlyYield, hourly_series, hourly_tables, hourly_yield, self_use
    from rooftop.solar.raster import FarField, irradiation_raster, monthly_irradiation, sky_view_raster
    from rooftop.weather import Weather, synthetic_weather

    __version__: str

_HOMES = {
    "ArgumentError": "rooftop.core.errors",
    "FarField": "rooftop.solar.raster",
    "HourlyYield": "rooftop.solar.hourly",
    "ModulePlane": "rooftop.solar.cumulative",
    "Rows": "rooftop.solar.cumulative",
    "RunResult": "rooftop.job.pipeline",
    "Weather": "rooftop.weather",
    "horizons": "rooftop.solar.horizons",
    "hourly_series": "rooftop.solar.hourly",
    "hourly_tables": "rooftop.solar.hourly",
    "hourly_yield": "rooftop.solar.hourly",
    "irradiation": "rooftop.solar.energy",
    "irradiation_raster": "rooftop.solar.raster",
    "monthly_irradiation": "rooftop.solar.raster",
    "pv_energy": "rooftop.solar.energy",
    "read_weather": "rooftop.inputs.weather",
    "run": "rooftop.job.pipeline",
    "self_use": "rooftop.solar.hourly",
    "sky_view": "rooftop.solar.horizons",
    "sky_view_raster": "rooftop.solar.raster",
    "synthetic_weather": "rooftop.weather",
}

__all__ = [
    "ArgumentError",
    "FarField",
    "HourlyYield",
    "ModulePlane",
    "Rows",
    "RunResult",
    "Weather",
    "horizons",
    "hourly_series",
    "hourly_tables",
    "hourly_yield",
    "irradiation",
    "irradiation_raster",
    "monthly_irradiation",
    "pv_energy",
    "read_weather",
    "run",
    "self_use",
    "sky_view",
    "sky_view_raster",
    "synthetic_weather",
]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        return version("rooftop")
    if name not in _HOMES:
        raise AttributeError(f"module 'rooftop' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return __all__
