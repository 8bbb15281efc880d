"""A whole run of values as strangers write them: ids in every product, and structures that are none never `ok`."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import openpyxl
import pandas as pd
import pyogrio
import pytest
import shapely
import yaml

from rasters import write_raster
from rooftop.outputs.store import read_tables

LON, LAT = 119.2, 34.6
FIRST = 320706001001001000
DISTRICTS = [320706001001001001, 320706001001001002]
STRUCTURES = ["混3", "砼4", "钢", "3", "简2", "棚", "破2", "建6", "特种", None, "其他", "待定"]
SAFE = ("混3", "砼4", "钢", "3")
N = len(STRUCTURES)


def building(k: int) -> shapely.Polygon:
    x, y = LON + (k % 6) * 0.0008, LAT + (k // 6) * 0.0008
    return shapely.box(x, y, x + 0.00035, y + 0.00025)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("values")
    ids: list[int | None] = [FIRST + k for k in range(N)]
    ids[5] = None
    columns = {
        "bid": pd.array(ids, dtype="Int64"),
        "fl": ["6+1", "三层", "6/-1", "地上6层", "2", None, None, "六", "6", "5-6", "多层", "地下1层"],
        "s": STRUCTURES,
        "use": "办公",
        "public": "是",
        "year": ["2022", "98年", "2023-05", "九十年代", None, None, None, None, "2024", "2021", "在建", "2022"],
    }
    frame = gpd.GeoDataFrame(columns, geometry=[building(k) for k in range(N)], crs=4326)
    pyogrio.write_dataframe(frame, folder / "b.gpkg")
    middle, edge = LON + 0.0024 - 0.0002, 0.001
    halves = [
        shapely.box(LON - edge, LAT - edge, middle, LAT + 0.003),
        shapely.box(middle, LAT - edge, LON + 0.01, LAT + 0.003),
        shapely.box(LON + 1.0, LAT, LON + 1.1, LAT + 0.1),
    ]  # fmt: skip
    codes = pd.array([*DISTRICTS, None], dtype="Int64")
    units = gpd.GeoDataFrame({"code": codes, "name": ["NA", "None", "x"]}, geometry=halves, crs=4326)
    pyogrio.write_dataframe(units, folder / "d.shp")
    write_raster(folder / "ghi.tif", np.full((20, 20), 3.8), LON - 0.5, LAT + 0.5, 0.05)
    (folder / "s.csv").write_text(f"unit,year,kwp\n{DISTRICTS[0]}.0,2030,5\n{DISTRICTS[1]},2030,7\n", "utf-8")
    fields = {"id": "bid", "floors": "fl", "structure": "s", "building_use": "use", "year_built": "year",
              "is_public_institution": "public"}  # fmt: skip
    config = {
        "name": "values",
        "inputs": {
            "footprints": {"path": "b.gpkg", "fields": fields},
            "districts": {"path": "d.shp", "id_field": "code", "name_field": "name"},
            "irradiance": {"ghi": {"path": "ghi.tif", "unit": "kWh/m2/day"}},
            "schedule": {"path": "s.csv", "fields": {"unit_id": "unit", "year": "year", "kwp": "kwp"}},
        },
        "scene": {"azimuths": 36, "halo_m": 100.0},
        "policy": "lianyungang",
        "outputs": {"lang": "en", "rasters": []},
    }
    (folder / "rooftop.yaml").write_text(yaml.safe_dump(config, allow_unicode=True), "utf-8")
    command = [sys.executable, "-m", "rooftop", "run", str(folder / "rooftop.yaml"), "-o", str(folder / "out")]
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=False)
    assert done.returncode == 0, done.stderr
    return folder / "out"


@pytest.fixture(scope="module")
def roofs(project: Path) -> pd.DataFrame:
    return pd.DataFrame(gpd.read_parquet(project / "roofs.parquet").drop(columns="geometry"))


def notices(project: Path) -> dict[str, dict[str, Any]]:
    return {n["code"]: n for n in json.loads((project / "run.json").read_text("utf-8"))["notices"]}


def expected_ids(roofs: pd.DataFrame) -> list[str]:
    own = [str(FIRST + k) for k in range(N)]
    own[5] = str(roofs["building_id"].iloc[5])
    assert re.fullmatch(r"b[0-9a-f]{12}", own[5])
    return own


def test_ids_keep_every_digit_in_every_table(project: Path, roofs: pd.DataFrame) -> None:
    own = expected_ids(roofs)
    assert roofs["building_id"].tolist() == own
    assert roofs["source_id"].isna().tolist() == [k == 5 for k in range(N)]
    units = [str(DISTRICTS[0])] * 3 + [str(DISTRICTS[1])] * 3
    assert roofs["district_id"].tolist() == units * 2
    planes = pd.read_parquet(project / "planes.parquet", columns=["plane_id", "building_id"])
    assert set(planes["building_id"]) <= set(own)
    assert (planes["plane_id"].str.rsplit("-", n=1).str[0] == planes["building_id"]).all()
    memberships = pd.read_parquet(project / "memberships.parquet")
    assert set(memberships["unit_id"]) == {str(d) for d in DISTRICTS}
    for name in ("districts.csv", "coverage.csv", "timeline.csv"):
        text = pd.read_csv(project / name, dtype=str, keep_default_na=False, encoding="utf-8-sig")
        assert {str(d) for d in DISTRICTS} <= set(text["unit_id"]) <= {*map(str, DISTRICTS), "all", "city"}
        assert {"NA", "None"} <= set(text["unit_name"])


def test_ids_keep_every_digit_in_what_people_open(project: Path, roofs: pd.DataFrame) -> None:
    shown = {i for i, s in zip(roofs["building_id"], roofs["status"], strict=True) if s != "excluded"}
    books = {path.stem: path for path in (project / "candidates").glob("*.xlsx")}
    assert set(books) == {"NA", "None"}
    found: set[str] = set()
    for path in books.values():
        for sheet in openpyxl.load_workbook(path).worksheets:
            for row in sheet.iter_rows():
                for cell in row:
                    assert not isinstance(cell.value, int | float) or abs(cell.value) < 1e12
                    found.add(str(cell.value))
    assert shown <= found
    listed = pd.concat(
        [pd.read_csv(path, dtype=str, encoding="utf-8-sig") for path in (project / "candidates").glob("*.csv")]
    )
    assert shown <= set(listed.to_numpy().ravel())
    layers = pd.concat(
        [pyogrio.read_dataframe(path, layer="candidates", read_geometry=False)
         for path in (project / "candidates").glob("*.gpkg")]
    )  # fmt: skip
    assert shown <= set(layers["building_id"])
    page = (project / "maps" / "index.html").read_text("utf-8") + "".join(
        p.read_text("utf-8") for p in (project / "maps").rglob("*.js*")
    )
    assert all(f'"{i}"' in page for i in shown)
    assert not re.search(r"[:\[,]\s*320706001001001\d{3}\s*[,\]}]", page)  # as a number JavaScript would round it


def test_tables_read_back_are_those_written(project: Path) -> None:
    tables = read_tables(project)
    assert {"NA", "None"} <= set(tables.coverage["unit_name"])
    assert tables.timeline is not None and {"NA", "None"} <= set(tables.timeline["unit_name"])


def test_floors_as_written_and_underground(roofs: pd.DataFrame) -> None:
    assert roofs["floors_above"].fillna(-1).tolist() == [6, 3, 6, 6, 2, -1, 2, 6, 6, 5, -1, 0]
    assert roofs["height_m"].tolist()[:5] == [18.0, 9.0, 18.0, 18.0, 6.0]
    below = roofs.iloc[11]
    assert below["height_m"] == 0.0 and below["status"] == "excluded"
    assert {"underground", "too_low"} <= set(below["reasons"])


def test_only_known_structures_are_ok(project: Path, roofs: pd.DataFrame) -> None:
    for told, (_, roof) in zip(STRUCTURES, roofs.iterrows(), strict=True):
        if roof["status"] != "excluded":
            assert roof["status"] == ("ok" if told in SAFE else "needs_survey"), told
    said = {told: set(codes) for told, codes in zip(STRUCTURES, roofs["reasons"], strict=True)}
    assert "structure_shed" in said["简2"] & said["棚"] and "structure_ruin" in said["破2"]
    assert "structure_unknown" not in said["简2"] | said["破2"] | said["建6"]
    assert "structure_unknown" in said["特种"] & said[None] & said["其他"] & said["待定"]
    found = notices(project)
    assert found["structure_unread"]["examples"] == ["特种 (1)"]
    assert found["structure_shed"]["count"] == 2 and found["structure_ruin"]["count"] == 1


def test_what_is_not_completed_is_not_new(roofs: pd.DataFrame) -> None:
    new = dict(zip(map(str, STRUCTURES), roofs["is_new"], strict=True))
    assert [new[s] for s in ("混3", "砼4", "钢", "3", "简2", "建6", "其他")] == [
        "yes", "no", "yes", "unknown", "unknown", "no", "no"]  # fmt: skip
    codes = {s: set(c) for s, c in zip(map(str, STRUCTURES), roofs["reasons"], strict=True)}
    assert "under_construction" in codes["建6"] & codes["其他"]
    assert "year_unknown" not in codes["建6"] | codes["其他"] and "year_unknown" in codes["3"]


def test_a_schedule_of_long_codes_finds_its_districts(project: Path) -> None:
    assert not {"schedule_unit_unknown", "schedule_rows_lost", "id_digits_lost"} & set(notices(project))
