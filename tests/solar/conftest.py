"""A year of weather, its sky and the system, made once for the room of the sun."""

from __future__ import annotations

import pytest

from reference_energy import made_weather
from rooftop.solar.pvsystem import PvSystem, load_system
from rooftop.solar.sky import SkyYear, sky_year
from rooftop.weather import Weather


@pytest.fixture(scope="session")
def weather() -> Weather:
    """A seeded year of broken clouds."""
    return made_weather()


@pytest.fixture(scope="session")
def sky(weather: Weather) -> SkyYear:
    """Its suns and sky, at three levels of the year's sum."""
    return sky_year(weather, factors=(0.85, 1.0, 1.15))


@pytest.fixture(scope="session")
def system() -> PvSystem:
    """The default system."""
    return load_system()
