"""Planes of roof models: tilt, azimuth and area against published truths and by hand; merging; tying to footprints."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from numpy.typing import NDArray
from pyproj import CRS, Transformer

from city_models import Model, flat, gable
from rooftop.config import RoofsInput
from rooftop.core.errors import InputError
from rooftop.core.roof_rules import load_roof_rules
from rooftop.inputs.cityjson import read_roofs
from rooftop.inputs.datums import meridian_convergence_deg
from rooftop.scene.layout import flush_plane, variants_of
from rooftop.scene.model_planes import area_vector, merged_planes, surface_planes
from rooftop.scene.planes import RoofPlanes, lod2_planes

RULES = load_roof_rules().lod2
WORKING = "EPSG:4549"
X, Y = 500_000.0, 3_830_000.0  # on the central meridian: the map is true to scale


def _box(x: float, y: float, length: float, width: float) -> shapely.Polygon:
    return shapely.box(x, y, x + length, y + width)


def _buildings(*footprints: shapely.Polygon, ids: tuple[str, ...] | None = None) -> gpd.GeoDataFrame:
    names = ids or tuple(f"f{k}" for k in range(len(footprints)))
    return gpd.GeoDataFrame({"building_id": names, "source_id": names}, geometry=list(footprints), crs=WORKING)


def _planes(
    model: Model, tmp_path: Path, buildings: gpd.GeoDataFrame, base: float = 0.0, terrain: bool = False,
    id_field: str | None = None, visible: NDArray[np.object_] | None = None,
) -> RoofPlanes:  # fmt: skip
    read = read_roofs(RoofsInput(path=model.write(tmp_path / "city.json"), id_field=id_field), CRS(WORKING))
    n = len(buildings)
    return lod2_planes(
        read, buildings, buildings.geometry.to_numpy() if visible is None else visible,
        np.full(n, base), np.full(n, 0.3), RULES, terrain_known=terrain,
    )  # fmt: skip


def _turned(a: pd.Series, b: pd.Series) -> NDArray[np.float64]:
    return np.abs((a.to_numpy() - b.to_numpy() + 180.0) % 360.0 - 180.0)


# --- truths ----------------------------------------------------------------------------------------------------------


@pytest.mark.real
@pytest.mark.parametrize(
    ("city", "crs", "count"), [("denhaag", "EPSG:28992", 13), ("rotterdam", "EPSG:28992", 41), ("zurich", None, 644)]
)
@pytest.mark.parametrize("moved", [False, True])
def test_published_roof_surfaces(city: str, crs: str | None, count: int, moved: bool, shared_truth: Path) -> None:
    folder = shared_truth / "roofplanes"
    own = CRS(crs or "EPSG:2056")
    utm = CRS("EPSG:32632" if crs is None else "EPSG:32631")
    working = utm if moved else own
    model = read_roofs(RoofsInput(path=folder / f"{city}.city.json.gz", crs=crs), working)
    found, _ = surface_planes(model, RULES)
    expected = pd.read_csv(folder / f"{city}_roof_surfaces.csv")
    assert len(found) == len(expected) == count
    assert found["object_id"].tolist() == expected["object"].tolist()
    assert np.abs(found["surface_tilt_deg"] - expected["tilt"]).max() < 0.01
    # the truth's azimuths are of the file's own grid: true azimuth = grid azimuth + convergence, in both
    point = shapely.centroid(found.geometry.to_numpy())
    to_lonlat = Transformer.from_crs(working, "EPSG:4326", always_xy=True)
    lon, lat = to_lonlat.transform(shapely.get_x(point), shapely.get_y(point))
    true = found["grid_azimuth_deg"] + meridian_convergence_deg(working, lon, lat)
    published = expected["azimuth"] + meridian_convergence_deg(own, lon, lat)
    tilted = expected["azimuth"].notna()
    assert _turned(true[tilted], published[tilted]).max() < 0.01
    if moved and city == "zurich":
        assert np.abs(meridian_convergence_deg(working, lon, lat)).min() > 0.2
    half_a_digit = 0.0005 + 1e-6  # the table has three decimals, some surfaces are 0.06 m²
    assert (np.abs(found["area_m2"] - expected["area_m2"]) <= 1e-3 * expected["area_m2"] + half_a_digit).all()


@pytest.mark.real
def test_a_producers_own_angles(shared_truth: Path) -> None:
    record = pd.read_json(shared_truth / "roofplanes" / "3dbag_0851100000000564.json", typ="series")
    for plane in record["planes"]:
        vector = area_vector((np.array(plane["vertices_local_m"]),))
        tilt = np.degrees(np.arctan2(np.hypot(*vector[:2]), vector[2]))
        azimuth = np.degrees(np.arctan2(vector[0], vector[1])) % 360.0
        assert tilt == pytest.approx(plane["tilt_newell"], abs=1e-3)
        assert azimuth == pytest.approx(plane["azimuth_newell"], abs=1e-3)
        assert tilt == pytest.approx(plane["b3_hellingshoek"], abs=0.02)
        assert azimuth == pytest.approx(plane["b3_azimut"], abs=0.02)


# --- by hand ---------------------------------------------------------------------------------------------------------


def test_a_gable_by_hand(tmp_path: Path) -> None:
    model = Model(origin=(X, Y, 0.0))
    model.add("a", gable(X, Y, ground=100.0))
    table = _planes(model, tmp_path, _buildings(_box(X, Y, 20, 10)), base=7.0).table
    assert table["roof_source"].tolist() == ["lod2", "lod2"]
    assert table["surface_tilt_deg"].to_numpy() == pytest.approx(np.degrees(np.arctan(0.6)))
    assert table["surface_azimuth_deg"].tolist() == pytest.approx([180.3, 0.3])  # grid azimuth and 0.3° of convergence
    assert table["area_m2"].to_numpy() == pytest.approx(20.0 * np.hypot(5.0, 3.0))
    assert table["z_m"].to_numpy() == pytest.approx(7.0 + 7.5)  # without a terrain model heights count from the ground
    assert table["plane_id"].tolist() == ["f0-1", "f0-2"]


def test_with_terrain_heights_stay_and_a_wrong_datum_is_refused(tmp_path: Path) -> None:
    model = Model(origin=(X, Y, 0.0))
    model.add("a", gable(X, Y, ground=100.0))
    buildings = _buildings(_box(X, Y, 20, 10))
    assert _planes(model, tmp_path, buildings, base=99.0, terrain=True).table["z_m"].to_numpy() == pytest.approx(107.5)
    with pytest.raises(InputError, match="do not fit the terrain"):
        _planes(model, tmp_path, buildings, base=150.0, terrain=True)


def test_winding_and_holes_do_not_matter() -> None:
    outer = np.array([[0, 0, 0], [4, 0, 0], [4, 4, 4], [0, 4, 4]], dtype=float)
    hole = np.array([[1, 1, 1], [3, 1, 1], [3, 3, 3], [1, 3, 3]], dtype=float)
    for ring in (outer, outer[::-1]):
        for inner in (hole, hole[::-1]):
            assert area_vector((ring, inner)) == pytest.approx([0.0, -12.0, 12.0])


def test_bent_surfaces_are_fitted_and_counted(tmp_path: Path) -> None:
    model = Model(origin=(X, Y, 0.0))
    bent = [(X, Y, 6.0), (X + 10, Y, 6.0), (X + 10, Y + 10, 7.0), (X, Y + 10, 6.0)]
    model.add("a", [("RoofSurface", [bent]), ("GroundSurface", [[(px, py, 0.0) for px, py, _ in bent]])])
    found, notices = surface_planes(read_roofs(RoofsInput(path=model.write(tmp_path / "c.json")), CRS(WORKING)), RULES)
    assert found["deviation_m"].item() == pytest.approx(0.25, abs=0.01)
    # z = a + 0.05 x + 0.05 y is closest to these corners
    assert found["surface_tilt_deg"].item() == pytest.approx(np.degrees(np.arctan(np.hypot(0.05, 0.05))), abs=0.05)
    assert [n.code for n in notices] == ["roof_surface_bent"]


def test_halves_of_a_plane_are_one_and_a_vault_is_not(tmp_path: Path) -> None:
    model = Model(origin=(X, Y, 0.0))
    west, east = gable(X, Y, length=8.0), gable(X + 8.0, Y, length=12.0)
    model.add("a", west + east)
    steps = [(Y + 20 + 2.0 * k, 6.0 + 2.0 * np.tan(np.radians(0.8)) * k * k / 2) for k in range(8)]  # 0.8° more each
    vault = [
        ("RoofSurface", [[(X, y0, z0), (X + 10, y0, z0), (X + 10, y1, z1), (X, y1, z1)]])
        for (y0, z0), (y1, z1) in pairwise(steps)
    ]
    model.add("v", vault)
    model.add("step", flat(X, Y + 50, length=5, width=5, top=6.0))
    model.add("step-1", flat(X + 5, Y + 50, length=5, width=5, top=6.2), kind="BuildingPart", parent="step")
    read = read_roofs(RoofsInput(path=model.write(tmp_path / "c.json")), CRS(WORKING))
    planes = merged_planes(surface_planes(read, RULES)[0], RULES)
    of = planes.groupby("model_id")
    assert of.get_group("a")["n_surfaces"].tolist() == [2, 2]
    assert of.get_group("a")["area_m2"].to_numpy() == pytest.approx(20.0 * np.hypot(5.0, 3.0))
    assert shapely.area(of.get_group("a").geometry.to_numpy()) == pytest.approx([100.0, 100.0])
    assert 3 <= len(of.get_group("v")) <= 4
    assert len(of.get_group("step")) == 2


def test_a_row_modelled_as_one_is_cut_by_its_footprints(tmp_path: Path) -> None:
    model = Model(origin=(X, Y, 0.0))
    model.add("row", gable(X, Y, length=30.0))
    found = _planes(model, tmp_path, _buildings(_box(X, Y, 12, 10), _box(X + 12, Y, 18, 10)))
    slope = np.hypot(5.0, 3.0)
    assert found.table["roof"].tolist() == [0, 0, 1, 1]
    assert found.table["area_m2"].to_numpy() == pytest.approx([12 * slope, 12 * slope, 18 * slope, 18 * slope])
    assert found.table["z_m"].to_numpy() == pytest.approx(7.5)


def test_eaves_stay_with_their_roof_but_not_on_the_neighbour(tmp_path: Path) -> None:
    model = Model(origin=(X, Y, 0.0))
    model.add("a", gable(X - 0.5, Y, length=21.0))
    found = _planes(model, tmp_path, _buildings(_box(X, Y, 20, 10), _box(X + 20, Y, 15, 10)))
    assert found.table["roof"].tolist() == [0, 0]
    assert shapely.area(found.table.geometry.to_numpy()) == pytest.approx([20.5 * 5.0] * 2)


def test_ids_tie_before_overlap(tmp_path: Path) -> None:
    model = Model(origin=(X, Y, 0.0))
    model.add("a", gable(X, Y), egid=2)
    footprints = _buildings(_box(X, Y, 14, 10), _box(X + 14, Y, 8, 10), ids=("1", "2"))
    assert set(_planes(model, tmp_path, footprints).table["roof"]) == {0, 1}
    tied = _planes(model, tmp_path, footprints, id_field="egid").table
    assert set(tied["roof"]) == {1}
    assert shapely.area(tied.geometry.to_numpy()) == pytest.approx([30.0, 30.0])  # not on the neighbour


def test_a_dormer_takes_its_plan_from_the_roof_below(tmp_path: Path) -> None:
    model = Model(origin=(X, Y, 0.0))
    model.add("a", gable(X, Y))
    model.add("a-1", flat(X + 5, Y + 1, length=4, width=3, top=9.5), kind="BuildingPart", parent="a")
    table = _planes(model, tmp_path, _buildings(_box(X, Y, 20, 10))).table
    assert shapely.area(table.geometry.to_numpy()).sum() == pytest.approx(200.0)
    assert sorted(table["area_m2"]) == pytest.approx([12.0, 88.0 * np.hypot(5, 3) / 5.0, 100.0 * np.hypot(5, 3) / 5.0])
    south = table[table["area_m2"] > 100].iloc[-1]
    at = shapely.centroid(south.geometry)
    assert south["z_m"] == pytest.approx(6.0 + 0.6 * (at.y - Y))


def test_half_a_model_leaves_the_roof_assumed_and_says_so(tmp_path: Path) -> None:
    model = Model(origin=(X, Y, 0.0))
    model.add("a", gable(X, Y))
    model.add("b", flat(X + 100, Y, length=4, width=10, top=5.0))
    model.add("c", flat(X + 300, Y, length=4, width=10, top=5.0))
    found = _planes(model, tmp_path, _buildings(_box(X, Y, 20, 10), _box(X + 100, Y, 20, 10)))
    assert found.table["roof"].tolist() == [0, 0]
    assert [n.code for n in found.notices] == ["roof_partly_modelled", "roof_plane_without_footprint"]


def test_a_model_elsewhere_is_refused(tmp_path: Path) -> None:
    model = Model(origin=(X, Y, 0.0))
    model.add("a", gable(X + 5_000.0, Y))
    with pytest.raises(InputError, match="stands on a footprint"):
        _planes(model, tmp_path, _buildings(_box(X, Y, 20, 10)))


def test_upright_faces_are_left_out_whatever_their_outline_covers_in_plan(tmp_path: Path) -> None:
    model = Model(origin=(X, Y, 0.0))
    model.add("a", gable(X, Y))
    crossed = [(X + 50.0, Y, 5.0), (X + 52.0, Y + 2.0, 8.0), (X + 52.0, Y, 5.0), (X + 50.0, Y + 2.0, 8.0)]
    wall = [(X + 60.0, Y, 5.0), (X + 62.0, Y, 5.0), (X + 62.0, Y, 8.0), (X + 60.0, Y, 8.0)]
    steep = [(X + 70.0, Y, 5.0), (X + 72.0, Y, 5.0), (X + 72.0, Y + 0.1, 8.0), (X + 70.0, Y + 0.1, 8.0)]
    for name, ring in (("crossed", crossed), ("wall", wall), ("steep", steep)):
        model.add(name, [("RoofSurface", [ring])])
    found, notices = surface_planes(read_roofs(RoofsInput(path=model.write(tmp_path / "a.json")), CRS(WORKING)), RULES)
    assert found["object_id"].tolist() == ["a", "a", "steep"]
    assert found["surface_tilt_deg"].max() == pytest.approx(np.degrees(np.arctan(30.0)), abs=1e-3)
    assert {n.code: n.count for n in notices}["roof_surface_upright"] == 2


@pytest.mark.parametrize("tilt", [0.0, 2.5, 87.5, 88.0, 90.0])
def test_modules_stay_between_level_and_upright(tilt: float) -> None:
    variants, orientations = variants_of([flush_plane(tilt, 180.0)], lambda plane: [(plane, 1.0)])  # type: ignore[misc,arg-type]
    mean = sum(
        orientations[k].surface_tilt * w for k, w in zip(variants["orientation"], variants["weight"], strict=True)
    )
    assert mean == pytest.approx(tilt) and max(o.surface_tilt for o in orientations) <= 90.0
