"""The cheapest set of roofs that closes a gap, with a proof of how far from the cheapest it can be at most."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rooftop.core.types import B1, F8

GOOD_ENOUGH = 1e-3
MAX_EXACT = 2_000
_STEPS = 5_000


@dataclass(frozen=True)
class Selection:
    """Roofs chosen to cover a need.

    Parameters
    ----------
    chosen : array (n,) of bool
    need_m2, covered_m2 : float
        What was asked for and what the chosen roofs give.
    cost_yuan : float
        Cost of the chosen roofs.
    bound_yuan : float
        No set of these roofs that covers the need can cost less.
    reached : bool
        Whether the need is covered; when all roofs together do not suffice, all are chosen.
    """

    chosen: B1
    need_m2: float
    covered_m2: float
    cost_yuan: float
    bound_yuan: float
    reached: bool

    @property
    def gap(self) -> float:
        """Share by which the set may cost more than the cheapest one; 0 when nothing was needed."""
        return self.cost_yuan / self.bound_yuan - 1.0 if self.bound_yuan > 0 else 0.0

    @property
    def missing_m2(self) -> float:
        """What no roof could cover [m²]."""
        return max(self.need_m2 - self.covered_m2, 0.0)


def _prune(chosen: B1, cost: F8, area: F8, need: float) -> B1:
    """Drop roofs that the rest makes superfluous, the most expensive first."""
    kept = chosen.copy()
    spare = float(area[kept].sum()) - need
    for row in sorted(np.flatnonzero(kept), key=lambda r: (-cost[r], r)):
        if area[row] <= spare:
            kept[row] = False
            spare -= float(area[row])
    return kept


def cheapest_cover(cost_yuan: F8, area_m2: F8, need_m2: float) -> Selection:
    """Choose whole roofs that together give at least `need_m2` at little cost.

    A minimum knapsack. Roofs are taken by cost per m²; the one that crosses the need is compared with every single roof
    that could close the rest, and superfluous roofs are dropped. Taking the last roof in part gives the linear bound,
    below which no set of whole roofs can lie. Where the two are more than `GOOD_ENOUGH` apart, which happens when few
    roofs are enough, dynamic programming over areas cut into `_STEPS` steps of the need improves both: areas rounded
    down give a set that surely covers, areas rounded up a bound. The relative distance to the better bound is
    `Selection.gap`.

    Parameters
    ----------
    cost_yuan, area_m2 : array (n,)
        Cost and contribution of each roof; a roof that contributes nothing or has no cost is never chosen. Ties go to
        the earlier row, so the result depends on the order of the rows and on nothing else.
    need_m2 : float
        Zero or less: nothing is chosen.

    Returns
    -------
    Selection
    """
    none = np.zeros(len(area_m2), dtype=bool)
    usable = np.isfinite(cost_yuan) & np.isfinite(area_m2) & (area_m2 > 0) & (cost_yuan > 0)
    if not need_m2 > 0:
        return Selection(none, max(need_m2, 0.0), 0.0, 0.0, 0.0, reached=True)
    rows = np.flatnonzero(usable)
    order = rows[np.argsort(cost_yuan[rows] / area_m2[rows], kind="stable")]
    summed = np.cumsum(area_m2[order])
    if not len(order) or summed[-1] < need_m2:
        cost = float(cost_yuan[rows].sum())
        return Selection(usable, need_m2, float(area_m2[rows].sum()), cost, cost, reached=False)
    last = int(np.searchsorted(summed, need_m2))
    before = float(summed[last - 1]) if last else 0.0
    missing = need_m2 - before
    base = float(cost_yuan[order[:last]].sum())
    bound = base + float(cost_yuan[order[last]] * missing / area_m2[order[last]])
    tail = order[last:]
    closing = tail[area_m2[tail] >= missing]
    options = []
    for ending in ([order[last]], [closing[np.argmin(cost_yuan[closing])]] if len(closing) else []):
        if ending:
            option = none.copy()
            option[order[:last]] = True
            option[ending] = True
            options.append(_prune(option, cost_yuan, area_m2, need_m2))
    chosen = min(options, key=lambda option: float(cost_yuan[option].sum()))
    cost = float(cost_yuan[chosen].sum())
    if cost > bound * (1.0 + GOOD_ENOUGH) and len(order) <= MAX_EXACT:
        chosen, bound = _improve(chosen, bound, rows, cost_yuan, area_m2, need_m2)
    return Selection(chosen, need_m2, float(area_m2[chosen].sum()), float(cost_yuan[chosen].sum()), bound, reached=True)


def _improve(chosen: B1, bound: float, rows: npt.NDArray[np.intp], cost: F8, area: F8, need: float) -> tuple[B1, float]:
    """Return a set and a bound at least as good, by dynamic programming over `rows`."""
    # The guard keeps a share that is a whole number of steps from being rounded past it.
    steps = area[rows] / need * _STEPS
    lowest, taken = _cheapest_by_steps(cost[rows], np.floor(steps - 1e-9).astype(np.intp))
    if np.isfinite(lowest):
        option = np.zeros(len(cost), dtype=bool)
        option[rows[taken]] = True
        if area[option].sum() >= need and cost[option].sum() < cost[chosen].sum():
            chosen = _prune(option, cost, area, need)
    relaxed, _ = _cheapest_by_steps(cost[rows], np.ceil(steps + 1e-9).astype(np.intp))
    return chosen, min(max(bound, relaxed), float(cost[chosen].sum()))


def _cheapest_by_steps(cost: F8, steps: npt.NDArray[np.intp]) -> tuple[float, B1]:
    """Return the least cost of `_STEPS` steps or more, and the items that cost it; ``inf`` when all are too few."""
    least = np.full(_STEPS + 1, np.inf)
    least[0] = 0.0
    taken = np.zeros((len(cost), _STEPS + 1), dtype=bool)
    for k, (price, width) in enumerate(zip(cost, np.minimum(steps, _STEPS), strict=True)):
        # State j stands for at least j steps; whatever an item gives beyond j is lost.
        with_item = np.concatenate([np.full(width, least[0]), least[: _STEPS + 1 - width]]) + price
        taken[k] = with_item < least
        least = np.where(taken[k], with_item, least)
    flags = np.zeros(len(cost), dtype=bool)
    state = _STEPS
    for k in range(len(cost) - 1, -1, -1):
        if np.isfinite(least[_STEPS]) and taken[k, state]:
            flags[k] = True
            state = max(state - int(min(steps[k], _STEPS)), 0)
    return float(least[_STEPS]), flags
