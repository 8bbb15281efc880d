"""Planes filled with real modules: benchmark densities, halves of racks, obstacles, kinds of planes, order of areas."""

from __future__ import annotations

from itertools import pairwise

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from rooftop.config import FlatSystem, System
from rooftop.core.roof_rules import load_roof_rules
from rooftop.job.aggregate import MONTHS, plane_table
from rooftop.job.tile import PLANE_YEAR_COLUMNS
from rooftop.scene.fill import FillSettings, fill_planes
from rooftop.scene.layout import Layout
from rooftop.scene.neighbours import shared_walls
from rooftop.scene.plane_rules import load_plane_rules
from rooftop.scene.roofs import RoofTypes, assumed_planes, open_planes, roof_planes
from rooftop.scene.taken import OccupiedAreas
from rooftop.solar.energy import ModulePlane
from rooftop.solar.pvsystem import load_module

RULES = load_roof_rules()
MODULE = load_module()
LYG = 34.60
CHAIN = ["module_area_m2", "array_area_m2", "used_area_m2", "installable_area_m2", "net_area_m2", "gross_area_m2"]
Obstacles = dict[int, tuple[np.ndarray, np.ndarray]]
Walls = dict[int, shapely.Geometry]


def _buildings(*shapes: shapely.Geometry) -> gpd.GeoDataFrame:
    ids = [f"f{k}" for k in range(len(shapes))]
    return gpd.GeoDataFrame({"building_id": ids}, geometry=list(shapes), crs="EPSG:4549")


def _types(*names: str) -> RoofTypes:
    return RoofTypes(np.array(names, dtype=object), np.zeros(len(names), dtype=bool))


def _yield(plane: ModulePlane) -> float:
    """Rises to 30° like a real one, and a little less away from south."""
    return 1100.0 + 4.0 * min(plane.surface_tilt, 30.0) - 0.5 * abs(plane.surface_azimuth - 180.0)


def _filled(
    buildings: gpd.GeoDataFrame, types: RoofTypes, *, obstacles: Obstacles | None = None, keep: bool = False,
    known: pd.DataFrame | None = None, ok: float = 1.0, shared: Walls | None = None, **flat: object
) -> tuple[Layout, pd.DataFrame]:  # fmt: skip
    """Fill the planes, and make the table of planes from it."""
    n, shapes = len(buildings), buildings.geometry.to_numpy()
    planes = roof_planes(assumed_planes(buildings, types, shapes, np.zeros(n), RULES), known, types, RULES)
    filling = FillSettings(
        system=System(flat=FlatSystem.model_validate(flat)),
        module=MODULE,
        rules=RULES,
        latitude_deg=LYG,
        specific_yield=_yield,
        keep_modules=keep,
    )
    layout = fill_planes(
        open_planes(planes, np.ones(len(planes), dtype=bool), types, RULES),
        filling,
        visible=shapes,
        convergence_deg=np.zeros(n),
        obstacles=obstacles or {},
        taken=OccupiedAreas(),
        shared=shared or {},
        drops={},
        returns={},
    )
    year = pd.DataFrame(100.0, index=range(len(layout.planes)), columns=[*PLANE_YEAR_COLUMNS, "n_cells"])
    year["n_counted"] = np.nan
    year["ok_share"], year["n_lit"] = ok, np.floor(layout.placed * ok)
    out = plane_table(layout, year, MODULE, np.zeros(n))
    for small, large in pairwise(CHAIN):
        assert (out[small] <= out[large] + 1e-9).all(), (small, large)
    return layout, out


@pytest.mark.parametrize(("tilt", "share"), [(25.0, 0.32), (10.0, 0.44)])
def test_rows_on_the_benchmark_roof_of_lianyungang(tilt: float, share: float) -> None:
    """Usable share 0.6 of a flat roof: 0.32 of module over gross at 25°, 0.44 at 10°."""
    buildings = _buildings(shapely.box(0, 0, 120, 60))
    layout, out = _filled(buildings, _types("flat_concrete"), tilt_deg=tilt)
    net = float(out["net_area_m2"].sum() / out["gross_area_m2"].sum())
    found = float(out["module_face_area_m2"].sum() / out["gross_area_m2"].sum())
    assert found * 0.6 / net == pytest.approx(share, abs=0.03)
    assert layout.planes["surface_tilt_deg"].tolist() == [tilt]


def test_clear_steel_sheds_hold_more_than_three_fifths() -> None:
    _, out = _filled(_buildings(shapely.box(0, 0, 90, 40)), _types("steel_sheet"))
    assert out["module_area_m2"].sum() / out["gross_area_m2"].sum() > 0.6
    assert out["mounting"].tolist() == ["flush", "flush"]


def test_halves_of_east_west_racks_are_two_planes() -> None:
    _, whole = _filled(_buildings(shapely.box(0, 0, 40, 20)), _types("flat_concrete"), mounting="east_west")
    assert whole["plane_id"].tolist() == ["f0-1e", "f0-1w"]
    assert whole["surface_azimuth_deg"].tolist() == [90.0, 270.0]
    assert whole["module_count"].iloc[0] == whole["module_count"].iloc[1] > 20
    assert whole["gross_area_m2"].tolist() == pytest.approx([400.0, 400.0])


def test_variants_stand_for_every_plane_with_weights_of_one() -> None:
    turned = shapely.affinity.rotate(shapely.box(60, 0, 100, 16), 17.0)
    shapes = _buildings(shapely.box(0, 0, 40, 16), turned, shapely.affinity.translate(turned, 0, 60))
    layout, _ = _filled(shapes, _types("flat_concrete", "flat_concrete", "tile_pitched"), rows="building", tilt_deg=15)
    weights = layout.variants.groupby("plane")["weight"].sum()
    assert weights.to_numpy() == pytest.approx(np.ones(len(layout.planes)))
    racks = [p for p in layout.orientations if p.mounting == "rack"]
    assert {p.surface_azimuth % 10.0 for p in racks} == {0.0}
    assert {p.surface_tilt for p in racks} == {15.0}
    mean = [
        sum(w * layout.orientations[o].surface_azimuth for o, w in zip(g["orientation"], g["weight"], strict=True))
        for _, g in layout.variants.groupby("plane")
    ]
    assert mean == pytest.approx(layout.planes["surface_azimuth_deg"].to_numpy())


def test_measured_obstacles_are_cut_out_and_no_share_is_taken_besides() -> None:
    buildings, types = _buildings(shapely.box(0, 0, 40, 20)), _types("flat_concrete")
    shed = np.array([shapely.box(15, 8, 20, 12)], dtype=object)
    layout, seen = _filled(buildings, types, obstacles={0: (shed, np.array([2.5]))}, keep=True, tilt_deg=10)
    _, shared = _filled(buildings, types, tilt_deg=10)
    clear, _ = _filled(buildings, types, obstacles={0: (shed[:0], np.zeros(0))}, tilt_deg=10)
    assert int(seen["module_count"].sum()) == layout.planes["packed_count"].sum() < clear.planes["packed_count"].sum()
    assert int(shared["module_count"].sum()) == int(clear.planes["packed_count"].sum() * 0.75)
    modules = shapely.polygons(layout.corners[0])
    assert shapely.distance(modules, shed[0]).min() >= 0.3 - 1e-6
    assert shapely.within(modules, buildings.geometry[0].buffer(-0.8 + 1e-6, join_style="mitre")).all()
    assert seen["capacity_low_kwp"].tolist() == seen["capacity_kwp"].tolist() == seen["capacity_high_kwp"].tolist()
    assert shared["capacity_low_kwp"].iloc[0] < shared["capacity_kwp"].iloc[0] < shared["capacity_high_kwp"].iloc[0]


def test_known_planes_take_the_place_of_assumed_ones() -> None:
    south, north = shapely.box(0, 0, 20, 5), shapely.box(0, 5, 20, 10)
    tilt = float(np.degrees(np.arctan(0.6)))
    known = pd.DataFrame(
        {
            "roof": [0, 0, 1], "plane_id": ["f0-1", "f0-2", "f1-1"], "surface_tilt_deg": [tilt, tilt, 1.0],
            "surface_azimuth_deg": [180.0, 90.0, 90.0], "roof_source": "lod2", "z_m": 7.0,
            "area_m2": [100.0 / np.cos(np.radians(tilt))] * 2 + [800.0],
            "geometry": [south, north, shapely.box(50, 0, 90, 20)],
        }
    )  # fmt: skip
    buildings = _buildings(shapely.box(0, 0, 20, 10), shapely.box(50, 0, 90, 20))
    _, out = _filled(buildings, _types("tile_pitched", "flat_concrete"), known=known, tilt_deg=15)
    assert out["mounting"].tolist() == ["flush", "flush", "rack"]
    assert out["surface_tilt_deg"].tolist() == pytest.approx([tilt, tilt, 15.0])
    assert out["surface_azimuth_deg"].tolist() == [180.0, 90.0, 180.0]
    assert out["gross_area_m2"].tolist() == pytest.approx([*known["area_m2"]])


def test_shade_takes_modules_in_proportion() -> None:
    buildings, types = _buildings(shapely.box(0, 0, 40, 20)), _types("flat_concrete")
    _, lit = _filled(buildings, types, tilt_deg=10)
    layout, half = _filled(buildings, types, tilt_deg=10, ok=0.5)
    assert int(half["module_count"].sum()) == int(layout.planes["packed_count"].sum() * 0.75 * 0.5)
    assert half["net_area_m2"].tolist() == lit["net_area_m2"].tolist()
    energy = half[[f"kwh_{m}" for m in MONTHS]].sum(axis=1)
    assert energy.to_numpy() == pytest.approx(half["capacity_kwp"].to_numpy() * 1200.0)


def test_a_roof_without_room_carries_nothing() -> None:
    layout, out = _filled(_buildings(shapely.box(0, 0, 3, 4)), _types("flat_concrete"))
    assert out[CHAIN[:3]].to_numpy().sum() == 0.0
    assert len(layout.planes) == 1


def test_a_row_of_houses_shares_its_walls() -> None:
    """Houses of 6 × 12 m: 4.4 m of width are left between edges, 5.4 m between shared walls."""
    houses = [shapely.box(x, 0, x + 6, 12) for x in (0, 6, 12)]
    buildings, types = _buildings(*houses), _types(*["flat_concrete"] * 3)
    walls = shared_walls(buildings.geometry.to_numpy(), np.full(3, 7.0), load_plane_rules().zones, 0.8)
    alone, together = (_filled(buildings, types, shared=shared)[1] for shared in (None, walls))
    width = together["net_area_m2"] / alone["net_area_m2"] * 4.4
    assert width.tolist() == pytest.approx([4.9, 5.4, 4.9], abs=1e-3)
