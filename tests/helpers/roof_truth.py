"""Roofs of a CityJSON model painted on grids: read without the product's reader."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from painted_roofs import CELL_M, Painted
from rooftop.core.grid import Grid

LEAST_CELLS = 16


def roof_faces(path: Path) -> Iterator[list[tuple[shapely.Polygon, NDArray[np.float64]]]]:
    """Return the roof surfaces of each object: the plan, and ``a, b, c`` of ``z = a x + b y + c``."""
    model = json.loads(gzip.decompress(path.read_bytes()))
    vertices = np.array(model["vertices"], dtype=float)
    if "transform" in model:
        vertices = vertices * model["transform"]["scale"] + np.array(model["transform"]["translate"])
    for thing in model["CityObjects"].values():
        faces = []
        for geometry in thing.get("geometry", []):
            for rings in _roof_surfaces(geometry):
                points = [vertices[ring] for ring in rings]
                plan = shapely.Polygon(points[0][:, :2], [hole[:, :2] for hole in points[1:]]).buffer(0.0)
                middle = points[0].mean(axis=0)
                normal = np.linalg.svd(points[0] - middle)[2][-1]
                if plan.area > 0.01 and abs(normal[2]) > 1e-3:
                    a, b = -normal[0] / normal[2], -normal[1] / normal[2]
                    faces.append((plan, np.array([a, b, middle[2] - a * middle[0] - b * middle[1]])))
        if faces:
            yield faces


def _roof_surfaces(geometry: dict[str, Any]) -> Iterator[list[list[int]]]:
    if "semantics" not in geometry:
        return
    solid = geometry["type"] == "Solid"
    shells = geometry["boundaries"] if solid else [geometry["boundaries"]]
    values = geometry["semantics"]["values"] if solid else [geometry["semantics"]["values"]]
    kinds = geometry["semantics"]["surfaces"]
    for shell, kind in zip(shells, values, strict=True):
        for surface, k in zip(shell, kind, strict=True):
            if k is not None and kinds[k]["type"] == "RoofSurface":
                yield surface


def painted_models(path: Path, noise_m: float, seed: int = 0) -> Iterator[Painted]:
    """Paint the roofs of each object at half a metre; the highest face wins a cell."""
    rng = np.random.default_rng(seed)
    for faces in roof_faces(path):
        footprint = shapely.union_all([plan for plan, _ in faces]).buffer(0.01).buffer(-0.01)
        grid = Grid.covering(footprint.bounds, CELL_M, 2.0)
        x, y = grid.centres(*np.meshgrid(np.arange(grid.n_rows), np.arange(grid.n_cols), indexing="ij"))
        height = np.stack(
            [np.where(shapely.contains_xy(plan, x, y), a * x + b * y + c, -np.inf) for plan, (a, b, c) in faces]
        )
        truth = np.where(np.isfinite(height.max(axis=0)), height.argmax(axis=0), -1)
        if (truth >= 0).sum() < LEAST_CELLS:
            continue
        z = np.where(truth >= 0, height.max(axis=0) + rng.normal(0.0, noise_m, truth.shape), 0.0)
        slopes = np.array([plane[:2] for _, plane in faces])
        owner = np.where(truth >= 0, 0, -1).astype(np.int32)
        yield Painted(grid, footprint, z.astype(np.float32), owner, truth, slopes)
