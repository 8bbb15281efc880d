"""Finished tiles on disk: each one file that says whose it is and whether it is whole."""

from __future__ import annotations

import hashlib
import io
import os
import re
import shutil
from dataclasses import fields
from pathlib import Path

import numpy as np
import pandas as pd

from rooftop.core.grid import Tile
from rooftop.core.lang import Text
from rooftop.core.notices import Notice
from rooftop.job.module_years import TileModules
from rooftop.job.tile import TileCells, TileResult
from rooftop.outputs.files import (
    PREFIX,
    free_name,
    is_link,
    link_in_the_way,
    storage_errors,
    write_at_once,
)
from rooftop.scene.relaid import MovedPlanes

_FORMAT = "rooftop-tile-2"
_KEY = re.compile(r"[0-9a-f]{16}")
_OURS = (".tile", ".parquet", ".npz", ".npy", ".part")  # the latter four of earlier versions
_CELL_FIELDS = ("lattice_row", "lattice_col", "poa_annual_kwh_m2", "svf", "shading_loss")
_MONTHS = "poa_monthly_kwh_m2"  # only when asked for
_MOVED_FIELDS = tuple(field.name for field in fields(MovedPlanes))
_MODULE_FIELDS = tuple(field.name for field in fields(TileModules))


class TileStore:
    """Finished tiles on disk, under the fingerprint of the run that made them.

    Parameters
    ----------
    folder : Path
        The run's hidden tile folder; tiles under other fingerprints in it are stale and removed.
    key : str
        From :func:`rooftop.job.batch.fingerprint`.
    fresh : bool
        Forget tiles under this fingerprint too.

    Attributes
    ----------
    damaged : list of str
        Names of tiles found that are not whole, or not what their name says; they are as good as absent.
    set_aside : list of Path
        New names of what lay where folders and tiles go.

    Raises
    ------
    StorageError
        A link lies where the tiles go, or the folder cannot be written.
    """

    def __init__(self, folder: Path, key: str, *, fresh: bool = False) -> None:
        self.folder = folder / key
        self.key = key
        self.damaged: list[str] = []
        self.set_aside: list[Path] = []
        for place in (folder, self.folder):
            if is_link(place):
                raise link_in_the_way(place)
            if os.path.lexists(place) and not place.is_dir():
                self._move_aside(place)
        with storage_errors(folder):
            for stale in folder.iterdir() if folder.is_dir() else ():
                is_tile_folder = _KEY.fullmatch(stale.name) and stale.is_dir() and not is_link(stale)
                if is_tile_folder and (fresh or stale.name != key):
                    _remove_tiles(stale)
            self.folder.mkdir(parents=True, exist_ok=True)

    def load(self, tile: Tile) -> TileResult | None:
        """Return a finished tile; None where there is none, or none that is whole."""
        path = self._path(tile)
        try:
            result = _tile_of_bytes(path.read_bytes(), self.key, tile.name)
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, EOFError):
            result = None
        if result is None:
            self.damaged.append(tile.name)
            if path.is_dir():
                self._move_aside(path)
        return result

    def save(self, tile: Tile, result: TileResult) -> None:
        """Write a tile, at once.

        Raises
        ------
        StorageError
        """
        write_at_once(self._path(tile), lambda path: path.write_bytes(_bytes_of_tile(result, self.key, tile.name)))

    def notices(self) -> tuple[Notice, ...]:
        """Say which kept tiles could not be used, and what got another name."""
        notices = []
        if self.damaged:
            n, names = len(self.damaged), tuple(self.damaged[:5])
            more = " …" if n > 5 else ""
            text = Text(
                f"kept tiles that were damaged, and were computed again: {n} ({', '.join(names)}{more})",
                f"已保存的分块文件损坏 {n} 个，已重新计算（{'、'.join(names)}{more}）",
            )
            notices.append(Notice("tiles_damaged", text, n, "warning", "tiles", names))
        if self.set_aside:
            names = tuple(path.name for path in self.set_aside)
            text = Text(
                f"lay where kept tiles go, and was renamed to: {', '.join(names)}",
                f"占用了分块的保存位置，已改名为：{'、'.join(names)}",
            )
            notices.append(Notice("tiles_place_taken", text, len(names), "warning", "tiles", names[:5]))
        return tuple(notices)

    def _path(self, tile: Tile) -> Path:
        return self.folder / f"{tile.name}.tile"

    def _move_aside(self, path: Path) -> None:
        with storage_errors(path):
            self.set_aside.append(path.rename(free_name(path, "aside")))


def _remove_tiles(folder: Path) -> None:
    """Remove the tiles of a folder, and the folder if nothing else lies in it."""
    for entry in folder.iterdir():
        if entry.suffix in _OURS and (entry.is_file() or is_link(entry)):
            entry.unlink()
        elif entry.name.startswith(PREFIX) and entry.is_dir() and not is_link(entry):
            shutil.rmtree(entry)
    if not any(folder.iterdir()):
        folder.rmdir()


def _bytes_of_tile(result: TileResult, key: str, name: str) -> bytes:
    """Return a tile as bytes: a line with format, key, name, length and checksum, then the arrays (NPZ)."""
    planes = result.planes
    arrays = {"index": planes.index.to_numpy(), "columns": np.array([str(c) for c in planes.columns])}
    arrays |= {f"column_{k}": planes.iloc[:, k].to_numpy() for k in range(planes.shape[1])}
    if result.cells is not None:
        cells = {name: getattr(result.cells, name) for name in (*_CELL_FIELDS, _MONTHS)}
        arrays |= {name: values for name, values in cells.items() if values is not None}
    if result.modules is not None:
        arrays |= {f"module_{name}": getattr(result.modules, name) for name in _MODULE_FIELDS}
    if result.moved is not None:
        arrays |= {f"moved_{name}": getattr(result.moved, name) for name in _MOVED_FIELDS}
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **arrays)
    body = buffer.getvalue()
    return f"{_head(body, key, name)}\n".encode() + body


def _head(body: bytes, key: str, name: str) -> str:
    fields = f"{_FORMAT} {key} {name} {len(body)}"
    return f"{fields} {hashlib.sha256(fields.encode() + body).hexdigest()}"


def _tile_of_bytes(blob: bytes, key: str, name: str) -> TileResult | None:
    """Return the tile that bytes hold; None where they are not this tile, whole."""
    head, _, body = blob.partition(b"\n")
    if head != _head(body, key, name).encode():
        return None
    with np.load(io.BytesIO(body), allow_pickle=False) as arrays:
        columns = {str(c): arrays[f"column_{k}"] for k, c in enumerate(arrays["columns"])}
        cells = None
        if _CELL_FIELDS[0] in arrays:
            cells = TileCells(**{f: arrays[f] for f in (*_CELL_FIELDS, _MONTHS) if f in arrays})
        planes = pd.DataFrame(columns, index=pd.Index(arrays["index"]))
        modules = None
        if f"module_{_MODULE_FIELDS[0]}" in arrays:
            modules = TileModules(**{name: arrays[f"module_{name}"] for name in _MODULE_FIELDS})
        moved = None
        if f"moved_{_MOVED_FIELDS[0]}" in arrays:
            moved = MovedPlanes(**{name: arrays[f"moved_{name}"] for name in _MOVED_FIELDS})
        return TileResult(planes=planes, cells=cells, modules=modules, moved=moved)
