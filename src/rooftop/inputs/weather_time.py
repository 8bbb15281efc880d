"""When the rows of a weather file are: its own light and closure, weighed against the declared times."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from rooftop.core.types import F8
from rooftop.inputs.weather_noon import Noon, SunTime
from rooftop.weather.checks import weather_checks

Basis = Literal["declared", "closure", "clear days", "sunrise"]


@dataclass(frozen=True)
class Closure:
    """How well GHI = DNI·cos z + DHI holds with the sun at several times.

    Parameters
    ----------
    rms_declared, rms_best : float
        Over hours with GHI, at the declared and at the best time [W/m2].
    shift_min : float
        Best shift of the file's times [min].
    beam_horizontal, beam : numpy.ndarray
        (n,) GHI - DHI and DNI of the hours with light [W/m2].
    sun : SunTime
        The sun at those hours.
    """

    rms_declared: float
    rms_best: float
    shift_min: float
    beam_horizontal: F8
    beam: F8
    sun: SunTime

    def rms(self, shift_min: float) -> float:
        """Return the closure with the file's times shifted [W/m2]."""
        return float(np.sqrt(((self.beam_horizontal - self.beam * self.sun.sin_elevation(shift_min)) ** 2).mean()))

    def better_than(self, shift_min: float) -> bool:
        """Say whether the best time closes much better than a shift."""
        limits, other = weather_checks().closure, self.rms(shift_min)
        return (
            other - self.rms_best >= limits.adopt_gain_w_m2.value and self.rms_best <= other * limits.adopt_ratio.value
        )


@dataclass(frozen=True)
class TimeFit:
    """What a file's times are taken for.

    Parameters
    ----------
    noon : Noon
        What its light says.
    closure : Closure or None
        What closure says; None where a component is absent.
    shift_min : float
        The file's times are moved by this [min].
    basis : {"declared", "closure", "clear days", "sunrise"}
        What decided.
    components_elsewhere : bool
        DNI and DHI fit a sun at another time than GHI, or none.
    doubt_min : float
        A further shift that the evidence does not exclude [min]; 0 for none.
    rms_final, bias_final : float
        Closure of the finished year [W/m2].
    """

    noon: Noon
    closure: Closure | None
    shift_min: float
    basis: Basis
    components_elsewhere: bool
    doubt_min: float
    rms_final: float = float("nan")
    bias_final: float = float("nan")


def fit_closure(slots: pd.DataFrame, present: dict[str, bool], sun: SunTime) -> Closure | None:
    """Find the shift of the file's times at which GHI = DNI·cos z + DHI closes best.

    Parameters
    ----------
    slots : pandas.DataFrame
        8760 hours as declared, NaN where missing.
    present : dict
        Columns that exist.
    sun : SunTime
        The sun at the declared middles.
    """
    if not all(present[n] for n in ("ghi", "dni", "dhi")):
        return None
    limits = weather_checks().closure
    parts = slots[["ghi", "dni", "dhi"]].to_numpy(dtype=float)
    rows = np.isfinite(parts).all(axis=1) & (parts[:, 0] > 0.0)
    if not rows.any():
        return None
    sun_of_rows = SunTime(sun.mid_utc[rows], sun.latitude, sun.longitude)
    at = Closure(float("nan"), float("nan"), 0.0, parts[rows, 0] - parts[rows, 2], parts[rows, 1], sun_of_rows)
    coarse, fine = limits.coarse_step_min.value, limits.fine_step_min.value
    around = min(np.arange(-720.0, 720.0, coarse), key=lambda s: (at.rms(s), abs(s)))
    best = float(min(around + np.arange(-coarse, coarse + fine / 2, fine), key=lambda s: (at.rms(s), abs(s))))
    return Closure(at.rms(0.0), at.rms(best), best, at.beam_horizontal, at.beam, sun_of_rows)


def decide_time(noon: Noon, closure: Closure | None) -> TimeFit:
    """Decide by how much a file's times are moved.

    Parameters
    ----------
    noon : Noon
        What the light says, at the declared times.
    closure : Closure or None
        What closure says.

    Returns
    -------
    TimeFit
        Clear days of GHI say when GHI is; closure says where the sun was when DNI and DHI were made. Where both agree
        closure gives the minute; where they do not, clear days decide, and DNI and DHI belong to another time. Without
        clear days closure decides where the light of all days does not contradict it, else sunrise and sunset where
        they are plain.
    """
    limits = weather_checks().noon
    notable = limits.notable_min.value
    moves = closure is not None and closure.better_than(0.0)
    by_closure = closure.shift_min if closure is not None else 0.0
    shift: float = 0.0
    basis: Basis = "declared"
    if noon.clear:
        if moves and abs(by_closure + noon.late_min) <= notable:
            shift, basis = by_closure, "closure"
        elif abs(noon.late_min) >= notable:
            shift, basis = _convention(-noon.late_min), "clear days"
    elif moves and abs(by_closure + noon.all_days_min) <= abs(noon.all_days_min) + notable:
        shift, basis = by_closure, "closure"
    elif noon.plain_edges:
        shift, basis = _convention(-noon.edges_min), "sunrise"
    elsewhere = closure is not None and (
        (abs(closure.shift_min - shift) >= notable and closure.better_than(shift))
        or closure.rms(shift) > weather_checks().closure.apart_w_m2.value
    )
    return TimeFit(noon, closure, shift, basis, elsewhere, _doubt(noon, closure, shift))


def _convention(shift_min: float) -> float:
    """Round to the multiple of half an hour where it is close, else to five minutes."""
    limits = weather_checks().noon
    step = limits.snap_min.value
    near = step * round(shift_min / step)
    if abs(near - shift_min) <= limits.snap_within_min.value:
        return float(near)
    return 5.0 * round(shift_min / 5.0)


def _doubt(noon: Noon, closure: Closure | None, shift_min: float) -> float:
    """Return the further shift that some evidence still asks for, 0 where none does."""
    limits = weather_checks().noon
    remaining_min = -noon.late_min - shift_min
    if noon.steady:
        return remaining_min if abs(remaining_min) >= limits.doubt_min.value else 0.0
    if closure is not None and closure.better_than(shift_min):
        return closure.shift_min - shift_min
    remaining_min = -noon.edges_min - shift_min
    return remaining_min if abs(remaining_min) >= limits.edges_doubt_min.value else 0.0
