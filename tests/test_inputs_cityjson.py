"""The reader of roof models: versions, nesting, parts, levels of detail, units, coordinates, what it refuses."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from pyproj import CRS, Transformer

from city_models import Model, flat, gable
from rooftop.config import RoofsInput
from rooftop.errors import InputError
from rooftop.inputs.cityjson import RoofModel, read_roofs

CRS_M = CRS("EPSG:4549")
X, Y = 500_000.0, 3_830_000.0


def _read(model: Model, tmp_path: Path, name: str = "city.json", **options: object) -> RoofModel:
    return read_roofs(RoofsInput.model_validate({"path": model.write(tmp_path / name), **options}), CRS_M)


@pytest.mark.parametrize("version", ["1.0", "1.1", "2.0"])
@pytest.mark.parametrize("shape", ["MultiSurface", "CompositeSurface", "Solid", "MultiSolid"])
def test_versions_and_nesting_give_the_same_roofs(version: str, shape: str, tmp_path: Path) -> None:
    model = Model(version, origin=(X, Y, 0.0))
    model.add("a", gable(X, Y), shape=shape)
    found = _read(model, tmp_path)
    assert found.table["object_id"].tolist() == ["a", "a"]
    assert found.rings[0][0] == pytest.approx(
        np.array([[X, Y, 6.0], [X + 20, Y, 6.0], [X + 20, Y + 5, 9.0], [X, Y + 5, 9.0]]), abs=1e-6
    )
    assert found.table["ground_z_m"].tolist() == [0.0, 0.0]


def test_packed_files_are_read(tmp_path: Path) -> None:
    model = Model(origin=(X, Y, 0.0))
    model.add("a", gable(X, Y))
    plain, packed = _read(model, tmp_path), _read(model, tmp_path, "city.json.gz")
    assert [r[0].tolist() for r in plain.rings] == [r[0].tolist() for r in packed.rings]


def test_parts_belong_to_their_building_and_take_its_id(tmp_path: Path) -> None:
    model = Model(origin=(X, Y, 0.0))
    model.add("b-1", gable(X, Y), kind="BuildingPart", parent="b")
    model.add("b-2", flat(X + 20, Y, length=5, width=5, top=4.0), kind="BuildingPart", parent="b")
    model.document["CityObjects"]["b"]["attributes"] = {"egid": 17.0}
    found = _read(model, tmp_path, id_field="egid")
    assert found.table["model_id"].unique().tolist() == ["b"]
    assert found.table["key"].tolist() == ["17"] * 3


def test_the_highest_level_of_detail_counts_and_below_two_none(tmp_path: Path) -> None:
    model = Model(origin=(X, Y, 0.0))
    model.add("a", flat(X, Y, length=20, width=10, top=7.5), lod="1.2")
    model.add("a", flat(X, Y, length=20, width=10, top=7.5), lod="2.0")
    model.add("a", gable(X, Y), lod="2.2")
    model.add("a", flat(X, Y, length=20, width=10, top=7.5), lod="2.1")
    model.add("low", flat(X + 50, Y, length=20, width=10, top=7.5), lod="1.3")
    found = _read(model, tmp_path)
    assert found.table[["object_id", "lod"]].values.tolist() == [["a", "2.2"]] * 2


def test_only_the_outer_shell_of_a_solid_counts(tmp_path: Path) -> None:
    model = Model(origin=(X, Y, 0.0))
    model.add("a", gable(X, Y), shape="Solid")
    geometry = model.document["CityObjects"]["a"]["geometry"][0]
    inner = [(X + 5.0, Y + 5.0, 3.0), (X + 8.0, Y + 5.0, 3.0), (X + 8.0, Y + 8.0, 3.0)]
    geometry["boundaries"].append([[model.ring(inner)]])
    geometry["semantics"]["values"].append([0])
    assert len(_read(model, tmp_path).rings) == 2


def test_holes_stay_and_repeated_surfaces_are_read_once(tmp_path: Path) -> None:
    model = Model(origin=(X, Y, 0.0))
    model.add("a", flat(X, Y, length=20, width=12, top=8.0, hole=True))
    model.add("a-1", flat(X, Y, length=20, width=12, top=8.0, hole=True), kind="BuildingPart", parent="a")
    found = _read(model, tmp_path)
    assert [len(r) for r in found.rings] == [2]
    assert [n.code for n in found.notices] == ["roof_model_repeated"]


def test_heights_are_turned_into_metres(tmp_path: Path) -> None:
    model = Model(origin=(X, Y, 0.0))
    model.add("a", gable(X, Y))
    found = _read(model, tmp_path, vertical_unit="ft", vertical_offset_m=100.0)
    assert found.rings[0][0][:, 2] == pytest.approx([101.8288, 101.8288, 102.7432, 102.7432])
    assert found.table["ground_z_m"].tolist() == [100.0, 100.0]


@pytest.mark.filterwarnings("ignore:Best transformation is not available")
def test_the_vertical_axis_of_a_compound_crs_gives_the_unit(tmp_path: Path) -> None:
    feet = Model(crs=None, origin=(985_000.0, 195_000.0, 0.0))
    feet.add("a", gable(985_000.0, 195_000.0))
    feet.document["metadata"] = {"referenceSystem": "EPSG:2263+6360"}  # New York, feet in plan and height
    found = read_roofs(RoofsInput(path=feet.write(tmp_path / "ny.json")), CRS("EPSG:32618"))
    assert found.rings[0][0][0, 2] == pytest.approx(6.0 * 1200.0 / 3937.0)
    side = np.linalg.norm(found.rings[0][0][1, :2] - found.rings[0][0][0, :2])
    assert side == pytest.approx(20.0 * 1200.0 / 3937.0, rel=5e-4)
    feet.document["metadata"] = {"referenceSystem": "EPSG:2263"}
    with pytest.raises(InputError, match="unit of heights"):
        read_roofs(RoofsInput(path=feet.write(tmp_path / "ny.json")), CRS("EPSG:32618"))


def test_coordinates_come_out_in_the_working_crs(tmp_path: Path) -> None:
    lon, lat = Transformer.from_crs("EPSG:4549", "EPSG:4326", always_xy=True).transform(X, Y)
    model = Model(crs="EPSG:32650", origin=(0.0, 0.0, 0.0))
    x, y = Transformer.from_crs("EPSG:4326", "EPSG:32650", always_xy=True).transform(lon, lat)
    model.add("a", gable(x, y))
    assert _read(model, tmp_path).rings[0][0][0] == pytest.approx([X, Y, 6.0], abs=2e-3)
    shifted = _read(model, tmp_path, datum="gcj02").rings[0][0][0]
    assert 300.0 < np.hypot(shifted[0] - X, shifted[1] - Y) < 700.0


def test_text_sequences_are_read(tmp_path: Path) -> None:
    header, a, b = (Model(origin=(X, Y, 0.0)) for _ in range(3))
    a.add("a", gable(X, Y))
    b.add("b", gable(X + 100, Y))
    lines = [header.document, *({**m.document, "type": "CityJSONFeature", "id": n} for m, n in ((a, "a"), (b, "b")))]
    for line in lines[1:]:
        del line["transform"]
    path = tmp_path / "city.jsonl"
    path.write_text("\n".join(json.dumps(line) for line in lines) + "\n")
    found = read_roofs(RoofsInput(path=path), CRS_M)
    assert found.table["object_id"].tolist() == ["a", "a", "b", "b"]
    assert found.rings[2][0][0] == pytest.approx([X + 100, Y, 6.0], abs=1e-6)


def test_what_cannot_be_used_is_refused_with_its_mend(tmp_path: Path) -> None:
    nowhere = Model(crs=None, origin=(X, Y, 0.0))
    nowhere.add("a", gable(X, Y))
    with pytest.raises(InputError, match=r"inputs\.roofs\.crs"):
        _read(nowhere, tmp_path)
    assert len(_read(nowhere, tmp_path, crs="EPSG:4549").rings) == 2
    low = Model(origin=(X, Y, 0.0))
    low.add("a", gable(X, Y), lod="1.3")
    with pytest.raises(InputError, match="no roof surface"):
        _read(low, tmp_path)
    old = Model("0.9", origin=(X, Y, 0.0))
    old.add("a", gable(X, Y))
    with pytest.raises(InputError, match=r"version 0\.9"):
        _read(old, tmp_path)
    (tmp_path / "bad.json").write_text("{")
    with pytest.raises(InputError, match="CityJSON"):
        read_roofs(RoofsInput(path=tmp_path / "bad.json"), CRS_M)
    with pytest.raises(InputError, match="does not exist"):
        read_roofs(RoofsInput(path=tmp_path / "none.json"), CRS_M)
    broken = Model(origin=(X, Y, 0.0))
    broken.add("a", gable(X, Y))
    broken.document["vertices"] = broken.document["vertices"][:3]
    with pytest.raises(InputError, match="vertex"):
        _read(broken, tmp_path)
