"""Bilingual text: every sentence a person reads exists in Chinese and in English."""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal, get_args

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

    def __add__(self, other: Text | str) -> Text:
        """Return both, one after the other, without anything between."""
        return Text(self.en + pick(other, "en"), self.zh + pick(other, "zh"))

    def format(self, **values: Text | str | float | datetime.date) -> Text:
        """Return the sentence with values in the places of their names, as `str.format`; texts in its language.

        Braces of values are not read: only the sentence itself may hold names.
        """
        values_in = {
            lang: {name: value.pick(lang) if isinstance(value, Text) else value for name, value in values.items()}
            for lang in get_args(Lang)
        }
        return Text(self.en.format(**values_in["en"]), self.zh.format(**values_in["zh"]))

    def capitalised(self) -> Text:
        """Return the sentence as the beginning of a line: English with a capital, Chinese as it is."""
        return Text(self.en[:1].upper() + self.en[1:], self.zh)

    @classmethod
    def both(cls, write: Callable[[Lang], str]) -> Text:
        """Return what `write` gives in each language: amounts whose units differ."""
        return cls(write("en"), write("zh"))

    @classmethod
    def join(cls, parts: Iterable[Text | str], en: str = ", ", zh: str = "、") -> Text:
        """Return the parts as one text, with `en` and `zh` between them."""
        parts = list(parts)
        return cls(en.join(pick(part, "en") for part in parts), zh.join(pick(part, "zh") for part in parts))


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
