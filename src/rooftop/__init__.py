"""Rooftop PV potential of a city, and whether it meets what the city has promised.

The public library; everything is imported on first use, so that ``import rooftop`` is quick.
"""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rooftop.cumulative import ModulePlane, Rows
    from rooftop.energy import irradiation, pv_energy
    from rooftop.errors import ArgumentError
    from rooftop.hourly import HourlyYield, hourly_series, hourly_tables, hourly_yield, self_use
    from rooftop.inputs.weather import read_weather
    from rooftop.pipeline import RunResult, run
    from rooftop.shading import horizons, sky_view
    from rooftop.sweep import FarField, irradiation_raster, monthly_irradiation, sky_view_raster
    from rooftop.weather import Weather, synthetic_weather

    __version__: str

_HOMES = {
    "ArgumentError": "rooftop.errors",
    "FarField": "rooftop.sweep",
    "HourlyYield": "rooftop.hourly",
    "ModulePlane": "rooftop.cumulative",
    "Rows": "rooftop.cumulative",
    "RunResult": "rooftop.pipeline",
    "Weather": "rooftop.weather",
    "horizons": "rooftop.shading",
    "hourly_series": "rooftop.hourly",
    "hourly_tables": "rooftop.hourly",
    "hourly_yield": "rooftop.hourly",
    "irradiation": "rooftop.energy",
    "irradiation_raster": "rooftop.sweep",
    "monthly_irradiation": "rooftop.sweep",
    "pv_energy": "rooftop.energy",
    "read_weather": "rooftop.inputs.weather",
    "run": "rooftop.pipeline",
    "self_use": "rooftop.hourly",
    "sky_view": "rooftop.shading",
    "sky_view_raster": "rooftop.sweep",
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
