"""The map: districts by coverage, roofs by specific yield, their planes and modules, in one HTML file, no network.

`build_map` returns a folium map, to which other folium layers may be added; `render_offline` turns it into a document;
saving is the caller's. Attributes travel as JSON and become text nodes in the browser. They never pass through a
template: branca renders the text of its elements a second time as a Jinja template, so a building named ``{{7*7}}``
would otherwise be evaluated on the planner's machine.
"""

from __future__ import annotations

import html as html_text
import json
import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata, resources
from typing import Any

import folium
import geopandas as gpd
import numpy as np
import pandas as pd
from branca.element import Element, Figure, MacroElement

from rooftop.core.choices import Basemap
from rooftop.core.errors import UsageError
from rooftop.core.lang import Lang, Text
from rooftop.core.notices import Notice
from rooftop.core.privacy import masked
from rooftop.core.rounding import capacity, count, energy
from rooftop.outputs.map import payload as map_data
from rooftop.outputs.map import planes as map_planes
from rooftop.outputs.map import style as map_style
from rooftop.outputs.map.offline import render_offline, script_json
from rooftop.outputs.verdicts import judgements
from rooftop.tables import COVERAGE, DISTRICTS, MODULES, PLANES, ROOFS, conform
from rooftop.targets.columns import numeric_column
from rooftop.targets.withheld import withheld_use_names

__all__ = ["MapPage", "build_map", "map_notices", "render_offline"]

logger = logging.getLogger(__name__)


LAZY_ABOVE = 20_000  # roofs; above, the page draws only those in view
MAX_ROOFS = 300_000  # roofs in one file; above, the districts alone
_KEY = re.compile(r"[0-9A-Za-z]{8,64}")
_TIANDITU = (
    "https://t{s}.tianditu.gov.cn/%(layer)s_w/wmts?SERVICE=WMTS&REQUEST=GetTile&VERSION=1.0.0&LAYER=%(layer)s&STYLE=default"
    "&TILEMATRIXSET=w&FORMAT=tiles&TILEMATRIX={z}&TILEROW={y}&TILECOL={x}&tk=%(key)s"
)


class _Verbatim(Element):
    """Text that goes into the page as it is, without a second pass as a template."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self._name = "Verbatim"
        self._text = text

    def render(self, **_: Any) -> str:
        return self._text


class _RoofPage(MacroElement):
    """The page around and on the map: style, panel, data and script."""

    def __init__(self, payload: dict[str, Any], base_layers: Sequence[tuple[str, folium.TileLayer]]) -> None:
        super().__init__()
        self._name = "RoofPage"
        self._payload = payload
        self._base_layers = tuple(base_layers)

    def render(self, **_: Any) -> str:
        figure, owner = self.get_root(), self._parent
        if not isinstance(figure, Figure) or owner is None:
            raise TypeError("the page belongs on a folium map")
        name = self.get_name()
        skeleton = _template("map.html").replace(
            "<noscript></noscript>", f"<noscript>{html_text.escape(self._payload['texts']['noscript'])}</noscript>"
        )
        data = script_json(json.dumps(self._payload, ensure_ascii=False, separators=(",", ":"), allow_nan=False))
        figure.header.add_child(_Verbatim(f"<style>\n{_template('map.css')}</style>"), name=f"{name}_style")
        figure.html.add_child(_Verbatim(skeleton), name=f"{name}_page")
        figure.html.add_child(
            _Verbatim(f'<script id="rooftop-data" type="application/json">{data}</script>'), name=f"{name}_data"
        )
        bases = ", ".join(f"[{json.dumps(title)}, {layer.get_name()}]" for title, layer in self._base_layers)
        call = f"rooftopMap({owner.get_name()}, [{bases}]);"
        script = "\n".join([*(_template(f"map{part}.js") for part in ("_panel", "_planes", "")), call])
        figure.script.add_child(_Verbatim(script), name=f"{name}_script")
        return ""


def _template(name: str) -> str:
    return resources.files("rooftop.outputs").joinpath("templates", name).read_text(encoding="utf-8")


@dataclass(frozen=True, kw_only=True)
class MapPage:
    """What a map's page says and shows beside its tables.

    Parameters
    ----------
    title : str
        Heading of the page.
    lang : {"zh", "en"}
    synthetic : bool
        The buildings are made up: the page says so in its heading.
    basemap : {"none", "osm", "tianditu"}
        With ``none`` the page asks the network for nothing.
    tianditu_key : str, optional
        Needed for ``tianditu``; it ends up in the page, readable by anybody who has the file (`map_notices` says so).
    personal_names : bool
        Show the names of owners who are natural persons, or may be; else `rooftop.core.privacy.masked` decides.
    sources : sequence of str
        Data sources to name on the map.
    labels : mapping, optional
        What the policy pack calls its targets, readings and groups: ``map_style.coverage_labels(pack)``. Without it the
        page shows their codes.
    """

    title: str
    lang: Lang = "zh"
    synthetic: bool = False
    basemap: Basemap = "none"
    tianditu_key: str | None = None
    personal_names: bool = False
    sources: Sequence[str] = ()
    labels: Mapping[str, Text] | None = None


@dataclass(frozen=True)
class _MapTables:
    """What may be shown: converted to longitude and latitude, withheld uses left out."""

    roofs: gpd.GeoDataFrame
    units: gpd.GeoDataFrame
    coverage: pd.DataFrame
    planes: gpd.GeoDataFrame | None
    modules: gpd.GeoDataFrame | None


def build_map(
    roofs: gpd.GeoDataFrame,
    districts: gpd.GeoDataFrame,
    coverage: pd.DataFrame,
    page: MapPage,
    *,
    planes: pd.DataFrame | None = None,
    modules: gpd.GeoDataFrame | None = None,
) -> folium.Map:
    """Build the map of one run.

    Parameters
    ----------
    roofs : GeoDataFrame
        `tables.ROOFS` and geometry. Military buildings are left out and logged, as in every output.
    districts : GeoDataFrame
        `tables.DISTRICTS` and geometry: districts, and towns and zones where there are any.
    coverage : DataFrame
        `tables.COVERAGE`. The rows of the pack's own definition and kind ``potential`` colour the districts at first;
        the reader may choose any other.
    page : MapPage
    planes, modules : GeoDataFrame, optional
        `tables.PLANES` and `tables.MODULES` with their plans: two layers, off at first, drawn from a zoom at which they
        can be seen. Planes without plans, and more than a file holds, are left out.

    Returns
    -------
    folium.Map
        Not yet rendered; see `render_offline`.

    Raises
    ------
    UsageError
        Tianditu without a usable key.
    ComputeError
        A table lacks a column of the contract, or a frame has no CRS.
    """
    lang, title = page.lang, page.title
    base_layers = _base_layers(page.basemap, page.tianditu_key)
    for notice in map_notices(roofs, basemap=page.basemap, planes=planes, modules=modules):
        logger.log(logging.WARNING if notice.severity == "warning" else logging.INFO, "%s", notice.text)
    tables = _map_tables(roofs if page.personal_names else masked(roofs), districts, coverage, planes, modules)
    payload = _payload(tables, lang, page.labels or {}) | {
        "missing": [notice.text.pick(lang) for notice in _not_drawn_notices(planes, modules)],
        "title": title,
        "synthetic": page.synthetic,
        "badge": " / ".join(
            dict.fromkeys([map_style.UI["synthetic"].pick(lang), map_style.UI["synthetic"].pick("en")])
        ),
        "personalNames": page.personal_names,
        "sources": [str(source) for source in page.sources],
    }
    folium_map = folium.Map(tiles=None, zoom_control=False, prefer_canvas=True, zoom_snap=1 if base_layers else 0.25)
    folium_map.options["max_zoom"] = 20  # without a tile layer Leaflet would zoom without end
    figure = folium_map.get_root()
    figure.title = html_text.escape(title)  # type: ignore[attr-defined]
    for _, layer in base_layers:
        layer.add_to(folium_map)
    folium_map.add_child(_RoofPage(payload, base_layers))
    return folium_map


def map_notices(
    roofs: pd.DataFrame,
    *,
    basemap: Basemap = "none",
    planes: pd.DataFrame | None = None,
    modules: pd.DataFrame | None = None,
) -> tuple[Notice, ...]:
    """Return what a run must say about its map.

    Parameters
    ----------
    roofs : DataFrame
        `tables.ROOFS` as given to `build_map`.
    basemap, planes, modules
        As given to `build_map`.
    """
    notices = []
    n_withheld, uses = len(roofs) - len(map_data.without_withheld(roofs)), withheld_use_names()
    n_roofs = len(roofs) - n_withheld
    if n_withheld:
        text = Text("{n} {uses} buildings are not on the map", "{n} 栋{uses}建筑未在地图中显示").format(
            n=n_withheld, uses=uses
        )
        notices.append(Notice("map_military_withheld", text, n_withheld, "info", "outputs.map"))
    if n_roofs > MAX_ROOFS:
        text = Text(
            f"{n_roofs} roofs are more than one map file holds ({MAX_ROOFS}): the map shows districts only",
            f"屋顶 {n_roofs} 栋，超出单个地图文件上限（{MAX_ROOFS}）：地图仅显示统计单元",
        )
        notices.append(Notice("map_roofs_not_drawn", text, n_roofs, "warning", "outputs.map"))
    notices += _not_drawn_notices(planes, modules)
    if basemap == "tianditu":
        text = Text(
            "the Tianditu key is written into the map's HTML: whoever has the file can read and use it",
            "天地图密钥已写入地图 HTML，任何持有该文件的人都能读取并使用",
        )
        notices.append(Notice("map_key_in_html", text, 1, "warning", "outputs.map"))
    if basemap == "osm":
        text = Text("the map loads its base map from openstreetmap.org", "地图底图从 openstreetmap.org 在线加载")
        notices.append(Notice("map_online_basemap", text, 1, "info", "outputs.map"))
    return tuple(notices)


def _not_drawn_notices(planes: pd.DataFrame | None, modules: pd.DataFrame | None) -> list[Notice]:
    """Say which of planes and modules are too many for one file."""
    notices = []
    n_planes, n_modules = (0 if frame is None else len(frame) for frame in (planes, modules))
    if n_planes > map_planes.MAX_PLANES:
        limit = map_planes.MAX_PLANES
        text = Text(
            f"{n_planes} roof planes are more than one map file holds ({limit}): planes and modules are not drawn",
            f"坡面 {n_planes} 个，超出单个地图文件上限（{limit}）：坡面与组件均未绘制",
        )
        notices.append(Notice("map_planes_not_drawn", text, n_planes, "warning", "outputs.map"))
    elif n_modules > map_planes.MAX_MODULES:
        limit = map_planes.MAX_MODULES
        text = Text(
            f"{n_modules} modules are more than one map file holds ({limit}): they are not drawn; see modules.parquet, "
            "or compute fewer districts at a time",
            f"组件 {n_modules} 块，超出单个地图文件上限（{limit}）：未绘制，见 modules.parquet，或分县区计算",
        )
        notices.append(Notice("map_modules_not_drawn", text, n_modules, "warning", "outputs.map"))
    return notices


def require_basemap(basemap: Basemap, key: str | None) -> None:
    """Refuse a base map that cannot be asked for.

    Raises
    ------
    UsageError
        Tianditu without a usable key.
    """
    _base_layers(basemap, key)


def _base_layers(basemap: Basemap, key: str | None) -> list[tuple[str, folium.TileLayer]]:
    if basemap == "osm":
        layer = folium.TileLayer(
            "https://tile.openstreetmap.org/{z}/{x}/{y}.png",
            attr="© OpenStreetMap contributors",
            max_zoom=20,
            max_native_zoom=19,
        )
        return [("OpenStreetMap", layer)]
    if basemap == "tianditu":
        if key is None or not _KEY.fullmatch(key):
            raise UsageError(
                Text("the Tianditu base map needs a key", "天地图底图需要密钥"),
                where="outputs.basemap",
                found=Text("none", "无") if key is None else Text("a key with other characters", "密钥含有其他字符"),
                expected=Text("letters and digits", "字母和数字"),
                mend=Text(
                    "set it as TIANDITU_KEY in the environment (apply at console.tianditu.gov.cn), or basemap: none",
                    "请将密钥设为环境变量 TIANDITU_KEY（在 console.tianditu.gov.cn 申请），或设 basemap: none",
                ),
            )
        return [("天地图 矢量", _tianditu("vec", key)), ("天地图 注记", _tianditu("cva", key))]
    return []


def _tianditu(layer: str, key: str) -> folium.TileLayer:
    return folium.TileLayer(
        _TIANDITU % {"layer": layer, "key": key},
        attr="天地图 · 国家地理信息公共服务平台",
        subdomains="01234567",
        max_zoom=20,
        max_native_zoom=18,
        overlay=layer == "cva",
    )


def _map_tables(
    roofs: gpd.GeoDataFrame,
    districts: gpd.GeoDataFrame,
    coverage: pd.DataFrame,
    planes: pd.DataFrame | None,
    modules: gpd.GeoDataFrame | None,
) -> _MapTables:
    visible = map_data.without_withheld(conform(roofs, ROOFS))
    return _MapTables(
        map_data.frame_in_lonlat(visible, "roofs"),
        map_data.frame_in_lonlat(conform(districts, DISTRICTS), "districts"),
        conform(coverage, COVERAGE),
        *_drawable_layers(planes, modules),
    )


def _drawable_layers(
    planes: pd.DataFrame | None, modules: gpd.GeoDataFrame | None
) -> tuple[gpd.GeoDataFrame | None, gpd.GeoDataFrame | None]:
    """Return planes and modules in longitude and latitude; None for what has no plans or is too much for one file."""
    left_out = {notice.code for notice in _not_drawn_notices(planes, modules)}
    if not isinstance(planes, gpd.GeoDataFrame) or "map_planes_not_drawn" in left_out:
        return None, None
    plans = map_data.frame_in_lonlat(conform(planes, PLANES), "planes")
    if modules is None or left_out:
        return plans, None
    return plans, map_data.frame_in_lonlat(conform(modules, MODULES), "modules")


def _payload(tables: _MapTables, lang: Lang, labels: Mapping[str, Text]) -> dict[str, Any]:
    """Put together everything the page knows."""
    draw = len(tables.roofs) <= MAX_ROOFS
    drawn = tables.roofs if draw else tables.roofs.iloc[:0]
    yields = numeric_column(tables.roofs, "specific_yield_kwh_kwp")
    status = tables.roofs["status"]
    breaks = map_style.yield_breaks(yields)
    roofs = map_data.roof_payload(drawn, lang)
    texts = map_style.interface_texts(lang)
    texts["area_unit"] = Text("m²", "㎡").pick(lang)
    texts["made_with"] = texts["made_with"].format(version=metadata.version("rooftop"))
    return {
        "lang": lang,
        "texts": texts,
        "labels": map_style.vocabulary(lang),
        "verdicts": judgements(lang),
        "style": {
            "noData": map_style.NO_DATA_COLOUR,
            "yieldBreaks": [int(limit) for limit in breaks],
            "yieldColours": map_style.class_colours(len(breaks) + 1),
            "coverageBreaks": list(map_style.COVERAGE_BREAKS),
            "coverageColours": list(map_style.COVERAGE_COLOURS),
            "status": map_style.STATUS_STYLES,
        },
        "statuses": list(map_style.STATUS_LABELS),
        "counts": {
            "needs_survey": int((status == "needs_survey").sum()),
            "excluded": int((status == "excluded").sum()),
            "no_value": int((np.isnan(yields) & (status != "excluded").to_numpy(dtype=bool)).sum()),
        },
        "facts": _facts(tables.roofs, lang),
        "lazyAbove": LAZY_ABOVE,
        "tooMany": not draw,
        "notDrawn": sum(shape is None for shape in roofs["shape"]),
        "bounds": _bounds(tables),
        "units": map_data.unit_payload(tables.units, lang),
        "coverage": map_data.coverage_payload(tables.coverage, lang, labels),
        "roofs": roofs,
        "planes": _planes(tables, roofs, lang) if draw else None,
    }


def _planes(tables: _MapTables, roofs: dict[str, Any], lang: Lang) -> dict[str, Any] | None:
    """Return planes and modules of the roofs on the map; None where there are none."""
    if tables.planes is None or tables.planes.empty:
        return None
    payload = map_planes.plane_payload(
        tables.planes, tables.modules, roofs["id"], roofs["shape"], tuple(roofs["origin"])
    )
    return payload | {
        "sources": [map_style.ROOF_SOURCES[name].pick(lang) for name in map_planes.SOURCES],
        "directions": [name.pick(lang) for name in map_planes.direction_names()],
        "styles": [map_style.PLANE_STYLES[name] for name in map_planes.SOURCES],
    }


def _facts(roofs: pd.DataFrame, lang: Lang) -> list[list[str]]:
    """Return the three figures on top: value, unit, name."""
    ui = map_style.UI
    kwp, _, kwp_unit = capacity(roofs["capacity_kwp"].sum(), lang).partition(" ")
    kwh, _, kwh_unit = energy(roofs["annual_kwh"].sum(), lang).partition(" ")
    return [
        [count(len(roofs)), "", ui["roofs_unit"].pick(lang)],
        [kwp, kwp_unit, ui["capacity"].pick(lang)],
        [kwh, kwh_unit, ui["energy"].pick(lang)],
    ]


def _bounds(tables: _MapTables) -> list[list[float]] | None:
    """Return south-west and north-east corner (latitude, longitude) of the units, else of the roofs."""
    for frame in (tables.units, tables.roofs):
        if len(frame) and np.isfinite(frame.total_bounds).all():
            west, south, east, north = (round(float(value), 6) for value in frame.total_bounds)
            return [[south, west], [north, east]]
    return None
