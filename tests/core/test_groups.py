"""Places within groups."""

from __future__ import annotations

import numpy as np
import pytest

from rooftop.core.groups import places_in_groups


@pytest.mark.parametrize("count", [[2, 3], [0, 4, 0, 1], [], [0], [1, 1]])
def test_places_are_counted_anew_in_each_group(count: list[int]) -> None:
    wanted = [place for n in count for place in range(n)]
    assert places_in_groups(np.array(count, dtype=np.int64)).tolist() == wanted
