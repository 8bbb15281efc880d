"""Names of units as outputs print them, and what every table with functional zones must say."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from rooftop.core.lang import Text
from rooftop.core.rounding import is_missing
from rooftop.targets.coverage_rules import coverage_rules
from rooftop.targets.listing import value_label

_ZONES = Text("Functional zones overlap districts and are in no total.", "功能区与县区重叠，不计入合计。")


def unit_label(row: Mapping[Any, Any]) -> Text:
    """Return the name of a unit: a zone says that it is one, all districts together are called so.

    Parameters
    ----------
    row : mapping
        With ``unit_id unit_name level``; the id stands in where a unit has no name.
    """
    name = str(row["unit_id"]) if is_missing(row["unit_name"]) else str(row["unit_name"])
    if row["level"] == "city" and row["unit_id"] == "city":
        return coverage_rules().units["city"].text
    if row["level"] == "zone":
        label = value_label("level", "zone")
        return Text("{name} ({label})", "{name}（{label}）").format(name=name, label=label)
    return Text(name, name)


def zones_note(levels: Iterable[object]) -> Text:
    """Say how zones count, where there are any."""
    return _ZONES if "zone" in set(levels) else Text("", "")
