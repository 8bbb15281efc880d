"""Where things are. Importing it lets a benchmark import what it shares with the tests, from `tests/helpers/`."""

from __future__ import annotations

import sys
from pathlib import Path

REPO = Path(__file__).resolve().parents[1]
SHARED = REPO.parent / "shared"

sys.path.insert(0, str(REPO / "tests" / "helpers"))
