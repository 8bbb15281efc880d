"""Files that are taken for weather files and are another product: named, with what to take instead."""

from __future__ import annotations

import re
from functools import lru_cache

from rooftop.core.datamodel import Label, Model
from rooftop.core.errors import InputError
from rooftop.core.lang import Text
from rooftop.core.resources import load_shipped

KINDS = "EPW, TMY3, PVGIS (CSV, JSON), NASA POWER (CSV, JSON)"
_HEAD = 20_000


class Product(Model):
    """A file that is not hourly weather: how its beginning looks, what it is, what to take instead."""

    pattern: str
    what: Label
    mend: Label


class WeatherProducts(Model):
    """Typed view of `configs/weather_products.yaml`."""

    date: object
    products: list[Product]


@lru_cache(maxsize=1)
def _products() -> tuple[tuple[re.Pattern[str], Text, Text], ...]:
    rows = load_shipped(WeatherProducts, "weather_products.yaml").products
    return tuple((re.compile(row.pattern, re.MULTILINE | re.IGNORECASE), row.what.text, row.mend.text) for row in rows)


def refuse_other_product(raw: bytes, text: str, source: str) -> None:
    """Raise where a file is a product beside hourly weather.

    Parameters
    ----------
    raw : bytes
        Beginning of the file.
    text : str
        The file as text.
    source : str
        The file.

    Raises
    ------
    InputError
        Naming what it is and what to take instead (``configs/weather_products.yaml``).
    """
    heads = (text[:_HEAD], raw[:64].decode("latin-1"))
    for pattern, what, mend in _products():
        match = pattern.search(heads[0]) or pattern.search(heads[1])
        if match is not None:
            line = match.string[match.string.rfind("\n", 0, match.start()) + 1 :].lstrip().split("\n", 1)[0]
            raise InputError(
                Text("this is {what}", "该文件是{what}").format(what=what),
                where=source,
                found="".join(c if c.isprintable() else " " for c in line[:80]),
                expected=Text(f"a year of hours: {KINDS}", f"全年逐时数据：{KINDS}"),
                mend=mend,
            )
