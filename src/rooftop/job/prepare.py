"""Everything between inputs and tiles: roofs classified and filled, the scene assembled."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import shapely
from pyproj import CRS

from rooftop.config import Config, SceneOptions
from rooftop.core.grid import Tile, tile_of
from rooftop.core.lang import Text
from rooftop.core.notices import Notice
from rooftop.core.roof_rules import RoofRules, load_roof_rules
from rooftop.core.types import B1, F8, I8, Geometries
from rooftop.inputs.datums import meridian_convergence_deg
from rooftop.inputs.irradiance import IrradianceAt
from rooftop.inputs.returns import first_returns
from rooftop.job.light import TableBook
from rooftop.job.scene import Scene
from rooftop.job.siting import Siting, site_modules
from rooftop.job.sources import Sources
from rooftop.scene.agreement import compare_far_terrain, compare_heights, compare_models, compare_without_terrain
from rooftop.scene.array import flush_design
from rooftop.scene.buildings import SceneBuildings, buildings_on_terrain, measure
from rooftop.scene.equator import Sides
from rooftop.scene.fill import FillSettings, PackedLayout, fill_planes
from rooftop.scene.known import known_planes, relief_of, with_ridges
from rooftop.scene.layout import DensityLayout, Layout, density_shares, lay_out
from rooftop.scene.neighbours import shared_walls
from rooftop.scene.places import points_on_module
from rooftop.scene.plane_rules import load_plane_rules
from rooftop.scene.planes import RoofPlanes
from rooftop.scene.relief import Relief
from rooftop.scene.roofs import (
    RoofTypes,
    assumed_planes,
    corrected_types,
    open_planes,
    roof_planes,
    roof_types,
    stays_empty,
)
from rooftop.scene.surface import Blocks, far_surface
from rooftop.scene.taken import OccupiedAreas, occupied_areas
from rooftop.scene.uneven import ReturnsOnPlane, returns_on_planes
from rooftop.solar.pvsystem import PvSystem, load_system
from rooftop.solar.sky import factor_nodes, sky_year
from rooftop.targets import Pack
from rooftop.targets.basis import existing_pv
from rooftop.targets.inventory import credible_inventory
from rooftop.targets.withheld import withheld

_FAR_TERRAIN_MARGIN_M = 30_000.0
_WIDE_DEG = 1.0


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """A run ready for its tiles.

    Parameters
    ----------
    sources : Sources
        With the heights that were measured, and existing PV as it is counted.
    types : RoofTypes
    min_roof_height_m : float
        What is lower is no roof.
    system : PvSystem
    layout : Layout
    outlines : ndarray of geometries
        The footprints as read, empty where there is none.
    taken : OccupiedAreas
    scene : Scene
    book : TableBook
    siting : Siting
    notices : tuple of Notice
    """

    sources: Sources
    types: RoofTypes
    min_roof_height_m: float
    system: PvSystem
    layout: Layout
    outlines: Geometries
    taken: OccupiedAreas
    scene: Scene
    book: TableBook
    siting: Siting
    notices: tuple[Notice, ...]


def prepare(config: Config, sources: Sources, selected: B1, pack: Pack | None) -> Prepared:
    """Assemble scene, planes and sky tables.

    Parameters
    ----------
    selected : ndarray of bool, shape (n_buildings,)
        Roofs to compute; all others still cast shadows.
    pack : Pack or None
        Says how much capacity stands on a square metre, where the plan has its own figure.
    """
    rules = load_roof_rules()
    built, compared = _scene_buildings(sources)
    types = roof_types(built.table, rules)
    sources, taken, counted = _with_existing(
        config, replace(sources, buildings=built.table), built, types, rules, existing_pv(pack).w_per_m2
    )
    roofs = _known_roofs(config, sources, built, types, rules)
    light = _light(config, sources, rules)
    planes = _planes(sources, roofs, selected & ~built.gone & ~withheld(sources.buildings), rules)
    if config.system.layout == "packed":
        layout: Layout = _packed_layout(config, sources, planes, roofs, taken, light, rules)
    else:
        layout = _density_layout(planes, roofs, taken, light, rules)
    n_unplaced = taken.unplaced_m2 / light.system.module.area_m2
    return Prepared(
        sources=sources,
        types=roofs.types,
        min_roof_height_m=rules.min_roof_height_m.value,
        system=light.system,
        layout=layout,
        outlines=built.outlines,
        taken=taken,
        scene=_scene(config, sources, roofs, layout, n_unplaced, light.factor, rules),
        book=light.book,
        siting=light.siting,
        notices=(
            *compared,
            *built.notices,
            *counted,
            *roofs.known.notices,
            *_source_notices(layout.planes),
            *_unplaced_module_notices(config),
            *light.siting.notices,
            *_scene_notices(roofs.blocks, selected, sources.buildings["lon"].to_numpy(), config.scene.halo_m),
        ),
    )


def _scene_buildings(sources: Sources) -> tuple[SceneBuildings, tuple[Notice, ...]]:
    """Hold heights against each other and put the buildings on the terrain."""
    table, ground, dsm = sources.buildings, sources.ground, sources.dsm
    measured = measure(table, ground, dsm)
    notices: list[Notice] = []
    stated = table["height_source"].isin(["field", "floors"]).to_numpy()
    if ground is None and dsm is not None:
        notices += compare_without_terrain(table, measured, dsm, stated)
    if ground is not None and dsm is not None:
        notices += compare_models(table, measured, ground, dsm)
        notices += compare_heights(table["height_m"].to_numpy(dtype=float), stated, measured)
    if ground is not None and sources.terrain_far is not None:
        notices += compare_far_terrain(table, ground, sources.terrain_far)
    standing = buildings_on_terrain(table, measured, ground_known=ground is not None, dsm_given=dsm is not None)
    return standing, tuple(notices)


def _with_existing(
    config: Config, sources: Sources, built: SceneBuildings, types: RoofTypes, rules: RoofRules, w_per_m2: float
) -> tuple[Sources, OccupiedAreas, tuple[Notice, ...]]:
    """Lay exclusions and existing PV on the roofs, and give these the capacity and year that outlines state."""
    buildings, outlines, doubts = credible_inventory(
        config.inputs, sources.buildings, sources.existing_pv, types.name.tolist()
    )
    taken, standing, notices = occupied_areas(
        sources.exclusions,
        outlines,
        buildings,
        built.visible,
        w_per_m2=w_per_m2,
        clearance_m=rules.module_gap_m.value,
    )
    buildings = buildings.assign(existing_pv_kwp=standing.kwp, existing_pv_year=standing.year.array)
    return replace(sources, buildings=buildings), taken, (*doubts, *notices)


@dataclass(frozen=True, kw_only=True)
class _Roofs:
    """Roofs as far as their geometry is known.

    Parameters
    ----------
    types : RoofTypes
        Those that were assumed, overruled by known planes.
    known : RoofPlanes
    relief : Relief or None
    blocks : Blocks
        With the ridges of known planes.
    level_m : ndarray
        Elevation of each roof by one and the same statistic, whatever is known of its planes.
    visible : ndarray of geometries
    latitude_deg, convergence_deg : ndarray
    """

    types: RoofTypes
    known: RoofPlanes
    relief: Relief | None
    blocks: Blocks
    level_m: F8
    visible: Geometries
    latitude_deg: F8
    convergence_deg: F8


def _known_roofs(config: Config, sources: Sources, built: SceneBuildings, types: RoofTypes, rules: RoofRules) -> _Roofs:
    """Find the planes that a roof model or a surface model knows, and let them shape the buildings."""
    buildings, blocks, present = sources.buildings, built.blocks, ~built.gone
    lon, lat = buildings["lon"].to_numpy(), buildings["lat"].to_numpy()
    convergence = np.zeros(len(buildings))
    convergence[present] = meridian_convergence_deg(CRS(buildings.crs), lon[present], lat[present])
    use_known = config.scene.roof_planes == "known"
    known = known_planes(
        sources.roofs if use_known else None,
        sources.dsm if use_known else None,
        buildings,
        visible=built.visible,
        base_m=blocks.base_m,
        convergence_deg=convergence,
        rules=rules,
        terrain_known=sources.ground is not None,
        in_model=None if blocks.dsm_coverage is None else blocks.dsm_coverage.in_model,
    )
    relief = relief_of(known, convergence)
    return _Roofs(
        types=corrected_types(types, known.table, rules),
        known=known,
        relief=relief,
        blocks=with_ridges(blocks, known, relief),
        level_m=blocks.top_m,
        visible=built.visible,
        latitude_deg=lat,
        convergence_deg=convergence,
    )


@dataclass(frozen=True, kw_only=True)
class _Light:
    """What turns light into yield: the system, tables of orientations, the irradiance of each roof."""

    system: PvSystem
    book: TableBook
    factor: F8
    siting: Siting


def _light(config: Config, sources: Sources, rules: RoofRules) -> _Light:
    """Make the sky of the year, and find what follows from it for modules."""
    system = load_system(config.system.module, config.system.losses, config.system.cell_temperature)
    factor = _fill_factor(sources.anchor.factor)
    book = TableBook(
        sky_year(sources.weather, config.scene.diffuse, factors=factor_nodes(factor)), system, config.scene
    )
    buildings = sources.buildings
    sides = Sides.by_latitude(buildings["lat"].to_numpy(), (buildings["status"] != "excluded").to_numpy())
    siting = site_modules(config, system, rules, sides, book, factor.mean(axis=0))
    return _Light(system=system, book=book, factor=factor, siting=siting)


def _planes(sources: Sources, roofs: _Roofs, computed: B1, rules: RoofRules) -> pd.DataFrame:
    """Return the planes of the roofs to compute, known or assumed, and which of them may carry modules.

    None is too steep, towards the pole, the top of a stair head, or so near the ground that it is a yard, and none lies
    on a roof that carries nothing.
    """
    assumed = assumed_planes(sources.buildings, roofs.types, roofs.visible, roofs.convergence_deg, rules)
    planes = roof_planes(assumed, roofs.known.table, roofs.types, rules)
    planes = planes[computed[planes["roof"].to_numpy()]].reset_index(drop=True)
    roof, steepest = planes["roof"].to_numpy(), load_plane_rules().zones.max_tilt_deg.value
    empty = stays_empty(planes, roofs.latitude_deg[roof], rules, steepest)
    known = planes["known"].to_numpy()
    empty |= np.isin(known, roofs.known.raised)
    if roofs.relief is not None:
        above_m = roofs.relief.z_m[known] - roofs.blocks.base_m[roof]
        empty |= (known >= 0) & (above_m < rules.min_roof_height_m.value)
    unfit = _carries_nothing(sources.buildings, rules, sources.irradiance)
    height = sources.buildings["height_m"].to_numpy(dtype=float)
    return open_planes(planes, ~empty & ~unfit[roof], roofs.types, rules, height_m=height)


def _packed_layout(
    config: Config,
    sources: Sources,
    planes: pd.DataFrame,
    roofs: _Roofs,
    taken: OccupiedAreas,
    light: _Light,
    rules: RoofRules,
) -> PackedLayout:
    """Fill the planes with modules."""
    module = light.system.module
    sides_m = max(module.length_m, module.width_m), min(module.length_m, module.width_m)
    filling = FillSettings(
        system=config.system,
        module=light.system.module,
        rules=rules,
        latitude_deg=light.siting.sides.by_roof,
        specific_yield=light.siting.free_yield,
        keep_modules=config.outputs.modules,
        points=config.scene.module_points or points_on_module(*sides_m, config.scene.cell_size_m),
    )
    return fill_planes(
        planes,
        filling,
        visible=roofs.visible,
        convergence_deg=roofs.convergence_deg,
        obstacles=roofs.known.obstacles,
        taken=taken,
        shared=shared_walls(roofs.visible, roofs.level_m, load_plane_rules().zones, rules.setback_m.value),
        drops=roofs.known.drops,
        returns=_returns(config, sources, roofs),
    )


def _returns(config: Config, sources: Sources, roofs: _Roofs) -> dict[int, ReturnsOnPlane]:
    """Return what the laser met on planes that were found in a point cloud, by row of the relief."""
    dsm, given, relief = sources.dsm, config.inputs.dsm, roofs.relief
    if dsm is None or dsm.points is None or given is None or relief is None:
        return {}
    rows = np.flatnonzero(roofs.known.table["roof_source"].to_numpy() == "dsm")
    met = first_returns(given, sources.buildings.crs, "inputs.dsm", relief.geometry[rows])
    off_m = load_plane_rules().obstacles.min_height_m.value
    return returns_on_planes(relief, rows[met.plane], (met.x, met.y, met.z), off_m)


def _density_layout(
    planes: pd.DataFrame, roofs: _Roofs, taken: OccupiedAreas, light: _Light, rules: RoofRules
) -> DensityLayout:
    """Lay out by density, with the shares that exclusions and existing PV take."""
    module = light.system.module
    return lay_out(
        planes,
        density_shares(planes, roofs.types, roofs.visible, taken, rules),
        light.siting.on_flat,
        flush_design(module.length_m, module.width_m, rules.module_gap_m.value),
        light.siting.sides.of_roof[planes["roof"].to_numpy()],
        rules=rules,
    )


def _scene(
    config: Config, sources: Sources, roofs: _Roofs, layout: Layout, n_unplaced: F8, factor: F8, rules: RoofRules
) -> Scene:
    options, blocks = config.scene, roofs.blocks
    limit = options.max_shading_loss
    return Scene(
        blocks=blocks,
        planes=layout.planes,
        variants=layout.variants,
        orientations=layout.orientations,
        factor=factor,
        convergence_deg=roofs.convergence_deg,
        tile_members=_tile_members(blocks, layout, options),
        ground=sources.ground,
        dsm=sources.dsm,
        far=far_surface(
            blocks,
            sources.ground,
            sources.dsm,
            sources.terrain_far,
            _FAR_TERRAIN_MARGIN_M if sources.terrain_far is not None else 0.0,
        ),
        options=options,
        max_shading_loss=rules.max_shading_loss.value if limit is None else limit,
        keep_cells=bool(config.outputs.rasters),
        keep_months="poa_monthly" in config.outputs.rasters,
        relief=roofs.relief,
        min_poa_kwh_m2=options.min_poa_kwh_m2 or 0.0,
        module_layout=layout.module_layout,
        zones=layout.zones,
        n_unplaced=n_unplaced,
        keep_modules=config.outputs.modules,
    )


def _tile_members(blocks: Blocks, layout: Layout, options: SceneOptions) -> dict[Tile, I8]:
    """Return all roofs of each tile that has planes, by a point on each roof."""
    present = np.flatnonzero(~shapely.is_empty(blocks.geometry))
    x, y = blocks.point_m[present].T
    i, j = tile_of(x, y, options.cell_size_m, options.tile_cells)
    computed = np.zeros(len(blocks.geometry), dtype=bool)
    computed[layout.planes["roof"].to_numpy()] = True
    members: dict[Tile, I8] = {}
    for a, b in sorted({(int(a), int(b)) for a, b in zip(i, j, strict=True)}):
        rows = present[(i == a) & (j == b)]
        if computed[rows].any():
            members[Tile(a, b)] = rows
    return members


def _unplaced_module_notices(config: Config) -> tuple[Notice, ...]:
    """Say that the density layout places no modules, where they were asked for."""
    if not config.outputs.modules or config.system.layout == "packed":
        return ()
    text = Text(
        "outputs.modules needs system.layout: packed; no modules are written",
        "outputs.modules 须配合 system.layout: packed，未写出组件图层",
    )
    return (Notice("modules_not_placed", text, 1, "warning", "outputs.modules"),)


def _source_notices(planes: pd.DataFrame) -> tuple[Notice, ...]:
    """Count the roofs by the source of their planes, where any is known."""
    roofs = planes.drop_duplicates("roof")["roof_source"].value_counts()
    if set(roofs.index) <= {"assumed"}:
        return ()
    lod2, dsm, assumed = (int(roofs.get(name, 0)) for name in ("lod2", "dsm", "assumed"))
    text = Text(
        f"roof planes: {lod2} roofs from the roof model, {dsm} from the surface model, {assumed} assumed",
        f"屋顶坡面来源：屋顶模型 {lod2} 个，地表模型 {dsm} 个，按类型假定 {assumed} 个",
    )
    return (Notice("roof_sources", text, lod2 + dsm, "info", "roofs"),)


def _fill_factor(factor: F8) -> F8:
    """Fill roofs without irradiance with the mean factor: they are computed and then not used."""
    return np.where(np.isfinite(factor), factor, np.nanmean(factor, axis=0))


def _carries_nothing(buildings: pd.DataFrame, rules: RoofRules, at: IrradianceAt) -> B1:
    """Return roofs that carry nothing whatever their planes look like."""
    low = buildings["height_m"].to_numpy(dtype=float) < rules.min_roof_height_m.value
    return (buildings["status"] == "excluded").to_numpy() | low | ~np.isfinite(at.ghi_annual_kwh_m2)


def _scene_notices(
    blocks: Blocks,
    selected: B1,
    lon: F8,
    halo_m: float,
) -> tuple[Notice, ...]:
    notices = []
    edge = shapely.boundary(shapely.convex_hull(shapely.MultiPoint(shapely.get_coordinates(blocks.geometry))))
    near = int((shapely.dwithin(blocks.geometry, edge, halo_m) & selected).sum())
    if near:
        text = Text(
            f"{near} buildings stand within {halo_m:g} m of the end of the footprints: shadows from beyond are unknown",
            f"{near} 栋建筑距数据边缘不足 {halo_m:g} m，边界以外建筑的遮挡未知",
        )
        notices.append(Notice("edge_of_data", text, near, "info", "footprints"))
    width = float(np.nanmax(lon) - np.nanmin(lon))
    if width > _WIDE_DEG:
        text = Text(
            f"the data span {width:.1f}° of longitude under one weather year: run wide areas in parts",
            f"数据跨越经度 {width:.1f}°，但只用同一气象年；范围过大时请分片运行",
        )
        notices.append(Notice("wide_extent", text, 1, "warning", "footprints"))
    return tuple(notices)
