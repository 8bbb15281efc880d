"""Rows that move into the light: where shade leaves modules out, they are laid once more where the roof is bright."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import shapely

from rooftop.core.types import B1, F8, I8
from rooftop.job.light import TileLight
from rooftop.job.module_years import ModuleYears, module_years
from rooftop.job.window import RoofCells, Window, look
from rooftop.scene.places import ModulePoints, PlaneRuns
from rooftop.scene.relaid import MovedPlanes, PackedZones, Relaid, runs_of

_MARGINS = (0.0, 0.05)  # rows keep off cells whose loss exceeds what is allowed by more: a module may cover some
_FINE_M = 0.5
_NOTABLE = 1e-4  # share of a roof's energy below which nothing moves


def move_into_light(
    window: Window,
    cells: RoofCells,
    light: TileLight,
    points: ModulePoints,
    built: ModuleYears,
    excess: list[F8],
) -> tuple[ModuleYears, MovedPlanes | None]:
    """Lay modules where they have light, on every roof that gains energy by it.

    The zone of a plane that leaves modules out for shade is filled once more without its dark cells, in rows of the
    same kind; then the roof's year is computed as before. A roof takes what brings most energy.

    Parameters
    ----------
    window, cells, light, points
    built : ModuleYears
        Where modules were packed.
    excess : list of ndarray
        By how much the loss on each cell of each plane exceeds what is allowed.

    Returns
    -------
    ModuleYears
    MovedPlanes or None
        Planes whose modules lie elsewhere now.
    """
    scene = window.scene
    if scene.zones is None or scene.module_layout is None:
        return built, None
    best, moved = built, dict[int, tuple[Relaid, int]]()
    roof = scene.planes["roof"].to_numpy()[light.plane_rows]
    for margin in _MARGINS:
        dark = _dark(excess, points.pair, margin)
        relaid = list(_relaid(window, scene.zones, cells, light.plane_rows, points.pair, built, dark))
        if not relaid:
            continue
        rows = np.flatnonzero(np.isin(roof, roof[[one.planes[0] for one in relaid]]))
        tried = _tried(window, cells, light, rows, relaid)
        gains = _gaining_roofs(roof[rows], best.ac_kwh_kwp[rows], tried.ac_kwh_kwp)
        best = best.with_planes(rows[gains], tried, np.flatnonzero(gains))
        better = set(rows[gains].tolist())
        moved = {plane: at for plane, at in moved.items() if plane not in better}
        moved |= {plane: (one, k) for one in relaid for k, plane in enumerate(one.planes) if plane in better}
    return best, _moved_planes(moved, light.plane_rows, keep_corners=scene.keep_modules)


def _dark(excess: list[F8], pair: I8, margin: float) -> list[B1]:
    """Say of each plane which cells are darker than allowed by more than a margin; of a pair, for both halves."""
    both = (own if other < 0 else 0.5 * (own + excess[other]) for own, other in zip(excess, pair, strict=True))
    return [values > margin for values in both]


def _relaid(
    window: Window,
    zones: PackedZones,
    cells: RoofCells,
    plane_rows: I8,
    pair: I8,
    built: ModuleYears,
    dark: list[B1],
) -> Iterator[Relaid]:
    """Yield other places for the modules of planes that leave some out, where more of them might have light."""
    half = 0.5 * window.grid.cell_size_m
    for plane in np.flatnonzero(built.n_lit < built.n_placed):
        if 0 <= pair[plane] < plane:
            continue
        own = cells.of_plane[plane]
        planes = (int(plane),) if pair[plane] < 0 else (int(plane), int(pair[plane]))
        where = own[dark[plane]]
        if not 0 < len(where) < len(own):
            continue
        x, y = window.grid.centres(cells.row[where], cells.col[where])
        shade = shapely.union_all(shapely.box(x - half, y - half, x + half, y + half))
        found = zones.without(shade, int(plane_rows[plane]), planes)
        if sum(len(some) for some in found.corners) > built.n_lit[list(planes)].sum():
            yield found


def _tried(window: Window, cells: RoofCells, light: TileLight, rows: I8, relaid: list[Relaid]) -> ModuleYears:
    """Return the years of whole roofs, some of whose planes have their modules elsewhere.

    Where cells are as fine as modules, horizons are swept anew from the heights that modules have now; on coarser
    cells a cell's height is a mean of what lies in it anyway, and its horizon stays.

    Parameters
    ----------
    rows : ndarray
        Planes of these roofs, numbered as `light` has them.
    """
    layout, plane_rows = window.scene.module_layout, light.plane_rows[rows]
    assert layout is not None
    runs: dict[int, PlaneRuns] = {}
    for one in relaid:
        at = np.searchsorted(rows, one.planes)
        made = runs_of(one, layout.lower_m[plane_rows[at]], layout.rise_m[plane_rows[at]])
        runs |= dict(zip(at.tolist(), made, strict=True))
    part, every = layout.of_planes(plane_rows, runs), np.arange(len(plane_rows))
    anew = window.grid.cell_size_m <= _FINE_M
    seen = RoofCells.in_window(window, plane_rows) if anew else cells.of_planes(rows)
    points = ModulePoints.in_window(part, every, window.grid, (seen.row, seen.col), seen.of_plane)
    from_there = look(window, light.book, plane_rows, seen, points) if anew else replace(light, plane_rows=plane_rows)
    return module_years(from_there, points)


def _gaining_roofs(roof: I8, before: F8, after: F8) -> B1:
    """Say of each plane whether its roof gains energy."""
    _, number = np.unique(roof, return_inverse=True)
    gain = np.bincount(number, after) > np.bincount(number, before) * (1.0 + _NOTABLE)
    result: B1 = gain[number]
    return result


def _moved_planes(moved: dict[int, tuple[Relaid, int]], plane_rows: I8, *, keep_corners: bool) -> MovedPlanes | None:
    """Return what becomes of the planes whose modules moved."""
    if not moved:
        return None
    planes = sorted(moved)
    corners = [moved[plane][0].corners[moved[plane][1]] for plane in planes]
    return MovedPlanes(
        planes=plane_rows[planes],
        count=np.array([len(some) for some in corners], dtype=np.int64),
        array_m2=np.array([moved[plane][0].array_m2 for plane in planes]),
        used_m2=np.array([moved[plane][0].used_m2 for plane in planes]),
        corners=np.concatenate(corners) if keep_corners else np.zeros((0, 4, 2)),
    )
