"""One list of surfaces: configuration, sweep and kernel know the same ones."""

from __future__ import annotations

from typing import get_args

import pytest

from rooftop.config import SceneOptions
from rooftop.core.surfaces import HAS_WALLS, SurfaceKind
from rooftop.kernels import horizon
from rooftop.outputs.report import method
from rooftop.solar.horizons import Sweep


def test_every_surface_has_its_walls_its_rays_and_its_word() -> None:
    kinds = list(get_args(SurfaceKind))
    assert list(HAS_WALLS) == list(horizon._EVENTS_ALONG) == list(method._SURFACE) == kinds


@pytest.mark.parametrize("kind", HAS_WALLS)
def test_every_surface_can_be_configured_and_swept(kind: SurfaceKind) -> None:
    assert Sweep(surface=SceneOptions(surface=kind).surface).octants


def test_a_surface_that_nobody_knows_is_no_other() -> None:
    with pytest.raises(KeyError):
        horizon.octants(36, 0.0, "voxel")  # type: ignore[arg-type]
