"""The table of speed: our kernels against the peers, in one run; what limits them; a chart of time.

    python benchmarks/speed.py [--repeat 3] [--dsm FILE] [--largest 4000] [--no-peers] [--chart FILE]

CPU seconds (user + system) of alternating runs, medians; compiling is timed apart. One thread unless said. GRASS
(r.horizon, r.sun) and topocalc take part where they are installed; they are no dependencies. Without ``--dsm`` the
seeded city is drawn.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable
from functools import partial
from pathlib import Path

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_name] = "1"

import hourly  # noqa: E402
import numpy as np  # noqa: E402
from horizon import B1, F4, read_dsm  # noqa: E402

from rooftop.kernels import horizon as kernel  # noqa: E402
from rooftop.kernels import rays, view  # noqa: E402
from rooftop.solar.energy import ModulePlane, plane_tables, usable_year  # noqa: E402
from rooftop.solar.horizons import horizons  # noqa: E402
from rooftop.solar.hourly import hourly_tables  # noqa: E402
from rooftop.solar.pvsystem import load_system  # noqa: E402
from rooftop.solar.raster import irradiation_raster  # noqa: E402
from rooftop.solar.sky import SkyYear, sky_year  # noqa: E402
from rooftop.weather import synthetic_weather  # noqa: E402
from seeded_city import city  # noqa: E402

PEER_AZIMUTHS, GRASS_REACH_M, N_AZIMUTH = 36, 500, 72
Works = dict[str, Callable[[], object]]
GRASS_DAY, GRASS_STEP_H = 172, 0.5


def cpu_of(work: Callable[[], object]) -> float:
    """CPU seconds of this process and its finished children while it does `work`."""
    before = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    work()
    after = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(b.ru_utime + b.ru_stime - a.ru_utime - a.ru_stime for a, b in zip(before, after, strict=True))


def wall_of(work: Callable[[], object]) -> float:
    """Wall seconds of `work`."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def alternate(works: Works, repeat: int, clock: Callable[[Callable[[], object]], float] = cpu_of) -> dict[str, float]:
    """Medians of alternating runs."""
    seconds: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(repeat):
        for name, work in works.items():
            seconds[name].append(clock(work))
    return {name: statistics.median(found) for name, found in seconds.items()}


def say(what: str, ratio: float, must: str, detail: str = "") -> None:
    """Print one line of the table."""
    print(f"{what:<66}{ratio:>10.2f}  {must:<8}{detail}", flush=True)


# Peers -----------------------------------------------------------------------------------------------------------


class Grass:
    """A GRASS location that holds one elevation model."""

    def __init__(self, dsm: F4, folder: str) -> None:
        import rasterio
        from rasterio.transform import from_origin

        path = Path(folder) / "dsm.tif"
        shape = {"height": dsm.shape[0], "width": dsm.shape[1], "count": 1, "dtype": "float32", "crs": "EPSG:32650"}
        with rasterio.open(path, "w", driver="GTiff", transform=from_origin(670000, 3550000, 1, 1), **shape) as out:
            out.write(dsm, 1)
        place = f"{folder}/location"
        subprocess.run(["grass", "-c", str(path), place, "-e"], check=True, capture_output=True)
        self.session = ["grass", f"{place}/PERMANENT", "--exec"]
        self.run("r.in.gdal", "-o", f"input={path}", "output=dsm")
        self.run("g.region", "raster=dsm")

    def run(self, *command: str) -> None:
        """Run one module."""
        subprocess.run([*self.session, *command], check=True, capture_output=True)

    def horizon(self) -> None:
        """Horizons of all cells, 36 azimuths to 500 m."""
        step = f"step={360 // PEER_AZIMUTHS}"
        reach = f"maxdistance={GRASS_REACH_M}"
        self.run("r.horizon", "elevation=dsm", step, reach, "output=hz", "--overwrite")

    def sun(self) -> None:
        """One day of irradiation with those horizons."""
        self.run(
            "r.sun",
            "elevation=dsm",
            "slope_value=0",
            "aspect_value=270",
            "horizon_basename=hz",
            f"horizon_step={360 // PEER_AZIMUTHS}",
            f"day={GRASS_DAY}",
            f"step={GRASS_STEP_H}",
            "nprocs=1",
            "glob_rad=glob",
            "--overwrite",
        )


def against_grass(dsm: F4, sky: SkyYear, repeat: int) -> None:
    """Horizons, and a year of irradiation, of every cell."""
    everywhere = np.ones(dsm.shape, dtype=np.bool_)
    rows, cols = np.nonzero(everywhere)
    with tempfile.TemporaryDirectory() as folder:
        grass = Grass(dsm, folder)
        found = alternate(
            {
                "r.horizon": grass.horizon,
                "r.sun": grass.sun,
                "ours": lambda: horizons(dsm, 1.0, rows, cols, n_azimuth=PEER_AZIMUTHS),
                "our year": lambda: irradiation_raster(sky, dsm, 1.0, everywhere, n_azimuth=N_AZIMUTH),
            },
            repeat,
        )
    year = found["r.horizon"] + 365 * found["r.sun"]
    detail = f"{found['r.horizon']:.1f} / {found['ours']:.2f} CPU s"
    say("GRASS r.horizon 500 m ÷ ours unlimited, 36 azimuths", found["r.horizon"] / found["ours"], ">= 80", detail)
    detail = f"{year:.0f} / {found['our year']:.2f} CPU s"
    say("GRASS r.horizon 36 + r.sun 365 days ÷ our year at 72", year / found["our year"], ">= 500", detail)


def against_topocalc(dsm: F4, repeat: int) -> None:
    """Horizons of every cell, 36 azimuths."""
    from topocalc.horizon import horizon as theirs

    rows, cols = np.nonzero(np.ones(dsm.shape, dtype=np.bool_))
    heights = dsm.astype(np.float64)
    azimuths = np.arange(PEER_AZIMUTHS) * 360.0 / PEER_AZIMUTHS - 180.0

    def them() -> None:
        for azimuth in azimuths:
            theirs(azimuth, heights, 1.0)

    found = alternate({"them": them, "ours": lambda: horizons(dsm, 1.0, rows, cols, n_azimuth=PEER_AZIMUTHS)}, repeat)
    detail = f"{found['them']:.1f} / {found['ours']:.2f} CPU s"
    say("topocalc ÷ ours, 36 azimuths", found["them"] / found["ours"], ">= 25", detail)


def against_model_chain(repeat: int) -> None:
    """A year of hours of one roof behind a horizon."""
    system = load_system()
    weather = synthetic_weather(32.0, 118.8, 10.0, None, np.full(12, 16.0), annual_ghi_kwh_m2=1350.0)
    tables = hourly_tables(weather, ModulePlane(hourly.TILT, hourly.AZIMUTH, "rack"), system=system)
    n_roof = 1024
    ours, theirs = hourly.ours(tables, hourly.horizons_of(n_roof), 256), hourly.model_chain(weather, system)
    ours(), theirs()
    found = alternate({"them": theirs, "ours": ours}, repeat)
    each = found["ours"] / n_roof
    detail = f"{1e3 * found['them']:.0f} ms / {1e6 * each:.1f} µs"
    say("pvlib ModelChain ÷ our hourly yield with horizon, per roof", found["them"] / each, ">= 1000", detail)


# Ours against ourselves ------------------------------------------------------------------------------------------


def threads(dsm: F4, roof: B1, sky: SkyYear, repeat: int) -> None:
    """Wall time of one thread over that of two."""
    works: Works = {f"{n}": partial(irradiation_raster, sky, dsm, 1.0, roof, threads=n) for n in (1, 2)}
    found = alternate(works, repeat, wall_of)
    say(
        "one thread ÷ two threads, wall, year of roofs",
        found["1"] / found["2"],
        ">= 1.8",
        f"load {os.getloadavg()[0]:.1f}",
    )


def growth(largest: int, sky: SkyYear, repeat: int) -> list[tuple[int, float]]:
    """Time per cell by size; returns sizes and CPU seconds per million cells."""
    sizes = sorted({500, 1000, 2000, largest})
    scenes = {n: city(n) for n in sizes}
    works: Works = {f"{n}": partial(irradiation_raster, sky, scenes[n][0], 1.0, scenes[n][1]) for n in sizes}
    found = alternate(works, repeat)
    per_cell = [(n, found[f"{n}"] / n**2 * 1e6) for n in sizes]
    by_size = dict(per_cell)
    say(
        f"time per cell, {largest}² ÷ 1000²",
        by_size[largest] / by_size[1000],
        "< 1.1",
        ", ".join(f"{n}: {seconds:.2f}" for n, seconds in per_cell) + " CPU s per million cells",
    )
    return per_cell


def by_azimuths(dsm: F4, roof: B1, sky: SkyYear, repeat: int) -> list[tuple[int, float]]:
    """CPU seconds by number of azimuths."""
    numbers = (18, 36, 72, 144)
    works: Works = {f"{n}": partial(irradiation_raster, sky, dsm, 1.0, roof, n_azimuth=n) for n in numbers}
    found = alternate(works, repeat)
    return [(n, found[f"{n}"]) for n in numbers]


def noise(dsm: F4, roof: B1, sky: SkyYear, repeat: int) -> None:
    """Cost of 5 cm of noise on every cell."""
    noisy = (dsm + np.random.default_rng(1).normal(0.0, 0.05, dsm.shape)).astype(np.float32)
    works: Works = {
        "plain": lambda: irradiation_raster(sky, dsm, 1.0, roof),
        "noisy": lambda: irradiation_raster(sky, noisy, 1.0, roof),
    }
    found = alternate(works, repeat)
    say("noise of 5 cm ÷ none", found["noisy"] / found["plain"], "< 1.6", f"{found['plain']:.2f} CPU s plain")


def months_with_ac(dsm: F4, roof: B1, sky: SkyYear, repeat: int) -> None:
    """Months and AC of roofs, horizons included, over the annual irradiation of their cells."""
    from scipy import ndimage

    label, n_roof = ndimage.label(roof)
    rows, cols = np.nonzero(roof)
    group = label[rows, cols] - 1
    cells = np.argsort(group, kind="stable")
    start = np.searchsorted(group[cells], np.arange(n_roof + 1))
    tables = plane_tables(sky, ModulePlane(0.0, 180.0), load_system())
    ones = np.ones((n_roof, 12))

    def monthly() -> None:
        usable_year(tables, horizons(dsm, 1.0, rows, cols), cells, start, ones)

    monthly()
    found = alternate({"annual": lambda: irradiation_raster(sky, dsm, 1.0, roof), "monthly": monthly}, repeat)
    detail = f"{found['monthly']:.2f} / {found['annual']:.2f} CPU s"
    say("months with AC of roofs ÷ annual irradiation", found["monthly"] / found["annual"], "<= 2", detail)


def memory(dsm: F4, sky: SkyYear) -> None:
    """Peak bytes per cell beyond the inputs, every cell asked for."""
    everywhere = np.ones(dsm.shape, dtype=np.bool_)
    tracemalloc.start()
    irradiation_raster(sky, dsm, 1.0, everywhere, n_azimuth=8)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    say("bytes per cell, annual result of every cell", peak / dsm.size, "<= 20")


def profile(dsm: F4, asked: B1, sky: SkyYear) -> None:
    """Where the CPU time of a year goes, and how much memory traffic that makes at least."""
    spent = {"turning the raster": 0.0, "grouping cells": 0.0, "sweeping": 0.0}
    places = dict(zip(spent, ((view, "fill_view"), (view, "find_spans"), (rays, "sweep")), strict=True))

    def timed(name: str, work: Callable[..., object]) -> Callable[..., object]:
        def run(*arguments: object) -> object:
            start = time.process_time()
            result = work(*arguments)
            spent[name] += time.process_time() - start
            return result

        return run

    originals = {name: getattr(*place) for name, place in places.items()}
    for name, (module, function) in places.items():
        setattr(module, function, timed(name, originals[name]))
    whole = cpu_of(lambda: irradiation_raster(sky, dsm, 1.0, asked))
    for name, (module, function) in places.items():
        setattr(module, function, originals[name])
    print("  " + ", ".join(f"{name} {100 * seconds / whole:.0f} %" for name, seconds in spent.items()))
    source, target = np.ones(40_000_000, np.float32), np.zeros(40_000_000, np.float32)
    copied = min(cpu_of(lambda: np.copyto(target, source)) for _ in range(5))
    per_s = 2 * source.nbytes / copied
    # per azimuth: heights and eyes are read, the result is read and written
    least = N_AZIMUTH * dsm.size * 4 * 4 / per_s
    print(
        f"  copying runs at {per_s / 1e9:.1f} GB/s; the arrays alone would need {100 * least / whole:.0f} % of the time"
    )


def draw(path: Path, sizes: list[tuple[int, float]], azimuths: list[tuple[int, float]]) -> None:
    """Chart of time against cells and against azimuths."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, (left, right) = pyplot.subplots(1, 2, figsize=(8.0, 3.0), layout="constrained")
    left.loglog([n * n for n, _ in sizes], [seconds * n * n / 1e6 for n, seconds in sizes], "o-", color="#1f6f8b")
    left.set(xlabel="cells of the raster, 40 % of them roofs", ylabel="CPU seconds", title="a year at 72 azimuths")
    right.plot(*zip(*azimuths, strict=True), "o-", color="#c0552b")
    right.set(xlabel="azimuths", ylabel="CPU seconds", title="a year of a million cells", xlim=0, ylim=0)
    for axes in (left, right):
        axes.grid(alpha=0.3)
    figure.savefig(path, dpi=110)


def main(arguments: list[str] | None = None) -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--dsm", type=Path)
    parser.add_argument("--largest", type=int, default=4000)
    parser.add_argument("--no-peers", action="store_true")
    parser.add_argument("--chart", type=Path)
    chosen = parser.parse_args(arguments)
    weather = synthetic_weather(32.0, 118.8, 10.0, None, np.full(12, 16.0), annual_ghi_kwh_m2=1350.0)
    sky = sky_year(weather, "perez", factors=(1.0,))
    small, small_roof = city(250)
    compiling = wall_of(lambda: irradiation_raster(sky, small, 1.0, small_roof))
    horizons(small, 1.0, [9], [9])
    dsm, roof = city(1000)
    peers_dsm = read_dsm(chosen.dsm) if chosen.dsm else dsm
    print(f"compiling or loading the kernels: {compiling:.1f} s; far lines {kernel.SPACING} cells apart\n")
    if not chosen.no_peers:
        if shutil.which("grass"):
            against_grass(peers_dsm, sky, max(chosen.repeat // 2, 1))
        try:
            against_topocalc(peers_dsm, max(chosen.repeat // 2, 1))
        except ImportError:
            print("topocalc is not installed")
    against_model_chain(chosen.repeat)
    large, large_roof = city(2000)
    threads(large, large_roof, sky, chosen.repeat)
    memory(large, sky)
    months_with_ac(dsm, roof, sky, chosen.repeat)
    noise(dsm, roof, sky, chosen.repeat)
    sizes = growth(chosen.largest, sky, max(chosen.repeat // 2, 1))
    for name, asked in (("roofs", roof), ("every cell", np.ones_like(roof))):
        print(f"where the time goes, {name}:")
        profile(dsm, asked, sky)
    if chosen.chart:
        draw(chosen.chart, sizes, by_azimuths(dsm, roof, sky, max(chosen.repeat // 2, 1)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
