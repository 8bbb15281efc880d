"""What a cloudless sky gives: nominal year, sun through the hours, clear-sky irradiance, monthly bounds."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pandas as pd
import pvlib

from rooftop.core.types import F8, I8
from rooftop.weather.synthetic_rules import synthetic_rules

HOURS = 8760
DAYS_IN_MONTH: I8 = np.array([31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])


def utc_offset_hours(latitude: float, longitude: float) -> int:
    """Return a fixed UTC offset for a place: Beijing time in and around China, solar zones elsewhere.

    Parameters
    ----------
    latitude, longitude : float
        [deg].

    Returns
    -------
    int
        Hours east of Greenwich. No place's energy depends on it: months and days break at night.
    """
    if 73.5 <= longitude <= 135.1 and 18.0 <= latitude <= 53.6:
        return 8
    return int(np.floor(longitude / 15.0 + 0.5))


def fixed_offset(hours: float) -> str:
    """Return a pandas time zone of fixed offset, e.g. ``UTC+08:00``."""
    minutes = round(hours * 60)
    sign = "+" if minutes >= 0 else "-"
    return f"UTC{sign}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}"


def nominal_index(utc_offset_h: float, minute: float = 30.0) -> pd.DatetimeIndex:
    """Return the middles of the 8760 hours of the nominal year.

    Parameters
    ----------
    utc_offset_h : float
        Fixed offset [h].
    minute : float
        Minute of the hour that is the middle of each interval.
    """
    start = pd.Timestamp(f"{synthetic_rules().nominal_year}-01-01") + pd.Timedelta(seconds=round(minute * 60))
    return pd.date_range(start, periods=HOURS, freq="h", tz=fixed_offset(utc_offset_h))


@dataclass(frozen=True)
class ClearSky:
    """Hourly means of a cloudless sky.

    Parameters
    ----------
    ghi, dni : numpy.ndarray
        (8760,) [W/m2].
    """

    ghi: F8
    dni: F8


def sun_elevation(index: pd.DatetimeIndex, latitude: float, longitude: float, altitude: float = 0.0) -> F8:
    """Return the true (unrefracted) elevation of the sun's centre [deg] at each time."""
    sun = pvlib.solarposition.get_solarposition(index, latitude, longitude, altitude)
    return np.asarray(sun["elevation"], dtype=float)


def clear_sky_hours(
    index: pd.DatetimeIndex, latitude: float, longitude: float, altitude: float, linke_turbidity: float | None = None
) -> ClearSky:
    """Mean clear-sky irradiance of each hour, suns every ten minutes.

    Parameters
    ----------
    index : pandas.DatetimeIndex
        (n,) middles of hours, time-zone aware.
    latitude, longitude : float
        [deg].
    altitude : float
        [m].
    linke_turbidity : float, optional
        Linke turbidity; pvlib's monthly climatology of the place when None.

    Returns
    -------
    ClearSky
        ``ghi`` and ``dni``, (n,) [W/m2].

    Notes
    -----
    Ineichen & Perez (2002), doi:10.1016/S0038-092X(02)00045-2, as in `pvlib.clearsky.ineichen`.
    """
    return clear_skies(index, latitude, longitude, altitude, (linke_turbidity,))[0]


def clear_skies(
    index: pd.DatetimeIndex,
    latitude: float,
    longitude: float,
    altitude: float,
    turbidities: tuple[float | None, ...],
) -> tuple[ClearSky, ...]:
    """Return `clear_sky_hours` for several turbidities at once; the suns, which cost most, are computed once."""
    sky = _skies_at(_Times(index), latitude, longitude, altitude, turbidities)
    return tuple(ClearSky(ghi=one.ghi.copy(), dni=one.dni.copy()) for one in sky)


def split_ghi(ghi: F8, index: pd.DatetimeIndex, place: tuple[float, float, float], elevation: F8) -> tuple[F8, F8]:
    """Split GHI into DNI and DHI.

    Parameters
    ----------
    ghi : numpy.ndarray
        (n,) [W/m2].
    index : pandas.DatetimeIndex
        (n,) middles of hours, time-zone aware.
    place : tuple of float
        Latitude, longitude [deg], altitude [m].
    elevation : numpy.ndarray
        (n,) true elevation of the sun at mid-interval [deg].

    Returns
    -------
    dni, dhi : numpy.ndarray
        (n,) [W/m2]: Erbs, Klein & Duffie (1982), doi:10.1016/0038-092X(82)90302-4, beam never above that of a clean
        clear sky; closes GHI = DNI·cos z + DHI.
    """
    bound = synthetic_rules().clear_sky.bound_turbidity.value
    most = clear_sky_hours(index, *place, bound).dni
    parts = pvlib.irradiance.erbs(ghi, 90.0 - elevation, np.asarray(index.day_of_year))
    dni = np.minimum(np.nan_to_num(np.asarray(parts["dni"], dtype=float)), most)
    sin_h = np.maximum(np.sin(np.radians(elevation)), 0.0)
    return dni, np.maximum(ghi - dni * sin_h, 0.0)


@dataclass(frozen=True, eq=False)
class _Times:
    """An index that compares and hashes by its instants, so that results for it can be kept."""

    index: pd.DatetimeIndex

    def __hash__(self) -> int:
        return hash((self.index.asi8.tobytes(), str(self.index.tz)))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, _Times) or str(self.index.tz) != str(other.index.tz):
            return False
        return bool(self.index.equals(other.index))


@lru_cache(maxsize=8)
def _skies_at(
    times: _Times, latitude: float, longitude: float, altitude: float, turbidities: tuple[float | None, ...]
) -> tuple[ClearSky, ...]:
    index = times.index
    steps = synthetic_rules().clear_sky.sub_steps.value
    extra = np.asarray(pvlib.irradiance.get_extra_radiation(index.day_of_year), dtype=float)
    pressure = pvlib.atmosphere.alt2pres(altitude)
    linke = [_climatology(index, latitude, longitude) if t is None else t for t in turbidities]
    ghi, dni = (np.zeros((len(turbidities), len(index))) for _ in range(2))
    for step in range(steps):
        moved = index + pd.Timedelta(minutes=(step + 0.5) * 60.0 / steps - 30.0)
        sun = pvlib.solarposition.get_solarposition(moved, latitude, longitude, altitude)
        zenith = np.asarray(sun["apparent_zenith"], dtype=float)
        airmass = pvlib.atmosphere.get_absolute_airmass(pvlib.atmosphere.get_relative_airmass(zenith), pressure)
        for k, turbidity in enumerate(linke):
            with np.errstate(divide="ignore", invalid="ignore"):
                sky = pvlib.clearsky.ineichen(zenith, airmass, turbidity, altitude=altitude, dni_extra=extra)
            ghi[k] += np.nan_to_num(np.asarray(sky["ghi"], dtype=float))
            dni[k] += np.nan_to_num(np.asarray(sky["dni"], dtype=float))
    return tuple(ClearSky(ghi=g / steps, dni=d / steps) for g, d in zip(ghi, dni, strict=True))


def _climatology(index: pd.DatetimeIndex, latitude: float, longitude: float) -> F8:
    """Return pvlib's monthly Linke turbidity, linear between the middles of months."""
    mid_months = pd.date_range(f"{index[0].year}-01-01", periods=12, freq="MS") + pd.Timedelta(days=14)
    months = pvlib.clearsky.lookup_linke_turbidity(mid_months, latitude, longitude, interp_turbidity=False)
    middle = np.cumsum(DAYS_IN_MONTH) - DAYS_IN_MONTH / 2.0
    return np.interp(np.asarray(index.day_of_year) - 0.5, middle, np.asarray(months, dtype=float), period=365.0)


def sum_by_month(values: F8, index: pd.DatetimeIndex) -> F8:
    """Sum hourly values [W/m2] to months [kWh/m2], (12,)."""
    return np.bincount(index.month - 1, weights=values, minlength=12) / 1000.0


@lru_cache(maxsize=512)
def _bound_months(latitude: float, altitude: float, linke_turbidity: float) -> tuple[float, ...]:
    """Sum clear days by month: every fifth day computed, the others between them."""
    index = nominal_index(0.0)
    computed = index[(np.asarray(index.day_of_year) - 1) % 5 == 2]
    sky = clear_sky_hours(computed, latitude, 0.0, altitude, linke_turbidity)
    day = np.asarray(computed.day_of_year)[::24]
    daily = np.interp(np.arange(1, 366), day, sky.ghi.reshape(-1, 24).sum(axis=1) / 1000.0, period=365.0)
    return tuple(float(x) for x in np.bincount(np.repeat(np.arange(12), DAYS_IN_MONTH), weights=daily))


def clear_sky_bound(latitude: float, altitude: float) -> F8:
    """Return the most GHI a month can give: the clean, dry, cloudless sky [kWh/m2], (12,).

    Parameters
    ----------
    latitude : float
        [deg], rounded to 0.25°.
    altitude : float
        [m], rounded to 100 m.
    """
    turbidity = synthetic_rules().clear_sky.bound_turbidity.value
    return np.array(_bound_months(round(latitude * 4) / 4, round(max(altitude, 0.0), -2), turbidity))


def place_altitude(latitude: float, longitude: float) -> float:
    """Return the altitude [m] of a place from pvlib's coarse world map, never below 0."""
    return max(0.0, float(pvlib.location.lookup_altitude(latitude, longitude)))


def fill_to_total(values: F8, cap: F8, total: float) -> tuple[F8, float]:
    """Scale non-negative values to a total without exceeding a cap; what is cut off goes to the others.

    Parameters
    ----------
    values, cap : numpy.ndarray
        (n,) shape and upper limit, same unit.
    total : float
        Wanted sum, at most ``cap.sum()``.

    Returns
    -------
    filled : numpy.ndarray
        (n,), sums to `total` (to rounding) where the cap allows it.
    moved : float
        What had to move: the excess over the cap that plain scaling would have had.
    """
    if total <= 0.0 or not values.any():
        return np.zeros_like(values), 0.0
    scale = total / values.sum()
    moved = float(np.maximum(values * scale - cap, 0.0).sum())
    capped = np.zeros(len(values), dtype=bool)
    while True:
        filled = np.where(capped, cap, values * scale)
        exceeds = ~capped & (filled > cap)
        if not exceeds.any():
            return filled, moved
        capped |= exceeds
        free = values[~capped].sum()
        if free <= 0.0:
            return np.where(values > 0.0, cap, 0.0), moved
        scale = (total - cap[capped].sum()) / free
