"""Planes and modules as layers: in the GeoPackages, in rebuilt products, and gone where a run no longer has them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pytest
import shapely

import rooftop
from halved_town import settings, write_project
from rooftop.core.errors import InputError
from rooftop.job.products import rebuild
from rooftop.outputs.store import read_tables, write_tables

LAYERS = ["candidates", "planes", "modules"]


def run(folder: Path, *, modules: bool) -> rooftop.RunResult:
    config = settings(
        folder,
        scene={"azimuths": 12, "halo_m": 60.0, "cell_size_m": 2.0},
        outputs={"lang": "en", "modules": modules},
    )
    return rooftop.run(config, folder / "out")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_project(tmp_path_factory.mktemp("layers"))


@pytest.fixture(scope="module")
def drawn(project: Path) -> rooftop.RunResult:
    return run(project, modules=True)


def packages(folder: Path) -> list[Path]:
    return sorted((folder / "candidates").glob("*.gpkg"))


def layers(path: Path) -> list[str]:
    return [str(name) for name, _ in pyogrio.list_layers(path)]


def test_planes_and_modules_of_the_listed_roofs_and_no_others(drawn: rooftop.RunResult) -> None:
    planes, modules = drawn.tables.planes, drawn.tables.modules
    assert modules is not None and isinstance(planes, gpd.GeoDataFrame)
    seen: set[str] = set()
    for path in packages(drawn.out):
        assert layers(path) == LAYERS
        listed = pyogrio.read_dataframe(path, layer="candidates")
        mine = pyogrio.read_dataframe(path, layer="planes")
        placed = pyogrio.read_dataframe(path, layer="modules")
        assert [frame.crs.to_epsg() for frame in (listed, mine, placed)] == [4326] * 3
        assert mine.columns.tolist() == planes.columns.tolist()
        assert placed.columns.tolist() == modules.columns.tolist()
        of_listed = planes[planes["building_id"].isin(listed["building_id"])]
        assert mine["plane_id"].tolist() == of_listed["plane_id"].tolist()
        counted = placed[placed["counted"]].groupby("plane_id").size()
        wanted = of_listed.set_index("plane_id")["module_count"]
        assert counted.to_dict() == wanted[wanted > 0].astype(int).to_dict()
        seen |= set(listed["building_id"])
        assert len(mine) < len(planes) and len(placed) < len(modules)  # each district has its own
    assert seen


def test_layers_lie_on_their_roofs(drawn: rooftop.RunResult) -> None:
    path = max(packages(drawn.out), key=lambda p: p.stat().st_size)
    roofs = pyogrio.read_dataframe(path, layer="candidates").to_crs("EPSG:4548").set_index("building_id")
    planes = pyogrio.read_dataframe(path, layer="planes").to_crs("EPSG:4548").set_index("plane_id")
    modules = pyogrio.read_dataframe(path, layer="modules").to_crs("EPSG:4548")
    assert len(modules) > 100
    footprint = roofs.geometry.loc[planes["building_id"]].to_numpy()
    assert shapely.area(shapely.difference(planes.geometry.to_numpy(), shapely.buffer(footprint, 0.01))).max() < 1e-6
    below = planes.geometry.loc[modules["plane_id"]].to_numpy()
    assert shapely.within(modules.geometry.to_numpy(), shapely.buffer(below, 0.01)).all()
    sizes = shapely.area(modules.geometry.to_numpy())
    assert 2.2 < sizes.min() < sizes.max() < 2.6  # 2.278 × 1.134 m, foreshortened by the tilt


def test_products_rebuilt_later_know_the_same_modules(drawn: rooftop.RunResult) -> None:
    again = read_tables(drawn.out)
    assert again.modules is not None and drawn.tables.modules is not None
    pd.testing.assert_frame_equal(pd.DataFrame(again.modules), pd.DataFrame(drawn.tables.modules), check_like=False)
    paths = [drawn.out / "maps" / "index.html", *packages(drawn.out)]
    before = [path.read_bytes() for path in paths]
    for path in paths:
        path.unlink()
    rebuild(drawn.out, ["map", "candidates"])
    assert [path.read_bytes() for path in paths] == before


def test_a_run_without_modules_leaves_none_of_an_earlier_one(project: Path, drawn: rooftop.RunResult) -> None:
    # Runs last in this file: it writes into the folder of the others.
    assert (drawn.out / "modules.parquet").exists()
    count = len(drawn.tables.planes)
    later = run(project, modules=False)
    assert later.out == drawn.out
    assert not (later.out / "modules.parquet").exists()
    assert read_tables(later.out).modules is None
    assert [layers(path) for path in packages(later.out)] == [LAYERS[:2]] * len(packages(later.out))
    assert len(later.tables.planes) == count
    rebuild(later.out, ["candidates"])
    assert all(layers(path) == LAYERS[:2] for path in packages(later.out))


def test_tables_a_run_does_not_have_are_not_read(drawn: rooftop.RunResult, tmp_path: Path) -> None:
    full = drawn.tables
    assert full.timeline is not None
    write_tables(tmp_path, full)
    assert {"modules.parquet", "timeline.csv"} <= {path.name for path in tmp_path.iterdir()}
    bare = replace(full, timeline=None, modules=None)
    written = [path.name for path in write_tables(tmp_path, bare)]
    assert {"modules.parquet", "timeline.csv"}.isdisjoint(written)
    again = read_tables(tmp_path, written)  # what lies there of another run is not read
    assert again.modules is None and again.timeline is None


def test_a_run_of_another_version_is_to_be_computed_again(drawn: rooftop.RunResult, tmp_path: Path) -> None:
    write_tables(tmp_path, drawn.tables)
    pd.read_parquet(tmp_path / "memberships.parquet").drop(columns="share").to_parquet(tmp_path / "memberships.parquet")
    with pytest.raises(InputError, match="another version") as caught:
        read_tables(tmp_path)
    assert "share" in str(caught.value) and "rooftop run" in caught.value.render("zh")


def test_inverters_of_every_roof(drawn: rooftop.RunResult) -> None:
    roofs = read_tables(drawn.out).roofs
    some = roofs["capacity_kwp"].to_numpy() > 0
    assert some.any()
    ac, ratio = roofs["inverter_ac_kw"].to_numpy(), roofs["dc_ac_ratio"].to_numpy()
    assert ac == pytest.approx((roofs["inverter_count"] * roofs["inverter_unit_kw"]).to_numpy(dtype=float))
    assert ratio[some] == pytest.approx(roofs["capacity_kwp"].to_numpy()[some] / ac[some])
    assert (ratio[some] <= 1.2 + 1e-9).all() and np.isnan(ratio[~some]).all()
    assert roofs["connection_voltage"].isna().tolist() == (~some).tolist()
    assert set(roofs["connection_voltage"].dropna()) <= {"220 V", "380 V", "10 kV"}
