"""What stands around a cell: horizon angles, and the share of the sky that is left."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypedDict, Unpack

import numpy as np
from numpy.typing import ArrayLike

from rooftop.core.arguments import (
    cells_within,
    checked_heights,
    distances,
    is_data_array,
    lattice_place,
    per_cell,
    positions,
    require_number,
    require_numbers,
    whole,
    word,
)
from rooftop.core.surfaces import SurfaceKind
from rooftop.core.types import B1, F4, F8, Heights
from rooftop.kernels import far, view
from rooftop.kernels import horizon as kernel
from rooftop.kernels import sky_view as sky_kernel
from rooftop.solar.skylines import Skylines, mean_of_sides

if TYPE_CHECKING:
    from rooftop.solar.georaster import Georeference


_LINE = 16  # azimuths
_PARTS = 8  # of the work per thread
_REFRACTION = 0.13  # of the earth's curvature, the surveyor's usual mean


class SweepOptions(TypedDict, total=False):
    """Keywords of every function that sweeps horizons: the fields of :class:`Sweep`."""

    n_azimuth: int
    surface: SurfaceKind
    above_m: float
    grid_north_deg: float
    threads: int
    origin: tuple[int, int] | None


@dataclass(frozen=True, kw_only=True)
class Sweep:
    """How horizons are swept.

    Parameters
    ----------
    n_azimuth : int
        Number of directions, at most 3600.
    surface : {"prism", "linear"}
        ``prism``: every cell is a column with vertical walls and a flat top (flat roofs with parapets); a column
        obstructs from where the ray enters it. ``linear``: heights are linear along the grid lines through the cell
        centres (terrain, lidar); a ray meets the surface where it crosses them.
    above_m : float
        Height of the eye above the surface of its own cell [m], at least 0.
    grid_north_deg : float
        True azimuth of the raster's upward direction (grid north) [degrees, clockwise positive], that is the meridian
        convergence: positive east of the central meridian on the northern hemisphere. What lies at true azimuth `a`
        lies at grid azimuth ``a - grid_north_deg`` in the raster.
    threads : int
        Number of threads that share the cells; the result is the same to the last bit.
    origin : (int, int), optional
        Row and column of the raster's first cell on a lattice. Two windows of one surface then see the same lines far
        away, and agree where neither lacks anything.

    Raises
    ------
    ArgumentError
        One of them has an impossible value.
    """

    n_azimuth: int = 72
    surface: SurfaceKind = "prism"
    above_m: float = 0.0
    grid_north_deg: float = 0.0
    threads: int = 1
    origin: tuple[int, int] | None = None

    def __post_init__(self) -> None:
        whole("n_azimuth", self.n_azimuth)
        whole("threads", self.threads)
        word("surface", self.surface, SurfaceKind)
        for name in ("above_m", "grid_north_deg"):
            object.__setattr__(self, name, require_number(name, getattr(self, name)))
        object.__setattr__(self, "origin", lattice_place("origin", self.origin))

    @property
    def octants(self) -> dict[kernel.Octant, list[kernel.SweepDirection]]:
        """The directions to sweep."""
        return kernel.octants(self.n_azimuth, self.grid_north_deg, self.surface)


def horizons(
    dsm: ArrayLike, cell_size_m: float | None, rows: ArrayLike, cols: ArrayLike, **options: Unpack[SweepOptions]
) -> F4:
    """Horizon angles around cells of an elevation model, over unlimited distance within it.

    Parameters
    ----------
    dsm : (ny, nx) array_like of real, or xarray.DataArray
        Heights [m], row 0 in the north, column 0 in the west; NaN where there are no data. The coordinates and CRS of
        a DataArray say `grid_north_deg` and `origin`, unless they are given, and the size of its cells.
    cell_size_m : float
        Edge of a cell [m], at least 0.01: a raster in degrees is refused; None of a DataArray.
    rows, cols : (n,) array_like of int
        Cells whose horizon is asked for; any order, repeats allowed.
    **options
        ``n_azimuth, surface, above_m, grid_north_deg, threads, origin`` as in :class:`rooftop.solar.horizons.Sweep`.

    Returns
    -------
    (n, n_azimuth) float32
        Angle of the horizon above the horizontal [degrees], 0 to 90. Column k looks towards ``k * 360 / n_azimuth``
        degrees clockwise from *true* north. Never negative: what lies below the eye's horizontal plane leaves the whole
        sky visible. NaN for cells without data.

    Raises
    ------
    ArgumentError
        An argument has the wrong type or shape or an impossible value, or a cell lies outside the raster.

    Notes
    -----
    The ray starts at the centre of the cell; its own cell never obstructs. A ray along a diagonal of the raster would
    slip between prisms from corner to corner, where any ray beside it meets a wall; one less than half a step from it
    meets the walls of one side alone. Both count as the mean of the diagonal's two sides, by the sky that they leave
    visible. The nearest 64 rows or columns of cells are
    exact, and so are all distances along the axes of the raster. Otherwise, beyond them, the tangents
    along the two nearest of a set of parallel lines three cells apart are interpolated: edges far away are blurred by
    up to three cells sideways (which turns them by less than 2.7 degrees), and where the horizon is the slope of a
    plane of gradient g itself, it is up to ``0.7 g`` degrees too high. Against exact rays the mean absolute error is
    0.02 to 0.07 degrees on cities, without bias.
    Cells without data obstruct nothing. Beyond the raster there is nothing (see :func:`far_horizons`).
    Beyond the nearest 64, of every two rows one point counts, the higher on a sight line that rises by 0.2: an edge may
    lie up to a cell further or nearer than it is.
    Memory: 14 bytes per cell of the raster, and ``4.5 * n_azimuth + 80`` bytes per cell asked for, however many
    threads.

    Examples
    --------
    A wall 10 m high, whose face is 9.5 m east of the eye:

    >>> import numpy as np
    >>> dsm = np.zeros((60, 60)); dsm[:, 40:] = 10.0
    >>> horizons(dsm, 1.0, [30], [30], n_azimuth=4).round(2)
    array([[ 0.  , 46.47,  0.  ,  0.  ]], dtype=float32)
    """
    ground = swept_ground(dsm, cell_size_m, options)
    return skylines(ground.heights, ground.cell_size_m, rows, cols, ground.sweep, joined=True).degrees


@dataclass(frozen=True, kw_only=True)
class SweptGround:
    """An elevation model, how it is swept, and where it lies, if that is known."""

    heights: Heights
    cell_size_m: float
    sweep: Sweep
    reference: Georeference | None = None


def swept_ground(dsm: ArrayLike, cell_size_m: float | None, options: SweepOptions) -> SweptGround:
    """Check an elevation model and the options of a sweep; take those left out from the coordinates of a DataArray."""
    if not is_data_array(dsm):
        heights = checked_heights(dsm)
        return SweptGround(
            heights=heights, cell_size_m=require_number("cell_size_m", cell_size_m), sweep=Sweep(**options)
        )
    from rooftop.solar.georaster import Georeference

    reference = Georeference.from_data_array(dsm, cell_size_m)
    sweep_options = options.copy()
    sweep_options.setdefault("origin", reference.origin)
    if "grid_north_deg" not in sweep_options:
        sweep_options["grid_north_deg"] = reference.grid_north_deg
    heights, size = checked_heights(reference.heights()), reference.cell_size_m
    return SweptGround(heights=heights, cell_size_m=size, sweep=Sweep(**sweep_options), reference=reference)


def skylines(
    dsm: ArrayLike,
    cell_size_m: float,
    rows: ArrayLike,
    cols: ArrayLike,
    sweep: Sweep,
    *,
    joined: bool = False,
    eyes_m: F4 | None = None,
) -> Skylines:
    """Horizons as of :func:`horizons`, both sides of diagonals apart: what tables give for them is exact for each side.

    Parameters
    ----------
    dsm, cell_size_m, rows, cols
        As in :func:`horizons`.
    sweep : Sweep
    joined : bool
        Join the sides while they are swept, in less memory than :attr:`Skylines.joined` afterwards.
    eyes_m : (ny, nx) float32, optional
        Height of the eye above the surface of each cell, instead of ``sweep.above_m`` for all.

    Returns
    -------
    Skylines
        Up to eight columns more than azimuths on the prism surface, unless `joined`.
    """
    heights = checked_heights(dsm)
    r, c = cells_within(rows, cols, heights.shape)
    cell_size_m = require_number("cell_size_m", cell_size_m)
    part = DataWindow.with_data(heights)
    sweep = replace(sweep, origin=part.origin(sweep.origin))
    place = r * heights.shape[1] + c
    mask = np.zeros(heights.shape, dtype=np.bool_)
    mask.reshape(-1)[place] = True
    mask &= np.isfinite(heights)
    known = mask.reshape(-1)[place]
    rank, n_masked = view.number_cells(mask)
    row_of_cell = rank.reshape(-1)[place[known]]
    heights, mask = heights[part.rows, part.cols], np.ascontiguousarray(mask[part.rows, part.cols])
    rank = np.ascontiguousarray(rank[part.rows, part.cols])
    columns, places = _Columns(n_masked, sweep, joined), None if mask.all() else rank
    eyes = None if eyes_m is None else np.ascontiguousarray(eyes_m[part.rows, part.cols])
    for octant_view, directions in octant_views(heights, mask, sweep, eyes):
        for direction in directions:
            octant_view.degrees(direction.t, cell_size_m, columns.column_of(direction), places)
            columns.join_sides(direction)
        columns.write(_LINE)
    columns.write()
    degrees = columns.degrees
    if n_masked != r.size or not np.array_equal(row_of_cell, np.arange(n_masked)):
        degrees = np.full((r.size, degrees.shape[1]), np.nan, dtype=np.float32)
        degrees[known] = columns.degrees[row_of_cell]
    return Skylines(degrees, columns.azimuth, columns.share)


class _Columns:
    """Horizons by direction, of as many directions as fill a cache line; then they are written to rows.

    The two sides of a diagonal are `joined` to one column, or those beyond it follow all others.
    """

    def __init__(self, n: int, sweep: Sweep, joined: bool) -> None:
        directions = [direction for octant in sweep.octants.values() for direction in octant]
        others = {} if joined else dict(sorted((d.number, d.weight) for d in directions if d.other))
        self.azimuth = np.array([*range(sweep.n_azimuth), *others], dtype=np.int64)
        self.share = np.array([*(1.0 - others.get(k, 0.0) for k in range(sweep.n_azimuth)), *others.values()])
        self.degrees = np.empty((n, self.azimuth.size), dtype=np.float32)
        self.buffer = np.empty((_LINE + sweep.n_azimuth // 8 + 3, n), dtype=np.float32)
        self.place = {number: sweep.n_azimuth + k for k, number in enumerate(others)}
        self.joined = joined
        self.numbers: list[int] = []
        self.one_side: dict[int, F4] = {}

    def column_of(self, direction: kernel.SweepDirection) -> F4:
        """Return the column for one direction, to be filled."""
        self.numbers.append(self.place[direction.number] if direction.other and not self.joined else direction.number)
        return self.buffer[len(self.numbers) - 1]

    def join_sides(self, direction: kernel.SweepDirection) -> None:
        """Join the two sides of a diagonal once both are there, where they are to be joined."""
        if not self.joined or direction.weight == 1.0:
            return
        number, column = self.numbers.pop(), self.buffer[len(self.numbers)]
        if number not in self.one_side:
            self.one_side[number] = column.copy()
            return
        self.numbers.append(number)
        column[:] = mean_of_sides(self.one_side.pop(number), column, direction.weight)

    def write(self, least: int = 1) -> None:
        """Write the columns to their places where they are `least` many."""
        if len(self.numbers) >= least:
            view.transpose(self.buffer, np.array(self.numbers), self.degrees)
            self.numbers = []


@dataclass(frozen=True)
class DataWindow:
    """The part of a raster that holds data: how wide an empty margin is must not matter."""

    rows: slice
    cols: slice

    @classmethod
    def with_data(cls, heights: Heights) -> DataWindow:
        """Find the rows and columns between the first and the last with any data."""
        known = np.isfinite(heights)
        any_row, any_col = np.flatnonzero(known.any(axis=1)), np.flatnonzero(known.any(axis=0))
        if not any_row.size:
            return cls(slice(0, heights.shape[0]), slice(0, heights.shape[1]))
        return cls(slice(int(any_row[0]), int(any_row[-1]) + 1), slice(int(any_col[0]), int(any_col[-1]) + 1))

    @property
    def top(self) -> int:
        """First row."""
        return int(self.rows.start)

    @property
    def left(self) -> int:
        """First column."""
        return int(self.cols.start)

    def origin(self, origin: tuple[int, int] | None) -> tuple[int, int] | None:
        """Place of the part's first cell on the lattice on which the raster's first cell is at `origin`."""
        return None if origin is None else (origin[0] + self.top, origin[1] + self.left)


def octant_views(
    heights: Heights, mask: B1, sweep: Sweep, eyes_m: F4 | None = None
) -> Iterator[tuple[kernel.OctantView, list[kernel.SweepDirection]]]:
    """Turn an elevation model so that rays run towards increasing x; one octant of directions after the other.

    Parameters
    ----------
    heights : (ny, nx) float
        Checked heights [m].
    mask : (ny, nx) bool
        Cells with data whose horizon is asked for; nothing is yielded without any.
    sweep : Sweep
    eyes_m : (ny, nx) float32, optional
        As in :func:`skylines`.

    Yields
    ------
    OctantView
        Gone when the next is asked for: they share their memory.
    list of SweepDirection
        The directions in its octant.
    """
    if not mask.any():
        return
    heights = heights if heights.flags.c_contiguous else heights.copy()
    mask = mask if mask.flags.c_contiguous else mask.copy()
    above = np.full((1, 1), sweep.above_m, dtype=np.float32) if eyes_m is None else eyes_m
    levels = view.Levels(kernel.level(heights), above)
    memory = kernel.memory_for(heights.shape)
    with _sharing(sweep.threads) as share:
        for octant, directions in sweep.octants.items():
            turned = kernel.OctantView(
                heights,
                mask,
                octant,
                levels=levels,
                surface=sweep.surface,
                share=share,
                origin=sweep.origin,
                memory=memory,
            )
            yield turned, directions


@contextmanager
def _sharing(threads: int) -> Iterator[kernel.ShareWork]:
    """Provide a function that runs another on the parts of a range, in one or several threads.

    The parts touch different cells: how many there are, and who does which, changes no bit.
    """
    if threads == 1:
        yield lambda work, n: work(0, n)
        return
    with ThreadPoolExecutor(threads) as pool:

        def share(work: Callable[[int, int], None], n: int) -> None:
            ends = [n * part // (_PARTS * threads) for part in range(_PARTS * threads + 1)]
            list(pool.map(work, ends[:-1], ends[1:]))

        yield share


def far_horizons(
    coarse: ArrayLike,
    cell_size_m: float,
    rows: ArrayLike,
    cols: ArrayLike,
    z_m: ArrayLike,
    min_distance_m: ArrayLike,
    *,
    n_azimuth: int = 72,
    grid_north_deg: float = 0.0,
    curvature: bool = True,
    known_deg: ArrayLike | None = None,
) -> F4:
    """Horizon angles of what lies beyond `min_distance_m`, from a coarse surface; merge with ``numpy.maximum``.

    Parameters
    ----------
    coarse : (ny, nx) array_like of real
        Elevation of each coarse cell [m], row 0 in the north; NaN obstructs nothing. A cell is a prism: it obstructs
        from where the ray enters it.
    cell_size_m : float
        Edge of a coarse cell [m].
    rows, cols : (n,) array_like of real
        Fractional positions of the observers; (0, 0) is the centre of the first cell. They may lie outside.
    z_m : (n,) array_like of real
        Elevations of the observers [m].
    min_distance_m : float, (n,) or (n, n_azimuth) array_like
        Where the coarse surface begins to count [m], for each observer and azimuth; where the fine surface ends.
    n_azimuth, grid_north_deg
        As in :func:`horizons`.
    curvature : bool
        Let the earth curve away, with refraction coefficient 0.13.
    known_deg : (n, n_azimuth) array_like, optional
        Horizons known already [degrees]: only what stands higher is looked for, which is much quicker.

    Returns
    -------
    (n, n_azimuth) float32
        Angles [degrees], 0 to 90, `known_deg` where nothing stands higher; NaN where an observer's position or
        elevation is NaN.

    Raises
    ------
    ArgumentError
        Wrong shapes or impossible values.
    """
    surface = np.ascontiguousarray(checked_heights(coarse, "coarse"), dtype=np.float32)
    cell_size_m, grid_north_deg = (
        require_number("cell_size_m", cell_size_m),
        require_number("grid_north_deg", grid_north_deg),
    )
    whole("n_azimuth", n_azimuth)
    r = positions("rows", rows)
    c, z = positions("cols", cols, r.size), positions("z_m", z_m, r.size)
    first = distances(min_distance_m, r.size, n_azimuth)
    least = np.zeros((r.size, n_azimuth), dtype=np.float32)
    if known_deg is not None:
        least[:] = require_numbers("known_deg", known_deg, least.shape, "horizon_from_level")
    angles = least.copy()
    somewhere = np.isfinite(r) & np.isfinite(c) & np.isfinite(z)
    maxima = far.block_maxima(surface)
    highest = float(maxima.max())
    if np.isfinite(highest) and somewhere.any():
        azimuth = np.radians(np.arange(n_azimuth) * 360.0 / n_azimuth - grid_north_deg)
        drop = (1.0 - _REFRACTION) / (2.0 * far.EARTH_RADIUS_M) if curvature else 0.0
        before = np.tan(np.radians(least[somewhere].astype(np.float64))).astype(np.float32)
        slopes = before.copy()
        terrain = far.Terrain(surface, maxima, highest, cell_size_m, drop)
        observers = far.Observers(r[somewhere], c[somewhere], z[somewhere])
        far.far_slopes(terrain, observers, azimuth, first[somewhere], slopes)
        raised = np.where(slopes > before, 0.0, least[somewhere])
        raised[slopes > before] = np.degrees(np.arctan(slopes[slopes > before]))
        angles[somewhere] = raised
    angles[~somewhere] = np.nan
    return angles


def sky_view(horizon: ArrayLike, surface_tilt: ArrayLike = 0.0, surface_azimuth: ArrayLike = 180.0) -> F8:
    """Cosine-weighted share of the hemisphere's sky that a tilted plane sees.

    Parameters
    ----------
    horizon : (n, n_azimuth) array_like
        Horizon angles [degrees] as :func:`horizons` returns them, 0 to 90; linear between the azimuths, around the
        circle.
    surface_tilt : float or (n,) array_like
        Tilt of the plane from horizontal [degrees], 0 to 90.
    surface_azimuth : float or (n,) array_like
        Direction the plane faces [degrees clockwise from true north], 0 to 360.

    Returns
    -------
    (n,) float64
        ``1/pi`` times the integral of the cosine of incidence over the visible sky. The plane's own horizon is merged
        with the given one, so that a free plane has ``(1 + cos(tilt)) / 2``. NaN where the horizon is.

    Raises
    ------
    ArgumentError
        Wrong shapes, or angles out of range.

    Notes
    -----
    The integral of ``cos(b) sin(h) + sin(b) cos(h) cos(a)`` over the sky above h has a closed form in elevation; in
    azimuth three Gauss points per step of at most 5 degrees do (error below 1e-5: the integrand vanishes where a
    plane's own horizon takes over). Level planes are exact in azimuth too.

    Examples
    --------
    >>> sky_view([[0.0] * 8, [45.0] * 8]).round(4)
    array([1. , 0.5])
    """
    given = require_numbers("horizon", horizon, ("n", "n_azimuth"), "horizon_from_level", missing=True)
    n = given.shape[0]
    whole("n_azimuth", given.shape[1])
    angles = np.ascontiguousarray(given, dtype=np.float32)
    tilt, azimuth = per_cell("surface_tilt", surface_tilt, n), per_cell("surface_azimuth", surface_azimuth, n)
    return sky_kernel.sky_view(angles, np.radians(tilt), np.radians(azimuth))
