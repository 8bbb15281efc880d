"""Whether land-use codes are those of the standard named: codes alone cannot tell, what stands on them can."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import pandas as pd

from rooftop.core.errors import InputError
from rooftop.core.lang import Text
from rooftop.core.notices import Notice
from rooftop.inputs.attributes import fold_text
from rooftop.inputs.land_use_codes import LandClass, inference, land_use_rules, standard_name, takes_unlisted

_TELLING = ("high", "medium")


def check_standard(codes: pd.Series, standard: str, where: str) -> list[Notice]:
    """Compare how many buildings each standard explains.

    Under the right standard nearly all buildings stand where buildings stand; under a wrong one they stand on railways
    (1001), rivers (1101) or codes that do not exist.

    Parameters
    ----------
    codes : Series of str
        Code under each building.
    standard : str
        The one named.
    where : str
        File.

    Raises
    ------
    InputError
        The named standard explains few of the buildings, another one most.
    """
    rules = land_use_rules()
    limits = rules.fit
    if codes.empty:
        return []
    counts = codes.astype(str).value_counts()
    fit = {}
    for name in rules.standards:
        inferences = {code: inference(name, str(code)) for code in counts.index}
        explained = [
            n for code, n in counts.items() if (i := inferences[str(code)]) is not None and i.confidence in _TELLING
        ]
        fit[name] = sum(explained) / int(counts.sum())
    share = fit[standard]
    best = max((name for name in fit if name != standard), key=lambda name: fit[name])
    examples = tuple(f"{code} ({n})" for code, n in sorted(counts.items(), key=lambda i: (-i[1], str(i[0])))[:5])
    if share < limits.refuse_below and fit[best] >= limits.refuse_other:
        raise _other_standard_error(standard, best, share, fit[best], examples, where)
    if fit[best] - share <= limits.warn_gain:
        return []
    a, b = standard_name(standard), standard_name(best)
    text = Text(
        "{a} explains the land of {share:.0%} of the buildings, {b} that of {best_share:.0%}: is it the right one?",
        "按“{a}”可解释 {share:.0%} 的建筑所在地类，按“{b}”为 {best_share:.0%}：请核对所用标准",
    ).format(a=a, b=b, share=share, best_share=fit[best])
    return [Notice("land_use_standard_doubtful", text, int(counts.sum()), source=where, examples=examples)]


def check_names(codes: pd.Series, names: pd.Series, standard: str, where: str) -> list[Notice]:
    """Compare the names beside the codes with the standard's.

    Raises
    ------
    InputError
        Most names are another standard's.
    """
    rules = land_use_rules()
    known = codes.notna() & names.notna()
    pairs = pd.DataFrame({"code": codes[known], "name": names[known]})
    wrong = {name: _mismatch(pairs, entry.codes) for name, entry in rules.standards.items()}
    share, examples = wrong[standard]
    if share <= rules.fit.name_warn:
        return []
    best = min((name for name in wrong if name != standard), key=lambda name: wrong[name][0])
    if share >= rules.fit.name_refuse and wrong[best][0] < share / 2:
        raise _other_standard_error(standard, best, 1.0 - share, 1.0 - wrong[best][0], examples, where)
    a = standard_name(standard)
    text = Text(
        "{share:.0%} of the class names differ from those of {a}: is it the right standard?",
        "{share:.0%} 的地类名称与“{a}”不符：请核对所用标准",
    ).format(share=share, a=a)
    return [Notice("land_use_names_differ", text, len(pairs), source=where, examples=examples)]


def _mismatch(pairs: pd.DataFrame, table: Mapping[str, LandClass]) -> tuple[float, tuple[str, ...]]:
    """Return the share of rows whose name is not the table's, and the commonest of them; rows of other codes too."""
    if pairs.empty:
        return 0.0, ()
    wrong: dict[str, int] = {}
    total = 0
    counts = Counter(zip(pairs["code"].astype(str), pairs["name"].astype(str), strict=True))
    for (code, name), n in sorted(counts.items()):
        if code not in table and _below_an_entry(code, table):
            continue  # a subclass has a name of its own
        total += n
        meant = table[code].name if code in table else "—"
        stated, listed = (fold_text(text).replace("用地", "") for text in (name, meant))
        if not (stated in listed or listed in stated):
            wrong[f"{code} {name} ≠ {meant} ({n})"] = n
    ranked = sorted(wrong.items(), key=lambda item: (-item[1], item[0]))
    return (sum(wrong.values()) / total if total else 0.0), tuple(text for text, _ in ranked[:5])


def _below_an_entry(code: str, table: Mapping[str, LandClass]) -> bool:
    listed = any(len(known) >= 4 and code.startswith(known) for known in table)
    return listed or (code[:2] in table and takes_unlisted(code[:2], table))


def _other_standard_error(
    standard: str, best: str, share: float, best_share: float, examples: tuple[str, ...], where: str
) -> InputError:
    a, b = standard_name(standard), standard_name(best)
    return InputError(
        Text("the land-use codes are those of another standard", "地类代码属于另一标准"),
        where=Text(f"inputs.land_use.standard ({where})", f"inputs.land_use.standard（{where}）"),
        found=Text(
            f"{standard} fits {share:.0%}, {best} {best_share:.0%}; codes: {', '.join(examples)}",
            f"{standard} 仅符合 {share:.0%}，{best} 符合 {best_share:.0%}；代码：{'、'.join(examples)}",
        ),
        expected=Text("codes of {a}", "“{a}”的代码").format(a=a),
        mend=Text("set standard: {best} ({b})", "请设置 standard: {best}（{b}）").format(best=best, b=b),
    )
