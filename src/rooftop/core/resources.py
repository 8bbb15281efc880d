"""Where the shipped data lie, `configs/` and `data/demo/` in a checkout or inside the wheel, and how they are read."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TypeVar, cast

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


def load_shipped(model: type[_ModelT], name: str) -> _ModelT:
    """Return one file of `configs/` as its model, checked once; raises what pydantic finds wrong with it.

    Each file has one caller, the function that all who need the file ask.
    """
    return cast(_ModelT, _load_model(model, name))


@lru_cache(maxsize=64)
def _load_model(model: type[BaseModel], name: str) -> BaseModel:
    return model.model_validate(load_trusted_yaml(configs_dir() / name))
