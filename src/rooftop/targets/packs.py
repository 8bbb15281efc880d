"""Policy packs: found, read, checked; a pack that does not hold together is refused with file, line and key."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rooftop.configfile import key_in_file, validate, written_key
from rooftop.core.errors import ConfigError
from rooftop.core.lang import Text
from rooftop.core.notices import Provenance, file_sha256
from rooftop.core.resources import configs_dir
from rooftop.core.vocabularies import building_uses
from rooftop.core.yamlfile import KeyPath, YamlDocument, load_yaml
from rooftop.targets.energy_settings import energy_settings
from rooftop.targets.models import Coverage, CoverageTarget, Pack, Scope, Target, YearSpan


@dataclass(frozen=True)
class Problem:
    """One contradiction in a pack: where it is, what is wrong, what was found and expected."""

    loc: KeyPath
    what: Text
    found: str
    expected: Text | str


def list_packs() -> list[str]:
    """Return the names of the shipped packs, sorted."""
    return sorted(path.stem for path in (configs_dir() / "policies").glob("*.yaml"))


def load_pack(name_or_path: str | Path) -> Pack:
    """Load a shipped pack by name, or any pack by path, and check it.

    Parameters
    ----------
    name_or_path : str or Path
        ``lianyungang``, or a path ending in ``.yaml`` or ``.yml``.

    Raises
    ------
    ConfigError
        No such pack, not YAML, or a pack that does not hold together; the message names file, line and key.
    """
    document = load_yaml(pack_path(name_or_path))
    pack = validate(Pack, document)
    problems = list(check_pack(pack))
    if problems:
        raise _refusal(document, problems)
    return pack


def pack_path(name_or_path: str | Path) -> Path:
    """Return the file of a pack, shipped or given.

    Raises
    ------
    ConfigError
        There is no such file or shipped pack.
    """
    given = Path(name_or_path)
    shipped = configs_dir() / "policies" / f"{name_or_path}.yaml"
    path = given if given.suffix.lower() in {".yaml", ".yml"} else shipped
    if not path.is_file():
        near = difflib.get_close_matches(str(name_or_path).lower(), list_packs(), n=1)
        raise ConfigError(
            Text("there is no such policy pack", "没有这个政策包"),
            where="policy",
            found=str(name_or_path),
            expected=Text(
                f"one of {', '.join(list_packs())}, or the path of a .yaml file",
                f"{'、'.join(list_packs())} 之一，或某个 .yaml 文件的路径",
            ),
            mend=Text(f"did you mean {near[0]}?", f"是否为 {near[0]}？")
            if near
            else Text("write one of these", "请填写其中之一"),
        )
    return path


def pack_provenance(name_or_path: str | Path, pack: Pack) -> Provenance:
    """Return path and hash of a pack, loaded from there, for `run.json`."""
    details = {f"document.{key}": f"{doc.title} {doc.number} {doc.date}" for key, doc in pack.documents.items()}
    return Provenance(
        role="policy", path=str(name_or_path), sha256=file_sha256(pack_path(name_or_path)), details=details
    )


def check_pack(pack: Pack) -> Iterator[Problem]:
    """Yield every contradiction of a pack that its schema cannot see."""
    yield from _check_unique([t.id for t in pack.targets], ("targets",))
    for i, target in enumerate(pack.targets):
        yield from _check_target(pack, target, ("targets", i))
    for i, claim in enumerate(pack.claims):
        if claim.document not in pack.documents:
            yield _unknown_document(claim.document, pack, ("claims", i, "document"))
    yield from _check_unique([c.id for c in pack.coverage], ("coverage",))
    for i, coverage in enumerate(pack.coverage):
        yield from _check_coverage(pack, coverage, ("coverage", i))
    yield from _check_energy(pack)
    answered = [t.id for coverage in pack.coverage for t in coverage.targets]
    for i, target in enumerate(pack.targets):
        if target.indicator == "pv_coverage" and target.computable.answer == "yes" and target.id not in answered:
            yield Problem(
                ("targets", i, "computable"),
                Text("no coverage definition answers this target", "没有任何覆盖率口径对应该指标"),
                target.id,
                f"coverage: [{{targets: [{{id: {target.id}, ...}}]}}]",
            )


def _check_target(pack: Pack, target: Target, loc: KeyPath) -> Iterator[Problem]:
    if target.document not in pack.documents:
        yield _unknown_document(target.document, pack, (*loc, "document"))
    if target.unit == "share" and not 0.0 <= target.value <= 1.0:
        yield Problem(
            (*loc, "value"), Text("a share lies between 0 and 1", "比例须在 0 与 1 之间"), f"{target.value:g}", "0 … 1"
        )
    if target.unit == "change" and target.baseline_year is None:
        yield Problem(
            (*loc, "unit"),
            Text("a change needs its baseline_year", "变化率需要基准年 baseline_year"),
            target.unit,
            "baseline_year: 2020",
        )
    if target.year is not None and not pack.period.contains(target.year):
        yield _outside(pack, target.year, (*loc, "year"))
    yield from _check_unique([row.name for row in target.districts], (*loc, "districts"))
    total = sum(row.value for row in target.districts)
    if target.districts and abs(total - target.value) > 1e-9 * max(1.0, abs(target.value)):
        yield Problem(
            (*loc, "districts"),
            Text("the units do not add up to the target", "分解值之和不等于指标值"),
            f"{total:g}",
            f"{target.value:g}",
        )


def _check_coverage(pack: Pack, coverage: Coverage, loc: KeyPath) -> Iterator[Problem]:
    for i, entry in enumerate(coverage.targets):
        yield from _check_coverage_target(pack, entry, (*loc, "targets", i))
    yield from _check_unique([group.id for group in coverage.groups], (*loc, "groups"))
    plain = [group.id for group in coverage.groups if not group.union]
    for i, group in enumerate(coverage.groups):
        entry_loc = (*loc, "groups", i)
        for member in group.union:
            if member not in plain:
                yield _unknown_name("group", "类别", member, plain, (*entry_loc, "union"))
        for part, allowed in (("numerator", coverage.numerators), ("denominator", coverage.denominators)):
            value = getattr(group.default, part)
            if value not in allowed:
                yield _unknown_name(part, "口径", value, allowed, (*entry_loc, "default", part))
    if "installable" in coverage.numerators and coverage.kinds != ("potential",):
        what = Text(
            "the installable area is a numerator of potential coverage only", "可安装面积只能作为潜力覆盖率的分子"
        )
        yield Problem((*loc, "numerators"), what, ", ".join(coverage.kinds), "kinds: [potential]")
    yield from _check_exactly_one([group.front for group in coverage.groups], "front", (*loc, "groups"))
    yield from _check_exactly_one([reading.default for reading in coverage.readings], "default", (*loc, "readings"))
    yield from _check_unique([reading.id for reading in coverage.readings], (*loc, "readings"))
    for i, reading in enumerate(coverage.readings):
        entry_loc = (*loc, "readings", i, "scopes")
        for group_id in reading.scopes:
            if group_id not in plain:
                yield _unknown_name("group", "类别", group_id, plain, (*entry_loc, group_id))
            yield from _check_scope(pack, reading.scopes[group_id], (*entry_loc, group_id))
        for group_id in plain:
            if group_id not in reading.scopes:
                yield Problem(
                    entry_loc,
                    Text("a group has no scope in this reading", "该解读缺少某一类别的范围"),
                    ", ".join(reading.scopes),
                    group_id,
                )
    if coverage.aggregation.default not in coverage.aggregation.evaluated:
        evaluated = coverage.aggregation.evaluated
        yield _unknown_name(
            "aggregation", "汇总方式", coverage.aggregation.default, evaluated, (*loc, "aggregation", "default")
        )


def _check_coverage_target(pack: Pack, entry: CoverageTarget, loc: KeyPath) -> Iterator[Problem]:
    target = next((t for t in pack.targets if t.id == entry.id), None)
    if entry.id is not None and target is None:
        yield _unknown_name("target", "指标", entry.id, [t.id for t in pack.targets], (*loc, "id"))
    if target is not None and target.unit != "share":
        yield Problem((*loc, "id"), Text("a coverage target is a share", "覆盖率指标须为比例"), target.unit, "share")
    places: list[tuple[KeyPath, list[int]]] = [
        ((*loc, "single_years", i), [y]) for i, y in enumerate(entry.single_years)
    ]
    places += [((*loc, "cohorts", i), [w.start, w.end]) for i, w in enumerate(entry.cohorts)]
    if entry.cohort != "all":
        places.append(((*loc, "cohort"), [entry.cohort.start, entry.cohort.end]))
    for place, years in places:
        if years[0] > years[-1]:
            yield _reversed_years(years, place)
        for year in years:
            if not pack.period.contains(year):
                yield _outside(pack, year, place)


def _check_energy(pack: Pack) -> Iterator[Problem]:
    """Yield the contradictions of climate, substitution and mandates."""
    shipped = energy_settings()
    zones, options = list(shipped.zones), list(shipped.k_e.options)
    if pack.climate is not None:
        named = {("zone",): pack.climate.zone} | {("units", start): zone for start, zone in pack.climate.units.items()}
        for key, zone in named.items():
            if zone is not None and zone not in zones:
                yield _unknown_name("climate zone", "气候分区", zone, zones, ("climate", *key))
    rates = {t.id: t for t in pack.targets if t.indicator == "renewable_substitution"}
    yield from _check_unique([entry.target for entry in pack.substitution], ("substitution",))
    for i, entry in enumerate(pack.substitution):
        entry_loc: KeyPath = ("substitution", i)
        if entry.target not in rates:
            yield _unknown_name("substitution target", "替代率指标", entry.target, list(rates), (*entry_loc, "target"))
        elif rates[entry.target].unit != "share":
            what = Text("a substitution rate is a share", "替代率指标须为比例")
            yield Problem((*entry_loc, "target"), what, rates[entry.target].unit, "share")
        if entry.k_e is not None and entry.k_e not in options:
            yield _unknown_name("equivalent of electricity", "电力折标系数", entry.k_e, options, (*entry_loc, "k_e"))
        yield from _check_cohort(pack, entry.window, (*entry_loc, "cohort"))
        yield from _check_scope(pack, entry.scope, (*entry_loc, "scope"))
    answered = [entry.target for entry in pack.substitution]
    for i, target in enumerate(pack.targets):
        if target.id in rates and target.computable.answer != "no" and target.id not in answered:
            what = Text("no substitution entry answers this target", "没有任何替代率口径对应该指标")
            expected = f"substitution: [{{target: {target.id}, ...}}]"
            yield Problem(("targets", i, "computable"), what, target.id, expected)
    for i, mandate in enumerate(pack.mandates):
        if mandate.target not in [t.id for t in pack.targets]:
            yield _unknown_name(
                "target", "指标", mandate.target, [t.id for t in pack.targets], ("mandates", i, "target")
            )
        yield from _check_unique([part.id for part in mandate.parts], ("mandates", i, "parts"))
        for k, part in enumerate(mandate.parts):
            yield from _check_cohort(pack, part.window, ("mandates", i, "parts", k, "cohort"))
            yield from _check_scope(pack, part.scope, ("mandates", i, "parts", k, "scope"))


def _check_cohort(pack: Pack, window: YearSpan | None, loc: KeyPath) -> Iterator[Problem]:
    if window is None:
        return
    if window.start > window.end:
        yield _reversed_years([window.start, window.end], loc)
    for year in dict.fromkeys((window.start, window.end)):
        if not pack.period.contains(year):
            yield _outside(pack, year, loc)


def _check_scope(pack: Pack, scope: Scope, loc: KeyPath) -> Iterator[Problem]:
    known = [use for use in building_uses().uses if use != "unknown"]
    for i, use in enumerate(scope.building_use or ()):
        if use not in known:
            yield _unknown_name("class", "建筑用途", use, known, (*loc, "building_use", i))
    if scope.completed is not None and scope.completed != "cohort" and scope.completed.start > scope.completed.end:
        yield _reversed_years([scope.completed.start, scope.completed.end], (*loc, "completed"))
    for key in ("all", "any", "none"):
        for i, part in enumerate(getattr(scope, key) or ()):
            yield from _check_scope(pack, part, (*loc, key, i))


def _check_unique(ids: list[str], loc: KeyPath) -> Iterator[Problem]:
    for i, value in enumerate(ids):
        if value in ids[:i]:
            yield Problem(
                (*loc, i), Text("this id occurs twice", "编号重复"), value, Text("each id once", "每个编号只用一次")
            )


def _check_exactly_one(flags: list[bool], key: str, loc: KeyPath) -> Iterator[Problem]:
    if sum(flags) != 1:
        what = Text(f"exactly one entry must be marked `{key}: true`", f"须恰有一项标为 `{key}: true`")
        yield Problem(loc, what, str(sum(flags)), "1")


def _unknown_name(what_en: str, what_zh: str, value: str, known: Any, loc: KeyPath) -> Problem:
    return Problem(loc, Text(f"unknown {what_en}", f"未知的{what_zh}"), value, ", ".join(known))


def _unknown_document(value: str, pack: Pack, loc: KeyPath) -> Problem:
    return _unknown_name("document", "来源文件", value, list(pack.documents), loc)


def _outside(pack: Pack, year: int, loc: KeyPath) -> Problem:
    end = "…" if pack.period.end is None else str(pack.period.end)
    what = Text("the year lies outside the plan's period", "年份不在规划期内")
    return Problem(loc, what, str(year), f"{pack.period.start}-{end}")


def _reversed_years(years: list[int], loc: KeyPath) -> Problem:
    expected = f"{years[-1]}-{years[0]}"
    return Problem(loc, Text("the years are reversed", "起止年份颠倒"), f"{years[0]}-{years[-1]}", expected)


def _refusal(document: YamlDocument, problems: list[Problem]) -> ConfigError:
    """Return the error for the first problem of a non-empty list, with the places of the others."""
    first, *others = problems
    mend = Text("correct this entry of the pack", "请更正政策包中的该项")
    if others:
        places = ", ".join(dict.fromkeys(f"{written_key(p.loc)} ({document.line(p.loc)})" for p in others[:5]))
        places += " ..." if len(others) > 5 else ""
        mend = Text("{mend}; then see also (line): {places}", "{mend}；另请检查（行）：{places}").format(
            mend=mend, places=places
        )
    return ConfigError(
        Text("policy pack: {what}", "政策包：{what}").format(what=first.what),
        where=key_in_file(written_key(first.loc), document, document.line(first.loc)),
        found=first.found,
        expected=first.expected,
        mend=mend,
    )
