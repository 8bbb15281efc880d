"""A wrong argument is refused by name, whichever public function it is given to.

A new public function or argument needs its line in `wrong_arguments.PUBLIC`: the first test says so.
"""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Sequence
from typing import Any, get_type_hints

import numpy as np
import pytest

import rooftop
from rooftop.config import Losses
from rooftop.configfile import checked_config, load_config
from rooftop.core.argument_limits import argument_limits
from rooftop.core.arguments import limits_of
from rooftop.core.errors import ArgumentError, InputError
from rooftop.core.lang import Text
from rooftop.core.resources import demo_dir
from rooftop.solar.cumulative import SkyOptions, plane_tables
from rooftop.solar.horizons import Sweep, SweepOptions, far_horizons
from rooftop.solar.pvsystem import PvSystem, load_system
from rooftop.solar.sky import as_sky_year, factor_nodes, sky_year
from rooftop.weather import anchor_weather, monthly_factors
from wrong_arguments import NOT_MADE, NOT_USED, PLANE, PUBLIC, N, horizon, raster, sky
from wrong_years import BY_THE_SUN, NO_YEARS, weather

CASES = [
    pytest.param(name, argument, bad, word, id=f"{name}-{argument}-{i}")
    for name, public in PUBLIC.items()
    for argument, values in public.bad.items()
    for i, (bad, word) in enumerate(values)
]


def test_every_argument_of_every_public_function_is_here() -> None:
    assert set(PUBLIC) | NOT_MADE == set(rooftop.__all__)
    for name, public in PUBLIC.items():
        if name == "ArgumentError":
            continue
        call = public.call if name == "run" else getattr(rooftop, name)
        assert set(public.bad) == arguments_of(call) - NOT_USED.get(name, set()), name
        assert all(public.bad.values()), name


def arguments_of(call: Callable[..., Any]) -> set[str]:
    """Names of arguments, those of ``**options: Unpack[...]`` among them."""
    named = dict(inspect.signature(call).parameters)
    options = named.pop("options", None)
    if options is None:
        return set(named)
    return set(named) | set(get_type_hints(call)["options"].__args__[0].__annotations__)


def test_options_are_the_fields_of_what_they_make() -> None:
    assert get_type_hints(SweepOptions) == {name: hint for name, hint in get_type_hints(Sweep).items()}
    assert not SweepOptions.__required_keys__ and not SkyOptions.__required_keys__


def test_public_functions_take_weather_then_horizon_then_plane_then_options_by_keyword() -> None:
    order = ["weather", "tables", "horizon", "dsm", "cell_size_m", "mask", "rows", "cols"]
    order += ["plane", "surface_tilt", "surface_azimuth"]
    checked = 0
    for name in (
        "irradiation",
        "irradiation_raster",
        "monthly_irradiation",
        "sky_view_raster",
        "pv_energy",
        "sky_view",
        "hourly_yield",
        "hourly_tables",
        "hourly_series",
        "horizons",
    ):
        parameters = inspect.signature(getattr(rooftop, name)).parameters.values()
        by_place = [one.name for one in parameters if one.kind is one.POSITIONAL_OR_KEYWORD]
        assert by_place == sorted(by_place, key=order.index) and len(by_place) <= 7, name
        checked += len(by_place)
    assert checked > 30


OLD_ORDER: dict[str, Callable[[], Any]] = {
    "pv_energy": lambda: rooftop.pv_energy(sky(), 20.0, 180.0),
    "pv_energy, behind a horizon": lambda: rooftop.pv_energy(sky(), 20.0, 180.0, horizon()[0]),
    "hourly_yield": lambda: rooftop.hourly_yield(sky(), PLANE, horizon()),  # type: ignore[arg-type]
}


@pytest.mark.parametrize("name", OLD_ORDER)
def test_a_plane_before_the_horizon_is_refused_not_misread(name: str) -> None:
    with pytest.raises(ArgumentError) as caught:
        OLD_ORDER[name]()
    assert "horizon" in str(caught.value.details["where"])


@pytest.mark.parametrize("name", [name for name in PUBLIC if name not in ("read_weather", "run")])
def test_what_the_cases_change_works_unchanged(name: str) -> None:
    PUBLIC[name].call(**PUBLIC[name].good())


@pytest.mark.parametrize("name,argument,bad,word", CASES)
def test_a_wrong_argument_is_named(name: str, argument: str, bad: Any, word: str) -> None:
    public = PUBLIC[name]
    with pytest.raises(ArgumentError) as caught:
        public.call(**{**public.good(), argument: bad})
    says(caught.value, [argument, public.also.get(argument, argument)], word)


def says(error: ArgumentError, names: Sequence[str], word: str) -> None:
    """Check that an error names an argument and says what was found, expected and to do, in both languages."""
    english, chinese = error.render("en"), error.render("zh")
    assert isinstance(error, InputError) and isinstance(error, ValueError) and error.exit_code == 2
    assert any(name in str(error.details["where"]) for name in names), english
    assert all(error.details[part] for part in ("where", "found", "expected", "mend")), english
    assert word in english and len(english) < 700, english
    for text in (error.what, error.details["mend"]):
        assert isinstance(text, Text) and (text.zh != text.en or "=" in text.en), chinese


USES: dict[str, Callable[[Any], Any]] = {
    "irradiation": lambda w: rooftop.irradiation(w, horizon()),
    "irradiation_raster": lambda w: rooftop.irradiation_raster(w, **raster()),
    "irradiation_raster, of several": lambda w: rooftop.irradiation_raster([sky(), w], **raster(), zone=1),
    "monthly_irradiation": lambda w: rooftop.monthly_irradiation(w, **raster()),
    "pv_energy": lambda w: rooftop.pv_energy(w, horizon()[0]),
    "hourly_yield": lambda w: rooftop.hourly_yield(w, horizon(), PLANE),
    "hourly_tables": lambda w: rooftop.hourly_tables(w, PLANE, n_azimuth=N),
    "sky_year": sky_year,
    "as_sky_year": lambda w: as_sky_year(w, "perez"),
    "Weather.monthly_ghi_kwh_m2": lambda w: w.monthly_ghi_kwh_m2(),
    "monthly_factors": lambda w: monthly_factors(w, np.full((1, 12), 100.0)),
    "anchor_weather": lambda w: anchor_weather(w, 1300.0),
}
TOTALS = {"Weather.monthly_ghi_kwh_m2", "monthly_factors", "anchor_weather"}


@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize("year", NO_YEARS)
def test_no_function_takes_a_year_that_is_none(use: str, year: str) -> None:
    made, word = NO_YEARS[year]
    if use in TOTALS and year in BY_THE_SUN:
        return
    with pytest.raises(ArgumentError) as caught:
        USES[use](made())
    says(caught.value, ["weather"], word)


# What the page of the library names beside the public functions --------------------------------------------------


def system(**change: Any) -> PvSystem:
    """The shipped system, changed."""
    return dataclasses.replace(load_system(), **change)


NAMED_BESIDE: list[tuple[Callable[[], Any], str, str]] = [
    (lambda: load_system(3), "module", "3"),  # type: ignore[arg-type]
    (lambda: load_system(losses={"soiling": 0.1}), "losses", "Losses"),  # type: ignore[arg-type]
    (lambda: load_system(losses=Losses.model_construct(soiling=2.0)), "soiling", "not per cent"),
    (lambda: load_system(cell_temperature="Ross"), "cell_temperature", "did you mean ross?"),  # type: ignore[arg-type]
    (lambda: load_system(cell_temperature=""), "cell_temperature", "ross, sapm"),  # type: ignore[arg-type]
    (lambda: system(cell_temperature="faiman"), "cell_temperature", "ross, sapm"),
    (lambda: system(iam_model="Physical"), "iam_model", "did you mean physical?"),
    (lambda: system(iam_diffuse=None), "iam_diffuse", "marion, none"),
    (lambda: system(losses_dc=(("soiling", 1.2),)), "soiling", "1.2"),
    (lambda: system(losses_ac=(("availability", -0.1),)), "availability", "-0.1"),
    (lambda: system(dc_ac_ratio=0.0), "dc_ac_ratio", "0.0"),
    (lambda: system(eta_inv_nom=98.0), "eta_inv_nom", "not per cent"),
    (lambda: system(ross_rack=float("nan")), "ross_rack", "nan"),
    (lambda: system(module="topcon_580"), "module", "load_module"),
    (lambda: system().warming("Rack", np.zeros(1)), "mounting", "did you mean rack?"),  # type: ignore[arg-type]
    (lambda: system().ross_k("roof"), "mounting", "rack, flush"),  # type: ignore[arg-type]
    (lambda: sky_year(sky(), "perez"), "weather", "Weather"),  # type: ignore[arg-type]
    (lambda: sky_year(weather(), "Perez"), "diffuse", "did you mean perez?"),  # type: ignore[arg-type]
    (lambda: sky_year(weather(), factors=(1.0, 1.0)), "factors", "rising"),
    (lambda: sky_year(weather(), factors=()), "factors", "at least one"),
    (lambda: sky_year(weather(), factors=np.ones((1, 11))), "factors", "(1, 11)"),
    (lambda: sky_year(weather(), factors=(float("nan"),)), "factors", "NaN"),
    (lambda: sky_year(weather(), suns_per_interval=0), "suns_per_interval", "0"),
    (lambda: factor_nodes(np.ones(12)), "factor", "(12,)"),
    (lambda: factor_nodes(np.full((2, 12), -1.0)), "factor", "-1"),
    (lambda: monthly_factors(weather(), np.ones((3, 11))), "target_ghi_kwh_m2", "(3, 11)"),
    (lambda: monthly_factors(weather(), np.full(3, -1.0)), "target_ghi_kwh_m2", "-1"),
    (lambda: anchor_weather(weather(), np.full(11, 100.0)), "ghi_kwh_m2", "(11,)"),
    (lambda: anchor_weather(weather(), float("nan")), "ghi_kwh_m2", "nan"),
    (lambda: anchor_weather(weather(), np.full(12, 300.0)), "ghi_kwh_m2", "at most"),
    (lambda: plane_tables(sky(), (20.0, 180.0), load_system()), "plane", "ModulePlane"),  # type: ignore[arg-type]
    (lambda: plane_tables(sky(), PLANE, load_system(), albedo=20.0), "albedo", "not per cent"),
    (lambda: far_horizons(np.zeros((3, 3)), 25.0, [1.0], [1.0], ["a"], 50.0), "z_m", "U1"),
    (lambda: far_horizons(np.zeros((3, 3)), 25.0, [1.0], [1.0], [0.0], 50.0, n_azimuth=0), "n_azimuth", "0"),
    (lambda: far_horizons(np.zeros((3, 3)), 25.0, [1.0], [1.0], [0.0], 50.0, known_deg=[1.0]), "known_deg", "(1, 72)"),
    (lambda: far_horizons(np.zeros((3, 3)), 25.0, [1.0], [1.0], [0.0], 50.0, known_deg="a"), "known_deg", "'a'"),
]


@pytest.mark.parametrize("call,name,word", NAMED_BESIDE, ids=range(len(NAMED_BESIDE)))
def test_what_stands_beside_names_its_arguments_too(call: Callable[[], Any], name: str, word: str) -> None:
    with pytest.raises(ArgumentError) as caught:
        call()
    says(caught.value, [name], word)


def test_a_configuration_changed_in_memory_is_checked() -> None:
    config = load_config(demo_dir() / "rooftop.yaml")
    assert checked_config(config) == config
    changed = config.model_copy(update={"scene": config.scene.model_copy(update={"diffuse": "Isotropic"})})
    with pytest.raises(ArgumentError) as caught:
        rooftop.run(changed)
    says(caught.value, ["config.scene.diffuse"], "did you mean isotropic?")


@pytest.mark.parametrize("quantity", argument_limits().ranges)
def test_limits_are_ranges(quantity: str) -> None:
    limits = limits_of(quantity)
    assert limits.low < limits.high and limits.holds(np.array([limits.low, np.nan, limits.high]))
    assert not limits.holds(np.array([np.nextafter(limits.low, -np.inf)]))
    assert not limits.holds(np.array([np.nextafter(limits.high, np.inf)]))
