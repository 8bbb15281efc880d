"""When the light of a weather file stands highest: clear days, all days, and the hours of sunrise and sunset."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import pandas as pd
import pvlib

from rooftop.core.types import F8, I8
from rooftop.weather.checks import weather_checks

_GRID_MIN = 5.0
_EDGE_GRID_MIN = 10.0
_MINUTES_PER_DEG = 4.0


@dataclass(frozen=True)
class SunTime:
    """The sun at the declared middles of the hours, quickly, for any shift.

    Parameters
    ----------
    mid_utc : numpy.ndarray
        (8760,) minutes since the beginning of the nominal year, UTC.
    latitude, longitude : float
        [deg].
    """

    mid_utc: F8
    latitude: float
    longitude: float

    def hour_angle(self, shift_min: float) -> F8:
        """Return the hour angle [deg], negative before solar noon, in -180..180."""
        minutes = self.mid_utc + shift_min
        equation = np.asarray(pvlib.solarposition.equation_of_time_spencer71(minutes / 1440.0 + 1.0), dtype=float)
        solar = minutes + _MINUTES_PER_DEG * self.longitude + equation
        return np.mod(solar / _MINUTES_PER_DEG, 360.0) - 180.0

    def sine(self, shift_min: float) -> F8:
        """Return the sine of the sun's elevation, negative below the horizon (Spencer 1971: within 0.1°)."""
        day = np.mod((self.mid_utc + shift_min) / 1440.0, 365.0) + 1.0
        declination = np.asarray(pvlib.solarposition.declination_spencer71(day), dtype=float)
        phi = np.radians(self.latitude)
        cosine = np.cos(np.radians(self.hour_angle(shift_min)))
        return np.asarray(np.sin(phi) * np.sin(declination) + np.cos(phi) * np.cos(declination) * cosine, dtype=float)

    def sin_elevation(self, shift_min: float) -> F8:
        """Return the sine of the sun's elevation, 0 below the horizon."""
        return np.maximum(self.sine(shift_min), 0.0)

    def solar_day(self, shift_min: float) -> I8:
        """Return the number of the solar day of each hour, 0..364."""
        minutes = self.mid_utc + shift_min + _MINUTES_PER_DEG * self.longitude
        return np.mod(np.floor(minutes / 1440.0), 365).astype(np.int64)


@dataclass(frozen=True)
class ClearDays:
    """Days whose light has the shape of a cloudless sky.

    Parameters
    ----------
    day : numpy.ndarray
        (n,) number of the solar day, 0..364.
    late_min : numpy.ndarray
        (n,) by how much each day's light is later than the sun [min].
    """

    day: I8
    late_min: F8


@dataclass(frozen=True)
class Noon:
    """By how much the light of a file is later than the sun at the declared times.

    Parameters
    ----------
    late_min : float
        Median of clear days [min]; NaN without any.
    spread_min : float
        Their spread, as a standard deviation [min].
    n_days, n_months : int
        How many clear days, in how many months.
    all_days_min : float
        Of the light of all days, by its centre [min]: clouds of mornings or afternoons move it.
    edges_min : float
        Of the hours of sunrise and sunset [min], which clouds hardly move; the middle of what fits alike.
    edges_missed, edges_missed_declared : int
        Hours lit in the night or dark by day at that time, and at the declared one.
    """

    late_min: float
    spread_min: float
    n_days: int
    n_months: int
    all_days_min: float
    edges_min: float
    edges_missed: int
    edges_missed_declared: int

    @property
    def steady(self) -> bool:
        """Say whether there are clear days in several months that agree with each other."""
        limits = weather_checks().noon
        return (
            self.n_days >= limits.min_days.value
            and self.n_months >= limits.min_months.value
            and self.spread_min <= limits.max_spread_min.value
        )

    @property
    def clear(self) -> bool:
        """Say whether clear days agree with each other, and with sunrise and sunset."""
        limits = weather_checks().noon
        # Clouds and tilted planes lean clear days away from an unmoved sunrise, never sunrise away from clear days.
        beyond = (self.edges_min - self.late_min) * self.late_min > 0.0
        allowed = (limits.edges_beyond_min if beyond else limits.edges_agree_min).value
        return self.steady and abs(self.edges_min - self.late_min) <= allowed

    @property
    def plain_edges(self) -> bool:
        """Say whether sunrise and sunset alone show another time than the declared one."""
        limits = weather_checks().noon
        return (
            self.edges_missed_declared - self.edges_missed >= limits.edges_alone_hours.value
            and abs(self.edges_min) >= limits.edges_alone_min.value
            and abs(self.edges_min - self.all_days_min) <= limits.edges_doubt_min.value
        )


def light_of(slots: pd.DataFrame, present: dict[str, bool]) -> F8:
    """Return what shows the time: GHI, else DNI + DHI, (8760,) [W/m2], NaN where missing."""
    if present["ghi"]:
        return slots["ghi"].to_numpy(dtype=float)
    return np.asarray(slots["dni"] + slots["dhi"], dtype=float)


def find_noon(light: F8, sun: SunTime) -> tuple[Noon, ClearDays]:
    """Find by how much the light of a year is later than the sun.

    Parameters
    ----------
    light : numpy.ndarray
        (8760,) irradiance [W/m2] at the declared times, NaN where missing.
    sun : SunTime
        The sun at the declared middles.

    Returns
    -------
    Noon
        What clear days, all days, sunrise and sunset say, each on its own.
    ClearDays
        The clear days one by one.
    """
    filled = np.nan_to_num(light)
    centre = float(np.degrees(np.angle((filled * np.exp(1j * np.radians(sun.hour_angle(0.0)))).sum())))
    all_days = _MINUTES_PER_DEG * centre
    days = _clear_days(light, sun, all_days)
    late, spread, n_months = float("nan"), float("nan"), 0
    if len(days.day):
        late = float(np.median(days.late_min))
        spread = spread_min(days.late_min)
        n_months = len(np.unique(days.day // 31))
    edges, missed, declared = _edges(light, sun, all_days)
    return Noon(late, spread, len(days.day), n_months, all_days, edges, missed, declared), days


def spread_min(late_min: F8) -> float:
    """Return the spread of days as a standard deviation, from the median deviation (1.4826 of it if normal)."""
    return float(1.4826 * np.median(np.abs(late_min - np.median(late_min))))


def _clear_days(light: F8, sun: SunTime, around_min: float) -> ClearDays:
    """Fit the clear sky of Haurwitz (1945), free in height and time, to every day; keep those that it fits."""
    limits = weather_checks().noon
    reach = limits.reach_min.value
    shifts = np.round(-around_min / _GRID_MIN) * _GRID_MIN + np.arange(-reach, reach + _GRID_MIN, _GRID_MIN)
    filled, missing = np.nan_to_num(light), np.isnan(light)
    misfit, height, daily = (np.empty((len(shifts), 365)) for _ in range(3))
    for k, shift in enumerate(shifts):
        sine = sun.sin_elevation(shift)
        clear = 1098.0 * sine * np.exp(-0.059 / np.maximum(sine, 0.01))
        day = sun.solar_day(shift)
        energy, both, model = (np.bincount(day, x, 365) for x in (filled * filled, filled * clear, clear * clear))
        misfit[k] = np.sqrt(np.maximum(1.0 - both**2 / np.maximum(energy * model, 1e-9), 0.0))
        height[k] = both / np.maximum(model, 1e-9)
        daily[k] = np.where(np.bincount(day, missing & (clear > 0.0), 365) > 0, 0.0, np.bincount(day, clear, 365))
    best, days = misfit.argmin(axis=0), np.arange(365)
    long_enough = daily[best, days] > limits.min_day_wh_m2.value
    if not long_enough.any():
        return ClearDays(days[:0], np.zeros(0))
    tall = limits.height_share.value * np.quantile(height[best, days][long_enough], 0.95)
    kept = long_enough & (misfit[best, days] < limits.day_misfit.value) & (height[best, days] > tall)
    kept &= (best > 0) & (best < len(shifts) - 1)
    inner = np.clip(best, 1, len(shifts) - 2)
    before, centre, after = (misfit[inner + k, days] for k in (-1, 0, 1))
    vertex = 0.5 * (before - after) / np.maximum(before - 2.0 * centre + after, 1e-12)
    late = -(shifts[inner] + _GRID_MIN * np.clip(vertex, -1.0, 1.0))
    return ClearDays(days[kept], late[kept])


def _edges(light: F8, sun: SunTime, around_min: float) -> tuple[float, int, int]:
    """Count hours lit with the sun down and dark with it up; return the middle of the best times, and the counts."""
    limits = weather_checks().noon
    lit = np.nan_to_num(light) > limits.lit_w_m2.value
    dark = ~lit & np.isfinite(light)
    up, down = np.sin(np.radians(limits.up_deg.value)), np.sin(np.radians(-0.833))

    @cache
    def sine(shift: float) -> F8:
        return sun.sine(shift)

    def n_missed(shift: float) -> int:
        ends = [sine(shift + k) for k in (-30.0, 0.0, 30.0)]
        return int((lit & (np.maximum.reduce(ends) < down)).sum() + (dark & (np.minimum.reduce(ends) > up)).sum())

    shifts = np.round(-around_min / _EDGE_GRID_MIN) * _EDGE_GRID_MIN + np.arange(-180.0, 181.0, _EDGE_GRID_MIN)
    counts = np.array([n_missed(float(s)) for s in shifts])
    alike = shifts[counts <= counts.min() + limits.edges_tolerance_hours.value]
    return -0.5 * float(alike.min() + alike.max()), int(counts.min()), n_missed(0.0)
