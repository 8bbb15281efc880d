"""Floors and heights as people write them, and both held against each other."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from rooftop.core.errors import InputError
from rooftop.core.lang import Text
from rooftop.core.notices import Notice
from rooftop.core.types import B1
from rooftop.inputs.attributes import NumberReading, ParsedColumn, blank_outside, each, half_width, read_numbers, texts
from rooftop.inputs.input_limits import input_limits
from rooftop.inputs.numerals import arabic
from rooftop.inputs.source_words import source_words

FLOORS_RULE = Text(
    "the full storeys that surely stand above ground (6/-1 and 6+1 are 6, 5-6 is 5, 1-6 is 6)",
    "取地上确有的整层数（6/-1、6+1 取 6，5-6 取 5，1-6 取 6）",
)
HEIGHT_RULE = Text(
    "converted to metres; the lower of two heights, the height of height and floors",
    "换算为米；两个高度取低者，“高度/层数”取高度",
)
_BRACKETS = re.compile(r"[(\[{【〔][^()\[\]{}【】〔〕]*[)\]}】〕]")
_NUMBER = r"(?:\d+(?:\.\d*)?|\.\d+)"
_BELOW, _CUT = "!", "|"
_EDGES = "|-/+;~"


# --- floors ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class StatedFloors:
    """A column of floors.

    Parameters
    ----------
    values : pandas.Series
        StatedFloors above ground, float64, NaN where missing.
    underground : ndarray of bool
        Rows that name floors below ground only.
    notices : tuple of Notice
    """

    values: pd.Series
    underground: B1
    notices: tuple[Notice, ...]


def floors(column: pd.Series, key: str, where: str) -> StatedFloors:
    """Read floors above ground: 6, ６层, 三层, 地上6层, 6/-1, 6+1, 5-6.

    Parameters
    ----------
    column : pandas.Series
    key : str
        Configuration key, for messages.
    where : str
        File.

    Raises
    ------
    InputError
        As `rooftop.inputs.attributes.read_numbers`.
    """
    parsed = read_numbers(column, key, where, read_storeys, FLOORS_RULE, comma_lists=True)
    if pd.api.types.is_numeric_dtype(column):
        return StatedFloors(parsed.values, np.zeros(len(column), dtype=bool), parsed.notices)
    below = np.array(each(texts(column), lambda text: _names_only_basements(half_width(text)), False), dtype=bool)
    return StatedFloors(parsed.values.where(~below), below, parsed.notices)


def read_storeys(text: str) -> NumberReading | None:
    """Read floors above ground; 0 where only floors below ground are named, None where no number can be told.

    Examples
    --------
    >>> [read_storeys(text).value for text in ("6+1", "6/-1", "地上二十三层", "6层半", "F6", "5-6", "1-6层", "B1")]
    [6.0, 6.0, 23.0, 6.5, 6.0, 5.0, 6.0, 0.0]
    >>> read_storeys("多层") is None
    True
    """
    bare = text.casefold().replace(" ", "")
    if re.fullmatch(r"[+-]?\d+(?:\.\d*)?", bare):
        return NumberReading(float(bare))
    if bare in source_words().floors.words:
        return NumberReading(float(source_words().floors.words[bare]), by_rule=True)
    marked = _mark_words(bare)
    if marked is None or marked.startswith("+1"):  # an attic of nothing
        return None
    marked, more = marked.rstrip("+|"), marked.endswith("+")
    above = re.sub(rf"[{re.escape(_EDGES)}]?{_BELOW}\|?(?:{_NUMBER})?\|?", _CUT, marked).strip(_EDGES)
    if not above:
        return NumberReading(0.0, by_rule=True) if _BELOW in marked else None
    reading = _one_of(above)
    simple = re.fullmatch(rf"{_NUMBER}(?:{_any_of(source_words().floors.units)})?", bare)
    return reading if reading is None else NumberReading(reading.value, by_rule=reading.by_rule or more or not simple)


def _names_only_basements(text: str) -> bool:
    reading = read_storeys(text)
    return reading is not None and reading.value == 0.0 and re.fullmatch(r"[+-]?0+(?:\.0*)?", text) is None


def _mark_words(text: str) -> str | None:
    """Return a text with words as marks: | cuts, ! goes before floors below ground, ~ ; + / stand between numbers.

    A + at the end is "or more"; None where the number is only an upper bound.
    """
    vocabulary = source_words().floors
    text = _without_brackets(_without_about(arabic(text)))
    text, bound = _without_bound(text, vocabulary.or_more, vocabulary.or_less)
    if bound < 0:
        return None
    units = _any_of(vocabulary.units)
    attics = _any_of(vocabulary.attics)
    text = re.sub(rf"(\d)(?:{units})?(?:{attics})(?=\d)", r"\1;", text)  # 4跃5: a flat on both
    text = re.sub(rf"(?:[+带加]\d*)?(?:{attics})", "+1", text)
    text = re.sub(rf"(\d)(?:{units})?{vocabulary.half}", r"\1.5", text)
    text = re.sub(r"-{2,}|[–—]+", "-", text)
    text = re.sub(rf"(?<![a-z])(?:{_any_of(vocabulary.below)})|(?<![\d.{_CUT}a-z])-(?=\d)", _BELOW, text)
    text = re.sub(rf"{_any_of(vocabulary.above)}|(?<=\d)(?:{units})", _CUT, text)
    text = re.sub(rf"(?<![a-z])(?:{_any_of(vocabulary.before)})(?=\d)", _CUT, text)
    joins = source_words().joins
    text = re.sub(_any_of(joins.range), "~", text)
    text = re.sub(_any_of(joins.either), ";", text)
    text = re.sub(r"\|*([~;+/])\|*", r"\1", re.sub(r"\|+", _CUT, text))
    return f"{text}+" if bound > 0 else text


def _one_of(text: str) -> NumberReading | None:
    """Settle on one of the numbers of a text with marks."""
    if re.fullmatch(_NUMBER, text):
        return NumberReading(float(text))
    if re.fullmatch(rf"{_NUMBER}(?:\+{_NUMBER})+", text):
        return NumberReading(float(text.split("+")[0]), by_rule=True)
    if re.fullmatch(rf"{_NUMBER}(?:;{_NUMBER})+", text):
        return NumberReading(min(map(float, text.split(";"))), by_rule=True)
    if not re.fullmatch(rf"{_NUMBER}[~/]{_NUMBER}", text):
        return None
    first, second = map(float, re.split("[~/]", text))
    if "/" in text:  # above and below ground, or the floor of so many
        return NumberReading(max(first, second), by_rule=True)
    if first == 1.0 and second >= 3.0:  # from the first floor to the last
        return NumberReading(second, by_rule=True)
    return NumberReading(first, by_rule=True)  # 6-1 of a topographic map: one below ground


# --- heights ---------------------------------------------------------------------------------------------------------


def heights(column: pd.Series, key: str, where: str) -> ParsedColumn:
    """Read heights in metres: 12.5, 12,5 米, 约12m, 40 ft, 12.5/3 (with the floors), 9-12.

    Parameters and errors are those of `rooftop.inputs.attributes.read_numbers`.
    """
    return read_numbers(column, key, where, read_length_m, HEIGHT_RULE)


def read_length_m(text: str) -> NumberReading | None:
    """Read one length, metres where it names no unit; None where it is none.

    Examples
    --------
    >>> [round(read_length_m(text).value, 2) for text in ("约12米", "h=40 ft", "1250cm", "12.5/3", "9-12m", "24米以上")]
    [12.0, 12.19, 12.5, 12.5, 9.0, 24.0]
    """
    bare = _without_about(text.casefold().replace(" ", "").replace("′", "'").replace("’", "'"))
    for name in _longest_first(source_words().length_names):
        bare = re.sub(rf"^{re.escape(name)}[=:]?(?=[\d.])", "", bare)
    vocabulary, joins = source_words().floors, source_words().joins
    bare, bound = _without_bound(_without_brackets(_without_about(bare)), vocabulary.or_more, vocabulary.or_less)
    if bound < 0:
        return None
    if match := re.fullmatch(rf"({_NUMBER})(?:'|ft|feet|英尺)({_NUMBER})(?:\"|''|in|inch|英寸)?", bare):
        feet = float(match.group(1)) + float(match.group(2)) / 12.0
        return NumberReading(feet * source_words().lengths["ft"], by_rule=True)
    unit = f"({_any_of(source_words().lengths)})?"
    if match := re.fullmatch(rf"([+-]?{_NUMBER}(?:e[+-]?\d+)?){unit}", bare):
        number, name = match.groups()
        return NumberReading(_metres(number, name), by_rule=bound > 0 or _metres("1", name) != 1.0)
    marks = "|".join(map(_any_of, (joins.range, joins.either, ["/"])))
    match = re.fullmatch(rf"({_NUMBER}){unit}({marks})({_NUMBER}){unit}({_any_of(vocabulary.units)})?", bare)
    if match is None:
        return None
    first, unit_1, mark, second, unit_2, storeys = match.groups()
    low, high = _metres(first, unit_1 or unit_2), _metres(second, unit_2 or unit_1)
    if mark == "/" and (storeys or _may_be_floors(low, second, unit_2)):
        return NumberReading(_metres(first, unit_1), by_rule=True)
    return None if storeys else NumberReading(min(low, high), by_rule=True)


def _metres(number: str, unit: str | None) -> float:
    return float(number) * source_words().lengths[unit or "m"]


def _may_be_floors(height_m: float, count: str, unit: str | None) -> bool:
    """Whether a number behind a height may be its floors: whole, without a unit, of believable storeys."""
    low, high = input_limits().storey_m.row
    return unit is None and count.isdigit() and int(count) > 0 and low <= height_m / int(count) <= high


# --- words -----------------------------------------------------------------------------------------------------------


def _longest_first(given: Iterable[str]) -> list[str]:
    return sorted((word.casefold() for word in given), key=len, reverse=True)


def _any_of(given: Iterable[str]) -> str:
    return "|".join(map(re.escape, _longest_first(given)))


def _without_about(text: str) -> str:
    for word in _longest_first(source_words().about):
        text = text.removeprefix(word).removesuffix(word)
    return text


def _without_brackets(text: str) -> str:
    """Take away what stands in brackets, where a number stands outside; else only the brackets."""
    outside = _BRACKETS.sub("", text)
    return outside if re.search(r"\d", outside) else re.sub(r"[()\[\]{}【】〔〕]", "", text)


def _without_bound(text: str, more: Iterable[str], less: Iterable[str]) -> tuple[str, int]:
    """Return a text without what says "at least" (1) or "at most" (-1), and which it was, else 0."""
    for sign, marks, ends in ((1, r"^(?:>=?|≥)", more), (-1, r"^(?:<=?|≤)", less)):
        bare = re.sub(rf"{marks}|(?:{_any_of(ends)})(?:{_any_of(source_words().floors.units)})?$", "", text)
        if bare != text:
            return bare, sign
    return text, 0


# --- a file ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class StatedHeights:
    """Heights and floors as a file states them.

    Parameters
    ----------
    height_m, floors : pandas.Series
        float64, NaN where missing or impossible. A building of floors below ground only has 0 of both.
    absurd : ndarray of bool
        Rows with an impossible height.
    underground : ndarray of bool
        Rows without a height whose floors are below ground only.
    notices : tuple of Notice
    """

    height_m: pd.Series
    floors: pd.Series
    absurd: B1
    underground: B1
    notices: tuple[Notice, ...]


def stated_heights(
    table: pd.DataFrame, height_field: str | None, floors_field: str | None, labelled: pd.Series, where: str
) -> StatedHeights:
    """Read the heights and floors that a file states, and hold them against each other.

    Parameters
    ----------
    table : DataFrame
    height_field, floors_field : str or None
    labelled : pandas.Series
        StatedFloors that labels of structures hold (混3), used where no floors field says any.
    where : str
        File.

    Raises
    ------
    InputError
        As `rooftop.inputs.attributes.read_numbers`.
    """
    blank = pd.Series(np.nan, index=table.index, dtype="float64")
    height, count = blank, blank
    absurd, underground = np.zeros(len(table), dtype=bool), np.zeros(len(table), dtype=bool)
    notices: list[Notice] = []
    if floors_field:
        read = floors(table[floors_field], "fields.floors", where)
        what, most = Text("floor counts", "层数值"), float(input_limits().floors.max)
        _, kept = blank_outside(read.values, 0.0, most, "floors_absurd", what, where)
        count, underground = kept.values, read.underground
        notices += [*read.notices, *kept.notices]
    from_label = count.isna() & labelled.notna() & ~underground
    if from_label.any():
        count = count.where(~from_label, labelled)
        n = int(from_label.sum())
        text = Text(
            f"the floors of {n} buildings are those of the label of their structure", f"{n} 栋建筑的层数取自结构注记"
        )
        notices.append(Notice("floors_from_structure", text, n, "info", where))
    if height_field:
        parsed = heights(table[height_field], "fields.height_m", where)
        what, most = Text("heights in metres", "高度值（米）"), input_limits().height_m.max
        _require_metres(parsed.values, count, height_field, where)
        mask, kept = blank_outside(parsed.values, 0.0, most, "height_absurd", what, where)
        height, absurd = kept.values, mask.to_numpy(dtype=bool)
        notices += [*parsed.notices, *kept.notices]
    notices += compare(height, count, where)
    underground = underground & height.isna().to_numpy()
    text = Text(
        "{n} buildings have floors below ground only: they have no height, and no roof",
        "{n} 栋建筑仅有地下层数：高度按 0 处理，不视为屋顶",
    )
    notices += Notice.counted("underground", underground, text, source=where)
    return StatedHeights(
        height.where(~underground, 0.0), count.where(~underground, 0.0), absurd, underground, tuple(notices)
    )


# --- both ------------------------------------------------------------------------------------------------------------


def compare(height_m: pd.Series, floors_above: pd.Series, where: str) -> tuple[Notice, ...]:
    """Hold heights and floors of the same buildings against each other.

    Parameters
    ----------
    height_m, floors_above : pandas.Series
        As the file states them, NaN where it does not.
    where : str
        File.

    Returns
    -------
    tuple of Notice
        ``storey_height``: the median height of a storey is not believable (`storey_m` of `configs/input_limits.yaml`),
        with what it may be: feet, centimetres, both fields swapped. ``storey_row``: single rows that contradict
        themselves. Nothing is changed.
    """
    bounds = input_limits().storey_m
    both = height_m.notna() & floors_above.notna() & (height_m > 0) & (floors_above > 0)
    ratio = height_m[both].astype(float) / floors_above[both].astype(float)
    tall = ratio[floors_above[both] >= 2.0]
    if len(tall) >= bounds.min_rows:
        median, (low, high) = float(tall.median()), bounds.median
        if not low <= median <= high:
            return (_median_notice(median, len(tall), where),)
    least, most = bounds.row
    single = floors_above[both] < 2.0
    odd = ratio[(ratio < least) | (ratio > most) & ~single | (ratio > bounds.single_row_max)]
    text = Text(
        f"{{n}} buildings have a height and floors that do not fit each other (outside {least:g}-{most:g} m a "
        "floor): both are used as they stand",
        f"{{n}} 栋建筑的高度与层数不符（每层不在 {least:g}~{most:g} 米之间），均按原值采用",
    )
    named = [f"{row}: {height_m[row]:g} m, {floors_above[row]:g}" for row in odd.index]
    return Notice.counted("storey_row", named, text, source=where)


def _median_notice(median_m: float, count: int, where: str) -> Notice:
    low, high = input_limits().storey_m.median
    guess = _guess(median_m, low, high)
    text = Text(
        "the median of height over floors is {median_m:.3g} m (of {count} buildings of two floors and more; {low:g}-"
        "{high:g} m is believable): {guess}",
        "{count} 栋两层及以上建筑的层高中位数为 {median_m:.3g} 米（合理范围 {low:g}~{high:g} 米）：{guess}",
    ).format(median_m=median_m, count=count, low=low, high=high, guess=guess)
    return Notice("storey_height", text, count, source=where, examples=(f"{median_m:.3g} m",))


def _guess(median_m: float, low: float, high: float) -> Text:
    """Say what heights and floors may be whose median storey is not believable."""
    if abs(median_m - 1.0) < 0.1:
        return Text("perhaps the field of heights holds floors", "高度字段可能是层数")
    if low <= 1.0 / median_m <= high:
        return Text("perhaps the fields of height and floors are swapped", "高度与层数字段可能对调")
    for en, zh, metres in _UNITS:
        if low <= median_m * metres <= high:
            return Text(
                f"perhaps the heights are in {en}; convert the field to metres", f"高度单位可能是{zh}，请先换算为米"
            )
    return Text("check the unit of the heights, and both fields", "请核对高度单位及这两个字段")


def _require_metres(height_m: pd.Series, floors_above: pd.Series, field: str, where: str) -> None:
    """Refuse a column of which most values are no heights in metres: the others are none either.

    Raises
    ------
    InputError
    """
    known = height_m[height_m > 0.0].astype(float)
    most, rule = input_limits().height_m.max, input_limits().not_metres
    beyond = known[known > most]
    high = len(beyond)
    if beyond.nunique() < rule.min_distinct or high < rule.min_share * len(known):
        return
    storeys = floors_above.reindex(known.index).clip(lower=1.0)
    typical = float((known / storeys.fillna(rule.usual_floors)).median())
    low, top = input_limits().storey_m.median
    unit = next(((en, zh) for en, zh, metres in _UNITS if low <= typical * metres <= top), None)
    raise InputError(
        Text("the heights are not in metres", "高度的单位不是米"),
        where=Text(f"fields.height_m: {field} ({where})", f"fields.height_m：{field}（{where}）"),
        found=Text(
            f"{high} of {len(known)} heights above {most:g}, the median is {known.median():,.6g}",
            f"{len(known)} 个高度中有 {high} 个大于 {most:g}，中位数为 {known.median():,.6g}",
        ),
        expected=Text("metres", "以米为单位"),
        mend=Text("convert the field to metres", "请将该字段换算为米")
        if unit is None
        else Text(f"they seem to be {unit[0]}: convert the field to metres", f"似为{unit[1]}：请将该字段换算为米"),
    )


_UNITS = (
    ("feet", "英尺", 0.3048),
    ("decimetres", "分米", 0.1),
    ("centimetres", "厘米", 0.01),
    ("millimetres", "毫米", 0.001),
)
