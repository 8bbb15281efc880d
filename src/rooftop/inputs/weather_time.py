"""When the rows of a weather file are: closure and the symmetry of clear days against the sun."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pvlib
from numpy.typing import NDArray

from rooftop.lang import Text
from rooftop.notices import Notice
from rooftop.weather.clear_sky import HOURS, Array, weather_checks


@dataclass(frozen=True)
class SunTime:
    """The sun at the declared middles of the hours, quickly, for any shift.

    Parameters
    ----------
    mid_utc : numpy.ndarray
        (8760,) minutes since the beginning of the nominal year, UTC.
    latitude, longitude : float
        [deg].
    """

    mid_utc: Array
    latitude: float
    longitude: float

    def hour_angle(self, shift_min: float) -> Array:
        """Return the hour angle [deg], negative before solar noon, in -180..180."""
        minutes = self.mid_utc + shift_min
        equation = np.asarray(pvlib.solarposition.equation_of_time_spencer71(minutes / 1440.0 + 1.0), dtype=float)
        solar = minutes + 4.0 * self.longitude + equation
        return np.mod(solar / 4.0, 360.0) - 180.0

    def sin_elevation(self, shift_min: float) -> Array:
        """Return the sine of the sun's elevation, 0 below the horizon (Spencer 1971: within 0.1°)."""
        day = np.mod((self.mid_utc + shift_min) / 1440.0, 365.0) + 1.0
        declination = np.asarray(pvlib.solarposition.declination_spencer71(day), dtype=float)
        phi = np.radians(self.latitude)
        cosine = np.cos(np.radians(self.hour_angle(shift_min)))
        return np.maximum(np.sin(phi) * np.sin(declination) + np.cos(phi) * np.cos(declination) * cosine, 0.0)

    def solar_day(self, shift_min: float) -> NDArray[np.int64]:
        """Return the number of the solar day of each hour, 0..364."""
        return np.mod(np.floor((self.mid_utc + shift_min + 4.0 * self.longitude) / 1440.0), 365).astype(np.int64)


@dataclass(frozen=True)
class TimeFit:
    """How well the sun fits the file at the declared and at the best time.

    Parameters
    ----------
    rms_declared, rms_best : float
        Closure rms [W/m2] over hours with GHI; NaN where a component is absent.
    shift_min : float
        Best shift of the file's times [min].
    asymmetry_declared, asymmetry_best : float
        Logarithm of the morning-to-afternoon ratio of clear days over that of a clear sky; 0 is symmetric.
    adopted : bool
        The shift is used.
    rms_final, bias_final : float
        Closure of the finished year [W/m2].
    """

    rms_declared: float
    rms_best: float
    shift_min: float
    asymmetry_declared: float
    asymmetry_best: float
    adopted: bool
    rms_final: float = float("nan")
    bias_final: float = float("nan")


def fit_time(slots: pd.DataFrame, present: dict[str, bool], sun: SunTime) -> TimeFit:
    """Find the shift of the file's times at which GHI = DNI·cos z + DHI closes best.

    Parameters
    ----------
    slots : pandas.DataFrame
        8760 hours as declared, NaN where missing.
    present : dict
        Columns that exist.
    sun : SunTime
        The sun at the declared middles.

    Returns
    -------
    TimeFit
        The shift is adopted only where it closes much better and clear days are then no less symmetric about noon.
    """
    checks = weather_checks()["closure"]
    column = "ghi" if present["ghi"] else "dhi"
    ghi = np.nan_to_num(slots[column].to_numpy(dtype=float))
    declared = _asymmetry(ghi, sun, 0.0)
    if not all(present[n] for n in ("ghi", "dni", "dhi")):
        return TimeFit(float("nan"), float("nan"), 0.0, declared, declared, False)
    parts = slots[["ghi", "dni", "dhi"]].to_numpy(dtype=float)
    rows = np.isfinite(parts).all(axis=1) & (parts[:, 0] > 0.0)

    lit = SunTime(sun.mid_utc[rows], sun.latitude, sun.longitude)
    beam, rest = parts[rows, 1], parts[rows, 0] - parts[rows, 2]

    def rms(shift: float) -> float:
        return float(np.sqrt(((rest - beam * lit.sin_elevation(shift)) ** 2).mean()))

    coarse = float(checks["coarse_step_min"]["value"])
    fine = float(checks["fine_step_min"]["value"])
    around = min(np.arange(-720.0, 720.0, coarse), key=lambda s: (rms(s), abs(s)))
    best = float(min(around + np.arange(-coarse, coarse + fine / 2, fine), key=lambda s: (rms(s), abs(s))))
    rms_declared, rms_best = rms(0.0), rms(best)
    symmetric = _asymmetry(ghi, sun, best)
    adopted = (
        rms_declared - rms_best >= float(checks["adopt_gain_w_m2"]["value"])
        and rms_best <= rms_declared * float(checks["adopt_ratio"]["value"])
        and abs(symmetric) <= abs(declared) + float(checks["symmetry_tolerance"]["value"])
    )
    return TimeFit(rms_declared, rms_best, best, declared, symmetric, bool(adopted))


def _asymmetry(ghi: Array, sun: SunTime, shift_min: float) -> float:
    """Compare mornings with afternoons on the clearest tenth of the days of each month-long block.

    Clear sky of Haurwitz (1945): only its symmetry matters here.
    """
    sin_h = sun.sin_elevation(shift_min)
    clear = 1098.0 * sin_h * np.exp(-0.059 / np.maximum(sin_h, 0.01))
    day = sun.solar_day(shift_min)
    daily, daily_clear = np.bincount(day, ghi, 365), np.bincount(day, clear, 365)
    clearness = np.where(daily_clear > 100.0, daily / np.maximum(daily_clear, 100.0), 0.0)
    chosen = np.zeros(365, dtype=bool)
    for start in range(0, 365, 30):
        block = np.arange(start, min(start + 30, 365))
        chosen[block[np.argsort(-clearness[block], kind="stable")[: max(1, len(block) // 10)]]] = True
    rows = chosen[day]
    morning = sun.hour_angle(shift_min) < 0.0
    sums = [x[rows & half].sum() for x in (ghi, clear) for half in (morning, ~morning)]
    if min(sums) <= 0.0:
        return 9.0
    return float(np.log(sums[0] / sums[1] * sums[3] / sums[2]))


def time_notice(fit: TimeFit, label: Text, source: str) -> tuple[Notice, ...]:
    """Say what the closure is and which time is used."""
    if np.isnan(fit.rms_declared):
        return _symmetry_notice(fit, label, source)
    poor = fit.rms_final > float(weather_checks()["closure"]["poor_w_m2"]["value"])
    now_en = f"{fit.rms_final:.1f} W/m2 rms (bias {fit.bias_final:+.1f})"
    now_zh = f"{fit.rms_final:.1f} W/m2（偏差 {fit.bias_final:+.1f}）"
    if fit.adopted:
        return (Notice("weather_time_shifted", _shifted_text(fit, label, now_en, now_zh), HOURS, "warning", source),)
    if fit.shift_min:
        other_en = f"; it would be {fit.rms_best:.1f} with the sun {fit.shift_min:+.0f} min away"
        other_zh = f"；若移动 {fit.shift_min:+.0f} 分钟则为 {fit.rms_best:.1f}"
    else:
        other_en, other_zh = "; no other time fits better", "；其他时刻均不更优"
    text = Text(
        f"{label.en}; GHI = DNI·cos z + DHI closes to {now_en} with the sun at mid-interval{other_en}",
        f"{label.zh}；太阳取时段中点时 GHI = DNI·cos z + DHI 的均方根误差为 {now_zh}{other_zh}",
    )
    return (Notice("weather_closure", text, HOURS, "warning" if poor else "info", source),)


def _shifted_text(fit: TimeFit, label: Text, now_en: str, now_zh: str) -> Text:
    before, after = (float(np.expm1(abs(a))) for a in (fit.asymmetry_declared, fit.asymmetry_best))
    return Text(
        f"{label.en}; but GHI = DNI·cos z + DHI closes to {fit.rms_declared:.1f} W/m2 rms at that time and to "
        f"{fit.rms_best:.1f} with the sun {fit.shift_min:+.0f} min away, where mornings and afternoons of clear days "
        f"differ by {after:.1%} instead of {before:.1%}: the file's times were moved by {fit.shift_min:+.0f} min; "
        f"the year now closes to {now_en}",
        f"{label.zh}；但按此时刻 GHI = DNI·cos z + DHI 的均方根误差为 {fit.rms_declared:.1f} W/m2，"
        f"移动 {fit.shift_min:+.0f} 分钟后为 {fit.rms_best:.1f}，晴天上下午差异由 {before:.1%} 变为 {after:.1%}："
        f"已将时间移动 {fit.shift_min:+.0f} 分钟；现均方根误差为 {now_zh}",
    )


def _symmetry_notice(fit: TimeFit, label: Text, source: str) -> tuple[Notice, ...]:
    """Closure says nothing where components are derived; the symmetry of clear days still does."""
    skew = float(np.expm1(abs(fit.asymmetry_declared)))
    suspicious = abs(fit.asymmetry_declared) > 3.0 * float(weather_checks()["closure"]["symmetry_tolerance"]["value"])
    return (
        Notice(
            "weather_time_unverified",
            Text(
                f"{label.en}; closure cannot be checked, clear days differ by {skew:.1%} between morning and afternoon"
                + ("; the times of the file may be wrong" if suspicious else ""),
                f"{label.zh}；无法检验闭合，晴天上下午差异 {skew:.1%}" + ("；文件时间可能有误" if suspicious else ""),
            ),
            count=HOURS,
            severity="warning" if suspicious else "info",
            source=source,
        ),
    )
