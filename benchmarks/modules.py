"""CPU per roof of looking at every module: `python benchmarks/modules.py CONFIG [ROUNDS]`, one thread, compiled first.

Prints, by round: the whole of the tiles, and of it the modules' years (points, rows in front, which count, energy) and
moving rows into the light, from a profile of CPU time.
"""

from __future__ import annotations

import cProfile
import pstats
import sys
import time

import numpy as np

from rooftop.configfile import load_config
from rooftop.job import tile
from rooftop.job.prepare import prepare
from rooftop.job.sources import read_sources

PARTS = ("compute_tile", "module_years", "move_into_light", "behind_rows", "_horizons", "_darkness")


def main() -> None:
    """Prepare a run and compute its tiles again and again."""
    config = load_config(sys.argv[1])
    sources = read_sources(config)
    ready = prepare(config, sources, np.ones(len(sources.buildings), dtype=bool), None)
    n_roofs = ready.scene.planes["roof"].nunique()
    for round_ in range(int(sys.argv[2]) if len(sys.argv) > 2 else 3):
        profile = cProfile.Profile(time.process_time)
        profile.enable()
        for each in ready.scene.tile_members:
            tile.compute_tile(ready.scene, ready.book, each)
        profile.disable()
        spent = dict.fromkeys(PARTS, 0.0)
        for (_, _, name), (_, _, _, cumulative, _) in pstats.Stats(profile).stats.items():  # type: ignore[attr-defined]
            if name in spent:
                spent[name] = max(spent[name], cumulative)
        line = ", ".join(f"{name} {1000.0 * seconds / n_roofs:.2f}" for name, seconds in spent.items())
        print(f"round {round_}: {n_roofs} roofs, {ready.layout.placed.sum()} modules, ms of CPU per roof: {line}")


if __name__ == "__main__":
    main()
