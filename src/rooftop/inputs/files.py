"""Files that are not there, names that are not known: refused with the likeliest one beside them."""

from __future__ import annotations

from pathlib import Path

from rooftop.errors import InputError, did_you_mean, suggest
from rooftop.lang import Text

__all__ = ["check_encoding", "check_file", "did_you_mean", "suggest"]


def check_file(path: Path, role: str) -> None:
    """Refuse a file that is not there, naming its likely neighbours."""
    if path.exists():
        return
    siblings = sorted(p.name for p in path.parent.iterdir()) if path.parent.is_dir() else []
    near = did_you_mean(path.name, siblings)
    if near is not None:
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
