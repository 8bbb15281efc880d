"""Exact extremes of a pooled ratio when each of many buildings may count in one of several ways."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
_MAX_STEPS = 100
_RELATIVE_STEP = 1e-15


def ratio_bounds(
    unit: NDArray[np.intp], numerators: Floats, denominators: Floats, base_n: Floats, base_d: Floats
) -> tuple[Floats, Floats]:
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
    high = _largest(unit, numerators, denominators, base_n, base_d)
    low = -_largest(unit, -numerators, denominators, -base_n, base_d)
    return low, high


def _largest(unit: NDArray[np.intp], n: Floats, d: Floats, base_n: Floats, base_d: Floats) -> Floats:
    """Largest ΣN/ΣD per unit and ratio; N may be negative."""
    shape = base_n.shape
    n_units, q = shape
    # Flat problems: one per unit and ratio.
    m, k = n.shape[0], n.shape[1]
    problem = (unit[:, None] * q + np.arange(q)).ravel()
    n_rows = np.moveaxis(n, 1, 2).reshape(m * q, k)
    d_rows = np.moveaxis(d, 1, 2).reshape(m * q, k)
    base_n, base_d = base_n.ravel(), base_d.ravel()
    counts = (d_rows.any(axis=1)) | (n_rows.any(axis=1))
    problem, n_rows, d_rows = problem[counts], n_rows[counts], d_rows[counts]

    sum_n = base_n + np.bincount(problem, n_rows[:, 0], n_units * q)
    sum_d = base_d + np.bincount(problem, d_rows[:, 0], n_units * q)
    ratio = np.divide(sum_n, sum_d, out=np.full(n_units * q, np.nan), where=sum_d > 0)
    open_ = sum_d > 0
    for _ in range(_MAX_STEPS):
        rows = open_[problem]
        problem, n_rows, d_rows = problem[rows], n_rows[rows], d_rows[rows]
        if problem.size == 0:
            break
        sum_n, sum_d = _best_choice(problem, n_rows, d_rows, base_n, base_d, ratio)
        new = np.divide(sum_n, sum_d, out=np.full_like(ratio, -np.inf), where=sum_d > 0)
        better = open_ & (new > ratio + _RELATIVE_STEP * np.abs(ratio))
        ratio[better] = new[better]
        open_ = better
    return ratio.reshape(shape)


def _best_choice(
    problem: NDArray[np.intp], n: Floats, d: Floats, base_n: Floats, base_d: Floats, ratio: Floats
) -> tuple[Floats, Floats]:
    """Sums of the choice with the largest Σ(n − λ·d) among those with a positive denominator."""
    size = base_n.size
    value = n - ratio[problem][:, None] * d
    pick = np.argmax(value, axis=1)
    row = np.arange(pick.size)
    sum_d = base_d + np.bincount(problem, d[row, pick], size)
    empty = (sum_d <= 0)[problem]
    if empty.any():
        # Nothing with a denominator pays: the cheapest building that has one must be in.
        forced = np.where(d > 0, value, -np.inf)
        best = np.argmax(forced, axis=1)
        regret = np.where(empty, value[row, pick] - forced[row, best], np.inf)
        order = np.lexsort((regret, problem))
        first = order[np.unique(problem[order], return_index=True)[1]]
        first = first[np.isfinite(regret[first])]
        pick[first] = best[first]
        sum_d = base_d + np.bincount(problem, d[row, pick], size)
    return base_n + np.bincount(problem, n[row, pick], size), sum_d
