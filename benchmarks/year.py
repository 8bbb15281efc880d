"""Cost of a year per cell, read out of cumulative-sky tables: annual, and monthly with AC.

    python benchmarks/year.py [--size 700] [--repeat 5]

Roof cells of a seeded city with their horizons; a roof is a group. CPU seconds of one thread, medians of alternating
runs; compiling is apart.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

import numpy as np
import pandas as pd
import paths  # noqa: F401
from scipy import ndimage

from rooftop.solar.energy import ModulePlane, Rows, cell_months, cell_year, plane_tables, usable_year
from rooftop.solar.horizons import horizons
from rooftop.solar.pvsystem import load_system
from rooftop.solar.sky import sky_year
from rooftop.weather import Weather
from seeded_city import city


def made_weather() -> Weather:
    """Draw a year of half-clear sky: the tables' cost does not depend on what is in them."""
    index = pd.date_range("2021-01-01 00:30", periods=8760, freq="h", tz="Etc/GMT-8")
    hour, day = index.hour.to_numpy() + 0.5, index.day_of_year.to_numpy()
    up = np.maximum(np.cos((hour - 12.0) / 24.0 * 2.0 * np.pi) - 0.2 * np.cos(day / 365.0 * 2.0 * np.pi), 0.0)
    data = pd.DataFrame({"ghi": 700.0 * up, "dni": 450.0 * up, "dhi": 300.0 * up}, index=index)
    return Weather(data.assign(temp_air=15.0, wind_speed=2.0), 34.6, 119.2, 20.0, 3600.0, "made")


def cpu_of(work: Callable[[], object]) -> float:
    """CPU seconds of this process while it does `work`."""
    start = time.process_time()
    work()
    return time.process_time() - start


def main() -> None:
    """Print one line per kind of reading."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=700, help="edge of the city in cells")
    parser.add_argument("--repeat", type=int, default=5)
    options = parser.parse_args()
    dsm, roof = city(options.size)
    label, n_roof = ndimage.label(roof)
    row, col = np.nonzero(roof)
    start = time.process_time()
    horizon = horizons(dsm, 1.0, row, col)
    swept = time.process_time() - start
    group = label[row, col] - 1
    cells = np.argsort(group, kind="stable")
    begin = np.searchsorted(group[cells], np.arange(n_roof + 1))
    factor = np.random.default_rng(0).uniform(0.9, 1.1, (n_roof, 12))
    sky = sky_year(made_weather(), factors=(0.85, 1.0, 1.15))
    tables = plane_tables(sky, ModulePlane(20.0, 180.0, "rack", Rows(2.3, 3.5)), load_system())
    usual = factor.mean(axis=0)
    work: dict[str, Callable[[], object]] = {
        "annual irradiation of cells": lambda: cell_year(tables, horizon, usual),
        "monthly irradiation of cells": lambda: cell_months(tables, horizon, usual),
        "roofs: months, AC, which cells are used": lambda: usable_year(
            tables, horizon, cells, begin, factor, usual, 0.2
        ),
    }
    compiling = sum(map(cpu_of, work.values()))
    print(f"{horizon.shape[0]} cells of {n_roof} roofs; compiling or loading, and a first run: {compiling:.1f} s")
    print(f"{'their horizons, 72 directions, with compiling':48s} {swept / len(row) * 1e6:6.2f} us/cell")
    seconds: dict[str, list[float]] = {name: [] for name in work}
    for _ in range(options.repeat):
        for name, one in work.items():
            seconds[name].append(cpu_of(one))
    for name, found in seconds.items():
        print(f"{name:48s} {statistics.median(found) / len(row) * 1e6:6.2f} us/cell")


if __name__ == "__main__":
    main()
