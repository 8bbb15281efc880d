"""Shipped YAML: one dialect with users' files, one typed door for each file that has a model."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pydantic import BaseModel

from rooftop.campaign.rules import CampaignRules, EmissionFactors, Prices
from rooftop.campaign.uncertainty import Uncertainty
from rooftop.core.irradiance_units import IrradianceUnits
from rooftop.core.resources import configs_dir, load_shipped, load_shipped_yaml
from rooftop.core.roof_rules import RoofRules
from rooftop.core.vocabularies import BuildingUses, Reasons
from rooftop.core.yamlfile import load_trusted_yaml, load_yaml
from rooftop.inputs.weather_products import WeatherProducts
from rooftop.scene.agreement_rules import AgreementRules
from rooftop.scene.inverters import InverterRules
from rooftop.scene.loss_notices import UsualLosses
from rooftop.scene.plane_rules import PlaneRules
from rooftop.solar.pvsystem import SystemRules

TYPED: dict[str, type[BaseModel]] = {
    "building_uses.yaml": BuildingUses, "economics.yaml": Prices, "emission_factors.yaml": EmissionFactors,
    "gates.yaml": CampaignRules, "inverters.yaml": InverterRules, "irradiance_units.yaml": IrradianceUnits,
    "model_agreement.yaml": AgreementRules, "reasons.yaml": Reasons, "roof_planes.yaml": PlaneRules,
    "roof_types.yaml": RoofRules, "system.yaml": SystemRules, "uncertainty.yaml": Uncertainty,
    "usual_losses.yaml": UsualLosses,
    "weather_products.yaml": WeatherProducts,
}  # fmt: skip
FILES = [path.relative_to(configs_dir()) for path in sorted(configs_dir().rglob("*.yaml"))]


@pytest.mark.parametrize("name", FILES, ids=str)
def test_shipped_files_are_read_as_users_files_are(name: Path) -> None:
    assert load_shipped_yaml(*name.parts) == load_yaml(configs_dir() / name).data


def test_the_dialect_is_yaml_1_2_with_dates(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text("{a: yes, b: off, c: 0123, d: 12:30, e: true, f: 1_000, g: 7, h: 1.5, i: null}", encoding="utf-8")
    wanted = {"a": "yes", "b": "off", "c": "0123", "d": "12:30", "e": True, "f": "1_000", "g": 7, "h": 1.5, "i": None}
    assert load_trusted_yaml(path) == load_yaml(path).data == wanted


@pytest.mark.parametrize("name", TYPED)
def test_a_file_with_a_model_has_one_door(name: str, repo: Path) -> None:
    assert load_shipped(TYPED[name], name) is load_shipped(TYPED[name], name)
    door = re.compile(rf'load_shipped\w*\([^)]*"{name}"')
    doors = [path for path in (repo / "src").rglob("*.py") if door.search(path.read_text(encoding="utf-8"))]
    assert len(doors) == 1, doors


def test_no_file_is_read_past_its_model(repo: Path) -> None:
    for path in (repo / "src").rglob("*.py"):
        raw = re.findall(r'load_shipped_yaml\("([^"]+)"\)', path.read_text(encoding="utf-8"))
        assert not set(raw) & set(TYPED), path
