"""Cumulative-sky tables: filling them from suns, reading a year out of them."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from rooftop.kernels import jit

F4 = NDArray[np.float32]
F8 = NDArray[np.float64]
I8 = NDArray[np.int64]

#: Horizon elevation is tabulated at this many edges per degree, from 0 to 90 degrees.
EDGES_PER_DEG = 2
N_EDGE = 90 * EDGES_PER_DEG + 1
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
def read_cells(table: F8, horizon: F4, out: F8) -> None:
    """Read a table once per cell: ``out[i] = sum over k of table[k, horizon[i, k]]``.

    Parameters
    ----------
    table : (n_azimuth, N_EDGE, c) float
    horizon : (n, n_azimuth) float32
        Degrees.
    out : (n, c) float64
    """
    for i in range(horizon.shape[0]):
        for c in range(table.shape[2]):
            out[i, c] = 0.0
        for k in range(table.shape[0]):
            j, t = _place(horizon[i, k])
            for c in range(table.shape[2]):
                out[i, c] += (1.0 - t) * table[k, j, c] + t * table[k, j + 1, c]


@jit
def read_groups(
    order: I8,
    start: I8,
    horizon: F4,
    shares: F8,
    poa: F4,
    ac: F4,
    out_moment: F8,
    out_poa: F8,
    out_ac: F8,
) -> None:
    """Sum the tables over the cells of each group.

    Each cell first gets its visible shares of the isotropic sky (s) and of the horizon band (b). With
    ``x = 1 - s`` and ``y = b - s`` its AC is ``sum_q w_q * AC_q`` where ``w = (1, x, x^2, y)``. Looking up is linear in
    the tables, so a group's cells are first gathered as weights on (sector, edge) and the wide tables are read once.

    Parameters
    ----------
    order : (n,) int64
        Cells sorted by group; cells of no group are absent.
    start : (n_group + 1,) int64
        Where each group begins in `order`.
    horizon : (n_cells, n_azimuth) float32
        Degrees.
    shares : (n_azimuth, N_EDGE, 2) float64
        Visible shares of the isotropic sky and of the horizon band; a free plane's sum to 1 over the sectors.
    poa : (n_azimuth, N_EDGE, p) float32
    ac : (n_azimuth, N_EDGE, 4, q) float32
        Beam part of the AC polynomial.
    out_moment : (n_group, 5) float64
        Sums over cells of s, b, x, x^2, y.
    out_poa : (n_group, p) float64
    out_ac : (n_group, q) float64
    """
    n_azimuth = horizon.shape[1]
    n_poa = poa.shape[2]
    n_ac = ac.shape[3]
    weight = np.zeros((n_azimuth, N_EDGE, 4))
    lowest = np.full(n_azimuth, N_EDGE, dtype=np.int64)
    highest = np.full(n_azimuth, -1, dtype=np.int64)
    for g in range(start.size - 1):
        for a in range(start[g], start[g + 1]):
            i = order[a]
            s = 0.0
            b = 0.0
            for k in range(n_azimuth):
                j, t = _place(horizon[i, k])
                s += (1.0 - t) * shares[k, j, 0] + t * shares[k, j + 1, 0]
                b += (1.0 - t) * shares[k, j, 1] + t * shares[k, j + 1, 1]
            x = 1.0 - s
            y = b - s
            out_moment[g, 0] += s
            out_moment[g, 1] += b
            out_moment[g, 2] += x
            out_moment[g, 3] += x * x
            out_moment[g, 4] += y
            for k in range(n_azimuth):
                j, t = _place(horizon[i, k])
                lowest[k] = min(lowest[k], j)
                highest[k] = max(highest[k], j + 1)
                u = 1.0 - t
                weight[k, j, 0] += u
                weight[k, j, 1] += u * x
                weight[k, j, 2] += u * x * x
                weight[k, j, 3] += u * y
                weight[k, j + 1, 0] += t
                weight[k, j + 1, 1] += t * x
                weight[k, j + 1, 2] += t * x * x
                weight[k, j + 1, 3] += t * y
        for k in range(n_azimuth):
            for j in range(lowest[k], highest[k] + 1):
                w0, w1, w2, w3 = weight[k, j, 0], weight[k, j, 1], weight[k, j, 2], weight[k, j, 3]
                if w0 != 0.0:
                    a0, a1, a2, a3 = ac[k, j, 0], ac[k, j, 1], ac[k, j, 2], ac[k, j, 3]
                    for c in range(n_poa):
                        out_poa[g, c] += w0 * poa[k, j, c]
                    for c in range(n_ac):
                        out_ac[g, c] += w0 * a0[c] + w1 * a1[c] + w2 * a2[c] + w3 * a3[c]
                    weight[k, j, :] = 0.0
            lowest[k] = N_EDGE
            highest[k] = -1


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
        own = max(math.atan(-forward / cos_b), 0.0)
        own = max(own, math.atan(base_slope[0] * math.sin(phi) + base_slope[1] * math.cos(phi)))
        top = max(band_rad, own)
        above_band = _strip(cos_b, forward, top)
        lowest = _strip(cos_b, forward, own)
        for j in range(N_EDGE):
            seen = lowest if edge[j] <= own else 0.5 * (cos_b * _COS2[j] + forward * _WEDGE[j])
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
