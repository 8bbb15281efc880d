"""Which language the terminal speaks, and whether it shows tracebacks."""

from __future__ import annotations

import locale
import os
import sys

from rooftop.core.lang import Lang, Text


class State:
    """What the options of a command have set."""

    debug = False
    lang: Lang = "zh"
    keeps_tiles = False


def system_lang() -> Lang:
    """Return the language of this system."""
    locale_name = os.environ.get("ROOFTOP_LANG") or os.environ.get("LC_ALL") or os.environ.get("LANG")
    if not locale_name:
        locale_name = locale.getlocale()[0] or ""  # Windows sets no such variable, and calls the language by its name
    return "zh" if locale_name.lower().startswith(("zh", "chinese")) else "en"


def say_error(text: Text) -> None:
    """Print a sentence on standard error."""
    print(text.pick(State.lang), file=sys.stderr)
