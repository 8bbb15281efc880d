"""Every argument of every public function, with values that are wrong and what their errors must say."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np

import rooftop
from rooftop.core.errors import ArgumentError
from rooftop.job.pipeline import run
from rooftop.solar.sky import SkyYear, sky_year
from rooftop.weather import Weather
from wrong_years import NO_YEARS, weather

N = 8
SHAPE = (6, 7)
NAN, INF = float("nan"), float("inf")

Bad = Sequence[tuple[Any, str]]


# Kinds of arguments -----------------------------------------------------------------------------------------------

NONE: Bad = [(None, "None")]
NO_NUMBERS: Bad = [
    ("20", "'20'"), (True, "True"), (NAN, "nan"), (INF, "inf"), (1 + 2j, "j"), ([1.0, 2.0], "(2,)"),
    (object(), "object"), (10**400, "int"), (np.ma.masked, "masked"), ("x" * 500, "…"), (np.datetime64("2020"), "date"),
]  # fmt: skip


def number(*bad: float, optional: bool = False) -> Bad:
    """One number; each of `bad` is out of its limits."""
    return [*NO_NUMBERS, *([] if optional else NONE), *((value, str(value)[:5]) for value in bad)]


def whole(*bad: int) -> Bad:
    """One whole number."""
    others = [(2.0, "2.0"), ("3", "'3'"), (True, "True"), (NAN, "nan"), ([3], "list"), (10**400, "int")]
    return [*NONE, *others, *((value, str(value)) for value in bad)]


def one_of(*words: str, optional: bool = False) -> Bad:
    """A word; the error names all of them, and the one that is meant."""
    slips = [(word.capitalize(), f"did you mean {word}?") for word in words]
    slips += [(f"{word}s", f"did you mean {word}?") for word in words if len(word) > 2]
    others = [("klucher", ", ".join(words)), ("", ", ".join(words)), (b"x", "bytes"), (["x"], "list")]
    return [*slips, *others, *([] if optional else NONE)]


def array(shape: str, *, optional: bool = False) -> Bad:
    """Numbers of a shape."""
    return [
        ("20", "20"), (True, "rue"), ([["a"]], "U1"), ([[1.0], [2.0, 3.0]], "list"), ({1.0: 2.0}, "dict"),
        ([[None]], "object"), (np.zeros((2, 3), "M8[s]"), "datetime"),
        (np.zeros((2, 2, 2)), shape), (np.zeros((2, 3), complex), "complex"),
        (np.zeros((2, 3), bool), "bool"), *([] if optional else NONE),
    ]  # fmt: skip


def instance_of(name: str, *, optional: bool = False) -> Bad:
    """An object of this library."""
    others = [("weather.epw", name), (3.0, name), ({}, name), (object(), name), (np.zeros(3), name)]
    return [*others, *([] if optional else [(None, name)])]


@cache
def sky() -> SkyYear:
    """Suns and sky of a year."""
    return sky_year(weather(), factors=(0.9, 1.0, 1.1))


@cache
def tables() -> Any:
    """Tables of a plane."""
    return rooftop.hourly_tables(weather(), rooftop.ModulePlane(20.0, 180.0), n_azimuth=N)


def horizon() -> np.ndarray:
    """Horizons of two points."""
    return np.linspace(0.0, 20.0, 2 * N).reshape(2, N)


def raster() -> dict[str, Any]:
    """A small elevation model and eight cells of it."""
    mask = np.zeros(SHAPE, dtype=bool)
    mask[2:4, 1:5] = True
    return {"dsm": np.zeros(SHAPE), "cell_size_m": 1.0, "mask": mask, "n_azimuth": N}


FAR = rooftop.FarField(np.zeros((2, N), np.float32), np.zeros(SHAPE, np.int64))
PLANE = rooftop.ModulePlane(20.0, 180.0)

TILT = number(-0.1, 90.1, 1e9)
AZIMUTH = number(-0.1, 360.1, 720.0, -90.0)
ALBEDO = number(-0.01, 1.01, 20.0)
DIFFUSE = one_of("perez", "haydavies", "isotropic")
WEATHER: Bad = [*instance_of("Weather"), (weather, "Weather")]
SYSTEM = instance_of("PvSystem", optional=True)
ANGLES: Bad = [(np.full((2, N), 90.5), "90.5"), (np.full((2, N), INF), "inf"), (np.full((2, N), 1e300), "…")]
MISSING: Bad = [(np.full((2, N), NAN), "NaN"), (np.where(np.arange(N) == 3, NAN, horizon()), "NaN")]
HORIZON: Bad = [*array("(n, "), *ANGLES, *MISSING, (np.full((2, N), -91.0), "-91"), ([], "0")]
DSM: Bad = [
    *array("(ny, nx)"), (np.zeros(5), "(5,)"), (np.zeros((0, 3)), "(0, 3)"), (np.full(SHAPE, INF), "inf"),
    (np.full(SHAPE, -99999.0), "NaN"), (np.full(SHAPE, 3.4e38), "3.4e+38"), (np.zeros((2, 3), object), "object"),
]  # fmt: skip
CELL_SIZE = number(0.0, -1.0, 1e9, 0.00028)
CELLS: Bad = [
    ([-1, 0], "-1"), ([1.0, 2.0], "astype(int)"), ([True, False], "bool"), ([[1]], "(1, 1)"), (1, "()"), (["1"], "U1"),
    ([NAN], "float"), ([1, None], "object"), ([2**70], "object"), ("12", "12"), *NONE,
]  # fmt: skip
MASK: Bad = [
    (np.ones(SHAPE), "float64"), (np.ones(SHAPE, int), "values > 0"), (np.ones((2, 2), bool), "(2, 2)"), (True, "()"),
    ("mask", "U4"), ([[True], [True, False]], "list"), (np.ones(SHAPE, object), "object"), ("", "U"),
]  # fmt: skip
TILTS: Bad = [
    *array(f"{SHAPE}"), (95.0, "95"), (np.full(SHAPE, 95.0), "95"), (np.full(SHAPE, NAN), "NaN"), (NAN, "nan"),
    (np.zeros((2, 2)), "(2, 2)"),
]  # fmt: skip
AZIMUTHS: Bad = [*array(f"{SHAPE}"), (-90.0, "-90"), (np.full(SHAPE, 400.0), "400"), (np.full(SHAPE, NAN), "NaN")]
FAR_HORIZONS: Bad = [
    *array(f"(m, {N})"),
    *ANGLES,
    *MISSING,
    (np.full((2, N), -1.0), "-1"),
    (np.zeros((2, N + 1)), "(2, 9)"),
]
OBSERVERS: Bad = [
    (np.full(SHAPE, 2), "0 … 1"), (np.full(SHAPE, -1), "-1"), (np.zeros(SHAPE), "astype(int)"),
    (np.zeros((2, 2), int), "(2, 2)"), ("a", "'a'"), *NONE,
]  # fmt: skip
ZONE: Bad = [
    (np.full(SHAPE, 1), "0 … 0"), (np.zeros(SHAPE), "float64"), (np.zeros((2, 2), int), "(2, 2)"), ("a", "'a'"),
    (-1, "-1"), (0.5, "float64"), (True, "True"),
]  # fmt: skip
SWEEP: dict[str, Bad] = {
    "n_azimuth": whole(0, -1, 100000),
    "surface": one_of("prism", "linear"),
    "above_m": number(-1.0, 1e9),
    "grid_north_deg": number(-1e6, 1e6),
    "threads": whole(0, -1, 100000),
    "origin": [
        ((1.0, 2.0), "float64"), ((1,), "(1,)"), (3, "()"), ("ab", "'ab'"), ((True, False), "bool"),
        ((1, 2**70), "object"),
    ],
}  # fmt: skip
RASTER: dict[str, Bad] = {
    "dsm": DSM, "cell_size_m": CELL_SIZE, "mask": MASK, "surface_tilt": TILTS, "surface_azimuth": AZIMUTHS,
    "far": instance_of("FarField", optional=True), **SWEEP,
}  # fmt: skip
LIT_RASTER: dict[str, Bad] = {
    "weather": [*WEATHER, ([], "at least one"), (["x"], "Weather"), ([[weather]], "Weather")],
    "zone": ZONE, "diffuse": DIFFUSE, "albedo": ALBEDO, **RASTER,
}  # fmt: skip
FACTOR: Bad = [
    *array("12)", optional=True), (np.ones((2, 11)), "(2, 11)"), (np.ones(12), "(12,)"), (np.full((2, 12), NAN), "NaN"),
    (np.full((2, 12), -1.0), "-1"), (np.ones((3, 12)), "(2, 12)"),
]  # fmt: skip
GROUPS: dict[str, Bad] = {
    "factor": FACTOR,
    "group": [
        ([0], "(1,)"), ([0.0, 1.0], "astype(int)"), ([0.5, NAN], "float"), ([[0, 0]], "(1, 2)"), (["a", "b"], "U1"),
        (3, "()"), ([True, False], "bool"),
    ],
    "n_group": [(1, "None without group"), *((bad, word) for bad, word in whole(-1, 10**12) if bad is not None)],
    "out": [
        (np.empty((2, 8760)), "float64"), (np.empty((1, 8760), np.float32), "(1, 8760)"), ([], "list"),
        ("out", "'out'"), (True, "True"), (np.empty((8760, 2), np.float32).T, "C order"),
    ],
}  # fmt: skip
ENERGY: Bad = [
    *array(" of shape ("), (np.full((2, 4), -1.0), "-1"), (np.full((2, 4), NAN), "NaN"), (np.full((2, 4), INF), "inf"),
    (np.zeros((2, 5)), "(2, "),
]  # fmt: skip
MONTHS: Bad = [
    *array("(12,)"), (np.full(11, 100.0), "(11,)"), (np.full(12, NAN), "NaN"), (np.full(12, -1.0), "-1"), (100.0, "()"),
    (np.full(12, 900.0), "900"), (np.full(12, 4.5), "54 in the whole year"), (np.zeros(12), "0 in the whole"),
    (np.full(12, 300.0), "at most"),
]  # fmt: skip
TEMPERATURES: Bad = [
    *array("(12,)", optional=True), (np.full(11, 10.0), "(11,)"), (np.full(12, INF), "inf"),
    (np.full(12, 288.0), "subtract 273.15"), (20.0, "()"),
]  # fmt: skip
PATHS: Bad = [(3, "3"), (b"a.epw", "bytes"), ("", "''"), ("a\0b", "x00"), (True, "True"), (object(), "object")]


# Every public function --------------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Public:
    """A call that works, and what is wrong with each argument.

    Parameters
    ----------
    call : callable
    good : callable
        Returns arguments that work.
    bad : mapping
        Values and words of their errors, by argument.
    also : mapping
        What else an error may name instead of the argument.
    """

    call: Callable[..., Any]
    good: Callable[[], dict[str, Any]]
    bad: Mapping[str, Bad]
    also: Mapping[str, str] = dataclasses.field(default_factory=dict)


def other_data() -> Bad:
    """Data of years that are none for their data alone."""
    made = [(year(), word) for year, word in NO_YEARS.values()]
    same = {field.name: getattr(weather(), field.name) for field in dataclasses.fields(Weather) if field.name != "data"}
    return [(year.data, word) for year, word in made if all(getattr(year, name) is same[name] for name in same)]


SHAPES = {"horizon": "n_azimuth"}
PUBLIC: dict[str, Public] = {
    "horizons": Public(
        rooftop.horizons,
        lambda: {"dsm": np.zeros(SHAPE), "cell_size_m": 1.0, "rows": [1, 2], "cols": [3, 4], "n_azimuth": N},
        {
            "dsm": DSM, "cell_size_m": CELL_SIZE, "rows": [*CELLS, ([6, 0], "0 … 5"), ([1], "as many as rows")],
            "cols": [*CELLS, ([7, 0], "0 … 6"), ([1, 2, 3], "as many as rows")], **SWEEP,
        },
        {"rows": "cols"},
    ),
    "sky_view": Public(
        rooftop.sky_view,
        lambda: {"horizon": horizon()},
        {
            "horizon": [
                *array("(n, n_azimuth)"), *ANGLES, (np.full((2, N), -1.0), "maximum"), (np.zeros((2, 0)), "0"),
                (np.zeros(N), "(8,)"),
            ],
            "surface_tilt": [
                *array("(2,)"), (95.0, "95"), ([10.0, 95.0], "95"), ([10.0, NAN], "NaN"), ([1.0, 2.0, 3.0], "(3,)"),
            ],
            "surface_azimuth": [*array("(2,)"), (-90.0, "-90"), ([10.0, 365.0], "365"), ([10.0], "(1,)")],
        },
        SHAPES,
    ),
    "irradiation": Public(
        rooftop.irradiation,
        lambda: {"weather": sky(), "horizon": horizon()},
        {
            "weather": WEATHER, "horizon": HORIZON, "surface_tilt": TILT, "surface_azimuth": AZIMUTH,
            "diffuse": DIFFUSE, "albedo": ALBEDO,
        },
        SHAPES,
    ),
    "irradiation_raster": Public(rooftop.irradiation_raster, lambda: {"weather": sky(), **raster()}, LIT_RASTER),
    "monthly_irradiation": Public(rooftop.monthly_irradiation, lambda: {"weather": sky(), **raster()}, LIT_RASTER),
    "sky_view_raster": Public(rooftop.sky_view_raster, raster, RASTER),
    "pv_energy": Public(
        rooftop.pv_energy,
        lambda: {"weather": sky(), "horizon": horizon()[0], "surface_tilt": 20.0, "surface_azimuth": 180.0},
        {
            "weather": WEATHER, "surface_tilt": TILT, "surface_azimuth": AZIMUTH,
            "horizon": [
                *array("(n", optional=True), (horizon(), "horizon[0]"), (np.full(N, NAN), "NaN"),
                (np.full(N, 95.0), "95"), ([], "0"),
            ],
            "system": SYSTEM, "mounting": one_of("rack", "flush"), "diffuse": DIFFUSE, "albedo": ALBEDO,
        },
        SHAPES,
    ),
    "hourly_tables": Public(
        rooftop.hourly_tables,
        lambda: {"weather": sky(), "plane": PLANE, "n_azimuth": N},
        {
            "weather": WEATHER, "plane": instance_of("ModulePlane"), "system": SYSTEM, "n_azimuth": SWEEP["n_azimuth"],
            "diffuse": DIFFUSE, "albedo": ALBEDO,
        },
    ),
    "hourly_series": Public(
        rooftop.hourly_series,
        lambda: {"tables": tables(), "horizon": horizon()},
        {"tables": instance_of("HourlyTables"), "horizon": HORIZON, **GROUPS},
    ),
    "hourly_yield": Public(
        rooftop.hourly_yield,
        lambda: {"weather": sky(), "horizon": horizon(), "plane": PLANE},
        {
            "weather": WEATHER, "plane": instance_of("ModulePlane"), "horizon": HORIZON, "system": SYSTEM,
            "diffuse": DIFFUSE, "albedo": ALBEDO, **GROUPS,
        },
        SHAPES,
    ),
    "self_use": Public(
        rooftop.self_use,
        lambda: {"ac_kwh": np.ones((2, 4)), "load_kwh": np.ones((2, 4))},
        {"ac_kwh": ENERGY, "load_kwh": ENERGY},
        {"ac_kwh": "load_kwh"},
    ),
    "synthetic_weather": Public(
        rooftop.synthetic_weather,
        lambda: {"latitude": 32.0, "longitude": 118.8, "altitude": 10.0, "monthly_ghi_kwh_m2": np.full(12, 100.0)},
        {
            "latitude": number(90.1, -91.0, 118.8),
            "longitude": number(180.5, 361.0, -181.0),
            "altitude": number(9001.0, -501.0, optional=True),
            "monthly_ghi_kwh_m2": MONTHS,
            "monthly_temp_air": TEMPERATURES,
            "seed": whole(-1),
            "annual_ghi_kwh_m2": number(-1350.0, 3.7, 0.0, 13500.0, optional=True),
            "annual_temp_air": number(288.0, -100.0, optional=True),
        },
    ),
    "read_weather": Public(
        rooftop.read_weather,
        lambda: {"path": "no_such.epw"},
        {
            "path": [*PATHS, *NONE], "format": one_of("epw", "tmy3", "pvgis", "nasa_power", optional=True),
            "monthly_temp_air": TEMPERATURES,
        },
    ),
    "run": Public(
        run,
        lambda: {"config": "no_such.yaml"},
        {
            "config": [*PATHS, *NONE, ({}, "dict")],
            "out": PATHS,
            "districts": [
                ("990101", '("320508",)'), (990101, "990101"), ((990101,), "text"), ({"a": 1}, "dict"), *NONE,
            ],
            "workers": whole(0, -1, 100000),
            "scheduler": [(8786, "8786"), (True, "True"), (object(), "object")],
            "fresh": [(1, "1"), ("yes", "'yes'"), *NONE],
            "lang": one_of("zh", "en", optional=True),
            "tianditu_key": [(3, "3"), (True, "True")],
            "reporter": [(3, "3"), ("print", "'print'")],
        },
    ),
    "ModulePlane": Public(
        rooftop.ModulePlane,
        lambda: {"surface_tilt": 20.0, "surface_azimuth": 180.0},
        {
            "surface_tilt": TILT, "surface_azimuth": AZIMUTH, "mounting": one_of("rack", "flush"),
            "rows": [
                *instance_of("Rows", optional=True), ((2.3, 3.6), "Rows"), (rooftop.Rows(2.3, 2.0), "rows overlap"),
            ],
            "base_tilt": TILT, "base_azimuth": AZIMUTH,
        },
    ),
    "Rows": Public(
        rooftop.Rows,
        lambda: {"slope_length_m": 2.3, "pitch_m": 3.6},
        {
            "slope_length_m": number(0.0, -2.0, 1e9), "pitch_m": number(0.0, -2.0, 1e9),
            "in_tables": [(1, "1"), ("yes", "'yes'"), *NONE],
        },
    ),
    "FarField": Public(
        lambda **fields: rooftop.irradiation_raster(sky(), **raster(), far=rooftop.FarField(**fields)),
        lambda: {"horizon_deg": FAR.horizon_deg, "observer": FAR.observer},
        {"horizon_deg": FAR_HORIZONS, "observer": OBSERVERS},
    ),
    "Weather": Public(
        lambda **fields: rooftop.irradiation(rooftop.Weather(**fields), horizon()),
        lambda: {field.name: getattr(weather(), field.name) for field in dataclasses.fields(Weather)},
        {
            "data": other_data(),
            "latitude": number(90.5, -90.5), "longitude": number(180.5, 361.0), "altitude": number(9001.0, -501.0),
            "interval_s": number(0.0, -3600.0, 7200.0),
        },
        {"data": "weather"},
    ),
    "ArgumentError": Public(
        lambda lang: ArgumentError("what").render(lang), lambda: {"lang": "en"}, {"lang": one_of("zh", "en")}
    ),
}  # fmt: skip
NOT_MADE = {"HourlyYield", "RunResult"}
"""What functions return: nobody makes one."""

NOT_USED = {"Weather": {"source", "notices", "provenance"}}
"""Fields that say where something is from: nothing is computed with them."""
