"""The same town on both sides of the equator: mirrored sun, mirrored results."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

import rooftop.job.prepare
from mirrored_town import Town, computed, mirrored, write_town
from rooftop.config import Config
from rooftop.job.sources import Sources, read_sources
from rooftop.solar.sky import sky_year

LATITUDE = 33.95
MOUNTINGS: dict[str, dict[str, Any]] = {
    "racks": {},
    "racks either way": {"rows": "best", "tilt_deg": 15},
    "east-west along buildings": {"mounting": "east_west", "rows": "best"},
    "flush": {"mounting": "flush"},
    "by density": {"layout": "density"},
}


@pytest.fixture(scope="module")
def towns(tmp_path_factory: pytest.TempPathFactory) -> tuple[Town, Town]:
    folder = tmp_path_factory.mktemp("mirror")
    return write_town(folder / "north", LATITUDE), write_town(folder / "south", -LATITUDE)


@pytest.fixture(scope="module")
def sources(towns: tuple[Town, Town]) -> tuple[Sources, Sources]:
    """Both towns read, the southern one under the weather of the northern one."""
    here, there = (read_sources(town.config()) for town in towns)
    return here, replace(there, weather=here.weather, anchor=here.anchor)


@pytest.mark.parametrize("name", MOUNTINGS)
def test_the_mirrored_town_gives_the_same(
    towns: tuple[Town, Town], sources: tuple[Sources, Sources], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Same suns in a mirror: the same modules, and the same energy.

    But for lines of sight: they lie three cells apart, counted from the origin of the CRS, which has no mirror image. A
    cell's year is exact to 0.15 % (docs/method.md, 8), a plane's mean to less; a rule of the wrong side costs 5 %.
    """
    north, south = (town.config(**MOUNTINGS[name]) for town in towns)
    expected = planes(north, sources[0])
    monkeypatch.setattr(rooftop.job.prepare, "sky_year", lambda *args, **more: mirrored(sky_year(*args, **more)))
    found = planes(south, sources[1])
    found = found.loc[_partners(expected, found)].set_axis(expected.index)
    assert found["module_count"].tolist() == expected["module_count"].tolist()
    assert expected["module_count"].sum() > 300
    looks = (180.0 - found["surface_azimuth_deg"]) % 360.0
    off = (looks - expected["surface_azimuth_deg"] + 180.0) % 360.0 - 180.0
    assert off[expected["surface_tilt_deg"] > 0.0].abs().max() < 1e-3
    assert found["surface_tilt_deg"].tolist() == expected["surface_tilt_deg"].tolist()
    some = expected["module_count"] > 0
    for column in ("annual_kwh", "poa_kwh_m2"):
        np.testing.assert_allclose(found[column][some], expected[column][some], rtol=1e-3)
    assert found["annual_kwh"].sum() == pytest.approx(expected["annual_kwh"].sum(), rel=3e-4)


def planes(config: Config, sources: Sources) -> pd.DataFrame:
    _, tables = computed(config, sources)
    return pd.DataFrame(tables.planes).set_index("plane_id")


def _partners(expected: pd.DataFrame, found: pd.DataFrame) -> list[str]:
    """Return the mirror image of each plane: of one building, the plane that looks the mirrored way."""
    mates = []
    for _, plane in expected.iterrows():
        same = found[found["building_id"] == plane["building_id"]]
        off = (180.0 - same["surface_azimuth_deg"] - plane["surface_azimuth_deg"] + 180.0) % 360.0 - 180.0
        mates.append(str(same.index[int(np.argmin(off.abs()))]))
    return mates
