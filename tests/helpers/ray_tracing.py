"""Ground truth of modules: a year of rays from points on each module through a mesh of triangles.

Another way than the product's in every step that is tested: no raster, no horizon, no sectors, no tables, no rows that
are endless. A point sees a sun, or a direction of the sky, or a triangle stands before it. Of `rooftop` only the year's
weather is used, split into suns and sky (`SkyYear`), and the light that the ground throws back (`plane_light`).
`trimesh` traces, with Embree where `embreex` is installed; without it a scene takes hours.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import trimesh
from numpy.typing import NDArray

from rooftop.solar.cumulative import BAND_DEG, ModulePlane, Rows, monthly_kwh, plane_light
from rooftop.solar.sky import SkyYear

F8 = NDArray[np.float64]
B1 = NDArray[np.bool_]

_GOLDEN = np.pi * (3.0 - np.sqrt(5.0))
_RAYS_AT_ONCE = 1_000_000


@dataclass(frozen=True)
class Sampling:
    """How finely modules, suns and sky are sampled.

    Parameters
    ----------
    along, up : int
        Midpoints on each module along its row and up its slope.
    sky_rays : int
        Rays over the module's hemisphere, each of the same weight on the module.
    band_azimuths, band_heights : int
        Rays over the horizon band.
    bin_deg : float
        Suns within a bin of azimuth and elevation shine from their common mean; 0 traces every sun.
    lift_m : float
        Points lie this much above the module.
    """

    along: int = 6
    up: int = 4
    sky_rays: int = 2000
    band_azimuths: int = 180
    band_heights: int = 4
    bin_deg: float = 0.5
    lift_m: float = 1e-3


@dataclass(frozen=True)
class Irradiation:
    """What modules of one orientation receive.

    Parameters
    ----------
    months : (m, 12)
        Each module behind everything [kWh/m2].
    free : (12,)
        The plane alone.
    svf : (m,)
        Visible sky, cosine-weighted; a free plane has (1 + cos tilt) / 2.
    """

    months: F8
    free: F8
    svf: F8

    @property
    def annual(self) -> F8:
        """Of each module [kWh/m2]."""
        return self.months.sum(axis=1)

    @property
    def loss(self) -> F8:
        """Share that shading takes of each module's year."""
        return 1.0 - self.annual / self.free.sum()


def rectangles(corners: F8) -> trimesh.Trimesh:
    """Return rectangles (m, 4, 3) without thickness as a mesh."""
    two = np.array([[0, 1, 2], [0, 2, 3]])
    faces = (4 * np.arange(len(corners))[:, None, None] + two).reshape(-1, 3)
    return trimesh.Trimesh(corners.reshape(-1, 3), faces, process=False)


def box(low: Sequence[float], high: Sequence[float]) -> trimesh.Trimesh:
    """Return a block between two corners (x, y, z)."""
    return trimesh.creation.box(bounds=[low, high])


def hull(points: Sequence[Sequence[float]]) -> trimesh.Trimesh:
    """Return the convex solid around points."""
    return trimesh.convex.convex_hull(np.asarray(points, dtype=float))


def joined(parts: Sequence[Any]) -> trimesh.Trimesh:
    """Return several meshes as one."""
    whole: Any = trimesh.util.concatenate(list(parts))
    return whole


def normals(corners: F8) -> F8:
    """Return the unit normals (m, 3) of rectangles whose corners run counter-clockwise, seen from their front."""
    across = np.cross(corners[:, 1] - corners[:, 0], corners[:, 3] - corners[:, 0])
    return across / np.linalg.norm(across, axis=1)[:, None]


def points_on(corners: F8, sampling: Sampling) -> F8:
    """Return the midpoints (along * up, m, 3) of equal parts of each module, lifted off it."""
    u, v = np.meshgrid((np.arange(sampling.along) + 0.5) / sampling.along, (np.arange(sampling.up) + 0.5) / sampling.up)
    right, up = corners[:, 1] - corners[:, 0], corners[:, 3] - corners[:, 0]
    base = corners[:, 0] + sampling.lift_m * normals(corners)
    return base + u.reshape(-1, 1, 1) * right + v.reshape(-1, 1, 1) * up


def lit(mesh: trimesh.Trimesh, points: F8, directions: F8) -> B1:
    """Return which points (p, 3) see which directions (d, 3) past the mesh, (p, d)."""
    origins, rays = np.repeat(points, len(directions), axis=0), np.tile(directions, (len(points), 1))
    return ~mesh.ray.intersects_any(origins, rays).reshape(len(points), len(directions))


def seen(mesh: trimesh.Trimesh, points: F8, directions: F8, weights: F8) -> F8:
    """Sum the weights (d, c) of the directions that points see, (p, c)."""
    out = np.empty((len(points), weights.shape[1]))
    step = max(1, _RAYS_AT_ONCE // max(len(directions), 1))
    for a in range(0, len(points), step):
        out[a : a + step] = lit(mesh, points[a : a + step], directions).astype(np.float64) @ weights
    return out


def irradiation(
    mesh: trimesh.Trimesh,
    corners: F8,
    sky: SkyYear,
    *,
    grid_north_deg: float = 0.0,
    albedo: float = 0.2,
    rows: Rows | None = None,
    sampling: Sampling | None = None,
) -> Irradiation:
    """Trace a year of modules that all look the same way, at the middle factors of the sky.

    Parameters
    ----------
    mesh : Trimesh
        Everything that stands around, black; the modules themselves too where they shade one another.
    corners : (m, 4, 3)
        Counter-clockwise from the lower left, seen from the front [m].
    sky : SkyYear
    grid_north_deg : float
        True azimuth of the mesh's y axis.
    albedo : float
        Of the ground below the modules' horizon, as the package takes it.
    rows : Rows, optional
        Rows in whose shade the ground lies, as the package takes it; the ground of the plane alone when left out.
    sampling : Sampling, optional
    """
    sampling = sampling or Sampling()
    normal, tilt, azimuth = orientation(corners, grid_north_deg)
    light = _light(sky, tilt, azimuth, grid_north_deg, normal)
    directions, of_suns = _binned_suns(sky, light, grid_north_deg, sampling.bin_deg)
    band_rays, of_band = _band_rays(normal, sampling)
    points = points_on(corners, sampling)
    months, svf = np.zeros((len(corners), 12)), np.zeros(len(corners))
    for k, at in enumerate(points):
        months += seen(mesh, at, directions, of_suns)
        sky_rays = _sky_rays(normal, sampling.sky_rays, k)
        share = seen(mesh, at, sky_rays, np.full((len(sky_rays), 1), 1.0 / len(sky_rays)))
        months += share * light.isotropic
        months += seen(mesh, at, band_rays, of_band[:, None]) * light.band
        svf += share[:, 0] * 0.5 * (1.0 + np.cos(np.radians(tilt)))
    months, svf = months / len(points), svf / len(points)
    alone = _ground(sky, tilt, azimuth, albedo, None)
    free = of_suns.sum(axis=0) + light.isotropic + light.band + alone
    return Irradiation(months + _ground(sky, tilt, azimuth, albedo, rows), free, svf)


def orientation(corners: F8, grid_north_deg: float) -> tuple[F8, float, float]:
    """Return the common normal of modules, their tilt and their azimuth from true north [deg]."""
    each = normals(corners)
    normal = each.mean(axis=0)
    normal /= np.linalg.norm(normal)
    if not (each @ normal > np.cos(np.radians(0.1))).all() or normal[2] <= 0.0:
        raise ValueError("the modules do not look the same way, or look down")
    tilt = float(np.degrees(np.arccos(min(normal[2], 1.0))))
    azimuth = (np.degrees(np.arctan2(normal[0], normal[1])) + grid_north_deg) % 360.0 if tilt > 1e-3 else 180.0
    return normal, tilt, float(azimuth)


@dataclass(frozen=True)
class _Light:
    """On the free plane: beam and circumsolar light of each sun (n,), sky and band of each month (12,) [kWh/m2]."""

    suns: F8
    isotropic: F8
    band: F8


def _sun_directions(sky: SkyYear, grid_north_deg: float) -> F8:
    e, a = np.radians(sky.elevation_deg), np.radians(sky.azimuth_deg - grid_north_deg)
    return np.stack([np.cos(e) * np.sin(a), np.cos(e) * np.cos(a), np.sin(e)], axis=1)


def _light(sky: SkyYear, tilt: float, azimuth: float, grid_north_deg: float, normal: F8) -> _Light:
    """Split the year on the free plane (docs/method.md, section 3)."""
    one, hours = sky.factors.shape[0] // 2, sky.duration_h / 1000.0
    incidence = np.maximum(_sun_directions(sky, grid_north_deg) @ normal, 0.0) * (sky.elevation_deg > 0.0)
    band = sky.band[one] * np.sin(np.radians(tilt))
    isotropic = sky.isotropic[one] * 0.5 * (1.0 + np.cos(np.radians(tilt))) + np.minimum(band, 0.0)
    circumsolar = np.maximum(sky.circumsolar[one] * incidence + np.minimum(isotropic, 0.0), 0.0)
    sky_months, band_months = (
        np.bincount(sky.month, weights=np.maximum(power, 0.0), minlength=12).astype(np.float64) * hours
        for power in (isotropic, band)
    )
    return _Light((sky.beam[one] * incidence + circumsolar) * hours, sky_months, band_months)


def _binned_suns(sky: SkyYear, light: _Light, grid_north_deg: float, bin_deg: float) -> tuple[F8, F8]:
    """Return directions (d, 3) of suns, close ones together, and what they bring in each month (d, 12)."""
    up = np.flatnonzero(light.suns > 0.0)
    direction, energy, month = _sun_directions(sky, grid_north_deg)[up], light.suns[up], sky.month[up]
    bins = np.arange(len(up))
    if bin_deg > 0.0:
        keys = np.floor(np.stack([sky.azimuth_deg[up], sky.elevation_deg[up]]) / bin_deg)
        bins = np.unique(keys, axis=1, return_inverse=True)[1].ravel()
    n = int(bins.max()) + 1
    middle = np.stack([np.bincount(bins, weights=energy * direction[:, k], minlength=n) for k in range(3)], axis=1)
    months: F8 = np.bincount(bins * 12 + month, weights=energy, minlength=12 * n).astype(np.float64).reshape(n, 12)
    return middle / np.linalg.norm(middle, axis=1)[:, None], months


def _sky_rays(normal: F8, number: int, turn: int) -> F8:
    """Return rays to the sky of equal weight on the plane: points of a sunflower on the disk, raised to the hemisphere.

    `turn` turns the sunflower, so that the points of a module do not share their rays.
    """
    k = np.arange(number)
    radius, angle = np.sqrt((k + 0.5) / number), k * _GOLDEN + turn * 0.5 * _GOLDEN
    first = np.cross(normal, [0.6, 0.8, 0.0])
    first /= np.linalg.norm(first)
    second = np.cross(normal, first)
    x, y = radius * np.cos(angle), radius * np.sin(angle)
    rays = np.outer(x, first) + np.outer(y, second) + np.outer(np.sqrt(1.0 - radius**2), normal)
    return rays[rays[:, 2] > 0.0]


def _band_rays(normal: F8, sampling: Sampling) -> tuple[F8, F8]:
    """Return rays to the horizon band, and the share of its light on the plane that each stands for."""
    e = np.radians((np.arange(sampling.band_heights) + 0.5) * BAND_DEG / sampling.band_heights)
    a = np.arange(sampling.band_azimuths) * 2.0 * np.pi / sampling.band_azimuths + 0.01
    e, a = (grid.ravel() for grid in np.meshgrid(e, a))
    rays = np.stack([np.cos(e) * np.sin(a), np.cos(e) * np.cos(a), np.sin(e)], axis=1)
    weight = np.maximum(rays @ normal, 0.0) * np.cos(e)
    return rays[weight > 0.0], weight[weight > 0.0] / weight.sum()


def _ground(sky: SkyYear, tilt: float, azimuth: float, albedo: float, rows: Rows | None) -> F8:
    """Return what the ground throws back onto the plane in each month [kWh/m2], as the package defines it."""
    light = plane_light(sky, ModulePlane(min(tilt, 90.0), azimuth, "rack", rows), albedo)
    return monthly_kwh(sky, light.ground)[sky.factors.shape[0] // 2]
