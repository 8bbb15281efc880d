"""Where roofs end inside their footprints, and stair heads: painted roofs, and zones that keep away."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest
import shapely
from shapely.affinity import rotate, translate

from painted_roofs import Painted, Shape, paint, shapes, slope
from rooftop.core.roof_rules import load_roof_rules
from rooftop.core.types import B1
from rooftop.scene.borders import borders_of
from rooftop.scene.drops import drops_of, low_cells
from rooftop.scene.plane_rules import load_plane_rules
from rooftop.scene.raised import raised_blocks
from rooftop.scene.relief import Relief
from rooftop.scene.segment import Segmentation, segment
from rooftop.scene.zones import Slope, net_zone, zone_distances

RULES = load_plane_rules()
AWAY = zone_distances(load_roof_rules(), RULES)
SHAPES = shapes()
TILT_DEG = 35.0
EVERYWHERE = [(noise, turn) for noise in (0.0, 0.05, 0.15) for turn in (0.0, 17.0, 45.0)]


@dataclass(frozen=True)
class Found:
    """What is known of a painted roof."""

    roof: Painted
    segmentation: Segmentation
    drops: dict[int, shapely.Geometry]
    raised: B1


def found_in(roof: Painted) -> Found:
    footprints, north = np.array([roof.footprint], dtype=object), np.zeros(1)
    segmentation = segment(roof.dsm, roof.owner, roof.grid, footprints, north, RULES.segmentation)
    relief = Relief.from_planes(segmentation.planes, north, RULES.obstacles.min_height_m.value)
    borders = borders_of(relief, RULES.zones.level_m.value)
    low = low_cells(segmentation, roof.dsm, roof.grid, RULES)
    drops = drops_of(borders, low, RULES.zones.level_m.value)
    return Found(roof, segmentation, drops, raised_blocks(relief, borders, RULES.raised_blocks))


def terraced(wide_m: float, down_m: float = 4.5) -> Shape:
    """A gable 16 m long, 5 m from ridge to eaves, and beyond its southern eaves a strip that lies `down_m` lower."""
    s = slope(TILT_DEG)
    planes = ((0.0, -s, 20.0), (0.0, s, 20.0), (0.0, 0.0, 20.0 - 5.0 * s - down_m))

    def face(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        inside = (np.abs(x) < 8.0) & (y < 5.0) & (y > -5.0 - wide_m)
        return np.where(inside, np.where(y < -5.0, 2, np.where(y > 0.0, 0, 1)), -1)

    return Shape("terraced", shapely.box(-8.0, -5.0 - wide_m, 8.0, 5.0), planes, face)


def with_block(box: tuple[float, float, float, float], high_m: float, size: tuple[float, float] = (12.0, 8.0)) -> Shape:
    """A flat roof, 24 m x 16 m unless said otherwise, with a block on it."""
    x, y = size
    return replace(SHAPES["flat"], outline=shapely.box(-x, -y, x, y), things=((*box, high_m),),
                   face=lambda u, v: np.where((np.abs(u) < x) & (np.abs(v) < y), 0, -1))  # fmt: skip


def zones_of(found: Found, tilt_deg: float, ground_deg: float) -> list[shapely.Geometry]:
    """Zones of the planes that look to the south of the painted roof with `tilt_deg`, on its own axes."""
    planes, out = found.segmentation.planes, []
    for row, plane in planes.iterrows():
        south = abs((plane["surface_azimuth_deg"] - 180.0 + ground_deg + 180.0) % 360.0 - 180.0) < 20.0
        if abs(plane["surface_tilt_deg"] - tilt_deg) < 5.0 and south:
            lies = Slope(plane["surface_tilt_deg"], plane["surface_azimuth_deg"])
            zone = net_zone(plane["geometry"], lies, AWAY, footprint=found.roof.footprint, drop=found.drops.get(row))
            out.append(rotate(translate(zone, -500_000.13, -4_000_000.21), -ground_deg, origin=(0.0, 0.0)))
    return out


@pytest.mark.parametrize("wide_m", [0.5, 1.0, 1.5, 3.0])
@pytest.mark.parametrize(("noise_m", "turn_deg"), EVERYWHERE)
def test_the_setback_counts_from_where_the_roof_ends(wide_m: float, noise_m: float, turn_deg: float) -> None:
    """Whatever the width of the strip beyond the eaves; within a cell's diagonal."""
    found = found_in(paint(terraced(wide_m), noise_m, turn_deg, seed=5))
    (zone,) = zones_of(found, TILT_DEG, turn_deg)
    away = zone.bounds[1] + 5.0
    assert away == pytest.approx(AWAY.edge_setback_m * np.cos(np.radians(TILT_DEG)), abs=0.36)
    assert zone.area > 40.0


def test_a_low_step_is_no_edge() -> None:
    found = found_in(paint(terraced(3.0, 0.8), 0.03, 17.0))
    (zone,) = zones_of(found, TILT_DEG, 17.0)
    ridge = AWAY.ridge_setback_m * np.cos(np.radians(TILT_DEG))
    assert zone.bounds[1] + 5.0 == pytest.approx(ridge, abs=0.36)
    assert found.drops == {}


@pytest.mark.parametrize("name", ["flat", "shed", "gable", "low gable", "hip", "ell", "chimney", "courtyard", "round"])
@pytest.mark.parametrize(("noise_m", "turn_deg"), EVERYWHERE)
def test_nobody_falls_at_ridges_hips_and_valleys(name: str, noise_m: float, turn_deg: float) -> None:
    found = found_in(paint(SHAPES[name], noise_m, turn_deg, seed=2))
    assert found.drops == {}
    assert not found.raised.any()


def test_the_upper_plane_of_a_step_falls_and_the_lower_does_not() -> None:
    found = found_in(paint(terraced(4.0), 0.05, 17.0))
    planes = found.segmentation.planes
    lowest = int(planes["z_m"].to_numpy().argmin())
    assert len(planes) == 3
    assert lowest not in found.drops
    assert len(found.drops) == 1


@pytest.mark.parametrize(("noise_m", "turn_deg"), EVERYWHERE)
@pytest.mark.parametrize("box", [(-2.0, -2.0, 2.0, 2.0), (8.0, -2.0, 12.0, 2.0), (8.0, 4.0, 12.0, 8.0)])
def test_the_top_of_a_stair_head_is_no_roof_to_build_on(
    box: tuple[float, float, float, float], noise_m: float, turn_deg: float
) -> None:
    """In the middle of a roof, at its facade, in its corner."""
    found = found_in(paint(with_block(box, 3.0), noise_m, turn_deg, seed=1))
    area = found.segmentation.planes["area_m2"].to_numpy()
    assert found.raised.tolist() == (area < 25.0).tolist()
    assert found.raised.sum() == 1


@pytest.mark.parametrize(
    ("box", "high_m", "size"),
    [
        ((-2.0, -2.0, 2.0, 2.0), 1.0, (12.0, 8.0)),  # a step
        ((-2.0, -2.0, 2.0, 2.0), 7.0, (12.0, 8.0)),  # storeys
        ((-4.0, -3.0, 4.0, 3.0), 3.0, (12.0, 8.0)),  # a storey set back
        ((-2.0, -2.0, 2.0, 2.0), 3.0, (4.0, 3.0)),  # a third of its roof
    ],
)
def test_other_raised_planes_are_roofs(
    box: tuple[float, float, float, float], high_m: float, size: tuple[float, float]
) -> None:
    found = found_in(paint(with_block(box, high_m, size), 0.05, 17.0))
    assert len(found.segmentation.planes) == 2
    assert not found.raised.any()
