"""Obstacles on the planes of a roof model, seen in a surface model; and roofs that the surface model hardly knows."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely
from numpy.typing import NDArray
from pyproj import CRS

from city_models import Model, gable
from rooftop.config import RoofsInput
from rooftop.core.roof_rules import load_roof_rules
from rooftop.inputs.cityjson import read_roofs
from rooftop.scene.known import dsm_planes, known_planes, modelled_obstacles

Floats = NDArray[np.floating]
X, Y = 500_000.0, 3_830_000.0
CONVERGENCE = np.array([12.0, -8.0])  # more than any grid has, so that a wrong sign shows
TILT = 35.0


class Painted:
    """A surface model given by a formula, with 3 cm of noise."""

    native_cell_m = 0.5

    def __init__(self, height: Callable[[Floats, Floats], Floats]) -> None:
        self.height = height

    def window(self, x_min: float, y_max: float, cell_size_m: float, n_rows: int, n_cols: int) -> NDArray[np.float32]:
        row, col = np.mgrid[:n_rows, :n_cols]
        z = self.height(x_min - X + (col + 0.5) * cell_size_m, y_max - Y - (row + 0.5) * cell_size_m)
        return (z + np.random.default_rng(3).normal(0.0, 0.03, z.shape)).astype(np.float32)


def gables() -> gpd.GeoDataFrame:
    """Two houses of 16 m x 10 m, ridges along x at 11 m; the second stands 40 m further east."""
    rows = []
    for roof in (0, 1):
        for side, azimuth in ((1, 0.0), (-1, 180.0)):
            y0, y1 = sorted((5.0, 5.0 + 5.0 * side))
            plan = shapely.box(X + 40.0 * roof, Y + y0, X + 40.0 * roof + 16.0, Y + y1)
            true_azimuth = (azimuth + CONVERGENCE[roof]) % 360.0
            z = 11.0 - 2.5 * np.tan(np.radians(TILT))
            rows.append((roof, TILT, true_azimuth, z, plan))
    columns = ["roof", "surface_tilt_deg", "surface_azimuth_deg", "z_m", "geometry"]
    return gpd.GeoDataFrame(rows, columns=columns, geometry="geometry", crs="EPSG:4549")


def roofs_m(x: Floats, y: Floats) -> Floats:
    on = ((x % 40.0) < 16.0) & (y > 0.0) & (y < 10.0) & (x > 0.0) & (x < 56.0)
    return np.where(on, 11.0 - np.abs(y - 5.0) * np.tan(np.radians(TILT)), 0.0)


def test_a_chimney_on_a_modelled_roof_is_found_whatever_the_vertical_datum() -> None:
    def height(x: Floats, y: Floats) -> Floats:
        chimney = (x > 4.0) & (x < 6.0) & (y > 7.0) & (y < 8.5)
        return roofs_m(x, y) + np.where(chimney, 1.2, 0.0) + 43.0

    standing, notices = modelled_obstacles(gables(), Painted(height), CONVERGENCE)
    assert notices == ()
    assert sorted(standing) == [0, 1]
    shapes, heights = standing[0]
    assert len(shapes) == 1
    true = shapely.box(X + 4.0, Y + 7.0, X + 6.0, Y + 8.5)
    assert shapely.area(shapely.intersection(shapes[0], true)) == pytest.approx(3.0, abs=0.01)
    assert shapely.area(shapes[0]) == pytest.approx(3.0, abs=0.01)
    assert heights[0] == pytest.approx(1.2, abs=0.1)
    assert len(standing[1][0]) == 0  # known to be free, which is not the same as unknown


def test_a_roof_that_the_surface_model_belies_keeps_its_assumed_share() -> None:
    def height(x: Floats, y: Floats) -> Floats:
        return np.where(x > 30.0, np.where(roofs_m(x, y) > 0.0, 9.0, 0.0), roofs_m(x, y))  # the second one is flat

    standing, notices = modelled_obstacles(gables(), Painted(height), CONVERGENCE)
    assert sorted(standing) == [0]
    assert [(n.code, n.count) for n in notices] == [("roof_models_disagree", 1)]


@pytest.mark.parametrize(("unseen_m", "planes", "said"), [(4.0, 2, []), (9.0, 0, ["roof_not_seen"])])
def test_a_roof_keeps_its_area_or_is_assumed_where_it_is_not_seen(
    unseen_m: float, planes: int, said: list[str]
) -> None:
    def height(x: Floats, y: Floats) -> Floats:
        return np.where((x > 0.0) & (x < unseen_m), np.nan, roofs_m(x, y))

    footprints = np.array([shapely.box(X, Y, X + 16.0, Y + 10.0)], dtype=object)
    buildings = gpd.GeoDataFrame({"building_id": ["a"]}, geometry=list(footprints), crs="EPSG:4549")
    found = dsm_planes(Painted(height), buildings, footprints, CONVERGENCE[:1])
    assert len(found.table) == planes
    assert [n.code for n in found.notices] == said
    if planes:
        assert shapely.area(found.table.geometry.to_numpy()).sum() == pytest.approx(160.0, rel=1e-6)
        shapes, heights = found.obstacles[0]
        assert shapely.area(shapes).sum() == pytest.approx(unseen_m * 10.0, abs=1.0)
        assert heights.tolist() == [0.0] * len(heights)


def test_modelled_and_seen_roofs_both_bring_their_obstacles(tmp_path: Path) -> None:
    """The first house is in the roof model, the second is not: its planes come from the surface, chimneys on both."""

    def height(x: Floats, y: Floats) -> Floats:
        chimney = ((x % 40.0) > 4.0) & ((x % 40.0) < 6.0) & (y > 7.0) & (y < 8.5)
        return roofs_m(x, y) + np.where(chimney, 1.2, 0.0)

    rise = 5.0 * np.tan(np.radians(TILT))
    model = Model()
    model.add("a", gable(X, Y, length=16.0, width=10.0, eaves=11.0 - rise, rise=rise))
    read = read_roofs(RoofsInput(path=model.write(tmp_path / "city.json")), CRS("EPSG:4549"))
    shapes = [shapely.box(X + x, Y, X + x + 16.0, Y + 10.0) for x in (0.0, 40.0)]
    ids = ["a", "b"]
    buildings = gpd.GeoDataFrame({"building_id": ids, "source_id": ids}, geometry=shapes, crs="EPSG:4549")
    found = known_planes(
        read, Painted(height), buildings, np.array(shapes, dtype=object), np.zeros(2), np.zeros(2), load_roof_rules(),
        terrain_known=True,
    )  # fmt: skip
    assert found.table["roof_source"].tolist() == ["lod2", "lod2", "dsm", "dsm"]
    assert sorted(found.obstacles) == [0, 1]
    for shapes_on, heights in found.obstacles.values():
        assert shapely.area(shapes_on).sum() == pytest.approx(3.0, abs=0.3)
        assert heights == pytest.approx([1.2], abs=0.15)
