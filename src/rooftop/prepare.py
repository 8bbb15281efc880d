"""Everything between inputs and tiles: roofs classified and filled, the scene assembled."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from pyproj import CRS

from rooftop.config import Config
from rooftop.grid import Tile, tile_of
from rooftop.inputs.datums import meridian_convergence_deg
from rooftop.inputs.irradiance import IrradianceAt
from rooftop.lang import Text
from rooftop.notices import Notice
from rooftop.potential import Scene, TableBook
from rooftop.pvsystem import Module, PvSystem, load_system
from rooftop.scene.agreement import compare_far_terrain, compare_heights, compare_models
from rooftop.scene.array import flush_design
from rooftop.scene.buildings import Buildings, measure, stand
from rooftop.scene.equator import Sides
from rooftop.scene.fill import Filling, fill_planes
from rooftop.scene.known import known_planes, relief_of, with_ridges
from rooftop.scene.layout import Layout, lay_out
from rooftop.scene.neighbours import shared_walls
from rooftop.scene.plane_rules import load_plane_rules
from rooftop.scene.relief import Relief
from rooftop.scene.roofs import (
    RoofTypes,
    assumed_planes,
    net_shares,
    retyped,
    roof_planes,
    roof_types,
    stays_empty,
)
from rooftop.scene.rules import RoofRules, load_roof_rules
from rooftop.scene.surface import Blocks, far_surface
from rooftop.scene.taken import Taken, shares_taken, taken_on
from rooftop.siting import Siting, site_modules
from rooftop.sky import factor_nodes, sky_year
from rooftop.sources import Sources
from rooftop.targets import Pack
from rooftop.targets.basis import existing_pv
from rooftop.targets.inventory import credible_inventory

_FAR_TERRAIN_MARGIN_M = 30_000.0
_WIDE_DEG = 1.0


@dataclass(frozen=True)
class Prepared:
    """A run ready for its tiles."""

    sources: Sources
    types: RoofTypes
    rules: RoofRules
    system: PvSystem
    layout: Layout
    inner_share: NDArray[np.float64]
    free_share: NDArray[np.float64]
    usable: NDArray[np.bool_]
    visible: NDArray[np.object_]
    outlines: NDArray[np.object_]
    taken: Taken
    scene: Scene
    book: TableBook
    siting: Siting
    notices: tuple[Notice, ...]


def prepare(config: Config, sources: Sources, selected: NDArray[np.bool_], pack: Pack | None) -> Prepared:
    """Assemble scene, planes and sky tables.

    Parameters
    ----------
    selected : ndarray of bool, shape (n_buildings,)
        Roofs to compute; all others still cast shadows.
    pack : Pack or None
        Says how much capacity stands on a square metre, where the plan has its own figure.
    """
    rules = load_roof_rules()
    built, agreed = _standing(sources)
    sources, blocks, visible, gone = replace(sources, buildings=built.table), built.blocks, built.visible, built.gone
    buildings, base = sources.buildings, built.blocks.base_m
    types = roof_types(buildings, rules)
    crs = CRS(buildings.crs)
    lon, lat = buildings["lon"].to_numpy(), buildings["lat"].to_numpy()
    convergence = np.zeros(len(buildings))
    convergence[~gone] = meridian_convergence_deg(crs, lon[~gone], lat[~gone])
    given = (sources.roofs, sources.dsm) if config.scene.roof_planes == "known" else (None, None)
    sources, taken, standing = _with_existing(config, sources, visible, rules, types, existing_pv(pack).w_per_m2)
    buildings = sources.buildings
    known = known_planes(
        *given, buildings, visible, base, convergence, rules, terrain_known=sources.ground is not None,
        in_model=None if blocks.shown is None else blocks.shown.in_model,
    )  # fmt: skip
    relief = relief_of(known, convergence)
    roof_m = blocks.top_m
    blocks, types = with_ridges(blocks, known, relief), retyped(types, known.table, rules)
    planes = roof_planes(assumed_planes(buildings, types, visible, convergence, rules), known.table, types, rules)
    military = buildings["building_use"].to_numpy() == "military"
    keep = (selected & ~gone & ~military)[planes["roof"].to_numpy()]
    planes = planes[keep].reset_index(drop=True)
    planes["inner_share"] = _inner_shares(planes, visible, types, rules)
    system = load_system(config.system.module, config.system.losses, config.system.cell_temperature)
    factor = _known_factor(sources.anchor.factor)
    sky = sky_year(sources.weather, config.scene.diffuse, factors=factor_nodes(factor))
    book = TableBook(sky, system, config.scene)
    sides = Sides.of(lat, (buildings["status"] != "excluded").to_numpy())
    siting = site_modules(config, system, rules, sides, book, factor.mean(axis=0))
    unfit = _unusable(buildings, rules, sources.irradiance)
    if config.system.layout == "packed":
        filling = Filling(
            config.system, system.module, rules, sides.by_roof, siting.free_yield, config.outputs.modules
        )  # fmt: skip
        fit = _fit(planes, unfit, lat, rules)
        shared = shared_walls(visible, roof_m, load_plane_rules().zones, rules.setback_m.value)
        layout = fill_planes(planes, fit, visible, convergence, known.obstacles, filling, taken, shared)
    else:
        layout = _laid_out(planes, siting, system.module, visible, taken, rules)
    inner, free = net_shares(visible, types, rules)
    scene = _scene(config, sources, blocks, layout, factor, convergence, rules, relief)
    usable = _fit(layout.planes, unfit, lat, rules)
    notices = (
        *agreed,
        *built.notices,
        *standing,
        *known.notices,
        *_source_notices(layout.planes),
        *_placed_notices(config),
        *siting.notices,
        *_scene_notices(blocks, selected, lon, config.scene.halo_m),
    )
    return Prepared(
        sources=sources,
        types=types,
        rules=rules,
        system=system,
        layout=layout,
        inner_share=inner,
        free_share=free,
        usable=usable,
        visible=visible,
        outlines=built.outlines,
        taken=taken,
        scene=scene,
        book=book,
        siting=siting,
        notices=notices,
    )


def _standing(sources: Sources) -> tuple[Buildings, tuple[Notice, ...]]:
    """Hold heights against each other and put the buildings on the terrain."""
    table, ground, dsm = sources.buildings, sources.ground, sources.dsm
    found = measure(table, ground, dsm)
    notices: list[Notice] = []
    if ground is not None and dsm is not None:
        stated = table["height_source"].isin(["field", "floors"]).to_numpy()
        notices += compare_models(table, found, ground, dsm)
        notices += compare_heights(table["height_m"].to_numpy(dtype=float), stated, found)
    if ground is not None and sources.terrain_far is not None:
        notices += compare_far_terrain(table, ground, sources.terrain_far)
    return stand(table, found, ground_known=ground is not None, dsm_given=dsm is not None), tuple(notices)


def _with_existing(
    config: Config,
    sources: Sources,
    visible: NDArray[np.object_],
    rules: RoofRules,
    types: RoofTypes,
    w_per_m2: float,
) -> tuple[Sources, Taken, tuple[Notice, ...]]:
    """Lay exclusions and existing PV on the roofs, and give these the capacity and year that outlines state."""
    buildings, outlines, doubts = credible_inventory(
        config.inputs, sources.buildings, sources.existing_pv, types.name.tolist()
    )
    taken, standing, notices = taken_on(
        sources.exclusions, outlines, buildings, visible,
        w_per_m2=w_per_m2, clearance_m=rules.module_gap_m.value,
    )  # fmt: skip
    buildings = buildings.assign(existing_pv_kwp=standing.kwp, existing_pv_year=standing.year.array)
    return replace(sources, buildings=buildings), taken, (*doubts, *notices)


def _laid_out(
    planes: pd.DataFrame,
    siting: Siting,
    module: Module,
    visible: NDArray[np.object_],
    taken: Taken,
    rules: RoofRules,
) -> Layout:
    """Lay out by density, with the shares that exclusions and existing PV take."""
    shares = shares_taken(planes, visible, taken, rules.setback_m.value)
    flush = flush_design(module.length_m, module.width_m, rules.module_gap_m.value)
    side = siting.sides.of_roof[planes["roof"].to_numpy()]
    layout = lay_out(pd.concat([planes, shares], axis=1), siting.on_flat, flush, side)
    of, area = layout.planes, layout.planes["area_m2"]
    areas = {f"{name}_area_m2": of[f"{name}_share"] * area for name in ("excluded", "existing_pv")}
    return replace(layout, planes=of.drop(columns="existing_pv_share").assign(**areas))


def _scene(
    config: Config,
    sources: Sources,
    blocks: Blocks,
    layout: Layout,
    factor: NDArray[np.float64],
    convergence: NDArray[np.float64],
    rules: RoofRules,
    relief: Relief | None,
) -> Scene:
    options = config.scene
    present = np.flatnonzero(~shapely.is_empty(blocks.geometry))
    point = shapely.point_on_surface(blocks.geometry[present])
    i, j = tile_of(shapely.get_x(point), shapely.get_y(point), options.cell_size_m, options.tile_cells)
    computed = np.zeros(len(blocks.geometry), dtype=bool)
    computed[layout.planes["roof"].to_numpy()] = True
    members: dict[Tile, NDArray[np.int64]] = {}
    for a, b in sorted({(int(a), int(b)) for a, b in zip(i, j, strict=True)}):
        rows = present[(i == a) & (j == b)]
        if computed[rows].any():
            members[Tile(a, b)] = rows
    far = far_surface(
        blocks, sources.ground, sources.dsm, sources.terrain_far,
        _FAR_TERRAIN_MARGIN_M if sources.terrain_far is not None else 0.0,
    )  # fmt: skip
    return Scene(
        blocks, layout.planes, layout.variants, layout.orientations, factor, convergence, members,
        sources.ground, sources.dsm, far, options,
        rules.max_shading_loss.value if options.max_shading_loss is None else options.max_shading_loss,
        bool(config.outputs.rasters), "poa_monthly" in config.outputs.rasters, relief,
        options.min_poa_kwh_m2 or 0.0, layout.places, config.outputs.modules,
    )  # fmt: skip


def _inner_shares(
    planes: pd.DataFrame, visible: NDArray[np.object_], types: RoofTypes, rules: RoofRules
) -> NDArray[np.float64]:
    """Return what setbacks leave: of the footprint for assumed planes, of its own plan for a known one."""
    inner, _ = net_shares(visible, types, rules)
    plans = planes["geometry"].to_numpy()
    own, _ = net_shares(plans, RoofTypes(types.name[planes["roof"].to_numpy()], types.assumed), rules)
    return np.where(planes["known"].to_numpy() >= 0, own, inner[planes["roof"].to_numpy()])


def _fit(
    planes: pd.DataFrame, unfit: NDArray[np.bool_], latitude_deg: NDArray[np.float64], rules: RoofRules
) -> NDArray[np.bool_]:
    """Return which planes may carry modules: not too steep, not towards the pole, on a roof that may."""
    roof = planes["roof"].to_numpy()
    empty = stays_empty(planes, latitude_deg[roof], rules, load_plane_rules().zones.max_tilt_deg.value)
    return np.asarray(~empty & ~unfit[roof], dtype=bool)


def _placed_notices(config: Config) -> tuple[Notice, ...]:
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


def _known_factor(factor: NDArray[np.float64]) -> NDArray[np.float64]:
    """Fill roofs without irradiance with the mean factor: they are computed and then not used."""
    return np.where(np.isfinite(factor), factor, np.nanmean(factor, axis=0))


def _unusable(buildings: pd.DataFrame, rules: RoofRules, at: IrradianceAt) -> NDArray[np.bool_]:
    """Return roofs that carry nothing whatever their planes look like."""
    low = buildings["height_m"].to_numpy(dtype=float) < rules.min_roof_height_m.value
    return (buildings["status"] == "excluded").to_numpy() | low | ~np.isfinite(at.ghi_annual_kwh_m2)


def _scene_notices(
    blocks: Blocks,
    selected: NDArray[np.bool_],
    lon: NDArray[np.float64],
    halo_m: float,
) -> tuple[Notice, ...]:
    found = []
    edge = shapely.boundary(shapely.convex_hull(shapely.MultiPoint(shapely.get_coordinates(blocks.geometry))))
    near = int((shapely.dwithin(blocks.geometry, edge, halo_m) & selected).sum())
    if near:
        text = Text(
            f"{near} buildings stand within {halo_m:g} m of the end of the footprints: shadows from beyond are unknown",
            f"{near} 栋建筑距数据边缘不足 {halo_m:g} m，边界以外建筑的遮挡未知",
        )
        found.append(Notice("edge_of_data", text, near, "info", "footprints"))
    width = float(np.nanmax(lon) - np.nanmin(lon))
    if width > _WIDE_DEG:
        text = Text(
            f"the data span {width:.1f}° of longitude under one weather year: run wide areas in parts",
            f"数据跨越经度 {width:.1f}°，但只用同一气象年；范围过大时请分片运行",
        )
        found.append(Notice("wide_extent", text, 1, "warning", "footprints"))
    return tuple(found)
