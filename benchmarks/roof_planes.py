"""How well planes are found in a noisy surface model: painted and Zürich roofs as a table, and the picture in the docs.

    python benchmarks/roof_planes.py [--picture docs/images/roof_planes.png] [--seeds 3]

The Zürich roofs need ../shared; nothing of them is written.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import shapely
from paths import SHARED

from painted_roofs import CELL_M, Painted, Score, paint, score, shapes
from roof_truth import painted_models
from rooftop.scene.obstacles import find_obstacles
from rooftop.scene.plane_rules import load_plane_rules
from rooftop.scene.segment import Segmentation, segment

ZURICH = SHARED / "truth" / "roofplanes" / "zurich.city.json.gz"
RULES = load_plane_rules()
SHOWN = ("gable", "hip", "ell", "sawtooth", "dormer", "chimney")


def found_in(roof: Painted) -> Segmentation:
    footprint = np.array([roof.footprint], dtype=object)
    return segment(roof.dsm, roof.owner, roof.grid, footprint, np.zeros(1), RULES.segmentation)


def scored(roofs: Iterable[Painted], least_m2: float) -> tuple[Score, float, int]:
    """All faces of at least `least_m2` together, CPU seconds spent, and the number of roofs."""
    parts, cpu, n = [], 0.0, 0
    for roof in roofs:
        start = time.process_time()
        found = found_in(roof)
        cpu += time.process_time() - start
        n += 1
        if found.planes.empty:
            continue
        on = np.where(found.on_plane, found.label, -1)
        slopes = found.planes[["slope_east", "slope_north"]].to_numpy()
        parts.append(score(roof.truth, roof.slopes, on, slopes, CELL_M, least_m2))
    area, tilt, azimuth, share = (
        np.concatenate([getattr(part, name) for part in parts])
        for name in ("area_m2", "tilt_error", "azimuth_error", "found")
    )
    large = area >= least_m2
    every = Score(area[large], tilt[large], azimuth[large], share[large], sum(part.spanning for part in parts))
    return every, cpu, n


def table(seeds: int) -> None:
    print("roofs     noise  faces  tilt p50 p90   azimuth p50 p90  area found  spanning  CPU/roof")
    for noise in (0.0, 0.05, 0.15):
        painted = [
            paint(shape, noise, turn, seed)
            for shape in shapes().values()
            for turn in (0.0, 17.0, 45.0)
            for seed in range(seeds)
        ]
        sets = {"painted": painted}
        if ZURICH.is_file():
            sets["zurich"] = [roof for seed in range(seeds) for roof in painted_models(ZURICH, noise, seed)]
        for name, roofs in sets.items():
            found_in(roofs[0])
            got, cpu, n = scored(roofs, 20.0)
            tilt, azimuth = (np.nanpercentile(v, (50, 90)) for v in (got.tilt_error, got.azimuth_error))
            area = (got.area_m2 * got.found).sum() / got.area_m2.sum()
            print(
                f"{name:8} {noise:5.2f} m {len(got.found):6} {tilt[0]:7.2f} {tilt[1]:5.2f} {azimuth[0]:9.2f} "
                f"{azimuth[1]:5.2f} {area:12.3f} {got.spanning:8} {1000 * cpu / n:8.1f} ms"
            )


def picture(path: Path, noise_m: float = 0.15) -> None:
    """Elevations with noise and the true borders on the left, planes and obstacles found on the right."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(3, 4, figsize=(9.6, 6.6), dpi=80, layout="constrained")
    for k, name in enumerate(SHOWN):
        roof = paint(shapes()[name], noise_m, 17.0, seed=1)
        found = found_in(roof)
        things = find_obstacles(found, roof.grid, RULES.obstacles)
        left, right = axes[k // 2, 2 * (k % 2)], axes[k // 2, 2 * (k % 2) + 1]
        west, south, east, north = roof.grid.bounds
        frame = (west, east, south, north)
        left.imshow(np.where(roof.owner >= 0, roof.dsm, np.nan), extent=frame, cmap="terrain")
        left.contour(
            roof.truth,
            levels=np.arange(len(roof.slopes)) - 0.5,
            colors="k",
            linewidths=0.6,
            extent=frame,
            origin="upper",
        )
        for row, plane in enumerate(found.planes.itertuples()):
            right.fill(*plane.geometry.exterior.xy, color=f"C{row % 10}", alpha=0.6, lw=0.5, ec="k")
            at = plane.geometry.representative_point()
            label = f"{plane.surface_tilt_deg:.1f}°\n{plane.surface_azimuth_deg:.0f}°\n{plane.area_m2:.0f} m²"
            right.text(at.x, at.y, label, ha="center", va="center", fontsize=6)
        for shape in shapely.get_parts(things.geometry.to_numpy()):
            right.fill(*shape.exterior.xy, color="k")
        right.set_xlim(left.get_xlim())
        right.set_ylim(left.get_ylim())
        right.set_aspect("equal")
        left.set_title(f"{name}, noise {noise_m * 100:.0f} cm", fontsize=8)
        right.set_title(f"found: {len(found.planes)} planes, {len(things)} obstacles", fontsize=8)
        for axis in (left, right):
            axis.set_axis_off()
    figure.savefig(path, metadata={"Software": None}, pil_kwargs={"optimize": True})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--picture", type=Path)
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    if options.picture is not None:
        picture(options.picture)
    table(options.seeds)


if __name__ == "__main__":
    main()
