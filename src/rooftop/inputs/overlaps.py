"""Outlines that overlap: which, and by how much."""

from __future__ import annotations

import numpy as np
import pandas as pd
import shapely

from rooftop.core.lang import Text
from rooftop.core.notices import Notice
from rooftop.core.types import B1, Geometries
from rooftop.inputs.input_limits import input_limits


def overlapping_pairs(geometry: Geometries, kept: B1) -> pd.DataFrame:
    """Return the pairs of kept outlines that share area.

    Returns
    -------
    DataFrame
        ``left right`` (rows, left before right), ``area_m2`` that they share, ``left_m2 right_m2`` (their own).
    """
    rows = np.flatnonzero(kept)
    shapes = geometry[rows]
    query_index, tree_index = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    once = query_index < tree_index
    query_index, tree_index = query_index[once], tree_index[once]
    area = shapely.area(shapely.intersection(shapes[query_index], shapes[tree_index]))
    areas = shapely.area(shapes)
    pairs = pd.DataFrame(
        {
            "left": rows[query_index],
            "right": rows[tree_index],
            "area_m2": area,
            "left_m2": areas[query_index],
            "right_m2": areas[tree_index],
        }
    )
    return pairs[pairs["area_m2"] > 0.0].reset_index(drop=True)


def overlap_notices(pairs: pd.DataFrame, where: str) -> list[Notice]:
    """Count the pairs of outlines that overlap, how many by more than rounding, and the area they share."""
    if pairs.empty:
        return []
    area = pairs["area_m2"].to_numpy()
    largest = np.argsort(-area, kind="stable")[:5]
    named = zip(pairs["left"].iloc[largest], pairs["right"].iloc[largest], area[largest], strict=True)
    examples = tuple(f"{left}-{right} ({shared:.2f} m²)" for left, right, shared in named)
    least = input_limits().overlap_m2.min
    count, more, total = len(pairs), int((area > least).sum()), float(area.sum())
    text = Text(
        f"{count} pairs of footprints overlap, {more} by more than {least:g} m², {total:.1f} m² in all; "
        "a known height keeps the area before an assumed one, then the higher one",
        f"{count} 对轮廓重叠，其中 {more} 对超过 {least:g} ㎡，共 {total:.1f} ㎡；"
        "重叠部分归高度已知者，其次归较高的建筑",
    )
    return [Notice("overlaps", text, count, source=where, examples=examples)]
