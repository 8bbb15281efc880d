"""Raster grids and tiles: pure, immutable arithmetic on a lattice anchored at the CRS origin."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rooftop.core.types import I8

Floats = NDArray[np.floating]
Bounds = tuple[float, float, float, float]


@dataclass(frozen=True)
class Grid:
    """A north-up grid of square cells; row 0 is the northernmost.

    Parameters
    ----------
    col0, row0 : int
        Lattice position of the west edge (``x / cell``) and of the north edge (``y / cell``).
    n_rows, n_cols : int
    cell_size_m : float
    """

    col0: int
    row0: int
    n_rows: int
    n_cols: int
    cell_size_m: float

    @classmethod
    def covering(cls, bounds: Bounds, cell_size_m: float, margin_m: float = 0.0) -> Grid:
        """Return the smallest lattice grid that covers ``(x_min, y_min, x_max, y_max)`` and a margin."""
        x_min, y_min, x_max, y_max = bounds
        col0 = math.floor((x_min - margin_m) / cell_size_m)
        row0 = math.ceil((y_max + margin_m) / cell_size_m)
        n_cols = max(1, math.ceil((x_max + margin_m) / cell_size_m) - col0)
        n_rows = max(1, row0 - math.floor((y_min - margin_m) / cell_size_m))
        return cls(col0, row0, n_rows, n_cols, cell_size_m)

    @property
    def shape(self) -> tuple[int, int]:
        """``(n_rows, n_cols)``."""
        return self.n_rows, self.n_cols

    @property
    def x_min(self) -> float:
        """West edge."""
        return self.col0 * self.cell_size_m

    @property
    def y_max(self) -> float:
        """North edge."""
        return self.row0 * self.cell_size_m

    @property
    def bounds(self) -> Bounds:
        """``(x_min, y_min, x_max, y_max)``."""
        return (
            self.x_min,
            self.y_max - self.n_rows * self.cell_size_m,
            self.x_min + self.n_cols * self.cell_size_m,
            self.y_max,
        )

    @property
    def transform(self) -> tuple[float, float, float, float, float, float]:
        """Affine coefficients ``(a, b, c, d, e, f)`` from (column, row) to (x, y)."""
        return self.cell_size_m, 0.0, self.x_min, 0.0, -self.cell_size_m, self.y_max

    def position(self, x: Floats, y: Floats) -> tuple[Floats, Floats]:
        """Return fractional (row, column); the centre of cell (0, 0) is at (0, 0)."""
        return (self.y_max - y) / self.cell_size_m - 0.5, (x - self.x_min) / self.cell_size_m - 0.5

    def cell_of(self, x: Floats, y: Floats) -> tuple[I8, I8]:
        """Return the (row, column) of the cell that holds each point, clipped to the grid."""
        row, col = self.position(x, y)
        rows = np.clip(np.floor(row + 0.5), 0, self.n_rows - 1).astype(np.int64)
        cols = np.clip(np.floor(col + 0.5), 0, self.n_cols - 1).astype(np.int64)
        return rows, cols

    def centres(self, rows: I8, cols: I8) -> tuple[Floats, Floats]:
        """Return (x, y) of cell centres."""
        return self.x_min + (cols + 0.5) * self.cell_size_m, self.y_max - (rows + 0.5) * self.cell_size_m


@dataclass(frozen=True)
class Tile:
    """One unit of work: the lattice square ``(i, j)`` of side ``tile_cells``; roofs belong by their point."""

    i: int
    j: int

    @property
    def name(self) -> str:
        """File-safe name."""
        return f"x{self.i}_y{self.j}"


def tile_of(x: Floats, y: Floats, cell_size_m: float, tile_cells: int) -> tuple[I8, I8]:
    """Return the tile indices ``(i, j)`` of points, counted from the CRS origin."""
    side = cell_size_m * tile_cells
    return np.floor(x / side).astype(np.int64), np.floor(y / side).astype(np.int64)
