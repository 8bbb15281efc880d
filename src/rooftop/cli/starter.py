"""`rooftop init`: look into the files and write a configuration that runs, or say what is left to fill in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from rooftop.configfile import load_config, naming_lines
from rooftop.core.errors import ConfigError, InputError, UsageError
from rooftop.core.lang import Lang, Text
from rooftop.inputs.footprints import read_buildings
from rooftop.inputs.guess import Guess, guess
from rooftop.inputs.guess_irradiance import RasterGuess, guess_irradiance
from rooftop.inputs.starter import starter_config
from rooftop.job.sources import read_sources
from rooftop.outputs.files import write_at_once
from rooftop.targets import load_pack
from rooftop.targets.inventory import credible_inventory


def write_starter(
    pack: str,
    footprints: Path | None,
    irradiance: Sequence[Path],
    out: Path,
    *,
    layer: str | None = None,
    force: bool = False,
    lang: Lang = "zh",
) -> list[str]:
    """Write the configuration; return what was guessed and what is left to do.

    Parameters
    ----------
    pack : str
        Name or path of a policy pack.
    footprints : Path or None
    irradiance : sequence of Path
        GHI: one raster, twelve, or a folder of them; none leaves a placeholder.
    out : Path
    layer : str, optional
        Of the footprints.
    force : bool
        Overwrite `out`.
    lang : {"zh", "en"}

    Raises
    ------
    UsageError
        `out` exists and `force` is not given.
    ConfigError, InputError
        The pack or a file cannot be read.
    StorageError
        `out` cannot be written.
    """
    if out.exists() and not force:
        raise UsageError(
            Text("the file exists", "文件已存在"),
            where=str(out),
            mend=Text("choose another with -o, or --force", "请用 -o 另选文件名，或加 --force 覆盖"),
        )
    load_pack(pack)
    footprint_guess = guess(footprints, layer) if footprints is not None else None
    raster_guess = (
        guess_irradiance(irradiance, None if footprint_guess is None else footprint_guess.place) if irradiance else None
    )
    text = starter_config(pack, footprints, footprint_guess, raster_guess, lang=lang, base=out.resolve().parent)
    write_at_once(out, lambda path: path.write_text(text, encoding="utf-8"))
    lines = [
        *([] if footprint_guess is None else _footprint_lines(footprint_guess)),
        *([] if raster_guess is None else _raster_lines(raster_guess)),
    ]
    lines.append(Text(f"written: {out}", f"已写出：{out}"))
    lines += _remaining_steps(out, footprint_guess, raster_guess, lang)
    return [line.pick(lang) for line in lines]


def _remaining_steps(
    out: Path, footprint_guess: Guess | None, raster_guess: RasterGuess | None, lang: Lang
) -> Iterator[Text]:
    """Say what is still to be filled in: read what was written as far as it goes."""
    if footprint_guess is None:
        yield Text("next: name the footprint file in it", "下一步：在其中填写建筑轮廓文件路径")
    if raster_guess is None:
        yield Text("next: name the GHI raster in it", "下一步：在其中填写水平面总辐照（GHI）栅格路径")
    try:
        with naming_lines(out):
            _try_config(out, footprint_guess is not None, raster_guess is not None)
    except (ConfigError, InputError) as error:
        yield Text("left to do, as `rooftop check` would say:", "尚需处理（rooftop check 将提示）：")
        block = error.render(lang)
        yield Text(block, block)
    yield Text(f"then: rooftop check {out}", f"然后：rooftop check {out}")


def _try_config(out: Path, footprints: bool, rasters: bool) -> None:
    config = load_config(out)
    if footprints and rasters:
        buildings = read_sources(config).buildings
    elif footprints:
        buildings = read_buildings(config.inputs.footprints).table
    else:
        return
    credible_inventory(config.inputs, buildings, None, ["unknown"] * len(buildings))


def _raster_lines(guessed: RasterGuess) -> Iterator[Text]:
    names = ", ".join(path.name for path in guessed.paths[:2]) + (" ..." if len(guessed.paths) > 2 else "")
    yield Text("{names}: {period}, {period_remark}", "{names}：{period}，{period_remark}").format(
        names=names, period=guessed.period, period_remark=guessed.period_remark
    )
    yield Text("  unit {unit}: {unit_remark}", "  单位 {unit}：{unit_remark}").format(
        unit=guessed.unit, unit_remark=guessed.unit_remark
    )


def _footprint_lines(guessed: Guess) -> Iterator[Text]:
    crs = guessed.crs or guessed.crs_guess or "?"
    yield Text(
        f"{guessed.path.name}: {guessed.features:,} features, CRS {crs}, encoding {guessed.encoding}",
        f"{guessed.path.name}：{guessed.features:,} 个要素，坐标系 {crs}，编码 {guessed.encoding}",
    )
    yield guessed.datum_remark
    for field in guessed.fields:
        samples = " | ".join(field.samples)
        yield Text(
            f"  {field.key} <- {field.field} ({field.filled:,} filled): {samples}",
            f"  {field.key} <- {field.field}（{field.filled:,} 个有值）：{samples}",
        )
        if field.remark is not None:
            yield field.remark
    unknown = [use for use in guessed.uses if use.use == "unknown"]
    if unknown:
        names = ", ".join(f"{use.value} ({use.count})" for use in unknown[:8])
        yield Text(f"  uses to map: {names}", f"  需补充用途映射：{names}")
    yield from guessed.remarks
