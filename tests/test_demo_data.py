"""The bundled example is what its README says, regenerates from its seed, and is called synthetic."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import rasterio
import yaml

from rooftop.config import Config

FILES = ["footprints.gpkg", "districts.gpkg", "towns.gpkg", "zones.geojson"]
RASTERS = ["dtm.tif", "ghi_monthly.tif", "temp_monthly.tif"]


@pytest.fixture(scope="module")
def config(demo: Path) -> Config:
    return Config.model_validate(yaml.safe_load((demo / "rooftop.yaml").read_text(encoding="utf-8")))


@pytest.fixture(scope="module")
def buildings(demo: Path) -> gpd.GeoDataFrame:
    return gpd.read_file(demo / "footprints.gpkg", layer="建筑物")


@pytest.fixture(scope="module")
def again(demo: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("demo")
    subprocess.run([sys.executable, "-B", str(demo / "generate.py"), "-o", str(out)], check=True)
    return out


def test_small_and_synthetic(demo: Path, config: Config) -> None:
    assert sum(f.stat().st_size for f in demo.iterdir() if f.is_file()) < 3_000_000
    assert config.synthetic
    assert "虚构" in config.title
    assert "synthetic" in (demo / "README.md").read_text(encoding="utf-8").splitlines()[0]
    with rasterio.open(demo / "ghi_monthly.tif") as source:
        assert all("synthetic" in name for name in source.descriptions)


@pytest.mark.parametrize("name", FILES)
def test_vectors_regenerate(demo: Path, again: Path, name: str) -> None:
    shipped, made = gpd.read_file(demo / name), gpd.read_file(again / name)
    pd.testing.assert_frame_equal(pd.DataFrame(shipped.drop(columns="geometry")), made.drop(columns="geometry"))
    assert shipped.crs == made.crs
    # 2e-8 degrees: rounded at 1e-8, another PROJ may round the last digit the other way.
    assert all(a.equals_exact(b, 2e-8) for a, b in zip(shipped.geometry, made.geometry, strict=True))


@pytest.mark.parametrize("name", RASTERS)
def test_rasters_regenerate(demo: Path, again: Path, name: str) -> None:
    with rasterio.open(demo / name) as a, rasterio.open(again / name) as b:
        assert (a.crs, a.transform, a.nodata) == (b.crs, b.transform, b.nodata)
        # Rounded at 0.1 m and 0.01: another libm may round a tie the other way.
        np.testing.assert_allclose(a.read(), b.read(), atol=0.11 if name == "dtm.tif" else 0.011)


def test_kinds_and_numbers(buildings: gpd.GeoDataFrame, config: Config) -> None:
    assert 1400 <= len(buildings) <= 1600
    use = buildings["建筑用途"].map(config.inputs.footprints.use_map)
    assert (use.isna() == buildings["建筑用途"].isna()).all(), "a use has no mapping"
    counts = use.value_counts()
    assert {"factory", "school", "hospital", "government_office", "residential", "rural_house", "commercial"} <= set(
        counts.index
    )
    assert counts["factory"] >= 50 and counts["rural_house"] >= 300
    assert set(buildings.loc[use == "factory", "屋面类型"].dropna()) >= {"彩钢板", "混凝土平屋面"}
    mapped = [f for f in config.inputs.footprints.fields.model_dump().values() if f]
    assert set(mapped) <= set(buildings.columns)
    for values, field in (("roof_type_map", "屋面类型"), ("public_map", "是否公共机构")):
        assert set(buildings[field].dropna()) == set(getattr(config.inputs.footprints, values))


def test_gaps_and_faults(buildings: gpd.GeoDataFrame) -> None:
    share = buildings.isna().mean()
    assert 0.04 < share["高度"] < 0.09
    assert 0.02 < share["建筑用途"] < 0.05
    assert (buildings["建成年份"].isna() & buildings["竣工日期"].isna()).mean() == pytest.approx(0.08, abs=0.03)
    assert (~buildings.is_valid).sum() == 3
    assert buildings.geometry.duplicated().sum() == 2
    assert (buildings["高度"] > 500).sum() == 1
    assert (buildings["高度"] < 0).sum() == 1
    assert (buildings["高度"] == 0).sum() == 4
    assert (buildings["建筑用途"] == "军事").sum() == 2
    assert buildings["建筑编号"].is_unique
    metric = buildings[buildings.is_valid].to_crs(4549)
    assert (metric.area < 6).sum() == 3
    names = set(buildings["建筑名称"].dropna())
    assert {"=1+1=理发店", "<b>实惠</b>便利店"} <= names


def test_only_the_planned_overlaps(buildings: gpd.GeoDataFrame) -> None:
    metric = buildings[buildings.is_valid].to_crs(4549).geometry.drop_duplicates().reset_index(drop=True)
    left, right = metric.sindex.query(metric, predicate="overlaps")
    pairs = [(i, j) for i, j in zip(left, right, strict=True) if i < j]
    overlapping = [pair for pair in pairs if metric[pair[0]].intersection(metric[pair[1]]).area > 1.0]
    assert len(overlapping) == 2


def test_declared_pv_fits_its_roof(buildings: gpd.GeoDataFrame) -> None:
    with_pv = buildings[buildings["已装光伏kW"].notna()].to_crs(4549)
    assert len(with_pv) >= 40
    roof = with_pv.geometry.make_valid().area
    assert (with_pv["已装光伏kW"] * 5.0 <= 0.7 * roof).all()


def test_units_partition(demo: Path, buildings: gpd.GeoDataFrame) -> None:
    districts = gpd.read_file(demo / "districts.gpkg").to_crs(4549)
    towns = gpd.read_file(demo / "towns.gpkg").to_crs(4549)
    zones = gpd.read_file(demo / "zones.geojson").to_crs(4549)
    assert len(districts) == 3
    for units in (districts, towns):
        assert units.union_all().area == pytest.approx(units.area.sum(), rel=1e-9)
    assert towns.area.sum() == pytest.approx(districts.area.sum(), rel=1e-6)
    for code, shape in zip(towns["代码"], towns.geometry, strict=True):
        parent = districts.geometry[districts["代码"] == code[:6]].iloc[0]
        assert parent.intersection(shape).area == pytest.approx(shape.area, rel=1e-6)
    points = buildings.to_crs(4549).make_valid().representative_point()
    inside = {code: int(points.within(shape).sum()) for code, shape in zip(towns["代码"], towns.geometry, strict=True)}
    assert [code for code, n in inside.items() if n == 0] == ["990103003"]
    assert (districts.intersection(zones.geometry.iloc[0]).area > 1e5).sum() == 2


def test_rasters_cover_and_are_plausible(demo: Path, buildings: gpd.GeoDataFrame) -> None:
    with rasterio.open(demo / "ghi_monthly.tif") as source:
        ghi, bounds = source.read(), source.bounds
    assert ghi.shape[0] == 12
    assert 1380 < ghi.sum(axis=0).mean() < 1430
    assert ghi.mean(axis=(1, 2)).argmax() == 4 and ghi.mean(axis=(1, 2)).argmin() in (0, 11)
    west, south, east, north = buildings.total_bounds
    assert bounds.left < west and bounds.bottom < south and bounds.right > east and bounds.top > north
    with rasterio.open(demo / "dtm.tif") as source:
        height, crs = source.read(1), source.crs
        x, y = source.xy(*np.unravel_index(height.argmax(), height.shape))
    assert crs.to_epsg() == 4549 and 60 < height.max() < 130 and height.min() > 0
    towns = gpd.read_file(demo / "towns.gpkg").to_crs(4549)
    hill = towns.geometry[towns["名称"] == "石屋林场"].iloc[0]
    assert hill.contains(gpd.points_from_xy([x], [y])[0]), "the hill is not in the forest town: an axis is flipped"


def test_nothing_real_is_named(buildings: gpd.GeoDataFrame) -> None:
    owners = buildings.loc[buildings["产权类型"] != "自然人", "产权单位"].dropna()
    private = buildings["建筑用途"].isin(["住宅", "农房", "附属用房", "商业"]) | buildings["建筑用途"].isna()
    assert owners[~private].str.startswith("示例市").all()
    assert buildings["坐落"].dropna().str.startswith("示例市").all()
