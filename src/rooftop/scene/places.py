"""Where modules lie, small enough to keep for a million roofs; their points in a tile, and the rows before them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from rooftop.core.grid import Grid
from rooftop.core.groups import places_in_groups
from rooftop.core.types import B1, F4, F8, I4, I8
from rooftop.kernels import places as kernel
from rooftop.kernels import rows as rows_kernel
from rooftop.solar.skylines import Skylines

_EVEN_M = 1e-4  # modules whose steps differ by less stand in one run
_LEVEL_M = 1e-3  # rows whose places differ by less are one
_CLAMP_M = 0.1  # modules of a row that are no further apart shade as one
_POINTS = (2, 4)  # along a side of a module, at least and at most
_APART_CELLS, _LEAST_APART_M = 1.25, 0.5


@dataclass(frozen=True)
class PlaneRuns:
    """The modules of one plane: the fields of `ModuleLayout`, for one."""

    start: F4
    number: I4
    origin: F8
    step: F8
    along: F8
    up: F8
    lower_m: float
    rise_m: float

    @classmethod
    def from_corners(cls, corners: F8, lower_m: float = 0.0, rise_m: float = 0.0) -> PlaneRuns:
        """Keep modules that are given by their corners (m, 4, 2), all of one size and direction, in their order.

        Their lower edge stands `lower_m` above the roof, the upper one `rise_m` higher.
        """
        if not len(corners):
            zero = np.zeros(2)
            nothing = np.zeros((0, 2), np.float32), np.zeros(0, np.int32)
            return cls(*nothing, zero, zero, zero, zero, lower_m, rise_m)
        middle = corners.mean(axis=1)
        along, up = 0.5 * (corners[0, 1] - corners[0, 0]), 0.5 * (corners[0, 3] - corners[0, 0])
        moves = np.diff(middle, axis=0)
        step = _step(moves, along)
        begin = np.flatnonzero(np.concatenate([[True], np.abs(moves - step).max(axis=1, initial=0.0) > _EVEN_M]))
        number = np.diff(np.concatenate([begin, [len(corners)]])).astype(np.int32)
        return cls(
            (middle[begin] - middle[0]).astype(np.float32),
            number,
            middle[0],
            step,
            along,
            up,
            lower_m,
            rise_m,
        )


@dataclass(frozen=True, kw_only=True)
class ModuleLayout:
    """Modules of planes as runs of equal steps: 12 bytes for each run, and 88 for each plane.

    Parameters
    ----------
    first : ndarray of int64, shape (n_planes + 1,)
        Runs of each plane.
    start : ndarray of float32, shape (n_runs, 2)
        Middle of the first module of a run, from the plane's origin, in plan.
    number : ndarray of int32, shape (n_runs,)
        Modules of a run.
    origin, step, along, up : ndarray, shape (n_planes, 2)
        Middle of a plane's first module (working CRS), from module to module of a run, and half sides, in plan.
    lower_m, rise_m : ndarray, shape (n_planes,)
        Height of the modules' lower edge above the roof plane, and from there to their upper edge.
    pair : ndarray of int64, shape (n_planes,)
        Plane that holds the other halves of east-west pairs, module by module; -1 for none.
    points : tuple of int
        Points at which each module sees the sky, along its longer and its shorter side.
    """

    first: I8
    start: F4
    number: I4
    origin: F8
    step: F8
    along: F8
    up: F8
    lower_m: F8
    rise_m: F8
    pair: I8
    points: tuple[int, int]

    @classmethod
    def from_planes(
        cls, planes: Sequence[PlaneRuns], pair: I8 | None = None, points: tuple[int, int] = (_POINTS[0], _POINTS[0])
    ) -> ModuleLayout:
        """Put planes together, in their order."""
        sides = np.array([(p.origin, p.step, p.along, p.up) for p in planes]).reshape(-1, 4, 2)
        heights = np.array([(p.lower_m, p.rise_m) for p in planes], dtype=np.float64).reshape(-1, 2)
        return cls(
            first=np.cumsum([0, *(len(p.number) for p in planes)], dtype=np.int64),
            start=np.concatenate([np.zeros((0, 2), dtype=np.float32), *(p.start for p in planes)]),
            number=np.concatenate([np.zeros(0, dtype=np.int32), *(p.number for p in planes)]),
            origin=sides[:, 0],
            step=sides[:, 1],
            along=sides[:, 2],
            up=sides[:, 3],
            lower_m=heights[:, 0],
            rise_m=heights[:, 1],
            pair=np.full(len(planes), -1, dtype=np.int64) if pair is None else pair,
            points=points,
        )

    def of_planes(self, planes: I8, instead: Mapping[int, PlaneRuns]) -> ModuleLayout:
        """Return some planes, ascending, numbered anew; `instead` holds other modules of some, by their new numbers."""
        runs = [instead[k] if k in instead else self._runs(plane) for k, plane in enumerate(planes)]
        partner = self.pair[planes]
        pair = np.where(partner >= 0, np.searchsorted(planes, partner), -1)
        return ModuleLayout.from_planes(runs, pair, self.points)

    def _runs(self, plane: int) -> PlaneRuns:
        some = slice(self.first[plane], self.first[plane + 1])
        return PlaneRuns(
            start=self.start[some],
            number=self.number[some],
            origin=self.origin[plane],
            step=self.step[plane],
            along=self.along[plane],
            up=self.up[plane],
            lower_m=float(self.lower_m[plane]),
            rise_m=float(self.rise_m[plane]),
        )

    def counts(self, planes: I8) -> I8:
        """Return the number of modules of each of the planes."""
        whole = np.concatenate([[0], np.cumsum(self.number, dtype=np.int64)])
        count: I8 = whole[self.first[planes + 1]] - whole[self.first[planes]]
        return count

    def middles(self, planes: I8) -> tuple[I8, F8]:
        """Return the place in `planes` (m,) and the middle (m, 2) of every module, plane after plane."""
        run = np.concatenate([np.arange(self.first[p], self.first[p + 1]) for p in planes] or [np.zeros(0, np.int64)])
        of_run = np.repeat(np.arange(len(planes)), self.first[planes + 1] - self.first[planes])
        number = self.number[run].astype(np.int64)
        plane = np.repeat(of_run, number)
        place = places_in_groups(number)
        at = planes[plane]
        return plane, self.origin[at] + self.start[np.repeat(run, number)] + place[:, None] * self.step[at]


def _step(moves: F8, along: F8) -> F8:
    """Return the shortest move from a module to the next one of its row; any move where no row has two."""
    side = along / np.hypot(*along)
    ahead, beside = moves @ side, np.abs(moves @ np.array([-side[1], side[0]]))
    ahead = np.abs(ahead)  # rows of second halves run against their sides
    rows = np.flatnonzero((beside < _EVEN_M) & (ahead > 0.0))
    if not len(rows):
        return moves[0] if len(moves) else 2.0 * along
    shortest: F8 = moves[rows[np.argmin(np.round(ahead[rows], 3))]]
    return shortest


@dataclass(frozen=True)
class ModulePoints:
    """Modules of a tile's planes, each seen at a few points: the middles of equal parts.

    Parameters
    ----------
    plane : ndarray, shape (m,)
        Plane of each module, numbered as in the tile; those of a plane follow each other.
    cell : ndarray of int32, shape (m, n_points)
        Cell under each point, upwards and then along the module; -1 in a plane without cells.
    lower_m, rise_m, pair : ndarray, shape (n_planes,)
        As in :class:`ModuleLayout`, planes numbered as in the tile.
    """

    plane: I8
    cell: I4
    lower_m: F8
    rise_m: F8
    pair: I8
    _modules: kernel.Rectangles
    _points: kernel.PointLattice

    @classmethod
    def in_window(
        cls, module_layout: ModuleLayout, planes: I8, grid: Grid, cells: tuple[I8, I8], cells_of: list[I8]
    ) -> ModulePoints:
        """Lay the modules of planes on the cells of a tile.

        Parameters
        ----------
        module_layout : ModuleLayout
        planes : ndarray
            Rows of the layout, ascending.
        grid : Grid
        cells : tuple of ndarray
            Row and column of each cell, roof after roof.
        cells_of : list of ndarray
            Cells of each plane, ascending.
        """
        plane, middle = module_layout.middles(planes)
        modules = kernel.Rectangles(plane, middle, module_layout.along[planes], module_layout.up[planes])
        points = _points_of(modules, module_layout.points)
        cell = np.full((len(plane), math.prod(module_layout.points)), -1, dtype=np.int32)
        kernel.cells_under(modules, _slots(grid, cells, cells_of), points, cell)
        partner = module_layout.pair[planes]
        place = np.searchsorted(planes, partner)
        pair = np.where(partner >= 0, place, -1)
        heights = module_layout.lower_m[planes], module_layout.rise_m[planes]
        return cls(plane, cell, *heights, pair, modules, points)

    @property
    def n_points(self) -> int:
        """Points of each module."""
        return int(self.cell.shape[1])

    @property
    def seen(self) -> B1:
        """Modules that lie on any cell, (m,)."""
        return self.cell[:, 0] >= 0

    def eyes_m(self, eyes_m: F8) -> F8:
        """Return how high eyes stand above cells, (n_cells,): those of modules on the cells, else what is given."""
        total, count = np.zeros(len(eyes_m)), np.zeros(len(eyes_m), dtype=np.float32)
        kernel.add_heights(self.plane, self.lower_m, self.rise_m, self.cell, self._points, total, count)
        return np.divide(total, count, out=eyes_m.copy(), where=count > 0)

    def behind_rows(self, horizon: Skylines, modules: I8, standing: B1, grid_north_deg: float) -> F4:
        """Return the horizons of some modules' points, (len(modules) * n_points, n_column), behind the rows in front.

        Parameters
        ----------
        horizon : Skylines
            Of the cells.
        modules : ndarray
            Ascending.
        standing : ndarray of bool, shape (m,)
            Modules that shade others.
        grid_north_deg : float
            True azimuth of grid north.
        """
        out = np.empty((len(modules) * self.n_points, horizon.azimuth.size), dtype=np.float32)
        some = kernel.Rectangles(self.plane[modules], self._modules.middle[modules], *self._modules[2:])
        sight = rows_kernel.CellHorizons(horizon.degrees, horizon.azimuth, horizon.n_azimuth, grid_north_deg)
        needed = np.zeros(len(self.pair), dtype=bool)
        needed[self.plane[modules]] = True
        rows = _stretches(self._modules, standing & needed[self.plane])
        rows_kernel.behind_rows(some, self.rise_m, self.cell[modules], self._points, rows, sight, out)
        return out

    def of_planes(self, planes: I8) -> tuple[I8, I8]:
        """Return the modules of some planes, plane after plane, and for each the place of its plane among them."""
        first, end = (np.searchsorted(self.plane, planes, side=side) for side in ("left", "right"))
        count = end - first
        number = np.repeat(np.arange(len(planes)), count)
        modules = first[number] + places_in_groups(count)
        some = self.seen[modules]
        return modules[some], number[some]

    def partner(self) -> I8:
        """Return the other half of each module's pair, -1 for those of none, (m,)."""
        first = np.searchsorted(self.plane, np.arange(len(self.pair)))
        other = self.pair[self.plane]
        place = np.arange(len(self.plane)) - first[self.plane]
        return np.where(other >= 0, first[other] + place, -1)

    def leaving_order(self) -> I8:
        """Return the modules as rows leave a plane, plane after plane: from the back, each from its ends.

        The halves of a pair leave together.
        """
        partner = self.partner()
        lead = np.where(partner >= 0, np.minimum(partner, np.arange(len(partner))), np.arange(len(partner)))
        middle, plane = self._modules.middle[lead], self.plane[lead]
        back = _along(middle, _direction(self._modules.up)[plane])
        place = _along(middle, _direction(self._modules.along)[plane])
        order = np.lexsort((-back, self.plane))
        row = np.empty(len(order), dtype=np.int64)
        row[order] = np.cumsum(_breaks(self.plane[order], -back[order], 10.0 * _LEVEL_M)) - 1
        from_middle = np.abs(place - (np.bincount(row, place) / np.bincount(row))[row])
        result: I8 = np.lexsort((-middle[:, 0], -np.round(from_middle, 2), row))
        return result


def points_on_module(long_m: float, short_m: float, cell_size_m: float) -> tuple[int, int]:
    """Return how many points see the sky along the longer and the shorter side of a module: as far apart as cells.

    Two at least: the lower and the upper half of a rack's module see different horizons.
    """
    apart = max(_APART_CELLS * cell_size_m, _LEAST_APART_M)
    long, short = (int(np.clip(np.ceil(side / apart - 1e-9), *_POINTS)) for side in (long_m, short_m))
    return long, short


def _points_of(modules: kernel.Rectangles, points: tuple[int, int]) -> kernel.PointLattice:
    """Return the points along and up the modules of each plane."""
    lies = np.hypot(*modules.along.T) >= np.hypot(*modules.up.T)
    long, short = points
    return kernel.PointLattice(np.where(lies, long, short), np.where(lies, short, long))


def _slots(grid: Grid, cells: tuple[I8, I8], cells_of: list[I8]) -> kernel.Slots:
    """Number the cells of a tile, and those of each plane."""
    low = np.array([c[0] if len(c) else 0 for c in cells_of], dtype=np.int64)
    width = np.array([c[-1] - c[0] + 1 if len(c) else 0 for c in cells_of], dtype=np.int64)
    offset = np.cumsum(width) - width
    in_plane = np.zeros(max(int(width.sum()), 1), dtype=bool)
    for own, first, start in zip(cells_of, low, offset, strict=True):
        in_plane[own - first + start] = True
    number = np.full(grid.shape, -1, dtype=np.int32)
    number[cells] = np.arange(len(cells[0]))
    of_plane = np.stack([low, width, offset], axis=1)
    return kernel.Slots(number, *cells, grid.x_min, grid.y_max, grid.cell_size_m, of_plane, in_plane)


def _stretches(modules: kernel.Rectangles, standing: B1) -> rows_kernel.Stretches:
    """Return the upper edges of the rows that stand, from front to back; modules a clamp apart are one."""
    plane = modules.plane[standing]
    wide = np.hypot(*modules.along.T)[plane]
    edge = modules.middle[standing] + modules.up[plane]
    forward = -_along(edge, _direction(modules.up)[plane])
    place = _along(edge, _direction(modules.along)[plane])
    level = np.round(forward / _LEVEL_M)
    order = np.lexsort((place, level, plane))
    plane, forward, place, wide = plane[order], forward[order], place[order], wide[order]
    begin = _breaks(plane, level[order], 0.5)
    apart = (place[1:] - wide[1:]) - (place[:-1] + wide[:-1])
    begin[1:] |= apart > _CLAMP_M
    first = np.flatnonzero(begin)
    last = np.append(first[1:], len(place)) - 1 if len(first) else first
    of_plane = np.searchsorted(plane[first], np.arange(len(modules.up) + 1))
    rows = forward[first], place[first] - wide[first], place[last] + wide[last]
    return rows_kernel.Stretches(of_plane.astype(np.int64), *rows)


def _direction(sides: F8) -> F8:
    """Return sides (n, 2) of the length 1; a side without length stays."""
    length = np.hypot(*sides.T)
    result: F8 = sides / np.where(length > 0.0, length, 1.0)[:, None]
    return result


def _along(points: F8, direction: F8) -> F8:
    """Return how far points (n, 2) lie along directions (n, 2)."""
    result: F8 = points[:, 0] * direction[:, 0] + points[:, 1] * direction[:, 1]
    return result


def _breaks(group: I8, value: F8, least: float) -> B1:
    """Say where a group, or a value that ascends within it, begins anew."""
    begin = np.ones(len(group), dtype=bool)
    begin[1:] = (group[1:] != group[:-1]) | (value[1:] - value[:-1] > least)
    return begin
