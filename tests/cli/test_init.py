"""`rooftop init`: a sentence for what is no footprint file; what it writes runs, or it says what is left to do."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pytest
import rasterio
import shapely
import xlsxwriter
from rasterio.transform import from_origin

from rasters import write_raster
from rooftop.cli.starter import write_starter
from rooftop.configfile import load_config
from rooftop.core.errors import InputError, StorageError
from rooftop.core.irradiance_units import unit_factor
from rooftop.inputs.guess_irradiance import guess_irradiance
from rooftop.job.sources import read_sources
from rooftop.weather.clear_sky import DAYS_IN_MONTH

MONTHS = np.array([75, 85, 115, 140, 155, 145, 150, 145, 120, 105, 85, 75], dtype=float)  # kWh/m², 1 395 a year
ROWS: dict[str, list[Any]] = {
    "编号": ["00123", "1E10", "b3"],
    "高度": [9.0, 12.0, 6.0],
    "用途": ["住宅", "厂房", "车棚"],
}


def town(path: Path, columns: dict[str, list[Any]] = ROWS, crs: int | None = 4326, **options: Any) -> Path:
    shapes = [shapely.box(119.2 + k * 1e-3, 34.6, 119.2004 + k * 1e-3, 34.6003) for k in range(len(columns["高度"]))]
    frame = gpd.GeoDataFrame(columns, geometry=shapes, crs=4326)
    pyogrio.write_dataframe(frame if crs is None else frame.to_crs(crs), path, **options)
    return path


def raster(path: Path, bands: np.ndarray, unit: str | None = None) -> Path:
    cells = np.broadcast_to(bands[:, None, None], (len(bands), 8, 8))
    return write_raster(path, cells, 118.0, 36.0, 0.4, units=None if unit is None else [unit] * len(bands))


def _text(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def _workbook(path: Path) -> Path:
    with xlsxwriter.Workbook(str(path)) as book:
        book.add_worksheet().write_row(0, 0, ["编号", "层数", "经度", "纬度"])
    return path


def _table_in_gpkg(path: Path) -> Path:
    pyogrio.write_dataframe(pd.DataFrame({"a": ["1", "2"]}), path)
    return path


def _no_shapes(path: Path) -> Path:
    frame = gpd.GeoDataFrame({"高度": [1.0, 2.0]}, geometry=[None, None], crs=4326)
    pyogrio.write_dataframe(frame, path, geometry_type="Polygon")
    return path


def _without_crs(path: Path) -> Path:
    path.with_suffix(".prj").unlink()
    return path


def _folder(path: Path, *names: str) -> Path:
    path.mkdir()
    for name in names:
        town(path / name)
    return path


def _zip(path: Path) -> Path:
    with zipfile.ZipFile(path, "w") as parts:
        parts.writestr("读我.txt", "x")
    return path


TABLE = ("rooftop audit", "GeoPackage")
OTHER_KINDS: dict[str, tuple[Callable[[Path], Path], tuple[str, ...]]] = {
    "房屋.xlsx": (_workbook, TABLE),
    "旧.xls": (lambda p: _text(p, b"\xd0\xcf\x11\xe0" + bytes(600)), TABLE),
    "房屋.csv": (lambda p: _text(p, "编号,层数\na,3\n".encode()), TABLE),
    "gbk.csv": (lambda p: _text(p, "编号,层数\na,3\n".encode("gbk")), TABLE),
    "t.gpkg": (_table_in_gpkg, TABLE),
    "GHI.tif": (lambda p: raster(p, MONTHS), ("raster", "--irradiance")),
    "a.laz": (lambda p: _text(p, b"LASF" + bytes(300)), ("point cloud", "inputs.dsm")),
    "city.json": (lambda p: _text(p, b'{"type":"CityJSON","version":"1.1"}'), ("roof model", "inputs.roofs")),
    "a.dwg": (lambda p: _text(p, b"AC1032"), ("drawing", "DXF")),
    "a.rar": (lambda p: _text(p, b"Rar!"), ("archive", "unpack")),
    "leer.zip": (_zip, ("leer.zip",)),
    "a.qgz": (lambda p: _text(p, b"PK"), ("project",)),
    "a.shx": (lambda p: _text(p, b"\0\0\x27\x0a"), (".shp",)),
    "empty.gpkg": (lambda p: _text(p, b""), ("empty", "0 bytes")),
    "folder": (_folder, ("folder",)),
    "mixed": (lambda p: _folder(p, "b.gpkg"), ("give one of its files: b.gpkg",)),
    "nothing.gpkg": (_no_shapes, ("no row has a polygon",)),
}


@pytest.mark.parametrize("name", OTHER_KINDS)
def test_what_is_no_footprint_file_gets_a_sentence_and_its_mend(tmp_path: Path, name: str) -> None:
    make, words = OTHER_KINDS[name]
    with pytest.raises(InputError) as caught:
        write_starter("lianyungang", make(tmp_path / name), (), tmp_path / "c.yaml", lang="en")
    for lang in ("en", "zh"):
        assert name in caught.value.render(lang)
    assert all(word in caught.value.render("en") for word in words), caught.value.render("en")
    assert caught.value.details["mend"] is not None
    assert not (tmp_path / "c.yaml").exists()


FILES: dict[str, Callable[[Path], Path]] = {
    "gpkg": lambda p: town(p / "房屋.gpkg"),
    "gbk shapefile": lambda p: town(p / "房屋.shp", encoding="GBK"),
    "geojson": lambda p: town(p / "b.geojson"),
    "metres": lambda p: town(p / "b.gpkg", crs=4549),
    "folder of a shapefile": lambda p: _folder(p / "轮廓", "b.shp"),
    "no crs": lambda p: _without_crs(town(p / "b.shp")),
    "no heights": lambda p: town(p / "b.gpkg", {"高度": [None, None, None], "名称": ["a", "b", "c"]}),
    "existing PV in MW": lambda p: town(p / "b.gpkg", {**ROWS, "装机容量MW": [0.01, 0.02, 0.0]}),
}
YEAR = np.array([MONTHS.sum()])
RASTERS: dict[str, Callable[[Path], list[Path]]] = {
    "12 bands": lambda p: [raster(p / "GHI.tif", MONTHS)],
    "a year": lambda p: [raster(p / "GHI.tif", YEAR)],
    "a day": lambda p: [raster(p / "GHI.tif", YEAR / 365.0)],
    "MJ": lambda p: [raster(p / "GHI.tif", YEAR / 365.0 * 3.6)],
    "12 files": lambda p: [raster(p / f"ghi_{m}.tif", MONTHS[m - 1 : m]) for m in range(1, 13)],
    "a folder": lambda p: [_months(p / "逐月")],
}


def _months(folder: Path) -> Path:
    """Twelve rasters whose names sort as 1, 10, 11, 12, 2 …"""
    folder.mkdir()
    for month in range(1, 13):
        raster(folder / f"GHI_{month}.tif", MONTHS[month - 1 : month])
    return folder


@pytest.mark.parametrize(
    ("footprints", "rasters"), [*((name, "12 bands") for name in FILES), *(("gpkg", name) for name in RASTERS)]
)
def test_what_init_writes_check_accepts(tmp_path: Path, footprints: str, rasters: str) -> None:
    out = tmp_path / "配置" / "c.yaml"
    lines = write_starter("lianyungang", FILES[footprints](tmp_path), RASTERS[rasters](tmp_path), out, lang="en")
    assert not any("left to do" in line for line in lines), "\n".join(lines)
    sources = read_sources(load_config(out))
    assert sources.irradiance.ghi_annual_kwh_m2 == pytest.approx(MONTHS.sum(), rel=1e-3)
    if rasters in ("12 bands", "12 files", "a folder"):
        assert sources.irradiance.ghi_kwh_m2 is not None
        np.testing.assert_allclose(sources.irradiance.ghi_kwh_m2[0], MONTHS, rtol=1e-3)
    if "MW" in footprints:
        assert sources.buildings["existing_pv_kwp"].tolist() == [10.0, 20.0, 0.0]


UNITS = ("kWh/m2/day", "kWh/m2/month", "MJ/m2/day", "W/m2")


@pytest.mark.parametrize(
    ("unit", "monthly"),
    [*((u, m) for u in UNITS for m in (False, True)), ("kWh/m2/year", False), ("MJ/m2/year", False)],
)
def test_the_unit_is_guessed_from_the_values_or_named_beside_it(tmp_path: Path, unit: str, monthly: bool) -> None:
    days = DAYS_IN_MONTH.astype(float) if monthly else np.array([365.0])
    stored = (MONTHS if monthly else YEAR) / unit_factor(unit, days)
    found = guess_irradiance([raster(tmp_path / "a.tif", stored)], (119.2, 34.6))
    assert found.period == ("monthly" if monthly else "annual")
    assert unit in (found.unit, *found.unit_remark.en.split("; ")[-1].removesuffix(" would fit too").split(", "))
    assert "guessed" in found.unit_remark.en and "推断" in found.unit_remark.zh
    if unit in ("kWh/m2/day", "kWh/m2/year", "MJ/m2/day") or (monthly and unit == "kWh/m2/month"):
        assert found.unit == unit


@pytest.mark.parametrize("said", ["W/m2", "W m-2", "W m**-2", "W/m²", "w/m^2"])
def test_a_unit_that_the_file_states_is_taken(tmp_path: Path, said: str) -> None:
    found = guess_irradiance([raster(tmp_path / "a.tif", MONTHS / 0.73, said)])
    assert found.unit == "W/m2" and "file says" in found.unit_remark.en


def test_what_is_left_is_said(tmp_path: Path) -> None:
    out = tmp_path / "c.yaml"
    far = raster(tmp_path / "g.tif", MONTHS)
    with rasterio.open(far, "r+") as source:
        source.transform = from_origin(10.0, 50.0, 0.4, 0.4)
    said = "\n".join(write_starter("lianyungang", town(tmp_path / "b.gpkg"), [far], out, lang="en"))
    assert "left to do" in said and "the raster lies elsewhere" in said
    strange = raster(tmp_path / "x.tif", MONTHS * 1e-3)
    said = "\n".join(write_starter("lianyungang", tmp_path / "b.gpkg", [strange], out, force=True, lang="en"))
    assert "fit no unit" in said and "left to do" in said
    watts = town(tmp_path / "w.gpkg", {**ROWS, "装机容量": [100_000.0, 90_000.0, 120_000.0]})
    said = "\n".join(write_starter("lianyungang", watts, (), out, force=True, lang="en"))
    assert "capacity_unit: W" in said and "name the GHI raster" in said


@pytest.mark.parametrize("bands", [2, 5, 13])
def test_another_number_of_bands_is_refused(tmp_path: Path, bands: int) -> None:
    with pytest.raises(InputError, match="12"):
        guess_irradiance([raster(tmp_path / "a.tif", np.full(bands, 100.0))])


def test_no_raster_and_no_folder_of_rasters(tmp_path: Path) -> None:
    for path in (_text(tmp_path / "a.tif", b"x"), _folder(tmp_path / "f"), tmp_path / "none.tif"):
        with pytest.raises(InputError):
            guess_irradiance([path])


def test_a_layer_of_several_is_named_by_an_option(tmp_path: Path) -> None:
    path = town(tmp_path / "b.gpkg", layer="房屋")
    pyogrio.write_dataframe(pyogrio.read_dataframe(path), path, layer="地块", append=True)
    with pytest.raises(InputError, match="--layer"):
        write_starter("lianyungang", path, (), tmp_path / "c.yaml")
    write_starter("lianyungang", path, (), tmp_path / "c.yaml", layer="房屋")
    assert load_config(tmp_path / "c.yaml").inputs.footprints.layer == "房屋"


def test_a_pack_by_its_path_is_found_from_where_the_configuration_lies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from rooftop.core.resources import configs_dir

    (tmp_path / "mine.yaml").write_bytes((configs_dir() / "policies" / "shanxi.yaml").read_bytes())
    monkeypatch.chdir(tmp_path)
    write_starter("mine.yaml", None, (), Path("deep/c.yaml"))
    assert Path(str(load_config(Path("deep/c.yaml")).policy)).resolve() == tmp_path / "mine.yaml"


def test_a_place_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x", encoding="utf-8")
    for out in (tmp_path / "file" / "c.yaml", tmp_path):
        with pytest.raises(StorageError) as caught:
            write_starter("lianyungang", None, (), out, force=True)
        assert "-o" in caught.value.render("en")
