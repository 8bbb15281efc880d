"""Roof cells into planes: the order in which cells are gathered, fitted, relabelled, merged and cut.

Plain Python over the kernels of :mod:`rooftop.kernels.planefit` and :mod:`rooftop.kernels.labels`.
"""

from __future__ import annotations

import math

import numpy as np

from rooftop.core.types import B1, F8, I4
from rooftop.kernels.labels import FREE, OUTSIDE, Patch, relabel, split, straighten
from rooftop.kernels.planefit import cleave, grow_regions, merge, noise_of, refit, roughness_of

_ROUGHEST = 0.3  # noise of what may still be called a plane [m]


def segment_roof(
    z: F8, inside: B1, cell: float, least_m2: float, least_sigma: float, angle: float, apart: float
) -> tuple[I4, F8, F8]:
    """Segment the cells of one roof into planes.

    What the noise of most of the roof leaves over is segmented once more, with a roughness of its own.

    Parameters
    ----------
    z : (h, w)
        Elevation [m], small numbers (differences from a height of the roof).
    inside : (h, w)
        Cells of the roof with a known elevation.
    cell : float
        Cell size [m].
    least_m2 : float
        Smallest plane, measured in the plane [m²].
    least_sigma : float
        Noise assumed at least [m].
    angle : float
        How far normals may differ within a region, beyond what noise explains [rad].
    apart : float
        Planes closer than this over their cells are one [m].

    Returns
    -------
    label : (h, w) int32
        From 1; 0 for cells of the roof on no plane, -1 outside.
    plane : (n + 1, 3)
        ``a, b, c`` by label.
    sigma : (n + 1,)
        Noise used for it [m].
    """
    first = min(max(noise_of(z, inside, cell), least_sigma), _ROUGHEST)
    label, plane = _segment(z, inside, cell, first, least_m2, angle, apart)
    n = plane.shape[0]
    unassigned = label == FREE
    second = (
        min(roughness_of(z, unassigned, cell), _ROUGHEST) if unassigned.sum() * cell * cell >= 0.5 * least_m2 else 0.0
    )
    if second > 1.2 * first:
        more, added = _segment(z, unassigned, cell, second, least_m2, angle, apart)
        plane = np.concatenate((plane, added[1:]))
        label[more > 0] = more[more > 0] + (n - 1)
    sigma = np.full(plane.shape[0], second)
    sigma[:n] = first
    return label, plane, sigma


def _segment(
    z: F8, inside: B1, cell: float, sigma: float, least_m2: float, angle: float, apart: float
) -> tuple[I4, F8]:
    """Segment cells whose noise is `sigma`; see :func:`segment_roof`."""
    label = np.where(inside, FREE, OUTSIDE).astype(np.int32)
    patch = Patch(z, label, cell)
    half = 2 if sigma < 0.16 * cell else 3
    slack = 3.0 * sigma / (cell * half * (half + 1.0) * math.sqrt(4.0 / 3.0))
    cosine = math.cos(angle + math.atan(slack))
    core = 0.25 if cell < 0.75 else 0.0  # a strip 1 m wide is a parapet; larger cells do not show it
    least = max(8, int(0.25 * least_m2 / (cell * cell)))
    n_label = 0
    plane = np.zeros((1, 3))
    for step in range(3):
        n_label = grow_regions(patch, n_label, half, least if step else max(least, 12), sigma, cosine)
        wider = np.zeros((n_label + 1, 3))
        wider[: plane.shape[0]] = plane
        plane = wider
        for _ in range(2):
            refit(patch, n_label, plane, 2.5 * sigma)
            relabel(patch, plane, sigma, 9.0, 1.0, 1)
        merge(patch, n_label, plane, sigma, apart, 14.0)
        n_label, plane = split(label, plane, 0.5 * least_m2 if step < 2 else least_m2, cell, 0.0)
    n_label = cleave(patch, n_label, sigma, apart, 14.0)
    plane = np.zeros((n_label + 1, 3))
    for _ in range(2):
        refit(patch, n_label, plane, 2.5 * sigma)
        relabel(patch, plane, sigma, 9.0, 1.0, 2)
    merge(patch, n_label, plane, sigma, apart, 14.0)
    n_label, plane = split(label, plane, least_m2, cell, core)
    for _ in range(2):
        refit(patch, n_label, plane, 2.5 * sigma)
        straighten(patch, plane, 2, 3.0 * sigma)
    n_label, plane = split(label, plane, least_m2, cell, core)
    refit(patch, n_label, plane, 2.5 * sigma)
    return label, plane
