"""One nominal year of hourly weather: the type every room uses."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from rooftop.notices import Notice


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
    """

    data: pd.DataFrame
    latitude: float
    longitude: float
    altitude: float
    interval_s: float
    source: str
    notices: tuple[Notice, ...] = ()
