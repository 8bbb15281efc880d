"""What a file may make the program do: read other files, reach the network, fill the memory.

Inputs are somebody else's files. `grant_access` says for the readers called in it what the configuration allows;
without it they are strict.
"""

from __future__ import annotations

import gzip
import io
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path

from rooftop.config import Inputs
from rooftop.core.errors import InputError
from rooftop.core.lang import Text
from rooftop.inputs.files import check_file
from rooftop.inputs.input_files import input_files

_GZIP = b"\x1f\x8b"
_MEGABYTE = 1_000_000
_PIECE = 1 << 22

ZIP_ERRORS = (zipfile.BadZipFile, zlib.error, OSError, EOFError, ValueError, RuntimeError)
"""What reading a zip file raises: damaged, of a method that is not known, or protected by a password."""

LOCAL_ONLY: dict[str, str] = {
    "GDAL_HTTP_PROXY": "127.0.0.1:9",  # the discard port: nobody answers there
    "GDAL_HTTPS_PROXY": "127.0.0.1:9",
    "GDAL_HTTP_CONNECTTIMEOUT": "1",
    "GDAL_HTTP_TIMEOUT": "1",
    "GDAL_HTTP_MAX_RETRY": "0",
    "CPL_VSIL_CURL_ALLOWED_EXTENSIONS": ".none",
    "GDAL_VRT_ENABLE_PYTHON": "NO",
    "GDAL_VRT_ENABLE_RAWRASTERBAND": "NO",
    "GML_DOWNLOAD_SCHEMA": "NO",
    "GML_SKIP_RESOLVE_ELEMS": "ALL",
}
"""GDAL options that keep it from the network: the second wall, behind looking into the files first."""


@dataclass(frozen=True)
class Access:
    """What the configuration allows.

    Parameters
    ----------
    allow_remote : bool
        Files may name others outside their own folder, on the network too.
    max_unpacked_mb : float or None
        What a packed file may unpack to, and a text file hold; None: `configs/input_files.yaml`.
    """

    allow_remote: bool = False
    max_unpacked_mb: float | None = None

    @property
    def walls(self) -> dict[str, str]:
        """GDAL options that keep what is not allowed out."""
        return {} if self.allow_remote else dict(LOCAL_ONLY)

    @property
    def largest_bytes(self) -> float:
        """What may be held in memory unpacked."""
        return (self.max_unpacked_mb or input_files().unpacked_mb.max) * _MEGABYTE


STRICT = Access()
_GRANTED: ContextVar[Access] = ContextVar("access", default=STRICT)


def access() -> Access:
    """Return what is allowed here."""
    return _GRANTED.get()


@contextmanager
def grant_access(inputs: Inputs) -> Iterator[None]:
    """Let the readers called within do what a configuration allows."""
    token = _GRANTED.set(Access(inputs.allow_remote, inputs.max_unpacked_mb))
    try:
        yield
    finally:
        _GRANTED.reset(token)


# --- sizes, before anything is unpacked ------------------------------------------------------------------------------


def read_bounded(path: Path, role: str) -> bytes:
    """Return the content of a file, unpacked where it is gzip.

    Raises
    ------
    InputError
        No such file; it is larger than `Access.largest_bytes`, packed or not; it is damaged.
    """
    check_file(path, role, a_file=True)
    most = access().largest_bytes
    _require_size(path, role, path.stat().st_size, most)
    with path.open("rb") as file:
        if file.read(2) != _GZIP:
            file.seek(0)
            return file.read()
    out = io.BytesIO()
    try:
        with gzip.open(path) as packed:
            while piece := packed.read(_PIECE):
                out.write(piece)
                _require_size(path, role, out.tell(), most)
    except (OSError, EOFError, zlib.error) as error:
        raise damaged_file_error(path, role, str(error)) from error
    return out.getvalue()


def check_zip(path: Path, role: str) -> list[zipfile.ZipInfo]:
    """Look at what a zip file unpacks to, and return its members.

    Raises
    ------
    InputError
        It is damaged, or unpacks to more than `Access.largest_bytes`.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
    except ZIP_ERRORS as error:
        raise damaged_file_error(path, role, str(error)) from error
    _require_size(path, role, sum(m.file_size for m in members), access().largest_bytes)
    return members


def zip_heads(path: Path, role: str, n_bytes: int) -> Iterator[tuple[str, bytes]]:
    """Yield the name and the beginning of each file in a zip file.

    Raises
    ------
    InputError
        As `check_zip`.
    """
    members = check_zip(path, role)
    try:
        with zipfile.ZipFile(path) as archive:
            for member in members:
                if not member.is_dir():
                    with archive.open(member) as file:
                        yield member.filename, file.read(n_bytes)
    except ZIP_ERRORS as error:
        raise damaged_file_error(path, role, str(error)) from error


def _require_size(path: Path, role: str, size: float, most: float) -> None:
    if size <= most:
        return
    raise InputError(
        Text("the file is too large to be held in memory", "文件过大，无法载入内存"),
        where=f"{role}: {path}" if role else str(path),
        found=Text(f"at least {size / _MEGABYTE:,.0f} MB unpacked", f"解压后至少 {size / _MEGABYTE:,.0f} MB"),
        expected=f"<= {most / _MEGABYTE:,.0f} MB",
        mend=Text(
            "cut it to the place; or, if it is what you expect, raise inputs.max_unpacked_mb",
            "请裁剪至研究区；若文件确无问题，可调高 inputs.max_unpacked_mb",
        ),
    )


def damaged_file_error(path: Path, role: str, found: str) -> InputError:
    """Return the error about a file whose bytes are not whole."""
    return InputError(
        Text("the file is damaged", "文件已损坏"),
        where=f"{role}: {path}" if role else str(path),
        found=found[:200],
        expected=Text("a complete file", "完整的文件"),
        mend=Text("copy or download it again", "请重新复制或下载"),
    )
