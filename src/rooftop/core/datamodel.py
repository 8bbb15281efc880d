"""Bases of the models that YAML files are checked against."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from rooftop.core.lang import Text


def _date(value: Any) -> Any:
    """YAML reads 2021-12-01 as a date and 2021 as an integer."""
    return value if isinstance(value, str) else str(value)


Written = Annotated[str, Field(min_length=1)]
DateText = Annotated[str, BeforeValidator(_date), Field(pattern=r"^(\d{4}(-\d{2}){0,2}|unstated)$")]


class Model(BaseModel):
    """Base of all models of YAML files: frozen, unknown keys fail, numbers are finite."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Sourced(Model):
    """A value with its range and where it comes from."""

    value: float
    low: float | None = None
    high: float | None = None
    source: str


class SourcedCount(Model):
    """A whole number and where it comes from."""

    value: int
    source: str


class SourcedBand(Model):
    """Both ends of what is usual or possible, and where they come from."""

    low: float
    high: float
    source: str


class Label(Model):
    """What a coded value is called, in both languages."""

    zh: str
    en: str

    @property
    def text(self) -> Text:
        """The label as `Text`."""
        return Text(en=self.en, zh=self.zh)

    @property
    def spellings(self) -> tuple[str, str]:
        """The label in either language, for recognising it."""
        return self.zh, self.en


class Note(Label):
    """A sentence in both languages."""

    zh: Written
    en: Written
