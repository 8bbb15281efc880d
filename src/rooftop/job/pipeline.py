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

from rooftop.config import Config
from rooftop.configfile import checked_config, input_paths, load_config, naming_lines
from rooftop.core.arguments import flag, local_path, shown_value, unusable, whole, word
from rooftop.core.contents import Watch
from rooftop.core.errors import ComputeError, StorageError
from rooftop.core.lang import Lang, Text
from rooftop.core.notices import Notice, Provenance
from rooftop.core.privacy import without_numbers
from rooftop.inputs.access import grant_access
from rooftop.inputs.schedule import Schedule, read_schedule
from rooftop.job.batch import BatchResult, fingerprint, run_tiles
from rooftop.job.prepare import Prepared, prepare
from rooftop.job.products import Products, product_notices, with_coverage, with_timeline, write_products
from rooftop.job.productset import ProductSet, new_set, with_files
from rooftop.job.record import RunRecord, write_record
from rooftop.job.settings import require_settings
from rooftop.job.sources import Sources, match_schedule, read_sources, restrict_to_districts, select_districts
from rooftop.job.tables import build_tables, write_rasters
from rooftop.job.tilestore import TileStore
from rooftop.outputs.place import RECORD, TILES, claimed
from rooftop.outputs.store import NEEDED, OPTIONAL, RunTables, read_tables, write_tables
from rooftop.targets import pack_provenance
from rooftop.targets.indicators import Finished, indicator_notices
from rooftop.targets.inventory import credible_schedule
from rooftop.targets.models import Pack

Reporter = Callable[[Text, int, int], None]


@dataclass(frozen=True, kw_only=True)
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
        (:class:`rooftop.core.errors.ChangedError`); finished tiles are kept.
    StorageError
        The folder cannot be written, or another run writes into it.

    Examples
    --------
    One district of the bundled example, which is synthetic:

    >>> from tempfile import mkdtemp
    >>> import rooftop
    >>> from rooftop.core.resources import demo_dir
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
    job = _Job(folder=folder, workers=workers, scheduler=scheduler, fresh=fresh, say=say)
    with claimed(folder), _naming_what_is_kept(folder):
        lines = nullcontext() if isinstance(config, Config) else naming_lines(config)
        return _run(settings, job, districts, tianditu_key, lines)


@dataclass(frozen=True, kw_only=True)
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
        settings = _with_reference_date(settings)
        pack = require_settings(settings, tianditu_key)
        sources, schedule = _read(settings)
        selected = select_districts(sources, districts)
        sources = restrict_to_districts(sources, districts)
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
            finished = Finished(
                stock=campaign.stock, planes=tables.planes, planned=campaign.planned, options=settings.substitution
            )
            notices = (*notices, *indicator_notices(finished))
        record = _record(
            settings,
            prepared,
            batch,
            tables,
            notices=without_numbers(notices),
            seconds=clock.seconds,
            districts=districts,
            more=_more_provenance(settings, schedule, pack),
        )
        watch.check_all()
        files = new_set(job.folder, record.version)
        with files.writing():
            write_tables(job.folder, tables)
            write_rasters(settings, prepared, batch, job.folder)
            written = _read_back(files, tables)
            products = write_products(job.folder, settings, written, campaign, record, tianditu_key=tianditu_key)
        file_notices = files.finish()
    record = record.finished(clock.seconds, _peak_memory_mb(), file_notices)
    record = with_files(record, files.files, files.earlier, files.missing)
    write_record(job.folder / RECORD, record)
    return RunResult(
        out=job.folder,
        config=settings,
        tables=tables,
        products=products.without(files.missing, job.folder),
        record=record,
    )


def _read(settings: Config) -> tuple[Sources, Schedule | None]:
    """Read everything; the rows of a schedule mean buildings and units that are there."""
    with grant_access(settings.inputs):
        schedule = read_schedule(settings.inputs.schedule) if settings.inputs.schedule is not None else None
    sources = read_sources(settings)
    if schedule is not None:
        schedule = match_schedule(schedule, sources)
        schedule = credible_schedule(settings.inputs, schedule, sources.buildings, sources.memberships)
    return sources, schedule


def _more_provenance(settings: Config, schedule: Schedule | None, pack: Pack | None) -> tuple[Provenance, ...]:
    """Return where schedule and policy pack come from."""
    more = () if schedule is None else (schedule.provenance,)
    return more if settings.policy is None or pack is None else (*more, pack_provenance(settings.policy, pack))


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
        raise unusable(
            "districts", shown_value(districts), Text("a tuple of ids, each a text", "由文本编号组成的元组"), mend
        )
    whole("workers", workers)
    flag("fresh", fresh)
    if lang is not None:
        word("lang", lang, Lang)
    for name, given in (("scheduler", scheduler), ("tianditu_key", tianditu_key)):
        if given is not None and not isinstance(given, str):
            raise unusable(name, shown_value(given), Text("a text, or None", "文本，或 None"))
    if reporter is not None and not callable(reporter):
        raise unusable("reporter", shown_value(reporter), Text("a function, or None", "函数，或 None"))


def _with_reference_date(settings: Config) -> Config:
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
    return batch, store.notices()


def _record(
    settings: Config,
    prepared: Prepared,
    batch: BatchResult,
    tables: RunTables,
    *,
    notices: tuple[Notice, ...],
    seconds: dict[str, float],
    districts: tuple[str, ...],
    more: tuple[Provenance, ...],
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
        seconds=dict(seconds),
    )


def _peak_memory_mb() -> float | None:
    if sys.platform == "win32":
        return None
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / (1024.0**2 if sys.platform == "darwin" else 1024.0), 1)
