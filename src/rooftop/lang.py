"""Bilingual text: every sentence a person reads exists in Chinese and in English."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Lang = Literal["zh", "en"]

# Terminal sequences; controls, lone surrogates and what turns the direction of writing.
_SEQUENCE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])")
_UNSEEN = "\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ufffe\uffff\ud800-\udfff"
_CONTROL = re.compile(f"[\x00-\x1f{_UNSEEN}]+")
_CONTROL_IN_LINES = re.compile(f"[\x00-\x08\x0b-\x1f{_UNSEEN}]+")


@dataclass(frozen=True)
class Text:
    """One sentence in both languages.

    Parameters
    ----------
    en, zh : str
        The sentence. Both are complete: neither is a fallback of the other.
    """

    en: str
    zh: str

    def pick(self, lang: Lang) -> str:
        """Return the sentence in `lang`."""
        return self.zh if lang == "zh" else self.en

    def __str__(self) -> str:
        return self.en


def pick(text: Text | str, lang: Lang) -> str:
    """Return `text` in `lang`; a plain string (a name, a path, a number) is the same in both."""
    return text.pick(lang) if isinstance(text, Text) else text


def one_line(text: str, most: int = 500) -> str:
    """Return foreign text (of a file, of another library's error) as one line that can be shown anywhere.

    Parameters
    ----------
    text : str
    most : int
        Characters to keep.
    """
    line = " ".join(_CONTROL.sub(" ", _SEQUENCE.sub("", text)).split())
    return line if len(line) <= most else line[: most - 1] + "…"


def without_controls(text: str) -> str:
    """Return `text` without terminal sequences and control characters; line ends and tabs stay."""
    return _CONTROL_IN_LINES.sub(" ", _SEQUENCE.sub("", text))
