"""Assumptions as rows: what was assumed, its value with unit, and on whose word."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rooftop.campaign.candidates import Campaign
from rooftop.campaign.carbon import province_name
from rooftop.campaign.money import Economics
from rooftop.campaign.rules import Ranking, campaign_rules, prices
from rooftop.campaign.uncertainty import components, energy_uncertainty
from rooftop.config import Config, FlatSystem
from rooftop.core.lang import Text
from rooftop.core.roof_rules import load_roof_rules
from rooftop.core.rounding import Interval
from rooftop.core.surfaces import SurfaceKind
from rooftop.scene.equator import SideRules
from rooftop.scene.inverters import load_inverter_rules
from rooftop.scene.row_notices import clear_hours_text, place_text
from rooftop.solar.pvsystem import list_modules, load_module, load_system_rules

NO_SOURCE = Text("", "")


@dataclass(frozen=True)
class Assumption:
    """One assumption.

    Parameters
    ----------
    topic, name, value : Text
    source : Text
        Empty where the configuration itself is the source.
    """

    topic: Text
    name: Text
    value: Text
    source: Text = NO_SOURCE


_MODEL = Text("model", "计算模型")
_ROOF = Text("roofs", "屋面")
_SYSTEM = Text("PV system", "光伏系统")
_DOUBT = Text("uncertainty", "不确定度")
_MONEY = Text("money", "经济性")
_GRID = Text("grid", "并网")
_GATES = Text("gates and order", "筛选与排序")
_LOSSES = {
    "soiling": Text("soiling", "积灰"),
    "mismatch": Text("mismatch", "失配"),
    "wiring": Text("wiring", "线损"),
    "availability": Text("availability", "可用率"),
    "light_induced": Text("light-induced degradation", "光致衰减"),
    "low_irradiance": Text("weak light", "弱光损失"),
    "ac_side": Text("AC side to the meter", "交流侧至计量点"),
}
_SURFACE: dict[SurfaceKind, Text] = {
    "prism": Text("prism (cells with vertical walls)", "prism（单元为直立棱柱）"),
    "linear": Text("linear between cell centres", "linear（单元中心线性插值）"),
}
_PER_KWH = Text("yuan/kWh", "元/kWh")
_MOUNTING = {
    "rack": Text("tilted rows", "倾斜支架成排"),
    "flush": Text("flush with the roof", "顺屋面平铺"),
    "east_west": Text("east-west racks", "东西向支架"),
}
_CELL_TEMPERATURE = {
    "ross": Text("rises with light alone (Ross)", "仅随辐照升高（Ross 模型）"),
    "sapm": Text("rises with light, falls with wind (Sandia)", "随辐照升高、随风速降低（Sandia 模型）"),
}


def _as_text(value: object) -> Text:
    return Text(str(value), str(value))


def _source(value: object) -> Text:
    """Return a source as shipped: both languages, or a citation that stays as it is."""
    if isinstance(value, dict):
        return Text(str(value["en"]), str(value["zh"]))
    text = " ".join(str(value).split())
    # A judgement is said to be one in both languages; what it rests on is in the file.
    return Text(text, "经验取值（B），未经标准核实" if "(B)" in text else text)


def assumptions(config: Config | None, campaign: Campaign, sides: Sequence[SideRules] = ()) -> tuple[Assumption, ...]:
    """Return every assumption a reader must know, model first.

    Parameters
    ----------
    config : Config or None
        Of the run; without it only what does not depend on it is listed.
    campaign : Campaign
    sides : sequence of SideRules
        What the run found for the latitude of its roofs.
    """
    rows = [] if config is None else [*_model(config), *_system(config, sides)]
    return (
        *rows,
        *_roofs(config),
        *_empty_planes(sides),
        *_doubt(),
        *_money(campaign.economics),
        *_grid(campaign.economics),
        *_gates(),
        _carbon(campaign),
    )


def _model(config: Config) -> list[Assumption]:
    scene = config.scene
    weather = config.inputs.weather
    hours = (
        Text("clear-sky year scaled to the monthly rasters", "晴空年按月值栅格缩放的合成逐时序列")
        if weather is None
        else Text(f"weather file {weather.path.name}", f"气象文件 {weather.path.name}")
    )
    return [
        Assumption(_MODEL, Text("surface model", "地表模型"), _SURFACE[scene.surface]),
        Assumption(_MODEL, Text("cell size", "栅格尺寸"), _as_text(f"{scene.cell_size_m:g} m")),
        Assumption(
            _MODEL,
            Text("horizon", "遮挡视线"),
            Text(
                f"{scene.azimuths} azimuths, obstacles within {scene.halo_m:g} m of a tile in full detail",
                f"{scene.azimuths} 个方位，分块外 {scene.halo_m:g} m 内障碍按全分辨率计算",
            ),
        ),
        Assumption(_MODEL, Text("diffuse sky", "散射模型"), _as_text(scene.diffuse)),
        Assumption(_MODEL, Text("albedo", "地表反照率"), _as_text(f"{scene.albedo:g}")),
        Assumption(
            _MODEL,
            Text("reflectance of obstacles", "周边建筑立面反射率"),
            _as_text(f"{scene.obstacle_reflectance:g}"),
        ),
        Assumption(_MODEL, Text("hourly shape of the year", "逐时气象"), hours),
        Assumption(
            _MODEL,
            Text("period", "计算期"),
            Text("year one, 365 days", "第一年，365 天"),
        ),
    ]


def _system(config: Config, sides: Sequence[SideRules]) -> list[Assumption]:
    system = config.system
    flat = system.flat
    tilt = (
        Text("most energy per roof, at least 10°", "使每个屋面发电量最大，不小于 10°")
        if flat.tilt_deg == "auto"
        else _as_text(f"{flat.tilt_deg:g}°")
    )
    mounting, look = _MOUNTING[flat.mounting], _azimuth(flat, sides)
    losses = {name: float(value) for name, value in system.losses.model_dump().items()}
    listed = [(_LOSSES.get(name, _as_text(name)), value) for name, value in losses.items() if value]
    rules = load_system_rules()
    inverter = rules.inverter.eta_nom
    return [
        Assumption(_SYSTEM, Text("module", "组件"), *_module(str(system.module))),
        Assumption(
            _SYSTEM,
            Text("flat roofs", "平屋面"),
            Text("{mounting}, tilt: {tilt}{look}", "{mounting}，倾角：{tilt}{look}").format(
                mounting=mounting, tilt=tilt, look=look
            ),
        ),
        *_row_room(flat, sides),
        Assumption(_SYSTEM, Text("pitched and steel roofs", "坡屋面与彩钢板屋面"), _MOUNTING[system.pitched.mounting]),
        Assumption(
            _SYSTEM,
            Text("losses", "损失"),
            Text.join((label + f" {value * 100:g}%" for label, value in listed), ", ", "，"),
        ),
        Assumption(
            _SYSTEM,
            Text("cell temperature", "电池温度"),
            _CELL_TEMPERATURE[system.cell_temperature],
            _source(rules.temperature.source_of(system.cell_temperature)),
        ),
        Assumption(
            _SYSTEM,
            Text("ratio of DC to AC rating", "容配比"),
            _as_text(f"{rules.dc_ac_ratio.value:g}"),
            _source(rules.dc_ac_ratio.source),
        ),
        Assumption(_SYSTEM, Text("inverters and connection", "逆变器与接入电压"), *_inverters()),
        Assumption(
            _SYSTEM,
            Text("inverter efficiency", "逆变器效率"),
            _as_text(f"{inverter.value:.1%}"),
            _source(inverter.source),
        ),
    ]


def _azimuth(flat: FlatSystem, sides: Sequence[SideRules]) -> Text:
    """Return where racks look; of other modules the configuration says no azimuth."""
    if flat.mounting != "rack":
        return Text("", "")
    if flat.azimuth_deg != "auto":
        return Text(f", azimuth {flat.azimuth_deg:g}°", f"，方位角 {flat.azimuth_deg:g}°")
    azimuths = " / ".join(f"{side.azimuth_deg:g}°" for side in sides)
    azimuths = f" {azimuths}" if azimuths else ""
    return Text(f", azimuth{azimuths} (towards the equator)", f"，方位角{azimuths}（朝向赤道）")


def _row_room(flat: FlatSystem, sides: Sequence[SideRules]) -> list[Assumption]:
    """Return by which rule, and how far, rows of racks stand apart."""
    rule, rows = load_roof_rules().row_pitch, []
    for side in sides if flat.mounting == "rack" else ():
        place, hours = place_text(side.latitude_deg), clear_hours_text(side)
        value = Text(
            "{place}: no row shades another {hours}; {shadow_ratio:.2f} m of room per metre of height",
            "{place}：{hours}前排不遮挡后排，每米高差留 {shadow_ratio:.2f} m",
        ).format(place=place, hours=hours, shadow_ratio=side.shadow_ratio)
        sources = [rule.source] if side.sun.all_year else [rule.source, rule.least_sun_source]
        source = Text("; ".join(each["en"] for each in sources), "；".join(each["zh"] for each in sources))
        rows.append(Assumption(_SYSTEM, Text("room between rows", "支架排间距"), value, source))
    return rows


def _empty_planes(sides: Sequence[SideRules]) -> list[Assumption]:
    """Return which planes carry nothing because of where they look."""
    rule, rows = load_roof_rules().poleward, []
    for side in sides:
        pole = Text("north", "北") if side.latitude_deg >= 0.0 else Text("south", "南")
        limit = f"{side.poleward_min_tilt_deg:.0f}°"
        value = Text(
            "within {within_deg:g}° of {pole} and {limit} or steeper",
            "朝向与正{pole}相差 {within_deg:g}° 以内且坡度 {limit} 及以上",
        ).format(within_deg=rule.within_deg, pole=pole, limit=limit)
        rows.append(Assumption(_ROOF, Text("planes left empty", "不布置组件的坡面"), value, _source(rule.source)))
    return rows


def _inverters() -> tuple[Text, Text]:
    """Steps of the connection and their source: professional practice, nothing that binds."""
    rules = load_inverter_rules()
    steps = [(each.voltage, "" if each.up_to_kwp is None else f" ≤ {each.up_to_kwp:g} kWp") for each in rules.classes]
    listed = ", ".join(f"{voltage}{limit}" for voltage, limit in steps)
    return (
        Text(
            f"fewest equal units of usual sizes; {listed}; the grid company decides (B)",
            f"按常见规格取台数最少的同型逆变器；{listed.replace(', ', '，')}；以电网企业批复为准（B）",
        ),
        _source(rules.source),
    )


def _module(name: str) -> tuple[Text, Text]:
    """Name and source of a shipped module; a module of the user's own is named by its path."""
    if name not in list_modules():
        return _as_text(name), NO_SOURCE
    module = load_module(name)
    return module.name, _source(module.source)


def _roofs(config: Config | None) -> list[Assumption]:
    rules = load_roof_rules()
    setback, house = rules.setback_m, rules.house_slopes
    chosen_loss = None if config is None else config.scene.max_shading_loss
    shade, least = rules.max_shading_loss, None if config is None else config.scene.min_poa_kwh_m2
    loss = shade.value if chosen_loss is None else chosen_loss
    limit = Text("", "")
    if least is not None:
        limit = Text(f", or less than {least:g} kWh/m² a year", f"，或年辐照量低于 {least:g} kWh/㎡")
    rows = [
        Assumption(
            _ROOF,
            Text("edge setback", "边缘退距"),
            _as_text(f"{setback.value:g} m ({setback.low:g}–{setback.high:g} m)"),
            _source(setback.source),
        ),
        Assumption(
            _ROOF,
            Text(
                "edge setback on slopes from {tilt:g}°, houses up to {height:g} m",
                "坡度不小于 {tilt:g}°、高度不超过 {height:g} m 房屋坡面的边缘退距",
            ).format(tilt=house.from_deg.value, height=house.up_to_height_m.value),
            _as_text(f"{house.setback_m.value:g} m ({house.setback_m.low:g}–{house.setback_m.high:g} m)"),
            _source(house.setback_m.source),
        ),
        Assumption(
            _ROOF,
            Text("cells too shaded to use", "不可用的遮挡程度"),
            Text("shading loss above {loss:.0%}{limit}", "遮挡损失超过 {loss:.0%}{limit}").format(
                loss=loss, limit=limit
            ),
            _source(shade.source) if chosen_loss is None else NO_SOURCE,
        ),
    ]
    for kind in rules.types.values():
        low, high = kind.obstacle_share_low, kind.obstacle_share_high
        share = kind.obstacle_share
        rows.append(
            Assumption(
                _ROOF,
                Text("obstacles and present uses: ", "障碍物与现状占用：") + kind.text,
                _as_text(f"{share:.0%} ({low:.0%}–{high:.0%})"),
                _source(rules.source),
            )
        )
    return rows


def _span(values: Interval, unit: Text) -> Text:
    text = f"{values.central:g} ({values.low:g}–{values.high:g})"
    return Text("{text} {unit}", "{text} {unit}").format(text=text, unit=unit)


def _money(economics: Economics) -> list[Assumption]:
    return [
        Assumption(_MONEY, Text("date of prices", "价格日期"), _as_text(economics.date)),
        Assumption(
            _MONEY,
            Text("ranges", "区间含义"),
            Text(
                "every favourable (unfavourable) assumption at once: the truth lies well within",
                "各项有利（不利）假定同时成立的两端，实际值应在区间之内",
            ),
        ),
        *_by_segment(economics),
        *_of_all_segments(economics),
    ]


def _by_segment(economics: Economics) -> list[Assumption]:
    stated, rows = prices(), []
    segments = {"household": Text("homes", "户用"), "commercial": Text("commercial and public", "工商业与公共机构")}
    for key, label in segments.items():
        rows += [
            Assumption(
                _MONEY,
                Text("cost: {label}", "单位投资：{label}").format(label=label),
                _span(economics.capex_yuan_w[key], Text("yuan/W", "元/W")),
                stated.capex_yuan_w.source.text,
            ),
            Assumption(
                _MONEY,
                Text("price saved by self-use: {label}", "自用电价：{label}").format(label=label),
                _span(economics.retail_yuan_kwh[key], _PER_KWH),
                stated.retail_yuan_kwh.source.text,
            ),
        ]
    return rows


def _of_all_segments(economics: Economics) -> list[Assumption]:
    stated, where = prices(), province_name(economics.province)
    return [
        Assumption(
            _MONEY,
            Text("operation and maintenance", "运维"),
            _span(economics.opex_yuan_w_a["commercial"], Text("yuan/W per year", "元/W·年")),
            stated.opex_yuan_w_a.source.text,
        ),
        Assumption(
            _MONEY,
            Text("price of energy fed in ({where})", "上网电价（{where}）").format(where=where),
            _span(economics.feed_in_yuan_kwh, _PER_KWH),
            stated.feed_in_yuan_kwh.source.text,
        ),
        Assumption(
            _MONEY,
            Text("energy used on site", "自用比例"),
            Text("by use of the building, see economics.yaml", "按建筑用途取值，见 economics.yaml"),
            stated.self_use.source.text,
        ),
        Assumption(
            _MONEY,
            Text("simple payback", "静态回收期"),
            Text(
                f"{economics.life_years} years, degradation {economics.degradation_first:.1%} in the first year, "
                f"then {economics.degradation_later:.1%} a year; no discount, tax, loan or subsidy",
                f"按 {economics.life_years} 年计，首年衰减 {economics.degradation_first:.1%}，"
                f"其后每年 {economics.degradation_later:.1%}；不计折现、税费、贷款与补贴",
            ),
            stated.degradation.source.text,
        ),
    ]


def _grid(economics: Economics) -> list[Assumption]:
    source = prices().classes.source.text
    return [
        Assumption(_GRID, Text("how energy may be used and fed in", "并网方式"), text, source)
        for text in economics.classes.values()
    ]


def _gates() -> list[Assumption]:
    rules = campaign_rules()
    shading, small, taken = rules.shading_loss, rules.min_added_kwp, rules.existing_pv_share
    return [
        Assumption(
            _GATES,
            Text("structure and load", "结构与荷载"),
            Text("never inferred: surveyed wherever unknown", "从不推断：不明者一律列为待核实"),
        ),
        Assumption(
            _GATES,
            Text("shading", "遮挡"),
            Text(
                f"survey above {shading.survey:.0%}, out above {shading.fail:.0%}",
                f"超过 {shading.survey:.0%} 待核实，超过 {shading.fail:.0%} 不列入",
            ),
            shading.source.text,
        ),
        Assumption(
            _GATES,
            Text("too small", "规模过小"),
            Text(f"less than {small.value:g} kWp to add", f"可新增不足 {small.value:g} kWp"),
            small.source.text,
        ),
        Assumption(
            _GATES,
            Text("existing PV", "已有光伏"),
            Text(
                f"out when it is {taken.fail:.0%} of the roof's whole capacity, existing and new",
                f"已装占屋顶总容量（已装＋可新装）的 {taken.fail:.0%} 及以上时不列入",
            ),
            taken.source.text,
        ),
        Assumption(
            _GATES,
            Text("fire", "消防"),
            Text(
                "survey for factories, warehouses, utilities and above 100 m",
                "厂房、仓储、市政设施及 100 m 以上建筑待核实",
            ),
            rules.fire.source.text,
        ),
        _order_of_candidates(rules.ranking),
    ]


def _order_of_candidates(ranking: Ranking) -> Assumption:
    sizes = ranking.size_classes_kwp
    tiers = (Text(f"{key}. ", f"{key} ") + tier.text for key, tier in ranking.tiers.items())
    text = Text(
        "tier ({order}), then size class ({limits} kWp), then specific yield, then building id",
        "先按层级（{order}），再按规模档（{limits} kWp），再按年等效利用小时数，最后按建筑编号",
    ).format(order=Text.join(tiers, "; ", "；"), limits=" / ".join(f"{value:g}" for value in sizes.value))
    return Assumption(_GATES, Text("order of candidates", "候选排序"), text, sizes.source.text)


def _doubt() -> list[Assumption]:
    total = energy_uncertainty()
    rows = [
        Assumption(
            _DOUBT,
            Text("energy at a given capacity", "给定容量下的发电量"),
            Text(f"±{total:.0%}, about nine cases in ten", f"±{total:.0%}，约九成把握"),
            Text("the parts below, in quadrature", "下列各项平方和开方"),
        )
    ]
    rows += [Assumption(_DOUBT, c.name, _as_text(f"±{c.value:.0%}"), _source(c.source)) for c in components()]
    return rows


def _carbon(campaign: Campaign) -> Assumption:
    factor = campaign.factor
    return Assumption(
        Text("carbon", "减排"),
        Text("emission factor", "排放因子"),
        Text("{label}. {note}", "{label}。{note}").format(label=factor.label, note=factor.note),
        factor.source,
    )
