"""Where the roofs lie, and what follows for modules on them: direction, room between rows, designs of flat roofs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rooftop.config import Config
from rooftop.core.notices import Notice
from rooftop.core.roof_rules import RoofRules
from rooftop.core.types import F8
from rooftop.job.light import TableBook
from rooftop.job.record import TiltTrial
from rooftop.scene.array import ArrayDesign
from rooftop.scene.equator import SideRules, Sides, side_rules
from rooftop.scene.layout import flat_design, rack_plane
from rooftop.scene.loss_notices import loss_notices
from rooftop.scene.row_notices import poleward_notice, row_notices
from rooftop.scene.rows import SpecificYield
from rooftop.solar.energy import ModulePlane, plane_year
from rooftop.solar.pvsystem import PvSystem

_RIGHT_ANGLE_DEG = 90.0


@dataclass(frozen=True)
class Siting:
    """What holds for modules where the roofs lie.

    Parameters
    ----------
    sides : Sides
        Of the equator.
    rules : tuple of SideRules
        One per side.
    on_flat : tuple of ArrayDesign
        Of the density layout on flat roofs, one per side.
    tilt_trials : tuple of TiltTrial
        Of the first side; empty where no tilt was to be chosen.
    free_yield : callable
        kWh per kWp and year of an orientation that nothing shades.
    notices : tuple of Notice
    """

    sides: Sides
    rules: tuple[SideRules, ...]
    on_flat: tuple[ArrayDesign, ...]
    tilt_trials: tuple[TiltTrial, ...]
    free_yield: SpecificYield
    notices: tuple[Notice, ...]


def site_modules(
    config: Config, system: PvSystem, rules: RoofRules, sides: Sides, book: TableBook, factor: F8
) -> Siting:
    """Find what holds on each side of the equator on which roofs lie.

    Parameters
    ----------
    factor : (12,) float
        Irradiance factor of each month, mean of the data set.
    """
    flat, free = config.system.flat, free_yield(config, book, factor)
    chosen = [choose_flat_design(config, system, rules, latitude, free) for latitude in sides.latitude_deg]
    on_flat = tuple(design for design, _ in chosen)
    by_side = side_rules(flat, sides, rules.poleward)
    notices = [*loss_notices(config.system.losses), *row_notices(by_side, sides, flat.mounting)]
    for k, (side, design) in enumerate(zip(by_side, on_flat, strict=True)):
        loss = _poleward_loss(config, system, rules, side, design, free)
        if loss >= rules.poleward.notable_loss:
            notices.append(poleward_notice(side, design.module_tilt_deg, loss, int((sides.of_roof == k).sum())))
    return Siting(sides, by_side, on_flat, chosen[0][1], free, tuple(notices))


def choose_flat_design(
    config: Config, system: PvSystem, rules: RoofRules, latitude_deg: float, specific_yield: SpecificYield
) -> tuple[ArrayDesign, tuple[TiltTrial, ...]]:
    """Return the design of flat roofs; with tilt ``auto``, the one that gives most kWh per square metre of array."""
    flat = config.system.flat
    module_kwp = system.module.pdc0_w / 1000.0
    if flat.mounting != "rack" or flat.tilt_deg != "auto":
        tilt = 0.0 if flat.tilt_deg == "auto" else float(flat.tilt_deg)
        return flat_design(flat, system.module, rules, latitude_deg, tilt), ()
    designs = [flat_design(flat, system.module, rules, latitude_deg, tilt) for tilt in rules.auto_tilt_deg.candidates]
    trials = tuple(
        TiltTrial(
            design.module_tilt_deg,
            module_kwp / design.unit_area_m2,
            specific_yield(rack_plane(design, design.module_azimuth_deg)),
        )
        for design in designs
    )
    best = int(np.argmax([trial.kwh_per_m2 for trial in trials]))
    return designs[best], trials


def free_yield(config: Config, book: TableBook, factor: F8) -> SpecificYield:
    """Return kWh per kWp and year of an orientation that nothing shades, at the data set's mean irradiance."""
    free = np.zeros((1, config.scene.azimuths), dtype=np.float32)

    def of_plane(plane: ModulePlane) -> float:
        year = plane_year(book.tables(plane), free, np.zeros(1, dtype=np.int64), 1, factor[None, :])
        return float(year.ac_kwh_kwp.sum())

    return of_plane


def _poleward_loss(
    config: Config, system: PvSystem, rules: RoofRules, side: SideRules, design: ArrayDesign, free: SpecificYield
) -> float:
    """Return what racks that look to the pole lose per kWp against the same to the equator; 0 for all others."""
    if design.mounting != "rack" or side.from_equator_deg <= _RIGHT_ANGLE_DEG:
        return 0.0
    towards = config.system.flat.model_copy(update={"azimuth_deg": "auto"})
    sunny = flat_design(towards, system.module, rules, side.latitude_deg, design.module_tilt_deg)
    poleward_yield, equator_yield = (free(rack_plane(each, each.module_azimuth_deg)) for each in (design, sunny))
    return 1.0 - poleward_yield / equator_yield
