"""Roof planes found in the lidar of Delft, in plan and in section through the points: the picture in docs/roofs.md.

    python benchmarks/roof_lidar.py [--picture docs/images/delft_lidar.png]

Needs ../shared/data/delft_ahn3 and laspy; nothing of the data is written but the picture.
"""

from __future__ import annotations

import argparse
import io
import time
from pathlib import Path
from typing import Any

import geopandas as gpd
import laspy
import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import Transformer

from rooftop.config import ElevationInput
from rooftop.inputs.datums import meridian_convergence_deg
from rooftop.inputs.elevation import Elevation, open_elevation
from rooftop.scene.known import dsm_planes
from rooftop.scene.planes import RoofPlanes

FOLDER = Path(__file__).resolve().parents[2] / "shared" / "data" / "delft_ahn3"
RD, UTM = 28992, 32631
SECTIONS = {
    "A": ((593_684.0, 5_763_247.0), (593_744.0, 5_763_213.0)),
    "B": ((593_858.0, 5_763_211.0), (593_896.0, 5_763_160.0)),
}
HALF_WIDTH_M = 0.5
CLASSES = {1: ("unclassified", "#5b9a4b"), 2: ("ground", "#b08a5a"), 6: ("building", "#303030")}


def cloud() -> tuple[NDArray[np.float64], NDArray[np.uint8]]:
    """x, y (UTM), z and class of all points."""
    parts, classes = [], []
    turn = Transformer.from_crs(RD, UTM, always_xy=True)
    for path in sorted(FOLDER.glob("*.laz")):
        points = laspy.read(path)
        x, y = turn.transform(np.asarray(points.x), np.asarray(points.y))
        parts.append(np.stack([x, y, np.asarray(points.z)], axis=1))
        classes.append(np.asarray(points.classification))
    return np.concatenate(parts), np.concatenate(classes)


def found() -> tuple[RoofPlanes, Elevation, gpd.GeoDataFrame, NDArray[np.float64]]:
    """Planes, surface model, footprints, and the azimuth of grid north at each."""
    houses = gpd.read_file(FOLDER / "bgt_pand.sqlite").to_crs(UTM).rename(columns={"gml_id": "building_id"})
    start = time.process_time()
    dsm = open_elevation(ElevationInput(path=[FOLDER], crs=f"EPSG:{RD}"), houses.crs, "inputs.dsm")
    print(f"gridded in {time.process_time() - start:.1f} s CPU: {dsm.provenance.details}")
    for notice in dsm.notices:
        print(" ", notice.text.en)
    centre = houses.geometry.centroid.to_crs(4326)
    north = meridian_convergence_deg(houses.crs, centre.x.to_numpy(), centre.y.to_numpy())
    return dsm_planes(dsm, houses, houses.geometry.to_numpy(), north), dsm, houses, north


def slopes(planes: gpd.GeoDataFrame, north: NDArray[np.float64]) -> NDArray[np.float64]:
    """z at the origin, metres up per metre east and north: (n, 3)."""
    azimuth = np.radians(planes["surface_azimuth_deg"].to_numpy() - north[planes["roof"].to_numpy()])
    steep = np.tan(np.radians(planes["surface_tilt_deg"].to_numpy()))
    east, up_north = -steep * np.sin(azimuth), -steep * np.cos(azimuth)
    at = shapely.get_coordinates(shapely.centroid(planes.geometry.to_numpy()))
    return np.stack([planes["z_m"].to_numpy() - east * at[:, 0] - up_north * at[:, 1], east, up_north], axis=1)


def numbers(planes: gpd.GeoDataFrame, abc: NDArray[np.float64], points: NDArray[np.float64]) -> None:
    """Say how far building points lie from the plane that holds them in plan, half a metre from its border or more."""
    tree = shapely.STRtree(shapely.points(points[:, :2]))
    inner = shapely.buffer(planes.geometry.to_numpy(), -0.5)
    plane, point = tree.query(inner, predicate="contains")
    own, k = points[point], abc[plane]
    off = (own[:, 2] - k[:, 0] - k[:, 1] * own[:, 0] - k[:, 2] * own[:, 1]) / np.hypot(1.0, np.hypot(k[:, 1], k[:, 2]))
    away = np.abs(off)
    share = [f"within {limit:g} m {(away < limit).mean():.1%}" for limit in (0.15, 0.3)]
    print(
        f"{len(planes)} planes on {planes['roof'].nunique()} roofs, {len(own)} points:",
        f"{np.median(away):.3f} m",
        *share,
    )


def plan(axis: Any, planes: gpd.GeoDataFrame, standing: RoofPlanes, dsm: Elevation) -> None:
    from matplotlib.colors import hsv_to_rgb

    assert dsm.points is not None
    grid, z = dsm.points.grid, dsm.points.cells
    down, east = np.gradient(z, grid.cell_size_m)
    shade = np.clip(0.75 - 0.25 * (east - down), 0.0, 1.0)
    west, south, right, north = grid.bounds
    axis.imshow(shade, extent=(west, right, south, north), cmap="gray", alpha=0.5, vmin=0.0, vmax=1.0)
    for row in planes.itertuples():
        colour = np.array([0.98, 0.96, 0.75])
        if row.surface_tilt_deg >= 5.0:
            colour = hsv_to_rgb(
                [row.surface_azimuth_deg / 360.0, 0.2 + 0.6 * min(row.surface_tilt_deg, 60.0) / 60.0, 0.95]
            )
        axis.fill(*row.geometry.exterior.xy, facecolor=colour, edgecolor="k", linewidth=0.4)
    for shapes, _ in standing.obstacles.values():
        for shape in shapely.get_parts(shapes):
            axis.fill(*shape.exterior.xy, facecolor="k", alpha=0.55, linewidth=0.0)
    for name, ends in SECTIONS.items():
        axis.plot(*np.transpose(ends), color="r", linewidth=1.2)
        axis.text(*ends[0], name, color="r", fontsize=11, ha="right", weight="bold")
    x_min, y_min, x_max, y_max = planes.total_bounds
    axis.set_xlim(x_min - 3.0, x_max + 3.0)
    axis.set_ylim(y_min - 3.0, y_max + 3.0)
    axis.set_axis_off()


def section(
    axis: Any,
    name: str,
    planes: gpd.GeoDataFrame,
    abc: NDArray[np.float64],
    points: NDArray[np.float64],
    kinds: NDArray[np.uint8],
) -> None:
    """Points within half a metre of a line, and the planes that it crosses."""
    a, b = (np.array(end) for end in SECTIONS[name])
    along = (b - a) / np.hypot(*(b - a))
    s, t = (points[:, :2] - a) @ along, (points[:, :2] - a) @ np.array([-along[1], along[0]])
    near = (np.abs(t) < HALF_WIDTH_M) & (s > 0.0) & (s < np.hypot(*(b - a)))
    for kind, (label, colour) in CLASSES.items():
        mine = near & (kinds == kind)
        axis.plot(s[mine], points[mine, 2], ".", markersize=1.6, color=colour, label=label)
    line = shapely.LineString([a, b])
    first = True
    for shape, k in zip(planes.geometry, abc, strict=True):
        for part in shapely.get_parts(shapely.intersection(shape, line)):
            at = shapely.get_coordinates(part)
            if len(at) == 2:
                axis.plot(
                    (at - a) @ along,
                    k[0] + at @ k[1:],
                    color="r",
                    linewidth=1.4,
                    label="plane found" if first else None,
                )
                first = False
    axis.set_aspect("equal")
    axis.set_title(f"{name}: points within {HALF_WIDTH_M:g} m of the line", fontsize=8, loc="left")
    axis.tick_params(labelsize=7)
    axis.set_ylabel("m", fontsize=8)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--picture", type=Path)
    options = parser.parse_args()
    roofs, dsm, _, north = found()
    abc = slopes(roofs.table, north)
    points, kinds = cloud()
    numbers(roofs.table, abc, points[kinds == 6])
    if options.picture is None:
        return
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt
    from PIL import Image

    figure, axes = plt.subplots(
        3, 1, figsize=(9.6, 11.0), dpi=80, layout="constrained", height_ratios=[3.3, 1.25, 1.25]
    )
    plan(axes[0], roofs.table, roofs, dsm)
    for axis, name in zip(axes[1:], SECTIONS, strict=True):
        section(axis, name, roofs.table, abc, points, kinds)
    axes[1].legend(fontsize=7, loc="upper right", markerscale=5)
    memory = io.BytesIO()
    figure.savefig(memory, metadata={"Software": None})
    Image.open(memory).convert("RGB").quantize(256, Image.Quantize.MAXCOVERAGE).save(options.picture, optimize=True)


if __name__ == "__main__":
    main()
