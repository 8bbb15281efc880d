"""Inputs are somebody else's files: they neither reach the network, nor other files, nor fill the memory."""

from __future__ import annotations

import gzip
import json
import re
import socketserver
import sqlite3
import threading
import zipfile
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pytest
import shapely
from pyproj import CRS

from city_models import Model, gable
from rasters import write_raster
from rooftop.config import ElevationInput, Inputs, RoofsInput
from rooftop.core.errors import InputError
from rooftop.inputs.access import grant_access
from rooftop.inputs.cityjson import read_roofs
from rooftop.inputs.elevation import Elevation, open_elevation
from rooftop.inputs.tabular import read_rows
from rooftop.inputs.vectors import read_vector

CRS_M = CRS("EPSG:4549")
X, Y = 500_000.0, 3_830_000.0


class Listener:
    """A server on this machine that counts who comes."""

    def __init__(self) -> None:
        self.visits = 0
        outer = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                outer.visits += 1
                self.wfile.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")

        self.server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture()
def listener() -> Iterator[Listener]:
    found = Listener()
    yield found
    found.server.shutdown()
    found.server.server_close()


def allowing(**keys: Any) -> Inputs:
    return Inputs.model_construct(**{"allow_remote": False, "max_unpacked_mb": None, **keys})


def tile(path: Path, west: float = X, value: float = 20.0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    return write_raster(path, np.full((50, 50), value), west, Y + 50, 1.0, crs="EPSG:4549", nodata=-9999.0)


def simple_source(name: str, relative: int = 1, x: int = 0) -> str:
    return (
        f'<SimpleSource><SourceFilename relativeToVRT="{relative}">{name}</SourceFilename><SourceBand>1</SourceBand>'
        f'<SrcRect xOff="0" yOff="0" xSize="50" ySize="50"/><DstRect xOff="{x}" yOff="0" xSize="50" ySize="50"/>'
        "</SimpleSource>"
    )


def vrt(path: Path, *sources: str, band: str = "", root: str = "", prolog: str = "") -> Path:
    wkt = CRS_M.to_wkt().replace('"', "&quot;")
    path.write_text(
        f'{prolog}<VRTDataset rasterXSize="100" rasterYSize="50"{root}><SRS>{wkt}</SRS>'
        f"<GeoTransform>{X}, 1.0, 0.0, {Y + 50}, 0.0, -1.0</GeoTransform>"
        f'<VRTRasterBand dataType="Float32" band="1"{band}><NoDataValue>-9999</NoDataValue>{"".join(sources)}'
        "</VRTRasterBand></VRTDataset>",
        encoding="utf-8",
    )
    return path


def opened(path: Path) -> Elevation:
    return open_elevation(ElevationInput(path=[path]), CRS_M, "inputs.dtm")


# --- rasters that refer to others ------------------------------------------------------------------------------------


def test_a_mosaic_of_what_lies_beside_and_below_it_is_read_and_its_sources_are_named(tmp_path: Path) -> None:
    tile(tmp_path / "a.tif", X, 20.0)
    tile(tmp_path / "tiles" / "b.tif", X + 50, 30.0)
    inner = vrt(tmp_path / "tiles" / "inner.vrt", simple_source("b.tif"))
    assert inner.is_file()
    path = vrt(tmp_path / "all.vrt", simple_source("a.tif"), simple_source("tiles/inner.vrt", x=50))
    found = opened(path)
    assert found.window(X, Y + 50, 1.0, 50, 100)[10, [10, 60]].tolist() == [20.0, 30.0]
    assert found.provenance.details["sources"] == "3: a.tif, tiles/inner.vrt, tiles/b.tif"


RAW = (
    '<SourceFilename relativeToVRT="1">a.tif</SourceFilename><ImageOffset>0</ImageOffset><PixelOffset>4</PixelOffset>'
    "<LineOffset>200</LineOffset>"
)
PYTHON = "<PixelFunctionType>f</PixelFunctionType><PixelFunctionLanguage>Python</PixelFunctionLanguage>"
BOMB = '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
REFERRING: dict[str, Callable[[Path, str], Path]] = {
    "vsicurl": lambda d, url: vrt(d / "x.vrt", simple_source(f"/vsicurl/{url}/a.tif", 0)),
    "url": lambda d, url: vrt(d / "x.vrt", simple_source(f"{url}/a.tif", 0)),
    "connection": lambda d, url: vrt(d / "x.vrt", simple_source(f'NETCDF:"{url}/a.nc":v', 0)),
    "above": lambda d, url: vrt(d / "x.vrt", simple_source("../elsewhere/a.tif")),
    "absolute": lambda d, url: vrt(d / "x.vrt", simple_source(str(d.parent / "elsewhere" / "a.tif"), 0)),
    "archive": lambda d, url: vrt(d / "x.vrt", simple_source("/vsizip/a.zip/a.tif", 0)),
    "missing": lambda d, url: vrt(d / "x.vrt", simple_source("none.tif")),
    "inline": lambda d, url: vrt(d / "x.vrt", simple_source("&lt;VRTDataset rasterXSize='1'/&gt;", 0)),
    "raw bytes": lambda d, url: vrt(d / "x.vrt", RAW, band=' subClass="VRTRawRasterBand"'),
    "python": lambda d, url: vrt(d / "x.vrt", simple_source("a.tif"), PYTHON, band=' subClass="VRTDerivedRasterBand"'),
    "warped": lambda d, url: vrt(d / "x.vrt", simple_source("a.tif"), root=' subClass="VRTWarpedDataset"'),
    "other case": lambda d, url: vrt(d / "x.vrt", simple_source(f"{url}/a.tif").replace("SourceFile", "sourcefile")),
    "entities": lambda d, url: vrt(d / "x.vrt", simple_source("a.tif"), prolog=BOMB),
    "nested": lambda d, url: vrt(
        d / "x.vrt", simple_source(vrt(d / "y.vrt", simple_source(f"/vsicurl/{url}/a.tif", 0)).name)
    ),
    "itself": lambda d, url: vrt(d / "x.vrt", simple_source("x.vrt")),
    "a service as a source": lambda d, url: vrt(d / "x.vrt", simple_source(service(d / "s.tif", url).name)),
    "a service": lambda d, url: service(d / "s.xml", url),
    "a service called tif": lambda d, url: service(d / "s.tif", url),
    "cut": lambda d, url: cut(vrt(d / "x.vrt", simple_source("a.tif"))),
    "a link": lambda d, url: vrt(d / "x.vrt", simple_source(linked(d / "l.tif").name)),
}


def linked(path: Path) -> Path:
    path.symlink_to(path.parent.parent / "elsewhere" / "a.tif")
    return path


def cut(path: Path) -> Path:
    path.write_text(path.read_text()[:-30])
    return path


def service(path: Path, url: str) -> Path:
    path.write_text(
        f'<GDAL_WMS><Service name="TMS"><ServerUrl>{url}/${{z}}/${{x}}/${{y}}.png</ServerUrl></Service><DataWindow>'
        "<UpperLeftX>0</UpperLeftX><UpperLeftY>90</UpperLeftY><LowerRightX>180</LowerRightX><LowerRightY>0</LowerRightY>"
        "<TileLevel>3</TileLevel><TileCountX>1</TileCountX><TileCountY>1</TileCountY></DataWindow>"
        "<Projection>EPSG:4326</Projection></GDAL_WMS>"
    )
    return path


@pytest.mark.parametrize("kind", REFERRING)
def test_a_raster_that_refers_elsewhere_is_refused_before_anything_is_fetched(
    kind: str, tmp_path: Path, listener: Listener
) -> None:
    tile(tmp_path / "elsewhere" / "a.tif")
    tile(tmp_path / "here" / "a.tif")
    path = REFERRING[kind](tmp_path / "here", listener.url)
    with pytest.raises(InputError) as caught:
        opened(path)
    assert path.name in str(caught.value) and caught.value.details["mend"]
    assert listener.visits == 0


def test_what_the_configuration_allows_is_read(tmp_path: Path, listener: Listener) -> None:
    tile(tmp_path / "elsewhere" / "a.tif")
    (tmp_path / "here").mkdir()
    path = REFERRING["above"](tmp_path / "here", "")
    with grant_access(allowing(allow_remote=True)):
        found = opened(path)
    assert found.window(X, Y + 50, 1.0, 50, 50)[5, 5] == 20.0  # outside the block too: what was allowed stays allowed
    remote = REFERRING["vsicurl"](tmp_path / "here", listener.url)
    with grant_access(allowing(allow_remote=True)), pytest.raises(InputError):
        opened(remote).window(X, Y + 50, 1.0, 50, 50)
    assert listener.visits > 0  # the proof that the listener would have heard the others


def test_a_vector_file_of_another_is_read_where_that_is_allowed(tmp_path: Path) -> None:
    buildings().to_file(tmp_path / "town.geojson")
    path = _ogr_vrt(tmp_path, str(tmp_path / "town.geojson"), "x.xml")
    with grant_access(allowing(allow_remote=True)):
        assert len(read_vector(path, {"id": "bid"}, role="inputs.footprints").table) == 3


def test_overviews_kept_elsewhere_are_not_followed(tmp_path: Path, listener: Listener) -> None:
    path = tile(tmp_path / "a.tif")
    (tmp_path / "a.tif.aux.xml").write_text(
        '<PAMDataset><Metadata domain="OVERVIEWS">'
        f'<MDI key="OVERVIEW_FILE">/vsicurl/{listener.url}/o.ovr</MDI></Metadata></PAMDataset>'
    )
    with pytest.raises(InputError, match=r"a\.tif"):
        opened(path)
    assert listener.visits == 0


# --- vectors that refer to others ------------------------------------------------------------------------------------


def buildings() -> gpd.GeoDataFrame:
    boxes = [shapely.box(119.2 + 0.0006 * k, 34.6, 119.2 + 0.0006 * k + 0.0004, 34.6003) for k in range(3)]
    return gpd.GeoDataFrame({"bid": ["b0", "b1", "b2"]}, geometry=boxes, crs="EPSG:4326")


def _ogr_vrt(folder: Path, source: str, name: str = "x.vrt") -> Path:
    path = folder / name
    path.write_text(
        f'<OGRVRTDataSource><OGRVRTLayer name="town"><SrcDataSource>{source}</SrcDataSource></OGRVRTLayer>'
        "</OGRVRTDataSource>"
    )
    return path


def _linked_crs(folder: Path, url: str) -> Path:
    document = json.loads(buildings().to_json())
    document["crs"] = {"type": "link", "properties": {"href": f"{url}/crs", "type": "ogcwkt"}}
    path = folder / "x.geojson"
    path.write_text(json.dumps(document))
    return path


def _in_zip(folder: Path, url: str) -> Path:
    inner = _ogr_vrt(folder, f"/vsicurl/{url}/a.geojson", "inner.vrt")
    with zipfile.ZipFile(folder / "x.zip", "w") as archive:
        archive.write(inner, "inner.vrt")
    return folder / "x.zip"


def _pipeline(folder: Path, url: str) -> Path:
    command = f"gdal vector pipeline ! read /vsicurl/{url}/a.geojson ! write --output-format stream streamed"
    path = folder / "x.gdalg.json"
    path.write_text(json.dumps({"type": "gdal_streamed_alg", "command_line": command}))
    return path


def _kml(folder: Path, url: str) -> Path:
    path = folder / "x.kml"
    path.write_text(BOMB + '<kml xmlns="http://www.opengis.net/kml/2.2"><Document><name>&b;</name></Document></kml>')
    return path


def _wfs(folder: Path, url: str) -> Path:
    path = folder / "x.xml"
    path.write_text(f"<OGRWFSDataSource><URL>{url}/wfs</URL></OGRWFSDataSource>")
    return path


VECTORS: dict[str, Callable[[Path, str], Path]] = {
    "a VRT of a file": lambda d, url: _ogr_vrt(d, "town.geojson"),
    "a VRT of an address": lambda d, url: _ogr_vrt(d, f"/vsicurl/{url}/a.geojson"),
    "a VRT called geojson": lambda d, url: _ogr_vrt(d, f"/vsicurl/{url}/a.geojson", "x.geojson"),
    "a CRS to fetch": _linked_crs,
    "a VRT in an archive": _in_zip,
    "a pipeline": _pipeline,
    "entities": _kml,
    "a service": _wfs,
}


@pytest.mark.parametrize("kind", VECTORS)
def test_a_vector_file_that_refers_elsewhere_is_refused(kind: str, tmp_path: Path, listener: Listener) -> None:
    buildings().to_file(tmp_path / "town.geojson")
    path = VECTORS[kind](tmp_path, listener.url)
    with pytest.raises(InputError) as caught:
        read_vector(path, {}, role="inputs.footprints")
    assert path.name in str(caught.value) and caught.value.details["mend"]
    assert listener.visits == 0


@pytest.mark.parametrize(
    "name", ["http://example.org/a.gpkg", "/vsicurl/http://example.org/a.gpkg", "WFS:http://x/y", "PG:dbname=x"]
)
def test_addresses_and_connections_are_no_files(name: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not exist") as caught:
        read_vector(tmp_path / name, {}, role="inputs.footprints")
    assert "only files on this machine" in str(caught.value)
    with pytest.raises(InputError, match="does not exist"):
        opened(tmp_path / name)


def test_a_variable_written_into_the_path_is_told_apart(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"path: two\.nc, variable: ghi"):
        opened(tmp_path / "NETCDF:two.nc:ghi")


def test_files_are_opened_in_one_place(repo: Path) -> None:
    doors = {
        "rasters.py",
        "vector_files.py",
        "layers.py",
        "geometries.py",
        "geoparquet.py",
        "exact_rows.py",
        "tabular.py",
        "laz_points.py",
    }
    opening = re.compile(
        r"\b(rasterio\.open|pyogrio\.(read|list|raw)|DatasetReader\(|read_parquet|ParquetFile|gpd\.read)"
    )
    rooms = sorted((repo / "src" / "rooftop" / "inputs").glob("*.py"))
    elsewhere = [p.name for p in rooms if p.name not in doors and opening.search(p.read_text(encoding="utf-8"))]
    assert len(rooms) > 20 and not elsewhere


# --- names as people write them --------------------------------------------------------------------------------------

NAMES = [
    "final!", "a;b", "50% 25", "what?", "nr #3", "（甲）【乙】", "data.zip", "end.", "it's \"so\"", "a&b+c", "x=y,z",
    "{a}", "[b]", "a:b", "tab\there", "~home", "$HOME", "*", "长" * 60, " lead", "&amp;", "%21!", "-dash",
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_files_are_read_whatever_their_folder_and_name(name: str, tmp_path: Path) -> None:
    folder = tmp_path / name / "inner"
    folder.mkdir(parents=True)
    table = buildings()
    paths = [folder / f"{name}{suffix}" for suffix in (".gpkg", ".geojson", ".fgb", ".parquet")]
    plain = folder / "plain.shp"
    for path in [*paths, plain]:
        made = tmp_path / f"made{path.suffix}"
        if path.suffix == ".parquet":
            table.to_parquet(path)
        elif path.suffix == ".shp":
            table.to_file(made, engine="pyogrio")
            for part in tmp_path.glob("made.*"):
                if part.suffix in (".shp", ".shx", ".dbf", ".prj", ".cpg"):
                    part.rename(path.with_suffix(part.suffix))
        else:
            table.to_file(made, engine="pyogrio")
            made.rename(path)
    for path in [*paths, plain]:
        found = read_vector(path, {"id": "bid"}, role="inputs.footprints")
        assert sorted(found.table["bid"]) == ["b0", "b1", "b2"], path.suffix
        assert not shapely.is_missing(found.geometry).any()
    tile(folder / f"{name}.tif")
    assert opened(folder / f"{name}.tif").window(X, Y + 50, 1.0, 5, 5).tolist() == [[20.0] * 5] * 5
    (folder / f"{name}.csv").write_text("a,b\n1,2\n")
    assert read_rows(folder / f"{name}.csv", None, None, "")[0][""] == [["a", "b"], ["1", "2"]]
    model = Model(origin=(X, Y, 0.0))
    model.add("a", gable(X, Y))
    assert len(read_roofs(RoofsInput(path=model.write(folder / f"{name}.json")), CRS_M).rings) == 2


def test_workbooks_are_read_whatever_their_folder(tmp_path: Path) -> None:
    xlsxwriter = pytest.importorskip("xlsxwriter")
    for name in NAMES:
        folder = tmp_path / name
        folder.mkdir()
        book = xlsxwriter.Workbook(str(folder / "a.xlsx"))
        book.add_worksheet("s").write_row(0, 0, ["a", "b"])
        book.close()
        assert read_rows(folder / "a.xlsx", None, None, "")[0] == {"s": [["a", "b"]]}


def test_names_that_no_file_system_takes_are_refused(tmp_path: Path) -> None:
    for path in (tmp_path / ("长" * 5000), tmp_path / "a\x00b"):
        with pytest.raises(InputError, match=r"(does not exist|cannot be opened)"):
            read_vector(path, {}, role="inputs.footprints")
        with pytest.raises(InputError):
            opened(path)


# --- sizes -----------------------------------------------------------------------------------------------------------


def test_what_unpacks_to_more_than_the_memory_is_refused_unpacked(tmp_path: Path) -> None:
    bomb = tmp_path / "city.json.gz"
    bomb.write_bytes(gzip.compress(b'{"type": "CityJSON", "version": "2.0"' + b" " * 8_000_000 + b"}"))
    with grant_access(allowing(max_unpacked_mb=4.0)), pytest.raises(InputError, match="too large") as caught:
        read_roofs(RoofsInput(path=bomb), CRS_M)
    assert "max_unpacked_mb" in str(caught.value)
    with zipfile.ZipFile(tmp_path / "town.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("town.shp", b"\0" * 8_000_000)
    with grant_access(allowing(max_unpacked_mb=4.0)), pytest.raises(InputError, match="too large"):
        read_vector(tmp_path / "town.zip", {}, role="inputs.footprints")
    with zipfile.ZipFile(tmp_path / "a.xlsx", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b" " * 8_000_000)
    with grant_access(allowing(max_unpacked_mb=4.0)), pytest.raises(InputError, match="too large"):
        read_rows(tmp_path / "a.xlsx", None, None, "inputs.schedule")


def test_a_file_that_claims_more_rows_than_it_has_bytes_is_damaged(tmp_path: Path) -> None:
    path = tmp_path / "town.gpkg"
    buildings().to_file(path)
    with closing(sqlite3.connect(path)) as lying, lying:
        lying.execute("UPDATE gpkg_ogr_contents SET feature_count = 1000000000000")
    with pytest.raises(InputError, match="damaged"):
        read_vector(path, {"id": "bid"}, role="inputs.footprints")


def test_empty_rows_of_a_workbook_cost_nothing_and_a_far_cell_is_named(tmp_path: Path) -> None:
    xlsxwriter = pytest.importorskip("xlsxwriter")
    book = xlsxwriter.Workbook(str(tmp_path / "empty.xlsx"))
    sheet, red = book.add_worksheet(), book.add_format({"bg_color": "red"})
    sheet.write_row(0, 0, ["a", "b"])
    for row in range(1, 20_000):
        sheet.write_blank(row, 0, None, red)
    book.close()
    assert list(read_rows(tmp_path / "empty.xlsx", None, None, "")[0].values()) == [[["a", "b"]]]
    book = xlsxwriter.Workbook(str(tmp_path / "far.xlsx"))
    book.add_worksheet().write(1_048_575, 2, "x")
    book.close()
    with pytest.raises(InputError, match="1,048,576"):
        read_rows(tmp_path / "far.xlsx", None, None, "inputs.schedule")
