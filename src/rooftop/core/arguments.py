"""Arguments of the library's functions: checked, brought to one type, refused with what was expected.

What a quantity may be is in ``configs/argument_limits.yaml``, by the name of the quantity.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar, get_args

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from rooftop.core.argument_limits import argument_limits
from rooftop.core.errors import ArgumentError, did_you_mean, suggest
from rooftop.core.lang import Text
from rooftop.core.types import B1, F4, F8, I8, Heights

T = TypeVar("T")

_CORRECT = Text("correct the value", "请更正该值")
_LONGEST = 80  # characters of a value that is quoted


@dataclass(frozen=True)
class QuantityLimits:
    """What a quantity may be.

    Parameters
    ----------
    low, high : float
        Both included.
    unit : str
    mend : Text
        What is likely meant by a value outside.
    """

    low: float
    high: float
    unit: str = ""
    mend: Text = _CORRECT

    def __str__(self) -> str:
        return f"{self.low:g} … {self.high:g} {self.unit}".rstrip()

    def holds(self, values: NDArray[Any]) -> bool:
        """Say whether all values lie within; NaN is passed over."""
        if not values.size:
            return True
        lowest, highest = float(np.fmin.reduce(values, axis=None)), float(np.fmax.reduce(values, axis=None))
        return not (lowest < self.low or highest > self.high)  # NaN only if all are


@lru_cache(maxsize=128)
def limits_of(quantity: str) -> QuantityLimits:
    """Return what a quantity may be."""
    limits = argument_limits().ranges[quantity]
    return QuantityLimits(limits.low, limits.high, limits.unit, _CORRECT if limits.mend is None else limits.mend.text)


# One value --------------------------------------------------------------------------------------------------------


def require_number(name: str, given: object, quantity: str | None = None) -> float:
    """Return an argument that is one number.

    Parameters
    ----------
    name : str
        The argument.
    given : object
        Its value.
    quantity : str, optional
        Whose limits hold; that of the argument's own name when omitted.

    Raises
    ------
    ArgumentError
        No number (a truth value and text are none), not finite, or out of the limits.
    """
    limits = limits_of(quantity or name)
    if isinstance(given, float) and limits.low <= given <= limits.high:  # nearly always; planes are made by the million
        return float(given)
    expected = Text(f"one number, {limits}", f"一个数值，{limits}")
    values = numbers_of(name, given, expected)
    if values.shape != ():
        raise unusable(name, shape_of(values), expected)
    if not np.isfinite(values) or not limits.holds(values):
        raise unusable(name, shown_value(given), expected, limits.mend)
    return float(values)


def whole(name: str, given: object) -> int:
    """Return an argument that is one whole number."""
    limits = limits_of(name)
    if type(given) is int and limits.low <= given <= limits.high:
        return given
    expected = Text(f"a whole number, {limits}", f"一个整数，{limits}")
    if not isinstance(given, (int, np.integer)) or isinstance(given, (bool, np.timedelta64)):
        raise unusable(name, shown_value(given), expected)
    if not limits.low <= given <= limits.high:
        raise unusable(name, shown_value(given), expected)
    return int(given)


def word(name: str, given: object, vocabulary: Any) -> str:
    """Return an argument that is one of the words of a ``Literal``, or of a sequence of words."""
    known: tuple[str, ...] = get_args(vocabulary) or tuple(vocabulary)
    if isinstance(given, str) and given in known:
        return given
    near = did_you_mean(given, known) if isinstance(given, str) else None
    mend = suggest(near, Text("choose one of these", "请从中选择"))
    expected = Text(f"one of {', '.join(known)}", f"{'、'.join(known)} 之一")
    raise unusable(name, shown_value(given), expected, mend)


def flag(name: str, given: object) -> bool:
    """Return an argument that is true or false."""
    if not isinstance(given, (bool, np.bool_)):
        raise unusable(name, shown_value(given), "True | False")
    return bool(given)


def local_path(name: str, given: object) -> Path:
    """Return an argument that is the path of a file or folder."""
    text = os.fspath(given) if isinstance(given, (str, os.PathLike)) else None
    if not isinstance(text, str) or not text.strip() or "\0" in text:
        raise unusable(name, shown_value(given), Text("the path of a file or folder", "文件或文件夹的路径"))
    return Path(text)


def instance(name: str, given: object, kind: type[T], origin: str) -> T:
    """Return an argument that is of a certain type; `origin` is the call that makes such an object."""
    if not isinstance(given, kind):
        raise unusable(name, shown_value(given), kind.__name__, Text(f"make it with {origin}", f"请用 {origin} 生成"))
    return given


# Arrays -----------------------------------------------------------------------------------------------------------


def require_numbers(
    name: str,
    given: object,
    shape: Sequence[int | str],
    quantity: str | None = None,
    *,
    missing: bool = False,
    what: Text | None = None,
) -> NDArray[Any]:
    """Return an argument that is an array of numbers, in its own numeric type.

    Parameters
    ----------
    name : str
        The argument.
    given : array_like
        Masked values are missing.
    shape : sequence of int or str
        Length of each axis; a letter stands for any.
    quantity : str, optional
        Whose limits hold; that of the argument's own name when omitted.
    missing : bool
        Let NaN pass.
    what : Text, optional
        What is wrong, instead of the usual sentence.

    Raises
    ------
    ArgumentError
        No numbers, another shape, a value that is missing, infinite or out of the limits.
    """
    limits = limits_of(quantity or name)
    axes_text = shape_text(shape)
    expected = Text(f"numbers of shape {axes_text}, {limits}", f"形状为 {axes_text} 的数值，{limits}")
    values = numbers_of(name, given, expected, what)
    if not has_shape(values, shape):
        raise unusable(name, shape_of(values), expected, what=what)
    if not missing and values.dtype.kind == "f" and np.isnan(values).any():
        found = Text(
            f"{int(np.isnan(values).sum())} of {values.size} are missing (NaN)",
            f"{values.size} 个中有 {int(np.isnan(values).sum())} 个缺失（NaN）",
        )
        raise unusable(name, found, expected, Text("leave them out or fill them", "请剔除或补全"), what)
    if not limits.holds(values):
        raise unusable(name, extent_of(values), expected, limits.mend, what)
    return values


def numbers_of(name: str, given: object, expected: Text, what: Text | None = None) -> NDArray[Any]:
    """Return an argument that is an array of numbers of any shape, or a single one; `expected` for the error."""
    values = _as_array(name, given, expected, what)
    if not values.size and values.dtype.kind == "O":
        values = values.astype(np.float64)
    if values.dtype.kind not in "fiu":
        raise unusable(name, shape_of(values) if values.ndim else shown_value(given), expected, what=what)
    return values


def whole_numbers(name: str, given: object, shape: Sequence[int | str], what: Text | None = None) -> I8:
    """Return an argument that is an array of whole numbers, as int64."""
    axes_text = shape_text(shape)
    expected = Text(f"whole numbers of shape {axes_text}", f"形状为 {axes_text} 的整数")
    values = numbers_of(name, given, expected, what)
    values = values if values.size else values.astype(np.int64)
    fits = has_shape(values, shape)
    if not fits or values.dtype.kind == "f":
        mend = Text("round them: .astype(int)", "请取整：.astype(int)") if values.dtype.kind == "f" and fits else None
        raise unusable(name, shape_of(values), expected, mend, what)
    if values.size and values.max() > np.iinfo(np.int64).max:
        raise unusable(name, extent_of(values), expected, what=what)
    return values.astype(np.int64)


def truths(name: str, given: object, shape: tuple[int, ...], what: Text | None = None) -> B1:
    """Return an argument that is an array of truth values."""
    expected = Text(f"truth values of shape {shape_text(shape)}", f"形状为 {shape_text(shape)} 的布尔值")
    values = _as_array(name, given, expected, what)
    if values.shape != shape or values.dtype != np.bool_:
        mend = Text("compare: values > 0", "请用比较得到：values > 0") if values.shape == shape else None
        raise unusable(name, shape_of(values), expected, mend, what)
    if np.ma.isMaskedArray(given):
        values = np.asarray(np.ma.filled(given, False), dtype=np.bool_)
    return values


def is_data_array(given: object) -> bool:
    """Say whether an argument is an `xarray.DataArray`; xarray itself is never imported."""
    xarray = sys.modules.get("xarray")
    return xarray is not None and isinstance(given, xarray.DataArray)


def axes(name: str, given: object) -> int:
    """Return how many axes an argument has; 0 of a single value."""
    return _as_array(name, given, Text("one number, or an array of them", "一个数值，或数值数组")).ndim


def per_cell(name: str, given: object, n: int) -> F8:
    """Spread a number or an (n,) array over the cells."""
    values = require_numbers(name, given, (n,)) if axes(name, given) else np.float64(require_number(name, given))
    return np.broadcast_to(values, (n,)).astype(np.float64, copy=False)


def result_array(out: object, shape: tuple[int, ...]) -> F4:
    """Return the argument `out`, an array to be filled; a new one where it is None."""
    if out is None:
        return np.empty(shape, np.float32)
    fits = isinstance(out, np.ndarray) and out.shape == shape and out.dtype == np.float32
    if isinstance(out, np.ndarray) and fits and out.flags.c_contiguous and out.flags.writeable:
        return out
    raise unusable(
        "out",
        shown_value(out),
        Text(f"float32 {shape}, C order, writeable", f"float32 {shape}，C 顺序，可写"),
        Text(f"make it with numpy.empty({shape}, 'f4')", f"请用 numpy.empty({shape}, 'f4') 生成"),
        Text("the array for the result does not fit", "结果数组不符"),
    )


# Elevation models and cells ---------------------------------------------------------------------------------------


def checked_heights(dsm: ArrayLike, name: str = "dsm") -> Heights:
    """Return the elevation model as floats, infinities refused."""
    expected = Text("a raster of numbers, shape (ny, nx)", "形状为 (ny, nx) 的数值栅格")
    heights = numbers_of(name, dsm, expected)
    if heights.ndim != 2 or heights.size == 0:
        raise unusable(name, shape_of(heights), expected)
    if heights.dtype not in (np.float32, np.float64):
        heights = heights.astype(np.float64)
    limits = limits_of("height")
    if not limits.holds(heights):
        what = Text("the elevation model holds impossible heights", "高程模型含有不可能的高程")
        expected = Text(f"{limits}, NaN where nothing is known", f"{limits}，无数据处为 NaN")
        raise unusable(name, extent_of(heights), expected, limits.mend, what)
    return heights


def cells_within(rows: ArrayLike, cols: ArrayLike, shape: tuple[int, ...]) -> tuple[I8, I8]:
    """Return row and column numbers as int64, all within `shape`."""
    indices = []
    for name, given, limit in (("rows", rows, shape[0]), ("cols", cols, shape[1])):
        index = whole_numbers(name, given, ("n",))
        if index.size and (index.min() < 0 or index.max() >= limit):
            raise unusable(name, extent_of(index), f"0 … {limit - 1}")
        indices.append(index)
    if indices[0].size != indices[1].size:
        raise unusable(
            "cols", str(indices[1].size), Text(f"as many as rows: {indices[0].size}", f"与行数相同：{indices[0].size}")
        )
    return indices[0], indices[1]


def lattice_place(name: str, given: object) -> tuple[int, int] | None:
    """Return row and column of a lattice, or None."""
    if given is None:
        return None
    row, col = whole_numbers(name, given, (2,)).tolist()
    return int(row), int(col)


def positions(name: str, given: ArrayLike, n: int | None = None) -> F8:
    """Return an (n,) array of positions or elevations."""
    expected = Text(f"numbers of shape ({n or 'n'},)", f"形状为 ({n or 'n'},) 的数值")
    values = numbers_of(name, given, expected)
    values = values if values.size else values.reshape(-1)
    if values.ndim != 1 or (n is not None and values.size != n):
        raise unusable(name, shape_of(values), expected)
    return values.astype(np.float64)


def distances(given: ArrayLike, n: int, n_azimuth: int) -> F8:
    """Spread distances over observers and azimuths, (n, n_azimuth)."""
    expected = Text(f"a number, ({n},) or ({n}, {n_azimuth})", f"一个数值、({n},) 或 ({n}, {n_azimuth})")
    values = numbers_of("min_distance_m", given, expected)
    spread = values[:, None] if values.shape == (n,) else values
    if spread.shape not in ((), (n, 1), (n, n_azimuth)):
        raise unusable("min_distance_m", shape_of(values), expected)
    if not np.isfinite(spread).all() or (spread <= 0.0).any():
        raise unusable("min_distance_m", extent_of(values), Text("numbers above 0", "大于 0 的数"))
    return np.ascontiguousarray(np.broadcast_to(spread.astype(np.float64), (n, n_azimuth)))


# Words of errors --------------------------------------------------------------------------------------------------


def unusable(
    name: str, found: Text | str, expected: Text | str, mend: Text | None = None, what: Text | None = None
) -> ArgumentError:
    """Return the error of an argument that cannot be used."""
    return ArgumentError(
        what or Text("an argument cannot be used as it stands", "参数不可用"),
        where=name,
        found=found,
        expected=expected,
        mend=mend or _CORRECT,
    )


def shown_value(given: object) -> str:
    """Return a value as an error quotes it: short, and its type where it is neither a word nor a number."""
    if given is np.ma.masked:
        return "masked"
    if isinstance(given, np.ndarray) and given.ndim:
        return shape_of(given)
    if isinstance(given, (np.generic, np.ndarray)):
        given = given.item()
    if isinstance(given, Path):
        given = str(given)
    if given is not None and not isinstance(given, (str, bool, int, float, complex)):
        return type(given).__name__
    if isinstance(given, int) and given.bit_length() > 256:
        return "int"
    text = repr(given[:_LONGEST] if isinstance(given, str) else given)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def shape_of(values: NDArray[Any]) -> str:
    """Return type and shape in words."""
    return f"{values.dtype} {values.shape}"


def extent_of(values: NDArray[Any]) -> str:
    """Return the least and the greatest value in words."""
    ends = np.nanmin(values), np.nanmax(values)
    return " … ".join(str(end) if values.dtype.kind in "iu" else f"{end:g}" for end in ends)


def _as_array(name: str, given: object, expected: Text | str, what: Text | None = None) -> NDArray[Any]:
    """Return what numpy makes of an argument; masked and absent values are NaN."""
    try:
        if np.ma.isMaskedArray(given):
            masked = np.ma.asarray(given)
            if masked.dtype.kind in "fiu" and np.ma.is_masked(masked):
                return np.where(np.ma.getmaskarray(masked), np.nan, np.ma.getdata(masked))
            return np.asarray(masked)
        if isinstance(given, pd.DataFrame) and all(dtype.kind in "fiu" for dtype in given.dtypes):
            return given.to_numpy(dtype=np.float64, na_value=np.nan)
        return np.asarray(given)
    except (TypeError, ValueError, OverflowError) as error:  # ragged lists, objects that refuse to be arrays
        raise unusable(name, shown_value(given), expected, what=what) from error


def has_shape(values: NDArray[Any], shape: Sequence[int | str]) -> bool:
    """Say whether an array has a shape of which letters stand for any length."""
    return values.ndim == len(shape) and all(
        isinstance(axis, str) or axis == n for axis, n in zip(shape, values.shape, strict=True)
    )


def shape_text(shape: Sequence[int | str]) -> str:
    """Return a shape as numpy writes it."""
    inner = ", ".join(str(axis) for axis in shape)
    return f"({inner},)" if len(shape) == 1 else f"({inner})"
