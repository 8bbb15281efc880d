"""The command line."""

__all__ = ["main"]


def main() -> None:
    """Entry point; an interrupt ends it in a sentence from its first moment on."""
    import signal

    signal.signal(signal.SIGINT, signal.SIG_DFL)  # until there is somebody to say it

    from rooftop.cli.interrupts import ending_on_interrupts
    from rooftop.cli.language import State, system_lang

    State.lang = system_lang()
    with ending_on_interrupts():
        from rooftop.cli.app import main as run_command

        run_command()
