"""Stair heads, lift rooms and tank rooms whose tops are large enough to be planes."""

from __future__ import annotations

import numpy as np
import shapely

from rooftop.core.types import B1
from rooftop.scene.borders import Borders
from rooftop.scene.plane_rules import RaisedBlockRules
from rooftop.scene.relief import Relief


def raised_blocks(relief: Relief, borders: Borders, rules: RaisedBlockRules) -> B1:
    """Return which planes are the tops of rooms that stand on a roof, not roof to build on.

    Such a plane is small, in metres and against its roof, and rises by the height of a room from level planes of the
    same roof that are larger and hold at least ``min_border_share`` of its outline.

    Parameters
    ----------
    relief : Relief
    borders : Borders
        Of the same planes.
    rules : RaisedBlockRules

    Returns
    -------
    ndarray of bool, shape (n_planes,)
    """
    area, outline = shapely.area(relief.geometry), shapely.length(relief.geometry)
    of_roof = np.bincount(relief.roof, area, minlength=int(relief.roof.max(initial=-1)) + 1)
    small = (area <= rules.max_area_m2.value) & (area <= rules.max_roof_share.value * of_roof[relief.roof])
    level = np.hypot(relief.slope_east, relief.slope_north) < np.tan(np.radians(rules.host_below_deg.value))
    host = level[borders.beyond] & (area[borders.beyond] > area[borders.plane])
    rises = (borders.down_m >= rules.min_rise_m.value) & (borders.down_m <= rules.max_rise_m.value)
    held = np.bincount(borders.plane, borders.length_m * (host & rises), minlength=len(area))
    return np.asarray(small & (held >= rules.min_border_share.value * outline), dtype=bool)
