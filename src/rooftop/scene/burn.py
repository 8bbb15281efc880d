"""Polygons burnt into a grid by cell centre (rasterio lives in this room)."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Sequence

import numpy as np
from affine import Affine
from rasterio.errors import NotGeoreferencedWarning
from rasterio.features import rasterize
from shapely.geometry.base import BaseGeometry

from rooftop.core.grid import Grid
from rooftop.core.types import I4

# rasterio silences a warning about its own scratch image with a filter that other threads can undo
warnings.filterwarnings("ignore", category=NotGeoreferencedWarning)
_ONE_AT_A_TIME = threading.Lock()


def burn(geometries: Sequence[BaseGeometry], values: Sequence[int], grid: Grid, *, all_touched: bool = False) -> I4:
    """Return the value of the last geometry that covers each cell centre, -1 where none does.

    Parameters
    ----------
    geometries : sequence of polygons, in the CRS of `grid`
    values : sequence of int, same length
    grid : Grid
    all_touched : bool
        Take every cell that a geometry touches instead of those whose centre it covers.

    Returns
    -------
    ndarray of int32, shape ``grid.shape``
    """
    pairs = [(g, int(v)) for g, v in zip(geometries, values, strict=True) if not g.is_empty]
    if not pairs:
        return np.full(grid.shape, -1, dtype=np.int32)
    with _ONE_AT_A_TIME:
        return rasterize(
            pairs,
            out_shape=grid.shape,
            transform=Affine(*grid.transform),
            fill=-1,
            dtype="int32",
            all_touched=all_touched,
        )
