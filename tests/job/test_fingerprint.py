"""What tiles are kept under: every field of what a tile is given, the files it reads, and the program itself."""

from __future__ import annotations

import copy
import dataclasses
import datetime
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import shapely
from pydantic import BaseModel

import rooftop
import small_town
from rooftop.config import SceneOptions
from rooftop.core import resources
from rooftop.core.fingerprint import digest_of
from rooftop.core.lang import Text
from rooftop.core.notices import Notice, Provenance
from rooftop.job.batch import fingerprint
from rooftop.job.light import TableBook
from rooftop.job.prepare import prepare
from rooftop.job.scene import Scene
from rooftop.job.sources import read_sources
from rooftop.job.tile import compute_tile

LEFT_OUT = {"notices", "path"}  # words about a file; where a file lies


@pytest.fixture(scope="module")
def ready(tmp_path_factory: pytest.TempPathFactory) -> tuple[Scene, TableBook]:
    """A scene that has everything that one can have: terrain, surface model, known planes, modules with places."""
    folder = tmp_path_factory.mktemp("town")
    table = small_town.buildings()
    small_town.elevation(folder / "dtm.tif", lambda x, y: np.full(x.shape, 50.0))
    small_town.elevation(folder / "dsm.tif", lambda x, y: small_town.surface(x, y, table["h"]))
    path = small_town.write(table, folder / "b.gpkg")
    config = small_town.config(folder, path, dtm={"path": folder / "dtm.tif"}, dsm={"path": folder / "dsm.tif"})
    prepared = prepare(config, read_sources(config), np.ones(len(table), dtype=bool), None)
    return prepared.scene, prepared.book


def other(value: Any) -> Any:
    """A value of the same kind that is not the same."""
    if value is None:
        return 1.0
    if isinstance(value, bool | np.bool_):
        return not value
    if isinstance(value, str):
        return value + "?"
    if isinstance(value, int | float):
        return value + 1 if value == value else 1.0
    if isinstance(value, Path):
        changed = value.with_name(f"other_{value.name}")
        changed.write_bytes(value.read_bytes() + b"?")
        return changed
    if isinstance(value, tuple | list):
        return type(value)([*value[:-1], other(value[-1])]) if value else type(value)([1])
    if isinstance(value, dict):
        return dict(list(value.items())[1:]) if value else {"a": "b"}
    if isinstance(value, pd.DataFrame):
        return value.assign(**{str(value.columns[0]): value.iloc[::-1, 0].to_numpy() + 1})
    if isinstance(value, pd.DatetimeIndex):
        return value + pd.Timedelta(minutes=1)
    if isinstance(value, np.ndarray) and value.dtype == object:
        return np.concatenate([value[:-1], [shapely.Point(0, 0).buffer(1.0)]])
    if isinstance(value, np.ndarray):
        array = value.copy()
        array.flat[-1] = not array.flat[-1] if value.dtype == bool else array.flat[-1] + 1
        return array
    if isinstance(value, BaseModel):
        name = next(iter(type(value).model_fields))
        return value.model_copy(update={name: other(getattr(value, name))})
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        name = dataclasses.fields(value)[0].name
        return with_field(value, name, other(getattr(value, name)))
    return type(value)(32650)  # a CRS


def with_field(value: Any, name: str, changed: Any) -> Any:
    """A dataclass with another value, whether or not that is a possible one."""
    out = copy.copy(value)
    object.__setattr__(out, name, changed)
    return out


def variants(value: Any, place: str = "") -> Iterator[tuple[str, Any]]:
    """Every field of a dataclass or a model changed, one at a time, to any depth; every column of a table."""
    if isinstance(value, pd.DataFrame):
        for name in value:
            yield f"{place}.{name}", value.assign(**{str(name): value[name].iloc[::-1].to_numpy()}).drop(columns=name)
        return
    if isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield f"{place}.{name}", value.model_copy(update={name: other(getattr(value, name))})
        return
    if not dataclasses.is_dataclass(value) or isinstance(value, type):
        return
    for field in dataclasses.fields(value):
        if field.name.startswith("_") or field.name in LEFT_OUT:
            continue
        inner = getattr(value, field.name)
        deeper = list(variants(inner, f"{place}.{field.name}")) or [(f"{place}.{field.name}", other(inner))]
        for name, changed in deeper:
            yield name, with_field(value, field.name, changed)


def test_every_field_of_what_a_tile_reads_is_in_the_key(ready: tuple[Scene, TableBook]) -> None:
    scene, book = ready
    keys = {"as it is": fingerprint(scene, book)}
    for name, changed in variants(scene, "scene"):
        keys[name] = fingerprint(changed, book)
    for name, changed in variants(book, "book"):
        keys[name] = fingerprint(scene, changed)
    assert len(keys) > 100
    assert {"scene.blocks.base_m", "scene.dsm.offset", "scene.far.grid.row0", "scene.planes.known", "book.sky.ghi",
            "book.system.module.gamma_pdc", "scene.options.diffuse", "scene.dsm.sharp"} <= set(keys)  # fmt: skip
    seen: dict[str, str] = {}
    assert [(seen[key], name) for name, key in keys.items() if seen.setdefault(key, name) != name] == []
    assert fingerprint(scene, book) == keys["as it is"]


def test_a_terrain_model_counts_by_its_contents_not_by_its_place(
    ready: tuple[Scene, TableBook], tmp_path: Path
) -> None:
    scene, book = ready
    ground: Any = scene.ground
    moved = tmp_path / "moved.tif"
    shutil.copy(ground.path, moved)
    key = fingerprint(scene, book)
    assert fingerprint(replace(scene, ground=replace(ground, path=moved)), book) == key
    (tmp_path / "moved.tfw").write_text("1\n0\n0\n-1\n0\n0\n")
    assert fingerprint(replace(scene, ground=replace(ground, path=moved)), book) != key


def test_a_tile_reads_nothing_that_is_shipped(ready: tuple[Scene, TableBook], monkeypatch: pytest.MonkeyPatch) -> None:
    """Coefficients come to a tile in what it is given: a changed file of `configs/` changes that.

    What may only refuse an input or an argument changes no result.
    """
    scene, book = ready
    read = resources._load_model

    def guarded(model: type[BaseModel], name: str) -> BaseModel:
        assert name in ("input_files.yaml", "argument_limits.yaml"), name
        return read(model, name)

    monkeypatch.setattr(resources, "_load_model", guarded)
    fresh = TableBook(book.sky, book.system, book.scene)
    assert len(compute_tile(scene, fresh, next(iter(scene.tile_members))).planes)


VALUES: list[Any] = [
    None, pd.NA, True, 1, 1.0, "1", b"1", np.float32(1), np.float64(1), np.nan, (1,), [1], (1, 1), ((1,), 1), {1},
    {1: 1}, {"1": 1}, np.array([1]), np.array([1.0]), np.array([[1]]), np.array([1], np.int32), np.array([]),
    np.array(["1"]), np.array(["1", None], object),
    np.array([None], object), np.array([(1,)], dtype=[("a", int)]), shapely.Point(1, 1),
    np.array([shapely.Point(1, 1)]), np.array([shapely.Point(1, 2), None]), pd.Series([1]), pd.Series([1], index=[1]),
    pd.Index([1]), pd.Series(["1"]), pd.Series(["1"], dtype="category"), pd.DataFrame({"a": [1]}),
    pd.DataFrame({"b": [1]}),
    pd.DataFrame({"a": [1.0]}), pd.DataFrame({"a": [1]}, index=[1]), pd.date_range("2020", periods=1),
    pd.date_range("2020", periods=1, tz="UTC"), datetime.date(2020, 1, 1), pd.Timestamp("2020"), SceneOptions(),
    SceneOptions(albedo=0.1), Provenance("a", "x", "s"), Provenance("a", "x", "t"),
    Provenance("a", "x", "s", {"b": "c"}),
    np.array([["a"]], object), np.array(["a", "b"], object), np.array(["a\x00b"], object),
]  # fmt: skip


def test_values_that_differ_have_different_digests() -> None:
    seen: dict[str, int] = {}
    for k, value in enumerate(VALUES):
        key = digest_of(value)
        assert seen.setdefault(key, k) == k, (VALUES[seen[key]], value)
        assert digest_of(value) == key
    assert digest_of({"a": 1, "b": 2}) == digest_of({"b": 2, "a": 1})
    assert digest_of(Provenance("a", "here", "s")) == digest_of(Provenance("a", "there", "s"))
    assert digest_of(Notice("a", Text("x", "y"))) == digest_of(Notice("b", Text("x", "z")))


def test_what_cannot_be_hashed_is_named_not_left_out(ready: tuple[Scene, TableBook]) -> None:
    scene, book = ready
    with pytest.raises(TypeError, match=r"value 1\.ground.*object"):
        fingerprint(replace(scene, ground=object()), book)  # type: ignore[arg-type]


def test_another_program_computes_its_own_tiles(tmp_path: Path) -> None:
    """A kernel that is changed, in a copy of the package: kept tiles are not taken, and after that they are."""
    package = Path(rooftop.__file__).parent
    copy = tmp_path / "src" / "rooftop"
    shutil.copytree(package, copy)
    if not (copy / "_data").exists():
        for name, folder in (("configs", resources.configs_dir()), ("demo", resources.demo_dir())):
            shutil.copytree(folder, copy / "_data" / name)
    small_town.write(small_town.buildings(2), tmp_path / "b.gpkg")
    small_town.irradiance(tmp_path / "ghi.tif")
    code = (
        "import small_town, sys, pathlib, rooftop; here = pathlib.Path(sys.argv[1]);"
        "assert pathlib.Path(rooftop.__file__).is_relative_to(here);"
        "counts = rooftop.run(small_town.config(here, here / 'b.gpkg'), here / 'out').record.counts;"
        "print(counts['tiles'], counts['tiles_resumed'])"
    )
    path = os.pathsep.join([str(tmp_path / "src"), str(Path(small_town.__file__).parent)])

    def counts() -> list[int]:
        done = subprocess.run(
            [sys.executable, "-c", code, str(tmp_path)], env={**os.environ, "PYTHONPATH": path}, capture_output=True,
            text=True, timeout=600,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return [int(n) for n in done.stdout.split()]

    assert counts() == [1, 0]
    assert counts() == [1, 1]
    kernel = copy / "kernels" / "sky_view.py"
    kernel.write_text(kernel.read_text(encoding="utf-8") + "\n# changed\n", encoding="utf-8")
    assert counts() == [1, 0]
