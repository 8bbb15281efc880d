"""Cost, income, payback and carbon: by hand, and always a range."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from rooftop.campaign.carbon import emission_factor, province_name, province_of
from rooftop.campaign.money import load_economics, payback_years, roof_money
from rooftop.core.vocabularies import building_uses


def _one(use: str = "factory", kwp: float = 100.0, kwh: float = 110_000.0, province: str = "jiangsu") -> pd.Series:
    frame = roof_money(pd.Series([kwp]), pd.Series([kwh]), pd.Series([use]), load_economics(province))
    return frame.iloc[0]


def test_cost_and_income_by_hand() -> None:
    row = _one()
    assert row["capex_yuan_low"] == pytest.approx(220_000)
    assert row["capex_yuan_central"] == pytest.approx(260_000)
    assert row["capex_yuan_high"] == pytest.approx(300_000)
    # Factory in Jiangsu, central: 70 % used at 0.55, the rest fed in at 0.29, upkeep 0.05 yuan/W.
    assert row["income_yuan_a_central"] == pytest.approx(110_000 * (0.7 * 0.55 + 0.3 * 0.29) - 5_000)
    assert row["income_yuan_a_low"] == pytest.approx(110_000 * (0.5 * 0.35 + 0.5 * 0.20) - 6_000)
    assert row["income_yuan_a_high"] == pytest.approx(110_000 * (0.9 * 0.75 + 0.1 * 0.391) - 4_000)


def test_payback_by_hand_without_degradation() -> None:
    economics = load_economics("jiangsu")
    still = economics.__class__(**{**economics.__dict__, "degradation_first": 0.0, "degradation_later": 0.0})
    years = payback_years(
        np.array([1000.0, 1000.0, 10.0]), np.array([150.0, 40.0, 100.0]), np.array([50.0, 0.0, 0.0]), still
    )
    assert years[0] == pytest.approx(10.0)
    assert years[1] == pytest.approx(25.0)
    assert years[2] == pytest.approx(0.1)
    assert np.isinf(payback_years(np.array([1001.0]), np.array([40.0]), np.array([0.0]), still))[0]


def test_degradation_lengthens_the_payback() -> None:
    economics = load_economics("jiangsu")
    years = payback_years(np.array([1000.0]), np.array([100.0]), np.array([0.0]), economics)[0]
    # 99.5, then 98.8, 98.4 ... 95.6: ten years give 974.3; the eleventh gives 95.2, of which 25.7 are needed.
    assert years == pytest.approx(10.0 + 25.7 / 95.2)


def test_payback_is_an_ordered_range() -> None:
    for use in ("factory", "school", "residential", "unknown"):
        row = _one(use)
        assert row["payback_years_low"] < row["payback_years_central"] < row["payback_years_high"]


def test_more_energy_pays_back_sooner_and_nothing_installed_has_no_payback() -> None:
    assert _one(kwh=130_000)["payback_years_central"] < _one(kwh=100_000)["payback_years_central"]
    assert np.isnan(_one(kwp=0.0, kwh=0.0)["payback_years_central"])
    assert _one(kwp=0.0, kwh=0.0)["capex_yuan_central"] == 0.0


def test_shanxi_uses_half_on_site_at_least() -> None:
    there, elsewhere = load_economics("shanxi"), load_economics("jiangsu")
    assert there.min_self_use == 0.5 and elsewhere.min_self_use == 0.0
    # A warehouse uses 20 % at the unfavourable end; in Shanxi half must be used.
    gross = _one("warehouse", province="shanxi")["income_yuan_a_low"] + 6_000
    assert gross == pytest.approx(110_000 * (0.5 * 0.35 + 0.5 * 0.15))


def test_classes_and_voltage() -> None:
    economics = load_economics("jiangsu")
    assert "不可全额上网" in economics.classes["commercial"].zh and "全额上网" in economics.classes["household"].zh
    assert [economics.voltage(k) for k in (8.0, 8.1, 400.0, 401.0, 7000.0)] == [
        "220 V",
        "380 V",
        "380 V",
        "10 kV",
        "35 kV",
    ]


def test_every_range_in_the_file_is_ordered() -> None:
    economics = load_economics()
    tables = (economics.capex_yuan_w, economics.opex_yuan_w_a, economics.retail_yuan_kwh, economics.self_use)
    ranges = [r for table in tables for r in table.values()] + [economics.feed_in_yuan_kwh]
    assert all(0 <= r.low <= r.central <= r.high for r in ranges)
    assert set(building_uses().uses) >= set(economics.segment_of_use)


@pytest.mark.parametrize(
    ("codes", "province"),
    [
        (["320703", "320706"], "jiangsu"),
        (["330482001"], "zhejiang"),
        (["320703", "371502"], "national"),
        (["999999"], "national"),
        (["A", "unknown", ""], "national"),
        ([], "national"),
    ],
)
def test_province_from_district_codes(codes: list[str], province: str) -> None:
    assert province_of(codes) == province


def test_province_from_the_region_of_the_pack_where_codes_say_nothing() -> None:
    assert province_of(["990101"], "江苏省连云港市") == "jiangsu"
    assert province_of(["330482"], "江苏省连云港市") == "zhejiang"
    assert province_of(["110101"], "江苏省连云港市") == "national"
    assert province_of([], "全国") == "national"


def test_emission_factor_names_year_and_province() -> None:
    factor = emission_factor("jiangsu")
    assert (factor.kg_kwh, factor.year) == (0.5978, 2022)
    assert "2022" in factor.label.en and "江苏" in factor.label.zh
    assert factor.avoided_kg(1000.0) == pytest.approx(597.8)
    assert emission_factor("nowhere").province == "national"
    assert emission_factor("national").year == 2023
    assert province_name("shandong").zh == "山东"
