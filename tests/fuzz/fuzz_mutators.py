"""Damage, reproducible from a seed: bytes turned, cut, doubled, swapped; fields that hold what they cannot."""

from __future__ import annotations

import copy
import gzip
import io
import json
import re
import sqlite3
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow
import pyarrow.parquet
import rasterio
import rasterio.io
import yaml
from affine import Affine

Rng = np.random.Generator
NASTY: tuple[Any, ...] = (
    None,
    True,
    False,
    0,
    -1,
    -0.0,
    1,
    2**31,
    2**63,
    -(2**64),
    10**30,
    1e308,
    1e-320,
    float("nan"),
    float("inf"),
    -float("inf"),
    "",
    " ",
    "NaN",
    "nan",
    "null",
    "1e999",
    "9" * 5000,
    "-9" * 200,
    "0x1F",
    "１２",
    "12,5",
    "3 m",
    "6+1",
    "x" * 100_000,
    "a\x00b",
    "\ud800",
    "é\u202e\u200f",
    "💥" * 50,
    "=1+1",
    "../../etc",
    "http://127.0.0.1:9/x",
    "9999-99-99",
    "2021-02-30",
    "0000-00-00",
    [],
    {},
    [[]],
    [1, 2, 3],
    ["a", "b"],
    {"a": {"b": [1]}},
    [None],
    [[[[[[[[1]]]]]]]],
)


def pick(rng: Rng, items: Any) -> Any:
    """Return one of several things."""
    return items[int(rng.integers(len(items)))]


# --- bytes -----------------------------------------------------------------------------------------------------------


def _flip(data: bytearray, rng: Rng) -> None:
    for _ in range(int(rng.integers(1, 8))):
        data[int(rng.integers(len(data)))] ^= 1 << int(rng.integers(8))


def _at_the_front(data: bytearray, rng: Rng) -> None:
    """Headers are where the harm is done."""
    for _ in range(int(rng.integers(1, 6))):
        data[int(rng.integers(min(len(data), 512)))] = int(pick(rng, (0, 1, 0x7F, 0x80, 0xFF, int(rng.integers(256)))))


def _cut(data: bytearray, rng: Rng) -> None:
    del data[int(len(data) * float(pick(rng, (0.0, 0.01, 0.5, 0.9, 0.99, rng.random())))) :]


def _cut_front(data: bytearray, rng: Rng) -> None:
    del data[: int(rng.integers(1, max(2, len(data) // 4)))]


def _hole(data: bytearray, rng: Rng) -> None:
    a, b = sorted(int(v) for v in rng.integers(0, len(data) + 1, 2))
    del data[a:b]


def _double(data: bytearray, rng: Rng) -> None:
    a, b = sorted(int(v) for v in rng.integers(0, len(data) + 1, 2))
    data[a:a] = data[a:b]


def _swap(data: bytearray, rng: Rng) -> None:
    size = max(1, int(rng.integers(1, max(2, len(data) // 4))))
    a, b = (int(v) for v in rng.integers(0, max(1, len(data) - size), 2))
    data[a : a + size], data[b : b + size] = data[b : b + size], data[a : a + size]


def _zero(data: bytearray, rng: Rng) -> None:
    a, b = sorted(int(v) for v in rng.integers(0, len(data) + 1, 2))
    data[a:b] = bytes([int(pick(rng, (0, 0xFF)))]) * (b - a)


def _word(data: bytearray, rng: Rng) -> None:
    """Write a count or an offset that cannot be."""
    size = int(pick(rng, (2, 4, 8)))
    value = int(pick(rng, (0, 1, 2 ** (8 * size) - 1, 2 ** (8 * size - 1) - 1, 2 ** (8 * size - 1), 2 ** (4 * size))))
    at = int(rng.integers(min(len(data), 4096)))
    data[at : at + size] = value.to_bytes(size, pick(rng, ("little", "big")))


def _insert(data: bytearray, rng: Rng) -> None:
    at = int(rng.integers(len(data) + 1))
    data[at:at] = bytes(
        pick(
            rng,
            (b"\x00", b"\r", b"\n\n", b'"', b"\xff\xfe", b"\xef\xbb\xbf", b"{" * 3000, b"<!--", b"&a;", b"\x1a" * 9),
        )
    )


BYTES: tuple[Callable[[bytearray, Rng], None], ...] = (
    _flip,
    _flip,
    _at_the_front,
    _at_the_front,
    _cut,
    _cut,
    _cut_front,
    _hole,
    _double,
    _swap,
    _zero,
    _word,
    _word,
    _insert,
)


def damage_bytes(data: bytes, rng: Rng) -> bytes:
    """Return damaged bytes."""
    out = bytearray(data)
    for _ in range(int(pick(rng, (1, 1, 2, 3)))):
        if not out:
            break
        pick(rng, BYTES)(out, rng)
    return bytes(out)


# --- trees -----------------------------------------------------------------------------------------------------------


def _places(node: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the path of everything in a tree but its root."""
    pairs = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in pairs:
        yield (*at, key)
        yield from _places(value, (*at, key))


def damage_tree(tree: Any, rng: Rng) -> Any:
    """Return a tree with some of its values replaced, dropped, doubled or moved."""
    tree = copy.deepcopy(tree)
    for _ in range(int(pick(rng, (1, 1, 1, 2, 4)))):
        places = list(_places(tree))
        if not places:
            break
        # Each depth is as likely as another: leaves are many, and the harm lies above them.
        depth = pick(rng, sorted({len(p) for p in places}))
        *front, last = pick(rng, [p for p in places if len(p) == depth])
        parent = tree
        for key in front:
            parent = parent[key]
        what = int(rng.integers(6))
        if what == 0:
            del parent[last]
        elif what == 1 and isinstance(parent, list):
            parent.insert(last, copy.deepcopy(parent[last]))
        elif what == 2 and isinstance(parent[last], list):
            parent[last] = parent[last][: int(rng.integers(len(parent[last]) + 1))]
        elif what == 3 and isinstance(parent, dict):
            other = pick(rng, list(parent))
            parent[last], parent[other] = parent[other], parent[last]
        elif what == 4 and isinstance(parent[last], int | float):
            parent[last] = parent[last] * float(pick(rng, (-1, 0, 1e3, 1e-3, 1e300)))
        else:
            parent[last] = copy.deepcopy(pick(rng, NASTY))
    return tree


def _json_bytes(tree: Any) -> bytes:
    return json.dumps(tree, ensure_ascii=True).encode()


def damage_json(data: bytes, rng: Rng) -> bytes:
    """Damage a JSON file as a tree."""
    return _json_bytes(damage_tree(json.loads(data), rng))


def damage_gzip(data: bytes, rng: Rng) -> bytes:
    """Damage what is packed."""
    inner = gzip.decompress(data)
    return gzip.compress(pick(rng, (damage_json, damage_bytes))(inner, rng), mtime=0)


_BOMB = "\n".join(
    [
        "a: &a [x, x]",
        *(f"{k}: &{k} [{', '.join([f'*{j}'] * 8)}]" for j, k in zip("abcd", "bcde", strict=True)),
        "name: [*e, *e]",
    ]
)
_YAML = (
    "{k}: &a [*a]",
    "{k}: 2021-13-45",
    "{k}: 0001-01-01 25:61:61",
    "{k}: " + "9" * 5000,
    "{k}: " + "[" * 2000,
    "{k}: !!python/object:os.system ls",
    "{k}: !!binary x",
    "{k}: !!float abc",
    "{k}: !!int ''",
    "{k}: !!timestamp no",
    "? [1, 2]\n: 3",
    "{k}: .nan",
    "{k}: .inf",
    "{k}: 1e400",
    "{k}: \x07",
    "<<: *none",
    "<<: 3",
    "{k}: !!set {a, b}",
    "{k}: !!omap [a]",
    "{k}: |2\n x",
    "- x",
    "{k}: 0o17",
    "{k}: 1_000",
    "{k}: 190:20:30.15",
    _BOMB,
)


def damage_yaml(data: bytes, rng: Rng) -> bytes:
    """Damage a configuration: its tree, or one of its lines."""
    if rng.random() < 0.6:
        tree = damage_tree(yaml.safe_load(data), rng)
        try:
            return yaml.safe_dump(tree, allow_unicode=True).encode("utf-8", errors="surrogatepass")
        except yaml.YAMLError:
            return _json_bytes(tree)
    lines = data.decode().splitlines()
    at = int(rng.integers(len(lines)))
    indent = re.match(r"\s*", lines[at])
    key = lines[at].split(":")[0].strip("- ")
    lines[at] = (indent.group() if indent else "") + pick(rng, _YAML).replace("{k}", key or "name")
    return "\n".join(lines).encode("utf-8", errors="surrogatepass")


# --- tables, text ----------------------------------------------------------------------------------------------------


def damage_table(data: bytes, rng: Rng) -> bytes:
    """Damage cells, rows and columns of a comma-separated file."""
    rows = [line.split(",") for line in data.decode().splitlines()]
    for _ in range(int(pick(rng, (1, 1, 2, 5)))):
        r = int(rng.integers(min(len(rows), int(pick(rng, (3, 12, len(rows)))))))
        c = int(rng.integers(len(rows[r])))
        what = int(rng.integers(9))
        if what == 0:
            del rows[r]
        elif what == 1:
            rows.insert(r, list(rows[r]))
        elif what == 2:
            del rows[r][c]
        elif what == 3:
            rows[r].insert(c, pick(rng, ("", "x", '"', '"a,b', "\r", "\x00")))
        elif what == 4:
            first = min(r + 1, len(rows) - 1)
            for row in rows[first:]:
                if c < len(row):
                    row[c] = str(pick(rng, NASTY))[:40]
        elif what == 5:
            d = int(rng.integers(len(rows[r])))
            for row in rows:
                if max(c, d) < len(row):
                    row[c], row[d] = row[d], row[c]
        elif what == 6:
            rows[r:] = rows[r : r + 1]
        else:
            rows[r][c] = str(pick(rng, NASTY))
        if not rows or not any(rows):
            break
        rows = [row or [""] for row in rows]
    return "\n".join(",".join(row) for row in rows).encode("utf-8", errors="surrogatepass")


def damage_text(data: bytes, rng: Rng) -> bytes:
    """Damage words of a text file."""
    words = re.split(r"(\s+)", data.decode())
    for _ in range(int(pick(rng, (1, 2, 4)))):
        at = int(rng.integers(min(len(words), int(pick(rng, (26, len(words)))))))
        words[at] = str(pick(rng, NASTY))
    return "".join(words).encode("utf-8", errors="surrogatepass")


_TEN = "".join("&{};" for _ in range(10))
_ENTITIES = (
    '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "' + _TEN.format(*"a" * 10) + '"><!ENTITY c "'
    + _TEN.format(*"b" * 10) + '">]>'
)  # fmt: skip


def damage_xml(data: bytes, rng: Rng) -> bytes:
    """Damage tags, attributes and text of an XML file."""
    text = data.decode("utf-8", errors="replace")
    for _ in range(int(pick(rng, (1, 1, 2)))):
        numbers = list(re.finditer(r"(?<=[\">, ])-?\d[\d.]*(?=[\"<, ])", text))
        tags = list(re.finditer(r"<[^>]+>", text))
        what = int(rng.integers(5))
        if what == 0:
            text = text.replace("?>", "?>" + _ENTITIES, 1) if "?>" in text else _ENTITIES + text
        elif what == 1 and tags:
            hit = pick(rng, tags)
            text = text[: hit.start()] + text[hit.end() :]
        elif what == 2 and tags:
            a, b = sorted((pick(rng, tags).start(), pick(rng, tags).start()))
            text = text[:b] + text[a:b] + text[b:]
        elif numbers:
            hit = pick(rng, numbers)
            text = text[: hit.start()] + str(pick(rng, NASTY))[:6000] + text[hit.end() :]
    return text.encode("utf-8", errors="surrogatepass")


def damage_zip(data: bytes, rng: Rng) -> bytes:
    """Damage one member of a zip file, as XML or as bytes, or leave it out."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as before, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as after:
        names = before.namelist()
        sheets = [n for n in names if "sheet" in n or "shared" in n.lower() or n.endswith("workbook.xml")]
        hit, how = pick(rng, sheets or names), int(rng.integers(4))
        for name in names:
            inner = before.read(name)
            if name == hit:
                if how == 0:
                    continue
                inner = damage_bytes(inner, rng) if how == 1 else damage_xml(inner, rng)
            after.writestr(name, inner)
    return out.getvalue()


# --- databases -------------------------------------------------------------------------------------------------------


def damage_sqlite(data: bytes, rng: Rng) -> bytes:
    """Damage values of a GeoPackage: cells, geometries, what its own tables say."""
    connection = sqlite3.connect(":memory:")
    connection.deserialize(data)
    connection.execute("PRAGMA writable_schema=ON")
    listed = "SELECT name FROM sqlite_master WHERE type='table' AND name NOT LIKE 'rtree%' AND name NOT LIKE 'sqlite%'"
    names = [row[0] for row in connection.execute(listed)]
    for trigger in [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type='trigger'")]:
        connection.execute(f'DROP TRIGGER "{trigger}"')
    for _ in range(int(pick(rng, (1, 1, 2, 4)))):
        table = pick(rng, [n for n in names if n == "town"] * 4 + names)
        columns = [row[1] for row in connection.execute(f'PRAGMA table_info("{table}")')]
        column = pick(rng, columns)
        rows = connection.execute(f'SELECT rowid, "{column}" FROM "{table}"').fetchall()
        if not rows:
            continue
        row, value = pick(rng, rows)
        if isinstance(value, bytes) and rng.random() < 0.8:
            new: Any = damage_bytes(value, rng)
        else:
            new = pick(rng, [v for v in NASTY if not isinstance(v, list | dict)] + [b"\x00\xff", b"GP\x00\x01"])
            if (isinstance(new, int) and abs(new) >= 2**63) or (isinstance(new, str) and "\ud800" in new):
                new = str(new).encode("utf-8", errors="surrogatepass")
        everywhere = rng.random() < 0.2
        try:
            where, values = ("", (new,)) if everywhere else ("WHERE rowid=?", (new, row))
            connection.execute(f'UPDATE "{table}" SET "{column}"=? {where}', values)
        except sqlite3.Error:
            continue
    connection.commit()
    damaged = connection.serialize()
    connection.close()
    return damaged


# --- rasters, clouds, columns ----------------------------------------------------------------------------------------

_WILD = (float("nan"), float("inf"), -float("inf"), 0.0, -9999.0, 1e30, -1e30, 3.4e38, 1e-30, 255.0, 1e5)


def damage_tif(data: bytes, rng: Rng) -> bytes:
    """Damage cells, type, nodata, bands, CRS or place of a GeoTIFF."""
    with rasterio.io.MemoryFile(data) as file, file.open() as source:
        cells, profile = source.read().astype("float64"), source.profile
    for _ in range(int(pick(rng, (1, 1, 2, 3)))):
        what = int(rng.integers(8))
        if what == 0:
            cells[rng.random(cells.shape) < float(pick(rng, (0.001, 0.1, 0.9, 1.0)))] = float(pick(rng, _WILD))
        elif what == 1:
            cells = cells * float(pick(rng, (-1, 0, 1e-3, 3.28, 1e3, 1e12)))
        elif what == 2:
            profile["nodata"] = pick(rng, (None, float("nan"), 0, 20, -9999, 255))
        elif what == 3:
            profile["dtype"] = pick(rng, ("uint8", "int16", "uint32", "float64", "complex64"))
        elif what == 4:
            cells = cells[[int(k) for k in rng.integers(0, len(cells), int(rng.integers(1, 4)))]]
        elif what == 5:
            profile["crs"] = pick(
                rng, (None, "EPSG:4326", "EPSG:3857", "EPSG:4979", "EPSG:2263", "EPSG:32733", "EPSG:5041")
            )
        elif what == 6:
            turned = Affine.translation(*rng.uniform(-1, 1, 2)) * Affine.rotation(float(pick(rng, (0, 30, 180))))
            size = pick(rng, (1e-12, 1e-3, 1.0, 1e3, 1e12, -1.0, 0.0))
            profile["transform"] = pick(
                rng, (Affine.identity(), profile["transform"] * turned * Affine.scale(size or 1e-300))
            )
        else:
            cells = cells[:, : int(rng.integers(1, cells.shape[1] + 1)), : int(rng.integers(1, cells.shape[2] + 1))]
    profile.update(count=cells.shape[0], height=cells.shape[1], width=cells.shape[2], tiled=False)
    profile.pop("blockxsize", None), profile.pop("blockysize", None)
    kind = np.dtype(profile["dtype"])
    if kind.kind in "iu":
        low, high = np.iinfo(kind).min, np.iinfo(kind).max
        cells = np.clip(np.nan_to_num(cells), low, high)
        if profile["nodata"] is None or not low <= profile["nodata"] <= high:
            profile["nodata"] = None
    with rasterio.io.MemoryFile() as file, np.errstate(all="ignore"):
        with file.open(**profile) as out:
            out.write(cells.astype(kind))
        return bytes(file.read())


def damage_cloud(data: bytes, rng: Rng) -> bytes:
    """Damage points and header of a LAS or LAZ file."""
    import laspy

    points = laspy.read(io.BytesIO(data))
    n = len(points.points)
    for _ in range(int(pick(rng, (1, 1, 2, 3)))):
        what, hit = int(rng.integers(7)), rng.random(n) < float(pick(rng, (0.001, 0.1, 0.9, 1.0)))
        if what == 0:
            points.Z[hit] = int(pick(rng, (0, -(2**31), 2**31 - 1, 10**6)))
        elif what == 1:
            points.X[hit] = int(pick(rng, (0, -(2**31), 2**31 - 1, 10**6)))
        elif what == 2:
            points.classification = np.where(hit, int(rng.integers(0, 32)), points.classification)
        elif what == 3:
            points.withheld[:] = hit
        elif what == 4:
            points.points = points.points[: int(rng.integers(0, n + 1))]
            n = len(points.points)
        elif what == 5:
            points.return_number = np.where(hit, int(rng.integers(0, 16)), points.return_number)
        else:
            points.header.scales = points.header.scales * float(pick(rng, (1e-9, 10.0, 1e6, -1.0)))
    out = io.BytesIO()
    points.write(out, do_compress=data[104] & 0x80 != 0)
    return out.getvalue()


def damage_columns(data: bytes, rng: Rng) -> bytes:
    """Damage columns of a Parquet file: their types, their values, what the file says of its geometries."""
    table = pyarrow.parquet.read_table(io.BytesIO(data))
    for _ in range(int(pick(rng, (1, 1, 2)))):
        k, n = int(rng.integers(table.num_columns)), table.num_rows
        name, what = table.column_names[k], int(rng.integers(6))
        if what == 0:
            table = table.drop_columns([name]) if table.num_columns > 1 else table
        elif what == 1:
            kinds = (
                pyarrow.nulls(n), pyarrow.array([[1, None]] * n), pyarrow.array([{"a": 1}] * n),
                pyarrow.array([b"\xff\x00"] * n),
                pyarrow.array([True] * n), pyarrow.array([2**63 + k for k in range(n)], pyarrow.uint64()),
                pyarrow.array([float("nan")] * n), pyarrow.array(["x"] * n).dictionary_encode(),
                pyarrow.array([10**9 * k for k in range(n)], pyarrow.duration("ns")),
            )  # fmt: skip
            table = table.set_column(k, name, pick(rng, kinds))
        elif what == 2:
            rows = [int(r) for r in rng.integers(0, max(n, 1), int(pick(rng, (0, 1, n, 3 * n))))] if n else []
            table = table.take(rows)
        elif what == 3 and pyarrow.types.is_binary(table.schema.field(k).type):
            values = [damage_bytes(v, rng) if v and rng.random() < 0.3 else v for v in table.column(k).to_pylist()]
            table = table.set_column(k, name, pyarrow.array(values, pyarrow.binary()))
        else:
            about = dict(table.schema.metadata or {})
            if b"geo" in about:
                about[b"geo"] = _json_bytes(damage_tree(json.loads(about[b"geo"]), rng))
                table = table.replace_schema_metadata(about)
    out = io.BytesIO()
    pyarrow.parquet.write_table(table, out)
    return out.getvalue()


SYNTAX: dict[str, Callable[[bytes, Rng], bytes]] = {
    "json": damage_json, "gzip": damage_gzip, "yaml": damage_yaml, "table": damage_table, "text": damage_text,
    "xml": damage_xml, "zip": damage_zip, "sqlite": damage_sqlite, "binary": damage_bytes,
    "tif": damage_tif, "cloud": damage_cloud, "columns": damage_columns,
}  # fmt: skip


def damage(path: Path, syntax: str, rng: Rng) -> None:
    """Damage a file in place: half of the time by its syntax, else by its bytes."""
    data = path.read_bytes()
    work = SYNTAX[syntax] if rng.random() < 0.6 else damage_bytes
    path.write_bytes(work(data, rng))
