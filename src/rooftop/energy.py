"""Energy: the irradiation and AC yield of cells, read out of cumulative-sky tables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from rooftop.cumulative import ModulePlane, PlaneTables, Rows, merged_tables, monthly, plane_light, plane_tables
from rooftop.errors import ComputeError
from rooftop.kernels import year
from rooftop.lang import Text
from rooftop.pvsystem import Mounting, PvSystem, load_system
from rooftop.shading import horizons
from rooftop.sky import Diffuse, SkyYear, sky_year
from rooftop.weather import Weather

F4 = NDArray[np.float32]
F8 = NDArray[np.float64]

__all__ = [
    "ModulePlane",
    "PlaneTables",
    "PlaneYear",
    "Rows",
    "cell_year",
    "free_year",
    "irradiation",
    "irradiation_raster",
    "plane_tables",
    "plane_year",
    "pv_energy",
]

_FACTOR_SLACK = 0.1  # factors this share of the nodes' spread beyond the outer nodes are still extrapolated


@dataclass(frozen=True)
class PlaneYear:
    """One year of a group of cells; NaN for a group without cells.

    Parameters
    ----------
    poa_kwh_m2, poa_free_kwh_m2, ac_kwh_kwp : (n_group, 12)
        Irradiation on the plane with and without obstacles, terrain and rows; AC energy per kWp.
    svf : (n_group,)
        Cosine-weighted visible share of the hemisphere's sky; a free plane has ``(1 + cos tilt) / 2``.
    shading_loss : (n_group,)
        ``1 - poa / poa_free`` of the year.
    """

    poa_kwh_m2: F8
    poa_free_kwh_m2: F8
    ac_kwh_kwp: F8
    svf: F8
    shading_loss: F8


def plane_year(tables: PlaneTables, horizon: F4, group: ArrayLike, n_group: int, factor: ArrayLike) -> PlaneYear:
    """Average irradiation and AC yield over the cells of each group.

    Parameters
    ----------
    tables : PlaneTables
    horizon : (n_cells, n_azimuth) float32
        Horizon elevation [deg]; below 0 counts as 0.
    group : (n_cells,) int
        Group of each cell; cells below 0 take part in none.
    n_group : int
    factor : (n_group, 12)
        Irradiance factor of each group and month.

    Returns
    -------
    PlaneYear

    Raises
    ------
    ComputeError
        Shapes do not fit, or a horizon or factor is not a number.
    """
    horizon = _checked_horizon(tables.n_azimuth, horizon)
    groups = np.asarray(group, dtype=np.int64)
    if groups.shape != (horizon.shape[0],) or (groups >= n_group).any():
        raise ComputeError(
            Text("groups do not fit the cells", "分组与栅格单元不一致"),
            found=f"{groups.shape}, max {groups.max(initial=-1)}",
            expected=f"({horizon.shape[0]},), < {n_group}",
        )
    factors = _checked_factor(factor, (n_group, 12))
    weights = _factor_weights(tables.factors, factors)
    order = np.argsort(groups, kind="stable")
    start = np.searchsorted(groups[order], np.arange(n_group + 1))
    size = np.diff(start).astype(np.float64)
    moment = np.zeros((n_group, 5))
    poa = np.zeros((n_group, tables.poa_beam.shape[2]))
    ac = np.zeros((n_group, tables.ac_beam.shape[3]))
    year.read_groups(order, start, horizon, tables.shares, tables.poa_beam, tables.ac_beam, moment, poa, ac)
    with np.errstate(invalid="ignore", divide="ignore"):
        s, b, x, xx, y = (moment / size[:, None]).T
        poa /= size[:, None]
        ac /= size[:, None]
    ac += tables.ac_base[0] + np.outer(x, tables.ac_base[1]) + np.outer(xx, tables.ac_base[2])
    ac += np.outer(y, tables.ac_base[3])
    poa += np.outer(s, tables.poa_isotropic) + np.outer(b, tables.poa_band) + tables.poa_ground.ravel()
    poa_month = _at_factor(weights, poa)
    free = _at_factor(weights, np.broadcast_to(tables.poa_free.ravel(), poa.shape))
    with np.errstate(invalid="ignore", divide="ignore"):
        loss = 1.0 - poa_month.sum(axis=1) / free.sum(axis=1)
    return PlaneYear(
        poa_kwh_m2=poa_month,
        poa_free_kwh_m2=np.where(size[:, None] > 0, free, np.nan),
        ac_kwh_kwp=np.maximum(_at_factor(weights, ac), 0.0),
        svf=s * tables.svf_free,
        shading_loss=loss,
    )


def cell_year(tables: PlaneTables, horizon: F4, factor: ArrayLike) -> F8:
    """Annual irradiation of every cell.

    Parameters
    ----------
    tables : PlaneTables
    horizon : (n_cells, n_azimuth) float32
        [deg].
    factor : (12,)
        Irradiance factor of each month.

    Returns
    -------
    (n_cells,) float64
        [kWh/m2].
    """
    horizon = _checked_horizon(tables.n_azimuth, horizon)
    weights = _factor_weights(tables.factors, _checked_factor(factor, (12,))[None, :])[0].ravel()
    annual = tables.poa_beam.astype(np.float64) @ weights
    annual += tables.shares[:, :, 0] * float(tables.poa_isotropic.ravel() @ weights)
    annual += tables.shares[:, :, 1] * float(tables.poa_band.ravel() @ weights)
    out = np.empty((horizon.shape[0], 1))
    year.read_cells(annual[:, :, None], horizon, out)
    return out[:, 0] + float(tables.poa_ground.ravel() @ weights)


def free_year(tables: PlaneTables, factor: ArrayLike) -> F8:
    """Irradiation of each month on the plane without obstacles, terrain or rows [kWh/m2], shape (12,)."""
    weights = _factor_weights(tables.factors, _checked_factor(factor, (12,))[None, :])
    return _at_factor(weights, tables.poa_free.ravel()[None, :])[0]


def pv_energy(
    weather: Weather | SkyYear,
    surface_tilt: float,
    surface_azimuth: float,
    horizon: ArrayLike | None = None,
    system: PvSystem | None = None,
    *,
    mounting: Mounting = "rack",
    diffuse: Diffuse = "perez",
    albedo: float = 0.2,
) -> F8:
    """AC energy of a plane in each month.

    Parameters
    ----------
    weather : Weather or SkyYear
    surface_tilt, surface_azimuth : float
        [deg].
    horizon : (n_azimuth,), optional
        Horizon elevation [deg]; column k looks towards ``k * 360 / n_azimuth``, linear in between. Free when omitted.
    system : PvSystem, optional
        The shipped default when omitted.
    mounting : {"rack", "flush"}
    diffuse : {"perez", "haydavies", "isotropic"}
    albedo : float

    Returns
    -------
    (12,) float64
        [kWh/kWp].
    """
    around = np.zeros((1, 72), np.float32) if horizon is None else np.asarray(horizon, np.float32)[None, :]
    plane = ModulePlane(surface_tilt, surface_azimuth, mounting)
    tables = plane_tables(
        weather, plane, system or load_system(), n_azimuth=around.shape[1], diffuse=diffuse, albedo=albedo
    )
    result: F8 = plane_year(tables, around, [0], 1, np.ones((1, 12))).ac_kwh_kwp[0]
    return result


def irradiation(
    weather: Weather | SkyYear,
    horizon: ArrayLike,
    surface_tilt: float = 20.0,
    surface_azimuth: float = 180.0,
    diffuse: Diffuse = "perez",
    albedo: float = 0.0,
) -> pd.DataFrame:
    """Monthly irradiation of points with given horizons.

    Parameters
    ----------
    weather : Weather or SkyYear
        A SkyYear keeps its own sky model, and its middle factors are used.
    horizon : (n, n_azimuth)
        Horizon elevation [deg].
    surface_tilt, surface_azimuth : float
        [deg].
    diffuse : {"perez", "haydavies", "isotropic"}
    albedo : float
        Reflectance of the ground below the plane's own horizon; obstacles reflect nothing.

    Returns
    -------
    pandas.DataFrame
        Index (point, month 1-12); columns ``poa_direct``, ``poa_sky_diffuse``, ``poa_ground_diffuse``,
        ``poa_global`` [kWh/m2].
    """
    around = np.atleast_2d(np.asarray(horizon, dtype=np.float32))
    around = _checked_horizon(around.shape[1], around)
    tables = _light_tables(weather, ModulePlane(surface_tilt, surface_azimuth), diffuse, albedo, around.shape[1])
    beam = np.empty((around.shape[0], 24))
    visible = np.empty((around.shape[0], 2))
    year.read_cells(tables.beam, around, beam)
    year.read_cells(tables.shares, around, visible)
    direct = beam[:, :12]
    sky_diffuse = beam[:, 12:] + np.outer(visible[:, 0], tables.isotropic) + np.outer(visible[:, 1], tables.band)
    ground = np.broadcast_to(tables.ground, direct.shape)
    index = pd.MultiIndex.from_product([range(around.shape[0]), range(1, 13)], names=["point", "month"])
    return pd.DataFrame(
        {
            "poa_direct": direct.ravel(),
            "poa_sky_diffuse": sky_diffuse.ravel(),
            "poa_ground_diffuse": ground.ravel(),
            "poa_global": (direct + sky_diffuse + ground).ravel(),
        },
        index=index,
    )


def irradiation_raster(
    weather: Weather | SkyYear,
    dsm: ArrayLike,
    cell_size_m: float,
    mask: ArrayLike,
    surface_tilt: float = 0.0,
    surface_azimuth: float = 180.0,
    *,
    diffuse: Diffuse = "perez",
    albedo: float = 0.0,
    n_azimuth: int = 72,
    surface: Literal["prism", "linear"] = "prism",
    above_m: float = 0.0,
    grid_north_deg: float = 0.0,
    block: int = 200_000,
) -> F8:
    """Annual irradiation of every masked cell of an elevation model.

    Parameters
    ----------
    weather : Weather or SkyYear
    dsm : (ny, nx)
        Elevation [m], row 0 north.
    cell_size_m : float
    mask : (ny, nx) bool
        Cells to compute.
    surface_tilt, surface_azimuth : float
        Plane in every cell [deg].
    diffuse, albedo
        As in `irradiation`.
    n_azimuth, surface, above_m, grid_north_deg
        As in `rooftop.shading.horizons`.
    block : int
        Cells whose horizons are held in memory at a time.

    Returns
    -------
    (ny, nx) float64
        [kWh/m2]; NaN outside the mask and where the elevation model has no data.
    """
    wanted = np.asarray(mask, dtype=bool)
    tables = _light_tables(weather, ModulePlane(surface_tilt, surface_azimuth), diffuse, albedo, n_azimuth)
    annual = tables.beam.sum(axis=2) + tables.shares[:, :, 0] * tables.isotropic.sum()
    annual += tables.shares[:, :, 1] * tables.band.sum()
    out = np.full(wanted.shape, np.nan)
    rows, cols = np.nonzero(wanted)
    for first in range(0, rows.size, block):
        r, c = rows[first : first + block], cols[first : first + block]
        around = horizons(dsm, cell_size_m, r, c, n_azimuth, surface, above_m, grid_north_deg)
        known = ~np.isnan(around).any(axis=1)
        total = np.empty((int(known.sum()), 1))
        year.read_cells(annual[:, :, None], around[known], total)
        out[r[known], c[known]] = total[:, 0] + tables.ground.sum()
    return out


@dataclass(frozen=True)
class _LightTables:
    """Irradiation only [kWh/m2]: beam (n_azimuth, N_EDGE, 24), 12 months direct then circumsolar; the rest (12,)."""

    beam: F8
    shares: F8
    isotropic: F8
    band: F8
    ground: F8


def _light_tables(
    weather: Weather | SkyYear, plane: ModulePlane, diffuse: Diffuse, albedo: float, n_azimuth: int
) -> _LightTables:
    sky = weather if isinstance(weather, SkyYear) else sky_year(weather, diffuse, factors=(1.0,))
    light = plane_light(sky, plane, albedo)
    one = sky.factors.shape[0] // 2
    values = np.stack([light.direct[one], light.circumsolar[one]]) * (sky.duration_h / 1000.0)
    shares, beam = merged_tables(sky, plane, values, n_azimuth)
    isotropic, band, ground = (monthly(sky, part)[one] for part in (light.isotropic, light.band, light.ground))
    return _LightTables(beam.reshape(*beam.shape[:2], 24), shares, isotropic, band, ground)


def _factor_weights(nodes: F8, factor: F8) -> F8:
    """Lagrange weights (n, F, 12) of the factor nodes (F, 12) at each factor (n, 12)."""
    slack = _FACTOR_SLACK * (nodes[-1] - nodes[0]) + 1e-9
    outside = (factor < nodes[0] - slack) | (factor > nodes[-1] + slack)
    if outside.any():
        raise ComputeError(
            Text("an irradiance factor lies outside what the tables were made for", "辐照修正系数超出积分表范围"),
            where=Text(f"month {int(np.nonzero(outside)[1][0]) + 1}", f"{int(np.nonzero(outside)[1][0]) + 1} 月"),
            found=f"{factor[outside].min():.3f}-{factor[outside].max():.3f}",
            expected=f"{nodes.min():.3f}-{nodes.max():.3f}",
            mend="sky_year(weather, factors=factor_nodes(factor))",
        )
    weights = np.ones((factor.shape[0], nodes.shape[0], 12))
    for i, a in enumerate(nodes):
        for j, b in enumerate(nodes):
            if i != j:
                weights[:, i] *= (factor - b) / (a - b)
    return weights


def _at_factor(weights: F8, values: F8) -> F8:
    """Interpolate (n, F * 12) to (n, 12)."""
    result: F8 = (values.reshape(weights.shape) * weights).sum(axis=1)
    return result


def _checked_horizon(n_azimuth: int, horizon: ArrayLike) -> F4:
    around = np.ascontiguousarray(horizon, dtype=np.float32)
    if around.ndim != 2 or around.shape[1] != n_azimuth:
        raise ComputeError(
            Text("horizons do not fit the tables", "地平遮挡角与积分表的方位数不一致"),
            found=str(around.shape),
            expected=f"(n, {n_azimuth})",
        )
    if np.isnan(around).any():
        raise ComputeError(Text("a horizon is not a number", "地平遮挡角含有非数值"), where="horizon")
    return around


def _checked_factor(factor: ArrayLike, shape: tuple[int, ...]) -> F8:
    values = np.asarray(factor, dtype=np.float64)
    if values.shape != shape or not np.isfinite(values).all():
        raise ComputeError(
            Text("irradiance factors do not fit", "辐照修正系数的形状或数值不符"),
            where="factor",
            found=f"{values.shape}, finite: {bool(np.isfinite(values).all())}",
            expected=str(shape),
        )
    return values
