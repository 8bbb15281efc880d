"""Light that obstacles throw back: the share of a plane's hemisphere they fill, times what their facades receive."""

from __future__ import annotations

import numpy as np

from rooftop.core.types import F4, F8, I8
from rooftop.kernels import jit, jit_inline
from rooftop.kernels.year import EDGES_PER_DEG, N_EDGE


@jit
def sum_reflected(cells: I8, horizon: F4, hidden: F8, facade: F4, out: F8) -> None:
    """Sum, over the sectors of each cell, the obstacles' view factor times the irradiation of a facade facing back.

    A facade between two of the tabulated orientations is interpolated. Facades only see the half circle before them.

    Parameters
    ----------
    cells : (n,) int64
        Rows of `horizon`.
    horizon : (n_cells, n_azimuth) float32
        Degrees.
    hidden : (n_azimuth, N_EDGE) float64
        View factor, from the plane, of obstacles up to each edge.
    facade : (n_facade, n_azimuth, N_EDGE, 12) float32
        What a facade receives from a sector above the cell's horizon there; facade f faces ``f * 360 / n_facade``.
    out : (n, 12) float64
        Set to what a reflectance of 1 would give.
    """
    n_azimuth, n_facade = horizon.shape[1], facade.shape[0]
    reach = n_azimuth // 4 + 1
    seen = np.empty(n_facade)
    edge = np.empty(n_azimuth, dtype=np.int64)
    part = np.empty(n_azimuth)
    for a in range(cells.size):
        i = cells[a]
        seen[:] = 0.0
        for k in range(n_azimuth):
            place = min(max(horizon[i, k], 0.0) * EDGES_PER_DEG, N_EDGE - 1.0)
            j = min(int(place), N_EDGE - 2)
            t = place - j
            edge[k], part[k] = j, t
            share = (1.0 - t) * hidden[k, j] + t * hidden[k, j + 1]
            back = (k / n_azimuth + 0.5) * n_facade
            f = int(back)
            between = back - f
            seen[f % n_facade] += (1.0 - between) * share
            seen[(f + 1) % n_facade] += between * share
        cell_months = out[a]
        cell_months[:] = 0.0
        for f in range(n_facade):
            if seen[f] <= 0.0:
                continue
            first = (f * n_azimuth) // n_facade - reach + n_azimuth
            for step in range(2 * reach + 2):
                k = (first + step) % n_azimuth
                _add(
                    facade[f, k, edge[k]],
                    facade[f, k, edge[k] + 1],
                    seen[f] * (1.0 - part[k]),
                    seen[f] * part[k],
                    cell_months,
                )


@jit_inline
def _add(low: F4, high: F4, w_low: float, w_high: float, out: F8) -> None:
    for m in range(np.uint64(out.size)):
        out[m] += w_low * low[m] + w_high * high[m]
