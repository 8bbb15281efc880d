"""Inverter sizes and voltage by capacity."""

from __future__ import annotations

import math

import numpy as np
import pytest
from pydantic import ValidationError

from rooftop.campaign.rules import prices
from rooftop.scene.inverters import InverterRules, inverter_table, load_inverter_rules, size_inverters


@pytest.mark.parametrize(
    ("kwp", "count", "unit", "voltage"),
    [
        (5.8, 1, 5.0, "220 V"),  # 4.83 kW wanted
        (8.0, 1, 8.0, "220 V"),  # 6.67
        (8.01, 1, 8.0, "380 V"),
        (60.0, 1, 50.0, "380 V"),  # exactly 50
        (60.1, 1, 60.0, "380 V"),
        (128.0, 1, 110.0, "380 V"),  # 106.7
        (200.0, 2, 100.0, "380 V"),  # 166.7
        (400.0, 4, 100.0, "380 V"),  # 333.3
        (401.0, 4, 100.0, "10 kV"),
        (6000.0, 46, 110.0, "10 kV"),  # 5000
        (6500.0, 50, 110.0, "35 kV"),
    ],
)
def test_fewest_equal_units_of_the_class(kwp: float, count: int, unit: float, voltage: str) -> None:
    found = size_inverters(kwp, 1.2)
    assert (found.count, found.unit_kw, found.voltage) == (count, unit, voltage)
    assert found.ac_kw * found.dc_ac_ratio == pytest.approx(kwp)


def test_never_smaller_than_wanted_never_a_unit_too_many() -> None:
    largest = {kind.voltage: max(kind.unit_kw) for kind in load_inverter_rules().classes}
    for kwp in np.random.default_rng(0).uniform(0.4, 9000, 500):
        found = size_inverters(kwp, 1.2)
        assert found.dc_ac_ratio <= 1.2 + 1e-9
        assert (found.count - 1) * largest[found.voltage] < kwp / 1.2


def test_a_roof_without_modules_has_none() -> None:
    for nothing in (0.0, math.nan, -1.0):
        found = size_inverters(nothing, 1.2)
        assert (found.count, found.ac_kw, found.voltage) == (0, 0.0, "")


def test_table_keeps_the_order() -> None:
    table = inverter_table([0.0, 60.0, 5.8], 1.2)
    assert table["inverter_ac_kw"].tolist() == [0.0, 50.0, 5.0]
    assert table["connection_voltage"].isna().tolist() == [True, False, False]
    assert table["connection_voltage"].tolist()[1:] == ["380 V", "220 V"]
    assert table["dc_ac_ratio"].tolist() == pytest.approx([math.nan, 1.2, 1.16], nan_ok=True)


def test_voltage_steps_are_those_of_the_connection_in_economics() -> None:
    steps = prices().connection.steps
    mine = [(kind.up_to_kwp, kind.voltage) for kind in load_inverter_rules().classes]
    assert mine == [(step.up_to_kwp, step.voltage) for step in steps]


@pytest.mark.parametrize("limits", [(8, 6, None), (8, 400, 6000)])
def test_classes_that_leave_a_gap_are_refused(limits: tuple[float | None, ...]) -> None:
    classes = [{"voltage": "x", "up_to_kwp": limit, "unit_kw": [5], "source": "s"} for limit in limits]
    with pytest.raises(ValidationError, match="up_to_kwp"):
        InverterRules.model_validate({"date": "2026-11-21", "source": "s", "classes": classes})
