"""The sun that rows are spaced for: from which hour to which, and on which days, they do not shade each other."""

from __future__ import annotations

import datetime
import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from rooftop.core.roof_rules import load_roof_rules
from rooftop.core.types import F8

OBLIQUITY_DEG = 23.45
_DEG_PER_HOUR = 15.0
_STEPS = 73
_SPRING_DAY, _HALF_YEAR_DAYS = 81, 182.5
_DAYS_PER_DEG = 365.0 / 360.0
_FIRST_OF_YEAR = datetime.date(2001, 1, 1)


@dataclass(frozen=True)
class DesignSun:
    """Hours and days on which rows are clear of each other's shade.

    Both hemispheres are one in it: the latitude counts from the equator, and winter is winter.

    Parameters
    ----------
    latitude_deg : float
        North positive.
    first_hour, last_hour : float
        True solar time.
    winter_declination_deg : float
        Of the lowest sun that counts; -23.45 is midwinter.
    """

    latitude_deg: float
    first_hour: float
    last_hour: float
    winter_declination_deg: float

    @property
    def all_year(self) -> bool:
        """Whether midwinter counts, and so every day."""
        return self.winter_declination_deg <= -OBLIQUITY_DEG

    @property
    def elevation_deg(self) -> float:
        """The lowest sun that counts, degrees above the horizon."""
        return math.degrees(math.asin(float(self._directions(self.winter_declination_deg)[2].min())))

    def days(self) -> tuple[datetime.date, datetime.date]:
        """Return the first and the last day that counts, of a year of 365 days.

        Day of year and declination by Cooper (1969), Solar Energy 12(3), doi:10.1016/0038-092X(69)90047-4.
        """
        share = max(-1.0, min(1.0, self.winter_declination_deg / OBLIQUITY_DEG))
        from_equinox = math.degrees(math.asin(share)) * _DAYS_PER_DEG
        first = _SPRING_DAY + from_equinox + (0.0 if self.latitude_deg >= 0.0 else _HALF_YEAR_DAYS)
        last = first + _HALF_YEAR_DAYS - 2.0 * from_equinox
        return _date(math.ceil(first)), _date(math.floor(last))

    def shadow_ratio(self, row_azimuth_deg: float) -> float:
        """Return the longest shadow per metre of height, across rows that look to an azimuth [deg].

        In winter for rows that look to the equator; rows that look to the pole have their longest in midsummer, where
        the sun comes to their side.
        """
        # Seen in a mirror the south is the north: there the equator lies at 180° for both.
        seen = row_azimuth_deg if self.latitude_deg >= 0.0 else 180.0 - row_azimuth_deg
        facing, longest = math.radians(seen), 0.0
        for declination in (self.winter_declination_deg, OBLIQUITY_DEG):
            equator, west, up = self._directions(declination)
            across = (-equator * math.cos(facing) - west * math.sin(facing)) / up
            longest = max(longest, float(across.max()))
        return longest

    def _directions(self, declination_deg: float) -> tuple[F8, F8, F8]:
        """Return the sun's direction in those hours: to the equator, to the west, up; each (n,)."""
        phi, delta = math.radians(abs(self.latitude_deg)), math.radians(declination_deg)
        hours = np.linspace(self.first_hour - 12.0, self.last_hour - 12.0, _STEPS)
        hour_angle = np.radians(hours * _DEG_PER_HOUR)
        up = math.sin(phi) * math.sin(delta) + math.cos(phi) * math.cos(delta) * np.cos(hour_angle)
        equator = math.sin(phi) * math.cos(delta) * np.cos(hour_angle) - math.cos(phi) * math.sin(delta)
        return equator, math.cos(delta) * np.sin(hour_angle), up


@lru_cache(maxsize=4096)
def design_sun(latitude_deg: float) -> DesignSun:
    """Return the sun that rows are spaced for at a latitude [deg], north positive.

    That of midwinter, from 9:00 to 15:00 true solar time (GB 50797); where it is then lower than ``least_sun_deg`` of
    `configs/roof_types.yaml`, that of the days on which it is not. It changes with latitude without a jump, and has an
    answer everywhere.
    """
    rule = load_roof_rules().row_pitch
    first, last = rule.hours
    widest = math.radians(max(12.0 - first, last - 12.0) * _DEG_PER_HOUR)
    phi, least = math.radians(abs(latitude_deg)), math.sin(math.radians(rule.least_sun_deg))
    # sin(elevation) = sin(phi) sin(delta) + cos(phi) cos(widest) cos(delta), solved for delta.
    rise, run = math.sin(phi), math.cos(phi) * math.cos(widest)
    needed = math.degrees(math.asin(min(least / math.hypot(rise, run), 1.0)) - math.atan2(run, rise))
    return DesignSun(latitude_deg, first, last, max(needed, -OBLIQUITY_DEG))


def _date(day_of_year: int) -> datetime.date:
    return _FIRST_OF_YEAR + datetime.timedelta(days=(day_of_year - 1) % 365)
