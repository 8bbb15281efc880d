"""Modules on real footprints: CPU time per roof, and the share of what a slow search finds.

    python benchmarks/packing.py [--roofs 3076] [--search 40] [--seed 0]

Needs ../shared/data/buildings_suzhou. Zones are footprints set back by 0.8 m. The slow search
(tests/helpers/reference_packing.py) tries equidistant rows at dense offsets and rigid grids by shapely containment;
flush zones are turned to every wall, and for `flush, any direction` every 5 degrees too. About 2 s per searched roof.
"""

from __future__ import annotations

import argparse
import sys
import time
from typing import Any

import numpy as np
import shapely
from paths import SHARED

import reference_packing as reference
from rooftop.core.roof_rules import load_roof_rules
from rooftop.scene.packing import Packed, PackOptions, pack
from rooftop.solar.energy import ModulePlane
from rooftop.solar.pvsystem import load_module

FOOTPRINTS = SHARED / "data" / "buildings_suzhou" / "suzhou_oldtown_3076.geojson"
LATITUDE = 31.3
MODULE = load_module()
TILTS = tuple(load_roof_rules().auto_tilt_deg.candidates)
WAYS = {
    "south racks, auto tilt": PackOptions("rack", TILTS),
    "racks south or along walls, auto tilt": PackOptions("rack", TILTS, rows="best"),
    "south racks, 15 degrees": PackOptions("rack", (15.0,)),
    "east-west": PackOptions("east_west", (10.0,), azimuth_deg=90.0, orientations=("landscape",)),
    "flush": PackOptions("flush"),
    "flush, any direction": PackOptions("flush", rows="best"),
}
SEARCHED = ("south racks, 15 degrees", "east-west", "flush", "flush, any direction")


def some_yield(plane: ModulePlane) -> float:
    """A plausible yield, so that timing holds a choice: kWh per kWp."""
    return 1000.0 + 6.0 * plane.surface_tilt - 0.1 * plane.surface_tilt**2


def packed(zone: Any, options: PackOptions) -> Packed:
    """Fill one level zone."""
    return pack(zone, 0.0, 180.0, MODULE, options, latitude_deg=LATITUDE, specific_yield=some_yield)


def searched(zone: Any, name: str, options: PackOptions) -> tuple[int, int]:
    """Modules found here, and by the slow search."""
    found = packed(zone, options)
    every = 5.0 if options.rows == "best" else None
    turns = reference.wall_directions(zone, every) if options.mounting == "flush" else [0.0]
    turns = [90.0] if options.mounting == "east_west" else turns
    designs = {trial.design.orientation: trial.design for trial in found.trials}
    best = 0
    for turned in reference.turned(zone, turns):
        for design in designs.values():
            size = reference.Size(design.depth_m, design.pitch_m, design.width_m, design.gap_m)
            rows = reference.best_shifted_rows(turned, size, 48 if len(turns) == 1 else 12)
            grid = reference.best_grid(turned, size, 10) if len(turns) == 1 else 0
            best = max(best, max(rows, grid) * design.per_place)
    return found.count, best


def main() -> None:
    """Print one line per way to put modules up."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--roofs", type=int, default=3076)
    parser.add_argument("--search", type=int, default=40)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    if not FOOTPRINTS.is_file():
        sys.exit(f"{FOOTPRINTS} is missing")
    import geopandas as gpd

    footprints = gpd.read_file(FOOTPRINTS).to_crs(4549).geometry.values[: args.roofs]
    zones = shapely.buffer(footprints, -0.8, join_style="mitre")
    chosen = np.random.default_rng(args.seed).permutation(np.flatnonzero(shapely.area(zones) > 10))[: args.search]
    for name, options in WAYS.items():
        packed(zones[chosen[0]], options)  # compiled
        begin = time.process_time()
        found = [packed(zone, options) for zone in zones]
        spent = time.process_time() - begin
        face = sum(one.module_face_area_m2 for one in found) / sum(one.zone_area_m2 for one in found)
        line = f"{name:38s} {1000 * spent / len(zones):5.2f} ms/roof {spent:5.1f} s CPU  face/zone {face:.3f}"
        if name in SEARCHED and len(chosen):
            pairs = np.array([searched(zones[k], name, options) for k in chosen])
            pairs = pairs[pairs[:, 1] > 0]
            share = pairs[:, 0] / pairs[:, 1]
            line += f"  of the search: {pairs[:, 0].sum() / pairs[:, 1].sum():.4f}, worst roof {share.min():.3f}"
        print(line, flush=True)


if __name__ == "__main__":
    main()
