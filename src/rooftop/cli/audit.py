"""`rooftop audit`: declared projects read, judged, shown."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from rooftop.core.errors import UsageError
from rooftop.core.lang import Lang, Text
from rooftop.inputs.audit_limits import AuditLimits, AuditPlace, audit_limits
from rooftop.inputs.declared import QUANTITIES, Declared, Project, read_declared
from rooftop.inputs.quantities import BASE_UNIT
from rooftop.outputs.audit import check_audit_path, write_audit
from rooftop.targets import Pack, list_packs, load_pack
from rooftop.targets.audit import VERDICTS, AuditResult, audit, claims_of, counts, declared_text
from rooftop.targets.audit_places import given_place, place_of_pack

_NAMES = {
    "area": Text("roof area", "屋顶面积"),
    "capacity": Text("capacity", "装机容量"),
    "energy": Text("annual energy", "年发电量"),
    "module_area": Text("module area", "组件面积"),
    "name": Text("name", "名称"),
    "district": Text("district", "县区"),
    "year": Text("year", "年份"),
    "roof_type": Text("roof type", "屋面类型"),
}


@dataclass(frozen=True)
class AuditOptions:
    """What the command line says.

    Parameters
    ----------
    pack : str or None
    ghi : float or None
        kWh/m² a year, of all projects.
    columns, units : tuple of str
        ``KEY=NAME``, ``KEY=UNIT``.
    encoding, sheet : str or None
    limits, out : Path or None
    """

    pack: str | None = None
    ghi: float | None = None
    columns: tuple[str, ...] = ()
    units: tuple[str, ...] = ()
    encoding: str | None = None
    sheet: str | None = None
    limits: Path | None = None
    out: Path | None = None


@dataclass(frozen=True)
class AuditDone:
    """What to print, and the rows whose values could not be read."""

    lines: tuple[str, ...]
    unread_rows: tuple[int, ...]


def run_audit(file: Path | None, options: AuditOptions, lang: Lang) -> AuditDone:
    """Audit a file, or without one the claims of a pack (of all packs when none is named).

    Raises
    ------
    UsageError, InputError, ConfigError
        Nothing has been written then.
    """
    if options.out is not None:
        check_audit_path(options.out)
    limits = audit_limits(options.limits)
    pack = None if options.pack is None else load_pack(options.pack)
    given = None if options.ghi is None else given_place(options.ghi, limits)
    if file is None:
        head, audited, projects = _claims(pack, given, limits, lang)
    else:
        declared = read_declared(
            file,
            columns=_pairs(options.columns, "--column"),
            units=_pairs(options.units, "--unit"),
            encoding=options.encoding,
            sheet=options.sheet,
        )
        head, projects = list(_read_lines(file, declared, lang)), declared.projects
        place = given or (None if pack is None else place_of_pack(pack, limits))
        audited = audit(projects, limits, datetime.date.today().year, place)
    lines = [*head, "", *(line for item in audited for line in _project_lines(item, lang, file is not None))]
    lines += ["", _count_line(audited, lang)]
    if options.out is not None:
        lines.append(str(write_audit(options.out, audited, lang)))
    return AuditDone(tuple(lines), tuple(project.row for project in projects if project.unread))


def _claims(
    pack: Pack | None, given: AuditPlace | None, limits: AuditLimits, lang: Lang
) -> tuple[list[str], tuple[AuditResult, ...], tuple[Project, ...]]:
    packs = [load_pack(name) for name in list_packs()] if pack is None else [pack]
    head: list[str] = []
    audited: list[AuditResult] = []
    for each in packs:
        if each.claims or pack is not None:
            text = Text("{name}: {n} declared", "{name}：申报项目 {n} 个").format(
                name=each.name.text, n=len(each.claims)
            )
            head.append(text.pick(lang))
        place = given or place_of_pack(each, limits)
        audited += audit(claims_of(each), limits, datetime.date.today().year, place)
    return head, tuple(audited), tuple(item.project for item in audited)


def _pairs(given: Sequence[str], option: str) -> dict[str, str]:
    out = {}
    for item in given:
        key, mark, value = item.partition("=")
        if not mark or not key.strip():
            raise UsageError(
                Text("this option takes KEY=VALUE", "该选项的写法为 KEY=VALUE"),
                where=option,
                found=item,
                expected="area=屋顶面积" if option == "--column" else "energy=万kWh",
            )
        out[key.strip()] = value.strip()
    return out


def _read_lines(file: Path, declared: Declared, lang: Lang) -> Iterator[str]:
    """Say what was read as what: a unit taken wrongly decides every verdict."""
    n, coded = len(declared.projects), declared.encoding
    yield Text(
        f"{file.name}: {n} project{'' if n == 1 else 's'}{coded and f', {coded}'}",
        f"{file.name}：{n} 个项目{coded and f'，{coded}'}",
    ).pick(lang)
    for column in declared.columns:
        samples = " | ".join(sample for sample in column.samples if sample)
        unit = f" [{column.unit}]" if column.unit else ""
        mark = " ! " if column.assumed else "   "
        yield f"{mark}{_NAMES[column.key].pick(lang)} <- {column.header}{unit}: {samples}"
        if column.assumed:
            base = BASE_UNIT[QUANTITIES[column.key]]
            yield "      " + Text(
                "the file states no unit: {base} is assumed; otherwise --unit {key}=...",
                "文件未写单位：按 {base} 理解；如有不符，请用 --unit {key}=… 指定",
            ).format(base=base, key=column.key).pick(lang)
    absent = [_NAMES[key].pick(lang) for key in ("area", "capacity", "energy") if key not in _keys(declared)]
    if absent:
        names = ("、" if lang == "zh" else ", ").join(absent)
        yield " ! " + Text(
            f"no column: {names}; name it with --column KEY=NAME", f"没有找到列：{names}；可用 --column KEY=列名 指定"
        ).pick(lang)
    if declared.unused:
        names = ("、" if lang == "zh" else ", ").join(declared.unused)
        yield "   " + Text(f"not used: {names}", f"未采用：{names}").pick(lang)
    for notice in declared.notices:
        yield f" ! {notice.text.pick(lang)} ({' | '.join(notice.examples)})"


def _keys(declared: Declared) -> set[str]:
    return {column.key for column in declared.columns}


def _project_lines(item: AuditResult, lang: Lang, with_row: bool) -> Iterator[str]:
    project = item.project
    row = Text(f"row {project.row}", f"第 {project.row} 行").pick(lang)
    name = project.name or row
    where = f" ({row})" if with_row and project.name else ""
    says = declared_text(project).pick(lang)
    tail = f"{'：' if lang == 'zh' else ': '}{says}" if says else ""
    yield f"[{VERDICTS[item.verdict].pick(lang)}] {name}{where}{tail}"
    for check in item.checks:
        yield (
            f"    - {check.text.pick(lang)}"
            if check.verdict == "fine"
            else (f"    ! {VERDICTS[check.verdict].pick(lang)}{'：' if lang == 'zh' else ': '}{check.text.pick(lang)}")
        )
    if item.missing is not None:
        yield f"    ? {item.missing.pick(lang)}"


def _count_line(audited: Sequence[AuditResult], lang: Lang) -> str:
    total = len(audited)
    verdicts = Text.join(
        (
            Text("{n} {verdict}", "{verdict} {n}").format(n=n, verdict=VERDICTS[verdict])
            for verdict, n in counts(audited).items()
        ),
        zh="，",
    )
    text = Text(
        "{total} project{s}: {verdicts}. Declarations are kept as they are; nothing was corrected.",
        "共 {total} 个项目：{verdicts}。申报值原样保留，未作任何更正。",
    ).format(total=total, s="" if total == 1 else "s", verdicts=verdicts)
    return text.pick(lang)
