"""Digests of everything that a value holds, and of the program itself: what kept results are kept under."""

from __future__ import annotations

import dataclasses
import datetime
import hashlib
import json
from collections.abc import Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import shapely
from pydantic import BaseModel
from pyproj import CRS

from rooftop.core.contents import file_sha256
from rooftop.core.notices import Notice, Provenance

_PACKAGE = Path(__file__).resolve().parents[1]
_LIBRARIES = ("numpy", "numba", "scipy", "pandas", "shapely", "pyproj", "rasterio", "exactextract")
_PLAIN = (type(None), type(pd.NA), bool, int, float, complex, str, bytes, datetime.date, datetime.timedelta)


@cache
def program_digest() -> str:
    """Hash the program's own sources and the versions of the libraries that compute; read once per process."""
    digest = hashlib.sha256()
    for path in sorted(_PACKAGE.rglob("*.py")):
        place = path.relative_to(_PACKAGE)
        if place.parts[0] != "_data":
            digest.update(f"{place.as_posix()} {hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    for name in ("rooftop", *_LIBRARIES):
        try:
            digest.update(f"{name} {version(name)}\n".encode())
        except PackageNotFoundError:
            digest.update(f"{name}\n".encode())
    return digest.hexdigest()


def digest_of(*values: object) -> str:
    """Hash values with all that they hold; two get the same digest only where they hold the same.

    Dataclasses and configuration models count field by field (a field that begins with an underscore is a cache of the
    others), arrays and tables by type and contents, geometries as WKB, a path by what reading it reads
    (:func:`rooftop.core.contents.file_sha256`), a provenance without its path. Notices are words about the rest.

    Raises
    ------
    TypeError
        Something is of a kind that is not known here: its place is named.
    """
    digest = hashlib.sha256()
    for k, value in enumerate(values):
        digest.update(_digest(value, f"value {k}"))
    return digest.hexdigest()


def _digest(value: Any, place: str) -> bytes:
    kind, parts = _parts(value, place)
    digest = hashlib.sha256(kind.encode())
    for part in parts:
        piece = part if isinstance(part, bytes | memoryview) else str(part).encode("utf-8", "surrogatepass")
        digest.update(f"\x00{piece.nbytes if isinstance(piece, memoryview) else len(piece)}\x00".encode())
        digest.update(piece)
    return digest.digest()


def _parts(value: Any, place: str) -> tuple[str, list[Any]]:
    """Return what kind of thing a value is, and its contents as text and bytes."""
    name = type(value).__qualname__
    if isinstance(value, Notice):
        return name, []
    if isinstance(value, (*_PLAIN, np.generic)):
        return name, [repr(value)]
    if isinstance(value, Path):
        return "Path", [file_sha256(value)]
    if isinstance(value, Provenance):
        return name, [value.role, value.sha256, _digest(value.details, place)]
    if isinstance(value, CRS):
        return name, [value.to_wkt()]
    if isinstance(value, np.ndarray | pd.DataFrame | pd.Series | pd.Index | pd.api.extensions.ExtensionArray):
        return name, _table_parts(value, place)
    if isinstance(value, shapely.Geometry):
        return name, [shapely.to_wkb(value)]
    if isinstance(value, Mapping):
        return name, sorted(_digest(k, place) + _digest(v, f"{place}[{k!r}]") for k, v in value.items())
    if isinstance(value, set | frozenset):
        return name, sorted(_digest(item, place) for item in value)
    if isinstance(value, list | tuple):
        return name, [_digest(item, f"{place}[{k}]") for k, item in enumerate(value)]
    fields = _fields(value)
    if fields is None:
        raise TypeError(f"{place}: no digest is known for {type(value).__module__}.{name}")
    return name, [part for f in fields for part in (f, _digest(getattr(value, f), f"{place}.{f}"))]


def _fields(value: Any) -> list[str] | None:
    if isinstance(value, BaseModel):
        return list(type(value).model_fields)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return [f.name for f in dataclasses.fields(value) if not f.name.startswith("_")]
    return None


def _table_parts(value: Any, place: str) -> list[Any]:
    if isinstance(value, pd.DataFrame):
        columns = [(str(c), _digest(value.iloc[:, k], f"{place}[{c!r}]")) for k, c in enumerate(value.columns)]
        return [_digest(value.index, f"{place}.index"), *(part for column in columns for part in column)]
    if isinstance(value, pd.Series):
        return [_digest(value.index, f"{place}.index"), _digest(value.array, place)]
    if isinstance(value, np.ndarray) and value.dtype != object:
        return [value.dtype.str, repr(value.shape), np.ascontiguousarray(value).reshape(-1).view(np.uint8).data]
    if not isinstance(value, np.ndarray):
        instants = getattr(value, "asi8", None)
        return [str(value.dtype), _digest(value.to_numpy() if instants is None else instants, place)]
    flat = value.ravel()
    if all(isinstance(item, shapely.Geometry | None) for item in flat):
        return [repr(value.shape), *(b"" if wkb is None else wkb for wkb in shapely.to_wkb(flat))]
    if all(item is None or isinstance(item, str | float) for item in flat):
        return [repr(value.shape), json.dumps(flat.tolist())]
    return [repr(value.shape), *(_digest(item, f"{place}[{k}]") for k, item in enumerate(flat))]
