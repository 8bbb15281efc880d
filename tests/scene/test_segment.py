"""Planes from a surface model: painted roofs with known faces, and the Zürich roofs with noise."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
import shapely

from painted_roofs import CELL_M, LEAST_M2, Painted, Score, normals, paint, score, shapes, slope
from roof_truth import painted_models
from rooftop.core.grid import Grid
from rooftop.kernels.labels import outlines, split
from rooftop.kernels.planefit import solve
from rooftop.scene.obstacles import cells_polygons, find_obstacles
from rooftop.scene.plane_rules import load_plane_rules
from rooftop.scene.segment import Segmentation, segment

RULES = load_plane_rules()
SHAPES = shapes()


def found_in(roof: Painted, convergence_deg: float = 0.0) -> Segmentation:
    footprints = np.array([roof.footprint], dtype=object)
    return segment(roof.dsm, roof.owner, roof.grid, footprints, np.array([convergence_deg]), RULES.segmentation)


def scored(roof: Painted, found: Segmentation, least_span_m2: float = LEAST_M2) -> Score:
    """Only cells that lie on their plane count."""
    on = np.where(found.on_plane, found.label, -1)
    return score(
        roof.truth, roof.slopes, on, found.planes[["slope_east", "slope_north"]].to_numpy(), CELL_M, least_span_m2
    )


@pytest.mark.parametrize("name", SHAPES)
@pytest.mark.parametrize("turn_deg", [0.0, 17.0, 225.0])
def test_every_face_is_found_and_nothing_else(name: str, turn_deg: float) -> None:
    for noise, tilt, azimuth, share in ((0.0, 0.05, 0.2, 0.97), (0.05, 1.5, 4.0, 0.95), (0.15, 3.0, 8.0, 0.85)):
        roof = paint(SHAPES[name], noise, turn_deg, seed=3)
        found = found_in(roof)
        result = scored(roof, found)
        assert len(found.planes) == len(SHAPES[name].planes)
        assert result.found.min() >= share
        assert result.tilt_error.max() <= tilt
        assert np.nanmax(result.azimuth_error[result.area_m2 >= 20.0], initial=0.0) <= azimuth
        assert result.spanning == 0


@pytest.mark.parametrize("name", [name for name, shape in SHAPES.items() if shape.areas_m2])
def test_areas_in_the_plane(name: str) -> None:
    roof = paint(SHAPES[name], 0.05, 17.0)
    planes = found_in(roof).planes
    assert np.sort(planes["area_m2"]) == pytest.approx(np.sort(SHAPES[name].areas_m2), rel=0.035, abs=0.5)
    assert planes["area_m2"].sum() == pytest.approx(sum(SHAPES[name].areas_m2), rel=0.01)


@pytest.mark.parametrize("name", ["gable", "hip", "ell"])
@pytest.mark.parametrize("noise_m", [0.0, 0.1])
def test_planes_border_where_they_meet(name: str, noise_m: float) -> None:
    """Ridges, hips and valleys are lines, not stairs of cells."""
    planes = found_in(paint(SHAPES[name], noise_m, 17.0, seed=2)).planes
    plans = planes.geometry.to_numpy()
    east, north, z = (planes[column].to_numpy(dtype=float) for column in ("slope_east", "slope_north", "z_m"))
    at = shapely.get_coordinates(shapely.centroid(plans))
    met = 0
    for a, b in combinations(range(len(plans)), 2):
        border = shapely.intersection(plans[a], plans[b])
        if shapely.length(border) < 2.0:
            continue
        lengths = np.arange(0.05, shapely.length(border), 0.1)
        line = shapely.line_merge(border)
        assert line.geom_type == "LineString"
        points = shapely.get_coordinates(shapely.line_interpolate_point(line, lengths))
        heights = [z[k] + (points - at[k]) @ (east[k], north[k]) for k in (a, b)]
        away = np.abs(heights[0] - heights[1]) / np.hypot(east[a] - east[b], north[a] - north[b])
        assert np.percentile(away, 75) < 0.1
        assert away.max() < (0.75 if name == "ell" else 0.02)  # an L has points of four planes, which stay
        met += 1
    assert met >= len(plans) - 1


@pytest.mark.parametrize("name", SHAPES)
def test_planes_of_a_roof_share_its_footprint_out(name: str) -> None:
    roof = paint(SHAPES[name], 0.15, 31.0)
    shape = found_in(roof).planes.geometry.to_numpy()
    assert shapely.is_valid(shape).all()
    assert (shapely.get_type_id(shape) == 3).all()
    assert shapely.area(shape).sum() == pytest.approx(roof.footprint.area, abs=0.05)
    assert shapely.area(shapely.union_all(shape)) == pytest.approx(roof.footprint.area, abs=0.05)


def test_a_south_slope_looks_south_and_the_grid_is_turned_to_true_north() -> None:
    gable = paint(SHAPES["gable"])
    planes = found_in(gable, convergence_deg=0.0).planes
    south = planes.geometry.centroid.y.to_numpy() < gable.footprint.centroid.y
    assert planes["surface_azimuth_deg"].to_numpy()[south] == pytest.approx([180.0], abs=0.05)
    turned = found_in(gable, convergence_deg=1.5).planes
    assert turned["surface_azimuth_deg"].to_numpy()[south] == pytest.approx([181.5], abs=0.05)
    # turning a roof counter-clockwise turns where it looks towards smaller azimuths
    east = found_in(paint(SHAPES["shed"], turn_deg=90.0)).planes
    assert east["surface_azimuth_deg"].to_numpy() == pytest.approx([90.0], abs=0.05)
    assert east["surface_tilt_deg"].to_numpy() == pytest.approx([10.0], abs=0.01)


def test_elevation_at_the_centroid() -> None:
    roof = paint(SHAPES["shed"])
    plane = found_in(roof).planes.iloc[0]
    assert plane["z_m"] == pytest.approx(9.0, abs=0.02)  # the plane through the middle of the roof
    gable = found_in(paint(SHAPES["gable"])).planes
    assert gable["z_m"].to_numpy() == pytest.approx([20.0 - 2.5 * slope(35.0)] * 2, abs=0.1)


def test_a_chimney_is_an_obstacle_on_a_whole_plane() -> None:
    roof = paint(SHAPES["chimney"], 0.05)
    found = found_in(roof)
    things = find_obstacles(found, roof.grid, RULES.obstacles)
    assert len(things) == 2
    assert things["area_m2"].to_numpy() == pytest.approx([1.0, 1.0], abs=0.01)
    assert sorted(things["height_m"]) == pytest.approx([1.0, 1.2], abs=0.15)
    assert [len(shape.interiors) for shape in found.planes.geometry] == [0, 0]
    centre = things.geometry.centroid
    assert sorted(centre.y - roof.footprint.centroid.y) == pytest.approx([-2.5, 1.5], abs=0.3)
    on = found.planes.geometry.iloc[things["plane"]].reset_index(drop=True)
    assert on.contains(centre.reset_index(drop=True)).all()


def test_parapets_and_shafts() -> None:
    """A parapet all around stands on the plane; a shaft goes down; the edge that sinks along the wall is neither."""
    roof = paint(SHAPES["flat"], 0.03)
    z, inside = roof.dsm.copy(), roof.owner == 0
    rows, cols = np.nonzero(inside)
    z[rows.min(), cols.min() : cols.max() + 1] -= 4.0
    z[rows.max() - 1 : rows.max() + 1, cols.min() : cols.max() + 1] += 0.9
    z[rows.min() + 8 : rows.min() + 12, cols.min() + 10 : cols.min() + 14] -= 3.0
    roof = Painted(roof.grid, roof.footprint, z, roof.owner, roof.truth, roof.slopes)
    found = found_in(roof)
    things = find_obstacles(found, roof.grid, RULES.obstacles).sort_values("height_m")
    assert len(found.planes) == 1
    assert things["height_m"].to_numpy() == pytest.approx([-3.0, 0.9], abs=0.1)
    assert things["area_m2"].to_numpy() == pytest.approx([4.0, 20.0], abs=1.0)


def test_noise_alone_makes_no_obstacles() -> None:
    for seed in range(5):
        roof = paint(SHAPES["low gable"], 0.15, 10.0, seed=seed)
        assert find_obstacles(found_in(roof), roof.grid, RULES.obstacles)["area_m2"].sum() <= 1.5


def test_a_stair_head_large_enough_is_a_plane_of_its_own() -> None:
    roof = paint(SHAPES["flat"], 0.05)
    rows, cols = np.nonzero(roof.owner == 0)
    z = roof.dsm.copy()
    z[rows.min() + 6 : rows.min() + 13, cols.min() + 6 : cols.min() + 14] += 2.8
    found = found_in(Painted(roof.grid, roof.footprint, z, roof.owner, roof.truth, roof.slopes))
    assert np.sort(found.planes["area_m2"]) == pytest.approx([14.0, 226.0], abs=0.6)
    assert found.planes["z_m"].max() - found.planes["z_m"].min() == pytest.approx(2.8, abs=0.05)
    assert find_obstacles(found, roof.grid, RULES.obstacles).empty


def two_roofs() -> tuple[np.ndarray, np.ndarray, Grid, np.ndarray]:
    """Two halves of one gable roof, wall to wall; a corner of the second stands in the first one's window."""
    grid = Grid(1_000_000, 8_000_000, 60, 80, CELL_M)
    x, y = grid.centres(*np.meshgrid(np.arange(60), np.arange(80), indexing="ij"))
    x, y = x - grid.x_min, y - grid.y_max
    z = 20.0 - np.abs(y + 12.0) * slope(30.0) + np.random.default_rng(5).normal(0.0, 0.05, x.shape)
    owner = np.where((y < -5) & (y > -19) & (x > 5), np.where(x < 18, 3, np.where(x < 33, 7, -1)), -1)
    owner[(owner == 3) & (x > 14) & (y > -9)] = 7
    footprints = np.empty(9, dtype=object)
    footprints[:] = shapely.Polygon()
    for name, (west, east) in ((3, (5.0, 18.0)), (7, (18.0, 33.0))):
        footprints[name] = shapely.box(grid.x_min + west, grid.y_max - 19.0, grid.x_min + east, grid.y_max - 5.0)
    corner = shapely.box(grid.x_min + 14.0, grid.y_max - 9.0, grid.x_min + 18.0, grid.y_max - 5.0)
    footprints[3] = shapely.difference(footprints[3], corner)
    footprints[7] = shapely.union(footprints[7], corner)
    return z.astype(np.float32), owner.astype(np.int32), grid, footprints


def test_roofs_are_worked_on_alone() -> None:
    """A roof's planes do not depend on the window, nor on its neighbours."""
    z, owner, grid, footprints = two_roofs()
    north = np.zeros(9)
    both = segment(z, owner, grid, footprints, north, RULES.segmentation)
    assert both.planes["roof"].tolist() == [3, 3, 7, 7]
    assert both.planes["plane_id"].tolist() == [1, 2, 1, 2]
    part = Grid(grid.col0 + 5, grid.row0 - 6, 50, 45, CELL_M)
    cut = (slice(6, 56), slice(5, 50))
    only = np.where(owner[cut] == 3, owner[cut], np.int32(-1))
    alone = segment(z[cut].copy(), only, part, footprints, north, RULES.segmentation)
    assert alone.planes.drop(columns="geometry").equals(both.planes.iloc[:2].drop(columns="geometry"))
    assert shapely.equals_exact(alone.planes.geometry.to_numpy(), both.planes.geometry.to_numpy()[:2]).all()
    assert (alone.label[alone.label >= 0] == both.label[cut][alone.label >= 0]).all()
    own = both.label >= 0
    assert (both.planes["roof"].to_numpy()[both.label[own]] == owner[own]).all()


def test_cells_without_elevation_and_roofs_without_planes() -> None:
    z, owner, grid, footprints = two_roofs()
    z[12:16, 20:24] = np.nan
    owner[0:3, 0:3] = 1
    footprints[1] = shapely.box(grid.x_min, grid.y_max - 1.5, grid.x_min + 1.5, grid.y_max)
    z[(owner == 7)] = np.nan
    found = segment(z, owner, grid, footprints, np.zeros(9), RULES.segmentation)
    assert found.planes["roof"].tolist() == [3, 3]
    assert found.without.tolist() == [1, 7]
    assert found.unseen.tolist() == [7]
    hole = (slice(12, 16), slice(20, 24))
    assert (found.label[hole] >= 0).all()
    assert np.isnan(found.residual_m[hole]).all()
    assert not found.on_plane[hole].any()
    plan = shapely.area(found.planes.geometry.to_numpy()).sum()
    assert plan == pytest.approx(shapely.area(footprints[3]), rel=1e-6)  # the roof keeps its area
    unknown = find_obstacles(found, grid, RULES.obstacles).query("height_m == 0.0")
    assert unknown["area_m2"].tolist() == [16 * CELL_M**2]  # and nothing is built where nothing is known
    nothing = segment(z, np.full_like(owner, -1), grid, footprints, np.zeros(9), RULES.segmentation)
    assert list(nothing.planes.columns) == list(found.planes.columns)
    assert len(nothing.planes) == 0
    assert find_obstacles(nothing, grid, RULES.obstacles).empty


def test_faces_below_eight_square_metres_are_no_planes() -> None:
    for side, wanted in ((2.5, 1), (3.5, 2)):
        roof = paint(SHAPES["flat"], 0.03)
        x, y = roof.grid.centres(*np.nonzero(roof.owner == 0))
        middle = roof.footprint.centroid
        on = (np.abs(x - middle.x) < side / 2) & (np.abs(y - middle.y) < side / 2)
        z = roof.dsm.copy()
        rows, cols = np.nonzero(roof.owner == 0)
        z[rows[on], cols[on]] += 2.5
        found = found_in(Painted(roof.grid, roof.footprint, z, roof.owner, roof.truth, roof.slopes))
        assert len(found.planes) == wanted


def test_least_squares_of_moments() -> None:
    rng = np.random.default_rng(1)
    x, y = rng.uniform(0, 9, 40), rng.uniform(-9, 0, 40)
    z = 0.3 * x - 0.7 * y + 2.0 + rng.normal(0, 0.1, 40)
    sums = np.array([40.0, *(v.sum() for v in (x, y, z, x * x, x * y, y * y, x * z, y * z, z * z))])
    want, rest, *_ = np.linalg.lstsq(np.column_stack([x, y, np.ones(40)]), z, rcond=None)
    a, b, c, sse = solve(sums)
    assert (a, b, c) == pytest.approx(want, abs=1e-9)
    assert sse == pytest.approx(rest[0], rel=1e-6)


def test_outlines_hold_the_cells() -> None:
    """Random pieces with holes and corners that touch: the polygons cover exactly the cells."""
    rng = np.random.default_rng(2)
    grid = Grid(10, 20, 14, 17, 0.5)
    x, y = grid.centres(*np.meshgrid(np.arange(14), np.arange(17), indexing="ij"))
    for density in (0.2, 0.5, 0.8, 1.0):
        for _ in range(20):
            mask = rng.random(grid.shape) < density
            piece = mask.astype(np.int32)
            n, _ = split(piece, np.zeros((2, 3)), 0.0, 0.5, 0.0)
            shape = cells_polygons(piece, grid)
            assert len(shape) == n
            assert shapely.is_valid(shape).all()
            assert shapely.area(shape).sum() == pytest.approx(mask.sum() * 0.25)
            assert (shapely.contains_xy(shapely.union_all(shape), x, y) == mask).all()
    corner, first, of = outlines(np.zeros((3, 3), dtype=np.int32), 0)
    assert (len(corner), first.tolist(), len(of)) == (0, [0], 0)


@pytest.mark.real
@pytest.mark.parametrize(
    ("noise", "tilt", "azimuth", "share"), [(0.05, 1.5, 4.0, 0.9), (0.15, 3.0, 8.0, 0.8)], ids=["5cm", "15cm"]
)
def test_zurich_with_noise(shared_truth: Path, noise: float, tilt: float, azimuth: float, share: float) -> None:
    """The Zürich model, painted at half a metre: faces of at least 20 m²."""
    area, tilts, azimuths, found_area, spanning = [], [], [], [], 0
    for roof in painted_models(shared_truth / "roofplanes" / "zurich.city.json.gz", noise):
        found = found_in(roof)
        if found.planes.empty:
            continue
        result = scored(roof, found, 20.0)
        large = result.area_m2 >= 20.0
        area.append(result.area_m2[large])
        found_area.append((result.area_m2 * result.found)[large])
        tilts.append(result.tilt_error[large])
        azimuths.append(result.azimuth_error[large])
        spanning += result.spanning
    assert sum(map(len, area)) > 130
    assert np.nanmedian(np.concatenate(tilts)) <= tilt / 3.0
    assert np.nanmedian(np.concatenate(azimuths)) <= azimuth / 5.0
    assert np.concatenate(found_area).sum() / np.concatenate(area).sum() >= share + 0.04
    assert spanning == 0


def test_normals_of_the_score() -> None:
    """The score itself: a plane through a ridge spans it, and a face split in two is not found whole."""
    slopes = np.array([[0.0, -0.5], [0.0, 0.5]])
    truth = np.repeat([[0], [1]], 10, axis=0).repeat(20, axis=1)
    one = score(truth, slopes, np.zeros_like(truth), np.zeros((1, 2)))
    assert one.spanning == 1
    assert one.found.tolist() == [0.0, 0.0]
    halves = truth * 2 + (np.arange(20) >= 12)
    two = score(truth, slopes, halves, slopes.repeat(2, axis=0))
    assert two.found == pytest.approx([0.6, 0.6])
    assert two.spanning == 0
    assert two.area_m2 == pytest.approx(50.0 / normals(slopes)[:, 2])
    assert two.area_m2.min() > LEAST_M2
