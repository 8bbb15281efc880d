"""Declared PV projects as people keep them: CSV in any encoding or XLSX, columns and units found out and shown."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd
import pyogrio
from pyogrio.errors import DataLayerError, DataSourceError

from rooftop.errors import InputError, UsageError
from rooftop.inputs.attributes import clean, parse_date, roof_types_of
from rooftop.inputs.encodings import BYTES, detect_encoding
from rooftop.inputs.vectors import check_file, did_you_mean, suggest
from rooftop.lang import Text
from rooftop.notices import Notice
from rooftop.resources import load_shipped_yaml

QUANTITIES = {"area": "area", "capacity": "capacity", "energy": "energy", "module_area": "area"}
"""Column that holds a quantity -> kind of unit."""
BASE_UNIT = {"area": Text("m²", "㎡"), "capacity": Text("kW", "kW"), "energy": Text("kWh", "kWh")}
_HEADER_ROWS = 10
_SAMPLES = 3
_NUMBER = re.compile(r"([+-]?(?:\d{1,3}(?:[, ]\d{3})+|\d+)?(?:\.\d+)?(?:e[+-]?\d+)?)\s*(.*)", re.DOTALL)
_BRACKETS = re.compile(r"^(.*?)\s*[(\[{<【]\s*([^()\[\]{}<>【】]*)\s*[)\]}>】]\s*$")


@dataclass(frozen=True)
class Project:
    """One project as declared; None where nothing usable is said.

    Parameters
    ----------
    row : int
        Line of the file, from 1; place in the pack for a claim.
    name, district, roof_type : str or None
        `roof_type` is a key of `configs/roof_types.yaml`.
    area_m2, capacity_kw, annual_kwh, module_area_m2 : float or None
    year : int or None
    unread : tuple of (str, str)
        Column and text of values that could not be read.
    """

    row: int
    name: str | None = None
    district: str | None = None
    area_m2: float | None = None
    capacity_kw: float | None = None
    annual_kwh: float | None = None
    module_area_m2: float | None = None
    year: int | None = None
    roof_type: str | None = None
    unread: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Taken:
    """A column that was taken, for people to check.

    Parameters
    ----------
    key : str
        ``area capacity energy module_area name district year roof_type``.
    header : str
        As it stands in the file.
    unit : str
        Unit its numbers are read in, as people write it; empty where it has none.
    assumed : bool
        The unit stands nowhere in the file.
    samples : tuple of str
    """

    key: str
    header: str
    unit: str
    assumed: bool
    samples: tuple[str, ...]


@dataclass(frozen=True)
class Declared:
    """A file of declared projects.

    Parameters
    ----------
    projects : tuple of Project
        One per row that is not blank, in file order.
    columns : tuple of Taken
    unused : tuple of str
        Headers of columns that were not taken.
    encoding : str
        Empty for XLSX.
    notices : tuple of Notice
    """

    projects: tuple[Project, ...]
    columns: tuple[Taken, ...]
    unused: tuple[str, ...]
    encoding: str
    notices: tuple[Notice, ...]


@dataclass
class _Plan:
    """Where each key stands: its column, and the factor to the base unit."""

    at: dict[str, int] = field(default_factory=dict)
    unit: dict[str, str] = field(default_factory=dict)
    assumed: set[str] = field(default_factory=set)


@cache
def _settings() -> dict[str, Any]:
    found: dict[str, Any] = load_shipped_yaml("audit.yaml")
    return found


def fold(text: str) -> str:
    """Return `text` for comparing: full-width and squared forms folded, no case, no outer blanks."""
    return unicodedata.normalize("NFKC", text).strip().casefold()


@cache
def _units(kind: str) -> dict[str, float]:
    return {fold(str(name)): float(factor) for name, factor in _settings()["units"][kind].items()}


def read_declared(
    path: Path,
    *,
    columns: Mapping[str, str] | None = None,
    units: Mapping[str, str] | None = None,
    encoding: str | None = None,
    sheet: str | None = None,
) -> Declared:
    """Read a file of declared projects.

    Parameters
    ----------
    path : Path
        ``.csv`` ``.txt`` ``.tsv`` in any usual encoding, or ``.xlsx``.
    columns : mapping of str to str, optional
        Key -> header, where the guess is wrong; an empty header means none.
    units : mapping of str to str, optional
        ``area capacity energy module_area`` -> unit, where the header states none or a wrong one.
    encoding : str, optional
        Of a CSV; found out when left out.
    sheet : str, optional
        Of a workbook; the first with a column of numbers that is recognised when left out.

    Returns
    -------
    Declared
        Every row that is not blank; a value that cannot be read is named in `Project.unread`.

    Raises
    ------
    InputError, UsageError
        No such file, column, sheet or unit; no column that can be audited.
    """
    sheets, codec = read_rows(path, encoding, sheet, "FILE")
    names, given = dict(columns or {}), dict(units or {})
    _known_keys(names, _settings()["columns"], "--column")
    _known_keys(given, QUANTITIES, "--unit")
    best = max(sheets, key=lambda name: _header(sheets[name], names)[1])
    rows = sheets[best]
    head, found = _header(rows, names)
    if not found:
        raise _nothing_found(path, rows[head] if rows else [])
    return _read(path, rows, head, names, given, codec)


def _known_keys(given: Mapping[str, str], known: Mapping[str, Any], option: str) -> None:
    for key in given:
        if key not in known:
            raise UsageError(
                Text("there is no such key", "没有这个键"),
                where=option,
                found=key,
                expected=", ".join(known),
                mend=suggest(did_you_mean(key, list(known)), Text("choose one of these", "请从中选择")),
            )


def _nothing_found(path: Path, header: Sequence[str]) -> InputError:
    return InputError(
        Text("no column of area, capacity or energy was recognised", "未能识别面积、容量或发电量列"),
        where=str(path),
        found=", ".join(h for h in header if h) or Text("no header", "没有表头"),
        expected=Text(
            "e.g. 屋顶面积(㎡), 装机容量(kW), 年发电量(万kWh)", "如 屋顶面积(㎡)、装机容量(kW)、年发电量(万kWh)"
        ),
        mend=Text(
            "name the columns: --column area=... --column capacity=... --column energy=...",
            "请指定列名：--column area=… --column capacity=… --column energy=…",
        ),
    )


# --- files -----------------------------------------------------------------------------------------------------------


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
        return dict(_workbook(path, sheet)), ""
    if path.suffix.lower() in (".csv", ".txt", ".tsv"):
        text, codec = _decoded(path, encoding)
        return {"": _csv_rows(text)}, codec
    raise InputError(
        Text("this kind of file cannot be read", "不支持这种文件格式"),
        where=str(path),
        found=path.suffix or Text("no suffix", "无扩展名"),
        expected=".csv, .xlsx",
        mend=Text("save the table as .xlsx or .csv", "请另存为 .xlsx 或 .csv"),
    )


def _decoded(path: Path, encoding: str | None) -> tuple[str, str]:
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
            where="--encoding",
            found=encoding,
            expected="gbk, gb18030, utf-8, utf-16",
        ) from error


def _csv_rows(text: str) -> list[list[str]]:
    lines = [line for line in text.splitlines()[:20] if line.strip()]
    delimiter = max(",;\t，", key=lambda mark: sum(line.count(mark) for line in lines))
    return [[cell.strip() for cell in row] for row in csv.reader(io.StringIO(text), delimiter=delimiter)]


def _workbook(path: Path, sheet: str | None) -> Iterator[tuple[str, list[list[str]]]]:
    try:
        names = [str(row[0]) for row in pyogrio.list_layers(path)]
        if sheet is not None and sheet not in names:
            raise UsageError(
                Text("the workbook has no such sheet", "工作簿中没有该工作表"),
                where="--sheet",
                found=sheet,
                expected=", ".join(names),
                mend=suggest(did_you_mean(sheet, names), Text("choose one of these", "请从中选择")),
            )
        for name in names if sheet is None else [sheet]:
            options = {"HEADERS": "DISABLE", "FIELD_TYPES": "STRING"}
            frame = pyogrio.read_dataframe(path, layer=name, read_geometry=False, use_arrow=False, **options)
            yield name, [[clean(v) or "" for v in row] for row in frame.astype(object).itertuples(index=False)]
    except (DataSourceError, DataLayerError) as error:
        raise InputError(
            Text("the workbook cannot be read", "无法读取该工作簿"),
            where=str(path),
            found=str(error).split(";")[0],
            expected=Text("an .xlsx file that is not protected", "未加密的 .xlsx 文件"),
            mend=Text("open it and save it again as .xlsx or .csv", "请打开后另存为 .xlsx 或 .csv"),
        ) from error


# --- columns ---------------------------------------------------------------------------------------------------------


def _bare(text: str) -> str:
    return re.sub(r"[\s_\-:：、，,。.]+", "", fold(text))


def split_unit(header: str) -> tuple[str, str | None, str | None]:
    """Take the unit off a column name.

    Returns
    -------
    tuple of (str, str or None, str or None)
        The name without it, the unit as folded text, its kind (``area capacity energy``); None where there is none.
    """
    text = fold(header)
    match = _BRACKETS.match(text)
    if match is not None:
        unit = unit_of(match.group(2))
        if unit is not None:
            return match.group(1), *unit
    for cut in range(1, len(text) + 1):
        # The longest ending that is a unit; a Latin one must not be the tail of a word ("flow" is no watt).
        tail = text[-(len(text) - cut + 1) :]
        before = text[: len(text) - len(tail)]
        if tail[0].isascii() and tail[0].isalpha() and before and before[-1].isascii() and before[-1].isalpha():
            continue
        unit = unit_of(tail)
        if unit is not None:
            return before.rstrip("_ /:：-·,，"), *unit
    return text, None, None


def unit_of(text: str) -> tuple[str, str] | None:
    """Return a unit and its kind, ``per year`` taken off; None when it is none."""
    bare = fold(text).strip("_ /:：-()")
    for ending in sorted((fold(str(e)) for e in _settings()["per_year"]), key=len, reverse=True):
        if bare.endswith(ending) and unit_of(bare.removesuffix(ending)):
            bare = bare.removesuffix(ending).strip()
            break
    bare = bare.replace(" ", "").removeprefix("单位:").removeprefix("单位")
    for kind in ("energy", "capacity", "area"):
        if bare in _units(kind):
            return bare, kind
    return None


def _header(rows: Sequence[Sequence[str]], names: Mapping[str, str]) -> tuple[int, int]:
    """Return the row of the header (a title may stand above it), and how many quantities it names."""
    scores = [sum(key in QUANTITIES for key in _plan(row, names).at) for row in rows[:_HEADER_ROWS]]
    best = max(scores, default=0)
    return (scores.index(best) if best else 0), best


def _plan(header: Sequence[str], names: Mapping[str, str]) -> _Plan:
    """Choose a column for each key: as told, else the best word of `configs/audit.yaml`."""
    plan, words = _Plan(), _settings()["columns"]
    never = [_bare(str(part)) for part in _settings()["never"]]
    split = [split_unit(cell) for cell in header]
    for key, name in names.items():
        hits = [k for k, cell in enumerate(header) if fold(cell) == fold(name)]
        if hits:
            plan.at[key] = hits[0]
    for exact in (True, False):
        for key, listed in words.items():
            if key in plan.at or key in names:
                continue
            for word in listed:
                hits = [
                    k
                    for k, (name, _, kind) in enumerate(split)
                    if k not in plan.at.values()
                    and not any(part in _bare(header[k]) for part in never)
                    and (kind is None or QUANTITIES.get(key) == kind)
                    and (_bare(name) == _bare(word) if exact else _bare(word) in _bare(name))
                ]
                if hits:
                    plan.at[key] = hits[0]
                    break
    for key in ("area", "capacity", "energy"):
        # A header that is nothing but a unit.
        hits = [k for k, (name, _, kind) in enumerate(split) if not name and kind == key]
        if key not in plan.at and key not in names and hits:
            plan.at[key] = hits[0]
    return plan


def _settle_units(plan: _Plan, header: Sequence[str], given: Mapping[str, str], path: Path) -> None:
    for key, kind in QUANTITIES.items():
        if key not in plan.at:
            continue
        _, unit, own = split_unit(header[plan.at[key]])
        if key in given:
            told = unit_of(given[key])
            if told is None or told[1] != kind:
                raise UsageError(
                    Text("this is no unit of the quantity", "该量没有这种单位"),
                    where=f"--unit {key}",
                    found=given[key],
                    expected=", ".join(_settings()["units"][kind]),
                )
            unit, own = told
        if unit is not None and own != kind:
            raise InputError(
                Text("the unit of the column does not fit what it holds", "列的单位与内容不符"),
                where=Text(f"{header[plan.at[key]]} ({path})", f"{header[plan.at[key]]}（{path}）"),
                found=unit,
                expected=", ".join(_settings()["units"][kind]),
                mend=Text(f"state it: --unit {key}=...", f"请指定：--unit {key}=…"),
            )
        if unit is None:
            plan.assumed.add(key)
        plan.unit[key] = unit or fold(BASE_UNIT[kind].en)


def written_unit(unit: str) -> str:
    """Return a folded unit as people write it: ``万kWh`` for ``万kwh``."""
    for part in ("kWh", "MWh", "GWh", "kWp", "MWp", "GWp", "kW", "MW", "GW", "Wp", "m²"):
        if fold(part) in unit:
            return unit.replace(fold(part), part)
    return unit


# --- rows ------------------------------------------------------------------------------------------------------------


def quantity(text: str, kind: str, unit: str) -> float | None:
    """Read a number with or without its own unit, in m², kW or kWh.

    Parameters
    ----------
    text : str
        ``600``, ``1,234.5``, ``约 600 kW``, ``14.6万kWh``.
    kind : {"area", "capacity", "energy"}
    unit : str
        Used where the text states none.

    Returns
    -------
    float or None
        None where it is no number or its unit is not of the kind.
    """
    bare = fold(text)
    for word in sorted((fold(str(w)) for w in _settings()["about"]), key=len, reverse=True):
        bare = bare.removeprefix(word).strip()
    match = _NUMBER.fullmatch(bare)
    if match is None or not match.group(1).strip("+-"):
        return None
    rest = match.group(2).strip()
    own = unit_of(rest) if rest else None
    if not rest:
        factor = _units(kind)[unit]
    elif rest == "万":
        factor = 1e4 * _units(kind)[unit]
    elif own is not None and own[1] == kind:
        factor = _units(kind)[own[0]]
    else:
        return None
    return float(match.group(1).replace(",", "").replace(" ", "")) * factor


def _read(
    path: Path,
    rows: Sequence[Sequence[str]],
    head: int,
    names: Mapping[str, str],
    given: Mapping[str, str],
    encoding: str,
) -> Declared:
    header = [str(cell).replace("\n", "") for cell in rows[head]]
    for key, name in names.items():
        if name and fold(name) not in [fold(cell) for cell in header]:
            raise UsageError(
                Text("the file has no such column", "文件中没有该列"),
                where=f"--column {key}",
                found=name,
                expected=", ".join(cell for cell in header if cell),
                mend=suggest(did_you_mean(name, header), Text("choose one of these", "请从中选择")),
            )
    plan = _plan(header, names)
    _settle_units(plan, header, given, path)
    body = [(head + 2 + k, row) for k, row in enumerate(rows[head + 1 :]) if any(cell.strip() for cell in row)]
    kinds, notices = _roof_kinds(body, plan, path)
    projects = tuple(_project(line, row, plan, kind) for (line, row), kind in zip(body, kinds, strict=True))
    taken = tuple(
        Taken(
            key,
            header[at],
            written_unit(plan.unit.get(key, "")),
            key in plan.assumed,
            tuple(row[at] for _, row in body[:_SAMPLES] if at < len(row)),
        )
        for key, at in sorted(plan.at.items(), key=lambda item: item[1])
    )
    unused = tuple(cell for k, cell in enumerate(header) if cell and k not in plan.at.values())
    return Declared(projects, taken, unused, encoding, (*notices, *_counted(projects, path)))


def _roof_kinds(
    body: Sequence[tuple[int, Sequence[str]]], plan: _Plan, path: Path
) -> tuple[list[str | None], tuple[Notice, ...]]:
    at = plan.at.get("roof_type")
    if at is None:
        return [None] * len(body), ()
    column = pd.Series([row[at] if at < len(row) else None for _, row in body], dtype=object, name="roof_type")
    parsed = roof_types_of(column, {}, str(path))
    return [None if pd.isna(value) else str(value) for value in parsed.values], parsed.notices


def _project(line: int, row: Sequence[str], plan: _Plan, roof_type: str | None) -> Project:
    def text(key: str) -> str | None:
        at = plan.at.get(key)
        return clean(row[at]) if at is not None and at < len(row) else None

    unread: list[tuple[str, str]] = []
    values: dict[str, float | None] = {}
    for key, kind in QUANTITIES.items():
        written = text(key)
        value = None if written is None else quantity(written, kind, plan.unit[key])
        if written is not None and (value is None or not value > 0):
            unread.append((key, written))
            value = None
        values[key] = value
    written = text("year")
    date = None if written is None else parse_date(written)
    if written is not None and date is None:
        unread.append(("year", written))
    return Project(
        row=line,
        name=text("name"),
        district=text("district"),
        area_m2=values["area"],
        capacity_kw=values["capacity"],
        annual_kwh=values["energy"],
        module_area_m2=values["module_area"],
        year=None if date is None else date[0],
        roof_type=roof_type,
        unread=tuple(unread),
    )


def _counted(projects: Sequence[Project], path: Path) -> tuple[Notice, ...]:
    bad = [(project.row, value) for project in projects for _, value in project.unread]
    if not bad:
        return ()
    n, rows = len(bad), len({row for row, _ in bad})
    text = Text(
        f"{n} values in {rows} rows are no positive number or year; they count as missing",
        f"{rows} 行中有 {n} 个值不是正数或年份，按缺失处理",
    )
    examples = tuple(f"{row}: {value}" for row, value in bad[:5])
    return (Notice("declared_unread", text, len(bad), source=str(path), examples=examples),)
