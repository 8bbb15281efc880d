"""A town of a dozen buildings in every format that is read: what the mutator damages."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import shapely
import yaml
from numpy.typing import NDArray
from pyproj import CRS, Transformer
from scipy.io import netcdf_file

from city_models import Model, gable
from rasters import write_raster
from rooftop.core.resources import configs_dir

CRS_M = "EPSG:4549"
X, Y = 500_000.0, 3_830_000.0
WIDTH, HEIGHT = 120, 100
_TO_LONLAT = Transformer.from_crs(CRS_M, "EPSG:4326", always_xy=True)
FIELDS = {
    "id": "bid", "height_m": "h", "floors": "fl", "building_use": "use", "year_built": "year",
    "is_public_institution": "public", "building_name": "label", "existing_pv_kwp": "pv",
}  # fmt: skip


@dataclass(frozen=True)
class Kind:
    """One format that is damaged.

    Parameters
    ----------
    target : str
        File that is damaged, by its name in the town's folder.
    syntax : str
        How it is damaged besides its bytes: ``json``, ``table``, ``sqlite``, ``yaml``, ``xml``, ``zip``, ``text``, or
        ``binary`` for bytes alone.
    inputs : dict
        What it changes under ``inputs`` of the configuration.
    parts : tuple of str
        Files that belong to it and may be damaged in its stead.
    more : dict
        What it changes beside ``inputs``.
    """

    target: str
    syntax: str
    inputs: dict[str, Any]
    parts: tuple[str, ...] = ()
    more: dict[str, Any] = field(default_factory=dict)


def _footprints(path: str) -> dict[str, Any]:
    return {"footprints": {"path": path, "fields": FIELDS}}


def _roofs(path: str) -> dict[str, Any]:
    return {"roofs": {"path": path}}


def _cloud_of(path: str) -> dict[str, Any]:
    return {"dsm": {"path": path, "crs": CRS_M, "cell_size_m": 1.0}, "dtm": {"path": "dtm.tif"}}


def _schedule_of(path: str) -> dict[str, Any]:
    return {"schedule": {"path": path, "fields": {"building_id": "bid", "year": "year", "kwp": "kWp"}}}


_DISTRICTS = {"districts": {"path": "districts.geojson", "id_field": "code", "name_field": "name"}}
_DEMAND = {"policy": "lianyungang", "substitution": {"energy_demand": "demand.yaml"}}
_MONTHS = {"irradiance": {"ghi": {"path": "ghi12.tif", "unit": "kWh/m2/month", "period": "monthly"}}}
_VARIABLE = {"irradiance": {"ghi": {"path": "ghi.nc", "unit": "kWh/m2/day", "variable": "ghi"}}}
_PV = {"existing_pv": {"path": "pv.geojson", "kwp_field": "kwp", "year_field": "year"}}
_LAND = {"land_use": {"path": "land.geojson", "standard": "ydyh_2023", "code_field": "code", "name_field": "name"}}

KINDS: dict[str, Kind] = {
    "yaml": Kind("rooftop.yaml", "yaml", {}),
    "module": Kind("module.yaml", "yaml", {}, more={"system": {"module": "module.yaml"}}),
    "pack": Kind("pack.yaml", "yaml", {}, more={"policy": "pack.yaml"}),
    "demand": Kind("demand.yaml", "yaml", {}, more=_DEMAND),
    "gpkg": Kind("town.gpkg", "sqlite", _footprints("town.gpkg")),
    "shp": Kind("town.shp", "binary", _footprints("town.shp"), ("town.shx", "town.dbf", "town.prj", "town.cpg")),
    "geojson": Kind("town.geojson", "json", _footprints("town.geojson")),
    "fgb": Kind("town.fgb", "binary", _footprints("town.fgb")),
    "parquet": Kind("town.parquet", "columns", _footprints("town.parquet")),
    "gml": Kind("town.gml", "xml", _footprints("town.gml"), ("town.xsd",)),
    "districts": Kind("districts.geojson", "json", _DISTRICTS),
    "ghi": Kind("ghi.tif", "tif", {}),
    "ghi12": Kind("ghi12.tif", "tif", _MONTHS),
    "dtm": Kind("dtm.tif", "tif", {"dtm": {"path": "dtm.tif"}}),
    "dsm": Kind("dsm.tif", "tif", {"dsm": {"path": "dsm.tif"}, "dtm": {"path": "dtm.tif"}}),
    "vrt": Kind("dtm.vrt", "xml", {"dtm": {"path": "dtm.vrt"}}, ("dtm.tif",)),
    "asc": Kind("dtm.asc", "text", {"dtm": {"path": "dtm.asc", "crs": CRS_M}}),
    "epw": Kind("station.epw", "table", {"weather": {"path": "station.epw"}}),
    "cityjson": Kind("city.json", "json", _roofs("city.json")),
    "cityjsongz": Kind("city.json.gz", "gzip", _roofs("city.json.gz")),
    "laz": Kind("dsm.laz", "cloud", _cloud_of("dsm.laz")),
    "las": Kind("dsm.las", "cloud", _cloud_of("dsm.las")),
    "nc": Kind("ghi.nc", "binary", _VARIABLE),
    "zip": Kind("town.zip", "binary", _footprints("town.zip")),
    "pv": Kind("pv.geojson", "json", _PV),
    "land": Kind("land.geojson", "json", _LAND),
    "csv": Kind("schedule.csv", "table", _schedule_of("schedule.csv")),
    "xlsx": Kind("schedule.xlsx", "zip", _schedule_of("schedule.xlsx")),
}


def configuration(kind: str) -> dict[str, Any]:
    """Return the configuration that reads the damaged file."""
    inputs: dict[str, Any] = {
        **_footprints("town.gpkg"), "irradiance": {"ghi": {"path": "ghi.tif", "unit": "kWh/m2/day"}},
        **KINDS[kind].inputs,
    }  # fmt: skip
    scene = {"azimuths": 8, "cell_size_m": 2.0, "halo_m": 20.0}
    return {"name": "town", "inputs": inputs, "scene": scene, "outputs": {"lang": "en"}, **KINDS[kind].more}


def files_of(kind: str) -> list[str]:
    """Return the files that the configuration of a kind reads."""
    text = yaml.safe_dump(configuration(kind))
    named = [name for name in _MAKERS if name in text]
    return list(dict.fromkeys([*named, *KINDS[kind].parts, KINDS[kind].target]))


# --- the town --------------------------------------------------------------------------------------------------------


def buildings() -> gpd.GeoDataFrame:
    """Return twelve buildings in degrees."""
    rng = np.random.default_rng(1)
    boxes = [
        shapely.box(X + 6 + 28 * i, Y + 8 + 32 * j, X + 28 + 28 * i, Y + 28 + 32 * j)
        for j in range(3)
        for i in range(4)
    ]
    boxes[5] = shapely.difference(boxes[5], shapely.box(X + 40, Y + 46, X + 48, Y + 52))
    table = pd.DataFrame(
        {"bid": [f"b{k:02d}" for k in range(12)], "h": rng.uniform(6.0, 30.0, 12).round(1),
         "fl": rng.integers(2, 9, 12),
         "use": ["factory", "office", "住宅", "school"] * 3, "year": [2010, 2015, 2019, 2022] * 3,
         "public": ["是", "否", "否", "yes"] * 3, "label": [f"第{k}栋" for k in range(12)],
         "pv": [np.nan] * 10 + [5.0, 12.5]}
    )  # fmt: skip
    lonlat = shapely.transform(np.array(boxes), lambda p: np.column_stack(_TO_LONLAT.transform(p[:, 0], p[:, 1])))
    return gpd.GeoDataFrame(table, geometry=lonlat, crs="EPSG:4326")


def _surface() -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return terrain and surface, one value a metre, north first, 20 m wider than the town."""
    rows, cols = np.mgrid[0 : HEIGHT + 40, 0 : WIDTH + 40]
    terrain = (20.0 + 0.02 * cols + 0.01 * rows).astype("float32")
    x, y = X - 20 + cols + 0.5, Y + HEIGHT + 20 - rows - 0.5
    surface = terrain.copy()
    for shape, height in zip(buildings().to_crs(CRS_M).geometry, buildings()["h"], strict=True):
        surface[shapely.contains_xy(shape, x, y)] += np.float32(height)
    return terrain, surface


def _tif(
    path: Path, cells: NDArray[Any], crs: str, west: float, north: float, size: float, nodata: float = -9.0
) -> None:
    tiles: dict[str, Any] = {"compress": "deflate", "tiled": True, "blockxsize": 64, "blockysize": 64}
    write_raster(path, cells, west, north, size, crs=crs, nodata=nodata, **tiles)


def _elevation_tif(path: Path) -> None:
    terrain, surface = _surface()
    _tif(path, surface if path.stem == "dsm" else terrain, CRS_M, X - 20, Y + HEIGHT + 20, 1.0, -9999.0)


def _ghi(path: Path) -> None:
    lon, lat = _TO_LONLAT.transform(X, Y)
    months = np.array([85, 95, 122, 140, 158, 150, 150, 143, 120, 105, 85, 78], dtype="float32")
    cells = np.broadcast_to(months[:, None, None], (12, 10, 10)) if path.stem == "ghi12" else np.full((10, 10), 3.9)
    _tif(path, cells, "EPSG:4326", lon - 0.5, lat + 0.5, 0.1)


def _vrt(path: Path) -> None:
    w, h = WIDTH + 40, HEIGHT + 40
    path.write_text(
        f'<VRTDataset rasterXSize="{w}" rasterYSize="{h}"><SRS>{CRS(CRS_M).to_wkt().replace(chr(34), "&quot;")}</SRS>'
        f"<GeoTransform>{X - 20}, 1.0, 0.0, {Y + HEIGHT + 20}, 0.0, -1.0</GeoTransform>"
        '<VRTRasterBand dataType="Float32" band="1"><NoDataValue>-9999</NoDataValue><SimpleSource>'
        '<SourceFilename relativeToVRT="1">dtm.tif</SourceFilename><SourceBand>1</SourceBand>'
        f'<SrcRect xOff="0" yOff="0" xSize="{w}" ySize="{h}"/><DstRect xOff="0" yOff="0" xSize="{w}" ySize="{h}"/>'
        "</SimpleSource></VRTRasterBand></VRTDataset>",
        encoding="utf-8",
    )  # fmt: skip


def _asc(path: Path) -> None:
    terrain, _ = _surface()
    rows = "\n".join(" ".join(f"{v:.2f}" for v in row) for row in terrain[::4, ::4])
    n, m = terrain[::4, ::4].shape
    path.write_text(
        f"ncols {m}\nnrows {n}\nxllcorner {X - 20}\nyllcorner {Y - 20}\ncellsize 4\nNODATA_value -9999\n{rows}\n"
    )


def _epw(path: Path) -> None:
    hours = pd.DatetimeIndex(np.datetime64("2001-01-01T00", "h") + np.arange(8760))
    lon, lat = _TO_LONLAT.transform(X, Y)
    hour, day = np.asarray(hours.hour) + 0.5, np.asarray(hours.day_of_year)
    decl = np.radians(23.45 * np.sin(2 * np.pi * (284 + day) / 365))
    angle = np.radians(15.0 * (hour - 12.0 + (lon - 120.0) / 15.0))
    sin_h = np.clip(
        np.sin(np.radians(lat)) * np.sin(decl) + np.cos(np.radians(lat)) * np.cos(decl) * np.cos(angle), 0, 1
    )
    dni = np.where(sin_h > 0.02, 700.0 * np.exp(-0.14 / np.maximum(sin_h, 0.02)), 0.0)
    dhi = 110.0 * sin_h
    lines = [
        f"LOCATION,Test,-,CHN,SRC,583670,{lat:.3f},{lon:.3f},8,5", "DESIGN CONDITIONS,0", "TYPICAL/EXTREME PERIODS,0",
        "GROUND TEMPERATURES,0", "HOLIDAYS/DAYLIGHT SAVINGS,No,0,0,0", "COMMENTS 1,", "COMMENTS 2,",
        "DATA PERIODS,1,1,Data,Sunday,1/1,12/31",
    ]  # fmt: skip
    lines += [
        f"2001,{t.month},{t.day},{t.hour + 1},60,?,{15 + 10 * s:.1f},5,66,101300,0,0,0,{b * s + d:.0f},{b:.0f},{d:.0f}"
        ",0,0,0,0,180,2.0,0,0,9999,99999,9,999999999,0,0.1,0,88,0.2,0,0"
        for t, s, b, d in zip(hours, sin_h, dni, dhi, strict=True)
    ]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _city(path: Path) -> None:
    model = Model(origin=(X, Y, 0.0))
    for k in range(6):
        x, y = X + 6 + 28 * (k % 4), Y + 8 + 32 * (k // 4)
        model.add(
            f"b{k:02d}", gable(x, y, length=22.0, width=20.0, ground=20.0), shape="Solid" if k % 2 else "MultiSurface"
        )
    model.write(path)


def _cloud(path: Path) -> None:
    import laspy

    _, surface = _surface()
    rows, cols = (a.ravel() for a in np.mgrid[0 : surface.shape[0], 0 : surface.shape[1]])
    header = laspy.LasHeader(point_format=6, version="1.4")
    header.scales, header.offsets = [0.001] * 3, [X, Y, 0.0]
    points = laspy.LasData(header)
    points.x, points.y, points.z = X - 20 + cols + 0.5, Y + HEIGHT + 20 - rows - 0.5, surface.ravel()
    points.classification = np.where(surface.ravel() > 26.0, 6, 2)
    points.return_number[:] = 1
    points.number_of_returns[:] = 1
    points.write(path)


def _schedule() -> pd.DataFrame:
    years = [2021, 2023, 2025, 2027] * 3
    return pd.DataFrame(
        {"bid": [f"b{k:02d}" for k in range(12)], "year": years, "kWp": np.linspace(5, 60, 12).round(1)}
    )


def _districts(path: Path) -> None:
    shape = shapely.box(*buildings().total_bounds + np.array([-1, -1, 1, 1]) * 1e-3)
    frame = gpd.GeoDataFrame({"code": ["990101"], "name": ["甲区"]}, geometry=[shape], crs="EPSG:4326")
    pyogrio.write_dataframe(frame, path)


def _netcdf(path: Path) -> None:
    lon, lat = _TO_LONLAT.transform(X, Y)
    file = netcdf_file(str(path), "w")
    for name, middle, unit in (("lat", lat, "degrees_north"), ("lon", lon, "degrees_east")):
        file.createDimension(name, 10)
        axis = file.createVariable(name, "d", (name,))
        axis[:], axis.units = middle + 0.1 * np.arange(-5, 5), unit
    for name, value in (("ghi", 3.9), ("dni", 4.4)):
        file.createVariable(name, "f", ("lat", "lon"))[:] = value
    file.close()


def _zip(path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, TemporaryDirectory() as folder:
        _vector(Path(folder) / "town.shp")
        for part in sorted(Path(folder).iterdir()):
            archive.writestr(zipfile.ZipInfo(part.name), part.read_bytes())


def _areas(path: Path) -> None:
    table = buildings().iloc[:3]
    shapes = table.to_crs(CRS_M).buffer(-5.0).to_crs("EPSG:4326")
    about = pd.DataFrame({"kwp": [3.0, 5.0, 8.0], "year": [2019, 2020, 2021], "code": ["1001", "0701", "0804"],
                          "name": ["工业用地", "城镇住宅用地", "教育用地"]})  # fmt: skip
    if path.stem == "land":
        shapes = table.to_crs(CRS_M).buffer(4.0).to_crs("EPSG:4326")
    pyogrio.write_dataframe(gpd.GeoDataFrame(about, geometry=shapes.to_numpy(), crs="EPSG:4326"), path)


def _vector(path: Path) -> None:
    table = buildings()
    if path.suffix == ".parquet":
        table.to_parquet(path)
    else:
        pyogrio.write_dataframe(table, path, **({"encoding": "gbk"} if path.suffix == ".shp" else {}))


def _shipped(name: str) -> Callable[[Path], None]:
    def copy(path: Path) -> None:
        path.write_bytes((configs_dir() / name).read_bytes())

    return copy


_MAKERS: dict[str, Callable[[Path], None]] = {
    "town.gpkg": _vector, "town.shp": _vector, "town.geojson": _vector, "town.fgb": _vector, "town.parquet": _vector,
    "town.gml": _vector, "districts.geojson": _districts, "ghi.tif": _ghi, "ghi12.tif": _ghi, "dtm.tif": _elevation_tif,
    "dsm.tif": _elevation_tif, "dtm.vrt": _vrt, "dtm.asc": _asc, "station.epw": _epw, "city.json": _city,
    "city.json.gz": _city, "dsm.laz": _cloud, "dsm.las": _cloud,
    "module.yaml": _shipped("modules/topcon_580.yaml"),
    "pack.yaml": _shipped("policies/lianyungang.yaml"),
    "demand.yaml": _shipped("energy_demand.yaml"),
    "ghi.nc": _netcdf, "town.zip": _zip, "pv.geojson": _areas, "land.geojson": _areas,
    "schedule.csv": lambda p: _schedule().to_csv(p, index=False),
    "schedule.xlsx": lambda p: _schedule().to_excel(p, index=False),
}  # fmt: skip


def make_town(folder: Path, names: Sequence[str] | None = None) -> Path:
    """Write the files of the town, all of them or some."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, make in _MAKERS.items():
        if names is None or name in names:
            make(folder / name)
    return folder
