"""Which way the equator lies, and what follows: where racks look, and which planes stay empty."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from rooftop.config import FlatSystem
from rooftop.core.roof_rules import Poleward
from rooftop.core.types import B1, F8, I8
from rooftop.scene.design_sun import DesignSun, design_sun


def equatorward_deg(latitude_deg: float) -> float:
    """Return the azimuth of the equator: 180 north of it and on it, 0 south of it."""
    return 180.0 if latitude_deg >= 0.0 else 0.0


def rack_azimuth_deg(system: FlatSystem, latitude_deg: float) -> float:
    """Return where racks look: as stated, else towards the equator."""
    return equatorward_deg(latitude_deg) if system.azimuth_deg == "auto" else system.azimuth_deg


def from_pole_deg(azimuth_deg: F8, latitude_deg: F8) -> F8:
    """Return the angle between an azimuth and that of the nearer pole, 0 to 180 degrees."""
    pole = np.where(np.asarray(latitude_deg) >= 0.0, 0.0, 180.0)
    return np.asarray(np.abs((azimuth_deg - pole + 180.0) % 360.0 - 180.0), dtype=np.float64)


def poleward_min_tilt_deg(latitude_deg: F8, rule: Poleward) -> F8:
    """Return from which tilt on planes that face the pole stay empty.

    Against one to the equator, a plane of tilt β to the pole loses about ``1.25 tan β tan φ`` of a year: from
    ``rule.as_at_latitude_deg`` towards the equator the limit grows so that this stays what it is there.
    """
    tangent = np.tan(np.radians(np.abs(latitude_deg)))
    allowed = math.tan(math.radians(rule.min_tilt_deg)) * math.tan(math.radians(rule.as_at_latitude_deg))
    with np.errstate(divide="ignore"):
        grown = np.degrees(np.arctan(allowed / tangent))
    near = np.abs(latitude_deg) < rule.as_at_latitude_deg
    return np.where(near, np.maximum(grown, rule.min_tilt_deg), rule.min_tilt_deg)


@dataclass(frozen=True)
class Sides:
    """The sides of the equator on which roofs lie.

    Parameters
    ----------
    latitude_deg : tuple of float
        Mean latitude of the roofs of each side, north first.
    of_roof : (n,) int
        Side of each roof.
    """

    latitude_deg: tuple[float, ...]
    of_roof: I8

    @classmethod
    def by_latitude(cls, latitude_deg: F8, counts: B1) -> Sides:
        """Part roofs by the equator.

        Parameters
        ----------
        latitude_deg : (n,) float
            NaN where there is no geometry.
        counts : (n,) bool
            Roofs that say where the data lie; the others take part on the side that there is.
        """
        known = np.isfinite(latitude_deg)
        south = latitude_deg < 0.0
        if not all((counts & known & side).any() for side in (~south, south)):
            return cls((float(np.nanmean(latitude_deg)),), np.zeros(len(latitude_deg), dtype=np.int64))
        means = tuple(float(np.mean(latitude_deg[known & side])) for side in (~south, south))
        return cls(means, south.astype(np.int64))

    @property
    def by_roof(self) -> F8:
        """Mean latitude of each roof's side, (n,)."""
        return np.asarray(self.latitude_deg)[self.of_roof]


@dataclass(frozen=True)
class SideRules:
    """What holds for modules on one side of the equator.

    Parameters
    ----------
    latitude_deg : float
    azimuth_deg : float
        Where racks look.
    sun : DesignSun
    shadow_ratio : float
        Room between racks per metre of height.
    poleward_min_tilt_deg : float
        Planes that face the pole stay empty from this tilt on.
    """

    latitude_deg: float
    azimuth_deg: float
    sun: DesignSun
    shadow_ratio: float
    poleward_min_tilt_deg: float

    @property
    def from_equator_deg(self) -> float:
        """How far racks look away from the equator, 0 to 180 degrees."""
        off = (self.azimuth_deg - equatorward_deg(self.latitude_deg) + 180.0) % 360.0 - 180.0
        return abs(off)


def side_rules(system: FlatSystem, sides: Sides, rule: Poleward) -> tuple[SideRules, ...]:
    """Return the rules of each side on which roofs lie."""
    rules = []
    for latitude in sides.latitude_deg:
        azimuth, sun = rack_azimuth_deg(system, latitude), design_sun(latitude)
        limit = float(poleward_min_tilt_deg(np.array(latitude), rule))
        rules.append(SideRules(latitude, azimuth, sun, sun.shadow_ratio(azimuth), limit))
    return tuple(rules)
