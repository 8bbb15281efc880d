"""Planes and modules on the map: where they lie, what they cost, from which zoom they show, what is left out."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from browser import Opened, chromium, opened
from map_example import LAT_PER_M, LON_PER_M, example_coverage, example_districts, example_roofs
from plane_example import METRIC, example_planes
from rooftop.outputs.map import planes as map_planes
from rooftop.outputs.map.page import MapPage, build_map, map_notices, render_offline
from rooftop.outputs.map.payload import SCALE

N = 150
PLANES_BOX, MODULES_BOX = (f".leaflet-control-layers-overlays label:nth-child({k}) input" for k in (6, 7))


@pytest.fixture(scope="module")
def roofs() -> gpd.GeoDataFrame:
    roofs = example_roofs(N)
    roofs["module_count"] = 40
    roofs["inverter_count"], roofs["inverter_unit_kw"], roofs["connection_voltage"] = 2, 110.0, "380 V"
    # A hall of 330 × 45 m: whoever looks at its middle from near sees none of its corners.
    west, south, *_ = roofs.total_bounds
    hall = shapely.box(west, south - 200 * LAT_PER_M, west + 330 * LON_PER_M, south - 155 * LAT_PER_M)
    roofs.loc[2, "geometry"] = hall
    return roofs


@pytest.fixture(scope="module")
def layers(roofs) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame]:
    return example_planes(roofs)


def document(roofs, planes=None, modules=None, lang="zh") -> str:
    page = MapPage(title="测试市", lang=lang)
    drawn = build_map(roofs, example_districts(roofs), example_coverage(), page, planes=planes, modules=modules)
    return render_offline(drawn)


def payload(html: str) -> dict:
    return json.loads(re.search(r'id="rooftop-data" type="application/json">(.*?)</script>', html, re.S).group(1))


@pytest.fixture(scope="module")
def html(roofs, layers) -> str:
    return document(roofs, *layers)


def integers(text: str) -> list[int]:
    """Read the numbers bit by bit, unlike the writer and the page."""
    out, bits = [], ""
    for byte in base64.b64decode(text):
        bits = f"{byte & 127:07b}" + bits
        if byte < 128:
            value = int(bits, 2)
            out.append(value >> 1 if value % 2 == 0 else -((value + 1) >> 1))
            bits = ""
    return out


def decoded(data: dict) -> list[tuple[int, bool, np.ndarray]]:
    """Return (outline, counted, corners in degrees) of every module of the page."""
    found = []
    origin = np.asarray(data["roofs"]["origin"]) * 10
    for outline, text in enumerate(data["planes"]["module"]):
        values = integers(text) if text else []
        while values:
            uncounted, n, ax, ay, bx, by = values[:6]
            at = origin + np.cumsum(np.asarray(values[6 : 6 + 2 * n]).reshape(-1, 2), axis=0)
            edge = np.array([(0, 0), (ax, ay), (ax + bx, ay + by), (bx, by)])
            found += [(outline, not uncounted, (corner + edge) / SCALE / 10) for corner in at]
            values = values[6 + 2 * n :]
    return found


# ---- what is embedded


def test_every_module_lies_within_two_centimetres_of_where_it_is(html, layers):
    planes, modules = layers
    data = payload(html)
    found = decoded(data)
    assert len(found) == len(modules) > 2000
    building = planes.set_index("plane_id")["building_id"]
    metric = gpd.GeoSeries(shapely.polygons(np.array([ring for *_, ring in found])), crs="OGC:CRS84").to_crs(METRIC)
    shown = pd.DataFrame(
        {
            "building_id": [data["roofs"]["id"][data["planes"]["roof"][outline]] for outline, *_ in found],
            "counted": [counted for _, counted, _ in found],
        }
    )
    true = modules.to_crs(METRIC)
    true["building_id"] = building.loc[true["plane_id"]].to_numpy()
    tree = shapely.STRtree(shapely.centroid(metric.to_numpy()))
    nearest = tree.nearest(shapely.centroid(true.geometry.to_numpy()))
    assert len(set(nearest.tolist())) == len(true)  # one to one
    away = shapely.hausdorff_distance(true.geometry.to_numpy(), metric.to_numpy()[nearest])
    assert away.max() < 0.025
    for name in ("building_id", "counted"):
        assert (shown[name].to_numpy()[nearest] == true[name].to_numpy()).all()


def test_outlines_say_tilt_direction_source_and_modules(html, roofs, layers):
    planes, _ = layers
    data = payload(html)
    shown = data["planes"]
    by_roof = pd.Series(shown["roof"]).groupby(pd.Series(shown["roof"])).groups
    gable, pair, flat = (by_roof[k] for k in (0, 1, 2))
    mine = planes[planes["building_id"] == roofs["building_id"][0]]
    assert [shown["tilt"][k] for k in gable] == [25, 25]
    assert [shown["azimuth"][k] for k in gable] == [round(a) % 360 for a in mine["plane_azimuth_deg"]]
    assert [shown["looks"][k] for k in (*gable, *flat)] == [0, 0, [[15, 180]]]
    # The directions of an east-west rack share the outline of their roof, which is its footprint.
    assert len(pair) == 1 and shown["looks"][pair[0]] == [[10, 90], [10, 270]]
    assert shown["shape"][pair[0]] == shown["shape"][flat[0]] == 1 and shown["azimuth"][flat[0]] == -1
    east_west = planes[planes["building_id"] == roofs["building_id"][1]]
    assert shown["n"][pair[0]] == east_west["module_count"].sum()
    assert shown["area"][pair[0]] == pytest.approx(east_west["area_m2"].sum(), abs=0.06)
    assert shown["counts"] == [100, 50, 50]  # 50 gables of two planes
    assert shown["counted"] == planes["module_count"].sum()
    inside = (np.asarray(shown["point"]) + data["roofs"]["origin"]) / SCALE
    footprints = roofs.geometry.to_numpy()[np.asarray(shown["roof"])]
    assert shapely.contains_xy(footprints, *inside.T).all()


def test_a_district_of_modules_stays_small(layers):
    planes, modules = layers
    many = pd.concat([modules] * (100_000 // len(modules) + 1), ignore_index=True).iloc[:100_000]
    many = many.sort_values(["plane_id", "module"], kind="stable")
    ids = planes["building_id"].drop_duplicates().tolist()
    without, within = (
        len(json.dumps(map_planes.plane_payload(planes, each, ids, [None] * len(ids), (0, 0)), separators=(",", ":")))
        for each in (None, many)
    )
    assert within - without < 0.6e6  # bytes: 0.75 a coordinate
    assert without < 150 * len(planes)


def test_order_of_rows_changes_nothing_but_the_order(roofs, layers):
    planes, modules = layers
    shuffled = planes.sort_values("plane_id", ascending=False, kind="stable")
    there, back = (sorted(len(text or "") for text in payload(document(roofs, p, modules))["planes"]["module"])
                   for p in (planes, shuffled))  # fmt: skip
    assert there == back
    found = decoded(payload(document(roofs, shuffled, modules.iloc[::-1])))
    assert len(found) == len(modules)


def test_simplified_outlines_still_are_their_footprints(roofs, layers, monkeypatch):
    wavy = roofs.copy()
    bent = shapely.segmentize(roofs.geometry[1], 3e-5)
    wavy.loc[1, "geometry"] = bent
    planes, modules = layers
    same = planes.copy()
    same.loc[same["building_id"] == roofs["building_id"][1], "geometry"] = bent
    for module in ("payload", "planes"):
        monkeypatch.setattr(f"rooftop.outputs.map.{module}.SIMPLIFY_ABOVE", 10)
    data = payload(document(wavy, same, modules))
    at = data["planes"]["roof"].index(1)
    assert data["planes"]["shape"][at] == 1
    assert len(data["roofs"]["shape"][1]) < 2 * shapely.get_num_coordinates(bent)


def test_planes_of_withheld_roofs_are_withheld(roofs, layers):
    military = roofs.copy()
    military.loc[0, "building_use"] = "military"
    data = payload(document(military, *layers))
    planes, modules = layers
    gone = planes[planes["building_id"] == roofs["building_id"][0]]["plane_id"]
    assert len(data["planes"]["roof"]) == 198
    assert len(decoded(data)) == len(modules) - modules["plane_id"].isin(gone).sum()


def test_too_many_are_left_out_and_counted(roofs, layers, monkeypatch):
    planes, modules = layers
    monkeypatch.setattr(map_planes, "MAX_MODULES", len(modules) - 1)
    found = [n for n in map_notices(roofs, planes=planes, modules=modules) if n.severity == "warning"]
    assert [(n.code, n.count) for n in found] == [("map_modules_not_drawn", len(modules))]
    data = payload(document(roofs, planes, modules))
    assert data["planes"]["module"] == 0 and len(data["planes"]["roof"]) == 200
    assert data["missing"] == [found[0].text.zh]
    monkeypatch.setattr(map_planes, "MAX_PLANES", len(planes) - 1)
    found = [n for n in map_notices(roofs, planes=planes, modules=modules) if n.severity == "warning"]
    assert [(n.code, n.count) for n in found] == [("map_planes_not_drawn", len(planes))]
    assert payload(document(roofs, planes, modules))["planes"] is None


def test_planes_without_plans_are_no_layer(roofs, layers):
    planes, _ = layers
    assert payload(document(roofs, pd.DataFrame(planes.drop(columns="geometry"))))["planes"] is None
    assert payload(document(roofs))["planes"] is None
    assert map_notices(roofs) == ()


# ---- in the browser


@pytest.fixture(scope="module")
def browser() -> Iterator[object]:
    with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def shared_page(browser, html, tmp_path_factory) -> Iterator[Opened]:
    path = tmp_path_factory.mktemp("map") / "地图.html"
    path.write_text(html, encoding="utf-8")
    with opened(browser, path) as page:
        yield page


@pytest.fixture
def seen(shared_page) -> Iterator[Opened]:
    """The page as after loading; nothing may have gone wrong or out when a test is done with it."""
    for box in (PLANES_BOX, MODULES_BOX):
        shared_page.page.uncheck(box)
    shared_page.page.evaluate("() => { window.rooftop.map.closePopup(); }")
    yield shared_page
    assert shared_page.errors == []
    assert shared_page.requests == []


def look(seen: Opened, roof: int, zoom: float) -> None:
    seen.page.evaluate(
        """([roof, zoom]) => {
          const { map, shapeOf, outlinesOf } = window.rooftop;
          const box = L.polygon(shapeOf(outlinesOf.get(roof)[0])).getBounds();
          map.setView(box.getCenter(), zoom, { animate: false });
        }""",
        [roof, zoom],
    )
    seen.page.wait_for_timeout(150)


def drawn(seen: Opened) -> tuple[int, int]:
    return tuple(seen.page.evaluate("[window.rooftop.drawnPlanes.size, window.rooftop.drawnModules.size]"))


def colours_at(seen: Opened, pane: str, points: list[list[float]]) -> list[list[int]]:
    """Colour and opacity of a pane's canvas at places given by longitude and latitude."""
    return seen.page.evaluate(
        """([pane, points]) => {
          const { map } = window.rooftop;
          const canvas = map.getPane(pane).querySelector("canvas");
          const box = canvas.getBoundingClientRect();
          const frame = map.getContainer().getBoundingClientRect();
          const scale = canvas.width / box.width;
          return points.map(([x, y]) => {
            const p = map.latLngToContainerPoint([y, x]);
            const at = [(p.x + frame.x - box.x) * scale, (p.y + frame.y - box.y) * scale].map(Math.round);
            return [...canvas.getContext("2d").getImageData(at[0], at[1], 1, 1).data];
          });
        }""",
        [pane, points],
    )


@pytest.mark.browser
def test_both_layers_are_off_at_first_and_named(browser, html, tmp_path):
    path = tmp_path / "map.html"
    path.write_text(html, encoding="utf-8")
    with opened(browser, path) as seen:
        names = seen.page.locator(".leaflet-control-layers-overlays label").all_inner_texts()
        assert [name.strip() for name in names[5:]] == ["屋顶坡面", "光伏组件"]
        assert not seen.page.is_checked(PLANES_BOX) and not seen.page.is_checked(MODULES_BOX)
        look(seen, 0, 19)
        assert drawn(seen) == (0, 0)
        assert not seen.page.is_visible("#rt-hint")
        assert "屋顶坡面来源" not in seen.page.inner_text("#rt-legend")
        assert (seen.errors, seen.requests) == ([], [])


@pytest.mark.browser
def test_layers_show_from_their_zoom_and_say_so_before(seen):
    seen.page.check(PLANES_BOX)
    look(seen, 0, 16.75)
    assert drawn(seen) == (0, 0)
    assert seen.page.inner_text("#rt-hint") == "放大地图以显示屋顶坡面"
    look(seen, 0, 17)
    planes, modules = drawn(seen)
    assert planes > 5 and modules == 0
    assert not seen.page.is_visible("#rt-hint")
    seen.page.check(MODULES_BOX)
    assert seen.page.inner_text("#rt-hint") == "放大地图以显示光伏组件"
    look(seen, 0, 18)
    planes, modules = drawn(seen)
    assert planes == modules > 0
    assert not seen.page.is_visible("#rt-hint")
    legend = seen.page.inner_text("#rt-legend")
    assert all(text in legend for text in ("LoD2 屋顶模型", "地表模型（DSM）识别", "按屋面类型推定", "不计入"))
    look(seen, 0, 16)
    assert drawn(seen) == (0, 0)
    seen.page.uncheck(PLANES_BOX)
    seen.page.uncheck(MODULES_BOX)
    assert not seen.page.is_visible("#rt-hint")


@pytest.mark.browser
@pytest.mark.parametrize("roof", [0, 1, 5])
def test_modules_are_painted_on_their_roof_and_nowhere_else(seen, roofs, layers, roof):
    planes, modules = layers
    seen.page.check(MODULES_BOX)
    look(seen, roof, 20)
    mine = planes.loc[planes["building_id"] == roofs["building_id"][roof], "plane_id"]
    counted = modules[modules["plane_id"].isin(mine) & modules["counted"]]
    centres = shapely.get_coordinates(shapely.centroid(counted.geometry.to_numpy()))
    edge = shapely.get_coordinates(shapely.buffer(roofs.geometry[roof], 0.8 * LAT_PER_M).exterior)
    view = seen.page.evaluate("window.rooftop.map.getBounds().toBBoxString()").split(",")
    view = shapely.box(*map(float, view))
    centres, edge = (points[shapely.contains_xy(view, *points.T)] for points in (centres, edge))
    assert len(centres) >= 10 and len(edge) >= 3
    painted = colours_at(seen, "rt-modules", centres.tolist())
    assert all(b > r and b > 80 and a > 200 for r, g, b, a in painted)
    assert {a for *_, a in colours_at(seen, "rt-modules", edge.tolist())} == {0}
    seen.page.uncheck(MODULES_BOX)
    seen.page.wait_for_timeout(100)
    assert {a for *_, a in colours_at(seen, "rt-modules", centres.tolist())} == {0}


@pytest.mark.browser
def test_outlines_and_arrows_are_painted_in_the_colour_of_their_source(seen, roofs, layers):
    planes, _ = layers
    seen.page.check(PLANES_BOX)
    look(seen, 0, 20)
    lower = planes.geometry[0]
    middle = shapely.get_coordinates(shapely.line_interpolate_point(lower.exterior, 0.4, normalized=True)).tolist()
    assert any(a > 200 and b > 60 and r < 60 for r, g, b, a in colours_at(seen, "rt-planes", middle))
    labels = seen.page.locator(".rt-plane").all_inner_texts()
    assert "25°" in labels
    # The arrow points downhill: its tip lies off the point within, in the direction of the azimuth.
    tips = seen.page.evaluate(
        """() => {
          const layers = window.rooftop.drawnPlanes.get(0);
          const lines = layers.filter((layer) => layer instanceof L.Polyline && !(layer instanceof L.Polygon));
          return lines.map((line) => line.getLatLngs()[0].map((p) => [p.lng, p.lat]));
        }"""
    )
    pointed = {round(float(np.degrees(np.arctan2((b[0] - a[0]) / LON_PER_M, (b[1] - a[1]) / LAT_PER_M))) % 360.0)
               for a, b in tips}  # fmt: skip
    wanted = sorted(round(a) % 360 for a in planes["plane_azimuth_deg"][:2])
    assert sorted(pointed) == pytest.approx(wanted, abs=1.5)


@pytest.mark.browser
def test_the_middle_of_a_large_hall_shows_its_modules(seen):
    seen.page.check(MODULES_BOX)
    look(seen, 2, 20)
    corners = seen.page.evaluate(
        """() => {
          const { map, shapeOf, outlinesOf } = window.rooftop;
          const view = map.getBounds().pad(0.3);
          return shapeOf(outlinesOf.get(2)[0]).map((corner) => view.contains(corner));
        }"""
    )
    assert not any(corners)
    assert seen.page.evaluate("window.rooftop.drawnModules.has(2)")


@pytest.mark.browser
def test_a_click_goes_through_to_the_roof_and_its_popup_tells_planes_and_inverters(seen, roofs):
    seen.page.check(PLANES_BOX)
    seen.page.check(MODULES_BOX)
    look(seen, 0, 19)
    box = seen.page.locator(".folium-map").bounding_box()
    at = seen.page.evaluate(
        """() => {
          const { map, roofs } = window.rooftop;
          const [x, y] = roofs.point[0];
          const p = map.latLngToContainerPoint([y, x]);
          return [p.x, p.y];
        }"""
    )
    seen.page.mouse.click(box["x"] + at[0], box["y"] + at[1])
    seen.page.wait_for_selector(".rt-pop")
    text = seen.page.inner_text(".leaflet-popup-content")
    assert roofs["building_id"][0] in text
    assert "屋顶坡面: 2 · LoD2 屋顶模型" in text
    assert "2 × 110 kW · 380 V" in text
    assert re.search(r"组件数量\s*40", text)
    seen.page.evaluate("() => { window.rooftop.openRoof(1); }")
    assert "支架 东 10° / 西 10°" in seen.page.inner_text(".leaflet-popup-content")


@pytest.mark.browser
def test_english_and_many_roofs_read_at_need(browser, roofs, layers, tmp_path, monkeypatch):
    monkeypatch.setattr("rooftop.outputs.map.page.LAZY_ABOVE", 50)
    path = tmp_path / "map.html"
    path.write_text(document(roofs, *layers, lang="en"), encoding="utf-8")  # type: ignore[misc]
    with opened(browser, path) as seen:
        seen.page.evaluate("() => { window.rooftop.map.setZoom(13, { animate: false }); }")
        assert seen.page.inner_text("#rt-hint") == "Zoom in to see the roofs"
        seen.page.check(PLANES_BOX)
        seen.page.check(MODULES_BOX)
        seen.page.evaluate("() => { window.rooftop.goToRoof(0); }")
        seen.page.wait_for_timeout(150)
        assert all(count > 0 for count in drawn(seen))
        text = seen.page.inner_text(".leaflet-popup-content")
        assert "roof planes: 2 · roof model (LoD2)" in text and "inverters (usual)" in text
        assert not re.search(r"[一-鿿]", seen.page.inner_text("#rt-legend"))
        assert (seen.errors, seen.requests) == ([], [])


@pytest.mark.browser
def test_what_is_left_out_is_said_on_the_page(browser, roofs, layers, tmp_path, monkeypatch):
    monkeypatch.setattr(map_planes, "MAX_MODULES", 10)
    path = Path(tmp_path / "map.html")
    path.write_text(document(roofs, *layers), encoding="utf-8")
    with opened(browser, path) as seen:
        assert "超出单个地图文件上限（10）" in seen.page.inner_text("#rt-foot")
        assert seen.page.locator(".leaflet-control-layers-overlays label").count() == 6
        assert (seen.errors, seen.requests) == ([], [])
