"""Gates: pass, fail or survey for each roof. What is not known is surveyed, never inferred."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from rooftop.campaign.rules import campaign_rules
from rooftop.targets.columns import PV_IMPOSSIBLE, carries_reason, numeric_column, text_column

PASS, SURVEY, FAIL = "pass", "survey", "fail"
GATES = ("usable", "size", "shading", "existing_pv", "structure", "fire", "heritage")


@dataclass(frozen=True)
class GateRules:
    """Thresholds of ``gates.yaml``.

    Parameters
    ----------
    min_added_kwp : float
        Smallest addition worth building [kWp].
    shading_survey, shading_fail : float
        Shading loss, share of the unshaded irradiation.
    existing_share_fail : float
        Existing capacity as a share of the roof's whole capacity, existing and new.
    fire_uses : frozenset of str
    fire_above_m : float
    heritage_uses : frozenset of str
    heritage_before, old_before : int
        Years built.
    """

    min_added_kwp: float
    shading_survey: float
    shading_fail: float
    existing_share_fail: float
    fire_uses: frozenset[str]
    fire_above_m: float
    heritage_uses: frozenset[str]
    heritage_before: int
    old_before: int


def load_gate_rules() -> GateRules:
    """Return the shipped thresholds."""
    rules = campaign_rules()
    return GateRules(
        min_added_kwp=rules.min_added_kwp.value,
        shading_survey=rules.shading_loss.survey,
        shading_fail=rules.shading_loss.fail,
        existing_share_fail=rules.existing_pv_share.fail,
        fire_uses=rules.fire.survey_uses,
        fire_above_m=rules.fire.survey_above_height_m,
        heritage_uses=rules.heritage.survey_uses,
        heritage_before=rules.heritage.survey_before_year,
        old_before=rules.old_structure.before_year,
    )


def added_kwp(roofs: pd.DataFrame) -> pd.Series:
    """Return what can be installed on each roof beside what stands there [kWp]."""
    return pd.Series(np.maximum(numeric_column(roofs, "capacity_kwp"), 0.0), index=roofs.index)


def _verdict(fail: npt.ArrayLike, survey: npt.ArrayLike) -> npt.NDArray[np.object_]:
    return np.where(fail, FAIL, np.where(survey, SURVEY, PASS)).astype(object)


def gates(roofs: pd.DataFrame, rules: GateRules | None = None) -> pd.DataFrame:
    """Judge every roof.

    Parameters
    ----------
    roofs : DataFrame (n,)
        ``tables.ROOFS``. Three optional columns answer what geometry cannot, each ``yes | no | unknown``:
        ``roof_load_ok`` (a structural check was made), ``fire_ok``, ``is_heritage``.
    rules : GateRules, optional
        Those of ``gates.yaml``.

    Returns
    -------
    DataFrame (n,)
        ``gate_<name>`` for each of `GATES` and ``gate``, the worst of them; ``pass``, ``survey`` or ``fail``;
        same index.

    Notes
    -----
    Structure and load are never inferred: without ``roof_load_ok`` every roof is ``survey`` there. Fire and heritage
    pass where the data show no sign against; the sign makes them ``survey``, only a declaration makes them ``fail``.
    """
    rules = rules or load_gate_rules()
    use = text_column(roofs, "building_use")
    capacity = numeric_column(roofs, "capacity_kwp")
    existing = np.nan_to_num(numeric_column(roofs, "existing_pv_kwp"))
    added = added_kwp(roofs).to_numpy()
    loss = numeric_column(roofs, "shading_loss")
    year = numeric_column(roofs, "year_built")
    status = text_column(roofs, "status")
    load_ok, fire_ok, heritage = (text_column(roofs, name) for name in ("roof_load_ok", "fire_ok", "is_heritage"))
    with np.errstate(invalid="ignore"):
        taken = (existing > 0) & (existing >= rules.existing_share_fail * (existing + np.nan_to_num(capacity)))
        fire_sign = use.isin(rules.fire_uses) | (numeric_column(roofs, "height_m") > rules.fire_above_m)
        heritage_sign = use.isin(rules.heritage_uses) | (year < rules.heritage_before)
        out = {
            "usable": _verdict(status == "excluded", status == "needs_survey"),
            "size": _verdict(~(added >= rules.min_added_kwp) & ~taken, False),
            "shading": _verdict(loss > rules.shading_fail, (loss > rules.shading_survey) | np.isnan(loss)),
            "existing_pv": _verdict(taken, (existing > 0) | carries_reason(roofs, [PV_IMPOSSIBLE])),
            "structure": _verdict(load_ok == "no", load_ok != "yes"),
            "fire": _verdict(fire_ok == "no", fire_sign & (fire_ok != "yes")),
            "heritage": _verdict(heritage == "yes", heritage_sign & (heritage != "no")),
        }
    frame = pd.DataFrame({f"gate_{name}": out[name] for name in GATES}, index=roofs.index)
    frame["gate"] = _verdict((frame == FAIL).any(axis=1), (frame == SURVEY).any(axis=1))
    return frame
