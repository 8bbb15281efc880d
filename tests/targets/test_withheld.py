"""Uses that appear in no output: one list, in configs/coverage.yaml, decides everywhere."""

from __future__ import annotations

import ast
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

import rooftop
import rooftop.targets.withheld
from rooftop.core.lang import Text
from rooftop.outputs.map.payload import without_withheld
from rooftop.targets.basis import counted
from rooftop.targets.coverage_rules import coverage_rules
from rooftop.targets.withheld import withheld, withheld_use_names


@pytest.fixture
def two_uses(monkeypatch: pytest.MonkeyPatch) -> None:
    rules = coverage_rules().model_copy(update={"withheld_uses": ("military", "religious")})
    monkeypatch.setattr(rooftop.targets.withheld, "coverage_rules", lambda: rules)


def roofs() -> gpd.GeoDataFrame:
    uses = pd.array(["office", "military", "religious", None, "school"], dtype="string")
    table = {"building_use": uses, "status": "ok", "reasons": [[], [], [], [], ["military"]]}
    return gpd.GeoDataFrame(table, geometry=[shapely.Point(0, 0)] * 5)


def test_military_use_is_withheld() -> None:
    assert withheld(roofs()).tolist() == [False, True, False, False, False]
    assert withheld_use_names() == Text("military", "军事")


@pytest.mark.usefixtures("two_uses")
def test_another_use_of_the_list_is_withheld_everywhere() -> None:
    assert withheld(roofs()).tolist() == [False, True, True, False, False]
    assert np.flatnonzero(counted(roofs())).tolist() == [0, 3, 4]
    assert without_withheld(roofs()).index.tolist() == [0, 3]
    assert withheld_use_names() == Text("military, religious", "军事、宗教")


def test_no_line_of_code_knows_better() -> None:
    """The only "military" in the sources is the code of the notice that counts."""
    package = Path(rooftop.__file__).parent
    places = [
        path.relative_to(package).as_posix()
        for path in sorted(package.rglob("*.py"))
        if "_data" not in path.relative_to(package).parts  # the example's generator travels in the wheel
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and node.value == "military"
    ]
    assert places == ["job/status.py"]
