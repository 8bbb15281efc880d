"""What input files may be (`configs/input_files.yaml`): sizes and formats, typed for all readers."""

from __future__ import annotations

from rooftop.core.datamodel import Model
from rooftop.core.resources import load_shipped


class Most(Model):
    """The most there may be."""

    max: float
    source: str


class MostRows(Model):
    """The most rows there may be."""

    max: int
    source: str


class InputFiles(Model):
    """Typed view of `configs/input_files.yaml`."""

    source: str
    date: object
    unpacked_mb: Most
    table_rows: MostRows
    rows_per_byte: Most
    raster_drivers: tuple[str, ...]
    vector_drivers: tuple[str, ...]
    vrt_elements: tuple[str, ...]


def input_files() -> InputFiles:
    """Return the shipped limits."""
    return load_shipped(InputFiles, "input_files.yaml")
