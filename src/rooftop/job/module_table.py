"""Every module that was placed: its outline, whether it counts and why not, its year, its rank on the roof."""

from __future__ import annotations

from collections.abc import Iterable

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from rooftop.core.groups import places_in_groups
from rooftop.core.types import F4, I1, I8
from rooftop.job.aggregate import MONTHS
from rooftop.job.module_years import COUNTS, LEFT_OUT, TileModules
from rooftop.job.tile import TileResult
from rooftop.scene.layout import Layout

_NOT_COMPUTED = -1


def module_table(
    layout: Layout, planes: pd.DataFrame, results: Iterable[TileResult], kwp: float, crs: object
) -> gpd.GeoDataFrame:
    """Return every module as a polygon in the working CRS.

    Parameters
    ----------
    layout : Layout
        Filled with ``keep_modules``.
    planes : DataFrame
        ``plane_id`` and ``building_id`` of the layout's planes, in their order.
    results : iterable of TileResult
        With the years of modules; those of planes whose tile failed are null, and do not count.
    kwp : float
        Of one module.
    crs
        Working CRS.

    Returns
    -------
    GeoDataFrame
        ``tables.MODULES``; ``module`` is the number in the plane, from 1. Years of those that are ``counted`` sum to
        that of their plane.
    """
    size = np.array([len(shapes) for shapes in layout.corners], dtype=np.int64)
    plane = np.repeat(np.arange(len(size)), size)
    each = _of_all_tiles(results, size)
    counted, computed = each.left_out == COUNTS, each.left_out != _NOT_COMPUTED
    monthly = np.where(computed[:, None], each.ac_kwh_kwp.astype(np.float64) * kwp, np.nan)
    words = np.array([None, *LEFT_OUT, None], dtype=object)  # the last one for those not computed, -1
    table = {
        "plane_id": planes["plane_id"].astype(str).to_numpy()[plane],
        "module": places_in_groups(size) + 1,
        "counted": counted,
        "left_out": words[each.left_out],
        "yield_order": _yield_order(planes["building_id"].to_numpy()[plane], monthly.sum(axis=1), counted),
        "poa_kwh_m2": each.poa_kwh_m2.astype(np.float64),
        "shading_loss": each.shading_loss.astype(np.float64),
        "annual_kwh": monthly.sum(axis=1),
        **{f"kwh_{month}": monthly[:, k] for k, month in enumerate(MONTHS)},
    }
    corners = np.concatenate(layout.corners) if len(size) else np.zeros((0, 4, 2))
    return gpd.GeoDataFrame(table, geometry=shapely.polygons(corners), crs=crs)


def _of_all_tiles(results: Iterable[TileResult], size: I8) -> TileModules:
    """Put the modules of all tiles in the order of the layout's planes."""
    first, n = np.cumsum(size) - size, int(size.sum())
    left_out: I1 = np.full(n, _NOT_COMPUTED, dtype=np.int8)
    poa, loss = np.full((2, n), np.nan, dtype=np.float32)
    monthly: F4 = np.full((n, 12), np.nan, dtype=np.float32)
    for result in results:
        if result.modules is None:
            continue
        rows = result.planes.index.to_numpy()
        count = size[rows]
        at = np.repeat(first[rows], count) + places_in_groups(count)
        left_out[at], poa[at] = result.modules.left_out, result.modules.poa_kwh_m2
        loss[at], monthly[at] = result.modules.shading_loss, result.modules.ac_kwh_kwp
    return TileModules(left_out=left_out, poa_kwh_m2=poa, shading_loss=loss, ac_kwh_kwp=monthly)


def _yield_order(building_id: np.ndarray, annual_kwh: np.ndarray, counted: np.ndarray) -> pd.Series:
    """Return the rank of each counted module on its roof, from 1 for the one that yields most; of equals, the first."""
    rank = pd.Series(annual_kwh).where(counted).groupby(building_id).rank(method="first", ascending=False)
    return rank.astype("Int64")
