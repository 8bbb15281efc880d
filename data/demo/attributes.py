"""What the buildings of the synthetic city are: names, owners, storeys, dates, roofs, PV there, and the gaps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from blocks import Dice, Sketch
from city import DISTRICTS
from shapely.geometry import Polygon

CITY = "示例市"
SURNAMES, GIVEN = "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦尤许", "文博雨晴子涵思远佳宁志强晓梅国栋秀兰建华海燕"
FIRMS = ["晨星", "海帆", "恒样", "瑞样", "宏样", "金样", "远样", "新样", "同样", "华样", "东样", "盛样"]
TRADES = ["机械", "纺织", "电子", "食品", "建材", "包装", "医疗器械", "新材料", "汽车零部件", "家具", "光学", "阀门"]
STREETS = {
    "990101": ["晴川路", "望河路", "柳园街", "钟楼巷", "学前街"],
    "990102": ["云桥大道", "乙港路", "创业路", "科技二路"],
    "990103": ["丙原路", "丙坪街", "石屋路"],
}
AWKWARD_SHOPS = ["老王五金 & 百货 <批发>", '"好日子"超市', "=1+1=理发店", "<b>实惠</b>便利店"]
# The share of new factories and new public institutions that already carry PV, and how much of the roof it covers.
INSTALLED = {"990101": (0.30, 0.10, 0.22), "990102": (0.82, 0.42, 0.66), "990103": (0.50, 0.10, 0.30)}
PUBLIC = {"government", "school", "hospital", "clinic", "culture"}


@dataclass(frozen=True)
class Kind:
    """What follows from a use, in the words of the source: structure, roof, owner type, public institution."""

    use: str
    structure: str
    roof: str
    owner_type: str
    public: str | None


CONCRETE, BRICK, WOOD, STEEL = "钢筋混凝土", "砖混", "砖木", "钢结构"
FLAT, TILE, SHEET = "混凝土平屋面", "瓦屋面", "彩钢板"
KINDS = {
    "residential": Kind("住宅", CONCRETE, FLAT, "业主共有", "否"),
    "old_house": Kind("住宅", WOOD, TILE, "自然人", None),
    "rural_house": Kind("农房", BRICK, TILE, "自然人", None),
    "shed": Kind("附属用房", BRICK, FLAT, "自然人", None),
    "shop": Kind("商业", BRICK, FLAT, "自然人", "否"),
    "mixed": Kind("商住", BRICK, FLAT, "业主共有", None),
    "commercial": Kind("商业", CONCRETE, FLAT, "企业", "否"),
    "mall": Kind("商场", CONCRETE, FLAT, "企业", "否"),
    "hotel": Kind("酒店", CONCRETE, FLAT, "企业", "否"),
    "office": Kind("写字楼", CONCRETE, FLAT, "企业", "否"),
    "government": Kind("机关办公", CONCRETE, FLAT, "国有", "是"),
    "village_office": Kind("村级用房", BRICK, FLAT, "集体", None),
    "community": Kind("社区用房", BRICK, FLAT, "集体", None),
    "school": Kind("学校", CONCRETE, FLAT, "国有", "是"),
    "kindergarten": Kind("幼儿园", CONCRETE, FLAT, "企业", None),
    "hospital": Kind("医院", CONCRETE, FLAT, "国有", "是"),
    "clinic": Kind("卫生院", CONCRETE, FLAT, "国有", "是"),
    "culture": Kind("文体", CONCRETE, FLAT, "国有", "是"),
    "care_home": Kind("养老院", CONCRETE, FLAT, "国有", None),
    "market": Kind("农贸市场", STEEL, SHEET, "集体", "否"),
    "transport": Kind("交通", STEEL, SHEET, "国有", "否"),
    "utility": Kind("市政", CONCRETE, FLAT, "国有", None),
    "temple": Kind("寺庙", WOOD, TILE, "集体", "否"),
    "military": Kind("军事", CONCRETE, FLAT, "国有", None),
    "greenhouse": Kind("农业", STEEL, "其他", "集体", "否"),
    "steel_works": Kind("厂房", STEEL, SHEET, "企业", "否"),
    "concrete_works": Kind("厂房", CONCRETE, FLAT, "企业", "否"),
    "warehouse": Kind("仓库", STEEL, SHEET, "企业", "否"),
    "works_office": Kind("厂区配套", CONCRETE, FLAT, "企业", "否"),
    "gate": Kind("门卫", BRICK, FLAT, "企业", None),
}


def person(dice: Dice) -> str:
    return dice.pick(SURNAMES) + dice.pick(GIVEN) + (dice.pick(GIVEN) if dice.chance(0.6) else "")


class Registry:
    """Gives every site one owner, street and number, the first time it is asked."""

    def __init__(self, dice: Dice) -> None:
        self._dice = dice
        self._owners: dict[str, str] = {}
        self._places: dict[str, str] = {}
        self._awkward = list(AWKWARD_SHOPS)

    def owner(self, sketch: Sketch, kind: Kind) -> str | None:
        if sketch.use == "military":
            return None
        place, _, site = sketch.site.partition("|")
        if kind.owner_type == "自然人":
            return person(self._dice)
        if place not in self._owners:
            self._owners[place] = self._new_owner(sketch, kind, site)
        return self._owners[place]

    def _new_owner(self, sketch: Sketch, kind: Kind, site: str) -> str:
        district = DISTRICTS[sketch.district][0]
        if sketch.use in PUBLIC | {"care_home"}:
            return f"{CITY}{district}{site}"
        if kind.owner_type == "企业":
            return f"{CITY}{self._dice.pick(FIRMS)}{self._dice.pick(TRADES)}有限公司"
        if kind.owner_type == "业主共有":
            return f"{CITY}{district}{self._dice.pick(FIRMS)}小区业主委员会"
        return (
            f"{CITY}{district}{sketch.site.replace('|', '')[:3] if sketch.district == '990103' else '公用事业'}管理处"
        )

    def address(self, sketch: Sketch) -> str:
        place = sketch.site.partition("|")[0]
        if place not in self._places:
            street = place if place.endswith("村") else self._dice.pick(STREETS[sketch.district])
            self._places[place] = f"{CITY}{DISTRICTS[sketch.district][0]}{street}"
        return f"{self._places[place]}{self._dice.whole(1, 180)}号"

    def name(self, sketch: Sketch, owner: str | None) -> str | None:
        if sketch.use == "shop" and self._awkward and self._dice.chance(0.15):
            return self._awkward.pop()
        if sketch.use in ("old_house", "rural_house", "shed", "military", "gate"):
            return None
        company = sketch.use in PUBLIC | {
            "steel_works",
            "concrete_works",
            "warehouse",
            "care_home",
        }
        return ((owner or "") if company else "") + sketch.part or None


def _roof(dice: Dice, sketch: Sketch, kind: Kind) -> tuple[str, str]:
    """Return structure and roof type, which vary within a use."""
    structure, roof = kind.structure, kind.roof
    if sketch.use == "residential" and sketch.floors <= 6:
        structure = BRICK
    if sketch.use == "old_house" and sketch.floors > 1:
        structure, roof = BRICK, FLAT if dice.chance(0.6) else TILE
    if sketch.use == "rural_house" and dice.chance(0.35):
        roof = FLAT
    if sketch.use == "shed" and dice.chance(0.4):
        roof = SHEET
    return structure, roof


def _existing_kwp(dice: Dice, sketch: Sketch, year: int) -> float | None:
    """Return the declared PV of a building, always what its roof can hold (5 m² of module per kWp)."""
    share, low, high = INSTALLED[sketch.district]
    works = sketch.use in ("steel_works", "concrete_works")
    if 2021 <= year <= 2025 and (works or sketch.use in PUBLIC):
        fill = dice.between(low, high) if dice.chance(share) else 0.0
        fill *= 1.0 if works else 0.6
    elif works or sketch.use in ("warehouse", "school"):
        fill = dice.between(0.1, 0.4) if dice.chance(0.10) else 0.0
    elif sketch.use == "rural_house":
        fill = dice.between(0.2, 0.4) if dice.chance(0.03) else 0.0
    else:
        fill = 0.0
    return round(fill * sketch.shape.area * 0.2, 1) if fill else None


def describe(sketches: list[Sketch], seed: int) -> list[dict[str, Any]]:
    """Return one record per sketch, field names and values as a Chinese survey would write them."""
    dice = Dice(seed)
    registry, counters, rows = Registry(dice), dict.fromkeys(DISTRICTS, 0), []
    for sketch in sketches:
        kind = KINDS[sketch.use]
        counters[sketch.district] += 1
        owner, address = registry.owner(sketch, kind), registry.address(sketch)
        structure, roof = _roof(dice, sketch, kind)
        year = dice.whole(*sketch.era)
        day = f"{year}-{dice.whole(1, 9 if year == 2026 else 12):02d}-{dice.whole(1, 28):02d}"
        parapet = dice.between(0.4, 1.1) if roof == FLAT else dice.between(0.2, 0.9)
        private_school = "民办" in sketch.site
        rows.append(
            {
                "建筑编号": f"{sketch.district}-{counters[sketch.district]:04d}",
                "建筑名称": registry.name(sketch, owner),
                "坐落": address,
                "建筑用途": kind.use,
                "是否公共机构": "否" if private_school else kind.public,
                "高度": round(sketch.floors * sketch.storey_m + parapet, 1),
                "地上层数": sketch.floors,
                "结构类型": structure,
                "屋面类型": roof,
                "建成年份": year,
                "竣工日期": day if year >= 2016 and dice.chance(0.85) else None,
                "产权类型": "企业" if private_school else kind.owner_type,
                "产权单位": owner,
                "已装光伏kW": _existing_kwp(dice, sketch, year),
                "geometry": sketch.shape,
            }
        )
    _forget(dice, rows, sketches)
    return rows


def _forget(dice: Dice, rows: list[dict[str, Any]], sketches: list[Sketch]) -> None:
    """Lose what surveys lose: heights, years, uses, owners, roofs, structures."""
    for row, sketch in zip(rows, sketches, strict=True):
        counted = sketch.use in PUBLIC | {"steel_works", "concrete_works"}
        if dice.chance(0.06):
            row["高度"] = None
        if dice.chance(0.05):
            row["地上层数"] = None
        if dice.chance(0.04 if counted else 0.08):
            row["建成年份"] = row["竣工日期"] = None
        elif row["竣工日期"] and dice.chance(0.10):
            row["建成年份"] = None
        if dice.chance(0.02 if counted else 0.04) and sketch.use != "military":
            row["建筑用途"] = None
        if row["是否公共机构"] is not None and dice.chance(0.08 if sketch.use in PUBLIC else 0.4):
            row["是否公共机构"] = None
        if dice.chance(0.12):
            row["产权单位"] = None
        if dice.chance(0.05):
            row["产权类型"] = None
        if dice.chance(0.20):
            row["屋面类型"] = None
        if dice.chance(0.08):
            row["结构类型"] = None


def spoil(rows: list[dict[str, Any]], seed: int) -> list[dict[str, Any]]:
    """Add the faults every real layer has; each is listed in README.md and counted by the tests."""
    dice = Dice(seed)
    houses = [row for row in rows if row["建筑用途"] == "农房" and len(row["geometry"].exterior.coords) == 5]
    for k in (11, 87):  # bow ties
        a, b, c, d = houses[k]["geometry"].exterior.coords[:4]
        houses[k]["geometry"] = Polygon([a, c, b, d])
    hall = next(row for row in rows if row["建筑用途"] == "厂房" and row["建筑编号"].startswith("990102"))
    ring = list(hall["geometry"].exterior.coords)
    spike = (ring[0][0] - 6.0, ring[0][1] - 4.0)
    hall["geometry"] = Polygon([ring[0], spike, *ring])
    flats = [row for row in rows if row["建筑用途"] == "住宅" and row["高度"]]
    flats[40]["高度"], houses[30]["高度"] = 980.0, -3.0
    for k in (50, 51, 120, 121):
        houses[k]["高度"] = 0.0
    new: list[tuple[dict[str, Any], Polygon, dict[str, Any]]] = [
        (houses[5], houses[5]["geometry"], {"建筑名称": "重复录入"}),
        (flats[12], flats[12]["geometry"], {"建筑名称": None}),
    ]
    works = [row for row in rows if row["建筑用途"] == "厂房" and row["geometry"].is_valid and row["高度"]]
    for row in (works[6], works[20]):  # a canopy drawn into the hall it leans on
        x, y = row["geometry"].centroid.coords[0]
        low, right = row["geometry"].bounds[1], row["geometry"].bounds[2]
        shape = Polygon([(x, y), (right + 7, y), (right + 7, y - 12), (x, low + (y - low) * 0.4)])
        new.append((row, shape, {"建筑名称": "雨棚", "高度": 6.0, "地上层数": 1, "已装光伏kW": None, "竣工日期": None}))
    for row in (works[3], works[15], flats[70]):
        x, y = row["geometry"].bounds[0] - 5.0, row["geometry"].bounds[1] - 4.0
        side = dice.between(1.5, 2.4)
        shape = Polygon([(x, y), (x + side, y), (x + side, y + side), (x, y + side)])
        changed = {"建筑名称": "箱式变电站", "高度": 2.5, "地上层数": 1, "建筑用途": "市政", "已装光伏kW": None}
        new.append((row, shape, changed))
    border = Polygon([(2368, 648), (2424, 648), (2424, 676), (2368, 676)])
    changed = {"建筑名称": "跨界仓库", "建筑用途": "仓库", "高度": 9.0, "地上层数": 1, "已装光伏kW": None}
    new.append((works[20], border, changed))
    outside = Polygon([(3622, 905), (3634, 905), (3634, 914), (3622, 914)])
    new.append((houses[0], outside, {"高度": 7.2, "地上层数": 2, "已装光伏kW": None}))
    for k, (row, shape, changed) in enumerate(new, start=1):
        district = row["建筑编号"][:6]
        rows.append({**row, "建筑编号": f"{district}-补{k:02d}", "geometry": shape, **changed})
    return rows
