"""What each roof is worth: its status, the codes that explain it, and how many roofs each code concerns."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rooftop.batch import BatchResult
from rooftop.inputs.structures import known_structures, structure_reasons
from rooftop.lang import Text
from rooftop.notices import Notice
from rooftop.prepare import Prepared


def settle_status(roofs: pd.DataFrame, prepared: Prepared, year: pd.DataFrame) -> pd.DataFrame:
    """Give every roof its status and the codes that explain it."""
    rules, out = prepared.rules, roofs.copy()
    height = out["height_m"].to_numpy(dtype=float)
    excluded = (out["status"] == "excluded").to_numpy()
    no_ghi = ~np.isfinite(out["ghi_kwh_m2"].to_numpy(dtype=float)) & ~excluded
    low = (height < rules.min_roof_height_m.value) & ~excluded
    empty = (out["capacity_kwp"] <= 0).to_numpy() & ~excluded & ~no_ghi & ~low
    roof = prepared.layout.planes["roof"].to_numpy()
    ok_share = pd.Series(year["ok_share"].to_numpy(dtype=float)).groupby(roof).max().reindex(range(len(out)))
    failed = pd.Series(year["ok_share"].isna().to_numpy() & (year["n_cells"].isna().to_numpy()))
    failed_roof = failed.groupby(roof).any().reindex(range(len(out)), fill_value=False).to_numpy(dtype=bool)
    n_lit = pd.Series(year["n_lit"].to_numpy(dtype=float)).groupby(roof).sum(min_count=1).reindex(range(len(out)))
    placed = prepared.layout.planes.get("packed_count", pd.Series(0, index=prepared.layout.planes.index))
    some = placed.groupby(roof).sum().reindex(range(len(out)), fill_value=0).to_numpy() > 0
    dark = (ok_share.to_numpy() < 0.5) | (some & (n_lit.to_numpy() == 0.0))
    shaded = empty & ~failed_roof & dark
    structure = ~out["structure"].isin(known_structures()).to_numpy()
    flags = {
        "declared_exclusion": (out["excluded_area_m2"] > 0).to_numpy(),
        "existing_pv": ((out["existing_pv_area_m2"] > 0) | (out["existing_pv_kwp"] > 0)).to_numpy(dtype=bool),
        "outside_district": (out["district_id"].isna() & out["lon"].notna()).to_numpy(),
        "no_irradiance": no_ghi,
        "too_low": low,
        "tile_failed": failed_roof,
        "too_shaded": shaded,
        "no_room": empty & ~shaded & ~failed_roof,
        "roof_type_assumed": prepared.types.assumed,
        "structure_unknown": structure & ~_says_why(out) & ~excluded,
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


def _says_why(roofs: pd.DataFrame) -> NDArray[np.bool_]:
    """Tell the roofs whose reasons say what their structure is instead of one that is known: a shed, a ruin, a site."""
    why = structure_reasons()
    rows = zip(roofs["structure"].astype(object), roofs["reasons"], strict=True)
    return np.array([why.get(kind) in codes for kind, codes in rows], dtype=bool)


def status_notices(roofs: pd.DataFrame, selected: NDArray[np.bool_], batch: BatchResult) -> tuple[Notice, ...]:
    """Count what roofs cannot carry, and why, and the tiles that failed."""
    found = []
    military = int((selected & (roofs["building_use"] == "military").to_numpy()).sum())
    if military:
        text = Text(
            f"{military} military buildings cast shadows but appear in no output",
            f"{military} 栋军事用途建筑仅参与遮挡计算，不出现在任何成果中",
        )
        found.append(Notice("military", text, military, "info", "footprints"))
    codes = {
        "no_irradiance": (
            "roofs lie outside the irradiance raster or on its nodata",
            "个屋顶位于辐照栅格之外或无数据区",
        ),
        "outside_district": ("buildings lie in no district", "栋建筑不在任何县区内"),
        "roof_type_assumed": ("roofs have no roof type: it is assumed from their use", "个屋顶无屋面类型，按用途推定"),
        "structure_unknown": ("roofs have no known structure: load must be surveyed", "个屋顶结构未知，荷载须现场核实"),
        "too_shaded": ("roofs are too shaded to use", "个屋顶遮挡过重不可用"),
        "no_room": ("roofs have no room for a useful array", "个屋顶无足够可用面积"),
        "too_low": ("footprints are too low to be roofs", "个轮廓高度过低，不视为屋顶"),
    }
    shown = roofs[selected]
    for code, (en, zh) in codes.items():
        ids = [str(i) for i, r in zip(shown["building_id"], shown["reasons"], strict=True) if code in r]
        if ids:
            found.append(
                Notice(code, Text(f"{len(ids)} {en}", f"{len(ids)} {zh}"), len(ids), "warning", "roofs", tuple(ids[:5]))
            )
    for failure in batch.failures:
        text = Text(
            f"tile {failure.tile.name} failed: {failure.error}", f"分块 {failure.tile.name} 计算失败：{failure.error}"
        )
        found.append(Notice("tile_failed", text, 1, "warning", "tiles", (failure.tile.name,)))
    return tuple(found)
