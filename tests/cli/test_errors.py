"""Every mistake people make ends in one readable block, exit code 2, and nothing half-written."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely

from rasters import write_raster
from rooftop.cli.checkup import check_lines
from rooftop.core.errors import ConfigError, InputError, UsageError
from rooftop.job.pipeline import run
from rooftop.weather import clear_sky_bound, synthetic_weather
from weather_files import write_year

CONFIG = """\
name: small
inputs:
  footprints:
    path: footprints.gpkg
    fields: {{id: id, height_m: {height}}}
  irradiance:
    ghi: {{path: ghi.tif, unit: {unit}, period: annual}}
{extra}
policy: lianyungang
outputs: {{lang: en}}
"""


def rooftop(*arguments: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "rooftop", *arguments],
        cwd=cwd,
        env={**os.environ, "ROOFTOP_LANG": "en", **environment},
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=300,
    )


def raster(path: Path, value: float, west: float = 118.0, north: float = 36.0) -> None:
    write_raster(path, np.full((20, 20), value), west, north, 0.1, nodata=-1.0)


@pytest.fixture()
def project(tmp_path: Path) -> Path:
    boxes = [shapely.box(119.2 + 0.0006 * k, 34.6, 119.2 + 0.0006 * k + 0.0004, 34.6003) for k in range(6)]
    table = gpd.GeoDataFrame(
        {"id": [f"b{k}" for k in range(6)], "height": [9.0, 12, 15, 18, 30, 6], "words": "tall"},
        geometry=boxes,
        crs="EPSG:4326",
    )
    table.to_file(tmp_path / "footprints.gpkg", driver="GPKG")
    raster(tmp_path / "ghi.tif", 3.9)
    write(tmp_path)
    return tmp_path


def write(folder: Path, *, height: str = "height", unit: str = "kWh/m2/day", extra: str = "") -> None:
    (folder / "c.yaml").write_text(CONFIG.format(height=height, unit=unit, extra=extra), encoding="utf-8")


def refused(done: subprocess.CompletedProcess[str], *words: str) -> None:
    assert done.returncode == 2, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    for word in words:
        assert word in done.stderr, done.stderr
    assert "\n  " in done.stderr


def nothing_written(folder: Path) -> None:
    assert not (folder / "out").exists() or not any(p.is_file() for p in (folder / "out").rglob("*"))


def test_unknown_key_names_the_key_and_the_likely_one(project: Path) -> None:
    write(project, extra="scenes: {cell_size_m: 1.0}")
    done = rooftop("run", "c.yaml", "-o", "out", cwd=project)
    refused(done, "scenes", "scene")
    nothing_written(project)


def test_missing_configuration_file(project: Path) -> None:
    refused(rooftop("run", "nowhere.yaml", cwd=project), "nowhere.yaml")


def test_missing_footprints(project: Path) -> None:
    (project / "footprints.gpkg").unlink()
    refused(rooftop("run", "c.yaml", "-o", "out", cwd=project), "footprints.gpkg")
    nothing_written(project)


def test_height_column_of_text(project: Path) -> None:
    write(project, height="words")
    refused(rooftop("run", "c.yaml", "-o", "out", cwd=project), "words", "tall")
    nothing_written(project)


def test_field_that_does_not_exist(project: Path) -> None:
    write(project, height="heigth")
    refused(rooftop("run", "c.yaml", "-o", "out", cwd=project), "heigth", "height")


def test_raster_elsewhere_in_the_world(project: Path) -> None:
    raster(project / "ghi.tif", 3.9, west=2.0, north=49.0)
    refused(rooftop("run", "c.yaml", "-o", "out", cwd=project), "ghi.tif")
    nothing_written(project)


def test_irradiance_that_the_sky_cannot_give(project: Path) -> None:
    raster(project / "ghi.tif", 1400.0)
    refused(rooftop("run", "c.yaml", "-o", "out", cwd=project), "ghi.tif", "kWh/m2/day")
    nothing_written(project)


@pytest.mark.parametrize("command", ["run", "check"])
def test_weather_of_the_other_hemisphere(project: Path, command: str) -> None:
    south = synthetic_weather(-33.9, 151.2, 5.0, 0.6 * clear_sky_bound(-33.9, 5.0), np.full(12, 18.0))
    write_year(project / "w.epw", south)
    write(project, extra="  weather: {path: w.epw}")
    refused(rooftop(command, "c.yaml", cwd=project), "w.epw", "33.90° S", "34.60° N", "km away")
    nothing_written(project)


def test_weather_of_another_town_is_said_with_its_distance(project: Path) -> None:
    town = synthetic_weather(31.2, 121.4, 5.0, 0.6 * clear_sky_bound(31.2, 5.0), np.full(12, 17.0))
    write_year(project / "w.epw", town)
    write(project, extra="  weather: {path: w.epw}")
    done = rooftop("check", "c.yaml", cwd=project)
    assert done.returncode == 0 and "can run" in done.stdout
    assert "the weather file lies 429 km from the buildings" in done.stdout


def test_wrong_crs(project: Path) -> None:
    write(project, extra="crs: EPSG:3857")
    refused(rooftop("run", "c.yaml", "-o", "out", cwd=project), "EPSG:3857")


@pytest.mark.parametrize("command", ["run", "check"])
def test_a_name_that_only_the_settings_know_has_its_line(project: Path, command: str) -> None:
    write(project, extra="substitution:\n  climate_zone: warm")
    refused(rooftop(command, "c.yaml", cwd=project), "substitution.climate_zone (c.yaml, line 9)", "severe_cold")


def test_the_library_names_the_line_too(project: Path) -> None:
    write(project, extra="substitution:\n  k_e: jiangsu")
    with pytest.raises(ConfigError, match=r"substitution.k_e \(.*c.yaml, line 9\)"):
        run(project / "c.yaml", out=project / "out")
    nothing_written(project)


def test_footprints_in_a_crs_they_cannot_have(project: Path) -> None:
    table = gpd.read_file(project / "footprints.gpkg").set_crs("EPSG:4549", allow_override=True)
    (project / "footprints.gpkg").unlink()
    table.to_file(project / "footprints.gpkg", driver="GPKG")
    refused(rooftop("run", "c.yaml", "-o", "out", cwd=project), "footprints.gpkg")


def test_empty_layer(project: Path) -> None:
    table = gpd.read_file(project / "footprints.gpkg").iloc[:0]
    (project / "footprints.gpkg").unlink()
    table.to_file(project / "footprints.gpkg", driver="GPKG")
    refused(rooftop("run", "c.yaml", "-o", "out", cwd=project), "footprints.gpkg")


def test_unknown_district(project: Path) -> None:
    refused(rooftop("run", "c.yaml", "-o", "out", "--district", "320706", cwd=project), "320706")
    nothing_written(project)


def test_unknown_policy_pack(project: Path) -> None:
    text = (project / "c.yaml").read_text(encoding="utf-8").replace("lianyungang", "atlantis")
    (project / "c.yaml").write_text(text, encoding="utf-8")
    refused(rooftop("run", "c.yaml", "-o", "out", cwd=project), "atlantis")


def test_rebuilding_what_was_never_run(project: Path) -> None:
    refused(rooftop("map", str(project), cwd=project))


def test_errors_speak_chinese_and_survive_an_ascii_terminal(project: Path) -> None:
    (project / "footprints.gpkg").unlink()
    done = rooftop("run", "c.yaml", cwd=project, ROOFTOP_LANG="zh")
    assert done.returncode == 2
    assert "处理" in done.stderr
    narrow = subprocess.run(
        [sys.executable, "-m", "rooftop", "run", "c.yaml"],
        cwd=project,
        env={**os.environ, "ROOFTOP_LANG": "zh", "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"},
        capture_output=True,
        timeout=120,
    )
    assert narrow.returncode == 2
    assert b"Traceback" not in narrow.stderr


def test_a_small_project_without_districts_runs(project: Path) -> None:
    done = rooftop("run", "c.yaml", "-o", "结果", cwd=project)
    assert done.returncode == 0, done.stderr
    out = project / "结果"
    for name in ("roofs.parquet", "planes.parquet", "coverage.csv", "run.json", "maps/index.html", "report.html"):
        assert (out / name).exists(), name
    roofs = gpd.read_parquet(out / "roofs.parquet")
    assert roofs["building_id"].tolist() == [f"b{k}" for k in range(6)]
    assert (roofs["capacity_kwp"] > 0).all()
    for part in ("map", "report", "candidates"):
        shutil.rmtree(out / "maps", ignore_errors=True)
        assert rooftop(part, "结果", cwd=project).returncode == 0
    assert rooftop("map", "结果", cwd=project).returncode == 0
    assert (out / "maps" / "index.html").exists()


BAD_SETTINGS = {
    "system: {module: 580W}": ("system.module", "topcon_580"),
    "system: {module: topcon580}": ("system.module", "did you mean topcon_580"),
    "system: {module: mine.yaml}": ("system.module", "mine.yaml"),
    "policy: lianyungan": ("policy", "did you mean lianyungang"),
    "policy: packs/mine.yaml": ("policy", "mine.yaml"),
    "outputs: {basemap: tianditu}": ("outputs.basemap", "TIANDITU_KEY"),
    "substitution: {climate_zone: tropical}": ("substitution.climate_zone", "severe_cold"),
    "substitution: {k_e: nationl_recent}": ("substitution.k_e", "national_recent"),
    "substitution: {energy_demand: none.yaml}": ("none.yaml",),
    "substitution: {demand: {ofice: {electricity_kwh_m2: 60}}}": ("substitution.demand.ofice", "office"),
    "substitution: {measured: none.xlsx}": ("none.xlsx",),
    "substitution: {installations: [{kind: solar_thermal, heat_kwh: 5, unit_id: x}]}": ("installations[0].unit_id",),
    "timeline: {build_rate_kwp_per_year: {atlantis: 500}}": ("timeline.build_rate_kwp_per_year.atlantis",),
    "crs: EPSG:3857": ("crs", "Mercator"),
}


@pytest.mark.parametrize("extra", BAD_SETTINGS)
def test_check_refuses_what_run_refuses_before_any_scene_is_made(
    project: Path, monkeypatch: pytest.MonkeyPatch, extra: str
) -> None:
    key = extra.split(":")[0]
    lines = (project / "c.yaml").read_text(encoding="utf-8").splitlines()
    kept = [line for line in lines if not line.startswith(f"{key}:")]
    (project / "c.yaml").write_text("\n".join([*kept, extra, ""]), encoding="utf-8")
    monkeypatch.setattr("rooftop.job.pipeline.prepare", lambda *_: pytest.fail("the scene was made"))
    said = []
    for call in (lambda: check_lines(project / "c.yaml", "en"), lambda: run(project / "c.yaml", project / "out")):
        with pytest.raises((ConfigError, InputError, UsageError)) as caught:
            call()
        said.append(caught.value.render("en"))
        for word in BAD_SETTINGS[extra]:
            assert word in said[-1], said[-1]
        assert caught.value.render("zh") != said[-1]
    assert said[0] == said[1]
    nothing_written(project)
