"""Map, report and candidate lists: one call each, for a fresh run and for a finished one."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from rooftop.campaign.candidates import Campaign, plan_campaign
from rooftop.config import Config
from rooftop.core.errors import InputError
from rooftop.core.lang import Lang, Text
from rooftop.core.notices import Notice, file_sha256
from rooftop.core.privacy import name_notices
from rooftop.inputs.schedule import Schedule
from rooftop.job.productset import require_unchanged, same_set, with_files
from rooftop.job.record import RunRecord, read_record, write_record
from rooftop.outputs.bundle import ReportData, campaign_of, report_data, stock_of
from rooftop.outputs.files import write_at_once
from rooftop.outputs.map.page import MapPage, build_map, map_notices, render_offline
from rooftop.outputs.map.style import coverage_labels
from rooftop.outputs.place import RECORD, claimed
from rooftop.outputs.report.indicators import FILES, write_indicators
from rooftop.outputs.report.page import write_report
from rooftop.outputs.store import NEEDED, OPTIONAL, RunTables, read_tables
from rooftop.outputs.workbook.candidates import write_candidates
from rooftop.outputs.workbook.lists import ROLES
from rooftop.outputs.workbook.table_book import write_table_book
from rooftop.targets import CoverageBook, Pack, coverage_notices, load_pack
from rooftop.targets.coverage_rules import coverage_rules
from rooftop.targets.packs import pack_path
from rooftop.targets.timeline import BuildPlan, timeline_notices, timeline_table

PARTS = ("map", "report", "candidates")
_FILES = {"map": ("maps/",), "report": ("report.html", *(file.name for file in FILES)), "candidates": ("candidates/",)}


@dataclass(frozen=True)
class Products:
    """Paths of what people open.

    Parameters
    ----------
    map, report : Path or None
    candidates : tuple of Path
        Workbook, CSV and GeoPackage of each district.
    """

    map: Path | None = None
    report: Path | None = None
    candidates: tuple[Path, ...] = ()

    @property
    def paths(self) -> list[Path]:
        """All paths, map first."""
        return [path for path in (self.map, self.report, *self.candidates) if path is not None]

    def without(self, missing: Sequence[str], folder: Path) -> Products:
        """Return the products but for those that could not be written, named by their path inside the run's folder."""
        gone = {folder / name for name in missing}
        page, report = (None if path in gone else path for path in (self.map, self.report))
        return Products(page, report, tuple(path for path in self.candidates if path not in gone))


def write_products(
    folder: Path,
    config: Config,
    tables: RunTables,
    campaign: Campaign,
    record: RunRecord,
    *,
    parts: Sequence[str] = PARTS,
    tianditu_key: str | None = None,
) -> Products:
    """Write the products people open.

    Parameters
    ----------
    folder : Path
        Output folder of the run.
    campaign : Campaign
        Planned for these tables.
    parts : sequence of {"map", "report", "candidates"}
    tianditu_key : str, optional
        Needed when the configuration asks for that base map.
    """
    lang: Lang = config.outputs.lang
    data = report_data(
        _with_city_name(tables, lang),
        campaign,
        config=config,
        notices=record.notices,
        provenance=record.provenance,
        version=record.version,
        sides=record.sides,
    )
    page = report = None
    lists: tuple[Path, ...] = ()
    if "map" in parts:
        page = _write_map(folder, config, data, tianditu_key)
    if "candidates" in parts:
        lists = write_candidates(folder / "candidates", data, lang)
    if "report" in parts:
        write_indicators(folder, data)
        write_table_book(folder, data, lang)
        report = write_report(folder / "report.html", data, lang)
    return Products(page, report, lists)


def _with_city_name(tables: RunTables, lang: Lang) -> RunTables:
    """Call the sum of all districts by its name in `lang`; names of units are their own."""
    city = coverage_rules().units["city"].text
    coverage, timeline = (
        None if frame is None else frame.assign(unit_name=frame["unit_name"].replace(city.pick("zh"), city.pick(lang)))
        for frame in (tables.coverage, tables.timeline)
    )
    assert coverage is not None
    return replace(tables, coverage=coverage, timeline=timeline)


def with_coverage(tables: RunTables, pack: Pack | None) -> tuple[RunTables, Campaign, tuple[Notice, ...]]:
    """Add coverage as it stands, as the campaign would make it, and at its potential; and plan that campaign.

    Parameters
    ----------
    tables : RunTables
        Without coverage.
    pack : Pack or None
        Without one there is no coverage, and candidates only.
    """
    if pack is None:
        return tables, plan_campaign(tables.roofs, tables.coverage, None), ()
    stock = stock_of(tables, pack)
    book = CoverageBook(stock)
    campaign = plan_campaign(tables.roofs, book.table(), stock)
    return replace(tables, coverage=book.table(campaign.planned)), campaign, coverage_notices(stock)


def with_timeline(
    config: Config, tables: RunTables, campaign: Campaign, schedule: Schedule | None
) -> tuple[RunTables, tuple[Notice, ...]]:
    """Add attainment by year, where the pack sets dated coverage targets.

    Parameters
    ----------
    config : Config
        With `timeline.reference_date` settled.
    campaign : Campaign
        Its selected roofs are built at the rate of the configuration, where there is one.
    schedule : Schedule or None

    Returns
    -------
    tuple of RunTables and tuple of Notice
    """
    today = config.timeline.reference_date or datetime.date.today()
    stock, rate = campaign.stock, config.timeline.build_rate_kwp_per_year
    if stock is None:
        return tables, ()
    rows = None if schedule is None else schedule.table
    plan = None if rate is None else build_plan(campaign, rate)
    table = timeline_table(stock, reference_date=today, schedule=rows, plan=plan)
    if table.empty:
        return tables, ()
    return replace(tables, timeline=table), timeline_notices(stock, today, rows)


def build_plan(campaign: Campaign, rate_kwp_per_year: float | Mapping[str, float]) -> BuildPlan:
    """Put the selected roofs of a campaign in the order of their priority."""
    frame = campaign.candidates[campaign.candidates["planned"].to_numpy(dtype=bool)]
    return BuildPlan(
        tuple(frame["building_id"].astype(str)),
        tuple(float(kwp) for kwp in frame["added_kwp"]),
        tuple(frame["district_id"].astype(str)),
        rate_kwp_per_year,
    )


def _write_map(folder: Path, config: Config, data: ReportData, tianditu_key: str | None) -> Path:
    outputs, tables = config.outputs, data.tables
    sources = [
        f"{ROLES[p.role].pick(outputs.lang) if p.role in ROLES else p.role}: {Path(p.path).name}"
        for p in data.provenance
    ]
    page = MapPage(
        title=data.title,
        lang=outputs.lang,
        synthetic=data.synthetic,
        basemap=outputs.basemap,
        tianditu_key=tianditu_key,
        personal_names=outputs.personal_names,
        sources=sources,
        labels=coverage_labels(data.pack) if data.pack is not None else None,
    )
    drawn = build_map(
        tables.roofs, tables.districts, tables.coverage, page, planes=tables.planes, modules=tables.modules
    )
    html = render_offline(drawn)
    return write_at_once(folder / "maps" / "index.html", lambda p: p.write_text(html, encoding="utf-8"))


def product_notices(config: Config, tables: RunTables) -> tuple[Notice, ...]:
    """Return what the products themselves must say (a key in the page, roofs not drawn, names withheld)."""
    outputs = config.outputs
    drawn = map_notices(tables.roofs, basemap=outputs.basemap, planes=tables.planes, modules=tables.modules)
    return (*drawn, *name_notices(tables.roofs, outputs.personal_names))


@dataclass(frozen=True)
class Rebuilt:
    """What was made again.

    Parameters
    ----------
    paths : tuple of Path
    notices : tuple of Notice
        Files that stay or got another name, products that are missing.
    missing : tuple of str
        Products that could not be written.
    """

    paths: tuple[Path, ...]
    notices: tuple[Notice, ...] = ()
    missing: tuple[str, ...] = ()


def rebuild(folder: Path, parts: Sequence[str], lang: Lang | None = None, tianditu_key: str | None = None) -> Rebuilt:
    """Make products of a finished run again, from its tables.

    Raises
    ------
    InputError
        `folder` holds no finished run, or tables or a policy pack that are not those of the run.
    StorageError
        It cannot be written, or a run is writing into it.
    """
    read_record(folder / RECORD)  # nothing is made in a folder that holds no run
    with claimed(folder):
        record = read_record(folder / RECORD)
        require_unchanged(folder, record, (*NEEDED, *OPTIONAL))
        tables = read_tables(folder, record.files or None)
        config = Config.model_validate(record.config)
        if lang is not None:
            config = config.model_copy(update={"outputs": config.outputs.model_copy(update={"lang": lang})})
        campaign = campaign_of(tables, _same_pack(config, record))
        products = same_set(folder, record)
        with products.writing():
            made = write_products(folder, config, tables, campaign, record, parts=parts, tianditu_key=tianditu_key)
        notices = products.finish([beginning for part in parts for beginning in _FILES[part]])
        if record.files:
            missing = (*products.missing, *(name for name in record.missing if name not in products.files))
            write_record(folder / RECORD, with_files(record, products.files, products.earlier, missing))
    return Rebuilt(tuple(made.without(products.missing, folder).paths), notices, tuple(products.missing))


def _same_pack(config: Config, record: RunRecord) -> Pack | None:
    """Load the pack of a run; refuse one that has changed since, for the tables hold what it said."""
    if config.policy is None:
        return None
    then = next((item.sha256 for item in record.provenance if item.role == "policy"), None)
    if then is not None and file_sha256(pack_path(config.policy)) != then:
        raise InputError(
            Text("the policy pack was changed since the run", "政策包在运行之后被更改"),
            where=config.policy,
            kept=Text("the run's tiles", "已完成的分块"),
            mend=Text(
                "run again into the same folder: finished tiles are not computed twice",
                "请重新运行并输出到同一目录：已完成的分块不会重复计算",
            ),
        )
    return load_pack(config.policy)
