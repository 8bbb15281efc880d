"""Every public function has an example that runs, in its docstring and on the page of the library."""

from __future__ import annotations

import doctest
import inspect
import re
from pathlib import Path
from typing import Any

import pytest

import rooftop
from rooftop.job import pipeline

FUNCTIONS = sorted(name for name in rooftop.__all__ if inspect.isfunction(getattr(rooftop, name)))
BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)


_done: dict[tuple[object, ...], rooftop.RunResult] = {}


@pytest.fixture(autouse=True)
def own_place(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Examples write where they stand; the two that run the whole job share one run."""

    def run_once(config: Path, out: str, **more: Any) -> rooftop.RunResult:
        key = (config, *more.items())
        if key not in _done:
            _done[key] = pipeline.run(config, out=tmp_path_factory.mktemp("run"), **more)
        return _done[key]

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setitem(vars(rooftop), "run", run_once)


def test_there_are_functions() -> None:
    wanted = {"horizons", "hourly_yield", "irradiation", "irradiation_raster", "pv_energy", "read_weather", "run"}
    assert wanted | {"monthly_irradiation", "sky_view", "sky_view_raster"} <= set(FUNCTIONS)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_docstring_example_runs(name: str) -> None:
    function = pipeline.run if name == "run" else getattr(rooftop, name)
    tests = [test for test in doctest.DocTestFinder(recurse=False).find(function, name) if test.examples]
    assert tests, f"rooftop.{name} has no example"
    said: list[str] = []
    for test in tests:
        doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE).run(test, out=said.append)
    assert not said, "".join(said)


@pytest.mark.parametrize("name", rooftop.__all__)
def test_everything_public_says_what_it_is(name: str, repo: Path) -> None:
    about = inspect.getdoc(pipeline.run if name == "run" else getattr(rooftop, name))
    assert about and len(about.splitlines()) > 5
    assert f"`{name}" in (repo / "docs" / "api.md").read_text(encoding="utf-8")


def test_the_page_of_the_library_runs(repo: Path) -> None:
    """Its blocks build on each other, from top to bottom."""
    text = (repo / "docs" / "api.md").read_text(encoding="utf-8")
    blocks = BLOCK.findall(text)
    assert len(blocks) >= 8
    assert text.count("```") == 2 * len(blocks)
    names: dict[str, object] = {}
    for number, block in enumerate(blocks, 1):
        exec(compile(block, f"docs/api.md, block {number}", "exec"), names)
