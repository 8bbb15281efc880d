"""What reading a path reads: its own bytes, its side files, the sources it names; hashed, and watched for changes."""

from __future__ import annotations

import hashlib
import re
import threading
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

from rooftop.core.errors import ChangedError
from rooftop.core.lang import Text

WHOLE_BYTES = 16 << 30
"""Up to this much behind one path every byte is hashed; of more, edges, sizes and times of the sources."""

_EDGE = 1 << 16
_CHUNK = 1 << 20
_TICK_NS = 2_000_000_000  # the coarsest clock of a file system (FAT)
_RASTER = "aux rrd ige prj qpj wld hdr clr stx tab"
_SIDE_OF_STEM = {
    ".shp": "shx dbf prj qpj cpg qix sbn sbx idx idm ind",
    ".tab": "dat map id ind",
    ".mif": "mid",
    ".gml": "xsd",  # what GDAL learns of it (.gfs) it writes beside it while it reads
    ".csv": "csvt prj",
    ".gpkg": "",
    ".sqlite": "",
    ".sdat": f"{_RASTER} sgrd mgrd",
}
_ALONE = (".json", ".geojson", ".fgb", ".xlsx", ".epw", ".yaml", ".yml", ".las", ".laz", ".gz")
_STATISTICS = "PAMDataset PAMRasterBand Metadata Histograms HistItem HistMin HistMax BucketCount IncludeOutOfRange"
_HARMLESS = {*_STATISTICS.split(), "Approximate", "HistCounts"}
_JOURNALS = ("-wal", "-journal")
_ARCHIVE = re.compile(r"^(?:/vsi(?:zip|gzip|tar|7z|rar|sparse|cached)/)+")
_LISTS = re.compile(rb"<(?:VRTDataset|OGRVRTDataSource|GDALTileIndexDataset)\b")


class Signature(NamedTuple):
    """What the file system says of a file; any write or replacement changes it."""

    size: int
    modified_ns: int
    changed_ns: int


class _HashEntry(NamedTuple):
    signature: Signature
    sha256: str
    settled: bool  # older than the clock's tick: a later write would show


_known: dict[Path, _HashEntry] = {}


def signature(path: Path) -> Signature | None:
    """Return the signature of a file; None where there is none."""
    try:
        status = path.stat()
    except OSError:
        return None
    return Signature(status.st_size, status.st_mtime_ns, status.st_ctime_ns)


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of one file's bytes; a file that did not change since is not read again."""
    place, before = path.absolute(), signature(path)
    known = _known.get(place)
    if known is not None and known.settled and known.signature == before:
        return known.sha256
    digest = hashlib.sha256()
    with path.open("rb") as handle:
        while chunk := handle.read(_CHUNK):
            digest.update(chunk)
    if before is not None and before == signature(path):
        settled = time.time_ns() - max(before.modified_ns, before.changed_ns) > _TICK_NS
        _known[place] = _HashEntry(before, digest.hexdigest(), settled)
    return digest.hexdigest()


def file_sha256(path: Path) -> str:
    """Hash everything that reading `path` reads.

    Of a file that stands alone this is its SHA-256. Where there is more, it is that of the list that ``sha256sum``
    prints of the files of :func:`parts_of`, without their folders.
    """
    parts = parts_of(path)
    if parts == (path,) or not path.exists():
        return sha256_of(path)
    if sum(part.stat().st_size for part in parts) <= WHOLE_BYTES:
        sums = [sha256_of(part) for part in parts]
    else:
        sums = [sha256_of(part) if part == path else _stamp(part) for part in parts]
    lines = "".join(f"{digest}  {part.name}\n" for digest, part in zip(sums, parts, strict=True))
    return hashlib.sha256(lines.encode("utf-8", "surrogateescape")).hexdigest()


def _stamp(path: Path) -> str:
    about = path.stat()
    digest = hashlib.sha256(f"{about.st_size} {about.st_mtime_ns}".encode())
    with path.open("rb") as handle:
        digest.update(handle.read(_EDGE))
        handle.seek(max(0, about.st_size - _EDGE))
        digest.update(handle.read(_EDGE))
    return digest.hexdigest()


def parts_of(path: Path) -> tuple[Path, ...]:
    """Return the files that reading `path` may read.

    A folder stands for the files in it (not for lock files), a file for itself and for its side files (world file,
    ``.aux.xml``, overviews, the parts of a Shapefile, a database's journal), and what lists other files (a VRT, of
    rasters or of vectors) for those as well, to any depth.

    Returns
    -------
    tuple of Path
        `path` first, the others in order of their names; empty where there is nothing.
    """
    if path.is_dir():
        return tuple(sorted(p for p in path.iterdir() if p.is_file() and p.suffix.lower() != ".lock"))
    files: dict[Path, Path] = {}
    _collect(path, files, {})
    others = sorted((p for p in files.values() if p != path), key=lambda p: (p.name, str(p)))
    return (path, *others) if files else ()


def _collect(path: Path, files: dict[Path, Path], folders: dict[Path, dict[str, Path]]) -> None:
    """Add a file, its side files, and what it names, unless they are known (by their absolute path)."""
    todo = [path]
    while todo:
        file = todo.pop()
        if file.absolute() in files or not file.is_file():
            continue
        files[file.absolute()] = file
        todo += [*_side_files(file, folders), *named_files(file)]


def _side_files(path: Path, folders: dict[Path, dict[str, Path]]) -> list[Path]:
    """Return the files that readers look for beside a file, whatever case their names are written in."""
    folder = path.parent
    if folder not in folders:
        folders[folder] = _files_by_name(folder)
    beside, name, stem, suffix = folders[folder], path.name.lower(), path.stem.lower(), path.suffix.lower()
    names = [f"{name}{ending}" for ending in _JOURNALS]
    if suffix not in _ALONE:
        names += [f"{name}.{ending}" for ending in ("ovr", "msk")]
        if f"{name}.aux.xml" in beside and not _only_statistics(beside[f"{name}.aux.xml"]):
            names.append(f"{name}.aux.xml")
        world = [f"{suffix[1]}{suffix[-1]}w", f"{suffix[1:]}w"] if len(suffix) > 2 else []
        of_stem = _SIDE_OF_STEM[suffix].split() if suffix in _SIDE_OF_STEM else [*_RASTER.split(), *world]
        names += [f"{stem}.{ending}" for ending in of_stem]
    if suffix == ".adf":
        names = list(beside)
    if suffix == ".ers":
        names.append(stem)
    return [beside[each] for each in names if each in beside and each != name]


def _files_by_name(folder: Path) -> dict[str, Path]:
    try:
        return {p.name.lower(): p for p in folder.iterdir()}
    except OSError:
        return {}


def _only_statistics(aux: Path) -> bool:
    """Return whether an ``.aux.xml`` holds nothing but statistics, which a GIS writes when it only looks."""
    try:
        elements = list(ElementTree.parse(aux).getroot().iter())
    except (ElementTree.ParseError, OSError, ValueError, LookupError):
        return False
    return all(
        (e.tag == "MDI" and e.get("key", "").startswith("STATISTICS_")) or (e.tag in _HARMLESS and not e.get("domain"))
        for e in elements
    )


def named_files(path: Path) -> list[Path]:
    """Return the existing files that a VRT names; nothing for any other file."""
    with path.open("rb") as handle:
        head = handle.read(1024)
        if not _LISTS.search(head):
            return []
        text = head + handle.read()
    try:
        root = ElementTree.fromstring(text)
    except (ElementTree.ParseError, ValueError, LookupError):
        return []  # whoever reads it says so
    words = {word for element in root.iter() for word in ((element.text or "").strip(),) if _may_be_a_name(word)}
    return sorted({file for word in words for file in _files_meant_by(word, path.parent)})


def _may_be_a_name(word: str) -> bool:
    return 0 < len(word) < 4096 and "\x00" not in word and any(ch.isalpha() for ch in word)


def _files_meant_by(word: str, folder: Path) -> list[Path]:
    """Return the files meant by a name in a VRT: a path, one in an archive, or a driver's ``NETCDF:"file.nc":band``."""
    pieces = [word, *re.findall(r'"([^"]+)"', word)]
    split = word.split(":")
    if 2 <= len(split) <= 6:
        pieces += [":".join(split[a:b]) for a in range(len(split)) for b in range(a + 1, len(split) + 1)]
    out = []
    for piece in pieces:
        inside = _ARCHIVE.match(piece)
        inner = Path(piece[inside.end() :] if inside else piece)
        for place in (inner, *(inner.parents if inside else ())):
            try:
                hits = [p for p in (folder / place, place) if p.name and p.is_file()]
            except (OSError, ValueError):
                hits = []
            if hits:
                out.append(hits[0])
                break
    return out


class Watch:
    """Input files as they were when reading began; tells whether they still are.

    Parameters
    ----------
    paths : iterable of Path
        As configured; each stands for its :func:`parts_of`.
    """

    def __init__(self, paths: Iterable[Path]) -> None:
        self._roots = tuple(paths)
        self._seen: dict[Path, Signature | None] = {part: signature(part) for part in self._parts()}
        # Reading a database that another program left open finishes that program's writing.
        self._journalled = {
            file for part in self._seen for end in _JOURNALS if part.name.endswith(end) for file in (part, _owner(part))
        }
        self._touched = 0
        self._lock = threading.Lock()

    def _parts(self) -> Sequence[Path]:
        return list(dict.fromkeys(part.absolute() for root in self._roots for part in parts_of(root)))

    def check(self) -> int:
        """Compare the files with what they were.

        Returns
        -------
        int
            How often a file was found written again with the same contents; what was read while this number rose may
            have come from other ones.

        Raises
        ------
        ChangedError
            A file was replaced, changed or removed.
        """
        with self._lock:
            for path, before in self._seen.items():
                now = signature(path)
                if now != before:
                    self._settle(path, before, now)
            return self._touched

    def check_all(self) -> None:
        """Compare the files, and look for ones that appeared beside them since.

        Raises
        ------
        ChangedError
        """
        self.check()
        for part in self._parts():
            if part not in self._seen:
                raise _changed_error(part, Text("it was not there when the run began", "运行开始时该文件尚不存在"))

    def _settle(self, path: Path, before: Signature | None, now: Signature | None) -> None:
        if path in self._journalled:
            self._journalled.discard(path)
        elif now is None:
            raise _changed_error(path, Text("it is gone", "文件已不存在"))
        else:
            known = _known.get(path)
            if known is None or known.signature != before or sha256_of(path) != known.sha256:
                raise _changed_error(path, Text("other contents than when the run began", "内容与运行开始时不同"))
            self._touched += 1
        self._seen[path] = now


def _owner(journal: Path) -> Path:
    return journal.with_name(journal.name.rpartition("-")[0])


def _changed_error(path: Path, found: Text) -> ChangedError:
    return ChangedError(
        Text("an input file was changed while the run was reading it", "运行读取期间，输入文件被更改"),
        where=str(path),
        found=found,
        kept=Text("tiles finished before the change, for the files as they were", "更改前已完成的分块（对应原文件）"),
        mend=Text(
            "run again once nothing writes to the file any more; results of two versions are never mixed",
            "待无程序改写该文件后重新运行；不同版本文件的结果不会混用",
        ),
    )
