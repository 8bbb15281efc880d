"""A starter configuration made of what files probably hold (`rooftop init`): it loads, and says what is a guess."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path

from rooftop.config import FieldMap
from rooftop.core.filenames import legal_name
from rooftop.core.irradiance_units import irradiance_units
from rooftop.core.lang import Lang, Text, pick
from rooftop.inputs.guess import Guess
from rooftop.inputs.guess_irradiance import RasterGuess

_MAX_USES = 60


def starter_config(
    pack: str,
    footprints: Path | None,
    guess: Guess | None,
    irradiance: RasterGuess | None = None,
    *,
    lang: Lang = "zh",
    base: Path | None = None,
) -> str:
    """Return a commented configuration that loads, and runs once the irradiance raster is there.

    Parameters
    ----------
    pack : str
        Policy pack, name or path.
    footprints : Path or None
        None leaves a placeholder.
    guess : Guess or None
        Of `footprints`.
    irradiance : RasterGuess or None
        None leaves a placeholder.
    lang : {"zh", "en"}
        Language of the comments and of the outputs.
    base : Path, optional
        Folder the configuration will lie in: paths are written relative to it.
    """
    say = _Comments(lang)
    name = footprints.stem if footprints is not None else "example"
    lines = [
        say.full(
            Text("Configuration of rooftop. Paths are relative to this file.", "rooftop 配置文件。路径以本文件为准。")
        ),
        f"name: {scalar(legal_name(name) or 'example')}",
        f"title: {scalar(name)}",
        "inputs:",
        *(f"  {line}" for line in _footprint_lines(footprints, guess, base, say)),
        *(f"  {line}" for line in _other_lines(irradiance, base, say)),
        f"policy: {scalar(_pack(pack, base))}",
        f"outputs: {{lang: {lang}, rasters: [poa_annual, svf, shading_loss]}}",
    ]
    return "\n".join(lines) + "\n"


class _Comments:
    """Comments in one language."""

    def __init__(self, lang: Lang) -> None:
        self._lang = lang

    def full(self, text: Text) -> str:
        """Return a comment line."""
        return f"# {_one_line(text.pick(self._lang))}"

    def tail(self, text: Text | str | None) -> str:
        """Return a comment behind a value, or nothing."""
        if text is None:
            return ""
        return "  # " + _one_line(pick(text, self._lang))


def _one_line(text: str) -> str:
    """Return text that cannot leave its comment: no line ends, no control characters."""
    return "".join(c if c.isprintable() else " " for c in text)


def scalar(text: str) -> str:
    """Write a text as one YAML scalar that reads back as the same text."""
    safe = re.fullmatch(r"(\.\./)*[A-Za-z_\u4e00-\u9fff][\w./\u4e00-\u9fff-]*", text)
    if safe and text.lower() not in ("yes", "no", "on", "off", "true", "false", "null", "y", "n"):
        return text
    if text.isprintable():
        return "'" + text.replace("'", "''") + "'"
    return json.dumps(text)


def _relative_path(path: Path, base: Path | None) -> str:
    """Return the path as it should stand in a file that lies in `base`, with forward slashes."""
    if base is None:
        return path.as_posix()
    try:
        return Path(os.path.relpath(path.resolve(), base.resolve())).as_posix()
    except ValueError:  # another drive
        return path.resolve().as_posix()


def _pack(pack: str, base: Path | None) -> str:
    """Return a pack's name as it is, and the path of one as seen from the configuration."""
    return _relative_path(Path(pack), base) if pack.lower().endswith((".yaml", ".yml")) else pack


def _footprint_lines(footprints: Path | None, guess: Guess | None, base: Path | None, say: _Comments) -> Iterator[str]:
    yield "footprints:"
    path = _relative_path(footprints, base) if footprints is not None else "footprints.gpkg"
    yield f"  path: {scalar(path)}"
    if guess is None:
        yield from ("  datum: wgs84", "  fields: {id: null, height_m: height, floors: null, building_use: null}")
        return
    if guess.layer is not None and footprints is not None and guess.layer != footprints.stem:
        yield f"  layer: {scalar(guess.layer)}"
    if guess.encoding not in ("utf-8", "utf8"):
        yield f"  encoding: {guess.encoding}"
    if guess.crs is not None:
        yield "  " + say.full(Text(f"CRS in the file: {guess.crs}", f"文件坐标系：{guess.crs}"))
    elif guess.crs_guess is not None:
        why = Text("the file states none; guessed from the coordinates, check it", "文件未声明；据坐标值推断，请核对")
        yield f"  crs: {guess.crs_guess}{say.tail(why)}"
    else:
        why = Text("the file states none: fill in, e.g. EPSG:4549", "文件未声明坐标系：请填写，如 EPSG:4549")
        yield f"  crs: null{say.tail(why)}"
    yield f"  datum: {guess.datum}{say.tail(guess.datum_remark)}"
    yield from (f"  {line}" for line in _field_lines(guess, say))
    yield from (f"  {line}" for line in _use_lines(guess, say))
    yield "  storey_height_m: 3.0"
    if guess.field("height_m") is None and guess.field("floors") is None:
        why = Text("no heights in the file: every building gets this; replace it", "文件无高度：所有建筑取此值，请更正")
        yield f"  default_height_m: 9.0{say.tail(why)}"


def _field_lines(guess: Guess, say: _Comments) -> Iterator[str]:
    by_key = {f.key: f for f in guess.fields}
    yield "fields:"
    for key in FieldMap.model_fields:
        field = by_key.get(key)
        if field is None:
            yield f"  {key}: null"
            continue
        sample = ", ".join(field.samples)
        remark = (
            None
            if field.remark is None
            else Text("{sample}; {remark}", "{sample}；{remark}").format(sample=sample, remark=field.remark)
        )
        yield f"  {key}: {scalar(field.field)}{say.tail(remark or sample)}"
    if guess.unused:
        unused = ", ".join(guess.unused)
        yield say.full(Text(f"not used: {unused}", f"未使用的字段：{unused}"))
    for text in guess.remarks:
        yield say.full(text)


def _use_lines(guess: Guess, say: _Comments) -> Iterator[str]:
    unmapped = [u for u in guess.uses if u.use == "unknown"]
    if not unmapped:
        return
    yield "use_map:"
    yield "  " + say.full(
        Text(
            "source value: building_use. Remove the # and correct; what stays commented is unknown.",
            "原始值: 用途。去掉 # 并更正；保持注释的按“未知”处理。",
        )
    )
    for use in unmapped[:_MAX_USES]:
        quoted = json.dumps(use.value, ensure_ascii=not use.value.isprintable())
        yield f"  # {quoted}: {use.suggestion or 'other'}  # {use.count}"
    if len(unmapped) > _MAX_USES:
        more = len(unmapped) - _MAX_USES
        yield "  " + say.full(Text(f"and {more} more values", f"另有 {more} 个取值"))


def _irradiance_lines(raster: RasterGuess | None, base: Path | None, say: _Comments) -> Iterator[str]:
    yield "irradiance:"
    yield "  ghi:"
    if raster is None:
        todo = Text("fill in: a GeoTIFF of global horizontal irradiation", "请填写：水平面总辐照量 GeoTIFF")
        usual = irradiance_units().usual("annual")
        unit = Text(f"check the unit: {', '.join(usual[:4])}, ...", "请核对单位")
        period = Text("annual, or monthly: 12 bands or a list of 12 files", "annual；或 monthly：12 个波段或 12 个文件")
        yield f"    path: GHI.tif{say.tail(todo)}"
        yield f"    unit: {usual[0]}{say.tail(unit)}"
        yield f"    period: annual{say.tail(period)}"
        return
    if len(raster.paths) == 1:
        yield f"    path: {scalar(_relative_path(raster.paths[0], base))}"
    else:
        yield f"    path:{say.tail(Text('January first', '自一月起'))}"
        yield from (f"      - {scalar(_relative_path(path, base))}" for path in raster.paths)
    yield f"    unit: {raster.unit}{say.tail(raster.unit_remark)}"
    yield f"    period: {raster.period}{say.tail(raster.period_remark)}"


def _other_lines(irradiance: RasterGuess | None, base: Path | None, say: _Comments) -> Iterator[str]:
    yield from _irradiance_lines(irradiance, base, say)
    yield say.full(Text("Optional:", "可选："))
    yield "# districts: {path: districts.gpkg, id_field: adcode, name_field: name, datum: wgs84}"
    yield "# towns: {path: towns.gpkg, id_field: code, name_field: name}"
    yield "# zones: {path: zones.gpkg, id_field: code, name_field: name}"
    yield "# land_use: {path: land_use.gpkg, standard: ydyh_2023, code_field: DLBM}  # or gbt21010_2017, sandiao"
    yield "# weather: {path: station.epw}"
    yield "# dtm: {path: dtm.tif}"
    yield "# dsm: {path: [a.laz, b.laz], crs: EPSG:4549}  # .tif, .las, .laz"
