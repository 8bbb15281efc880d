"""Numba kernels on arrays and scalars: no files, no tables, no unit conversion, no configuration.

Every kernel is compiled through :func:`jit`: single-threaded, without the interpreter lock (``nogil``), so that tiles or
azimuths may run in a pool of threads and give the same bits as one thread.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import numba

F = TypeVar("F", bound=Callable[..., object])


def jit(function: F) -> F:
    """Compile `function` in nopython mode, releasing the interpreter lock and caching the machine code on disk.

    Numba refuses ``cache=True`` when neither the package's folder nor the user's cache folder can be written (a wheel
    installed by root, run by a service without a home). The kernel is then compiled in memory, once per process; to
    keep the cache elsewhere, set ``NUMBA_CACHE_DIR``. Kernels that call each other live in one file, because
    numba's cache only notices changes in the file that it compiles.
    """
    try:
        return numba.njit(cache=True, nogil=True, error_model="numpy")(function)
    except RuntimeError:
        return numba.njit(nogil=True, error_model="numpy")(function)
