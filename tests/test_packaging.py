"""What users install: the wheel carries packs, modules and the example; rooms import only what they may."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
import yaml

import rooftop
from rooftop.config import Config
from rooftop.core.resources import configs_dir, demo_dir
from rooftop.core.yamlfile import load_trusted_yaml

PACKAGE = Path(rooftop.__file__).resolve().parent
HEAVY = (
    "pvlib",
    "geopandas",
    "matplotlib",
    "folium",
    "numba",
    "rasterio",
    "pyogrio",
    "scipy",
    "pyarrow",
    "distributed",
    "laspy",
)


def modules_under(room: str) -> list[Path]:
    place = PACKAGE / room
    return sorted(place.rglob("*.py")) if place.is_dir() else [place.with_suffix(".py")]


def library_files() -> list[Path]:
    """Every module but the command line's."""
    cli = {PACKAGE / "cli", PACKAGE / "cli.py"}
    data = PACKAGE / "_data"
    return [p for p in sorted(PACKAGE.rglob("*.py")) if not cli & {p, *p.parents} and data not in p.parents]


def imported(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module or "")
    return names


def test_packs_modules_and_example_travel() -> None:
    assert (configs_dir() / "policies" / "lianyungang.yaml").is_file()
    assert list((configs_dir() / "modules").glob("*.yaml"))
    for path in sorted(configs_dir().rglob("*.yaml")):
        assert load_trusted_yaml(path), path
    config = yaml.safe_load((demo_dir() / "rooftop.yaml").read_text(encoding="utf-8"))
    assert Config.model_validate(config).synthetic
    assert {"footprints.gpkg", "ghi_monthly.tif", "dtm.tif", "generate.py"} <= {p.name for p in demo_dir().iterdir()}


def test_installed_data_are_those_of_the_checkout(repo: Path) -> None:
    if demo_dir() == repo / "data" / "demo":
        pytest.skip("an editable install reads the checkout itself")
    for ours, theirs in ((repo / "configs", configs_dir()), (repo / "data" / "demo", demo_dir())):
        names = [p.relative_to(ours) for p in ours.rglob("*") if p.is_file() and "__pycache__" not in p.parts]
        assert names
        for name in names:
            assert (ours / name).read_bytes() == (theirs / name).read_bytes(), name


def test_metadata_names_the_licence(repo: Path) -> None:
    about = metadata.metadata("rooftop")
    assert about["License-Expression"] == "Apache-2.0"
    assert about["Requires-Python"] == ">=3.11"
    text = (repo / "LICENSE").read_text(encoding="utf-8")
    assert "Apache License" in text and "END OF TERMS AND CONDITIONS" in text


def test_the_lock_pins_every_dependency(repo: Path) -> None:
    project = tomllib.loads((repo / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = [*project["dependencies"], *project["optional-dependencies"]["app"]]
    for lock in ("requirements.lock", "requirements-dev.lock"):
        pinned = {
            m.lower() for m in re.findall(r"^([A-Za-z0-9._-]+)==", (repo / lock).read_text(encoding="utf-8"), re.M)
        }
        names = {re.match(r"[A-Za-z0-9._-]+", requirement).group().lower() for requirement in wanted}
        assert names <= pinned, names - pinned


def test_kernels_import_numpy_math_and_numba_only() -> None:
    naming_types = {"__future__", "typing", "collections", "dataclasses"}
    for path in modules_under("kernels"):
        others = {name for name in imported(path) if not name.startswith("rooftop.kernels")} - {
            "rooftop.core.types",
            "rooftop.core.surfaces",
        }
        roots = {name.split(".")[0] for name in others}
        assert roots <= {"numpy", "math", "numba"} | naming_types, (path, roots)


def test_dask_is_known_to_batch_only() -> None:
    batch = {PACKAGE / "job" / "batch.py"}
    for path in library_files():
        roots = {name.split(".")[0] for name in imported(path)}
        assert batch & {path, *path.parents} or not roots & {"dask", "distributed"}, path


def test_environment_variables_are_read_in_cli_only() -> None:
    for path in library_files():
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"\bos\.(environ|getenv)\b|from os import .*\b(environ|getenv)\b", text), path


def test_libraries_do_not_print() -> None:
    for path in library_files():
        calls = [n for n in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(n, ast.Call)]
        assert not [c for c in calls if isinstance(c.func, ast.Name) and c.func.id == "print"], path


def test_starting_imports_nothing_heavy() -> None:
    code = f"import sys, rooftop.cli; print([m for m in {HEAVY!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_command_is_installed() -> None:
    command = Path(sys.executable).parent / ("rooftop.exe" if sys.platform == "win32" else "rooftop")
    done = subprocess.run([command, "--help"], capture_output=True, text=True, check=True)
    for name in ("demo", "init", "check", "run", "map", "report", "candidates", "targets", "schema", "doctor"):
        assert name in done.stdout


def test_how_to_call_the_program_is_said_where_people_look(repo: Path) -> None:
    for name in ("README.md", "README.zh.md"):
        text = (repo / name).read_text(encoding="utf-8")
        for call in (
            ".venv/bin/rooftop ",
            ". .venv/bin/activate",
            ".venv\\Scripts\\rooftop ",
            "Activate.ps1",
            "activate.bat",
        ):
            assert call in text, (name, call)
    if shutil.which("make") is None:
        pytest.skip("no make here")
    done = subprocess.run(
        ["make", "-n", "-o", ".venv/.core", "demo"],
        cwd=repo,
        capture_output=True,
        text=True,
        check=True,
        encoding="utf-8",
    )
    last = done.stdout.splitlines()[-4:]
    assert f"{repo}/.venv/bin/rooftop --help" in last[0] and f"{repo}/.venv/bin/activate" in last[1]
    assert "程序路径" in last[2] and "activate" in last[3]
