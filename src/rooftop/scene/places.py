"""Where modules lie, small enough to keep for a million roofs, and which cells of a tile are under them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rooftop.grid import Grid

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

_EVEN_M = 1e-4  # modules whose steps differ by less stand in one run
_INSIDE = 0.98  # samples stay this share of a module's half side from its middle: its edges are no cell's
_BLOCK = 50_000  # modules whose samples are held at a time


@dataclass(frozen=True)
class PlaneRuns:
    """The modules of one plane: the fields of `Places`, for one."""

    start: NDArray[np.float32]
    number: NDArray[np.int32]
    origin: Floats
    step: Floats
    along: Floats
    up: Floats

    @classmethod
    def of(cls, corners: Floats) -> PlaneRuns:
        """Keep modules that are given by their corners (m, 4, 2), all of one size and direction, in their order."""
        if not len(corners):
            zero = np.zeros(2)
            return cls(np.zeros((0, 2), np.float32), np.zeros(0, np.int32), zero, zero, zero, zero)
        middle = corners.mean(axis=1)
        along, up = 0.5 * (corners[0, 1] - corners[0, 0]), 0.5 * (corners[0, 3] - corners[0, 0])
        moves = np.diff(middle, axis=0)
        step = _step(moves, along)
        begin = np.flatnonzero(np.concatenate([[True], np.abs(moves - step).max(axis=1, initial=0.0) > _EVEN_M]))
        number = np.diff(np.concatenate([begin, [len(corners)]])).astype(np.int32)
        return cls((middle[begin] - middle[0]).astype(np.float32), number, middle[0], step, along, up)


@dataclass(frozen=True)
class Places:
    """Modules of planes as runs of equal steps: 12 bytes for each run, and 64 for each plane.

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
    """

    first: Ints
    start: NDArray[np.float32]
    number: NDArray[np.int32]
    origin: Floats
    step: Floats
    along: Floats
    up: Floats

    @classmethod
    def of(cls, planes: Sequence[PlaneRuns]) -> Places:
        """Put planes together, in their order."""
        sides = np.array([(p.origin, p.step, p.along, p.up) for p in planes]).reshape(-1, 4, 2)
        return cls(
            np.cumsum([0, *(len(p.number) for p in planes)], dtype=np.int64),
            np.concatenate([np.zeros((0, 2), dtype=np.float32), *(p.start for p in planes)]),
            np.concatenate([np.zeros(0, dtype=np.int32), *(p.number for p in planes)]),
            *(sides[:, k] for k in range(4)),
        )

    def counts(self, planes: Ints) -> Ints:
        """Return the number of modules of each of the planes."""
        whole = np.concatenate([[0], np.cumsum(self.number, dtype=np.int64)])
        found: Ints = whole[self.first[planes + 1]] - whole[self.first[planes]]
        return found

    def samples(self, planes: Ints, cell_size_m: float) -> Iterator[tuple[Ints, Floats]]:
        """Yield blocks of modules, plane after plane: the plane's place in `planes` (m,), and points (m, s, 2) of each.

        The points of a module are no further apart than a cell, so that no cell that it covers well is passed over.
        """
        run = np.concatenate([np.arange(self.first[p], self.first[p + 1]) for p in planes] or [np.zeros(0, np.int64)])
        of_run = np.repeat(np.arange(len(planes)), self.first[planes + 1] - self.first[planes])
        number = self.number[run].astype(np.int64)
        plane = np.repeat(of_run, number)
        place = np.arange(len(plane)) - np.repeat(np.cumsum(number) - number, number)
        begin = np.repeat(run, number)
        if not len(plane):
            return
        t_along, t_up = (_points(side[planes], cell_size_m) for side in (self.along, self.up))
        for low in range(0, len(plane), _BLOCK):
            here = slice(low, low + _BLOCK)
            at = planes[plane[here]]
            middle = self.origin[at] + self.start[begin[here]] + place[here, None] * self.step[at]
            points = middle[:, None, None, :] + t_along[:, None, None] * self.along[at][:, None, None, :]
            points = points + t_up[:, None] * self.up[at][:, None, None, :]
            yield plane[here], points.reshape(len(at), -1, 2)


def _step(moves: Floats, along: Floats) -> Floats:
    """Return the shortest move from a module to the next one of its row; any move where no row has two."""
    side = along / np.hypot(*along)
    ahead, beside = moves @ side, np.abs(moves @ np.array([-side[1], side[0]]))
    rows = np.flatnonzero((beside < _EVEN_M) & (ahead > 0.0))
    if not len(rows):
        return moves[0] if len(moves) else 2.0 * along
    found: Floats = moves[rows[np.argmin(np.round(ahead[rows], 3))]]
    return found


def _points(half: Floats, cell_size_m: float) -> Floats:
    longest = 2.0 * float(np.hypot(half[:, 0], half[:, 1]).max())
    found: Floats = np.linspace(-_INSIDE, _INSIDE, int(np.ceil(longest / cell_size_m)) + 1)
    return found


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
        Cells with a module above them.
    plane : ndarray, shape (m,)
        Plane of each module.
    slots : ndarray of int32, shape (m, s)
        Slots of each module's points; -1 where a point lies on no cell of its plane.
    """

    cells_of: list[Ints]
    slot_of: list[Ints]
    under: Flags
    plane: Ints
    slots: NDArray[np.int32]

    @classmethod
    def on(
        cls, places: Places | None, planes: Ints, grid: Grid, cells: tuple[Ints, Ints], cells_of: list[Ints]
    ) -> ModuleCells:
        """Lay the modules of planes on the cells of a tile, given by (row, column)."""
        low = np.array([c[0] if len(c) else 0 for c in cells_of], dtype=np.int64)
        width = np.array([c[-1] - c[0] + 1 if len(c) else 0 for c in cells_of], dtype=np.int64)
        offset = np.cumsum(width) - width
        slot_of = [c - a + b for c, a, b in zip(cells_of, low, offset, strict=True)]
        mine = np.zeros(max(int(width.sum()), 1), dtype=bool)
        mine[np.concatenate(slot_of or [np.zeros(0, dtype=np.int64)])] = True
        under = np.zeros_like(mine)
        owners, slots = [np.zeros(0, dtype=np.int64)], [np.zeros((0, 1), dtype=np.int32)]
        if places is not None:
            number = np.full(grid.shape, -1, dtype=np.int32)
            number[cells] = np.arange(len(cells[0]))
            for plane, points in places.samples(planes, grid.cell_size_m):
                cell = number[grid.cell_of(points[..., 0], points[..., 1])]
                local = cell - low[plane][:, None]
                seen = (cell >= 0) & (local >= 0) & (local < width[plane][:, None])
                slot = np.where(seen, local + offset[plane][:, None], 0)
                slot = np.where(seen & mine[slot], slot, -1).astype(np.int32)
                under[slot[slot >= 0]] = True
                owners.append(plane)
                slots.append(slot)
        stacked = np.concatenate(slots[1:]) if len(slots) > 1 else slots[0]
        return cls(cells_of, slot_of, under, np.concatenate(owners), stacked)

    def split(self) -> tuple[list[Ints], list[Ints]]:
        """Return the cells under modules, of a plane without any all its cells; and the others."""
        inside, outside = [], []
        for cells, slots in zip(self.cells_of, self.slot_of, strict=True):
            above = self.under[slots]
            inside.append(cells[above] if above.any() else cells)
            outside.append(cells[~above] if above.any() else cells[:0])
        return inside, outside

    def lit(self, bright: Flags) -> Flags:
        """Return the modules that lie on bright cells only; one on no cell of its plane follows most of its plane.

        Parameters
        ----------
        bright : ndarray of bool, shape (n_slots,)
        """
        share = np.array([bright[s].mean() if len(s) else 0.0 for s in self.slot_of])
        known = self.slots >= 0
        dark = (known & ~bright[np.maximum(self.slots, 0)]).any(axis=1)
        found: Flags = ~dark & (known.any(axis=1) | (share[self.plane] > 0.5))
        return found
