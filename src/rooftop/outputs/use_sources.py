"""Where a building's use comes from, in words: its attributes, a code, its name, the land it stands on."""

from __future__ import annotations

from functools import cache

from rooftop.core.lang import Text
from rooftop.core.rounding import is_missing
from rooftop.inputs.land_use_codes import land_use_rules
from rooftop.inputs.use_rules import Confidence, use_rules

_BY_NAME = Text("inferred from the name", "按名称推断")
_BY_LAND = Text("inferred from the land use", "按用地推断")


def inferred_by(source: object) -> Text | None:
    """Return how a use was inferred, in a few words; None where an attribute states it."""
    text = "" if is_missing(source) else str(source)
    if text.startswith("rule:"):
        return _BY_NAME
    return _BY_LAND if text.startswith("land_use:") else None


@cache
def use_source_label(source: str) -> Text:
    """Return a value of ``use_source`` in words, with the confidence of an inference."""
    kind, _, detail = source.partition(":")
    if kind == "mapped":
        return Text("attribute", "属性")
    if kind == "code":
        return Text(f"code {detail}", f"编码 {detail}")
    if kind == "rule":
        rule = next((rule for rule in use_rules().rules if rule.id == detail), None)
        sure = _confidence(None if rule is None else rule.confidence)
        return Text("{_BY_NAME}{sure}", "{_BY_NAME}{sure}").format(_BY_NAME=_BY_NAME, sure=sure)
    if kind == "land_use":
        standard, _, code = detail.partition(":")
        listed = land_use_rules().standards.get(standard)
        entry = None if listed is None else listed.codes.get(code)
        name = "" if entry is None else f" {entry.name}"
        sure = _confidence(None if entry is None else entry.confidence)
        return Text("{_BY_LAND}: {code}{name}{sure}", "{_BY_LAND}：{code}{name}{sure}").format(
            _BY_LAND=_BY_LAND, code=code, name=name, sure=sure
        )
    return Text("not known", "不明") if kind == "none" else Text(source, source)


def _confidence(key: Confidence | None) -> Text:
    if key is None:
        return Text("", "")
    return Text(" (confidence {word})", "（置信度{word}）").format(word=land_use_rules().confidence[key].text)
