"""Texts composed in both languages at once, and notices that count."""

from __future__ import annotations

import ast
from pathlib import Path
from string import Formatter

import numpy as np
import pandas as pd
import pytest

from rooftop.core.lang import Text
from rooftop.core.notices import Notice

ROWS = Text("{n} rows are odd", "有 {n} 行异常")


def test_texts_are_composed_in_both_languages() -> None:
    what = Text("roof", "屋顶")
    assert what + Text("s", "群") + "!" == Text("roofs!", "屋顶群!")
    assert Text.join([what, "3", what]) == Text("roof, 3, roof", "屋顶、3、屋顶")
    assert Text.join([what, what], "; ", "；") == Text("roof; roof", "屋顶；屋顶") and Text.join([]) == Text("", "")
    said = Text("{what} of {area:.1f} m²", "{area:.0f} ㎡的{what}").format(what=what, area=12.34)
    assert said == Text("roof of 12.3 m²", "12 ㎡的屋顶")


def test_amounts_and_beginnings_of_lines_in_both_languages() -> None:
    assert Text.both(lambda lang: f"1 {lang}") == Text("1 en", "1 zh")
    assert Text("a roof of 3 m²", "kWh 与屋顶").capitalised() == Text("A roof of 3 m²", "kWh 与屋顶")
    assert Text("", "").capitalised() == Text("", "")


def test_braces_of_values_are_not_read() -> None:
    odd = Text("{n}{0}", "{x}")
    assert Text("{name}: {what}", "{name}：{what}").format(name="a{b}", what=odd) == Text("a{b}: {n}{0}", "a{b}：{x}")


@pytest.mark.parametrize(
    ("which", "names", "n", "examples"),
    [
        (np.array([False, True, True]), None, 2, ("1", "2")),
        (pd.Series([True, False, True]), ["a", "b", "c"], 2, ("a", "c")),
        (pd.Series([True, False, True], dtype="bool[pyarrow]"), None, 2, ("0", "2")),
        (pd.Series([True, False, True], dtype="boolean"), pd.Series(["a", "b", "c"], index=[5, 6, 7]), 2, ("a", "c")),
        (np.ones(9, dtype=bool), np.arange(9) * 10, 9, ("0", "10", "20", "30", "40")),
        (list("abcdefg"), None, 7, ("a", "b", "c", "d", "e")),
        (np.array([4, 5]), None, 2, ("4", "5")),
        (3, None, 3, ()),
        (np.int64(3), None, 3, ()),
    ],
)
def test_a_notice_counts_and_names_the_first_five(
    which: object, names: object, n: int, examples: tuple[str, ...]
) -> None:
    (notice,) = Notice.counted("odd", which, ROWS, names=names, severity="info", source="a.csv")
    assert notice == Notice("odd", Text(f"{n} rows are odd", f"有 {n} 行异常"), n, "info", "a.csv", examples)


@pytest.mark.parametrize("nothing", [0, [], np.zeros(3, dtype=bool), pd.Series([False], dtype="boolean")])
def test_what_is_not_there_is_no_notice(nothing: object) -> None:
    assert Notice.counted("odd", nothing, ROWS) == ()


def test_no_text_is_taken_apart(repo: Path) -> None:
    """A text is made of texts: `en` and `zh` are read where texts and labels are defined, and picked to be shown."""
    folder = repo / "src" / "rooftop"
    apart, picked = set(), []
    for path in sorted(folder.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute) and node.attr in ("en", "zh"):
                apart.add(path.relative_to(folder).as_posix())
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Text":
                parts = [part for side in node.args for part in ast.walk(side)]
                if any(isinstance(part, ast.Attribute) and part.attr == "pick" for part in parts):
                    picked.append((path.name, node.lineno))
    assert apart == {"core/lang.py", "core/datamodel.py"} and not picked


def test_every_template_names_its_values(repo: Path) -> None:
    seen = 0
    for path in sorted((repo / "src").rglob("*.py")):
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr == "format"):
                continue
            text = call.func.value
            if not (isinstance(text, ast.Call) and isinstance(text.func, ast.Name) and text.func.id == "Text"):
                continue
            assert not any(isinstance(side, ast.JoinedStr) for side in text.args), (path.name, call.lineno)
            given, seen = {keyword.arg for keyword in call.keywords}, seen + 1
            used = [{part[1] for part in Formatter().parse(ast.literal_eval(side)) if part[1]} for side in text.args]
            assert used[0] | used[1] == given, (path.name, call.lineno)
    assert seen > 50
