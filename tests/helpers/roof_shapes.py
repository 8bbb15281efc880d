"""Usable zones of nine kinds of roof, as plan polygons with the plane they lie in: cases a person can check."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from shapely import affinity
from shapely.geometry import MultiPolygon, Point, Polygon, box


@dataclass(frozen=True)
class Roof:
    """One roof: zones in plan with tilt and azimuth of their planes."""

    name: str
    mounting: str
    planes: tuple[tuple[Any, float, float], ...]


def nine_roofs() -> list[Roof]:
    """Metres, north up."""
    concave = Polygon([(0, 0), (24, 0), (24, 9), (10, 9), (10, 20), (0, 20)])
    court = Polygon(box(0, 0, 24, 20).exterior.coords, [box(8, 6, 17, 14).exterior.coords])
    # one ring that touches itself in (12, 10): two wings joined by a point
    touching = Polygon([(0, 0), (12, 10), (24, 0), (24, 20), (12, 10), (0, 20)])
    teeth = tuple((box(0, 6.5 * k, 24, 6.5 * k + 5.5), 20.0, 180.0) for k in range(3))
    hip_south = Polygon([(0, 0), (24, 0), (16, 8), (8, 8)])
    hip_east = Polygon([(24, 0), (24, 16), (16, 8)])
    return [
        Roof("flat", "rack", ((box(0, 0, 24, 16).difference(box(10, 9, 14, 13)), 0.0, 180.0),)),
        Roof("gable", "flush", ((box(0, 0, 24, 7), 25.0, 180.0), (box(0, 7.6, 24, 14.6), 25.0, 0.0))),
        Roof("hip", "flush", ((hip_south, 25.0, 180.0), (hip_east, 25.0, 90.0))),
        Roof("shed", "flush", ((affinity.rotate(box(0, 0, 22, 12), 20, origin=(0, 0)), 8.0, 160.0),)),
        Roof("sawtooth", "flush", teeth),
        Roof("L-shaped", "rack", ((concave, 0.0, 180.0),)),
        Roof("courtyard", "east_west", ((court, 0.0, 180.0),)),
        Roof("round", "rack", ((Point(10, 10).buffer(10, quad_segs=16), 0.0, 180.0),)),
        Roof("self-touching", "rack", ((touching, 0.0, 180.0),)),
    ]


def random_zone(rng: np.random.Generator) -> Any:
    """Draw a zone: star, comb, sliver, holed box, rows of cells, two parts; turned, far from the origin."""
    kind = rng.integers(6)
    size = float(np.exp(rng.uniform(math.log(3.0), math.log(45.0))))
    if kind == 0:
        angle = np.sort(rng.uniform(0, 2 * np.pi, rng.integers(5, 40)))
        radius = size * rng.uniform(0.3, 1.0, len(angle))
        zone: Any = Polygon(np.column_stack([radius * np.cos(angle), radius * np.sin(angle)]))
    elif kind == 1:
        teeth = [box(k * 2.9, 0, k * 2.9 + rng.uniform(0.5, 2.9), rng.uniform(1, size)) for k in range(8)]
        zone = shapely.union_all([box(0, 0, 8 * 2.9, rng.uniform(0.3, 4)), *teeth])
    elif kind == 2:
        zone = Polygon([(0, 0), (size, rng.uniform(0, 1)), (2 * size, rng.uniform(0, 3)), (size, rng.uniform(1, 4))])
    elif kind == 3:
        holes = [Point(*rng.uniform(0, size, 2)).buffer(rng.uniform(0.1, 2.0), quad_segs=3) for _ in range(6)]
        zone = box(0, 0, size, size * rng.uniform(0.3, 1.5)).difference(shapely.union_all(holes))
    elif kind == 4:
        cells = [box(i, j, i + 1, j + 1) for i in range(14) for j in range(9) if rng.random() > 0.12]
        zone = shapely.union_all(cells)
    else:
        split = rng.uniform(0.05, 4.0)
        zone = MultiPolygon([box(0, 0, size, size), box(size + split, 1.3, 2 * size + split, size)])
    zone = affinity.rotate(zone, rng.uniform(0, 360), origin=(0, 0))
    return affinity.translate(zone, *rng.uniform(4e5, 4e6, 2))
