"""The tables of planes within a run: what is known of a plane before its year is, in either layout."""

from __future__ import annotations

from rooftop.core.lang import Text
from rooftop.tables import Column, ColumnKind, Table


def _c(name: str, kind: ColumnKind, en: str, zh: str) -> Column:
    return Column(name, kind, Text(en, zh))


_LAID_OUT = (
    _c("roof", "number", "row of the building", "建筑行号"),
    _c("plane_id", "str", "plane id", "坡面编号"),
    _c("roof_source", "str", "source of roof", "屋面来源"),
    _c(
        "side",
        "number",
        "side of an assumed gable's axis: 1 right, -1 left, 0 whole",
        "假定双坡屋面所在侧：1右，-1左，0整体",
    ),
    _c("axis_grid_deg", "float", "axis of an assumed gable from grid north (°)", "假定双坡屋面屋脊轴方位(坐标北，°)"),
    _c("known", "number", "row among the planes of known geometry, -1 for assumed ones", "实测坡面行号，假定坡面为-1"),
    _c("pitched", "flag", "carries flush modules", "坡屋面（组件平铺）"),
    _c("plane_tilt_deg", "float", "roof plane tilt (°)", "坡面倾角(°)"),
    _c("plane_azimuth_deg", "float", "roof plane azimuth (°)", "坡面方位角(°)"),
    _c("mounting", "str", "mounting", "安装方式"),
    _c("surface_tilt_deg", "float", "module tilt (°)", "组件倾角(°)"),
    _c("surface_azimuth_deg", "float", "module azimuth (°)", "组件方位角(°)"),
    _c("module_middle_m", "float", "height of the modules' middle above the roof plane (m)", "组件中心距屋面高度(m)"),
    _c("area_m2", "float", "area in the roof plane (m²)", "坡面面积(㎡)"),
    _c("excluded_area_m2", "float", "area taken by declared exclusions (m²)", "申报不可安装区扣除面积(㎡)"),
    _c("existing_pv_area_m2", "float", "area under existing PV of known place (m²)", "位置已知的已装光伏占用面积(㎡)"),
    _c("usable", "flag", "may carry modules", "可布置组件"),
    _c("obstacles_known", "flag", "obstacles were measured, and are cut out", "障碍物已实测并扣除"),
    _c("setback_m", "float", "distance of modules from edges (m)", "组件距边缘(m)"),
    _c("min_patch_m2", "float", "smallest patch that carries modules (m²)", "最小布置块面积(㎡)"),
    _c(
        "free_share",
        "float",
        "share of the net area that obstacles leave, by roof type",
        "扣除障碍物后净面积比例（按屋面类型）",
    ),
    _c("free_share_low", "float", "the same on the most obstructed roof of the type", "同上，该类型障碍最多时"),
    _c("free_share_high", "float", "the same on the least obstructed roof of the type", "同上，该类型障碍最少时"),
    _c("geometry", "geometry", "plan", "平面投影"),
)

DENSITY_PLANES = Table(
    "planes by density",
    (
        *_LAID_OUT,
        _c("design", "number", "row among the designs of arrays", "方阵设计行号"),
        _c(
            "layout_share",
            "float",
            "share of the used zone that arrays fill, by roof type",
            "方阵占布置区比例（按屋面类型）",
        ),
        _c("inner_share", "float", "share of the plane behind the setback", "退距以内面积比例"),
        _c(
            "excluded_share",
            "float",
            "share of the plane that exclusions take behind the setback",
            "退距以内不可安装区占坡面比例",
        ),
        _c("left_share", "float", "share of the rest that existing PV leaves", "扣除已装光伏后的比例"),
    ),
)
"""Planes whose modules are counted by area."""

PACKED_PLANES = Table(
    "packed planes",
    (
        *_LAID_OUT,
        _c("packed_count", "number", "modules that were placed", "已布置组件数量"),
        _c("packed_module_m2", "float", "their area, projected on the plane (m²)", "其投影面积(㎡)"),
        _c("packed_array_m2", "float", "their rows with the gaps between them (m²)", "其方阵面积(㎡)"),
        _c("packed_used_m2", "float", "the pieces of the zone that carry them (m²)", "其布置区面积(㎡)"),
        _c("zone_net_m2", "float", "zone before existing PV (m²)", "扣除已装光伏前的可用区面积(㎡)"),
        _c("pitch_m", "float", "distance of rows (m)", "排距(m)"),
    ),
)
"""Planes whose modules have places."""
