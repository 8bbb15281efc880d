"""Planes to roofs to units: sums conserved, order of areas kept, empty units present."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from rooftop.core.errors import ComputeError
from rooftop.core.roof_rules import load_roof_rules
from rooftop.job.aggregate import MONTHS, SUMMED, check_conservation, plane_table, roof_table, unit_table
from rooftop.job.tile import PLANE_YEAR_COLUMNS
from rooftop.scene.array import flush_design, rack_design
from rooftop.scene.layout import DensityLayout
from rooftop.scene.plane_columns import DENSITY_PLANES
from rooftop.solar.pvsystem import load_module
from rooftop.tables import conform

RULES = load_roof_rules()
MODULE = replace(load_module(), length_m=2.278, width_m=1.134, pdc0_w=580.0)
DESIGNS = (rack_design(2.278, 1.134, 0.02, 10.0, 180.0, 34.6), flush_design(2.278, 1.134, 0.02))


def layout() -> DensityLayout:
    planes = pd.DataFrame(
        {
            "roof": [0, 1, 1],
            "plane_id": ["a-1", "b-1", "b-2"],
            "design": [0, 1, 1],
            "area_m2": [1000.0, 80.0, 80.0],
            "plane_tilt_deg": [0.0, 25.0, 60.0],
            "plane_azimuth_deg": [180.0, 170.0, 350.0],
            "surface_tilt_deg": [10.0, 25.0, 25.0],
            "surface_azimuth_deg": [180.0, 170.0, 350.0],
            "mounting": ["rack", "flush", "flush"],
            "usable": [True, True, False],
            "inner_share": [0.9, 0.8, 0.8],
            "layout_share": [RULES.types[name].layout_share for name in ("flat_concrete", *["tile_pitched"] * 2)],
        }
    ).assign(
        roof_source="assumed", side=0, axis_grid_deg=0.0, known=-1, pitched=False, obstacles_known=False,
        free_share=0.75, free_share_low=0.6, free_share_high=0.9, left_share=1.0,
        setback_m=RULES.setback_m.value, min_patch_m2=RULES.min_patch_m2.value,
        module_middle_m=0.1, excluded_share=0.0, excluded_area_m2=0.0, existing_pv_area_m2=0.0, geometry=None,
    )  # fmt: skip
    return DensityLayout(
        planes=conform(planes, DENSITY_PLANES, strict=True),
        variants=pd.DataFrame(),
        orientations=(),
        designs=DESIGNS,
    )


def year() -> pd.DataFrame:
    frame = pd.DataFrame(100.0, index=range(3), columns=[*PLANE_YEAR_COLUMNS, "n_cells"])
    frame["ok_share"], frame["n_counted"] = [0.9, 1.0, 1.0], np.nan
    frame["svf"], frame["shading_loss"] = [0.9, 0.95, 0.8], [0.05, 0.1, 0.2]
    return frame


def tables() -> tuple[pd.DataFrame, pd.DataFrame]:
    laid = plane_table(layout(), year(), MODULE, np.zeros(3))
    buildings = pd.DataFrame({"building_id": ["a", "b", "c"], "existing_pv_kwp": [0.0, 5.0, np.nan]})
    return laid, roof_table(buildings, laid)


def test_areas_of_a_flat_roof_by_hand() -> None:
    laid, roofs = tables()
    net = 1000.0 * 0.9 * 0.75
    installable = net * 0.9
    count = int(installable * RULES.types["flat_concrete"].layout_share / DESIGNS[0].unit_area_m2)
    assert roofs.loc[0, "net_area_m2"] == pytest.approx(net)
    assert roofs.loc[0, "installable_area_m2"] == pytest.approx(installable)
    assert roofs.loc[0, "module_count"] == count
    assert roofs.loc[0, "capacity_kwp"] == pytest.approx(count * 0.58)
    assert roofs.loc[0, "annual_kwh"] == pytest.approx(count * 0.58 * 1200.0)
    assert roofs.loc[0, "specific_yield_kwh_kwp"] == pytest.approx(1200.0)
    assert roofs.loc[0, "performance_ratio"] == pytest.approx(1.0)
    assert laid["status"].tolist() == ["ok", "ok", "excluded"]
    assert laid["capacity_low_kwp"].tolist() == pytest.approx((laid["capacity_kwp"] * 0.8).tolist())
    assert laid["capacity_high_kwp"].tolist() == pytest.approx((laid["capacity_kwp"] * 1.2).tolist())


def test_the_footprint_is_what_the_planes_cover_in_plan() -> None:
    _, roofs = tables()
    # Rack modules are tilted on a level roof: the plane's own tilt counts. 80·cos 25° + 80·cos 60°.
    expected = [1000.0, 80.0 * np.cos(np.deg2rad(25.0)) + 40.0, 0.0]
    np.testing.assert_allclose(roofs["footprint_area_m2"], expected, rtol=1e-12)


def test_area_chain_holds_and_unusable_planes_stay_empty() -> None:
    laid, _ = tables()
    chain = ["module_area_m2", "array_area_m2", "used_area_m2", "installable_area_m2", "net_area_m2", "gross_area_m2"]
    for small, large in pairwise(chain):
        assert (laid[small] <= laid[large]).all()
    assert laid.loc[2, "installable_area_m2"] == 0.0
    assert laid.loc[2, "net_area_m2"] > 0.0  # type: ignore[arg-type]


def test_roof_takes_tilt_and_shading_from_its_modules() -> None:
    _, roofs = tables()
    assert roofs.loc[1, "surface_azimuth_deg"] == 170.0
    assert roofs.loc[1, "shading_loss"] == pytest.approx(0.1)
    assert pd.isna(roofs["specific_yield_kwh_kwp"].loc[2])
    assert roofs.loc[2, "capacity_kwp"] == 0.0


def units_of(roofs: pd.DataFrame) -> pd.DataFrame:
    units = pd.DataFrame(
        {
            "unit_id": ["1", "2", "Z"],
            "unit_name": ["one", "two", "zone"],
            "level": ["district", "district", "zone"],
        }
    )
    memberships = pd.DataFrame(
        {
            "building_id": ["a", "b", "c", "a"],
            "unit_id": ["1", "1", "1", "Z"],
            "level": ["district", "district", "district", "zone"],
            "share": [1.0, 1.0, 1.0, 0.25],
        }
    )
    return unit_table(roofs.assign(status=["ok", "needs_survey", "excluded"]), memberships, units)


def test_units_sum_roofs_and_empty_ones_stay() -> None:
    _, roofs = tables()
    units = units_of(roofs).set_index("unit_id")
    assert units.loc["1", "capacity_kwp"] == pytest.approx(roofs["capacity_kwp"].sum())
    assert units.loc["1", ["n_ok", "n_needs_survey", "n_excluded"]].tolist() == [1, 1, 1]
    assert units.loc["2", "n_buildings"] == 0
    assert pd.isna(units["specific_yield_kwh_kwp"].loc["2"])
    assert units.loc["Z", "annual_kwh"] == pytest.approx(0.25 * roofs.loc[0, "annual_kwh"])
    assert units.loc["1", [f"kwh_{m}" for m in MONTHS]].sum() == pytest.approx(units.loc["1", "annual_kwh"])


def test_conservation_catches_a_lost_roof_and_a_broken_chain() -> None:
    laid, roofs = tables()
    units, inside = units_of(roofs), np.ones(3, dtype=bool)
    check_conservation(laid, roofs, units, inside)
    with pytest.raises(ComputeError, match="capacity_kwp"):
        check_conservation(laid, roofs.iloc[1:], units, inside[1:])
    broken = roofs.assign(array_area_m2=roofs["gross_area_m2"] + 1.0)
    with pytest.raises(ComputeError, match="array_area_m2 exceeds"):
        check_conservation(laid, broken, units, inside)


def test_a_table_of_planes_has_its_columns_and_no_other() -> None:
    planes = layout().planes
    with pytest.raises(ComputeError, match="lacks columns") as caught:
        conform(planes.drop(columns="left_share"), DENSITY_PLANES, strict=True)
    assert caught.value.details["found"] == "left_share"
    with pytest.raises(ComputeError, match="nothing declares") as caught:
        conform(planes.assign(packed_count=1), DENSITY_PLANES, strict=True)
    assert caught.value.details["found"] == "packed_count"


def test_every_summed_column_is_made() -> None:
    laid, _ = tables()
    assert set(SUMMED) <= set(laid.columns)
