"""AC yield behind horizons of cities, against the simulation of every sun behind the same: cells and whole roofs."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage

import accuracy
from accuracy import Site
from reference_energy import simulate
from rooftop.solar.energy import ModulePlane, plane_tables, plane_year
from rooftop.solar.horizons import horizons, sky_view
from rooftop.solar.hourly import hourly_series, hourly_tables
from rooftop.solar.pvsystem import load_system
from rooftop.solar.sky import SkyYear
from rooftop.weather import Weather

F4 = NDArray[np.float32]
I8 = NDArray[np.int64]
GATE = 0.002
RATIOS = (1.2, 1.3, 1.6)  # DC/AC, the first is the shipped one
PLANES = ((1.3, 20.0, 180.0), (1.6, 30.0, 100.0))  # DC/AC ratio, tilt, azimuth


def shaded_cells(site: Site, n: int) -> F4:
    """Horizons of `n` cells, evenly from a sky view of 0.6 to a free sky; on the ground too, where roofs lie open."""
    rows, cols = np.nonzero(np.isfinite(site.dsm))
    chosen = np.random.default_rng(6).choice(rows.size, 400, replace=False)
    around = horizons(site.dsm, site.cell, rows[chosen], cols[chosen])
    seen = sky_view(around)
    order = np.argsort(seen)
    order = order[seen[order] >= 0.58]
    return around[order[np.linspace(0, order.size - 1, n).round().astype(int)]]


def errors(
    weather: Weather, sky: SkyYear, around: F4, ratio: float, tilt: float, azimuth: float
) -> NDArray[np.float64]:
    """Errors (n,) of annual AC, as shares of each cell's own simulated yield."""
    system = dataclasses.replace(load_system(), dc_ac_ratio=ratio)
    n = len(around)
    tables = plane_tables(sky, ModulePlane(tilt, azimuth, "rack"), system)
    found = plane_year(tables, around, np.arange(n), n, np.ones((n, 12))).ac_kwh_kwp.sum(axis=1)
    truth = np.array([one.ac.sum() for one in simulate(weather, tilt, azimuth, around, system)])
    result: NDArray[np.float64] = found / truth - 1.0
    return result


@pytest.mark.parametrize("plane", PLANES)
def test_cells_of_the_seeded_city(weather: Weather, sky: SkyYear, plane: tuple[float, float, float]) -> None:
    around = shaded_cells(accuracy.seeded_city(300), 8)
    assert sky_view(around).min() < 0.65
    assert np.abs(errors(weather, sky, around, *plane)).max() < GATE / 2


@pytest.mark.real
@pytest.mark.parametrize("plane", PLANES)
def test_cells_of_delft(weather: Weather, sky: SkyYear, shared_data: Path, plane: tuple[float, float, float]) -> None:
    around = shaded_cells(accuracy.delft(shared_data), 12)
    assert sky_view(around).min() < 0.65
    assert np.abs(errors(weather, sky, around, *plane)).max() < GATE / 2


def roofs(site: Site, n: int, n_cell: int) -> tuple[F4, I8]:
    """Horizons of `n_cell` cells of each of `n` roofs, and the roofs that they belong to."""
    number, _ = ndimage.label(site.roof & np.isfinite(site.dsm))
    size = np.bincount(number.ravel())
    large = np.flatnonzero((size > 60) & (size < 3000))
    rng = np.random.default_rng(8)
    cells = []
    for roof in rng.choice(large[large > 0], n, replace=False):
        place = np.argwhere(number == roof)
        cells.append(place[np.sort(rng.choice(len(place), n_cell, replace=False))])
    rows, cols = np.concatenate(cells).T
    return horizons(site.dsm, site.cell, rows, cols), np.repeat(np.arange(n), n_cell)


def roof_errors(weather: Weather, sky: SkyYear, site: Site, n: int, ratio: float) -> tuple[list[float], list[float]]:
    """Errors of a roof's annual AC where its cells share one inverter: by tables, hour by hour."""
    system, plane = dataclasses.replace(load_system(), dc_ac_ratio=ratio), ModulePlane(10.0, 180.0, "rack")
    around, roof = roofs(site, n, 20)
    yearly = plane_year(plane_tables(sky, plane, system), around, roof, n, np.ones((n, 12))).ac_kwh_kwp.sum(axis=1)
    hourly = hourly_series(hourly_tables(sky, plane, system=system), around, group=roof).monthly_kwh_kwp().sum(axis=1)
    truth = [simulate(weather, 10.0, 180.0, around[roof == k], system)[0].pooled.sum() for k in range(n)]
    return [a / b - 1.0 for a, b in zip(yearly, truth, strict=True)], [
        a / b - 1.0 for a, b in zip(hourly, truth, strict=True)
    ]


@pytest.mark.parametrize("ratio", RATIOS)
def test_roofs_of_the_seeded_city(weather: Weather, sky: SkyYear, ratio: float) -> None:
    by_tables, by_hours = roof_errors(weather, sky, accuracy.seeded_city(300), 3, ratio)
    assert np.abs(by_tables).max() < GATE
    assert np.abs(by_hours).max() < GATE / 4


@pytest.mark.real
@pytest.mark.parametrize("ratio", RATIOS)
def test_roofs_of_delft(weather: Weather, sky: SkyYear, shared_data: Path, ratio: float) -> None:
    """Half in shade, the lit cells of a roof may give its inverter more than if all were lit."""
    by_tables, by_hours = roof_errors(weather, sky, accuracy.delft(shared_data), 8, ratio)
    assert np.abs(by_tables).max() < GATE
    assert np.abs(by_hours).max() < GATE / 4
