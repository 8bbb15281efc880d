"""Tables of the report, ready to print."""

from __future__ import annotations

from dataclasses import dataclass


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
    own: bool = False


@dataclass(frozen=True)
class Row:
    """A row of a table."""

    cells: list[Cell]
    strong: bool = False
    head: str = ""


@dataclass(frozen=True)
class Grid:
    """A table ready to print."""

    heads: list[Head]
    rows: list[Row]
    empty: str = ""
    note: str = ""
    style: str = ""
