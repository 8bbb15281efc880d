"""Typed view of `configs/roof_planes.yaml`: how planes are found, what counts as an obstacle, what walkways take."""

from __future__ import annotations

from rooftop.core.datamodel import Model, Sourced
from rooftop.core.resources import load_shipped


class SegmentationRules(Model):
    """How the cells of a roof become planes."""

    min_plane_m2: Sourced
    min_noise_m: Sourced
    max_normal_deg: Sourced
    apart_m: Sourced
    simplify_m: Sourced
    seen_from_share: Sourced
    measured_from_share: Sourced


class ObstacleRules(Model):
    """What stands on a plane and how far modules stay away."""

    min_height_m: Sourced
    noise_factor: Sourced
    agree_from_share: Sourced
    min_area_m2: Sourced
    clearance_m: Sourced
    clearance_per_height: Sourced
    most_off_share: Sourced


class ZoneRules(Model):
    """What is left of a plane for modules, beyond the setback of `configs/roof_types.yaml`."""

    ridge_setback_m: Sourced
    touch_m: Sourced
    level_m: Sourced
    walkway_m: Sourced
    walkway_every_m: Sourced
    max_tilt_deg: Sourced


class RaisedBlockRules(Model):
    """When a plane is the roof of a stair head or a lift room that stands on the roof."""

    min_rise_m: Sourced
    max_rise_m: Sourced
    max_area_m2: Sourced
    max_roof_share: Sourced
    min_border_share: Sourced
    host_below_deg: Sourced


class PlaneRules(Model):
    """All rules about planes, obstacles and zones."""

    source: str
    date: object
    segmentation: SegmentationRules
    obstacles: ObstacleRules
    zones: ZoneRules
    raised_blocks: RaisedBlockRules


def load_plane_rules() -> PlaneRules:
    """Load and check the shipped rules."""
    return load_shipped(PlaneRules, "roof_planes.yaml")
