"""Order of candidates: tier, size class, specific yield, id. No weights to argue about."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from rooftop.campaign.rules import campaign_rules
from rooftop.core.lang import Text
from rooftop.targets.columns import numeric_column, text_column

MANDATED, MAYBE_MANDATED, PUBLIC, FACTORY, COMMERCIAL, HOME = range(1, 7)


@dataclass(frozen=True)
class RankingRules:
    """Order of candidates, from ``gates.yaml``.

    Parameters
    ----------
    size_limits_kwp : tuple of float
        Lower limits of the size classes, largest first.
    factory_uses, home_uses : frozenset of str
    tiers : dict of int to Text
    """

    size_limits_kwp: tuple[float, ...]
    factory_uses: frozenset[str]
    home_uses: frozenset[str]
    tiers: dict[int, Text]


def load_ranking_rules() -> RankingRules:
    """Return the shipped order."""
    ranking = campaign_rules().ranking
    return RankingRules(
        size_limits_kwp=ranking.size_classes_kwp.value,
        factory_uses=ranking.factory_uses,
        home_uses=ranking.home_uses,
        tiers={tier: label.text for tier, label in ranking.tiers.items()},
    )


def tiers(roofs: pd.DataFrame, mandate: pd.Series, rules: RankingRules) -> pd.Series:
    """Return the tier of each roof, 1 first.

    Parameters
    ----------
    roofs : DataFrame (n,)
        ``tables.ROOFS``.
    mandate : Series (n,)
        ``short`` (in the scope of the target and below its value), ``attained``, ``unstated`` (in scope, what PV
        stands there is not known), ``maybe`` (a missing class or date keeps it out) or ``no``; same index.
    rules : RankingRules
    """
    use = text_column(roofs, "building_use")
    chosen = np.select(
        [
            mandate == "short",
            mandate.isin(["maybe", "unstated"]),
            text_column(roofs, "is_public_institution") == "yes",
            use.isin(rules.factory_uses),
            use.isin(rules.home_uses),
        ],
        [MANDATED, MAYBE_MANDATED, PUBLIC, FACTORY, HOME],
        COMMERCIAL,
    )
    return pd.Series(chosen, index=roofs.index, dtype="int64")


def size_class(added_kwp: pd.Series, rules: RankingRules) -> pd.Series:
    """Return the size class of each addition, 0 for the largest."""
    added = added_kwp.to_numpy(dtype=float)
    chosen = np.full(len(added), len(rules.size_limits_kwp))
    for k, limit in reversed(list(enumerate(rules.size_limits_kwp))):
        chosen[added >= limit] = k
    return pd.Series(chosen, index=added_kwp.index)


def order(roofs: pd.DataFrame, tier: pd.Series, size: pd.Series) -> pd.Index:
    """Return the index of `roofs` in order of priority: tier, size class, specific yield (highest first), id.

    A null yield comes last within its class.
    """
    keys = pd.DataFrame(
        {
            "tier": tier,
            "size": size,
            "yield": -np.nan_to_num(numeric_column(roofs, "specific_yield_kwh_kwp")),
            "id": text_column(roofs, "building_id", ""),
        },
        index=roofs.index,
    )
    return keys.sort_values(["tier", "size", "yield", "id"], kind="stable").index
