"""The command line."""

from __future__ import annotations

from collections.abc import Callable

__all__ = ["main"]


def main() -> None:
    """Entry point; an interrupt ends it in a sentence from its first moment on."""
    import signal

    signal.signal(signal.SIGINT, signal.SIG_DFL)  # until there is somebody to say it

    from rooftop.cli.interrupts import ending_on_interrupts
    from rooftop.cli.language import State, system_lang

    State.lang = system_lang()
    with ending_on_interrupts():
        _load_command()()


def _load_command() -> Callable[[], None]:
    """Import the command; what only the application needs may be missing."""
    import sys

    from rooftop.cli.language import State

    try:
        from rooftop.cli.app import main as command
    except ModuleNotFoundError as error:
        from rooftop.core.errors import NotInstalledError

        missing = NotInstalledError.of_application("rooftop", error)
        if missing is None:
            raise
        print(missing.render(State.lang), file=sys.stderr)
        sys.exit(missing.exit_code)
    return command
