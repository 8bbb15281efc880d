"""The audit: declared projects against sunlight, efficiency, area and hours; every limit worked out by hand."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from rooftop.core.errors import ConfigError, UsageError
from rooftop.core.resources import configs_dir
from rooftop.inputs.audit_limits import audit_limits
from rooftop.inputs.declared import Project
from rooftop.targets import list_packs, load_pack
from rooftop.targets.audit import AuditResult, audit, claims_of, counts, modules_needed_m2
from rooftop.targets.audit_places import given_place, place_named, place_of_pack

THIS_YEAR = 2026
LIMITS = audit_limits()
HERE = given_place(1400.0, LIMITS)


def judged(**declared: Any) -> AuditResult:
    project = Project(row=1, **declared)
    return audit([project], LIMITS, THIS_YEAR, HERE)[0]


def check(found: AuditResult, code: str) -> str:
    return next(c.verdict for c in found.checks if c.code == code)


def test_the_hospital_of_lianyungang() -> None:
    """150 m², 600 kW, 146 MWh a year.

    600 kW / 150 m² = 4 000 W/m² against 1 000 W/m² of sunlight; 146 000 kWh / 150 m² = 973 kWh/m², of 1 430 kWh/m²
    that is 68 % (1 330-1 530: 64-73 %); 146 000 / 600 = 243 h, usual 0.77 x 1 430 = 1 101 h; modules: 600 000 W / 214
    W/m² = 2 804 m².
    """
    pack = load_pack("lianyungang")
    (found,) = audit(claims_of(pack), LIMITS, THIS_YEAR, place_of_pack(pack, LIMITS))
    assert found.verdict == "impossible"
    assert [(c.code, c.verdict) for c in found.checks] == [
        ("power", "impossible"),
        ("sunlight", "impossible"),
        ("hours", "improbable"),
    ]
    power, sunlight, hours = (c.text for c in found.checks)
    for part in ("4,000 W", "1,000 W/m²", "2,800 m²", "150 m²"):
        assert part in power.en
    for part in ("4,000 W", "2,800 ㎡", "超过阳光本身"):
        assert part in power.zh
    assert "973 kWh" in sunlight.en and "68% (64%–73%)" in sunlight.en and "1,430" in sunlight.zh
    assert "243" in hours.en and "1,100" in hours.en and "243 h" in hours.zh
    claim = pack.claims[0]
    assert (
        (found.project.area_m2, found.project.capacity_kw) == (claim.roof_area_m2, claim.capacity_kw) == (150.0, 600.0)
    )
    assert found.project.annual_kwh == 146_000.0


def test_modules_a_capacity_needs() -> None:
    assert modules_needed_m2(600.0) == pytest.approx(600_000 / 214)


@pytest.mark.parametrize(
    ("capacity_kw", "verdict"),
    # 1 000 W/m² x 0.27 x 1.42 = 383.4 W/m² impossible, 210 W/m² improbable; on 1 000 m² of roof.
    [(150.0, "fine"), (209.9, "fine"), (210.1, "improbable"), (383.3, "improbable"), (383.5, "impossible")],
)
def test_power_per_roof(capacity_kw: float, verdict: str) -> None:
    assert judged(area_m2=1000.0, capacity_kw=capacity_kw).verdict == verdict


def test_power_per_roof_depends_on_the_roof() -> None:
    assert judged(area_m2=1000.0, capacity_kw=195.0, roof_type="flat_concrete").verdict == "improbable"
    assert judged(area_m2=1000.0, capacity_kw=195.0, roof_type="steel_sheet").verdict == "fine"
    assert judged(area_m2=1000.0, capacity_kw=195.0, roof_type="flat_concrete_highrise").verdict == "fine"


@pytest.mark.parametrize(
    ("annual_kwh", "verdict"),
    # of 1 400 kWh/m²: 0.20 is 280, 0.36 is 504 kWh per m² of roof
    [(279_000.0, "fine"), (281_000.0, "improbable"), (503_000.0, "improbable"), (505_000.0, "impossible")],
)
def test_energy_per_roof(annual_kwh: float, verdict: str) -> None:
    assert judged(area_m2=1000.0, annual_kwh=annual_kwh).verdict == verdict


@pytest.mark.parametrize(
    ("hours", "verdict"),
    # of 1 400: 0.50 is 700 h, 1.05 is 1 470 h, 1.45 is 2 030 h
    [
        (699, "improbable"),
        (701, "fine"),
        (1469, "fine"),
        (1471, "improbable"),
        (2029, "improbable"),
        (2031, "impossible"),
    ],
)
def test_full_load_hours(hours: float, verdict: str) -> None:
    assert judged(capacity_kw=100.0, annual_kwh=100.0 * hours).verdict == verdict


def test_sunlight_favours_the_project() -> None:
    """Around Lianyungang (1 330-1 530) 505 kWh/m² is 33 % of the highest sunlight: improbable, not impossible."""
    place = place_named("连云港市赣榆区", LIMITS)
    project = Project(row=1, area_m2=1000.0, annual_kwh=505_000.0)
    assert audit([project], LIMITS, THIS_YEAR, place)[0].verdict == "improbable"
    # 0.5 x 1 330 = 665 h: what lies above is believable under some value of the sunlight.
    slow = Project(row=1, capacity_kw=1.0, annual_kwh=670.0)
    assert audit([slow], LIMITS, THIS_YEAR, place)[0].verdict == "fine"


@pytest.mark.parametrize(
    ("face", "verdict"),
    # 100 kW on the face: 0.24 is 416.7 m², 0.27 is 370.4 m², 0.08 is 1 250 m²
    [(420.0, "fine"), (410.0, "improbable"), (371.0, "improbable"), (370.0, "impossible"), (1260.0, "improbable")],
)
def test_power_per_module(face: float, verdict: str) -> None:
    assert judged(capacity_kw=100.0, module_area_m2=face).verdict == verdict


def test_modules_must_fit() -> None:
    assert check(judged(area_m2=100.0, module_area_m2=100.0), "fit") == "fine"
    assert check(judged(area_m2=100.0, module_area_m2=101.0), "fit") == "improbable"
    assert check(judged(area_m2=100.0, module_area_m2=143.0), "fit") == "impossible"


def test_years() -> None:
    sound = {"area_m2": 1000.0, "capacity_kw": 150.0}
    assert judged(**sound, year=THIS_YEAR).verdict == "fine"
    assert judged(**sound, year=THIS_YEAR + 1).verdict == "improbable"
    assert judged(**sound, year=1999).verdict == "improbable"
    assert judged(**sound, year=1953).verdict == "impossible"


def test_what_is_not_declared_cannot_be_judged() -> None:
    for declared in ({}, {"area_m2": 100.0}, {"capacity_kw": 5.0}, {"annual_kwh": 5.0}, {"year": 2020}):
        found = judged(**declared)
        assert found.verdict == "unjudged" and found.missing is not None
    found = judged(capacity_kw=5.0, unread=(("area", "若干"),))
    assert found.missing is not None and "若干" in found.missing.zh and "roof area (若干)" in found.missing.en


def test_an_unknown_place_takes_the_widest_sunlight() -> None:
    found = audit([Project(row=1, area_m2=1000.0, annual_kwh=505_000.0, district="某地")], LIMITS, THIS_YEAR)[0]
    assert found.place.id == "national" and found.verdict == "improbable"
    assert "at least 22%" in found.checks[0].text.en
    by_row = audit([Project(row=1, district="大同市云冈区")], LIMITS, THIS_YEAR)[0]
    assert by_row.place.id == "datong"


def test_every_pack_has_a_place() -> None:
    places = {name: place_of_pack(load_pack(name), LIMITS).id for name in list_packs()}
    assert places == {
        "lianyungang": "lianyungang", "pinghu": "pinghu", "liaocheng": "liaocheng", "shanxi": "shanxi",
        "national": "national", "whole_county": "national",
    }  # fmt: skip


def test_both_languages_say_the_same_numbers() -> None:
    found = judged(area_m2=150.0, capacity_kw=600.0, annual_kwh=146_000.0, module_area_m2=300.0, year=1900)
    assert len(found.checks) == 6
    for item in found.checks:
        digits = [
            set("".join(c if c.isdecimal() else " " for c in text).split()) for text in (item.text.en, item.text.zh)
        ]
        assert digits[0] == digits[1], item


def test_counts_name_every_verdict() -> None:
    found = [judged(area_m2=100.0, capacity_kw=100.0), judged()]
    assert counts(found) == {"impossible": 1, "improbable": 0, "fine": 0, "unjudged": 1}


def test_the_declaration_is_kept() -> None:
    project = Project(row=7, name="甲", area_m2=150.0, capacity_kw=600.0, annual_kwh=146_000.0)
    before = dataclasses.asdict(project)
    assert dataclasses.asdict(audit([project], LIMITS, THIS_YEAR, HERE)[0].project) == before


def test_limits_of_ones_own(tmp_path: Path) -> None:
    data = yaml.safe_load((configs_dir() / "audit.yaml").read_text(encoding="utf-8"))
    data["dense_w_per_m2"]["default"] = 100
    path = tmp_path / "mine.yaml"
    path.write_text(json.dumps(data, ensure_ascii=False, default=str), encoding="utf-8")
    project = Project(row=1, area_m2=1000.0, capacity_kw=150.0)
    assert audit([project], audit_limits(path), THIS_YEAR, HERE)[0].verdict == "improbable"
    data["module"]["efficiency_max"] = {"value": -1, "source": {"zh": "甲", "en": "a"}}
    path = tmp_path / "wrong.yaml"
    path.write_text(json.dumps(data, ensure_ascii=False, default=str), encoding="utf-8")
    with pytest.raises(ConfigError, match="efficiency_max"):
        audit_limits(path)


def test_sunlight_no_place_has() -> None:
    with pytest.raises(UsageError, match="--ghi"):
        given_place(4.2, LIMITS)


def test_improbable_hours_lie_outside_the_band_that_is_printed() -> None:
    """Lianyungang: 0.5 × 1 330 = 665 h, printed as 670; 1.05 × 1 530 = 1 606.5 h, printed as 1 600."""
    place = place_named("连云港", LIMITS)
    for hours, verdict in ((664.0, "improbable"), (666.0, "fine"), (1606.0, "fine"), (1607.0, "improbable")):
        found = audit([Project(row=1, capacity_kw=1.0, annual_kwh=hours)], LIMITS, THIS_YEAR, place)[0]
        assert check(found, "hours") == verdict
        assert ("670–1,600" in found.checks[0].text.zh) == (verdict == "improbable")
    both = audit([Project(row=1, area_m2=150.0, annual_kwh=146_000.0)], LIMITS, THIS_YEAR, place)[0].checks[0].text
    assert "水平面年总辐照 1,430（1,330–1,530） kWh/㎡" in both.zh and "GHI 1,430, 1,330–1,530 kWh/m²" in both.en
