"""What a file says about other files: read from its text, before GDAL follows it."""

from __future__ import annotations

import mmap
import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from xml.parsers import expat

from rooftop.core.errors import InputError
from rooftop.core.lang import Text
from rooftop.inputs.access import access, damaged_file_error
from rooftop.inputs.input_files import input_files

HEAD_BYTES = 4096
_MOST_NESTED = 4
_LONGEST_BYTES = 200_000_000
_VRT = b"<VRTDataset"
_SERVICES = (
    b"<OGRVRTDataSource",
    b"<OGRVRTLayer",
    b"<OGRWFSDataSource",
    b"<OGRCSWDataSource",
    b"<GDAL_WMS",
    b"<GDAL_WMTS",
    b"<WCS_GDAL",
    b"<GDALTileIndexDataset",
    b"<MRF_META",
    b"gdal_streamed_alg",
    b"WMS_Capabilities",
    b"<Capabilities",
)
_LINKED_CRS = re.compile(
    rb'"crs"\s*:\s*\{[^{}]{0,200}"type"\s*:\s*"(?:link|url)"|"crs"\s*:\s*\{[^{}]{0,200}\{[^{}]{0,500}"href"',
    re.IGNORECASE,
)
_PLAIN_BAND = ("VRTRasterBand", "VRTSourcedRasterBand")


def head(path: Path) -> bytes:
    """Return the beginning of a file; nothing of a folder."""
    if path.is_dir():
        return b""
    with path.open("rb") as file:
        return file.read(HEAD_BYTES)


def is_vrt(path: Path) -> bool:
    """Tell whether GDAL would take a file for a VRT."""
    return _VRT in head(path)


def refuse_references(path: Path, where: str, start: bytes | None = None) -> None:
    """Refuse a file that holds no data, but says where to fetch them, and XML that defines entities.

    Parameters
    ----------
    path : Path
    where : str
        For messages.
    start : bytes, optional
        Beginning of a member of an archive; of the file itself when None.

    Raises
    ------
    InputError
    """
    if access().allow_remote:
        return
    begin = head(path) if start is None else start
    reference = next((mark for mark in (*_SERVICES, *((_VRT,) if start is not None else ())) if mark in begin), None)
    if reference is not None:
        raise _reference_error(where, reference.decode().lstrip("<"))
    if begin.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<") and re.search(
        rb"<!(?:DOCTYPE|ENTITY)[^>]*(?:\[|ENTITY)", begin
    ):
        raise _entity_error(where)
    if (
        start is None
        and path.suffix.lower() in (".json", ".geojson", ".topojson", ".geojsonl", "")
        and _has_linked_crs(path)
    ):
        raise InputError(
            Text(
                "the file names its CRS by an address that would have to be fetched",
                "文件以网络地址注明坐标系，须联网获取",
            ),
            where=where,
            found='"crs": {"type": "link", ...}',
            expected='"crs": {"type": "name", ...}',
            mend=Text("open it in QGIS and save it with a CRS of its own", "请用QGIS打开，并以明确的坐标系另存"),
        )


def _has_linked_crs(path: Path) -> bool:
    if not path.is_file() or path.stat().st_size == 0:
        return False
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as text:
        return _LINKED_CRS.search(text) is not None


def _reference_error(where: str, found: str) -> InputError:
    return InputError(
        Text(
            "the file holds no data of its own, but refers to others", "该文件本身不含数据，而是指向其他文件或网络服务"
        ),
        where=where,
        found=found,
        expected=Text("a file with its data in it", "自带数据的文件"),
        mend=Text(
            "save what it shows as a file (QGIS: Export); or, if you trust it, set inputs.allow_remote: true",
            "请将其内容另存为文件（QGIS：导出）；若来源可信，可设置 inputs.allow_remote: true",
        ),
    )


def _entity_error(where: str) -> InputError:
    return InputError(
        Text("the XML file defines entities, which may grow without bound", "XML 文件定义了实体，可能无限展开"),
        where=where,
        found="<!DOCTYPE ... <!ENTITY",
        expected=Text("XML without a DOCTYPE of its own", "不含自定义 DOCTYPE 的 XML"),
        mend=Text("open it in QGIS and save it as GeoPackage", "请用QGIS打开并另存为GeoPackage"),
    )


# --- VRT -------------------------------------------------------------------------------------------------------------


@dataclass
class _Mosaic:
    """What a VRT consists of."""

    plain: frozenset[str]
    sources: list[tuple[str, bool]] = field(default_factory=list)
    odd: str | None = None
    _open: list[str] = field(default_factory=list)
    _relative: bool = False
    _text: str = ""

    def start(self, name: str, given: dict[str, str]) -> None:
        self._open.append(name)
        attributes = {key.lower(): value for key, value in given.items()}  # GDAL does not mind the case
        self._text, self._relative = "", attributes.get("relativetovrt", "0").strip() not in ("", "0")
        kind = attributes.get("subclass", "")
        if name not in self.plain:
            self.odd = self.odd or f"<{name}>"
        elif kind and (name, kind) != _PLAIN_BAND:
            self.odd = self.odd or f'<{name} subClass="{kind}">'
        elif name == "MDI" and attributes.get("key", "").upper() in ("OVERVIEW_FILE", "X_DATASET", "Y_DATASET"):
            self.odd = self.odd or f'<MDI key="{attributes["key"]}">'

    def end(self, name: str) -> None:
        if name == "SourceFilename":
            self.sources.append((self._text.strip(), self._relative))
        self._open.pop()
        self._text = ""

    def text(self, data: str) -> None:
        if self._open and self._open[-1] == "SourceFilename":
            self._text += data


def _parse_vrt(path: Path, where: str) -> _Mosaic:
    if path.stat().st_size > _LONGEST_BYTES:
        raise damaged_file_error(path, where, f"{path.stat().st_size / 1e6:,.0f} MB")
    mosaic, parser = _Mosaic(frozenset(input_files().vrt_elements)), expat.ParserCreate()

    def doctype(*_: object) -> None:
        raise _entity_error(where)

    parser.StartElementHandler, parser.EndElementHandler = mosaic.start, mosaic.end
    parser.CharacterDataHandler, parser.StartDoctypeDeclHandler = mosaic.text, doctype
    try:
        parser.Parse(path.read_bytes().strip(b"\x00 \t\r\n"), True)
    except (expat.ExpatError, ValueError) as error:
        raise damaged_file_error(path, where, f"XML: {error}") from error
    return mosaic


def vrt_sources(path: Path, where: str, depth: int = 0) -> tuple[Path, ...]:
    """Return the files that a VRT is made of, those of a VRT in it included, each once.

    Parameters
    ----------
    path : Path
    where : str
        For messages.
    depth : int
        How many VRTs this one lies in.

    Raises
    ------
    InputError
        Unless the configuration allows it: a source lies outside the VRT's folder, is no file of this machine, or the
        VRT is more than a mosaic. Always: the VRT is damaged, a source is missing, VRTs lie in each other.
    """
    mosaic, free = _parse_vrt(path, where), access().allow_remote
    if mosaic.odd is not None and not free:
        raise _no_mosaic_error(where, mosaic.odd)
    if depth > _MOST_NESTED:
        raise _no_mosaic_error(where, Text("VRTs in VRTs in VRTs", "VRT 多层嵌套"))
    folder = Path(os.path.realpath(path)).parent
    sources: dict[Path, None] = {}
    for name, relative in mosaic.sources:
        source = Path(os.path.realpath(path.parent / name if relative else name))
        if not _is_file(source):
            if free:
                continue
            raise _no_source_error(where, name)
        if not free and not source.is_relative_to(folder):
            raise _outside_error(where, name, folder)
        sources[source] = None
        if is_vrt(source):
            sources |= dict.fromkeys(vrt_sources(source, f"{where} > {source.name}", depth + 1))
        elif not free and head(source).lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"<", b"{"):
            raise _reference_error(f"{where} > {name}", head(source)[:40].decode(errors="replace"))
    return tuple(sources)


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:
        return False


def _no_mosaic_error(where: str, found: Text | str) -> InputError:
    return InputError(
        Text("the VRT is more than a mosaic of rasters", "该 VRT 不只是栅格拼接"),
        where=where,
        found=found,
        expected=Text("what gdalbuildvrt makes", "gdalbuildvrt 生成的拼接"),
        mend=Text(
            "turn it into a GeoTIFF: gdal_translate in.vrt out.tif; or, if you trust it, set inputs.allow_remote: true",
            "请转换为 GeoTIFF：gdal_translate in.vrt out.tif；若来源可信，可设置 inputs.allow_remote: true",
        ),
    )


def _no_source_error(where: str, name: str) -> InputError:
    return InputError(
        Text("a file that the VRT is made of is not there", "VRT 所引用的文件不存在"),
        where=where,
        found=name[:200],
        expected=Text("files beside the VRT or below it", "位于 VRT 同一文件夹或其子文件夹中的文件"),
        mend=Text(
            "copy the whole folder, or build the VRT again where the files are",
            "请复制整个文件夹，或在文件所在处重新生成 VRT",
        ),
    )


def _outside_error(where: str, name: str, folder: Path) -> InputError:
    return InputError(
        Text("the VRT reads a file outside its folder", "VRT 引用了其文件夹之外的文件"),
        where=where,
        found=name[:200],
        expected=Text(f"files in {folder}", f"{folder} 中的文件"),
        mend=Text(
            "move the VRT to its files and build it again; or, if you trust it, set inputs.allow_remote: true",
            "请将 VRT 移至其数据所在处并重新生成；若来源可信，可设置 inputs.allow_remote: true",
        ),
    )
