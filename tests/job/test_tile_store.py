"""Kept tiles: whole and their own, or computed again and counted."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import rooftop
import small_town
from rooftop.core.errors import StorageError
from rooftop.core.grid import Tile
from rooftop.job.module_years import TileModules
from rooftop.job.tile import TileCells, TileResult
from rooftop.job.tilestore import TileStore

KEY = "0123456789abcdef"
HERE, THERE = Tile(3, -7), Tile(4, -7)


def result(seed: int = 0, *, cells: bool = True, months: bool = True, modules: bool = True) -> TileResult:
    rng = np.random.default_rng(seed)
    planes = pd.DataFrame(
        {"ok_share": rng.random(5), "n_cells": rng.integers(0, 9, 5), "n_lit": [np.nan, 1.0, -0.0, np.inf, 5e-324]},
        index=[4, 2, 9, 0, 7],
    )
    place = np.arange(4, dtype=np.int64)
    names = ("poa_annual_kwh_m2", "svf", "shading_loss")
    values = {name: rng.random(4).astype(np.float32) for name in names}
    by_month = rng.random((4, 12)).astype(np.float32) if months else None
    found = TileCells(lattice_row=place, lattice_col=-place, poa_monthly_kwh_m2=by_month, **values) if cells else None
    each = TileModules(
        left_out=rng.integers(0, 4, 11).astype(np.int8), poa_kwh_m2=rng.random(11).astype(np.float32),
        shading_loss=rng.random(11).astype(np.float32), ac_kwh_kwp=rng.random((11, 12)).astype(np.float32),
    )  # fmt: skip
    return TileResult(planes=planes, cells=found, modules=each if modules else None)


def same(a: TileResult | None, b: TileResult) -> None:
    assert a is not None
    pd.testing.assert_frame_equal(a.planes, b.planes, check_exact=True)
    assert np.array_equal(np.signbit(a.planes["n_lit"]), np.signbit(b.planes["n_lit"]))
    assert (a.cells is None) == (b.cells is None) and (a.modules is None) == (b.modules is None)
    if a.cells is not None and b.cells is not None:
        for name, value in vars(b.cells).items():
            found = getattr(a.cells, name)
            assert value is None if found is None else found.dtype == value.dtype
            np.testing.assert_array_equal(found, value)
    if a.modules is not None and b.modules is not None:
        for name in ("left_out", "poa_kwh_m2", "shading_loss", "ac_kwh_kwp"):
            one, other = getattr(a.modules, name), getattr(b.modules, name)
            assert one.dtype == other.dtype
            np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(
    "what", [{}, {"months": False}, {"cells": False}, {"modules": False}, {"cells": False, "modules": False}]
)
def test_a_tile_comes_back_to_the_last_bit(what: dict[str, bool], tmp_path: Path) -> None:
    store = TileStore(tmp_path / ".tiles", KEY)
    store.save(HERE, result(**what))
    assert store.load(THERE) is None and store.damaged == []
    same(TileStore(tmp_path / ".tiles", KEY).load(HERE), result(**what))
    assert [p.name for p in store.folder.iterdir()] == ["x3_y-7.tile"]


def flip(path: Path, at: int) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 0x10
    path.write_bytes(data)


def swap(path: Path) -> None:
    other = path.with_name("x4_y-7.tile")
    path.rename(path.with_name("x"))
    other.rename(path)
    path.with_name("x").rename(other)


def of_another_run(path: Path) -> None:
    other = TileStore(path.parents[1] / "elsewhere", "f" * 16)
    other.save(HERE, result(9))
    shutil.copy(other.folder / path.name, path)


def a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()
    (path / "precious").write_text("mine")


DAMAGES: dict[str, Callable[[Path], object]] = {
    "empty": lambda p: p.write_bytes(b""),
    "cut": lambda p: p.write_bytes(p.read_bytes()[:-100]),
    "cut in its head": lambda p: p.write_bytes(p.read_bytes()[:20]),
    "head only": lambda p: p.write_bytes(p.read_bytes().partition(b"\n")[0] + b"\n"),
    "longer": lambda p: p.write_bytes(p.read_bytes() + b"\0"),
    "another format": lambda p: p.write_bytes(b"PAR1" * 40),
    "text": lambda p: p.write_text("hello\n" * 9),
    "a bit of its body": lambda p: flip(p, -200),
    "a bit of its head": lambda p: flip(p, 5),
    "a bit of its checksum": lambda p: flip(p, p.read_bytes().index(b"\n") - 3),
    "swapped": swap,
    "of another run": of_another_run,
    "a folder": a_folder,
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_what_is_not_whole_is_as_good_as_absent(damage: Callable[[Path], object], tmp_path: Path) -> None:
    store = TileStore(tmp_path / ".tiles", KEY)
    store.save(HERE, result(1))
    store.save(THERE, result(2))
    damage(store.folder / "x3_y-7.tile")
    again = TileStore(tmp_path / ".tiles", KEY)
    assert again.load(HERE) is None
    assert again.damaged == ["x3_y-7"]
    again.save(HERE, result(1))
    same(again.load(HERE), result(1))
    assert [p.read_text() for p in tmp_path.rglob("precious")] == ["mine"] * (damage is a_folder)


def test_any_bit_that_flips_is_seen(tmp_path: Path) -> None:
    store = TileStore(tmp_path, KEY)
    store.save(HERE, result())
    path = store.folder / "x3_y-7.tile"
    whole = path.read_bytes()
    for at in np.random.default_rng(0).integers(0, len(whole), 200):
        flip(path, int(at))
        assert store.load(HERE) is None
        path.write_bytes(whole)
    same(store.load(HERE), result())


def test_only_tiles_of_other_runs_are_removed(tmp_path: Path) -> None:
    folder = tmp_path / ".tiles"
    old = TileStore(folder, "a" * 16)
    old.save(HERE, result())
    for name in ("x1_y1.parquet", "x1_y1.npz", "x1_y1.lit.npy", "x1_y1.part"):  # of an earlier version
        (old.folder / name).write_bytes(b"x")
    mixed = TileStore(folder, "b" * 16)
    (mixed.folder / "notes.txt").write_text("mine")
    (folder / ".DS_Store").write_bytes(b"x")
    (folder / "mine").mkdir()
    (folder / ("c" * 16)).write_text("a file")
    (folder / ("d" * 16)).symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "x1_y1.tile").write_text("not here")
    TileStore(folder, KEY)
    left = {p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("*")}
    assert f".tiles/{'a' * 16}" not in left
    assert {f".tiles/{'b' * 16}/notes.txt", ".tiles/.DS_Store", ".tiles/mine", f".tiles/{'c' * 16}",
            "elsewhere/x1_y1.tile"} <= left  # fmt: skip


def test_fresh_forgets_the_tiles_of_this_run_too(tmp_path: Path) -> None:
    TileStore(tmp_path, KEY).save(HERE, result())
    assert TileStore(tmp_path, KEY).load(HERE) is not None
    assert TileStore(tmp_path, KEY, fresh=True).load(HERE) is None


@pytest.mark.parametrize("place", [".tiles", f".tiles/{KEY}"])
def test_a_file_where_the_tiles_go_is_renamed_and_a_link_refused(place: str, tmp_path: Path) -> None:
    (tmp_path / place).parent.mkdir(exist_ok=True)
    (tmp_path / place).write_text("mine")
    store = TileStore(tmp_path / ".tiles", KEY)
    assert [p.read_text() for p in store.set_aside] == ["mine"]
    store.save(HERE, result())
    target = tmp_path / "elsewhere"
    target.mkdir()
    (target / "precious.tile").write_text("mine")
    shutil.rmtree(tmp_path / place)
    (tmp_path / place).symlink_to(target)
    with pytest.raises(StorageError, match="link"):
        TileStore(tmp_path / ".tiles", KEY, fresh=True)
    assert os.listdir(target) == ["precious.tile"]


def test_a_run_computes_damaged_tiles_again_and_says_so(tmp_path: Path) -> None:
    table = small_town.buildings()
    first = small_town.run(tmp_path, table)
    kept = next((first.out / ".tiles").rglob("*.tile"))
    whole = kept.read_bytes()
    flip(kept, len(whole) // 2)
    (first.out / ".tiles" / "Thumbs.db").write_bytes(b"x")
    again = small_town.run(tmp_path, table)
    assert small_town.codes(again)["tiles_damaged"] == 1 == again.record.counts["tiles_damaged"]
    assert again.record.counts["tiles_resumed"] == first.record.counts["tiles"] - 1
    assert kept.read_bytes() == whole
    pd.testing.assert_frame_equal(first.tables.roofs, again.tables.roofs)
    third = small_town.run(tmp_path, table)
    assert third.record.counts["tiles_resumed"] == third.record.counts["tiles"]
    assert isinstance(third, rooftop.RunResult) and "tiles_damaged" not in small_town.codes(third)
