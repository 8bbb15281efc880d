"""The reader of roof models: versions, nesting, parts, levels of detail, units, coordinates, what it refuses."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pyproj import CRS, Transformer

from city_models import Model, flat, gable
from rooftop.config import RoofsInput
from rooftop.core.errors import InputError
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


@pytest.mark.parametrize("crs", ["EPSG:4490", "EPSG:6697", "EPSG:4549", "EPSG:32650"])
def test_north_before_east_is_read_where_the_authority_says_so(crs: str, tmp_path: Path) -> None:
    to_file = Transformer.from_crs("EPSG:4549", CRS(crs).to_2d(), always_xy=True)
    fine = [1e-9, 1e-9, 1e-3] if CRS(crs).to_2d().is_geographic else [1e-3] * 3

    def model(turned: bool) -> Model:
        made = Model(crs=crs, origin=(0.0, 0.0, 0.0))
        made.document["transform"]["scale"] = fine
        made.add("a", gable(X, Y))
        made.add("b", gable(X + 100, Y))
        xyz = np.asarray(made.points) * 1e-3
        x, y = to_file.transform(xyz[:, 0], xyz[:, 1])
        x, y = (y, x) if turned else (x, y)
        made.points[:] = np.round(np.column_stack([x, y, xyz[:, 2]]) / fine).astype(int).tolist()
        made.points.append([0, 0, 0])
        return made

    said = _read(model(False), tmp_path)
    if crs == "EPSG:32650":  # defined east before north: the file is wrong
        with pytest.raises(InputError, match="the northing stands first"):
            _read(model(True), tmp_path, "turned.json")
        return
    turned = _read(model(True), tmp_path, "turned.json")
    assert [n.code for n in turned.notices] == ["roof_model_northing_first"] and not said.notices
    for rings, others in zip(said.rings, turned.rings, strict=True):
        assert rings[0] == pytest.approx(others[0], abs=1e-9)
    assert said.rings[0][0][0] == pytest.approx([X, Y, 6.0], abs=2e-3)


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
    lone = Model(origin=(X, Y, 0.0))
    lone.add("a", gable(X, Y))
    lone.document["vertices"] = lone.document["vertices"][:3]
    with pytest.raises(InputError, match="a: a ring names vertices"):
        _read(lone, tmp_path)
    counts = Model(origin=(X, Y, 0.0))
    counts.add("a", gable(X, Y))
    del counts.document["transform"]
    with pytest.raises(InputError, match="no transform"):
        _read(counts, tmp_path)


Change = Callable[[dict[str, Any]], None]


def _geometry(**changes: object) -> Change:
    return lambda item: item["geometry"][0].update(changes)


def _semantics(**changes: object) -> Change:
    return lambda item: item["geometry"][0]["semantics"].update(changes)


def _boundary(surface: object) -> Change:
    def change(item: dict[str, Any]) -> None:
        item["geometry"][0]["boundaries"][0] = surface

    return change


def _whole(value: object) -> Change:
    def change(item: dict[str, Any]) -> None:
        item.clear()
        item.update({"type": "Building", "geometry": value})

    return change


DAMAGED: dict[str, Change] = {
    "semantics too short": _semantics(values=[0, 1, 2]),
    "semantics too long": _semantics(values=[0, 1, 2, 3, 3]),
    "semantics nested": _semantics(values=[[0, 1, 2, 3]]),
    "semantics of no surface": _semantics(values=[0, 1, 2, 9]),
    "semantics negative": _semantics(values=[-1, 1, 2, 3]),
    "semantics words": _semantics(values=["0", "1", "2", "3"]),
    "semantics fractions": _semantics(values=[0.5, 1.0, 2.0, 3.0]),
    "semantics without types": _semantics(surfaces=[{}, {}, {}, {}]),
    "semantics of text": _semantics(surfaces="RoofSurface"),
    "semantics a number": _geometry(semantics=3),
    "a vertex that is not there": _boundary([[0, 1, 2, 10**9]]),
    "a negative vertex": _boundary([[0, 1, 2, -1]]),
    "a vertex of text": _boundary([["0", "1", "2"]]),
    "a vertex with a fraction": _boundary([[0.5, 1, 2]]),
    "an enormous vertex": _boundary([[0, 1, 10**400]]),
    "rings too deep": _boundary([[[0, 1, 2, 3]]]),
    "a ring that is a number": _boundary([7]),
    "boundaries of text": _geometry(boundaries="none"),
    "boundaries a block": _geometry(boundaries={"a": 1}),
    "a vertex that is no number": _boundary([[0, 1, 2, "nan"]]),
    "geometry of text": _whole(["LoD2"]),
    "geometry a number": _whole(5),
    "attributes a list": lambda item: item.update(attributes=[1]),
    "a place of another continent": _boundary([["far", 1, 2, 3]]),
    "a point at infinity": _boundary([["inf", 1, 2, 3]]),
    "a height above all": _boundary([["high", 1, 2, 3]]),
}


@pytest.mark.parametrize("kind", DAMAGED)
@pytest.mark.parametrize("sequence", [False, True])
def test_one_invalid_object_costs_that_object(kind: str, sequence: bool, tmp_path: Path) -> None:
    model = Model(origin=(X, Y, 0.0))
    for k in range(4):
        model.add(f"T{k}", gable(X + 40 * k, Y))
    far = {"nan": [float("nan")] * 3, "far": [10**13, 0, 0], "inf": [float("inf"), 0, 0], "high": [0, 0, 10**9]}
    wild = {word: len(model.points) + k for k, word in enumerate(far)}
    model.points.extend(far.values())  # type: ignore[arg-type]
    bad = model.document["CityObjects"]["T2"]
    DAMAGED[kind](bad)
    for ring in bad["geometry"][0]["boundaries"][0] if kind in _WITH_WILD else ():
        ring[:] = [wild.get(k, k) for k in ring]
    path = tmp_path / "city.json"
    if sequence:
        path = tmp_path / "city.jsonl"
        head = {**model.document, "CityObjects": {}, "vertices": []}
        features = [
            {"type": "CityJSONFeature", "id": name, "CityObjects": {name: item}, "vertices": model.points}
            for name, item in model.document["CityObjects"].items()
        ]
        path.write_text("\n".join(json.dumps(line) for line in (head, *features)))
    else:
        model.write(path)
    found = read_roofs(RoofsInput(path=path, id_field="egid"), CRS_M)
    assert found.table["object_id"].tolist() == ["T0", "T0", "T1", "T1", "T3", "T3"]
    (notice,) = [n for n in found.notices if n.code == "roof_model_damaged"]
    assert notice.count == 1 and "T2" in notice.text.en and notice.examples[0].startswith("T2: ")


_WITH_WILD = ("a vertex that is no number", "a place of another continent", "a point at infinity", "a height above all")


def test_objects_that_are_each_others_parents_and_lines_that_are_cut(tmp_path: Path) -> None:
    model = Model(origin=(X, Y, 0.0))
    model.add("a", gable(X, Y), kind="BuildingPart", parent="b")
    model.add("b", gable(X + 40, Y))
    model.document["CityObjects"]["b"]["parents"] = ["a"]
    model.document["CityObjects"]["none"] = None
    model.document["CityObjects"]["word"] = "Building"
    found = _read(model, tmp_path)
    assert found.table["object_id"].tolist() == ["a", "a", "b", "b"]
    assert {n.code: n.count for n in found.notices} == {"roof_model_damaged": 2}
    header = Model(origin=(X, Y, 0.0))
    feature = json.dumps({**model.document, "type": "CityJSONFeature", "id": "f"})
    path = tmp_path / "city.jsonl"
    path.write_text("\n".join([json.dumps(header.document), feature[:-40], feature, '{"transform": 3}', "[]"]))
    found = read_roofs(RoofsInput(path=path), CRS_M)
    assert found.table["object_id"].tolist() == ["a", "a", "b", "b"]
    assert {n.code: n.count for n in found.notices} == {"roof_model_damaged": 4}


def test_numbers_and_brackets_without_end_are_refused(tmp_path: Path) -> None:
    for text in (
        "[" * 100_000,
        '{"type": "CityJSON", "version": ' + "9" * 5000 + "}",
        '{"type":"CityJSON","version":"2.0"}',
    ):
        (tmp_path / "bad.json").write_text(text)
        with pytest.raises(InputError):
            read_roofs(RoofsInput(path=tmp_path / "bad.json"), CRS_M)
