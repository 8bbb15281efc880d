"""A city that needs nothing but the repository, drawn from a seed; shared by tests and benchmarks."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

F4 = NDArray[np.float32]
B1 = NDArray[np.bool_]


def city(n: int, seed: int = 7) -> tuple[F4, B1]:
    """Draw an n by n city at 1 m: slabs, houses, sheds and towers with parapets and stair heads on a slope."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:n, 0:n].astype(np.float32)
    dsm = (10.0 + 0.009 * x + 0.007 * (n - y) + 3.0 * np.sin(x / 500.0) * np.cos(y / 800.0)).astype(np.float32)
    roof = np.zeros((n, n), dtype=np.bool_)
    #        length       depth     height     gap      parapet
    kinds = [((40, 120), (30, 70), (8, 15), (12, 20), 0.8), ((36, 72), (12, 13), (17, 19), (18, 26), 1.0)]
    kinds += [((20, 34), (20, 30), (55, 100), (30, 40), 1.4), ((9, 20), (9, 18), (6, 24), (9, 14), 0.9)]
    for top in range(8, n - 60, 190):
        for left in range(8, n - 60, 210):
            lengths, depths, heights, gaps, parapet = kinds[int(rng.choice(4, p=[0.35, 0.32, 0.15, 0.18]))]
            row = top
            while row < min(top + 170, n - depths[1]):
                depth, col = int(rng.integers(*depths)), left
                while col < min(left + 190, n - lengths[1]):
                    length = int(rng.integers(*lengths))
                    base = float(dsm[row : row + depth, col : col + length].mean())
                    z = base + float(rng.uniform(*heights))
                    dsm[row : row + depth, col : col + length] = z + parapet
                    dsm[row + 1 : row + depth - 1, col + 1 : col + length - 1] = z
                    dsm[row + 3 : row + 6, col + 3 : col + 7] = z + 2.6
                    roof[row : row + depth, col : col + length] = True
                    col += length + int(rng.integers(8, 18))
                row += depth + int(rng.integers(*gaps))
    return dsm, roof
