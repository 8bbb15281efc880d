"""Skylines: both sides of a diagonal kept apart, joined for people, and read by tables side by side."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from accuracy import seeded_city
from reference_energy import made_weather
from rooftop.core.errors import ArgumentError
from rooftop.core.grid import Grid
from rooftop.core.surfaces import SurfaceKind
from rooftop.scene.far import FarObservers, merge_far_field
from rooftop.scene.surface import FarSurface
from rooftop.solar.cumulative import ModulePlane, PlaneTables, plane_tables
from rooftop.solar.energy import cell_months, cell_year, irradiation, usable_year
from rooftop.solar.horizons import Sweep, horizons, skylines
from rooftop.solar.pvsystem import load_system
from rooftop.solar.sky import sky_year
from rooftop.solar.skylines import Skylines

N = 72
ONES = np.ones(12)
DIAGONALS = [9, 27, 45, 63]


@pytest.fixture(scope="module")
def tables() -> PlaneTables:
    sky = sky_year(made_weather(32.0, 118.8), "perez", factors=(0.9, 1.1))
    return plane_tables(sky, ModulePlane(30.0, 90.0, "rack"), load_system(), n_azimuth=N)


def made(n: int = 40, seed: int = 2) -> Skylines:
    """Rough horizons; beyond four azimuths the other side looks quite different."""
    rng = np.random.default_rng(seed)
    degrees = (rng.uniform(0, 60, (n, N + 4)) * (rng.random((n, N + 4)) < 0.6)).astype(np.float32)
    others = np.array([0.5, 0.4, 0.25, 0.1])
    share = np.concatenate([np.ones(N), others])
    share[DIAGONALS] -= others
    return Skylines(degrees, np.array([*range(N), *DIAGONALS]), share)


def each_side(around: Skylines) -> list[tuple[float, np.ndarray]]:
    """The horizons with every choice of sides, and how much each counts."""
    found = []
    for chosen in np.ndindex(2, 2, 2, 2):
        degrees, weight = around.degrees[:, :N].copy(), 1.0
        for k, (azimuth, other) in enumerate(zip(DIAGONALS, chosen, strict=True)):
            share = float(around.share[N + k])
            weight *= share if other else 1.0 - share
            if other:
                degrees[:, azimuth] = around.degrees[:, N + k]
        found.append((weight, degrees))
    return found


def test_light_is_the_mean_of_both_sides(tables: PlaneTables) -> None:
    around = made()
    sides = each_side(around)
    for read in (cell_year, cell_months):
        mean = sum(weight * read(tables, degrees, ONES) for weight, degrees in sides)
        np.testing.assert_allclose(read(tables, around, ONES), mean, rtol=1e-9)
    sky = sky_year(made_weather(32.0, 118.8), "perez", factors=(1.0,))
    light = sum(weight * irradiation(sky, degrees) for weight, degrees in sides)
    np.testing.assert_allclose(irradiation(sky, around), light, rtol=1e-9)


def test_the_year_of_groups_is_the_mean_of_both_sides(tables: PlaneTables) -> None:
    around, factor = made(), np.ones((3, 12))
    cells, start = np.arange(40), np.array([0, 10, 11, 40])
    found = usable_year(tables, around, cells, start, factor)
    np.testing.assert_allclose(found.annual_kwh_m2, cell_year(tables, around, ONES), rtol=1e-9)
    for name in ("poa_kwh_m2", "svf"):
        mean = sum(w * getattr(usable_year(tables, d, cells, start, factor).year, name) for w, d in each_side(around))
        np.testing.assert_allclose(getattr(found.year, name), mean, rtol=1e-6)
    # power is no mean of sides: the inverter sees their light together
    power = sum(w * usable_year(tables, d, cells, start, factor).year.ac_kwh_kwp for w, d in each_side(around))
    np.testing.assert_allclose(found.year.ac_kwh_kwp, power, rtol=2e-3)


def test_equal_sides_are_one_side(tables: PlaneTables) -> None:
    plain = made().degrees[:, :N].copy()
    twice = dataclasses.replace(made(), degrees=np.column_stack([plain, plain[:, DIAGONALS]]))
    np.testing.assert_array_equal(twice.joined, plain)
    cells, start, factor = np.arange(40), np.array([0, 10, 11, 40]), np.ones((3, 12))
    one, two = (usable_year(tables, around, cells, start, factor) for around in (plain, twice))
    np.testing.assert_allclose(two.year.ac_kwh_kwp, one.year.ac_kwh_kwp, rtol=1e-9)
    np.testing.assert_allclose(two.annual_kwh_m2, one.annual_kwh_m2, rtol=1e-12)


def test_joined_sides_leave_the_same_sky() -> None:
    around = made()
    sky = np.cos(np.radians(around.joined[:, DIAGONALS])) ** 2
    each = np.cos(np.radians(around.degrees[:, N:])) ** 2, np.cos(np.radians(around.degrees[:, DIAGONALS])) ** 2
    share = around.share[N:]
    np.testing.assert_allclose(sky, share * each[0] + (1.0 - share) * each[1], atol=1e-6)
    rest = np.setdiff1d(np.arange(N), DIAGONALS)
    np.testing.assert_array_equal(around.joined[:, rest], around.degrees[:, rest])


@pytest.mark.parametrize("north", [0.0, 1.3, -0.4])
@pytest.mark.parametrize("surface", ["prism", "linear"])
def test_skylines_joined_are_horizons(surface: SurfaceKind, north: float) -> None:
    site = seeded_city(200)
    rows, cols = site.cells(300, 1)
    dsm = site.dsm.copy()
    dsm[:20] = np.nan
    rows[:3] = 2  # without data
    apart = skylines(dsm, 1.0, rows, cols, Sweep(surface=surface, grid_north_deg=north))
    plain = horizons(dsm, 1.0, rows, cols, surface=surface, grid_north_deg=north)
    np.testing.assert_array_equal(apart.joined, plain)
    assert np.isnan(apart.degrees[:3]).all()
    assert apart.n_azimuth == N
    assert apart.azimuth.tolist() == [*range(N), *(DIAGONALS if surface == "prism" else [])]
    np.testing.assert_allclose(np.bincount(apart.azimuth, apart.share), 1.0)
    if surface == "prism":
        across = 0.5 * (1.0 - abs(north) / 5.0) ** 2
        np.testing.assert_allclose(apart.share[N:], across)
        unlike = apart.degrees[3:, N:] != apart.degrees[3:, DIAGONALS]
        assert 0.1 < unlike.mean() < 1.0


@pytest.mark.parametrize("north", [0.0, 1.0, -1.0])
def test_a_post_beside_the_diagonal_is_seen_on_its_own_side(north: float) -> None:
    """From (30, 30) to the north-east the ray passes from corner to corner; beside it, every second cell is another."""
    for row, col, northern in ((24, 35, True), (25, 36, False)):
        dsm = np.zeros((60, 60))
        dsm[row, col] = 9.0
        apart = skylines(dsm, 1.0, [30], [30], Sweep(grid_north_deg=north))
        own, other = apart.degrees[0, 9], apart.degrees[0, N]
        # at grid azimuth 45° - north the larger share is the northern one's where the raster is turned east
        seen = other if (northern and north <= 0.0) or (not northern and north > 0.0) else own
        assert seen == pytest.approx(np.degrees(np.arctan(9.0 / (5.5 * np.sqrt(2.0)))), abs=1.2)
        assert min(own, other) == 0.0
        assert apart.share[9] == pytest.approx(1.0 - 0.5 * (1.0 - abs(north) / 5.0) ** 2)


def test_what_stands_beyond_the_window_raises_both_sides() -> None:
    window = Grid(0, 100, 40, 40, 1.0)
    high = np.zeros((60, 60), np.float32)
    high[:, 52:] = 80.0
    around = [Skylines(np.zeros((2, N + 4), np.float32), made().azimuth, made().share) for _ in range(2)]
    around[1].degrees[:, N] = 89.0  # what one side sees hides nothing from the other
    before = [each.degrees.copy() for each in around], [each.joined.copy() for each in around]
    at = np.array([20, 20])
    cells = FarObservers(row=at, col=at, roof=np.array([0, 0]), z_m=np.zeros(2))
    far = FarSurface(Grid(-10, 110, 60, 60, 1.0), high)
    near, around = around, [merge_far_field(each, window, (far,), cells) for each in around]
    for k in range(2):  # what went in stays as it was, and what was joined before is no longer taken for the new
        np.testing.assert_array_equal(near[k].degrees, before[0][k])
        np.testing.assert_array_equal(near[k].joined, before[1][k])
        assert (around[k].joined != near[k].joined).any()
    raised = around[0].degrees
    np.testing.assert_array_equal(raised[:, N:], raised[:, DIAGONALS])
    assert (raised[:, [9, 27]] > 40.0).all() and (raised[:, [45, 63]] == 0.0).all()
    assert (around[1].degrees[:, N] == 89.0).all()
    np.testing.assert_array_equal(np.delete(around[1].degrees, N, axis=1), np.delete(raised, N, axis=1))


def test_horizons_that_do_not_fit_are_refused(tables: PlaneTables) -> None:
    with pytest.raises(ArgumentError, match="36"):
        cell_year(tables, Skylines.from_degrees(np.zeros((3, 36), np.float32)), ONES)
    with pytest.raises(ArgumentError, match="2, 3, 36"):
        irradiation(made_weather(32.0, 118.8), np.zeros((2, 3, 36)))
    around = made()
    around.degrees[3, N + 1] = np.nan
    with pytest.raises(ArgumentError):
        usable_year(tables, around, np.arange(40), np.array([0, 40]), np.ones((1, 12)))
