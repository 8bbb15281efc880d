"""What the packs say, as rows for the command line, the report and the workbook."""

from __future__ import annotations

from dataclasses import dataclass

from rooftop.core.lang import Lang, Text
from rooftop.core.vocabularies import building_uses
from rooftop.targets.basis import existing_pv
from rooftop.targets.coverage_rules import coverage_rules
from rooftop.targets.models import Coverage, CoverageTarget, Pack, Scope, Target, YearSpan
from rooftop.targets.packs import list_packs, load_pack

_ALL = Text("all of", "同时满足")
_ANY = Text("any of", "满足其一")
_NONE = Text("none of", "均不满足")


@dataclass(frozen=True)
class TargetRow:
    """One target of a pack, ready to print.

    Parameters
    ----------
    id, indicator : str
    wording : str
        The plan's own words.
    label, unit, scope, nature, computable : Text
    value : float
    value_text : str
        The number as the plan writes it.
    year : int or None
    reason : Text or None
        Why the target is not, or only partly, computed.
    document, section, date : str
    source : Text
    districts : tuple of (str, str, float)
        Name, level and value of each unit's part.
    """

    id: str
    indicator: str
    wording: str
    label: Text
    value: float
    value_text: str
    unit: Text
    year: int | None
    scope: Text
    nature: Text
    computable: Text
    reason: Text | None
    document: str
    section: str
    date: str
    source: Text
    districts: tuple[tuple[str, str, float], ...]


@dataclass(frozen=True)
class DefinitionRow:
    """One choice behind the coverage numbers: what it is about, what was chosen, and on whose word.

    Parameters
    ----------
    coverage_id : str
    topic, choice, source : Text
    is_default : bool
    """

    coverage_id: str
    topic: Text
    choice: Text
    source: Text
    is_default: bool


def value_label(column: str, value: str, pack: Pack | None = None) -> Text:
    """Return what a person calls a coded value of the coverage table; the value itself where it has no label.

    Parameters
    ----------
    column : str
        Column of `tables.COVERAGE`.
    value : str
    pack : Pack, optional
        Names its own targets, groups and readings.
    """
    if pack is not None:
        labels = {("target_id", target.id): target.label for target in pack.targets}
        for coverage in pack.coverage:
            labels |= {("building_group", group.id): group.label for group in coverage.groups}
            labels |= {("scope_reading", reading.id): reading.label for reading in coverage.readings}
        if (column, value) in labels:
            return labels[column, value].text
    shipped = coverage_rules().labels.get(column, {}).get(value)
    if shipped is not None:
        return shipped.text
    if column == "cohort":
        return Text(f"completed {value}", f"{value}年竣工")
    return Text(value, value)


def target_rows(pack: Pack) -> list[TargetRow]:
    """Return every target of a pack in its order."""
    return [_target_row(pack, target) for target in pack.targets]


def _target_row(pack: Pack, target: Target) -> TargetRow:
    document = pack.documents[target.document]
    number = "" if document.number == "unstated" else f" {document.number}"
    reason = target.computable.reason
    return TargetRow(
        id=target.id,
        indicator=target.indicator,
        wording=target.wording,
        label=target.label.text,
        value=target.value,
        value_text=target.value_text,
        unit=value_label("unit", target.unit),
        year=target.year,
        scope=target.scope.text,
        nature=value_label("target_nature", target.nature),
        computable=value_label("computable", target.computable.answer),
        reason=None if reason is None else reason.text,
        document=f"{document.title}{number}",
        section="" if target.section == "unstated" else target.section,
        date=target.date,
        source=target.source.text,
        districts=tuple((row.name, row.level, row.value) for row in target.districts),
    )


def definition_rows(pack: Pack) -> list[DefinitionRow]:
    """Return every choice that decides the coverage numbers, defaults marked, each with its source."""
    rows: list[DefinitionRow] = []
    for coverage in pack.coverage:
        rows += [_group_row(coverage, k) for k in range(len(coverage.groups))]
        for reading in coverage.readings:
            scopes = [(value_label("building_group", g, pack), scope_text(s)) for g, s in reading.scopes.items()]
            parts = [group + Text(": ", "：") + scope for group, scope in scopes]
            label = reading.label.text + Text(" — ", "——") + Text.join(parts, "; ", "；")
            topic = Text("reading of the scope", "范围解读")
            rows.append(DefinitionRow(coverage.id, topic, label, reading.source.text, reading.default))
        for entry in coverage.targets:
            rows += _cohort_rows(pack, coverage, entry)
        for name in coverage.aggregation.evaluated:
            rows.append(
                DefinitionRow(
                    coverage.id,
                    Text("aggregation", "汇总方式"),
                    value_label("aggregation", name),
                    coverage.aggregation.source.text,
                    name == coverage.aggregation.default,
                )
            )
    if pack.coverage:
        factor = existing_pv(pack)
        choice = Text(f"{factor.w_per_m2:g} W per m² of module", f"{factor.w_per_m2:g} W/㎡（组件面积）")
        topic = Text("existing PV: capacity to area", "已装光伏容量折算面积")
        rows.append(DefinitionRow("", topic, choice, factor.source.text, True))
    return rows


def _group_row(coverage: Coverage, k: int) -> DefinitionRow:
    group = coverage.groups[k]
    top = value_label("numerator", group.default.numerator)
    bottom = value_label("denominator", group.default.denominator)
    choice = Text("{label}: {top} ÷ {bottom}", "{label}：{top} ÷ {bottom}").format(
        label=group.label.text, top=top, bottom=bottom
    )
    return DefinitionRow(coverage.id, Text("numerator and denominator", "分子与分母"), choice, group.source.text, True)


def _cohort_rows(pack: Pack, coverage: Coverage, entry: CoverageTarget) -> list[DefinitionRow]:
    topic = Text("cohort", "统计期")
    if entry.id is not None:
        year = pack.target(entry.id).year
        when = "" if year is None else f" {year}"
        topic += Text(": ", "：") + value_label("target_id", entry.id, pack) + when
    first, *others = [_window_id(window) for window in entry.windows()]
    rows = [DefinitionRow(coverage.id, topic, value_label("cohort", first), entry.source.text, True)]
    if others:
        choice = Text(f"completed {', '.join(others)}", f"{'、'.join(others)}年竣工")
        rows.append(DefinitionRow(coverage.id, topic, choice, entry.source.text, False))
    return rows


def _window_id(window: YearSpan | None) -> str:
    return "all" if window is None else window.id


def scope_text(scope: Scope) -> Text:
    """Write a scope as a phrase."""
    parts: list[Text] = []
    if scope.building_use is not None:
        uses = [building_uses().uses[use].text for use in scope.building_use]
        parts.append(Text("use ", "用途为") + Text.join(uses))
    if scope.is_public_institution is not None:
        yes = scope.is_public_institution == "yes"
        parts.append(Text(f"{'a' if yes else 'no'} public institution", f"{'属' if yes else '不属'}公共机构"))
    if scope.owner_type is not None:
        parts.append(Text("owner " + ", ".join(scope.owner_type), "产权类型为" + "、".join(scope.owner_type)))
    if scope.completed == "cohort":
        parts.append(Text("completed within the cohort", "统计期内竣工"))
    elif scope.completed is not None:
        parts.append(Text(f"completed {scope.completed.id}", f"{scope.completed.id}年竣工"))
    for nested, word in ((scope.all, _ALL), (scope.any, _ANY), (scope.none, _NONE)):
        if nested is not None:
            inner = Text.join((scope_text(part) for part in nested), "; ", "；")
            parts.append(Text("{word} ({inner})", "{word}（{inner}）").format(word=word, inner=inner))
    return Text.join(parts, " and ", "且")


def target_lines(name: str | None, lang: Lang) -> list[str]:
    """Return what `rooftop targets` prints: all packs in a line each, or one pack in full.

    Raises
    ------
    ConfigError
        There is no such pack.
    """
    if name is None:
        packs = [load_pack(pack) for pack in list_packs()]
        width = max(len(pack.id) for pack in packs)
        return [f"{pack.id:<{width}}  {pack.name.text.pick(lang)}" for pack in packs]
    pack = load_pack(name)
    lines = [f"{pack.id}  {pack.name.text.pick(lang)}", pack.period.source.text.pick(lang), ""]
    for row in target_rows(pack):
        lines += _target_lines(row, lang)
    if pack.coverage:
        lines += [Text("Definitions (* default)", "口径（* 为默认）").pick(lang)]
        before = ""
        for definition in definition_rows(pack):
            mark = "*" if definition.is_default else " "
            lines.append(f" {mark} {definition.topic.pick(lang)}: {definition.choice.pick(lang)}")
            source = definition.source.pick(lang)
            lines += [] if source == before else [f"     {source}"]
            before = source
    return lines + [remark.text.pick(lang) for remark in pack.remarks]


def _target_lines(row: TargetRow, lang: Lang) -> list[str]:
    year = Text("year not stated", "年份未载明").pick(lang) if row.year is None else str(row.year)
    nature = Text("nature: {nature}", "性质：{nature}").format(nature=row.nature).pick(lang)
    lines = [
        f"{row.id}: {row.wording} {row.value_text} ({year}; {nature}; {row.computable.pick(lang)})",
        f"    {row.label.pick(lang)} · {row.scope.pick(lang)}",
        f"    {row.document} {row.section} ({row.date}): {row.source.pick(lang)}",
    ]
    if row.reason is not None:
        lines.append(f"    {row.reason.pick(lang)}")
    if row.districts:
        lines.append("    " + "  ".join(f"{name} {value:g}" for name, _, value in row.districts))
    return [*lines, ""]
