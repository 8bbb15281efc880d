"""Real modules in a usable zone: rows of rectangles, as many as fit, of the orientation and tilt that give most."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import shapely

from rooftop.config import FlatSystem
from rooftop.core.choices import RoofMounting
from rooftop.core.roof_rules import RoofRules
from rooftop.core.types import B1, F8
from rooftop.scene.equator import rack_azimuth_deg
from rooftop.scene.frame import Frame, PolygonGroup, neighbours, polygons_of, wall_azimuths_deg
from rooftop.scene.rows import (
    Orientation,
    PackOptions,
    RowDesign,
    SpecificYield,
    flush_rows,
    level_rows,
    tilt_table,
    widest_pitch_m,
)
from rooftop.solar.pvsystem import Module

__all__ = ["PackOptions", "Packed", "RowDesign", "Trial", "flat_options", "flush_options", "pack", "tilt_table"]


_LEVEL_DEG = 1e-6
_TURN_DEG = 3.0


@dataclass(frozen=True)
class Trial:
    """One way to fill the zone: density against yield.

    Parameters
    ----------
    design : RowDesign
    count : int
        Modules that fit; for the chosen design a finer search may have found more, see :class:`Packed`.
    specific_yield : float
        kWh per kWp and year as the caller gave it; 1 where it was not asked for.
    energy : float
        Their product with the power of a module: kWh a year, or kWp.
    """

    design: RowDesign
    count: int
    specific_yield: float
    energy: float


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
    mounting: RoofMounting
    orientation: Orientation
    tilt_deg: float
    azimuth_deg: float
    pitch_m: float
    slope_length_m: float
    offset_m: tuple[float, float]
    modules: F8
    second_half: B1
    module_area_m2: float
    module_face_area_m2: float
    array_area_m2: float
    used_area_m2: float
    zone_area_m2: float
    capacity_kwp: float
    trials: tuple[Trial, ...]


def flat_options(system: FlatSystem, rules: RoofRules, latitude_deg: float) -> PackOptions:
    """Return how modules stand on flat roofs, from the configuration and `configs/roof_types.yaml`."""
    tilts: tuple[float, ...]
    if system.tilt_deg != "auto":
        tilts = (float(system.tilt_deg),)
    elif system.mounting == "east_west":
        tilts = (rules.east_west_tilt_deg.value,)
    else:
        tilts = tuple(rules.auto_tilt_deg.candidates)
    return PackOptions(
        mounting=system.mounting,
        tilts_deg=tilts,
        azimuth_deg=90.0 if system.mounting == "east_west" else rack_azimuth_deg(system, latitude_deg),
        rows=system.rows,
        tilt_for=system.tilt_for,
        orientations=("landscape",) if system.mounting == "east_west" else ("portrait", "landscape"),
        gap_m=rules.module_gap_m.value,
        pair_gap_m=rules.east_west_gap_m.value,
    )


def flush_options(rules: RoofRules) -> PackOptions:
    """Return how modules lie on pitched planes."""
    return PackOptions("flush", gap_m=rules.module_gap_m.value)


def pack(
    zone: Any,
    tilt_deg: float,
    azimuth_deg: float,
    module: Module,
    options: PackOptions,
    *,
    latitude_deg: float,
    grid_north_deg: float = 0.0,
    specific_yield: SpecificYield | None = None,
) -> Packed:
    """Fill a usable zone with modules.

    Rows of flush modules on a tilted plane run along the eaves; on a level plane along the building. Each row shifts
    freely along itself, and rows stand at their pitch or, around obstacles, further apart; among the searched starts of
    rows (see :mod:`rooftop.kernels.packing`) the answer is the best. Racks on a slightly tilted roof stand
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
    parts = polygons_of(zone)
    flush = options.mounting == "flush"
    stretch = 1.0 / math.cos(math.radians(tilt_deg))
    groups = neighbours(parts, options.gap_m if flush else widest_pitch_m(module, options, latitude_deg))
    if flush:
        facings = [azimuth_deg]
        if tilt_deg < _LEVEL_DEG:
            # A level plane looks nowhere: its first row lies towards the equator, as that of racks does.
            facing_equator = azimuth_deg if latitude_deg >= 0.0 else (180.0 - azimuth_deg) % 360.0
            facings = _along_walls_deg(groups, facing_equator, options, grid_north_deg)
        designs = [row for facing in facings for row in flush_rows(module, options, tilt_deg, azimuth_deg, facing)]
    else:
        designs = _level_designs(groups, module, options, latitude_deg, grid_north_deg)
    frames = {
        facing: Frame.from_groups(groups, facing - grid_north_deg, stretch if flush else 1.0)
        for facing in dict.fromkeys(design.azimuth_deg for design in designs)
    }
    fitting = [frame.counts([d for d in designs if d.azimuth_deg == facing]) for facing, frame in frames.items()]
    trials = _trials(designs, np.concatenate(fitting).tolist(), module, specific_yield)
    best = _best_trial(trials, options.tilt_for)
    placed = frames[best.design.azimuth_deg].lay(best.design)
    count = len(placed.modules)
    second = np.zeros(count, dtype=bool)
    second[1::2] = options.mounting == "east_west"
    # A level rack's plan area over the cosine of the roof's slope is its projection onto the roof plane.
    onto_plane = 1.0 if flush else stretch * math.cos(math.radians(best.design.tilt_deg))
    face = count * module.area_m2
    return Packed(
        count=count,
        mounting=best.design.mounting,
        orientation=best.design.orientation,
        tilt_deg=best.design.tilt_deg,
        azimuth_deg=best.design.azimuth_deg,
        pitch_m=best.design.pitch_m,
        slope_length_m=best.design.slope_length_m,
        offset_m=placed.offset_m,
        modules=placed.modules,
        second_half=second,
        module_area_m2=face * onto_plane,
        module_face_area_m2=face,
        array_area_m2=placed.array_area_m2 * (1.0 if flush else stretch),
        used_area_m2=placed.used_plan_m2 * stretch,
        zone_area_m2=float(shapely.area(parts).sum()) * stretch,
        capacity_kwp=count * module.pdc0_w / 1000.0,
        trials=tuple(trials),
    )


def _along_walls_deg(
    groups: list[PolygonGroup], wanted_deg: float, options: PackOptions, grid_north_deg: float
) -> list[float]:
    """Return where flush rows on a level plane may face: along and across walls (`best`: every way)."""
    walls = wall_azimuths_deg(groups, wanted_deg, grid_north_deg)
    if options.rows == "best":
        walls += [(walls[0] + turn) % 360.0 for turn in np.arange(_TURN_DEG, 90.0, _TURN_DEG).tolist()]
    return list(dict.fromkeys((wall + turn) % 360.0 for wall in walls for turn in (0.0, 90.0)))


def _level_designs(
    groups: list[PolygonGroup], module: Module, options: PackOptions, latitude_deg: float, grid_north_deg: float
) -> list[RowDesign]:
    """Return racks of each direction, tilt and orientation; of equals the first wins."""
    facings = [options.azimuth_deg]
    if options.rows != "azimuth":
        walls = wall_azimuths_deg(groups, options.azimuth_deg, grid_north_deg)[:1]
        facings = walls if options.rows == "building" else [*facings, *walls]
    return [row for facing in dict.fromkeys(facings) for row in level_rows(module, options, facing, latitude_deg)]


def _trials(
    designs: list[RowDesign], counts: list[int], module: Module, specific_yield: SpecificYield | None
) -> list[Trial]:
    """Give each design its energy; all flush rows of one plane yield the same, so theirs is not asked for."""
    kwp = module.pdc0_w / 1000.0
    if designs[0].mounting == "flush":
        specific_yield = None
    elif specific_yield is None and len({(design.tilt_deg, design.azimuth_deg) for design in designs}) > 1:
        raise ValueError("several tilts or row directions are compared: specific_yield is needed")
    trials = []
    for design, count in zip(designs, counts, strict=True):
        per_kwp = 1.0 if specific_yield is None else design.specific_yield(specific_yield)
        trials.append(Trial(design, count, per_kwp, count * kwp * per_kwp))
    return trials


def _best_trial(trials: list[Trial], tilt_for: Literal["roof", "module"]) -> Trial:
    """Return the trial with most energy; per module: among those of the tilt and direction that yield most."""
    if tilt_for == "module":
        top = max(trials, key=lambda trial: (trial.count > 0, trial.specific_yield)).design
        same = (top.tilt_deg, top.azimuth_deg)
        trials = [trial for trial in trials if (trial.design.tilt_deg, trial.design.azimuth_deg) == same]
    return max(trials, key=lambda trial: trial.energy)
