"""Existing PV against its roof: units honoured or asked for, what cannot be refused by name, what hardly can said."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pytest
import shapely

import rooftop
from rasters import write_raster
from rooftop.config import Config, Inputs
from rooftop.core.errors import InputError
from rooftop.core.notices import Notice
from rooftop.inputs.audit_limits import audit_limits
from rooftop.inputs.capacities import field_unit, read_capacities
from rooftop.inputs.footprints import read_buildings
from rooftop.inputs.roof_uses import read_existing_pv
from rooftop.inputs.schedule import read_schedule
from rooftop.targets.inventory import credible_inventory, credible_schedule

CRS = "EPSG:4549"
X, Y = 500_000.0, 3_830_000.0
AREAS_M2 = (150.0, 3000.0, 3000.0, 6000.0, 800.0, 1200.0)
REASON = "existing_pv_impossible"


def layer(path: Path, columns: dict[str, list[Any]], sides: tuple[float, ...] = AREAS_M2) -> Path:
    """Write squares of the given areas, 200 m apart."""
    shapes = [shapely.box(X + 200 * k, Y, X + 200 * k + a**0.5, Y + a**0.5) for k, a in enumerate(sides)]
    pyogrio.write_dataframe(gpd.GeoDataFrame(columns, geometry=shapes, crs=CRS), path)
    return path


def footprints(folder: Path, field: str, values: list[Any], **more: Any) -> dict[str, Any]:
    ids = [f"b{k}" for k in range(len(values))]
    path = layer(folder / "b.gpkg", {"id": ids, "h": [9.0] * len(values), field: values}, AREAS_M2[: len(values)])
    return {"path": path, "fields": {"id": "id", "height_m": "h", "existing_pv_kwp": field}, **more}


def judged(
    given: dict[str, Any], roof_type: str = "flat_concrete", **other: Any
) -> tuple[gpd.GeoDataFrame, tuple[Notice, ...]]:
    inputs = Inputs.model_validate(
        {"footprints": given, "irradiance": {"ghi": {"path": "g.tif", "unit": "W/m2"}}, **other}
    )
    read = read_buildings(inputs.footprints)
    outlines = None if inputs.existing_pv is None else read_existing_pv(inputs.existing_pv, read.crs)
    kept, _, notices = credible_inventory(inputs, read.table, outlines, [roof_type] * len(read.table))
    return kept, (*read.notices, *notices)


def codes(notices: tuple[Notice, ...]) -> dict[str, int]:
    return {n.code: n.count for n in notices if "existing_pv" in n.code}


@pytest.mark.parametrize(
    ("name", "unit", "stated"),
    [
        ("装机容量MW", "mw", True),
        ("容量(兆瓦)", "兆瓦", True),
        ("容量（MW）", "mw", True),
        ("pv_kw", "kw", True),
        ("existing_pv_kwp", "kwp", True),
        ("已装光伏kW", "kw", True),
        ("PV_MWp", "mwp", True),
        ("容量_W", "w", True),
        ("装机(万千瓦)", "万千瓦", True),
        ("装机容量", "kw", False),
        ("power", "kw", False),
        ("pv", "kw", False),
    ],
)
def test_the_unit_of_the_fields_name_is_honoured(name: str, unit: str, stated: bool) -> None:
    found = field_unit(name, "capacity", "fields.existing_pv_kwp", "b.gpkg")
    assert (found.unit, found.stated) == (unit, stated)


def test_a_unit_of_another_kind_is_refused() -> None:
    with pytest.raises(InputError, match="existing_pv_kwp: 光伏面积"):
        read_capacities(pd.Series([1.0], name="光伏面积(㎡)"), "fields.existing_pv_kwp", "b.gpkg")


@pytest.mark.parametrize(
    ("name", "cells", "given", "kwp"),
    [
        ("装机容量MW", [0.6, 0.0, None], None, [600.0, 0.0, np.nan]),
        ("容量(兆瓦)", ["0.6", "无", "60kW"], None, [600.0, np.nan, 60.0]),
        ("装机容量", ["600 kW", "0.6MW", "约50"], None, [600.0, 600.0, 50.0]),
        ("装机容量", [600_000.0, 50_000.0, 0.0], "W", [600.0, 50.0, 0.0]),
        ("pv_kw", [0.6, 0.05, 0.0], "MW", [600.0, 50.0, 0.0]),
        ("pv_kw", [-5.0, 5.0, 0.0], None, [np.nan, 5.0, 0.0]),
    ],
)
def test_capacities_in_every_spelling(name: str, cells: list[Any], given: str | None, kwp: list[float]) -> None:
    read = read_capacities(pd.Series(cells, name=name), "fields.existing_pv_kwp", "b.gpkg", given)
    np.testing.assert_allclose(read.values.to_numpy(dtype=float), kwp)


def test_what_cannot_be_is_unknown_and_the_roof_is_to_be_surveyed(tmp_path: Path) -> None:
    # 600 kW on 150 m² are 4 000 W/m²; 190 W/m² are improbable on a flat roof.
    kept, notices = judged(footprints(tmp_path, "pv_kw", [600.0, 60.0, 570.0, 0.0, None, 100.0]))
    assert kept["existing_pv_kwp"].fillna(-1.0).tolist() == [-1.0, 60.0, 570.0, 0.0, -1.0, 100.0]
    assert [REASON in reasons for reasons in kept["reasons"]] == [True] + [False] * 5
    assert kept["status"].tolist() == ["needs_survey"] + ["ok"] * 5
    assert codes(notices) == {REASON: 1, "existing_pv_improbable": 1}
    refused = next(n for n in notices if n.code == REASON)
    assert refused.examples == ("b0 (600 kWp / 150 m²)",) and refused.severity == "warning"
    assert codes(judged(footprints(tmp_path, "pv_kw", [0.0, 60.0, 570.0]), "steel_sheet")[1]) == {}


def test_the_limit_is_that_of_the_audit(tmp_path: Path) -> None:
    most = audit_limits().roof_w_per_m2_max * 3000.0 / 1000.0
    for factor, refused in ((0.999, False), (1.001, True)):
        kept, _ = judged(footprints(tmp_path, "pv_kw", [0.0, most * factor]))
        assert bool(kept["existing_pv_kwp"].isna()[1]) is refused


@pytest.mark.parametrize(("field", "factor", "unit"), [("装机容量", 1000.0, "W"), ("装机", 0.001, "MW")])
def test_a_column_in_another_unit_is_asked_for(tmp_path: Path, field: str, factor: float, unit: str) -> None:
    kwp = [10.0, 300.0, 250.0, 500.0, 60.0, None]
    values = [None if v is None else v * factor for v in kwp]
    with pytest.raises(InputError) as caught:
        judged(footprints(tmp_path, field, values))
    assert caught.value.details["where"] == "inputs.footprints.capacity_unit"
    assert f"capacity_unit: {unit}" in caught.value.render("en") and f"capacity_unit: {unit}" in caught.value.render(
        "zh"
    )
    told, notices = judged(footprints(tmp_path, field, values, capacity_unit=unit))
    np.testing.assert_allclose(told["existing_pv_kwp"].to_numpy(dtype=float), [np.nan if v is None else v for v in kwp])
    assert REASON not in codes(notices)


def test_a_stated_unit_is_kept_and_rows_are_judged_one_by_one(tmp_path: Path) -> None:
    kept, notices = judged(footprints(tmp_path, "pv_kw", [1e4, 3e5, 2.5e5, 60.0]))
    assert kept["existing_pv_kwp"].isna().tolist() == [True, True, True, False] and codes(notices) == {REASON: 3}
    assert "W" in next(n for n in notices if n.code == REASON).text.en.split("fit as")[1]
    _, notices = judged(footprints(tmp_path, "pv_kw", [0.01, 0.3, 0.25, 0.06]))
    assert codes(notices) == {"existing_pv_small": 4}


def test_few_values_are_refused_one_by_one_whatever_the_unit(tmp_path: Path) -> None:
    kept, notices = judged(footprints(tmp_path, "装机容量", [None, 600_000.0]))
    assert kept["existing_pv_kwp"].isna().all() and codes(notices)[REASON] == 1
    assert kept["status"].tolist() == ["ok", "needs_survey"]
    assert "would fit as W" in next(n for n in notices if n.code == REASON).text.en


def test_outlines_are_judged_by_their_own_area(tmp_path: Path) -> None:
    given = footprints(tmp_path, "none", [None] * 6)
    given["fields"]["existing_pv_kwp"] = None
    pv = layer(tmp_path / "pv.gpkg", {"kw": [10.0, 2000.0, 30.0]}, (80.0, 100.0, 200.0))
    kept, notices = judged(given, existing_pv={"path": pv, "kwp_field": "kw"})
    refused = next(n for n in notices if n.code == REASON)
    assert refused.examples == ("#1 (2,000 kWp / 100 m²)",)
    assert [REASON in reasons for reasons in kept["reasons"]] == [False, True] + [False] * 4
    with pytest.raises(InputError, match=r"existing_pv\.capacity_unit"):
        watts = layer(tmp_path / "w.gpkg", {"power": [16_000.0, 20_000.0, 40_000.0]}, (80.0, 100.0, 200.0))
        judged(given, existing_pv={"path": watts, "kwp_field": "power"})


def test_rows_of_a_schedule_that_no_roof_carries_do_not_count(tmp_path: Path) -> None:
    given = footprints(tmp_path, "pv_kw", [0.0] * 6)
    text = "id,unit,year,kw\nb0,,2023,600\nb1,,2024,700\nb1,,2025,700\nb2,,2024,300\n,d1,2027,1000\n,d1,2028,90000\n"
    (tmp_path / "s.csv").write_text(text, encoding="utf-8")
    fields = {"building_id": "id", "unit_id": "unit", "year": "year", "kwp": "kw"}
    inputs = Inputs.model_validate(
        {
            "footprints": given,
            "irradiance": {"ghi": {"path": "g.tif", "unit": "W/m2"}},
            "schedule": {"path": tmp_path / "s.csv", "fields": fields},
        }
    )
    assert inputs.schedule is not None
    buildings = read_buildings(inputs.footprints).table
    members = pd.DataFrame(
        {"building_id": buildings["building_id"], "unit_id": "d1", "level": "district", "share": 1.0}
    )
    kept = credible_schedule(inputs, read_schedule(inputs.schedule), buildings, members)
    # b0: 4 kW/m²; b1: 233 W/m² each, 467 together; d1: 90 MW on 14 150 m².
    assert kept.table["source_row"].tolist() == [5, 6]
    assert codes(kept.notices) == {REASON: 2, "existing_pv_improbable": 2}
    assert {n.code: n.count for n in kept.notices}["schedule_exceeds_roof"] == 2


def test_a_run_keeps_what_it_refused_out_of_every_sum(tmp_path: Path) -> None:
    write_raster(tmp_path / "ghi.tif", np.full((20, 20), 3.9), 119.0, 35.5, 0.1)
    given = footprints(tmp_path, "pv_kw", [3000.0, 60.0, 0.0, None, 0.0, 0.0])
    text = "id,year,kw\nb1,2023,60\nb4,2024,90000\n"
    (tmp_path / "s.csv").write_text(text, encoding="utf-8")
    inputs = {
        "footprints": given,
        "irradiance": {"ghi": {"path": tmp_path / "ghi.tif", "unit": "kWh/m2/day"}},
        "schedule": {"path": tmp_path / "s.csv", "fields": {"building_id": "id", "year": "year", "kwp": "kw"}},
    }
    config = Config.model_validate(
        {"name": "t", "inputs": inputs, "policy": "lianyungang", "scene": {"azimuths": 24}, "outputs": {"lang": "en"}}
    )
    done = rooftop.run(config, tmp_path / "out", workers=1)
    roofs = done.tables.roofs.set_index("building_id")
    assert np.isnan(roofs.loc["b0", "existing_pv_kwp"]) and roofs.loc["b0", "status"] == "needs_survey"
    assert REASON in roofs.loc["b0", "reasons"] and REASON not in roofs.loc["b1", "reasons"]
    assert done.tables.districts["existing_pv_kwp"].tolist() == [60.0]
    found = {n.code: n for n in done.record.notices}
    assert found[REASON].count == 1 and "installed_exceeds_roof" not in found
    assert "b0 (3,000 kWp" in found[REASON].examples[0] or "b4" in found[REASON].examples[0]
    lists = pd.read_csv(tmp_path / "out" / "candidates" / "t.csv", encoding="utf-8-sig", dtype=str)
    mine = lists[lists["Building id"] == "b0"].iloc[0]
    assert "the declared capacity cannot be" in mine["To verify"]
