"""Rows of the lists as people read them: labels instead of codes."""

from __future__ import annotations

from typing import Any

import pandas as pd

from rooftop.campaign.wording import wording
from rooftop.core.lang import Lang, Text
from rooftop.core.privacy import WITHHELD
from rooftop.core.roof_rules import roof_type_labels
from rooftop.core.rounding import is_missing, real
from rooftop.core.vocabularies import reasons, use_labels
from rooftop.outputs.bundle import ReportData
from rooftop.outputs.use_sources import inferred_by
from rooftop.outputs.workbook.sheet import SheetColumn
from rooftop.scene.inverters import Inverters, size_inverters, usual_dc_ac_ratio
from rooftop.targets.columns import text_column

OWNERS = {
    "person": Text("(natural person, withheld)", "（自然人，未列出）"),
    "maybe": Text("(may be a natural person, withheld)", "（可能为自然人，未列出）"),
}
"""What stands in place of an owner, by `rooftop.core.privacy.WITHHELD`."""
NOT_KNOWN = Text("not known", "不明")
YES_NO = {"yes": Text("yes", "是"), "no": Text("no", "否"), "unknown": Text("unknown", "不明")}
ENERGY_SCALE = {"zh": 1e-4, "en": 1e-3}
ENERGY = Text("Annual energy (MWh)", "年发电量(万kWh)")

WHICH_BUILDING = (
    SheetColumn(Text("No.", "序号"), "number", "count"),
    SheetColumn(Text("Building id", "建筑编号"), "building_id"),
    SheetColumn(Text("Name", "建筑名称"), "building_name"),
    SheetColumn(Text("Address", "坐落"), "address"),
)
TOWN_AND_OWNER = (
    SheetColumn(Text("Town", "街道(镇)"), "town_name"),
    SheetColumn(Text("Owner", "产权单位"), "owner"),
)
CANDIDATE_COLUMNS = (
    *WHICH_BUILDING,
    SheetColumn(Text("District", "县区"), "district_name"),
    *TOWN_AND_OWNER,
    SheetColumn(Text("Use", "建筑用途"), "use"),
    SheetColumn(Text("Public institution", "是否公共机构"), "public"),
    SheetColumn(Text("Completed", "竣工日期"), "completed"),
    SheetColumn(Text("Roof type", "屋面类型"), "roof_type"),
    SheetColumn(Text("Roof area (m²)", "屋顶面积(㎡)"), "gross_area_m2", "quantity"),
    SheetColumn(Text("Installable area (m²)", "可安装面积(㎡)"), "installable_area_m2", "quantity"),
    SheetColumn(Text("Proposed capacity (kWp)", "拟装容量(kWp)"), "added_kwp", "quantity"),
    SheetColumn(ENERGY, "energy", "quantity"),
    SheetColumn(Text("Specific yield (kWh/kWp)", "年等效利用小时数(h)"), "specific_yield_kwh_kwp", "quantity"),
    SheetColumn(Text("Shading loss (%)", "遮挡损失(%)"), "shading_percent", "quantity"),
    SheetColumn(Text("Existing PV (kWp)", "已装容量(kWp)"), "existing_pv_kwp", "quantity"),
    SheetColumn(Text("Why recommended", "推荐理由"), "recommendation", "wrap", 42),
    SheetColumn(Text("To verify", "待核实事项"), "verify", "wrap", 38),
    SheetColumn(Text("Longitude (GCJ-02, Amap)", "高德经度"), "lon_gcj02", "degree"),
    SheetColumn(Text("Latitude (GCJ-02, Amap)", "高德纬度"), "lat_gcj02", "degree"),
    SheetColumn(Text("Inverters (usual)", "逆变器(参考)"), "inverters"),
    SheetColumn(Text("Connection (usual)", "接入电压(参考)"), "connection_voltage"),
)


def use_label(value: object, lang: Lang) -> str:
    """Return what people call a building use."""
    return _label(use_labels(), value, lang)


def roof_type_label(value: object, lang: Lang) -> str:
    """Return what people call a roof type."""
    return _label(roof_type_labels(), value, lang)


def reason_label(code: object, lang: Lang) -> str:
    """Return the label of a reason code, the code itself where it has none."""
    return _label(reasons(), code, lang)


def _label(labels: dict[str, Text], value: object, lang: Lang) -> str:
    if is_missing(value):
        value = "unknown"
    text = labels.get(str(value))
    return str(value) if text is None else text.pick(lang)


def completion_text(date: object, year: object) -> str:
    """Return the completion date, else the year, else nothing."""
    if not is_missing(date) and str(date).strip():
        return str(date)
    return "" if is_missing(year) else f"{int(real(year)):d}"


def roof_rows(roofs: pd.DataFrame, lang: Lang) -> list[dict[str, Any]]:
    """Return what every list says of a roof: names (as `rooftop.core.privacy` left them), labels, areas."""
    names = [
        "building_id",
        "building_name",
        "address",
        "district_name",
        "town_name",
        "owner_name",
        "owner_type",
        "building_use",
        "is_public_institution",
        "completion_date",
        "year_built",
        "roof_type",
        "gross_area_m2",
        "installable_area_m2",
        "capacity_kwp",
        "existing_pv_kwp",
        "specific_yield_kwh_kwp",
        "shading_loss",
        "lon_gcj02",
        "lat_gcj02",
        "use_source",
    ]
    out = []
    why = text_column(roofs, WITHHELD, "")
    for row, withheld in zip(roofs[names].to_dict("records"), why, strict=True):
        row["owner"] = OWNERS[withheld].pick(lang) if withheld else row["owner_name"]
        row["use"] = use_label(row["building_use"], lang)
        inferred = inferred_by(row["use_source"])
        if inferred is not None:
            row["use"] += Text(" ({how})", "（{how}）").format(how=inferred).pick(lang)
        row["public"] = _label(YES_NO, row["is_public_institution"], lang)
        row["completed"] = completion_text(row["completion_date"], row["year_built"])
        row["roof_type"] = roof_type_label(row["roof_type"], lang)
        row["shading_percent"] = None if is_missing(row["shading_loss"]) else 100.0 * float(row["shading_loss"])
        out.append({str(key): value for key, value in row.items()})
    return out


def candidate_frame(data: ReportData, district_id: str) -> pd.DataFrame:
    """Return the candidates of one district in order of priority."""
    candidates = data.campaign.candidates
    return candidates[(text_column(candidates, "district_id", "") == district_id).to_numpy()]


def inverter_words(inverters: Inverters) -> str:
    """Return count and size, the same in both languages; nothing without modules."""
    return f"{inverters.count} × {inverters.unit_kw:g} kW" if inverters.count else ""


def candidate_inverters(frame: pd.DataFrame) -> list[Inverters]:
    """Return the inverters of what is proposed on each candidate, existing PV left out."""
    ratio = usual_dc_ac_ratio()
    return [size_inverters(float(kwp), ratio) for kwp in frame["added_kwp"]]


def candidate_rows(data: ReportData, district_id: str, lang: Lang) -> list[dict[str, Any]]:
    """Return the rows of 候选屋顶: keys of `CANDIDATE_COLUMNS`, numbers not yet rounded."""
    frame = candidate_frame(data, district_id)
    texts = wording(frame, data.campaign, data.pack, lang)
    rows = roof_rows(frame, lang)
    added = zip(frame["added_kwp"], frame["added_annual_kwh"], frame["planned"], strict=True)
    words_of = zip(texts["recommendation"], texts["verify"], strict=True)
    for number, (row, (kwp, kwh, planned), (why, verify), inverters) in enumerate(
        zip(rows, added, words_of, candidate_inverters(frame), strict=True), start=1
    ):
        row |= {
            "number": number,
            "added_kwp": kwp,
            "energy": kwh * ENERGY_SCALE[lang],
            "planned": bool(planned),
            "inverters": inverter_words(inverters),
            "connection_voltage": inverters.voltage,
            "recommendation": why,
            "verify": verify,
        }
    return rows
