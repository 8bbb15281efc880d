"""Cumulative-sky tables: filling them from suns, reading a year out of them."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from rooftop.core.types import F4, F8, I4, I8
from rooftop.kernels import jit, jit_inline

#: Horizon elevation is tabulated at this many edges per degree, from 0 to 90 degrees.
EDGES_PER_DEG = 2
N_EDGE = 90 * EDGES_PER_DEG + 1
#: Shares of lit cells of a group at which the gain from pooling is known, beside 0 and 1, where there is none.
LIT = (0.25, 0.5, 0.75)
_LINE = 8  # values of a look-up side by side: one cache line
_EVEN = 1e-3  # a share of lit cells this close to 0 or 1 gains nothing
_ANGLE = np.radians(np.arange(N_EDGE) / EDGES_PER_DEG)
_COS2 = np.cos(_ANGLE) ** 2
_WEDGE = 0.5 * np.pi - _ANGLE - 0.5 * np.sin(2.0 * _ANGLE)


@jit
def fill(azimuth_deg: F8, elevation_deg: F8, month: I8, values: F8, n_azimuth: int) -> F8:
    """Sum what each sun gives, per sector and month, over the suns above each horizon elevation.

    A sun between two sector directions is shared between them in proportion to its nearness, so that a table read
    with one horizon per sector answers for a horizon that is linear in between, around the whole circle.

    Parameters
    ----------
    azimuth_deg, elevation_deg : (n,) float64
        Sun, degrees; azimuth clockwise from north. Suns at or below 0 degrees are ignored.
    month : (n,) int64
        0 to 11.
    values : (n, c) float64
        What the sun gives.
    n_azimuth : int
        Sectors; sector k looks towards ``k * 360 / n_azimuth``.

    Returns
    -------
    (n_azimuth, N_EDGE, c, 12) float64
        Entry ``[k, j]``: the sum over suns above ``j / EDGES_PER_DEG`` degrees.
    """
    n_value = values.shape[1]
    table = np.zeros((n_azimuth, N_EDGE, n_value, 12))
    for i in range(azimuth_deg.size):
        if elevation_deg[i] <= 0.0:
            continue
        place = (azimuth_deg[i] % 360.0) * n_azimuth / 360.0
        k0 = int(place)
        share = place - k0
        k0 %= n_azimuth
        k1 = (k0 + 1) % n_azimuth
        j = min(int(elevation_deg[i] * EDGES_PER_DEG), N_EDGE - 1)
        m = month[i]
        for c in range(n_value):
            table[k0, j, c, m] += (1.0 - share) * values[i, c]
            table[k1, j, c, m] += share * values[i, c]
    for k in range(n_azimuth):
        for j in range(N_EDGE - 2, -1, -1):
            for c in range(n_value):
                for m in range(12):
                    table[k, j, c, m] += table[k, j + 1, c, m]
    return table


@jit
def merge_rows(table: F8, row_horizon_deg: F8, out: F8) -> None:
    """Average a table over positions on the slant of a row, each behind its own row horizon.

    Parameters
    ----------
    table : (n_azimuth, N_EDGE, c) float
        Cumulative table of the plane without rows.
    row_horizon_deg : (n_position, n_azimuth) float64
        Horizon made by the row in front, degrees; in each sector falling from position to position.
    out : (n_azimuth, N_EDGE, c)
        Filled with the mean over positions of ``table[k, max(h, row_horizon)]``.
    """
    n_azimuth, n_edge, n_value = table.shape
    n_position = row_horizon_deg.shape[0]
    behind = np.zeros(n_value)
    for k in range(n_azimuth):
        behind[:] = 0.0
        p = 0
        for j in range(n_edge - 1, -1, -1):
            while p < n_position:
                edge, t = _place(row_horizon_deg[p, k])
                if edge + t <= j:
                    break
                for c in range(n_value):
                    behind[c] += (1.0 - t) * table[k, edge, c] + t * table[k, edge + 1, c]
                p += 1
            for c in range(n_value):
                out[k, j, c] = (behind[c] + (n_position - p) * table[k, j, c]) / n_position


@jit
def _place(horizon_deg: float) -> tuple[int, float]:
    place = min(max(horizon_deg, 0.0) * EDGES_PER_DEG, N_EDGE - 1.0)
    j = min(int(place), N_EDGE - 2)
    return j, place - j


@jit
def read_cells(table: F8, horizon: F4, azimuth: I8, share: F8, out: F8) -> None:
    """Read a table once per cell: ``out[i] = sum over k of share[k] * table[azimuth[k], horizon[i, k]]``.

    Parameters
    ----------
    table : (n_azimuth, N_EDGE, c) float
    horizon : (n, n_column) float32
        Degrees.
    azimuth, share : (n_column,)
        As in :class:`rooftop.solar.skylines.Skylines`.
    out : (n, c) float64
    """
    for i in range(horizon.shape[0]):
        for c in range(table.shape[2]):
            out[i, c] = 0.0
        for k in range(horizon.shape[1]):
            j, t = _place(horizon[i, k])
            sector_table = table[azimuth[k]]
            for c in range(table.shape[2]):
                out[i, c] += share[k] * ((1.0 - t) * sector_table[j, c] + t * sector_table[j + 1, c])


def look_up_rows(table: F8) -> F8:
    """Lay out a table so that one cache line answers a look-up: four values, then their steps to the next edge.

    Parameters
    ----------
    table : (n_azimuth, N_EDGE, c) float64
        Up to four columns.

    Returns
    -------
    (n_azimuth * N_EDGE * 8,) float64
    """
    rows = np.zeros((*table.shape[:2], _LINE))
    rows[:, :, : table.shape[2]] = table
    rows[:, :-1, 4:] = np.diff(rows[:, :, :4], axis=1)
    return rows.ravel()


class YearGroups(NamedTuple):
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


class Columns(NamedTuple):
    """Horizons as in :class:`rooftop.solar.skylines.Skylines`.

    Parameters
    ----------
    degrees : (n_cells, n_column) float32
    azimuth, share : (n_column,)
    """

    degrees: F4
    azimuth: I8
    share: F8


class YearTables(NamedTuple):
    """What a year is read from.

    Parameters
    ----------
    rows : (n_azimuth * N_EDGE * 8,) float64
        `look_up_rows` of: visible share of the isotropic sky, of the horizon band (a free plane's sum to 1 over the
        sectors), annual irradiation.
    least : float
        Annual irradiation below which a cell takes no part.
    poa : (n_azimuth * N_EDGE, p) float32
    ac : (n_azimuth * N_EDGE, 4 * p) float32
        Beam part of the AC polynomial.
    pooled : (n_azimuth * N_EDGE, 3 * p) float32
        What a group yields more because its cells share an inverter, of suns between an edge and the next, at the lit
        shares :data:`LIT`.
    reach : (n_azimuth,) int64
        Edges of each sector from which on `poa` and `ac` are zero.
    """

    rows: F8
    least: float
    poa: F4
    ac: F4
    pooled: F4
    reach: I8


class GroupSums(NamedTuple):
    """What is filled.

    Parameters
    ----------
    annual : (n,) float64
        Annual irradiation of each cell.
    ok, used : (n_group,) int64
        Cells that receive at least ``least``, and cells that took part.
    moment : (n_group, 5) float64
        Sums over cells of s, b, x, x^2, y.
    poa, ac : (n_group, p) float64
    """

    annual: F8
    ok: I8
    used: I8
    moment: F8
    poa: F8
    ac: F8

    @classmethod
    def zeros(cls, n_cell: int, n_group: int, n_value: int) -> GroupSums:
        """Return sums to be filled."""
        counts = np.zeros((2, n_group), dtype=np.int64)
        wide = np.zeros((2, n_group, n_value))
        return cls(np.empty(n_cell), counts[0], counts[1], np.zeros((n_group, 5)), wide[0], wide[1])


@jit
def read_groups(groups: YearGroups, horizons: Columns, tables: YearTables, sums: GroupSums) -> bool:
    """Sum the tables over the cells of each group, in one pass over the horizons.

    Each cell first gets its visible shares of the isotropic sky (s) and of the horizon band (b) and its annual
    irradiation. With ``x = 1 - s`` and ``y = b - s`` its AC is ``sum_q w_q * AC_q`` where ``w = (1, x, x^2, y)``.
    Looking up is linear in the tables, so a group's cells are first gathered as weights on (sector, edge), one cache
    line each, and the wide tables are read once. Cells that receive less than ``least`` take no part, unless all of the
    group do.

    Returns
    -------
    bool
        A horizon was not a number.
    """
    cells, start = groups
    horizon, azimuth, share = horizons
    rows, least, poa, ac, pooled, reach = tables
    out_annual, out_ok, out_used, out_moment, out_poa, out_ac = sums
    n_azimuth, n_column = reach.size, horizon.shape[1]
    weight = np.zeros(n_azimuth * N_EDGE * _LINE)
    lowest = np.full(n_column, n_azimuth * N_EDGE, dtype=np.int32)
    highest = np.full(n_column, -1, dtype=np.int32)
    sector = (azimuth * N_EDGE).astype(np.int32)
    place = np.empty(n_column, dtype=np.int32)
    part = np.empty(n_column, dtype=np.float32)
    missing = np.int32(0)
    for g in range(start.size - 1):
        for every in range(2):
            for a in range(start[g], start[g + 1]):
                missing |= _find_places(horizon[cells[a]], sector, place, part, lowest, highest)
                s, b, annual = _look_up(rows, place, part, share)
                out_annual[a] = annual
                if annual >= least:
                    out_ok[g] += 1
                elif every == 0:
                    continue
                out_used[g] += 1
                x = 1.0 - s
                out_moment[g, 0] += s
                out_moment[g, 1] += b
                out_moment[g, 2] += x
                out_moment[g, 3] += x * x
                out_moment[g, 4] += b - s
                _add_weights(weight, place, part, share, x, b - s)
            if out_used[g] > 0:
                break
        for other in range(n_azimuth, n_column):
            k = azimuth[other]
            lowest[k], highest[k] = min(lowest[k], lowest[other]), max(highest[k], highest[other])
            lowest[other], highest[other] = n_azimuth * N_EDGE, -1
        for k in range(n_azimuth):
            top = min(highest[k] + 2, (k + 1) * N_EDGE)
            stop = min(top, k * N_EDGE + reach[k])
            _read_wide(weight, lowest[k], stop, poa, ac, out_poa[g], out_ac[g])
            if out_used[g] > 1:
                _read_pooled(weight, lowest[k], stop, out_used[g], pooled, out_ac[g])
            for i in range(lowest[k] * _LINE, top * _LINE):
                weight[np.uint64(i)] = 0.0
            lowest[k] = n_azimuth * N_EDGE
            highest[k] = -1
    return missing != 0


@jit
def read_annual(rows: F8, cells: I8, horizons: Columns, out: F8) -> bool:
    """Read the annual irradiation of each cell out of `rows` of :class:`YearTables`, summed over the sectors.

    Returns
    -------
    bool
        A horizon was not a number.
    """
    horizon, azimuth, share = horizons
    n_column = horizon.shape[1]
    lowest, highest = np.zeros(n_column, dtype=np.int32), np.zeros(n_column, dtype=np.int32)
    sector = (azimuth * N_EDGE).astype(np.int32)
    place = np.empty(n_column, dtype=np.int32)
    part = np.empty(n_column, dtype=np.float32)
    missing = np.int32(0)
    for a in range(cells.size):
        missing |= _find_places(horizon[cells[a]], sector, place, part, lowest, highest)
        total = 0.0
        for k in range(np.uint64(n_column)):
            i = np.uint64(place[k]) * np.uint64(_LINE)
            total += share[k] * (rows[i + np.uint64(2)] + np.float64(part[k]) * rows[i + np.uint64(6)])
        out[a] = total
    return missing != 0


@jit_inline
def _find_places(
    horizon: F4,
    sector: I4,
    place: I4,
    part: F4,
    lowest: I4,
    highest: I4,
) -> np.int32:
    """Find edge (numbered through all sectors) and fraction of each horizon; return whether one is not a number.

    Separate loops, each over few arrays, become vector instructions.
    """
    n = np.uint64(horizon.size)
    missing = np.int32(0)
    for k in range(n):
        missing |= np.int32(horizon[k] != horizon[k])
    for k in range(n):
        p = horizon[k] * np.float32(EDGES_PER_DEG)
        p = p if p > np.float32(0.0) else np.float32(0.0)
        p = p if p < np.float32(N_EDGE - 1) else np.float32(N_EDGE - 1)
        j = np.int32(p)
        j = j if j < np.int32(N_EDGE - 2) else np.int32(N_EDGE - 2)
        part[k] = p - np.float32(j)
        place[k] = j + sector[k]
    for k in range(n):
        lowest[k] = place[k] if place[k] < lowest[k] else lowest[k]
    for k in range(n):
        highest[k] = place[k] if place[k] > highest[k] else highest[k]
    return missing


@jit_inline
def _look_up(rows: F8, place: I4, part: F4, share: F8) -> tuple[float, float, float]:
    s = 0.0
    b = 0.0
    annual = 0.0
    for k in range(np.uint64(place.size)):
        i = np.uint64(place[k]) * np.uint64(_LINE)
        t, w = np.float64(part[k]), share[k]
        s += w * (rows[i] + t * rows[i + np.uint64(4)])
        b += w * (rows[i + np.uint64(1)] + t * rows[i + np.uint64(5)])
        annual += w * (rows[i + np.uint64(2)] + t * rows[i + np.uint64(6)])
    return s, b, annual


@jit_inline
def _add_weights(weight: F8, place: I4, part: F4, share: F8, x: float, y: float) -> None:
    """Add (1, x, x^2, y) at each place by its share, and the same times the fraction that belongs to the next edge."""
    xx = x * x
    for k in range(np.uint64(place.size)):
        i = np.uint64(place[k]) * np.uint64(_LINE)
        w = share[k]
        t = w * np.float64(part[k])
        weight[i] += w
        weight[i + np.uint64(1)] += w * x
        weight[i + np.uint64(2)] += w * xx
        weight[i + np.uint64(3)] += w * y
        weight[i + np.uint64(4)] += t
        weight[i + np.uint64(5)] += t * x
        weight[i + np.uint64(6)] += t * xx
        weight[i + np.uint64(7)] += t * y


@jit_inline
def _read_wide(weight: F8, first: int, stop: int, poa: F4, ac: F4, out_poa: F8, out_ac: F8) -> None:
    """Add the wide tables' rows `first` to `stop` of one sector, weighted."""
    n = np.uint64(out_poa.size)
    p0 = p1 = p2 = p3 = 0.0  # what the edge below hands on
    for j in range(first, stop):
        i = np.uint64(j) * np.uint64(_LINE)
        t0, t1 = weight[i + np.uint64(4)], weight[i + np.uint64(5)]
        t2, t3 = weight[i + np.uint64(6)], weight[i + np.uint64(7)]
        w0, w1 = weight[i] - t0 + p0, weight[i + np.uint64(1)] - t1 + p1
        w2, w3 = weight[i + np.uint64(2)] - t2 + p2, weight[i + np.uint64(3)] - t3 + p3
        p0, p1, p2, p3 = t0, t1, t2, t3
        if w0 != 0.0:
            beam, power = poa[np.uint64(j)], ac[np.uint64(j)]
            for c in range(n):
                out_poa[c] += w0 * beam[c]
                out_ac[c] += w0 * power[c] + w1 * power[c + n] + w2 * power[c + n + n] + w3 * power[c + n + n + n]


@jit_inline
def _read_pooled(weight: F8, first: int, stop: int, n_cell: int, pooled: F4, out_ac: F8) -> None:
    """Add what pooling gives `n_cell` cells in one sector, a polynomial in the share of them that is lit."""
    n = np.uint64(out_ac.size)
    cells = 0.0
    passed = 0.0  # what the edge below hands on
    for j in range(first, stop):
        i = np.uint64(j) * np.uint64(_LINE)
        t = weight[i + np.uint64(4)]
        cells += weight[i] - t + passed
        passed = t
        q = cells / n_cell
        if q < _EVEN or q > 1.0 - _EVEN:
            continue
        ends = q * (q - 1.0) * n_cell
        w1 = ends * (q - 0.5) * (q - 0.75) / -0.0234375
        w2 = ends * (q - 0.25) * (q - 0.75) / 0.015625
        w3 = ends * (q - 0.25) * (q - 0.5) / -0.0234375
        gain = pooled[np.uint64(j)]
        for c in range(n):
            out_ac[c] += w1 * gain[c] + w2 * gain[c + n] + w3 * gain[c + n + n]


@jit
def sky_shares(n_azimuth: int, n_fine: int, tilt_rad: float, facing_rad: float, base_slope: F8, band_rad: float) -> F8:
    """Visible sky of a tilted plane per sector and horizon elevation, by closed form in elevation.

    The irradiance that a sky of radiance 1/pi gives through a strip of azimuth dphi above elevation e0 is
    ``dphi / pi * [cos b * cos^2(e0) / 2 + sin b cos(phi) * (pi/2 - e0 - sin(2 e0)/2) / 2]``. Sectors overlap linearly
    as in `fill`.

    Parameters
    ----------
    n_azimuth, n_fine : int
        Sectors, and strips per sector.
    tilt_rad, facing_rad : float
        The plane.
    base_slope : (2,) float64
        East and north gradient of the surface that the plane stands on (its own horizon), tan of elevation.
    band_rad : float
        Upper edge of the horizon band.

    Returns
    -------
    (n_azimuth, N_EDGE, 2) float64
        View factors (not normalised) of the sky and of the band, above each horizon edge.
    """
    out = np.zeros((n_azimuth, N_EDGE, 2))
    step = 2.0 * math.pi / (n_azimuth * n_fine)
    sin_b = math.sin(tilt_rad)
    cos_b = max(math.cos(tilt_rad), 1e-12)
    edge = np.arange(N_EDGE) * (math.pi / (180.0 * EDGES_PER_DEG))
    for f in range(n_azimuth * n_fine):
        phi = (f + 0.5) * step
        k0 = f // n_fine
        k1 = (k0 + 1) % n_azimuth
        share = (f % n_fine + 0.5) / n_fine
        forward = sin_b * math.cos(phi - facing_rad)
        own_horizon = max(math.atan(-forward / cos_b), 0.0)
        own_horizon = max(own_horizon, math.atan(base_slope[0] * math.sin(phi) + base_slope[1] * math.cos(phi)))
        top = max(band_rad, own_horizon)
        above_band = _strip(cos_b, forward, top)
        lowest = _strip(cos_b, forward, own_horizon)
        for j in range(N_EDGE):
            seen = lowest if edge[j] <= own_horizon else 0.5 * (cos_b * _COS2[j] + forward * _WEDGE[j])
            sky = max(seen, 0.0) * step / math.pi
            band = max(seen - above_band, 0.0) * step / math.pi
            out[k0, j, 0] += (1.0 - share) * sky
            out[k1, j, 0] += share * sky
            out[k0, j, 1] += (1.0 - share) * band
            out[k1, j, 1] += share * band
    return out


@jit
def _strip(cos_b: float, forward: float, e0: float) -> float:
    return 0.5 * (cos_b * math.cos(e0) ** 2 + forward * (0.5 * math.pi - e0 - 0.5 * math.sin(2.0 * e0)))
