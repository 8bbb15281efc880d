"""Heights held against each other: surface model, terrain, far terrain, and what the footprints state."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import geopandas as gpd
import numpy as np
import shapely

from rooftop.core.errors import InputError
from rooftop.core.grid import Grid
from rooftop.core.lang import Text
from rooftop.core.notices import Notice
from rooftop.core.roof_rules import load_roof_rules
from rooftop.core.types import B1, F4, F8, I8, Geometries
from rooftop.scene.agreement_rules import agreement_rules
from rooftop.scene.buildings import Measured
from rooftop.scene.burn import burn
from rooftop.scene.surface import ElevationSource, ground_window, median_under_m

_FEET_PER_M = 3.2808
_GROUND_CELL_M = 1.0
_FAR_CELL_M = 30.0


def compare_models(
    table: gpd.GeoDataFrame, measured: Measured, ground: ElevationSource, dsm: ElevationSource
) -> tuple[Notice, ...]:
    """Hold a surface model against the terrain, on open ground between buildings and on their roofs.

    Parameters
    ----------
    table : GeoDataFrame
        Footprints, with ``height_m height_source``.
    measured : Measured
        Of the same rows.

    Raises
    ------
    InputError
        The two are swapped; they lie on other datums or in other units; the surface model shows no building.
    """
    limit = agreement_rules()
    outlines = table.geometry.to_numpy()
    rows = np.flatnonzero(np.isfinite(measured.height_m))
    open_ground = _open_ground(outlines, rows, ground, dsm)
    roof = float(np.median(measured.height_m[rows])) if len(rows) else np.nan
    quantile = limit.open_ground_quantile.value
    low, high = (float(np.quantile(open_ground, q)) for q in (quantile, 0.5)) if len(open_ground) else (np.nan, np.nan)
    below = high < -limit.offset_warn_m.value
    if roof <= limit.swapped_below_m.value and not below:
        raise InputError(
            Text("the surface model lies below the terrain: are they swapped?", "地表模型低于地形：两者是否写反？"),
            where="inputs.dsm, inputs.dtm",
            found=Text(f"roofs {roof:.1f} m above the terrain in the median", f"屋顶高出地形的中位数为 {roof:.1f} m"),
            expected=Text("roofs some metres above the terrain", "屋顶高出地形数米"),
            mend=Text("exchange the two paths", "请交换两个路径"),
        )
    offset = high if below else low
    if abs(offset) > limit.offset_refuse_m.value and len(open_ground):
        raise _other_datum(offset, rows, measured)
    _require_buildings(measured, rows)
    if not (abs(offset) > limit.offset_warn_m.value):
        return ()
    text = Text(
        f"open ground between buildings lies {offset:+.1f} m from the terrain in the surface model: crops, trees, or "
        "another vertical datum; heights carry this",
        f"建筑之间的开阔地在地表模型中与地形相差 {offset:+.1f} m：可能是作物、树木或高程基准不同，建筑高度含此差值",
    )
    return (Notice("models_offset", text, 1, "warning", "inputs.dsm"),)


def _other_datum(offset: float, rows: I8, measured: Measured) -> InputError:
    base, top = float(np.median(measured.base_m[rows])), float(np.median(measured.base_m[rows])) + offset
    ratio = top / base if abs(base) > 10.0 else np.nan
    mend = Text(
        f"set vertical_offset_m: {-offset:.1f} of inputs.dsm, if they lie on different vertical datums",
        f"若两者高程基准不同，请设置 inputs.dsm 的 vertical_offset_m: {-offset:.1f}",
    )
    for factor, key in ((_FEET_PER_M, "dsm"), (1.0 / _FEET_PER_M, "dtm")):
        if abs(ratio / factor - 1.0) < 0.1:
            mend = Text(
                f"inputs.{key} seems to be in feet: set its vertical_unit: ft",
                f"inputs.{key} 似以英尺为单位：请设置 vertical_unit: ft",
            )
    return InputError(
        Text("surface model and terrain do not fit each other", "地表模型与地形高程不符"),
        where="inputs.dsm, inputs.dtm",
        found=Text(
            f"open ground between buildings {offset:+.1f} m from the terrain",
            f"建筑之间的开阔地与地形相差 {offset:+.1f} m",
        ),
        expected=Text("the same ground within a metre or two", "开阔地相差不超过一两米"),
        mend=mend,
    )


def _require_buildings(measured: Measured, rows: I8) -> None:
    """Refuse a surface model that shows hardly a building where the outlines are."""
    limit, least = agreement_rules(), load_roof_rules().min_roof_height_m.value
    low = measured.height_m[rows] < least
    if len(rows) < limit.least_roofs.value or low.mean() < limit.unseen_refuse_share.value:
        return
    n = int(low.sum())
    raise InputError(
        Text("the surface model shows no buildings", "地表模型中没有建筑物"),
        where="inputs.dsm",
        found=Text(
            f"{n} of {len(rows)} outlines less than {least:g} m above the terrain",
            f"{len(rows)} 个轮廓中 {n} 个高出地形不足 {least:g} m",
        ),
        expected=Text("a surface with buildings, in the place of the outlines", "含建筑物且与轮廓位置一致的地表模型"),
        mend=Text(
            "check that it is no terrain model and not older than the buildings, that neither it nor the outlines are "
            "shifted (datum), and its unit",
            "请检查其是否为地形模型或早于建筑、模型与轮廓是否相互偏移（datum）以及高程单位",
        ),
    )


def _open_ground(outlines: Geometries, rows: I8, ground: ElevationSource, dsm: ElevationSource) -> F8:
    """Return surface minus terrain on the cells around a sample of buildings that belong to none."""
    tree, parts = shapely.STRtree(outlines), [np.zeros(0)]
    for row in _sample(outlines, rows):
        grid, free = _surrounding_cells(outlines, tree, row)
        parts.append(_finite_values((ground_window(dsm, grid) - ground_window(ground, grid))[free]))
    return np.concatenate(parts)


def _surrounding_cells(outlines: Geometries, tree: shapely.STRtree, row: int) -> tuple[Grid, B1]:
    """Return the cells around a building, and which of them belong to none."""
    limit = agreement_rules()
    x_min, y_min, x_max, y_max = (float(v) for v in shapely.bounds(outlines[row]))
    grid = Grid.covering((x_min, y_min, x_max, y_max), _GROUND_CELL_M, limit.ring_m.value)
    near = tree.query(shapely.box(*grid.bounds))
    walls = shapely.buffer(outlines[near], limit.wall_m.value, quad_segs=1)
    return grid, burn(list(walls), list(range(len(near))), grid) < 0


def _finite_values(values: F4) -> F8:
    return values[np.isfinite(values)].astype(np.float64)


def _sample(outlines: Geometries, rows: I8) -> I8:
    """Return some of the rows, spread over the area, whatever their order is."""
    most = int(agreement_rules().sample_roofs.value)
    bounds = shapely.bounds(outlines[rows]).reshape(-1, 4)
    order = rows[np.lexsort((bounds[:, 1], bounds[:, 0]))]
    return order[np.unique(np.linspace(0, len(order) - 1, min(most, len(order))).round().astype(np.int64))]


def compare_heights(stated_m: F8, stated: B1, measured: Measured) -> tuple[Notice, ...]:
    """Warn where stated heights are not those that the models show, in the median of all buildings.

    Parameters
    ----------
    stated_m, stated : ndarray
        Heights, and which of them the footprints state (by height or by floors).
    """
    limit, least = agreement_rules(), load_roof_rules().min_roof_height_m.value
    both = stated & (measured.height_m >= least) & (stated_m > 0.0)
    if both.sum() < limit.least_roofs.value:
        return ()
    ratio = float(np.median(stated_m[both] / measured.height_m[both]))
    if limit.height_ratio.low <= ratio <= limit.height_ratio.high:
        return ()
    if not limit.height_ratio.refuse_low <= ratio <= limit.height_ratio.refuse_high:
        raise _other_unit(ratio)
    n = int(both.sum())
    text = Text(
        "heights of {n} footprints are {ratio:.2f} times those of the surface model in the median "
        "({stated:.1f} and {modelled:.1f} m); {cause}",
        "{n} 个轮廓的高度中位数为地表模型的 {ratio:.2f} 倍（{stated:.1f} 与 {modelled:.1f} m）；{cause}",
    ).format(
        n=n,
        ratio=ratio,
        stated=float(np.median(stated_m[both])),
        modelled=float(np.median(measured.height_m[both])),
        cause=limit.height_ratio.cause(ratio),
    )
    return (Notice("heights_disagree", text, n, "warning", "inputs.footprints"),)


def _other_unit(ratio: float) -> InputError:
    """Say that heights and models cannot both be in metres."""
    return InputError(
        Text("heights and models do not fit each other", "建筑高度与高程模型不符"),
        where="inputs.footprints, inputs.dsm",
        found=Text(
            f"stated heights are {ratio:.3g} times those of the surface model in the median",
            f"所给高度的中位数为地表模型的 {ratio:.3g} 倍",
        ),
        expected=Text("both in metres", "均以米为单位"),
        mend=Text("{cause}: convert them to metres", "{cause}：请换算为米").format(
            cause=agreement_rules().height_ratio.cause(ratio)
        ),
    )


def compare_without_terrain(
    table: gpd.GeoDataFrame, measured: Measured, dsm: ElevationSource, stated: B1
) -> tuple[Notice, ...]:
    """Hold stated heights against a surface model beside which there is no terrain: roof above the ground around.

    Parameters
    ----------
    table : GeoDataFrame
        Footprints, with ``height_m``.
    measured : Measured
        Of the same rows.
    stated : ndarray of bool
        Rows of which the footprints state the height.
    """
    outlines, quantile = table.geometry.to_numpy(), agreement_rules().open_ground_quantile.value
    rows = np.flatnonzero(stated & np.isfinite(measured.top_m) & ~shapely.is_empty(outlines))
    base, tree = np.full(len(outlines), np.nan), shapely.STRtree(outlines)
    for row in _sample(outlines, rows):
        grid, free = _surrounding_cells(outlines, tree, row)
        ground = _finite_values(ground_window(dsm, grid)[free])
        if len(ground):
            base[row] = np.quantile(ground, quantile)
    seen = replace(measured, base_m=base, on_terrain=np.isfinite(base))
    return compare_heights(table["height_m"].to_numpy(dtype=float), stated, seen)


def compare_far_terrain(
    table: gpd.GeoDataFrame, ground: ElevationSource, terrain_far: ElevationSource
) -> Iterator[Notice]:
    """Hold the far terrain against the terrain, under a sample of buildings.

    Raises
    ------
    InputError
        They differ by so much that they show other places, or are in other units.
    """
    limit, outlines = agreement_rules(), table.geometry.to_numpy()
    rows = np.flatnonzero(~shapely.is_empty(outlines))
    sample = outlines[_sample(outlines, rows)]
    near, _ = median_under_m(sample, ground, _FAR_CELL_M)
    far, _ = median_under_m(sample, terrain_far, _FAR_CELL_M)
    gap = (far - near)[np.isfinite(far - near)]
    if not len(gap):
        return
    median = float(np.median(gap))
    if abs(median) > limit.far_terrain_refuse_m.value:
        raise InputError(
            Text("near and far terrain do not fit each other", "近处地形与远处地形高程不符"),
            where="inputs.terrain_far, inputs.dtm",
            found=Text(f"{median:+.0f} m under the buildings", f"建筑处相差 {median:+.0f} m"),
            expected=Text("within some tens of metres", "相差不超过数十米"),
            mend=Text("check place, unit and vertical datum of both", "请检查两者的位置、单位与高程基准"),
        )
    if abs(median) > limit.far_terrain_warn_m.value:
        text = Text(
            f"the far terrain lies {median:+.0f} m from the terrain under the buildings",
            f"建筑处远处地形与近处地形相差 {median:+.0f} m",
        )
        yield Notice("far_terrain_offset", text, 1, "warning", "inputs.terrain_far")
