"""Where the shipped data lie, `configs/` and `data/demo/` in a checkout or inside the wheel, and how they are read."""

from __future__ import annotations

from copy import deepcopy
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel

from rooftop.core.yamlfile import load_trusted_yaml

_PACKAGED = Path(__file__).resolve().parents[1] / "_data"
_CHECKOUT = Path(__file__).resolve().parents[3]
_ModelT = TypeVar("_ModelT", bound=BaseModel)


def configs_dir() -> Path:
    """Return the folder of shipped configuration data (packs, factors, modules)."""
    return _PACKAGED / "configs" if _PACKAGED.exists() else _CHECKOUT / "configs"


def demo_dir() -> Path:
    """Return the folder of the bundled synthetic example."""
    return _PACKAGED / "demo" if _PACKAGED.exists() else _CHECKOUT / "data" / "demo"


def load_shipped(model: type[_ModelT], *parts: str) -> _ModelT:
    """Return one shipped YAML file as its model, checked once; raises what pydantic finds wrong with it."""
    return _checked(model, parts)  # type: ignore[return-value]


def load_shipped_yaml(*parts: str) -> Any:
    """Load one shipped YAML file that has no model yet, by the parts of its path; the caller may change it."""
    return deepcopy(_parsed(parts))


@lru_cache(maxsize=64)
def _checked(model: type[BaseModel], parts: tuple[str, ...]) -> BaseModel:
    return model.model_validate(_parsed(parts))


@lru_cache(maxsize=64)
def _parsed(parts: tuple[str, ...]) -> Any:
    return load_trusted_yaml(configs_dir().joinpath(*parts))
