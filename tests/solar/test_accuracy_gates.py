"""The accuracy gates: horizons and energy of roof cells against a brute force over every sun of the year.

Real scenes with 2 000 cells each; the same table for more scenes: ``benchmarks/accuracy.py``.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import accuracy
import reference_horizon
import reference_suns
from accuracy import PLANES, SURFACES, Site
from reference_suns import Plane
from rooftop.core.surfaces import SurfaceKind
from rooftop.solar.horizons import horizons

FEW_PLANES = (PLANES[0], PLANES[4], PLANES[5])
both_surfaces = pytest.mark.parametrize("surface", SURFACES)


@pytest.fixture(scope="module")
def city() -> Site:
    return accuracy.seeded_city(300)


# The brute force itself ------------------------------------------------------------------------------------------


@both_surfaces
def test_marched_horizon_is_that_of_sorted_crossings(city: Site, surface: SurfaceKind) -> None:
    dsm = accuracy.noisy(city).dsm[:150, :131].copy()
    dsm[40:60, 100:110] = np.nan
    known = np.argwhere(np.isfinite(dsm))
    rows, cols = known[np.random.default_rng(1).choice(len(known), 30, replace=False)].T
    place = reference_suns.scene(dsm, 0.5, surface)
    one = reference_horizon.horizon_prism if surface == "prism" else reference_horizon.horizon_linear
    azimuths = np.append(np.arange(8) * 45.0, np.random.default_rng(2).uniform(0.0, 360.0, 25))
    expected = [[one(dsm, 0.5, int(r), int(c), a, 0.3) for a in azimuths] for r, c in zip(rows, cols, strict=True)]
    assert np.max(expected) > 60.0
    np.testing.assert_allclose(reference_suns.horizons(place, rows, cols, azimuths, 0.3), expected, atol=1e-9)


def test_counted_sky_is_that_of_counted_directions() -> None:
    rng = np.random.default_rng(3)
    horizon = np.repeat(rng.uniform(0.0, 50.0, (4, 12)), 60, axis=1)
    azimuth = (np.arange(720) + 0.5) / 2.0
    for plane in (Plane(0.0, 180.0), Plane(30.0, 77.0)):
        sky, _ = reference_suns.sky_seen(horizon, np.asarray(azimuth, np.float64), plane)
        free = 0.5 + 0.5 * np.cos(np.radians(plane.tilt))
        counted = reference_horizon.sky_view(horizon, plane.tilt, plane.azimuth)
        np.testing.assert_allclose(sky * free, counted, atol=2e-3)


def test_a_lone_tower_takes_the_suns_behind_it() -> None:
    """Nothing but the suns inside the tower's outline is lost of the beam."""
    dsm = np.zeros((201, 201))
    dsm[130:141, 90:111] = 60.0  # 29.5 m south of the eye, 21 m wide
    place = reference_suns.scene(dsm, 1.0, "prism")
    sky = accuracy.skies(32.07, 118.8)[1]
    cell = np.array([100])
    shaded, free, svf = reference_suns.year(place, cell, cell, [sky], [Plane(0.0, 180.0)])
    azimuth, elevation = np.radians(sky.azimuth_deg - 180.0), np.radians(sky.elevation_deg)
    face = 29.5 / np.cos(azimuth)  # how far the ray runs until it meets the plane of the southern face
    in_face = (np.cos(azimuth) > 0.0) & (np.abs(29.5 * np.tan(azimuth)) < 10.5)
    side = 10.5 / np.maximum(np.abs(np.sin(azimuth)), 1e-9)
    at_side = ~in_face & (np.cos(azimuth) > 0.0) & (side * np.cos(azimuth) > 29.5) & (side * np.cos(azimuth) < 40.5)
    hidden = (in_face & (np.tan(elevation) * face < 60.0)) | (at_side & (np.tan(elevation) * side < 60.0))
    hidden &= sky.elevation_deg > 0.0
    beam = (sky.beam[0] * np.maximum(np.sin(elevation), 0.0)) * sky.duration_h / 1000.0
    diffuse = sky.isotropic[0].sum() * sky.duration_h / 1000.0
    assert hidden.sum() > 1000
    assert shaded[0, 0, 0].sum() == pytest.approx(beam[~hidden].sum() + diffuse * svf[0], rel=1e-9)
    assert free[0, 0].sum() == pytest.approx(beam.sum() + diffuse, rel=1e-9)


def test_linear_horizons_are_those_of_sorted_crossings(city: Site) -> None:
    """The product's `linear` against all crossings of a ray with the grid lines, in float64; stands in for whitebox."""
    dsm = accuracy.noisy(city).dsm
    rows, cols = np.random.default_rng(7).integers(5, 295, (2, 40))
    one = reference_horizon.horizon_linear
    expected = np.array(
        [[one(dsm, 1.0, int(r), int(c), 5.0 * k) for k in range(72)] for r, c in zip(rows, cols, strict=True)]
    )
    error = np.abs(horizons(dsm, 1.0, rows, cols, surface="linear") - expected)
    assert np.quantile(expected, 0.9) > 20.0
    assert np.median(error) < 1e-3
    assert error.mean() < 0.05
    near = np.array([[one(window(dsm, r, c), 1.0, 45, 45, 5.0 * k) for k in range(72)] for r, c in NEAR_CELLS])
    rows, cols = np.array(NEAR_CELLS).T
    found = np.stack([horizons(window(dsm, r, c), 1.0, [45], [45], surface="linear")[0] for r, c in NEAR_CELLS])
    assert np.abs(found - near).max() < 2e-3  # within the stencil every ray is exact


NEAR_CELLS = [(100, 100), (140, 200), (201, 120), (230, 77), (160, 161), (90, 222)]


def window(dsm: accuracy.F8, row: int, col: int) -> accuracy.F8:
    """The 91 x 91 cells around one: nothing lies beyond the near field of any direction."""
    return dsm[row - 45 : row + 46, col - 45 : col + 46].copy()


def test_linear_surface_is_whiteboxs(tmp_path: Path, city: Site) -> None:
    """WhiteboxTools' horizon angle, where the package is installed (no dependency, not in the lock)."""
    whitebox = pytest.importorskip("whitebox_workflows")
    import rasterio
    from rasterio.transform import from_origin

    dsm = accuracy.noisy(city).dsm.astype(np.float32)
    shape = {"height": 300, "width": 300, "count": 1, "dtype": "float32", "crs": "EPSG:32650"}
    with rasterio.open(
        tmp_path / "dsm.tif", "w", driver="GTiff", transform=from_origin(670000, 3550000, 1, 1), **shape
    ) as out:
        out.write(dsm, 1)
    place = reference_suns.scene(dsm, 1.0, "linear")
    environment = whitebox.WbEnvironment()
    source = environment.read_raster(str(tmp_path / "dsm.tif"))
    rows, cols = np.random.default_rng(7).integers(5, 295, (2, 800))
    for azimuth in (0.0, 20.0, 45.0, 90.0, 135.0, 200.0, 290.0, 333.0):
        path = tmp_path / f"{azimuth:g}.tif"
        environment.write_raster(environment.horizon_angle(source, azimuth=azimuth, max_dist=1000.0), str(path))
        with rasterio.open(path) as raster:
            theirs = np.maximum(raster.read(1)[rows, cols].astype(np.float64), 0.0)
        ours = reference_suns.horizons(place, rows, cols, np.array([azimuth]))[:, 0]
        assert np.median(np.abs(theirs - ours)) < 1e-3
        assert np.abs(theirs - ours).mean() < 0.01


# The gates -------------------------------------------------------------------------------------------------------


@both_surfaces
def test_seeded_city_meets_the_gates(city: Site, surface: SurfaceKind) -> None:
    found = accuracy.compare(city, surface, 250)
    assert found.loss.mean() > 0.02 and found.loss.max() > 0.25  # there is something to get wrong
    assert found.misses() == []


@pytest.mark.parametrize("grid_north_deg", [0.3, -1.2])
def test_seeded_city_turned_against_north_meets_the_gates(city: Site, grid_north_deg: float) -> None:
    """Meridian convergence turns every ray out of the raster's diagonals, by little: both sides still count."""
    found = accuracy.compare(city, "prism", 250, planes=FEW_PLANES, grid_north_deg=grid_north_deg)
    assert found.misses() == []
    diagonal = np.abs((np.arange(72) * 5.0 - grid_north_deg) % 90.0 - 45.0) < 2.5
    assert diagonal.sum() == 4
    assert np.abs(found.horizon_error_deg[:, diagonal]).mean() < 0.1


def test_kept_horizons_of_the_seeded_city_meet_the_gates(city: Site) -> None:
    """The pipeline's own way: skylines, both sides of a diagonal apart."""
    assert accuracy.compare(city, "prism", 250, planes=FEW_PLANES, kept=True).misses() == []


@pytest.fixture(scope="module")
def bench_folder(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bench")
    program = shared_data.parent / "bench" / "make_dsm.py"
    subprocess.run([sys.executable, str(program), str(folder), "1000"], check=True, capture_output=True)
    return folder


@pytest.mark.real
@both_surfaces
def test_bench_city_meets_the_gates(bench_folder: Path, surface: SurfaceKind) -> None:
    assert accuracy.compare(accuracy.bench_city(bench_folder), surface, 2000).misses() == []


@pytest.mark.real
@both_surfaces
def test_bench_city_with_noise_meets_the_gates(bench_folder: Path, surface: SurfaceKind) -> None:
    assert accuracy.compare(accuracy.noisy(accuracy.bench_city(bench_folder)), surface, 2000).misses() == []


@pytest.mark.real
@both_surfaces
def test_goteborg_meets_the_gates(shared_data: Path, surface: SurfaceKind) -> None:
    assert accuracy.compare(accuracy.goteborg(shared_data), surface, 2000).misses() == []


@pytest.mark.real
@both_surfaces
def test_delft_meets_the_gates(shared_data: Path, surface: SurfaceKind) -> None:
    assert accuracy.compare(accuracy.delft(shared_data), surface, 2000).misses() == []


@pytest.mark.real
def test_delft_turned_against_north_meets_the_gates(shared_data: Path) -> None:
    found = accuracy.compare(accuracy.delft(shared_data), "prism", 2000, planes=FEW_PLANES, grid_north_deg=0.3)
    assert found.misses() == []


@pytest.mark.real
def test_kept_horizons_of_delft_meet_the_gates(shared_data: Path) -> None:
    assert accuracy.compare(accuracy.delft(shared_data), "prism", 2000, kept=True).misses() == []
