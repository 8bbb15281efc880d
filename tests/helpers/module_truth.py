"""Modules of a finished run as rectangles in space, their traced year, and how the run's own figures compare."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from module_scenes import ORIGIN, WORKING_CRS, ModuleScene
from ray_tracing import Irradiation, Sampling, irradiation, joined, orientation, rectangles
from rooftop.configfile import load_config
from rooftop.job.sources import read_sources
from rooftop.solar.cumulative import Rows
from rooftop.solar.pvsystem import load_system
from rooftop.solar.sky import SkyYear, factor_nodes, sky_year

F8 = NDArray[np.float64]


@dataclass(frozen=True)
class Placed:
    """Modules of the scene's roofs.

    Parameters
    ----------
    table : DataFrame
        ``building_id plane_id module counted``, the columns of the plane (prefix ``plane_``), and what the run says of
        each module (``poa_kwh_m2 shading_loss annual_kwh``, where it does).
    corners : (m, 4, 3)
        From the lower left, counter-clockwise seen from the front; local metres.
    """

    table: pd.DataFrame
    corners: F8


def scene_sky(scene: ModuleScene) -> tuple[SkyYear, float]:
    """Return the sky of a scene's run, its middle factors those of the roofs, and the albedo."""
    config = load_config(scene.config)
    sources = read_sources(config)
    factor = sources.anchor.factor
    sky = sky_year(sources.weather, config.scene.diffuse, factors=factor_nodes(factor))
    if not np.allclose(sky.factors[1], factor, rtol=1e-6):
        raise ValueError("the roofs of the scene do not have one irradiance")
    return sky, config.scene.albedo


def read_modules(scene: ModuleScene, out: Path, lower_edge_m: float = 0.1) -> Placed:
    """Read the modules of a finished run.

    Parameters
    ----------
    scene : ModuleScene
    out : Path
        The run's folder.
    lower_edge_m : float
        Height of a rack's lower edge above the roof; of flush modules above their plane, measured vertically.

    Raises
    ------
    ValueError
        The rectangles have other sides, or look another way, than the run says.
    """
    modules = gpd.read_parquet(out / "modules.parquet").to_crs(WORKING_CRS)
    planes = gpd.read_parquet(out / "planes.parquet").drop(columns="geometry")
    planes = pd.DataFrame(planes).rename(columns={"poa_kwh_m2": "mean_poa_kwh_m2", "shading_loss": "mean_loss"})
    keep = ["plane_id", "building_id", "surface_tilt_deg", "surface_azimuth_deg", "mounting", "mean_poa_kwh_m2",
            "mean_loss"]  # fmt: skip
    both = pd.DataFrame(modules.drop(columns="geometry")).merge(planes[keep], on="plane_id", how="left", validate="m:1")
    chosen = both["building_id"].isin(list(scene.roof_z)).to_numpy()
    rings = shapely.get_coordinates(modules.geometry.to_numpy()[chosen]).reshape(-1, 5, 2)[:, :4] - np.array(ORIGIN)
    table = both[chosen].reset_index(drop=True)
    azimuth = np.radians(table["surface_azimuth_deg"].to_numpy(dtype=float) - scene.grid_north_deg)
    rings = _lower_edge_first(rings, azimuth)
    flush = (table["mounting"] == "flush").to_numpy()
    under = np.where(flush[:, None, None], rings, rings.mean(axis=1, keepdims=True))  # a rack stands on one level
    z = np.empty(rings.shape[:2])
    for name, roof_z in scene.roof_z.items():
        mine = (table["building_id"] == name).to_numpy()
        z[mine] = roof_z(under[mine, :, 0], under[mine, :, 1])
    depth = np.linalg.norm(rings[:, 3] - rings[:, 0], axis=1)
    rise = depth * np.tan(np.radians(table["surface_tilt_deg"].to_numpy(dtype=float)))
    z[:, 2:] += np.where(flush, 0.0, rise)[:, None]
    corners = np.concatenate([rings, (z + lower_edge_m)[:, :, None]], axis=2)
    _check(scene, table, corners)
    return Placed(table, corners)


def _check(scene: ModuleScene, table: pd.DataFrame, corners: F8) -> None:
    """Raise where rectangles are not the modules that the run speaks of: their sides, where they look."""
    module = load_system(load_config(scene.config).system.module).module
    sides = np.sort([np.linalg.norm(corners[:, k] - corners[:, 0], axis=1) for k in (1, 3)], axis=0)
    if not np.allclose(sides.T, sorted((module.length_m, module.width_m)), atol=2e-3):
        raise ValueError("the modules of the run do not have the sides of the module file")
    for plane, rows in table.groupby("plane_id").indices.items():
        _, tilt, azimuth = orientation(corners[rows], scene.grid_north_deg)
        told = table.iloc[rows[0]]
        turned = (azimuth - told["surface_azimuth_deg"] + 180.0) % 360.0 - 180.0
        if abs(tilt - told["surface_tilt_deg"]) > 0.1 or abs(turned) > 0.1:
            raise ValueError(f"modules of {plane} look to {tilt:.2f}, {azimuth:.2f}, not as its table says")


def _lower_edge_first(rings: F8, azimuth: F8) -> F8:
    """Turn corners by half where the first edge is not the one that the module looks over: west halves of pairs."""
    facing = np.stack([np.sin(azimuth), np.cos(azimuth)], axis=1)
    ahead = np.einsum("mk,mk->m", rings[:, 0] + rings[:, 1] - rings[:, 2] - rings[:, 3], facing)
    return np.where((ahead < 0.0)[:, None, None], np.roll(rings, 2, axis=1), rings)


def above_roof(scene: ModuleScene, placed: Placed) -> F8:
    """Return how high the lower edges of modules hang over the solids of the scene, measured by rays: (m, 2) [m]."""
    corners = placed.corners
    ends = corners[:, :2] + 0.01 * (corners.mean(axis=1, keepdims=True) - corners[:, :2])
    points = ends.reshape(-1, 3)
    down = np.tile([0.0, 0.0, -1.0], (len(points), 1))
    hit, ray, _ = scene.solids.ray.intersects_location(points, down, multiple_hits=False)
    away = np.full(len(points), np.nan)
    away[ray] = points[ray, 2] - hit[:, 2]
    return away.reshape(-1, 2)


def behind(corners: F8) -> Rows | None:
    """Return the rows of modules on one plane: their slope length, and the least distance of two rows in plan."""
    up = corners[:, 3] - corners[:, 0]
    if not len(corners) or np.ptp(corners[:, :, 2]) < 1e-3:
        return None
    across = up[0, :2] / np.hypot(*up[0, :2])
    lines = np.unique(np.round(corners[:, 0, :2] @ across, 2))
    apart = np.diff(lines)
    slope = float(np.linalg.norm(up, axis=1).mean())
    return Rows(slope, float(apart[apart > 0.5].min())) if (apart > 0.5).any() else None


def traced(
    scene: ModuleScene,
    placed: Placed,
    sky: SkyYear,
    albedo: float,
    *,
    sampling: Sampling | None = None,
    only_counted: bool = False,
    cache: Path | None = None,
) -> pd.DataFrame:
    """Trace every module, and return ``rays_poa rays_free rays_svf rays_01…rays_12`` [kWh/m2], one row each.

    All modules that were placed stand in the scene, or with `only_counted` those that count.
    """
    sampling = sampling or Sampling()
    standing = placed.table["counted"].to_numpy() if only_counted else np.ones(len(placed.table), dtype=bool)
    key = _key(scene, placed, sky, albedo, sampling, standing)
    kept = None if cache is None else cache / f"{scene.name}_{key}.parquet"
    if kept is not None and kept.exists():
        return pd.read_parquet(kept)
    mesh = joined([scene.solids, rectangles(placed.corners[standing])])
    names = ["rays_poa", "rays_free", "rays_svf", *(f"rays_{m:02d}" for m in range(1, 13))]
    out = pd.DataFrame(np.nan, index=placed.table.index, columns=names)
    for rows in placed.table.groupby("plane_id").indices.values():
        mine = placed.corners[rows]
        flush = (placed.table["mounting"].iloc[rows] == "flush").all()
        year = irradiation(
            mesh,
            mine,
            sky,
            grid_north_deg=scene.grid_north_deg,
            albedo=albedo,
            rows=None if flush else behind(mine),
            sampling=sampling,
        )
        out.iloc[rows] = _columns(year)
    if kept is not None:
        kept.parent.mkdir(parents=True, exist_ok=True)
        out.to_parquet(kept)
    return out


def _columns(year: Irradiation) -> F8:
    free = np.full(len(year.months), year.free.sum())
    return np.column_stack([year.annual, free, year.svf, year.months])


def _key(
    scene: ModuleScene, placed: Placed, sky: SkyYear, albedo: float, sampling: Sampling, standing: NDArray[np.bool_]
) -> str:
    """Name what the truth depends on; corners to a millimetre."""
    parts = [np.round(placed.corners, 3), scene.solids.vertices, standing, sky.beam, sky.band, sky.isotropic]
    digest = hashlib.sha256(f"{sampling} {albedo} {scene.grid_north_deg:.6f}".encode())
    for part in parts:
        digest.update(np.ascontiguousarray(part).tobytes())
    return digest.hexdigest()[:16]


@dataclass(frozen=True)
class Comparison:
    """One roof, a run against rays, over modules that count.

    Parameters
    ----------
    roof : str
    modules, counted : int
    rays_kwh_m2, rays_loss : float
        Mean irradiation of counted modules and what shading takes of it.
    plane_error : float
        Energy from the planes' means against rays [%].
    energy_error, rms, worst : float
        Energy of the modules' own figures; difference of single modules, root mean square and largest [%]; NaN where
        the run has no such figures.
    placed_rms, placed_worst : float
        The same over all modules that were placed and have a figure.
    loss_rms : float
        Difference of ``shading_loss`` of counted modules, root mean square [percentage points].
    missing : int
        Counted modules without a figure.
    """

    roof: str
    modules: int
    counted: int
    rays_kwh_m2: float
    rays_loss: float
    plane_error: float
    energy_error: float = np.nan
    rms: float = np.nan
    worst: float = np.nan
    placed_rms: float = np.nan
    placed_worst: float = np.nan
    loss_rms: float = np.nan
    missing: int = 0

    def __str__(self) -> str:
        text = (
            f"{self.roof}: {self.counted} of {self.modules} modules count; rays {self.rays_kwh_m2:.1f} kWh/m2, "
            f"shading {100 * self.rays_loss:.2f} %; plane means {self.plane_error:+.2f} %"
        )
        if np.isnan(self.energy_error):
            return text + "; no figures of modules"
        gone = f"; {self.missing} counted modules without a figure" if self.missing else ""
        return text + (
            f"; energy {self.energy_error:+.2f} %, modules rms {self.rms:.2f} %, worst {self.worst:+.2f} % "
            f"(all placed: rms {self.placed_rms:.2f} %, worst {self.placed_worst:+.2f} %), "
            f"loss rms {self.loss_rms:.2f} points{gone}"
        )


def compare(placed: Placed, rays: pd.DataFrame) -> list[Comparison]:
    """Compare a run with rays, roof by roof; modules have one size, so energy is the sum of their irradiation."""
    table = placed.table.join(rays)
    found = []
    for roof, mine in table.groupby("building_id"):
        counts = mine[mine["counted"]]
        truth = counts["rays_poa"].sum()
        line = Comparison(
            roof=str(roof),
            modules=len(mine),
            counted=len(counts),
            rays_kwh_m2=float(counts["rays_poa"].mean()),
            rays_loss=float(1.0 - truth / counts["rays_free"].sum()),
            plane_error=float(100.0 * (counts["mean_poa_kwh_m2"].sum() / truth - 1.0)),
        )
        if "poa_kwh_m2" in mine:
            known = mine[mine["poa_kwh_m2"].notna()]
            each, every = (_errors(frame) for frame in (counts, known))
            line = replace(
                line,
                energy_error=float(100.0 * (counts["poa_kwh_m2"].sum() / truth - 1.0)),
                rms=float(np.sqrt(np.mean(each**2))),
                worst=_largest(each),
                placed_rms=float(np.sqrt(np.mean(every**2))),
                placed_worst=_largest(every),
                loss_rms=_loss_rms(counts),
                missing=int(counts["poa_kwh_m2"].isna().sum()),
            )
        found.append(line)
    return found


def _errors(frame: pd.DataFrame) -> F8:
    return 100.0 * (frame["poa_kwh_m2"].to_numpy(dtype=float) / frame["rays_poa"].to_numpy(dtype=float) - 1.0)


def _largest(errors: F8) -> float:
    return float(errors[np.argmax(np.abs(errors))])


def _loss_rms(frame: pd.DataFrame) -> float:
    if "shading_loss" not in frame:
        return np.nan
    loss = 1.0 - frame["rays_poa"].to_numpy(dtype=float) / frame["rays_free"].to_numpy(dtype=float)
    return float(100.0 * np.sqrt(np.mean((frame["shading_loss"].to_numpy(dtype=float) - loss) ** 2)))
