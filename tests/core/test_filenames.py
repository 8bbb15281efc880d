"""Names become names: of the run's folder by an error, of districts' files by what is left of them."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from rooftop.config import Config
from rooftop.configfile import load_config
from rooftop.core.errors import ConfigError
from rooftop.core.filenames import MOST_BYTES, legal_name, why_no_name
from rooftop.outputs.workbook.sheet import file_name

GOOD = ["demo", "西安 一期 (2)", "a.b", "x-1_2", "région", "COM10", "console"]
BAD = [
    "", " ", "...", "../../x", "/tmp/x", "a/b", "a\\b", "C:x", "a:b", 'a"b', "a<b", "a|b", "a?b", "a*b", "CON",
    "nul.txt", "com1", "LPT9.tar.gz", "aux .x", "a.", "a ", " a", ".hidden", "a\nb", "a\tb", "a\x00b", "a\x1b[31mb",
    "a\u202eb", "x" * 300, "区" * 100, "com¹",
]  # fmt: skip


def on_a_mac(name: str) -> str:
    """What a file system without case, and with one way to write an accent, compares."""
    return unicodedata.normalize("NFD", unicodedata.normalize("NFD", name).upper().lower())


@pytest.mark.parametrize("name", GOOD)
def test_names_stay(name: str) -> None:
    assert why_no_name(name) is None
    assert legal_name(name) == name


@pytest.mark.parametrize("name", BAD)
def test_what_is_no_name_is_refused_where_it_is_written(name: str, tmp_path: Path) -> None:
    assert why_no_name(name) is not None
    text = "".join(f"\\x{ord(ch):02x}" if ch < " " else f"\\{ch}" if ch in '"\\' else ch for ch in name)
    inputs = "footprints: {path: a}, irradiance: {ghi: {path: b, unit: kWh/m2/day}}"
    path = tmp_path / "c.yaml"
    path.write_text(f'inputs: {{{inputs}}}\nname: "{text}"\n', encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_config(path)
    assert "line 2" in str(caught.value)
    assert "第 2 行" in caught.value.render("zh")
    with pytest.raises(ValidationError):
        Config.model_validate({"name": name, "inputs": {}})


@given(st.lists(st.text(max_size=140), min_size=1, max_size=6))
def test_districts_files_have_names_of_their_own_that_every_system_takes(names: list[str]) -> None:
    taken: list[str] = []
    for k, name in enumerate(names):
        found = file_name(name, str(k), taken)
        assert why_no_name(found[:40].strip(" .")) is None or len(found) > 40
        assert not set(found) & set('<>:"/\\|?*\x00\n') and found == found.strip(" .")
        assert len(f"{found}.xlsx".encode()) <= 255
        taken.append(found)
    assert len({on_a_mac(name) for name in taken}) == len(names)


@pytest.mark.parametrize(
    "names",
    [
        ("a/b", "a_b"),
        ("East", "EAST"),
        ("../x", ".._x"),
        ("CON", "con"),
        ("é", "e\u0301"),
        ("", ""),
        ("区" * 60, "区" * 50),
    ],
)
def test_names_that_fall_together_are_told_apart_by_their_ids(names: tuple[str, str]) -> None:
    first = file_name(names[0], "1", [])
    second = file_name(names[1], "2", [first])
    assert on_a_mac(first) != on_a_mac(second)
    assert max(len(first.encode()), len(second.encode())) <= 2 * MOST_BYTES + 1
