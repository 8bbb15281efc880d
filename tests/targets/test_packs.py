"""Policy packs: the plans' numbers, and what is refused with its line."""

import re

import pytest

from rooftop.core.errors import ConfigError
from rooftop.core.resources import configs_dir
from rooftop.targets import (
    definition_rows,
    list_packs,
    load_pack,
    pack_provenance,
    target_lines,
    target_rows,
    value_label,
)
from targets_example import refused_pack

PLANS = {
    # pack: {target: (value, unit, year, nature, section)}
    "lianyungang": {
        "pv_coverage_2025": (0.5, "share", 2025, "unstated", "专栏四-3"),
        "renewable_substitution_2025": (0.08, "share", 2025, "anticipated", "专栏二"),
        "retrofit_area": (150, "万m²", None, "anticipated", "附表2"),
        "high_quality_green": (50, "unstated", None, "unstated", "附表2"),
        "ultra_low_energy": (20, "unstated", None, "unstated", "附表2"),
    },
    "pinghu": {
        "pv_coverage_2025": (0.3, "share", 2025, "unstated", "一(三), 二(三)8"),
        "pv_coverage_2030": (0.5, "share", 2030, "unstated", "一(三), 二(三)8"),
        "renewable_substitution_2025": (0.08, "share", 2025, "unstated", "一(三), 二(三)8"),
        "renewable_substitution_2030": (0.12, "share", 2030, "unstated", "一(三), 二(三)8"),
        "public_energy_per_area_2025": (-0.05, "change", 2025, "unstated", "二(四)13"),
        "public_energy_per_head_2025": (-0.06, "change", 2025, "unstated", "二(四)13"),
        "public_carbon_per_area_2025": (-0.07, "change", 2025, "unstated", "二(四)13"),
    },
    "liaocheng": {
        "pv_coverage_2025": (0.5, "share", 2025, "unstated", "(十五)"),
        "renewable_hot_water": (1.0, "share", None, "mandate", "(十五)"),
        "renewable_substitution_2025": (0.10, "share", 2025, "unstated", "(十五)"),
        "renewable_substitution_2030": (0.12, "share", 2030, "unstated", "(十五)"),
    },
    "shanxi": {
        "renewable_substitution_2025": (0.08, "share", 2025, "anticipated", "专栏"),
        "retrofit_area_2025": (3000, "万m²", 2025, "anticipated", "专栏"),
    },
    "national": {
        "new_building_pv_capacity": (0.5, "亿kW", 2025, "anticipated", "专栏2"),
        "renewable_substitution_2025": (0.08, "share", 2025, "anticipated", "专栏2"),
        "electricity_share_2025": (0.55, "share", 2025, "anticipated", "专栏2"),
        "geothermal_area_2025": (1.0, "亿m²", 2025, "anticipated", "专栏2"),
    },
    "whole_county": {
        "government_share": (0.5, "share", None, "unstated", "unstated"),
        "public_building_share": (0.4, "share", None, "unstated", "unstated"),
        "business_share": (0.3, "share", None, "unstated", "unstated"),
        "farm_household_share": (0.2, "share", None, "unstated", "unstated"),
    },
}


def test_the_shipped_packs_are_these():
    assert list_packs() == sorted(PLANS)


@pytest.mark.parametrize("name", sorted(PLANS))
def test_numbers_are_the_plans(name):
    pack = load_pack(name)
    assert pack.id == name
    found = {t.id: (t.value, t.unit, t.year, t.nature, t.section) for t in pack.targets}
    assert found == PLANS[name]
    for target in pack.targets:
        assert target.computable.answer == "yes" or target.computable.reason is not None
        assert re.search(r"[一-鿿]", target.wording)


def test_district_table_of_lianyungang():
    tables = {t.id: [(row.name, row.value) for row in t.districts] for t in load_pack("lianyungang").targets}
    names = ["东海", "灌云", "灌南", "赣榆", "海州", "连云", "市开发区", "徐圩新区"]
    expected = {
        "retrofit_area": [15, 15, 15, 38, 38, 15, 7, 7],
        "high_quality_green": [5, 5, 5, 9, 15, 5, 3, 3],
        "ultra_low_energy": [2, 2, 3, 3, 6, 2, 1, 1],
    }
    for target, values in expected.items():
        assert tables[target] == list(zip(names, values, strict=True))


def test_the_hospital_claim_is_kept_as_written():
    (claim,) = load_pack("lianyungang").claims
    assert (claim.name, claim.roof_area_m2, claim.capacity_kw, claim.annual_mwh) == ("赣榆区人民医院", 150, 600, 146)


def test_default_definitions_and_their_gaps_are_said():
    for name in ("lianyungang", "pinghu", "liaocheng"):
        for coverage in load_pack(name).coverage:
            assert {(g.default.numerator, g.default.denominator) for g in coverage.groups} == {
                ("module", "installable")
            }
            factory = next(g for g in coverage.groups if g.id == "factory")
            assert "没有任何文件依据" in factory.source.zh


REFUSED = [
    # pack, what is replaced, by what, the key named, a part of the message
    ("lianyungang", "    value: 0.50\n", "    value: 1.5\n", "targets[0].value", "between 0 and 1"),
    ("lianyungang", "    year: 2025\n", "    year: 2035\n", "targets[0].year", "outside the plan's period"),
    ("lianyungang", "building_use: [factory]", "building_use: [fabrik]", "building_use[0]", "unknown class"),
    ("lianyungang", "value: 38}", "value: 39}", "targets[2].districts", "do not add up"),
    ("lianyungang", "    section: 附表2\n", "", "targets[2].section", "is missing"),
    ("lianyungang", "    source: {zh: 规划原文摘录, en: excerpt of the plan}\n", "", "targets[1].source", "is missing"),
    ("lianyungang", "    document: plan\n", "    document: plans\n", "targets[0].document", "unknown document"),
    ("lianyungang", "    nature: anticipated\n", "    nature: binding-ish\n", "targets[1].nature", "anticipated"),
    ("lianyungang", "single_years: [2021,", "single_years: [2020,", "single_years[0]", "outside the plan's period"),
    ("lianyungang", "        front: true\n", "", "coverage[0].groups", "exactly one"),
    ("lianyungang", 'computable: {answer: "yes"}', 'computable: {answer: "no"}', "targets[0].computable", "its reason"),
    ("lianyungang", "      - id: pv_coverage_2025\n", "      - id: pv\n", "targets[0].id", "unknown target"),
    ("lianyungang", "{start: 2021, end: 2025}", "{start: 2025, end: 2021}", "targets[0].cohort", "reversed"),
    ("lianyungang", "region: {", "regions: {}\nregion: {", "regions", "unknown"),
    ("lianyungang", "    title_en: ", "    titel_en: ", "documents.plan.titel_en", "did you mean title_en?"),
    ("lianyungang", "completed: cohort}", "complete: cohort}", "institution.complete", "did you mean completed?"),
    ("lianyungang", "    cohort: all\n", "    cohort: al\n", "substitution[0].cohort", "expected: all"),
    ("lianyungang", "end: 2025}\n        single", "ende: 2025}\n        single", "cohort.ende", "did you mean end?"),
    ("liaocheng", "      - id: new_governs_public_only\n", "      - id: new_governs_both\n", "readings[1]", "twice"),
    ("whole_county", "    kinds: [potential]\n", "    kinds: [installed]\n", "coverage[0].numerators", "potential"),
    ("whole_county", "      required_share: 1.0\n", "      required_share: 1.5\n", "required_share", "<= 1"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "old", "new", "key", "message"), REFUSED)
def test_an_inconsistent_pack_is_refused_with_file_key_and_line(tmp_path, name, old, new, key, message):
    error = refused_pack(tmp_path, name, old, new)
    where = str(error.details["where"])
    assert key in where
    assert message in str(error)
    if new and "districts" not in key and not key.endswith(("groups", "numerators", "readings[1]")):
        text = (configs_dir() / "policies" / f"{name}.yaml").read_text(encoding="utf-8")
        line = text[: text.index(old)].count("\n") + 1
        assert f", line {line})" in where


def test_every_contradiction_is_named_with_its_line(tmp_path):
    error = refused_pack(tmp_path, "lianyungang", "value: 38}", "value: 39}")
    assert "then see also" not in str(error)
    text = (configs_dir() / "policies" / "lianyungang.yaml").read_text(encoding="utf-8")
    line = text[: text.index("    value: 0.50\n")].count("\n") + 1
    path = tmp_path / "two.yaml"
    text = text.replace("    value: 0.50\n", "    value: 1.5\n").replace("value: 38}", "value: 39}", 1)
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=rf"value \(.*line {line}\)[^$]*see also \(line\): targets\[2\].districts"):
        load_pack(path)


def test_the_line_of_a_number_deep_in_the_file(tmp_path):
    text = (configs_dir() / "policies" / "pinghu.yaml").read_text(encoding="utf-8")
    line = next(k for k, row in enumerate(text.splitlines(), 1) if row.strip() == "value: 0.12")
    path = tmp_path / "changed.yaml"
    path.write_text(text.replace("value: 0.12", "value: 12"), encoding="utf-8")
    with pytest.raises(ConfigError, match=rf"targets\[3\].value \(.*, line {line}\)"):
        load_pack(path)


def test_unknown_pack_names_the_known_ones():
    with pytest.raises(ConfigError, match="lianyungang, liaocheng, national"):
        load_pack("atlantis")
    with pytest.raises(ConfigError, match="no such policy pack"):
        load_pack("missing.yaml")


def test_a_user_adds_a_pack_by_its_path(tmp_path):
    text = (configs_dir() / "policies" / "pinghu.yaml").read_text(encoding="utf-8")
    path = tmp_path / "我市.yaml"
    path.write_text(text.replace("id: pinghu", "id: our_city").replace("value: 0.30", "value: 0.35"), encoding="utf-8")
    pack = load_pack(path)
    assert (pack.id, pack.targets[0].value) == ("our_city", 0.35)
    assert pack_provenance(path, pack).sha256 != pack_provenance("pinghu", pack).sha256


def test_rows_for_people():
    pack = load_pack("liaocheng")
    first = target_rows(pack)[0]
    assert first.wording == "新建公共机构建筑、工业厂房屋顶光伏覆盖率达到"
    assert first.document == "聊城市城乡建设领域碳达峰实施方案 聊建字〔2023〕31号"
    assert first.nature.zh == "文本未注明"
    readings = [row for row in definition_rows(pack) if row.topic.zh == "范围解读"]
    assert [row.is_default for row in readings] == [True, False]
    assert "工业厂房：用途为厂房" in readings[1].choice.zh
    assert value_label("building_group", "factory", pack).zh == "工业厂房"
    assert value_label("denominator", "installable").zh == "可安装屋顶面积"


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_listing_prints_every_pack_and_every_wording(lang):
    assert [line.split()[0] for line in target_lines(None, lang)] == list_packs()
    for name in list_packs():
        lines = "\n".join(target_lines(name, lang))
        for target in load_pack(name).targets:
            assert target.wording in lines
            assert target.value_text in lines
    assert "15  灌云 15" in "\n".join(target_lines("lianyungang", lang))
