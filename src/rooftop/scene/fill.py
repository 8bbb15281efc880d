"""Planes filled with real modules: net zones, packing, and the orientations whose sky tables they need."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import ClassVar, Self

import numpy as np
import pandas as pd
import shapely

from rooftop.config import System
from rooftop.core.choices import RoofMounting
from rooftop.core.roof_rules import RoofRules
from rooftop.core.types import F8, I8, Geometries
from rooftop.scene.equator import rack_azimuth_deg
from rooftop.scene.layout import Layout, PlaneModules, beside_obstacles, flush_plane, variants_of
from rooftop.scene.packing import Packed, PackOptions, flat_options, flush_options, pack
from rooftop.scene.places import ModuleLayout, PlaneRuns
from rooftop.scene.plane_columns import PACKED_PLANES
from rooftop.scene.plane_rules import load_plane_rules
from rooftop.scene.relaid import MovedPlanes, PackedZones, ZoneOfPlane
from rooftop.scene.rows import SpecificYield, level_rows
from rooftop.scene.taken import OccupiedAreas
from rooftop.scene.uneven import ReturnsOnPlane
from rooftop.scene.zones import Slope, ZoneDistances, large_pieces, net_zone, zone_distances
from rooftop.solar.energy import ModulePlane
from rooftop.solar.pvsystem import Module
from rooftop.tables import conform

_AZIMUTH_STEP_DEG = 10.0
_PITCH_STEP_M = 0.1
_ROUGH_TILT_DEG, _ROUGH_AZIMUTH_DEG = 10.0, 30.0
_SEAM_M = 2e-3
_NO_CORNERS: F8 = np.zeros((0, 4, 2))
_AROUND_OFF_M = 0.25  # of a return off its plane: rows that move keep clear of it
_PACKED_BY = (
    "roof",
    "plane_tilt_deg",
    "plane_azimuth_deg",
    "pitched",
    "geometry",
    "usable",
    "known",
    "setback_m",
    "min_patch_m2",
)


@dataclass(frozen=True, kw_only=True)
class PackedLayout(Layout):
    """Modules that have places: those with enough light count.

    `planes` has the columns of `plane_columns.PACKED_PLANES`.
    """

    written: ClassVar[tuple[str, ...]] = ("pitch_m", "obstacles_known")

    @property
    def placed(self) -> I8:
        """Modules that were placed on each plane."""
        return self.planes["packed_count"].to_numpy()

    def moved(self, planes: Iterable[MovedPlanes]) -> Self:
        """Return the layout with the modules of some planes elsewhere: counts, areas and corners, for tables."""
        table, corners = self.planes.copy(), list(self.corners)
        for some in planes:
            rows = table.index[some.planes]
            per_module = table.loc[rows, "packed_module_m2"] / table.loc[rows, "packed_count"]
            table.loc[rows, "packed_module_m2"] = per_module * some.count
            table.loc[rows, "packed_count"] = some.count
            table.loc[rows, "packed_array_m2"], table.loc[rows, "packed_used_m2"] = some.array_m2, some.used_m2
            if len(some.corners):
                for row, own in zip(some.planes, np.split(some.corners, np.cumsum(some.count)[:-1]), strict=True):
                    corners[row] = own
        return replace(self, planes=table, corners=tuple(corners))

    def modules(self, year: pd.DataFrame) -> PlaneModules:
        """Return the modules that have light, of real rectangles.

        Where obstacles were measured they are cut from the zone already; else the share of the roof type is a factor on
        the count. Areas follow the count; the installable area is the bright share of the plane's cells, and no less
        than the rows that stand on it.
        """
        of = {name: self.planes[name].to_numpy() for name in self.planes.columns if name != "geometry"}
        n_lit, ok_share = (np.nan_to_num(year[name].to_numpy(dtype=float)) for name in ("n_lit", "ok_share"))
        free = np.where(of["obstacles_known"], 1.0, of["free_share"])
        count = beside_obstacles(n_lit, free)
        packed = of["packed_count"].astype(float)
        part, bright_part = (np.divide(n, packed, out=np.zeros_like(packed), where=packed > 0) for n in (count, n_lit))
        array, net = of["packed_array_m2"] * part, of["zone_net_m2"] * free
        installable = np.where(of["usable"], np.maximum(net * ok_share, array), 0.0)
        used = np.where(count > 0, of["packed_used_m2"] * free * bright_part, 0.0)
        return PlaneModules(
            net_m2=net,
            installable_m2=installable,
            used_m2=np.clip(used, array, np.maximum(installable, array)),
            array_m2=array,
            module_m2=of["packed_module_m2"] * part,
            count=count.astype(np.int64),
        )


@dataclass(frozen=True, kw_only=True)
class FillSettings:
    """How planes are filled.

    Parameters
    ----------
    system : System
    module : Module
    rules : RoofRules
    latitude_deg : float, or (n_roofs,) float
        For the direction and the pitch of rows; one for all roofs, or of each.
    specific_yield : callable
        kWh per kWp and year of an orientation that nothing shades.
    keep_modules : bool
        Return the corners of every module.
    points : tuple of int
        At how many points each module sees the sky, along its longer and its shorter side.
    """

    system: System
    module: Module
    rules: RoofRules
    latitude_deg: float | F8
    specific_yield: SpecificYield
    keep_modules: bool = False
    points: tuple[int, int] = (2, 2)


def fill_planes(
    planes: pd.DataFrame,
    filling: FillSettings,
    *,
    visible: Geometries,
    convergence_deg: F8,
    obstacles: dict[int, tuple[Geometries, F8]],
    taken: OccupiedAreas,
    shared: dict[int, shapely.Geometry],
    drops: dict[int, shapely.Geometry],
    returns: dict[int, ReturnsOnPlane],
) -> PackedLayout:
    """Fill the zone of every plane with modules, and return the layout.

    Of each plane the zone is what setbacks, walkways, declared exclusions, (where known) obstacles and existing
    PV leave; pieces too small for a patch carry nothing. The net area is that before existing PV. Tilt, row direction
    and module orientation are the packing's choice. An east-west rack becomes two rows, each with half of the areas and
    the modules that look its way.

    Parameters
    ----------
    planes : DataFrame
        From :func:`rooftop.scene.roofs.open_planes`.
    filling : FillSettings
    visible : (n_roofs,) geometries
    convergence_deg : (n_roofs,)
    obstacles : dict
        Polygons and heights by roof, where they were measured.
    taken : OccupiedAreas
    shared : dict
        Where outlines are walls shared with a level roof, by roof.
    drops : dict
        Where planes end above something lower, by the number in column ``known``.
    returns : dict of int to ReturnsOnPlane
        What a laser met on planes, by the same number: no module is set where too much of it lies off the plane.
    """
    distances = zone_distances(filling.rules, load_plane_rules())
    outline = _outlines(planes, visible)
    latitude: F8 = np.broadcast_to(np.asarray(filling.latitude_deg, dtype=np.float64), len(visible))
    racks, flush = _Racks.at_latitude(filling, latitude), flush_options(filling.rules)
    value = _yield_at_steps(filling.specific_yield, racks.exact_deg)
    parts: list[_FilledPlane] = []
    table = zip(*(planes[name] for name in _PACKED_BY), strict=True)
    for k, (roof, tilt, azimuth, pitched, plan, usable, known, setback_m, least_m2) in enumerate(table):
        north, roof_latitude = float(convergence_deg[roof]), float(latitude[roof])
        walls = outline[roof], shared.get(roof), drops.get(known)
        slope = Slope(float(tilt), float(azimuth - north))
        own = replace(distances, edge_setback_m=float(setback_m), min_patch_m2=float(least_m2))
        room = _room(plan, walls, obstacles.get(roof), slope, own, taken, roof, usable=bool(usable))
        options = flush if pitched else racks.options[roof_latitude]
        packed = pack(
            room.zone,
            float(tilt),
            float(azimuth),
            filling.module,
            options,
            latitude_deg=roof_latitude,
            grid_north_deg=north,
            specific_yield=value,
        )
        if known in returns:
            packed = _on_plane(packed, returns[known], options.mounting)
            room = replace(room, zone=shapely.difference(room.zone, returns[known].around_off(_AROUND_OFF_M)))
        lower_m = filling.rules.lower_edge_m.of(options.mounting)
        for each in _filled_planes(k, packed, room, slope, options, lower_m, north):
            parts.append(each if filling.keep_modules else replace(each, corners=_NO_CORNERS))
    packed_planes = _packed_table(planes, parts, obstacles)
    bare = (packed_planes["packed_count"] == 0) & (packed_planes["area_m2"] < packed_planes["min_patch_m2"])
    module_planes = [
        _coarse_plane(each.module_plane) if none else each.module_plane for each, none in zip(parts, bare, strict=True)
    ]
    at = latitude[packed_planes["roof"].to_numpy()]
    variants, orientations = variants_of(module_planes, lambda k, plane: racks.nearest_racks(plane, float(at[k])))
    return PackedLayout(
        planes=packed_planes,
        variants=variants,
        orientations=orientations,
        module_layout=ModuleLayout.from_planes([each.runs for each in parts], _pairs(parts), filling.points),
        corners=tuple(each.corners for each in parts),
        zones=PackedZones.from_planes([each.zone for each in parts]),
    )


def _packed_table(planes: pd.DataFrame, parts: list[_FilledPlane], obstacles: Collection[int]) -> pd.DataFrame:
    """Return the table of filled planes, one row for each orientation on a plane."""
    table = planes.iloc[[each.plane for each in parts]].reset_index(drop=True)
    table["plane_id"] = table["plane_id"].astype(str) + pd.Series([each.suffix for each in parts], dtype=str)
    table["area_m2"] = table["area_m2"] * np.array([each.share for each in parts])
    table["surface_tilt_deg"] = [each.module_plane.surface_tilt for each in parts]
    table["surface_azimuth_deg"] = [each.module_plane.surface_azimuth for each in parts]
    table["module_middle_m"] = [each.runs.lower_m + 0.5 * each.runs.rise_m for each in parts]
    table["obstacles_known"] = table["roof"].isin(list(obstacles))
    packed = pd.DataFrame([each.packed for each in parts], index=table.index)
    return conform(pd.concat([table, packed], axis=1), PACKED_PLANES, strict=True)


def _outlines(planes: pd.DataFrame, visible: Geometries) -> Geometries:
    """Return the outline of each roof: its footprint, or of known planes what they cover together, eaves included."""
    out = visible.copy()
    known = planes[planes["known"].to_numpy() >= 0]
    for rows in known.groupby("roof").indices.values():
        roof = int(known["roof"].to_numpy()[rows[0]])
        grown = shapely.buffer(known["geometry"].to_numpy()[rows], _SEAM_M, join_style="mitre")
        out[roof] = shapely.buffer(shapely.union_all(grown), -_SEAM_M, join_style="mitre")
    return out


@dataclass(frozen=True, kw_only=True)
class _Room:
    """Zone of a plane in plan, and areas in plan: net, taken by exclusions, under existing PV."""

    zone: shapely.Geometry
    least_m2: float  # of its pieces
    net_m2: float
    excluded_m2: float
    existing_pv_m2: float


def _room(
    plan: shapely.Geometry,
    walls: tuple[shapely.Geometry, shapely.Geometry | None, shapely.Geometry | None],
    standing: tuple[Geometries, F8] | None,
    slope: Slope,
    distances: ZoneDistances,
    taken: OccupiedAreas,
    roof: int,
    *,
    usable: bool,
) -> _Room:
    """Return the net zone's area, and the pieces of it that may carry new modules: of a plane not usable, none."""
    shapes, heights = standing if standing is not None else (None, None)
    whole = net_zone(
        plan,
        slope,
        distances,
        footprint=walls[0],
        shared=walls[1],
        drop=walls[2],
        obstacles=shapes,
        obstacle_heights_m=heights,
    )
    net = taken.without_exclusions(roof, whole)
    least = distances.min_patch_m2 * float(np.cos(np.radians(slope.tilt_deg)))
    return _Room(
        zone=large_pieces(taken.without_existing_pv(roof, net), least) if usable else shapely.Polygon(),
        least_m2=least,
        net_m2=net.area,
        excluded_m2=whole.area - net.area,
        existing_pv_m2=taken.existing_pv_m2(roof, plan),
    )


@dataclass(frozen=True, kw_only=True)
class _FilledPlane:
    """The modules of one orientation on a plane, and the columns that packing adds."""

    plane: int  # row of the planes that were to be filled
    suffix: str
    share: float
    module_plane: ModulePlane
    runs: PlaneRuns
    corners: F8
    zone: ZoneOfPlane
    packed: dict[str, object]


def _pairs(parts: list[_FilledPlane]) -> I8:
    """Return for each half of an east-west rack the place of the other one, -1 for all else."""
    ahead = {"": 0, "e": 1, "w": -1}
    return np.array([k + ahead[each.suffix] if each.suffix else -1 for k, each in enumerate(parts)], dtype=np.int64)


def _filled_planes(
    plane: int, packed: Packed, room: _Room, slope: Slope, options: PackOptions, lower_m: float, north_deg: float
) -> Iterator[_FilledPlane]:
    """Yield a packed plane by the orientations of its modules."""
    stretch = 1.0 / float(np.cos(np.radians(slope.tilt_deg)))
    best = next(
        trial.design
        for trial in packed.trials
        if (trial.design.orientation, trial.design.tilt_deg, trial.design.azimuth_deg, trial.design.pitch_m)
        == (packed.orientation, packed.tilt_deg, packed.azimuth_deg, packed.pitch_m)
    )
    halves, share = [("", best.planes[0], ~packed.second_half)], 1.0
    if options.mounting == "east_west":
        halves, share = [("e", best.planes[0], ~packed.second_half), ("w", best.planes[1], packed.second_half)], 0.5
    rise_m = 0.0 if options.mounting == "flush" else packed.slope_length_m * float(np.sin(np.radians(packed.tilt_deg)))
    for suffix, module_plane, half in halves:
        corners = packed.modules[half]
        yield _FilledPlane(
            plane=plane,
            suffix=suffix,
            share=share,
            module_plane=module_plane,
            runs=PlaneRuns.from_corners(corners, lower_m, rise_m),
            corners=corners,
            zone=ZoneOfPlane(
                shape=room.zone,
                facing_grid_deg=best.azimuth_deg - north_deg,
                stretch=stretch,
                least_m2=room.least_m2,
                design=best,
            ),
            packed={"mounting": options.mounting, **_packed_columns(packed, len(corners), room, stretch, share)},
        )


def _on_plane(packed: Packed, returns: ReturnsOnPlane, mounting: RoofMounting) -> Packed:
    """Return the modules that lie on their plane, areas in proportion; a pair stays or goes together."""
    if not packed.count:
        return packed
    stays = returns.on_plane(packed.modules, load_plane_rules().obstacles.most_off_share.value)
    if mounting == "east_west":
        stays = np.repeat(stays[::2] & stays[1::2], 2)
    share = float(stays.mean())
    return replace(
        packed,
        count=int(stays.sum()),
        modules=packed.modules[stays],
        second_half=packed.second_half[stays],
        module_area_m2=packed.module_area_m2 * share,
        module_face_area_m2=packed.module_face_area_m2 * share,
        array_area_m2=packed.array_area_m2 * share,
        capacity_kwp=packed.capacity_kwp * share,
    )


def _packed_columns(packed: Packed, count: int, room: _Room, stretch: float, share: float) -> dict[str, float]:
    """Return the columns that packing adds, for `count` modules that take a share of the plane."""
    part = count / packed.count if packed.count else 0.0
    return {
        "packed_count": count,
        "packed_module_m2": packed.module_area_m2 * part,
        "packed_array_m2": packed.array_area_m2 * share,
        "packed_used_m2": packed.used_area_m2 * share,
        "zone_net_m2": room.net_m2 * stretch * share,
        "excluded_area_m2": room.excluded_m2 * stretch * share,
        "existing_pv_area_m2": room.existing_pv_m2 * stretch * share,
        "pitch_m": packed.pitch_m,
    }


def _yield_at_steps(of_plane: SpecificYield, exact_deg: frozenset[float]) -> SpecificYield:
    """Answer for rows along buildings from azimuths of whole steps: the choice needs no more, and tables cost 0.1 s."""
    known: dict[ModulePlane, float] = {}

    def value(plane: ModulePlane) -> float:
        if plane.rows is not None and plane.surface_azimuth not in exact_deg:
            azimuth = round(plane.surface_azimuth / _AZIMUTH_STEP_DEG) * _AZIMUTH_STEP_DEG % 360.0
            pitch = round(plane.rows.pitch_m / _PITCH_STEP_M) * _PITCH_STEP_M
            plane = replace(plane, surface_azimuth=azimuth, rows=replace(plane.rows, pitch_m=pitch))
        if plane not in known:
            known[plane] = of_plane(plane)
        return known[plane]

    return value


def _coarse_plane(plane: ModulePlane) -> ModulePlane:
    """Stand for a pitched plane too small for modules by one near it: tables cost 0.1 s, and nothing is built on it."""
    if plane.mounting != "flush" or plane.surface_tilt == 0.0:
        return plane
    tilt = max(round(plane.surface_tilt / _ROUGH_TILT_DEG), 1) * _ROUGH_TILT_DEG
    azimuth = round(plane.surface_azimuth / _ROUGH_AZIMUTH_DEG) * _ROUGH_AZIMUTH_DEG % 360.0
    return flush_plane(tilt, azimuth)


@dataclass(frozen=True)
class _Racks:
    """How racks stand on flat roofs at each latitude that the data have rules for."""

    module: Module
    options: dict[float, PackOptions]
    exact_deg: frozenset[float]  # where racks look that are not turned along a building

    @classmethod
    def at_latitude(cls, filling: FillSettings, latitude_deg: F8) -> _Racks:
        flat = filling.system.flat
        latitudes = [float(latitude) for latitude in np.unique(latitude_deg)]
        azimuths = [rack_azimuth_deg(flat, latitude) for latitude in latitudes]
        exact = frozenset(azimuth for first in azimuths for azimuth in (first, first + 180.0))
        return cls(filling.module, {k: flat_options(flat, filling.rules, k) for k in latitudes}, exact)

    def nearest_racks(self, plane: ModulePlane, latitude_deg: float) -> list[tuple[ModulePlane, float]]:
        """Stand for racks of any azimuth by those of the nearest whole steps, each at the pitch of its own azimuth."""
        options = self.options[latitude_deg]
        if plane.rows is None or plane.surface_azimuth in (options.azimuth_deg, (options.azimuth_deg + 180.0) % 360.0):
            return [(plane, 1.0)]
        low = float(np.floor(plane.surface_azimuth / _AZIMUTH_STEP_DEG) * _AZIMUTH_STEP_DEG)
        weight = (plane.surface_azimuth - low) / _AZIMUTH_STEP_DEG
        racks = []
        for azimuth, share in ((low, 1.0 - weight), (low + _AZIMUTH_STEP_DEG, weight)):
            designs = level_rows(self.module, options, azimuth % 360.0, latitude_deg)
            same = next(
                d for d in designs if d.tilt_deg == plane.surface_tilt and d.slope_length_m == plane.rows.slope_length_m
            )
            racks.append((same.planes[0], share))
        return racks
