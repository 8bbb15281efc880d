"""A process that runs one configuration after another as the command line would, and says how each ended.

A line of JSON comes in (arguments of `rooftop`), a line of JSON goes out (exit code and what was printed).
"""

from __future__ import annotations

import contextlib
import faulthandler
import io
import json
import os
import sys
import warnings
from typing import TextIO

MEMORY_BYTES = 8 << 30


def _limit_memory() -> None:
    if sys.platform != "win32":
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))


def _one(arguments: list[str]) -> dict[str, object]:
    from rooftop.cli.app import main
    from rooftop.cli.language import State, system_lang

    State.lang = system_lang()
    out, sys.argv = io.StringIO(), ["rooftop", *arguments]
    code: object = 0
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out), warnings.catch_warnings():
        try:
            main()
        except SystemExit as end:
            code = end.code if end.code is not None else 0
        except BaseException as error:
            code, _ = f"{type(error).__name__}: {error}", out.write(f"{type(error).__name__}: {error}")
    return {"code": code, "text": out.getvalue()[-4000:]}


def serve(lines: TextIO, answers: TextIO) -> None:
    """Answer until the lines end."""
    for line in lines:
        answers.write(json.dumps(_one(json.loads(line))) + "\n")
        answers.flush()


if __name__ == "__main__":
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # whatever a library prints must not stand among the answers
    faulthandler.enable()
    _limit_memory()
    os.environ["ROOFTOP_LANG"] = "en"
    serve(sys.stdin, answers)
