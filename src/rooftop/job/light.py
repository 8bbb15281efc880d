"""The light of a tile: what its cells see, and the sky tables of the orientations on its roofs."""

from __future__ import annotations

import functools
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from rooftop.config import SceneOptions
from rooftop.core.types import F8, I8
from rooftop.job.scene import Scene
from rooftop.solar.energy import ModulePlane, PlaneTables, PlaneYear, UsableYear, free_year, plane_tables
from rooftop.solar.pvsystem import PvSystem
from rooftop.solar.reflection import Facades, facades, with_reflection
from rooftop.solar.sky import SkyYear
from rooftop.solar.skylines import Skylines

YEAR_COLUMNS = (
    ["svf", "shading_loss", "poa_free_kwh_m2"]
    + [f"poa_{m:02d}" for m in range(1, 13)]
    + [f"ac_{m:02d}" for m in range(1, 13)]
)


@dataclass
class TableBook:
    """Cumulative-sky tables per orientation, computed once and shared by all tiles of a process."""

    sky: SkyYear
    system: PvSystem
    scene: SceneOptions
    _tables: dict[ModulePlane, PlaneTables] = field(default_factory=dict)
    _narrow: dict[tuple[ModulePlane, bytes], PlaneTables] = field(default_factory=dict)
    _facades: Facades | None = None
    _lock: Any = field(default_factory=threading.Lock)

    def __getstate__(self) -> dict[str, Any]:
        made: dict[str, Any] = {"_tables": {}, "_narrow": {}, "_facades": None}
        return {"sky": self.sky, "system": self.system, "scene": self.scene, **made}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._lock = threading.Lock()

    def tables(self, plane: ModulePlane) -> PlaneTables:
        """Return the tables of one orientation."""
        with self._lock:
            if plane not in self._tables:
                self._tables[plane] = plane_tables(
                    self.sky, plane, self.system, n_azimuth=self.scene.azimuths, albedo=self.scene.albedo
                )
            return self._tables[plane]

    def narrow_tables(self, plane: ModulePlane, factor: F8) -> PlaneTables:
        """Return the tables of one orientation at one irradiance factor of each month."""
        key, tables = (plane, factor.tobytes()), self.tables(plane)
        with self._lock:
            if key not in self._narrow:
                self._narrow[key] = tables.at_factor(factor)
            return self._narrow[key]

    def facades(self, factor: F8) -> Facades:
        """Return what the facades around receive, at the data set's mean irradiance factor."""
        scene = self.scene
        with self._lock:
            if self._facades is None:
                self._facades = facades(
                    self.sky, factor, scene.obstacle_reflectance, n_azimuth=scene.azimuths, albedo=scene.albedo
                )
            return self._facades


@dataclass(frozen=True, kw_only=True)
class OrientedPlanes:
    """Planes of a tile under one of the orientations that stand for them.

    Parameters
    ----------
    plane : ModulePlane
    at : ndarray
        Their places among the planes asked for.
    planes : ndarray
        The planes, numbered as in the tile.
    weight : ndarray
        Share of the orientation in each.
    """

    plane: ModulePlane
    at: I8
    planes: I8
    weight: F8


@dataclass(frozen=True, kw_only=True)
class TileLight:
    """What the planes of a tile see, and how it is turned into a year.

    Parameters
    ----------
    scene : Scene
    book : TableBook
    horizon : Skylines
        Of the cells.
    north_deg : float
        True azimuth of grid north.
    plane_rows : ndarray
        Rows of the scene's planes, ascending.
    usual_factor : ndarray, shape (12,)
        Mean irradiance factor of the whole data set: what counts does not depend on the part that is selected.
    """

    scene: Scene
    book: TableBook
    horizon: Skylines
    north_deg: float
    plane_rows: I8
    usual_factor: F8

    @functools.cached_property
    def _variants(self) -> tuple[I8, I8, F8]:
        """Plane, numbered as in the tile, orientation and weight of each variant."""
        variants = self.scene.variants
        of_tile = variants[variants["plane"].isin(self.plane_rows)]
        number = np.searchsorted(self.plane_rows, of_tile["plane"].to_numpy())
        return number, of_tile["orientation"].to_numpy(), of_tile["weight"].to_numpy(dtype=float)

    def orientations(self, planes: I8) -> Iterator[OrientedPlanes]:
        """Yield the orientations that stand for some planes, given by their numbers in the tile, ascending."""
        number, orientation, weight = self._variants
        wanted = np.zeros(len(self.plane_rows), dtype=bool)
        wanted[planes] = True
        some = np.flatnonzero(wanted[number])
        for k in np.unique(orientation[some]):
            mine = some[orientation[some] == k]
            yield OrientedPlanes(
                plane=self.scene.orientations[k],
                at=np.searchsorted(planes, number[mine]),
                planes=number[mine],
                weight=weight[mine],
            )

    def factor(self, planes: I8) -> F8:
        """Return the irradiance factors of planes, (n, 12)."""
        return self.scene.factor[self.scene.planes["roof"].to_numpy()[self.plane_rows[planes]]]

    def tables(self, plane: ModulePlane, *, rows: bool) -> PlaneTables:
        """Return the tables of an orientation; without the row in front where horizons hold it."""
        return self.book.tables(plane if rows else _seen_apart(plane))

    def usual_tables(self, plane: ModulePlane) -> PlaneTables:
        """Return the tables of an orientation at the usual factor alone, without the row in front."""
        return self.book.narrow_tables(_seen_apart(plane), self.usual_factor)

    def most_loss(self, tables: PlaneTables) -> tuple[float, float]:
        """Return the free plane's annual irradiation, and the largest share of it that may be lost."""
        free = float(free_year(tables, self.usual_factor).sum())
        return free, min(self.scene.max_shading_loss, 1.0 - self.scene.min_poa_kwh_m2 / free)

    @property
    def around(self) -> Facades | None:
        """What the facades around reflect; None where they do not."""
        return self.book.facades(self.usual_factor) if self.scene.options.obstacle_reflectance > 0.0 else None

    def reflected(self, usable: UsableYear) -> UsableYear:
        """Add the light that obstacles reflect, if they do."""
        return usable if self.around is None else with_reflection(usable, self.around)[0]


def _seen_apart(plane: ModulePlane) -> ModulePlane:
    """Return a plane whose tables leave the row in front to the horizons."""
    return plane if plane.rows is None else replace(plane, rows=replace(plane.rows, in_tables=False))


def year_columns(year: PlaneYear) -> F8:
    """Return :data:`YEAR_COLUMNS` of groups, (n_group, 27)."""
    return np.column_stack(
        [year.svf, year.shading_loss, year.poa_free_kwh_m2.sum(axis=1), year.poa_kwh_m2, year.ac_kwh_kwp]
    )
