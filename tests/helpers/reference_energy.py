"""Reference yield: every sun of the year simulated one by one behind an explicit horizon. No tables, no kernels.

Irradiance, sun positions, incidence angle, power and inverter come from pvlib's own functions; the sky's visible share
is counted on a fine grid of sky patches. The only thing shared with `rooftop` is the statement of the model: suns every
ten minutes conserving each hour's horizontal beam energy, Perez brightness per hour, circumsolar light at the sun.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pvlib
from pvlib.irradiance import _get_perez_coefficients

from rooftop.core.choices import Mounting
from rooftop.solar.pvsystem import PvSystem
from rooftop.weather import Weather

SUNS = 6


@dataclass(frozen=True)
class Simulated:
    """Monthly totals: irradiation [kWh/m2] and AC energy [kWh/kWp]; `pooled` sums the cells' DC before one inverter.

    `pooled_w` is its mean power in each hour [W per kWp].
    """

    poa: np.ndarray
    ac: np.ndarray
    pooled: np.ndarray
    pooled_w: np.ndarray


def made_weather(latitude: float = 34.6, longitude: float = 119.2, seed: int = 0) -> Weather:
    """A seeded year of clear-sky irradiance under clouds that change from day to day and hour to hour."""
    rng = np.random.default_rng(seed)
    index = pd.date_range("2021-01-01 00:30", periods=8760, freq="h", tz="Etc/GMT-8")
    place = pvlib.location.Location(latitude, longitude, altitude=20)
    sun = place.get_solarposition(index)
    clear = place.get_clearsky(index, solar_position=sun, linke_turbidity=3.5, dni_extra=extra_radiation(index))
    day = np.clip(rng.beta(1.6, 1.1, 365), 0.1, 1).repeat(24)
    ghi = (clear["ghi"] * np.clip(day * rng.normal(1, 0.15, 8760), 0.08, 1.05)).to_numpy()
    split = pvlib.irradiance.erbs(ghi, sun["zenith"].to_numpy(), index.day_of_year.to_numpy(), max_zenith=89)
    dni = np.where(sun["apparent_zenith"] < 89, split["dni"], 0.0)
    beam = dni * np.maximum(np.cos(np.radians(sun["apparent_zenith"].to_numpy())), 0)
    season = np.cos((index.day_of_year.to_numpy() - 205) / 365 * 2 * np.pi)
    clock = np.cos((index.hour.to_numpy() - 14) / 24 * 2 * np.pi)
    data = pd.DataFrame(
        {"ghi": ghi, "dni": dni, "dhi": np.maximum(ghi - beam, 0), "temp_air": 14 + 12 * season + 4 * clock,
         "wind_speed": 2.5},
        index=index,
    )  # fmt: skip
    data["ghi"] = data["dhi"] + beam
    return Weather(data, latitude, longitude, 20.0, 3600.0, "made")


def extra_radiation(index: pd.DatetimeIndex) -> np.ndarray:
    """Extraterrestrial normal irradiance [W/m2] (by number of the day: pvlib's own way of taking it warns)."""
    return np.asarray(pvlib.irradiance.get_extra_radiation(index.tz_convert("UTC").day_of_year.to_numpy()))


def pvlib_hourly(
    weather: Weather, tilt: float, azimuth: float, model: str = "perez", albedo: float = 0.2
) -> pd.DataFrame:
    """pvlib's own plane-of-array irradiance with one sun in the middle of each hour [W/m2]."""
    data = weather.data
    sun = pvlib.solarposition.get_solarposition(
        data.index, weather.latitude, weather.longitude, altitude=weather.altitude
    )
    return pvlib.irradiance.get_total_irradiance(
        tilt, azimuth, sun["apparent_zenith"], sun["azimuth"], data["dni"], data["ghi"], data["dhi"],
        dni_extra=extra_radiation(pd.DatetimeIndex(data.index)), model=model, albedo=albedo, diffuse_components=True,
    )  # fmt: skip


def pvlib_yield(
    weather: Weather, tilt: float, azimuth: float, system: PvSystem, mounting: Mounting = "rack"
) -> pd.Series:
    """AC power per kWp [kW] of a free plane, one sun per hour, diffuse light through `marion_diffuse`'s factors."""
    data = weather.data
    poa = pvlib_hourly(weather, tilt, azimuth)
    sun = pvlib.solarposition.get_solarposition(
        data.index, weather.latitude, weather.longitude, altitude=weather.altitude
    )
    aoi = pvlib.irradiance.aoi(tilt, azimuth, sun["apparent_zenith"], sun["azimuth"])
    parameters = dict(system.iam_parameters)
    model = getattr(pvlib.iam, system.iam_model)
    diffuse = pvlib.iam.marion_diffuse(system.iam_model, tilt, **parameters)
    effective = (
        poa["poa_direct"] * model(aoi, **parameters)
        + poa["poa_sky_diffuse"] * diffuse["sky"]
        + poa["poa_ground_diffuse"] * diffuse["ground"]
    )
    temp = _temp_cell(poa["poa_global"], data["temp_air"], data["wind_speed"], system, mounting)
    return _power(effective, temp, system) * system.ac_share


def _temp_cell(poa, air, wind, system: PvSystem, mounting: Mounting):
    if system.cell_temperature == "ross":
        return pvlib.temperature.ross(poa, air, k=system.ross_k(mounting))
    name = "open_rack_glass_glass" if mounting == "rack" else "close_mount_glass_glass"
    return pvlib.temperature.sapm_cell(poa, air, wind, **pvlib.temperature.TEMPERATURE_MODEL_PARAMETERS["sapm"][name])


def _power(effective, temp_cell, system: PvSystem):
    dc = _dc(effective, temp_cell, system)
    return _inverter(dc, system)


def _dc(effective, temp_cell, system: PvSystem):
    loss = pvlib.pvsystem.pvwatts_losses(
        **dict.fromkeys(
            ("soiling", "shading", "snow", "mismatch", "wiring", "connections", "lid", "nameplate_rating", "age"), 0
        ),
        availability=100 * (1 - np.prod([1 - share for _, share in system.losses_dc])),
    )
    return pvlib.pvsystem.pvwatts_dc(effective, temp_cell, 1.0, system.module.gamma_pdc) * (1 - loss / 100)


def _inverter(dc, system: PvSystem):
    pac0 = 1.0 / system.dc_ac_ratio
    return pvlib.inverter.pvwatts(dc, pac0 / system.eta_inv_nom, system.eta_inv_nom, system.eta_inv_ref)


def sky_patches(
    tilt: float, azimuth: float, horizons: np.ndarray, between: str, step: float = 0.25
) -> tuple[np.ndarray, np.ndarray]:
    """Visible shares of a free plane's isotropic sky and of its 0-6.5 degree band, counted by patches: (n,) each."""
    elevation = np.arange(step / 2, 90, step)
    around = np.arange(step, 360, 2 * step)
    e, a = np.meshgrid(elevation, around, indexing="ij")
    cos_aoi = np.maximum(pvlib.irradiance.aoi_projection(tilt, azimuth, 90 - e, a), 0)
    weight = cos_aoi * np.cos(np.radians(e))
    sky, band = [], []
    in_band = e < 6.5
    for horizon in horizons:
        seen = seen_share(horizon, a, e, between)
        sky.append((weight * seen).sum() / weight.sum())
        band.append((weight * seen * in_band).sum() / (weight * in_band).sum())
    return np.array(sky), np.array(band)


def seen_share(horizon: np.ndarray, azimuth: np.ndarray, elevation: np.ndarray, between: str) -> np.ndarray:
    """Visible share of directions between two sampled azimuths.

    ``linear``: the horizon is a straight line between them, the direction is visible or not. ``shared``: an edge stands
    somewhere between them, so that each sample answers for its nearness.
    """
    n = horizon.size
    place = azimuth % 360 * n / 360
    left = np.floor(place).astype(int)
    t = place - left
    low, high = horizon[left % n], horizon[(left + 1) % n]
    if between == "linear":
        return (elevation > low + t * (high - low)).astype(float)
    return (1 - t) * (elevation > low) + t * (elevation > high)


def simulate(
    weather: Weather, tilt: float, azimuth: float, horizons: np.ndarray, system: PvSystem, *,
    mounting: Mounting = "rack", factor: np.ndarray | None = None, albedo: float = 0.2, between: str = "shared",
) -> list[Simulated]:  # fmt: skip
    """Simulate cells with given horizons (n, n_azimuth) [deg]; one result per cell, `pooled` the same in all."""
    data = weather.data
    scale = np.ones(12) if factor is None else factor
    scale = scale[pd.DatetimeIndex(data.index).month - 1]
    offsets = pd.to_timedelta((np.arange(SUNS) + 0.5) * 3600 / SUNS - 1800, unit="s")
    times = pd.DatetimeIndex(np.concatenate([data.index + offset for offset in offsets]))
    where = (weather.latitude, weather.longitude)
    mean_temp = data["temp_air"].mean()
    place = (*where, weather.altitude, float(mean_temp))
    sun, middle = _positions(times, *place), _positions(pd.DatetimeIndex(data.index), *place)
    hour = np.tile(np.arange(len(data)), SUNS)
    elevation = sun["apparent_elevation"].to_numpy()
    up = elevation > 0
    n_up = np.bincount(hour, weights=up)
    e_mid = middle["apparent_elevation"].to_numpy()
    e_coefficient = np.where(n_up == SUNS, e_mid, np.bincount(hour, weights=elevation * up) / np.maximum(n_up, 1))
    dni, dhi, ghi = (data[name].to_numpy() * scale for name in ("dni", "dhi", "ghi"))

    # beam of each sun: the hour's horizontal beam energy divided by what a unit DNI would bring
    brings = np.bincount(hour, weights=np.sin(np.radians(elevation)) * up) / SUNS
    energy = np.where(e_mid > 0, dni * np.sin(np.radians(e_mid)), np.minimum(dni * brings, np.maximum(ghi - dhi, 0)))
    kept = np.divide(energy, dni * brings, out=np.zeros_like(dni), where=(dni * brings) > 0)
    kept_circumsolar = np.where(
        (dni == 0) & (brings > 0), np.where(e_mid > 0, np.sin(np.radians(e_mid)), 0) / np.maximum(brings, 1e-12), kept
    )

    f1, f2, circumsolar = _perez(dni, dhi, e_coefficient, n_up > 0, extra_radiation(pd.DatetimeIndex(data.index)))
    lit = np.where(n_up[hour] > 0, up, dhi[hour] > 0)
    share = np.bincount(hour, weights=lit)[hour] / SUNS
    h, el, az, share = hour[lit], elevation[lit], sun["azimuth"].to_numpy()[lit], share[lit]
    above = (el > 0).astype(float)
    beam, circ = dni[h] * kept[h] * above, circumsolar[h] * kept_circumsolar[h] * above
    cos_aoi = np.maximum(pvlib.irradiance.aoi_projection(tilt, azimuth, 90 - el, az), 0)
    iso = dhi[h] / share * (1 - f1[h]) * (1 + np.cos(np.radians(tilt))) / 2
    band = dhi[h] / share * f2[h] * np.sin(np.radians(tilt))
    ground = (
        albedo * (1 - np.cos(np.radians(tilt))) / 2 * (dhi[h] / share + beam * np.sin(np.radians(np.maximum(el, 0))))
    )
    sky = iso + np.minimum(band, 0)
    circ_plane = np.maximum(circ * cos_aoi + np.minimum(sky, 0), 0)
    sky, band = np.maximum(sky, 0), np.maximum(band, 0)

    parameters = dict(system.iam_parameters)
    model = getattr(pvlib.iam, system.iam_model)
    aoi = np.degrees(np.arccos(np.clip(pvlib.irradiance.aoi_projection(tilt, azimuth, 90 - el, az), -1, 1)))
    beam_iam = np.where(aoi < 90, model(aoi, **parameters), 0)
    spread = pvlib.iam.marion_diffuse(system.iam_model, tilt, **parameters)
    month = pd.DatetimeIndex(data.index).month.to_numpy()[h] - 1
    seen_sky, seen_band = sky_patches(tilt, azimuth, horizons, between)
    air, wind = data["temp_air"].to_numpy()[h], data["wind_speed"].to_numpy()[h]
    total_dc = 0.0
    parts = []
    for horizon, s, b in zip(horizons, seen_sky, seen_band, strict=True):
        clear = seen_share(horizon, az, el, between)

        def powers(seen, s=s, b=b):
            direct = (beam * cos_aoi + circ_plane) * seen
            poa = direct + s * sky + b * band + ground
            effective = direct * beam_iam + s * sky * spread["sky"] + b * band * spread["horizon"]
            effective = effective + ground * spread["ground"]
            temp = _temp_cell(poa, air, wind, system, mounting)
            return poa, _dc(effective, temp, system)

        (poa_on, dc_on), (poa_off, dc_off) = powers(above), powers(0.0)
        total_dc = total_dc + clear * dc_on + (1 - clear) * dc_off
        ac = clear * _inverter(dc_on, system) + (1 - clear) * _inverter(dc_off, system)
        parts.append((clear * poa_on + (1 - clear) * poa_off, ac * system.ac_share))
    pooled = _inverter(total_dc / len(parts), system) * system.ac_share
    hourly = np.bincount(h, weights=pooled, minlength=len(data)) * (1000 / SUNS)
    together = _months(pooled, month), hourly
    return [Simulated(_months(poa / 1000, month), _months(ac, month), *together) for poa, ac in parts]


_seen_positions: dict[tuple, pd.DataFrame] = {}


def _positions(times: pd.DatetimeIndex, *place: float) -> pd.DataFrame:
    key = (times[0], times[-1], times.size, *place)
    if key not in _seen_positions:
        _seen_positions[key] = pvlib.solarposition.get_solarposition(
            times, place[0], place[1], altitude=place[2], temperature=place[3]
        )
    return _seen_positions[key]


def _months(power: np.ndarray, month: np.ndarray) -> np.ndarray:
    return np.bincount(month, weights=power, minlength=12) / SUNS


def _perez(dni, dhi, elevation, sunny, extra):
    """Perez's F1, F2 and the circumsolar irradiance on a plane facing the sun, from pvlib's coefficients."""
    z = np.radians(90 - elevation)
    ok = sunny & (dhi > 0)
    airmass = pvlib.atmosphere.get_relative_airmass(np.where(ok, 90 - elevation, 0))
    delta = dhi * airmass / np.asarray(extra)
    clearness = ((dhi + dni) / np.where(ok, dhi, 1) + 1.041 * z**3) / (1 + 1.041 * z**3)
    column = np.digitize(clearness, (1.065, 1.23, 1.5, 1.95, 2.8, 4.5, 6.2))
    c1, c2 = _get_perez_coefficients("allsitescomposite1990")
    f1 = np.maximum(c1[column, 0] + c1[column, 1] * delta + c1[column, 2] * z, 0)
    f2 = c2[column, 0] + c2[column, 1] * delta + c2[column, 2] * z
    f1, f2 = np.where(ok, f1, 0), np.where(ok, f2, 0)
    return f1, f2, dhi * f1 / np.maximum(np.cos(z), np.cos(np.radians(85)))
