"""Text encodings of files that do not fix them: found out from the bytes, the declaration being only a hint."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rooftop.core.lang import Text

BYTES = "ISO-8859-1"
"""Codec that maps every byte to one character: text read with it can be decoded again without loss."""

_CPG_NAMES = {
    "936": "gb18030",
    "cp936": "gb18030",
    "gbk": "gb18030",
    "gb2312": "gb18030",
    "gb18030": "gb18030",
    "ansi 936": "gb18030",
    "oem": "",
    "system": "",
    "65001": "utf-8",
    "utf8": "utf-8",
    "utf-8": "utf-8",
    "88591": "iso-8859-1",
    "big5": "big5",
    "950": "big5",
    "cp950": "big5",
}
_DBF_LANGUAGE_GBK = 0x4D


def decode(text: str, encoding: str) -> tuple[str, bool]:
    """Decode bytes that were read as ISO-8859-1.

    Returns
    -------
    tuple of str and bool
        The text, and whether it was damaged (a character cut or not of this encoding, replaced by U+FFFD).
    """
    data = text.encode(BYTES, errors="replace")
    try:
        return data.decode(encoding), False
    except UnicodeDecodeError:
        return data.decode(encoding, errors="replace").rstrip("\ufffd"), True


def detect_encoding(samples: Sequence[bytes], path: Path) -> tuple[str, Text]:
    """Find out the encoding of some byte strings.

    Parameters
    ----------
    samples : sequence of bytes
        Names and values.
    path : Path
        Its .cpg and the language byte of its .dbf are asked first, and believed when the bytes agree.

    Returns
    -------
    tuple of str and Text
        Python codec and how it was found.
    """
    tricky = [s for s in samples if not s.isascii()]
    declared = _declared_encoding(path)
    if not tricky:
        return declared or "utf-8", Text("ASCII only", "仅ASCII字符")
    scores = {codec: _score(tricky, codec) for codec in ("utf-8", "gb18030")}
    if declared and _score(tricky, declared) >= 0.95 and scores["utf-8"] < 0.95:
        return declared, Text("declared by the file", "文件自带声明")
    if scores["utf-8"] >= 0.8:
        return "utf-8", Text("recognised", "自动识别")
    if scores["gb18030"] >= 0.5:
        return "gb18030", Text("recognised", "自动识别")
    return declared or BYTES.lower(), Text("assumed", "推定")


def _declared_encoding(path: Path) -> str | None:
    if path.suffix.lower() != ".shp":
        return None
    cpg = sibling(path, ".cpg")
    if cpg is not None:
        name = cpg.read_bytes()[:64].decode("ascii", errors="ignore").strip().strip("\x00").lower()
        codec = _CPG_NAMES.get(name, name.replace("ansi ", "cp") if name else "")
        try:
            "a".encode(codec or "-")
        except LookupError:
            codec = ""
        if codec:
            return codec
    dbf = sibling(path, ".dbf")
    if dbf is not None:
        with dbf.open("rb") as handle:
            header = handle.read(32)
        if len(header) == 32 and header[29] == _DBF_LANGUAGE_GBK:
            return "gb18030"
    return None


def _score(samples: Sequence[bytes], codec: str) -> float:
    """Return the share of samples that read well: they decode but for a cut end; Chinese ones are common Chinese."""
    good = 0
    for data in samples:
        text = data.decode(codec, errors="replace")
        body = text[:-1] if text.endswith("\ufffd") else text
        bad = "\ufffd" in body
        if codec == "gb18030" and not bad:
            bad = not all(_common_chinese(c) for c in body if ord(c) > 127)
        good += not bad
    return good / len(samples)


def _common_chinese(character: str) -> bool:
    try:
        return len(character.encode("gb2312")) == 2
    except UnicodeEncodeError:
        return False


def sibling(path: Path, suffix: str) -> Path | None:
    """Return the shapefile part with this suffix, in whatever case."""
    file_name = (path.stem + suffix).lower()
    return next((p for p in sorted(path.parent.iterdir()) if p.name.lower() == file_name), None)
