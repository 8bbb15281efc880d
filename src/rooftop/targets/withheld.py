"""Buildings that appear in no output: they cast shadows, and are counted."""

from __future__ import annotations

import pandas as pd

from rooftop.core.lang import Text
from rooftop.core.types import B1
from rooftop.core.vocabularies import building_uses
from rooftop.targets.coverage_rules import coverage_rules


def withheld_uses() -> frozenset[str]:
    """Return the uses that appear in no output, of `configs/coverage.yaml`."""
    return frozenset(coverage_rules().withheld_uses)


def withheld_use_names() -> Text:
    """Return what they are called, one after the other."""
    return Text.join(building_uses().uses[use].text for use in coverage_rules().withheld_uses)


def withheld(buildings: pd.DataFrame) -> B1:
    """Tell which buildings, or roofs, appear in no output, by ``building_use``."""
    return buildings["building_use"].isin(list(withheld_uses())).to_numpy(dtype=bool)
