"""How modules stand on a plane: row pitch clear of winter's shade, and module density."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from rooftop.scene.design_sun import design_sun
from rooftop.scene.equator import equatorward_deg


def shadow_ratio(latitude_deg: float, row_azimuth_deg: float | None = None) -> float:
    """Return the longest shadow per metre of height, measured across rows, in the hours that rows are kept clear.

    9:00-15:00 true solar time at the winter solstice, as GB 50797 asks; at high latitudes on the days when the sun is
    high enough then, see :func:`rooftop.scene.design_sun.design_sun`. Rows that face the equator give
    ``R = (0.707 tan φ + 0.4338) / (0.707 - 0.4338 tan φ)`` at midwinter.

    Parameters
    ----------
    latitude_deg : float
        North positive, degrees.
    row_azimuth_deg : float, optional
        Where the modules look, degrees clockwise from true north; towards the equator when left out.
    """
    facing = equatorward_deg(latitude_deg) if row_azimuth_deg is None else row_azimuth_deg
    return design_sun(latitude_deg).shadow_ratio(facing)


def row_pitch_m(slope_length_m: float, tilt_deg: float, ratio: float) -> float:
    """Return the row pitch ``D = L cos β + L sin β · R`` (GB 50797), metres."""
    beta = math.radians(tilt_deg)
    return slope_length_m * (math.cos(beta) + math.sin(beta) * ratio)


@dataclass(frozen=True)
class ArrayDesign:
    """One way to put modules on a plane.

    Parameters
    ----------
    mounting : {"rack", "flush", "east_west"}
    module_tilt_deg : float
        Tilt of the module against the horizontal when the plane is flat; ignored for flush.
    module_azimuth_deg : float
        Where rack modules look.
    slope_length_m : float
        Side of the module along the slope.
    row_pitch_m : float
        Distance between rows, along the plane; for ``east_west`` that of a pair.
    unit_area_m2 : float
        Array area that one module takes in the plane, gaps of rows and clamps included.
    module_area_m2 : float
        One module projected onto the plane.
    """

    mounting: Literal["rack", "flush", "east_west"]
    module_tilt_deg: float
    module_azimuth_deg: float
    slope_length_m: float
    row_pitch_m: float
    unit_area_m2: float
    module_area_m2: float


def flush_design(length_m: float, width_m: float, gap_m: float) -> ArrayDesign:
    """Return modules lying in the plane, clamp gaps between them."""
    unit = (length_m + gap_m) * (width_m + gap_m)
    return ArrayDesign("flush", 0.0, 180.0, length_m, length_m + gap_m, unit, length_m * width_m)


def rack_design(
    length_m: float, width_m: float, gap_m: float, tilt_deg: float, azimuth_deg: float, latitude_deg: float
) -> ArrayDesign:
    """Return rows of tilted modules, portrait, clear of each other's shade in winter (:func:`shadow_ratio`)."""
    pitch = row_pitch_m(length_m, tilt_deg, shadow_ratio(latitude_deg, azimuth_deg))
    pitch = max(pitch, length_m * math.cos(math.radians(tilt_deg)) + gap_m)
    projected = length_m * width_m * math.cos(math.radians(tilt_deg))
    return ArrayDesign("rack", tilt_deg, azimuth_deg, length_m, pitch, pitch * (width_m + gap_m), projected)


def east_west_design(length_m: float, width_m: float, gap_m: float, tilt_deg: float, pair_gap_m: float) -> ArrayDesign:
    """Return pairs of modules leaning on each other, landscape, looking east and west."""
    pitch = 2.0 * width_m * math.cos(math.radians(tilt_deg)) + pair_gap_m
    projected = length_m * width_m * math.cos(math.radians(tilt_deg))
    return ArrayDesign("east_west", tilt_deg, 90.0, width_m, pitch, 0.5 * pitch * (length_m + gap_m), projected)
