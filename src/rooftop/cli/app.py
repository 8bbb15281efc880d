"""The command line: parse, call, format, exit code."""

from __future__ import annotations

import logging
import os
import sys
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rooftop.cli.language import State, say_error
from rooftop.core.errors import NotInstalledError, RooftopError, StorageError
from rooftop.core.lang import Lang, Text, one_line

if TYPE_CHECKING:
    from rooftop.job.pipeline import RunResult

app = typer.Typer(
    name="rooftop",
    help="Rooftop PV potential of a city, and whether it meets what the city has promised."
    " 城市屋顶光伏潜力与覆盖率核算。",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)

LangOption = Annotated[str | None, typer.Option("--lang", help="zh or en; the configuration's when left out")]
ConfigArgument = Annotated[Path, typer.Argument(help="configuration file (YAML)")]
RunArgument = Annotated[Path, typer.Argument(help="output folder of a finished run")]


def _lang(given: str | None) -> Lang | None:
    if given is None:
        return None
    if given not in ("zh", "en"):
        raise typer.BadParameter("zh | en", param_hint="--lang")
    State.lang = "zh" if given == "zh" else "en"
    return State.lang


def _show_version(requested: bool) -> None:
    if requested:
        print(f"rooftop {metadata.version('rooftop')}")
        raise typer.Exit


@app.callback()
def _options(
    debug: Annotated[bool, typer.Option("--debug", help="show tracebacks and logs")] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="show the version and leave")
    ] = False,
) -> None:
    State.debug = debug
    logging.basicConfig(level=logging.INFO if debug else logging.CRITICAL, format="%(name)s: %(message)s")


@app.command()
def demo(
    out: Annotated[Path, typer.Option("-o", "--out", help="output folder")] = Path("out/demo"),
    workers: Annotated[int, typer.Option(help="threads", min=1)] = 2,
    fresh: Annotated[bool, typer.Option("--fresh", help="forget tiles of an earlier run")] = False,
    lang: LangOption = None,
) -> None:
    """Run the whole job on the bundled synthetic example."""
    from rooftop.core.resources import demo_dir

    _execute(demo_dir() / "rooftop.yaml", out, (), workers, None, fresh, _lang(lang))


@app.command()
def run(
    config: ConfigArgument,
    out: Annotated[Path | None, typer.Option("-o", "--out", help="output folder; runs/NAME when left out")] = None,
    district: Annotated[list[str] | None, typer.Option("--district", help="district id; may be repeated")] = None,
    workers: Annotated[int, typer.Option(help="threads on this machine", min=1)] = 2,
    scheduler: Annotated[str | None, typer.Option(help="address of a Dask scheduler")] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="forget tiles of an earlier run")] = False,
    lang: LangOption = None,
) -> None:
    """Compute roofs, coverage, map, report and candidate lists of a configuration."""
    _execute(config, out, tuple(district or ()), workers, scheduler, fresh, _lang(lang))


def _execute(
    config: Path,
    out: Path | None,
    districts: tuple[str, ...],
    workers: int,
    scheduler: str | None,
    fresh: bool,
    lang: Lang | None,
) -> None:
    from rooftop.cli.progress import reporter
    from rooftop.cli.summary import summary_lines
    from rooftop.configfile import load_config, naming_lines

    State.keeps_tiles = True
    settings = load_config(config)
    run_lang = lang or settings.outputs.lang
    with reporter(run_lang) as report, naming_lines(config):
        from rooftop.job.pipeline import run as run_pipeline

        result = run_pipeline(
            settings,
            out,
            districts=districts,
            workers=workers,
            scheduler=scheduler,
            fresh=fresh,
            lang=lang,
            tianditu_key=os.environ.get("TIANDITU_KEY"),
            reporter=report,
        )
    for line in summary_lines(result, run_lang):
        print(line)
    for notice in result.record.notices:
        if notice.source in ("tiles", "outputs"):  # what happened in the folder is said at once
            print(notice.text.pick(run_lang), file=sys.stderr)
    _exit_if_partial(result)


def _exit_if_partial(result: RunResult) -> None:
    if result.failed_tiles:
        names = ", ".join(result.failed_tiles)
        say_error(Text(f"failed tiles: {names}", f"计算失败的分块：{names}"))
    if result.failed_tiles or result.missing:
        raise typer.Exit(1)


@app.command()
def check(
    config: ConfigArgument,
    out: Annotated[Path | None, typer.Option("-o", "--out", help="output folder of the run; runs/NAME")] = None,
    lang: LangOption = None,
) -> None:
    """Validate everything and say what a run would do, how long, how big."""
    _lang(lang)
    from rooftop.cli.checkup import check_lines

    for line in check_lines(config, State.lang, out, os.environ.get("TIANDITU_KEY")):
        print(line)


@app.command()
def init(
    pack: Annotated[str, typer.Argument(help="policy pack, see `rooftop targets`")],
    footprints: Annotated[Path | None, typer.Option(help="footprint file to guess fields from")] = None,
    layer: Annotated[str | None, typer.Option(help="layer of the footprint file, where it has several")] = None,
    irradiance: Annotated[
        list[Path] | None, typer.Option(help="GHI raster; twelve of the months: repeat it, or name their folder")
    ] = None,
    out: Annotated[Path, typer.Option("-o", "--out", help="configuration to write")] = Path("rooftop.yaml"),
    force: Annotated[bool, typer.Option("--force", help="overwrite an existing file")] = False,
    lang: LangOption = None,
) -> None:
    """Write a commented starter configuration; with a file, guess its fields and show samples."""
    _lang(lang)
    from rooftop.cli.starter import write_starter

    for line in write_starter(pack, footprints, irradiance or (), out, layer=layer, force=force, lang=State.lang):
        print(line)


@app.command("map")
def map_(folder: RunArgument, lang: LangOption = None) -> None:
    """Rebuild the map of a finished run."""
    _rebuild(folder, ("map",), lang)


@app.command()
def report(folder: RunArgument, lang: LangOption = None) -> None:
    """Rebuild the report of a finished run."""
    _rebuild(folder, ("report",), lang)


@app.command()
def candidates(folder: RunArgument, lang: LangOption = None) -> None:
    """Rebuild the candidate lists of a finished run."""
    _rebuild(folder, ("candidates",), lang)


def _rebuild(folder: Path, parts: tuple[str, ...], lang: str | None) -> None:
    chosen = _lang(lang)
    from rooftop.job.products import rebuild

    done = rebuild(folder, parts, chosen, tianditu_key=os.environ.get("TIANDITU_KEY"))
    for path in done.paths:
        print(path)
    for notice in done.notices:
        say_error(notice.text)
    if done.missing:
        raise typer.Exit(1)


@app.command()
def targets(pack: Annotated[str | None, typer.Argument(help="name of a pack")] = None, lang: LangOption = None) -> None:
    """Show the policy packs, their sources and definitions."""
    _lang(lang)
    from rooftop.targets.listing import target_lines

    for line in target_lines(pack, State.lang):
        print(line)


@app.command()
def audit(
    file: Annotated[
        Path | None, typer.Argument(help="declared projects, .csv or .xlsx; a pack's claims without")
    ] = None,
    *,
    pack: Annotated[
        str | None, typer.Option(help="policy pack: its place, and its claims when no file is given")
    ] = None,
    ghi: Annotated[float | None, typer.Option(help="sunlight on a horizontal m² and year, kWh/m²")] = None,
    column: Annotated[list[str] | None, typer.Option(help="KEY=NAME, e.g. area=屋顶面积; may be repeated")] = None,
    unit: Annotated[list[str] | None, typer.Option(help="KEY=UNIT, e.g. energy=万kWh; may be repeated")] = None,
    encoding: Annotated[str | None, typer.Option(help="of a CSV; found out when left out")] = None,
    sheet: Annotated[str | None, typer.Option(help="of a workbook")] = None,
    limits: Annotated[Path | None, typer.Option(help="a changed copy of configs/audit.yaml")] = None,
    out: Annotated[Path | None, typer.Option("-o", "--out", help="write the result as .csv or .xlsx")] = None,
    lang: LangOption = None,
) -> None:
    """Say which declared PV projects are impossible, improbable or fine, with the physics."""
    _lang(lang)
    from rooftop.cli.audit import AuditOptions, run_audit

    options = AuditOptions(pack, ghi, tuple(column or ()), tuple(unit or ()), encoding, sheet, limits, out)
    done = run_audit(file, options, State.lang)
    for line in done.lines:
        print(line)
    if done.unread_rows:
        rows = ", ".join(map(str, done.unread_rows))
        print(Text(f"values not read in rows: {rows}", f"有值无法识别的行：{rows}").pick(State.lang), file=sys.stderr)
        raise typer.Exit(1)


@app.command()
def schema() -> None:
    """Print the JSON Schema of the configuration."""
    import json

    from rooftop.config import Config

    print(json.dumps(Config.model_json_schema(), ensure_ascii=False, indent=1))


@app.command()
def doctor(lang: LangOption = None) -> None:
    """Check this machine: PROJ, fonts, numba, map assets, disk."""
    _lang(lang)
    from rooftop.cli.doctor import examine

    findings = examine(dict(os.environ), Path.cwd())
    for finding in findings:
        print(finding.line(State.lang))
    if any(finding.verdict == "bad" for finding in findings):
        raise typer.Exit(2)


def main() -> None:
    """Entry point: errors become one readable block and an exit code; printing never fails on a narrow terminal."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    try:
        app()
    except Exception as error:
        if State.debug:
            raise
        known = error if isinstance(error, RooftopError) else _of_the_system(error)
        if known is not None:
            print(known.render(State.lang), file=sys.stderr)
            sys.exit(known.exit_code)
        broke = one_line(f"{type(error).__name__}: {error}")
        say_error(
            Text(
                f"it broke: {broke}\n  kept: finished tiles, in the output folder's .tiles"
                "\n  mend: run again with --debug and send us what it prints",
                f"程序出错：{broke}\n  已保留：输出目录 .tiles 中已完成的分块"
                "\n  处理：加 --debug 重新运行，并将输出发给我们",
            )
        )
        sys.exit(3)


def _of_the_system(error: Exception) -> RooftopError | None:
    """Return what to say where a package is missing, or the system refuses a file nobody else has spoken of."""
    if isinstance(error, ModuleNotFoundError):
        return NotInstalledError.of_application("rooftop", error)
    if not isinstance(error, OSError) or error.errno is None or error.filename is None:
        return None
    return StorageError(
        Text("the system refuses a file", "系统拒绝访问文件"),
        where=os.fsdecode(error.filename) if isinstance(error.filename, str | bytes) else str(error.filename),
        found=error.strerror,
        mend=Text(
            "check that it is there, that you may use it, and that the disk has room",
            "请检查该文件是否存在、是否有权限、磁盘是否有空间",
        ),
    )
