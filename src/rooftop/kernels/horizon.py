"""Horizons of many cells at once: geometry of directions and rays, and the loop over them.

All work is done in a *canonical view* ``[x, y]`` of the raster: flipped and transposed so that the viewing direction
runs towards increasing x and non-decreasing y, ``y = t * x`` with 0 <= t <= 1. A raster that is turned by 90 degrees or
mirrored gives the same canonical view, so that symmetry holds to the last bit. What a ray meets repeats on all parallel
rays that are a whole number of cells apart in y; it is computed once per azimuth (:class:`Events`).

The nearest :data:`rays.NEAR` rows of x are exact for every cell: the ray starts at its centre. Beyond, the slope is
interpolated between the two nearest of a set of lines :data:`SPACING` cells apart, which blurs edges by as much.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from rooftop.core.surfaces import HAS_WALLS, SurfaceKind
from rooftop.core.types import B1, F4, F8, I4, I8, U2
from rooftop.kernels import rays, view
from rooftop.kernels.scenery import HorizonUse, Lines, Stencil, SweepView

Octant = tuple[bool, bool, bool]
ShareWork = Callable[[Callable[[int, int], None], int], None]

SPACING = 3
"""Distance between the lines of the far field [cells of y]."""

_PAD = SPACING + 2  # empty cells before y = 0
_BESIDE = 1.0 - 1e-6  # the slope t of a ray just beside a diagonal
_WIDEST_STEP_DEG = 10.0  # of fewer azimuths, each is what is seen there, not what it stands for
_SIGHT = 0.2  # tangent of a usual horizon beyond the near field, to choose between neighbouring points
_NOTHING = np.zeros(1, np.float32)
_NO_KIND, _NO_NUMBER, _NO_OBSERVER = np.zeros(1, np.uint16), np.zeros(1, np.int32), np.zeros(1, np.int32)
_EDGE = 1e-9  # a ray that touches a cell for less than this share of a cell does not enter it


@dataclass(frozen=True)
class Events:
    """Heights that the ray ``y = t * x`` from the centre of cell (0, 0) meets; entry i belongs to x = i.

    Parameters
    ----------
    row_1, x_1, weight_1 : (n,)
        First event: between cells (i, row_1) and (i, row_1 + 1) with the weight of the latter, met at position x_1.
    second : (n,) bool
        Whether there is a second event.
    row_2, x_2, weight_2 : (n,)
        Second event. Prism: cell (i, row_2), entered through its side. Linear: between cells (i - 1, row_2) and
        (i, row_2) with the weight of the latter.
    """

    row_1: I8
    x_1: F8
    weight_1: F8
    second: B1
    row_2: I8
    x_2: F8
    weight_2: F8


def prism_events(t: float, n: int, start: float = 0.0) -> Events:
    """Entries into cells that are vertical prisms: through the face at x - 1/2, or through the side.

    The ray is at y = `start` where x = 0.
    """
    x = np.arange(n, dtype=np.int64)
    row_1 = np.floor(t * (x - 0.5) + start + 0.5 + _EDGE).astype(np.int64)
    row_2 = np.ceil(t * (x + 0.5) + start + 0.5 - _EDGE).astype(np.int64) - 1
    second = row_2 > row_1
    x_2 = np.zeros(n)
    if t > 0.0:
        x_2[:] = (row_2 - 0.5 - start) / t
    none = np.zeros(n)
    return Events(row_1, x.astype(np.float64) - 0.5, none, second, row_2, x_2, none)


def linear_events(t: float, n: int, start: float = 0.0) -> Events:
    """Crossings with the grid lines through the cell centres: at whole x, and at whole y between x - 1 and x.

    The ray is at y = `start` where x = 0.
    """
    x = np.arange(n, dtype=np.int64)
    y = t * x + start
    row_1 = np.floor(y + _EDGE).astype(np.int64)
    weight_1 = np.maximum(y - row_1, 0.0)
    weight_1[weight_1 < _EDGE] = 0.0
    row_2 = np.ceil(y - _EDGE).astype(np.int64) - 1
    second = row_2 > y - t + _EDGE
    x_2 = np.where(second, (row_2 - start) / t, 0.0) if t > 0.0 else np.zeros(n)
    return Events(row_1, x.astype(np.float64), weight_1, second, row_2, x_2, np.where(second, x_2 - (x - 1), 0.0))


_EVENTS_ALONG: dict[SurfaceKind, Callable[[float, int, float], Events]] = {
    "prism": prism_events,
    "linear": linear_events,
}


def direction(azimuth_deg: float) -> tuple[Octant, float]:
    """Return octant and t of a grid azimuth [degrees clockwise from the top of the raster].

    The octant says whether the view is transposed (x along the columns of the raster), and whether its x and y axes
    run against the raster's.
    """
    azimuth = azimuth_deg % 360.0
    quadrant = int(azimuth // 90.0) % 4
    off_axis = azimuth - 90.0 * quadrant
    if off_axis < _EDGE:
        off_axis = 0.0
    first_half = off_axis <= 45.0  # closer to the axis at which the quadrant begins
    t = 1.0 if abs(off_axis - 45.0) < _EDGE else math.tan(math.radians(off_axis if first_half else 90.0 - off_axis))
    northward, eastward = quadrant in (0, 3), quadrant in (0, 1)
    if first_half == (quadrant in (0, 2)):
        return (False, northward, not eastward), t
    return (True, not eastward, northward), t


class Sums(NamedTuple):
    """What is added up over the directions.

    Parameters
    ----------
    table : (n_kind, STEPS + 1, n_value) float32
        Values at equal steps of u = s / (1 + s), s the tangent of the horizon.
    kind : uint16
        Table of each place of the result; of a single value, the first is every place's.
    beyond : (m,) float32
        Tangents of horizons beyond the raster.
    observer : int32
        Which of them each place sees; of a single value, there is nothing beyond.
    """

    table: F4
    kind: U2
    beyond: F4
    observer: I4


class OctantView:
    """Canonical view of an elevation model in which a set of cells is asked for.

    Memory: 8 bytes per cell of the raster.

    Parameters
    ----------
    dsm : (n_row, n_col) float32 or float64
        Heights [m], NaN without data.
    mask : (n_row, n_col) bool
    octant : Octant
    levels : view.Levels
        Height that becomes 0 in float32, and eye height [m].
    surface : {"prism", "linear"}
    share : callable
        Runs a function of (begin, end) on the parts of a range, in one or several threads.
    origin : (int, int), optional
        Row and column of the raster's first cell on the lattice to which far lines are anchored; without one, they are
        anchored to the corner that the view begins with.
    memory : (2, m) float32
        From :func:`memory_for`; the view before that used it is gone.
    """

    def __init__(
        self,
        dsm: F4 | F8,
        mask: B1,
        octant: Octant,
        *,
        levels: view.Levels,
        surface: SurfaceKind,
        share: ShareWork,
        origin: tuple[int, int] | None,
        memory: F4,
    ) -> None:
        transposed, flip_x, flip_y = octant
        nx, ny = dsm.shape[::-1] if transposed else dsm.shape
        self.origin = _origin_of_view(origin, octant, nx, ny)
        self.has_walls, self.share = HAS_WALLS[surface], share
        self.events_along = _EVENTS_ALONG[surface]
        along_x, along_y = (1, dsm.shape[1]) if transposed else (dsm.shape[1], 1)
        self.start = (nx - 1) * along_x * flip_x + (ny - 1) * along_y * flip_y
        self.along = -along_x if flip_x else along_x, -along_y if flip_y else along_y
        shape = _shape(nx, ny)
        height, eye = (part[: shape[0] * shape[1]].reshape(shape) for part in memory)
        lowest = np.empty((shape[0], -(-shape[1] // rays.BLOCK)), np.float32)
        turn = view.Turn(self.start, *self.along, nx, ny, _PAD)
        sight = view.Sight(height, eye, lowest)
        share(lambda begin, end: view.fill_view(dsm, mask, turn, levels, begin, end, sight), shape[0])
        self.cells = SweepView(height, eye, lowest, *view.find_spans(eye, nx), nx, ny, _PAD)

    def degrees(self, t: float, cell_size_m: float, out: F4, number: I4 | None = None) -> None:
        """Write the horizon [degrees] of the asked cells in direction `t` to `out`.

        Parameters
        ----------
        number : (n_row, n_col) int32, optional
            Place of each cell in `out`; without it, its own in the raster.
        """
        self._sweep(t, cell_size_m, number, 0, Sums(_NOTHING, _NO_KIND, _NOTHING, _NO_OBSERVER), out)

    def add(self, t: float, cell_size_m: float, sums: Sums, out: F4, number: I4 | None = None) -> None:
        """Add to each asked cell what its table holds for its horizon in direction `t`.

        Parameters
        ----------
        sums : Sums
        out : (n_row, n_col) or (n, n_value) float32
            Sums.
        number : (n_row, n_col) int32, optional
            Place of each cell in `out`; without it, its own.
        """
        self._sweep(t, cell_size_m, number, sums.table.shape[2], sums, out)

    def _sweep(
        self,
        t: float,
        cell_size_m: float,
        number: I4 | None,
        n_value: int,
        sums: Sums,
        out: F4,
    ) -> None:
        per_m = _per_m(t, cell_size_m)
        events = self.events_along(t, max(self.cells.nx, rays.NEAR + 1), 0.0)
        stencil, lines = self._stencil(events), self._lines(t, np.float32(_SIGHT / per_m))
        reading = HorizonUse(
            per_length=np.float32(per_m),
            start=self.start,
            along_x=self.along[0],
            along_y=self.along[1],
            number=(_NO_NUMBER if number is None else number).reshape(-1),
            n_value=n_value,
            table=sums.table.reshape(-1),
            kind=sums.kind.reshape(-1),
            beyond=sums.beyond,
            observer=sums.observer.reshape(-1),
        )
        flat = out.reshape(-1)
        n_line = int((self.cells.ny - 1 - lines.row[0]) // lines.spacing) - lines.first + 1
        self.share(
            lambda begin, end: rays.sweep(self.cells, stencil, lines, reading, begin, end, flat),
            -(-n_line // rays.GAPS),
        )

    def _stencil(self, events: Events) -> Stencil:
        width = self.cells.height.shape[1]
        x = np.arange(1, rays.NEAR + 1)
        row_1, weight_1 = events.row_1[1 : rays.NEAR + 1], events.weight_1[1 : rays.NEAR + 1]
        second = np.flatnonzero(events.second[1 : rays.NEAR + 1]) + 1
        row_2 = events.row_2[second]
        one_a = x * width + row_1
        one_b = one_a + (weight_1 > 0.0)
        two_b = second * width + row_2
        two_a = two_b if self.has_walls else two_b - width
        distance = np.concatenate([events.x_1[1 : rays.NEAR + 1], events.x_2[second]])
        order = np.argsort(distance, kind="stable")
        order = np.append(order, np.repeat(order[-1:], -order.size % rays.EVENTS))
        return Stencil(
            np.concatenate([one_a, two_a])[order].astype(np.uint64),
            np.concatenate([one_b, two_b])[order].astype(np.uint64),
            np.concatenate([weight_1, events.weight_2[second]])[order].astype(np.float32),
            (1.0 / distance[order]).astype(np.float32),
        )

    def _lines(self, t: float, sight: np.float32) -> Lines:
        nx = self.cells.nx
        spacing = 1 if t in (0.0, 1.0) else SPACING  # on axes and diagonals all rays are lines, one cell apart
        x = np.arange(nx)
        start = 0.0 if spacing == 1 else (t * self.origin[0] - self.origin[1]) % SPACING
        events = self.events_along(t, nx, start)
        row = np.ceil(t * x + start - _EDGE).astype(np.int64)
        # a cell d above a line sees from the foot of the perpendicular, t d / (1 + t²) further along x
        aside = t / (1.0 + t * t)
        above = row - (t * x + start)
        f4 = np.float32
        return Lines(
            linear=not self.has_walls,
            spacing=spacing,
            first=int(-row[-1] // spacing),
            odd=self.origin[0] % 2,
            sight=sight,
            row=row,
            eye_x=(x + aside * above).astype(f4),
            shift=(aside * np.arange(spacing + 1)).astype(f4),
            share=(above / spacing).astype(f4),
            row_1=events.row_1,
            x_1=events.x_1.astype(f4),
            weight_1=events.weight_1.astype(f4),
            second=events.second,
            row_2=events.row_2,
            x_2=events.x_2.astype(f4),
            weight_2=events.weight_2.astype(f4),
        )


def memory_for(shape: tuple[int, ...]) -> F4:
    """Memory for the views of a raster, one at a time, uninitialised."""
    return np.empty((2, max(math.prod(_shape(nx, ny)) for nx, ny in (shape, shape[::-1]))), np.float32)


def _shape(nx: int, ny: int) -> tuple[int, int]:
    """Shape of a view: around it, empty cells that its loops may reach."""
    return nx + rays.NEAR + 1, _PAD + ny + rays.NEAR + 2


def _origin_of_view(origin: tuple[int, int] | None, octant: Octant, nx: int, ny: int) -> tuple[int, int]:
    """Place of the view's first cell on the lattice, along x and y."""
    if origin is None:
        return 0, 0
    x, y = origin[::-1] if octant[0] else origin
    return -(x + nx - 1) if octant[1] else x, -(y + ny - 1) if octant[2] else y


def _per_m(t: float, cell_size_m: float) -> float:
    """One over the length of a unit of x along the ray [1/m]."""
    return 1.0 / (cell_size_m * math.sqrt(1.0 + t * t))


@dataclass(frozen=True)
class SweepDirection:
    """A direction to sweep: t within its octant, and the share of azimuth `number` that it stands for.

    Of an azimuth that is seen on both sides of a diagonal, the one beyond it is the `other`.
    """

    number: int
    t: float
    weight: float
    other: bool = False


def octants(n_azimuth: int, grid_north_deg: float, surface: SurfaceKind) -> dict[Octant, list[SweepDirection]]:
    """Group directions by octant; azimuth k looks to true azimuth ``k * 360 / n_azimuth``.

    A ray along a diagonal passes from corner to corner between prisms, and meets no wall where every ray beside it
    does; one beside it meets the walls of its own side alone for many cells. For prisms, an azimuth less than half a
    step (of at most :data:`_WIDEST_STEP_DEG`) from a diagonal is seen on both sides of it, each by its share of the
    suns that the azimuth stands for.
    """
    groups: dict[Octant, list[SweepDirection]] = {}
    step = min(360.0 / n_azimuth, _WIDEST_STEP_DEG)
    for k in range(n_azimuth):
        azimuth = k * 360.0 / n_azimuth - grid_north_deg
        octant, t = direction(azimuth)
        off = azimuth % 90.0 - 45.0
        if not HAS_WALLS[surface] or abs(off) > 0.5 * step - _EDGE:
            groups.setdefault(octant, []).append(SweepDirection(k, t, 1.0))
            continue
        across = 0.5 * (1.0 - abs(off) / step) ** 2  # of weights that fall linearly to zero a step away
        other_side = direction(azimuth - off - math.copysign(1.0, off))[0]
        own_side = octant if t < 1.0 else direction(azimuth - off + math.copysign(1.0, off))[0]
        groups.setdefault(own_side, []).append(SweepDirection(k, min(t, _BESIDE), 1.0 - across))
        groups.setdefault(other_side, []).append(SweepDirection(k, _BESIDE, across, other=True))
    return groups


def level(dsm: F4 | F8) -> float:
    """Height to be subtracted so that float32 keeps millimetres; coarse, so that neighbouring windows agree."""
    return 8.0 * (math.floor(float(np.nanmin(dsm)) / 8.0) - 1.0)
