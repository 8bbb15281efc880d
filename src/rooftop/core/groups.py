"""Things that follow each other in groups."""

from __future__ import annotations

import numpy as np

from rooftop.core.types import I8


def places_in_groups(count: I8) -> I8:
    """Return the place of each thing in its own group, from 0: of groups of 2 and 3, ``0 1 0 1 2``.

    Parameters
    ----------
    count : ndarray of int, shape (n_groups,)
        Things of each group.
    """
    return np.arange(int(count.sum())) - np.repeat(np.cumsum(count) - count, count)
