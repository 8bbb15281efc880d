"""What `rooftop` offers is the same to Python, to `import *` and to type checkers."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import rooftop


def seen_by_type_checkers() -> dict[str, str]:
    """Public names and their modules, from the imports that only type checkers follow."""
    tree = ast.parse(Path(rooftop.__file__).read_text(encoding="utf-8"))
    (guard,) = [node for node in tree.body if isinstance(node, ast.If)]
    found = [node for node in guard.body if isinstance(node, ast.ImportFrom)]
    return {alias.asname: str(node.module) for node in found for alias in node.names if alias.asname == alias.name}


def test_every_name_is_known_to_type_checkers_and_nothing_else_is() -> None:
    assert seen_by_type_checkers() == rooftop._HOMES
    assert sorted(rooftop._HOMES) == rooftop.__all__ == dir(rooftop)


def test_every_name_is_there_and_others_are_not() -> None:
    for name in rooftop.__all__:
        assert getattr(rooftop, name).__name__ == name
    with pytest.raises(AttributeError, match="horizon"):
        rooftop.horizon  # noqa: B018
