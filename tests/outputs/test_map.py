"""The map: what is embedded, what is withheld, and what a reader sees and does in a browser without a network."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from browser import Opened, chromium, opened
from map_example import INJECTIONS, example_coverage, example_districts, example_roofs
from rooftop.core.errors import ComputeError, UsageError
from rooftop.core.lang import Text
from rooftop.outputs.map import page as map_module
from rooftop.outputs.map.page import MapPage, build_map, map_notices, render_offline
from rooftop.outputs.map.payload import SCALE, coverage_payload, encode_shapes
from rooftop.outputs.map.style import COVERAGE_COLOURS, YIELD_COLOURS, coverage_labels, yield_breaks
from rooftop.targets.packs import load_pack

N = 1500
TITLE = "连云港市屋顶光伏潜力图"
LABELS = {"building_group:factory": Text("factories", "厂房"), "building_group:all_in_scope": Text("both", "合计")}


@pytest.fixture(scope="module")
def roofs() -> gpd.GeoDataFrame:
    roofs = example_roofs(N)
    for row, text in enumerate(INJECTIONS):
        roofs.loc[row, ["building_name", "address", "building_use", "owner_type"]] = [text, text, text, "国有"]
        roofs.loc[row, ["owner_name", "status"]] = [text, "ok"]
        roofs.at[row, "reasons"] = [text]
        roofs.at[row, "building_id"] = f"BAD{row}"
    roofs.loc[7, ["building_use", "building_name"]] = ["military", "军事设施甲"]
    return roofs


@pytest.fixture(scope="module")
def districts(roofs) -> gpd.GeoDataFrame:
    return example_districts(roofs)


def document(roofs, districts, **options: Any) -> str:
    arguments: dict[str, Any] = {"title": TITLE, "lang": "zh", "labels": LABELS} | options
    return render_offline(build_map(roofs, districts, example_coverage(), MapPage(**arguments)))


@pytest.fixture(scope="module")
def html(roofs, districts) -> str:
    return document(roofs, districts, synthetic=True, sources=["来源<b>甲</b>"])


def payload(html: str) -> dict:
    return json.loads(re.search(r'id="rooftop-data" type="application/json">(.*?)</script>', html, re.S).group(1))


def decode(shape: list, origin: list[int]) -> shapely.Geometry:
    def ring(flat: list[int]) -> np.ndarray:
        return (np.cumsum(np.asarray(flat).reshape(-1, 2), axis=0) + origin) / SCALE

    polygons = [[shape]] if isinstance(shape[0], int) else shape
    return shapely.MultiPolygon([shapely.Polygon(ring(rings[0]), [ring(r) for r in rings[1:]]) for rings in polygons])


# ---- what is embedded


def test_shapes_survive_coding_to_a_tenth_of_a_metre():
    square = shapely.box(119.1, 34.5, 119.102, 34.501)
    courtyard = square.difference(shapely.box(119.1004, 34.5002, 119.1009, 34.5007))
    two = shapely.MultiPolygon([courtyard, shapely.box(119.2, 34.6, 119.2001, 34.6003)])
    geometry = np.asarray([square, courtyard, two, None, shapely.Point(1, 2), shapely.Polygon()], dtype=object)
    coded = encode_shapes(geometry, (119_100_000, 34_500_000))
    assert coded[3:] == [None, None, None]
    for shape, original in zip(coded[:3], geometry[:3], strict=True):
        decoded = decode(shape, [119_100_000, 34_500_000])
        assert shapely.hausdorff_distance(decoded, original) <= 1e-6
        assert decoded.area == pytest.approx(original.area, rel=1e-2)
    assert len(coded[0]) == 8  # four corners: rings are open


def test_what_is_embedded_lies_where_the_roofs_are(roofs, html):
    data = payload(html)["roofs"]
    shown = roofs.drop(index=7).reset_index(drop=True)
    assert data["id"] == shown["building_id"].tolist()
    for row in (0, 9, 700, N - 2):
        assert shapely.hausdorff_distance(decode(data["shape"][row], data["origin"]), shown.geometry[row]) <= 1e-6


def test_numbers_are_rounded_to_what_they_deserve(roofs, html):
    data = payload(html)["roofs"]
    row = data["id"].index("LYG000500")
    truth = roofs[roofs["building_id"] == "LYG000500"].iloc[0]
    assert data["energy"][row] == float(f"{truth['annual_kwh'] / 1e4:.3g}")  # 万kWh
    assert data["gross"][row] == float(f"{truth['gross_area_m2']:.3g}")
    assert data["yield"][row] == round(truth["specific_yield_kwh_kwp"], -1)
    assert data["loss"][row] == round(truth["shading_loss"] * 100, 1)


def test_english_energy_is_in_mwh(roofs, districts):
    data = payload(document(roofs.iloc[500:510], districts, lang="en"))["roofs"]
    truth = roofs.loc[500, "annual_kwh"] / 1e3
    assert data["energy"][data["id"].index("LYG000500")] == float(f"{truth:.3g}")


def test_a_projected_table_gives_the_same_map(roofs, districts, html):
    other = document(roofs.iloc[:6].to_crs("EPSG:4549"), districts.to_crs("EPSG:4549"))
    data, projected = payload(html)["roofs"], payload(other)["roofs"]
    for row in (0, 5):
        a, b = decode(data["shape"][row], data["origin"]), decode(projected["shape"][row], projected["origin"])
        assert shapely.hausdorff_distance(a, b) <= 2e-6


def test_a_table_without_crs_is_refused(roofs, districts):
    with pytest.raises(ComputeError, match="no CRS"):
        document(roofs.set_crs(None, allow_override=True), districts)


def test_the_same_map_twice_is_the_same_text(roofs, districts, html):
    assert document(roofs, districts, synthetic=True, sources=["来源<b>甲</b>"]) == html


def test_the_file_stays_small(html):
    assert len(html.encode("utf-8")) < 600_000  # of which Leaflet is 165 kB


def test_breaks_are_round_few_and_inside_the_values():
    values = np.linspace(951.0, 1249.0, 500)
    breaks = yield_breaks(values)
    assert 3 <= len(breaks) < len(YIELD_COLOURS)
    assert breaks == sorted(breaks)
    assert values.min() < breaks[0] < breaks[-1] < values.max()
    assert all(limit % 10 == 0 for limit in breaks)
    assert yield_breaks(np.full(5, np.nan)) == []
    assert len(yield_breaks(np.full(5, 1123.0))) <= 1


def test_coverage_starts_with_the_packs_definition_and_potential():
    data = coverage_payload(example_coverage(), "zh", LABELS)
    start = {c["name"]: c["values"][k] for c, k in zip(data["choices"], data["default"], strict=True)}
    assert (start["kind"], start["numerator"], start["denominator"]) == ("potential", "module", "installable")
    nulls = [row for row in data["rows"] if data["units"][row[0]][0] == "zone1"]
    assert nulls
    assert all(row[1 + len(data["choices"])] is None for row in nulls)
    assert coverage_payload(example_coverage().iloc[:0], "zh", {})["rows"] == []


def test_pack_labels_are_the_plans_own_words():
    labels = coverage_labels(load_pack("lianyungang"))
    assert labels["building_group:factory"].zh == "厂房"
    assert labels["target_id:pv_coverage_2025"].zh == "新建公共机构建筑、新建厂房屋顶光伏覆盖率"


# ---- what is withheld


def test_military_buildings_are_nowhere_and_counted(roofs, districts, html, caplog):
    assert "军事设施甲" not in html
    assert "LYG000007" not in html
    assert [(n.code, n.count) for n in map_notices(roofs)] == [("map_military_withheld", 1)]
    by_reason = roofs.iloc[:30].copy()
    by_reason.at[8, "reasons"] = ["military"]
    assert "LYG000008" not in document(by_reason, districts)


def test_personal_names_only_when_asked(roofs, districts):
    named = roofs.iloc[:30].copy()
    named.loc[20, ["owner_type", "owner_name", "building_name"]] = ["自然人", "欧阳测试", "欧阳测试宅"]
    named.loc[21, ["owner_type", "owner_name"]] = [None, "司徒测试"]
    named.loc[22, ["owner_type", "owner_name"]] = ["国有", "某某公司"]
    closed = document(named, districts)
    assert "欧阳测试" not in closed
    assert "司徒测试" not in closed
    assert "某某公司" in closed
    asked = document(named, districts, personal_names=True)
    assert "欧阳测试宅" in asked
    assert "司徒测试" in asked
    assert payload(asked)["personalNames"] is True


# ---- base maps


def test_tianditu_needs_a_key_and_says_where_it_ends_up(roofs, districts, caplog):
    for key in (None, "", "abc def12345", "12345678&x=1"):
        with pytest.raises(UsageError):
            document(roofs, districts, basemap="tianditu", tianditu_key=key)
    with caplog.at_level(logging.WARNING):
        html = document(roofs.iloc[:9], districts, basemap="tianditu", tianditu_key="0123456789abcdef")
    assert "tk=0123456789abcdef" in html
    assert "Tianditu key" in caplog.text
    assert any(n.code == "map_key_in_html" for n in map_notices(roofs, basemap="tianditu"))


def test_without_a_base_map_the_policy_allows_no_address(html):
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', html).group(1)
    assert "http" not in policy
    assert "default-src 'none'" in policy


# ---- in the browser


@pytest.fixture(scope="module")
def browser() -> Iterator[object]:
    with chromium() as started:
        yield started


def written(tmp_path: Path, html: str) -> Path:
    path = tmp_path / "地图.html"
    path.write_text(html, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def shared_page(browser, html, tmp_path_factory) -> Iterator[Opened]:
    with opened(browser, written(tmp_path_factory.mktemp("map"), html)) as page:
        yield page


@pytest.fixture
def seen(shared_page) -> Iterator[Opened]:
    """The page of `html` as after loading; nothing may have gone wrong or out when a test is done with it."""
    shared_page.page.evaluate(
        """() => {
          const { map, page } = window.rooftop;
          map.closePopup();
          map.fitBounds(page.bounds, { animate: false });
          document.querySelector('[data-choice="unit_level"] button').click();
          const back = document.querySelector(".rt-definition button");
          if (back) back.click();
        }"""
    )
    yield shared_page
    assert shared_page.errors == []
    assert shared_page.requests == []


def pixels(seen: Opened, colour: str) -> int:
    """Canvas pixels near a colour (opacity and outline change it a little)."""
    return seen.page.evaluate(
        """([r, g, b]) => {
          let n = 0;
          for (const canvas of document.querySelectorAll(".leaflet-overlay-pane canvas")) {
            const d = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
            for (let k = 0; k < d.length; k += 4) {
              if (d[k + 3] > 150 && Math.abs(d[k] - r) + Math.abs(d[k + 1] - g) + Math.abs(d[k + 2] - b) < 40) n += 1;
            }
          }
          return n;
        }""",
        [int(colour[k : k + 2], 16) for k in (1, 3, 5)],
    )


def popup_text(seen: Opened) -> str:
    return seen.page.inner_text(".leaflet-popup-content")


def search(seen: Opened, text: str) -> None:
    seen.page.fill("#rt-search", text)
    seen.page.keyboard.press("Enter")
    seen.page.wait_for_selector(".rt-pop")


@pytest.mark.browser
def test_roofs_are_drawn_in_the_colours_of_the_legend(seen):
    assert seen.page.inner_text("#rt-badge") == "合成示例数据 / synthetic example"
    assert seen.page.evaluate("window.rooftop.drawnRoofs.size") == N - 1
    shown = payload(seen.page.content())["style"]["yieldColours"]
    assert all(pixels(seen, colour) > 50 for colour in shown)
    seen.page.uncheck(".leaflet-control-layers-overlays label:nth-child(1) input")
    seen.page.wait_for_timeout(150)
    assert pixels(seen, shown[-1]) < 50
    seen.page.check(".leaflet-control-layers-overlays label:nth-child(1) input")


@pytest.mark.browser
def test_a_click_on_a_roof_opens_its_popup(seen):
    at = seen.page.evaluate(
        """() => {
          const { map, roofs, drawnRoofs } = window.rooftop;
          const k = roofs.id.indexOf("LYG000304");
          const [x, y] = roofs.point[k];
          map.setView([y, x], 18, { animate: false });
          const p = map.latLngToContainerPoint([y, x]);
          const box = map.getContainer().getBoundingClientRect();
          return [p.x + box.x, p.y + box.y];
        }"""
    )
    seen.page.wait_for_timeout(150)
    seen.page.mouse.click(*at)
    seen.page.wait_for_selector(".rt-pop")
    text = popup_text(seen)
    assert "LYG000304" in text
    assert "屋顶面积" in text
    assert "㎡" in text


@pytest.mark.browser
def test_search_finds_ids_and_names_and_opens_the_popup(seen):
    search(seen, "lyg001234")
    assert "LYG001234" in popup_text(seen)
    assert seen.page.evaluate("window.rooftop.map.getZoom()") >= 17
    search(seen, "示例300号楼")
    assert "LYG000300" in popup_text(seen)
    seen.page.fill("#rt-search", "nothing like it")
    assert seen.page.inner_text("#rt-hits") == "没有找到"


@pytest.mark.browser
def test_layers_can_be_switched_off_and_on(seen):
    for position, size in ((2, "roofLayers[1]"), (3, "roofLayers[2]"), (4, "unitLayer"), (5, "labelLayer")):
        box = f".leaflet-control-layers-overlays label:nth-child({position}) input"
        seen.page.uncheck(box)
        assert not seen.page.evaluate(f"window.rooftop.map.hasLayer(window.rooftop.{size})")
        seen.page.check(box)
        assert seen.page.evaluate(f"window.rooftop.map.hasLayer(window.rooftop.{size})")


@pytest.mark.browser
def test_the_definition_switch_recolours_the_districts(seen):
    def colours() -> list[str]:
        return seen.page.evaluate("[...window.rooftop.polygonOf.values()].map((p) => p.options.fillColor)")

    first = colours()
    assert len(set(first)) == 3 - 1  # 66 %, 49.8 %, 41 %: the last two share a class
    assert "方案默认口径" in seen.page.inner_text(".rt-definition")
    values = seen.page.locator(".rt-unit-value").all_inner_texts()
    assert values == ["53%", "66%", "49.8%", "41%"]  # city first; 49.8 % does not read as the target of 50 %
    seen.page.click('[data-choice="denominator"] button:text-is("总面积")')
    assert colours() != first
    assert "非方案默认口径" in seen.page.inner_text(".rt-definition")
    seen.page.click(".rt-definition button")
    assert colours() == first
    seen.page.click('.rt-units li[data-unit="320700"]')
    assert "66%" in popup_text(seen)
    seen.page.click('[data-choice="kind"] button:text-is("已建")')
    assert seen.page.locator(".rt-tag.rt-bad").first.inner_text() == "未达标"
    assert "已建" in popup_text(seen)
    assert "6.6%" in popup_text(seen)  # an open popup follows the choice


@pytest.mark.browser
def test_all_nine_definitions_and_every_kind_recolour_the_districts(seen):
    """Real clicks: what is shown is what the coverage table says for each of them."""
    table = example_coverage()
    breaks = [0.2, 0.3, 0.4, 0.5, 0.6, 0.8]
    for kind, button in (("installed", "已建"), ("planned", "拟建"), ("potential", "可建潜力")):
        seen.page.click(f'[data-choice="kind"] button:text-is("{button}")')
        for top, upper in (("module", "组件"), ("array", "方阵"), ("used", "布置区")):
            seen.page.click(f'[data-choice="numerator"] button:text-is("{upper}")')
            for bottom, lower in (("gross", "总面积"), ("net", "净面积"), ("installable", "可安装")):
                seen.page.click(f'[data-choice="denominator"] button:text-is("{lower}")')
                rows = table[(table.kind == kind) & (table.numerator == top) & (table.denominator == bottom)]
                rows = rows[(rows.building_group == "all_in_scope") & (rows.level == "district")]
                wanted = [COVERAGE_COLOURS[sum(v >= b - 1e-9 for b in breaks)] for v in rows.coverage]
                shown = seen.page.evaluate("[...window.rooftop.polygonOf.values()].map((p) => p.options.fillColor)")
                assert shown == wanted, (kind, top, bottom)


@pytest.mark.browser
def test_the_map_says_where_the_definition_decides(seen):
    # Potential of 连云区 (factor .755): .66/.84/1 × .55/.8/1 reaches .5 in array÷net, array÷installable, used÷net,
    # used÷installable and no other: .498 is module÷installable, .415 used÷gross.
    text = seen.page.inner_text('.rt-units li[data-unit="320701"]')
    assert "9 种口径：可达标 4 · 不可达标 5" in text
    assert seen.page.inner_text(".rt-decides") == "口径决定结论：4 个统计单元中有 4 个，换用其他分子或分母时结论不同。"
    seen.page.click('.rt-units li[data-unit="320701"]')
    assert "可达标 4" in popup_text(seen)
    # Nothing that is installed reaches the target under any definition: they agree.
    seen.page.click('[data-choice="kind"] button:text-is("已建")')
    assert seen.page.inner_text(".rt-decides") == "各统计单元在所有口径下结论一致。"
    assert seen.page.locator(".rt-flips").count() == 0


@pytest.mark.browser
def test_the_target_switch_recolours_the_districts_too(browser, roofs, districts, tmp_path):
    first = example_coverage()
    later = first.assign(target_id="pv_coverage_2030", year=2030, target=0.3, coverage=first["coverage"] * 0.4)
    later["attained"] = np.where(later["coverage"].isna(), None, np.where(later["coverage"] >= 0.3, "yes", "no"))  # type: ignore[call-overload]
    both = pd.concat([first, later], ignore_index=True)
    labels = {
        "target_id:pv_coverage_2025": Text("by 2025", "2025年"),
        "target_id:pv_coverage_2030": Text("by 2030", "2030年"),
    }
    few = build_map(roofs.iloc[10:40], districts, both, MapPage(title="x", labels=labels))
    with opened(browser, written(tmp_path, render_offline(few))) as seen:
        colours = "[...window.rooftop.polygonOf.values()].map((p) => p.options.fillColor)"
        before = seen.page.evaluate(colours)
        seen.page.click('[data-choice="target_id"] button:text-is("2030年")')
        # 66, 49.8 and 41 % become 26, 20 and 16 %.
        assert seen.page.evaluate(colours) == [COVERAGE_COLOURS[1], COVERAGE_COLOURS[0], COVERAGE_COLOURS[0]] != before
        assert "30%" in seen.page.inner_text(".rt-target")
        seen.page.click('[data-choice="target_id"] button:text-is("2025年")')
        assert seen.page.evaluate(colours) == before
        assert (seen.errors, seen.requests) == ([], [])


@pytest.mark.browser
def test_a_unit_without_buildings_is_grey_and_says_so(seen):
    seen.page.click('[data-choice="unit_level"] button:text-is("功能区")')
    assert seen.page.evaluate("[...window.rooftop.polygonOf.values()].map((p) => p.options.fillColor)") == ["#d4d4d4"]
    assert "无建筑" in seen.page.inner_text('.rt-units li[data-unit="zone1"]')


@pytest.mark.browser
def test_attributes_are_text_and_nothing_else(seen):
    for row, text in enumerate(INJECTIONS):
        seen.page.fill("#rt-search", f"BAD{row}")
        assert text in seen.page.text_content("#rt-hits")
        search(seen, f"BAD{row}")
        popup = seen.page.text_content(".leaflet-popup-content")
        assert popup.count(text) == 5  # name, use, owner, address, note
        inside = "document.querySelectorAll('#rt-panel img, .leaflet-popup-content :is(img, script)').length"
        assert seen.page.evaluate(inside) == 0
        seen.page.evaluate("void window.rooftop.map.closePopup()")
    assert seen.page.evaluate("typeof window.hacked") == "undefined"


@pytest.mark.browser
def test_a_share_of_buildings_and_a_missing_inventory_are_shown_as_what_they_are(browser, roofs, districts, tmp_path):
    pooled = example_coverage()
    pooled.loc[pooled["kind"] == "installed", ["coverage", "coverage_low", "coverage_high", "attained"]] = None
    counted = pooled.assign(aggregation="share_of_buildings", is_default=False)
    few = build_map(roofs.iloc[10:40], districts, pd.concat([pooled, counted], ignore_index=True), MapPage(title="x"))
    with opened(browser, written(tmp_path, render_offline(few))) as seen:
        assert seen.page.locator(".rt-track u").count() == 4
        seen.page.click(".rt-more summary")
        seen.page.select_option('[data-choice="aggregation"] select', label="达到目标值的建筑占比")
        assert seen.page.locator(".rt-track u").count() == 0  # the target is each building's, not the share's
        assert "达到目标值的建筑占比" in seen.page.inner_text(".rt-definition")
        values = seen.page.locator(".rt-unit-value").all_inner_texts()
        assert values == ["53%", "66%", "50%", "41%"]
        seen.page.click('[data-choice="kind"] button:text-is("已建")')
        assert set(seen.page.locator(".rt-unit-value").all_inner_texts()) == {"无数据"}
        assert (seen.errors, seen.requests) == ([], [])


@pytest.mark.browser
def test_title_and_sources_are_text_too_and_real_data_are_not_called_synthetic(browser, roofs, districts, tmp_path):
    title = INJECTIONS[0] + INJECTIONS[2]
    html = document(roofs.iloc[10:40], districts, title=title, sources=[INJECTIONS[1]])
    with opened(browser, written(tmp_path, html)) as seen:
        assert seen.page.inner_text("#rt-title") == title
        assert seen.page.title() == title
        assert not seen.page.is_visible("#rt-badge")
        assert INJECTIONS[1] in seen.page.text_content("#rt-foot")
        assert INJECTIONS[1] in seen.page.text_content(".leaflet-control-attribution")
        assert seen.page.evaluate("typeof window.hacked") == "undefined"
        assert (seen.errors, seen.requests) == ([], [])


@pytest.mark.browser
def test_a_phone_shows_map_and_panel_without_sideways_scrolling(browser, html, tmp_path):
    with opened(browser, written(tmp_path, html), 360, 740, touch=True) as seen:
        assert seen.page.evaluate("document.documentElement.scrollWidth") <= 360
        assert seen.page.evaluate("window.rooftop.map.getSize().y") > 500
        seen.page.click("#rt-toggle")
        assert seen.page.is_visible(".rt-units")
        assert seen.page.evaluate("window.rooftop.map.getSize().y") > 200
        search(seen, "LYG000303")
        assert "LYG000303" in popup_text(seen)
        assert (seen.errors, seen.requests) == ([], [])


@pytest.mark.browser
def test_many_roofs_are_drawn_where_one_looks(browser, roofs, districts, tmp_path, monkeypatch):
    monkeypatch.setattr(map_module, "LAZY_ABOVE", 100)
    with opened(browser, written(tmp_path, document(roofs, districts))) as seen:
        assert seen.page.evaluate("window.rooftop.drawnRoofs.size") == 0
        assert seen.page.is_visible("#rt-hint")
        search(seen, "LYG000303")
        assert 0 < seen.page.evaluate("window.rooftop.drawnRoofs.size") < N / 2
        assert not seen.page.is_visible("#rt-hint")
        assert (seen.errors, seen.requests) == ([], [])


@pytest.mark.browser
def test_an_unreachable_base_map_leaves_the_rest_working(browser, roofs, districts, tmp_path):
    html = document(roofs.iloc[10:60], districts, basemap="tianditu", tianditu_key="0123456789abcdef")
    with opened(browser, written(tmp_path, html)) as seen:
        search(seen, "LYG000012")
        assert "天地图 矢量" in seen.page.inner_text(".leaflet-control-layers")
        assert seen.requests
        assert all(re.match(r"https://t\d\.tianditu\.gov\.cn/(vec|cva)_w/wmts", url) for url in seen.requests)
        assert all("Failed to load resource" in error for error in seen.errors)


@pytest.mark.browser
def test_more_roofs_than_one_file_holds_leave_the_districts(browser, roofs, districts, tmp_path, monkeypatch):
    monkeypatch.setattr(map_module, "MAX_ROOFS", 100)
    with opened(browser, written(tmp_path, document(roofs.iloc[:201], districts))) as seen:
        assert seen.page.evaluate("window.rooftop.roofs.n") == 0
        assert "未绘制" in seen.page.inner_text("#rt-foot")
        assert "200" in seen.page.inner_text("#rt-facts")
        assert (seen.errors, seen.requests) == ([], [])


@pytest.mark.browser
def test_a_roof_without_shape_is_found_and_counted(browser, roofs, districts, tmp_path):
    few = roofs.iloc[10:60].copy()
    few.loc[12, "geometry"] = shapely.Polygon()
    few.loc[12, ["lon", "lat"]] = np.nan
    with opened(browser, written(tmp_path, document(few, districts))) as seen:
        assert "1 栋无图形" in seen.page.inner_text("#rt-foot")
        search(seen, "LYG000012")
        assert "LYG000012" in popup_text(seen)
        assert (seen.errors, seen.requests) == ([], [])
