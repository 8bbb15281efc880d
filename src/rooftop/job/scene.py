"""What all tiles of a run are given."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from rooftop.config import SceneOptions
from rooftop.core.grid import Tile
from rooftop.core.types import F8, I8
from rooftop.scene.places import ModuleLayout
from rooftop.scene.relaid import PackedZones
from rooftop.scene.relief import Relief
from rooftop.scene.surface import Blocks, ElevationSource, FarSurface
from rooftop.solar.energy import ModulePlane


@dataclass(frozen=True, kw_only=True)
class Scene:
    """Everything a tile needs, picklable for workers.

    Parameters
    ----------
    blocks : Blocks
    planes : DataFrame
        Of the layout, one row per plane: ``roof side axis_grid_deg``; ``known``, the row of `relief`, -1 for assumed
        planes; ``module_middle_m``, height of its modules; ``free_share obstacles_known``.
    variants : DataFrame
        Orientations that stand for each plane: ``plane`` (row of `planes`), ``orientation`` (row of `orientations`)
        and ``weight``; the weights of a plane sum to one. An azimuth between two tables takes part in both.
    orientations : tuple of ModulePlane
    factor : ndarray, shape (n_roofs, 12)
        Monthly factor that brings the weather to the irradiance at each roof.
    convergence_deg : ndarray, shape (n_roofs,)
        True azimuth of grid north.
    tile_members : dict of Tile to ndarray
        All roofs of each tile, whether selected or not: they define its window.
    max_shading_loss, min_poa_kwh_m2 : float
        Modules that lose a larger share of the year's irradiation, or receive less, do not count; such cells are dark.
    relief : Relief or None
        Roof planes whose geometry is known.
    module_layout : ModuleLayout or None
        Modules of each plane, where they have places.
    zones : PackedZones or None
        Where the modules of each plane may stand, where rows may move into the light.
    n_unplaced : ndarray, shape (n_roofs,)
        Modules whose room existing PV takes that stands nobody knows where on the roof.
    keep_modules : bool
        Return the year of every module.
    """

    blocks: Blocks
    planes: pd.DataFrame
    variants: pd.DataFrame
    orientations: tuple[ModulePlane, ...]
    factor: F8
    convergence_deg: F8
    tile_members: dict[Tile, I8]
    ground: ElevationSource | None
    dsm: ElevationSource | None
    far: FarSurface
    options: SceneOptions
    max_shading_loss: float
    n_unplaced: F8
    keep_cells: bool
    keep_months: bool = False
    relief: Relief | None = None
    min_poa_kwh_m2: float = 0.0
    module_layout: ModuleLayout | None = None
    zones: PackedZones | None = None
    keep_modules: bool = False
