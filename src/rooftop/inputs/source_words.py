"""Words and codes of source data, and what they mean (`configs/source_words.yaml`), typed for all readers."""

from __future__ import annotations

from pydantic import Field

from rooftop.config import Datum
from rooftop.core.datamodel import Label, Model
from rooftop.core.resources import load_shipped

Words = tuple[str, ...]


class Nulls(Model):
    """What people write for nothing: in any column, and among numbers, dates and classes."""

    blank: Words
    words: Words


class RoofTypeWords(Model):
    """Parts of words that tell a roof type."""

    contains: Words
    type: str


class StructureKind(Label):
    """One kind of structure: whether load can be judged from it, and its labels."""

    known: bool
    reason: str | None = None
    labels: Words


class StructureWords(Model):
    """Parts of words that tell a structure."""

    contains: Words
    structure: str


class StructureVocabulary(Model):
    """Structures: codes, labels, and parts of longer texts; the first part found decides."""

    source: str
    codes: dict[str, str]
    noise: Words
    negations: Words
    kinds: dict[str, StructureKind]
    parts: tuple[StructureWords, ...]


class FloorWords(Model):
    """How floors are written."""

    source: str
    units: Words
    before: Words
    above: Words
    below: Words
    attics: Words
    half: str
    or_more: Words
    or_less: Words
    words: dict[str, int]


class Joins(Model):
    """What stands between two numbers: a range, or one of the two."""

    range: Words
    either: Words


class DateWords(Model):
    """Years and dates that are not one, and buildings that do not stand yet."""

    before: Words
    after: Words
    decades: Words
    eras: Words
    decade_names: Words
    not_completed: Words


class UseHint(Model):
    """Parts of words that suggest a use."""

    contains: Words
    use: str


class DatumName(Model):
    """Parts of a file name that tell the datum."""

    contains: Words
    datum: Datum


class SourceWords(Model):
    """Typed view of `configs/source_words.yaml`."""

    source: str
    date: object
    nulls: Nulls
    yes: Words
    no: Words
    unknown: Words
    roof_types: tuple[RoofTypeWords, ...]
    structures: StructureVocabulary
    floors: FloorWords
    lengths: dict[str, float] = Field(description="metres to one unit")
    length_names: Words
    about: Words
    joins: Joins
    dates: DateWords
    fields: dict[str, Words]
    never: Words
    use_hints: tuple[UseHint, ...]
    datum_names: tuple[DatumName, ...]


def source_words() -> SourceWords:
    """Return the shipped words."""
    return load_shipped(SourceWords, "source_words.yaml")
