"""Real modules in a usable zone: rows of rectangles, as many as fit, of the orientation and tilt that give most."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Literal

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from rooftop.energy import ModulePlane, Rows
from rooftop.kernels import packing as kernel
from rooftop.pvsystem import Module
from rooftop.scene.array import row_pitch_m, shadow_ratio

Mounting = Literal["rack", "flush", "east_west"]
Orientation = Literal["portrait", "landscape"]
F8 = NDArray[np.float64]

_STEPS = 32
_MAX_LEVELS = 24
_POLYGON = 3
_LEVEL_DEG = 1e-6


@dataclass(frozen=True)
class PackOptions:
    """How modules may stand on a plane.

    Parameters
    ----------
    mounting : {"rack", "flush", "east_west"}
        Racks stand level on flat roofs; flush modules lie in the plane.
    tilts_deg : tuple of float
        Tilts to try for racks; ignored for flush.
    azimuth_deg : float
        Where rack modules look, clockwise from true north; the first half of an east-west pair looks to 90°.
    rows : {"azimuth", "building", "best"}
        Rack rows across `azimuth_deg`; parallel to the building, looking as near to it as that allows; or the better.
    tilt_for : {"roof", "module"}
        Tilt and rows with most energy on the roof, or with most energy per module.
    orientations : tuple of {"portrait", "landscape"}
        Portrait: the longer side runs up the slope.
    gap_m : float
        Clamp gap between modules.
    pair_gap_m : float
        What an east-west pair takes across its rows beyond its two modules: gap at the ridge and service gap.
    """

    mounting: Mounting
    tilts_deg: tuple[float, ...] = (10.0,)
    azimuth_deg: float = 180.0
    rows: Literal["azimuth", "building", "best"] = "azimuth"
    tilt_for: Literal["roof", "module"] = "roof"
    orientations: tuple[Orientation, ...] = ("portrait", "landscape")
    gap_m: float = 0.02
    pair_gap_m: float = 0.35


@dataclass(frozen=True)
class Trial:
    """One way to fill the zone.

    Parameters
    ----------
    mounting : {"rack", "flush", "east_west"}
    orientation : {"portrait", "landscape"}
    tilt_deg, azimuth_deg : float
        Of the modules, against the horizontal and true north.
    slope_length_m : float
        Side of a module up the slope.
    depth_m, pitch_m : float
        Of a row, or of an east-west pair, along the plane.
    count : int
        Modules that fit.
    specific_yield : float
        kWh per kWp and year as the caller gave it, 1 without.
    energy : float
        kWh a year (kWp without a yield).
    """

    mounting: Mounting
    orientation: Orientation
    tilt_deg: float
    azimuth_deg: float
    slope_length_m: float
    depth_m: float
    pitch_m: float
    count: int = 0
    specific_yield: float = 1.0
    energy: float = 0.0

    @property
    def per_place(self) -> int:
        """Modules per rectangle of a row: two in an east-west pair."""
        return 2 if self.mounting == "east_west" else 1


@dataclass(frozen=True)
class Packed:
    """The modules of one plane.

    Parameters
    ----------
    count : int
    mounting : {"rack", "flush", "east_west"}
    orientation : {"portrait", "landscape"}
    tilt_deg, azimuth_deg : float
        Of the modules; of an east-west pair, the half that looks to about 90°.
    pitch_m, slope_length_m : float
        Along the plane, see :class:`Trial`; the least distance of rows: around obstacles they stand further apart.
    offset_m : tuple of float
        Along and across the rows: from the lower left corner of the zone's box, in row coordinates, to module 0.
    modules : ndarray, shape (count, 4, 2)
        Corners in plan (working CRS), counter-clockwise from the lower left one, seen up the slope.
    second_half : ndarray of bool, shape (count,)
        Modules of an east-west pair that look the other way.
    module_area_m2 : float
        Modules projected onto the plane.
    module_face_area_m2 : float
    array_area_m2 : float
        Rows with the gaps between them, within the zone, in the plane.
    used_area_m2 : float
        The parts of the zone that carry modules, in the plane.
    zone_area_m2 : float
        The whole zone, in the plane.
    capacity_kwp : float
    trials : tuple of Trial
        All that was tried: density against yield.
    """

    count: int
    mounting: Mounting
    orientation: Orientation
    tilt_deg: float
    azimuth_deg: float
    pitch_m: float
    slope_length_m: float
    offset_m: tuple[float, float]
    modules: F8
    second_half: NDArray[np.bool_]
    module_area_m2: float
    module_face_area_m2: float
    array_area_m2: float
    used_area_m2: float
    zone_area_m2: float
    capacity_kwp: float
    trials: tuple[Trial, ...]


def pack(
    zone: Any,
    tilt_deg: float,
    azimuth_deg: float,
    module: Module,
    options: PackOptions,
    *,
    latitude_deg: float,
    grid_north_deg: float = 0.0,
    specific_yield: Callable[[ModulePlane], float] | None = None,
) -> Packed:
    """Fill a usable zone with modules.

    Rows of flush modules on a tilted plane run along the eaves; on a level plane along the building. Each row shifts
    freely along itself, and rows stand at their pitch or, around obstacles, further apart; among the searched starts of
    rows (:func:`rooftop.kernels.packing.row_positions`) the answer is the best. Racks on a slightly tilted roof stand
    as on a level one.

    Parameters
    ----------
    zone : shapely Polygon or MultiPolygon
        Plan projection, working CRS, metres. Invalid rings are repaired.
    tilt_deg, azimuth_deg : float
        Of the roof plane; the azimuth clockwise from true north.
    module : Module
    options : PackOptions
    latitude_deg : float
        For the row pitch.
    grid_north_deg : float
        True azimuth of grid north.
    specific_yield : callable, optional
        Returns kWh per kWp and year of an orientation. Needed to choose between tilts or azimuths.

    Raises
    ------
    ValueError
        Several tilts or row directions are to be compared, and `specific_yield` is missing.
    """
    parts = _parts(zone)
    stretch = 1.0 / math.cos(math.radians(tilt_deg))
    trials = list(_candidates(parts, tilt_deg, azimuth_deg, module, options, latitude_deg, grid_north_deg))
    groups = _groups(parts, max(trial.pitch_m - (trial.mounting == "flush") * trial.depth_m for trial in trials))
    frames: dict[float, _Frame] = {}
    for k, trial in enumerate(trials):
        if trial.azimuth_deg not in frames:
            across = stretch if options.mounting == "flush" else 1.0
            frames[trial.azimuth_deg] = _Frame.of(groups, trial.azimuth_deg - grid_north_deg, across)
        count = frames[trial.azimuth_deg].count(trial, module, options.gap_m)
        trials[k] = replace(trial, count=count)
    trials = _valued(trials, module, specific_yield)
    best = _chosen(trials, options.tilt_for)
    laid = frames[best.azimuth_deg].lay(best, module, options.gap_m)
    # Plan areas of level racks are divided by the cosine of the roof's slope, as the zone's own area is.
    flush = best.mounting == "flush"
    leaning = 1.0 if flush else stretch * math.cos(math.radians(best.tilt_deg))
    face = best.count * module.area_m2
    return Packed(
        count=best.count,
        mounting=best.mounting,
        orientation=best.orientation,
        tilt_deg=best.tilt_deg,
        azimuth_deg=best.azimuth_deg,
        pitch_m=best.pitch_m,
        slope_length_m=best.slope_length_m,
        offset_m=laid.offset_m,
        modules=laid.modules,
        second_half=laid.second_half,
        module_area_m2=face * leaning,
        module_face_area_m2=face,
        array_area_m2=laid.array_area_m2 * (1.0 if flush else stretch),
        used_area_m2=laid.used_plan_m2 * stretch,
        zone_area_m2=float(shapely.area(parts).sum()) * stretch,
        capacity_kwp=best.count * module.pdc0_w / 1000.0,
        trials=tuple(trials),
    )


def tilt_table(
    module: Module,
    options: PackOptions,
    *,
    latitude_deg: float,
    specific_yield: Callable[[ModulePlane], float],
) -> pd.DataFrame:
    """Return density against yield of each tilt, on an endless level roof with rows across `options.azimuth_deg`.

    Returns
    -------
    DataFrame
        ``tilt_deg pitch_m`` (portrait, or the first configured orientation), ``module_face_per_array`` (ground cover
        ratio), ``kwp_per_m2`` of array, ``kwh_kwp``, ``kwh_per_m2`` of array; one row per tilt.
    """
    rows = []
    for tilt in options.tilts_deg:
        trial = _level_trial(module, options, options.orientations[0], tilt, options.azimuth_deg, latitude_deg)
        place = trial.pitch_m * (_width(trial, module) + options.gap_m) / trial.per_place
        density = module.pdc0_w / 1000.0 / place
        per_kwp = _yield_of(trial, 0.0, 180.0, specific_yield)
        rows.append((tilt, trial.pitch_m, module.area_m2 / place, density, per_kwp, density * per_kwp))
    names = ["tilt_deg", "pitch_m", "module_face_per_array", "kwp_per_m2", "kwh_kwp", "kwh_per_m2"]
    return pd.DataFrame(rows, columns=names)


def _parts(zone: Any) -> NDArray[np.object_]:
    """Return the valid polygons of a zone, exteriors counter-clockwise."""
    if not shapely.is_valid(zone):
        zone = shapely.make_valid(zone)
    parts = shapely.get_parts(zone)
    while (shapely.get_type_id(parts) > _POLYGON).any():
        parts = shapely.get_parts(parts)
    parts = parts[(shapely.get_type_id(parts) == _POLYGON) & (shapely.area(parts) > 0.0)]
    oriented: NDArray[np.object_] = np.atleast_1d(shapely.orient_polygons(parts))
    return oriented


def _groups(parts: NDArray[np.object_], distance_m: float) -> list[NDArray[np.object_]]:
    """Return the parts, those nearer to each other than the distance (chained) together."""
    if len(parts) < 2:
        return [parts] if len(parts) else []
    left, right = shapely.STRtree(parts).query(parts, predicate="dwithin", distance=distance_m)
    n, label = connected_components(coo_matrix((np.ones(len(left)), (left, right)), shape=(len(parts),) * 2))
    return [parts[label == k] for k in range(n)]


def _edges(parts: NDArray[np.object_]) -> F8:
    """Return the edges (x0, y0, x1, y1) of all rings, shape (m, 4); none of zero length."""
    points, ring = shapely.get_coordinates(shapely.get_rings(parts), return_index=True)
    edges = np.hstack([points[:-1], points[1:]])[ring[:-1] == ring[1:]]
    return edges[(edges[:, 0] != edges[:, 2]) | (edges[:, 1] != edges[:, 3])]


@lru_cache(maxsize=4096)
def _shadow_ratio(latitude_deg: float, azimuth_deg: float) -> float:
    ratio = shadow_ratio(latitude_deg, azimuth_deg)
    if not math.isfinite(ratio):
        raise ValueError(f"no row pitch: the sun is down at 9:00 in midwinter at latitude {latitude_deg}")
    return ratio


def _width(trial: Trial, module: Module) -> float:
    """Side of the module along the row [m]."""
    return module.width_m if trial.orientation == "portrait" else module.length_m


def _flush_trial(
    module: Module, options: PackOptions, orientation: Orientation, tilt_deg: float, azimuth_deg: float
) -> Trial:
    slope = module.length_m if orientation == "portrait" else module.width_m
    return Trial("flush", orientation, tilt_deg, azimuth_deg, slope, slope, slope + options.gap_m)


def _level_trial(
    module: Module,
    options: PackOptions,
    orientation: Orientation,
    tilt_deg: float,
    azimuth_deg: float,
    latitude_deg: float,
) -> Trial:
    """Return a row of racks at the winter-solstice pitch, or an east-west pair."""
    slope = module.length_m if orientation == "portrait" else module.width_m
    flat = slope * math.cos(math.radians(tilt_deg))
    if options.mounting == "east_west":
        depth, pitch = 2.0 * flat + options.gap_m, 2.0 * flat + options.pair_gap_m
    else:
        depth, pitch = flat, row_pitch_m(slope, tilt_deg, _shadow_ratio(latitude_deg, azimuth_deg))
        pitch = max(pitch, depth + options.gap_m)
    return Trial(options.mounting, orientation, tilt_deg, azimuth_deg, slope, depth, max(pitch, depth))


def _candidates(
    parts: NDArray[np.object_],
    tilt_deg: float,
    azimuth_deg: float,
    module: Module,
    options: PackOptions,
    latitude_deg: float,
    grid_north_deg: float,
) -> Iterator[Trial]:
    """Yield what is to be tried; of equals the first wins."""
    if options.mounting == "flush":
        level = tilt_deg < _LEVEL_DEG
        facing = _along_building(parts, azimuth_deg, grid_north_deg) if level else (azimuth_deg,)
        for azimuth in facing:
            for orientation in options.orientations:
                yield _flush_trial(module, options, orientation, tilt_deg, azimuth)
        return
    wanted = 90.0 if options.mounting == "east_west" else options.azimuth_deg
    directions: tuple[float, ...] = (wanted,)
    if options.rows != "azimuth":
        building = _along_building(parts, wanted, grid_north_deg)[:1]
        directions = building if options.rows == "building" else (wanted, *building)
    for azimuth in dict.fromkeys(directions):
        for tilt in options.tilts_deg:
            for orientation in options.orientations:
                yield _level_trial(module, options, orientation, tilt, azimuth, latitude_deg)


def _along_building(parts: NDArray[np.object_], wanted_deg: float, grid_north_deg: float) -> tuple[float, float]:
    """Return the true azimuths at right angles to the building's walls: nearest to the wanted one, then the next."""
    if not len(parts):
        return wanted_deg, (wanted_deg + 90.0) % 360.0
    walls = math.degrees(kernel.main_direction(_edges(parts)))
    off = (90.0 - walls + grid_north_deg - wanted_deg + 45.0) % 90.0 - 45.0
    nearest = (wanted_deg + off) % 360.0
    return nearest, (nearest + 90.0) % 360.0


def _yield_of(
    trial: Trial, plane_tilt_deg: float, plane_azimuth_deg: float, specific_yield: Callable[[ModulePlane], float]
) -> float:
    """Return kWh per kWp; of an east-west pair the mean of its halves."""
    if trial.mounting == "flush":
        return specific_yield(
            ModulePlane(trial.tilt_deg, plane_azimuth_deg, "flush", None, plane_tilt_deg, plane_azimuth_deg)
        )
    rows = Rows(trial.slope_length_m, trial.pitch_m)
    first = specific_yield(ModulePlane(trial.tilt_deg, trial.azimuth_deg, "rack", rows))
    if trial.mounting == "rack":
        return first
    return 0.5 * (
        first + specific_yield(ModulePlane(trial.tilt_deg, (trial.azimuth_deg + 180.0) % 360.0, "rack", rows))
    )


def _valued(trials: list[Trial], module: Module, specific_yield: Callable[[ModulePlane], float] | None) -> list[Trial]:
    """Give each trial its energy; flush rows of one plane all have the same yield, so theirs is not asked for."""
    kwp = module.pdc0_w / 1000.0
    compared = {(trial.tilt_deg, trial.azimuth_deg) for trial in trials}
    if specific_yield is None or trials[0].mounting == "flush":
        if len(compared) > 1 and trials[0].mounting != "flush":
            raise ValueError("several tilts or row directions are compared: specific_yield is needed")
        return [replace(trial, energy=trial.count * kwp) for trial in trials]
    valued = []
    for trial in trials:
        per_kwp = _yield_of(trial, 0.0, 180.0, specific_yield)
        valued.append(replace(trial, specific_yield=per_kwp, energy=trial.count * kwp * per_kwp))
    return valued


def _chosen(trials: list[Trial], tilt_for: Literal["roof", "module"]) -> Trial:
    """Return the trial with most energy; per module: among those of the tilt and direction that yield most."""
    if tilt_for == "module":
        top = max((trial for trial in trials), key=lambda trial: (trial.count > 0, trial.specific_yield))
        trials = [t for t in trials if (t.tilt_deg, t.azimuth_deg) == (top.tilt_deg, top.azimuth_deg)]
    return max(trials, key=lambda trial: trial.energy)


@dataclass(frozen=True)
class _Group:
    """Parts of a zone that are packed together: nearer to each other than a pitch."""

    parts: NDArray[np.object_]
    edges: F8
    levels: F8

    def rows(self, trial: Trial, width: float, gap: float) -> tuple[F8, int]:
        """Return the starts of the best rows and how many places they hold."""
        positions = kernel.row_positions(self.edges, self.levels, trial.depth_m, trial.pitch_m, _STEPS)
        if not len(positions):
            return positions, 0
        counts = kernel.row_counts(self.edges, positions, trial.depth_m, width, gap)
        return kernel.best_rows(positions, counts, trial.pitch_m)


@dataclass(frozen=True)
class _Frame:
    """A zone in row coordinates: u along the rows, v across them, up the slope or away from where modules look."""

    along: F8
    up: F8
    origin: F8
    stretch: float
    groups: tuple[_Group, ...]

    @classmethod
    def of(cls, groups: list[NDArray[np.object_]], facing_grid_deg: float, stretch: float) -> _Frame:
        """Turn the parts so that modules look towards -v; `stretch` makes plan distances up the slope true."""
        facing = math.radians(facing_grid_deg)
        up = np.array([-math.sin(facing), -math.cos(facing)])
        along = np.array([up[1], -up[0]])
        origin = shapely.get_coordinates(groups[0])[0] if groups else np.zeros(2)
        turn = np.column_stack([along, up * stretch])
        made = []
        for parts in groups:
            flat = _edges(parts).reshape(-1, 2) - origin
            edges = kernel.sorted_edges((flat @ turn).reshape(-1, 4))
            longest = np.argsort(-np.abs(edges[:, 2] - edges[:, 0]), kind="stable")[:_MAX_LEVELS]
            levels = np.unique(edges[longest][:, [1, 3]])
            made.append(_Group(parts, edges, levels))
        return cls(along, up, origin, stretch, tuple(made))

    def count(self, trial: Trial, module: Module, gap: float) -> int:
        """Return how many modules fit."""
        width = _width(trial, module)
        return trial.per_place * sum(group.rows(trial, width, gap)[1] for group in self.groups)

    def plan(self, u: F8, v: F8) -> F8:
        """Return plan coordinates, shape (..., 2)."""
        return self.origin + u[..., None] * self.along + (v / self.stretch)[..., None] * self.up

    def lay(self, trial: Trial, module: Module, gap: float) -> _Laid:
        """Return the modules of a trial and the areas they take."""
        width = _width(trial, module)
        corners, used, array, first = [np.zeros((0, 4, 2))], 0.0, 0.0, (math.inf, math.inf)
        for group in self.groups:
            rows, _ = group.rows(trial, width, gap)
            if not len(rows):
                continue
            row, start, number = kernel.fill_rows(group.edges, rows, trial.depth_m, width, gap)
            array += kernel.array_area(
                group.edges, rows, row, start, number, trial.depth_m, trial.pitch_m, width, gap
            )  # fmt: skip
            run = np.repeat(np.arange(len(row)), number)
            place = np.arange(len(run)) - np.repeat(np.cumsum(number) - number, number)
            u, v = start[run] + place * (width + gap), rows[row[run]]
            first = min(first, (float(v[0]), float(u[0])))
            corners.append(self._rectangles(u, v, width, trial, gap))
            used += _used_area(group.parts, self.plan(u + 0.5 * width, v + 0.5 * trial.depth_m))
        modules = np.concatenate(corners)
        second = np.zeros(len(modules), dtype=bool)
        second[1::2] = trial.mounting == "east_west"
        return _Laid(modules, second, array, used, self._offset(first))

    def _rectangles(self, u: F8, v: F8, width: float, trial: Trial, gap: float) -> F8:
        """Return the corners in plan of the modules at places (u, v); both halves of a pair, one after the other."""
        depth = trial.depth_m
        if trial.mounting == "east_west":
            depth = 0.5 * (trial.depth_m - gap)
            u, v = np.repeat(u, 2), np.repeat(v, 2)
            v[1::2] += depth + gap
        across = np.stack([v, v, v + depth, v + depth], axis=-1)
        return self.plan(np.stack([u, u + width, u + width, u], axis=-1), across)

    def _offset(self, first: tuple[float, float]) -> tuple[float, float]:
        """Return the first module's place seen from the lower left corner of the zone's box."""
        if not math.isfinite(first[0]):
            return 0.0, 0.0
        ends = np.concatenate([group.edges for group in self.groups])
        low = np.minimum(ends[:, :2], ends[:, 2:]).min(axis=0)
        return first[1] - float(low[0]), first[0] - float(low[1])


@dataclass(frozen=True)
class _Laid:
    """Modules in plan; the array's area in row coordinates; plan area of the parts that carry modules."""

    modules: F8
    second_half: NDArray[np.bool_]
    array_area_m2: float
    used_plan_m2: float
    offset_m: tuple[float, float]


def _used_area(parts: NDArray[np.object_], middles: F8) -> float:
    """Plan area of the parts that hold a module's middle."""
    if len(parts) == 1:
        return float(shapely.area(parts[0]))
    holds = [bool(shapely.contains_xy(part, middles[:, 0], middles[:, 1]).any()) for part in parts]
    return float(shapely.area(parts)[holds].sum())
