"""What tables are asked with: horizons and irradiance factors, checked; interpolation between factor nodes."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rooftop.core.arguments import (
    extent_of,
    limits_of,
    numbers_of,
    require_numbers,
    shape_of,
    unusable,
    whole,
    whole_numbers,
)
from rooftop.core.errors import ArgumentError
from rooftop.core.lang import Text
from rooftop.core.types import F4, F8, I8

_FACTOR_SLACK = 0.1  # factors this share of the nodes' spread beyond the outer nodes are still extrapolated


@dataclass(frozen=True)
class Skylines:
    """Horizons of cells, the two sides of directions that lie close to a diagonal of the raster apart.

    What raises or lowers horizons makes new ones (:meth:`with_degrees`), so that :attr:`joined` is always theirs.

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
    def from_degrees(cls, degrees: F4) -> Skylines:
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

    def with_degrees(self, degrees: F4) -> Skylines:
        """Return other horizons of the same columns."""
        return Skylines(degrees, self.azimuth, self.share)

    def rows(self, index: I8 | slice) -> Skylines:
        """Return some of the cells."""
        return self.with_degrees(self.degrees[index])


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
    ArgumentError
        A factor lies outside the nodes.
    """
    slack = _FACTOR_SLACK * (nodes[-1] - nodes[0]) + 1e-9
    outside = (factor < nodes[0] - slack) | (factor > nodes[-1] + slack)
    if outside.any():
        month = int(np.nonzero(outside)[1][0])
        raise ArgumentError(
            Text("an irradiance factor lies outside what the tables were made for", "辐照修正系数超出积分表范围"),
            where=Text(f"factor, month {month + 1}", f"factor，{month + 1} 月"),
            found=f"{factor[outside].min():.3f} … {factor[outside].max():.3f}",
            expected=f"{nodes[:, month].min():.3f} … {nodes[:, month].max():.3f}",
            mend=Text(
                "make the tables with sky_year(weather, factors=factor_nodes(factor))",
                "请用 sky_year(weather, factors=factor_nodes(factor)) 生成积分表",
            ),
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
    """Return horizons of so many azimuths, all of them angles."""
    around = shaped_horizon(n_azimuth, horizon)
    limits = limits_of("horizon")
    lowest, highest = around.degrees.min(initial=0.0), around.degrees.max(initial=0.0)
    if np.isnan(lowest):
        raise not_a_number(around.degrees)
    if lowest < limits.low or highest > limits.high:
        raise unusable("horizon", extent_of(around.degrees), f"{limits}", limits.mend)
    return around


def shaped_horizon(n_azimuth: int, horizon: ArrayLike | Skylines) -> Skylines:
    """Return horizons (n, n_azimuth) as contiguous float32."""
    if not isinstance(horizon, Skylines):
        given = plain_horizon(horizon)
        if given.ndim != 2:
            raise _not_fitting(given.shape, n_azimuth)
        with np.errstate(over="ignore"):  # a double beyond floats is no angle either way
            horizon = Skylines.from_degrees(np.ascontiguousarray(given, dtype=np.float32))
    if horizon.n_azimuth != n_azimuth:
        raise _not_fitting((len(horizon.degrees), horizon.n_azimuth), n_azimuth)
    return horizon


def plain_horizon(horizon: object) -> NDArray[Any]:
    """Return an argument that holds horizons as an array of numbers, of whatever shape."""
    return numbers_of("horizon", horizon, Text("angles [°] of shape (n, n_azimuth)", "形状为 (n, n_azimuth) 的角度"))


def one_horizon(horizon: object) -> F4:
    """Return a horizon (n_azimuth,) as one row of checked horizons."""
    given = plain_horizon(horizon)
    if given.ndim != 1:
        expected = Text("one horizon, (n_azimuth,)", "一条地平线，(n_azimuth,)")
        raise unusable("horizon", shape_of(given), expected, Text("choose one: horizon[0]", "请选取一条：horizon[0]"))
    whole("n_azimuth", given.size)
    return checked_horizon(given.size, given[None, :]).degrees


def _not_fitting(shape: tuple[int, ...], n_azimuth: int) -> ArgumentError:
    mend = Text("compute both with the same n_azimuth", "请以相同的 n_azimuth 计算两者")
    if len(shape) != 2:
        mend = Text("give one row of angles for each point", "每个点给出一行角度")
    return unusable(
        "horizon",
        str(shape),
        f"(n, {n_azimuth})",
        mend,
        Text("horizons do not fit the tables", "地平遮挡角与积分表的方位数不一致"),
    )


def not_a_number(degrees: F4 | None = None) -> ArgumentError:
    """Return the error of a horizon that is NaN."""
    found = Text("NaN", "NaN")
    if degrees is not None:
        n, n_all = int(np.isnan(degrees).any(axis=1).sum()), len(degrees)
        found = Text(f"NaN in {n} of {n_all} rows", f"{n_all} 行中 {n} 行含 NaN")
    return unusable(
        "horizon",
        found,
        f"{limits_of('horizon')}",
        Text(
            "leave out cells without data: horizon[~np.isnan(horizon).any(axis=1)]",
            "请剔除无数据的单元：horizon[~np.isnan(horizon).any(axis=1)]",
        ),
        Text("a horizon is not a number", "地平遮挡角含有非数值"),
    )


def checked_factor(factor: ArrayLike, shape: Sequence[int | str]) -> F8:
    """Return finite irradiance factors of that shape."""
    what = Text("irradiance factors do not fit", "辐照修正系数的形状或数值不符")
    return require_numbers("factor", factor, shape, what=what).astype(np.float64)


@dataclass(frozen=True)
class Groups:
    """Cells by their groups.

    Parameters
    ----------
    n : int
        Number of groups.
    cells : (m,) int64
        Rows of the horizons, group after group; those of no group are left out.
    start : (n + 1,) int64
        Where each group begins in `cells`.
    """

    n: int
    cells: I8
    start: I8


def checked_groups(group: ArrayLike, n_group: int | None, n_cells: int) -> Groups:
    """Return the cells of each group; one group more than the highest number where `n_group` is None."""
    what = Text("groups do not fit the cells", "分组与栅格单元不一致")
    groups = whole_numbers("group", group, (n_cells,), what)
    n = int(groups.max(initial=-1)) + 1 if n_group is None else whole("n_group", n_group)
    if (groups >= n).any():
        raise unusable("group", extent_of(groups), f"< {n} (n_group)", what=what)
    order = np.argsort(groups, kind="stable")
    start = np.searchsorted(groups[order], np.arange(n + 1))
    return Groups(n, order[start[0] : start[-1]], start - start[0])
