"""Rooftop PV potential of a city, and whether it meets what the city has promised.

The public library; everything is imported on first use, so that ``import rooftop`` is quick. `run` and
`RunResult` need the extra ``app``.
"""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # the names of the table below; `as` says that they are meant for others
    from rooftop.core.errors import ArgumentError as ArgumentError
    from rooftop.inputs.weather import read_weather as read_weather
    from rooftop.job.pipeline import RunResult as RunResult
    from rooftop.job.pipeline import run as run
    from rooftop.solar.cumulative import ModulePlane as ModulePlane
    from rooftop.solar.cumulative import Rows as Rows
    from rooftop.solar.energy import irradiation as irradiation
    from rooftop.solar.energy import pv_energy as pv_energy
    from rooftop.solar.horizons import horizons as horizons
    from rooftop.solar.horizons import sky_view as sky_view
    from rooftop.solar.hourly import HourlyYield as HourlyYield
    from rooftop.solar.hourly import hourly_series as hourly_series
    from rooftop.solar.hourly import hourly_tables as hourly_tables
    from rooftop.solar.hourly import hourly_yield as hourly_yield
    from rooftop.solar.hourly import self_use as self_use
    from rooftop.solar.raster import FarField as FarField
    from rooftop.solar.raster import irradiation_raster as irradiation_raster
    from rooftop.solar.raster import monthly_irradiation as monthly_irradiation
    from rooftop.solar.raster import sky_view_raster as sky_view_raster
    from rooftop.weather import Weather as Weather
    from rooftop.weather import synthetic_weather as synthetic_weather

    __version__: str

_PUBLIC = {
    "rooftop.core.errors": ("ArgumentError",),
    "rooftop.inputs.weather": ("read_weather",),
    "rooftop.job.pipeline": ("RunResult", "run"),
    "rooftop.solar.cumulative": ("ModulePlane", "Rows"),
    "rooftop.solar.energy": ("irradiation", "pv_energy"),
    "rooftop.solar.horizons": ("horizons", "sky_view"),
    "rooftop.solar.hourly": ("HourlyYield", "hourly_series", "hourly_tables", "hourly_yield", "self_use"),
    "rooftop.solar.raster": ("FarField", "irradiation_raster", "monthly_irradiation", "sky_view_raster"),
    "rooftop.weather": ("Weather", "synthetic_weather"),
}
_HOMES = {name: home for home, names in _PUBLIC.items() for name in names}

__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    if name == "__version__":
        return version("rooftop")
    if name not in _HOMES:
        raise AttributeError(f"module 'rooftop' has no attribute {name!r}")
    try:
        return getattr(import_module(_HOMES[name]), name)
    except ModuleNotFoundError as error:
        from rooftop.core.errors import NotInstalledError

        missing = NotInstalledError.of_application(f"rooftop.{name}", error)
        if missing is None or _HOMES[name] != "rooftop.job.pipeline":
            raise
        raise missing from error


def __dir__() -> list[str]:
    return __all__
