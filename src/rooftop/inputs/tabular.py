"""Tables of people: CSV in any usual encoding or XLSX, read as text, cell by cell."""

from __future__ import annotations

import csv
import re
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO

import pyogrio

from rooftop.core.errors import InputError, UsageError
from rooftop.core.lang import Text
from rooftop.inputs.access import ZIP_ERRORS, check_zip, damaged_file_error, read_bounded
from rooftop.inputs.attributes import value_text
from rooftop.inputs.encodings import BYTES, detect_encoding
from rooftop.inputs.files import check_file, did_you_mean, suggest
from rooftop.inputs.input_files import input_files
from rooftop.inputs.quantities import fold_header
from rooftop.inputs.vector_files import gdal_name, settings

HEADER_ROWS = 10
"""Rows among which a header is looked for: a title may stand above it."""
_LONGEST_CELL_LINES = 50
_PIECE, _LONGEST_TAG = 1 << 20, 1 << 12
_IN_SHEET = re.compile(rb'(?P<row><(?:\w+:)?row\b(?:[^>]*?\br="(?P<at>\d{1,7})")?)|<(?:\w+:)?(?:v|is)>')


def read_rows(path: Path, encoding: str | None, sheet: str | None, role: str) -> tuple[dict[str, list[list[str]]], str]:
    """Read a CSV or a workbook as text, cell by cell.

    Returns
    -------
    tuple of dict and str
        Rows of each sheet (of a CSV: one without a name) up to the last with a value, and the encoding of a CSV.

    Raises
    ------
    InputError, UsageError
        No such file, sheet or encoding, or another kind of file; it is damaged, or longer than a table of people is.
    """
    check_file(path, role, a_file=True)
    if path.suffix.lower() == ".xlsx":
        return dict(_workbook(path, sheet, role)), ""
    if path.suffix.lower() in (".csv", ".txt", ".tsv"):
        text, codec = _read_text(path, encoding, role)
        return {"": _csv_rows(text, path, role)}, codec
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


def _most_rows() -> int:
    return input_files().table_rows.max


def _too_long_error(path: Path, role: str, rows: int) -> InputError:
    return InputError(
        Text("the table is too long", "表格过长"),
        where=f"{role}: {path}" if role else str(path),
        found=Text(f"a value in row {rows:,}", f"第 {rows:,} 行仍有内容"),
        expected=f"<= {_most_rows():,}",
        mend=Text("delete what stands below the table", "请删去表格下方的内容"),
    )


# --- CSV -------------------------------------------------------------------------------------------------------------


def _read_text(path: Path, encoding: str | None, role: str) -> tuple[str, str]:
    data = read_bounded(path, role)
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


def _csv_rows(text: str, path: Path, role: str) -> list[list[str]]:
    """Return the cells of each row; stray line ends and zero bytes of damaged files do not matter."""
    lines = re.sub(r"\r\n?", "\n", text.replace("\x00", "")).split("\n")
    first = [line for line in lines[:20] if line.strip()]
    delimiter = max(",;\t，", key=lambda mark: sum(line.count(mark) for line in first))
    reader = csv.reader((f"{line}\n" for line in lines), delimiter=delimiter)
    rows: list[list[str]] = []
    begin = 0
    try:
        for row in reader:
            if reader.line_num - begin > _LONGEST_CELL_LINES:
                raise _open_quote_error(path, role, begin + 1)
            if reader.line_num == len(lines) > begin + 1 and '"' not in lines[-1]:
                raise _open_quote_error(path, role, begin + 1)
            rows.append([value_text(cell) or "" for cell in row])
            if len(rows) > _most_rows():
                raise _too_long_error(path, role, len(rows))
            begin = reader.line_num
    except csv.Error as error:
        raise damaged_file_error(path, role, f"line {reader.line_num}: {error}") from error
    return _without_empty_end(rows)


def _without_empty_end(rows: list[list[str]]) -> list[list[str]]:
    """Return rows up to the last one with a value."""
    last = next((k for k in range(len(rows), 0, -1) if any(rows[k - 1])), 0)
    return rows[:last]


def _open_quote_error(path: Path, role: str, line: int) -> InputError:
    return InputError(
        Text("a quotation mark opens a cell and none closes it", "单元格的引号没有闭合"),
        where=Text(f"{role}: {path}, line {line}", f"{role}：{path} 第 {line} 行"),
        found=Text("the rows below would be one cell", "其后各行会被当作同一单元格"),
        expected=Text("quotation marks in pairs", "引号成对出现"),
        mend=Text('close it, or double a " that is text', '请补上引号；若引号是文本内容，请写成 ""'),
    )


# --- workbooks -------------------------------------------------------------------------------------------------------


def _workbook(path: Path, sheet: str | None, role: str) -> Iterator[tuple[str, list[list[str]]]]:
    if not zipfile.is_zipfile(path):  # an old .xls, or one with a password
        raise _no_workbook_error(path, Text("no .xlsx by its content", "内容并非 .xlsx 格式"))
    most = _last_row(path, role)
    if most > _most_rows():
        raise _too_long_error(path, role, most)
    try:
        with settings():
            name_of = gdal_name(path)
            names = [str(row[0]) for row in pyogrio.list_layers(name_of)]
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
                frame = pyogrio.read_dataframe(
                    name_of, layer=name, read_geometry=False, use_arrow=False, max_features=max(most, 1), **options
                )
                cells = [[value_text(v) or "" for v in row] for row in frame.astype(object).itertuples(index=False)]
                yield name, _without_empty_end(cells)
    except (RuntimeError, ValueError, TypeError, MemoryError) as error:
        raise _no_workbook_error(path, str(error).split(";")[0][:200]) from error


def _no_workbook_error(path: Path, found: Text | str) -> InputError:
    return InputError(
        Text("the workbook cannot be read", "无法读取该工作簿"),
        where=str(path),
        found=found,
        expected=Text("an .xlsx file that is not protected", "未加密的 .xlsx 文件"),
        mend=Text("open it and save it again as .xlsx or .csv", "请打开后另存为 .xlsx 或 .csv"),
    )


def _last_row(path: Path, role: str) -> int:
    """Return the number of the last row with a value on any sheet, read piece by piece: empty ones can be a million."""
    last = 0
    members = check_zip(path, role)
    with zipfile.ZipFile(path) as archive:
        for member in members:
            if not re.fullmatch(r"xl/worksheets/[^/]+\.xml", member.filename):
                continue
            try:
                with archive.open(member) as file:
                    last = max(last, _last_row_of(file))
            except ZIP_ERRORS as error:
                raise damaged_file_error(path, role, f"{member.filename}: {error}") from error
    return last


def _last_row_of(sheet: IO[bytes]) -> int:
    """Return the last row of a sheet with a value: ``<v>`` or ``<is>`` in a ``<row r="…">`` (ECMA-376, 18.3.1)."""
    row = last = 0
    carry = b""
    while piece := sheet.read(_PIECE):
        text = carry + piece
        cut = text.rfind(b"<")
        carry = text[cut:] if cut >= 0 and len(text) - cut < _LONGEST_TAG else b""
        for match in _IN_SHEET.finditer(text, 0, len(text) - len(carry)):
            if match["row"] is not None:
                row = int(match["at"]) if match["at"] else row + 1
            else:
                last = max(last, row)
    return last


def header_row(rows: Sequence[Sequence[str]], names: Iterable[str]) -> int | None:
    """Return the first of the upper rows that holds all names, however they are written; None where none does."""
    keys = {fold_header(name) for name in names}
    return next((k for k, row in enumerate(rows[:HEADER_ROWS]) if keys <= {fold_header(cell) for cell in row}), None)
