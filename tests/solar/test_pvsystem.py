"""The PV system: shipped modules and parameters, and what a wrong file is told."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pvlib
import pytest
import yaml

from rooftop.config import Losses
from rooftop.core.errors import ConfigError
from rooftop.core.resources import configs_dir
from rooftop.core.yamlfile import load_yaml
from rooftop.solar.pvsystem import list_modules, load_module, load_system, load_system_rules

MODULE = {
    "name": {"en": "test", "zh": "测试"}, "pdc0_w": 400.0, "length_m": 1.7, "width_m": 1.1,
    "gamma_pdc_per_degc": -0.003,
    "technology": "mono", "bifacial": False, "source": "this test",
}  # fmt: skip


def written(folder: Path, **changes: object) -> Path:
    path = folder / "组件.yaml"
    data = {key: value for key, value in (MODULE | changes).items() if value is not None}
    path.write_text(yaml.safe_dump(data, allow_unicode=True), encoding="utf-8")
    return path


def test_every_shipped_module_is_sound_and_says_where_it_comes_from() -> None:
    assert "default" in list_modules()
    for name in list_modules():
        module = load_module(name)
        assert 0.19 < module.efficiency < 0.25
        assert module.efficiency == pytest.approx(module.pdc0_w / (1000 * module.length_m * module.width_m))
        assert -0.004 < module.gamma_pdc < -0.0025
        assert module.name.zh and module.name.en
        assert len(module.source) > 20


def test_default_names_a_module() -> None:
    assert load_module("default") == load_module(load_module("default").key)
    assert load_module() == load_module("default")


def test_module_from_a_path(tmp_path: Path) -> None:
    module = load_module(written(tmp_path))
    assert module.key == "组件"
    assert module.area_m2 == pytest.approx(1.87)


@pytest.mark.parametrize(
    "changes,where",
    [
        ({"pdc0_w": None}, "pdc0_w"),
        ({"pdc0_w": "580 W"}, "580 W"),
        ({"length_m": 2278.0}, "length_m"),
        ({"width_m": 1.9}, "width_m"),
        ({"gamma_pdc_per_degc": -0.3}, "gamma_pdc_per_degc"),
        ({"gamma_pdc_per_degc": 0.003}, "gamma_pdc_per_degc"),
        ({"pdc0_w": 900.0}, "efficiency"),
    ],
)
def test_impossible_modules_are_refused(tmp_path: Path, changes: dict[str, object], where: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_module(written(tmp_path, **changes))
    assert where in caught.value.render("en")
    assert "组件" in caught.value.render("zh")


def test_unknown_module_is_told_what_there_is() -> None:
    with pytest.raises(ConfigError, match="topcon_580"):
        load_module("no_such_module")
    with pytest.raises(ConfigError):
        load_module("no/such/file.yaml")


def test_system_puts_each_loss_on_its_side() -> None:
    none = dict.fromkeys(Losses.model_fields, 0.0)
    system = load_system(losses=Losses(**{**none, "soiling": 0.1, "wiring": 0.2, "availability": 0.05}))
    assert system.dc_share == pytest.approx(0.9 * 0.8)
    assert system.ac_share == pytest.approx(0.95)
    assert {name for name, _ in system.losses_dc + system.losses_ac} == set(Losses.model_fields)


def test_inverter_limit_is_the_ac_rating() -> None:
    system = load_system()
    assert system.inverter_pdc0 * system.eta_inv_nom == pytest.approx(1 / system.dc_ac_ratio)
    assert system.ross_k("flush") > system.ross_k("rack") > 0.015


def test_every_parameter_names_its_source() -> None:
    rules = load_system_rules()
    assert rules.date
    inverter = rules.inverter
    for value in (rules.dc_ac_ratio, inverter.eta_nom, inverter.eta_ref, rules.incidence, rules.temperature):
        assert len(value.source) > 10
    for path in (configs_dir() / "modules").glob("*.yaml"):
        module = load_yaml(path).data
        assert "same_as" in module or (module["source"] and module["date"])


def test_cell_temperature_is_a_choice() -> None:
    """Sandia's cells cool in the wind, Ross's do not; coefficients are those pvlib gives."""
    wind = np.array([0.0, 1.0, 8.0])
    ross, sapm = load_system(), load_system(cell_temperature="sapm")
    assert ross.cell_temperature == "ross"
    assert ross.warming("flush", wind).tolist() == [ross.ross_k("flush")] * 3
    for mounting, name in (("rack", "open_rack_glass_glass"), ("flush", "close_mount_glass_glass")):
        given = pvlib.temperature.TEMPERATURE_MODEL_PARAMETERS["sapm"][name]
        expected = pvlib.temperature.sapm_cell(800.0, 20.0, wind, **given)
        np.testing.assert_allclose(20.0 + 800.0 * sapm.warming(mounting, wind), expected)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "- a",
        "pdc0_w: 2021-13-01",
        "pdc0_w: " + "9" * 5000,
        "same_as: m",
        "same_as: [a]",
        "{",
        "\x00",
        "name: *a",
        "pdc0_w: .inf",
    ],
)
def test_a_module_file_that_is_none_is_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "m.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        load_module(path)
    assert caught.value.details["where"]
