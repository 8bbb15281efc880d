"""Three places whose every wall is known: as meshes of triangles, and as the files of a run.

Local metres, x and y along the grid of the working CRS from `ORIGIN`, ground at 0. Every wall stands on a line of the
cells, so that a raster of the scene is the scene; the grid is turned against north by about half a degree.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import shapely
import trimesh
import yaml
from numpy.typing import NDArray
from pyproj import CRS, Geod, Transformer

from city_models import Model, flat, gable
from rasters import write_monthly, write_raster
from ray_tracing import box, hull, joined

F8 = NDArray[np.float64]

WORKING_CRS = "EPSG:4549"
ORIGIN = (426_700.0, 3_830_200.0)
NAMES = ("houses", "parapet", "tower_east_west", "tower_south")

Footprint = tuple[str, float, float, float, float, float, str]
"""Id, west, south, length, width, height, use."""


@dataclass(frozen=True)
class ModuleScene:
    """A place, and the files of its run.

    Parameters
    ----------
    name : str
    config : Path
        The YAML file.
    solids : Trimesh
        Everything but modules.
    roof_z : dict of callable
        Elevation of what modules stand on at (x, y), by id of the building; only these are looked at.
    grid_north_deg : float
        True azimuth of the y axis.
    """

    name: str
    config: Path
    solids: trimesh.Trimesh
    roof_z: dict[str, Callable[[F8, F8], F8]]
    grid_north_deg: float


def write_scene(name: str, folder: Path) -> ModuleScene:
    """Write the files of a scene, one of `NAMES`."""
    folder.mkdir(parents=True, exist_ok=True)
    if name == "houses":
        return _houses(folder)
    if name == "parapet":
        return _parapet(folder)
    return _tower(name, folder, name.removeprefix("tower_"))


def grid_north_deg() -> float:
    """True azimuth of grid north at the origin, measured along 200 m of grid."""
    to_degrees = Transformer.from_crs(WORKING_CRS, CRS(WORKING_CRS).geodetic_crs, always_xy=True)
    (lon_s, lon_n), (lat_s, lat_n) = to_degrees.transform([ORIGIN[0]] * 2, [ORIGIN[1] - 100.0, ORIGIN[1] + 100.0])
    forward, back, _ = Geod(ellps="GRS80").inv(lon_s, lat_s, lon_n, lat_n)
    return 0.5 * (forward + (back + 180.0 + 180.0) % 360.0 - 180.0)


def _scene(
    name: str,
    folder: Path,
    solids: list[trimesh.Trimesh],
    roof_z: dict[str, Callable[[F8, F8], F8]],
    footprints: list[Footprint],
    **changes: dict[str, Any],
) -> ModuleScene:
    """Write footprints, irradiation and configuration; `changes` go into the sections of the configuration."""
    shapes = [shapely.box(ORIGIN[0] + x, ORIGIN[1] + y, ORIGIN[0] + x + a, ORIGIN[1] + y + b)
              for _, x, y, a, b, _, _ in footprints]  # fmt: skip
    columns = {
        "id": [f[0] for f in footprints],
        "height": [f[5] for f in footprints],
        "use": [f[6] for f in footprints],
    }
    gpd.GeoDataFrame(columns, geometry=shapes, crs=WORKING_CRS).to_file(folder / "houses.gpkg", driver="GPKG")
    lon, lat = Transformer.from_crs(WORKING_CRS, 4326, always_xy=True).transform(*ORIGIN)
    write_monthly(folder / "ghi.tif", round(lon, 2) - 1.0, round(lat, 2) + 1.0, 0.5, (4, 4))
    fields = {"id": "id", "height_m": "height", "building_use": "use"}
    inputs = {
        "footprints": {"path": "houses.gpkg", "fields": fields},
        "irradiance": {"ghi": {"path": "ghi.tif", "unit": "kWh/m2/month", "period": "monthly"}},
    }
    config = {
        "name": name,
        "crs": WORKING_CRS,
        "inputs": inputs | changes.get("inputs", {}),
        "scene": {"cell_size_m": 0.5, "halo_m": 60.0} | changes.get("scene", {}),
        "system": changes.get("system", {}),
        "outputs": {"lang": "en", "modules": True},
    }
    path = folder / "rooftop.yaml"
    path.write_text(yaml.safe_dump(config), "utf-8")
    return ModuleScene(name, path, joined(solids), roof_z, grid_north_deg())


def _level(z: float) -> Callable[[F8, F8], F8]:
    return lambda x, _y: np.full(np.shape(x), z)


# Houses with dormers ---------------------------------------------------------------------------------------------

_LONG = {"length": 26.0, "width": 12.0, "eaves": 6.0, "rise": 4.2}
_WING = {"x": 34.0, "y": -4.0, "length": 24.0, "width": 10.0, "eaves": 6.0, "rise": 3.0}
_DORMERS = ((5.0, 8.0), (17.0, 20.0))  # west and east sides on the south plane
_DORMER_Y = (1.5, 4.5)
_TOWER = (-14.0, -12.0, 10.0, 10.0, 24.0)


def _south_z(y: float) -> float:
    return _LONG["eaves"] + _LONG["rise"] * y / (0.5 * _LONG["width"])


def _houses(folder: Path) -> ModuleScene:
    """A house with two dormers to the south, a wing whose planes look east and west, a tower in the south-west."""
    half, ridge = 0.5 * _LONG["width"], _LONG["eaves"] + _LONG["rise"]
    x, y, a, b, top = _TOWER
    return _scene(
        "houses",
        folder,
        [_long_house(), *(_dormer(*sides) for sides in _DORMERS), _wing_house(), box((x, y, 0.0), (x + a, y + b, top))],
        {
            "long": lambda _x, y: ridge - _LONG["rise"] * np.abs(y - half) / half,
            "wing": lambda x, _y: 9.0 - _WING["rise"] * np.abs(x - 39.0) / 5.0,
        },
        [
            ("long", 0.0, 0.0, 26.0, 12.0, 8.0, "rural_house"),
            ("wing", 34.0, -4.0, 10.0, 24.0, 7.5, "rural_house"),
            ("tower", x, y, a, b, top, "office"),
        ],
        inputs={"roofs": {"path": _house_model().write(folder / "city.json.gz").name}},
    )


def _long_house() -> trimesh.Trimesh:
    a, b, low, top = 26.0, 12.0, _LONG["eaves"], _LONG["eaves"] + _LONG["rise"]
    return hull([(x, y, z) for x in (0.0, a) for y, z in ((0, 0), (b, 0), (0, low), (b, low), (0.5 * b, top))])


def _wing_house() -> trimesh.Trimesh:
    x0, y0, low, top = _WING["x"], _WING["y"], _WING["eaves"], _WING["eaves"] + _WING["rise"]
    ends = (y0, y0 + _WING["length"])
    return hull([(x0 + x, y, z) for y in ends for x, z in ((0, 0), (10, 0), (0, low), (10, low), (5, top))])


def _dormer(west: float, east: float) -> trimesh.Trimesh:
    """A dormer with a level roof that meets the south plane at its back."""
    (front, back), top = _DORMER_Y, _south_z(_DORMER_Y[1])
    return hull([(x, y, z) for x in (west, east) for y, z in ((front, _south_z(front)), (front, top), (back, top))])


def _house_model() -> Model:
    """The LoD2 model of the houses: the south plane is open where dormers stand."""
    ox, oy = ORIGIN
    model = Model(crs=WORKING_CRS, origin=(ox, oy, 0.0))
    long = gable(ox, oy, **_LONG)
    (front, back), top = _DORMER_Y, _south_z(_DORMER_Y[1])
    holes, dormers = [], []
    for west, east in _DORMERS:
        ring = [(west, front), (west, back), (east, back), (east, front)]
        holes.append([(ox + x, oy + y, _south_z(y)) for x, y in ring])
        dormers.append(("RoofSurface", [[(ox + x, oy + y, top) for x, y in reversed(ring)]]))
        sides = [(west, front, 0), (east, front, 0), (east, front, 1), (west, front, 1)]
        dormers.append(("WallSurface", [[(ox + x, oy + y, top if up else _south_z(y)) for x, y, up in sides]]))
    south = ("RoofSurface", [long[0][1][0], *holes])
    model.add("long", [south, *long[1:], *dormers])
    x0, y0, low, ridge = ox + 34.0, oy - 4.0, _WING["eaves"], _WING["eaves"] + _WING["rise"]
    mid, east, north = x0 + 5.0, x0 + 10.0, y0 + _WING["length"]
    model.add("wing", [
        ("RoofSurface", [[(x0, y0, low), (mid, y0, ridge), (mid, north, ridge), (x0, north, low)]]),
        ("RoofSurface", [[(mid, y0, ridge), (east, y0, low), (east, north, low), (mid, north, ridge)]]),
        ("GroundSurface", [[(x0, y0, 0.0), (x0, north, 0.0), (east, north, 0.0), (east, y0, 0.0)]]),
    ])  # fmt: skip
    x, y, a, b, height = _TOWER
    model.add("tower", flat(ox + x, oy + y, length=a, width=b, top=height))
    return model


# A flat roof with a parapet --------------------------------------------------------------------------------------

_ROOF_M, _PARAPET_M, _THICK_M = 12.0, 1.2, 0.25
_BLOCKS = ((8.0, 8.0, 4.0, 4.0, 3.0), (20.0, 11.0, 3.0, 3.0, 4.5))  # stair head and lift: x, y, sides, height
_CELL_M, _AROUND_M = 0.25, 30.0


def _parapet(folder: Path) -> ModuleScene:
    """A roof of 30 m x 20 m with a parapet, a stair head and a lift box; south racks, a DSM of its own cells."""
    parts = [*_rim(30.0, 20.0), *_BLOCKS]
    solids = [box((0.0, 0.0, 0.0), (30.0, 20.0, _ROOF_M))]
    solids += [box((x, y, _ROOF_M), (x + a, y + b, _ROOF_M + h)) for x, y, a, b, h in parts]
    shape = tuple(round((size + 2.0 * _AROUND_M) / _CELL_M) for size in (20.0, 30.0))
    west, north = ORIGIN[0] - _AROUND_M, ORIGIN[1] + 20.0 + _AROUND_M
    surface = np.zeros(shape)
    x = (np.arange(shape[1]) + 0.5) * _CELL_M - _AROUND_M
    y = 20.0 + _AROUND_M - (np.arange(shape[0]) + 0.5) * _CELL_M
    for left, low, a, b, h in [(0.0, 0.0, 30.0, 20.0, 0.0), *parts]:
        inside = np.outer((y > low) & (y < low + b), (x > left) & (x < left + a))
        surface[inside] = np.maximum(surface[inside], _ROOF_M + h)
    for name, heights in (("dsm", surface), ("dtm", np.zeros(shape))):
        write_raster(folder / f"{name}.tif", heights, west, north, _CELL_M, crs=WORKING_CRS, nodata=-9999.0)
    return _scene(
        "parapet",
        folder,
        solids,
        {"flat": _parapet_roof_z},
        [("flat", 0.0, 0.0, 30.0, 20.0, _ROOF_M, "office")],
        inputs={"dsm": {"path": "dsm.tif"}, "dtm": {"path": "dtm.tif"}},
        scene={"cell_size_m": _CELL_M, "roof_planes": "known"},
        system={"flat": {"tilt_deg": 20.0}},
    )


def _parapet_roof_z(x: F8, y: F8) -> F8:
    """The roof, or the top of the stair head and of the lift: these are roofs too."""
    z = np.full(np.shape(x), _ROOF_M)
    for left, low, a, b, h in _BLOCKS:
        z[(x > left) & (x < left + a) & (y > low) & (y < low + b)] += h
    return z


def _rim(length: float, width: float) -> list[tuple[float, float, float, float, float]]:
    """Return the four parts of a parapet: x, y, sides, height."""
    t, h = _THICK_M, _PARAPET_M
    long = [(0.0, y, length, t, h) for y in (0.0, width - t)]
    return [*long, *((x, t, t, width - 2.0 * t, h) for x in (0.0, length - t))]


# A flat roof beside a tower --------------------------------------------------------------------------------------


def _tower(name: str, folder: Path, racks: str) -> ModuleScene:
    """A flat roof of 26 m x 18 m, 8 m north-east of a tower of 20 m x 20 m and 40 m: blocks from footprints alone."""
    footprints: list[Footprint] = [
        ("low", 0.0, 0.0, 26.0, 18.0, 10.0, "office"),
        ("tower", -25.5, -26.0, 20.0, 20.0, 40.0, "office"),
    ]
    flat_system: dict[str, Any] = {"mounting": "east_west"} if racks == "east_west" else {"tilt_deg": 15.0}
    return _scene(
        name,
        folder,
        [box((x, y, 0.0), (x + a, y + b, h)) for _, x, y, a, b, h, _ in footprints],
        {"low": _level(10.0)},
        footprints,
        system={"flat": flat_system},
    )
