"""What a wrong clock costs: planes facing east and west under one light at two times."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pvlib

from rooftop.weather.clear_sky import split_ghi

_TILT_DEG = 30.0
_EAST_DEG, _WEST_DEG = 90.0, 270.0


def clock_cost(
    data: pd.DataFrame, place: tuple[float, float, float], clocks_min: tuple[float, float], components: bool
) -> tuple[float, float]:
    """Return what planes facing east and west get by one clock against another.

    Parameters
    ----------
    data : pandas.DataFrame
        ``ghi dni dhi`` [W/m2]; index: middles of the intervals, time-zone aware.
    place : tuple of float
        Latitude, longitude [deg], altitude [m].
    clocks_min : tuple of float
        The index is shifted by the first for the one, by the second for the other [min].
    components : bool
        DNI and DHI were read and keep with the clock; else they are split from GHI at each clock's sun.

    Returns
    -------
    tuple of float
        East and west, tilted 30°: annual irradiation by the first clock over that by the second, minus 1.

    Notes
    -----
    Planes after Hay and Davies (1980), as in pvlib; the split is `split_ghi`'s.
    """
    one, other = (_planes(data, place, shift, components) for shift in clocks_min)
    return one[0] / other[0] - 1.0, one[1] / other[1] - 1.0


def _planes(
    data: pd.DataFrame, place: tuple[float, float, float], shift_min: float, components: bool
) -> tuple[float, float]:
    index = pd.DatetimeIndex(data.index) + pd.Timedelta(minutes=shift_min)
    sun = pvlib.solarposition.get_solarposition(index, *place)
    zenith, azimuth = sun["zenith"].to_numpy(dtype=float), sun["azimuth"].to_numpy(dtype=float)
    ghi, dni, dhi = (data[name].to_numpy(dtype=float) for name in ("ghi", "dni", "dhi"))
    if not components:
        dni, dhi = split_ghi(ghi, index, place, 90.0 - zenith)
    extra = np.asarray(pvlib.irradiance.get_extra_radiation(np.asarray(index.day_of_year)), dtype=float)
    sums = []
    for facing in (_EAST_DEG, _WEST_DEG):
        sky = pvlib.irradiance.haydavies(_TILT_DEG, facing, dhi, dni, extra, zenith, azimuth)
        beam = dni * np.maximum(pvlib.irradiance.aoi_projection(_TILT_DEG, facing, zenith, azimuth), 0.0)
        sums.append(float(np.nansum(beam + sky)))
    return sums[0], sums[1]
