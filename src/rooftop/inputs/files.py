"""Files that are not there, names that are not known: refused with the likeliest one beside them."""

from __future__ import annotations

import errno
import re
from pathlib import Path

from rooftop.core.errors import InputError, did_you_mean, suggest
from rooftop.core.lang import Text

__all__ = ["check_encoding", "check_file", "did_you_mean", "suggest"]

_CONNECTION = re.compile(
    r"(?i:\b(?:https?|ftp|s3|gs):/)|/vsi\w+[/?]|\b(?:WMS|WMTS|WCS|WFS|OAPIF|CSW|PG|MYSQL|MSSQL|OCI|NETCDF|HDF5|GPKG|GRIB):"
)
_SUBDATASET = re.compile(
    r"^(?:NETCDF|HDF[45]\w*|GPKG|GRIB|GTIFF_DIR):\"?(?P<file>.+?)\"?:(?:/*)(?P<variable>[^:]+)$", re.IGNORECASE
)


def check_file(path: Path, role: str, *, a_file: bool = False) -> None:
    """Refuse a file that is not there, naming its likely neighbours, and one that may not be read.

    Parameters
    ----------
    path : Path
    role : str
        Configuration key, for messages.
    a_file : bool
        Refuse folders too.

    Raises
    ------
    InputError
    """
    try:
        if path.is_file():
            with path.open("rb"):
                return
        if path.is_dir() and not a_file:
            return
        siblings = sorted(p.name for p in path.parent.iterdir()) if path.parent.is_dir() else []
    except OSError as error:  # no right to read it, a name that is too long, a disk that is gone
        raise _unreadable_error(path, role, error) from error
    if path.is_dir():
        raise _folder_error(path, role)
    near = did_you_mean(path.name, siblings)
    if named := _SUBDATASET.search(path.name):
        mend = Text(
            f"name the file and its variable apart: path: {named['file']}, variable: {named['variable']}",
            f"请分别填写文件与变量：path: {named['file']}，variable: {named['variable']}",
        )
    elif is_connection(str(path)):
        mend = Text(
            "only files on this machine are read: download it and name the file",
            "仅读取本机文件：请先下载，再填写文件路径",
        )
    elif near is not None:
        mend = Text(f"did you mean {near}?", f"是否为 {near}？")
    elif not path.parent.is_dir():
        mend = Text(
            f"the folder {path.parent} does not exist; relative paths start at the configuration file",
            f"文件夹 {path.parent} 不存在；相对路径以配置文件所在位置为准",
        )
    else:
        mend = Text("relative paths start at the configuration file", "相对路径以配置文件所在位置为准")
    raise InputError(
        Text("the file does not exist", "文件不存在"),
        where=role or None,
        found=str(path),
        expected=Text("an existing file", "存在的文件"),
        mend=mend,
    )


def is_connection(text: str) -> bool:
    """Tell whether a path is an address, or a name that GDAL would take for a connection, rather than a file."""
    return _CONNECTION.search(text) is not None


def _unreadable_error(path: Path, role: str, error: OSError) -> InputError:
    mend = Text("check its rights, and that no other program holds it", "请检查文件权限，并确认未被其他程序占用")
    if error.errno == errno.ENAMETOOLONG:
        mend = Text("give it a shorter name", "请缩短文件名或路径")
    return InputError(
        Text("the file cannot be opened", "文件无法打开"),
        where=role or None,
        found=f"{str(path)[:300]}: {error.strerror}",
        expected=Text("a file that may be read", "可读取的文件"),
        mend=mend,
    )


def _folder_error(path: Path, role: str) -> InputError:
    return InputError(
        Text("a folder stands where a file should", "此处应为文件，却是文件夹"),
        where=role or None,
        found=str(path),
        expected=Text("a file", "文件"),
        mend=Text("name the file in it", "请指定文件夹中的文件"),
    )


def check_encoding(encoding: str, role: str) -> None:
    """Refuse an encoding Python does not know."""
    try:
        "a".encode(encoding)
    except LookupError as error:
        raise InputError(
            Text("the text encoding is not known", "无法识别文本编码"),
            where=f"{role}.encoding",
            found=encoding,
            expected="gbk, gb18030, utf-8, big5",
            mend=Text("leave it out: it is found out", "删去该项，将自动识别"),
        ) from error
