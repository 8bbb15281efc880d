"""Hourly AC yield of a roof: pvlib's ModelChain over ours behind a horizon; PySAM beside it where installed.

    python benchmarks/hourly.py [--roofs 1024] [--block 256] [--repeat 5]

CPU seconds (user + system of the process, one thread) are medians of alternating runs. Compiling, the sky of the
weather and the tables of the plane are timed apart: they are made once for all roofs. ModelChain does PVWatts on the
same 8 760 hours, without any horizon.
"""

from __future__ import annotations

import argparse
import math
import os
import statistics
import sys
import time
import warnings
from collections.abc import Callable

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_name] = "1"

import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402
import pvlib  # noqa: E402
from numpy.typing import NDArray  # noqa: E402

from rooftop.solar.cumulative import ModulePlane  # noqa: E402
from rooftop.solar.hourly import HourlyTables, hourly_series, hourly_tables  # noqa: E402
from rooftop.solar.pvsystem import PvSystem, load_system  # noqa: E402
from rooftop.solar.sky import sky_year  # noqa: E402
from rooftop.weather import Weather, synthetic_weather  # noqa: E402

F4 = NDArray[np.float32]
TILT, AZIMUTH, N_AZIMUTH = 20.0, 180.0, 72
MUST, AIM = 1000, 5000


def horizons_of(n: int, seed: int = 5) -> F4:
    """Blocks of buildings around each roof, 0 to 50 degrees high; mean 10."""
    rng = np.random.default_rng(seed)
    top = rng.uniform(5.0, 50.0, (n, 1))
    blocks = rng.uniform(0.0, top, (n, N_AZIMUTH // 3)) * (rng.random((n, N_AZIMUTH // 3)) < 0.7)
    return np.repeat(blocks, 3, axis=1).astype(np.float32)


def model_chain(weather: Weather, system: PvSystem) -> Callable[[], object]:
    """pvlib's ModelChain with PVWatts defaults on the same hours."""
    array = pvlib.pvsystem.PVSystem(
        surface_tilt=TILT,
        surface_azimuth=AZIMUTH,
        albedo=0.2,
        module_parameters={"pdc0": 1000.0, "gamma_pdc": system.module.gamma_pdc},
        inverter_parameters={"pdc0": 1000.0 * system.inverter_pdc0, "eta_inv_nom": system.eta_inv_nom},
        temperature_model_parameters=pvlib.temperature.TEMPERATURE_MODEL_PARAMETERS["sapm"]["open_rack_glass_glass"],
    )
    place = pvlib.location.Location(weather.latitude, weather.longitude, altitude=weather.altitude)
    chain = pvlib.modelchain.ModelChain.with_pvwatts(array, place)
    return lambda: chain.run_model(weather.data)


def pysam(weather: Weather) -> Callable[[], object] | None:
    """PVWatts of the System Advisor Model on the same hours, None where PySAM is not installed."""
    try:
        from PySAM import Pvwattsv8
    except ImportError:
        return None
    times, data = pd.DatetimeIndex(weather.data.index), weather.data
    model = Pvwattsv8.default("PVWattsNone")
    model.SystemDesign.system_capacity = 1.0
    model.SystemDesign.tilt = TILT
    model.SystemDesign.azimuth = AZIMUTH
    model.SolarResource.solar_resource_data = {
        "lat": weather.latitude,
        "lon": weather.longitude,
        "tz": times[0].utcoffset().total_seconds() / 3600.0,
        "elev": weather.altitude,
        "year": list(times.year),
        "month": list(times.month),
        "day": list(times.day),
        "hour": list(times.hour),
        "minute": list(times.minute),
        "gh": list(data["ghi"]),
        "dn": list(data["dni"]),
        "df": list(data["dhi"]),
        "tdry": list(data["temp_air"]),
        "wspd": list(data["wind_speed"]),
    }
    return lambda: model.execute(0)


def ours(tables: HourlyTables, horizon: F4, block: int, group: NDArray[np.int64] | None = None) -> Callable[[], object]:
    """Roofs in blocks that reuse one array, as a reducer would."""
    out = np.empty((block, tables.times.size), np.float32)

    def work() -> None:
        for first in range(0, horizon.shape[0], block):
            part = horizon[first : first + block]
            hourly_series(tables, part, out=out[: part.shape[0]])

    def grouped() -> None:
        hourly_series(tables, horizon, group=group)

    return work if group is None else grouped


def cpu_of(work: Callable[[], object]) -> float:
    """CPU seconds of this process while it does `work`."""
    start = time.process_time()
    work()
    return time.process_time() - start


def main(arguments: list[str] | None = None) -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--roofs", type=int, default=1024)
    parser.add_argument("--block", type=int, default=256)
    parser.add_argument("--cells", type=int, default=50, help="cells of a roof in the line of grouped cells")
    parser.add_argument("--repeat", type=int, default=5)
    chosen = parser.parse_args(arguments)
    warnings.simplefilter("ignore")
    n, block = chosen.roofs, chosen.block
    weather = synthetic_weather(32.07, 118.8, 20.0, None, annual_ghi_kwh_m2=1350.0)
    system = load_system()
    once: dict[str, float] = {}
    once["sky of the weather"] = cpu_of(lambda: sky_year(weather, factors=(1.0,)))
    sky = sky_year(weather, factors=(1.0,))
    plane = ModulePlane(TILT, AZIMUTH, "rack")
    tables = hourly_tables(sky, plane, system=system)
    once["tables of a plane"] = cpu_of(lambda: hourly_tables(sky, plane, system=system))
    horizon = horizons_of(n)
    n_group = max(1, math.ceil(n / chosen.cells))
    cells = np.repeat(np.arange(n_group), chosen.cells)
    group_work = ours(tables, horizons_of(cells.size), block, cells)
    warm = {"compiling or loading the kernels": time.perf_counter()}
    hourly_series(tables, horizon[:2])
    hourly_series(tables, horizon[:2], group=[0, 0])
    once["compiling or loading the kernels (wall)"] = time.perf_counter() - warm.popitem()[1]
    contestants: dict[str, tuple[Callable[[], object], int]] = {
        "pvlib ModelChain (PVWatts), no horizon": (model_chain(weather, system), 1),
        f"ours, {N_AZIMUTH}-sector horizon, a roof": (ours(tables, horizon, block), n),
        f"ours, roofs of {chosen.cells} cells, one inverter": (group_work, n_group),
    }
    sam = pysam(weather)
    if sam is not None:
        contestants["PySAM Pvwattsv8, no horizon"] = (sam, 1)
    seconds: dict[str, list[float]] = {name: [] for name in contestants}
    for work, _ in contestants.values():
        work()
    for _ in range(chosen.repeat):
        for name, (work, count) in contestants.items():
            seconds[name].append(cpu_of(work) / count)
    for name, value in once.items():
        print(f"once: {name}: {value:.2f} s")
    print(f"\n{'CPU seconds per roof and year':<44}{'median':>12}{'least':>12}{'ModelChain / it':>18}")
    peer = statistics.median(next(iter(seconds.values())))
    for name, found in seconds.items():
        median = statistics.median(found)
        print(f"{name:<44}{median:12.2e}{min(found):12.2e}{peer / median:18.0f}")
    ratio = peer / statistics.median(seconds[f"ours, {N_AZIMUTH}-sector horizon, a roof"])
    print(f"\nModelChain / ours: {ratio:.0f} (must {MUST}, aim {AIM}): {'holds' if ratio >= MUST else 'FAILS'}")
    if sam is None:
        print("PySAM is not installed; its line is left out")
    return 0 if ratio >= MUST else 1


if __name__ == "__main__":
    sys.exit(main())
