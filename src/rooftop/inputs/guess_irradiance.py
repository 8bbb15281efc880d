"""What GHI rasters probably hold: their months, and the unit that their values have under the sky of the place."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rooftop.config import RasterInput
from rooftop.core.errors import InputError
from rooftop.core.irradiance_units import RasterPeriod, irradiance_units, unit_factor
from rooftop.core.lang import Text
from rooftop.core.rounding import number
from rooftop.inputs.irradiance import open_irradiance_layer, raster_extent
from rooftop.inputs.raster_sample import Band, sample_band
from rooftop.inputs.rasters import open_raster
from rooftop.weather import clear_sky_bound, place_altitude
from rooftop.weather.clear_sky import DAYS_IN_MONTH

_OPTION = "--irradiance"
_TIF = (".tif", ".tiff")
_SIDE = 256
# Share of a clean cloudless sky that some place on earth has in a year.
_SHARE = (0.35, 0.95)


@dataclass(frozen=True)
class RasterGuess:
    """What GHI rasters probably hold.

    Parameters
    ----------
    paths : tuple of Path
        One file, or twelve, January first.
    period : {"annual", "monthly"}
    unit : str
    unit_remark, period_remark : Text
        Why, and what else it may be.
    """

    paths: tuple[Path, ...]
    period: RasterPeriod
    unit: str
    unit_remark: Text
    period_remark: Text


def guess_irradiance(given: Sequence[Path], place: tuple[float, float] | None = None) -> RasterGuess:
    """Look into GHI rasters.

    Parameters
    ----------
    given : sequence of Path
        One raster of one or twelve bands, twelve rasters of one band in the order of their months or numbered by them,
        or a folder of such.
    place : tuple of float, optional
        Longitude and latitude [deg] where values are looked at; the middle of the raster when left out, or off it.

    Raises
    ------
    InputError
        No raster, or not one or twelve months; as `rooftop.inputs.irradiance.read_irradiance`.
    """
    paths = _in_order([path for item in given for path in _files(item)])
    monthly = len(paths) > 1 or _bands(paths[0]) > 1
    period: RasterPeriod = "monthly" if monthly else "annual"
    layer = open_irradiance_layer(
        "ghi", RasterInput(path=list(paths), unit=irradiance_units().usual(period)[0], period=period)
    )
    if len(paths) > 1:
        why = Text(f"{len(paths)} files, January first", f"{len(paths)} 个文件，自一月起")
    else:
        why = Text("12 bands, January first", "12 个波段，自一月起") if monthly else Text("one band", "单波段")
    stated = _stated_unit(paths[0])
    values = _values(layer.bands, place)
    if stated is not None:
        return RasterGuess(paths, period, stated, Text("as the file says", "据文件自身标注"), why)
    unit, remark = _unit_of(values, period, place or _centre(paths[0]))
    return RasterGuess(paths, period, unit, remark, why)


def _files(item: Path) -> list[Path]:
    if not item.is_dir():
        return [item]
    inside = sorted(p for p in item.iterdir() if p.suffix.lower() in _TIF)
    if inside:
        return inside
    raise InputError(
        Text("the folder holds no GeoTIFF", "文件夹中没有 GeoTIFF"),
        where=f"{_OPTION}: {item}",
        found=", ".join(sorted(p.name for p in item.iterdir())[:5]) or Text("nothing", "无"),
        expected=Text("one raster, or twelve of the months", "一个栅格，或十二个逐月栅格"),
    )


def _in_order(paths: list[Path]) -> tuple[Path, ...]:
    """Return twelve files in the order of the months that their names are numbered by, if they are; else as given."""
    numbers = [[int(n) for n in re.findall(r"\d+", path.stem)] for path in paths]
    if len(paths) == 12 and all(numbers):
        months = [in_name[-1] for in_name in numbers]
        if sorted(months) == list(range(1, 13)):
            return tuple(path for _, path in sorted(zip(months, paths, strict=True)))
    return tuple(paths)


def _bands(path: Path) -> int:
    try:
        with open_raster(path, f"{_OPTION}: {path}") as source:
            return int(source.count)
    except InputError:
        return 1  # what is wrong with it is said when it is opened as what it is meant for


def _centre(path: Path) -> tuple[float, float]:
    west, south, east, north = raster_extent(path, _OPTION)
    return (west + east) / 2.0, (south + north) / 2.0


def _values(bands: Sequence[Band], place: tuple[float, float] | None) -> np.ndarray:
    """Return the value of each band at the place; where there is none, the mean of the band."""
    out = []
    for band in bands:
        value = np.array([np.nan])
        if place is not None:
            value = sample_band(band, np.array([place[0]]), np.array([place[1]])).value
        out.append(float(value[0]) if np.isfinite(value[0]) else _mean(band))
    return np.array(out)


def _mean(band: Band) -> float:
    with open_raster(band.path, band.where) as source:
        shape = (min(source.height, _SIDE), min(source.width, _SIDE))
        cells = source.read(band.index, masked=True, out_shape=shape).astype(float).filled(np.nan)
        cells = cells * source.scales[band.index - 1] + source.offsets[band.index - 1]
    known = cells[np.isfinite(cells) & (cells > band.low) & (cells <= band.high)]
    return float(known.mean()) if known.size else float("nan")


def _unit_of(values: np.ndarray, period: RasterPeriod, place: tuple[float, float]) -> tuple[str, Text]:
    """Return the first unit under which the values are a share of the clear sky that a place can have."""
    clear = clear_sky_bound(place[1], place_altitude(place[1], place[0]))
    days = DAYS_IN_MONTH.astype(float) if len(values) == 12 else np.array([365.0])
    usual = irradiance_units().usual(period)
    share = {unit: float((values * unit_factor(unit, days)).sum() / clear.sum()) for unit in usual}
    fits = [unit for unit in usual if _SHARE[0] <= share[unit] <= _SHARE[1]]
    mean = number(float(np.mean(values)))
    if not fits:
        return irradiance_units().usual("annual")[0], Text(
            f"fill in: the values (about {mean}) fit no unit", f"请填写：数值（约 {mean}）与任何单位都不相符"
        )
    more = ", ".join(fits[1:])
    return fits[0], Text(
        f"guessed from the values (about {mean}), check it" + (f"; {more} would fit too" if more else ""),
        f"据数值（约 {mean}）推断，请核对" + (f"；也可能为 {more}" if more else ""),
    )


def _stated_unit(path: Path) -> str | None:
    """Return the unit that a raster names in its metadata."""
    with open_raster(path, f"{_OPTION}: {path}") as source:
        tags = {key.lower(): str(value) for key, value in (*source.tags().items(), *source.tags(1).items())}
        stated = [source.units[0], *(tags.get(key) for key in ("units", "unit", "units_metadata"))]
    for text in stated:
        bare = _bare_unit(text or "")
        for unit in irradiance_units().of_irradiance:
            if bare and bare == _bare_unit(unit):
                return unit
    return None


def _bare_unit(text: str) -> str:
    """Fold spellings of a unit: ``kWh/m²/day``, ``kWh m-2 day-1``, ``W m**-2``."""
    bare = unicodedata.normalize("NFKC", text).lower().replace("**", "^")
    bare = re.sub(r"([a-z]+)\^?-([12])", lambda m: f"/{m.group(1)}{'2' if m.group(2) == '2' else ''}", bare)
    bare = re.sub(r"[\s^·.*()]", "", bare)
    return re.sub(r"/(?:d|days)$", "/day", re.sub(r"/(?:yr|y|a|annum)$", "/year", bare))
