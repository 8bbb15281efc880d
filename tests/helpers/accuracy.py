"""The product against the brute force of `reference_suns`: scenes, comparison, gates; shared by tests and benchmark."""

from __future__ import annotations

import functools
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import reference_suns
from reference_energy import made_weather
from reference_suns import Plane
from rooftop.core.choices import Diffuse
from rooftop.core.surfaces import HAS_WALLS, SurfaceKind
from rooftop.solar.energy import irradiation
from rooftop.solar.horizons import Sweep, horizons, skylines
from rooftop.solar.raster import monthly_irradiation
from rooftop.solar.sky import SkyYear, sky_year
from seeded_city import city

F8 = NDArray[np.float64]
I8 = NDArray[np.int64]
B1 = NDArray[np.bool_]

SURFACES = tuple(HAS_WALLS)
MODELS: tuple[Diffuse, ...] = ("perez", "isotropic")
PLANES = (Plane(0.0, 180.0), *(Plane(tilt, azimuth) for tilt in (10.0, 30.0) for azimuth in (180.0, 90.0, 0.0)))

HORIZON_MAE_DEG = 0.1
ENERGY_MAE, ENERGY_BIAS, MONTH_MAE = 0.0015, 0.0005, 0.004


@dataclass(frozen=True)
class Site:
    """An elevation model (row 0 north, NaN no data), its roof cells, and where on earth it lies."""

    name: str
    dsm: F8
    cell: float
    roof: B1
    latitude: float
    longitude: float

    def cells(self, n: int, seed: int = 30) -> tuple[I8, I8]:
        """Seeded roof cells, in the order of the raster."""
        rows, cols = np.nonzero(self.roof & np.isfinite(self.dsm))
        chosen = np.sort(np.random.default_rng(seed).choice(rows.size, min(n, rows.size), replace=False))
        return rows[chosen], cols[chosen]


@dataclass(frozen=True)
class Error:
    """Energy of one plane under one sky against the brute force, as shares of the plane's unshaded energy."""

    model: Diffuse
    plane: Plane
    per_cell: F8
    mae: float
    bias: float
    month: float
    """Mean absolute error of the worst month, as a share of that month's unshaded energy."""


@dataclass(frozen=True)
class Comparison:
    """One site under one surface.

    `sampling` is the error of `errors[0]` with exact horizons at the same azimuths: what sampling alone costs.
    """

    rows: I8
    cols: I8
    horizon_deg: F8
    horizon_error_deg: F8
    svf: F8
    loss: F8
    errors: list[Error]
    sampling: F8

    @property
    def horizon_mae_deg(self) -> float:
        """Mean absolute error over cells and azimuths."""
        return float(np.abs(self.horizon_error_deg).mean())

    def misses(self) -> list[str]:
        """What does not meet its gate, in words."""
        found = []
        if self.horizon_mae_deg > HORIZON_MAE_DEG:
            found.append(f"horizon MAE {self.horizon_mae_deg:.3f} deg")
        for error in self.errors:
            name = f"{error.model} {error.plane.tilt:g} deg towards {error.plane.azimuth:g}"
            for what, value, gate in (
                ("MAE", error.mae, ENERGY_MAE),
                ("bias", error.bias, ENERGY_BIAS),
                ("month", error.month, MONTH_MAE),
            ):
                if abs(value) > gate:
                    found.append(f"{name}: {what} {100 * value:+.3f} %")
        return found


@functools.cache
def skies(latitude: float, longitude: float) -> tuple[SkyYear, ...]:
    """The suns of a seeded year under both sky models."""
    weather = made_weather(latitude, longitude)
    return tuple(sky_year(weather, model, factors=(1.0,)) for model in MODELS)


def compare(
    site: Site, surface: SurfaceKind, n_cells: int, n_azimuth: int = 72, planes: tuple[Plane, ...] = PLANES,
    seed: int = 30, grid_north_deg: float = 0.0, kept: bool = False,
) -> Comparison:  # fmt: skip
    """Compare horizons and the year behind them, cell by cell.

    `grid_north_deg` turns the raster under the sun. `kept`: the year is read from kept skylines, as the pipeline
    does; else it is summed while they are swept.
    """
    rows, cols = site.cells(n_cells, seed)
    place = reference_suns.scene(site.dsm, site.cell, surface)
    sky = list(skies(site.latitude, site.longitude))
    seen = [_turned(each, grid_north_deg) for each in sky]
    faced = [Plane(plane.tilt, plane.azimuth - grid_north_deg) for plane in planes]
    shaded, free, svf = reference_suns.year(place, rows, cols, seen, faced)
    apart = skylines(
        site.dsm, site.cell, rows, cols, Sweep(n_azimuth=n_azimuth, surface=surface, grid_north_deg=grid_north_deg)
    )
    around = horizons(
        site.dsm, site.cell, rows, cols, n_azimuth=n_azimuth, surface=surface, grid_north_deg=grid_north_deg
    )
    exact = exact_horizons(place, rows, cols, n_azimuth, grid_north_deg)
    mask = np.zeros(site.dsm.shape, dtype=np.bool_)
    mask[rows, cols] = True
    errors = []
    for i, model in enumerate(MODELS):
        for j, plane in enumerate(planes):
            if kept:
                behind = irradiation(sky[i], apart, plane.tilt, plane.azimuth)["poa_global"]
                found = behind.to_numpy().reshape(-1, 12)
            else:
                found = monthly_irradiation(
                    sky[i], site.dsm, site.cell, mask, plane.tilt, plane.azimuth, n_azimuth=n_azimuth,
                    surface=surface, grid_north_deg=grid_north_deg,
                )  # fmt: skip
            difference = found.astype(np.float64) - shaded[i, j]
            annual = difference.sum(axis=1) / free[i, j].sum()
            month = float((np.abs(difference).mean(axis=0) / free[i, j]).max())
            errors.append(Error(model, plane, annual, float(np.abs(annual).mean()), float(annual.mean()), month))
    loss = 1.0 - shaded[0, 0].sum(axis=1) / free[0, 0].sum()
    behind_exact = irradiation(sky[0], exact, planes[0].tilt, planes[0].azimuth)["poa_global"].to_numpy()
    sampling = (behind_exact.reshape(rows.size, 12) - shaded[0, 0]).sum(axis=1) / free[0, 0].sum()
    return Comparison(rows, cols, exact, around - exact, svf, loss, errors, sampling)


def exact_horizons(place: reference_suns.Scene, rows: I8, cols: I8, n_azimuth: int, grid_north_deg: float = 0.0) -> F8:
    """Exact horizons; of prisms close to a diagonal, where they touch with corners, the mean sin² of both its sides."""
    step = min(360.0 / n_azimuth, 10.0)
    azimuths = np.arange(n_azimuth) * 360.0 / n_azimuth - grid_north_deg
    off = azimuths % 90.0 - 45.0
    beside = (np.abs(off) < 0.5 * step - 1e-9) & (not place.linear)
    own = np.where(beside & (np.abs(off) < 1e-9), azimuths + 5e-5, azimuths)
    exact = reference_suns.horizons(place, rows, cols, own)
    across = (azimuths - off - np.where(off < 0.0, -5e-5, 5e-5))[beside]
    share = 0.5 * (1.0 - np.abs(off[beside]) / step) ** 2
    other = np.sin(np.radians(reference_suns.horizons(place, rows, cols, across))) ** 2
    both = (1.0 - share) * np.sin(np.radians(exact[:, beside])) ** 2 + share * other
    exact[:, beside] = np.degrees(np.arcsin(np.sqrt(both)))
    return exact


def _turned(sky: SkyYear, grid_north_deg: float) -> SkyYear:
    """The suns as a raster sees them whose upward direction lies at `grid_north_deg`."""
    azimuth = sky.azimuth_deg - grid_north_deg
    a, e = np.radians(azimuth), np.radians(sky.elevation_deg)
    return replace(
        sky, azimuth_deg=azimuth, direction=np.stack([np.cos(e) * np.sin(a), np.cos(e) * np.cos(a), np.sin(e)])
    )


# Scenes ----------------------------------------------------------------------------------------------------------


def seeded_city(n: int) -> Site:
    """The seeded city; needs nothing but the repository."""
    dsm, roof = city(n)
    return Site(f"seeded city {n}", dsm.astype(np.float64), 1.0, roof, 32.07, 118.8)


def noisy(site: Site, noise_m: float = 0.05) -> Site:
    """The same with noise on every cell."""
    noise = noise_m * np.random.default_rng(29).standard_normal(site.dsm.shape)
    return Site(f"{site.name}, 5 cm noise", site.dsm + noise, site.cell, site.roof, site.latitude, site.longitude)


def bench_city(folder: Path, n: int = 1000) -> Site:
    """The city of ../shared/bench, drawn by make_dsm.py into `folder`."""
    import rasterio

    with rasterio.open(folder / f"dsm_{n}.tif") as dsm, rasterio.open(folder / f"roof_{n}.tif") as roof:
        return Site(f"bench city {n}", dsm.read(1).astype(np.float64), 1.0, roof.read(1) > 0, 32.07, 118.8)


def goteborg(data: Path) -> Site:
    """Lidar at 1 m with the footprints of its buildings."""
    folder = data / "goteborg"
    return _with_footprints("Goteborg", folder / "DSM_KRbig.tif", folder / "buildings.shp", 57.7, 11.97)


def delft(data: Path) -> Site:
    """Lidar at 0.5 m with holes, with the footprints of its buildings."""
    folder = data / "delft_ahn3"
    return _with_footprints("Delft", folder / "ahn3_delft_dsm_0p5m.tif", folder / "bgt_pand.sqlite", 52.0, 4.37)


def _with_footprints(name: str, dsm: Path, footprints: Path, latitude: float, longitude: float) -> Site:
    import pyogrio
    import rasterio
    from rasterio.features import rasterize

    with rasterio.open(dsm) as source:
        heights = source.read(1, masked=True).astype(np.float64).filled(np.nan)
        transform, cell = source.transform, float(source.res[0])
    heights[heights < -1e4] = np.nan
    shapes = pyogrio.read_dataframe(footprints).geometry
    roof = rasterize(shapes[~shapes.is_empty], heights.shape, transform=transform) > 0
    return Site(name, heights, cell, roof, latitude, longitude)


# The worst cells -------------------------------------------------------------------------------------------------


def drop_distance_m(site: Site, rows: I8, cols: I8, drop_m: float = 1.5, reach: int = 40) -> F8:
    """Distance of cells from the nearest cell that is `drop_m` lower or higher, a wall or an edge [m]."""
    found = np.full(rows.size, np.inf)
    for i, (r, c) in enumerate(zip(rows, cols, strict=True)):
        r0, c0 = max(r - reach, 0), max(c - reach, 0)
        around = site.dsm[r0 : r + reach + 1, c0 : c + reach + 1]
        y, x = np.nonzero(np.abs(around - site.dsm[r, c]) > drop_m)
        if y.size:
            found[i] = np.sqrt(((y + r0 - r) ** 2 + (x + c0 - c) ** 2).min()) * site.cell
    return found
