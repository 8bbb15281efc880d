"""Ctrl-C, and a request to end: one sentence, exit code 130, at once."""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType

from rooftop.cli.language import State
from rooftop.core.lang import Text

EXIT_CODE = 130
_SECONDS = 2.0  # to leave in order: locks given back, half-written files removed


class Interrupted(BaseException):
    """Somebody asked the program to end; no library takes it for an error of its own."""


@contextmanager
def ending_on_interrupts() -> Iterator[None]:
    """End the process when it is interrupted, whatever it is doing.

    Python code is left through its ``finally`` blocks. Where the main thread does not come back from compiled code, or
    where a library swallows the interrupt, a second thread ends the process after two seconds, or at the next signal:
    nothing is half-written then either, since files take their place at once.
    """
    wakes, woken = socket.socketpair()
    for end in (wakes, woken):
        end.setblocking(end is woken)
    signal.set_wakeup_fd(wakes.fileno(), warn_on_full_buffer=False)
    threading.Thread(target=_end_anyway, args=(woken,), daemon=True, name="interrupts").start()
    for number in _signals():
        signal.signal(number, _interrupt)
    default_hook = sys.unraisablehook
    sys.unraisablehook = lambda event: None if isinstance(event.exc_value, Interrupted) else default_hook(event)
    try:
        yield
    except (Interrupted, KeyboardInterrupt):
        _end()


def _signals() -> list[signal.Signals]:
    names = ("SIGINT", "SIGTERM", "SIGBREAK")
    return [getattr(signal, name) for name in names if hasattr(signal, name)]


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    for number in _signals():
        signal.signal(number, signal.SIG_IGN)  # leaving is not interrupted again, but by the other thread
    raise Interrupted


def _end_anyway(woken: socket.socket) -> None:
    with suppress(OSError):
        if woken.recv(1):
            woken.settimeout(_SECONDS)
            with suppress(TimeoutError):
                woken.recv(1)
            _end()


_ending = threading.Lock()


def _end() -> None:
    """Say so, once, and end without waiting for threads that compute or for who reads the output."""
    if _ending.acquire(timeout=1.0):  # never given back
        kept = Text(
            "interrupted; finished tiles are kept: the same command goes on from there",
            "已中断；已完成的分块均已保留，重新执行同一命令即可继续",
        )
        text = kept if State.keeps_tiles else Text("interrupted", "已中断")
        show_cursor = "\x1b[?25h" if sys.stderr.isatty() else ""
        line = f"{show_cursor}{text.pick(State.lang)}\n"
        with suppress(OSError):
            os.write(2, line.encode(sys.stderr.encoding or "utf-8", "replace"))
    os._exit(EXIT_CODE)
