"""Codes of the land-use standards: what land of a code says of the buildings on it."""

from __future__ import annotations

from functools import cache
from typing import Any

from rooftop.core.lang import Text
from rooftop.core.resources import load_shipped_yaml
from rooftop.inputs.use_rules import Inference


@cache
def settings() -> dict[str, Any]:
    """Return `configs/land_use.yaml`."""
    data: dict[str, Any] = load_shipped_yaml("land_use.yaml")
    return data


def standard_name(standard: str) -> Text:
    """Return what people call a standard."""
    name = settings()["standards"][standard]["name"]
    return Text(name["en"], name["zh"])


@cache
def entry_of(standard: str, code: str) -> str | None:
    """Return the code of the table that a code of a file falls under; None where the standard has no such code.

    Longer codes fall under their first six, five or four characters; a class that the table does not divide, or
    that says so, takes all codes that begin with it.
    """
    codes = settings()["standards"][standard]["codes"]
    for length in (len(code), 6, 5, 4):
        if length <= len(code) and code[:length] in codes:
            return code[:length]
    head = code[:2]
    return head if head in codes and takes_unlisted(head, codes) else None


def takes_unlisted(head: str, codes: dict[str, dict[str, Any]]) -> bool:
    """Whether a class of two digits stands for codes below it that are not listed."""
    divided = any(len(known) > 2 and known.startswith(head) for known in codes)
    return not divided or bool(codes[head].get("open"))


def inference(standard: str, code: str) -> Inference | None:
    """Return what land of a code says of the buildings on it; None for an unknown code."""
    found = entry_of(standard, code)
    if found is None:
        return None
    entry = settings()["standards"][standard]["codes"][found]
    return Inference(tuple(entry["uses"]), str(entry.get("confidence", "")), f"land_use:{standard}:{found}")
