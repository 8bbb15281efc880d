"""Arrays by the kind of their elements, as numpy writes it (``f8``: floating point of eight bytes)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

F4 = NDArray[np.float32]
F8 = NDArray[np.float64]
I1 = NDArray[np.int8]
I4 = NDArray[np.int32]
I8 = NDArray[np.int64]
U2 = NDArray[np.uint16]
U8 = NDArray[np.uint64]
B1 = NDArray[np.bool_]
Heights = F4 | F8
"""Elevations [m], as rasters hold them."""
Geometries = NDArray[np.object_]
"""shapely geometries."""
