"""How point clouds become elevation grids (`configs/lidar.yaml`)."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from rooftop.core.datamodel import Model, Sourced, SourcedCount
from rooftop.core.resources import load_shipped


class PointClasses(Model):
    """Classes of points, as ASPRS numbers them."""

    value: tuple[int, ...]
    source: str


class CellSizes(Model):
    """Sides of cells that are tried [m]."""

    value: Annotated[tuple[float, ...], Field(min_length=1)]
    source: str


class LidarRules(Model):
    """Typed view of `configs/lidar.yaml`."""

    source: str
    date: object
    noise_classes: PointClasses
    overlap_class: SourcedCount
    ground_classes: PointClasses
    cell_sizes_m: CellSizes
    points_per_cell: Sourced
    spike_m: Sourced
    gap_m: Sourced
    ground_gap_m: Sourced


def lidar_rules() -> LidarRules:
    """Return the shipped rules."""
    return load_shipped(LidarRules, "lidar.yaml")
