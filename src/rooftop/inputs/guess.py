"""What a footprint file probably holds (`rooftop init`).

A guess is a proposal with samples beside it, for a person to confirm: nothing here is used by a run.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import shapely
from pyproj import CRS, Transformer

from rooftop.config import Datum, FieldMap
from rooftop.core.errors import InputError
from rooftop.core.lang import Text
from rooftop.core.notices import Notice
from rooftop.core.privacy import MASK, shown_owner, shown_text
from rooftop.inputs import attributes
from rooftop.inputs.capacities import read_capacities
from rooftop.inputs.dates import read_date
from rooftop.inputs.datums import in_gcj02_box
from rooftop.inputs.input_limits import input_limits
from rooftop.inputs.layers import open_vector_layer
from rooftop.inputs.quantities import split_unit
from rooftop.inputs.source_words import source_words
from rooftop.inputs.storeys import StatedFloors, floors, heights
from rooftop.inputs.vectors import Vector, read_vector

_SAMPLES = 3
_READERS: dict[str, Callable[[pd.Series, str, str], attributes.ParsedColumn | StatedFloors]] = {
    "height_m": heights,
    "floors": floors,
    "existing_pv_kwp": read_capacities,
}
_READABLE_SHARE = 0.8


@dataclass(frozen=True)
class FieldGuess:
    """One configuration key and the field that probably fills it.

    Parameters
    ----------
    key : str
        Of ``inputs.footprints.fields``.
    field : str
        Name in the file.
    samples : tuple of str
        A few values as they stand in the file, names of persons masked.
    filled : int
        Rows with a value.
    remark : Text or None
        What to know before confirming it.
    """

    key: str
    field: str
    samples: tuple[str, ...]
    filled: int
    remark: Text | None = None


@dataclass(frozen=True)
class UseGuess:
    """One value of the use field.

    Parameters
    ----------
    value : str
    count : int
    use : str
        What a run would take it for without `use_map`: ``unknown`` where it would not know.
    suggestion : str or None
        A use its words suggest, to be confirmed.
    """

    value: str
    count: int
    use: str
    suggestion: str | None


@dataclass(frozen=True)
class Guess:
    """What a footprint file probably holds.

    Parameters
    ----------
    path : Path
    layer : str or None
    features : int
    crs : str or None
        CRS the file states.
    crs_guess : str or None
        A CRS its coordinates suggest, when it states none.
    encoding : str
    datum : Datum
    datum_remark : Text
        Why, and what to check.
    fields : tuple of FieldGuess
    unused : tuple of str
        Fields that fill nothing.
    uses : tuple of UseGuess
        Values of the use field, the most frequent first.
    remarks : tuple of Text
    notices : tuple of Notice
        From reading the file.
    place : tuple of float or None
        Longitude and latitude of the middle [deg], where the CRS is known or guessed.
    """

    path: Path
    layer: str | None
    features: int
    crs: str | None
    crs_guess: str | None
    encoding: str
    datum: Datum
    datum_remark: Text
    fields: tuple[FieldGuess, ...]
    unused: tuple[str, ...]
    uses: tuple[UseGuess, ...]
    remarks: tuple[Text, ...]
    notices: tuple[Notice, ...]
    place: tuple[float, float] | None = None

    def field(self, key: str) -> str | None:
        """Return the field guessed for a key."""
        return next((f.field for f in self.fields if f.key == key), None)


def guess(path: Path, layer: str | None = None) -> Guess:
    """Look into a footprint file and guess what its fields, CRS, encoding and datum are.

    Parameters
    ----------
    path : Path
    layer : str, optional
        Needed when the file has several.

    Raises
    ------
    InputError
        As `rooftop.inputs.vectors.read_vector`, except for a missing CRS, which is guessed.
    """
    opened = open_vector_layer(path, layer=layer, role="--footprints")
    candidates = _candidates(opened.fields)
    columns = {f"{key}:{name}": name for key, names in candidates.items() for name in names}
    assumed = None if opened.crs is not None else "EPSG:4490"
    vector = read_vector(path, columns, layer=opened.layer, crs=assumed, role="--footprints")
    if not np.isfinite(shapely.total_bounds(vector.geometry)).all():
        raise InputError(
            Text("no row has a polygon", "所有行都没有面图形"),
            where=str(path),
            found=Text(f"{len(vector.table)} empty geometries", f"{len(vector.table)} 个空图形"),
            expected=Text("polygons", "面要素"),
            mend=Text("check the export", "请检查导出过程"),
        )
    fields = tuple(_choose_fields(candidates, vector))
    used = {f.field for f in fields}
    remarks = list(_unused_field_remarks(opened.fields)) + list(_missing_heights(fields))
    crs_guess = None if opened.crs is not None else _crs_of_coordinates(vector)
    datum, why = _datum(path, opened.crs, vector)
    return Guess(
        path=path,
        layer=opened.layer,
        features=len(vector.table),
        crs=_crs_label(opened.crs) if opened.crs is not None else None,
        crs_guess=crs_guess,
        encoding=opened.encoding or "utf-8",
        datum=datum,
        datum_remark=why,
        fields=fields,
        unused=tuple(name for name in opened.fields if name not in used),
        uses=_uses(fields, vector),
        remarks=tuple(remarks),
        notices=vector.notices,
        place=_place(opened.crs if opened.crs is not None else crs_guess, vector),
    )


def _simple(name: str) -> str:
    return re.sub(r"[\s_\-]", "", attributes.fold_text(name))


def _candidates(fields: tuple[str, ...]) -> dict[str, list[str]]:
    """Return, for each key, the fields whose name is known for it, best first."""
    names = {_simple(split_unit(name)[0]): name for name in reversed(fields)}
    names |= {_simple(name): name for name in reversed(fields)}
    matches: dict[str, list[str]] = {}
    for key in FieldMap.model_fields:
        known = [_simple(word) for word in source_words().fields.get(key, ())]
        matches[key] = list(dict.fromkeys(names[word] for word in known if word in names))
    return matches


def _choose_fields(candidates: dict[str, list[str]], vector: Vector) -> Iterator[FieldGuess]:
    """Yield the first believable candidate of each key; a field serves one key."""
    taken: set[str] = set()
    for key, names in candidates.items():
        for name in names:
            column = vector.table[name]
            if name in taken or not _believable(key, column):
                continue
            taken.add(name)
            filled = attributes.texts(column)
            samples = tuple(_sample_text(key, str(v)) for v in filled.dropna().drop_duplicates()[:_SAMPLES])
            yield FieldGuess(key, name, samples, int(filled.notna().sum()), _remark(key, column))
            break


def _sample_text(key: str, value: str) -> str:
    """Return a sample as it may stand in a file that is passed on: without names and numbers of persons."""
    if key == "owner_name":
        return shown_owner(value, None, "unknown", "unknown")[0] or MASK
    return shown_text(value, homely=key in ("building_name", "address"))


def _believable(key: str, column: pd.Series) -> bool:
    filled = attributes.texts(column).dropna()
    if filled.empty:
        return False
    if key in _READERS:
        try:
            values = _READERS[key](column, key, "").values.dropna()
        except InputError:
            return False
        if len(values) < _READABLE_SHARE * len(filled):
            return False
        if key == "existing_pv_kwp":
            return True
        limit = {"height_m": input_limits().height_m.max, "floors": input_limits().floors.max}[key]
        return bool(((values >= 0) & (values <= limit)).mean() > 0.9) and bool((values > 0).any())
    if key in ("year_built", "completion_date"):
        dated = [value for value in column.dropna().unique() if attributes.text_or_none(value) is not None]
        read = [read_date(value) for value in dated]
        years = [r is not None and (r.span or (r.year is not None and 1800 <= r.year <= 2050)) for r in read]
        return float(np.mean(years)) > 0.5
    if key in ("building_use", "is_public_institution", "structure", "roof_type", "owner_type"):
        return filled.nunique() <= max(3, min(200, len(filled) // 2))
    return True


def _remark(key: str, column: pd.Series) -> Text | None:
    filled = attributes.texts(column).dropna()
    if key == "id" and filled.duplicated().any():
        return Text(
            f"{filled.nunique()} distinct values in {len(column)} rows: repeated ids are replaced by geometry hashes",
            f"{len(column)} 行中仅 {filled.nunique()} 个不同值：重复编号将改用图形哈希",
        )
    if len(filled) < len(column):
        return Text(f"empty in {len(column) - len(filled)} rows", f"{len(column) - len(filled)} 行为空")
    return None


def _unused_field_remarks(fields: tuple[str, ...]) -> Iterator[Text]:
    never = {_simple(word) for word in source_words().never}
    for name in fields:
        if _simple(name) in never:
            yield Text(
                f"{name} counts basements too and is not used as floors above ground",
                f"{name} 含地下层数，不作为地上层数使用",
            )


def _missing_heights(fields: tuple[FieldGuess, ...]) -> Iterator[Text]:
    if not any(f.key in ("height_m", "floors") for f in fields):
        yield Text("no field of heights or floors was found", "未找到高度或层数字段")


def _uses(fields: tuple[FieldGuess, ...], vector: Vector) -> tuple[UseGuess, ...]:
    name = next((f.field for f in fields if f.key == "building_use"), None)
    if name is None:
        return ()
    frame = attributes.read_building_uses(vector.table[name], {}, vector.table.index, "")
    counts = frame["raw"].value_counts(sort=False)
    use_of = dict(zip(frame["raw"], frame["building_use"], strict=True))
    guesses = [UseGuess(str(v), int(n), str(use_of[v]), _suggestion(str(v))) for v, n in counts.items()]
    return tuple(sorted(guesses, key=lambda u: (-u.count, u.value)))


def _suggestion(value: str) -> str | None:
    lowered = attributes.fold_text(value)
    for entry in source_words().use_hints:
        if any(attributes.fold_text(part) in lowered for part in entry.contains):
            return entry.use
    return None


# --- CRS and datum ---------------------------------------------------------------------------------------------------


def _crs_label(crs: CRS) -> str:
    authority = crs.to_authority()
    return f"{':'.join(authority)} ({crs.name})" if authority else crs.name


def _crs_of_coordinates(vector: Vector) -> str | None:
    """Return the CRS that bare coordinates suggest: degrees, or Gauss-Krüger eastings with a zone prefix."""
    x0, y0, x1, y1 = (float(v) for v in shapely.total_bounds(vector.geometry))
    if max(abs(x0), abs(x1)) <= 180.0 and max(abs(y0), abs(y1)) <= 90.0:
        return "EPSG:4490" if bool(in_gcj02_box((x0 + x1) / 2, (y0 + y1) / 2)) else "EPSG:4326"
    zone = int((x0 + x1) / 2 // 1_000_000)
    return f"EPSG:{4488 + zone}" if 25 <= zone <= 45 else None


def _place(crs: CRS | str | None, vector: Vector) -> tuple[float, float] | None:
    """Return longitude and latitude of the middle of most polygons."""
    if crs is None:
        return None
    points = shapely.get_coordinates(shapely.centroid(vector.geometry[~shapely.is_missing(vector.geometry)]))
    x, y = (float(np.nanmedian(points[:, k])) for k in (0, 1))
    lon, lat = Transformer.from_crs(crs, "EPSG:4326", always_xy=True).transform(x, y)
    return (float(lon), float(lat)) if np.isfinite(lon) and np.isfinite(lat) else None


def _datum(path: Path, crs: CRS | None, vector: Vector) -> tuple[Datum, Text]:
    """Return the likely datum and why; in China nothing in a file can prove it."""
    lowered = attributes.fold_text(str(path.name))
    for entry in source_words().datum_names:
        if any(part in lowered for part in entry.contains):
            return entry.datum, Text("from the file name; check it", "据文件名推断，请核对")
    if crs is not None and any(name in crs.name.lower() for name in ("cgcs2000", "china geodetic")):
        return "cgcs2000", Text("the file states CGCS2000", "文件声明为CGCS2000")
    bounds = shapely.total_bounds(vector.geometry)
    if crs is not None and crs.is_geographic and bool(in_gcj02_box(bounds[[0, 2]], bounds[[1, 3]]).any()):
        return "wgs84", Text(
            "cannot be told from the file: gcj02 if it was taken from Amap or Tencent, bd09 from Baidu",
            "无法从文件判断：取自高德、腾讯的数据为 gcj02，取自百度的为 bd09",
        )
    if crs is None:
        return "wgs84", Text("the file states no CRS; check it", "文件未声明坐标系，请核对")
    return "wgs84", Text("as the CRS says", "以坐标系为准")
