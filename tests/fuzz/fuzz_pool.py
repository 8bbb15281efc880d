"""Damage inputs, run them in long-lived processes, judge how each ended; `fuzz_pool.py KIND SEED` replays one."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import shutil
import subprocess
import sys
import threading
import time
import zlib
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow.parquet
import yaml

sys.path[:0] = [str(Path(__file__).parents[1] / "helpers"), str(Path(__file__).parent)]

from fuzz_mutators import damage, pick  # noqa: E402
from fuzz_seeds import KINDS, configuration, files_of, make_town  # noqa: E402

LONGEST_S = 120.0
READ_BY_TILES = ("dtm", "dsm", "vrt", "asc")
"""Kinds whose cells are read where a tile needs them: `check` sees no more than a glance."""


@dataclass(frozen=True)
class Case:
    """One damaged input."""

    kind: str
    seed: int

    @property
    def name(self) -> str:
        return f"{self.kind}-{self.seed}"


@dataclass(frozen=True)
class Outcome:
    """How a case ended; `fault` says what is wrong with that, None where nothing is."""

    case: Case
    code: object
    text: str
    seconds: float
    fault: str | None


def write_case(kind: str, town: Path, folder: Path) -> Path:
    """Copy what a kind reads, and return the configuration that reads it."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name in files_of(kind):
        if name != "rooftop.yaml":
            shutil.copy(town / name, folder / name)
    config = folder / "rooftop.yaml"
    config.write_text(yaml.safe_dump(configuration(kind), allow_unicode=True), encoding="utf-8")
    return config


def prepare_case(case: Case, town: Path, folder: Path) -> Path:
    """Copy what the case reads, damage one file, return the configuration."""
    kind = KINDS[case.kind]
    config = write_case(case.kind, town, folder)
    rng = np.random.default_rng([zlib.crc32(case.kind.encode()), case.seed])
    part = kind.target if not kind.parts or rng.random() < 0.6 else pick(rng, kind.parts)
    damage(folder / part, kind.syntax if part == kind.target else "binary", rng)
    return config


def _ends_well(code: object, text: str, allowed: tuple[int, ...]) -> str | None:
    """Return what is wrong with an exit code and what was printed, or None."""
    if code not in allowed:
        return f"exit {code}"
    if "Traceback" in text:
        return "traceback"
    if code == 2 and not ("where:" in text or "found:" in text or "mend:" in text):
        return "an error that names nothing"
    return None


def judge(code: object, text: str, out: Path) -> str | None:
    """Return what is wrong with the end of a run, or None."""
    fault = _ends_well(code, text, (0, 1, 2))
    if fault is not None or code == 2:
        return fault
    record = json.loads((out / "run.json").read_text(encoding="utf-8"))
    rows, counts = pyarrow.parquet.read_metadata(out / "roofs.parquet").num_rows, record["counts"]
    if not counts["rows_in"] == counts["rows_out"] == rows + counts["rows_withheld"]:
        return f"rows: {counts}, {rows} in roofs.parquet"
    return None if code == 0 or record["failed_tiles"] else "exit 1 without a failed tile"


class Worker:
    """A process that is started again when it dies."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None

    def run(self, arguments: list[str]) -> tuple[object, str]:
        """Return exit code and output; an abort or a hang is a code of its own."""
        if self._process is None:
            self._start()
        process = self._process
        assert process is not None and process.stdin is not None and process.stdout is not None
        process.stdin.write(json.dumps(arguments) + "\n")
        process.stdin.flush()
        timer = threading.Timer(LONGEST_S, process.kill)
        timer.start()
        line = process.stdout.readline()
        hung = not timer.is_alive()
        timer.cancel()
        if line:
            answer = json.loads(line)
            return answer["code"], answer["text"]
        self.stop()
        code = process.returncode
        return (f"hang of {LONGEST_S:g} s" if hung else f"abort {code}"), ""

    def _start(self) -> None:
        here = Path(__file__).with_name("fuzz_worker.py")
        self._process = subprocess.Popen(
            [sys.executable, str(here)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8",
            stderr=subprocess.DEVNULL, env={**os.environ, "MPLBACKEND": "agg", "PYTHONWARNINGS": "ignore"},
        )  # fmt: skip

    def stop(self) -> None:
        """End the process and close what leads to it."""
        process, self._process = self._process, None
        if process is None or process.stdin is None or process.stdout is None:
            return
        with contextlib.suppress(BrokenPipeError):
            process.stdin.close()
        process.wait()
        process.stdout.close()


def attempt(case: Case, config: Path, out: Path, worker: Worker) -> tuple[object, str, str | None]:
    """Run a case, and check it or make a configuration of it too; return how the run ended and the first fault."""
    code, text = worker.run(["run", str(config), "-o", str(out), "--workers", "1"])
    try:
        fault = judge(code, text, out)
    except (OSError, ValueError, KeyError) as error:
        fault = f"products that cannot be read: {error!r}"
    kind = KINDS[case.kind]
    if fault is None and case.seed % 3 == 0:
        checked, said = worker.run(["check", str(config)])
        fault = _ends_well(checked, said, (0, 2))
        if fault is None and checked != code and {checked, code} == {0, 2} and case.kind not in READ_BY_TILES:
            fault = f"check ends in {checked}, run in {code}"
        text = text if fault is None else f"{text}\ncheck: {said}"
    if fault is None and case.seed % 3 == 1 and "footprints" in kind.inputs:
        new = config.with_name("new.yaml")
        begun, said = worker.run(
            ["init", "lianyungang", "--footprints", str(config.parent / kind.target), "-o", str(new)]
        )
        fault = _ends_well(begun, said, (0, 2))
        text = text if fault is None else f"{text}\ninit: {said}"
    return code, text, fault


def run_cases(cases: Iterable[Case], town: Path, scratch: Path, kept: Path, workers: int = 2) -> list[Outcome]:
    """Run cases; the inputs of those that end badly stay under `kept`."""
    waiting: queue.SimpleQueue[Case] = queue.SimpleQueue()
    for case in cases:
        waiting.put(case)
    outcomes: list[Outcome] = []

    def work() -> None:
        worker = Worker()
        while True:
            try:
                case = waiting.get_nowait()
            except queue.Empty:
                break
            folder, out = scratch / case.name, scratch / f"{case.name}-out"
            config = prepare_case(case, town, folder)
            start = time.perf_counter()
            code, text, fault = attempt(case, config, out, worker)
            outcome = Outcome(case, code, text, time.perf_counter() - start, fault)
            outcomes.append(outcome)
            if outcome.fault is not None:
                shutil.copytree(folder, kept / case.name, dirs_exist_ok=True)
                (kept / case.name / "fault.txt").write_text(
                    f"{outcome.fault}\nreplay: python tests/fuzz/fuzz_pool.py {case.kind} {case.seed}\n\n{text}",
                    encoding="utf-8",
                )
            shutil.rmtree(folder, ignore_errors=True)
            shutil.rmtree(out, ignore_errors=True)
        worker.stop()

    with ThreadPoolExecutor(workers) as pool:
        for done in [pool.submit(work) for _ in range(workers)]:
            done.result()
    return sorted(outcomes, key=lambda o: (o.case.kind, o.case.seed))


def summary(outcomes: list[Outcome]) -> str:
    """Return how the cases of each kind ended, and every fault with its replay."""
    lines = []
    for kind in dict.fromkeys(o.case.kind for o in outcomes):
        mine = [o for o in outcomes if o.case.kind == kind]
        codes = {c: sum(o.code == c for o in mine) for c in sorted({o.code for o in mine}, key=str)}
        lines.append(f"{kind}: {len(mine)}, exits {codes}, {sum(o.seconds for o in mine):.0f} s")
    for o in outcomes:
        if o.fault is not None:
            lines.append(f"{o.case.kind} {o.case.seed}: {o.fault}; {o.text.strip()[:300]}")
    return "\n".join(lines)


def main(arguments: list[str]) -> int:
    """``fuzz_pool.py KIND SEED`` replays one; ``fuzz_pool.py KIND|all FIRST LAST`` runs several."""
    scratch = Path(os.environ.get("ROOFTOP_FUZZ", "/tmp/rooftop-fuzz"))
    town = make_town(scratch / "town")
    kinds = list(KINDS) if arguments[0] == "all" else arguments[0].split(",")
    first, last = int(arguments[1]), int(arguments[2] if len(arguments) > 2 else int(arguments[1]) + 1)
    cases = [Case(kind, seed) for seed in range(first, last) for kind in kinds]
    outcomes = run_cases(cases, town, scratch / "work", scratch / "kept")
    print(summary(outcomes) if len(outcomes) > 1 else f"{outcomes[0].code} {outcomes[0].fault}\n{outcomes[0].text}")
    return int(any(o.fault for o in outcomes))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
