"""The whole job on real footprints: old Suzhou and a French commune (third-party files, never committed)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import openpyxl
import pytest

import rooftop
from rooftop.config import Config
from rooftop.targets import load_pack, mark_new

pytestmark = pytest.mark.real

BD_USES = {
    "Résidentiel": "residential",
    "Commercial et services": "commercial",
    "Industriel": "factory",
    "Agricole": "agriculture",
    "Sportif": "culture_sports",
    "Religieux": "religious",
    "Annexe": "other",
}


def irradiance(data: Path) -> dict[str, object]:
    folder = data / "irradiance"
    return {
        "ghi": {"path": folder / "GSA_GHI_mean_ERA5_pixel.tif", "unit": "kWh/m2/day", "period": "annual"},
        "dni": {"path": folder / "GSA_DNI_mean_ERA5_pixel.tif", "unit": "kWh/m2/day", "period": "annual"},
    }


@pytest.fixture(scope="module")
def suzhou(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> rooftop.RunResult:
    config = Config.model_validate(
        {
            "name": "suzhou",
            "title": "苏州古城",
            "inputs": {
                "footprints": {
                    "path": shared_data / "buildings_suzhou" / "suzhou_oldtown_3076.geojson",
                    "fields": {"id": "Id", "height_m": "height", "floors": "Floor"},
                },
                "irradiance": irradiance(shared_data),
                "weather": {"path": shared_data / "weather" / "CHN_Shanghai.Shanghai.583670_IWEC.epw"},
            },
            "policy": "lianyungang",
        }
    )
    return rooftop.run(config, tmp_path_factory.mktemp("suzhou"))


@pytest.fixture(scope="module")
def commune(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> rooftop.RunResult:
    config = Config.model_validate(
        {
            "name": "bdtopo",
            "inputs": {
                "footprints": {
                    "path": shared_data / "bdtopo_12174" / "BATIMENT.shp",
                    "fields": {
                        "id": "ID",
                        "height_m": "HAUTEUR",
                        "floors": "NB_ETAGES",
                        "building_use": "USAGE1",
                        "completion_date": "DATE_APP",
                    },
                    "use_map": BD_USES,
                },
                "irradiance": irradiance(shared_data),
            },
            "policy": "lianyungang",
            "outputs": {"lang": "en"},
        }
    )
    return rooftop.run(config, tmp_path_factory.mktemp("bdtopo"))


def test_suzhou_accounts_for_every_footprint(suzhou: rooftop.RunResult) -> None:
    result = suzhou
    roofs = result.tables.roofs
    assert len(roofs) == 3076
    assert roofs.building_id.is_unique
    assert str(roofs.crs) == "OGC:CRS84"
    assert result.record.crs == "EPSG:4549"
    codes = {notice.code: notice.count for notice in result.record.notices}
    assert codes["id_from_geometry"] == 3076
    assert codes["use_unknown"] == 3076
    assert codes["overlaps"] == 18


def test_suzhou_numbers_are_plausible(suzhou: rooftop.RunResult) -> None:
    result = suzhou
    used = result.tables.roofs.query("capacity_kwp > 0")
    assert used.ghi_kwh_m2.between(1310, 1345).all()
    total = used.annual_kwh.sum() / used.capacity_kwp.sum()
    assert 1050 <= total <= 1250
    assert 0.25 <= used.capacity_kwp.sum() / (used.gross_area_m2.sum() * 0.2246) <= 0.55
    assert used.shading_loss.max() <= 0.36
    assert used.lon.between(120.5, 120.8).all()


def test_suzhou_class_and_year_unknown_give_a_range_not_a_guess(suzhou: rooftop.RunResult) -> None:
    coverage = suzhou.tables.coverage
    front = coverage[coverage.is_default & (coverage.kind == "potential") & (coverage.level == "city")].iloc[0]
    assert np.isnan(front.coverage)
    assert front.n_unknown > 2500
    assert 0.0 <= front.coverage_low < 0.5 < front.coverage_high <= 1.0
    assert front.attained == "unknown"


def test_suzhou_workbook_asks_for_surveys(suzhou: rooftop.RunResult) -> None:
    book = openpyxl.load_workbook(next(p for p in suzhou.products.candidates if p.suffix == ".xlsx"), read_only=True)
    assert book.sheetnames == [
        "结论", "县区", "街道(镇)", "未达标新建建筑", "候选屋顶", "待核实", "任务量与容量", "口径说明", "数据来源",
    ]  # fmt: skip
    assert book["候选屋顶"].max_row > 2500


def test_commune_uses_and_dates_are_read(commune: rooftop.RunResult) -> None:
    roofs = commune.tables.roofs
    assert len(roofs) == 2273
    assert (roofs.building_use == "factory").sum() == 21
    assert roofs.is_new.value_counts().to_dict() == {"no": 1214, "unknown": 1059}  # the file ends in 2016
    pack = load_pack("lianyungang")
    earlier = pack.model_copy(update={"period": pack.period.model_copy(update={"start": 2012, "end": 2016})})
    years = roofs.completion_date.str[:4].astype("Int64")
    assert (mark_new(roofs, earlier) == "yes").sum() == years.between(2012, 2016).sum() == 93
    assert commune.record.crs == "EPSG:32631"


def test_commune_yield_fits_its_latitude(commune: rooftop.RunResult) -> None:
    used = commune.tables.roofs.query("capacity_kwp > 0")
    total = used.annual_kwh.sum() / used.capacity_kwp.sum()
    ghi = used.ghi_kwh_m2.mean()
    print(
        f"\nBD TOPO: {used.capacity_kwp.sum():,.0f} kWp, {used.annual_kwh.sum() / 1e3:,.0f} MWh, {total:,.0f} kWh/kWp"
    )
    assert 0.72 <= total / ghi <= 1.05
