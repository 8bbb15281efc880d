"""The quickstart runs as it stands."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path


def test_quickstart_runs(repo: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, str(repo / "notebooks" / "01_quickstart.py")],
        cwd=tmp_path,
        env={**os.environ, "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
    assert "horizon to the south: 45.0°" in done.stdout
    pages = list(tmp_path.glob("rooftop-*/maps/index.html"))
    assert len(pages) == 1
    assert pages[0].stat().st_size > 100_000
