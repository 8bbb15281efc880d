"""Surfaces over which horizons are seen: what the cells of an elevation model stand for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from rooftop.core.lang import Text

SurfaceKind = Literal["prism", "linear"]


@dataclass(frozen=True, kw_only=True)
class SurfaceTraits:
    """What a surface is like.

    Parameters
    ----------
    label : Text
    has_walls : bool
        Cells end in vertical walls: their heights are never averaged, the steps between them shade, and rays beside a
        diagonal meet the walls of one side.
    """

    label: Text
    has_walls: bool


SURFACES: dict[SurfaceKind, SurfaceTraits] = {
    "prism": SurfaceTraits(
        label=Text("prism (cells with vertical walls)", "prism（单元为直立棱柱）"),
        has_walls=True,
    ),
    "linear": SurfaceTraits(
        label=Text("linear between cell centres", "linear（单元中心线性插值）"),
        has_walls=False,
    ),
}
