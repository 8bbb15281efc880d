"""Declared exclusions and existing PV on a flat roof of 40 × 20 m, by hand.

Behind the setback of 0.8 m lie 38.4 × 18.4 m. Flush modules of 2.278 × 1.134 m with clamp gaps of 0.02 m: portrait
⌊38.42/1.154⌋ = 33 in ⌊18.42/2.298⌋ = 8 rows, 264; landscape 16 × 15 = 240. So portrait stands.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import pytest
import shapely

from rooftop.config import ExclusionsInput, ExistingPvInput, FlatSystem, System
from rooftop.core.errors import InputError
from rooftop.core.notices import Notice, Provenance
from rooftop.core.roof_rules import load_roof_rules
from rooftop.inputs.roof_uses import RoofAreas, read_exclusions, read_existing_pv, require_overlap
from rooftop.job.aggregate import plane_table, roof_table
from rooftop.job.tile import PLANE_YEAR_COLUMNS
from rooftop.scene.array import flush_design
from rooftop.scene.fill import FillSettings, fill_planes
from rooftop.scene.layout import Layout, density_shares, lay_out
from rooftop.scene.roofs import RoofTypes, assumed_planes, open_planes, roof_planes
from rooftop.scene.taken import OccupiedAreas, occupied_areas
from rooftop.solar.energy import ModulePlane
from rooftop.solar.pvsystem import load_module

RULES, MODULE = load_roof_rules(), load_module()
CRS = "EPSG:4549"
CRS_OBJECT = pyproj.CRS(CRS)
X, Y = 500_000.0, 3_830_000.0
CHAIN = ["module_area_m2", "array_area_m2", "used_area_m2", "installable_area_m2", "net_area_m2", "gross_area_m2"]
W_PER_M2 = 214.0
FACE_M2 = 2.278 * 1.134


def box(x0: float, y0: float, x1: float, y1: float) -> shapely.Polygon:
    return shapely.box(X + x0, Y + y0, X + x1, Y + y1)


def roof_of(*shapes: shapely.Geometry, kwp: float = np.nan, year: Any = pd.NA) -> gpd.GeoDataFrame:
    ids = [f"r{k}" for k in range(len(shapes))]
    values = {
        "building_id": ids,
        "existing_pv_kwp": kwp,
        "existing_pv_year": pd.array([year] * len(ids), dtype="Int64"),
    }
    return gpd.GeoDataFrame(values, geometry=list(shapes), crs=CRS)


def exclusions(*areas: tuple[shapely.Geometry, float]) -> RoofAreas:
    table = gpd.GeoDataFrame(
        {"source_row": range(len(areas)), "kind": "other", "clearance_m": [away for _, away in areas]},
        geometry=[shape for shape, _ in areas], crs=CRS,
    )  # fmt: skip
    return RoofAreas(table, (), Provenance("inputs.exclusions", "x.gpkg", ""))


def standing(*areas: tuple[shapely.Geometry, float, Any]) -> RoofAreas:
    table = gpd.GeoDataFrame(
        {"source_row": range(len(areas)), "kwp": [kwp for _, kwp, _ in areas],
         "year": pd.array([year for *_, year in areas], dtype="Int64")},
        geometry=[shape for shape, *_ in areas], crs=CRS,
    )  # fmt: skip
    return RoofAreas(table, (), Provenance("inputs.existing_pv", "pv.gpkg", ""))


def codes(notices: tuple[Notice, ...]) -> dict[str, int]:
    return {n.code: n.count for n in notices}


def laid(
    buildings: gpd.GeoDataFrame, excluded: RoofAreas | None = None, existing: RoofAreas | None = None,
    *, layout: str = "packed", kind: str = "flat_concrete", ok: float = 1.0,
) -> tuple[pd.DataFrame, pd.DataFrame, dict[str, int]]:  # fmt: skip
    """Return planes, roofs and notices of roofs without obstacles."""
    n, shapes = len(buildings), buildings.geometry.to_numpy()
    types = RoofTypes(np.full(n, kind, dtype=object), np.zeros(n, dtype=bool))
    taken, found, notices = occupied_areas(
        excluded, existing, buildings, shapes, w_per_m2=W_PER_M2, clearance_m=RULES.module_gap_m.value
    )
    planes = roof_planes(assumed_planes(buildings, types, shapes, np.zeros(n), RULES), None, types, RULES)
    planes = open_planes(planes, np.ones(len(planes), dtype=bool), types, RULES)
    planes = planes.assign(free_share=1.0, free_share_low=1.0, free_share_high=1.0)
    made: Layout
    if layout == "packed":
        made = fill_planes(
            planes,
            FillSettings(
                system=System(flat=FlatSystem(mounting="flush")),
                module=MODULE,
                rules=RULES,
                latitude_deg=34.6,
                specific_yield=_yield,
            ),
            visible=shapes,
            convergence_deg=np.zeros(n),
            obstacles={k: (np.empty(0, dtype=object), np.zeros(0)) for k in range(n)},
            taken=taken,
            shared={},
            drops={},
            returns={},
        )
    else:
        flush = flush_design(MODULE.length_m, MODULE.width_m, RULES.module_gap_m.value)
        shares = density_shares(planes, types, shapes, taken, RULES)
        made = lay_out(planes, shares, [flush], flush, rules=RULES)
    year = pd.DataFrame(100.0, index=range(len(made.planes)), columns=[*PLANE_YEAR_COLUMNS, "n_cells"])
    year["n_counted"] = np.nan
    year["ok_share"], year["n_lit"] = ok, np.floor(made.placed * ok)
    table = plane_table(made, year, MODULE, taken.unplaced_m2)
    roofs = roof_table(pd.DataFrame(buildings.drop(columns="geometry")).assign(existing_pv_kwp=found.kwp), table)
    roofs["existing_pv_year"] = found.year.array
    for small, large in pairwise(CHAIN):
        assert (roofs[small] <= roofs[large] + 1e-9).all(), (small, large)
    return table, roofs, codes(notices)


def _yield(plane: ModulePlane) -> float:
    return 1100.0


ROOF = box(0, 0, 40, 20)


def test_a_free_roof() -> None:
    _, roofs, notices = laid(roof_of(ROOF))
    assert roofs["module_count"].tolist() == [264]
    assert roofs["net_area_m2"].tolist() == pytest.approx([38.4 * 18.4])
    assert roofs[["excluded_area_m2", "existing_pv_area_m2"]].to_numpy().tolist() == [[0.0, 0.0]]
    assert notices == {}


@pytest.mark.parametrize(("clearance_m", "columns"), [(0.0, 23), (0.3, 22)])
def test_a_garden_takes_its_part_of_the_zone(clearance_m: float, columns: int) -> None:
    """West of 12.5 m: 26.7 m are left, ⌊26.72/1.154⌋ = 23; with a clearance of 0.3 m ⌊26.42/1.154⌋ = 22."""
    garden = box(-3, -3, 12.5, 23)
    _, roofs, notices = laid(roof_of(ROOF), exclusions((garden, clearance_m)))
    assert roofs["module_count"].tolist() == [columns * 8]
    assert roofs["excluded_area_m2"].tolist() == pytest.approx([(11.7 + clearance_m) * 18.4])
    assert roofs["net_area_m2"].tolist() == pytest.approx([(26.7 - clearance_m) * 18.4])
    assert roofs["gross_area_m2"].tolist() == pytest.approx([800.0])
    assert notices == {"exclusion_taken": 1}


def test_an_exclusion_cuts_every_plane_and_roof_that_it_touches() -> None:
    """A gable of 25°, ridge along x at y = 10: west of 12.5 m both sides lose it; so does a roof that stands beside."""
    strip = box(-30, -5, 12.5, 25)
    planes, _, _ = laid(roof_of(ROOF, box(-20, 0, -2, 20)), exclusions((strip, 0.0)), kind="tile_pitched")
    mine = planes[planes["roof"] == 0]
    slope = np.cos(np.radians(25.0))
    assert len(mine) == 2
    side = (10.0 - 0.8 * slope - 0.3 * slope) / slope  # setback at the eaves, and at the ridge, along the slope
    assert mine["excluded_area_m2"].tolist() == pytest.approx([11.7 * side] * 2, rel=1e-3)
    assert planes.loc[planes["roof"] == 1, "module_count"].sum() == 0


def test_existing_pv_leaves_its_area_in_the_roof_and_takes_room_by_the_clamp_gap() -> None:
    """West of 12.67 m: 26.53 m are left, which without the gap of 0.02 m would hold 23; so 22."""
    _, roofs, notices = laid(roof_of(ROOF), None, standing((box(0, 0, 12.67, 20), 60.0, 2019)))
    assert roofs["module_count"].tolist() == [22 * 8]
    assert roofs["existing_pv_area_m2"].tolist() == pytest.approx([12.67 * 20.0])
    assert roofs["net_area_m2"].tolist() == roofs["installable_area_m2"].tolist() == pytest.approx([38.4 * 18.4])
    assert roofs["existing_pv_kwp"].tolist() == [60.0] and roofs["existing_pv_year"].tolist() == [2019]
    assert notices == {"existing_pv_placed": 1}


def test_an_outline_without_capacity_is_module_area() -> None:
    _, roofs, notices = laid(roof_of(ROOF), None, standing((box(5, 5, 15, 10), np.nan, pd.NA)))
    assert roofs["existing_pv_kwp"].tolist() == pytest.approx([50.0 * 0.214])
    assert notices == {"existing_pv_placed": 1, "existing_pv_from_area": 1}


@pytest.mark.parametrize(("declared", "apart"), [(46.2, False), (46.0, True), (85.0, False), (86.0, True), (0.0, True)])
def test_declared_capacity_holds_and_a_disagreement_is_counted(declared: float, apart: bool) -> None:
    """Outlines of 60 kWp: off by more than 30 % of the declared below 46.15 and above 85.7 kWp."""
    found = standing((box(0, 0, 6, 20), 40.0, 2018), (box(30, 0, 33, 20), 20.0, 2021))
    _, roofs, notices = laid(roof_of(ROOF, kwp=declared), None, found)
    assert roofs["existing_pv_kwp"].tolist() == [declared]
    assert notices.get("existing_pv_disagrees", 0) == int(apart)
    assert roofs["existing_pv_year"].tolist() == [2021]
    assert roofs["module_count"].iloc[0] < 264


def test_an_outline_over_two_roofs_is_divided_by_area() -> None:
    buildings = roof_of(ROOF, box(50, 0, 90, 20))
    _, roofs, _ = laid(buildings, None, standing((box(35, 0, 65, 20), 40.0, pd.NA)))  # 100 and 300 m²
    assert roofs["existing_pv_kwp"].tolist() == pytest.approx([10.0, 30.0])


def test_declared_capacity_without_an_outline_takes_modules_evenly() -> None:
    """50 kWp at 214 W/m² are 233.6 m² or 90.4 modules: 264 − 90.4 leaves 173 whole ones."""
    table, roofs, notices = laid(roof_of(ROOF, kwp=50.0))
    n = 50_000.0 / W_PER_M2 / FACE_M2
    assert n == pytest.approx(90.446, abs=1e-3)
    assert roofs["module_count"].tolist() == [173]
    assert roofs["module_face_area_m2"].tolist() == pytest.approx([173 * FACE_M2])
    array = 8 * 2.298 * 33 * 1.154  # rows with their gaps, cut at the zone
    assert roofs["existing_pv_area_m2"].tolist() == pytest.approx([n / 264 * array], rel=0.01)
    assert roofs["installable_area_m2"].tolist() == pytest.approx([38.4 * 18.4])
    assert notices == {"existing_pv_unplaced": 1}
    assert table["used_area_m2"].tolist() == pytest.approx([38.4 * 18.4 * 173 / 264])


def test_the_sides_of_a_gable_give_up_modules_in_proportion() -> None:
    bare, whole, _ = laid(roof_of(ROOF), kind="steel_sheet")
    some, roofs, _ = laid(roof_of(ROOF, kwp=50.0), kind="steel_sheet")
    assert len(bare) == 2 and bare["module_count"].min() > 100
    assert roofs["module_count"].iloc[0] == int(whole["module_count"].iloc[0] - 90.446)
    assert np.abs(some["module_count"] / bare["module_count"] - 1 + 90.446 / whole["module_count"].iloc[0]).max() < 0.01


def test_more_existing_pv_than_the_roof_holds_leaves_nothing_and_no_less() -> None:
    _, roofs, _ = laid(roof_of(ROOF, box(60, 0, 62, 3), kwp=500.0))
    assert roofs["module_count"].tolist() == [0, 0]
    assert roofs["used_area_m2"].tolist() == [0.0, 0.0]
    assert roofs["installable_area_m2"].iloc[0] == pytest.approx(38.4 * 18.4)
    # A roof that holds no modules has no rows to measure with: the modules' own area.
    assert roofs["existing_pv_area_m2"].iloc[1] == pytest.approx(500_000.0 / W_PER_M2)


def test_by_density_the_same_areas_go() -> None:
    garden, old = box(-3, -3, 12.5, 23), box(30, 0, 45, 30)
    unit = flush_design(MODULE.length_m, MODULE.width_m, RULES.module_gap_m.value).unit_area_m2
    share = RULES.types["flat_concrete"].layout_share
    _, roofs, _ = laid(
        roof_of(ROOF), exclusions((garden, 0.0)), standing((old, 20.0, pd.NA)), layout="density"
    )  # fmt: skip
    assert roofs["excluded_area_m2"].tolist() == pytest.approx([11.7 * 18.4])
    assert roofs["net_area_m2"].tolist() == roofs["installable_area_m2"].tolist() == pytest.approx([26.7 * 18.4])
    assert roofs["existing_pv_area_m2"].tolist() == pytest.approx([200.0])
    room = (29.98 - 12.5) * 18.4  # from the garden to the old array less the clamp gap
    assert roofs["used_area_m2"].tolist() == pytest.approx([room])
    assert roofs["module_count"].tolist() == [int(room * share / unit)]
    _, fewer, _ = laid(roof_of(ROOF, kwp=50.0), layout="density")
    assert fewer["module_count"].tolist() == [int(int(38.4 * 18.4 * share / unit) - 90.446)]


@pytest.mark.parametrize("layout", ["packed", "density"])
def test_existing_pv_excludes_nothing_to_the_last_bit(layout: str) -> None:
    turned = [shapely.affinity.rotate(box(60.0 * k, 0, 60.0 * k + 40, 20), 7.3 * k) for k in range(12)]
    arrays = standing(*[(shapely.buffer(shape.centroid, 3.0), 5.0, pd.NA) for shape in turned])
    _, roofs, _ = laid(roof_of(*turned), existing=arrays, layout=layout)
    assert (roofs["existing_pv_area_m2"] > 20.0).all()
    assert roofs["excluded_area_m2"].tolist() == [0.0] * len(turned)


def test_a_roof_wholly_under_a_heliport_carries_nothing() -> None:
    _, roofs, _ = laid(roof_of(ROOF), exclusions((box(-1, -1, 41, 21), 0.0)))
    assert roofs["module_count"].tolist() == [0]
    assert roofs["net_area_m2"].tolist() == [0.0]
    assert roofs["excluded_area_m2"].tolist() == pytest.approx([38.4 * 18.4])


def test_polygons_on_no_roof_change_nothing_and_are_counted() -> None:
    yard = box(60, 60, 70, 70)
    _, roofs, notices = laid(
        roof_of(ROOF), exclusions((yard, 0.0), (box(40, 0, 41, 20), 0.0)), standing((yard, 9.0, pd.NA))
    )
    assert roofs["module_count"].tolist() == [264]
    assert notices == {"exclusion_off_roof": 2, "existing_pv_off_roof": 1}
    assert np.isnan(roofs["existing_pv_kwp"].iloc[0])


def test_no_declaration_takes_nothing() -> None:
    nothing = OccupiedAreas()
    assert nothing.without_exclusions(0, ROOF) is nothing.without_existing_pv(0, ROOF) is ROOF
    assert nothing.existing_pv_m2(0, ROOF) == 0.0


# --- files -----------------------------------------------------------------------------------------------------------


def write(path: Path, shapes: list[shapely.Geometry], **columns: Sequence[object]) -> Path:
    gpd.GeoDataFrame(columns, geometry=shapes, crs=CRS).to_file(path)
    return path


def test_kinds_are_words_of_any_script_and_unknown_ones_are_counted(tmp_path: Path) -> None:
    words = ["屋顶花园", "HELIPAD", "冷却塔", None, "牛棚"]
    path = write(tmp_path / "x.gpkg", [box(k, 0, k + 0.5, 1) for k in range(5)], kind=words)
    found = read_exclusions(ExclusionsInput(path=path, kind_field="kind"), CRS_OBJECT)
    assert found.table["kind"].tolist() == ["roof_garden", "heliport", "equipment", "other", "other"]
    assert found.table["clearance_m"].tolist() == [0.0, 0.0, 0.3, 0.0, 0.0]
    assert codes(found.notices)["exclusion_kind_unknown"] == 1


def test_capacities_and_years_are_read_as_people_write_them(tmp_path: Path) -> None:
    shapes = [box(k, 0, k + 0.5, 1) for k in range(3)]
    path = write(tmp_path / "pv.gpkg", shapes, kwp=["12.5", "６０", "-3"], since=["2019", "2021年6月", "1"])
    found = read_existing_pv(ExistingPvInput(path=path, kwp_field="kwp", year_field="since"), CRS_OBJECT)
    assert found.table["kwp"].tolist() == pytest.approx([12.5, 60.0, np.nan], nan_ok=True)
    assert found.table["year"].tolist() == [2019, 2021, pd.NA]
    assert {"existing_pv_absurd", "year_absurd"} <= set(codes(found.notices))


def test_a_missing_field_lines_and_another_place_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "x.gpkg", [box(0, 0, 1, 1)], kind=["绿化"])
    with pytest.raises(InputError, match="kind_field") as error:
        read_exclusions(ExclusionsInput(path=path, kind_field="kinds"), CRS_OBJECT)
    assert "kind" in str(error.value)
    lines = write(tmp_path / "lines.gpkg", [shapely.LineString([(X, Y), (X + 5, Y)])], kind=["绿化"])
    with pytest.raises(InputError, match="POLYGON"):
        read_exclusions(ExclusionsInput(path=lines), CRS_OBJECT)
    with pytest.raises(InputError, match="does not exist"):
        read_existing_pv(ExistingPvInput(path=tmp_path / "none.gpkg"), CRS_OBJECT)
    found = read_exclusions(ExclusionsInput(path=path), CRS_OBJECT)
    require_overlap(found, np.array([ROOF], dtype=object))
    with pytest.raises(InputError, match=r"inputs\.exclusions"):
        require_overlap(found, np.array([box(5000, 0, 5040, 20)], dtype=object))
