"""What each roof is worth: its status, the codes that explain it, and how many roofs each code concerns."""

from __future__ import annotations

import numpy as np
import pandas as pd

from rooftop.core.lang import Text
from rooftop.core.notices import Notice
from rooftop.core.types import B1
from rooftop.inputs.structures import known_structures, structure_reasons
from rooftop.job.batch import BatchResult
from rooftop.scene.layout import Layout
from rooftop.scene.roofs import RoofTypes
from rooftop.targets.withheld import withheld, withheld_use_names


def settle_status(
    roofs: pd.DataFrame, layout: Layout, year: pd.DataFrame, types: RoofTypes, min_height_m: float
) -> pd.DataFrame:
    """Give every roof its status and the codes that explain it.

    Parameters
    ----------
    roofs : DataFrame
        Of :func:`rooftop.job.aggregate.roof_table`, with units and irradiation.
    layout : Layout
    year : DataFrame
        Of each plane, see :func:`rooftop.job.aggregate.plane_table`.
    types : RoofTypes
    min_height_m : float
        What is lower is no roof.
    """
    out = roofs.copy()
    excluded = (out["status"] == "excluded").to_numpy()
    no_ghi = ~np.isfinite(out["ghi_kwh_m2"].to_numpy(dtype=float)) & ~excluded
    low = (out["height_m"].to_numpy(dtype=float) < min_height_m) & ~excluded
    empty = (out["capacity_kwp"] <= 0).to_numpy() & ~excluded & ~no_ghi & ~low
    failed, dark = _failed_and_dark(layout, year, len(out))
    shaded = empty & ~failed & dark
    structure = ~out["structure"].isin(known_structures()).to_numpy()
    flags = {
        "declared_exclusion": (out["excluded_area_m2"] > 0).to_numpy(),
        "existing_pv": ((out["existing_pv_area_m2"] > 0) | (out["existing_pv_kwp"] > 0)).to_numpy(dtype=bool),
        "outside_district": (out["district_id"].isna() & out["lon"].notna()).to_numpy(),
        "no_irradiance": no_ghi,
        "too_low": low,
        "tile_failed": failed,
        "too_shaded": shaded,
        "no_room": empty & ~shaded & ~failed,
        "roof_type_assumed": types.assumed,
        "structure_unknown": structure & ~_states_structure(out) & ~excluded,
    }
    reasons = [list(dict.fromkeys(r)) for r in out["reasons"]]
    for code, mask in flags.items():
        for k in np.flatnonzero(mask):
            if code not in reasons[k]:
                reasons[k].append(code)
    out["reasons"] = reasons
    nothing = excluded | no_ghi | low | empty
    survey = ~nothing & (structure | (out["status"] == "needs_survey").to_numpy())
    out["status"] = np.select([nothing, survey], ["excluded", "needs_survey"], "ok")
    return out


def _failed_and_dark(layout: Layout, year: pd.DataFrame, n_roofs: int) -> tuple[B1, B1]:
    """Tell the roofs of which a plane was not computed, and those that are mostly dark or have no module in the light.

    A plane that was computed and has no cells is no failure.
    """
    by = pd.DataFrame(
        {
            "failed": year["ok_share"].isna() & year["n_cells"].isna(),
            "ok_share": year["ok_share"].astype(float),
            "placed": layout.placed,
            "n_lit": year["n_lit"].astype(float),
        }
    ).groupby(layout.planes["roof"].to_numpy())
    roofs = pd.RangeIndex(n_roofs)
    ok_share = by["ok_share"].max().reindex(roofs).to_numpy()
    n_lit = by["n_lit"].sum(min_count=1).reindex(roofs).to_numpy()
    placed = by["placed"].sum().reindex(roofs, fill_value=0).to_numpy() > 0
    failed = by["failed"].any().reindex(roofs, fill_value=False).to_numpy(dtype=bool)
    return failed, (ok_share < 0.5) | (placed & (n_lit == 0.0))


def _states_structure(roofs: pd.DataFrame) -> B1:
    """Tell the roofs whose reasons say what their structure is instead of one that is known: a shed, a ruin, a site."""
    why = structure_reasons()
    rows = zip(roofs["structure"].astype(object), roofs["reasons"], strict=True)
    return np.array([why.get(kind) in codes for kind, codes in rows], dtype=bool)


_STATED = {
    "no_irradiance": Text(
        "{n} roofs lie outside the irradiance raster or on its nodata", "{n} 个屋顶位于辐照栅格之外或无数据区"
    ),
    "roof_type_assumed": Text(
        "{n} roofs have no roof type: it is assumed from their use", "{n} 个屋顶无屋面类型，按用途推定"
    ),
    "structure_unknown": Text(
        "{n} roofs have no known structure: load must be surveyed", "{n} 个屋顶结构未知，荷载须现场核实"
    ),
    "too_shaded": Text("{n} roofs are too shaded to use", "{n} 个屋顶遮挡过重不可用"),
    "no_room": Text("{n} roofs have no room for a useful array", "{n} 个屋顶无足够可用面积"),
    "too_low": Text("{n} footprints are too low to be roofs", "{n} 个轮廓高度过低，不视为屋顶"),
}
_LOOK_AT_MODELS = Text(
    ", more than half of all: look at the heights and at inputs.dsm, where lone high cells shade everything around",
    "，超过半数：请检查建筑高度与 inputs.dsm，孤立的异常高值会遮挡周围所有屋顶",
)


def status_notices(roofs: pd.DataFrame, selected: B1, batch: BatchResult) -> tuple[Notice, ...]:
    """Count what roofs cannot carry, and why, and the tiles that failed."""
    text = (
        Text("{n} ", "{n} 栋")
        + withheld_use_names()
        + Text(" buildings cast shadows but appear in no output", "用途建筑仅参与遮挡计算，不出现在任何成果中")
    )
    notices = list(
        Notice.counted("military", int((selected & withheld(roofs)).sum()), text, severity="info", source="footprints")
    )
    selected_roofs = roofs[selected]
    for code, text in _STATED.items():
        ids = [
            str(i) for i, r in zip(selected_roofs["building_id"], selected_roofs["reasons"], strict=True) if code in r
        ]
        if code == "too_shaded" and len(ids) > 0.5 * len(selected_roofs):
            text = text + _LOOK_AT_MODELS
        notices += Notice.counted(code, ids, text, source="roofs")
    for failure in batch.failures:
        text = Text(
            f"tile {failure.tile.name} failed: {failure.error}", f"分块 {failure.tile.name} 计算失败：{failure.error}"
        )
        notices.append(Notice("tile_failed", text, 1, "warning", "tiles", (failure.tile.name,)))
    return tuple(notices)
