"""A year of every cell of an elevation model, summed while its horizons are swept: no horizon is ever kept."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Unpack

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rooftop.core.arguments import (
    axes,
    extent_of,
    instance,
    numbers_of,
    require_number,
    require_numbers,
    shape_of,
    truths,
    unusable,
    whole_numbers,
)
from rooftop.core.choices import Diffuse
from rooftop.core.lang import Text
from rooftop.core.types import B1, F4, F8, I4, I8, U2
from rooftop.kernels import rays, view, year
from rooftop.kernels.horizon import OctantView, Sums, SweepDirection
from rooftop.solar.cumulative import BAND_DEG, STRIPS, ModulePlane
from rooftop.solar.energy import LightTables, light_tables
from rooftop.solar.horizons import DataWindow, SweepOptions, SweptGround, octant_views, swept_ground
from rooftop.solar.sky import SkyYear, as_sky_year
from rooftop.weather import Weather, checked_weather

Raster = Any
"""A numpy array, or an `xarray.DataArray` where one went in."""

MOST_PLANES = 2000
"""Different planes in one raster: each costs 0.1 s and up to 8 kB per azimuth."""


@dataclass(frozen=True)
class FarField:
    """What stands beyond a raster, seen from some points of it.

    Parameters
    ----------
    horizon_deg : (m, n_azimuth) float32
        Horizons [degrees] as :func:`rooftop.solar.horizons.far_horizons` returns them.
    observer : (ny, nx) int
        Which of them each masked cell of the raster sees.
    """

    horizon_deg: F4
    observer: I8


def irradiation_raster(
    weather: Weather | SkyYear | Sequence[Weather | SkyYear],
    dsm: ArrayLike,
    cell_size_m: float | None = None,
    mask: ArrayLike | None = None,
    surface_tilt: ArrayLike = 0.0,
    surface_azimuth: ArrayLike = 180.0,
    *,
    zone: ArrayLike | None = None,
    far: FarField | None = None,
    diffuse: Diffuse = "perez",
    albedo: float = 0.0,
    **options: Unpack[SweepOptions],
) -> Raster:
    """Annual irradiation of every masked cell of an elevation model.

    Parameters
    ----------
    weather : Weather, SkyYear or sequence of them
        Several when `zone` says which of them each cell lies under.
    dsm : (ny, nx) array_like of real, or xarray.DataArray
        Heights [m], row 0 north; NaN where there are no data. The coordinates and CRS of a DataArray say
        `grid_north_deg` and `origin`, unless they are given; other rasters that are DataArrays must lie on its cells.
    cell_size_m : float, optional
        Edge of a cell [m], at least 0.01: a raster in degrees is refused. A DataArray's own when omitted.
    mask : (ny, nx) array_like of bool, optional
        Cells to compute; all when omitted.
    surface_tilt, surface_azimuth : float or (ny, nx) array_like
        Plane in each cell [deg], 0 to 90 and 0 to 360 clockwise from true north; at most :data:`MOST_PLANES` different
        ones. NaN where nothing is masked is passed over.
    zone : (ny, nx) array_like of int, optional
        Number of the weather over each cell.
    far : FarField, optional
        What stands beyond the raster.
    diffuse : {"perez", "haydavies", "isotropic"}
        Sky model; a SkyYear keeps its own, and its middle factors are used.
    albedo : float
        Reflectance of the ground below the plane's own horizon, 0 to 1; obstacles reflect nothing.
    **options
        ``n_azimuth, surface, above_m, grid_north_deg, threads, origin`` as in :class:`rooftop.solar.horizons.Sweep`.

    Returns
    -------
    (ny, nx) float32
        [kWh/m2 a]; NaN outside the mask and where the elevation model has no data. A DataArray with the coordinates of
        `dsm` where that is one.

    Raises
    ------
    ArgumentError
        An argument has the wrong type or shape or an impossible value, a word is unknown, a weather is no whole year,
        or there are too many different planes.

    Notes
    -----
    Memory: 16 bytes per cell of the raster, the result among them, whatever `n_azimuth` and the number of masked cells.
    The sums are float32; against horizons that are kept and read one by one they differ by less than 1e-5.

    Examples
    --------
    Two cells of level ground, one far from a building 10 m high and one beside it:

    >>> import numpy as np
    >>> import rooftop
    >>> weather = rooftop.synthetic_weather(32.0, 118.8, 10.0, None, np.full(12, 16.0), annual_ghi_kwh_m2=1350.0)
    >>> dsm = np.zeros((60, 60))
    >>> dsm[:, 40:] = 10.0
    >>> mask = np.zeros(dsm.shape, dtype=bool)
    >>> mask[30, [5, 38]] = True
    >>> annual = rooftop.irradiation_raster(weather, dsm, 1.0, mask)
    >>> annual[30, [5, 38]].round(-1).tolist(), int(np.isfinite(annual).sum())
    ([1340.0, 780.0], 2)
    """
    job = _job(swept_ground(dsm, cell_size_m, options), mask, far)
    planes = _planes(job, weather, zone, surface_tilt, surface_azimuth, diffuse, albedo)
    beyond = np.array([tables.ground.sum() for tables in planes.tables], np.float32)
    annual = job.annual(np.stack([_annual(tables) for tables in planes.tables]), planes.kind, beyond)
    return job.raster(annual, "poa_global", units="kWh m-2", long_name="irradiation of the year")


def monthly_irradiation(
    weather: Weather | SkyYear | Sequence[Weather | SkyYear],
    dsm: ArrayLike,
    cell_size_m: float | None = None,
    mask: ArrayLike | None = None,
    surface_tilt: ArrayLike = 0.0,
    surface_azimuth: ArrayLike = 180.0,
    *,
    zone: ArrayLike | None = None,
    far: FarField | None = None,
    diffuse: Diffuse = "perez",
    albedo: float = 0.0,
    **options: Unpack[SweepOptions],
) -> Raster:
    """Irradiation of every masked cell of an elevation model in each month.

    Parameters
    ----------
    weather, dsm, cell_size_m, mask, surface_tilt, surface_azimuth, zone, far, diffuse, albedo
        As in :func:`irradiation_raster`.
    **options
        ``n_azimuth, surface, above_m, grid_north_deg, threads, origin`` as in :class:`rooftop.solar.horizons.Sweep`.

    Returns
    -------
    (n, 12) float32
        [kWh/m2] of the n masked cells in the order of ``numpy.nonzero(mask)``; NaN without data. Where `dsm` is a
        DataArray, another one (month, y, x) with its coordinates, NaN outside the mask.

    Raises
    ------
    ArgumentError
        As :func:`irradiation_raster`.

    Notes
    -----
    Memory: as :func:`irradiation_raster`, and 4 bytes per masked cell and month and per cell of the raster.

    Examples
    --------
    >>> import numpy as np
    >>> import rooftop
    >>> weather = rooftop.synthetic_weather(32.0, 118.8, 10.0, None, np.full(12, 16.0), annual_ghi_kwh_m2=1350.0)
    >>> dsm = np.zeros((60, 60))
    >>> mask = np.zeros(dsm.shape, dtype=bool)
    >>> mask[30, 5] = True
    >>> months = rooftop.monthly_irradiation(weather, dsm, 1.0, mask)
    >>> months.shape, bool(months[0, 6] > months[0, 0])
    ((1, 12), True)
    """
    job = _job(swept_ground(dsm, cell_size_m, options), mask, far)
    planes = _planes(job, weather, zone, surface_tilt, surface_azimuth, diffuse, albedo)
    beyond = np.stack([tables.ground for tables in planes.tables]).astype(np.float32)
    by_cell = job.monthly(np.stack([_months(tables) for tables in planes.tables]), planes.kind, beyond)
    if job.ground.reference is None:
        return by_cell
    months = np.full((12, *job.shape), np.nan, np.float32)
    months[:, job.mask] = by_cell.T
    return job.raster(months, "poa_global", units="kWh m-2", long_name="irradiation of each month")


def sky_view_raster(
    dsm: ArrayLike,
    cell_size_m: float | None = None,
    mask: ArrayLike | None = None,
    surface_tilt: ArrayLike = 0.0,
    surface_azimuth: ArrayLike = 180.0,
    *,
    far: FarField | None = None,
    **options: Unpack[SweepOptions],
) -> Raster:
    """Cosine-weighted share of the sky that the plane in every masked cell sees.

    Parameters
    ----------
    dsm, cell_size_m, mask, surface_tilt, surface_azimuth, far
        As in :func:`irradiation_raster`.
    **options
        ``n_azimuth, surface, above_m, grid_north_deg, threads, origin`` as in :class:`rooftop.solar.horizons.Sweep`.

    Returns
    -------
    (ny, nx) float32
        1 on open level ground, ``(1 + cos(tilt)) / 2`` on an open plane; NaN outside the mask and without data. A
        DataArray with the coordinates of `dsm` where that is one.

    Raises
    ------
    ArgumentError
        As :func:`irradiation_raster`.

    Notes
    -----
    A direction without a horizon of its own counts with those of the two nearest azimuths, each by its nearness, as in
    the irradiation; :func:`rooftop.sky_view` takes the angle to be linear in between. Memory as
    :func:`irradiation_raster`.

    Examples
    --------
    The middle of a street as wide as the houses beside it are high:

    >>> import numpy as np
    >>> import rooftop
    >>> dsm = np.zeros((401, 401))
    >>> dsm[:, :190] = dsm[:, 211:] = 20.0
    >>> mask = np.zeros(dsm.shape, dtype=bool)
    >>> mask[200, 200] = True
    >>> round(float(rooftop.sky_view_raster(dsm, 1.0, mask)[200, 200]), 2)
    0.46
    """
    job = _job(swept_ground(dsm, cell_size_m, options), mask, far)
    given = {"surface_tilt": surface_tilt, "surface_azimuth": surface_azimuth}
    kind, planes = _kinds(job, {name: _in_cells(job, name, value) for name, value in given.items()})
    shares = []
    n_azimuth, band = job.ground.sweep.n_azimuth, math.radians(BAND_DEG)
    for tilt, azimuth in planes:
        seen = year.sky_shares(n_azimuth, STRIPS, math.radians(tilt), math.radians(azimuth), np.zeros(2), band)
        shares.append(_by_place(seen[:, :, 0]))
    svf = job.annual(np.stack(shares), kind, np.zeros(len(shares), np.float32))
    return job.raster(svf, "svf", units="1", long_name="sky view factor")


@dataclass(frozen=True, kw_only=True)
class _Job:
    """The part of a raster that holds data, and how it is swept."""

    ground: SweptGround  # of the part
    shape: tuple[int, int]  # of the whole
    mask: B1  # as given
    part: DataWindow
    cells: B1  # in the part, with data
    far: FarField | None

    def in_cells(self, values: NDArray[Any]) -> NDArray[Any]:
        """Return a raster's values in the cells that are asked for, (n,)."""
        return values[self.part.rows, self.part.cols][self.cells]

    def raster(self, values: F4, name: str, **attributes: str) -> Raster:
        """Return values as they are, or with the coordinates of the DataArray that went in."""
        reference = self.ground.reference
        return values if reference is None else reference.raster(values, name, **attributes)

    def annual(self, tables: F4, kind: U2, beyond: F4) -> F4:
        """Sum tables (n_kind, n_azimuth, STEPS + 1) over the directions; `beyond` (n_kind,) comes from elsewhere."""
        inside = np.full(self.cells.shape, np.nan, np.float32)
        np.copyto(inside, beyond[kind] if kind.size > 1 else beyond[0], where=self.cells)
        observer = np.zeros((1, 1), np.int32)
        if self.far:
            observer = np.ascontiguousarray(self.far.observer[self.part.rows, self.part.cols], np.int32)
        for octant_view, directions in octant_views(self.ground.heights, self.cells, self.ground.sweep):
            for direction in directions:
                self._add(octant_view, direction, tables[..., None], kind, observer, inside)
        if inside.size == self.mask.size:
            return inside
        out = np.full(self.shape, np.nan, np.float32)
        out[self.part.rows, self.part.cols] = inside
        return out

    def monthly(self, tables: F4, kind: U2, beyond: F4) -> F4:
        """Sum tables (n_kind, n_azimuth, STEPS + 1, 12) over the directions, for the masked cells."""
        rank, n = view.number_cells(self.cells)
        of_cell = kind[self.cells] if kind.size > 1 else np.zeros(1, np.uint16)
        sums = np.empty((n, 12), np.float32)
        sums[:] = beyond[of_cell]
        observer = np.zeros(1, np.int32)
        if self.far:
            observer = self.far.observer[self.part.rows, self.part.cols][self.cells].astype(np.int32)
        for octant_view, directions in octant_views(self.ground.heights, self.cells, self.ground.sweep):
            for direction in directions:
                self._add(octant_view, direction, tables, of_cell, observer, sums, rank)
        known = np.zeros(self.shape, np.bool_)
        known[self.part.rows, self.part.cols] = self.cells
        out = np.full((int(self.mask.sum()), 12), np.nan, np.float32)
        out[known[self.mask]] = sums
        return out

    def _add(
        self,
        octant_view: OctantView,
        direction: SweepDirection,
        tables: F4,
        kind: U2,
        observer: I4,
        out: F4,
        number: I4 | None = None,
    ) -> None:
        beyond = np.zeros(1, np.float32)
        if self.far:
            beyond = np.tan(np.radians(np.minimum(self.far.horizon_deg[:, direction.number], 89.99))).astype(np.float32)
        table = np.ascontiguousarray(tables[:, direction.number]) * np.float32(direction.weight)
        octant_view.add(direction.t, self.ground.cell_size_m, Sums(table, kind, beyond, observer), out, number)


@dataclass(frozen=True)
class _Planes:
    """Number of each cell's plane under its weather, (ny, nx) or (1, 1) where all are the same, and its tables."""

    kind: U2
    tables: list[LightTables]


def _job(ground: SweptGround, mask: ArrayLike | None, far: FarField | None) -> _Job:
    heights = ground.heights
    shape = (heights.shape[0], heights.shape[1])
    whole_mask = np.ones(shape, dtype=np.bool_)
    if mask is not None:
        what = Text("the mask does not fit the elevation model", "掩膜与高程模型不一致")
        whole_mask = truths("mask", _aligned_raster(ground, "mask", mask), shape, what)
    part = DataWindow.with_data(heights)
    inner = heights[part.rows, part.cols]
    return _Job(
        ground=replace(ground, heights=inner, sweep=replace(ground.sweep, origin=part.origin(ground.sweep.origin))),
        shape=shape,
        mask=whole_mask,
        part=part,
        cells=whole_mask[part.rows, part.cols] & np.isfinite(inner),
        far=_checked_far(far, shape, ground.sweep.n_azimuth),
    )


def _aligned_raster(ground: SweptGround, name: str, given: ArrayLike) -> ArrayLike:
    """Return a raster of the call, which has the coordinates of the elevation model where both have any."""
    return given if ground.reference is None else ground.reference.aligned_raster(name, given)


def _checked_far(far: FarField | None, shape: tuple[int, int], n_azimuth: int) -> FarField | None:
    if far is None:
        return None
    instance("far", far, FarField, "rooftop.FarField(horizon_deg, observer)")
    horizon = require_numbers("far.horizon_deg", far.horizon_deg, ("m", n_azimuth), "horizon_from_level")
    observer = whole_numbers("far.observer", far.observer, shape)
    if observer.min() < 0 or observer.max() >= len(horizon):
        raise unusable("far.observer", extent_of(observer), f"0 … {len(horizon) - 1}")
    return FarField(horizon.astype(np.float32), observer)


def _planes(
    job: _Job,
    weather: Weather | SkyYear | Sequence[Weather | SkyYear],
    zone: ArrayLike | None,
    surface_tilt: ArrayLike,
    surface_azimuth: ArrayLike,
    diffuse: Diffuse,
    albedo: float,
) -> _Planes:
    albedo = require_number("albedo", albedo)
    given = _weathers(weather)
    properties = {
        "zone": _zones(job, zone, len(given)),
        "surface_tilt": _in_cells(job, "surface_tilt", surface_tilt),
        "surface_azimuth": _in_cells(job, "surface_azimuth", surface_azimuth),
    }
    kind, planes = _kinds(job, properties)
    skies = [as_sky_year(one, diffuse, factors=(1.0,)) for one in given]
    tables = [
        light_tables(skies[int(at)], ModulePlane(tilt, azimuth), diffuse, albedo, job.ground.sweep.n_azimuth)
        for at, tilt, azimuth in planes
    ]
    return _Planes(kind, tables)


def _weathers(weather: object) -> list[Weather | SkyYear]:
    """Return one weather or several as a list."""
    if isinstance(weather, Weather | SkyYear):
        return [weather]
    if not isinstance(weather, Sequence) or isinstance(weather, str):
        return [checked_weather(weather)]
    if not weather:
        raise unusable("weather", "()", Text("at least one weather", "至少一个气象年"))
    return list(weather)


def _in_cells(job: _Job, name: str, given: ArrayLike) -> F8:
    """Return a property of planes: a number, or one for each cell that is asked for, (n,)."""
    if axes(name, given) == 0:
        return np.asarray(require_number(name, given))
    expected = Text(f"one number, or numbers of shape {job.shape}", f"一个数值，或形状为 {job.shape} 的数值")
    values = numbers_of(name, _aligned_raster(job.ground, name, given), expected)
    if values.shape != job.shape:
        raise unusable(name, shape_of(values), expected)
    return require_numbers(name, job.in_cells(values), ("n",)).astype(np.float64)


def _zones(job: _Job, zone: ArrayLike | None, n_weather: int) -> F8:
    """Return the number of the weather over all cells, or over each that is asked for, (n,)."""
    if zone is None and n_weather != 1:
        raise unusable(
            "zone",
            "None",
            Text(
                f"the number of the weather over each cell, 0 … {n_weather - 1}",
                f"每个单元的气象编号，0 … {n_weather - 1}",
            ),
            what=Text("several weathers, and nothing says which holds where", "给出多个气象年，但未说明各适用何处"),
        )
    if zone is None:
        return np.zeros(())
    whole_zone = axes("zone", zone) == 0
    numbers_given = whole_numbers("zone", _aligned_raster(job.ground, "zone", zone), () if whole_zone else job.shape)
    numbers = numbers_given if whole_zone else job.in_cells(numbers_given)
    if ((numbers < 0) | (numbers >= n_weather)).any():
        raise unusable("zone", extent_of(numbers), f"0 … {n_weather - 1}")
    return numbers.astype(np.float64)


def _kinds(job: _Job, properties: dict[str, F8]) -> tuple[U2, list[tuple[float, ...]]]:
    """Number the different combinations of properties among the cells that are asked for."""
    values = list(properties.values())
    n_masked = int(job.cells.sum())
    if all(value.ndim == 0 for value in values):
        return np.zeros((1, 1), np.uint16), [tuple(float(value) for value in values)]
    if not n_masked:
        return np.zeros((1, 1), np.uint16), [(0.0,) * len(values)]
    rank = np.zeros(n_masked, np.int64)
    planes: list[tuple[float, ...]] = [()]
    for value in values:
        levels, level = np.unique(np.broadcast_to(value, (n_masked,)), return_inverse=True)
        pairs, rank = np.unique(rank * len(levels) + level.ravel(), return_inverse=True)
        planes = [(*planes[pair // len(levels)], float(levels[pair % len(levels)])) for pair in pairs]
        if len(planes) > MOST_PLANES:
            raise unusable(
                " × ".join(properties),
                str(len(planes)),
                f"<= {MOST_PLANES}",
                Text("round tilt and azimuth to whole degrees", "将倾角与方位角取整到度"),
                Text("too many different planes in one raster", "一个栅格中的不同平面过多"),
            )
    kind = np.zeros(job.cells.shape, np.uint16)
    kind[job.cells] = rank
    return kind, planes


def _annual(tables: LightTables) -> F4:
    annual = tables.beam.sum(axis=2) + tables.shares[:, :, 0] * tables.isotropic.sum()
    return _by_place(annual + tables.shares[:, :, 1] * tables.band.sum())


def _months(tables: LightTables) -> F4:
    months = tables.beam[:, :, :12] + tables.beam[:, :, 12:]
    months = months + tables.shares[:, :, :1] * tables.isotropic + tables.shares[:, :, 1:] * tables.band
    return np.stack([_by_place(months[:, :, m]) for m in range(12)], axis=-1)


def _by_place(table: F8) -> F4:
    """Turn tables over degrees (n_azimuth, N_EDGE) into tables over u = tan / (1 + tan), (n_azimuth, STEPS + 1)."""
    u = np.arange(rays.STEPS + 1) / rays.STEPS
    degrees = np.degrees(np.arctan2(u, 1.0 - u))
    edges = np.arange(year.N_EDGE) / year.EDGES_PER_DEG
    return np.stack([np.interp(degrees, edges, row) for row in table]).astype(np.float32)
