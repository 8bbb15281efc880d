"""The year of single modules in whole runs, against rays through the scene: houses, a parapet, a tower, their rows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("trimesh", reason="trimesh is not installed: no rays")
pytest.importorskip("embreex", reason="embreex is not installed: rays would take hours")

import rasterio
from pyproj import CRS, Transformer

import rooftop
from module_scenes import NAMES, ORIGIN, WORKING_CRS, grid_north_deg, write_scene
from module_truth import Comparison, Placed, above_roof, behind, compare, read_modules, scene_sky, traced
from rooftop.inputs.datums import meridian_convergence_deg

ENERGY, RMS, WORST = 1.0, 3.0, 8.0
"""Of a roof, of its modules, of any module [%]."""


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_modules_receive_what_rays_say(name: str, tmp_path: Path) -> None:
    scene = write_scene(name, tmp_path / "in")
    rooftop.run(scene.config, tmp_path / "out", workers=1)
    placed = read_modules(scene, tmp_path / "out")
    assert above_roof(scene, placed) == pytest.approx(0.1, abs=5e-3)
    found = compare(placed, traced(scene, placed, *scene_sky(scene)))
    said = "\n".join(map(str, found))
    print(said)
    assert {line.roof for line in found} == set(scene.roof_z)
    assert "poa_kwh_m2" in placed.table, f"modules.parquet has no irradiation of single modules\n{said}"
    for line in found:
        assert not line.missing, said
        assert abs(line.energy_error) < ENERGY, said
        assert line.rms < RMS and abs(line.worst) < WORST, said


def test_the_surface_model_of_the_parapet_is_its_mesh(tmp_path: Path) -> None:
    scene = write_scene("parapet", tmp_path)
    with rasterio.open(tmp_path / "dsm.tif") as dsm:
        heights, left, top = dsm.read(1), dsm.transform.c - ORIGIN[0], dsm.transform.f - ORIGIN[1]
        cell = dsm.transform.a
    row, col = np.nonzero(heights > 0.0)
    eyes = np.column_stack([left + (col + 0.5) * cell, top - (row + 0.5) * cell, np.full(len(row), 100.0)])
    hit, ray, _ = scene.solids.ray.intersects_location(
        eyes, np.tile([0.0, 0.0, -1.0], (len(eyes), 1)), multiple_hits=False
    )
    assert len(ray) == len(eyes) == 120 * 80
    assert hit[np.argsort(ray), 2] == pytest.approx(heights[row, col], abs=1e-3)


def test_grid_north_is_that_of_the_package() -> None:
    lon, lat = Transformer.from_crs(WORKING_CRS, 4326, always_xy=True).transform(*ORIGIN)
    assert grid_north_deg() == pytest.approx(meridian_convergence_deg(CRS(WORKING_CRS), [lon], [lat])[0], abs=1e-3)
    assert grid_north_deg() == pytest.approx((lon - 120.0) * np.sin(np.radians(lat)), abs=2e-3)


def one_roof(**columns: list[float]) -> Placed:
    """Four modules, of which three count."""
    table = pd.DataFrame(
        {
            "building_id": "a",
            "plane_id": "a-1",
            "counted": [True, True, True, False],
            "mean_poa_kwh_m2": 990.0,
            **columns,
        }
    )
    return Placed(table, np.zeros((4, 4, 3)))


def test_a_comparison_by_hand() -> None:
    rays = pd.DataFrame({"rays_poa": [1000.0, 1000.0, 1000.0, 500.0], "rays_free": 1250.0})
    (line,) = compare(one_roof(), rays)
    assert (line.modules, line.counted) == (4, 3)
    assert (line.rays_kwh_m2, line.rays_loss) == pytest.approx((1000.0, 0.2))
    assert line.plane_error == pytest.approx(-1.0)
    assert np.isnan([line.energy_error, line.rms, line.worst, line.placed_rms]).all()
    assert "no figures" in str(line)
    (line,) = compare(one_roof(poa_kwh_m2=[1030.0, 960.0, 1010.0, 600.0], shading_loss=[0.2, 0.23, 0.2, 0.0]), rays)
    assert isinstance(line, Comparison)
    assert line.energy_error == pytest.approx(0.0)
    assert line.rms == pytest.approx(np.sqrt((9.0 + 16.0 + 1.0) / 3.0))
    assert line.worst == pytest.approx(-4.0)
    assert line.placed_worst == pytest.approx(20.0)
    assert line.loss_rms == pytest.approx(np.sqrt(3.0))
    assert not line.missing


def test_rows_are_found_again() -> None:
    """Three rows of two modules that look south, 2 m up the slope at 30 degrees, the last two 4 m apart."""
    t = np.radians(30.0)
    up = 2.0 * np.array([0.0, np.cos(t), np.sin(t)])
    right = np.array([1.0, 0.0, 0.0])
    one = np.array([0.0 * right, right, up + right, up])
    corners = np.stack([one + np.array([x, y, 0.0]) for y in (0.0, 3.0, 7.0) for x in (0.0, 1.02)])
    rows = behind(corners)
    assert rows is not None
    assert (rows.slope_length_m, rows.pitch_m) == pytest.approx((2.0, 3.0))
    assert behind(corners[:2]) is None
