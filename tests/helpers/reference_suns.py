"""Brute force of a shaded year: every daylight sun's ray is marched cell by cell through the surface.

Another algorithm than the product's: no sectors, no tables, no lines shared between cells, no hull, all in float64. A
sun shines or does not, by a traversal of the grid (Amanatides and Woo 1987); the sky is integrated behind exact
horizons in many directions. Of `rooftop` only the suns themselves are used (`SkyYear`), and numba's decorator. Blocks
of cells below the ray are passed over as a whole, which changes no result.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rooftop.kernels import jit
from rooftop.solar.sky import SkyYear

F8 = NDArray[np.float64]
I8 = NDArray[np.int64]

BLOCK, WIDE = 16, 64
BAND_DEG = 6.5


@dataclass(frozen=True)
class Scene:
    """A surface, the maxima of its blocks, its cell [m], and whether it is read between cell centres."""

    dsm: F8
    highest: F8
    widest: F8
    cell: float
    linear: bool


@dataclass(frozen=True)
class Plane:
    """Where a cell's module looks [deg]."""

    tilt: float
    azimuth: float


def scene(dsm: NDArray[np.floating], cell: float, surface: str) -> Scene:
    """Prepare a surface (row 0 north, NaN for no data)."""
    heights = np.ascontiguousarray(dsm, dtype=np.float64)
    return Scene(heights, _maxima(heights, BLOCK), _maxima(heights, WIDE), float(cell), surface == "linear")


def _maxima(heights: F8, side: int) -> F8:
    """Highest in each block and in one cell around it, from which a linear surface may still rise into the block."""
    ny, nx = heights.shape
    by, bx = -(-ny // side), -(-nx // side)
    filled = np.full((by * side + 2, bx * side + 2), -np.inf)
    filled[1 : ny + 1, 1 : nx + 1] = np.where(np.isfinite(heights), heights, -np.inf)
    highest = np.empty((by, bx))
    for i in range(by):
        for j in range(bx):
            highest[i, j] = filled[i * side : (i + 1) * side + 2, j * side : (j + 1) * side + 2].max()
    return highest


@jit
def _between(low: float, high: float, weight: float) -> float:
    """Height between two neighbours; one without weight need not hold data."""
    if weight <= 1e-8:
        return low
    if weight >= 1.0 - 1e-8:
        return high
    return low + weight * (high - low)


@jit
def _on_grid_line(dsm: F8, y: float, x: float, along_y: bool) -> float:
    """Height on a grid line through cell centres: x is whole and y is not, or the other way round."""
    ny, nx = dsm.shape
    if along_y:
        i, j = int(y + 1e-9), int(x + 0.5)
        return _between(dsm[i, j], dsm[min(i + 1, ny - 1), j], y - i)
    i, j = int(y + 0.5), int(x + 1e-9)
    return _between(dsm[i, j], dsm[i, min(j + 1, nx - 1)], x - j)


@jit
def _march(
    dsm: F8, highest: F8, widest: F8, top: float, linear: bool, row: int, col: int, eye: float, east: float,
    south: float, slope: float, only_blocked: bool,
) -> float:  # fmt: skip
    """Follow one ray from a cell's centre; lengths along it in cells, slopes in metres per cell.

    Returns the steepest slope met, at least `slope`; with `only_blocked` the march ends at the first obstacle steeper
    than `slope`.
    """
    ny, nx = dsm.shape
    sx, sy = (1 if east > 0.0 else -1), (1 if south > 0.0 else -1)
    dx = 1.0 / abs(east) if abs(east) > 1e-12 else 1e18
    dy = 1.0 / abs(south) if abs(south) > 1e-12 else 1e18
    first = 1.0 if linear else 0.5  # where the first line is: the neighbour's centre, or the cell's edge
    kx, ky = 0, 0  # lines passed
    best = slope
    while True:
        tx, ty = (kx + first) * dx, (ky + first) * dy
        t = min(tx, ty)
        if top - eye <= best * t:
            return best
        if tx <= t + 1e-9:
            kx += 1
        if ty <= t + 1e-9:
            ky += 1
        x, y = col + sx * kx, row + sy * ky
        if x < 0 or y < 0 or x >= nx or y >= ny:
            return best
        height = dsm[y, x]
        if linear:
            at_y, at_x = row + t * south, col + t * east
            if at_y < -1e-9 or at_x < -1e-9 or at_y > ny - 1 + 1e-9 or at_x > nx - 1 + 1e-9:
                return best
            height = _on_grid_line(dsm, at_y, at_x, tx <= ty)
        if height - eye > best * t:  # false where there are no data
            best = (height - eye) / t
            if only_blocked:
                return best
        low = best * t + eye
        if highest[y // BLOCK, x // BLOCK] <= low:  # nothing in this block can matter: leave it
            side = WIDE if widest[y // WIDE, x // WIDE] <= low else BLOCK
            last_x = x % side if sx < 0 else side - 1 - x % side
            last_y = y % side if sy < 0 else side - 1 - y % side
            out_x, out_y = (kx + last_x + first) * dx, (ky + last_y + first) * dy
            if out_x <= out_y:
                kx += last_x
                ky = min(max(ky, int(np.ceil((out_x - 1e-9) / dy - first))), ky + last_y)
            else:
                ky += last_y
                kx = min(max(kx, int(np.ceil((out_y - 1e-9) / dx - first))), kx + last_x)


@jit
def _horizons(
    dsm: F8,
    highest: F8,
    widest: F8,
    top: float,
    cell: float,
    linear: bool,
    rows: I8,
    cols: I8,
    above: float,
    azimuths: F8,
) -> F8:
    out = np.empty((rows.size, azimuths.size))
    east, south = np.sin(azimuths), -np.cos(azimuths)
    for i in range(rows.size):
        row, col = rows[i], cols[i]
        eye = dsm[row, col] + above
        for k in range(azimuths.size):
            out[i, k] = _march(dsm, highest, widest, top, linear, row, col, eye, east[k], south[k], 0.0, False) / cell
    return out


@jit
def _lit(
    dsm: F8, highest: F8, widest: F8, top: float, cell: float, linear: bool, rows: I8, cols: I8, above: float,
    azimuths: F8, slopes: F8, month: I8, values: F8,
) -> F8:  # fmt: skip
    n_value = values.shape[1]
    out = np.zeros((rows.size, 12, n_value))
    east, south, rise = np.sin(azimuths), -np.cos(azimuths), slopes * cell
    for i in range(rows.size):
        row, col = rows[i], cols[i]
        eye = dsm[row, col] + above
        for s in range(slopes.size):
            if _march(dsm, highest, widest, top, linear, row, col, eye, east[s], south[s], rise[s], True) <= rise[s]:
                for c in range(n_value):
                    out[i, month[s], c] += values[s, c]
    return out


def horizons(place: Scene, rows: I8, cols: I8, azimuth_deg: F8, above: float = 0.0) -> F8:
    """Exact horizons [deg], (n, n_direction); `azimuth_deg` clockwise from the raster's top."""
    top = float(np.nanmax(place.dsm))
    slopes = _horizons(
        place.dsm, place.highest, place.widest, top, place.cell, place.linear, rows.astype(np.int64),
        cols.astype(np.int64), above, np.radians(azimuth_deg),
    )  # fmt: skip
    return np.degrees(np.arctan(slopes))


def sky_seen(horizon_deg: F8, azimuth_deg: F8, plane: Plane) -> tuple[F8, F8]:
    """Visible shares of the plane's isotropic sky and of its band of 0-6.5 degrees, (n,) each; 1 when free."""
    tilt, facing = np.radians(plane.tilt), np.radians(plane.azimuth)
    forward = np.sin(tilt) * np.cos(np.radians(azimuth_deg) - facing)
    own = np.maximum(np.arctan2(-forward, np.cos(tilt)), 0.0)

    def above(e: F8) -> F8:
        """Cosine-weighted sky of each strip above elevation e, the plane's own horizon merged."""
        e = np.maximum(e, own)
        return 0.5 * (np.cos(tilt) * np.cos(e) ** 2 + forward * (0.5 * np.pi - e - 0.5 * np.sin(2.0 * e)))

    e = np.radians(horizon_deg)
    band_top = above(np.full(azimuth_deg.size, np.radians(BAND_DEG)))
    ground = above(np.zeros(azimuth_deg.size))
    sky = above(e).sum(axis=1) / ground.sum()
    return sky, np.maximum(above(e) - band_top, 0.0).sum(axis=1) / (ground - band_top).sum()


def year(
    place: Scene, rows: I8, cols: I8, skies: list[SkyYear], planes: list[Plane], directions: int = 720,
    above: float = 0.0, chunk: int = 200,
) -> tuple[F8, F8, F8]:  # fmt: skip
    """Irradiation of cells behind everything, ground reflection left out [kWh/m2].

    All `skies` must have the same suns (the same weather under several sky models); their middle factor counts.

    Returns
    -------
    shaded : (n_sky, n_plane, n, 12)
    free : (n_sky, n_plane, 12)
    svf : (n,)
        Visible share of a level plane's sky.
    """
    suns = skies[0]
    for sky in skies:
        assert np.array_equal(sky.elevation_deg, suns.elevation_deg)
    parts = [[_light(sky, plane) for plane in planes] for sky in skies]
    n_case = len(skies) * len(planes)
    up = suns.elevation_deg > 0.0
    beam = np.stack([part[0] for row in parts for part in row], axis=1) * (suns.duration_h / 1000.0)
    beam[~up] = 0.0
    some = beam.any(axis=1)
    azimuth = np.radians(suns.azimuth_deg[some])
    slope = np.tan(np.radians(suns.elevation_deg[some]))
    top = float(np.nanmax(place.dsm))
    around = (np.arange(directions) + 0.5) * 360.0 / directions
    lit = np.concatenate([
        _lit(place.dsm, place.highest, place.widest, top, place.cell, place.linear,
             rows[a : a + chunk].astype(np.int64), cols[a : a + chunk].astype(np.int64), above, azimuth, slope,
             suns.month[some], beam[some])
        for a in range(0, rows.size, chunk)
    ])  # fmt: skip
    horizon = horizons(place, rows, cols, around, above)
    shaded = lit.transpose(2, 0, 1).reshape(len(skies), len(planes), rows.size, 12)
    beams = np.zeros((n_case, 12))
    for k in range(n_case):
        beams[k] = np.bincount(suns.month, weights=beam[:, k], minlength=12)
    free = beams.reshape(len(skies), len(planes), 12)
    for j, plane in enumerate(planes):
        seen, seen_band = sky_seen(horizon, around, plane)
        for i in range(len(skies)):
            for share, power in ((seen, parts[i][j][1]), (seen_band, parts[i][j][2])):
                months = np.bincount(suns.month, weights=power, minlength=12) * (suns.duration_h / 1000.0)
                shaded[i, j] += np.outer(share, months)
                free[i, j] += months
    return shaded, free, sky_seen(horizon, around, Plane(0.0, 180.0))[0]


def _light(sky: SkyYear, plane: Plane) -> tuple[F8, F8, F8]:
    """What each sun, its sky and its band give a free plane [W/m2] (docs/method.md, section 3)."""
    one = sky.factors.shape[0] // 2
    tilt, facing = np.radians(plane.tilt), np.radians(plane.azimuth)
    e, a = np.radians(sky.elevation_deg), np.radians(sky.azimuth_deg)
    incidence = np.maximum(np.sin(e) * np.cos(tilt) + np.cos(e) * np.sin(tilt) * np.cos(a - facing), 0.0)
    band = sky.band[one] * np.sin(tilt)
    isotropic = sky.isotropic[one] * 0.5 * (1.0 + np.cos(tilt)) + np.minimum(band, 0.0)
    circumsolar = np.maximum(sky.circumsolar[one] * incidence + np.minimum(isotropic, 0.0), 0.0)
    return sky.beam[one] * incidence + circumsolar, np.maximum(isotropic, 0.0), np.maximum(band, 0.0)
