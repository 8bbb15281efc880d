"""`rooftop check`: everything validated, and what a run would do, how long, how big."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import shapely

from rooftop.config import Config
from rooftop.configfile import load_config, naming_lines
from rooftop.core.grid import tile_of
from rooftop.core.lang import Lang, Text
from rooftop.core.roof_rules import load_roof_rules
from rooftop.inputs.access import grant_access
from rooftop.inputs.schedule import read_schedule
from rooftop.job.prepare import prepare
from rooftop.job.settings import require_settings
from rooftop.job.sources import Sources, match_schedule, read_sources, select_districts
from rooftop.outputs.place import claimed
from rooftop.targets.inventory import credible_schedule

_SECONDS_PER_MCELL_AZIMUTH = 1.0 / 25.0
_BYTES_PER_ROOF = 4_000


def check_lines(path: Path, lang: Lang, out: Path | None = None, tianditu_key: str | None = None) -> list[str]:
    """Read and check all inputs; return what to say.

    Parameters
    ----------
    path : Path
        The configuration.
    lang : {"zh", "en"}
    out : Path, optional
        Where the run would write; ``runs/<name>`` when left out.
    tianditu_key : str, optional
        Of the base map, as a run would have it.

    Raises
    ------
    ConfigError, InputError
        Something cannot be used.
    StorageError
        The folder cannot be written, or another run is writing into it.
    """
    config = load_config(path)
    with claimed(out or Path("runs") / config.name):
        pass
    load_roof_rules()
    with naming_lines(path), grant_access(config.inputs):
        pack = require_settings(config, tianditu_key)
        schedule = read_schedule(config.inputs.schedule) if config.inputs.schedule is not None else None
        sources = read_sources(config)
        if schedule is not None:
            schedule = match_schedule(schedule, sources)
            schedule = credible_schedule(config.inputs, schedule, sources.buildings, sources.memberships)
        prepared = prepare(config, sources, select_districts(sources, ()), pack)
    lines = [text.pick(lang) for text in _plan(config, sources)]
    name = pack.name.text.pick(lang) if pack is not None else Text("none", "无").pick(lang)
    lines.append(Text(f"policy pack: {name}", f"政策方案：{name}").pick(lang))
    for notice in (*sources.notices, *prepared.notices, *(schedule.notices if schedule is not None else ())):
        mark = "!" if notice.severity == "warning" else "-"
        lines.append(f" {mark} {notice.text.pick(lang)}")
    lines.append(Text("the configuration can run", "配置可以运行").pick(lang))
    return lines


def _plan(config: Config, sources: Sources) -> list[Text]:
    buildings, options = sources.buildings, config.scene
    geometry = buildings.geometry.to_numpy()
    present = ~shapely.is_empty(geometry)
    point = sources.points[present]
    i, j = tile_of(shapely.get_x(point), shapely.get_y(point), options.cell_size_m, options.tile_cells)
    n_tiles = len(np.unique(np.stack([i, j], axis=1), axis=0))
    side = options.tile_cells + 2.0 * options.halo_m / options.cell_size_m
    west, south, east, north = shapely.total_bounds(geometry[present])
    extent = (east - west + 2 * options.halo_m) * (north - south + 2 * options.halo_m) / options.cell_size_m**2
    mcells = min(n_tiles * side**2, extent * (side / options.tile_cells) ** 2) / 1e6
    seconds = 10.0 + mcells * options.azimuths * _SECONDS_PER_MCELL_AZIMUTH + 0.003 * len(buildings)
    megabytes = max(1.0, len(buildings) * _BYTES_PER_ROOF / 1e6)
    levels = {unit.table["level"].iloc[0]: len(unit.table) for unit in sources.units if len(unit.table)}
    units_en = ", ".join(f"{n} {level}s" for level, n in levels.items())
    names_zh = {"district": "县区", "town": "街道(镇)", "zone": "功能区"}
    units_zh = "、".join(f"{n} 个{names_zh[level]}" for level, n in levels.items())
    crs = buildings.crs.to_string()
    minutes = max(1, math.ceil(seconds / 60.0))
    return [
        Text(f"{len(buildings):,} buildings, {units_en}", f"{len(buildings):,} 栋建筑，{units_zh}"),
        Text(f"working CRS {crs}", f"工作坐标系 {crs}"),
        Text(
            f"{n_tiles} tiles, {mcells:,.1f} million cells of {options.cell_size_m:g} m, {options.azimuths} azimuths",
            f"{n_tiles} 个分块，{mcells:,.1f} 百万格（{options.cell_size_m:g} m），{options.azimuths} 个方位",
        ),
        Text(
            f"about {minutes} min of CPU and {megabytes:,.0f} MB of output",
            f"预计约 {minutes} 分钟 CPU 时间，输出约 {megabytes:,.0f} MB",
        ),
    ]
