"""What tables are asked with: horizons and irradiance factors, checked; interpolation between factor nodes."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rooftop.errors import ComputeError
from rooftop.lang import Text

F4 = NDArray[np.float32]
F8 = NDArray[np.float64]

_FACTOR_SLACK = 0.1  # factors this share of the nodes' spread beyond the outer nodes are still extrapolated


def factor_weights(nodes: F8, factor: F8) -> F8:
    """Lagrange weights (n, F, 12) of the factor nodes (F, 12) at each factor (n, 12).

    Raises
    ------
    ComputeError
        A factor lies outside the nodes.
    """
    slack = _FACTOR_SLACK * (nodes[-1] - nodes[0]) + 1e-9
    outside = (factor < nodes[0] - slack) | (factor > nodes[-1] + slack)
    if outside.any():
        raise ComputeError(
            Text("an irradiance factor lies outside what the tables were made for", "辐照修正系数超出积分表范围"),
            where=Text(f"month {int(np.nonzero(outside)[1][0]) + 1}", f"{int(np.nonzero(outside)[1][0]) + 1} 月"),
            found=f"{factor[outside].min():.3f}-{factor[outside].max():.3f}",
            expected=f"{nodes.min():.3f}-{nodes.max():.3f}",
            mend="sky_year(weather, factors=factor_nodes(factor))",
        )
    weights = np.ones((factor.shape[0], nodes.shape[0], 12))
    for i, a in enumerate(nodes):
        for j, b in enumerate(nodes):
            if i != j:
                weights[:, i] *= (factor - b) / (a - b)
    return weights


def at_factor(weights: F8, values: F8) -> F8:
    """Interpolate values at the nodes, (n, F * 12), to (n, 12)."""
    result: F8 = (values.reshape(weights.shape) * weights).sum(axis=1)
    return result


def checked_horizon(n_azimuth: int, horizon: ArrayLike) -> F4:
    """Return horizons of so many azimuths, none of them NaN."""
    around = shaped_horizon(n_azimuth, horizon)
    if np.isnan(around).any():
        raise not_a_number()
    return around


def shaped_horizon(n_azimuth: int, horizon: ArrayLike) -> F4:
    """Return horizons (n, n_azimuth) as contiguous float32."""
    around = np.ascontiguousarray(horizon, dtype=np.float32)
    if around.ndim != 2 or around.shape[1] != n_azimuth:
        raise ComputeError(
            Text("horizons do not fit the tables", "地平遮挡角与积分表的方位数不一致"),
            found=str(around.shape),
            expected=f"(n, {n_azimuth})",
        )
    return around


def not_a_number() -> ComputeError:
    """Return the error of a horizon that is NaN."""
    return ComputeError(Text("a horizon is not a number", "地平遮挡角含有非数值"), where="horizon")


def checked_factor(factor: ArrayLike, shape: tuple[int, ...]) -> F8:
    """Return finite irradiance factors of that shape."""
    values = np.asarray(factor, dtype=np.float64)
    if values.shape != shape or not np.isfinite(values).all():
        raise ComputeError(
            Text("irradiance factors do not fit", "辐照修正系数的形状或数值不符"),
            where="factor",
            found=f"{values.shape}, finite: {bool(np.isfinite(values).all())}",
            expected=str(shape),
        )
    return values
