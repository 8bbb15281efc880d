"""One vocabulary of verdicts: each has a key, one word in each language (`configs/coverage.yaml`) and one colour."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from rooftop.core.lang import Lang, Text
from rooftop.targets.listing import value_label

Tone = Literal["good", "bad", "open", ""]


class Verdict(StrEnum):
    """What is found of a target."""

    MET = "met"
    NOT_MET = "not_met"
    WITHIN_REACH = "within_reach"
    OUT_OF_REACH = "out_of_reach"
    UNDECIDED = "undecided"
    NOT_KNOWN = "not_known"
    NO_BUILDING = "no_building"
    NO_TARGET = "no_target"

    @property
    def text(self) -> Text:
        """The verdict in two or three words."""
        return value_label("verdict", self.value)

    @property
    def tone(self) -> Tone:
        """How it is coloured."""
        return _TONES.get(self, "")


_TONES: dict[Verdict, Tone] = {
    Verdict.MET: "good",
    Verdict.WITHIN_REACH: "good",
    Verdict.NOT_MET: "bad",
    Verdict.OUT_OF_REACH: "bad",
    Verdict.UNDECIDED: "open",
    Verdict.NOT_KNOWN: "open",
}
_OF_POTENTIAL = {"yes": Verdict.WITHIN_REACH, "no": Verdict.OUT_OF_REACH}
_OF_STOCK = {"yes": Verdict.MET, "no": Verdict.NOT_MET}
ANSWERS = ("yes", "no", "unknown")
"""Values of a column `attained`."""


def verdict_of(attained: str, kind: str = "installed") -> Verdict:
    """Return the verdict of a row.

    Parameters
    ----------
    attained : {"yes", "no", "unknown"}
    kind : str
        ``potential`` is within reach or out of it; what stands or is planned meets a target or does not.
    """
    words = _OF_POTENTIAL if kind == "potential" else _OF_STOCK
    return words.get(attained, Verdict.UNDECIDED)


def judgements(lang: Lang) -> dict[str, dict[str, dict[str, str]]]:
    """Return word and tone of each answer for the map, by ``potential`` and ``other`` kinds."""
    return {
        kind: {
            answer: {"text": verdict_of(answer, kind).text.pick(lang), "tone": verdict_of(answer, kind).tone}
            for answer in ANSWERS
        }
        for kind in ("potential", "other")
    }
