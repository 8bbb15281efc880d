"""Modules kept as runs come back where they were; those on dark cells are found, and no others."""

from __future__ import annotations

import numpy as np
import pytest
import shapely

from rooftop.core.grid import Grid
from rooftop.scene.packing import PackOptions, pack
from rooftop.scene.places import ModuleCells, ModuleLayout, PlaneRuns
from rooftop.solar.pvsystem import load_module

MODULE = load_module()
X, Y = 500_000.0, 3_830_000.0


def packed(zone: shapely.Geometry, options: PackOptions, tilt: float = 0.0, azimuth: float = 180.0):
    return pack(
        zone, tilt, azimuth, MODULE, options, latitude_deg=34.6, specific_yield=lambda plane: 1000.0
    )  # fmt: skip


ZONES = {
    "rectangle": (shapely.box(X, Y, X + 60, Y + 25), PackOptions("rack"), 0.0),
    "turned": (
        shapely.affinity.rotate(shapely.box(X, Y, X + 60, Y + 25), 23.0), PackOptions("rack", rows="building"), 0.0,
    ),
    "holes": (
        shapely.box(X, Y, X + 60, Y + 25)
        - shapely.union(shapely.box(X + 10, Y + 5, X + 14, Y + 9), shapely.Point(X + 40, Y + 12).buffer(4)),
        PackOptions("rack"), 0.0,
    ),
    "pitched": (shapely.box(X, Y, X + 60, Y + 25), PackOptions("flush"), 35.0),
    "pairs": (shapely.box(X, Y, X + 60, Y + 25), PackOptions("east_west", azimuth_deg=90.0), 0.0),
    "one column": (shapely.box(X, Y, X + 3.0, Y + 25), PackOptions("rack"), 0.0),
    "empty": (shapely.Polygon(), PackOptions("flush"), 0.0),
}  # fmt: skip


@pytest.mark.parametrize("name", ZONES)
def test_runs_give_the_modules_back(name: str) -> None:
    zone, options, tilt = ZONES[name]
    found = packed(zone, options, tilt)
    halves = [~found.second_half, found.second_half] if name == "pairs" else [~found.second_half]
    places = ModuleLayout.from_planes([PlaneRuns.from_corners(found.modules[half]) for half in halves])
    planes = np.arange(len(halves))
    assert places.counts(planes).sum() == found.count
    assert (found.count > 30) == (name not in ("one column", "empty"))
    of, middle = places.middles(planes)
    for k, half in enumerate(halves):
        wanted = found.modules[half]
        assert middle[of == k] == pytest.approx(wanted.mean(axis=1), abs=1e-3)
        if len(wanted):
            corner = middle[of == k] - places.along[k] - places.up[k]
            assert corner == pytest.approx(wanted[:, 0], abs=1e-3)
    if name not in ("one column", "empty"):
        assert len(places.number) < 0.3 * found.count


def test_a_plane_does_not_depend_on_those_beside_it() -> None:
    shapes = [packed(*ZONES[name]).modules for name in ("rectangle", "turned", "pitched")]
    places = ModuleLayout.from_planes([PlaneRuns.from_corners(some) for some in shapes])
    of, middle = places.middles(np.array([0, 2]))
    alone = places.middles(np.array([2]))[1]
    np.testing.assert_array_equal(middle[of == 1], alone)


def painted(places: ModuleLayout, grid: Grid, owner: np.ndarray) -> ModuleCells:
    """Lay the modules of one plane on cells of one roof."""
    cells = np.nonzero(owner)
    return ModuleCells.in_window(places, np.array([0]), grid, cells, [np.arange(len(cells[0]))])  # type: ignore[arg-type]


def test_modules_on_dark_cells_are_gone_and_no_others() -> None:
    """Dark south of a line 10 m up: by the corners of each module, without any grid."""
    found = packed(shapely.box(X + 1, Y + 1, X + 39, Y + 23), PackOptions("rack"))
    places = ModuleLayout.from_planes([PlaneRuns.from_corners(found.modules)])
    grid = Grid.covering((X - 5, Y - 5, X + 45, Y + 30), 1.0)
    _, y = grid.centres(*np.indices(grid.shape))
    owner = np.zeros(grid.shape, dtype=bool)
    owner[5:31, 5:45] = True
    stand = painted(places, grid, owner)
    lit = stand.on_bright_cells((y > Y + 10.0)[owner])
    lowest = found.modules[:, :, 1].min(axis=1) - Y
    assert 20 < lit.sum() < found.count - 20
    assert lit[lowest > 10.0].all()
    assert not lit[lowest < 9.95].any()


def test_a_single_dark_cell_takes_the_modules_that_touch_it() -> None:
    found = packed(shapely.box(X + 1, Y + 1, X + 39, Y + 23), PackOptions("flush"))
    places = ModuleLayout.from_planes([PlaneRuns.from_corners(found.modules)])
    grid = Grid.covering((X - 5, Y - 5, X + 45, Y + 30), 1.0)
    owner = np.ones(grid.shape, dtype=bool)
    bright = np.ones(grid.shape, dtype=bool)
    row, col = grid.cell_of(np.array([X + 20.5]), np.array([Y + 12.5]))
    bright[row, col] = False
    stand = painted(places, grid, owner)
    touched = shapely.area(
        shapely.intersection(shapely.polygons(found.modules), shapely.box(X + 20, Y + 12, X + 21, Y + 13))
    )
    gone = ~stand.on_bright_cells(bright[owner])
    assert gone[touched > 0.25].all() and not gone[touched == 0.0].any() and gone.sum() > 0
    inside, outside = stand.split()
    assert len(inside[0]) + len(outside[0]) == owner.sum() and len(np.intersect1d(inside[0], outside[0])) == 0
    assert stand.under.sum() == len(inside[0]) == pytest.approx(38 * 22, rel=0.06)  # flush: no gaps but at the rim


def test_gaps_between_rows_belong_to_the_rows() -> None:
    """Rows 1.759 m apart: the cells between them too, whatever the phase of the grid; no cell beyond the array."""
    found = packed(shapely.box(X + 1, Y + 1, X + 39, Y + 23), PackOptions("rack"))
    deep = np.hypot(*(found.modules[0, 3] - found.modules[0, 0]))
    places = ModuleLayout.from_planes([PlaneRuns.from_corners(found.modules, found.pitch_m / deep)])
    shapes = shapely.union_all(shapely.polygons(found.modules))
    for cell in (0.5, 1.0, 2.0):
        grid = Grid.covering((X - 5.3, Y - 5.7, X + 45, Y + 30), cell)
        stand = painted(places, grid, np.ones(grid.shape, dtype=bool))
        y, x = (values.ravel() for values in grid.centres(*np.indices(grid.shape))[::-1])
        inside = stand.under
        assert (shapely.distance(shapes, shapely.points(x[inside], y[inside])) < 0.5 * found.pitch_m).all()
        box = shapely.contains_xy(shapes.envelope, x, y)
        assert inside[box].mean() > 0.97
        under = shapely.contains_xy(shapes, x, y)
        assert inside[under].all()


def test_planes_that_share_cells_have_their_own_light() -> None:
    """Halves of a pair look east and west: the same cell may be dark for one."""
    found = packed(*ZONES["pairs"][:2])
    places = ModuleLayout.from_planes(
        [PlaneRuns.from_corners(found.modules[half]) for half in (~found.second_half, found.second_half)]
    )
    grid = Grid.covering((X - 5, Y - 5, X + 65, Y + 30), 1.0)
    cells = np.nonzero(np.ones(grid.shape, dtype=bool))
    every = np.arange(len(cells[0]))
    stand = ModuleCells.in_window(places, np.array([0, 1]), grid, cells, [every, every])  # type: ignore[arg-type]
    bright = np.concatenate([np.ones(len(every), dtype=bool), np.zeros(len(every), dtype=bool)])
    assert np.bincount(stand.plane, stand.on_bright_cells(bright)).tolist() == [found.count / 2, 0]


def test_a_module_on_no_cell_of_its_plane_follows_most_of_it() -> None:
    found = packed(shapely.box(X, Y, X + 5, Y + 5), PackOptions("flush"))
    places = ModuleLayout.from_planes([PlaneRuns.from_corners(found.modules)])
    grid = Grid.covering((X - 5, Y - 5, X + 45, Y + 30), 1.0)
    owner = np.zeros(grid.shape, dtype=bool)
    owner[2:4, 30:32] = True  # elsewhere
    stand = painted(places, grid, owner)
    assert stand.on_bright_cells(np.array([True, True, True, False])).all()
    assert not stand.on_bright_cells(np.array([True, False, False, False])).any()
    inside, outside = stand.split()
    assert len(inside[0]) == 4 and len(outside[0]) == 0
    bare = ModuleCells.in_window(None, np.array([0]), grid, np.nonzero(owner), [np.arange(4)])  # type: ignore[arg-type]
    assert len(bare.plane) == 0 and len(bare.split()[0][0]) == 4
