"""Where modules lie, small enough to keep for a million roofs, and which cells of a tile are under them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rooftop.core.grid import Grid
from rooftop.core.types import B1, F4, F8, I4, I8
from rooftop.kernels import places as kernel

_EVEN_M = 1e-4  # modules whose steps differ by less stand in one run


@dataclass(frozen=True)
class PlaneRuns:
    """The modules of one plane: the fields of `ModuleLayout`, for one."""

    start: F4
    number: I4
    origin: F8
    step: F8
    along: F8
    up: F8
    room: F8

    @classmethod
    def from_corners(cls, corners: F8, rows_apart: float = 1.0) -> PlaneRuns:
        """Keep modules that are given by their corners (m, 4, 2), all of one size and direction, in their order.

        Rows stand `rows_apart` times the depth of a module apart.
        """
        if not len(corners):
            zero = np.zeros(2)
            return cls(np.zeros((0, 2), np.float32), np.zeros(0, np.int32), zero, zero, zero, zero, zero)
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
            up * max(rows_apart, 1.0),
        )


@dataclass(frozen=True)
class ModuleLayout:
    """Modules of planes as runs of equal steps: 12 bytes for each run, and 80 for each plane.

    Parameters
    ----------
    first : ndarray of int64, shape (n_planes + 1,)
        Runs of each plane.
    start : ndarray of float32, shape (n_runs, 2)
        Middle of the first module of a run, from the plane's origin, in plan.
    number : ndarray of int32, shape (n_runs,)
        Modules of a run.
    origin, step, along, up, room : ndarray, shape (n_planes, 2)
        Middle of a plane's first module (working CRS), from module to module of a run, half sides, and up the
        slope half of what a module takes with the gap to the next row, in plan.
    """

    first: I8
    start: F4
    number: I4
    origin: F8
    step: F8
    along: F8
    up: F8
    room: F8

    @classmethod
    def from_planes(cls, planes: Sequence[PlaneRuns]) -> ModuleLayout:
        """Put planes together, in their order."""
        sides = np.array([(p.origin, p.step, p.along, p.up, p.room) for p in planes]).reshape(-1, 5, 2)
        return cls(
            np.cumsum([0, *(len(p.number) for p in planes)], dtype=np.int64),
            np.concatenate([np.zeros((0, 2), dtype=np.float32), *(p.start for p in planes)]),
            np.concatenate([np.zeros(0, dtype=np.int32), *(p.number for p in planes)]),
            *(sides[:, k] for k in range(5)),
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
        place = np.arange(len(plane)) - np.repeat(np.cumsum(number) - number, number)
        at = planes[plane]
        return plane, self.origin[at] + self.start[np.repeat(run, number)] + place[:, None] * self.step[at]


def _step(moves: F8, along: F8) -> F8:
    """Return the shortest move from a module to the next one of its row; any move where no row has two."""
    side = along / np.hypot(*along)
    ahead, beside = moves @ side, np.abs(moves @ np.array([-side[1], side[0]]))
    rows = np.flatnonzero((beside < _EVEN_M) & (ahead > 0.0))
    if not len(rows):
        return moves[0] if len(moves) else 2.0 * along
    shortest: F8 = moves[rows[np.argmin(np.round(ahead[rows], 3))]]
    return shortest


@dataclass(frozen=True)
class ModuleCells:
    """Modules of a tile's planes on its cells.

    A *slot* is a cell of the roof as a plane sees it: halves of a rack and the sides of a gable share a roof's cells.

    Parameters
    ----------
    cells_of : list of ndarray
        Cells of each plane, ascending, numbered as the tile does.
    slot_of : list of ndarray
        Their slots.
    under : ndarray of bool, shape (n_slots,)
        Cells whose middle lies under a module or in the gaps between modules: what they only touch would take part or
        not as the grid happens to lie.
    plane : ndarray, shape (m,)
        Plane of each module.
    """

    cells_of: list[I8]
    slot_of: list[I8]
    under: B1
    plane: I8
    _modules: kernel.Rectangles
    _slots: kernel.Slots

    @classmethod
    def in_window(
        cls, module_layout: ModuleLayout | None, planes: I8, grid: Grid, cells: tuple[I8, I8], cells_of: list[I8]
    ) -> ModuleCells:
        """Lay the modules of planes on the cells of a tile, given by (row, column)."""
        low = np.array([c[0] if len(c) else 0 for c in cells_of], dtype=np.int64)
        width = np.array([c[-1] - c[0] + 1 if len(c) else 0 for c in cells_of], dtype=np.int64)
        offset = np.cumsum(width) - width
        slot_of = [c - a + b for c, a, b in zip(cells_of, low, offset, strict=True)]
        in_plane = np.zeros(max(int(width.sum()), 1), dtype=bool)
        in_plane[np.concatenate(slot_of or [np.zeros(0, dtype=np.int64)])] = True
        under, number = np.zeros_like(in_plane), np.full(grid.shape, -1, dtype=np.int32)
        number[cells] = np.arange(len(cells[0]))
        roofs = np.stack([low, width, offset], axis=1)
        slots = kernel.Slots(number, grid.x_min, grid.y_max, grid.cell_size_m, roofs, in_plane)
        if module_layout is None:
            none = np.zeros((len(planes), 2))
            nothing = kernel.Rectangles(np.zeros(0, dtype=np.int64), np.zeros((0, 2)), none, none)
            return cls(cells_of, slot_of, under, nothing.plane, nothing, slots)
        plane, middle = module_layout.middles(planes)
        room = kernel.Rectangles(plane, middle, 0.5 * module_layout.step[planes], module_layout.room[planes])
        kernel.mark_under(room, slots, under)
        modules = kernel.Rectangles(plane, middle, module_layout.along[planes], module_layout.up[planes])
        return cls(cells_of, slot_of, under, plane, modules, slots)

    def split(self) -> tuple[list[I8], list[I8]]:
        """Return the cells under modules, of a plane without any all its cells; and the others."""
        inside, outside = [], []
        for cells, slots in zip(self.cells_of, self.slot_of, strict=True):
            above = self.under[slots]
            inside.append(cells[above] if above.any() else cells)
            outside.append(cells[~above] if above.any() else cells[:0])
        return inside, outside

    def on_bright_cells(self, bright: B1) -> B1:
        """Return the modules that lie on bright cells only; one on no cell of its plane follows most of its plane.

        Parameters
        ----------
        bright : ndarray of bool, shape (n_slots,)
        """
        most = np.array([len(s) > 0 and bright[s].mean() > 0.5 for s in self.slot_of], dtype=bool)
        on_bright: B1 = np.zeros(len(self.plane), dtype=bool)
        kernel.all_bright(self._modules, self._slots, bright, most, on_bright)
        return on_bright
