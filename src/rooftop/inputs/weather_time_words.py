"""What is said of a weather file's times: which evidence there is, what was moved, what doubt costs."""

from __future__ import annotations

from rooftop.core.lang import Text
from rooftop.core.notices import Notice
from rooftop.inputs.weather_noon import Noon
from rooftop.inputs.weather_time import Closure, TimeFit
from rooftop.weather.checks import weather_checks
from rooftop.weather.clear_sky import HOURS

Cost = tuple[float, float]


def time_notices(fit: TimeFit, label: Text, source: str, cost: Cost | None) -> tuple[Notice, ...]:
    """Say what the file's light and closure show, and which time is used.

    Parameters
    ----------
    fit : TimeFit
        With the finished year's closure.
    label : Text
        The format's convention.
    source : str
        The file.
    cost : tuple of float, optional
        What planes facing east and west would get too much: unmoved where the file was moved, as it is where doubt is
        left.
    """
    if fit.shift_min:
        text = _shift_text(fit, label)
        text_with_cost = _with_cost(text, cost, Text("unmoved", "若不移动"))
        notices = [Notice("weather_time_shifted", text_with_cost, HOURS, source=source)]
    else:
        code = "weather_time_unverified" if fit.closure is None else "weather_closure"
        text = _unverified_text(fit, label) if fit.closure is None else _closure_text(fit, fit.closure, label)
        severity_warns = fit.closure is not None and _closes_poorly(fit)
        notices = [Notice(code, text, HOURS, "warning" if severity_warns else "info", source)]
    if fit.doubt_min:
        notices.append(_doubt_notice(fit, source, cost if not fit.shift_min else None))
    if fit.components_elsewhere and fit.closure is not None:
        notices.append(_elsewhere_notice(fit, fit.closure, source))
    return tuple(notices)


def _closes_poorly(fit: TimeFit) -> bool:
    return fit.rms_final > weather_checks().closure.poor_w_m2.value


def _residual_text(fit: TimeFit) -> Text:
    return Text(
        f"{fit.rms_final:.1f} W/m2 rms (bias {fit.bias_final:+.1f})",
        f"{fit.rms_final:.1f} W/m2（偏差 {fit.bias_final:+.1f}）",
    )


def _closure_text(fit: TimeFit, closure: Closure, label: Text) -> Text:
    now = _residual_text(fit)
    other = Text("; no other time fits better", "；其他时刻均不更优")
    if closure.shift_min:
        other = Text(
            f"; it would be {closure.rms_best:.1f} with the sun {closure.shift_min:+.0f} min away",
            f"；若移动 {closure.shift_min:+.0f} 分钟则为 {closure.rms_best:.1f}",
        )
    return Text(
        "{label}; GHI = DNI·cos z + DHI closes to {now} with the sun at mid-interval{other}",
        "{label}；太阳取时段中点时 GHI = DNI·cos z + DHI 的均方根误差为 {now}{other}",
    ).format(label=label, now=now, other=other)


def _light_text(noon: Noon) -> Text:
    """Say where the light stands: on clear days, else on all days."""
    if noon.steady:
        beside = Text("", "")
        if not noon.clear:
            beside = Text(
                f", sunrise and sunset fit {noon.edges_min:+.0f} min", f"，日出日落相差 {noon.edges_min:+.0f} 分钟"
            )
        return Text(
            "on {n_days} clear days the light is centred {late_min:+.0f} min from true solar noon{beside}",
            "{n_days} 个晴天的日照中心与真太阳时正午相差 {late_min:+.0f} 分钟{beside}",
        ).format(n_days=noon.n_days, late_min=noon.late_min, beside=beside)
    return Text(
        f"no clear days show the time; the light of all days is centred {noon.all_days_min:+.0f} min from true solar "
        f"noon, sunrise and sunset fit {noon.edges_min:+.0f} min",
        f"无足够晴天判断时刻；全部日照中心与真太阳时正午相差 {noon.all_days_min:+.0f} 分钟，"
        f"日出日落相差 {noon.edges_min:+.0f} 分钟",
    )


def _unverified_text(fit: TimeFit, label: Text) -> Text:
    light, weather = _light_text(fit.noon), Text("", "")
    if not fit.noon.steady and abs(fit.noon.all_days_min) >= weather_checks().noon.notable_min.value:
        weather = Text(
            ": the declared time; mornings and afternoons are not equally cloudy",
            "：与文件时刻相符，上下午云量不同",
        )
    if fit.doubt_min:
        weather = Text("", "")
    return Text(
        "{label}; closure cannot be checked, {light}{weather}", "{label}；无法检验闭合，{light}{weather}"
    ).format(label=label, light=light, weather=weather)


def _shift_text(fit: TimeFit, label: Text) -> Text:
    closure, light = fit.closure, _light_text(fit.noon)
    moved = f"{fit.shift_min:+.0f} min"
    if fit.basis == "closure" and closure is not None:
        now = _residual_text(fit)
        return Text(
            "{label}; but GHI = DNI·cos z + DHI closes to {rms_declared:.1f} W/m2 rms at that time and to "
            "{rms_best:.1f} with the sun {moved} away, and {light}: the file's times were moved by {moved}; the year "
            "now closes to {now}",
            "{label}；但按此时刻 GHI = DNI·cos z + DHI 的均方根误差为 {rms_declared:.1f} W/m2，移动 {shift_min:+.0f} "
            "分钟后为 {rms_best:.1f}，且{light}：已将时间移动 {shift_min:+.0f} 分钟；现均方根误差为 {now}",
        ).format(
            label=label,
            rms_declared=closure.rms_declared,
            rms_best=closure.rms_best,
            moved=moved,
            light=light,
            now=now,
            shift_min=fit.shift_min,
        )
    sun = Text(
        f"; sunrise and sunset fit {fit.noon.edges_min:+.0f} min" if fit.noon.clear else "",
        f"；日出日落相差 {fit.noon.edges_min:+.0f} 分钟" if fit.noon.clear else "",
    )
    return Text(
        "{label}; but {light}{sun}: the file's times were moved by {moved}",
        "{label}；但{light}{sun}：已将时间移动 {shift_min:+.0f} 分钟",
    ).format(label=label, light=light, sun=sun, moved=moved, shift_min=fit.shift_min)


def _with_cost(text: Text, cost: Cost | None, when: Text) -> Text:
    if cost is None:
        return text
    east, west = cost
    return Text(
        "{text}; {when}, roofs of 30° facing east would get {east:+.0%} a year and west {west:+.0%}",
        "{text}；{when}，朝东 30° 屋面全年将为 {east:+.0%}，朝西为 {west:+.0%}",
    ).format(text=text, when=when, east=east, west=west)


def _doubt_notice(fit: TimeFit, source: str, cost: Cost | None) -> Notice:
    light, shift = _light_text(fit.noon), fit.doubt_min
    text = Text(
        "the times of the file stay doubtful: {light}; they were kept, and would be right if moved by {shift:+.0f} min",
        "文件时刻存疑：{light}；仍按文件时刻计算，若确有误则应移动 {shift:+.0f} 分钟",
    ).format(light=light, shift=shift)
    text_with_cost = _with_cost(text, cost, Text("if so, as they are", "若确有误，按现有时刻"))
    return Notice("weather_time_doubtful", text_with_cost, HOURS, source=source)


def _elsewhere_notice(fit: TimeFit, closure: Closure, source: str) -> Notice:
    apart = closure.shift_min - fit.shift_min
    if not closure.better_than(fit.shift_min):
        rms = closure.rms(fit.shift_min)
        text = Text(
            f"DNI·cos z + DHI misses GHI by {rms:.0f} W/m2 rms, at other times of the sun too: they are not of the "
            "same hours and were computed anew from GHI (Erbs et al. 1982)",
            f"DNI·cos z + DHI 与 GHI 的均方根差达 {rms:.0f} W/m2，换用其他太阳时刻亦然：并非同一时刻的数据，"
            "已由 GHI 重新推算（Erbs 等，1982）",
        )
        return Notice("components_recomputed", text, HOURS, source=source)
    text = Text(
        f"DNI and DHI fit a sun {apart:+.0f} min away from that of GHI (closure {closure.rms_best:.1f} against "
        f"{closure.rms(fit.shift_min):.1f} W/m2): they were made at another time and were computed anew from GHI (Erbs "
        "et al. 1982)",
        f"DNI 与 DHI 对应的太阳时刻与 GHI 相差 {apart:+.0f} 分钟（闭合误差 {closure.rms_best:.1f} 对 "
        f"{closure.rms(fit.shift_min):.1f} W/m2）：并非同一时刻的数据，已由 GHI 重新推算（Erbs 等，1982）",
    )
    return Notice("components_recomputed", text, HOURS, source=source)
