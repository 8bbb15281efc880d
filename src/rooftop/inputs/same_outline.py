"""Several records of one outline: which one stands for the building, and what the others know of it."""

from __future__ import annotations

import numpy as np
import pandas as pd

from rooftop.core.lang import Text
from rooftop.core.notices import Notice
from rooftop.core.types import B1, I8

_KNOWS = {  # column: the value that says nothing, and what goes with it
    "address": (None, ()),
    "owner_name": (None, ("owner_type",)),
    "owner_type": (None, ()),
    "building_use": ("unknown", ("use_source",)),
    "is_public_institution": ("unknown", ("public_source",)),
    "year_built": (None, ("completion_date",)),
    "completion_date": (None, ()),
    "structure": (None, ()),
    "roof_type": (None, ()),
    "floors_above": (None, ()),
    "existing_pv_kwp": (None, ("existing_pv_year",)),
    "existing_pv_year": (None, ()),
}


def standing_rows(digests: list[bytes | None], table: pd.DataFrame, known_height_m: pd.Series) -> I8:
    """Return for each row the row that stands for its outline: itself, where no other has the same.

    Of several, the one with the tallest known height stands; then the one with an id, the first of them in their order.
    What is left is decided by what the rows say, never by their place in the file.

    Parameters
    ----------
    digests : list of bytes or None
        Of each outline; None has no other.
    table : DataFrame
        Attributes, ``source_id`` among them.
    known_height_m : Series
        NaN where neither a height nor floors are known.
    """
    outline = pd.Series(digests, dtype=object)
    shared = np.flatnonzero(outline.notna().to_numpy() & outline.duplicated(keep=False).to_numpy())
    stands = np.arange(len(outline), dtype=np.int64)
    if not len(shared):
        return stands
    order = shared[_best_first(table.iloc[shared], known_height_m.iloc[shared])]
    first = pd.Series(order).groupby(outline.iloc[order].to_numpy(), sort=False).transform("first")
    stands[order] = first.to_numpy()
    return stands


def _best_first(table: pd.DataFrame, known_height_m: pd.Series) -> I8:
    """Return positions in the order in which rows may stand for their outline."""
    text = table.astype("string").fillna("").drop(columns=["source_row"], errors="ignore")
    keys = pd.DataFrame(
        {
            "height": -known_height_m.fillna(-np.inf).to_numpy(dtype=float),
            "unnamed": table["source_id"].isna().to_numpy(),
            "id": table["source_id"].astype("string").fillna("").to_numpy(),
            "says": text.agg("\x1f".join, axis=1).to_numpy(),
        }
    )
    return keys.sort_values(list(keys.columns), kind="stable").index.to_numpy(dtype=np.int64)


def _says_nothing(table: pd.DataFrame, name: str) -> B1:
    nothing = _KNOWS[name][0]
    missing = table[name].isna().to_numpy(dtype=bool)
    return missing if nothing is None else missing | (table[name] == nothing).fillna(True).to_numpy(dtype=bool)


def take_what_others_know(table: pd.DataFrame, stands: I8, where: str) -> tuple[Notice, ...]:
    """Fill, in place, what a standing row does not know from the other records of its outline.

    Where several of them know it, the one that comes first in the order of their text counts.
    """
    others = np.flatnonzero(stands != np.arange(len(stands)))
    if not len(others):
        return ()
    taken = np.zeros(len(table), dtype=bool)
    for name, (_, along) in _KNOWS.items():
        if name not in table:
            continue
        silent = _says_nothing(table, name)
        giving = others[silent[stands[others]] & ~silent[others]]
        if not len(giving):
            continue
        as_text = table[name].iloc[giving].astype("string").to_numpy()
        giving = giving[np.argsort(as_text, kind="stable")]
        to, first = np.unique(stands[giving], return_index=True)
        for column in (name, *along):
            if column in table:
                values = table[column].copy()
                values.iloc[to] = table[column].iloc[giving[first]].to_numpy()
                table[column] = values
        taken[to] = True
    text = Text(
        "{n} buildings take attributes that they lack from other records of the same outline",
        "{n} 栋建筑缺失的属性取自同一轮廓的其他记录",
    )
    return Notice.counted("attributes_of_duplicates", taken, text, severity="info", source=where)


def count_pv_once(table: pd.DataFrame, stands: I8) -> None:
    """Set the existing PV that repeated records state to none, in place: it stands on the roof of the standing row."""
    repeated = (stands != np.arange(len(stands))) & table["existing_pv_kwp"].notna().to_numpy()
    table["existing_pv_kwp"] = table["existing_pv_kwp"].mask(repeated, 0.0)
