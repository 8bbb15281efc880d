"""What a reader must know of the way racks look and stand apart."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rooftop.core.lang import Text
from rooftop.core.notices import Notice
from rooftop.scene.equator import SideRules, Sides, equatorward_deg

_SOURCE = "system.flat"


def place_text(latitude_deg: float) -> Text:
    """Return a latitude as people write it."""
    size = f"{abs(latitude_deg):.2f}°"
    return Text(f"{size} N", f"北纬 {size}") if latitude_deg >= 0.0 else Text(f"{size} S", f"南纬 {size}")


def clear_hours_text(rules: SideRules) -> Text:
    """Say in which hours, and on which days, rows are clear of each other's shade."""
    sun = rules.sun
    hours = f"{_clock(sun.first_hour)}–{_clock(sun.last_hour)}"
    if sun.all_year:
        return Text(f"{hours} true solar time, all year", f"全年 {hours}（真太阳时）")
    first, last = sun.days()
    return Text(
        f"{hours} true solar time from {first.day} {first:%B} to {last.day} {last:%B}",
        f"{first.month} 月 {first.day} 日至 {last.month} 月 {last.day} 日 {hours}（真太阳时）",
    )


def row_notices(rules: Sequence[SideRules], sides: Sides, mounting: str) -> tuple[Notice, ...]:
    """Say where the rules of the roofs' latitude are not those of most Chinese towns."""
    notices = []
    counts = np.bincount(sides.of_roof, minlength=len(rules)).tolist()
    if len(rules) > 1:
        north, south = counts
        text = Text(
            f"the equator runs through the data: {north} buildings lie north of it and {south} south of it; each has "
            "the rules of its own side",
            f"数据跨越赤道：{north} 栋在北侧，{south} 栋在南侧，各按所在一侧的规则布置",
        )
        notices.append(Notice("both_hemispheres", text, min(counts), "info", _SOURCE))
    for side, n in zip(rules, counts, strict=True):
        if side.latitude_deg < 0.0:
            notices.append(_south_notice(side, n, mounting))
        if mounting == "rack" and not side.sun.all_year:
            notices.append(_later_sun_notice(side, n))
    return tuple(notices)


def poleward_notice(rules: SideRules, tilt_deg: float, loss: float, n_roofs: int) -> Notice:
    """Warn that the racks look to the pole, with what that costs.

    Parameters
    ----------
    tilt_deg : float
        Of the racks for which the loss was computed.
    loss : float
        Share of the yield per kWp, against racks of this tilt that look to the equator.
    """
    place, azimuth = place_text(rules.latitude_deg), f"{rules.azimuth_deg:g}°"
    equator = f"{equatorward_deg(rules.latitude_deg):g}°"
    text = Text(
        "racks look to azimuth {azimuth}, away from the equator at {place}: at a tilt of {tilt_deg:g}° they yield "
        "{loss:.1%} less per kWp than at {equator}, which azimuth_deg: auto takes",
        "支架方位角 {azimuth}，在{place}处背向赤道：倾角 {tilt_deg:g}° 时每千瓦发电量比方位角 {equator}"
        "（azimuth_deg: auto 的取值）少 {loss:.1%}",
    ).format(azimuth=azimuth, place=place, tilt_deg=tilt_deg, loss=loss, equator=equator)
    return Notice("racks_face_pole", text, n_roofs, "warning", f"{_SOURCE}.azimuth_deg")


def _south_notice(rules: SideRules, n_roofs: int, mounting: str) -> Notice:
    facing = (f"; racks look to azimuth {rules.azimuth_deg:g}°", f"；支架朝方位角 {rules.azimuth_deg:g}°")
    racks = facing if mounting == "rack" else ("", "")
    limit = f"{rules.poleward_min_tilt_deg:.0f}°"
    text = Text(
        f"{n_roofs} buildings lie south of the equator: midwinter is in June, and planes that face south stay empty "
        f"from a tilt of {limit} on{racks[0]}",
        f"{n_roofs} 栋建筑位于南半球：以 6 月为隆冬，坡度 {limit} 及以上的朝南坡面不布置组件{racks[1]}",
    )
    return Notice("southern_hemisphere", text, n_roofs, "info", _SOURCE)


def _later_sun_notice(rules: SideRules, n_roofs: int) -> Notice:
    place, hours, sun = place_text(rules.latitude_deg), clear_hours_text(rules), rules.sun
    least, clock = f"{sun.elevation_deg:.1f}°", _clock(sun.first_hour)
    text = Text(
        "at {place} the midwinter sun stands below {least} at {clock}, too low for the rule of GB 50797: racks are "
        "clear of each other's shade {hours}, with {shadow_ratio:.1f} m of room per metre of height; east-west racks "
        "need none of it",
        "{place}处隆冬 {clock} 太阳高度不足 {least}，GB 50797 的规则无法适用：支架间距按 {hours}互不遮挡确定，每米高"
        "差留 {shadow_ratio:.1f} m；东西向支架不需要此间距",
    ).format(place=place, least=least, clock=clock, hours=hours, shadow_ratio=rules.shadow_ratio)
    return Notice("rows_later_sun", text, n_roofs, "info", _SOURCE)


def _clock(hour: float) -> str:
    return f"{int(hour)}:{round(hour % 1.0 * 60.0):02d}"
