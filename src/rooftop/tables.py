"""The tables of the contract: column names, types, units and labels, in one place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import pandas as pd

from rooftop.core.errors import ComputeError
from rooftop.core.lang import Text

ColumnKind = Literal["str", "float", "int", "bool", "list", "number", "flag", "geometry"]


@dataclass(frozen=True)
class Column:
    """One column: its name (unit included), type and label.

    Parameters
    ----------
    name : str
    kind : {"str", "float", "int", "bool", "list", "number", "flag", "geometry"}
        ``int`` and ``bool`` are nullable, ``list`` holds strings; ``number`` and ``flag``, whole numbers and truth
        values of tables within a run, are never null.
    label : Text
        What a person calls it, unit included.
    """

    name: str
    kind: ColumnKind
    label: Text


@dataclass(frozen=True)
class Table:
    """An ordered set of columns: a written table has at least these, one within a run these alone."""

    name: str
    columns: tuple[Column, ...]

    @property
    def names(self) -> list[str]:
        """Column names in their order."""
        return [column.name for column in self.columns]

    def label(self, name: str) -> Text:
        """Return the label of a column."""
        return next(column.label for column in self.columns if column.name == name)


_DTYPES: dict[ColumnKind, Any] = {
    "str": "string",
    "float": "float64",
    "int": "Int64",
    "bool": "boolean",
    "number": "int64",
    "flag": "bool",
}


def conform(frame: pd.DataFrame, table: Table, *, strict: bool = False) -> pd.DataFrame:
    """Return `frame` with the columns of `table` in order and type; others (geometry) follow.

    Parameters
    ----------
    strict : bool
        Refuse columns that `table` does not declare.

    Raises
    ------
    ComputeError
        A column of the contract is missing, or one is not of it.
    """
    missing = [name for name in table.names if name not in frame.columns]
    if missing:
        raise ComputeError(
            Text(f"table {table.name} lacks columns", f"表 {table.name} 缺少列"), found=", ".join(missing)
        )
    others = [str(name) for name in frame.columns if name not in table.names]
    if strict and others:
        raise ComputeError(
            Text(f"table {table.name} has columns that nothing declares", f"表 {table.name} 有未声明的列"),
            found=", ".join(others),
        )
    out = frame[table.names + others].copy()
    for column in table.columns:
        if column.kind in _DTYPES:
            out[column.name] = out[column.name].astype(_DTYPES[column.kind])
    return out


def _c(name: str, kind: ColumnKind, en: str, zh: str) -> Column:
    return Column(name, kind, Text(en, zh))


# Columns that several tables share.
_UNIT = (
    _c("unit_id", "str", "unit id", "单元代码"),
    _c("unit_name", "str", "unit", "单元名称"),
    _c("level", "str", "level", "层级"),
)
_TARGET = (
    _c("target_id", "str", "target", "指标"),
    _c("year", "int", "target year", "目标年"),
    _c("target", "float", "target value", "目标值"),
    _c("target_nature", "str", "nature of the target", "指标性质"),
    _c("kind", "str", "kind", "口径类型"),
)
_DEFINITION = (
    _c("building_group", "str", "building group", "建筑类别"),
    _c("numerator", "str", "numerator", "分子"),
    _c("denominator", "str", "denominator", "分母"),
)
_COUNTS = (
    _c("n_buildings", "int", "buildings", "建筑数"),
    _c("n_unknown", "int", "buildings not known to belong", "归属不明建筑数"),
)
_COVERED = (
    _c("numerator_m2", "float", "numerator (m²)", "分子面积(㎡)"),
    _c("denominator_m2", "float", "denominator (m²)", "分母面积(㎡)"),
    _c("coverage", "float", "coverage", "覆盖率"),
    _c("coverage_low", "float", "coverage, low bound", "覆盖率下限"),
    _c("coverage_high", "float", "coverage, high bound", "覆盖率上限"),
)
_MONTHS = tuple(_c(f"kwh_{m:02d}", "float", f"energy of month {m} (kWh)", f"{m}月发电量(kWh)") for m in range(1, 13))

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
        _c("existing_pv_area_m2", "float", "roof area under existing PV (m²)", "已装光伏占用面积(㎡)"),
        _c("excluded_area_m2", "float", "net area taken by declared exclusions (m²)", "申报不可安装区扣除面积(㎡)"),
        _c("inverter_count", "int", "inverters", "逆变器台数"),
        _c("inverter_unit_kw", "float", "rating of each inverter (kW AC)", "单台逆变器额定功率(kW)"),
        _c("inverter_ac_kw", "float", "rating of all inverters (kW AC)", "逆变器总额定功率(kW)"),
        _c("dc_ac_ratio", "float", "ratio of DC to AC rating", "容配比"),
        _c("connection_voltage", "str", "usual voltage of the connection", "通常接入电压等级"),
        _c("surface_tilt_deg", "float", "tilt (°)", "倾角(°)"),
        _c("surface_azimuth_deg", "float", "azimuth (°)", "方位角(°)"),
        _c("svf", "float", "sky view factor", "天空可视因子"),
        _c("shading_loss", "float", "shading loss", "遮挡损失"),
        _c("ghi_kwh_m2", "float", "horizontal irradiation (kWh/m²·a)", "水平面年辐照量(kWh/㎡)"),
        _c("poa_kwh_m2", "float", "plane-of-array irradiation (kWh/m²·a)", "组件面年辐照量(kWh/㎡)"),
        _c("annual_kwh", "float", "annual energy (kWh)", "年发电量(kWh)"),
        *_MONTHS,
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
        _c("used_area_m2", "float", "used zone (m²)", "布置区面积(㎡)"),
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

MODULES = Table(
    "modules",
    (
        _c("plane_id", "str", "plane id", "坡面编号"),
        _c("module", "int", "number in the plane", "坡面内序号"),
        _c("counted", "bool", "counted in the plane's modules", "是否计入组件数量"),
        _c("left_out", "str", "why it is not counted", "未计入原因"),
        _c("yield_order", "int", "order by yield on the roof", "屋顶内发电量排序"),
        _c("poa_kwh_m2", "float", "irradiation on the module (kWh/m²)", "组件面年辐照量(kWh/㎡)"),
        _c("shading_loss", "float", "shading loss", "遮挡损失"),
        _c("annual_kwh", "float", "energy a year (kWh)", "年发电量(kWh)"),
        *_MONTHS,
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
        *_UNIT,
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
        _c("capacity_kwp", "float", "new capacity (kWp)", "可新增容量(kWp)"),
        _c("existing_pv_kwp", "float", "existing PV (kWp)", "已装容量(kWp)"),
        _c("annual_kwh", "float", "annual energy (kWh)", "年发电量(kWh)"),
        *_MONTHS,
        _c("specific_yield_kwh_kwp", "float", "specific yield (kWh/kWp)", "年等效利用小时数(h)"),
    ),
)

COVERAGE = Table(
    "coverage",
    (
        *_UNIT,
        *_TARGET,
        _c("scope_reading", "str", "reading of the scope", "范围解读"),
        _c("cohort", "str", "cohort", "统计期"),
        _c("aggregation", "str", "aggregation", "汇总方式"),
        *_DEFINITION,
        *_COUNTS,
        *_COVERED,
        _c("gap_m2", "float", "gap (m²)", "缺口面积(㎡)"),
        _c("gap_kwp", "float", "gap (kWp)", "缺口容量(kWp)"),
        _c("attained", "str", "attained", "是否达标"),
        _c("is_default", "bool", "the pack's own definition", "方案默认口径"),
    ),
)

QUOTAS = Table(
    "quotas",
    (
        _c("target_id", "str", "target", "指标"),
        _c("year", "int", "target year", "目标年"),
        _c("unit_id", "str", "unit id", "单元代码"),
        _c("name", "str", "unit in the plan", "规划单元"),
        _c("level", "str", "level", "层级"),
        _c("value", "float", "quota as written", "任务量（原文）"),
        _c("unit", "str", "unit of the quota", "任务量单位"),
        _c("quota_m2", "float", "quota (m² of floor)", "任务量(㎡建筑面积)"),
        _c("stock", "str", "stock meant", "对应存量"),
        _c("n_buildings", "int", "buildings", "建筑数"),
        _c("n_existing", "int", "completed before the period", "期前竣工建筑数"),
        _c("n_year_unknown", "int", "year unknown", "竣工时间不明建筑数"),
        _c("gross_area_m2", "float", "roof area (m²)", "屋顶面积(㎡)"),
        _c("capacity_kwp", "float", "new capacity (kWp)", "可新增容量(kWp)"),
        _c("n_stock", "int", "buildings of the stock", "对应存量建筑数"),
        _c("n_floors_assumed", "int", "floors from height", "层数按高度推算数"),
        _c("stock_area_m2", "float", "floor area of the stock (m²)", "存量建筑面积(㎡)"),
        _c("stock_area_high_m2", "float", "with unknown years (m²)", "含时间不明建筑面积(㎡)"),
        _c("quota_share", "float", "quota over stock", "任务量占存量比例"),
        _c("n_filled", "int", "roofs that fill the quota best", "优选改造建筑数"),
        _c("filled_roof_m2", "float", "their roof area (m²)", "优选改造屋顶面积(㎡)"),
        _c("added_kwp", "float", "PV that fits on them (kWp)", "优选改造可新增容量(kWp)"),
        _c("added_low_kwp", "float", "low (kWp)", "下限(kWp)"),
        _c("added_high_kwp", "float", "high (kWp)", "上限(kWp)"),
        _c("added_mean_kwp", "float", "chosen without regard to roofs (kWp)", "不择优时可新增容量(kWp)"),
        _c("added_kwh", "float", "energy a year (kWh)", "年发电量(kWh)"),
    ),
)

CAPACITY = Table(
    "capacity",
    (
        *_UNIT,
        _c("target_id", "str", "target", "指标"),
        _c("year", "int", "target year", "目标年"),
        _c("building_group", "str", "building group", "建筑类别"),
        _c("kind", "str", "kind", "口径类型"),
        *_COUNTS,
        _c("target_kwp", "float", "capacity asked for (kWp)", "目标容量(kWp)"),
        _c("capacity_kwp", "float", "capacity (kWp)", "容量(kWp)"),
        _c("capacity_low_kwp", "float", "capacity, low bound (kWp)", "容量下限(kWp)"),
        _c("share_of_target", "float", "share of the target", "占目标比例"),
        _c("annual_kwh", "float", "energy a year (kWh)", "年发电量(kWh)"),
    ),
)

SUBSTITUTION = Table(
    "substitution",
    (
        *_UNIT,
        *_TARGET,
        _c("cohort", "str", "cohort", "统计期"),
        _c("k_e", "str", "equivalent of electricity", "电力折标口径"),
        _c("k_e_kgce_kwh", "float", "equivalent of electricity (kgce/kWh)", "电力折标系数(kgce/kWh)"),
        *_COUNTS,
        _c("n_measured", "int", "buildings with metered energy", "有计量能耗建筑数"),
        _c("n_floors_estimated", "int", "buildings with estimated floors", "层数为估算的建筑数"),
        _c("floor_area_m2", "float", "floor area (m²)", "建筑面积(㎡)"),
        _c("demand_kgce", "float", "energy demand (kgce)", "建筑能耗(kgce)"),
        _c("pv_kgce", "float", "PV (kgce)", "太阳能光伏替代量(kgce)"),
        _c("thermal_kgce", "float", "solar hot water (kgce)", "太阳能光热替代量(kgce)"),
        _c("heat_pump_kgce", "float", "heat pumps, net (kgce)", "热泵净替代量(kgce)"),
        _c("rate", "float", "substitution rate", "可再生能源替代率"),
        _c("rate_low", "float", "substitution rate, low bound", "替代率下限"),
        _c("rate_high", "float", "substitution rate, high bound", "替代率上限"),
        _c("roof_share_of_target", "float", "PV on roofs over what the target asks", "屋顶光伏占目标所需比例"),
        _c("elsewhere_kgce", "float", "to come from elsewhere than PV (kgce)", "须由光伏以外替代(kgce)"),
        _c("gap_kgce", "float", "still missing (kgce)", "替代量缺口(kgce)"),
        _c(
            "gap_solar_thermal_m2",
            "float",
            "the gap in building area with solar hot water (m²)",
            "缺口折合光热应用面积(㎡)",
        ),
        _c(
            "gap_ground_source_m2",
            "float",
            "the gap in building area with ground-source heat pumps (m²)",
            "缺口折合地源热泵应用面积(㎡)",
        ),
        _c("attained", "str", "attained", "是否达标"),
        _c("is_default", "bool", "the front row's equivalent", "默认折标口径"),
    ),
)

PV_OR_THERMAL = Table(
    "pv_or_thermal",
    (
        _c("building_id", "str", "building id", "建筑编号"),
        _c("district_id", "str", "district id", "县区代码"),
        _c("building_use", "str", "use", "建筑用途"),
        _c("used_area_m2", "float", "used zone (m²)", "布置区面积(㎡)"),
        _c("pv_kwh_m2", "float", "PV per m² of zone (kWh/m²·a)", "光伏年发电量(kWh/㎡)"),
        _c("collector_kwh_m2", "float", "useful heat per m² of zone (kWh/m²·a)", "集热器年有用热量(kWh/㎡)"),
        _c("collector_kgce_m2", "float", "hot water per m² of zone (kgce/m²·a)", "光热替代量(kgce/㎡)"),
        _c(
            "k_e_equal",
            "float",
            "equivalent at which both replace as much (kgce/kWh)",
            "光电光热相当的折标系数(kgce/kWh)",
        ),
        _c(
            "k_e_equal_rule",
            "float",
            "the same by the plans' rule for collectors (kgce/kWh)",
            "按规划折算规则的相当系数(kgce/kWh)",
        ),
        _c("hot_water_kwh", "float", "need of hot water (kWh/a)", "生活热水需热量(kWh)"),
        _c("collector_share", "float", "share of the zone that hot water can use", "热水可用布置区比例"),
        _c("collector_zone_m2", "float", "zone that hot water can use (m²)", "热水可用布置区面积(㎡)"),
        _c("pv_kwh", "float", "PV of the whole zone (kWh/a)", "布置区光伏年发电量(kWh)"),
        _c("collector_area_m2", "float", "collectors that fit in the zone (m²)", "布置区可布置集热器面积(㎡)"),
        _c("heat_kwh_m2", "float", "useful heat per m² of collector (kWh/m²·a)", "集热器单位面积年有用得热量(kWh/㎡)"),
        _c("heat_kwh", "float", "useful heat that the building can use (kWh/a)", "建筑可利用的年有用得热量(kWh)"),
        _c("mandate", "str", "renewable hot water demanded", "是否强制安装可再生能源热水系统"),
        _c("mandate_part", "str", "part of the mandate", "强制要求条款"),
    ),
)

TIMELINE = Table(
    "timeline",
    (
        *_UNIT,
        _c("target_id", "str", "target", "指标"),
        _c("target_year", "int", "target year", "目标年"),
        _c("year", "int", "year", "年份"),
        _c("state", "str", "past, running or ahead", "年份状态"),
        _c("kind", "str", "kind", "口径类型"),
        _c("cohort", "str", "cohort up to this year", "统计期（至当年）"),
        *_DEFINITION,
        *_COUNTS,
        *_COVERED,
        _c("target", "float", "target value in force", "当年目标值"),
        _c("attained", "str", "attained", "是否达标"),
        _c("gap_m2", "float", "still needed (m²)", "尚缺面积(㎡)"),
        _c("gap_kwp", "float", "still needed (kWp)", "尚缺容量(kWp)"),
        _c("years_left", "float", "years left", "剩余年数"),
        _c("needed_kwp_per_year", "float", "build rate needed (kWp a year)", "所需年建设容量(kWp/年)"),
        _c("needed_m2_per_year", "float", "build rate needed (m² a year)", "所需年建设面积(㎡/年)"),
        _c("needed_roofs_per_year", "float", "build rate needed (typical roofs a year)", "所需年建设屋顶数(个/年)"),
    ),
)
