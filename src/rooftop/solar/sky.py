"""Suns and sky: one year of weather as beam, circumsolar, isotropic and horizon-band irradiance at 10-minute suns."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from pvlib.atmosphere import get_relative_airmass
from pvlib.irradiance import get_extra_radiation, perez
from pvlib.solarposition import get_solarposition

from rooftop.core.argument_limits import argument_limits
from rooftop.core.arguments import axes, require_numbers, unusable, whole, word
from rooftop.core.choices import Diffuse
from rooftop.core.lang import Text
from rooftop.core.types import F8, I8
from rooftop.weather import Weather, checked_weather

SUN_STEP_S = 600.0
"""Longest step between suns [s]; one sun per hour costs 0.1 % of annual energy, 0.4 % at the worst twentieth."""

FACTORS = (0.7, 1.0, 1.3)
"""Irradiance factors at which everything is evaluated unless told; what lies between is interpolated."""

_MIN_COS_HAYDAVIES = 0.01745  # pvlib's own floor of cos(zenith) in the Hay-Davies projection ratio
_PROBE_TILT = 30.0  # plane on which pvlib's Perez components are read; on it their sum is never cut at zero


@dataclass(frozen=True, kw_only=True)
class SkyYear:
    """A year of suns with the sky around them, shared by all planes under one weather.

    Every sun stands for `duration_h` hours. Axis F is `factors`: the weather's irradiance times each factor.

    Parameters
    ----------
    latitude, longitude : float
        [deg].
    diffuse : {"perez", "haydavies", "isotropic"}
        Sky model.
    factors : (F, 12)
        Multipliers of GHI, DNI and DHI in each month, rising along F.
    duration_h : float
        Time that one sun stands for [h].
    times : (m,) DatetimeIndex
        Middle of each interval of the weather.
    interval : (n,) int
        The interval that each sun belongs to, rising.
    month : (n,) int
        0 to 11.
    elevation_deg, azimuth_deg : (n,)
        Apparent (refracted) sun; azimuth clockwise from true north. Twilight records have a sun below 0.
    direction : (3, n)
        Unit vector to the sun: east, north, up.
    beam, circumsolar : (F, n)
        On a plane facing the sun [W/m2].
    isotropic : (F, n)
        Uniform part of the sky on a horizontal plane [W/m2].
    band : (F, n)
        Perez's horizon brightening: what a vertical plane receives [W/m2], may be negative.
    ghi : (F, n)
        [W/m2].
    temp_air : (n,)
        [degC].
    wind_speed : (n,)
        [m/s].
    """

    latitude: float
    longitude: float
    diffuse: Diffuse
    factors: F8
    duration_h: float
    times: pd.DatetimeIndex
    interval: I8
    month: I8
    elevation_deg: F8
    azimuth_deg: F8
    direction: F8
    beam: F8
    circumsolar: F8
    isotropic: F8
    band: F8
    ghi: F8
    temp_air: F8
    wind_speed: F8


def sky_year(
    weather: Weather,
    diffuse: Diffuse = "perez",
    *,
    factors: ArrayLike = FACTORS,
    suns_per_interval: int | None = None,
) -> SkyYear:
    """Place suns in every interval of the weather and split its irradiance among them.

    The beam energy that an interval brings onto the horizontal plane, ``dni * cos(zenith)`` at mid-interval, and its
    diffuse energy are kept exactly; within the interval the beam follows the suns that are up. Where the sun is down
    at mid-interval but up in part of it, the beam energy is ``ghi - dhi``, at most DNI for the time it is up. The
    brightness coefficients of the sky belong to the interval: they are taken at the middle of its sunlit part.

    Parameters
    ----------
    weather : Weather
        Index is the middle of each interval.
    diffuse : {"perez", "haydavies", "isotropic"}
        Sky model; Perez with pvlib's ``allsitescomposite1990``.
    factors : (F,) or (F, 12)
        Irradiance factors to evaluate, rising; see `factor_nodes`.
    suns_per_interval : int, optional
        Suns in each interval; enough for one every 10 minutes when omitted.

    Returns
    -------
    SkyYear

    Raises
    ------
    ArgumentError
        The weather is no whole year, or its light comes while the sun is down or is more than reaches the earth; there
        is no such sky model; factors do not rise.
    """
    weather = checked_weather(weather)
    word("diffuse", diffuse, Diffuse)
    nodes = _checked_nodes(factors)
    n_sub = max(1, math.ceil(weather.interval_s / SUN_STEP_S))
    if suns_per_interval is not None:
        n_sub = whole("suns_per_interval", suns_per_interval)
    data, index = weather.data, pd.DatetimeIndex(weather.data.index)
    dni, dhi, ghi = (data[name].to_numpy(dtype=np.float64) for name in ("dni", "dhi", "ghi"))
    middle, elevation, azimuth = _suns(weather, n_sub)
    up = elevation > 0.0
    n_up = up.sum(axis=1)
    height = np.where(up, np.sin(np.radians(elevation)), 0.0).mean(axis=1)
    month = index.month.to_numpy().astype(np.int64) - 1
    extra = np.asarray(get_extra_radiation(index.tz_convert("UTC").day_of_year.to_numpy()), dtype=np.float64)
    _require_sunlight(ghi, dhi, extra * height, month)
    _require_closure(ghi, dni, dhi, height)
    dni_factor = _closure_factor(dni, dhi, ghi, np.sin(np.radians(middle)), height)
    sunlit = np.where(up, elevation, 0.0).sum(axis=1) / np.maximum(n_up, 1)
    sky_elevation = np.where(n_up == n_sub, middle, np.where(n_up > 0, sunlit, -1.0))

    # Diffuse light of an interval without any sun stays: it falls while the sun is just below the horizon.
    gives_light = np.where((n_up > 0)[:, None], up, (dhi > 0.0)[:, None])
    hour = np.nonzero(gives_light)[0]
    denser = n_sub / gives_light.sum(axis=1)[hour]
    parts = np.stack([_brightness(diffuse, dni * f, dhi * f, extra, sky_elevation) for f in nodes[:, month]], axis=1)
    elevation, azimuth, sunny = elevation[gives_light], azimuth[gives_light], up[gives_light]
    e, a = np.radians(elevation), np.radians(azimuth)
    direction = np.stack([np.cos(e) * np.sin(a), np.cos(e) * np.cos(a), np.sin(e)])
    factor = nodes[:, month[hour]]
    beam = factor * (dni * dni_factor)[hour] * sunny
    return SkyYear(
        latitude=weather.latitude,
        longitude=weather.longitude,
        diffuse=diffuse,
        factors=nodes,
        duration_h=weather.interval_s / 3600.0 / n_sub,
        times=index,
        interval=hour.astype(np.int64),
        month=month[hour],
        elevation_deg=elevation,
        azimuth_deg=azimuth,
        direction=direction,
        beam=beam,
        circumsolar=(parts[0] * dni_factor)[:, hour] * sunny,
        isotropic=parts[1][:, hour] * denser,
        band=parts[2][:, hour] * denser,
        ghi=factor * dhi[hour] * denser + beam * np.maximum(direction[2], 0.0),
        temp_air=data["temp_air"].to_numpy(dtype=np.float64)[hour],
        wind_speed=data["wind_speed"].to_numpy(dtype=np.float64)[hour],
    )


def as_sky_year(weather: Weather | SkyYear, diffuse: Diffuse, *, factors: ArrayLike = FACTORS) -> SkyYear:
    """Return a SkyYear as it is, and a Weather with suns and sky; the arguments of public functions.

    Raises
    ------
    ArgumentError
        As `sky_year`; an unknown sky model even where the SkyYear has its own.
    """
    word("diffuse", diffuse, Diffuse)
    return weather if isinstance(weather, SkyYear) else sky_year(weather, diffuse, factors=factors)


def _checked_nodes(factors: ArrayLike) -> F8:
    """Return factors (F, 12) that rise along F."""
    given = require_numbers("factors", factors, ("F",) if axes("factors", factors) == 1 else ("F", 12), "factor")
    nodes = np.repeat(given[:, None], 12, axis=1) if given.ndim == 1 else given
    if not len(nodes) or (np.diff(nodes, axis=0) <= 0.0).any():
        expected = Text("at least one factor, rising", "至少一个系数，逐个增大")
        raise unusable("factors", str(nodes.shape), expected)
    return nodes.astype(np.float64)


def _require_sunlight(ghi: F8, dhi: F8, above_atmosphere: F8, month: I8) -> None:
    """Raise where much light falls while no sun is up, or a month has more than falls above the atmosphere [W/m2].

    Months in which the sun hardly rises are not judged: their light is twilight.
    """
    limits = argument_limits().year
    light = np.maximum(ghi, dhi)
    by_day = np.where(above_atmosphere > 0.0, light, 0.0)
    at_night, most = 1.0 - by_day.sum() / light.sum(), limits.most_at_night.value
    if at_night > most:
        raise unusable(
            "weather.data.index",
            Text(f"{at_night:.0%} of the light falls while the sun is down", f"{at_night:.0%} 的辐照落在日落之后"),
            Text(f"at most {most:.0%}, in the twilight", f"至多 {most:.0%}（晨昏）"),
            Text("check the UTC offset of the index, latitude and longitude", "请检查时间索引的 UTC 偏移、纬度与经度"),
        )
    received, top = (np.bincount(month, weights=values, minlength=12) for values in (by_day, above_atmosphere))
    judged = top > limits.polar_night_share.value * top.sum()
    too_much = np.flatnonzero((received > limits.most_of_extraterrestrial.value * top) & judged)
    if too_much.size:
        m = int(too_much[0])
        raise unusable(
            "weather.data['ghi']",
            Text(
                f"in month {m + 1} {received[m] / top[m]:.2f} of what falls above the atmosphere",
                f"{m + 1} 月为大气层外辐照量的 {received[m] / top[m]:.2f} 倍",
            ),
            Text("less than 1", "小于 1"),
            Text("check the unit (W/m2, mean of the interval)", "请检查单位（W/m2，时段平均）"),
        )


def _require_closure(ghi: F8, dni: F8, dhi: F8, height: F8) -> None:
    """Raise where GHI and the sum of its parts contradict each other: columns that are others, or each other's.

    Parameters
    ----------
    ghi, dni, dhi : (n,)
        Of each interval [W/m2].
    height : (n,)
        Mean sine of the sun's elevation, 0 below the horizon.
    """
    limits, of_parts = argument_limits().year.parts_of_ghi, dhi + dni * height
    missed, swapped = (float(np.sqrt(np.square(ghi - parts).mean())) for parts in (of_parts, dni + dhi * height))
    if swapped < limits.swapped_better * missed:
        raise unusable(
            "weather.data[['dni', 'dhi']]",
            Text(
                f"DHI + DNI cos z misses GHI by {missed:.0f} W/m2 rms, with the two exchanged by {swapped:.0f}",
                f"DHI + DNI cos z 与 GHI 的均方根差为 {missed:.0f} W/m2，两列互换后为 {swapped:.0f}",
            ),
            Text("parts that sum to GHI in every interval", "各时段散射与直射之和等于总辐照"),
            Text("exchange the columns dni and dhi", "请互换 dni 与 dhi 两列"),
        )
    ratio = float(of_parts.sum() / ghi.sum())
    if not limits.low <= ratio <= limits.high:
        raise unusable(
            "weather.data[['ghi', 'dni', 'dhi']]",
            Text(
                f"diffuse and direct light sum to {ratio:.2f} of the global in the year",
                f"全年散射与直射之和为总辐照的 {ratio:.2f} 倍",
            ),
            Text(f"about 1 ({limits.low:g} … {limits.high:g})", f"约 1（{limits.low:g} … {limits.high:g}）"),
            Text(
                "check the columns: dni is on a plane facing the sun, dhi on the horizontal",
                "请检查各列：dni 为法向直射，dhi 为水平面散射",
            ),
        )


def factor_nodes(factor: ArrayLike, least_spread: float = 0.05) -> F8:
    """Choose the three factors per month between which roofs' own factors are interpolated.

    Parameters
    ----------
    factor : (n, 12)
        Factors of all roofs under one weather; NaN is passed over.
    least_spread : float
        Half the distance between the outer nodes is at least this.

    Returns
    -------
    (3, 12) float64
        Lowest, middle and highest; 1 is always among the months without any factor.
    """
    values = require_numbers("factor", factor, ("n", 12), missing=True).astype(np.float64)
    known = np.isfinite(values)
    low = np.where(known.any(axis=0), np.where(known, values, np.inf).min(axis=0, initial=np.inf), 1.0)
    high = np.where(known.any(axis=0), np.where(known, values, -np.inf).max(axis=0, initial=-np.inf), 1.0)
    middle = 0.5 * (low + high)
    half = np.maximum(0.5 * (high - low), least_spread * np.maximum(middle, 0.1))
    return np.stack([middle - half, middle, middle + half])


def _suns(weather: Weather, n_sub: int) -> tuple[F8, F8, F8]:
    """Elevation at the middle of each interval (n,), elevation and azimuth of its parts (n, n_sub) [deg].

    Parts of intervals in deep night are left at -90.
    """
    times = pd.DatetimeIndex(weather.data.index).tz_convert("UTC")
    middle = _positions(weather, times)[0]
    elevation, azimuth = np.full((times.size, n_sub), -90.0), np.zeros((times.size, n_sub))
    near = middle > -3.0 - 15.0 * weather.interval_s / 3600.0
    for part in range(n_sub):
        offset = ((part + 0.5) / n_sub - 0.5) * weather.interval_s
        elevation[near, part], azimuth[near, part] = _positions(weather, times[near] + pd.Timedelta(seconds=offset))
    return middle, elevation, azimuth


def _positions(weather: Weather, times: pd.DatetimeIndex) -> tuple[F8, F8]:
    """Apparent elevation and azimuth [deg]; refraction at the year's mean temperature."""
    sun = get_solarposition(
        times,
        weather.latitude,
        weather.longitude,
        altitude=weather.altitude,
        temperature=float(weather.data["temp_air"].mean()),
    )
    return sun["apparent_elevation"].to_numpy(), sun["azimuth"].to_numpy()


def _closure_factor(dni: F8, dhi: F8, ghi: F8, cos_middle: F8, cos_mean: F8) -> F8:
    """Return the factor on DNI that conserves the horizontal beam energy of each interval."""
    sun_up = cos_mean > 0.0
    mean = np.where(sun_up, cos_mean, 1.0)
    of_sum = np.minimum(np.maximum(ghi - dhi, 0.0) / (np.maximum(dni, 1e-9) * mean), 1.0)
    return np.where(sun_up, np.where(cos_middle > 0.0, cos_middle / mean, of_sum), 0.0)


def _brightness(diffuse: Diffuse, dni: F8, dhi: F8, extra: F8, elevation_deg: F8) -> tuple[F8, F8, F8]:
    """Split DHI into circumsolar (normal), isotropic (horizontal) and horizon band (vertical) irradiance [W/m2].

    Perez et al. (1990), doi:10.1016/0038-092X(90)90055-H, and Hay and Davies (1980) as in pvlib.
    """
    sunny = (elevation_deg > 0.0) & (dhi > 0.0)
    none = np.zeros_like(dhi)
    zenith = 90.0 - elevation_deg
    if diffuse == "isotropic":
        return none, dhi, none
    if diffuse == "haydavies":
        anisotropy = np.where(sunny, np.minimum(dni / extra, 1.0), 0.0)
        cos_zenith = np.maximum(np.cos(np.radians(zenith)), _MIN_COS_HAYDAVIES)
        return dhi * anisotropy / cos_zenith, dhi * (1.0 - anisotropy), none
    airmass = np.asarray(get_relative_airmass(np.where(sunny, zenith, 0.0)))
    parts = perez(
        _PROBE_TILT,
        180.0,
        np.where(sunny, dhi, 1.0),
        np.where(sunny, dni, 0.0),
        extra,
        np.where(sunny, zenith, 0.0),
        180.0,
        airmass,
        return_components=True,
    )
    tilt = math.radians(_PROBE_TILT)
    towards_sun = np.cos(np.radians(zenith) - tilt)
    circumsolar = np.where(sunny, parts["poa_circumsolar"] / np.where(sunny, towards_sun, 1.0), 0.0)
    isotropic = np.where(sunny, parts["poa_isotropic"] / (0.5 * (1.0 + math.cos(tilt))), dhi)
    band = np.where(sunny, parts["poa_horizon"] / math.sin(tilt), 0.0)
    return circumsolar, isotropic, band
