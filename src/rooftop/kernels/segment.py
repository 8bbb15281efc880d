"""Roof cells into planes: local fits, region growing, relabelling with refits, merging, and outlines of the result.

A plane is ``z = a x + b y + c`` in a window's own metres: x east, y north, both zero at the centre of cell (0, 0).
Ten moments of a set of cells (count and sums of x, y, z, xx, xy, yy, xz, yz, zz) give its least-squares plane and the
residual sum of squares, and those of a union are their sums.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rooftop.kernels import jit, jit_inline

Floats = NDArray[np.float64]
Labels = NDArray[np.int32]
Mask = NDArray[np.bool_]

_OUTSIDE, _FREE = -1, 0
_QUARTILE_OF_MEAN_CHI2_6 = 0.5758  # lower quartile of a chi-squared variate of 6 degrees of freedom over 6
_FIRST_FIT = 12  # cells that a region gathers before its plane is fitted anew
_ROUGHEST = 0.3  # noise of what may still be called a plane [m]
_LINES = 24  # that a label may be cut along
_REACH = 2  # planes compete for a cell when they hold one this many cells away


@jit_inline
def _add(m: Floats, x: float, y: float, z: float) -> None:
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
def solve(m: Floats) -> tuple[float, float, float, float]:
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
def window_fits(z: Floats, take: Mask, cell: float, half: int, least: int) -> tuple[Floats, Floats]:
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
def noise_of(z: Floats, take: Mask, cell: float) -> float:
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
def roughness_of(z: Floats, take: Mask, cell: float) -> float:
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
def _best_windows(plane: Floats, variance: Floats, take: Mask, half: int) -> Floats:
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


@jit
def _grow(
    z: Floats, label: Labels, slope: Floats, seed: int, start: Floats, reach: float, cosine: float, cell: float,
    held: Labels, stack: Labels,
) -> int:  # fmt: skip
    """Gather the free cells connected to a seed that lie on its plane; `held[:n]` are their flat indices."""
    w = z.shape[1]
    p = start.copy()
    m = np.zeros(10)
    n = 0
    for _ in range(3):
        before = n
        for k in range(n):
            label[held[k] // w, held[k] % w] = _FREE
        m[:] = 0.0
        n, top, refit = 0, 1, _FIRST_FIT
        stack[0] = seed
        label[seed // w, seed % w] = -2
        while top > 0:
            top -= 1
            at = stack[top]
            r, c = at // w, at % w
            held[n] = at
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
def _round(
    z: Floats, label: Labels, n_label: int, cell: float, half: int, least: int, sigma: float, cosine: float
) -> int:
    """Grow regions from the smoothest windows over cells that are still free; return the number of labels."""
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
    held, stack = np.empty(h * w, dtype=np.int32), np.empty(h * w + 1, dtype=np.int32)
    for seed in order:
        if not flat[seed] <= (1.6 * sigma) ** 2:
            break
        r, c = seed // w, seed % w
        if label[r, c] != _FREE or tried[seed]:
            continue
        n = _grow(z, label, slope, seed, plane[r, c], 2.5 * sigma, cosine, cell, held, stack)
        keep = n >= least
        if keep:
            n_label += 1
        for k in range(n):
            tried[held[k]] = True
            label[held[k] // w, held[k] % w] = n_label if keep else _FREE
    return n_label


@jit
def moments_of(z: Floats, label: Labels, n_label: int, cell: float, plane: Floats, limit: float) -> Floats:
    """Return the moments of every label; with a finite `limit` cells further than it [m] from their plane stay out."""
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
def refit(z: Floats, label: Labels, n_label: int, cell: float, limit: float, plane: Floats) -> None:
    """Fit every label's plane, then again without the cells further than `limit` from it [m]."""
    for k in range(2):
        m = moments_of(z, label, n_label, cell, plane, limit if k else np.inf)
        for at in range(1, n_label + 1):
            if m[at, 0] >= 6.0:
                plane[at, 0], plane[at, 1], plane[at, 2], _ = solve(m[at])


@jit
def relabel(
    z: Floats, label: Labels, plane: Floats, cell: float, sigma: float, none_cost: float, bond: float, sweeps: int
) -> None:
    """Give each cell the plane, of those near by, that lies closest and that its neighbours share; or none.

    Iterated conditional modes of squared residuals in units of `sigma`, capped at `none_cost`, plus `bond` for every
    one of eight neighbours with another label.
    """
    h, w = z.shape
    tried = np.empty(64, dtype=np.int32)
    for _ in range(sweeps):
        changed = 0
        for r in range(h):
            for c in range(w):
                own = label[r, c]
                if own == _OUTSIDE:
                    continue
                alike, others = 0, 0
                for i in range(max(r - 1, 0), min(r + 2, h)):
                    for j in range(max(c - 1, 0), min(c + 2, w)):
                        alike += label[i, j] == own
                        others += label[i, j] != own and label[i, j] != _OUTSIDE
                if own > 0 and others == 0:  # any other label costs all bonds
                    off = (z[r, c] - plane[own, 0] * c * cell + plane[own, 1] * r * cell - plane[own, 2]) / sigma
                    if off * off <= bond * (alike - 1):
                        continue
                n = 1
                tried[0] = _FREE
                for i in range(max(r - _REACH, 0), min(r + _REACH + 1, h)):
                    for j in range(max(c - _REACH, 0), min(c + _REACH + 1, w)):
                        k = label[i, j]
                        new = k > 0
                        for t in range(n):
                            new = new and tried[t] != k
                        if new:
                            tried[n] = k
                            n += 1
                best, best_cost = own, np.inf
                for t in range(n):
                    k = tried[t]
                    cost = none_cost
                    if k > 0:
                        off = (z[r, c] - plane[k, 0] * c * cell + plane[k, 1] * r * cell - plane[k, 2]) / sigma
                        cost = off * off
                    for i in range(max(r - 1, 0), min(r + 2, h)):
                        for j in range(max(c - 1, 0), min(c + 2, w)):
                            if label[i, j] != _OUTSIDE and label[i, j] != k and (i != r or j != c):
                                cost += bond
                    if cost < best_cost:
                        best, best_cost = k, cost
                if best != own:
                    label[r, c] = best
                    changed += 1
        if changed == 0:
            break


@jit
def _neighbours(label: Labels, n_label: int) -> NDArray[np.int64]:
    """Pairs ``low * (n_label + 1) + high`` of labels that hold cells at most two apart along a row or column."""
    h, w = label.shape
    found = np.empty(4 * h * w, dtype=np.int64)
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
                        found[n] = low * (n_label + 1) + high
                        n += 1
    return np.unique(found[:n])


@jit
def merge(
    z: Floats, label: Labels, n_label: int, plane: Floats, cell: float, sigma: float, apart: float, chi2: float
) -> int:
    """Join neighbours that one plane fits as well as two; return how many joined.

    The measure is the mean distance of the two planes over their cells: the growth of the residual sum of squares over
    ``n₁ n₂ / (n₁ + n₂)``. They are one where it is below `apart` [m], or the growth is no more than noise makes.
    """
    m = moments_of(z, label, n_label, cell, plane, 3.0 * sigma)
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
def cleave(
    z: Floats, label: Labels, n_label: int, cell: float, sigma: float, apart: float, chi2: float
) -> int:  # fmt: skip
    """Cut labels in two that two planes fit much better than one; return the number of labels.

    Lines in eight directions, each through the middle and half a standard deviation beside it, are tried.
    """
    h, w = label.shape
    whole = moments_of(z, label, n_label, cell, np.zeros((n_label + 1, 3)), np.inf)
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
    rest = np.zeros(10)
    for k in range(1, n_label + 1):
        sse = solve(whole[k])[3]
        best = 1.0
        for t in range(_LINES):
            n_one, n_two = part[k, t, 0], whole[k, 0] - part[k, t, 0]
            if min(n_one, n_two) < 8.0:
                continue
            for i in range(10):
                rest[i] = whole[k, i] - part[k, t, i]
            limit = 2.0 * max(apart * apart * n_one * n_two / (n_one + n_two), chi2 * sigma * sigma)
            score = (sse - solve(part[k, t])[3] - solve(rest)[3]) / limit
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


@jit
def split(label: Labels, plane: Floats, least_m2: float, cell: float, least_core: float) -> tuple[int, Floats]:
    """Number the connected pieces of all labels anew; pieces below `least_m2` in their plane become free.

    So do strips: pieces of which less than `least_core` have all four neighbours in the piece.

    Returns
    -------
    n_label : int
    plane : (n_label + 1, 3)
    """
    h, w = label.shape
    piece = np.zeros((h, w), dtype=np.int32)
    stack = np.empty(h * w + 1, dtype=np.int32)
    held = np.empty(h * w, dtype=np.int32)
    kept = np.zeros((h * w + 1, 3))
    n_label = 0
    for first in range(h * w):
        k = label[first // w, first % w]
        if k <= 0 or piece[first // w, first % w] != 0:
            continue
        n, top, core = 0, 1, 0
        stack[0] = first
        piece[first // w, first % w] = -1
        while top > 0:
            top -= 1
            at = stack[top]
            held[n] = at
            n += 1
            r, c = at // w, at % w
            alike = 0
            for side in range(4):
                i, j = r + (side == 0) - (side == 1), c + (side == 2) - (side == 3)
                if 0 <= i < h and 0 <= j < w and label[i, j] == k:
                    alike += 1
                    if piece[i, j] == 0:
                        piece[i, j] = -1
                        stack[top] = i * w + j
                        top += 1
            core += alike == 4
        area = n * cell * cell * np.sqrt(1.0 + plane[k, 0] ** 2 + plane[k, 1] ** 2)
        keep = area >= least_m2 and core >= least_core * n
        if keep:
            n_label += 1
            kept[n_label] = plane[k]
        for t in range(n):
            piece[held[t] // w, held[t] % w] = n_label if keep else -1
    for r in range(h):
        for c in range(w):
            if label[r, c] > 0:
                label[r, c] = piece[r, c] if piece[r, c] > 0 else _FREE
    return n_label, kept[: n_label + 1].copy()


@jit
def straighten(z: Floats, label: Labels, plane: Floats, cell: float, sweeps: int, limit: float) -> None:
    """Draw the border of two planes along the line where they meet.

    Along a ridge or hip the roof is the lower of its two planes, in a valley the higher. Which of them, the cells
    within two of the border say; at a step they disagree, and nothing is moved. No cell goes to a plane further than
    `limit` from it [m].
    """
    h, w = label.shape
    n = plane.shape[0]
    votes = np.zeros((n, n, 2), dtype=np.int32)
    for sweep in range(sweeps + 1):
        for r in range(h):
            for c in range(w):
                k = label[r, c]
                if k <= 0:
                    continue
                last = k
                own = plane[k, 0] * c * cell - plane[k, 1] * r * cell + plane[k, 2]
                for i in range(max(r - _REACH, 0), min(r + _REACH + 1, h)):
                    for j in range(max(c - _REACH, 0), min(c + _REACH + 1, w)):
                        other = label[i, j]
                        if other <= 0 or other == label[r, c] or other == last:
                            continue
                        last = other
                        theirs = plane[other, 0] * c * cell - plane[other, 1] * r * cell + plane[other, 2]
                        lower = theirs < own
                        low, high = min(label[r, c], other), max(label[r, c], other)
                        if sweep == 0:
                            votes[low, high, 1 if lower else 0] += 1  # 0: the lower of the two is the roof
                            continue
                        ridge, valley = votes[low, high, 0], votes[low, high, 1]
                        clear = ridge > 3 * valley if lower else valley > 3 * ridge
                        if clear and abs(z[r, c] - theirs) <= limit:
                            label[r, c] = other
                            own = theirs


@jit
def spread(label: Labels, inside: Mask, beyond: int) -> Labels:
    """Return the plane each cell belongs to: its own, else the nearest's along the roof; up to `beyond` cells outside.

    Cells that no plane reaches stay 0.
    """
    h, w = label.shape
    host = np.where(label > 0, label, 0).astype(np.int32)
    queue = np.empty(h * w, dtype=np.int32)
    for phase in range(2):
        n = 0
        for at in range(h * w):
            if host[at // w, at % w] > 0:
                queue[n] = at
                n += 1
        first, rings = 0, 0
        while first < n and (phase == 0 or rings < beyond):
            last = n
            for q in range(first, last):
                r, c = queue[q] // w, queue[q] % w
                for side in range(4):
                    i, j = r + (side == 0) - (side == 1), c + (side == 2) - (side == 3)
                    if 0 <= i < h and 0 <= j < w and host[i, j] == 0 and (phase == 1 or inside[i, j]):
                        host[i, j] = host[r, c]
                        queue[n] = i * w + j
                        n += 1
            first = last
            rings += 1
    return host


@jit
def _segment(
    z: Floats, inside: Mask, cell: float, sigma: float, least_m2: float, angle: float, apart: float
) -> tuple[Labels, Floats]:
    """Segment cells whose noise is `sigma`; see :func:`segment_roof`."""
    label = np.where(inside, _FREE, _OUTSIDE).astype(np.int32)
    half = 2 if sigma < 0.16 * cell else 3
    slack = 3.0 * sigma / (cell * half * (half + 1.0) * np.sqrt(4.0 / 3.0))
    cosine = np.cos(angle + np.arctan(slack))
    core = 0.25 if cell < 0.75 else 0.0  # a strip 1 m wide is a parapet; larger cells do not show it
    least = max(8, int(0.25 * least_m2 / (cell * cell)))
    n_label = 0
    plane = np.zeros((1, 3))
    for step in range(3):
        n_label = _round(z, label, n_label, cell, half, least if step else max(least, 12), sigma, cosine)
        wider = np.zeros((n_label + 1, 3))
        wider[: plane.shape[0]] = plane
        plane = wider
        for _ in range(2):
            refit(z, label, n_label, cell, 2.5 * sigma, plane)
            relabel(z, label, plane, cell, sigma, 9.0, 1.0, 1)
        merge(z, label, n_label, plane, cell, sigma, apart, 14.0)
        n_label, plane = split(label, plane, 0.5 * least_m2 if step < 2 else least_m2, cell, 0.0)
    n_label = cleave(z, label, n_label, cell, sigma, apart, 14.0)
    plane = np.zeros((n_label + 1, 3))
    for _ in range(2):
        refit(z, label, n_label, cell, 2.5 * sigma, plane)
        relabel(z, label, plane, cell, sigma, 9.0, 1.0, 2)
    merge(z, label, n_label, plane, cell, sigma, apart, 14.0)
    n_label, plane = split(label, plane, least_m2, cell, core)
    for _ in range(2):
        refit(z, label, n_label, cell, 2.5 * sigma, plane)
        straighten(z, label, plane, cell, 2, 3.0 * sigma)
    n_label, plane = split(label, plane, least_m2, cell, core)
    refit(z, label, n_label, cell, 2.5 * sigma, plane)
    return label, plane


@jit
def segment_roof(
    z: Floats, inside: Mask, cell: float, least_m2: float, least_sigma: float, angle: float, apart: float
) -> tuple[Labels, Floats, Floats]:
    """Segment the cells of one roof into planes.

    What the noise of most of the roof leaves over is segmented once more, with a roughness of its own.

    Parameters
    ----------
    z : (h, w)
        Elevation [m], small numbers (differences from a height of the roof).
    inside : (h, w)
        Cells of the roof with a known elevation.
    cell : float
        Cell size [m].
    least_m2 : float
        Smallest plane, measured in the plane [m²].
    least_sigma : float
        Noise assumed at least [m].
    angle : float
        How far normals may differ within a region, beyond what noise explains [rad].
    apart : float
        Planes closer than this over their cells are one [m].

    Returns
    -------
    label : (h, w) int32
        From 1; 0 for cells of the roof on no plane, -1 outside.
    plane : (n + 1, 3)
        ``a, b, c`` by label.
    sigma : (n + 1,)
        Noise used for it [m].
    """
    first = min(max(noise_of(z, inside, cell), least_sigma), _ROUGHEST)
    label, plane = _segment(z, inside, cell, first, least_m2, angle, apart)
    n = plane.shape[0]
    left = label == _FREE
    second = min(roughness_of(z, left, cell), _ROUGHEST) if left.sum() * cell * cell >= 0.5 * least_m2 else 0.0
    if second > 1.2 * first:
        more, added = _segment(z, left, cell, second, least_m2, angle, apart)
        plane = np.concatenate((plane, added[1:]))
        for r in range(label.shape[0]):
            for c in range(label.shape[1]):
                if more[r, c] > 0:
                    label[r, c] = more[r, c] + n - 1
    sigma = np.full(plane.shape[0], second)
    sigma[:n] = first
    return label, plane, sigma


@jit
def outlines(host: Labels, n_label: int) -> tuple[Labels, Labels, Labels]:
    """Trace the cell edges around every label's cells, the label on the right hand.

    Returns
    -------
    corner : (m, 2) int32
        Row and column of cell corners where a ring turns or a third label begins: rings of neighbours share them;
        (0, 0) is the window's north-west corner.
    first : (n_ring + 1,) int32
        Where each ring begins in `corner`; rings are open.
    of : (n_ring,) int32
        The label inside; its outer ring comes before its holes.
    """
    h, w = host.shape
    padded = np.zeros((h + 2, w + 2), dtype=np.int32)
    padded[1 : h + 1, 1 : w + 1] = host
    seen = np.zeros((h + 2, w + 2), dtype=np.bool_)
    limit = 4 * int((host > 0).sum()) + 4
    corner = np.empty((limit, 2), dtype=np.int32)
    first, of = np.zeros(limit, dtype=np.int32), np.empty(limit, dtype=np.int32)
    n, rings = 0, 0
    for r0 in range(1, h + 1):
        for c0 in range(1, w + 1):
            k = padded[r0, c0]
            if k <= 0 or seen[r0, c0] or padded[r0 - 1, c0] == k:
                continue
            r, c, dr, dc = r0, c0, 0, 1  # the corner that an edge starts from, and where it leads
            while True:
                if dc == 1:
                    if seen[r, c]:
                        break
                    seen[r, c] = True
                nw, ne, sw, se = padded[r - 1, c - 1], padded[r - 1, c], padded[r, c - 1], padded[r, c]
                if not ((nw == ne and sw == se) or (nw == sw and ne == se)):
                    corner[n, 0], corner[n, 1] = r - 1, c - 1
                    n += 1
                r, c = r + dr, c + dc
                west, north = dc < 0, dr < 0  # which of the four cells at the corner lies ahead, right and left
                if padded[r - (west or north), c - (west or dr > 0)] != k:
                    dr, dc = dc, -dr
                elif padded[r - (north or dc > 0), c - (west or north)] == k:
                    dr, dc = -dc, dr
            of[rings] = k
            rings += 1
            first[rings] = n
    return corner[:n].copy(), first[: rings + 1].copy(), of[:rings].copy()
