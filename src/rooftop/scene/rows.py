"""Ways to set modules in rows on one plane: orientation, tilt, direction, depth and pitch of a row."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import pandas as pd

from rooftop.core.choices import RoofMounting
from rooftop.scene.array import row_pitch_m, shadow_ratio
from rooftop.solar.energy import ModulePlane, Rows
from rooftop.solar.pvsystem import Module

Orientation = Literal["portrait", "landscape"]
SpecificYield = Callable[[ModulePlane], float]
"""kWh per kWp and year of an orientation."""


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
        Rack rows face `azimuth_deg`; run parallel to the building, facing as near to it as that allows; or the better.
        Flush rows run along the eaves, on a level roof along the walls; there `best` also turns them in steps of 3°.
    tilt_for : {"roof", "module"}
        Tilt and rows with most energy on the roof, or with most energy per module.
    orientations : tuple of {"portrait", "landscape"}
        Portrait: the longer side runs up the slope.
    gap_m : float
        Clamp gap between modules.
    pair_gap_m : float
        What an east-west pair takes across its rows beyond its two modules: gap at the ridge and service gap.
    """

    mounting: RoofMounting
    tilts_deg: tuple[float, ...] = (10.0,)
    azimuth_deg: float = 180.0
    rows: Literal["azimuth", "building", "best"] = "azimuth"
    tilt_for: Literal["roof", "module"] = "roof"
    orientations: tuple[Orientation, ...] = ("portrait", "landscape")
    gap_m: float = 0.02
    pair_gap_m: float = 0.35


@dataclass(frozen=True)
class RowDesign:
    """Rows of one kind.

    Parameters
    ----------
    mounting : {"rack", "flush", "east_west"}
    orientation : {"portrait", "landscape"}
    tilt_deg, azimuth_deg : float
        Of the modules, against the horizontal and true north; of flush modules on a level roof, where rows face.
    slope_length_m, width_m : float
        Sides of a module up the slope and along the row.
    depth_m, pitch_m : float
        Of a row, or of an east-west pair, along the plane.
    gap_m : float
        Between modules of a row.
    planes : tuple of ModulePlane
        What the modules look at: two for an east-west pair, half of the modules each.
    """

    mounting: RoofMounting
    orientation: Orientation
    tilt_deg: float
    azimuth_deg: float
    slope_length_m: float
    width_m: float
    depth_m: float
    pitch_m: float
    gap_m: float
    planes: tuple[ModulePlane, ...]

    @property
    def per_place(self) -> int:
        """Modules per rectangle of a row: two in an east-west pair."""
        return len(self.planes)

    def specific_yield(self, of_plane: SpecificYield) -> float:
        """Return kWh per kWp and year."""
        return sum(of_plane(plane) for plane in self.planes) / len(self.planes)


def flush_rows(
    module: Module, options: PackOptions, tilt_deg: float, azimuth_deg: float, facing_deg: float
) -> tuple[RowDesign, ...]:
    """Return rows lying in a plane, one design per orientation; on a tilted plane they face as the plane does."""
    plane = ModulePlane(tilt_deg, azimuth_deg, "flush", None, tilt_deg, azimuth_deg)
    gap = options.gap_m
    return tuple(
        RowDesign("flush", name, tilt_deg, facing_deg, slope, width, slope, slope + gap, gap, (plane,))
        for name, slope, width in _sides(module, options)
    )


@lru_cache(maxsize=1024)
def level_rows(module: Module, options: PackOptions, azimuth_deg: float, latitude_deg: float) -> tuple[RowDesign, ...]:
    """Return racks or east-west pairs on a level roof, one design per tilt and orientation.

    Racks stand clear of each other's shade in winter, for their own azimuth: :func:`rooftop.scene.array.shadow_ratio`.
    Of an east-west pair the halves touch but for the clamp gap, and the rest of `pair_gap_m` lies between pairs.
    """
    designs = []
    ratio = shadow_ratio(latitude_deg, azimuth_deg)
    for tilt in options.tilts_deg:
        for name, slope, width in _sides(module, options):
            flat = slope * math.cos(math.radians(tilt))
            if options.mounting == "east_west":
                depth, pitch = 2.0 * flat + options.gap_m, 2.0 * flat + options.pair_gap_m
            else:
                depth, pitch = flat, row_pitch_m(slope, tilt, ratio)
            pitch = max(pitch, flat + options.gap_m, depth)
            rows = Rows(slope, pitch)
            azimuths = (azimuth_deg, (azimuth_deg + 180.0) % 360.0)[: 1 + (options.mounting == "east_west")]
            planes = tuple(ModulePlane(tilt, azimuth, "rack", rows) for azimuth in azimuths)
            designs.append(
                RowDesign(options.mounting, name, tilt, azimuth_deg, slope, width, depth, pitch, options.gap_m, planes)
            )
    return tuple(designs)


def widest_pitch_m(module: Module, options: PackOptions, latitude_deg: float) -> float:
    """Return the widest pitch of the options: polygons further apart do not shade each other."""
    return max(design.pitch_m for design in level_rows(module, options, options.azimuth_deg, latitude_deg))


def tilt_table(
    module: Module, options: PackOptions, *, latitude_deg: float, specific_yield: SpecificYield
) -> pd.DataFrame:
    """Return density against yield of each tilt, on an endless level roof with rows that face `options.azimuth_deg`.

    Returns
    -------
    DataFrame
        ``orientation tilt_deg pitch_m``, ``face_per_array`` (ground cover ratio), ``kwp_per_m2`` of array, ``kwh_kwp``,
        ``kwh_per_m2`` of array; one row per tilt and orientation.
    """
    rows = []
    for design in level_rows(module, options, options.azimuth_deg, latitude_deg):
        place = design.pitch_m * (design.width_m + design.gap_m) / design.per_place
        density, per_kwp = module.pdc0_w / 1000.0 / place, design.specific_yield(specific_yield)
        name, tilt, face = design.orientation, design.tilt_deg, module.area_m2 / place
        rows.append((name, tilt, design.pitch_m, face, density, per_kwp, density * per_kwp))
    names = ["orientation", "tilt_deg", "pitch_m", "face_per_array", "kwp_per_m2", "kwh_kwp", "kwh_per_m2"]
    return pd.DataFrame(rows, columns=names)


def _sides(module: Module, options: PackOptions) -> list[tuple[Orientation, float, float]]:
    """Return the side up the slope and the side along the row of each orientation."""
    sides: dict[Orientation, tuple[float, float]] = {
        "portrait": (module.length_m, module.width_m),
        "landscape": (module.width_m, module.length_m),
    }
    return [(name, *sides[name]) for name in options.orientations]
