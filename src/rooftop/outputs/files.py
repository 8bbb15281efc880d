"""Files appear whole or not at all; where the system refuses, the error says what to do."""

from __future__ import annotations

import errno
import hashlib
import os
import re
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Protocol

from rooftop.core.errors import StorageError
from rooftop.core.lang import Text

PREFIX = ".rooftop-"
"""What folders of unfinished files begin with: made afresh beside each file, so that nobody's link is followed."""

_FULL = re.compile(r"disk is full|no space|disk I/O error|file too large|not enough space", re.IGNORECASE)
_PROBE_BYTES = 1 << 20
_PATIENCE_S = (0.05, 0.1, 0.2, 0.4)  # virus scanners and synchronised folders hold new files for a moment
# Bytes of a GeoPackage that a program changes that only looks: modes of reading, counter of changes, version.
_LOOKED_AT = ((18, 20), (24, 28), (92, 100))
_JOURNALS = ("-wal", "-shm", "-journal")


class FileLedger(Protocol):
    """Who keeps account of the files that are written."""

    def require_place(self, path: Path) -> None:
        """Raise a StorageError where no file may be written."""

    def expect(self, path: Path, temporary: Path) -> None:
        """Be told of a file that is whole and about to take its place."""

    def mark_missing(self, path: Path, error: OSError) -> None:
        """Be told of a file whose place another program holds; the others go on."""


_BOOK: ContextVar[FileLedger | None] = ContextVar("book", default=None)


@contextmanager
def recorded_in(book: FileLedger | None) -> Iterator[None]:
    """Account for every file that is written meanwhile; with None, for none."""
    token = _BOOK.set(book)
    try:
        yield
    finally:
        _BOOK.reset(token)


def write_at_once(path: Path, write: Callable[[Path], object]) -> Path:
    """Write a file so that it is whole or absent: in a folder of its own beside `path`, then renamed.

    Parameters
    ----------
    path : Path
        Its folder is made when missing.
    write : callable
        Writes to the path it is given, which has the name of `path`.

    Raises
    ------
    StorageError
        The system refuses: a full disk, missing rights, a link in the way. Where files are accounted for, one that
        another program holds open is left out instead (:class:`FileLedger`).
    """
    book = _BOOK.get()
    if book is not None:
        book.require_place(path)
    with storage_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(prefix=PREFIX, dir=path.parent, ignore_cleanup_errors=True) as room:
            temporary = Path(room) / path.name
            _write_or_raise(temporary, write)
            try:
                if book is not None:
                    book.expect(path, temporary)
                _replace(temporary, path)
            except OSError as error:
                if book is None or not _is_held(error):
                    raise
                book.mark_missing(path, error)
    return path


def _write_or_raise(temporary: Path, write: Callable[[Path], object]) -> None:
    """Write; where a library hides that the disk refused, raise what it should have raised."""
    try:
        write(temporary)
    except OSError:
        raise
    except Exception as error:
        refusal = _refusal(temporary.parent)
        if refusal is None and not _FULL.search(str(error)):
            raise
        raise (refusal or OSError(errno.ENOSPC, str(error))) from error


def _refusal(folder: Path) -> OSError | None:
    """Return what the system says to a file that is certainly right."""
    try:
        (folder / "probe").write_bytes(bytes(_PROBE_BYTES))
    except OSError as error:
        return error
    return None


def _replace(temporary: Path, path: Path) -> None:
    for pause in (*_PATIENCE_S, None):
        try:
            os.replace(temporary, path)
        except PermissionError:
            if pause is None:
                raise
            time.sleep(pause)
        else:
            break
    if path.suffix == ".gpkg":  # the journals of the one before would be taken for this one's
        for ending in _JOURNALS:
            path.with_name(path.name + ending).unlink(missing_ok=True)


def _is_held(error: OSError) -> bool:
    return isinstance(error, PermissionError | IsADirectoryError | FileExistsError) or error.errno == errno.EBUSY


@contextmanager
def storage_errors(path: Path) -> Iterator[None]:
    """Turn what the system says about writing to `path` into an error that says what to do."""
    try:
        yield
    except OSError as error:
        raise storage_error(error, path) from error


def storage_error(error: OSError, path: Path) -> StorageError:
    """Return the error that says what the system refused, and what to do about it."""
    elsewhere = Text("choose another folder with -o", "用 -o 指定其他文件夹")
    what, mend = _REFUSALS.get(error.errno or 0, (Text("the file cannot be written", "文件无法写入"), elsewhere))
    return StorageError(what, where=str(path), found=error.strerror or str(error), mend=mend)


_FREE = Text(
    "free space on this disk, or choose a folder on another one with -o, and run again",
    "请清理该磁盘空间，或用 -o 指定其他磁盘上的文件夹，然后重新运行",
)
_RIGHTS = Text(
    "choose another folder with -o, or ask for the right to write here", "请用 -o 指定其他文件夹，或申请此处的写入权限"
)
_HANDLES = Text(
    "close other programs, or allow more open files (ulimit -n)", "请关闭其他程序，或提高可打开文件数上限（ulimit -n）"
)
_MOVE = Text("move it away, or choose another folder with -o", "请将其移走，或用 -o 指定其他文件夹")
_DEVICE = Text(
    "check the disk or the network connection, or choose another folder with -o",
    "请检查磁盘或网络连接，或用 -o 指定其他文件夹",
)
_REFUSALS: dict[int, tuple[Text, Text]] = {
    errno.ENOSPC: (Text("the disk is full", "磁盘已满"), _FREE),
    getattr(errno, "EDQUOT", -1): (Text("your share of the disk is used up", "磁盘配额已用尽"), _FREE),
    errno.EFBIG: (Text("the file is larger than this place allows", "文件超过此处允许的大小"), _FREE),
    errno.EROFS: (Text("the disk can only be read", "磁盘为只读"), _RIGHTS),
    errno.EACCES: (Text("writing here is not allowed", "没有写入权限"), _RIGHTS),
    errno.EPERM: (Text("writing here is not allowed", "没有写入权限"), _RIGHTS),
    errno.EMFILE: (Text("too many files are open", "打开的文件过多"), _HANDLES),
    errno.ENFILE: (Text("too many files are open", "打开的文件过多"), _HANDLES),
    errno.ENAMETOOLONG: (
        Text("the path is too long", "路径过长"),
        Text("choose a folder with a shorter path with -o", "请用 -o 指定路径较短的文件夹"),
    ),
    errno.ENOTDIR: (Text("a file lies where a folder is wanted", "应为文件夹的位置存在同名文件"), _MOVE),
    errno.EEXIST: (Text("a file lies where a folder is wanted", "应为文件夹的位置存在同名文件"), _MOVE),
    errno.EISDIR: (Text("a folder lies where a file is wanted", "应为文件的位置存在同名文件夹"), _MOVE),
    errno.ELOOP: (Text("a link lies in the way", "此处存在链接"), _MOVE),
    errno.EIO: (Text("the disk reports an error", "磁盘读写出错"), _DEVICE),
}


def is_link(path: Path) -> bool:
    """Return whether a path is a symbolic link, or a junction of Windows."""
    is_junction: Callable[[Path], bool] = getattr(os.path, "isjunction", lambda _path: False)
    return path.is_symlink() or is_junction(path)


def link_in_the_way(path: Path) -> StorageError:
    """Return the error for a link where the program keeps files of its own."""
    return StorageError(
        Text("a link lies where the run writes: it is not followed", "运行的写入位置是一个链接，程序不会跟随链接"),
        where=str(path),
        found=Text(f"it leads to {os.path.realpath(path)}", f"指向 {os.path.realpath(path)}"),
        mend=Text(
            "remove the link, or name the folder that it leads to with -o",
            "请删除该链接，或用 -o 直接指定其指向的文件夹",
        ),
    )


def product_sha256(path: Path) -> str:
    """Hash a file that was written, so that looking at it in another program does not count as a change."""
    digest = hashlib.sha256()
    with path.open("rb") as handle:
        first = bytearray(handle.read(1 << 20))
        if path.suffix == ".gpkg":
            for start, stop in _LOOKED_AT:
                first[start:stop] = bytes(len(first[start:stop]))
        digest.update(first)
        while chunk := handle.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()


def free_name(path: Path, mark: str) -> Path:
    """Return a name beside `path` that nothing has: ``report (mark).html``, ``report (mark 2).html``."""
    k = 1
    while os.path.lexists(candidate := path.with_name(f"{path.stem} ({mark}{'' if k == 1 else f' {k}'}){path.suffix}")):
        k += 1
    return candidate


_LEFT_BY_EARLIER_VERSIONS = re.compile(
    r"^\..+\.part(\.plain)?\.(csv|parquet|gpkg|xlsx|html|tif)(-journal|-wal|-shm|\.aux\.xml)?$|^run\.part$"
)


def remove_unfinished(folder: Path) -> None:
    """Remove what a killed run left half-written in a folder; nothing else, and through no link."""
    if is_link(folder) or not folder.is_dir():
        return
    for entry in list(folder.iterdir()):
        if entry.name.startswith(PREFIX) and entry.is_dir() and not is_link(entry):
            shutil.rmtree(entry, ignore_errors=True)
        elif _LEFT_BY_EARLIER_VERSIONS.match(entry.name) and entry.is_file() and not is_link(entry):
            entry.unlink(missing_ok=True)
