"""One table of units: each of its units is known to configuration, reader, checks and guess, and no other is."""

from pathlib import Path

import numpy as np
import pytest
import rasterio
from pydantic import ValidationError

from rasters import write_raster
from rooftop.config import IrradianceInput, RasterInput
from rooftop.core import irradiance_units as module
from rooftop.core.errors import InputError
from rooftop.core.irradiance_units import IrradianceUnits, irradiance_units, to_degc, unit_factor
from rooftop.inputs.guess_irradiance import guess_irradiance
from rooftop.inputs.irradiance import check_against_clear_sky, open_irradiance_layer, read_irradiance
from rooftop.weather.clear_sky import DAYS_IN_MONTH

YEAR_KWH = 1400.0
AT = np.array([119.6]), np.array([34.5])
YEAR = np.array([365.0])
OF_IRRADIANCE, OF_TEMPERATURE = irradiance_units().of_irradiance, irradiance_units().of_temperature


def write(path: Path, value: float, unit: str | None = None) -> Path:
    write_raster(path, np.full((5, 7), value), 119.0, 35.0, 0.25, dtype="float64", nodata=None)
    if unit is not None:
        with rasterio.open(path, "r+") as sink:
            sink.update_tags(units=unit)
    return path


def ghi(folder: Path, unit: str, value: float) -> IrradianceInput:
    return IrradianceInput.model_validate({"ghi": {"path": write(folder / "g.tif", value), "unit": unit}})


@pytest.mark.parametrize("unit", OF_IRRADIANCE)
def test_a_unit_of_the_table_is_known_everywhere(tmp_path: Path, unit: str) -> None:
    stored = YEAR_KWH / float(unit_factor(unit, YEAR)[0])
    read = read_irradiance(ghi(tmp_path, unit, stored))
    at = read.sample(*AT)
    assert at.ghi_annual_kwh_m2[0] == pytest.approx(YEAR_KWH)
    assert [n.code for n in check_against_clear_sky(at, read)] == ["clear_sky_share"]
    ratio = {u: float(unit_factor(u, YEAR)[0] / unit_factor(unit, YEAR)[0]) for u in OF_IRRADIANCE}
    other = next(u for u in OF_IRRADIANCE if not 0.1 < ratio[u] < 5.0)
    wrong = read_irradiance(ghi(tmp_path, other, stored))
    with pytest.raises(InputError) as refused:
        check_against_clear_sky(wrong.sample(*AT), wrong)
    assert unit in refused.value.render("en").split("looks like")[1].split("declared")[0].split()
    assert guess_irradiance([write(tmp_path / "said.tif", stored, unit)]).unit == unit


@pytest.mark.parametrize("unit", OF_TEMPERATURE)
def test_a_unit_of_temperature_is_known_everywhere(tmp_path: Path, unit: str) -> None:
    stored = 14.0 - float(to_degc(np.zeros(1), unit)[0])
    raster = {"path": write(tmp_path / "t.tif", stored), "unit": unit}
    config = ghi(tmp_path, "kWh/m2/year", YEAR_KWH).model_dump() | {"temp_air": raster}
    read = read_irradiance(IrradianceInput.model_validate(config))
    at = read.sample(*AT)
    assert at.temp_air_annual_degc == pytest.approx([14.0])
    check_against_clear_sky(at, read)


@pytest.mark.parametrize("unit", ["kWh/m2/hour", "kWh/m2/Year", "BTU/ft2", "", 5, None])
def test_another_unit_is_refused_everywhere(tmp_path: Path, unit: str) -> None:
    with pytest.raises(ValidationError, match="kWh/m2/day"):
        RasterInput.model_validate({"path": "g.tif", "unit": unit})
    made = ghi(tmp_path, "kWh/m2/year", YEAR_KWH)
    slipped = made.ghi.model_copy(update={"unit": unit})  # a copy is not checked
    for role in ("ghi", "temp_air"):
        with pytest.raises(InputError, match="unit does not fit") as refused:
            open_irradiance_layer(role, slipped)
        assert refused.value.details["where"] == f"inputs.irradiance.{role}.unit"
    read = read_irradiance(made)
    at = read.sample(*AT)
    object.__setattr__(read.layers[0], "config", slipped)
    with pytest.raises(InputError, match="unit does not fit"):
        read.sample(*AT)
    at.ghi_annual_kwh_m2[:] = 9000.0
    with pytest.raises(InputError, match="unit does not fit"):
        check_against_clear_sky(at, read)
    with pytest.raises(InputError, match="unit does not fit"):
        unit_factor(unit, YEAR)
    with pytest.raises(InputError, match="unit does not fit"):
        to_degc(YEAR, unit)


def test_each_quantity_refuses_the_other_s_units(tmp_path: Path) -> None:
    for role, units in (("ghi", OF_TEMPERATURE), ("temp_air", OF_IRRADIANCE)):
        for unit in units:
            with pytest.raises(InputError, match="unit does not fit"):
                open_irradiance_layer(role, RasterInput(path=[write(tmp_path / "x.tif", 1.0)], unit=unit))


def test_one_line_of_the_table_adds_a_unit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Langleys, 1 cal/cm2 = 41.84 kJ/m2: nothing but the table is changed."""
    table = irradiance_units().model_dump()
    table["units"]["Ly/day"] = {"measures": "energy", "per_kwh": 3600.0 / 41.84, "span": "day", "usual": {"annual": 0}}
    grown = IrradianceUnits.model_validate(table)
    monkeypatch.setattr(module, "load_shipped", lambda *_: grown)
    stored = YEAR_KWH / 365.0 * 3600.0 / 41.84
    read = read_irradiance(ghi(tmp_path, "Ly/day", stored))
    at = read.sample(*AT)
    assert at.ghi_annual_kwh_m2[0] == pytest.approx(YEAR_KWH)
    check_against_clear_sky(at, read)
    assert guess_irradiance([write(tmp_path / "said.tif", stored)], (119.6, 34.5)).unit == "Ly/day"
    wrong = read_irradiance(ghi(tmp_path, "kWh/m2/day", stored))
    with pytest.raises(InputError, match="Ly/day"):
        check_against_clear_sky(wrong.sample(*AT), wrong)


def test_the_spans_of_the_table() -> None:
    months = DAYS_IN_MONTH.astype(float)
    year = {unit: float(unit_factor(unit, YEAR)[0]) for unit in OF_IRRADIANCE}
    for unit in OF_IRRADIANCE:
        summed = float(np.sum(unit_factor(unit, months)))
        assert summed == pytest.approx(year[unit]), unit
    assert year["kWh/m2/day"] == 365.0 and year["kWh/m2/month"] == 12.0 and year["kWh/m2/year"] == 1.0
    assert year["W/m2"] == pytest.approx(8.76) and year["MJ/m2/year"] == pytest.approx(1 / 3.6)
