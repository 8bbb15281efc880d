"""Where the shipped data lie: `configs/` and `data/demo/`, in a checkout or inside the installed wheel."""

from __future__ import annotations

from copy import deepcopy
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

_PACKAGED = Path(__file__).resolve().parent / "_data"
_CHECKOUT = Path(__file__).resolve().parents[2]


def configs_dir() -> Path:
    """Return the folder of shipped configuration data (packs, factors, modules)."""
    return _PACKAGED / "configs" if _PACKAGED.exists() else _CHECKOUT / "configs"


def demo_dir() -> Path:
    """Return the folder of the bundled synthetic example."""
    return _PACKAGED / "demo" if _PACKAGED.exists() else _CHECKOUT / "data" / "demo"


def load_shipped_yaml(*parts: str) -> Any:
    """Load one shipped YAML file safely, e.g. ``load_shipped_yaml("roof_types.yaml")``; the caller may change it."""
    return deepcopy(_parsed(parts))


@lru_cache(maxsize=64)
def _parsed(parts: tuple[str, ...]) -> Any:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return yaml.load(configs_dir().joinpath(*parts).read_text(encoding="utf-8"), Loader=loader)
