"""A worksheet that is safe and readable: text stays text, columns fit Chinese, pages print."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import xlsxwriter
from rich.cells import cell_len
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from rooftop.core.filenames import is_taken, legal_name
from rooftop.core.lang import Lang, Text
from rooftop.core.rounding import is_missing, real, significant
from rooftop.outputs.guard import FORMULA_STARTS

Style = Literal["text", "wrap", "count", "quantity", "exact", "percent", "degree", "blank"]
MAX_CELL = 32_767
MAX_ROWS = 1_048_000  # a sheet holds 1 048 576
# Widest fitted column by style, in characters: a list of twenty columns must still be read when printed on A4.
_WIDEST: dict[Style, float] = {
    "text": 17,
    "wrap": 60,
    "count": 9,
    "quantity": 9,
    "exact": 14,
    "percent": 8.5,
    "degree": 11,
    "blank": 16,
}
_LINE = 15.0  # points per line of 10-point text; Chinese fonts stand taller than Latin ones
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff]|[\ud800-\udfff]")
_SHEET_ILLEGAL = re.compile(r"[\[\]:*?/\\]")
_FONT: dict[Lang, str] = {"zh": "Microsoft YaHei", "en": "Calibri"}
# Three significant digits: more are never shown, whatever the magnitude.
_QUANTITY = "[>=100]#,##0;[>=10]#,##0.0;#,##0.00"


@dataclass(frozen=True)
class SheetColumn:
    """One column of a sheet.

    Parameters
    ----------
    label : Text
    key : str
        SheetColumn of the frame that is written; it may be missing for ``blank``.
    style : str
        ``text``; ``wrap`` for long text; ``count`` (integer); ``quantity`` (three significant digits);
        ``exact`` (a declared number, as it is);
        ``percent`` (given as a share); ``degree`` (six decimals); ``blank`` (to be filled in by hand).
    width : float, optional
        Characters; fitted to the contents when left out.
    against : str or float
        Of a ``percent``: key of the target beside it, or a value such as 0. Digits are added until the share stands on
        the same side of the target as it does in truth, so that 49.96 % never reads as a fulfilled 50.0 %.
    """

    label: Text
    key: str
    style: Style = "text"
    width: float | None = None
    against: str | float = ""


def cell_text(value: object) -> str:
    """Return a value as text a worksheet can hold: no control characters, not too long, nothing for null."""
    if is_missing(value):
        return ""
    text = _CONTROL.sub("", str(value))
    return text if len(text) <= MAX_CELL else text[: MAX_CELL - 1] + "…"


def display_width(text: str) -> int:
    """Return the width of the widest line in characters; Chinese ones count twice."""
    return max(cell_len(line) for line in text.split("\n"))


def sheet_name(name: str, taken: Iterable[str] = ()) -> str:
    """Return a legal sheet name: at most 31 characters, no brackets, colons, slashes or wildcards, not taken yet."""
    base = _SHEET_ILLEGAL.sub("_", _CONTROL.sub("", name)).strip("'")[:31] or "Sheet"
    used = {other.lower() for other in taken}
    out, k = base, 2
    while out.lower() in used:
        suffix = f"_{k}"
        out, k = base[: 31 - len(suffix)] + suffix, k + 1
    return out


def file_name(name: object, fallback: object, taken: Iterable[str] = ()) -> str:
    """Return a file name without suffix that Windows, macOS and Linux accept.

    Parameters
    ----------
    name, fallback : str
        `fallback` is used where nothing legal is left of `name`, and joined to it where the name is taken.
    taken : iterable of str
        Names used before, compared as a file system without case does.
    """
    base = legal_name(cell_text(name)) or legal_name(cell_text(fallback)) or "_"
    used = list(taken)
    out = f"{base}_{legal_name(cell_text(fallback))}" if is_taken(base, used) else base
    k = 2
    while is_taken(out, used):
        out, k = f"{base}_{k}", k + 1
    return out


class WorkbookSheets:
    """Formats of one workbook, and sheets made with them.

    Parameters
    ----------
    workbook : xlsxwriter.Workbook
        Opened with ``strings_to_formulas`` and ``strings_to_urls`` off.
    lang : {"zh", "en"}
    footer : str
        Left part of the page footer.
    """

    def __init__(self, workbook: xlsxwriter.Workbook, lang: Lang, footer: str) -> None:
        self.workbook = workbook
        self.lang = lang
        self.footer = cell_text(footer).replace("&", "&&")[:120]
        self._formats: dict[tuple[tuple[str, Any], ...], Format] = {}
        self._cells: dict[tuple[str, tuple[tuple[str, Any], ...]], Format] = {}

    def format(self, **properties: Any) -> Format:
        """Return a format, one object for the same properties."""
        base = {"font_name": _FONT[self.lang], "font_size": 10, "valign": "vcenter"}
        key = tuple(sorted({**base, **properties}.items()))
        if key not in self._formats:
            self._formats[key] = self.workbook.add_format(dict(key))
        return self._formats[key]

    @property
    def header(self) -> Format:
        """Format of header cells."""
        return self.format(
            bold=True,
            text_wrap=True,
            align="center",
            bg_color="#1F4E79",
            font_color="#FFFFFF",
            border=1,
            border_color="#9FB6CC",
        )

    def cell(self, style: Style, **more: Any) -> Format:
        """Format of body cells of a style."""
        key = (style, tuple(sorted(more.items())))
        if key not in self._cells:
            self._cells[key] = self._cell(style, more)
        return self._cells[key]

    def _cell(self, style: Style, more: dict[str, Any]) -> Format:
        numeric = {"count": "#,##0", "quantity": _QUANTITY, "exact": "General", "percent": "0.0%", "degree": "0.000000"}
        properties: dict[str, Any] = {"border": 1, "border_color": "#D5DCE3", **more}
        if style in numeric:
            properties |= {"num_format": numeric[style], "align": "right", "indent": 1} | more
        elif style in ("text", "wrap"):
            properties |= {"text_wrap": True, "num_format": "@"}
        return self.format(**properties)

    def add_sheet(self, name: Text) -> Worksheet:
        """Add a sheet that prints on A4 landscape, one page wide."""
        sheet = self.workbook.add_worksheet(sheet_name(name.pick(self.lang), self.workbook.sheetnames))
        sheet.set_landscape()
        sheet.set_paper(9)
        sheet.fit_to_pages(1, 0)
        sheet.set_margins(left=0.4, right=0.4, top=0.5, bottom=0.6)
        page = "第 &P 页，共 &N 页" if self.lang == "zh" else "Page &P of &N"
        sheet.set_footer(f"&L&8{self.footer}&C&8&A&R&8{page}")
        sheet.hide_gridlines(2)
        return sheet

    def write(
        self, sheet: Worksheet, row: int, column: int, value: object, style: Style, against: object = None, **more: Any
    ) -> None:
        """Write one cell; text is never taken for a formula, a number or a link; `against` as in `Column`.

        A word may stand where a number is not known.
        """
        if style == "blank" or is_missing(value) or value == "":
            sheet.write_blank(row, column, None, self.cell(style, **more))
        elif style in ("text", "wrap") or isinstance(value, str):
            text = cell_text(value)
            quoted = {"quote_prefix": True} if text.startswith(FORMULA_STARTS) else {}
            sheet.write_string(row, column, text, self.cell(style, **more, **quoted))
        else:
            number = shown_number(value, style)
            if style == "quantity" and number == 0:
                more["num_format"] = "0"
            if style == "percent" and not is_missing(against):
                number, decimals = share_beside(real(value), real(against))
                more["num_format"] = f"0.{'0' * decimals}%"
            sheet.write_number(row, column, number, self.cell(style, **more))

    def table(
        self,
        sheet: Worksheet,
        columns: Sequence[SheetColumn],
        rows: Sequence[Mapping[str, Any]],
        *,
        top: int = 0,
        empty: Text | None = None,
        bold: Iterable[int] = (),
        follows: bool = False,
        repeat: bool = True,
    ) -> int:
        """Write a header and its rows, with frozen header, filter, fitted widths and a repeated header in print.

        Parameters
        ----------
        sheet : Worksheet
        columns : sequence of SheetColumn
        rows : sequence of mapping
        top : int
            Row of the header.
        empty : Text, optional
            Sentence written where there are no rows.
        bold : iterable of int
            Rows to emphasise.
        follows : bool
            Another table stands above: its widths, panes and filter stay.
        repeat : bool
            Whether the header is repeated on every printed page.

        Returns
        -------
        int
            First free row below.
        """
        strong = set(bold)
        left_out = len(rows) - MAX_ROWS
        rows = rows[:MAX_ROWS]
        widths = [self._width(column, rows) for column in columns]
        for k, (column, width) in enumerate(zip(columns, widths, strict=True)):
            sheet.write_string(top, k, column.label.pick(self.lang), self.header)
            if not follows:
                sheet.set_column(k, k, width)
        labels = [column.label.pick(self.lang) for column in columns]
        sheet.set_row(top, _LINE * self._height(labels, widths) + 6)
        for r, row in enumerate(rows, start=top + 1):
            more = {"bold": True} if r - top - 1 in strong else {}
            for k, column in enumerate(columns):
                beside = row.get(column.against) if isinstance(column.against, str) else column.against
                self.write(sheet, r, k, row.get(column.key), column.style, beside, **more)
            texts = [cell_text(row.get(c.key)) if c.style in ("text", "wrap") else "" for c in columns]
            sheet.set_row(r, min(_LINE * self._height(texts, widths) + 4, 400))
        last = top + max(len(rows), 1)
        if not rows and empty is not None:
            sheet.write_string(top + 1, 0, empty.pick(self.lang), self.format(italic=True, font_color="#666666"))
        if left_out > 0:
            text = Text(f"{left_out} more rows are in the CSV file.", f"其余 {left_out} 行见 CSV 文件。")
            self.plain(sheet, last + 1, 0, text.pick(self.lang), bold=True)
        if follows:
            return last + 1
        sheet.freeze_panes(top + 1, min(3, len(columns)) if len(columns) > 8 else 0)
        sheet.autofilter(top, 0, last, len(columns) - 1)
        if repeat:
            sheet.repeat_rows(top)
        return last + 1

    def plain(self, sheet: Worksheet, row: int, column: int, text: str, **properties: Any) -> None:
        """Write text without a border: titles and notes."""
        sheet.write_string(row, column, cell_text(text), self.format(**properties))

    def lines(self, text: str, width: int) -> int:
        """Return how many lines a wrapped text takes in a column of `width` characters."""
        return sum(max(-(-display_width(line) // width), 1) for line in text.split("\n"))

    def _header_width(self, label: str) -> float:
        """Width at which a header breaks well: between words, before its unit, or in the middle of a long term."""
        if self.lang == "en":
            return max(display_width(word) for word in label.split()) + 2.0
        parts = [display_width(part) for part in label.replace("(", "\n(").split("\n")]
        return max(-(-part // 2) if part > 10 else part for part in parts) + 2.0

    def _height(self, texts: Iterable[str], widths: Iterable[float]) -> int:
        """Lines of the highest cell: not every program fits rows to wrapped text by itself."""
        return max(self.lines(text, int(width * 1.04)) for text, width in zip(texts, widths, strict=True))

    def _width(self, column: SheetColumn, rows: Sequence[Mapping[str, Any]]) -> float:
        if column.width is not None:
            return column.width
        header = self._header_width(column.label.pick(self.lang))
        widest = 0
        for row in rows:
            value = row.get(column.key)
            if column.style in ("text", "wrap") or isinstance(value, str):
                widest = max(widest, display_width(cell_text(value)))
            elif column.style == "degree":
                widest = max(widest, 10)
            elif not is_missing(value):
                widest = max(widest, len(f"{shown_number(value, column.style):,.0f}") + 1)
        return float(max(min(widest + 1.5, _WIDEST[column.style]), header))


def shown_number(value: object, style: Style) -> float:
    """Return a number rounded to what is shown, so that a copied cell claims no more digits."""
    number = real(value)
    if style == "exact":
        return number
    if style == "count":
        return float(round(number))
    if style == "quantity":
        return float(significant(number, 3))
    return round(number, 3 if style == "percent" else 6)


def share_beside(share: float, target: float) -> tuple[float, int]:
    """Return a share rounded so that it stands on its own side of a target, and the decimals of its percentage."""

    def side(value: float) -> int:
        difference = value - target
        return 0 if abs(difference) < 1e-9 else 1 if difference > 0 else -1

    for decimals in range(1, 8):
        rounded = round(share, decimals + 2)
        if side(rounded) == side(share):
            return rounded, decimals
    return share, 8
