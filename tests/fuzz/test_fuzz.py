"""The fuzz: no input, however damaged, ends a run in exit 3, an abort, a hang or a traceback.

``python tests/fuzz/fuzz_pool.py KIND SEED`` replays one input; ``... all 0 25`` runs many.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from fuzz_pool import Case, Worker, judge, prepare_case, run_cases, summary, write_case
from fuzz_seeds import KINDS, make_town

pytest.importorskip("laspy", reason="laspy is not installed (extra `lidar`)")

PER_KIND = 21


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_town(tmp_path_factory.mktemp("town"))


def test_a_seed_is_always_the_same_damage(town: Path, tmp_path: Path) -> None:
    for kind in KINDS:
        first, again = (prepare_case(Case(kind, 7), town, tmp_path / name / kind).parent for name in ("a", "b"))
        for file in first.iterdir():
            assert file.read_bytes() == (again / file.name).read_bytes(), f"{kind}: {file.name}"


@pytest.mark.slow
def test_undamaged_inputs_run(town: Path, tmp_path: Path) -> None:
    worker = Worker()
    for kind in KINDS:
        config, out = write_case(kind, town, tmp_path / kind), tmp_path / f"{kind}-out"
        code, text = worker.run(["run", str(config), "-o", str(out), "--workers", "1"])
        assert code == 0 and judge(code, text, out) is None, f"{kind}: {code}\n{text}"
    worker.stop()


@pytest.mark.slow
def test_damaged_inputs_end_in_an_error_that_names_them_or_in_a_counted_run(town: Path, tmp_path: Path) -> None:
    cases = [Case(kind, seed) for seed in range(PER_KIND) for kind in KINDS]
    assert len(cases) >= 500
    kept = Path("fuzz-findings")
    shutil.rmtree(kept, ignore_errors=True)
    outcomes = run_cases(cases, town, tmp_path / "work", kept)
    bad = [outcome for outcome in outcomes if outcome.fault is not None]
    assert not bad, f"inputs in {kept.resolve()}\n{summary(bad)}"
    assert {outcome.code for outcome in outcomes} >= {0, 2}  # it damages enough, and not everything
