"""Words by which names of natural persons are told from those of institutions (`configs/personal_names.yaml`)."""

from __future__ import annotations

from rooftop.core.datamodel import Model
from rooftop.core.resources import load_shipped

Words = tuple[str, ...]


class OwnerTypes(Model):
    """Words in the type of an owner."""

    institution: Words
    person: Words


class Institutions(Model):
    """Words in the name of an institution or a firm."""

    contains: tuple[Words, ...]
    endings: dict[int, Words]
    words: Words
    known: Words


class Surnames(Model):
    """Surnames: single characters, the common ones apart, and compound ones."""

    common: str
    rest: str
    compound: Words


class PersonalNames(Model):
    """Typed view of `configs/personal_names.yaml`."""

    source: str
    date: object
    owner_types: OwnerTypes
    homes: Words
    institutions: Institutions
    labels: Words
    behind: Words
    home_words: Words
    address_tokens: Words
    not_names: tuple[Words, ...]
    place_endings: Words
    hidden: Words
    surnames: Surnames


def personal_names() -> PersonalNames:
    """Return the shipped words."""
    return load_shipped(PersonalNames, "personal_names.yaml")
