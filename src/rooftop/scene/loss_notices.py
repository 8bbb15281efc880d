"""Losses of a system that are not what losses usually are."""

from __future__ import annotations

from rooftop.config import Losses
from rooftop.core.datamodel import Model, Sourced
from rooftop.core.lang import Text
from rooftop.core.notices import Notice
from rooftop.core.resources import load_shipped


class Span(Model):
    """A range with its source."""

    low: float
    high: float
    source: str


class UsualLosses(Model):
    """Limits of `configs/usual_losses.yaml`."""

    source: str
    date: object
    one_max: Sourced
    total: Span


def usual_losses() -> UsualLosses:
    """Load and check the shipped limits."""
    return load_shipped(UsualLosses, "usual_losses.yaml")


def loss_notices(losses: Losses) -> tuple[Notice, ...]:
    """Warn of a loss, or of all losses together, beyond what systems have.

    Parameters
    ----------
    losses : Losses
        Shares; they multiply.
    """
    usual, shares = usual_losses(), {name: float(share) for name, share in losses.model_dump().items()}
    kept = 1.0
    for share in shares.values():
        kept *= 1.0 - share
    total, odd = 1.0 - kept, [f"{name} {share:.3g}" for name, share in shares.items() if share > usual.one_max.value]
    if not odd and usual.total.low <= total <= usual.total.high:
        return ()
    named = f" ({', '.join(odd)})" if odd else ""
    text = Text(
        f"system.losses take {total:.1%} of the energy{named}; {usual.total.low:.0%}-{usual.total.high:.0%} is usual, "
        f"and {usual.one_max.value:.0%} at most for one: are they shares (0.02 for 2 %)?",
        f"system.losses 合计损失 {total:.1%}{named}；通常为 {usual.total.low:.0%}~{usual.total.high:.0%}，"
        f"单项不超过 {usual.one_max.value:.0%}：请核对是否按比例填写（2% 写作 0.02）",
    )
    return (Notice("losses_unusual", text, max(1, len(odd)), source="system.losses", examples=tuple(odd[:5])),)
