"""Tables of the report, ready to print."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from rooftop.core.lang import Lang, Text


@dataclass(frozen=True)
class Head:
    """A column of a table."""

    text: str
    number: bool = False


@dataclass(frozen=True)
class Cell:
    """A cell: text ready to print, and how it looks."""

    text: str
    number: bool = False
    tone: str = ""
    is_default: bool = False


@dataclass(frozen=True)
class Row:
    """A row of a table."""

    cells: list[Cell]
    strong: bool = False
    head: str = ""


@dataclass(frozen=True)
class PrintedTable:
    """A table ready to print."""

    heads: list[Head]
    rows: list[Row]
    empty: str = ""
    note: str = ""
    style: str = ""


@dataclass(frozen=True)
class Block:
    """A table with its title and what to know before reading it."""

    title: str
    lead: str
    grid: PrintedTable


@dataclass(frozen=True)
class Heading:
    """A column before a language is chosen."""

    text: Text
    number: bool = False


def text_column(en: str, zh: str) -> Heading:
    """Return a column of words."""
    return Heading(Text(en, zh))


def number_column(en: str, zh: str) -> Heading:
    """Return a column of numbers: they stand on the right."""
    return Heading(Text(en, zh), True)


def heads(columns: Iterable[Heading], lang: Lang) -> list[Head]:
    """Return columns in a language."""
    return [Head(column.text.pick(lang), column.number) for column in columns]
