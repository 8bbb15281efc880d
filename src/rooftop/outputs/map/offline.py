"""One HTML file that asks the network for nothing: every linked asset is replaced by text from an installed wheel.

folium writes links to content delivery networks. After rendering, each link is either replaced by the same file of the
same version out of `XStatic-Leaflet` or `XStatic-jQuery`, or dropped because nothing in the page mentions what it
brings, or refused. A content security policy with the hash of every script then makes the browser hold the promise: no
script that is not ours runs, inline handlers in injected text included, and nothing is fetched.
"""

from __future__ import annotations

import base64
import hashlib
import html as html_text
import logging
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType
from urllib.parse import urlsplit

import folium
import xstatic.pkg.jquery
import xstatic.pkg.leaflet
from branca.element import Element, Figure

from rooftop.core.errors import ComputeError
from rooftop.core.lang import Text

logger = logging.getLogger(__name__)

_SCRIPT = re.compile(r"<script\b([^>]*)>(.*?)</script\s*>", re.DOTALL | re.IGNORECASE)
_LINK = re.compile(r"<link\b([^>]*?)/?>", re.IGNORECASE)
_ATTRIBUTE = re.compile(r"""([a-z-]+)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>]+))""", re.IGNORECASE)
_CSS_URL = re.compile(r"""url\(\s*['"]?([^'")]+?)['"]?\s*\)""")
_FETCHES = re.compile(
    r"""<(?:img|iframe|source|audio|video|embed|object|use|image)\b[^>]*?(?:https?:)?//[^\s"'>]+"""
    r"""|@import[^;]+|url\(\s*['"]?(?:https?:)?//[^)]+"""
)
_SOURCE_MAP = re.compile(r"^//[#@] sourceMappingURL=.*$", re.MULTILINE)
_ELEMENT_ID = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True)
class _Package:
    """An installed wheel that carries browser files."""

    module: ModuleType

    @property
    def folder(self) -> Path:
        return Path(self.module.BASE_DIR)

    @property
    def version(self) -> str:
        return str(self.module.VERSION)


@dataclass(frozen=True)
class _Asset:
    """A linked file: which package has it, and the marks of a page that uses it (none: always needed)."""

    pattern: re.Pattern[str]
    package: _Package | None
    file: str
    used_by: re.Pattern[str] | None


_LEAFLET = _Package(xstatic.pkg.leaflet)
_JQUERY = _Package(xstatic.pkg.jquery)
_ICONS = re.compile(r"AwesomeMarkers|\bfa-|\bglyphicon")
_ASSETS = (
    _Asset(re.compile(r"/leaflet@(?P<version>[\d.]+)/dist/leaflet\.js$"), _LEAFLET, "leaflet.js", None),
    _Asset(re.compile(r"/leaflet@(?P<version>[\d.]+)/dist/leaflet\.css$"), _LEAFLET, "leaflet.css", None),
    _Asset(
        re.compile(r"/jquery-(?P<version>[\d.]+)\.min\.js$"),
        _JQUERY,
        "jquery.min.js",
        re.compile(r"(?<![\w$])\$\s*[(.]|\bjQuery\b"),
    ),
    _Asset(re.compile(r"/bootstrap@[\d.]+/dist/"), None, "", re.compile(r"data-bs-|\bbootstrap\.")),
    _Asset(re.compile(r"/bootstrap-glyphicons\.css$"), None, "", _ICONS),
    _Asset(re.compile(r"/fontawesome-free@[\d.]+/css/all\.min\.css$"), None, "", _ICONS),
    _Asset(re.compile(r"/leaflet[.-]awesome-markers\.(?:js|css)$", re.IGNORECASE), None, "", _ICONS),
    _Asset(re.compile(r"/leaflet\.awesome\.rotate\.min\.css$"), None, "", _ICONS),
)


def render_offline(folium_map: folium.Map) -> str:
    """Render a folium map to one self-contained HTML document.

    Parameters
    ----------
    folium_map : folium.Map
        Left as it was; it may be rendered again.

    Returns
    -------
    str
        The document. Rendering the same map twice gives the same text. Tile layers, where the map has them, are the
        only addresses the page may reach.

    Raises
    ------
    ComputeError
        The page needs a linked file that no installed package has.
    """
    figure = folium_map.get_root()
    document = _stable_ids(figure.render(), figure)
    page = inline_assets(document, image_hosts=tile_hosts(folium_map))
    logger.info("map rendered: %.2f MB of HTML", len(page.encode("utf-8")) / 1e6)
    return page


def check_assets() -> int:
    """Render an empty map and return its size in bytes.

    Raises
    ------
    ComputeError
        An asset is in no installed package.
    """
    return len(render_offline(folium.Map(tiles=None)).encode("utf-8"))


def inline_assets(document: str, *, image_hosts: Sequence[str] = ()) -> str:
    """Replace every linked script and stylesheet of `document` by its text, and forbid the network.

    Parameters
    ----------
    document : str
        A complete HTML document.
    image_hosts : sequence of str
        Origins (``https://tile.openstreetmap.org``, ``https://*.example.org``) images may come from.

    Raises
    ------
    ComputeError
        An unknown address, or a version other than the one installed.
    """
    document = document.replace("\r\n", "\n").replace("\r", "\n")
    page_text = _page_text(document)
    document = _LINK.sub(lambda tag: _stylesheet(tag, page_text), document)
    document = _SCRIPT.sub(lambda tag: _script(tag, page_text), document)
    _refuse_leftovers(document)
    return _with_policy(document, image_hosts)


def tile_hosts(folium_map: folium.Map) -> list[str]:
    """Return the origins of a map's tile layers, sorted, with ``*`` where the address has a subdomain placeholder."""
    hosts = set()
    for element in _elements(folium_map):
        if isinstance(element, folium.TileLayer):
            parts = urlsplit(element.tiles)
            host = re.sub(r"^[^.]*\{s\}[^.]*", "*", parts.netloc)
            hosts.add(f"{parts.scheme}://{host}")
    return sorted(hosts)


def script_json(text: str) -> str:
    """Make JSON text safe inside a ``<script>`` element: it can neither close it nor open a comment.

    The characters become escapes that `JSON.parse` undoes; outside strings JSON has none of them.
    """
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def _elements(element: Element) -> Iterator[Element]:
    yield element
    parts = [element.header, element.html, element.script] if isinstance(element, Figure) else []
    for child in [*element._children.values(), *parts]:
        yield from _elements(child)


def _stable_ids(document: str, figure: Element) -> str:
    """Number folium's random element ids in order of appearance, so that the same map is the same text."""
    random_ids = {element._id for element in _elements(figure)}
    numbers: dict[str, str] = {}

    def number(match: re.Match[str]) -> str:
        element_id = match.group()
        return numbers.setdefault(element_id, f"{len(numbers) + 1:02d}") if element_id in random_ids else element_id

    return _ELEMENT_ID.sub(number, document)


def _page_text(document: str) -> str:
    """Return what the page itself says: markup and scripts, without linked tags and without data."""
    without_links = _LINK.sub("", document)
    return _SCRIPT.sub(
        lambda tag: "" if _is_data(tag.group(1)) or "src" in _attributes(tag.group(1)) else tag.group(), without_links
    )


def _attributes(text: str) -> dict[str, str]:
    return {
        name.lower(): html_text.unescape(double or single or bare)
        for name, double, single, bare in _ATTRIBUTE.findall(text)
    }


def _is_data(attributes: str) -> bool:
    return _attributes(attributes).get("type", "text/javascript") == "application/json"


def _script(tag: re.Match[str], page_text: str) -> str:
    source = _attributes(tag.group(1)).get("src")
    if source is None:
        return tag.group()
    text = _resolve(source, page_text)
    return "" if text is None else f"<script>{text}</script>"


def _stylesheet(tag: re.Match[str], page_text: str) -> str:
    attributes = _attributes(tag.group(1))
    href = attributes.get("href", "")
    if href.startswith("data:"):
        return tag.group()
    if attributes.get("rel") != "stylesheet":
        raise _unknown_asset_error(href)
    text = _resolve(href, page_text)
    return "" if text is None else f"<style>{text}</style>"


def _resolve(url: str, page_text: str) -> str | None:
    """Return the text behind `url`, or None when the page has no use for it."""
    for asset in _ASSETS:
        match = asset.pattern.search(url)
        if match is None:
            continue
        if asset.used_by is not None and not asset.used_by.search(page_text):
            return None
        if asset.package is None:
            raise _unknown_asset_error(url)
        if match["version"] != asset.package.version:
            raise ComputeError(
                Text(
                    "the installed map asset has another version than the page asks for",
                    "已安装的地图资源版本与页面要求不一致",
                ),
                where=url,
                found=asset.package.version,
                expected=match["version"],
                mend=Text("install the versions of requirements.lock", "请按 requirements.lock 安装依赖"),
            )
        return _asset_text(asset.package.folder, asset.file)
    raise _unknown_asset_error(url)


def _unknown_asset_error(url: str) -> ComputeError:
    return ComputeError(
        Text("the map links to a file that no installed package has", "地图引用了未随软件安装的文件"),
        where=url,
        expected=Text("Leaflet or jQuery, nothing else", "仅限 Leaflet 或 jQuery"),
        mend=Text("leave out the map element that needs it", "请去掉需要该文件的地图元素"),
    )


@cache
def _asset_text(folder: Path, name: str) -> str:
    text = folder.joinpath(name).read_text(encoding="utf-8").replace("\r\n", "\n")
    if name.endswith(".css"):
        return _CSS_URL.sub(lambda match: _css_url(folder, match), text)
    text = _SOURCE_MAP.sub("", text)
    text = re.sub(r"</(script)", r"<\\/\1", text, flags=re.IGNORECASE)
    return text + _default_icon(folder) if name == "leaflet.js" else text


def _css_url(folder: Path, match: re.Match[str]) -> str:
    target = match.group(1)
    # url(#default#VML) is a behaviour of Internet Explorer, not a file.
    return match.group() if target.startswith("#") else f'url("{_data_uri(folder / target)}")'


def _data_uri(path: Path) -> str:
    return "data:image/png;base64," + base64.b64encode(path.read_bytes()).decode("ascii")


def _default_icon(folder: Path) -> str:
    # Leaflet guesses the folder of its marker images from the stylesheet's address, which no longer exists.
    images = {"iconUrl": "marker-icon.png", "iconRetinaUrl": "marker-icon-2x.png", "shadowUrl": "marker-shadow.png"}
    options = ",".join(f'{key}:"{_data_uri(folder / "images" / name)}"' for key, name in images.items())
    return f'\nL.Icon.Default.imagePath="";L.Icon.Default.mergeOptions({{{options}}});\n'


def _refuse_leftovers(document: str) -> None:
    """Fail when markup or styles outside the scripts would still fetch something."""
    markup = _SCRIPT.sub("", document)
    for address in _FETCHES.findall(markup):
        raise _unknown_asset_error(address)


def _with_policy(document: str, image_hosts: Sequence[str]) -> str:
    hashes: list[str] = []
    for tag in _SCRIPT.finditer(document):
        if not _is_data(tag.group(1)):
            digest = hashlib.sha256(tag.group(2).encode("utf-8")).digest()
            hashes.append(f"'sha256-{base64.b64encode(digest).decode('ascii')}'")
    rules = (
        "default-src 'none'",
        "script-src " + " ".join(dict.fromkeys(hashes)),
        "style-src 'unsafe-inline'",
        "img-src " + " ".join(["data:", *image_hosts]),
        "base-uri 'none'",
        "form-action 'none'",
    )
    meta = f'<meta http-equiv="Content-Security-Policy" content="{"; ".join(rules)}">\n<link rel="icon" href="data:,">'

    def insert(head: re.Match[str]) -> str:
        return f"{head.group()}\n{meta}"

    return re.sub(r"<head[^>]*>", insert, document, count=1, flags=re.IGNORECASE)
