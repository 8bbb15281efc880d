"""Numbers for people, for the writers of this room; the rules are in `rooftop.rounding`."""

from __future__ import annotations

from rooftop.rounding import (
    NONE,
    Range,
    area,
    capacity,
    carbon,
    count,
    energy,
    is_missing,
    money,
    money_span,
    number,
    percent,
    percent_range,
    significant,
    span,
    years_span,
)

__all__ = [
    "NONE",
    "Range",
    "area",
    "capacity",
    "carbon",
    "count",
    "energy",
    "is_missing",
    "money",
    "money_span",
    "number",
    "percent",
    "percent_range",
    "significant",
    "span",
    "years_span",
]
