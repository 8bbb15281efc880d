"""Tables of people: CSV in any usual encoding or XLSX, read as text, cell by cell."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import pyogrio
from pyogrio.errors import DataLayerError, DataSourceError

from rooftop.errors import InputError, UsageError
from rooftop.inputs.attributes import written
from rooftop.inputs.encodings import BYTES, detect_encoding
from rooftop.inputs.files import check_file, did_you_mean, suggest
from rooftop.inputs.quantities import fold
from rooftop.lang import Text

HEADER_ROWS = 10
"""Rows among which a header is looked for: a title may stand above it."""


def read_rows(path: Path, encoding: str | None, sheet: str | None, role: str) -> tuple[dict[str, list[list[str]]], str]:
    """Read a CSV or a workbook as text, cell by cell.

    Returns
    -------
    tuple of dict and str
        Rows of each sheet (of a CSV: one without a name), and the encoding of a CSV.

    Raises
    ------
    InputError, UsageError
        No such file, sheet or encoding, or another kind of file.
    """
    check_file(path, role)
    if path.suffix.lower() == ".xlsx":
        return dict(_workbook(path, sheet, role)), ""
    if path.suffix.lower() in (".csv", ".txt", ".tsv"):
        text, codec = _decoded(path, encoding, role)
        return {"": _csv_rows(text)}, codec
    raise InputError(
        Text("this kind of file cannot be read", "不支持这种文件格式"),
        where=str(path),
        found=path.suffix or Text("no suffix", "无扩展名"),
        expected=".csv, .xlsx",
        mend=Text("save the table as .xlsx or .csv", "请另存为 .xlsx 或 .csv"),
    )


def _option(role: str, name: str) -> str:
    """Return how a setting of a table is called: by a key of the configuration, or by an option of the command line."""
    return f"{role}.{name}" if role.startswith("inputs.") else f"--{name}"


def _decoded(path: Path, encoding: str | None, role: str) -> tuple[str, str]:
    data = path.read_bytes()
    if encoding is None:
        if data.startswith((b"\xff\xfe", b"\xfe\xff")):
            encoding = "utf-16"
        else:
            pieces = [piece for piece in re.split(rb"[,;\t\r\n]", data.removeprefix(b"\xef\xbb\xbf")) if piece]
            encoding = detect_encoding(pieces, path)[0]
            if encoding == BYTES.lower() and "\ufffd" not in data.decode("gb18030", errors="replace"):
                encoding = "gb18030"  # a few words with rare characters (㎡ is not in GB 2312)
    try:
        return data.decode(encoding, errors="replace").removeprefix("\ufeff"), encoding
    except LookupError as error:
        raise UsageError(
            Text("the text encoding is not known", "无法识别文本编码"),
            where=_option(role, "encoding"),
            found=encoding,
            expected="gbk, gb18030, utf-8, utf-16",
        ) from error


def _csv_rows(text: str) -> list[list[str]]:
    lines = [line for line in text.splitlines()[:20] if line.strip()]
    delimiter = max(",;\t，", key=lambda mark: sum(line.count(mark) for line in lines))
    return [[written(cell) or "" for cell in row] for row in csv.reader(io.StringIO(text), delimiter=delimiter)]


def _workbook(path: Path, sheet: str | None, role: str) -> Iterator[tuple[str, list[list[str]]]]:
    try:
        names = [str(row[0]) for row in pyogrio.list_layers(path)]
        if sheet is not None and sheet not in names:
            raise UsageError(
                Text("the workbook has no such sheet", "工作簿中没有该工作表"),
                where=_option(role, "sheet"),
                found=sheet,
                expected=", ".join(names),
                mend=suggest(did_you_mean(sheet, names), Text("choose one of these", "请从中选择")),
            )
        for name in names if sheet is None else [sheet]:
            options = {"HEADERS": "DISABLE", "FIELD_TYPES": "STRING"}
            frame = pyogrio.read_dataframe(path, layer=name, read_geometry=False, use_arrow=False, **options)
            yield name, [[written(v) or "" for v in row] for row in frame.astype(object).itertuples(index=False)]
    except (DataSourceError, DataLayerError) as error:
        raise InputError(
            Text("the workbook cannot be read", "无法读取该工作簿"),
            where=str(path),
            found=str(error).split(";")[0],
            expected=Text("an .xlsx file that is not protected", "未加密的 .xlsx 文件"),
            mend=Text("open it and save it again as .xlsx or .csv", "请打开后另存为 .xlsx 或 .csv"),
        ) from error


def header_row(rows: Sequence[Sequence[str]], names: Iterable[str]) -> int | None:
    """Return the first of the upper rows that holds all names, however they are written; None where none does."""
    wanted = {fold(name) for name in names}
    return next((k for k, row in enumerate(rows[:HEADER_ROWS]) if wanted <= {fold(cell) for cell in row}), None)
