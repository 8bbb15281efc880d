"""Reflection by obstacles, off unless asked for: what facades around a cell receive and throw back onto its plane."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from rooftop.core.types import F4, F8, I8
from rooftop.kernels import reflection as kernel
from rooftop.kernels import year
from rooftop.solar.cumulative import ModulePlane, PlaneTables, merged_tables, monthly_kwh, plane_light
from rooftop.solar.energy import UsableYear, free_year
from rooftop.solar.sky import SkyYear
from rooftop.solar.skylines import factor_weights

N_FACADE = 12
_HORIZON_OF_FACADE = 0.25
"""Tangent of what a facade sees opposite over the tangent that the cell between them sees: in a street whose sides are
equally high, the middle of one facade is twice as far from the other one and looks over half of it."""


@dataclass(frozen=True)
class Facades:
    """A year of vertical planes all around, by the horizon of the cell that looks at them.

    Parameters
    ----------
    table : (N_FACADE, n_azimuth, N_EDGE, 12) float32
        What facade f, facing ``f * 360 / N_FACADE``, receives from each sector in each month [kWh/m2].
    factor : (12,)
        Irradiance factor of the table.
    reflectance : float
    """

    table: F4
    factor: F8
    reflectance: float


def facades(
    sky: SkyYear, factor: ArrayLike, reflectance: float, *, n_azimuth: int = 72, albedo: float = 0.2
) -> Facades:
    """Tabulate what facades receive, shaded by what stands opposite.

    Parameters
    ----------
    sky : SkyYear
    factor : (12,)
        Irradiance factor of each month.
    reflectance : float
        Of obstacles, 0 to 1.
    n_azimuth : int
    albedo : float
        Of the ground before the facades, which lies in their shade as they do.

    Returns
    -------
    Facades
    """
    at = np.asarray(factor, dtype=np.float64)
    weights = factor_weights(sky.factors, at[None, :])[0]
    opposite = np.arctan(_HORIZON_OF_FACADE * np.tan(np.radians(np.arange(year.N_EDGE - 1) / year.EDGES_PER_DEG)))
    place = np.append(np.degrees(opposite) * year.EDGES_PER_DEG, year.N_EDGE - 1.0)
    edge = np.minimum(place.astype(np.int64), year.N_EDGE - 2)
    part = (place - edge)[None, :, None]
    table = np.empty((N_FACADE, n_azimuth, year.N_EDGE, 12), dtype=np.float32)
    for f in range(N_FACADE):
        plane = ModulePlane(90.0, f * 360.0 / N_FACADE)
        light = plane_light(sky, plane, albedo)
        direct = (light.direct + light.circumsolar) * (sky.duration_h / 1000.0)
        shares, beam = merged_tables(sky, plane, direct, n_azimuth)
        diffuse, band = (monthly_kwh(sky, p) for p in (light.isotropic + light.ground, light.band))
        received = np.einsum("kjfm,fm->kjm", beam, weights)
        received += shares[:, :, :1] * (diffuse * weights).sum(axis=0) + shares[:, :, 1:] * (band * weights).sum(axis=0)
        table[f] = (1.0 - part) * received[:, edge] + part * received[:, edge + 1]
    return Facades(table, at, reflectance)


def reflected_irradiation(around: Facades, tables: PlaneTables, horizon: F4, cells: I8) -> F8:
    """Irradiation of each month that obstacles reflect onto a plane.

    Parameters
    ----------
    around : Facades
    tables : PlaneTables
    horizon : (n_cells, n_azimuth) float32
        [deg].
    cells : (n,) int
        Rows of `horizon`.

    Returns
    -------
    (n, 12) float64
        [kWh/m2], at the irradiance factor of `around`.
    """
    hidden = (tables.shares[:, :1, 0] - tables.shares[:, :, 0]) * (tables.svf_free * around.reflectance)
    out = np.empty((cells.size, 12))
    kernel.sum_reflected(cells, horizon, hidden, around.table, out)
    return out


def with_reflection(usable: UsableYear, around: Facades) -> tuple[UsableYear, F8]:
    """Add reflected light to a year; which cells are used stays as it is without.

    Parameters
    ----------
    usable : UsableYear
        Its usual factor is that of `around`.
    around : Facades

    Returns
    -------
    UsableYear
    months : (n, 12) float64
        What was added to each cell [kWh/m2], at the usual factor.
    """
    tables, start = usable.request.tables, usable.request.start
    months = reflected_irradiation(around, tables, usable.request.horizon.joined, usable.request.cells)
    n_group = start.size - 1
    group = np.repeat(np.arange(n_group), np.diff(start))
    used = (usable.shading_loss <= usable.request.max_shading_loss) | (usable.ok_share == 0.0)[group]
    n_used = np.bincount(group[used], minlength=n_group)[:, None]
    total = np.stack([np.bincount(group[used], months[used, m], n_group) for m in range(12)], axis=1)
    mean = np.divide(total, n_used, out=np.zeros_like(total), where=n_used > 0) * (
        usable.request.factor / around.factor
    )
    year_ = usable.year
    poa = year_.poa_kwh_m2 + mean
    annual = usable.annual_kwh_m2 + months.sum(axis=1)
    with np.errstate(invalid="ignore"):
        loss = 1.0 - poa.sum(axis=1) / year_.poa_free_kwh_m2.sum(axis=1)
    brighter = replace(
        year_,
        poa_kwh_m2=poa,
        ac_kwh_kwp=year_.ac_kwh_kwp + mean * marginal_ac(tables, year_.svf / tables.svf_free, around.factor),
        shading_loss=loss,
    )
    free = float(free_year(tables, around.factor).sum())
    return replace(usable, year=brighter, annual_kwh_m2=annual, shading_loss=1.0 - annual / free), months


def marginal_ac(tables: PlaneTables, visible: ArrayLike, factor: ArrayLike) -> F8:
    """AC energy per kWp that a little more diffuse light on the plane brings.

    The slope of the AC polynomial in the visible share of the sky, all suns shining: where they do not, or where the
    inverter limits less, slightly more would be right.

    Parameters
    ----------
    visible : (n,)
        Visible share of the isotropic sky.
    factor : (12,)

    Returns
    -------
    (n, 12) float64
        [kWh/kWp per kWh/m2].
    """
    weights = factor_weights(tables.factors, np.asarray(factor, dtype=np.float64)[None, :])[0]
    power = tables.ac_base + tables.ac_beam[:, 0].sum(axis=0, dtype=np.float64)
    ac = (power.reshape(-1, *weights.shape) * weights).sum(axis=1)
    sky = (tables.poa_isotropic * weights).sum(axis=0)
    slope = -(ac[1] + 2.0 * np.outer(1.0 - np.asarray(visible, dtype=np.float64), ac[2]))
    return np.divide(slope, sky, out=np.zeros_like(slope), where=np.broadcast_to(sky > 0.0, slope.shape))
