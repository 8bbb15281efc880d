"""Painted roofs with known faces, and how well found planes fit them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import shapely
from numpy.typing import NDArray

from rooftop.core.grid import Grid

F8 = NDArray[np.float64]
CELL_M = 0.5
LEAST_M2 = 8.0


@dataclass(frozen=True)
class Shape:
    """A roof about its own origin: ``face(x, y)`` is the number of the face, -1 outside; faces are ``z = ax + by + c``.

    `things` stand on it: x_min, y_min, x_max, y_max, height above the face below.
    """

    name: str
    outline: shapely.Polygon
    planes: tuple[tuple[float, float, float], ...]
    face: Callable[[F8, F8], NDArray[np.int64]]
    things: tuple[tuple[float, float, float, float, float], ...] = ()
    areas_m2: tuple[float, ...] = field(default=())


@dataclass(frozen=True)
class Painted:
    """One roof on a grid, with noise."""

    grid: Grid
    footprint: shapely.Polygon
    dsm: NDArray[np.float32]
    owner: NDArray[np.int32]
    truth: NDArray[np.int64]
    slopes: F8


def slope(degrees: float) -> float:
    return float(np.tan(np.radians(degrees)))


def _lowest(planes: list[tuple[float, float, float]]) -> Callable[[F8, F8], NDArray[np.int64]]:
    """A convex roof is the lowest of its faces."""
    return lambda x, y: np.stack([a * x + b * y + c for a, b, c in planes]).argmin(axis=0)


def _inside(
    outline: shapely.Polygon, face: Callable[[F8, F8], NDArray[np.int64]]
) -> Callable[[F8, F8], NDArray[np.int64]]:
    return lambda x, y: np.where(shapely.contains_xy(outline, x, y), face(x, y), -1)


def _shape(
    name: str,
    outline: shapely.Polygon,
    planes: list[tuple[float, float, float]],
    face: Callable[[F8, F8], NDArray[np.int64]] | None = None,
    things: tuple[tuple[float, float, float, float, float], ...] = (),
    areas_m2: tuple[float, ...] = (),
) -> Shape:
    face = _lowest(planes) if face is None else face
    return Shape(name, outline, tuple(planes), _inside(outline, face), things, areas_m2)


def shapes() -> dict[str, Shape]:
    """Every kind of roof that a person can check by hand."""
    s30, s35, s40 = slope(30.0), slope(35.0), slope(40.0)
    ell = shapely.union(shapely.box(-10, -4, 10, 4), shapely.box(2, -16, 10, 4))
    court = shapely.difference(shapely.box(-12, -10, 12, 10), shapely.box(-4, -3, 4, 3))
    gable35 = [(0.0, -s35, 20.0), (0.0, s35, 20.0)]
    dormer = [(0.0, -s40, 20.0), (0.0, s40, 20.0), (0.0, -slope(8.0), 20.2)]
    teeth = [(slope(20.0), 0.0, 10.0 - slope(20.0) * (-12.0 + 6.0 * k)) for k in range(4)]
    both = [(0.0, -s30, 14.0), (0.0, s30, 14.0), (-s30, 0.0, 14.0 + 6.0 * s30), (s30, 0.0, 14.0 - 6.0 * s30)]
    hip = [(0.0, -s30, 14.0), (0.0, s30, 14.0), (-s30, 0.0, 14.0 + 4.0 * s30), (s30, 0.0, 14.0 + 4.0 * s30)]

    def ells(x: F8, y: F8) -> NDArray[np.int64]:
        across = y > x - 6.0  # the line of the valley, and beyond the ridges that of the hip
        return np.where(across, np.where(y > 0.0, 0, 1), np.where(x > 6.0, 2, 3))

    def dormered(x: F8, y: F8) -> NDArray[np.int64]:
        return np.where((np.abs(x) < 2.0) & (y > 1.2) & (y < 4.2), 2, np.where(y > 0.0, 0, 1))

    made = [
        _shape("flat", shapely.box(-10, -6, 10, 6), [(0.0, 0.0, 12.0)], areas_m2=(240.0,)),
        _shape("shed", shapely.box(-6, -4, 6, 4), [(0.0, slope(10.0), 9.0)], areas_m2=(96.0 / np.cos(np.radians(10)),)),
        _shape("gable", shapely.box(-8, -5, 8, 5), gable35, areas_m2=(80.0 / np.cos(np.radians(35)),) * 2),
        _shape("low gable", shapely.box(-20, -9, 20, 9), [(0.0, -slope(5), 9.0), (0.0, slope(5), 9.0)]),
        _shape(
            "hip", shapely.box(-9, -5, 9, 5), hip,
            areas_m2=tuple(plan / np.cos(np.radians(30)) for plan in (65.0, 65.0, 25.0, 25.0)),
        ),
        _shape("sawtooth", shapely.box(-12, -8, 12, 8), teeth,
               lambda x, y: np.clip(np.floor((x + 12.0) / 6.0), 0, 3).astype(np.int64),
               areas_m2=(96.0 / np.cos(np.radians(20)),) * 4),
        _shape("ell", ell, both, ells,
               areas_m2=tuple(plan / np.cos(np.radians(30)) for plan in (72.0, 56.0, 72.0, 56.0))),
        _shape("dormer", shapely.box(-8, -5, 8, 5), dormer, dormered),
        _shape("chimney", shapely.box(-8, -5, 8, 5), gable35,
               things=((3.0, 1.0, 4.0, 2.0, 1.2), (-5.0, -3.0, -4.0, -2.0, 1.0))),
        _shape("courtyard", court, [(0.0, 0.0, 12.0)], areas_m2=(432.0,)),
        _shape("round", shapely.Point(0, 0).buffer(9.0, quad_segs=32), [(0.02, 0.0, 12.0)]),
    ]  # fmt: skip
    return {shape.name: shape for shape in made}


def paint(shape: Shape, noise_m: float = 0.0, turn_deg: float = 0.0, seed: int = 0, east: float = 500_000.0) -> Painted:
    """Put a roof, turned counter-clockwise, on a grid of half a metre; ground lies at 0."""
    turn = np.radians(turn_deg)
    centre = (east + 0.13, 4_000_000.21)
    outline = shapely.affinity.translate(shapely.affinity.rotate(shape.outline, turn_deg, (0, 0)), *centre)
    grid = Grid.covering(outline.bounds, CELL_M, 3.0)
    x, y = grid.centres(*np.meshgrid(np.arange(grid.n_rows), np.arange(grid.n_cols), indexing="ij"))
    x, y = x - centre[0], y - centre[1]
    u, v = x * np.cos(turn) + y * np.sin(turn), -x * np.sin(turn) + y * np.cos(turn)
    truth = shape.face(u, v)
    a, b, c = np.array(shape.planes).T[:, np.maximum(truth, 0)]
    z = np.where(truth >= 0, a * u + b * v + c, 0.0)
    for u0, v0, u1, v1, height in shape.things:
        z[(u > u0) & (u < u1) & (v > v0) & (v < v1)] += height
    z += np.random.default_rng(seed).normal(0.0, noise_m, z.shape) if noise_m else 0.0
    local = np.array(shape.planes)[:, :2]
    slopes = local @ np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    owner = np.where(truth >= 0, 0, -1).astype(np.int32)
    return Painted(grid, outline, z.astype(np.float32), owner, truth, slopes)


@dataclass(frozen=True)
class Score:
    """How the faces of a roof were found; one row per face of at least `LEAST_M2`.

    ``area_m2`` in the face, ``tilt_error``, ``azimuth_error`` [deg] (NaN below 5° of tilt, or where nothing was found),
    ``found`` (share of the face's cells on its plane; 0 where the normals differ by 15°), ``spanning`` (pairs of faces
    of at least `least_span_m2`, normals more than 8° apart, of which one plane holds more than half each).
    """

    area_m2: F8
    tilt_error: F8
    azimuth_error: F8
    found: F8
    spanning: int


def normals(slopes: F8) -> F8:
    up = np.column_stack([-slopes, np.ones(len(slopes))])
    return up / np.linalg.norm(up, axis=1, keepdims=True)


def score(
    truth: NDArray[np.int64],
    slopes: F8,
    label: NDArray[np.int64],
    found: F8,
    cell_m: float = CELL_M,
    least_span_m2: float = LEAST_M2,
) -> Score:
    """Compare cells of faces with cells of planes; `found` are slopes (east, north) by label, labels from 0."""
    tilt, azimuth = _angles(slopes)
    found_tilt, found_azimuth = _angles(found)
    one, two = normals(slopes), normals(found)
    rows, held = [], []
    for face in range(len(slopes)):
        cells = truth == face
        area = cells.sum() * cell_m**2 / np.cos(np.radians(tilt[face]))
        names, counts = np.unique(label[cells & (label >= 0)], return_counts=True)
        held.append({int(k) for k, n in zip(names, counts, strict=True) if n > 0.5 * cells.sum()})
        if area < least_span_m2:
            held[-1] = set()
        if area < LEAST_M2:
            continue
        if not len(names):
            rows.append((area, np.nan, np.nan, 0.0))
            continue
        best = int(names[counts.argmax()])
        angle = np.degrees(np.arccos(np.clip(one[face] @ two[best], -1.0, 1.0)))
        turned = abs((azimuth[face] - found_azimuth[best] + 180.0) % 360.0 - 180.0) if tilt[face] > 5.0 else np.nan
        share = counts.max() / cells.sum() if angle < 15.0 else 0.0
        rows.append((area, abs(tilt[face] - found_tilt[best]), turned, share))
    spanning = sum(
        bool(held[i] & held[j]) and float(one[i] @ one[j]) < np.cos(np.radians(8.0))
        for i in range(len(slopes)) for j in range(i)
    )  # fmt: skip
    table = np.array(rows).reshape(-1, 4)
    return Score(table[:, 0], table[:, 1], table[:, 2], table[:, 3], spanning)


def _angles(slopes: F8) -> tuple[F8, F8]:
    return (
        np.degrees(np.arctan(np.hypot(slopes[:, 0], slopes[:, 1]))),
        np.degrees(np.arctan2(-slopes[:, 0], -slopes[:, 1])) % 360.0,
    )
