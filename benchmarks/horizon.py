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
from numpy.typing import NDArray

from rooftop.shading import Surface, horizons

F4 = NDArray[np.float32]
B1 = NDArray[np.bool_]
N_AZIMUTH = 72


@dataclass(frozen=True)
class Case:
    """One line of the table."""

    label: str
    surface: Surface
    dsm: F4
    rows: NDArray[np.int64]
    cols: NDArray[np.int64]

    def run(self) -> None:
        """Compute the horizons of the cells asked for."""
        horizons(self.dsm, 1.0, self.rows, self.cols, n_azimuth=N_AZIMUTH, surface=self.surface)


def city(n: int, seed: int = 7) -> tuple[F4, B1]:
    """Draw an n by n city at 1 m: slabs, houses, sheds and towers with parapets and stair heads on a slope."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:n, 0:n].astype(np.float32)
    dsm = (10.0 + 0.009 * x + 0.007 * (n - y) + 3.0 * np.sin(x / 500.0) * np.cos(y / 800.0)).astype(np.float32)
    roof = np.zeros((n, n), dtype=np.bool_)
    #        length       depth     height     gap      parapet
    kinds = [((40, 120), (30, 70), (8, 15), (12, 20), 0.8), ((36, 72), (12, 13), (17, 19), (18, 26), 1.0)]
    kinds += [((20, 34), (20, 30), (55, 100), (30, 40), 1.4), ((9, 20), (9, 18), (6, 24), (9, 14), 0.9)]
    for top in range(8, n - 60, 190):
        for left in range(8, n - 60, 210):
            lengths, depths, heights, gaps, parapet = kinds[int(rng.choice(4, p=[0.35, 0.32, 0.15, 0.18]))]
            row = top
            while row < min(top + 170, n - depths[1]):
                depth, col = int(rng.integers(*depths)), left
                while col < min(left + 190, n - lengths[1]):
                    length = int(rng.integers(*lengths))
                    base = float(dsm[row : row + depth, col : col + length].mean())
                    z = base + float(rng.uniform(*heights))
                    dsm[row : row + depth, col : col + length] = z + parapet
                    dsm[row + 1 : row + depth - 1, col + 1 : col + length - 1] = z
                    dsm[row + 3 : row + 6, col + 3 : col + 7] = z + 2.6
                    roof[row : row + depth, col : col + length] = True
                    col += length + int(rng.integers(8, 18))
                row += depth + int(rng.integers(*gaps))
    return dsm, roof


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
    todo: list[tuple[str, Surface, F4, B1]] = [
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
