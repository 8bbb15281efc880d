"""A district of five buildings with round numbers, and ways to vary it."""

import json
import re
from pathlib import Path

import pandas as pd
import pytest

from rooftop.core.errors import ConfigError
from rooftop.core.resources import configs_dir
from rooftop.core.yamlfile import load_yaml
from rooftop.tables import MEMBERSHIPS, ROOFS
from rooftop.targets import Stock, load_pack

AREAS = ("gross", "net", "installable", "used", "array", "module")


def roof(building_id, areas=(0, 0, 0, 0, 0, 0), **columns):
    """One row of `tables.ROOFS`; areas in m²: gross, net, installable, used, array, module."""
    row = dict.fromkeys(ROOFS.names)
    row |= {f"{name}_area_m2": float(value) for name, value in zip(AREAS, areas, strict=True)}
    row |= {
        "building_id": building_id, "building_use": "unknown", "is_public_institution": "unknown",
        "use_source": "mapped", "status": "ok", "reasons": [], "module_face_area_m2": float(areas[5]),
        "capacity_kwp": areas[5] * 0.2,
    }  # fmt: skip
    return row | columns


def table(rows):
    """Return `tables.ROOFS` of rows whose layout is that of the whole roof."""
    return beside(pd.DataFrame(rows, columns=ROOFS.names))


def beside(roofs, w_per_m2=200.0):
    """Take what stands off layouts of the whole roof, as a run does: the rest is new."""
    out = roofs.copy()
    whole = pd.to_numeric(out["module_face_area_m2"]).fillna(0.0)
    face = pd.to_numeric(out["existing_pv_kwp"]).fillna(0.0) * 1000.0 / w_per_m2
    left = (1.0 - face / whole.where(whole > 0)).clip(lower=0.0).fillna(1.0)
    array = pd.to_numeric(out["array_area_m2"]) / whole.where(whole > 0)
    out["existing_pv_area_m2"] = (face * array).fillna(face)
    for name in (
        "used_area_m2",
        "array_area_m2",
        "module_area_m2",
        "module_face_area_m2",
        "capacity_kwp",
        "annual_kwh",
    ):
        out[name] = pd.to_numeric(out[name]) * left
    return out


def five_buildings(pv=(40.0, 100.0, None, 20.0, 60.0)):
    """The district worked out by hand in `tests/targets/test_coverage.py`; a plain panel carries 200 W/m²."""
    a, b, c, d, e = pv
    return table(
        [
            roof("A", (1000, 800, 800, 600, 500, 400), building_use="school", is_public_institution="yes",
                 completion_date="2022-06-30", existing_pv_kwp=a),
            roof("B", (2000, 1600, 1500, 1500, 1200, 1200), building_use="factory", is_public_institution="no",
                 year_built=2023, existing_pv_kwp=b),
            roof("C", (400, 400, 400, 400, 300, 200), building_use="factory", is_public_institution="no",
                 existing_pv_kwp=c),
            roof("D", (500, 400, 200, 160, 100, 80), building_use="office", year_built=2024, existing_pv_kwp=d),
            roof("E", (1000, 700, 600, 500, 400, 300), building_use="residential", is_public_institution="no",
                 year_built=2023, existing_pv_kwp=e),
        ]
    )  # fmt: skip


def members(roofs, unit_id="d1", level="district", share=1.0):
    """Put every roof into one unit."""
    frame = pd.DataFrame({"building_id": roofs["building_id"], "unit_id": unit_id, "level": level, "share": share})
    return frame[MEMBERSHIPS.names]


def units(*rows):
    """Return the table of units from (id, level) pairs."""
    return pd.DataFrame(
        [(unit, f"{unit} name", level) for unit, level in rows], columns=["unit_id", "unit_name", "level"]
    )


def in_one_district(roofs, pack):
    """Join roofs, all of them in district d1, to a plan."""
    return Stock.from_tables(roofs, members(roofs), units(("d1", "district")), pack)


def pack_copy(folder: Path, name="lianyungang", change=None):
    """Load a changed copy of a shipped pack; a panel carries 200 W/m² there, which makes areas round."""
    data = load_yaml(configs_dir() / "policies" / f"{name}.yaml").data
    data["existing_pv"] = {"w_per_m2": 200, "date": "2026-01", "source": {"zh": "测试", "en": "test"}}
    if change is not None:
        change(data)
    path = folder / f"{name}.yaml"
    path.write_text(json.dumps(data, ensure_ascii=False, indent=1), encoding="utf-8")
    return load_pack(path)


def pick(table, **wanted):
    """Return the rows of the front definition, but for what is asked otherwise (None: any)."""
    front = {
        "unit_id": "d1", "kind": "installed", "cohort": "2021-2025", "aggregation": "pooled",
        "building_group": "all_in_scope", "numerator": "module", "denominator": "installable",
    }  # fmt: skip
    for column, value in (front | wanted).items():
        if value is not None:
            table = table[table[column] == value]
    return table


def one(table, **wanted):
    """Return the single row asked for."""
    rows = pick(table, **wanted)
    assert len(rows) == 1, rows
    return rows.iloc[0]


def refused_pack(folder, name, old, new):
    """Return the error of a shipped pack with one piece of its text replaced: it says all a person needs."""
    text = (configs_dir() / "policies" / f"{name}.yaml").read_text(encoding="utf-8")
    assert old in text
    path = folder / "changed.yaml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_pack(path)
    error = caught.value
    assert str(path) in str(error.details["where"]) and error.exit_code == 2
    assert all(error.details[part] for part in ("where", "found", "expected", "mend"))
    chinese = error.render("zh")
    assert re.search(r"[一-鿿]", chinese.splitlines()[0]) and "Input should" not in chinese
    return error
