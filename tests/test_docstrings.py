"""A public name says what each of its parameters is."""

from __future__ import annotations

import inspect
import re

import pytest

import rooftop

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
