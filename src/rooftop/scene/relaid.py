"""Rows that move into the light: modules laid once more where a zone is bright."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely

from rooftop.core.types import F8, I8, Geometries
from rooftop.scene.frame import Frame, neighbours, polygons_of
from rooftop.scene.places import PlaneRuns
from rooftop.scene.rows import RowDesign
from rooftop.scene.zones import large_pieces


@dataclass(frozen=True, kw_only=True)
class Relaid:
    """Modules of a plane, or of both halves of an east-west rack, in other places.

    Parameters
    ----------
    planes : tuple of int
        Which planes; of a pair, first the one whose rows lead.
    corners : tuple of ndarray
        Of each plane, (m, 4, 2) in plan.
    array_m2, used_m2 : float
        Rows with their gaps, and the pieces of the zone that carry them, in the plane, of each.
    """

    planes: tuple[int, ...]
    corners: tuple[F8, ...]
    array_m2: float
    used_m2: float


@dataclass(frozen=True, kw_only=True)
class MovedPlanes:
    """Planes whose modules lie elsewhere than they were packed.

    Parameters
    ----------
    planes : ndarray of int64
        Rows of the layout, ascending.
    count : ndarray of int64
        Modules of each.
    array_m2, used_m2 : ndarray
        As in :class:`Relaid`.
    corners : ndarray, shape (m, 4, 2)
        Of the modules, plane after plane, where they are kept; else of none.
    """

    planes: I8
    count: I8
    array_m2: F8
    used_m2: F8
    corners: F8


@dataclass(frozen=True, kw_only=True)
class ZoneOfPlane:
    """Where the modules of a plane may stand, and its rows; the fields of :class:`PackedZones`, for one."""

    shape: shapely.Geometry
    facing_grid_deg: float
    stretch: float
    least_m2: float
    design: RowDesign


@dataclass(frozen=True, kw_only=True)
class PackedZones:
    """What is needed to lay the modules of a plane once more.

    Parameters
    ----------
    zone : ndarray of geometries, shape (n_planes,)
        Where the modules of each plane may stand, in plan.
    facing_grid_deg : ndarray
        Where its rows look, from grid north; of an east-west pair, its first half.
    stretch : ndarray
        One over the cosine of the roof plane's tilt.
    least_m2 : ndarray
        Smaller pieces carry nothing, in plan.
    design : ndarray of int64
        Its rows, a place in `designs`.
    designs : tuple of RowDesign
    """

    zone: Geometries
    facing_grid_deg: F8
    stretch: F8
    least_m2: F8
    design: I8
    designs: tuple[RowDesign, ...]

    @classmethod
    def from_planes(cls, planes: Sequence[ZoneOfPlane]) -> PackedZones:
        """Put planes together, in their order."""
        numbers: dict[RowDesign, int] = {}
        zone = np.empty(len(planes), dtype=object)
        zone[:] = [each.shape for each in planes]
        return cls(
            zone=zone,
            facing_grid_deg=np.array([each.facing_grid_deg for each in planes], dtype=np.float64),
            stretch=np.array([each.stretch for each in planes], dtype=np.float64),
            least_m2=np.array([each.least_m2 for each in planes], dtype=np.float64),
            design=np.array([numbers.setdefault(each.design, len(numbers)) for each in planes], dtype=np.int64),
            designs=tuple(numbers),
        )

    def without(self, dark: shapely.Geometry, lead: int, planes: tuple[int, ...]) -> Relaid:
        """Lay the modules of a plane, or of both halves of a pair, in what is bright of its zone, in rows alike.

        Parameters
        ----------
        dark : geometry
            In plan.
        lead : int
            The plane, or the one whose rows lead: a place in the arrays.
        planes : tuple of int
            What the answer calls it, or both halves.
        """
        design, stretch = self.designs[self.design[lead]], float(self.stretch[lead])
        flush = design.mounting == "flush"
        zone = large_pieces(shapely.difference(self.zone[lead], dark), float(self.least_m2[lead]))
        groups = neighbours(polygons_of(zone), design.gap_m if flush else design.pitch_m)
        frame = Frame.from_groups(groups, float(self.facing_grid_deg[lead]), stretch if flush else 1.0)
        placed = frame.lay(design)
        n = len(planes)
        return Relaid(
            planes=planes,
            corners=tuple(placed.modules[k::n] for k in range(n)),
            array_m2=placed.array_area_m2 * (1.0 if flush else stretch) / n,
            used_m2=placed.used_plan_m2 * stretch / n,
        )


def runs_of(relaid: Relaid, lower_m: F8, rise_m: F8) -> list[PlaneRuns]:
    """Return the modules of each plane as they are kept, at the heights of its edges."""
    heights = zip(relaid.corners, lower_m, rise_m, strict=True)
    return [PlaneRuns.from_corners(corners, float(lower), float(rise)) for corners, lower, rise in heights]
