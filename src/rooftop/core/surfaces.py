"""Surfaces over which horizons are seen: what the cells of an elevation model stand for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

SurfaceKind = Literal["prism", "linear"]


@dataclass(frozen=True, kw_only=True)
class SurfaceTraits:
    """What a surface is like.

    Parameters
    ----------
    has_walls : bool
        Cells end in vertical walls: their heights are never averaged, the steps between them shade, and rays beside a
        diagonal meet the walls of one side.
    """

    has_walls: bool


SURFACES: dict[SurfaceKind, SurfaceTraits] = {
    "prism": SurfaceTraits(has_walls=True),
    "linear": SurfaceTraits(has_walls=False),
}
