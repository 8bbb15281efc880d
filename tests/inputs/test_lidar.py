"""Point clouds: a painted gable with gaps, birds, noise and water, files as they come, and what is said about them."""

from __future__ import annotations

import struct
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from numpy.typing import NDArray
from pyproj import CRS, Transformer

from rasters import write_raster
from rooftop.config import ElevationInput
from rooftop.core.errors import InputError
from rooftop.core.grid import Grid
from rooftop.inputs import las_files, lidar
from rooftop.inputs.elevation import Elevation, open_elevation

laspy = pytest.importorskip("laspy", reason="laspy is not installed (extra `lidar`)")

Floats = NDArray[np.floating]
Flags = NDArray[np.bool_]

WORK = CRS("EPSG:4549")
X0, Y0 = 500_000.0, 3_800_000.0
RIDGE, EAVES, HALF, SLOPE = 12.0, 7.8, 6.0, 0.7  # a gable 12 m wide around x = 20, from y = 10 to 34
GROUND, CLIMB = 2.0, 0.02


def ground_m(x: Floats, y: Floats) -> Floats:
    return GROUND + CLIMB * (x - X0) + 0.5 * CLIMB * (y - Y0)


def roof_m(x: Floats) -> Floats:
    return RIDGE - SLOPE * np.abs(x - X0 - 20.0)


def on_roof(x: Floats, y: Floats, margin: float = 0.0) -> Flags:
    return (np.abs(x - X0 - 20.0) < HALF - margin) & (y - Y0 > 10.0 + margin) & (y - Y0 < 34.0 - margin)


def cloud(noise_m: float = 0.02, per_m2: float = 12.0, seed: int = 0) -> tuple[Floats, Floats, Floats, Floats]:
    """x, y, z, class of 40 m x 44 m: ground, a gable with a gap and a void in it, and a pond without any return."""
    rng = np.random.default_rng(seed)
    n = int(40 * 44 * per_m2)
    x, y = X0 + rng.uniform(0.0, 40.0, n), Y0 + rng.uniform(0.0, 44.0, n)
    roof = on_roof(x, y)
    z = np.where(roof, roof_m(x), ground_m(x, y)) + rng.normal(0.0, noise_m, n)
    gap = roof & (np.abs(y - Y0 - 15.25) < 0.4)
    void = roof & (np.abs(x - X0 - 23.0) < 2.0) & (np.abs(y - Y0 - 25.0) < 3.0)
    pond = (x - X0 > 30.0) & (y - Y0 > 30.0)
    kept = ~(gap | void | pond)
    return x[kept], y[kept], z[kept], np.where(roof, 6, 2)[kept]


def write(
    path: Path,
    x: Floats,
    y: Floats,
    z: Floats,
    kind: Floats,
    crs: str | None = None,
    point_format: int = 6,
    flags: dict[str, Flags] | None = None,
) -> Path:
    header = laspy.LasHeader(point_format=point_format, version="1.4" if point_format >= 6 else "1.2")
    plan = 1e-8 if np.max(x) < 360.0 else 0.001
    header.scales, header.offsets = [plan, plan, 0.001], np.floor([float(np.min(x)), float(np.min(y)), 0.0])
    if crs is not None:
        header.add_crs(CRS(crs))
    points = laspy.LasData(header)
    points.x, points.y, points.z = x, y, z
    points.classification = kind
    points.return_number[:] = 1
    points.number_of_returns[:] = 1
    for name, hit in (flags or {}).items():
        points[name] = hit
    points.write(path)
    return path


def opened(path: object, role: str = "inputs.dsm", work: CRS = WORK, **keys: Any) -> Elevation:
    return open_elevation(ElevationInput.model_validate({"path": path, **keys}), work, role)


def grid_of(found: Elevation) -> Grid:
    assert found.points is not None
    return found.points.grid


def seen_at(found: Elevation) -> tuple[Floats, Floats, Floats]:
    """The own cells, with x and y of their centres."""
    grid = grid_of(found)
    row, col = np.mgrid[: grid.n_rows, : grid.n_cols]
    x, y = grid.centres(row, col)
    return found.window(grid.x_min, grid.y_max, grid.cell_size_m, *grid.shape), np.asarray(x), np.asarray(y)


def notices(found: Elevation) -> dict[str, int]:
    return {n.code: n.count for n in found.notices}


@pytest.fixture(scope="module")
def gable(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("las") / "gable.laz", *cloud(), "EPSG:4549")


def test_the_gable_comes_out_as_it_was_painted(gable: Path) -> None:
    cells, x, y = seen_at(opened(gable))
    roof = on_roof(x, y, 0.6) & (np.abs(x - X0 - 20.0) > 0.6)
    off = (cells - roof_m(x))[roof & np.isfinite(cells)]
    assert np.abs(np.median(off)) < 0.005
    assert np.percentile(np.abs(off), 95) < 0.05  # 2 cm of noise, 3 points per cell, slope 0.7
    level = ~on_roof(x, y, -0.6) & ~((x - X0 > 29.0) & (y - Y0 > 29.0))
    off = (cells - ground_m(x, y))[level & np.isfinite(cells)]
    assert np.abs(off).max() < 0.2
    assert np.percentile(np.abs(off), 95) < 0.04


def test_gaps_are_filled_and_voids_and_water_are_not(gable: Path) -> None:
    found = opened(gable)
    cells, x, y = seen_at(found)
    gap = on_roof(x, y, 0.6) & (np.abs(y - Y0 - 15.25) < 0.2) & (np.abs(x - X0 - 20.0) > 0.6)
    assert gap.sum() >= 15
    np.testing.assert_allclose(cells[gap], roof_m(x[gap]), atol=0.12)
    void = (np.abs(x - X0 - 23.0) < 0.8) & (np.abs(y - Y0 - 25.0) < 1.8)
    pond = (x - X0 > 31.5) & (y - Y0 > 31.5)
    assert np.isnan(cells[void]).all()
    assert np.isnan(cells[pond]).all()
    said = notices(found)
    assert said["lidar_cells_missing"] == np.isnan(cells).sum()
    assert said["lidar_cells_filled"] >= gap.sum()


def test_terrain_goes_through_under_the_house(gable: Path) -> None:
    found = opened(gable, "inputs.dtm")
    cells, x, y = seen_at(found)
    inside = (x - X0 > 0.5) & (x - X0 < 39.5) & (y - Y0 > 0.5) & (y - Y0 < 43.5)
    assert np.isfinite(cells).all()
    pond = (x - X0 > 29.0) & (y - Y0 > 29.0)  # a corner: nothing beyond it, the terrain runs on level
    assert np.abs(cells - ground_m(x, y))[inside & ~pond].max() < 0.08
    assert np.abs(cells - ground_m(x, y))[on_roof(x, y, 2.0)].max() < 0.02
    assert np.abs(cells - ground_m(x, y))[pond].max() < 0.3
    assert found.provenance.details["points_used"] == str(int((cloud()[3] == 2).sum()))


def test_returns_from_below_the_roof_do_not_pull_it_down(tmp_path: Path) -> None:
    """Every fifth pulse goes on through a skylight, or down along a wall: the top layer is what counts."""
    x, y, z, kind = cloud()
    low = np.arange(len(x)) % 5 == 0
    z = np.append(z, z[low] - 3.0)
    path = write(tmp_path / "deep.las", np.append(x, x[low]), np.append(y, y[low]), z, np.append(kind, kind[low]))
    deep, _, _ = seen_at(opened(path, crs="EPSG:4549"))
    plain, _, _ = seen_at(opened(write(tmp_path / "plain.las", x, y, z[: len(x)], kind), crs="EPSG:4549"))
    np.testing.assert_allclose(deep, plain, atol=1e-5)


def _with_faults(folder: Path, point_format: int) -> Path:
    x, y, z, kind = cloud()
    n = len(x)
    bad = {"low": (7, -30.0), "high": (18, 60.0), "bird": (1, 25.0), "withheld": (6, 40.0), "overlap": (6, 41.0)}
    if point_format < 6:
        bad |= {"high": (7, 60.0), "overlap": (12, 41.0)}
    at = {name: X0 + 16.25 + 0.5 * k for k, name in enumerate(bad)}
    x = np.append(x, list(at.values()))
    y = np.append(y, np.full(len(bad), Y0 + 30.25))
    z, kind = np.append(z, [v[1] for v in bad.values()]), np.append(kind, [v[0] for v in bad.values()])
    flags = {"withheld": np.arange(n + 5) == n + 3}
    if point_format >= 6:
        flags["overlap"] = np.arange(n + 5) == n + 4
    return write(folder / f"faults{point_format}.las", x, y, z, kind, "EPSG:4549", point_format, flags)


@pytest.mark.parametrize("point_format", [1, 6])
def test_noise_birds_withheld_and_overlap_points_are_out_and_counted(tmp_path: Path, point_format: int) -> None:
    found = opened(_with_faults(tmp_path, point_format))
    cells, x, y = seen_at(found)
    near = (np.abs(y - Y0 - 30.25) < 0.1) & (np.abs(x - X0 - 17.25) < 1.2)
    np.testing.assert_allclose(cells[near], roof_m(x[near]), atol=0.1)
    said = notices(found)
    assert said["lidar_points_dropped"] == 4
    assert said["lidar_spikes"] == 1
    text = next(n.text for n in found.notices if n.code == "lidar_points_dropped")
    assert "noise 2" in text.en
    assert "withheld 1" in text.en
    assert "overlap of flight strips 1" in text.en
    assert "航带重叠点 1" in text.zh
    assert found.provenance.details["points_by_class"].startswith("1: 1, ")


def test_files_chunks_and_folders_make_no_difference(
    gable: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, _, _ = seen_at(opened(gable))
    x, y, z, kind = cloud()
    west = x - X0 < 18.3
    write(tmp_path / "a.laz", x[west], y[west], z[west], kind[west], "EPSG:4549")
    write(tmp_path / "b.las", x[~west], y[~west], z[~west], kind[~west], "EPSG:4549")
    monkeypatch.setattr(las_files, "CHUNK", 1111)
    listed = opened([tmp_path / "a.laz", tmp_path / "b.las"], cell_size_m=0.5)
    np.testing.assert_allclose(seen_at(listed)[0], whole, atol=1e-5)
    np.testing.assert_array_equal(seen_at(opened(tmp_path))[0], seen_at(listed)[0])
    assert listed.provenance.details["files"] == "2"
    monkeypatch.setattr(lidar, "_BLOCK_CELLS", 32)
    blocks, _, _ = seen_at(opened(tmp_path))
    # cells along a seam know fewer neighbours: their slope may come from another window
    np.testing.assert_array_equal(np.isnan(blocks), np.isnan(whole))
    off = np.abs(blocks - whole)[np.isfinite(whole)]
    assert (off < 1e-4).mean() > 0.85
    assert np.percentile(off, 98) < 0.05


def test_cells_follow_the_density_unless_they_are_given(gable: Path, tmp_path: Path) -> None:
    assert opened(gable).native_cell_m == 0.5
    assert "lidar_cell_size" in notices(opened(gable))
    coarse = opened(gable, cell_size_m=1.0)
    assert coarse.native_cell_m == 1.0
    assert "lidar_cell_size" not in notices(coarse)
    thin = opened(write(tmp_path / "thin.las", *cloud(per_m2=3.0), "EPSG:4549"))
    assert thin.native_cell_m == 1.0


def test_another_crs_lands_on_the_same_place(tmp_path: Path) -> None:
    """Painted in the zone of 117°E, read in that of 120°E: the ridge is where the transformation puts it."""
    x, y, z, kind = cloud()
    to_other = Transformer.from_crs(4549, 4548, always_xy=True)
    other = write(tmp_path / "zone.laz", *to_other.transform(x, y), z, kind, crs="EPSG:4548")
    cells, at_x, at_y = seen_at(opened(other))
    roof = on_roof(at_x, at_y, 0.6) & (np.abs(at_x - X0 - 20.0) > 0.6) & np.isfinite(cells)
    assert roof.sum() > 700
    assert np.percentile(np.abs(cells - roof_m(at_x))[roof], 95) < 0.05
    lon, lat = Transformer.from_crs(4549, 4490, always_xy=True).transform(x, y)
    cells, at_x, at_y = seen_at(opened(write(tmp_path / "degrees.las", lon, lat, z, kind, crs="EPSG:4490")))
    roof = on_roof(at_x, at_y, 0.6) & (np.abs(at_x - X0 - 20.0) > 0.6) & np.isfinite(cells)
    assert roof.sum() > 700
    assert np.percentile(np.abs(cells - roof_m(at_x))[roof], 95) < 0.05


@pytest.mark.parametrize("point_format", [1, 6])  # GeoTIFF keys, and WKT
def test_the_header_says_where_it_lies(tmp_path: Path, point_format: int) -> None:
    found = opened(write(tmp_path / "cloud.las", *cloud(), "EPSG:4548", point_format), work=CRS(4548))
    assert "117E" in found.provenance.details["crs"]


def test_of_a_compound_crs_the_plan_is_taken_and_feet_are_converted(tmp_path: Path) -> None:
    x, y, z, kind = cloud()
    path = write(tmp_path / "feet.las", x, y, z / 0.3048, kind, crs="EPSG:4549+8228")  # NAVD88 height (ft)
    found = opened(path)
    cells, at_x, at_y = seen_at(found)
    roof = on_roof(at_x, at_y, 0.6) & (np.abs(at_x - X0 - 20.0) > 0.6) & np.isfinite(cells)
    assert np.abs(np.median((cells - roof_m(at_x))[roof])) < 0.005
    assert notices(found)["elevation_in_feet"] == 1
    assert "height" not in found.provenance.details["crs"].lower()
    bare = write(tmp_path / "bare.las", x, y, z / 0.3048, kind)
    stated = opened(bare, crs="EPSG:4549", vertical_unit="ft", vertical_offset_m=-1.5)
    np.testing.assert_allclose(seen_at(stated)[0], cells - 1.5, atol=1e-4)


def test_windows_are_those_of_a_raster_with_the_same_cells(gable: Path, tmp_path: Path) -> None:
    found = opened(gable)
    cells, _, _ = seen_at(found)
    grid = grid_of(found)
    place = rasterio.Affine(*grid.transform)
    write_raster(tmp_path / "same.tif", cells, 0.0, 0.0, 1.0, transform=place, crs="EPSG:4549", nodata=np.nan)
    raster = opened(tmp_path / "same.tif")
    for corner, cell, shape in (
        ((2.0, 40.0), 0.5, (30, 40)),
        ((-3.0, 47.0), 1.0, (60, 50)),
        ((9.3, 33.1), 0.3, (40, 55)),
    ):
        window = X0 + corner[0], Y0 + corner[1], cell, *shape
        np.testing.assert_allclose(found.window(*window), raster.window(*window), atol=1e-4)
    assert np.isnan(found.window(X0 + 1e5, Y0, 0.5, 4, 4)).all()
    assert found.bounds == pytest.approx(raster.bounds)


def test_points_outside_the_extent_of_the_header_are_counted(gable: Path, tmp_path: Path) -> None:
    x, y, z, kind = cloud()
    path = write(tmp_path / "lies.las", x, y, z, kind, crs="EPSG:4549")
    data = bytearray(path.read_bytes())
    struct.pack_into("<d", data, 179, X0 + 30.0)  # the largest x
    path.write_bytes(data)
    found = opened(path)
    assert notices(found)["lidar_points_dropped"] == (np.round(x, 3) >= X0 + 30.5).sum()
    assert found.bounds[2] == X0 + 30.5


def test_points_on_the_border_of_the_extent_belong_to_it(tmp_path: Path) -> None:
    x, y = (v.ravel() for v in np.meshgrid(X0 + np.arange(0.0, 10.25, 0.25), Y0 + np.arange(0.0, 10.25, 0.25)))
    path = write(tmp_path / "square.las", x, y, np.full(len(x), 3.0), np.full(len(x), 2.0), "EPSG:4549")
    found = opened(path, cell_size_m=0.5)
    assert "lidar_points_dropped" not in notices(found)
    assert found.provenance.details["points_used"] == str(len(x))


def _fault(name: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[object, dict[str, Any]]:
    path = folder / "cloud.las"
    if name == "missing":
        return path, {}
    if name == "empty folder":
        return folder, {}
    write(path, *cloud(), None if name == "no crs" else "EPSG:4549")
    if name == "damaged":
        path.write_bytes(b"LASF" + bytes(50))
    elif name == "cut off":
        compressed = write(folder / "cloud.laz", *cloud(), "EPSG:4549")
        compressed.write_bytes(compressed.read_bytes()[:20_000])
        return compressed, {}
    elif name == "laspy":
        monkeypatch.setitem(sys.modules, "laspy", None)
    elif name == "lazrs":
        monkeypatch.setattr(laspy.LazBackend, "detect_available", classmethod(lambda _: ()))
        return write(folder / "other.las", *cloud(), "EPSG:4549").rename(folder / "cloud.laz"), {}
    elif name == "mixed":
        return [path, folder / "dsm.tif"], {}
    elif name == "elsewhere":
        return path, {"crs": "EPSG:4490"}
    return path, {}


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("missing", "does not exist"), ("empty folder", "folder without"), ("no crs", "crs: EPSG:4549"),
        ("damaged", "LAS / LAZ"), ("cut off", "LAS / LAZ"), ("laspy", 'pip install "laspy[lazrs]"'),
        ("lazrs", "lazrs is not installed"), ("mixed", "nothing else beside them"), ("elsewhere", "stated CRS"),
    ],
)  # fmt: skip
def test_each_fault_is_one_readable_error(
    tmp_path: Path, name: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, keys = _fault(name, tmp_path, monkeypatch)
    with pytest.raises(InputError) as caught:
        opened(path, **keys)
    assert words in caught.value.render("en")
    assert "inputs.dsm" in caught.value.render("en") or "cloud.la" in caught.value.render("en")
    assert caught.value.render("zh") != caught.value.render("en")


def test_terrain_wants_ground_points(tmp_path: Path) -> None:
    x, y, z, kind = cloud()
    path = write(tmp_path / "bare.las", x, y, z, np.ones_like(kind), "EPSG:4549")
    with pytest.raises(InputError, match="classified as ground") as caught:
        opened(path, "inputs.dtm")
    assert f"1: {len(x)}" in caught.value.render("zh")


def test_keys_of_clouds_and_rasters_are_not_mixed_up(tmp_path: Path) -> None:
    write_raster(tmp_path / "bare.tif", np.full((4, 4), 10.0), X0, Y0, 1.0, crs=None, nodata=None)
    with pytest.raises(InputError, match="point clouds"):
        opened(tmp_path / "bare.tif", cell_size_m=0.5)
    with pytest.raises(InputError, match="one file"):
        opened([tmp_path / "bare.tif"] * 2)
    found = opened(tmp_path / "bare.tif", crs="EPSG:4549", vertical_unit="ft")
    np.testing.assert_allclose(found.window(X0, Y0, 1.0, 4, 4), 3.048, atol=1e-5)
    assert found.provenance.details["crs"] == "EPSG:4549"
    other = opened(tmp_path / "bare.tif", crs="EPSG:4548")
    x, y = Transformer.from_crs(4548, 4549, always_xy=True).transform(X0 + 2.0, Y0 - 2.0)
    np.testing.assert_allclose(other.window(x, y, 0.5, 2, 2), 10.0, atol=1e-5)
    assert np.isnan(other.window(X0, Y0, 1.0, 4, 4)).all()


@pytest.mark.real
def test_delft_agrees_with_the_rasters_that_come_with_it(shared_data: Path) -> None:
    """The given surface is the highest point of each cell, the given terrain was made by another interpolation."""
    folder = shared_data / "delft_ahn3"
    limits = {"inputs.dsm": ("dsm", 0.02, 0.27), "inputs.dtm": ("dtm", 0.02, 0.10)}
    for role, (name, median, most) in limits.items():
        found = opened(folder, role, CRS("EPSG:28992"), crs="EPSG:28992")
        with rasterio.open(folder / f"ahn3_delft_{name}_0p5m.tif") as source:
            given = source.read(1, masked=True).astype(float).filled(np.nan)
            west, north = source.bounds.left, source.bounds.top
        off = found.window(west, north, 0.5, *given.shape) - given
        off = off[np.isfinite(off)]
        print(f"\n{name}: {len(off) / given.size:.3f} of cells, {np.median(off):+.3f} m, "
              f"|median| {np.median(np.abs(off)):.3f}, 95 % {np.percentile(np.abs(off), 95):.3f}")  # fmt: skip
        assert len(off) > 0.89 * given.size
        assert np.median(np.abs(off)) < median
        assert np.percentile(np.abs(off), 95) < most
        assert int(found.provenance.details["points"]) == 848_942


# --- claims that a file cannot keep ----------------------------------------------------------------------------------


def _patched(path: Path, at: int, layout: str, *values: float | bytes) -> None:
    data = bytearray(path.read_bytes())
    struct.pack_into(layout, data, at, *values)
    path.write_bytes(data)


def _points_at(path: Path) -> int:
    return int(struct.unpack_from("<I", path.read_bytes(), 96)[0])


CLAIMS = {
    "no LAS": lambda p: _patched(p, 0, "<4s", b"LAZF"),
    "version 9": lambda p: _patched(p, 25, "<B", 9),
    "a header without end": lambda p: _patched(p, 94, "<H", 65535),
    "points beyond the file": lambda p: _patched(p, 96, "<I", 2**32 - 1),
    "four billion records": lambda p: _patched(p, 100, "<I", 2**32 - 1),
    "a format of none": lambda p: _patched(p, 104, "<B", 0x80 | 63),
    "points of a byte": lambda p: _patched(p, 105, "<H", 1),
    "a scale of nought": lambda p: _patched(p, 131, "<d", 0.0),
    "an offset that is no number": lambda p: _patched(p, 155, "<d", float("nan")),
    "an endless extent": lambda p: _patched(p, 179, "<d", float("inf")),
    "an extent turned round": lambda p: _patched(p, 179, "<d", -1e9),
    "an extent of a continent": lambda p: _patched(p, 179, "<2d", X0 + 900_000.0, X0 - 900_000.0),
    "records after the end": lambda p: _patched(p, 235, "<QI", 2**60, 3),
    "a billion points": lambda p: _patched(p, 247, "<Q", 10**9),
    "no points": lambda p: _patched(p, 247, "<Q", 0),
    "cut in the middle": lambda p: p.write_bytes(p.read_bytes()[: p.stat().st_size // 2]),
    "cut in the header": lambda p: p.write_bytes(p.read_bytes()[:200]),
    "empty": lambda p: p.write_bytes(b""),
}
PACKED = {
    "a table of chunks beyond the file": lambda p: _patched(p, _points_at(p), "<q", 2**62),
    "a table of chunks before the points": lambda p: _patched(p, _points_at(p), "<q", 5),
    "forty gigabytes of chunks": lambda p: _patched(
        p, struct.unpack_from("<q", p.read_bytes(), _points_at(p))[0] + 4, "<I", 2**32 - 1
    ),
    "zeros for points": lambda p: p.write_bytes(
        p.read_bytes()[: _points_at(p) + 8] + b"\0" * (p.stat().st_size - _points_at(p) - 8)
    ),
    "noise for points": lambda p: _noise(p, 40),
    "noise in the table": lambda p: _noise(p, -12),
    "no LASzip record": lambda p: p.write_bytes(p.read_bytes().replace(b"laszip encoded", b"laszip decoded")),
}


def _noise(path: Path, start: int) -> None:
    data = bytearray(path.read_bytes())
    begin = _points_at(path) + start if start > 0 else len(data) + start
    end = min(begin + 20_000, len(data))
    data[begin:end] = np.random.default_rng(3).integers(0, 256, end - begin, dtype=np.uint8).tobytes()
    path.write_bytes(data)


@pytest.mark.parametrize("kind", [*CLAIMS, *PACKED])
@pytest.mark.parametrize("suffix", [".las", ".laz"])
def test_a_damaged_cloud_is_named_and_ends_nothing_else(kind: str, suffix: str, tmp_path: Path) -> None:
    if suffix == ".las" and kind in PACKED:
        pytest.skip("nothing is packed")
    path = write(tmp_path / f"点云{suffix}", *cloud())
    (CLAIMS | PACKED)[kind](path)
    try:
        opened(path, crs="EPSG:4549", cell_size_m=1.0)
    except InputError as error:
        assert f"点云{suffix}" in str(error)
    else:
        assert kind.startswith("noise")  # what the decoder makes of noise may be points


@pytest.mark.skipif(sys.platform == "win32", reason="processes are limited otherwise there")
def test_a_decoder_that_dies_costs_the_file_not_the_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "a.laz", *cloud(), "EPSG:4549")
    program = tmp_path / "dies.py"
    program.write_text("import os, sys\nsys.stdout.buffer.write(b'x' * 100)\nsys.stdout.flush()\nos.abort()\n")
    monkeypatch.setattr(las_files.laz_points, "__file__", str(program))  # type: ignore[attr-defined]
    with pytest.raises(InputError, match=r"a\.laz") as caught:
        opened(path)
    assert "-6" in str(caught.value.details["found"])
