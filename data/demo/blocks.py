"""Shapes and city blocks of the synthetic city, in metres: x east, y north, no attributes yet."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from shapely.affinity import affine_transform
from shapely.geometry import Point, Polygon, box


class Dice:
    """A seeded source of choices built on `random.Random.random` alone, whose sequence Python guarantees."""

    def __init__(self, seed: int) -> None:
        self._next = random.Random(seed).random

    def between(self, low: float, high: float) -> float:
        return low + (high - low) * self._next()

    def whole(self, low: int, high: int) -> int:
        """Return an integer of `low` to `high`, both included."""
        return low + int((high - low + 1) * self._next())

    def chance(self, share: float) -> bool:
        return self._next() < share

    def pick(self, options: Sequence[Any]) -> Any:
        return options[int(len(options) * self._next())]


@dataclass(frozen=True)
class Sketch:
    """A building without attributes: its shape, what it is for, how high, of which era and institution."""

    shape: Polygon
    use: str
    floors: int
    storey_m: float
    era: tuple[int, int]
    part: str = ""
    site: str = ""
    district: str = ""


# --- shapes, centred on the origin -------------------------------------------------------------------------------


def rect(width: float, depth: float) -> Polygon:
    return box(-width / 2, -depth / 2, width / 2, depth / 2)


def ell(width: float, depth: float, wing: float) -> Polygon:
    return rect(width, depth).difference(box(-width / 2 + wing, -depth, width, depth / 2 - wing))


def comb(width: float, depth: float, wing: float) -> Polygon:
    """Return a U open to the south."""
    return rect(width, depth).difference(box(-width / 2 + wing, -depth, width / 2 - wing, depth / 2 - wing))


def court(width: float, depth: float, wing: float) -> Polygon:
    return rect(width, depth).difference(rect(width - 2 * wing, depth - 2 * wing))


def slab(width: float, depth: float, units: int) -> Polygon:
    """Return a block of flats whose stairwells stick out to the north."""
    shape = rect(width, depth)
    for k in range(units):
        x = -width / 2 + (k + 0.5) * width / units
        shape = shape.union(box(x - 1.6, depth / 2, x + 1.6, depth / 2 + 1.4))
    return shape


def tower(width: float, depth: float) -> Polygon:
    """Return a point tower with notches in its long sides."""
    shape = rect(width, depth)
    for side in (-1, 1):
        shape = shape.difference(box(-width * 0.09, side * depth / 2 - 3.0, width * 0.09, side * depth / 2 + 3.0))
    return shape


def put(shape: Polygon, x: float, y: float, angle_deg: float = 0.0) -> Polygon:
    """Turn `shape` counter-clockwise about the origin, then move the origin to (x, y)."""
    c, s = math.cos(math.radians(angle_deg)), math.sin(math.radians(angle_deg))
    return affine_transform(shape, [c, -s, s, c, x, y])


# --- blocks: each fills 0..w × 0..h ------------------------------------------------------------------------------

Block = Callable[[Dice, float, float], list[Sketch]]


def flats(
    dice: Dice, w: float, h: float, floors: tuple[int, int] = (5, 6), era: tuple[int, int] = (1988, 2008)
) -> list[Sketch]:
    out: list[Sketch] = []
    n_floors = dice.whole(*floors)
    pitch = 12.0 + 1.15 * 2.9 * n_floors
    units = 3 if w < 230 else 4
    width = dice.between(46, 54)
    n_col = int((w - 12 + 10) // (width + 10))
    gap = (w - 12 - n_col * width) / max(n_col - 1, 1)
    rows = int((h - 26) // pitch) + 1
    for r in range(rows):
        for c in range(n_col):
            if r == rows - 1 and c == n_col - 1 and dice.chance(0.6):
                out.append(Sketch(put(rect(22, 12), w - 20, h - 14), "community", 2, 3.3, era, "社区用房"))
                continue
            x, y = 6 + width / 2 + c * (width + gap), 10 + r * pitch + dice.between(-1.5, 1.5)
            out.append(
                Sketch(put(slab(width, 12.0, units), x, y), "residential", n_floors, 2.9, era, f"{len(out) + 1}号楼")
            )
    return out


def flats_mid(dice: Dice, w: float, h: float) -> list[Sketch]:
    return flats(dice, w, h, (9, 11), (2010, 2024))


def towers(dice: Dice, w: float, h: float) -> list[Sketch]:
    era = dice.pick([(2009, 2016), (2017, 2024)])
    out = [Sketch(put(rect(w * 0.42, 14), x, 9), "commercial", 2, 4.2, era, "沿街商业") for x in (w * 0.25, w * 0.75)]
    n_col, n_row = int((w - 10) // 58), int((h - 45) // 58)
    for r in range(n_row):
        for c in range(n_col):
            if (r + c) % 4 == 3:
                continue
            x, y = (c + 0.5) * w / n_col + 9 * (r % 2) - 4.5, 58 + r * (h - 76) / max(n_row - 1, 1)
            shape = put(tower(dice.between(27, 32), 19), x, y)
            out.append(Sketch(shape, "residential", dice.whole(18, 30), 2.9, era, f"{len(out) - 1}号楼"))
    out.append(Sketch(put(ell(26, 20, 10), w / 2, 34), "kindergarten", 3, 3.6, era, "幼儿园"))
    return out


def old_town(dice: Dice, w: float, h: float) -> list[Sketch]:
    out = []
    n_col, n_row = int(w // 21), int(h // 20)
    for r in range(n_row):
        for c in range(n_col):
            if dice.chance(0.22) or c == n_col // 2:
                continue
            x, y = (c + 0.5) * w / n_col + dice.between(-1, 1), (r + 0.5) * h / n_row + dice.between(-1, 1)
            kind = dice.whole(0, 9)
            if kind < 2:
                shape, floors = court(dice.between(15, 17), dice.between(14, 16), 4.0), 1
            elif kind < 5:
                shape, floors = ell(dice.between(11, 16), dice.between(10, 14), 5.5), dice.whole(1, 2)
            else:
                shape, floors = rect(dice.between(9, 15), dice.between(8, 11)), dice.whole(1, 3)
            out.append(Sketch(put(shape, x, y, dice.between(-3, 3)), "old_house", floors, 3.0, (1955, 1998), ""))
    return out


def shops(dice: Dice, w: float, h: float) -> list[Sketch]:
    out = []
    for y in (9.0, h - 9.0):
        x = 4.0
        while x < w - 14:
            width = dice.between(9, 21)
            if x + width > w - 3:
                break
            if not dice.chance(0.08):
                depth = dice.between(12, 15)
                shape = put(rect(width, depth), x + width / 2, y)
                out.append(Sketch(shape, "shop", dice.whole(1, 4), 3.5, (1985, 2019), "商铺"))
            x += width + dice.pick([0.6, 0.6, 3.0])
    for y in (h * 0.36, h * 0.64):
        for x in (w * 0.26, w * 0.74):
            shape = put(slab(w * 0.42, 12.0, 3), x, y)
            out.append(Sketch(shape, "mixed", dice.whole(4, 6), 3.0, (1990, 2006), "商住楼"))
    return out


def school(dice: Dice, w: float, h: float, era: tuple[int, int] = (1986, 2012), kind: str = "实验小学") -> list[Sketch]:
    """The west half is the playground."""

    def part(shape: Polygon, x: float, y: float, floors: int, storey: float, name: str) -> Sketch:
        built = (max(era[0], 2021), max(era[1], 2024)) if name == "体育馆" else era
        return Sketch(put(shape, w * x, h * y), "school", floors, storey, built, name, kind)

    return [
        part(comb(w * 0.36, 46, 11), 0.74, 0.80, dice.whole(4, 5), 3.8, "教学楼"),
        part(rect(w * 0.36, 12), 0.74, 0.56, dice.whole(4, 5), 3.8, "实验楼"),
        part(rect(w * 0.30, 11), 0.74, 0.40, dice.whole(3, 5), 3.8, "行政楼"),
        part(rect(38, 25), 0.20, 0.88, 1, 11.5, "体育馆"),
        part(rect(30, 20), 0.60, 0.20, 2, 4.5, "食堂"),
        part(slab(44, 14, 2), 0.86, 0.18, dice.whole(4, 6), 3.3, "宿舍楼"),
        part(rect(9, 5), 0.50, 0.04, 1, 3.2, "门卫"),
    ]


def hospital(
    dice: Dice, w: float, h: float, era: tuple[int, int] = (1995, 2014), kind: str = "人民医院"
) -> list[Sketch]:
    def part(shape: Polygon, x: float, y: float, floors: int, storey: float, name: str) -> Sketch:
        built = (max(era[0], 2021), max(era[1], 2023)) if name == "住院楼" else era
        return Sketch(put(shape, w * x, h * y), "hospital", floors, storey, built, name, kind)

    return [
        part(ell(70, 48, 22), 0.30, 0.24, dice.whole(4, 5), 4.2, "门诊楼"),
        part(rect(78, 21), 0.34, 0.78, dice.whole(12, 16), 3.9, "住院楼"),
        part(court(50, 44, 14), 0.74, 0.26, dice.whole(4, 6), 4.2, "医技楼"),
        part(rect(52, 15), 0.78, 0.56, dice.whole(5, 6), 3.6, "行政科研楼"),
        part(rect(26, 16), 0.84, 0.82, 2, 4.0, "后勤楼"),
        part(rect(18, 12), 0.12, 0.52, 1, 4.5, "发热门诊"),
    ]


def government(
    dice: Dice, w: float, h: float, era: tuple[int, int] = (1994, 2012), kind: str = "行政中心"
) -> list[Sketch]:
    def part(shape: Polygon, x: float, y: float, floors: int, name: str, use: str = "government") -> Sketch:
        return Sketch(put(shape, w * x, h * y), use, floors, 3.8, era, name, kind)

    return [
        part(rect(w * 0.42, 20), 0.5, 0.72, dice.whole(8, 11), "主楼"),
        part(ell(44, 38, 14), 0.20, 0.42, dice.whole(4, 5), "西附楼"),
        part(put(ell(44, 38, 14), 0, 0, 90), 0.80, 0.42, dice.whole(4, 5), "东附楼"),
        part(rect(36, 22), 0.5, 0.90, 2, "机关食堂"),
        part(rect(52, 14), 0.24, 0.12, dice.whole(4, 6), "政务服务中心"),
        part(rect(46, 14), 0.76, 0.12, dice.whole(4, 6), "档案馆"),
    ]


def factories(dice: Dice, w: float, h: float, era: tuple[int, int] = (2006, 2026)) -> list[Sketch]:
    """Two or four works, each with halls, an office and a gate; half of them mirrored."""
    out: list[Sketch] = []
    n = 2 if w > 180 else 1
    for c in range(n):
        for r in range(2):
            built, side = dice.whole(*era), dice.pick([1, -1])
            lot_w, lot_h = w / n - 12, h / 2 - 12
            x0, y0 = (c + 0.5) * w / n - side * lot_w / 2, r * h / 2 + 6
            work = (built - 1, min(built + 1, 2026))
            for sketch in _works(dice, lot_w, lot_h):
                shape = affine_transform(sketch.shape, [side, 0, 0, 1, x0, y0])
                out.append(replace(sketch, shape=shape, era=work, site=f"work{c}{r}"))
    return out


def _works(dice: Dice, w: float, h: float) -> list[Sketch]:
    era = (0, 0)

    def part(shape: Polygon, x: float, y: float, use: str, floors: int, storey: float, name: str) -> Sketch:
        return Sketch(put(shape, w * x, h * y), use, floors, storey, era, name)

    kind = dice.whole(0, 9)
    if kind < 2:
        halls = [part(ell(w * 0.90, h * 0.70, h * 0.34), 0.48, 0.62, "steel_works", 1, 9.5, "联合车间")]
    elif kind < 5:
        halls = [
            part(rect(w * 0.94, h * 0.50), 0.50, 0.68, "steel_works", 1, dice.between(9, 13), "一号车间"),
            part(rect(w * 0.44, h * 0.20), 0.26, 0.24, "steel_works", 1, dice.between(8, 10), "二号车间"),
        ]
    else:
        halls = [
            part(rect(w * 0.43, h * 0.66), 0.24, 0.62, "steel_works", 1, dice.between(8, 12), "一号车间"),
            part(rect(w * 0.43, h * 0.30), 0.75, 0.80, "concrete_works", dice.whole(3, 5), 4.8, "综合厂房"),
            part(rect(w * 0.43, h * 0.24), 0.75, 0.44, "warehouse", 1, dice.between(7, 10), "成品库"),
        ]
    return [
        *halls,
        part(rect(38, 13), 0.75, 0.20, "works_office", dice.whole(3, 5), 3.6, "办公楼"),
        part(rect(22, 9), 0.75, 0.06, "works_office", dice.whole(1, 2), 3.3, "配电房"),
        part(rect(6, 4.5), 0.46, 0.04, "gate", 1, 3.0, "门卫"),
    ]


def old_factories(dice: Dice, w: float, h: float) -> list[Sketch]:
    return factories(dice, w, h, (1984, 2004))


def logistics(dice: Dice, w: float, h: float) -> list[Sketch]:
    built = dice.whole(2015, 2024)
    n = max(int((h - 20) // 52), 1)
    out = [
        Sketch(
            put(rect(w * 0.86, 36), w * 0.47, 26 + k * (h - 30) / n),
            "warehouse",
            1,
            10.5,
            (built, built + 1),
            f"{k + 1}号库",
        )
        for k in range(n)
    ]
    return [*out, Sketch(put(rect(12, 30), w - 7, h * 0.3), "works_office", 3, 3.5, (built, built), "物流办公楼")]


def centre(dice: Dice, w: float, h: float) -> list[Sketch]:
    """A mall, a hotel and an office tower."""
    return [
        Sketch(put(rect(w * 0.52, h * 0.44), w * 0.32, h * 0.30), "mall", 4, 5.4, (2016, 2019), "购物中心"),
        Sketch(put(rect(48, 20), w * 0.26, h * 0.80), "hotel", 15, 3.5, (2017, 2019), "酒店"),
        Sketch(put(tower(36, 36), w * 0.78, h * 0.25), "office", 22, 3.9, (2018, 2020), "写字楼A座"),
        Sketch(put(tower(36, 36), w * 0.78, h * 0.60), "office", 18, 3.9, (2021, 2022), "写字楼B座"),
        Sketch(put(rect(60, 16), w * 0.72, h * 0.88), "shop", 3, 4.2, (2018, 2020), "商业街"),
    ]


def offices(dice: Dice, w: float, h: float) -> list[Sketch]:
    out = []
    for r in range(3):
        for c in range(3):
            shape = put(dice.pick([rect(44, 18), ell(42, 30, 14), rect(30, 26)]), (c + 0.5) * w / 3, (r + 0.5) * h / 3)
            out.append(Sketch(shape, "office", dice.whole(4, 8), 3.8, (2012, 2024), f"{len(out) + 1}号研发楼"))
    return out


def culture(dice: Dice, w: float, h: float) -> list[Sketch]:
    hall = put(Point(0, 0).buffer(33, quad_segs=6), w * 0.30, h * 0.70)
    return [
        Sketch(hall, "culture", 1, 18.0, (2021, 2022), "体育馆", "文体中心"),
        Sketch(put(court(56, 50, 17), w * 0.72, h * 0.68), "culture", 3, 5.0, (2022, 2023), "图书馆", "文体中心"),
        Sketch(put(rect(60, 24), w * 0.28, h * 0.22), "culture", 3, 5.0, (2004, 2006), "文化馆", "文化馆"),
        Sketch(put(ell(52, 34, 15), w * 0.72, h * 0.22), "care_home", 4, 3.4, (2019, 2021), "颐养楼", "养老院"),
    ]


def services(dice: Dice, w: float, h: float) -> list[Sketch]:
    """A bus depot, a substation, a water works, barracks and a temple."""
    return [
        Sketch(put(rect(72, 34), w * 0.28, h * 0.82), "transport", 1, 8.5, (2013, 2015), "公交停车库"),
        Sketch(put(rect(30, 18), w * 0.78, h * 0.84), "utility", 2, 5.0, (2009, 2011), "变电站"),
        Sketch(put(rect(36, 22), w * 0.78, h * 0.58), "utility", 1, 6.0, (2009, 2011), "泵房"),
        Sketch(put(rect(50, 13), w * 0.26, h * 0.50), "military", 4, 3.4, (1998, 2000), ""),
        Sketch(put(rect(40, 13), w * 0.26, h * 0.36), "military", 3, 3.4, (1998, 2000), ""),
        Sketch(put(court(30, 30, 8), w * 0.76, h * 0.20), "temple", 1, 7.0, (1992, 1993), "石佛寺大殿"),
        Sketch(put(rect(24, 9), w * 0.26, h * 0.12), "utility", 1, 4.0, (2022, 2022), "垃圾中转站"),
    ]


def town_centre(dice: Dice, w: float, h: float) -> list[Sketch]:
    new, old = (2021, 2023), (1998, 2010)
    out = [
        Sketch(put(rect(48, 15), w * 0.25, h * 0.86), "government", 5, 3.7, new, "镇政府办公楼", "镇人民政府"),
        Sketch(put(rect(30, 13), w * 0.70, h * 0.88), "government", 3, 3.6, old, "派出所", "派出所"),
        Sketch(put(rect(24, 12), w * 0.87, h * 0.62), "government", 3, 3.6, old, "税务所", "税务所"),
        Sketch(put(comb(42, 30, 11), w * 0.24, h * 0.56), "clinic", 4, 3.7, new, "卫生院", "中心卫生院"),
        Sketch(put(rect(36, 24), w * 0.60, h * 0.60), "market", 1, 6.5, (2012, 2014), "农贸市场"),
    ]
    x = 5.0
    while x < w - 16:
        width = dice.between(8, 15)
        for y, side in ((h * 0.30, 1), (h * 0.07, 0)):
            if not dice.chance(0.1):
                shape = put(rect(width, 12), x + width / 2, y)
                out.append(Sketch(shape, "shop", dice.whole(2, 3), 3.4, (1995, 2018), "商铺" if side else "门面房"))
        x += width + dice.pick([0.6, 0.6, 4.0])
    return out


def greenhouses(dice: Dice, w: float, h: float) -> list[Sketch]:
    return [
        Sketch(put(rect(9, h * 0.82), 12 + k * 17, h * 0.5), "greenhouse", 1, 3.6, (2012, 2022), f"{k + 1}号温室")
        for k in range(int((w - 10) // 17))
    ]


def factories_new(dice: Dice, w: float, h: float) -> list[Sketch]:
    return factories(dice, w, h, (2017, 2025))


def school_new(dice: Dice, w: float, h: float) -> list[Sketch]:
    return school(dice, w, h, (2021, 2023), "第二中学")


def school_private(dice: Dice, w: float, h: float) -> list[Sketch]:
    return school(dice, w, h, (2022, 2024), "民办启明学校")


def school_village(dice: Dice, w: float, h: float) -> list[Sketch]:
    return school(dice, w, h, (1999, 2011), "中心小学")


def hospital_new(dice: Dice, w: float, h: float) -> list[Sketch]:
    return hospital(dice, w, h, (2022, 2024), "第二人民医院")


def government_new(dice: Dice, w: float, h: float) -> list[Sketch]:
    return government(dice, w, h, (2022, 2024), "开发区管委会")
