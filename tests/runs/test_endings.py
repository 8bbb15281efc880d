"""Runs that end badly, folders that hold more than one: interrupts, kills, inputs that change, products of two runs."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
import yaml

import rooftop
import small_town
from rooftop.core.errors import ChangedError, InputError, StorageError
from rooftop.job import batch
from rooftop.job.products import rebuild
from rooftop.targets.packs import pack_path

SLOW = {"azimuths": 180, "cell_size_m": 0.5, "tile_cells": 128, "halo_m": 100.0}  # several tiles of a second
MANY = {"azimuths": 36, "tile_cells": 128, "halo_m": 50.0}  # several quick ones


def hill(folder: Path, high: float, name: str = "dtm.tif") -> Path:
    """Flat ground with a hill of 120 m in the south."""
    return small_town.elevation(folder / name, lambda x, y: np.where((y < -10.0) & (x > 0.0) & (x < 250.0), high, 0.0))


def districts(folder: Path, *names: str) -> Path:
    west, south = small_town.LON - 0.001, small_town.LAT - 0.002
    shapes = [shapely.box(west + 0.0025 * k, south, west + 0.0025 * (k + 1), south + 0.01) for k in range(len(names))]
    table = gpd.GeoDataFrame({"code": [str(k) for k in range(len(names))], "name": names}, geometry=shapes, crs=4326)
    path = folder / "districts.gpkg"
    path.unlink(missing_ok=True)
    return small_town.write(table, path)


def town(folder: Path, *, scene: dict[str, Any] = MANY, n: int = 12, **inputs: Any) -> rooftop.config.Config:
    path = folder / "b.gpkg"
    if not path.exists():
        small_town.write(small_town.buildings(n), path)
    config = small_town.config(folder, path, **inputs)
    return config.model_validate({**config.model_dump(), "scene": scene})


def written(config: rooftop.config.Config, path: Path) -> Path:
    path.write_text(yaml.safe_dump(config.model_dump(mode="json", exclude_defaults=True)), encoding="utf-8")
    return path


def start(*arguments: str | Path, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "rooftop", *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True, encoding="utf-8", env={**os.environ, "ROOFTOP_LANG": "en", **environment},
    )  # fmt: skip


def wait_for(process: subprocess.Popen[str], words: str) -> None:
    assert process.stderr is not None
    for line in process.stderr:
        if words in line:
            return
    raise AssertionError(f"{words} never came")


def contents(folder: Path) -> dict[str, str]:
    """Hashes of all products."""
    found = (p for p in folder.rglob("*") if p.is_file() and ".tiles" not in p.parts and p.name != "run.json")
    return {p.relative_to(folder).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest() for p in found}


def left_over(folder: Path) -> list[str]:
    return [p.name for p in folder.rglob(".rooftop*")]


# --- interrupts ------------------------------------------------------------------------------------------------------


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
@pytest.mark.parametrize(
    ("words", "number"),
    [
        ("reading", signal.SIGINT), ("building", signal.SIGTERM), ("tiles 0/", signal.SIGINT),
        ("tiles 1/", signal.SIGTERM), ("writing", signal.SIGINT),
    ],
)  # fmt: skip
def test_an_interrupt_ends_in_a_sentence_at_any_moment(words: str, number: signal.Signals, tmp_path: Path) -> None:
    out = tmp_path / "out"
    config = written(town(tmp_path, scene=MANY if words == "writing" else SLOW), tmp_path / "c.yaml")
    process = start("run", config, "-o", out)
    wait_for(process, words)
    if words == "tiles 0/":
        with pytest.raises(StorageError, match=f"process {process.pid} on"):
            rooftop.run(config, out)
    begun = time.monotonic()
    process.send_signal(number)
    _, said = process.communicate(timeout=60)
    assert time.monotonic() - begun < 10.0
    assert process.returncode == 130, said
    assert said.endswith("interrupted; finished tiles are kept: the same command goes on from there\n")
    assert "Traceback" not in said and "Exception" not in said
    assert left_over(out) == []
    if words == "tiles 1/":
        assert len(list((out / ".tiles").rglob("*.tile"))) >= 1
    if words in ("reading", "building"):
        assert not out.exists()


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
@pytest.mark.parametrize("delay_s", [0.4, 0.8, 1.6])
def test_an_interrupt_of_any_command(delay_s: float) -> None:
    process = start("doctor", ROOFTOP_LANG="zh")
    time.sleep(delay_s)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode in (130, 0) and said in ("已中断\n", "")


@pytest.mark.parametrize("moment", ["coverage.csv", "report.html"])
def test_a_run_killed_while_it_writes_is_unfinished_until_it_is_done_again(
    moment: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = town(tmp_path)
    rooftop.run(config, tmp_path / "whole")
    out = tmp_path / "out"
    rooftop.run(config.model_copy(update={"title": "before"}), out)

    class Killed(BaseException):
        """Nothing runs after it: neither cleaning nor the record."""

    real = os.replace

    def die(source: Path, target: Path) -> None:
        if Path(target) == out / moment:
            raise Killed
        real(source, target)

    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(os, "replace", die)
        rooftop.run(config, out)
    for part in ("report", "map", "candidates"):
        with pytest.raises(InputError, match="not finished"):
            rebuild(out, [part])
    again = rooftop.run(config, out)
    assert again.record.counts["tiles_resumed"] == again.record.counts["tiles"] > 1
    assert contents(out) == contents(tmp_path / "whole")


def test_a_process_killed_while_it_writes_leaves_nothing_behind_after_the_next_run(tmp_path: Path) -> None:
    config = written(town(tmp_path), tmp_path / "c.yaml")
    out = tmp_path / "out"
    process = start("run", config, "-o", out)
    wait_for(process, "writing")
    process.kill()
    process.communicate()
    assert left_over(out) != []
    again = rooftop.run(config, out)
    assert again.record.counts["tiles_resumed"] == again.record.counts["tiles"]
    assert left_over(out) == []


# --- inputs that change ----------------------------------------------------------------------------------------------


def totals(result: rooftop.RunResult) -> float:
    return result.record.totals["annual_kwh"]


def test_a_tile_behind_a_vrt_that_changes_is_read_again(tmp_path: Path) -> None:
    hill(tmp_path, 0.0, "tile.tif")
    hill(tmp_path, 120.0, "other.tif")
    subprocess.run(
        [sys.executable, "-c", "import rasterio.shutil, sys; rasterio.shutil.copy(*sys.argv[1:], driver='VRT')",
         "tile.tif", "inner.vrt"], cwd=tmp_path, check=True,
    )  # fmt: skip
    subprocess.run(
        [sys.executable, "-c", "import rasterio.shutil, sys; rasterio.shutil.copy(*sys.argv[1:], driver='VRT')",
         "inner.vrt", "dtm.vrt"], cwd=tmp_path, check=True,
    )  # fmt: skip
    config = town(tmp_path, dtm={"path": tmp_path / "dtm.vrt"})
    before = rooftop.run(config, tmp_path / "out")
    assert rooftop.run(config, tmp_path / "out").record.counts["tiles_resumed"] == before.record.counts["tiles"]
    os.replace(tmp_path / "other.tif", tmp_path / "tile.tif")
    after = rooftop.run(config, tmp_path / "out")
    assert after.record.counts["tiles_resumed"] == 0
    assert totals(after) == totals(rooftop.run(config, tmp_path / "fresh")) != totals(before)
    hashes = [{p.role: p.sha256 for p in r.record.provenance}["inputs.dtm"] for r in (before, after)]
    assert hashes[0] != hashes[1]


@pytest.fixture(scope="module")
def hilly(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A town on flat ground, its results, and a terrain model that is another one."""
    folder = tmp_path_factory.mktemp("hilly")
    hill(folder, 0.0)
    hill(folder, 120.0, "other.tif")
    assert rooftop.run(on_terrain(folder), folder / "right").record.counts["tiles"] > 1
    return folder


def on_terrain(folder: Path) -> rooftop.config.Config:
    return town(folder, dtm={"path": folder / "dtm.tif"})


@pytest.mark.parametrize("when", ["before it is read", "after it is read", "gone"])
def test_a_terrain_model_replaced_while_it_is_read_leaves_no_tile_of_the_other(
    when: str, hilly: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("b.gpkg", "ghi.tif", "dtm.tif", "other.tif"):
        shutil.copy(hilly / name, tmp_path / name)
    config = on_terrain(tmp_path)
    real, calls = batch.compute_tile, list[Any]()  # type: ignore[attr-defined]

    def replacing(*args: Any) -> Any:
        calls.append(args)
        found = real(*args) if when == "after it is read" else None
        if len(calls) == 2:
            os.replace(tmp_path / "other.tif", tmp_path / "dtm.tif")
            if when == "gone":
                (tmp_path / "dtm.tif").unlink()
        return found or real(*args)

    with monkeypatch.context() as patch, pytest.raises(ChangedError) as caught:
        patch.setattr(batch, "compute_tile", replacing)
        rooftop.run(config, tmp_path / "out", workers=1)
    assert str(tmp_path / "dtm.tif") in caught.value.render("zh") and caught.value.exit_code == 2
    assert not (tmp_path / "out" / "run.json").exists()
    kept = len(list((tmp_path / "out").rglob("*.tile")))
    assert kept == 1
    shutil.copy(hilly / "dtm.tif", tmp_path / "dtm.tif")
    again = rooftop.run(config, tmp_path / "out")
    assert again.record.counts["tiles_resumed"] == kept
    found, right = (gpd.read_parquet(folder / "roofs.parquet") for folder in (tmp_path / "out", hilly / "right"))
    pd.testing.assert_frame_equal(found, right, check_exact=True)


@pytest.mark.parametrize("role", ["b.gpkg", "ghi.tif", "districts.gpkg"])
def test_an_input_replaced_after_it_was_read_is_named_before_anything_is_written(
    role: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = districts(tmp_path, "East", "West")
    config = town(tmp_path, districts={"path": path, "id_field": "code", "name_field": "name"})

    def changing(*args: Any, **more: Any) -> Any:
        (tmp_path / role).write_bytes((tmp_path / role).read_bytes() + b"\0")
        return real(*args, **more)

    real = rooftop.job.pipeline.prepare  # type: ignore[attr-defined]
    monkeypatch.setattr(rooftop.job.pipeline, "prepare", changing)
    with pytest.raises(ChangedError, match=role):
        rooftop.run(config, tmp_path / "out")
    assert not list((tmp_path / "out").rglob("*.parquet"))


def test_a_file_written_again_with_what_it_held_stops_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hill(tmp_path, 0.0)
    config = town(tmp_path, dtm={"path": tmp_path / "dtm.tif"})
    real, calls = batch.compute_tile, list[Any]()  # type: ignore[attr-defined]

    def touching(*args: Any) -> Any:
        if not calls:
            (tmp_path / "dtm.tif").write_bytes((tmp_path / "dtm.tif").read_bytes())
        calls.append(args)
        return real(*args)

    monkeypatch.setattr(batch, "compute_tile", touching)
    tiles = rooftop.run(config, tmp_path / "out", workers=1).record.counts["tiles"]
    assert len(calls) == tiles + 1  # the first one once more


# --- one set ---------------------------------------------------------------------------------------------------------


def lists(out: Path) -> set[str]:
    return {p.name for p in (out / "candidates").iterdir()}


def named(*names: str) -> set[str]:
    return {f"{name}.{ending}" for name in names for ending in ("csv", "gpkg", "xlsx")}


def test_lists_of_renamed_and_of_deselected_districts_leave(tmp_path: Path) -> None:
    def config(*names: str) -> rooftop.config.Config:
        path = districts(tmp_path, *names)
        return town(tmp_path, districts={"path": path, "id_field": "code", "name_field": "name"})

    out = tmp_path / "out"
    rooftop.run(config("East", "West"), out)
    (out / "candidates" / "visits.txt").write_text("mine")
    assert lists(out) == named("East", "West") | {"visits.txt"}
    renamed = rooftop.run(config("../x", "CON"), out)
    assert lists(out) == named("_x", "_CON") | {"visits.txt"}
    assert renamed.record.counts["tiles_resumed"] == renamed.record.counts["tiles"]
    record = json.loads((out / "run.json").read_text(encoding="utf-8"))
    products = {p.relative_to(out).as_posix() for p in out.rglob("*") if p.is_file() and ".tiles" not in p.parts}
    assert set(record["files"]) == products - {"run.json", "candidates/visits.txt"}
    rooftop.run(config("a/b", "east", "EAST"), out, districts=("1", "2"))
    assert lists(out) == named("east", "EAST_2") | {"visits.txt"}


def test_products_made_again_in_another_language_stay_one_set(tmp_path: Path) -> None:
    out = tmp_path / "out"
    rooftop.run(town(tmp_path), out)
    before = contents(out)
    rebuild(out, ["map", "report", "candidates"], "zh")
    record = json.loads((out / "run.json").read_text(encoding="utf-8"))
    assert set(record["files"]) == set(before) and contents(out) != before
    assert record["state"] == "finished" and record["earlier"] == {}
    rebuild(out, ["map", "report", "candidates"])
    assert contents(out) == before
    (out / "coverage.csv").write_bytes(b"other")
    with pytest.raises(InputError, match=r"coverage\.csv"):
        rebuild(out, ["report"])


def test_a_policy_pack_that_changed_since_asks_for_a_run(tmp_path: Path) -> None:
    pack = tmp_path / "pack.yaml"
    shutil.copy(pack_path("lianyungang"), pack)
    rooftop.run(town(tmp_path).model_copy(update={"policy": str(pack)}), tmp_path / "out")
    rebuild(tmp_path / "out", ["report"])
    pack.write_text(pack.read_text(encoding="utf-8") + "\n# changed\n", encoding="utf-8")
    with pytest.raises(InputError, match="policy pack was changed"):
        rebuild(tmp_path / "out", ["report"])


def test_a_product_that_is_open_elsewhere_is_said_and_the_rest_written(tmp_path: Path) -> None:
    """A folder in its place stands for Excel, which holds a workbook; tables are read back from what was computed."""
    config = written(town(tmp_path), tmp_path / "c.yaml")
    out = tmp_path / "out"
    whole = contents(rooftop.run(config, out).out)
    for name in ("report.html", "coverage.csv"):
        (out / name).unlink()
        (out / name).mkdir()
    process = start("run", config, "-o", out)
    printed, said = process.communicate(timeout=300)
    assert process.returncode == 1 and "Traceback" not in said, said
    assert "report: " not in printed and "map: " in printed
    assert "coverage.csv, report.html" in said
    assert json.loads((out / "run.json").read_text())["missing"] == ["coverage.csv", "report.html"]
    assert contents(out) == {
        name: found for name, found in whole.items() if name not in ("coverage.csv", "report.html")
    }
    with pytest.raises(InputError, match="had it open"):
        rebuild(out, ["map"])
    for name in ("report.html", "coverage.csv"):
        (out / name).rmdir()
    assert rooftop.run(config, out).missing == ()
    assert contents(out) == whole


def test_an_error_of_a_tile_is_shown_as_plain_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real, calls = batch.compute_tile, list[Any]()  # type: ignore[attr-defined]

    def failing(*args: Any) -> Any:
        calls.append(args)
        if len(calls) == 1:
            raise ValueError(
                "\x1b[31mred\x1b[0m\x00 <script>alert(1)</script>\x07\r\n\x1b]0;title\x07\u202eend" + "x" * 9000
            )
        return real(*args)

    monkeypatch.setattr(batch, "compute_tile", failing)
    result = rooftop.run(town(tmp_path), tmp_path / "out", workers=1)
    assert len(result.failed_tiles) == 1
    notice = next(n for n in result.record.notices if n.code == "tile_failed")
    assert "ValueError: red <script>alert(1)</script> end" in notice.text.en and len(notice.text.en) < 700
    for path in (p for p in result.out.rglob("*") if p.suffix in (".html", ".json", ".csv")):
        text = path.read_text(encoding="utf-8-sig")
        assert not set(text) & {"\x1b", "\x00", "\x07", "\u202e"}, path
        assert "<script>alert(1)" not in text or path.suffix != ".html", path


def test_check_refuses_the_places_that_a_run_refuses(tmp_path: Path) -> None:
    config = written(town(tmp_path), tmp_path / "c.yaml")
    (tmp_path / "file").write_text("x")
    process = start("check", config, "-o", tmp_path / "file" / "out")
    _, said = process.communicate(timeout=300)
    assert process.returncode == 2 and str(tmp_path / "file" / "out") in said and "mend" in said
    from rooftop.cli.checkup import check_lines

    before = sorted(p.name for p in tmp_path.iterdir())
    assert "can run" in check_lines(config, "en", tmp_path / "new" / "out")[-1]
    assert sorted(p.name for p in tmp_path.iterdir()) == before


def test_a_run_on_a_full_disk_says_so_and_goes_on_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if sys.platform == "win32":
        pytest.skip("limits of POSIX")
    import resource

    config = written(town(tmp_path), tmp_path / "c.yaml")
    limit: Callable[[], None] = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, resource.RLIM_INFINITY))  # noqa: E731
    out = tmp_path / "out"
    done = subprocess.run(
        [sys.executable, "-m", "rooftop", "run", config, "-o", out], preexec_fn=limit, capture_output=True, text=True,
        env={**os.environ, "ROOFTOP_LANG": "en"}, timeout=300,
    )  # fmt: skip
    assert done.returncode == 2 and "Traceback" not in done.stderr, done.stderr
    for word in ("larger than this place allows", "kept: finished tiles", "-o"):
        assert word in done.stderr
    assert left_over(out) == []
    done = subprocess.run([sys.executable, "-m", "rooftop", "map", out], capture_output=True, text=True, timeout=300)
    assert done.returncode == 2
    again = rooftop.run(config, out)
    assert again.record.counts["tiles_resumed"] == again.record.counts["tiles"]
