"""Arguments of the library's functions on arrays: checked, brought to one type, refused with what was expected."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rooftop.errors import InputError
from rooftop.lang import Text

Heights = NDArray[np.float32] | NDArray[np.float64]
Index = NDArray[np.int64]


def check_cell_size(cell_size_m: float) -> None:
    """Raise InputError unless the edge of a cell is a length."""
    positive("cell_size_m", cell_size_m)


def checked_heights(dsm: ArrayLike, name: str = "dsm") -> Heights:
    """Return the elevation model as floats, infinities refused."""
    heights = np.asarray(dsm)
    if np.ma.isMaskedArray(dsm):
        heights = np.ma.filled(np.ma.asarray(dsm).astype(np.float64), np.nan)
    if heights.ndim != 2 or heights.size == 0 or heights.dtype.kind not in "fiu":
        raise unusable(
            name, shape_of(heights), Text("a raster of numbers, shape (ny, nx)", "形状为 (ny, nx) 的数值栅格")
        )
    if heights.dtype not in (np.float32, np.float64):
        heights = heights.astype(np.float64)
    lowest, highest = np.fmin.reduce(heights, axis=None), np.fmax.reduce(heights, axis=None)  # NaN only if all are
    if lowest < -20_000.0 or highest > 20_000.0:
        raise InputError(
            Text("the elevation model holds impossible heights", "高程模型含有不可能的高程"),
            where=name,
            found=f"{lowest} … {highest}",
            expected=Text("metres, between -20 000 and 20 000, NaN for no data", "米，-20000 至 20000，无数据为 NaN"),
            mend=Text("declare the file's nodata value, or convert its unit", "声明文件的无数据值，或换算单位"),
        )
    return heights


def cells_within(rows: ArrayLike, cols: ArrayLike, shape: tuple[int, ...]) -> tuple[Index, Index]:
    """Return row and column numbers as int64, all within `shape`."""
    found = []
    for name, given, limit in (("rows", rows, shape[0]), ("cols", cols, shape[1])):
        index = np.asarray(given)
        if index.size == 0:
            index = index.astype(np.int64).reshape(-1)
        if index.ndim != 1 or index.dtype.kind not in "iu":
            raise unusable(name, shape_of(index), Text("whole numbers of shape (n,)", "形状为 (n,) 的整数"))
        if index.size and (index.min() < 0 or index.max() >= limit):
            raise unusable(name, extent_of(index), Text(f"0 to {limit - 1}", f"0 至 {limit - 1}"))
        found.append(index.astype(np.int64))
    if found[0].size != found[1].size:
        raise unusable(
            "cols", str(found[1].size), Text(f"as many as rows: {found[0].size}", f"与行数相同：{found[0].size}")
        )
    return found[0], found[1]


def positions(name: str, given: ArrayLike, n: int | None = None) -> NDArray[np.float64]:
    """Return an (n,) array of positions or elevations."""
    values = np.asarray(given)
    if values.size == 0:
        values = values.astype(np.float64).reshape(-1)
    if values.ndim != 1 or values.dtype.kind not in "fiu" or (n is not None and values.size != n):
        count = "n" if n is None else str(n)
        raise unusable(name, shape_of(values), Text(f"numbers of shape ({count},)", f"形状为 ({count},) 的数值"))
    return values.astype(np.float64)


def distances(given: ArrayLike, n: int, n_azimuth: int) -> NDArray[np.float64]:
    """Spread distances over observers and azimuths, (n, n_azimuth)."""
    values = np.asarray(given)
    spread = values[:, None] if values.shape == (n,) else values
    if values.dtype.kind not in "fiu" or spread.shape not in ((), (n, 1), (n, n_azimuth)):
        expected = Text(f"a number, ({n},) or ({n}, {n_azimuth})", f"一个数值、({n},) 或 ({n}, {n_azimuth})")
        raise unusable("min_distance_m", shape_of(values), expected)
    if not np.isfinite(spread).all() or (spread <= 0.0).any():
        raise unusable("min_distance_m", extent_of(values), Text("numbers above 0", "大于 0 的数"))
    return np.ascontiguousarray(np.broadcast_to(spread.astype(np.float64), (n, n_azimuth)))


def per_cell(name: str, given: ArrayLike, n: int) -> NDArray[np.float64]:
    """Spread a scalar or an (n,) array over the cells."""
    values = np.asarray(given, dtype=np.float64)
    if values.shape not in ((), (n,)) or not np.isfinite(values).all():
        raise unusable(name, shape_of(values), Text(f"one finite number, or {n} of them", f"一个有限数值，或 {n} 个"))
    return np.broadcast_to(values, (n,))


def positive(name: str, value: float) -> None:
    """Raise InputError unless `value` is a finite number above 0."""
    finite(name, value)
    if value <= 0.0:
        raise unusable(name, value, Text("a number above 0", "大于 0 的数"))


def finite(name: str, value: float) -> None:
    """Raise InputError unless `value` is a finite number."""
    try:
        finite = math.isfinite(value)
    except (TypeError, ValueError):
        finite = False
    if not finite:
        raise unusable(name, repr(value), Text("a finite number", "有限数值"))


def whole(name: str, value: object, least: int) -> None:
    """Raise InputError unless `value` is a whole number of at least `least`."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < least:
        raise unusable(name, repr(value), Text(f"a whole number of at least {least}", f"不小于 {least} 的整数"))


def unusable(name: str, found: object, expected: Text) -> InputError:
    """Return the error of an argument that cannot be used."""
    return InputError(
        Text("an argument cannot be used as it stands", "参数不可用"), where=name, found=str(found), expected=expected
    )


def shape_of(values: NDArray[np.generic]) -> str:
    """Return type and shape in words."""
    return f"{values.dtype} {values.shape}"


def extent_of(values: NDArray[np.generic]) -> str:
    """Return the least and the greatest value in words."""
    return f"{np.nanmin(values)} … {np.nanmax(values)}"
