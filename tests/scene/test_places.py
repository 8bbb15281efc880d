"""Modules kept as runs come back where they were; their points see the cells under them, and the rows in front."""

from __future__ import annotations

import numpy as np
import pytest
import shapely

from rooftop.core.grid import Grid
from rooftop.scene.packing import Packed, PackOptions, pack
from rooftop.scene.places import ModuleLayout, ModulePoints, PlaneRuns, points_on_module
from rooftop.solar.pvsystem import load_module
from rooftop.solar.skylines import Skylines

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


def halves(found: Packed) -> list[np.ndarray]:
    """Return the modules of each orientation: one, or of pairs two."""
    return [found.modules[half] for half in (~found.second_half, found.second_half) if half.any()]


def standing(found: Packed, cell: float = 1.0, points: tuple[int, int] = (2, 2)) -> tuple[ModulePoints, Grid]:
    """Lay a roof's modules on cells that all are the roof's; lower edges at 0.1 m."""
    flush = found.mounting == "flush"
    rise = 0.0 if flush else found.slope_length_m * float(np.sin(np.radians(found.tilt_deg)))
    some = halves(found)
    pair = np.array([1, 0]) if len(some) == 2 else None
    places = ModuleLayout.from_planes([PlaneRuns.from_corners(each, 0.1, rise) for each in some], pair, points)
    grid = Grid.covering((X - 10, Y - 20, X + 70, Y + 45), cell)
    row, col = (place.ravel() for place in np.indices(grid.shape))
    every = [np.arange(row.size)] * len(some)
    return ModulePoints.in_window(places, np.arange(len(some)), grid, (row, col), every), grid


def points_by_hand(corners: np.ndarray, n_along: int, n_up: int) -> np.ndarray:
    """Return the points of modules given by their corners, by mixing the corners: (m, n_up, n_along, 2)."""
    s, t = ((np.arange(n) + 0.5) / n for n in (n_along, n_up))
    low, high = (corners[:, [a]] * (1 - s)[:, None] + corners[:, [b]] * s[:, None] for a, b in ((0, 1), (3, 2)))
    return low[:, None] * (1 - t)[:, None, None] + high[:, None] * t[:, None, None]


@pytest.mark.parametrize(("name", "points"), [("turned", (2, 2)), ("pitched", (4, 3)), ("pairs", (3, 2))])
def test_every_point_is_on_the_cell_that_holds_it(name: str, points: tuple[int, int]) -> None:
    found = packed(*ZONES[name])
    seen, grid = standing(found, 1.0, points)
    first = 0
    for corners in halves(found):
        lies = np.hypot(*(corners[0, 1] - corners[0, 0])) > np.hypot(*(corners[0, 3] - corners[0, 0]))
        n_along, n_up = points if lies else points[::-1]
        at = points_by_hand(corners, n_along, n_up).reshape(len(corners), -1, 2)
        row, col = grid.cell_of(at[..., 0], at[..., 1])
        wanted = row * grid.n_cols + col
        mine = seen.cell[first : first + len(corners)]
        assert (mine == wanted).mean() > 0.999  # a point on the border of two cells is either's
        first += len(corners)
    assert first == len(seen.plane) == found.count


def test_points_are_no_further_apart_than_asked() -> None:
    long_m, short_m = 2.278, 1.134
    assert [points_on_module(long_m, short_m, cell) for cell in (5.0, 1.0, 0.5, 0.25)] == [
        (2, 2),
        (2, 2),
        (4, 2),
        (4, 3),
    ]


def test_eyes_are_where_the_modules_are() -> None:
    """Cells under a module look from 0.1 m up to its upper edge, all others from where they are told."""
    found = packed(*ZONES["rectangle"])
    seen, grid = standing(found, 0.25, (4, 4))
    n = grid.n_rows * grid.n_cols
    eyes = seen.eyes_m(np.full(n, 7.0))
    rise = found.slope_length_m * np.sin(np.radians(found.tilt_deg))
    under = eyes < 7.0
    assert eyes[under].min() > 0.1 and eyes[under].max() < 0.1 + rise
    assert eyes[under].max() - eyes[under].min() > 0.7 * rise
    y = grid.centres(*np.indices(grid.shape))[1].ravel()[under]
    row_begins = found.modules[:, 0, 1].min()
    place = (y - row_begins) % found.pitch_m  # up the slope is north
    inside = place < found.slope_length_m * np.cos(np.radians(found.tilt_deg))
    assert np.corrcoef(place[inside], eyes[under][inside])[0, 1] > 0.95


def rows_by_hand(corners: np.ndarray, at: np.ndarray, above: float, azimuth_deg: float, rise: float) -> float:
    """Return the horizon that upper edges make at a point in one direction: a ray against every edge, one by one."""
    ray = shapely.LineString(
        [at, at + 300.0 * np.array([np.sin(np.radians(azimuth_deg)), np.cos(np.radians(azimuth_deg))])]
    )
    edges = shapely.linestrings(corners[:, [3, 2]])
    met = shapely.intersects(edges, ray)
    away = shapely.distance(shapely.points(at), shapely.intersection(edges[met], ray))
    away = away[away > 1e-6]
    return 0.0 if not len(away) else float(np.degrees(np.arctan2(rise - above, away.min())))


@pytest.mark.parametrize("name", ["rectangle", "turned", "holes", "pairs"])
def test_rows_in_front_are_as_many_and_as_long_as_they_are(name: str) -> None:
    """Against rays that try every upper edge; the clamp gap between modules lets no light through."""
    found = packed(*ZONES[name])
    seen, grid = standing(found)
    n_cells, rng = grid.n_rows * grid.n_cols, np.random.default_rng(3)
    flat = Skylines.from_degrees(np.zeros((n_cells, 72), dtype=np.float32))
    every = np.arange(len(seen.plane))
    north = 1.3
    degrees = seen.behind_rows(flat, every, np.ones(len(every), dtype=bool), north)
    rise = found.slope_length_m * np.sin(np.radians(found.tilt_deg))
    first, differ, tried = 0, 0, 0
    for corners in halves(found):
        at = points_by_hand(corners, 2, 2).reshape(len(corners), 4, 2)
        up = corners[0, 3] - corners[0, 0]
        facing = np.degrees(np.arctan2(-up[0], -up[1]))
        for module in rng.choice(len(corners), 30, replace=False):
            for k in range(0, 72, 3):
                azimuth = 5.0 * k - north
                for point in range(4):
                    ahead = np.cos(np.radians(azimuth - facing)) > 0.06
                    wanted = rows_by_hand(corners, at[module, point], rise * (0.25 + 0.5 * (point // 2)), azimuth, rise)
                    mine = degrees[4 * (first + module) + point, k]
                    tried += 1
                    differ += bool(abs(mine - (wanted if ahead else 0.0)) > 0.05)
        first += len(corners)
    assert tried > 2000 and differ < 0.02 * tried  # rays through a gap of 2 cm, or past the very end of a row
    assert 2.0 < degrees.max() < 45.0


def test_each_half_of_a_pair_rises_to_the_ridge() -> None:
    found = packed(*ZONES["pairs"])
    east, west = halves(found)
    up_east, up_west = east[:, 3] - east[:, 0], west[:, 3] - west[:, 0]
    assert (up_east[:, 0] < -0.5).all() and (up_west[:, 0] > 0.5).all()
    ridge = [some[:, [2, 3]].mean(axis=1) for some in (east, west)]
    assert np.hypot(*(ridge[0] - ridge[1]).T).max() == pytest.approx(0.02, abs=1e-6)
    seen, grid = standing(found)
    flat = Skylines.from_degrees(np.zeros((grid.n_rows * grid.n_cols, 72), dtype=np.float32))
    every = np.arange(found.count)
    degrees = seen.behind_rows(flat, every, np.ones(found.count, dtype=bool), 0.0).reshape(found.count, 4, 72)
    inner = np.argsort(np.hypot(*(found.modules.mean(axis=(1)) - found.modules.mean(axis=(0, 1))).T))[:10]
    for module in inner:
        half = np.flatnonzero(~found.second_half), np.flatnonzero(found.second_half)
        own = int(np.searchsorted(half[int(found.second_half[module])], module))
        number = own + (found.count // 2 if found.second_half[module] else 0)
        towards, behind = (54, 18) if found.second_half[module] else (18, 54)
        assert (degrees[number, :2, towards] > degrees[number, 2:, towards]).all()
        assert (degrees[number, :, behind] == 0.0).all()


def test_the_first_row_has_nothing_in_front_and_ends_see_past_the_next() -> None:
    found = packed(*ZONES["rectangle"])
    seen, grid = standing(found)
    flat = Skylines.from_degrees(np.zeros((grid.n_rows * grid.n_cols, 72), dtype=np.float32))
    every = np.arange(len(seen.plane))
    degrees = seen.behind_rows(flat, every, np.ones(len(every), dtype=bool), 0.0).reshape(len(every), -1)
    south = found.modules[:, 0, 1]
    front = south < south.min() + 0.1
    assert (degrees[front] == 0.0).all() and (degrees[~front].max(axis=1) > 3.0).all()
    gone = ~front
    free = seen.behind_rows(flat, every, gone, 0.0).reshape(len(every), -1)
    second = ~front & (south < south[~front].min() + 0.1)
    assert (free[second] == 0.0).all() and (free[~front & ~second] == degrees[~front & ~second]).all()
    last = south > south.max() - 0.1
    east = np.argsort(found.modules[last, 0, 0])
    se = degrees[last].reshape(last.sum(), 4, 72)[:, 0, 27]  # 135 degrees, lower western point
    assert se[east[-1]] == 0.0 and se[east[0]] > 3.0


def test_whole_rows_leave_from_the_back_and_pairs_together() -> None:
    found = packed(*ZONES["rectangle"])
    seen, _ = standing(found)
    order = seen.leaving_order()
    assert sorted(order) == list(range(found.count))
    south = found.modules[order, 0, 1]
    assert (np.diff(south) < 1e-3).all()
    row = order[south > south.max() - 0.1]
    from_middle = np.abs(found.modules[row].mean(axis=1)[:, 0] - found.modules[row].mean(axis=(0, 1))[0])
    assert (np.diff(from_middle) < 0.02).all()
    pairs = packed(*ZONES["pairs"])
    both, _ = standing(pairs)
    half = pairs.count // 2
    order = both.leaving_order()
    np.testing.assert_array_equal(order[:half], order[half:] - half)
    np.testing.assert_array_equal(both.partner(), np.roll(np.arange(pairs.count), half))


def test_a_module_on_no_cell_of_its_plane_takes_the_nearest() -> None:
    found = packed(shapely.box(X, Y, X + 5, Y + 5), PackOptions("flush"))
    places = ModuleLayout.from_planes([PlaneRuns.from_corners(found.modules)])
    grid = Grid.covering((X - 5, Y - 5, X + 45, Y + 30), 1.0)
    owner = np.zeros(grid.shape, dtype=bool)
    owner[2:4, 30:32] = True  # elsewhere, north-east
    cells = np.nonzero(owner)
    lone = ModulePoints.in_window(places, np.array([0]), grid, cells, [np.arange(4)])  # type: ignore[arg-type]
    assert (lone.cell == 2).all() and lone.seen.all()  # the south-western one of the four
    nothing = ModulePoints.in_window(places, np.array([0]), grid, cells, [np.arange(0)])  # type: ignore[arg-type]
    assert (nothing.cell == -1).all() and not nothing.seen.any()
    assert len(nothing.of_planes(np.array([0]))[0]) == 0
