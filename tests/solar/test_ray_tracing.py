"""The ray tracer that is the truth of modules, against closed forms and the package's endless rows."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("trimesh", reason="trimesh is not installed: no rays")
pytest.importorskip("embreex", reason="embreex is not installed: rays would take hours")

import ray_tracing as rays
from reference_energy import made_weather
from rooftop.solar.cumulative import ModulePlane, Rows, monthly_kwh, plane_light, plane_tables
from rooftop.solar.energy import cell_year
from rooftop.solar.pvsystem import load_system
from rooftop.solar.sky import SkyYear, sky_year

FAR = rays.box((1e3, 1e3, -2.0), (1e3 + 1.0, 1e3 + 1.0, -1.0))  # below every ray


@pytest.fixture(scope="module")
def sky() -> SkyYear:
    return sky_year(made_weather(), "perez", factors=(0.7, 1.0, 1.3))


def module(
    tilt: float, azimuth: float, x: float = 0.0, y: float = 0.0, z: float = 0.1, length: float = 2.0
) -> np.ndarray:
    """One module (4, 3) of 1 m along its row, its lower edge in the middle at (x, y, z)."""
    t, a = np.radians(tilt), np.radians(azimuth)
    up = np.array([-np.sin(a) * np.cos(t), -np.cos(a) * np.cos(t), np.sin(t)]) * length
    right = np.array([-np.cos(a), np.sin(a), 0.0])
    base = np.array([x, y, z])
    return np.array([base - 0.5 * right, base + 0.5 * right, base + 0.5 * right + up, base - 0.5 * right + up])


@pytest.mark.parametrize(("tilt", "azimuth"), [(0.0, 180.0), (20.0, 180.0), (35.0, 250.0), (60.0, 20.0)])
@pytest.mark.parametrize("north", [0.0, -3.0])
def test_a_free_plane_is_that_of_the_package(sky: SkyYear, tilt: float, azimuth: float, north: float) -> None:
    found = rays.irradiation(FAR, module(tilt, azimuth - north)[None], sky, grid_north_deg=north)
    light = plane_light(sky, ModulePlane(tilt, azimuth), 0.2)
    parts = light.direct + light.circumsolar + light.isotropic + light.band + light.ground
    wanted = monthly_kwh(sky, parts)[1]
    assert found.free == pytest.approx(wanted, rel=1e-4)
    assert found.months[0] == pytest.approx(wanted, rel=1e-3)
    assert found.svf[0] == pytest.approx(0.5 * (1.0 + np.cos(np.radians(tilt))), rel=1e-6)


@pytest.mark.parametrize("height", [1.0, 5.0, 20.0])
def test_an_endless_wall_beside_a_level_point(sky: SkyYear, height: float) -> None:
    wall = rays.box((-5e4, -6.0, 0.0), (5e4, -5.0, height))
    small = np.array([[-0.01, -0.01, 0.0], [0.01, -0.01, 0.0], [0.01, 0.01, 0.0], [-0.01, 0.01, 0.0]])
    found = rays.irradiation(wall, small[None], sky, sampling=rays.Sampling(2, 2, 6000))
    slope = (height - 1e-3) / 5.0
    e, a = np.radians(sky.elevation_deg), np.radians(sky.azimuth_deg)
    clear = (np.tan(e) > slope * np.maximum(-np.cos(a), 0.0)) & (e > 0.0)
    share = 0.5 * (1.0 + np.cos(np.arctan(slope)))
    light = plane_light(sky, ModulePlane(0.0, 180.0), 0.2)
    wanted = monthly_kwh(sky, (light.direct + light.circumsolar) * clear + light.isotropic * share)[1]
    assert found.svf[0] == pytest.approx(share, abs=1e-3)
    assert found.annual[0] == pytest.approx(wanted.sum(), rel=1e-3)
    assert found.months[0] == pytest.approx(wanted, rel=5e-3)


def endless(tilt: float, azimuth: float, pitch: float, length: float) -> tuple[np.ndarray, np.ndarray]:
    """Rows of 600 m, the middle one in modules of 1 m of which three are looked at; and the modules to look at."""
    a = np.radians(azimuth)
    facing = np.array([np.sin(a), np.cos(a), 0.0])
    one = module(tilt, azimuth, length=length)
    right = np.array([-np.cos(a), np.sin(a), 0.0])
    wide = one + np.array([-1.0, 1.0, 1.0, -1.0])[:, None] * 300.0 * right
    rows = np.stack([wide + k * pitch * facing for k in range(-8, 60)])
    return rows, np.stack([one + 0.3 * right, one, one - 1.7 * right])


@pytest.mark.parametrize(
    ("tilt", "azimuth", "pitch"), [(15.0, 180.0, 3.5), (30.0, 180.0, 3.0), (20.0, 140.0, 3.2), (25.0, 90.0, 3.6)]
)
def test_long_rows_are_those_of_the_package(sky: SkyYear, tilt: float, azimuth: float, pitch: float) -> None:
    rows, middle = endless(tilt, azimuth, pitch, 2.278)
    behind = Rows(2.278, pitch)
    sampling = rays.Sampling(along=2, up=16)
    found = rays.irradiation(rays.rectangles(rows), middle, sky, rows=behind, sampling=sampling)
    tables = plane_tables(sky, ModulePlane(tilt, azimuth, "rack", behind), load_system("default"))
    wanted = cell_year(tables, np.zeros((1, 72), np.float32), np.ones(12))[0]
    assert found.annual == pytest.approx(np.full(3, wanted), rel=2e-3)
    coarse = rays.irradiation(rays.rectangles(rows), middle, sky, rows=behind)
    assert coarse.annual == pytest.approx(found.annual, rel=2e-3)


def test_binned_suns_are_the_suns(sky: SkyYear) -> None:
    blocks = [rays.box((x, -9.0, 0.0), (x + 2.0, -7.0, 3.0 + x % 4.0)) for x in range(-20, 20, 5)]
    mesh = rays.joined(blocks)
    modules = np.stack([module(15.0, 170.0, x=x, y=y) for x in range(-8, 9, 4) for y in (-6, -4, 0, 5)])
    every = rays.irradiation(mesh, modules, sky, sampling=rays.Sampling(bin_deg=0.0))
    binned = rays.irradiation(mesh, modules, sky)
    assert every.loss.max() > 0.1
    assert binned.annual == pytest.approx(every.annual, rel=1e-3)
    assert binned.months.sum(axis=0) == pytest.approx(every.months.sum(axis=0), rel=2e-3)
