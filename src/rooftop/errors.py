"""One error tree: every message names the culprit, what was found, what was expected and how to mend it."""

from __future__ import annotations

from rooftop.lang import Lang, Text, pick, without_controls

_LABELS = {
    "where": Text("where", "位置"),
    "found": Text("found", "实际"),
    "expected": Text("expected", "应为"),
    "kept": Text("kept", "已保留"),
    "mend": Text("mend", "处理"),
}


class RooftopError(Exception):
    """Base of everything `rooftop` raises on purpose.

    Parameters
    ----------
    what : Text or str
        What is wrong, in one sentence.
    where : Text or str, optional
        The culprit: file, field, line, building.
    found, expected : Text or str, optional
        What was there, and what should have been.
    kept : Text or str, optional
        What is not lost.
    mend : Text or str, optional
        What the user can do about it.
    """

    exit_code = 3

    def __init__(
        self,
        what: Text | str,
        *,
        where: Text | str | None = None,
        found: Text | str | None = None,
        expected: Text | str | None = None,
        kept: Text | str | None = None,
        mend: Text | str | None = None,
    ) -> None:
        super().__init__(what)
        self.what = what
        self.details: dict[str, Text | str | None] = {
            "where": where,
            "found": found,
            "expected": expected,
            "kept": kept,
            "mend": mend,
        }

    def render(self, lang: Lang = "en") -> str:
        """Return the readable block, one line per part."""
        lines = [pick(self.what, lang)]
        for key, value in self.details.items():
            if value is not None:
                lines.append(f"  {_LABELS[key].pick(lang)}: {pick(value, lang)}")
        return without_controls("\n".join(lines))

    def __str__(self) -> str:
        return self.render("en")


class UsageError(RooftopError):
    """The command line asks for something that does not exist."""

    exit_code = 2


class ConfigError(RooftopError):
    """The configuration, or a policy pack, cannot be used as it stands."""

    exit_code = 2


class InputError(RooftopError):
    """An input file is missing, unreadable, or says something that cannot be true."""

    exit_code = 2


class ChangedError(InputError):
    """An input file became another one while it was read."""


class StorageError(RooftopError):
    """The system does not let the output be written where it should be."""

    exit_code = 2


class ComputeError(RooftopError):
    """The computation broke; the message says what was kept."""

    exit_code = 3
