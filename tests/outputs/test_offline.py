"""One HTML file that asks the network for nothing: inlining, refusing, and the policy a browser enforces."""

from __future__ import annotations

import json
import re
from typing import Any

import folium
import folium.plugins
import pytest

from browser import chromium, opened
from rooftop.core.errors import ComputeError
from rooftop.outputs.map.offline import inline_assets, render_offline, script_json, tile_hosts


def plain_map(**options: Any) -> folium.Map:
    return folium.Map(location=[34.6, 119.2], tiles=None, zoom_start=13, **options)


def external(document: str) -> list[str]:
    markup = re.sub(r"<script\b[^>]*>.*?</script>", lambda m: m.group()[: m.group().index(">")], document, flags=re.S)
    return re.findall(r"""(?:src|href)\s*=\s*["']?(?:https?:)?//[^\s"'>]+""", markup)


def test_a_plain_folium_map_becomes_self_contained():
    document = render_offline(plain_map())
    assert external(document) == []
    assert "Leaflet 1.9.3" in document
    assert "sourceMappingURL" not in document
    assert not re.search(r"url\(\"?images/", document)


def test_what_nothing_uses_is_dropped_and_what_is_used_stays():
    assert "jQuery v" not in render_offline(plain_map())
    with_popup = plain_map()
    folium.Marker([34.6, 119.2], popup="hello").add_to(with_popup)  # folium's popups call $(…)
    assert "jQuery v3.7.1" in render_offline(with_popup)


@pytest.mark.parametrize(
    ("element", "culprit"),
    [
        (lambda: folium.Marker([34.6, 119.2], icon=folium.Icon(color="red")), "glyphicons"),
        (lambda: folium.plugins.MiniMap(), "minimap"),
        (lambda: folium.plugins.HeatMap([[34.6, 119.2]]), "heat"),
    ],
)
def test_an_asset_that_is_not_installed_is_an_error(element, culprit):
    folium_map = plain_map()
    element().add_to(folium_map)
    with pytest.raises(ComputeError) as caught:
        render_offline(folium_map)
    assert culprit in str(caught.value.details["where"]).lower()


def test_another_version_is_an_error():
    document = (
        "<html><head><script src='https://cdn.jsdelivr.net/npm/leaflet@1.8.0/dist/leaflet.js'></script></head></html>"
    )
    with pytest.raises(ComputeError, match="another version") as caught:
        inline_assets(document)
    assert caught.value.details["found"] == "1.9.3"


@pytest.mark.parametrize(
    "markup",
    [
        '<img src="https://example.org/a.png">',
        "<iframe src='//example.org'></iframe>",
        "<style>@import 'https://example.org/a.css';</style>",
        "<style>b { background: url(https://example.org/a.png) }</style>",
        '<link rel="icon" href="https://example.org/icon.png">',
        '<script src="https://example.org/a.js"></script>',
    ],
)
def test_nothing_else_may_fetch(markup):
    with pytest.raises(ComputeError):
        inline_assets(f"<html><head></head><body>{markup}</body></html>")


def test_two_maps_alike_are_the_same_text_and_rendering_changes_nothing():
    first, second = plain_map(), plain_map()
    assert render_offline(first) == render_offline(second) == render_offline(first)


def test_json_in_a_script_element_closes_nothing():
    value = {"name": "</script><!--<script>&\u2028\u2029", "sum": [1, 2.5, None]}
    text = script_json(json.dumps(value, ensure_ascii=False))
    assert not set("<>&\u2028\u2029") & set(text)
    assert json.loads(text) == value


def test_tile_hosts_keep_no_more_than_the_origin():
    folium_map = plain_map()
    folium.TileLayer("https://t{s}.tianditu.gov.cn/vec_w/wmts?tk=KEY", attr="x", subdomains="01").add_to(folium_map)
    folium.TileLayer("https://tile.openstreetmap.org/{z}/{x}/{y}.png", attr="x").add_to(folium_map)
    assert tile_hosts(folium_map) == ["https://*.tianditu.gov.cn", "https://tile.openstreetmap.org"]
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', render_offline(folium_map))
    assert policy is not None
    assert "img-src data: https://*.tianditu.gov.cn https://tile.openstreetmap.org;" in policy.group(1)


@pytest.mark.browser
def test_the_default_marker_has_its_picture_and_injected_handlers_do_not_run(tmp_path):
    folium_map = plain_map()
    folium.Marker([34.6, 119.2], popup="hello").add_to(folium_map)
    document = render_offline(folium_map)
    attack = "<img src=x onerror='window.hacked=1'><script>window.hacked=2</script>"
    path = tmp_path / "map.html"
    path.write_text(document.replace("</body>", f"{attack}</body>"), encoding="utf-8")
    with chromium() as browser, opened(browser, path) as seen:
        assert seen.page.evaluate("document.querySelector('img.leaflet-marker-icon').naturalWidth") == 25
        assert seen.page.evaluate("typeof window.hacked") == "undefined"
        assert seen.requests == []
        assert any("Content Security Policy" in error for error in seen.errors)  # the policy is what stopped it
