"""Bilingual text: every sentence a person reads exists in Chinese and in English."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Lang = Literal["zh", "en"]


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
