"""A window with its ring and far surface against the whole city: nothing far away is lost, nothing is made wider."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import shapely
from numpy.typing import NDArray
from scipy import ndimage

import accuracy
import reference_suns
from rooftop.core.grid import Grid
from rooftop.scene.far import RINGS, FarObservers, merge_far_field, reach_m, ring_surfaces
from rooftop.scene.surface import FAR_CELL_M, Blocks, FarSurface, far_surface
from rooftop.solar.energy import irradiation
from rooftop.solar.skylines import Skylines

HALO, TILE = 200, 256
GATE = 0.0002
PLANES = ((0.0, 180.0), (10.0, 180.0), (30.0, 180.0), (30.0, 90.0), (30.0, 0.0))
F8 = NDArray[np.float64]


class Raster:
    """An elevation source over an array at 1 m whose south-west corner is the origin; the nearest cell counts."""

    def __init__(self, dsm: F8) -> None:
        self.dsm = dsm

    def window(self, x_min: float, y_max: float, cell_size_m: float, n_rows: int, n_cols: int) -> NDArray[np.float32]:
        ny, nx = self.dsm.shape
        r = np.floor(ny - y_max + (np.arange(n_rows) + 0.5) * cell_size_m).astype(int)
        c = np.floor(x_min + (np.arange(n_cols) + 0.5) * cell_size_m).astype(int)
        out = np.full((n_rows, n_cols), np.nan, dtype=np.float32)
        known = np.ix_((r >= 0) & (r < ny), (c >= 0) & (c < nx))
        out[known] = self.dsm[np.ix_(r[(r >= 0) & (r < ny)], c[(c >= 0) & (c < nx)])]
        return out


def far_scene(dsm: F8, top: int, left: int) -> tuple[Grid, tuple[FarSurface, ...], FarSurface]:
    """Window around a tile of `TILE` cells, its rings, and the coarse surface of everything."""
    ny, nx = dsm.shape
    window = Grid(left - HALO, ny - top + HALO, TILE + 2 * HALO, TILE + 2 * HALO, 1.0)
    everything = Blocks(np.array([shapely.box(0, 0, nx, ny)]), np.zeros(1), np.zeros(1))
    none = Blocks(np.empty(0, dtype=object), np.zeros(0), np.zeros(0))
    rings = ring_surfaces(window, none, shapely.STRtree([]), None, Raster(dsm))
    return window, rings, far_surface(everything, None, Raster(dsm), None, 0.0)


def window_errors(site: accuracy.Site, top: int, left: int, n: int) -> tuple[F8, F8]:
    """Errors (plane, n) of annual energy of cells of one tile, as shares of the free plane's: merged, window alone.

    Exact rays everywhere but beyond the window. All roof cells of the tile take part in sharing observers, `n` are
    looked at.
    """
    roofs, _ = ndimage.label(site.roof)
    rows, cols = np.nonzero(site.roof[top : top + TILE, left : left + TILE])
    rows, cols = rows + top, cols + left
    chosen = np.sort(np.random.default_rng(4).choice(rows.size, n, replace=False))
    window, rings, far = far_scene(site.dsm, top, left)
    fine = site.dsm[top - HALO : top + TILE + HALO, left - HALO : left + TILE + HALO]
    azimuth = np.arange(0.0, 360.0, 5.0)
    place, part = (reference_suns.scene(dsm, 1.0, "prism") for dsm in (site.dsm, fine))
    at = rows - top + HALO, cols - left + HALO
    whole = reference_suns.horizons(place, rows[chosen], cols[chosen], azimuth)
    near = reference_suns.horizons(part, at[0][chosen], at[1][chosen], azimuth).astype(np.float32)
    merged = np.zeros((rows.size, 72), dtype=np.float32)
    merged[chosen] = near
    roof = roofs[rows, cols].astype(np.int64)
    cells = FarObservers(row=at[0], col=at[1], roof=roof, z_m=site.dsm[rows, cols])
    merged = merge_far_field(Skylines.from_degrees(merged), window, (*rings, far), cells).degrees
    sky = accuracy.skies(site.latitude, site.longitude)[0]
    errors = []
    for plane in PLANES:
        free, all_of_it, found, alone = (
            irradiation(sky, h, *plane)["poa_global"].groupby("point").sum().to_numpy()
            for h in (np.zeros((1, 72)), whole, merged[chosen], near)
        )
        errors.append(((found - all_of_it) / free[0], (alone - all_of_it) / free[0]))
    merged_errors, alone_errors = (np.stack(part) for part in zip(*errors, strict=True))
    return merged_errors, alone_errors


def test_window_loses_nothing_of_the_whole_city() -> None:
    """0.02 % on average over cells, on every plane."""
    error, alone = window_errors(accuracy.seeded_city(1200), 480, 460, 600)
    assert alone.mean(axis=1).min() > 0.0005  # without the far field this would be missed
    assert np.abs(error).mean(axis=1).max() <= GATE
    assert np.abs(error).max() <= 0.004


@pytest.mark.real
@pytest.mark.parametrize("top,left", [(500, 500), (1500, 2000), (2600, 900), (3200, 3300)])
def test_window_loses_nothing_of_the_bench_city(bench_4000: accuracy.Site, top: int, left: int) -> None:
    error, alone = window_errors(bench_4000, top, left, 2000)
    assert alone.mean(axis=1).min() > 0.0005
    assert np.abs(error).mean(axis=1).max() <= GATE
    assert np.abs(error.mean(axis=1)).max() <= GATE / 2


@pytest.fixture(scope="module")
def bench_4000(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> accuracy.Site:
    folder = tmp_path_factory.mktemp("bench")
    program = shared_data.parent / "bench" / "make_dsm.py"
    subprocess.run([sys.executable, str(program), str(folder), "4000"], check=True, capture_output=True)
    return accuracy.bench_city(folder, 4000)


def test_reach_ends_at_the_windows_edge() -> None:
    window = Grid(10, 40, 20, 30, 2.0)  # x 20 to 80, y 40 to 80
    found = reach_m(window, np.array([30.0, 90.0]), np.array([50.0, 60.0]), 8)
    np.testing.assert_allclose(found[0], [30, 30 * 2**0.5, 50, 10 * 2**0.5, 10, 10 * 2**0.5, 10, 10 * 2**0.5])
    assert found[1, 2] == 1.0 and found[1, 6] == 70.0
    turned = reach_m(window, np.array([30.0]), np.array([50.0]), 8, 45.0)
    np.testing.assert_allclose(turned[0], np.roll(found[0], 1))


def test_rings_take_heights_at_cell_centres_and_end_after_a_kilometre() -> None:
    shape = np.array([shapely.box(1204.0, 1000.0, 1220.0, 1016.0), shapely.box(3000.0, 1000.0, 3020.0, 1020.0)])
    stands = Blocks(shape, np.array([30.0, 90.0]), np.zeros(2))
    rings = ring_surfaces(Grid(900, 1100, 200, 200, 1.0), stands, shapely.STRtree(shape), None, None)
    for ring, (cell, reach) in zip(rings, RINGS, strict=True):
        assert ring.elevation_m.max() == 30.0  # the other stands further from the window
        assert (ring.elevation_m == 30.0).sum() * ring.grid.cell_size_m**2 == 256.0  # as large as it is
        assert ring.grid.cell_size_m == cell
        assert ring.grid.bounds[2] == pytest.approx(1100.0 + reach, abs=4.0)


def test_far_surface_of_a_huge_data_set_is_coarser() -> None:
    shape = np.array([shapely.box(0, 0, 60_000, 1), shapely.box(0, 0, 1, 60_000)])
    far = far_surface(Blocks(shape, np.ones(2), np.zeros(2)), None, None, None, 0.0)
    assert far.grid.cell_size_m == 2 * FAR_CELL_M
