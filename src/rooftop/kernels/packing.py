"""Rows of rectangles in a polygon: which strips are free, which rows to take, how much of a box the polygon fills.

Everything is in row coordinates: u along the rows, v across them, metres. The polygon is given by its edges
``(u0, v0, u1, v1)`` in any order; exteriors run counter-clockwise and holes clockwise where areas are asked for.
A rectangle lies inside when no edge enters its interior and its middle is inside; an edge blocks, of a strip, exactly
the u-extent of its part within the strip. So nothing is sampled along u.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from rooftop.core.types import F8, I8
from rooftop.kernels import jit, jit_inline

SLACK_M = 1e-6
"""What an edge may reach into a strip, and what a run may exceed its room by: rounding of turned coordinates."""


_HEARD = 64  # the longest edges alone say where walls run


class RowSize(NamedTuple):
    """A row covers ``v .. v + depth``, the next one starts at ``v + pitch`` or later.

    Along it rectangles of `width` stand `gap` apart.
    """

    depth: float
    pitch: float
    width: float
    gap: float


class Runs(NamedTuple):
    """Rectangles side by side: in which row, where the first begins along u, how many there are; each (n_runs,)."""

    row: I8
    start: F8
    number: I8


class _Strip(NamedTuple):
    """Scratch of a strip: the edges that enter it and the u-extent they block; runs' starts and numbers; each (m,)."""

    active: I8
    left: F8
    right: F8
    start: F8
    number: I8


@jit
def turned_edges(edges: F8, along: F8, up: F8) -> F8:
    """Return plan edges in row coordinates, by their lower end, so that strips can be swept upwards.

    Parameters
    ----------
    edges : (m, 4)
        ``(x0, y0, x1, y1)``.
    along, up : (2,)
        What u and v are of a plan vector.
    """
    turned = np.empty_like(edges)
    for end in (0, 2):
        turned[:, end] = edges[:, end] * along[0] + edges[:, end + 1] * along[1]
        turned[:, end + 1] = edges[:, end] * up[0] + edges[:, end + 1] * up[1]
    return turned[np.argsort(np.minimum(turned[:, 1], turned[:, 3]))]


@jit
def main_levels(edges: F8, most: int) -> F8:
    """Return the heights v of the ends of the edges that run furthest along u, at most `most` edges."""
    order = np.argsort(-np.abs(edges[:, 2] - edges[:, 0]))[:most]
    levels = np.sort(np.concatenate((edges[order, 1], edges[order, 3])))
    kept = 1
    for k in range(1, len(levels)):
        if levels[k] - levels[kept - 1] > SLACK_M:
            levels[kept] = levels[k]
            kept += 1
    return levels[:kept].copy()


@jit
def row_positions(edges: F8, levels: F8, size: RowSize, steps: int) -> F8:
    """Return where rows may start: a lattice of `steps` per pitch, and rows in step with each level.

    Parameters
    ----------
    edges : (m, 4)
    levels : (k,)
        Heights v at which rows should be able to start or end, whole pitches away included.
    size : RowSize
    steps : int

    Returns
    -------
    (n,) ascending, in the range that the polygon covers.
    """
    depth, pitch = size.depth, size.pitch
    bottom = min(edges[:, 1].min(), edges[:, 3].min())
    room = max(edges[:, 1].max(), edges[:, 3].max()) - depth + SLACK_M - bottom
    if room < 0.0:
        return np.empty(0)
    step = pitch / steps
    n_lattice = int(room / step) + 1
    n_level = int(room / pitch) + 2
    starts = np.empty(n_lattice + 2 * len(levels) * n_level)
    for k in range(n_lattice):
        starts[k] = k * step
    n = n_lattice
    for level in levels:
        for anchor in (level - bottom, level - bottom - depth):
            at = anchor - np.floor(anchor / pitch) * pitch
            while at <= room and n < len(starts):
                starts[n] = at
                n += 1
                at += pitch
    starts = np.sort(starts[:n])
    kept = 1
    for k in range(1, n):
        if starts[k] - starts[kept - 1] > SLACK_M:
            starts[kept] = starts[k]
            kept += 1
    return bottom + starts[:kept]


@jit_inline
def _new_strip(m: int) -> _Strip:
    return _Strip(np.empty(m, np.int64), np.empty(m), np.empty(m), np.empty(m), np.empty(m, np.int64))


@jit_inline
def _activate(edges: F8, v: float, depth: float, active: I8, n_active: int, following: int) -> tuple[int, int]:
    """Keep in `active` the edges that enter the strip; return their number and the next edge to look at."""
    kept = 0
    for k in range(n_active):
        e = active[k]
        if max(edges[e, 1], edges[e, 3]) > v + SLACK_M:
            active[kept] = e
            kept += 1
    top = v + depth - SLACK_M
    while following < len(edges) and min(edges[following, 1], edges[following, 3]) < top:
        if max(edges[following, 1], edges[following, 3]) > v + SLACK_M:
            active[kept] = following
            kept += 1
        following += 1
    return kept, following


@jit_inline
def _block(edges: F8, v: float, depth: float, strip: _Strip, n_active: int) -> None:
    """Set the u-extent of each active edge within the strip, and sort the edges by its left end."""
    active, left, right = strip.active, strip.left, strip.right
    low, high = v + SLACK_M, v + depth - SLACK_M
    for k in range(n_active):
        e = active[k]
        u0, v0, u1, v1 = edges[e, 0], edges[e, 1], edges[e, 2], edges[e, 3]
        if v0 > v1:
            u0, v0, u1, v1 = u1, v1, u0, v0
        a, b = u0, u1
        if v0 < low:
            a = u0 + (u1 - u0) * (low - v0) / (v1 - v0)
        if v1 > high:
            b = u0 + (u1 - u0) * (high - v0) / (v1 - v0)
        if a > b:
            a, b = b, a
        m = k
        while m > 0 and left[m - 1] > a:
            left[m], right[m], active[m] = left[m - 1], right[m - 1], active[m - 1]
            m -= 1
        left[m], right[m], active[m] = a, b, e


@jit_inline
def _fill(edges: F8, v: float, size: RowSize, strip: _Strip, n_active: int) -> int:
    """Fill the free intervals of a strip, each run in the middle of its interval; return the number of runs."""
    active, left, right, start, number = strip
    width, gap = size.width, size.gap
    middle = v + 0.5 * size.depth
    n_runs = 0
    inside = False
    reach = left[0] if n_active else 0.0
    ends = -1e300
    for k in range(n_active):
        if inside and left[k] > reach:
            begin = max(reach, ends + gap)
            room = left[k] - begin
            n = int(np.floor((room + gap + SLACK_M) / (width + gap)))
            if n > 0:
                taken = n * (width + gap) - gap
                start[n_runs] = begin + 0.5 * (room - taken)
                number[n_runs] = n
                ends = start[n_runs] + taken
                n_runs += 1
        e = active[k]
        if (edges[e, 1] > middle) != (edges[e, 3] > middle):
            inside = not inside
        if right[k] > reach:
            reach = right[k]
    return n_runs


@jit
def row_counts(edges: F8, positions: F8, size: RowSize) -> I8:
    """Return how many rectangles a row holds at each position.

    Parameters
    ----------
    edges : (m, 4)
        From :func:`turned_edges`.
    positions : (n,)
        Ascending starts v of the row.
    size : RowSize
    """
    strip = _new_strip(len(edges))
    counts = np.zeros(len(positions), np.int64)
    n_active = following = 0
    for k in range(len(positions)):
        v = positions[k]
        n_active, following = _activate(edges, v, size.depth, strip.active, n_active, following)
        _block(edges, v, size.depth, strip, n_active)
        n_runs = _fill(edges, v, size, strip, n_active)
        for r in range(n_runs):
            counts[k] += strip.number[r]
    return counts


@jit
def best_rows(positions: F8, counts: I8, pitch: float) -> tuple[F8, int]:
    """Return the starts of the rows that together hold most, and how much; none nearer to the next than the pitch.

    Exact for the given positions (dynamic programming over them); among equals, the rows lie lowest.
    """
    n = len(positions)
    total, before = np.zeros(n + 1, np.int64), np.zeros(n, np.int64)
    j = 0
    for k in range(n):
        while positions[j] <= positions[k] - pitch + SLACK_M:
            j += 1
        before[k] = j
        total[k + 1] = max(total[k], total[j] + counts[k])
    rows = np.empty(n)
    n_rows = 0
    k = n
    while k > 0:
        if total[k] == total[k - 1]:
            k -= 1
        else:
            rows[n_rows] = positions[k - 1]
            n_rows += 1
            k = before[k - 1]
    return rows[:n_rows][::-1].copy(), total[n]


@jit
def most_places(edges: F8, along: F8, up: F8, sizes: F8, steps: int, levels: int) -> I8:
    """Return how many rectangles fit into a polygon for each row of `sizes`: depth, pitch, width, gap.

    `edges`, `along` and `up` as in :func:`turned_edges`; `steps` and `levels` say how finely rows' starts are searched.
    """
    most = np.zeros(len(sizes), np.int64)
    turned = turned_edges(edges, along, up)
    ends = main_levels(turned, levels)
    for k in range(len(sizes)):
        size = RowSize(sizes[k, 0], sizes[k, 1], sizes[k, 2], sizes[k, 3])
        positions = row_positions(turned, ends, size, steps)
        if len(positions) > 0:
            most[k] = best_rows(positions, row_counts(turned, positions, size), size.pitch)[1]
    return most


@jit
def rows_of(edges: F8, size: RowSize, steps: int, levels: int) -> F8:
    """Return the starts of the rows that hold most, for edges from :func:`turned_edges`."""
    positions = row_positions(edges, main_levels(edges, levels), size, steps)
    if len(positions) == 0:
        return positions
    return best_rows(positions, row_counts(edges, positions, size), size.pitch)[0]


@jit
def fill_rows(edges: F8, rows: F8, size: RowSize) -> Runs:
    """Return the runs of the given rows."""
    m = len(edges)
    strip = _new_strip(m)
    of_row, at, number = np.empty(m * len(rows), np.int64), np.empty(m * len(rows)), np.empty(m * len(rows), np.int64)
    n = n_active = following = 0
    for k in range(len(rows)):
        n_active, following = _activate(edges, rows[k], size.depth, strip.active, n_active, following)
        _block(edges, rows[k], size.depth, strip, n_active)
        n_runs = _fill(edges, rows[k], size, strip, n_active)
        for r in range(n_runs):
            of_row[n], at[n], number[n] = k, strip.start[r], strip.number[r]
            n += 1
    return Runs(of_row[:n].copy(), at[:n].copy(), number[:n].copy())


@jit
def box_area(edges: F8, u_low: float, u_high: float, v_low: float, v_high: float) -> float:
    """Return the area of the polygon within a box, exactly: by Green, each edge's u held within the box."""
    area = 0.0
    width = u_high - u_low
    for k in range(len(edges)):
        u0, v0, u1, v1 = edges[k, 0] - u_low, edges[k, 1], edges[k, 2] - u_low, edges[k, 3]
        sign = 1.0
        if v0 > v1:
            u0, v0, u1, v1, sign = u1, v1, u0, v0, -1.0
        low, high = max(v0, v_low), min(v1, v_high)
        if low >= high:
            continue
        slope = (u1 - u0) / (v1 - v0)
        a, b = u0 + slope * (low - v0), u0 + slope * (high - v0)
        if a > b:
            a, b = b, a
        # mean over v of min(max(u, 0), width) for u linear from a to b
        if b - a < 1e-12:
            mean = min(max(a, 0.0), width)
        else:
            above, below = min(max(b, 0.0), width), min(max(a, 0.0), width)
            mean = (0.5 * (above * above - below * below) + width * max(b - max(a, width), 0.0)) / (b - a)
        area += sign * mean * (high - low)
    return area


@jit
def array_area(edges: F8, rows: F8, runs: Runs, size: RowSize) -> float:
    """Return the footprint of the rows with the gaps between them, as far as the polygon reaches.

    A row's gap counts where the next row stands behind it, up to the pitch.
    """
    row, start, number = runs
    depth, pitch, width, gap = size
    area = 0.0
    n = len(row)
    for k in range(n):
        begin, end = start[k], start[k] + number[k] * (width + gap) - gap
        area += (end - begin) * depth
        low, high = rows[row[k]] + depth, rows[row[k]] + pitch
        if high <= low:
            continue
        for m in range(k + 1, n):
            if row[m] == row[k]:
                continue
            if row[m] > row[k] + 1:
                break
            a, b = max(begin, start[m]), min(end, start[m] + number[m] * (width + gap) - gap)
            if b > a:
                area += box_area(edges, a, b, low, high)
    return area


@jit
def wall_directions(edges: F8, most: int, shortest: float) -> F8:
    """Return the directions of most edge length, turns by a right angle counting as the same, in [0, π/2) radians.

    All edges within 0.5° of an edge support its direction; the answer is their mean, weighted by length. What supports
    one direction is not heard for the next. At most `most`, each of more than `shortest` metres; at least one.
    """
    quarter, near = 0.5 * np.pi, np.radians(0.5)
    du, dv = edges[:, 2] - edges[:, 0], edges[:, 3] - edges[:, 1]
    length, angle = np.hypot(du, dv), np.arctan2(dv, du) % quarter
    order = np.argsort(-length)[:_HEARD]
    directions = np.empty(most)
    n = 0
    while n < most:
        best, longest = -1, 0.0
        for k in order:
            support = 0.0
            for m in order:
                off = (angle[m] - angle[k] + 0.5 * quarter) % quarter - 0.5 * quarter
                if abs(off) < near:
                    support += length[m]
            if support > longest * (1.0 + 1e-9):
                best, longest = k, support
        if best < 0 or (n > 0 and longest <= shortest):
            break
        turn, centre = 0.0, angle[best]
        for m in order:
            off = (angle[m] - centre + 0.5 * quarter) % quarter - 0.5 * quarter
            if abs(off) < near:
                turn += length[m] * off
                length[m] = 0.0
        directions[n] = (centre + turn / longest) % quarter
        n += 1
    return directions[:n]
