"""Whether twelve months stand in their order: held against the course of a cloudless sky."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from rooftop.core.errors import InputError
from rooftop.core.lang import Text
from rooftop.core.notices import Notice
from rooftop.core.types import F8
from rooftop.weather.checks import weather_checks

_AS_TEXT = [0, 9, 10, 11, 1, 2, 3, 4, 5, 6, 7, 8]
_BACKWARDS = list(range(11, -1, -1))


def usual_share() -> tuple[float, float]:
    """Return which share of a clean cloudless sky's year is usual on land."""
    usual = weather_checks().clear_sky_bound.usual_annual_share
    return usual.low, usual.high


def likely_order(months: F8, clear: F8) -> Text | None:
    """Return in which order months seem to stand, where it explains much better than their own how the year runs.

    Months of a monsoon follow the sun badly, and better when moved by two: small shifts are not looked for.

    Parameters
    ----------
    months, clear : ndarray
        (12,) totals as listed, and of a cloudless sky.
    """
    rule = weather_checks().month_order
    if not months.std() > 0.0:
        return None
    fits = {name: _fit(months, clear, listed) for name, listed in _orders(rule.least_shift.value)}
    best = max(fits, key=lambda name: fits[name])
    now = _fit(months, clear, list(range(12)))
    enough = fits[best] > rule.fits.value and fits[best] - now > rule.better_by.value
    return best if enough else None


def _orders(least_shift: int) -> Iterator[tuple[Text, list[int]]]:
    """Yield orders of mistakes, each with the month (from 0) that stands at each place."""
    yield Text("sorted as text: 1, 10, 11, 12, 2, ...", "按文本排序：1、10、11、12、2……"), _AS_TEXT
    yield Text("December first", "从十二月到一月倒序"), _BACKWARDS
    for k in range(least_shift, 13 - least_shift):
        name = Text(f"those of a year that begins in month {k + 1}", f"从 {k + 1} 月起算")
        yield name, [(k + m) % 12 for m in range(12)]


def _fit(months: F8, clear: F8, listed: list[int]) -> float:
    """Return the correlation with the clear sky once every value is given to its month."""
    return float(np.corrcoef(months, clear[listed])[0, 1])


def season_notice(months: F8, clear: F8, latitude_deg: float, source: str) -> tuple[Notice, ...]:
    """Warn where the months seem to stand in another order, or the sun of winter outshines that of summer.

    Parameters
    ----------
    months, clear : ndarray
        (12,) mean GHI of the roofs, and of a cloudless sky [kWh/m2].
    latitude_deg : float
    source : str
    """
    if abs(latitude_deg) < weather_checks().month_order.from_latitude_deg.value:
        return ()
    order, january, july = likely_order(months, clear), float(months[0]), float(months[6])
    if order is not None:
        text = Text(
            "the course of the year is not that of the sun: the months seem to be {order} (they are taken as listed, "
            "January first)",
            "全年变化与太阳不符：月份顺序似为{order}（按所列顺序，一月在前）",
        ).format(order=order)
    elif (july >= january) != (latitude_deg > 0.0):
        text = Text(
            f"January has {january:.0f} and July {july:.0f} kWh/m2 at latitude {latitude_deg:.1f}: the months seem "
            "to be in the wrong order (they are taken as listed, January first)",
            f"纬度 {latitude_deg:.1f} 处一月为 {january:.0f}、七月为 {july:.0f} kWh/m2：月份顺序可能有误"
            "（按所列顺序，一月在前）",
        )
    else:
        return ()
    return (Notice("month_order", text, 12, source=source),)


def require_order(months: F8, clear: F8, path: str) -> None:
    """Refuse months of which some are impossible, where the year is not: they stand in another order.

    Parameters
    ----------
    months, clear : ndarray
        (n, 12) GHI at roofs, and of a cloudless sky [kWh/m2].
    path : str
        File of the first month.

    Raises
    ------
    InputError
    """
    low, high = usual_share()
    mean, sky = months.mean(axis=0), clear.mean(axis=0)
    order = likely_order(mean, sky)
    if order is None or not low <= float(np.median(months.sum(axis=1) / clear.sum(axis=1))) <= high:
        return
    month = int(np.argmax(mean / np.maximum(sky, 1.0)))
    raise InputError(
        Text("the months of the irradiance raster are in another order", "辐照栅格的月份顺序有误"),
        where=path,
        found=Text(
            "month {month}: {mean:,.0f} kWh/m2, where a cloudless sky gives {sky:,.0f}; the year, "
            "{year:,.0f} kWh/m2, is plausible; the months seem to be {order}",
            "第 {month} 月 {mean:,.0f} kWh/m2，而无云天空为 {sky:,.0f}；全年 {year:,.0f} kWh/m2 合理；顺序似为{order}",
        ).format(month=month + 1, mean=mean[month], sky=sky[month], year=mean.sum(), order=order),
        expected=Text("January first, December last", "一月在前，十二月在后"),
        mend=Text(
            "list the 12 files in that order, or write the bands anew (two digits in names sort well: 01 ... 12)",
            "请按月份顺序列出 12 个文件或重新生成波段（文件名用两位数字 01…12 便于排序）",
        ),
    )
