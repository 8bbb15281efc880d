"""Files appear whole or not at all, through no link, and a system that refuses is understood; folders are claimed."""

from __future__ import annotations

import errno
import multiprocessing
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pytest
import shapely
import xlsxwriter
from pyproj import CRS

from rooftop.core.errors import StorageError
from rooftop.outputs import files, place
from rooftop.outputs.files import PREFIX, free_name, product_sha256, remove_unfinished, write_at_once
from rooftop.outputs.place import LOCK, claimed
from rooftop.outputs.rasters import CellValues, write_raster

ROWS = 4_000


def csv(path: Path) -> None:
    pd.DataFrame({"a": np.arange(20 * ROWS)}).to_csv(path)


def parquet(path: Path) -> None:
    pd.DataFrame({"a": np.random.default_rng(0).random(20 * ROWS)}).to_parquet(path)


def gpkg(path: Path) -> None:
    shapes = shapely.points(np.random.default_rng(0).random((ROWS, 2)))
    pyogrio.write_dataframe(gpd.GeoDataFrame({"a": ["x" * 50] * ROWS}, geometry=shapes, crs=4326), path)


def workbook(path: Path) -> None:
    with xlsxwriter.Workbook(str(path), {"in_memory": True}) as book:
        sheet = book.add_worksheet()
        for row in range(ROWS):
            sheet.write_row(row, 0, list(np.random.default_rng(row).random(5)))


def html(path: Path) -> None:
    path.write_text("x" * 300_000, encoding="utf-8")


def raster(path: Path) -> None:
    at = np.arange(300 * 300)
    values = np.random.default_rng(0).random(len(at)).astype(np.float32)
    write_raster(path, "svf", [CellValues(at // 300, at % 300, values)], 1.0, CRS(4549), "prism")


WRITERS: dict[str, Callable[[Path], None]] = {
    "a.csv": csv, "a.parquet": parquet, "a.gpkg": gpkg, "a.xlsx": workbook, "a.html": html,
}  # fmt: skip


@pytest.fixture()
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 1 MB, nearly full."""
    disk = tmp_path / "disk"
    disk.mkdir()
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("only root may mount a disk")
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", disk], capture_output=True).returncode:
        pytest.skip("this machine mounts no disk in memory")
    try:
        (disk / "filler").write_bytes(bytes(800_000))
        yield disk
    finally:
        subprocess.run(["umount", "-l", disk], check=True)


def clean(folder: Path) -> bool:
    return not [p for p in folder.rglob("*") if p.name.startswith(".")]


@pytest.mark.parametrize("name", WRITERS)
def test_a_full_disk_ends_in_a_sentence_and_leaves_what_was_there(name: str, small_disk: Path) -> None:
    path = small_disk / name
    path.write_text("before")
    with pytest.raises(StorageError, match="disk is full") as caught:
        write_at_once(path, WRITERS[name])
    assert str(path) in str(caught.value) and "-o" in str(caught.value)
    assert path.read_text() == "before" and clean(small_disk)
    (small_disk / "filler").unlink()
    write_at_once(path, WRITERS[name])
    assert path.stat().st_size > 100_000 and clean(small_disk)


def test_a_raster_on_a_full_disk(small_disk: Path) -> None:
    with pytest.raises(StorageError, match="disk is full"):
        raster(small_disk / "rasters" / "svf.tif")
    assert clean(small_disk) and not list((small_disk / "rasters").iterdir())


@pytest.mark.skipif(sys.platform == "win32", reason="limits of POSIX")
@pytest.mark.parametrize("name", WRITERS)
def test_a_file_larger_than_allowed(name: str, tmp_path: Path) -> None:
    import resource

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, before[1]))
    try:
        with pytest.raises(StorageError, match="larger than"):
            write_at_once(tmp_path / name, WRITERS[name])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert list(tmp_path.iterdir()) == []


NUMBERS = [
    errno.ENOSPC,
    errno.EROFS,
    errno.EACCES,
    errno.EPERM,
    errno.EMFILE,
    errno.ENAMETOOLONG,
    errno.EIO,
    errno.EINVAL,
]


@pytest.mark.parametrize("number", NUMBERS)
def test_whatever_the_system_says_becomes_a_sentence(number: int, tmp_path: Path) -> None:
    def refuse(_path: Path) -> None:
        raise OSError(number, os.strerror(number))

    with pytest.raises(StorageError) as caught:
        write_at_once(tmp_path / "a" / "b.csv", refuse)
    assert caught.value.exit_code == 2
    assert "处理" in caught.value.render("zh") and os.strerror(number) in caught.value.render("en")
    assert clean(tmp_path)


def test_a_mistake_of_a_writer_is_no_fault_of_the_disk(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError):
        write_at_once(tmp_path / "a.csv", lambda _path: 1 / 0)
    assert list(tmp_path.iterdir()) == []


def test_names_that_others_could_foresee_are_not_used(tmp_path: Path) -> None:
    """A link under the temporary name of earlier versions, or in the place of the file, is not written through."""
    target = tmp_path / "target"
    target.write_text("precious")
    out = tmp_path / "out"
    out.mkdir()
    for name in (".a.part.csv", "a.csv"):
        (out / name).symlink_to(target)
    write_at_once(out / "a.csv", csv)
    assert target.read_text() == "precious" and not (out / "a.csv").is_symlink()


def test_a_new_file_does_not_take_up_the_journal_of_the_old_one(tmp_path: Path) -> None:
    path = write_at_once(tmp_path / "a.gpkg", gpkg)
    for ending in ("-wal", "-shm", "-journal"):
        (tmp_path / f"a.gpkg{ending}").write_bytes(b"x" * 100)
    write_at_once(path, gpkg)
    assert [p.name for p in tmp_path.iterdir()] == ["a.gpkg"]


def test_looking_at_a_geopackage_does_not_change_its_hash(tmp_path: Path) -> None:
    import sqlite3

    path = write_at_once(tmp_path / "a.gpkg", gpkg)
    before, data = product_sha256(path), path.read_bytes()
    for mode in ("wal", "delete"):
        other = sqlite3.connect(path)
        other.execute(f"pragma journal_mode={mode}")
        other.close()
    assert path.read_bytes() != data and product_sha256(path) == before
    other = sqlite3.connect(path)
    other.execute("update gpkg_contents set description='mine'")
    other.commit()
    other.close()
    assert product_sha256(path) != before


def test_only_what_runs_leave_half_written_is_removed(tmp_path: Path) -> None:
    (tmp_path / f"{PREFIX}abc").mkdir()
    (tmp_path / f"{PREFIX}abc" / "roofs.parquet").write_text("half")
    target = tmp_path / "target"
    target.mkdir()
    (target / "precious").write_text("mine")
    (tmp_path / f"{PREFIX}link").symlink_to(target)
    for name in (".coverage.part.csv", ".甲区.part.gpkg", ".甲区.part.gpkg-journal", ".svf.part.plain.tif", "run.part"):
        (tmp_path / name).write_text("half")
    mine = [".part.csv.txt", "my.part.csv", ".part", f"{PREFIX}note"]
    for name in mine:
        (tmp_path / name).write_text("mine")
    remove_unfinished(tmp_path)
    assert {p.name for p in tmp_path.iterdir()} == {*mine, "target", f"{PREFIX}link"}
    assert (target / "precious").exists()
    remove_unfinished(tmp_path / f"{PREFIX}link")
    remove_unfinished(tmp_path / "nothing")
    assert (target / "precious").exists()


def test_free_names(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    assert free_name(path, "kept").name == "report (kept).html"
    (tmp_path / "report (kept).html").symlink_to("nowhere")
    assert free_name(path, "kept").name == "report (kept 2).html"


# --- the folder ------------------------------------------------------------------------------------------------------


def test_a_claim_leaves_nothing_behind(tmp_path: Path) -> None:
    with claimed(tmp_path / "a" / "b"):
        assert os.listdir(tmp_path / "a" / "b") == [LOCK]
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "c").mkdir()
    with claimed(tmp_path / "c"):
        pass
    assert list((tmp_path / "c").iterdir()) == []
    with claimed(tmp_path / "d"):
        (tmp_path / "d" / "x").write_text("x")
    assert os.listdir(tmp_path / "d") == ["x"]


def hold(folder: str, ready: Any) -> None:
    with claimed(Path(folder)):
        ready.set()
        time.sleep(60)


def test_a_folder_in_use_is_refused_by_name_until_its_process_is_dead(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    ready = context.Event()
    other = context.Process(target=hold, args=(str(tmp_path), ready))
    other.start()
    try:
        assert ready.wait(60)
        with pytest.raises(StorageError) as caught, claimed(tmp_path):
            pass
        assert f"process {other.pid} on " in caught.value.render("en")
        assert f"进程 {other.pid}" in caught.value.render("zh")
    finally:
        other.kill()
        other.join()
    assert (tmp_path / LOCK).exists()
    with claimed(tmp_path), pytest.raises(StorageError, match=f"process {os.getpid()} on"), claimed(tmp_path):
        pass
    assert not (tmp_path / LOCK).exists()


@pytest.mark.parametrize(
    "text", ["", "not json", "[]", '{"pid": 1}', '{"pid": 1, "host": "x", "since": "y"}', "\x00\xff"]
)
def test_a_lock_file_that_nobody_holds_keeps_nobody_out(text: str, tmp_path: Path) -> None:
    (tmp_path / LOCK).write_text(text, encoding="utf-8")
    with claimed(tmp_path):
        pass
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", [LOCK, ".tiles", "candidates", "maps", "rasters"])
def test_links_where_the_run_writes_are_refused(name: str, tmp_path: Path) -> None:
    target, out = tmp_path / "target", tmp_path / "out"
    target.mkdir()
    out.mkdir()
    (out / name).symlink_to(target)
    with pytest.raises(StorageError, match="link") as caught, claimed(out):
        pass
    assert str(target) in str(caught.value) or name == LOCK
    assert list(target.iterdir()) == [] and os.listdir(out) == [name]
    whole = tmp_path / "whole"  # where all of it goes is the user's own choice
    whole.symlink_to(target)
    with claimed(whole):
        assert (target / LOCK).exists()


def test_places_that_cannot_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("x")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "maps").write_text("x")
    for folder in (tmp_path / "file", tmp_path / "file" / "x", tmp_path / "out", tmp_path / ("x" * 300)):
        with pytest.raises(StorageError) as caught, claimed(folder):
            pass
        assert str(folder) in str(caught.value) and "mend" in str(caught.value)
    monkeypatch.setattr(place, "_LEAST_BYTES", 1 << 62)
    with pytest.raises(StorageError, match="disk is full"), claimed(tmp_path / "new"):
        pass
    assert not (tmp_path / "new").exists()


def test_a_read_only_disk(small_disk: Path) -> None:
    (small_disk / "filler").unlink()
    (small_disk / "out").mkdir()
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    for folder in (small_disk / "out", small_disk / "new" / "out"):
        with pytest.raises(StorageError, match="can only be read"), claimed(folder):
            pass


def test_somebody_elses_folder(tmp_path: Path) -> None:
    if not hasattr(os, "fork") or os.geteuid() != 0:
        pytest.skip("needs to become another user")
    for path in (tmp_path, *tmp_path.parents[:3]):
        path.chmod(0o755)
    child = os.fork()
    if child == 0:
        code = 1
        try:
            os.setuid(65534)
            with claimed(tmp_path / "out"):
                pass
        except StorageError as error:
            code = 0 if "not allowed" in str(error) else 2
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_leftovers_go_when_the_folder_is_a_runs(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "candidates"):
        (folder / f"{PREFIX}x").mkdir(parents=True)
    with claimed(tmp_path):
        assert (tmp_path / f"{PREFIX}x").exists()
    (tmp_path / "run.json").write_text("{}")
    (tmp_path / ".tiles" / "0123").mkdir(parents=True)
    with claimed(tmp_path):
        assert not list(tmp_path.rglob(f"{PREFIX}x"))
        (tmp_path / ".tiles" / "0123" / f"{PREFIX}y").mkdir()
    assert sorted(p.name for p in tmp_path.rglob("*")) == [".tiles", "0123", "candidates", "run.json"]


def test_patience_with_files_that_are_held_for_a_moment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Virus scanners hold new files for a moment; only who holds on is refused."""
    real, calls = os.replace, []

    def held(source: Path, target: Path) -> None:
        calls.append(target)
        if len(calls) < 3:
            raise PermissionError(errno.EACCES, "held", str(target))
        real(source, target)

    monkeypatch.setattr(files, "_PATIENCE_S", (0.0, 0.0, 0.0))
    monkeypatch.setattr(os, "replace", held)
    write_at_once(tmp_path / "a.csv", csv)
    assert len(calls) == 3
