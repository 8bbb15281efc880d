"""`rooftop demo`, as a user runs it: terminal, tables, map in a real browser, workbook, report, other language."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
from pathlib import Path

import geopandas as gpd
import openpyxl
import pandas as pd
import pytest
import rasterio

from browser import chromium, opened
from rooftop.tables import COVERAGE, DISTRICTS, MEMBERSHIPS, PLANES, ROOFS

SHEETS = ["结论", "县区", "街道(镇)", "未达标新建建筑", "候选屋顶", "待核实", "任务量与容量", "口径说明", "数据来源"]
COLUMNS = [
    "序号", "建筑编号", "建筑名称", "坐落", "县区", "街道(镇)",
    "产权单位", "建筑用途", "是否公共机构", "竣工日期", "屋面类型", "屋顶面积(㎡)",
    "可安装面积(㎡)", "拟装容量(kWp)", "年发电量(万kWh)", "年等效利用小时数(h)", "遮挡损失(%)", "已装容量(kWp)",
    "推荐理由", "待核实事项", "高德经度", "高德纬度",
]  # fmt: skip


def rooftop(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "rooftop", *arguments],
        cwd=cwd,
        env={**os.environ, "ROOFTOP_LANG": "zh"},
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=900,
    )


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    folder = tmp_path_factory.mktemp("demo")
    finished = rooftop("demo", "-o", "out", cwd=folder)
    assert finished.returncode == 0, finished.stderr
    return folder / "out", finished.stdout


@pytest.fixture(scope="module")
def roofs(done: tuple[Path, str]) -> gpd.GeoDataFrame:
    return gpd.read_parquet(done[0] / "roofs.parquet")


def test_the_terminal_ends_with_a_short_table_and_paths(done: tuple[Path, str]) -> None:
    lines = done[1].splitlines()
    assert "合成示例数据" in lines[0]
    for name in ("甲区", "乙区", "丙区", "合计"):
        assert any(line.startswith(name) for line in lines)
    for name in ("地图: ", "报告: ", "候选清单: "):
        path = next(line.removeprefix(name) for line in lines if line.startswith(name))
        assert (done[0].parent / path).exists()
    assert "-0.0 %" not in done[1]


def test_tables_have_the_columns_of_the_contract(done: tuple[Path, str], roofs: gpd.GeoDataFrame) -> None:
    out = done[0]
    assert roofs.columns[: len(ROOFS.names)].tolist() == ROOFS.names
    for name, table in (("planes", PLANES), ("memberships", MEMBERSHIPS), ("districts", DISTRICTS)):
        assert set(table.names) <= set(pd.read_parquet(out / f"{name}.parquet").columns)
    coverage = pd.read_csv(out / "coverage.csv", encoding="utf-8-sig")
    assert set(COVERAGE.names) <= set(coverage.columns)
    assert (out / "coverage.csv").read_bytes().startswith(b"\xef\xbb\xbf")
    front = coverage[coverage.is_default & (coverage.level == "district")]
    assert front.groupby("kind").unit_name.nunique().to_dict() == {"installed": 3, "planned": 3, "potential": 3}
    assert coverage.groupby(["unit_id", "kind"])[["numerator", "denominator"]].nunique().min().tolist() == [3, 3]


def test_rows_in_are_rows_out_but_for_military_ones(done: tuple[Path, str], roofs: gpd.GeoDataFrame) -> None:
    record = json.loads((done[0] / "run.json").read_text(encoding="utf-8"))
    source = gpd.read_file(record["provenance"][0]["path"], layer="建筑物")
    military = int((source["建筑用途"] == "军事").sum())
    assert military > 0
    assert len(roofs) == len(source) - military == record["counts"]["rows_out"]
    assert not (roofs.building_use == "military").any()


def test_physics_holds_for_every_roof(roofs: gpd.GeoDataFrame) -> None:
    used = roofs[roofs.capacity_kwp > 0]
    chain = ["module_area_m2", "array_area_m2", "used_area_m2", "installable_area_m2", "net_area_m2", "gross_area_m2"]
    for small, large in itertools.pairwise(chain):
        assert (used[small] <= used[large] + 1e-6).all()
    assert used.shading_loss.between(-1e-6, 1).all()
    assert used.svf.between(0, 1).all()
    assert used.performance_ratio.between(0.70, 0.95).all()
    assert used.specific_yield_kwh_kwp.between(700, 1450).all()
    energy = used[[f"kwh_{m:02d}" for m in range(1, 13)]].sum(axis=1)
    assert (energy - used.annual_kwh).abs().max() < 1e-6 * used.annual_kwh.max()
    racks = used[used.roof_type == "flat_concrete"]  # tiled roofs of the same tilt look elsewhere
    flat = racks[racks.surface_tilt_deg == racks.surface_tilt_deg.mode()[0]]
    assert flat.specific_yield_kwh_kwp.corr(flat.shading_loss) < -0.8


def test_rasters_are_cloud_optimised_and_say_what_they_are(done: tuple[Path, str]) -> None:
    for name, unit, low, high in (("poa_annual", "kWh/m2", 300, 1800), ("svf", "1", 0, 1), ("shading_loss", "1", 0, 1)):
        with rasterio.open(done[0] / "rasters" / f"{name}.tif") as raster:
            assert raster.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
            assert raster.overviews(1)
            assert raster.units == (unit,)
            assert raster.tags()["surface"] == "prism"
            assert raster.crs.to_epsg() == 4549
            values = raster.read(1, masked=True).compressed()
            assert low <= values.min() < values.max() <= high


@pytest.mark.browser
def test_the_map_works_in_a_browser_without_network(done: tuple[Path, str], roofs: gpd.GeoDataFrame) -> None:
    wanted = str(roofs[roofs.status == "ok"].building_id.iloc[7])
    with chromium() as browser, opened(browser, done[0] / "maps" / "index.html") as seen:
        seen.page.wait_for_timeout(1500)
        colours = seen.page.evaluate(
            """() => { const seen = new Set(); for (const c of document.querySelectorAll('canvas')) {
            const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;
            for (let i = 0; i < d.length; i += 4)
              if (d[i + 3] > 200) seen.add(d[i] + ',' + d[i + 1] + ',' + d[i + 2]); }
            return seen.size; }"""
        )
        assert colours > 10
        seen.page.fill("#rt-search", wanted)
        seen.page.press("#rt-search", "Enter")
        seen.page.wait_for_selector(".leaflet-popup", timeout=5000)
        assert wanted in seen.page.inner_text(".leaflet-popup")
        assert seen.errors == []
        assert seen.requests == []


@pytest.mark.browser
def test_the_report_opens_without_network(done: tuple[Path, str]) -> None:
    with chromium() as browser, opened(browser, done[0] / "report.html") as seen:
        text = seen.page.inner_text("body")
        assert "新建公共机构建筑、新建厂房屋顶光伏覆盖率" in text
        assert "未达标" in text
        assert "虚构" in text
        assert seen.errors == []
        assert seen.requests == []


def test_the_workbooks_are_the_contracts(done: tuple[Path, str]) -> None:
    books = sorted((done[0] / "candidates").glob("*.xlsx"))
    assert [book.stem for book in books] == sorted(["甲区", "乙区", "丙区"])
    for path in books:
        book = openpyxl.load_workbook(path)
        assert book.sheetnames == SHEETS
        rows = list(book["候选屋顶"].iter_rows(values_only=True))
        head = next(k for k, row in enumerate(rows) if row[0] == "序号")
        assert [str(cell).replace("\n", "") for cell in rows[head][: len(COLUMNS)]] == COLUMNS
        numbers = [row[0] for row in rows[head + 1 :] if isinstance(row[0], int | float)]
        assert numbers == list(range(1, len(numbers) + 1))
        assert len(numbers) > 20
        assert not any(cell.data_type == "f" for sheet in book for row in sheet.iter_rows() for cell in row)
        assert path.with_suffix(".csv").exists()
        assert path.with_suffix(".gpkg").exists()


def test_a_product_is_rebuilt_in_the_other_language(done: tuple[Path, str]) -> None:
    out = done[0]
    before = (out / "report.html").read_text(encoding="utf-8")
    assert rooftop("report", str(out), "--lang", "en", cwd=out).returncode == 0
    english = (out / "report.html").read_text(encoding="utf-8")
    assert 'lang="en"' in english
    assert rooftop("report", str(out), cwd=out).returncode == 0
    assert (out / "report.html").read_text(encoding="utf-8") == before


def test_check_targets_schema_and_doctor_answer(done: tuple[Path, str], demo: Path) -> None:
    folder = done[0].parent
    check = rooftop("check", str(demo / "rooftop.yaml"), cwd=folder)
    assert check.returncode == 0, check.stderr
    assert "1,498 栋建筑" in check.stdout
    assert "lianyungang" in rooftop("targets", cwd=folder).stdout
    assert "新建厂房屋顶光伏覆盖率" in rooftop("targets", "lianyungang", cwd=folder).stdout
    assert json.loads(rooftop("schema", cwd=folder).stdout)["title"] == "Config"
    assert rooftop("doctor", cwd=folder).returncode == 0
