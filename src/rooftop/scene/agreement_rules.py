"""When elevation models, terrain and heights of footprints contradict each other (`configs/model_agreement.yaml`)."""

from __future__ import annotations

from rooftop.core.datamodel import Label, Model, Sourced
from rooftop.core.lang import Text
from rooftop.core.resources import load_shipped


class RatioCause(Label):
    """What explains a ratio of stated to measured heights."""

    low: float
    high: float


class HeightRatio(Model):
    """What the median of stated over measured heights may be, and what else explains it."""

    low: float
    high: float
    refuse_low: float
    refuse_high: float
    source: str
    causes: list[RatioCause]
    otherwise: Label

    def cause(self, ratio: float) -> Text:
        """Return the first cause that explains a ratio."""
        return next((cause.text for cause in self.causes if cause.low <= ratio <= cause.high), self.otherwise.text)


class AgreementRules(Model):
    """Typed view of `configs/model_agreement.yaml`."""

    source: str
    date: object
    sample_roofs: Sourced
    ring_m: Sourced
    wall_m: Sourced
    open_ground_quantile: Sourced
    offset_warn_m: Sourced
    offset_refuse_m: Sourced
    swapped_below_m: Sourced
    unseen_refuse_share: Sourced
    zero_apart_m: Sourced
    bare_ground_m: Sourced
    holes_share: Sourced
    height_ratio: HeightRatio
    far_terrain_warn_m: Sourced
    far_terrain_refuse_m: Sourced
    least_roofs: Sourced


def agreement_rules() -> AgreementRules:
    """Load and check the shipped limits."""
    return load_shipped(AgreementRules, "model_agreement.yaml")
