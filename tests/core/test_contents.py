"""What reading a path reads: every part changes the hash, nothing else does; files are watched while they are read."""

from __future__ import annotations

import hashlib
import os
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import geopandas as gpd
import numpy as np
import pyogrio
import pytest
import shapely

from rasters import write_raster
from rooftop.core import contents
from rooftop.core.contents import Watch, file_sha256, parts_of
from rooftop.core.errors import ChangedError

VRT = """<VRTDataset rasterXSize="20" rasterYSize="10"><GeoTransform>0, 1, 0, 10, 0, -1</GeoTransform>
<VRTRasterBand dataType="Float32" band="1">{sources}</VRTRasterBand></VRTDataset>"""
SOURCE = '<SimpleSource><SourceFilename relativeToVRT="{relative}">{name}</SourceFilename></SimpleSource>'
AUX = '<PAMDataset><PAMRasterBand band="1"><Metadata><MDI key="{key}">7</MDI></Metadata></PAMRasterBand></PAMDataset>'


def tif(path: Path, value: float = 1.0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    return write_raster(path, np.full((10, 10), value), 0.0, 10.0, 1.0, crs="EPSG:4549", nodata=None)


def vrt(path: Path, *names: str, relative: int = 1) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    sources = "".join(SOURCE.format(relative=relative, name=name) for name in names)
    path.write_text(VRT.format(sources=sources), encoding="utf-8")
    return path


def shapefile(path: Path) -> Path:
    table = gpd.GeoDataFrame({"名称": ["甲"]}, geometry=[shapely.box(0, 0, 1, 1)], crs="EPSG:4549")
    pyogrio.write_dataframe(table, path, encoding="gbk")
    return path


def container(kind: str, folder: Path) -> tuple[Path, Path]:
    """An input of many files, and the one of them in which a change is easily overlooked."""
    a, b = tif(folder / "tiles" / "a.tif"), tif(folder / "tiles" / "b.tif", 2.0)
    if kind == "vrt":
        return vrt(folder / "all.vrt", "tiles/a.tif", "tiles/b.tif"), b
    if kind == "vrt of vrts":
        vrt(folder / "tiles" / "half.vrt", "b.tif")
        return vrt(folder / "all.vrt", "tiles/a.tif", "tiles/half.vrt"), b
    if kind == "vrt of absolute paths":
        return vrt(folder / "all.vrt", str(a), str(b), relative=0), b
    if kind == "vrt by another name":
        return vrt(folder / "all.tif", "tiles/a.tif"), a
    if kind == "vrt into an archive":
        archive = Path(shutil.make_archive(str(folder / "tiles"), "zip", folder / "tiles"))
        return vrt(folder / "all.vrt", f"/vsizip/{archive.name}/a.tif"), archive
    if kind == "vrt of a subdataset":
        (folder / "t.nc").write_bytes(b"CDF")
        return vrt(folder / "all.vrt", 'NETCDF:"t.nc":band'), folder / "t.nc"
    if kind == "world file of a source":
        (folder / "tiles" / "b.tfw").write_text("1\n0\n0\n-1\n0\n0\n")
        return vrt(folder / "all.vrt", "tiles/b.tif"), folder / "tiles" / "b.tfw"
    if kind == "layer of a vrt":
        path = shapefile(folder / "b.shp")
        text = f"<OGRVRTDataSource><OGRVRTLayer name='b'><SrcDataSource relativeToVRT='1'>{path.name}</SrcDataSource>"
        (folder / "b.vrt").write_text(f"{text}</OGRVRTLayer></OGRVRTDataSource>", encoding="utf-8")
        return folder / "b.vrt", folder / "b.dbf"
    if kind == "folder":
        return folder / "tiles", b
    ending = kind.split()[-1]
    if kind.startswith("shapefile"):
        path = shapefile(folder / "b.shp")
        side = folder / f"b{ending}"
    elif kind.startswith("raster, of its stem"):
        path, side = tif(folder / "t.tif"), folder / f"t{ending}"
    else:
        path, side = tif(folder / "t.tif"), folder / f"t.tif{ending}"
    if not side.exists():
        side.write_text(AUX.format(key="scale") if ending == ".aux.xml" else "x", encoding="utf-8")
    return path, side


KINDS = [
    "vrt", "vrt of vrts", "vrt of absolute paths", "vrt by another name", "vrt into an archive", "vrt of a subdataset",
    "world file of a source", "layer of a vrt", "folder", *(f"shapefile {e}" for e in (".dbf", ".shx", ".prj", ".cpg")),
    *(f"raster, of its stem {e}" for e in (".tfw", ".TFW", ".tifw", ".wld", ".prj", ".hdr")),
    *(f"raster {e}" for e in (".aux.xml", ".ovr", ".msk")),
]  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_every_part_counts(kind: str, tmp_path: Path) -> None:
    path, part = container(kind, tmp_path)
    assert part.absolute() in [p.absolute() for p in parts_of(path)]
    before = file_sha256(path)
    assert file_sha256(path) == before
    (tmp_path / "neighbour.txt").write_text("nothing to do with it")
    assert file_sha256(path) == before
    data = bytearray(part.read_bytes())
    data[-1] ^= 1
    part.write_bytes(data)
    assert file_sha256(path) != before


def test_a_file_that_stands_alone_has_its_own_hash(tmp_path: Path) -> None:
    path = tif(tmp_path / "t.tif")
    assert file_sha256(path) == hashlib.sha256(path.read_bytes()).hexdigest()
    side = tmp_path / "t.tfw"
    side.write_text("1\n")
    listed = "".join(f"{hashlib.sha256(p.read_bytes()).hexdigest()}  {p.name}\n" for p in (path, side))
    assert file_sha256(path) == hashlib.sha256(listed.encode()).hexdigest()


def test_tiles_that_change_places_are_another_mosaic(tmp_path: Path) -> None:
    path = vrt(tmp_path / "all.vrt", "a.tif", "b.tif")
    a, b = tif(tmp_path / "a.tif", 1.0), tif(tmp_path / "b.tif", 2.0)
    before = file_sha256(path)
    a.rename(tmp_path / "c.tif")
    b.rename(a)
    (tmp_path / "c.tif").rename(b)
    assert file_sha256(path) != before


def test_a_vrt_of_itself_and_a_damaged_one_end(tmp_path: Path) -> None:
    loop = vrt(tmp_path / "a.vrt", "b.vrt")
    vrt(tmp_path / "b.vrt", "a.vrt", "missing.tif", "https://example.org/x.tif")
    assert [p.name for p in parts_of(loop)] == ["a.vrt", "b.vrt"]
    (tmp_path / "cut.vrt").write_text("<VRTDataset><VRTRasterBand>", encoding="utf-8")
    assert parts_of(tmp_path / "cut.vrt") == (tmp_path / "cut.vrt",)
    assert parts_of(tmp_path / "nothing.tif") == ()


def test_looking_at_a_raster_in_a_gis_changes_nothing(tmp_path: Path) -> None:
    path = tif(tmp_path / "t.tif")
    before = file_sha256(path)
    aux = tmp_path / "t.tif.aux.xml"
    aux.write_text(AUX.format(key="STATISTICS_MEAN"), encoding="utf-8")
    assert file_sha256(path) == before
    aux.write_text(AUX.format(key="scale"), encoding="utf-8")
    assert file_sha256(path) != before


def test_of_too_much_to_read_the_edges_and_times_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, part = container("vrt", tmp_path)
    monkeypatch.setattr(contents, "WHOLE_BYTES", 100)
    before = file_sha256(path)
    assert file_sha256(path) == before
    about = part.stat()
    os.utime(part, ns=(about.st_atime_ns, about.st_mtime_ns + 1_000_000))
    assert file_sha256(path) != before


def test_a_file_written_again_within_the_tick_of_the_clock_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(b"one")
    about = path.stat()
    first = file_sha256(path)
    path.write_bytes(b"two")
    os.utime(path, ns=(about.st_atime_ns, about.st_mtime_ns))
    assert file_sha256(path) != first


def replace(path: Path) -> None:
    other = path.with_name("other")
    other.write_bytes(path.read_bytes()[:-1] + b"?")
    os.replace(other, path)


def rewrite_with_its_times(path: Path) -> None:
    about = path.stat()
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    os.utime(path, ns=(about.st_atime_ns, about.st_mtime_ns))


@pytest.mark.parametrize("change", [replace, rewrite_with_its_times, Path.unlink, lambda p: p.write_bytes(b"")])
@pytest.mark.parametrize("kind", ["vrt", "folder", "shapefile .dbf"])
def test_a_change_while_it_is_read_is_named(kind: str, change: Callable[[Path], object], tmp_path: Path) -> None:
    path, part = container(kind, tmp_path)
    watch = Watch([path])
    file_sha256(path)
    watch.check_all()
    change(part)
    with pytest.raises(ChangedError) as caught:
        watch.check()
    assert str(part) in str(caught.value) and str(part) in caught.value.render("zh")


def test_the_same_contents_again_are_no_change_but_are_counted(tmp_path: Path) -> None:
    path = tif(tmp_path / "t.tif")
    watch = Watch([path])
    file_sha256(path)
    assert watch.check() == 0
    path.write_bytes(path.read_bytes())
    os.utime(path)
    assert watch.check() == 1
    assert watch.check() == 1
    shutil.copy(path, tmp_path / "away.tif")
    replace(path)
    os.replace(tmp_path / "away.tif", path)  # there and back: what was read in between may be the other one
    assert watch.check() == 2


def test_a_side_file_that_appears_is_a_change(tmp_path: Path) -> None:
    path = tif(tmp_path / "t.tif")
    watch = Watch([path])
    (tmp_path / "t.tif.aux.xml").write_text(AUX.format(key="STATISTICS_MEAN"), encoding="utf-8")
    watch.check_all()
    (tmp_path / "t.tfw").write_text("1\n")
    with pytest.raises(ChangedError, match=r"t\.tfw"):
        watch.check_all()


def test_a_database_that_reading_tidies_up_is_not_called_changed(tmp_path: Path) -> None:
    """Another program was killed while it had the GeoPackage open: its journal is part of what is read."""
    path = tmp_path / "b.gpkg"
    pyogrio.write_dataframe(gpd.GeoDataFrame({"a": [1]}, geometry=[shapely.box(0, 0, 1, 1)], crs=4549), path)
    other = sqlite3.connect(path)
    other.execute("pragma journal_mode=wal")
    other.execute("update gpkg_contents set description='x'")
    other.commit()
    for ending in ("", "-wal"):
        shutil.copy(f"{path}{ending}", tmp_path / f"c.gpkg{ending}")
    other.close()
    left = tmp_path / "c.gpkg"
    assert [p.name for p in parts_of(left)] == ["c.gpkg", "c.gpkg-wal"]
    watch = Watch([left])
    pyogrio.read_dataframe(left)
    assert not (tmp_path / "c.gpkg-wal").exists()
    file_sha256(left)
    watch.check_all()
    replace(left)
    with pytest.raises(ChangedError):
        watch.check()
