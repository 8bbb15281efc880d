"""AC power of every interval of a year behind given horizons, many roofs side by side.

A record is one sun, or the suns of an interval whose beam does not reach the plane. Its DC power, as a share of the
inverter's limit, is a polynomial in what a roof sees: s of the isotropic sky, b of the horizon band, v of the beam,

``c0 + c1 s + c2 b + c3 s^2 + c4 s b + c5 b^2 + v (c6 + c7 s + c8 b)``

AC power as a share of its limit is ``(p dc + q) dc + w``, between 0 and 1. Where irradiance factors have several nodes,
DC is their weighted sum.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from rooftop.core.types import F4, F8, I4, I8
from rooftop.kernels import jit, jit_fused

BEAMLESS, BEAM = 0, 1
"""Kinds of records."""

LANES = 128
"""Roofs whose years are computed side by side: the inner loops run over them and need no look-ups."""

SPAN = 240
"""Intervals computed before they are written to the places of each roof."""

GROUP_LANES = 16
"""Groups side by side: what they see of every sector above every edge fits the cache."""


class Records(NamedTuple):
    """The suns of a year.

    Parameters
    ----------
    start : (m + 1,) int32
        Where the records of each interval begin.
    month : (m,) int32
        0 to 11.
    kind : (n_record,) int32
    sector : (n_record, 2) int32
        Directions to the left and to the right of the sun.
    edge : (n_record,) int32
        Edge of elevation below the sun.
    sun : (n_record, 4) float32
        Elevation, degrees; shares of the beam that the left and the right direction decide over; share of the interval.
    coefficient : (n_record, F, 9) float32
    inverter : (5,) float32
        p, q, w; DC from which on AC is positive; AC at the limit [W].
    """

    start: I4
    month: I4
    kind: I4
    sector: I4
    edge: I4
    sun: F4
    coefficient: F4
    inverter: F4


class HourlyGroups(NamedTuple):
    """Cells by their groups.

    Parameters
    ----------
    cells : (n,) int64
        Rows of the horizons, group after group.
    start : (n_group + 1,) int64
        Where each group begins in `cells`.
    """

    cells: I8
    start: I8


class Edges(NamedTuple):
    """Edges of elevation between which visibility is linear; suns stand between an edge and the next."""

    per_deg: int
    number: int


@jit_fused
def rows_year(horizon: F4, moment: F4, weight: F4, records: Records, out: F4) -> None:
    """AC power of roofs with one horizon each.

    Parameters
    ----------
    horizon : (n, n_azimuth) float32
        Degrees.
    moment : (5, n) float32
        s, b, s^2, s b, b^2 of each roof.
    weight : (12, F, n) float32
        Weights of the factor nodes; not read when there is one node.
    records : Records
    out : (n, m) float32
        [W].
    """
    start, month, kind, sector, _, sun, coefficient, inverter = records
    n, n_azimuth = horizon.shape
    n_interval, n_node = start.size - 1, coefficient.shape[1]
    around = np.empty(n_azimuth * LANES, np.float32)
    part = np.zeros(5 * LANES, np.float32)
    node = np.zeros((12, n_node, LANES), np.float32)
    seen = np.empty(LANES, np.float32)
    dc = np.empty(LANES, np.float32)
    power = np.empty((SPAN, LANES + 16), np.float32)
    for first in range(0, n, LANES):
        size = min(LANES, n - first)
        for lane in range(size):
            for k in range(n_azimuth):
                around[k * LANES + lane] = horizon[first + lane, k]
            for j in range(5):
                part[j * LANES + lane] = moment[j, first + lane]
            node[:, :, lane] = weight[:, :, first + lane]
        for begin in range(0, n_interval, SPAN):
            end = min(begin + SPAN, n_interval)
            power[:] = np.float32(0.0)
            for i in range(begin, end):
                total = power[i - begin]
                for r in range(start[i], start[i + 1]):
                    left, right = sector[r, 0] * LANES, sector[r, 1] * LANES
                    if n_node > 1:
                        _see(left, right, around, kind[r] == BEAM, sun[r], seen)
                        dc[:] = np.float32(0.0)
                        for f in range(n_node):
                            _add_node(part, seen, coefficient[r, f], node[month[i], f], dc)
                        _add_ac(dc, sun[r, 3], inverter, total)
                    elif kind[r] == BEAM:
                        _add_beam(r, (left, right), around, part, (sun, coefficient, inverter), total)
                    else:
                        _add_beamless(r, part, (sun, coefficient, inverter), total)
            for lane in range(size):
                _put(power, np.uint64(lane), inverter[4], out[first + lane, begin:end])


@jit_fused
def _add_beam(r: int, sectors: tuple[int, int], around: F4, part: F4, suns: tuple[F4, F4, F4], total: F4) -> None:
    sun, coefficient, inverter = suns
    at, to = sectors
    one, none = np.float32(1.0), np.float32(0.0)
    elevation, share_left, share_right, duration = sun[r, 0], sun[r, 1], sun[r, 2], sun[r, 3]
    p, q, w, least = inverter[0], inverter[1], inverter[2], inverter[3]
    c0, c1, c2 = coefficient[r, 0, 0], coefficient[r, 0, 1], coefficient[r, 0, 2]
    c3, c4, c5 = coefficient[r, 0, 3], coefficient[r, 0, 4], coefficient[r, 0, 5]
    c6, c7, c8 = coefficient[r, 0, 6], coefficient[r, 0, 7], coefficient[r, 0, 8]
    left, right = around[at : at + LANES], around[to : to + LANES]
    for lane in range(LANES):
        seen = share_left if elevation > left[lane] else none
        seen += share_right if elevation > right[lane] else none
        s, b = part[lane], part[lane + LANES]
        dc = c0 + c1 * s + c2 * b + c3 * part[lane + 2 * LANES]
        dc += c4 * part[lane + 3 * LANES] + c5 * part[lane + 4 * LANES] + seen * (c6 + c7 * s + c8 * b)
        dc = dc if dc > least else least
        ac = (p * dc + q) * dc + w
        total[lane] += duration * (ac if ac < one else one)


@jit_fused
def _add_beamless(r: int, part: F4, suns: tuple[F4, F4, F4], total: F4) -> None:
    sun, coefficient, inverter = suns
    one = np.float32(1.0)
    duration = sun[r, 3]
    p, q, w, least = inverter[0], inverter[1], inverter[2], inverter[3]
    c0, c1, c2 = coefficient[r, 0, 0], coefficient[r, 0, 1], coefficient[r, 0, 2]
    c3, c4, c5 = coefficient[r, 0, 3], coefficient[r, 0, 4], coefficient[r, 0, 5]
    for lane in range(LANES):
        dc = c0 + c1 * part[lane] + c2 * part[lane + LANES] + c3 * part[lane + 2 * LANES]
        dc += c4 * part[lane + 3 * LANES] + c5 * part[lane + 4 * LANES]
        dc = dc if dc > least else least
        ac = (p * dc + q) * dc + w
        total[lane] += duration * (ac if ac < one else one)


@jit_fused
def _see(at: int, to: int, around: F4, is_beam: bool, sun: F4, seen: F4) -> None:
    none = np.float32(0.0)
    elevation, share_left, share_right = sun[0], sun[1] * np.float32(is_beam), sun[2] * np.float32(is_beam)
    left, right = around[at : at + LANES], around[to : to + LANES]
    for lane in range(LANES):
        visible = share_left if elevation > left[lane] else none
        visible += share_right if elevation > right[lane] else none
        seen[lane] = visible


@jit_fused
def _add_node(part: F4, seen: F4, c: F4, node: F4, dc: F4) -> None:
    c0, c1, c2, c3, c4, c5, c6, c7, c8 = c[0], c[1], c[2], c[3], c[4], c[5], c[6], c[7], c[8]
    for lane in range(LANES):
        s, b = part[lane], part[lane + LANES]
        base = c0 + c1 * s + c2 * b + c3 * part[lane + 2 * LANES]
        base += c4 * part[lane + 3 * LANES] + c5 * part[lane + 4 * LANES] + seen[lane] * (c6 + c7 * s + c8 * b)
        dc[lane] += node[lane] * base


@jit_fused
def _add_ac(dc: F4, duration: float, inverter: F4, total: F4) -> None:
    one = np.float32(1.0)
    p, q, w, least = inverter[0], inverter[1], inverter[2], inverter[3]
    for lane in range(dc.size):
        given = dc[lane] if dc[lane] > least else least
        ac = (p * given + q) * given + w
        total[lane] += duration * (ac if ac < one else one)


@jit_fused
def _put(power: F4, lane: np.uint64, limit: float, row: F4) -> None:
    for i in range(np.uint64(row.size)):
        row[i] = power[i, lane] * limit


@jit_fused
def groups_year(
    groups: HourlyGroups, horizon: F4, visible: F8, edges: Edges, weight: F4, records: Records, out: F4
) -> None:
    """AC power of groups of cells that share an inverter: DC is averaged over a group's cells, then limited.

    A group's cells are first gathered to what they see of every sector above every edge; a year then costs the same
    whatever their number.

    Parameters
    ----------
    groups : HourlyGroups
    horizon : (n_cells, n_azimuth) float32
        Degrees.
    visible : (n_cells, 2) float64
        s and b of each cell.
    edges : Edges
    weight : (12, F, n_group) float32
    records : Records
    out : (n_group, m) float32
        [W].
    """
    order, cell_start = groups
    start, month, _, sector, edge, sun, coefficient, inverter = records
    n_edge = edges.number
    n_azimuth, n_interval = horizon.shape[1], start.size - 1
    n_group, n_node = cell_start.size - 1, coefficient.shape[1]
    pitch = 3 * GROUP_LANES
    view = np.empty(n_azimuth * (n_edge + 1) * pitch, np.float32)
    part = np.empty(5 * GROUP_LANES, np.float32)
    node = np.empty(12 * n_node * GROUP_LANES, np.float32)
    seen = np.empty(3 * GROUP_LANES, np.float32)
    dc = np.zeros(GROUP_LANES, np.float32)
    total = np.empty(GROUP_LANES, np.float32)
    for first in range(0, n_group, GROUP_LANES):
        size = min(GROUP_LANES, n_group - first)
        view[:] = np.float32(0.0)
        part[:] = np.float32(0.0)
        node[:] = np.float32(0.0)
        for lane in range(size):
            cells = order[cell_start[first + lane] : cell_start[first + lane + 1]]
            _gather(cells, horizon, visible, edges, lane, part, view)
            for m in range(12):
                for f in range(n_node):
                    node[(m * n_node + f) * GROUP_LANES + lane] = weight[m, f, first + lane]
        for k in range(n_azimuth):
            for j in range(1, n_edge + 1):
                _add_edge(view, (k * (n_edge + 1) + j) * pitch)
        for i in range(n_interval):
            total[:] = np.float32(0.0)
            for r in range(start[i], start[i + 1]):
                left = (sector[r, 0] * (n_edge + 1) + edge[r]) * pitch
                right = (sector[r, 1] * (n_edge + 1) + edge[r]) * pitch
                _mix(r, left, right, view, sun, seen)
                for f in range(n_node):
                    _set_group((r, f, month[i]), part, seen, coefficient, node, dc)
                _add_ac(dc, sun[r, 3], inverter, total)
            for lane in range(size):
                out[first + lane, i] = total[lane] * inverter[4]


@jit
def _gather(cells: I8, horizon: F4, visible: F8, edges: Edges, lane: int, part: F4, view: F4) -> None:
    edges_per_deg, n_edge = edges
    for i in cells:
        s, b = visible[i, 0], visible[i, 1]
        share = 1.0 / cells.size
        part[lane] += np.float32(share * s)
        part[lane + GROUP_LANES] += np.float32(share * b)
        part[lane + 2 * GROUP_LANES] += np.float32(share * s * s)
        part[lane + 3 * GROUP_LANES] += np.float32(share * s * b)
        part[lane + 4 * GROUP_LANES] += np.float32(share * b * b)
        for k in range(horizon.shape[1]):
            place = min(max(horizon[i, k], 0.0) * edges_per_deg, n_edge - 1.0)
            j = int(place)
            above = (place - j) * share
            below = share - above
            at = (k * (n_edge + 1) + j) * 3 * GROUP_LANES + lane
            to = at + 3 * GROUP_LANES
            view[at] += np.float32(below)
            view[at + GROUP_LANES] += np.float32(below * s)
            view[at + 2 * GROUP_LANES] += np.float32(below * b)
            view[to] += np.float32(above)
            view[to + GROUP_LANES] += np.float32(above * s)
            view[to + 2 * GROUP_LANES] += np.float32(above * b)


@jit_fused
def _add_edge(view: F4, at: int) -> None:
    below, current = view[at - 3 * GROUP_LANES : at], view[at : at + 3 * GROUP_LANES]
    for lane in range(3 * GROUP_LANES):
        current[lane] += below[lane]


@jit_fused
def _mix(r: int, left: int, right: int, view: F4, sun: F4, seen: F4) -> None:
    share_left, share_right = sun[r, 1], sun[r, 2]
    a, b = view[left : left + 3 * GROUP_LANES], view[right : right + 3 * GROUP_LANES]
    for lane in range(3 * GROUP_LANES):
        seen[lane] = share_left * a[lane] + share_right * b[lane]


@jit_fused
def _set_group(which: tuple[int, int, int], part: F4, seen: F4, coefficient: F4, node: F4, dc: F4) -> None:
    r, f, month = which
    c0, c1, c2 = coefficient[r, f, 0], coefficient[r, f, 1], coefficient[r, f, 2]
    c3, c4, c5 = coefficient[r, f, 3], coefficient[r, f, 4], coefficient[r, f, 5]
    c6, c7, c8 = coefficient[r, f, 6], coefficient[r, f, 7], coefficient[r, f, 8]
    keep = np.float32(f > 0)
    at = (month * coefficient.shape[1] + f) * GROUP_LANES
    weight = node[at : at + GROUP_LANES]
    for lane in range(GROUP_LANES):
        base = c0 + c1 * part[lane] + c2 * part[lane + GROUP_LANES] + c3 * part[lane + 2 * GROUP_LANES]
        base += c4 * part[lane + 3 * GROUP_LANES] + c5 * part[lane + 4 * GROUP_LANES]
        base += c6 * seen[lane] + c7 * seen[lane + GROUP_LANES] + c8 * seen[lane + 2 * GROUP_LANES]
        dc[lane] = keep * dc[lane] + weight[lane] * base
