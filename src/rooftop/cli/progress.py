"""Progress: a bar on a terminal, plain lines otherwise; on standard error, so that results can be piped."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rooftop.core.lang import Lang, Text

Reporter = Callable[[Text, int, int], None]


@contextmanager
def reporter(lang: Lang) -> Iterator[Reporter]:
    """Yield a function to be told ``(stage, done, total)``."""
    if sys.stderr.isatty():
        with _bar(lang) as report:
            yield report
    else:
        yield _plain(lang)


def _plain(lang: Lang) -> Reporter:
    last: list[str] = []

    def report(stage: Text, done: int, total: int) -> None:
        line = stage.pick(lang) + (f" {done}/{total}" if total > 1 or done else "")
        if [line] != last:
            print(line, file=sys.stderr, flush=True)
            last[:] = [line]

    return report


@contextmanager
def _bar(lang: Lang) -> Iterator[Reporter]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=None)

        def report(stage: Text, done: int, total: int) -> None:
            bar.update(task, description=stage.pick(lang), completed=done, total=max(total, 1))

        yield report
