"""The buildings of a run joined to the units they lie in and to the plan that speaks of them: once, for all tables."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rooftop.core.types import B1
from rooftop.targets.basis import Basis, Links, gather, link, planned_rows
from rooftop.targets.models import Coverage, CoverageTarget, Pack, Scope, YearSpan
from rooftop.targets.scope import membership


@dataclass(frozen=True, kw_only=True)
class Stock:
    """A building stock under a plan; what every table of targets is computed from.

    Parameters
    ----------
    roofs : DataFrame
        The table it was made of, `tables.ROOFS`.
    basis : Basis
        The n rows of it that count.
    links : Links
        Which of them lies in which unit.
    pack : Pack
        The plan.
    """

    roofs: pd.DataFrame
    basis: Basis
    links: Links
    pack: Pack

    @classmethod
    def from_tables(cls, roofs: pd.DataFrame, memberships: pd.DataFrame, units: pd.DataFrame, pack: Pack) -> Stock:
        """Join the tables of a run.

        Parameters
        ----------
        roofs : DataFrame
            `tables.ROOFS`. Withheld uses and excluded rows that are no roof of their own do not count; every other
            excluded row keeps gross and net area and adds nothing to a numerator.
        memberships : DataFrame
            `tables.MEMBERSHIPS`; areas count by their share in the unit.
        units : DataFrame
            ``unit_id unit_name level``; every unit appears, also one without buildings. A row of level ``city`` names
            the city, which is otherwise added; it holds what lies in a district, never the sum over zones.
        pack : Pack

        Raises
        ------
        ComputeError
            A building_id occurs twice among the rows that count.
        """
        basis = gather(roofs, pack)
        return cls(roofs=roofs, basis=basis, links=link(basis, memberships, units), pack=pack)

    def answers(self, scope: Scope, window: YearSpan | None) -> NDArray[np.int8]:
        """Say which of the rows that count a scope holds, see `scope.membership`."""
        return membership(scope, self.basis.facts, window)

    def front_answers(self, coverage: Coverage, entry: CoverageTarget) -> NDArray[np.int8]:
        """Say which of the rows that count a target speaks of, by front group, default reading and default cohort."""
        return self.answers(coverage.default_reading.scope(coverage.front), entry.window)

    def planned_rows(self, planned: pd.Series | None) -> B1 | None:
        """Return which of the rows that count are selected; `planned` has the index of `roofs`."""
        return planned_rows(self.roofs, self.basis, planned)
