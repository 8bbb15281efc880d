"""One bad row of a vector file costs that row: arcs, faces, heights, damaged geometries, values that are no scalars."""

from __future__ import annotations

import datetime
import decimal
import json
import sqlite3
import struct
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow
import pyarrow.parquet
import pyogrio
import pyogrio.raw
import pytest
import shapely

from rooftop.config import FieldMap, FootprintsInput
from rooftop.core.errors import InputError
from rooftop.inputs.footprints import read_buildings
from rooftop.inputs.guess import guess
from rooftop.inputs.vectors import read_vector

X, Y = 500_000.0, 3_830_000.0
Points = list[tuple[float, ...]]


# --- geometries ------------------------------------------------------------------------------------------------------


def points(at: Points) -> bytes:
    return struct.pack("<I", len(at)) + b"".join(struct.pack(f"<{len(p)}d", *p) for p in at)


def line(code: int, at: Points) -> bytes:
    return struct.pack("<BI", 1, code) + points(at)


def of(code: int, *parts: bytes) -> bytes:
    return struct.pack("<BII", 1, code, len(parts)) + b"".join(parts)


def lifted(at: Points, *more: float) -> Points:
    return [(*p, *more) for p in at]


CIRCLE: Points = [(X - 10, Y), (X, Y + 10), (X + 10, Y), (X, Y - 10), (X - 10, Y)]
SQUARE: Points = [(X + 100, Y), (X + 120, Y), (X + 120, Y + 10), (X + 100, Y + 10), (X + 100, Y)]
POLYGON = of(3, points(SQUARE))
CURVE = of(10, line(8, CIRCLE))
HALF = of(10, of(9, line(8, CIRCLE[:3]), line(2, [CIRCLE[2], CIRCLE[0]])))
WALL = of(1003, points([(X + 100, Y, 0), (X + 120, Y, 0), (X + 120, Y, 5), (X + 100, Y, 5), (X + 100, Y, 0)]))


def triangle(*corners: int) -> bytes:
    return of(1017, points(lifted([SQUARE[k] for k in (*corners, corners[0])], 5.0)))


ROWS: dict[str, tuple[bytes, float | None]] = {
    "polygon": (POLYGON, 200.0),
    "curve polygon": (CURVE, 314.159),
    "compound curve": (HALF, 157.080),
    "multi surface": (of(12, CURVE, POLYGON), 514.159),
    "collection": (of(7, POLYGON, line(2, SQUARE[:3])), 200.0),
    "collection of arcs": (of(7, CURVE, line(2, SQUARE[:3])), 314.159),
    "z": (of(1003, points(lifted(SQUARE, 5.0))), 200.0),
    "m": (of(2003, points(lifted(SQUARE, 5.0))), 200.0),
    "zm": (of(3003, points(lifted(SQUARE, 5.0, 1.0))), 200.0),
    "curve z": (of(1010, line(1008, lifted(CIRCLE, 5.0))), 314.159),
    "circular string": (line(8, CIRCLE), None),
}
FACES: dict[str, tuple[bytes, float | None]] = {
    "polyhedral surface": (of(1015, of(1003, points(lifted(SQUARE, 5.0))), WALL), 200.0),
    "tin": (of(1016, triangle(0, 1, 2), triangle(0, 2, 3)), 200.0),
    "triangle": (triangle(0, 1, 2), 100.0),
}


def drop_triggers(file: sqlite3.Connection) -> None:
    """Let rows be changed without the functions of GDAL."""
    for trigger in [row[0] for row in file.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")]:
        file.execute(f'DROP TRIGGER "{trigger}"')


def write(path: Path, rows: Mapping[str, tuple[bytes, float | None]]) -> Path:
    names = np.array(list(rows), dtype=object)
    wkb = np.array([row[0] for row in rows.values()] + [None], dtype=object)[:-1]
    if path.suffix == ".parquet":
        gpd.GeoDataFrame({"n": ["x"]}, geometry=[shapely.Point(0, 0)], crs="EPSG:4549").to_parquet(path)
        about = pyarrow.parquet.read_schema(path).metadata
        table = pyarrow.table({"n": names.tolist(), "geometry": wkb.tolist()}).replace_schema_metadata(about)
        pyarrow.parquet.write_table(table, path)
        return path
    options = {".geojson": {"RFC7946": "NO"}, ".fgb": {"SPATIAL_INDEX": "NO"}}.get(path.suffix, {})
    pyogrio.raw.write(
        path,
        geometry=wkb,
        field_data=[names],
        fields=["n"],
        geometry_type="Unknown",
        crs="EPSG:4549",
        layer="t",
        **options,
    )
    return path


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("suffix", [".gpkg", ".fgb", ".geojson", ".sqlite", ".parquet"])
def test_arcs_become_lines_and_heights_are_dropped(suffix: str, tmp_path: Path) -> None:
    rows = ROWS if suffix == ".geojson" else ROWS | FACES  # GeoJSON knows no faces
    found = read_vector(write(tmp_path / f"a{suffix}", rows), {"id": "n"}, role="inputs.footprints")
    for name, shape in zip(found.table["n"], found.geometry, strict=True):
        area = rows[name][1]
        if area is None:
            assert shape is None, name
        else:  # GDAL has made lines of four degrees of what it wrote as GeoJSON
            assert shapely.area(shape) == pytest.approx(area, rel=1e-3 if suffix == ".geojson" else 6e-5), name
            assert not shape.has_z and shapely.get_coordinate_dimension(shape) == 2
    assert [n.code for n in found.notices if n.code != "encoding"] == ["not_polygon"]


DECLARED = [
    "CURVEPOLYGON", "MULTISURFACE", "SURFACE", "CURVEPOLYGON Z", "CURVEPOLYGON M",
    "POLYHEDRALSURFACE", "POLYHEDRALSURFACE Z", "TIN", "TIN Z", "TRIANGLE", "GEOMETRY Z", "GEOMETRY M",
    "GEOMETRYCOLLECTION", "MULTIPOLYGON Z",
]  # fmt: skip


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("declared", DECLARED)
def test_a_geopackage_is_read_whatever_its_layer_is_declared_to_hold(declared: str, tmp_path: Path) -> None:
    path = write(tmp_path / "a.gpkg", {"one": (CURVE, None), "two": FACES["tin"]})
    name, _, axes = declared.partition(" ")
    with closing(sqlite3.connect(path)) as file, file:
        file.execute(
            "UPDATE gpkg_geometry_columns SET geometry_type_name = ?, z = ?, m = ?", (name, "Z" in axes, "M" in axes)
        )
    found = read_vector(path, {"id": "n"}, role="inputs.footprints")
    assert shapely.area(found.geometry) == pytest.approx([314.159, 200.0], rel=6e-5)


def test_a_round_building_is_a_building(tmp_path: Path) -> None:
    path = write(tmp_path / "b.gpkg", {"round": (CURVE, None), "square": (POLYGON, None)})
    table = read_buildings(FootprintsInput(path=path, fields=FieldMap(id="n"), default_height_m=6.0)).table
    assert table["building_id"].tolist() == ["round", "square"]
    assert table.geometry.area.tolist() == pytest.approx([314.159, 200.0], rel=6e-5)
    assert guess(path).features == 2


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("suffix", [".gpkg", ".parquet"])
def test_a_geometry_that_cannot_be_read_costs_its_row(suffix: str, tmp_path: Path) -> None:
    unclosed = of(3, points([*SQUARE[:-1], (X + 100, Y + 0.5)]))
    bad = {
        "nan": of(3, points([(X, Y), (float("nan"), Y), (X + 5, Y + 5), (X, Y)])),
        "short": POLYGON[:-9],
        "unknown": struct.pack("<BI", 1, 99) + points(SQUARE),
        "two points": of(3, points(SQUARE[:2])),
    }
    path = write(
        tmp_path / f"a{suffix}",
        {"a": (POLYGON, 0), "b": (POLYGON, 0), "unclosed": (POLYGON, 0)} | dict.fromkeys(bad, (POLYGON, 0)),
    )
    bad["unclosed"] = unclosed
    if suffix == ".gpkg":
        with closing(sqlite3.connect(path)) as file, file:
            drop_triggers(file)
            for name, wkb in bad.items():
                (blob,) = file.execute("SELECT geom FROM t WHERE n = ?", (name,)).fetchone()
                head = blob[: len(blob) - len(POLYGON)]
                file.execute("UPDATE t SET geom = ? WHERE n = ?", (head + wkb, name))
    else:
        table = pyarrow.parquet.read_table(path)
        geometry = [bad.get(n, POLYGON) for n in table["n"].to_pylist()]
        pyarrow.parquet.write_table(table.set_column(1, "geometry", pyarrow.array(geometry, pyarrow.binary())), path)
    found = read_vector(path, {"id": "n"}, role="inputs.footprints")
    shapes = dict(zip(found.table["n"], found.geometry, strict=True))
    assert len(shapes) == 7 and shapely.area([shapes["a"], shapes["b"]]).tolist() == [200.0, 200.0]
    assert shapes["short"] is None and shapes["unknown"] is None


# --- values ----------------------------------------------------------------------------------------------------------

SQUARES = [shapely.box(119.2 + 0.001 * k, 34.6, 119.2005 + 0.001 * k, 34.6004) for k in range(3)]
VALUES: dict[str, list[Any]] = {
    "words": [["factory", "office"], ["office"], None],
    "numbers": [[1, 2], [3], []],
    "flags": [[True, False], True, None],
    "mixed": ["factory", 5, ["x"]],
    "block": [{"k": 1}, {"k": [1, {"z": None}]}, None],
    "nested": [[[1]], [[2], ["甲"]], {"a": []}],
    "often a block": [{"k": 1}, "plain", 3],
    "huge": [10**30, 1, -(10**25)],
}


def geojson(path: Path) -> Path:
    features = [
        {"type": "Feature", "geometry": shapely.geometry.mapping(shape),
         "properties": {"bid": f"b{k}", "h": 9.0 + k} | {name: values[k] for name, values in VALUES.items()}}
        for k, shape in enumerate(SQUARES)
    ]  # fmt: skip
    path.write_text(
        json.dumps({"type": "FeatureCollection", "features": features}, ensure_ascii=False), encoding="utf-8"
    )
    return path


@pytest.mark.parametrize("field", VALUES)
def test_values_that_are_no_scalars_are_text_in_geojson(field: str, tmp_path: Path) -> None:
    path = geojson(tmp_path / "a.geojson")
    found = read_vector(path, {"use": field}, role="inputs.footprints")
    for value, meant in zip(found.table[field], VALUES[field], strict=True):
        if isinstance(meant, list) and len(meant) == 1 and not isinstance(meant[0], list):
            assert value == str(meant[0]) or (field == "mixed" and json.loads(value) == meant)
        elif isinstance(meant, list | dict) and meant:
            assert isinstance(value, str) and json.loads(value) == meant
        elif isinstance(meant, list):
            assert pd.isna(value)
    buildings = read_buildings(
        FootprintsInput(path=path, fields=FieldMap(id="bid", height_m="h", building_use=field, building_name=field))
    )
    assert len(buildings.table) == 3 and buildings.table["height_m"].tolist() == [9.0, 10.0, 11.0]


def test_only_fields_that_are_asked_for_matter_and_a_guess_survives_all(tmp_path: Path) -> None:
    path = geojson(tmp_path / "a.geojson")
    assert read_vector(path, {"id": "bid"}, role="").notices == ()
    text = (
        path.read_text(encoding="utf-8")
        .replace('"words"', '"use"')
        .replace('"block"', '"height"')
        .replace('"nested"', '"year"')
    )
    path.write_text(text, encoding="utf-8")
    assert guess(path).field("building_use") == "use"


def test_values_that_are_no_scalars_are_text_in_geoparquet(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    gpd.GeoDataFrame({"bid": ["b0", "b1", "b2"]}, geometry=SQUARES, crs="EPSG:4326").to_parquet(path)
    table = pyarrow.parquet.read_table(path)
    columns = {
        "list": pyarrow.array([["a", "b"], ["c"], []]),
        "struct": pyarrow.array([{"k": 1}, {"k": 2}, None]),
        "map": pyarrow.array([[("k", 1)], [], None], pyarrow.map_(pyarrow.string(), pyarrow.int64())),
        "bytes": pyarrow.array([b"\x00\xff", b"plain", None]),
        "decimal": pyarrow.array([decimal.Decimal("1.50"), None, decimal.Decimal("2")]),
        "time": pyarrow.array([datetime.time(1, 2), None, datetime.time(3)]),
        "span": pyarrow.array([datetime.timedelta(1), None, datetime.timedelta(2)]),
        "words": pyarrow.array(["a", "b", "a"]).dictionary_encode(),
        "instant": pyarrow.array([datetime.datetime(2020, 1, 2, tzinfo=datetime.UTC), None, None]),
        "dotted.name": pyarrow.array([1, 2, 3]),
        "long": pyarrow.array([123456789012345678, None, 2**62]),
        "nothing": pyarrow.nulls(3),
    }
    for name, values in columns.items():
        table = table.append_column(name, values)
    pyarrow.parquet.write_table(table, path)
    found = read_vector(path, {name: name for name in columns}, role="inputs.footprints").table
    assert found["list"].tolist() == ['["a", "b"]', "c", None]
    assert json.loads(found["struct"][1]) == {"k": 2} and json.loads(found["map"][0]) == [["k", 1]]
    assert found["bytes"].tolist()[:2] == ["00ff", "plain"]
    assert str(found["long"][0]) == "123456789012345678"
    for name in columns:
        buildings = read_buildings(
            FootprintsInput(
                path=path, fields=FieldMap(id=name, building_use=name, structure=name), default_height_m=6.0
            )
        )
        assert len(buildings.table) == 3


def test_blobs_are_text_or_hexadecimal(tmp_path: Path) -> None:
    path = tmp_path / "a.gpkg"
    gpd.GeoDataFrame({"bid": ["b0", "b1", "b2"]}, geometry=SQUARES, crs="EPSG:4326").to_file(path, layer="t")
    with closing(sqlite3.connect(path)) as file, file:
        drop_triggers(file)
        file.execute("ALTER TABLE t ADD COLUMN photo BLOB")
        file.execute("ALTER TABLE t ADD COLUMN note MEDIUMINT")
        file.executemany(
            "UPDATE t SET photo = ?, note = ? WHERE bid = ?", [(b"\xff\xd8", "seven", "b0"), (b"abc", 2**40, "b1")]
        )
    found = read_vector(path, {"a": "photo", "b": "note"}, role="inputs.footprints").table
    assert found["photo"].tolist()[:2] == ["ffd8", "abc"]


def test_a_field_that_cannot_be_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = geojson(tmp_path / "a.geojson")
    real = pyogrio.read_dataframe

    def broken(*given: Any, columns: list[str] | None = None, **options: Any) -> Any:
        if columns and "flags" in columns:
            raise ValueError("setting an array element with a sequence")
        return real(*given, columns=columns, **options)

    monkeypatch.setattr(pyogrio, "read_dataframe", broken)
    with pytest.raises(InputError, match="flags"):
        read_vector(path, {"id": "bid", "use": "flags"}, role="inputs.footprints")
