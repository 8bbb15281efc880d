"""`rooftop init`: look into a footprint file and write a configuration that runs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from rooftop.errors import UsageError
from rooftop.inputs.guess import Guess, guess, starter_config
from rooftop.lang import Lang, Text
from rooftop.outputs.files import write_at_once
from rooftop.targets import load_pack


def write_starter(
    pack: str, footprints: Path | None, irradiance: Path | None, out: Path, force: bool, lang: Lang
) -> list[str]:
    """Write the configuration; return what was guessed and what is left to do.

    Raises
    ------
    UsageError
        `out` exists and `force` is not given.
    ConfigError, InputError
        The pack or the file cannot be read.
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
    found = guess(footprints) if footprints is not None else None
    text = starter_config(pack, footprints, found, irradiance, lang=lang, base=out.resolve().parent)
    write_at_once(out, lambda path: path.write_text(text, encoding="utf-8"))
    lines = [line.pick(lang) for line in _told(found)] if found is not None else []
    lines.append(Text(f"written: {out}", f"已写出：{out}").pick(lang))
    if irradiance is None:
        lines.append(
            Text("next: name the GHI raster in it", "下一步：在其中填写水平面总辐照（GHI）栅格路径").pick(lang)
        )
    lines.append(Text(f"then: rooftop check {out}", f"然后：rooftop check {out}").pick(lang))
    return lines


def _told(found: Guess) -> Iterator[Text]:
    crs = found.crs or found.crs_guess or "?"
    yield Text(
        f"{found.path.name}: {found.features:,} features, CRS {crs}, encoding {found.encoding}",
        f"{found.path.name}：{found.features:,} 个要素，坐标系 {crs}，编码 {found.encoding}",
    )
    yield found.datum_remark
    for field in found.fields:
        samples = " | ".join(field.samples)
        yield Text(
            f"  {field.key} <- {field.field} ({field.filled:,} filled): {samples}",
            f"  {field.key} <- {field.field}（{field.filled:,} 个有值）：{samples}",
        )
        if field.remark is not None:
            yield field.remark
    unknown = [use for use in found.uses if use.use == "unknown"]
    if unknown:
        names = ", ".join(f"{use.value} ({use.count})" for use in unknown[:8])
        yield Text(f"  uses to map: {names}", f"  需补充用途映射：{names}")
    yield from found.remarks
