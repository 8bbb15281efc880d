"""Walls that a roof shares with the next: no edge to fall from, no gap for the wind."""

from __future__ import annotations

import numpy as np
import shapely

from rooftop.core.types import F8, Geometries
from rooftop.scene.plane_rules import ZoneRules


def shared_walls(visible: Geometries, top_m: F8, rules: ZoneRules, setback_m: float) -> dict[int, shapely.Geometry]:
    """Return, for each roof that touches another of about its height, the ground in plan where its outline is shared.

    Parameters
    ----------
    visible : (n_roofs,) geometries
        Footprints without overlaps, working CRS [m].
    top_m : (n_roofs,)
        Elevation of each roof by one and the same statistic [m].
    rules : ZoneRules
        ``touch_m``: walls this near are one; ``level_m``: roofs whose tops differ by at most this are level.
    setback_m : float
        Distance of modules from an edge [m]: a strip of a roof narrower than this is an edge itself, no neighbour.

    Returns
    -------
    dict of int to geometry
        By roof: its level neighbours, grown by ``touch_m``; what of its outline lies there is shared.
    """
    touch, level = rules.touch_m.value, rules.level_m.value
    roof_row, neighbour_row = shapely.STRtree(visible).query(visible, predicate="dwithin", distance=touch)
    wide = ~shapely.is_empty(shapely.buffer(visible, -setback_m / 2.0, join_style="mitre"))
    level_pairs = (
        (roof_row != neighbour_row) & (np.abs(top_m[roof_row] - top_m[neighbour_row]) <= level) & wide[neighbour_row]
    )
    roof_row, neighbour_row = roof_row[level_pairs], neighbour_row[level_pairs]
    order = np.argsort(roof_row, kind="stable")
    roof_row, neighbour_row = roof_row[order], neighbour_row[order]
    roofs, starts = np.unique(roof_row, return_index=True)
    groups = np.split(neighbour_row, starts)[1:]
    return {
        int(roof): shapely.buffer(shapely.union_all(visible[neighbours]), touch, join_style="mitre")
        for roof, neighbours in zip(roofs, groups, strict=True)
    }
