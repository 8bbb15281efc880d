"""Shipped YAML: one dialect with users' files, one typed door for each file."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path

import pytest
from pydantic import BaseModel, RootModel, ValidationError

import rooftop
from rooftop.core.datamodel import Model
from rooftop.core.resources import configs_dir, load_shipped
from rooftop.core.yamlfile import load_trusted_yaml, load_yaml

FILES = [path.relative_to(configs_dir()) for path in sorted(configs_dir().rglob("*.yaml"))]
SOURCES = Path(rooftop.__file__).parent
DOOR = re.compile(r'\bload_shipped\((\w+), "([\w./]+)"\)')
FOLDERS = {"modules": "solar/pvsystem.py", "policies": "targets/packs.py"}
"""Folders of files that are read as users' own are: the module whose loader reads them."""


def doors() -> list[tuple[str, type[BaseModel]]]:
    """Return file and model of every call of `load_shipped`."""
    found = []
    for path in sorted(SOURCES.rglob("*.py")):
        for model, file in DOOR.findall(path.read_text(encoding="utf-8")):
            name = ".".join(("rooftop", *path.relative_to(SOURCES).with_suffix("").parts))
            found.append((file, getattr(import_module(name), model)))
    return found


DOORS = doors()


@pytest.mark.parametrize("name", FILES, ids=str)
def test_shipped_files_are_read_as_users_files_are(name: Path) -> None:
    assert load_trusted_yaml(configs_dir() / name) == load_yaml(configs_dir() / name).data


def test_the_dialect_is_yaml_1_2_with_dates(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text("{a: yes, b: off, c: 0123, d: 12:30, e: true, f: 1_000, g: 7, h: 1.5, i: null}", encoding="utf-8")
    wanted = {"a": "yes", "b": "off", "c": "0123", "d": "12:30", "e": True, "f": "1_000", "g": 7, "h": 1.5, "i": None}
    assert load_trusted_yaml(path) == load_yaml(path).data == wanted


def test_every_file_has_exactly_one_door() -> None:
    assert sorted(file for file, _ in DOORS) == [str(file) for file in FILES if len(file.parts) == 1]
    assert {file.parts[0] for file in FILES if len(file.parts) > 1} == set(FOLDERS)


def test_no_file_is_read_past_its_door() -> None:
    texts = {path.relative_to(SOURCES).as_posix(): path.read_text(encoding="utf-8") for path in SOURCES.rglob("*.py")}
    calls = sum(len(re.findall(r"(?<!def )\bload_shipped\(", text)) for text in texts.values())
    assert calls == len(DOORS), "a call whose file and model are not written out"
    assert {name for name, text in texts.items() if "load_trusted_yaml(" in text} == {
        "core/resources.py",
        "core/yamlfile.py",
    }
    assert {name for name, text in texts.items() if "configs_dir()" in text} == {"core/resources.py", *FOLDERS.values()}
    for folder, owner in FOLDERS.items():
        assert {name for name, text in texts.items() if f'configs_dir() / "{folder}"' in text} == {owner}


@pytest.mark.parametrize(("file", "model"), DOORS, ids=[file for file, _ in DOORS])
def test_a_file_is_checked_once_and_refuses_what_it_does_not_know(file: str, model: type[BaseModel]) -> None:
    assert issubclass(model, Model | RootModel)
    assert load_shipped(model, file) is load_shipped(model, file)
    with pytest.raises(ValidationError):
        model.model_validate(load_trusted_yaml(configs_dir() / file) | {"misspelt": 1})
