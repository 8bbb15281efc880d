"""The command line."""

from rooftop.cli.app import main

__all__ = ["main"]
