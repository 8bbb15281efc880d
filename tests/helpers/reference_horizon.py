"""Brute-force horizons: every crossing of every ray with every grid line, sorted; another algorithm than the product's.

No octants, no lines shared between cells, no hull, no float32. Slow (about 60 µs per ray on a 1000² raster).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

F8 = NDArray[np.float64]


def _crossings(start: float, speed: float, lines: F8) -> F8:
    """Distances at which a coordinate that grows by `speed` per unit passes `lines`."""
    if abs(speed) < 1e-12:
        return np.empty(0)
    along = (lines - start) / speed
    return along[along > 1e-9]


def horizon_prism(dsm: F8, cell: float, row: int, col: int, azimuth_deg: float, above: float = 0.0) -> float:
    """Horizon [degrees] at a cell centre, every cell a prism; `azimuth_deg` clockwise from the raster's top."""
    ny, nx = dsm.shape
    east, south = np.sin(np.radians(azimuth_deg)), -np.cos(np.radians(azimuth_deg))
    vertical = _crossings(col, east, np.arange(nx + 1) - 0.5)
    horizontal = _crossings(row, south, np.arange(ny + 1) - 0.5)
    enter = np.sort(np.concatenate([vertical, horizontal]))
    if enter.size < 2:
        return 0.0
    middle = 0.5 * (enter[1:] + enter[:-1])
    in_row = np.floor(row + middle * south + 0.5).astype(int)
    in_col = np.floor(col + middle * east + 0.5).astype(int)
    inside = (np.diff(enter) > 1e-7) & (in_row >= 0) & (in_row < ny) & (in_col >= 0) & (in_col < nx)
    if not inside.any():
        return 0.0
    rise = dsm[in_row[inside], in_col[inside]] - dsm[row, col] - above
    slope = rise / (enter[:-1][inside] * cell)
    slope = slope[np.isfinite(slope)]
    return float(np.degrees(np.arctan(max(slope.max(initial=0.0), 0.0))))


def horizon_linear(dsm: F8, cell: float, row: int, col: int, azimuth_deg: float, above: float = 0.0) -> float:
    """Horizon [degrees] at a cell centre, heights linear along the grid lines through the cell centres."""
    ny, nx = dsm.shape
    east, south = np.sin(np.radians(azimuth_deg)), -np.cos(np.radians(azimuth_deg))
    at = np.concatenate([_crossings(col, east, np.arange(float(nx))), _crossings(row, south, np.arange(float(ny)))])
    x, y = col + at * east, row + at * south
    inside = (x > -1e-9) & (x < nx - 1 + 1e-9) & (y > -1e-9) & (y < ny - 1 + 1e-9)
    at, x, y = at[inside], x[inside], y[inside]
    if at.size == 0:
        return 0.0
    x0, y0 = np.floor(x + 1e-9).astype(int), np.floor(y + 1e-9).astype(int)
    fx, fy = np.clip(x - x0, 0.0, 1.0), np.clip(y - y0, 0.0, 1.0)
    height = np.zeros(at.size)
    for dy, wy in ((0, 1.0 - fy), (1, fy)):
        for dx, wx in ((0, 1.0 - fx), (1, fx)):
            weight = wx * wy
            value = dsm[np.minimum(y0 + dy, ny - 1), np.minimum(x0 + dx, nx - 1)]
            height += np.where(weight > 1e-8, weight * value, 0.0)
    slope = (height - dsm[row, col] - above) / (at * cell)
    slope = slope[np.isfinite(slope)]
    return float(np.degrees(np.arctan(max(slope.max(initial=0.0), 0.0))))


def _horizon_prism_or_sides(dsm: F8, cell: float, row: int, col: int, azimuth_deg: float, above: float = 0.0) -> float:
    """As `horizon_prism`; along a diagonal, where prisms touch with their corners, the mean sin² of both its sides."""
    if azimuth_deg % 90.0 != 45.0:
        return horizon_prism(dsm, cell, row, col, azimuth_deg, above)
    sides = [np.radians(horizon_prism(dsm, cell, row, col, azimuth_deg + d, above)) for d in (-5e-5, 5e-5)]
    return float(np.degrees(np.arcsin(np.sqrt(np.mean(np.sin(sides) ** 2)))))


def horizons(
    dsm: F8,
    cell: float,
    rows: NDArray[np.int64],
    cols: NDArray[np.int64],
    n_azimuth: int,
    surface: str = "prism",
    above: float = 0.0,
) -> F8:
    """All azimuths of all cells, (n, n_azimuth) [degrees]."""
    dsm = np.asarray(dsm, dtype=np.float64)
    one = _horizon_prism_or_sides if surface == "prism" else horizon_linear
    return np.array(
        [
            [one(dsm, cell, int(r), int(c), k * 360.0 / n_azimuth, above) for k in range(n_azimuth)]
            for r, c in zip(rows, cols, strict=True)
        ]
    ).reshape(len(rows), n_azimuth)


def sky_view(horizon_deg: F8, tilt_deg: float, azimuth_deg: float, n_directions: int = 400_000) -> F8:
    """Share of cosine-weighted random-free directions that are free: a spiral of points on the hemisphere."""
    k = np.arange(n_directions) + 0.5
    up = k / n_directions  # equal areas
    around = np.pi * (1.0 + 5.0**0.5) * k
    level = np.sqrt(1.0 - up * up)
    east, north = level * np.sin(around), level * np.cos(around)
    tilt, facing = np.radians(tilt_deg), np.radians(azimuth_deg)
    cosine = up * np.cos(tilt) + np.sin(tilt) * (east * np.sin(facing) + north * np.cos(facing))
    cosine = np.maximum(cosine, 0.0)
    degrees = np.degrees(around) % 360.0
    elevation = np.degrees(np.arcsin(up))
    n_azimuth = horizon_deg.shape[1]
    grid = np.arange(n_azimuth + 1) * 360.0 / n_azimuth
    shares = []
    for angles in horizon_deg:
        limit = np.interp(degrees, grid, np.append(angles, angles[0]))
        shares.append(2.0 * np.mean(cosine * (elevation > limit)))
    return np.array(shares)
