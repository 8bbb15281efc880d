"""Configuration: what loads, and what people do to YAML, each explained with its line and a mend."""

from __future__ import annotations

from pathlib import Path

import pytest

from rooftop.config import Config
from rooftop.configfile import load_config, naming_lines
from rooftop.core.errors import ConfigError, InputError
from rooftop.core.yamlfile import load_yaml

GOOD = """\
name: gusu
title: 苏州姑苏
inputs:
  footprints:
    path: 数据/footprints.gpkg
    datum: gcj02
    fields: {id: Id, height_m: height, floors: Floor, building_use: GHYT}
    use_map: {20: factory, 0701: residential, "30": commercial}
    public_map: {是: yes, 否: no, 待定: unknown}
    storey_height_m: 3
  districts: {path: ../districts.gpkg, id_field: adcode}
  irradiance:
    ghi: {path: [a.tif, b.tif], unit: kWh/m2/day, period: monthly}
    terrain_included: yes
policy: lianyungang
"""


def write(folder: Path, text: str | bytes) -> Path:
    path = folder / "配置.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8"))
    return path


def wrong(folder: Path, text: str | bytes, *parts: str) -> str:
    """Load `text`, expect a ConfigError that holds all parts, in English; return the Chinese block."""
    with pytest.raises(ConfigError) as caught:
        load_config(write(folder, text))
    english, chinese = caught.value.render("en"), caught.value.render("zh")
    for part in parts:
        assert part in english, english
    assert "配置.yaml" in english
    assert caught.value.exit_code == 2
    assert caught.value.details["mend"] is not None
    assert any("一" <= c <= "鿿" for c in chinese.splitlines()[0])
    return chinese


# --- what loads ------------------------------------------------------------------------------------------------------


def test_paths_are_relative_to_the_file(tmp_path: Path) -> None:
    config = load_config(write(tmp_path, GOOD))
    assert config.inputs.footprints.path == tmp_path / "数据" / "footprints.gpkg"
    assert config.inputs.districts is not None
    assert config.inputs.districts.path.resolve() == tmp_path.parent / "districts.gpkg"
    assert config.inputs.irradiance.ghi.path == [tmp_path / "a.tif", tmp_path / "b.tif"]
    assert config.policy == "lianyungang"
    assert config.system.module == "default"


def test_absolute_paths_and_paths_to_packs(tmp_path: Path) -> None:
    text = GOOD.replace("数据/footprints.gpkg", "/data/f.gpkg").replace("lianyungang", "packs/mine.yaml")
    config = load_config(str(write(tmp_path, text)))
    assert config.inputs.footprints.path == Path("/data/f.gpkg")
    assert config.policy == str(tmp_path / "packs" / "mine.yaml")


def test_words_and_codes_are_not_bent_by_yaml(tmp_path: Path) -> None:
    """YAML 1.1 would read yes as true and 0701 as 449."""
    footprints = load_config(write(tmp_path, GOOD)).inputs.footprints
    assert footprints.use_map == {"20": "factory", "0701": "residential", "30": "commercial"}
    assert footprints.public_map == {"是": "yes", "否": "no", "待定": "unknown"}
    assert load_config(write(tmp_path, GOOD)).inputs.irradiance.terrain_included is True


def test_an_empty_map_of_comments_loads(tmp_path: Path) -> None:
    text = GOOD.replace('use_map: {20: factory, 0701: residential, "30": commercial}', "use_map:\n      # 20: factory")
    assert load_config(write(tmp_path, text)).inputs.footprints.use_map == {}


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_byte_order_mark_does_no_harm(tmp_path: Path, encoding: str) -> None:
    assert load_config(write(tmp_path, GOOD.encode(encoding))).title == "苏州姑苏"


def test_windows_line_ends_and_backslashes_in_plain_paths(tmp_path: Path) -> None:
    (tmp_path / "数据").mkdir()
    (tmp_path / "数据" / "footprints.gpkg").touch()
    text = GOOD.replace("数据/footprints.gpkg", "数据\\footprints.gpkg").replace("\n", "\r\n")
    assert load_config(write(tmp_path, text)).inputs.footprints.path.exists()


def test_the_model_knows_no_dict_order(tmp_path: Path) -> None:
    config = load_config(write(tmp_path, GOOD))
    assert Config.model_validate_json(config.model_dump_json()) == config


# --- keys and values -------------------------------------------------------------------------------------------------


def test_unknown_key_with_its_line_and_the_likely_one(tmp_path: Path) -> None:
    chinese = wrong(
        tmp_path,
        GOOD.replace("storey_height_m", "story_height_m"),
        "the key story_height_m is unknown",
        "inputs.footprints.story_height_m",
        "line 10",
        "did you mean storey_height_m?",
    )
    assert "第 10 行" in chinese
    assert "是否为 storey_height_m？" in chinese


def test_key_at_the_wrong_level(tmp_path: Path) -> None:
    wrong(tmp_path, GOOD + "albedo: 0.3\n", "line 16", "albedo belongs at scene.albedo")


def test_unknown_key_of_an_optional_block(tmp_path: Path) -> None:
    wrong(tmp_path, GOOD.replace("id_field: adcode", "id: adcode"), "inputs.districts.id", "did you mean id_field?")


def test_missing_key(tmp_path: Path) -> None:
    wrong(tmp_path, GOOD.replace("name: gusu\n", ""), "the key name is missing", "add name")
    wrong(tmp_path, GOOD.replace("path: [a.tif, b.tif], ", ""), "inputs.irradiance.ghi.path", "line 13", "add path")


@pytest.mark.parametrize(
    ("old", "new", "parts"),
    [
        ("kWh/m2/day", "kwh/m2/day", ("inputs.irradiance.ghi.unit", "line 13", "did you mean kWh/m2/day?")),
        ("datum: gcj02", "datum: gcj-02", ("wgs84, cgcs2000, gcj02, bd09", "did you mean gcj02?")),
        ("storey_height_m: 3", "storey_height_m: three", ("'three'", "a number")),
        ("storey_height_m: 3", "storey_height_m: -3", ("-3", ">= 2")),
        ("name: gusu", "name: 2021", ("2021", "text (in quotes")),
        ("terrain_included: yes", "terrain_included: perhaps", ("'perhaps'", "true or false")),
        ("  irradiance:\n", "  towns: yes\n  irradiance:\n", ("inputs.towns", "a block of keys")),
        ("public_map: {是: yes", "public_map: {是: maybe", ("inputs.footprints.public_map.是", "yes, no, unknown")),
    ],
)
def test_impossible_values(tmp_path: Path, old: str, new: str, parts: tuple[str, ...]) -> None:
    assert old in GOOD
    wrong(tmp_path, GOOD.replace(old, new), *parts)


def test_limits_and_unions(tmp_path: Path) -> None:
    wrong(tmp_path, GOOD + "scene: {cell_size_m: 100}\n", "scene.cell_size_m", "<= 10.0", "100")
    wrong(
        tmp_path, GOOD + "system: {flat: {tilt_deg: steep}}\n", "system.flat.tilt_deg", "'steep'", "auto, or a number"
    )
    wrong(tmp_path, GOOD + "system: {flat: {tilt_deg: 95}}\n", "95", "auto, or <= 60.0")
    wrong(tmp_path, GOOD + "system: {flat: {azimuth_deg: -10}}\n", "-10", "auto, or >= 0.0")


def test_several_mistakes_the_first_in_full_the_rest_named(tmp_path: Path) -> None:
    text = GOOD.replace("kWh/m2/day", "kWh") + "sceen: {}\n"
    wrong(tmp_path, text, "inputs.irradiance.ghi.unit", "then see also: sceen")


# --- what people do to YAML ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "parts"),
    [
        ("  irradiance:", "\tirradiance:", ("a tab", "line 12", "indent with spaces")),
        ("    datum: gcj02", "  \tdatum: gcj02", ("a tab", "line 6")),
        ("title: 苏州姑苏", "title：苏州姑苏", ("full-width colon", "line 2", "title：苏州姑苏")),
        ("  footprints:", "  footprints：", ("full-width colon", "line 4")),
        ("{id: Id", "{id：Id", ("full-width colon", "line 7")),
        ("title: 苏州姑苏", "title:\u3000苏州姑苏", ("full-width space", "line 2")),
        ("    datum: gcj02", "\u3000\u3000datum: gcj02", ("full-width space", "line 6")),
        ("    datum: gcj02", "    datum: gcj02\u3000", ("full-width space", "line 6")),
        ("    datum: gcj02", "\u00a0\u00a0\u00a0\u00a0datum: gcj02", ("no-break space", "line 6")),
        ("title: 苏州姑苏", "title: “苏州姑苏”", ("full-width quotes", "line 2")),
        ("title: 苏州姑苏", "title: ‘苏州姑苏’", ("full-width quotes", "line 2")),
        ("{path: ../districts.gpkg, id", "{path: ../districts.gpkg， id", ("full-width comma", "line 11")),
        ("path: 数据/footprints.gpkg", 'path: "C:\\new\\test.gpkg"', ("backslash", "line 5", "single quotes")),
        ("path: 数据/footprints.gpkg", 'path: "C:\\data\\f.gpkg"', ("backslash", "line 5", "write / instead")),
        ("path: 数据/footprints.gpkg", 'path: "D:\\数据\\f.gpkg"', ("backslash", "line 5")),
        ("title: 苏州姑苏", "title:苏州姑苏", ("no space after the colon", "line 2")),
        ("    datum: gcj02", "    datum:gcj02", ("no space after the colon", "line 6")),
        ("{id: Id", "{id:Id", ("no space after the colon", "line 7")),
        ("    datum: gcj02", "      datum: gcj02", ("line 6", "indentation")),
        ("title: 苏州姑苏", 'title: "苏州', ("indentation, quotes and brackets",)),
        ("title: 苏州姑苏", "name: other", ("the key name stands twice", "line 2", "also in line 1")),
        ("title: 苏州姑苏", "title: a\u0007b", ("line 1",)),
    ],
)
def test_habits_are_explained(tmp_path: Path, old: str, new: str, parts: tuple[str, ...]) -> None:
    assert old in GOOD
    wrong(tmp_path, GOOD.replace(old, new, 1), *parts)


def test_every_colon_full_width(tmp_path: Path) -> None:
    wrong(tmp_path, GOOD.replace(": ", "：").replace(":\n", "：\n"), "full-width colon", "line 1")


def test_gbk_file(tmp_path: Path) -> None:
    wrong(tmp_path, GOOD.encode("gbk"), "not in UTF-8", "line 2", "GBK", "UTF-8")


def test_empty_and_missing_file(tmp_path: Path) -> None:
    wrong(tmp_path, "# nothing\n", "the file is empty")
    with pytest.raises(ConfigError, match=r"did you mean 配置\.yaml"):
        load_config(tmp_path / "配置.yml")
    with pytest.raises(ConfigError, match="rooftop init"):
        load_config(tmp_path / "nowhere" / "config.yaml")


def test_yaml_is_loaded_safely(tmp_path: Path) -> None:
    wrong(tmp_path, "name: !!python/object/apply:os.system [echo]\n", "line 1")


def test_aliases_cannot_explode(tmp_path: Path) -> None:
    levels = ["a0: &a0 [x, x]"] + [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 30)]
    document = load_yaml(write(tmp_path, "\n".join(levels[:4])))
    assert len(document.lines) < 1000
    with pytest.raises(ConfigError, match="too many values") as caught:
        load_yaml(write(tmp_path, "\n".join(levels)))
    assert "line 7" in str(caught.value)


IMPOSSIBLE = {
    "a month": "2021-13-01",
    "a day": "2021-02-30",
    "an hour": "2021-01-01 25:61:61",
    "a year nought": "0000-01-01",
    "digits": "9" * 5000,
    "no bytes": "!!binary x",
    "no number": "!!float abc",
    "nothing as a number": '!!int ""',
    "no date": "!!timestamp no",
    "itself": "&a [*a]",
    "an alias of nothing": "*a",
    "a merge of nothing": "{<<: 3}",
    "brackets": "[" * 3000,
    "braces": "{a: " * 3000,
    "a set": "!!set {a, b}",
    "a bell": '"\x07"',
    "a zero byte": "\x00",
    "a key that is a list": "{? [1, 2] : 3}",
    "a key that is a block": "{? {a: 1} : 3}",
    "an order": "!!omap [a]",
    "a program": "!!python/name:os.system",
}


@pytest.mark.parametrize("kind", IMPOSSIBLE)
@pytest.mark.parametrize("place", ["title", "seed", "inputs"])
def test_values_that_cannot_be_are_named_with_their_line(kind: str, place: str, tmp_path: Path) -> None:
    text = (GOOD if place == "seed" else GOOD.replace(f"{place}:", "unused:")) + f"{place}: {IMPOSSIBLE[kind]}\n"
    assert place in text
    with pytest.raises(ConfigError) as caught:
        load_config(write(tmp_path, text))
    assert ".yaml" in str(caught.value) and len(str(caught.value)) < 2000


@pytest.mark.parametrize("value", [".inf", "-.inf", ".nan", "1e400", "9" * 400, "-1", "0", "1e300"])
def test_numbers_without_end_are_refused(value: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError):
        load_config(write(tmp_path, GOOD + f"scene: {{halo_m: {value}}}\n"))


@pytest.mark.parametrize(
    "data", [b"\xff\xfea", b"\xfe\xff\xd8\x00", b"\x00" * 50, b"\xef\xbb\xbf", b"PK\x03\x04" + bytes(range(256))]
)
def test_bytes_that_are_no_text_are_refused(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    path.write_bytes(data)
    with pytest.raises(ConfigError, match=r"c\.yaml"):
        load_config(path)


def test_a_data_file_given_as_a_configuration_is_refused_at_once(tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    with path.open("wb") as file:
        file.truncate(3_000_000_000)
    with pytest.raises(ConfigError, match="too large"):
        load_config(path)


def test_a_home_of_nobody_is_a_name(tmp_path: Path) -> None:
    text = GOOD.replace("数据/footprints.gpkg", "~nobody-here/f.gpkg")
    assert load_config(write(tmp_path, text)).inputs.footprints.path == tmp_path / "~nobody-here" / "f.gpkg"


def test_legitimate_text_is_left_alone(tmp_path: Path) -> None:
    text = GOOD.replace("苏州姑苏", '"苏州：姑苏（试点），“一期”"') + "# 注释：全角\n"
    assert load_config(write(tmp_path, text)).title == "苏州：姑苏（试点），“一期”"
    plain = GOOD.replace("苏州姑苏", "苏州姑苏（试点）：一期")
    assert load_config(write(tmp_path, plain)).title == "苏州姑苏（试点）：一期"
    single = GOOD.replace("数据/footprints.gpkg", r"'C:\new\f.gpkg'")
    assert "new" in str(load_config(write(tmp_path, single)).inputs.footprints.path)


def test_lines_are_those_of_the_keys(tmp_path: Path) -> None:
    document = load_yaml(write(tmp_path, GOOD))
    assert document.line(("inputs", "footprints", "fields", "floors")) == 7
    assert document.line(("inputs", "irradiance", "ghi", "path", 1)) == 13
    assert document.line(("inputs", "irradiance", "nonsense")) == 12
    assert document.line(("nothing",)) is None


# --- what only the data show -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("where", "line"),
    [
        ("substitution.climate_zone", 17),
        ("substitution.installations[1].unit_id", 20),
        ("inputs.footprints.use_map.20", 8),
        ("inputs.footprints.use_map.30", 8),
        ("inputs.footprints.encoding", 4),
    ],
)
def test_a_key_found_wrong_by_the_data_has_its_line(tmp_path: Path, where: str, line: int) -> None:
    heat = "substitution:\n  climate_zone: warm\n  installations:\n"
    path = write(tmp_path, GOOD + heat + "    - {kind: solar_thermal}\n    - {unit_id: x}\n")
    with pytest.raises(InputError) as caught, naming_lines(path):
        raise InputError("wrong", where=where, found="x")
    assert str(caught.value.details["where"]) == f"{where} ({path}, line {line})"
    assert f"第 {line} 行" in caught.value.render("zh")


@pytest.mark.parametrize("where", ["/data/a.gpkg", "--encoding", "", None])
def test_what_is_no_key_stays_as_it_is(tmp_path: Path, where: str | None) -> None:
    path = write(tmp_path, GOOD)
    with pytest.raises(InputError) as caught, naming_lines(path):
        raise InputError("wrong", where=where)
    assert caught.value.details["where"] == where
