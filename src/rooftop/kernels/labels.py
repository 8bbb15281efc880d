"""Cells that carry the label of a plane: which of the planes near by, in what pieces, with what borders and outlines.

Planes are ``a, b, c`` of ``z = a x + b y + c`` as in :mod:`rooftop.kernels.planefit`; here they are never fitted.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from rooftop.core.types import B1, F8, I4
from rooftop.kernels import jit

OUTSIDE, FREE = -1, 0
"""Labels of cells outside the roof, and of cells of the roof on no plane; planes count from 1."""

_REACH = 2  # planes compete for a cell when they hold one this many cells away


class Patch(NamedTuple):
    """The cells around a roof.

    Parameters
    ----------
    z : (h, w) float64
        Elevation [m], small numbers.
    label : (h, w) int32
        Changed in place.
    cell : float
        Cell size [m].
    """

    z: F8
    label: I4
    cell: float


@jit
def relabel(patch: Patch, plane: F8, sigma: float, none_cost: float, bond: float, sweeps: int) -> None:
    """Give each cell the plane, of those near by, that lies closest and that its neighbours share; or none.

    Iterated conditional modes of squared residuals in units of `sigma`, capped at `none_cost`, plus `bond` for every
    one of eight neighbours with another label.
    """
    z, label, cell = patch
    h, w = z.shape
    tried = np.empty(64, dtype=np.int32)
    for _ in range(sweeps):
        changed = 0
        for r in range(h):
            for c in range(w):
                current = label[r, c]
                if current == OUTSIDE:
                    continue
                alike, others = 0, 0
                for i in range(max(r - 1, 0), min(r + 2, h)):
                    for j in range(max(c - 1, 0), min(c + 2, w)):
                        alike += label[i, j] == current
                        others += label[i, j] != current and label[i, j] != OUTSIDE
                if current > 0 and others == 0:  # any other label costs all bonds
                    off = (
                        z[r, c] - plane[current, 0] * c * cell + plane[current, 1] * r * cell - plane[current, 2]
                    ) / sigma
                    if off * off <= bond * (alike - 1):
                        continue
                n = 1
                tried[0] = FREE
                for i in range(max(r - _REACH, 0), min(r + _REACH + 1, h)):
                    for j in range(max(c - _REACH, 0), min(c + _REACH + 1, w)):
                        k = label[i, j]
                        new = k > 0
                        for t in range(n):
                            new = new and tried[t] != k
                        if new:
                            tried[n] = k
                            n += 1
                best, best_cost = current, np.inf
                for t in range(n):
                    k = tried[t]
                    cost = none_cost
                    if k > 0:
                        off = (z[r, c] - plane[k, 0] * c * cell + plane[k, 1] * r * cell - plane[k, 2]) / sigma
                        cost = off * off
                    for i in range(max(r - 1, 0), min(r + 2, h)):
                        for j in range(max(c - 1, 0), min(c + 2, w)):
                            if label[i, j] != OUTSIDE and label[i, j] != k and (i != r or j != c):
                                cost += bond
                    if cost < best_cost:
                        best, best_cost = k, cost
                if best != current:
                    label[r, c] = best
                    changed += 1
        if changed == 0:
            break


@jit
def split(label: I4, plane: F8, least_m2: float, cell: float, least_core: float) -> tuple[int, F8]:
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
    members = np.empty(h * w, dtype=np.int32)
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
            members[n] = at
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
            piece[members[t] // w, members[t] % w] = n_label if keep else -1
    for r in range(h):
        for c in range(w):
            if label[r, c] > 0:
                label[r, c] = piece[r, c] if piece[r, c] > 0 else FREE
    return n_label, kept[: n_label + 1].copy()


@jit
def straighten(patch: Patch, plane: F8, sweeps: int, limit: float) -> None:
    """Draw the border of two planes along the line where they meet.

    Along a ridge or hip the roof is the lower of its two planes, in a valley the higher. Which of them, the cells
    within two of the border say; at a step they disagree, and nothing is moved. No cell goes to a plane further than
    `limit` from it [m].
    """
    z, label, cell = patch
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
                z_label = plane[k, 0] * c * cell - plane[k, 1] * r * cell + plane[k, 2]
                for i in range(max(r - _REACH, 0), min(r + _REACH + 1, h)):
                    for j in range(max(c - _REACH, 0), min(c + _REACH + 1, w)):
                        other = label[i, j]
                        if other <= 0 or other == label[r, c] or other == last:
                            continue
                        last = other
                        z_other = plane[other, 0] * c * cell - plane[other, 1] * r * cell + plane[other, 2]
                        lower = z_other < z_label
                        low, high = min(label[r, c], other), max(label[r, c], other)
                        if sweep == 0:
                            votes[low, high, 1 if lower else 0] += 1  # 0: the lower of the two is the roof
                            continue
                        ridge, valley = votes[low, high, 0], votes[low, high, 1]
                        clear = ridge > 3 * valley if lower else valley > 3 * ridge
                        if clear and abs(z[r, c] - z_other) <= limit:
                            label[r, c] = other
                            z_label = z_other


@jit
def spread(label: I4, inside: B1, beyond: int) -> I4:
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
def outlines(host: I4, n_label: int) -> tuple[I4, I4, I4]:
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
