"""Delft from its point cloud: a row of terraced houses, planes against the points themselves, and the whole run."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely
from numpy.typing import NDArray

import rooftop
from rooftop.config import Config, ElevationInput
from rooftop.inputs.datums import meridian_convergence_deg
from rooftop.inputs.elevation import open_elevation
from rooftop.scene.known import dsm_planes

pytestmark = pytest.mark.real

RD, UTM = 28992, 32631
PART = (84_822.0, 447_520.0, 84_890.0, 447_580.0)  # of the point cloud's 265 m x 229 m


@pytest.fixture(scope="module")
def houses(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("laspy", reason="laspy is not installed (extra `lidar`)")
    table = gpd.read_file(shared_data / "delft_ahn3" / "bgt_pand.sqlite")[["gml_id", "geometry"]]
    inside = shapely.contains(shapely.box(*PART), shapely.centroid(table.geometry.to_numpy()))
    path = tmp_path_factory.mktemp("delft") / "houses.gpkg"
    table[inside].to_file(path, driver="GPKG")
    return path


@pytest.fixture(scope="module")
def result(houses: Path, shared_data: Path) -> rooftop.RunResult:
    cloud = {"path": shared_data / "delft_ahn3", "crs": f"EPSG:{RD}"}
    ghi = shared_data / "irradiance" / "GSA_GHI_mean_ERA5_pixel.tif"
    config = Config.model_validate(
        {
            "name": "delft",
            "inputs": {
                "footprints": {"path": houses, "fields": {"id": "gml_id"}},
                "irradiance": {"ghi": {"path": ghi, "unit": "kWh/m2/day", "period": "annual"}},
                "dsm": cloud,
                "dtm": cloud,
            },
            "scene": {"cell_size_m": 0.5, "azimuths": 24, "halo_m": 60.0},
            "outputs": {"lang": "en", "modules": True},
        }
    )
    return rooftop.run(config, houses.parent / "out")


@pytest.fixture(scope="module")
def cloud(shared_data: Path) -> NDArray[np.float64]:
    """x, y, z in the CRS of the file, class and number of the return."""
    laspy = pytest.importorskip("laspy")
    parts = []
    for path in sorted((shared_data / "delft_ahn3").glob("*.laz")):
        read = laspy.read(path)
        parts.append(np.stack([read.x, read.y, read.z, read.classification, read.return_number], axis=1))
    return np.concatenate(parts)


@pytest.fixture(scope="module")
def points(cloud: NDArray[np.float64]) -> NDArray[np.float64]:
    """x, y, z of the points classified as building."""
    return cloud[cloud[:, 3] == 6, :3]


def planes_in(epsg: int, houses: Path, cloud: Path) -> gpd.GeoDataFrame:
    table = gpd.read_file(houses).to_crs(epsg).rename(columns={"gml_id": "building_id"})
    dsm = open_elevation(ElevationInput(path=[cloud], crs=f"EPSG:{RD}"), table.crs, "inputs.dsm")
    centre = table.geometry.centroid.to_crs(4326)
    north = meridian_convergence_deg(table.crs, centre.x.to_numpy(), centre.y.to_numpy())
    found = dsm_planes(dsm, table, table.geometry.to_numpy(), north).table
    found["grid_azimuth_deg"] = (found["surface_azimuth_deg"] - north[found["roof"].to_numpy()]) % 360.0
    return found


def test_planes_lie_in_the_points(houses: Path, points: NDArray[np.float64], shared_data: Path) -> None:
    """Distance of building points from the plane that holds them in plan, half a metre from its edge or more."""
    found = planes_in(RD, houses, shared_data / "delft_ahn3")
    tree = shapely.STRtree(shapely.points(points[:, :2]))
    off = []
    columns = (found[name].to_numpy() for name in ("surface_tilt_deg", "grid_azimuth_deg", "z_m"))
    for shape, tilt, azimuth, z_m in zip(found.geometry.to_numpy(), *columns, strict=True):
        own = points[tree.query(shapely.buffer(shape, -0.5), predicate="contains")]
        looks = np.array([np.sin(np.radians(azimuth)), np.cos(np.radians(azimuth))])
        down = (own[:, :2] - shapely.get_coordinates(shapely.centroid(shape))) @ looks
        off.append((own[:, 2] - z_m) * np.cos(np.radians(tilt)) + down * np.sin(np.radians(tilt)))
    away = np.abs(np.concatenate(off))
    near = np.percentile(away, [50, 75, 90])
    share = (away < 0.15).mean()
    print(f"\nDelft: {len(found)} planes, {len(away)} points, 50/75/90 % within {near} m, {share:.2f} within 15 cm")
    assert len(away) > 6_000
    assert near[0] < 0.03
    assert share > 0.75


def test_azimuth_is_from_true_north_in_any_grid(houses: Path, shared_data: Path) -> None:
    """The grids of the Netherlands and of UTM differ by 1.9° here; the roofs do not."""
    one, other = (planes_in(epsg, houses, shared_data / "delft_ahn3") for epsg in (RD, UTM))
    one, other = (t[(t["surface_tilt_deg"] > 20.0) & (t["area_m2"] > 20.0)] for t in (one, other))
    here, there = one.to_crs(UTM).geometry.centroid, other.geometry.centroid
    near, far = shapely.STRtree(there.to_numpy()).query_nearest(
        here.to_numpy(), return_distance=True, all_matches=False
    )
    left, right = one.iloc[near[0][far < 1.0]], other.iloc[near[1][far < 1.0]]
    turn, grid = (
        (left[name].to_numpy() - right[name].to_numpy() + 180.0) % 360.0 - 180.0
        for name in ("surface_azimuth_deg", "grid_azimuth_deg")
    )
    tilt = np.abs(left["surface_tilt_deg"].to_numpy() - right["surface_tilt_deg"].to_numpy())
    print(f"\n{len(turn)} of {len(one)} planes: turned {np.median(turn):+.2f}°, 80 % within "
          f"{np.percentile(np.abs(turn), 80):.2f}°, tilt {np.median(tilt):.2f}°")  # fmt: skip
    assert len(turn) > 0.75 * len(one)
    assert abs(np.median(turn)) < 0.1
    assert np.median(grid) == pytest.approx(1.88, abs=0.1)
    assert np.percentile(np.abs(turn), 80) < 1.0
    assert np.median(tilt) < 0.3


def test_the_run_says_what_it_took_from_where(result: rooftop.RunResult) -> None:
    roofs, planes = result.tables.roofs, result.tables.planes
    codes = {n.code: n.count for n in result.record.notices}
    assert codes["roof_sources"] == (roofs.roof_source == "dsm").sum()
    large = roofs[roofs.gross_area_m2 > 25.0]
    assert (large.roof_source == "dsm").mean() > 0.95
    assert set(roofs.roof_source) <= {"dsm", "assumed"}
    assert {"lidar_cells_filled", "lidar_cells_missing", "lidar_spikes", "height_from_dsm"} <= set(codes)
    sources = {p.role: p.details for p in result.record.provenance}
    assert sources["inputs.dsm"]["points_used"] == "848942"
    assert sources["inputs.dtm"]["points_used"] == "283118"
    assert planes["surface_tilt_deg"].between(0.0, 70.0).all()


def test_the_planes_of_a_roof_fill_its_footprint(result: rooftop.RunResult) -> None:
    roofs, planes = (gpd.GeoDataFrame(t).to_crs(UTM) for t in (result.tables.roofs, result.tables.planes))
    plan = planes.geometry.area.groupby(planes["building_id"]).sum()
    foot = roofs.set_index("building_id").geometry.area
    np.testing.assert_allclose(plan.reindex(foot.index), foot, rtol=1e-3)
    inside = planes.merge(roofs[["building_id", "geometry"]], on="building_id", suffixes=("", "_roof"))
    over = shapely.area(shapely.difference(inside.geometry.to_numpy(), inside["geometry_roof"].to_numpy()))
    assert over.max() < 0.01  # party walls: no plane reaches into the neighbour


def test_terraces_look_as_they_stand(result: rooftop.RunResult) -> None:
    """Houses with gables of about 45° across the streets, and level extensions; heights of one to three storeys."""
    planes = result.tables.planes
    planes = planes[planes["roof_source"] == "dsm"]
    area, tilt = planes["area_m2"].to_numpy(dtype=float), planes["plane_tilt_deg"].to_numpy(dtype=float)
    assert 0.1 < area[tilt < 3.0].sum() / area.sum() < 0.4
    assert 0.5 < area[(tilt > 30.0) & (tilt < 58.0)].sum() / area.sum() < 0.85
    steep = (tilt > 30.0) & (area > 20.0)
    across = (planes["plane_azimuth_deg"].to_numpy(dtype=float)[steep] - 53.0) % 90.0
    assert (np.minimum(across, 90.0 - across) < 8.0).mean() > 0.8
    roofs = result.tables.roofs
    assert roofs.loc[roofs.gross_area_m2 > 40.0, "height_m"].between(2.2, 13.0).all()


def test_no_module_hangs_over_a_drop(result: rooftop.RunResult, houses: Path, cloud: NDArray[np.float64]) -> None:
    """First returns inside each module against its plane, whose height is the median of those under its modules."""
    table = gpd.read_parquet(houses.parent / "out" / "modules.parquet").to_crs(RD)
    planes = gpd.GeoDataFrame(result.tables.planes).set_index("plane_id")
    centre = planes.geometry.representative_point()
    north = meridian_convergence_deg(table.crs, centre.x.to_numpy(), centre.y.to_numpy())
    looks = np.radians(planes["plane_azimuth_deg"] - north)
    steep = np.tan(np.radians(planes["plane_tilt_deg"]))
    first = cloud[cloud[:, 4] == 1, :3]
    tree = shapely.STRtree(shapely.points(first[:, :2]))
    fallen, off, n = 0, 0, 0
    for name, modules in table[table["counted"]].groupby("plane_id"):
        at = np.array([np.sin(looks[name]), np.cos(looks[name])]) * steep[name]
        which, inside = tree.query(modules.geometry.to_numpy(), predicate="contains")
        height = first[inside, 2] + first[inside, :2] @ at
        height -= np.median(height)
        for k in range(len(modules)):
            own = height[which == k]
            fallen += np.mean(own < -1.0) > 0.25
            off += np.mean(np.abs(own) > 0.3) > 0.25
            n += 1
    print(f"\n{n} modules, {fallen} over a drop of a metre, {off} with a quarter of their points 0.3 m off")
    assert n > 50
    assert fallen == off == 0


def test_areas_keep_their_order_and_modules_stand_on_planes(result: rooftop.RunResult) -> None:
    roofs = result.tables.roofs
    columns = ["module_area_m2", "array_area_m2", "used_area_m2", "installable_area_m2", "net_area_m2", "gross_area_m2"]
    areas = roofs[columns].to_numpy(dtype=float)
    assert (np.diff(areas, axis=1) >= -1e-6).all()
    assert 10.0 < roofs.capacity_kwp.sum() < 120.0
    yields = roofs.query("capacity_kwp > 0").specific_yield_kwh_kwp
    assert yields.between(600.0, 1150.0).all()
