"""What irradiance at roofs must satisfy: the clear sky above it, the seasons, and DNI and DHI beside it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from rooftop.core.errors import InputError
from rooftop.core.irradiance_units import irradiance_units, unit_factor
from rooftop.core.lang import Text
from rooftop.core.notices import Notice
from rooftop.core.types import B1, F8
from rooftop.inputs.month_order import require_order, season_notice, usual_share
from rooftop.weather import clear_sky_bound, place_altitude
from rooftop.weather.checks import weather_checks
from rooftop.weather.year import MIN_MONTH_KWH_M2

if TYPE_CHECKING:
    from rooftop.inputs.irradiance import Irradiance, IrradianceLayer


@dataclass(frozen=True)
class IrradianceAt:
    """Irradiance and temperature at points.

    Parameters
    ----------
    lon, lat : numpy.ndarray
        (n,) the points, WGS84 [deg].
    ghi_kwh_m2 : numpy.ndarray or None
        (n, 12) where monthly rasters are given.
    ghi_annual_kwh_m2 : numpy.ndarray
        (n,) for 365 days; NaN where there is no value.
    dni_kwh_m2, dhi_kwh_m2 : numpy.ndarray or None
        (n, 12).
    dni_annual_kwh_m2, dhi_annual_kwh_m2 : numpy.ndarray or None
        (n,).
    temp_air_degc : numpy.ndarray or None
        (n, 12) monthly means.
    temp_air_annual_degc : numpy.ndarray or None
        (n,).
    outside, nodata : numpy.ndarray of bool
        (n,) beyond the GHI raster; on it, but without a value.
    notices : tuple of Notice
        What sampling found.
    """

    lon: F8
    lat: F8
    ghi_kwh_m2: F8 | None
    ghi_annual_kwh_m2: F8
    dni_kwh_m2: F8 | None
    dni_annual_kwh_m2: F8 | None
    dhi_kwh_m2: F8 | None
    dhi_annual_kwh_m2: F8 | None
    temp_air_degc: F8 | None
    temp_air_annual_degc: F8 | None
    outside: B1
    nodata: B1
    notices: tuple[Notice, ...] = ()

    def with_notices(self, notices: tuple[Notice, ...]) -> IrradianceAt:
        """Return the same with notices added."""
        return replace(self, notices=(*self.notices, *notices))


# ---------------------------------------------------------------------------------------------------------- notices


def sample_notices(at: IrradianceAt, undeclared: dict[str, int], source: str) -> tuple[Notice, ...]:
    """Report roofs without value, missing cells the file does not declare, seasons, and DNI and DHI."""
    notices: list[Notice] = []
    for code, flags, en, zh in (
        ("irradiance_outside", at.outside, "lie outside the irradiance raster", "位于辐照栅格范围之外"),
        ("irradiance_nodata", at.nodata, "lie where the irradiance raster has no value", "位于辐照栅格无数据处"),
    ):
        n = int(flags.sum())
        if n:
            text = Text(f"{n} roofs {en}; they are not computed", f"{n} 个屋顶{zh}，不参与计算")
            where = tuple(f"{x:.5f}, {y:.5f}" for x, y in zip(at.lon[flags][:5], at.lat[flags][:5], strict=True))
            notices.append(Notice(code, text, n, source=source, examples=where))
    for role, n in undeclared.items():
        if n:
            text = Text(
                f"{n} cells of the {role} raster near the roofs hold impossible values (negative, zero, huge) that the "
                "file does not declare as nodata; they were taken as missing",
                f"{role} 栅格在屋顶附近有 {n} 个像元为不可能的值（负值、零或极大值）且未声明为无数据，已按缺测处理",
            )
            notices.append(Notice("undeclared_nodata", text, n, source=source))
    return (*notices, *_season_notice(at, source), *_component_notices(at, source))


def _season_notice(at: IrradianceAt, source: str) -> tuple[Notice, ...]:
    """Warn where the months do not follow the sun."""
    known = np.isfinite(at.ghi_annual_kwh_m2)
    if at.ghi_kwh_m2 is None or not known.any():
        return ()
    clear = _bounds(at.lon[known][:1], at.lat[known][:1])[0]
    return season_notice(at.ghi_kwh_m2[known].mean(axis=0), clear, float(at.lat[known].mean()), source)


def _component_notices(at: IrradianceAt, source: str) -> tuple[Notice, ...]:
    limits = weather_checks().dni_to_ghi
    notices = []
    ghi = at.ghi_annual_kwh_m2
    if at.dni_annual_kwh_m2 is not None:
        both = np.isfinite(ghi) & np.isfinite(at.dni_annual_kwh_m2)
        ratio = at.dni_annual_kwh_m2[both] / ghi[both]
        doubtful = (ratio < limits.low) | (ratio > limits.high)
        span = f"{ratio.min():.2f}-{ratio.max():.2f}" if both.any() else "-"
        text = Text(
            f"annual DNI / GHI of the rasters is {span} (usual {limits.low} to {limits.high}); the DNI raster is "
            "compared only, beam and diffuse follow the weather",
            f"栅格年 DNI/GHI 为 {span}（通常 {limits.low}~{limits.high}）；"
            "DNI 栅格仅用于比较，直射与散射比例取自气象数据",
        )
        bad = bool(doubtful.any()) or not both.any()
        notices.append(Notice("dni_raster", text, int(both.sum()), "warning" if bad else "info", source))
    if at.dhi_annual_kwh_m2 is not None:
        both = np.isfinite(ghi) & np.isfinite(at.dhi_annual_kwh_m2)
        share = at.dhi_annual_kwh_m2[both] / ghi[both]
        doubtful = (share > 1.0) | (share < 0.1)
        span = f"{share.min():.2f}-{share.max():.2f}" if both.any() else "-"
        text = Text(
            f"annual DHI / GHI of the rasters is {span}; the DHI raster is compared only, beam and diffuse follow the "
            "weather",
            f"栅格年 DHI/GHI 为 {span}；DHI 栅格仅用于比较，直射与散射比例取自气象数据",
        )
        bad = bool(doubtful.any()) or not both.any()
        notices.append(Notice("dhi_raster", text, int(both.sum()), "warning" if bad else "info", source))
    return tuple(notices)


# -------------------------------------------------------------------------------------------------------- clear sky


def check_against_clear_sky(at: IrradianceAt, irradiance: Irradiance) -> tuple[Notice, ...]:
    """Refuse what no sky can give.

    Parameters
    ----------
    at : IrradianceAt
        Sampled totals.
    irradiance : Irradiance
        Where they come from, for the messages.

    Returns
    -------
    tuple of Notice
        GHI as a share of the clean clear sky's.

    Raises
    ------
    InputError
        GHI of a year or month above that of a clean, dry, cloudless sky (Ineichen & Perez 2002, Linke turbidity 2),
        absurdly far below it, or temperatures that no place has; with the numbers and the unit that would fit.
    """
    layer = irradiance.layers[0]
    known = np.flatnonzero(np.isfinite(at.ghi_annual_kwh_m2))
    if not len(known):
        return ()
    lon, lat = at.lon[known], at.lat[known]
    bound = _bounds(lon, lat)
    checks = weather_checks().clear_sky_bound
    annual, year = at.ghi_annual_kwh_m2[known], bound.sum(axis=1)
    low = checks.annual_low_share.value
    _require_within(annual[:, None], year[:, None], low, np.ones((len(known), 1), bool), (lon, lat), layer)
    if at.ghi_kwh_m2 is not None:
        judged = bound >= checks.monthly_floor_kwh_m2.value
        low = checks.monthly_low_share.value
        if _wrong_share(at.ghi_kwh_m2[known], bound, low, judged)[1].any():
            require_order(at.ghi_kwh_m2[known], bound, str(layer.bands[0].path))
        _require_within(at.ghi_kwh_m2[known], bound, low, judged, (lon, lat), layer)
    _check_temperature(at, irradiance)
    return (_share_notice(annual / year, str(layer.bands[0].path)),)


def _wrong_share(totals: F8, clear: F8, low: float, judged: B1) -> tuple[F8, B1]:
    """Return totals as shares of the clear sky's, and which of them no sky can give."""
    high = weather_checks().clear_sky_bound.tolerance.value
    ratio = np.where(judged, totals / np.where(judged, clear, 1.0), 0.5)
    return ratio, (ratio > high) | (ratio < low)


def _require_within(
    totals: F8, clear: F8, low: float, judged: B1, place: tuple[F8, F8], layer: IrradianceLayer
) -> None:
    """Raise for the worst of (n, 1) annual or (n, 12) monthly totals outside low to tolerance times `clear`."""
    high = weather_checks().clear_sky_bound.tolerance.value
    ratio, wrong = _wrong_share(totals, clear, low, judged)
    if not wrong.any():
        return
    distance = np.where(wrong, np.abs(np.log(np.maximum(ratio, 1e-9))), -1.0)
    row, column = (int(k) for k in np.unravel_index(int(distance.argmax()), wrong.shape))
    month = None if totals.shape[1] == 1 else column + 1
    source = str(layer.bands[0 if month is None else column].path)
    raise _refusal(
        Text(
            f"{source}, at {place[0][row]:.3f} E, {place[1][row]:.3f} N",
            f"{source}，位于 {place[0][row]:.3f} E，{place[1][row]:.3f} N",
        ),
        layer.config.unit,
        (float(totals[row, column]), low * float(clear[row, column]), high * float(clear[row, column])),
        float(clear[row, column]),
        f"{int(wrong.any(axis=1).sum())}/{len(totals)}",
        month,
    )


def dark_months(lon: F8, lat: F8) -> B1:
    """Return (n, 12): months whose sun, if it rises at all, brings nothing worth the name; none without a place."""
    dark = np.zeros((len(lon), 12), dtype=bool)
    known = np.isfinite(lon) & np.isfinite(lat)
    if known.any():
        dark[known] = _bounds(lon[known], lat[known]) < MIN_MONTH_KWH_M2
    return dark


def _bounds(lon: F8, lat: F8) -> F8:
    """Return (n, 12) clear-sky bounds [kWh/m2], computed once per quarter degree."""
    cells = np.round(np.stack([lon, lat], axis=1) * 4.0) / 4.0
    unique, inverse = np.unique(cells, axis=0, return_inverse=True)
    table = np.array([clear_sky_bound(y, place_altitude(float(y), float(_wrap_longitude(x)))) for x, y in unique])
    return np.asarray(table[inverse.ravel()], dtype=float)


def _wrap_longitude(longitude: float) -> float:
    return float(np.mod(longitude + 180.0, 360.0) - 180.0)


def _refusal(
    where: Text, unit: str, numbers: tuple[float, float, float], clear: float, roofs: str, month: int | None
) -> InputError:
    value, low, high = numbers
    guess = _unit_guess(unit, value, clear)
    of_en, of_zh = ("a year", "年") if month is None else (f"in month {month}", f"{month} 月")
    mend = (
        Text(f"looks like {guess} declared as {unit}: correct unit", f"数值像是 {guess}，却声明为 {unit}：请更正 unit")
        if guess
        else Text("check unit, period, scale and nodata of the raster", "请检查栅格的单位、时段、比例系数与无数据值")
    )
    return InputError(
        Text("the irradiance raster says what no sky can give", "辐照栅格的数值不可能来自任何天空"),
        where=where,
        found=Text(
            f"GHI {value:,.4g} kWh/m2 {of_en} (declared unit {unit}), {roofs} roofs",
            f"{of_zh}总辐照量 {value:,.4g} kWh/m2（声明单位 {unit}），{roofs} 个屋顶",
        ),
        expected=Text(
            f"{low:,.0f} to {high:,.0f} kWh/m2 (a clean cloudless sky gives {clear:,.0f})",
            f"{low:,.0f}~{high:,.0f} kWh/m2（洁净无云天空为 {clear:,.0f}）",
        ),
        mend=mend,
    )


def _unit_guess(unit: str, value: float, clear: float) -> str:
    """Return the units under which the same stored number would be plausible: 0.35 to 0.95 of the clear sky."""
    year = np.array([365.0])
    stored = value / unit_factor(unit, year)
    low, high = usual_share()
    others = [other for other in irradiance_units().of_irradiance if other != unit]
    return " / ".join(u for u in others if low <= float((stored * unit_factor(u, year))[0]) / clear <= high)


def _share_notice(share: F8, source: str) -> Notice:
    text = Text(
        f"GHI of the raster is {share.min():.0%} to {share.max():.0%} of a clean cloudless sky: plausible",
        f"栅格总辐照量为洁净无云天空的 {share.min():.0%}~{share.max():.0%}：合理",
    )
    return Notice("clear_sky_share", text, len(share), "info", source)


def _check_temperature(at: IrradianceAt, irradiance: Irradiance) -> None:
    values = at.temp_air_degc if at.temp_air_degc is not None else at.temp_air_annual_degc
    if values is None:
        return
    known = values[np.isfinite(values)]
    limits = weather_checks().temperature
    if not len(known) or (limits.low <= known.min() and known.max() <= limits.high):
        return
    layer = next(layer for layer in irradiance.layers if layer.role == "temp_air")
    other = " / ".join(unit for unit in irradiance_units().of_temperature if unit != layer.config.unit)
    raise InputError(
        Text("the temperature raster says what no place has", "气温栅格的数值不可能"),
        where=str(layer.bands[0].path),
        found=Text(
            f"{known.min():.1f} to {known.max():.1f} degC (declared unit {layer.config.unit})",
            f"{known.min():.1f}~{known.max():.1f} ℃（声明单位 {layer.config.unit}）",
        ),
        expected=Text(f"{limits.low:g} to {limits.high:g} degC", f"{limits.low:g}~{limits.high:g} ℃"),
        mend=Text(f"perhaps the unit is {other}", f"单位可能是 {other}"),
    )
