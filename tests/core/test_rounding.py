"""Numbers for people claim no more than they know."""

from __future__ import annotations

import math
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rooftop.core.rounding import (
    NONE,
    Interval,
    area,
    capacity,
    carbon,
    coal,
    energy,
    money_span,
    number,
    percent,
    percent_range,
    real,
    significant,
    span,
    years_span,
)

values = st.floats(min_value=1e-6, max_value=1e12, allow_nan=False)


@given(values, st.integers(1, 5))
def test_rounding_outwards_brackets_the_value(value: float, digits: int) -> None:
    low, high = significant(value, digits, "down"), significant(value, digits, "up")
    assert float(low) <= value * (1 + 1e-9) and float(high) >= value * (1 - 1e-9)
    assert low <= significant(value, digits) <= high


@given(values, st.integers(1, 5))
def test_nearest_is_within_half_a_step(value: float, digits: int) -> None:
    rounded = float(significant(value, digits))
    step = 10.0 ** (math.floor(math.log10(value)) - digits + 1)
    assert abs(rounded - value) <= 0.5000001 * step


@given(values)
def test_printed_number_is_the_rounded_one(value: float) -> None:
    assert Decimal(number(value).replace(",", "")) == significant(value, 3)


def test_a_binary_tail_does_not_push_a_bound() -> None:
    assert significant(0.1 + 0.2, 1, "up") == Decimal("0.3")


@pytest.mark.parametrize("nothing", [None, float("nan"), pd.NA, float("inf")])
def test_null_is_a_dash(nothing: object) -> None:
    assert number(nothing) == percent(nothing) == capacity(nothing) == NONE


@pytest.mark.parametrize(
    ("share", "target", "text"),
    [(0.498, 0.5, "49.8%"), (0.5, 0.5, "50%"), (0.49996, 0.5, "49.996%"), (0.5004, 0.5, "50.04%"), (0.474, 0.5, "47%")],
)
def test_a_missed_target_never_reads_as_met(share: float, target: float, text: str) -> None:
    assert percent(share, against=target) == text


def test_bounds_are_rounded_outwards_and_left_out_where_they_say_nothing() -> None:
    assert percent_range(Interval(0.4119, 0.473, 0.5181)) == "47% (41%–52%)"
    assert percent_range(Interval(0.2, 0.2, 0.2)) == "20%"
    assert percent_range(Interval(math.nan, math.nan, math.nan)) == NONE


def test_units_follow_the_reader() -> None:
    assert energy(231_456, "zh") == "23.1 万kWh" and energy(231_456, "en") == "231 MWh"
    assert area(42_000, "zh") == "4.20 万㎡" and area(42_000, "en") == "42,000 m²"
    assert capacity(3412, "zh") == "3.41 MWp"
    assert carbon(130_123, "zh") == "130 t CO₂"
    assert money_span(Interval(660_000, 700_000, 990_000), "zh") == "66–99 万元"
    assert span("800 kWp", "1.2 MWp") == "800 kWp–1.2 MWp"


def test_payback_that_never_comes_says_so() -> None:
    assert years_span(Interval(3.21, 6.0, 14.1), 25).en == "3.2–15 years"
    assert years_span(Interval(9.0, math.inf, math.inf), 25).zh == "9.0 年至超过 25 年"
    assert "not within 25" in years_span(Interval(math.inf, math.inf, math.inf), 25).en


def test_cells_are_numbers_or_refused() -> None:
    assert [real(value) for value in (2, True, 0.5, "1e3", np.int64(7), Decimal("2.5"))] == [2, 1, 0.5, 1000, 7, 2.5]
    with pytest.raises(TypeError, match="list is no number"):
        real([1.0])
    with pytest.raises(ValueError, match="viel"):
        real("viel")


@pytest.mark.parametrize(
    ("kgce", "zh", "en"),
    [
        (62.0, "62.0 kgce", "62.0 kgce"),
        (12_430.0, "12.4 tce", "12.4 tce"),
        (9.99e6, "9,990 tce", "9.99 ktce"),
        (2.63e7, "2.63 万tce", "26.3 ktce"),
    ],
)
def test_standard_coal_in_the_units_of_the_plans(kgce: float, zh: str, en: str) -> None:
    # 1 万tce are ten thousand tonnes, 10^7 kg.
    assert (coal(kgce, "zh"), coal(kgce, "en")) == (zh, en)
