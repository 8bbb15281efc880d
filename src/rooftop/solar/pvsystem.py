"""The PV system: module, inverter, incidence angle, temperature and losses, read from cited YAML."""

from __future__ import annotations

import difflib
import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from pydantic import Field

from rooftop.config import Losses
from rooftop.core.arguments import instance, local_path, require_number, word
from rooftop.core.choices import CellTemperature, Mounting
from rooftop.core.datamodel import Model, Sourced
from rooftop.core.errors import ConfigError
from rooftop.core.lang import Text
from rooftop.core.resources import configs_dir, load_shipped
from rooftop.core.types import F8
from rooftop.core.yamlfile import load_yaml, require_mapping

DiffuseIncidence = Literal["marion", "none"]
IncidenceModel = Literal["physical", "ashrae", "martin_ruiz", "schlick"]


class InverterEfficiency(Model):
    """Nominal efficiency, and that of the reference curve."""

    eta_nom: Sourced
    eta_ref: Sourced


class Incidence(Model):
    """Loss by the angle of incidence, of beam and of diffuse light."""

    model: IncidenceModel
    diffuse: DiffuseIncidence
    parameters: dict[str, float]
    source: str


class RossMounting(Model):
    """Warming of cells by light [K m2/W]."""

    k: float
    source: str


class SapmMounting(Model):
    """Sandia's coefficients of a mounting."""

    a: float
    b: float
    delta_t: float = Field(alias="deltaT")
    source: str

    @property
    def coefficients(self) -> tuple[float, float, float]:
        """``a``, ``b``, ``deltaT``."""
        return self.a, self.b, self.delta_t


class SapmTemperature(Model):
    """Sandia's model of cell temperature."""

    source: str
    rack: SapmMounting
    flush: SapmMounting


class TemperatureRules(Model):
    """Cell temperature: Ross's model, and Sandia's."""

    model: CellTemperature
    source: str
    rack: RossMounting
    flush: RossMounting
    sapm: SapmTemperature

    def source_of(self, model: CellTemperature) -> str:
        """Return where the coefficients of a model come from."""
        return self.source if model == "ross" else self.sapm.source


class LossSides(Model):
    """Which losses act before the inverter, and which after it."""

    dc: tuple[str, ...]
    ac: tuple[str, ...]


class SystemRules(Model):
    """Typed view of `configs/system.yaml`."""

    date: object
    dc_ac_ratio: Sourced
    inverter: InverterEfficiency
    incidence: Incidence
    temperature: TemperatureRules
    losses: LossSides


def load_system_rules() -> SystemRules:
    """Return the shipped parameters that are the same for every roof."""
    return load_shipped(SystemRules, "system.yaml")


@dataclass(frozen=True)
class Module:
    """One PV module.

    Parameters
    ----------
    key : str
        Name of its file.
    name : Text
        What people call it.
    pdc0_w : float
        Power at standard test conditions [W].
    length_m, width_m : float
        Outer dimensions [m]; length is the longer side.
    gamma_pdc : float
        Temperature coefficient of power [1/degC], negative.
    technology : str
    bifacial : bool
        Stated only; no rear gain is counted.
    source : str
        Where the numbers come from.
    """

    key: str
    name: Text
    pdc0_w: float
    length_m: float
    width_m: float
    gamma_pdc: float
    technology: str
    bifacial: bool
    source: str

    @property
    def area_m2(self) -> float:
        """Face area [m2]."""
        return self.length_m * self.width_m

    @property
    def efficiency(self) -> float:
        """Power at standard test conditions per 1000 W/m2 on the face."""
        return self.pdc0_w / (1000.0 * self.area_m2)


@dataclass(frozen=True)
class PvSystem:
    """Everything between irradiance and the meter, per kWp.

    Parameters
    ----------
    module : Module
    dc_ac_ratio : float
        DC rating over the inverter's AC limit.
    eta_inv_nom, eta_inv_ref : float
        Nominal and reference efficiency of the PVWatts inverter model.
    iam_model : {"physical", "ashrae", "martin_ruiz", "schlick"}
        pvlib's incidence angle model.
    iam_parameters : tuple of (str, float)
        Its keyword arguments.
    ross_rack, ross_flush : float
        Rise of the cell above the air per irradiance on the plane [K m2/W].
    losses_dc, losses_ac : tuple of (str, float)
        Named shares lost before and after the inverter; they multiply.
    iam_diffuse : {"marion", "none"}
        Diffuse light loses what the incidence model says of its directions (Marion 2017), or nothing, circumsolar light
        included (PVWatts 5).
    cell_temperature : {"ross", "sapm"}
        By light alone (Ross), or by light and wind (Sandia).
    sapm_rack, sapm_flush : (float, float, float)
        Sandia's a, b and deltaT [K].

    Raises
    ------
    ArgumentError
        A word is unknown, or a number is none or out of its limits.
    """

    module: Module
    dc_ac_ratio: float
    eta_inv_nom: float
    eta_inv_ref: float
    iam_model: IncidenceModel
    iam_parameters: tuple[tuple[str, float], ...]
    ross_rack: float
    ross_flush: float
    losses_dc: tuple[tuple[str, float], ...]
    losses_ac: tuple[tuple[str, float], ...]
    iam_diffuse: DiffuseIncidence = "marion"
    cell_temperature: CellTemperature = "ross"
    sapm_rack: tuple[float, float, float] = (math.nan, math.nan, math.nan)
    sapm_flush: tuple[float, float, float] = (math.nan, math.nan, math.nan)

    def __post_init__(self) -> None:
        instance("module", self.module, Module, "rooftop.solar.pvsystem.load_module(name)")
        for name, vocabulary in _WORDS.items():
            word(name, getattr(self, name), vocabulary)
        for name, quantity in _QUANTITIES.items():
            require_number(name, getattr(self, name), quantity)
        for side in ("losses_dc", "losses_ac"):
            for name, share in getattr(self, side):
                require_number(f"{side}: {name}", share, "loss")
        for name in ("sapm_rack", "sapm_flush") if self.cell_temperature == "sapm" else ():
            for value in getattr(self, name):
                require_number(name, value, "sapm")

    @property
    def dc_share(self) -> float:
        """What the DC losses leave."""
        return math.prod(1.0 - share for _, share in self.losses_dc)

    @property
    def ac_share(self) -> float:
        """What the AC losses leave."""
        return math.prod(1.0 - share for _, share in self.losses_ac)

    @property
    def inverter_pdc0(self) -> float:
        """DC input limit of the inverter per unit of DC rating."""
        return 1.0 / (self.dc_ac_ratio * self.eta_inv_nom)

    def ross_k(self, mounting: Mounting) -> float:
        """Return the Ross coefficient of a mounting [K m2/W]."""
        return {"rack": self.ross_rack, "flush": self.ross_flush}[word("mounting", mounting, Mounting)]

    def warming(self, mounting: Mounting, wind_speed: F8) -> F8:
        """Rise of the cell above the air per irradiance on the plane, (n,) [K m2/W].

        Both models are proportional to the irradiance.

        Parameters
        ----------
        mounting : {"rack", "flush"}
        wind_speed : (n,)
            At 10 m in the open [m/s]; Ross's model leaves it out.
        """
        if self.cell_temperature == "ross":
            return np.full(np.shape(wind_speed), self.ross_k(mounting))
        a, b, delta_t = {"rack": self.sapm_rack, "flush": self.sapm_flush}[word("mounting", mounting, Mounting)]
        rise: F8 = np.exp(a + b * wind_speed) + delta_t / 1000.0
        return rise


_WORDS = {"iam_model": IncidenceModel, "iam_diffuse": DiffuseIncidence, "cell_temperature": CellTemperature}
_QUANTITIES = {
    "dc_ac_ratio": "dc_ac_ratio",
    "eta_inv_nom": "efficiency",
    "eta_inv_ref": "efficiency",
    "ross_rack": "ross",
    "ross_flush": "ross",
}


def checked_system(system: object) -> PvSystem:
    """Return the argument `system`, the shipped default where it is None; an `ArgumentError` where it is neither."""
    return load_system() if system is None else instance("system", system, PvSystem, "load_system()")


def load_module(name_or_path: str | Path = "default") -> Module:
    """Load a module from `configs/modules/` or from a YAML file.

    Raises
    ------
    ConfigError
        There is no such module, or the file lacks a key or holds an impossible value.
    ArgumentError
        This is no text.
    """
    path = local_path("module", name_or_path)
    if path.suffix not in (".yaml", ".yml"):
        path = configs_dir() / "modules" / f"{name_or_path}.yaml"
    if not path.is_file():
        raise _no_such_module(str(name_or_path))
    data = require_mapping(load_yaml(path))
    if "same_as" in data:
        path = path.parent / f"{data['same_as']}.yaml"
        data = require_mapping(load_yaml(path))
    return _module(path, data)


def _no_such_module(name: str) -> ConfigError:
    known = list_modules()
    listed, power = ", ".join(known), re.search(r"\d{3}", name)
    near = [k for k in known if power is not None and power.group() in k] or difflib.get_close_matches(name, known, 1)
    return ConfigError(
        Text("there is no such PV module", "没有这种光伏组件"),
        where="system.module",
        found=name,
        expected=Text(f"one of {listed}, or the path of a YAML file", f"{listed} 之一，或 YAML 文件路径"),
        mend=Text(f"did you mean {near[0]}?", f"是否为 {near[0]}？")
        if near
        else Text("write one of these", "请填写其中之一"),
    )


def list_modules() -> list[str]:
    """Return the names of the shipped modules."""
    return sorted(path.stem for path in (configs_dir() / "modules").glob("*.yaml"))


def load_system(
    module: str | Path | Module = "default",
    losses: Losses | None = None,
    cell_temperature: CellTemperature | None = None,
) -> PvSystem:
    """Build the PV system from `configs/system.yaml`, a module and the configured losses.

    Parameters
    ----------
    module : str, path or Module
    losses : Losses, optional
        The configuration's named losses; its defaults when omitted.
    cell_temperature : {"ross", "sapm"}, optional
        What `configs/system.yaml` says when omitted.

    Raises
    ------
    ArgumentError
        An argument is of another type, or an unknown word.
    ConfigError
        There is no such module, or its file cannot be used.
    """
    if losses is not None:
        instance("losses", losses, Losses, "rooftop.config.Losses(soiling=0.02)")
    if cell_temperature is not None:
        word("cell_temperature", cell_temperature, CellTemperature)
    rules = load_system_rules()
    shares = (losses or Losses()).model_dump()
    sides = rules.losses
    unplaced = set(shares) - set(sides.dc) - set(sides.ac)
    if unplaced:
        raise ConfigError(
            Text("system.yaml does not say where a loss acts", "system.yaml 未说明该损失作用于哪一侧"),
            where="configs/system.yaml: losses",
            found=", ".join(sorted(unplaced)),
        )
    temperature = rules.temperature
    return PvSystem(
        module=module if isinstance(module, Module) else load_module(module),
        dc_ac_ratio=rules.dc_ac_ratio.value,
        eta_inv_nom=rules.inverter.eta_nom.value,
        eta_inv_ref=rules.inverter.eta_ref.value,
        iam_model=rules.incidence.model,
        iam_parameters=tuple(rules.incidence.parameters.items()),
        ross_rack=temperature.rack.k,
        ross_flush=temperature.flush.k,
        losses_dc=tuple((name, float(shares[name])) for name in sides.dc),
        losses_ac=tuple((name, float(shares[name])) for name in sides.ac),
        iam_diffuse=rules.incidence.diffuse,
        cell_temperature=cell_temperature or temperature.model,
        sapm_rack=temperature.sapm.rack.coefficients,
        sapm_flush=temperature.sapm.flush.coefficients,
    )


def _module(path: Path, data: Any) -> Module:
    try:
        module = Module(
            key=path.stem,
            name=Text(en=str(data["name"]["en"]), zh=str(data["name"]["zh"])),
            pdc0_w=float(data["pdc0_w"]),
            length_m=float(data["length_m"]),
            width_m=float(data["width_m"]),
            gamma_pdc=float(data["gamma_pdc_per_degc"]),
            technology=str(data["technology"]),
            bifacial=bool(data["bifacial"]),
            source=str(data["source"]),
        )
    except (KeyError, TypeError, ValueError) as problem:
        raise ConfigError(
            Text("the PV module file lacks a key or holds text for a number", "光伏组件文件缺少字段，或数值写成了文字"),
            where=str(path),
            found=str(problem),
            expected="name {en, zh}, pdc0_w, length_m, width_m, gamma_pdc_per_degc, technology, bifacial, source",
        ) from None
    _refuse_impossible(path, module)
    return module


def _refuse_impossible(path: Path, module: Module) -> None:
    checks = (
        ("pdc0_w", 50.0 <= module.pdc0_w <= 1000.0, f"{module.pdc0_w} W", "50-1000 W"),
        ("length_m", 0.3 <= module.length_m <= 4.0, f"{module.length_m} m", "0.3-4 m"),
        ("width_m", 0.3 <= module.width_m <= module.length_m, f"{module.width_m} m", "0.3 m to length_m"),
        ("gamma_pdc_per_degc", -0.01 < module.gamma_pdc < 0.0, f"{module.gamma_pdc} /degC", "-0.01 to 0, e.g. -0.0029"),
    )
    for key, good, found, expected in checks:
        if not good:
            raise ConfigError(
                Text("a module value is impossible", "组件参数不合理"),
                where=f"{path}: {key}",
                found=found,
                expected=expected,
            )
    if not 0.05 <= module.efficiency <= 0.30:
        raise ConfigError(
            Text("module power does not fit its dimensions", "组件功率与尺寸不符"),
            where=str(path),
            found=Text(f"efficiency {module.efficiency:.1%}", f"效率 {module.efficiency:.1%}"),
            expected="5-30 %",
        )
