"""Rooftop PV potential of a city, and whether it meets what the city has promised.

The public library; everything is imported on first use, so that ``import rooftop`` is quick.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rooftop.energy import irradiation, irradiation_raster, pv_energy
    from rooftop.inputs.weather import read_weather
    from rooftop.pipeline import RunResult, run
    from rooftop.shading import horizons, sky_view
    from rooftop.weather import Weather, synthetic_weather

_HOMES = {
    "RunResult": "rooftop.pipeline",
    "Weather": "rooftop.weather",
    "horizons": "rooftop.shading",
    "irradiation": "rooftop.energy",
    "irradiation_raster": "rooftop.energy",
    "pv_energy": "rooftop.energy",
    "read_weather": "rooftop.inputs.weather",
    "run": "rooftop.pipeline",
    "sky_view": "rooftop.shading",
    "synthetic_weather": "rooftop.weather",
}

__all__ = [
    "RunResult",
    "Weather",
    "horizons",
    "irradiation",
    "irradiation_raster",
    "pv_energy",
    "read_weather",
    "run",
    "sky_view",
    "synthetic_weather",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'rooftop' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return __all__
