"""Floor area of buildings: what the plans call 建筑面积, from footprint and floors."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from rooftop.core.roof_rules import load_roof_rules
from rooftop.core.types import B1, F8
from rooftop.targets.columns import numeric_column
from rooftop.targets.coverage_rules import coverage_rules


@dataclass(frozen=True)
class FloorAreas:
    """Floor area of n buildings.

    Parameters
    ----------
    area_m2 : ndarray, shape (n,)
        Footprint × floors above ground; NaN where neither floors nor height are known.
    footprint_m2 : ndarray, shape (n,)
        In plan.
    assumed : ndarray of bool, shape (n,)
        Floors follow from the height and the storey height of the use.
    """

    area_m2: F8
    footprint_m2: F8
    assumed: B1


def floor_areas(roofs: pd.DataFrame) -> FloorAreas:
    """Return the floor area above ground of every building.

    Parameters
    ----------
    roofs : DataFrame
        `tables.ROOFS`. ``footprint_area_m2`` is what the roof covers in plan; without that column ``gross_area_m2``,
        which lies in the roof plane, is brought to the ground by the pitch of the roof type.

    Returns
    -------
    FloorAreas
        An estimate for comparing stocks with quotas, no surveyed 建筑面积: basements and balconies are not known.
    """
    floors, height = numeric_column(roofs, "floors_above"), numeric_column(roofs, "height_m")
    counted = np.where(floors >= 1.0, floors, np.nan)
    by_height = np.where(height > 0.0, np.maximum(np.round(height / storey_heights(roofs)), 1.0), np.nan)
    assumed = np.isnan(counted)
    footprint = _footprints(roofs)
    return FloorAreas(footprint * np.where(assumed, by_height, counted), footprint, assumed)


def _footprints(roofs: pd.DataFrame) -> F8:
    """Plan area of every roof, m²; planes that were measured need not have the pitch of the roof type."""
    if "footprint_area_m2" in roofs:
        return numeric_column(roofs, "footprint_area_m2")
    types = load_roof_rules().types
    pitch = roofs["roof_type"].map({name: kind.tilt_deg for name, kind in types.items()}).astype(float).fillna(0.0)
    return np.asarray(numeric_column(roofs, "gross_area_m2") * np.cos(np.deg2rad(pitch.to_numpy(dtype=float))))


def storey_heights(roofs: pd.DataFrame) -> F8:
    """Return the usual storey height of every building's use, m."""
    usual = coverage_rules().floor_area.storey_height_m
    heights = roofs["building_use"].map(usual.by_use).astype(float).fillna(usual.value)
    return np.asarray(heights.to_numpy(dtype=float), dtype=np.float64)
