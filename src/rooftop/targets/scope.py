"""Which buildings a target speaks of: yes, no, or not known where a fact it depends on is not known."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rooftop.core.types import F8
from rooftop.core.vocabularies import building_uses
from rooftop.inputs.land_use_codes import land_use_rules
from rooftop.inputs.use_rules import use_rules
from rooftop.targets.columns import carries_reason, numeric_column
from rooftop.targets.coverage_rules import coverage_rules
from rooftop.targets.models import Pack, PlanPeriod, Scope, YearSpan

NO, UNKNOWN, PRESUMED, YES = 0, 1, 2, 3
_OTHER_OWNER = "\0other"
_NOT_YET = 9999.0
INFERRED = ("land_use:", "rule:")
UNFINISHED = "under_construction"
"""Reason of roofs whose building is not completed."""


@dataclass(frozen=True)
class Facts:
    """What is known of n buildings, said once for all that are alike.

    Parameters
    ----------
    kinds : tuple of (str, str, str, str or None, bool)
        Building use (``unknown`` where missing), what it is presumed from (``code:…``, ``land_use:…``, ``rule:…``, else
        empty), public institution (yes | no | unknown), owner type (None where missing), and whether the ownership is
        presumed with the use.
    kind : ndarray of int, shape (n,)
        Row of `kinds`.
    year : ndarray of float, shape (n,)
        Year of completion; NaN where it is unknown.
    """

    kinds: tuple[tuple[str, str, str, str | None, bool], ...]
    kind: NDArray[np.intp]
    year: F8


def completion_year(roofs: pd.DataFrame) -> pd.Series:
    """Return the year of completion: of `completion_date` where it has one, else `year_built`, else NaN.

    A building that the data call under construction, without a year, is completed in none: its year is 9999.

    Parameters
    ----------
    roofs : DataFrame
        With `completion_date` (text that starts with four digits), `year_built`, and `reasons` where there are any.
    """
    date = roofs["completion_date"].astype("string").str.extract(r"^\s*(\d{4})(?!\d)", expand=False)
    from_date, built = numeric_column(date.to_frame("date"), "date"), numeric_column(roofs, "year_built")
    year = np.where(np.isnan(from_date), built, from_date)
    year = np.where(np.isnan(year) & carries_reason(roofs, [UNFINISHED]), _NOT_YET, year)
    return pd.Series(year, index=roofs.index, name="completion_year")


def mark_new(roofs: pd.DataFrame, pack: Pack) -> pd.Series:
    """Say which buildings are new: completed within the plan's period.

    Parameters
    ----------
    roofs : DataFrame
        With `completion_date` and `year_built`; the date wins over the year.
    pack : Pack

    Returns
    -------
    Series of str
        ``yes``, ``no``, or ``unknown`` where neither date nor year is known; the index of `roofs`.
    """
    return pd.Series(_is_new(completion_year(roofs), pack.period), index=roofs.index, name="is_new", dtype="string")


def _is_new(year: pd.Series, period: PlanPeriod) -> NDArray[Any]:
    inside = (year >= period.start) & (year <= (_NOT_YET - 1.0 if period.end is None else period.end))
    return np.where(year.isna(), "unknown", np.where(inside, "yes", "no"))


def facts(roofs: pd.DataFrame) -> Facts:
    """Gather what scopes ask for from a table of roofs (`tables.ROOFS`, and ``public_source`` where it is there)."""
    names = ("building_use", "use_source", "is_public_institution", "owner_type", "presumed_public")
    text = roofs[list(names[:4])].astype("string").reset_index(drop=True)
    text["use_source"] = text["use_source"].where(text["use_source"].str.startswith(("code:", *INFERRED)))
    known = roofs["public_source"] if "public_source" in roofs else pd.Series(pd.NA, index=roofs.index)
    text["presumed_public"] = known.astype("string").reset_index(drop=True).isin([i.rstrip(":") for i in INFERRED])
    kind = text.groupby(list(names), sort=False, dropna=False).ngroup().to_numpy().astype(np.intp)
    first = text.iloc[np.unique(kind, return_index=True)[1]]
    kinds = tuple(
        (
            "unknown" if pd.isna(use) else str(use),
            "" if pd.isna(source) else str(source),
            "unknown" if pd.isna(public) else str(public),
            None if pd.isna(owner) else str(owner),
            bool(presumed),
        )
        for use, source, public, owner, presumed in first.itertuples(index=False)
    )
    return Facts(kinds, kind, completion_year(roofs).to_numpy())


def membership(scope: Scope, known: Facts, cohort: YearSpan | None) -> NDArray[np.int8]:
    """Evaluate a scope for every building.

    Every state a building may be in, given what is known of it, is tried: the answer is yes when all of them
    satisfy the scope, no when none does. This is exact where several unknowns meet; a logic of three values evaluated
    part by part is not (a building that is public or not public is certainly one of the two). A use taken from a code
    that covers several uses, from a name or from the land is a presumption, and so is an ownership that follows
    from it: it decides the central value, not the bounds.

    Parameters
    ----------
    scope : Scope
    known : Facts
    cohort : YearSpan or None
        The years that ``completed: cohort`` stands for; None: any age.

    Returns
    -------
    ndarray of int8
        `NO`, `UNKNOWN`, `PRESUMED` (yes if the recorded use is right, else not) or `YES`.
    """
    breaks = np.array(sorted({b for w in _windows(scope, cohort) for b in (w.start, w.end + 1)}), dtype=float)
    named = _owners(scope)
    # Years between two breaks are alike, so is every owner that the scope does not name: few cases remain.
    bucket = np.where(np.isnan(known.year), 0, 1 + np.searchsorted(breaks, known.year, side="right"))
    case = known.kind * (breaks.size + 2) + bucket.astype(np.intp)
    cases, code = np.unique(case, return_inverse=True)
    answers = np.zeros(cases.size, dtype=np.int8)
    for k, value in enumerate(cases.tolist()):
        use, source, public, owner, presumed = known.kinds[value // (breaks.size + 2)]
        unknown_owner = owner is None and bool(named)
        owners = sorted(named | {_OTHER_OWNER}) if unknown_owner else [owner if owner in named else _OTHER_OWNER]
        years = _bucket_years(value % (breaks.size + 2) - 1, breaks)
        truth: dict[bool, set[bool]] = {True: set(), False: set()}
        for (u, p), o, y in product(_use_states(use, source, "unknown" if presumed else public), owners, years):
            truth[u == use and (not presumed or p == public)].add(_holds(scope, u, p, str(o), y, cohort))
        answers[k] = _answer(recorded=truth[True], otherwise=truth[False])
    return answers[code.reshape(-1)]


def possible_uses(known: Facts) -> list[tuple[str, ...]]:
    """Return the uses that the buildings of each row of `Facts.kinds` may have in truth, in the vocabulary's order."""
    return [tuple(dict.fromkeys(use for use, _ in _use_states(*kind[:3]))) for kind in known.kinds]


def _answer(recorded: set[bool], otherwise: set[bool]) -> int:
    """Fold what holds if the recorded use is right, and what holds if it is not."""
    if True not in recorded | otherwise:
        return NO
    if False not in recorded | otherwise:
        return YES
    return PRESUMED if recorded == {True} else UNKNOWN


def _holds(scope: Scope, use: str, public: str, owner: str, year: float, cohort: YearSpan | None) -> bool:
    """Whether one completely known building satisfies a scope: every key of it must hold."""
    checks: list[bool] = []
    if scope.all is not None:
        checks.append(all(_holds(s, use, public, owner, year, cohort) for s in scope.all))
    if scope.any is not None:
        checks.append(any(_holds(s, use, public, owner, year, cohort) for s in scope.any))
    if scope.none is not None:
        checks.append(not any(_holds(s, use, public, owner, year, cohort) for s in scope.none))
    if scope.building_use is not None:
        checks.append(use in scope.building_use)
    if scope.is_public_institution is not None:
        checks.append(public == scope.is_public_institution)
    if scope.owner_type is not None:
        checks.append(owner in scope.owner_type)
    if scope.completed is not None:
        window = cohort if scope.completed == "cohort" else scope.completed
        checks.append(window is None or window.start <= year <= window.end)
    return all(checks)


@cache
def _code_uses() -> dict[tuple[str, str], list[str]]:
    """Uses that a code, a land use or a name may stand for, by source and the use that was taken."""
    out: dict[tuple[str, str], list[str]] = {}
    for standard, entry in land_use_rules().standards.items():
        for code, land in entry.codes.items():
            if land.uses:
                out[f"land_use:{standard}:{code}", land.uses[0]] = list(land.uses)
    for rule in use_rules().rules:
        out[f"rule:{rule.id}", rule.uses[0]] = list(rule.uses)
    for name, system in building_uses().codes.items():
        for code, uses in system.ambiguous.items():
            out.setdefault((f"code:{name}", system.map[code]), []).extend(uses)
    return out


@cache
def _use_states(use: str, source: str, public: str) -> tuple[tuple[str, str], ...]:
    """Pairs (use, public institution or not) that a building recorded as `use`, `public` may be in truth.

    A use that is never a public institution (`public_hint: no`) settles an unknown ownership, and a known public
    institution of unknown use is not of such a use; both facts recorded are taken at their word.
    """
    vocabulary, rules = building_uses().uses, coverage_rules()
    if use == "unknown" or use not in vocabulary:
        uses = [u for u in vocabulary if u != "unknown" and u not in rules.withheld_uses]
    else:
        recorded = rules.may_be[use].uses if use in rules.may_be else (use,)
        uses = _code_uses().get((source, use)) or list(recorded)
    states: list[tuple[str, str]] = []
    for candidate in uses:
        never_public = vocabulary[candidate].public_hint == "no"
        if public == "unknown":
            states += [(candidate, "no")] if never_public else [(candidate, "yes"), (candidate, "no")]
        elif not (public == "yes" and never_public and candidate != use):
            states.append((candidate, public))
    return tuple(states)


def _windows(scope: Scope, cohort: YearSpan | None) -> Iterator[YearSpan]:
    if scope.completed is not None:
        window = cohort if scope.completed == "cohort" else scope.completed
        if window is not None:
            yield window
    for part in (*(scope.all or ()), *(scope.any or ()), *(scope.none or ())):
        yield from _windows(part, cohort)


def _owners(scope: Scope) -> set[str]:
    parts = (*(scope.all or ()), *(scope.any or ()), *(scope.none or ()))
    return set(scope.owner_type or ()).union(*(_owners(part) for part in parts))


def _bucket_years(bucket: int, breaks: F8) -> list[float]:
    """One year for each bucket between breaks; -1 (unknown) may be any of them."""
    years = [breaks[0] - 1.0, *breaks] if breaks.size else [0.0]
    return [float(y) for y in (years if bucket < 0 else years[bucket : bucket + 1])]
