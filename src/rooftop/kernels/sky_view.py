"""Share of the sky above a horizon, seen by a tilted plane."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from rooftop.kernels import jit

_STEPS = 720


@jit
def sky_view(
    horizon_deg: NDArray[np.float32], tilt_rad: NDArray[np.float64], azimuth_rad: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Integrate the visible sky of each row of `horizon_deg`, at least 720 steps around the circle.

    With plane tilt b and the azimuth a between a direction and the plane's, the integral over elevation from H to the
    zenith of ``(cos b sin h + sin b cos h cos a) cos h`` is ``cos b cos²H / 2 + sin b cos a (pi/2 - H - sin H cos H) / 2``.
    """
    n, n_azimuth = horizon_deg.shape
    out = np.empty(n)
    per_sector = (_STEPS + n_azimuth - 1) // n_azimuth
    step = 2.0 * math.pi / (n_azimuth * per_sector)
    for i in range(n):
        cos_tilt = math.cos(tilt_rad[i])
        sin_tilt = math.sin(tilt_rad[i])
        total = 0.0
        if sin_tilt == 0.0:
            out[i] = _level(horizon_deg[i])
            continue
        for k in range(n_azimuth):
            left = math.radians(horizon_deg[i, k])
            right = math.radians(horizon_deg[i, (k + 1) % n_azimuth])
            for m in range(per_sector):
                h = left + (right - left) * (m + 0.5) / per_sector
                cos_a = math.cos((k * per_sector + m + 0.5) * step - azimuth_rad[i])
                # the plane itself hides what is below it: tan h = -tan b cos a
                if cos_a < 0.0:
                    h = max(h, math.atan2(-sin_tilt * cos_a, cos_tilt))
                cos_sin = sin_tilt * cos_a * (0.5 * math.pi - h - math.sin(h) * math.cos(h))
                cos_h = math.cos(h)
                total += cos_tilt * cos_h * cos_h + cos_sin
        out[i] = total * 0.5 * step / math.pi
    return out


@jit
def _level(horizon_deg: NDArray[np.float32]) -> float:
    """Average ``cos²h`` around the circle, exactly, for angles linear between the azimuths.

    Over a sector from h to h + d the mean is ``1/2 + cos(2h + d) sin(d) / (2 d)``; for small d the quotient is 1 - d²/6.
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
