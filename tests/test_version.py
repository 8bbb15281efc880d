"""The version is one, wherever it is asked for."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from importlib import metadata, resources
from pathlib import Path

import yaml

import rooftop

ROOT = Path(__file__).parents[1]


def test_library_program_and_citation_say_the_same() -> None:
    said = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    assert rooftop.__version__ == metadata.version("rooftop") == said
    shown = subprocess.run([sys.executable, "-m", "rooftop", "--version"], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == f"rooftop {said}"
    assert yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))["version"] == said


def test_type_checkers_are_told_that_the_package_is_typed() -> None:
    assert (resources.files(rooftop) / "py.typed").is_file()
