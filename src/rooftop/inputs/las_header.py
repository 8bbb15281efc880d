"""What the header of a LAS or LAZ file claims, held against the size of the file before anything is read by it.

ASPRS LAS 1.4 R15, public header block and variable length records; the LASzip record of M. Isenburg (LASzip, 2013).
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

_LONGEST = 375  # header of LAS 1.4
_SIZES = {"1.0": 227, "1.1": 227, "1.2": 227, "1.3": 235, "1.4": 375}
_RECORDS = (20, 28, 26, 34, 57, 63, 30, 36, 38, 59, 67)  # bytes of a point of each format
_VLR, _EVLR = 54, 60
_LASZIP = (b"laszip encoded", 22204)
_VARIABLE = 0xFFFFFFFF
_LARGEST_CHUNK = 10_000_000  # points; LASzip writes 50 000


class HeaderError(ValueError):
    """The header claims what the file cannot hold."""


@dataclass(frozen=True)
class LasHead:
    """The claims that reading depends on."""

    size: int
    points_at: int
    n_vlrs: int
    header_size: int
    record: int
    n_points: int
    packed: bool


def check_header(path: Path) -> None:
    """Hold the claims of a header against the file.

    Raises
    ------
    HeaderError
        With what does not fit, in a few words.
    OSError
        The file cannot be read.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        head = _parse_head(file.read(_LONGEST), size)
        if head.packed:
            _check_laszip(file, head)
        elif head.points_at + head.n_points * head.record > size:
            held = (size - head.points_at) // head.record
            raise HeaderError(f"{head.n_points:,} points stated, {held:,} in the file")


def _parse_head(data: bytes, size: int) -> LasHead:
    if len(data) < _SIZES["1.0"] or data[:4] != b"LASF":
        raise HeaderError("no LAS header")
    version = f"{data[24]}.{data[25]}"
    if version not in _SIZES or len(data) < _SIZES[version]:
        raise HeaderError(f"LAS {version}")
    header_size, points_at, n_vlrs, kind, record, n_points = struct.unpack_from("<HIIBHI", data, 94)
    if version == "1.4":
        evlr_at, n_evlrs, n_points = struct.unpack_from("<QIQ", data, 235)
        if n_evlrs and evlr_at + n_evlrs * _EVLR > size:
            raise HeaderError(f"{n_evlrs:,} extended records from byte {evlr_at:,} of {size:,} on")
    if not _SIZES[version] <= header_size <= points_at <= size:
        raise HeaderError(f"header of {header_size:,} bytes, points from byte {points_at:,} of {size:,} on")
    if header_size + n_vlrs * _VLR > points_at:
        raise HeaderError(f"{n_vlrs:,} records in {points_at - header_size:,} bytes")
    number = kind & 0x3F
    if number >= len(_RECORDS) or record < _RECORDS[number]:
        raise HeaderError(f"point format {number} of {record} bytes")
    numbers = struct.unpack_from("<12d", data, 131)  # scales, offsets, and high and low of each axis
    if not all(map(math.isfinite, numbers)) or 0.0 in numbers[:3]:
        raise HeaderError("scale, offset or extent is no number")
    if any(high < low for high, low in zip(numbers[6::2], numbers[7::2], strict=True)):
        raise HeaderError("the extent ends before it begins")
    return LasHead(size, points_at, n_vlrs, header_size, record, n_points, bool(kind & 0xC0))


def _check_laszip(file: BinaryIO, head: LasHead) -> None:
    chunk_size, items = _laszip(file, head)
    if items != head.record:
        raise HeaderError(f"points of {items} bytes in records of {head.record}")
    if not 0 < chunk_size <= _LARGEST_CHUNK and chunk_size != _VARIABLE:
        raise HeaderError(f"chunks of {chunk_size:,} points")
    file.seek(head.points_at)
    (table_at,) = struct.unpack("<q", _read_exactly(file, 8))
    if table_at == -1:  # written to a stream: the last bytes tell
        file.seek(head.size - 8)
        (table_at,) = struct.unpack("<q", _read_exactly(file, 8))
    if not head.points_at + 8 <= table_at <= head.size - 8:
        raise HeaderError(f"table of chunks at byte {table_at:,} of {head.size:,}")
    file.seek(table_at)
    _, n_chunks = struct.unpack("<II", _read_exactly(file, 8))
    most = table_at - head.points_at - 8
    if n_chunks > most or (chunk_size != _VARIABLE and n_chunks != math.ceil(head.n_points / chunk_size)):
        raise HeaderError(f"{n_chunks:,} chunks in {most:,} bytes for {head.n_points:,} points")


def _laszip(file: BinaryIO, head: LasHead) -> tuple[int, int]:
    """Return points per chunk and bytes per point, as the LASzip record has them."""
    file.seek(head.header_size)
    for _ in range(head.n_vlrs):
        _, user, number, length = struct.unpack_from("<H16sHH", _read_exactly(file, _VLR))
        data = _read_exactly(file, length)
        if (user.rstrip(b"\0"), number) == _LASZIP:
            (chunk_size,) = struct.unpack_from("<I", data, 12)
            (n_items,) = struct.unpack_from("<H", data, 32)
            sizes = [struct.unpack_from("<H", data, 34 + 6 * k + 2)[0] for k in range(n_items)]
            return int(chunk_size), sum(sizes)
    raise HeaderError("no LASzip record")


def _read_exactly(file: BinaryIO, n: int) -> bytes:
    data = file.read(n)
    if len(data) < n:
        raise HeaderError("the file ends in its header")
    return data
