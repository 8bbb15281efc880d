"""The folder of a run: whether it can be written, and whose it is while a run writes into it."""

from __future__ import annotations

import errno
import json
import os
import platform
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path

from rooftop.core.errors import StorageError
from rooftop.core.lang import Text, one_line
from rooftop.outputs.files import is_link, link_in_the_way, remove_unfinished, storage_error, storage_errors

LOCK = ".rooftop.lock"
FOLDERS = ("candidates", "maps", "rasters")
TILES = ".tiles"
RECORD = "run.json"
_LEAST_BYTES = 1_000_000
_LOCKED_AT = 1 << 30  # beyond the text, which others may read


@contextmanager
def claimed(folder: Path) -> Iterator[None]:
    """Make sure that a folder can be written, before anything else is done, and keep other runs out of it.

    The claim is a lock of the operating system on ``.rooftop.lock``: it ends with the process, however that ends. What
    a killed run left half-written is removed. Folders made for the claim go again where nothing was put into them.

    Raises
    ------
    StorageError
        The folder cannot be made or written, the disk is full, a link or a file lies in the way, or another process
        writes into it: with its number, machine and time.
    """
    made = _make_folders(folder)
    try:
        _require_ways(folder)
        handle = _lock(folder / LOCK)
        try:
            _sweep(folder)
            yield
        finally:
            _sweep(folder)  # an interrupt can strike while a file is being tidied up
            _release(handle, folder / LOCK)
    finally:
        for place in made:
            with suppress(OSError):
                place.rmdir()


def _sweep(folder: Path) -> None:
    """Remove what was left half-written, where runs have written before."""
    tiles = folder / TILES
    if (folder / RECORD).exists() or tiles.exists():
        below = tiles.iterdir() if tiles.is_dir() and not is_link(tiles) else ()
        for place in (folder, *(folder / name for name in FOLDERS), *below):
            with suppress(OSError):
                remove_unfinished(place)


def _make_folders(folder: Path) -> list[Path]:
    """Make a folder; return what had to be made, the innermost first."""
    with storage_errors(folder):
        missing = [place for place in (folder, *folder.parents) if not place.exists()]
        folder.mkdir(parents=True, exist_ok=True)
    return missing


def _require_ways(folder: Path) -> None:
    for name in (LOCK, TILES, *FOLDERS):
        if is_link(folder / name):
            raise link_in_the_way(folder / name)
    for name in FOLDERS:
        if (folder / name).exists() and not (folder / name).is_dir():
            raise storage_error(OSError(errno.ENOTDIR, os.strerror(errno.ENOTDIR)), folder / name)
    with storage_errors(folder):
        free = shutil.disk_usage(folder).free
    if free < _LEAST_BYTES:
        raise storage_error(OSError(errno.ENOSPC, f"{free:,} bytes free"), folder)


def _lock(path: Path) -> int:
    flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
    while True:
        with storage_errors(path):
            handle = os.open(path, flags, 0o644)
        try:
            if not _is_ours(handle):
                raise _in_use(path)
            if _is_still(handle, path):  # and not one that its owner has just removed
                with storage_errors(path):
                    _sign(handle)
                return handle
        except BaseException:
            os.close(handle)
            raise
        os.close(handle)


def _sign(handle: int) -> None:
    owner = {
        "pid": os.getpid(),
        "host": platform.node(),
        "since": datetime.now().astimezone().isoformat(timespec="seconds"),
    }
    os.lseek(handle, 0, os.SEEK_SET)
    os.ftruncate(handle, 0)
    os.write(handle, json.dumps(owner).encode())


def _is_still(handle: int, path: Path) -> bool:
    if sys.platform == "win32":  # an open file cannot be removed there
        return True
    try:
        return os.path.samestat(os.fstat(handle), os.stat(path))
    except FileNotFoundError:
        return False


def _release(handle: int, path: Path) -> None:
    if sys.platform == "win32":
        os.close(handle)
        with suppress(OSError):
            path.unlink()
    else:
        with suppress(OSError):
            path.unlink()
        os.close(handle)


if sys.platform == "win32":
    import msvcrt

    def _is_ours(handle: int) -> bool:
        os.lseek(handle, _LOCKED_AT, os.SEEK_SET)
        try:
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def _is_ours(handle: int) -> bool:
        """Lock; a file system that knows no locks keeps nobody out."""
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError:
            return True
        return True


def _in_use(path: Path) -> StorageError:
    try:
        owner = json.loads(path.read_text(encoding="utf-8"))
        pid, host, since = (one_line(str(owner[name])) for name in ("pid", "host", "since"))
        found = Text(f"process {pid} on {host}, since {since}", f"进程 {pid}（{host}），始于 {since}")
    except (OSError, ValueError, KeyError, TypeError):
        found = Text("another process", "另一进程")
    return StorageError(
        Text("another run is writing into this folder", "另一次运行正在写入该文件夹"),
        where=str(path.parent),
        found=found,
        mend=Text("wait until it ends, or choose another folder with -o", "请等待其结束，或用 -o 指定其他文件夹"),
    )
