"""Settings that name something: looked up before any data are read, so that a slip costs a second and not a run."""

from __future__ import annotations

from rooftop.config import Config
from rooftop.outputs.map.page import require_basemap
from rooftop.solar.pvsystem import load_module
from rooftop.targets import Pack, load_pack
from rooftop.targets.energy_settings import energy_settings


def require_settings(config: Config, tianditu_key: str | None = None) -> Pack | None:
    """Look up policy pack, module, energy settings and base map.

    Parameters
    ----------
    config : Config
    tianditu_key : str, optional

    Returns
    -------
    Pack or None

    Raises
    ------
    ConfigError, UsageError
        One of them is not there or does not hold together; names the key and what there is.
    """
    load_module(config.system.module)
    energy_settings(config.substitution.energy_demand)
    require_basemap(config.outputs.basemap, tianditu_key)
    return load_pack(config.policy) if config.policy is not None else None
