"""The library without the application: what kernels and public functions need is enough for all but `run`."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

MODULES = {"xstatic-leaflet": "xstatic", "xstatic-jquery": "xstatic"}

HIDE = """
import sys
class Hidden:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {hidden!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Hidden())
import rooftop
"""


@pytest.fixture(scope="module")
def extras(repo: Path) -> dict[str, list[str]]:
    """The extras of the package."""
    project: dict[str, Any] = tomllib.loads((repo / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return project["optional-dependencies"]


@pytest.fixture(scope="module")
def hide(extras: dict[str, list[str]]) -> str:
    """Program text that hides the packages of the extra `app`, and imports `rooftop`."""
    names = [re.split(r"[\[<>=!~ ]", requirement)[0].lower() for requirement in extras["app"]]
    assert {"geopandas", "rasterio", "typer"} <= set(names)
    return HIDE.format(hidden={MODULES.get(name, name) for name in names})


def run(program: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", program],
        cwd=folder,
        env={**os.environ, "PYTHONIOENCODING": "utf-8", **environment},
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=600,
    )


def test_the_page_of_the_library_runs_without_the_application(hide: str, repo: Path, tmp_path: Path) -> None:
    page = (repo / "docs" / "api.md").read_text(encoding="utf-8")
    blocks = [b for b in re.findall(r"^```python\n(.*?)^```", page, re.M | re.S) if "DataArray" not in b]
    alone = [block for block in blocks if "rooftop.run(" not in block and "result." not in block]
    assert len(alone) > 6
    done = run(hide + "".join(alone), tmp_path)
    assert done.returncode == 0, done.stderr


def test_run_names_what_is_missing(hide: str, tmp_path: Path) -> None:
    done = run(hide + "rooftop.run", tmp_path)
    assert "NotInstalledError: rooftop.run needs the application" in done.stderr
    done = run(hide + "try:\n    rooftop.run\nexcept ImportError as error:\n    print(error.render('en'))", tmp_path)
    assert 'pip install ".[app]"' in done.stdout


@pytest.mark.parametrize(("lang", "word"), [("en", "needs the application"), ("zh", "需要安装应用组件")])
def test_the_command_names_what_is_missing(hide: str, tmp_path: Path, lang: str, word: str) -> None:
    done = run(hide + "from rooftop.cli import main; main()", tmp_path, ROOFTOP_LANG=lang)
    assert done.returncode == 2
    assert word in done.stderr and "Traceback" not in done.stderr


def test_a_command_that_meets_a_missing_package_later_names_it_too(demo: Path, tmp_path: Path) -> None:
    program = HIDE.format(hidden={"geopandas"})
    program += f"sys.argv = ['rooftop', 'run', {str(demo / 'rooftop.yaml')!r}, '-o', 'out']\n"
    done = run(program + "from rooftop.cli import main; main()", tmp_path, ROOFTOP_LANG="en")
    assert done.returncode == 2
    assert "geopandas is not installed" in done.stderr and "it broke" not in done.stderr


@pytest.mark.parametrize("extra", ["dask", "lidar", "dev"])
def test_what_serves_the_application_brings_it(extras: dict[str, list[str]], extra: str) -> None:
    assert "rooftop[app]" in extras[extra]
