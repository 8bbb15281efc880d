"""Typed facts of the first page: met or not, by how much, where, how sure, under which definition, what next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from rooftop.core.lang import Text
from rooftop.core.rounding import NONE, Interval, area, capacity, count, percent, percent_range
from rooftop.outputs.map.style import SHORT_LABELS
from rooftop.outputs.unit_names import unit_label
from rooftop.outputs.verdicts import ANSWERS, Verdict, verdict_of
from rooftop.targets.listing import value_label
from rooftop.targets.models import BuildingGroup, Pack

Certainty = Literal["sure", "open", "nothing"]
NOT_A_NUMBER = float("nan")
UNIT_KEYS = ("level", "unit_id")


@dataclass(frozen=True)
class DefinitionResult:
    """Coverage under one definition.

    Parameters
    ----------
    numerator, denominator : str
        Keys of the coverage table.
    coverage : Interval
    attained : str
        ``yes``, ``no`` or ``unknown``.
    is_default : bool
    kind : str
        Of the coverage.
    """

    numerator: str
    denominator: str
    coverage: Interval
    attained: str
    is_default: bool
    kind: str = "installed"

    @property
    def verdict(self) -> Verdict:
        """Whether the target is met under this definition."""
        return verdict_of(self.attained, self.kind)

    @property
    def label(self) -> Text:
        """The definition in words."""
        top, bottom = value_label("numerator", self.numerator), value_label("denominator", self.denominator)
        return Text("{top} ÷ {bottom}", "{top} ÷ {bottom}").format(top=top, bottom=bottom)

    @property
    def short(self) -> Text:
        """The definition in two words."""
        top, bottom = SHORT_LABELS[f"numerator:{self.numerator}"], SHORT_LABELS[f"denominator:{self.denominator}"]
        return Text("{top}÷{bottom}", "{top}÷{bottom}").format(top=top, bottom=bottom)


@dataclass(frozen=True)
class Finding:
    """What is known of one unit and one target under the pack's own definition.

    Parameters
    ----------
    unit_id, unit_name, level : str
    target_id : str
    target : float
        Share; NaN where the plan sets no value.
    year : int or None
    nature : str
    group_id : str
    group : Text
    reading, cohort, aggregation : str
    numerator, denominator : str
    n_buildings, n_unknown, n_needs_survey : int
        Buildings in the scope; buildings a missing fact may put into it or keep out; roofs of the scope that may turn
        out not to be installable.
    kind : str
        What the target speaks of: ``installed``, or ``potential`` where the pack asks for no other.
    installed, planned, potential : Interval
        Coverage; NaN where it is not defined (no building in the scope).
    attained : str
        Of `kind`: ``yes``, ``no`` or ``unknown``.
    attainable : str
        Of what could be installed at most.
    gap_m2, gap_kwp : float
        What is missing to the target; zero when attained.
    gap_roofs : int
        The gap in typical roofs of the scope.
    definitions : tuple of DefinitionResult
        Coverage of `kind` under every definition.
    """

    unit_id: str
    unit_name: str
    level: str
    target_id: str
    target: float
    year: int | None
    nature: str
    group_id: str
    group: Text
    reading: str
    cohort: str
    aggregation: str
    numerator: str
    denominator: str
    n_buildings: int
    n_unknown: int
    n_needs_survey: int
    kind: str
    installed: Interval
    planned: Interval
    potential: Interval
    attained: str
    attainable: str
    gap_m2: float
    gap_kwp: float
    gap_roofs: int
    definitions: tuple[DefinitionResult, ...]

    @property
    def label(self) -> Text:
        """The unit's name as outputs print it."""
        return unit_label({"unit_id": self.unit_id, "unit_name": self.unit_name, "level": self.level})

    @property
    def coverage(self) -> Interval:
        """Coverage that the target speaks of."""
        return self.installed if self.kind == "installed" else self.potential

    @property
    def kind_label(self) -> Text:
        """What the target speaks of, in words."""
        return Text("installed coverage", "已装覆盖率") if self.kind == "installed" else Text("potential", "潜力占比")

    @property
    def has_target(self) -> bool:
        """Whether the plan sets a value."""
        return not np.isnan(self.target)

    @property
    def certainty(self) -> Certainty:
        """``sure`` when no unknown building can change the verdict, ``open`` when one can, ``nothing`` without any."""
        if not self.coverage.known and not self.n_unknown:
            return "nothing"
        return "open" if self.attained == "unknown" else "sure"

    @property
    def flips(self) -> tuple[DefinitionResult, ...]:
        """Definitions under which the verdict is another."""
        return tuple(d for d in self.definitions if d.attained != self.attained and not d.is_default)

    @property
    def deciding(self) -> Text | None:
        """Which definitions give which verdict, where they differ; None where all agree or there is no target."""
        if not self.has_target or not self.coverage.known or not self.flips:
            return None
        parts = []
        for answer in ANSWERS:
            same = [d.short for d in self.definitions if d.attained == answer]
            if same:
                part = Text("{word} under {n} ({names})", "{word} {n} 种（{names}）")
                parts.append(part.format(word=verdict_of(answer, self.kind).text, n=len(same), names=Text.join(same)))
        return Text("of {n} definitions: {parts}", "{n} 种口径中，{parts}").format(
            n=len(self.definitions), parts=Text.join(parts, "; ", "；")
        )

    @property
    def verdict(self) -> Verdict:
        """Met or not, or why that cannot be said."""
        if not self.coverage.known:
            if self.n_buildings and self.kind == "installed":
                return Verdict.NOT_KNOWN
            return Verdict.UNDECIDED if self.n_unknown else Verdict.NO_BUILDING
        return verdict_of(self.attained, self.kind) if self.has_target else Verdict.NO_TARGET

    @property
    def by_how_much(self) -> Text:
        """Coverage against target, and the gap."""
        if not self.coverage.known:
            if self.n_buildings and self.kind == "installed":
                most = percent(self.coverage.high, "up")
                bound = Text("", "") if most == NONE else Text(f" (at most {most})", f"（至多 {most}）")
                return Text(
                    "no source states what is installed, so coverage cannot be computed{bound}",
                    "没有任何已装光伏数据，无法计算已装覆盖率{bound}",
                ).format(bound=bound)
            if self.n_unknown:
                n = count(self.n_unknown)
                return Text(
                    f"no building is known to be in scope; {n} may be (class or date unknown)",
                    f"没有确属范围的建筑；{n} 栋可能属于范围（类别或竣工时间不明）",
                )
            return Text("no building of the scope, so no coverage", "范围内无建筑，无覆盖率")
        against = self.target if self.has_target else None
        value = percent_range(self.coverage, against)
        what = self.kind_label
        if not self.has_target:
            return Text("{what} {value}", "{what} {value}").format(what=what, value=value)
        goal = percent(self.target)
        head = Text("{what} {value}, target {goal}", "{what} {value}，目标 {goal}").format(
            what=what, value=value, goal=goal
        )
        if not self.gap_m2 > 0:
            return head
        roofs = count(self.gap_roofs)
        alike = Text(f", {roofs} typical roof{_s(self.gap_roofs)} of the scope", f"，约相当于 {roofs} 栋同类典型屋顶")
        missing = Text("{head}; missing about {m2} of {part} or {kwp}", "{head}；尚缺{part}约 {m2}，折合 {kwp}").format(
            head=head,
            m2=Text.both(lambda lang: area(self.gap_m2, lang, 2, "up")),
            part=value_label("numerator", self.numerator),
            kwp=Text.both(lambda lang: capacity(self.gap_kwp, lang, 2, "up")),
        )
        return missing + (alike if self.gap_roofs else "")

    @property
    def how_sure(self) -> Text:
        """Whether missing facts or another definition could turn the verdict."""
        if not self.coverage.known:
            return Text("", "")
        first = self._unknowns
        flips = len(self.flips) if self.has_target else 0
        total = len(self.definitions)
        if not self.has_target or total < 2:
            return first
        if flips:
            return Text(
                "{first}; but {flips} of {total} definitions give another verdict",
                "{first}；但 {total} 种口径中有 {flips} 种结论不同",
            ).format(first=first, flips=flips, total=total)
        return Text("{first}; all {total} definitions agree", "{first}；{total} 种口径结论一致").format(
            first=first, total=total
        )

    @property
    def _unknowns(self) -> Text:
        n, m = count(self.n_unknown), count(self.n_needs_survey)
        en = [f"{n} building{_s(self.n_unknown)} of unknown class or date"] if self.n_unknown else []
        zh = [f"{n} 栋建筑类别或竣工时间不明"] if self.n_unknown else []
        if self.n_needs_survey:
            en.append(f"{m} roof{_s(self.n_needs_survey)} to be surveyed")
            zh.append(f"{m} 个屋顶能否安装待核实")
        if not en:
            return Text(
                "firm: class, date and structure of every building are known", "确定：类别、竣工时间与结构均已知"
            )
        if self.certainty == "open":
            return Text(f"open: {' and '.join(en)} decide", f"存疑：{'、'.join(zh)}，足以改变结论")
        return Text(f"firm: {' and '.join(en)} cannot turn it", f"确定：{'、'.join(zh)}，但不改变结论")

    @property
    def next_step(self) -> Text:
        """What to do, in one sentence."""
        if not self.coverage.known:
            if self.n_buildings and self.kind == "installed":
                return Text("collect the register of existing PV first", "先收集已装光伏台账")
            if self.n_unknown:
                n = count(self.n_unknown)
                return Text(
                    f"first verify the {n} open buildings (list To verify)", f"先核实 {n} 栋存疑建筑（见“待核实”）"
                )
            return Text("check the inputs: the scope holds no building", "核对输入数据：范围内无建筑")
        if not self.has_target:
            return Text("for information only", "仅供参考")
        best = percent(self.potential.central, against=self.target)
        if self.kind != "installed" and self.attained != "unknown":
            return Text("see the candidate roofs in their order", "见候选屋顶次序")
        if self.attained == "yes":
            return Text("keep the register of existing PV current", "保持已装光伏台账更新")
        if self.attained == "unknown":
            return Text(
                f"first verify the {count(self.n_unknown + self.n_needs_survey)} open buildings (list To verify)",
                f"先核实 {count(self.n_unknown + self.n_needs_survey)} 栋存疑建筑（见“待核实”）",
            )
        if self.attainable == "no":
            return Text(
                f"out of reach on these roofs: {best} at most under this definition",
                f"仅靠范围内屋顶无法达标：本口径下最多 {best}",
            )
        return Text(
            f"build on the candidate roofs in their order; the roofs allow up to {best}",
            f"按候选屋顶次序实施；屋顶潜力可达 {best}",
        )


def _s(n: int) -> str:
    return "" if n == 1 else "s"


def default_rows(coverage: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of the pack's own definition (of every unit, target, kind and group)."""
    return coverage[coverage["is_default"].fillna(False).astype(bool)]


def _value(row: pd.Series | None, name: str) -> float:
    if row is None:
        return NOT_A_NUMBER
    value = row[name]
    return NOT_A_NUMBER if pd.isna(value) else float(value)


def _range(row: pd.Series | None) -> Interval:
    return Interval(_value(row, "coverage_low"), _value(row, "coverage"), _value(row, "coverage_high"))


def findings(coverage: pd.DataFrame, pack: Pack | None) -> tuple[Finding, ...]:
    """Condense the coverage table to one finding per unit and target: the front group, the pack's own definition.

    Parameters
    ----------
    coverage : DataFrame
        ``tables.COVERAGE``.
    pack : Pack or None
        Without a pack there are no findings.

    Returns
    -------
    tuple of Finding
        Targets in the pack's order, units in the table's.
    """
    if pack is None or coverage.empty:
        return ()
    out: list[Finding] = []
    for indicator in pack.coverage:
        group = indicator.front
        of_group = coverage[coverage["building_group"] == group.id]
        for entry in indicator.targets:
            target_id = entry.id
            rows = (
                of_group[of_group["target_id"].isna()]
                if target_id is None
                else of_group[of_group["target_id"] == target_id]
            )
            front = default_rows(rows)
            for (level, unit_id), unit in front.groupby(list(UNIT_KEYS), sort=False):
                same_unit = rows[(rows["level"] == level) & (rows["unit_id"] == unit_id)]
                out.append(_finding(unit, same_unit, group))
    return tuple(out)


def _finding(front: pd.DataFrame, rows: pd.DataFrame, group: BuildingGroup) -> Finding:
    kinds = {str(row["kind"]): row for _, row in front.iterrows()}
    installed, potential, planned = (kinds.get(kind) for kind in ("installed", "potential", "planned"))
    lead = next(row for row in (installed, potential, planned) if row is not None)
    definitions = _definitions(rows, lead)
    kind = "installed" if installed is not None else "potential"
    year = lead["year"]
    return Finding(
        unit_id=str(lead["unit_id"]),
        unit_name=str(lead["unit_name"]) if not pd.isna(lead["unit_name"]) else str(lead["unit_id"]),
        level=str(lead["level"]),
        target_id="" if pd.isna(lead["target_id"]) else str(lead["target_id"]),
        target=_value(lead, "target"),
        year=None if pd.isna(year) else int(year),
        nature="unstated" if pd.isna(lead["target_nature"]) else str(lead["target_nature"]),
        group_id=group.id,
        group=group.label.text,
        reading=str(lead["scope_reading"]),
        cohort=str(lead["cohort"]),
        aggregation=str(lead["aggregation"]) if "aggregation" in lead else "pooled",
        numerator=str(lead["numerator"]),
        denominator=str(lead["denominator"]),
        n_buildings=int(lead["n_buildings"]),
        n_unknown=_count(lead, "n_unknown"),
        n_needs_survey=_count(lead, "n_needs_survey"),
        kind=kind,
        installed=_range(installed),
        planned=_range(planned),
        potential=_range(potential),
        attained=_answer(lead),
        attainable="unknown" if potential is None else _answer(potential),
        gap_m2=max(np.nan_to_num(_value(lead, "gap_m2")), 0.0),
        gap_kwp=max(np.nan_to_num(_value(lead, "gap_kwp")), 0.0),
        gap_roofs=_count(lead, "gap_roofs"),
        definitions=definitions,
    )


def _answer(row: pd.Series) -> str:
    """Return ``yes``, ``no`` or ``unknown`` (also where the table says nothing)."""
    value = row["attained"]
    return "unknown" if pd.isna(value) else str(value)


def _count(row: pd.Series, name: str) -> int:
    return 0 if name not in row or pd.isna(row[name]) else int(row[name])


def _definitions(rows: pd.DataFrame, lead: pd.Series) -> tuple[DefinitionResult, ...]:
    keys = ("kind", "scope_reading", "cohort", *(("aggregation",) if "aggregation" in rows else ()))
    same = rows
    for key in keys:
        same = same[same[key] == lead[key]]
    return tuple(
        DefinitionResult(
            numerator=str(row["numerator"]),
            denominator=str(row["denominator"]),
            coverage=_range(row),
            attained=_answer(row),
            is_default=bool(row["is_default"]),
            kind=str(row["kind"]),
        )
        for _, row in same.iterrows()
    )
