"""The only composer: configuration → sources → scene → tiles → tables → products."""

from __future__ import annotations

import datetime
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rooftop.aggregate import check_conservation, plane_table, roof_table, unit_table, with_geometry
from rooftop.arguments import flag, local_path, shown, unusable, whole, word
from rooftop.batch import BatchResult, fingerprint, run_tiles
from rooftop.config import Config
from rooftop.configfile import checked_config, input_paths, load_config, naming_lines
from rooftop.contents import Watch
from rooftop.errors import ComputeError, StorageError
from rooftop.inputs.access import granted
from rooftop.inputs.schedule import read_schedule
from rooftop.inputs.structures import known_structures, structure_reasons
from rooftop.lang import Lang, Text
from rooftop.notices import Notice, Provenance
from rooftop.outputs.place import RECORD, TILES, claimed
from rooftop.outputs.rasters import CellValues, raster_field, write_raster
from rooftop.outputs.store import CRS_OUT, NEEDED, OPTIONAL, RunTables, read_tables, write_tables
from rooftop.potential import PLANE_YEAR_COLUMNS, lit_modules
from rooftop.prepare import Prepared, prepare
from rooftop.privacy import without_numbers
from rooftop.products import Products, product_notices, with_coverage, with_timeline, write_products
from rooftop.productset import ProductSet, new_set, with_files
from rooftop.runrecord import RunRecord, write_record
from rooftop.scene.fill import module_layer
from rooftop.scene.inverters import inverter_table
from rooftop.settings import require_settings
from rooftop.sources import joined, narrowed, read_sources, select_districts
from rooftop.tables import COVERAGE
from rooftop.targets import Pack, mark_new, pack_provenance, substitution_notices
from rooftop.targets.inventory import credible_schedule
from rooftop.tilestore import TileStore

_WORKING_COLUMNS = (
    "roof", "side", "axis_grid_deg", "design", "known", "pitched", "inner_share", "usable", "geometry",
    "excluded_share", "left_share",
)  # fmt: skip

Reporter = Callable[[Text, int, int], None]


@dataclass(frozen=True)
class RunResult:
    """A finished run.

    Parameters
    ----------
    out : Path
        Output folder.
    config : Config
    tables : RunTables
    products : Products
        Paths of map, report and candidate lists.
    record : RunRecord
        What ``run.json`` says: counts, warnings, timings.
    """

    out: Path
    config: Config
    tables: RunTables
    products: Products
    record: RunRecord

    @property
    def failed_tiles(self) -> tuple[str, ...]:
        """Names of tiles that could not be computed."""
        return self.record.failed_tiles

    @property
    def missing(self) -> tuple[str, ...]:
        """Products that could not be written because another program had them open."""
        return self.record.missing


@dataclass
class _Clock:
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        start = time.perf_counter()
        yield
        self.seconds[name] = round(time.perf_counter() - start, 3)


def run(
    config: Config | str | Path,
    out: str | Path | None = None,
    *,
    districts: tuple[str, ...] = (),
    workers: int = 2,
    scheduler: str | None = None,
    fresh: bool = False,
    lang: Lang | None = None,
    tianditu_key: str | None = None,
    reporter: Reporter | None = None,
) -> RunResult:
    """Run the whole job.

    Parameters
    ----------
    config : Config or path
        Configuration, or the YAML file that holds it.
    out : path, optional
        Output folder; ``runs/<name>`` when left out.
    districts : tuple of str
        Unit ids to compute; all when empty. Buildings elsewhere still cast shadows.
    workers : int
        Threads on this machine.
    scheduler : str, optional
        Address of a Dask scheduler to use instead.
    fresh : bool
        Forget tiles kept by an earlier run.
    lang : {"zh", "en"}, optional
        Overrides ``outputs.lang``.
    tianditu_key : str, optional
        Key of the Tianditu base map; it ends up in the HTML.
    reporter : callable, optional
        Called with (stage, done, total).

    Returns
    -------
    RunResult

    Raises
    ------
    ArgumentError
        An argument is of another type, an unknown word or no whole number. Nothing has been written then, nor after
    ConfigError, InputError
        What the configuration says or names cannot be used, or changed while it was read
        (:class:`rooftop.errors.ChangedError`); finished tiles are kept.
    StorageError
        The folder cannot be written, or another run writes into it.

    Examples
    --------
    One district of the bundled example, which is synthetic:

    >>> from tempfile import mkdtemp
    >>> import rooftop
    >>> from rooftop.resources import demo_dir
    >>> result = rooftop.run(demo_dir() / "rooftop.yaml", out=mkdtemp(), districts=("990101",), lang="en")
    >>> len(result.tables.roofs) > 100, result.failed_tiles
    (True, ())
    >>> result.products.map.name
    'index.html'
    """
    _check_options(districts, workers, scheduler, fresh, lang, tianditu_key, reporter)
    place = None if out is None else local_path("out", out)
    settings = checked_config(config) if isinstance(config, Config) else load_config(local_path("config", config))
    if lang is not None:
        settings = settings.model_copy(update={"outputs": settings.outputs.model_copy(update={"lang": lang})})
    folder = place or Path("runs") / settings.name
    say = reporter or (lambda _text, _done, _total: None)
    job = _Job(folder, workers, scheduler, fresh, say)
    with claimed(folder), _naming_what_is_kept(folder):
        lines = nullcontext() if isinstance(config, Config) else naming_lines(config)
        return _run(settings, job, districts, tianditu_key, lines)


@dataclass(frozen=True)
class _Job:
    """How and where a run is done."""

    folder: Path
    workers: int
    scheduler: str | None
    fresh: bool
    say: Reporter


@contextmanager
def _naming_what_is_kept(folder: Path) -> Iterator[None]:
    try:
        yield
    except StorageError as error:
        if any((folder / TILES).glob("*/*.tile")):
            error.details["kept"] = Text(
                "finished tiles: the same command goes on from there", "已完成的分块：重新执行同一命令即可继续"
            )
        raise


def _run(
    settings: Config,
    job: _Job,
    districts: tuple[str, ...],
    tianditu_key: str | None,
    lines: AbstractContextManager[None],
) -> RunResult:
    clock = _Clock()
    with clock.stage("read"), lines:
        job.say(Text("reading inputs", "读取输入数据"), 0, 1)
        watch = Watch(input_paths(settings))
        settings = _dated(settings)
        pack = require_settings(settings, tianditu_key)
        with granted(settings.inputs):
            schedule = read_schedule(settings.inputs.schedule) if settings.inputs.schedule is not None else None
        sources = read_sources(settings)
        if schedule is not None:
            schedule = joined(schedule, sources)
            schedule = credible_schedule(settings.inputs, schedule, sources.buildings, sources.memberships)
        selected = select_districts(sources, districts)
        sources = narrowed(sources, districts)
    with clock.stage("scene"):
        job.say(Text("building the scene", "构建三维场景"), 0, 1)
        prepared = prepare(settings, sources, selected, pack)
    with clock.stage("tiles"):
        batch, kept = _compute(prepared, job, watch)
    with clock.stage("aggregate"):
        tables, notices = build_tables(prepared, batch, pack, selected, modules=settings.outputs.modules)
        tables, campaign, covered = with_coverage(tables, pack)
        tables, dated = with_timeline(settings, tables, campaign, schedule)
        notices = (*kept, *notices, *covered, *(() if schedule is None else schedule.notices), *dated)
    with clock.stage("write"):
        job.say(Text("writing tables, map, lists and report", "写出表格、地图、清单与报告"), 0, 1)
        notices = (*sources.notices, *prepared.notices, *notices, *product_notices(settings, tables))
        if campaign.stock is not None:
            notices = (*notices, *substitution_notices(campaign.stock, settings.substitution))
        notices = without_numbers(notices)
        more = () if schedule is None else (schedule.provenance,)
        if settings.policy is not None and pack is not None:
            more = (*more, pack_provenance(settings.policy, pack))
        record = _record(settings, prepared, batch, tables, notices, clock, districts, more)
        watch.check_all()
        files = new_set(job.folder, record.version)
        with files.writing():
            write_tables(job.folder, tables)
            _write_rasters(settings, prepared, batch, job.folder)
            written = _read_back(files, tables)
            products = write_products(job.folder, settings, written, campaign, record, tianditu_key=tianditu_key)
        found = files.finish()
    record = record.finished(clock.seconds, _peak_memory_mb(), found)
    record = with_files(record, files.files, files.earlier, files.missing)
    write_record(job.folder / RECORD, record)
    return RunResult(job.folder, settings, tables, products.without(files.missing, job.folder), record)


def _read_back(files: ProductSet, tables: RunTables) -> RunTables:
    """Return the tables as they are on disk, so that a rebuilt product is the same to the last digit."""
    if {*NEEDED, *OPTIONAL} & set(files.missing):
        return tables
    return read_tables(files.folder, files.files)


def _check_options(
    districts: object,
    workers: object,
    scheduler: object,
    fresh: object,
    lang: object,
    tianditu_key: object,
    reporter: object,
) -> None:
    """Refuse options of `run` that are of another type."""
    if not isinstance(districts, (tuple, list)) or not all(isinstance(one, str) for one in districts):
        mend = Text('districts=("320508",)', 'districts=("320508",)')
        raise unusable("districts", shown(districts), Text("a tuple of ids, each a text", "由文本编号组成的元组"), mend)
    whole("workers", workers)
    flag("fresh", fresh)
    if lang is not None:
        word("lang", lang, Lang)
    for name, given in (("scheduler", scheduler), ("tianditu_key", tianditu_key)):
        if given is not None and not isinstance(given, str):
            raise unusable(name, shown(given), Text("a text, or None", "文本，或 None"))
    if reporter is not None and not callable(reporter):
        raise unusable("reporter", shown(reporter), Text("a function, or None", "函数，或 None"))


def _dated(settings: Config) -> Config:
    """Settle the reference date of the timeline: what is rebuilt later has the date of the run."""
    options = settings.timeline
    if options.reference_date is not None:
        return settings
    options = options.model_copy(update={"reference_date": datetime.date.today()})
    return settings.model_copy(update={"timeline": options})


def _compute(prepared: Prepared, job: _Job, watch: Watch) -> tuple[BatchResult, tuple[Notice, ...]]:
    store = TileStore(job.folder / TILES, fingerprint(prepared.scene, prepared.book), fresh=job.fresh)
    stage = Text("computing tiles", "逐块计算")
    batch = run_tiles(
        prepared.scene,
        prepared.book,
        list(prepared.scene.tile_members),
        workers=job.workers,
        scheduler=job.scheduler,
        store=store,
        watch=watch,
        progress=lambda done, total: job.say(stage, done, total),
    )
    if batch.failures and not batch.results:
        raise ComputeError(
            Text("every tile failed", "所有分块均计算失败"),
            found=batch.failures[0].error,
            mend=Text("nothing was written; see the log with --debug", "未写出任何结果；请用 --debug 查看日志"),
        )
    return batch, _tile_notices(store)


def _tile_notices(store: TileStore) -> tuple[Notice, ...]:
    """Say which kept tiles could not be used, and what got another name."""
    found = []
    if store.damaged:
        n, names = len(store.damaged), tuple(store.damaged[:5])
        more = " …" if n > 5 else ""
        text = Text(
            f"kept tiles that were damaged, and were computed again: {n} ({', '.join(names)}{more})",
            f"已保存的分块文件损坏 {n} 个，已重新计算（{'、'.join(names)}{more}）",
        )
        found.append(Notice("tiles_damaged", text, n, "warning", "tiles", names))
    if store.set_aside:
        names = tuple(path.name for path in store.set_aside)
        text = Text(
            f"lay where kept tiles go, and was renamed to: {', '.join(names)}",
            f"占用了分块的保存位置，已改名为：{'、'.join(names)}",
        )
        found.append(Notice("tiles_place_taken", text, len(names), "warning", "tiles", names[:5]))
    return tuple(found)


def build_tables(
    prepared: Prepared, batch: BatchResult, pack: Pack | None, selected: NDArray[np.bool_], *, modules: bool = False
) -> tuple[RunTables, tuple[Notice, ...]]:
    """Turn tile results into the contract's tables but for coverage; with `modules`, those of a packed layout too."""
    sources = prepared.sources
    columns = [*PLANE_YEAR_COLUMNS, "n_cells", "n_lit"]
    frames = [result.planes for result in batch.results.values()]
    year = pd.concat(frames) if frames else pd.DataFrame(columns=columns, dtype=float)
    year = year.reindex(range(len(prepared.layout.planes)))
    module = prepared.system.module
    planes = plane_table(
        prepared.layout.planes, year, prepared.layout.designs, prepared.types, prepared.inner_share,
        prepared.free_share, prepared.usable, prepared.rules, module.area_m2, module.pdc0_w / 1000.0,
        prepared.taken.unplaced_m2,
    )  # fmt: skip
    roofs = roof_table(pd.DataFrame(sources.buildings.drop(columns="geometry")), planes)
    roofs = _with_facts(roofs, prepared, pack, year)
    shown = selected & (roofs["building_use"] != "military").to_numpy()
    notices = _settled_notices(roofs, selected, batch)
    memberships = sources.memberships[sources.memberships["building_id"].isin(roofs["building_id"][shown])]
    unit_frame = pd.concat([unit.table for unit in sources.units], ignore_index=True)
    ids = roofs["building_id"].astype(str).to_numpy()
    planes = planes.assign(building_id=ids[planes["roof"].to_numpy()])
    visible_roofs = roofs[shown].reset_index(drop=True)
    units = unit_table(visible_roofs, memberships, unit_frame)
    district_ids = unit_frame.loc[unit_frame["level"] == "district", "unit_id"]
    inside = visible_roofs["district_id"].isin(district_ids).to_numpy()
    check_conservation(planes, visible_roofs, units, inside)
    crs = sources.buildings.crs
    footprints = gpd.GeoSeries(prepared.outlines[shown], crs=crs).to_crs(CRS_OUT)
    polygons = gpd.GeoSeries(
        pd.concat([unit.table.geometry for unit in sources.units], ignore_index=True), crs=crs
    ).to_crs(CRS_OUT)
    plans = gpd.GeoSeries(planes["geometry"].to_numpy(), crs=crs).to_crs(CRS_OUT)
    inner = [c for c in planes if c in _WORKING_COLUMNS or str(c).startswith(("packed_", "zone_"))]
    tables = RunTables(
        with_geometry(visible_roofs, footprints),
        with_geometry(planes.drop(columns=inner), plans),
        memberships.reset_index(drop=True),
        with_geometry(units, polygons),
        pd.DataFrame(columns=COVERAGE.names),
        modules=(
            module_layer(
                prepared.layout,
                planes["plane_id"],
                planes["module_count"],
                crs,
                lit_modules(batch.results.values(), prepared.layout.planes["packed_count"]),
            ).to_crs(CRS_OUT)
            if modules and prepared.layout.modules
            else None
        ),
    )
    return tables.conformed(), notices


def _with_facts(roofs: pd.DataFrame, prepared: Prepared, pack: Pack | None, year: pd.DataFrame) -> pd.DataFrame:
    """Add units, irradiation, novelty, roof type, status and reasons."""
    sources, out = prepared.sources, roofs.copy()
    for level in ("district", "town"):
        mine = sources.memberships[sources.memberships["level"] == level].drop_duplicates("building_id")
        names = pd.concat([unit.table for unit in sources.units]).drop_duplicates("unit_id")
        names = names.set_index("unit_id")["unit_name"]
        unit_id = out["building_id"].map(mine.set_index("building_id")["unit_id"])
        out[f"{level}_id"], out[f"{level}_name"] = unit_id, unit_id.map(names)
    out["roof_type"] = prepared.types.name
    out["ghi_kwh_m2"] = sources.irradiance.ghi_annual_kwh_m2
    out["poa_kwh_m2"] = out["poa_kwh_m2"].where(np.isfinite(out["ghi_kwh_m2"]))
    inverters = inverter_table(out["capacity_kwp"], prepared.system.dc_ac_ratio)
    out[inverters.columns] = inverters.set_axis(out.index)
    out["is_new"] = mark_new(out, pack).to_numpy() if pack is not None else "unknown"
    return settle_status(out, prepared, year)


def settle_status(roofs: pd.DataFrame, prepared: Prepared, year: pd.DataFrame) -> pd.DataFrame:
    """Give every roof its status and the codes that explain it."""
    rules, out = prepared.rules, roofs.copy()
    height = out["height_m"].to_numpy(dtype=float)
    excluded = (out["status"] == "excluded").to_numpy()
    no_ghi = ~np.isfinite(out["ghi_kwh_m2"].to_numpy(dtype=float)) & ~excluded
    low = (height < rules.min_roof_height_m.value) & ~excluded
    empty = (out["capacity_kwp"] <= 0).to_numpy() & ~excluded & ~no_ghi & ~low
    roof = prepared.layout.planes["roof"].to_numpy()
    ok_share = pd.Series(year["ok_share"].to_numpy(dtype=float)).groupby(roof).max().reindex(range(len(out)))
    failed = pd.Series(year["ok_share"].isna().to_numpy() & (year["n_cells"].isna().to_numpy()))
    failed_roof = failed.groupby(roof).any().reindex(range(len(out)), fill_value=False).to_numpy(dtype=bool)
    n_lit = pd.Series(year["n_lit"].to_numpy(dtype=float)).groupby(roof).sum(min_count=1).reindex(range(len(out)))
    placed = prepared.layout.planes.get("packed_count", pd.Series(0, index=prepared.layout.planes.index))
    some = placed.groupby(roof).sum().reindex(range(len(out)), fill_value=0).to_numpy() > 0
    dark = (ok_share.to_numpy() < 0.5) | (some & (n_lit.to_numpy() == 0.0))
    shaded = empty & ~failed_roof & dark
    structure = ~out["structure"].isin(known_structures()).to_numpy()
    flags = {
        "declared_exclusion": (out["excluded_area_m2"] > 0).to_numpy(),
        "existing_pv": ((out["existing_pv_area_m2"] > 0) | (out["existing_pv_kwp"] > 0)).to_numpy(dtype=bool),
        "outside_district": (out["district_id"].isna() & out["lon"].notna()).to_numpy(),
        "no_irradiance": no_ghi,
        "too_low": low,
        "tile_failed": failed_roof,
        "too_shaded": shaded,
        "no_room": empty & ~shaded & ~failed_roof,
        "roof_type_assumed": prepared.types.assumed,
        "structure_unknown": structure & ~_says_why(out) & ~excluded,
    }
    reasons = [list(dict.fromkeys(r)) for r in out["reasons"]]
    for code, mask in flags.items():
        for k in np.flatnonzero(mask):
            if code not in reasons[k]:
                reasons[k].append(code)
    out["reasons"] = reasons
    nothing = excluded | no_ghi | low | empty
    survey = ~nothing & (structure | (out["status"] == "needs_survey").to_numpy())
    out["status"] = np.select([nothing, survey], ["excluded", "needs_survey"], "ok")
    return out


def _says_why(roofs: pd.DataFrame) -> NDArray[np.bool_]:
    """Tell the roofs whose reasons say what their structure is instead of one that is known: a shed, a ruin, a site."""
    why = structure_reasons()
    rows = zip(roofs["structure"].astype(object), roofs["reasons"], strict=True)
    return np.array([why.get(kind) in codes for kind, codes in rows], dtype=bool)


def _settled_notices(roofs: pd.DataFrame, selected: NDArray[np.bool_], batch: BatchResult) -> tuple[Notice, ...]:
    found = []
    military = int((selected & (roofs["building_use"] == "military").to_numpy()).sum())
    if military:
        text = Text(
            f"{military} military buildings cast shadows but appear in no output",
            f"{military} 栋军事用途建筑仅参与遮挡计算，不出现在任何成果中",
        )
        found.append(Notice("military", text, military, "info", "footprints"))
    codes = {
        "no_irradiance": (
            "roofs lie outside the irradiance raster or on its nodata",
            "个屋顶位于辐照栅格之外或无数据区",
        ),
        "outside_district": ("buildings lie in no district", "栋建筑不在任何县区内"),
        "roof_type_assumed": ("roofs have no roof type: it is assumed from their use", "个屋顶无屋面类型，按用途推定"),
        "structure_unknown": ("roofs have no known structure: load must be surveyed", "个屋顶结构未知，荷载须现场核实"),
        "too_shaded": ("roofs are too shaded to use", "个屋顶遮挡过重不可用"),
        "no_room": ("roofs have no room for a useful array", "个屋顶无足够可用面积"),
        "too_low": ("footprints are too low to be roofs", "个轮廓高度过低，不视为屋顶"),
    }
    shown = roofs[selected]
    for code, (en, zh) in codes.items():
        ids = [str(i) for i, r in zip(shown["building_id"], shown["reasons"], strict=True) if code in r]
        if ids:
            found.append(
                Notice(code, Text(f"{len(ids)} {en}", f"{len(ids)} {zh}"), len(ids), "warning", "roofs", tuple(ids[:5]))
            )
    for failure in batch.failures:
        text = Text(
            f"tile {failure.tile.name} failed: {failure.error}", f"分块 {failure.tile.name} 计算失败：{failure.error}"
        )
        found.append(Notice("tile_failed", text, 1, "warning", "tiles", (failure.tile.name,)))
    return tuple(found)


def _write_rasters(settings: Config, prepared: Prepared, batch: BatchResult, folder: Path) -> list[Path]:
    written = []
    about = {
        "azimuths": str(settings.scene.azimuths),
        "sky_model": settings.scene.diffuse,
        "weather": prepared.sources.weather.source,
        "software": f"rooftop {version('rooftop')}",
    }
    for name in dict.fromkeys(settings.outputs.rasters):
        cells = [result.cells for result in batch.results.values() if result.cells is not None]
        parts = [CellValues(c.lattice_row, c.lattice_col, getattr(c, raster_field(name))) for c in cells]
        path = write_raster(
            folder / "rasters" / f"{name}.tif", name, parts, settings.scene.cell_size_m,
            prepared.sources.buildings.crs, settings.scene.surface, about,
        )  # fmt: skip
        if path is not None:
            written.append(path)
    return written


def _record(
    settings: Config,
    prepared: Prepared,
    batch: BatchResult,
    tables: RunTables,
    notices: tuple[Notice, ...],
    clock: _Clock,
    districts: tuple[str, ...],
    more: tuple[Provenance, ...] = (),
) -> RunRecord:
    sources = prepared.sources
    status = tables.roofs["status"].value_counts()
    return RunRecord(
        config=settings.model_dump(mode="json"),
        districts=tuple(districts),
        crs=str(sources.buildings.crs.to_string()),
        version=version("rooftop"),
        python=sys.version.split()[0],
        counts={
            "rows_in": len(sources.buildings),
            "rows_out": len(tables.roofs),
            "rows_withheld": len(sources.buildings) - len(tables.roofs),
            **{f"status_{name}": int(status.get(name, 0)) for name in ("ok", "needs_survey", "excluded")},
            "planes": len(tables.planes),
            "tiles": len(batch.results) + len(batch.failures),
            "tiles_resumed": batch.n_resumed,
            "tiles_damaged": len(batch.damaged),
            "orientations": len(prepared.layout.orientations),
        },
        totals={
            "capacity_kwp": float(tables.roofs["capacity_kwp"].sum()),
            "annual_kwh": float(tables.roofs["annual_kwh"].sum()),
        },
        tilt_trials=prepared.siting.tilt_trials,
        sides=prepared.siting.rules,
        notices=notices,
        provenance=(*sources.provenance, *more),
        failed_tiles=tuple(f.tile.name for f in batch.failures),
        seconds=dict(clock.seconds),
    )


def _peak_memory_mb() -> float | None:
    if sys.platform == "win32":
        return None
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / (1024.0**2 if sys.platform == "darwin" else 1024.0), 1)
