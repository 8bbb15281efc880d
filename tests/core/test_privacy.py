"""Names of natural persons: who is one, what may be shown, and that no output knows better than another."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest

from campaign_data import default_pack, make_tables
from rooftop.config import Config
from rooftop.core.lang import Text
from rooftop.core.notices import Notice
from rooftop.core.privacy import (
    is_natural_person,
    looks_like_a_person,
    masked,
    name_notices,
    names_an_institution,
    shown_owner,
    shown_text,
    without_numbers,
)
from rooftop.outputs.bundle import campaign_of, report_data
from rooftop.outputs.map.page import MapPage, build_map, render_offline
from rooftop.outputs.report.page import write_report
from rooftop.outputs.workbook.candidates import write_candidates


def _each(text: str) -> list[str]:
    return text.split()


PERSONS = [
    *_each("张三 王小明 欧阳测试 司徒雪 李某某 赵× 王*明 张XX 阿里木·买买提 买买提•吐尔逊"),
    *_each("张三等 张三等3人 李四等五户 王五先生 赵六夫妇 村民张三 户主李四 张李婉婷"),
    *("张 三", "John Smith", "Jan-Willem van der Berg", "Mme Dupont", "Smith, John"),
]
INSTITUTIONS = [
    *_each("某某公司 示例市资产经营有限公司 区人民医院 石桥卫生院 第二小学 市住建局 石桥村村委会 石桥村"),
    *_each("石桥村经济合作社 张小泉剪刀厂 李宁体育用品有限公司 王村供销社 国网某某供电公司 高新二小附属幼儿园"),
    *_each("农业银行 张家港市人民政府 华为"),
    *("Acme Co., Ltd.", "Müller GmbH", "Stichting Wonen", "Mairie de Lyon", "S.A. Peugeot", "Smith & Sons Ltd"),
]
OWNER_TYPES = {
    True: ("自然人", "个人", "个体工商户", "private", "natural_person"),
    False: ("非自然人", "国有", "集体", "事业单位", "non-natural person", "private company", "personne morale"),
    None: ("", None, pd.NA, "未知", "其他", "1", "业主共有"),
}


@pytest.mark.parametrize("person", OWNER_TYPES)
def test_what_the_owner_type_says(person: bool | None) -> None:
    assert [is_natural_person(owner_type) for owner_type in OWNER_TYPES[person]] == [person] * len(OWNER_TYPES[person])


@pytest.mark.parametrize("name", PERSONS)
def test_a_persons_name_is_withheld_whatever_else_is_said(name: str) -> None:
    assert looks_like_a_person(name) and not names_an_institution(name)
    for owner_type in (None, "自然人", "企业", "1"):
        for public in ("yes", "no", "unknown"):
            for use in ("unknown", "rural_house", "factory", "hospital"):
                assert shown_owner(name, owner_type, public, use) == (None, "person")


@pytest.mark.parametrize("name", INSTITUTIONS)
def test_an_institution_is_named_unless_it_is_said_to_be_a_person(name: str) -> None:
    assert names_an_institution(name)
    for use in ("unknown", "residential", "hospital"):
        assert shown_owner(name, None, "unknown", use) == (name, None)
    assert shown_owner(name, "自然人", "no", "factory") == (None, "person")


@pytest.mark.parametrize(
    ("owner", "shown"),
    [
        ("某某公司（法人：张三）", "某某公司（法人：＊＊）"),
        ("某某公司 联系人李四 13812345678", "某某公司 联系人＊＊ ＊＊"),
        ("石桥村委会、王小明", "石桥村委会、＊＊"),
        ("某某厂(0518-85412345)", "某某厂(＊＊)"),
        ("某某厂 身份证320706197001011234", "某某厂 身份证＊＊"),
    ],
)
def test_persons_within_an_institutions_name_are_masked(owner: str, shown: str) -> None:
    assert shown_owner(owner, None, "no", "factory") == (shown, None)


@pytest.mark.parametrize("owner", ["远大", "Acme", "五号院", "石桥村3组张三"])
def test_in_doubt_the_use_decides(owner: str) -> None:
    assert shown_owner(owner, None, "unknown", "unknown") == (None, "maybe")
    assert shown_owner(owner, None, "no", "residential") == (None, "maybe")
    shown, why = shown_owner(owner, None, "no", "factory")
    assert why is None and shown is not None and "张三" not in shown
    assert shown_owner(owner, "企业", "unknown", "unknown")[1] is None


MASKED = {
    "张三住宅": "＊＊住宅",
    "王五宅": "＊＊宅",
    "赵六自建房2": "＊＊自建房2",
    "张三家老宅": "＊＊家老宅",
    "张三": "＊＊",
    "石桥村3组张三": "石桥村3组＊＊",
    "一组李四": "一组＊＊",
    "石桥镇张庄村王小明家": "石桥镇张庄村＊＊家",
    "3组15号（李四）": "3组15号（＊＊）",
    "幸福里12号张三户": "幸福里12号＊＊户",
    "阿里木·买买提家": "＊＊家",
    "户主：王五": "户主：＊＊",
    "张三（组长）": "＊＊（组长）",
    "张三、李四": "＊＊、＊＊",
    "电话：8541 2345": "电话＊＊",
    "zhang.san@example.com": "＊＊",
    "联系电话１３８１２３４５６７８": "联系电话＊＊",
    "张三 +86 138 1234 5678": "张三 ＊＊",
}
PLACES = [
    *_each("安置住宅 高层住宅 李家大院 康居苑 金桂园 石桥村平房 人民路12号王府花园 12号车间 第3幢2单元 示例中学"),
    "江苏 苏州 高新区",
]


@pytest.mark.parametrize(("text", "shown"), MASKED.items())
def test_names_in_running_text_of_homes(text: str, shown: str) -> None:
    assert shown_text(text, homely=True) == shown


@pytest.mark.parametrize("text", PLACES)
def test_places_and_words_that_merely_begin_like_a_name_stay(text: str) -> None:
    assert shown_text(text, homely=True) == text


@pytest.mark.parametrize("text", ["张三超市", "3号厂房", "李宁体育馆", "张三宅"])
def test_other_buildings_keep_their_names(text: str) -> None:
    assert shown_text(text, homely=False) == text
    assert shown_text(f"{text} 负责人李四 13812345678", homely=False) == f"{text} 负责人＊＊ ＊＊"


@pytest.mark.parametrize(
    "number",
    [
        "320706197001011234",
        "32070619700101123X",
        "320706700101123",
        "13812345678",
        "138-1234-5678",
        "+8613812345678",
        "0518-85412345",
    ],
)
def test_personal_numbers_are_masked_and_other_numbers_are_not(number: str) -> None:
    assert number not in shown_text(f"门牌 {number} 号", homely=False)
    for other in ("2021-06-30", "3207060010020030004", "LYG000123", "12.5", "119.203", "20210630"):
        assert shown_text(other, homely=True) == other


def test_a_name_is_masked_wherever_its_row_repeats_it() -> None:
    row = {"owner_type": None, "is_public_institution": "unknown", "building_use": "unknown"}
    roofs = pd.DataFrame(
        [
            {**row, "owner_name": "庚辛壬癸", "building_name": "庚辛壬癸之屋", "address": "庚辛壬癸旁"},
            {**row, "owner_name": "石桥小学", "building_name": "石桥小学一号楼", "address": "石桥小学内"},
            {**row, "owner_name": None, "building_name": None, "address": None},
        ]
    )
    out = masked(roofs)
    assert out["owner_name"].isna().tolist() == [True, False, True]
    assert out["building_name"].tolist()[:2] == ["＊＊之屋", "石桥小学一号楼"] and "庚辛" not in out["address"][0]
    assert out["owner_withheld"].fillna("").tolist() == ["maybe", "", ""]
    assert masked(out) is out and "owner_withheld" not in roofs


def test_every_output_follows_the_one_rule(tmp_path: Path) -> None:
    """What one output withholds no other shows: map, workbook, CSV, GeoPackage, report."""
    tables, _ = make_tables(default_pack(), nasty=False)
    roofs = tables.roofs
    roofs["owner_type"] = None
    roofs["owner_name"] = ["东方不败", "区人民医院", "某某集团公司", "王小二等2人"] * 16
    roofs["building_use"] = ["unknown", "hospital", "factory", "unknown"] * 16
    roofs["is_public_institution"] = ["unknown", "yes", "no", "unknown"] * 16
    roofs["building_name"] = ["令狐冲宅", "门诊楼", "一车间", "3号"] * 16
    roofs["address"] = ["华山村3组岳不群", "人民路1号", "工业路 13812345678", "身份证320706197001011234"] * 16
    secret = ("东方不败", "王小二", "令狐冲", "岳不群", "13812345678", "320706197001011234")
    shown = ("区人民医院", "某某集团公司", "门诊楼", "人民路1号")
    inputs = {"footprints": {"path": "b.gpkg"}, "irradiance": {"ghi": {"path": "g.tif", "unit": "kWh/m2/day"}}}
    for asked in (False, True):
        config = Config.model_validate({"name": "t", "inputs": inputs, "outputs": {"personal_names": asked}})
        data = report_data(tables, campaign_of(tables, default_pack()), config=config)
        folder = tmp_path / str(asked)
        texts = [_readable(path) for path in write_candidates(folder, data, "zh")]
        texts += [write_report(folder / "report.html", data, "zh").read_text(encoding="utf-8")]
        page = MapPage(title="t", personal_names=asked)
        texts += [render_offline(build_map(tables.roofs, tables.districts, tables.coverage, page))]
        for text in texts:
            assert asked or not [word for word in secret if word in text]
        whole = "".join(texts)
        assert all(word in whole for word in shown)
        assert all(word in whole for word in secret) is asked
    codes = {n.code: n for n in (*name_notices(roofs, False), *name_notices(roofs, True))}
    assert codes["personal_names_withheld"].count == codes["personal_names_shown"].count == 32


def _readable(path: Path) -> str:
    if path.suffix == ".xlsx":
        with zipfile.ZipFile(path) as parts:
            return "".join(parts.read(name).decode("utf-8") for name in parts.namelist())
    if path.suffix == ".gpkg":
        return gpd.read_file(path).drop(columns="geometry").to_csv()
    return path.read_text(encoding="utf-8-sig")


def test_notices_hold_no_numbers_of_persons() -> None:
    examples = ("13812345678 (1)", "户主：张三 (2)", "高层 (3)", "000123")
    (notice,) = without_numbers([Notice("use_unmapped", Text("a", "b"), 3, examples=examples)])
    assert json.dumps(notice.examples, ensure_ascii=False) == '["＊＊ (1)", "户主：＊＊ (2)", "高层 (3)", "000123"]'


def test_ids_that_are_persons_numbers_are_said() -> None:
    roofs = make_tables(None, nasty=False)[0].roofs
    assert not [n for n in name_notices(roofs, False) if n.code == "ids_look_personal"]
    numbers = [f"32070619700101{k:03d}X" for k in range(len(roofs))]
    (notice,) = [n for n in name_notices(roofs.assign(source_id=numbers), False) if n.code == "ids_look_personal"]
    assert notice.count == len(roofs) and notice.severity == "warning"
