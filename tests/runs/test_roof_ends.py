"""A town whose roofs end inside their outlines and carry stair heads: modules stay on the roof, and off the heads."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
import shapely

import rooftop
from rooftop.core.roof_rules import load_roof_rules
from small_town import METRIC, X0, Y0, buildings, config, elevation, rectangle, surface, write

N = 4
TERRACE_M = 1.0  # of each outline's north is a terrace, this wide
CELL_M = 0.5


def heights(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Flat roofs of 9 m with a stair head of 4 x 4 m and 3 m, a terrace 5 m below the roof, a yard on the ground."""
    out = surface(x, y, [9.0] * N)
    for k in range(N):
        x0, y0, _, y1 = rectangle(k, 0.0, 0.0).bounds
        on = (out > 55.0) & (x > x0) & (x < x0 + 30.0)
        out[on & (y > y1 - TERRACE_M)] -= 5.0
        out[on & (np.abs(x - x0 - 22.0) < 4.0) & (np.abs(y - y0 - 7.0) < 3.0)] = 50.4
        out[on & (np.abs(x - x0 - 12.0) < 2.0) & (np.abs(y - y0 - 8.0) < 2.0)] += 3.0
    return out


@pytest.fixture(scope="module")
def modules(tmp_path_factory: pytest.TempPathFactory) -> shapely.Geometry:
    """All modules that count, in plan."""
    folder = tmp_path_factory.mktemp("ends")
    dsm = elevation(folder / "dsm.tif", heights, CELL_M)
    dtm = elevation(folder / "dtm.tif", lambda x, y: np.full(x.shape, 50.0), CELL_M)
    town = config(folder, write(buildings(N), folder / "b.gpkg"), dsm={"path": dsm}, dtm={"path": dtm})
    scene = town.scene.model_copy(update={"cell_size_m": CELL_M})
    outputs = town.outputs.model_copy(update={"modules": True})
    rooftop.run(town.model_copy(update={"scene": scene, "outputs": outputs}), folder / "out")
    table = gpd.read_parquet(folder / "out" / "modules.parquet").to_crs(METRIC)
    return shapely.union_all(table.geometry.to_numpy()[table["counted"].to_numpy(dtype=bool)])


def test_no_module_stands_on_a_stair_head(modules: shapely.Geometry) -> None:
    heads = [
        shapely.box(x + 10.0, y + 6.0, x + 14.0, y + 10.0)
        for x, y, _, _ in (rectangle(k, X0, Y0).bounds for k in range(N))
    ]
    assert modules.distance(shapely.union_all(heads)) > 0.2
    assert modules.area > 100.0 * N


def test_a_yard_inside_an_outline_is_no_roof(modules: shapely.Geometry) -> None:
    """However flat and open it lies: it is ground, and the roof around it ends there."""
    yards = [
        shapely.box(x + 18.0, y + 4.0, x + 26.0, y + 10.0)
        for x, y, _, _ in (rectangle(k, X0, Y0).bounds for k in range(N))
    ]
    assert modules.distance(shapely.union_all(yards)) > load_roof_rules().setback_m.value - 0.5 * CELL_M


def test_the_setback_counts_from_where_the_roof_ends(modules: shapely.Geometry) -> None:
    ends = [
        shapely.box(x0, y1 - TERRACE_M, x1, y1)
        for x0, _, x1, y1 in (rectangle(k, X0, Y0).bounds for k in range(N))
    ]  # fmt: skip
    assert modules.distance(shapely.union_all(ends)) > load_roof_rules().setback_m.value - 0.5 * CELL_M
