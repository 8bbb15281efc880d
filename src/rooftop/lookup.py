"""What tables are asked with: horizons and irradiance factors, checked; interpolation between factor nodes."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rooftop.errors import ComputeError
from rooftop.lang import Text

F4 = NDArray[np.float32]
F8 = NDArray[np.float64]
I8 = NDArray[np.int64]

_FACTOR_SLACK = 0.1  # factors this share of the nodes' spread beyond the outer nodes are still extrapolated


@dataclass(frozen=True)
class Skylines:
    """Horizons of cells, the two sides of directions that lie close to a diagonal of the raster apart.

    Parameters
    ----------
    degrees : (n, n_column) float32
        Horizon elevation [deg].
    azimuth : (n_column,) int64
        Azimuth that each column belongs to: first 0, 1, … in turn, then those of other sides.
    share : (n_column,) float64
        Share of its azimuth's suns that a column stands for: those of an azimuth sum to 1.
    """

    degrees: F4
    azimuth: I8
    share: F8

    @classmethod
    def of(cls, degrees: F4) -> Skylines:
        """Return horizons with one column per azimuth."""
        return cls(degrees, np.arange(degrees.shape[1]), np.ones(degrees.shape[1]))

    @property
    def n_azimuth(self) -> int:
        """Directions."""
        return int(self.azimuth.max(initial=-1)) + 1

    @property
    def columns(self) -> tuple[F4, I8, F8]:
        """What kernels read: degrees, azimuth and share of the columns."""
        return self.degrees, self.azimuth, self.share

    @functools.cached_property
    def joined(self) -> F4:
        """Horizons (n, n_azimuth) that leave as much sky visible as both sides do on average [degrees]."""
        n_azimuth = self.n_azimuth
        out = self.degrees[:, :n_azimuth]
        if n_azimuth == self.azimuth.size:
            return out
        out = out.copy()
        for column in range(n_azimuth, self.azimuth.size):
            k = self.azimuth[column]
            out[:, k] = mean_of_sides(out[:, k], self.degrees[:, column], float(self.share[column]))
        return out

    def rows(self, index: I8 | slice) -> Skylines:
        """Return some of the cells."""
        return Skylines(self.degrees[index], self.azimuth, self.share)


def mean_of_sides(one: F4, other: F4, share: float) -> F4:
    """Horizon that leaves as much sky visible as those of two sides on average, `share` that of `other` [degrees]."""
    mean = other.copy()
    unlike = np.flatnonzero(one != other)
    sine = [np.sin(np.radians(side[unlike])) for side in (one, other)]
    shares = np.float32(1.0 - share), np.float32(share)
    mean[unlike] = np.degrees(np.arcsin(np.sqrt(shares[0] * sine[0] * sine[0] + shares[1] * sine[1] * sine[1])))
    return mean


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


def checked_horizon(n_azimuth: int, horizon: ArrayLike | Skylines) -> Skylines:
    """Return horizons of so many azimuths, none of them NaN."""
    around = shaped_horizon(n_azimuth, horizon)
    if np.isnan(around.degrees).any():
        raise not_a_number()
    return around


def shaped_horizon(n_azimuth: int, horizon: ArrayLike | Skylines) -> Skylines:
    """Return horizons (n, n_azimuth) as contiguous float32."""
    if not isinstance(horizon, Skylines):
        degrees = np.ascontiguousarray(horizon, dtype=np.float32)
        if degrees.ndim != 2:
            raise _not_fitting(degrees.shape, n_azimuth)
        horizon = Skylines.of(degrees)
    if horizon.n_azimuth != n_azimuth:
        raise _not_fitting((len(horizon.degrees), horizon.n_azimuth), n_azimuth)
    return horizon


def _not_fitting(shape: tuple[int, ...], n_azimuth: int) -> ComputeError:
    return ComputeError(
        Text("horizons do not fit the tables", "地平遮挡角与积分表的方位数不一致"),
        found=str(shape),
        expected=f"(n, {n_azimuth})",
    )


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
