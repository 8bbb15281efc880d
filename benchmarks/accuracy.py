"""How exact horizons and energy are: the product against a brute force over every daylight sun, as one table.

    python benchmarks/accuracy.py [--cells 2000] [--azimuths 72] [--sites city bench noise goteborg delft] [--worst]

Every sun of the year at 10-minute steps is marched cell by cell through the surface (tests/helpers/reference_suns.py);
the sky is integrated behind exact horizons in 720 directions. So the error contains everything: the kernel, the
sampling in azimuth, the tables. Sites other than the seeded city need ../shared. CPU time: about 10 s per 1 000 cells
and surface.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from paths import SHARED

import accuracy
from accuracy import SURFACES, Comparison, Site

SITES = ("city", "bench", "noise", "goteborg", "delft")
FOUND = SHARED / "data"


def sites(names: list[str], size: int) -> Iterator[Site]:
    """Load or draw the sites that this machine can."""
    with tempfile.TemporaryDirectory() as folder:
        if {"bench", "noise"} & set(names) and FOUND.is_dir():
            command = [sys.executable, str(SHARED / "bench" / "make_dsm.py"), folder, str(size)]
            subprocess.run(command, check=True, capture_output=True)
        for name in names:
            if name == "city":
                yield accuracy.seeded_city(min(size, 600))
            elif not FOUND.is_dir():
                print(f"{name}: {FOUND} is missing")
            elif name == "goteborg":
                yield accuracy.goteborg(FOUND)
            elif name == "delft":
                yield accuracy.delft(FOUND)
            else:
                bench = accuracy.bench_city(Path(folder), size)
                yield accuracy.noisy(bench) if name == "noise" else bench


def print_table(site: Site, surface: str, found: Comparison) -> None:
    """Print the horizon's line and one line per sky model; each entry is one plane."""
    error = np.abs(found.horizon_error_deg)
    print(
        f"\n{site.name}, {surface}: {found.rows.size} cells, svf {found.svf.mean():.3f}, shading loss "
        f"{100 * found.loss.mean():.1f} % (mean)\n  horizon [deg]: MAE {error.mean():.3f}, "
        f"bias {found.horizon_error_deg.mean():+.4f}, p99 {np.quantile(error, 0.99):.2f}, max {error.max():.1f}"
    )
    for model in accuracy.MODELS:
        print(f"  {model:<10}{'tilt':>5}{'azimuth':>8}{'MAE %':>8}{'bias %':>8}{'worst month %':>15}{'p99 %':>8}")
        for one in found.errors:
            if one.model == model:
                p99 = float(np.quantile(np.abs(one.per_cell), 0.99))
                print(
                    f"  {'':<10}{one.plane.tilt:5.0f}{one.plane.azimuth:8.0f}{100 * one.mae:8.3f}{100 * one.bias:+8.3f}"
                    f"{100 * one.month:15.2f}{100 * p99:8.2f}"
                )
    print("  gates: " + ("met" if not found.misses() else "; ".join(found.misses())))


def print_worst(site: Site, found: Comparison) -> None:
    """Say what kind of cells the worst hundredth is: in energy (level plane), and single horizon angles."""
    energy = np.abs(found.errors[0].per_cell)
    distance = accuracy.drop_distance_m(site, found.rows, found.cols)
    worst = energy >= np.quantile(energy, 0.99)
    parts = {"worst 1 % of cells": worst, "all others": ~worst}
    for name, chosen in parts.items():
        near = distance[chosen]
        print(
            f"    {name:<20} energy error {100 * energy[chosen].mean():5.2f} %, shading loss "
            f"{100 * found.loss[chosen].mean():5.1f} %, wall or edge at {np.median(near):5.1f} m (median), "
            f"horizon MAE {np.abs(found.horizon_error_deg[chosen]).mean():.3f} deg; energy error with "
            f"exact horizons {100 * np.abs(found.sampling[chosen]).mean():.2f} %"
        )
    # single angles: is the error at a jump of the horizon, where neighbouring samples differ by as much?
    error = np.abs(found.horizon_error_deg)
    exact = found.horizon_deg
    step = np.maximum(np.abs(np.roll(exact, 1, axis=1) - exact), np.abs(np.roll(exact, -1, axis=1) - exact))
    large = error >= max(float(np.quantile(error, 0.99)), 1e-3)
    print(
        f"    worst 1 % of angles: mean error {error[large].mean():.2f} deg where the horizon steps by "
        f"{step[large].mean():.1f} deg to the next azimuth (elsewhere {step[~large].mean():.1f}); "
        f"{100 * (step[large] > error[large]).mean():.0f} % are smaller than that step: an edge far away, met or missed"
    )


def main(arguments: list[str] | None = None) -> int:
    """Print the table; the exit code says whether all gates are met."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cells", type=int, default=2000)
    parser.add_argument("--azimuths", type=int, default=72)
    parser.add_argument("--sites", nargs="+", choices=SITES, default=list(SITES))
    parser.add_argument("--size", type=int, default=1000, help="edge of the bench city [m]")
    parser.add_argument("--surfaces", nargs="+", choices=SURFACES, default=list(SURFACES))
    parser.add_argument("--worst", action="store_true", help="describe the worst 1 %% of cells and angles")
    chosen = parser.parse_args(arguments)
    missed = 0
    for site in sites(chosen.sites, chosen.size):
        for surface in chosen.surfaces:
            start = time.process_time()
            found = accuracy.compare(site, surface, chosen.cells, chosen.azimuths)
            print_table(site, surface, found)
            if chosen.worst:
                print_worst(site, found)
            print(f"  {time.process_time() - start:.0f} CPU s", flush=True)
            missed += bool(found.misses())
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
