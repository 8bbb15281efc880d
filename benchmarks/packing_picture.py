"""Draw the modules of nine kinds of roof, each a case a person can check: docs/images/packing.png.

python benchmarks/packing_picture.py [-o docs/images/packing.png]
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch
from matplotlib.path import Path as Outline
from paths import REPO

from roof_shapes import Roof, nine_roofs
from rooftop.scene.packing import Packed, PackOptions, pack
from rooftop.solar.pvsystem import load_module

LATITUDE = 34.6
OPTIONS = {
    "rack": PackOptions("rack", (15.0,)),
    "flush": PackOptions("flush"),
    "east_west": PackOptions("east_west", (10.0,), azimuth_deg=90.0, orientations=("landscape",)),
}
COLOURS = {False: "#2f5d8c", True: "#7fa8cf"}


def outline(zone: Any) -> Outline:
    """One path of all rings of a zone."""
    parts = shapely.orient_polygons(shapely.get_parts(shapely.make_valid(zone)))
    rings = [shapely.get_coordinates(ring) for ring in shapely.get_rings(parts)]
    return Outline.make_compound_path(*[Outline(ring, closed=True) for ring in rings])


def draw(axes: Any, roof: Roof) -> list[Packed]:
    """Draw zones in grey, modules in blue, the second halves of east-west pairs paler."""
    module, found = load_module(), []
    for zone, tilt, azimuth in roof.planes:
        one = pack(zone, tilt, azimuth, module, OPTIONS[roof.mounting], latitude_deg=LATITUDE)
        axes.add_patch(PathPatch(outline(zone), facecolor="#ececec", edgecolor="#444444", linewidth=0.8))
        for second, colour in COLOURS.items():
            shapes = one.modules[one.second_half == second]
            axes.add_collection(PolyCollection(list(shapes), facecolor=colour, edgecolor="white", linewidth=0.4))
        found.append(one)
    axes.set_aspect("equal")
    axes.set_xlim(-4.5, 25)
    axes.set_ylim(-0.5, 20.5)
    axes.set_xticks(np.arange(0, 25, 8))
    axes.set_yticks(np.arange(0, 17, 8))
    axes.tick_params(labelsize=6, length=2)
    for spine in axes.spines.values():
        spine.set_visible(False)
    counts = " + ".join(str(one.count) for one in found)
    how = roof.mounting.replace("_", "-")
    axes.set_title(
        f"{roof.name}: {counts}\n{how}, {' / '.join(dict.fromkeys(o.orientation for o in found))}", fontsize=8
    )
    return found


def main() -> None:
    """Draw, save and print a line per plane."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-o", "--out", type=Path, default=REPO / "docs" / "images" / "packing.png")
    out = parser.parse_args().out
    figure = Figure(figsize=(8.6, 7.3), layout="constrained")
    for axes, roof in zip(figure.subplots(3, 3).flat, nine_roofs(), strict=True):
        for one in draw(axes, roof):
            print(
                f"{roof.name:14s} {one.count:4d} {one.orientation:9s} pitch {one.pitch_m:.3f} m  module "
                f"{one.module_area_m2:6.1f}  array {one.array_area_m2:6.1f}  used {one.used_area_m2:6.1f}  "
                f"zone {one.zone_area_m2:6.1f} m²"
            )
    out.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(out, dpi=110, metadata={"Software": None})
    print(f"{out}: {out.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
