"""Surfaces over which horizons are seen: what the cells of an elevation model stand for."""

from __future__ import annotations

from typing import Literal

SurfaceKind = Literal["prism", "linear"]

HAS_WALLS: dict[SurfaceKind, bool] = {"prism": True, "linear": False}
"""Whether cells end in vertical walls: then their heights are never averaged, the steps between them shade, and rays
beside a diagonal meet the walls of one side."""
