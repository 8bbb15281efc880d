"""Cumulative-sky tables: what a module plane receives and yields in a year, by horizon elevation and sector."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass, field, replace
from typing import TypedDict, Unpack

import numpy as np
from numpy.typing import ArrayLike
from pvlib import iam
from pvlib.inverter import pvwatts as pvwatts_ac
from pvlib.pvsystem import pvwatts_dc

from rooftop.core.arguments import flag, instance, require_number, unusable, whole, word
from rooftop.core.choices import Diffuse, Mounting
from rooftop.core.lang import Text
from rooftop.core.types import F4, F8, I8
from rooftop.kernels import year
from rooftop.solar.pvsystem import PvSystem, checked_system
from rooftop.solar.sky import FACTORS, SkyYear, as_sky_year
from rooftop.solar.skylines import factor_weights
from rooftop.weather import Weather

BAND_DEG = 6.5
"""Upper edge of the horizon band [deg]: Perez et al. (1987), doi:10.1016/S0038-092X(87)80031-2."""

_NODES = ((1.0, 1.0), (0.7, 0.7), (0.4, 0.4), (1.0, 0.0))  # visible shares of sky and band at which AC is evaluated
_POOLED_SKY = 0.8  # visible share of the sky of roofs that are half in the sun
_SLANTS = 16  # positions on the slant of a row
STRIPS = 8  # azimuth strips per sector in the sky integral


@dataclass(frozen=True)
class Rows:
    """Endless parallel rows of tilted modules.

    Parameters
    ----------
    slope_length_m : float
        Length of a row along its slope [m].
    pitch_m : float
        Horizontal distance from one row to the next [m]; of east-west tents, from ridge to ridge.
    in_tables : bool
        Whether tables of a plane hold the row in front. Where not, the horizons that they are asked with must; only the
        ground's light knows of rows then.

    Raises
    ------
    ArgumentError
        One of them is no length, or `in_tables` neither true nor false.
    """

    slope_length_m: float
    pitch_m: float
    in_tables: bool = True

    def __post_init__(self) -> None:
        for name in ("slope_length_m", "pitch_m"):
            object.__setattr__(self, name, require_number(name, getattr(self, name)))
        object.__setattr__(self, "in_tables", flag("in_tables", self.in_tables))


@dataclass(frozen=True)
class ModulePlane:
    """How modules lie on a roof.

    Parameters
    ----------
    surface_tilt, surface_azimuth : float
        Module plane [deg], 0 to 90 and 0 to 360; azimuth clockwise from true north.
    mounting : {"rack", "flush"}
        Ventilation behind the module.
    rows : Rows, optional
        None when flush.
    base_tilt, base_azimuth : float
        The roof that the modules stand on [deg]; it hides what lies below it and reflects as the ground does.

    Raises
    ------
    ArgumentError
        An angle is out of its limits, the mounting unknown, or rows overlap.
    """

    surface_tilt: float
    surface_azimuth: float
    mounting: Mounting = "flush"
    rows: Rows | None = None
    base_tilt: float = 0.0
    base_azimuth: float = 180.0

    def __post_init__(self) -> None:
        for name in ("surface_tilt", "surface_azimuth", "base_tilt", "base_azimuth"):
            value = require_number(name, getattr(self, name), name.replace("base", "surface"))
            object.__setattr__(self, name, value)  # a plain number, which hashes
        word("mounting", self.mounting, Mounting)
        if self.rows is None:
            return
        rows = instance("rows", self.rows, Rows, "rooftop.Rows(slope_length_m, pitch_m)")
        flat_m = rows.slope_length_m * math.cos(math.radians(self.surface_tilt))
        if rows.pitch_m < flat_m:
            raise unusable(
                "rows.pitch_m",
                f"{rows.pitch_m} m",
                f">= {flat_m:.3f} m",
                what=Text("rows overlap: the pitch is shorter than the row", "阵列排距小于单排水平投影长度，互相重叠"),
            )


def checked_plane(plane: object) -> ModulePlane:
    """Return the argument `plane`; an `ArgumentError` where it is none."""
    return instance("plane", plane, ModulePlane, "rooftop.ModulePlane(surface_tilt, surface_azimuth)")


@dataclass(frozen=True, kw_only=True)
class PlaneTables:
    """What a plane receives and yields in a year, by horizon; axis F is the irradiance factors of the sky year.

    AC per kWp of a cell is a polynomial in its visible shares s of the isotropic sky and b of the horizon band,
    ``w = (1, 1 - s, (1 - s)^2, b - s)``: ``sum_q w_q * (ac_base[q] + sum_k ac_beam[k, h_k, q])``.

    Parameters
    ----------
    plane : ModulePlane
    factors : (F, 12)
        Nodes in each month.
    svf_free : float
        Sky view factor of the plane alone, ``(1 + cos tilt) / 2``.
    shares : (n_azimuth, N_EDGE, 2)
        Visible shares of the isotropic sky and of the band, rows included; sum over sectors.
    poa_beam : (n_azimuth, N_EDGE, F * 12) float32
        Beam and circumsolar [kWh/m2].
    ac_beam : (n_azimuth, N_EDGE, 4, F * 12) float32
        [kWh/kWp].
    ac_pooled : (n_azimuth, N_EDGE, 3, F * 12) float32
        What a group of cells yields more because its lit and its shaded cells share an inverter [kWh/kWp]: of suns
        between each edge and the next, where ¼, ½ and ¾ of the cells are lit.
    poa_isotropic, poa_band, poa_ground, poa_free : (F, 12)
        [kWh/m2]; the first two at shares of 1; the last of the plane alone.
    ac_base : (4, F * 12)
        [kWh/kWp].
    annual_rows : dict
        What was made of the tables to read annual irradiation quickly, by the factors' weights.
    """

    plane: ModulePlane
    factors: F8
    svf_free: float
    shares: F8
    poa_beam: F4
    ac_beam: F4
    ac_pooled: F4
    poa_isotropic: F8
    poa_band: F8
    poa_ground: F8
    poa_free: F8
    ac_base: F8
    annual_rows: dict[bytes, F8] = field(default_factory=dict, repr=False, compare=False)

    @property
    def n_azimuth(self) -> int:
        """Sectors of the circle."""
        return int(self.shares.shape[0])

    def at_factor(self, factor: F8) -> PlaneTables:
        """Return tables for one irradiance factor of each month, (12,): they are narrower, and read faster."""
        weights = factor_weights(self.factors, factor[None, :])[0]

        def mixed(values: F4 | F8) -> F8:
            parts = values.reshape(*values.shape[:-1], *weights.shape)
            result: F8 = np.einsum("...fm,fm->...m", parts, weights, dtype=np.float64)
            return result

        def of_month(values: F8) -> F8:
            result: F8 = (values * weights).sum(axis=0)[None, :]
            return result

        return replace(
            self,
            factors=factor[None, :],
            poa_beam=mixed(self.poa_beam).astype(np.float32),
            ac_beam=mixed(self.ac_beam).astype(np.float32),
            ac_pooled=mixed(self.ac_pooled).astype(np.float32),
            poa_isotropic=of_month(self.poa_isotropic),
            poa_band=of_month(self.poa_band),
            poa_ground=of_month(self.poa_ground),
            poa_free=of_month(self.poa_free),
            ac_base=mixed(self.ac_base),
            annual_rows={},
        )

    @functools.cached_property
    def reach(self) -> I8:
        """Edges of each sector, (n_azimuth,), from which on the beam tables are zero: no sun stands higher there."""
        nonzero = (self.poa_beam != 0.0).any(axis=2) | (self.ac_beam != 0.0).any(axis=(2, 3))
        edges = nonzero.shape[1] - np.argmax(nonzero[:, ::-1], axis=1)
        return np.where(nonzero.any(axis=1), edges, 0).astype(np.int64)


@dataclass(frozen=True, kw_only=True)
class Light:
    """Irradiance on one plane per sun [W/m2]: (F, n) each, the plane otherwise free."""

    direct: F8
    circumsolar: F8
    isotropic: F8
    band: F8
    ground: F8
    aoi_deg: F8


class SkyOptions(TypedDict, total=False):
    """Keywords of the functions that make tables of a plane; see :func:`plane_tables`."""

    n_azimuth: int
    diffuse: Diffuse
    albedo: float


@dataclass(frozen=True, kw_only=True)
class LitPlane:
    """A module plane with its system under a year of sky, and the light that it gets there."""

    sky: SkyYear
    plane: ModulePlane
    system: PvSystem
    light: Light
    n_azimuth: int
    albedo: float


def lit_plane(
    weather: Weather | SkyYear,
    plane: ModulePlane,
    system: PvSystem | None,
    factors: ArrayLike = FACTORS,
    **options: Unpack[SkyOptions],
) -> LitPlane:
    """Check what tables of a plane are made from; a Weather is taken at `factors`, a SkyYear at its own."""
    albedo = require_number("albedo", options.get("albedo", 0.2))
    n_azimuth, plane = whole("n_azimuth", options.get("n_azimuth", 72)), checked_plane(plane)
    system = checked_system(system)
    sky = as_sky_year(weather, options.get("diffuse", "perez"), factors=factors)
    light = plane_light(sky, plane, albedo)
    return LitPlane(sky=sky, plane=plane, system=system, light=light, n_azimuth=n_azimuth, albedo=albedo)


def plane_tables(
    weather: Weather | SkyYear, plane: ModulePlane, system: PvSystem, **options: Unpack[SkyOptions]
) -> PlaneTables:
    """Integrate a year of sky once for a module plane.

    Parameters
    ----------
    weather : Weather or SkyYear
        Pass the SkyYear when several planes share it (`diffuse` is then the SkyYear's).
    plane : ModulePlane
    system : PvSystem
    n_azimuth : int, default 72
        Sectors; must equal the columns of the horizons read later.
    diffuse : {"perez", "haydavies", "isotropic"}
    albedo : float, default 0.2
        Reflectance of the ground below the plane's horizon.

    Returns
    -------
    PlaneTables

    Raises
    ------
    ArgumentError
        An argument is of another type, out of its limits or an unknown word; the weather is no whole year.
    """
    illuminated = lit_plane(weather, plane, system, **options)
    sky, plane, light, n_azimuth = illuminated.sky, illuminated.plane, illuminated.light, illuminated.n_azimuth
    n_factor = sky.factors.shape[0]
    off, on, gain = _ac_nodes(illuminated)
    parts = [light.direct + light.circumsolar, *(on - off), *gain]
    shares, cumulative = merged_tables(sky, plane, np.concatenate(parts) * (sky.duration_h / 1000.0), n_azimuth)
    n_edge, n_power = year.N_EDGE, (1 + len(_NODES)) * n_factor
    isotropic, band, ground = (monthly_kwh(sky, part) for part in (light.isotropic, light.band, light.ground))
    alone = plane_light(sky, replace(plane, rows=None, base_tilt=0.0), illuminated.albedo)
    return PlaneTables(
        plane=plane,
        factors=sky.factors,
        svf_free=0.5 * (1.0 + math.cos(math.radians(plane.surface_tilt))),
        shares=shares,
        poa_beam=cumulative[:, :, :n_factor].reshape(n_azimuth, n_edge, -1).astype(np.float32),
        ac_beam=cumulative[:, :, n_factor:n_power].reshape(n_azimuth, n_edge, len(_NODES), -1).astype(np.float32),
        ac_pooled=_in_bins(cumulative[:, :, n_power:]).reshape(n_azimuth, n_edge, len(year.LIT), -1).astype(np.float32),
        poa_isotropic=isotropic,
        poa_band=band,
        poa_ground=ground,
        poa_free=monthly_kwh(sky, alone.direct + alone.circumsolar + alone.isotropic + alone.band + alone.ground),
        ac_base=np.stack([monthly_kwh(sky, node).ravel() for node in off]),
    )


def plane_light(sky: SkyYear, plane: ModulePlane, albedo: float) -> Light:
    """Irradiance of each sun's sky on a plane, nothing in the way (`pvlib.irradiance.get_total_irradiance`, split)."""
    tilt, facing = math.radians(plane.surface_tilt), math.radians(plane.surface_azimuth)
    normal = np.array([math.sin(tilt) * math.sin(facing), math.sin(tilt) * math.cos(facing), math.cos(tilt)])
    # not a product of matrices: BLAS may round differently from process to process
    cos_aoi = normal[0] * sky.direction[0] + normal[1] * sky.direction[1] + normal[2] * sky.direction[2]
    facing_sun = np.maximum(cos_aoi, 0.0)
    slope = _gradient(plane.base_tilt, plane.base_azimuth)
    above_base = sky.direction[2] > slope[0] * sky.direction[0] + slope[1] * sky.direction[1]
    facing_sun = np.where(above_base, facing_sun, 0.0)
    band = sky.band * math.sin(tilt)
    # A negative band darkens the whole sky; what would make it negative comes out of the circumsolar part.
    sky_light = sky.isotropic * (0.5 * (1.0 + math.cos(tilt))) + np.minimum(band, 0.0)
    return Light(
        direct=sky.beam * facing_sun,
        circumsolar=np.maximum(sky.circumsolar * facing_sun + np.minimum(sky_light, 0.0), 0.0),
        isotropic=np.maximum(sky_light, 0.0),
        band=np.maximum(band, 0.0),
        ground=albedo * _ground_irradiance(sky, plane),
        aoi_deg=np.degrees(np.arccos(np.clip(cos_aoi, -1.0, 1.0))),
    )


def _ground_irradiance(sky: SkyYear, plane: ModulePlane) -> F8:
    """Irradiance that ground of reflectance 1 below the plane gives it [W/m2], (F, n).

    Between rows the ground lies in their shade and the row in front hides part of it: the two-dimensional geometry of
    Mikofski et al. (2019), doi:10.1109/PVSC40753.2019.8980572, as in `pvlib.bifacial.infinite_sheds`.
    """
    tilt, facing = math.radians(plane.surface_tilt), math.radians(plane.surface_azimuth)
    if plane.rows is None or tilt == 0.0:
        return sky.ghi * (0.5 * (1.0 - math.cos(tilt)))
    rows = plane.rows
    run, rise = rows.slope_length_m * math.cos(tilt), rows.slope_length_m * math.sin(tilt)
    east, north, up = sky.direction
    towards = math.sin(facing) * east + math.cos(facing) * north
    shadow = np.abs(run + rise * towards / np.maximum(up, 1e-3)) / rows.pitch_m
    beam = sky.beam * np.maximum(up, 0.0)
    on_ground = beam * np.maximum(1.0 - shadow, 0.0) + (sky.ghi - beam) * _ground_sky_view(run, rise, rows.pitch_m)
    up_slant = (np.arange(_SLANTS) + 0.5) / _SLANTS
    hidden = np.arctan2(rise * up_slant, rows.pitch_m + run * up_slant)
    return on_ground * float(np.mean(0.5 * (1.0 - np.cos(tilt - hidden))))


def _ground_sky_view(run: float, rise: float, pitch: float) -> float:
    """Mean sky view factor of the ground between and under endless rows, in two dimensions."""
    x = (np.arange(50) + 0.5)[:, None] / 50 * pitch
    angle = np.radians(np.arange(-90.0, 90.0, 0.5) + 0.25)[None, :]  # from the vertical, towards the facing side
    seen = np.ones((x.size, angle.size), dtype=bool)
    for k in range(-8, 9):
        low = np.arctan2(k * pitch - x, 0.0 * x)
        high = np.arctan2(k * pitch - run - x, np.full_like(x, rise))
        seen &= ~((angle > np.minimum(low, high)) & (angle < np.maximum(low, high)))
    return float((seen * np.cos(angle)).sum() / (x.size * np.cos(angle).sum()))


def _in_bins(cumulative: F8) -> F8:
    """Turn sums over suns above each edge into sums over suns between it and the next."""
    bins = cumulative.copy()
    bins[:, :-1] -= cumulative[:, 1:]
    return bins


def _ac_nodes(illuminated: LitPlane) -> tuple[F8, F8, F8]:
    """AC power per kWp [W] without and with beam: polynomial coefficients (4, F, n) each; what pooling adds (3, F, n).

    Pooling: cells in the sun and cells in shade feed one inverter, which may take from the ones what it could not take
    if all were in the sun. Of lit shares :data:`rooftop.kernels.year.LIT`.
    """
    sky, plane, system, light = illuminated.sky, illuminated.plane, illuminated.system, illuminated.light
    beam_iam, spread = incidence(plane, system, light)
    warming = system.warming(plane.mounting, sky.wind_speed)
    beam = light.direct + light.circumsolar
    direct = []
    for with_beam in (0.0, 1.0):
        for s, b in (*_NODES, (_POOLED_SKY, _POOLED_SKY)):
            poa = with_beam * beam + s * light.isotropic + b * light.band + light.ground
            effective = with_beam * beam * beam_iam + s * light.isotropic * spread["sky"]
            effective += b * light.band * spread["horizon"] + light.ground * spread["ground"]
            direct.append(_dc_power(effective, sky.temp_air + warming * poa, system))
    shade, sun = direct.pop(len(_NODES)), direct.pop()
    powers = [_ac_power(pdc, system) for pdc in direct]
    matrix = np.array([[1.0, 1.0 - s, (1.0 - s) ** 2, b - s] for s, b in _NODES])
    nodes = np.stack(powers).reshape(2, len(_NODES), *beam.shape)
    coefficients = np.einsum("qp,bpfn->qbfn", np.linalg.inv(matrix), nodes)
    alone = _ac_power(sun, system), _ac_power(shade, system)
    gain = [
        _ac_power(share * sun + (1.0 - share) * shade, system) - share * alone[0] - (1.0 - share) * alone[1]
        for share in year.LIT
    ]
    return coefficients[:, 0], coefficients[:, 1], np.stack(gain)


def incidence(plane: ModulePlane, system: PvSystem, light: Light) -> tuple[F8, dict[str, float]]:
    """Incidence angle modifiers of each sun's beam with circumsolar light (F, n), and of "sky", "horizon", "ground"."""
    model = getattr(iam, system.iam_model)
    beam = np.where(light.aoi_deg < 90.0, model(light.aoi_deg, **dict(system.iam_parameters)), 0.0)
    if system.iam_diffuse == "none":
        direct, circumsolar = light.direct, light.circumsolar
        both = np.maximum(direct + circumsolar, 1e-9)
        return (direct * beam + circumsolar) / both, {"sky": 1.0, "horizon": 1.0, "ground": 1.0}
    return np.broadcast_to(beam, light.direct.shape), _diffuse_iam(
        system.iam_model, plane.surface_tilt, system.iam_parameters
    )


@functools.lru_cache(maxsize=256)
def _diffuse_iam(model: str, tilt: float, parameters: tuple[tuple[str, float], ...]) -> dict[str, float]:
    """Incidence angle modifiers of sky, horizon and ground: Marion (2017), doi:10.1016/j.solener.2017.03.027."""
    return dict(iam.marion_diffuse(model, tilt, **dict(parameters)))


def _dc_power(effective: F8, temp_cell: F8, system: PvSystem) -> F8:
    """DC power per kWp [W] by PVWatts: Dobos (2014), doi:10.2172/1158421."""
    pdc: F8 = pvwatts_dc(effective, temp_cell, 1000.0, system.module.gamma_pdc) * system.dc_share
    return np.maximum(pdc, 0.0)


def _ac_power(pdc: F8, system: PvSystem) -> F8:
    """AC power per kWp [W] of an inverter by PVWatts, as `_dc_power`."""
    limit = 1000.0 * system.inverter_pdc0
    return pvwatts_ac(pdc, limit, system.eta_inv_nom, system.eta_inv_ref) * system.ac_share


def merged_tables(sky: SkyYear, plane: ModulePlane, values: F8, n_azimuth: int) -> tuple[F8, F8]:
    """Visible shares, and cumulative table of `values` (c, n), both with the rows in front merged."""
    table = year.fill(sky.azimuth_deg, sky.elevation_deg, sky.month, np.ascontiguousarray(values.T), n_azimuth)
    shares = visible_shares(plane, n_azimuth)
    if plane.rows is None or not plane.rows.in_tables:
        return shares, table
    flat = table.reshape(n_azimuth, year.N_EDGE, -1)
    merged = np.empty_like(flat)
    year.merge_rows(flat, row_horizon_deg(plane, plane.rows, n_azimuth), merged)
    return shares, merged.reshape(table.shape)


def visible_shares(plane: ModulePlane, n_azimuth: int) -> F8:
    """Shares of the isotropic sky and of the horizon band above each horizon edge: (n_azimuth, N_EDGE, 2)."""
    tilt, facing, band = math.radians(plane.surface_tilt), math.radians(plane.surface_azimuth), math.radians(BAND_DEG)
    free = year.sky_shares(n_azimuth, STRIPS, tilt, facing, np.zeros(2), band)
    slope = np.array(_gradient(plane.base_tilt, plane.base_azimuth))
    seen = year.sky_shares(n_azimuth, STRIPS, tilt, facing, slope, band) if slope.any() else free
    shares: F8 = seen / free[:, 0].sum(axis=0)
    if plane.rows is None or not plane.rows.in_tables:
        return shares
    merged = np.empty_like(shares)
    year.merge_rows(shares, row_horizon_deg(plane, plane.rows, n_azimuth), merged)
    return merged


def row_horizon_deg(plane: ModulePlane, rows: Rows, n_azimuth: int) -> F8:
    """Horizon that an endless row in front makes, at positions up the slant: (n_position, n_azimuth) degrees."""
    tilt = math.radians(plane.surface_tilt)
    facing = math.radians(plane.surface_azimuth)
    slope = _gradient(plane.base_tilt, plane.base_azimuth)
    climb = rows.pitch_m * (slope[0] * math.sin(facing) + slope[1] * math.cos(facing))
    above = rows.slope_length_m * (np.arange(_SLANTS) + 0.5)[::-1] / _SLANTS
    height = above * math.sin(tilt) + climb
    distance = np.maximum(rows.pitch_m - above * math.cos(tilt), 1e-6)
    towards = np.maximum(np.cos(2.0 * math.pi * np.arange(n_azimuth) / n_azimuth - facing), 0.0)
    return np.degrees(np.arctan(np.outer(height / distance, towards)))


def _gradient(tilt_deg: float, azimuth_deg: float) -> tuple[float, float]:
    """East and north gradient of a plane that falls towards `azimuth_deg`."""
    fall, facing = math.tan(math.radians(min(tilt_deg, 89.9))), math.radians(azimuth_deg)
    return -fall * math.sin(facing), -fall * math.cos(facing)


def monthly_kwh(sky: SkyYear, power: F8) -> F8:
    """Sum W (F, n) to kWh (F, 12)."""
    out: F8 = np.stack([np.bincount(sky.month, weights=row, minlength=12) for row in power]).astype(np.float64)
    return out * (sky.duration_h / 1000.0)
