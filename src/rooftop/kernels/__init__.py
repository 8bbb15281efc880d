"""Numba kernels on arrays and scalars: no files, no tables, no unit conversion, no configuration.

Every kernel is compiled through :func:`jit` or :func:`jit_no_nan`: single-threaded, without the interpreter lock, so
that tiles or azimuths may run in a pool of threads and give the same bits as one thread.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar, cast

import numba
from numba.extending import intrinsic

P = ParamSpec("P")
R = TypeVar("R")


def jit(function: Callable[P, R]) -> Callable[P, R]:
    """Compile `function` in nopython mode, releasing the interpreter lock and caching the machine code on disk.

    Numba refuses ``cache=True`` when neither the package's folder nor the user's cache folder can be written (a wheel
    installed by root, run by a service without a home). The kernel is then compiled in memory, once per process; to
    keep the cache elsewhere, set ``NUMBA_CACHE_DIR``. Kernels that call each other live in one file, because numba's
    cache only notices changes in the file that it compiles.
    """
    return _compile(function, {})


def jit_no_nan(function: Callable[P, R]) -> Callable[P, R]:
    """As :func:`jit`, for kernels that never meet a NaN: ``a if a > b else b`` becomes one vector instruction."""
    return _compile(function, {"fastmath": {"nnan", "nsz"}})


def jit_inline(function: Callable[P, R]) -> Callable[P, R]:
    """As :func:`jit`, for a part of a kernel that is inlined where it is called, in the same file."""
    return _compile(function, {"forceinline": True})


def jit_part(function: Callable[P, R]) -> Callable[P, R]:
    """As :func:`jit_no_nan`, for a part of a kernel that is inlined where it is called, in the same file."""
    return _compile(function, {"fastmath": {"nnan", "nsz"}, "forceinline": True})


def jit_fused(function: Callable[P, R]) -> Callable[P, R]:
    """As :func:`jit_no_nan`; a product and a sum may be rounded once instead of twice (the machine's fused step)."""
    return _compile(function, {"fastmath": {"nnan", "nsz", "contract"}})


def _prefer_512_bits(typing_context: Any) -> tuple[Any, Callable[..., Any]]:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        # llvmlite's own list of attributes holds none that have a value; where it is no set, only speed is lost
        attributes = getattr(builder.function, "attributes", None)
        if isinstance(attributes, set):
            set.add(attributes, '"prefer-vector-width"="512"')
        return context.get_dummy_value()

    return numba.types.none(), generate


wide_vectors = cast(Callable[[], None], intrinsic(_prefer_512_bits))
"""Lets LLVM fill registers of 512 bits in the kernel that calls it, where the machine has them; else it prefers 256.

No bit of a result changes. Parts of a kernel are compiled by themselves: each says it for its own loops.
"""


def _compile(function: Callable[P, R], more: dict[str, Any]) -> Callable[P, R]:
    options: dict[str, Any] = {"nogil": True, "error_model": "numpy", **more}
    compiled: Callable[P, R]
    try:
        compiled = numba.njit(cache=True, **options)(function)
    except RuntimeError:
        compiled = numba.njit(**options)(function)
    return compiled
