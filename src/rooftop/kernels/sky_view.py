"""Share of the sky above a horizon, seen by a tilted plane."""

from __future__ import annotations

import math

import numpy as np

from rooftop.core.types import F4, F8
from rooftop.kernels import jit

_STEPS = 72  # at least, around the circle


@jit
def sky_view(horizon_deg: F4, tilt_rad: F8, azimuth_rad: F8) -> F8:
    """Integrate the visible sky of each row of `horizon_deg` over a tilted plane.

    With plane tilt b and the azimuth a between a direction and the plane's, the integral over elevation from H to the
    zenith of ``(cos b sin h + sin b cos h cos a) cos h`` is
    ``cos b cos²H / 2 + sin b cos a (pi/2 - H - sin H cos H) / 2``.
    """
    n, n_azimuth = horizon_deg.shape
    out = np.empty(n)
    steps = (_STEPS + n_azimuth - 1) // n_azimuth
    per_sector = 3 * steps  # three Gauss points per step
    share = np.empty(per_sector)
    weight = np.empty(per_sector)
    for m in range(per_sector):
        share[m] = (m // 3 + 0.5 + (m % 3 - 1) * math.sqrt(0.15)) / steps
        weight[m] = (8.0 if m % 3 == 1 else 5.0) / (18.0 * steps * n_azimuth)
    cos_azimuth = np.empty((n_azimuth, per_sector))
    sin_azimuth = np.empty((n_azimuth, per_sector))
    for k in range(n_azimuth):
        for m in range(per_sector):
            angle = (k + share[m]) * 2.0 * math.pi / n_azimuth
            cos_azimuth[k, m] = math.cos(angle)
            sin_azimuth[k, m] = math.sin(angle)
    for i in range(n):
        cos_tilt, sin_tilt = math.cos(tilt_rad[i]), math.sin(tilt_rad[i])
        if sin_tilt == 0.0:
            out[i] = _level(horizon_deg[i])
            continue
        east, north = math.sin(azimuth_rad[i]), math.cos(azimuth_rad[i])
        total = 0.0
        for k in range(n_azimuth):
            left = math.radians(horizon_deg[i, k])
            right = math.radians(horizon_deg[i, (k + 1) % n_azimuth])
            for m in range(per_sector):
                h = left + (right - left) * share[m]
                cos_a = cos_azimuth[k, m] * north + sin_azimuth[k, m] * east
                # the plane itself hides what is below it: tan h = -tan b cos a
                if cos_a < 0.0:
                    h = max(h, math.atan2(-sin_tilt * cos_a, cos_tilt))
                sin_h, cos_h = math.sin(h), math.cos(h)
                seen = cos_tilt * cos_h * cos_h + sin_tilt * cos_a * (0.5 * math.pi - h - sin_h * cos_h)
                total += weight[m] * seen
        out[i] = total
    return out


@jit
def _level(horizon_deg: F4) -> float:
    """Average ``cos²h`` around the circle, exactly, for angles linear between the azimuths.

    Over a sector from h to h + d the mean is ``1/2 + cos(2h + d) sin(d) / (2 d)``; for small d, sin(d)/d is 1 - d²/6.
    """
    n_azimuth = horizon_deg.shape[0]
    total = 0.0
    for k in range(n_azimuth):
        left = math.radians(horizon_deg[k])
        difference = math.radians(horizon_deg[(k + 1) % n_azimuth]) - left
        quotient = 1.0 - difference * difference / 6.0
        if abs(difference) > 1e-3:
            quotient = math.sin(difference) / difference
        total += 0.5 + 0.5 * math.cos(2.0 * left + difference) * quotient
    return total / n_azimuth
