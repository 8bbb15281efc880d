"""A window with its ring and far surface against the whole city: nothing far away is lost, nothing is made wider."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from numpy.typing import NDArray

import accuracy
import reference_suns
from rooftop.energy import irradiation
from rooftop.grid import Grid
from rooftop.scene.far import RING_M, far_field, reach_m, ring_surface
from rooftop.scene.surface import Blocks, FarSurface, far_surface

HALO, TILE = 200, 256
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


def far_scene(dsm: F8, top: int, left: int) -> tuple[Grid, FarSurface, FarSurface]:
    """Window around a tile of `TILE` cells, its ring, and the coarse surface of everything."""
    ny, nx = dsm.shape
    window = Grid(left - HALO, ny - top + HALO, TILE + 2 * HALO, TILE + 2 * HALO, 1.0)
    everything = Blocks(np.array([shapely.box(0, 0, nx, ny)]), np.zeros(1), np.zeros(1))
    none = Blocks(np.empty(0, dtype=object), np.zeros(0), np.zeros(0))
    ring = ring_surface(window, none, shapely.STRtree([]), None, Raster(dsm))
    return window, ring, far_surface(everything, None, Raster(dsm), None, 0.0)


def test_window_loses_nothing_of_the_whole_city() -> None:
    site = accuracy.seeded_city(1200)
    top, left = 480, 460
    rows, cols = np.nonzero(site.roof[top : top + TILE, left : left + TILE])
    chosen = np.sort(np.random.default_rng(4).choice(rows.size, 300, replace=False))
    rows, cols = rows[chosen] + top, cols[chosen] + left
    window, ring, far = far_scene(site.dsm, top, left)
    fine = site.dsm[top - HALO : top + TILE + HALO, left - HALO : left + TILE + HALO]
    azimuth = np.arange(72) * 5.0
    place, part = (reference_suns.scene(dsm, 1.0, "prism") for dsm in (site.dsm, fine))
    at = rows - top + HALO, cols - left + HALO
    whole = reference_suns.horizons(place, rows, cols, azimuth)
    near = reference_suns.horizons(part, *at, azimuth)
    beyond, observer = far_field(window, ring, far, *at, np.zeros(rows.size, np.int64), site.dsm[rows, cols], 72)
    merged = np.maximum(near, beyond[observer])
    sky = accuracy.skies(site.latitude, site.longitude)[0]
    for tilt, gate in ((0.0, 0.0002), (30.0, 0.0003)):
        free, all_of_it, alone, found = (
            irradiation(sky, h, tilt, 180.0)["poa_global"].groupby("point").sum().to_numpy()
            for h in (np.zeros((1, 72)), whole, near, merged)
        )
        error = (found - all_of_it) / free[0]
        assert ((alone - all_of_it) / free[0]).mean() > 3 * gate  # without the far field it would be missed
        assert np.abs(error).mean() <= gate
        assert abs(error.mean()) <= gate / 2
        assert np.abs(error).max() <= 0.004


def test_reach_ends_at_the_windows_edge() -> None:
    window = Grid(10, 40, 20, 30, 2.0)  # x 20 to 80, y 40 to 80
    found = reach_m(window, np.array([30.0, 90.0]), np.array([50.0, 60.0]), 8)
    np.testing.assert_allclose(found[0], [30, 30 * 2**0.5, 50, 10 * 2**0.5, 10, 10 * 2**0.5, 10, 10 * 2**0.5])
    assert found[1, 2] == 1.0 and found[1, 6] == 70.0
    turned = reach_m(window, np.array([30.0]), np.array([50.0]), 8, 45.0)
    np.testing.assert_allclose(turned[0], np.roll(found[0], 1))


def test_ring_takes_heights_at_cell_centres_and_ends_after_a_kilometre() -> None:
    shape = np.array([shapely.box(1204.0, 1000.0, 1220.0, 1016.0), shapely.box(3000.0, 1000.0, 3020.0, 1020.0)])
    stands = Blocks(shape, np.array([30.0, 90.0]), np.zeros(2))
    ring = ring_surface(Grid(900, 1100, 200, 200, 1.0), stands, shapely.STRtree(shape), None, None)
    assert ring.elevation_m.max() == 30.0  # the other stands further than RING_M from the window
    assert (ring.elevation_m == 30.0).sum() * ring.grid.cell_size_m**2 == 256.0  # as large as it is
    assert ring.grid.bounds[2] == pytest.approx(1100.0 + RING_M, abs=4.0)
