"""Tiles as units of work: executors (threads, Dask), resume from what is on disk, failures named."""

from __future__ import annotations

import logging
import pickle
import uuid
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import closing
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from rooftop.core.contents import Watch
from rooftop.core.errors import InputError
from rooftop.core.fingerprint import digest_of, program_digest
from rooftop.core.grid import Tile
from rooftop.core.lang import Text, one_line
from rooftop.job.light import TableBook
from rooftop.job.scene import Scene
from rooftop.job.tile import TileResult, compute_tile
from rooftop.job.tilestore import TileStore

_log = logging.getLogger(__name__)

Progress = Callable[[int, int], None]
_Outcomes = Generator[tuple[Tile, TileResult | BaseException], None, None]
_NOTHING = Watch(())


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
    damaged : tuple of str
        Names of tiles that were on disk but not whole, and were computed again.
    """

    results: dict[Tile, TileResult]
    failures: tuple[TileFailure, ...]
    n_resumed: int
    damaged: tuple[str, ...] = ()


def fingerprint(scene: Scene, book: TableBook) -> str:
    """Hash everything that a tile's result depends on: what it is given, the files that it reads, and the program."""
    return digest_of(program_digest(), scene, book)[:16]


def run_tiles(
    scene: Scene,
    book: TableBook,
    tiles: Iterable[Tile],
    *,
    workers: int = 2,
    scheduler: str | None = None,
    store: TileStore | None = None,
    watch: Watch = _NOTHING,
    progress: Progress | None = None,
) -> BatchResult:
    """Compute tiles, on threads or on a Dask cluster; a failed tile does not stop the others.

    Parameters
    ----------
    workers : int
        Threads, when no `scheduler` is given.
    scheduler : str, optional
        Address of a Dask scheduler.
    store : TileStore, optional
        Where finished tiles come from and go to.
    watch : Watch
        The input files: a tile that may have read another version of them is not kept.

    Raises
    ------
    ChangedError
        An input file was changed meanwhile.
    InputError
        A raster cannot be read to where a tile needs it.
    StorageError
        A tile cannot be kept.
    """
    all_tiles = list(tiles)
    results: dict[Tile, TileResult] = {}
    failures: dict[Tile, TileFailure] = {}
    for tile in all_tiles:
        kept = store.load(tile) if store is not None else None
        if kept is not None:
            results[tile] = kept
    n_resumed = len(results)
    todo = [tile for tile in all_tiles if tile not in results]
    if progress is not None:
        progress(n_resumed, len(all_tiles))
    if scheduler:
        outcomes = _on_dask(scene, book, todo, scheduler, watch)
    else:
        outcomes = _on_threads(scene, book, todo, workers, watch)
    with closing(outcomes):
        for tile, outcome in outcomes:
            if isinstance(outcome, InputError):  # a file changed, or cannot be read: other tiles would fail as well
                raise outcome
            if isinstance(outcome, BaseException):
                _log.error("tile %s failed", tile.name, exc_info=outcome)
                failures[tile] = TileFailure(tile, one_line(f"{type(outcome).__name__}: {outcome}"))
            else:
                results[tile] = outcome
                if store is not None:
                    store.save(tile, outcome)
            if progress is not None:
                progress(len(results) + len(failures), len(all_tiles))
    ordered = {tile: results[tile] for tile in all_tiles if tile in results}
    failed = tuple(failures[t] for t in all_tiles if t in failures)
    return BatchResult(ordered, failed, n_resumed, tuple(store.damaged) if store is not None else ())


def _compute_watched_tile(scene: Scene, book: TableBook, tile: Tile, watch: Watch) -> TileResult:
    """Compute a tile from input files that are what they were; once more, if they were written again meanwhile."""
    before = watch.check()
    try:
        result = compute_tile(scene, book, tile)
        if watch.check() != before:
            result = compute_tile(scene, book, tile)
    finally:
        watch.check()  # a file that is gone, or half there, is why a tile fails
    return result


def _on_threads(scene: Scene, book: TableBook, tiles: list[Tile], workers: int, watch: Watch) -> _Outcomes:
    pool = ThreadPoolExecutor(max_workers=max(1, workers))
    try:
        futures = {pool.submit(_compute_watched_tile, scene, book, tile, watch): tile for tile in tiles}
        for future in as_completed(futures):
            error = future.exception()
            yield futures[future], error if error is not None else future.result()
    except BaseException:  # an interrupt, an error of whoever takes the results: what has not begun never will
        pool.shutdown(wait=False, cancel_futures=True)
        raise
    pool.shutdown()


def _on_dask(scene: Scene, book: TableBook, tiles: list[Tile], scheduler: str, watch: Watch) -> _Outcomes:
    from distributed import as_completed as dask_completed

    with _client_of(scheduler) as client:
        shared: Any = client.scatter(pickle.dumps((scene, book)), broadcast=True)
        batch = uuid.uuid4().hex  # a scheduler remembers results by their key, of whoever asked for them
        futures = {
            client.submit(_on_worker, shared, tile, key=f"rooftop-{tile.name}-{batch}", retries=2): tile
            for tile in tiles
        }
        for future in dask_completed(futures):
            error = future.exception()
            watch.check()
            yield futures[future], error if error is not None else pickle.loads(future.result())


def _client_of(scheduler: str) -> Any:
    """Connect to a scheduler.

    Raises
    ------
    InputError
    """
    from distributed import Client

    try:
        return Client(scheduler)
    except (OSError, ValueError, TypeError) as error:
        raise InputError(
            Text("the Dask scheduler cannot be reached", "无法连接 Dask 调度器"),
            where="--scheduler",
            found=f"{scheduler}: {one_line(str(error))[:120]}",
            expected=Text(
                "the address of a running scheduler, e.g. tcp://192.168.1.5:8786",
                "运行中的调度器地址，例如 tcp://192.168.1.5:8786",
            ),
            mend=Text(
                "start it, or leave the option out: tiles are then computed here",
                "请先启动调度器，或省略该选项，在本机计算",
            ),
        ) from error


def _on_worker(shared: bytes, tile: Tile) -> bytes:
    """Compute a tile from what was sent; return it as bytes.

    Bytes travel because arrays do not travel well: Dask hands them over at addresses that are no multiple of their
    items' size, where numpy adds up in another order, and last digits differ from those of threads.
    """
    return pickle.dumps(compute_tile(*_unpickle(shared), tile))


@lru_cache(maxsize=1)
def _unpickle(shared: bytes) -> tuple[Scene, TableBook]:
    """Return scene and tables; all tiles of a batch share one copy in each worker."""
    scene, book = pickle.loads(shared)
    return scene, book
