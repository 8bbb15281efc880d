"""Names of natural persons: who is one, and what of a building may be shown.

The one rule for every map, list, table and report. A name is shown where it is an institution's or a firm's; it is
withheld where it is a natural person's, and where nothing tells whose it is and the building may be a home. Telephone
and identity numbers are never shown. Words and surnames are those of `configs/personal_names.yaml`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import cache, lru_cache
from typing import Literal, TypeVar

import pandas as pd

from rooftop.core.lang import Text
from rooftop.core.notices import Notice
from rooftop.core.personal_names import personal_names
from rooftop.core.rounding import is_missing

Withheld = Literal["person", "maybe"]
"""Why an owner is not shown: a natural person, or nobody knows whose name it is."""

MASK = "＊＊"
WITHHELD = "owner_withheld"
"""Column that `masked` adds: ``person``, ``maybe`` or null."""

FrameT = TypeVar("FrameT", bound=pd.DataFrame)
_HALF = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {0x3000: 0x20}
_HAN = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U000323af〇"
_DOT = "·•・‧∙．"
_BREAK = r"、,，;；/&＆+|:：()（）\[\]【】〔〕<>《》\n"
_DATE = r"(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])"
_IDENTITY = (
    rf"(?<![\dA-Za-z])[1-9]\d{{5}}(?:18|19|20)\d{{2}}{_DATE}\d{{3}}[\dXx](?![\dA-Za-z])"  # identity number, GB 11643
    rf"|(?<![\dA-Za-z])[1-9]\d{{7}}{_DATE}\d{{3}}(?![\dA-Za-z])"  # the same of fifteen digits
)
_NUMBERS = re.compile(
    rf"{_IDENTITY}"
    r"|(?<!\d)(?:\+?86[- ]?)?1[3-9]\d[- ]?\d{4}[- ]?\d{4}(?!\d)"  # mobile telephone
    r"|(?<!\d)(?:\(0\d{2,3}\)[- ]?|0\d{2,3}[- ])\d{7,8}(?!\d)"  # telephone with its area
    r"|\+\d{1,3}[- ]?(?:\d[- ]?){8,13}(?!\d)"
    r"|(?<=电话|手机|联系|号码)[:：]?\s*\d[\d -]{5,}\d"
    r"|[\w.+-]+@[\w-]+(?:\.[\w-]+)+"
)
_LATIN_WORD = r"[A-ZÀ-ÖØ-Þ](?:[a-zß-öø-ÿ'’]+|\.)(?:-[A-ZÀ-ÖØ-Þ][a-zß-öø-ÿ'’]+)*"
_LATIN_NAME = re.compile(
    rf"(?:(?:M|Mr|Mrs|Ms|Mme|Mlle|Dr|Herr|Frau|Dhr|Mevr)\.?\s+\S.*)"
    rf"|{_LATIN_WORD}(?:,?\s+(?:(?:van|von|de|der|den|del|della|di|da|du|la|le|el|al|bin|ibn|ter|ten|zu)\s+)*{_LATIN_WORD}){{1,3}}"
)


def _alternatives(words: Iterable[str]) -> str:
    """Return an alternative of words, the longest first."""
    return "|".join(re.escape(word) for word in sorted(set(words), key=lambda w: (-len(w), w)))


def _flatten(lists: Iterable[Iterable[str]]) -> list[str]:
    return [word for words in lists for word in words]


def _half_width(text: str) -> str:
    """Return a text of the same length with full-width letters, digits and marks folded."""
    return text if text.isascii() else text.translate(_HALF)


# --- owners ----------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=4096)
def _is_person_type(text: str) -> bool | None:
    types = personal_names().owner_types
    for words, person in ((types.institution, False), (types.person, True)):
        for word in words:
            at = rf"\b{re.escape(word)}" if word.isascii() else re.escape(word)
            if re.search(at, text):
                return person
    return None


def is_natural_person(owner_type: object) -> bool | None:
    """Say whether an owner is a natural person; None when its type is not known.

    Parameters
    ----------
    owner_type : str or null
        As the source writes it (自然人, 个人, private …).
    """
    return None if is_missing(owner_type) else _is_person_type(_half_width(str(owner_type)).strip().lower())


@cache
def _institution_pattern() -> re.Pattern[str]:
    entry = personal_names().institutions
    endings = [
        rf"[{_HAN}\d]{{{length - 1},}}(?:{_alternatives(words)})(?=$|[\s{_BREAK}])"
        for length, words in entry.endings.items()
    ]
    known = rf"(?:^|(?<=[\s{_BREAK}]))(?:{_alternatives(entry.known)})(?=$|[\s{_BREAK}])"
    # Latin words whole, with or without the dots of an abbreviation: Co., S.A.
    latin = rf"(?<![\w])(?:{_alternatives(entry.words)})\.?(?![\w])"
    return re.compile("|".join([_alternatives(_flatten(entry.contains)), known, *endings, latin]), re.IGNORECASE)


def names_an_institution(text: str) -> bool:
    """Say whether a name holds a word of institutions or firms: 公司, 医院, 村委会, Ltd, GmbH."""
    half = _half_width(text)
    return bool(
        _institution_pattern().search(half) or _institution_pattern().search(re.sub(r"(?<=\b[A-Za-z])\.", "", half))
    )


@cache
def _surnames(common: bool) -> str:
    entry = personal_names().surnames
    single = "".join(entry.common.split()) + ("" if common else "".join(entry.rest.split()))
    return rf"(?:{_alternatives(entry.compound)}|[{single}])"


@cache
def _person_pattern() -> re.Pattern[str]:
    """A text that is a person's name and nothing else: 张三, 欧阳测试, 李某某, 阿里木·买买提."""
    words, surname = personal_names(), _surnames(False)
    hidden = "".join(re.escape(mark) for mark in words.hidden)
    name = (
        rf"{surname}[{_HAN}]{{1,2}}"
        rf"|{surname}{surname}[{_HAN}]{{1,2}}"
        rf"|{surname}[{_HAN}]?[{hidden}Xx]{{1,3}}[{_HAN}]?"
        rf"|[{_HAN}]{{1,8}}(?:[{_DOT}][{_HAN}]{{1,8}})+"
    )
    behind = rf"(?:{_alternatives(words.behind)}|等?\s*[\d一二三四五六七八九十两]*\s*[人名户家]?)"
    return re.compile(rf"(?:{_alternatives(words.labels)})?\s*(?:{name}){behind}")


def looks_like_a_person(text: str) -> bool:
    """Say whether a text looks like the name of one natural person: a surname and one or two characters, or a · in it.

    Names in Latin script are two to four capitalised words.
    """
    half = re.sub(rf"(?<=[{_HAN}])\s+(?=[{_HAN}](?:\s|$))", "", _half_width(text).strip())
    if half in _not_names():
        return False
    return bool(_person_pattern().fullmatch(half) or _LATIN_NAME.fullmatch(half))


@cache
def _not_names() -> frozenset[str]:
    return frozenset([*_flatten(personal_names().not_names), *personal_names().labels])


def _parts(text: str) -> list[str]:
    """Return the parts of an owner's name: persons are listed, firms name a person in brackets."""
    parts = [part.strip() for part in re.split(rf"[{_BREAK}]", text) if part.strip()]
    spaced = [piece for part in parts for piece in part.split() if re.search(f"[{_HAN}]", part)]
    return list(dict.fromkeys([*parts, *spaced]))


@lru_cache(maxsize=65536)
def shown_owner(
    owner: str, owner_type: str | None, is_public_institution: str, building_use: str
) -> tuple[str | None, Withheld | None]:
    """Return what of an owner's name may be shown, and why the rest may not.

    Parameters
    ----------
    owner : str
    owner_type : str or None
        As the source writes it.
    is_public_institution : str
        yes | no | unknown.
    building_use : str

    Returns
    -------
    tuple of (str or None, str or None)
        The name, persons in it masked; None where it is withheld, with ``person`` or ``maybe``.
    """
    natural = is_natural_person(owner_type)
    if natural:
        return None, "person"
    if names_an_institution(owner):
        people = [part for part in _parts(owner) if not names_an_institution(part) and looks_like_a_person(part)]
        return _without_names(shown_text(owner, homely=True), people), None
    if any(looks_like_a_person(part) for part in (owner, *_parts(owner))):
        return None, "person"
    if natural is False or is_public_institution == "yes" or building_use not in personal_names().homes:
        return shown_text(owner, homely=True), None
    return None, "maybe"


def _without_names(text: str, names: Iterable[str]) -> str:
    for name in sorted(names, key=len, reverse=True):
        if len(name) > 1:
            text = text.replace(name, MASK)
    return text


# --- running text ----------------------------------------------------------------------------------------------------


@cache
def _label_pattern() -> re.Pattern[str]:
    return re.compile(
        rf"(?:{_alternatives(personal_names().labels)})(?:[:：]\s*|\s*)(?P<name>{_surnames(True)}[{_HAN}]{{1,2}})"
        rf"(?=$|[\s\d{_BREAK}]|等|{_alternatives(personal_names().behind)})"
    )


@cache
def _home_patterns() -> tuple[re.Pattern[str], ...]:
    """Where the text of a home holds a name: called after it, at the end of an address, as a part by itself."""
    words = personal_names()
    name = rf"(?P<name>{_surnames(True)}[{_HAN}]{{1,2}}?|[{_HAN}]{{1,8}}(?:[{_DOT}][{_HAN}]{{1,8}})+)"
    before = rf"(?:^|(?<=[\s\d{_BREAK}])|(?<={'|'.join(_singles(words.address_tokens))})|(?<=单元))"
    behind = rf"(?:{_alternatives([*words.behind, *words.home_words])}|等\S*)"
    return (
        re.compile(rf"{before}{name}(?:的|之|家)?{behind}(?=$|[\s\d{_BREAK}])"),
        re.compile(rf"(?:[\d一二三四五六七八九十]|\b)(?:{_alternatives(words.address_tokens)})\s*[（(]?{name}[)）]?$"),
        re.compile(rf"(?:^|(?<=[{_BREAK}]))\s*{name}{behind}?\s*(?=$|[{_BREAK}])"),
    )


def _singles(words: Sequence[str]) -> list[str]:
    return [word for word in words if len(word) == 1]


def _is_name(candidate: str) -> bool:
    """Whether what stands where a name may stand is none of the words that merely begin like one."""
    words = personal_names()
    if candidate in _not_names() or candidate.endswith(words.place_endings):
        return False
    return not names_an_institution(candidate)


def _mask_matches(pattern: re.Pattern[str], text: str) -> str:
    """Mask what a pattern finds; where it has a group ``name``, that alone, if it can be one."""
    half, out, last = _half_width(text), [], 0
    for match in pattern.finditer(half):
        group = "name" if "name" in pattern.groupindex else 0
        start, end = match.span(group)
        if group == "name" and not _is_name(half[start:end]):
            continue
        out += [text[last:start], MASK]
        last = end
    return "".join([*out, text[last:]])


@lru_cache(maxsize=65536)
def shown_text(text: str, people: tuple[str, ...] = (), *, homely: bool) -> str:
    """Return a name or an address without what is personal in it.

    Parameters
    ----------
    text : str
    people : tuple of str
        Names of owners that are withheld.
    homely : bool
        The building is a home, or may be one: names are looked for wherever homes carry them (张三住宅, 3组张三). Of
        other buildings only what is labelled as a person (户主：张三).
    """
    text = _mask_matches(_NUMBERS, _without_names(text, people))
    for pattern in (_label_pattern(), *(_home_patterns() if homely else ())):
        text = _mask_matches(pattern, text)
    return text


# --- tables ----------------------------------------------------------------------------------------------------------

_NAMED = ("owner_name", "owner_type", "is_public_institution", "building_use", "building_name", "address")


def masked(roofs: FrameT) -> FrameT:
    """Return buildings as they may be shown.

    Parameters
    ----------
    roofs : DataFrame
        `tables.ROOFS`, or rows of it. One that was masked already comes back as it is.

    Returns
    -------
    DataFrame
        ``owner_name`` null where it is withheld, with the reason in ``owner_withheld``; persons in ``building_name``
        and ``address`` are ``＊＊``.
    """
    if WITHHELD in roofs:
        return roofs
    columns = [
        [None if is_missing(v) or not str(v).strip() else str(v) for v in roofs[name].to_numpy(dtype=object)]
        for name in _NAMED
    ]
    rows = [_mask_row(*row) for row in zip(*columns, strict=True)]
    names = ("owner_name", WITHHELD, "building_name", "address")
    return roofs.assign(
        **{name: pd.Series([row[k] for row in rows], index=roofs.index, dtype="string") for k, name in enumerate(names)}
    )


def _mask_row(
    owner: str | None,
    owner_type: str | None,
    public: str | None,
    use: str | None,
    name: str | None,
    address: str | None,
) -> tuple[str | None, str | None, str | None, str | None]:
    use, public = use or "unknown", public or "unknown"
    shown_name, why = (None, None) if owner is None else shown_owner(owner, owner_type, public, use)
    homely = (
        why is not None or bool(is_natural_person(owner_type)) or (use in personal_names().homes and public != "yes")
    )
    people: tuple[str, ...] = ()
    if owner is not None and shown_name != owner:
        people = tuple(p for p in (owner, *_parts(owner)) if len(p) > 1 and not names_an_institution(p))
        people = tuple(p for p in people if why is not None or looks_like_a_person(p))
    return (
        shown_name,
        why,
        None if name is None else shown_text(name, people, homely=homely),
        None if address is None else shown_text(address, people, homely=homely),
    )


# --- notices ---------------------------------------------------------------------------------------------------------


def without_numbers(notices: Iterable[Notice]) -> tuple[Notice, ...]:
    """Return notices whose examples hold no telephone, no identity number and no labelled name."""
    return tuple(
        replace(notice, examples=tuple(shown_text(example, homely=False) for example in notice.examples))
        for notice in notices
    )


def name_notices(roofs: pd.DataFrame, names_shown: bool) -> tuple[Notice, ...]:
    """Say what is withheld, or that names are shown, and whether ids look like persons' numbers.

    Parameters
    ----------
    roofs : DataFrame
        `tables.ROOFS`, names as read.
    names_shown : bool
        `outputs.personal_names`.
    """
    notices = []
    as_shown = masked(roofs)
    why = as_shown[WITHHELD].astype("string")
    n, maybe = int(why.notna().sum()), int((why == "maybe").sum())
    if n and names_shown:
        text = Text(
            f"map, report and lists name {n} owners who are natural persons, or may be (outputs.personal_names)",
            f"地图、报告与清单列出 {n} 个自然人（或可能为自然人）产权人姓名（outputs.personal_names）",
        )
        notices.append(Notice("personal_names_shown", text, n, "warning", "outputs.personal_names"))
    elif n:
        doubt = Text(
            f"; of {maybe} of them nothing says whether they are (map owner_type or is_public_institution to have "
            "firms named)",
            f"，其中 {maybe} 个无法判断是否自然人（如需列出单位名称，请映射 owner_type 或 is_public_institution）",
        )
        text = Text(
            f"{n} owners are not named in map, report and lists, as natural persons",
            f"地图、报告与清单未列出 {n} 个自然人产权人",
        ) + (doubt if maybe else "")
        notices.append(Notice("personal_names_withheld", text, n, "info", "outputs.personal_names"))
    ids = [str(value) for value in roofs["source_id"].dropna()]
    personal = sum(bool(re.fullmatch(_IDENTITY, _half_width(value).strip())) for value in ids)
    if personal > len(ids) / 2:
        text = Text(
            f"{personal} building ids look like persons' identity numbers: every output shows them; map fields.id to "
            "another field, or to null",
            f"{personal} 个建筑编号形似身份证号，将出现在所有输出中：请将 fields.id 改映射到其他字段或 null",
        )
        notices.append(Notice("ids_look_personal", text, personal, "warning", "inputs.footprints.fields.id"))
    return tuple(notices)
