"""Heights of buildings: what the file says, what its floors say, what overlapping outlines say, and what is assumed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from rooftop.config import FootprintsInput
from rooftop.core.errors import InputError
from rooftop.core.lang import Text
from rooftop.core.notices import Notice, Severity
from rooftop.core.types import B1
from rooftop.inputs.input_limits import input_limits
from rooftop.inputs.reasons import ReasonMasks
from rooftop.inputs.storeys import stated_heights
from rooftop.inputs.vectors import Vector

_ROLE = "inputs.footprints"


@dataclass(frozen=True)
class KnownHeights:
    """What a file knows of heights.

    Parameters
    ----------
    height_m : Series of float
        The field, else floors times the configured storey, 0 without floors above ground; NaN where nothing is known.
    source : Series of string
        ``field`` or ``floors``.
    """

    height_m: pd.Series
    source: pd.Series


def known_heights(
    table: pd.DataFrame,
    vector: Vector,
    config: FootprintsInput,
    reasons: ReasonMasks,
    notices: list[Notice],
    labelled: pd.Series,
) -> KnownHeights:
    """Read heights and floors; fill ``floors_above`` of `table`.

    Parameters
    ----------
    labelled : Series of float
        Floors that labels of structures hold, NaN without any.

    Raises
    ------
    InputError
        A field of text is mapped where numbers belong.
    """
    where, fields = str(config.path), config.fields
    stated = stated_heights(vector.table, fields.height_m, fields.floors, labelled, where)
    height, floors = stated.height_m, stated.floors
    notices += stated.notices
    reasons.mark("height_absurd", stated.absurd)
    if stated.underground.any():
        reasons.mark("underground", stated.underground)
    notices += _floor_multiple_notices(height, floors, where)
    by_floors = height.isna() & floors.notna()
    source = pd.Series("field", index=table.index, dtype="string").where(~by_floors, "floors")
    table["floors_above"] = np.floor(floors).astype("Int64")
    return KnownHeights(height.where(~by_floors, floors * config.storey_height_m), source)


def _floor_multiple_notices(height: pd.Series, floors: pd.Series, where: str) -> list[Notice]:
    """Say so when the heights of the file are nothing but its floors times a constant."""
    both = height.notna() & floors.notna()
    ratio = height[both] / floors[both]
    if floors[both].nunique() < 3 or ratio.max() - ratio.min() > 1e-6:
        return []
    count, storey = int(both.sum()), float(ratio.iloc[0])
    text = Text(
        f"{count} heights in the file are exactly floors × {storey:g} m: they were not measured",
        f"文件中 {count} 个高度恰为层数 × {storey:g} 米：并非实测",
    )
    return [Notice("height_not_measured", text, count, severity="info", source=where)]


def fill_heights(
    table: pd.DataFrame,
    known: KnownHeights,
    overlaps: pd.DataFrame,
    kept: B1,
    config: FootprintsInput,
    reasons: ReasonMasks,
    notices: list[Notice],
    *,
    measurable: bool,
) -> None:
    """Fill ``height_m height_source`` of `table`.

    What is not known is that of the building on which the outline mostly lies, else the configured height, else the
    median of the same use.

    Parameters
    ----------
    overlaps : DataFrame
        Of :func:`rooftop.inputs.overlaps.overlapping_pairs`.
    kept : ndarray of bool
        Rows that may be roofs: only they have a part in medians.
    measurable : bool
        Heights can be measured in elevation models: a file without any is read, each building one storey high.

    Raises
    ------
    InputError
        No height anywhere.
    """
    where = str(config.path)
    missing = known.height_m.isna()
    under = _height_of_building_below(known.height_m, overlaps)
    lies = missing & under.notna()
    stands = known.height_m.where(kept & (known.height_m > 0.0))
    fill, label, filled = _height_fill(stands, table["building_use"], config, where, measurable)
    table["height_m"] = known.height_m.where(~missing, under.where(lies, fill))
    table["height_source"] = known.source.where(~missing, pd.Series(label, index=table.index).mask(lies, "assumed"))
    by_floors = known.height_m.notna() & (known.source == "floors")
    storey = config.storey_height_m
    messages: tuple[tuple[str, pd.Series, Text, Severity], ...] = (
        (
            "height_from_floors",
            by_floors,
            Text(f"{{n}} heights are floors × {storey:g} m", f"{{n}} 栋建筑的高度按层数 × {storey:g} 米推算"),
            "info",
        ),
        (
            "height_missing",
            missing & ~lies,
            Text("{n} buildings have no height and get ", "{n} 栋建筑没有高度，取") + filled,
            "warning",
        ),
        (
            "height_of_overlap",
            lies,
            Text(
                "{n} outlines have no height and lie mostly on a building that has one: they take it",
                "{n} 个轮廓没有高度且大部分与有高度的建筑重叠，取其高度",
            ),
            "warning",
        ),
    )
    for code, mask, text, severity in messages:
        reasons.mark("height_missing" if code == "height_of_overlap" else code, mask)
        notices += Notice.counted(code, mask, text, severity=severity, source=where)


def _height_of_building_below(height_m: pd.Series, overlaps: pd.DataFrame) -> pd.Series:
    """Return the known height of the building that covers most of each outline, where known ones cover half of it."""
    out = pd.Series(np.nan, index=height_m.index, dtype="float64")
    shared = overlaps["area_m2"]
    pairs = pd.concat(
        [
            pd.DataFrame({"row": overlaps[a], "on": overlaps[b], "area_m2": shared, "own": overlaps[f"{a}_m2"]})
            for a, b in (("left", "right"), ("right", "left"))
        ]
    )
    known = height_m.to_numpy()
    pairs = pairs[np.isnan(known[pairs["row"]]) & ~np.isnan(known[pairs["on"]])]
    if pairs.empty:
        return out
    covered = pairs.groupby("row")["area_m2"].transform("sum") / pairs["own"]
    pairs = pairs[covered >= input_limits().height_of_overlap_share.min]
    pairs = pairs.assign(height=known[pairs["on"]])
    most = pairs.sort_values(["row", "area_m2", "height"], ascending=[True, False, False]).drop_duplicates("row")
    out.iloc[most["row"].to_numpy()] = most["height"].to_numpy()
    return out


def _height_fill(
    height: pd.Series, use: pd.Series, config: FootprintsInput, where: str, measurable: bool
) -> tuple[pd.Series, str, Text]:
    """Return the height of buildings that have none, its source, and what it is in words."""
    default, storey = config.default_height_m, config.storey_height_m
    if default is not None:
        words = Text(f"{default:g} m as configured", f"配置的 {default:g} 米")
        return pd.Series(default, index=height.index, dtype="float64"), "default", words
    if height.notna().sum() == 0 and measurable:
        words = Text(f"one storey of {storey:g} m where none is measured", f"未能量得时按一层 {storey:g} 米")
        return pd.Series(storey, index=height.index, dtype="float64"), "assumed", words
    if height.notna().sum() == 0:
        raise InputError(
            Text("no building has a height", "所有建筑都没有高度"),
            where=Text(f"{_ROLE}.fields ({where})", f"{_ROLE}.fields（{where}）"),
            found=Text("no usable height and no floors", "没有可用的高度和层数"),
            expected=Text("fields.height_m or fields.floors", "fields.height_m 或 fields.floors"),
            mend=Text(
                "map one of them, give inputs.dsm and inputs.dtm, or set default_height_m for all buildings",
                "请映射其一，或给出 inputs.dsm 与 inputs.dtm，或为所有建筑设置 default_height_m",
            ),
        )
    words = Text("the median of their use", "同类用途的中位数")
    return height.groupby(use).transform("median").fillna(height.median()), "assumed", words
