"""Roofs where data say nothing: types, shares, setbacks (`configs/roof_types.yaml`), typed for all who read them."""

from __future__ import annotations

from functools import cache
from typing import Annotated, Literal

from pydantic import Field

from rooftop.config import Share
from rooftop.core.choices import RoofMounting
from rooftop.core.datamodel import Label, Model, Sourced
from rooftop.core.lang import Lang, Text
from rooftop.core.resources import load_shipped


class Poleward(Model):
    """Which planes face the pole so much that they stay empty, and when racks that do are warned of."""

    within_deg: float
    min_tilt_deg: float
    as_at_latitude_deg: float
    notable_loss: Share
    source: dict[Lang, str]


class RowPitch(Model):
    """When rows are clear of each other's shade: hours of true solar time, and the least sun at these hours."""

    hours: tuple[float, float]
    least_sun_deg: float
    source: dict[Lang, str]
    least_sun_source: dict[Lang, str]


class ModelledRoofs(Model):
    """How surfaces of a roof model become planes of roofs."""

    planar_within_m: float
    coplanar_within_deg: float
    coplanar_within_m: float
    whole_from_share: Share
    modelled_from_share: Share
    min_area_m2: float
    height_m: tuple[float, float]
    source: str


class Highrise(Model):
    """From where on a block of flats has the roof of a high-rise."""

    min_floors: int
    min_height_m: float
    source: str


class AutoTilt(Model):
    """Tilts tried when the configuration says ``auto``."""

    candidates: Annotated[list[float], Field(min_length=1)]
    source: str


class RoofType(Label):
    """Assumptions of one roof type; shares are of the area left by the step before."""

    plane: Literal["flat", "gable"]
    tilt_deg: float
    obstacle_share: Share
    obstacle_share_low: Share
    obstacle_share_high: Share
    layout_share: Share
    added_load_kn_m2: tuple[float, float]


class LowerEdges(Model):
    """How high the lower edge of a module stands above the roof, by mounting."""

    rack: Sourced
    east_west: Sourced
    flush: Sourced

    def of(self, mounting: RoofMounting) -> float:
        """Return the height [m]."""
        return {"rack": self.rack, "east_west": self.east_west, "flush": self.flush}[mounting].value


class HouseSlopes(Model):
    """What holds on the slopes of low houses instead of the setback and the patch of other roofs."""

    from_deg: Sourced
    up_to_height_m: Sourced
    setback_m: Sourced
    min_patch_m2: Sourced


class RoofRules(Model):
    """All assumptions about roofs."""

    source: str
    date: object
    setback_m: Sourced
    min_patch_m2: Sourced
    house_slopes: HouseSlopes
    min_footprint_m2: Sourced
    min_roof_height_m: Sourced
    max_shading_loss: Sourced
    module_gap_m: Sourced
    east_west_tilt_deg: Sourced
    east_west_gap_m: Sourced
    lower_edge_m: LowerEdges
    flat_below_deg: Sourced
    lod2: ModelledRoofs
    poleward: Poleward
    row_pitch: RowPitch
    highrise: Highrise
    auto_tilt_deg: AutoTilt
    types: dict[str, RoofType]


def load_roof_rules() -> RoofRules:
    """Return the shipped rules."""
    return load_shipped(RoofRules, "roof_types.yaml")


@cache
def roof_type_labels() -> dict[str, Text]:
    """Return what the types of roofs are called."""
    return {name: kind.text for name, kind in load_roof_rules().types.items()}
