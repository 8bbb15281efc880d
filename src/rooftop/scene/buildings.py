"""Which buildings stand in the scene, how high, and what of each can be seen from above."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from rooftop.core.errors import InputError
from rooftop.core.lang import Text
from rooftop.core.notices import Notice
from rooftop.core.roof_rules import load_roof_rules
from rooftop.core.types import B1, F8, Geometries
from rooftop.inputs.extent import NO_SHAPE
from rooftop.scene.agreement_rules import agreement_rules
from rooftop.scene.plane_rules import load_plane_rules
from rooftop.scene.roofs import visible_footprints
from rooftop.scene.surface import BASE_CELL_M, Blocks, DsmCoverage, ElevationSource, median_under_m, with_gaps_filled

LEAST_VISIBLE_M2 = 0.01
"""A roof of which less can be seen from above is hidden."""
_DSM_CELL_M = 1.0


@dataclass(frozen=True, kw_only=True)
class SceneBuildings:
    """Buildings as they stand in the scene.

    Parameters
    ----------
    table : GeoDataFrame
        One row per footprint: heights measured where a surface model shows what no field states, reasons completed.
    blocks : Blocks
        Geometry is empty on rows that do not stand.
    outlines : ndarray of geometries
        The footprints as read, empty where there is none.
    visible : ndarray of geometries
        Footprints without what others cover; empty on rows that do not stand.
    covered_m2 : ndarray
        Area that others cover.
    gone : ndarray of bool
        Rows without an outline, repeated ones, and those wholly covered by others.
    notices : tuple of Notice
    """

    table: gpd.GeoDataFrame
    blocks: Blocks
    outlines: Geometries
    visible: Geometries
    covered_m2: F8
    gone: B1
    notices: tuple[Notice, ...]


@dataclass(frozen=True)
class Measured:
    """What elevation models say of the buildings.

    Parameters
    ----------
    base_m : ndarray
        Median terrain.
    top_m : ndarray
        Median surface; NaN where it is not known, and without a surface model.
    seen_share : ndarray
        Share of each outline that the surface model knows.
    on_terrain : ndarray of bool
        The terrain model, where one is given, knows the ground there.
    """

    base_m: F8
    top_m: F8
    seen_share: F8
    on_terrain: B1

    @property
    def height_m(self) -> F8:
        """Median surface above median terrain; NaN where either is not known."""
        return np.where(self.on_terrain, self.top_m - self.base_m, np.nan)


def measure(table: gpd.GeoDataFrame, ground: ElevationSource | None, dsm: ElevationSource | None) -> Measured:
    """Read both models under every outline that may stand."""
    outlines = _standing_outlines(table)
    has_outline = ~shapely.is_empty(outlines)
    if ground is None:
        base, on_terrain = np.zeros(len(outlines)), np.ones(len(outlines), dtype=bool)
    else:
        base, _ = median_under_m(outlines, ground, BASE_CELL_M)
        on_terrain = np.isfinite(base) | ~has_outline
        _require_some(np.isfinite(base), has_outline, "inputs.dtm")
        _require_no_zeros(base, has_outline, "inputs.dtm")
        base = with_gaps_filled(base)
    if dsm is None:
        return Measured(base, np.full(len(base), np.nan), np.zeros(len(base)), on_terrain)
    top, share = median_under_m(outlines, dsm, _DSM_CELL_M)
    _require_some(share > 0.0, has_outline, "inputs.dsm")
    _require_no_zeros(top, has_outline, "inputs.dsm")
    return Measured(base, top, share, on_terrain)


def _require_some(known: B1, has_outline: B1, role: str) -> None:
    """Refuse an elevation model without a value under any building."""
    if (known & has_outline).any():
        return
    n = int(has_outline.sum())
    raise InputError(
        Text("the elevation model has no value under any building", "高程模型在所有建筑处均无数据"),
        where=role,
        found=Text(f"0 of {n} buildings", f"{n} 栋建筑中 0 栋"),
        expected=Text("elevations where the buildings stand", "建筑所在处应有高程"),
        mend=Text(
            "check its place, CRS and nodata value, or leave it out", "请检查其位置、坐标系与无数据值，或删去该项"
        ),
    )


def _require_no_zeros(elevation_m: F8, has_outline: B1, role: str) -> None:
    """Refuse a model that is exactly 0 under some buildings, where all others stand well above or below."""
    zero = has_outline & (elevation_m == 0.0)
    others = elevation_m[has_outline & ~zero & np.isfinite(elevation_m)]
    apart = agreement_rules().zero_apart_m.value
    if not zero.any() or not len(others) or not (np.quantile(np.abs(others), 0.1) > apart):
        return
    n, median = int(zero.sum()), float(np.median(others))
    raise InputError(
        Text("the elevation model holds zeros where it has no value", "高程模型以 0 表示无数据"),
        where=role,
        found=Text(
            f"exactly 0 m under {n} buildings, {median:,.0f} m in the median under the others",
            f"{n} 栋建筑处恰为 0 m，其余建筑处中位数为 {median:,.0f} m",
        ),
        expected=Text("elevations, or the file's nodata value", "高程值，或文件声明的无数据值"),
        mend=Text(
            "declare 0 as nodata (gdal_edit.py -a_nodata 0 FILE), or take a model that covers the place",
            "请将 0 声明为无数据值（gdal_edit.py -a_nodata 0 文件），或改用覆盖该地的模型",
        ),
    )


def _standing_outlines(table: gpd.GeoDataFrame) -> Geometries:
    geometry = table.geometry.to_numpy()
    return np.where(has_reason(table, "duplicate_geometry"), NO_SHAPE, geometry)


def has_reason(table: gpd.GeoDataFrame, code: str) -> B1:
    """Tell which rows carry a reason code."""
    return np.array([code in reasons for reasons in table["reasons"]], dtype=bool)


def buildings_on_terrain(
    table: gpd.GeoDataFrame, measured: Measured, *, ground_known: bool, dsm_given: bool
) -> SceneBuildings:
    """Put buildings on the terrain: repeated and hidden ones leave, heights that nobody states are measured.

    Where a surface model does not reach, or shows bare ground, the building stands as a block.

    Parameters
    ----------
    table : GeoDataFrame
        Of :func:`rooftop.inputs.footprints.read_buildings`.
    measured : Measured
    ground_known, dsm_given : bool
    """
    outlines = _standing_outlines(table)
    notices: list[Notice] = []
    known = _is_known(table)
    base, coverage = measured.base_m.copy(), None
    outside = missing = np.zeros(len(table), dtype=bool)
    if dsm_given:
        outside = ~shapely.is_empty(outlines) & (
            measured.seen_share < load_plane_rules().segmentation.seen_from_share.value
        )
        if ground_known:
            bare = ~known & (measured.height_m < agreement_rules().bare_ground_m.value)
            missing = (_missing_in_model(table, measured, known) | bare) & ~outside
            table = _with_heights(table, measured, ~known & ~bare, notices)
            known = _is_known(table)
        else:
            base[outside] = _level_of(table, measured, known & ~outside)
        coverage = DsmCoverage(~(outside | missing), _lowest_roof_m(table, measured, base, ground_known=ground_known))
        notices += _hole_notice(measured, ~shapely.is_empty(outlines) & ~outside, table["building_id"])
    table = _with_model_reasons(table, outside, missing, ~measured.on_terrain, notices)
    height = table["height_m"].to_numpy(dtype=float)
    blocks = Blocks(outlines, height, base, known, coverage)
    gone = shapely.is_empty(outlines)
    visible, covered = visible_footprints(blocks, ~gone)
    hidden = ~gone & (shapely.area(visible) <= LEAST_VISIBLE_M2) & (shapely.area(outlines) > LEAST_VISIBLE_M2)
    table = add_reason(table, hidden, "hidden")
    gone |= hidden
    notices += _covered_notices(table, covered, hidden)
    return SceneBuildings(
        table=table,
        blocks=Blocks(np.where(gone, NO_SHAPE, outlines), height, base, known, coverage),
        outlines=table.geometry.to_numpy(),
        visible=np.where(gone, NO_SHAPE, visible),
        covered_m2=covered,
        gone=gone,
        notices=tuple(notices),
    )


def _is_known(table: gpd.GeoDataFrame) -> B1:
    return ~table["height_source"].isin(["assumed", "default"]).to_numpy(dtype=bool)


def _missing_in_model(table: gpd.GeoDataFrame, measured: Measured, known: B1) -> B1:
    """Tell which buildings have a stated height where the surface model shows none: built since, or shifted."""
    least = load_roof_rules().min_roof_height_m.value
    stated = table["height_m"].to_numpy(dtype=float)
    return np.asarray(known & (stated >= least) & (measured.height_m < least))


def _with_heights(table: gpd.GeoDataFrame, measured: Measured, unstated: B1, notices: list[Notice]) -> gpd.GeoDataFrame:
    """Measure heights that no field states: median surface above median terrain."""
    if not unstated.any():
        return table
    enough = measured.seen_share >= load_plane_rules().segmentation.measured_from_share.value
    rows = np.flatnonzero(unstated & enough & np.isfinite(measured.height_m))
    heights = table["height_m"].to_numpy(dtype=float).copy()
    origin = table["height_source"].astype(object).to_numpy().copy()
    heights[rows], origin[rows] = np.maximum(measured.height_m[rows], 0.0), "dsm"
    reasons = list(table["reasons"])
    for row in rows:
        reasons[row] = [code for code in reasons[row] if code != "height_missing"]
    text = Text(
        f"{len(rows)} heights are measured: median of the surface model above the median terrain",
        f"{len(rows)} 栋建筑高度由地表模型中位数减地形中位数量得",
    )
    notices.append(Notice("height_from_dsm", text, len(rows), "info" if len(rows) else "warning", "inputs.dsm"))
    return table.assign(height_m=heights, height_source=origin, reasons=reasons)


def _hole_notice(measured: Measured, rows: B1, ids: pd.Series) -> tuple[Notice, ...]:
    """Count the roofs under which a surface model has holes: what is not seen carries no modules."""
    holed = rows & (measured.seen_share < 1.0 - agreement_rules().holes_share.value)
    if not holed.any():
        return ()
    share = float(1.0 - measured.seen_share[holed].mean())
    text = Text(
        f"the surface model has no value on {share:.1%} of {{n}} roofs: nothing is built on what is not seen; fill "
        "small holes first (gdal_fillnodata.py)",
        f"地表模型在 {{n}} 个屋顶上有 {share:.1%} 无数据：未见处不布置组件，小空洞请先填补（gdal_fillnodata.py）",
    )
    return Notice.counted("dsm_holes", holed, text, names=ids, source="inputs.dsm")


def _level_of(table: gpd.GeoDataFrame, measured: Measured, rows: B1) -> float:
    """Return the level of the ground where no terrain is given: surface minus height, in the median of what is seen."""
    level = (measured.top_m - table["height_m"].to_numpy(dtype=float))[rows]
    level = level[np.isfinite(level)]
    return float(np.median(level)) if len(level) else 0.0


def _lowest_roof_m(table: gpd.GeoDataFrame, measured: Measured, base: F8, *, ground_known: bool) -> F8:
    """Return half the height of each roof as the surface model shows it, else as it is stated."""
    height = table["height_m"].to_numpy(dtype=float)
    seen = np.isfinite(measured.height_m) & (measured.height_m >= load_roof_rules().min_roof_height_m.value)
    return base + 0.5 * np.where(seen & ground_known, measured.height_m, height)


def _with_model_reasons(
    table: gpd.GeoDataFrame, outside: B1, missing: B1, outside_dtm: B1, notices: list[Notice]
) -> gpd.GeoDataFrame:
    """Count the buildings that stand as blocks although a surface model is given, and those on no known ground."""
    for code, mask, role in (
        ("outside_dsm", outside, "inputs.dsm"),
        ("not_in_dsm", missing, "inputs.dsm"),
        ("outside_dtm", outside_dtm, "inputs.dtm"),
    ):
        table = add_reason(table, mask, code)
        notices += Notice.counted(code, mask, _BEYOND[code], names=table["building_id"], source=role)
    return table


_BEYOND = {
    "outside_dsm": Text(
        "{n} buildings lie outside the surface model, or in its gaps: they stand as blocks",
        "{n} 栋建筑位于地表模型范围之外或空缺处，按块体处理",
    ),
    "not_in_dsm": Text(
        "{n} buildings stand where the surface model shows bare ground (built since it was made, shifted, or gone): "
        "they stand as blocks of their stated or assumed height",
        "{n} 栋建筑处地表模型为空地（后建、偏移或已拆除）：按其已知或假定高度的块体处理",
    ),
    "outside_dtm": Text(
        "{n} buildings lie outside the terrain model: they stand on the median ground of the others",
        "{n} 栋建筑位于地形模型范围之外，按其余建筑的地面中位数高程放置",
    ),
}


def add_reason(table: gpd.GeoDataFrame, rows: B1, code: str) -> gpd.GeoDataFrame:
    """Return the table with a reason code on some rows."""
    if not rows.any():
        return table
    reasons: Iterable[list[str]] = table["reasons"]
    return table.assign(reasons=[[*r, code] if add else r for r, add in zip(reasons, rows, strict=True)])


def _covered_notices(table: gpd.GeoDataFrame, covered_m2: F8, hidden: B1) -> list[Notice]:
    notices = []
    n, area = int((covered_m2 > 0).sum()), float(covered_m2.sum())
    if n:
        text = Text(
            f"{n} roofs lie partly below an overlapping footprint that goes before them; {area:,.0f} m² left their "
            "roof area",
            f"{n} 个屋顶与优先的建筑轮廓重叠，已从其屋顶面积中扣除 {area:,.0f} ㎡",
        )
        notices.append(Notice("overlap_lower", text, n, "warning", "footprints"))
    text = Text(
        "{n} footprints are wholly covered by others: they have no roof", "{n} 个轮廓完全被其他建筑覆盖，没有屋顶"
    )
    names = table["building_id"]
    return [*notices, *Notice.counted("hidden", hidden, text, names=names, severity="info", source="footprints")]
