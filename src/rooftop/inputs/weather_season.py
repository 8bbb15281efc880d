"""Whether the months of GHI run with the seasons of a place."""

from __future__ import annotations

import numpy as np

from rooftop.core.errors import InputError
from rooftop.core.lang import Text
from rooftop.core.notices import Notice
from rooftop.core.types import F8
from rooftop.weather.checks import weather_checks
from rooftop.weather.clear_sky import nominal_index, sun_elevation
from rooftop.weather.synthetic import extraterrestrial_months


def season_correlation(months_kwh_m2: F8, latitude: float) -> float:
    """Return how monthly GHI follows the light above the atmosphere at a latitude, -1 to 1; 1 in the tropics.

    Parameters
    ----------
    months_kwh_m2 : numpy.ndarray
        (12,) GHI.
    latitude : float
        [deg].
    """
    outside = weather_checks().season.outside_deg.value
    if abs(latitude) < outside or np.ptp(months_kwh_m2) <= 0.0:
        return 1.0
    index = nominal_index(0.0)
    above = extraterrestrial_months(index, sun_elevation(index, latitude, 0.0))
    return float(np.corrcoef(months_kwh_m2, above)[0, 1])


def require_season(months_kwh_m2: F8, latitude: float, source: str, whose: Text) -> None:
    """Raise where monthly GHI runs opposite to the seasons of a place.

    Parameters
    ----------
    months_kwh_m2 : numpy.ndarray
        (12,) GHI.
    latitude : float
        [deg].
    source : str
        The file.
    whose : Text
        Whose latitude it is.

    Raises
    ------
    InputError
        Outside the tropics, correlation with the light above the atmosphere clearly negative.
    """
    correlation = season_correlation(months_kwh_m2, latitude)
    if correlation > weather_checks().season.refuse_correlation.value:
        return
    raise InputError(
        Text(
            "the months of the weather file run opposite to the seasons of the place",
            "气象文件的月份变化与当地季节相反",
        ),
        where=source,
        found=Text(
            f"GHI of January {months_kwh_m2[0]:.0f}, of July {months_kwh_m2[6]:.0f} kWh/m2",
            f"一月总辐照量 {months_kwh_m2[0]:.0f}，七月 {months_kwh_m2[6]:.0f} kWh/m2",
        ),
        expected=Text(
            "more in {month} at {whose}, {latitude:.2f}", "{whose}（纬度 {latitude:.2f}）处应以{month}月为多"
        ).format(month=Text("July", "七") if latitude > 0 else Text("January", "一"), whose=whose, latitude=latitude),
        mend=Text(
            "the sign of the latitude may be lost, the file be of the other hemisphere, or its months be in another "
            "order: give the file of the place",
            "可能是纬度符号丢失、文件属于另一半球或月份顺序有误：请提供当地的文件",
        ),
    )


def compare_months(weather_kwh_m2: F8, raster_kwh_m2: F8, latitude: float, source: str) -> tuple[Notice, ...]:
    """Compare the course through the year of weather and raster.

    Parameters
    ----------
    weather_kwh_m2, raster_kwh_m2 : numpy.ndarray
        (12,) GHI of the file and at the buildings.
    latitude : float
        Of the buildings [deg].
    source : str
        The weather file.

    Returns
    -------
    tuple of Notice
        A month whose share of the year differs much.

    Raises
    ------
    InputError
        The one runs opposite to the other.
    """
    limits = weather_checks().season
    shares = [months / months.sum() for months in (weather_kwh_m2, raster_kwh_m2)]
    if not np.isfinite(shares).all():
        return ()
    outside = abs(latitude) >= limits.outside_deg.value
    if outside and np.corrcoef(*shares)[0, 1] <= limits.refuse_correlation.value:
        raise InputError(
            Text(
                "the months of the irradiance raster run opposite to those of the weather file",
                "辐照栅格的月份变化与气象文件相反",
            ),
            where=Text(f"inputs.irradiance.ghi and {source}", f"inputs.irradiance.ghi 与 {source}"),
            found=Text(
                f"January to July of the year: raster {shares[1][0]:.1%} to {shares[1][6]:.1%}, weather "
                f"{shares[0][0]:.1%} to {shares[0][6]:.1%}",
                f"一月与七月占全年比例：栅格 {shares[1][0]:.1%} 与 {shares[1][6]:.1%}，气象 {shares[0][0]:.1%} 与 "
                f"{shares[0][6]:.1%}",
            ),
            mend=Text("list the raster's months January first", "请按一月在前的顺序排列栅格月份"),
        )
    counted = np.minimum(*shares) >= limits.month_share.value
    apart = np.where(counted, shares[1] / np.maximum(shares[0], 1e-9) - 1.0, 0.0)
    worst = int(np.abs(apart).argmax())
    if abs(apart[worst]) <= limits.month_difference.value:
        return ()
    text = Text(
        f"the course through the year differs: month {worst + 1} has {shares[1][worst]:.1%} of the raster's year and "
        f"{shares[0][worst]:.1%} of the weather file's ({apart[worst]:+.0%}); is the file of this place?",
        f"年内分布不一致：{worst + 1} 月占栅格全年的 {shares[1][worst]:.1%}，占气象文件全年的 {shares[0][worst]:.1%}"
        f"（{apart[worst]:+.0%}）；气象文件是否为当地数据？",
    )
    return (Notice("raster_weather_months", text, 1, source=source),)
