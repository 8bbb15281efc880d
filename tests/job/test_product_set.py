"""The products of a run are one set: marked while they are written, cleaned of earlier ones, own files left alone."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path

import pytest

from rooftop.core.errors import InputError, StorageError
from rooftop.core.lang import Text
from rooftop.core.notices import Notice, Provenance
from rooftop.job.productset import new_set, require_unchanged, same_set, with_files
from rooftop.job.record import RunRecord, TiltTrial, read_ledger, read_record, write_record
from rooftop.outputs.files import product_sha256, write_at_once
from rooftop.scene.design_sun import DesignSun
from rooftop.scene.equator import SideRules

FIRST = {"roofs.parquet": "r1", "candidates/East.csv": "e1", "candidates/West.csv": "w1", "rasters/svf.tif": "s1"}
SECOND = {"roofs.parquet": "r2", "candidates/East (new).csv": "e2"}


def record() -> RunRecord:
    return RunRecord({}, (), "EPSG:4549", "1", "3", {}, {}, (), (), (), ())


WHOLE = asdict(record())


def write(folder: Path, products: Mapping[str, str], stop_after: int | None = None) -> tuple[Notice, ...]:
    """Write a run's products; with `stop_after`, be killed after so many."""
    files = new_set(folder, "1")
    with files.writing():
        for name, text in list(products.items())[:stop_after]:
            write_at_once(folder / name, partial(Path.write_text, data=text))
    if stop_after is not None:
        return ()
    notices = files.finish()
    write_record(folder / "run.json", with_files(record(), files.files, files.earlier, files.missing))
    return notices


def tree(folder: Path) -> dict[str, str]:
    found = {p.relative_to(folder).as_posix(): p.read_text() for p in sorted(folder.rglob("*")) if p.is_file()}
    found.pop("run.json", None)
    return found


def test_a_run_replaces_what_the_one_before_wrote_and_nothing_else(tmp_path: Path) -> None:
    mine = {"notes.txt": "mine", "candidates/visits.xlsx": "mine", "candidates/East.csv.bak": "mine"}
    for name, text in mine.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    assert write(tmp_path, FIRST) == ()
    assert tree(tmp_path) == FIRST | mine
    assert read_record(tmp_path / "run.json").files == {n: product_sha256(tmp_path / n) for n in sorted(FIRST)}
    assert write(tmp_path, SECOND) == ()
    assert tree(tmp_path) == SECOND | mine
    assert not (tmp_path / "rasters").exists()


@pytest.mark.parametrize("stop", range(3))
def test_after_a_kill_no_product_is_made_from_a_mixture_and_the_next_run_cleans_up(stop: int, tmp_path: Path) -> None:
    write(tmp_path, FIRST)
    write(tmp_path, {"candidates/Third.csv": "t", **SECOND}, stop_after=stop)
    with pytest.raises(InputError, match="not finished"):
        read_record(tmp_path / "run.json")
    assert json.loads((tmp_path / "run.json").read_text())["state"] == "writing"
    assert write(tmp_path, SECOND) == ()
    assert tree(tmp_path) == SECOND


def test_every_file_is_entered_before_it_takes_its_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, FIRST)
    real = os.replace

    def watched(source: Path, target: Path) -> None:
        name = Path(target).relative_to(tmp_path).as_posix()
        if name != "run.json":
            assert product_sha256(Path(source)) in read_ledger(tmp_path / "run.json").known[name]
        real(source, target)

    monkeypatch.setattr(os, "replace", watched)
    write(tmp_path, SECOND)
    assert tree(tmp_path) == SECOND


def test_what_somebody_changed_stays_and_is_named(tmp_path: Path) -> None:
    write(tmp_path, FIRST)
    (tmp_path / "candidates" / "West.csv").write_text("my notes")
    (tmp_path / "roofs.parquet").write_text("my numbers")
    notices = {n.code: n for n in write(tmp_path, SECOND)}
    assert set(notices) == {"changed_files_stay", "files_renamed"}
    assert "candidates/West.csv" in notices["changed_files_stay"].text.en
    assert "roofs (kept).parquet" in notices["files_renamed"].text.zh
    assert tree(tmp_path) == SECOND | {"candidates/West.csv": "my notes", "roofs (kept).parquet": "my numbers"}
    assert write(tmp_path, SECOND) == ()


def test_own_files_with_the_name_of_a_product_are_renamed(tmp_path: Path) -> None:
    (tmp_path / "roofs.parquet").write_text("mine")
    (tmp_path / "elsewhere").write_text("precious")
    (tmp_path / "report.html").symlink_to(tmp_path / "elsewhere")
    notices = write(tmp_path, {**SECOND, "report.html": "page"})
    assert [n.count for n in notices] == [2]
    assert (tmp_path / "roofs (kept).parquet").read_text() == "mine"
    assert (tmp_path / "report (kept).html").is_symlink() and (tmp_path / "elsewhere").read_text() == "precious"
    assert not (tmp_path / "report.html").is_symlink()


def test_a_record_may_name_nothing_outside_its_folder(tmp_path: Path) -> None:
    out, outside = tmp_path / "out", tmp_path / "outside"
    out.mkdir()
    outside.write_text("precious")
    (out / ".tiles").mkdir()
    (out / ".tiles" / "x").write_text("precious")
    (out / "link").symlink_to(tmp_path)
    sums = product_sha256(outside)
    names = ["../outside", str(outside), "a/../../outside", ".tiles/x", "link/outside", "", ".", "C:\\x", "a\\b"]
    (out / "run.json").write_text(json.dumps({"state": "finished", "files": dict.fromkeys(names, sums), "earlier": {}}))
    write(out, SECOND)
    assert outside.read_text() == "precious" and (out / ".tiles" / "x").read_text() == "precious"


def test_a_name_that_differs_in_case_is_one_file_on_some_systems(tmp_path: Path) -> None:
    """There `east.csv` and `East.csv` are the same file: a hard link stands for it here."""
    write(tmp_path, {"candidates/East.csv": "e"})
    files = new_set(tmp_path, "1")
    with files.writing():
        write_at_once(tmp_path / "candidates" / "EAST.csv", lambda path: path.write_text("e"))
    (tmp_path / "candidates" / "East.csv").unlink()
    os.link(tmp_path / "candidates" / "EAST.csv", tmp_path / "candidates" / "East.csv")
    files.finish()
    assert (tmp_path / "candidates" / "East.csv").exists()


@pytest.mark.parametrize("text", ["", "{", "[]", '{"files": ["/tmp/rasters/svf.tif"]}', '{"files": null}', "\xff"])
def test_records_that_say_nothing_leave_own_names_to_the_run(text: str, tmp_path: Path) -> None:
    """Of an earlier version, or damaged: products are overwritten by name as ever, and nothing else is touched."""
    (tmp_path / "run.json").write_text(text, encoding="latin-1")
    for name in ("roofs.parquet", "timeline.csv", "candidates/East.csv"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("old")
    assert write(tmp_path, SECOND) == ()
    assert tree(tmp_path) == SECOND | {"candidates/East.csv": "old"}


def test_a_run_of_an_earlier_version_keeps_its_products_when_one_is_made_again(tmp_path: Path) -> None:
    products = {"timeline.csv": "t", "rasters/svf.tif": "s", "report.html": "old", "quotas.csv": "q"}
    for name, text in products.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    raw = vars(record()) | {"files": ["/tmp/x/rasters/svf.tif"]}
    kept = json.dumps({k: v for k, v in raw.items() if k not in ("state", "missing", "earlier")})
    (tmp_path / "run.json").write_text(kept)
    before = read_record(tmp_path / "run.json")
    assert before.files == {} and before.state == "finished"
    files = same_set(tmp_path, before)
    with files.writing():
        write_at_once(tmp_path / "report.html", lambda path: path.write_text("new"))
    files.finish(("report.html", "quotas.csv"))
    assert tree(tmp_path) == {"timeline.csv": "t", "rasters/svf.tif": "s", "report.html": "new"}
    assert (tmp_path / "run.json").read_text() == kept


def held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    """Have another program hold files open, as Excel does on Windows."""
    real = os.replace

    def refuse(source: Path, target: Path) -> None:
        if Path(target).relative_to(tmp_path).as_posix() in names:
            raise PermissionError(13, "The process cannot access the file", str(target))
        real(source, target)

    monkeypatch.setattr("rooftop.outputs.files._PATIENCE_S", ())
    monkeypatch.setattr(os, "replace", refuse)


def test_a_product_that_is_open_is_missing_and_the_rest_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, FIRST)
    with monkeypatch.context() as patch:
        held(tmp_path, patch, "candidates/East.csv")
        notices = write(tmp_path, FIRST | {"roofs.parquet": "r9"})
    assert [n.code for n in notices] == ["products_missing"] and "candidates/East.csv" in notices[0].text.zh
    read = read_record(tmp_path / "run.json")
    assert read.missing == ("candidates/East.csv",) and "candidates/East.csv" not in read.files
    assert (tmp_path / "roofs.parquet").read_text() == "r9"
    assert not list(tmp_path.rglob(".rooftop-*"))
    (tmp_path / "candidates" / "East.csv").mkdir(exist_ok=True)  # a folder holds the place as well
    assert [n.code for n in write(tmp_path, FIRST)] == ["products_missing"]
    (tmp_path / "candidates" / "East.csv").rmdir()
    assert write(tmp_path, FIRST) == ()
    assert tree(tmp_path) == FIRST


def test_a_file_that_cannot_be_removed_yet_is_removed_next_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, FIRST)
    real = Path.unlink

    def refuse(self: Path, missing_ok: bool = False) -> None:
        if self.name == "West.csv":
            raise PermissionError(13, "in use", str(self))
        real(self, missing_ok=missing_ok)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", refuse)
        write(tmp_path, SECOND)
    assert tree(tmp_path) == SECOND | {"candidates/West.csv": "w1"}
    write(tmp_path, SECOND)
    assert tree(tmp_path) == SECOND


def test_a_folder_of_products_that_becomes_a_link_is_not_written_through(tmp_path: Path) -> None:
    out, target = tmp_path / "out", tmp_path / "target"
    target.mkdir()
    out.mkdir()
    files = new_set(out, "1")
    (out / "candidates").symlink_to(target)
    with pytest.raises(StorageError, match="link"), files.writing():
        write_at_once(out / "candidates" / "East.csv", lambda path: path.write_text("x"))
    assert list(target.iterdir()) == []


def test_making_one_product_again_keeps_the_set(tmp_path: Path) -> None:
    write(tmp_path, FIRST)
    before = read_record(tmp_path / "run.json")
    files = same_set(tmp_path, before)
    with files.writing():
        write_at_once(tmp_path / "candidates" / "East.csv", lambda path: path.write_text("in another language"))
        state = read_record(tmp_path / "run.json")  # finished all the while: its tables are whole
        assert state.files.keys() == before.files.keys()
    assert files.finish(("candidates/",)) == ()
    write_record(tmp_path / "run.json", with_files(before, files.files, files.earlier, ()))
    after = read_record(tmp_path / "run.json")
    assert set(after.files) == set(FIRST) - {"candidates/West.csv"}
    assert {n for n in after.files if after.files[n] != before.files[n]} == {"candidates/East.csv"}
    assert set(tree(tmp_path)) == set(after.files)
    assert write(tmp_path, FIRST) == () and tree(tmp_path) == FIRST


def test_tables_of_another_run_are_refused(tmp_path: Path) -> None:
    write(tmp_path, FIRST)
    read = read_record(tmp_path / "run.json")
    require_unchanged(tmp_path, read, ("roofs.parquet", "coverage.csv"))
    (tmp_path / "roofs.parquet").write_text("other")
    with pytest.raises(InputError, match="changed since") as caught:
        require_unchanged(tmp_path, read, ("roofs.parquet",))
    assert "roofs.parquet" in caught.value.render("zh")
    (tmp_path / "roofs.parquet").unlink()
    with pytest.raises(InputError, match="gone"):
        require_unchanged(tmp_path, read, ("roofs.parquet",))


TRILINGUAL = {"en": "", "zh": "", "fr": ""}


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ('{"config": {}, "dis', "JSONDecodeError"),
        ("[]", "dictionary"),
        (json.dumps(WHOLE | {"counts": {"roofs": "many"}}), "counts.roofs"),
        (json.dumps(WHOLE | {"notices": [{"code": "a"}]}), "notices[0].text"),
        (json.dumps(WHOLE | {"colour": 1}), "colour"),
        (json.dumps(WHOLE | {"notices": [{"code": "a", "text": TRILINGUAL}]}), "notices[0].text.fr"),
        (json.dumps(WHOLE | {"state": "begun"}), "state"),
    ],
    ids=["cut", "list", "word for a number", "no sentence", "unknown key", "unknown key inside", "unknown state"],
)
def test_a_damaged_record_is_refused_and_the_fault_named(text: str, fault: str, tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    path.write_text(text)
    with pytest.raises(InputError, match="cannot read the record") as caught:
        read_record(path)
    assert fault in str(caught.value.details["found"]) and str(path) in caught.value.render("zh")


def test_what_is_written_is_what_is_read(tmp_path: Path) -> None:
    path, again = tmp_path / "run.json", tmp_path / "again.json"
    sun = DesignSun(35.0, 9.0, 15.0, -23.45)
    whole = replace(
        record(),
        districts=("1", "2"),
        totals={"capacity_kwp": 0.1 + 0.2},
        tilt_trials=(TiltTrial(10.0, 0.2, 1100.0),),
        notices=(Notice("a", Text("one", "一"), 3, "info", "b", ("x", "y")),),
        provenance=(Provenance("r", "p", "0", {"crs": "EPSG:4326"}),),
        peak_memory_mb=1.5,
        sides=(SideRules(35.0, 180.0, sun, 2.5, 20.0),),
        files={"a": "0"},
        earlier={"b": ("1", "2")},
    )
    write_record(path, whole)
    assert read_record(path) == whole
    write_record(again, read_record(path))
    assert again.read_bytes() == path.read_bytes()


def test_names_that_are_no_text_can_be_recorded(tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    write_record(path, RunRecord({"path": "a\udcff"}, (), "", "1", "3", {}, {}, (), (), (), ()))
    assert read_record(path).config["path"] == "a\udcff"
