"""Slow searches for the most modules in a zone, by other means than the product: shapely, dense offsets, rotations."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from shapely import affinity


@dataclass(frozen=True)
class Size:
    """A row: depth across, pitch, width of a rectangle along it, gap between rectangles."""

    depth: float
    pitch: float
    width: float
    gap: float


def strip_count(zone: Any, low: float, size: Size) -> int:
    """Rectangles in one row: the strip less the zone is what blocks; its shadow along the row leaves free intervals."""
    left, _, right, _ = zone.bounds
    strip = shapely.box(left - 1.0, low + 1e-7, right + 1.0, low + size.depth - 1e-7)
    blocked = sorted(
        (part.bounds[0], part.bounds[2]) for part in shapely.get_parts(strip.difference(zone)) if part.area > 1e-9
    )
    count, reach = 0, -math.inf
    for begin, end in blocked:
        if begin > reach and reach > -math.inf:
            count += max(math.floor((begin - reach + size.gap + 1e-7) / (size.width + size.gap)), 0)
        reach = max(reach, end)
    return count


def best_shifted_rows(zone: Any, size: Size, steps: int) -> int:
    """Equidistant rows at `steps` dense offsets, each row shifting freely along itself."""
    _, bottom, _, top = zone.bounds
    best = 0
    for start in bottom + np.arange(steps) * size.pitch / steps:
        lows = np.arange(start, top - size.depth + 1e-7, size.pitch)
        best = max(best, sum(strip_count(zone, low, size) for low in lows))
    return best


def best_grid(zone: Any, size: Size, steps: int) -> int:
    """A rigid grid of rectangles at `steps` x `steps` dense offsets, each rectangle tested for containment."""
    shapely.prepare(zone)
    left, bottom, right, top = zone.bounds
    best, pace = 0, size.width + size.gap
    inner = affinity.scale(shapely.box(0.0, 0.0, size.width, size.depth), 1 - 1e-7, 1 - 1e-7)
    corner = shapely.get_coordinates(inner)
    for dv in np.arange(steps) * size.pitch / steps:
        for du in np.arange(steps) * pace / steps:
            u, v = np.meshgrid(np.arange(left + du, right, pace), np.arange(bottom + dv, top, size.pitch))
            at = np.stack([u.ravel(), v.ravel()], axis=-1)
            if len(at):
                best = max(best, int(shapely.contains(zone, shapely.polygons(at[:, None, :] + corner)).sum()))
    return best


def turned(zone: Any, degrees: list[float]) -> Iterator[Any]:
    """The zone turned clockwise about its middle, so that rows along the given directions become level."""
    for angle in degrees:
        yield affinity.rotate(zone, -angle, origin="centroid")


def wall_directions(zone: Any, every: float | None = None) -> list[float]:
    """Directions of all walls longer than 3 m and of those across, and every so many degrees; in [0, 180)."""
    found = set() if every is None else set(np.arange(0.0, 180.0, every))
    for ring in shapely.get_rings(shapely.get_parts(zone)):
        side = np.diff(shapely.get_coordinates(ring), axis=0)
        side = side[np.hypot(*side.T) > 3.0]
        along = (np.degrees(np.arctan2(side[:, 1], side[:, 0])) % 180.0).round(4)
        found |= set(along) | set((along + 90.0) % 180.0)
    return sorted(found)
