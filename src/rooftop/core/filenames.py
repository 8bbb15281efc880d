"""Names of files that Windows, macOS and Linux accept."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from rooftop.core.lang import Text, without_controls

MOST_BYTES = 120
"""Length of a name: 255 bytes is the limit of most file systems; a Chinese character takes three."""

_ILLEGAL = re.compile(r'[<>:"/\\|?*\x00-\x1f\x7f]')
_RESERVED = {"con", "prn", "aux", "nul", "conin$", "conout$"} | {
    f"{port}{n}" for port in ("com", "lpt") for n in "123456789¹²³"
}


def legal_name(text: str) -> str:
    """Return `text` as a file name without suffix, empty where nothing legal is left."""
    name = without_controls(_ILLEGAL.sub("_", text)).strip(" .\u3000")
    name = name.encode("utf-8", "replace")[:MOST_BYTES].decode("utf-8", "ignore").rstrip(" .\u3000")
    return f"_{name}" if _is_reserved(name) else name


def same_file(name: str) -> str:
    """Return what two names have in common that some file system takes for one."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def is_taken(name: str, taken: Iterable[str]) -> bool:
    """Return whether a file system may take `name` for one of the others."""
    return same_file(name) in {same_file(other) for other in taken}


def why_no_name(name: str) -> Text | None:
    """Return why a text cannot be the name of a folder; None where it can."""
    if not name.strip(" .\u3000"):
        return Text("it is empty", "名称为空")
    if without_controls(name) != name or "\n" in name or "\t" in name:
        return Text("it holds control characters", "含控制字符")
    illegal = _ILLEGAL.search(name)
    if illegal:
        return Text(f"it holds the character {illegal.group()}", f"含字符 {illegal.group()}")
    if name != name.strip(" .\u3000"):
        return Text("it begins or ends with a dot or a space", "首尾为点号或空格")
    if len(name.encode("utf-8")) > MOST_BYTES:
        return Text(
            f"it is longer than {MOST_BYTES} bytes (a Chinese character takes three)",
            f"长度超过 {MOST_BYTES} 字节（一个汉字占三字节）",
        )
    if _is_reserved(name):
        return Text("Windows keeps this name for a device", "Windows 将该名称保留给设备")
    return None


def _is_reserved(name: str) -> bool:
    return name.split(".")[0].rstrip(" ").casefold() in _RESERVED
