"""The tables of the contract: column names, types, units and labels, in one place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import pandas as pd

from rooftop.errors import ComputeError
from rooftop.lang import Text

Kind = Literal["str", "float", "int", "bool", "list"]


@dataclass(frozen=True)
class Column:
    """One column: its name (unit included), type and label.

    Parameters
    ----------
    name : str
    kind : {"str", "float", "int", "bool", "list"}
        ``int`` and ``bool`` are nullable, ``list`` holds strings.
    label : Text
        What a person calls it, unit included.
    """

    name: str
    kind: Kind
    label: Text


@dataclass(frozen=True)
class Table:
    """An ordered set of columns that a written table has at least."""

    name: str
    columns: tuple[Column, ...]

    @property
    def names(self) -> list[str]:
        """Column names in their order."""
        return [column.name for column in self.columns]

    def label(self, name: str) -> Text:
        """Return the label of a column."""
        return next(column.label for column in self.columns if column.name == name)


_DTYPES: dict[str, Any] = {"str": "string", "float": "float64", "int": "Int64", "bool": "boolean", "list": "object"}


def conform(frame: pd.DataFrame, table: Table) -> pd.DataFrame:
    """Return `frame` with the columns of `table` in order and type; others (geometry) follow.

    Raises
    ------
    ComputeError
        A column of the contract is missing.
    """
    missing = [name for name in table.names if name not in frame.columns]
    if missing:
        raise ComputeError(
            Text(f"table {table.name} lacks columns", f"表 {table.name} 缺少列"), found=", ".join(missing)
        )
    out = frame[table.names + [c for c in frame.columns if c not in table.names]].copy()
    for column in table.columns:
        if column.kind != "list":
            out[column.name] = out[column.name].astype(_DTYPES[column.kind])
    return out


def _c(name: str, kind: Kind, en: str, zh: str) -> Column:
    return Column(name, kind, Text(en, zh))


ROOFS = Table(
    "roofs",
    (
        _c("building_id", "str", "building id", "建筑编号"),
        _c("source_id", "str", "source id", "原始编号"),
        _c("source_file", "str", "source file", "来源文件"),
        _c("source_row", "int", "source row", "来源行号"),
        _c("building_name", "str", "name", "建筑名称"),
        _c("address", "str", "address", "坐落"),
        _c("owner_name", "str", "owner", "产权单位"),
        _c("owner_type", "str", "owner type", "产权类型"),
        _c("district_id", "str", "district id", "县区代码"),
        _c("district_name", "str", "district", "县区"),
        _c("town_id", "str", "town id", "街道(镇)代码"),
        _c("town_name", "str", "town", "街道(镇)"),
        _c("building_use", "str", "use", "建筑用途"),
        _c("is_public_institution", "str", "public institution", "是否公共机构"),
        _c("use_source", "str", "source of use", "用途来源"),
        _c("year_built", "int", "year built", "建成年份"),
        _c("completion_date", "str", "completion date", "竣工日期"),
        _c("is_new", "str", "new in the plan's period", "是否新建"),
        _c("height_m", "float", "height (m)", "高度(m)"),
        _c("height_source", "str", "source of height", "高度来源"),
        _c("floors_above", "int", "floors above ground", "地上层数"),
        _c("structure", "str", "structure", "结构"),
        _c("roof_type", "str", "roof type", "屋面类型"),
        _c("roof_source", "str", "source of roof", "屋面来源"),
        _c("gross_area_m2", "float", "roof area (m²)", "屋顶面积(㎡)"),
        _c("net_area_m2", "float", "net roof area (m²)", "净屋顶面积(㎡)"),
        _c("installable_area_m2", "float", "installable area (m²)", "可安装面积(㎡)"),
        _c("used_area_m2", "float", "used zone (m²)", "布置区面积(㎡)"),
        _c("array_area_m2", "float", "array area (m²)", "方阵面积(㎡)"),
        _c("module_area_m2", "float", "module area, projected on the roof (m²)", "组件投影面积(㎡)"),
        _c("module_face_area_m2", "float", "module area (m²)", "组件面积(㎡)"),
        _c("module_count", "int", "modules", "组件数量"),
        _c("capacity_kwp", "float", "capacity (kWp)", "拟装容量(kWp)"),
        _c("existing_pv_kwp", "float", "existing PV (kWp)", "已装容量(kWp)"),
        _c("surface_tilt_deg", "float", "tilt (°)", "倾角(°)"),
        _c("surface_azimuth_deg", "float", "azimuth (°)", "方位角(°)"),
        _c("svf", "float", "sky view factor", "天空可视因子"),
        _c("shading_loss", "float", "shading loss", "遮挡损失"),
        _c("ghi_kwh_m2", "float", "horizontal irradiation (kWh/m²·a)", "水平面年辐照量(kWh/㎡)"),
        _c("poa_kwh_m2", "float", "plane-of-array irradiation (kWh/m²·a)", "组件面年辐照量(kWh/㎡)"),
        _c("annual_kwh", "float", "annual energy (kWh)", "年发电量(kWh)"),
        *(_c(f"kwh_{m:02d}", "float", f"energy of month {m} (kWh)", f"{m}月发电量(kWh)") for m in range(1, 13)),
        _c("specific_yield_kwh_kwp", "float", "specific yield (kWh/kWp)", "年等效利用小时数(h)"),
        _c("performance_ratio", "float", "performance ratio", "系统效率"),
        _c("lon", "float", "longitude", "经度"),
        _c("lat", "float", "latitude", "纬度"),
        _c("lon_gcj02", "float", "longitude (GCJ-02, Amap)", "高德经度"),
        _c("lat_gcj02", "float", "latitude (GCJ-02, Amap)", "高德纬度"),
        _c("status", "str", "status", "状态"),
        _c("reasons", "list", "reasons", "原因"),
    ),
)

PLANES = Table(
    "planes",
    (
        _c("plane_id", "str", "plane id", "坡面编号"),
        _c("building_id", "str", "building id", "建筑编号"),
        _c("surface_tilt_deg", "float", "module tilt (°)", "组件倾角(°)"),
        _c("surface_azimuth_deg", "float", "module azimuth (°)", "组件方位角(°)"),
        _c("plane_tilt_deg", "float", "roof plane tilt (°)", "坡面倾角(°)"),
        _c("plane_azimuth_deg", "float", "roof plane azimuth (°)", "坡面方位角(°)"),
        _c("area_m2", "float", "area in the roof plane (m²)", "坡面面积(㎡)"),
        _c("roof_source", "str", "source of roof", "屋面来源"),
        _c("mounting", "str", "mounting", "安装方式"),
        _c("module_count", "int", "modules", "组件数量"),
        _c("capacity_kwp", "float", "capacity (kWp)", "容量(kWp)"),
        _c("svf", "float", "sky view factor", "天空可视因子"),
        _c("shading_loss", "float", "shading loss", "遮挡损失"),
        _c("poa_kwh_m2", "float", "plane-of-array irradiation (kWh/m²·a)", "组件面年辐照量(kWh/㎡)"),
        _c("annual_kwh", "float", "annual energy (kWh)", "年发电量(kWh)"),
        _c("status", "str", "status", "状态"),
    ),
)

MEMBERSHIPS = Table(
    "memberships",
    (
        _c("building_id", "str", "building id", "建筑编号"),
        _c("unit_id", "str", "unit id", "单元代码"),
        _c("level", "str", "level", "层级"),
        _c("share", "float", "share of the footprint", "占比"),
    ),
)

DISTRICTS = Table(
    "districts",
    (
        _c("unit_id", "str", "unit id", "单元代码"),
        _c("unit_name", "str", "unit", "单元名称"),
        _c("level", "str", "level", "层级"),
        _c("n_buildings", "int", "buildings", "建筑数"),
        _c("n_ok", "int", "usable roofs", "可用屋顶数"),
        _c("n_needs_survey", "int", "roofs to survey", "待核实屋顶数"),
        _c("n_excluded", "int", "excluded roofs", "排除屋顶数"),
        _c("gross_area_m2", "float", "roof area (m²)", "屋顶面积(㎡)"),
        _c("net_area_m2", "float", "net roof area (m²)", "净屋顶面积(㎡)"),
        _c("installable_area_m2", "float", "installable area (m²)", "可安装面积(㎡)"),
        _c("used_area_m2", "float", "used zone (m²)", "布置区面积(㎡)"),
        _c("array_area_m2", "float", "array area (m²)", "方阵面积(㎡)"),
        _c("module_area_m2", "float", "module area, projected (m²)", "组件投影面积(㎡)"),
        _c("capacity_kwp", "float", "capacity (kWp)", "可装容量(kWp)"),
        _c("existing_pv_kwp", "float", "existing PV (kWp)", "已装容量(kWp)"),
        _c("annual_kwh", "float", "annual energy (kWh)", "年发电量(kWh)"),
        *(_c(f"kwh_{m:02d}", "float", f"energy of month {m} (kWh)", f"{m}月发电量(kWh)") for m in range(1, 13)),
        _c("specific_yield_kwh_kwp", "float", "specific yield (kWh/kWp)", "年等效利用小时数(h)"),
    ),
)

COVERAGE = Table(
    "coverage",
    (
        _c("unit_id", "str", "unit id", "单元代码"),
        _c("unit_name", "str", "unit", "单元名称"),
        _c("level", "str", "level", "层级"),
        _c("target_id", "str", "target", "指标"),
        _c("year", "int", "target year", "目标年"),
        _c("target", "float", "target value", "目标值"),
        _c("target_nature", "str", "nature of the target", "指标性质"),
        _c("kind", "str", "kind", "口径类型"),
        _c("scope_reading", "str", "reading of the scope", "范围解读"),
        _c("cohort", "str", "cohort", "统计期"),
        _c("aggregation", "str", "aggregation", "汇总方式"),
        _c("building_group", "str", "building group", "建筑类别"),
        _c("numerator", "str", "numerator", "分子"),
        _c("denominator", "str", "denominator", "分母"),
        _c("n_buildings", "int", "buildings", "建筑数"),
        _c("n_unknown", "int", "buildings not known to belong", "归属不明建筑数"),
        _c("numerator_m2", "float", "numerator (m²)", "分子面积(㎡)"),
        _c("denominator_m2", "float", "denominator (m²)", "分母面积(㎡)"),
        _c("coverage", "float", "coverage", "覆盖率"),
        _c("coverage_low", "float", "coverage, low bound", "覆盖率下限"),
        _c("coverage_high", "float", "coverage, high bound", "覆盖率上限"),
        _c("gap_m2", "float", "gap (m²)", "缺口面积(㎡)"),
        _c("gap_kwp", "float", "gap (kWp)", "缺口容量(kWp)"),
        _c("attained", "str", "attained", "是否达标"),
        _c("is_default", "bool", "the pack's own definition", "方案默认口径"),
    ),
)
