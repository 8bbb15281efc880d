"""Roof cells and their least-squares planes: local fits, noise, region growing, refits, merging and cutting.

A plane is ``z = a x + b y + c`` in a window's own metres: x east, y north, both zero at the centre of cell (0, 0).
Ten moments of a set of cells (count and sums of x, y, z, xx, xy, yy, xz, yz, zz) give its least-squares plane and the
residual sum of squares, and those of a union are their sums.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from rooftop.core.types import B1, F8, I4, I8
from rooftop.kernels import jit, jit_inline
from rooftop.kernels.labels import Patch

_FREE = 0  # as in rooftop.kernels.labels: numba's cache does not notice what changes in another file
_QUARTILE_OF_MEAN_CHI2_6 = 0.5758  # lower quartile of a chi-squared variate of 6 degrees of freedom over 6
_FIRST_FIT = 12  # cells that a region gathers before its plane is fitted anew
_LINES = 24  # that a label may be cut along


@jit_inline
def _add(m: F8, x: float, y: float, z: float) -> None:
    m[0] += 1.0
    m[1] += x
    m[2] += y
    m[3] += z
    m[4] += x * x
    m[5] += x * y
    m[6] += y * y
    m[7] += x * z
    m[8] += y * z
    m[9] += z * z


@jit
def solve(m: F8) -> tuple[float, float, float, float]:
    """Return the least-squares plane ``a, b, c`` of ten moments and its residual sum of squares.

    Cells on one line have no plane: the level one is returned.
    """
    n = m[0]
    if n < 1.0:
        return 0.0, 0.0, 0.0, 0.0
    mx, my, mz = m[1] / n, m[2] / n, m[3] / n
    cxx, cxy, cyy = m[4] - m[1] * mx, m[5] - m[1] * my, m[6] - m[2] * my
    cxz, cyz, czz = m[7] - m[1] * mz, m[8] - m[2] * mz, m[9] - m[3] * mz
    det = cxx * cyy - cxy * cxy
    if n < 3.0 or det <= 1e-6 * (cxx + cyy) ** 2:
        return 0.0, 0.0, mz, max(czz, 0.0)
    a = (cxz * cyy - cyz * cxy) / det
    b = (cyz * cxx - cxz * cxy) / det
    return a, b, mz - a * mx - b * my, max(czz - a * cxz - b * cyz, 0.0)


@jit
def window_fits(z: F8, take: B1, cell: float, half: int, least: int) -> tuple[F8, F8]:
    """Fit a plane to the taken cells of a square window around every taken cell.

    Returns
    -------
    plane : (h, w, 3)
        ``a, b, c``.
    variance : (h, w)
        Residual sum of squares over its degrees of freedom [m²]; infinite with fewer than `least` cells.
    """
    h, w = z.shape
    plane = np.zeros((h, w, 3))
    variance = np.full((h, w), np.inf)
    m = np.zeros(10)
    for r in range(h):
        for c in range(w):
            if not take[r, c]:
                continue
            m[:] = 0.0
            for i in range(max(r - half, 0), min(r + half + 1, h)):
                for j in range(max(c - half, 0), min(c + half + 1, w)):
                    if take[i, j]:
                        _add(m, (j - c) * cell, (r - i) * cell, z[i, j])
            if m[0] < least:
                continue
            a, b, c0, sse = solve(m)
            plane[r, c, 0], plane[r, c, 1] = a, b
            plane[r, c, 2] = c0 - a * c * cell + b * r * cell
            variance[r, c] = sse / (m[0] - 3.0)
    return plane, variance


@jit
def noise_of(z: F8, take: B1, cell: float) -> float:
    """Return the standard deviation of the cells about their planes [m], from fits to three by three cells.

    Of their lower quartile: in small roofs most windows see an edge.
    """
    _, variance = window_fits(z, take, cell, 1, 9)
    known = variance.ravel()
    known = known[np.isfinite(known)]
    if known.size == 0:
        return 0.0
    known.sort()
    return float(np.sqrt(known[known.size // 4] / _QUARTILE_OF_MEAN_CHI2_6))


@jit
def roughness_of(z: F8, take: B1, cell: float) -> float:
    """Return the lower quartile of the standard deviations about fits to five by five cells [m].

    Tiles, and lidar points drawn out to cells, are smoother from cell to cell than over a metre.
    """
    _, variance = window_fits(z, take, cell, 2, 20)
    known = variance.ravel()
    known = known[np.isfinite(known)]
    if known.size == 0:
        return 0.0
    known.sort()
    return float(np.sqrt(known[known.size // 4]))


@jit
def _best_windows(plane: F8, variance: F8, take: B1, half: int) -> F8:
    """Slopes ``a, b`` of the smoothest window that holds each cell: windows do not look across edges."""
    h, w = variance.shape
    slope = np.full((h, w, 2), np.nan)
    for r in range(h):
        for c in range(w):
            if not take[r, c]:
                continue
            best = np.inf
            for i in range(max(r - half, 0), min(r + half + 1, h)):
                for j in range(max(c - half, 0), min(c + half + 1, w)):
                    if variance[i, j] < best:
                        best = variance[i, j]
                        slope[r, c, 0], slope[r, c, 1] = plane[i, j, 0], plane[i, j, 1]
    return slope


@jit_inline
def _same_normal(a: float, b: float, p: float, q: float, cosine: float) -> bool:
    dot = a * p + b * q + 1.0
    return dot * dot >= cosine * cosine * (a * a + b * b + 1.0) * (p * p + q * q + 1.0) and dot > 0.0


class _Region(NamedTuple):
    """Flat indices of the cells of a region, and of those still to be looked at."""

    cells: I4
    stack: I4


@jit
def _grow(patch: Patch, slope: F8, seed: int, start: F8, reach: float, cosine: float, region: _Region) -> int:
    """Gather the free cells connected to a seed that lie on its plane; return how many are in `cells`."""
    z, label, cell = patch
    cells, stack = region
    w = z.shape[1]
    p = start.copy()
    m = np.zeros(10)
    n = 0
    for _ in range(3):
        before = n
        for k in range(n):
            label[cells[k] // w, cells[k] % w] = _FREE
        m[:] = 0.0
        n, top, refit = 0, 1, _FIRST_FIT
        stack[0] = seed
        label[seed // w, seed % w] = -2
        while top > 0:
            top -= 1
            at = stack[top]
            r, c = at // w, at % w
            cells[n] = at
            n += 1
            _add(m, c * cell, -r * cell, z[r, c])
            if n == refit:
                p[0], p[1], p[2], _ = solve(m)
                refit = int(refit * 1.5)
            for k in range(4):
                i, j = r + (k == 0) - (k == 1), c + (k == 2) - (k == 3)
                if i < 0 or j < 0 or i >= z.shape[0] or j >= w or label[i, j] != _FREE:
                    continue
                off = z[i, j] - p[0] * j * cell + p[1] * i * cell - p[2]
                if abs(off) <= reach and _same_normal(slope[i, j, 0], slope[i, j, 1], p[0], p[1], cosine):
                    label[i, j] = -2
                    stack[top] = i * w + j
                    top += 1
        if n >= _FIRST_FIT:
            p[0], p[1], p[2], _ = solve(m)
        if n == before:
            break
    return n


@jit
def grow_regions(patch: Patch, n_label: int, half: int, least: int, sigma: float, cosine: float) -> int:
    """Grow regions from the smoothest windows over cells that are still free; return the number of labels."""
    z, label, cell = patch
    h, w = z.shape
    free = label == _FREE
    if free.sum() < least:
        return n_label
    plane, variance = window_fits(z, free, cell, half, least)
    flat = variance.ravel()
    if flat.min() > (1.6 * sigma) ** 2:
        return n_label
    slope = _best_windows(plane, variance, free, half)
    order = np.argsort(flat, kind="mergesort")
    tried = np.zeros(h * w, dtype=np.bool_)
    region = _Region(np.empty(h * w, dtype=np.int32), np.empty(h * w + 1, dtype=np.int32))
    for seed in order:
        if not flat[seed] <= (1.6 * sigma) ** 2:
            break
        r, c = seed // w, seed % w
        if label[r, c] != _FREE or tried[seed]:
            continue
        n = _grow(patch, slope, seed, plane[r, c], 2.5 * sigma, cosine, region)
        keep = n >= least
        if keep:
            n_label += 1
        for k in range(n):
            at = region.cells[k]
            tried[at] = True
            label[at // w, at % w] = n_label if keep else _FREE
    return n_label


@jit
def moments_of(patch: Patch, n_label: int, plane: F8, limit: float) -> F8:
    """Return the moments of every label; with a finite `limit` cells further than it [m] from their plane stay out."""
    z, label, cell = patch
    m = np.zeros((n_label + 1, 10))
    for r in range(z.shape[0]):
        for c in range(z.shape[1]):
            k = label[r, c]
            if k <= 0:
                continue
            if limit < np.inf:
                off = z[r, c] - plane[k, 0] * c * cell + plane[k, 1] * r * cell - plane[k, 2]
                if abs(off) > limit:
                    continue
            _add(m[k], c * cell, -r * cell, z[r, c])
    return m


@jit
def refit(patch: Patch, n_label: int, plane: F8, limit: float) -> None:
    """Fit every label's plane, then again without the cells further than `limit` from it [m]."""
    for k in range(2):
        m = moments_of(patch, n_label, plane, limit if k else np.inf)
        for at in range(1, n_label + 1):
            if m[at, 0] >= 6.0:
                plane[at, 0], plane[at, 1], plane[at, 2], _ = solve(m[at])


@jit
def _neighbours(label: I4, n_label: int) -> I8:
    """Pairs ``low * (n_label + 1) + high`` of labels that hold cells at most two apart along a row or column."""
    h, w = label.shape
    pairs = np.empty(4 * h * w, dtype=np.int64)
    n = 0
    for r in range(h):
        for c in range(w):
            k = label[r, c]
            if k <= 0:
                continue
            for step in range(1, 3):
                for turn in range(2):
                    i, j = r + step * turn, c + step * (1 - turn)
                    if i < h and j < w and label[i, j] > 0 and label[i, j] != k:
                        low, high = min(k, label[i, j]), max(k, label[i, j])
                        pairs[n] = low * (n_label + 1) + high
                        n += 1
    return np.unique(pairs[:n])


@jit
def merge(patch: Patch, n_label: int, plane: F8, sigma: float, apart: float, chi2: float) -> int:
    """Join neighbours that one plane fits as well as two; return how many joined.

    The measure is the mean distance of the two planes over their cells: the growth of the residual sum of squares over
    ``n₁ n₂ / (n₁ + n₂)``. They are one where it is below `apart` [m], or the growth is no more than noise makes.
    """
    label = patch.label
    m = moments_of(patch, n_label, plane, 3.0 * sigma)
    pairs = _neighbours(label, n_label)
    parent = np.arange(n_label + 1)
    joined = 0
    while True:
        score = np.full(pairs.size, np.inf)
        for p in range(pairs.size):
            one, two = parent[pairs[p] // (n_label + 1)], parent[pairs[p] % (n_label + 1)]
            if one == two or m[one, 0] < 3.0 or m[two, 0] < 3.0:
                continue
            growth = solve(m[one] + m[two])[3] - solve(m[one])[3] - solve(m[two])[3]
            even = m[one, 0] * m[two, 0] / (m[one, 0] + m[two, 0])
            limit = max(apart * apart * even, chi2 * sigma * sigma)
            if growth <= limit:
                score[p] = growth / limit
        order = np.argsort(score, kind="mergesort")
        touched = np.zeros(n_label + 1, dtype=np.bool_)
        before = joined
        for p in order:
            if score[p] == np.inf:
                break
            one, two = parent[pairs[p] // (n_label + 1)], parent[pairs[p] % (n_label + 1)]
            if one == two or touched[one] or touched[two]:
                continue
            keep, drop = min(one, two), max(one, two)
            touched[keep] = touched[drop] = True
            m[keep] += m[drop]
            for k in range(1, n_label + 1):
                if parent[k] == drop:
                    parent[k] = keep
            plane[keep, 0], plane[keep, 1], plane[keep, 2], _ = solve(m[keep])
            joined += 1
        if joined == before:
            break
    for r in range(label.shape[0]):
        for c in range(label.shape[1]):
            if label[r, c] > 0:
                label[r, c] = parent[label[r, c]]
    return joined


@jit
def cleave(patch: Patch, n_label: int, sigma: float, apart: float, chi2: float) -> int:
    """Cut labels in two that two planes fit much better than one; return the number of labels.

    Lines in eight directions, each through the middle and half a standard deviation beside it, are tried.
    """
    z, label, cell = patch
    h, w = label.shape
    whole = moments_of(patch, n_label, np.zeros((n_label + 1, 3)), np.inf)
    lines = np.zeros((n_label + 1, _LINES, 3))
    for k in range(1, n_label + 1):
        n = max(whole[k, 0], 1.0)
        mx, my = whole[k, 1] / n, whole[k, 2] / n
        vxx, vxy, vyy = whole[k, 4] / n - mx * mx, whole[k, 5] / n - mx * my, whole[k, 6] / n - my * my
        for t in range(_LINES):
            p, q = np.cos(t // 3 * np.pi / 8.0), np.sin(t // 3 * np.pi / 8.0)
            spread_m = np.sqrt(max(p * p * vxx + 2.0 * p * q * vxy + q * q * vyy, 0.0))
            lines[k, t, 0], lines[k, t, 1] = p, q
            lines[k, t, 2] = p * mx + q * my + 0.5 * (t % 3 - 1) * spread_m
    part = np.zeros((n_label + 1, _LINES, 10))
    for r in range(h):
        for c in range(w):
            k = label[r, c]
            for t in range(_LINES if k > 0 else 0):
                if lines[k, t, 0] * c * cell - lines[k, t, 1] * r * cell > lines[k, t, 2]:
                    _add(part[k, t], c * cell, -r * cell, z[r, c])
    cut = np.full(n_label + 1, -1, dtype=np.int32)
    named = np.zeros(n_label + 1, dtype=np.int32)
    more = n_label
    remainder = np.zeros(10)
    for k in range(1, n_label + 1):
        sse = solve(whole[k])[3]
        best = 1.0
        for t in range(_LINES):
            n_one, n_two = part[k, t, 0], whole[k, 0] - part[k, t, 0]
            if min(n_one, n_two) < 8.0:
                continue
            for i in range(10):
                remainder[i] = whole[k, i] - part[k, t, i]
            limit = 2.0 * max(apart * apart * n_one * n_two / (n_one + n_two), chi2 * sigma * sigma)
            score = (sse - solve(part[k, t])[3] - solve(remainder)[3]) / limit
            if score > best:
                best = score
                cut[k] = t
        if cut[k] >= 0:
            more += 1
            named[k] = more
    for r in range(h):
        for c in range(w):
            k = label[r, c]
            if k > 0 and cut[k] >= 0:
                t = cut[k]
                if lines[k, t, 0] * c * cell - lines[k, t, 1] * r * cell > lines[k, t, 2]:
                    label[r, c] = named[k]
    return more
