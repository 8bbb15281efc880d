"""Uses inferred from names and land: the same code in three standards, shares, lost zeros, what is never overruled."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pytest
import shapely
from pyproj import CRS, Transformer

from rooftop.config import LandUseInput
from rooftop.configfile import load_config
from rooftop.core.errors import ConfigError, InputError
from rooftop.core.resources import demo_dir
from rooftop.inputs.datums import wgs84_to_gcj02
from rooftop.inputs.land_use import InferredUses, infer_uses
from rooftop.inputs.land_use_codes import entry_of, inference, land_use_rules
from rooftop.inputs.use_rules import use_of_name
from rooftop.job.sources import read_sources
from rooftop.outputs.use_sources import inferred_by, use_source_label
from rooftop.targets import coverage_table
from rooftop.targets.models import Scope
from rooftop.targets.scope import NO, PRESUMED, UNKNOWN, YES, facts, membership
from targets_example import five_buildings, in_one_district, one, pack_copy, roof, table

CRS_4549 = CRS.from_epsg(4549)
X, Y = 430_000.0, 3_830_000.0


def box(x: float, width: float = 20.0, height: float = 20.0) -> shapely.Polygon:
    return shapely.box(X + x, Y, X + x + width, Y + height)


def plot(i: int, width: float = 80.0) -> shapely.Polygon:
    """The i-th parcel; building i (see `buildings`) stands in its middle."""
    return shapely.box(X + 100 * i - 30, Y - 30, X + 100 * i - 30 + width, Y + 50)


def buildings(n: int, **columns: Any) -> gpd.GeoDataFrame:
    text = {name: pd.array([pd.NA] * n, dtype="string") for name in ("building_name", "owner_type")}
    frame = gpd.GeoDataFrame(
        {"building_id": [f"b{i}" for i in range(n)], **text},
        geometry=[box(100 * i) for i in range(n)],
        crs=CRS_4549,
    )
    plain = {
        "building_use": "unknown",
        "use_source": "none",
        "is_public_institution": "unknown",
        "public_source": "none",
    }
    frame = frame.assign(**{k: pd.array([v] * n, dtype="string") for k, v in plain.items()})
    frame["reasons"] = [["use_unknown", "year_unknown"] for _ in range(n)]
    for name, values in columns.items():
        frame[name] = pd.array(values, dtype="string")
    return frame


def land(path: Path, codes: list[Any], shapes: list[Any] | None = None, crs: Any = 4549, **more: Any) -> Path:
    columns = {"DLBM": codes} | {k: v for k, v in more.items() if k != "encoding"}
    frame = gpd.GeoDataFrame(columns, geometry=shapes or [plot(i) for i in range(len(codes))], crs=crs)
    keep = {"encoding": more["encoding"]} if "encoding" in more else {}
    pyogrio.write_dataframe(frame, path, **keep)
    return path


def infer(path: Path, standard: str, frame: gpd.GeoDataFrame, **config: Any) -> InferredUses:
    return infer_uses(frame, LandUseInput(path=path, code_field="DLBM", standard=standard, **config))


def counts(found: InferredUses) -> dict[str, int]:
    return {notice.code: notice.count for notice in found.notices}


# --- the same code in three standards --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "ydyh", "gbt", "sandiao"),
    [
        ("1001", "factory", "transport", "transport"),  # 工业, 铁路, 铁路
        ("0601", None, "factory", "factory"),  # 农村道路, 工业, 工业
        ("0801", "government_office", "government_office", None),
        ("0804", "school", "office", None),  # 教育, 科研
        ("0806", "hospital", "care_home", None),  # 医疗卫生, 社会福利
        ("0803", "culture_sports", "school", None),  # 文化, 教育
        ("0901", "commercial", "military", "other"),  # 商业, 军事, 特殊用地
        ("0701", "residential", "residential", "residential"),
        ("0702", "government_office", "rural_house", "rural_house"),  # 社区服务, 宅基地
        ("0703", "rural_house", None, None),
        ("1101", "warehouse", None, None),  # 物流仓储, 河流水面
        ("1501", "military", None, None),
        ("05H1", None, None, "commercial"),
        ("080403", "school", "office", None),  # 中小学 falls under 0804
        ("08H2A", None, None, "school"),
        ("0702A", "government_office", "rural_house", "rural_house"),
        ("1304", "utility", None, None),  # an undivided class takes its codes
    ],
)
def test_a_code_means_what_its_standard_says(code: str, ydyh: str | None, gbt: str | None, sandiao: str | None) -> None:
    for standard, expected in (("ydyh_2023", ydyh), ("gbt21010_2017", gbt), ("sandiao", sandiao)):
        found = inference(standard, code)
        assert (found.uses[0] if found is not None and found.uses else None) == expected, standard


def test_unknown_codes_are_unknown() -> None:
    assert entry_of("ydyh_2023", "0899") is None  # a divided class takes no code it does not list
    assert entry_of("gbt21010_2017", "0703") is None
    assert entry_of("ydyh_2023", "9901") is None
    assert entry_of("gbt21010_2017", "0102") == "01"


def test_no_inferred_use_that_a_pack_asks_for_is_certain() -> None:
    for name, standard in land_use_rules().standards.items():
        for code, entry in standard.codes.items():
            if entry.uses not in ((), ("military",)):
                assert len(set(entry.uses)) >= 2, (name, code)
                assert entry.confidence in land_use_rules().confidence


# --- reading ---------------------------------------------------------------------------------------------------------


def test_use_ownership_source_confidence_and_share(tmp_path: Path) -> None:
    path = land(tmp_path / "l.gpkg", ["1001", "0801", "0804", "1207", "1501"])
    found = infer(path, "ydyh_2023", buildings(6))
    t = found.table
    assert t["building_use"].tolist() == ["factory", "government_office", "school", "unknown", "military", "unknown"]
    assert t["use_source"].tolist() == [
        "land_use:ydyh_2023:1001", "land_use:ydyh_2023:0801", "land_use:ydyh_2023:0804", "none",
        "land_use:ydyh_2023:1501", "none",
    ]  # fmt: skip
    assert t["is_public_institution"].tolist() == ["no", "yes", "unknown", "unknown", "unknown", "unknown"]
    assert t["public_source"].tolist() == ["land_use", "land_use", "none", "none", "none", "none"]
    assert t["use_confidence"].tolist()[:3] == ["high"] * 3
    assert t["land_use_share"].tolist()[:5] == [1.0] * 5
    assert np.isnan(t["land_use_share"].iloc[5])
    assert t["reasons"].tolist()[0] == ["year_unknown"]
    assert t["reasons"].tolist()[3] == ["use_unknown", "year_unknown"]
    assert counts(found) == {"land_use_missing": 1, "use_by_land_use": 4, "use_unknown": 2}
    assert found.provenance is not None
    assert "用地用海" in found.provenance.details["standard"]


def test_the_largest_share_decides_and_parcels_of_one_code_add_up(tmp_path: Path) -> None:
    # Building 0 (20 m wide): 8 m and 4 m of school land, 8 m of industry between: school has 0.6.
    # Building 1: 7 m, 7 m and 6 m of three lands: none has half.
    strips = [box(-10, 18), box(8, 8), box(16, 10), box(90, 17), box(107, 7), box(114, 20)]
    path = land(tmp_path / "l.gpkg", ["0804", "1001", "0804", "0804", "1001", "0701"], strips)
    found = infer(path, "ydyh_2023", buildings(2))
    assert found.table["building_use"].tolist() == ["school", "unknown"]
    assert found.table["land_use_share"].tolist() == pytest.approx([0.6, 0.35])
    assert found.table["land_use_code"].tolist() == ["0804", "0804"]
    assert counts(found)["land_use_divided"] == 1


def test_parcels_over_each_other_are_no_more_than_the_whole_and_equal_shares_go_to_the_smaller_code(
    tmp_path: Path,
) -> None:
    # Building 0 lies twice on schools, building 1 half on a factory's and half on a school's land.
    strips = [plot(0), plot(0), box(90, 20), box(110, 20)]
    path = land(tmp_path / "l.gpkg", ["0804", "0804", "1001", "0804"], strips)
    found = infer(path, "ydyh_2023", buildings(2))
    assert found.table["land_use_share"].tolist() == pytest.approx([1.0, 0.5])
    assert found.table["land_use_code"].tolist() == ["0804", "0804"]


def test_attributes_are_never_overruled_and_contradictions_are_counted(tmp_path: Path) -> None:
    frame = buildings(
        3,
        building_use=["residential", "factory", "unknown"],
        use_source=["mapped", "mapped", "none"],
        is_public_institution=["no", "no", "no"],
        public_source=["inferred", "inferred", "field"],
    )
    found = infer(land(tmp_path / "l.gpkg", ["1001", "0804", "0801"]), "ydyh_2023", frame)
    assert found.table["building_use"].tolist() == ["residential", "factory", "government_office"]
    assert found.table["use_source"].tolist()[:2] == ["mapped", "mapped"]
    assert found.table["use_confidence"].isna().tolist() == [True, True, False]
    # A stated ownership stays, whatever the land.
    assert found.table["is_public_institution"].tolist() == ["no", "no", "no"]
    # A home on industrial land is a dormitory (listed), a factory on school land is not.
    assert counts(found)["land_use_contradicts"] == 1


def test_names_come_before_the_land(tmp_path: Path) -> None:
    frame = buildings(2, building_name=["连云港市第一人民医院门诊楼", "3号楼"])
    found = infer(land(tmp_path / "l.gpkg", ["0801", "0801"]), "ydyh_2023", frame)
    assert found.table["building_use"].tolist() == ["hospital", "government_office"]
    assert found.table["use_source"].tolist() == ["rule:hospital", "land_use:ydyh_2023:0801"]
    assert counts(found)["land_use_contradicts"] == 1
    off = infer_uses(frame, None, name_rules=False)
    assert off.table["building_use"].tolist() == ["unknown", "unknown"]
    assert counts(off) == {"use_unknown": 2}


def test_gbk_shapefile_in_gcj02_with_names(tmp_path: Path) -> None:
    to_wgs = Transformer.from_crs(4549, 4326, always_xy=True)

    def shifted(shape: shapely.Polygon) -> shapely.Polygon:
        return shapely.transform(shape, lambda c: np.column_stack(wgs84_to_gcj02(*to_wgs.transform(c[:, 0], c[:, 1]))))

    shapes = [shifted(plot(i, 60)) for i in range(3)]
    path = land(
        tmp_path / "用地.shp", ["1001", "0804", "080403"], shapes, 4326, DLMC=["工业用地", "教育用地", "中小学用地"],
        encoding="GBK",
    )  # fmt: skip
    path.with_suffix(".cpg").unlink(missing_ok=True)
    found = infer(path, "ydyh_2023", buildings(3), datum="gcj02", name_field="DLMC")
    assert found.table["building_use"].tolist() == ["factory", "school", "school"]
    assert "land_use_names_differ" not in counts(found)
    # Taken for WGS 84 the parcels lie 500 m away.
    with pytest.raises(InputError, match=r"inputs\.land_use seems to be in gcj02"):
        infer(path, "ydyh_2023", buildings(3))


def test_a_lost_leading_zero_is_put_back(tmp_path: Path) -> None:
    found = infer(land(tmp_path / "l.gpkg", [804, 1001, 80403]), "ydyh_2023", buildings(3))
    assert found.table["building_use"].tolist() == ["school", "factory", "school"]
    assert counts(found)["land_use_code_padded"] == 2


def test_unknown_codes_are_counted_with_examples(tmp_path: Path) -> None:
    codes = ["1001"] * 8 + ["0899", "R2", None]
    found = infer(land(tmp_path / "l.gpkg", codes), "ydyh_2023", buildings(11))
    notice = next(n for n in found.notices if n.code == "land_use_code_unknown")
    assert notice.count == 2
    assert notice.examples == ("0899 (1)", "R2 (1)")
    assert "2 buildings" in notice.text.en


# --- the wrong standard ----------------------------------------------------------------------------------------------


def test_codes_of_another_standard_are_refused_with_the_mend(tmp_path: Path) -> None:
    path = land(tmp_path / "l.gpkg", ["1001"] * 6 + ["0703"] * 3 + ["1101"])
    with pytest.raises(InputError) as caught:
        infer(path, "gbt21010_2017", buildings(10))
    message = caught.value.render("zh")
    assert "ydyh_2023" in message
    assert "用地用海" in message
    assert "1001 (6)" in message
    assert caught.value.exit_code == 2
    # And the other way: industry is 0601 there.
    path = land(tmp_path / "m.gpkg", ["0601"] * 8 + ["0604", "0702"])
    with pytest.raises(InputError, match="gbt21010_2017"):
        infer(path, "ydyh_2023", buildings(10))


def test_a_doubtful_standard_is_reported(tmp_path: Path) -> None:
    path = land(tmp_path / "l.gpkg", ["0701"] * 8 + ["1001"] * 2)  # two of ten on railways
    found = infer(path, "gbt21010_2017", buildings(10))
    notice = next(n for n in found.notices if n.code == "land_use_standard_doubtful")
    assert "80%" in notice.text.en
    assert "100%" in notice.text.en
    assert "land_use_standard_doubtful" not in counts(infer(path, "ydyh_2023", buildings(10)))


def test_names_beside_the_codes_settle_what_the_codes_cannot(tmp_path: Path) -> None:
    # 0804, 0806 exist in both standards and explain every building in both.
    path = land(tmp_path / "l.gpkg", ["0804", "0806"], DLMC=["科研用地", "社会福利用地"])
    assert infer(path, "ydyh_2023", buildings(2)).table["building_use"].tolist() == ["school", "hospital"]
    with pytest.raises(InputError, match="gbt21010_2017") as caught:
        infer(path, "ydyh_2023", buildings(2), name_field="DLMC")
    assert "0804 科研用地 ≠ 教育用地" in str(caught.value)


# --- names -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "use"),
    [
        ("赣榆区人民医院", "hospital"),
        ("宠物医院", "commercial"),
        ("学院路12号商铺", "commercial"),
        ("医院小区3幢", None),
        ("第二小学教学楼", "school"),
        ("中学路商场", "commercial"),
        ("师范大学家属楼", "residential"),
        ("新东方培训学校", "commercial"),
        ("海州区人民政府", "government_office"),
        ("市政府招待所", "hotel"),
        ("2号厂房", "factory"),
        ("老年公寓", "care_home"),
        ("某部队营房", "military"),
        ("科教城1号楼", None),
        ("３號樓", None),
    ],
)
def test_use_of_a_name(name: str, use: str | None) -> None:
    found = use_of_name(name)
    assert (None if found is None else found.uses[0]) == use


# --- what an inference counts for ------------------------------------------------------------------------------------

FACTORY, PUBLIC = Scope(building_use=("factory",)), Scope(is_public_institution="yes")
OFFICE = Scope(building_use=("government_office",))


def answer(scope: Scope, **columns: Any) -> int:
    frame = table([roof("x", **{k: v for k, v in columns.items() if k != "public_source"})])
    frame["public_source"] = columns.get("public_source", "none")
    return int(membership(scope, facts(frame), None)[0])


def test_an_inferred_use_is_presumed_and_so_is_the_ownership_that_follows() -> None:
    industry = {"building_use": "factory", "use_source": "land_use:ydyh_2023:1001", "is_public_institution": "no"}
    assert answer(FACTORY, **industry, public_source="land_use") == PRESUMED
    assert answer(FACTORY, **{**industry, "use_source": "mapped"}) == YES
    office = {
        "building_use": "government_office", "use_source": "land_use:ydyh_2023:0801", "is_public_institution": "yes",
    }  # fmt: skip
    assert answer(PUBLIC, **office, public_source="land_use") == PRESUMED
    assert answer(PUBLIC, **office, public_source="field") == YES  # stated, whatever stands there
    assert answer(OFFICE, **office, public_source="land_use") == PRESUMED
    homes = {"building_use": "residential", "use_source": "land_use:ydyh_2023:0701", "is_public_institution": "no"}
    assert answer(FACTORY, **homes, public_source="land_use") == NO
    assert answer(PUBLIC, **homes, public_source="land_use") == NO
    school = {"building_use": "school", "use_source": "rule:school"}
    assert answer(PUBLIC, **school) == UNKNOWN


def test_bounds_count_an_inferred_factory_in_and_out(tmp_path: Path) -> None:
    # A is certain: 200 of 800; B (500 of 1500) only stands on industrial land.
    roofs = five_buildings().iloc[:2].copy()
    roofs.loc[1, "use_source"] = "land_use:gbt21010_2017:0601"
    row = one(coverage_table(in_one_district(roofs, pack_copy(tmp_path))))
    assert (row["coverage"], row["coverage_low"], row["coverage_high"]) == (700 / 2300, 200 / 800, 700 / 2300)
    assert (row["n_buildings"], row["n_unknown"]) == (2, 1)


# --- in a run and in what people read --------------------------------------------------------------------------------


def test_land_use_in_the_configuration_reaches_roofs_notices_and_provenance(tmp_path: Path) -> None:
    config = load_config(demo_dir() / "rooftop.yaml")
    before = read_sources(config)
    unknown = before.buildings["building_use"] == "unknown"
    assert 0 < unknown.sum() < len(unknown)
    whole = shapely.box(*before.buildings.total_bounds).buffer(50)
    path = land(tmp_path / "l.gpkg", ["1001"], [whole], before.buildings.crs)
    path_2 = tmp_path / "run.yaml"
    text = (demo_dir() / "rooftop.yaml").read_text(encoding="utf-8").replace("path: ", f"path: {demo_dir()}/")
    block = f"inputs:\n  land_use: {{path: {path}, code_field: DLBM, standard: ydyh_2023}}\n"
    path_2.write_text(text.replace("inputs:\n", block, 1), encoding="utf-8")
    after = read_sources(load_config(path_2))
    inferred = after.buildings["use_source"] == "land_use:ydyh_2023:1001"
    assert (inferred == unknown).all()
    assert set(after.buildings.loc[inferred, "building_use"]) == {"factory"}
    assert (after.buildings.loc[~inferred, "building_use"] == before.buildings.loc[~unknown, "building_use"]).all()
    counted = [n.count for n in before.notices if n.code == "use_unknown"]
    assert counted == [int(unknown.sum())]
    assert not [n for n in after.notices if n.code == "use_unknown"]
    assert "inputs.land_use" in {p.role for p in after.provenance}


def test_what_people_read_of_an_inference() -> None:
    assert use_source_label("land_use:ydyh_2023:1001").zh == "按用地推断：1001 工业用地（置信度高）"
    assert use_source_label("land_use:gbt21010_2017:1001").zh == "按用地推断：1001 铁路用地（置信度低）"
    assert use_source_label("rule:hospital").en == "inferred from the name (confidence high)"
    assert use_source_label("code:GHYT").zh == "编码 GHYT"
    assert inferred_by("mapped") is None
    assert inferred_by(None) is None


def test_a_standard_must_be_named(tmp_path: Path) -> None:
    text = (demo_dir() / "rooftop.yaml").read_text(encoding="utf-8")
    path = tmp_path / "run.yaml"
    for block, said in (
        ("{path: l.gpkg, code_field: DLBM}", "standard"),
        ("{path: l.gpkg, code_field: DLBM, standard: gb21010}", "gbt21010_2017"),
    ):
        path.write_text(text.replace("inputs:\n", f"inputs:\n  land_use: {block}\n", 1), encoding="utf-8")
        with pytest.raises(ConfigError, match=said):
            load_config(path)
