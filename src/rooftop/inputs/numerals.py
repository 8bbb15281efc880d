"""Chinese numerals."""

from __future__ import annotations

import re

_DIGITS = dict(zip("零〇一二三四五六七八九两壹贰叁肆伍陆柒捌玖", [0, 0, *range(1, 10), 2, *range(1, 10)], strict=True))
_TENS = {"十": 10, "拾": 10, "百": 100, "佰": 100}
_NUMERAL = re.compile("[" + "".join((*_DIGITS, *_TENS, "廿", "卅")) + "]+")


def arabic(text: str) -> str:
    """Replace Chinese numerals by what they count: 二十三 → 23, 十 → 10, 一百零二 → 102, 廿一 → 21.

    Examples
    --------
    >>> arabic("地上二十三层")
    '地上23层'
    """
    return _NUMERAL.sub(lambda match: str(_value(match.group())), text)


def digits(text: str) -> str:
    """Replace Chinese digits one by one, as years are written: 二〇二一 → 2021, 一九九八 → 1998."""
    return "".join(str(_DIGITS[c]) if c in _DIGITS else c for c in text)


def _value(numeral: str) -> int:
    numeral = numeral.replace("廿", "二十").replace("卅", "三十")
    if not any(c in _TENS for c in numeral):
        return int(digits(numeral))
    total, digit = 0, 0
    for c in numeral:
        if c in _TENS:
            total, digit = total + (digit or 1) * _TENS[c], 0
        else:
            digit = _DIGITS[c]
    return total + digit
