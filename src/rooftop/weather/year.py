"""The type every room uses: one nominal year of hourly weather."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from rooftop.errors import ComputeError, InputError
from rooftop.lang import Text
from rooftop.notices import Notice, Provenance
from rooftop.weather.clear_sky import Array, sum_by_month, weather_checks

MIN_MONTH_KWH_M2 = 0.1


@dataclass(frozen=True)
class Weather:
    """One nominal year (8760 hours) of weather at one place.

    Parameters
    ----------
    data : pandas.DataFrame
        8760 rows; columns ``ghi dni dhi`` [W/m2], ``temp_air`` [degC], ``wind_speed`` [m/s]. The index is the middle
        of each interval in a fixed UTC offset (never a zone name: Asia/Shanghai had summer time 1986-91).
    latitude, longitude : float
        [deg], north and east positive, WGS84.
    altitude : float
        [m] above sea level.
    interval_s : float
        Length of each interval [s]; 3600.
    source : str
        File path, or ``synthetic``.
    notices : tuple of Notice
        What was repaired, derived, assumed.
    provenance : Provenance, optional
        The file it was read from; None for a synthetic year.
    """

    data: pd.DataFrame
    latitude: float
    longitude: float
    altitude: float
    interval_s: float
    source: str
    notices: tuple[Notice, ...] = ()
    provenance: Provenance | None = None

    def monthly_ghi_kwh_m2(self) -> Array:
        """Return GHI by month [kWh/m2], (12,)."""
        return sum_by_month(self.data["ghi"].to_numpy(dtype=float), time_index(self)) * self.interval_s / 3600.0


def time_index(weather: Weather) -> pd.DatetimeIndex:
    """Return the middles of the intervals; a `ComputeError` where the index carries no time zone."""
    index = weather.data.index
    if not isinstance(index, pd.DatetimeIndex) or index.tz is None:
        raise ComputeError(Text("weather needs a time-zone aware index", "气象数据的时间索引必须带时区"))
    return index


def require_possible(wanted_kwh_m2: float, most_kwh_m2: float, month: int, source: str) -> None:
    """Raise an `InputError` where a month (0-11) is to give more than its hours can.

    Months at the edge of the polar night are not judged: half a degree of latitude decides what they can give.
    """
    floor = float(weather_checks()["clear_sky_bound"]["monthly_floor_kwh_m2"]["value"])
    if wanted_kwh_m2 > most_kwh_m2 >= floor:
        raise InputError(
            Text(
                "the irradiance total of a month is more than a cloudless sky gives",
                "某月辐照总量超过晴空所能提供的总量",
            ),
            where=Text(f"{source}, month {month + 1}", f"{source}，{month + 1} 月"),
            found=f"{wanted_kwh_m2:.1f} kWh/m2",
            expected=Text(f"at most {most_kwh_m2:.1f} kWh/m2", f"不超过 {most_kwh_m2:.1f} kWh/m2"),
            mend=Text("check unit and period of the irradiance raster", "请检查辐照栅格的单位（unit）与时段（period）"),
        )


def moved_notice(moved_kwh_m2: float, total_kwh_m2: float, source: str) -> Notice:
    """Say how much energy the clear-sky cap moved to other hours."""
    share = moved_kwh_m2 / total_kwh_m2
    return Notice(
        "clear_sky_cap",
        Text(
            f"{moved_kwh_m2:.1f} kWh/m2 a year ({share:.1%}) would have exceeded the clear sky and was moved to other "
            "hours of the same month",
            f"每年有 {moved_kwh_m2:.1f} kWh/m2（{share:.1%}）超过晴空上限，已移至同月其他时段",
        ),
        severity="info",
        source=source,
    )
