"""Cost of horizons per million cells, by size, surface and cells asked for; against other programs: ``speed.py``.

    python benchmarks/horizon.py [--sizes 500 1000 2000] [--repeat 3] [--dsm FILE --mask FILE]

CPU seconds (user + system of the process) are medians of alternating runs; compiling is timed apart. Without ``--dsm``
a seeded city is drawn: 1 m cells, 40 % roofs, parapets, towers, terrain.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import paths  # noqa: F401
from numpy.typing import NDArray

from rooftop.core.surfaces import SurfaceKind
from rooftop.solar.horizons import horizons
from seeded_city import city

F4 = NDArray[np.float32]
B1 = NDArray[np.bool_]
N_AZIMUTH = 72


@dataclass(frozen=True)
class Case:
    """One line of the table."""

    label: str
    surface: SurfaceKind
    dsm: F4
    rows: NDArray[np.int64]
    cols: NDArray[np.int64]

    def run(self) -> None:
        """Compute the horizons of the cells asked for."""
        horizons(self.dsm, 1.0, self.rows, self.cols, n_azimuth=N_AZIMUTH, surface=self.surface)


def read_dsm(path: Path) -> F4:
    """Read an elevation model."""
    import rasterio

    with rasterio.open(path) as source:
        heights: F4 = source.read(1, masked=True).astype(np.float32).filled(np.nan)
    return heights


def read(dsm: Path, mask: Path) -> tuple[F4, B1]:
    """Read an elevation model and a mask of the cells asked for."""
    import rasterio

    with rasterio.open(mask) as cells:
        return read_dsm(dsm), cells.read(1) > 0


def cpu_of(work: Callable[[], object]) -> float:
    """CPU seconds of this process while it does `work`."""
    start = time.process_time()
    work()
    return time.process_time() - start


def cases(dsm: F4, roof: B1) -> list[Case]:
    """Everything that is timed on one raster."""
    noisy = (dsm + np.random.default_rng(1).normal(0.0, 0.05, dsm.shape)).astype(np.float32)
    everything = np.ones_like(roof)
    todo: list[tuple[str, SurfaceKind, F4, B1]] = [
        ("roofs", "prism", dsm, roof),
        ("roofs, 5 cm noise", "prism", noisy, roof),
        ("all cells", "prism", dsm, everything),
        ("all cells, 5 cm noise", "prism", noisy, everything),
        ("roofs", "linear", dsm, roof),
        ("all cells", "linear", dsm, everything),
    ]
    return [Case(label, surface, heights, *np.nonzero(asked)) for label, surface, heights, asked in todo]


def compile_kernels() -> None:
    """Compile, or load from numba's cache, and say how long that took."""
    start = time.perf_counter()
    small = np.random.default_rng(0).uniform(0.0, 9.0, (200, 180)).astype(np.float32)
    horizons(small, 1.0, [90], [90], surface="prism")
    horizons(small, 1.0, [90], [90], surface="linear")
    print(f"compiling or loading the kernels: {time.perf_counter() - start:.1f} s\n")


def time_cases(todo: list[Case], repeat: int) -> None:
    """Alternate the cases, print medians."""
    seconds: list[list[float]] = [[] for _ in todo]
    for _ in range(repeat):
        for case, found in zip(todo, seconds, strict=True):
            found.append(cpu_of(case.run))
    for case, found in zip(todo, seconds, strict=True):
        median, million = statistics.median(found), case.dsm.size / 1e6
        size = f"{case.dsm.shape[0]} x {case.dsm.shape[1]}"
        rate = million * N_AZIMUTH / median
        print(
            f"{size:>12}  {case.surface:<8}{case.label:<22}{case.rows.size / 1e6:7.3f}{median:9.2f}{min(found):9.2f}"
            f"{median / million:13.2f}{rate:12.1f}"
        )


def main(arguments: list[str] | None = None) -> int:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[500, 1000, 1500, 2000])
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--dsm", type=Path)
    parser.add_argument("--mask", type=Path)
    chosen = parser.parse_args(arguments)
    compile_kernels()
    rasters = [read(chosen.dsm, chosen.mask)] if chosen.dsm else [city(n) for n in chosen.sizes]
    print(f"{'raster':>12}  {'surface':<8}{'asked':<22}{'Mcell':>7}", end="")
    print(f"{'CPU s':>9}{'least':>9}{'CPU s/Mcell':>13}{'Mcell·az/s':>12}")
    for dsm, roof in rasters:
        time_cases(cases(dsm, roof), chosen.repeat)
    return 0


if __name__ == "__main__":
    sys.exit(main())
