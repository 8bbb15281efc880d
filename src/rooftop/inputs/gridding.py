"""Scattered points to cells: top layer of each cell, lone high points out, gaps filled; numpy arrays only."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from rasterio.fill import fillnodata
from scipy import sparse
from scipy.sparse.linalg import cg

from rooftop.core.types import B1, F4, F8, I8

_STRIP = 256
_FEWEST = 5
_PLANE_M = 0.25  # rougher windows are no planes
_WALL_M = 1.0  # neighbours further apart than this belong to two surfaces
_PAIRS = ((0, 1), (1, 0), (1, 1), (1, -1))
_AROUND = tuple((i, j) for i in (-1, 0, 1) for j in (-1, 0, 1) if (i, j) != (0, 0))


class TopTwo:
    """The highest and second highest point of each cell, from any number of chunks.

    Parameters
    ----------
    shape : (int, int)
    """

    def __init__(self, shape: tuple[int, int]) -> None:
        self.shape = shape
        self.first: F8 = np.full(shape[0] * shape[1], -np.inf)
        self.second: F8 = np.full(shape[0] * shape[1], -np.inf)

    def add(self, cell: I8, z: F8) -> None:
        """Take in points: flat cell numbers and heights [m], both (n,)."""
        order = np.lexsort((z, cell))
        cell, z = cell[order], z[order]
        last = np.flatnonzero(np.append(cell[1:] != cell[:-1], True)) if len(cell) else np.zeros(0, dtype=np.int64)
        where, high = cell[last], z[last]
        below = np.maximum(last - 1, 0)
        next_ = np.where((last > 0) & (cell[below] == where), z[below], -np.inf)
        loser = np.minimum(self.first[where], high)
        self.first[where] = np.maximum(self.first[where], high)
        self.second[where] = np.maximum(self.second[where], np.maximum(loser, next_))

    def without_spikes(self, spike_m: float) -> tuple[F8, int]:
        """Return the top of each cell, -inf where it has no point, and how many lone points were passed over.

        A point is passed over where it stands more than `spike_m` above every other point of its cell and above the
        top of each of the eight cells around; one that has no neighbour at all stays.
        """
        top = self.first.reshape(self.shape)
        around = np.full(self.shape, -np.inf)
        padded = np.pad(top, 1, constant_values=-np.inf)
        for i, j in _AROUND:
            around = np.maximum(around, padded[1 + i : 1 + i + self.shape[0], 1 + j : 1 + j + self.shape[1]])
        second = self.second.reshape(self.shape)
        next_highest = np.maximum(around, second)
        spike = np.isfinite(top) & np.isfinite(next_highest) & (top > next_highest + spike_m)
        return np.where(spike, second, top).ravel(), int(spike.sum())


class LayerMean:
    """Mean height and position of the points of each cell between two limits, from any number of chunks.

    Parameters
    ----------
    low, high : (n_cells,) ndarray
        Only points with ``low <= z <= high`` of their cell count.
    """

    def __init__(self, low: F8, high: F8) -> None:
        self.low, self.high = low, high
        self.count: F8 = np.zeros(len(low))
        self.sums: F8 = np.zeros((3, len(low)))

    def add(self, cell: I8, z: F8, east: F8, south: F8) -> None:
        """Take in points, (n,) each: cell numbers, heights, and positions in the cell from its centre [m]."""
        within = (z >= self.low[cell]) & (z <= self.high[cell])
        cell = cell[within]
        self.count += np.bincount(cell, minlength=len(self.low))
        for total, values in zip(self.sums, (z, east, south), strict=True):
            total += np.bincount(cell, values[within], minlength=len(self.low))

    def at_centres(self, shape: tuple[int, int], cell_size_m: float) -> F4:
        """Return the height of each cell at its centre, NaN without points.

        The mean of points lies where the points do, not in the middle of the cell: on a slope of 45° that is a
        decimetre or two of height. It is moved along the slope of the flattest of the 3 x 3 windows that hold the cell,
        so that no slope is taken across an edge; where none of them is a plane it stays.
        """
        with np.errstate(invalid="ignore", divide="ignore"):
            z, east, south = (total.reshape(shape) / self.count.reshape(shape) for total in self.sums)
        out = np.empty(shape, dtype=np.float32)
        for r in range(0, shape[0], _STRIP):
            r0, r1 = max(r - 2, 0), min(r + _STRIP + 2, shape[0])
            slopes = _slopes(z[r0:r1], east[r0:r1], south[r0:r1], cell_size_m)
            moved = z[r0:r1] - slopes[0] * east[r0:r1] - slopes[1] * south[r0:r1]
            out[r : r + _STRIP] = moved[r - r0 : r - r0 + _STRIP]
        return out


def _slopes(z: F8, east: F8, south: F8, cell_size_m: float) -> F8:
    """Return metres up per metre east and south at each cell, (2, n_rows, n_cols); 0 where nothing near is a plane."""
    height, width = z.shape
    known = np.isfinite(z)
    around = [np.pad(np.where(known, part, 0.0), 1) for part in (z, east, south)]
    weight = np.pad(known.astype(np.float64), 1)
    count = np.zeros(z.shape)
    x1, y1, z1, xx, yy, zz, xy, xz, yz = sums = np.zeros((9, height, width))
    for i in range(3):
        for j in range(3):
            w = weight[i : i + height, j : j + width]
            up, right, down = (part[i : i + height, j : j + width] for part in around)
            x, y = (right + (j - 1) * cell_size_m) * w, (down + (i - 1) * cell_size_m) * w
            count += w
            for total, term in zip(sums, (x, y, up, x * x, y * y, up * up, x * y, x * up, y * up), strict=True):
                total += term
    n = np.maximum(count, 1.0)
    xx, yy, zz = xx - x1 * x1 / n, yy - y1 * y1 / n, zz - z1 * z1 / n
    xy, xz, yz = xy - x1 * y1 / n, xz - x1 * z1 / n, yz - y1 * z1 / n
    det = xx * yy - xy * xy
    good = (count >= _FEWEST) & (det > 0.1 * cell_size_m**4)
    det = np.where(good, det, 1.0)
    across, down_ = (yy * xz - xy * yz) / det, (xx * yz - xy * xz) / det
    rough = np.where(good, np.maximum(zz - across * xz - down_ * yz, 0.0) / n, np.inf)
    rough, across, down_ = (
        np.pad(part, 1, constant_values=fill) for part, fill in ((rough, np.inf), (across, 0.0), (down_, 0.0))
    )
    least, out = np.full(z.shape, _PLANE_M**2), np.zeros((2, height, width))
    for i in range(3):
        for j in range(3):
            window = slice(i, i + height), slice(j, j + width)
            better = rough[window] < least
            least = np.where(better, rough[window], least)
            out = np.where(better, np.stack([across[window], down_[window]]), out)
    return out


def fill_cell_gaps(cells: F4, reach: int) -> F4:
    """Fill cells between two known ones that lie opposite each other, at most `reach` cells away on either side.

    Of the four directions the one whose ends differ least is taken, so that a slope is continued exactly and a wall
    stays where it is; ends further apart than a metre are two surfaces, and the nearer one is continued.

    Returns
    -------
    ndarray
        A copy; NaN stays where there is no such pair.
    """
    out = cells.copy()
    hole = np.isnan(cells)
    if reach < 1 or not hole.any():
        return out
    row, col = np.nonzero(hole)
    padded = np.pad(cells, reach, constant_values=np.nan)
    value, least = np.full(len(row), np.nan), np.full(len(row), np.inf)
    for down, right in _PAIRS:
        (a, near_a), (b, near_b) = (
            _nearest(padded, row + reach, col + reach, side * down, side * right, reach) for side in (1, -1)
        )
        apart = np.abs(a - b)
        between = np.where(
            apart > _WALL_M, np.where(near_a <= near_b, a, b), (a * near_b + b * near_a) / (near_a + near_b)
        )
        better = apart < least  # False where an end is missing
        value[better], least[better] = between[better], apart[better]
    out[row, col] = value.astype(np.float32)
    return out


def _nearest(padded: F4, row: I8, col: I8, down: int, right: int, reach: int) -> tuple[F8, F8]:
    """Return the first known value in a direction and how many cells away it is; NaN where there is none."""
    value, far = np.full(len(row), np.nan), np.full(len(row), np.nan)
    for k in range(reach, 0, -1):
        seen = padded[row + k * down, col + k * right]
        known = np.isfinite(seen)
        value[known], far[known] = seen[known], k
    return value, far


def fill_smooth(cells: F4, reach: int) -> F4:
    """Fill holes by the smoothest surface over their rim (Laplace's equation), at most `reach` cells from a known cell.

    A plane is continued exactly. Beyond the edge of what is known the surface runs on level.

    Returns
    -------
    ndarray
        A copy; NaN further away.
    """
    known = np.isfinite(cells)
    if reach < 1 or known.all() or not known.any():
        return cells.copy()
    start = np.where(known, cells, np.nan).astype(np.float32)
    guess = fillnodata(np.where(known, start, 0.0).astype(np.float32), known.astype(np.uint8), reach)
    near = _near_known(known, reach)
    return np.where(near & ~known, _solve_laplace(np.where(near, guess, np.nan), known), start).astype(np.float32)


def _near_known(known: B1, reach: int) -> B1:
    from scipy.ndimage import distance_transform_edt

    return np.asarray(distance_transform_edt(~known) <= reach)


def _solve_laplace(guess: F4, known: B1) -> F8:
    """Solve Laplace's equation in the cells of `guess` that are not `known`; NaN cells take no part."""
    n_rows, n_cols = guess.shape
    number = np.full(guess.shape, -1, dtype=np.int64)
    free = np.isfinite(guess) & ~known
    row, col = np.nonzero(free)
    number[row, col] = np.arange(len(row))
    zero = float(np.mean(guess[known]))
    degree, right = np.zeros(len(row)), np.zeros(len(row))
    left_of, right_of = [], []
    for i, j in ((0, 1), (0, -1), (1, 0), (-1, 0)):
        r, c = row + i, col + j
        inside = (r >= 0) & (r < n_rows) & (c >= 0) & (c < n_cols)
        r, c = np.clip(r, 0, n_rows - 1), np.clip(c, 0, n_cols - 1)
        inside &= np.isfinite(guess[r, c])
        degree += inside
        fixed = inside & known[r, c]
        right[fixed] += guess[r, c][fixed] - zero
        linked = np.flatnonzero(inside & ~known[r, c])
        left_of.append(linked)
        right_of.append(number[r, c][linked])
    lines, columns = np.concatenate(left_of), np.concatenate(right_of)
    matrix = sparse.csr_array((-np.ones(len(lines)), (lines, columns)), shape=(len(row), len(row)))
    matrix = matrix + sparse.diags_array(np.maximum(degree, 1.0))
    solved, _ = cg(matrix, right, x0=guess[row, col].astype(np.float64) - zero, rtol=1e-6, maxiter=400)
    out = guess.astype(np.float64)
    out[row, col] = solved + zero
    return out


def by_blocks(cells: F4, side: int, margin: int, work: Callable[[F4], F4]) -> F4:
    """Apply a local operation block by block; each sees `margin` cells more on every side, as they were before."""
    out = np.empty_like(cells)
    for r in range(0, cells.shape[0], side):
        for c in range(0, cells.shape[1], side):
            r0, c0 = max(r - margin, 0), max(c - margin, 0)
            done = work(cells[r0 : r + side + margin, c0 : c + side + margin])
            part = out[r : r + side, c : c + side]
            part[:] = done[r - r0 : r - r0 + part.shape[0], c - c0 : c - c0 + part.shape[1]]
    return out
