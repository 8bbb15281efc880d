"""`rooftop audit` as people run it: real processes, GBK and XLSX, both languages, narrow terminals, exit codes."""

from __future__ import annotations

import csv
import io
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import xlsxwriter

from rooftop.cli.audit import AuditOptions, run_audit

GBK = (
    "项目名称,县区,屋顶面积（㎡）,装机容量(kW),年发电量（万kWh）,并网年份\n"
    "赣榆区人民医院,赣榆区,150,600,14.6,2021\n=1+1厂,海州区,10000,1500,160,2023\n丙校,东海县,若干,50,5.4,2022\n"
)


def rooftop(*arguments: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "rooftop", *arguments],
        cwd=cwd,
        env={**os.environ, "ROOFTOP_LANG": "zh", "PYTHONIOENCODING": "utf-8", **environment},
        capture_output=True,
        timeout=120,
    )


def test_a_gbk_file_end_to_end(tmp_path: Path) -> None:
    (tmp_path / "申报.csv").write_bytes(GBK.encode("gbk"))
    done = rooftop("audit", "申报.csv", "-o", "核查.csv", cwd=tmp_path)
    text = done.stdout.decode()
    assert done.returncode == 1, done.stderr.decode()
    assert "4" in done.stderr.decode() and "Traceback" not in done.stderr.decode()
    assert "[不可能] 赣榆区人民医院" in text and "[合理] =1+1厂" in text and "gb18030" in text
    assert "共 3 个项目：不可能 1，存疑 0，合理 2，无法判断 0" in text
    rows = list(csv.DictReader(io.StringIO((tmp_path / "核查.csv").read_bytes().decode("utf-8-sig"))))
    assert [row["行号"] for row in rows] == ["2", "3", "4"]
    assert (
        rows[0]["结论"] == "不可能"
        and rows[0]["申报装机容量(kW)"] == "600"
        and rows[0]["申报年发电量(kWh)"] == "146000"
    )
    assert rows[1]["项目"] == "'=1+1厂" and rows[2]["申报屋顶面积(㎡)"] == ""
    assert "若干" in rows[2]["未申报或无法识别"]


def test_a_workbook_in_and_a_workbook_out(tmp_path: Path) -> None:
    with xlsxwriter.Workbook(str(tmp_path / "in.xlsx")) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["project", "roof area m2", "capacity MW", "annual GWh"])
        sheet.write_row(1, 0, ["A", 12000, 1.8, 1.905])
        sheet.write_row(2, 0, ["B", 12000, 18, 1.905])
    done = rooftop("audit", "in.xlsx", "--lang", "en", "--pack", "lianyungang", "-o", "out.xlsx", cwd=tmp_path)
    text = done.stdout.decode()
    assert done.returncode == 0, done.stderr.decode()
    assert "[fine] A (row 2)" in text and "[impossible] B (row 3)" in text and "Lianyungang" in text
    with zipfile.ZipFile(tmp_path / "out.xlsx") as parts:
        assert "impossible" in parts.read("xl/sharedStrings.xml").decode()


@pytest.mark.parametrize("codec", ["ascii", "cp936"])
def test_a_narrow_terminal_and_the_first_case(tmp_path: Path, codec: str) -> None:
    for lang in ("zh", "en"):
        done = rooftop("audit", "--lang", lang, cwd=tmp_path, PYTHONIOENCODING=codec, PYTHONUTF8="0")
        assert done.returncode == 0 and not done.stderr, done.stderr
        assert b"4,000 W" in done.stdout and b"243" in done.stdout and b"2,800" in done.stdout


def test_mistakes_end_in_one_block_and_write_nothing(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(GBK.encode("gbk"))
    for arguments in (
        ("audit", "nowhere.csv"),
        ("audit", "a.csv", "--pack", "atlantis"),
        ("audit", "a.csv", "-o", "a.pdf"),
        ("audit", "a.csv", "--ghi", "4"),
    ):
        done = rooftop(*arguments, cwd=tmp_path, ROOFTOP_LANG="en")
        assert done.returncode == 2, arguments
        assert b"Traceback" not in done.stderr and b"\n  where" in done.stderr
    assert [p.name for p in tmp_path.iterdir()] == ["a.csv"]


def test_columns_and_units_by_hand(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("甲,乙,丙\n100,15,1.6\n", encoding="utf-8")
    options = AuditOptions(columns=("area=甲", "capacity=乙", "energy=丙"), units=("energy=万kWh",), ghi=1400.0)
    text = "\n".join(run_audit(tmp_path / "a.csv", options, "zh").lines)
    assert "[合理]" in text and "1,070 h" in text
    assert text.count("文件未写单位") == 2
    without = "\n".join(run_audit(tmp_path / "a.csv", AuditOptions(columns=options.columns, ghi=1400.0), "zh").lines)
    assert "[存疑]" in without and text.count("文件未写单位") + 1 == without.count("文件未写单位")


def test_a_pack_without_claims_says_so() -> None:
    lines = run_audit(None, AuditOptions(pack="shanxi"), "en").lines
    assert "0 declared" in lines[0] and "0 projects" in lines[-1]
