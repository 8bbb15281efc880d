"""Modules lie on their plane by the returns of the laser, and windows, dormers and edges take those that do not."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import shapely

from rooftop.scene.relief import Relief
from rooftop.scene.uneven import ReturnsOnPlane, returns_on_planes

TILT, SLOPE = 40.0, float(np.tan(np.radians(40.0)))


def scattered(seed: int = 0) -> np.ndarray:
    """Ten returns on a square metre of 10 x 6 m, in plan."""
    return np.random.default_rng(seed).uniform((0.0, 0.0), (10.0, 6.0), (600, 2))


def relief() -> Relief:
    """A plane that falls to the south, its middle 8 m high."""
    table = pd.DataFrame(
        {"roof": [0], "surface_tilt_deg": [TILT], "surface_azimuth_deg": [180.0], "z_m": [8.0],
         "geometry": [shapely.box(0, 0, 10, 6)]}
    )  # fmt: skip
    return Relief.from_planes(table, np.zeros(1), 0.3)


def modules() -> np.ndarray:
    """Five in a row, 2 m wide and 1 m deep, then five above them."""
    corner = np.array([[2.0 * i, 1.0 + 1.5 * j] for j in range(2) for i in range(5)])
    return corner[:, None] + np.array([[0.0, 0.0], [1.9, 0.0], [1.9, 1.0], [0.0, 1.0]])


@pytest.mark.parametrize("offset_m", [0.0, 0.7, -40.0])
def test_a_window_takes_the_module_over_it_and_no_other(offset_m: float) -> None:
    """Through a pane of 1 x 1 m half of the returns come from the room; a datum apart as a whole changes nothing."""
    xy = scattered()
    noise = np.random.default_rng(1).normal(0.0, 0.04, len(xy))
    z = 8.0 + SLOPE * (xy[:, 1] - 3.0) + noise + offset_m
    pane = shapely.contains_xy(shapely.box(4.4, 1.0, 5.4, 2.0), xy[:, 0], xy[:, 1])
    z[pane] -= np.where(np.arange(pane.sum()) % 4 > 0, 1.5, 0.0)
    found = returns_on_planes(relief(), np.zeros(len(xy), dtype=np.int64), (xy[:, 0], xy[:, 1], z), 0.3)[0]
    assert found.off.sum() == pytest.approx(0.75 * pane.sum(), abs=2)
    assert found.on_plane(modules(), 0.25).tolist() == [k != 2 for k in range(10)]
    clear = found.around_off(0.25)
    assert clear.area < 1.6 * 1.6 and shapely.intersection(clear, shapely.box(4.4, 1.0, 5.4, 2.0)).area > 0.5


def test_an_even_plane_keeps_all_and_nothing_known_takes_none() -> None:
    xy = scattered(3)
    z = 8.0 + SLOPE * (xy[:, 1] - 3.0)
    found = returns_on_planes(relief(), np.zeros(len(xy), dtype=np.int64), (xy[:, 0], xy[:, 1], z), 0.3)[0]
    assert not found.off.any() and found.on_plane(modules(), 0.25).all() and found.around_off(0.25).is_empty
    elsewhere = ReturnsOnPlane(xy=xy + 100.0, off=np.ones(len(xy), dtype=bool))
    assert elsewhere.on_plane(modules(), 0.25).all()
    assert returns_on_planes(relief(), np.zeros(0, dtype=np.int64), (z[:0], z[:0], z[:0]), 0.3) == {}


def test_a_share_of_a_quarter_is_the_limit() -> None:
    """Eight returns in each of two modules, two and three of them off."""
    one = np.stack(np.meshgrid(np.linspace(0.2, 1.7, 4), [1.3, 1.7]), axis=-1).reshape(-1, 2)
    xy = np.concatenate([one, one + np.array([2.0, 0.0])])
    off = np.zeros(16, dtype=bool)
    off[[0, 1, 8, 9, 10]] = True
    found = ReturnsOnPlane(xy=xy, off=off)
    assert found.on_plane(modules()[:2], 0.25).tolist() == [True, False]
