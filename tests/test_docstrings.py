"""A public name says what each of its parameters is."""

from __future__ import annotations

import ast
import inspect
import re
from pathlib import Path

import pytest

import rooftop

OTHERS = {"JSON", "pvlib", "pyogrio", "xarray"}

PUBLIC = [name for name in rooftop.__all__ if callable(getattr(rooftop, name))]


def _documented(doc: str) -> set[str]:
    """Names before the colon of each line of numpydoc's section of parameters."""
    section = re.search(r"^Parameters\n-+\n(.*?)(?=^\S[^\n]*\n-{3,}$|\Z)", doc, re.S | re.M)
    lines = [] if section is None else [line for line in section[1].splitlines() if line and not line[0].isspace()]
    return {name.strip().lstrip("*") for line in lines for name in line.split(" : ")[0].split(",")}


@pytest.mark.parametrize("name", PUBLIC)
def test_every_parameter_has_its_line_and_no_other(name: str) -> None:
    public = getattr(rooftop, name)
    if isinstance(public, type) and issubclass(public, Exception):
        pytest.skip("made by the package, never by who uses it")
    documented = _documented(inspect.getdoc(public) or "")
    assert documented == set(inspect.signature(public).parameters)


def test_the_reader_of_docstrings_sees_names_without_a_type_and_the_end_of_the_section() -> None:
    doc = "One.\n\nParameters\n----------\na, b : int\n    c : no name\n**more\n\nReturns\n-------\nd : int\n"
    assert _documented(doc) == {"a", "b", "more"}


def known_names(tree: ast.AST) -> set[str]:
    """Names that a module defines, assigns or takes."""
    names = set()
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name) | ast.Name(id=name) | ast.arg(arg=name):
                names.add(name)
            case ast.Attribute(attr=name):
                names.add(name)
    return names


def test_what_docstrings_point_to_is_there() -> None:
    package = Path(rooftop.__file__).parent
    trees = {path: ast.parse(path.read_text(encoding="utf-8")) for path in package.rglob("*.py")}
    known = {"rooftop", *(path.stem for path in trees), *(path.parent.name for path in trees)}
    known |= {name for tree in trees.values() for name in known_names(tree)}
    documented = ast.Module | ast.ClassDef | ast.FunctionDef
    seen = 0
    for path, tree in trees.items():
        for node in (node for node in ast.walk(tree) if isinstance(node, documented)):
            for name in re.findall(r"(?<!`)`([A-Za-z_][\w.]*)`(?!`)", ast.get_docstring(node) or ""):
                if name.partition(".")[0] not in OTHERS:
                    seen += 1
                    assert known.issuperset(name.split(".")), f"{path.name}: `{name}`"
    assert seen > 100
