"""Lidar point clouds (LAS, LAZ) as elevation grids of the working CRS: surface or terrain, read in chunks."""

from __future__ import annotations

import hashlib
import logging
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal

import numpy as np
from affine import Affine
from pyproj import CRS
from rasterio.enums import Resampling
from rasterio.transform import from_origin
from rasterio.warp import reproject

from rooftop.config import ElevationInput
from rooftop.core.errors import InputError
from rooftop.core.grid import Grid
from rooftop.core.lang import Text
from rooftop.core.notices import Notice, Provenance
from rooftop.core.types import B1, F4, F8, I8
from rooftop.inputs.gridding import LayerMean, TopTwo, by_blocks, fill_cell_gaps, fill_smooth
from rooftop.inputs.las_files import PointFile, open_points, plan_part, point_files, sha256_of_points
from rooftop.inputs.lidar_rules import LidarRules, lidar_rules

log = logging.getLogger(__name__)

ElevationKind = Literal["surface", "terrain"]

_BLOCK_CELLS = 2000  # a tile of 1 km in cells of half a metre; files are read once for each block they touch
_HAIR_M = 1e-6  # points on the eastern and southern border of the extent belong to it
_MOST_CELLS = 1_500_000_000
_MUCH = 0.2
_LOWEST_M, _HIGHEST_M = -500.0, 9000.0
_LABEL = {
    "noise": Text("noise", "噪声点"),
    "withheld": Text("withheld", "标记为弃用"),
    "overlap": Text("overlap of flight strips", "航带重叠点"),
    "impossible": Text("impossible height", "高程不合理"),
    "outside": Text("outside the extent that the header states", "超出文件头范围"),
}


@dataclass(frozen=True)
class PointGrid:
    """A gridded point cloud.

    Parameters
    ----------
    cells : ndarray of float32, shape ``grid.shape``
        Elevation at cell centres [m], ``vertical_offset_m`` included; NaN where nothing is known.
    grid : Grid
        On the lattice of the working CRS.
    crs : pyproj.CRS
        The working CRS.
    provenance : Provenance
    notices : tuple of Notice
    """

    cells: F4
    grid: Grid
    crs: CRS
    provenance: Provenance
    notices: tuple[Notice, ...]

    def window(self, target: Affine, shape: tuple[int, int], *, sharp: bool) -> F4:
        """Return a north-up window: the own cells where it lies on their lattice, else resampled.

        Parameters
        ----------
        target : Affine
            From (column, row) to the working CRS.
        shape : (int, int)
        sharp : bool
            Nearest cell instead of bilinear.
        """
        size, side, out = self.grid.cell_size_m, float(target.a), np.full(shape, np.nan, dtype=np.float32)
        down, right = (self.grid.y_max - target.f) / size, (target.c - self.grid.x_min) / size
        if side == size and max(abs(down - round(down)), abs(right - round(right))) < 1e-6:
            r, c = round(down), round(right)
            rows, cols = slice(max(r, 0), max(r + shape[0], 0)), slice(max(c, 0), max(c + shape[1], 0))
            part = self.cells[rows, cols]
            r, c = max(-r, 0), max(-c, 0)
            out[r : r + part.shape[0], c : c + part.shape[1]] = part
            return out
        reach = 2.0 * max(side, size) / size
        r0, r1 = (int(np.clip(v, 0, self.grid.n_rows)) for v in (down - reach, down + shape[0] * side / size + reach))
        c0, c1 = (int(np.clip(v, 0, self.grid.n_cols)) for v in (right - reach, right + shape[1] * side / size + reach))
        if r1 > r0 and c1 > c0:
            origin = from_origin(self.grid.x_min + c0 * size, self.grid.y_max - r0 * size, size, size)
            reproject(
                np.ascontiguousarray(self.cells[r0:r1, c0:c1]),
                out,
                src_transform=origin,
                src_crs=self.crs.to_wkt(),
                dst_transform=target,
                dst_crs=self.crs.to_wkt(),
                src_nodata=np.nan,
                dst_nodata=np.nan,
                resampling=Resampling.nearest if sharp else Resampling.bilinear,
            )
        return out


@dataclass
class _PointTally:
    """What reading counts."""

    classes: Counter[int] = field(default_factory=Counter)
    dropped: Counter[str] = field(default_factory=Counter)
    met: int = 0
    used: int = 0
    spikes: int = 0


def grid_points(config: ElevationInput, crs: CRS, role: str, kind: ElevationKind) -> PointGrid:
    """Read point clouds and grid them.

    A surface takes of each cell the mean of its top layer, as thick as the cell is wide, of all returns; lone points
    high above everything around them are passed over; gaps between known cells are filled. A terrain takes the mean of
    the ground points, and the smoothest surface where there is none, under buildings above all. Noise, withheld and
    overlap points are left out of both (`configs/lidar.yaml`).

    Parameters
    ----------
    config : ElevationInput
        Files, or one folder of them.
    crs : pyproj.CRS
        The working CRS, metric.
    role : str
        Configuration key.
    kind : {"surface", "terrain"}

    Raises
    ------
    InputError
        laspy is not installed, a file is missing or no point cloud, no CRS is stated, no ground is classified, the unit
        of heights is unknown, or the extent is too large.
    """
    rules = lidar_rules()
    files = [open_points(path, config, crs, role) for path in point_files(config, role)]
    density = sum(file.n_pulses for file in files) / max(sum(file.area_m2 for file in files), 1e-9)
    cell = config.cell_size_m or _cell_for(density, rules)
    west, south, east, north = zip(*(file.bounds for file in files), strict=True)
    grid = Grid.covering((min(west), min(south) - _HAIR_M, max(east) + _HAIR_M, max(north)), cell)
    _require_size(grid, role)
    tally = _PointTally()
    cells = np.full(grid.shape, np.nan, dtype=np.float32)
    high, wide = (n if n <= 1.25 * _BLOCK_CELLS else _BLOCK_CELLS for n in grid.shape)
    for r in range(0, grid.n_rows, high):
        for c in range(0, grid.n_cols, wide):
            part = cells[r : r + high, c : c + wide]
            block = Grid(grid.col0 + c, grid.row0 - r, part.shape[0], part.shape[1], cell)
            part[:] = _grid_block(files, block, kind, rules, tally)
    tally.dropped["outside"] = sum(file.n_points for file in files) - tally.met
    if not tally.used:
        raise _no_points_error(tally, kind, rules, role)
    known = np.isfinite(cells)
    cells = _fill_gaps(cells, cell, kind, rules)
    cells += np.float32(config.vertical_offset_m)
    log.info("%s: %d points in %d cells of %g m", role, tally.used, cells.size, cell)
    notices = [*_point_notices(files, tally, role), *_cell_notices(cells, known, kind, rules, role)]
    if config.cell_size_m is None:
        notices.append(_cell_size_notice(cell, density, kind, role))
    details = _details(files, config, tally, cell, density) | {
        "cells_with_points": f"{known.mean():.1%}",
        "grid_sha256": hashlib.sha256(cells.tobytes()).hexdigest(),
    }
    more = f" (+{len(config.path) - 1})" if len(config.path) > 1 else ""
    path = f"{config.path[0]}{more}"
    return PointGrid(cells, grid, crs, Provenance(role, path, sha256_of_points(files), details), tuple(notices))


def _cell_for(density: float, rules: LidarRules) -> float:
    """Return the finest cell that has points enough at a density [1/m²], or the coarsest."""
    sizes = sorted(rules.cell_sizes_m.value)
    return next((size for size in sizes if density * size * size >= rules.points_per_cell.value), sizes[-1])


def _require_size(grid: Grid, role: str) -> None:
    if grid.n_rows * grid.n_cols <= _MOST_CELLS:
        return
    raise InputError(
        Text("the point clouds span too large an area", "点云范围过大"),
        where=role,
        found=f"{grid.n_cols:,} x {grid.n_rows:,}, {grid.cell_size_m:g} m",
        expected=f"<= {_MOST_CELLS:,}",
        mend=Text(
            "set a larger cell_size_m, name only the files near the buildings, or give a raster",
            "请增大 cell_size_m，只列出建筑附近的文件，或提供栅格",
        ),
    )


# --- points ----------------------------------------------------------------------------------------------------------


def unused_points(points: Any, z: F8, legacy: bool, rules: LidarRules) -> dict[str, B1]:
    """Return why points are left out, the first reason that holds for each."""
    kind = np.asarray(points.classification)
    overlap = kind == rules.overlap_class.value if legacy else np.asarray(points.overlap) != 0
    dropped = {
        "noise": np.isin(kind, rules.noise_classes.value),
        "withheld": np.asarray(points.withheld) != 0,
        "overlap": overlap,
        "impossible": ~((z >= _LOWEST_M) & (z <= _HIGHEST_M)),
    }
    taken = np.zeros(len(z), dtype=bool)
    for name, hit in dropped.items():
        dropped[name] = hit & ~taken
        taken |= hit
    return dropped


def _in_block(
    file: PointFile, block: Grid, kind: ElevationKind, rules: LidarRules, tally: _PointTally | None = None
) -> Iterator[tuple[I8, F8, F8, F8]]:
    """Yield, chunk by chunk, cell, height and position in the cell [m] of the points of a file that count in a block.

    Every point lies in one block at most: with `tally` all of them are counted there.
    """
    for points in file.chunks():
        yield _cells_of_points(points, file, block, kind, rules, tally)


def _cells_of_points(
    points: Any,
    file: PointFile,
    block: Grid,
    kind: ElevationKind,
    rules: LidarRules,
    tally: _PointTally | None,
) -> tuple[I8, F8, F8, F8]:
    row, col = block.position(*file.place(np.asarray(points.x), np.asarray(points.y)))
    r, c = np.floor(row + 0.5).astype(np.int64), np.floor(col + 0.5).astype(np.int64)
    kept = (r >= 0) & (r < block.n_rows) & (c >= 0) & (c < block.n_cols)
    z = np.asarray(points.z, dtype=np.float64) * file.unit_m
    classes = np.asarray(points.classification)
    why = unused_points(points, z, file.legacy, rules)
    if tally is not None:
        tally.classes.update(
            {int(k): int(n) for k, n in zip(*np.unique(classes[kept], return_counts=True), strict=True)}
        )
        tally.dropped.update({name: int((hit & kept).sum()) for name, hit in why.items()})
        tally.met += int(kept.sum())
    for hit in why.values():
        kept &= ~hit
    if kind == "terrain":
        kept &= np.isin(classes, rules.ground_classes.value)
    side = block.cell_size_m
    return r[kept] * block.n_cols + c[kept], z[kept], (col - c)[kept] * side, (row - r)[kept] * side


def _grid_block(files: list[PointFile], block: Grid, kind: ElevationKind, rules: LidarRules, tally: _PointTally) -> F4:
    """Return the cells of a block as the points give them, nothing filled.

    A block does not look beyond its border: the cells along it judge their slope by fewer neighbours.
    """
    near = [file for file in files if _overlaps_block(file, block)]
    n = block.n_rows * block.n_cols
    low, high = np.full(n, -np.inf), np.full(n, np.inf)
    counting: _PointTally | None = tally
    if kind == "surface":
        top = TopTwo(block.shape)
        for file in near:
            for cell, z, _, _ in _in_block(file, block, kind, rules, counting):
                top.add(cell, z)
        high, spikes = top.without_spikes(rules.spike_m.value)
        low = high - block.cell_size_m
        tally.spikes += spikes
        counting = None
    mean = LayerMean(low, high)
    for file in near:
        for cell, z, east, south in _in_block(file, block, kind, rules, counting):
            mean.add(cell, z, east, south)
            tally.used += len(cell)
    return mean.at_centres(block.shape, block.cell_size_m)


def _overlaps_block(file: PointFile, block: Grid) -> bool:
    west, south, east, north = file.bounds
    x_min, y_min, x_max, y_max = block.bounds
    return west < x_max and east >= x_min and south <= y_max and north > y_min


def _fill_gaps(cells: F4, cell_size_m: float, kind: ElevationKind, rules: LidarRules) -> F4:
    reach = round((rules.gap_m if kind == "surface" else rules.ground_gap_m).value / cell_size_m)
    work = partial(fill_cell_gaps if kind == "surface" else fill_smooth, reach=reach)
    return by_blocks(cells, _BLOCK_CELLS, reach + 1, work)


# --- what is said ----------------------------------------------------------------------------------------------------


def _no_points_error(tally: _PointTally, kind: ElevationKind, rules: LidarRules, role: str) -> InputError:
    classes = ", ".join(f"{k}: {n}" for k, n in sorted(tally.classes.items()))
    if kind == "surface":
        return InputError(
            Text("no point of the cloud can be used", "点云中没有可用的点"),
            where=role,
            found=Text(f"points by class {classes}", f"各类点数 {classes}"),
            expected=Text("points that are neither noise nor withheld", "非噪声、未弃用的点"),
        )
    ground = ", ".join(str(k) for k in rules.ground_classes.value)
    return InputError(
        Text("no point of the cloud is classified as ground", "点云中没有地面点分类"),
        where=role,
        found=Text(f"points by class {classes}", f"各类点数 {classes}"),
        expected=Text(f"class {ground}", f"类别 {ground}"),
        mend=Text(
            "classify ground first (e.g. filters.smrf of PDAL), or give a terrain raster",
            "请先做地面点分类（如 PDAL 的 filters.smrf），或提供地形栅格",
        ),
    )


def _point_notices(files: list[PointFile], tally: _PointTally, role: str) -> list[Notice]:
    notices = list({(n.code, n.examples): n for file in files for n in file.notices}.values())
    lost = {name: n for name, n in tally.dropped.items() if n > 0}
    if lost:
        total = sum(lost.values())
        text = Text("{total:,} lidar points are left out: {parts}", "{total:,} 个激光点未采用：{parts}").format(
            total=total, parts=Text.join(_LABEL[name] + f" {n:,}" for name, n in lost.items())
        )
        notices.append(Notice("lidar_points_dropped", text, total, "info", role, tuple(lost)))
    if tally.spikes:
        text = Text(
            f"{tally.spikes:,} lone lidar points stand high above all around them (birds, wires, aerials): passed over",
            f"{tally.spikes:,} 个孤立高点（飞鸟、电线、天线等）未采用",
        )
        notices.append(Notice("lidar_spikes", text, tally.spikes, "info", role))
    if any(abs(file.unit_m - 1.0) > 1e-9 for file in files):
        text = Text("elevations are in feet; they were converted to metres", "高程单位为英尺，已换算为米")
        notices.append(Notice("elevation_in_feet", text, severity="info", source=role))
    return notices


def _cell_size_notice(cell: float, density: float, kind: ElevationKind, role: str) -> Notice:
    zh = "地表" if kind == "surface" else "地形"
    text = Text(
        f"{kind}: the point clouds ({density:.1f} first returns per m²) are gridded to cells of {cell:g} m",
        f"{zh}：点云（首次回波 {density:.1f} 个/㎡）按 {cell:g} m 像元栅格化",
    )
    return Notice("lidar_cell_size", text, 1, "info", role)


def _cell_notices(cells: F4, known: B1, kind: ElevationKind, rules: LidarRules, role: str) -> list[Notice]:
    """Count the cells that got a value without a point, and those that have none."""
    notices = []
    filled, missing = int((np.isfinite(cells) & ~known).sum()), int(np.isnan(cells).sum())
    if filled:
        share, reach = filled / cells.size, rules.gap_m.value
        text = Text(
            f"{filled:,} cells ({share:.1%}) without a ground point, under buildings above all, are interpolated",
            f"{filled:,} 个像元（{share:.1%}）无地面点（多在建筑下方），由周围地面内插",
        )
        if kind == "surface":
            text = Text(
                f"{filled:,} cells ({share:.1%}) without a point are filled from both sides, at most {reach:g} m away",
                f"{filled:,} 个像元（{share:.1%}）无激光点，由两侧 {reach:g} m 内像元插补",
            )
        notices.append(Notice("lidar_cells_filled", text, filled, "info", role))
    if missing:
        share = missing / cells.size
        text = Text(
            f"{missing:,} cells ({share:.1%}) of the clouds' extent have no elevation (water, dark roofs, no data)",
            f"点云范围内 {missing:,} 个像元（{share:.1%}）无高程（水面、深色屋面或未覆盖）",
        )
        notices.append(Notice("lidar_cells_missing", text, missing, "warning" if share > _MUCH else "info", role))
    return notices


def _details(
    files: list[PointFile], config: ElevationInput, tally: _PointTally, cell: float, density: float
) -> dict[str, str]:
    names = list(dict.fromkeys(plan_part(file.source).name for file in files))
    return {
        "crs": ", ".join(names) + (" (inputs)" if config.crs is not None else ""),
        "files": str(len(files)),
        "points": str(sum(file.n_points for file in files)),
        "points_used": str(tally.used),
        "points_by_class": ", ".join(f"{k}: {n}" for k, n in sorted(tally.classes.items())),
        "first_returns_per_m2": f"{density:.2f}",
        "cell": f"{cell:g} m",
        "height_unit_m": repr(files[0].unit_m),
        "vertical_offset_m": f"{config.vertical_offset_m:g}",
    }
