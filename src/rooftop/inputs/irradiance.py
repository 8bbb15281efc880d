"""Irradiance and temperature rasters: what was declared, checked against the files, and sampled at roofs."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rasterio.warp import transform_bounds

from rooftop.config import IrradianceInput, RasterInput
from rooftop.core.errors import InputError
from rooftop.core.irradiance_units import irradiance_units, no_such_unit, to_degc, unit_factor
from rooftop.core.lang import Text
from rooftop.core.notices import Notice, Provenance, file_sha256
from rooftop.core.types import B1, F8
from rooftop.inputs.irradiance_checks import IrradianceAt, check_against_clear_sky, dark_months, sample_notices
from rooftop.inputs.raster_sample import Band, sample_band
from rooftop.inputs.rasters import (
    RASTER_ERRORS,
    assumes_wgs84,
    bands_of,
    crs_assumed_notice,
    open_raster,
    require_one_variable,
    source_details,
    stated_crs,
)
from rooftop.weather.clear_sky import DAYS_IN_MONTH

__all__ = ["Irradiance", "IrradianceAt", "check_against_clear_sky", "read_irradiance"]

_ROLES = ("ghi", "dni", "dhi", "temp_air")


@dataclass(frozen=True)
class IrradianceLayer:
    """One quantity: a band for the year, or twelve.

    Parameters
    ----------
    role : str
        ``ghi``, ``dni``, ``dhi`` or ``temp_air``.
    config : RasterInput
        As declared.
    bands : tuple of Band
        One (annual) or twelve (monthly).
    extent : tuple of float
        West, south, east, north of the first file [deg]; native units where it cannot be told.
    """

    role: str
    config: RasterInput
    bands: tuple[Band, ...]
    extent: tuple[float, float, float, float]


@dataclass(frozen=True)
class Irradiance:
    """Irradiance rasters, opened and checked; `sample` reads them.

    Parameters
    ----------
    layers : tuple of IrradianceLayer
        GHI first.
    terrain_included : bool
        The rasters already contain the shading of terrain.
    provenance : tuple of Provenance
        One per file.
    notices : tuple of Notice
        What the files say that the declaration does not.
    """

    layers: tuple[IrradianceLayer, ...]
    terrain_included: bool
    provenance: tuple[Provenance, ...]
    notices: tuple[Notice, ...] = ()

    def sample(self, lon: F8, lat: F8) -> IrradianceAt:
        """Read totals at points, bilinear between cell centres.

        Parameters
        ----------
        lon, lat : numpy.ndarray
            (n,) WGS84 [deg]; NaN for roofs without a place.

        Returns
        -------
        IrradianceAt
            kWh/m2 by month (where monthly rasters are given) and year (365 days), degC; NaN where a raster has no
            value there, never zero.

        Raises
        ------
        InputError
            No roof lies on a raster, or all lie on cells without value.
        """
        lon, lat = np.asarray(lon, dtype=float), np.asarray(lat, dtype=float)
        monthly: dict[str, F8 | None] = dict.fromkeys(_ROLES)
        annual: dict[str, F8 | None] = dict.fromkeys(_ROLES)
        flags = {"outside": np.zeros(len(lon), bool), "nodata": np.zeros(len(lon), bool)}
        undeclared: dict[str, int] = {}
        for layer in self.layers:
            values, outside, nodata, missed, empty = _sample_layer(layer, lon, lat)
            _require_some(layer, lon, lat, outside, nodata, empty)
            undeclared[layer.role] = missed
            if layer.role == "ghi":
                flags = {"outside": outside, "nodata": nodata}
            if len(layer.bands) == 12:
                monthly[layer.role] = values
                annual[layer.role] = (
                    values.sum(axis=1) if layer.role != "temp_air" else (values * DAYS_IN_MONTH).sum(axis=1) / 365.0
                )
            else:
                annual[layer.role] = values[:, 0]
        ghi_annual = annual["ghi"]
        if ghi_annual is None:
            raise InputError(
                Text("a GHI raster is required", "必须提供水平面总辐照栅格"), where="inputs.irradiance.ghi"
            )
        at = IrradianceAt(
            lon=lon,
            lat=lat,
            ghi_kwh_m2=monthly["ghi"],
            ghi_annual_kwh_m2=ghi_annual,
            dni_kwh_m2=monthly["dni"],
            dni_annual_kwh_m2=annual["dni"],
            dhi_kwh_m2=monthly["dhi"],
            dhi_annual_kwh_m2=annual["dhi"],
            temp_air_degc=monthly["temp_air"],
            temp_air_annual_degc=annual["temp_air"],
            outside=flags["outside"],
            nodata=flags["nodata"],
        )
        return at.with_notices(sample_notices(at, undeclared, str(self.layers[0].bands[0].path)))


def read_irradiance(config: IrradianceInput) -> Irradiance:
    """Open the rasters and check them against what the configuration declares.

    Parameters
    ----------
    config : IrradianceInput
        Paths, units, periods.

    Returns
    -------
    Irradiance
        Nothing but headers has been read (and each file hashed).

    Raises
    ------
    InputError
        A file is missing, no raster, without CRS, or has the wrong number of bands; a unit does not fit.
    """
    layers: list[IrradianceLayer] = []
    provenance: list[Provenance] = []
    notices: list[Notice] = []
    for role in _ROLES:
        raster = getattr(config, role)
        if raster is None:
            continue
        layer = open_irradiance_layer(role, raster)
        layers.append(layer)
        notices.extend(_month_order_notice(layer))
        for k, path in enumerate(raster.path):
            name = f"inputs.irradiance.{role}" + (f"[{k}]" if len(raster.path) > 1 else "")
            entry, entry_notices = _provenance(name, path, raster, config.terrain_included)
            provenance.append(entry)
            notices.extend(entry_notices)
    return Irradiance(tuple(layers), config.terrain_included, tuple(provenance), tuple(notices))


# ---------------------------------------------------------------------------------------------------------- opening


def open_irradiance_layer(role: str, raster: RasterInput) -> IrradianceLayer:
    """Open the rasters of one quantity and check them against what is declared; raises as `read_irradiance`."""
    where = f"inputs.irradiance.{role}"
    _require_unit(role, raster, where)
    held = [_require_raster(path, raster.variable, where) for path in raster.path]
    counts = [len(bands) for bands in held]
    n_files, n_bands = len(raster.path), counts[0]
    months = n_files == 12 and set(counts) == {1}
    expected = (
        Text("one file with 12 bands, or 12 files with one", "一个含 12 个波段的文件，或 12 个单波段文件")
        if raster.period == "monthly"
        else Text("one file with one band", "一个单波段文件")
    )
    fits = (months or (n_files == 1 and n_bands == 12)) if raster.period == "monthly" else (n_files, n_bands) == (1, 1)
    if not fits:
        require_one_variable(raster.path[0], raster.variable, _path_key(where, raster.path[0]))
        monthly_found = raster.period == "annual" and (n_files == 12 or n_bands == 12)
        raise InputError(
            Text("the number of files and bands does not fit the period", "文件数与波段数同声明的时段不符"),
            where=where,
            found=Text(
                f"{n_files} file(s) with {sorted(set(counts))} band(s), period {raster.period}",
                f"{n_files} 个文件，波段数 {sorted(set(counts))}，时段 {raster.period}",
            ),
            expected=expected,
            mend=Text("declare period: monthly", "请声明 period: monthly")
            if monthly_found
            else Text("give the files that fit, or change period", "请提供相符的文件，或修改 period"),
        )
    if len(set(raster.path)) != n_files:
        raise InputError(
            Text("a month's file is listed twice", "逐月文件中有重复"),
            where=where,
            found=", ".join(str(p) for p in raster.path if raster.path.count(p) > 1),
            expected=Text("12 different files, January first", "12 个不同文件，自一月起"),
        )
    temperature = role == "temp_air"
    low, high = (-200.0, 400.0) if temperature else (0.0, 1e5)
    files = [(path, band) for path, bands in zip(raster.path, held, strict=True) for band in bands]
    bands = tuple(
        Band(path, band, low, high, not temperature, raster.variable, f"{where}.path") for path, band in files
    )
    return IrradianceLayer(role, raster, bands, raster_extent(raster.path[0], f"{where}.path", raster.variable))


def _require_unit(role: str, raster: RasterInput, where: str) -> None:
    units = irradiance_units()
    known = list(units.of_temperature if role == "temp_air" else units.of_irradiance)
    if raster.unit not in known:
        raise no_such_unit(raster.unit, known, f"{where}.unit")


def _path_key(where: str, path: Path) -> str:
    return f"{where}.path: {path}"


def _require_raster(path: Path, variable: str | None, where: str) -> tuple[int, ...]:
    """Open a file's header; return the bands of the variable."""
    with open_raster(path, _path_key(where, path), variable=variable) as source:
        crs, placed, bands = stated_crs(source), not source.transform.is_identity, bands_of(source, variable)
        writable = source.driver == "GTiff"
    if crs is None or not placed:
        raise InputError(
            Text("the raster does not say where it lies", "栅格缺少坐标系或定位信息"),
            where=_path_key(where, path),
            found=Text("no CRS" if crs is None else "no georeference", "无坐标系" if crs is None else "无地理定位"),
            expected=Text("a CRS and a transform in the file", "文件内含坐标系与仿射变换"),
            mend=f"gdal_edit.py -a_srs EPSG:4326 {path.name}"
            if writable
            else f"gdal_translate -a_srs EPSG:4326 {path.name} ghi.tif",
        )
    return bands


def raster_extent(path: Path, where: str, variable: str | None = None) -> tuple[float, float, float, float]:
    """Return west, south, east, north of a raster in degrees, native units where GDAL cannot tell."""
    with open_raster(path, f"{where}: {path}", variable=variable) as source:
        bounds, crs = tuple(float(b) for b in source.bounds), stated_crs(source)
        if crs is not None and not crs.is_geographic:
            with contextlib.suppress(*RASTER_ERRORS):
                bounds = tuple(float(b) for b in transform_bounds(crs.to_wkt(), "EPSG:4326", *bounds))
    return bounds[0], bounds[1], bounds[2], bounds[3]


def _month_order_notice(layer: IrradianceLayer) -> tuple[Notice, ...]:
    """Warn where the file names carry month numbers in another order than they are listed."""
    if len(layer.config.path) != 12:
        return ()
    numbers = [re.findall(r"\d+", path.stem) for path in layer.config.path]
    named = [int(n[-1]) if n else 0 for n in numbers]
    if sorted(named) != list(range(1, 13)) or named == list(range(1, 13)):
        return ()
    names = ", ".join(path.name for path in layer.config.path[:4])
    return (
        Notice(
            "month_order",
            Text(
                f"the 12 {layer.role} files are not listed in the order of the numbers in their names ({names}, ...); "
                "they were taken as January to December as listed",
                f"12 个 {layer.role} 文件的排列与文件名中的月份数字不一致（{names}……）；已按所列顺序作为一月至十二月",
            ),
            count=12,
            source=f"inputs.irradiance.{layer.role}",
            examples=tuple(path.name for path in layer.config.path[:5]),
        ),
    )


def _provenance(
    role: str, path: Path, raster: RasterInput, terrain_included: bool
) -> tuple[Provenance, tuple[Notice, ...]]:
    where = f"{role}.path: {path}"
    with open_raster(path, where, variable=raster.variable) as source:
        crs, assumed = stated_crs(source), assumes_wgs84(source)
        details = {
            "crs": "" if crs is None else crs.to_string(),
            "size": f"{source.width} x {source.height}",
            "bands": str(source.count),
            "nodata": str(source.nodata),
            "bounds": ", ".join(f"{b:.6g}" for b in source.bounds),
            "scale_offset": f"{source.scales[0]:g}, {source.offsets[0]:g}",
            "unit": raster.unit,
            "period": raster.period,
            "terrain_included": str(terrain_included).lower(),
            **({"variable": raster.variable} if raster.variable is not None else {}),
            **source_details(path, where),
        }
    notices = (crs_assumed_notice(role, path),) if assumed else ()
    return Provenance(role, str(path), file_sha256(path), details), notices


# ---------------------------------------------------------------------------------------------------------- reading


def _sample_layer(layer: IrradianceLayer, lon: F8, lat: F8) -> tuple[F8, B1, B1, int, list[int]]:
    """Return (n, 1) or (n, 12) converted values, flags, number of undeclared missing cells, bands without any value."""
    parts = [sample_band(band, lon, lat) for band in layer.bands]
    stored = np.stack([part.value for part in parts], axis=1)
    outside = np.any([part.outside for part in parts], axis=0)
    has_sun: B1 = np.ones(stored.shape, dtype=bool)
    if layer.role != "temp_air" and len(parts) == len(DAYS_IN_MONTH):
        has_sun = ~dark_months(lon, lat)
        stored[~has_sun & ~outside[:, None]] = 0.0  # in the polar night nothing is missing
    missing = np.stack([part.nodata for part in parts], axis=1) & has_sun
    nodata = np.any(missing, axis=1) & ~outside
    empty = [int(k) for k in np.flatnonzero(missing[~outside].all(axis=0))] if (~outside).any() else []
    undeclared = sum(part.undeclared for k, part in enumerate(parts) if has_sun[:, k].any())
    return _convert_units(stored, layer), outside, nodata, undeclared, empty


def _convert_units(stored: F8, layer: IrradianceLayer) -> F8:
    """Turn stored values into kWh/m2 per month or year of 365 days, or into degC."""
    where = f"inputs.irradiance.{layer.role}.unit"
    if layer.role == "temp_air":
        return to_degc(stored, layer.config.unit, where)
    days = DAYS_IN_MONTH.astype(float) if stored.shape[1] == 12 else np.array([365.0])
    return stored * unit_factor(layer.config.unit, days, where)


def _require_some(
    layer: IrradianceLayer, lon: F8, lat: F8, outside: B1, nodata: B1, empty_bands: Sequence[int]
) -> None:
    known = np.isfinite(lon) & np.isfinite(lat)
    if not known.any() or (known & ~outside & ~nodata).any():
        return
    files = str(layer.bands[0].path)
    west, south, east, north = layer.extent
    roofs = (lon[known].min(), lat[known].min(), lon[known].max(), lat[known].max())
    if not (known & ~outside).any():
        raise InputError(
            Text("the raster lies elsewhere: no roof is on it", "栅格范围不覆盖任何屋顶"),
            where=Text(f"inputs.irradiance.{layer.role}: {files}", f"inputs.irradiance.{layer.role}：{files}"),
            found=Text(
                f"raster {_extent_text(west, south, east, north)}", f"栅格范围 {_extent_text(west, south, east, north)}"
            ),
            expected=Text(f"covering the roofs {_extent_text(*roofs)}", f"覆盖屋顶范围 {_extent_text(*roofs)}"),
            mend=Text("check the file, its CRS, and the footprints' CRS", "请检查该文件、其坐标系以及建筑轮廓的坐标系"),
        )
    raise InputError(
        Text("the raster has no value at any roof", "栅格在所有屋顶处均无数据"),
        where=Text(f"inputs.irradiance.{layer.role}: {files}", f"inputs.irradiance.{layer.role}：{files}"),
        found=_missing_value_text(layer, nodata, empty_bands),
        expected=Text(f"values at {_extent_text(*roofs)}", f"{_extent_text(*roofs)} 处应有数据"),
        mend=Text("fill the gap, or take a raster that covers the place", "请补全缺值，或改用覆盖该地的栅格"),
    )


def _missing_value_text(layer: IrradianceLayer, nodata: B1, empty_bands: Sequence[int]) -> Text:
    """Say where values are missing: everywhere, or in some months only."""
    n = int(nodata.sum())
    if 0 < len(empty_bands) < len(layer.bands):
        months = ", ".join(str(k + 1) for k in empty_bands)
        return Text(
            f"month {months} has no value at {n} roofs, the other months have",
            f"{months} 月在 {n} 个屋顶处无数据，其余月份有数据",
        )
    return Text(f"{n} roofs on cells without value", f"{n} 个屋顶位于无数据像元")


def _extent_text(west: float, south: float, east: float, north: float) -> str:
    return f"{west:.3f}..{east:.3f} E, {south:.3f}..{north:.3f} N"
