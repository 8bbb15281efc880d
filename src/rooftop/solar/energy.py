"""Energy: the irradiation and AC yield of cells, read out of cumulative-sky tables."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from rooftop.core.arguments import require_number, whole
from rooftop.core.choices import Diffuse, Mounting
from rooftop.core.types import F4, F8, I8
from rooftop.kernels import year
from rooftop.solar.cumulative import (
    ModulePlane,
    PlaneTables,
    Rows,
    merged_tables,
    monthly_kwh,
    plane_light,
    plane_tables,
)
from rooftop.solar.pvsystem import PvSystem, checked_system
from rooftop.solar.sky import SkyYear, as_sky_year
from rooftop.solar.skylines import (
    Skylines,
    at_factor,
    checked_factor,
    checked_groups,
    checked_horizon,
    factor_weights,
    not_a_number,
    one_horizon,
    plain_horizon,
    shaped_horizon,
)
from rooftop.weather import Weather

__all__ = [
    "LightTables",
    "ModulePlane",
    "PlaneTables",
    "PlaneYear",
    "Rows",
    "UsableYear",
    "cell_months",
    "cell_year",
    "free_year",
    "irradiation",
    "light_tables",
    "plane_tables",
    "plane_year",
    "pv_energy",
    "usable_year",
]


@dataclass(frozen=True, kw_only=True)
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


@dataclass(frozen=True, kw_only=True)
class CellRequest:
    """Cells of one orientation, and at which factors their year was read; the arguments of :func:`usable_year`."""

    tables: PlaneTables
    horizon: Skylines
    cells: I8
    start: I8
    factor: F8
    max_shading_loss: float


@dataclass(frozen=True, kw_only=True)
class UsableYear:
    """One year of groups of cells of which the too shaded take no part.

    Parameters
    ----------
    request : CellRequest
    year : PlaneYear
        Mean over the cells that take part.
    annual_kwh_m2, shading_loss : (n,)
        Of every cell, at the usual factor.
    ok_share : (n_group,)
        Share of cells not too shaded; 0 for a group without cells.
    """

    request: CellRequest
    year: PlaneYear
    annual_kwh_m2: F8
    shading_loss: F8
    ok_share: F8


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
    ArgumentError
        Shapes do not fit, or a horizon or factor is not a number.
    """
    groups = checked_groups(group, n_group, len(horizon))
    return usable_year(tables, horizon, groups.cells, groups.start, factor).year


def usable_year(
    tables: PlaneTables,
    horizon: F4 | Skylines,
    cells: I8,
    start: I8,
    factor: ArrayLike,
    usual_factor: ArrayLike | None = None,
    max_shading_loss: float = np.inf,
) -> UsableYear:
    """Average irradiation and AC yield over the cells of each group that are not too shaded.

    Parameters
    ----------
    tables : PlaneTables
    horizon : (n_cells, n_azimuth) float32, or Skylines
        Horizon elevation [deg]; below 0 counts as 0.
    cells : (n,) int
        Rows of `horizon`, group after group; a row may stand in several groups.
    start : (n_group + 1,) int
        Where each group begins in `cells`.
    factor : (n_group, 12)
        Irradiance factor of each group and month.
    usual_factor : (12,), optional
        Factor at which cells are compared; the mean of `factor` when left out.
    max_shading_loss : float
        Cells that lose more take no part, unless all of their group do.

    Returns
    -------
    UsableYear

    Raises
    ------
    ArgumentError
        Shapes do not fit, or a horizon or factor is not a number.
    """
    around = shaped_horizon(tables.n_azimuth, horizon)
    n_group = start.size - 1
    factors = checked_factor(factor, (n_group, 12))
    weights = factor_weights(tables.factors, factors)
    at_usual = _usual_weights(tables, factors, usual_factor)
    free = float(tables.poa_free.ravel() @ at_usual)
    ground = float(tables.poa_ground.ravel() @ at_usual)
    n_row = tables.n_azimuth * year.N_EDGE
    read = year.YearTables(
        rows=_annual_rows(tables, at_usual),
        least=(1.0 - max_shading_loss) * free - ground,
        poa=tables.poa_beam.reshape(n_row, -1),
        ac=tables.ac_beam.reshape(n_row, -1),
        pooled=tables.ac_pooled.reshape(n_row, -1),
        reach=tables.reach,
    )
    sums = year.GroupSums.zeros(cells.size, n_group, tables.poa_beam.shape[2])
    if year.read_groups(year.YearGroups(cells, start), year.Columns(*around.columns), read, sums):
        raise not_a_number()
    annual = sums.annual + ground
    n_cells = np.diff(start)
    return UsableYear(
        request=CellRequest(
            tables=tables,
            horizon=around,
            cells=cells,
            start=start,
            factor=factors,
            max_shading_loss=max_shading_loss,
        ),
        year=_plane_year(tables, weights, sums),
        annual_kwh_m2=annual,
        shading_loss=1.0 - annual / free,
        ok_share=np.divide(sums.ok, n_cells, out=np.zeros(n_group), where=n_cells > 0),
    )


def _plane_year(tables: PlaneTables, weights: F8, sums: year.GroupSums) -> PlaneYear:
    """Turn sums over the cells of each group into a mean year at its factor."""
    size = sums.used.astype(np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        s, b, x, xx, y = (sums.moment / size[:, None]).T
        poa = sums.poa / size[:, None]
        ac = sums.ac / size[:, None]
    ac += tables.ac_base[0] + np.outer(x, tables.ac_base[1]) + np.outer(xx, tables.ac_base[2])
    ac += np.outer(y, tables.ac_base[3])
    poa += np.outer(s, tables.poa_isotropic) + np.outer(b, tables.poa_band) + tables.poa_ground.ravel()
    poa_month = at_factor(weights, poa)
    free = at_factor(weights, np.broadcast_to(tables.poa_free.ravel(), poa.shape))
    with np.errstate(invalid="ignore", divide="ignore"):
        loss = 1.0 - poa_month.sum(axis=1) / free.sum(axis=1)
    return PlaneYear(
        poa_kwh_m2=poa_month,
        poa_free_kwh_m2=np.where(size[:, None] > 0, free, np.nan),
        ac_kwh_kwp=np.maximum(at_factor(weights, ac), 0.0),
        svf=s * tables.svf_free,
        shading_loss=loss,
    )


def _usual_weights(tables: PlaneTables, factors: F8, usual: ArrayLike | None) -> F8:
    """Weights (F * 12,) of the factor at which cells are compared."""
    if usual is None:
        usual = factors.mean(axis=0) if len(factors) else tables.factors[tables.factors.shape[0] // 2]
    return factor_weights(tables.factors, checked_factor(usual, (12,))[None, :])[0].ravel()


def _annual_rows(tables: PlaneTables, weights: F8) -> F8:
    """Visible shares and the year's irradiation, laid out for `year.read_groups`; kept with the tables."""
    key = weights.tobytes()
    if key not in tables.annual_rows:
        columns = [tables.shares, _annual_table(tables, weights)[:, :, None]]
        tables.annual_rows[key] = year.look_up_rows(np.concatenate(columns, axis=2))
    return tables.annual_rows[key]


def _annual_table(tables: PlaneTables, weights: F8) -> F8:
    """Irradiation of the year by sector and horizon, without the ground's: (n_azimuth, N_EDGE) [kWh/m2]."""
    annual: F8 = np.einsum("kjm,m->kj", tables.poa_beam, weights, dtype=np.float64)
    annual += tables.shares[:, :, 0] * float(tables.poa_isotropic.ravel() @ weights)
    annual += tables.shares[:, :, 1] * float(tables.poa_band.ravel() @ weights)
    return annual


def cell_year(tables: PlaneTables, horizon: F4 | Skylines, factor: ArrayLike, cells: I8 | None = None) -> F8:
    """Annual irradiation of cells.

    Parameters
    ----------
    tables : PlaneTables
    horizon : (n_cells, n_azimuth) float32, or Skylines
        [deg].
    factor : (12,)
        Irradiance factor of each month.
    cells : (n,) int, optional
        Rows of `horizon`, each as often as it stands there; every row once when left out.

    Returns
    -------
    (n,) float64
        [kWh/m2].

    Raises
    ------
    ArgumentError
        Shapes do not fit, or a horizon is not a number.
    """
    around = checked_horizon(tables.n_azimuth, horizon) if cells is None else shaped_horizon(tables.n_azimuth, horizon)
    rows = np.arange(len(around.degrees)) if cells is None else cells
    weights = factor_weights(tables.factors, checked_factor(factor, (12,))[None, :])[0].ravel()
    out = np.empty(len(rows))
    if year.read_annual(_annual_rows(tables, weights), rows, year.Columns(*around.columns), out):
        raise not_a_number()
    return out + float(tables.poa_ground.ravel() @ weights)


def cell_months(tables: PlaneTables, horizon: F4 | Skylines, factor: ArrayLike) -> F8:
    """Monthly irradiation of every cell.

    Parameters
    ----------
    tables, horizon, factor
        As in `cell_year`.

    Returns
    -------
    (n_cells, 12) float64
        [kWh/m2].
    """
    around = checked_horizon(tables.n_azimuth, horizon)
    weights = factor_weights(tables.factors, checked_factor(factor, (12,))[None, :])[0]
    beam = tables.poa_beam.reshape(*tables.poa_beam.shape[:2], *weights.shape)
    months = np.einsum("kjfm,fm->kjm", beam, weights, dtype=np.float64)
    months += tables.shares[:, :, :1] * (tables.poa_isotropic * weights).sum(axis=0)
    months += tables.shares[:, :, 1:] * (tables.poa_band * weights).sum(axis=0)
    out = np.empty((len(around.degrees), 12))
    year.read_cells(months, *around.columns, out)
    result: F8 = out + (tables.poa_ground * weights).sum(axis=0)
    return result


def free_year(tables: PlaneTables, factor: ArrayLike) -> F8:
    """Irradiation of each month on the plane without obstacles, terrain or rows [kWh/m2], shape (12,)."""
    weights = factor_weights(tables.factors, checked_factor(factor, (12,))[None, :])
    return at_factor(weights, tables.poa_free.ravel()[None, :])[0]


def pv_energy(
    weather: Weather | SkyYear,
    horizon: ArrayLike | None = None,
    surface_tilt: float = 20.0,
    surface_azimuth: float = 180.0,
    *,
    system: PvSystem | None = None,
    mounting: Mounting = "rack",
    diffuse: Diffuse = "perez",
    albedo: float = 0.2,
) -> F8:
    """AC energy of a plane in each month.

    Parameters
    ----------
    weather : Weather or SkyYear
    horizon : (n_azimuth,), optional
        Horizon elevation [deg], -90 to 90, below 0 counts as 0; column k looks towards ``k * 360 / n_azimuth``, linear
        in between. Free when omitted.
    surface_tilt, surface_azimuth : float
        [deg], 0 to 90 and 0 to 360 clockwise from true north.
    system : PvSystem, optional
        The shipped default when omitted.
    mounting : {"rack", "flush"}
    diffuse : {"perez", "haydavies", "isotropic"}
    albedo : float
        0 to 1.

    Returns
    -------
    (12,) float64
        [kWh/kWp].

    Raises
    ------
    ArgumentError
        The weather is no whole year, a word is unknown, an angle or albedo out of its limits, a horizon no row of
        angles.

    Examples
    --------
    A year without a file, on racks of 20 degrees to the south; then behind a ridge of 15 degrees all around:

    >>> import numpy as np
    >>> import rooftop
    >>> weather = rooftop.synthetic_weather(32.0, 118.8, 10.0, None, np.full(12, 16.0), annual_ghi_kwh_m2=1350.0)
    >>> free = rooftop.pv_energy(weather, surface_tilt=20.0, surface_azimuth=180.0)
    >>> free.shape, bool(1000 < free.sum() < 1300)
    ((12,), True)
    >>> behind = rooftop.pv_energy(weather, np.full(72, 15.0), 20.0, 180.0)
    >>> bool(0.94 < behind.sum() / free.sum() < 0.97)
    True
    """
    around = np.zeros((1, 72), np.float32) if horizon is None else one_horizon(horizon)
    plane = ModulePlane(surface_tilt, surface_azimuth, mounting)
    tables = plane_tables(
        weather, plane, checked_system(system), n_azimuth=around.shape[1], diffuse=diffuse, albedo=albedo
    )
    result: F8 = plane_year(tables, around, [0], 1, np.ones((1, 12))).ac_kwh_kwp[0]
    return result


def irradiation(
    weather: Weather | SkyYear,
    horizon: ArrayLike | Skylines,
    surface_tilt: float = 20.0,
    surface_azimuth: float = 180.0,
    *,
    diffuse: Diffuse = "perez",
    albedo: float = 0.0,
) -> pd.DataFrame:
    """Monthly irradiation of points with given horizons.

    Parameters
    ----------
    weather : Weather or SkyYear
        A SkyYear keeps its own sky model, and its middle factors are used.
    horizon : (n, n_azimuth), or Skylines
        Horizon elevation [deg], -90 to 90; below 0 counts as 0.
    surface_tilt, surface_azimuth : float
        [deg], 0 to 90 and 0 to 360 clockwise from true north.
    diffuse : {"perez", "haydavies", "isotropic"}
    albedo : float
        Reflectance of the ground below the plane's own horizon, 0 to 1; obstacles reflect nothing.

    Returns
    -------
    pandas.DataFrame
        Index (point, month 1-12); columns ``poa_direct``, ``poa_sky_diffuse``, ``poa_ground_diffuse``,
        ``poa_global`` [kWh/m2].

    Raises
    ------
    ArgumentError
        The weather is no whole year, the sky model unknown, an angle or albedo out of its limits, a horizon not a
        number.

    Examples
    --------
    >>> import numpy as np
    >>> import rooftop
    >>> weather = rooftop.synthetic_weather(32.0, 118.8, 10.0, None, np.full(12, 16.0), annual_ghi_kwh_m2=1350.0)
    >>> light = rooftop.irradiation(weather, [[0.0] * 72, [30.0] * 72], surface_tilt=0.0)
    >>> light["poa_global"].groupby("point").sum().round(0).tolist()
    [1350.0, 1114.0]
    """
    given = horizon if isinstance(horizon, Skylines) else np.atleast_2d(plain_horizon(horizon))
    n_azimuth = given.n_azimuth if isinstance(given, Skylines) else given.shape[1]
    around = checked_horizon(whole("n_azimuth", n_azimuth), given)
    n = len(around.degrees)
    tables = light_tables(weather, ModulePlane(surface_tilt, surface_azimuth), diffuse, albedo, around.n_azimuth)
    beam, visible = np.empty((n, 24)), np.empty((n, 2))
    year.read_cells(tables.beam, *around.columns, beam)
    year.read_cells(tables.shares, *around.columns, visible)
    direct = beam[:, :12]
    sky_diffuse = beam[:, 12:] + np.outer(visible[:, 0], tables.isotropic) + np.outer(visible[:, 1], tables.band)
    ground = np.broadcast_to(tables.ground, direct.shape)
    index = pd.MultiIndex.from_product([range(n), range(1, 13)], names=["point", "month"])
    return pd.DataFrame(
        {
            "poa_direct": direct.ravel(),
            "poa_sky_diffuse": sky_diffuse.ravel(),
            "poa_ground_diffuse": ground.ravel(),
            "poa_global": (direct + sky_diffuse + ground).ravel(),
        },
        index=index,
    )


@dataclass(frozen=True, kw_only=True)
class LightTables:
    """Irradiation of a plane by horizon, without yield [kWh/m2].

    Parameters
    ----------
    beam : (n_azimuth, N_EDGE, 24)
        12 months of direct, then of circumsolar irradiation.
    shares : (n_azimuth, N_EDGE, 2)
        Visible shares of the isotropic sky and of the band.
    isotropic, band, ground : (12,)
    """

    beam: F8
    shares: F8
    isotropic: F8
    band: F8
    ground: F8


def light_tables(
    weather: Weather | SkyYear, plane: ModulePlane, diffuse: Diffuse, albedo: float, n_azimuth: int
) -> LightTables:
    """Integrate a year of sky for a plane, irradiation only; the middle factors of a SkyYear are used."""
    albedo = require_number("albedo", albedo)
    sky = as_sky_year(weather, diffuse, factors=(1.0,))
    light = plane_light(sky, plane, albedo)
    one = sky.factors.shape[0] // 2
    values = np.stack([light.direct[one], light.circumsolar[one]]) * (sky.duration_h / 1000.0)
    shares, beam = merged_tables(sky, plane, values, n_azimuth)
    isotropic, band, ground = (monthly_kwh(sky, part)[one] for part in (light.isotropic, light.band, light.ground))
    by_month = beam.reshape(*beam.shape[:2], 24)
    return LightTables(beam=by_month, shares=shares, isotropic=isotropic, band=band, ground=ground)
