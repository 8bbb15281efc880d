"""The products of a run as one set: unfinished until all are there, and cleaned of what earlier runs left."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from rooftop.core.errors import InputError
from rooftop.core.lang import Text
from rooftop.core.notices import Notice
from rooftop.job.record import RunRecord, read_ledger, write_record, write_unfinished
from rooftop.outputs.files import free_name, is_link, link_in_the_way, product_sha256, recorded_in
from rooftop.outputs.place import RECORD
from rooftop.outputs.report.indicators import FILES

# Products that not every run has; earlier versions did not record what they wrote.
_OPTIONAL = (
    "modules.parquet",
    "timeline.csv",
    *(file.name for file in FILES),
    "rasters/poa_annual.tif",
    "rasters/poa_monthly.tif",
    "rasters/svf.tif",
    "rasters/shading_loss.tif",
)

Save = Callable[[dict[str, str], dict[str, list[str]]], None]


class ProductSet:
    """The files of one run in its folder.

    Each file is entered in ``run.json`` before it takes its place, so that after a kill at any moment everything in the
    folder is known. Only files that a run has written, and that nobody has changed since, are ever removed or
    overwritten; what else has a product's name is renamed.

    Parameters
    ----------
    folder : Path
    save : callable
        Writes the record: with the hashes of the files, and those of files of earlier runs.
    files : dict of str to str, optional
        Products that stay.

    Attributes
    ----------
    files : dict of str to str
        Path inside the folder, and hash, of every product.
    missing : list of str
        Products whose place another program holds.
    earlier : dict of str to list of str
        What else runs have written, as far as it may still be there.
    """

    def __init__(self, folder: Path, save: Save, files: Mapping[str, str] | None = None) -> None:
        ledger = read_ledger(folder / RECORD)
        self.folder = folder
        self.files: dict[str, str] = dict(files or {})
        self.missing: list[str] = []
        self.earlier = {name: sorted(sums) for name, sums in ledger.known.items()}
        self._by_name = ledger.by_name
        self._save = save
        self._before = dict(self.files)
        self._written: set[str] = set()
        self._aside: list[str] = []

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Account for everything that is written meanwhile."""
        self._save(self.files, self.earlier)
        with recorded_in(self):
            yield

    def require_place(self, path: Path) -> None:
        """Refuse a folder of products that is a link."""
        for folder in path.relative_to(self.folder).parents:
            if folder != Path() and is_link(self.folder / folder):
                raise link_in_the_way(self.folder / folder)

    def expect(self, path: Path, temporary: Path) -> None:
        """Enter a file that is about to take its place; what lies there and is not of a run gets another name."""
        name = self._name(path)
        if os.path.lexists(path) and not path.is_dir() and not self._is_ours(name):
            self._aside.append(self._name(path.rename(free_name(path, "kept"))))
        self.files[name] = product_sha256(temporary)
        self._written.add(name)
        self._save(self.files, self.earlier)

    def mark_missing(self, path: Path, error: OSError) -> None:
        """Enter a file as missing."""
        name = self._name(path)
        self.missing.append(name)
        self.files.pop(name, None)
        if name in self._before:
            self.files[name] = self._before[name]
        self._save(self.files, self.earlier)

    def finish(self, scope: Sequence[str] = ("",)) -> tuple[Notice, ...]:
        """Remove what earlier runs have written and this one has not.

        Parameters
        ----------
        scope : sequence of str
            Beginnings of the paths that were all written anew; the rest of the set stays as it is.

        Returns
        -------
        tuple of Notice
            Files that stay because somebody changed them, files that got another name, products that are missing.
        """
        folders = {(self.folder / name).parent for name in (*self.files, *self._before, *self.earlier)} - {self.folder}
        for name in [n for n in self.files if n.startswith(tuple(scope)) and n not in {*self._written, *self.missing}]:
            del self.files[name]
        identities = {identity for name in self.files if (identity := _identity(self.folder / name)) is not None}
        changed, remaining = [], {}
        if self._by_name:
            for name in _OPTIONAL:
                if name.startswith(tuple(scope)) and name not in self.files and self._is_plain(self.folder / name):
                    self.earlier[name] = [product_sha256(self.folder / name)]
        for name, sums in self.earlier.items():
            path = self.folder / name
            if name in self.files or _identity(path) in identities or not self._is_plain(path):
                continue
            try:
                if product_sha256(path) not in sums:
                    changed.append(name)
                    continue
                path.unlink()
            except OSError:  # another program holds it: next time
                remaining[name] = sums
        self.earlier = remaining
        for place in folders:
            with suppress(OSError):
                place.rmdir()  # only where nothing is left in it
        return _notices(changed, self._aside, self.missing)

    def _name(self, path: Path) -> str:
        return path.relative_to(self.folder).as_posix()

    def _is_plain(self, path: Path) -> bool:
        """Return whether a file lies in the folder itself: neither it nor a folder on the way is a link."""
        on_the_way = [path, *(self.folder / p for p in path.relative_to(self.folder).parents if p != Path())]
        return path.is_file() and not any(is_link(place) for place in on_the_way)

    def _is_ours(self, name: str) -> bool:
        path = self.folder / name
        if self._by_name:
            return not is_link(path)
        known = {*self.earlier.get(name, ()), *([self.files[name]] if name in self.files else ())}
        return self._is_plain(path) and bool(known) and product_sha256(path) in known


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def new_set(folder: Path, version: str) -> ProductSet:
    """Return the set of a run that is about to write its products; from now on the folder holds no finished run."""
    path = folder / RECORD
    return ProductSet(folder, lambda files, earlier: write_unfinished(path, files, earlier, version))


def same_set(folder: Path, record: RunRecord) -> ProductSet:
    """Return the set of a finished run of which some products are made again."""

    def save(files: dict[str, str], earlier: dict[str, list[str]]) -> None:
        if record.files:  # a record of an earlier version stays as it is
            write_record(folder / RECORD, with_files(record, files, earlier, record.missing))

    return ProductSet(folder, save, record.files)


def with_files(
    record: RunRecord, files: Mapping[str, str], earlier: Mapping[str, Sequence[str]], missing: Sequence[str]
) -> RunRecord:
    """Return the record of a run with the files of its set, in order of their names."""
    kept = {name: tuple(sums) for name, sums in sorted(earlier.items())}
    return replace(record, files=dict(sorted(files.items())), earlier=kept, missing=tuple(sorted(set(missing))))


def require_unchanged(folder: Path, record: RunRecord, names: Sequence[str]) -> None:
    """Refuse files that are not those that the run has written: numbers of two runs are not mixed.

    Raises
    ------
    InputError
        One is missing in the set, or was changed since.
    """
    for name in names if record.files else ():
        path = folder / name
        if name in record.missing:
            found = Text("another program had it open when the run wrote", "运行写出时被其他程序占用")
        elif name in record.files and not path.exists():
            found = Text("it is gone", "文件已不存在")
        elif name in record.files and product_sha256(path) != record.files[name]:
            found = Text("it was changed since the run", "运行之后被更改")
        else:
            continue
        raise InputError(
            Text("a table in this folder is not the one that the run computed", "该目录中的数据表不是本次运行计算所得"),
            where=str(path),
            found=found,
            kept=Text("the run's tiles", "已完成的分块"),
            mend=Text(
                "run again into the same folder: finished tiles are not computed twice",
                "请重新运行并输出到同一目录：已完成的分块不会重复计算",
            ),
        )


def _notices(changed: list[str], aside: list[str], missing: list[str]) -> tuple[Notice, ...]:
    notices = []
    if changed:
        names = ", ".join(changed)
        text = Text(
            f"left in the folder although no longer part of this run, because somebody has changed them: {names}",
            f"以下文件已不属于本次成果，但曾被人改动，予以保留：{names}",
        )
        notices.append(Notice("changed_files_stay", text, len(changed), "warning", "outputs", tuple(changed[:5])))
    if aside:
        names = ", ".join(aside)
        text = Text(
            f"had the name of a product, but no run has written them as they were; renamed to: {names}",
            f"以下文件原与成果同名，但并非运行所写或已被改动，已改名保留：{names}",
        )
        notices.append(Notice("files_renamed", text, len(aside), "warning", "outputs", tuple(aside[:5])))
    if missing:
        names = ", ".join(missing)
        text = Text(
            f"not written, because another program holds their place; what lies there is of an earlier run (close the "
            f"program and run again): {names}",
            f"以下成果未能写出，其位置被其他程序占用，现有文件属于早先的运行（请关闭该程序后重新运行）：{names}",
        )
        notices.append(Notice("products_missing", text, len(missing), "warning", "outputs", tuple(missing[:5])))
    return tuple(notices)
