"""Where the blocks and villages of the synthetic city lie, and its boundaries. Metres, x east, y north."""

from __future__ import annotations

import math
from dataclasses import replace

from blocks import (
    Block,
    Dice,
    Sketch,
    centre,
    culture,
    ell,
    factories,
    factories_new,
    flats,
    flats_mid,
    government,
    government_new,
    greenhouses,
    hospital,
    hospital_new,
    logistics,
    offices,
    old_factories,
    old_town,
    put,
    rect,
    school,
    school_new,
    school_village,
    services,
    shops,
    towers,
    town_centre,
)
from shapely import STRtree
from shapely.geometry import LineString, Polygon

# Corners shared by the districts and towns, so that they partition the city exactly.
NORTH_WEST, SOUTH_WEST = (0.0, 1195.0), (0.0, 0.0)
RIVER = [(1180.0, -10.0), (1213.0, 255.0), (1192.0, 430.0), (1190.0, 610.0), (1222.0, 800.0), (1200.0, 1210.0)]
ROAD = [(2420.0, 10.0), (2404.0, 560.0), (2385.0, 1200.0)]
SOUTH_EAST, NORTH_EAST = (3600.0, 0.0), (3610.0, 1190.0)
MID_SOUTH, MID, MID_NORTH, MID_EAST = (1790.0, 0.0), (1812.0, 540.0), (1800.0, 1205.0), (2404.0, 560.0)
HILL_TOWN = [(2960.0, 5.0), (3040.0, 330.0), (3160.0, 640.0), (3605.0, 700.0)]
MID_C = (2395.0, 870.0)

DISTRICTS = {
    "990101": ("甲区", [SOUTH_WEST, *RIVER, NORTH_WEST]),
    "990102": ("乙区", [*RIVER[::-1], MID_SOUTH, *ROAD[:2], MID_C, ROAD[2], MID_NORTH]),
    "990103": ("丙区", [*ROAD[::-1][:1], MID_C, *ROAD[::-1][1:], HILL_TOWN[0], SOUTH_EAST, HILL_TOWN[3], NORTH_EAST]),
}
TOWNS = {
    "990101001": ("晴川街道", [(0.0, 790.0), RIVER[4], RIVER[5], NORTH_WEST]),
    "990101002": ("望河街道", [(0.0, 425.0), RIVER[2], RIVER[3], RIVER[4], (0.0, 790.0)]),
    "990101003": ("柳园街道", [SOUTH_WEST, RIVER[0], RIVER[1], RIVER[2], (0.0, 425.0)]),
    "990102001": ("云桥街道", [*RIVER[::-1], MID_SOUTH, MID, MID_NORTH]),
    "990102002": ("乙港街道", [MID, MID_EAST, MID_C, ROAD[2], MID_NORTH]),
    "990102003": ("新圃街道", [MID_SOUTH, ROAD[0], MID_EAST, MID]),
    "990103001": ("丙原镇", [MID_C, (2760.0, 880.0), HILL_TOWN[2], HILL_TOWN[3], NORTH_EAST, ROAD[2]]),
    "990103002": ("丙坪镇", [*ROAD[:2], MID_C, (2760.0, 880.0), HILL_TOWN[2], HILL_TOWN[1], HILL_TOWN[0]]),
    "990103003": ("石屋林场", [*HILL_TOWN, SOUTH_EAST]),
}
ZONES = {"9901K1": ("示例经济开发区", [(1640.0, 130.0), (2735.0, 110.0), (2750.0, 1075.0), (1655.0, 1095.0)])}


# --- districts ---------------------------------------------------------------------------------------------------

PLANS: dict[str, tuple[tuple[float, float], float, list[float], list[float], list[float], list[list[Block]]]] = {
    # district: centre, angle, column widths, row heights (from north), streets between, blocks
    "990101": (
        (592, 600), -4.0, [205, 215, 190, 215, 200], [198, 210, 205, 190, 205], [18, 22, 30, 18],
        [
            [flats, flats, school, towers, flats],
            [old_town, shops, government, shops, flats_mid],
            [flats, old_town, culture, hospital, towers],
            [old_town, old_town, shops, school, flats],
            [flats, old_factories, flats, flats, services],
        ],
    ),
    "990102": (
        (1808, 602), 3.0, [235, 265, 270, 255], [262, 250, 268, 250], [24, 34, 24],
        [
            [towers, centre, factories, factories],
            [flats_mid, government_new, factories, logistics],
            [school_new, hospital_new, factories, factories],
            [flats_mid, offices, factories, factories],
        ],
    ),
}  # fmt: skip


def _grid(dice: Dice, code: str) -> list[Sketch]:
    (cx, cy), angle, widths, heights, streets, blocks = PLANS[code]
    left, top = -(sum(widths) + sum(streets)) / 2, (sum(heights) + sum(streets[: len(heights) - 1])) / 2
    out = []
    y = top
    for r, height in enumerate(heights):
        y -= height
        x = left
        for c, width in enumerate(widths):
            for sketch in blocks[r][c](dice, width, height):
                site = f"{code}-{r}{c}{sketch.site}"
                shape = put(put(sketch.shape, x, y), 0, 0, angle)
                out.append(replace(sketch, shape=put(shape, cx, cy), site=site + "|" + sketch.site, district=code))
            x += width + (streets[c] if c < len(streets) else 0)
        y -= streets[r] if r < len(streets) else 0
    return out


VILLAGES = {
    # centre, half axes, angle of its lanes, era
    "东窑村": ((2900, 1030), (175, 102), 6.0),
    "桑庄村": ((2790, 520), (140, 115), -9.0),
    "石屋村": ((3370, 930), (130, 120), 14.0),
    "南圩村": ((2680, 175), (178, 98), 3.0),
    "岭下村": ((2905, 300), (75, 55), -4.0),
    "北圩村": ((3200, 1120), (85, 45), 10.0),
}
SINGLE_BLOCKS: list[tuple[Block, float, float, float, float, float, str]] = [
    # block, x, y of its south-west corner, width, height, angle, site
    (town_centre, 2455, 720, 210, 190, 8.0, "丙坪"),
    (factories_new, 2440, 300, 130, 185, 2.0, "丙坪工业集中区"),
    (school_village, 2980, 730, 185, 165, 6.0, "丙原"),
    (greenhouses, 2450, 985, 170, 120, 4.0, "丙原农场"),
    (factories_new, 2440, 520, 120, 170, 2.0, "丙坪二期"),
]


def _village(dice: Dice, name: str) -> list[Sketch]:
    (cx, cy), (a, b), angle = VILLAGES[name]
    out, y = [], -b + 8.0
    while y < b - 6:
        reach = a * math.sqrt(max(1 - (y / b) ** 2, 0.0))
        x, end = -reach * dice.between(0.7, 1.1), reach * dice.between(0.7, 1.1) - 8
        while x < end:
            width, depth = dice.between(10.5, 14.5), dice.between(8.5, 11)
            if dice.chance(0.12):
                x += dice.between(8, 16)
                continue
            shape = (
                ell(width, depth + 3.5, 4.5 if dice.chance(0.5) else 5.2) if dice.chance(0.25) else rect(width, depth)
            )
            turn, lane = dice.between(-4, 4), 5.0 * math.sin(x / 70.0 + cx)
            era = dice.pick([(1985, 1999), (1998, 2012), (2010, 2024)])
            house = put(put(shape, x + width / 2, y + lane, turn), cx, cy, angle)
            out.append(Sketch(house, "rural_house", dice.whole(1, 3), 3.2, era, "", name, "990103"))
            if dice.chance(0.16):
                shed = put(put(rect(dice.between(4, 6), 4), x + width / 2, y + lane - depth / 2 - 5.0), cx, cy, angle)
                out.append(Sketch(shed, "shed", 1, 2.9, era, "", name, "990103"))
            x += width + dice.pick([1.2, 1.6, 3.0, 5.0])
        y += dice.between(22, 26)
    out.append(
        Sketch(
            put(rect(20, 9), cx, cy + b + 8, angle),
            "village_office",
            2,
            3.5,
            (2018, 2024),
            "党群服务中心",
            name,
            "990103",
        )
    )
    return out


def build_city(seed: int) -> list[Sketch]:
    """Lay out the whole city; nothing overlaps and nothing stands in the river, on the border road or on the hill."""
    dice = Dice(seed)
    wanted = [s for code in PLANS for s in _grid(dice, code)]
    for block, x, y, w, h, angle, site in SINGLE_BLOCKS:
        for sketch in block(dice, w, h):
            shape = put(sketch.shape, x, y, angle)
            wanted.append(replace(sketch, shape=shape, site=f"{site}|{sketch.site}", district="990103"))
    for name in VILLAGES:
        wanted += _village(dice, name)
    barred = LineString(RIVER).buffer(24).union(LineString(ROAD).buffer(10)).union(Polygon([*HILL_TOWN, SOUTH_EAST]))
    kept: list[Sketch] = []
    for sketch in wanted:
        area = Polygon(DISTRICTS[sketch.district][1])
        if area.contains(sketch.shape) and not barred.intersects(sketch.shape):
            kept.append(sketch)
    return _without_overlaps(kept)


def _without_overlaps(sketches: list[Sketch]) -> list[Sketch]:
    """Keep, of sketches that touch, the larger."""
    shapes = [s.shape for s in sketches]
    left, right = STRtree(shapes).query([s.buffer(0.25) for s in shapes], predicate="intersects")
    dropped: set[int] = set()
    for i, j in sorted(zip(left.tolist(), right.tolist(), strict=True)):
        if i < j and i not in dropped and j not in dropped:
            dropped.add(i if shapes[i].area < shapes[j].area else j)
    return [s for k, s in enumerate(sketches) if k not in dropped]
