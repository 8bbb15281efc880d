"""Small city models made by hand: CityJSON documents of houses whose planes a person can work out."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

Point = tuple[float, float, float]
Surfaces = list[tuple[str, list[list[Point]]]]


class Model:
    """A CityJSON document that grows surface by surface; vertices in millimetres under a transform."""

    def __init__(self, version: str = "2.0", crs: str | None = "EPSG:4549", origin: Point = (0.0, 0.0, 0.0)) -> None:
        self.origin, self.points = origin, list[list[int]]()
        self.document: dict[str, Any] = {
            "type": "CityJSON", "version": version, "CityObjects": {}, "vertices": self.points,
            "transform": {"scale": [0.001] * 3, "translate": list(origin)},
        }  # fmt: skip
        if crs is not None:
            url = f"https://www.opengis.net/def/crs/EPSG/0/{crs.split(':')[1]}"
            self.document["metadata"] = {"referenceSystem": url}

    def ring(self, points: list[Point]) -> list[int]:
        """Store the vertices of a ring."""
        first = len(self.points)
        self.points.extend([round((v - o) * 1000.0) for v, o in zip(p, self.origin, strict=True)] for p in points)
        return list(range(first, first + len(points)))

    def add(
        self, name: str, surfaces: Surfaces, *, kind: str = "Building", shape: str = "MultiSurface", lod: str = "2",
        parent: str | None = None, **attributes: Any
    ) -> None:  # fmt: skip
        """Add a geometry to an object; surfaces are (semantic type, rings)."""
        item = self.document["CityObjects"].setdefault(name, {"type": kind, "attributes": attributes, "geometry": []})
        if parent is not None:
            item["parents"] = [parent]
            whole = self.document["CityObjects"].setdefault(parent, {"type": "Building", "geometry": []})
            whole.setdefault("children", []).append(name)
        boundaries: list[Any] = [[self.ring(ring) for ring in rings] for _, rings in surfaces]
        values: list[Any] = list(range(len(surfaces)))
        for _ in range({"MultiSurface": 0, "CompositeSurface": 0, "Solid": 1, "MultiSolid": 2}[shape]):
            boundaries, values = [boundaries], [values]
        semantics = {"values": values, "surfaces": [{"type": name} for name, _ in surfaces]}
        item["geometry"].append({"type": shape, "lod": lod, "boundaries": boundaries, "semantics": semantics})

    def write(self, path: Path) -> Path:
        """Write the document, packed where the name ends in gz."""
        data = json.dumps(self.document).encode()
        path.write_bytes(gzip.compress(data, mtime=0) if path.suffix == ".gz" else data)
        return path


def gable(
    x: float, y: float, *, length: float = 20.0, width: float = 10.0, eaves: float = 6.0, rise: float = 3.0,
    ground: float = 0.0
) -> Surfaces:  # fmt: skip
    """A house whose ridge runs east-west: a south and a north plane, walls and ground. South-west corner at (x, y)."""
    low, top, mid, east, north = ground + eaves, ground + eaves + rise, y + width / 2.0, x + length, y + width
    south = [(x, y, low), (east, y, low), (east, mid, top), (x, mid, top)]
    back = [(x, mid, top), (east, mid, top), (east, north, low), (x, north, low)]
    foot = [(x, y, ground), (x, north, ground), (east, north, ground), (east, y, ground)]
    wall = [(x, y, ground), (east, y, ground), (east, y, low), (x, y, low)]
    return [("RoofSurface", [south]), ("RoofSurface", [back]), ("GroundSurface", [foot]), ("WallSurface", [wall])]


def flat(
    x: float, y: float, *, length: float, width: float, top: float, ground: float = 0.0, hole: bool = False
) -> Surfaces:
    """A flat roof, with a courtyard of half its length and width if asked, and its ground."""
    east, north = x + length, y + width
    rings = [[(x, y, top), (east, y, top), (east, north, top), (x, north, top)]]
    if hole:
        a, b, c, d = x + length / 4, y + width / 4, east - length / 4, north - width / 4
        rings.append([(a, b, top), (a, d, top), (c, d, top), (c, b, top)])
    foot = [[(px, py, ground) for px, py, _ in reversed(rings[0])]]
    return [("RoofSurface", rings), ("GroundSurface", foot)]
