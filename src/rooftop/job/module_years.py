"""The year of every module of a tile: which modules count, what they receive, and what they yield."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import get_args

import numpy as np

from rooftop.core.choices import LeftOut
from rooftop.core.types import B1, F4, F8, I1, I8
from rooftop.job.light import YEAR_COLUMNS, OrientedPlanes, TileLight, year_columns
from rooftop.scene.layout import beside_obstacles, beside_unplaced
from rooftop.scene.places import ModulePoints
from rooftop.solar.energy import cell_year, usable_year
from rooftop.solar.skylines import Skylines

LEFT_OUT: tuple[LeftOut, ...] = get_args(LeftOut)
COUNTS, SHADE, ASSUMED, EXISTING_PV = range(len(LEFT_OUT) + 1)
"""What becomes of a module: it counts, or one more than the place of the reason in :data:`LEFT_OUT`."""
_MONTHS = slice(YEAR_COLUMNS.index("ac_01"), None)
_POA = slice(YEAR_COLUMNS.index("poa_01"), YEAR_COLUMNS.index("ac_01"))


@dataclass(frozen=True, kw_only=True)
class TileModules:
    """Every module that has a place on the planes of a tile, plane after plane.

    Parameters
    ----------
    left_out : ndarray of int8, shape (m,)
        0 for those that count, else one more than the place of the reason in :data:`LEFT_OUT`.
    poa_kwh_m2, shading_loss : ndarray, shape (m,)
        Annual irradiation of the module behind obstacles and rows, and the share that it loses by them.
    ac_kwh_kwp : ndarray, shape (m, 12)
        Yield of each month; the mean of those that count is that of their plane.
    """

    left_out: I1
    poa_kwh_m2: F4
    shading_loss: F4
    ac_kwh_kwp: F4

    def of(self, modules: slice | I8) -> TileModules:
        """Return some of them."""
        return TileModules(**{field.name: getattr(self, field.name)[modules] for field in fields(self)})

    @classmethod
    def joined(cls, parts: Sequence[TileModules]) -> TileModules:
        """Put modules one after the other."""
        return cls(
            **{field.name: np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(cls)}
        )


@dataclass(frozen=True, kw_only=True)
class ModuleYears:
    """Years of the modules of a tile, by plane.

    Parameters
    ----------
    years : ndarray, shape (n_planes, 27)
        :data:`rooftop.job.light.YEAR_COLUMNS`, means over the modules that count; over those that have light where none
        counts, over all where none has; NaN for planes without modules.
    n_placed, n_lit, n_counted : ndarray, shape (n_planes,)
        Modules that have a place, those of them that have light, and those of these that count.
    modules : TileModules or None
        Where they are to be kept.
    """

    years: F8
    n_placed: I8
    n_lit: I8
    n_counted: I8
    modules: TileModules | None

    @property
    def ac_kwh_kwp(self) -> F8:
        """Annual yield of each plane times its modules that count: of modules of 1 kWp, their energy."""
        result: F8 = np.nan_to_num(self.years[:, _MONTHS].sum(axis=1)) * self.n_counted
        return result

    def with_planes(self, planes: I8, other: ModuleYears, rows: I8) -> ModuleYears:
        """Return these years, those of some planes taken from rows of another."""
        new = {name: getattr(self, name).copy() for name in ("years", "n_placed", "n_lit", "n_counted")}
        for name, values in new.items():
            values[planes] = getattr(other, name)[rows]
        modules = None
        if self.modules is not None and other.modules is not None:
            mine, others = self._by_plane(self.modules), other._by_plane(other.modules)
            for plane, row in zip(planes, rows, strict=True):
                mine[plane] = others[row]
            modules = TileModules.joined(mine)
        return ModuleYears(**new, modules=modules)

    def _by_plane(self, modules: TileModules) -> list[TileModules]:
        end = np.cumsum(self.n_placed)
        return [modules.of(slice(a, b)) for a, b in zip(end - self.n_placed, end, strict=True)]


def module_years(light: TileLight, points: ModulePoints) -> ModuleYears:
    """Find which modules count, and the mean year of those of each plane."""
    planes = np.unique(points.plane[points.seen])
    sights = _Sights.from_cells(light, points)
    excess = _excess_loss(light, sights, planes)
    is_lit = points.seen & (excess <= 0.0)
    left_out = _left_out(light, points, is_lit)
    judged, sights = sights, sights.without(light, points.seen & ~is_lit)
    n_planes = len(points.pair)
    years = np.full((n_planes, len(YEAR_COLUMNS)), np.nan)
    years[planes] = _years(light, sights, planes, _shown(points, is_lit, left_out == COUNTS))
    n_placed, n_lit, n_counted = (
        np.bincount(points.plane[some], minlength=n_planes)
        for some in (np.ones(len(is_lit), dtype=bool), is_lit, left_out == COUNTS)
    )
    return ModuleYears(
        years=years,
        n_placed=n_placed,
        n_lit=n_lit,
        n_counted=n_counted,
        modules=_each_module(light, (sights, judged), planes, years, left_out) if light.scene.keep_modules else None,
    )


@dataclass(frozen=True)
class _Sights:
    """Horizons of modules' points: of racks behind the rows in front, of flush modules those of the cells under them.

    Parameters
    ----------
    points : ModulePoints
    cells : Skylines
    racks : Skylines
        Of the points of modules on racks, module after module.
    first : ndarray, shape (m,)
        Row of `racks` of each module's first point; -1 for flush modules.
    """

    points: ModulePoints
    cells: Skylines
    racks: Skylines
    first: I8

    @classmethod
    def from_cells(cls, light: TileLight, points: ModulePoints) -> _Sights:
        """Look from every module, all of them standing."""
        on_racks = points.seen & (points.rise_m[points.plane] > 0.0)
        modules = np.flatnonzero(on_racks)
        degrees = points.behind_rows(light.horizon, modules, points.seen, light.north_deg)
        first = np.full(len(on_racks), -1, dtype=np.int64)
        first[modules] = points.n_points * np.arange(len(modules))
        return cls(points, light.horizon, light.horizon.with_degrees(degrees), first)

    def without(self, light: TileLight, gone: B1) -> _Sights:
        """Return what is seen when some modules do not stand: those behind them see more."""
        points, touched = self.points, np.zeros(len(self.points.pair), dtype=bool)
        touched[points.plane[gone]] = True
        modules = np.flatnonzero((self.first >= 0) & touched[points.plane])
        if not len(modules):
            return self
        degrees = self.racks.degrees.copy()
        rows = (self.first[modules, None] + np.arange(points.n_points)).ravel()
        degrees[rows] = points.behind_rows(self.cells, modules, points.seen & ~gone, light.north_deg)
        return _Sights(points, self.cells, self.racks.with_degrees(degrees), self.first)

    def of(self, modules: I8, orientation: OrientedPlanes) -> tuple[Skylines, I8]:
        """Return horizons, and the row of each point of some modules in them, module after module."""
        if orientation.plane.rows is None:
            return self.cells, self.points.cell[modules].ravel().astype(np.int64)
        return self.racks, (self.first[modules, None] + np.arange(self.points.n_points)).ravel()


def _excess_loss(light: TileLight, sights: _Sights, planes: I8) -> F8:
    """Return by how much the loss of each module's year exceeds what is allowed; of a pair, that of both together."""
    points = sights.points
    excess = np.zeros(len(points.plane))
    for orientation in light.orientations(planes):
        modules, number = points.of_planes(orientation.planes)
        tables = light.tables(orientation.plane, rows=False)
        free, most = light.most_loss(tables)
        horizon, cells = sights.of(modules, orientation)
        annual = cell_year(tables, horizon, light.usual_factor, cells)
        loss = 1.0 - annual.reshape(-1, points.n_points).mean(axis=1) / free
        excess[modules] += orientation.weight[number] * (loss - most)
    partner = points.partner()
    paired = partner >= 0
    excess[paired] = 0.5 * (excess[paired] + excess[partner[paired]])
    return excess


def _left_out(light: TileLight, points: ModulePoints, is_lit: B1) -> I1:
    """Say what becomes of each module.

    What a share for obstacles takes that nobody measured, and existing PV of unknown place, leaves as whole rows from
    the back of each plane.
    """
    scene, n_planes = light.scene, len(points.pair)
    on = scene.planes.iloc[light.plane_rows]
    free = np.where(on["obstacles_known"].to_numpy(dtype=bool), 1.0, on["free_share"].to_numpy(dtype=float))
    n_lit = np.bincount(points.plane[is_lit], minlength=n_planes).astype(np.float64)
    n_free = beside_obstacles(n_lit, free)
    roofs, roof = np.unique(on["roof"].to_numpy(), return_inverse=True)
    n_new = beside_unplaced(roof, n_free, scene.n_unplaced[roofs])
    n_new = np.where(points.pair >= 0, np.minimum(n_new, n_new[points.pair]), n_new)
    order = points.leaving_order()
    mine = is_lit[order].astype(np.int64)
    before = np.cumsum(mine) - mine
    first = np.concatenate([[0], np.cumsum(np.bincount(points.plane, minlength=n_planes))])[:-1]
    rank = np.empty(len(order), dtype=np.int64)
    whole = np.append(before, mine.sum())
    rank[order] = before - whole[first[points.plane[order]]]
    leave = np.full(len(order), COUNTS, dtype=np.int8)
    leave[rank < (n_lit - n_new)[points.plane]] = EXISTING_PV
    leave[rank < (n_lit - n_free)[points.plane]] = ASSUMED
    leave[~is_lit] = SHADE
    return leave


def _shown(points: ModulePoints, is_lit: B1, counts: B1) -> B1:
    """Return the modules whose mean stands for their plane: those that count; else those with light; else all."""
    n_planes = len(points.pair)
    any_counts, any_lit = (np.bincount(points.plane[some], minlength=n_planes) > 0 for some in (counts, is_lit))
    shown = np.where(any_counts[points.plane], counts, np.where(any_lit[points.plane], is_lit, points.seen))
    return np.asarray(shown, dtype=bool)


def _years(light: TileLight, sights: _Sights, planes: I8, shown: B1) -> F8:
    """Return the mean year of some modules of each plane; they share its inverter."""
    points = sights.points
    years = np.zeros((len(planes), len(YEAR_COLUMNS)))
    for orientation in light.orientations(planes):
        modules, number = points.of_planes(orientation.planes)
        modules, number = modules[shown[modules]], number[shown[modules]]
        start = points.n_points * np.searchsorted(number, np.arange(len(orientation.planes) + 1))
        tables = light.tables(orientation.plane, rows=False)
        horizon, cells = sights.of(modules, orientation)
        usable = light.reflected(
            usable_year(tables, horizon, cells, start, light.factor(orientation.planes), light.usual_factor)
        )
        years[orientation.at] += orientation.weight[:, None] * year_columns(usable.year)
    return years


def _each_module(light: TileLight, sights: tuple[_Sights, _Sights], planes: I8, years: F8, left_out: I1) -> TileModules:
    """Return the year of every module, at the irradiance of its roof.

    Read at the data set's mean irradiance and scaled, so that those that count have the mean of their plane. Modules
    that shade leaves out are shown as they were judged: all rows standing, the second of `sights`.
    """
    points = sights[0].points
    each = _year_of_each(light, sights[0], planes, left_out != SHADE)
    each += _year_of_each(light, sights[1], planes, left_out == SHADE)
    counts = left_out == COUNTS
    n_counted = np.bincount(points.plane[counts], minlength=len(years))
    total = [np.bincount(points.plane[counts], of, len(years)) for of in each[counts].T]
    mean: F8 = np.stack(total, axis=1) / np.maximum(n_counted, 1)[:, None]
    scale = np.divide(years, mean, out=np.ones_like(years), where=mean > 0.0)[points.plane]
    return TileModules(
        left_out=left_out,
        poa_kwh_m2=(each * scale)[:, _POA].sum(axis=1).astype(np.float32),
        shading_loss=each[:, 1].astype(np.float32),
        ac_kwh_kwp=(each * scale)[:, _MONTHS].astype(np.float32),
    )


def _year_of_each(light: TileLight, sights: _Sights, planes: I8, some: B1) -> F8:
    """Return the year of some modules at the data set's mean irradiance, (m, 27); 0 of the others."""
    points = sights.points
    each = np.zeros((len(points.plane), len(YEAR_COLUMNS)))
    if not some.any():
        return each
    for orientation in light.orientations(planes):
        modules, number = points.of_planes(orientation.planes)
        modules, number = modules[some[modules]], number[some[modules]]
        tables = light.usual_tables(orientation.plane)
        horizon, cells = sights.of(modules, orientation)
        start = points.n_points * np.arange(len(modules) + 1)
        factor = np.broadcast_to(light.usual_factor, (len(modules), 12))
        usable = light.reflected(usable_year(tables, horizon, cells, start, factor, light.usual_factor))
        each[modules] += orientation.weight[number][:, None] * year_columns(usable.year)
    return each
