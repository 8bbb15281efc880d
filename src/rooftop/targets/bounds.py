"""Exact extremes of a pooled ratio when each of many buildings may count in one of several ways."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rooftop.core.types import B1, F8

TOLERANCE = 1e-9
_MAX_STEPS = 100
_RELATIVE_STEP = 1e-15


def ratio_bounds(unit: NDArray[np.intp], numerators: F8, denominators: F8, base_n: F8, base_d: F8) -> tuple[F8, F8]:
    """Return the smallest and the largest ΣN/ΣD of each unit over every choice of one option per building.

    Parameters
    ----------
    unit : ndarray (m,)
        Unit of each uncertain building, 0 … n_units-1; a building of several units has a row in each.
    numerators, denominators : ndarray (m, k, q)
        The k ways each building may count, for q ratios side by side. Nothing at all is ``0, 0``; a building with
        fewer ways repeats one. Both are >= 0, and option 0 has the largest denominator.
    base_n, base_d : ndarray (n_units, q)
        What the certain buildings add.

    Returns
    -------
    low, high : ndarray (n_units, q)
        NaN where no choice has a positive denominator. Choices with a zero denominator have no ratio and are left
        out, so a bound is that of the ratio wherever it is defined.

    Notes
    -----
    Dinkelbach's method for 0-1 fractional programming [1]: at a given ratio λ every building takes the option with the
    largest n − λ·d (counting it in pays if and only if its own ratio exceeds λ), the choice gives a new λ, and the λ
    that reproduces itself is the optimum. Sorting buildings by their own ratio and cutting at the best place finds the
    same choice where each has a single way to count; this form also holds for several. Ends after finitely many
    steps, in practice three to six.

    References
    ----------
    .. [1] W. Dinkelbach, "On nonlinear fractional programming", Management Science 13(7), 1967,
       doi:10.1287/mnsc.13.7.492.
    """
    low, high = np.empty_like(base_n), np.empty_like(base_n)
    for k in range(base_n.shape[1]):
        n, d = np.ascontiguousarray(numerators[:, :, k].T), np.ascontiguousarray(denominators[:, :, k].T)
        some = n.any(axis=0) | d.any(axis=0)
        rows = (unit[some], n[:, some], d[:, some])
        high[:, k] = _largest(*rows, base_n[:, k], base_d[:, k])
        low[:, k] = -_largest(rows[0], -rows[1], rows[2], -base_n[:, k], base_d[:, k])
    return low, high


def attainment(low: F8, high: F8, required: float, known: B1) -> NDArray[np.object_]:
    """Say whether a value is reached by the bounds of a ratio: yes, no, unknown; None where there is nothing to say.

    Parameters
    ----------
    low, high : ndarray
        Bounds of the ratio; NaN where there is none.
    required : float
        NaN where nothing is asked.
    known : ndarray of bool
        Where a verdict may be given; elsewhere the answer is unknown.
    """
    out = np.full(low.shape, None, dtype=object)
    if np.isnan(required):
        return out
    bounded = ~np.isnan(low)
    out[bounded] = "unknown"
    out[known & bounded & (low >= required - TOLERANCE)] = "yes"
    out[known & bounded & (high < required - TOLERANCE)] = "no"
    return out


def _largest(unit: NDArray[np.intp], n: F8, d: F8, base_n: F8, base_d: F8) -> F8:
    """Largest ΣN/ΣD per unit; options are rows of `n` and `d`, N may be negative."""
    size = base_n.size
    sum_n = base_n + np.bincount(unit, n[0], size)
    sum_d = base_d + np.bincount(unit, d[0], size)
    open_ = sum_d > 0
    ratio = np.divide(sum_n, sum_d, out=np.full(size, np.nan), where=open_)
    for _ in range(_MAX_STEPS):
        rows = open_[unit]
        if not rows.all():
            unit, n, d = unit[rows], n[:, rows], d[:, rows]
        if unit.size == 0:
            break
        sum_n, sum_d = _best_choice(unit, n, d, base_n, base_d, ratio)
        new = np.divide(sum_n, sum_d, out=np.full(size, -np.inf), where=sum_d > 0)
        open_ = open_ & (new > ratio + _RELATIVE_STEP * np.abs(ratio))
        ratio = np.where(open_, new, ratio)
    return ratio


def _best_choice(unit: NDArray[np.intp], n: F8, d: F8, base_n: F8, base_d: F8, ratio: F8) -> tuple[F8, F8]:
    """Sums of the choice with the largest Σ(n − λ·d) among those with a positive denominator."""
    size = base_n.size
    unit_ratio = ratio[unit]
    best, best_n, best_d = n[0] - unit_ratio * d[0], n[0], d[0]
    for option_n, option_d in zip(n[1:], d[1:], strict=True):
        value = option_n - unit_ratio * option_d
        pays = value > best
        best_n, best_d = np.where(pays, option_n, best_n), np.where(pays, option_d, best_d)
        best = np.maximum(best, value)
    sum_d = base_d + np.bincount(unit, best_d, size)
    empty = np.flatnonzero((sum_d <= 0)[unit])
    if empty.size:
        # Nothing with a denominator pays: the cheapest option that has one must be in.
        value = np.where(d[:, empty] > 0, n[:, empty] - unit_ratio[empty] * d[:, empty], -np.inf)
        option = np.argmax(value, axis=0)
        regret = best[empty] - value.max(axis=0)
        order = np.lexsort((regret, unit[empty]))
        first = order[np.unique(unit[empty][order], return_index=True)[1]]
        first = first[np.isfinite(regret[first])]
        best_n, best_d = best_n.copy(), best_d.copy()
        best_n[empty[first]] = n[option[first], empty[first]]
        best_d[empty[first]] = d[option[first], empty[first]]
        sum_d = base_d + np.bincount(unit, best_d, size)
    return base_n + np.bincount(unit, best_n, size), sum_d
