"""Where a weather file lies against where the buildings are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from pyproj import Geod

from rooftop.core.errors import InputError
from rooftop.core.lang import Text
from rooftop.core.notices import Notice
from rooftop.core.types import F8
from rooftop.inputs.weather_season import compare_months, require_season
from rooftop.weather import Weather, mean_of_known, place_altitude
from rooftop.weather.checks import weather_checks
from rooftop.weather.temperature_rules import air_temperature_rules

_WGS84 = Geod(ellps="WGS84")


@dataclass(frozen=True)
class GeoPoint:
    """A point on Earth.

    Parameters
    ----------
    latitude, longitude : float
        [deg], north and east positive.
    altitude : float
        [m].
    """

    latitude: float
    longitude: float
    altitude: float

    def distance_km(self, other: GeoPoint) -> float:
        """Return the distance to another place [km] on the ellipsoid."""
        *_, metres = _WGS84.inv(self.longitude, self.latitude, other.longitude, other.latitude)
        return float(metres) / 1000.0

    def text(self) -> Text:
        """Return latitude and longitude as people write them."""
        north, east = ("N" if self.latitude >= 0 else "S"), ("E" if self.longitude >= 0 else "W")
        coordinates = f"{abs(self.latitude):.2f}° {north}, {abs(self.longitude):.2f}° {east}"
        return Text(coordinates, coordinates)


def median_place(longitude: F8, latitude: F8) -> GeoPoint | None:
    """Return where most buildings are: medians of finite positions, across the date line too; None without any.

    Parameters
    ----------
    longitude, latitude : numpy.ndarray
        (n,) WGS84 [deg]; NaN where unknown. One far outlier does not move the result.
    """
    known = np.isfinite(longitude) & np.isfinite(latitude)
    if not known.any():
        return None
    first = float(longitude[known][0])
    turned = np.mod(longitude[known] - first + 180.0, 360.0) - 180.0
    middle = float(np.mod(first + np.median(turned) + 180.0, 360.0) - 180.0)
    north = float(np.median(latitude[known]))
    return GeoPoint(north, middle, place_altitude(north, middle))


def check_weather_place(
    weather: Weather, longitude: F8, latitude: F8, raster_months_kwh_m2: F8 | None = None
) -> tuple[Notice, ...]:
    """Compare a weather file with where the buildings are.

    Parameters
    ----------
    weather : Weather
        As read, not yet scaled to a raster.
    longitude, latitude : numpy.ndarray
        (n,) of the buildings, WGS84 [deg]; NaN where unknown.
    raster_months_kwh_m2 : numpy.ndarray, optional
        (n, 12) GHI of a monthly raster at the buildings.

    Returns
    -------
    tuple of Notice
        Distance, altitude, and months that differ notably; limits in ``configs/weather_checks.yaml``.

    Raises
    ------
    InputError
        The file lies across the equator, on another continent, or its months run against the place's seasons.
    """
    buildings = median_place(longitude, latitude)
    if buildings is None:
        return ()
    station = GeoPoint(weather.latitude, weather.longitude, weather.altitude)
    notices = compare_with_weather(station, buildings, weather.source)
    months = weather.monthly_ghi_kwh_m2()
    require_season(months, buildings.latitude, weather.source, Text("the buildings' latitude", "建筑所在"))
    if raster_months_kwh_m2 is not None:
        notices += compare_months(months, mean_of_known(raster_months_kwh_m2), buildings.latitude, weather.source)
    return notices


def compare_with_weather(weather: GeoPoint, buildings: GeoPoint, source: str) -> tuple[Notice, ...]:
    """Say how far apart two places are, in distance and altitude.

    Parameters
    ----------
    weather, buildings : GeoPoint
        Both.
    source : str
        The weather file.

    Raises
    ------
    InputError
        Opposite seasons, or further apart than anybody means.
    """
    limits = weather_checks().place
    km = weather.distance_km(buildings)
    slip = _slip(weather, buildings, km)
    deepest = max(abs(weather.latitude), abs(buildings.latitude))
    across = weather.latitude * buildings.latitude < 0.0
    what = None
    if across and deepest > limits.opposite_seasons_deg.value and km > limits.warning_km.value:
        what = Text(
            "the weather file is from across the equator: its summer is winter at the buildings",
            "气象文件位于赤道另一侧：其夏季为建筑所在地的冬季",
        )
    elif km > limits.refuse_km.value:
        what = Text("the weather file is from another part of the world", "气象文件来自世界另一地区")
    if what is not None:
        raise _refusal(what, weather, buildings, km, slip, source)
    return (*_distance_notice(weather, buildings, km, slip, source), *_altitude_notice(weather, buildings, source))


def _slip(weather: GeoPoint, buildings: GeoPoint, km: float) -> Text | None:
    """Name the slip of the pen that would bring the file to the buildings."""
    lat, lon = weather.latitude, weather.longitude
    slips = [
        (lat, -lon, Text("the longitude's sign may be lost", "经度符号可能丢失")),
        (-lat, lon, Text("the latitude's sign may be lost", "纬度符号可能丢失")),
        (-lat, -lon, Text("both signs may be lost", "经纬度符号可能均丢失")),
    ]
    if abs(lon) <= 90.0:
        slips.append((lon, lat, Text("latitude and longitude may be swapped", "经纬度可能颠倒")))
    for north, east, name in slips:
        other = GeoPoint(north, east, weather.altitude)
        near = other.distance_km(buildings)
        if near <= weather_checks().place.slip_km.value and near < 0.2 * km:
            there = other.text()
            return Text(
                "{name}: {there} would be {near:,.0f} km from the buildings",
                "{name}：若为 {there}，则距建筑 {near:,.0f} km",
            ).format(name=name, there=there, near=near)
    return None


def _refusal(
    what: Text, weather: GeoPoint, buildings: GeoPoint, km: float, slip: Text | None, source: str
) -> InputError:
    there, here = weather.text(), buildings.text()
    mend = Text(
        "give a weather file of the place, or leave inputs.weather out: then the hours are made from the irradiance "
        "raster",
        "请提供当地的气象文件，或不设置 inputs.weather（届时由辐照栅格生成逐时数据）",
    )
    if slip is not None:
        mend = Text("{slip}; correct the header, or {mend}", "{slip}；请更正文件头，或{mend}").format(
            slip=slip, mend=mend
        )
    return InputError(
        what,
        where=source,
        found=Text("weather at {there}", "气象文件位于 {there}").format(there=there),
        expected=Text(
            "near the buildings at {here}: it is {km:,.0f} km away", "应在建筑附近（{here}）：相距 {km:,.0f} km"
        ).format(here=here, km=km),
        mend=mend,
    )


def _distance_notice(
    weather: GeoPoint, buildings: GeoPoint, km: float, slip: Text | None, source: str
) -> tuple[Notice, ...]:
    if km <= weather_checks().place.warning_km.value:
        return ()
    there, here = weather.text(), buildings.text()
    hint = slip if slip is not None else Text("is there a nearer one?", "是否有更近的文件？")
    text = Text(
        "the weather file lies {km:,.0f} km from the buildings ({there}; buildings {here}): its clouds and "
        "temperatures are used as theirs; {hint}",
        "气象文件距建筑 {km:,.0f} km（{there}；建筑 {here}）：其云量与气温被用于当地；{hint}",
    ).format(km=km, there=there, here=here, hint=hint)
    return (Notice("weather_elsewhere", text, 1, source=source),)


def _altitude_notice(weather: GeoPoint, buildings: GeoPoint, source: str) -> tuple[Notice, ...]:
    apart = buildings.altitude - weather.altitude
    if abs(apart) <= weather_checks().place.altitude_m.value:
        return ()
    rules = air_temperature_rules()
    kelvin = -apart / 1000.0 * rules.lapse_k_per_km.value
    percent = -kelvin * rules.yield_percent_per_k.value
    text = Text(
        f"the weather file is of {weather.altitude:,.0f} m, the buildings lie at about {buildings.altitude:,.0f} m: "
        f"the air there is about {kelvin:+.0f} K, which would change the yield by {percent:+.1f} %; temperatures are "
        "used as they are",
        f"气象文件海拔 {weather.altitude:,.0f} m，建筑约 {buildings.altitude:,.0f} m：当地气温约差 {kelvin:+.0f} K，"
        f"发电量约差 {percent:+.1f}%；气温按文件使用",
    )
    return (Notice("weather_altitude", text, 1, source=source),)
