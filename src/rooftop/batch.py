"""Tiles as units of work: executors (threads, Dask), resume from what is on disk, failures named."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import shapely

from rooftop.errors import InputError
from rooftop.grid import Tile
from rooftop.potential import Scene, TableBook, TileCells, TileResult, compute_tile

_log = logging.getLogger(__name__)

Progress = Callable[[int, int], None]
_CELL_FIELDS = ("lattice_row", "lattice_col", "poa_annual_kwh_m2", "svf", "shading_loss")
_MONTHS = ("poa_monthly_kwh_m2",)  # only when asked for


@dataclass(frozen=True)
class TileFailure:
    """A tile that could not be computed, and why."""

    tile: Tile
    error: str


@dataclass(frozen=True)
class BatchResult:
    """What a batch of tiles gave.

    Parameters
    ----------
    results : dict of Tile to TileResult
        In the order of the tiles asked for, whatever order they finished in.
    failures : tuple of TileFailure
    n_resumed : int
        Tiles taken from disk.
    """

    results: dict[Tile, TileResult]
    failures: tuple[TileFailure, ...]
    n_resumed: int


def fingerprint(scene: Scene, book: TableBook, extra: dict[str, str]) -> str:
    """Hash everything that a tile's result depends on; `extra` holds the hashes of rasters and the version."""
    digest = hashlib.sha256()
    digest.update(shapely.to_wkb(shapely.GeometryCollection(list(scene.blocks.geometry))))
    for array in (scene.blocks.top_m, scene.blocks.base_m, scene.factor, scene.convergence_deg):
        digest.update(np.ascontiguousarray(array, dtype=np.float64).tobytes())
    for frame in (scene.planes[["roof", "side", "axis_grid_deg", "known"]], scene.variants):
        digest.update(pd.util.hash_pandas_object(frame, index=False).to_numpy().tobytes())
    if scene.relief is not None:
        digest.update(shapely.to_wkb(shapely.GeometryCollection(list(scene.relief.geometry))))
        for item in fields(scene.relief):
            value = getattr(scene.relief, item.name)
            if item.name != "geometry":
                digest.update(np.ascontiguousarray(value, dtype=np.float64).tobytes())
    if scene.places is not None:
        for item in fields(scene.places):
            digest.update(np.ascontiguousarray(getattr(scene.places, item.name)).tobytes())
    for item in fields(book.sky):
        value = getattr(book.sky, item.name)
        digest.update(value.tobytes() if isinstance(value, np.ndarray) else repr(value).encode())
    parts = [
        repr(scene.orientations),
        repr(book.system),
        scene.options.model_dump_json(),
        f"{scene.keep_cells} {scene.keep_months} {scene.keep_lit}",
    ]
    digest.update(json.dumps([*parts, scene.max_shading_loss, scene.min_poa_kwh_m2, sorted(extra.items())]).encode())
    return digest.hexdigest()[:16]


class TileStore:
    """Finished tiles on disk, under the fingerprint of the run that made them.

    Parameters
    ----------
    folder : Path
        The run's hidden tile folder; other fingerprints in it are stale and removed.
    key : str
        From :func:`fingerprint`.
    """

    def __init__(self, folder: Path, key: str, *, fresh: bool = False) -> None:
        self.folder = folder / key
        if folder.exists():
            for stale in folder.iterdir():
                if fresh or stale.name != key:
                    shutil.rmtree(stale)
        self.folder.mkdir(parents=True, exist_ok=True)

    def load(self, tile: Tile) -> TileResult | None:
        """Return a finished tile, or None."""
        planes = self.folder / f"{tile.name}.parquet"
        if not planes.exists():
            return None
        cells_file = self.folder / f"{tile.name}.npz"
        cells = None
        if cells_file.exists():
            with np.load(cells_file) as arrays:
                cells = TileCells(**{name: arrays[name] for name in (*_CELL_FIELDS, *_MONTHS) if name in arrays})
        lit = self.folder / f"{tile.name}.lit.npy"
        return TileResult(pd.read_parquet(planes), cells, np.load(lit) if lit.exists() else None)

    def save(self, tile: Tile, result: TileResult) -> None:
        """Write a tile; its table appears last and at once, so that a crash leaves no half tile."""
        if result.cells is not None:
            arrays = {name: getattr(result.cells, name) for name in _CELL_FIELDS}
            if result.cells.poa_monthly_kwh_m2 is not None:
                arrays[_MONTHS[0]] = result.cells.poa_monthly_kwh_m2
            np.savez(self.folder / f"{tile.name}.npz", **arrays)
        if result.lit is not None:
            np.save(self.folder / f"{tile.name}.lit.npy", result.lit)
        temporary = self.folder / f"{tile.name}.part"
        result.planes.to_parquet(temporary)
        os.replace(temporary, self.folder / f"{tile.name}.parquet")


def run_tiles(
    scene: Scene,
    book: TableBook,
    tiles: Iterable[Tile],
    *,
    workers: int = 2,
    scheduler: str | None = None,
    store: TileStore | None = None,
    progress: Progress | None = None,
) -> BatchResult:
    """Compute tiles, on threads or on a Dask cluster; a failed tile does not stop the others.

    Parameters
    ----------
    workers : int
        Threads, when no `scheduler` is given.
    scheduler : str, optional
        Address of a Dask scheduler.

    Raises
    ------
    InputError
        A raster cannot be read to where a tile needs it.
    """
    wanted = list(tiles)
    results: dict[Tile, TileResult] = {}
    failures: dict[Tile, TileFailure] = {}
    for tile in wanted:
        found = store.load(tile) if store is not None else None
        if found is not None:
            results[tile] = found
    n_resumed = len(results)
    todo = [tile for tile in wanted if tile not in results]
    if progress is not None:
        progress(n_resumed, len(wanted))
    outcomes = _on_dask(scene, book, todo, scheduler) if scheduler else _on_threads(scene, book, todo, workers)
    for tile, outcome in outcomes:
        if isinstance(outcome, InputError):  # a file that cannot be read: every tile over it would fail
            raise outcome
        if isinstance(outcome, BaseException):
            _log.error("tile %s failed", tile.name, exc_info=outcome)
            failures[tile] = TileFailure(tile, f"{type(outcome).__name__}: {outcome}")
        else:
            results[tile] = outcome
            if store is not None:
                store.save(tile, outcome)
        if progress is not None:
            progress(len(results) + len(failures), len(wanted))
    ordered = {tile: results[tile] for tile in wanted if tile in results}
    return BatchResult(ordered, tuple(failures[t] for t in wanted if t in failures), n_resumed)


def _on_threads(
    scene: Scene, book: TableBook, tiles: list[Tile], workers: int
) -> Iterator[tuple[Tile, TileResult | BaseException]]:
    with ThreadPoolExecutor(max_workers=max(1, workers)) as pool:
        futures = {pool.submit(compute_tile, scene, book, tile): tile for tile in tiles}
        for future in as_completed(futures):
            error = future.exception()
            yield futures[future], error if error is not None else future.result()


def _on_dask(
    scene: Scene, book: TableBook, tiles: list[Tile], scheduler: str
) -> Iterator[tuple[Tile, TileResult | BaseException]]:
    from distributed import Client
    from distributed import as_completed as dask_completed

    with Client(scheduler) as client:
        shared: list[Any] = [client.scatter(part, broadcast=True) for part in (scene, book)]
        futures = {
            client.submit(compute_tile, *shared, tile, key=f"rooftop-{tile.name}-{id(scene)}", retries=2): tile
            for tile in tiles
        }
        for future in dask_completed(futures):
            error = future.exception()
            yield futures[future], error if error is not None else future.result()
