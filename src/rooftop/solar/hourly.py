"""Hour by hour: the AC power of roofs behind their horizons, and how much of it a load uses."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Unpack

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from rooftop.core.arguments import (
    axes,
    has_shape,
    instance,
    numbers_of,
    require_numbers,
    result_array,
    shape_of,
    shape_text,
    shown_value,
    unusable,
)
from rooftop.core.choices import Diffuse
from rooftop.core.lang import Text
from rooftop.core.types import B1, F4, F8, I4, I8
from rooftop.kernels import hourly as kernel
from rooftop.kernels import year
from rooftop.solar.cumulative import (
    LitPlane,
    ModulePlane,
    SkyOptions,
    incidence,
    lit_plane,
    row_horizon_deg,
    visible_shares,
)
from rooftop.solar.pvsystem import PvSystem
from rooftop.solar.sky import SkyYear, as_sky_year, factor_nodes
from rooftop.solar.skylines import (
    Groups,
    checked_factor,
    checked_groups,
    checked_horizon,
    factor_weights,
    plain_horizon,
)
from rooftop.weather import Weather


@dataclass(frozen=True, kw_only=True)
class HourlyTables:
    """Everything about a module plane's year that no horizon changes.

    Parameters
    ----------
    plane : ModulePlane
    times : (m,) DatetimeIndex
        Middle of each interval.
    interval_h : float
        Length of an interval [h].
    factors : (F, 12)
        Irradiance factors of each month at which `coefficient` was evaluated.
    shares : (n_azimuth, N_EDGE, 2)
        Visible shares of the isotropic sky and of the horizon band.
    start, month, kind, sector, edge, sun, coefficient, inverter
        Records: one sun, or all suns of an interval whose beam does not reach the plane; as in
        :class:`rooftop.kernels.hourly.Records`, AC at the limit after the losses [W per kWp].
    """

    plane: ModulePlane
    times: pd.DatetimeIndex
    interval_h: float
    factors: F8
    shares: F8
    start: I4
    month: I4
    kind: I4
    sector: I4
    edge: I4
    sun: F4
    coefficient: F4
    inverter: F4

    @property
    def n_azimuth(self) -> int:
        """Sectors of the circle."""
        return int(self.shares.shape[0])

    def records(self, coefficient: F4) -> kernel.Records:
        """Return what kernels read, `coefficient` at the nodes that are needed."""
        return kernel.Records(
            self.start, self.month, self.kind, self.sector, self.edge, self.sun, coefficient, self.inverter
        )


@dataclass(frozen=True)
class HourlyYield:
    """AC power of roofs through a year.

    Parameters
    ----------
    ac_w_per_kwp : (n, m) float32
        Mean power of each interval [W per kWp]; NaN for a group without cells.
    index : (m,) DatetimeIndex
        Middle of each interval, fixed UTC offset.
    interval_h : float
        Length of an interval [h].
    """

    ac_w_per_kwp: F4
    index: pd.DatetimeIndex
    interval_h: float

    def monthly_kwh_kwp(self) -> F8:
        """Energy of each month [kWh/kWp], (n, 12)."""
        month = self.index.month.to_numpy()
        scale = self.interval_h / 1000.0
        sums = [self.ac_w_per_kwp[:, month == m].sum(axis=1, dtype=np.float64) for m in range(1, 13)]
        return np.stack(sums, axis=1) * scale


def hourly_tables(
    weather: Weather | SkyYear, plane: ModulePlane, *, system: PvSystem | None = None, **options: Unpack[SkyOptions]
) -> HourlyTables:
    """Evaluate once what every sun of the year gives a module plane.

    Parameters
    ----------
    weather : Weather or SkyYear
        Pass the SkyYear when several planes share it (`diffuse` is then the SkyYear's).
    plane : ModulePlane
    system : PvSystem, optional
        The shipped default when omitted.
    **options
        ``n_azimuth, diffuse, albedo`` as in :func:`rooftop.solar.cumulative.plane_tables`.

    Returns
    -------
    HourlyTables

    Raises
    ------
    ArgumentError
        An argument is of another type, out of its limits or an unknown word; the weather is no whole year.

    Examples
    --------
    Tables made once, roofs treated in blocks that share one array:

    >>> import numpy as np
    >>> import rooftop
    >>> weather = rooftop.synthetic_weather(32.0, 118.8, 10.0, None, np.full(12, 16.0), annual_ghi_kwh_m2=1350.0)
    >>> tables = rooftop.hourly_tables(weather, rooftop.ModulePlane(20.0, 180.0, "rack"))
    >>> horizon = np.linspace(0.0, 30.0, 200)[:, None].repeat(72, axis=1)
    >>> out = np.empty((100, 8760), np.float32)
    >>> peak = [rooftop.hourly_series(tables, block, out=out).ac_w_per_kwp.max() for block in np.split(horizon, 2)]
    >>> bool(600 < min(peak) <= max(peak) < 820)
    True
    """
    illuminated = lit_plane(weather, plane, system, factors=(1.0,), **options)
    sky, plane, n_azimuth = illuminated.sky, illuminated.plane, illuminated.n_azimuth
    coefficient = _coefficients(illuminated)
    has_beam = (coefficient[:, 6:] != 0.0).any(axis=(0, 1))
    n_sun = round(pd.Timedelta(sky.times[1] - sky.times[0]) / pd.Timedelta(hours=sky.duration_h))
    record, count = _records(sky.interval, has_beam)
    n_record = count.size
    flat = coefficient.reshape(-1, record.size)
    sums: F8 = np.stack([np.bincount(record, weights=row, minlength=n_record) for row in flat]).astype(np.float64)
    merged = (sums / count).reshape(*coefficient.shape[:2], n_record).transpose(2, 0, 1)
    first = np.zeros(n_record, dtype=np.int64)
    first[record[::-1]] = np.arange(record.size)[::-1]
    share, left, right = _sectors(sky, plane, first, n_azimuth)
    starts = np.searchsorted(sky.interval[first], np.arange(sky.times.size + 1))
    month = sky.times.month.to_numpy() - 1
    per_edge = year.EDGES_PER_DEG
    return HourlyTables(
        plane=plane,
        times=sky.times,
        interval_h=sky.duration_h * n_sun,
        factors=sky.factors,
        shares=visible_shares(plane, n_azimuth),
        start=starts.astype(np.int32),
        month=month.astype(np.int32),
        kind=np.where(has_beam[first], kernel.BEAM, kernel.BEAMLESS).astype(np.int32),
        sector=np.stack([left, right], axis=1).astype(np.int32),
        edge=np.clip(sky.elevation_deg[first] * per_edge, 0, year.N_EDGE - 1).astype(np.int32),
        sun=np.stack([sky.elevation_deg[first], *share, count / n_sun], axis=1).astype(np.float32),
        coefficient=np.ascontiguousarray(merged, dtype=np.float32),
        inverter=_inverter(illuminated.system).astype(np.float32),
    )


def _records(interval: I8, has_beam: B1) -> tuple[I8, I8]:
    """Record of each sun, rising, and suns of each record: a lit sun alone, an interval's other suns together."""
    suns = np.arange(interval.size)
    order = np.lexsort((suns, has_beam, interval))
    fresh = np.ones(interval.size, dtype=bool)
    same = interval[order[1:]] == interval[order[:-1]]
    fresh[1:] = ~same | has_beam[order[1:]]
    record = np.empty(interval.size, dtype=np.int64)
    record[order] = np.cumsum(fresh) - 1
    return record, np.bincount(record)


def _sectors(sky: SkyYear, plane: ModulePlane, first: I8, n_azimuth: int) -> tuple[F8, I8, I8]:
    """Shares (2, n) of a sun's beam that its two sectors decide over, rows in front merged; the sectors."""
    place = (sky.azimuth_deg[first] % 360.0) * n_azimuth / 360.0
    left = place.astype(np.int64)
    share = np.stack([1.0 - (place - left), place - left])
    left %= n_azimuth
    right = (left + 1) % n_azimuth
    if plane.rows is not None:
        ahead = row_horizon_deg(plane, plane.rows, n_azimuth)
        elevation = sky.elevation_deg[first]
        for side, sector in zip(share, (left, right), strict=True):
            side *= (elevation > ahead[:, sector]).mean(axis=0)
    return share, left, right


def _coefficients(illuminated: LitPlane) -> F8:
    """Coefficients (F, 9, n) of each sun's DC over the inverter's limit.

    Effective light is ``s I + b B + R`` and with beam ``+ D``; DC is that times ``1 + gamma (T_air + k poa - 25)``. So
    without beam it is a polynomial of second degree in s and b, and the beam adds one of first degree.
    """
    sky, plane, system, light = illuminated.sky, illuminated.plane, illuminated.system, illuminated.light
    beam_iam, spread = incidence(plane, system, light)
    gamma = system.module.gamma_pdc
    warm = 1.0 + gamma * (sky.temp_air - 25.0)
    k = gamma * system.warming(plane.mounting, sky.wind_speed)
    beam, iso, band, ground = light.direct + light.circumsolar, light.isotropic, light.band, light.ground
    through, sky_in, band_in = beam * beam_iam, iso * spread["sky"], band * spread["horizon"]
    ground_in = ground * spread["ground"]
    idle = warm + k * ground
    parts = [
        ground_in * idle,
        sky_in * idle + k * ground_in * iso,
        band_in * idle + k * ground_in * band,
        k * sky_in * iso,
        k * (sky_in * band + band_in * iso),
        k * band_in * band,
        through * (idle + k * beam) + k * beam * ground_in,
        k * (through * iso + beam * sky_in),
        k * (through * band + beam * band_in),
    ]
    return np.stack(parts, axis=1) * (system.dc_share / (1000.0 * system.inverter_pdc0))


def _inverter(system: PvSystem) -> F8:
    """AC over its limit by PVWatts, a parabola of DC over its limit; and that limit after the losses [W per kWp]."""
    # Dobos (2014), PVWatts 5 manual, NREL/TP-6A20-62641, doi:10.2172/1158421; as `pvlib.inverter.pvwatts`
    p, q, w = np.array([-0.0162, 0.9858, -0.0059]) / system.eta_inv_ref
    least = 2.0 * w / (-q - math.sqrt(q * q - 4.0 * p * w))
    limit = 1000.0 * system.inverter_pdc0 * system.eta_inv_nom * system.ac_share
    return np.array([p, q, w, least * (1.0 + 1e-5), limit])


def hourly_series(
    tables: HourlyTables,
    horizon: ArrayLike,
    *,
    factor: ArrayLike | None = None,
    group: ArrayLike | None = None,
    n_group: int | None = None,
    out: F4 | None = None,
) -> HourlyYield:
    """AC power of every interval of the year, for each horizon or group of horizons.

    Parameters
    ----------
    tables : HourlyTables
    horizon : (n, n_azimuth) array_like
        Horizon elevation [deg]; below 0 counts as 0.
    factor : (n, 12) or (n_group, 12), optional
        Irradiance factor of each row of the result and month; 1 when omitted.
    group, n_group, out
        As in `hourly_yield`.

    Returns
    -------
    HourlyYield

    Raises
    ------
    ArgumentError
        Shapes do not fit, a horizon is not an angle, or a factor lies outside the nodes of `tables`.

    Examples
    --------
    A roof of two cells, one of them behind a wall in the south, and one inverter:

    >>> import numpy as np
    >>> import rooftop
    >>> weather = rooftop.synthetic_weather(32.0, 118.8, 10.0, None, np.full(12, 16.0), annual_ghi_kwh_m2=1350.0)
    >>> tables = rooftop.hourly_tables(weather, rooftop.ModulePlane(20.0, 180.0, "rack"))
    >>> cells = np.zeros((2, 72))
    >>> cells[1, 27:46] = 30.0
    >>> roof = rooftop.hourly_series(tables, cells, group=[0, 0])
    >>> alone = rooftop.hourly_series(tables, cells)
    >>> bool(roof.ac_w_per_kwp.sum() >= alone.ac_w_per_kwp.mean(axis=0).sum())
    True
    """
    instance("tables", tables, HourlyTables, "rooftop.hourly_tables(weather, plane)")
    checked = checked_horizon(tables.n_azimuth, horizon)
    around = checked.degrees
    groups, n = _grouping(group, n_group, around.shape[0])
    coefficient, weight = _at_factor(tables, factor, n)
    records = tables.records(coefficient)
    power = result_array(out, (n, tables.times.size))
    visible = np.empty((around.shape[0], 2))
    year.read_cells(tables.shares, *checked.columns, visible)
    if groups is None:
        s, b = visible.T
        moment = np.stack([s, b, s * s, s * b, b * b]).astype(np.float32)
        kernel.rows_year(around, moment, weight, records, power)
    else:
        grouped, edges = kernel.HourlyGroups(groups.cells, groups.start), kernel.Edges(year.EDGES_PER_DEG, year.N_EDGE)
        kernel.groups_year(grouped, around, visible, edges, weight, records, power)
        power[np.diff(groups.start) == 0] = np.nan
    return HourlyYield(power, tables.times, tables.interval_h)


def hourly_yield(
    weather: Weather | SkyYear,
    horizon: ArrayLike,
    plane: ModulePlane,
    *,
    system: PvSystem | None = None,
    factor: ArrayLike | None = None,
    group: ArrayLike | None = None,
    n_group: int | None = None,
    diffuse: Diffuse = "perez",
    albedo: float = 0.2,
    out: F4 | None = None,
) -> HourlyYield:
    """AC power of roofs in every hour of the year, each behind its own horizon.

    Parameters
    ----------
    weather : Weather or SkyYear
        A SkyYear keeps its own sky model.
    horizon : (n, n_azimuth) array_like
        Horizon elevation [deg] as `horizons` returns it, -90 to 90, below 0 counts as 0; column k looks towards
        ``k * 360 / n_azimuth``.
    plane : ModulePlane
        How the modules lie, the same for all rows.
    system : PvSystem, optional
        The shipped default when omitted.
    factor : (n, 12) or (n_group, 12), optional
        Irradiance factor of each row of the result and month (`rooftop.weather.monthly_factors`); 1 when omitted.
    group : (n,) int, optional
        Roof that each horizon (a cell of the roof) belongs to; below 0 it takes part in none. The cells' DC is
        averaged hour by hour, then limited by the roof's inverter. One row of the result for each horizon when omitted.
    n_group : int, optional
        Number of groups; one more than the highest when omitted.
    diffuse : {"perez", "haydavies", "isotropic"}
    albedo : float
        Reflectance of the ground below the plane's horizon.
    out : (n or n_group, m) float32 C-ordered array, optional
        Filled and returned instead of a new array, which may be a ``numpy.memmap``.

    Returns
    -------
    HourlyYield

    Raises
    ------
    ArgumentError
        Shapes do not fit, a horizon or factor is not a number or out of its limits, a word is unknown, or the weather
        is no whole year.

    Notes
    -----
    The result takes 35 kB per row. Many roofs are best treated in blocks of a few hundred, each reduced or written
    before the next: make the tables once with `hourly_tables`, then call `hourly_series` with the same `out` for each
    block. A row's result does not depend on the rows beside it, to the last bit.

    Every sun (10 minutes) is behind the horizon or not, as in `plane_year`: DC power is exact at each sun, and the
    inverter limits the DC of the row or group, not of a cell.

    Examples
    --------
    A roof with a free horizon and one behind a wall of 30 degrees from south-east to south-west:

    >>> import numpy as np
    >>> import rooftop
    >>> weather = rooftop.synthetic_weather(32.0, 118.8, 10.0, None, np.full(12, 16.0), annual_ghi_kwh_m2=1350.0)
    >>> horizon = np.zeros((2, 72))
    >>> horizon[1, 27:46] = 30.0
    >>> series = rooftop.hourly_yield(weather, horizon, rooftop.ModulePlane(20.0, 180.0, "rack"))
    >>> series.ac_w_per_kwp.shape
    (2, 8760)
    >>> free, behind = series.monthly_kwh_kwp().sum(axis=1)
    >>> bool(0.90 < behind / free < 0.93)
    True

    What a load of 0.1 kW at all hours uses of 1 kWp:

    >>> match = rooftop.self_use(series.ac_w_per_kwp / 1000.0, np.full((2, 8760), 0.1))
    >>> bool(match.self_use_share[0] < match.self_use_share[1])
    True
    """
    around = plain_horizon(horizon)
    n_azimuth = around.shape[-1] if around.ndim else 0
    checked_horizon(n_azimuth, around)
    n = _grouping(group, n_group, around.shape[0])[1]
    nodes = (1.0,) if factor is None else factor_nodes(checked_factor(factor, (n, 12)))
    sky = as_sky_year(weather, diffuse, factors=nodes)
    out = result_array(out, (n, sky.times.size))
    tables = hourly_tables(sky, plane, system=system, n_azimuth=n_azimuth, albedo=albedo)
    return hourly_series(tables, around, factor=factor, group=group, n_group=n_group, out=out)


@dataclass(frozen=True)
class SelfUse:
    """How generation meets a load through the year.

    Parameters
    ----------
    used_kwh : (n,)
        Generation used on site, interval by interval, without storage [kWh].
    self_use_share, load_share : (n,)
        Of the generation that is used on site; of the load that generation meets. NaN where there is none.
    """

    used_kwh: F8
    self_use_share: F8
    load_share: F8


def self_use(ac_kwh: ArrayLike, load_kwh: ArrayLike) -> SelfUse:
    """Match the generation of roofs with their loads, interval by interval, without storage.

    Parameters
    ----------
    ac_kwh : (n, m) array_like
        Generation [kWh per interval]: hourly power per kWp / 1000 times the capacity.
    load_kwh : (m,) or (n, m) array_like
        Load of the same intervals [kWh].

    Returns
    -------
    SelfUse

    Raises
    ------
    ArgumentError
        Shapes do not fit, or a number is negative, infinite or none.

    Examples
    --------
    >>> match = self_use([[0.0, 2.0, 1.0]], [1.0, 1.0, 1.0])
    >>> match.used_kwh, match.self_use_share.round(3), match.load_share.round(3)
    (array([2.]), array([0.667]), array([0.667]))
    """
    generated = _energies("ac_kwh", ac_kwh, ("n", "m"))
    shape = generated.shape[1:] if axes("load_kwh", load_kwh) == 1 else generated.shape
    load = _energies("load_kwh", load_kwh, shape)
    used = np.minimum(generated, load).sum(axis=1, dtype=np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        return SelfUse(used, used / generated.sum(axis=1, dtype=np.float64), used / load.sum(axis=-1, dtype=np.float64))


def _grouping(group: ArrayLike | None, n_group: int | None, n_cells: int) -> tuple[Groups | None, int]:
    """Return the groups, if any, and how many rows the result has."""
    if group is not None:
        groups = checked_groups(group, n_group, n_cells)
        return groups, groups.n
    if n_group is not None:
        raise unusable("n_group", shown_value(n_group), Text("None without group", "未给 group 时为 None"))
    return None, n_cells


def _energies(name: str, given: ArrayLike, shape: Sequence[int | str]) -> NDArray[Any]:
    """Return energies [kWh per interval] of that shape, none negative or missing."""
    expected = Text(f"kWh of shape {shape_text(shape)}", f"形状为 {shape_text(shape)} 的 kWh")
    values = numbers_of(name, given, expected)
    if not has_shape(values, shape):
        what = Text("generation and load do not fit", "发电量与负荷的形状不一致")
        raise unusable(name, shape_of(values), expected, what=what)
    what = Text("energy must not be negative or missing", "电量不得为负或缺失")
    return require_numbers(name, values, shape, "energy_kwh", what=what)


def _at_factor(tables: HourlyTables, factor: ArrayLike | None, n: int) -> tuple[F4, F4]:
    """Coefficients (n_record, F, 9), of one node where that is enough, and weights (12, F, n) of the nodes."""
    ones = np.flatnonzero((tables.factors == 1.0).all(axis=1))
    if factor is None and ones.size:
        single = np.ascontiguousarray(tables.coefficient[:, ones[:1]])
        return single, np.ones((12, 1, n), np.float32)
    values = np.ones((n, 12)) if factor is None else factor
    weights = factor_weights(tables.factors, checked_factor(values, (n, 12)))
    return tables.coefficient, np.ascontiguousarray(weights.transpose(2, 1, 0), dtype=np.float32)
