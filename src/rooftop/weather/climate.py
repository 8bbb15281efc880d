"""Mean air temperature of a place by month, from the normals of the places around it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from rooftop.core.lang import Text
from rooftop.core.notices import Notice
from rooftop.core.types import B1, F8
from rooftop.weather.clear_sky import DAYS_IN_MONTH, place_altitude
from rooftop.weather.temperature_rules import air_temperature_rules

_EARTH_RADIUS_KM = 6371.0


@dataclass(frozen=True, kw_only=True)
class Normals:
    """Places whose mean air temperature is known.

    Parameters
    ----------
    name : tuple of str
        (n,).
    latitude, longitude, altitude : numpy.ndarray
        (n,) [deg], [m].
    months : numpy.ndarray
        (n, 12) [degC].
    """

    name: tuple[str, ...]
    latitude: F8
    longitude: F8
    altitude: F8
    months: F8

    def without(self, k: int) -> Normals:
        """Return the same without the place at position `k`."""
        keep = np.arange(len(self.name)) != k
        return Normals(
            name=tuple(n for n, kept in zip(self.name, keep, strict=True) if kept),
            latitude=self.latitude[keep],
            longitude=self.longitude[keep],
            altitude=self.altitude[keep],
            months=self.months[keep],
        )


@dataclass(frozen=True)
class AirTemperature:
    """Mean air temperature by month.

    Parameters
    ----------
    months : numpy.ndarray
        (12,) [degC].
    error_k : float
        What it may be off, one standard deviation of a month [K].
    nearest : str
        Nearest place with normals.
    nearest_km : float
        Its distance [km].
    """

    months: F8
    error_k: float
    nearest: str
    nearest_km: float

    def text(self) -> Text:
        """Say where it comes from and what it may be off, in temperature and yield."""
        low, high, mean = self.months.min(), self.months.max(), annual_mean(self.months)
        percent = self.error_k * air_temperature_rules().yield_percent_per_k.value
        return Text(
            f"{mean:.1f} degC mean, {low:.0f} to {high:.0f} by month, from the normals of the places around (nearest "
            f"{self.nearest}, {self.nearest_km:.0f} km); a month may be off by {self.error_k:.1f} K, {percent:.1f} % "
            "of its yield",
            f"按周边城市气候平均值内插（最近为 {self.nearest}，{self.nearest_km:.0f} km），年均 {mean:.1f} ℃，各月 "
            f"{low:.0f}~{high:.0f} ℃；单月误差约 {self.error_k:.1f} K，相当于该月发电量的 {percent:.1f}%",
        )


@lru_cache(maxsize=1)
def normals() -> Normals:
    """Return the places of ``configs/air_temperature.yaml``."""
    places = air_temperature_rules().places
    where = np.array([(place.latitude, place.longitude, place.altitude_m) for place in places])
    return Normals(
        name=tuple(place.name for place in places),
        latitude=where[:, 0],
        longitude=where[:, 1],
        altitude=where[:, 2],
        months=np.array([place.months_degc for place in places]),
    )


def default_temperature(
    latitude: float, longitude: float, altitude: float | None = None, places: Normals | None = None
) -> AirTemperature:
    """Estimate the mean air temperature of each month where nothing gives it.

    Parameters
    ----------
    latitude, longitude : float
        [deg].
    altitude : float, optional
        [m]; from pvlib's coarse world map when None, less what that is off at a place of the table close by.
    places : Normals, optional
        The shipped ones when None.

    Returns
    -------
    AirTemperature
        Inverse-distance mean of what the nearest places lie above a course from south to north, at the altitude.

    Notes
    -----
    Coefficients, normals, sources and errors: ``configs/air_temperature.yaml``.
    """
    rules = air_temperature_rules()
    known = normals() if places is None else places
    distance = great_circle_km(latitude, longitude, known.latitude, known.longitude)
    near = np.argsort(distance, kind="stable")[: rules.neighbours.value]
    nearest = int(near[0])
    if altitude is None:
        # The map's cells are taken from mountains around a valley too: near a known place by as much as there.
        local = np.exp(-((distance[nearest] / rules.map_error_reach_km.value) ** 2))
        map_altitude = place_altitude(known.latitude[nearest], known.longitude[nearest])
        altitude = place_altitude(latitude, longitude) + local * (known.altitude[nearest] - map_altitude)
    power = rules.distance_power.value
    weight = 1.0 / (distance[near] ** power + rules.softening_km.value**power)
    above = known.months[near] - np.stack([_zonal(float(known.latitude[k])) for k in near])
    above -= rules.lapse_k_per_km.value * (altitude - known.altitude[near])[:, None] / 1000.0
    months = _zonal(latitude) + (weight[:, None] * above).sum(axis=0) / weight.sum()
    return AirTemperature(months, _error_k(distance[nearest]), known.name[nearest], float(distance[nearest]))


def great_circle_km(latitude: float, longitude: float, latitudes: F8, longitudes: F8) -> F8:
    """Return the distances [km] from one place to others on the sphere (haversine)."""
    a, b = np.radians(latitude), np.radians(latitudes)
    half = np.sin((a - b) / 2.0) ** 2
    half = half + np.cos(a) * np.cos(b) * np.sin(np.radians(longitude - longitudes) / 2.0) ** 2
    return np.asarray(2.0 * _EARTH_RADIUS_KM * np.arcsin(np.sqrt(np.clip(half, 0.0, 1.0))), dtype=float)


def monthly_temperature(
    place: tuple[float, float, float | None], monthly: F8 | None, annual: float | None, source: str
) -> tuple[F8, tuple[Notice, ...]]:
    """Return mean air temperatures by month from what is known, and say what was estimated.

    Parameters
    ----------
    place : tuple
        Latitude, longitude [deg], altitude [m] or None.
    monthly : numpy.ndarray, optional
        (12,) known means [degC], NaN where unknown.
    annual : float, optional
        Mean of the year [degC]; used where no month is known.
    source : str
        Of the notice.
    """
    given = np.full(12, np.nan) if monthly is None else np.asarray(monthly, dtype=float)
    if np.isfinite(given).all():
        return given, ()
    estimate = default_temperature(*place)
    if np.isfinite(given).any():
        months, filled = completed_temperature(given, estimate)
        names = ", ".join(str(m + 1) for m in np.flatnonzero(filled))
        text = Text(
            f"no air temperature for the months {names}: filled in the course of the places around (nearest "
            f"{estimate.nearest}, {estimate.nearest_km:.0f} km), within {estimate.error_k:.1f} K",
            f"{names} 月无气温：按周边城市（最近为 {estimate.nearest}，{estimate.nearest_km:.0f} km）的年内变化补全，"
            f"误差约 {estimate.error_k:.1f} K",
        )
        return months, (Notice("temperature_filled", text, int(filled.sum()), source=source),)
    if annual is not None and np.isfinite(annual):
        moved = moved_to_annual(estimate, float(annual))
        text = Text(
            f"only the year's mean air temperature is known ({annual:.1f} degC): months follow the places around "
            f"(nearest {moved.nearest}, {moved.nearest_km:.0f} km), {moved.months.min():.0f} to "
            f"{moved.months.max():.0f} degC",
            f"仅有年均气温（{annual:.1f} ℃）：各月按周边城市（最近为 {moved.nearest}，{moved.nearest_km:.0f} km）的"
            f"年内变化推算，{moved.months.min():.0f}~{moved.months.max():.0f} ℃",
        )
        return moved.months, (Notice("annual_temperature_spread", text, 12, "info", source),)
    normals_text = estimate.text()
    text = Text("no air temperature given: {said}", "未提供气温：{said}").format(said=normals_text)
    return estimate.months, (Notice("default_temperature", text, 12, source=source),)


def mean_of_known(values: F8) -> F8:
    """Return the mean over the first axis of what is finite, NaN where nothing is."""
    known = np.isfinite(values)
    count = known.sum(axis=0)
    return np.where(count > 0, np.where(known, values, 0.0).sum(axis=0) / np.maximum(count, 1), np.nan)


def completed_temperature(given: F8, estimate: AirTemperature) -> tuple[F8, B1]:
    """Fill the months that are not known.

    Parameters
    ----------
    given : numpy.ndarray
        (12,) known means [degC], NaN where unknown.
    estimate : AirTemperature
        What unknown months follow.

    Returns
    -------
    months : numpy.ndarray
        (12,) [degC]: where unknown, the estimate moved by what the known months differ from it on average.
    filled : numpy.ndarray of bool
        (12,).
    """
    unknown = ~np.isfinite(given)
    offset = 0.0 if unknown.all() else float((given - estimate.months)[~unknown].mean())
    return np.where(unknown, estimate.months + offset, given), unknown


def moved_to_annual(estimate: AirTemperature, annual_degc: float) -> AirTemperature:
    """Return the estimate's course through the year at another annual mean [degC]."""
    return replace(estimate, months=estimate.months + annual_degc - annual_mean(estimate.months))


def annual_mean(months: F8) -> float:
    """Return the mean of the year of 365 days [same unit]."""
    return float((months * DAYS_IN_MONTH).sum() / 365.0)


def _zonal(latitude: float) -> F8:
    """Return the course from south to north, (12,) [degC]: what differences of latitude are bridged with."""
    rules = air_temperature_rules()
    annual = rules.equator_degc.value - rules.pole_drop_k.value * np.sin(np.radians(latitude)) ** 2
    middle = np.cumsum(DAYS_IN_MONTH) - DAYS_IN_MONTH / 2.0
    season = np.cos(2.0 * np.pi * (middle - rules.warmest_day.value) / 365.0)
    # Negative latitudes turn the season around.
    return np.asarray(annual + rules.seasonal_half_range_k_per_deg.value * latitude * season, dtype=float)


def _error_k(distance_km: float) -> float:
    error = air_temperature_rules().error
    return error.rms_k[int(np.searchsorted(error.up_to_km, distance_km))]
